/* Tables in a session: SQL text by name and version, one view a table. */
#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"
#include "lake/lake_int.h"

static nx_status snap_sql(nx_table *t, const nx__snap *s, nx_buf *sql, nx_err *err)
{
    nx__scan sc = {.t = t, .meta = s->meta};
    nx__file **files = NULL;
    if (nx__snap_files(s, &files, &sc.n_files) != NX_OK)
        return nx_nomem(err);
    sc.files = files;
    nx_status st = nx__scan_sql(&sc, sql, err);
    free(files);
    return st;
}

/* A version that was asked for by name may have ended: then a file that it names is gone, and the engine would only say which. */
static nx_status check_not_ended(nx_table *t, const nx__snap *s, nx_err *err)
{
    nx__file **files = NULL;
    size_t n = 0;
    if (nx__snap_files(s, &files, &n) != NX_OK)
        return nx_nomem(err);
    nx_status st = NX_OK;
    for (size_t i = 0; st == NX_OK && i < n; i++) {
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 0);
        st = nx__file_local(t, files[i], &path, err);
        if (st != NX_OK || nx_file_exists(path.p))
            continue;
        nx_fail(err, NX_NOT_FOUND, "version %lld of table %s has ended: its file %s is gone", (long long)s->version,
                t->name, path.p);
        st = nx_err_hint(
            err, NX_NOT_FOUND,
            "vacuum takes files that no version inside the table's retention names; `nexus lake history %s` shows the versions",
            t->name);
    }
    free(files);
    return st;
}

nx_status nx_lake_scan_sql(nx_lake *l, nx_str name, nx_buf *sql, nx_err *err)
{
    nx__ref ref;
    nx__ref_parse(name, &ref);
    nx_buf plain NX_BUF_AUTO;
    nx_buf_init(&plain, 1 << 16);
    if (nx_buf_add(&plain, ref.name) != NX_OK)
        return nx_fail(err, NX_INVALID, "a table name of %zu bytes is too long", ref.name.n);
    nx_table *t = NULL;
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx_table_open(l, plain.p, &t, err));
    NX_TRY(nx__table_snap_at(t, &ref, &s, err));
    if (ref.has_version || ref.has_time)
        NX_TRY(check_not_ended(t, s, err));
    return snap_sql(t, s, sql, err);
}

static nx_status create_view(nx_session *s, const char *name, nx_str query, nx_err *err)
{
    nx_str rest = nx_str_of(name), schema;
    if (!nx_str_split(&rest, '.', &schema))
        return nx_fail(err, NX_INVALID, "table %s has no schema in its name", name);
    nx_status st = nx_session_create_view(s, schema, rest, query, err);
    return st == NX_OK ? NX_OK : nx_err_prefix(err, "could not show table %s to SQL", name);
}

/* A table that cannot be read must not hide the others: the log tells the cause at once, and its view whenever it is asked. The
 * filter asks too, or a count that needs no column would answer 1. */
static nx_status create_broken(nx_session *s, const char *name, const nx_err *why, nx_err *err)
{
    nx_buf body NX_BUF_AUTO, cause NX_BUF_AUTO;
    nx_buf_init(&body, 0);
    nx_buf_init(&cause, 0);
    nx_log(NX_LOG_WARN, "lake", "table %s cannot be read: %s", name, why->text);
    if (nx_sql_literal(&cause, nx_str_of(why->text)) != NX_OK ||
        nx_buf_addf(&body, "SELECT error(%s) AS unreadable FROM range(1) AS t(r) WHERE r < coalesce(error(%s), 1)",
                    cause.p, cause.p) != NX_OK)
        return nx_nomem(err);
    return create_view(s, name, nx_buf_str(&body), err);
}

static nx_status attach(nx_session *s, nx_table *t, nx_err *err)
{
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, 0);
    nx__snap *snap NX__SNAP_AUTO = NULL;
    nx_err why = {0};
    nx_status st = nx__table_snap(t, &snap, &why);
    if (st == NX_OK)
        st = snap_sql(t, snap, &sql, &why);
    if (st == NX_OK)
        st = create_view(s, t->name, nx_buf_str(&sql), &why);
    if (st == NX_OK)
        return NX_OK;
    if (st == NX_NOMEM || st == NX_CANCELLED || st == NX_NOT_FOUND) {
        if (err != NULL)
            *err = why;
        return st;
    }
    return create_broken(s, t->name, &why, err);
}

typedef struct attacher {
    nx_lake *l;
    nx_session *s;
} attacher;

static nx_status on_table(void *ctx, const char *name, const char *folder, nx_err *err)
{
    attacher *a = ctx;
    nx_table *t = NULL;
    NX_TRY(nx__lake_table(a->l, nx_str_of(name), folder, &t, err));
    nx_status st = attach(a->s, t, err);
    if (st == NX_NOT_FOUND) {
        nx_err_clear(err);
        return NX_OK; /* dropped since the walk, or a folder whose first commit is still to come */
    }
    return st;
}

nx_status nx_lake_attach(nx_lake *l, nx_session *s, nx_err *err)
{
    attacher a = {l, s};
    return nx_lake_each(l, on_table, &a, err);
}

nx_status nx_lake_attach_table(nx_lake *l, nx_session *s, const char *name, nx_err *err)
{
    nx_table *t = NULL;
    NX_TRY(nx_table_open(l, name, &t, err));
    return attach(s, t, err);
}
