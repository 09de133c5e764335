/* Classic checkpoints: one Parquet file with every action of a version, so that readers need not replay the log
 * (facts: delta.md section 8). The actions go as JSON lines through the engine, whose typed columns give the very
 * tree that other writers make. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "lake/lake_int.h"

enum { CHECKPOINT_BYTES_MAX = 1 << 30, OBJECT_MIN = 1 << 24 };

static const char dv_type[] =
    "STRUCT(storageType VARCHAR, pathOrInlineDv VARCHAR, \"offset\" INTEGER, sizeInBytes INTEGER, cardinality BIGINT)";

typedef struct lines {
    nx_buf b;
    int64_t n, adds;
    size_t longest;
} lines;

static nx_status put_line(lines *l, const char *action, nx_str json)
{
    size_t from = l->b.n;
    NX_TRY(nx_buf_addf(&l->b, "{\"%s\":", action));
    NX_TRY(nx_buf_add(&l->b, json));
    NX_TRY(nx_buf_adds(&l->b, "}\n"));
    l->n++;
    if (l->b.n - from > l->longest)
        l->longest = l->b.n - from;
    return NX_OK;
}

static void features(nx_jw *w, const char *key, nx_str list)
{
    if (list.p == NULL)
        return;
    nx_str one;
    nx_jw_key(w, key);
    nx_jw_arr(w);
    while (nx_str_split(&list, ',', &one))
        if (one.n > 0)
            nx_jw_str(w, one);
    nx_jw_arr_end(w);
}

static nx_status put_protocol(lines *l, const nx__proto *p)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_put_i64(&w, "minReaderVersion", p->reader);
    nx_jw_put_i64(&w, "minWriterVersion", p->writer);
    features(&w, "readerFeatures", p->reader_features);
    features(&w, "writerFeatures", p->writer_features);
    nx_jw_obj_end(&w);
    NX_TRY(nx_jw_end(&w));
    return put_line(l, "protocol", nx_buf_str(&b));
}

static nx_status put_txn(lines *l, nx_str app, const int64_t *v)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_put_str(&w, "appId", app);
    nx_jw_put_i64(&w, "version", v[0]);
    if (v[1] >= 0)
        nx_jw_put_i64(&w, "lastUpdated", v[1]);
    nx_jw_obj_end(&w);
    NX_TRY(nx_jw_end(&w));
    return put_line(l, "txn", nx_buf_str(&b));
}

static nx_status put_all(lines *l, const nx__snap *s)
{
    int64_t keep_ms = nx__meta_retention_ms(s->meta), oldest = keep_ms < 0 ? INT64_MIN : nx__now_ms() - keep_ms;
    nx_map_entry *e;
    nx__file *f;
    NX_TRY(put_protocol(l, &s->proto));
    NX_TRY(put_line(l, "metaData", s->meta->json));
    for (size_t i = 0; (e = nx_map_next(&s->txns, &i)) != NULL;)
        NX_TRY(put_txn(l, e->key, e->value));
    for (size_t i = 0; (e = nx_map_next(&s->domains, &i)) != NULL;)
        NX_TRY(put_line(l, "domainMetadata", nx_str_of(e->value)));
    for (size_t i = 0; (f = nx__snap_file(s, &i)) != NULL; l->adds++)
        NX_TRY(put_line(l, "add", f->json));
    for (size_t i = 0; (e = nx_map_next(&s->tombs, &i)) != NULL;) {
        const nx__tomb *t = e->value;
        if (t->deleted_ms >= oldest)
            NX_TRY(put_line(l, "remove", nx_str_of(t->json)));
    }
    return NX_OK;
}

static nx_status copy_sql(nx_str from, nx_str to, size_t object_bytes, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "COPY (SELECT txn, add, remove, metaData, protocol, domainMetadata FROM read_json("));
    NX_TRY(nx__glob_literal(b, from));
    NX_TRY(nx_buf_addf(b,
                       ", format='newline_delimited', compression='uncompressed', maximum_object_size=%zu, columns={",
                       object_bytes));
    NX_TRY(nx_buf_adds(b, "txn: 'STRUCT(appId VARCHAR, version BIGINT, lastUpdated BIGINT)', "));
    NX_TRY(nx_buf_addf(
        b,
        "add: 'STRUCT(path VARCHAR, partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, modificationTime BIGINT, dataChange "
        "BOOLEAN, tags MAP(VARCHAR, VARCHAR), deletionVector %s, baseRowId BIGINT, defaultRowCommitVersion BIGINT, "
        "clusteringProvider VARCHAR, stats VARCHAR)', ",
        dv_type));
    NX_TRY(nx_buf_addf(
        b,
        "remove: 'STRUCT(path VARCHAR, deletionTimestamp BIGINT, dataChange BOOLEAN, extendedFileMetadata BOOLEAN, "
        "partitionValues MAP(VARCHAR, VARCHAR), size BIGINT, deletionVector %s, baseRowId BIGINT, defaultRowCommitVersion "
        "BIGINT)', ",
        dv_type));
    NX_TRY(nx_buf_adds(
        b,
        "metaData: 'STRUCT(id VARCHAR, name VARCHAR, description VARCHAR, format STRUCT(provider VARCHAR, options "
        "MAP(VARCHAR, VARCHAR)), schemaString VARCHAR, partitionColumns VARCHAR[], configuration MAP(VARCHAR, VARCHAR), "
        "createdTime BIGINT)', "));
    NX_TRY(nx_buf_adds(
        b,
        "protocol: 'STRUCT(minReaderVersion INTEGER, minWriterVersion INTEGER, readerFeatures VARCHAR[], writerFeatures "
        "VARCHAR[])', domainMetadata: 'STRUCT(domain VARCHAR, configuration VARCHAR, removed BOOLEAN)'})) TO "));
    NX_TRY(nx_sql_literal(b, to));
    return nx_buf_adds(b, " (FORMAT parquet, COMPRESSION snappy, DICTIONARY_SIZE_LIMIT 0, WRITE_BLOOM_FILTER false)");
}

/* Runs the COPY and counts what it wrote. */
static nx_status make_parquet(nx_table *t, const lines *l, nx_str from, nx_str to, nx_err *err)
{
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, 0);
    size_t object = l->longest + 1 > OBJECT_MIN ? l->longest + 1 : OBJECT_MIN;
    nx_session *s = NULL;
    nx_result *r = NULL;
    NX_TRY(nx_session_open(t->lake->engine, &s, err));
    nx_status st = copy_sql(from, to, object, &sql);
    if (st != NX_OK)
        st = nx_nomem(err);
    else
        st = nx_session_exec(s, nx_buf_str(&sql), NULL, err);
    nx_buf_clear(&sql);
    if (st == NX_OK && (nx_buf_adds(&sql, "SELECT count(*) FROM read_parquet(") != NX_OK ||
                        nx__glob_literal(&sql, to) != NX_OK || nx_buf_addc(&sql, ')') != NX_OK))
        st = nx_nomem(err);
    if (st == NX_OK)
        st = nx_session_query(s, nx_buf_str(&sql), &r, err);
    if (st == NX_OK && nx_result_i64(r, 0, 0, -1) != l->n)
        st = nx_fail(err, NX_INTERNAL, "it holds %" PRId64 " actions instead of %" PRId64, nx_result_i64(r, 0, 0, -1),
                     l->n);
    nx_result_drop(r);
    nx_session_close(s);
    return st;
}

static nx_status put_last(nx_table *t, int64_t version, const lines *l, size_t bytes, nx_err *err)
{
    nx_buf name NX_BUF_AUTO, text NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    nx_buf_init(&text, 0);
    if (nx__table_object(t, NX_STR("_delta_log/_last_checkpoint"), &name) != NX_OK ||
        nx_buf_addf(&text,
                    "{\"version\":%" PRId64 ",\"size\":%" PRId64 ",\"sizeInBytes\":%zu,\"numOfAddFiles\":%" PRId64 "}",
                    version, l->n, bytes, l->adds) != NX_OK)
        return nx_nomem(err);
    return nx_store_put(t->store, name.p, nx_buf_str(&text), err);
}

typedef struct temp {
    nx_buf json, parquet; /* object names */
} temp;

/* Moves the finished file to its final name (never over another) and points at it. */
static nx_status publish(nx_table *t, const nx__snap *s, const lines *l, const temp *tmp, nx_err *err)
{
    nx_buf bytes NX_BUF_AUTO, name NX_BUF_AUTO;
    nx_buf_init(&bytes, CHECKPOINT_BYTES_MAX);
    nx_buf_init(&name, 0);
    char rel[64];
    int n = snprintf(rel, sizeof rel, "_delta_log/%020" PRId64 ".checkpoint.parquet", s->version);
    if (nx__table_object(t, (nx_str){rel, (size_t)n}, &name) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_store_get(t->store, tmp->parquet.p, &bytes, err));
    nx_status st = nx_store_put_new(t->store, name.p, nx_buf_str(&bytes), err);
    if (st == NX_EXISTS) {
        nx_err_clear(err);
        return NX_OK; /* a colleague wrote the same */
    }
    return st == NX_OK ? put_last(t, s->version, l, bytes.n, err) : st;
}

static nx_status run(nx_table *t, const nx__snap *s, lines *l, const temp *tmp, nx_err *err)
{
    nx_buf from NX_BUF_AUTO, to NX_BUF_AUTO;
    nx_buf_init(&from, 0);
    nx_buf_init(&to, 0);
    nx_status st = put_all(l, s);
    if (st != NX_OK)
        return nx_fail(err, st, "its actions do not fit into memory");
    NX_TRY(nx_store_put(t->store, tmp->json.p, nx_buf_str(&l->b), err));
    NX_TRY(nx_store_local_path(t->store, tmp->json.p, &from, err));
    NX_TRY(nx_store_local_path(t->store, tmp->parquet.p, &to, err));
    NX_TRY(make_parquet(t, l, nx_buf_str(&from), nx_buf_str(&to), err));
    return publish(t, s, l, tmp, err);
}

nx_status nx__checkpoint_write(nx_table *t, const nx__snap *s, nx_err *err)
{
    lines l = {0};
    temp tmp;
    char id[37], rel[80];
    nx_rand_uuid(id);
    nx_buf_init(&l.b, CHECKPOINT_BYTES_MAX);
    nx_buf_init(&tmp.json, 0);
    nx_buf_init(&tmp.parquet, 0);
    int n = snprintf(rel, sizeof rel, "_delta_log/.tmp-%s.actions", id);
    nx_status st = nx__table_object(t, (nx_str){rel, (size_t)n}, &tmp.json);
    n = snprintf(rel, sizeof rel, "_delta_log/.tmp-%s.checkpoint", id);
    if (st == NX_OK)
        st = nx__table_object(t, (nx_str){rel, (size_t)n}, &tmp.parquet);
    if (st != NX_OK) {
        nx_nomem(err);
    } else {
        st = run(t, s, &l, &tmp, err);
        nx_status gone = nx_store_delete(t->store, tmp.json.p, NULL);
        if (gone == NX_OK)
            gone = nx_store_delete(t->store, tmp.parquet.p, NULL);
        (void)gone; /* names with a dot are invisible to readers */
        if (st != NX_OK)
            nx_err_prefix(err, "could not write checkpoint %" PRId64 " of table %s", s->version, t->name);
    }
    nx_buf_drop(&l.b);
    nx_buf_drop(&tmp.json);
    nx_buf_drop(&tmp.parquet);
    return st;
}

nx_status nx_table_checkpoint(nx_table *t, nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &s, err));
    NX_TRY(nx__proto_check_write(&s->proto, s->meta, t->name, err));
    return nx__checkpoint_write(t, s, err);
}
