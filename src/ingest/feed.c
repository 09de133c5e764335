/* Feeds: frames that another thread of ours received take the same path as pushed ones. */
#include <stdlib.h>
#include <time.h>

#include "ingest/stream_int.h"

/* Waits for a change, at most 50 ms: the log's disk makes none when it has room again. */
static void wait_a_little(nx_stream *s)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 50000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&s->changed, &s->lock, &t);
}

static nx_status register_feed(nx_feed *f, const char *feed, nx_err *err)
{
    nx_stream *s = f->s;
    NX_TRY(nx__edge_add_decoder(s, feed, &f->decoder, err));
    nx_decoder_on_control(f->decoder, f->fn, f->ctx);
    nx_status st = nx_wal_producer(s->wal, nx_str_of(f->name), true, &f->producer, err);
    if (st == NX_AGAIN) {
        NX_TRY(nx__edge_sync(s, err));
        st = nx_wal_producer(s->wal, nx_str_of(f->name), true, &f->producer, err);
    }
    if (st == NX_OK)
        f->seq = nx_wal_producer_last(s->wal, f->producer);
    return st;
}

nx_status nx_feed_open(nx_stream *s, const char *name, const char *feed, nx_control_fn fn, void *ctx, nx_feed **ret,
                       nx_err *err)
{
    nx_feed *f = calloc(1, sizeof *f);
    if (f == NULL || (f->name = nx_str_dup(nx_str_of(name))) == NULL) {
        free(f);
        return nx_nomem(err);
    }
    f->s = s;
    f->fn = fn;
    f->ctx = ctx;
    pthread_mutex_lock(&s->lock);
    nx_status st = register_feed(f, feed, err);
    pthread_mutex_unlock(&s->lock);
    if (st != NX_OK) {
        nx_feed_close(f);
        return st;
    }
    *ret = f;
    return NX_OK;
}

void nx_feed_close(nx_feed *f)
{
    if (f == NULL)
        return;
    if (f->decoder != NULL) {
        pthread_mutex_lock(&f->s->lock);
        nx__edge_remove_decoder(f->s, f->decoder);
        pthread_mutex_unlock(&f->s->lock);
    }
    free(f->name);
    free(f);
}

void nx_feed_cancel(nx_feed *f)
{
    atomic_store(&f->cancelled, true);
}

/* Whether waiting may still help. */
static nx_status check_end(const nx_feed *f, nx_err *err)
{
    if (f->s->stopping || atomic_load(&f->s->quit))
        return nx_fail(err, NX_CANCELLED, "the stream is stopping");
    return atomic_load(&f->cancelled) ? nx_fail(err, NX_CANCELLED, "the feed %s was stopped", f->name) : NX_OK;
}

nx_status nx_feed_put(nx_feed *f, nx_str frame, int64_t received_ns, nx_verdict *ret, nx_err *err)
{
    nx_stream *s = f->s;
    nx_verdict v;
    nx_edge_frame e = {.decoder = f->decoder,
                       .producer = f->producer,
                       .seq = f->seq + 1,
                       .source = nx_str_of(f->name),
                       .bytes = frame,
                       .received_ns = received_ns};
    nx_status st;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        st = s->stopping || atomic_load(&s->quit) ? nx_fail(err, NX_CANCELLED, "the stream is stopping") : NX_AGAIN;
        if (st == NX_AGAIN)
            st = nx__edge_frame(s, &e, &v, err);
        if (st != NX_AGAIN || (st = check_end(f, err)) != NX_OK)
            break;
        wait_a_little(s);
    }
    pthread_mutex_unlock(&s->lock);
    if (st != NX_OK)
        return st;
    if (v.accepted > 0 || v.rejected > 0 || v.control == 0) {
        f->seq++;
        f->last_pos = e.pos;
    }
    if (ret != NULL)
        *ret = v;
    return NX_OK;
}

nx_status nx_feed_sync(nx_feed *f, nx_err *err)
{
    nx_stream *s = f->s;
    nx_status st = NX_OK;
    pthread_mutex_lock(&s->lock);
    while (nx_wal_durable_pos(s->wal) < f->last_pos) {
        st = nx__edge_sync(s, err);
        if (st != NX_AGAIN)
            break;
        if ((st = check_end(f, err)) != NX_OK)
            break;
        wait_a_little(s);
    }
    pthread_mutex_unlock(&s->lock);
    return st;
}
