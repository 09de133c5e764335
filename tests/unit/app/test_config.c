/* Configuration: order of say, types, ranges, unknown keys, secrets. Promise 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "app/config.h"
#include "base/file.h"

static char path[] = "/tmp/nexus-config-XXXXXX";

static nx_status load_text(const char *yaml, const char *const *sets, size_t n, nx_config **c, nx_err *err)
{
    nx_status st = nx_file_replace(path, nx_str_of(yaml), err);
    return st != NX_OK ? st : nx_config_load(path, sets, n, c, err);
}

static void test_defaults(void **state)
{
    (void)state;
    nx_config *c = NULL;
    assert_int_equal(nx_config_load(NULL, NULL, 0, &c, NULL), NX_OK);
    assert_string_equal(nx_config_str(c, "lake.root"), "lake");
    assert_int_equal(nx_config_i64(c, "lake.flush.max_delay"), 10000);
    assert_string_equal(nx_config_list(c, "alpaca.symbols")[1], "SPY");
    assert_null(nx_config_list(c, "alpaca.symbols")[2]);
    assert_null(nx_config_str(c, "postgres.dsn"));
    nx_config_drop(c);
}

static void test_order_of_say(void **state)
{
    (void)state;
    nx_config *c = NULL;
    const char *sets[] = {"lake.flush.max_rows=3"};
    setenv("NEXUS_LAKE__FLUSH__MAX_ROWS", "2", 1);
    setenv("NEXUS_STATE", "from-env", 1);
    assert_int_equal(load_text("lake:\n  flush: {max_rows: 1, max_delay: 2m}\nstate: from-file\n", sets, 1, &c, NULL),
                     NX_OK);
    assert_int_equal(nx_config_i64(c, "lake.flush.max_rows"), 3);
    assert_int_equal(nx_config_i64(c, "lake.flush.max_delay"), 120000);
    assert_string_equal(nx_config_str(c, "state"), "from-env");
    nx_config_drop(c);
    unsetenv("NEXUS_LAKE__FLUSH__MAX_ROWS");
    unsetenv("NEXUS_STATE");
}

static void expect_bad(const char *yaml, const char *in_text, const char *in_hint)
{
    nx_config *c = NULL;
    nx_err err = {0};
    assert_int_equal(load_text(yaml, NULL, 0, &c, &err), NX_INVALID);
    assert_null(c);
    if (strstr(err.text, in_text) == NULL || strstr(err.hint, in_hint) == NULL)
        fail_msg("got: %s / %s", err.text, err.hint);
}

static void test_bad_input(void **state)
{
    (void)state;
    expect_bad("lake:\n  flush:\n    max_row: 5\n", "line 3: unknown key 'lake.flush.max_row'", "lake.flush.max_rows");
    expect_bad("lakes: {root: x}\n", "unknown key 'lakes'", "");
    expect_bad("lake: {flush: {max_rows: 0}}\n", "from 1 to", "");
    expect_bad("lake: {flush: {max_delay: soon}}\n", "duration", "");
    expect_bad("stream: {listen: localhost}\n", "host:port", "");
    expect_bad("state: null\n", "state must be set", "");
    expect_bad("lake: [1]\n", "section", "");
    expect_bad("- a\n", "mapping", "");
    expect_bad("postgres: {dsn: {a: 1}}\n", "one value", "");
    expect_bad("lake: {root: a\n", "", "");
}

static void test_secret(void **state)
{
    (void)state;
    nx_config *c = NULL;
    char *v = NULL;
    nx_err err = {0};
    setenv("NX_TEST_SECRET", "s3cret-value", 1);
    assert_int_equal(
        load_text("alpaca: {key: '${env:NX_TEST_SECRET}', secret: '${env:NX_TEST_ABSENT}'}\n", NULL, 0, &c, &err),
        NX_OK);
    assert_int_equal(nx_config_secret(c, "alpaca.key", &v, &err), NX_OK);
    assert_string_equal(v, "s3cret-value");
    free(v);
    assert_int_not_equal(nx_config_secret(c, "alpaca.secret", &v, &err), NX_OK);
    assert_non_null(strstr(err.text, "alpaca.secret"));
    assert_int_equal(nx_config_secret(c, "postgres.dsn", &v, &err), NX_OK);
    assert_null(v);
    nx_config_drop(c);
}

static void test_symbol_that_is_a_word(void **state)
{
    (void)state;
    nx_config *c = NULL;
    assert_int_equal(load_text("alpaca: {symbols: [TRUE, AAPL, 'ON']}\n", NULL, 0, &c, NULL), NX_OK);
    assert_string_equal(nx_config_list(c, "alpaca.symbols")[0], "TRUE");
    assert_string_equal(nx_config_list(c, "alpaca.symbols")[2], "ON");
    nx_config_drop(c);
}

/* Takes the "# " before every key away: "  # root: lake   # folder" becomes "  root: lake   # folder". */
static void uncomment(nx_str text, nx_buf *out)
{
    nx_str line;
    while (nx_str_split(&text, '\n', &line)) {
        size_t indent = 0;
        while (indent < line.n && line.p[indent] == ' ')
            indent++;
        nx_str rest = nx_str_sub(line, indent, line.n);
        bool key = nx_str_starts(rest, NX_STR("# ")) && nx_str_find(rest, NX_STR(" # "), 1) != SIZE_MAX;
        assert_int_equal(nx_buf_add(out, nx_str_sub(line, 0, indent)), NX_OK);
        assert_int_equal(nx_buf_add(out, key ? nx_str_sub(rest, 2, rest.n) : rest), NX_OK);
        assert_int_equal(nx_buf_adds(out, "\n"), NX_OK);
    }
}

/* A new nexus.yml says what the defaults are, before and after every key is set. */
static void test_template(void **state)
{
    (void)state;
    nx_config *c = NULL, *dflt = NULL;
    nx_err err = {0};
    NX_BUF_AUTO nx_buf b, open;
    nx_buf_init(&b, 1 << 20);
    nx_buf_init(&open, 1 << 20);
    assert_int_equal(nx_config_template(&b), NX_OK);
    assert_int_equal(nx_config_load(NULL, NULL, 0, &dflt, NULL), NX_OK);
    assert_int_equal(load_text(b.p, NULL, 0, &c, &err), NX_OK);
    nx_config_drop(c);
    uncomment(nx_buf_str(&b), &open);
    if (load_text(open.p, NULL, 0, &c, &err) != NX_OK)
        fail_msg("%s", err.text);
    for (const nx_conf_key *k = nx_conf_keys; k->name != NULL; k++) {
        const char *name = strrchr(k->name, '.') == NULL ? k->name : strrchr(k->name, '.') + 1;
        char line[128];
        snprintf(line, sizeof line, "%s: %s", name, k->dflt == NULL ? "null" : k->dflt);
        assert_non_null(strstr(open.p, line));
        assert_non_null(strstr(open.p, k->help));
        if (k->type == NX_CONF_STR && k->dflt != NULL)
            assert_string_equal(nx_config_str(c, k->name), nx_config_str(dflt, k->name));
        else if (k->type == NX_CONF_INT || k->type == NX_CONF_DURATION)
            assert_int_equal(nx_config_i64(c, k->name), nx_config_i64(dflt, k->name));
    }
    nx_config_drop(c);
    nx_config_drop(dflt);
}

int main(void)
{
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_order_of_say),          cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_secret),   cmocka_unit_test(test_symbol_that_is_a_word), cmocka_unit_test(test_template),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return rc;
}
