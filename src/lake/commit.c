/* One commit: the text of version N + 1, put if absent; who loses reads the winner, and tries the next number (facts:
 * delta.md section 7). */
#include <stdlib.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "lake/lake_int.h"

enum { ATTEMPTS_MAX = 10000, CHECKPOINT_EVERY = 10 };

int64_t nx__now_ms(void)
{
    return nx_clock_wall() / 1000000;
}

void nx__change_init(nx__change *c, const char *operation)
{
    *c = (nx__change){.operation = operation};
    nx_arena_init(&c->arena, 0);
}

void nx__change_drop(nx__change *c)
{
    for (size_t i = 0; i < c->n_removes; i++)
        nx__file_unref(c->removes[i]);
    free(c->removes);
    free(c->adds);
    nx_arena_drop(&c->arena);
    c->removes = NULL;
    c->adds = NULL;
    c->n_removes = c->n_adds = c->cap_removes = c->cap_adds = 0;
}

nx_status nx__change_remove(nx__change *c, nx__file *f, nx_err *err)
{
    if (!nx_grow(&c->removes, &c->cap_removes, c->n_removes + 1, sizeof *c->removes))
        return nx_nomem(err);
    c->removes[c->n_removes++] = nx__file_ref(f);
    return NX_OK;
}

void nx__change_discard(const nx_table *t, nx__change *c)
{
    if (!c->unsure) /* else some reader may see the commit: vacuum knows better later */
        nx__change_discard_from(t, c, 0);
}

void nx__change_discard_from(const nx_table *t, nx__change *c, size_t first)
{
    for (size_t i = first; i < c->n_adds; i++) {
        nx_buf name NX_BUF_AUTO;
        nx_buf_init(&name, 0);
        if (nx__table_object(t, c->adds[i].path, &name) != NX_OK || nx_store_delete(t->store, name.p, NULL) != NX_OK)
            continue; /* vacuum takes it later */
    }
    c->n_adds = first;
}

/* ------------------------------------------------------------------ the text */

static void add_values(nx_jw *w, const nx__pair *pv, size_t n)
{
    nx_jw_key(w, "partitionValues");
    nx_jw_obj(w);
    for (size_t i = 0; i < n; i++) {
        nx_jw_key_str(w, pv[i].key);
        if (pv[i].value.p == NULL)
            nx_jw_null(w);
        else
            nx_jw_str(w, pv[i].value);
    }
    nx_jw_obj_end(w);
}

static nx_status line_end(nx_jw *w, nx_buf *b)
{
    nx_jw_obj_end(w);
    nx_jw_obj_end(w);
    NX_TRY(nx_jw_end(w));
    return nx_buf_addc(b, '\n');
}

static void line_begin(nx_jw *w, nx_buf *b, const char *action)
{
    nx_jw_begin(w, b);
    nx_jw_obj(w);
    nx_jw_key(w, action);
    nx_jw_obj(w);
}

static nx_status write_add(const nx__change *c, const nx__add *a, int64_t now_ms, nx_buf *b)
{
    nx_jw w;
    nx_buf path NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    NX_TRY(nx__path_encode(a->path, &path));
    line_begin(&w, b, "add");
    nx_jw_put_str(&w, "path", nx_buf_str(&path));
    add_values(&w, a->pv, a->n_pv);
    nx_jw_put_i64(&w, "size", a->bytes);
    nx_jw_put_i64(&w, "modificationTime", now_ms);
    nx_jw_put_bool(&w, "dataChange", !c->rearranges);
    if (a->stats.p != NULL)
        nx_jw_put_str(&w, "stats", a->stats);
    return line_end(&w, b);
}

static nx_status write_remove(const nx__change *c, const nx__file *f, int64_t now_ms, nx_buf *b)
{
    nx_jw w;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 64 << 20);
    nx_val *add = NULL;
    nx_buf dv NX_BUF_AUTO;
    nx_buf_init(&dv, 0);
    NX_TRY(nx_json_parse(f->json, &(nx_json_opts){.allow_dup_keys = true}, &a, &add, NULL));
    line_begin(&w, b, "remove");
    nx_jw_put_str(&w, "path", nx_val_str(nx_val_get(add, "path"), NX_STR(""))); /* spelt as the add was */
    nx_jw_put_i64(&w, "deletionTimestamp", now_ms);
    nx_jw_put_bool(&w, "dataChange", !c->rearranges);
    nx_jw_put_bool(&w, "extendedFileMetadata", true);
    add_values(&w, f->pv, f->n_pv);
    nx_jw_put_i64(&w, "size", f->bytes);
    if (f->dv.storage != 0) {
        NX_TRY(nx_val_to_json(nx_val_get(add, "deletionVector"), &dv));
        nx_jw_put_raw(&w, "deletionVector", nx_buf_str(&dv));
    }
    return line_end(&w, b);
}

static nx_status write_info(const nx_table *t, const nx__snap *base, const nx__change *c, const char *txn_id,
                            int64_t now_ms, nx_buf *b)
{
    nx_jw w;
    int64_t bytes = 0;
    for (size_t i = 0; i < c->n_adds; i++)
        bytes += c->adds[i].bytes;
    line_begin(&w, b, "commitInfo");
    nx_jw_put_i64(&w, "timestamp", now_ms);
    nx_jw_put_cstr(&w, "operation", c->operation);
    nx_jw_put_raw(&w, "operationParameters", c->params.p == NULL ? NX_STR("{}") : c->params);
    if (base != NULL)
        nx_jw_put_i64(&w, "readVersion", base->version);
    nx_jw_put_bool(&w, "isBlindAppend", base != NULL && !c->reads && c->n_removes == 0 && c->meta.p == NULL);
    nx_jw_key(&w, "operationMetrics");
    nx_jw_obj(&w);
    const struct {
        const char *key;
        int64_t v;
    } metrics[] = {{"numFiles", (int64_t)c->n_adds},
                   {"numRemovedFiles", (int64_t)c->n_removes},
                   {"numOutputBytes", bytes},
                   {"numOutputRows", c->rows_added},
                   {"numDeletedRows", c->rows_removed}};
    for (size_t i = 0; i < NX_COUNT_OF(metrics); i++) {
        nx_jw_key(&w, metrics[i].key);
        nx_jw_strf(&w, "%lld", (long long)metrics[i].v);
    }
    nx_jw_obj_end(&w);
    nx_jw_put_cstr(&w, "engineInfo", t->lake->engine_info);
    nx_jw_put_cstr(&w, "txnId", txn_id);
    return line_end(&w, b);
}

static nx_status write_object(const char *action, nx_str json, nx_buf *b)
{
    return json.p == NULL ? NX_OK : nx_buf_addf(b, "{\"%s\":" NX_STR_FMT "}\n", action, NX_STR_ARG(json));
}

static nx_status write_commit(const nx_table *t, const nx__snap *base, const nx__change *c, const char *txn_id,
                              nx_buf *b)
{
    int64_t now = nx__now_ms();
    nx_jw w;
    NX_TRY(write_info(t, base, c, txn_id, now, b));
    NX_TRY(write_object("protocol", c->proto, b));
    NX_TRY(write_object("metaData", c->meta, b));
    if (c->app_id != NULL) {
        line_begin(&w, b, "txn");
        nx_jw_put_cstr(&w, "appId", c->app_id);
        nx_jw_put_i64(&w, "version", c->txn_version);
        nx_jw_put_i64(&w, "lastUpdated", now);
        NX_TRY(line_end(&w, b));
    }
    for (size_t i = 0; i < c->n_removes; i++)
        NX_TRY(write_remove(c, c->removes[i], now, b));
    for (size_t i = 0; i < c->n_adds; i++)
        NX_TRY(write_add(c, &c->adds[i], now, b));
    return NX_OK;
}

/* ------------------------------------------------------------------ putting it */

/* Tries one number. NX_EXISTS: somebody else has it. An error after which the commit is visible all the same is no
 * error. */
static nx_status put(const nx_table *t, nx__change *c, const char *txn_id, int64_t version, nx_str text, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx__commit_name(t, version, &name) != NX_OK)
        return nx_nomem(err);
    if (nx_fault_hit(NX_FAULT_DELTA_COMMIT) != NX_FAULT_NONE)
        return nx_fail(err, NX_IO, "could not write %s: injected fault", name.p);
    c->unsure = true;
    nx_status st = nx_store_put_new(t->store, name.p, text, err);
    if (st == NX_OK && nx_fault_hit(NX_FAULT_DELTA_COMMITTED) != NX_FAULT_NONE)
        st = nx_fail(err, NX_IO, "could not write %s: the answer was lost (injected fault)", name.p);
    if (st == NX_OK)
        return st;
    bool there = false;
    nx_err why = {0};
    if (nx_store_exists(t->store, name.p, &there, &why) != NX_OK)
        return st;
    nx__verdict v = NX__PASS;
    const char *cause;
    if (there && nx__conflict(t, c, txn_id, version, &v, &cause, &why) != NX_OK)
        return st == NX_EXISTS ? why.status : st;
    if (v == NX__OURS)
        return NX_OK;
    c->unsure = false;
    return there ? NX_EXISTS : st == NX_EXISTS ? NX_AGAIN : st;
}

static nx_status clash(const nx_table *t, int64_t version, const char *cause, nx_err *err)
{
    nx_fail(err, NX_CONFLICT, "could not commit to table %s: version %lld, committed meanwhile, %s", t->name,
            (long long)version, cause);
    if (err != NULL)
        err->retriable = true;
    return nx_err_hint(err, NX_CONFLICT, "run the command again");
}

/* Finds the first free number from `version` on and puts the text there. */
static nx_status win(const nx_table *t, nx__change *c, const char *txn_id, nx_str text, int64_t *version,
                     bool *ret_done, nx_err *err)
{
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        nx_buf name NX_BUF_AUTO;
        nx_buf_init(&name, 0);
        bool there = false;
        if (nx__commit_name(t, *version, &name) != NX_OK)
            return nx_nomem(err);
        NX_TRY(nx_store_exists(t->store, name.p, &there, err));
        if (!there) {
            nx_status st = put(t, c, txn_id, *version, text, err);
            if (st != NX_EXISTS && st != NX_AGAIN)
                return st;
            continue; /* now it is there */
        }
        nx__verdict v;
        const char *cause = "";
        NX_TRY(nx__conflict(t, c, txn_id, *version, &v, &cause, err));
        if (v == NX__OURS)
            return NX_OK;
        if (v == NX__TXN_DONE) {
            *ret_done = true;
            return NX_OK;
        }
        if (v == NX__CLASH)
            return clash(t, *version, cause, err);
        (*version)++;
    }
    return nx_fail(err, NX_CONFLICT, "could not commit to table %s: other writers were first %d times", t->name,
                   ATTEMPTS_MAX);
}

static nx_status check_base(const nx_table *t, const nx__snap *base, const nx__change *c, nx_err *err)
{
    NX_TRY(nx__proto_check_write(&base->proto, base->meta, t->name, err));
    if (c->n_removes > 0 && !c->rearranges && nx_str_is(nx__meta_config(base->meta, "delta.appendOnly"), "true"))
        return nx_fail(err, NX_UNSUPPORTED, "could not change rows of table %s: it is append-only (delta.appendOnly)",
                       t->name);
    return NX_OK;
}

static bool txn_done(const nx__snap *base, const nx__change *c)
{
    if (base == NULL || c->app_id == NULL)
        return false;
    const int64_t *have = nx_map_get(&base->txns, nx_str_of(c->app_id));
    return have != NULL && have[0] >= c->txn_version;
}

/* A checkpoint only saves time: that it failed must not fail the commit that is already there. */
static void checkpoint_if_due(nx_table *t, int64_t version)
{
    if (version == 0 || version % CHECKPOINT_EVERY != 0 || t->lake->engine == NULL)
        return;
    nx_err err = {0};
    if (nx_table_checkpoint(t, &err) == NX_OK)
        return;
    nx_log_err(NX_LOG_WARN, "lake", &err);
    nx_metric_add(
        nx_metric_counter("nexus_lake_checkpoint_failures_total", "", "Checkpoints that could not be written"), 1);
}

nx_status nx__commit(nx_table *t, const nx__snap *base, nx__change *c, nx_commit_result *ret, nx_err *err)
{
    *ret = (nx_commit_result){.version = base == NULL ? -1 : base->version};
    if (base != NULL)
        NX_TRY(check_base(t, base, c, err));
    if (txn_done(base, c))
        return NX_OK;
    char txn_id[37];
    nx_rand_uuid(txn_id);
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, (size_t)512 << 20);
    nx_status st = write_commit(t, base, c, txn_id, &text);
    if (st != NX_OK)
        return nx_fail(err, st, "could not write the commit of table %s: %s", t->name, nx_status_text(st));
    int64_t version = ret->version + 1;
    bool done = false;
    NX_TRY(win(t, c, txn_id, nx_buf_str(&text), &version, &done, err));
    ret->version = version;
    if (done)
        return NX_OK;
    ret->committed = true;
    ret->rows_added = c->rows_added;
    ret->rows_removed = c->rows_removed;
    ret->files_added = (int64_t)c->n_adds;
    ret->files_removed = (int64_t)c->n_removes;
    for (size_t i = 0; i < c->n_adds; i++)
        ret->bytes_added += c->adds[i].bytes;
    checkpoint_if_due(t, version);
    return NX_OK;
}
