/* One table: making it, adding columns, what it says about itself. */
#include <stdlib.h>

#include "base/rand.h"
#include "lake/lake_int.h"

enum { ENSURE_ATTEMPTS = 8 };

/* ------------------------------------------------------------------ metaData */

static void put_strings(nx_jw *w, const char *key, const char *const *list)
{
    nx_jw_key(w, key);
    nx_jw_arr(w);
    for (size_t i = 0; list != NULL && list[i] != NULL; i++)
        nx_jw_cstr(w, list[i]);
    nx_jw_arr_end(w);
}

static nx_status put_config(nx_jw *w, const nx_table_spec *spec)
{
    nx_buf columns NX_BUF_AUTO;
    nx_buf_init(&columns, 0);
    nx_jw_key(w, "configuration");
    nx_jw_obj(w);
    nx_jw_key(w, NX__UNIFORM_KEY);
    nx_jw_cstr(w, "uniform");
    for (size_t i = 0; spec->stats != NULL && spec->stats[i] != NULL; i++)
        NX_TRY(nx_buf_addf(&columns, i == 0 ? "%s" : ",%s", spec->stats[i]));
    if (columns.n > 0)
        nx_jw_put_str(w, "delta.dataSkippingStatsColumns", nx_buf_str(&columns));
    nx_jw_obj_end(w);
    return NX_OK;
}

nx_status nx__meta_create(const nx_table_spec *spec, const nx_schema *schema, nx_buf *b)
{
    char id[37];
    nx_rand_uuid(id);
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    NX_TRY(nx_schema_to_delta(schema, &text));
    nx_jw w;
    nx_jw_begin(&w, b);
    nx_jw_obj(&w);
    nx_jw_put_cstr(&w, "id", id);
    if (spec->description != NULL)
        nx_jw_put_cstr(&w, "description", spec->description);
    nx_jw_put_raw(&w, "format", NX_STR("{\"provider\":\"parquet\",\"options\":{}}"));
    nx_jw_put_str(&w, "schemaString", nx_buf_str(&text));
    put_strings(&w, "partitionColumns", spec->partition);
    NX_TRY(put_config(&w, spec));
    nx_jw_put_i64(&w, "createdTime", nx__now_ms());
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}

static nx_status evolve_config(nx_jw *w, const nx_val *config, bool mixed)
{
    nx_jw_obj(w);
    for (size_t k = 0; k < config->n; k++) {
        bool ours = nx_str_is(config->keys[k], NX__UNIFORM_KEY);
        nx_jw_key_str(w, config->keys[k]);
        nx_jw_str(w, ours ? nx_str_of(mixed ? "mixed" : "uniform") : nx_val_str(&config->items[k], NX_STR("")));
    }
    nx_jw_obj_end(w);
    return w->st;
}

nx_status nx__meta_evolve(const nx__meta *m, nx_str schema_string, const char *const *partition, bool mixed, nx_buf *b)
{
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_val *v = NULL;
    NX_TRY(nx_json_parse(m->json, &(nx_json_opts){.allow_dup_keys = true}, &a, &v, NULL));
    nx_jw w;
    nx_jw_begin(&w, b);
    nx_jw_obj(&w);
    for (size_t i = 0; i < v->n; i++) {
        if (partition != NULL && nx_str_is(v->keys[i], "partitionColumns")) {
            put_strings(&w, "partitionColumns", partition);
            continue;
        }
        nx_jw_key_str(&w, v->keys[i]);
        if (nx_str_is(v->keys[i], "schemaString")) {
            nx_jw_str(&w, schema_string);
        } else if (nx_str_is(v->keys[i], "configuration") && v->items[i].kind == NX_VAL_OBJ) {
            NX_TRY(evolve_config(&w, &v->items[i], mixed));
        } else {
            nx_buf part NX_BUF_AUTO;
            nx_buf_init(&part, 0);
            NX_TRY(nx_val_to_json(&v->items[i], &part));
            nx_jw_raw(&w, nx_buf_str(&part));
        }
    }
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}

/* ------------------------------------------------------------------ ensure */

static nx_status check_spec(const nx_table_spec *spec, const nx_schema *schema, nx_err *err)
{
    for (size_t i = 0; i < schema->n_fields; i++) {
        const char *name = schema->fields[i].name;
        const char *bad = strpbrk(name, " ,;{}()\n\t=");
        if (bad != NULL || name[0] == '\0')
            return nx_fail(
                err, NX_INVALID,
                "could not create table %s: column name \"%s\" is empty or holds one of ' ,;{}()=', tab or newline",
                spec->name, name);
        for (size_t k = 0; k < i; k++)
            if (nx_str_eq_nocase(nx_str_of(name), nx_str_of(schema->fields[k].name)))
                return nx_fail(err, NX_INVALID,
                               "could not create table %s: columns \"%s\" and \"%s\" differ only in case", spec->name,
                               schema->fields[k].name, name);
    }
    for (size_t i = 0; spec->partition != NULL && spec->partition[i] != NULL; i++) {
        size_t at = nx_schema_find(schema, nx_str_of(spec->partition[i]));
        if (at == SIZE_MAX)
            return nx_fail(err, NX_INVALID, "could not create table %s: partition column \"%s\" is not in its schema",
                           spec->name, spec->partition[i]);
        nx_kind kind = schema->fields[at].type.kind;
        if (kind == NX_LIST || kind == NX_STRUCT || kind == NX_BINARY || kind == NX_DOUBLE)
            return nx_fail(err, NX_INVALID,
                           "could not create table %s: column \"%s\" has a type that cannot partition it", spec->name,
                           spec->partition[i]);
    }
    return schema->n_fields > 0 ? NX_OK
                                : nx_fail(err, NX_INVALID, "could not create table %s: it has no column", spec->name);
}

static nx_status create(nx_table *t, const nx_table_spec *spec, const nx_schema *schema, nx_err *err)
{
    NX_TRY(check_spec(spec, schema, err));
    nx_buf meta NX_BUF_AUTO;
    nx_buf_init(&meta, 0);
    if (nx__meta_create(spec, schema, &meta) != NX_OK)
        return nx_nomem(err);
    nx__change c;
    nx_commit_result r;
    nx__change_init(&c, "CREATE TABLE");
    c.meta = nx_buf_str(&meta);
    c.proto = NX_STR("{\"minReaderVersion\":1,\"minWriterVersion\":2}");
    nx_status st = nx__commit(t, NULL, &c, &r, err);
    nx__change_drop(&c);
    return st;
}

static nx_status check_partition(const nx_table *t, const nx__meta *m, const nx_table_spec *spec, nx_err *err)
{
    size_t n = 0;
    for (; spec->partition != NULL && spec->partition[n] != NULL; n++)
        if (n >= m->n_part || !nx_str_is(m->part[n], spec->partition[n]))
            break;
    if (n == m->n_part && (spec->partition == NULL || spec->partition[n] == NULL))
        return NX_OK;
    nx_fail(err, NX_CONFLICT, "table %s is partitioned by other columns than asked for", t->name);
    return nx_err_hint(err, NX_CONFLICT, "drop the table, or write it whole again under another name");
}

nx_status nx__schema_of(const nx_table *t, const nx__meta *m, nx_arena *a, nx_schema **ret, nx_err *err)
{
    nx_status st = nx_schema_from_delta(m->schema_string, false, a, ret, err);
    if (st != NX_OK)
        nx_err_prefix(err, "could not take the schema of table %s", t->name);
    return st;
}

nx_status nx__schema_merge(const nx_table *t, const nx_schema *have, const nx_schema *want, nx_arena *a, nx_schema *ret,
                           nx_err *err)
{
    nx_field *fields = NX_ARENA_ARRAY(a, nx_field, have->n_fields + want->n_fields);
    if (fields == NULL)
        return nx_nomem(err);
    size_t n = have->n_fields;
    memcpy(fields, have->fields, n * sizeof *fields);
    for (size_t i = 0; i < want->n_fields; i++) {
        const nx_field *w = &want->fields[i];
        size_t at = 0;
        while (at < have->n_fields && !nx_str_eq_nocase(nx_str_of(have->fields[at].name), nx_str_of(w->name)))
            at++;
        if (at == have->n_fields) {
            fields[n] = *w;
            fields[n++].nullable = true; /* the rows that are there have no value */
        } else if (!nx_type_equal(&have->fields[at].type, &w->type)) {
            nx_buf b NX_BUF_AUTO;
            nx_buf_init(&b, 0);
            if (nx_type_to_sql(&have->fields[at].type, &b) != NX_OK || nx_buf_adds(&b, ", not ") != NX_OK ||
                nx_type_to_sql(&w->type, &b) != NX_OK)
                return nx_nomem(err);
            nx_fail(err, NX_CONFLICT, "column \"%s\" of table %s is %s", w->name, t->name, b.p);
            return nx_err_hint(err, NX_CONFLICT, "a column's type never changes in place: write the table whole again");
        }
    }
    *ret = (nx_schema){fields, n};
    return n == have->n_fields ? NX_NOTHING : NX_OK;
}

static nx_status add_columns(nx_table *t, const nx_schema *want, nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_schema *have = NULL, merged;
    nx_buf text NX_BUF_AUTO, meta NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    nx_buf_init(&meta, 0);
    NX_TRY(nx__table_snap(t, &s, err));
    NX_TRY(nx__schema_of(t, s->meta, &a, &have, err));
    nx_status st = nx__schema_merge(t, have, want, &a, &merged, err);
    if (st != NX_OK)
        return st == NX_NOTHING ? NX_OK : st;
    if (nx_schema_to_delta(&merged, &text) != NX_OK ||
        nx__meta_evolve(s->meta, nx_buf_str(&text), NULL, nx_map_count(&s->files) > 0, &meta) != NX_OK)
        return nx_nomem(err);
    nx__change c;
    nx_commit_result r;
    nx__change_init(&c, "ADD COLUMNS");
    c.meta = nx_buf_str(&meta);
    c.reads = true;
    st = nx__commit(t, s, &c, &r, err);
    nx__change_drop(&c);
    return st;
}

nx_status nx_table_ensure(nx_lake *l, const nx_table_spec *spec, nx_table **ret, nx_err *err)
{
    nx_buf folder NX_BUF_AUTO;
    nx_buf_init(&folder, 0);
    nx_status st = nx_buf_adds(&folder, spec->folder == NULL ? spec->name : spec->folder);
    if (st != NX_OK)
        return nx_nomem(err);
    for (size_t i = 0; spec->folder == NULL && i < folder.n; i++)
        if (folder.p[i] == '.')
            folder.p[i] = '/';
    if (memchr(folder.p, '/', folder.n) == NULL)
        return nx_fail(err, NX_INVALID, "table \"%s\" needs a schema and a name, \"schema.table\"", spec->name);
    NX_TRY(nx__lake_table(l, nx_str_of(spec->name), folder.p, ret, err));
    nx_table *t = *ret;
    for (int attempt = 0; attempt < ENSURE_ATTEMPTS; attempt++) {
        nx__snap *s NX__SNAP_AUTO = NULL;
        st = nx__table_snap(t, &s, err);
        if (st == NX_OK) {
            NX_TRY(check_partition(t, s->meta, spec, err));
            st = add_columns(t, spec->schema, err);
            if (st == NX_OK || err == NULL || !err->retriable)
                return st;
        } else if (st == NX_NOT_FOUND) {
            st = create(t, spec, spec->schema, err);
            if (st != NX_OK && st != NX_CONFLICT)
                return st; /* a conflict: somebody else has just made it */
        } else {
            return st;
        }
    }
    return st;
}

/* ------------------------------------------------------------------ looks */

nx_status nx_table_info_get(nx_table *t, nx_table_info *ret, nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &s, err));
    *ret = (nx_table_info){
        .version = s->version, .committed_ms = s->committed_ms, .files = (int64_t)nx_map_count(&s->files)};
    nx__file *f;
    for (size_t i = 0; (f = nx__snap_file(s, &i)) != NULL;) {
        ret->bytes += f->bytes;
        ret->rows = f->rows < 0 || ret->rows < 0 ? -1 : ret->rows + f->rows;
    }
    return NX_OK;
}

nx_status nx_table_schema(nx_table *t, nx_arena *a, nx_schema **ret, nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &s, err));
    return nx__schema_of(t, s->meta, a, ret, err);
}

nx_status nx_table_txn(nx_table *t, const char *app_id, int64_t *ret_version, nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &s, err));
    const int64_t *v = nx_map_get(&s->txns, nx_str_of(app_id));
    *ret_version = v == NULL ? -1 : v[0];
    return NX_OK;
}
