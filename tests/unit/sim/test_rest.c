/* The Alpaca side over HTTP: shapes, paging, limits, errors, the clock, faults; and what the synthetic world
 * promises. */
#include "sim_kit.h"

#include <math.h>

#include "data/time.h"

static kit *world; /* the default synthetic world, 30 sessions */

static int setup(void **state)
{
    (void)state;
    world = kit_start((nx_sim_opts){.seed = 1});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    kit_stop(world);
    return 0;
}

/* All pages of a query below one symbol map; rows a symbol counted, order checked. */
typedef struct tally {
    size_t rows, pages;
    char last_symbol[16];
    int64_t last_ts, last_id;
} tally;

static void add_page(tally *t, const nx_val *map, size_t limit)
{
    size_t rows = 0;
    for (size_t i = 0; i < map->n; i++) {
        int order = strcmp(map->keys[i].p, t->last_symbol);
        assert_true(order >= 0);
        if (order > 0) {
            t->last_ts = INT64_MIN;
            t->last_id = 0;
        }
        snprintf(t->last_symbol, sizeof t->last_symbol, "%s", map->keys[i].p);
        assert_true(map->items[i].n > 0);
        for (size_t k = 0; k < map->items[i].n; k++) {
            const nx_val *row = &map->items[i].items[k];
            int64_t ts, id = nx_val_i64(nx_val_get(row, "i"), 0);
            assert_true(nx_time_parse_ns(nx_val_str(nx_val_get(row, "t"), NX_STR("")), &ts));
            assert_true(ts > t->last_ts || (ts == t->last_ts && id > t->last_id));
            t->last_ts = ts;
            t->last_id = id;
        }
        rows += map->items[i].n;
    }
    assert_true(rows <= limit);
    t->rows += rows;
    t->pages++;
}

static tally read_all(kit *k, const char *query, const char *key, size_t limit)
{
    tally t = {.last_ts = INT64_MIN};
    char path[2048], token[1024] = "";
    for (;;) {
        snprintf(path, sizeof path, "%s&limit=%zu%s%s", query, limit, token[0] == '\0' ? "" : "&page_token=", token);
        nx_arena_reset(&k->arena);
        const nx_val *v = kit_get(k, path);
        add_page(&t, nx_val_get(v, key), limit);
        nx_str next = nx_val_str(nx_val_get(v, "next_page_token"), NX_STR(""));
        assert_non_null(nx_val_get(v, "next_page_token"));
        if (next.n == 0)
            return t;
        nx_buf b;
        nx_buf_init(&b, sizeof token);
        assert_int_equal(nx_url_encode(&b, next), NX_OK);
        snprintf(token, sizeof token, "%s", b.p);
        nx_buf_drop(&b);
    }
}

#define ALL "AAPL,AMD,GME,MSFT,NVDA,PLTR,SPY,TSLA"

static void paging_loses_nothing(void **state)
{
    (void)state;
    const char *q = "/v2/stocks/bars?symbols=SPY,GME,GME,ZZZZ&timeframe=1Min&start=2026-09-08&end=2026-09-11";
    tally small = read_all(world, q, "bars", 97), large = read_all(world, q, "bars", 10000);
    assert_int_equal(small.rows, large.rows);
    assert_true(large.pages == 1 && small.pages == (small.rows + 96) / 97);
    assert_true(large.rows > 4 * 2 * 385 && large.rows <= 4 * 2 * 390);
    q = "/v2/stocks/trades?symbols=" ALL "&start=2026-09-08&end=2026-09-15";
    small = read_all(world, q, "trades", 131), large = read_all(world, q, "trades", 10000);
    assert_int_equal(small.rows, large.rows);
    assert_true(large.rows > 6 * 8 * 60);
}

static void the_whole_history(void **state)
{
    (void)state;
    tally bars = read_all(world, "/v2/stocks/bars?symbols=" ALL "&timeframe=1Min&start=2026-09-01&end=2026-12-31",
                          "bars", 10000);
    assert_true(bars.rows > 93000 && bars.rows <= 8 * 30 * 390); /* the live day has not begun: its open is now */
    tally trades =
        read_all(world, "/v2/stocks/trades?symbols=" ALL "&start=2026-09-01&end=2026-12-31", "trades", 10000);
    assert_true(trades.rows > 15000 && trades.rows < 25000);
}

static void shapes(void **state)
{
    (void)state;
    const nx_val *v =
        kit_get(world, "/v2/stocks/AAPL/bars?timeframe=1Min&start=2026-09-08T13:30:00Z&end=2026-09-08T13:32:00Z");
    assert_true(nx_str_is(nx_val_str(nx_val_get(v, "symbol"), NX_STR("")), "AAPL"));
    assert_int_equal(nx_val_get(v, "bars")->n, 3); /* both ends inclusive */
    const nx_val *b = &nx_val_get(v, "bars")->items[0];
    assert_true(nx_str_is(nx_val_get(b, "t")->s, "2026-09-08T13:30:00Z"));
    double o = nx_val_f64(nx_val_get(b, "o"), 0), h = nx_val_f64(nx_val_get(b, "h"), 0),
           l = nx_val_f64(nx_val_get(b, "l"), 0), c = nx_val_f64(nx_val_get(b, "c"), 0),
           vw = nx_val_f64(nx_val_get(b, "vw"), 0);
    assert_true(l <= o && l <= c && h >= o && h >= c && vw >= l && vw <= h);
    assert_string_equal(kit_body(world, "/v2/stocks/bars?symbols=NOSUCH&timeframe=1Min&start=2026-09-08", 200),
                        "{\"bars\":{},\"next_page_token\":null}");
    assert_non_null(nx_http_resp_header(&world->resp, "x-ratelimit-remaining"));
}

static double sum_of(const nx_val *rows, const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < rows->n; i++)
        sum += nx_val_f64(nx_val_get(&rows->items[i], key), 0);
    return sum;
}

static void folding(void **state)
{
    (void)state;
    nx_arena_reset(&world->arena);
    const char *form = "/v2/stocks/TSLA/bars?timeframe=%s&start=2026-09-09&end=2026-09-09&limit=1000";
    char path[256];
    static const struct {
        const char *timeframe;
        size_t rows;
        const char *first;
    } cases[] = {{"1Min", 390, "2026-09-09T13:30:00Z"},
                 {"5T", 78, "2026-09-09T13:30:00Z"},
                 {"1Hour", 7, "2026-09-09T13:00:00Z"},
                 {"1Day", 1, "2026-09-09T04:00:00Z"}};
    double volume = 0, count = 0, last = 0;
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        snprintf(path, sizeof path, form, cases[i].timeframe);
        const nx_val *rows = nx_val_get(kit_get(world, path), "bars");
        assert_int_equal(rows->n, cases[i].rows);
        assert_true(nx_str_is(nx_val_get(&rows->items[0], "t")->s, cases[i].first));
        if (i == 0) {
            volume = sum_of(rows, "v");
            count = sum_of(rows, "n");
            last = nx_val_f64(nx_val_get(&rows->items[rows->n - 1], "c"), 0);
        }
        assert_true(sum_of(rows, "v") == volume && sum_of(rows, "n") == count);
        assert_true(nx_val_f64(nx_val_get(&rows->items[rows->n - 1], "c"), 0) == last);
    }
}

static void errors(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int status;
        const char *text;
    } cases[] = {
        {"/v2/stocks/bars?timeframe=1Min", 400,
         "Invalid format for parameter symbols: query parameter 'symbols' is required"},
        {"/v2/stocks/bars?symbols=AAPL", 400, "invalid timeframe"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=60Min", 400, "invalid timeframe"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=1Min&limit=10001", 400, "limit"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=1Min&limit=0", 400, "limit"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2025-04-21T15:49:12", 400,
         "Invalid format for parameter start: error parsing"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2026-09-10&end=2026-09-09", 400,
         "end should not be before start"},
        {"/v2/stocks/bars?symbols=BTC/USD&timeframe=1Min", 400, "invalid symbol"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=1Min&page_token=!!", 400, "page_token"},
        {"/v2/stocks/bars?symbols=AAPL&timeframe=1Min&adjustment=split", 400, "adjustment"},
        {"/v2/stocks/AAPL/nothing", 404, "endpoint not found."},
        {"/v2/assets/NOSUCH", 404, "asset not found for NOSUCH"},
        {"/v2/assets?status=odd", 422, "42210000"},
        {"/v2/calendar?start=soon", 422, "42210000"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++)
        assert_non_null(strstr(kit_body(world, cases[i].path, cases[i].status), cases[i].text));
    assert_int_equal(kit_ask(world, "GET", "/v2/clock", NULL, ""), 401);
    assert_non_null(strstr(world->resp.body.p, "<center>nginx</center>"));
    kit *k = kit_start((nx_sim_opts){.sessions = 1, .key = "K1", .secret = "other", .free_plan = true});
    assert_int_equal(kit_ask(k, "GET", "/v2/clock", kit_keys, ""), 403);
    assert_string_equal(k->resp.body.p, "{\"message\":\"forbidden.\"}");
    static const char *const good[] = {"APCA-API-KEY-ID: K1", "APCA-API-SECRET-KEY: other", NULL};
    assert_int_equal(kit_ask(k, "GET", "/v2/stocks/bars?symbols=SPY&timeframe=1Min&feed=sip&end=2027-01-01", good, ""),
                     403);
    assert_non_null(strstr(k->resp.body.p, "subscription does not permit querying recent SIP data"));
    assert_int_equal(kit_ask(k, "GET", "/v2/stocks/bars?symbols=SPY&timeframe=1Min&feed=iex&end=2027-01-01", good, ""),
                     200);
    kit_stop(k);
}

static void clock_and_assets(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 30});
    static const int at[] = {0, 12, 25};
    static const char *const amd[] = {"Advanced Micro Devices, Inc. Common Stock", "AMD Inc. Common Stock",
                                      "AMD Inc. Common Stock"};
    static const char *const pltr[] = {"NYSE", "NYSE", "NASDAQ"};
    for (size_t i = 0; i < 3; i++) {
        char body[128], text[48];
        nx_time_format_ns(nx_sim_open(k->sim, at[i]), text);
        snprintf(body, sizeof body, "{\"now\":\"%s\"}", text);
        assert_int_equal(kit_ask(k, "POST", "/sim/clock", NULL, body), 200);
        const nx_val *a = kit_get(k, "/v2/assets/AMD");
        assert_true(nx_str_is(nx_val_get(a, "name")->s, amd[i]));
        a = kit_get(k, "/v2/assets/PLTR");
        assert_true(nx_str_is(nx_val_get(a, "exchange")->s, pltr[i]));
        assert_int_equal(kit_get(k, "/v2/assets?status=active")->n, i == 2 ? 13 : 14);
        const nx_val *bars =
            nx_val_get(kit_get(k, "/v2/stocks/SPY/bars?timeframe=1Day&start=2026-09-01&end=2026-12-31"), "bars");
        assert_int_equal(bars->n, at[i]); /* only sessions that are over */
    }
    const nx_val *v = kit_get(k, "/v1/corporate-actions?start=2026-09-01&end=2026-12-31");
    const nx_val *split = nx_val_path(v, "corporate_actions.forward_splits"),
                 *dividend = nx_val_path(v, "corporate_actions.cash_dividends");
    assert_true(split->n == 1 && dividend->n == 1);
    assert_int_equal(nx_val_i64(nx_val_get(&split->items[0], "new_rate"), 0), 4);
    assert_int_equal(
        nx_val_path(kit_get(k, "/v1/corporate-actions?start=2026-09-01&end=2026-12-31&types=cash_dividend"),
                    "corporate_actions.forward_splits") == NULL,
        1);
    const nx_val *page = kit_get(k, "/v1/corporate-actions?start=2026-09-01&end=2026-12-31&limit=1");
    assert_true(nx_str_is(nx_val_get(page, "next_page_token")->s, "1"));
    page = kit_get(k, "/v1/corporate-actions?start=2026-09-01&end=2026-12-31&limit=1&page_token=1");
    assert_int_equal(nx_val_path(page, "corporate_actions.forward_splits")->n, 1);
    assert_int_equal(nx_val_get(page, "next_page_token")->kind, NX_VAL_NULL);
    assert_int_equal(kit_ask(k, "POST", "/sim/clock", NULL, "{\"now\":\"2026-10-05T15:00:00Z\"}"), 200);
    assert_string_equal(kit_body(k, "/v2/clock", 200),
                        "{\"timestamp\":\"2026-10-05T11:00:00-04:00\",\"is_open\":true,\"next_open\":"
                        "\"2026-10-06T09:30:00-04:00\",\"next_close\":\"2026-10-05T16:00:00-04:00\"}");
    assert_int_equal(kit_ask(k, "POST", "/sim/clock", NULL, "{\"now\":\"today\"}"), 400);
    kit_stop(k);
}

static void calendar(void **state)
{
    (void)state;
    static const char *const closed[] = {"2024-01-01", "2024-01-15", "2024-02-19", "2024-03-29", "2024-05-27",
                                         "2024-06-19", "2024-07-04", "2024-09-02", "2024-11-28", "2024-12-25",
                                         "2021-07-05", "2021-12-24", "2022-06-20", "2023-01-02"};
    static const char *const open[] = {"2021-12-31", "2021-06-18", "2024-07-05", "2024-10-14", "2022-01-03"};
    char path[128];
    for (size_t i = 0; i < NX_COUNT_OF(closed); i++) {
        snprintf(path, sizeof path, "/v2/calendar?start=%s&end=%s", closed[i], closed[i]);
        assert_string_equal(kit_body(world, path, 200), "[]");
    }
    for (size_t i = 0; i < NX_COUNT_OF(open); i++) {
        snprintf(path, sizeof path, "/v2/calendar?start=%s&end=%s", open[i], open[i]);
        assert_int_equal(kit_get(world, path)->n, 1);
    }
    assert_int_equal(kit_get(world, "/v2/calendar?start=2024-01-01&end=2024-12-31")->n, 252);
    assert_string_equal(kit_body(world, "/v2/calendar?start=2024-07-03&end=2024-07-03", 200),
                        "[{\"date\":\"2024-07-03\",\"open\":\"09:30\",\"close\":\"16:00\",\"session_open\":\"0400\","
                        "\"session_close\":\"2000\","
                        "\"settlement_date\":\"2024-07-05\"}]");
}

static void same_seed_same_bytes(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "/v2/stocks/bars?symbols=" ALL "&timeframe=1Min&start=2026-09-08&end=2026-09-12&limit=10000",
        "/v2/stocks/trades?symbols=" ALL "&start=2026-09-08&end=2026-09-12&limit=10000", "/v2/assets"};
    kit *a = kit_start((nx_sim_opts){.seed = 5, .sessions = 4}),
        *b = kit_start((nx_sim_opts){.seed = 5, .sessions = 4}),
        *c = kit_start((nx_sim_opts){.seed = 6, .sessions = 4});
    for (size_t i = 0; i < NX_COUNT_OF(paths); i++) {
        kit_body(c, paths[i], 200);
        assert_string_equal(kit_body(a, paths[i], 200), kit_body(b, paths[i], 200));
        assert_int_equal(strcmp(a->resp.body.p, c->resp.body.p) == 0,
                         i == 2); /* only the asset list does not follow the seed */
    }
    kit_stop(a);
    kit_stop(b);
    kit_stop(c);
}

static void faults(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 1, .faults = {.refuse_every = 3, .fail_every = 4}});
    static const int expected[] = {200, 200, 429, 500, 200, 429, 200, 503, 429, 200, 200, 429};
    for (size_t i = 0; i < NX_COUNT_OF(expected); i++) {
        assert_int_equal(kit_ask(k, "GET", "/v2/clock", kit_keys, ""), expected[i]);
        if (i == 2 || i == 8)
            assert_string_equal(nx_http_resp_header(&k->resp, "retry-after"), "1");
        if (i == 5)
            assert_null(nx_http_resp_header(&k->resp, "retry-after"));
        if (expected[i] == 429)
            assert_string_equal(k->resp.body.p, "{\"message\":\"too many requests.\"}");
    }
    kit_stop(k);
}

static void bad_options(void **state)
{
    (void)state;
    static const char *const none[] = {"/nonexistent/bars.ndjson"};
    const nx_sim_opts bad[] = {{.listen = "127.0.0.1:0", .sessions = 251},
                               {.listen = "127.0.0.1:0", .start_date = "2026-13-01"},
                               {.listen = "127.0.0.1:0", .clock = "noon"},
                               {.listen = "127.0.0.1:0", .live_minutes = 391},
                               {.listen = "here"},
                               {.listen = "127.0.0.1:0", .bars = none, .n_bars = 1},
                               {.listen = "127.0.0.1:0", .tapes = none, .n_tapes = 1}};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        nx_sim *s = NULL;
        nx_err err = {0};
        assert_int_equal(nx_sim_start(&bad[i], &s, &err), i < 5 ? NX_INVALID : NX_NOT_FOUND);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paging_loses_nothing),
        cmocka_unit_test(the_whole_history),
        cmocka_unit_test(shapes),
        cmocka_unit_test(folding),
        cmocka_unit_test(errors),
        cmocka_unit_test(clock_and_assets),
        cmocka_unit_test(calendar),
        cmocka_unit_test(same_seed_same_bytes),
        cmocka_unit_test(faults),
        cmocka_unit_test(bad_options),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
