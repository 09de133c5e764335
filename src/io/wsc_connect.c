#include <openssl/evp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "io/wsc_int.h"

enum { ANSWER_BYTES_MAX = 16 << 10 };

typedef struct target {
    bool tls;
    char host[256], port[8];
    nx_str path; /* with the query */
} target;

static nx_status parse_url(const char *url, target *t, nx_err *err)
{
    nx_str u = nx_str_of(url);
    *t = (target){.tls = nx_str_starts(u, NX_STR("wss://"))};
    if (!t->tls && !nx_str_starts(u, NX_STR("ws://"))) {
        nx_fail(err, NX_INVALID, "could not connect: the URL does not begin with ws:// or wss://");
        return nx_err_hint(err, NX_INVALID, "write ws://host:port/path, or wss:// for TLS");
    }
    nx_str rest = nx_str_sub(u, t->tls ? 6 : 5, u.n);
    size_t cut = 0;
    while (cut < rest.n && rest.p[cut] != '/' && rest.p[cut] != '?')
        cut++;
    nx_str place = nx_str_sub(rest, 0, cut);
    t->path = nx_str_sub(rest, cut, rest.n);
    size_t close = nx_str_find(place, NX_STR("]"), 0), from = close == SIZE_MAX ? 0 : close;
    size_t colon = nx_str_find(place, NX_STR(":"), from);
    nx_str host = nx_str_sub(place, 0, colon == SIZE_MAX ? place.n : colon);
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = nx_str_sub(host, 1, host.n - 1);
    int64_t port = t->tls ? 443 : 80;
    bool ok = host.n > 0 && host.n < sizeof t->host && memchr(host.p, '@', host.n) == NULL;
    if (colon != SIZE_MAX)
        ok = ok && nx_str_to_i64(nx_str_sub(place, colon + 1, place.n), &port) && port > 0 && port < 65536;
    for (size_t i = 0; i < u.n; i++)
        ok = ok && (unsigned char)u.p[i] > ' ' && u.p[i] != 0x7F;
    if (!ok)
        return nx_fail(err, NX_INVALID, "could not connect: bad host or port in the WebSocket URL");
    snprintf(t->host, sizeof t->host, NX_STR_FMT, NX_STR_ARG(host));
    snprintf(t->port, sizeof t->port, "%d", (int)port);
    return NX_OK;
}

static nx_status write_request(nx_wsc *c, const target *t, const char *const *headers, const char key[25], nx_err *err)
{
    const char *host_form = strchr(t->host, ':') != NULL ? "[%s]" : "%s";
    nx_status st = nx_buf_adds(&c->out, "GET ");
    if (st == NX_OK && (t->path.n == 0 || t->path.p[0] != '/'))
        st = nx_buf_addc(&c->out, '/');
    if (st == NX_OK)
        st = nx_buf_add(&c->out, t->path);
    if (st == NX_OK)
        st = nx_buf_adds(&c->out, " HTTP/1.1\r\nHost: ");
    if (st == NX_OK)
        st = nx_buf_addf(&c->out, host_form, t->host);
    if (st == NX_OK)
        st = nx_buf_addf(&c->out,
                         ":%s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
                         "13\r\nSec-WebSocket-Key: %s\r\n",
                         t->port, key);
    if (st == NX_OK && c->offer_deflate)
        st = nx_buf_adds(&c->out, "Sec-WebSocket-Extensions: " NX_DEFLATE_OFFER "\r\n");
    for (size_t i = 0; st == NX_OK && headers != NULL && headers[i] != NULL; i++) {
        if (strpbrk(headers[i], "\r\n") != NULL)
            return nx_fail(err, NX_INVALID, "could not connect to %s: a header holds a line end", c->peer);
        st = nx_buf_addf(&c->out, "%s\r\n", headers[i]);
    }
    if (st == NX_OK)
        st = nx_buf_adds(&c->out, "\r\n");
    return st == NX_OK ? st : nx_fail(err, st, "could not connect to %s: the request is too large", c->peer);
}

static nx_status over(nx_wsc *c, nx_status st, nx_err *err)
{
    if (st == NX_CANCELLED)
        return nx_fail(err, st, "stopped while connecting to %s", c->peer);
    nx_fail(err, NX_REMOTE, "could not connect to %s: %s", c->peer,
            st == NX_AGAIN ? "time over before its answer" : "connection lost");
    if (err != NULL)
        err->retriable = true;
    return NX_REMOTE;
}

/* Reads until the blank line; *ret_end: behind it. */
static nx_status read_answer(nx_wsc *c, nx_mono_ns deadline, const volatile bool *stop, size_t *ret_end, nx_err *err)
{
    for (;;) {
        nx_str got = {c->in.p == NULL ? "" : c->in.p, c->in.tail};
        size_t end = nx_str_find(got, NX_STR("\r\n\r\n"), 0);
        if (end != SIZE_MAX) {
            *ret_end = end + 4;
            return NX_OK;
        }
        size_t room, n = 0;
        if (got.n >= ANSWER_BYTES_MAX || nx__rbuf_room(&c->in, ANSWER_BYTES_MAX, &room) != NX_OK)
            return nx_fail(err, NX_REMOTE, "could not connect to %s: no HTTP answer in its first bytes", c->peer);
        nx_status st = nx__wsc_read(c, c->in.p + c->in.tail, room, &n, err);
        if (st == NX_OK) {
            c->in.tail += n;
            continue;
        }
        if (st == NX_NOTHING)
            return over(c, st, err);
        if (st != NX_AGAIN)
            return st;
        short events;
        st = nx__net_wait(c->fd, POLLIN, deadline, stop, &events);
        if (st != NX_OK)
            return over(c, st, err);
    }
}

static nx_status check_answer(nx_wsc *c, nx_str answer, const char key[25], nx_err *err)
{
    size_t eol = nx_str_find(answer, NX_STR("\r\n"), 0);
    int64_t status = 0;
    if (!nx_str_starts(answer, NX_STR("HTTP/1.")) || eol < 12 || !nx_str_to_i64(nx_str_sub(answer, 9, 12), &status))
        return nx_fail(err, NX_REMOTE, "could not connect to %s: its answer is not HTTP", c->peer);
    nx_str headers = nx_str_sub(answer, eol + 2, answer.n);
    if (status != 101) {
        nx_fail(err, NX_REMOTE, "could not connect to %s: it answered HTTP %d instead of 101", c->peer, (int)status);
        if (err != NULL)
            err->retriable = status == 429 || status >= 500;
        return NX_REMOTE;
    }
    char expected[29];
    nx_ws_accept(nx_str_of(key), expected);
    nx_str upgrade = nx__header_find(headers, "upgrade");
    if (upgrade.p == NULL || !nx__header_has(upgrade, "websocket") ||
        !nx_str_is(nx__header_find(headers, "sec-websocket-accept"), expected))
        return nx_fail(err, NX_REMOTE, "could not connect to %s: its answer does not accept the upgrade", c->peer);
    nx_str extension = nx__header_find(headers, "sec-websocket-extensions");
    if (extension.p == NULL)
        return NX_OK;
    nx_deflate_params deflate;
    const char *why =
        c->offer_deflate ? nx_deflate_check(extension, &deflate) : "it uses an extension that was not offered";
    if (why != NULL)
        return nx_fail(err, NX_REMOTE, "could not connect to %s: %s", c->peer, why);
    return nx_deflate_new(&deflate, false, &c->deflate, err);
}

static nx_status upgrade(nx_wsc *c, const target *t, const nx_wsc_opts *opts, nx_mono_ns deadline,
                         const volatile bool *stop, nx_err *err)
{
    unsigned char nonce[16];
    char key[25];
    nx_rand_bytes(nonce, sizeof nonce);
    EVP_EncodeBlock((unsigned char *)key, nonce, sizeof nonce);
    NX_TRY(write_request(c, t, opts->headers, key, err));
    while (c->out_at < c->out.n) {
        size_t n = 0;
        short events;
        nx_status st = nx__wsc_write(c, c->out.p + c->out_at, c->out.n - c->out_at, &n, err);
        c->out_at += n;
        if (st == NX_AGAIN && (st = nx__net_wait(c->fd, POLLOUT, deadline, stop, &events)) != NX_OK)
            return over(c, st, err);
        if (st != NX_OK)
            return st;
    }
    nx_buf_clear(&c->out);
    c->out_at = 0;
    size_t end = 0;
    NX_TRY(read_answer(c, deadline, stop, &end, err));
    NX_TRY(check_answer(c, (nx_str){c->in.p, end}, key, err));
    c->in.head = end;
    return NX_OK;
}

static void drop_conn(nx_wsc **c)
{
    nx_wsc_drop(*c);
}

nx_status nx_wsc_connect(const nx_wsc_opts *opts, const volatile bool *stop, nx_wsc **ret, nx_err *err)
{
    target t;
    NX_TRY(parse_url(opts->url, &t, err));
    NX_AUTO(drop_conn) nx_wsc *c = calloc(1, sizeof *c);
    if (c == NULL)
        return nx_nomem(err);
    c->fd = -1;
    c->message_bytes_max = opts->message_bytes_max == 0 ? (size_t)16 << 20 : opts->message_bytes_max;
    c->in.max = opts->recv_bytes_max != 0 ? opts->recv_bytes_max : c->message_bytes_max + ((size_t)16 << 20);
    if (c->in.max < c->message_bytes_max + 14)
        c->in.max = c->message_bytes_max + 14;
    nx_buf_init(&c->out, opts->send_bytes_max == 0 ? (size_t)16 << 20 : opts->send_bytes_max);
    nx_buf_init(&c->joined, c->message_bytes_max);
    c->offer_deflate = opts->deflate;
    c->deflate_bytes_min = opts->deflate_bytes_min;
    snprintf(c->peer, sizeof c->peer, "%s://%s:%s", t.tls ? "wss" : "ws", t.host, t.port);
    uint64_t seed;
    nx_rand_bytes(&seed, sizeof seed);
    nx_rand_seed(&c->rand, seed);
    nx_mono_ns deadline = nx__deadline(opts->connect_timeout_ms == 0 ? 10000 : opts->connect_timeout_ms);
    NX_TRY(nx__net_connect(t.host, t.port, deadline, stop, &c->fd, err));
    if (t.tls)
        NX_TRY(nx__wsc_tls(c, t.host, opts->ca_file, deadline, stop, err));
    NX_TRY(upgrade(c, &t, opts, deadline, stop, err));
    c->heard_at = nx_clock_mono();
    *ret = c;
    c = NULL;
    return NX_OK;
}

void nx_wsc_drop(nx_wsc *c)
{
    if (c == NULL)
        return;
    nx__wsc_tls_drop(c);
    nx_fd_drop(&c->fd);
    nx__rbuf_drop(&c->in);
    nx_buf_drop(&c->out);
    nx_buf_drop(&c->joined);
    nx_deflate_drop(c->deflate);
    free(c);
}
