/* What the tests of pulled sources share: a lake, impatient options, the vendors' look-alike, and a server of our own for odd answers. */
#ifndef PULL_KIT_H
#define PULL_KIT_H

#include "unit/ingest/edge_kit.h"

#include <pthread.h>

#include "data/time.h"
#include "ingest/pull.h"
#include "io/http.h"
#include "io/httpd.h"
#include "sim/sim.h"

#define KEY "KEY-that-must-stay-hidden"
#define SECRET "SECRET-that-must-stay-hidden"

/* Long after everything that is served: windows are over. */
static inline nx_wall_ns late(void *ctx)
{
    (void)ctx;
    return (nx_wall_ns)1800000000 * 1000000000 + (nx_wall_ns)(nx_clock_mono() % 1000000000000);
}

static inline nx_pull_opts quick(edge *e)
{
    if (e->lake == NULL)
        edge_open_lake(e);
    return (nx_pull_opts){.engine = e->engine,
                          .lake = e->lake,
                          .contracts = e->contracts,
                          .requests_per_minute = 60000000,
                          .tries_max = 5,
                          .backoff_base_ms = 1,
                          .backoff_cap_ms = 2};
}

static inline int64_t us(const char *text)
{
    int64_t ns;
    assert_true(nx_time_parse_ns(nx_str_of(text), &ns));
    return ns / 1000;
}

static inline void clean(const nx_err *err)
{
    char all[1024];
    snprintf(all, sizeof all, "%s|%s", err->text, err->hint);
    if (strstr(all, "stay-hidden") != NULL || strchr(all, '?') != NULL)
        fail_msg("a secret or a query is in: %s", all);
}

/* ------------------------------------------------------------------ the look-alike */

static inline nx_sim *sim_up(nx_sim_opts o, char url[64])
{
    nx_sim *s;
    nx_err err = {0};
    o.listen = "127.0.0.1:0";
    must(nx_sim_start(&o, &s, &err), &err);
    snprintf(url, 64, "http://127.0.0.1:%d", nx_sim_port(s));
    return s;
}

/* ------------------------------------------------------------------ a server that answers as it is told */

typedef struct odd odd;
/* The k-th request, from 0. */
typedef void (*odd_fn)(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp);
struct odd {
    nx_httpd *h;
    char url[64];
    odd_fn fn;
    pthread_mutex_t lock;
    int n;            /* requests so far */
    int mode;         /* for the function */
    char last[256];   /* page_token or after of the last request */
    char bearer[256]; /* Authorization of the last request */
};

static inline nx_status odd_handle(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    odd *d = ctx;
    (void)err;
    const char *token = nx_httpd_query(req, "page_token"), *after = nx_httpd_query(req, "after"),
               *auth = nx_httpd_header(req, "Authorization");
    pthread_mutex_lock(&d->lock);
    snprintf(d->last, sizeof d->last, "%s", token != NULL ? token : after != NULL ? after : "");
    snprintf(d->bearer, sizeof d->bearer, "%s", auth == NULL ? "" : auth);
    d->fn(d, d->n++, req, resp);
    pthread_mutex_unlock(&d->lock);
    return NX_OK;
}

static inline void odd_up(odd *d, odd_fn fn)
{
    nx_err err = {0};
    *d = (odd){.fn = fn, .lock = PTHREAD_MUTEX_INITIALIZER};
    nx_httpd_route routes[] = {{NULL, "/*", odd_handle, d}};
    nx_httpd_opts o = {.listen = "127.0.0.1:0", .routes = routes, .n_routes = 1, .threads = 1};
    must(nx_httpd_start(&o, &d->h, &err), &err);
    snprintf(d->url, sizeof d->url, "http://127.0.0.1:%d", nx_httpd_port(d->h));
}

static inline void say_body(nx_httpd_resp *resp, int status, const char *body)
{
    resp->status = status;
    assert_int_equal(nx_buf_adds(&resp->body, body), NX_OK);
}

#endif
