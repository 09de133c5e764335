/* Alpaca's REST side against the look-alike: everything that it serves arrives, every decimal as it was written; again, overlapping and changed.
 * Promise 2. */
#include "unit/ingest/pull_kit.h"

#include "base/clock.h"

static const char *const symbols[] = {"AAPL", "GME", "TSLA", NULL};

typedef struct sheet {
    nx_session *s;
    nx_buf sql;
    size_t rows;
} sheet;

/* A member as it stands in the page, as SQL text. */
static void cell(sheet *t, const nx_val *row, const char *key)
{
    const nx_val *v = nx_val_get(row, key);
    if (v == NULL || v->kind == NX_VAL_NULL)
        assert_int_equal(nx_buf_adds(&t->sql, ", null"), NX_OK);
    else
        assert_int_equal(nx_buf_addf(&t->sql, ", '" NX_STR_FMT "'", NX_STR_ARG(v->s)), NX_OK);
}

static void list_cell(sheet *t, const nx_val *list)
{
    assert_int_equal(nx_buf_adds(&t->sql, ", ["), NX_OK);
    for (size_t i = 0; i < list->n; i++)
        assert_int_equal(nx_buf_addf(&t->sql, "%s'" NX_STR_FMT "'", i == 0 ? "" : ", ", NX_STR_ARG(list->items[i].s)),
                         NX_OK);
    assert_int_equal(nx_buf_adds(&t->sql, "]"), NX_OK);
}

static void add_rows(sheet *t, const nx_val *by_symbol, bool bars)
{
    static const char *const bar[] = {"t", "o", "h", "l", "c", "v", "n", "vw", NULL}, *const trade[] = {"t", "i", "x",
                                                                                                        "p", "s", "z",
                                                                                                        "u", NULL};
    for (size_t k = 0; k < by_symbol->n; k++)
        for (size_t i = 0; i < by_symbol->items[k].n; i++) {
            const nx_val *row = &by_symbol->items[k].items[i];
            assert_int_equal(nx_buf_addf(&t->sql, "%s('" NX_STR_FMT "'",
                                         t->sql.n == 0 ? "insert into served values " : ", ",
                                         NX_STR_ARG(by_symbol->keys[k])),
                             NX_OK);
            for (const char *const *c = bars ? bar : trade; *c != NULL; c++)
                cell(t, row, *c);
            if (!bars)
                list_cell(t, nx_val_get(row, "c"));
            assert_int_equal(nx_buf_addc(&t->sql, ')'), NX_OK);
            t->rows++;
        }
    nx_err err = {0};
    if (t->sql.n > 0)
        must(nx_session_exec(t->s, nx_buf_str(&t->sql), NULL, &err), &err);
    nx_buf_clear(&t->sql);
}

/* Reads all pages by hand, small ones, into the table "served" of a session: the wire's texts. */
static void read_served(sheet *t, const char *url, const char *query, bool bars)
{
    nx_err err = {0};
    nx_http *h;
    must(nx_http_new(NULL, &h, &err), &err);
    static const char *const keys[] = {"APCA-API-KEY-ID: k", "APCA-API-SECRET-KEY: s", NULL};
    nx_buf at;
    nx_buf_init(&at, 0);
    nx_buf token;
    nx_buf_init(&token, 0);
    for (bool more = true; more;) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_buf_clear(&at);
        assert_int_equal(nx_buf_addf(&at, "%s%s&limit=777%s", url, query, token.n == 0 ? "" : "&page_token="), NX_OK);
        assert_int_equal(nx_url_encode(&at, nx_buf_str(&token)), NX_OK);
        nx_http_resp resp;
        must(nx_http_send(h, &(nx_http_req){.method = "GET", .url = at.p, .headers = keys}, NULL, &resp, &err), &err);
        assert_int_equal(resp.status, 200);
        nx_val *v;
        must(nx_json_parse(nx_buf_str(&resp.body), NULL, &a, &v, &err), &err);
        add_rows(t, nx_val_get(v, bars ? "bars" : "trades"), bars);
        nx_str next = nx_val_str(nx_val_get(v, "next_page_token"), NX_STR(""));
        nx_buf_clear(&token);
        assert_int_equal(nx_buf_add(&token, next), NX_OK);
        more = next.n > 0;
        nx_http_resp_drop(&resp);
    }
    nx_buf_drop(&at);
    nx_buf_drop(&token);
    nx_http_drop(h);
}

static int64_t ask_session(nx_session *s, const char *sql)
{
    nx_result *r;
    nx_err err = {0};
    must(nx_session_query(s, nx_str_of(sql), &r, &err), &err);
    int64_t n = nx_result_i64(r, 0, 0, -1);
    nx_result_drop(r);
    return n;
}

/* Both queries give the same rows, equal ones as often. */
static void same_rows(nx_session *s, const char *want, const char *have)
{
    char sql[2048];
    snprintf(
        sql, sizeof sql,
        "select count(*) from (select w from (select w, 1 as n from (%s) w union all select h, -1 from (%s) h) group by w having sum(n) <> 0)",
        want, have);
    assert_int_equal(ask_session(s, sql), 0);
}

static sheet sheet_of(edge *e, const char *create)
{
    sheet t = {0};
    nx_buf_init(&t.sql, 0);
    must(nx_session_open(e->engine, &t.s, &e->err), &e->err);
    must(nx_session_exec(t.s, nx_str_of(create), NULL, &e->err), &e->err);
    return t;
}

static nx_alpaca_opts range(const char *url, const char *start, const char *end)
{
    return (nx_alpaca_opts){.data_url = url,
                            .trading_url = url,
                            .key = KEY,
                            .secret = SECRET,
                            .symbols = symbols,
                            .timeframe = "1Min",
                            .feed = "iex",
                            .start_us = us(start),
                            .end_us = us(end),
                            .delay_us = 1500000};
}

static nx_pull_result load(edge *e, nx_alpaca_kind kind, nx_alpaca_opts o, bool refresh)
{
    nx_pull_opts p = quick(e);
    nx_pull_result r;
    p.refresh = refresh;
    must(nx_backfill_alpaca(&p, kind, &o, &r, &e->err), &e->err);
    return r;
}

static void bars_are_what_was_served(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 6}, url);
    nx_alpaca_opts o = range(url, "2026-09-08T00:00:00Z", "2026-09-17T00:00:00Z");
    nx_pull_result r = load(e, NX_ALPACA_BARS, o, false);
    sheet t = sheet_of(
        e, "create temp table served (symbol text, t text, o text, h text, l text, c text, v text, n text, vw text)");
    read_served(
        &t, url,
        "/v2/stocks/bars?symbols=AAPL,GME,TSLA&timeframe=1Min&feed=iex&start=2026-09-08T00:00:00Z&end=2026-09-16T23:59:59Z",
        true);
    assert_true(t.rows > 6 * 3 * 350);
    assert_int_equal(r.rows_seen, t.rows);
    assert_int_equal(r.rows_added, t.rows);
    assert_int_equal(r.rejected, 0);
    assert_int_equal(r.windows, 2);
    must(nx_lake_attach(e->lake, t.s, &e->err), &e->err);
    const char *want =
        "select symbol, t::timestamp as ts, o::decimal(18,6) as open, h::decimal(18,6) as high, l::decimal(18,6) as low, "
        "c::decimal(18,6) as close, v::decimal(18,6) as volume, n::bigint as trade_count, vw::decimal(18,6) as vwap from served";
    const char *have = "select symbol, ts, open, high, low, close, volume, trade_count, vwap from bronze.bars";
    same_rows(t.s, want, have);
    assert_int_equal(
        edge_count(
            e,
            "bronze.bars where timeframe <> '1Min' or kind <> 'bar' or adjustment <> 'raw' or _source <> 'alpaca.rest' or "
            "_known_basis <> 'declared' or _known_at <> ts + interval 61500000 microseconds or _extra is not null "
            "or event_month <> strftime(ts, '%Y-%m') or _received_at < _known_at"),
        0);
    assert_int_equal(
        edge_count(e, "(select _ingest_pos, _ingest_idx from bronze.bars group by all having count(*) > 1)"), 0);
    nx_session_close(t.s);
    nx_buf_drop(&t.sql);
    nx_sim_stop(sim);
}

static void trades_are_what_was_served(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 30, .seed = 3}, url);
    nx_alpaca_opts o = range(url, "2026-09-08T00:00:00Z", "2026-10-01T00:00:00Z");
    nx_pull_result r = load(e, NX_ALPACA_TRADES, o, false);
    sheet t = sheet_of(
        e, "create temp table served (symbol text, t text, i text, x text, p text, s text, z text, u text, c text[])");
    read_served(&t, url,
                "/v2/stocks/trades?symbols=AAPL,GME,TSLA&feed=iex&start=2026-09-08T00:00:00Z&end=2026-09-30T23:59:59Z",
                false);
    assert_true(t.rows > 1000);
    assert_int_equal(r.rows_added, t.rows);
    assert_int_equal(r.rejected, 0);
    must(nx_lake_attach(e->lake, t.s, &e->err), &e->err);
    const char *want =
        "select symbol, epoch_ns(t::timestamp_ns) as ts_ns, i::bigint as trade_id, x as exchange, p::decimal(18,6) as price, "
        "s::decimal(18,6) as size, z as tape, u as update_status, c as conditions from served";
    const char *have =
        "select symbol, ts_ns, trade_id, exchange, price, size, tape, update_status, conditions from bronze.trades";
    same_rows(t.s, want, have);
    assert_true(edge_count(e, "bronze.trades where update_status is not null") > 0);
    assert_int_equal(edge_count(e, "bronze.trades where event_date <> ts::date"), 0);
    nx_session_close(t.s);
    nx_buf_drop(&t.sql);
    nx_pull_result again = load(e, NX_ALPACA_TRADES, o, false);
    assert_int_equal(again.requests, 0); /* days without trades are marked, too */
    assert_int_equal(again.windows_skipped, 23);
    again = load(e, NX_ALPACA_TRADES, o, true);
    assert_int_equal(again.rows_seen, r.rows_seen);
    assert_int_equal(again.rows_added, 0);
    nx_sim_stop(sim);
}

static void nothing_is_added_twice(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 8}, url);
    nx_alpaca_opts o = range(url, "2026-09-08T00:00:00Z", "2026-09-12T00:00:00Z");
    nx_pull_result first = load(e, NX_ALPACA_BARS, o, false);
    nx_pull_result second = load(e, NX_ALPACA_BARS, o, false);
    assert_int_equal(second.rows_added, 0);
    assert_int_equal(second.windows_skipped, 1);
    assert_int_equal(second.requests, 0);
    nx_pull_result fresh = load(e, NX_ALPACA_BARS, o, true);
    assert_int_equal(fresh.rows_seen, first.rows_seen);
    assert_int_equal(fresh.rows_added, 0);
    /* ranges that overlap on both sides, another timeframe beside it, fewer symbols */
    o = range(url, "2026-09-10T00:00:00Z", "2026-09-17T00:00:00Z");
    nx_pull_result over = load(e, NX_ALPACA_BARS, o, false);
    assert_true(over.rows_added > 0 && over.rows_added < over.rows_seen);
    o.timeframe = "1Hour";
    nx_pull_result hours = load(e, NX_ALPACA_BARS, o, false);
    assert_int_equal(hours.rows_added, hours.rows_seen);
    assert_true(hours.rows_added > 0);
    static const char *const one[] = {"GME", NULL};
    o.timeframe = "1Min";
    o.symbols = one;
    assert_int_equal(load(e, NX_ALPACA_BARS, o, false).rows_added, 0);
    assert_int_equal(edge_count(e, "(select symbol, timeframe, ts from bronze.bars group by all having count(*) > 1)"),
                     0);
    assert_int_equal(edge_count(e, "bronze.bars"), first.rows_added + over.rows_added + hours.rows_added);
    nx_sim_stop(sim);
}

/* The list changes after a third and after two thirds of the sessions. */
static void a_changed_asset_is_a_new_observation(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 9, .clock = "2026-09-08T14:00:00Z"}, url);
    nx_alpaca_opts o = {.trading_url = url, .key = KEY, .secret = SECRET};
    nx_pull_result r = load(e, NX_ALPACA_ASSETS, o, false);
    assert_true(r.rows_added > 5);
    assert_int_equal(r.rows_added, r.rows_seen);
    assert_int_equal(load(e, NX_ALPACA_ASSETS, o, false).rows_added, 0);
    assert_int_equal(edge_count(e, "bronze.assets where _known_basis <> 'received' or _known_at <> _received_at"), 0);
    nx_sim_set_now(sim, nx_sim_open(sim, 4));
    nx_pull_result changed = load(e, NX_ALPACA_ASSETS, o, false);
    assert_true(changed.rows_added > 0 && changed.rows_added < changed.rows_seen);
    assert_int_equal(load(e, NX_ALPACA_ASSETS, o, false).rows_added, 0);
    nx_sim_set_now(sim, nx_sim_open(sim, 8));
    assert_true(load(e, NX_ALPACA_ASSETS, o, false).rows_added > 0);
    /* back to the first list: observed again, though the same was seen before */
    nx_sim_set_now(sim, nx_sim_open(sim, 0));
    assert_true(load(e, NX_ALPACA_ASSETS, o, false).rows_added > 0);
    assert_int_equal(load(e, NX_ALPACA_ASSETS, o, false).rows_added, 0);
    nx_sim_stop(sim);
}

static void corporate_actions(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 30}, url);
    nx_alpaca_opts o = range(url, "2026-09-01T00:00:00Z", "2026-12-01T00:00:00Z");
    o.symbols = NULL;
    assert_int_equal(load(e, NX_ALPACA_ACTIONS, o, false).rows_added, 2);
    assert_int_equal(load(e, NX_ALPACA_ACTIONS, o, false).rows_added, 0);
    assert_string_equal(
        edge_ask(
            e,
            "select string_agg(action_type || ' ' || symbol, ', ' order by action_type) from bronze.corporate_actions"),
        "cash_dividend MSFT, forward_split NVDA");
    assert_string_equal(edge_ask(e, "select rate from bronze.corporate_actions where symbol = 'MSFT'"),
                        "0.830000000000000000");
    nx_sim_stop(sim);
}

/* New York's holidays are no sessions (Labor Day, Thanksgiving); days ahead are told too. */
static void the_calendar_is_what_was_served(void **state)
{
    edge *e = *state;
    char url[64];
    nx_sim *sim = sim_up((nx_sim_opts){.sessions = 9, .clock = "2026-09-08T14:00:00Z"}, url);
    nx_alpaca_opts o = range(url, "2026-09-01T00:00:00Z", "2026-12-01T00:00:00Z");
    o.symbols = NULL;
    o.data_url = NULL;
    o.trading_url = url;
    nx_pull_result r = load(e, NX_ALPACA_CALENDAR, o, false);
    assert_int_equal(r.rows_added, 21 + 22 + 20);
    assert_int_equal(load(e, NX_ALPACA_CALENDAR, o, false).rows_added, 0);
    assert_string_equal(edge_ask(e, "select min(date) || ' ' || max(date) from bronze.calendar"),
                        "2026-09-01 2026-11-30");
    assert_int_equal(
        edge_count(e, "bronze.calendar where date in ('2026-09-07', '2026-11-26') or dayofweek(date) in (0, 6)"), 0);
    assert_string_equal(
        edge_ask(e, "select open || close || session_open || session_close || settlement_date || _known_basis "
                    "from bronze.calendar where date = '2026-09-04'"),
        "09:3016:00040020002026-09-08received");
    /* a range that overlaps adds only what is new; one without a session adds nothing */
    o.end_us += INT64_C(7) * 86400 * 1000000;
    assert_int_equal(load(e, NX_ALPACA_CALENDAR, o, false).rows_added, 5);
    o = range(url, "2026-09-05T00:00:00Z", "2026-09-08T00:00:00Z");
    o.trading_url = url;
    assert_int_equal(load(e, NX_ALPACA_CALENDAR, o, false).rows_seen, 0);
    nx_sim_stop(sim);
}

int main(void)
{
    nx_clock_set_wall(late, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bars_are_what_was_served, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(trades_are_what_was_served, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(nothing_is_added_twice, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(a_changed_asset_is_a_new_observation, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(corporate_actions, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(the_calendar_is_what_was_served, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
