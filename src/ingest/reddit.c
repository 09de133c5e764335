/* Reddit's listings: a token, then pages from the newest item back. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "data/json.h"
#include "data/time.h"
#include "ingest/pull_int.h"

typedef struct reddit {
    const nx_reddit_opts *o;
    nx_fetch fetch;
    nx_sink sink;
    char *bearer;         /* "Authorization: bearer …" */
    char observed[40];
    int64_t oldest_us;    /* of the page */
} reddit;

static nx_status basic_auth(const reddit *d, nx_buf *b)
{
    NX_BUF_AUTO nx_buf pair;
    nx_buf_init(&pair, 4096);
    NX_TRY(nx_buf_addf(&pair, "%s:%s", d->o->client_id == NULL ? "" : d->o->client_id, d->o->client_secret == NULL ? "" : d->o->client_secret));
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
    snprintf(url, sizeof url, "%s/api/v1/access_token", d->o->token_url);
    if (basic_auth(d, &auth) != NX_OK)
        return nx_nomem(err);
    const char *headers[] = {auth.p, "Content-Type: application/x-www-form-urlencoded", NULL};
    nx_http_req req = {.method = "POST", .url = url, .headers = headers, .body = NX_STR("grant_type=client_credentials")};
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

static nx_status take_created(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key;
    (void)err;
    char text[32];
    snprintf(text, sizeof text, NX_STR_FMT, NX_STR_ARG(value));
    *(double *)ctx = strtod(text, NULL);
    return NX_OK;
}

static nx_status take_thing(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key;
    reddit *d = ctx;
    double created = 0;
    NX_TRY(nx_page_each(value, "created_utc", take_created, &created, err));
    int64_t created_us = created > 0 && created < 9e12 ? (int64_t)created * 1000000 : 0;
    if (created_us > 0 && created_us < d->oldest_us)
        d->oldest_us = created_us;
    if (created_us > 0 && (created_us < d->o->start_us || created_us >= d->o->end_us))
        return NX_OK;
    /* what is older than a day was public long before we looked */
    d->sink.meta.known_basis = created_us > 0 && d->sink.meta.received_us - created_us > (int64_t)86400 * 1000000 ? NX_STR("declared") : NX_STR("received");
    nx_context context = {"observed_at", nx_str_of(d->observed)};
    return nx__sink_row(&d->sink, value, &context, 1, err);
}

static nx_status read_listing(reddit *d, const char *subreddit, const char *kind, nx_err *err)
{
    NX_BUF_AUTO nx_buf name, after;
    nx_buf_init(&name, 1024);
    nx_buf_init(&after, 1024);
    if (nx_url_encode(&name, nx_str_of(subreddit)) != NX_OK)
        return nx_fail(err, NX_INVALID, "'%s' is no name of a subreddit", subreddit);
    char before[64] = "";
    for (bool more = true; more;) {
        char url[4096];
        snprintf(url, sizeof url, "%s/r/%s/%s?limit=100&raw_json=1%s%s", d->o->api_url, name.p, kind, after.n > 0 ? "&after=" : "",
                 after.n > 0 ? after.p : "");
        nx_http_resp resp = {0};
        nx_status st = get_page(d, url, &resp, err);
        if (st == NX_OK) {
            nx__sink_page(&d->sink);
            nx_time_format_us(d->sink.meta.received_us, d->observed);
            d->oldest_us = INT64_MAX;
            st = nx_page_each(nx_buf_str(&resp.body), "data.children[].data", take_thing, d, err);
        }
        if (st == NX_OK)
            st = nx__page_text(nx_buf_str(&resp.body), "data.after", &after, &more, err);
        nx_http_resp_drop(&resp);
        if (st != NX_OK)
            return st;
        NX_TRY(nx__sink_flush(&d->sink, NULL, 0, err));
        if (d->fetch.o->progress != NULL)
            d->fetch.o->progress(d->fetch.o->progress_ctx, d->fetch.r, 0);
        /* the end: nothing further back, past the start, or a page that points at itself */
        more = more && after.n > 0 && after.n < sizeof before && d->oldest_us >= d->o->start_us && strcmp(before, after.p) != 0;
        if (more)
            memcpy(before, after.p, after.n + 1);
    }
    return nx__sink_flush(&d->sink, "", 0, err);
}

static nx_status read_kind(reddit *d, const nx_pull_opts *p, const char *table, const char *kind, nx_err *err)
{
    nx_status st = nx__sink_open(&d->sink, p, d->fetch.r, table, "reddit.rest", 0, err);
    for (const char *const *s = d->o->subreddits; st == NX_OK && *s != NULL; s++) {
        d->fetch.r->windows++;
        st = read_listing(d, *s, kind, err);
        if (st != NX_OK)
            nx_err_prefix(err, "r/%s", *s);
    }
    nx__sink_close(&d->sink);
    return st;
}

nx_status nx_backfill_reddit(const nx_pull_opts *p, const nx_reddit_opts *o, nx_pull_result *ret, nx_err *err)
{
    *ret = (nx_pull_result){0};
    if (o->subreddits == NULL || o->subreddits[0] == NULL)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "no subreddits to read"), "reddit.subreddits in nexus.yml, or --subreddit");
    reddit d = {.o = o};
    nx_status st = nx__fetch_open(&d.fetch, p, ret, "Reddit", o->user_agent, err);
    if (st == NX_OK)
        st = get_token(&d, err);
    if (st == NX_OK && o->posts)
        st = read_kind(&d, p, "bronze.posts", "new", err);
    if (st == NX_OK && o->comments)
        st = read_kind(&d, p, "bronze.comments", "comments", err);
    free(d.bearer);
    nx__fetch_close(&d.fetch);
    return st;
}
