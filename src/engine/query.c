/* engine/query.c - running statements. */
#include <stdarg.h>
#include <stdlib.h>

#include "engine/engine_int.h"

static nx_status ready(nx_session *s, nx_err *err)
{
    if (s->busy)
        return nx_fail(err, NX_INVALID,
                       "could not run a statement: this session is still handing over the rows of another");
    nx_err_clear(&s->resolve_err);
    return NX_OK;
}

nx_status nx__run(nx_session *s, const char *sql, duckdb_result *ret, nx_err *err)
{
    NX_TRY(ready(s, err));
    nx_session *old = nx__current_set(s);
    duckdb_state state = duckdb_query(s->con, sql, ret);
    nx__current_set(old);
    if (state == DuckDBSuccess)
        return NX_OK;
    nx_status st = nx__error(s, duckdb_result_error_type(ret), duckdb_result_error(ret), err);
    duckdb_destroy_result(ret);
    return st;
}

/* Parses the text; NX_OK when it holds one statement. The caller destroys *ret always. */
static nx_status extract_one(nx_session *s, const char *sql, duckdb_extracted_statements *ret, nx_err *err)
{
    idx_t n = duckdb_extract_statements(s->con, sql, ret);
    if (n == 0) {
        const char *why = duckdb_extract_statements_error(*ret);
        return why == NULL ? nx_fail(err, NX_INVALID, "there is no statement in the text")
                           : nx__error(s, DUCKDB_ERROR_PARSER, why, err);
    }
    return n == 1 ? NX_OK : nx_fail(err, NX_INVALID, "one statement is possible here, the text has %zu", (size_t)n);
}

nx_status nx__prepare(nx_session *s, const char *sql, duckdb_prepared_statement *ret, nx_err *err)
{
    NX_TRY(ready(s, err));
    duckdb_extracted_statements parts = NULL;
    nx_status st = extract_one(s, sql, &parts, err);
    if (st == NX_OK) {
        nx_session *old = nx__current_set(s);
        duckdb_state state = duckdb_prepare_extracted_statement(s->con, parts, 0, ret);
        nx__current_set(old);
        if (state != DuckDBSuccess) {
            const char *why = duckdb_prepare_error(*ret);
            st = nx__error(s, nx__class_of(why), why, err);
            duckdb_destroy_prepare(ret);
        }
    }
    duckdb_destroy_extracted(&parts);
    return st;
}

/* A 0-terminated copy of the text; NULL with err set when it cannot be one. */
static char *terminated(nx_str sql, nx_err *err)
{
    if (sql.n > 0 && memchr(sql.p, '\0', sql.n) != NULL) {
        nx_fail(err, NX_INVALID, "the statement holds a zero byte");
        return NULL;
    }
    char *c = nx_str_dup(sql);
    if (c == NULL)
        nx_nomem(err);
    return c;
}

static nx_status run_text(nx_session *s, nx_str sql, duckdb_result *ret, nx_err *err)
{
    nx_err why = {0};
    char *text = terminated(sql, &why);
    if (text == NULL) {
        if (err != NULL)
            *err = why;
        return why.status;
    }
    nx_status st = nx__run(s, text, ret, err);
    free(text);
    return st;
}

nx_status nx_session_one_statement(nx_session *s, nx_str sql, nx_err *err)
{
    nx_err why = {0};
    NX_TRY(ready(s, err));
    char *text = terminated(sql, &why);
    if (text == NULL) {
        if (err != NULL)
            *err = why;
        return why.status;
    }
    duckdb_extracted_statements parts = NULL;
    nx_status st = extract_one(s, text, &parts, err);
    duckdb_destroy_extracted(&parts);
    free(text);
    return st;
}

nx_status nx_session_exec(nx_session *s, nx_str sql, int64_t *ret_changed, nx_err *err)
{
    duckdb_result r;
    NX_TRY(run_text(s, sql, &r, err));
    if (ret_changed != NULL)
        *ret_changed = (int64_t)duckdb_rows_changed(&r);
    duckdb_destroy_result(&r);
    return NX_OK;
}

nx_status nx_session_execf(nx_session *s, nx_err *err, const char *fmt, ...)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 0);
    va_list ap;
    va_start(ap, fmt);
    nx_status st = nx_buf_vaddf(&sql, fmt, ap);
    va_end(ap);
    return st == NX_OK ? nx_session_exec(s, nx_buf_str(&sql), NULL, err) : nx_nomem(err);
}

/* ------------------------------------------------------------------ materialised results */

struct nx_result {
    nx_arena arena;
    duckdb_result raw;
    bool has_raw;
    size_t n_cols, n_rows;
    const char **names, **type_names;
    nx__vtype *types;
    duckdb_data_chunk *chunks;
    size_t *starts; /* first row of each chunk */
    size_t n_chunks, chunks_cap, starts_cap;
};

static nx_status read_columns(nx_result *r, nx_err *err)
{
    r->n_cols = duckdb_column_count(&r->raw);
    r->names = NX_ARENA_ARRAY(&r->arena, const char *, r->n_cols);
    r->type_names = NX_ARENA_ARRAY(&r->arena, const char *, r->n_cols);
    r->types = NX_ARENA_ARRAY(&r->arena, nx__vtype, r->n_cols);
    if (r->names == NULL || r->type_names == NULL || r->types == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < r->n_cols; i++) {
        duckdb_logical_type t = duckdb_column_logical_type(&r->raw, i);
        nx_status st = nx__vtype_make(t, &r->arena, &r->types[i], err);
        duckdb_destroy_logical_type(&t);
        NX_TRY(st);
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        if (nx__vtype_text(&r->types[i], &b) != NX_OK)
            return nx_nomem(err);
        r->type_names[i] = nx_arena_dup(&r->arena, nx_buf_str(&b));
        r->names[i] = nx_arena_dup(&r->arena, nx_str_of(duckdb_column_name(&r->raw, i)));
        if (r->names[i] == NULL || r->type_names[i] == NULL)
            return nx_nomem(err);
    }
    return NX_OK;
}

static nx_status read_chunks(nx_session *s, nx_result *r, nx_err *err)
{
    for (;;) {
        duckdb_data_chunk c = duckdb_fetch_chunk(r->raw);
        if (c == NULL)
            break;
        size_t n = duckdb_data_chunk_get_size(c);
        if (n == 0) {
            duckdb_destroy_data_chunk(&c);
            continue;
        }
        if (!nx_grow(&r->chunks, &r->chunks_cap, r->n_chunks + 1, sizeof *r->chunks) ||
            !nx_grow(&r->starts, &r->starts_cap, r->n_chunks + 1, sizeof *r->starts)) {
            duckdb_destroy_data_chunk(&c);
            return nx_nomem(err);
        }
        r->chunks[r->n_chunks] = c;
        r->starts[r->n_chunks++] = r->n_rows;
        r->n_rows += n;
    }
    const char *why = duckdb_result_error(&r->raw);
    return why == NULL ? NX_OK : nx__error(s, duckdb_result_error_type(&r->raw), why, err);
}

nx_status nx_session_query(nx_session *s, nx_str sql, nx_result **ret, nx_err *err)
{
    *ret = NULL;
    nx_result *r = calloc(1, sizeof *r);
    if (r == NULL)
        return nx_nomem(err);
    nx_arena_init(&r->arena, 0);
    nx_status st = run_text(s, sql, &r->raw, err);
    r->has_raw = st == NX_OK;
    if (st == NX_OK)
        st = read_columns(r, err);
    if (st == NX_OK)
        st = read_chunks(s, r, err);
    if (st != NX_OK) {
        nx_result_drop(r);
        return st;
    }
    *ret = r;
    return NX_OK;
}

void nx_result_drop(nx_result *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n_chunks; i++)
        duckdb_destroy_data_chunk(&r->chunks[i]);
    free(r->chunks);
    free(r->starts);
    if (r->has_raw)
        duckdb_destroy_result(&r->raw);
    nx_arena_drop(&r->arena);
    free(r);
}

size_t nx_result_cols(const nx_result *r)
{
    return r->n_cols;
}

size_t nx_result_rows(const nx_result *r)
{
    return r->n_rows;
}

const char *nx_result_name(const nx_result *r, size_t col)
{
    return r->names[col];
}

const char *nx_result_type(const nx_result *r, size_t col)
{
    return r->type_names[col];
}

const nx__vtype *nx__result_cell(const nx_result *r, size_t row, size_t col, duckdb_vector *ret_vec, size_t *ret_at)
{
    size_t lo = 0, hi = r->n_chunks;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (r->starts[mid] <= row)
            lo = mid;
        else
            hi = mid;
    }
    *ret_vec = duckdb_data_chunk_get_vector(r->chunks[lo], col);
    *ret_at = row - r->starts[lo];
    return &r->types[col];
}
