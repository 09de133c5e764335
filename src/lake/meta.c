/* The metaData action: schema, partition columns, properties. */
#include <stdlib.h>

#include "lake/lake_int.h"

enum { META_BYTES_MAX = 64 << 20 };

static nx_status parse_schema(nx__meta *m, nx_err *err)
{
    static const nx_val none = {.kind = NX_VAL_ARR};
    m->fields = &none;
    if (m->schema_string.n == 0)
        return NX_OK; /* some writers make a table first and its columns later */
    nx_val *schema = NULL;
    nx_err why = {0};
    if (nx_json_parse(m->schema_string, NULL, &m->arena, &schema, &why) != NX_OK)
        return nx_fail(err, NX_CORRUPT, "metaData's schemaString is not JSON: %s", why.text);
    m->fields = nx_val_get(schema, "fields");
    if (m->fields == NULL || m->fields->kind != NX_VAL_ARR)
        return nx_fail(err, NX_CORRUPT, "metaData's schemaString has no fields");
    for (size_t i = 0; i < m->fields->n; i++)
        if (nx_val_str(nx_val_get(&m->fields->items[i], "name"), NX_STR("")).n == 0)
            return nx_fail(err, NX_CORRUPT, "column %zu of the schema has no name", i + 1);
    return NX_OK;
}

static nx_status parse_partition(nx__meta *m, const nx_val *list, nx_err *err)
{
    size_t n = list != NULL && list->kind == NX_VAL_ARR ? list->n : 0;
    m->part = NX_ARENA_ARRAY(&m->arena, nx_str, n);
    if (m->part == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++) {
        nx_str want = nx_val_str(&list->items[i], NX_STR(""));
        for (size_t k = 0; k < m->fields->n && m->part[i].p == NULL; k++) {
            nx_str have = nx_val_str(nx_val_get(&m->fields->items[k], "name"), NX_STR(""));
            if (nx_str_eq_nocase(want, have))
                m->part[i] = have;
        }
        if (m->part[i].p == NULL)
            return nx_fail(err, NX_CORRUPT, "partition column \"" NX_STR_FMT "\" is not in the schema",
                           NX_STR_ARG(want));
    }
    m->n_part = n;
    return NX_OK;
}

static nx_status parse_config(nx__meta *m, nx_err *err)
{
    nx_str mode = nx__meta_config(m, "delta.columnMapping.mode");
    if (mode.p == NULL || nx_str_is(mode, "none"))
        m->mapping = NX__MAP_NONE;
    else if (nx_str_is(mode, "name"))
        m->mapping = NX__MAP_NAME;
    else if (nx_str_is(mode, "id"))
        m->mapping = NX__MAP_ID;
    else
        return nx_fail(err, NX_UNSUPPORTED, "column mapping mode \"" NX_STR_FMT "\" is not known", NX_STR_ARG(mode));
    m->uniform = nx_str_is(nx__meta_config(m, NX__UNIFORM_KEY), "uniform");
    return NX_OK;
}

static nx_status fill(nx__meta *m, const nx_val *action, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, META_BYTES_MAX);
    if (nx_val_to_json(action, &b) != NX_OK)
        return nx_nomem(err);
    const char *json = nx_arena_dup(&m->arena, nx_buf_str(&b));
    nx_val *v = NULL;
    if (json == NULL)
        return nx_nomem(err);
    m->json = (nx_str){json, b.n};
    NX_TRY(nx_json_parse(m->json, &(nx_json_opts){.allow_dup_keys = true}, &m->arena, &v, err));
    nx_str provider = nx_val_str(nx_val_path(v, "format.provider"), NX_STR("parquet"));
    if (!nx_str_is(provider, "parquet"))
        return nx_fail(err, NX_UNSUPPORTED, "data files in format \"" NX_STR_FMT "\"", NX_STR_ARG(provider));
    m->config = nx_val_get(v, "configuration");
    m->id = nx_val_str(nx_val_get(v, "id"), NX_STR("")).p;
    m->schema_string = nx_val_str(nx_val_get(v, "schemaString"), NX_STR(""));
    NX_TRY(parse_schema(m, err));
    NX_TRY(parse_partition(m, nx_val_get(v, "partitionColumns"), err));
    return parse_config(m, err);
}

nx_status nx__meta_new(const nx_val *action, nx__meta **ret, nx_err *err)
{
    nx__meta *m = calloc(1, sizeof *m);
    if (m == NULL)
        return nx_nomem(err);
    atomic_init(&m->refs, 1);
    nx_arena_init(&m->arena, META_BYTES_MAX);
    nx_status st = fill(m, action, err);
    if (st != NX_OK) {
        nx__meta_unref(m);
        return st;
    }
    *ret = m;
    return NX_OK;
}

nx__meta *nx__meta_ref(nx__meta *m)
{
    if (m != NULL)
        atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
    return m;
}

void nx__meta_unref(nx__meta *m)
{
    if (m == NULL || atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
        return;
    nx_arena_drop(&m->arena);
    free(m);
}

nx_str nx__meta_config(const nx__meta *m, const char *key)
{
    const nx_val *v = nx_val_get(m->config, key);
    return v != NULL && v->kind == NX_VAL_STR ? v->s : (nx_str){NULL, 0};
}

bool nx__meta_is_part(const nx__meta *m, nx_str column)
{
    for (size_t i = 0; i < m->n_part; i++)
        if (nx_str_eq_nocase(m->part[i], column))
            return true;
    return false;
}

nx_str nx__field_physical(const nx__meta *m, const nx_val *field)
{
    nx_str name = nx_val_str(nx_val_get(field, "name"), NX_STR(""));
    if (m->mapping == NX__MAP_NONE)
        return name;
    const nx_val *meta = nx_val_get(field, "metadata");
    return nx_val_str(nx_val_get(meta, "delta.columnMapping.physicalName"), name);
}

#define WEEK_MS ((int64_t)7 * 86400000)

/* "interval 30 days", "interval 1 week 2 hours": milliseconds; -1 when not understood. */
static int64_t interval_ms(nx_str text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"week", WEEK_MS},  {"day", 86400000},  {"hour", 3600000},  {"minute", 60000},
                 {"second", 1000},   {"weeks", WEEK_MS}, {"days", 86400000}, {"hours", 3600000},
                 {"minutes", 60000}, {"seconds", 1000},  {"millisecond", 1}, {"milliseconds", 1}};
    nx_str rest = text, word;
    int64_t total = 0, n = -1;
    while (nx_str_split(&rest, ' ', &word)) {
        if (word.n == 0 || nx_str_is(word, "interval"))
            continue;
        if (n < 0) {
            if (!nx_str_to_i64(word, &n) || n < 0)
                return -1;
            continue;
        }
        int64_t ms = -1, add;
        for (size_t i = 0; i < NX_COUNT_OF(units); i++)
            if (nx_str_eq_nocase(word, nx_str_of(units[i].unit)))
                ms = units[i].ms;
        if (ms < 0 || __builtin_mul_overflow(n, ms, &add) || __builtin_add_overflow(total, add, &total))
            return -1;
        n = -1;
    }
    return n < 0 ? total : -1;
}

int64_t nx__meta_retention_ms(const nx__meta *m)
{
    nx_str text = nx__meta_config(m, "delta.deletedFileRetentionDuration");
    return text.p == NULL ? WEEK_MS : interval_ms(text);
}
