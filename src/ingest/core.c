/* The core of the edge: a frame becomes a verdict, rows in the batch set and a record of the log. Everything here runs
 * under s->lock. */
#include "base/log.h"
#include "data/time.h"
#include "ingest/stream_int.h"

enum { LOG_RETRY_MS = 200, LOG_TELL_S = 10 };

static const nx_mono_ns ms = 1000000;

nx_status nx__edge_fail(nx_stream *s, const nx_err *err)
{
    if (!s->failed) {
        s->failed = true;
        s->failure = *err;
        nx_log_err(NX_LOG_ERROR, "stream", err);
        pthread_cond_broadcast(&s->changed);
    }
    return err->status;
}

nx_status nx__edge_check(const nx_stream *s, nx_err *err)
{
    if (!s->failed)
        return NX_OK;
    if (err != NULL)
        *err = s->failure;
    return s->failure.status;
}

/* ------------------------------------------------------------------ decoders */

static void bind(const nx_stream *s, nx_decoder *d)
{
    for (size_t i = 0; i + 1 < s->n_tables; i++)
        nx_decoder_bind(d, s->tables[i].contract, s->set == NULL ? NULL : &s->set->batches[i]);
}

nx_status nx__edge_add_decoder(nx_stream *s, const char *feed, nx_decoder **ret, nx_err *err)
{
    if (s->n_decoders == NX_COUNT_OF(s->decoders))
        return nx_fail(err, NX_LIMIT, "could not open feed %s: the edge has %d feeds already", feed, NX_EDGE_FEEDS_MAX);
    NX_TRY(nx_decoder_new(s->o.contracts, feed, ret, err));
    bind(s, *ret);
    s->decoders[s->n_decoders++] = *ret;
    return NX_OK;
}

void nx__edge_remove_decoder(nx_stream *s, nx_decoder *d)
{
    for (size_t i = 0; i < s->n_decoders; i++)
        if (s->decoders[i] == d)
            s->decoders[i] = s->decoders[--s->n_decoders];
    nx_decoder_drop(d);
}

/* ------------------------------------------------------------------ log and batch sets */

static nx_status log_waits(nx_stream *s, const nx_err *why)
{
    nx_mono_ns now = nx_clock_mono();
    if (!s->log_waits || now - s->log_told_at >= LOG_TELL_S * 1000 * ms) {
        nx_log_err(NX_LOG_WARN, "wal", why);
        s->log_told_at = now;
    }
    s->log_waits = true;
    s->log_retry_at = now + LOG_RETRY_MS * ms;
    return NX_AGAIN;
}

nx_status nx__edge_sync(nx_stream *s, nx_err *err)
{
    NX_TRY(nx__edge_check(s, err));
    if (nx_wal_pending_bytes(s->wal) == 0)
        return NX_OK;
    nx_mono_ns t0 = nx_clock_mono();
    if (s->log_waits && t0 < s->log_retry_at)
        return nx_fail(err, NX_AGAIN, "the log waits for room on its disk");
    nx_err why = {0};
    nx_status st = nx_wal_sync(s->wal, &why);
    if (st == NX_OK) {
        nx_metric_observe(s->m.sync_seconds, (double)(nx_clock_mono() - t0) / 1e9);
        if (s->log_waits)
            nx_log(NX_LOG_INFO, "wal", "the log takes frames again");
        s->log_waits = false;
        s->stats.durable_pos = nx_wal_durable_pos(s->wal);
        return NX_OK;
    }
    if (err != NULL)
        *err = why;
    return why.retriable ? log_waits(s, &why) : nx__edge_fail(s, &why);
}

bool nx__edge_ready(nx_stream *s)
{
    if (NX_UNLIKELY(s->log_waits) && nx__edge_sync(s, NULL) != NX_OK)
        return false;
    if (NX_LIKELY(s->set != NULL))
        return true;
    void *p;
    if (nx_queue_get(s->spare, &p, 0) != NX_OK) {
        if (!s->stats.waiting)
            nx_metric_add(s->m.waits, 1);
        s->stats.waiting = true;
        return false;
    }
    s->stats.waiting = false;
    s->set = p;
    for (size_t i = 0; i < s->n_decoders; i++)
        bind(s, s->decoders[i]);
    return true;
}

nx_status nx__edge_hand_over(nx_stream *s, nx_err *err)
{
    if (s->set == NULL || s->set->last_pos == 0)
        return NX_OK;
    if (!s->recovering) /* only what is durable may get into a table */
        NX_TRY(nx__edge_sync(s, err));
    if (nx_queue_put(s->full, s->set, 0) != NX_OK)
        return nx_fail(err, NX_INTERNAL, "the writer's queue is smaller than the number of batch sets");
    s->set = NULL;
    (void)nx__edge_ready(s);
    return NX_OK;
}

void nx__edge_ask_flush(nx_stream *s, uint64_t pos)
{
    if (s->flush_pos < pos)
        s->flush_pos = pos;
    if (!s->poked)
        s->poked = nx_queue_put(s->full, &s->poke, 0) == NX_OK;
    nx_loop_wake(s->loop);
}

nx_status nx__edge_age(nx_stream *s, nx_err *err)
{
    if (s->set == NULL || s->set->last_pos == 0)
        return NX_OK;
    nx_mono_ns age = nx_clock_mono() - s->set->first_at;
    if (age < (nx_mono_ns)s->o.flush_max_delay_ms * ms && s->flush_pos <= s->committed_pos)
        return NX_OK;
    return nx__edge_hand_over(s, err);
}

/* ------------------------------------------------------------------ one frame */

static nx_status decode(nx_stream *s, const nx_edge_frame *f, nx_verdict *v, nx_edge_mark *mark, nx_err *err)
{
    nx_row_meta meta = {.source = f->source,
                        .received_us = nx_us_of_ns(f->received_ns),
                        .known_basis = NX_STR("received"),
                        .pos = (int64_t)f->pos};
    nx__edge_set_mark(s->set, s, mark);
    NX_TRY(nx_decode_frame(f->decoder, f->bytes, &meta, v, err));
    if (v->rejected == 0)
        return NX_OK;
    nx_batch *q = &s->set->batches[s->n_tables - 1];
    nx_status st = nx__quarantine_add(q, v, f->source, meta.received_us, f->pos);
    if (st == NX_OK)
        return NX_OK;
    nx__edge_set_undo(s->set, s, mark);
    return nx_fail(err, st, "could not keep the refused rows of a frame: %s", nx_status_text(st));
}

/* The frame needs more room than an empty batch has: refused as a whole, with its bytes. */
static nx_status refuse_whole(nx_stream *s, const nx_edge_frame *f, nx_verdict *v, nx_err *err)
{
    s->limit_error =
        (nx_row_error){-1,
                       "",
                       "limit",
                       "the rows of this frame need more memory than a batch may take; send smaller frames",
                       {NULL, 0}};
    s->limit_refused = (nx_refused){-1, NULL, f->bytes, &s->limit_error, 1};
    *v = (nx_verdict){.rejected = 1, .refused = &s->limit_refused};
    nx_status st =
        nx__quarantine_add(&s->set->batches[s->n_tables - 1], v, f->source, nx_us_of_ns(f->received_ns), f->pos);
    return st == NX_OK ? NX_OK
                       : nx_fail(err, st, "could not keep a frame of %zu bytes: %s", f->bytes.n, nx_status_text(st));
}

static nx_status decode_with_room(nx_stream *s, const nx_edge_frame *f, nx_verdict *v, nx_edge_mark *mark, nx_err *err)
{
    nx_status st = decode(s, f, v, mark, err);
    if (NX_LIKELY(st != NX_LIMIT))
        return st;
    if (s->set->last_pos != 0) {
        NX_TRY(nx__edge_hand_over(s, err));
        if (!nx__edge_ready(s))
            return nx_fail(err, NX_AGAIN, "no batch is free");
        st = decode(s, f, v, mark, err);
    }
    return st == NX_LIMIT ? refuse_whole(s, f, v, err) : st;
}

static nx_status log_frame(nx_stream *s, nx_edge_frame *f, const nx_verdict *v, nx_err *err)
{
    nx_wal_record r = {.received_ns = f->received_ns,
                       .producer = f->producer,
                       .producer_seq = f->seq,
                       .accepted = v->accepted,
                       .rejected = v->rejected,
                       .bytes = f->bytes};
    nx_status st = nx_wal_append(s->wal, &r, err);
    if (st == NX_AGAIN) {
        NX_TRY(nx__edge_sync(s, err));
        st = nx_wal_append(s->wal, &r, err);
    }
    return st;
}

/* Tables are committed one after the other: after a crash between two, one has the rows of this frame and the other has
 * not. */
static void leave_out_committed(nx_stream *s, uint64_t pos, const nx_edge_mark *m)
{
    for (size_t i = 0; i < s->n_tables; i++)
        if ((int64_t)pos <= s->tables[i].txn)
            nx_batch_truncate(&s->set->batches[i], m->rows[i]);
}

static void count(nx_stream *s, const nx_edge_frame *f, const nx_verdict *v)
{
    nx_edge_set *set = s->set;
    if (set->last_pos == 0)
        set->first_at = nx_clock_mono();
    set->last_pos = f->pos;
    set->rows += v->accepted + v->rejected;
    set->bytes += f->bytes.n;
    if (s->recovering) {
        s->stats.recovered_frames++;
        return;
    }
    s->stats.frames++;
    s->stats.accepted += v->accepted;
    s->stats.rejected += v->rejected;
    nx_metric_add(s->m.frames, 1);
    nx_metric_add(s->m.accepted, v->accepted);
    if (v->rejected > 0)
        nx_metric_add(s->m.rejected, v->rejected);
}

nx_status nx__edge_frame(nx_stream *s, nx_edge_frame *f, nx_verdict *v, nx_err *err)
{
    NX_TRY(nx__edge_check(s, err));
    if (!nx__edge_ready(s))
        return nx_fail(err, NX_AGAIN, "no batch is free");
    if (!s->recovering)
        f->pos = nx_wal_next_pos(s->wal);
    nx_edge_mark before;
    NX_TRY(decode_with_room(s, f, v, &before, err));
    if (v->accepted == 0 && v->rejected == 0 && v->control > 0)
        return NX_OK; /* the vendor talks about the connection: nothing to keep */
    nx_status st = NX_OK;
    if (s->recovering)
        leave_out_committed(s, f->pos, &before);
    else
        st = log_frame(s, f, v, err);
    if (st != NX_OK) {
        nx__edge_set_undo(s->set, s, &before);
        return st;
    }
    count(s, f, v);
    if (s->set->rows < s->o.batch_rows && s->set->bytes < NX_EDGE_SET_BYTES)
        return NX_OK;
    st = nx__edge_hand_over(s, err);
    return st == NX_AGAIN ? NX_OK : st; /* this frame is in hand; the next one waits */
}
