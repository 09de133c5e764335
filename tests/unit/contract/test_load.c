/* Loading: the project's contracts, and every error with its place. */
#include "files_kit.h"

#include "contract/lint.h"

static void project_contracts(void **state)
{
    (void)state;
    static const char *const tables[] = {
        "bronze.trades",     "bronze.quotes", "bronze.bars",       "bronze.corrections", "bronze.cancels",
        "bronze.statuses",   "bronze.lulds",  "bronze.imbalances", "bronze.assets",      "bronze.corporate_actions",
        "bronze.calendar",   "bronze.posts",  "bronze.comments",   "bronze.subreddits",  "bronze.gaps",
        "quarantine.records"};
    nx_contracts *s = NULL;
    nx_err err = {0};
    if (nx_contracts_load("contracts", &s, &err) != NX_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < NX_COUNT_OF(tables); i++) {
        const nx_contract *c = nx_contracts_find(s, tables[i]);
        if (c == NULL)
            fail_msg("%s is missing", tables[i]);
        const nx_schema *schema = nx_contract_schema(c);
        for (size_t k = 0; k < schema->n_fields; k++)
            assert_true(schema->fields[k].comment != NULL && schema->fields[k].comment[0] != '\0');
        bool bronze = strncmp(tables[i], "bronze.", 7) == 0;
        assert_true((nx_schema_find(schema, NX_STR("_known_at")) != SIZE_MAX) == bronze);
        assert_string_equal(nx_contract_table(c), tables[i]);
        assert_true(strlen(nx_contract_description(c)) > 0 && strlen(nx_contract_folder(c)) > 0);
    }
    assert_string_equal(nx_contract_id(nx_contracts_find(s, "bronze.trades")), "trades@1.0.0");
    assert_string_equal(nx_contract_folder(nx_contracts_find(s, "bronze.trades")), "bronze/market/trades");
    assert_string_equal(nx_contract_partition(nx_contracts_find(s, "bronze.trades"))[0], "event_date");
    assert_null(nx_contract_stats(nx_contracts_find(s, "bronze.trades")));
    const char *const *stats = nx_contract_stats(nx_contracts_find(s, "bronze.posts"));
    for (; *stats != NULL; stats++) /* no text in a log */
        assert_true(strcmp(*stats, "title") != 0 && strcmp(*stats, "selftext") != 0 && strcmp(*stats, "author") != 0);
    assert_null(nx_contracts_find(s, "bronze.nothing"));
    nx_contracts_drop(s);
}

static void minimal_contract_works(void **state)
{
    nx_contracts *s = NULL;
    nx_err err = {0};
    write_file(*state, "a.odcs.yaml", nx_str_of(minimal));
    write_file(*state, "notes.txt", NX_STR("not a contract"));
    if (nx_contracts_load(((folder *)*state)->path, &s, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(nx_contracts_count(s), 1);
    assert_int_equal(nx_contract_schema(nx_contracts_at(s, 0))->n_fields, 3 + 8);
    nx_contracts_drop(s);
}

/* What loading refuses is among the problems of a lint, in the same words. */
static bool lint_tells(const folder *f, const nx_err *refusal)
{
    const char *path = f->path;
    nx_lint l;
    bool found = false;
    assert_int_equal(nx_contracts_lint(&path, 1, &l, NULL), NX_OK);
    for (size_t i = 0; i < l.n && !found; i++)
        found = nx_str_ends(nx_str_of(refusal->text), nx_str_of(l.problems[i].cause)) &&
                strcmp(refusal->hint, l.problems[i].hint) == 0;
    nx_lint_drop(&l);
    return found;
}

static void errors_name_their_place(void **state)
{
    static const struct {
        const char *from, *to, *text, *hint;
    } v[] = {
        {"status: active", "statuss: active", ":6:", "did you mean 'status'?"},
        {"version: 1.2.0", "version: 1", ":5:", "quotes"},
        {"version: 1.2.0\n", "", "needs the key 'version'", ""},
        {"version: 1.2.0", "version: ../1.2.0", ":5:", ""},
        {"version: 1.2.0", "version: '1.2 0'", ":5:", ""},
        {"version: 1.2.0", "version: v1", ":5:", "1.2.0"},
        {"version: 1.2.0", "version: 1..2", "MAJOR.MINOR.PATCH", "1.2.0"},
        {"version: 1.2.0", "version: 1.x", "MAJOR.MINOR.PATCH", "1.2.0"},
        {"version: 1.2.0", "version: 1.2.0.4", "MAJOR.MINOR.PATCH", "1.2.0"},
        {"version: 1.2.0", "version: ''", ":5:", ""},
        {"kind: DataContract", "kind: Thing", ":2:", ""},
        {"v3.1.0", "v2.2.2", ":1:", ""},
        {"name: sym, logicalType: string, physicalType: string", "name: sym, logicalType: string, physicalType: strin",
         ":16:", "did you mean string?"},
        {"name: sym, logicalType: string", "name: sym, logicalType: integer", "goes with logicalType string", ""},
        {"required: true, description: S.", "required: yes please, description: S.", ":16:", ""},
        {"description: S.", "descripton: S.", ":16:", "did you mean 'description'?"},
        {"description: S., ", "", "needs a description", ""},
        {"{property: wire, value: s}", "{property: wirre, value: s}", "'wirre' is not known", "did you mean 'wire'?"},
        {"{property: wire, value: s}", "{property: other, value: s}", "has no source", ""},
        {"{property: wire, value: s}", "{property: wire, value: t}", "stands for two columns", ""},
        {"value: date(ts)", "value: date(tss)", ":18:", "did you mean 'ts'?"},
        {"value: date(ts)", "value: dat(ts)", "derive: 'dat' is not known", "month(ts)"},
        {"value: date(ts)", "value: month(ts)", "does not fit the types", ""},
        {"{column: ts}", "{column: sym}", "must be a required timestamp", ""},
        {"value: bronze/ticks", "value: ../ticks", "inside the lake", ""},
        {"bronze.ticks", "ticks", "physicalName must be SCHEMA.ticks", ""},
        {"name: sym", "name: _sym", "names that begin with _", ""},
        {"name: ts,", "name: sym,", "is there twice", ""},
        {"description: S.", "description: S., logicalTypeOptions: {pattern: '('}", "')' expected", ""},
        {"description: S.", "description: S., logicalTypeOptions: {enum: [a]}",
         "'enum' is not a key of logicalTypeOptions", ""},
        {"description: S.", "description: S., logicalTypeOptions: {multipleOf: 2}", "'multipleOf' is not supported",
         ""},
        {"description: S.", "description: S., logicalTypeOptions: {minLength: 3, maxLength: 2}",
         "smallest length is larger", ""},
        {"description: S.", "description: S., logicalTypeOptions: {minimum: 3}", "a bound needs", ""},
        {"{feed: f, when: {k: a}}", "{feed: f, wen: {k: a}}", "'wen' is not a key of a feed", ""},
        {"{feed: f, when: {k: a}}", "{feed: f, when: {k: a}}, {feed: f, when: {k: a}}", "listed twice", ""},
        {"{feed: f, when: {k: a}}", "{feed: f, set: {sym: x}}", "context: true", ""},
        {"partitioned: true", "partitioned: true, partitionKeyPosition: 3", "hole", ""},
        {"schema:\n", "schema: [\n", "a.odcs.yaml", ""},
        {"id: x\n", "id: x\nid: y\n", "a.odcs.yaml", ""},
    };
    const folder *f = *state;
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_contracts *s = NULL;
        nx_err err = {0};
        write_changed(f, "a.odcs.yaml", v[i].from, v[i].to);
        nx_status st = nx_contracts_load(f->path, &s, &err);
        if (st != NX_INVALID && st != NX_UNSUPPORTED)
            fail_msg("case %zu: %s -> %s: status %s", i, v[i].from, v[i].to, nx_status_name(st));
        if (strstr(err.text, v[i].text) == NULL || strstr(err.text, "a.odcs.yaml") == NULL ||
            strstr(err.hint, v[i].hint) == NULL)
            fail_msg("case %zu: '%s' (hint '%s') lacks '%s' or '%s'", i, err.text, err.hint, v[i].text, v[i].hint);
        if (!lint_tells(f, &err))
            fail_msg("case %zu: a lint does not tell '%s'", i, err.text);
    }
}

static void contracts_may_not_collide(void **state)
{
    const folder *f = *state;
    nx_contracts *s = NULL;
    nx_err err = {0};
    write_file(f, "a.odcs.yaml", nx_str_of(minimal));
    write_file(f, "b.odcs.yaml", nx_str_of(minimal));
    assert_int_equal(nx_contracts_load(f->path, &s, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "has a contract already"));
    write_changed(
        f, "b.odcs.yaml",
        "name: ticks\nversion: 1.2.0\nstatus: active\nschema:\n  - name: ticks\n    physicalName: bronze.ticks",
        "name: tocks\nversion: 1.2.0\nstatus: active\nschema:\n  - name: tocks\n    physicalName: bronze.tocks");
    assert_int_equal(nx_contracts_load(f->path, &s, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "belongs to"));
}

/* What was loaded can be kept and loaded again under another name, whatever became of its file. */
static void source_and_hash(void **state)
{
    const folder *f = *state;
    nx_contracts *s = NULL, *again = NULL;
    nx_err err = {0};
    write_file(f, "a.odcs.yaml", nx_str_of(minimal));
    assert_int_equal(nx_contracts_load(f->path, &s, &err), NX_OK);
    write_file(f, "a.odcs.yaml", NX_STR("gone"));
    const nx_contract *c = nx_contracts_at(s, 0);
    assert_true(nx_str_eq(nx_contract_source(c), nx_str_of(minimal)));
    char hash[NX_CONTRACT_HASH_N + 1];
    nx_contract_hash_of(NX_STR("abc"), hash); /* FIPS 180-4 */
    assert_string_equal(hash, "ba7816bf8f01cfea");
    nx_contract_hash_of(nx_str_of(minimal), hash);
    assert_string_equal(nx_contract_hash(c), hash);
    assert_int_equal(strlen(hash), NX_CONTRACT_HASH_N);

    char kept[160];
    snprintf(kept, sizeof kept, "%s/%s-%s", f->path, nx_contract_id(c), hash);
    assert_int_equal(nx_file_create(kept, nx_contract_source(c), &err), NX_OK);
    nx_contracts_drop(s);
    assert_int_equal(nx_contracts_load_files((const char *[]){kept}, 1, &again, &err), NX_OK);
    assert_int_equal(nx_contracts_count(again), 1);
    assert_string_equal(nx_contract_id(nx_contracts_at(again, 0)), "ticks@1.2.0");
    assert_string_equal(nx_contract_hash(nx_contracts_at(again, 0)), hash);
    assert_string_equal(nx_contract_file(nx_contracts_at(again, 0)), kept);
    nx_contracts_drop(again);
    assert_int_equal(nx_contracts_load_files((const char *[]){kept, kept}, 2, &again, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "has a contract already"));
    assert_int_equal(nx_contracts_load_files((const char *[]){"/nonexistent"}, 1, &again, &err), NX_NOT_FOUND);
}

static void all_files_are_looked_at(void **state)
{
    const folder *f = *state;
    nx_contracts *s = NULL;
    nx_err err = {0};
    assert_int_equal(nx_contracts_load(f->path, &s, &err), NX_NOT_FOUND);
    write_file(f, "a.odcs.yaml", NX_STR("kind: x\n"));
    write_file(f, "b.odcs.yaml", NX_STR("kind: x\n"));
    write_file(f, "c.odcs.yaml", nx_str_of(minimal));
    assert_int_equal(nx_contracts_load(f->path, &s, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "a.odcs.yaml"));
    assert_non_null(strstr(err.text, "1 more file"));
    assert_int_not_equal(nx_contracts_load("/nonexistent", &s, &err), NX_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(project_contracts),
        cmocka_unit_test_setup_teardown(minimal_contract_works, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(errors_name_their_place, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(contracts_may_not_collide, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(source_and_hash, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(all_files_are_looked_at, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
