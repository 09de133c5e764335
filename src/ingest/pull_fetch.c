/* One request until there is an answer: quota, retries with jitter, what the other side asks for. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "data/json.h"
#include "ingest/pull_int.h"

enum { ASKED_MS_MAX = 900000, TOLD_MS_MIN = 5000 };

nx_status nx__fetch_open(nx_fetch *f, const nx_pull_opts *o, nx_pull_result *r, const char *who, const char *user_agent,
                         nx_err *err)
{
    *f = (nx_fetch){.o = o, .r = r, .who = who, .filled_at = nx_clock_mono()};
    f->tokens = o->requests_per_minute == 0 ? 200 : o->requests_per_minute;
    return nx_http_new(&(nx_http_opts){.user_agent = user_agent}, &f->http, err);
}

void nx__fetch_close(nx_fetch *f)
{
    nx_http_drop(f->http);
    f->http = NULL;
}

static nx_status pause_ms(nx_fetch *f, int64_t ms, nx_err *err)
{
    if (ms >= TOLD_MS_MIN)
        nx_log(NX_LOG_INFO, "pull", "%s wants us to wait: going on in %lld s", f->who, (long long)(ms + 999) / 1000);
    if (ms > 0 && !nx_clock_sleep_ms(ms, f->o->stop))
        return nx_fail(err, NX_CANCELLED, "stopped while waiting for %s", f->who);
    return NX_OK;
}

/* A bucket of a minute's requests that refills steadily, as the vendor's does. */
static nx_status take_token(nx_fetch *f, nx_err *err)
{
    double deep = f->o->requests_per_minute == 0 ? 200 : f->o->requests_per_minute;
    nx_mono_ns now = nx_clock_mono();
    f->tokens += (double)(now - f->filled_at) / 60e9 * deep;
    f->tokens = f->tokens > deep ? deep : f->tokens;
    f->filled_at = now;
    int64_t wait = f->tokens >= 1 ? 0 : (int64_t)((1 - f->tokens) * 60000 / deep) + 1;
    f->tokens -= 1;
    wait = wait > f->wait_ms ? wait : f->wait_ms;
    f->wait_ms = 0;
    return pause_ms(f, wait, err);
}

static double number_of(const nx_http_resp *resp, const char *name, double dflt)
{
    const char *v = nx_http_resp_header(resp, name);
    if (v == NULL)
        return dflt;
    char *end;
    double d = strtod(v, &end);
    return end == v || !(d >= 0) || d > 86400 * 365.0 ? dflt : d; /* a date, or Alpaca's reset, which is a time */
}

/* Reddit tells how much is left of its window and how many seconds remain of it; a window that is spent and just over wants one more second. For
 * Alpaca, whose bucket refills all the time, one second brings the next requests. */
static void note_quota(nx_fetch *f, const nx_http_resp *resp)
{
    double left = number_of(resp, "x-ratelimit-remaining", 1000), reset = number_of(resp, "x-ratelimit-reset", 0);
    if (left < 1)
        f->wait_ms = reset < 1 ? 1000 : reset * 1000 > ASKED_MS_MAX ? ASKED_MS_MAX : (int64_t)(reset * 1000);
}

static bool retriable_status(int status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 501 && status != 505);
}

/* {"message": …}, {"error": …}, Reddit's "reason"; nothing for anything else (proxies answer in HTML). */
static void words_of(const nx_http_resp *resp, char out[160])
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_val *v = NULL;
    out[0] = '\0';
    if (resp->body.n > 65536 || nx_json_parse(nx_buf_str(&resp->body), NULL, &a, &v, NULL) != NX_OK)
        return;
    nx_str m = nx_val_str(nx_val_get(v, "message"), nx_val_str(nx_val_get(v, "error"), NX_STR("")));
    nx_str reason = nx_val_str(nx_val_get(v, "reason"), NX_STR(""));
    if (m.n == 0)
        return;
    snprintf(out, 160, ": " NX_STR_FMT "%s" NX_STR_FMT "%s", NX_STR_ARG(m), reason.n == 0 ? "" : " (",
             NX_STR_ARG(reason), reason.n == 0 ? "" : ")");
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
}

/* The address without its query. */
static nx_str place_of(const nx_http_req *req)
{
    nx_str url = nx_str_of(req->url), path;
    nx_str_split(&url, '?', &path);
    return path;
}

static nx_status refused(nx_fetch *f, const nx_http_req *req, const nx_http_resp *resp, nx_err *err)
{
    char words[160];
    words_of(resp, words);
    nx_fail(err, NX_INVALID, "%s answered %d to %s " NX_STR_FMT "%s", f->who, resp->status, req->method,
            NX_STR_ARG(place_of(req)), words);
    f->refused_status = resp->status;
    if (resp->status == 401 || resp->status == 403)
        return nx_err_hint(err, NX_INVALID, "check the credentials, and that the plan or app may read this");
    if (resp->status >= 300 && resp->status < 400)
        return nx_err_hint(err, NX_INVALID,
                           "it points elsewhere, which is not followed: check the address and the name");
    return NX_INVALID;
}

static nx_status gave_up(nx_err *err)
{
    if (err != NULL)
        err->retriable = true;
    return nx_err_hint(err, NX_REMOTE, "run the command again later: it goes on where it stopped");
}

/* Nobody takes the value: the walk is for the check of the whole text. */
static nx_status ignore(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)ctx, (void)key, (void)value, (void)err;
    return NX_OK;
}

/* A page is a whole JSON object or array. Pages cut short and pages of proxies come with 200, too. */
static nx_status check_page(const nx_http_resp *resp, nx_err *err)
{
    nx_str body = nx_str_trim(nx_buf_str(&resp->body));
    if (body.n == 0 || (body.p[0] != '{' && body.p[0] != '['))
        return nx_fail(err, NX_INVALID, "%s", body.n == 0 ? "it is empty" : "it is no JSON object or array");
    return nx_page_each(body, "any", ignore, NULL, err);
}

/* What is wrong with an answer that another try may better; NX_OK: nothing. asked_ms: as long as the other side wants us to wait. */
static nx_status judge(nx_fetch *f, const nx_http_req *req, const nx_http_resp *resp, int64_t *asked_ms, nx_err *err)
{
    nx_err why = {0};
    *asked_ms = 0;
    if (resp->status >= 200 && resp->status < 300) {
        if (check_page(resp, &why) == NX_OK)
            return NX_OK;
        return nx_fail(err, NX_REMOTE, "%s's answer to %s " NX_STR_FMT " cannot be read: %s", f->who, req->method,
                       NX_STR_ARG(place_of(req)), why.text);
    }
    char words[160];
    words_of(resp, words);
    *asked_ms = (int64_t)(number_of(resp, "retry-after", 0) * 1000);
    return nx_fail(err, NX_REMOTE, "%s answered %d to %s " NX_STR_FMT "%s", f->who, resp->status, req->method,
                   NX_STR_ARG(place_of(req)), words);
}

nx_status nx__fetch(nx_fetch *f, const nx_http_req *req, bool unauthorized_again, nx_http_resp *resp, nx_err *err)
{
    int tries = f->o->tries_max == 0 ? 8 : f->o->tries_max;
    int64_t base = f->o->backoff_base_ms == 0 ? 300 : f->o->backoff_base_ms;
    int64_t cap = f->o->backoff_cap_ms == 0 ? 30000 : f->o->backoff_cap_ms;
    f->refused_status = 0;
    for (int k = 0;; k++) {
        NX_TRY(take_token(f, err));
        nx_err why = {0};
        int64_t asked = 0;
        nx_status st = nx_http_send(f->http, req, f->o->stop, resp, &why);
        f->r->requests++;
        if (st == NX_OK) {
            note_quota(f, resp);
            if (resp->status == 401 && unauthorized_again)
                return NX_AGAIN;
            if ((resp->status < 200 || resp->status >= 300) && !retriable_status(resp->status))
                return refused(f, req, resp, err);
            st = judge(f, req, resp, &asked, &why);
            if (st == NX_OK)
                return NX_OK;
            why.retriable = true;
        }
        bool last = st != NX_REMOTE || !why.retriable || k + 1 >= tries || asked > ASKED_MS_MAX;
        if (last) {
            why.retry_after_ms = asked > INT32_MAX ? INT32_MAX : (int)asked;
            if (err != NULL)
                *err = why;
            if (asked > ASKED_MS_MAX)
                nx_err_prefix(err, "asked to wait %lld s", (long long)asked / 1000);
            else if (k > 0)
                nx_err_prefix(err, "after %d tries", k + 1);
            return st == NX_REMOTE && why.retriable ? gave_up(err) : st;
        }
        f->r->retries++;
        nx_http_resp_drop(resp);
        NX_TRY(pause_ms(f, nx_backoff_ms(k, base, cap, asked), err));
    }
}

typedef struct page_text {
    nx_buf *to;
    bool there;
} page_text;

static nx_status take_text(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key;
    page_text *t = ctx;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_val *v;
    if (t->there)
        return NX_OK;
    NX_TRY(nx_json_parse(value, NULL, &a, &v, err));
    t->there = v->kind == NX_VAL_STR || v->kind == NX_VAL_NUM;
    return t->there && nx_buf_add(t->to, v->s) != NX_OK ? nx_nomem(err) : NX_OK;
}

nx_status nx__page_text(nx_str page, const char *path, nx_buf *ret, bool *ret_there, nx_err *err)
{
    page_text t = {ret, false};
    nx_buf_clear(ret);
    nx_status st = nx_page_each(page, path, take_text, &t, err);
    *ret_there = t.there;
    return st;
}
