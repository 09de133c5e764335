/* What a scan found: Soda's console lines and Soda's JSON. */
#include <stdio.h>

#include "base/hash.h"
#include "data/json.h"
#include "data/time.h"
#include "quality/quality_int.h"

/* ---- console ---- */

static const char *const tags[] = {"PASSED", "WARNED", "FAILED", "ERROR", "NOT EVALUATED"};

static bool same_table(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static nx_status print_check(const nx_check_result *r, nx_buf *out)
{
    NX_TRY(nx_buf_addf(out, "      %s [%s]\n", r->name, tags[r->outcome]));
    if (r->outcome == NX_OUTCOME_PASS)
        return NX_OK;
    if (r->outcome == NX_OUTCOME_ERROR)
        return nx_buf_addf(out, "        error: %s (%s:%d)\n", r->detail == NULL ? "unknown" : r->detail, r->file,
                           r->line);
    if (r->value_text != NULL)
        NX_TRY(nx_buf_addf(out, "        %s: %s\n", r->has_value ? "check_value" : "schema", r->value_text));
    if (r->detail != NULL && r->detail != r->value_text)
        NX_TRY(nx_buf_addf(out, "        %s\n", r->detail));
    return NX_OK;
}

/* The checks of one outcome, table by table in the order of their first check. */
static nx_status print_outcome(const nx_scan *s, nx_outcome o, size_t count, const char *source, nx_buf *out)
{
    if (count == 0)
        return NX_OK;
    NX_TRY(nx_buf_addf(out, "%zu/%zu check%s %s:\n", count, s->n, count == 1 ? "" : "s", tags[o]));
    for (size_t i = 0; i < s->n; i++) {
        bool seen = s->checks[i].outcome != o;
        for (size_t k = 0; k < i && !seen; k++)
            seen = s->checks[k].outcome == o && same_table(s->checks[k].table, s->checks[i].table);
        if (seen)
            continue;
        if (s->checks[i].table == NULL)
            NX_TRY(nx_buf_addf(out, "    %s\n", source));
        else
            NX_TRY(nx_buf_addf(out, "    %s in %s\n", s->checks[i].table, source));
        for (size_t k = i; k < s->n; k++)
            if (s->checks[k].outcome == o && same_table(s->checks[k].table, s->checks[i].table))
                NX_TRY(print_check(&s->checks[k], out));
    }
    return NX_OK;
}

static nx_status print_end(const nx_scan *s, nx_buf *out)
{
    if (s->none > 0)
        NX_TRY(nx_buf_addf(out, "%zu check%s not evaluated.\n", s->none, s->none == 1 ? "" : "s"));
    if (s->error > 0 || s->fail > 0)
        return nx_buf_addf(out, "Oops! %zu failures. %zu warnings. %zu errors. %zu pass.\n", s->fail, s->warn, s->error,
                           s->pass);
    if (s->warn > 0)
        return nx_buf_addf(out, "Only %zu warning%s. 0 failure. 0 errors. %zu pass.\n", s->warn,
                           s->warn == 1 ? "" : "s", s->pass);
    return nx_buf_adds(
        out, s->none > 0
                 ? "Apart from the checks that have not been evaluated, no failures, no warnings and no errors.\n"
                 : "All is good. No failures. No warnings. No errors.\n");
}

nx_status nx_scan_print(const nx_scan *s, const char *source, nx_buf *out)
{
    NX_TRY(nx_buf_adds(out, "Scan summary:\n"));
    NX_TRY(print_outcome(s, NX_OUTCOME_PASS, s->pass, source, out));
    NX_TRY(print_outcome(s, NX_OUTCOME_WARN, s->warn, source, out));
    NX_TRY(print_outcome(s, NX_OUTCOME_FAIL, s->fail, source, out));
    NX_TRY(print_outcome(s, NX_OUTCOME_ERROR, s->error, source, out));
    NX_TRY(print_outcome(s, NX_OUTCOME_NONE, s->none, source, out));
    return print_end(s, out);
}

/* ---- JSON ---- */

static void put_str(nx_jw *w, const char *key, const char *v)
{
    nx_jw_key(w, key);
    nx_jw_cstr(w, v);
}

static void put_time(nx_jw *w, const char *key, nx_wall_ns ns)
{
    char text[40];
    nx_jw_key(w, key);
    nx_jw_str(w, (nx_str){text, nx_time_format_ns(ns, text)});
}

/* "> 5" as {"greaterThan": 5}; what is no plain comparison stays text. */
static void put_bound(nx_jw *w, const char *key, const char *text)
{
    static const char *const ops[][2] = {{">=", "greaterThanOrEqual"}, {"<=", "lessThanOrEqual"},
                                         {">", "greaterThan"},         {"<", "lessThan"},
                                         {"!=", "notEqual"},           {"=", "equal"}};
    if (text == NULL)
        return;
    nx_jw_key(w, key);
    nx_jw_obj(w);
    size_t op = 0;
    while (op < NX_COUNT_OF(ops) && strncmp(text, ops[op][0], strlen(ops[op][0])) != 0)
        op++;
    if (op == NX_COUNT_OF(ops)) {
        put_str(w, "condition", text);
    } else {
        nx_str v = nx_str_trim(nx_str_of(text + strlen(ops[op][0])));
        nx_arena a NX_ARENA_AUTO;
        nx_val *number;
        nx_arena_init(&a, 65536);
        nx_jw_key(w, ops[op][1]);
        if (nx_json_parse(v, NULL, &a, &number, NULL) == NX_OK && number->kind == NX_VAL_NUM)
            nx_jw_raw(w, v);
        else
            nx_jw_str(w, v);
    }
    nx_jw_obj_end(w);
}

static void put_value(nx_jw *w, const nx_check_result *r)
{
    nx_jw_key(w, "value");
    if (!r->has_value)
        nx_jw_null(w);
    else if (r->value >= -9e15 && r->value <= 9e15 && r->value == (double)(int64_t)r->value)
        nx_jw_i64(w, (int64_t)r->value);
    else
        nx_jw_f64(w, r->value);
}

/* The same check keeps its identity from scan to scan. */
static void put_identity(nx_jw *w, const nx_check_result *r)
{
    char hex[33], text[1024];
    snprintf(text, sizeof text, "%s\n%s\n%s", r->table == NULL ? "" : r->table, r->definition, r->name);
    nx_md5_hex(nx_str_of(text), hex);
    nx_jw_key(w, "identity");
    nx_jw_strf(w, "metric-%s-%.8s", r->table == NULL ? "" : r->table, hex);
}

static void put_location(nx_jw *w, const nx_check_result *r)
{
    nx_jw_key(w, "location");
    nx_jw_obj(w);
    put_str(w, "filePath", r->file);
    nx_jw_put_i64(w, "line", r->line);
    nx_jw_obj_end(w);
}

static void put_reasons(nx_jw *w, const nx_check_result *r)
{
    nx_jw_key(w, "outcomeReasons");
    nx_jw_arr(w);
    if (r->detail != NULL) {
        nx_jw_obj(w);
        put_str(w, "code",
                r->outcome == NX_OUTCOME_ERROR  ? "query_failed"
                : r->outcome == NX_OUTCOME_NONE ? "no_value"
                                                : "threshold");
        put_str(w, "message", r->detail);
        put_str(w, "severity", r->outcome == NX_OUTCOME_ERROR ? "error" : "info");
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
}

static void put_check(nx_jw *w, const nx_check_result *r, const char *source)
{
    nx_jw_obj(w);
    put_identity(w, r);
    put_str(w, "name", r->name);
    put_str(w, "type", strcmp(r->metric, "schema") == 0 ? "schema" : "generic");
    put_str(w, "definition", r->definition);
    put_str(w, "metric", r->metric);
    put_location(w, r);
    put_str(w, "dataSource", source);
    put_str(w, "table", r->table);
    put_str(w, "column", r->column);
    nx_jw_key(w, "resourceAttributes");
    if (r->attributes == NULL) {
        nx_jw_arr(w);
        nx_jw_arr_end(w);
    } else {
        nx_jw_raw(w, nx_str_of(r->attributes));
    }
    put_str(w, "outcome", r->outcome <= NX_OUTCOME_FAIL ? nx_outcome_name(r->outcome) : NULL);
    put_reasons(w, r);
    nx_jw_key(w, "diagnostics");
    nx_jw_obj(w);
    put_value(w, r);
    put_str(w, "valueText", r->value_text);
    put_bound(w, "warn", r->warn);
    put_bound(w, "fail", r->fail);
    nx_jw_obj_end(w);
    nx_jw_obj_end(w);
}

static void put_query(nx_jw *w, const nx_scan_query *q, const char *source)
{
    nx_jw_obj(w);
    put_str(w, "dataSource", source);
    put_str(w, "table", q->table);
    put_str(w, "sql", q->sql);
    put_str(w, "exception", q->error);
    nx_jw_put_f64(w, "duration", q->seconds);
    nx_jw_obj_end(w);
}

static void put_counts(nx_jw *w, const nx_scan *s)
{
    const struct {
        const char *key;
        size_t n;
    } counts[] = {
        {"passed", s->pass}, {"warned", s->warn}, {"failed", s->fail}, {"errors", s->error}, {"notEvaluated", s->none}};
    nx_jw_key(w, "summary");
    nx_jw_obj(w);
    for (size_t i = 0; i < NX_COUNT_OF(counts); i++) {
        nx_jw_key(w, counts[i].key);
        nx_jw_i64(w, (int64_t)counts[i].n);
    }
    nx_jw_obj_end(w);
}

static void put_empty(nx_jw *w, const char *key)
{
    nx_jw_key(w, key);
    nx_jw_arr(w);
    nx_jw_arr_end(w);
}

nx_status nx_scan_json(const nx_scan *s, const char *source, nx_buf *out)
{
    nx_jw w;
    nx_jw_begin(&w, out);
    nx_jw_obj(&w);
    put_str(&w, "definitionName", "nexus check");
    put_str(&w, "defaultDataSource", source);
    put_time(&w, "dataTimestamp", s->now);
    put_time(&w, "scanStartTimestamp", s->started);
    put_time(&w, "scanEndTimestamp", s->ended);
    nx_jw_put_bool(&w, "hasErrors", s->error > 0);
    nx_jw_put_bool(&w, "hasWarnings", s->warn > 0);
    nx_jw_put_bool(&w, "hasFailures", s->fail > 0);
    put_counts(&w, s);
    nx_jw_key(&w, "checks");
    nx_jw_arr(&w);
    for (size_t i = 0; i < s->n; i++)
        put_check(&w, &s->checks[i], source);
    nx_jw_arr_end(&w);
    nx_jw_key(&w, "queries");
    nx_jw_arr(&w);
    for (size_t i = 0; i < s->n_queries; i++)
        put_query(&w, &s->queries[i], source);
    nx_jw_arr_end(&w);
    static const char *const empty[] = {"metrics", "automatedMonitoringChecks", "profiling", "metadata", "logs"};
    for (size_t i = 0; i < NX_COUNT_OF(empty); i++)
        put_empty(&w, empty[i]);
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}
