/* serve/publish_rows.c - rows: from the lake into staging, from staging into the published table. */
#include "serve/publish_int.h"

enum { BATCH_ROWS = 16384 };

typedef struct copying {
    nx__pub *p;
    const nx__pub_table *t;
    nx_pg_copy *copy;
    int64_t rows;
} copying;

static nx_status on_batch(void *ctx, const nx_batch *b, nx_err *err)
{
    copying *c = ctx;
    NX_TRY(nx_pg_copy_batch(c->copy, b, err));
    c->rows += (int64_t)b->n;
    if (c->p->o->progress != NULL)
        c->p->o->progress(c->p->o->progress_ctx, c->t->d->name, c->rows, false);
    return NX_OK;
}

static nx_status copy_rows(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    copying c = {.p = p, .t = t};
    NX_TRY(nx_pg_copy_begin(p->pg, t->stage, t->schema, &c.copy, err));
    nx_status st = nx_session_fetch(p->o->session, nx_str_of(t->scan), t->schema, BATCH_ROWS, on_batch, &c, err);
    if (st != NX_OK) {
        nx_pg_copy_cancel(c.copy);
        return st;
    }
    return nx_pg_copy_end(c.copy, &t->rows, err);
}

/* A sum over the rows' hashes: the same for equal rows in any order. */
static nx_status read_checksum(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    const char *sql =
        nx_arena_printf(p->a, "SELECT coalesce(sum(hashtextextended(s::text, 0)), 0)::text FROM %s AS s", t->stage);
    nx_pg_result *r = NULL;
    if (sql == NULL)
        return nx_nomem(err);
    NX_TRY(nx_pg_query(p->pg, sql, NULL, 0, &r, err));
    t->checksum = nx_arena_dup(p->a, nx_str_of(nx_pg_value(r, 0, 0)));
    nx_pg_result_drop(r);
    return t->checksum == NULL ? nx_nomem(err) : NX_OK;
}

nx_status nx__pub_stage(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    NX_BUF_AUTO nx_buf columns;
    nx_buf_init(&columns, 0);
    if (nx__pub_columns_sql(t, &columns) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_pg_execf(p->pg, NULL, err, "CREATE TEMP TABLE %s (%s)", t->stage + sizeof "pg_temp." - 1, columns.p));
    NX_TRY(copy_rows(p, t, err));
    const char *key = nx__pub_list(p, t->key, t->n_key, "", err);
    if (key == NULL)
        return NX_NOMEM;
    /* finds doubled and missing keys before the release begins, and speeds the comparison up */
    NX_TRY(nx_pg_execf(p->pg, NULL, err, "ALTER TABLE %1$s ADD PRIMARY KEY (%2$s); ANALYZE %1$s", t->stage, key));
    return read_checksum(p, t, err);
}

/* t."a" = s."a" AND … */
static const char *same_key(nx__pub *p, const nx__pub_table *t, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = NX_OK;
    for (size_t i = 0; i < t->n_key && st == NX_OK; i++) {
        const char *c = nx__pub_ident(p, t->key[i], err);
        st = c == NULL ? NX_NOMEM : nx_buf_addf(&b, "%st.%s = s.%s", i == 0 ? "" : " AND ", c, c);
    }
    const char *text = st == NX_OK ? nx_arena_dup(p->a, nx_buf_str(&b)) : NULL;
    if (text == NULL)
        nx_nomem(err);
    return text;
}

static nx_status update_rows(nx__pub *p, nx__pub_table *t, const char *same, nx_err *err)
{
    const char **names = NX_ARENA_ARRAY(p->a, const char *, t->schema->n_fields);
    size_t n = 0;
    if (names == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < t->schema->n_fields; i++)
        if (!nx__pub_in_key(t, t->names[i]))
            names[n++] = t->names[i];
    if (n == 0)
        return NX_OK;
    const char *bare = nx__pub_list(p, names, n, "", err);
    const char *old = nx__pub_list(p, names, n, "t.", err), *new = nx__pub_list(p, names, n, "s.", err);
    if (bare == NULL || old == NULL || new == NULL)
        return nx_nomem(err);
    return nx_pg_execf(p->pg, &t->updated, err,
                       "UPDATE %s AS t SET (%s) = ROW(%s) FROM %s AS s WHERE %s AND ROW(%s) IS DISTINCT FROM ROW(%s)",
                       t->target, bare, new, t->stage, same, old, new);
}

nx_status nx__pub_merge(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    const char *same = same_key(p, t, err);
    const char *columns = nx__pub_list(p, t->names, t->schema->n_fields, "", err);
    if (same == NULL || columns == NULL)
        return nx_nomem(err);
    NX_TRY(nx_pg_execf(p->pg, &t->deleted, err, "DELETE FROM %s AS t WHERE NOT EXISTS (SELECT FROM %s AS s WHERE %s)",
                       t->target, t->stage, same));
    NX_TRY(update_rows(p, t, same, err));
    return nx_pg_execf(p->pg, &t->inserted, err,
                       "INSERT INTO %s (%s) SELECT %s FROM %s AS s WHERE NOT EXISTS (SELECT FROM %s AS t WHERE %s)",
                       t->target, columns, columns, t->stage, t->target, same);
}
