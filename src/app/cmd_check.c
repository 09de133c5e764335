#include <stdio.h>
#include <stdlib.h>

#include "app/check.h"
#include "app/cmds.h"
#include "app/gate.h"
#include "app/print.h"

const nx_opt_def nx_opts_check[] = {
    {"--exit-codes", NULL, "nexus|soda", "soda: 1 a warning, 2 a failure, 3 an error", false},
    {NULL, NULL, NULL, NULL, false},
};

static void show(void *ctx, size_t done, size_t n, const char *table)
{
    nx_progress *bar = ctx;
    bar->what = table == NULL ? "check" : table;
    nx_progress_set(bar, (int64_t)done, (int64_t)n, "tables");
}

static nx_status compile(nx_project *p, const char *const *files, size_t n_files, nx_quality *q, nx_err *err)
{
    const char *dir = NULL;
    for (size_t i = 0; i < n_files; i++)
        NX_TRY(nx_quality_add_path(q, files[i], err));
    if (n_files == 0) {
        NX_TRY(nx_project_find(p, "quality", &dir, err));
        NX_TRY(nx_quality_add_path(q, dir, err));
    }
    if (nx_quality_count(q) > 0)
        return NX_OK;
    nx_fail(err, NX_INVALID, "there is no check in %s", dir != NULL ? dir : files[0]);
    return nx_err_hint(err, NX_INVALID,
                       "nothing checked is nothing passed: write one, e.g. checks for gold.dim_date: [row_count > 0]");
}

nx_status nx_check_project(nx_project *p, const char *const *files, size_t n_files, nx_scan *ret, nx_err *err)
{
    nx_quality *q = nx_quality_new();
    if (q == NULL)
        return nx_nomem(err);
    nx_progress bar;
    nx_progress_begin(&bar, p->g, "check");
    nx_status st = compile(p, files, n_files, q, err);
    if (st == NX_OK)
        st = nx_quality_scan(q, p->session,
                             &(nx_scan_opts){.progress = show, .progress_ctx = &bar, .stop = &nx_stop_requested}, ret,
                             err);
    nx_progress_end(&bar);
    nx_quality_free(q);
    if (st == NX_OK && nx_stop_requested) { /* what ran last was interrupted: no outcome of it counts */
        nx_scan_drop(ret);
        st = NX_CANCELLED;
    }
    if (st == NX_OK && n_files == 0) {
        st = nx_gate_note(p, ret->fail + ret->error == 0, err);
        if (st != NX_OK)
            nx_scan_drop(ret);
    }
    return st;
}

static nx_status report(nx_project *p, const nx_scan *scan, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = p->g->json ? nx_scan_json(scan, "lake", &b) : nx_scan_print(scan, "lake", &b);
    if (st != NX_OK)
        return nx_fail(err, st, "could not print the checks: %s", nx_status_text(st));
    fwrite(b.p, 1, b.n, stdout);
    if (b.n > 0 && b.p[b.n - 1] != '\n')
        putchar('\n');
    return NX_OK;
}

static nx_status run(nx_project *p, const nx_args *a, int *ret_soda, nx_err *err)
{
    nx_scan scan;
    NX_TRY(nx_project_ensure_tables(p, err));
    NX_TRY(nx_project_attach(p, err));
    NX_TRY(nx_check_project(p, a->words, a->n_words, &scan, err));
    nx_status st = report(p, &scan, err);
    if (st == NX_OK && scan.fail + scan.error > 0)
        st = NX_CHECK_FAILED;
    if (st == NX_CHECK_FAILED)
        nx_err_clear(err); /* told above, with what each check met */
    *ret_soda = nx_scan_exit_soda(&scan);
    nx_scan_drop(&scan);
    return st;
}

nx_status nx_cmd_check(const nx_globals *g, nx_args *a, nx_err *err)
{
    const char *codes = nx_args_get(a, "--exit-codes");
    int soda = 0;
    if (codes != NULL && strcmp(codes, "soda") != 0 && strcmp(codes, "nexus") != 0)
        return nx_fail(err, NX_INVALID, "--exit-codes is nexus or soda, not '%s'", codes);
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS | NX_NEED_SESSION | NX_NEED_LOCK, &p, err));
    nx_status st = nx_project_stoppable(&p, err);
    if (st == NX_OK)
        st = run(&p, a, &soda, err);
    if (st == NX_CANCELLED)
        nx_err_hint(err, nx_fail(err, st, "the checks were stopped; the gate of publication is as it was"),
                    "run nexus check again: it begins anew");
    nx_project_close(&p);
    if ((st == NX_OK || st == NX_CHECK_FAILED) && codes != NULL && codes[0] == 's') {
        fflush(stdout);
        exit(soda);
    }
    return st;
}
