#include <stdio.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"
#include "app/report.h"
#include "ingest/quarantine_replay.h"

const nx_opt_def nx_opts_quarantine[] = {
    {"--limit", NULL, "N", "ls: records shown (default 50)", false},
    {"--state", NULL, "STATE", "ls: open or replayed only", false},
    {"--contract", NULL, "X", "replay: only what this contract refused (trades, or trades@1.0.0)", false},
    {"--id", NULL, "RECORD_ID", "replay: only this record", false},
    {"--dry-run", NULL, NULL, "replay: tell what would pass, change nothing", false},
    {NULL, NULL, NULL, NULL, false},
};

static nx_status query(nx_project *p, nx_buf *sql, nx_err *err)
{
    nx_result *r = NULL;
    NX_TRY(nx_session_query(p->session, nx_buf_str(sql), &r, err));
    nx_status st = nx_print_result(stdout, r, p->g->json ? NX_OUT_JSON : NX_OUT_TABLE, 0, err);
    if (st == NX_OK && nx_result_rows(r) == 0 && !p->g->json && !p->g->quiet)
        fprintf(stderr, "nothing is in quarantine\n");
    nx_result_drop(r);
    return st;
}

static nx_status list(nx_project *p, const nx_args *a, nx_buf *sql, nx_err *err)
{
    int64_t limit;
    NX_TRY(nx_args_i64(a, "--limit", 50, 1, 1000000, &limit, err));
    const char *state = nx_args_get(a, "--state");
    if (state != NULL && strcmp(state, "open") != 0 && strcmp(state, "replayed") != 0)
        return nx_fail(err, NX_INVALID, "--state is open or replayed, not '%s'", state);
    nx_status st = nx_buf_adds(
        sql, "select record_id, source, contract, received_at, state, len(errors) as errors, errors[1].field as field, "
             "errors[1].rule as rule, errors[1].message as first_reason from quarantine.records");
    if (st == NX_OK && state != NULL) {
        st = nx_buf_adds(sql, " where state = ");
        st = st == NX_OK ? nx_sql_literal(sql, nx_str_of(state)) : st;
    }
    if (st == NX_OK)
        st = nx_buf_addf(sql, " order by received_at desc, record_id limit %lld", (long long)limit);
    return st == NX_OK ? query(p, sql, err) : nx_nomem(err);
}

/* Runs "select COLUMNS from quarantine.records where record_id = 'ID'" + tail. */
static nx_status select_record(nx_project *p, const char *head, const char *id, const char *tail, nx_result **ret,
                               nx_err *err)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    if (nx_buf_addf(&sql, "%s from quarantine.records where record_id = ", head) != NX_OK ||
        nx_sql_literal(&sql, nx_str_of(id)) != NX_OK || nx_buf_adds(&sql, tail) != NX_OK)
        return nx_nomem(err);
    return nx_session_query(p->session, nx_buf_str(&sql), ret, err);
}

static nx_status row_json(nx_jw *w, const nx_result *r, size_t row)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    for (size_t c = 0; c < nx_result_cols(r); c++) {
        nx_buf_clear(&b);
        NX_TRY(nx_result_json(r, row, c, &b));
        nx_jw_key(w, nx_result_name(r, c));
        nx_jw_raw(w, nx_buf_str(&b));
    }
    return NX_OK;
}

static nx_status show_json(nx_project *p, const nx_result *record, const nx_result *reasons, nx_err *err)
{
    nx_report rep;
    nx_report_begin(&rep, p->g, "");
    nx_status st = row_json(&rep.w, record, 0);
    nx_jw *w = nx_report_json(&rep, "errors");
    nx_jw_arr(w);
    for (size_t i = 0; st == NX_OK && i < nx_result_rows(reasons); i++) {
        nx_jw_obj(w);
        st = row_json(w, reasons, i);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    if (st == NX_OK)
        return nx_report_end(&rep, err);
    nx_buf_drop(&rep.b);
    return nx_fail(err, st, "could not print the record: %s", nx_status_text(st));
}

static nx_status show_text(const nx_result *record, const nx_result *reasons, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    for (size_t c = 0; c < nx_result_cols(record); c++) {
        nx_buf_clear(&b);
        if (nx_result_text(record, 0, c, &b) != NX_OK)
            return nx_nomem(err);
        printf("%-12s %s\n", nx_result_name(record, c), b.p == NULL ? "" : b.p);
    }
    printf("\n");
    return nx_print_result(stdout, reasons, NX_OUT_TABLE, 0, err);
}

/* The bytes as text where they are text, else in hexadecimal. */
static nx_status show(nx_project *p, const char *id, nx_err *err)
{
    static const char text[] =
        "select record_id, source, contract, received_at, state, replayed_at, decode(raw) as raw";
    static const char bytes[] =
        "select record_id, source, contract, received_at, state, replayed_at, hex(raw) as raw_hex";
    static const char why[] =
        "select e.\"index\", e.field, e.rule, e.message, e.\"value\" from (select unnest(errors) as e";
    nx_result *record = NULL, *reasons = NULL;
    nx_err no_text = {0};
    if (select_record(p, text, id, "", &record, &no_text) != NX_OK)
        NX_TRY(select_record(p, bytes, id, "", &record, err));
    nx_status st = NX_OK;
    if (nx_result_rows(record) == 0)
        st = nx_err_hint(err, nx_fail(err, NX_NOT_FOUND, "there is no record %s in quarantine", id),
                         "nexus quarantine ls lists them");
    if (st == NX_OK)
        st = select_record(p, why, id, ")", &reasons, err);
    if (st == NX_OK)
        st = p->g->json ? show_json(p, record, reasons, err) : show_text(record, reasons, err);
    nx_result_drop(record);
    nx_result_drop(reasons);
    return st;
}

/* ------------------------------------------------------------------ replay */

enum { REASONS_SHOWN = 20, REASONS_JSON = 1000 };

/* The first ones of what is refused again, in both forms. */
typedef struct reasons {
    nx_progress bar;
    nx_buf text;
    nx_status text_status;
    nx_jw json;
    int64_t n;
} reasons;

static void show_progress(void *ctx, int64_t records)
{
    nx_progress_set(&((reasons *)ctx)->bar, records, 0, "records");
}

static void keep_reason(void *ctx, nx_str id, nx_str contract, const nx_row_error *e)
{
    reasons *r = ctx;
    if (r->n < REASONS_SHOWN && r->text_status == NX_OK)
        r->text_status = nx_buf_addf(&r->text, "  " NX_STR_FMT "  %-14.*s  %s%s%s (%s)\n", NX_STR_ARG(id),
                                     contract.n == 0 ? 7 : (int)contract.n, contract.n == 0 ? "unknown" : contract.p,
                                     e->field, e->field[0] == '\0' ? "" : ": ", e->message, e->rule);
    if (r->n++ >= REASONS_JSON)
        return;
    nx_jw_obj(&r->json);
    nx_jw_key(&r->json, "record_id");
    nx_jw_str(&r->json, id);
    nx_jw_key(&r->json, "contract");
    nx_jw_str(&r->json, contract);
    nx_jw_key(&r->json, "field");
    nx_jw_cstr(&r->json, e->field);
    nx_jw_key(&r->json, "rule");
    nx_jw_cstr(&r->json, e->rule);
    nx_jw_key(&r->json, "message");
    nx_jw_cstr(&r->json, e->message);
    nx_jw_obj_end(&r->json);
}

static nx_status tell_replay(const nx_globals *g, bool dry, const nx_requeue_result *r, reasons *why, nx_buf *json,
                             nx_err *err)
{
    nx_report rep;
    nx_jw_arr_end(&why->json);
    if (nx_jw_end(&why->json) != NX_OK || why->text_status != NX_OK)
        return nx_nomem(err);
    nx_report_begin(&rep, g, dry ? "Would be replayed from quarantine" : "Replayed from quarantine");
    nx_report_i64(&rep, "records", r->records);
    nx_report_i64(&rep, "replayed", r->replayed);
    nx_report_i64(&rep, "refused_again", r->refused);
    nx_report_i64(&rep, "rows_added", r->rows_added);
    nx_jw_raw(nx_report_json(&rep, "reasons"), nx_buf_str(json));
    if (!g->json && !g->quiet && why->n > 0) {
        printf("\nRefused again, the first reason of each\n%s", why->text.p);
        if (why->n > REASONS_SHOWN)
            printf("  … and %lld more: --json tells the first 1,000\n", (long long)(why->n - REASONS_SHOWN));
    }
    return nx_report_end(&rep, err);
}

static nx_status replay(nx_project *p, const nx_args *a, nx_err *err)
{
    reasons why = {0};
    NX_BUF_AUTO nx_buf json;
    nx_buf_init(&json, 0);
    nx_buf_init(&why.text, 0);
    nx_jw_begin(&why.json, &json);
    nx_jw_arr(&why.json);
    bool dry = nx_args_has(a, "--dry-run");
    nx_requeue_opts o = {.engine = p->engine,
                         .lake = p->lake,
                         .contracts = p->contracts,
                         .contract = nx_args_get(a, "--contract"),
                         .record_id = nx_args_get(a, "--id"),
                         .dry_run = dry,
                         .refused = keep_reason,
                         .progress = show_progress,
                         .ctx = &why,
                         .stop = &nx_stop_requested};
    nx_requeue_result r;
    nx_progress_begin(&why.bar, p->g, "quarantine replay");
    nx_status st = nx_quarantine_replay(&o, &r, err);
    nx_progress_end(&why.bar);
    if (st == NX_OK)
        st = tell_replay(p->g, dry, &r, &why, &json, err);
    nx_buf_drop(&why.text);
    return st;
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    NX_TRY(nx_project_ensure_tables(p, err));
    NX_TRY(nx_project_attach(p, err));
    if (strcmp(a->words[0], "ls") == 0 && a->n_words == 1)
        return list(p, a, &sql, err);
    if (strcmp(a->words[0], "show") == 0 && a->n_words == 2)
        return show(p, a->words[1], err);
    if (strcmp(a->words[0], "replay") == 0 && a->n_words == 1)
        return replay(p, a, err);
    if (strcmp(a->words[0], "show") == 0)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "name one record: nexus quarantine show RECORD_ID"),
                           "nexus quarantine ls lists them");
    nx_fail(err, NX_INVALID, "unknown: nexus quarantine %s", a->words[0]);
    return nx_err_hint(err, NX_INVALID, "nexus quarantine ls, show RECORD_ID, or replay");
}

nx_status nx_cmd_quarantine(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    bool writes = strcmp(a->words[0], "replay") == 0;
    if (writes)
        nx_stop_on_signals();
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS | NX_NEED_SESSION | (writes ? NX_NEED_LOCK : 0), &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
