/* Checks on tables of a real session: values, outcomes, reports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "data/json.h"
#include "data/time.h"
#include "quality/quality.h"

typedef struct bench {
    nx_engine *e;
    nx_session *s;
} bench;

static const char tables[] = "create table trades(id bigint, venue varchar, price decimal(18,6), size double, ts "
                             "timestamptz, day date, note varchar);"
                             "insert into trades values"
                             " (1, 'N', 10.5, 1, '2024-01-02 10:00:00+00', '2024-01-02', 'a@b.com'),"
                             " (2, 'Q', 11.5, 2, '2024-01-02 11:00:00+00', '2024-01-02', 'none'),"
                             " (3, 'N', null, 3, '2024-01-02 12:00:00+00', '2024-01-02', ''),"
                             " (3, 'Z', -1, 4, '2024-01-02 12:30:00+00', '2024-01-01', 'n/a'),"
                             " (null, null, 12, null, null, null, null);"
                             "create table venues(code varchar, name varchar); insert into venues values ('N', "
                             "'NYSE'), ('Q', 'Nasdaq'), ('N', 'again');"
                             "create table empty(a int, ts timestamp);"
                             "create schema gold; create table gold.facts(\"Key\" int, v double); insert into "
                             "gold.facts values (1, 0.5), (2, 1.5);";

static int set_up(void **state)
{
    static bench b;
    nx_err err;
    if (nx_engine_open(&(nx_engine_opts){.threads = 1}, &b.e, &err) != NX_OK ||
        nx_session_open(b.e, &b.s, &err) != NX_OK || nx_session_exec(b.s, nx_str_of(tables), NULL, &err) != NX_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    bench *b = *state;
    nx_session_close(b->s);
    nx_engine_close(b->e);
    return 0;
}

static void scan(bench *b, const char *text, const nx_scan_opts *opts, nx_scan *ret)
{
    nx_quality *q = nx_quality_new();
    nx_err err;
    if (nx_quality_add(q, "c.yml", nx_str_of(text), &err) != NX_OK ||
        nx_quality_scan(q, b->s, opts, ret, &err) != NX_OK)
        fail_msg("%s\n%s", text, err.text);
    nx_quality_free(q);
}

/* One check of a table: its outcome and value. */
static void check(bench *b, const char *table, const char *body, nx_outcome want, const char *value)
{
    char text[2048];
    nx_scan s;
    nx_wall_ns now;
    assert_true(nx_time_parse_ns(NX_STR("2024-01-02T13:30:00Z"), &now));
    snprintf(text, sizeof text, "checks for %s:\n  - %s\n", table, body);
    scan(b, text, &(nx_scan_opts){.now = now}, &s);
    assert_int_equal(s.n, 1);
    const nx_check_result *r = &s.checks[0];
    if (r->outcome != want || (value == NULL) != (r->value_text == NULL) ||
        (value != NULL && strcmp(value, r->value_text) != 0))
        fail_msg("%s\n  gave: %s %s (%s)\n  want: %s %s", body, nx_outcome_name(r->outcome),
                 r->value_text == NULL ? "-" : r->value_text, r->detail == NULL ? "" : r->detail, nx_outcome_name(want),
                 value == NULL ? "-" : value);
    nx_scan_drop(&s);
}

static void test_counts(void **state)
{
    bench *b = *state;
    check(b, "trades", "row_count > 0", NX_OUTCOME_PASS, "5");
    check(b, "trades", "row_count = 4", NX_OUTCOME_FAIL, "5");
    check(b, "trades", "row_count != 5", NX_OUTCOME_FAIL, "5");
    check(b, "trades", "row_count between 1 and 5", NX_OUTCOME_PASS, "5");
    check(b, "trades", "row_count between 1 and 5)", NX_OUTCOME_FAIL, "5");
    check(b, "trades", "row_count between (5 and 9", NX_OUTCOME_FAIL, "5");
    check(b, "trades", "row_count not between 1 and 4", NX_OUTCOME_PASS, "5");
    check(b, "trades", "row_count > 1:\n      filter: venue = 'N' -- only these", NX_OUTCOME_PASS, "2");
    check(b, "trades", "row_count:\n      warn: when > 4\n      fail: when > 5", NX_OUTCOME_WARN, "5");
    check(b, "trades", "row_count:\n      warn: when > 3\n      fail: when > 4", NX_OUTCOME_FAIL, "5");
    check(b, "trades", "row_count:\n      warn: when < 3", NX_OUTCOME_PASS, "5");
    check(b, "empty", "row_count = 0", NX_OUTCOME_PASS, "0");
    check(b, "gold.facts", "row_count = 2", NX_OUTCOME_PASS, "2");
    check(b, "\"trades\"", "row_count = 5", NX_OUTCOME_PASS, "5");
}

static void test_missing(void **state)
{
    bench *b = *state;
    check(b, "trades", "missing_count(price) = 0", NX_OUTCOME_FAIL, "1");
    check(b, "trades", "missing_percent(price) < 20", NX_OUTCOME_FAIL, "20");
    check(b, "trades", "missing_percent(price) <= 20 %", NX_OUTCOME_PASS, "20");
    check(b, "trades", "missing_count(note) = 4:\n      missing values: ['', none, n/a]", NX_OUTCOME_PASS, "4");
    check(b, "trades", "missing_count(note) = 3:\n      missing regex: '^n'", NX_OUTCOME_PASS, "3");
    check(b, "trades", "missing_percent(venue) < 1:\n      filter: size > 100", NX_OUTCOME_NONE, NULL);
    check(b, "empty", "missing_percent(a) < 1", NX_OUTCOME_NONE, NULL);
    check(b, "empty", "missing_count(a) = 0", NX_OUTCOME_PASS, "0");
    check(b, "gold.facts", "missing_count(Key) = 0", NX_OUTCOME_PASS, "0");
}

static void test_invalid(void **state)
{
    bench *b = *state;
    check(b, "trades", "invalid_count(venue) = 0:\n      valid values: [N, Q]", NX_OUTCOME_FAIL, "1");
    check(b, "trades", "invalid_percent(venue) < 20.1:\n      valid values: [N, Q]", NX_OUTCOME_PASS, "20");
    check(b, "trades", "invalid_count(venue) = 0:\n      invalid values: [Z, X]", NX_OUTCOME_FAIL, "1");
    check(b, "trades", "invalid_count(id) = 0:\n      valid values: [1, 2]", NX_OUTCOME_FAIL, "2");
    check(b, "trades", "invalid_count(price) = 0:\n      valid min: 0\n      valid max: 11.5", NX_OUTCOME_FAIL, "2");
    check(b, "trades", "invalid_count(venue) = 0:\n      valid regex: '^[A-Z]$'", NX_OUTCOME_PASS, "0");
    check(b, "trades", "invalid_count(venue) = 0:\n      invalid regex: Z", NX_OUTCOME_FAIL, "1");
    check(b, "trades", "invalid_count(note) = 0:\n      valid format: email\n      missing values: ['', none, n/a]",
          NX_OUTCOME_PASS, "0");
    check(b, "trades", "invalid_count(note) = 3:\n      valid format: email", NX_OUTCOME_PASS, "3");
    check(b, "trades", "invalid_count(note) = 0:\n      valid min length: 1\n      valid max length: 7",
          NX_OUTCOME_FAIL, "1");
    check(b, "trades", "invalid_count(venue) = 0:\n      valid length: 1", NX_OUTCOME_PASS, "0");
    check(b, "trades", "valid_count(venue) = 3:\n      valid values: [N, Q]", NX_OUTCOME_PASS, "3");
    check(b, "trades", "valid_percent(venue) = 60:\n      valid values: [N, Q]", NX_OUTCOME_PASS, "60");
}

static void test_duplicates(void **state)
{
    bench *b = *state;
    check(b, "trades", "duplicate_count(id) = 0", NX_OUTCOME_FAIL, "1");
    check(b, "trades", "duplicate_count(id, venue) = 0", NX_OUTCOME_PASS, "0");
    check(b, "trades", "duplicate_percent(id) < 25", NX_OUTCOME_PASS, "20");
    check(b, "trades", "duplicate_count(venue) = 1:\n      filter: id < 4", NX_OUTCOME_PASS, "1");
    check(b, "trades", "duplicate_count(note) = 0", NX_OUTCOME_PASS, "0");
    check(b, "empty", "duplicate_count(a) = 0", NX_OUTCOME_PASS, "0");
}

static void test_aggregates(void **state)
{
    bench *b = *state;
    check(b, "trades", "min(price) >= 0", NX_OUTCOME_FAIL, "-1");
    check(b, "trades", "max(price) = 12", NX_OUTCOME_PASS, "12");
    check(b, "trades", "avg(size) = 2.5", NX_OUTCOME_PASS, "2.5");
    check(b, "trades", "sum(size) between 9 and 10", NX_OUTCOME_PASS, "10");
    check(b, "trades", "avg(price) = 8.25", NX_OUTCOME_PASS, "8.25");
    check(b, "trades", "min(price) > 10:\n      valid min: 0", NX_OUTCOME_PASS, "10.5");
    check(b, "trades", "stddev_pop(size) < 1.2", NX_OUTCOME_PASS, "1.118033988749895");
    check(b, "trades", "var_samp(size) < 1", NX_OUTCOME_FAIL, "1.6666666666666667");
    check(b, "trades", "max_length(note) = 7", NX_OUTCOME_PASS, "7");
    check(b, "empty", "avg(a) > 0", NX_OUTCOME_NONE, NULL);
    check(b, "empty", "sum(a) > 0", NX_OUTCOME_NONE, NULL);
}

/* now is 2024-01-02 13:30, the newest row is an hour older. */
static void test_freshness(void **state)
{
    bench *b = *state;
    check(b, "trades", "freshness(ts) < 1h", NX_OUTCOME_FAIL, "1h0m0s");
    check(b, "trades", "freshness(ts) < 1h1s", NX_OUTCOME_PASS, "1h0m0s");
    check(b, "trades", "freshness(ts, NOW) <= 60m", NX_OUTCOME_PASS, "1h0m0s");
    check(b, "trades", "freshness(ts):\n      warn: when > 30m\n      fail: when > 2h", NX_OUTCOME_WARN, "1h0m0s");
    check(b, "trades", "freshness(ts) < 2h:\n      filter: venue = 'Q'", NX_OUTCOME_FAIL, "2h30m0s");
    check(b, "trades", "freshness(day) < 1h:\n      filter: id < 3", NX_OUTCOME_PASS, "-10h29m59s");
    check(b, "trades", "freshness(day) < 1d:\n      filter: day < DATE '2024-01-02'", NX_OUTCOME_PASS, "13h30m0s");
    check(b, "empty", "freshness(ts) < 1d", NX_OUTCOME_FAIL, NULL);
    check(b, "trades", "freshness(venue) < 1d", NX_OUTCOME_ERROR, NULL);
}

static void test_schema(void **state)
{
    bench *b = *state;
    check(b, "trades", "schema:\n      fail:\n        when required column missing: [id, PRICE]", NX_OUTCOME_PASS,
          NULL);
    check(b, "trades", "schema:\n      fail:\n        when required column missing: [id, nope, other]", NX_OUTCOME_FAIL,
          "column nope is missing; column other is missing");
    check(b, "trades", "schema:\n      warn:\n        when forbidden column present: [pri%, x*]", NX_OUTCOME_WARN,
          "column price is forbidden");
    check(b, "trades", "schema:\n      fail:\n        when forbidden column present: [ice, '%q%']", NX_OUTCOME_PASS,
          NULL);
    check(b, "trades",
          "schema:\n      fail:\n        when wrong column type: {id: bigint, venue: string, price: 'decimal(18,6)', "
          "size: double, ts: timestamp, day: date}",
          NX_OUTCOME_PASS, NULL);
    check(b, "trades", "schema:\n      fail:\n        when wrong column type: {id: int, price: numeric}",
          NX_OUTCOME_FAIL, "column id is bigint, not int");
    check(b, "trades", "schema:\n      fail:\n        when wrong column index: {id: 0, venue: 2}", NX_OUTCOME_FAIL,
          "column venue is at 1, not 2");
    check(b, "trades",
          "schema:\n      fail:\n        when required column missing: [id]\n      warn:\n        when required column "
          "missing: [zz]",
          NX_OUTCOME_WARN, "column zz is missing");
    check(b, "nowhere", "schema:\n      fail:\n        when required column missing: [id]", NX_OUTCOME_ERROR, NULL);
}

static void test_rows_and_references(void **state)
{
    bench *b = *state;
    check(b, "trades", "failed rows:\n      fail condition: price < 0", NX_OUTCOME_FAIL, "1");
    check(b, "trades",
          "failed rows:\n      name: none\n      fail condition: price > 1000 or size is null and id is not null",
          NX_OUTCOME_PASS, "0");
    check(b, "trades",
          "failed rows:\n      fail query: |\n        select venue from trades group by venue having count(*) > 1;\n",
          NX_OUTCOME_FAIL, "1");
    check(b, "trades",
          "failed rows:\n      fail query: select * from trades -- all\n      warn: when > 4\n      fail: when > 5",
          NX_OUTCOME_WARN, "5");
    check(b, "trades", "values in (venue) must exist in venues (code)", NX_OUTCOME_FAIL, "1");
    check(b, "trades", "values in (venue) must exist in venues (code):\n      filter: id < 3", NX_OUTCOME_PASS, "0");
    check(b, "trades", "values in (venue) must not exist in venues (code)", NX_OUTCOME_FAIL, "3");
    check(b, "trades", "values in (venue, id) must exist in trades (venue, id)", NX_OUTCOME_PASS, "0");
    check(b, "trades", "row_count same as trades", NX_OUTCOME_PASS, "0");
    check(b, "trades", "row_count same as venues", NX_OUTCOME_FAIL, "2");
    check(b, "venues", "row_count same as trades", NX_OUTCOME_FAIL, "-2");
}

static void test_partitions(void **state)
{
    bench *b = *state;
    nx_scan s;
    scan(b,
         "filter trades [second]:\n  where: day = DATE '2024-01-02' -- that day\nchecks for trades [second]:\n  - "
         "row_count = 3\n  - missing_count(price) = 1\n"
         "  - duplicate_count(id) = 0\nchecks for trades:\n  - row_count = 5\n  - max(size) = 4\n",
         NULL, &s);
    assert_int_equal(s.pass, 5);
    assert_int_equal(s.n_queries, 3); /* both sets of rows once, duplicates by themselves */
    nx_scan_drop(&s);
}

/* One bad column must not spoil its neighbours. */
static void test_errors_stay_with_their_check(void **state)
{
    bench *b = *state;
    nx_scan s;
    scan(b,
         "checks for trades:\n  - row_count > 0\n  - missing_count(nope) = 0\n  - max(size) = 4\nchecks for nowhere:\n "
         " - row_count > 0\n  - row_count > 1\n",
         NULL, &s);
    assert_int_equal(s.pass, 2);
    assert_int_equal(s.error, 3);
    assert_int_equal(s.checks[1].outcome, NX_OUTCOME_ERROR);
    assert_non_null(strstr(s.checks[1].detail, "nope"));
    assert_non_null(strstr(s.checks[3].detail, "nowhere"));
    assert_int_equal(nx_scan_exit_soda(&s), 3);
    nx_scan_drop(&s);
}

static void count_progress(void *ctx, size_t done, size_t n, const char *table)
{
    (void)table;
    assert_true(done <= n);
    ++*(int *)ctx;
}

static void test_selection_and_stop(void **state)
{
    bench *b = *state;
    nx_scan s;
    const char *only[] = {"venues"};
    int calls = 0;
    const char *text = "checks for trades:\n  - row_count > 9\nchecks for venues:\n  - row_count = 3\n";
    scan(b, text, &(nx_scan_opts){.tables = only, .n_tables = 1, .progress = count_progress, .progress_ctx = &calls},
         &s);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.pass, 1);
    assert_int_equal(calls, 1);
    nx_scan_drop(&s);
    volatile bool stop = true;
    nx_err err;
    nx_quality *q = nx_quality_new();
    assert_int_equal(nx_quality_add(q, "c.yml", nx_str_of(text), &err), NX_OK);
    assert_int_equal(nx_quality_scan(q, b->s, &(nx_scan_opts){.stop = &stop}, &s, &err), NX_CANCELLED);
    nx_quality_free(q);
}

static const char reported[] = "checks for trades:\n  - row_count > 0\n  - missing_count(price) = 0\n  - row_count:\n  "
                               "    name: Not too many\n      warn: when > 4\n"
                               "checks for empty:\n  - avg(a) > 0\n  - values in (a) must exist in venues (nope)\n";

static void test_console(void **state)
{
    bench *b = *state;
    nx_scan s;
    nx_buf out NX_BUF_AUTO;
    nx_buf_init(&out, 0);
    scan(b, "checks for trades:\n  - row_count > 0\n  - missing_count(price) = 0\n", NULL, &s);
    assert_int_equal(nx_scan_print(&s, "lake", &out), NX_OK);
    assert_string_equal(out.p, "Scan summary:\n"
                               "1/2 check PASSED:\n"
                               "    trades in lake\n"
                               "      row_count > 0 [PASSED]\n"
                               "1/2 check FAILED:\n"
                               "    trades in lake\n"
                               "      missing_count(price) = 0 [FAILED]\n"
                               "        check_value: 1\n"
                               "Oops! 1 failures. 0 warnings. 0 errors. 1 pass.\n");
    assert_int_equal(nx_scan_exit_soda(&s), 2);
    nx_scan_drop(&s);
    nx_buf_clear(&out);
    scan(b, "checks for trades:\n  - row_count > 0\n", NULL, &s);
    assert_int_equal(nx_scan_print(&s, "lake", &out), NX_OK);
    assert_non_null(strstr(out.p, "1/1 check PASSED:"));
    assert_non_null(strstr(out.p, "\nAll is good. No failures. No warnings. No errors.\n"));
    assert_int_equal(nx_scan_exit_soda(&s), 0);
    nx_scan_drop(&s);
    nx_buf_clear(&out);
    scan(b,
         "checks for trades:\n  - row_count:\n      name: Not too many\n      warn: when > 4\n  - avg(size) > 0:\n     "
         " filter: id > 99\n",
         NULL, &s);
    assert_int_equal(nx_scan_print(&s, "lake", &out), NX_OK);
    assert_non_null(strstr(out.p, "      Not too many [WARNED]\n        check_value: 5\n"));
    assert_non_null(strstr(out.p, "1/2 check NOT EVALUATED:\n"));
    assert_non_null(strstr(out.p, "\n1 check not evaluated.\nOnly 1 warning. 0 failure. 0 errors. 0 pass.\n"));
    assert_int_equal(nx_scan_exit_soda(&s), 1);
    nx_scan_drop(&s);
}

static void test_json(void **state)
{
    bench *b = *state;
    nx_scan s;
    nx_buf out NX_BUF_AUTO;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_buf_init(&out, 0);
    scan(b, reported, NULL, &s);
    assert_int_equal(nx_scan_json(&s, "lake", &out), NX_OK);
    nx_val *v;
    nx_err err;
    if (nx_json_parse(nx_buf_str(&out), NULL, &a, &v, &err) != NX_OK)
        fail_msg("%s\n%s", err.text, out.p);
    assert_true(nx_val_bool(nx_val_get(v, "hasFailures"), false));
    assert_true(nx_val_bool(nx_val_get(v, "hasErrors"), false));
    assert_int_equal(nx_val_i64(nx_val_path(v, "summary.passed"), -1), 1);
    assert_int_equal(nx_val_i64(nx_val_path(v, "summary.notEvaluated"), -1), 1);
    const nx_val *checks = nx_val_get(v, "checks");
    assert_int_equal(checks->n, 5);
    const nx_val *failed = &checks->items[1];
    assert_true(nx_str_is(nx_val_str(nx_val_get(failed, "outcome"), NX_STR("")), "fail"));
    assert_true(nx_str_is(nx_val_str(nx_val_get(failed, "column"), NX_STR("")), "price"));
    assert_int_equal(nx_val_i64(nx_val_path(failed, "diagnostics.value"), -1), 1);
    assert_int_equal(nx_val_i64(nx_val_path(failed, "diagnostics.fail.notEqual"), -1), 0);
    assert_int_equal(nx_val_i64(nx_val_path(failed, "location.line"), -1), 3);
    assert_int_equal(nx_val_i64(nx_val_path(&checks->items[2], "diagnostics.warn.greaterThan"), -1), 4);
    assert_int_equal(nx_val_get(&checks->items[3], "outcome")->kind, NX_VAL_NULL);
    assert_int_equal(nx_val_get(&checks->items[4], "outcome")->kind, NX_VAL_NULL);
    nx_scan_drop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_aggregates),
        cmocka_unit_test(test_freshness),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_rows_and_references),
        cmocka_unit_test(test_partitions),
        cmocka_unit_test(test_errors_stay_with_their_check),
        cmocka_unit_test(test_selection_and_stop),
        cmocka_unit_test(test_console),
        cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
