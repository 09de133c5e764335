#include "io/wsc.h"

#include <poll.h>

#include "io/wsc_int.h"

enum { RECV_BYTES = 128 << 10 };

int nx_wsc_close_code(const nx_wsc *c)
{
    return c->close_code;
}

bool nx_wsc_deflates(const nx_wsc *c)
{
    return c->deflate != NULL;
}

nx_mono_ns nx_wsc_heard_at(const nx_wsc *c)
{
    return c->heard_at;
}

size_t nx_wsc_queued(const nx_wsc *c)
{
    return c->out.n - c->out_at;
}

static nx_status gone(nx_wsc *c, nx_err *err)
{
    c->ended = true;
    if (c->close_code == 0)
        c->close_code = 1006;
    nx_fail(err, NX_REMOTE, "connection to %s ended without a close frame", c->peer);
    if (err != NULL)
        err->retriable = true;
    return NX_REMOTE;
}

/* Compressed where that was agreed and pays. */
static nx_status write_message(nx_wsc *c, nx_ws_op op, nx_str payload, nx_err *err)
{
    unsigned char mask[4];
    uint64_t r = nx_rand_u64(&c->rand) >> 32;
    memcpy(mask, &r, 4);
    nx_str packed;
    nx_status st = NX_NOTHING;
    if (c->deflate != NULL && op < NX_WS_CLOSE && c->deflate_bytes_min > 0 && payload.n >= c->deflate_bytes_min)
        st = nx_deflate_give(c->deflate, payload, &packed, err);
    if (st == NX_NOTHING)
        return nx_ws_write(&c->out, op, true, payload, mask);
    if (st == NX_OK && (st = nx_ws_write_deflated(&c->out, op, packed, mask)) != NX_OK)
        nx_deflate_unsent(c->deflate);
    return st;
}

nx_status nx_wsc_queue(nx_wsc *c, nx_ws_op op, nx_str payload, nx_err *err)
{
    if (c->ended)
        return gone(c, err);
    if (c->closing)
        return nx_fail(err, NX_CANCELLED, "connection to %s is closed", c->peer);
    if (c->out_at > 0 && (c->out_at >= (size_t)1 << 20 || c->out.n + payload.n + 14 > c->out.max)) {
        memmove(c->out.p, c->out.p + c->out_at, c->out.n - c->out_at);
        c->out.n -= c->out_at;
        c->out_at = 0;
    }
    nx_status st = write_message(c, op, payload, err);
    return st == NX_OK ? st
                       : nx_fail(err, st, "could not queue %zu bytes for %s: %zu wait already", payload.n, c->peer,
                                 nx_wsc_queued(c));
}

/* Reads what is there now. NX_OK: something came; NX_AGAIN; NX_NOTHING: the stream ended; NX_LIMIT: the buffer is
 * full. */
static nx_status read_some(nx_wsc *c, nx_err *err)
{
    size_t room, n = 0;
    nx_status st = nx__rbuf_room(&c->in, RECV_BYTES, &room);
    if (st != NX_OK)
        return st;
    st = nx__wsc_read(c, c->in.p + c->in.tail, room, &n, err);
    if (st == NX_REMOTE || st == NX_NOTHING)
        c->ended = true;
    if (st != NX_OK)
        return st;
    c->in.tail += n;
    c->heard_at = nx_clock_mono();
    return NX_OK;
}

/* Writes what the socket takes now. */
static nx_status write_some(nx_wsc *c, nx_err *err)
{
    while (c->out_at < c->out.n) {
        size_t n = 0;
        nx_status st = nx__wsc_write(c, c->out.p + c->out_at, c->out.n - c->out_at, &n, err);
        if (st == NX_NOTHING)
            return gone(c, err);
        if (st == NX_REMOTE) { /* the peer's last words may be here still: they say why */
            nx_err ignored = {0};
            while (read_some(c, &ignored) == NX_OK)
                ;
            c->ended = true;
        }
        if (st != NX_OK)
            return st;
        c->out_at += n;
    }
    nx_buf_clear(&c->out);
    c->out_at = 0;
    return NX_OK;
}

static nx_status stopped(nx_wsc *c, nx_err *err)
{
    return nx_fail(err, NX_CANCELLED, "stopped while talking to %s", c->peer);
}

nx_status nx_wsc_pump(nx_wsc *c, int64_t timeout_ms, const volatile bool *stop, nx_err *err)
{
    nx_mono_ns deadline = nx__deadline(timeout_ms);
    for (;;) {
        nx_status st = write_some(c, err);
        if (st != NX_AGAIN)
            return st;
        st = c->ended ? NX_NOTHING : read_some(c, err);
        if (st == NX_REMOTE || st == NX_NOMEM)
            return st;
        bool full = st == NX_LIMIT, over = st == NX_NOTHING;
        if (st == NX_OK)
            continue;
        short events;
        st = nx__net_wait(c->fd, (short)(POLLOUT | (full || over ? 0 : POLLIN)), deadline, stop, &events);
        if (st == NX_CANCELLED)
            return stopped(c, err);
        if (st != NX_OK)
            return st;
    }
}

nx_status nx_wsc_send(nx_wsc *c, nx_ws_op op, nx_str payload, int64_t timeout_ms, const volatile bool *stop,
                      nx_err *err)
{
    nx_status st = nx_wsc_queue(c, op, payload, err);
    if (st == NX_LIMIT && nx_wsc_queued(c) > 0) {
        NX_TRY(nx_wsc_pump(c, timeout_ms, stop, err));
        st = nx_wsc_queue(c, op, payload, err);
    }
    return st == NX_OK ? nx_wsc_pump(c, timeout_ms, stop, err) : st;
}

/* NX_AGAIN: dealt with; NX_NOTHING: the peer closed. */
static nx_status take_control(nx_wsc *c, const nx_ws_frame *f, nx_err *err)
{
    if (f->op == NX_WS_PONG)
        return NX_AGAIN;
    if (f->op == NX_WS_PING) {
        nx_status st = c->closing ? NX_OK : nx_wsc_queue(c, NX_WS_PONG, (nx_str){f->p, f->n}, err);
        return st == NX_OK || st == NX_LIMIT ? NX_AGAIN : st;
    }
    int answer = nx_ws_close_answer(f, &c->close_code);
    if (!c->closing) {
        nx_err ignored; /* the peer may be gone already: its close frame is what we report */
        char text[2] = {(char)(answer >> 8), (char)answer};
        nx_status st = nx_wsc_queue(c, NX_WS_CLOSE, (nx_str){text, answer == 0 ? 0 : 2}, &ignored);
        c->closing = true;
        if (st == NX_OK)
            st = write_some(c, &ignored);
    }
    c->ended = true;
    return NX_NOTHING;
}

static nx_status broken(nx_wsc *c, int code, nx_err *err)
{
    nx_err ignored;
    char text[2] = {(char)(code >> 8), (char)code};
    if (!c->closing && nx_wsc_queue(c, NX_WS_CLOSE, (nx_str){text, 2}, &ignored) == NX_OK &&
        write_some(c, &ignored) != NX_OK)
        c->out_at = c->out.n;
    c->closing = c->ended = true;
    c->close_code = code;
    nx_status st = code == NX_WS_CLOSE_TOO_BIG ? NX_LIMIT : NX_INVALID;
    if (err != NULL)
        err->status = st;
    nx_err_prefix(err, "%s", c->peer);
    return st;
}

static nx_status join(nx_wsc *c, nx_ws_frame *f, nx_err *err)
{
    if ((f->op == NX_WS_CONT) != c->joining) {
        nx_fail(err, NX_INVALID, "fragments out of order");
        return broken(c, NX_WS_CLOSE_PROTOCOL, err);
    }
    if (!c->joining) {
        nx_buf_clear(&c->joined);
        c->joined_op = f->op;
        c->joined_deflated = f->deflated;
        c->joining = true;
    }
    if (c->joined_deflated) {
        nx_status st = nx_deflate_take(c->deflate, (nx_str){f->p, f->n}, f->fin, &c->joined, err);
        if (st != NX_OK)
            return broken(c, nx__inflate_close(st), err);
    } else if (nx_buf_add(&c->joined, (nx_str){f->p, f->n}) != NX_OK) {
        nx_fail(err, NX_LIMIT, "message larger than %zu bytes", c->message_bytes_max);
        return broken(c, NX_WS_CLOSE_TOO_BIG, err);
    }
    if (!f->fin)
        return NX_AGAIN;
    c->joining = false;
    *f = (nx_ws_frame){.op = c->joined_op, .fin = true, .p = c->joined.p, .n = c->joined.n};
    return NX_OK;
}

/* The next message among the bytes that are here. NX_AGAIN: none. */
static nx_status take_message(nx_wsc *c, nx_ws_frame *ret, nx_err *err)
{
    const nx_ws_limits lim = {c->message_bytes_max, false, c->deflate != NULL};
    for (;;) {
        size_t need = 0;
        int code = 0;
        nx_status st = nx_ws_next(c->in.p, c->in.tail, &c->in.head, &lim, ret, &need, &code, err);
        if (st == NX_AGAIN)
            return st;
        if (st != NX_OK)
            return broken(c, code, err);
        if (ret->op >= NX_WS_CLOSE)
            st = take_control(c, ret, err);
        else if (ret->op == NX_WS_CONT || !ret->fin || c->joining || ret->deflated)
            st = join(c, ret, err);
        if (st != NX_AGAIN)
            return st;
    }
}

nx_status nx_wsc_recv(nx_wsc *c, int64_t timeout_ms, const volatile bool *stop, nx_ws_frame *ret, nx_err *err)
{
    nx_mono_ns deadline = nx__deadline(timeout_ms);
    for (;;) {
        nx_status st = take_message(c, ret, err);
        if (st != NX_AGAIN)
            return st;
        if (c->ended)
            return c->closing ? NX_NOTHING : gone(c, err);
        if (nx_wsc_queued(c) > 0 && (st = write_some(c, err)) != NX_OK && st != NX_AGAIN) {
            if (st == NX_REMOTE && c->in.tail > c->in.head)
                continue;
            return st;
        }
        st = read_some(c, err);
        if (st == NX_NOTHING)
            return c->closing ? NX_NOTHING : gone(c, err);
        if (st == NX_OK)
            continue;
        if (st != NX_AGAIN)
            return st;
        short events, want = (short)(POLLIN | (nx_wsc_queued(c) > 0 ? POLLOUT : 0));
        st = nx__net_wait(c->fd, want, deadline, stop, &events);
        if (st == NX_CANCELLED)
            return stopped(c, err);
        if (st != NX_OK)
            return st;
    }
}

nx_status nx_wsc_close(nx_wsc *c, int code, int64_t timeout_ms, nx_err *err)
{
    char text[2] = {(char)(code >> 8), (char)code};
    if (!c->ended && !c->closing) {
        NX_TRY(nx_wsc_send(c, NX_WS_CLOSE, (nx_str){text, 2}, timeout_ms, NULL, err));
        c->closing = true;
    }
    nx_mono_ns deadline = nx__deadline(timeout_ms);
    nx_ws_frame f;
    nx_status st = NX_OK;
    while (!c->ended && st == NX_OK)
        st = nx_wsc_recv(c, nx__poll_ms(deadline), NULL, &f, err);
    return c->ended || st == NX_NOTHING ? NX_OK : st;
}
