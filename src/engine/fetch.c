/* engine/fetch.c - rows of a query as batches of our types, streamed. */
#include "data/batch.h"
#include "engine/engine_int.h"

enum { BATCH_ROWS_DEFAULT = 65536 };

static nx_status add_rows(nx_batch *b, nx_col *c, duckdb_vector vec, size_t from, size_t n);

static nx_status add_decimal(nx_batch *b, nx_col *c, const void *data, size_t i)
{
    int digits = c->type->precision;
    if (digits > 18) {
        __int128 v;
        memcpy(&v, (const char *)data + i * sizeof v, sizeof v);
        return nx_col_i128(b, c, v);
    }
    if (digits > 9)
        return nx_col_i64(b, c, ((const int64_t *)data)[i]);
    if (digits > 4)
        return nx_col_i64(b, c, ((const int32_t *)data)[i]);
    return nx_col_i64(b, c, ((const int16_t *)data)[i]);
}

static nx_status add_list(nx_batch *b, nx_col *c, duckdb_vector vec, const void *data, size_t i)
{
    duckdb_list_entry e = ((const duckdb_list_entry *)data)[i];
    NX_TRY(add_rows(b, &c->child[0], duckdb_list_vector_get_child(vec), e.offset, e.length));
    return nx_col_list_end(b, c);
}

static nx_status add_struct(nx_batch *b, nx_col *c, duckdb_vector vec, size_t i)
{
    for (size_t k = 0; k < c->n_children; k++)
        NX_TRY(add_rows(b, &c->child[k], duckdb_struct_vector_get_child(vec, k), i, 1));
    return nx_col_struct_end(b, c);
}

static nx_status add_value(nx_batch *b, nx_col *c, duckdb_vector vec, const void *data, size_t i)
{
    switch (c->type->kind) {
    case NX_BOOL:
        return nx_col_bool(b, c, ((const uint8_t *)data)[i] != 0);
    case NX_INT32:
    case NX_DATE:
        return nx_col_i32(b, c, ((const int32_t *)data)[i]);
    case NX_INT64:
    case NX_TIMESTAMP:
        return nx_col_i64(b, c, ((const int64_t *)data)[i]);
    case NX_DOUBLE:
        return nx_col_f64(b, c, ((const double *)data)[i]);
    case NX_DECIMAL:
        return add_decimal(b, c, data, i);
    case NX_STRING:
    case NX_BINARY: {
        duckdb_string_t *s = (duckdb_string_t *)data + i;
        return nx_col_str(b, c, (nx_str){duckdb_string_t_data(s), duckdb_string_t_length(*s)});
    }
    case NX_LIST:
        return add_list(b, c, vec, data, i);
    case NX_STRUCT:
        return add_struct(b, c, vec, i);
    }
    return NX_INTERNAL;
}

/* Values [from, from + n) of a vector to the end of a column. */
static nx_status add_rows(nx_batch *b, nx_col *c, duckdb_vector vec, size_t from, size_t n)
{
    const uint64_t *validity = duckdb_vector_get_validity(vec);
    const void *data = duckdb_vector_get_data(vec);
    for (size_t i = from; i < from + n; i++)
        NX_TRY(nx__valid(validity, i) ? add_value(b, c, vec, data, i) : nx_col_null(b, c));
    return NX_OK;
}

typedef struct hand_over {
    nx_batch b;
    size_t batch_rows;
    nx_batch_fn fn;
    void *ctx;
} hand_over;

static nx_status flush(hand_over *h, nx_err *err)
{
    if (h->b.n == 0)
        return NX_OK;
    NX_TRY(h->fn(h->ctx, &h->b, err));
    nx_batch_clear(&h->b);
    return NX_OK;
}

static nx_status add_slice(hand_over *h, duckdb_data_chunk chunk, size_t from, size_t n)
{
    nx_status st = NX_OK;
    for (size_t i = 0; i < h->b.schema->n_fields && st == NX_OK; i++)
        st = add_rows(&h->b, &h->b.cols[i], duckdb_data_chunk_get_vector(chunk, i), from, n);
    if (st != NX_OK) {
        nx_batch_truncate(&h->b, h->b.n);
        return st;
    }
    for (size_t i = 0; i < n; i++)
        nx_batch_end_row(&h->b);
    return NX_OK;
}

/* A batch that is full by bytes is handed over early; rows go in smaller slices until they fit. */
static nx_status add_chunk(hand_over *h, duckdb_data_chunk chunk, nx_err *err)
{
    size_t total = duckdb_data_chunk_get_size(chunk), at = 0;
    while (at < total) {
        if (h->b.n == h->batch_rows)
            NX_TRY(flush(h, err));
        size_t n = total - at, room = h->batch_rows - h->b.n;
        n = n < room ? n : room;
        nx_status st;
        while ((st = add_slice(h, chunk, at, n)) == NX_LIMIT) {
            if (h->b.n > 0)
                NX_TRY(flush(h, err));
            else if (n > 1)
                n /= 2;
            else
                return nx_fail(err, NX_LIMIT, "a single row is larger than a batch may be");
        }
        if (st != NX_OK)
            return nx_fail(err, st, "could not keep the rows of a query");
        at += n;
    }
    return NX_OK;
}

static nx_status stream(nx_session *s, duckdb_result *r, hand_over *h, nx_err *err)
{
    for (;;) {
        duckdb_data_chunk c = duckdb_fetch_chunk(*r);
        if (c == NULL)
            break;
        nx_status st = add_chunk(h, c, err);
        duckdb_destroy_data_chunk(&c);
        NX_TRY(st);
    }
    /* An error in the middle looks like the end: only the result tells. */
    const char *why = duckdb_result_error(r);
    if (why != NULL)
        return nx__error(s, duckdb_result_error_type(r), why, err);
    return flush(h, err);
}

static nx_status run_streaming(nx_session *s, const char *sql, hand_over *h, nx_err *err)
{
    duckdb_prepared_statement p = NULL;
    NX_TRY(nx__prepare(s, sql, &p, err));
    duckdb_result r;
    nx_session *old = nx__current_set(s);
    duckdb_state state = duckdb_execute_prepared_streaming(p, &r);
    nx__current_set(old);
    nx_status st;
    if (state == DuckDBSuccess) {
        s->busy = true;
        st = stream(s, &r, h, err);
        s->busy = false;
    } else {
        st = nx__error(s, duckdb_result_error_type(&r), duckdb_result_error(&r), err);
    }
    duckdb_destroy_result(&r);
    duckdb_destroy_prepare(&p);
    return st;
}

nx_status nx_session_fetch(nx_session *s, nx_str sql, const nx_schema *schema, size_t batch_rows, nx_batch_fn fn,
                           void *ctx, nx_err *err)
{
    NX_BUF_AUTO nx_buf select;
    nx_buf_init(&select, 0);
    NX_TRY(nx__cast_select(s, sql, schema, &select, err));
    hand_over h = {.batch_rows = batch_rows == 0 ? BATCH_ROWS_DEFAULT : batch_rows, .fn = fn, .ctx = ctx};
    nx_status st = nx_batch_init(&h.b, schema, h.batch_rows, 0);
    if (st != NX_OK)
        return nx_fail(err, st, "could not make a batch of %zu columns", schema->n_fields);
    st = run_streaming(s, select.p, &h, err);
    nx_batch_drop(&h.b);
    return st;
}
