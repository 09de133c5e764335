#include <stdio.h>
#include <stdlib.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"
#include "app/report.h"
#include "base/clock.h"
#include "data/time.h"
#include "ingest/pull.h"

const nx_opt_def nx_opts_backfill[] = {
    {"--symbols", NULL, "A,B,…", "instead of alpaca.symbols", false},
    {"--timeframe", NULL, "T", "bars: 1Min (default), 5Min, 1Hour, 1Day, …", false},
    {"--start", NULL, "DATE", "first day, or an instant with zone (default: 30 days ago)", false},
    {"--end", NULL, "DATE", "last day, or the instant before which it ends (default: now)", false},
    {"--subreddit", NULL, "NAME", "instead of reddit.subreddits", true},
    {"--no-comments", NULL, NULL, "reddit: posts only", false},
    {"--refresh", NULL, NULL, "fetch windows again that an earlier run completed", false},
    {NULL, NULL, NULL, NULL, false},
};

static const int64_t DAY_US = (int64_t)86400 * 1000000;

/* A day or an instant; an end that is a day includes it. */
static nx_status parse_when(const char *name, const char *text, int64_t dflt, bool end, int64_t *ret_us, nx_err *err)
{
    int32_t day;
    int64_t ns;
    *ret_us = dflt;
    if (text == NULL)
        return NX_OK;
    if (nx_date_parse(nx_str_of(text), &day)) {
        *ret_us = ((int64_t)day + (end ? 1 : 0)) * DAY_US;
        /* instants of the vendor are nanoseconds in 64 bits */
        if (*ret_us <= INT64_MIN / 1000 || *ret_us >= INT64_MAX / 1000)
            return nx_fail(err, NX_INVALID, "%s %s is outside of the years 1678 to 2261", name, text);
        return NX_OK;
    }
    if (!nx_time_parse_ns(nx_str_of(text), &ns)) {
        nx_fail(err, NX_INVALID, "%s is a day (2024-01-31) or an instant with zone (2024-01-31T14:30:00Z), not '%s'",
                name, text);
        return NX_INVALID;
    }
    *ret_us = nx_us_of_ns(ns);
    return NX_OK;
}

static nx_status parse_range(const nx_args *a, int64_t *start_us, int64_t *end_us, int64_t dflt_start_us, nx_err *err)
{
    int64_t now = nx_clock_wall() / 1000;
    NX_TRY(parse_when("--start", nx_args_get(a, "--start"), dflt_start_us, false, start_us, err));
    NX_TRY(parse_when("--end", nx_args_get(a, "--end"), now, true, end_us, err));
    if (*start_us >= *end_us)
        return nx_fail(err, NX_INVALID, "--start is not before --end");
    return NX_OK;
}

static bool timeframe_ok(nx_str t)
{
    int64_t n;
    size_t d = 0;
    while (d < t.n && t.p[d] >= '0' && t.p[d] <= '9')
        d++;
    nx_str unit = nx_str_sub(t, d, t.n);
    if (!nx_str_to_i64(nx_str_sub(t, 0, d), &n) || n < 1)
        return false;
    return (nx_str_is(unit, "Min") && n <= 59) || (nx_str_is(unit, "Hour") && n <= 23) ||
           (nx_str_is(unit, "Day") && n == 1) || (nx_str_is(unit, "Week") && n == 1) ||
           (nx_str_is(unit, "Month") && 12 % n == 0);
}

static nx_status split_symbols(nx_project *p, const char *text, const char *const **ret, nx_err *err)
{
    if (text == NULL) {
        *ret = nx_config_list(p->cfg, "alpaca.symbols");
        return NX_OK;
    }
    nx_str rest = nx_str_of(text), part;
    const char **list = NX_ARENA_ARRAY(&p->arena, const char *, rest.n + 2);
    size_t n = 0;
    while (list != NULL && nx_str_split(&rest, ',', &part)) {
        part = nx_str_trim(part);
        if (part.n == 0)
            return nx_fail(err, NX_INVALID, "--symbols holds an empty name: '%s'", text);
        list[n++] = nx_arena_dup(&p->arena, part);
    }
    *ret = list;
    return list == NULL ? nx_nomem(err) : NX_OK;
}

typedef struct shown {
    nx_progress bar;
} shown;

static void show(void *ctx, const nx_pull_result *r, int64_t windows_total)
{
    shown *s = ctx;
    if (windows_total > 0)
        nx_progress_set(&s->bar, r->windows, windows_total, "windows");
    else
        nx_progress_set(&s->bar, r->rows_seen, 0, "rows");
}

static nx_status print_result(nx_project *p, const char *what, const nx_pull_result *r, double seconds, nx_err *err)
{
    nx_report rep;
    char title[64];
    snprintf(title, sizeof title, "Backfilled %s", what);
    nx_report_begin(&rep, p->g, title);
    nx_report_i64(&rep, "rows_added", r->rows_added);
    nx_report_i64(&rep, "rows_seen", r->rows_seen);
    nx_report_i64(&rep, "rows_rejected", r->rejected);
    nx_report_i64(&rep, "requests", r->requests);
    nx_report_i64(&rep, "retries", r->retries);
    nx_report_i64(&rep, "windows", r->windows);
    nx_report_i64(&rep, "windows_skipped", r->windows_skipped);
    nx_report_f64(&rep, "seconds", seconds, "s");
    return nx_report_end(&rep, err);
}

static nx_pull_opts pull_opts(nx_project *p, const nx_args *a, shown *s)
{
    return (nx_pull_opts){.engine = p->engine,
                          .lake = p->lake,
                          .contracts = p->contracts,
                          .requests_per_minute = (int)nx_config_i64(p->cfg, "alpaca.requests_per_minute"),
                          .refresh = nx_args_has(a, "--refresh"),
                          .progress = show,
                          .progress_ctx = s,
                          .stop = &nx_stop_requested};
}

static nx_status alpaca(nx_project *p, const nx_args *a, nx_err *err)
{
    static const char *const kinds[] = {"bars", "trades", "assets", "corporate-actions", "calendar"};
    const char *word = a->n_words > 1 ? a->words[1] : "";
    size_t kind = 0;
    while (kind < NX_COUNT_OF(kinds) && strcmp(kinds[kind], word) != 0)
        kind++;
    if (kind == NX_COUNT_OF(kinds)) {
        if (word[0] == '\0')
            nx_fail(err, NX_INVALID, "say what to load: nexus backfill alpaca KIND");
        else
            nx_fail(err, NX_INVALID, "'%s' cannot be loaded from Alpaca", word);
        return nx_err_hint(err, NX_INVALID, "one of bars, trades, assets, corporate-actions, calendar");
    }
    nx_alpaca_opts o = {.data_url = nx_config_str(p->cfg, "alpaca.data_url"),
                        .trading_url = nx_config_str(p->cfg, "alpaca.trading_url"),
                        .timeframe = nx_args_has(a, "--timeframe") ? nx_args_get(a, "--timeframe") : "1Min",
                        .feed = nx_config_str(p->cfg, "alpaca.feed"),
                        .delay_us = nx_config_i64(p->cfg, "alpaca.delay") * 1000};
    if (!timeframe_ok(nx_str_of(o.timeframe)))
        return nx_fail(err, NX_INVALID, "--timeframe is one like 1Min, 5Min, 1Hour, 1Day, 1Week, 1Month, not '%s'",
                       o.timeframe);
    NX_TRY(parse_range(a, &o.start_us, &o.end_us, nx_clock_wall() / 1000 / DAY_US * DAY_US - 30 * DAY_US, err));
    NX_TRY(split_symbols(p, nx_args_get(a, "--symbols"), &o.symbols, err));
    char *key = NULL, *secret = NULL;
    nx_pull_result r = {0};
    shown s;
    nx_progress_begin(&s.bar, p->g, word);
    nx_pull_opts po = pull_opts(p, a, &s);
    uint64_t began = nx_clock_mono();
    nx_status st = nx_config_secret(p->cfg, "alpaca.key", &key, err);
    if (st == NX_OK)
        st = nx_config_secret(p->cfg, "alpaca.secret", &secret, err);
    o.key = key;
    o.secret = secret;
    if (st == NX_OK)
        st = nx_backfill_alpaca(&po, (nx_alpaca_kind)kind, &o, &r, err);
    nx_progress_end(&s.bar);
    free(key);
    free(secret);
    return st != NX_OK ? st : print_result(p, word, &r, (double)(nx_clock_mono() - began) / 1e9, err);
}

static nx_status reddit(nx_project *p, const nx_args *a, nx_err *err)
{
    nx_reddit_opts o = {.token_url = nx_config_str(p->cfg, "reddit.token_url"),
                        .api_url = nx_config_str(p->cfg, "reddit.api_url"),
                        .user_agent = nx_config_str(p->cfg, "reddit.user_agent"),
                        .subreddits = nx_config_list(p->cfg, "reddit.subreddits"),
                        .posts = true,
                        .comments = !nx_args_has(a, "--no-comments")};
    if (a->n_words > 1)
        return nx_fail(err, NX_INVALID, "too many words after 'nexus backfill reddit'");
    NX_TRY(parse_range(a, &o.start_us, &o.end_us, INT64_MIN, err));
    if (nx_args_has(a, "--subreddit")) {
        const char **list = NX_ARENA_ARRAY(&p->arena, const char *, a->n_opts + 1);
        if (list == NULL)
            return nx_nomem(err);
        for (size_t i = 0; (list[i] = nx_args_nth(a, "--subreddit", i)) != NULL;)
            i++;
        o.subreddits = list;
    }
    char *id = NULL, *secret = NULL;
    nx_pull_result r = {0};
    shown s;
    nx_progress_begin(&s.bar, p->g, "reddit");
    nx_pull_opts po = pull_opts(p, a, &s);
    po.requests_per_minute = (int)nx_config_i64(p->cfg, "reddit.requests_per_minute");
    uint64_t began = nx_clock_mono();
    nx_status st = nx_config_secret(p->cfg, "reddit.client_id", &id, err);
    if (st == NX_OK)
        st = nx_config_secret(p->cfg, "reddit.client_secret", &secret, err);
    o.client_id = id;
    o.client_secret = secret;
    if (st == NX_OK)
        st = nx_backfill_reddit(&po, &o, &r, err);
    nx_progress_end(&s.bar);
    free(id);
    free(secret);
    return st != NX_OK ? st : print_result(p, "reddit", &r, (double)(nx_clock_mono() - began) / 1e9, err);
}

nx_status nx_cmd_backfill(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    bool from_alpaca = strcmp(a->words[0], "alpaca") == 0;
    if (!from_alpaca && strcmp(a->words[0], "reddit") != 0) {
        nx_fail(err, NX_INVALID, "there is no source '%s'", a->words[0]);
        return nx_err_hint(err, NX_INVALID, "nexus backfill alpaca … or nexus backfill reddit …");
    }
    nx_stop_on_signals();
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS | NX_NEED_LAKE | NX_NEED_LOCK, &p, err));
    nx_status st = from_alpaca ? alpaca(&p, a, err) : reddit(&p, a, err);
    nx_project_close(&p);
    return st;
}
