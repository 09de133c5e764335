#include <stdio.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"

const nx_opt_def nx_opts_quarantine[] = {
    {"--limit", NULL, "N", "ls: records shown (default 50)", false},
    {"--state", NULL, "STATE", "ls: open or replayed only", false},
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
    nx_status st = nx_buf_adds(sql, "select record_id, source, contract, received_at, state, len(errors) as errors, errors[1].field as field, "
                                    "errors[1].rule as rule, errors[1].message as first_reason from quarantine.records");
    if (st == NX_OK && state != NULL) {
        st = nx_buf_adds(sql, " where state = ");
        st = st == NX_OK ? nx_sql_literal(sql, nx_str_of(state)) : st;
    }
    if (st == NX_OK)
        st = nx_buf_addf(sql, " order by received_at desc, record_id limit %lld", (long long)limit);
    return st == NX_OK ? query(p, sql, err) : nx_nomem(err);
}

/* The bytes as text where they are text, else in hexadecimal. */
static nx_status show(nx_project *p, const char *id, nx_buf *sql, nx_err *err)
{
    nx_result *r = NULL;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    if (nx_buf_adds(sql, "select record_id, source, contract, received_at, state, replayed_at, decode(raw) as raw from quarantine.records where record_id = ") != NX_OK ||
        nx_sql_literal(sql, nx_str_of(id)) != NX_OK)
        return nx_nomem(err);
    nx_err why = {0};
    if (nx_session_query(p->session, nx_buf_str(sql), &r, &why) != NX_OK) {
        nx_buf_clear(sql);
        if (nx_buf_adds(sql, "select record_id, source, contract, received_at, state, replayed_at, hex(raw) as raw_hex from quarantine.records where record_id = ") != NX_OK ||
            nx_sql_literal(sql, nx_str_of(id)) != NX_OK)
            return nx_nomem(err);
        NX_TRY(nx_session_query(p->session, nx_buf_str(sql), &r, err));
    }
    if (nx_result_rows(r) == 0) {
        nx_result_drop(r);
        return nx_err_hint(err, nx_fail(err, NX_NOT_FOUND, "there is no record %s in quarantine", id), "nexus quarantine ls lists them");
    }
    nx_status st = NX_OK;
    for (size_t c = 0; st == NX_OK && c < nx_result_cols(r); c++) {
        nx_buf_clear(&b);
        st = nx_result_text(r, 0, c, &b);
        printf("%-12s %s\n", nx_result_name(r, c), b.p == NULL ? "" : b.p);
    }
    nx_result_drop(r);
    NX_TRY(st);
    nx_buf_clear(sql);
    if (nx_buf_adds(sql, "select e.\"index\", e.field, e.rule, e.message, e.\"value\" from (select unnest(errors) as e from quarantine.records where record_id = ") != NX_OK ||
        nx_sql_literal(sql, nx_str_of(id)) != NX_OK || nx_buf_addc(sql, ')') != NX_OK)
        return nx_nomem(err);
    printf("\n");
    return query(p, sql, err);
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    NX_TRY(nx_project_ensure_tables(p, err));
    NX_TRY(nx_project_attach(p, err));
    if (strcmp(a->words[0], "ls") == 0)
        return list(p, a, &sql, err);
    if (strcmp(a->words[0], "show") == 0 && a->n_words == 2)
        return show(p, a->words[1], &sql, err);
    nx_fail(err, NX_INVALID, "unknown: nexus quarantine %s", a->words[0]);
    return nx_err_hint(err, NX_INVALID, "nexus quarantine ls, or nexus quarantine show RECORD_ID");
}

nx_status nx_cmd_quarantine(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS | NX_NEED_SESSION, &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
