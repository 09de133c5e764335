#include "data/json.h"
#include "io/wsd_int.h"

static nx_status queue_http(nx_wsd_conn *c, int status, const char *reason, const char *extra, const char *message,
                            nx_err *err)
{
    nx_buf_clear(&c->out);
    c->out_at = 0;
    c->ending = true;
    NX_BUF_AUTO nx_buf body;
    nx_buf_init(&body, 900); /* with its headers it fits the room kept for our last word */
    nx_status st = nx_buf_adds(&body, "{\"message\":");
    if (st == NX_OK)
        st = nx_buf_quote(&body, nx_str_of(message));
    if (st == NX_OK)
        st = nx_buf_addc(&body, '}');
    if (st == NX_OK)
        st = nx_buf_addf(&c->out,
                         "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                         "Connection: close\r\n%s\r\n%s",
                         status, reason, body.n, extra, body.p);
    return st == NX_OK ? st : nx_fail(err, st, "could not queue an answer for %s", c->peer);
}

static const char *reason_of(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 426:
        return "Upgrade Required";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 500:
        return "Internal Server Error";
    case 503:
        return "Service Unavailable";
    default:
        return "Refused";
    }
}

nx_status nx_wsd_refuse(nx_wsd_conn *c, int http_status, const char *message, nx_err *err)
{
    const char *extra = http_status == 426 ? "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" : "";
    return queue_http(c, http_status, reason_of(http_status), extra, message, err);
}

/* Queues the refusal and tells the caller the same. */
static nx_status bad_request(nx_wsd_conn *c, nx_status st, int http_status, const char *why, nx_err *err)
{
    NX_TRY(nx_wsd_refuse(c, http_status, why, err));
    return nx_fail(err, st, "refused the request of %s: %s", c->peer, why);
}

/* "GET /path?query HTTP/1.1" */
static bool parse_line(nx_wsd_conn *c, nx_str line)
{
    size_t a = nx_str_find(line, NX_STR(" "), 0), b = a == SIZE_MAX ? SIZE_MAX : nx_str_find(line, NX_STR(" "), a + 1);
    if (b == SIZE_MAX || !nx_str_is(nx_str_sub(line, b + 1, line.n), "HTTP/1.1"))
        return false;
    nx_str target = nx_str_sub(line, a + 1, b);
    if (target.n == 0 || target.p[0] != '/')
        return false;
    size_t q = nx_str_find(target, NX_STR("?"), 0);
    c->path = nx_str_sub(target, 0, q == SIZE_MAX ? target.n : q);
    return true;
}

nx_status nx_wsd_request(nx_wsd_conn *c, nx_err *err)
{
    nx_str all = {c->in.p == NULL ? "" : c->in.p + c->in.head, c->in.tail - c->in.head};
    size_t end = nx_str_find(all, NX_STR("\r\n\r\n"), 0);
    if ((end == SIZE_MAX ? all.n : end) > c->opts.request_bytes_max)
        return bad_request(c, NX_LIMIT, 431, "the request is too large", err);
    if (end == SIZE_MAX)
        return NX_AGAIN;
    size_t eol = nx_str_find(all, NX_STR("\r\n"), 0);
    nx_str line = nx_str_sub(all, 0, eol);
    c->headers = nx_str_sub(all, eol + 2, end + 2);
    c->request_n = end + 4;
    if (!parse_line(c, line) || memchr(all.p, '\0', end) != NULL)
        return bad_request(c, NX_INVALID, 400, "not an HTTP/1.1 request", err);
    if (!nx_str_starts(line, NX_STR("GET ")))
        return bad_request(c, NX_INVALID, 405, "this address takes WebSocket connections (GET with Upgrade) only", err);
    nx_str upgrade = nx_wsd_header(c, "upgrade"), connection = nx_wsd_header(c, "connection");
    if (upgrade.p == NULL || !nx__header_has(upgrade, "websocket") || connection.p == NULL ||
        !nx__header_has(connection, "upgrade"))
        return bad_request(c, NX_INVALID, 426, "this address takes WebSocket connections only", err);
    nx_str version = nx_wsd_header(c, "sec-websocket-version");
    if (version.p == NULL || !nx_str_is(version, "13"))
        return bad_request(c, NX_INVALID, 426, "only WebSocket version 13 is spoken here", err);
    c->key = nx_wsd_header(c, "sec-websocket-key");
    if (c->key.p == NULL || c->key.n != 24)
        return bad_request(c, NX_INVALID, 400, "Sec-WebSocket-Key is missing or not 16 bytes in base64", err);
    return NX_OK;
}

nx_str nx_wsd_path(const nx_wsd_conn *c)
{
    return c->path;
}

nx_str nx_wsd_header(const nx_wsd_conn *c, const char *lower_name)
{
    return nx__header_find(c->headers, lower_name);
}

nx_str nx_wsd_bearer(const nx_wsd_conn *c)
{
    nx_str v = nx_wsd_header(c, "authorization");
    if (v.p == NULL || v.n < 8 || !nx_str_eq_nocase(nx_str_sub(v, 0, 7), NX_STR("bearer ")))
        return (nx_str){NULL, 0};
    return nx_str_trim(nx_str_sub(v, 7, v.n));
}

nx_status nx_wsd_upgrade(nx_wsd_conn *c, nx_err *err)
{
    char accept[29], answer[NX_DEFLATE_ANSWER_MAX];
    nx_deflate_params deflate;
    nx_ws_accept(c->key, accept);
    nx_status st = nx_buf_addf(&c->out,
                               "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Accept: %s\r\n",
                               accept);
    if (st == NX_OK && c->opts.deflate && nx_deflate_accept_lines(c->headers, &deflate, answer)) {
        NX_TRY(nx_wsd_agree(c, &deflate, err));
        st = nx_buf_addf(&c->out, "Sec-WebSocket-Extensions: %s\r\n", answer);
    }
    if (st == NX_OK)
        st = nx_buf_adds(&c->out, "\r\n");
    if (st != NX_OK)
        return nx_fail(err, st, "could not queue the upgrade of %s", c->peer);
    c->in.head += c->request_n;
    c->path = c->headers = c->key = (nx_str){NULL, 0};
    c->upgraded = true;
    return NX_OK;
}

/* Answers a control frame; NX_NOTHING when the peer closed. */
static nx_status take_control(nx_wsd_conn *c, const nx_ws_frame *f, nx_err *err)
{
    if (f->op == NX_WS_PONG)
        return NX_OK;
    if (f->op == NX_WS_PING) {
        nx_status st = nx_wsd_send(c, NX_WS_PONG, (nx_str){f->p, f->n}, err);
        return st == NX_LIMIT || st == NX_CANCELLED ? NX_OK : st; /* a peer that does not read needs no pong */
    }
    NX_TRY(nx_wsd_close(c, nx_ws_close_answer(f, &c->close_code), NULL, err));
    return NX_NOTHING;
}

/* Says goodbye with the code and the reason in err, and passes the error on. */
static nx_status fail_close(nx_wsd_conn *c, int code, nx_err *err)
{
    if (nx_wsd_close(c, code, err == NULL ? NULL : err->text, NULL) != NX_OK)
        c->ended = true;
    nx_status st = code == NX_WS_CLOSE_TOO_BIG ? NX_LIMIT : NX_INVALID;
    nx_err_prefix(err, "%s", c->peer);
    if (err != NULL)
        err->status = st;
    return st;
}

/* Adds a fragment, or a compressed message; NX_OK: the message is whole, NX_AGAIN: more must come. */
static nx_status join(nx_wsd_conn *c, nx_ws_frame *f, nx_err *err)
{
    if ((f->op == NX_WS_CONT) != c->joining) {
        nx_fail(err, NX_INVALID,
                c->joining ? "a new message began before the last one ended" : "a fragment of no message");
        return fail_close(c, NX_WS_CLOSE_PROTOCOL, err);
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
            return fail_close(c, nx__inflate_close(st), err);
    } else {
        nx_status st = nx_buf_add(&c->joined, (nx_str){f->p, f->n});
        if (st != NX_OK) {
            nx_fail(err, st, "message larger than %zu bytes", c->opts.message_bytes_max);
            return fail_close(c, NX_WS_CLOSE_TOO_BIG, err);
        }
    }
    if (!f->fin)
        return NX_AGAIN;
    c->joining = false;
    *f = (nx_ws_frame){.op = c->joined_op, .fin = true, .p = c->joined.p, .n = c->joined.n};
    return NX_OK;
}

nx_status nx_wsd_next(nx_wsd_conn *c, nx_ws_frame *ret, nx_err *err)
{
    const nx_ws_limits lim = {c->opts.message_bytes_max, true, c->deflate != NULL};
    while (!c->ending) {
        size_t need = 0;
        int code = 0;
        nx_status st = nx_ws_next(c->in.p, c->in.tail, &c->in.head, &lim, ret, &need, &code, err);
        if (st == NX_AGAIN)
            return st;
        if (st != NX_OK)
            return fail_close(c, code, err);
        if (NX_LIKELY(ret->op != NX_WS_CONT && ret->fin && ret->op < NX_WS_CLOSE && !c->joining && !ret->deflated))
            return NX_OK;
        if (ret->op >= NX_WS_CLOSE) {
            NX_TRY(take_control(c, ret, err));
            continue;
        }
        st = join(c, ret, err);
        if (st != NX_AGAIN)
            return st;
    }
    return NX_NOTHING;
}

int nx_wsd_close_code(const nx_wsd_conn *c)
{
    return c->close_code;
}
