#include "io/http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/arena.h"
#include "base/rand.h"
#include "base/stop.h"

enum { HEADERS_MAX = 200 };

struct nx_http {
    CURL *curl;
    nx_http_opts opts;
    char *user_agent, *ca_file;
};

/* What curl's callbacks of one request see. */
typedef struct call {
    nx_http_resp *resp;
    const volatile bool *stop;
    nx_status st; /* why a callback ended the transfer */
} call;

nx_status nx_http_new(const nx_http_opts *opts, nx_http **ret, nx_err *err)
{
    nx_http *h = calloc(1, sizeof *h);
    if (h == NULL)
        return nx_nomem(err);
    if (opts != NULL)
        h->opts = *opts;
    h->user_agent = nx_str_dup(nx_str_of(h->opts.user_agent == NULL ? "nexus/0.1" : h->opts.user_agent));
    h->ca_file = h->opts.ca_file == NULL ? NULL : nx_str_dup(nx_str_of(h->opts.ca_file));
    h->curl = curl_easy_init();
    if (h->curl == NULL || h->user_agent == NULL || (h->opts.ca_file != NULL && h->ca_file == NULL)) {
        nx_http_drop(h);
        return nx_nomem(err);
    }
    *ret = h;
    return NX_OK;
}

void nx_http_drop(nx_http *h)
{
    if (h == NULL)
        return;
    if (h->curl != NULL)
        curl_easy_cleanup(h->curl);
    free(h->user_agent);
    free(h->ca_file);
    free(h);
}

static size_t on_body(char *p, size_t size, size_t n, void *ctx)
{
    call *c = ctx;
    c->st = nx_buf_add(&c->resp->body, (nx_str){p, size * n});
    return c->st == NX_OK ? size * n : 0;
}

static void clear_headers(nx_http_resp *r)
{
    for (size_t i = 0; i < r->n_headers; i++) {
        free(r->headers[i].name);
        free(r->headers[i].value);
    }
    r->n_headers = 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *ctx)
{
    call *c = ctx;
    nx_str line = {p, size * n};
    if (nx_str_starts(line, NX_STR("HTTP/"))) { /* after a 100 another block follows: only the last one counts */
        clear_headers(c->resp);
        return line.n;
    }
    const char *colon = memchr(line.p, ':', line.n);
    if (colon == NULL || c->resp->n_headers >= HEADERS_MAX)
        return line.n;
    size_t at = (size_t)(colon - line.p);
    nx_http_header h = {nx_str_dup(nx_str_sub(line, 0, at)), nx_str_dup(nx_str_trim(nx_str_sub(line, at + 1, line.n)))};
    if (h.name == NULL || h.value == NULL ||
        !nx_grow(&c->resp->headers, &c->resp->headers_cap, c->resp->n_headers + 1, sizeof h)) {
        free(h.name);
        free(h.value);
        c->st = NX_NOMEM;
        return 0;
    }
    for (char *q = h.name; *q != '\0'; q++)
        *q = *q >= 'A' && *q <= 'Z' ? (char)(*q + 32) : *q;
    c->resp->headers[c->resp->n_headers++] = h;
    return line.n;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
    call *c = ctx;
    (void)a, (void)b, (void)d, (void)e;
    if (!nx_stop_asked(c->stop))
        return 0;
    c->st = NX_CANCELLED;
    return 1;
}

/* The URL as errors may show it: neither user and password nor query. */
static void safe_url(const char *url, char out[256])
{
    const char *scheme = strstr(url, "://"), *host = scheme == NULL ? url : scheme + 3;
    size_t n = strcspn(host, "?#");
    const char *at = memchr(host, '@', strcspn(host, "/?#"));
    if (at != NULL) {
        n -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    snprintf(out, 256, "%.*s%.*s", scheme == NULL ? 0 : (int)(scheme + 3 - url), url, (int)n, host);
}

static bool is_loopback(const char *url)
{
    const char *scheme = strstr(url, "://"), *host = scheme == NULL ? url : scheme + 3;
    nx_str h = {host, strcspn(host, ":/?#")};
    return nx_str_is(h, "localhost") || nx_str_starts(h, NX_STR("127.")) || strncmp(host, "[::1]", 5) == 0;
}

static void set_options(nx_http *h, const nx_http_req *req, call *c, char why[CURL_ERROR_SIZE],
                        struct curl_slist *headers)
{
    CURL *u = h->curl;
    curl_easy_reset(u); /* keeps the open connections */
    curl_easy_setopt(u, CURLOPT_URL, req->url);
    curl_easy_setopt(u, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(u, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(u, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(u, CURLOPT_ERRORBUFFER, why);
    curl_easy_setopt(u, CURLOPT_USERAGENT, h->user_agent);
    curl_easy_setopt(u, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(u, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(h->opts.connect_timeout_ms == 0 ? 10000 : h->opts.connect_timeout_ms));
    curl_easy_setopt(u, CURLOPT_TIMEOUT_MS, (long)(h->opts.timeout_ms == 0 ? 60000 : h->opts.timeout_ms));
    curl_easy_setopt(u, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(u, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(u, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(u, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(u, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(u, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(u, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(u, CURLOPT_XFERINFODATA, c);
    if (is_loopback(req->url))
        curl_easy_setopt(u, CURLOPT_PROXY, "");
    if (h->ca_file != NULL)
        curl_easy_setopt(u, CURLOPT_CAINFO, h->ca_file);
    bool get = strcasecmp(req->method, "GET") == 0, head = strcasecmp(req->method, "HEAD") == 0;
    if (req->body.n > 0 || strcasecmp(req->method, "POST") == 0 || strcasecmp(req->method, "PUT") == 0) {
        curl_easy_setopt(u, CURLOPT_POST, 1L);
        curl_easy_setopt(u, CURLOPT_POSTFIELDS, req->body.n == 0 ? "" : req->body.p);
        curl_easy_setopt(u, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body.n);
    }
    if (head)
        curl_easy_setopt(u, CURLOPT_NOBODY, 1L);
    else if (!get || req->body.n > 0)
        curl_easy_setopt(u, CURLOPT_CUSTOMREQUEST, req->method);
}

static nx_status fail_send(const nx_http_req *req, const call *c, CURLcode rc, const char *why, size_t limit,
                           nx_err *err)
{
    char url[256];
    safe_url(req->url, url);
    if (c->st == NX_CANCELLED)
        return nx_fail(err, NX_CANCELLED, "stopped during %s %s", req->method, url);
    if (c->st == NX_LIMIT)
        return nx_fail(err, NX_LIMIT, "could not %s %s: the answer is larger than %zu bytes", req->method, url, limit);
    if (c->st == NX_NOMEM || rc == CURLE_OUT_OF_MEMORY)
        return nx_nomem(err);
    const char *text = why[0] != '\0' ? why : curl_easy_strerror(rc);
    if (rc == CURLE_URL_MALFORMAT || rc == CURLE_UNSUPPORTED_PROTOCOL)
        return nx_fail(err, NX_INVALID, "could not %s %s: %s", req->method, url, text);
    nx_fail(err, NX_REMOTE, "could not %s %s: %s", req->method, url, text);
    if (err != NULL)
        err->retriable = rc != CURLE_PEER_FAILED_VERIFICATION && rc != CURLE_SSL_CACERT_BADFILE;
    return NX_REMOTE;
}

nx_status nx_http_send(nx_http *h, const nx_http_req *req, const volatile bool *stop, nx_http_resp *resp, nx_err *err)
{
    size_t limit = h->opts.body_bytes_max == 0 ? (size_t)64 << 20 : h->opts.body_bytes_max;
    *resp = (nx_http_resp){0};
    nx_buf_init(&resp->body, limit);
    struct curl_slist *headers = NULL;
    for (size_t i = 0; req->headers != NULL && req->headers[i] != NULL; i++) {
        struct curl_slist *more = curl_slist_append(headers, req->headers[i]);
        if (more == NULL) {
            curl_slist_free_all(headers);
            return nx_nomem(err);
        }
        headers = more;
    }
    char why[CURL_ERROR_SIZE] = "";
    call c = {resp, stop, NX_OK};
    set_options(h, req, &c, why, headers);
    CURLcode rc = CURLE_ABORTED_BY_CALLBACK;
    if (nx_stop_asked(stop))
        c.st = NX_CANCELLED;
    else
        rc = curl_easy_perform(h->curl);
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (rc != CURLE_OK)
        return fail_send(req, &c, rc, why, limit, err);
    long status = 0;
    curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    resp->status = (int)status;
    return NX_OK;
}

void nx_http_resp_drop(nx_http_resp *r)
{
    nx_buf_drop(&r->body);
    clear_headers(r);
    free(r->headers);
    r->headers = NULL;
    r->headers_cap = 0;
}

const char *nx_http_resp_header(const nx_http_resp *r, const char *lower_name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (strcmp(r->headers[i].name, lower_name) == 0)
            return r->headers[i].value;
    return NULL;
}

nx_status nx_url_encode(nx_buf *b, nx_str s)
{
    static const char digits[] = "0123456789ABCDEF";
    NX_TRY(nx_buf_reserve(b, s.n));
    for (size_t i = 0; i < s.n; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        bool plain = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') ||
                     (ch != 0 && strchr("-._~", ch) != NULL);
        char hex[3] = {'%', digits[ch >> 4], digits[ch & 15]};
        NX_TRY(nx_buf_add(b, plain ? nx_str_sub(s, i, i + 1) : (nx_str){hex, 3}));
    }
    return NX_OK;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9')
        return ch - '0';
    ch = (char)(ch | 0x20);
    return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

nx_status nx_url_decode(nx_buf *b, nx_str s)
{
    NX_TRY(nx_buf_reserve(b, s.n));
    for (size_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (ch == '%') {
            bool room = s.n - i > 2;
            int hi = room ? hex_digit(s.p[i + 1]) : -1, lo = room ? hex_digit(s.p[i + 2]) : -1;
            if (hi < 0 || lo < 0)
                return NX_INVALID;
            ch = (char)(hi << 4 | lo);
            i += 2;
        }
        NX_TRY(nx_buf_addc(b, ch));
    }
    return NX_OK;
}

int64_t nx_backoff_ms(int attempt, int64_t base_ms, int64_t cap_ms, int64_t asked_ms)
{
    int64_t most = base_ms;
    for (int i = 0; i < attempt && most < cap_ms; i++)
        if (__builtin_mul_overflow(most, 2, &most))
            most = cap_ms;
    if (most > cap_ms)
        most = cap_ms;
    uint64_t r;
    nx_rand_bytes(&r, sizeof r);
    int64_t wait = most <= 0 ? 0 : (int64_t)(r % ((uint64_t)most + 1));
    return wait > asked_ms ? wait : asked_ms;
}
