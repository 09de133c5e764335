/* A lint tells all that is wrong, each with its place, and nothing that only follows from another. */
#include "files_kit.h"

#include "contract/lint.h"

static void lint_text(const folder *f, const char *text, nx_lint *l)
{
    const char *path = f->path;
    nx_err err = {0};
    write_file(f, "a.odcs.yaml", nx_str_of(text));
    if (nx_contracts_lint(&path, 1, l, &err) != NX_OK)
        fail_msg("%s", err.text);
}

static void expect(const nx_lint *l, size_t i, int line, const char *key, const char *cause)
{
    if (i >= l->n)
        fail_msg("problem %zu of %zu: '%s' was not told", i, l->n, cause);
    const nx_contract_problem *p = &l->problems[i];
    if (p->line != line || strcmp(p->key, key) != 0 || strstr(p->cause, cause) == NULL)
        fail_msg("problem %zu: %d '%s' '%s', expected %d '%s' '%s'", i, p->line, p->key, p->cause, line, key, cause);
}

static void a_good_one_has_none(void **state)
{
    nx_lint l;
    lint_text(*state, minimal, &l);
    assert_int_equal(l.n, 0);
    assert_int_equal(l.n_files, 1);
    assert_int_equal(l.n_bad, 0);
    nx_lint_drop(&l);
}

static void all_of_a_file(void **state)
{
    nx_lint l;
    lint_text(
        *state,
        "apiVersion: v3.1.0\n"
        "kind: Contract\n"
        "idd: x\n"
        "name: ticks\n"
        "version: 1\n"
        "status: active\n"
        "schema:\n"
        "  - name: ticks\n"
        "    physicalName: ticks\n"
        "    customProperties:\n"
        "      - {property: folder, value: /etc}\n"
        "      - {property: feeds, value: [{feed: f, when: {k: a}, sett: 1}]}\n"
        "      - {property: knownAt, value: {column: tss}}\n"
        "      - {property: stats, value: [sym, nosuch]}\n"
        "    properties:\n"
        "      - name: sym\n"
        "        logicalType: string\n"
        "        physicalType: string\n"
        "        logicalTypeOptions: {pattern: '(', minimum: 3}\n"
        "        customProperties: [{property: wirre, value: s}, {property: wire, value: s}]\n"
        "      - {name: ts, logicalType: timestamp, physicalType: text, description: T.}\n"
        "      - {name: day, logicalType: date, physicalType: date, description: D., customProperties: [{property: "
        "derive, value: date(ts)}]}\n"
        "      - {name: n, logicalType: integer, physicalType: int, description: N., customProperties: [{property: "
        "wire, value: s}]}\n",
        &l);
    size_t i = 0;
    expect(&l, i++, 1, "", "needs the key 'id'");
    expect(&l, i++, 2, "kind", "kind must be DataContract");
    expect(&l, i++, 3, "idd", "'idd' is not a key");
    expect(&l, i++, 5, "version", "must be text");
    expect(&l, i++, 8, "schema.ticks", "physicalName must be SCHEMA.ticks");
    expect(&l, i++, 8, "schema.ticks", "needs a description");
    expect(&l, i++, 11, "schema.ticks.customProperties.folder.value", "inside the lake");
    expect(&l, i++, 12, "schema.ticks.customProperties.feeds.value[0].sett", "not a key of a feed");
    expect(&l, i++, 13, "schema.ticks.customProperties.knownAt.value.column", "'tss' is no column");
    expect(&l, i++, 14, "schema.ticks.customProperties.stats.value[1]", "'nosuch' is no column");
    expect(&l, i++, 16, "schema.ticks.properties.sym", "needs a description");
    expect(&l, i++, 19, "schema.ticks.properties.sym.logicalTypeOptions.pattern", "expected");
    expect(&l, i++, 19, "schema.ticks.properties.sym.logicalTypeOptions.minimum", "a bound needs");
    expect(&l, i++, 20, "schema.ticks.properties.sym.customProperties.wirre", "'wirre' is not known");
    expect(&l, i++, 21, "schema.ticks.properties.ts.physicalType", "'text' is not known");
    expect(&l, i++, 23, "schema.ticks.properties.n.customProperties.wire.value", "stands for two columns");
    if (l.n != i)
        fail_msg("%zu problems, the last: %s", l.n, l.problems[l.n - 1].cause);
    nx_lint_drop(&l);
}

static void what_is_no_contract(void **state)
{
    static const struct {
        const char *text;
        int line;
        const char *cause;
    } v[] = {
        {"a: [\n", 2, ""},
        {"", 1, ""},
        {"just words\n", 1, "must be an object"},
        {"schema: {}\n", 1, "must be a list"},
        {"schema: [1]\n", 1, "must be an object"},
        {"schema: []\n", 1, "exactly one object"},
        {"schema: [{properties: {}}]\n", 1, "must be a list"},
        {"schema: [{properties: []}]\n", 1, "1 to 1000 columns"},
        {"schema: [{customProperties: [3], properties: [3, {name: [x]}, {}]}]\n", 1, "must be an object"},
        {"id: 1\nid: 2\n", 2, "id"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_lint l;
        lint_text(*state, v[i].text, &l);
        bool found = false;
        for (size_t k = 0; k < l.n; k++)
            found |= l.problems[k].line == v[i].line && strstr(l.problems[k].cause, v[i].cause) != NULL;
        if (!found)
            fail_msg("case %zu: line %d '%s' is not among %zu problems (the first: %d '%s')", i, v[i].line, v[i].cause,
                     l.n, l.n > 0 ? l.problems[0].line : 0, l.n > 0 ? l.problems[0].cause : "");
        assert_int_equal(l.n_bad, 1);
        nx_lint_drop(&l);
    }
}

static void files_against_each_other(void **state)
{
    const folder *f = *state;
    char a[96], b[96], none[96];
    snprintf(a, sizeof a, "%s/a.odcs.yaml", f->path);
    snprintf(b, sizeof b, "%s/b.odcs.yaml", f->path);
    snprintf(none, sizeof none, "%s/none.odcs.yaml", f->path);
    const char *paths[] = {a, none, b};
    nx_lint l;
    write_file(f, "a.odcs.yaml", nx_str_of(minimal));
    write_file(f, "b.odcs.yaml", nx_str_of(minimal));
    assert_int_equal(nx_contracts_lint(paths, 3, &l, NULL), NX_OK);
    assert_int_equal(l.n_files, 3);
    assert_int_equal(l.n_bad, 2);
    assert_int_equal(l.n, 2);
    assert_string_equal(l.problems[0].file, none);
    assert_non_null(strstr(l.problems[0].cause, "none.odcs.yaml"));
    assert_string_equal(l.problems[1].file, b);
    assert_non_null(strstr(l.problems[1].cause, "has a contract already"));
    nx_lint_drop(&l);
}

static void a_folder_without_any(void **state)
{
    const char *path = ((folder *)*state)->path;
    nx_lint l;
    nx_err err = {0};
    assert_int_equal(nx_contracts_lint(&path, 1, &l, &err), NX_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    nx_lint_drop(&l);
}

static void problems_are_bounded(void **state)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_lint l;
    for (int i = 0; i < 3000; i++)
        assert_int_equal(nx_buf_addf(&b, "key%d: 1\n", i), NX_OK);
    lint_text(*state, b.p, &l);
    assert_int_equal(l.n, 1000);
    nx_lint_drop(&l);
}

/* The n-th line of text in another form; false: there is no such line. */
static bool mangle(nx_str text, size_t n, int form, nx_buf *out)
{
    nx_str rest = text, line;
    nx_buf_clear(out);
    size_t i = 0;
    bool found = false;
    while (nx_str_split(&rest, '\n', &line)) {
        bool here = i++ == n;
        found |= here;
        size_t colon = nx_str_find(line, NX_STR(":"), 0);
        if (here && form == 0)
            continue; /* left out */
        if (here && form == 1 && colon != SIZE_MAX)
            line = nx_str_sub(line, 0, colon + 1); /* its value lost */
        assert_int_equal(nx_buf_addf(out, NX_STR_FMT "%s\n", NX_STR_ARG(line), here && form == 1 ? " 3" : ""), NX_OK);
        if (here && form == 2) /* there twice */
            assert_int_equal(nx_buf_addf(out, NX_STR_FMT "\n", NX_STR_ARG(line)), NX_OK);
        if (here && form == 3) /* and nothing behind it */
            return true;
    }
    return found;
}

/* Without a sync: there are thousands of them. */
static void write_plain(const folder *f, nx_str text)
{
    char path[96];
    snprintf(path, sizeof path, "%s/a.odcs.yaml", f->path);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text.p, 1, text.n, out), text.n);
    assert_int_equal(fclose(out), 0);
}

/* Whatever is done to a file: a lint tells a problem exactly when it cannot be loaded. */
static void a_lint_agrees_with_loading(void **state)
{
    static const char *const files[] = {"contracts/market/bars.odcs.yaml", "contracts/social/comments.odcs.yaml",
                                        "contracts/quarantine/records.odcs.yaml"};
    const folder *f = *state;
    const char *path = f->path;
    nx_buf text NX_BUF_AUTO, mangled NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    nx_buf_init(&mangled, 0);
    for (size_t k = 0; k < NX_COUNT_OF(files); k++) {
        nx_buf_clear(&text);
        assert_int_equal(nx_file_read(files[k], &text, NULL), NX_OK);
        for (int form = 0; form < 4; form++)
            for (size_t i = 0; mangle(nx_buf_str(&text), i, form, &mangled); i++) {
                nx_contracts *s = NULL;
                nx_lint l;
                nx_err err = {0};
                write_plain(f, nx_buf_str(&mangled));
                bool loaded = nx_contracts_load(path, &s, &err) == NX_OK;
                assert_int_equal(nx_contracts_lint(&path, 1, &l, NULL), NX_OK);
                if (loaded != (l.n == 0))
                    fail_msg("%s, line %zu, form %d: %s, but %zu problems%s%s", files[k], i + 1, form,
                             loaded ? "it loads" : err.text, l.n, l.n > 0 ? ": " : "",
                             l.n > 0 ? l.problems[0].cause : "");
                nx_lint_drop(&l);
                nx_contracts_drop(s);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_one_has_none, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(all_of_a_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_contract, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_against_each_other, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_without_any, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(problems_are_bounded, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_lint_agrees_with_loading, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
