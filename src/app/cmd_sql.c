#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"
#include "app/report.h"

const nx_opt_def nx_opts_sql[] = {
    {"--csv", NULL, NULL, "comma-separated values with a header", false},
    {"--parquet", NULL, NULL, "a Parquet file (needs --output)", false},
    {"--output", "-o", "FILE", "write there instead of to the terminal", false},
    {"--max-rows", NULL, "N", "rows shown in a table, 0 for all (default 100)", false},
    {NULL, NULL, NULL, NULL, false},
};

/* Where -o goes: a file is written beside its place and put there whole, so that a failed query leaves the old one; a device or pipe is
 * written as it is. Links are followed. */
typedef struct target {
    const char *path, *part; /* part NULL: not a file */
} target;

static nx_status find_target(const char *path, nx_arena *a, target *ret, nx_err *err)
{
    struct stat s;
    *ret = (target){.path = path};
    bool there = stat(path, &s) == 0;
    if (there && S_ISDIR(s.st_mode))
        return nx_fail(err, NX_INVALID, "%s is a folder: --output names a file", path);
    if (there && !S_ISREG(s.st_mode))
        return NX_OK;
    if (there) {
        char *real = realpath(path, NULL);
        ret->path = real == NULL ? path : nx_arena_dup(a, nx_str_of(real));
        free(real);
    }
    ret->part = ret->path == NULL ? NULL : nx_arena_printf(a, "%s.part", ret->path);
    return ret->part == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status put_in_place(const target *t, nx_status st, nx_err *err)
{
    if (t->part == NULL)
        return st;
    if (st == NX_OK && rename(t->part, t->path) != 0)
        st = nx_fail_sys(err, NX_IO, "could not write %s", t->path);
    if (st != NX_OK)
        remove(t->part);
    return st;
}

static nx_status say_written(nx_project *p, const char *path, int64_t rows, nx_err *err)
{
    if (!p->g->json) {
        if (!p->g->quiet)
            fprintf(stderr, "%lld rows in %s\n", (long long)rows, path);
        return NX_OK;
    }
    nx_report rep;
    nx_report_begin(&rep, p->g, "");
    nx_report_str(&rep, "file", path);
    nx_report_i64(&rep, "rows", rows);
    return nx_report_end(&rep, err);
}

/* The engine's words, with what it cannot know: where a person finds the names. */
static nx_status explain(nx_status st, nx_err *err)
{
    nx_str text = nx_str_of(err->text);
    if (st == NX_CANCELLED)
        return nx_fail(err, st, "the query was stopped");
    if (st == NX_INVALID && err->hint[0] == '\0' && nx_str_find(text, NX_STR("does not exist"), 0) != SIZE_MAX)
        return nx_err_hint(err, st, "`nexus lake ls` shows the tables, `nexus lake show TABLE` a table's columns");
    return st;
}

static nx_status write_parquet(nx_project *p, nx_str sql, const char *path, nx_err *err)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_schema *schema;
    nx_file_stats stats;
    target t;
    NX_TRY(find_target(path, &a, &t, err));
    if (t.part == NULL)
        return nx_fail(err, NX_INVALID, "%s is no file: Parquet needs one", path);
    nx_status asked = nx_session_schema(p->session, sql, &a, &schema, err);
    if (asked != NX_OK)
        return explain(asked, err);
    remove(t.part); /* of a run that was cut: the engine writes new files only */
    nx_status st = nx_session_write_parquet(p->session, sql, schema, t.part, &(nx_parquet_opts){.keep_order = true}, &a,
                                            &stats, err);
    NX_TRY(put_in_place(&t, st, err));
    return say_written(p, path, stats.rows, err);
}

static nx_status print_rows(nx_project *p, const nx_args *a, nx_str sql, FILE *f, nx_err *err)
{
    int64_t rows_max;
    NX_TRY(nx_args_i64(a, "--max-rows", f == stdout ? 100 : 0, 0, INT64_MAX, &rows_max, err));
    nx_result *r = NULL;
    NX_TRY(nx_session_one_statement(p->session, sql, err));
    nx_status asked = nx_session_query(p->session, sql, &r, err);
    if (asked != NX_OK)
        return explain(asked, err);
    nx_out_form form = p->g->json ? NX_OUT_JSON : nx_args_has(a, "--csv") ? NX_OUT_CSV : NX_OUT_TABLE;
    nx_status st = nx_print_result(f, r, form, (size_t)rows_max, err);
    nx_result_drop(r);
    return st;
}

static nx_status write_rows(nx_project *p, const nx_args *a, nx_str sql, const char *path, nx_err *err)
{
    target t;
    NX_TRY(find_target(path, &p->arena, &t, err));
    FILE *f = fopen(t.part == NULL ? path : t.part, "we");
    if (f == NULL)
        return nx_fail_sys(err, NX_IO, "could not open %s", path);
    nx_status st = print_rows(p, a, sql, f, err);
    if (fclose(f) != 0 && st == NX_OK)
        st = nx_fail_sys(err, NX_IO, "could not write %s", path);
    return put_in_place(&t, st, err);
}

/* True when only blanks and semicolons are there. */
static bool says_nothing(nx_str sql)
{
    for (size_t i = 0; i < sql.n; i++)
        if (sql.p[i] != ';' && sql.p[i] != ' ' && sql.p[i] != '\n' && sql.p[i] != '\t' && sql.p[i] != '\r')
            return false;
    return true;
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    nx_str sql = nx_str_of(a->words[0]);
    const char *path = nx_args_get(a, "--output");
    if (nx_args_has(a, "--parquet"))
        return write_parquet(p, sql, path, err);
    return path == NULL ? print_rows(p, a, sql, stdout, err) : write_rows(p, a, sql, path, err);
}

nx_status nx_cmd_sql(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    if (says_nothing(nx_str_of(a->words[0])))
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "the query is empty"),
                           "e.g. nexus sql 'from bronze.trades limit 5'");
    if (nx_args_has(a, "--parquet") && nx_args_get(a, "--output") == NULL)
        return nx_fail(err, NX_INVALID, "--parquet needs --output FILE");
    if (nx_args_has(a, "--parquet") && nx_args_has(a, "--csv"))
        return nx_fail(err, NX_INVALID, "--csv and --parquet are two forms: give one");
    NX_TRY(nx_project_open(g, NX_NEED_SESSION, &p, err));
    nx_status st = nx_project_stoppable(&p, err);
    if (st == NX_OK)
        st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
