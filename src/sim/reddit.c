#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "io/http.h"
#include "sim/sim_int.h"

enum { TOKEN_SECONDS = 86400, WINDOW_SECONDS = 600, WINDOW_REQUESTS = 600000 };

/* ------------------------------------------------------------------ access */

static nx_status deny(nx_httpd_resp *resp, int status, const char *message)
{
    resp->status = status;
    nx_buf_clear(&resp->body);
    return nx_buf_addf(&resp->body, "{\"message\": \"%s\", \"error\": %d}", message, status);
}

/* The value of a form field, decoded ('+' is a space); false when absent. */
static bool form_field(nx_str form, const char *name, char *out, size_t cap)
{
    nx_str pair;
    size_t n = strlen(name);
    while (nx_str_split(&form, '&', &pair)) {
        if (!nx_str_starts(pair, nx_str_of(name)) || pair.n <= n || pair.p[n] != '=')
            continue;
        nx_buf b;
        nx_buf_init(&b, cap - 1);
        bool ok = nx_url_decode(&b, nx_str_sub(pair, n + 1, pair.n)) == NX_OK;
        if (ok)
            snprintf(out, cap, "%s", b.p == NULL ? "" : b.p);
        nx_buf_drop(&b);
        return ok;
    }
    return false;
}

static bool basic_ok(const nx_sim *s, const nx_httpd_req *req)
{
    const char *h = nx_httpd_header(req, "Authorization");
    if (h == NULL || !nx_str_eq_nocase((nx_str){h, strlen(h) < 6 ? 0 : 6}, NX_STR("basic ")))
        return false;
    nx_buf b;
    nx_buf_init(&b, 512);
    bool ok = nx_base64_decode(&b, nx_str_of(h + 6)) == NX_OK && b.n > 0;
    nx_str secret = nx_buf_str(&b), id;
    ok = ok && nx_str_split(&secret, ':', &id) && secret.p != NULL && id.n > 0;
    ok = ok && (s->opts.client_id == NULL || nx_str_is(id, s->opts.client_id));
    ok = ok && (s->opts.client_secret == NULL || nx_str_is(secret, s->opts.client_secret));
    nx_buf_drop(&b);
    return ok;
}

nx_status nx__serve_token(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    static const char *const grants[] = {"client_credentials", "https://oauth.reddit.com/grants/installed_client",
                                         "password", "refresh_token"};
    nx_sim *s = ctx;
    bool ok;
    (void)err;
    NX_TRY(nx__rest_fault(s, resp, &ok));
    if (!ok)
        return NX_OK;
    if (!basic_ok(s, req))
        return deny(resp, 401, "Unauthorized");
    char grant[128] = "", value[128];
    form_field(req->body, "grant_type", grant, sizeof grant);
    size_t k = 0;
    while (k < NX_COUNT_OF(grants) && strcmp(grants[k], grant) != 0)
        k++;
    if (k == NX_COUNT_OF(grants))
        return nx_buf_adds(&resp->body, "{\"error\": \"unsupported_grant_type\"}");
    if (k == 1 && (!form_field(req->body, "device_id", value, sizeof value) || strlen(value) < 20))
        return nx_buf_adds(&resp->body, "{\"error_description\": \"bad device_id\", \"error\": \"invalid_request\"}");
    if (k == 2 && (!form_field(req->body, "username", value, sizeof value) ||
                   !form_field(req->body, "password", value, sizeof value)))
        return nx_buf_adds(&resp->body, "{\"error\": \"invalid_grant\"}");
    pthread_mutex_lock(&s->lock);
    unsigned long long n = ++s->n_tokens;
    s->token_used = 0;
    pthread_mutex_unlock(&s->lock);
    return nx_buf_addf(
        &resp->body,
        "{\"access_token\": \"sim-token-%llu\", \"token_type\": \"bearer\", \"expires_in\": %d, \"scope\": \"*\"}", n,
        TOKEN_SECONDS);
}

/* Only the newest token counts, and only token_uses times. */
static bool token_ok(nx_sim *s, const nx_httpd_req *req)
{
    const char *h = nx_httpd_header(req, "Authorization");
    if (h == NULL || !nx_str_eq_nocase((nx_str){h, strlen(h) < 7 ? 0 : 7}, NX_STR("bearer ")))
        return false;
    pthread_mutex_lock(&s->lock);
    char expected[40];
    snprintf(expected, sizeof expected, "sim-token-%llu", (unsigned long long)s->n_tokens);
    bool ok = s->n_tokens > 0 && strcmp(h + 7, expected) == 0;
    if (ok && s->opts.faults.token_uses > 0)
        ok = ++s->token_used <= s->opts.faults.token_uses;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static nx_status enter(nx_sim *s, const nx_httpd_req *req, nx_httpd_resp *resp, bool *ret_ok)
{
    NX_TRY(nx__rest_fault(s, resp, ret_ok));
    if (!*ret_ok)
        return NX_OK;
    *ret_ok = token_ok(s, req);
    if (!*ret_ok) {
        nx_httpd_resp_header(resp, "www-authenticate", "Bearer realm=\"reddit\", error=\"invalid_token\"");
        return deny(resp, 401, "Unauthorized");
    }
    pthread_mutex_lock(&s->lock);
    int64_t at = (int64_t)(nx_clock_mono() / (nx_mono_ns)NX__NS_S) % WINDOW_SECONDS,
            used = (int64_t)(s->n_requests % WINDOW_REQUESTS);
    pthread_mutex_unlock(&s->lock);
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)used);
    nx_httpd_resp_header(resp, "x-ratelimit-used", text);
    snprintf(text, sizeof text, "%lld.0", (long long)(WINDOW_REQUESTS - used));
    nx_httpd_resp_header(resp, "x-ratelimit-remaining", text);
    snprintf(text, sizeof text, "%lld", (long long)(WINDOW_SECONDS - at));
    nx_httpd_resp_header(resp, "x-ratelimit-reset", text);
    return NX_OK;
}

/* ------------------------------------------------------------------ listings */

static bool names_subreddit(nx_str list, const char *name)
{
    nx_str part;
    while (nx_str_split(&list, '+', &part))
        if (nx_str_eq_nocase(part, nx_str_of(name)))
            return true;
    return false;
}

static bool known_subreddit(const nx__world *w, nx_str list)
{
    const nx__talk *all[] = {&w->posts, &w->comments};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < all[k]->n; i++)
            if (names_subreddit(list, all[k]->items[i].subreddit))
                return true;
    return false;
}

/* Indexes of the listing's items, newest first, at most listing_max. */
static size_t collect(nx_sim *s, const nx__talk *t, nx_str subs, size_t *out_index)
{
    int64_t now = nx_sim_now(s) / NX__NS_S;
    size_t n = 0, most = s->opts.listing_max > 0 ? (size_t)s->opts.listing_max : SIZE_MAX;
    for (size_t i = t->n; i-- > 0 && n < most;)
        if ((s->world.from_files || t->items[i].created <= now) && names_subreddit(subs, t->items[i].subreddit))
            out_index[n++] = i;
    return n;
}

/* Position of a fullname among the collected ones: the last of equals for after, the first for before. SIZE_MAX: not
 * there. */
static size_t find_name(const nx__talk *t, const size_t *index, size_t n, const char *fullname, bool posts, bool last)
{
    uint64_t id;
    size_t at = SIZE_MAX;
    if (strncmp(fullname, posts ? "t3_" : "t1_", 3) != 0 || !nx__base36_read(nx_str_of(fullname + 3), &id))
        return SIZE_MAX;
    for (size_t i = 0; i < n; i++)
        if (t->items[index[i]].id == id) {
            at = i;
            if (!last)
                break;
        }
    return at;
}

typedef struct slice {
    size_t from, to;
    bool more, counted; /* counted: the request says where it stands, so "before" is answered */
} slice;

static slice cut(const nx_httpd_req *req, const nx__talk *t, const size_t *index, size_t n, bool posts)
{
    const char *limit = nx_httpd_query(req, "limit"), *after = nx_httpd_query(req, "after"),
               *before = nx_httpd_query(req, "before");
    const char *count = nx_httpd_query(req, "count");
    int64_t want = 25;
    if (limit != NULL && nx_str_to_i64(nx_str_of(limit), &want))
        want = want < 1 ? 1 : want > 100 ? 100 : want;
    slice c = {0, n, false, count != NULL};
    if (after != NULL && after[0] != '\0') {
        size_t at = find_name(t, index, n, after, posts, true);
        c.from = at == SIZE_MAX ? n : at + 1; /* a vanished anchor ends the listing */
    }
    if (before != NULL && before[0] != '\0') {
        size_t at = find_name(t, index, n, before, posts, false);
        c.to = at == SIZE_MAX ? 0 : at;
        c.from = c.to > (size_t)want ? c.to - (size_t)want : 0;
    }
    if (c.to - (c.from < c.to ? c.from : c.to) > (size_t)want)
        c.to = c.from + (size_t)want;
    if (c.from > c.to)
        c.from = c.to;
    c.more = (before == NULL || before[0] == '\0') && c.to < n;
    return c;
}

static void name_member(nx_jw *w, const char *key, const nx__message *m, bool posts)
{
    char id[16];
    nx_jw_key(w, key);
    if (m == NULL) {
        nx_jw_null(w);
        return;
    }
    nx__base36_write(m->id, id);
    nx_jw_strf(w, "%s_%s", posts ? "t3" : "t1", id);
}

static void listing_begin(nx__out *o, int64_t dist)
{
    nx_jw_obj(&o->w);
    nx__text_member(o, "kind", "Listing");
    nx_jw_key(&o->w, "data");
    nx_jw_obj(&o->w);
    nx_jw_key(&o->w, "modhash");
    nx_jw_null(&o->w);
    nx__int_member(&o->w, "dist", dist);
    nx__text_member(o, "geo_filter", "");
    nx_jw_key(&o->w, "children");
    nx_jw_arr(&o->w);
}

static bool wants_raw(const nx_httpd_req *req)
{
    const char *raw = nx_httpd_query(req, "raw_json");
    return raw != NULL && strcmp(raw, "1") == 0;
}

static nx_status serve_listing(nx_sim *s, const nx_httpd_req *req, nx_str subs, bool posts, nx_httpd_resp *resp)
{
    const nx__talk *t = posts ? &s->world.posts : &s->world.comments;
    size_t *index = malloc((t->n + 1) * sizeof *index);
    if (index == NULL)
        return NX_NOMEM;
    size_t n = collect(s, t, subs, index);
    slice c = cut(req, t, index, n, posts);
    nx__out o = {.raw_json = wants_raw(req)};
    nx_jw_begin(&o.w, &resp->body);
    listing_begin(&o, (int64_t)(c.to - c.from));
    for (size_t i = c.from; i < c.to; i++)
        nx__write_thing(&o, &t->items[index[i]], posts);
    nx_jw_arr_end(&o.w);
    name_member(&o.w, "after", c.more ? &t->items[index[c.to - 1]] : NULL, posts);
    name_member(&o.w, "before", c.counted && c.from > 0 && c.to > c.from ? &t->items[index[c.from]] : NULL, posts);
    nx_jw_obj_end(&o.w);
    nx_jw_obj_end(&o.w);
    free(index);
    NX_TRY(nx_jw_end(&o.w));
    return nx__to_ascii(&resp->body);
}

static nx_status serve_about(nx_sim *s, nx_str sub, nx_httpd_resp *resp)
{
    char id[16], name[64];
    snprintf(name, sizeof name, NX_STR_FMT, NX_STR_ARG(sub));
    nx__id_of_name(name, 60466176, id);
    nx__out o = {.raw_json = true};
    nx_jw *w = &o.w;
    nx_jw_begin(w, &resp->body);
    nx_jw_obj(w);
    nx__text_member(&o, "kind", "t5");
    nx_jw_key(w, "data");
    nx_jw_obj(w);
    nx__text_member(&o, "id", id);
    nx_jw_key(w, "name");
    nx_jw_strf(w, "t5_%s", id);
    nx__text_member(&o, "display_name", name);
    nx_jw_key(w, "display_name_prefixed");
    nx_jw_strf(w, "r/%s", name);
    nx__text_member(&o, "title", name);
    nx__text_member(&o, "public_description", "");
    nx__text_member(&o, "subreddit_type", "public");
    nx__int_member(w, "subscribers", 100000 + (int64_t)(s->world.posts.n * 7));
    nx__int_member(w, "accounts_active", 200);
    nx__seconds_member(w, "created_utc", 1201233135);
    nx__bool_members(w, (const char *const[]){"over18", "quarantine"}, 2, false);
    nx_jw_obj_end(w);
    nx_jw_obj_end(w);
    NX_TRY(nx_jw_end(w));
    return nx__to_ascii(&resp->body);
}

nx_status nx__serve_subreddit(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    bool ok;
    nx_str rest = nx_str_sub(req->path, 3, req->path.n), subs = {NULL, 0};
    (void)err;
    NX_TRY(enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    nx_str_split(&rest, '/', &subs);
    if (nx_str_ends(rest, NX_STR(".json")))
        rest.n -= 5;
    bool posts = rest.p != NULL && nx_str_is(rest, "new"), comments = rest.p != NULL && nx_str_is(rest, "comments");
    bool about = rest.p != NULL && nx_str_is(rest, "about");
    if (!known_subreddit(&s->world, subs) || (!posts && !comments && !about))
        return deny(resp, 404, "Not Found");
    return about ? serve_about(s, subs, resp) : serve_listing(s, req, subs, posts, resp);
}

static const nx__message *find_message(nx_sim *s, nx_str fullname, bool *ret_post)
{
    uint64_t id;
    *ret_post = nx_str_starts(fullname, NX_STR("t3_"));
    if ((!*ret_post && !nx_str_starts(fullname, NX_STR("t1_"))) ||
        !nx__base36_read(nx_str_sub(fullname, 3, fullname.n), &id))
        return NULL;
    const nx__talk *t = *ret_post ? &s->world.posts : &s->world.comments;
    int64_t now = nx_sim_now(s) / NX__NS_S;
    for (size_t i = 0; i < t->n; i++)
        if (t->items[i].id == id && (s->world.from_files || t->items[i].created <= now))
            return &t->items[i];
    return NULL;
}

nx_status nx__serve_info(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    bool ok, post;
    (void)err;
    NX_TRY(enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    const char *ids = nx_httpd_query(req, "id");
    if (ids == NULL)
        return deny(resp, 400, "Bad Request");
    const nx__message *found[100];
    bool is_post[100];
    size_t n = 0, asked = 0;
    nx_str rest = nx_str_of(ids), one;
    while (asked++ < 100 && nx_str_split(&rest, ',', &one)) {
        const nx__message *m = find_message(s, one, &post);
        if (m == NULL)
            continue;
        is_post[n] = post;
        found[n++] = m;
    }
    nx__out o = {.raw_json = wants_raw(req)};
    nx_jw_begin(&o.w, &resp->body);
    listing_begin(&o, (int64_t)n);
    for (size_t i = 0; i < n; i++)
        nx__write_thing(&o, found[i], is_post[i]);
    nx_jw_arr_end(&o.w);
    name_member(&o.w, "after", NULL, true);
    name_member(&o.w, "before", NULL, true);
    nx_jw_obj_end(&o.w);
    nx_jw_obj_end(&o.w);
    NX_TRY(nx_jw_end(&o.w));
    return nx__to_ascii(&resp->body);
}
