/* Loading, configuration, names and refusals. */
#include "dbt_kit.h"

#include "data/json.h"
#include "transform/dbt_int.h"

static nx_val *manifest(kit *k, nx_arena *a)
{
    nx_buf b NX_BUF_AUTO;
    nx_val *v;
    nx_buf_init(&b, 0);
    kit_read(k, "target/manifest.json", &b);
    assert_int_equal(nx_json_parse(nx_buf_str(&b), NULL, a, &v, &k->err), NX_OK);
    return v;
}

static void expect_str(const nx_val *v, const char *key, const char *want)
{
    const nx_val *s = nx_val_get(v, key);
    if (s == NULL || s->kind != NX_VAL_STR || !nx_str_is(s->s, want))
        fail_msg("%s: expected '%s', found '%s'", key, want,
                 s == NULL               ? "(absent)"
                 : s->kind == NX_VAL_STR ? s->s.p
                                         : nx_val_kind_name(s->kind));
}

static void the_market_project(void **state)
{
    (void)state;
    kit k;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    kit_open(&k, MARKET);
    kit_ok(&k, "parse");
    kit_expect(&k, "Running with dbt=1.12.3\n");
    kit_expect(&k, "Found 4 models, 1 seed, 1 snapshot, 7 data tests, 1 source, 1 exposure, 3 macros\n");
    nx_val *m = manifest(&k, &a);
    const nx_val *nodes = nx_val_get(m, "nodes");
    assert_int_equal(nodes->n, 13);
    expect_str(nx_val_get(m, "metadata"), "dbt_schema_version", "https://schemas.getdbt.com/dbt/manifest/v12.json");
    const nx_val *fct = nx_val_get(nodes, "model.market.fct_trades");
    expect_str(fct, "relation_name", "\"gold\".\"fct_trades\"");
    expect_str(fct, "description", "One row a trade.");
    expect_str(fct, "patch_path", "market://models/gold/gold.yml");
    expect_str(nx_val_get(fct, "config"), "materialized", "incremental");
    expect_str(nx_val_path(fct, "columns.symbol"), "description", "Ticker");
    const nx_val *tags = nx_val_get(fct, "tags"); /* the tree's and the file's, appended */
    assert_int_equal(tags->n, 2);
    assert_true(nx_str_is(tags->items[0].s, "daily") && nx_str_is(tags->items[1].s, "facts"));
    const nx_val *staging = nx_val_get(nx_val_get(nodes, "model.market.stg_trades"), "tags");
    assert_int_equal(staging->n, 2);
    expect_str(nx_val_path(fct, "config.meta"), "owner", "desk");
    for (size_t i = 0; i < nodes->n; i++) /* dbt's schema of the file knows the key for models alone */
        assert_int_equal(nx_val_get(&nodes->items[i], "constraints") != NULL,
                         nx_str_starts(nodes->keys[i], NX_STR("model.")));
    const nx_val *seed = nx_val_get(nodes, "seed.market.symbols"); /* no SQL: nothing of a compiled node */
    assert_null(nx_val_get(seed, "compiled"));
    assert_null(nx_val_get(seed, "refs"));
    assert_null(nx_val_path(seed, "depends_on.nodes"));
    const nx_val *parents = nx_val_get(nx_val_get(m, "parent_map"), "model.market.daily");
    assert_int_equal(parents->n, 2);
    assert_non_null(nx_val_get(nx_val_get(m, "sources"), "source.market.bronze.trades"));
    assert_int_equal(
        nx_val_path(nx_val_get(nx_val_get(m, "exposures"), "exposure.market.desk_report"), "depends_on.nodes")->n, 2);
    assert_non_null(nx_val_get(nx_val_get(m, "docs"), "doc.market.trades"));
    kit_close(&k);
}

/* Ids as dbt itself gives them (the public jaffle_shop example). */
static void generic_test_ids(void **state)
{
    (void)state;
    static const struct {
        const char *test, *model, *json, *full, *brief, *hash;
    } V[] = {{"unique", "customers", "{\"column_name\":\"customer_id\"}", "unique_customers_customer_id",
              "unique_customers_customer_id", "c5af1ff4b1"},
             {"not_null", "customers", "{\"column_name\":\"customer_id\"}", "not_null_customers_customer_id",
              "not_null_customers_customer_id", "5c9bf9911d"},
             {"relationships", "orders",
              "{\"to\":\"ref('customers')\",\"field\":\"customer_id\",\"column_name\":\"customer_id\"}",
              "relationships_orders_customer_id__customer_id__ref_customers_",
              "relationships_orders_customer_id__customer_id__ref_customers_", "c6ec7f58f2"},
             {"accepted_values", "orders",
              "{\"values\":[\"placed\",\"shipped\",\"completed\",\"return_pending\",\"returned\"],\"column_name\":"
              "\"status\"}",
              "accepted_values_orders_status__placed__shipped__completed__return_pending__returned",
              "accepted_values_orders_1ce6ab157c285f7cd2ac656013faf758", "be6b5b5ec3"}};
    dbt_project p = {0};
    nx_err err;
    nx_arena_init(&p.arena, 0);
    p.jinja = nx_jinja_new("jaffle_shop");
    for (size_t i = 0; i < NX_COUNT_OF(V); i++) {
        nx_val *kw;
        const char *full, *brief, *model;
        char hash[11];
        assert_int_equal(nx_json_parse(nx_str_of(V[i].json), NULL, &p.arena, &kw, &err), NX_OK);
        assert_int_equal(nx__dbt_test_name(&p.arena, V[i].test, V[i].model, kw, &full, &brief, &err), NX_OK);
        assert_string_equal(full, V[i].full);
        assert_string_equal(brief, V[i].brief);
        model = nx_arena_printf(&p.arena, "{{ get_where_subquery(ref('%s')) }}", V[i].model);
        nx_val m = nx__dbt_val_str(nx_str_of(model));
        assert_int_equal(nx__dbt_obj_put(&p.arena, kw, NX_STR("model"), &m, &err), NX_OK);
        assert_int_equal(nx__dbt_test_hash(&p, full, V[i].test, NULL, kw, hash, &err), NX_OK);
        assert_string_equal(hash, V[i].hash);
    }
    nx_jinja_free(p.jinja);
    nx_arena_drop(&p.arena);
}

/* tree (shallow, deep) < properties < the file itself; unknown variables and vars of the command line. */
static void config_precedence(void **state)
{
    (void)state;
    kit k;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    kit_bare(&k);
    kit_file(&k, "dbt_project.yml",
             "name: bare\nprofile: bare\nvars: {depth: tree, bare: {scoped: yes_scoped}}\nmodels:\n  +alias: "
             "from_root\n  bare:\n"
             "    +meta: {a: 1, b: 1}\n    sub:\n      +alias: from_sub\n      +meta: {b: 2}\n      +enabled: \"{{ "
             "var('on', true) }}\"\n");
    kit_file(&k, "models/a.sql", "select '{{ var('depth') }}' as d, '{{ var('scoped') }}' as s");
    kit_file(&k, "models/sub/b.sql", "select 1 as x");
    kit_file(&k, "models/sub/c.sql", "{{ config(alias='from_file', meta={'c': 3}) }}select 1 as x");
    kit_file(&k, "models/sub/p.yml",
             "models:\n  - name: c\n    config: {alias: from_props, meta: {b: 9}}\n  - name: d\n    config: {alias: "
             "from_props}\n");
    kit_file(&k, "models/sub/d.sql", "select 1 as x");
    k.o.vars = "{depth: cli}";
    kit_ok(&k, "compile");
    const nx_val *nodes = nx_val_get(manifest(&k, &a), "nodes");
    expect_str(nx_val_get(nodes, "model.bare.a"), "alias", "from_root");
    expect_str(nx_val_get(nodes, "model.bare.b"), "alias", "from_sub");
    expect_str(nx_val_get(nodes, "model.bare.c"), "alias", "from_file");
    expect_str(nx_val_get(nodes, "model.bare.d"), "alias", "from_props");
    const nx_val *meta = nx_val_get(nx_val_get(nodes, "model.bare.c"), "meta");
    assert_int_equal(nx_val_i64(nx_val_get(meta, "a"), 0), 1);
    assert_int_equal(nx_val_i64(nx_val_get(meta, "b"), 0), 9);
    assert_int_equal(nx_val_i64(nx_val_get(meta, "c"), 0), 3);
    expect_str(nx_val_get(nodes, "model.bare.a"), "compiled_code", "select 'cli' as d, 'yes_scoped' as s");
    k.o.vars = "{on: false}";
    kit_ok(&k, "parse");
    kit_expect(&k, "Found 1 model, ");
    kit_close(&k);
}

typedef struct refusal {
    const char *file, *text, *says;
} refusal;

static void refused(const refusal *r)
{
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/base.sql", "select 1 as id");
    kit_file(&k, r->file, r->text);
    nx_status st = kit_run(&k, "parse");
    if (st != NX_INVALID && st != NX_UNSUPPORTED)
        fail_msg("%s: '%s' was taken (%s)", r->file, r->text, nx_status_name(st));
    if (strstr(k.err.text, r->says) == NULL)
        fail_msg("%s: expected '%s' in: %s", r->file, r->says, k.err.text);
    kit_close(&k);
}

static void refusals(void **state)
{
    (void)state;
    static const refusal R[] = {
        {"dbt_project.yml", "name: bare\nprofil: x\n", "dbt_project.yml:2: unknown key 'profil'"},
        {"dbt_project.yml", "name: 1bare\n", "'name' must be letters"},
        {"dbt_project.yml", "name: ref\n", "a word that dbt reserves"},
        {"dbt_project.yml", "name: bare\nmodel-paths: [../elsewhere]\n", "must be a folder inside the project"},
        {"profiles.yml", "bare:\n  target: t\n  outputs:\n    t: {type: postgres, schema: x}\n", "has type 'postgres'"},
        {"profiles.yml", "other: {}\n", "no profile named 'bare'"},
        {"packages.yml", "packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.4.1\n",
         "packages.yml:2: packages are not supported"},
        {"models/a.py", "def model(dbt, session): pass", "models/a.py: Python models"},
        {"models/a.sql", "{{ config(materialized='materialized_view') }} select 1", "materialized 'materialized_view'"},
        {"models/a.sql", "{{ config(materialized='incremental', incremental_strategy='microbatch') }} select 1",
         "incremental_strategy 'microbatch'"},
        {"models/a.sql", "{{ config(incremental_predicates=['x']) }} select 1", "config 'incremental_predicates'"},
        {"models/a.sql", "{{ config(contract={'enforced': true}) }} select 1", "an enforced contract"},
        {"models/a.sql", "{{ config(grants={'select': ['x']}) }} select 1", "config 'grants'"},
        {"models/a.sql", "{{ config(alias='../x') }} select 1", "no name for a table's folder"},
        {"models/a.sql", "select * from {{ ref('bse') }}",
         "models/a.sql:1: model 'a' depends on a node named 'bse' which was not found"},
        {"models/a.sql", "select 1\n\nfrom {{ source('s', 't') }}",
         "models/a.sql:3: model 'a' depends on a source named 's.t'"},
        {"models/a.sql", "select * from {{ ref('base', v=2) }}", "model versions are not supported"},
        {"models/a.sql", "select {{ 1 +", "models/a.sql:1"},
        {"models/x.sql", "{{ config(alias='base') }}select 1", "would write main.base"},
        {"models/sub/base.sql", "select 2", "is defined twice"},
        {"models/p.yml", "models:\n  - name: base\n    colums: []\n", "models/p.yml:3: unknown key 'colums'"},
        {"models/p.yml", "unit_tests:\n  - name: x\n", "models/p.yml:2: 'unit_tests' is not supported"},
        {"models/p.yml", "models:\n  - name: base\n    versions: [{v: 1}]\n", "'versions' is not supported"},
        {"models/p.yml", "models:\n  - name: base\n    data_tests: [nonsense]\n",
         "a test 'nonsense' that no macro defines"},
        {"models/p.yml",
         "models:\n  - name: base\n    columns:\n      - name: id\n        data_tests: [unique, unique]\n",
         "is defined twice"},
        {"models/p.yml",
         "models:\n  - name: base\n    columns:\n      - name: id\n        data_tests: [{unique: {config: {severity: "
         "loud}}}]\n",
         "severity must be error or warn"},
        {"macros/m.sql", "{% materialization thing, default %}{% endmaterialization %}", "custom materializations"},
        {"snapshots/s.yml",
         "snapshots:\n  - name: s\n    relation: ref('base')\n    config: {strategy: timestamp, unique_key: id}\n",
         "needs updated_at"},
        {"snapshots/s.yml",
         "snapshots:\n  - name: s\n    relation: ref('base')\n    config: {strategy: check, unique_key: id}\n",
         "needs check_cols"},
        {"snapshots/s.yml",
         "snapshots:\n  - name: s\n    relation: ref('base')\n    config: {strategy: check, check_cols: all}\n",
         "has no unique_key"},
        {"analyses/q.sql", "select 1", "analyses are not supported"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(R); i++)
        refused(&R[i]);
}

static void commands_refused(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    assert_int_equal(kit_run(&k, "docs generate"), NX_UNSUPPORTED);
    assert_int_equal(kit_run(&k, "deps"), NX_UNSUPPORTED);
    assert_int_equal(kit_run(&k, "biuld"), NX_INVALID);
    assert_non_null(strstr(k.err.hint, "did you mean 'build'"));
    k.o.indirect_selection = "cautious";
    assert_int_equal(kit_run(&k, "ls"), NX_UNSUPPORTED);
    kit_close(&k);
}

static void a_cycle_is_named(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/a.sql", "select * from {{ ref('b') }}");
    kit_file(&k, "models/b.sql", "select * from {{ ref('c') }}");
    kit_file(&k, "models/c.sql", "select * from {{ ref('a') }}");
    assert_int_equal(kit_run(&k, "parse"), NX_INVALID);
    assert_string_equal(k.err.text, "Found a cycle: model.bare.c --> model.bare.b --> model.bare.a --> model.bare.c");
    kit_close(&k);
}

static void disabled_nodes(void **state)
{
    (void)state;
    kit k;
    kit_bare(&k);
    kit_file(&k, "models/off.sql", "{{ config(enabled=false) }}select * from {{ ref('nothing') }}");
    kit_file(&k, "models/p.yml", "models:\n  - name: off\n    columns: [{name: x, data_tests: [unique]}]\n");
    kit_ok(&k, "parse");
    kit_file(&k, "models/on.sql", "select * from {{ ref('off') }}");
    assert_int_equal(kit_run(&k, "parse"), NX_INVALID);
    assert_non_null(strstr(k.err.text, "'off' which is disabled"));
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_market_project), cmocka_unit_test(generic_test_ids), cmocka_unit_test(config_precedence),
        cmocka_unit_test(refusals),           cmocka_unit_test(commands_refused), cmocka_unit_test(a_cycle_is_named),
        cmocka_unit_test(disabled_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
