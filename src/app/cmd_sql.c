#include <stdio.h>
#include <stdlib.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"

const nx_opt_def nx_opts_sql[] = {
    {"--csv", NULL, NULL, "comma-separated values with a header", false},
    {"--parquet", NULL, NULL, "a Parquet file (needs --output)", false},
    {"--output", "-o", "FILE", "write there instead of to the terminal", false},
    {"--max-rows", NULL, "N", "rows shown in a table, 0 for all (default 100)", false},
    {NULL, NULL, NULL, NULL, false},
};

/* The engine's COPY writes a new file only; a person's -o may name one that is there. */
static nx_status write_parquet(nx_project *p, nx_str sql, const char *path, nx_err *err)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_schema *schema;
    nx_file_stats stats;
    NX_TRY(nx_session_schema(p->session, sql, &a, &schema, err));
    const char *part = nx_arena_printf(&a, "%s.part", path);
    if (part == NULL)
        return nx_nomem(err);
    remove(part);
    NX_TRY(nx_session_write_parquet(p->session, sql, schema, part, &(nx_parquet_opts){.keep_order = true}, &a, &stats, err));
    if (rename(part, path) != 0)
        return nx_fail_sys(err, NX_IO, "could not write %s", path);
    if (!p->g->quiet)
        fprintf(stderr, "%lld rows in %s\n", (long long)stats.rows, path);
    return NX_OK;
}

static nx_status print_rows(nx_project *p, const nx_args *a, nx_str sql, FILE *f, nx_err *err)
{
    int64_t rows_max;
    NX_TRY(nx_args_i64(a, "--max-rows", f == stdout ? 100 : 0, 0, INT64_MAX, &rows_max, err));
    nx_result *r = NULL;
    NX_TRY(nx_session_query(p->session, sql, &r, err));
    nx_out_form form = p->g->json ? NX_OUT_JSON : nx_args_has(a, "--csv") ? NX_OUT_CSV : NX_OUT_TABLE;
    nx_status st = nx_print_result(f, r, form, (size_t)rows_max, err);
    nx_result_drop(r);
    return st;
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    nx_str sql = nx_str_of(a->words[0]);
    const char *path = nx_args_get(a, "--output");
    if (nx_args_has(a, "--parquet")) {
        if (path == NULL)
            return nx_fail(err, NX_INVALID, "--parquet needs --output FILE");
        return write_parquet(p, sql, path, err);
    }
    if (path == NULL)
        return print_rows(p, a, sql, stdout, err);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        return nx_fail_sys(err, NX_IO, "could not open %s", path);
    nx_status st = print_rows(p, a, sql, f, err);
    if (fclose(f) != 0 && st == NX_OK)
        st = nx_fail_sys(err, NX_IO, "could not write %s", path);
    return st;
}

nx_status nx_cmd_sql(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_SESSION, &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
