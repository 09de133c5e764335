#include <stdlib.h>

#include "sim/sim_int.h"

nx_wall_ns nx_sim_now(nx_sim *s)
{
    pthread_mutex_lock(&s->lock);
    int64_t now = s->now;
    if (s->running) {
        now += (int64_t)((double)(nx_clock_mono() - s->since) * s->opts.speed);
        now = now > s->runs_until ? s->runs_until : now;
    }
    pthread_mutex_unlock(&s->lock);
    return now;
}

void nx_sim_set_now(nx_sim *s, nx_wall_ns now)
{
    pthread_mutex_lock(&s->lock);
    s->now = now;
    s->since = nx_clock_mono();
    pthread_mutex_unlock(&s->lock);
}

nx_wall_ns nx_sim_open(const nx_sim *s, int i)
{
    int last = s->world.sessions;
    return nx__ny_ns(s->world.day[i < 0 ? 0 : i > last ? last : i], 9 * 60 + 30);
}

int nx_sim_port(const nx_sim *s)
{
    return nx_httpd_port(s->httpd);
}

/* Options with texts of our own. */
static nx_status copy_options(nx_sim *s, const nx_sim_opts *opts, nx_err *err)
{
    s->opts = *opts;
    const char **texts[] = {&s->opts.listen, &s->opts.start_date, &s->opts.clock,        &s->opts.key,
                            &s->opts.secret, &s->opts.client_id,  &s->opts.client_secret};
    for (size_t i = 0; i < NX_COUNT_OF(texts); i++)
        if (*texts[i] != NULL && (*texts[i] = nx_arena_dup(&s->arena, nx_str_of(*texts[i]))) == NULL)
            return nx_nomem(err);
    const char **tapes = NX_ARENA_ARRAY(&s->arena, const char *, opts->n_tapes + 1);
    for (size_t i = 0; tapes != NULL && i < opts->n_tapes; i++)
        if ((tapes[i] = nx_arena_dup(&s->arena, nx_str_of(opts->tapes[i]))) == NULL)
            tapes = NULL;
    if (tapes == NULL)
        return nx_nomem(err);
    s->opts.tapes = tapes;
    if (s->opts.speed <= 0)
        s->opts.speed = 1;
    if (opts->live_minutes < 0 || opts->live_minutes > NX__SESSION_MINUTES)
        return nx_fail(err, NX_INVALID, "could not start the simulator: live minutes must be 0 to %d, not %d",
                       NX__SESSION_MINUTES, opts->live_minutes);
    if (opts->live_minutes == 0)
        s->opts.live_minutes = NX__SESSION_MINUTES;
    return NX_OK;
}

static nx_status set_clock(nx_sim *s, nx_err *err)
{
    s->now = s->world.from_files ? nx_clock_wall() : nx_sim_open(s, s->world.sessions);
    if (s->opts.clock != NULL && !nx__time_read(nx_str_of(s->opts.clock), false, &s->now))
        return nx_fail(err, NX_INVALID,
                       "could not start the simulator: clock \"%s\" is no RFC 3339 time with a zone and no date",
                       s->opts.clock);
    return NX_OK;
}

/* The first frame of every tape must be readable: a wrong file is told at start, not in the middle of a stream. */
static nx_status check_tapes(nx_sim *s, nx_err *err)
{
    for (size_t i = 0; i < s->opts.n_tapes; i++) {
        nx_sim one = {.opts = {.tapes = &s->opts.tapes[i], .n_tapes = 1}};
        nx__feed f;
        nx__feed_open(&f, &one);
        nx_status st = nx__feed_next(&f, INT64_MIN, err);
        nx__feed_close(&f);
        if (st != NX_OK && st != NX_NOTHING)
            return st;
    }
    return NX_OK;
}

static nx_status start_server(nx_sim *s, nx_err *err)
{
    const nx_httpd_route routes[] = {
        {"GET", "/v2/stocks/bars", nx__serve_bars, s},
        {"GET", "/v2/stocks/trades", nx__serve_trades, s},
        {"GET", "/v2/stocks/*", nx__serve_single, s},
        {"GET", "/v2/assets", nx__serve_assets, s},
        {"GET", "/v2/assets/*", nx__serve_assets, s},
        {"GET", "/v1/corporate-actions", nx__serve_actions, s},
        {"GET", "/v2/calendar", nx__serve_calendar, s},
        {"GET", "/v2/clock", nx__serve_clock, s},
        {"GET", "/v2/iex", nx__serve_stream, s},
        {"GET", "/v2/sip", nx__serve_stream, s},
        {"POST", "/api/v1/access_token", nx__serve_token, s},
        {"GET", "/api/info", nx__serve_info, s},
        {"GET", "/r/*", nx__serve_subreddit, s},
        {"GET", "/sim/clock", nx__serve_sim_clock, s},
        {"POST", "/sim/clock", nx__serve_sim_clock, s},
    };
    nx_httpd_opts o = {.listen = s->opts.listen, .routes = routes, .n_routes = NX_COUNT_OF(routes)};
    return nx_httpd_start(&o, &s->httpd, err);
}

nx_status nx_sim_start(const nx_sim_opts *opts, nx_sim **ret, nx_err *err)
{
    nx_sim *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nx_nomem(err);
    nx_arena_init(&s->arena, 1 << 20);
    pthread_mutex_init(&s->lock, NULL);
    nx_status st = copy_options(s, opts, err);
    if (st == NX_OK)
        st = nx__world_make(&s->world, opts, err);
    if (st == NX_OK)
        st = set_clock(s, err);
    if (st == NX_OK)
        st = check_tapes(s, err);
    if (st == NX_OK)
        st = nx__stream_start(s, err);
    if (st == NX_OK)
        st = start_server(s, err);
    if (st != NX_OK) {
        nx_sim_stop(s);
        return st;
    }
    *ret = s;
    return NX_OK;
}

void nx_sim_stop(nx_sim *s)
{
    if (s == NULL)
        return;
    nx__stream_stop(s); /* every upgraded connection must be closed before the HTTP server can end */
    nx_httpd_stop(s->httpd);
    nx__stream_drop(s);
    nx__world_drop(&s->world);
    pthread_mutex_destroy(&s->lock);
    nx_arena_drop(&s->arena);
    free(s);
}
