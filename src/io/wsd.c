#include "io/wsd.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "io/wsd_int.h"

nx_status nx_wsd_listen(const char *listen_text, int *ret_fd, int *ret_port, nx_err *err)
{
    return nx__net_listen(listen_text, ret_fd, ret_port, err);
}

static nx_wsd_opts with_defaults(const nx_wsd_opts *opts)
{
    nx_wsd_opts o = {0};
    if (opts != NULL)
        o = *opts;
    if (o.request_bytes_max == 0)
        o.request_bytes_max = 16 << 10;
    if (o.message_bytes_max == 0)
        o.message_bytes_max = 1 << 20;
    if (o.recv_bytes == 0)
        o.recv_bytes = 256 << 10;
    if (o.send_bytes_max == 0)
        o.send_bytes_max = 4 << 20;
    return o;
}

static void peer_text(const struct sockaddr *a, socklen_t n, char out[64])
{
    char host[48], port[8];
    if (getnameinfo(a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
        snprintf(out, 64, a->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host, port);
    else
        snprintf(out, 64, "unknown peer");
}

static nx_status conn_new(int fd, const nx_wsd_opts *opts, nx_wsd_conn **ret, nx_err *err)
{
    NX_TRY(nx__net_setup(fd, err));
    nx_wsd_conn *c = calloc(1, sizeof *c);
    if (c == NULL)
        return nx_nomem(err);
    c->fd = fd;
    c->opts = with_defaults(opts);
    size_t most =
        c->opts.message_bytes_max > c->opts.request_bytes_max ? c->opts.message_bytes_max : c->opts.request_bytes_max;
    c->in.max = most + 14 + c->opts.recv_bytes;
    nx_buf_init(&c->out, c->opts.send_bytes_max + 1024); /* our last word always finds room */
    nx_buf_init(&c->joined, c->opts.message_bytes_max);
    *ret = c;
    return NX_OK;
}

nx_status nx_wsd_accept(int listen_fd, const nx_wsd_opts *opts, nx_wsd_conn **ret, nx_err *err)
{
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    NX_AUTO(nx_fd_drop) int fd = accept4(listen_fd, (struct sockaddr *)&a, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNABORTED)
            return NX_AGAIN;
        nx_status st = nx_fail_sys(err, NX_IO, "could not accept a connection");
        if (err != NULL)
            err->retriable = true;
        return st;
    }
    NX_TRY(conn_new(fd, opts, ret, err));
    peer_text((struct sockaddr *)&a, n, (*ret)->peer);
    fd = -1;
    return NX_OK;
}

nx_status nx_wsd_adopt(int fd, const nx_wsd_opts *opts, nx_str early, void (*closer)(void *ctx), void *closer_ctx,
                       nx_wsd_conn **ret, nx_err *err)
{
    nx_wsd_conn *c;
    NX_TRY(conn_new(fd, opts, &c, err));
    size_t room = 0;
    if (early.n > 0 && (nx__rbuf_room(&c->in, early.n, &room) != NX_OK || room < early.n)) {
        c->fd = -1; /* still the caller's */
        nx_wsd_drop(c);
        return nx_fail(err, NX_LIMIT, "could not take over a connection: %zu bytes came with the request", early.n);
    }
    if (early.n > 0)
        memcpy(c->in.p, early.p, early.n);
    c->in.tail = early.n;
    struct sockaddr_storage a;
    socklen_t n = sizeof a;
    if (getpeername(fd, (struct sockaddr *)&a, &n) == 0)
        peer_text((struct sockaddr *)&a, n, c->peer);
    c->upgraded = true;
    c->closer = closer;
    c->closer_ctx = closer_ctx;
    *ret = c;
    return NX_OK;
}

void nx_wsd_drop(nx_wsd_conn *c)
{
    if (c == NULL)
        return;
    if (c->fd >= 0 && !c->ended) {
        /* Unread bytes would turn the close into a reset, and the peer would never see our last frame. */
        char sink[16 << 10];
        shutdown(c->fd, SHUT_WR);
        for (int i = 0; i < 256 && recv(c->fd, sink, sizeof sink, MSG_DONTWAIT) > 0; i++)
            ;
    }
    if (c->closer != NULL)
        c->closer(c->closer_ctx);
    else
        nx_fd_drop(&c->fd);
    nx__rbuf_drop(&c->in);
    nx_buf_drop(&c->out);
    nx_buf_drop(&c->joined);
    nx_deflate_drop(c->deflate);
    free(c);
}

int nx_wsd_fd(const nx_wsd_conn *c)
{
    return c->fd;
}

const char *nx_wsd_peer(const nx_wsd_conn *c)
{
    return c->peer;
}

nx_status nx_wsd_recv(nx_wsd_conn *c, size_t *ret_n, nx_err *err)
{
    size_t room = 0;
    if (ret_n != NULL)
        *ret_n = 0;
    if (c->ended)
        return NX_NOTHING;
    if (c->ending) /* what still comes is of no interest */
        c->in.head = c->in.tail = 0;
    nx_status st = nx__rbuf_room(&c->in, c->opts.recv_bytes, &room);
    if (st != NX_OK)
        return nx_fail(err, st, "could not receive from %s: its last message was not taken", c->peer);
    ssize_t n = recv(c->fd, c->in.p + c->in.tail, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return NX_AGAIN;
    if (n <= 0)
        c->ended = true;
    if (n < 0)
        return nx_fail_sys(err, NX_REMOTE, "connection from %s lost", c->peer);
    if (n == 0)
        return NX_NOTHING;
    c->in.tail += (size_t)n;
    if (ret_n != NULL)
        *ret_n = (size_t)n;
    return NX_OK;
}

nx_status nx_wsd_agree(nx_wsd_conn *c, const nx_deflate_params *p, nx_err *err)
{
    return p->on ? nx_deflate_new(p, true, &c->deflate, err) : NX_OK;
}

/* Compressed where that was agreed and pays. */
static nx_status write_message(nx_wsd_conn *c, nx_ws_op op, nx_str payload, nx_err *err)
{
    nx_str packed;
    nx_status st = NX_NOTHING;
    if (c->deflate != NULL && op < NX_WS_CLOSE && c->opts.deflate_bytes_min > 0 &&
        payload.n >= c->opts.deflate_bytes_min)
        st = nx_deflate_give(c->deflate, payload, &packed, err);
    if (st == NX_NOTHING)
        return nx_ws_write(&c->out, op, true, payload, NULL);
    if (st == NX_OK && (st = nx_ws_write_deflated(&c->out, op, packed, NULL)) != NX_OK)
        nx_deflate_unsent(c->deflate);
    return st;
}

nx_status nx_wsd_send(nx_wsd_conn *c, nx_ws_op op, nx_str payload, nx_err *err)
{
    if (c->ending || c->ended)
        return nx_fail(err, NX_CANCELLED, "connection from %s is closed", c->peer);
    if (payload.n + 14 > c->opts.send_bytes_max || nx_wsd_pending(c) > c->opts.send_bytes_max - payload.n - 14)
        return nx_fail(err, NX_LIMIT, "%s reads too slowly: %zu bytes wait for it", c->peer, nx_wsd_pending(c));
    if (c->out_at > 0 && c->out.n + payload.n + 14 > c->out.max) {
        memmove(c->out.p, c->out.p + c->out_at, c->out.n - c->out_at);
        c->out.n -= c->out_at;
        c->out_at = 0;
    }
    nx_status st = write_message(c, op, payload, err);
    return st == NX_OK ? st : nx_fail(err, st, "could not queue %zu bytes for %s", payload.n, c->peer);
}

nx_status nx_wsd_close(nx_wsd_conn *c, int code, const char *reason, nx_err *err)
{
    if (c->ending || c->ended)
        return NX_OK;
    char text[125];
    size_t n = reason == NULL ? 0 : strlen(reason);
    n = n > 123 ? 123 : n;
    while (n > 0 && n < strlen(reason) && ((unsigned char)reason[n] & 0xC0) == 0x80)
        n--; /* no half character */
    text[0] = (char)(code >> 8);
    text[1] = (char)code;
    if (n > 0)
        memcpy(text + 2, reason, n);
    /* the room beyond send_bytes_max is for this */
    if (c->out_at > 0) {
        memmove(c->out.p, c->out.p + c->out_at, c->out.n - c->out_at);
        c->out.n -= c->out_at;
        c->out_at = 0;
    }
    c->ending = true;
    nx_status st = nx_ws_write(&c->out, NX_WS_CLOSE, true, (nx_str){text, code == 0 ? 0 : n + 2}, NULL);
    return st == NX_OK ? st : nx_fail(err, st, "could not queue a close frame for %s", c->peer);
}

nx_status nx_wsd_flush(nx_wsd_conn *c, nx_err *err)
{
    while (c->out_at < c->out.n) {
        ssize_t n = send(c->fd, c->out.p + c->out_at, c->out.n - c->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return NX_AGAIN;
        if (n < 0) {
            c->ended = true;
            return nx_fail_sys(err, NX_REMOTE, "connection to %s lost", c->peer);
        }
        c->out_at += (size_t)n;
    }
    nx_buf_clear(&c->out);
    c->out_at = 0;
    return NX_OK;
}

size_t nx_wsd_pending(const nx_wsd_conn *c)
{
    return c->out.n - c->out_at;
}

bool nx_wsd_done(const nx_wsd_conn *c)
{
    return c->ended || (c->ending && nx_wsd_pending(c) == 0);
}
