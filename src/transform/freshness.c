/* `source freshness`: how old the newest row of each source is, against its thresholds. Writes sources.json (schema v3). */
#include "transform/dbt_int.h"

#include <stdio.h>

typedef struct limit {
    int64_t count;
    const char *period; /* NULL: none */
    double seconds;
} limit;

typedef struct fresh {
    const dbt_node *n;
    limit warn, error;
    nx_str filter, field;
    const char *status; /* pass, warn, error, runtime error */
    char loaded[48], checked[48];
    double age, seconds;
    const char *message;
} fresh;

/* Table first, then source; each may say it beside or in its config. Null switches it off. */
static const nx_val *look(const dbt_node *n, const char *key)
{
    const nx_val *from[] = {nx_val_get(n->table_v, key), nx_val_get(nx_val_get(n->table_v, "config"), key),
                            nx_val_get(n->source_v, key), nx_val_get(nx_val_get(n->source_v, "config"), key)};
    for (size_t i = 0; i < NX_COUNT_OF(from); i++)
        if (from[i] != NULL)
            return from[i];
    return NULL;
}

static nx_status read_limit(dbt_project *p, const dbt_node *n, const nx_val *v, const char *key, limit *ret,
                            nx_err *err)
{
    static const struct {
        const char *name;
        double seconds;
    } PERIODS[] = {{"minute", 60}, {"hour", 3600}, {"day", 86400}};
    const nx_val *l = nx_val_get(v, key);
    *ret = (limit){0};
    if (l == NULL || l->kind == NX_VAL_NULL)
        return NX_OK;
    nx_str period = nx_val_str(nx_val_get(l, "period"), NX_STR(""));
    ret->count = nx_val_i64(nx_val_get(l, "count"), -1);
    for (size_t i = 0; i < NX_COUNT_OF(PERIODS); i++)
        if (nx_str_is(period, PERIODS[i].name)) {
            ret->period = PERIODS[i].name;
            ret->seconds = (double)ret->count * PERIODS[i].seconds;
        }
    if (ret->period == NULL || ret->count < 0)
        return nx_fail(err, NX_INVALID,
                       "%s: freshness of source '%s.%s': %s needs a count and a period (minute, hour or day)",
                       nx__dbt_where(&p->arena, n->file, l->line), n->source_name, n->name, key);
    return NX_OK;
}

static nx_status query(dbt_project *p, fresh *f, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_status st = nx_buf_addf(
        &b,
        "select strftime(m, '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ'), strftime(t, '%%Y-%%m-%%dT%%H:%%M:%%S.%%fZ'), epoch(t) - "
        "epoch(m) from "
        "(select cast(max(" NX_STR_FMT
        ") as timestamp) as m, cast(now() as timestamp) as t from \"%s\".\"%s\"%s" NX_STR_FMT ")",
        NX_STR_ARG(f->field), f->n->schema, f->n->identifier, f->filter.n > 0 ? " where " : "", NX_STR_ARG(f->filter));
    if (st != NX_OK)
        return nx_nomem(err);
    nx_result *r;
    NX_TRY(nx_session_query(p->session, nx_buf_str(&b), &r, err));
    nx_buf_clear(&b);
    if (nx_result_is_null(r, 0, 0))
        st = nx_fail(err, NX_CHECK_FAILED, "the source has no row with a time in " NX_STR_FMT, NX_STR_ARG(f->field));
    else if ((st = nx_result_text(r, 0, 0, &b)) == NX_OK) {
        snprintf(f->loaded, sizeof f->loaded, "%s", b.p);
        nx_buf_clear(&b);
        st = nx_result_text(r, 0, 1, &b);
        snprintf(f->checked, sizeof f->checked, "%s", b.p == NULL ? "" : b.p);
        f->age = nx_result_f64(r, 0, 2, 0);
    }
    nx_result_drop(r);
    return st;
}

static void check(dbt_project *p, fresh *f, size_t i, size_t n)
{
    nx_err e = {0};
    nx_mono_ns from = nx_clock_mono();
    const char *name = nx_arena_printf(&p->arena, "freshness of %s.%s", f->n->source_name, f->n->name);
    if (name == NULL)
        name = f->n->name;
    const char *start = nx_arena_printf(&p->arena, "START %s", name);
    nx__dbt_say_progress(p, i, n, start == NULL ? name : start, "RUN", -1);
    const char *word;
    if (query(p, f, &e) != NX_OK) {
        f->status = "runtime error";
        word = "ERROR";
        f->message = nx_arena_printf(&p->arena, "%s", e.text);
    } else if (f->error.period != NULL && f->age > f->error.seconds) {
        f->status = "error";
        word = "ERROR STALE";
    } else if (f->warn.period != NULL && f->age > f->warn.seconds) {
        f->status = "warn";
        word = "WARN";
    } else {
        f->status = "pass";
        word = "PASS";
    }
    f->seconds = (double)(nx_clock_mono() - from) / 1e9;
    const char *done = nx_arena_printf(&p->arena, "%s %s", word, name);
    nx__dbt_say_progress(p, i, n, done == NULL ? name : done, word, f->seconds);
}

static void write_limit(nx_jw *w, const char *key, const limit *l)
{
    nx_jw_key(w, key);
    nx_jw_obj(w);
    nx_jw_key(w, "count");
    if (l->period == NULL)
        nx_jw_null(w);
    else
        nx_jw_i64(w, l->count);
    nx_jw_put_cstr(w, "period", l->period);
    nx_jw_obj_end(w);
}

static void write_one(nx_jw *w, const fresh *f)
{
    nx_jw_obj(w);
    nx_jw_put_cstr(w, "unique_id", f->n->id);
    if (strcmp(f->status, "runtime error") == 0) {
        nx_jw_put_cstr(w, "error", f->message);
        nx_jw_put_cstr(w, "status", f->status);
        nx_jw_obj_end(w);
        return;
    }
    nx_jw_put_cstr(w, "max_loaded_at", f->loaded);
    nx_jw_put_cstr(w, "snapshotted_at", f->checked);
    nx_jw_put_f64(w, "max_loaded_at_time_ago_in_s", f->age);
    nx_jw_put_cstr(w, "status", f->status);
    nx_jw_key(w, "criteria");
    nx_jw_obj(w);
    write_limit(w, "warn_after", &f->warn);
    write_limit(w, "error_after", &f->error);
    nx_jw_key(w, "filter");
    if (f->filter.n > 0)
        nx_jw_str(w, f->filter);
    else
        nx_jw_null(w);
    nx_jw_obj_end(w);
    nx_jw_put_raw(w, "adapter_response", NX_STR("{}"));
    nx_jw_put_raw(w, "timing", NX_STR("[]"));
    nx_jw_put_cstr(w, "thread_id", "Thread-1 (worker)");
    nx_jw_put_f64(w, "execution_time", f->seconds);
    nx_jw_obj_end(w);
}

static nx_status write_sources(dbt_project *p, const fresh *f, size_t n, double seconds, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx__dbt_metadata(p, &w, "sources", 3);
    nx_jw_key(&w, "results");
    nx_jw_arr(&w);
    for (size_t i = 0; i < n; i++)
        write_one(&w, &f[i]);
    nx_jw_arr_end(&w);
    nx_jw_put_f64(&w, "elapsed_time", seconds);
    nx_jw_obj_end(&w);
    if (nx_jw_end(&w) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_dir_make(p->target_path, err));
    const char *path = nx_arena_printf(&p->arena, "%s/sources.json", p->target_path);
    return path == NULL ? nx_nomem(err) : nx_file_replace(path, nx_buf_str(&b), err);
}

static nx_status gather(dbt_project *p, fresh *f, size_t *n, nx_err *err)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        const dbt_node *node = p->nodes.v[i];
        if (!node->selected || node->kind != DBT_SOURCE)
            continue;
        const nx_val *v = look(node, "freshness"), *field = look(node, "loaded_at_field");
        if (v == NULL || v->kind != NX_VAL_OBJ || field == NULL || field->kind != NX_VAL_STR)
            continue;
        fresh *one = &f[*n];
        *one = (fresh){.n = node, .field = field->s, .filter = nx_val_str(nx_val_get(v, "filter"), NX_STR(""))};
        NX_TRY(read_limit(p, node, v, "warn_after", &one->warn, err));
        NX_TRY(read_limit(p, node, v, "error_after", &one->error, err));
        *n += one->warn.period != NULL || one->error.period != NULL;
    }
    return NX_OK;
}

nx_status nx__dbt_freshness(dbt_project *p, nx_dbt_result *ret, nx_err *err)
{
    size_t n = 0;
    fresh *f = NX_ARENA_ARRAY(&p->arena, fresh, p->nodes.n + 1);
    if (f == NULL)
        return nx_nomem(err);
    NX_TRY(gather(p, f, &n, err));
    nx_mono_ns from = nx_clock_mono();
    for (size_t i = 0; i < n; i++) {
        check(p, &f[i], i + 1, n);
        bool bad = strcmp(f[i].status, "error") == 0 || strcmp(f[i].status, "runtime error") == 0;
        ret->total++;
        ret->error += bad;
        ret->warn += strcmp(f[i].status, "warn") == 0;
        ret->pass += strcmp(f[i].status, "pass") == 0;
        if (bad && ret->first_failure[0] == '\0')
            snprintf(ret->first_failure, sizeof ret->first_failure, "%s", f[i].n->id);
    }
    ret->seconds = (double)(nx_clock_mono() - from) / 1e9;
    NX_TRY(write_sources(p, f, n, ret->seconds, err));
    nx__dbt_say(p, "Done. PASS=%zu WARN=%zu ERROR=%zu SKIP=0 NO-OP=0 REUSED=0 TOTAL=%zu", ret->pass, ret->warn,
                ret->error, ret->total);
    return ret->error == 0
               ? NX_OK
               : nx_fail(err, NX_CHECK_FAILED, "source freshness: %zu of %zu are stale or unreadable (first: %s)",
                         ret->error, ret->total, ret->first_failure);
}
