/* Running checks: one query for all that one pass over a table can measure, one for each other check. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/json.h"
#include "quality/quality_int.h"

#include "base/stop.h"

const char *nx_outcome_name(nx_outcome o)
{
    static const char *const names[] = {"pass", "warn", "fail", "error", "not evaluated"};
    return (unsigned)o < NX_COUNT_OF(names) ? names[o] : "?";
}

nx_status nx__quality_set_text(qscan *sc, const char **field, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    *field = nx_arena_vprintf(&sc->out->arena, fmt, ap);
    va_end(ap);
    return *field == NULL ? nx_nomem(sc->err) : NX_OK;
}

nx_status nx__quality_run(qscan *sc, const char *table, nx_str sql, nx_result **ret, const char **ret_error)
{
    nx_scan *o = sc->out;
    nx_err err;
    nx_err_clear(&err);
    *ret = NULL;
    *ret_error = NULL;
    if (!nx_grow(&o->queries, &o->cap_queries, o->n_queries + 1, sizeof *o->queries))
        return nx_nomem(sc->err);
    nx_scan_query *log = &o->queries[o->n_queries];
    *log = (nx_scan_query){.table = table == NULL ? NULL : nx_arena_dup(&o->arena, nx_str_of(table)),
                           .sql = nx_arena_dup(&o->arena, sql)};
    if (log->sql == NULL || (table != NULL && log->table == NULL))
        return nx_nomem(sc->err);
    o->n_queries++;
    nx_mono_ns from = nx_clock_mono();
    nx_status st = nx_session_query(sc->s, sql, ret, &err);
    log->seconds = (double)(nx_clock_mono() - from) / 1e9;
    if (st == NX_OK)
        return NX_OK;
    if (st == NX_CANCELLED) {
        if (sc->err != NULL)
            *sc->err = err;
        return st;
    }
    NX_TRY(nx__quality_set_text(sc, &log->error, "%s", err.text));
    *ret_error = log->error;
    return NX_OK;
}

static nx_status set_error(nx_check_result *r, const char *error)
{
    r->outcome = NX_OUTCOME_ERROR;
    r->detail = error;
    return NX_OK;
}

/* ---- outcome ---- */

/* The condition under which a pass condition fails: "> 0" becomes "<= 0". */
static nx_status invert(qscan *sc, const qbound *b, const char **ret)
{
    static const char *const inverse[] = {
        [QOP_LT] = ">=", [QOP_LE] = ">", [QOP_GT] = "<=", [QOP_GE] = "<", [QOP_EQ] = "!=", [QOP_NE] = "="};
    if (b->op == QOP_BETWEEN)
        return nx__quality_set_text(sc, ret, "not %s", b->text);
    if (b->op == QOP_NOT_BETWEEN)
        return nx__quality_set_text(sc, ret, "%s", strstr(b->text, "between"));
    return nx__quality_set_text(sc, ret, "%s %s", inverse[b->op],
                                b->text + strcspn(b->text, " ") + strspn(b->text + strcspn(b->text, " "), " "));
}

static nx_status set_value_text(qscan *sc, const qcheck *c, nx_check_result *r)
{
    if (c->metric == Q_FRESHNESS) {
        r->value_text = nx__quality_duration(&sc->out->arena, r->value);
        return r->value_text == NULL ? nx_nomem(sc->err) : NX_OK;
    }
    if (r->value == floor(r->value) && fabs(r->value) < 1e15)
        return nx__quality_set_text(sc, &r->value_text, "%.0f", r->value);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 256);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_f64(&w, r->value);
    if (nx_jw_end(&w) != NX_OK)
        return nx_nomem(sc->err);
    return nx__quality_set_text(sc, &r->value_text, "%s", b.p);
}

nx_status nx__quality_decide(qscan *sc, const qcheck *c, nx_check_result *r, bool has, double value)
{
    if (has && !isfinite(value))
        has = false;
    if (c->has_pass)
        NX_TRY(invert(sc, &c->pass, &r->fail));
    if (!has) {
        r->outcome = NX_OUTCOME_NONE;
        r->detail = "there is no value: no rows to measure";
        return NX_OK;
    }
    r->has_value = true;
    r->value = c->percent ? round(value * 100) / 100 : value;
    NX_TRY(set_value_text(sc, c, r));
    bool failed = c->has_pass ? !nx__quality_holds(&c->pass, r->value) : nx__quality_holds(&c->fail, r->value);
    if (c->metric == Q_REFERENCE || c->metric == Q_SAME_COUNT)
        failed = r->value != 0;
    r->outcome = failed ? NX_OUTCOME_FAIL : nx__quality_holds(&c->warn, r->value) ? NX_OUTCOME_WARN : NX_OUTCOME_PASS;
    if (failed && c->metric == Q_REFERENCE)
        return nx__quality_set_text(sc, &r->detail, "%s rows %s in %s", r->value_text,
                                    c->must_not_exist ? "have a partner" : "have no partner", c->other->name);
    if (failed && c->metric == Q_SAME_COUNT)
        return nx__quality_set_text(sc, &r->detail, "%s rows %s than %s",
                                    r->value < 0 ? r->value_text + 1 : r->value_text, r->value < 0 ? "fewer" : "more",
                                    c->other->name);
    return NX_OK;
}

/* ---- queries ---- */

static nx_status from_result(qscan *sc, const qcheck *c, nx_check_result *r, const nx_result *res, size_t col)
{
    bool has = nx_result_rows(res) == 1 && !nx_result_is_null(res, 0, col);
    return nx__quality_decide(sc, c, r, has, has ? nx_result_f64(res, 0, col, 0) : 0);
}

static nx_status scan_alone(qscan *sc, const qcheck *c, nx_check_result *r)
{
    if (c->metric == Q_SCHEMA)
        return nx__quality_scan_schema(sc, c, r);
    if (c->metric == Q_FRESHNESS)
        return nx__quality_scan_freshness(sc, c, r);
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, (size_t)1 << 20);
    nx_result *res;
    const char *error;
    if (nx__quality_query_sql(c, &sql) != NX_OK)
        return set_error(r, "the check is too large for one query");
    NX_TRY(nx__quality_run(sc, c->table == NULL ? NULL : c->table->name, nx_buf_str(&sql), &res, &error));
    if (error != NULL)
        return set_error(r, error);
    nx_status st = from_result(sc, c, r, res, 0);
    nx_result_drop(res);
    return st;
}

/* The aggregates among checks picks[0..n) as one query; *ret_done false: it broke, each must say for itself. */
static nx_status scan_together(qscan *sc, const size_t *picks, size_t n, bool *ret_done)
{
    const qcheck *checks = sc->q->checks, *first = &checks[picks[0]];
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, (size_t)4 << 20);
    nx_status st = nx_buf_adds(&sql, "SELECT ");
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        st = i == 0 ? NX_OK : nx_buf_adds(&sql, ",\n       ");
        if (st == NX_OK)
            st = nx__quality_value_sql(&checks[picks[i]], &sql);
    }
    if (st == NX_OK)
        st = nx_buf_addf(&sql, "\nFROM %s", first->table->sql);
    if (st == NX_OK && first->where != NULL)
        st = nx_buf_addf(&sql, " WHERE (%s\n)", first->where);
    *ret_done = false;
    if (st != NX_OK)
        return NX_OK;
    nx_result *res;
    const char *error;
    NX_TRY(nx__quality_run(sc, first->table->name, nx_buf_str(&sql), &res, &error));
    if (error != NULL)
        return NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++)
        st = from_result(sc, &checks[picks[i]], &sc->out->checks[picks[i]], res, i);
    nx_result_drop(res);
    *ret_done = true;
    return st;
}

static bool same_rows(const qcheck *a, const qcheck *b)
{
    return a->table == b->table &&
           (a->where == b->where || (a->where != NULL && b->where != NULL && strcmp(a->where, b->where) == 0));
}

/* All checks that read the same rows as check i. done marks what has run. */
static nx_status scan_group(qscan *sc, size_t i, bool *done, size_t *picks)
{
    const qcheck *checks = sc->q->checks;
    size_t n = 0;
    for (size_t k = i; k < sc->q->n; k++)
        if (!done[k] && same_rows(&checks[i], &checks[k]) && nx__quality_is_aggregate(&checks[k]))
            picks[n++] = k;
    bool together = false;
    if (n > 1)
        NX_TRY(scan_together(sc, picks, n, &together));
    for (size_t k = 0; k < n && together; k++)
        done[picks[k]] = true;
    for (size_t k = i; k < sc->q->n; k++) {
        if (done[k] || !same_rows(&checks[i], &checks[k]))
            continue;
        NX_TRY(scan_alone(sc, &checks[k], &sc->out->checks[k]));
        done[k] = true;
    }
    return NX_OK;
}

/* The result outlives the compiled checks: its texts are copies. */
static nx_status describe(qscan *sc, const qcheck *c, nx_check_result *r)
{
    nx_arena *a = &sc->out->arena;
    const struct {
        const char *from, **to;
    } texts[] = {{c->table == NULL ? NULL : c->table->name, &r->table},
                 {c->name, &r->name},
                 {c->definition, &r->definition},
                 {c->file, &r->file},
                 {c->warn.text, &r->warn},
                 {c->fail.text, &r->fail},
                 {c->attributes, &r->attributes}};
    *r = (nx_check_result){.metric = c->metric_name, .line = c->line, .outcome = NX_OUTCOME_NONE};
    for (size_t i = 0; i < NX_COUNT_OF(texts); i++)
        if (texts[i].from != NULL && (*texts[i].to = nx_arena_dup(a, nx_str_of(texts[i].from))) == NULL)
            return nx_nomem(sc->err);
    if (c->n_cols > 0 && (r->column = nx_arena_dup(a, c->cols[0])) == NULL)
        return nx_nomem(sc->err);
    return NX_OK;
}

static bool wanted(const qcheck *c, const nx_scan_opts *o)
{
    for (size_t i = 0; o != NULL && i < o->n_tables; i++)
        if (c->table != NULL && strcmp(c->table->name, o->tables[i]) == 0)
            return true;
    return o == NULL || o->n_tables == 0;
}

static nx_status prepare(qscan *sc, const nx_scan_opts *opts, bool *done)
{
    for (size_t i = 0; i < sc->q->n; i++) {
        NX_TRY(describe(sc, &sc->q->checks[i], &sc->out->checks[i]));
        done[i] = !wanted(&sc->q->checks[i], opts);
    }
    return NX_OK;
}

/* Leaves out what was not wanted and counts the outcomes. */
static void finish(qscan *sc, const nx_scan_opts *opts)
{
    nx_scan *o = sc->out;
    size_t n = 0;
    for (size_t i = 0; i < sc->q->n; i++) {
        if (!wanted(&sc->q->checks[i], opts))
            continue;
        size_t *const counts[] = {&o->pass, &o->warn, &o->fail, &o->error, &o->none};
        ++*counts[o->checks[i].outcome];
        o->checks[n++] = o->checks[i];
    }
    o->n = n;
}

static nx_status scan_all(qscan *sc, const nx_scan_opts *opts, bool *done, size_t *picks)
{
    size_t tables = 0;
    NX_TRY(prepare(sc, opts, done));
    for (size_t i = 0; i < sc->q->n; i++) {
        if (done[i])
            continue;
        if (opts != NULL && nx_stop_asked(opts->stop))
            return nx_fail(sc->err, NX_CANCELLED, "stopped by request");
        NX_TRY(scan_group(sc, i, done, picks));
        const qtable *t = sc->q->checks[i].table;
        tables++;
        if (opts != NULL && opts->progress != NULL)
            opts->progress(opts->progress_ctx, tables < sc->q->n_tables ? tables : sc->q->n_tables, sc->q->n_tables,
                           t == NULL ? "" : t->name);
    }
    finish(sc, opts);
    return NX_OK;
}

nx_status nx_quality_scan(const nx_quality *q, nx_session *s, const nx_scan_opts *opts, nx_scan *ret, nx_err *err)
{
    memset(ret, 0, sizeof *ret);
    nx_arena_init(&ret->arena, (size_t)64 << 20);
    ret->started = nx_clock_wall();
    ret->now = opts != NULL && opts->now != 0 ? opts->now : ret->started;
    qscan sc = {q, s, ret, err};
    ret->checks = calloc(q->n + 1, sizeof *ret->checks);
    bool *done = calloc(q->n + 1, sizeof *done);
    size_t *picks = calloc(q->n + 1, sizeof *picks);
    nx_status st =
        ret->checks == NULL || done == NULL || picks == NULL ? nx_nomem(err) : scan_all(&sc, opts, done, picks);
    free(done);
    free(picks);
    ret->ended = nx_clock_wall();
    if (st != NX_OK)
        nx_scan_drop(ret);
    return st;
}

void nx_scan_drop(nx_scan *scan)
{
    free(scan->checks);
    free(scan->queries);
    nx_arena_drop(&scan->arena);
    memset(scan, 0, sizeof *scan);
}

int nx_scan_exit_soda(const nx_scan *scan)
{
    return scan->error > 0 ? 3 : scan->fail > 0 ? 2 : scan->warn > 0 ? 1 : 0;
}
