/* Running the plan: one node after the other, hooks around it, what failed and what is skipped for it. */
#include "transform/dbt_int.h"

#include <stdio.h>

typedef struct tally {
    dbt_project *p;
    const dbt_plan *plan;
    nx_dbt_result *r;
    bool skip_on_test_failure; /* build: a failed test holds back what stands below its parents */
    bool stopped;              /* fail-fast, or a failed on-run-start */
    const char *why_stopped;
} tally;

static void node_error(dbt_project *p, dbt_node *n, const nx_err *e)
{
    n->status = DBT_ST_ERROR;
    const char *s = e->hint[0] == '\0' ? nx_arena_printf(&p->arena, "%s", e->text)
                                       : nx_arena_printf(&p->arena, "%s\n  (%s)", e->text, e->hint);
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
    case DBT_ST_NOOP:
        r->no_op++;
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
    nx_dbt_node_result r = {
        .unique_id = n->id,
        .resource_type = nx__dbt_kind_name(n->kind),
        .relation = n->kind == DBT_TEST || n->kind == DBT_EXPOSURE ? NULL : nx__dbt_relname(&t->p->arena, n),
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
        n->message = t->stopped ? t->why_stopped : n->message;
        tell(t, n, slot);
        return;
    }
    if (n->kind == DBT_EXPOSURE) {
        n->status = DBT_ST_NOOP;
        n->message = "NO-OP";
        n->failures = 0;
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

static nx_status one_hook(dbt_project *p, dbt_node *n, nx_err *err)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 0);
    NX_TRY(nx__dbt_render_text(p, NULL, "dbt_project.yml", n->raw, &sql, err));
    return nx_str_trim(nx_buf_str(&sql)).n == 0 ? NX_OK : nx_session_exec(p->session, nx_buf_str(&sql), NULL, err);
}

/* False when one failed; those behind it are skipped. */
static bool project_hooks(tally *t, const dbt_list *hooks)
{
    dbt_project *p = t->p;
    bool good = true;
    for (size_t i = 0; i < hooks->n; i++) {
        dbt_node *n = hooks->v[i];
        nx_err e = {0};
        nx_mono_ns from = nx_clock_mono();
        n->status = DBT_ST_SKIPPED;
        if (good) {
            const char *start = nx_arena_printf(&p->arena, "START hook: %s", n->description);
            nx__dbt_say_progress(p, i + 1, hooks->n, start == NULL ? n->name : start, "RUN", -1);
            n->execute_at = nx_clock_wall();
            good = one_hook(p, n, &e) == NX_OK;
            n->done_at = nx_clock_wall();
            n->seconds = (double)(nx_clock_mono() - from) / 1e9;
            n->status = good ? DBT_ST_SUCCESS : DBT_ST_ERROR;
            const char *done = nx_arena_printf(&p->arena, "%s hook: %s", good ? "OK" : "ERROR", n->description);
            nx__dbt_say_progress(p, i + 1, hooks->n, done == NULL ? n->name : done, good ? "OK" : "ERROR", n->seconds);
            if (good) {
                n->failures = 0;
                n->message = nx_arena_printf(&p->arena, "%s passed", n->description);
            } else
                node_error(p, n, &e);
        }
        count(t, n);
    }
    if (hooks->n > 0)
        nx__dbt_say(p, "%s", "");
    return good;
}

static bool stop_requested(const dbt_project *p)
{
    return p->o->stop != NULL && *p->o->stop;
}

static void run_all(tally *t, const char *why_stopped)
{
    size_t slot = 0;
    t->why_stopped = why_stopped;
    for (size_t i = 0; i < t->plan->n; i++) {
        dbt_node *n = t->plan->order[i];
        if (!nx__dbt_has_slot(n))
            continue;
        if (!t->stopped && stop_requested(t->p)) {
            t->stopped = true;
            t->why_stopped = "Skipping: stopped by request";
        }
        run_one(t, n, ++slot);
        count(t, n);
    }
}

nx_status nx__dbt_run_plan(dbt_project *p, const dbt_plan *plan, nx_dbt_result *r, nx_err *err)
{
    tally t = {.p = p, .plan = plan, .r = r, .skip_on_test_failure = strcmp(p->o->command, "build") == 0};
    nx__dbt_say(p, "Concurrency: %d threads (target='%s')", p->target.threads, p->target.name);
    nx__dbt_say(p, "%s", "");
    NX_TRY(nx_dir_make(p->target_path, err));
    nx_mono_ns from = nx_clock_mono();
    bool started = project_hooks(&t, &p->on_start);
    t.stopped = !started; /* dbt 1.12: nothing runs after a failed on-run-start */
    run_all(&t, started ? "Skipping due to fail_fast" : "Skipping due to a failed on-run-start hook");
    (void)project_hooks(&t, &p->on_end);
    r->seconds = (double)(nx_clock_mono() - from) / 1e9;
    nx__dbt_say_summary(p, plan, r);
    NX_TRY(nx__dbt_write_results(p, plan, r->seconds, err));
    if (r->skip > 0 && stop_requested(p))
        return nx_err_hint(err,
                           nx_fail(err, NX_CANCELLED,
                                   "dbt %s was stopped: %zu of %zu nodes are done, %zu failed, %zu were left out",
                                   p->o->command, r->pass + r->warn + r->no_op, r->total, r->error, r->skip),
                           "run the same command again: what is done is brought up to date, the others follow");
    if (r->error == 0 && r->skip == 0)
        return NX_OK;
    return nx_fail(err, NX_CHECK_FAILED, "dbt %s: %zu of %zu failed, %zu skipped (first: %s)", p->o->command, r->error,
                   r->total, r->skip, r->first_failure[0] == '\0' ? "none" : r->first_failure);
}
