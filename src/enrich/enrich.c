/* The run: pending observations are fetched in batches, scored, searched, written; mentions are committed before scores. */
#include "enrich/enrich.h"

#include <stdlib.h>

#include "data/batch.h"
#include "enrich/enrich_int.h"
#include "enrich/vader.h"

#include "base/stop.h"

enum { FETCH_ROWS = 4096, OUT_ROWS = 65536 };

typedef struct run {
    const nx_enrich_opts *o;
    nx_enrich_result *r;
    nx_vader *vader;
    nx_symbols *symbols;
    nx_session *read, *write; /* a streaming result keeps its session busy */
    nx_table *scores_t, *mentions_t;
    nx_writer *scores_w, *mentions_w;
    nx_batch scores, mentions;
    nx_arena scratch;
    int64_t total;
} run;

static nx_status flush(nx_writer *w, nx_batch *b, nx_err *err)
{
    if (b->n == 0)
        return NX_OK;
    nx_status st = nx_writer_add(w, b, err);
    nx_batch_clear(b);
    return st;
}

static nx_status put_score(nx_batch *b, nx_str fullname, int64_t observed_us, const nx_vader_score *s)
{
    nx_col *c = b->cols;
    const char *label = s->compound >= 0.05 ? "positive" : s->compound <= -0.05 ? "negative" : "neutral";
    NX_TRY(nx_col_str(b, &c[0], fullname));
    NX_TRY(nx_col_i64(b, &c[1], observed_us));
    NX_TRY(nx_col_str(b, &c[2], NX_STR("vader")));
    NX_TRY(nx_col_str(b, &c[3], NX_STR(NX_VADER_VERSION)));
    NX_TRY(nx_col_f64(b, &c[4], s->neg));
    NX_TRY(nx_col_f64(b, &c[5], s->neu));
    NX_TRY(nx_col_f64(b, &c[6], s->pos));
    NX_TRY(nx_col_f64(b, &c[7], s->compound));
    NX_TRY(nx_col_str(b, &c[8], nx_str_of(label)));
    nx_batch_end_row(b);
    return NX_OK;
}

nx_status nx__enrich_put_mention(nx_batch *b, nx_str fullname, int64_t observed_us, const nx_mention *m)
{
    nx_col *c = b->cols;
    NX_TRY(nx_col_str(b, &c[0], fullname));
    NX_TRY(nx_col_i64(b, &c[1], observed_us));
    NX_TRY(nx_col_str(b, &c[2], m->symbol));
    NX_TRY(nx_col_str(b, &c[3], nx_str_of(nx_mention_kind_name(m->kind))));
    NX_TRY(nx_col_i32(b, &c[4], m->span_from));
    NX_TRY(nx_col_i32(b, &c[5], m->span_to));
    NX_TRY(nx_col_f64(b, &c[6], m->confidence));
    nx_batch_end_row(b);
    return NX_OK;
}

/* Columns of the query: fullname, observed_at, created_at, text. */
static nx_status enrich_row(run *u, const nx_batch *in, size_t i, nx_err *err)
{
    nx_str fullname = nx_col_get_str(&in->cols[0], i), text = nx_col_get_str(&in->cols[3], i);
    int64_t observed_us = nx_col_get_i64(&in->cols[1], i);
    int64_t created_us = nx_col_is_null(&in->cols[2], i) ? observed_us : nx_col_get_i64(&in->cols[2], i);
    nx_vader_score score;
    const nx_mention *m;
    size_t n;
    nx_arena_reset(&u->scratch);
    NX_TRY(nx_vader_score_text(u->vader, text, &u->scratch, &score, err));
    NX_TRY(nx_mentions_find(u->symbols, text, created_us, &u->scratch, &m, &n, err));
    nx_status st = put_score(&u->scores, fullname, observed_us, &score);
    for (size_t k = 0; st == NX_OK && k < n; k++)
        st = nx__enrich_put_mention(&u->mentions, fullname, observed_us, &m[k]);
    if (st != NX_OK)
        return nx_fail(err, st, "could not keep the scores of " NX_STR_FMT ": %s", NX_STR_ARG(fullname),
                       nx_status_text(st));
    u->r->texts++;
    u->r->mentions += (int64_t)n;
    return NX_OK;
}

static nx_status take_batch(void *ctx, const nx_batch *in, nx_err *err)
{
    run *u = ctx;
    if (nx_stop_asked(u->o->stop))
        return nx_fail(err, NX_CANCELLED, "enrichment was stopped; nothing of this run was kept");
    for (size_t i = 0; i < in->n; i++)
        NX_TRY(enrich_row(u, in, i, err));
    if (u->o->progress != NULL)
        u->o->progress(u->o->progress_ctx, u->r->texts, u->total);
    if (u->scores.n >= OUT_ROWS)
        NX_TRY(flush(u->scores_w, &u->scores, err));
    if (u->mentions.n >= OUT_ROWS)
        NX_TRY(flush(u->mentions_w, &u->mentions, err));
    return NX_OK;
}

/* A run that was cut between its two commits left mentions without scores: they go, the texts are still pending. */
static nx_status undo_leftovers(run *u, nx_err *err)
{
    int64_t scores, mentions;
    NX_TRY(nx_table_txn(u->scores_t, NX_ENRICH_APP_ID, &scores, err));
    NX_TRY(nx_table_txn(u->mentions_t, NX_ENRICH_APP_ID, &mentions, err));
    if (mentions <= scores)
        return NX_OK;
    nx_commit_result r;
    NX_TRY(nx_lake_delete_sql(
        u->o->lake, u->write, "enrich.mentions",
        NX_STR("(fullname, observed_at) not in (select (fullname, observed_at) from enrich.scores)"), &r, err));
    return nx_lake_attach_table(u->o->lake, u->read, "enrich.mentions", err);
}

static nx_status commit(run *u, nx_err *err)
{
    int64_t scores, mentions;
    NX_TRY(nx_table_txn(u->scores_t, NX_ENRICH_APP_ID, &scores, err));
    NX_TRY(nx_table_txn(u->mentions_t, NX_ENRICH_APP_ID, &mentions, err));
    nx_commit_opts o = {
        .operation = "WRITE", .app_id = NX_ENRICH_APP_ID, .txn_version = (mentions > scores ? mentions : scores) + 1};
    nx_commit_result r;
    NX_TRY(nx_writer_commit(u->mentions_w, &o, &r, err));
    u->r->mentions_version = r.version;
    NX_TRY(nx_writer_commit(u->scores_w, &o, &r, err));
    u->r->scores_version = r.version;
    return NX_OK;
}

static nx_status prepare(run *u, nx_err *err)
{
    nx_arena_init(&u->scratch, 512 << 20);
    NX_TRY(nx_enrich_ensure(u->o->lake, &u->scores_t, &u->mentions_t, err));
    NX_TRY(nx_session_open(u->o->engine, &u->read, err));
    NX_TRY(nx_session_open(u->o->engine, &u->write, err));
    NX_TRY(nx_lake_attach(u->o->lake, u->read, err));
    NX_TRY(nx_lake_attach(u->o->lake, u->write, err));
    NX_TRY(undo_leftovers(u, err));
    NX_TRY(nx_vader_new(&u->vader, err));
    NX_TRY(nx__enrich_symbols(u->o->lake, u->read, false, &u->symbols, err));
    u->r->symbols = (int64_t)nx_symbols_count(u->symbols);
    NX_TRY(nx__enrich_new_symbols(u->o, u->read, u->write, u->mentions_t, &u->r->mentions, err));
    if (nx_batch_init(&u->scores, &nx__enrich_scores, OUT_ROWS + FETCH_ROWS, 0) != NX_OK ||
        nx_batch_init(&u->mentions, &nx__enrich_mentions, OUT_ROWS + FETCH_ROWS * NX_MENTIONS_MAX, 0) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_writer_open(u->scores_t, &u->scores_w, err));
    return nx_writer_open(u->mentions_t, &u->mentions_w, err);
}

static nx_status enrich_all(run *u, nx_err *err)
{
    NX_BUF_AUTO nx_buf sql, count;
    nx_buf_init(&sql, 1 << 16);
    nx_buf_init(&count, 1 << 16);
    NX_TRY(nx__enrich_texts_sql(u->o->lake, false, &sql, err));
    if (sql.n == 0)
        return NX_OK;
    nx_result *r = NULL;
    if (nx_buf_addf(&count, "select count(*) from (%s)", sql.p) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_query(u->read, nx_buf_str(&count), &r, err));
    u->total = nx_result_i64(r, 0, 0, 0);
    nx_result_drop(r);
    if (u->total == 0)
        return NX_OK;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_schema *schema;
    NX_TRY(nx_session_schema(u->read, nx_buf_str(&sql), &a, &schema, err));
    NX_TRY(nx_session_fetch(u->read, nx_buf_str(&sql), schema, FETCH_ROWS, take_batch, u, err));
    NX_TRY(flush(u->mentions_w, &u->mentions, err));
    NX_TRY(flush(u->scores_w, &u->scores, err));
    return commit(u, err);
}

nx_status nx_enrich_run(const nx_enrich_opts *o, nx_enrich_result *ret, nx_err *err)
{
    run u = {.o = o, .r = ret};
    *ret = (nx_enrich_result){0};
    nx_status st = prepare(&u, err);
    if (st == NX_OK)
        st = enrich_all(&u, err);
    nx_table_info i;
    if (st == NX_OK && (st = nx_table_info_get(u.scores_t, &i, err)) == NX_OK)
        ret->scores_version = i.version;
    if (st == NX_OK && (st = nx_table_info_get(u.mentions_t, &i, err)) == NX_OK)
        ret->mentions_version = i.version;
    nx_writer_drop(u.scores_w);
    nx_writer_drop(u.mentions_w);
    nx_batch_drop(&u.scores);
    nx_batch_drop(&u.mentions);
    nx_symbols_drop(u.symbols);
    nx_vader_drop(u.vader);
    nx_session_close(u.read);
    nx_session_close(u.write);
    nx_arena_drop(&u.scratch);
    return st;
}
