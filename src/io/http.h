/* io/http.h
 *
 * HTTP client over libcurl (the only file that touches it): one request at a time a client, keep-alive between
 * requests, bounded answers, time limits on everything. No redirects across hosts. Proxies from the environment are
 * ignored for loopback.
 * Thread   A client belongs to one thread; make one a thread.
 */
#ifndef NX_IO_HTTP_H
#define NX_IO_HTTP_H

#include "base/str.h"

typedef struct nx_http nx_http;

typedef struct nx_http_opts {
    const char *user_agent; /* NULL means "nexus/<version>" */
    int connect_timeout_ms; /* 0 means 10,000 */
    int timeout_ms;         /* whole request; 0 means 60,000 */
    size_t body_bytes_max;  /* 0 means 64 MiB: a longer answer is NX_LIMIT */
    const char *ca_file;    /* NULL means the system's */
} nx_http_opts;

typedef struct nx_http_req {
    const char *method; /* "GET", "POST", ... */
    const char *url;
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    nx_str body;
} nx_http_req;

typedef struct nx_http_header {
    char *name, *value; /* name in lower case */
} nx_http_header;

typedef struct nx_http_resp {
    int status; /* 200, 404, ... */
    nx_buf body;
    nx_http_header *headers;
    size_t n_headers, headers_cap;
} nx_http_resp;

NX_MUST_USE nx_status nx_http_new(const nx_http_opts *opts, nx_http **ret, nx_err *err);
void nx_http_drop(nx_http *h);
/* Sends and waits. Any complete answer is NX_OK, whatever its status code. NX_REMOTE (retriable: could not connect,
 * reset, time over), NX_LIMIT, NX_CANCELLED (*stop became true; may be NULL). Errors name method and URL without the
 * query. resp is initialised here; drop it always. */
NX_MUST_USE nx_status nx_http_send(nx_http *h, const nx_http_req *req, const volatile bool *stop, nx_http_resp *resp,
                                   nx_err *err);
void nx_http_resp_drop(nx_http_resp *r);
const char *nx_http_resp_header(const nx_http_resp *r, const char *lower_name); /* NULL when absent */
/* Percent-encodes for a query or path segment (RFC 3986 unreserved stay). */
NX_MUST_USE nx_status nx_url_encode(nx_buf *b, nx_str s);
/* Percent-decodes; '+' stays. NX_INVALID on a broken escape. */
NX_MUST_USE nx_status nx_url_decode(nx_buf *b, nx_str s);

/* Waiting between tries: full jitter, 0 to min(cap, base * 2^try), never less than what the other side asked. */
int64_t nx_backoff_ms(int attempt, int64_t base_ms, int64_t cap_ms, int64_t asked_ms);

#endif
