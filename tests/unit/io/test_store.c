/* The local store: names, put-if-absent with many writers, listing order, staging; secrets and lines beside it. Promise 4. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <pthread.h>
#include <unistd.h>
#include <zstd.h>
#include <cmocka.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "io/lines.h"
#include "io/secret.h"
#include "io/store.h"

static char folder[64];

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/nexus-io-XXXXXX");
    return mkdtemp(folder) == NULL;
}

static int teardown(void **state)
{
    (void)state;
    nx_err err;
    return nx_dir_remove(folder, &err) != NX_OK;
}

static const char *in_folder(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static nx_store *open_store(const char *name)
{
    nx_store *s;
    nx_err err = {0};
    assert_int_equal(nx_store_open(in_folder(name), &s, &err), NX_OK);
    return s;
}

static void put_get_delete(void **state)
{
    (void)state;
    nx_store *s = open_store("a");
    nx_err err = {0};
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_store_get(s, "x/y", &b, &err), NX_NOT_FOUND);
    assert_int_equal(nx_store_put_new(s, "x/y", NX_STR("one"), &err), NX_OK);
    assert_int_equal(nx_store_put_new(s, "x/y", NX_STR("two"), &err), NX_EXISTS);
    assert_int_equal(nx_store_get(s, "x/y", &b, &err), NX_OK);
    assert_string_equal(b.p, "one");
    assert_int_equal(nx_store_put(s, "x/y", NX_STR("three"), &err), NX_OK);
    nx_buf_clear(&b);
    assert_int_equal(nx_store_get(s, "x/y", &b, &err), NX_OK);
    assert_string_equal(b.p, "three");
    bool is = false;
    assert_int_equal(nx_store_exists(s, "x/y", &is, &err), NX_OK);
    assert_true(is);
    assert_int_equal(nx_store_exists(s, "x", &is, &err), NX_OK);
    assert_false(is); /* a folder is no object */
    assert_int_equal(nx_store_delete(s, "x/y", &err), NX_OK);
    assert_int_equal(nx_store_delete(s, "x/y", &err), NX_OK);
    assert_int_equal(nx_store_exists(s, "x/y", &is, &err), NX_OK);
    assert_false(is);
    nx_buf_drop(&b);
    nx_store_close(s);
}

static void names(void **state)
{
    (void)state;
    nx_store *s = open_store("b");
    static const char *const bad[] = {"", "/x", "x/", "x//y", ".", "..", "../x", "x/../y", "x/./y"};
    nx_err err = {0};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        assert_int_equal(nx_store_put(s, bad[i], NX_STR("z"), &err), NX_INVALID);
        assert_non_null(strstr(err.text, "bad object name"));
    }
    assert_int_equal(nx_store_put(s, "..x/y..z", NX_STR("z"), &err), NX_OK);
    nx_store_close(s);
    assert_int_equal(nx_store_open("abfss://c@a.dfs.core.windows.net/p", &s, &err), NX_UNSUPPORTED);
    assert_non_null(strstr(err.text, "abfss"));
}

static nx_status collect(void *ctx, const nx_store_entry *e, nx_err *err)
{
    (void)err;
    assert_true(e->is_dir || e->modified_ms > 1000000000000);
    return nx_buf_addf(ctx, "%s:%llu%s ", e->name, (unsigned long long)e->bytes, e->is_dir ? "/" : "");
}

static void listing(void **state)
{
    (void)state;
    nx_store *s = open_store("c");
    nx_err err = {0};
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_store_list(s, "", collect, &b, &err), NX_OK);
    assert_int_equal(b.n, 0);
    static const char *const all[] = {"b", "B", "a10", "a2", "sub/x"};
    for (size_t i = 0; i < NX_COUNT_OF(all); i++)
        assert_int_equal(nx_store_put(s, all[i], NX_STR("12"), &err), NX_OK);
    assert_int_equal(nx_store_list(s, "", collect, &b, &err), NX_OK);
    assert_string_equal(b.p, "B:2 a10:2 a2:2 b:2 sub:0/ ");
    nx_buf_drop(&b);
    nx_store_close(s);
}

static void staging(void **state)
{
    (void)state;
    nx_store *s = open_store("d");
    nx_err err = {0};
    nx_buf path, got;
    nx_buf_init(&path, 0);
    nx_buf_init(&got, 0);
    assert_int_equal(nx_store_publish(s, "p/q.parquet", &err), NX_NOT_FOUND);
    assert_int_equal(nx_store_stage_path(s, "p/q.parquet", &path, &err), NX_OK);
    FILE *f = fopen(path.p, "w");
    assert_non_null(f);
    fputs("PAR1", f);
    fclose(f);
    bool is = true;
    assert_int_equal(nx_store_exists(s, "p/q.parquet", &is, &err), NX_OK);
    assert_false(is);
    assert_int_equal(nx_store_publish(s, "p/q.parquet", &err), NX_OK);
    nx_buf_clear(&path);
    assert_int_equal(nx_store_local_path(s, "p/q.parquet", &path, &err), NX_OK);
    assert_int_equal(nx_file_read(path.p, &got, &err), NX_OK);
    assert_string_equal(got.p, "PAR1");
    nx_buf_drop(&path);
    nx_buf_drop(&got);
    nx_store_close(s);
}

/* A failed write leaves what was there, and nothing half made under the name; the same call works afterwards. */
static void faults_leave_the_old(void **state)
{
    (void)state;
    static const char *const points[] = {"FILE_WRITE", "FILE_WRITE:0:short", "FILE_FSYNC", "FILE_RENAME"};
    nx_store *s = open_store("f");
    nx_err err = {0};
    nx_buf b, path;
    nx_buf_init(&b, 0);
    nx_buf_init(&path, 0);
    assert_int_equal(nx_store_put(s, "x", NX_STR("old"), &err), NX_OK);
    for (size_t i = 0; i < NX_COUNT_OF(points); i++) {
        assert_true(nx_fault_arm(points[i]));
        assert_int_equal(nx_store_put(s, "x", NX_STR("new"), &err), NX_IO);
        nx_fault_arm(NULL);
        nx_buf_clear(&b);
        assert_int_equal(nx_store_get(s, "x", &b, &err), NX_OK);
        assert_string_equal(b.p, "old");
        assert_true(nx_fault_arm(i == 3 ? "FILE_LINK" : points[i]));
        assert_int_equal(nx_store_put_new(s, "y", NX_STR("new"), &err), NX_IO);
        nx_fault_arm(NULL);
        bool is = true;
        assert_int_equal(nx_store_exists(s, "y", &is, &err), NX_OK);
        assert_false(is);
    }
    assert_int_equal(nx_store_stage_path(s, "z", &path, &err), NX_OK);
    assert_int_equal(nx_file_replace(path.p, NX_STR("staged"), &err), NX_OK);
    for (size_t i = 2; i < 4; i++) {
        assert_true(nx_fault_arm(points[i]));
        assert_int_equal(nx_store_publish(s, "z", &err), NX_IO);
        assert_non_null(strstr(err.text, "/z"));
        nx_fault_arm(NULL);
    }
    assert_int_equal(nx_store_publish(s, "z", &err), NX_OK);
    nx_buf_clear(&b);
    assert_int_equal(nx_store_get(s, "z", &b, &err), NX_OK);
    assert_string_equal(b.p, "staged");
    nx_buf_drop(&b);
    nx_buf_drop(&path);
    nx_store_close(s);
}

typedef struct racer {
    nx_store *s;
    int id, won;
} racer;

static void *race(void *arg)
{
    racer *r = arg;
    for (int round = 0; round < 20; round++) {
        char name[32], text[16];
        snprintf(name, sizeof name, "race/%d", round);
        snprintf(text, sizeof text, "%d", r->id);
        nx_err err = {0};
        nx_status st = nx_store_put_new(r->s, name, nx_str_of(text), &err);
        if (st == NX_OK)
            r->won |= 1 << round;
        else if (st != NX_EXISTS)
            r->won = -1;
    }
    return NULL;
}

static void one_of_many_wins(void **state)
{
    (void)state;
    nx_store *s = open_store("e");
    racer r[4];
    pthread_t t[4];
    for (int i = 0; i < 4; i++) {
        r[i] = (racer){s, i, 0};
        assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    for (int round = 0; round < 20; round++) {
        int winner = -1, n = 0;
        for (int i = 0; i < 4; i++)
            if ((r[i].won >> round & 1) != 0) {
                winner = i;
                n++;
            }
        assert_int_equal(n, 1);
        char name[32];
        snprintf(name, sizeof name, "race/%d", round);
        nx_buf b;
        nx_err err;
        nx_buf_init(&b, 0);
        assert_int_equal(nx_store_get(s, name, &b, &err), NX_OK);
        assert_int_equal(b.p[0] - '0', winner);
        nx_buf_drop(&b);
    }
    nx_store_close(s);
}

static void secrets(void **state)
{
    (void)state;
    nx_err err = {0};
    nx_buf b;
    nx_buf_init(&b, 0);
    setenv("NX_TEST_KEY", "s3cr3t-env", 1);
    assert_int_equal(nx_file_replace(in_folder("pw"), NX_STR("s3cr3t-file\r\n\n"), &err), NX_OK);
    char ref[256];
    snprintf(ref, sizeof ref, "a ${env:NX_TEST_KEY} b ${file:%s/pw}", folder);
    assert_int_equal(nx_secret_resolve(nx_str_of(ref), &b, &err), NX_OK);
    assert_string_equal(b.p, "a s3cr3t-env b s3cr3t-file");
    char line[64];
    snprintf(line, sizeof line, "x s3cr3t-file y s3cr3t-env z");
    nx_log_scrub(line, sizeof line);
    assert_null(strstr(line, "s3cr3t"));
    static const struct {
        const char *text;
        nx_status st;
        const char *names;
    } bad[] = {
        {"${env:NX_TEST_ABSENT}", NX_NOT_FOUND, "NX_TEST_ABSENT"},
        {"${file:/nonexistent/x}", NX_NOT_FOUND, "/nonexistent/x"},
        {"${keyvault:v/n}", NX_UNSUPPORTED, "keyvault"},
        {"${env:}", NX_INVALID, "env"},
        {"${PLAIN}", NX_INVALID, "PLAIN"},
        {"x ${env:NX_TEST_KEY", NX_INVALID, "without"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        assert_int_equal(nx_secret_resolve(nx_str_of(bad[i].text), &b, &err), bad[i].st);
        assert_non_null(strstr(err.text, bad[i].names));
        assert_string_equal(b.p, "a s3cr3t-env b s3cr3t-file"); /* as before */
    }
    nx_buf_drop(&b);
}

/* ------------------------------------------------------------------ lines */

static void expect_lines(const char *path, const char *const *lines, size_t n)
{
    nx_lines *l;
    nx_err err = {0};
    nx_str s;
    assert_int_equal(nx_lines_open(path, 0, &l, &err), NX_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(nx_lines_next(l, &s, &err), NX_OK);
        assert_true(nx_str_is(s, lines[i]));
        assert_int_equal(nx_lines_number(l), i + 1);
    }
    assert_int_equal(nx_lines_next(l, &s, &err), NX_NOTHING);
    assert_int_equal(nx_lines_next(l, &s, &err), NX_NOTHING);
    nx_lines_close(l);
}

static void plain_lines(void **state)
{
    (void)state;
    nx_err err = {0};
    static const char *const want[] = {"one", "", "three", "last"};
    assert_int_equal(nx_file_replace(in_folder("l.txt"), NX_STR("one\n\nthree\r\nlast"), &err), NX_OK);
    expect_lines(in_folder("l.txt"), want, 4);
    assert_int_equal(nx_file_replace(in_folder("l.txt"), NX_STR(""), &err), NX_OK);
    expect_lines(in_folder("l.txt"), want, 0);
    nx_lines *l;
    assert_int_equal(nx_lines_open(in_folder("absent"), 0, &l, &err), NX_NOT_FOUND);
    assert_int_equal(nx_file_replace(in_folder("l.txt"), NX_STR("ok\n12345678901\n"), &err), NX_OK);
    nx_str s;
    assert_int_equal(nx_lines_open(in_folder("l.txt"), 10, &l, &err), NX_OK);
    assert_int_equal(nx_lines_next(l, &s, &err), NX_OK);
    assert_int_equal(nx_lines_next(l, &s, &err), NX_LIMIT);
    assert_non_null(strstr(err.text, "line 2"));
    nx_lines_close(l);
}

static size_t compress(nx_str text, char *out, size_t cap)
{
    size_t n = ZSTD_compress(out, cap, text.p, text.n, 3);
    assert_false(ZSTD_isError(n));
    return n;
}

static void zstd_lines(void **state)
{
    (void)state;
    nx_err err = {0};
    static char packed[4096];
    size_t n = compress(NX_STR("alpha\nbe"), packed, sizeof packed);
    n += compress(NX_STR("ta\ngamma\n"), packed + n, sizeof packed - n); /* two frames, one file */
    assert_int_equal(nx_file_replace(in_folder("l.zst"), (nx_str){packed, n}, &err), NX_OK);
    static const char *const want[] = {"alpha", "beta", "gamma"};
    expect_lines(in_folder("l.zst"), want, 3);
    nx_lines *l;
    nx_str s;
    assert_int_equal(nx_file_replace(in_folder("cut.zst"), (nx_str){packed, n - 4}, &err), NX_OK);
    assert_int_equal(nx_lines_open(in_folder("cut.zst"), 0, &l, &err), NX_OK);
    nx_status st;
    while ((st = nx_lines_next(l, &s, &err)) == NX_OK)
        ;
    assert_int_equal(st, NX_CORRUPT);
    assert_non_null(strstr(err.text, "cut.zst"));
    nx_lines_close(l);
}

static void real_tape(void **state)
{
    (void)state;
    const char *shared = getenv("NEXUS_SHARED");
    char path[512];
    snprintf(path, sizeof path, "%s/data/market/alpaca_ws/stocks_2013-10-09_ibm.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    if (!nx_file_exists(path)) {
        print_message("shared data absent: %s\n", path);
        skip();
    }
    nx_lines *l;
    nx_err err = {0};
    nx_str s;
    size_t messages = 0;
    nx_status st;
    assert_int_equal(nx_lines_open(path, 0, &l, &err), NX_OK);
    while ((st = nx_lines_next(l, &s, &err)) == NX_OK)
        for (size_t at = 0; (at = nx_str_find(s, NX_STR("{\"T\":"), at)) != SIZE_MAX; at++)
            messages++;
    assert_int_equal(st, NX_NOTHING);
    assert_int_equal(messages, 95211); /* the count in the data's README */
    nx_lines_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_get_delete),
        cmocka_unit_test(names),
        cmocka_unit_test(listing),
        cmocka_unit_test(staging),
        cmocka_unit_test(faults_leave_the_old),
        cmocka_unit_test(one_of_many_wins),
        cmocka_unit_test(secrets),
        cmocka_unit_test(plain_lines),
        cmocka_unit_test(zstd_lines),
        cmocka_unit_test(real_tape),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
