/* Tests: rows are failures; thresholds make the verdict. */
#include "transform/dbt_int.h"

#include <stdio.h>

static nx_status verdict_sql(const dbt_node *n, nx_buf *b, nx_err *err)
{
    nx_str calc = nx__dbt_cfg_str(n, "fail_calc", "count(*)"), warn = nx__dbt_cfg_str(n, "warn_if", "!= 0"),
           error = nx__dbt_cfg_str(n, "error_if", "!= 0"), limit = nx__dbt_cfg_str(n, "limit", "");
    int64_t rows;
    if (limit.n > 0 && (!nx_str_to_i64(limit, &rows) || rows < 0))
        return nx_fail(err, NX_INVALID, "limit must be a whole number, found '" NX_STR_FMT "'", NX_STR_ARG(limit));
    nx_status st = nx_buf_addf(
        b,
        "select\n  " NX_STR_FMT " as failures,\n  " NX_STR_FMT " " NX_STR_FMT " as should_warn,\n  " NX_STR_FMT
        " " NX_STR_FMT " as should_error\nfrom (\n" NX_STR_FMT "\n%s" NX_STR_FMT "\n) dbt_internal_test",
        NX_STR_ARG(calc), NX_STR_ARG(calc), NX_STR_ARG(warn), NX_STR_ARG(calc), NX_STR_ARG(error),
        NX_STR_ARG(n->compiled), limit.n > 0 ? "limit " : "", NX_STR_ARG(limit));
    return st == NX_OK ? NX_OK : nx_fail(err, st, "the SQL of the test is too long");
}

static nx_status judge(dbt_project *p, dbt_node *n, bool warns, bool fails, nx_err *err)
{
    bool severe = nx_str_eq_nocase(nx__dbt_cfg_str(n, "severity", "error"), NX_STR("error"));
    n->status = severe && fails ? DBT_ST_FAIL : warns ? p->o->warn_error ? DBT_ST_FAIL : DBT_ST_WARN : DBT_ST_PASS;
    if (n->status == DBT_ST_PASS)
        return NX_OK;
    bool by_error = severe && fails;
    nx_str limit = nx__dbt_cfg_str(n, by_error ? "error_if" : "warn_if", "!= 0");
    n->message =
        nx_arena_printf(&p->arena, "Got %lld result%s, configured to %s if " NX_STR_FMT, (long long)n->failures,
                        n->failures == 1 ? "" : "s", by_error ? "fail" : "warn", NX_STR_ARG(limit));
    return n->message == NULL ? nx_nomem(err) : NX_OK;
}

nx_status nx__dbt_mat_test(dbt_project *p, dbt_node *n, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    NX_TRY(nx__dbt_compile(p, n, err));
    NX_TRY(verdict_sql(n, &b, err));
    NX_TRY(nx__dbt_write_target(p, "run", nx__dbt_target_file(p, n), nx_buf_str(&b), err));
    nx_result *r;
    NX_TRY(nx_session_query(p->session, nx_buf_str(&b), &r, err));
    nx_status st = NX_OK;
    if (nx_result_rows(r) != 1 || nx_result_cols(r) != 3 || nx_result_is_null(r, 0, 0))
        st = nx_fail(err, NX_CHECK_FAILED, "fail_calc of the test gave no number");
    else {
        n->failures = nx_result_i64(r, 0, 0, 0);
        st = judge(p, n, nx_result_i64(r, 0, 1, 0) != 0, nx_result_i64(r, 0, 2, 0) != 0, err);
    }
    nx_result_drop(r);
    n->response = "OK";
    return st;
}
