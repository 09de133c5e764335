/* One connection of the listener: upgrade, messages, what it waits for. Receive thread only. */
#include "ingest/stream_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/rand.h"

enum { ACKS_MAX = 256 << 10 }; /* answers of one connection that wait for a sync: more makes one at once */

/* ------------------------------------------------------------------ saying things */

/* Once a second: peers that come again and again must not fill the disk with our log. */
static bool may_tell(nx_stream *s)
{
    nx_mono_ns now = nx_clock_mono();
    if (s->told_at != 0 && now - s->told_at < UINT64_C(1000000000)) {
        s->untold++;
        return false;
    }
    if (s->untold > 0)
        nx_log(NX_LOG_WARN, "stream", "%llu more connections were refused or broken off",
               (unsigned long long)s->untold);
    s->told_at = now;
    s->untold = 0;
    return true;
}

void nx__conn_say(nx_conn *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    nx_status st =
        nx_wsd_send(c->ws, NX_WS_TEXT, (nx_str){text, n < (int)sizeof text ? (size_t)n : sizeof text - 1}, NULL);
    if (st != NX_OK && st != NX_CANCELLED)
        c->dead = true;
}

void nx__conn_refuse(nx_conn *c, int error_code, int close_code, const char *msg)
{
    nx__conn_say(c, "[{\"T\":\"error\",\"code\":%d,\"msg\":\"%s\"}]", error_code, msg);
    if (nx_wsd_close(c->ws, close_code, msg, NULL) != NX_OK)
        c->dead = true;
    c->closing = true;
    c->has_held = c->more = false;
}

/* ------------------------------------------------------------------ messages */

static nx_status own_producer(nx_conn *c, nx_err *err)
{
    unsigned char salt[8];
    char hex[17];
    nx_rand_bytes(salt, sizeof salt);
    nx_hex(salt, sizeof salt, hex);
    snprintf(c->source, sizeof c->source, "push/%s", hex); /* '/' cannot be in a producer's own name */
    nx_status st = nx_wal_producer(c->s->wal, nx_str_of(c->source), false, &c->producer, err);
    if (st == NX_AGAIN) {
        NX_TRY(nx__edge_sync(c->s, err));
        st = nx_wal_producer(c->s->wal, nx_str_of(c->source), false, &c->producer, err);
    }
    c->has_producer = st == NX_OK;
    return st;
}

static nx_status take_data(nx_conn *c, nx_str bytes, nx_err *err)
{
    nx_stream *s = c->s;
    if (!c->authed) {
        nx__conn_refuse(c, 401, NX_WS_CLOSE_POLICY, "not authenticated");
        return NX_OK;
    }
    if (!c->has_producer)
        NX_TRY(own_producer(c, err));
    nx_edge_frame f = {.decoder = s->decoder,
                       .producer = c->producer,
                       .seq = c->seq + 1,
                       .source = nx_str_of(c->source),
                       .bytes = bytes,
                       .received_ns = nx_clock_wall()};
    nx_verdict v;
    NX_TRY(nx__edge_frame(s, &f, &v, err));
    c->seq++;
    if (nx__ack_frame(c, &v) != NX_OK) /* durable soon, but the answer is lost: hello will tell */
        nx__conn_refuse(c, 500, NX_WS_CLOSE_INTERNAL, "out of memory");
    return NX_OK;
}

/* JSON or msgpack: the first byte tells, whichever kind of frame it came in. False: not now, the message stays. */
static bool take_message(nx_conn *c, const nx_ws_frame *m)
{
    nx_str bytes = {m->p, m->n};
    nx_err err = {0};
    nx_status st;
    if (!nx__action(c, bytes, &st))
        st = take_data(c, bytes, &err);
    if (st == NX_OK)
        return true;
    if (st == NX_AGAIN)
        return false;
    if (!c->s->failed)
        nx_log_err(NX_LOG_ERROR, "stream", &err);
    nx__conn_refuse(c, 500, NX_WS_CLOSE_INTERNAL, "internal error: the frame was not taken");
    return true;
}

void nx__conn_take(nx_conn *c)
{
    nx_stream *s = c->s;
    c->more = false;
    while (c->open && !c->dead && !c->closing) {
        if (c->acks.n >= ACKS_MAX || nx_wsd_pending(c->ws) >= NX_EDGE_QUEUE_SLOW) {
            s->want_sync = c->more = true;
            return;
        }
        if (!c->has_held) {
            nx_err err = {0};
            nx_status st = nx_wsd_next(c->ws, &c->held, &err);
            if ((st == NX_INVALID || st == NX_LIMIT) && may_tell(s))
                nx_log_err(NX_LOG_WARN, "stream", &err);
            if (st != NX_OK && st != NX_AGAIN)
                c->closing = true; /* the answer is queued already */
            if (st != NX_OK)
                return;
        }
        s->work++;
        if (!take_message(c, &c->held)) {
            c->has_held = c->more = true;
            return;
        }
        c->has_held = false;
    }
}

/* ------------------------------------------------------------------ upgrade */

static void upgrade(nx_conn *c)
{
    nx_stream *s = c->s;
    nx_status st = nx_wsd_request(c->ws, NULL);
    if (st == NX_AGAIN)
        return;
    if (st != NX_OK) {
        c->closing = true; /* the fitting HTTP answer is queued */
        return;
    }
    nx_str token = nx_wsd_bearer(c->ws);
    int refuse = 0;
    const char *why = "";
    if (!nx_str_is(nx_wsd_path(c->ws), "/ws/market-data")) {
        refuse = 404;
        why = "the listener is at /ws/market-data";
    } else if (token.p != NULL && s->n_tokens > 0 && !nx__token_ok(s, token)) {
        refuse = 401;
        why = "the token is not valid";
    } else if (s->n_conns > s->o.conn_max) {
        refuse = 503;
        why = "too many connections";
    }
    if (refuse != 0) {
        if (may_tell(s))
            nx_log(NX_LOG_WARN, "stream", "%s: refused with %d, %s", nx_wsd_peer(c->ws), refuse, why);
        c->dead = nx_wsd_refuse(c->ws, refuse, why, NULL) != NX_OK;
        c->closing = true;
        return;
    }
    c->authed = s->n_tokens == 0 || token.p != NULL;
    if (nx_wsd_upgrade(c->ws, NULL) != NX_OK) {
        c->dead = true;
        return;
    }
    c->open = true;
    nx__conn_say(c, "[{\"T\":\"success\",\"msg\":\"connected\"}]");
}

/* ------------------------------------------------------------------ events */

static void on_event(void *ctx, int fd, unsigned events)
{
    (void)fd;
    nx_conn *c = ctx;
    nx_stream *s = c->s;
    if ((events & NX_LOOP_WRITE) != 0 && nx_wsd_flush(c->ws, NULL) == NX_REMOTE)
        c->dead = true;
    if ((events & NX_LOOP_READ) == 0 || c->dead || c->has_held)
        return;
    size_t n = 0;
    nx_status st = nx_wsd_recv(c->ws, &n, NULL);
    if (st == NX_AGAIN)
        return;
    s->work++;
    if (st != NX_OK) { /* what came before has been taken */
        c->dead = true;
        return;
    }
    pthread_mutex_lock(&s->lock);
    if (!c->open && !c->closing)
        upgrade(c);
    if (c->open)
        nx__conn_take(c);
    pthread_mutex_unlock(&s->lock);
}

void nx__conn_watch(nx_conn *c)
{
    unsigned want = 0;
    if (!c->has_held && !c->more)
        want |= NX_LOOP_READ;
    if (nx_wsd_pending(c->ws) > 0)
        want |= NX_LOOP_WRITE;
    if (want == c->watched)
        return;
    if (nx_loop_set(c->s->loop, nx_wsd_fd(c->ws), want, NULL) != NX_OK)
        c->dead = true;
    c->watched = want;
}

void nx__conn_new(nx_stream *s, nx_wsd_conn *ws)
{
    int on = 1;
    nx_conn *c = calloc(1, sizeof *c);
    if (c == NULL || nx_loop_add(s->loop, nx_wsd_fd(ws), NX_LOOP_READ, on_event, c, NULL) != NX_OK) {
        nx_log(NX_LOG_WARN, "stream", "%s: no memory for another connection", nx_wsd_peer(ws));
        nx_wsd_drop(ws);
        free(c);
        return;
    }
    /* a peer that vanished without a word gives its place back one day */
    (void)setsockopt(nx_wsd_fd(ws), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    c->s = s;
    c->ws = ws;
    c->watched = NX_LOOP_READ;
    c->opened_at = nx_clock_mono();
    nx_buf_init(&c->acks, 4 << 20);
    c->next = s->conns;
    if (s->conns != NULL)
        s->conns->prev = c;
    s->conns = c;
    s->n_conns++;
    nx_metric_set(s->m.connections, (int64_t)s->n_conns);
}

void nx__conn_drop(nx_conn *c)
{
    nx_stream *s = c->s;
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    s->n_conns--;
    nx_metric_set(s->m.connections, (int64_t)s->n_conns);
    if (c->has_producer && !c->named)
        nx_wal_producer_forget(s->wal, c->producer);
    nx_loop_remove(s->loop, nx_wsd_fd(c->ws));
    nx_wsd_drop(c->ws);
    nx_buf_drop(&c->acks);
    free(c);
}
