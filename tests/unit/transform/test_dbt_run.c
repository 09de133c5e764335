/* Models, seeds, tests and hooks over a real lake. */
#include "dbt_kit.h"

#include "data/json.h"

static const char *TRADES =
    "select * from (values ('AAPL', 1, 10.5::decimal(18,6), 2::decimal(18,6), '2024-01-02 10:00:00+00'::timestamptz), "
    "('SPY', 2, 400, 1, '2024-01-02 10:00:01+00'::timestamptz)) t(symbol, trade_id, price, size, ts)";

static void the_market_builds(void **state)
{
    (void)state;
    kit k;
    kit_open(&k, MARKET);
    kit_table(&k, "bronze.trades", TRADES);
    kit_ok(&k, "build");
    kit_expect(&k, "1 of 13 START seed file ref.symbols ............................................ [RUN]\n");
    kit_expect(&k, "1 of 13 OK loaded seed file ref.symbols ........................................ [INSERT 2 in 0.");
    kit_expect(&k, "4 of 13 OK created sql view model staging.stg_trades ........................... [OK in 0.");
    kit_expect(&k, "PASS accepted_values_daily_symbol__AAPL__SPY");
    kit_expect(&k, "Finished running 1 exposure, 1 incremental model, 1 project hook, 1 seed, 1 snapshot, 1 table "
                   "model, 7 data tests, 1 view model in 0 hours 0 minutes and ");
    kit_expect(&k, "Completed successfully\n");
    kit_expect(&k,
               "11 of 13 NO-OP exposure desk_report ............................................ [NO-OP in 0.00s]\n");
    kit_expect(&k, "Done. PASS=13 WARN=0 ERROR=0 SKIP=0 NO-OP=1 REUSED=0 TOTAL=14\n");
    kit_rows(&k, "select * from gold.daily order by symbol", "AAPL|100|1|21.000000000000\nSPY|1|1|400.000000000000");
    kit_rows(&k, "select symbol, lot, listed, note from ref.symbols order by 1",
             "AAPL|100|1980-12-12|Apple, Inc.\nSPY|1|1993-01-22|-");
    int64_t version = kit_version(&k, "gold.fct_trades"), daily = kit_version(&k, "gold.daily");
    kit_ok(&k, "build");
    assert_int_equal(kit_version(&k, "gold.fct_trades"), version); /* the same rows again: nothing to merge */
    assert_int_equal(kit_version(&k, "gold.daily"), daily + 1);    /* one commit a write */
    kit_rows(&k, "select count(*), count(distinct trade_id) from gold.fct_trades", "2|2");
    kit_rows(&k, "select count(*) from gold.dim_symbols where dbt_valid_to is null", "2");
    kit_close(&k);
}

static void results_file(void **state)
{
    (void)state;
    kit k;
    nx_arena a NX_ARENA_AUTO;
    nx_buf b NX_BUF_AUTO;
    nx_val *v;
    nx_arena_init(&a, 0);
    nx_buf_init(&b, 0);
    kit_bare(&k);
    kit_file(&k, "models/a.sql", "{{ config(materialized='table') }}select 1 as id");
    kit_file(&k, "tests/t.sql", "select * from {{ ref('a') }}");
    k.o.invocation = "nexus dbt build";
    assert_int_equal(kit_run(&k, "build"), NX_CHECK_FAILED);
    kit_read(&k, "target/run_results.json", &b);
    assert_int_equal(nx_json_parse(nx_buf_str(&b), NULL, &a, &v, &k.err), NX_OK);
    const nx_val *results = nx_val_get(v, "results");
    assert_int_equal(results->n, 2);
    assert_true(nx_str_is(nx_val_get(&results->items[0], "status")->s, "success"));
    assert_int_equal(nx_val_i64(nx_val_path(&results->items[0], "adapter_response.rows_affected"), 0), 1);
    assert_true(nx_str_is(nx_val_get(&results->items[1], "status")->s, "fail"));
    assert_true(nx_str_is(nx_val_get(&results->items[1], "message")->s, "Got 1 result, configured to fail if != 0"));
    assert_int_equal(nx_val_i64(nx_val_get(&results->items[1], "failures"), 0), 1);
    assert_int_equal(nx_val_get(&results->items[1], "timing")->n, 2);
    assert_true(nx_str_is(nx_val_path(v, "args.invocation_command")->s, "nexus dbt build"));
    assert_true(nx_str_is(nx_val_path(v, "metadata.dbt_schema_version")->s,
                          "https://schemas.getdbt.com/dbt/run-results/v6.json"));
    kit_close(&k);
}

/* A failed model leaves the old version; what reads it is skipped and named. */
static void failure_keeps_the_old_version(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/a.sql", "{{ config(materialized='table') }}select {{ var('v', '1') }} as x");
    kit_file(&k, "models/b.sql", "{{ config(materialized='table') }}select x + 1 as x from {{ ref('a') }}");
    kit_file(&k, "models/c.sql", "{{ config(materialized='table') }}select 7 as x");
    kit_ok(&k, "run");
    int64_t version = kit_version(&k, "main.a");
    k.o.vars = "{v: \"cast('none' as int)\"}";
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_expect(&k, "1 of 3 ERROR creating sql table model main.a ");
    kit_expect(&k, "SKIP relation main.b ");
    kit_expect(&k, "Completed with 1 error, 0 partial successes, and 0 warnings:\n");
    kit_expect(&k, "[ERROR]: in model a (models/a.sql)\n");
    kit_expect(&k, "Done. PASS=1 WARN=0 ERROR=1 SKIP=1 NO-OP=0 REUSED=0 TOTAL=3\n");
    assert_string_equal(k.r.first_failure, "model.bare.a");
    assert_int_equal(kit_version(&k, "main.a"), version);
    kit_rows(&k, "select * from main.a", "1");
    k.o.fail_fast = true;
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_expect(&k, "PASS=0 WARN=0 ERROR=1 SKIP=2");
    kit_close(&k);
}

/* A first build that fails leaves no empty table that an increment would take for the old one. */
static void a_failed_first_build_leaves_nothing(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/i.sql",
             "{{ config(materialized='incremental') }}select cast({{ var('text') }} as int) as x, {{ is_incremental() "
             "}} as again");
    k.o.vars = "{text: \"'none'\"}";
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    nx_table *t;
    assert_int_equal(nx_table_open(k.lake, "main.i", &t, &k.err), NX_NOT_FOUND);
    k.o.vars = "{text: \"'3'\"}";
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i", "3|false");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by again", "3|false\n3|true");
    kit_close(&k);
}

static void set_rows(kit *k, const char *values)
{
    char sql[512];
    snprintf(sql, sizeof sql, "select * from (values %s) t(id, v, w)", values);
    kit_table(k, "raw.rows", sql);
}

static void incremental(kit *k, const char *config)
{
    char text[512];
    snprintf(text, sizeof text, "{{ config(materialized='incremental'%s%s) }}select id, v, w from raw.rows",
             config[0] == '\0' ? "" : ", ", config);
    kit_file(k, "models/i.sql", text);
    set_rows(k, "(1, 'a', 10), (2, 'b', 20)");
    k->o.full_refresh = true;
    kit_ok(k, "run");
    k->o.full_refresh = false;
    kit_rows(k, "select * from main.i order by 1", "1|a|10\n2|b|20");
}

static void strategies(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    incremental(&k, "");
    set_rows(&k, "(2, 'B', 21)");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by 1, 2", "1|a|10\n2|B|21\n2|b|20");

    incremental(&k, "unique_key='id'"); /* delete+insert: all rows of a key are replaced by all new ones */
    set_rows(&k, "(2, 'x', 1), (2, 'y', 2), (3, 'c', 30)");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by 1, 2", "1|a|10\n2|x|1\n2|y|2\n3|c|30");

    incremental(&k, "incremental_strategy='merge', unique_key=['id']");
    set_rows(&k, "(2, 'B', 21), (3, 'c', 30)");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by 1", "1|a|10\n2|B|21\n3|c|30");
    set_rows(&k, "(3, 'x', 1), (3, 'y', 2)"); /* which of the two is right? */
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_rows(&k, "select * from main.i order by 1", "1|a|10\n2|B|21\n3|c|30");

    incremental(&k, "incremental_strategy='merge', unique_key='id', merge_update_columns=['w']");
    set_rows(&k, "(2, 'B', 21)");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by 1", "1|a|10\n2|b|21");

    incremental(&k, "incremental_strategy='merge', unique_key='id', merge_exclude_columns=['w']");
    set_rows(&k, "(2, 'B', 21)");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by 1", "1|a|10\n2|B|20");
    kit_close(&k);
}

static void change_columns(kit *k, const char *rule, const char *first, const char *second)
{
    char text[512];
    const char *select[] = {first, second};
    for (int i = 0; i < 2; i++) {
        snprintf(text, sizeof text,
                 "{{ config(materialized='incremental', unique_key='id', on_schema_change='%s') }}%s", rule, select[i]);
        kit_file(k, "models/i.sql", text);
        k->o.full_refresh = i == 0;
        if (i == 0)
            kit_ok(k, "run");
    }
}

static void schema_changes(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    change_columns(&k, "ignore", "select 1 as id, 'a' as v", "select 2 as id, 'b' as v, 9 as n");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by id", "1|a\n2|b");
    change_columns(&k, "ignore", "select 1 as id, 'a' as v", "select 2 as id");
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_expect(&k, "no longer gives the column 'v'");
    change_columns(&k, "append_new_columns", "select 1 as id, 'a' as v", "select 2 as id, 9 as n");
    kit_ok(&k, "run");
    kit_rows(&k, "select id, v, n from main.i order by id", "1|a|-\n2|-|9");
    change_columns(&k, "fail", "select 1 as id, 'a' as v", "select 2 as id, 'b' as v, 9 as n");
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_expect(&k, "differ (new n), and on_schema_change is fail");
    change_columns(&k, "sync_all_columns", "select 1 as id, 'a' as v", "select 2 as id, 'b' as v, 9 as n");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.i order by id", "1|a|-\n2|b|9");
    change_columns(&k, "sync_all_columns", "select 1 as id, 'a' as v", "select 2 as id");
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_expect(&k, "sync_all_columns can add columns here, not drop or change them");
    kit_close(&k);
}

/* Views live on in later sessions, in any order; one whose table is gone is counted, not fatal. */
static void views(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/base.sql", "{{ config(materialized='table') }}select 1 as id");
    kit_file(&k, "models/z_low.sql", "select id + 1 as id from {{ ref('base') }}");
    kit_file(&k, "models/a_high.sql", "select id + 1 as id from {{ ref('z_low') }}");
    kit_ok(&k, "run");
    kit_rows(&k, "select id from main.a_high", "3");
    kit_file(
        &k, "models/base.sql",
        "{{ config(materialized='table') }}select 5 as id, 'new' as name"); /* its columns change below the views */
    kit_ok(&k, "run");
    kit_rows(&k, "select id from main.a_high", "7");
    assert_int_equal(nx_lake_drop_table(k.lake, "main.base", &k.err), NX_OK);
    nx_session *s;
    size_t broken = 0;
    assert_int_equal(nx_session_open(k.engine, &s, &k.err), NX_OK);
    assert_int_equal(nx_lake_attach(k.lake, s, &k.err), NX_OK);
    assert_int_equal(nx_dbt_attach_views(k.lake, s, k.state, &broken, &k.err), NX_OK);
    assert_int_equal(broken, 2);
    nx_session_close(s);
    kit_close(&k);
}

static void view_becomes_table_and_back(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/m.sql", "select 1 as x");
    kit_ok(&k, "run");
    kit_file(&k, "models/m.sql", "{{ config(materialized='table') }}select 2 as x");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.m", "2");
    kit_file(&k, "models/m.sql", "select 3 as x");
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED); /* a table's history is not thrown away unasked */
    kit_expect(&k, "main.m is a table with a history");
    kit_rows(&k, "select * from main.m", "2");
    k.o.full_refresh = true;
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.m", "3");
    kit_close(&k);
}

static void verdicts(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/a.sql",
             "{{ config(materialized='table') }}select * from (values (1, 'a'), (1, 'b'), (null, 'it''s'), (4, null)) "
             "t(id, v)");
    kit_file(&k, "models/p.yml",
             "models:\n  - name: a\n    columns:\n      - name: id\n        data_tests:\n"
             "          - unique\n"
             "          - not_null: {name: nn_warn, config: {severity: warn}}\n"
             "          - not_null: {name: nn_two, config: {error_if: '>1', warn_if: '>0'}}\n"
             "          - not_null: {name: nn_where, config: {where: \"v <> 'it''s'\"}}\n"
             "          - not_null: {name: nn_limit, config: {limit: 0}}\n"
             "          - not_null: {name: nn_calc, config: {fail_calc: 'count(*) * 5', error_if: '> 4'}}\n"
             "      - name: v\n        data_tests:\n"
             "          - accepted_values: {name: av, arguments: {values: [a, b, \"it's\"]}}\n"
             "          - accepted_values: {name: av_num, arguments: {values: [1], quote: false}, config: {enabled: "
             "false}}\n");
    kit_ok(&k, "run");
    assert_int_equal(kit_run(&k, "test"), NX_CHECK_FAILED);
    kit_expect(&k, "FAIL 1 unique_a_id ");
    kit_expect(&k, "WARN 1 nn_warn ");
    kit_expect(&k, "WARN 1 nn_two ");
    kit_expect(&k, "PASS nn_where ");
    kit_expect(&k, "PASS nn_limit ");
    kit_expect(&k, "FAIL 5 nn_calc ");
    kit_expect(&k, "PASS av ");
    kit_expect(&k, "Got 5 results, configured to fail if > 4\n");
    kit_expect(&k, "Got 1 result, configured to warn if >0\n");
    kit_expect(&k, "[WARNING]: in test nn_warn (models/p.yml)\n");
    kit_expect(&k, "Done. PASS=3 WARN=2 ERROR=2 SKIP=0 NO-OP=0 REUSED=0 TOTAL=7\n");
    k.o.warn_error = true;
    assert_int_equal(kit_run(&k, "test"), NX_CHECK_FAILED);
    kit_expect(&k, "PASS=3 WARN=0 ERROR=4");
    kit_close(&k);
}

static void seeds(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "seeds/s.csv",
             "\xEF\xBB\xBFid,big,num,day,at,yes,\"te\"\"xt\",none,zip\n1,12345678901,1.5,2024-01-02,2024-01-02 "
             "03:04:05,true,\"a,\nb\",,007\n"
             "2,2,2,2024-01-03,2024-01-02T03:04:06.5,FALSE,,,8\n");
    kit_file(&k, "seeds/p.yml", "seeds:\n  - name: s\n    config: {column_types: {zip: varchar(5)}}\n");
    kit_ok(&k, "seed");
    kit_rows(&k, "select id, big, num, day, yes, \"te\"\"xt\", none, zip from main.s order by id",
             "1|12345678901|1.5|2024-01-02|true|a,\nb|-|007\n2|2|2.0|2024-01-03|false|-|-|8");
    kit_rows(&k, "select column_type from (describe main.s)",
             "INTEGER\nBIGINT\nDOUBLE\nDATE\nTIMESTAMP WITH TIME ZONE\nBOOLEAN\nVARCHAR\nVARCHAR\nVARCHAR");
    kit_file(&k, "seeds/s.csv", "a,A\n1,2\n");
    assert_int_equal(kit_run(&k, "seed"), NX_CHECK_FAILED);
    kit_expect(&k, "the header names the column 'A' twice");
    kit_file(&k, "seeds/s.csv", "a,b\n1,2,3\n");
    assert_int_equal(kit_run(&k, "seed"), NX_CHECK_FAILED);
    kit_close(&k);
}

static void hooks_and_operations(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(
        &k, "dbt_project.yml",
        "name: bare\nprofile: bare\non-run-start: [\"create temp table seen as select '{{ target.name }}' as t\"]\n"
        "on-run-end: [\"{{ log('the end', info=true) }}\"]\n");
    kit_file(&k, "models/m.sql",
             "{{ config(materialized='table', pre_hook=\"insert into seen values ('{{ this.identifier }}')\") }}select "
             "* from seen");
    kit_ok(&k, "run");
    kit_expect(&k, "the end\n");
    kit_rows(&k, "select * from main.m order by 1", "dev\nm");
    kit_file(&k, "macros/op.sql",
             "{% macro op(n) %}{% set r = run_query('select 1 as a, ' ~ n ~ ' as b') %}"
             "{{ log(r.columns[1].values()[0] + r.rows[0]['a'], info=true) }}{% do log(r.column_names | join('/'), "
             "true) %}{% endmacro %}");
    k.o.operation = "op";
    k.o.operation_args = "{n: 41}";
    kit_ok(&k, "run-operation");
    kit_expect(&k, "42\n");
    kit_expect(&k, "a/b\n");
    k.o.operation = "nothing";
    assert_int_equal(kit_run(&k, "run-operation"), NX_INVALID);
    k.o.operation = NULL;
    kit_file(&k, "dbt_project.yml", "name: bare\nprofile: bare\non-run-start: select nonsense\n");
    assert_int_equal(kit_run(&k, "run"), NX_CHECK_FAILED);
    kit_expect(&k, "SKIP relation main.m");
    kit_close(&k);
}

/* Cross-database macros in the engine's spelling, dispatch and overrides. */
static void macros(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "macros/o.sql",
             "{% macro nexus__type_string() %}varchar(9){% endmacro %}\n{% macro half(x) %}{{ "
             "return(adapter.dispatch('half')(x)) }}"
             "{% endmacro %}\n{% macro default__half(x) %}{{ x }} / 2{% endmacro %}\n{% macro duckdb__half(x) %}{{ x "
             "}} // 2{% endmacro %}");
    kit_file(
        &k, "models/m.sql",
        "{{ config(materialized='table') }}select {{ dbt.dateadd('week', 2, \"date '2024-01-01'\") }}::date as a,\n"
        "{{ dbt.datediff(\"date '2024-01-06'\", \"date '2024-01-07'\", 'week') }} as b, {{ dbt.hash(\"'x'\") }} as c,\n"
        "{{ dbt.last_day(\"date '2024-02-03'\", 'quarter') }} as d, {{ half(7) }} as e, '{{ dbt.type_string() }}' as "
        "f,\n"
        "{{ dbt.split_part(\"'a-b-c'\", \"'-'\", 2) }} as g, {{ dbt.concat([\"'a'\", \"'b'\"]) }} as h,\n"
        "{{ dbt.listagg('x', \"'/'\", 'order by x desc') }} as i from (values (1), (2)) t(x)");
    kit_ok(&k, "run");
    kit_rows(&k, "select * from main.m",
             "2024-01-15|1|9dd4e461268c8034f5c8564e155c67a6|2024-03-31|3|varchar(9)|b|ab|2/1");
    kit_close(&k);
}

/* SQL that ends in a comment must not swallow what is put behind it. */
static void trailing_comments(void **state)
{
    (void)state;
    static const char *const KINDS[] = {"view", "table", "incremental", "ephemeral"};
    kit k;
    char path[32], text[128];
    kit_bare(&k);
    for (size_t i = 0; i < NX_COUNT_OF(KINDS); i++) {
        snprintf(path, sizeof path, "models/m%zu.sql", i);
        snprintf(text, sizeof text, "{{ config(materialized='%s') }}select %zu as x -- the end", KINDS[i], i);
        kit_file(&k, path, text);
    }
    kit_file(&k, "models/all.sql", "select x from {{ ref('m0') }} union all select x from {{ ref('m3') }} -- of it");
    kit_file(&k, "tests/t.sql", "select * from {{ ref('all') }} where x < 0 -- none");
    kit_ok(&k, "build");
    kit_ok(&k, "build");
    kit_rows(&k, "select count(*) from main.m2", "2");
    kit_rows(&k, "select x from main.\"all\" order by x", "0\n3");
    kit_close(&k);
}

static void freshness(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_table(&k, "raw.t", "select now() - interval 3 hour as loaded");
    kit_file(&k, "models/s.yml",
             "sources:\n  - name: raw\n    loaded_at_field: loaded\n    tables:\n      - name: t\n"
             "        freshness: {warn_after: {count: 2, period: hour}, error_after: {count: 1, period: day}}\n      - "
             "name: quiet\n");
    kit_ok(&k, "source freshness");
    kit_expect(&k, "1 of 1 WARN freshness of raw.t ");
    kit_file(
        &k, "models/s.yml",
        "sources:\n  - name: raw\n    tables:\n      - name: t\n        config: {loaded_at_field: loaded, freshness: "
        "{error_after: {count: 10, period: minute}}}\n");
    assert_int_equal(kit_run(&k, "source freshness"), NX_CHECK_FAILED);
    kit_expect(&k, "1 of 1 ERROR STALE freshness of raw.t ");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_market_builds),
        cmocka_unit_test(results_file),
        cmocka_unit_test(failure_keeps_the_old_version),
        cmocka_unit_test(a_failed_first_build_leaves_nothing),
        cmocka_unit_test(strategies),
        cmocka_unit_test(schema_changes),
        cmocka_unit_test(views),
        cmocka_unit_test(view_becomes_table_and_back),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(seeds),
        cmocka_unit_test(hooks_and_operations),
        cmocka_unit_test(macros),
        cmocka_unit_test(trailing_comments),
        cmocka_unit_test(freshness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
