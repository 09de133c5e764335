/* The log: forms, levels, and what it hides. Promise 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

static int kept_stderr = -1;
static FILE *captured;

static nx_wall_ns fixed(void *ctx)
{
    (void)ctx;
    return INT64_C(1795428000123456789); /* 2026-11-23T10:00:00.123 */
}

static int begin(void **state)
{
    (void)state;
    captured = tmpfile();
    kept_stderr = dup(STDERR_FILENO);
    nx_clock_set_wall(fixed, NULL);
    fflush(stderr);
    return captured == NULL || dup2(fileno(captured), STDERR_FILENO) < 0 ? -1 : 0;
}

static int end(void **state)
{
    (void)state;
    dup2(kept_stderr, STDERR_FILENO);
    close(kept_stderr);
    fclose(captured);
    nx_clock_set_wall(NULL, NULL);
    nx_log_setup(NX_LOG_INFO, false);
    return 0;
}

/* What was written since the last call. */
static void assert_line(const char *want)
{
    char got[70000];
    off_t n = lseek(fileno(captured), 0, SEEK_END);
    assert_true(n >= 0 && n < (off_t)sizeof got);
    assert_int_equal(pread(fileno(captured), got, (size_t)n, 0), n);
    got[n] = '\0';
    assert_int_equal(ftruncate(fileno(captured), 0), 0);
    assert_int_equal(lseek(fileno(captured), 0, SEEK_SET), 0);
    assert_string_equal(got, want);
}

static void text_lines(void **state)
{
    (void)state;
    nx_log(NX_LOG_INFO, "wal", "replayed %d records", 7);
    assert_line("2026-11-23T10:00:00.123Z INFO  wal  replayed 7 records\n");
    nx_log(NX_LOG_ERROR, "stream", "a\nb\tc\x1b[31m");
    assert_line("2026-11-23T10:00:00.123Z ERROR stream  a\\nb\\x09c\\x1b[31m\n");
    nx_log(NX_LOG_DEBUG, "wal", "not shown");
    assert_line("");
    nx_log_setup(NX_LOG_DEBUG, false);
    nx_log(NX_LOG_DEBUG, "wal", "shown");
    assert_line("2026-11-23T10:00:00.123Z DEBUG wal  shown\n");
    assert_true(nx_log_on(NX_LOG_DEBUG));
}

static void json_lines(void **state)
{
    (void)state;
    nx_log_setup(NX_LOG_WARN, true);
    assert_false(nx_log_on(NX_LOG_INFO));
    nx_log(NX_LOG_WARN, "lake", "table \"x\"\n\xff");
    assert_line("{\"ts\":\"2026-11-23T10:00:00.123Z\",\"level\":\"warn\",\"component\":\"lake\","
                "\"message\":\"table \\\"x\\\"\\n\xEF\xBF\xBD\"}\n");
}

static void errors_bring_their_hint(void **state)
{
    (void)state;
    nx_err err;
    nx_status st = nx_fail(&err, NX_IO, "could not open a");
    nx_log_err(NX_LOG_ERROR, "app", &err);
    assert_line("2026-11-23T10:00:00.123Z ERROR app  could not open a\n");
    nx_err_hint(&err, st, "make it");
    nx_log_err(NX_LOG_ERROR, "app", &err);
    assert_line("2026-11-23T10:00:00.123Z ERROR app  could not open a - make it\n");
    nx_log_setup(NX_LOG_INFO, true);
    nx_log_err(NX_LOG_ERROR, "app", &err);
    assert_line("{\"ts\":\"2026-11-23T10:00:00.123Z\",\"level\":\"error\",\"component\":\"app\",\"message\":\"could "
                "not open a\","
                "\"hint\":\"make it\"}\n");
    nx_err_clear(&err);
    err.status = NX_LIMIT;
    nx_log_setup(NX_LOG_INFO, false);
    nx_log_err(NX_LOG_ERROR, "app", &err);
    assert_line("2026-11-23T10:00:00.123Z ERROR app  a configured limit was reached\n");
}

static void secrets_never_show(void **state)
{
    (void)state;
    nx_log_hide(NULL);
    nx_log_hide("abc"); /* too short to hide: it would blot out ordinary words */
    nx_log_hide("sesame");
    nx_log_hide("sesame-open"); /* begins with another secret */
    nx_log_hide("quo\"te");
    nx_log(NX_LOG_INFO, "http", "token=sesame-open&x=sesame abc sesamesesame");
    assert_line("2026-11-23T10:00:00.123Z INFO  http  token=***&x=*** abc ******\n");
    nx_log_setup(NX_LOG_INFO, true);
    nx_log(NX_LOG_INFO, "http", "quo\"te");
    assert_line(
        "{\"ts\":\"2026-11-23T10:00:00.123Z\",\"level\":\"info\",\"component\":\"http\",\"message\":\"***\"}\n");
    nx_log_setup(NX_LOG_INFO, false);
    nx_err err;
    nx_status st = nx_fail(&err, NX_REMOTE, "refused sesame");
    nx_err_hint(&err, st, "change sesame");
    nx_log_err(NX_LOG_INFO, "http", &err);
    assert_line("2026-11-23T10:00:00.123Z INFO  http  refused *** - change ***\n");
    assert_string_equal(err.text, "refused sesame");   /* the record itself is the caller's */
    char text[] = {'s', 'e', 's', 'a', 'm', 'e', '!'}; /* no 0 inside its cap */
    nx_log_scrub(text, sizeof text);
    assert_string_equal(text, "***!");
}

static void long_lines_are_cut_and_whole(void **state)
{
    (void)state;
    static char text[20000];
    memset(text, 'x', sizeof text - 1);
    nx_log(NX_LOG_INFO, "a", "%s", text);
    char got[30000];
    ssize_t n = pread(fileno(captured), got, sizeof got, 0);
    assert_true(n > 8000 && n < 9000);
    assert_int_equal(got[n - 1], '\n');
    assert_int_equal(ftruncate(fileno(captured), 0), 0);
}

enum { THREADS = 4, LINES = 500 };

static void *chatter(void *arg)
{
    for (int i = 0; i < LINES; i++)
        nx_log(NX_LOG_INFO, "t", "%s", (const char *)arg);
    return NULL;
}

static void threads_write_whole_lines(void **state)
{
    (void)state;
    static const char *const what[THREADS] = {"aaaaaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbb", "c", "ddddddddddddddddddddd"};
    pthread_t t[THREADS];
    assert_int_equal(fcntl(fileno(captured), F_SETFL, O_APPEND), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, chatter, (void *)what[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    rewind(captured);
    char line[256], want[256];
    int n = 0;
    while (fgets(line, sizeof line, captured) != NULL) {
        assert_in_range(line[34], 'a', 'd');
        snprintf(want, sizeof want, "2026-11-23T10:00:00.123Z INFO  t  %s\n", what[line[34] - 'a']);
        assert_string_equal(line, want);
        n++;
    }
    assert_int_equal(n, THREADS * LINES);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(text_lines),
        TEST(json_lines),
        TEST(errors_bring_their_hint),
        TEST(secrets_never_show),
        TEST(long_lines_are_cut_and_whole),
        TEST(threads_write_whole_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
