/* History by REST, then the live stretch by WebSocket, then what people said until its end. */
#include <stdio.h>

#include "app/demo.h"
#include "app/print.h"
#include "app/version.h"
#include "base/clock.h"
#include "base/stop.h"
#include "ingest/alpaca_ws.h"
#include "ingest/pull.h"
#include "ingest/stream.h"
#include "transform/dbt.h"

static const char *const key = "demo-key", *const secret = "demo-secret";

static void show_pull(void *ctx, const nx_pull_result *r, int64_t windows_total)
{
    nx_progress_set(ctx, windows_total > 0 ? r->windows : r->rows_seen, windows_total,
                    windows_total > 0 ? "windows" : "rows");
}

static nx_pull_opts pull_opts(nx_demo *d, nx_progress *bar)
{
    return (nx_pull_opts){.engine = d->p.engine,
                          .lake = d->p.lake,
                          .contracts = d->p.contracts,
                          .requests_per_minute = 100000,
                          .progress = show_pull,
                          .progress_ctx = bar,
                          .stop = &nx_stop_requested};
}

/* Microseconds of the newest value of an expression over a bronze table, or INT64_MIN. */
static nx_status newest(nx_demo *d, const char *expr, const char *table, const char *where, int64_t *ret_us,
                        nx_err *err)
{
    nx_session *s = NULL;
    nx_result *r = NULL;
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    if (nx_buf_addf(&sql, "select epoch_us(max(%s)) from %s where %s", expr, table, where) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_open(d->p.engine, &s, err));
    nx_status st = nx_lake_attach_table(d->p.lake, s, table, err);
    if (st == NX_OK)
        st = nx_session_query(s, nx_buf_str(&sql), &r, err);
    if (st == NX_OK)
        *ret_us = nx_result_i64(r, 0, 0, INT64_MIN);
    nx_result_drop(r);
    nx_session_close(s);
    return st;
}

/* Where the vendor's clock stood when the last demo stopped: behind the newest thing that it ever observed or streamed. */
static nx_status resume_at(nx_demo *d, int64_t *ret_us, nx_err *err)
{
    static const struct {
        const char *expr, *table, *where;
    } looks[] = {
        {"observed_at", "bronze.assets", "true"},
        {"observed_at", "bronze.posts", "true"},
        {"ts", "bronze.trades", "_source like 'alpaca/%'"},
        {"ts", "bronze.quotes", "_source like 'alpaca/%'"},
    };
    *ret_us = INT64_MIN;
    for (size_t i = 0; i < NX_COUNT_OF(looks); i++) {
        int64_t us = INT64_MIN;
        NX_TRY(newest(d, looks[i].expr, looks[i].table, looks[i].where, &us, err));
        *ret_us = us > *ret_us ? us : *ret_us;
    }
    return NX_OK;
}

/* The asset list as of now, and the snapshot of it: dim_symbol has a version for every state that was seen. */
static nx_status observe_assets(nx_demo *d, int64_t *added, nx_err *err)
{
    static const char *const select[] = {"+snap_assets", NULL};
    nx_pull_result r;
    nx_progress bar;
    nx_pull_opts po = pull_opts(d, &bar);
    nx_alpaca_opts o = {.data_url = d->url, .trading_url = d->url, .key = key, .secret = secret};
    nx_progress_begin(&bar, d->g, "asset list");
    nx_status st = nx_backfill_alpaca(&po, NX_ALPACA_ASSETS, &o, &r, err);
    nx_progress_end(&bar);
    NX_TRY(st);
    *added += r.rows_added;
    nx_dbt_opts b = {.command = "build",
                     .version = NX_VERSION,
                     .state_dir = d->p.state,
                     .engine = d->p.engine,
                     .lake = d->p.lake,
                     .select = select};
    NX_TRY(nx_dbt_folders(&d->p, NULL, &b.project_dir, &b.target_path, err));
    return nx_dbt_run(&b, NULL, err);
}

static nx_status assets(nx_demo *d, int64_t from_us, nx_err *err)
{
    static const int at_session[] = {0, 10, 20};
    nx_wall_ns now = nx_sim_now(d->sim);
    int64_t added = 0;
    int seen = 0;
    for (size_t i = 0; i < NX_COUNT_OF(at_session); i++) {
        nx_wall_ns t = nx_sim_open(d->sim, at_session[i]);
        if (t / 1000 <= from_us)
            continue;
        nx_sim_set_now(d->sim, t);
        NX_TRY(observe_assets(d, &added, err));
        seen++;
    }
    nx_sim_set_now(d->sim, now);
    nx__demo_step(d, "asset list by REST", "%d observations, %lld new states", seen, (long long)added);
    return NX_OK;
}

static nx_status history(nx_demo *d, int64_t open_us, nx_err *err)
{
    static const struct {
        nx_alpaca_kind kind;
        const char *what;
    } loads[] = {{NX_ALPACA_BARS, "minute bars by REST"},
                 {NX_ALPACA_TRADES, "trades by REST"},
                 {NX_ALPACA_ACTIONS, "corporate actions by REST"},
                 {NX_ALPACA_CALENDAR, "trading calendar by REST"}};
    nx_progress bar;
    nx_pull_opts po = pull_opts(d, &bar);
    nx_alpaca_opts o = {.data_url = d->url,
                        .trading_url = d->url,
                        .name = d->vendor,
                        .key = key,
                        .secret = secret,
                        .symbols = d->symbols,
                        .timeframe = "1Min",
                        .feed = "iex",
                        .start_us = nx_sim_open(d->sim, 0) / 1000,
                        .end_us = open_us};
    for (size_t i = 0; i < NX_COUNT_OF(loads); i++) {
        nx_pull_result r;
        char n[32];
        nx_progress_begin(&bar, d->g, loads[i].what);
        nx_status st = nx_backfill_alpaca(&po, loads[i].kind, &o, &r, err);
        nx_progress_end(&bar);
        NX_TRY(st);
        nx__demo_step(d, loads[i].what, "%s rows added, %lld requests", nx_print_count(r.rows_added, n),
                      (long long)r.requests);
    }
    return NX_OK;
}

/* The edge with its log and its own commits; the vendor ends the stretch by closing the stream. */
static nx_status live(nx_demo *d, nx_err *err)
{
    static const char *const channels[] = {"trades", "quotes", "bars", NULL};
    nx_stream *s = NULL;
    nx_alpaca_ws *w = NULL;
    nx_alpaca_ws_stats ws = {0};
    NX_TRY(nx_stream_start(&(nx_stream_opts){.listen = "127.0.0.1:0",
                                             .state_dir = d->p.state,
                                             .lake = d->p.lake,
                                             .engine = d->p.engine,
                                             .contracts = d->p.contracts,
                                             .flush_max_delay_ms = 1000,
                                             .compact_every_ms = 2000},
                           &s, err));
    nx_status st = nx_alpaca_ws_start(&(nx_alpaca_ws_opts){.stream = s,
                                                           .url = d->ws_url,
                                                           .feed = "iex",
                                                           .key = key,
                                                           .secret = secret,
                                                           .symbols = d->symbols,
                                                           .channels = channels,
                                                           .once = true},
                                      &w, err);
    nx_progress bar;
    nx_progress_begin(&bar, d->g, "live stream");
    while (st == NX_OK && ws.state != NX_ALPACA_WS_ENDED && !nx_stop_asked(&nx_stop_requested)) {
        nx_clock_sleep_ms(50, &nx_stop_requested);
        nx_alpaca_ws_stats_get(w, &ws);
        nx_progress_set(&bar, (int64_t)ws.accepted, 0, "rows");
    }
    nx_progress_end(&bar);
    if (st == NX_OK)
        st = nx_alpaca_ws_result(w, err);
    nx_alpaca_ws_stop(w);
    nx_err stop_err = {0};
    nx_status stopped = nx_stream_stop(s, &stop_err);
    if (st == NX_OK && stopped != NX_OK) {
        *err = stop_err;
        st = stopped;
    }
    if (st == NX_OK && nx_stop_asked(&nx_stop_requested))
        return nx_fail(err, NX_CANCELLED, "the demo was stopped; run it again to go on");
    char n[32];
    if (st == NX_OK)
        nx__demo_step(d, "live stream by WebSocket", "%s rows in %lld frames", nx_print_count((int64_t)ws.accepted, n),
                      (long long)ws.frames);
    return st;
}

static nx_status talk(nx_demo *d, nx_err *err)
{
    static const char *const subreddits[] = {"wallstreetbets", "stocks", NULL};
    nx_pull_result r;
    nx_progress bar;
    nx_pull_opts po = pull_opts(d, &bar);
    nx_reddit_opts o = {.token_url = d->url,
                        .api_url = d->url,
                        .client_id = key,
                        .client_secret = secret,
                        .user_agent = "linux:nexus.demo:v1",
                        .subreddits = subreddits,
                        .start_us = INT64_MIN,
                        .end_us = INT64_MAX,
                        .posts = true,
                        .comments = true};
    nx_progress_begin(&bar, d->g, "posts and comments");
    nx_status st = nx_backfill_reddit(&po, &o, &r, err);
    nx_progress_end(&bar);
    NX_TRY(st);
    char n[32];
    nx__demo_step(d, "Reddit posts and comments", "%s rows added, %lld requests", nx_print_count(r.rows_added, n),
                  (long long)r.requests);
    return NX_OK;
}

nx_status nx__demo_load(nx_demo *d, nx_err *err)
{
    int64_t from_us, open_us = nx_sim_now(d->sim) / 1000;
    NX_TRY(resume_at(d, &from_us, err));
    NX_TRY(assets(d, from_us, err));
    NX_TRY(history(d, open_us, err));
    if (from_us > open_us)
        nx_sim_set_now(d->sim, from_us * 1000);
    NX_TRY(live(d, err));
    return talk(d, err);
}
