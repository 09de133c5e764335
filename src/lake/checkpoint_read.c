/* Checkpoints: Parquet through the engine, a row an action as JSON; V2 ones may be JSON and name sidecars (facts:
 * delta.md sections 5, 8). */
#include <stdlib.h>

#include "lake/lake_int.h"

enum { BATCH_ROWS = 1024 };

typedef struct reader {
    const nx_table *t;
    nx__snap *snap;
    nx_map sidecars; /* paths below _delta_log, in order */
} reader;

static nx_status on_action(void *ctx, const nx_val *line, nx_err *err)
{
    reader *r = ctx;
    const nx_val *side = nx_val_get(line, "sidecar");
    if (side != NULL && side->kind == NX_VAL_OBJ) {
        nx_str path = nx_val_str(nx_val_get(side, "path"), NX_STR(""));
        nx_buf name NX_BUF_AUTO;
        nx_buf_init(&name, 1 << 16);
        NX_TRY(nx__path_normal(path, nx_str_of(r->t->root), &name, err));
        if (memchr(name.p, '/', name.n) != NULL && !nx_str_starts(nx_buf_str(&name), NX_STR("_delta_log/_sidecars/")))
            return nx_fail(err, NX_UNSUPPORTED, "sidecar \"" NX_STR_FMT "\" lies outside of the table's folder",
                           NX_STR_ARG(path));
        nx_str s = nx_buf_str(&name);
        size_t slash = s.n;
        while (slash > 0 && s.p[slash - 1] != '/')
            slash--;
        if (nx_map_set(&r->sidecars, nx_str_sub(s, slash, s.n), r) != NX_OK)
            return nx_nomem(err);
    }
    return nx__snap_apply(r->snap, line, nx_str_of(r->t->root), err);
}

static nx_status on_batch(void *ctx, const nx_batch *b, nx_err *err)
{
    for (size_t i = 0; i < b->n; i++)
        if (!nx_col_is_null(&b->cols[0], i))
            NX_TRY(nx__ndjson_each(nx_col_get_str(&b->cols[0], i), on_action, ctx, err));
    return NX_OK;
}

static nx_status object_path(const nx_table *t, const char *folder, nx_str name, nx_buf *path, nx_err *err)
{
    nx_buf rel NX_BUF_AUTO, object NX_BUF_AUTO;
    nx_buf_init(&rel, 0);
    nx_buf_init(&object, 0);
    if (nx_buf_adds(&rel, folder) != NX_OK || nx_buf_add(&rel, name) != NX_OK ||
        nx__table_object(t, nx_buf_str(&rel), &object) != NX_OK)
        return nx_nomem(err);
    return nx_store_local_path(t->store, object.p, path, err);
}

static nx_status read_parquet(reader *r, const char *folder, nx_str name, nx_err *err)
{
    static const nx_field line = {.name = "line", .type = {.kind = NX_STRING}, .nullable = true};
    static const nx_schema schema = {&line, 1};
    nx_buf path NX_BUF_AUTO, sql NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    nx_buf_init(&sql, 0);
    NX_TRY(object_path(r->t, folder, name, &path, err));
    if (nx_buf_adds(&sql, "SELECT CAST(to_json(c) AS VARCHAR) AS line FROM (SELECT * FROM read_parquet([") != NX_OK ||
        nx__glob_literal(&sql, nx_buf_str(&path)) != NX_OK ||
        nx_buf_adds(&sql, "], hive_partitioning=false)) AS c") != NX_OK)
        return nx_nomem(err);
    nx_session *s = NULL;
    NX_TRY(nx_session_open(r->t->lake->engine, &s, err));
    nx_status st = nx_session_fetch(s, nx_buf_str(&sql), &schema, BATCH_ROWS, on_batch, r, err);
    nx_session_close(s);
    if (st != NX_OK)
        nx_err_prefix(err, "checkpoint file " NX_STR_FMT " of table %s", NX_STR_ARG(name), r->t->name);
    return st;
}

static nx_status read_json(reader *r, nx_str name, nx_err *err)
{
    nx_buf object NX_BUF_AUTO, rel NX_BUF_AUTO, text NX_BUF_AUTO;
    nx_buf_init(&object, 0);
    nx_buf_init(&rel, 0);
    nx_buf_init(&text, (size_t)512 << 20);
    if (nx_buf_adds(&rel, "_delta_log/") != NX_OK || nx_buf_add(&rel, name) != NX_OK ||
        nx__table_object(r->t, nx_buf_str(&rel), &object) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_store_get(r->t->store, object.p, &text, err));
    return nx__ndjson_each(nx_buf_str(&text), on_action, r, err);
}

nx_status nx__checkpoint_apply(const nx_table *t, const nx__cp *cps, size_t n, nx__snap *s, nx_err *err)
{
    reader r = {.t = t, .snap = s};
    nx_map_init(&r.sidecars, NULL);
    nx_status st = NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        nx_str name = nx_str_of(cps[i].name);
        st = nx_str_ends(name, NX_STR(".json")) ? read_json(&r, name, err) : read_parquet(&r, "_delta_log/", name, err);
    }
    nx_map_entry *e;
    for (size_t i = 0; st == NX_OK && (e = nx_map_next(&r.sidecars, &i)) != NULL;)
        st = read_parquet(&r, "_delta_log/_sidecars/", e->key, err);
    nx_map_drop(&r.sidecars);
    return st;
}
