#include <stdarg.h>
#include <stdio.h>

#include "app/cmds.h"
#include "app/demo.h"
#include "base/clock.h"
#include "base/log.h"

const nx_opt_def nx_opts_demo[] = {
    {"--seed", NULL, "N", "of the look-alike's data (default: sim.seed)", false},
    {NULL, NULL, NULL, NULL, false},
};

void nx__demo_step(nx_demo *d, const char *what, const char *fmt, ...)
{
    double now = (double)(nx_clock_mono() - d->began) / 1e9;
    d->steps_done++;
    if (!d->g->quiet) {
        char detail[256];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(detail, sizeof detail, fmt, ap);
        va_end(ap);
        fprintf(stderr, "  %2d  %-25s %-38s %6.2f s\n", d->steps_done, what, detail, now - d->step_seconds);
    }
    d->step_seconds = now;
}

typedef struct row_count {
    nx_lake *lake;
    int64_t rows;
} row_count;

static nx_status count_rows(void *ctx, const char *name, const char *folder, nx_err *err)
{
    (void)folder;
    row_count *c = ctx;
    nx_table *t;
    nx_table_info i;
    NX_TRY(nx_table_open(c->lake, name, &t, err));
    NX_TRY(nx_table_info_get(t, &i, err));
    c->rows += i.rows > 0 ? i.rows : 0;
    return NX_OK;
}

nx_status nx__demo_rows(nx_demo *d, int64_t *ret, nx_err *err)
{
    row_count c = {.lake = d->p.lake};
    NX_TRY(nx_lake_each(d->p.lake, count_rows, &c, err));
    *ret = c.rows;
    return NX_OK;
}

static nx_wall_ns vendor_clock(void *ctx)
{
    return nx_sim_now(ctx);
}

/* The demo's project: its own folder, the vendors at the look-alike, Postgres as configured outside. */
static nx_status inner_globals(nx_demo *d, nx_project *outer, nx_err *err)
{
    const char *base = d->g->project;
    const char *dsn = nx_config_str(outer->cfg, "postgres.dsn"), *schema = nx_config_str(outer->cfg, "postgres.schema");
    const char **sets = NX_ARENA_ARRAY(&d->arena, const char *, d->g->n_sets + 8);
    if (sets == NULL)
        return nx_nomem(err);
    size_t n = 0;
    for (; n < d->g->n_sets; n++)
        sets[n] = d->g->sets[n];
    sets[n++] = "lake.flush.max_delay=1s";
    sets[n++] = "lake.root=lake";
    sets[n++] = "state=.nexus";
    sets[n++] = nx_arena_printf(&d->arena, "postgres.schema=%s", schema);
    if (dsn != NULL)
        sets[n++] = nx_arena_printf(&d->arena, "postgres.dsn=%s", dsn);
    d->inner = *d->g;
    d->inner.project = nx_arena_printf(&d->arena, "%s/demo", base);
    d->inner.config = NULL;
    d->inner.sets = sets;
    d->inner.n_sets = n;
    for (size_t i = 0; i < n; i++)
        if (sets[i] == NULL)
            return nx_nomem(err);
    return d->inner.project == NULL ? nx_nomem(err) : nx_dir_make(d->inner.project, err);
}

/* One folder holds one world: rows of two seeds would contradict each other. */
static nx_status keep_seed(nx_demo *d, int64_t seed, nx_err *err)
{
    const char *file = nx_arena_printf(&d->arena, "%s/seed", d->inner.project);
    char mine[32];
    NX_BUF_AUTO nx_buf held;
    nx_buf_init(&held, 4096);
    if (file == NULL)
        return nx_nomem(err);
    snprintf(mine, sizeof mine, "%lld\n", (long long)seed);
    if (!nx_file_exists(file))
        return nx_file_replace(file, nx_str_of(mine), err);
    NX_TRY(nx_file_read(file, &held, err));
    if (nx_str_is(nx_buf_str(&held), mine))
        return NX_OK;
    nx_str other = nx_str_trim(nx_buf_str(&held));
    nx_fail(err, NX_INVALID, "%s holds the demo of seed " NX_STR_FMT ", not of %lld", d->inner.project,
            NX_STR_ARG(other), (long long)seed);
    return nx_err_hint(err, NX_INVALID, "remove that folder, or run the demo of another seed elsewhere: --project DIR");
}

static nx_status start_vendor(nx_demo *d, int64_t seed, nx_err *err)
{
    NX_TRY(
        nx_sim_start(&(nx_sim_opts){.listen = "127.0.0.1:0", .seed = (uint64_t)seed, .speed = 900, .live_minutes = 30},
                     &d->sim, err));
    snprintf(d->url, sizeof d->url, "http://127.0.0.1:%d", nx_sim_port(d->sim));
    snprintf(d->ws_url, sizeof d->ws_url, "ws://127.0.0.1:%d", nx_sim_port(d->sim));
    for (size_t i = 0; i + 1 < NX_COUNT_OF(d->symbols) && nx_sim_symbol(i) != NULL; i++)
        d->symbols[i] = nx_sim_symbol(i);
    snprintf(d->vendor, sizeof d->vendor, "look-alike, seed %lld", (long long)seed);
    nx_clock_set_wall(vendor_clock, d->sim);
    return NX_OK;
}

static nx_status demo(nx_demo *d, int64_t seed, nx_err *err)
{
    NX_TRY(keep_seed(d, seed, err));
    NX_TRY(start_vendor(d, seed, err));
    nx__demo_step(d, "look-alike vendor", "seed %lld, port %d", (long long)seed, nx_sim_port(d->sim));
    NX_TRY(nx_project_open(&d->inner, NX_NEED_CONTRACTS | NX_NEED_LAKE | NX_NEED_LOCK, &d->p, err));
    NX_TRY(nx_project_ensure_tables(&d->p, err));
    NX_TRY(nx__demo_rows(d, &d->rows_before, err));
    NX_TRY(nx__demo_load(d, err));
    NX_TRY(nx__demo_build(d, err));
    return nx__demo_show(d, err);
}

nx_status nx_cmd_demo(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_demo d = {.g = g, .began = nx_clock_mono(), .p = {.lock = {.fd = -1}}};
    nx_project outer;
    int64_t seed;
    nx_stop_on_signals();
    nx_log_setup(NX_LOG_WARN, g->log_json); /* the steps tell enough */
    nx_arena_init(&d.arena, 16 << 20);
    nx_status st = nx_project_open(g, NX_NEED_CONFIG, &outer, err);
    if (st != NX_OK) {
        nx_arena_drop(&d.arena);
        return st;
    }
    st = nx_args_i64(a, "--seed", nx_config_i64(outer.cfg, "sim.seed"), 1, INT64_MAX, &seed, err);
    if (st == NX_OK)
        st = inner_globals(&d, &outer, err);
    nx_project_close(&outer);
    if (st == NX_OK && !g->quiet)
        fprintf(stderr, "nexus demo in %s: no accounts, no network\n", d.inner.project);
    if (st == NX_OK)
        st = demo(&d, seed, err);
    nx_project_close(&d.p);
    nx_clock_set_wall(NULL, NULL);
    nx_sim_stop(d.sim);
    nx_arena_drop(&d.arena);
    return st;
}
