#include <stdlib.h>

#include "app/cmds.h"
#include "app/gate.h"
#include "app/gold.h"
#include "app/print.h"
#include "app/report.h"
#include "base/clock.h"

const nx_opt_def nx_opts_publish[] = {
    {"--unchecked", NULL, NULL, "publish what the checks have not passed (it is written down in the log)", false},
    {NULL, NULL, NULL, NULL, false},
};

static void show(void *ctx, const char *table, int64_t rows, bool done)
{
    nx_progress *bar = ctx;
    bar->what = table;
    if (!done)
        nx_progress_set(bar, rows, 0, "rows");
}

static void table_json(nx_jw *w, const nx_publish_table_result *t)
{
    nx_jw_obj(w);
    nx_jw_key(w, "name");
    nx_jw_cstr(w, t->name);
    nx_jw_key(w, "version");
    nx_jw_i64(w, t->lake_version);
    nx_jw_key(w, "rows");
    nx_jw_i64(w, t->rows);
    nx_jw_key(w, "inserted");
    nx_jw_i64(w, t->inserted);
    nx_jw_key(w, "updated");
    nx_jw_i64(w, t->updated);
    nx_jw_key(w, "deleted");
    nx_jw_i64(w, t->deleted);
    nx_jw_obj_end(w);
}

nx_status nx_publish_report(const nx_globals *g, const nx_publish_result *r, double seconds, nx_err *err)
{
    nx_report rep;
    nx_report_begin(&rep, g, "Published");
    nx_report_i64(&rep, "release", r->release_id);
    nx_report_i64(&rep, "rows_changed", r->rows_changed);
    nx_report_f64(&rep, "seconds", seconds, "s");
    nx_jw *w = nx_report_json(&rep, "tables");
    nx_jw_arr(w);
    for (size_t i = 0; i < r->n_tables; i++) {
        const nx_publish_table_result *t = &r->tables[i];
        table_json(w, t);
        if (!g->json && !g->quiet)
            printf("  %-44s version %-4lld %10lld rows  %8lld inserted %8lld updated %8lld deleted%s\n", t->name,
                   (long long)t->lake_version, (long long)t->rows, (long long)t->inserted, (long long)t->updated,
                   (long long)t->deleted, t->left_alone ? "  (unchanged)" : "");
    }
    nx_jw_arr_end(w);
    return nx_report_end(&rep, err);
}

nx_status nx_publish_run(nx_project *p, bool unchecked, nx_publish_result *ret, nx_err *err)
{
    const nx_publish_table *tables;
    const char *const *names;
    size_t n;
    NX_TRY(nx_gold_tables(p, &tables, &n, &names, err));
    if (!unchecked)
        NX_TRY(nx_gate_require(p, names, err));
    char *dsn = NULL;
    NX_TRY(nx_config_secret(p->cfg, "postgres.dsn", &dsn, err));
    if (dsn == NULL)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "no Postgres is configured: postgres.dsn is null"),
                           "set it in nexus.yml, or: nexus publish --set postgres.dsn='host=… dbname=…'");
    nx_progress bar;
    nx_progress_begin(&bar, p->g, "publish");
    nx_publish_opts o = {.lake = p->lake,
                         .session = p->session,
                         .dsn = dsn,
                         .schema = nx_config_str(p->cfg, "postgres.schema"),
                         .tables = tables,
                         .n_tables = n,
                         .progress = show,
                         .progress_ctx = &bar};
    nx_status st = nx_publish(&o, ret, err);
    nx_progress_end(&bar);
    free(dsn);
    return st;
}

nx_status nx_cmd_publish(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    nx_publish_result r = {0};
    uint64_t began = nx_clock_mono();
    NX_TRY(nx_project_open(g, NX_NEED_SESSION | NX_NEED_LOCK, &p, err));
    nx_status st = nx_project_stoppable(&p, err);
    if (st == NX_OK)
        st = nx_publish_run(&p, nx_args_has(a, "--unchecked"), &r, err);
    if (st == NX_CANCELLED)
        nx_err_hint(err, nx_fail(err, st, "publication was stopped: readers see the release before it"),
                    "run nexus publish again: it begins anew");
    if (st == NX_OK) {
        st = nx_publish_report(g, &r, (double)(nx_clock_mono() - began) / 1e9, err);
        nx_publish_result_drop(&r);
    }
    nx_project_close(&p);
    return st;
}
