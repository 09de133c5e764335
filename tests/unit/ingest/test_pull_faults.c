/* What a vendor can do to us: refuse, fail, cut, lie about its pages; what we say then, and what the tables hold. Promise 2. */
#include "unit/ingest/pull_kit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/stop.h"
#include "ingest/pull_int.h"

static const char *const symbols[] = {"AAPL", "GME", NULL};

static nx_alpaca_opts one_day(const char *url)
{
    return (nx_alpaca_opts){.data_url = url,
                            .trading_url = url,
                            .key = KEY,
                            .secret = SECRET,
                            .symbols = symbols,
                            .timeframe = "1Min",
                            .feed = "iex",
                            .start_us = us("2026-09-08T00:00:00Z"),
                            .end_us = us("2026-09-09T00:00:00Z")};
}

static nx_status load(edge *e, const char *url, nx_pull_result *r)
{
    nx_pull_opts p = quick(e);
    nx_alpaca_opts o = one_day(url);
    e->err = (nx_err){0};
    p.refresh = true;
    return nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, r, &e->err);
}

#define BAR(t, o)                                                                                                      \
    "{\"t\":\"2026-09-08T" t "Z\",\"o\":" o ",\"h\":12.5,\"l\":9.25,\"c\":11,\"v\":100,\"n\":3,\"vw\":10.333333}"
#define TWO                                                                                                            \
    "{\"bars\":{\"AAPL\":[" BAR("13:30:00", "10.0001") "],\"GME\":[" BAR("13:30:00",                                   \
                                                                         "20.5") "]},\"next_page_token\":null}"

/* ------------------------------------------------------------------ what another try betters */

static void every_fault_once(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)req;
    if (d->mode == 0)
        d->mode = k + 1;
    switch (k) {
    case 0:
        resp->content_type = "text/html";
        say_body(resp, 500, "<html><h1>500</h1></html>");
        return;
    case 1:
        say_body(resp, 503, "");
        return;
    case 2:
        say_body(resp, 429, "{\"message\": \"too many requests.\"}");
        return;
    case 3:
        nx_httpd_resp_header(resp, "Retry-After", "1");
        resp->content_type = "text/html";
        say_body(resp, 429, "<html>slow down</html>");
        return;
    case 4:
        say_body(resp, 200, "{\"bars\":{\"AAPL\":[" BAR("13:30:00", "10.0001") ",{\"t\":\"2026-");
        return;
    case 5:
        say_body(resp, 200, "");
        return;
    case 6:
        resp->content_type = "text/html";
        say_body(resp, 200, "<html>sign in to the wireless network</html>");
        return;
    default:
        say_body(resp, 200, TWO);
    }
}

static void faults_pass(void **state)
{
    edge *e = *state;
    odd d;
    odd_up(&d, every_fault_once);
    nx_pull_opts p = quick(e);
    p.tries_max = 8;
    nx_alpaca_opts o = one_day(d.url);
    nx_pull_result r;
    nx_mono_ns began = nx_clock_mono();
    must(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), &e->err);
    assert_true(nx_clock_mono() - began >= 1000000000); /* as long as it was asked */
    assert_int_equal(r.requests, 8);
    assert_int_equal(r.retries, 7);
    assert_int_equal(r.rows_added, 2);
    assert_int_equal(r.rejected, 0);
    assert_string_equal(
        edge_ask(e, "select string_agg(symbol || ' ' || open || ' ' || vwap, ', ' order by symbol) from bronze.bars"),
        "AAPL 10.000100 10.333333, GME 20.500000 10.333333");
    nx_httpd_stop(d.h);
}

static void only_failures(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)k, (void)req;
    static const char *const bodies[] = {"<html>500</html>", "{\"message\":\"upstream is \\u001b[31mdown\"}",
                                         "{\"bars\":{", "{\"message\":\"wait\"}"};
    static const int statuses[] = {500, 502, 200, 429};
    if (d->mode == 3)
        nx_httpd_resp_header(resp, "Retry-After", "86400");
    say_body(resp, statuses[d->mode], bodies[d->mode]);
}

static void it_gives_up(void **state)
{
    edge *e = *state;
    static const char *const says[] = {"answered 500", "upstream is  [31mdown", "cannot be read",
                                       "asked to wait 86400 s"};
    odd d;
    odd_up(&d, only_failures);
    for (int mode = 0; mode < 4; mode++) {
        nx_pull_result r;
        d.mode = mode;
        d.n = 0;
        assert_int_equal(load(e, d.url, &r), NX_REMOTE);
        assert_true(e->err.retriable);
        assert_null(strstr(e->err.text, ": :"));
        if (strstr(e->err.text, says[mode]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", says[mode], e->err.text);
        assert_non_null(strstr(e->err.text, "/v2/stocks/bars"));
        assert_true(e->err.hint[0] != '\0');
        clean(&e->err);
        assert_int_equal(r.requests, mode == 3 ? 1 : 5);
        assert_int_equal(d.n, r.requests);
    }
    nx_httpd_stop(d.h);
    nx_pull_result r;
    assert_int_equal(load(e, d.url, &r), NX_REMOTE); /* nobody listens any more */
    assert_true(e->err.retriable);
    clean(&e->err);
}

/* ------------------------------------------------------------------ what no try betters */

static const struct refusal {
    int status;
    const char *body, *says;
} refusals[] = {
    {401, "<html><head><title>401 Authorization Required</title></head></html>", "answered 401 to GET http"},
    {403, "{\"message\":\"subscription does not permit querying recent SIP data\"}", "recent SIP data"},
    {404, "{\"message\":\"endpoint not found.\"}", "answered 404"},
    {422, "{\"code\":42210000,\"message\":\"invalid limit\"}", "invalid limit"},
    {400, "{\"message\":17}", "answered 400"},
    {302, "", "answered 302"},
    {501, "[]", "answered 501"},
};

static void refuse(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)k, (void)req;
    say_body(resp, refusals[d->mode].status, refusals[d->mode].body);
}

static void refusals_are_told(void **state)
{
    edge *e = *state;
    odd d;
    odd_up(&d, refuse);
    for (size_t i = 0; i < NX_COUNT_OF(refusals); i++) {
        nx_pull_result r;
        d.mode = (int)i;
        assert_int_equal(load(e, d.url, &r), NX_INVALID);
        assert_int_equal(r.requests, 1);
        if (strstr(e->err.text, refusals[i].says) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", refusals[i].says, e->err.text);
        clean(&e->err);
    }
    nx_httpd_stop(d.h);
    assert_int_equal(edge_count(e, "bronze.bars"), 0);
}

static void credentials_that_break_headers(void **state)
{
    edge *e = *state;
    nx_pull_opts p = quick(e);
    nx_alpaca_opts o = one_day("http://127.0.0.1:1");
    static const char *const bad[] = {"stay-hidden\r\nX-Evil: 1", "", "stay hidden", "stay-hidden\n"};
    char huge[400];
    memset(huge, 'k', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    nx_pull_result r;
    for (size_t i = 0; i <= NX_COUNT_OF(bad); i++) {
        o.secret = i < NX_COUNT_OF(bad) ? bad[i] : huge;
        assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), NX_INVALID);
        clean(&e->err);
        assert_int_equal(r.requests, 0);
    }
}

/* ------------------------------------------------------------------ pages without end */

static void circles(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)req;
    char body[600];
    static const char *const next[][4] = {{"A", "A", "A", "A"}, {"A", "B", "C", "A"}};
    const char *token = d->mode == 0 ? next[0][0] : next[1][k % 3];
    snprintf(body, sizeof body, "{\"bars\":{\"AAPL\":[" BAR("13:30:00", "10") "]},\"next_page_token\":\"%s\"}", token);
    say_body(resp, 200, body);
}

static void pages_in_a_circle(void **state)
{
    edge *e = *state;
    for (int mode = 0; mode < 2; mode++) {
        odd d;
        nx_pull_result r;
        odd_up(&d, circles);
        d.mode = mode;
        assert_int_equal(load(e, d.url, &r), NX_REMOTE);
        assert_non_null(strstr(e->err.text, "circle"));
        assert_true(r.requests <= 16);
        nx_httpd_stop(d.h);
    }
}

static void tokens_with_odd_bytes(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)req;
    if (k == 0) {
        say_body(resp, 200,
                 "{\"bars\":{\"AAPL\":[" BAR("13:30:00", "10") "]},\"next_page_token\":\"a&limit=1 +/=%\\u00e9\"}");
        return;
    }
    assert_string_equal(d->last, "a&limit=1 +/=%\xc3\xa9");
    say_body(resp, 200, "{\"bars\":{\"AAPL\":[" BAR("13:31:00", "10") "]}}"); /* absent is the end, too */
}

static void tokens_are_opaque(void **state)
{
    edge *e = *state;
    odd d;
    nx_pull_result r;
    odd_up(&d, tokens_with_odd_bytes);
    must(load(e, d.url, &r), &e->err);
    assert_int_equal(r.rows_added, 2);
    nx_httpd_stop(d.h);
}

static void huge_page(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)d, (void)k, (void)req;
    assert_int_equal(nx_buf_adds(&resp->body, "{\"bars\":{\"AAPL\":["), NX_OK);
    assert_int_equal(nx_buf_reserve(&resp->body, (size_t)70 << 20), NX_OK);
    while (resp->body.n < (size_t)66 << 20)
        assert_int_equal(nx_buf_adds(&resp->body, BAR("13:30:00", "10") ","), NX_OK);
    assert_int_equal(nx_buf_adds(&resp->body, BAR("13:30:00", "10") "]}}"), NX_OK);
}

static void a_page_has_a_limit(void **state)
{
    edge *e = *state;
    odd d;
    nx_pull_result r;
    odd_up(&d, huge_page);
    assert_int_equal(load(e, d.url, &r), NX_LIMIT);
    assert_int_equal(r.requests, 1);
    assert_non_null(strstr(e->err.text, "larger than"));
    clean(&e->err);
    nx_httpd_stop(d.h);
}

/* Twelve pages of 10,000 minutes in one window. */
static void many_rows(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)req;
    char t[40];
    k = d->last[0] == '\0' ? 0 : atoi(d->last);
    assert_int_equal(nx_buf_addf(&resp->body, "{\"next_page_token\":%s%d%s,\"bars\":{\"AAPL\":[",
                                 k == 11 ? "null,\"n\":" : "\"", k + 1, k == 11 ? "" : "\""),
                     NX_OK);
    for (int i = 0; i < 10000; i++) {
        nx_time_format_us(us("2000-01-01T00:00:00Z") + (int64_t)(k * 10000 + i) * 3600 * 1000000, t);
        assert_int_equal(nx_buf_addf(&resp->body,
                                     "%s{\"t\":\"%s\",\"o\":%d.25,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"n\":1,\"vw\":1}",
                                     i == 0 ? "" : ",", t, i),
                         NX_OK);
    }
    assert_int_equal(nx_buf_adds(&resp->body, "]}}"), NX_OK);
}

static void a_big_window_fits_little_memory(void **state)
{
    edge *e = *state; /* the engine has 256 MiB */
    odd d;
    nx_pull_result r;
    nx_pull_opts p = quick(e);
    odd_up(&d, many_rows);
    nx_alpaca_opts o = one_day(d.url);
    o.timeframe = "1Hour";
    p.refresh = true;
    for (int run = 0; run < 2; run++) {
        must(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), &e->err);
        assert_int_equal(r.rows_seen, 120000);
        assert_int_equal(r.rows_added, run == 0 ? 120000 : 0);
    }
    nx_httpd_stop(d.h);
}

/* ------------------------------------------------------------------ connections that break */

typedef struct cutter {
    int fd, port, cuts;
    pthread_t thread;
} cutter;

/* Nothing, half a head, half a body, then a whole answer; for every request a connection. */
static void *cut(void *ctx)
{
    cutter *c = ctx;
    static const char *const parts[] = {
        "", "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{\"bars\":{\"AAPL\":[" BAR("13:30:00", "10")};
    for (c->cuts = 0; c->cuts <= 3; c->cuts++) {
        int fd = accept(c->fd, NULL, NULL);
        if (fd < 0)
            break;
        char in[4096], out[2048];
        ssize_t got = recv(fd, in, sizeof in, 0);
        if (got > 0 && c->cuts < 3)
            got = send(fd, parts[c->cuts], strlen(parts[c->cuts]), MSG_NOSIGNAL);
        else if (got > 0)
            got = send(fd, out,
                       (size_t)snprintf(out, sizeof out,
                                        "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
                                        strlen(TWO), TWO),
                       MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static void cut_connections(void **state)
{
    edge *e = *state;
    cutter c = {.fd = socket(AF_INET, SOCK_STREAM, 0)};
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    assert_int_equal(bind(c.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(c.fd, 8), 0);
    assert_int_equal(getsockname(c.fd, (struct sockaddr *)&a, &n), 0);
    assert_int_equal(pthread_create(&c.thread, NULL, cut, &c), 0);
    char url[64];
    nx_pull_result r;
    snprintf(url, sizeof url, "http://127.0.0.1:%d", ntohs(a.sin_port));
    must(load(e, url, &r), &e->err);
    assert_int_equal(r.rows_added, 2);
    assert_int_equal(r.rows_seen, 2);
    assert_int_equal(r.retries, 3);
    pthread_join(c.thread, NULL);
    close(c.fd);
}

/* ------------------------------------------------------------------ rows that break their contract */

static void bad_rows(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)d, (void)k, (void)req;
    say_body(resp, 200,
             "{\"bars\":{\"AAPL\":[" BAR("13:30:00", "\"dear\"") "," BAR("13:31:00", "10") "," BAR(
                 "13:32:00", "1e30") ",7,null],"
                                     "\"GME\":[" BAR("13:30:00", "\"dear\"") "," BAR("13:30:00", "\"dear\"") "," BAR(
                                         "13:31:00", "0.0000001") "]},\"next_page_token\":null}");
}

static void refused_rows_are_kept_once(void **state)
{
    edge *e = *state;
    odd d;
    nx_pull_result r;
    odd_up(&d, bad_rows);
    for (int run = 0; run < 2; run++) {
        must(load(e, d.url, &r), &e->err);
        assert_int_equal(r.rows_seen, 8);
        assert_int_equal(r.rows_added, run == 0 ? 1 : 0);
        assert_int_equal(r.rejected, run == 0 ? 6 : 0); /* the same bytes of another symbol are another row */
    }
    assert_int_equal(edge_count(e, "quarantine.records"), 6);
    assert_int_equal(
        edge_count(e, "quarantine.records where source = 'alpaca.rest' and contract like 'bars@%' and state = 'open'"),
        6);
    assert_string_equal(
        edge_ask(
            e,
            "select string_agg(v, ',' order by v) from (select list_filter(errors, lambda x: x.rule = 'context' and x.field = "
            "'symbol')[1].value as v from quarantine.records where decode(raw) = '" BAR("13:30:00", "\"dear\"") "')"),
        "AAPL,GME");
    nx_httpd_stop(d.h);
}

/* ------------------------------------------------------------------ changed rows */

static void changing(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)k, (void)req;
    static const char *const trades[] = {
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[\"@\",\"I\"],\"z\":\"C\"},"
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":11,\"s\":5,\"c\":[\"@\"],\"z\":\"C\"}", /* an id twice */
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[\"@\"],\"z\":\"C\"},"
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":11,\"s\":5,\"c\":[\"@\"],\"z\":\"C\"}", /* other conditions */
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[\"@\"],\"z\":\"C\",\"u\":\"incorrect\"},"
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[\"@\"],\"z\":\"C\",\"u\":\"corrected\"},"
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":11,\"s\":5,\"c\":[\"@\"],\"z\":\"C\"}",
        "{\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":1,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[],\"new\":{\"a\":[1]},\"p2\":2},"
        "{\"new\":{\"a\":[1]},\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":2,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[],\"p2\":2}",
        "{\"p2\":2,\"new\":{\"a\":[1]},\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":2,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[]}", /* another order */
        "{\"p2\":2,\"new\":{\"a\":[1,2]},\"t\":\"2026-09-08T13:30:00.000000001Z\",\"i\":2,\"x\":\"D\",\"p\":10,\"s\":5,\"c\":[]}",
    };
    assert_int_equal(nx_buf_addf(&resp->body, "{\"trades\":{\"AAPL\":[%s]},\"next_page_token\":null}", trades[d->mode]),
                     NX_OK);
}

static void what_counts_as_changed(void **state)
{
    edge *e = *state;
    odd d;
    odd_up(&d, changing);
    static const int added[] = {2, 1, 2, 2, 0, 1};
    nx_pull_opts p = quick(e);
    p.refresh = true;
    nx_alpaca_opts o = one_day(d.url);
    for (int mode = 0; mode < (int)NX_COUNT_OF(added); mode++) {
        d.mode = mode;
        for (int again = 0; again < 2; again++) {
            nx_pull_result r;
            must(nx_backfill_alpaca(&p, NX_ALPACA_TRADES, &o, &r, &e->err), &e->err);
            if (r.rows_added != (again == 0 ? added[mode] : 0))
                fail_msg("page %d, run %d: %lld rows were added", mode, again, (long long)r.rows_added);
        }
    }
    /* history declares when it was known; what replaces it was known when it came */
    assert_string_equal(
        edge_ask(
            e,
            "select string_agg(_known_basis, ',' order by _ingest_pos, _ingest_idx) from bronze.trades where trade_id = 2"),
        "declared,received");
    assert_int_equal(
        edge_count(
            e,
            "bronze.trades where (_known_basis = 'declared' and _known_at <> ts) or (_known_basis = 'received' and _known_at <> "
            "_received_at)"),
        0);
    nx_httpd_stop(d.h);
}

/* ------------------------------------------------------------------ stop, quota */

typedef struct stopper {
    odd *d;
    volatile bool stop;
} stopper;

static void wait_long(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)d, (void)k, (void)req;
    nx_httpd_resp_header(resp, "Retry-After", "600");
    say_body(resp, 429, "");
}

static void *stop_when_asked(void *ctx)
{
    stopper *s = ctx;
    for (int n = 0; n == 0;) {
        nx_clock_sleep_ms(1, NULL);
        pthread_mutex_lock(&s->d->lock);
        n = s->d->n;
        pthread_mutex_unlock(&s->d->lock);
    }
    nx_stop_ask(&s->stop);
    return NULL;
}

static void stop_ends_it(void **state)
{
    edge *e = *state;
    odd d;
    odd_up(&d, wait_long);
    stopper s = {.d = &d};
    nx_pull_opts p = quick(e);
    p.stop = &s.stop;
    nx_alpaca_opts o = one_day(d.url);
    nx_pull_result r;
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, stop_when_asked, &s), 0);
    assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), NX_CANCELLED); /* not after ten minutes */
    pthread_join(t, NULL);
    assert_int_equal(r.requests, 1);
    assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), NX_CANCELLED);
    assert_int_equal(r.requests, 0);
    nx_httpd_stop(d.h);
}

static void quick_answers(odd *d, int k, const nx_httpd_req *req, nx_httpd_resp *resp)
{
    (void)k, (void)req;
    if (d->mode == 1) {
        nx_httpd_resp_header(resp, "X-Ratelimit-Remaining", "0.0");
        nx_httpd_resp_header(resp, "X-Ratelimit-Reset", "0");
    }
    say_body(resp, 200, "{}");
}

static nx_mono_ns time_of(nx_fetch *f, const char *url, int requests)
{
    nx_mono_ns began = nx_clock_mono();
    nx_err err = {0};
    for (int i = 0; i < requests; i++) {
        nx_http_resp resp = {0};
        must(nx__fetch(f, &(nx_http_req){.method = "GET", .url = url}, false, &resp, &err), &err);
        nx_http_resp_drop(&resp);
    }
    return nx_clock_mono() - began;
}

static void the_quota_is_kept(void **state)
{
    edge *e = *state;
    odd d;
    odd_up(&d, quick_answers);
    nx_pull_opts p = quick(e);
    nx_pull_result r = {0};
    nx_fetch f;
    p.requests_per_minute = 600;
    must(nx__fetch_open(&f, &p, &r, "Alpaca", NULL, &e->err), &e->err);
    assert_true(f.tokens == 600);
    f.tokens = 0; /* spent: ten a second from now on */
    f.filled_at = nx_clock_mono();
    assert_true(time_of(&f, d.url, 4) >= 400000000);
    f.tokens = 600;
    d.mode = 1;
    assert_true(time_of(&f, d.url, 2) >= 1000000000); /* the window is spent and just over: one second */
    nx__fetch_close(&f);
    nx_httpd_stop(d.h);
}

static void options_are_checked(void **state)
{
    edge *e = *state;
    nx_pull_opts p = quick(e);
    nx_pull_result r;
    nx_alpaca_opts o = one_day("http://127.0.0.1:1");
    static const char *const none[] = {NULL};
    o.symbols = none;
    assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), NX_INVALID);
    o = one_day("http://127.0.0.1:1");
    o.end_us = o.start_us;
    assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_ACTIONS, &o, &r, &e->err), NX_INVALID);
    o.start_us = INT64_MIN;
    assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_TRADES, &o, &r, &e->err), NX_INVALID);
    o = one_day("http://127.0.0.1:1");
    static char long_name[9000];
    memset(long_name, 'A', sizeof long_name - 1);
    const char *const many[] = {long_name, NULL};
    o.symbols = many;
    assert_int_equal(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &o, &r, &e->err), NX_LIMIT);
    assert_int_equal(r.requests, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, edge_up, edge_down)

int main(void)
{
    nx_clock_set_wall(late, NULL);
    const struct CMUnitTest tests[] = {
        CASE(faults_pass),
        CASE(it_gives_up),
        CASE(refusals_are_told),
        CASE(credentials_that_break_headers),
        CASE(pages_in_a_circle),
        CASE(tokens_are_opaque),
        CASE(a_page_has_a_limit),
        CASE(a_big_window_fits_little_memory),
        CASE(cut_connections),
        CASE(what_counts_as_changed),
        CASE(refused_rows_are_kept_once),
        CASE(stop_ends_it),
        CASE(the_quota_is_kept),
        CASE(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
