/* Reddit's listings: tokens, paging, odd items, against the look-alike and against answers of our own. */
#include "unit/ingest/pull_kit.h"

#include "base/clock.h"

static const char *const both[] = {"wallstreetbets", "stocks", NULL};
static const char *const one[] = {"stocks", NULL};

static nx_reddit_opts opts_for(const char *url, const char *const *subreddits)
{
    return (nx_reddit_opts){.token_url = url,
                            .api_url = url,
                            .client_id = "id-stay-hidden",
                            .client_secret = SECRET,
                            .user_agent = "linux:test:v1 (by /u/test)",
                            .subreddits = subreddits,
                            .start_us = INT64_MIN,
                            .end_us = INT64_MAX,
                            .posts = true};
}

static nx_status load(edge *e, const nx_reddit_opts *o, nx_pull_result *r)
{
    nx_pull_opts p = quick(e);
    e->err = (nx_err){0};
    return nx_backfill_reddit(&p, o, r, &e->err);
}

/* ------------------------------------------------------------------ against the look-alike */

static void add_text(nx_buf *b, nx_str s)
{
    assert_int_equal(nx_buf_adds(b, ", '"), NX_OK);
    for (size_t i = 0; i < s.n; i++)
        assert_int_equal(nx_buf_add(b, s.p[i] == '\'' ? NX_STR("''") : nx_str_sub(s, i, i + 1)), NX_OK);
    assert_int_equal(nx_buf_addc(b, '\''), NX_OK);
}

/* Walks a listing by hand, 37 items a page, into the table "served". */
static int64_t read_served(nx_session *s, const char *url, const char *listing, const char *text_key)
{
    nx_err err = {0};
    nx_http *h;
    nx_http_resp resp;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *v;
    char at[512], bearer[256], after[64] = "";
    int64_t rows = 0;
    must(nx_http_new(NULL, &h, &err), &err);
    snprintf(at, sizeof at, "%s/api/v1/access_token", url);
    static const char *const basic[] = {"Authorization: Basic aWQ6c2Vj",
                                        "Content-Type: application/x-www-form-urlencoded", NULL};
    nx_http_req grant = {
        .method = "POST", .url = at, .headers = basic, .body = NX_STR("grant_type=client_credentials")};
    must(nx_http_send(h, &grant, NULL, &resp, &err), &err);
    must(nx_json_parse(nx_buf_str(&resp.body), NULL, &a, &v, &err), &err);
    snprintf(bearer, sizeof bearer, "Authorization: bearer " NX_STR_FMT, NX_STR_ARG(nx_val_get(v, "access_token")->s));
    nx_http_resp_drop(&resp);
    const char *const headers[] = {bearer, NULL};
    nx_buf sql;
    nx_buf_init(&sql, 0);
    do {
        snprintf(at, sizeof at, "%s%s?limit=37&raw_json=1%s%s", url, listing, after[0] == '\0' ? "" : "&after=", after);
        must(nx_http_send(h, &(nx_http_req){.method = "GET", .url = at, .headers = headers}, NULL, &resp, &err), &err);
        assert_int_equal(resp.status, 200);
        must(nx_json_parse(nx_buf_str(&resp.body), NULL, &a, &v, &err), &err);
        const nx_val *data = nx_val_get(v, "data"), *kids = nx_val_get(data, "children");
        for (size_t i = 0; i < kids->n; i++, rows++) {
            const nx_val *d = nx_val_get(&kids->items[i], "data");
            assert_int_equal(
                nx_buf_addf(&sql, "%s(" NX_STR_FMT ", " NX_STR_FMT, sql.n == 0 ? "insert into served values " : ", ",
                            NX_STR_ARG(nx_val_get(d, "created_utc")->s), NX_STR_ARG(nx_val_get(d, "score")->s)),
                NX_OK);
            add_text(&sql, nx_val_get(d, "name")->s);
            add_text(&sql, nx_val_get(d, text_key)->s);
            add_text(&sql, nx_val_get(d, "author")->s);
            assert_int_equal(nx_buf_addc(&sql, ')'), NX_OK);
        }
        snprintf(after, sizeof after, NX_STR_FMT, NX_STR_ARG(nx_val_str(nx_val_get(data, "after"), NX_STR(""))));
        nx_http_resp_drop(&resp);
    } while (after[0] != '\0');
    must(nx_session_exec(s, nx_buf_str(&sql), NULL, &err), &err);
    nx_buf_drop(&sql);
    nx_http_drop(h);
    return rows;
}

static void listings_arrive_whole(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 5, .faults = {.token_uses = 3, .fail_every = 7}}, url);
    char plain[64];
    nx_sim *calm = sim_up((nx_sim_opts){.sessions = 5}, plain); /* says the same, without faults */
    nx_reddit_opts o = opts_for(url, both);
    o.comments = true;
    nx_pull_result r;
    must(load(e, &o, &r), &e->err);
    nx_session *s;
    must(nx_session_open(e->engine, &s, &e->err), &e->err);
    must(nx_session_exec(
             s, NX_STR("create temp table served (created double, score bigint, name text, body text, author text)"),
             NULL, &e->err),
         &e->err);
    int64_t posts = read_served(s, plain, "/r/wallstreetbets+stocks/new", "selftext");
    int64_t comments = read_served(s, plain, "/r/wallstreetbets+stocks/comments", "body");
    assert_true(posts > 100 && comments > posts);
    assert_int_equal(r.rows_added, posts + comments);
    assert_int_equal(r.rows_seen, posts + comments);
    assert_int_equal(r.rejected, 0);
    assert_true(r.retries > 0);
    must(nx_lake_attach(e->lake, s, &e->err), &e->err);
    nx_result *res;
    must(
        nx_session_query(
            s,
            NX_STR(
                "select count(*) from served v full join (select fullname, selftext as body, author, score, created_at from "
                "bronze.posts union all select fullname, body, author, score, created_at from bronze.comments) b on b.fullname = "
                "v.name where b.fullname is null or v.name is null or b.body is distinct from v.body or b.score <> v.score or b.author <> "
                "v.author or epoch(b.created_at) <> v.created"),
            &res, &e->err),
        &e->err);
    assert_int_equal(nx_result_i64(res, 0, 0, -1), 0);
    nx_result_drop(res);
    nx_session_close(s);
    must(load(e, &o, &r), &e->err);
    assert_int_equal(r.rows_seen, posts + comments);
    assert_int_equal(r.rows_added, 0);
    assert_int_equal(edge_count(e, "bronze.posts where _source <> 'reddit.rest' or _known_at < created_at"), 0);
    nx_sim_stop(sim);
    nx_sim_stop(calm);
}

static void a_range_of_time(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 6}, url);
    nx_reddit_opts o = opts_for(url, both);
    nx_pull_result r;
    o.start_us = us("2026-09-10T00:00:00Z");
    o.end_us = us("2026-09-12T00:00:00Z");
    must(load(e, &o, &r), &e->err);
    assert_true(r.rows_added > 10);
    assert_int_equal(edge_count(e, "bronze.posts where created_at < '2026-09-10' or created_at >= '2026-09-12'"), 0);
    int64_t part = r.rows_added;
    o.start_us = INT64_MIN;
    o.end_us = INT64_MAX;
    must(load(e, &o, &r), &e->err);
    assert_int_equal(edge_count(e, "bronze.posts"), part + r.rows_added);
    assert_int_equal(edge_count(e, "bronze.posts where created_at >= '2026-09-10' and created_at < '2026-09-12'"),
                     part);
    nx_sim_stop(sim);
}

/* ------------------------------------------------------------------ tokens */

#define TOKEN                                                                                                          \
    "{\"access_token\": \"token-stay-hidden\", \"token_type\": \"bearer\", \"expires_in\": 86400, \"scope\": \"*\"}"
#define EMPTY                                                                                                          \
    "{\"kind\": \"Listing\", \"data\": {\"modhash\": null, \"children\": [], \"after\": null, \"before\": null}}"

static bool is_token(const nx_httpd_req *req)
{
    return nx_str_is(req->path, "/api/v1/access_token");
}

static const struct grant {
    int status;
    const char *body;
    nx_status st;
    const char *says;
    int requests;
} grants[] = {
    {200, "{\"error\": \"invalid_grant\"}", NX_INVALID, "invalid_grant", 1},
    {200, "{\"error_description\": \"Only script apps may use password auth\", \"error\": \"unauthorized_client\"}",
     NX_INVALID, "unauthorized_client", 1},
    {200, "{\"access_token\": \"\"}", NX_INVALID, "no token", 1},
    {200, "{\"access_token\": \"stay-hidden\\r\\nX-Evil: 1\"}", NX_INVALID, "control character", 1},
    {200, "{\"access_token\": 7}", NX_INVALID, "no token", 1},
    {200, "[]", NX_INVALID, "no token", 1},
    {401, "{\"message\": \"Unauthorized\", \"error\": 401}", NX_INVALID, "answered 401", 1},
    {400, "{\"error\": 400}", NX_INVALID, "answered 400", 1},
    {429, "{\"message\": \"Too Many Requests\", \"error\": 429}", NX_REMOTE, "Too Many Requests", 5},
    {200, "{\"access_token\": \"token-stay-hidden", NX_REMOTE, "cannot be read", 5},
};

static void give_grant(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)k;
    assert_true(is_token(req) && strcmp(req->method, "POST") == 0);
    say_body(resp, grants[d->mode].status, grants[d->mode].body);
}

static void tokens_that_are_none(void **state)
{
    edge *e = *state;
    odd d;
    odd_up(&d, give_grant);
    nx_reddit_opts o = opts_for(d.url, one);
    for (size_t i = 0; i < NX_COUNT_OF(grants); i++) {
        nx_pull_result r;
        d.mode = (int)i;
        nx_status st = load(e, &o, &r);
        if (st != grants[i].st || strstr(e->err.text, grants[i].says) == NULL)
            fail_msg("grant %zu: %s \"%s\"", i, nx_status_name(st), e->err.text);
        assert_int_equal(r.requests, grants[i].requests);
        clean(&e->err);
    }
    nx_httpd_stop(d.h);
}

static void never_good_enough(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)k;
    if (is_token(req)) {
        char body[128];
        snprintf(body, sizeof body, "{\"access_token\": \"stay-hidden-%d\"}", ++d->mode);
        say_body(resp, 200, body);
    } else {
        char want[64];
        snprintf(want, sizeof want, "bearer stay-hidden-%d", d->mode);
        assert_string_equal(d->bearer, want);
        say_body(resp, 401, "{\"message\": \"Unauthorized\", \"error\": 401}");
    }
}

static void a_token_is_renewed_once(void **state)
{
    edge *e = *state;
    odd d;
    nx_pull_result r;
    odd_up(&d, never_good_enough);
    nx_reddit_opts o = opts_for(d.url, one);
    assert_int_equal(load(e, &o, &r), NX_INVALID);
    assert_non_null(strstr(e->err.text, "answered 401"));
    assert_non_null(strstr(e->err.hint, "credentials"));
    clean(&e->err);
    assert_int_equal(r.requests, 4); /* token, page, token, page */
    nx_httpd_stop(d.h);
}

/* ------------------------------------------------------------------ subreddits */

static void some_are_closed(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)d, (void)k;
    if (is_token(req))
        say_body(resp, 200, TOKEN);
    else if (nx_str_starts(req->path, NX_STR("/r/secret/")))
        say_body(resp, 403, "{\"reason\": \"private\", \"message\": \"Forbidden\", \"error\": 403}");
    else if (nx_str_starts(req->path, NX_STR("/r/gone/")))
        say_body(resp, 404, "{\"reason\": \"banned\", \"message\": \"Not Found\", \"error\": 404}");
    else if (nx_str_starts(req->path, NX_STR("/r/misspelt/")))
        say_body(resp, 302, "");
    else
        say_body(
            resp, 200,
            "{\"kind\":\"Listing\",\"data\":{\"after\":null,\"children\":[{\"kind\":\"t3\",\"data\":{\"name\":\"t3_a\",\"subreddit\":\"stocks\","
            "\"author\":\"x\",\"title\":\"t\",\"selftext\":\"s\",\"score\":1,\"created_utc\":1776112957.0,\"edited\":false}}]}}");
}

static void closed_subreddits_do_not_stop_the_others(void **state)
{
    edge *e = *state;
    static const char *const four[] = {"secret", "gone", "misspelt", "stocks", NULL};
    odd d;
    nx_pull_result r;
    odd_up(&d, some_are_closed);
    nx_reddit_opts o = opts_for(d.url, four);
    nx_log_setup(NX_LOG_ERROR, false);
    assert_int_equal(load(e, &o, &r), NX_INVALID);
    assert_non_null(strstr(e->err.text, "r/secret"));
    assert_non_null(strstr(e->err.text, "Forbidden (private)"));
    clean(&e->err);
    assert_int_equal(r.rows_added, 1);
    assert_int_equal(edge_count(e, "bronze.posts"), 1);
    nx_httpd_stop(d.h);
}

/* ------------------------------------------------------------------ pages */

static const char *page_body;

static void item(nx_httpd_resp *resp, const char *name, double created, const char *more)
{
    assert_int_equal(
        nx_buf_addf(
            &resp->body,
            "%s{\"kind\":\"t3\",\"data\":{\"name\":\"t3_%s\",\"subreddit\":\"stocks\",\"author\":\"x\",\"author_fullname\":\"t2_1\",\"title\":\"t\","
            "\"selftext\":\"s\",\"score\":1,\"created_utc\":%.1f%s}}",
            resp->body.p != NULL && resp->body.p[resp->body.n - 1] == '}' ? "," : "", name, created, more),
        NX_OK);
}

/* mode 0: an empty page in the middle, an old item among newer ones, the end before start. mode 1: after repeats itself. 2: it goes in a
 * circle of three. */
static void odd_pages(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    static const char *const next[] = {"t3_a", "t3_b&limit=1", "t3_c", "t3_d", "t3_e", "t3_f"};
    if (is_token(req)) {
        say_body(resp, 200, TOKEN);
        return;
    }
    k -= 1; /* the token came first */
    if (d->mode == 0 && k > 0)
        assert_string_equal(d->last, next[k - 1]);
    assert_int_equal(nx_buf_addf(&resp->body, "{\"kind\":\"Listing\",\"data\":{\"after\":\"%s\",\"children\":[",
                                 d->mode == 0   ? next[k]
                                 : d->mode == 1 ? "t3_same"
                                                : next[k % 3]),
                     NX_OK);
    char name[16];
    snprintf(name, sizeof name, "p%d", k);
    if (d->mode > 0 || k == 0 || k == 2) {
        item(resp, name, 1776112957.0 - k, ",\"edited\":false");
        if (d->mode == 0 && k == 0)
            item(resp, "old", 1000000000.0, ",\"edited\":false"); /* let through later */
    } else if (k == 3) {
        item(resp, name, 1000000001.0, ",\"edited\":false");
    }
    assert_int_equal(nx_buf_adds(&resp->body, "]}}"), NX_OK);
}

static void listings_end(void **state)
{
    edge *e = *state;
    static const int requests[] = {5, 3, 16}, rows[] = {2, 2, 15};
    for (int mode = 0; mode < 3; mode++) {
        odd d;
        nx_pull_result r;
        odd_up(&d, odd_pages);
        d.mode = mode;
        nx_reddit_opts o = opts_for(d.url, one);
        if (mode == 0)
            o.start_us = us("2020-01-01T00:00:00Z");
        must(load(e, &o, &r), &e->err);
        if (mode == 2 ? r.requests > requests[2] : r.requests != requests[mode])
            fail_msg("mode %d: %lld requests", mode, (long long)r.requests);
        assert_true(r.rows_seen <= rows[mode]);
        nx_httpd_stop(d.h);
    }
}

static void fixed_page(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)d, (void)k;
    say_body(resp, 200, is_token(req) ? TOKEN : page_body);
}

#define POST(name, more)                                                                                               \
    "{\"kind\":\"t3\",\"data\":{\"name\":\"" name "\",\"subreddit\":\"stocks\",\"title\":\"T\"," more "}}"
#define LISTING(items) "{\"kind\":\"Listing\",\"data\":{\"after\":null,\"dist\":1,\"children\":[" items "]}}"

static void odd_items(void **state)
{
    edge *e = *state;
    odd d;
    nx_pull_result r;
    odd_up(&d, fixed_page);
    nx_reddit_opts o = opts_for(d.url, one);
    page_body = LISTING(
        POST("t3_1",
             "\"author\":\"a\",\"selftext\":\"\\ud83d\\ude80 AT\\u0026T \\ud83d!\",\"score\":-3,\"created_utc\":1776112957.0,\"edited\":true") "," POST("t3_2",
                                                                                                                                                        "\"author\":\"[deleted]\",\"selftext\":\"[removed]\",\"score\":0,\"created_utc\":1776112958.0,\"edited\":false,\"removed_by_category\":\"moderator\"") "," POST("t3_3",
                                                                                                                                                                                                                                                                                                                        "\"author\":\"a\",\"selftext\":\"\",\"score\":5,\"created_utc\":1776112959.0,\"edited\":1776113400.0,\"author_fullname\":\"t2_9\"") "," POST("t3_4", "\"author\":\"a\",\"selftext\":\"x\",\"score\":\"many\",\"created_utc\":1776112960.0,\"edited\":false") "," POST("t3_5",
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                              "\"author\":\"a\",\"selftext\":\"x\",\"score\":1,\"created_utc\":\"yesterday\",\"edited\":false") ","
                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                                "{\"kind\":\"more\",\"data\":{\"count\":0,\"name\":\"t1__\",\"id\":\"_\",\"children\":[]}},{\"kind\":\"t3\"},7");
    for (int run = 0; run < 2; run++) {
        must(load(e, &o, &r), &e->err);
        assert_int_equal(r.rows_seen, 6);
        assert_int_equal(r.rows_added, run == 0 ? 3 : 0);
        assert_int_equal(r.rejected, run == 0 ? 3 : 0);
    }
    assert_string_equal(edge_ask(e, "select selftext from bronze.posts where fullname = 't3_1'"),
                        "\xf0\x9f\x9a\x80 AT&T \xef\xbf\xbd!");
    assert_string_equal(
        edge_ask(
            e,
            "select string_agg(is_deleted || ' ' || coalesce(edited_at::text, '-') || ' ' || coalesce(author_fullname, '-'), ',' "
            "order by fullname) from bronze.posts"),
        "false - -,true - -,false 2026-04-13 20:50:00+00 t2_9");
    /* known: when it was made, or last edited */
    assert_string_equal(
        edge_ask(e, "select string_agg(_known_basis || ' ' || _known_at, ',' order by fullname) from bronze.posts"),
        "declared 2026-04-13 20:42:37+00,declared 2026-04-13 20:42:38+00,declared 2026-04-13 20:50:00+00");
    /* another score is another observation, known when it came */
    page_body = LISTING(POST(
        "t3_3",
        "\"author\":\"a\",\"selftext\":\"\",\"score\":6,\"created_utc\":1776112959.0,\"edited\":1776113400.0,\"author_fullname\":\"t2_9\""));
    for (int run = 0; run < 2; run++) {
        must(load(e, &o, &r), &e->err);
        assert_int_equal(r.rows_added, run == 0 ? 1 : 0);
    }
    assert_int_equal(
        edge_count(
            e,
            "bronze.posts where fullname = 't3_3' and score = 6 and _known_basis = 'received' and _known_at = _received_at"),
        1);
    page_body = EMPTY;
    must(load(e, &o, &r), &e->err);
    assert_int_equal(r.rows_seen, 0);
    nx_httpd_stop(d.h);
}

static void young_items_are_known_when_received(void **state)
{
    edge *e = *state;
    odd d;
    nx_pull_result r;
    char body[512];
    odd_up(&d, fixed_page);
    nx_reddit_opts o = opts_for(d.url, one);
    snprintf(body, sizeof body,
             LISTING(POST("t3_1",
                          "\"author\":\"a\",\"selftext\":\"x\",\"score\":1,\"created_utc\":%lld.0,\"edited\":false")),
             (long long)(nx_clock_wall() / 1000000000 - 3600));
    page_body = body;
    must(load(e, &o, &r), &e->err);
    assert_int_equal(edge_count(e, "bronze.posts where _known_basis = 'received' and _known_at = _received_at"), 1);
    nx_httpd_stop(d.h);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, edge_up, edge_down)

int main(void)
{
    nx_clock_set_wall(late, NULL);
    const struct CMUnitTest tests[] = {
        CASE(listings_arrive_whole),
        CASE(a_range_of_time),
        CASE(tokens_that_are_none),
        CASE(a_token_is_renewed_once),
        CASE(closed_subreddits_do_not_stop_the_others),
        CASE(listings_end),
        CASE(odd_items),
        CASE(young_items_are_known_when_received),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
