/* After a start: what the log holds and tables do not becomes rows again, with the positions and times it had. */
#include "base/log.h"
#include "ingest/stream_int.h"

/* Waits for the writer to give a batch set back. */
static nx_status wait_for_room(nx_stream *s, nx_err *err)
{
    while (!nx__edge_ready(s)) {
        if (s->commit_failed) {
            if (err != NULL)
                *err = s->commit_failure;
            (void)nx_err_prefix(err, "could not bring back acknowledged frames");
            return s->commit_failure.status;
        }
        pthread_cond_wait(&s->changed, &s->lock);
    }
    return NX_OK;
}

static nx_status bring_back(nx_stream *s, const nx_wal_record *r, nx_err *err)
{
    nx_edge_frame f = {.decoder = s->decoder,
                       .producer = r->producer,
                       .seq = r->producer_seq,
                       .source = nx_str_of(nx_wal_producer_name(s->wal, r->producer)),
                       .bytes = r->bytes,
                       .received_ns = r->received_ns,
                       .pos = r->pos};
    nx_verdict v;
    for (;;) {
        NX_TRY(wait_for_room(s, err));
        nx_status st = nx__edge_frame(s, &f, &v, err);
        if (st != NX_AGAIN)
            return st;
    }
}

nx_status nx__edge_bring_back(nx_stream *s, const nx_wal_record *r, nx_err *err)
{
    pthread_mutex_lock(&s->lock);
    nx_status st = bring_back(s, r, err);
    pthread_mutex_unlock(&s->lock);
    return st;
}

static nx_status on_record(void *ctx, const nx_wal_record *r, nx_err *err)
{
    return nx__edge_bring_back(ctx, r, err);
}

nx_status nx__edge_open_log(nx_stream *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf list, dir;
    nx_buf_init(&list, 1 << 20);
    nx_buf_init(&dir, 4096);
    NX_TRY(nx__archive_list(s, &list, err));
    s->contract_list = nx_str_dup(nx_buf_str(&list));
    if (s->contract_list == NULL)
        return nx_nomem(err);
    if (nx_buf_addf(&dir, "%s/wal", s->state_dir) != NX_OK)
        return nx_fail(err, NX_INVALID, "the path of the state folder is too long");
    nx_wal_opts o = {.block_bytes_max = NX_EDGE_BLOCK_BYTES, .contracts = s->contract_list};
    NX_TRY(nx_wal_open(dir.p, &o, &s->wal, err));
    return nx__archive_keep(s, err); /* before the log can name them */
}

/* A log that was deleted by hand comes back with a new writer id and would count from 1, below what tables hold of the same sources. Models take the
 * rows of a source above the highest position they have (docs/decisions/0004): positions go on from the clock, in microseconds. */
static nx_status above_lost_log(const nx_stream *s, uint64_t *highest, nx_err *err)
{
    for (size_t i = 0; *highest == 0 && i < s->n_tables; i++) {
        nx_table_info info;
        NX_TRY(nx_table_info_get(s->tables[i].table, &info, err));
        if (info.files > 0)
            *highest = (uint64_t)(nx_clock_wall() / 1000);
    }
    return NX_OK;
}

static nx_status read_log(nx_stream *s, nx_err *err)
{
    if (s->log_is_read)
        return NX_OK;
    pthread_mutex_lock(&s->lock);
    s->recovering = true;
    pthread_mutex_unlock(&s->lock);
    nx_status st = nx_wal_recover(s->wal, 0, on_record, s, err);
    pthread_mutex_lock(&s->lock);
    s->recovering = false;
    pthread_mutex_unlock(&s->lock);
    return st;
}

/* The writer thread runs already: a long log passes through the same few batch sets as live frames. */
nx_status nx__edge_recover(nx_stream *s, nx_err *err)
{
    uint64_t highest = 0;
    for (size_t i = 0; i < s->n_tables; i++)
        if (s->tables[i].txn > 0 && (uint64_t)s->tables[i].txn > highest)
            highest = (uint64_t)s->tables[i].txn;
    NX_TRY(above_lost_log(s, &highest, err));
    NX_TRY(read_log(s, err));

    pthread_mutex_lock(&s->lock);
    nx_status st = nx_wal_advance(s->wal, highest, err);
    s->stats.durable_pos = nx_wal_durable_pos(s->wal);
    if (s->log_is_read || s->stats.recovered_frames == 0)
        s->committed_pos = s->stats.durable_pos;
    uint64_t n = s->stats.recovered_frames;
    pthread_mutex_unlock(&s->lock);
    if (st == NX_OK && n > 0)
        nx_log(NX_LOG_INFO, "wal", "brought back %llu acknowledged frames from the log", (unsigned long long)n);
    return st;
}
