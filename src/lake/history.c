/* What happened to a table: commitInfo and the files of each commit, newest first. */
#include <stdlib.h>

#include "lake/lake_int.h"

typedef struct one {
    nx_history_entry e;
    char operation[64];
} one;

static nx_status on_line(void *ctx, const nx_val *line, nx_err *err)
{
    one *o = ctx;
    (void)err;
    const nx_val *info = nx_val_get(line, "commitInfo");
    o->e.files_added += nx_val_get(nx_val_get(line, "add"), "path") != NULL;
    o->e.files_removed += nx_val_get(nx_val_get(line, "remove"), "path") != NULL;
    if (info != NULL) {
        o->e.timestamp_ms = nx_val_i64(nx_val_get(info, "timestamp"), o->e.timestamp_ms);
        nx_str op = nx_val_str(nx_val_get(info, "operation"), NX_STR(""));
        size_t n = op.n < sizeof o->operation ? op.n : sizeof o->operation - 1;
        memcpy(o->operation, op.p, n);
        o->operation[n] = '\0';
        nx_str rows = nx_val_str(nx_val_path(info, "operationMetrics.numOutputRows"), NX_STR(""));
        if (!nx_str_to_i64(rows, &o->e.rows_added))
            o->e.rows_added = -1;
    }
    return NX_OK;
}

nx_status nx_table_history(nx_table *t, int64_t limit,
                           nx_status (*fn)(void *ctx, const nx_history_entry *e, nx_err *err), void *ctx, nx_err *err)
{
    nx__log_list l;
    NX_TRY(nx__log_scan(t, &l, err));
    nx_status st = l.n_commits > 0 ? NX_OK : nx_fail(err, NX_NOT_FOUND, "there is no table %s", t->name);
    for (size_t i = l.n_commits; st == NX_OK && i > 0 && (int64_t)(l.n_commits - i) < limit; i--) {
        const nx__commit_entry *c = &l.commits[i - 1];
        one o = {.e = {.version = c->version, .timestamp_ms = c->modified_ms, .rows_added = -1}};
        nx_buf text NX_BUF_AUTO;
        nx_buf_init(&text, 0);
        st = nx__commit_read(t, c->version, &text, err);
        if (st == NX_OK)
            st = nx__ndjson_each(nx_buf_str(&text), on_line, &o, err);
        if (st != NX_OK) {
            nx_err_prefix(err, "could not read version %lld of table %s", (long long)c->version, t->name);
            break;
        }
        o.e.operation = o.operation;
        st = fn(ctx, &o.e, err);
    }
    nx__log_list_drop(&l);
    return st;
}
