/* nexus contract test: the examples of contracts, or the messages of a file, through the contract's decoder. */
#include <stdio.h>

#include "app/contract_cmds.h"
#include "app/report.h"
#include "contract/try.h"
#include "io/lines.h"

enum { LISTED_MAX = 100000, LINE_MAX_BYTES = 16 << 20 };

static void print_errors(const nx_try *t)
{
    for (size_t i = 0; i < t->n_errors; i++) {
        const nx_row_error *e = &t->errors[i];
        printf("        %s%s%s: %s", e->field, e->field[0] == '\0' ? "" : " ", e->rule, e->message);
        if (e->value.n > 0)
            printf("  (" NX_STR_FMT ")", NX_STR_ARG(e->value));
        printf("\n");
    }
}

static void text_json(nx_jw *w, const char *key, const char *text)
{
    nx_jw_key(w, key);
    nx_jw_cstr(w, text);
}

static void errors_json(nx_jw *w, const nx_try *t)
{
    nx_jw_key(w, "errors");
    nx_jw_arr(w);
    for (size_t i = 0; i < t->n_errors; i++) {
        const nx_row_error *e = &t->errors[i];
        nx_jw_obj(w);
        text_json(w, "field", e->field);
        text_json(w, "rule", e->rule);
        text_json(w, "message", e->message);
        nx_jw_key(w, "value");
        nx_jw_str(w, e->value);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
}

static const char *verdict_name(nx_try_verdict v)
{
    static const char *const names[] = {"accepted", "refused", "other"};
    return names[v];
}

/* ------------------------------------------------------------------ examples */

typedef struct tally {
    nx_project *p;
    nx_report *rep;
    size_t examples, failed, without;
} tally;

static const char *outcome(const nx_example *e, const nx_try *t, bool met)
{
    if (e->column != NULL)
        return met ? "fits" : "does not fit";
    if (!e->refused)
        return met ? "accepted" : "refused, should be accepted";
    if (met)
        return "refused, as it should be";
    return t->verdict == NX_TRY_REFUSED ? "refused for other reasons than expected" : "accepted, should be refused";
}

static void tell_example(const tally *y, const nx_contract *c, const nx_example *e, const nx_try *t, bool met)
{
    nx_jw *w = &y->rep->w;
    nx_jw_obj(w);
    text_json(w, "table", nx_contract_table(c));
    text_json(w, "name", e->name);
    text_json(w, "file", nx_contract_file(c));
    nx_jw_key(w, "line");
    nx_jw_i64(w, e->line);
    text_json(w, "verdict", verdict_name(t->verdict));
    nx_jw_key(w, "message");
    nx_jw_str(w, e->message);
    text_json(w, "column", e->column);
    nx_jw_key(w, "context");
    nx_jw_obj(w);
    for (size_t i = 0; i < e->n_context; i++) {
        nx_jw_key(w, e->context[i].field);
        nx_jw_str(w, e->context[i].text);
    }
    nx_jw_obj_end(w);
    nx_jw_key(w, "should_be_refused");
    nx_jw_bool(w, e->refused);
    nx_jw_key(w, "as_expected");
    nx_jw_bool(w, met);
    errors_json(w, t);
    nx_jw_obj_end(w);
    if (y->p->g->json || (met && y->p->g->quiet))
        return;
    printf("  %-4s  %s  %s: %s\n", met ? "ok" : "FAIL", nx_contract_table(c), e->name, outcome(e, t, met));
    if (!met) {
        printf("        at %s:%d\n", nx_contract_file(c), e->line);
        print_errors(t);
    }
}

static nx_status test_examples(tally *y, const nx_contract *c, nx_err *err)
{
    nx_arena a NX_ARENA_AUTO;
    const nx_example *all = NULL;
    nx_trier *t = NULL;
    size_t n = 0;
    nx_arena_init(&a, 0);
    NX_TRY(nx_contract_examples(c, &a, &all, &n, err));
    y->without += n == 0;
    nx_status st = n == 0 ? NX_OK : nx_trier_new(y->p->contracts, c, &t, err);
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        nx_try got;
        st = nx_trier_message(t, all[i].message, all[i].context, all[i].n_context, &got, err);
        if (st != NX_OK) {
            nx_err_prefix(err, "%s:%d", nx_contract_file(c), all[i].line);
            break;
        }
        bool met = nx_example_met(&all[i], &got);
        y->examples++;
        y->failed += !met;
        tell_example(y, c, &all[i], &got, met);
    }
    nx_trier_drop(t);
    return st;
}

static nx_status run_examples(nx_project *p, const nx_args *a, nx_err *err)
{
    nx_report rep;
    tally y = {.p = p, .rep = &rep};
    nx_status st = NX_OK;
    nx_report_begin(&rep, p->g, "Examples of contracts");
    nx_jw_arr(nx_report_json(&rep, "list"));
    size_t n = a->n_words - 1, tables = n == 0 ? nx_contracts_count(p->contracts) : n;
    for (size_t i = 0; i < tables && st == NX_OK; i++) {
        const nx_contract *c = NULL;
        if (n == 0)
            c = nx_contracts_at(p->contracts, i);
        else
            st = nx_contract_named(p, a->words[i + 1], &c, err);
        if (st == NX_OK)
            st = test_examples(&y, c, err);
    }
    if (st != NX_OK) {
        nx_buf_drop(&rep.b);
        return st;
    }
    nx_jw_arr_end(&rep.w);
    nx_report_i64(&rep, "examples", (int64_t)y.examples);
    nx_report_i64(&rep, "failed", (int64_t)y.failed);
    nx_report_i64(&rep, "tables_without_examples", (int64_t)y.without);
    NX_TRY(nx_report_end(&rep, err));
    if (y.failed == 0)
        return NX_OK;
    nx_err_clear(err); /* told */
    if (!p->g->json)
        fprintf(stderr, "nexus: %zu of %zu examples are not what their contracts say\n", y.failed, y.examples);
    return NX_CHECK_FAILED;
}

/* ------------------------------------------------------------------ a file of messages */

typedef struct sample {
    nx_project *p;
    nx_report rep;
    nx_trier *t;
    nx_context *context;
    size_t n_context;
    uint64_t line;
    int64_t index; /* in the line's array; -1: the line is one message */
    size_t accepted, refused, others, listed;
} sample;

static void tell_message(sample *s, const nx_try *t)
{
    bool quiet = s->p->g->quiet && t->verdict != NX_TRY_REFUSED;
    if (s->p->g->json && s->listed < LISTED_MAX && t->verdict != NX_TRY_OTHER) {
        nx_jw *w = &s->rep.w;
        s->listed++;
        nx_jw_obj(w);
        nx_jw_key(w, "line");
        nx_jw_i64(w, (int64_t)s->line);
        nx_jw_key(w, "index");
        nx_jw_i64(w, s->index < 0 ? 0 : s->index);
        text_json(w, "verdict", verdict_name(t->verdict));
        errors_json(w, t);
        nx_jw_obj_end(w);
    }
    if (s->p->g->json || quiet || t->verdict == NX_TRY_OTHER)
        return;
    if (s->index < 0)
        printf("  line %llu: %s\n", (unsigned long long)s->line, verdict_name(t->verdict));
    else
        printf("  line %llu, message %lld: %s\n", (unsigned long long)s->line, (long long)s->index,
               verdict_name(t->verdict));
    print_errors(t);
}

static nx_status try_one(sample *s, nx_str message, nx_err *err)
{
    nx_try got;
    NX_TRY(nx_trier_message(s->t, message, s->context, s->n_context, &got, err));
    s->accepted += got.verdict == NX_TRY_ACCEPTED;
    s->refused += got.verdict == NX_TRY_REFUSED;
    s->others += got.verdict == NX_TRY_OTHER;
    tell_message(s, &got);
    return NX_OK;
}

static nx_status on_message(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    sample *s = ctx;
    (void)key;
    s->index++;
    return try_one(s, value, err);
}

static nx_status try_line(sample *s, nx_str line, nx_err *err)
{
    nx_str text = nx_str_trim(line);
    nx_err broken;
    s->index = -1;
    if (text.n == 0)
        return NX_OK;
    if (text.p[0] != '[')
        return try_one(s, text, err);
    nx_err_clear(&broken);
    nx_status st = nx_page_each(text, "[]", on_message, s, &broken);
    if (st == NX_INVALID && s->index < 0)
        return try_one(s, text, err); /* broken JSON: the decoder says where */
    if (st != NX_OK && err != NULL)
        *err = broken;
    return st;
}

/* --context column=text, each. */
static nx_status read_context(sample *s, const nx_args *a, nx_err *err)
{
    size_t n = 0;
    while (nx_args_nth(a, "--context", n) != NULL)
        n++;
    s->context = NX_ARENA_ARRAY(&s->p->arena, nx_context, n + 1);
    if (s->context == NULL)
        return nx_nomem(err);
    for (; s->n_context < n; s->n_context++) {
        nx_str text = nx_str_of(nx_args_nth(a, "--context", s->n_context));
        size_t eq = nx_str_find(text, NX_STR("="), 0);
        if (eq == SIZE_MAX || eq == 0)
            return nx_err_hint(
                err, nx_fail(err, NX_INVALID, "--context is COLUMN=VALUE, not '" NX_STR_FMT "'", NX_STR_ARG(text)),
                "nexus contract test bronze.bars --sample bars.ndjson --context symbol=AAPL");
        const char *field = nx_arena_dup(&s->p->arena, nx_str_sub(text, 0, eq));
        if (field == NULL)
            return nx_nomem(err);
        s->context[s->n_context] = (nx_context){field, nx_str_sub(text, eq + 1, text.n)};
    }
    return NX_OK;
}

static nx_status read_lines(sample *s, const char *path, nx_err *err)
{
    nx_lines *l = NULL;
    nx_str line;
    NX_TRY(nx_lines_open(path, LINE_MAX_BYTES, &l, err));
    nx_status st;
    while ((st = nx_lines_next(l, &line, err)) == NX_OK && !nx_stop_requested) {
        s->line = nx_lines_number(l);
        st = try_line(s, line, err);
        if (st != NX_OK)
            break;
    }
    nx_lines_close(l);
    return st == NX_NOTHING ? NX_OK : st;
}

static nx_status tell_sample(sample *s, nx_err *err)
{
    nx_jw_arr_end(&s->rep.w);
    nx_report_i64(&s->rep, "accepted", (int64_t)s->accepted);
    nx_report_i64(&s->rep, "refused", (int64_t)s->refused);
    nx_report_i64(&s->rep, "of_other_types", (int64_t)s->others);
    nx_jw_bool(nx_report_json(&s->rep, "list_is_cut"), s->listed == LISTED_MAX);
    NX_TRY(nx_report_end(&s->rep, err));
    if (s->refused == 0)
        return NX_OK;
    nx_err_clear(err); /* told */
    if (!s->p->g->json)
        fprintf(stderr, "nexus: %zu of %zu messages are refused\n", s->refused, s->accepted + s->refused);
    return NX_CHECK_FAILED;
}

static nx_status run_sample(nx_project *p, const nx_args *a, const char *path, nx_err *err)
{
    const nx_contract *c = NULL;
    sample s = {.p = p};
    if (a->n_words != 2)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "--sample needs the table whose contract is tested"),
                           "nexus contract test TABLE --sample %s", path);
    NX_TRY(nx_contract_named(p, a->words[1], &c, err));
    NX_TRY(read_context(&s, a, err));
    NX_TRY(nx_trier_new(p->contracts, c, &s.t, err));
    nx_report_begin(&s.rep, p->g, path);
    nx_report_str(&s.rep, "contract", nx_contract_id(c));
    nx_jw_arr(nx_report_json(&s.rep, "list"));
    nx_status st = read_lines(&s, path, err);
    if (st == NX_OK)
        st = tell_sample(&s, err);
    else
        nx_buf_drop(&s.rep.b);
    nx_trier_drop(s.t);
    return st;
}

nx_status nx_contract_test_cmd(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *path = nx_args_get(a, "--sample");
    if (path == NULL && nx_args_has(a, "--context"))
        return nx_fail(err, NX_INVALID, "--context goes with --sample");
    return path == NULL ? run_examples(p, a, err) : run_sample(p, a, path, err);
}
