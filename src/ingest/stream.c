/* Start, stop, and what the outside may ask. */
#include "ingest/stream.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"
#include "ingest/stream_int.h"

/* ------------------------------------------------------------------ start */

static nx_status take_options(nx_stream *s, const nx_stream_opts *o, nx_err *err)
{
    s->o = *o;
    s->o.flush_max_rows = o->flush_max_rows == 0 ? 1000000 : o->flush_max_rows;
    s->o.flush_max_delay_ms = o->flush_max_delay_ms == 0 ? 10000 : o->flush_max_delay_ms;
    s->o.compact_every_ms = o->compact_every_ms == 0 ? 15 * 60000 : o->compact_every_ms;
    s->o.frame_bytes_max = o->frame_bytes_max == 0 ? 1 << 20 : o->frame_bytes_max;
    s->o.conn_max = o->conn_max == 0 ? 256 : o->conn_max;
    s->o.batch_rows = o->batch_rows == 0 ? 100000 : o->batch_rows;
    s->o.n_batches = o->n_batches == 0 ? 3 : o->n_batches;
    if (s->o.flush_max_rows < 1 || s->o.flush_max_delay_ms < 1 || s->o.frame_bytes_max > 3 << 20 ||
        s->o.batch_rows > 10000000 || s->o.n_batches < 2 || s->o.n_batches > NX_EDGE_SETS_MAX)
        return nx_fail(err, NX_INVALID, "an option of the stream is out of range");
    s->state_dir = nx_str_dup(nx_str_of(o->state_dir));
    s->feed = nx_str_dup(nx_str_of(o->feed == NULL ? "alpaca.stocks" : o->feed));
    while (o->tokens != NULL && o->tokens[s->n_tokens] != NULL)
        s->n_tokens++;
    s->token_hashes = calloc(s->n_tokens + 1, sizeof *s->token_hashes);
    if (s->state_dir == NULL || s->feed == NULL || s->token_hashes == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < s->n_tokens; i++) {
        nx_sha256 h;
        nx_sha256_init(&h);
        nx_sha256_add(&h, o->tokens[i], strlen(o->tokens[i]));
        nx_sha256_end(&h, s->token_hashes[i]);
    }
    return NX_OK;
}

/* Kept beside the log: they belong together, positions are unique only within one writer. */
static nx_status load_writer_id(nx_stream *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf path, text;
    nx_buf_init(&path, 4096);
    nx_buf_init(&text, 256);
    if (nx_buf_addf(&path, "%s/wal", s->state_dir) != NX_OK)
        return nx_fail(err, NX_INVALID, "the path of the state folder is too long");
    NX_TRY(nx_dir_make(path.p, err));
    if (nx_buf_adds(&path, "/writer-id") != NX_OK)
        return nx_fail(err, NX_INVALID, "the path of the state folder is too long");
    if (!nx_file_exists(path.p)) {
        char uuid[37];
        nx_rand_uuid(uuid);
        if (nx_buf_addf(&text, "edge-%s", uuid) != NX_OK)
            return nx_nomem(err);
        nx_status st = nx_file_create(path.p, nx_buf_str(&text), err);
        if (st != NX_OK && st != NX_EXISTS)
            return st;
        nx_buf_clear(&text);
    }
    NX_TRY(nx_file_read(path.p, &text, err));
    if (text.n != 41 || !nx_str_starts(nx_buf_str(&text), NX_STR("edge-")))
        return nx_fail(err, NX_CORRUPT, "%s does not hold the id of a writer", path.p);
    memcpy(s->writer_id, text.p, text.n);
    return NX_OK;
}

static void register_metrics(nx_edge_metrics *m)
{
    m->frames = nx_metric_counter("nexus_frames_total", "", "Data frames taken by the edge");
    m->accepted = nx_metric_counter("nexus_rows_total", "verdict=\"accepted\"", "Rows by verdict");
    m->rejected = nx_metric_counter("nexus_rows_total", "verdict=\"rejected\"", "Rows by verdict");
    m->connections = nx_metric_gauge("nexus_push_connections", "", "Open connections of producers");
    m->sync_seconds = nx_metric_histogram("nexus_wal_sync_seconds", "", "Time of one group commit of the log");
    m->held_bytes = nx_metric_gauge("nexus_wal_held_bytes", "", "Bytes in the log that tables do not have yet");
    m->committed = nx_metric_counter("nexus_committed_rows_total", "", "Rows in committed table versions");
    m->commit_seconds = nx_metric_histogram("nexus_commit_seconds", "", "Time of one table commit");
    m->commit_errors = nx_metric_counter("nexus_commit_errors_total", "", "Failed tries to write or commit a table");
    m->waits = nx_metric_counter("nexus_backpressure_total", "",
                                 "Times that the edge stopped reading because no batch was free");
}

static nx_status make_sets(nx_stream *s, nx_err *err)
{
    if (nx_queue_new(&s->full, NX_EDGE_SETS_MAX + 2) != NX_OK || nx_queue_new(&s->spare, NX_EDGE_SETS_MAX) != NX_OK)
        return nx_nomem(err);
    for (size_t i = 0; i < s->o.n_batches; i++) {
        NX_TRY(nx__edge_set_init(&s->sets[i], s, err));
        s->n_sets++;
        NX_TRY(nx_queue_put(s->spare, &s->sets[i], 0));
    }
    return NX_OK;
}

static nx_status run(pthread_t *t, void *(*fn)(void *), nx_stream *s, bool *runs, nx_err *err)
{
    int rc = pthread_create(t, NULL, fn, s);
    *runs = rc == 0;
    return rc == 0 ? NX_OK : nx_fail(err, NX_NOMEM, "could not start a thread of the stream: %s", strerror(rc));
}

/* What depends on contracts: tables, batches, decoder, and the thread that writes. */
static nx_status open_tables(nx_stream *s, nx_err *err)
{
    NX_TRY(nx__commit_open(s, err));
    NX_TRY(make_sets(s, err));
    NX_TRY(nx__edge_add_decoder(s, s->feed, &s->decoder, err));
    return run(&s->writer_thread, nx__commit_thread, s, &s->writer_runs, err);
}

static nx_status start(nx_stream *s, const nx_stream_opts *o, nx_err *err)
{
    NX_TRY(take_options(s, o, err));
    register_metrics(&s->m);
    NX_TRY(nx_loop_new(&s->loop, err));
    NX_TRY(
        nx__listener_open(s, err)); /* early: a port in use is found before anything is touched; nobody is let in yet */
    NX_TRY(load_writer_id(s, err));
    NX_TRY(nx__edge_open_log(s, err)); /* takes the lock of the state folder */
    NX_TRY(nx__edge_recover_others(s, err));
    NX_TRY(open_tables(s, err));
    NX_TRY(nx__edge_recover(s, err));
    nx__archive_sweep(s);
    NX_TRY(run(&s->receive_thread, nx__receive_thread, s, &s->receive_runs, err));
    if (s->o.compact_every_ms > 0)
        NX_TRY(run(&s->compact_thread, nx__compact_thread, s, &s->compact_runs, err));
    return NX_OK;
}

static nx_stream *new_stream(void)
{
    nx_stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->listen_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    return s;
}

static nx_status started(nx_stream *s, nx_status st, nx_stream **ret)
{
    if (st == NX_OK) {
        *ret = s;
        return NX_OK;
    }
    s->start_failed = true;
    nx_status ignored = nx_stream_stop(s, NULL);
    (void)ignored;
    return st;
}

nx_status nx_stream_start(const nx_stream_opts *o, nx_stream **ret, nx_err *err)
{
    nx_stream *s = new_stream();
    return s == NULL ? nx_nomem(err) : started(s, start(s, o, err), ret);
}

nx_status nx__stream_part(const nx_stream *whole, const nx_contracts *set, nx_stream **ret, nx_err *err)
{
    nx_stream *s = new_stream();
    if (s == NULL)
        return nx_nomem(err);
    nx_stream_opts o = whole->o;
    o.contracts = set;
    o.tokens = NULL;
    s->m = whole->m;
    memcpy(s->writer_id, whole->writer_id, sizeof s->writer_id);
    s->wal = whole->wal;
    s->log_is_lent = s->recovering = true;
    nx_status st = take_options(s, &o, err);
    return started(s, st == NX_OK ? open_tables(s, err) : st, ret);
}

/* ------------------------------------------------------------------ stop */

static void end_threads(nx_stream *s)
{
    atomic_store(&s->quit, true);
    if (s->receive_runs) {
        nx_loop_wake(s->loop);
        pthread_join(s->receive_thread, NULL);
    }
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    nx_status st = s->start_failed ? NX_OK : nx__edge_hand_over(s, NULL); /* what cannot be handed over is in the log */
    (void)st;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->full != NULL)
        nx_queue_close(s->full);
    if (s->writer_runs)
        pthread_join(s->writer_thread, NULL);
    if (s->compact_runs)
        pthread_join(s->compact_thread, NULL);
}

static void free_stream(nx_stream *s)
{
    nx__commit_close(s);
    if (!s->log_is_lent)
        nx_wal_close(s->wal);
    while (s->n_decoders > 0)
        nx__edge_remove_decoder(s, s->decoders[0]);
    for (size_t i = 0; i < s->n_sets; i++)
        nx__edge_set_drop(&s->sets[i], s);
    if (s->full != NULL)
        nx_queue_drop(s->full);
    if (s->spare != NULL)
        nx_queue_drop(s->spare);
    if (s->listen_fd >= 0)
        nx_loop_remove(s->loop, s->listen_fd);
    nx_fd_drop(&s->listen_fd);
    nx_loop_drop(s->loop);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->token_hashes);
    free(s->state_dir);
    free(s->feed);
    free(s->contract_list);
    free(s);
}

nx_status nx__stream_end(nx_stream *s, nx_stream_stats *ret, nx_err *err)
{
    end_threads(s);
    *ret = s->stats;
    nx_status st = NX_OK;
    const nx_err *why = s->failed ? &s->failure : s->commit_failed ? &s->commit_failure : NULL;
    if (why != NULL) {
        st = why->status;
        if (err != NULL)
            *err = *why;
    }
    free_stream(s);
    return st;
}

nx_status nx_stream_stop(nx_stream *s, nx_err *err)
{
    nx_stream_stats done;
    return s == NULL ? NX_OK : nx__stream_end(s, &done, err);
}

/* ------------------------------------------------------------------ looking at it */

int nx_stream_port(const nx_stream *s)
{
    return s->port;
}

nx_status nx_stream_check(nx_stream *s, nx_err *err)
{
    pthread_mutex_lock(&s->lock);
    nx_status st = nx__edge_check(s, err);
    pthread_mutex_unlock(&s->lock);
    return st;
}

void nx_stream_stats_get(nx_stream *s, nx_stream_stats *ret)
{
    pthread_mutex_lock(&s->lock);
    *ret = s->stats;
    ret->connections = s->n_conns;
    ret->committed_pos = s->committed_pos;
    pthread_mutex_unlock(&s->lock);
}

nx_status nx_stream_flush(nx_stream *s, nx_err *err)
{
    pthread_mutex_lock(&s->lock);
    uint64_t pos = nx_wal_durable_pos(s->wal);
    nx_status st = NX_OK;
    nx__edge_ask_flush(s, pos);
    while (st == NX_OK && s->committed_pos < pos) {
        st = s->stopping ? nx_fail(err, NX_CANCELLED, "the stream is stopping") : nx__edge_check(s, err);
        if (st == NX_OK)
            pthread_cond_wait(&s->changed, &s->lock);
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}
