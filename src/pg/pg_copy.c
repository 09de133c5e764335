/* pg/pg_copy.c - COPY … FROM STDIN in the binary format, a batch at a time. */
#include <stdlib.h>

#include "base/fault.h"
#include "pg/pg_int.h"

enum { SEND_BYTES = 256 << 10, ROW_BYTES_MAX = 1 << 30 };

struct nx_pg_copy {
    nx_pg *c;
    const nx_schema *schema;
    nx_buf out;
    int64_t rows;
    bool failed;
};

static nx_status flush_out(nx_pg_copy *cp, nx_err *err)
{
    if (cp->out.n == 0)
        return NX_OK;
    if (PQputCopyData(cp->c->conn, cp->out.p, (int)cp->out.n) != 1) {
        cp->failed = true;
        return nx__pg_error(cp->c, NULL, err);
    }
    nx_buf_clear(&cp->out);
    return NX_OK;
}

static nx_status begin_sql(const char *quoted_table, const nx_schema *schema, nx_buf *b)
{
    NX_TRY(nx_buf_addf(b, "COPY %s (", quoted_table));
    for (size_t i = 0; i < schema->n_fields; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ", "));
        NX_TRY(nx_pg_ident(b, nx_str_of(schema->fields[i].name)));
    }
    return nx_buf_adds(b, ") FROM STDIN (FORMAT binary)");
}

nx_status nx_pg_copy_begin(nx_pg *c, const char *quoted_table, const nx_schema *schema, nx_pg_copy **ret, nx_err *err)
{
    *ret = NULL;
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 0);
    if (schema->n_fields == 0 || schema->n_fields > 1600)
        return nx_fail(err, NX_UNSUPPORTED, "a PostgreSQL table has 1 to 1,600 columns, %s would have %zu",
                       quoted_table, schema->n_fields);
    nx_status st = begin_sql(quoted_table, schema, &sql);
    if (st != NX_OK)
        return nx_fail(err, st, "could not write the COPY of %s", quoted_table);
    PGresult *r = PQexec(c->conn, sql.p);
    if (PQresultStatus(r) != PGRES_COPY_IN)
        return nx__pg_error(c, r, err);
    PQclear(r);
    nx_pg_copy *cp = calloc(1, sizeof *cp);
    if (cp == NULL) {
        PQputCopyEnd(c->conn, "out of memory");
        while ((r = PQgetResult(c->conn)) != NULL)
            PQclear(r);
        return nx_nomem(err);
    }
    *cp = (nx_pg_copy){.c = c, .schema = schema};
    nx_buf_init(&cp->out, (size_t)SEND_BYTES + ROW_BYTES_MAX);
    static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* signature, flags, length of an extension */
    if (nx_buf_add(&cp->out, (nx_str){header, 19}) != NX_OK) {
        nx_pg_copy_cancel(cp);
        return nx_nomem(err);
    }
    *ret = cp;
    return NX_OK;
}

static nx_status put_row(nx_pg_copy *cp, const nx_batch *b, size_t row, nx_err *err)
{
    size_t n = b->schema->n_fields;
    const char count[2] = {(char)(n >> 8), (char)n};
    nx_status st = nx_buf_add(&cp->out, (nx_str){count, 2});
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        st = nx__pg_put_value(&cp->out, &b->cols[i], row);
        if (st == NX_INVALID)
            return nx_fail(
                err, NX_INVALID,
                "row %lld: column %s holds a value that PostgreSQL cannot (a text with a zero byte, or a date out of its range)",
                (long long)cp->rows, b->schema->fields[i].name);
        if (st != NX_OK)
            return nx_fail(err, st, "row %lld: column %s is too large for PostgreSQL", (long long)cp->rows,
                           b->schema->fields[i].name);
    }
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

nx_status nx_pg_copy_batch(nx_pg_copy *cp, const nx_batch *b, nx_err *err)
{
    if (b->schema->n_fields != cp->schema->n_fields)
        return nx_fail(err, NX_INVALID, "a batch of %zu columns for a COPY of %zu", b->schema->n_fields,
                       cp->schema->n_fields);
    for (size_t i = 0; i < b->n; i++) {
        nx_status st = put_row(cp, b, i, err);
        if (st == NX_OK && cp->out.n >= SEND_BYTES)
            st = flush_out(cp, err);
        if (st != NX_OK) {
            cp->failed = true;
            return st;
        }
        cp->rows++;
    }
    if (nx_fault_hit(NX_FAULT_PG_COPY) != NX_FAULT_NONE) {
        cp->failed = true;
        return nx_fail(err, NX_REMOTE, "PostgreSQL: the connection was lost");
    }
    return NX_OK;
}

static void drop(nx_pg_copy *cp)
{
    nx_buf_drop(&cp->out);
    free(cp);
}

/* The verdict of the server; the later results of the statement are read away. */
static nx_status finish(nx_pg_copy *cp, const char *refusal, int64_t *ret_rows, nx_err *err)
{
    if (PQputCopyEnd(cp->c->conn, refusal) != 1)
        return nx__pg_error(cp->c, NULL, err);
    PGresult *r = PQgetResult(cp->c->conn);
    nx_status st = NX_OK;
    if (PQresultStatus(r) != PGRES_COMMAND_OK) {
        st = nx__pg_error(cp->c, r, err);
    } else {
        if (ret_rows != NULL && !nx_str_to_i64(nx_str_of(PQcmdTuples(r)), ret_rows))
            *ret_rows = cp->rows;
        PQclear(r);
    }
    while ((r = PQgetResult(cp->c->conn)) != NULL)
        PQclear(r);
    return st;
}

nx_status nx_pg_copy_end(nx_pg_copy *cp, int64_t *ret_rows, nx_err *err)
{
    nx_status st = NX_OK;
    if (cp->failed) {
        nx_pg_copy_cancel(cp);
        return nx_fail(err, NX_INVALID, "the COPY has failed before its end");
    }
    static const char trailer[2] = {'\377', '\377'};
    st = nx_buf_add(&cp->out, (nx_str){trailer, 2});
    if (st == NX_OK)
        st = flush_out(cp, err);
    if (st == NX_OK)
        st = finish(cp, NULL, ret_rows, err);
    else
        finish(cp, "cancelled by the client", NULL, NULL);
    drop(cp);
    return st;
}

void nx_pg_copy_cancel(nx_pg_copy *cp)
{
    if (cp == NULL)
        return;
    if (finish(cp, "cancelled by the client", NULL, NULL) == NX_OK)
        cp->failed = true;
    drop(cp);
}
