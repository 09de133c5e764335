/* The receive thread: takes what the sockets have, syncs once for all of it, then acknowledges. */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "ingest/stream_int.h"

enum {
    TICK_MS = 100,         /* ages of batches and connections are looked at so often */
    UPGRADE_S = 10,        /* time for the upgrade and for the token */
    ROUND_BYTES = 3 << 20, /* a sync takes at least this much when more is waiting */
    GOODBYE_MS = 500
};

/* ------------------------------------------------------------------ connections come and go */

static void add_conn(nx_stream *s, nx_wsd_conn *ws)
{
    pthread_mutex_lock(&s->lock); /* others look at the number of connections */
    nx__conn_new(s, ws);
    pthread_mutex_unlock(&s->lock);
}

static void on_connect(void *ctx, int fd, unsigned events)
{
    (void)events;
    nx_stream *s = ctx;
    for (;;) {
        nx_wsd_opts o = {.message_bytes_max = s->o.frame_bytes_max, .deflate = true};
        nx_wsd_conn *ws;
        nx_err err = {0};
        nx_status st = nx_wsd_accept(fd, &o, &ws, &err);
        if (st == NX_AGAIN)
            return;
        if (st != NX_OK) { /* out of descriptors: the others go on, the backlog waits for the next tick */
            nx_log_err(NX_LOG_WARN, "stream", &err);
            s->accept_off = nx_loop_set(s->loop, fd, 0, NULL) == NX_OK;
            return;
        }
        s->work++;
        if (s->n_conns >= s->o.conn_max + 64) /* not even an answer: they come faster than they can be refused */
            nx_wsd_drop(ws);
        else
            add_conn(s, ws);
    }
}

static void check_conn(nx_conn *c, nx_mono_ns now)
{
    bool late = now - c->opened_at > UPGRADE_S * 1000000000ull;
    if (late && !c->open && !c->closing)
        c->dead = true;
    if (late && c->open && !c->authed && !c->closing)
        nx__conn_refuse(c, 404, NX_WS_CLOSE_POLICY, "auth timeout");
}

static void tell_flushed(nx_stream *s, nx_conn *c)
{
    if (!c->wants_flush || s->committed_pos < c->flush_pos)
        return;
    c->wants_flush = false;
    nx__conn_say(c, "[{\"T\":\"success\",\"msg\":\"flush\",\"last\":%llu}]", (unsigned long long)c->seq);
}

/* After a round: answers out, dead ones away. */
static void tend_conns(nx_stream *s, bool synced)
{
    nx_mono_ns now = nx_clock_mono();
    for (nx_conn *c = s->conns, *next; c != NULL; c = next) {
        next = c->next;
        check_conn(c, now);
        if (synced && !c->dead)
            nx__ack_send(c);
        if (!c->dead)
            tell_flushed(s, c);
        if (!c->dead && nx_wsd_pending(c->ws) > 0 && nx_wsd_flush(c->ws, NULL) == NX_REMOTE)
            c->dead = true;
        if (!c->dead && !nx_wsd_done(c->ws))
            nx__conn_watch(c);
        if (c->dead || nx_wsd_done(c->ws))
            nx__conn_drop(c);
    }
    if (s->accept_off && nx_loop_set(s->loop, s->listen_fd, NX_LOOP_READ, NULL) == NX_OK)
        s->accept_off = false;
}

/* ------------------------------------------------------------------ rounds */

/* Messages that wait inside: a batch had been missing, or answers had piled up. True when some still wait but could be
 * taken. */
static bool take_waiting(nx_stream *s)
{
    bool more = false;
    if (nx__edge_ready(s))
        for (nx_conn *c = s->conns; c != NULL; c = c->next)
            if (c->more && nx_wsd_pending(c->ws) < NX_EDGE_QUEUE_SLOW) {
                nx__conn_take(c);
                more |= c->more;
            }
    return more && nx__edge_ready(s);
}

static bool round_full(nx_stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool full = s->want_sync || s->failed || nx_wal_pending_bytes(s->wal) >= ROUND_BYTES;
    pthread_mutex_unlock(&s->lock);
    return full;
}

static nx_status gather(nx_stream *s, int64_t timeout_ms, nx_err *err)
{
    uint64_t before;
    do {
        before = s->work;
        NX_TRY(nx_loop_once(s->loop, timeout_ms, err));
        timeout_ms = 0;
    } while (s->work != before && !round_full(s) && !atomic_load(&s->quit));
    return NX_OK;
}

static void rounds(nx_stream *s)
{
    bool waiting = false;
    while (!atomic_load(&s->quit)) {
        nx_err err = {0};
        nx_status st = gather(s, waiting ? 0 : TICK_MS, &err);
        pthread_mutex_lock(&s->lock);
        if (st != NX_OK)
            (void)nx__edge_fail(s, &err);
        s->want_sync = false;
        waiting = take_waiting(s);
        bool synced = nx__edge_sync(s, NULL) == NX_OK;
        if (synced) /* a failure has been told, and the next tick tries again */
            st = nx__edge_age(s, NULL);
        tend_conns(s, synced);
        bool failed = s->failed;
        pthread_mutex_unlock(&s->lock);
        if (failed)
            return;
    }
}

/* ------------------------------------------------------------------ start and end */

static void say_goodbye(nx_stream *s)
{
    pthread_mutex_lock(&s->lock);
    bool synced = nx__edge_sync(s, NULL) == NX_OK;
    for (nx_conn *c = s->conns; c != NULL; c = c->next) {
        if (synced)
            nx__ack_send(c);
        if (nx_wsd_close(c->ws, s->failed ? NX_WS_CLOSE_INTERNAL : NX_WS_CLOSE_GOING_AWAY, "the listener is stopping",
                         NULL) != NX_OK)
            c->dead = true;
        c->closing = true;
    }
    tend_conns(s, false);
    pthread_mutex_unlock(&s->lock);
    nx_mono_ns until = nx_clock_mono() + GOODBYE_MS * 1000000ull;
    while (s->conns != NULL && nx_clock_mono() < until) {
        if (nx_loop_once(s->loop, TICK_MS, NULL) != NX_OK)
            break;
        pthread_mutex_lock(&s->lock);
        tend_conns(s, false);
        pthread_mutex_unlock(&s->lock);
    }
    pthread_mutex_lock(&s->lock);
    while (s->conns != NULL)
        nx__conn_drop(s->conns);
    pthread_mutex_unlock(&s->lock);
}

void *nx__receive_thread(void *stream)
{
    nx_stream *s = stream;
    rounds(s);
    if (s->listen_fd >= 0)
        nx_loop_remove(s->loop, s->listen_fd);
    nx_fd_drop(&s->listen_fd);
    say_goodbye(s);
    return NULL;
}

static bool is_loopback(const char *listen)
{
    nx_str l = nx_str_of(listen);
    return nx_str_starts(l, NX_STR("127.")) || nx_str_starts(l, NX_STR("localhost:")) ||
           nx_str_starts(l, NX_STR("[::1]:"));
}

nx_status nx__listener_open(nx_stream *s, nx_err *err)
{
    if (s->o.listen == NULL)
        return NX_OK;
    if (s->n_tokens == 0 && !is_loopback(s->o.listen)) {
        (void)nx_fail(err, NX_INVALID, "could not listen on %s: without tokens only a loopback address is allowed",
                      s->o.listen);
        return nx_err_hint(err, NX_INVALID, "set stream.tokens, or listen on 127.0.0.1");
    }
    NX_TRY(nx_wsd_listen(s->o.listen, &s->listen_fd, &s->port, err));
    return nx_loop_add(s->loop, s->listen_fd, NX_LOOP_READ, on_connect, s, err);
}
