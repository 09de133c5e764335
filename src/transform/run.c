/* Running the plan: one node after the other, hooks around it, what failed and what is skipped for it. */
#include "transform/dbt_int.h"

#include <stdio.h>

typedef struct tally {
    dbt_project *p;
    const dbt_plan *plan;
    nx_dbt_result *r;
    bool skip_on_test_failure; /* build: a failed test holds back what stands below its parents */
    bool stopped;              /* fail-fast */
} tally;

static void node_error(dbt_project *p, dbt_node *n, const nx_err *e)
{
    n->status = DBT_ST_ERROR;
    const char *s = e->hint[0] == '\0' ? nx_arena_printf(&p->arena, "%s", e->text) : nx_arena_printf(&p->arena, "%s\n  (%s)", e->text, e->hint);
    n->message = s == NULL ? "out of memory" : s;
}

static nx_status execute(dbt_project *p, dbt_node *n, nx_err *err)
{
    switch (n->kind) {
    case DBT_MODEL:
        return nx__dbt_mat_model(p, n, err);
    case DBT_SEED:
        return nx__dbt_mat_seed(p, n, err);
    case DBT_SNAPSHOT:
        return nx__dbt_mat_snapshot(p, n, err);
    default:
        return nx__dbt_mat_test(p, n, err);
    }
}

/* Everything that waits for a failed node, directly or not. */
static void hold_back(const tally *t, const dbt_node *n)
{
    const dbt_list *next = &t->plan->next[n->idx];
    for (size_t i = 0; i < next->n; i++) {
        dbt_node *d = next->v[i];
        if (d->status != DBT_ST_NONE)
            continue;
        d->status = DBT_ST_SKIPPED;
        hold_back(t, d);
    }
}

static void count(tally *t, const dbt_node *n)
{
    nx_dbt_result *r = t->r;
    r->total++;
    switch (n->status) {
    case DBT_ST_SUCCESS:
    case DBT_ST_PASS:
        r->pass++;
        break;
    case DBT_ST_WARN:
        r->warn++;
        break;
    case DBT_ST_SKIPPED:
    case DBT_ST_NONE:
        r->skip++;
        break;
    case DBT_ST_FAIL:
    case DBT_ST_ERROR:
        r->error++;
        if (r->first_failure[0] == '\0')
            snprintf(r->first_failure, sizeof r->first_failure, "%s", n->id);
        break;
    }
    r->rows_added += n->rows_added;
    r->rows_removed += n->rows_removed;
}

static void tell(const tally *t, const dbt_node *n, size_t slot)
{
    const nx_dbt_opts *o = t->p->o;
    nx__dbt_say_done(t->p, n, slot, t->plan->slots);
    if (o->node == NULL)
        return;
    nx_dbt_node_result r = {.unique_id = n->id,
                            .resource_type = nx__dbt_kind_name(n->kind),
                            .relation = n->kind == DBT_TEST ? NULL : nx__dbt_relname(&t->p->arena, n),
                            .status = nx__dbt_status_name(n),
                            .message = n->message,
                            .failures = n->failures,
                            .rows_added = n->rows_added,
                            .rows_removed = n->rows_removed,
                            .seconds = n->seconds,
                            .index = slot,
                            .count = t->plan->slots};
    o->node(o->ctx, &r);
}

/* Ephemeral models are compiled with what reads them; their own turn only finds errors that would come anyway. */
static void run_one(tally *t, dbt_node *n, size_t slot)
{
    dbt_project *p = t->p;
    if (n->status == DBT_ST_SKIPPED || t->stopped) {
        n->status = DBT_ST_SKIPPED;
        n->message = t->stopped ? "Skipping due to fail_fast" : n->message;
        tell(t, n, slot);
        return;
    }
    nx__dbt_say_start(p, n, slot, t->plan->slots);
    nx_err e = {0};
    nx_mono_ns from = nx_clock_mono();
    n->execute_at = nx_clock_wall();
    nx_status st = execute(p, n, &e);
    n->done_at = nx_clock_wall();
    if (n->compiled_at > n->execute_at)
        n->execute_at = n->compiled_at;
    n->seconds = (double)(nx_clock_mono() - from) / 1e9;
    if (st != NX_OK)
        node_error(p, n, &e);
    else if (n->kind != DBT_TEST) {
        n->status = DBT_ST_SUCCESS;
        n->message = n->response;
    }
    tell(t, n, slot);
    bool bad = n->status == DBT_ST_ERROR || n->status == DBT_ST_FAIL;
    if (bad && (n->kind != DBT_TEST || t->skip_on_test_failure))
        hold_back(t, n);
    t->stopped = t->stopped || (bad && p->o->fail_fast);
}

/* ---- on-run-start, on-run-end ---- */

static nx_status project_hooks(dbt_project *p, const dbt_list *hooks, const char *which, nx_err *err)
{
    for (size_t i = 0; i < hooks->n; i++) {
        NX_BUF_AUTO nx_buf sql;
        nx_buf_init(&sql, 0);
        nx_mono_ns from = nx_clock_mono();
        const char *name = nx_arena_printf(&p->arena, "hook: %s.%s.%zu", p->name, which, i);
        const char *start = name == NULL ? NULL : nx_arena_printf(&p->arena, "START %s", name), *ok = name == NULL ? NULL : nx_arena_printf(&p->arena, "OK %s", name);
        if (start == NULL || ok == NULL)
            return nx_nomem(err);
        nx__dbt_say_progress(p, i + 1, hooks->n, start, "RUN", -1);
        nx_status st = nx__dbt_render_text(p, NULL, "dbt_project.yml", nx_str_of(hooks->v[i]), &sql, err);
        if (st == NX_OK && nx_str_trim(nx_buf_str(&sql)).n > 0)
            st = nx_session_exec(p->session, nx_buf_str(&sql), NULL, err);
        if (st != NX_OK) {
            nx_err_prefix(err, "%s %zu of dbt_project.yml: ", which, i + 1);
            return st;
        }
        nx__dbt_say_progress(p, i + 1, hooks->n, ok, "OK", (double)(nx_clock_mono() - from) / 1e9);
    }
    if (hooks->n > 0)
        nx__dbt_say(p, "%s", "");
    return NX_OK;
}

static void run_all(tally *t)
{
    size_t slot = 0;
    for (size_t i = 0; i < t->plan->n; i++) {
        dbt_node *n = t->plan->order[i];
        if (nx__dbt_is_ephemeral(n))
            continue;
        run_one(t, n, ++slot);
        count(t, n);
    }
}

/* A failed on-run-start skips every node (dbt 1.12); a failed on-run-end is an error of the run. */
static void hooks_failed(tally *t, const char *which, const nx_err *e)
{
    nx__dbt_say(t->p, "[ERROR]: %s", e->text);
    t->r->error++;
    t->r->total++;
    if (t->r->first_failure[0] == '\0')
        snprintf(t->r->first_failure, sizeof t->r->first_failure, "operation.%s.%s", t->p->name, which);
}

nx_status nx__dbt_run_plan(dbt_project *p, const dbt_plan *plan, nx_dbt_result *r, nx_err *err)
{
    tally t = {.p = p, .plan = plan, .r = r, .skip_on_test_failure = strcmp(p->o->command, "build") == 0};
    nx_err e = {0};
    nx__dbt_say(p, "Concurrency: %d threads (target='%s')", p->target.threads, p->target.name);
    nx__dbt_say(p, "%s", "");
    NX_TRY(nx_dir_make(p->target_path, err));
    nx_mono_ns from = nx_clock_mono();
    if (project_hooks(p, &p->on_start, "on-run-start", &e) != NX_OK) {
        hooks_failed(&t, "on-run-start", &e);
        t.stopped = true;
    }
    run_all(&t);
    if (project_hooks(p, &p->on_end, "on-run-end", &e) != NX_OK)
        hooks_failed(&t, "on-run-end", &e);
    r->seconds = (double)(nx_clock_mono() - from) / 1e9;
    nx__dbt_say_summary(p, plan, r);
    NX_TRY(nx__dbt_write_results(p, plan, r->seconds, err));
    if (r->error == 0 && r->skip == 0)
        return NX_OK;
    return nx_fail(err, NX_CHECK_FAILED, "dbt %s: %zu of %zu failed, %zu skipped (first: %s)", p->o->command, r->error, r->total, r->skip,
                   r->first_failure[0] == '\0' ? "none" : r->first_failure);
}
