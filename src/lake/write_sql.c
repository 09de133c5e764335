/* The public writes from SQL: opening or creating the table, one attempt, and another when somebody committed in
 * between. */
#include <stdlib.h>

#include "lake/lake_int.h"

enum { ATTEMPTS = 5 };

/* What a job needs to know about the caller's wish. */
typedef struct wish {
    nx_table *t;
    nx_session *s;
    const nx_table_spec *spec; /* NULL for a delete */
    nx_str sql;                /* query, or predicate of a delete */
    const nx_write_opts *o;    /* NULL for a delete */
} wish;

static nx_status load_source(nx__job *j, nx_str sql, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    NX_TRY(nx_buf_adds(&b, "CREATE OR REPLACE TEMP TABLE " NX__SOURCE_TABLE " AS "));
    NX_TRY(nx__job_select(j, sql, &b, err));
    return nx_session_exec(j->s, nx_buf_str(&b), NULL, err);
}

static nx_status append(nx__job *j, nx_str sql, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    NX_TRY(nx__job_select(j, sql, &b, err));
    return nx__job_write(j, nx_buf_str(&b), &j->c.rows_added, err);
}

/* ------------------------------------------------------------------ overwrite */

static bool same_columns(const nx_schema *a, const nx_schema *b)
{
    if (a->n_fields != b->n_fields)
        return false;
    for (size_t i = 0; i < a->n_fields; i++)
        if (!nx_str_is(nx_str_of(a->fields[i].name), b->fields[i].name) ||
            !nx_type_equal(&a->fields[i].type, &b->fields[i].type))
            return false;
    return true;
}

static bool same_partition(const nx__meta *m, const char *const *want)
{
    size_t n = 0;
    for (; want != NULL && want[n] != NULL; n++)
        if (n >= m->n_part || !nx_str_is(m->part[n], want[n]))
            return false;
    return want == NULL || n == m->n_part;
}

/* The metadata under which an overwrite puts its files, where it differs from the table's. */
static nx_status reshape(nx__job *j, const wish *w, nx_err *err)
{
    const nx__meta *m = j->base->meta;
    nx_schema *want = NULL;
    if (w->spec->schema != NULL)
        want = nx_schema_copy(&j->c.arena, w->spec->schema);
    else
        NX_TRY(nx_session_schema(j->s, w->sql, &j->c.arena, &want, err));
    if (want == NULL)
        return nx_nomem(err);
    bool same = same_columns(j->schema, want);
    bool mended = m->uniform || nx__meta_config(m, NX__UNIFORM_KEY).p == NULL;
    if (same && mended && same_partition(m, w->spec->partition))
        return NX_OK;
    return nx__job_reshape(j, same ? j->schema : want, w->spec->partition, false, err);
}

static nx_status overwrite(nx__job *j, const wish *w, nx_err *err)
{
    nx__file *f;
    NX_TRY(reshape(j, w, err));
    for (size_t i = 0; (f = nx__snap_file(j->base, &i)) != NULL;) {
        NX_TRY(nx__change_remove(&j->c, f, err));
        j->c.rows_removed += f->rows > 0 ? f->rows : 0;
    }
    return append(j, w->sql, err);
}

/* ------------------------------------------------------------------ one attempt */

/* Gives the table the wanted columns of the query that it does not have yet, in the same commit as the rows. */
static nx_status grow(nx__job *j, const wish *w, nx_err *err)
{
    const char *const *names = w->o->add_columns;
    nx_schema *have = NULL, merged;
    NX_TRY(nx_session_schema(j->s, w->sql, &j->c.arena, &have, err));
    nx_field *fields = NX_ARENA_ARRAY(&j->c.arena, nx_field, have->n_fields);
    if (fields == NULL)
        return nx_nomem(err);
    nx_schema want = {fields, 0};
    for (size_t k = 0; names[k] != NULL; k++) {
        size_t at = nx_schema_find(have, nx_str_of(names[k]));
        if (at == SIZE_MAX || want.n_fields == have->n_fields)
            return nx_fail(err, NX_INVALID, "column \"%s\", to be added to table %s, is not in the query", names[k],
                           w->t->name);
        fields[want.n_fields++] = have->fields[at];
    }
    nx_status st = nx__schema_merge(w->t, j->schema, &want, &j->c.arena, &merged, err);
    if (st != NX_OK)
        return st == NX_NOTHING ? NX_OK : st;
    return nx__job_reshape(j, &merged, NULL, nx_map_count(&j->base->files) > 0, err);
}

static nx_status fill(nx__job *j, const wish *w, nx_err *err)
{
    if (w->o == NULL)
        return nx__merge_delete(j, w->sql, err);
    if (w->o->add_columns != NULL && w->o->add_columns[0] != NULL && w->o->mode != NX_WRITE_OVERWRITE)
        NX_TRY(grow(j, w, err));
    switch (w->o->mode) {
    case NX_WRITE_APPEND:
        return append(j, w->sql, err);
    case NX_WRITE_OVERWRITE:
        return overwrite(j, w, err);
    case NX_WRITE_DELETE_INSERT:
        NX_TRY(load_source(j, w->sql, err));
        return nx__merge_delete_insert(j, w->o->key, err);
    case NX_WRITE_MERGE:
        NX_TRY(load_source(j, w->sql, err));
        return nx__merge_upsert(j, w->o->key, w->o->update_columns, err);
    }
    return nx_fail(err, NX_INVALID, "unknown write mode %d", (int)w->o->mode);
}

static const char *operation_of(const wish *w)
{
    if (w->o == NULL)
        return "DELETE";
    if (w->o->commit.operation != NULL)
        return w->o->commit.operation;
    return w->o->mode == NX_WRITE_APPEND || w->o->mode == NX_WRITE_OVERWRITE ? "WRITE" : "MERGE";
}

static nx_status attempt(const wish *w, nx_commit_result *ret, nx_err *err)
{
    nx__job j;
    nx_status st = nx__job_begin(&j, w->t, w->s, operation_of(w), err);
    bool done = false;
    if (st == NX_OK && w->o != NULL && w->o->commit.app_id != NULL) {
        j.c.app_id = w->o->commit.app_id;
        j.c.txn_version = w->o->commit.txn_version;
        const int64_t *have = nx_map_get(&j.base->txns, nx_str_of(j.c.app_id));
        done = have != NULL && have[0] >= j.c.txn_version;
    }
    if (st == NX_OK)
        *ret = (nx_commit_result){.version = j.base->version};
    if (w->o != NULL && w->o->mode == NX_WRITE_OVERWRITE)
        j.c.params = NX_STR("{\"mode\":\"\\\"Overwrite\\\"\"}");
    if (st == NX_OK && !done)
        st = fill(&j, w, err);
    if (st == NX_OK && !done && (j.c.app_id != NULL || j.c.n_adds > 0 || j.c.n_removes > 0 || j.c.meta.p != NULL))
        st = nx__commit(w->t, j.base, &j.c, ret, err);
    nx__job_end(&j, st == NX_OK && ret->committed);
    nx_status gone = nx_session_exec(w->s, NX_STR("DROP TABLE IF EXISTS temp.main." NX__SOURCE_TABLE), NULL, NULL);
    (void)gone; /* the next write replaces it */
    return st;
}

static nx_status attempts(const wish *w, nx_commit_result *ret, nx_err *err)
{
    nx_status st = NX_OK;
    nx_err why = {0};
    for (int i = 0; i < ATTEMPTS; i++) {
        why = (nx_err){0};
        st = attempt(w, ret, &why);
        if (st != NX_CONFLICT || !why.retriable)
            break;
    }
    if (st != NX_OK && why.text[0] == '\0')
        nx_fail(&why, st, "could not write to table %s: %s", w->t->name, nx_status_text(st));
    if (st != NX_OK && err != NULL)
        *err = why;
    return st;
}

/* ------------------------------------------------------------------ the table */

/* Opens the table, or makes it: from the given schema, else from the query's. */
static nx_status open_or_make(nx_lake *l, nx_session *s, const nx_table_spec *spec, nx_str sql, nx_table **ret,
                              nx_err *err)
{
    nx_status st = nx_table_open(l, spec->name, ret, err);
    if (st != NX_NOT_FOUND)
        return st;
    nx_err_clear(err);
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_table_spec full = *spec;
    nx_schema *schema = NULL;
    if (spec->schema == NULL) {
        NX_TRY(nx_session_schema(s, sql, &a, &schema, err));
        full.schema = schema;
    }
    return nx_table_ensure(l, &full, ret, err);
}

nx_status nx_lake_write_sql(nx_lake *l, nx_session *s, const nx_table_spec *spec, nx_str sql, const nx_write_opts *o,
                            nx_commit_result *ret, nx_err *err)
{
    *ret = (nx_commit_result){.version = -1};
    wish w = {.s = s, .spec = spec, .sql = sql, .o = o};
    NX_TRY(open_or_make(l, s, spec, sql, &w.t, err));
    return attempts(&w, ret, err);
}

nx_status nx_lake_delete_sql(nx_lake *l, nx_session *s, const char *name, nx_str predicate, nx_commit_result *ret,
                             nx_err *err)
{
    *ret = (nx_commit_result){.version = -1};
    wish w = {.s = s, .sql = predicate};
    NX_TRY(nx_table_open(l, name, &w.t, err));
    return attempts(&w, ret, err);
}
