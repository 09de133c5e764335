/* The stream client end to end: frames are in the log once the burst is over; the look-alike's live day arrives whole, and through cuts. */
#include "unit/ingest/vendor_kit.h"

#include "data/time.h"
#include "ingest/pull.h"
#include "sim/sim.h"

/* ------------------------------------------------------------------ bursts */

static void bursts(vendor *v, int k, nx_wsd_conn *c)
{
    (void)k;
    bool ok = vendor_sign_in(v, c);
    for (int i = 1; ok && i <= 3; i++) {
        char text[256];
        snprintf(
            text, sizeof text,
            "[{\"T\":\"t\",\"S\":\"AAPL\",\"i\":%d,\"x\":\"V\",\"p\":10.25,\"s\":100,\"c\":[\"@\"],\"z\":\"C\",\"t\":\"2026-10-20T13:30:00Z\"}]",
            i);
        ok = vendor_say(v, c, text);
    }
    vendor_listen(v, c);
}

/* The connection stays open and nothing is committed: what was received is in the log nevertheless. */
static void a_burst_is_synced(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, bursts, 0);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    nx_alpaca_ws *w = ws_start(e, &o);
    nx_stream_stats s;
    do {
        nx_clock_sleep_ms(2, NULL);
        nx_stream_stats_get(e->s, &s);
    } while (s.durable_pos < 3);
    assert_int_equal(s.durable_pos, 3);
    assert_int_equal(s.committed_pos, 0);
    assert_int_equal(stats_of(w).accepted, 3);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
}

/* ------------------------------------------------------------------ the live day of the look-alike */

static const char *const live_symbols[] = {"AAPL", "GME", NULL};
static const char *const live_channels[] = {"trades", "bars", "updatedBars", NULL};

static nx_alpaca_ws_opts live(edge *e, const char *url)
{
    nx_alpaca_ws_opts o = impatient(e, url);
    o.symbols = live_symbols;
    o.channels = live_channels;
    return o;
}

static nx_sim *day(nx_sim_opts so, char ws[64], char http[64])
{
    nx_sim *sim;
    nx_err err = {0};
    so.listen = "127.0.0.1:0";
    so.sessions = 2;
    must(nx_sim_start(&so, &sim, &err), &err);
    snprintf(ws, 64, "ws://127.0.0.1:%d", nx_sim_port(sim));
    snprintf(http, 64, "http://127.0.0.1:%d", nx_sim_port(sim));
    return sim;
}

static void the_live_day(void **state)
{
    edge *e = *state;
    char ws[64], http[64];
    nx_sim *sim = day((nx_sim_opts){.speed = NX_SIM_SPEED_MAX, .live_minutes = 60}, ws, http);
    int64_t open_us = nx_sim_open(sim, 2) / 1000;
    nx_alpaca_ws_opts o = live(e, ws);
    o.once = true;
    nx_alpaca_ws *w = ws_start(e, &o);
    nx_alpaca_ws_stats s = await_end(w);
    must(nx_alpaca_ws_result(w, &e->err), &e->err);
    nx_alpaca_ws_stop(w);
    edge_stop(e);
    assert_int_equal(s.connects, 1);
    assert_int_equal(s.rejected, 0);
    assert_true(s.msgpack && s.deflate); /* the look-alike speaks them as the vendor does */
    assert_int_equal(edge_count(e, "bronze.trades") + edge_count(e, "bronze.bars") +
                         edge_count(e, "bronze.corrections") + edge_count(e, "bronze.cancels"),
                     s.accepted);
    assert_true(edge_count(e, "bronze.trades") > 100);
    /* the same day by REST: each trade as it was first told */
    nx_pull_opts p = {.engine = e->engine, .lake = e->lake, .contracts = e->contracts};
    nx_alpaca_opts a = {.data_url = http,
                        .key = "k",
                        .secret = "s",
                        .symbols = live_symbols,
                        .timeframe = "1Min",
                        .feed = "iex",
                        .start_us = open_us,
                        .end_us = open_us + (int64_t)59 * 60000000};
    nx_pull_result r;
    must(nx_backfill_alpaca(&p, NX_ALPACA_TRADES, &a, &r, &e->err), &e->err);
    must(nx_backfill_alpaca(&p, NX_ALPACA_BARS, &a, &r, &e->err), &e->err);
    char sql[1024];
    snprintf(
        sql, sizeof sql,
        "(select symbol, trade_id, exchange, price, size, ts_ns, sum(case when _source = 'alpaca.rest' then 1 else -1 end) as n from bronze.trades where "
        "coalesce(update_status, '') <> 'corrected' and ts < make_timestamp(%lld::bigint) group by all having n <> 0)",
        (long long)a.end_us);
    assert_int_equal(edge_count(e, sql), 0);
    snprintf(
        sql, sizeof sql,
        "(select symbol, ts, open, high, low, close, volume, trade_count, vwap from bronze.bars where _source = 'alpaca.rest' except "
        "select symbol, ts, open, high, low, close, volume, trade_count, vwap from bronze.bars where _source = 'alpaca/iex')");
    assert_int_equal(edge_count(e, sql), 0);
    assert_int_equal(edge_count(e, "bronze.bars where _source = 'alpaca.rest'"), r.rows_added);
    assert_true(r.rows_added > 2 * 55);
    nx_sim_stop(sim);
}

static void cuts_are_survived(void **state)
{
    edge *e = *state;
    char ws[64], http[64];
    nx_sim *sim = day((nx_sim_opts){.speed = 600, .faults = {.cut_stream_after = 3}}, ws, http);
    nx_alpaca_ws_opts o = live(e, ws);
    nx_alpaca_ws *w = ws_start(e, &o);
    while (stats_of(w).connects < 4)
        nx_clock_sleep_ms(2, NULL);
    nx_alpaca_ws_stats s = stats_of(w);
    nx_alpaca_ws_stop(w);
    edge_stop(e);
    assert_true(s.accepted >= 3 * 3);
    assert_int_equal(s.rejected, 0);
    assert_int_equal(
        edge_count(e, "(select symbol, trade_id, exchange from bronze.trades group by all having count(*) > 1)"), 0);
    nx_sim_stop(sim);
}

static void a_plan_without_the_feed(void **state)
{
    edge *e = *state;
    char ws[64], http[64];
    nx_sim *sim = day((nx_sim_opts){.free_plan = true, .key = "K1", .secret = "S1"}, ws, http);
    nx_alpaca_ws_opts o = live(e, ws);
    nx_alpaca_ws *w = ws_start(e, &o); /* wrong credentials */
    await_end(w);
    assert_int_equal(nx_alpaca_ws_result(w, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.text, "402"));
    nx_alpaca_ws_stop(w);
    o.key = "K1";
    o.secret = "S1";
    o.feed = "sip";
    w = ws_start(e, &o);
    await_end(w);
    assert_int_equal(nx_alpaca_ws_result(w, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.text, "409"));
    nx_alpaca_ws_stop(w);
    nx_sim_stop(sim);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, edge_up, edge_down)

int main(void)
{
    const struct CMUnitTest tests[] = {CASE(a_burst_is_synced), CASE(the_live_day), CASE(cuts_are_survived),
                                       CASE(a_plan_without_the_feed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
