/* The session, what exists in it, and views: kept as SQL files in STATE/views, made anew in each session. */
#include "transform/dbt_int.h"

#include <errno.h>
#include <unistd.h>

/* ---- names ---- */

static nx_status note_table(void *ctx, const char *name, const char *folder, nx_err *err)
{
    (void)folder;
    nx_map *m = ctx;
    return nx_map_set(m, nx_str_of(name), "table") == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status note_view(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    nx_map *m = ctx;
    nx_str s = nx_str_of(name);
    if (is_dir || !nx_str_ends(s, NX_STR(".sql")))
        return NX_OK;
    s.n -= 4;
    if (nx_map_has(m, s)) /* a table by now: a build died between its commit and the removal of the view */
        return NX_OK;
    return nx_map_set(m, s, "view") == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status list_names(nx_lake *lake, const char *views, nx_map *m, nx_err *err)
{
    NX_TRY(nx_lake_each(lake, note_table, m, err));
    return nx_file_exists(views) ? nx_dir_list(views, note_view, m, err) : NX_OK;
}

static const char *views_dir(dbt_project *p)
{
    return nx_arena_printf(&p->arena, "%s/views", p->o->state_dir);
}

nx_status nx__dbt_names(dbt_project *p, nx_err *err)
{
    const char *dir = views_dir(p);
    if (dir == NULL)
        return nx_nomem(err);
    nx_map_drop(&p->relations);
    nx_map_init(&p->relations, NULL);
    return list_names(p->o->lake, dir, &p->relations, err);
}

const char *nx__dbt_exists(dbt_project *p, const char *schema, const char *identifier)
{
    const char *name = nx_arena_printf(&p->arena, "%s.%s", schema, identifier);
    return name == NULL ? NULL : nx_map_get(&p->relations, nx_str_of(name));
}

/* ---- making views ---- */

static nx_status create_saved(nx_session *s, const char *dir, nx_str name, nx_err *err)
{
    NX_BUF_AUTO nx_buf path, sql;
    nx_buf_init(&path, 1 << 16);
    nx_buf_init(&sql, (size_t)64 << 20);
    if (nx_buf_addf(&path, "%s/" NX_STR_FMT ".sql", dir, NX_STR_ARG(name)) != NX_OK)
        return nx_nomem(err);
    size_t dot = nx_str_find(name, NX_STR("."), 0);
    if (dot == SIZE_MAX)
        return nx_fail(err, NX_CORRUPT, "%s is no view of ours: its name has no schema", path.p);
    NX_TRY(nx_file_read(path.p, &sql, err));
    return nx_session_create_view(s, nx_str_sub(name, 0, dot), nx_str_sub(name, dot + 1, name.n), nx_buf_str(&sql),
                                  err);
}

/* Views may read views: rounds, until one makes nothing new. */
static nx_status attach(nx_session *s, const char *dir, const nx_map *names, size_t *broken, nx_err *err)
{
    NX_AUTO(nx_map_drop) nx_map made;
    nx_map_init(&made, NULL);
    for (bool progress = true; progress;) {
        nx_map_entry *e;
        progress = false;
        *broken = 0;
        for (size_t i = 0; (e = nx_map_next(names, &i)) != NULL;) {
            if (strcmp(e->value, "view") != 0 || nx_map_has(&made, e->key))
                continue;
            nx_err why = {0};
            nx_status st = create_saved(s, dir, e->key, &why);
            if (st == NX_INVALID || st == NX_NOT_FOUND) {
                ++*broken; /* what it reads is not there, or not yet */
                continue;
            }
            if (st != NX_OK) {
                if (err != NULL)
                    *err = why;
                return st;
            }
            if (nx_map_set(&made, e->key, "made") != NX_OK)
                return nx_nomem(err);
            progress = true;
        }
    }
    return NX_OK;
}

nx_status nx_dbt_attach_views(nx_lake *lake, nx_session *s, const char *state_dir, size_t *ret_broken, nx_err *err)
{
    NX_BUF_AUTO nx_buf dir;
    NX_AUTO(nx_map_drop) nx_map names;
    nx_buf_init(&dir, 1 << 16);
    nx_map_init(&names, NULL);
    if (nx_buf_addf(&dir, "%s/views", state_dir) != NX_OK)
        return nx_nomem(err);
    NX_TRY(list_names(lake, dir.p, &names, err));
    size_t broken = 0;
    NX_TRY(attach(s, dir.p, &names, &broken, err));
    if (ret_broken != NULL)
        *ret_broken = broken;
    return NX_OK;
}

nx_status nx__dbt_reattach(dbt_project *p, nx_err *err)
{
    size_t broken;
    const char *dir = views_dir(p);
    return dir == NULL ? nx_nomem(err) : attach(p->session, dir, &p->relations, &broken, err);
}

nx_status nx__dbt_session_open(dbt_project *p, nx_err *err)
{
    NX_TRY(nx_session_open(p->o->engine, &p->session, err));
    NX_TRY(nx_lake_attach(p->o->lake, p->session, err));
    NX_TRY(nx__dbt_names(p, err));
    return nx__dbt_reattach(p, err);
}

/* ---- changing the store ---- */

static nx_status view_path(dbt_project *p, const char *schema, const char *identifier, const char **ret, nx_err *err)
{
    *ret = nx_arena_printf(&p->arena, "%s/views/%s.%s.sql", p->o->state_dir, schema, identifier);
    return *ret == NULL ? nx_nomem(err) : NX_OK;
}

nx_status nx__dbt_view_make(dbt_project *p, const char *schema, const char *identifier, nx_str sql, nx_err *err)
{
    const char *path, *dir = views_dir(p), *name = nx_arena_printf(&p->arena, "%s.%s", schema, identifier);
    if (dir == NULL || name == NULL)
        return nx_nomem(err);
    NX_TRY(view_path(p, schema, identifier, &path, err));
    NX_TRY(nx_session_create_view(p->session, nx_str_of(schema), nx_str_of(identifier), sql, err));
    NX_TRY(nx_dir_make(dir, err));
    NX_TRY(nx_file_replace(path, sql, err));
    return nx_map_set(&p->relations, nx_str_of(name), "view") == NX_OK ? NX_OK : nx_nomem(err);
}

nx_status nx__dbt_view_forget(dbt_project *p, const char *schema, const char *identifier, nx_err *err)
{
    const char *path;
    NX_TRY(view_path(p, schema, identifier, &path, err));
    if (unlink(path) != 0 && errno != ENOENT)
        return nx_fail_sys(err, NX_IO, "could not remove the view file %s", path);
    return NX_OK;
}
