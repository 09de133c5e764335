#include <stdio.h>
#include <stdlib.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"
#include "app/report.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "ingest/alpaca_ws.h"
#include "ingest/replay.h"
#include "ingest/stream.h"
#include "io/secret.h"

const nx_opt_def nx_opts_stream[] = {
    {"--listen", NULL, "HOST:PORT", "instead of stream.listen", false},
    {"--no-alpaca", NULL, NULL, "only listen, even where a feed is configured", false},
    {NULL, NULL, NULL, NULL, false},
};

/* A feed is configured when its credentials resolve and it has channels. */
static nx_status start_alpaca(nx_project *p, nx_stream *s, nx_alpaca_ws **ret, nx_err *err)
{
    char *key = NULL, *secret = NULL;
    nx_err why = {0};
    const char *const *channels = nx_config_list(p->cfg, "alpaca.channels");
    bool there = channels[0] != NULL && nx_config_secret(p->cfg, "alpaca.key", &key, &why) == NX_OK && key != NULL &&
                 nx_config_secret(p->cfg, "alpaca.secret", &secret, &why) == NX_OK && secret != NULL;
    nx_status st = NX_OK;
    if (there)
        st = nx_alpaca_ws_start(&(nx_alpaca_ws_opts){.stream = s,
                                                     .url = nx_config_str(p->cfg, "alpaca.stream_url"),
                                                     .feed = nx_config_str(p->cfg, "alpaca.feed"),
                                                     .key = key,
                                                     .secret = secret,
                                                     .symbols = nx_config_list(p->cfg, "alpaca.symbols"),
                                                     .channels = channels},
                                ret, err);
    else
        nx_log(NX_LOG_INFO, "stream", "no Alpaca feed: %s",
               why.status == NX_OK ? "no credentials or channels are configured" : why.text);
    free(key);
    free(secret);
    return st;
}

static nx_status token_list(nx_project *p, const char *const **ret, nx_err *err)
{
    const char *const *refs = nx_config_list(p->cfg, "stream.tokens");
    size_t n = 0;
    while (refs[n] != NULL)
        n++;
    const char **tokens = NX_ARENA_ARRAY(&p->arena, const char *, n + 1);
    for (size_t i = 0; tokens != NULL && i < n; i++) {
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 1 << 16);
        nx_status st = nx_secret_resolve(nx_str_of(refs[i]), &b, err);
        if (st != NX_OK)
            return nx_err_prefix(err, "configuration key stream.tokens");
        tokens[i] = nx_arena_dup(&p->arena, nx_buf_str(&b));
        if (tokens[i] == NULL)
            return nx_nomem(err);
    }
    *ret = tokens;
    return tokens == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status wait_for_end(nx_stream *s, nx_err *err)
{
    while (!nx_stop_asked(&nx_stop_requested)) {
        NX_TRY(nx_stream_check(s, err));
        nx_clock_sleep_ms(200, &nx_stop_requested);
    }
    nx_log(NX_LOG_INFO, "stream", "stopping: committing what is held");
    return NX_OK;
}

static nx_status serve(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *listen = nx_args_get(a, "--listen");
    const char *const *tokens;
    if (nx_config_str(p->cfg, "stream.tls") != NULL)
        return nx_err_hint(err, nx_fail(err, NX_UNSUPPORTED, "stream.tls: the listener does not speak TLS"),
                           "put a TLS proxy before it, and set the key to null");
    NX_TRY(token_list(p, &tokens, err));
    nx_stream *s = NULL;
    nx_alpaca_ws *w = NULL;
    NX_TRY(nx_stream_start(&(nx_stream_opts){.listen = listen != NULL ? listen : nx_config_str(p->cfg, "stream.listen"),
                                             .state_dir = p->state,
                                             .lake = p->lake,
                                             .engine = p->engine,
                                             .contracts = p->contracts,
                                             .tokens = tokens,
                                             .flush_max_rows = nx_config_i64(p->cfg, "lake.flush.max_rows"),
                                             .flush_max_delay_ms = nx_config_i64(p->cfg, "lake.flush.max_delay"),
                                             .compact_every_ms = nx_config_i64(p->cfg, "lake.compact.every"),
                                             .frame_bytes_max = (size_t)nx_config_i64(p->cfg, "stream.frame_bytes_max"),
                                             .conn_max = (size_t)nx_config_i64(p->cfg, "stream.connections_max")},
                           &s, err));
    nx_log(NX_LOG_INFO, "stream", "listening on port %d, path /ws/market-data", nx_stream_port(s));
    nx_status st = nx_args_has(a, "--no-alpaca") ? NX_OK : start_alpaca(p, s, &w, err);
    if (st == NX_OK)
        st = wait_for_end(s, err);
    nx_alpaca_ws_stop(w);
    nx_stream_stats taken;
    nx_stream_stats_get(s, &taken);
    nx_err stop_err = {0};
    nx_status stopped = nx_stream_stop(s, &stop_err);
    if (stopped == NX_OK)
        nx_log(NX_LOG_INFO, "stream", "all is committed; since the start: %llu frames, %llu rows taken, %llu refused",
               (unsigned long long)taken.frames, (unsigned long long)taken.accepted,
               (unsigned long long)taken.rejected);
    if (st == NX_OK && stopped != NX_OK) {
        *err = stop_err;
        st = stopped;
    }
    return st;
}

nx_status nx_cmd_stream(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    nx_stop_on_signals();
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS | NX_NEED_LAKE, &p, err));
    nx_status st = serve(&p, a, err);
    nx_project_close(&p);
    return st;
}

const nx_opt_def nx_opts_replay[] = {
    {"--speed", NULL, "N|max", "times the pace of the messages' own clock, or as fast as it goes (default 1)", false},
    {"--to", NULL, "URL", "listener (default: stream.listen of the project)", false},
    {"--producer", NULL, "NAME", "name to send under (default: from the file's bytes)", false},
    {"--format", NULL, "json|msgpack", "text frames, or the same as binary ones (default json)", false},
    {"--token", NULL, "REF", "bearer token, e.g. ${env:NEXUS_TOKEN}", false},
    {NULL, NULL, NULL, NULL, false},
};

static void show_replay(void *ctx, const nx_replay_progress *p)
{
    nx_progress_set(ctx, (int64_t)p->acked, 0, "frames");
}

static nx_status wants_msgpack(const char *format, bool *ret, nx_err *err)
{
    *ret = format != NULL && strcmp(format, "msgpack") == 0;
    if (format == NULL || *ret || strcmp(format, "json") == 0)
        return NX_OK;
    return nx_err_hint(err, nx_fail(err, NX_INVALID, "--format %s is not known", format), "json or msgpack");
}

static nx_status replay(nx_project *p, const nx_args *a, nx_err *err)
{
    char url[512];
    const char *to = nx_args_get(a, "--to");
    NX_BUF_AUTO nx_buf token;
    nx_buf_init(&token, 1 << 16);
    if (nx_args_has(a, "--token"))
        NX_TRY(nx_secret_resolve(nx_str_of(nx_args_get(a, "--token")), &token, err));
    if (to == NULL) {
        snprintf(url, sizeof url, "ws://%s/ws/market-data", nx_config_str(p->cfg, "stream.listen"));
        to = url;
    }
    nx_progress bar;
    nx_replay_opts o = {.files = a->words,
                        .url = to,
                        .token = token.n == 0 ? NULL : token.p,
                        .producer = nx_args_get(a, "--producer"),
                        .progress = show_replay,
                        .progress_ctx = &bar,
                        .stop = &nx_stop_requested};
    NX_TRY(nx_cli_speed(nx_args_get(a, "--speed"), 1, 0, &o.speed, err));
    NX_TRY(wants_msgpack(nx_args_get(a, "--format"), &o.msgpack, err));
    nx_replay_result r = {0};
    nx_progress_begin(&bar, p->g, "replay");
    nx_status st = nx_replay(&o, &r, err);
    nx_progress_end(&bar);
    if (st != NX_OK)
        return st;
    nx_report rep;
    nx_report_begin(&rep, p->g, "Replayed");
    nx_report_i64(&rep, "files", (int64_t)r.files);
    nx_report_i64(&rep, "frames", (int64_t)r.frames);
    nx_report_i64(&rep, "frames_skipped", (int64_t)r.skipped);
    nx_report_i64(&rep, "rows_accepted", (int64_t)r.accepted);
    nx_report_i64(&rep, "rows_rejected", (int64_t)r.rejected);
    nx_report_f64(&rep, "seconds", r.seconds, "s");
    nx_report_i64(&rep, "rows_per_second",
                  r.seconds > 0 ? (int64_t)((double)(r.accepted + r.rejected) / r.seconds) : 0);
    nx_report_str(&rep, "committed", r.committed ? "yes" : "no");
    NX_TRY(nx_report_end(&rep, err));
    if (r.rejected > 0 && !p->g->quiet)
        fprintf(stderr, "%llu %s refused, the first: %s\nnexus quarantine ls shows what is refused\n",
                (unsigned long long)r.rejected, r.rejected == 1 ? "row was" : "rows were", r.first_error);
    return NX_OK;
}

nx_status nx_cmd_replay(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    nx_stop_on_signals();
    NX_TRY(nx_project_open(g, NX_NEED_CONFIG, &p, err));
    nx_status st = replay(&p, a, err);
    nx_project_close(&p);
    return st;
}
