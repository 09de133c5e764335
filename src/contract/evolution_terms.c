/* What surrounds the columns of two versions: the table's name and place, servers, service levels, checks, relationships, status, texts. */
#include "contract/evolution_int.h"
#include "data/decimal.h"

static nx_str text_of(const nx_val *v, const char *key)
{
    return nx_val_str(nx_val_get(v, key), NX_STR(""));
}

/* A value as JSON in the arena; "" for none. NULL: no memory. */
static const char *json_of(nx_arena *a, const nx_val *v)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    if (v == NULL)
        return "";
    return nx_val_to_json(v, &b) == NX_OK ? nx_arena_dup(a, nx_buf_str(&b)) : NULL;
}

/* Notes a change where the two values differ. */
static nx_status compare_value(nx__evo *e, nx_change_kind kind, const char *at, const nx_val *was, const nx_val *now)
{
    const char *a = json_of(e->a, was), *b = json_of(e->a, now);
    if (a == NULL || b == NULL)
        return nx_nomem(e->err);
    return strcmp(a, b) == 0 ? NX_OK : nx__evo_note(e, kind, at, a, b);
}

/* The same where the values may be long: only the place is told. */
static nx_status compare_texts(nx__evo *e, nx_change_kind kind, const char *at, const nx_val *was, const nx_val *now)
{
    const char *a = json_of(e->a, was), *b = json_of(e->a, now);
    if (a == NULL || b == NULL)
        return nx_nomem(e->err);
    return strcmp(a, b) == 0 ? NX_OK : nx__evo_note(e, kind, at, "", "");
}

static const char *path(nx__evo *e, const char *at, const char *key)
{
    return at[0] == '\0' ? key : nx_arena_printf(e->a, "%s.%s", at, key);
}

/* ------------------------------------------------------------------ lists */

typedef bool (*keep_fn)(const nx_val *item);

static nx_status missing(nx__evo *e, const nx_val *from, const nx_val *in, keep_fn keep, nx_change_kind kind,
                         const char *at, bool added)
{
    for (size_t i = 0; from != NULL && i < from->n; i++) {
        if (keep != NULL && !keep(&from->items[i]))
            continue;
        const char *a = json_of(e->a, &from->items[i]), *b = NULL;
        bool found = false;
        for (size_t k = 0; in != NULL && k < in->n && !found && a != NULL; k++) {
            b = json_of(e->a, &in->items[k]);
            found = b != NULL && strcmp(a, b) == 0;
        }
        if (a == NULL)
            return nx_nomem(e->err);
        if (!found)
            NX_TRY(nx__evo_note(e, kind, at, added ? "" : a, added ? a : ""));
    }
    return NX_OK;
}

static nx_status compare_sets(nx__evo *e, const nx_val *was, const nx_val *now, keep_fn keep, nx_change_kind removed,
                              nx_change_kind added, const char *at)
{
    NX_TRY(missing(e, was, now, keep, removed, at, false));
    return missing(e, now, was, keep, added, at, true);
}

/* Not enforced on the wire, or it is a rule already (rules.c). */
static bool is_scan(const nx_val *rule)
{
    bool wire = nx_str_is(text_of(rule, "metric"), "invalidValues") &&
                nx_str_is(nx_val_get(rule, "mustBe") == NULL ? NX_STR("") : nx_val_get(rule, "mustBe")->s, "0");
    return !wire;
}

/* ------------------------------------------------------------------ servers */

static bool is_note(nx_str key)
{
    static const char *const notes[] = {"description", "roles", "customProperties", "environment", "id"};
    for (size_t i = 0; i < NX_COUNT_OF(notes); i++)
        if (nx_str_is(key, notes[i]))
            return true;
    return false;
}

static const nx_val *find(const nx_val *list, const char *key, nx_str value)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_eq(text_of(&list->items[i], key), value))
            return &list->items[i];
    return NULL;
}

static nx_status compare_server(nx__evo *e, const char *at, const nx_val *was, const nx_val *now)
{
    for (size_t i = 0; i < now->n; i++)
        if (!is_note(now->keys[i]))
            NX_TRY(compare_value(e, NX_CHANGE_server_changed, at, nx_val_get(was, now->keys[i].p), &now->items[i]));
    for (size_t i = 0; i < was->n; i++)
        if (!is_note(was->keys[i]) && nx_val_get(now, was->keys[i].p) == NULL)
            NX_TRY(compare_value(e, NX_CHANGE_server_changed, at, &was->items[i], NULL));
    return NX_OK;
}

static nx_status compare_servers(nx__evo *e)
{
    const nx_val *was = nx_val_get(e->old.root, "servers"), *now = nx_val_get(e->now.root, "servers");
    for (size_t i = 0; was != NULL && i < was->n; i++) {
        nx_str name = text_of(&was->items[i], "server");
        const nx_val *w = find(now, "server", name);
        if (w == NULL)
            NX_TRY(nx__evo_note(e, NX_CHANGE_server_removed, "servers", name.p, ""));
        else
            NX_TRY(compare_server(e, path(e, "servers", name.p), &was->items[i], w));
    }
    for (size_t i = 0; now != NULL && i < now->n; i++) {
        nx_str name = text_of(&now->items[i], "server");
        if (find(was, "server", name) == NULL)
            NX_TRY(nx__evo_note(e, NX_CHANGE_server_added, "servers", "", name.p));
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ service levels */

/* Unit in seconds; 0: no unit of time. */
static int64_t seconds_of(nx_str unit)
{
    static const struct {
        const char *one;
        int64_t seconds;
    } units[] = {{"s", 1},          {"second", 1},   {"seconds", 1},     {"m", 60},          {"min", 60},
                 {"minute", 60},    {"minutes", 60}, {"h", 3600},        {"hour", 3600},     {"hours", 3600},
                 {"d", 86400},      {"day", 86400},  {"days", 86400},    {"w", 604800},      {"week", 604800},
                 {"weeks", 604800}, {"y", 31557600}, {"year", 31557600}, {"years", 31557600}};
    for (size_t i = 0; i < NX_COUNT_OF(units); i++)
        if (nx_str_eq_nocase(unit, nx_str_of(units[i].one)))
            return units[i].seconds;
    return 0;
}

/* -1: a smaller value promises more; +1: a larger one does; 0: not known. */
static int promise_of(nx_str property)
{
    static const char *const smaller[] = {"latency",      "freshness",    "frequency",   "errorRate",
                                          "timeToDetect", "timeToNotify", "timeToRepair"};
    static const char *const larger[] = {"availability", "throughput", "retention"};
    for (size_t i = 0; i < NX_COUNT_OF(smaller); i++)
        if (nx_str_eq_nocase(property, nx_str_of(smaller[i])))
            return -1;
    for (size_t i = 0; i < NX_COUNT_OF(larger); i++)
        if (nx_str_eq_nocase(property, nx_str_of(larger[i])))
            return 1;
    return 0;
}

static nx_change_kind level_kind(const nx_val *was, const nx_val *now)
{
    const nx_val *a = nx_val_get(was, "value"), *b = nx_val_get(now, "value");
    nx_str unit_a = text_of(was, "unit"), unit_b = text_of(now, "unit");
    int64_t s = nx_str_eq(unit_a, unit_b) ? 1 : seconds_of(unit_a),
            t = nx_str_eq(unit_a, unit_b) ? 1 : seconds_of(unit_b);
    int way = promise_of(text_of(now, "property"));
    __int128 x, y;
    if (way == 0 || s == 0 || t == 0 || a == NULL || b == NULL || a->kind != NX_VAL_NUM || b->kind != NX_VAL_NUM ||
        nx_dec_parse(a->s, 27, 9, &x) != NX_DEC_OK || nx_dec_parse(b->s, 27, 9, &y) != NX_DEC_OK)
        return NX_CHANGE_service_level_changed;
    x *= s; /* at most 10^27 * 10^8 */
    y *= t;
    if (x == y)
        return NX_CHANGE_documentation_changed;
    return (y > x) == (way > 0) ? NX_CHANGE_service_level_tightened : NX_CHANGE_service_level_loosened;
}

static const nx_val *find_level(const nx_val *list, const nx_val *like)
{
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_eq_nocase(text_of(&list->items[i], "property"), text_of(like, "property")) &&
            nx_str_eq(text_of(&list->items[i], "element"), text_of(like, "element")))
            return &list->items[i];
    return NULL;
}

static const char *level_text(nx_arena *a, const nx_val *v)
{
    const nx_val *value = nx_val_get(v, "value");
    const char *text = json_of(a, value);
    nx_str unit = text_of(v, "unit");
    return text == NULL ? NULL : nx_arena_printf(a, "%s%s" NX_STR_FMT, text, unit.n > 0 ? " " : "", NX_STR_ARG(unit));
}

static nx_status compare_levels(nx__evo *e)
{
    const nx_val *was = nx_val_get(e->old.root, "slaProperties"), *now = nx_val_get(e->now.root, "slaProperties");
    for (int side = 0; side < 2; side++) {
        const nx_val *from = side == 0 ? was : now, *in = side == 0 ? now : was;
        for (size_t i = 0; from != NULL && i < from->n; i++) {
            const nx_val *v = &from->items[i], *w = find_level(in, v);
            const char *at = path(e, "slaProperties", text_of(v, "property").p);
            const char *text = level_text(e->a, v), *other = w == NULL ? "" : level_text(e->a, w);
            if (at == NULL || text == NULL || other == NULL)
                return nx_nomem(e->err);
            if (w == NULL)
                NX_TRY(nx__evo_note(e, side == 0 ? NX_CHANGE_service_level_removed : NX_CHANGE_service_level_added, at,
                                    side == 0 ? text : "", side == 0 ? "" : text));
            else if (side == 1 && strcmp(text, other) != 0)
                NX_TRY(nx__evo_note(e, level_kind(w, v), at, other, text));
        }
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ texts */

static nx_status compare_keys(nx__evo *e, const nx_val *was, const nx_val *now, const char *const *keys, size_t n,
                              const char *at)
{
    for (size_t i = 0; i < n; i++) {
        const char *place = path(e, at, keys[i]);
        if (place == NULL)
            return nx_nomem(e->err);
        NX_TRY(compare_texts(e, NX_CHANGE_documentation_changed, place, nx_val_get(was, keys[i]),
                             nx_val_get(now, keys[i])));
    }
    return NX_OK;
}

/* Custom properties that the compiler gives no meaning to. */
static nx_status compare_customs(nx__evo *e, const nx_val *was, const nx_val *now, const char *at)
{
    static const char *const ours[] = {"folder", "feeds",      "knownAt", "stats",  "ignore",   "loneSurrogates",
                                       "wire",   "wireFormat", "context", "derive", "translate"};
    const nx_val *sides[] = {nx_val_get(was, "customProperties"), nx_val_get(now, "customProperties")};
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; sides[side] != NULL && i < sides[side]->n; i++) {
            nx_str name = text_of(&sides[side]->items[i], "property");
            bool known = false;
            for (size_t k = 0; k < NX_COUNT_OF(ours) && !known; k++)
                known = nx_str_is(name, ours[k]);
            const char *place = path(e, at, name.p);
            if (place == NULL)
                return nx_nomem(e->err);
            if (!known)
                NX_TRY(compare_texts(e, NX_CHANGE_documentation_changed, place, nx__odcs_custom(was, name.p),
                                     nx__odcs_custom(now, name.p)));
        }
    return NX_OK;
}

static nx_status compare_property(nx__evo *e, const nx__pair *p)
{
    static const char *const texts[] = {"businessName",
                                        "tags",
                                        "examples",
                                        "transformSourceObjects",
                                        "transformLogic",
                                        "transformDescription",
                                        "criticalDataElement",
                                        "encryptedName",
                                        "authoritativeDefinitions",
                                        "physicalName"};
    const nx_val *was = nx__evo_property(&e->old, p->was), *now = nx__evo_property(&e->now, p->now);
    const char *at = e->now.c->schema.fields[p->now].name;
    NX_TRY(compare_texts(e, NX_CHANGE_description_changed, at, nx_val_get(was, "description"),
                         nx_val_get(now, "description")));
    NX_TRY(compare_value(e, NX_CHANGE_classification_changed, at, nx_val_get(was, "classification"),
                         nx_val_get(now, "classification")));
    NX_TRY(compare_sets(e, nx_val_get(was, "quality"), nx_val_get(now, "quality"), is_scan, NX_CHANGE_check_removed,
                        NX_CHANGE_check_added, at));
    NX_TRY(compare_sets(e, nx_val_get(was, "relationships"), nx_val_get(now, "relationships"), NULL,
                        NX_CHANGE_relationship_removed, NX_CHANGE_relationship_added, at));
    NX_TRY(compare_keys(e, was, now, texts, NX_COUNT_OF(texts), at));
    return compare_customs(e, was, now, at);
}

static nx_status compare_table(nx__evo *e)
{
    static const char *const texts[] = {"tags", "businessName", "dataGranularityDescription",
                                        "authoritativeDefinitions", "physicalType"};
    const nx_contract *old = e->old.c, *c = e->now.c;
    const nx_val *was = e->old.object, *now = e->now.object;
    if (strcmp(old->table, c->table) != 0)
        NX_TRY(nx__evo_note(e, NX_CHANGE_table_renamed, "table", old->table, c->table));
    if (strcmp(old->folder, c->folder) != 0)
        NX_TRY(nx__evo_note(e, NX_CHANGE_table_moved, "folder", old->folder, c->folder));
    NX_TRY(compare_texts(e, NX_CHANGE_statistics_changed, "stats", nx__odcs_custom(was, "stats"),
                         nx__odcs_custom(now, "stats")));
    NX_TRY(compare_texts(e, NX_CHANGE_description_changed, "table", nx_val_get(was, "description"),
                         nx_val_get(now, "description")));
    NX_TRY(compare_sets(e, nx_val_get(was, "quality"), nx_val_get(now, "quality"), is_scan, NX_CHANGE_check_removed,
                        NX_CHANGE_check_added, "table"));
    NX_TRY(compare_sets(e, nx_val_get(was, "relationships"), nx_val_get(now, "relationships"), NULL,
                        NX_CHANGE_relationship_removed, NX_CHANGE_relationship_added, "table"));
    NX_TRY(compare_keys(e, was, now, texts, NX_COUNT_OF(texts), "table"));
    return compare_customs(e, was, now, "table");
}

static nx_status compare_status(nx__evo *e)
{
    nx_str was = text_of(e->old.root, "status"), now = text_of(e->now.root, "status");
    if (nx_str_eq(was, now))
        return NX_OK;
    nx_change_kind kind = nx_str_is(now, "retired")      ? NX_CHANGE_retired
                          : nx_str_is(now, "deprecated") ? NX_CHANGE_deprecated
                                                         : NX_CHANGE_status_changed;
    return nx__evo_note(e, kind, "status", was.p, now.p);
}

nx_status nx__evo_terms(nx__evo *e)
{
    static const char *const texts[] = {"apiVersion",
                                        "id",
                                        "tenant",
                                        "domain",
                                        "dataProduct",
                                        "tags",
                                        "price",
                                        "team",
                                        "support",
                                        "roles",
                                        "description",
                                        "slaDefaultElement",
                                        "authoritativeDefinitions",
                                        "contractCreatedTs"};
    NX_TRY(compare_table(e));
    for (size_t i = 0; i < e->n_pairs; i++)
        if (e->pairs[i].was >= 0 && e->pairs[i].now >= 0)
            NX_TRY(compare_property(e, &e->pairs[i]));
    NX_TRY(compare_servers(e));
    NX_TRY(compare_levels(e));
    NX_TRY(compare_status(e));
    NX_TRY(compare_keys(e, e->old.root, e->now.root, texts, NX_COUNT_OF(texts), ""));
    return compare_customs(e, e->old.root, e->now.root, "");
}
