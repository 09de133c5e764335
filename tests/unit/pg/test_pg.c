/* Connections, statements, errors and COPY against a real server. Promises 9 and 10. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/fault.h"
#include "data/decimal.h"
#include "pg_cluster.h"

static pg_cluster cluster;

static nx_pg *open_pg(void)
{
    if (cluster.server == 0)
        skip();
    nx_pg *pg = NULL;
    nx_err err = {0};
    if (nx_pg_connect(cluster.dsn, &pg, &err) != NX_OK)
        fail_msg("%s", err.text);
    return pg;
}

static void exec(nx_pg *pg, const char *sql)
{
    nx_err err = {0};
    if (nx_pg_exec(pg, sql, NULL, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
}

/* The first value as text; "(null)" for null. */
static void expect(nx_pg *pg, const char *sql, const char *want)
{
    nx_err err = {0};
    nx_pg_result *r = NULL;
    if (nx_pg_query(pg, sql, NULL, 0, &r, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
    assert_true(nx_pg_rows(r) > 0);
    const char *got = nx_pg_value(r, 0, 0);
    if (strcmp(got == NULL ? "(null)" : got, want) != 0)
        fail_msg("%s: got %s, expected %s", sql, got, want);
    nx_pg_result_drop(r);
}

static void connecting_fails_clearly(void **state)
{
    (void)state;
    nx_pg *pg = NULL;
    nx_err err = {0};
    assert_int_equal(nx_pg_connect("host=/nonexistent dbname=x user=y password=hunter22", &pg, &err), NX_REMOTE);
    assert_null(pg);
    assert_true(err.retriable);
    assert_null(strstr(err.text, "hunter22"));
    assert_non_null(strstr(err.text, "/nonexistent"));
    assert_string_not_equal(err.hint, "");
    assert_int_equal(nx_pg_connect("host=x password='hunter22", &pg, &err), NX_INVALID);
    assert_null(strstr(err.text, "hunter22"));
    assert_int_equal(nx_pg_connect("postgresql://u:hunter22@[broken/x", &pg, &err), NX_INVALID);
    assert_null(strstr(err.text, "hunter22"));
    nx_pg_close(NULL);
}

static void statements_and_parameters(void **state)
{
    (void)state;
    nx_pg *pg = open_pg();
    nx_err err = {0};
    assert_true(nx_pg_server_version(pg) >= 150000);
    expect(pg, "SHOW timezone", "UTC");
    exec(
        pg,
        "CREATE TEMP TABLE t (i int PRIMARY KEY, s text); INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 10) i");
    int64_t n = -1;
    assert_int_equal(nx_pg_exec(pg, "DELETE FROM t WHERE i > 7", &n, &err), NX_OK);
    assert_int_equal(n, 3);
    const char *params[] = {"3", NULL};
    nx_pg_result *r = NULL;
    assert_int_equal(nx_pg_query(pg, "SELECT s, $2::text FROM t WHERE i = $1::int", params, 2, &r, &err), NX_OK);
    assert_int_equal(nx_pg_rows(r), 1);
    assert_int_equal(nx_pg_cols(r), 2);
    assert_string_equal(nx_pg_value(r, 0, 0), "v3");
    assert_null(nx_pg_value(r, 0, 1));
    nx_pg_result_drop(r);
    assert_int_equal(nx_pg_execf(pg, NULL, &err, "INSERT INTO t VALUES (%d, 'x')", 3), NX_CHECK_FAILED);
    assert_non_null(strstr(err.text, "23505"));
    assert_non_null(strstr(err.text, "(i)=(3)"));
    assert_int_equal(nx_pg_exec(pg, "SELEC 1", NULL, &err), NX_INVALID);
    assert_int_equal(nx_pg_exec(pg, "SELECT * FROM no_such", NULL, &err), NX_NOT_FOUND);
    nx_pg_close(pg);
}

static void a_lost_connection_is_retriable(void **state)
{
    (void)state;
    nx_pg *pg = open_pg(), *other = open_pg();
    nx_err err = {0};
    exec(
        other,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'nexus'");
    assert_int_equal(nx_pg_exec(pg, "SELECT 1", NULL, &err), NX_REMOTE);
    assert_true(err.retriable);
    nx_pg_close(pg);
    nx_pg_close(other);
}

static void quoting(void **state)
{
    (void)state;
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_pg_ident(&b, NX_STR("a\"b")), NX_OK);
    assert_int_equal(nx_pg_literal(&b, NX_STR("it's \\ fine")), NX_OK);
    assert_string_equal(b.p, "\"a\"\"b\"'it''s \\ fine'");
    assert_int_equal(nx_pg_literal(&b, (nx_str){"a\0b", 3}), NX_INVALID);
    nx_buf_drop(&b);
}

/* ------------------------------------------------------------------ COPY */

static const nx_field level_fields[] = {
    {"price", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
    {"at", {.kind = NX_TIMESTAMP}, true, NULL},
    {"day", {.kind = NX_DATE}, true, NULL},
    {"ok", {.kind = NX_BOOL}, true, NULL},
    {"x", {.kind = NX_DOUBLE}, true, NULL},
    {"raw", {.kind = NX_BINARY}, true, NULL},
};
static const nx_field level = {
    "element", {.kind = NX_STRUCT, .fields = level_fields, .n_fields = NX_COUNT_OF(level_fields)}, true, NULL};
static const nx_field text_element = {"element", {.kind = NX_STRING}, true, NULL};
static const nx_field decimal_element = {"element", {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, true, NULL};
static const nx_field all_fields[] = {
    {"id", {.kind = NX_INT64}, false, NULL},
    {"flag", {.kind = NX_BOOL}, true, NULL},
    {"small", {.kind = NX_INT32}, true, NULL},
    {"ratio", {.kind = NX_DOUBLE}, true, NULL},
    {"price", {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, true, NULL},
    {"amount", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
    {"text", {.kind = NX_STRING}, true, NULL},
    {"raw", {.kind = NX_BINARY}, true, NULL},
    {"day", {.kind = NX_DATE}, true, NULL},
    {"at", {.kind = NX_TIMESTAMP}, true, NULL},
    {"tags", {.kind = NX_LIST, .fields = &text_element, .n_fields = 1}, true, NULL},
    {"prices", {.kind = NX_LIST, .fields = &decimal_element, .n_fields = 1}, true, NULL},
    {"bids", {.kind = NX_LIST, .fields = &level, .n_fields = 1}, true, NULL},
    {"top", {.kind = NX_STRUCT, .fields = level_fields, .n_fields = NX_COUNT_OF(level_fields)}, true, NULL},
};
static const nx_schema all = {all_fields, NX_COUNT_OF(all_fields)};

static void ok(nx_status st)
{
    assert_int_equal(st, NX_OK);
}

static void create(nx_pg *pg, const char *name, const nx_schema *s)
{
    nx_buf b;
    nx_buf_init(&b, 0);
    ok(nx_buf_addf(&b, "CREATE TEMP TABLE %s (", name));
    for (size_t i = 0; i < s->n_fields; i++) {
        ok(nx_buf_addf(&b, "%s\"%s\" ", i == 0 ? "" : ", ", s->fields[i].name));
        ok(nx_type_to_pg(&s->fields[i].type, &b));
    }
    ok(nx_buf_addc(&b, ')'));
    exec(pg, b.p);
    nx_buf_drop(&b);
}

static void put_level(nx_batch *b, nx_col *c)
{
    ok(nx_col_i128(b, &c->child[0], -(__int128)1500000000000000000));
    ok(nx_col_i64(b, &c->child[1], 1704164645123456));
    ok(nx_col_i32(b, &c->child[2], 19724));
    ok(nx_col_bool(b, &c->child[3], true));
    ok(nx_col_f64(b, &c->child[4], 0.1));
    ok(nx_col_str(b, &c->child[5], (nx_str){"\0\xff", 2}));
    ok(nx_col_struct_end(b, c));
}

static void put_row(nx_batch *b, int64_t id)
{
    nx_col *c = b->cols;
    ok(nx_col_i64(b, &c[0], id));
    ok(nx_col_bool(b, &c[1], true));
    ok(nx_col_i32(b, &c[2], INT32_MIN));
    ok(nx_col_f64(b, &c[3], -0.1));
    ok(nx_col_i64(b, &c[4], -999999999999999999));
    ok(nx_col_i128(b, &c[5], (__int128)12345678901234567890U * 1000000000000000000 + 1));
    ok(nx_col_str(b, &c[6], NX_STR("größe \"q\"\t\\n")));
    ok(nx_col_str(b, &c[7], (nx_str){"\0\xff\\", 3}));
    ok(nx_col_i32(b, &c[8], 19724));
    ok(nx_col_i64(b, &c[9], 1704164645123456));
    ok(nx_col_str(b, &c[10].child[0], NX_STR("@")));
    ok(nx_col_null(b, &c[10].child[0]));
    ok(nx_col_str(b, &c[10].child[0], NX_STR("a,b")));
    ok(nx_col_list_end(b, &c[10]));
    ok(nx_col_i64(b, &c[11].child[0], 1500000));
    ok(nx_col_list_end(b, &c[11]));
    put_level(b, &c[12].child[0]);
    ok(nx_col_null(b, &c[12].child[0]));
    ok(nx_col_list_end(b, &c[12]));
    put_level(b, &c[13]);
    nx_batch_end_row(b);
}

static void every_kind_arrives(void **state)
{
    (void)state;
    nx_pg *pg = open_pg();
    nx_err err = {0};
    create(pg, "every", &all);
    nx_batch b;
    ok(nx_batch_init(&b, &all, 0, 0));
    put_row(&b, 1);
    for (size_t i = 0; i < all.n_fields; i++)
        ok(nx_col_null(&b, &b.cols[i]));
    nx_batch_end_row(&b);
    nx_pg_copy *cp = NULL;
    ok(nx_pg_copy_begin(pg, "every", &all, &cp, &err));
    ok(nx_pg_copy_batch(cp, &b, &err));
    int64_t n = 0;
    if (nx_pg_copy_end(cp, &n, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, 2);
    nx_batch_drop(&b);
    static const char *const level_json =
        "{\"x\": 0.1, \"at\": \"2024-01-02T03:04:05.123456Z\", \"ok\": true, \"day\": \"2024-01-02\", \"raw\": \"AP8=\", \"price\": -1.500000000000000000}";
    const char *want[][2] = {
        {"id", "1"},
        {"flag", "t"},
        {"small", "-2147483648"},
        {"ratio", "-0.1"},
        {"price", "-999999999999.999999"},
        {"amount", "12345678901234567890.000000000000000001"},
        {"text", "größe \"q\"\t\\n"},
        {"raw", "\\x00ff5c"},
        {"day", "2024-01-02"},
        {"\"at\"", "2024-01-02 03:04:05.123456+00"},
        {"tags", "{@,NULL,\"a,b\"}"},
        {"prices", "{1.500000}"},
        {"bids->0", level_json},
        {"bids->1", "null"},
        {"top", level_json},
    };
    for (size_t i = 0; i < NX_COUNT_OF(want); i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT %s FROM every WHERE id = 1", want[i][0]);
        expect(pg, sql, want[i][1]);
    }
    expect(
        pg,
        "SELECT num_nonnulls(id, flag, small, ratio, price, amount, text, raw, day, \"at\", tags, prices, bids, top) FROM every WHERE id IS NULL",
        "0");
    nx_pg_close(pg);
}

/* Numbers at the edges of their groups of four digits, compared by the server with its own reading of the text. */
static void numerics_are_exact(void **state)
{
    (void)state;
    nx_pg *pg = open_pg();
    nx_err err = {0};
    for (int scale = 0; scale <= 38; scale++) {
        nx_field fields[] = {{"n", {.kind = NX_DECIMAL, .precision = 38, .scale = scale}, true, NULL},
                             {"t", {.kind = NX_STRING}, true, NULL}};
        nx_schema s = {fields, 2};
        exec(pg, "DROP TABLE IF EXISTS num");
        create(pg, "num", &s);
        nx_batch b;
        ok(nx_batch_init(&b, &s, 0, 0));
        __int128 v = 1;
        for (int digits = 0; digits < 38; digits++) {
            const __int128 values[] = {v, v - 1, -v, 9 * v, v + v / 10000, v * 3};
            for (size_t i = 0; i < NX_COUNT_OF(values); i++) {
                char text[48];
                size_t len = nx_dec_format(values[i], scale, text);
                ok(nx_col_i128(&b, &b.cols[0], values[i]));
                ok(nx_col_str(&b, &b.cols[1], (nx_str){text, len}));
                nx_batch_end_row(&b);
            }
            v *= digits < 37 ? 10 : 1;
        }
        nx_pg_copy *cp = NULL;
        ok(nx_pg_copy_begin(pg, "num", &s, &cp, &err));
        ok(nx_pg_copy_batch(cp, &b, &err));
        if (nx_pg_copy_end(cp, NULL, &err) != NX_OK)
            fail_msg("scale %d: %s", scale, err.text);
        nx_batch_drop(&b);
        expect(pg, "SELECT count(*) FROM num WHERE n <> t::numeric OR n::text <> t", "0");
        expect(pg, "SELECT count(*) FROM num", "228");
    }
    nx_pg_close(pg);
}

static void extreme_clocks(void **state)
{
    (void)state;
    nx_pg *pg = open_pg();
    nx_err err = {0};
    const nx_field fields[] = {{"d", {.kind = NX_DATE}, true, NULL}, {"t", {.kind = NX_TIMESTAMP}, true, NULL}};
    nx_schema s = {fields, 2};
    create(pg, "clocks", &s);
    nx_batch b;
    ok(nx_batch_init(&b, &s, 0, 0));
    const int32_t days[] = {0, -25567, 2932896, INT32_MAX, -INT32_MAX};
    const int64_t instants[] = {-1, -2208988800000000, 253402214400000000, INT64_MAX, -INT64_MAX};
    for (size_t i = 0; i < 5; i++) {
        ok(nx_col_i32(&b, &b.cols[0], days[i]));
        ok(nx_col_i64(&b, &b.cols[1], instants[i]));
        nx_batch_end_row(&b);
    }
    nx_pg_copy *cp = NULL;
    ok(nx_pg_copy_begin(pg, "clocks", &s, &cp, &err));
    ok(nx_pg_copy_batch(cp, &b, &err));
    ok(nx_pg_copy_end(cp, NULL, &err));
    nx_batch_drop(&b);
    expect(pg, "SELECT string_agg(d::text, ' ' ORDER BY d) FROM clocks",
           "-infinity 1900-01-01 1970-01-01 9999-12-31 infinity");
    expect(pg, "SELECT string_agg(t::text, ' | ' ORDER BY t) FROM clocks",
           "-infinity | 1900-01-01 00:00:00+00 | 1969-12-31 23:59:59.999999+00 | 9999-12-31 00:00:00+00 | infinity");
    nx_pg_close(pg);
}

static const nx_field text_fields[] = {{"i", {.kind = NX_INT64}, false, NULL}, {"s", {.kind = NX_STRING}, true, NULL}};
static const nx_schema texts = {text_fields, 2};

static void many_rows_and_refusals(void **state)
{
    (void)state;
    nx_pg *pg = open_pg();
    nx_err err = {0};
    exec(pg, "CREATE TEMP TABLE t (i bigint PRIMARY KEY, s text)");
    nx_batch b;
    ok(nx_batch_init(&b, &texts, 0, 0));
    for (int64_t i = 0; i < 50000; i++) {
        ok(nx_col_i64(&b, &b.cols[0], i));
        ok(nx_col_str(&b, &b.cols[1], NX_STR("some text of fair length")));
        nx_batch_end_row(&b);
    }
    nx_pg_copy *cp = NULL;
    ok(nx_pg_copy_begin(pg, "t", &texts, &cp, &err));
    ok(nx_pg_copy_batch(cp, &b, &err));
    int64_t n = 0;
    ok(nx_pg_copy_end(cp, &n, &err));
    assert_int_equal(n, 50000);
    /* the server's refusal */
    ok(nx_pg_copy_begin(pg, "t", &texts, &cp, &err));
    nx_status st = nx_pg_copy_batch(cp, &b, &err);
    if (st == NX_OK)
        st = nx_pg_copy_end(cp, NULL, &err);
    else
        nx_pg_copy_cancel(cp);
    assert_int_equal(st, NX_CHECK_FAILED);
    /* ours */
    nx_batch_clear(&b);
    ok(nx_col_i64(&b, &b.cols[0], 90000));
    ok(nx_col_str(&b, &b.cols[1], (nx_str){"a\0b", 3}));
    nx_batch_end_row(&b);
    ok(nx_pg_copy_begin(pg, "t", &texts, &cp, &err));
    assert_int_equal(nx_pg_copy_batch(cp, &b, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "column s"));
    assert_int_equal(nx_pg_copy_end(cp, NULL, &err), NX_INVALID); /* a failed COPY cannot end well */
    ok(nx_pg_copy_begin(pg, "t", &texts, &cp, &err));
    nx_pg_copy_cancel(cp);
    assert_true(nx_fault_arm("PG_COPY"));
    nx_batch_clear(&b);
    ok(nx_pg_copy_begin(pg, "t", &texts, &cp, &err));
    assert_int_equal(nx_pg_copy_batch(cp, &b, &err), NX_REMOTE);
    nx_pg_copy_cancel(cp);
    assert_true(nx_fault_arm(NULL));
    expect(pg, "SELECT count(*) FROM t", "50000"); /* and the connection still works */
    assert_int_equal(nx_pg_copy_begin(pg, "no_such", &texts, &cp, &err), NX_NOT_FOUND);
    assert_null(cp);
    nx_batch_drop(&b);
    nx_pg_close(pg);
}

static int start(void **state)
{
    (void)state;
    pg_cluster_start(&cluster);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    pg_cluster_stop(&cluster);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connecting_fails_clearly),
        cmocka_unit_test(statements_and_parameters),
        cmocka_unit_test(a_lost_connection_is_retriable),
        cmocka_unit_test(quoting),
        cmocka_unit_test(every_kind_arrives),
        cmocka_unit_test(numerics_are_exact),
        cmocka_unit_test(extreme_clocks),
        cmocka_unit_test(many_rows_and_refusals),
    };
    return cmocka_run_group_tests_name("pg", tests, start, stop);
}
