/* Live files and tombstones: what one add or remove action becomes in memory. */
#include <stdlib.h>

#include "lake/lake_int.h"

static nx_status dv_of(const nx_val *action, nx__dv *ret, nx_err *err)
{
    *ret = (nx__dv){0};
    const nx_val *v = nx_val_get(action, "deletionVector");
    if (v == NULL || v->kind != NX_VAL_OBJ)
        return NX_OK;
    nx_str storage = nx_val_str(nx_val_get(v, "storageType"), NX_STR(""));
    *ret = (nx__dv){.storage = storage.n == 1 ? storage.p[0] : '?',
                    .path = nx_val_str(nx_val_get(v, "pathOrInlineDv"), NX_STR("")),
                    .offset = nx_val_i64(nx_val_get(v, "offset"), -1),
                    .bytes = nx_val_i64(nx_val_get(v, "sizeInBytes"), -1),
                    .cardinality = nx_val_i64(nx_val_get(v, "cardinality"), -1)};
    if ((ret->storage != 'u' && ret->storage != 'p' && ret->storage != 'i') || ret->path.n == 0 || ret->bytes < 0 ||
        ret->cardinality < 0)
        return nx_fail(err, NX_CORRUPT,
                       "a deletion vector lacks storageType, pathOrInlineDv, sizeInBytes or cardinality");
    return NX_OK;
}

nx_status nx__file_key(const nx_val *action, nx_str root, nx_buf *b, nx_err *err)
{
    nx__dv dv;
    NX_TRY(nx__path_normal(nx_val_str(nx_val_get(action, "path"), NX_STR("")), root, b, err));
    NX_TRY(dv_of(action, &dv, err));
    if (dv.storage == 0)
        return NX_OK;
    NX_TRY(nx_buf_addf(b, "\n%c", dv.storage));
    NX_TRY(nx_buf_add(b, dv.path));
    return dv.offset < 0 ? NX_OK : nx_buf_addf(b, "@%lld", (long long)dv.offset);
}

/* numRecords of the stats text, or of the checkpoint's parsed stats; -1 when neither says. */
static int64_t records_of(const nx_val *add)
{
    nx_str text = nx_val_str(nx_val_get(add, "stats"), NX_STR(""));
    int64_t n = nx_val_i64(nx_val_path(add, "stats_parsed.numRecords"), -1);
    if (text.n == 0)
        return n;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 4 << 20);
    nx_val *v = NULL;
    if (nx_json_parse(text, &(nx_json_opts){.allow_dup_keys = true}, &a, &v, NULL) != NX_OK)
        return -1;
    return nx_val_i64(nx_val_get(v, "numRecords"), -1);
}

/* The action's object without nulls and without what only checkpoints hold; parsed stats shrink to their row count. */
static nx_status action_json(const nx_val *action, int64_t records, nx_buf *b)
{
    nx_jw w;
    nx_jw_begin(&w, b);
    nx_jw_obj(&w);
    bool has_stats = false;
    nx_buf part NX_BUF_AUTO;
    nx_buf_init(&part, 0);
    for (size_t i = 0; i < action->n; i++) {
        nx_str key = action->keys[i];
        if (action->items[i].kind == NX_VAL_NULL || nx_str_ends(key, NX_STR("_parsed")))
            continue;
        has_stats |= nx_str_is(key, "stats");
        nx_buf_clear(&part);
        NX_TRY(nx_val_to_json(&action->items[i], &part));
        nx_jw_key_str(&w, key);
        nx_jw_raw(&w, nx_buf_str(&part));
    }
    if (!has_stats && records >= 0) {
        nx_jw_key(&w, "stats");
        nx_jw_strf(&w, "{\"numRecords\":%lld}", (long long)records);
    }
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}

static nx_str place(char **at, nx_str s)
{
    if (s.p == NULL)
        return (nx_str){NULL, 0};
    nx_str r = {*at, s.n};
    if (s.n > 0)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    *(*at)++ = '\0';
    return r;
}

static nx__file *file_pack(nx_str key, size_t path_n, nx_str json, const nx_val *pv, const nx__dv *dv)
{
    size_t n_pv = pv != NULL && pv->kind == NX_VAL_OBJ ? pv->n : 0;
    size_t bytes = sizeof(nx__file) + n_pv * sizeof(nx__pair) + key.n + json.n + dv->path.n + 3;
    for (size_t i = 0; i < n_pv; i++)
        bytes += pv->keys[i].n + pv->items[i].s.n + 2;
    nx__file *f = calloc(1, bytes);
    if (f == NULL)
        return NULL;
    nx__pair *pairs = (nx__pair *)(f + 1);
    char *at = (char *)(pairs + n_pv);
    atomic_init(&f->refs, 1);
    f->key = place(&at, key);
    f->path = nx_str_sub(f->key, 0, path_n);
    f->json = place(&at, json);
    f->dv = *dv;
    f->dv.path = place(&at, dv->path);
    f->pv = pairs;
    f->n_pv = n_pv;
    for (size_t i = 0; i < n_pv; i++) {
        const nx_val *v = &pv->items[i];
        pairs[i].key = place(&at, pv->keys[i]);
        if (v->kind == NX_VAL_STR && v->s.n > 0) /* the empty text means null */
            pairs[i].value = place(&at, v->s);
    }
    return f;
}

nx_status nx__file_new(const nx_val *add, nx_str root, nx__file **ret, nx_err *err)
{
    nx_buf key NX_BUF_AUTO, json NX_BUF_AUTO;
    nx_buf_init(&key, 1 << 20);
    nx_buf_init(&json, 0);
    nx__dv dv;
    NX_TRY(nx__path_normal(nx_val_str(nx_val_get(add, "path"), NX_STR("")), root, &key, err));
    size_t path_n = key.n;
    nx_buf_clear(&key);
    NX_TRY(nx__file_key(add, root, &key, err));
    NX_TRY(dv_of(add, &dv, err));
    int64_t records = records_of(add);
    if (action_json(add, records, &json) != NX_OK)
        return nx_nomem(err);
    nx__file *f = file_pack(nx_buf_str(&key), path_n, nx_buf_str(&json), nx_val_get(add, "partitionValues"), &dv);
    if (f == NULL)
        return nx_nomem(err);
    f->bytes = nx_val_i64(nx_val_get(add, "size"), -1);
    f->modified_ms = nx_val_i64(nx_val_get(add, "modificationTime"), 0);
    f->physical_rows = records;
    f->rows = records < 0 ? -1 : records - (dv.storage == 0 ? 0 : dv.cardinality);
    if (f->bytes < 0 || (records >= 0 && f->rows < 0)) {
        nx_fail(err, NX_CORRUPT, "file \"" NX_STR_FMT "\" has an impossible size or row count", NX_STR_ARG(f->path));
        nx__file_unref(f);
        return NX_CORRUPT;
    }
    *ret = f;
    return NX_OK;
}

nx__file *nx__file_ref(nx__file *f)
{
    atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
    return f;
}

void nx__file_unref(nx__file *f)
{
    if (f != NULL && atomic_fetch_sub_explicit(&f->refs, 1, memory_order_acq_rel) == 1)
        free(f);
}

const nx__pair *nx__file_value(const nx__file *f, nx_str column)
{
    for (size_t i = 0; i < f->n_pv; i++)
        if (nx_str_eq_nocase(f->pv[i].key, column))
            return &f->pv[i];
    return NULL;
}
