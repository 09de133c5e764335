#include "enrich/enrich.h"

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"
#include "app/report.h"
#include "base/clock.h"

static void show(void *ctx, int64_t done, int64_t total)
{
    nx_progress_set(ctx, done, total, "texts");
}

static nx_status run(nx_project *p, nx_err *err)
{
    nx_progress bar;
    nx_enrich_result r;
    uint64_t began = nx_clock_mono();
    nx_progress_begin(&bar, p->g, "enrich");
    nx_enrich_opts o = {
        .engine = p->engine, .lake = p->lake, .progress = show, .progress_ctx = &bar, .stop = &nx_stop_requested};
    nx_status st = nx_enrich_run(&o, &r, err);
    nx_progress_end(&bar);
    if (st != NX_OK)
        return st;
    nx_report rep;
    nx_report_begin(&rep, p->g, "Enriched");
    nx_report_i64(&rep, "texts", r.texts);
    nx_report_i64(&rep, "mentions", r.mentions);
    nx_report_i64(&rep, "symbols", r.symbols);
    nx_report_i64(&rep, "rows_added", r.texts + r.mentions);
    nx_report_f64(&rep, "seconds", (double)(nx_clock_mono() - began) / 1e9, "s");
    return nx_report_end(&rep, err);
}

nx_status nx_cmd_enrich(const nx_globals *g, nx_args *a, nx_err *err)
{
    (void)a;
    nx_project p;
    nx_stop_on_signals();
    NX_TRY(nx_project_open(g, NX_NEED_LAKE | NX_NEED_LOCK, &p, err));
    nx_status st = run(&p, err);
    nx_project_close(&p);
    return st;
}
