#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "data/decimal.h"
#include "sim/sim_int.h"

enum { REQUESTS_A_MINUTE = 10000 };

nx_status nx__rest_error(nx_httpd_resp *resp, int status, int64_t code, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    nx_jw w;
    nx_buf_clear(&resp->body);
    resp->status = status;
    nx_jw_begin(&w, &resp->body);
    nx_jw_obj(&w);
    if (code != 0) {
        nx_jw_key(&w, "code");
        nx_jw_i64(&w, code);
    }
    nx_jw_key(&w, "message");
    nx_jw_cstr(&w, text);
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}

static nx_status html(nx_httpd_resp *resp, int status, const char *title)
{
    resp->status = status;
    resp->content_type = "text/html";
    return nx_buf_addf(&resp->body,
                       "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d "
                       "%s</h1></center>\r\n<hr><center>nginx</center>\r\n"
                       "</body>\r\n</html>\r\n",
                       status, title, status, title);
}

nx_status nx__rest_fault(nx_sim *s, nx_httpd_resp *resp, bool *ret_ok)
{
    const nx_sim_faults *f = &s->opts.faults;
    pthread_mutex_lock(&s->lock);
    uint64_t n = ++s->n_requests;
    bool refuse = f->refuse_every > 0 && n % (uint64_t)f->refuse_every == 0;
    bool fail = !refuse && f->fail_every > 0 && n % (uint64_t)f->fail_every == 0;
    uint64_t nth = refuse ? ++s->n_refused : fail ? ++s->n_failed : 0;
    pthread_mutex_unlock(&s->lock);
    *ret_ok = !refuse && !fail;
    if (refuse) {
        if (nth % 2 == 1)
            nx_httpd_resp_header(resp, "Retry-After", "1");
        return nx__rest_error(resp, 429, 0, "too many requests.");
    }
    if (fail && nth % 2 == 1)
        return html(resp, 500, "Internal Server Error");
    if (fail)
        resp->status = 503;
    return NX_OK;
}

/* The request's place in the current minute, from 1. */
static int count_request(nx_sim *s)
{
    pthread_mutex_lock(&s->lock);
    nx_mono_ns now = nx_clock_mono();
    if (s->window_at == 0 || now - s->window_at >= (nx_mono_ns)NX__NS_MIN) {
        s->window_at = now;
        s->window_n = 0;
    }
    int n = ++s->window_n;
    pthread_mutex_unlock(&s->lock);
    return n;
}

bool nx__sim_knows(const nx_sim *s, nx_str key, nx_str secret)
{
    if (key.n == 0 || secret.n == 0)
        return false;
    return (s->opts.key == NULL || nx_str_is(key, s->opts.key)) &&
           (s->opts.secret == NULL || nx_str_is(secret, s->opts.secret));
}

nx_status nx__rest_enter(nx_sim *s, const nx_httpd_req *req, nx_httpd_resp *resp, bool *ret_ok)
{
    NX_TRY(nx__rest_fault(s, resp, ret_ok));
    if (!*ret_ok)
        return NX_OK;
    *ret_ok = false;
    const char *key = nx_httpd_header(req, "APCA-API-KEY-ID"), *secret = nx_httpd_header(req, "APCA-API-SECRET-KEY");
    if (key == NULL || secret == NULL || key[0] == '\0' || secret[0] == '\0')
        return html(resp, 401, "Authorization Required");
    if (!nx__sim_knows(s, nx_str_of(key), nx_str_of(secret)))
        return nx__rest_error(resp, 403, 0, "forbidden.");
    int n = count_request(s);
    if (n > REQUESTS_A_MINUTE)
        return nx__rest_error(resp, 429, 0, "too many requests.");
    char text[32];
    snprintf(text, sizeof text, "%d", REQUESTS_A_MINUTE);
    nx_httpd_resp_header(resp, "X-RateLimit-Limit", text);
    snprintf(text, sizeof text, "%d", REQUESTS_A_MINUTE - n);
    nx_httpd_resp_header(resp, "X-RateLimit-Remaining", text);
    snprintf(text, sizeof text, "%lld", (long long)(nx_clock_wall() / NX__NS_S + 60));
    nx_httpd_resp_header(resp, "X-RateLimit-Reset", text);
    *ret_ok = true;
    return NX_OK;
}

/* ------------------------------------------------------------------ parameters */

bool nx__time_read(nx_str text, bool last, int64_t *ret_ns)
{
    int32_t days;
    if (nx_date_parse(text, &days)) {
        *ret_ns = last ? nx__ny_ns(days + 1, 0) - 1 : nx__ny_ns(days, 0);
        return true;
    }
    return nx_time_parse_ns(text, ret_ns);
}

void nx__token_write(char out[512], nx_str symbol, int64_t ts, int64_t seq)
{
    char plain[300];
    int n = snprintf(plain, sizeof plain, NX_STR_FMT "|M|%lld|%lld", NX_STR_ARG(symbol), (long long)ts, (long long)seq);
    nx_buf b;
    nx_buf_init(&b, 500);
    out[0] = '\0';
    if (nx_base64_encode(&b, plain, (size_t)n) == NX_OK)
        snprintf(out, 512, "%s", b.p);
    nx_buf_drop(&b);
}

static bool read_token(const char *text, nx__range *r)
{
    nx_buf b;
    nx_buf_init(&b, sizeof r->token - 1);
    bool ok = nx_base64_decode(&b, nx_str_of(text)) == NX_OK && b.n > 0;
    if (ok)
        memcpy(r->token, b.p, b.n);
    nx_str rest = {r->token, b.n}, kind, ts, seq;
    nx_buf_drop(&b);
    return ok && nx_str_split(&rest, '|', &r->token_symbol) && nx_str_split(&rest, '|', &kind) &&
           nx_str_split(&rest, '|', &ts) && nx_str_split(&rest, '|', &seq) && r->token_symbol.n > 0 &&
           nx_str_to_i64(ts, &r->token_ts) && nx_str_to_i64(seq, &r->token_seq);
}

static int by_bytes(const void *a, const void *b)
{
    return nx_str_cmp(*(const nx_str *)a, *(const nx_str *)b);
}

static bool symbol_ok(nx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'))
            return false;
    return s.n > 0 && s.n <= 12;
}

/* Sorted, each once. False: *ret_bad is no symbol (empty: there are too many). */
static bool read_symbols(nx__range *r, nx_str *ret_bad)
{
    nx_str rest = nx_str_of(r->text), part;
    *ret_bad = (nx_str){"", 0};
    while (nx_str_split(&rest, ',', &part)) {
        part = nx_str_trim(part);
        if (part.n == 0)
            continue;
        *ret_bad = part;
        if (!symbol_ok(part))
            return false;
        if (r->n_symbols == NX_COUNT_OF(r->symbols))
            return false;
        r->symbols[r->n_symbols++] = part;
    }
    qsort(r->symbols, r->n_symbols, sizeof r->symbols[0], by_bytes);
    size_t k = 0;
    for (size_t i = 0; i < r->n_symbols; i++)
        if (k == 0 || !nx_str_eq(r->symbols[k - 1], r->symbols[i]))
            r->symbols[k++] = r->symbols[i];
    r->n_symbols = k;
    return true;
}

static nx_status read_times(nx_sim *s, const nx_httpd_req *req, nx__range *r, nx_httpd_resp *resp, bool *ret_ok)
{
    const char *start = nx_httpd_query(req, "start"), *end = nx_httpd_query(req, "end");
    int64_t now = nx_sim_now(s);
    r->start = now - now % (24 * 60 * NX__NS_MIN);
    r->end = s->opts.free_plan ? now - 15 * NX__NS_MIN : now;
    if (start != NULL && !nx__time_read(nx_str_of(start), false, &r->start))
        return nx__rest_error(resp, 400, 0,
                              "Invalid format for parameter start: error parsing '%s' as RFC3339 or 2006-01-02 time",
                              start);
    if (end != NULL && !nx__time_read(nx_str_of(end), true, &r->end))
        return nx__rest_error(
            resp, 400, 0, "Invalid format for parameter end: error parsing '%s' as RFC3339 or 2006-01-02 time", end);
    if (r->end < r->start)
        return nx__rest_error(resp, 400, 0, "end should not be before start");
    const char *feed = nx_httpd_query(req, "feed");
    if (feed != NULL && strcmp(feed, "sip") != 0 && strcmp(feed, "iex") != 0)
        return nx__rest_error(resp, 400, 0, "invalid feed: %s", feed);
    if (s->opts.free_plan && (feed == NULL || strcmp(feed, "sip") == 0) && r->end > now - 15 * NX__NS_MIN)
        return nx__rest_error(resp, 403, 0, "subscription does not permit querying recent SIP data");
    *ret_ok = true;
    return NX_OK;
}

nx_status nx__range_read(nx_sim *s, const nx_httpd_req *req, nx_str one, nx__range *r, nx_httpd_resp *resp,
                         bool *ret_ok)
{
    *r = (nx__range){.limit = 1000};
    *ret_ok = false;
    const char *symbols = nx_httpd_query(req, "symbols"), *limit = nx_httpd_query(req, "limit"),
               *sort = nx_httpd_query(req, "sort");
    const char *token = nx_httpd_query(req, "page_token");
    if (one.n == 0 && (symbols == NULL || symbols[0] == '\0'))
        return nx__rest_error(resp, 400, 0,
                              "Invalid format for parameter symbols: query parameter 'symbols' is required");
    int n = one.n > 0 ? snprintf(r->text, sizeof r->text, NX_STR_FMT, NX_STR_ARG(one))
                      : snprintf(r->text, sizeof r->text, "%s", symbols);
    nx_str wrong;
    if (n < 0 || (size_t)n >= sizeof r->text)
        return nx__rest_error(resp, 400, 0, "too many symbols");
    if (!read_symbols(r, &wrong))
        return nx__rest_error(resp, 400, 0, "invalid symbol: " NX_STR_FMT, NX_STR_ARG(wrong));
    int64_t want = 1000;
    if (limit != NULL && (!nx_str_to_i64(nx_str_of(limit), &want) || want < 1 || want > 10000))
        return nx__rest_error(resp, 400, 0, "limit must be between 1 and 10000");
    r->limit = (size_t)want;
    if (sort != NULL && strcmp(sort, "asc") != 0)
        return nx__rest_error(resp, 400, 0, "this look-alike serves sort=asc only");
    if (token != NULL && token[0] != '\0' && !read_token(token, r))
        return nx__rest_error(resp, 400, 0, "invalid page_token");
    return read_times(s, req, r, resp, ret_ok);
}

/* ------------------------------------------------------------------ writers */

void nx__jw_decimal(nx_jw *w, int64_t unscaled)
{
    char text[48];
    size_t n = nx_dec_format_short(unscaled, 6, text);
    nx_jw_raw(w, (nx_str){text, n});
}

void nx__jw_time(nx_jw *w, int64_t ns)
{
    /* the vendor drops trailing zeros of the fraction */
    char text[48];
    size_t n = nx_time_format_ns(ns, text);
    if (memchr(text, '.', n) != NULL) {
        n--; /* the Z */
        while (text[n - 1] == '0')
            n--;
        text[n++] = 'Z';
    }
    nx_jw_str(w, (nx_str){text, n});
}

void nx__jw_bar(nx_jw *w, const nx__bar *b)
{
    const struct {
        const char *key;
        int64_t value;
    } prices[] = {{"o", b->o}, {"h", b->h}, {"l", b->l}, {"c", b->c}};
    for (size_t i = 0; i < 4; i++) {
        nx_jw_key(w, prices[i].key);
        nx__jw_decimal(w, prices[i].value);
    }
    nx_jw_key(w, "v");
    nx_jw_i64(w, b->v);
    if (b->n >= 0) {
        nx_jw_key(w, "n");
        nx_jw_i64(w, b->n);
    }
    if (b->vw >= 0) {
        nx_jw_key(w, "vw");
        nx__jw_decimal(w, b->vw);
    }
}

void nx__jw_conditions(nx_jw *w, const nx__trade *t, char tape)
{
    nx_jw_key(w, "c");
    nx_jw_arr(w);
    nx_jw_cstr(w, tape == 'C' ? "@" : " ");
    if (t->conditions == 1)
        nx_jw_cstr(w, "I");
    if (t->conditions == 2)
        nx_jw_cstr(w, "F");
    nx_jw_arr_end(w);
}
