/* Vacuum: deletes files that no version within the retention needs (facts: delta.md section 11). And the end of a
 * table. */
#include <stdlib.h>

#include "base/file.h"
#include "lake/lake_int.h"

enum { DEPTH_MAX = 16 };

typedef struct sweep {
    nx_table *t;
    nx_map keep; /* paths below the table */
    int64_t before_ms;
    bool dry_run;
    int64_t files, bytes;
    const char *folder; /* being listed, below the table; "" the table itself */
    int depth;
} sweep;

static nx_status sweep_folder(sweep *w, const char *folder, int depth, nx_err *err);

static nx_status on_entry(void *ctx, const nx_store_entry *e, nx_err *err)
{
    sweep *w = ctx;
    bool hidden = (e->name[0] == '_' || e->name[0] == '.') && strchr(e->name, '=') == NULL &&
                  strcmp(e->name, "_change_data") != 0;
    if (hidden)
        return NX_OK;
    nx_buf path NX_BUF_AUTO, name NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    nx_buf_init(&name, 0);
    if (nx_buf_addf(&path, "%s%s%s", w->folder, w->folder[0] == '\0' ? "" : "/", e->name) != NX_OK)
        return nx_nomem(err);
    if (e->is_dir)
        return sweep_folder(w, path.p, w->depth + 1, err);
    if (e->modified_ms >= w->before_ms || nx_map_has(&w->keep, nx_buf_str(&path)))
        return NX_OK;
    w->files++;
    w->bytes += (int64_t)e->bytes;
    if (w->dry_run)
        return NX_OK;
    if (nx__table_object(w->t, nx_buf_str(&path), &name) != NX_OK)
        return nx_nomem(err);
    return nx_store_delete(w->t->store, name.p, err);
}

static nx_status sweep_folder(sweep *w, const char *folder, int depth, nx_err *err)
{
    if (depth > DEPTH_MAX)
        return NX_OK;
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx_buf_adds(&name, w->t->folder) != NX_OK ||
        (folder[0] != '\0' && nx_buf_addf(&name, "%s%s", name.n == 0 ? "" : "/", folder) != NX_OK))
        return nx_nomem(err);
    const char *outer = w->folder;
    int outer_depth = w->depth;
    w->folder = folder;
    w->depth = depth;
    nx_status st = nx_store_list(w->t->store, name.p, on_entry, w, err);
    w->folder = outer;
    w->depth = outer_depth;
    return st;
}

static nx_status on_line(void *ctx, const nx_val *line, nx_err *err)
{
    sweep *w = ctx;
    const nx_val *v = nx_val_get(line, "remove");
    if (v == NULL || v->kind != NX_VAL_OBJ)
        return NX_OK;
    nx_buf path NX_BUF_AUTO;
    nx_buf_init(&path, 1 << 20);
    NX_TRY(nx__path_normal(nx_val_str(nx_val_get(v, "path"), NX_STR("")), nx_str_of(w->t->root), &path, err));
    return nx_map_set(&w->keep, nx_buf_str(&path), w) == NX_OK ? NX_OK : nx_nomem(err);
}

/* What the commits since `before_ms` removed: a snapshot forgets tombstones sooner than a long retention ends. */
static nx_status keep_removed(sweep *w, nx_err *err)
{
    nx__log_list l;
    NX_TRY(nx__log_scan(w->t, &l, err));
    nx_status st = NX_OK;
    for (size_t i = l.n_commits; st == NX_OK && i > 0 && l.commits[i - 1].modified_ms >= w->before_ms; i--) {
        nx_buf text NX_BUF_AUTO;
        nx_buf_init(&text, 0);
        st = nx__commit_read(w->t, l.commits[i - 1].version, &text, err);
        if (st == NX_OK)
            st = nx__ndjson_each(nx_buf_str(&text), on_line, w, err);
    }
    nx__log_list_drop(&l);
    return st;
}

/* Live files, and files removed since `before_ms`. */
static nx_status keep_all(sweep *w, const nx__snap *s, nx_err *err)
{
    nx__file *f;
    nx_map_entry *e;
    for (size_t i = 0; (f = nx__snap_file(s, &i)) != NULL;) {
        if (f->dv.storage != 0)
            return nx_fail(err, NX_UNSUPPORTED,
                           "could not vacuum table %s: it uses the Delta feature \"deletionVectors\"", w->t->name);
        if (nx_map_set(&w->keep, f->path, w) != NX_OK)
            return nx_nomem(err);
    }
    for (size_t i = 0; (e = nx_map_next(&s->tombs, &i)) != NULL;) {
        const nx__tomb *t = e->value;
        nx_str path = e->key;
        size_t cut = nx_str_find(path, NX_STR("\n"), 0);
        if (cut != SIZE_MAX)
            path.n = cut;
        if (t->deleted_ms >= w->before_ms && nx_map_set(&w->keep, path, w) != NX_OK)
            return nx_nomem(err);
    }
    return keep_removed(w, err);
}

/* What commits and checkpoints that were cut short left in the log's folder. */
static nx_status on_log_entry(void *ctx, const nx_store_entry *e, nx_err *err)
{
    sweep *w = ctx;
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (e->is_dir || e->modified_ms >= w->before_ms || strncmp(e->name, ".tmp-", 5) != 0)
        return NX_OK;
    w->files++;
    w->bytes += (int64_t)e->bytes;
    if (w->dry_run)
        return NX_OK;
    if (nx__table_object(w->t, NX_STR("_delta_log/"), &name) != NX_OK || nx_buf_adds(&name, e->name) != NX_OK)
        return nx_nomem(err);
    return nx_store_delete(w->t->store, name.p, err);
}

static nx_status sweep_log(sweep *w, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx__table_object(w->t, NX_STR("_delta_log"), &name) != NX_OK)
        return nx_nomem(err);
    return nx_store_list(w->t->store, name.p, on_log_entry, w, err);
}

static nx_status check_retention(const nx_table *t, const nx__snap *s, int64_t retain_ms, nx_err *err)
{
    int64_t least = nx__meta_retention_ms(s->meta);
    if (least < 0)
        return nx_fail(err, NX_UNSUPPORTED,
                       "could not vacuum table %s: its delta.deletedFileRetentionDuration is not understood", t->name);
    if (retain_ms >= least)
        return NX_OK;
    nx_fail(err, NX_INVALID, "could not vacuum table %s: %lld hours are shorter than its retention of %lld hours",
            t->name, (long long)(retain_ms / 3600000), (long long)(least / 3600000));
    return nx_err_hint(err, NX_INVALID, "readers of older versions and running writers may still need those files");
}

nx_status nx_table_vacuum(nx_table *t, int64_t retain_ms, bool dry_run, int64_t *ret_files, int64_t *ret_bytes,
                          nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &s, err));
    NX_TRY(nx__proto_check_write(&s->proto, s->meta, t->name, err));
    NX_TRY(check_retention(t, s, retain_ms, err));
    sweep w = {.t = t, .before_ms = nx__now_ms() - retain_ms, .dry_run = dry_run, .folder = ""};
    nx_map_init(&w.keep, NULL);
    nx_status st = keep_all(&w, s, err);
    if (st == NX_OK)
        st = sweep_folder(&w, "", 0, err);
    if (st == NX_OK)
        st = sweep_log(&w, err);
    nx_map_drop(&w.keep);
    *ret_files = w.files;
    *ret_bytes = w.bytes;
    return st;
}

/* ------------------------------------------------------------------ drop */

/* The log goes first, the newest commit before the older: whoever looks in between sees an older version or no table,
 * never a broken one. */
static nx_status drop_log(nx_table *t, nx_err *err)
{
    nx__log_list l;
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    NX_TRY(nx__log_scan(t, &l, err));
    nx_status st = nx__table_object(t, NX_STR("_delta_log/_last_checkpoint"), &name) == NX_OK
                       ? nx_store_delete(t->store, name.p, err)
                       : nx_nomem(err);
    for (size_t i = l.n_cps; st == NX_OK && i > 0; i--) {
        nx_buf_clear(&name);
        if (nx__table_object(t, NX_STR("_delta_log/"), &name) != NX_OK ||
            nx_buf_adds(&name, l.cps[i - 1].name) != NX_OK)
            st = nx_nomem(err);
        else
            st = nx_store_delete(t->store, name.p, err);
    }
    for (size_t i = l.n_commits; st == NX_OK && i > 0; i--) {
        nx_buf_clear(&name);
        if (nx__commit_name(t, l.commits[i - 1].version, &name) != NX_OK)
            st = nx_nomem(err);
        else
            st = nx_store_delete(t->store, name.p, err);
    }
    nx__log_list_drop(&l);
    return st;
}

nx_status nx_lake_drop_table(nx_lake *l, const char *name, nx_err *err)
{
    nx_table *t = NULL;
    NX_TRY(nx_table_open(l, name, &t, err));
    if (t->own_store)
        return nx_fail(err, NX_INVALID, "could not drop %s: only tables of the lake are dropped", name);
    NX_TRY(drop_log(t, err));
    nx__table_forget(t);
    return nx_dir_remove(t->root, err);
}
