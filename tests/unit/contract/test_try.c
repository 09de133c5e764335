/* Contracts put to the test: the project's own examples, examples that are wrong, messages of several types. */
#include "files_kit.h"

#include "contract/try.h"

static nx_contracts *load(const char *dir)
{
    nx_contracts *s = NULL;
    nx_err err = {0};
    if (nx_contracts_load(dir, &s, &err) != NX_OK)
        fail_msg("%s", err.text);
    return s;
}

/* All are as they should be. */
static void examples_of_the_project(void **state)
{
    (void)state;
    nx_contracts *s = load("contracts");
    nx_arena a NX_ARENA_AUTO;
    size_t tried = 0;
    nx_arena_init(&a, 0);
    for (size_t i = 0; i < nx_contracts_count(s); i++) {
        const nx_contract *c = nx_contracts_at(s, i);
        const nx_example *all = NULL;
        size_t n = 0;
        nx_trier *t = NULL;
        nx_err err = {0};
        if (nx_contract_examples(c, &a, &all, &n, &err) != NX_OK)
            fail_msg("%s", err.text);
        if (nx_trier_new(s, c, &t, &err) == NX_UNSUPPORTED)
            continue;
        for (size_t k = 0; k < n; k++) {
            nx_try got;
            if (nx_trier_message(t, all[k].message, all[k].context, all[k].n_context, &got, &err) != NX_OK)
                fail_msg("%s", err.text);
            if (!nx_example_met(&all[k], &got))
                fail_msg("%s line %d: %s", nx_contract_file(c), all[k].line, all[k].name);
            tried++;
        }
        nx_trier_drop(t);
    }
    assert_true(tried >= 36);
    nx_contracts_drop(s);
}

static const char with_examples[] =
    "      - {property: knownAt, value: {column: ts}}\n"
    "      - property: examples\n"
    "        value:\n"
    "          - {message: {k: a, s: X, t: '2024-01-02T15:00:00Z'}}\n"
    "          - {name: two, message: '{\"s\":1,\"t\":\"x\"}', refused: {sym: type, ts: format}}\n"
    "          - {name: broken, message: '{\"s\":', refused: {\"\": json}}\n"
    "          - {name: any, message: '{}', refused: true}\n"
    "          - {name: not any, message: '{}', refused: false}\n"
    "          - {name: fewer, message: '{\"s\":1,\"t\":\"x\"}', refused: {sym: type}}\n"
    "          - {name: more, message: '{\"s\":1,\"t\":\"2024-01-02T15:00:00Z\"}', refused: {sym: [type, length]}}\n"
    "          - {name: good, message: '{\"s\":\"X\",\"t\":\"2024-01-02T15:00:00Z\"}', refused: {sym: type}}\n";

static void what_is_expected(void **state)
{
    static const bool met[] = {true, true, true, true, false, false, false, false, true, false};
    const folder *f = *state;
    nx_buf b NX_BUF_AUTO;
    nx_arena a NX_ARENA_AUTO;
    nx_err err = {0};
    const nx_example *all = NULL;
    size_t n = 0;
    nx_trier *t = NULL;
    nx_buf_init(&b, 0);
    nx_arena_init(&a, 0);
    const char *known = strstr(minimal, "      - {property: knownAt"), *rest = strchr(known, '\n') + 1;
    const char *sym = strstr(rest, "description: S."), *day = strstr(sym, "description: D.");
    assert_int_equal(nx_buf_add(&b, (nx_str){minimal, (size_t)(known - minimal)}), NX_OK);
    assert_int_equal(nx_buf_adds(&b, with_examples), NX_OK);
    assert_int_equal(nx_buf_add(&b, (nx_str){rest, (size_t)(sym - rest)}), NX_OK);
    assert_int_equal(nx_buf_adds(&b, "examples: [ok, 3], "), NX_OK);
    assert_int_equal(nx_buf_add(&b, (nx_str){sym, (size_t)(day - sym)}), NX_OK);
    assert_int_equal(nx_buf_addf(&b, "examples: ['2024-01-02'], %s", day), NX_OK); /* derived: no message carries it */
    write_file(f, "a.odcs.yaml", nx_buf_str(&b));
    nx_contracts *s = load(f->path);
    const nx_contract *c = nx_contracts_at(s, 0);
    if (nx_contract_examples(c, &a, &all, &n, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(n, NX_COUNT_OF(met));
    assert_int_equal(nx_trier_new(s, c, &t, &err), NX_OK);
    for (size_t i = 0; i < n; i++) {
        nx_try got;
        assert_int_equal(nx_trier_message(t, all[i].message, all[i].context, all[i].n_context, &got, &err), NX_OK);
        if (nx_example_met(&all[i], &got) != met[i])
            fail_msg("example %zu, %s", i, all[i].name);
    }
    assert_string_equal(all[8].column, "sym");
    nx_trier_drop(t);
    nx_contracts_drop(s);
}

static void examples_that_are_none(void **state)
{
    static const struct {
        const char *value, *text;
    } v[] = {
        {"3", "must be a list"},
        {"[3]", "must be an object"},
        {"[{name: x}]", "needs a message"},
        {"[{message: 3}]", "needs a message"},
        {"[{message: '{}', refuse: true}]", "'refuse' is not a key"},
        {"[{message: '{}', refused: price}]", "refused must be"},
        {"[{message: '{}', refused: {}}]", "refused must be"},
        {"[{message: '{}', refused: {sym: 3}}]", "id of a rule"},
        {"[{message: '{}', context: 3}]", "context must be"},
        {"[{message: '{}', context: {sym: [1]}}]", "context: text"},
    };
    const folder *f = *state;
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char line[160];
        nx_arena a NX_ARENA_AUTO;
        nx_err err = {0};
        const nx_example *all;
        size_t n;
        nx_arena_init(&a, 0);
        snprintf(line, sizeof line, "value: {column: ts}}\n      - {property: examples, value: %s}\n", v[i].value);
        write_changed(f, "a.odcs.yaml", "value: {column: ts}}\n", line);
        nx_contracts *s = load(f->path);
        assert_int_equal(nx_contract_examples(nx_contracts_at(s, 0), &a, &all, &n, &err), NX_INVALID);
        if (strstr(err.text, v[i].text) == NULL || strstr(err.text, "a.odcs.yaml:15:") == NULL)
            fail_msg("case %zu: %s", i, err.text);
        nx_contracts_drop(s);
    }
}

static void messages(void **state)
{
    (void)state;
    static const nx_context symbol = {"symbol", NX_STR("AAPL")}, wrong = {"nothing", NX_STR("x")};
    nx_contracts *s = load("contracts");
    const nx_contract *trades = nx_contracts_find(s, "bronze.trades");
    nx_err err = {0};
    nx_trier *t = NULL;
    nx_try got;
    assert_int_equal(nx_trier_new(s, trades, &t, &err), NX_OK);
    static const char rest[] = "{\"t\":\"2022-01-03T09:00:00Z\",\"x\":\"P\",\"p\":1,\"s\":1,\"c\":[],\"i\":1}";
    assert_int_equal(nx_trier_message(t, nx_str_of(rest), &symbol, 1, &got, &err), NX_OK);
    assert_int_equal(got.verdict, NX_TRY_ACCEPTED);
    assert_int_equal(nx_trier_message(t, nx_str_of(rest), NULL, 0, &got, &err), NX_OK);
    assert_int_equal(got.verdict, NX_TRY_REFUSED);
    assert_string_equal(got.errors[0].field, "symbol");
    assert_int_equal(nx_trier_message(t, nx_str_of(rest), &wrong, 1, &got, &err), NX_INVALID);
    assert_int_equal(nx_trier_message(t, NX_STR("{\"T\":\"q\",\"S\":\"A\"}"), NULL, 0, &got, &err), NX_OK);
    assert_int_equal(got.verdict, NX_TRY_OTHER);
    assert_int_equal(nx_trier_message(t, NX_STR("{\"T\":\"t\"}"), NULL, 0, &got, &err), NX_OK);
    assert_int_equal(got.verdict, NX_TRY_REFUSED);
    assert_true(got.n_errors >= 6);
    assert_int_equal(nx_trier_message(t, NX_STR("nonsense"), NULL, 0, &got, &err), NX_OK);
    assert_int_equal(got.verdict, NX_TRY_REFUSED);
    nx_trier_drop(t);
    t = NULL;
    assert_int_equal(nx_trier_new(s, nx_contracts_find(s, "quarantine.records"), &t, &err), NX_UNSUPPORTED);
    assert_null(t);
    nx_trier_drop(t);
    nx_contracts_drop(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_project),
        cmocka_unit_test_setup_teardown(what_is_expected, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(examples_that_are_none, make_folder, remove_folder),
        cmocka_unit_test(messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
