/* serve/publish.c - the steps of a release. */
#include <stdio.h>

#include "base/fault.h"
#include "serve/publish_int.h"

const char *nx__pub_list(nx__pub *p, const char *const *names, size_t n, const char *prefix, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        st = nx_buf_addf(&b, "%s%s", i == 0 ? "" : ", ", prefix);
        if (st == NX_OK)
            st = nx_pg_ident(&b, nx_str_of(names[i]));
    }
    const char *text = st == NX_OK ? nx_arena_dup(p->a, nx_buf_str(&b)) : NULL;
    if (text == NULL)
        nx_nomem(err);
    return text;
}

const char *nx__pub_ident(nx__pub *p, const char *name, nx_err *err)
{
    return nx__pub_list(p, &name, 1, "", err);
}

bool nx__pub_in_key(const nx__pub_table *t, const char *column)
{
    for (size_t i = 0; i < t->n_key; i++)
        if (strcmp(t->key[i], column) == 0)
            return true;
    return false;
}

const nx_publish_column *nx__pub_column(const nx__pub_table *t, const char *name)
{
    for (size_t i = 0; i < t->d->n_columns; i++)
        if (strcmp(t->d->columns[i].name, name) == 0)
            return &t->d->columns[i];
    return NULL;
}

/* ------------------------------------------------------------------ what is to be published */

/* A description may only speak of columns that there are. */
static nx_status check_column(const nx__pub_table *t, const char *what, const char *column, nx_err *err)
{
    if (nx_schema_find(t->schema, nx_str_of(column)) != SIZE_MAX)
        return NX_OK;
    nx_fail(err, NX_INVALID, "could not publish %s: its %s names column %s, which %s does not have", t->d->name, what,
            column, t->d->lake_table);
    return nx_err_hint(err, NX_INVALID, "correct the model's description, or build the model again");
}

static nx_status check_description(nx__pub_table *t, nx_err *err)
{
    const nx_publish_table *d = t->d;
    if (d->primary_key == NULL || d->primary_key[0] == NULL) {
        nx_fail(err, NX_INVALID, "could not publish %s: it has no primary key", d->name);
        return nx_err_hint(err, NX_INVALID, "declare meta.primary_key in the model's description");
    }
    for (; d->primary_key[t->n_key] != NULL; t->n_key++)
        NX_TRY(check_column(t, "primary key", d->primary_key[t->n_key], err));
    t->key = (const char **)d->primary_key;
    for (size_t i = 0; i < d->n_columns; i++)
        NX_TRY(check_column(t, "description", d->columns[i].name, err));
    for (size_t i = 0; i < d->n_foreign_keys; i++)
        for (const char *const *c = d->foreign_keys[i].columns; *c != NULL; c++)
            NX_TRY(check_column(t, "foreign key", *c, err));
    return NX_OK;
}

static nx_status read_lake(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    nx_table *lt = NULL;
    NX_TRY(nx_table_open(p->o->lake, t->d->lake_table, &lt, err));
    NX_TRY(nx_table_info_get(lt, &t->info, err));
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 0);
    const char *at = nx_arena_printf(p->a, "%s@v%lld", t->d->lake_table, (long long)t->info.version);
    if (at == NULL)
        return nx_nomem(err);
    NX_TRY(nx_lake_scan_sql(p->o->lake, nx_str_of(at), &sql, err));
    t->scan = nx_arena_dup(p->a, nx_buf_str(&sql));
    if (t->scan == NULL)
        return nx_nomem(err);
    NX_TRY(nx_session_schema(p->o->session, nx_str_of(t->scan), p->a, &t->schema, err));
    t->names = NX_ARENA_ARRAY(p->a, const char *, t->schema->n_fields);
    if (t->names == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < t->schema->n_fields; i++)
        t->names[i] = t->schema->fields[i].name;
    return check_description(t, err);
}

static nx_status plan_table(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    if (t->d->name[0] == '_' || t->d->name[0] == '\0')
        return nx_fail(err, NX_INVALID, "could not publish '%s': a published table's name begins with a letter",
                       t->d->name);
    NX_TRY(read_lake(p, t, err));
    const char *name = nx__pub_ident(p, t->d->name, err);
    const char *stage_name = nx_arena_printf(p->a, "_staging_%s", t->d->name);
    if (name == NULL || stage_name == NULL)
        return nx_nomem(err);
    stage_name = nx__pub_ident(p, stage_name, err);
    if (stage_name == NULL)
        return nx_nomem(err);
    t->target = nx_arena_printf(p->a, "%s.%s", p->schema_q, name);
    t->stage = nx_arena_printf(p->a, "pg_temp.%s", stage_name);
    if (t->target == NULL || t->stage == NULL)
        return nx_nomem(err);
    return nx__pub_fingerprint(p, t, err);
}

/* ------------------------------------------------------------------ the release */

static nx_status stage_all(nx__pub *p, bool *ret_any, nx_err *err)
{
    *ret_any = false;
    for (size_t i = 0; i < p->n; i++) {
        nx__pub_table *t = &p->tables[i];
        NX_TRY(nx__pub_state_read(p, t, err));
        if (!t->left_alone) {
            *ret_any = true;
            nx_status st = nx__pub_stage(p, t, err);
            if (st != NX_OK) {
                nx_err_prefix(err, "could not publish %s", t->d->name);
                return st;
            }
        }
        if (p->o->progress != NULL)
            p->o->progress(p->o->progress_ctx, t->d->name, t->rows, true);
    }
    return NX_OK;
}

static nx_status each(nx__pub *p, nx_status (*step)(nx__pub *, nx__pub_table *, nx_err *), bool only_ddl, nx_err *err)
{
    for (size_t i = 0; i < p->n; i++) {
        nx__pub_table *t = &p->tables[i];
        if (t->left_alone || (only_ddl && t->same_ddl))
            continue;
        nx_status st = step(p, t, err);
        if (st != NX_OK) {
            nx_err_prefix(err, "could not publish %s", t->d->name);
            return st;
        }
    }
    return NX_OK;
}

static nx_status release(nx__pub *p, int64_t *ret_id, nx_err *err)
{
    /* A definition may wait for readers, who then wait behind it: not for long. */
    NX_TRY(nx_pg_exec(p->pg, "BEGIN; SET LOCAL lock_timeout = '30s'", NULL, err));
    NX_TRY(each(p, nx__pub_ddl_before, true, err));
    NX_TRY(each(p, nx__pub_merge, false, err));
    /* Foreign keys are checked here at once, for all tables: their order does not matter before. */
    NX_TRY(nx_pg_exec(p->pg, "SET CONSTRAINTS ALL IMMEDIATE", NULL, err));
    NX_TRY(each(p, nx__pub_ddl_after, true, err));
    NX_TRY(nx__pub_release_write(p, ret_id, err));
    if (nx_fault_hit(NX_FAULT_PG_COMMIT) != NX_FAULT_NONE)
        return nx_fail(err, NX_REMOTE, "PostgreSQL: the connection was lost");
    return nx_pg_exec(p->pg, "COMMIT", NULL, err);
}

static nx_status publish(nx__pub *p, int64_t *ret_id, nx_err *err)
{
    NX_TRY(nx__pub_lock(p, err));
    NX_TRY(nx__pub_state_make(p, err));
    /* All versions are fixed before the first row moves. */
    for (size_t i = 0; i < p->n; i++)
        NX_TRY(plan_table(p, &p->tables[i], err));
    bool any;
    NX_TRY(stage_all(p, &any, err));
    return any ? release(p, ret_id, err) : nx__pub_release_last(p, ret_id, err);
}

static nx_status fill_result(const nx__pub *p, nx_publish_result *ret, nx_err *err)
{
    ret->tables = NX_ARENA_ARRAY(&ret->arena, nx_publish_table_result, p->n);
    if (ret->tables == NULL)
        return nx_nomem(err);
    ret->n_tables = p->n;
    for (size_t i = 0; i < p->n; i++) {
        const nx__pub_table *t = &p->tables[i];
        nx_publish_table_result *r = &ret->tables[i];
        *r = (nx_publish_table_result){nx_arena_dup(&ret->arena, nx_str_of(t->d->name)),
                                       t->info.version,
                                       t->rows,
                                       t->inserted,
                                       t->updated,
                                       t->deleted,
                                       t->left_alone};
        if (r->name == NULL)
            return nx_nomem(err);
        ret->rows_changed += t->inserted + t->updated + t->deleted;
    }
    return NX_OK;
}

nx_status nx_publish(const nx_publish_opts *opts, nx_publish_result *ret, nx_err *err)
{
    *ret = (nx_publish_result){0};
    if (opts->dsn == NULL || opts->dsn[0] == '\0') {
        nx_fail(err, NX_INVALID, "could not publish: no PostgreSQL is configured");
        return nx_err_hint(err, NX_INVALID, "set postgres.dsn, for example to ${env:NEXUS_PG_DSN}");
    }
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_arena_init(&ret->arena, 0);
    nx__pub p = {.o = opts, .a = &a, .schema = opts->schema == NULL ? "nexus" : opts->schema, .n = opts->n_tables};
    p.schema_q = nx__pub_ident(&p, p.schema, err);
    p.tables = NX_ARENA_ARRAY(&a, nx__pub_table, p.n);
    if (p.schema_q == NULL || p.tables == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < p.n; i++)
        p.tables[i].d = &opts->tables[i];
    NX_TRY(nx_pg_connect(opts->dsn, &p.pg, err));
    nx_status st = publish(&p, &ret->release_id, err);
    nx_pg_close(p.pg); /* gives up the lock, the staging tables and an unfinished transaction */
    if (st == NX_OK)
        st = fill_result(&p, ret, err);
    if (st != NX_OK)
        nx_publish_result_drop(ret);
    return st;
}

void nx_publish_result_drop(nx_publish_result *r)
{
    nx_arena_drop(&r->arena);
    *r = (nx_publish_result){0};
}
