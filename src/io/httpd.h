/* io/httpd.h
 *
 * HTTP server over libmicrohttpd (the only file that touches it): a table of routes, bounded bodies,
 * GET/HEAD/POST/PUT/DELETE. Serves the vendor look-alike, metrics and the API. The WebSocket listener has its own
 * sockets (io/wsd.h).
 * Thread   Handlers run on the server's threads (opts.threads), several at once: they lock what they share.
 */
#ifndef NX_IO_HTTPD_H
#define NX_IO_HTTPD_H

#include "base/str.h"
#include "io/deflate.h"

typedef struct nx_httpd nx_httpd;
typedef struct nx_httpd_conn nx_httpd_conn;

typedef struct nx_httpd_req {
    const char *method;
    nx_str path; /* decoded, without the query */
    nx_str body;
    nx_httpd_conn *conn; /* for the look-ups below */
} nx_httpd_req;

/* Takes over an upgraded connection: the socket, the bytes that came behind the request (valid during the call), the function that closes it, to
 * be called exactly once and before nx_httpd_stop (nx_wsd_adopt takes all three), and what was agreed on compression (nx_wsd_agree). */
typedef void (*nx_httpd_upgrade_fn)(void *ctx, int fd, nx_str early, const nx_deflate_params *deflate,
                                    void (*closer)(void *closer_ctx), void *closer_ctx);

typedef struct nx_httpd_resp {
    int status;                                /* default 200 */
    const char *content_type;                  /* static; default application/json */
    nx_buf body;                               /* initialised by the server */
    char headers[8][2][NX_DEFLATE_ANSWER_MAX]; /* name, value; first empty name ends */
    /* Set by a handler together with status 101: the connection leaves HTTP once the answer is out
     * (nx_httpd_upgrade). */
    nx_httpd_upgrade_fn upgrade;
    void *upgrade_ctx;
    nx_deflate_params deflate;
} nx_httpd_resp;

/* Turns the request into a WebSocket upgrade: checks its headers and fills status, Upgrade, Connection and
 * Sec-WebSocket-Accept, with deflate also Sec-WebSocket-Extensions where the client offers permessage-deflate. Without a proper request the answer
 * becomes 426 and fn is never called. */
void nx_httpd_upgrade(const nx_httpd_req *r, nx_httpd_resp *resp, bool deflate, nx_httpd_upgrade_fn fn, void *ctx);

/* Query or header by name; NULL when absent; valid during the call. Query values are decoded. */
const char *nx_httpd_query(const nx_httpd_req *r, const char *name);
const char *nx_httpd_header(const nx_httpd_req *r, const char *name);
void nx_httpd_resp_header(nx_httpd_resp *r, const char *name, const char *value);

/* A handler's error becomes a 500 with its text as JSON {"message":...}. */
typedef nx_status (*nx_httpd_fn)(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);

typedef struct nx_httpd_route {
    const char *method;  /* NULL: any */
    const char *pattern; /* exact path, or a prefix ending in '*' */
    nx_httpd_fn fn;
    void *ctx;
} nx_httpd_route;

typedef struct nx_httpd_opts {
    const char *listen;           /* "127.0.0.1:8080"; port 0 picks a free one */
    const nx_httpd_route *routes; /* n_routes, first match wins; copied */
    size_t n_routes;
    size_t body_bytes_max; /* 0 means 1 MiB: 413 */
    int threads;           /* 0 means 2 */
    int conn_max;          /* 0 means 256 */
} nx_httpd_opts;

/* A port in use: NX_EXISTS naming the address, with a hint. */
NX_MUST_USE nx_status nx_httpd_start(const nx_httpd_opts *opts, nx_httpd **ret, nx_err *err);
int nx_httpd_port(const nx_httpd *h);
void nx_httpd_stop(nx_httpd *h); /* waits for running handlers */

#endif
