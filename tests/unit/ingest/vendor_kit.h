/* A stream vendor that does what a test tells it: one connection after the other, each handled by a function in a thread of its own. */
#ifndef VENDOR_KIT_H
#define VENDOR_KIT_H

#include "unit/ingest/edge_kit.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "ingest/alpaca_ws.h"
#include "io/wsd.h"

#define GREETING "[{\"T\":\"success\",\"msg\":\"connected\"}]"
#define SIGNED_IN "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"
#define SUBSCRIBED "[{\"T\":\"subscription\",\"trades\":[\"AAPL\"]}]"

typedef struct vendor vendor;
/* k: number of the connection, from 0. */
typedef void (*vendor_fn)(vendor *v, int k, nx_wsd_conn *c);
struct vendor {
    int fd, port;
    char url[64];
    vendor_fn fn;
    int mode;
    pthread_t thread;
    atomic_bool quit;
    atomic_int connections;
    nx_err err;
};

static inline bool vendor_wait(vendor *v, int fd, short events)
{
    struct pollfd p = {fd, events, 0};
    while (!atomic_load(&v->quit))
        if (poll(&p, 1, 20) != 0)
            return true;
    return false;
}

static inline bool vendor_flush(vendor *v, nx_wsd_conn *c)
{
    nx_status st;
    while ((st = nx_wsd_flush(c, &v->err)) == NX_AGAIN)
        if (!vendor_wait(v, nx_wsd_fd(c), POLLOUT))
            return false;
    return st == NX_OK;
}

static inline bool vendor_say(vendor *v, nx_wsd_conn *c, const char *text)
{
    return nx_wsd_send(c, NX_WS_TEXT, nx_str_of(text), &v->err) == NX_OK && vendor_flush(v, c);
}

/* The next text in a static buffer; NULL: the other side is gone, or the test is over. */
static inline const char *vendor_hear(vendor *v, nx_wsd_conn *c)
{
    static char text[8192];
    for (;;) {
        nx_ws_frame f;
        nx_status st = nx_wsd_next(c, &f, &v->err);
        if (st == NX_OK) {
            snprintf(text, sizeof text, "%.*s", (int)f.n, f.p);
            return text;
        }
        if (!vendor_flush(v, c) || st != NX_AGAIN || !vendor_wait(v, nx_wsd_fd(c), POLLIN) ||
            nx_wsd_recv(c, NULL, &v->err) == NX_NOTHING)
            return NULL;
    }
}

/* Nothing is said until the other side goes. */
static inline void vendor_listen(vendor *v, nx_wsd_conn *c)
{
    while (vendor_hear(v, c) != NULL)
        continue;
}

static inline bool vendor_sign_in(vendor *v, nx_wsd_conn *c)
{
    return vendor_say(v, c, GREETING) && vendor_hear(v, c) != NULL && vendor_say(v, c, SIGNED_IN) &&
           vendor_hear(v, c) != NULL && vendor_say(v, c, SUBSCRIBED);
}

static inline void vendor_close(vendor *v, nx_wsd_conn *c, int code)
{
    if (nx_wsd_close(c, code, "bye", &v->err) == NX_OK && vendor_flush(v, c))
        vendor_listen(v, c);
}

static inline void vendor_serve(vendor *v, int k)
{
    nx_wsd_conn *c;
    nx_status st;
    while ((st = nx_wsd_accept(v->fd, NULL, &c, &v->err)) == NX_AGAIN)
        if (!vendor_wait(v, v->fd, POLLIN))
            return;
    if (st != NX_OK)
        return;
    atomic_fetch_add(&v->connections, 1);
    while ((st = nx_wsd_request(c, &v->err)) == NX_AGAIN)
        if (!vendor_wait(v, nx_wsd_fd(c), POLLIN) || nx_wsd_recv(c, NULL, &v->err) == NX_NOTHING)
            break;
    if (st == NX_OK && !nx_str_is(nx_wsd_path(c), "/v2/iex"))
        st = nx_wsd_refuse(c, 404, "not found", &v->err) == NX_OK && vendor_flush(v, c) ? NX_NOT_FOUND : NX_REMOTE;
    if (st == NX_OK && nx_wsd_upgrade(c, &v->err) == NX_OK && vendor_flush(v, c))
        v->fn(v, k, c);
    nx_wsd_drop(c);
}

static inline void *vendor_run(void *ctx)
{
    vendor *v = ctx;
    for (int k = 0; !atomic_load(&v->quit); k++)
        vendor_serve(v, k);
    return NULL;
}

static inline void vendor_bind(vendor *v, vendor_fn fn)
{
    *v = (vendor){.fn = fn};
    must(nx_wsd_listen("127.0.0.1:0", &v->fd, &v->port, &v->err), &v->err);
    snprintf(v->url, sizeof v->url, "ws://127.0.0.1:%d", v->port);
}

static inline void vendor_up(vendor *v, vendor_fn fn, int mode)
{
    vendor_bind(v, fn);
    v->mode = mode;
    assert_int_equal(pthread_create(&v->thread, NULL, vendor_run, v), 0);
}

static inline void vendor_down(vendor *v)
{
    atomic_store(&v->quit, true);
    pthread_join(v->thread, NULL);
    close(v->fd);
}

/* ------------------------------------------------------------------ the client under test */

static const char *const ws_symbols[] = {"AAPL", "SPY", NULL};
static const char *const ws_channels[] = {"trades", "bars", NULL};

static inline nx_alpaca_ws_opts impatient(edge *e, const char *url)
{
    if (e->s == NULL) {
        e->o.listen = NULL;
        edge_start(e);
    }
    return (nx_alpaca_ws_opts){.stream = e->s,
                               .url = url,
                               .feed = "iex",
                               .key = "KEY-stay-hidden",
                               .secret = "SECRET-stay-hidden",
                               .symbols = ws_symbols,
                               .channels = ws_channels,
                               .backoff_base_ms = 1,
                               .backoff_cap_ms = 5};
}

static inline nx_alpaca_ws_stats stats_of(nx_alpaca_ws *w)
{
    nx_alpaca_ws_stats s;
    nx_alpaca_ws_stats_get(w, &s);
    return s;
}

static inline nx_alpaca_ws_stats await_end(nx_alpaca_ws *w)
{
    while (stats_of(w).state != NX_ALPACA_WS_ENDED)
        nx_clock_sleep_ms(2, NULL);
    return stats_of(w);
}

static inline nx_alpaca_ws *ws_start(edge *e, const nx_alpaca_ws_opts *o)
{
    nx_alpaca_ws *w = NULL;
    must(nx_alpaca_ws_start(o, &w, &e->err), &e->err);
    return w;
}

#endif
