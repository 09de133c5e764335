/* Contracts as dbt sources: a properties file that reads back as what the contracts say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "data/yaml.h"
#include "transform/contract_sources.h"

static const nx_val *named(const nx_val *list, const char *name)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_is(nx_val_str(nx_val_get(&list->items[i], "name"), NX_STR("")), name))
            return &list->items[i];
    fail_msg("no %s", name);
    return NULL;
}

static bool has_test(const nx_val *column, const char *name)
{
    const nx_val *tests = nx_val_get(column, "data_tests");
    for (size_t i = 0; tests != NULL && i < tests->n; i++)
        if (nx_str_is(tests->items[i].s, name) || nx_val_get(&tests->items[i], name) != NULL)
            return true;
    return false;
}

static void all_contracts(void **state)
{
    (void)state;
    nx_contracts *s = NULL;
    nx_err err = {0};
    nx_val *root = NULL;
    nx_buf b NX_BUF_AUTO;
    nx_arena a NX_ARENA_AUTO;
    nx_buf_init(&b, 0);
    nx_arena_init(&a, 0);
    assert_int_equal(nx_contracts_load("contracts", &s, &err), NX_OK);
    const nx_contract *c[64];
    size_t n = nx_contracts_count(s);
    assert_true(n <= NX_COUNT_OF(c));
    for (size_t i = 0; i < n; i++)
        c[i] = nx_contracts_at(s, i);
    assert_int_equal(nx_dbt_contract_sources(c, n, &b, &err), NX_OK);
    if (nx_yaml_parse(nx_buf_str(&b), "sources.yml", &a, &root, &err) != NX_OK)
        fail_msg("%s", err.text);
    const nx_val *sources = nx_val_get(root, "sources");
    assert_int_equal(sources->n, 2);
    size_t tables = 0;
    for (size_t i = 0; i < sources->n; i++)
        tables += nx_val_get(&sources->items[i], "tables")->n;
    assert_int_equal(tables, n);
    const nx_val *trades = named(nx_val_get(named(sources, "bronze"), "tables"), "trades");
    assert_true(nx_str_is(nx_val_path(trades, "config.delta_table_path")->s,
                          "{{ env_var('NEXUS_LAKE_ROOT', 'lake') }}/bronze/market/trades"));
    const nx_val *columns = nx_val_get(trades, "columns");
    assert_int_equal(columns->n, nx_contract_schema(nx_contracts_find(s, "bronze.trades"))->n_fields);
    assert_true(nx_str_is(nx_val_get(named(columns, "price"), "data_type")->s, "DECIMAL(18,6)"));
    assert_true(has_test(named(columns, "price"), "not_null"));
    assert_false(has_test(named(columns, "tape"), "not_null"));
    assert_false(has_test(named(columns, "symbol"), "unique"));
    assert_true(has_test(named(columns, "update_status"), "accepted_values"));
    const nx_val *records = named(nx_val_get(named(sources, "quarantine"), "tables"), "records");
    assert_true(has_test(named(nx_val_get(records, "columns"), "record_id"), "unique"));
    nx_contracts_drop(s);
}

/* A description that looks like a template stays a description. */
static void jinja_in_a_description(void **state)
{
    (void)state;
    char path[] = "/tmp/nexus-sources-XXXXXX";
    assert_non_null(mkdtemp(path));
    char file[64];
    snprintf(file, sizeof file, "%s/a.odcs.yaml", path);
    static const char text[] =
        "apiVersion: v3.1.0\nkind: DataContract\nid: x\nname: t\nversion: 1.0.0\nstatus: active\n"
        "schema:\n  - name: t\n    physicalName: app.t\n    description: 'Has \"{{ quotes }}\".'\n"
        "    customProperties: [{property: folder, value: app/t}]\n"
        "    properties:\n      - {name: a, logicalType: string, physicalType: string, unique: "
        "true, description: A.}\n";
    assert_int_equal(nx_file_replace(file, nx_str_of(text), NULL), NX_OK);
    nx_contracts *s = NULL;
    nx_err err = {0};
    nx_val *root = NULL;
    nx_buf b NX_BUF_AUTO;
    nx_arena a NX_ARENA_AUTO;
    nx_buf_init(&b, 0);
    nx_arena_init(&a, 0);
    if (nx_contracts_load(path, &s, &err) != NX_OK)
        fail_msg("%s", err.text);
    const nx_contract *c = nx_contracts_at(s, 0);
    assert_int_equal(nx_dbt_contract_sources(&c, 1, &b, &err), NX_OK);
    assert_int_equal(nx_yaml_parse(nx_buf_str(&b), "sources.yml", &a, &root, &err), NX_OK);
    const nx_val *t = named(nx_val_get(named(nx_val_get(root, "sources"), "app"), "tables"), "t");
    assert_true(nx_str_is(nx_val_get(t, "description")->s, "{% raw %}Has \"{{ quotes }}\".{% endraw %}"));
    assert_true(has_test(named(nx_val_get(t, "columns"), "a"), "unique"));
    nx_contracts_drop(s);
    assert_int_equal(nx_dir_remove(path, NULL), NX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_contracts), cmocka_unit_test(jinja_in_a_description)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
