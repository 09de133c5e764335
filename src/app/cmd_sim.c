#include <stdio.h>
#include <stdlib.h>

#include "app/cmds.h"
#include "app/project.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "sim/sim.h"

const nx_opt_def nx_opts_sim[] = {
    {"--listen", NULL, "HOST:PORT", "instead of sim.listen", false},
    {"--seed", NULL, "N", "instead of sim.seed", false},
    {"--tape", NULL, "FILE", "stream messages, an array a line (.ndjson, .zst)", true},
    {"--bars", NULL, "FILE", "REST pages of bars, one a line", true},
    {"--reddit", NULL, "FILE", "Reddit listing pages, one a line", true},
    {"--speed", NULL, "N|max", "pace of the stream (default 1)", false},
    {"--sessions", NULL, "N", "past sessions of synthetic data (default 30)", false},
    {"--clock", NULL, "TIME", "where the look-alike's clock stands (RFC 3339)", false},
    {"--refuse-every", NULL, "N", "fault: every Nth REST request is answered 429", false},
    {"--fail-every", NULL, "N", "fault: every Nth REST request is answered 500", false},
    {"--cut-after", NULL, "N", "fault: a stream is cut after N data frames", false},
    {NULL, NULL, NULL, NULL, false},
};

static nx_status files_of(nx_project *p, const nx_args *a, const char *name, const char *const **ret, size_t *ret_n,
                          nx_err *err)
{
    const char **list = NX_ARENA_ARRAY(&p->arena, const char *, a->n_opts + 1);
    if (list == NULL)
        return nx_nomem(err);
    size_t n = 0;
    while ((list[n] = nx_args_nth(a, name, n)) != NULL)
        n++;
    *ret = list;
    *ret_n = n;
    return NX_OK;
}

static nx_status fault_opts(const nx_args *a, nx_sim_faults *f, nx_err *err)
{
    int64_t v;
    NX_TRY(nx_args_i64(a, "--refuse-every", 0, 0, 1000000, &v, err));
    f->refuse_every = (int)v;
    NX_TRY(nx_args_i64(a, "--fail-every", 0, 0, 1000000, &v, err));
    f->fail_every = (int)v;
    NX_TRY(nx_args_i64(a, "--cut-after", 0, 0, 1000000000, &v, err));
    f->cut_stream_after = (int)v;
    return NX_OK;
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    int64_t seed, sessions;
    nx_sim_opts o = {.listen =
                         nx_args_has(a, "--listen") ? nx_args_get(a, "--listen") : nx_config_str(p->cfg, "sim.listen"),
                     .clock = nx_args_get(a, "--clock")};
    NX_TRY(nx_args_i64(a, "--seed", nx_config_i64(p->cfg, "sim.seed"), 0, INT64_MAX, &seed, err));
    NX_TRY(nx_args_i64(a, "--sessions", 30, 1, 250, &sessions, err));
    NX_TRY(nx_cli_speed(nx_args_get(a, "--speed"), 1, NX_SIM_SPEED_MAX, &o.speed, err));
    NX_TRY(files_of(p, a, "--tape", &o.tapes, &o.n_tapes, err));
    NX_TRY(files_of(p, a, "--bars", &o.bars, &o.n_bars, err));
    NX_TRY(files_of(p, a, "--reddit", &o.reddit, &o.n_reddit, err));
    NX_TRY(fault_opts(a, &o.faults, err));
    o.seed = (uint64_t)seed;
    o.sessions = (int)sessions;
    if (o.n_tapes == 0) {
        o.tapes = nx_config_list(p->cfg, "sim.tapes");
        while (o.tapes[o.n_tapes] != NULL)
            o.n_tapes++;
    }
    nx_sim *s = NULL;
    NX_TRY(nx_sim_start(&o, &s, err));
    nx_log(NX_LOG_INFO, "sim", "the vendor look-alike answers on port %d", nx_sim_port(s));
    while (!nx_stop_asked(&nx_stop_requested))
        nx_clock_sleep_ms(500, &nx_stop_requested);
    nx_sim_stop(s);
    return NX_OK;
}

nx_status nx_cmd_sim(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    nx_stop_on_signals();
    NX_TRY(nx_project_open(g, NX_NEED_CONFIG, &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
