/* The end of the demo: the mart, what it says about each symbol, every table. */
#include <stdio.h>

#include "app/demo.h"
#include "app/print.h"
#include "app/report.h"
#include "base/clock.h"

static const char mart_sql[] =
    "select symbol, session_date as session, messages, authors, try_cast(mean_compound as decimal(9,2)) as mood, try_cast(abnormal_attention as decimal(9,2)) as attention, "
    "try_cast(100 * realized_volatility as decimal(9,3)) as \"vol %\", try_cast(100 * realized_volatility_next as decimal(9,3)) as \"next vol %\", "
    "try_cast(trailing_correlation as decimal(9,2)) as correlation, n_trailing as pairs "
    "from gold.daily_sentiment_impact_on_volatility where realized_volatility_next is not null "
    "qualify row_number() over (partition by symbol order by session_date desc) <= 2 order by symbol, session_date";

static nx_status print_query(nx_demo *d, const char *title, const char *sql, nx_err *err)
{
    nx_result *r = NULL;
    NX_TRY(nx_session_query(d->p.session, nx_str_of(sql), &r, err));
    printf("\n%s\n\n", title);
    nx_status st = nx_print_result(stdout, r, NX_OUT_TABLE, 0, err);
    nx_result_drop(r);
    return st;
}

typedef struct totals {
    nx_demo *d;
    nx_jw *w; /* NULL: text */
} totals;

static nx_status one_table(void *ctx, const char *name, const char *folder, nx_err *err)
{
    (void)folder;
    totals *t = ctx;
    nx_table *table;
    nx_table_info i;
    NX_TRY(nx_table_open(t->d->p.lake, name, &table, err));
    NX_TRY(nx_table_info_get(table, &i, err));
    if (t->w == NULL) {
        char rows[32], bytes[32];
        printf("%-44s %12s %6lld %10s %8lld\n", name, nx_print_count(i.rows, rows), (long long)i.files,
               nx_print_bytes(i.bytes, bytes), (long long)i.version);
        return NX_OK;
    }
    nx_jw_obj(t->w);
    nx_jw_key(t->w, "table");
    nx_jw_cstr(t->w, name);
    nx_jw_key(t->w, "rows");
    nx_jw_i64(t->w, i.rows);
    nx_jw_key(t->w, "files");
    nx_jw_i64(t->w, i.files);
    nx_jw_key(t->w, "bytes");
    nx_jw_i64(t->w, i.bytes);
    nx_jw_key(t->w, "version");
    nx_jw_i64(t->w, i.version);
    nx_jw_obj_end(t->w);
    return NX_OK;
}

static nx_status as_json(nx_demo *d, int64_t added, double seconds, nx_err *err)
{
    nx_report rep;
    nx_report_begin(&rep, d->g, "");
    nx_report_i64(&rep, "rows_added", added);
    nx_report_f64(&rep, "seconds", seconds, "s");
    if (d->published)
        nx_report_i64(&rep, "rows_changed", d->rows_changed);
    nx_jw *w = nx_report_json(&rep, "symbols");
    NX_TRY(nx__demo_json_symbols(d, w, err));
    w = nx_report_json(&rep, "tables");
    nx_jw_arr(w);
    totals t = {d, w};
    NX_TRY(nx_lake_each(d->p.lake, one_table, &t, err));
    nx_jw_arr_end(w);
    return nx_report_end(&rep, err);
}

nx_status nx__demo_show(nx_demo *d, nx_err *err)
{
    int64_t now;
    NX_TRY(nx__demo_rows(d, &now, err));
    double seconds = (double)(nx_clock_mono() - d->began) / 1e9;
    if (d->g->json)
        return as_json(d, now - d->rows_before, seconds, err);
    NX_TRY(print_query(d, "The mart, the last two sessions that are over (what comes after the last is not known yet)",
                       mart_sql, err));
    NX_TRY(nx__demo_print_symbols(d, err));
    char n[32];
    printf("\n%-44s %12s %6s %10s %8s\n", "table", "rows", "files", "size", "version");
    totals t = {d, NULL};
    NX_TRY(nx_lake_each(d->p.lake, one_table, &t, err));
    printf("\n%s rows added in %.1f s. Look around:\n"
           "  nexus --project %s sql 'from gold.daily_sentiment_impact_on_volatility limit 5'\n"
           "  nexus --project %s lake history bronze.bars\n",
           nx_print_count(now - d->rows_before, n), seconds, d->inner.project, d->inner.project);
    return NX_OK;
}
