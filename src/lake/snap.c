/* Snapshots: applying actions, copying, counting references (facts: delta.md section 5). */
#include <stdlib.h>

#include "lake/lake_int.h"

static void drop_file(void *p)
{
    nx__file_unref(p);
}

nx_status nx__snap_new(nx__snap **ret)
{
    nx__snap *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NX_NOMEM;
    atomic_init(&s->refs, 1);
    s->version = -1;
    nx_map_init(&s->files, drop_file);
    nx_map_init(&s->tombs, free);
    nx_map_init(&s->txns, free);
    nx_map_init(&s->domains, free);
    *ret = s;
    return NX_OK;
}

void nx__snap_unref(nx__snap *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
        return;
    nx_map_drop(&s->files);
    nx_map_drop(&s->tombs);
    nx_map_drop(&s->txns);
    nx_map_drop(&s->domains);
    nx__meta_unref(s->meta);
    nx__proto_drop(&s->proto);
    free(s);
}

void nx__snap_drop(nx__snap **s)
{
    nx__snap_unref(*s);
    *s = NULL;
}

void nx__snap_prune(nx__snap *s)
{
    int64_t keep_ms = s->meta == NULL ? -1 : nx__meta_retention_ms(s->meta), oldest = nx__now_ms() - keep_ms;
    nx_map_entry *e;
    for (size_t i = 0; keep_ms >= 0 && (e = nx_map_next(&s->tombs, &i)) != NULL;)
        if (((const nx__tomb *)e->value)->deleted_ms < oldest)
            nx_map_remove(&s->tombs, e->key);
}

nx__file *nx__snap_file(const nx__snap *s, size_t *i)
{
    nx_map_entry *e = nx_map_next(&s->files, i);
    return e == NULL ? NULL : e->value;
}

/* Sets key to a fresh copy of n bytes. */
static nx_status set_copy(nx_map *m, nx_str key, const void *bytes, size_t n)
{
    void *p = malloc(n);
    if (p == NULL)
        return NX_NOMEM;
    memcpy(p, bytes, n);
    nx_status st = nx_map_set(m, key, p);
    if (st != NX_OK)
        free(p);
    return st;
}

static nx_status tomb_set(nx_map *m, nx_str key, int64_t deleted_ms, nx_str json)
{
    nx__tomb *t = malloc(sizeof *t + json.n + 1);
    if (t == NULL)
        return NX_NOMEM;
    t->deleted_ms = deleted_ms;
    memcpy(t->json, json.p, json.n);
    t->json[json.n] = '\0';
    nx_status st = nx_map_set(m, key, t);
    if (st != NX_OK)
        free(t);
    return st;
}

static nx_status copy_all(nx__snap *to, const nx__snap *s)
{
    nx_map_entry *e;
    for (size_t i = 0; (e = nx_map_next(&s->files, &i)) != NULL;) {
        nx_status st = nx_map_set(&to->files, e->key, nx__file_ref(e->value));
        if (st != NX_OK) {
            nx__file_unref(e->value);
            return st;
        }
    }
    for (size_t i = 0; (e = nx_map_next(&s->tombs, &i)) != NULL;) {
        const nx__tomb *t = e->value;
        NX_TRY(tomb_set(&to->tombs, e->key, t->deleted_ms, nx_str_of(t->json)));
    }
    for (size_t i = 0; (e = nx_map_next(&s->txns, &i)) != NULL;)
        NX_TRY(set_copy(&to->txns, e->key, e->value, 2 * sizeof(int64_t)));
    for (size_t i = 0; (e = nx_map_next(&s->domains, &i)) != NULL;)
        NX_TRY(set_copy(&to->domains, e->key, e->value, strlen(e->value) + 1));
    return nx__proto_copy(&to->proto, &s->proto);
}

nx_status nx__snap_clone(const nx__snap *s, nx__snap **ret)
{
    nx__snap *c NX__SNAP_AUTO = NULL;
    NX_TRY(nx__snap_new(&c));
    NX_TRY(copy_all(c, s));
    c->version = s->version;
    c->committed_ms = s->committed_ms;
    c->meta = nx__meta_ref(s->meta);
    *ret = c;
    c = NULL;
    return NX_OK;
}

static nx_status apply_add(nx__snap *s, const nx_val *v, nx_str root, nx_err *err)
{
    nx__file *f = NULL;
    NX_TRY(nx__file_new(v, root, &f, err));
    nx_map_remove(&s->tombs, f->key);
    if (nx_map_set(&s->files, f->key, f) == NX_OK)
        return NX_OK;
    nx__file_unref(f);
    return nx_nomem(err);
}

static nx_status apply_remove(nx__snap *s, const nx_val *v, nx_str root, nx_err *err)
{
    nx_buf key NX_BUF_AUTO, json NX_BUF_AUTO;
    nx_buf_init(&key, 1 << 20);
    nx_buf_init(&json, 0);
    NX_TRY(nx__file_key(v, root, &key, err));
    nx_map_remove(&s->files, nx_buf_str(&key));
    if (nx_val_to_json(v, &json) != NX_OK ||
        tomb_set(&s->tombs, nx_buf_str(&key), nx_val_i64(nx_val_get(v, "deletionTimestamp"), 0), nx_buf_str(&json)) !=
            NX_OK)
        return nx_nomem(err);
    return NX_OK;
}

static nx_status apply_txn(nx__snap *s, const nx_val *v, nx_err *err)
{
    nx_str app = nx_val_str(nx_val_get(v, "appId"), NX_STR(""));
    const nx_val *version = nx_val_get(v, "version");
    int64_t pair[2] = {nx_val_i64(version, INT64_MIN), nx_val_i64(nx_val_get(v, "lastUpdated"), -1)};
    if (app.n == 0 || pair[0] == INT64_MIN)
        return nx_fail(err, NX_CORRUPT, "a txn action has no appId or no version");
    return set_copy(&s->txns, app, pair, sizeof pair) == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status apply_domain(nx__snap *s, const nx_val *v, nx_err *err)
{
    nx_str domain = nx_val_str(nx_val_get(v, "domain"), NX_STR(""));
    if (nx_val_bool(nx_val_get(v, "removed"), false)) {
        nx_map_remove(&s->domains, domain);
        return NX_OK;
    }
    nx_buf json NX_BUF_AUTO;
    nx_buf_init(&json, 0);
    if (nx_val_to_json(v, &json) != NX_OK || set_copy(&s->domains, domain, json.p, json.n + 1) != NX_OK)
        return nx_nomem(err);
    return NX_OK;
}

static nx_status apply_one(nx__snap *s, nx_str key, const nx_val *v, nx_str root, nx_err *err)
{
    if (nx_str_is(key, "add"))
        return apply_add(s, v, root, err);
    if (nx_str_is(key, "remove"))
        return apply_remove(s, v, root, err);
    if (nx_str_is(key, "txn"))
        return apply_txn(s, v, err);
    if (nx_str_is(key, "protocol"))
        return nx__proto_set(&s->proto, v, err);
    if (nx_str_is(key, "domainMetadata"))
        return apply_domain(s, v, err);
    if (nx_str_is(key, "commitInfo")) {
        int64_t ms = nx_val_i64(nx_val_get(v, "timestamp"), s->committed_ms);
        s->committed_ms = nx_val_i64(nx_val_get(v, "inCommitTimestamp"), ms);
        return NX_OK;
    }
    if (!nx_str_is(key, "metaData"))
        return NX_OK; /* unknown actions are to be ignored */
    nx__meta *m = NULL;
    NX_TRY(nx__meta_new(v, &m, err));
    nx__meta_unref(s->meta);
    s->meta = m;
    return NX_OK;
}

static bool is_known(nx_str key)
{
    static const char *const names[] = {"add", "remove", "metaData", "protocol", "txn", "domainMetadata"};
    for (size_t i = 0; i < NX_COUNT_OF(names); i++)
        if (nx_str_is(key, names[i]))
            return true;
    return false;
}

nx_status nx__snap_apply(nx__snap *s, const nx_val *line, nx_str root, nx_err *err)
{
    if (line->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_CORRUPT, "an action is a JSON %s, not an object", nx_val_kind_name(line->kind));
    for (size_t i = 0; i < line->n; i++) {
        const nx_val *v = &line->items[i];
        if (v->kind == NX_VAL_OBJ)
            NX_TRY(apply_one(s, line->keys[i], v, root, err));
        else if (v->kind != NX_VAL_NULL && is_known(line->keys[i]))
            return nx_fail(err, NX_CORRUPT, "action " NX_STR_FMT " is a JSON %s, not an object",
                           NX_STR_ARG(line->keys[i]), nx_val_kind_name(v->kind));
    }
    return NX_OK;
}
