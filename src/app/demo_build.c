/* From bronze to readers: enrich, models, checks, publication. */
#include <stdio.h>

#include "app/check.h"
#include "app/demo.h"
#include "app/gold.h"
#include "app/print.h"
#include "app/version.h"
#include "enrich/enrich.h"
#include "transform/dbt.h"

static void show_node(void *ctx, const nx_dbt_node_result *r)
{
    nx_progress *bar = ctx;
    bar->what = r->unique_id;
    nx_progress_set(bar, (int64_t)r->index, (int64_t)r->count, "nodes");
}

static nx_status models(nx_demo *d, nx_err *err)
{
    nx_progress bar;
    nx_dbt_result r = {0};
    nx_dbt_opts o = {.command = "build",
                     .version = NX_VERSION,
                     .state_dir = d->p.state,
                     .engine = d->p.engine,
                     .lake = d->p.lake,
                     .node = show_node,
                     .ctx = &bar,
                     .stop = &nx_stop_requested};
    NX_TRY(nx_dbt_folders(&d->p, NULL, &o.project_dir, &o.target_path, err));
    nx_progress_begin(&bar, d->g, "models");
    nx_status st = nx_dbt_run(&o, &r, err);
    nx_progress_end(&bar);
    if (st == NX_CHECK_FAILED) {
        nx_fail(err, st, "the models failed, the first: %s", r.first_failure);
        return nx_err_hint(err, st, "nexus --project %s dbt build tells more", d->inner.project);
    }
    NX_TRY(st);
    nx__demo_step(d, "models built and tested", "%zu passed, %zu warned", r.pass, r.warn);
    return NX_OK;
}

static nx_status checks(nx_demo *d, nx_err *err)
{
    nx_scan scan;
    NX_TRY(nx_check_project(&d->p, NULL, 0, &scan, err));
    size_t bad = scan.fail + scan.error;
    nx__demo_step(d, "checks", "%zu passed, %zu warned, %zu failed", scan.pass, scan.warn, bad);
    nx_scan_drop(&scan);
    if (bad == 0)
        return NX_OK;
    nx_fail(err, NX_CHECK_FAILED, "%zu checks failed: nothing is published", bad);
    return nx_err_hint(err, NX_CHECK_FAILED, "nexus --project %s check tells which", d->inner.project);
}

static nx_status publish(nx_demo *d, nx_err *err)
{
    nx_publish_result r = {0};
    if (nx_config_str(d->p.cfg, "postgres.dsn") == NULL) {
        nx__demo_step(d, "publication", "left out: postgres.dsn is not set");
        return NX_OK;
    }
    NX_TRY(nx_publish_run(&d->p, false, &r, err));
    d->published = true;
    d->rows_changed = r.rows_changed;
    char n[32];
    nx__demo_step(d, "published to Postgres", "%s rows changed in %zu tables", nx_print_count(r.rows_changed, n),
                  r.n_tables);
    nx_publish_result_drop(&r);
    return NX_OK;
}

nx_status nx__demo_build(nx_demo *d, nx_err *err)
{
    nx_enrich_result r;
    char n[32], m[32];
    NX_TRY(nx_enrich_run(&(nx_enrich_opts){.engine = d->p.engine, .lake = d->p.lake, .stop = &nx_stop_requested}, &r,
                         err));
    nx__demo_step(d, "sentiment and mentions", "%s texts, %s mentions", nx_print_count(r.texts, n),
                  nx_print_count(r.mentions, m));
    NX_TRY(models(d, err));
    NX_TRY(nx_session_open(d->p.engine, &d->p.session, err));
    NX_TRY(nx_project_attach(&d->p, err));
    NX_TRY(checks(d, err));
    return publish(d, err);
}
