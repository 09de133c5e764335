/* engine/parquet.c - queries and batches as Parquet files, with the statistics that Delta wants. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "data/batch.h"
#include "engine/engine_int.h"

enum { ZSTD_LEVEL_DEFAULT = 3, ROW_GROUP_ROWS_DEFAULT = 122880 };

static nx_str string_at(duckdb_vector vec, size_t at)
{
    duckdb_string_t *s = (duckdb_string_t *)duckdb_vector_get_data(vec) + at;
    return (nx_str){duckdb_string_t_data(s), duckdb_string_t_length(*s)};
}

/* "\"bids\".\"list\"" → bids.list */
static const char *plain_path(nx_arena *a, nx_str quoted)
{
    char *out = nx_arena_calloc(a, quoted.n + 1, 1);
    size_t n = 0;
    bool inside = false;
    for (size_t i = 0; out != NULL && i < quoted.n; i++) {
        char c = quoted.p[i];
        if (c != '"')
            out[n++] = c;
        else if (inside && i + 1 < quoted.n && quoted.p[i + 1] == '"')
            out[n++] = quoted.p[++i];
        else
            inside = !inside;
    }
    return out;
}

/* One column's MAP(VARCHAR, VARCHAR): null_count, min, max, has_nan and others. */
static nx_status read_column(duckdb_vector names, duckdb_vector values, duckdb_list_entry e, nx_arena *a,
                             nx_col_stats *ret, nx_err *err)
{
    bool nan = false;
    ret->nulls = -1;
    for (size_t i = e.offset; i < e.offset + e.length; i++) {
        nx_str name = string_at(names, i);
        if (!nx__valid(duckdb_vector_get_validity(values), i))
            continue;
        nx_str value = string_at(values, i);
        if (nx_str_is(name, "null_count")) {
            if (!nx_str_to_i64(value, &ret->nulls))
                ret->nulls = -1;
        } else if (nx_str_is(name, "has_nan")) {
            nan = nx_str_is(value, "true");
        } else if (nx_str_is(name, "min") || nx_str_is(name, "max")) {
            const char **to = nx_str_is(name, "min") ? &ret->min : &ret->max;
            if ((*to = nx_arena_dup(a, value)) == NULL)
                return nx_nomem(err);
        }
    }
    ret->has_minmax = ret->min != NULL && ret->max != NULL && !nan; /* the bounds leave NaN out */
    return NX_OK;
}

/* The one row of COPY … RETURN_STATS: filename, count, file_size_bytes, footer_size_bytes, column_statistics, … */
static nx_status read_stats(duckdb_data_chunk row, nx_arena *a, nx_file_stats *ret, nx_err *err)
{
    *ret = (nx_file_stats){0};
    ret->rows = (int64_t)((const uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(row, 1)))[0];
    ret->bytes = (int64_t)((const uint64_t *)duckdb_vector_get_data(duckdb_data_chunk_get_vector(row, 2)))[0];
    duckdb_vector map = duckdb_data_chunk_get_vector(row, 4), pairs = duckdb_list_vector_get_child(map);
    duckdb_vector paths = duckdb_struct_vector_get_child(pairs, 0), inner = duckdb_struct_vector_get_child(pairs, 1);
    duckdb_vector inner_pairs = duckdb_list_vector_get_child(inner);
    duckdb_vector names = duckdb_struct_vector_get_child(inner_pairs, 0);
    duckdb_vector values = duckdb_struct_vector_get_child(inner_pairs, 1);
    duckdb_list_entry e = ((const duckdb_list_entry *)duckdb_vector_get_data(map))[0];
    const duckdb_list_entry *inner_at = duckdb_vector_get_data(inner);
    ret->cols = NX_ARENA_ARRAY(a, nx_col_stats, e.length);
    if (ret->cols == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < e.length; i++) {
        nx_col_stats *c = &ret->cols[ret->n_cols++];
        c->path = plain_path(a, string_at(paths, e.offset + i));
        if (c->path == NULL)
            return nx_nomem(err);
        NX_TRY(read_column(names, values, inner_at[e.offset + i], a, c, err));
    }
    return NX_OK;
}

static nx_status copy_sql(nx_str select, const char *path, const nx_parquet_opts *o, bool keep_order, nx_buf *b)
{
    int level = o == NULL || o->zstd_level == 0 ? ZSTD_LEVEL_DEFAULT : o->zstd_level;
    size_t group = o == NULL || o->row_group_rows == 0 ? ROW_GROUP_ROWS_DEFAULT : o->row_group_rows;
    NX_TRY(nx_buf_adds(b, "COPY ("));
    NX_TRY(nx_buf_add(b, select));
    NX_TRY(nx_buf_adds(b, ") TO "));
    NX_TRY(nx_sql_literal(b, nx_str_of(path)));
    return nx_buf_addf(b,
                       " (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL %d, ROW_GROUP_SIZE %zu, "
                       "PRESERVE_ORDER %s, RETURN_STATS)",
                       level, group, keep_order ? "true" : "false");
}

static nx_status sync_file(const char *path, nx_err *err)
{
    NX_TRY(nx_file_sync(path, err));
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return nx_dir_sync(".", err);
    char *dir = nx_str_dup((nx_str){path, slash == path ? 1 : (size_t)(slash - path)});
    if (dir == NULL)
        return nx_nomem(err);
    nx_status st = nx_dir_sync(dir, err);
    free(dir);
    return st;
}

static nx_status copy_and_sync(nx_session *s, const char *sql, const char *path, nx_arena *a, nx_file_stats *ret,
                               nx_err *err)
{
    duckdb_result r;
    NX_TRY(nx__run(s, sql, &r, err));
    duckdb_data_chunk row = duckdb_fetch_chunk(r);
    nx_status st;
    if (row == NULL || duckdb_data_chunk_get_size(row) != 1 || duckdb_data_chunk_get_column_count(row) < 5)
        st = nx_fail(err, NX_INTERNAL, "the SQL engine gave no statistics");
    else
        st = read_stats(row, a, ret, err);
    duckdb_destroy_data_chunk(&row);
    duckdb_destroy_result(&r);
    if (st == NX_OK && nx_fault_hit(NX_FAULT_PARQUET_WRITE) != NX_FAULT_NONE)
        st = nx_fail(err, NX_IO, "no space left on device");
    return st == NX_OK ? sync_file(path, err) : st;
}

nx_status nx__copy_parquet(nx_session *s, nx_str select, const char *path, const nx_parquet_opts *opts, bool keep_order,
                           nx_arena *a, nx_file_stats *ret, nx_err *err)
{
    if (nx_file_exists(path))
        return nx_fail(err, NX_EXISTS, "could not write %s: there is such a file", path);
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 0);
    nx_status st = copy_sql(select, path, opts, keep_order, &sql);
    if (st != NX_OK)
        return nx_fail(err, st, "could not write %s: the statement is too long", path);
    st = copy_and_sync(s, sql.p, path, a, ret, err);
    if (st == NX_OK)
        return NX_OK;
    unlink(path); /* the 1.4 line leaves the half file */
    if (st == NX_IO || st == NX_NOMEM)
        nx_err_prefix(err, "could not write %s", path);
    return st;
}

nx_status nx_session_write_parquet(nx_session *s, nx_str sql, const nx_schema *schema, const char *path,
                                   const nx_parquet_opts *opts, nx_arena *a, nx_file_stats *ret, nx_err *err)
{
    NX_BUF_AUTO nx_buf select;
    nx_buf_init(&select, 0);
    NX_TRY(nx__cast_select(s, sql, schema, &select, err));
    return nx__copy_parquet(s, nx_buf_str(&select), path, opts, opts != NULL && opts->keep_order, a, ret, err);
}

/* ------------------------------------------------------------------ batches */

static bool in_list(const size_t *list, size_t n, size_t v)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == v)
            return true;
    return false;
}

static nx_status check_nulls(const nx__source *src, nx_err *err)
{
    for (size_t i = 0; i < src->n_fields; i++) {
        const nx_field *f = &src->b->schema->fields[src->fields[i]];
        const nx_col *c = &src->b->cols[src->fields[i]];
        if (f->nullable || c->n_nulls == 0)
            continue;
        for (size_t r = 0; r < src->n_rows; r++)
            if (nx_col_is_null(c, src->rows == NULL ? r : src->rows[r]))
                return nx_fail(err, NX_CHECK_FAILED, "column %s is null in row %zu, but must not be", f->name, r);
    }
    return NX_OK;
}

/* The fields outside of `skip`, in a malloc'ed list. */
static nx_status show_fields(const nx_batch *b, const size_t *skip, size_t n_skip, size_t **ret, size_t *ret_n,
                             nx_err *err)
{
    *ret = calloc(b->schema->n_fields + 1, sizeof **ret);
    *ret_n = 0;
    if (*ret == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < b->schema->n_fields; i++)
        if (!in_list(skip, n_skip, i))
            (*ret)[(*ret_n)++] = i;
    return *ret_n > 0 ? NX_OK : nx_fail(err, NX_INVALID, "there is no column to write beside the partition's");
}

nx_status nx_session_write_batch(nx_session *s, const nx_batch *b, const uint32_t *rows, size_t n_rows,
                                 const size_t *skip, size_t n_skip, const char *path, const nx_parquet_opts *opts,
                                 nx_arena *a, nx_file_stats *ret, nx_err *err)
{
    size_t *fields = NULL;
    nx__source src = {.b = b, .rows = rows, .n_rows = rows == NULL ? b->n : n_rows};
    nx_status st = show_fields(b, skip, n_skip, &fields, &src.n_fields, err);
    src.fields = fields;
    if (st == NX_OK)
        st = check_nulls(&src, err);
    if (st == NX_OK) {
        s->source = &src;
        /* One thread reads the batch and writes the file: that alone keeps the order, and faster than asking for it. */
        st = nx__copy_parquet(s, NX_STR("SELECT * FROM " NX__SOURCE_FUNCTION "()"), path, opts, false, a, ret, err);
        s->source = NULL;
        nx__source_turn(&src);
    }
    free(fields);
    return st;
}

nx_status nx_session_load_batch(nx_session *s, const char *name, const nx_batch *b, nx_err *err)
{
    size_t *fields = NULL;
    nx__source src = {.b = b, .n_rows = b->n};
    nx_status st = show_fields(b, NULL, 0, &fields, &src.n_fields, err);
    src.fields = fields;
    NX_BUF_AUTO nx_buf ident;
    nx_buf_init(&ident, 0);
    if (st == NX_OK && nx_sql_ident(&ident, nx_str_of(name)) != NX_OK)
        st = nx_nomem(err);
    if (st == NX_OK) {
        s->source = &src;
        st = nx_session_execf(s, err, "CREATE OR REPLACE TEMP TABLE %s AS SELECT * FROM " NX__SOURCE_FUNCTION "()",
                              ident.p);
        s->source = NULL;
        nx__source_turn(&src);
    }
    free(fields);
    return st;
}
