/* What others read: rules and sources in words, JSON Schema, the reference page. */
#include "files_kit.h"

#include "contract/export.h"
#include "data/json.h"

static nx_contracts *project(void)
{
    nx_contracts *s = NULL;
    nx_err err = {0};
    if (nx_contracts_load("contracts", &s, &err) != NX_OK)
        fail_msg("%s", err.text);
    return s;
}

static size_t column(const nx_contract *c, const char *name)
{
    size_t i = nx_schema_find(nx_contract_schema(c), nx_str_of(name));
    assert_int_not_equal(i, SIZE_MAX);
    return i;
}

static void words(void **state)
{
    (void)state;
    static const struct {
        const char *table, *column, *source, *rules;
    } v[] = {
        {"bronze.trades", "symbol", "S, the request", "1 to 32 characters, matches ^[A-Za-z0-9][A-Za-z0-9./_-]*$"},
        {"bronze.trades", "price", "p", "at least 0"},
        {"bronze.trades", "conditions", "c", "at most 64 items, items of at most 64 characters"},
        {"bronze.trades", "update_status", "u in alpaca.rest", "one of canceled, incorrect or corrected"},
        {"bronze.trades", "ts_ns", "nanoseconds(ts)", ""},
        {"bronze.trades", "_source", "the edge", ""},
        {"bronze.bars", "kind", "the feed, the request", "one of bar, updated or daily"},
        {"bronze.posts", "upvote_ratio", "upvote_ratio", "at least 0, at most 1"},
        {"bronze.posts", "observed_at", "the request", ""},
        {"quarantine.records", "state", "the program", "one of open or replayed"},
    };
    nx_contracts *s = project();
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        const nx_contract *c = nx_contracts_find(s, v[i].table);
        size_t col = column(c, v[i].column);
        nx_buf_clear(&b);
        assert_int_equal(nx_contract_source_text(c, col, &b), NX_OK);
        assert_string_equal(nx_buf_str(&b).p, v[i].source);
        nx_buf_clear(&b);
        assert_int_equal(nx_contract_rules_text(c, col, &b), NX_OK);
        assert_string_equal(nx_buf_str(&b).p, v[i].rules);
    }
    size_t n = 0;
    const nx_contract *bars = nx_contracts_find(s, "bronze.bars");
    const nx_str *allowed = nx_contract_allowed(bars, column(bars, "kind"), &n);
    assert_int_equal(n, 3);
    assert_true(nx_str_is(allowed[1], "updated"));
    (void)nx_contract_allowed(bars, column(bars, "_extra"), &n);
    assert_int_equal(n, 0);
    nx_contracts_drop(s);
}

static const nx_val *schema_of(const nx_contract *c, nx_arena *a)
{
    nx_buf b NX_BUF_AUTO;
    nx_err err = {0};
    nx_val *root = NULL;
    nx_buf_init(&b, 0);
    if (nx_contract_to_json_schema(c, &b, &err) != NX_OK)
        fail_msg("%s", err.text);
    char *kept = nx_arena_dup(a, nx_buf_str(&b));
    if (nx_json_parse((nx_str){kept, b.n}, NULL, a, &root, &err) != NX_OK)
        fail_msg("%s: %s in %s", nx_contract_table(c), err.text, kept);
    return root;
}

static bool in_list(const nx_val *list, const char *text)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_is(list->items[i].s, text))
            return true;
    return false;
}

static const nx_val *member(const nx_val *root, const char *definition, const char *property)
{
    const nx_val *d = definition == NULL ? root : nx_val_get(nx_val_get(root, "$defs"), definition);
    return nx_val_get(nx_val_get(d, "properties"), property);
}

static void json_schema(void **state)
{
    (void)state;
    nx_contracts *s = project();
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    for (size_t i = 0; i < nx_contracts_count(s); i++) {
        const nx_contract *c = nx_contracts_at(s, i);
        if (nx_contract_speaks(c, "alpaca.stocks"))
            assert_non_null(schema_of(c, &a));
    }
    const nx_val *t = schema_of(nx_contracts_find(s, "bronze.trades"), &a);
    assert_true(nx_str_is(nx_val_get(t, "$schema")->s, "https://json-schema.org/draft/2020-12/schema"));
    assert_true(nx_str_is(nx_val_get(t, "$id")->s, "urn:nexus:contract:trades:1.0.0"));
    assert_int_equal(nx_val_get(t, "anyOf")->n, 2);
    assert_true(nx_str_is(nx_val_get(member(t, "alpaca.stocks:t", "T"), "const")->s, "t"));
    assert_null(member(t, "alpaca.stocks:t", "u"));
    const nx_val *u = member(t, "alpaca.rest", "u");
    assert_true(in_list(nx_val_get(u, "type"), "null") && in_list(nx_val_get(u, "enum"), "corrected"));
    assert_int_equal(nx_val_get(u, "enum")->n, 4); /* null too */
    assert_true(nx_str_is(nx_val_get(member(t, "alpaca.rest", "p"), "minimum")->s, "0"));
    assert_true(nx_str_is(nx_val_get(member(t, "alpaca.rest", "p"), "exclusiveMaximum")->s, "1e12"));
    assert_true(nx_str_is(nx_val_get(member(t, "alpaca.rest", "i"), "maximum")->s, "9223372036854775807"));
    const nx_val *defs = nx_val_get(t, "$defs");
    assert_true(in_list(nx_val_get(nx_val_get(defs, "alpaca.stocks:t"), "required"), "S"));
    assert_false(in_list(nx_val_get(nx_val_get(defs, "alpaca.rest"), "required"), "S")); /* the request tells it */
    assert_false(in_list(nx_val_get(nx_val_get(defs, "alpaca.stocks:t"), "required"), "z"));
    const nx_val *p = schema_of(nx_contracts_find(s, "bronze.posts"), &a);
    assert_int_equal(nx_val_get(member(p, NULL, "edited"), "type")->n, 3);
    assert_true(nx_str_is(nx_val_get(member(p, NULL, "created_utc"), "type")->s, "number"));
    assert_null(member(p, NULL, "thumbnail")); /* ignored: anything goes */
    nx_err err = {0};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_contract_to_json_schema(nx_contracts_find(s, "quarantine.records"), &b, &err), NX_UNSUPPORTED);
    assert_non_null(strstr(err.hint, "delta"));
    nx_contracts_drop(s);
}

static void unusual_rules(void **state)
{
    const folder *f = *state;
    nx_contracts *s = NULL;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    write_changed(
        f, "a.odcs.yaml", "description: S., customProperties: [{property: wire, value: s}]",
        "description: \"S | and\\nmore\", unique: true, customProperties: [{property: wire, value: s}, {property: "
        "translate, value: {A: B}}]}\n"
        "      - {name: n, logicalType: number, physicalType: 'decimal(9,2)', description: N., "
        "logicalTypeOptions: {exclusiveMinimum: -1.5}, customProperties: [{property: wire, value: n}, {property: "
        "wireFormat, value: decimal_text}]}\n"
        "      - {name: l, logicalType: array, physicalType: l, description: L., items: {logicalType: string, "
        "physicalType: string}, customProperties: [{property: wire, value: l}, {property: wireFormat, value: "
        "one_or_many}]");
    nx_err err = {0};
    if (nx_contracts_load(f->path, &s, &err) != NX_OK)
        fail_msg("%s", err.text);
    const nx_contract *c = nx_contracts_at(s, 0);
    const nx_val *t = schema_of(c, &a);
    assert_int_equal(nx_val_get(member(t, NULL, "s"), "anyOf")->n, 2);
    const nx_val *n = nx_val_get(member(t, NULL, "n"), "anyOf");
    assert_true(nx_str_is(nx_val_get(&n->items[0], "exclusiveMinimum")->s, "-1.5"));
    assert_true(nx_str_is(nx_val_get(&n->items[0], "exclusiveMaximum")->s, "1e7"));
    assert_non_null(nx_val_get(&n->items[1], "pattern"));
    assert_true(nx_str_is(nx_val_get(&nx_val_get(member(t, NULL, "l"), "anyOf")->items[1], "type")->s, "string"));
    assert_true(nx_contract_unique(c, column(c, "sym")));
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_contracts_to_markdown(&c, 1, &b, &err), NX_OK);
    assert_non_null(strstr(b.p, "S \\| and more *Rules:* `on the wire A becomes B, unique` |\n"));
    nx_contracts_drop(s);
}

static void markdown(void **state)
{
    (void)state;
    static const char *const parts[] = {
        "# Contracts\n",
        "| bronze.trades | `trades@1.0.0` | Trades (prints)",
        "\n## bronze.trades\n",
        "Contract `trades@1.0.0`, folder `bronze/market/trades`  \nKey `symbol`, `ts`, `exchange`, `trade_id`  \n",
        "where `T` is `t`",
        "| `price` | DECIMAL(18,6) |  | p | Price in USD a share. *Rules:* `at least 0` |\n",
        "The row's own time is `ts` plus `timeframe`",
        "\n## In every bronze table\n",
        "| `_known_at` |",
    };
    nx_contracts *s = project();
    nx_err err = {0};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    const nx_contract *c[64];
    size_t n = nx_contracts_count(s);
    assert_true(n <= NX_COUNT_OF(c));
    for (size_t i = 0; i < n; i++)
        c[i] = nx_contracts_at(s, i);
    assert_int_equal(nx_contracts_to_markdown(c, n, &b, &err), NX_OK);
    for (size_t i = 0; i < NX_COUNT_OF(parts); i++)
        if (strstr(b.p, parts[i]) == NULL)
            fail_msg("'%s' is not on the page", parts[i]);
    nx_contracts_drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),
        cmocka_unit_test(json_schema),
        cmocka_unit_test_setup_teardown(unusual_rules, make_folder, remove_folder),
        cmocka_unit_test(markdown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
