/* Selection, order, ephemeral models, compiled text. */
#include "dbt_kit.h"

#include "transform/dbt_int.h"

static void expect_ls(kit *k, const char *select, const char *exclude, const char *want)
{
    const char *in[] = {select, NULL}, *out[] = {exclude, NULL};
    k->o.select = select == NULL ? NULL : in;
    k->o.exclude = exclude == NULL ? NULL : out;
    k->o.output = "name";
    kit_ok(k, "ls");
    if (strcmp(k->data.p == NULL ? "" : k->data.p, want) != 0)
        fail_msg("--select %s --exclude %s gave:\n%s\nexpected:\n%s", select == NULL ? "" : select,
                 exclude == NULL ? "" : exclude, k->data.p == NULL ? "" : k->data.p, want);
}

static void selection(void **state)
{
    (void)state;
    static const char *const MODELS[] = {"model", "seed", "snapshot", "source", "exposure", NULL}, *const TESTS[] = {
                                                                                                       "test", NULL};
    kit k;
    kit_open(&k, MARKET);
    k.o.resource_types = MODELS;
    expect_ls(&k, "stg_trades", NULL, "stg_trades\n");
    expect_ls(&k, "stg_trades+", NULL, "desk_report\ndaily\nfct_trades\nint_latest\nstg_trades\n");
    expect_ls(&k, "stg_trades+1", NULL, "int_latest\nstg_trades\n");
    expect_ls(&k, "+int_latest", NULL, "int_latest\nstg_trades\ntrades\n");
    expect_ls(&k, "1+fct_trades", NULL, "fct_trades\nint_latest\n");
    expect_ls(&k, "@fct_trades", NULL, "desk_report\ndaily\nfct_trades\nint_latest\nstg_trades\nsymbols\ntrades\n");
    expect_ls(&k, "tag:staging", NULL, "int_latest\nstg_trades\n");
    expect_ls(&k, "tag:daily,config.materialized:table", NULL, "daily\n");
    expect_ls(&k, "tag:staging daily", NULL, "daily\nint_latest\nstg_trades\n");
    expect_ls(&k, "path:models/gold", NULL, "desk_report\ndaily\nfct_trades\n");
    expect_ls(&k, "models/staging/stg_trades.sql", NULL, "stg_trades\n");
    expect_ls(&k, "source:bronze+", "fct_trades+", "int_latest\nstg_trades\ntrades\n");
    expect_ls(&k, "source:bronze.tr*", NULL, "trades\n");
    expect_ls(&k, "market.gold", NULL, "daily\nfct_trades\n");
    expect_ls(&k, "gold.*", NULL, "daily\nfct_trades\n");
    expect_ls(&k, "resource_type:seed", NULL, "symbols\n");
    expect_ls(&k, "+exposure:desk_report", "symbols",
              "desk_report\ndaily\nfct_trades\nint_latest\nstg_trades\ntrades\n");
    expect_ls(&k, "config.unique_key:trade_id", NULL, "fct_trades\n");
    k.o.resource_types = TESTS;
    expect_ls(&k, "daily", NULL, "accepted_values_daily_symbol__AAPL__SPY\nunique_daily_symbol\n");
    expect_ls(&k, "test_type:singular", NULL, "no_future_trades\n");
    expect_ls(&k, "test_name:not_null", NULL, "not_null_fct_trades_symbol\nsource_not_null_bronze_trades_symbol\n");
    expect_ls(&k, "config.severity:warn", NULL, "accepted_values_daily_symbol__AAPL__SPY\nno_future_trades\n");
    expect_ls(&k, NULL, "test_type:generic", "no_future_trades\n");
    kit_close(&k);
}

static void selection_refused(void **state)
{
    (void)state;
    kit k;
    kit_open(&k, MARKET);
    const char *bad[] = {"state:modified", "@a+", "config:x", "+"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        const char *in[] = {bad[i], NULL};
        k.o.select = in;
        nx_status st = kit_run(&k, "ls");
        if (st != NX_INVALID && st != NX_UNSUPPORTED)
            fail_msg("'%s' was taken", bad[i]);
    }
    const char *none[] = {"no_such_model", NULL};
    k.o.select = none;
    kit_ok(&k, "ls");
    kit_expect(&k, "The selection criterion 'no_such_model' does not match any enabled nodes");
    kit_close(&k);
}

static void ls_outputs(void **state)
{
    (void)state;
    kit k;
    kit_open(&k, MARKET);
    const char *in[] = {"source:bronze fct_trades", NULL}, *exclude[] = {"resource_type:test", NULL};
    k.o.select = in;
    k.o.exclude = exclude;
    kit_ok(&k, "ls");
    assert_string_equal(k.data.p, "market.gold.fct_trades\nsource:market.bronze.trades\n");
    k.o.output = "path";
    kit_ok(&k, "ls");
    assert_string_equal(k.data.p, "models/gold/fct_trades.sql\nmodels/staging/sources.yml\n");
    k.o.output = "json";
    kit_ok(&k, "ls");
    assert_non_null(strstr(k.data.p, "{\"name\":\"fct_trades\",\"resource_type\":\"model\""));
    kit_close(&k);
}

static void cte_injection(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *want;
    } V[] = {
        {"select 1", "with a as (\nA\n), b as (\nB\n)\nselect 1"},
        {"-- c\n with x as (select 1) select 2", "-- c\n with a as (\nA\n), b as (\nB\n), x as (select 1) select 2"},
        {"/* with */ WITH RECURSIVE x as (select 1) select 2",
         "/* with */ WITH RECURSIVE a as (\nA\n), b as (\nB\n), x as (select 1) select 2"},
        {"withdrawn", "with a as (\nA\n), b as (\nB\n)\nwithdrawn"},
    };
    nx_str names[] = {NX_STR("a"), NX_STR("b")}, bodies[] = {NX_STR("A"), NX_STR("B")};
    for (size_t i = 0; i < NX_COUNT_OF(V); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_err err;
        nx_buf_init(&b, 0);
        assert_int_equal(nx__dbt_inject_ctes(nx_str_of(V[i].sql), names, bodies, 2, &b, &err), NX_OK);
        assert_string_equal(b.p, V[i].want);
    }
}

/* An ephemeral model that reads another one: each once, what is read first. */
static void nested_ephemeral(void **state)
{
    (void)state;
    kit k;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    kit_bare(&k);
    kit_file(&k, "models/e1.sql", "{{ config(materialized='ephemeral') }}select 1 as x");
    kit_file(&k, "models/e2.sql", "{{ config(materialized='ephemeral') }}select x + 1 as x from {{ ref('e1') }}");
    kit_file(&k, "models/m.sql",
             "{{ config(materialized='table') }}select a.x, b.x as y from {{ ref('e1') }} a, {{ ref('e2') }} b");
    kit_ok(&k, "compile");
    kit_read(&k, "target/compiled/bare/models/m.sql", &b);
    assert_string_equal(
        b.p,
        "with __dbt__cte__e1 as (\nselect 1 as x\n), __dbt__cte__e2 as (\nselect x + 1 as x from __dbt__cte__e1\n)\n"
        "select a.x, b.x as y from __dbt__cte__e1 a, __dbt__cte__e2 b");
    kit_ok(&k, "run");
    kit_expect(&k, "Done. PASS=1 WARN=0 ERROR=0 SKIP=0 NO-OP=0 REUSED=0 TOTAL=1");
    kit_rows(&k, "select * from main.m", "1|2");
    kit_close(&k);
}

static void note(void *ctx, const nx_dbt_node_result *r)
{
    const char *dot = strrchr(r->unique_id, '.');
    kit *k = ctx;
    assert_int_equal(nx_buf_addf(&k->data, "%zu/%zu %s %s\n", r->index, r->count, dot + 1, r->status), NX_OK);
}

/* Level by level, by unique id in a level; in a build tests come before what stands below their parents. */
static void order(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/b.sql", "select 1 as id");
    kit_file(&k, "models/a.sql", "select id from {{ ref('b') }}");
    kit_file(&k, "models/z.sql", "select 2 as id");
    kit_file(&k, "tests/one.sql", "select * from {{ ref('b') }} where id <> 1");
    k.o.node = note;
    kit_ok(&k, "run");
    assert_string_equal(k.data.p, "1/3 b success\n2/3 z success\n3/3 a success\n");
    kit_ok(&k, "build");
    assert_string_equal(k.data.p, "1/4 b success\n2/4 z success\n3/4 one pass\n4/4 a success\n");
    kit_file(&k, "tests/one.sql", "select * from {{ ref('b') }} where id = 1");
    assert_int_equal(kit_run(&k, "build"), NX_CHECK_FAILED);
    assert_string_equal(k.data.p, "1/4 b success\n2/4 z success\n3/4 one fail\n4/4 a skipped\n");
    kit_close(&k);
}

static void a_late_ref_is_refused(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/b.sql", "select 1 as id");
    kit_file(&k, "models/a.sql", "{% if execute %}select * from {{ ref('b') }}{% endif %}");
    assert_int_equal(kit_run(&k, "compile"), NX_INVALID);
    assert_non_null(strstr(k.err.text, "model 'a' names 'b' only when it runs"));
    assert_non_null(strstr(k.err.hint, "-- depends_on: {{ ref('b') }}"));
    kit_file(&k, "models/a.sql",
             "-- depends_on: {{ ref('b') }}\n{% if execute %}select * from {{ ref('b') }}{% endif %}");
    kit_ok(&k, "compile");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selection),
        cmocka_unit_test(selection_refused),
        cmocka_unit_test(ls_outputs),
        cmocka_unit_test(cte_injection),
        cmocka_unit_test(nested_ephemeral),
        cmocka_unit_test(order),
        cmocka_unit_test(a_late_ref_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
