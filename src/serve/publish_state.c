/* serve/publish_state.c - the lock of a schema, its _releases and _publications. */
#include <stdio.h>

#include "serve/publish_int.h"

/* Beside the schema's hash in the two-key advisory lock: "nexu". */
enum { LOCK_SPACE = 0x6e657875 };

/* Waits a little: the server may not have noticed yet that a publisher was killed. */
nx_status nx__pub_lock(nx__pub *p, nx_err *err)
{
    char space[16];
    snprintf(space, sizeof space, "%d", LOCK_SPACE);
    const char *params[] = {space, p->schema};
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_exec(p->pg, "SET lock_timeout = '3s'", NULL, err));
    nx_status st = nx_pg_query(p->pg, "SELECT pg_advisory_lock($1::int, hashtext($2::text))", params, 2, &r, err);
    nx_pg_result_drop(r);
    if (st == NX_OK)
        return nx_pg_exec(p->pg, "SET lock_timeout = 0", NULL, err);
    if (st != NX_CONFLICT)
        return st;
    nx_fail(err, NX_CONFLICT, "could not publish: another publisher is at work on schema %s", p->schema);
    if (err != NULL)
        err->retriable = true;
    return nx_err_hint(err, NX_CONFLICT,
                       "wait for it to end; select * from pg_locks where locktype = 'advisory' shows its process");
}

static nx_status has_state(nx__pub *p, bool *ret, nx_err *err)
{
    const char *name = nx_arena_printf(p->a, "%s._publications", p->schema_q);
    nx_pg_result *r = NULL;
    if (name == NULL)
        return nx_nomem(err);
    NX_TRY(nx_pg_query(p->pg, "SELECT to_regclass($1)", &name, 1, &r, err));
    *ret = nx_pg_value(r, 0, 0) != NULL;
    nx_pg_result_drop(r);
    return NX_OK;
}

/* Asks first: making a schema that exists needs the right to make one all the same. */
nx_status nx__pub_state_make(nx__pub *p, nx_err *err)
{
    bool has = false;
    NX_TRY(has_state(p, &has, err));
    if (has)
        return NX_OK;
    nx_status st = nx_pg_execf(p->pg, NULL, err,
                               "CREATE SCHEMA IF NOT EXISTS %1$s;"
                               "CREATE TABLE IF NOT EXISTS %1$s._releases ("
                               " release_id bigint PRIMARY KEY,"
                               " published_at timestamptz NOT NULL,"
                               " tables integer NOT NULL,"
                               " rows_inserted bigint NOT NULL,"
                               " rows_updated bigint NOT NULL,"
                               " rows_deleted bigint NOT NULL);"
                               "CREATE TABLE IF NOT EXISTS %1$s._publications ("
                               " table_name text PRIMARY KEY,"
                               " lake_table text NOT NULL,"
                               " lake_version bigint NOT NULL,"
                               " lake_committed_ms bigint NOT NULL,"
                               " rows bigint NOT NULL,"
                               " checksum text NOT NULL,"
                               " ddl_md5 text NOT NULL,"
                               " release_id bigint NOT NULL REFERENCES %1$s._releases,"
                               " published_at timestamptz NOT NULL)",
                               p->schema_q);
    if (st != NX_OK)
        nx_err_prefix(err, "could not prepare schema %s", p->schema);
    return st;
}

static int64_t number(const nx_pg_result *r, size_t col, int64_t dflt)
{
    const char *text = nx_pg_value(r, 0, col);
    int64_t v;
    return text != NULL && nx_str_to_i64(nx_str_of(text), &v) ? v : dflt;
}

nx_status nx__pub_state_read(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    const char *sql = nx_arena_printf(
        p->a,
        "SELECT to_regclass($2)::text, q.lake_table, q.lake_version, q.lake_committed_ms, q.ddl_md5, q.rows "
        "FROM (SELECT 1) AS one LEFT JOIN %s._publications AS q ON q.table_name = $1",
        p->schema_q);
    if (sql == NULL)
        return nx_nomem(err);
    const char *params[] = {t->d->name, t->target};
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_query(p->pg, sql, params, 2, &r, err));
    const char *lake_table = nx_pg_value(r, 0, 1), *md5 = nx_pg_value(r, 0, 4);
    t->exists = nx_pg_value(r, 0, 0) != NULL;
    t->same_ddl = t->exists && md5 != NULL && strcmp(md5, t->ddl_md5) == 0;
    /* A lake made anew counts its versions from 0 again: the time of the commit tells them apart. */
    t->left_alone = t->same_ddl && lake_table != NULL && strcmp(lake_table, t->d->lake_table) == 0 &&
                    number(r, 2, -1) == t->info.version && number(r, 3, -1) == t->info.committed_ms;
    t->rows = t->left_alone ? number(r, 5, -1) : 0;
    nx_pg_result_drop(r);
    return NX_OK;
}

static nx_status read_id(nx__pub *p, const char *sql, const char *const *params, size_t n, int64_t *ret, nx_err *err)
{
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_query(p->pg, sql, params, n, &r, err));
    *ret = nx_pg_rows(r) > 0 ? number(r, 0, 0) : 0;
    nx_pg_result_drop(r);
    return NX_OK;
}

nx_status nx__pub_release_last(nx__pub *p, int64_t *ret_id, nx_err *err)
{
    const char *sql = nx_arena_printf(p->a, "SELECT max(release_id) FROM %s._releases", p->schema_q);
    return sql == NULL ? nx_nomem(err) : read_id(p, sql, NULL, 0, ret_id, err);
}

static nx_status write_publication(nx__pub *p, const nx__pub_table *t, int64_t release, nx_err *err)
{
    const char *sql = nx_arena_printf(
        p->a,
        "INSERT INTO %s._publications VALUES ($1, $2, $3::bigint, $4::bigint, $5::bigint, $6, $7, $8::bigint, clock_timestamp()) "
        "ON CONFLICT (table_name) DO UPDATE SET lake_table = excluded.lake_table, lake_version = excluded.lake_version, "
        "lake_committed_ms = excluded.lake_committed_ms, rows = excluded.rows, checksum = excluded.checksum, "
        "ddl_md5 = excluded.ddl_md5, release_id = excluded.release_id, published_at = excluded.published_at",
        p->schema_q);
    char version[24], committed[24], rows[24], id[24];
    snprintf(version, sizeof version, "%lld", (long long)t->info.version);
    snprintf(committed, sizeof committed, "%lld", (long long)t->info.committed_ms);
    snprintf(rows, sizeof rows, "%lld", (long long)t->rows);
    snprintf(id, sizeof id, "%lld", (long long)release);
    const char *params[] = {t->d->name, t->d->lake_table, version, committed, rows, t->checksum, t->ddl_md5, id};
    if (sql == NULL)
        return nx_nomem(err);
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_query(p->pg, sql, params, NX_COUNT_OF(params), &r, err));
    nx_pg_result_drop(r);
    return NX_OK;
}

nx_status nx__pub_release_write(nx__pub *p, int64_t *ret_id, nx_err *err)
{
    int64_t inserted = 0, updated = 0, deleted = 0;
    for (size_t i = 0; i < p->n; i++) {
        inserted += p->tables[i].inserted;
        updated += p->tables[i].updated;
        deleted += p->tables[i].deleted;
    }
    /* Counted under the lock and not by a sequence, so that a release that was rolled back leaves no gap. */
    const char *sql = nx_arena_printf(
        p->a,
        "INSERT INTO %1$s._releases (release_id, published_at, tables, rows_inserted, rows_updated, rows_deleted) "
        "SELECT coalesce(max(release_id), 0) + 1, clock_timestamp(), %2$zu, %3$lld, %4$lld, %5$lld "
        "FROM %1$s._releases RETURNING release_id",
        p->schema_q, p->n, (long long)inserted, (long long)updated, (long long)deleted);
    if (sql == NULL)
        return nx_nomem(err);
    NX_TRY(read_id(p, sql, NULL, 0, ret_id, err));
    for (size_t i = 0; i < p->n; i++)
        if (!p->tables[i].left_alone)
            NX_TRY(write_publication(p, &p->tables[i], *ret_id, err));
    return NX_OK;
}
