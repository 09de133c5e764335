/* The writer thread: batch sets become Parquet files, and at the flush limits one commit a table with txn(writer id,
 * position). */
#include <stdlib.h>

#include "base/log.h"
#include "ingest/stream_int.h"

enum {
    BACKOFF_MIN_MS = 100,
    BACKOFF_MAX_MS = 5000,
    TELL_S = 30,
    ASKED_GAP_MS = 100 /* between commits that peers ask for: no peer can make a file of every frame */
};

typedef struct writer {
    nx_stream *s;
    uint64_t added_pos;  /* of the last set added */
    int64_t rows;        /* added, not committed */
    bool open;           /* something was added since the last commit, ... */
    nx_mono_ns first_at; /* ... the oldest of it then */
    bool given_up;       /* stopping, and the disk would not take it: the log keeps what follows */
    nx_mono_ns told_at, committed_at;
} writer;

/* ------------------------------------------------------------------ opening */

static nx_status open_table(nx_stream *s, const nx_contract *c, nx_err *err)
{
    if (s->n_tables == NX_EDGE_TABLES_MAX)
        return nx_fail(err, NX_LIMIT, "more than %d tables have contracts for feed %s", NX_EDGE_TABLES_MAX, s->feed);
    nx_edge_table *t = &s->tables[s->n_tables];
    const char *const *partition = nx_contract_partition(c);
    nx_table_spec spec = {.name = nx_contract_table(c),
                          .folder = nx_contract_folder(c),
                          .schema = nx_contract_schema(c),
                          .partition = partition != NULL && partition[0] != NULL ? partition : NULL,
                          .stats = nx_contract_stats(c),
                          .description = nx_contract_description(c)};
    *t = (nx_edge_table){.contract = c, .txn = -1};
    NX_TRY(nx_table_ensure(s->o.lake, &spec, &t->table, err));
    NX_TRY(nx_table_txn(t->table, s->writer_id, &t->txn, err));
    s->n_tables++;
    return NX_OK;
}

nx_status nx__commit_open(nx_stream *s, nx_err *err)
{
    const nx_contract *q = nx_contracts_find(s->o.contracts, "quarantine.records");
    if (q == NULL)
        return nx_fail(err, NX_CONTRACT, "there is no contract for table quarantine.records");
    NX_TRY(nx__quarantine_columns(q, err));
    for (size_t i = 0; i < nx_contracts_count(s->o.contracts); i++) {
        const nx_contract *c = nx_contracts_at(s->o.contracts, i);
        if (nx_contract_speaks(c, s->feed) && c != q)
            NX_TRY(open_table(s, c, err));
    }
    NX_TRY(open_table(s, q, err));
    for (size_t i = 0; i < s->n_tables; i++)
        NX_TRY(nx_writer_open(s->tables[i].table, &s->tables[i].writer, err));
    return NX_OK;
}

void nx__commit_close(nx_stream *s)
{
    for (size_t i = 0; i < s->n_tables; i++)
        if (s->tables[i].writer != NULL)
            nx_writer_drop(s->tables[i].writer);
}

/* ------------------------------------------------------------------ trying until it works */

static void note_failure(writer *w, const nx_err *err)
{
    nx_stream *s = w->s;
    nx_mono_ns now = nx_clock_mono();
    nx_metric_add(s->m.commit_errors, 1);
    pthread_mutex_lock(&s->lock);
    bool first = !s->commit_failed;
    s->commit_failed = true;
    s->commit_failure = *err;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (first || now - w->told_at >= TELL_S * 1000000000ull) {
        nx_log_err(NX_LOG_ERROR, "stream", err);
        nx_log(NX_LOG_WARN, "stream", "nothing acknowledged is lost: the log keeps it; trying again");
        w->told_at = now;
    }
}

static void note_success(writer *w)
{
    nx_stream *s = w->s;
    pthread_mutex_lock(&s->lock);
    bool before = s->commit_failed;
    s->commit_failed = false;
    pthread_mutex_unlock(&s->lock);
    if (before)
        nx_log(NX_LOG_INFO, "stream", "tables take rows again");
}

/* Sleeps before the next try; false: give up, the stream is ending. */
static bool back_off(writer *w, int64_t *wait_ms)
{
    nx_stream *s = w->s;
    for (int64_t left = *wait_ms; left > 0; left -= 50) {
        pthread_mutex_lock(&s->lock);
        bool stopping = s->stopping;
        pthread_mutex_unlock(&s->lock);
        if (stopping) {
            w->given_up = true;
            return false;
        }
        (void)nx_clock_sleep_ms(left < 50 ? left : 50, NULL);
    }
    *wait_ms = *wait_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : *wait_ms * 2;
    return true;
}

static void add_set(writer *w, nx_edge_set *set)
{
    nx_stream *s = w->s;
    for (size_t i = 0; i < s->n_tables && !w->given_up; i++) {
        nx_edge_table *t = &s->tables[i];
        const nx_batch *b = &set->batches[i];
        int64_t wait = BACKOFF_MIN_MS;
        nx_err err = {0};
        while (b->n > 0) {
            nx_status st = nx_writer_add(t->writer, b, &err);
            if (st == NX_OK) {
                t->rows += (int64_t)b->n;
                w->rows += (int64_t)b->n;
                break;
            }
            (void)nx_err_prefix(&err, "could not write %zu rows for table %s", b->n, nx_contract_table(t->contract));
            note_failure(w, &err);
            if (!back_off(w, &wait))
                break;
        }
    }
    if (w->given_up)
        return;
    if (!w->open)
        w->first_at = set->first_at;
    w->open = true;
    w->added_pos = set->last_pos;
}

static void commit_table(writer *w, nx_edge_table *t)
{
    nx_stream *s = w->s;
    nx_commit_opts o = {.operation = "WRITE", .app_id = s->writer_id, .txn_version = (int64_t)w->added_pos};
    int64_t wait = BACKOFF_MIN_MS;
    for (;;) {
        nx_err err = {0};
        nx_commit_result r;
        nx_mono_ns t0 = nx_clock_mono();
        if (nx_writer_commit(t->writer, &o, &r, &err) == NX_OK) {
            nx_metric_observe(s->m.commit_seconds, (double)(nx_clock_mono() - t0) / 1e9);
            nx_metric_add(s->m.committed, (uint64_t)t->rows);
            pthread_mutex_lock(&s->lock);
            s->stats.commits++;
            s->stats.committed_rows += (uint64_t)t->rows;
            pthread_mutex_unlock(&s->lock);
            t->rows = 0;
            return;
        }
        (void)nx_err_prefix(&err, "could not commit to table %s", nx_contract_table(t->contract));
        note_failure(w, &err);
        if (!back_off(w, &wait))
            return;
    }
}

static void commit_all(writer *w)
{
    nx_stream *s = w->s;
    for (size_t i = 0; i < s->n_tables && !w->given_up; i++)
        if (s->tables[i].rows > 0)
            commit_table(w, &s->tables[i]);
    if (w->given_up)
        return;
    w->rows = 0;
    w->open = false;
    w->committed_at = nx_clock_mono();
    note_success(w);
    nx_err err = {0};
    if (nx_wal_release(s->wal, w->added_pos, &err) != NX_OK)
        nx_log_err(NX_LOG_WARN, "wal", &err); /* only disk space: the next commit tries again */
    nx_metric_set(s->m.held_bytes, (int64_t)nx_wal_held_bytes(s->wal));
    pthread_mutex_lock(&s->lock);
    s->committed_pos = s->stats.committed_pos = w->added_pos;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->loop != NULL)
        nx_loop_wake(s->loop);
}

/* ------------------------------------------------------------------ the thread */

/* Milliseconds until the next commit is due; 0: now, -1: nothing to commit. */
static int64_t due_in(const writer *w)
{
    nx_stream *s = w->s;
    pthread_mutex_lock(&s->lock);
    bool asked = s->flush_pos > s->committed_pos && w->added_pos >= s->flush_pos;
    pthread_mutex_unlock(&s->lock);
    if (!w->open)
        return -1;
    nx_mono_ns now = nx_clock_mono();
    int64_t age = (int64_t)((now - w->first_at) / 1000000), gap = (int64_t)((now - w->committed_at) / 1000000);
    if (w->rows >= s->o.flush_max_rows || age >= s->o.flush_max_delay_ms || (asked && gap >= ASKED_GAP_MS))
        return 0;
    if (asked && ASKED_GAP_MS - gap < s->o.flush_max_delay_ms - age)
        return ASKED_GAP_MS - gap;
    return s->o.flush_max_delay_ms - age;
}

static void give_back(nx_stream *s, nx_edge_set *set)
{
    nx__edge_set_clear(set, s);
    if (nx_queue_put(s->spare, set, 0) != NX_OK)
        nx_log(NX_LOG_ERROR, "stream", "a batch set is lost: the queue of spare ones is too small");
    pthread_mutex_lock(&s->lock);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->loop != NULL)
        nx_loop_wake(s->loop);
}

void *nx__commit_thread(void *stream)
{
    writer w = {.s = stream};
    nx_stream *s = stream;
    for (;;) {
        void *item;
        nx_status st = nx_queue_get(s->full, &item, due_in(&w));
        if (st == NX_CANCELLED)
            break;
        if (st == NX_OK && item == &s->poke) {
            pthread_mutex_lock(&s->lock);
            s->poked = false;
            pthread_mutex_unlock(&s->lock);
        } else if (st == NX_OK) {
            add_set(&w, item);
            give_back(s, item);
        }
        if (!w.given_up && due_in(&w) == 0)
            commit_all(&w);
    }
    if (!w.given_up && due_in(&w) >= 0)
        commit_all(&w);
    return NULL;
}
