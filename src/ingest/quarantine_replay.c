/* Refused rows through their contracts again, and into bronze. */
#include "ingest/quarantine_replay.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "data/time.h"
#include "ingest/pull_int.h"
#include "ingest/stream_int.h"

enum { BATCH_RECORDS = 64, HELD_BYTES = 16 << 20, CONTEXT_MAX = 32 };

typedef struct requeue {
    const nx_requeue_opts *o;
    nx_requeue_result *r;
    nx_session *reads, *writes; /* one streams the records, the other commits */
    nx_decoder *decoder;
    size_t n;          /* contracts */
    nx_batch *batches; /* a contract each */
    nx_batch done;     /* ids of the records whose rows are in the batches */
    int64_t now_us;
} requeue;

/* What a record says of itself. */
typedef struct record {
    nx_str id, source, contract, raw;
    int64_t received_us;
    uint64_t pos;
    int32_t index;
    nx_context context[CONTEXT_MAX]; /* what the page told of it */
    size_t n_context, n_told;        /* n_told: without what decode() adds */
    char observed[40], fields[CONTEXT_MAX][64];
} record;

static const nx_field id_field[] = {{.name = "record_id", .type = {.kind = NX_STRING}, .nullable = false}};
static const nx_schema id_schema = {.fields = (nx_field *)(uintptr_t)id_field, .n_fields = 1};

/* ------------------------------------------------------------------ reading a record */

static const nx_contract *contract_of(const requeue *q, nx_str id)
{
    size_t at = nx_str_find(id, NX_STR("@"), 0);
    nx_str name = nx_str_sub(id, 0, at == SIZE_MAX ? id.n : at);
    for (size_t i = 0; name.n > 0 && i < q->n; i++) {
        const nx_contract *c = nx_contracts_at(q->o->contracts, i);
        nx_str other = nx_str_of(nx_contract_id(c));
        if (nx_str_starts(other, name) && other.n > name.n && other.p[name.n] == '@')
            return c;
    }
    return NULL;
}

static bool has_column(const nx_contract *c, const char *name)
{
    const nx_schema *s = nx_contract_schema(c);
    for (size_t i = 0; i < s->n_fields; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return true;
    return false;
}

static void take_context(record *x, const nx_col *errors, size_t row)
{
    const nx_col *e = &errors->child[0];
    for (uint32_t i = errors->off[row]; i < errors->off[row + 1] && x->n_context + 1 < CONTEXT_MAX; i++) {
        nx_str field = nx_col_get_str(&e->child[1], i);
        if (!nx_str_is(nx_col_get_str(&e->child[2], i), "context") || field.n >= sizeof x->fields[0])
            continue;
        char *name = x->fields[x->n_context];
        snprintf(name, sizeof x->fields[0], NX_STR_FMT, NX_STR_ARG(field));
        x->context[x->n_context++] = (nx_context){name, nx_col_get_str(&e->child[4], i)};
    }
    x->n_told = x->n_context;
}

/* False: an id that does not tell the place. */
static bool read_record(const nx_batch *b, size_t row, record *x)
{
    *x = (record){.id = nx_col_get_str(&b->cols[NX_RECORD_ID], row),
                  .source = nx_col_get_str(&b->cols[NX_RECORD_SOURCE], row),
                  .contract = nx_col_get_str(&b->cols[NX_RECORD_CONTRACT], row),
                  .raw = nx_col_get_str(&b->cols[NX_RECORD_RAW], row),
                  .received_us = nx_col_get_i64(&b->cols[NX_RECORD_RECEIVED_AT], row)};
    take_context(x, &b->cols[NX_RECORD_ERRORS], row);
    return nx__record_place(x->id, x->source, &x->pos, &x->index);
}

/* ------------------------------------------------------------------ commits */

/* " and not exists (a row of the same pulled source with the same values)" */
static nx_status same_values(const nx_contract *c, nx_buf *sql)
{
    const nx_schema *s = nx_contract_schema(c);
    NX_TRY(nx_buf_addf(sql,
                       " and (i._source not in ('" NX_PULL_ALPACA "', '" NX_PULL_REDDIT
                       "') or not exists (select 1 from %s b where b._source = i._source",
                       nx_contract_table(c)));
    for (size_t i = 0; i < s->n_fields; i++)
        if (nx__pull_is_value(s->fields[i].name))
            NX_TRY(
                nx_buf_addf(sql, " and b.\"%s\" is not distinct from i.\"%s\"", s->fields[i].name, s->fields[i].name));
    return nx_buf_adds(sql, "))");
}

static nx_status add_rows(requeue *q, size_t at, nx_err *err)
{
    const nx_contract *c = nx_contracts_at(q->o->contracts, at);
    const char *table = nx_contract_table(c);
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 18);
    NX_TRY(nx_lake_attach_table(q->o->lake, q->writes, table, err));
    NX_TRY(nx_session_load_batch(q->writes, "incoming", &q->batches[at], err));
    if (nx_buf_addf(
            &sql,
            "select i.* replace (greatest(i._known_at, make_timestamptz(%lld)) as _known_at, 'received' as _known_basis) "
            "from incoming i where not exists (select 1 from %s b where b._source = i._source "
            "and b._ingest_pos = i._ingest_pos and b._ingest_idx = i._ingest_idx",
            (long long)q->now_us, table) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx__partition_range(q->writes, c, &sql, err));
    if (nx_buf_addc(&sql, ')') != NX_OK || same_values(c, &sql) != NX_OK)
        return nx_nomem(err);
    nx_commit_result r = {0};
    nx_table_spec spec = {.name = table};
    nx_write_opts w = {.mode = NX_WRITE_APPEND, .commit = {.operation = "WRITE"}};
    NX_TRY(nx_lake_write_sql(q->o->lake, q->writes, &spec, nx_buf_str(&sql), &w, &r, err));
    q->r->rows_added += r.rows_added;
    return NX_OK;
}

/* Rows first, states after: a kill between the two leaves open records whose rows are there. */
static nx_status commit(requeue *q, nx_err *err)
{
    static const char *const key[] = {"record_id", NULL}, *const changed[] = {"state", "replayed_at", NULL};
    for (size_t i = 0; i < q->n && !q->o->dry_run; i++)
        if (q->batches[i].n > 0)
            NX_TRY(add_rows(q, i, err));
    if (q->done.n > 0 && !q->o->dry_run) {
        NX_TRY(nx_lake_attach_table(q->o->lake, q->writes, "quarantine.records", err));
        NX_TRY(nx_session_load_batch(q->writes, "replayed", &q->done, err));
        char sql[400];
        snprintf(
            sql, sizeof sql,
            "select q.* replace ('replayed' as state, make_timestamptz(%lld) as replayed_at) from quarantine.records q "
            "where q.state = 'open' and q.record_id in (select record_id from replayed)",
            (long long)q->now_us);
        nx_commit_result r = {0};
        nx_table_spec spec = {.name = "quarantine.records"};
        nx_write_opts w = {
            .mode = NX_WRITE_MERGE, .key = key, .update_columns = changed, .commit = {.operation = "MERGE"}};
        NX_TRY(nx_lake_write_sql(q->o->lake, q->writes, &spec, nx_str_of(sql), &w, &r, err));
    }
    for (size_t i = 0; i < q->n; i++)
        nx_batch_clear(&q->batches[i]);
    nx_batch_clear(&q->done);
    return NX_OK;
}

/* ------------------------------------------------------------------ verdict */

static void undo(requeue *q, const size_t *before)
{
    for (size_t i = 0; i < q->n; i++)
        nx_batch_truncate(&q->batches[i], before[i]);
}

/* A row of unknown type is decoded as a frame of its own, where its index is 0: it keeps the one that it had. */
static void set_index(requeue *q, const size_t *before, int32_t index)
{
    for (size_t i = 0; i < q->n; i++) {
        nx_batch *b = &q->batches[i];
        for (size_t c = 0; b->n > before[i] && c < b->schema->n_fields; c++)
            if (strcmp(b->schema->fields[c].name, "_ingest_idx") == 0)
                ((int32_t *)b->cols[c].data)[b->n - 1] = index;
    }
}

static nx_status decode(requeue *q, record *x, nx_verdict *v, nx_err *err)
{
    nx_row_meta meta = {
        .source = x->source, .received_us = x->received_us, .known_basis = NX_STR("received"), .pos = (int64_t)x->pos};
    const nx_contract *c = contract_of(q, x->contract);
    if (c == NULL)
        return nx_decode_frame(q->decoder, x->raw, &meta, v, err);
    if (has_column(c, "observed_at")) { /* a list was observed when it was received */
        nx_time_format_us(x->received_us, x->observed);
        x->context[x->n_context++] = (nx_context){"observed_at", nx_str_of(x->observed)};
    }
    return nx_decode_object(q->decoder, c, x->raw, x->context, x->n_context, &meta, x->index, v, err);
}

static void stays_open(requeue *q, const record *x, const nx_row_error *e)
{
    q->r->refused++;
    if (q->o->refused != NULL)
        q->o->refused(q->o->ctx, x->id, x->contract, e);
}

static nx_status try_record(requeue *q, const nx_batch *b, size_t row, size_t *before, nx_err *err)
{
    record x;
    nx_verdict v = {0};
    q->r->records++;
    if (!read_record(b, row, &x)) {
        stays_open(
            q, &x,
            &(nx_row_error){-1, "", "position", "its id does not tell the position it was refused at", {NULL, 0}});
        return NX_OK;
    }
    for (size_t i = 0; i < q->n; i++)
        before[i] = q->batches[i].n;
    nx_status st = decode(q, &x, &v, err);
    if (st == NX_LIMIT && q->done.n > 0) { /* the batches are full */
        NX_TRY(commit(q, err));
        memset(before, 0, q->n * sizeof *before);
        x.n_context = x.n_told;
        st = decode(q, &x, &v, err);
    }
    NX_TRY(st);
    if (v.rejected > 0 || v.accepted == 0) {
        undo(q, before);
        stays_open(q, &x,
                   v.rejected > 0 ? &v.refused[0].errors[0]
                                  : &(nx_row_error){-1, "", "empty", "there is no row in it", {NULL, 0}});
        return NX_OK;
    }
    if (x.index >= 0 && contract_of(q, x.contract) == NULL)
        set_index(q, before, x.index);
    NX_TRY(nx_col_str(&q->done, &q->done.cols[0], x.id));
    nx_batch_end_row(&q->done);
    q->r->replayed++;
    size_t held = 0;
    for (size_t i = 0; i < q->n; i++)
        held += nx_batch_bytes(&q->batches[i]);
    return held >= HELD_BYTES ? commit(q, err) : NX_OK;
}

static nx_status take(void *ctx, const nx_batch *b, nx_err *err)
{
    requeue *q = ctx;
    size_t *before = calloc(q->n + 1, sizeof *before);
    nx_status st = before == NULL ? nx_nomem(err) : NX_OK;
    for (size_t i = 0; st == NX_OK && i < b->n; i++)
        st = try_record(q, b, i, before, err);
    free(before);
    if (q->o->progress != NULL)
        q->o->progress(q->o->ctx, q->r->records);
    if (st == NX_OK && q->o->stop != NULL && *q->o->stop)
        st = nx_fail(err, NX_CANCELLED, "the replay of quarantine was stopped");
    return st;
}

/* ------------------------------------------------------------------ opening */

static nx_status open_all(requeue *q, nx_err *err)
{
    q->n = nx_contracts_count(q->o->contracts);
    q->batches = calloc(q->n + 1, sizeof *q->batches);
    if (q->batches == NULL || nx_batch_init(&q->done, &id_schema, 0, 0) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_open(q->o->engine, &q->reads, err));
    NX_TRY(nx_session_open(q->o->engine, &q->writes, err));
    NX_TRY(nx_decoder_new(q->o->contracts, "alpaca.stocks", &q->decoder, err));
    for (size_t i = 0; i < q->n; i++) {
        const nx_contract *c = nx_contracts_at(q->o->contracts, i);
        if (nx_batch_init(&q->batches[i], nx_contract_schema(c), 0, 0) != NX_OK)
            return nx_nomem(err);
        nx_decoder_bind(q->decoder, c, &q->batches[i]);
    }
    return nx_lake_attach_table(q->o->lake, q->reads, "quarantine.records", err);
}

static nx_status records_sql(const requeue *q, nx_buf *sql)
{
    NX_TRY(nx_buf_adds(sql, "select * from quarantine.records where state = 'open'"));
    if (q->o->record_id != NULL) {
        NX_TRY(nx_buf_adds(sql, " and record_id = "));
        NX_TRY(nx_sql_literal(sql, nx_str_of(q->o->record_id)));
    }
    if (q->o->contract != NULL) {
        NX_TRY(nx_buf_adds(sql, " and "));
        NX_TRY(nx_sql_literal(sql, nx_str_of(q->o->contract)));
        NX_TRY(nx_buf_adds(sql, " in (contract, split_part(contract, '@', 1))"));
    }
    return NX_OK;
}

static nx_status run(requeue *q, nx_err *err)
{
    const nx_contract *records = nx_contracts_find(q->o->contracts, "quarantine.records");
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    if (records == NULL)
        return nx_fail(err, NX_NOT_FOUND, "there is no contract for quarantine.records");
    NX_TRY(nx__quarantine_columns(records, err));
    NX_TRY(open_all(q, err));
    if (q->o->contract != NULL && contract_of(q, nx_str_of(q->o->contract)) == NULL)
        return nx_err_hint(err, nx_fail(err, NX_NOT_FOUND, "there is no contract %s", q->o->contract),
                           "nexus contract ls lists them");
    if (records_sql(q, &sql) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_fetch(q->reads, nx_buf_str(&sql), nx_contract_schema(records), BATCH_RECORDS, take, q, err));
    NX_TRY(commit(q, err));
    if (q->o->record_id == NULL || q->r->records > 0)
        return NX_OK;
    nx_fail(err, NX_NOT_FOUND, "there is no open record %s in quarantine", q->o->record_id);
    return nx_err_hint(err, NX_NOT_FOUND, "nexus quarantine ls --state open lists them");
}

nx_status nx_quarantine_replay(const nx_requeue_opts *o, nx_requeue_result *ret, nx_err *err)
{
    *ret = (nx_requeue_result){0};
    requeue q = {.o = o, .r = ret, .now_us = nx_us_of_ns(nx_clock_wall())};
    nx_status st = run(&q, err);
    nx_decoder_drop(q.decoder);
    for (size_t i = 0; q.batches != NULL && i < q.n; i++)
        nx_batch_drop(&q.batches[i]);
    free(q.batches);
    nx_batch_drop(&q.done);
    nx_session_close(q.writes);
    nx_session_close(q.reads);
    return st;
}
