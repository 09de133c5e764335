#include <stdio.h>
#include <stdlib.h>

#include "app/cmds.h"
#include "app/print.h"
#include "app/project.h"
#include "app/report.h"
#include "data/json.h"
#include "data/time.h"

const nx_opt_def nx_opts_lake[] = {
    {"--retain", NULL, "HOURS", "vacuum: age that unneeded files must have (default 168)", false},
    {"--dry-run", NULL, NULL, "vacuum: only say what would go", false},
    {"--limit", NULL, "N", "history: entries shown (default 20)", false},
    {NULL, NULL, NULL, NULL, false},
};

typedef struct lake_ls {
    nx_project *p;
    nx_jw *w; /* NULL: text */
} lake_ls;

static nx_status ls_one(void *ctx, const char *name, const char *folder, nx_err *err)
{
    lake_ls *l = ctx;
    nx_table *t;
    nx_table_info i;
    NX_TRY(nx_table_open(l->p->lake, name, &t, err));
    NX_TRY(nx_table_info_get(t, &i, err));
    char rows[32], bytes[32];
    if (l->w == NULL) {
        printf("%-44s %14s %8lld %10s %8lld\n", name, i.rows < 0 ? "?" : nx_print_count(i.rows, rows),
               (long long)i.files, nx_print_bytes(i.bytes, bytes), (long long)i.version);
        return NX_OK;
    }
    nx_jw_obj(l->w);
    nx_jw_key(l->w, "table");
    nx_jw_cstr(l->w, name);
    nx_jw_key(l->w, "folder");
    nx_jw_cstr(l->w, folder);
    nx_jw_key(l->w, "version");
    nx_jw_i64(l->w, i.version);
    nx_jw_key(l->w, "rows");
    if (i.rows < 0)
        nx_jw_null(l->w);
    else
        nx_jw_i64(l->w, i.rows);
    nx_jw_key(l->w, "files");
    nx_jw_i64(l->w, i.files);
    nx_jw_key(l->w, "bytes");
    nx_jw_i64(l->w, i.bytes);
    nx_jw_obj_end(l->w);
    return NX_OK;
}

static nx_status lake_list(nx_project *p, nx_err *err)
{
    lake_ls l = {.p = p};
    if (!p->g->json) {
        printf("%-44s %14s %8s %10s %8s\n", "table", "rows", "files", "size", "version");
        return nx_lake_each(p->lake, ls_one, &l, err);
    }
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    l.w = &w;
    nx_jw_obj(&w);
    nx_jw_key(&w, "tables");
    nx_jw_arr(&w);
    NX_TRY(nx_lake_each(p->lake, ls_one, &l, err));
    nx_jw_arr_end(&w);
    nx_jw_obj_end(&w);
    NX_TRY(nx_jw_end(&w));
    puts(b.p);
    return NX_OK;
}

static nx_status show_json(const char *name, const nx_table_info *i, const nx_schema *s, const char *when,
                           nx_report *rep, nx_err *err)
{
    nx_report_str(rep, "table", name);
    nx_report_i64(rep, "version", i->version);
    nx_report_str(rep, "committed_at", when);
    nx_jw *w = nx_report_json(rep, "rows");
    if (i->rows < 0)
        nx_jw_null(w);
    else
        nx_jw_i64(w, i->rows);
    nx_report_i64(rep, "files", i->files);
    nx_report_i64(rep, "bytes", i->bytes);
    w = nx_report_json(rep, "columns");
    nx_jw_arr(w);
    for (size_t c = 0; c < s->n_fields; c++) {
        NX_BUF_AUTO nx_buf type;
        nx_buf_init(&type, 0);
        if (nx_type_to_sql(&s->fields[c].type, &type) != NX_OK)
            return nx_nomem(err);
        nx_jw_obj(w);
        nx_jw_key(w, "name");
        nx_jw_cstr(w, s->fields[c].name);
        nx_jw_key(w, "type");
        nx_jw_cstr(w, type.p);
        nx_jw_key(w, "nullable");
        nx_jw_bool(w, s->fields[c].nullable);
        nx_jw_key(w, "comment");
        nx_jw_cstr(w, s->fields[c].comment);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    return NX_OK;
}

static nx_status show(nx_project *p, nx_table *t, const char *name, nx_err *err)
{
    nx_table_info i;
    nx_schema *s;
    NX_TRY(nx_table_info_get(t, &i, err));
    NX_TRY(nx_table_schema(t, &p->arena, &s, err));
    char rows[32], bytes[32], when[40];
    nx_time_format_us(i.committed_ms * 1000, when);
    if (p->g->json) {
        nx_report rep;
        nx_report_begin(&rep, p->g, "");
        nx_status st = show_json(name, &i, s, when, &rep, err);
        if (st == NX_OK)
            return nx_report_end(&rep, err);
        nx_buf_drop(&rep.b);
        return st;
    }
    printf("%s: version %lld of %s, %s rows in %lld files, %s\n\n", name, (long long)i.version, when,
           i.rows < 0 ? "?" : nx_print_count(i.rows, rows), (long long)i.files, nx_print_bytes(i.bytes, bytes));
    for (size_t c = 0; c < s->n_fields; c++) {
        NX_BUF_AUTO nx_buf type;
        nx_buf_init(&type, 0);
        NX_TRY(nx_type_to_sql(&s->fields[c].type, &type));
        printf("  %-22s %-28s %-8s %s\n", s->fields[c].name, type.p, s->fields[c].nullable ? "" : "not null",
               s->fields[c].comment == NULL ? "" : s->fields[c].comment);
    }
    return NX_OK;
}

/* ctx: the JSON writer, NULL for text. */
static nx_status print_history(void *ctx, const nx_history_entry *e, nx_err *err)
{
    nx_jw *w = ctx;
    (void)err;
    char when[40], rows[32];
    nx_time_format_us(e->timestamp_ms * 1000, when);
    if (w == NULL) {
        printf("%8lld  %-26s %-20s %14s rows  %5lld files added %5lld removed\n", (long long)e->version, when,
               e->operation == NULL ? "" : e->operation, e->rows_added < 0 ? "?" : nx_print_count(e->rows_added, rows),
               (long long)e->files_added, (long long)e->files_removed);
        return NX_OK;
    }
    nx_jw_obj(w);
    nx_jw_key(w, "version");
    nx_jw_i64(w, e->version);
    nx_jw_key(w, "committed_at");
    nx_jw_cstr(w, when);
    nx_jw_key(w, "operation");
    nx_jw_cstr(w, e->operation);
    nx_jw_key(w, "rows_added");
    if (e->rows_added < 0)
        nx_jw_null(w);
    else
        nx_jw_i64(w, e->rows_added);
    nx_jw_key(w, "files_added");
    nx_jw_i64(w, e->files_added);
    nx_jw_key(w, "files_removed");
    nx_jw_i64(w, e->files_removed);
    nx_jw_obj_end(w);
    return NX_OK;
}

static nx_status history(nx_project *p, const nx_args *a, nx_table *t, const char *name, nx_err *err)
{
    int64_t limit;
    NX_TRY(nx_args_i64(a, "--limit", 20, 1, INT64_MAX, &limit, err));
    if (!p->g->json)
        return nx_table_history(t, limit, print_history, NULL, err);
    nx_report rep;
    nx_report_begin(&rep, p->g, "");
    nx_report_str(&rep, "table", name);
    nx_jw *w = nx_report_json(&rep, "versions");
    nx_jw_arr(w);
    nx_status st = nx_table_history(t, limit, print_history, w, err);
    if (st != NX_OK) {
        nx_buf_drop(&rep.b);
        return st;
    }
    nx_jw_arr_end(w);
    return nx_report_end(&rep, err);
}

static nx_status optimize(nx_project *p, nx_table *t, const char *name, nx_err *err)
{
    nx_commit_result r = {0};
    nx_session *s = NULL;
    NX_TRY(nx_session_open(p->engine, &s, err));
    nx_status st = nx_table_optimize(t, s, &(nx_optimize_opts){0}, &r, err);
    nx_session_close(s);
    if (st != NX_OK && st != NX_NOTHING)
        return st;
    nx_report rep;
    nx_report_begin(&rep, p->g, name);
    nx_report_i64(&rep, "files_removed", r.files_removed);
    nx_report_i64(&rep, "files_added", r.files_added);
    return nx_report_end(&rep, err);
}

static nx_status vacuum(nx_project *p, const nx_args *a, nx_table *t, const char *name, nx_err *err)
{
    int64_t hours, files = 0, bytes = 0;
    bool dry = nx_args_has(a, "--dry-run");
    NX_TRY(nx_args_i64(a, "--retain", 168, 0, 1000000, &hours, err));
    NX_TRY(nx_table_vacuum(t, hours * 3600000, dry, &files, &bytes, err));
    nx_report rep;
    nx_report_begin(&rep, p->g, name);
    nx_report_i64(&rep, dry ? "files_to_delete" : "files_deleted", files);
    nx_report_i64(&rep, dry ? "bytes_to_delete" : "bytes_deleted", bytes);
    return nx_report_end(&rep, err);
}

static nx_status checkpoint(nx_project *p, nx_table *t, const char *name, nx_err *err)
{
    nx_table_info i;
    NX_TRY(nx_table_checkpoint(t, err));
    NX_TRY(nx_table_info_get(t, &i, err));
    nx_report rep;
    nx_report_begin(&rep, p->g, name);
    nx_report_i64(&rep, "checkpoint_of_version", i.version);
    return nx_report_end(&rep, err);
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    static const char *const verbs[] = {"show", "history", "optimize", "vacuum", "checkpoint"};
    const char *verb = a->words[0];
    if (strcmp(verb, "ls") == 0 && a->n_words == 1)
        return lake_list(p, err);
    size_t k = 0;
    while (k < NX_COUNT_OF(verbs) && strcmp(verbs[k], verb) != 0)
        k++;
    if (k == NX_COUNT_OF(verbs)) {
        nx_fail(err, NX_INVALID,
                strcmp(verb, "ls") == 0 ? "too many words after 'nexus lake %s'" : "unknown: nexus lake %s", verb);
        return nx_err_hint(err, NX_INVALID, "one of ls, show, history, optimize, vacuum, checkpoint");
    }
    if (a->n_words < 2)
        return nx_fail(err, NX_INVALID, "name the table: nexus lake %s TABLE", verb);
    nx_table *t;
    const char *name = a->words[1];
    NX_TRY(nx_table_open(p->lake, name, &t, err));
    switch (k) {
    case 0:
        return show(p, t, name, err);
    case 1:
        return history(p, a, t, name, err);
    case 2:
        return optimize(p, t, name, err);
    case 3:
        return vacuum(p, a, t, name, err);
    default:
        return checkpoint(p, t, name, err);
    }
}

nx_status nx_cmd_lake(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_LAKE, &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
