/* Reddit's listings: a token, then pages from the newest item back. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "data/json.h"
#include "data/time.h"
#include "ingest/pull_int.h"

enum { PAGES_MAX = 100000 };

typedef struct reddit {
    const nx_reddit_opts *o;
    nx_fetch fetch;
    nx_sink sink;
    char *bearer; /* "Authorization: bearer …" */
    char observed[40];
    int64_t newest_us; /* of the page; INT64_MIN: it has no dated item */
    nx_err unread;     /* first subreddit that may not be read */
    int n_unread;
} reddit;

static nx_status basic_auth(const reddit *d, nx_buf *b)
{
    NX_BUF_AUTO nx_buf pair;
    nx_buf_init(&pair, 4096);
    NX_TRY(nx_buf_addf(&pair, "%s:%s", d->o->client_id == NULL ? "" : d->o->client_id,
                       d->o->client_secret == NULL ? "" : d->o->client_secret));
    NX_TRY(nx_buf_adds(b, "Authorization: Basic "));
    return nx_base64_encode(b, pair.p, pair.n);
}

/* The token endpoint says 200 to most mistakes: only the body tells. */
static nx_status read_token(reddit *d, nx_str body, nx_err *err)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_val *v;
    if (nx_json_parse(body, NULL, &a, &v, err) != NX_OK)
        return nx_err_prefix(err, "Reddit's answer to the request for a token");
    nx_str token = nx_val_str(nx_val_get(v, "access_token"), NX_STR(""));
    if (token.n == 0) {
        nx_str why = nx_val_str(nx_val_get(v, "error"), NX_STR("no token in the answer"));
        nx_fail(err, NX_INVALID, "Reddit gave no access token: " NX_STR_FMT, NX_STR_ARG(why));
        return nx_err_hint(err, NX_INVALID, "check reddit.client_id and reddit.client_secret");
    }
    for (size_t i = 0; i < token.n; i++)
        if ((unsigned char)token.p[i] <= 0x20 || (unsigned char)token.p[i] >= 0x7f)
            return nx_fail(err, NX_INVALID, "Reddit's access token holds a blank or control character");
    nx_log_hide(token.p);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    if (nx_buf_addf(&b, "Authorization: bearer " NX_STR_FMT, NX_STR_ARG(token)) != NX_OK)
        return nx_nomem(err);
    free(d->bearer);
    d->bearer = nx_buf_take(&b);
    return d->bearer == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status get_token(reddit *d, nx_err *err)
{
    NX_BUF_AUTO nx_buf auth;
    nx_buf_init(&auth, 8192);
    char url[1024];
    if ((size_t)snprintf(url, sizeof url, "%s/api/v1/access_token", d->o->token_url) >= sizeof url)
        return nx_fail(err, NX_LIMIT, "the address reddit.token_url is too long");
    if (basic_auth(d, &auth) != NX_OK)
        return nx_nomem(err);
    const char *headers[] = {auth.p, "Content-Type: application/x-www-form-urlencoded", NULL};
    nx_http_req req = {
        .method = "POST", .url = url, .headers = headers, .body = NX_STR("grant_type=client_credentials")};
    nx_http_resp resp = {0};
    nx_status st = nx__fetch(&d->fetch, &req, false, &resp, err);
    if (st == NX_OK)
        st = read_token(d, nx_buf_str(&resp.body), err);
    nx_http_resp_drop(&resp);
    return st;
}

/* A token that ran out is renewed once a request. */
static nx_status get_page(reddit *d, const char *url, nx_http_resp *resp, nx_err *err)
{
    for (int renewed = 0;; renewed++) {
        const char *headers[] = {d->bearer, NULL};
        nx_http_req req = {.method = "GET", .url = url, .headers = headers};
        nx_status st = nx__fetch(&d->fetch, &req, renewed == 0, resp, err);
        if (st != NX_AGAIN)
            return st;
        nx_http_resp_drop(resp);
        NX_TRY(get_token(d, err));
    }
}

/* Epoch seconds as a JSON number, in microseconds; anything else (edited: false, true) leaves 0. */
static nx_status take_epoch(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key;
    (void)err;
    char text[32];
    snprintf(text, sizeof text, NX_STR_FMT, NX_STR_ARG(value));
    double s = strtod(text, NULL);
    *(int64_t *)ctx = s > 0 && s < 9e12 ? (int64_t)s * 1000000 : 0;
    return NX_OK;
}

static nx_status take_thing(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key;
    reddit *d = ctx;
    nx_row_meta *m = &d->sink.meta;
    int64_t created_us = 0, edited_us = 0;
    NX_TRY(nx_page_each(value, "created_utc", take_epoch, &created_us, err));
    NX_TRY(nx_page_each(value, "edited", take_epoch, &edited_us, err));
    if (created_us > d->newest_us && created_us > 0)
        d->newest_us = created_us;
    if (created_us > 0 && (created_us < d->o->start_us || created_us >= d->o->end_us))
        return NX_OK;
    /* what is older than a day was public long before we looked, its present text since it was edited */
    int64_t public_us = edited_us > created_us ? edited_us : created_us;
    bool history = created_us > 0 && m->received_us - public_us > (int64_t)86400 * 1000000;
    m->known_basis = history ? NX_STR("declared") : NX_STR("received");
    m->known_delay_us = history ? public_us - created_us : 0;
    nx_context context = {"observed_at", nx_str_of(d->observed)};
    return nx__sink_row(&d->sink, value, &context, 1, err);
}

/* One page of a listing, from *after on (empty: the newest items); *after becomes the next one's. */
static nx_status read_page(reddit *d, const char *subreddit, const char *kind, nx_buf *after, nx_err *err)
{
    NX_BUF_AUTO nx_buf url;
    nx_buf_init(&url, 1 << 14);
    nx_status st = nx_buf_addf(&url, "%s/r/", d->o->api_url);
    st = st == NX_OK ? nx_url_encode(&url, nx_str_of(subreddit)) : st;
    st = st == NX_OK ? nx_buf_addf(&url, "/%s?limit=100&raw_json=1%s", kind, after->n > 0 ? "&after=" : "") : st;
    st = st == NX_OK ? nx_url_encode(&url, nx_buf_str(after)) : st;
    if (st != NX_OK)
        return nx_fail(err, st, "a request to Reddit does not fit: %s", nx_status_text(st));
    nx_http_resp resp = {0};
    bool more;
    st = get_page(d, url.p, &resp, err);
    if (st == NX_OK) {
        nx__sink_page(&d->sink);
        nx_time_format_us(d->sink.meta.received_us, d->observed);
        d->newest_us = INT64_MIN;
        st = nx_page_each(nx_buf_str(&resp.body), "data.children[].data", take_thing, d, err);
    }
    if (st == NX_OK)
        st = nx__page_text(nx_buf_str(&resp.body), "data.after", after, &more, err);
    nx_http_resp_drop(&resp);
    return st;
}

/* Back to the first page that lies before start as a whole: items that moderators let through later stand among newer ones. A listing also ends
 * where "after" repeats itself. */
static nx_status read_listing(reddit *d, const char *subreddit, const char *kind, nx_err *err)
{
    NX_BUF_AUTO nx_buf after, seen;
    nx_buf_init(&after, 1024);
    nx_buf_init(&seen, 1024);
    int pages = 0, renew_at = 1;
    do {
        NX_TRY(read_page(d, subreddit, kind, &after, err));
        NX_TRY(nx__sink_flush(&d->sink, NULL, 0, err));
        if (d->fetch.o->progress != NULL)
            d->fetch.o->progress(d->fetch.o->progress_ctx, d->fetch.r, 0);
        if (pages > 0 && nx_str_eq(nx_buf_str(&after), nx_buf_str(&seen)))
            break;
        if (++pages >= PAGES_MAX)
            return nx_fail(err, NX_LIMIT, "Reddit's listing of %s has no end: %d pages were read", subreddit, pages);
        if (pages >= renew_at) { /* finds a circle of any length */
            renew_at = 2 * pages;
            nx_buf_clear(&seen);
            if (nx_buf_add(&seen, nx_buf_str(&after)) != NX_OK)
                return nx_nomem(err);
        }
    } while (after.n > 0 && (d->newest_us == INT64_MIN || d->newest_us >= d->o->start_us));
    return NX_OK;
}

/* A private, banned or misspelt subreddit does not keep us from the others; the first one is told at the end. */
static nx_status may_go_on(reddit *d, const char *subreddit, nx_status st, nx_err *why, nx_err *err)
{
    int status = d->fetch.refused_status;
    bool only_this = st == NX_INVALID && (status == 403 || status == 404 || (status >= 300 && status < 400));
    if (!only_this) {
        if (err != NULL)
            *err = *why;
        return st;
    }
    nx_err_prefix(why, "r/%s cannot be read", subreddit);
    nx_err_hint(why, NX_INVALID, "private, banned or misspelt: take it out of reddit.subreddits, or correct it");
    nx_log_err(NX_LOG_WARN, "pull", why);
    if (d->n_unread++ == 0)
        d->unread = *why;
    return NX_OK;
}

static nx_status read_kind(reddit *d, const nx_pull_opts *p, const char *table, const char *kind, nx_err *err)
{
    nx_status st = nx__sink_open(&d->sink, p, d->fetch.r, table, NX_PULL_REDDIT, NULL, 0, err);
    for (const char *const *s = d->o->subreddits; st == NX_OK && *s != NULL; s++) {
        nx_err why = {0};
        d->fetch.r->windows++;
        st = read_listing(d, *s, kind, &why);
        if (st != NX_OK)
            st = may_go_on(d, *s, st, &why, err);
        if (st == NX_OK)
            st = nx__sink_flush(&d->sink, "", 0, err);
    }
    nx__sink_close(&d->sink);
    return st;
}

nx_status nx_backfill_reddit(const nx_pull_opts *p, const nx_reddit_opts *o, nx_pull_result *ret, nx_err *err)
{
    *ret = (nx_pull_result){0};
    if (o->subreddits == NULL || o->subreddits[0] == NULL)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "no subreddits to read"),
                           "reddit.subreddits in nexus.yml, or --subreddit");
    reddit d = {.o = o};
    nx_status st = nx__fetch_open(&d.fetch, p, ret, "Reddit", o->user_agent, err);
    if (st == NX_OK)
        st = get_token(&d, err);
    if (st == NX_OK && o->posts)
        st = read_kind(&d, p, "bronze.posts", "new", err);
    if (st == NX_OK && o->comments)
        st = read_kind(&d, p, "bronze.comments", "comments", err);
    if (st == NX_OK && d.n_unread > 0) {
        if (err != NULL)
            *err = d.unread;
        st = d.unread.status;
    }
    free(d.bearer);
    nx__fetch_close(&d.fetch);
    return st;
}

nx_status nx_reddit_ping(const nx_reddit_opts *o, nx_err *err)
{
    reddit d = {.o = o};
    nx_pull_opts once = {.tries_max = 1};
    nx_pull_result r = {0};
    nx_status st = nx__fetch_open(&d.fetch, &once, &r, "Reddit", o->user_agent, err);
    if (st == NX_OK)
        st = get_token(&d, err);
    free(d.bearer);
    nx__fetch_close(&d.fetch);
    return st;
}
