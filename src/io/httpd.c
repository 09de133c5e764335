#include "io/httpd.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/file.h"
#include "data/json.h"
#include "io/io_int.h"
#include "io/ws.h"

struct nx_httpd {
    struct MHD_Daemon *daemon;
    nx_httpd_route *routes;
    char **patterns;
    size_t n_routes;
    size_t body_bytes_max;
    int port;
};

/* A request under way. */
struct nx_httpd_conn {
    struct MHD_Connection *mhd;
    nx_buf body;
    bool too_large;
    nx_httpd_upgrade_fn upgrade; /* set: who takes the connection over */
    void *upgrade_ctx;
    nx_deflate_params deflate;
};

const char *nx_httpd_query(const nx_httpd_req *r, const char *name)
{
    const char *v = MHD_lookup_connection_value(r->conn->mhd, MHD_GET_ARGUMENT_KIND, name);
    return v;
}

const char *nx_httpd_header(const nx_httpd_req *r, const char *name)
{
    return MHD_lookup_connection_value(r->conn->mhd, MHD_HEADER_KIND, name);
}

void nx_httpd_resp_header(nx_httpd_resp *r, const char *name, const char *value)
{
    for (size_t i = 0; i < NX_COUNT_OF(r->headers); i++) {
        if (r->headers[i][0][0] != '\0')
            continue;
        snprintf(r->headers[i][0], sizeof r->headers[i][0], "%s", name);
        snprintf(r->headers[i][1], sizeof r->headers[i][1], "%s", value);
        return;
    }
}

static void set_message(nx_httpd_resp *r, int status, const char *message)
{
    r->status = status;
    r->content_type = "application/json";
    nx_buf_clear(&r->body);
    nx_status st = nx_buf_adds(&r->body, "{\"message\":");
    if (st == NX_OK)
        st = nx_buf_quote(&r->body, nx_str_of(message));
    if (st == NX_OK)
        st = nx_buf_addc(&r->body, '}');
    if (st != NX_OK)
        nx_buf_clear(&r->body);
}

void nx_httpd_upgrade(const nx_httpd_req *r, nx_httpd_resp *resp, bool deflate, nx_httpd_upgrade_fn fn, void *ctx)
{
    const char *upgrade = nx_httpd_header(r, "Upgrade"), *connection = nx_httpd_header(r, "Connection");
    const char *version = nx_httpd_header(r, "Sec-WebSocket-Version"), *key = nx_httpd_header(r, "Sec-WebSocket-Key");
    bool asked = upgrade != NULL && connection != NULL && nx__header_has(nx_str_of(upgrade), "websocket") &&
                 nx__header_has(nx_str_of(connection), "upgrade") && strcmp(r->method, "GET") == 0;
    if (!asked || version == NULL || strcmp(version, "13") != 0 || key == NULL || strlen(key) != 24) {
        set_message(resp, 426, "this address takes WebSocket connections (version 13) only");
        nx_httpd_resp_header(resp, "Upgrade", "websocket");
        nx_httpd_resp_header(resp, "Sec-WebSocket-Version", "13");
        return;
    }
    char accept[29];
    nx_ws_accept(nx_str_of(key), accept);
    nx_httpd_resp_header(resp, "Upgrade", "websocket");
    nx_httpd_resp_header(resp, "Sec-WebSocket-Accept", accept);
    const char *offers = nx_httpd_header(r, "Sec-WebSocket-Extensions");
    char answer[NX_DEFLATE_ANSWER_MAX];
    if (deflate && offers != NULL && nx_deflate_accept(nx_str_of(offers), &resp->deflate, answer))
        nx_httpd_resp_header(resp, "Sec-WebSocket-Extensions", answer);
    resp->status = 101;
    resp->upgrade = fn;
    resp->upgrade_ctx = ctx;
}

/* ------------------------------------------------------------------ upgraded connections */

static void close_upgraded(void *ctx)
{
    MHD_upgrade_action(ctx, MHD_UPGRADE_ACTION_CLOSE);
}

static void on_upgrade(void *cls, struct MHD_Connection *connection, void *req_cls, const char *extra, size_t extra_n,
                       MHD_socket sock, struct MHD_UpgradeResponseHandle *urh)
{
    const nx_httpd_conn *c = req_cls;
    (void)cls, (void)connection;
    c->upgrade(c->upgrade_ctx, sock, (nx_str){extra, extra_n}, &c->deflate, close_upgraded, urh);
}

static struct MHD_Response *make_response(nx_httpd_conn *c, nx_httpd_resp *r)
{
    if (r->upgrade != NULL && r->status == 101) {
        c->upgrade = r->upgrade;
        c->upgrade_ctx = r->upgrade_ctx;
        c->deflate = r->deflate;
        return MHD_create_response_for_upgrade(on_upgrade, NULL);
    }
    size_t n = r->body.n;
    char *bytes = nx_buf_take(&r->body);
    if (bytes == NULL)
        return NULL;
    struct MHD_Response *m = MHD_create_response_from_buffer(n, bytes, MHD_RESPMEM_MUST_FREE);
    if (m == NULL)
        free(bytes);
    return m;
}

static enum MHD_Result answer(nx_httpd_conn *c, nx_httpd_resp *r)
{
    struct MHD_Response *m = make_response(c, r);
    if (m == NULL)
        return MHD_NO;
    if (r->status != 101)
        MHD_add_response_header(m, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
    for (size_t i = 0; i < NX_COUNT_OF(r->headers) && r->headers[i][0][0] != '\0'; i++)
        MHD_add_response_header(m, r->headers[i][0], r->headers[i][1]);
    enum MHD_Result rc = MHD_queue_response(c->mhd, (unsigned)r->status, m);
    MHD_destroy_response(m);
    return rc;
}

static const nx_httpd_route *find_route(const nx_httpd *h, const char *method, nx_str path, bool *ret_other_method)
{
    *ret_other_method = false;
    for (size_t i = 0; i < h->n_routes; i++) {
        nx_str pattern = nx_str_of(h->routes[i].pattern);
        bool prefix = pattern.n > 0 && pattern.p[pattern.n - 1] == '*';
        if (prefix ? !nx_str_starts(path, nx_str_sub(pattern, 0, pattern.n - 1)) : !nx_str_eq(path, pattern))
            continue;
        const char *m = h->routes[i].method;
        if (m == NULL || strcmp(m, method) == 0 || (strcmp(m, "GET") == 0 && strcmp(method, "HEAD") == 0))
            return &h->routes[i];
        *ret_other_method = true;
    }
    return NULL;
}

static void handle(nx_httpd *h, nx_httpd_conn *c, const char *method, const char *path, nx_httpd_resp *resp)
{
    nx_httpd_req req = {method, nx_str_of(path), nx_buf_str(&c->body), c};
    bool other_method;
    const nx_httpd_route *route = find_route(h, method, req.path, &other_method);
    if (c->too_large) {
        set_message(resp, 413, "the body is too large");
    } else if (route == NULL) {
        set_message(resp, other_method ? 405 : 404, other_method ? "method not allowed" : "no such path");
    } else {
        nx_err err = {0};
        nx_status st = route->fn(route->ctx, &req, resp, &err);
        if (st != NX_OK) {
            resp->upgrade = NULL;
            set_message(resp, 500, err.text[0] != '\0' ? err.text : nx_status_text(st));
        }
    }
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_n, void **req_cls)
{
    nx_httpd *h = cls;
    nx_httpd_conn *c = *req_cls;
    (void)version;
    if (c == NULL) {
        c = calloc(1, sizeof *c);
        if (c == NULL)
            return MHD_NO;
        c->mhd = mhd;
        nx_buf_init(&c->body, h->body_bytes_max);
        *req_cls = c;
        return MHD_YES;
    }
    if (*upload_n > 0) {
        if (!c->too_large && nx_buf_add(&c->body, (nx_str){upload, *upload_n}) != NX_OK) {
            c->too_large = true; /* the rest is read and thrown away, so that the client sees the 413 */
            nx_buf_drop(&c->body);
        }
        *upload_n = 0;
        return MHD_YES;
    }
    nx_httpd_resp resp = {.status = 200, .content_type = "application/json"};
    nx_buf_init(&resp.body, 0);
    handle(h, c, method, url, &resp);
    enum MHD_Result rc = answer(c, &resp);
    nx_buf_drop(&resp.body);
    return rc;
}

static void on_completed(void *cls, struct MHD_Connection *mhd, void **req_cls, enum MHD_RequestTerminationCode why)
{
    nx_httpd_conn *c = *req_cls;
    (void)cls, (void)mhd, (void)why;
    if (c == NULL)
        return;
    nx_buf_drop(&c->body);
    free(c);
    *req_cls = NULL;
}

/* ------------------------------------------------------------------ start and stop */

static nx_status copy_routes(nx_httpd *h, const nx_httpd_opts *opts, nx_err *err)
{
    h->routes = calloc(opts->n_routes + 1, sizeof *h->routes);
    h->patterns = calloc(2 * opts->n_routes + 1, sizeof *h->patterns);
    if (h->routes == NULL || h->patterns == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < opts->n_routes; i++) {
        const nx_httpd_route *r = &opts->routes[i];
        h->n_routes = i + 1;
        h->patterns[2 * i] = nx_str_dup(nx_str_of(r->pattern));
        h->patterns[2 * i + 1] = r->method == NULL ? NULL : nx_str_dup(nx_str_of(r->method));
        if (h->patterns[2 * i] == NULL || (r->method != NULL && h->patterns[2 * i + 1] == NULL))
            return nx_nomem(err);
        h->routes[i] = (nx_httpd_route){h->patterns[2 * i + 1], h->patterns[2 * i], r->fn, r->ctx};
    }
    return NX_OK;
}

static nx_status start_daemon(nx_httpd *h, const nx_httpd_opts *opts, nx_err *err)
{
    int fd = -1;
    NX_TRY(nx__net_listen(opts->listen, &fd, &h->port, err));
    unsigned threads = opts->threads <= 0 ? 2 : (unsigned)opts->threads;
    struct MHD_OptionItem more[] = {
        {MHD_OPTION_LISTEN_SOCKET, fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, opts->conn_max <= 0 ? 256 : opts->conn_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, 120, NULL},
        {MHD_OPTION_THREAD_POOL_SIZE, threads, NULL}, /* 1 is none: dropped below */
        {MHD_OPTION_END, 0, NULL},
    };
    if (threads < 2)
        more[3] = more[4];
    h->daemon =
        MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_UPGRADE | MHD_USE_ITC, 0, NULL, NULL, on_request, h,
                         MHD_OPTION_ARRAY, more, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (h->daemon == NULL) {
        nx_fd_drop(&fd);
        return nx_fail(err, NX_IO, "could not start the HTTP server on %s", opts->listen);
    }
    return NX_OK;
}

static void drop(nx_httpd *h)
{
    for (size_t i = 0; h->patterns != NULL && i < 2 * h->n_routes; i++)
        free(h->patterns[i]);
    free(h->patterns);
    free(h->routes);
    free(h);
}

nx_status nx_httpd_start(const nx_httpd_opts *opts, nx_httpd **ret, nx_err *err)
{
    nx_httpd *h = calloc(1, sizeof *h);
    if (h == NULL)
        return nx_nomem(err);
    h->body_bytes_max = opts->body_bytes_max == 0 ? (size_t)1 << 20 : opts->body_bytes_max;
    nx_status st = copy_routes(h, opts, err);
    if (st == NX_OK)
        st = start_daemon(h, opts, err);
    if (st != NX_OK) {
        drop(h);
        return st;
    }
    *ret = h;
    return NX_OK;
}

int nx_httpd_port(const nx_httpd *h)
{
    return h->port;
}

void nx_httpd_stop(nx_httpd *h)
{
    if (h == NULL)
        return;
    MHD_stop_daemon(h->daemon); /* closes the listening socket too */
    drop(h);
}
