/* nexus contract lint: every problem of every file. */
#include "contract/lint.h"

#include <stdio.h>

#include "app/contract_cmds.h"
#include "app/report.h"

static void print_problem(const nx_contract_problem *q)
{
    if (q->line > 0)
        printf("%s:%d:%d: %s%s%s\n", q->file, q->line, q->col, q->key, q->key[0] == '\0' ? "" : ": ", q->cause);
    else
        printf("%s: %s\n", q->file, q->cause);
    if (q->hint[0] != '\0')
        printf("    %s\n", q->hint);
}

static void problem_json(nx_jw *w, const nx_contract_problem *q)
{
    nx_jw_obj(w);
    nx_jw_key(w, "file");
    nx_jw_cstr(w, q->file);
    nx_jw_key(w, "line");
    nx_jw_i64(w, q->line);
    nx_jw_key(w, "column");
    nx_jw_i64(w, q->col);
    nx_jw_key(w, "key");
    nx_jw_cstr(w, q->key);
    nx_jw_key(w, "cause");
    nx_jw_cstr(w, q->cause);
    nx_jw_key(w, "hint");
    nx_jw_cstr(w, q->hint);
    nx_jw_obj_end(w);
}

static nx_status tell(const nx_project *p, const nx_lint *l, nx_err *err)
{
    nx_report rep;
    for (size_t i = 0; i < l->n && !p->g->json; i++)
        print_problem(&l->problems[i]);
    nx_report_begin(&rep, p->g, l->n == 0 ? "All contracts are valid" : "");
    nx_report_i64(&rep, "contracts", (int64_t)l->n_files);
    nx_report_i64(&rep, "contracts_with_problems", (int64_t)l->n_bad);
    nx_report_i64(&rep, "problems", (int64_t)l->n);
    nx_jw *w = nx_report_json(&rep, "list");
    nx_jw_arr(w);
    for (size_t i = 0; i < l->n; i++)
        problem_json(w, &l->problems[i]);
    nx_jw_arr_end(w);
    NX_TRY(nx_report_end(&rep, err));
    if (l->n == 0)
        return NX_OK;
    nx_err_clear(err); /* told: the exit code is all that is left to say */
    if (!p->g->json)
        fprintf(stderr, "nexus: %zu problem%s in %zu of %zu contract file%s, the first in %s: %s\n", l->n,
                l->n == 1 ? "" : "s", l->n_bad, l->n_files, l->n_files == 1 ? "" : "s", l->problems[0].file,
                l->problems[0].cause);
    return NX_INVALID;
}

nx_status nx_contract_lint_cmd(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *dir;
    const char *const *words = a->words + 1;
    size_t n = a->n_words - 1;
    nx_lint l;
    if (n == 0) {
        NX_TRY(nx_project_find(p, "contracts", &dir, err));
        words = &dir;
        n = 1;
    }
    nx_status st = nx_contracts_lint(words, n, &l, err);
    if (st == NX_OK)
        st = tell(p, &l, err);
    nx_lint_drop(&l);
    return st;
}
