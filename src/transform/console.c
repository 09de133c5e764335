/* What people and log parsers read: dbt's console lines. */
#include "transform/dbt_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

enum { WIDTH = 80 }; /* dbt's printer_width */

void nx__dbt_say(dbt_project *p, const char *fmt, ...)
{
    if (p->o->line == NULL)
        return;
    char text[2048], line[2080];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    time_t now = (time_t)(nx_clock_wall() / 1000000000);
    struct tm tm;
    gmtime_r(&now, &tm);
    snprintf(line, sizeof line, "%02d:%02d:%02d  %s", tm.tm_hour, tm.tm_min, tm.tm_sec, text);
    p->o->line(p->o->ctx, line);
}

void nx__dbt_say_progress(dbt_project *p, size_t i, size_t n, const char *message, const char *status, double seconds)
{
    char head[1024], tail[64] = "";
    int len = snprintf(head, sizeof head, "%zu of %zu %s ", i, n, message);
    size_t at = len < 0 ? 0 : (size_t)len < sizeof head ? (size_t)len : sizeof head - 1;
    while (at < WIDTH && at + 1 < sizeof head)
        head[at++] = '.';
    head[at] = '\0';
    if (seconds >= 0)
        snprintf(tail, sizeof tail, " in %.2fs", seconds);
    nx__dbt_say(p, "%s [%s%s]", head, status, tail);
}

/* ---- "Found 3 models, …" ---- */

static void count_line(char *out, size_t cap, size_t n, const char *one, const char *many)
{
    size_t at = strlen(out);
    if (n > 0 && at < cap)
        snprintf(out + at, cap - at, "%s%zu %s", at == 0 ? "" : ", ", n, n == 1 ? one : many);
}

void nx__dbt_say_found(dbt_project *p)
{
    size_t by_kind[DBT_OPERATION + 1] = {0}, macros = 0;
    for (size_t i = 0; i < p->nodes.n; i++)
        by_kind[((const dbt_node *)p->nodes.v[i])->kind]++;
    for (size_t i = 0; i < p->macro_files.n; i++) {
        size_t n;
        (void)nx_jtmpl_blocks(p->macro_files.v[i], &n);
        macros += n;
    }
    char text[512] = "";
    count_line(text, sizeof text, by_kind[DBT_MODEL], "model", "models");
    count_line(text, sizeof text, by_kind[DBT_SEED], "seed", "seeds");
    count_line(text, sizeof text, by_kind[DBT_SNAPSHOT], "snapshot", "snapshots");
    count_line(text, sizeof text, by_kind[DBT_TEST], "data test", "data tests");
    count_line(text, sizeof text, by_kind[DBT_SOURCE], "source", "sources");
    count_line(text, sizeof text, by_kind[DBT_EXPOSURE], "exposure", "exposures");
    count_line(text, sizeof text, macros, "macro", "macros");
    nx__dbt_say(p, "Found %s", text[0] == '\0' ? "nothing" : text);
    nx__dbt_say(p, "%s", "");
}

/* ---- a node begins and ends ---- */

/* "sql table model gold.x", "snapshot gold.y", "seed file gold.z", "test t" */
static const char *title(dbt_project *p, const dbt_node *n)
{
    const char *rel = n->kind == DBT_TEST ? n->name : nx__dbt_relname(&p->arena, n), *s;
    if (n->kind == DBT_MODEL)
        s = nx_arena_printf(&p->arena, "sql %s model %s", nx__dbt_materialized(n), rel);
    else if (n->kind == DBT_SEED)
        s = nx_arena_printf(&p->arena, "seed file %s", rel);
    else
        s = nx_arena_printf(&p->arena, "%s %s", nx__dbt_kind_name(n->kind), rel);
    return s == NULL ? n->name : s;
}

void nx__dbt_say_start(dbt_project *p, const dbt_node *n, size_t i, size_t count)
{
    const char *text = nx_arena_printf(&p->arena, "START %s", title(p, n));
    nx__dbt_say_progress(p, i, count, text == NULL ? n->name : text, "RUN", -1);
}

static void say_test(dbt_project *p, const dbt_node *n, size_t i, size_t count)
{
    char status[64];
    const char *verb = n->status == DBT_ST_PASS   ? "PASS"
                       : n->status == DBT_ST_FAIL ? "FAIL"
                       : n->status == DBT_ST_WARN ? "WARN"
                                                  : "ERROR";
    if (n->status == DBT_ST_FAIL || n->status == DBT_ST_WARN)
        snprintf(status, sizeof status, "%s %lld", verb, (long long)n->failures);
    else
        snprintf(status, sizeof status, "%s", verb);
    const char *text = nx_arena_printf(&p->arena, "%s %s", status, n->name);
    nx__dbt_say_progress(p, i, count, text == NULL ? n->name : text, status, n->seconds);
}

void nx__dbt_say_done(dbt_project *p, const dbt_node *n, size_t i, size_t count)
{
    if (n->status == DBT_ST_SKIPPED) {
        const char *text =
            nx_arena_printf(&p->arena, "SKIP %s %s",
                            n->kind == DBT_TEST       ? "test"
                            : n->kind == DBT_EXPOSURE ? "exposure"
                                                      : "relation",
                            n->schema == NULL || n->kind == DBT_TEST ? n->name : nx__dbt_relname(&p->arena, n));
        nx__dbt_say_progress(p, i, count, text == NULL ? n->name : text, "SKIP", -1);
        return;
    }
    if (n->kind == DBT_TEST) {
        say_test(p, n, i, count);
        return;
    }
    if (n->kind == DBT_EXPOSURE) {
        const char *noop = nx_arena_printf(&p->arena, "NO-OP exposure %s", n->name);
        nx__dbt_say_progress(p, i, count, noop == NULL ? n->name : noop, "NO-OP", n->seconds);
        return;
    }
    bool ok = n->status == DBT_ST_SUCCESS;
    const char *verb = n->kind == DBT_SEED       ? ok ? "OK loaded" : "ERROR loading"
                       : n->kind == DBT_SNAPSHOT ? ok ? "OK snapshotted" : "ERROR snapshotting"
                       : ok                      ? "OK created"
                                                 : "ERROR creating";
    const char *text = nx_arena_printf(&p->arena, "%s %s", verb,
                                       n->kind == DBT_SNAPSHOT ? nx__dbt_relname(&p->arena, n) : title(p, n));
    nx__dbt_say_progress(p, i, count, text == NULL ? n->name : text,
                         ok ? n->response == NULL ? "OK" : n->response : "ERROR", n->seconds);
}

/* ---- the end ---- */

static void say_finished(dbt_project *p, const dbt_plan *plan, double seconds)
{
    enum { EXPOSURE, INCREMENTAL, HOOK, SEED, SNAPSHOT, TABLE, TEST, VIEW };
    static const char *const WHAT[][2] = {
        [EXPOSURE] = {"exposure", "exposures"},     [INCREMENTAL] = {"incremental model", "incremental models"},
        [HOOK] = {"project hook", "project hooks"}, [SEED] = {"seed", "seeds"},
        [SNAPSHOT] = {"snapshot", "snapshots"},     [TABLE] = {"table model", "table models"},
        [TEST] = {"data test", "data tests"},       [VIEW] = {"view model", "view models"}};
    static const size_t BY_KIND[] = {
        [DBT_SEED] = SEED, [DBT_SNAPSHOT] = SNAPSHOT, [DBT_TEST] = TEST, [DBT_EXPOSURE] = EXPOSURE};
    size_t n[NX_COUNT_OF(WHAT)] = {[HOOK] = p->on_start.n + p->on_end.n};
    for (size_t i = 0; i < plan->n; i++) {
        const dbt_node *node = plan->order[i];
        const char *m = nx__dbt_materialized(node);
        if (nx__dbt_has_slot(node))
            n[node->kind != DBT_MODEL         ? BY_KIND[node->kind]
              : strcmp(m, "incremental") == 0 ? INCREMENTAL
              : strcmp(m, "table") == 0       ? TABLE
                                              : VIEW]++;
    }
    char text[512] = "";
    for (size_t i = 0; i < NX_COUNT_OF(WHAT); i++)
        count_line(text, sizeof text, n[i], WHAT[i][0], WHAT[i][1]);
    long whole = (long)seconds;
    nx__dbt_say(p, "%s", "");
    nx__dbt_say(p, "Finished running %s in %ld hours %ld minutes and %.2f seconds (%.2fs).",
                text[0] == '\0' ? "nothing" : text, whole / 3600, whole / 60 % 60, seconds - (double)(whole / 60 * 60),
                seconds);
    nx__dbt_say(p, "%s", "");
}

static void say_problem(dbt_project *p, const dbt_node *n)
{
    nx__dbt_say(p, "[%s]: in %s %s (%s)", n->status == DBT_ST_WARN ? "WARNING" : "ERROR", nx__dbt_kind_name(n->kind),
                n->name, n->file);
    nx__dbt_say(p, "  %s", n->message == NULL ? "" : n->message);
    nx__dbt_say(p, "%s", "");
    if (n->is_compiled) {
        const char *file = nx__dbt_target_file(p, n);
        nx__dbt_say(p, "  compiled code at %s/compiled/%s/%s", p->target_shown, p->name, file == NULL ? n->name : file);
        nx__dbt_say(p, "%s", "");
    }
}

void nx__dbt_say_summary(dbt_project *p, const dbt_plan *plan, const nx_dbt_result *r)
{
    say_finished(p, plan, r->seconds);
    if (r->error > 0)
        nx__dbt_say(p, "Completed with %zu error%s, 0 partial successes, and %zu warning%s:", r->error,
                    r->error == 1 ? "" : "s", r->warn, r->warn == 1 ? "" : "s");
    else if (r->warn > 0)
        nx__dbt_say(p, "Completed with %zu warning%s:", r->warn, r->warn == 1 ? "" : "s");
    else
        nx__dbt_say(p, "Completed successfully");
    nx__dbt_say(p, "%s", "");
    for (size_t i = 0; i < p->on_start.n + p->on_end.n; i++) {
        const dbt_node *n = i < p->on_start.n ? p->on_start.v[i] : p->on_end.v[i - p->on_start.n];
        if (n->status == DBT_ST_ERROR)
            say_problem(p, n);
    }
    for (size_t i = 0; i < plan->n; i++) {
        const dbt_node *n = plan->order[i];
        if (n->status == DBT_ST_ERROR || n->status == DBT_ST_FAIL || n->status == DBT_ST_WARN)
            say_problem(p, n);
    }
    nx__dbt_say(p, "Done. PASS=%zu WARN=%zu ERROR=%zu SKIP=%zu NO-OP=%zu REUSED=0 TOTAL=%zu", r->pass, r->warn,
                r->error, r->skip, r->no_op, r->total);
}
