/* What may change between two versions: every kind of change once, every mode for each of them, versions, old versions beyond the last. */
#include "files_kit.h"

#include "contract/evolution.h"

enum { BACK = NX_COMPAT_BACKWARD, FORTH = NX_COMPAT_FORWARD };

static const char base[] =
    "apiVersion: v3.1.0\n"
    "kind: DataContract\n"
    "id: x\n"
    "name: ticks\n"
    "version: 1.2.0\n"
    "status: active\n"
    "domain: market\n"
    "servers:\n"
    "  - {server: lake, type: local, path: /lake, format: delta}\n"
    "slaProperties:\n"
    "  - {property: latency, value: 2, unit: minutes}\n"
    "  - {property: retention, value: 30, unit: d}\n"
    "schema:\n"
    "  - name: ticks\n"
    "    physicalName: bronze.ticks\n"
    "    description: Ticks.\n"
    "    quality: [{metric: rowCount, mustBeGreaterThan: 0}]\n"
    "    customProperties:\n"
    "      - {property: folder, value: bronze/ticks}\n"
    "      - {property: feeds, value: [{feed: f, when: {k: a}, set: {side: buy}}, {feed: g}]}\n"
    "      - {property: knownAt, value: {column: ts}}\n"
    "      - {property: stats, value: [sym]}\n"
    "      - {property: ignore, value: [junk]}\n"
    "    properties:\n"
    "      - {name: sym, logicalType: string, physicalType: string, required: true, description: S., primaryKey: true, "
    "primaryKeyPosition: 1, logicalTypeOptions: {pattern: '^[A-Z]+$', maxLength: 8}, customProperties: [{property: wire, "
    "value: s}]}\n"
    "      - {name: ts, logicalType: timestamp, physicalType: timestamp, required: true, description: T., primaryKey: "
    "true, primaryKeyPosition: 2, customProperties: [{property: wire, value: t}]}\n"
    "      - {name: price, logicalType: number, physicalType: 'decimal(18,6)', required: true, description: P., "
    "logicalTypeOptions: {minimum: 0, maximum: 1000}, customProperties: [{property: wire, value: {f: p, g: price}}]}\n"
    "      - {name: count, logicalType: integer, physicalType: int, description: N., customProperties: [{property: wire, "
    "value: n}]}\n"
    "      - {name: side, logicalType: string, physicalType: string, description: Side., quality: [{metric: "
    "invalidValues, arguments: {validValues: [buy, sell]}, mustBe: 0}], customProperties: [{property: context, value: "
    "true}]}\n"
    "      - {name: tags, logicalType: array, physicalType: 'array<string>', description: Tags., logicalTypeOptions: "
    "{maxItems: 4}, items: {logicalType: string, physicalType: string, logicalTypeOptions: {maxLength: 9}}, "
    "customProperties: [{property: wire, value: g}]}\n"
    "      - {name: day, logicalType: date, physicalType: date, required: true, description: D., partitioned: true, "
    "customProperties: [{property: derive, value: date(ts)}]}\n";

/* A piece of base and what it becomes, then perhaps a second one; NULL: none. */
typedef const char *const edit[4];

static void replace(nx_buf *b, const char *from, const char *to)
{
    nx_buf out NX_BUF_AUTO;
    nx_buf_init(&out, 0);
    const char *at = strstr(b->p, from);
    if (at == NULL)
        fail_msg("'%s' is not in the contract", from);
    assert_int_equal(nx_buf_add(&out, (nx_str){b->p, (size_t)(at - b->p)}), NX_OK);
    assert_int_equal(nx_buf_adds(&out, to), NX_OK);
    assert_int_equal(nx_buf_adds(&out, at + strlen(from)), NX_OK);
    nx_buf_clear(b);
    assert_int_equal(nx_buf_add(b, nx_buf_str(&out)), NX_OK);
}

static nx_contracts *version_of(const folder *f, const char *name, const char *version, const char *const *e)
{
    nx_buf b NX_BUF_AUTO;
    nx_contracts *set = NULL;
    nx_err err = {0};
    char path[160];
    const char *paths[] = {path};
    nx_buf_init(&b, 0);
    assert_int_equal(nx_buf_adds(&b, base), NX_OK);
    replace(&b, "1.2.0", version);
    if (e != NULL && e[0] != NULL)
        replace(&b, e[0], e[1]);
    if (e != NULL && e[2] != NULL)
        replace(&b, e[2], e[3]);
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    write_file(f, name, nx_buf_str(&b));
    if (nx_contracts_load_files(paths, 1, &set, &err) != NX_OK)
        fail_msg("%s", err.text);
    return set;
}

static nx_compat mode_of(const char *text)
{
    nx_compat m;
    assert_int_equal(nx_compat_parse(text, &m, NULL), NX_OK);
    return m;
}

static const struct {
    const char *text;
    unsigned directions;
} modes[] = {{"backward", BACK},
             {"forward", FORTH},
             {"full", BACK | FORTH},
             {"backward-transitive", BACK},
             {"forward-transitive", FORTH},
             {"full-transitive", BACK | FORTH}};

#define ADD_LAST(property) "value: date(ts)}]}\n", "value: date(ts)}]}\n      - " property "\n"
#define COUNT_LINE                                                                                                     \
    "      - {name: count, logicalType: integer, physicalType: int, description: N., customProperties: [{property: wire, value: n}]}\n"

static const struct {
    edit e;
    const char *kind, *at;
    unsigned breaks, risks;
} changes[] = {
    {{ADD_LAST("{name: x, logicalType: string, physicalType: string, description: X., customProperties: [{property: "
               "wire, value: x}]}")},
     "column_added",
     "x",
     0,
     0},
    {{ADD_LAST(
         "{name: x, logicalType: string, physicalType: string, description: X., required: true, customProperties: "
         "[{property: wire, value: x}]}")},
     "required_column_added",
     "x",
     BACK,
     0},
    {{COUNT_LINE, ""}, "column_removed", "count", FORTH, 0},
    {{"name: count", "name: amount"}, "column_renamed", "amount", BACK | FORTH, 0},
    {{COUNT_LINE, "",
      ADD_LAST("{name: count, logicalType: integer, physicalType: int, description: N., "
               "customProperties: [{property: wire, value: n}]}")},
     "column_order",
     "columns",
     0,
     FORTH},
    {{"physicalType: int,", "physicalType: bigint,"}, "type_widened", "count", FORTH, 0},
    {{"decimal(18,6)", "decimal(20,8)"}, "type_widened", "price", FORTH, 0},
    {{"decimal(18,6)", "decimal(18,7)"}, "type_changed", "price", BACK | FORTH, 0},
    {{"logicalType: integer, physicalType: int,", "logicalType: string, physicalType: string,"},
     "type_changed",
     "count",
     BACK | FORTH,
     0},
    {{"description: N.", "required: true, description: N."}, "made_required", "count", BACK, 0},
    {{"required: true, description: P.", "description: P."}, "made_nullable", "price", FORTH, 0},
    {{"minimum: 0", "minimum: 0.5"}, "rule_tightened", "price", BACK, 0},
    {{"minimum: 0", "exclusiveMinimum: 0"}, "rule_tightened", "price", BACK, 0},
    {{"maximum: 1000", "maximum: 999"}, "rule_tightened", "price", BACK, 0},
    {{"maxLength: 8", "maxLength: 7"}, "rule_tightened", "sym", BACK, 0},
    {{"maxLength: 8", "maxLength: 8, minLength: 1"}, "rule_tightened", "sym", BACK, 0},
    {{"maxLength: 9", "maxLength: 8"}, "rule_tightened", "tags", BACK, 0},
    {{"[buy, sell]", "[buy]"}, "rule_tightened", "side", BACK, 0},
    {{"^[A-Z]+$", "^[A-F]+$"}, "rule_tightened", "sym", BACK, 0},
    {{"description: N.", "description: N., logicalTypeOptions: {minimum: 0}"}, "rule_tightened", "count", BACK, 0},
    {{"minimum: 0, ", ""}, "rule_loosened", "price", 0, FORTH},
    {{"maxItems: 4", "maxItems: 5"}, "rule_loosened", "tags", 0, FORTH},
    {{"[buy, sell]", "[sell, buy, none]"}, "rule_loosened", "side", 0, FORTH},
    {{"^[A-Z]+$", "^[A-Z0-9]*$"}, "rule_loosened", "sym", 0, FORTH},
    {{"pattern: '^[A-Z]+$', ", ""}, "rule_loosened", "sym", 0, FORTH},
    {{"[buy, sell]", "[buy, none]"}, "rule_changed", "side", BACK, FORTH},
    {{"^[A-Z]+$", "^[A-Y0-9]+$"}, "rule_changed", "sym", BACK, FORTH},
    {{"primaryKey: true, primaryKeyPosition: 1, ", "", "primaryKey: true, primaryKeyPosition: 2, ", ""},
     "key_removed",
     "key",
     FORTH,
     0},
    {{"required: true, description: P.", "required: true, primaryKey: true, primaryKeyPosition: 3, description: P."},
     "key_extended",
     "key",
     FORTH,
     0},
    {{"primaryKey: true, primaryKeyPosition: 2, ", ""}, "key_shortened", "key", BACK, 0},
    {{"primaryKey: true, primaryKeyPosition: 2, ", "", "required: true, description: P.",
      "required: true, primaryKey: true, primaryKeyPosition: 2, description: P."},
     "key_changed",
     "key",
     BACK | FORTH,
     0},
    {{"description: N.", "unique: true, description: N."}, "unique_added", "count", BACK, 0},
    {{"partitioned: true, ", ""}, "partition_changed", "partition", 0, 0},
    {{"value: {f: p, g: price}", "value: {f: p}"}, "wire_removed", "price", BACK, 0},
    {{"value: n}", "value: nn}"}, "wire_renamed", "count", BACK | FORTH, 0},
    {{"{property: wire, value: {f: p, g: price}}",
      "{property: wire, value: {f: p, g: price}}, {property: wireFormat, value: decimal_text}"},
     "wire_form_widened",
     "price",
     0,
     FORTH},
    {{"{property: wire, value: t}", "{property: wire, value: t}, {property: wireFormat, value: epoch_seconds}"},
     "wire_form_changed",
     "ts",
     BACK | FORTH,
     0},
    {{"{property: wire, value: n}", "{property: context, value: true}"}, "source_changed", "count", BACK | FORTH, 0},
    {{"set: {side: buy}", "set: {side: sell}"}, "meaning_changed", "side", FORTH, 0},
    {{"{column: ts}", "{column: at}", "value: t}]}\n",
      "value: t}]}\n      - {name: at, logicalType: timestamp, physicalType: timestamp, required: true, description: A., "
      "customProperties: [{property: wire, value: at}]}\n"},
     "meaning_changed",
     "knownAt",
     BACK | FORTH,
     0},
    {{"{feed: g}", "{feed: g}, {feed: h, when: {k: b}}"}, "feed_added", "feeds", 0, 0},
    {{"{feed: f, when: {k: a}, set: {side: buy}}, {feed: g}", "{feed: f, when: {k: a}, set: {side: buy}}"},
     "feed_removed",
     "feeds",
     BACK,
     0},
    {{"when: {k: a}", "when: {k: b}"}, "feed_changed", "feeds", BACK | FORTH, 0},
    {{"value: [junk]", "value: [junk, more]"}, "ignore_added", "ignore", 0, FORTH},
    {{"      - {property: ignore, value: [junk]}\n", ""}, "ignore_removed", "ignore", 0, 0},
    {{"physicalName: bronze.ticks", "physicalName: silver.ticks"}, "table_renamed", "table", BACK | FORTH, 0},
    {{"value: bronze/ticks", "value: bronze/tocks"}, "table_moved", "folder", FORTH, 0},
    {{"value: [sym]", "value: [sym, ts]"}, "statistics_changed", "stats", 0, 0},
    {{"format: delta}\n", "format: delta}\n  - {server: copy, type: local, path: /copy, format: delta}\n"},
     "server_added",
     "servers",
     0,
     0},
    {{"servers:\n  - {server: lake, type: local, path: /lake, format: delta}\n", ""},
     "server_removed",
     "servers",
     FORTH,
     0},
    {{"path: /lake", "path: /pond"}, "server_changed", "servers.lake", FORTH, 0},
    {{"  - {property: retention, value: 30, unit: d}\n",
      "  - {property: retention, value: 30, unit: d}\n  - {property: availability, value: 99.9}\n"},
     "service_level_added",
     "slaProperties.availability",
     0,
     BACK},
    {{"  - {property: retention, value: 30, unit: d}\n", ""},
     "service_level_removed",
     "slaProperties.retention",
     FORTH,
     0},
    {{"value: 2, unit: minutes", "value: 3, unit: minutes"},
     "service_level_loosened",
     "slaProperties.latency",
     FORTH,
     0},
    {{"value: 30, unit: d", "value: 4, unit: weeks"}, "service_level_loosened", "slaProperties.retention", FORTH, 0},
    {{"value: 2, unit: minutes", "value: 119, unit: s"}, "service_level_tightened", "slaProperties.latency", 0, BACK},
    {{"value: 2, unit: minutes", "value: soon"}, "service_level_changed", "slaProperties.latency", 0, BACK | FORTH},
    {{"value: 2, unit: minutes", "value: 120, unit: s"}, "documentation_changed", "slaProperties.latency", 0, 0},
    {{"[{metric: rowCount, mustBeGreaterThan: 0}]",
      "[{metric: rowCount, mustBeGreaterThan: 0}, {metric: duplicateValues, arguments: {properties: [sym, ts]}, mustBe: 0}]"},
     "check_added",
     "table",
     0,
     BACK},
    {{"    quality: [{metric: rowCount, mustBeGreaterThan: 0}]\n", ""}, "check_removed", "table", 0, FORTH},
    {{"description: N.", "description: N., relationships: [{to: other.count}]"},
     "relationship_added",
     "count",
     0,
     BACK},
    {{"description: N.", "description: N., classification: restricted"}, "classification_changed", "count", 0, FORTH},
    {{"status: active", "status: deprecated"}, "deprecated", "status", 0, FORTH},
    {{"status: active", "status: retired"}, "retired", "status", FORTH, 0},
    {{"status: active", "status: draft"}, "status_changed", "status", 0, 0},
    {{"description: N.", "description: Something else."}, "description_changed", "count", 0, 0},
    {{"domain: market", "domain: other"}, "documentation_changed", "domain", 0, 0},
    {{"description: N.", "description: N., examples: [3]"}, "documentation_changed", "count.examples", 0, 0},
};

static const nx_contract_change *find_change(const nx_contract_diff *d, const char *kind, const char *at)
{
    for (size_t i = 0; i < d->n; i++)
        if (strcmp(d->changes[i].kind, kind) == 0 && strcmp(d->changes[i].at, at) == 0)
            return &d->changes[i];
    return NULL;
}

static void tell_all(const nx_contract_diff *d)
{
    for (size_t i = 0; i < d->n; i++)
        print_message("  %s %s: '%s' -> '%s' breaks %u risks %u\n", d->changes[i].kind, d->changes[i].at,
                      d->changes[i].was, d->changes[i].now, d->changes[i].breaks, d->changes[i].risks);
}

/* One old and one new contract in all six modes, with risks and without; major: whether the version has moved enough. */
static void judge(size_t i, const nx_contracts *old, const nx_contracts *now, unsigned breaks, unsigned risks,
                  bool major)
{
    const nx_contract *c = nx_contracts_at(old, 0);
    for (size_t m = 0; m < NX_COUNT_OF(modes); m++)
        for (int strict = 0; strict < 2; strict++) {
            nx_compat mode = mode_of(modes[m].text);
            nx_evolution e;
            nx_err err = {0};
            mode.strict = strict == 1;
            if (nx_contract_evolve(&c, 1, nx_contracts_at(now, 0), mode, &e, &err) != NX_OK)
                fail_msg("%s", err.text);
            unsigned counted = breaks | (strict == 1 ? risks : 0);
            bool refused = !major && (counted & modes[m].directions) != 0;
            if (e.refused != refused || e.diffs[0].breaks != breaks || e.diffs[0].risks != risks) {
                tell_all(&e.diffs[0]);
                fail_msg("case %zu, %s%s: refused %d, expected %d; breaks %u, risks %u", i, modes[m].text,
                         strict ? " strict" : "", e.refused, refused, e.diffs[0].breaks, e.diffs[0].risks);
            }
            nx_evolution_drop(&e);
        }
}

static void every_kind_in_every_mode(void **state)
{
    const folder *f = *state;
    nx_contracts *old = version_of(f, "old.odcs.yaml", "1.2.0", NULL);
    for (size_t i = 0; i < NX_COUNT_OF(changes); i++) {
        nx_contracts *now = version_of(f, "now.odcs.yaml", "1.3.0", changes[i].e);
        nx_contracts *major = version_of(f, "major.odcs.yaml", "2.0.0", changes[i].e);
        const nx_contract *c = nx_contracts_at(old, 0);
        nx_evolution e;
        assert_int_equal(nx_contract_evolve(&c, 1, nx_contracts_at(now, 0), mode_of("full"), &e, NULL), NX_OK);
        const nx_contract_change *found = find_change(&e.diffs[0], changes[i].kind, changes[i].at);
        if (found == NULL) {
            tell_all(&e.diffs[0]);
            fail_msg("case %zu: no %s at %s", i, changes[i].kind, changes[i].at);
        }
        assert_true(found->why[0] != '\0');
        assert_int_equal(e.diffs[0].bump == NX_BUMP_MAJOR, changes[i].breaks != 0);
        assert_int_equal(e.diffs[0].moved, NX_BUMP_MINOR);
        nx_evolution_drop(&e);
        judge(i, old, now, changes[i].breaks, changes[i].risks, false);
        judge(i, old, major, changes[i].breaks, changes[i].risks, true);
        nx_contracts_drop(now);
        nx_contracts_drop(major);
    }
    nx_contracts_drop(old);
}

/* The same changes taken back: what broke one direction breaks the other, or nothing was lost. */
static void changes_taken_back(void **state)
{
    static const struct {
        const char *there, *back;
    } v[] = {{"column_added", "column_removed"},
             {"required_column_added", "column_removed"},
             {"column_removed", "column_added"},
             {"made_required", "made_nullable"},
             {"made_nullable", "made_required"},
             {"rule_tightened", "rule_loosened"},
             {"rule_loosened", "rule_tightened"},
             {"rule_changed", "rule_changed"},
             {"key_removed", "key_added"},
             {"key_extended", "key_shortened"},
             {"key_shortened", "key_extended"},
             {"unique_added", "unique_removed"},
             {"wire_removed", "wire_added"},
             {"feed_added", "feed_removed"},
             {"feed_removed", "feed_added"},
             {"ignore_added", "ignore_removed"},
             {"server_added", "server_removed"},
             {"check_added", "check_removed"},
             {"relationship_added", "relationship_removed"},
             {"service_level_added", "service_level_removed"},
             {"type_widened", "type_changed"},
             {"wire_form_widened", "wire_form_changed"}};
    const folder *f = *state;
    nx_contracts *old = version_of(f, "old.odcs.yaml", "1.2.0", NULL);
    for (size_t i = 0; i < NX_COUNT_OF(changes); i++)
        for (size_t k = 0; k < NX_COUNT_OF(v); k++) {
            if (strcmp(changes[i].kind, v[k].there) != 0)
                continue;
            nx_contracts *now = version_of(f, "now.odcs.yaml", "1.3.0", changes[i].e);
            const nx_contract *c = nx_contracts_at(now, 0);
            nx_evolution e;
            assert_int_equal(nx_contract_evolve(&c, 1, nx_contracts_at(old, 0), mode_of("full"), &e, NULL), NX_OK);
            if (find_change(&e.diffs[0], v[k].back, changes[i].at) == NULL) {
                tell_all(&e.diffs[0]);
                fail_msg("case %zu: back from %s there is no %s", i, v[k].there, v[k].back);
            }
            assert_true(e.diffs[0].older);
            nx_evolution_drop(&e);
            nx_contracts_drop(now);
        }
    nx_contracts_drop(old);
}

static void what_is_no_change(void **state)
{
    static edit v[] = {
        {NULL, NULL, NULL, NULL},
        {"minimum: 0,", "minimum: 0.000,", NULL, NULL},
        {"^[A-Z]+$", "^[A-Z][A-Z]*$", NULL, NULL},
        {"[buy, sell]", "[sell, buy]", NULL, NULL},
        {"primaryKeyPosition: 1", "primaryKeyPosition: 1", NULL, NULL},
    };
    const folder *f = *state;
    nx_contracts *old = version_of(f, "old.odcs.yaml", "1.2.0", NULL);
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_contracts *now = version_of(f, "now.odcs.yaml", "1.2.0", v[i]);
        const nx_contract *c = nx_contracts_at(old, 0);
        nx_evolution e;
        assert_int_equal(nx_contract_evolve(&c, 1, nx_contracts_at(now, 0), mode_of("full"), &e, NULL), NX_OK);
        if (e.diffs[0].n != 0) {
            tell_all(&e.diffs[0]);
            fail_msg("case %zu: %zu changes", i, e.diffs[0].n);
        }
        assert_int_equal(e.diffs[0].bump, NX_BUMP_NONE);
        assert_int_equal(e.diffs[0].moved, NX_BUMP_NONE);
        nx_evolution_drop(&e);
        nx_contracts_drop(now);
    }
    nx_contracts_drop(old);
}

/* A key in another order, and one whose column has another name. */
static void keys_follow_their_columns(void **state)
{
    static edit turned = {"primaryKeyPosition: 1", "primaryKeyPosition: 9", "primaryKeyPosition: 2",
                          "primaryKeyPosition: 1"};
    const folder *f = *state;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_contracts *old = version_of(f, "old.odcs.yaml", "1.2.0", NULL), *now = NULL;
    const nx_contract *c = nx_contracts_at(old, 0);
    nx_evolution e;
    assert_int_equal(nx_buf_adds(&b, base), NX_OK);
    replace(&b, turned[0], turned[1]);
    replace(&b, turned[2], turned[3]);
    replace(&b, "primaryKeyPosition: 9", "primaryKeyPosition: 2");
    write_file(f, "now.odcs.yaml", nx_buf_str(&b));
    char path[160];
    snprintf(path, sizeof path, "%s/now.odcs.yaml", f->path);
    assert_int_equal(nx_contracts_load_files((const char *[]){path}, 1, &now, NULL), NX_OK);
    assert_int_equal(nx_contract_evolve(&c, 1, nx_contracts_at(now, 0), mode_of("full"), &e, NULL), NX_OK);
    assert_non_null(find_change(&e.diffs[0], "key_order", "key"));
    assert_int_equal(e.diffs[0].breaks, 0);
    nx_evolution_drop(&e);
    nx_contracts_drop(now);
    now =
        version_of(f, "now.odcs.yaml", "1.3.0", (edit){"name: sym", "name: ticker", "value: [sym]", "value: [ticker]"});
    assert_int_equal(nx_contract_evolve(&c, 1, nx_contracts_at(now, 0), mode_of("full"), &e, NULL), NX_OK);
    assert_non_null(find_change(&e.diffs[0], "column_renamed", "ticker"));
    assert_null(find_change(&e.diffs[0], "key_changed", "key"));
    nx_evolution_drop(&e);
    nx_contracts_drop(now);
    nx_contracts_drop(old);
}

/* Removed and brought back as another type: each step passes backward, both together do not. */
static void old_versions_beyond_the_last(void **state)
{
    static edit without = {COUNT_LINE, "", NULL, NULL};
    static edit text = {"logicalType: integer, physicalType: int,", "logicalType: string, physicalType: string,", NULL,
                        NULL};
    const folder *f = *state;
    nx_contracts *v1 = version_of(f, "1.odcs.yaml", "1.0.0", NULL),
                 *v2 = version_of(f, "2.odcs.yaml", "1.1.0", without);
    nx_contracts *v3 = version_of(f, "3.odcs.yaml", "1.2.0", text),
                 *v4 = version_of(f, "4.odcs.yaml", "1.2.0", without);
    const nx_contract *old[] = {nx_contracts_at(v1, 0), nx_contracts_at(v2, 0)};
    const struct {
        const nx_contracts *now;
        const char *mode;
        bool all, refused;
    } v[] = {
        {v3, "backward", false, false},
        {v3, "backward-transitive", true, true},
        {v3, "full", false, false},
        {v3, "full-transitive", true, true},
        {v4, "forward", false, false},
        {v4, "forward-transitive", true, true},
        {v4, "backward-transitive", true, false},
        {v4, "full-transitive", true, true},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_evolution e;
        assert_int_equal(nx_contract_evolve(v[i].all ? old : old + 1, v[i].all ? 2 : 1, nx_contracts_at(v[i].now, 0),
                                            mode_of(v[i].mode), &e, NULL),
                         NX_OK);
        if (e.refused != v[i].refused)
            fail_msg("case %zu, %s: refused %d", i, v[i].mode, e.refused);
        assert_int_equal(e.n, v[i].all ? 2 : 1);
        nx_evolution_drop(&e);
    }
    nx_evolution e;
    nx_err err = {0};
    assert_int_equal(nx_contract_evolve(old, 2, nx_contracts_at(v3, 0), mode_of("full"), &e, &err), NX_INVALID);
    assert_non_null(strstr(err.hint, "-transitive"));
    nx_evolution_drop(&e);
    nx_contracts_drop(v1);
    nx_contracts_drop(v2);
    nx_contracts_drop(v3);
    nx_contracts_drop(v4);
}

static void versions_and_modes(void **state)
{
    static const struct {
        const char *was, *now;
        nx_bump moved;
        bool older;
    } v[] = {{"1.2.0", "1.2.0", NX_BUMP_NONE, false},    {"1.2.0", "1.2.1", NX_BUMP_PATCH, false},
             {"1.2.0", "1.3.0", NX_BUMP_MINOR, false},   {"1.2.9", "1.10.0", NX_BUMP_MINOR, false},
             {"1.2.0", "2.0.0", NX_BUMP_MAJOR, false},   {"9.0.0", "10.0.0", NX_BUMP_MAJOR, false},
             {"2.0.0", "1.9.9", NX_BUMP_NONE, true},     {"'1'", "'1.1'", NX_BUMP_MINOR, false},
             {"1.0.0-rc1", "1.0.0", NX_BUMP_NONE, false}};
    const folder *f = *state;
    nx_compat m;
    nx_err err = {0};
    nx_evolution e;
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_contracts *old = version_of(f, "a.odcs.yaml", v[i].was, NULL),
                     *now = version_of(f, "b.odcs.yaml", v[i].now, NULL);
        const nx_contract *c = nx_contracts_at(old, 0);
        assert_int_equal(nx_contract_evolve(&c, 1, nx_contracts_at(now, 0), mode_of("full"), &e, &err), NX_OK);
        assert_int_equal(e.diffs[0].moved, v[i].moved);
        assert_int_equal(e.diffs[0].older, v[i].older);
        nx_evolution_drop(&e);
        nx_contracts_drop(old);
        nx_contracts_drop(now);
    }
    assert_int_equal(nx_compat_parse("sideways", &m, &err), NX_INVALID);
    assert_int_equal(nx_compat_parse("", &m, &err), NX_INVALID);
    assert_int_equal(nx_compat_parse("-transitive", &m, &err), NX_INVALID);
    assert_non_null(strstr(err.hint, "full-transitive"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_in_every_mode, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(changes_taken_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_change, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(keys_follow_their_columns, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(old_versions_beyond_the_last, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(versions_and_modes, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
