/* What a commit that came first means for ours (facts: delta.md section 7). Isolation is serializable, except that a
 * pure rearrangement of rows (compaction) by the winner disturbs nobody who does not touch the same files. */
#include "lake/lake_int.h"

typedef struct winner {
    const nx_table *t;
    const nx__change *c;
    const char *txn_id;
    nx_map removes; /* keys of the files that we remove */
    bool ours, txn_done, txn_clash, meta, protocol, adds, takes_rows, same_file;
} winner;

static nx_status on_file(winner *w, const nx_val *v, bool is_add, nx_err *err)
{
    bool changes = nx_val_bool(nx_val_get(v, "dataChange"), true);
    if (is_add) {
        w->adds |= changes;
        return NX_OK;
    }
    w->takes_rows |= changes;
    nx_buf key NX_BUF_AUTO;
    nx_buf_init(&key, 1 << 20);
    NX_TRY(nx__file_key(v, nx_str_of(w->t->root), &key, err));
    w->same_file |= nx_map_has(&w->removes, nx_buf_str(&key));
    return NX_OK;
}

/* The action of that name; some writers spell the absent ones as null. */
static const nx_val *action(const nx_val *line, const char *name)
{
    const nx_val *v = nx_val_get(line, name);
    return v != NULL && v->kind == NX_VAL_OBJ ? v : NULL;
}

static nx_status on_line(void *ctx, const nx_val *line, nx_err *err)
{
    winner *w = ctx;
    const nx_val *v;
    w->meta |= action(line, "metaData") != NULL;
    w->protocol |= action(line, "protocol") != NULL;
    if ((v = action(line, "commitInfo")) != NULL)
        w->ours |= nx_str_is(nx_val_str(nx_val_get(v, "txnId"), NX_STR("")), w->txn_id);
    if ((v = action(line, "txn")) != NULL && w->c->app_id != NULL &&
        nx_str_is(nx_val_str(nx_val_get(v, "appId"), NX_STR("")), w->c->app_id)) {
        w->txn_done |= nx_val_i64(nx_val_get(v, "version"), -1) >= w->c->txn_version;
        w->txn_clash = true;
    }
    if ((v = action(line, "add")) != NULL)
        NX_TRY(on_file(w, v, true, err));
    if ((v = action(line, "remove")) != NULL)
        NX_TRY(on_file(w, v, false, err));
    return NX_OK;
}

static const char *cause_of(const winner *w)
{
    if (w->txn_clash)
        return "comes from a twin of this writer (same txn appId)";
    if (w->protocol)
        return "changed the table's protocol";
    if (w->meta)
        return "changed the table's schema or properties";
    if (w->same_file)
        return "removed a file that this change replaces";
    if (w->c->rearranges || !w->c->reads)
        return NULL;
    if (w->adds)
        return "added rows that this change has not seen";
    return w->takes_rows ? "removed rows that this change has read" : NULL;
}

nx_status nx__conflict(const nx_table *t, const nx__change *c, const char *txn_id, int64_t version, nx__verdict *ret,
                       const char **ret_cause, nx_err *err)
{
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    NX_TRY(nx__commit_read(t, version, &text, err));
    winner w = {.t = t, .c = c, .txn_id = txn_id};
    nx_map_init(&w.removes, NULL);
    nx_status st = NX_OK;
    for (size_t i = 0; i < c->n_removes && st == NX_OK; i++)
        if (nx_map_set(&w.removes, c->removes[i]->key, c->removes[i]) != NX_OK)
            st = nx_nomem(err);
    if (st == NX_OK)
        st = nx__ndjson_each(nx_buf_str(&text), on_line, &w, err);
    nx_map_drop(&w.removes);
    if (st != NX_OK) {
        nx_err_prefix(err, "could not read version %lld of table %s", (long long)version, t->name);
        return st;
    }
    *ret_cause = cause_of(&w);
    *ret = w.ours ? NX__OURS : w.txn_done ? NX__TXN_DONE : *ret_cause != NULL ? NX__CLASH : NX__PASS;
    return NX_OK;
}
