/* engine/source.c - a batch as a table: nx__batch() hands its rows to DuckDB, strings without a copy. */
#include <stdlib.h>

#include "data/batch.h"
#include "engine/engine_int.h"

/* One thread at a time reads (max_threads 1), so that rows keep their order. */
typedef struct cursor {
    size_t at;
} cursor;

static duckdb_logical_type logical_type(const nx_type *t);

static duckdb_logical_type nested_type(const nx_type *t)
{
    if (t->kind == NX_LIST) {
        duckdb_logical_type child = logical_type(&t->fields[0].type);
        duckdb_logical_type list = duckdb_create_list_type(child);
        duckdb_destroy_logical_type(&child);
        return list;
    }
    duckdb_logical_type *types = calloc(t->n_fields + 1, sizeof *types);
    const char **names = calloc(t->n_fields + 1, sizeof *names);
    duckdb_logical_type ret = NULL;
    if (types != NULL && names != NULL) {
        for (size_t i = 0; i < t->n_fields; i++) {
            types[i] = logical_type(&t->fields[i].type);
            names[i] = t->fields[i].name;
        }
        ret = duckdb_create_struct_type(types, names, t->n_fields);
        for (size_t i = 0; i < t->n_fields; i++)
            duckdb_destroy_logical_type(&types[i]);
    }
    free(types);
    free(names);
    return ret;
}

static duckdb_logical_type logical_type(const nx_type *t)
{
    switch (t->kind) {
    case NX_BOOL:
        return duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    case NX_INT32:
        return duckdb_create_logical_type(DUCKDB_TYPE_INTEGER);
    case NX_INT64:
        return duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    case NX_DOUBLE:
        return duckdb_create_logical_type(DUCKDB_TYPE_DOUBLE);
    case NX_DECIMAL:
        return duckdb_create_decimal_type((uint8_t)t->precision, (uint8_t)t->scale);
    case NX_STRING:
        return duckdb_create_logical_type(DUCKDB_TYPE_VARCHAR);
    case NX_BINARY:
        return duckdb_create_logical_type(DUCKDB_TYPE_BLOB);
    case NX_DATE:
        return duckdb_create_logical_type(DUCKDB_TYPE_DATE);
    case NX_TIMESTAMP:
        return duckdb_create_logical_type(DUCKDB_TYPE_TIMESTAMP_TZ);
    case NX_LIST:
    case NX_STRUCT:
        return nested_type(t);
    }
    return NULL;
}

static void on_bind(duckdb_bind_info info)
{
    const nx_session *s = nx__current();
    nx__source *src = s == NULL ? NULL : s->source;
    if (src == NULL) {
        duckdb_bind_set_error(info, NX__SOURCE_FUNCTION "() is internal: it has no rows outside of a batch's writing");
        return;
    }
    for (size_t i = 0; i < src->n_fields; i++) {
        const nx_field *f = &src->b->schema->fields[src->fields[i]];
        duckdb_logical_type t = logical_type(&f->type);
        if (t == NULL) {
            duckdb_bind_set_error(info, "out of memory");
            return;
        }
        duckdb_bind_add_result_column(info, f->name, t);
        duckdb_destroy_logical_type(&t);
    }
    nx__source_turn(src);
    duckdb_bind_set_bind_data(info, src, NULL);
    duckdb_bind_set_cardinality(info, src->n_rows, true);
}

static void on_init(duckdb_init_info info)
{
    cursor *c = calloc(1, sizeof *c);
    if (c == NULL) {
        duckdb_init_set_error(info, "out of memory");
        return;
    }
    duckdb_init_set_init_data(info, c, free);
    duckdb_init_set_max_threads(info, 1);
}

/* ------------------------------------------------------------------ filling vectors */

/* n rows of a column: those picked by sel (then start counts in sel), else start, start + 1, … Written at vec[out…]. */
typedef struct span {
    const uint32_t *sel;
    size_t start, n, out;
} span;

static size_t row_of(const span *p, size_t i)
{
    return p->sel == NULL ? p->start + i : p->sel[p->start + i];
}

static void fill_validity(duckdb_vector vec, const nx_col *c, const span *p)
{
    if (c->n_nulls == 0)
        return;
    duckdb_vector_ensure_validity_writable(vec);
    uint64_t *bits = duckdb_vector_get_validity(vec);
    for (size_t i = 0; i < p->n; i++)
        duckdb_validity_set_row_validity(bits, p->out + i, !nx_col_is_null(c, row_of(p, i)));
}

static size_t width_of(nx_kind k)
{
    return k == NX_BOOL ? 1 : k == NX_INT32 || k == NX_DATE ? 4 : 8;
}

static void fill_fixed(duckdb_vector vec, const nx_col *c, const span *p, size_t width)
{
    char *to = (char *)duckdb_vector_get_data(vec) + p->out * width;
    const char *from = c->data;
    if (p->sel == NULL) {
        if (p->n > 0)
            memcpy(to, from + p->start * width, p->n * width);
        return;
    }
    for (size_t i = 0; i < p->n; i++)
        memcpy(to + i * width, from + row_of(p, i) * width, width);
}

static void fill_decimal(duckdb_vector vec, const nx_col *c, const span *p)
{
    int digits = c->type->precision;
    if (digits > 9) { /* int64 and hugeint have the bytes of our int64 and __int128 */
        fill_fixed(vec, c, p, digits > 18 ? 16 : 8);
        return;
    }
    void *to = duckdb_vector_get_data(vec);
    for (size_t i = 0; i < p->n; i++) {
        int64_t v = nx_col_get_i64(c, row_of(p, i));
        if (digits > 4)
            ((int32_t *)to)[p->out + i] = (int32_t)v;
        else
            ((int16_t *)to)[p->out + i] = (int16_t)v;
    }
}

static void fill_strings(duckdb_vector vec, const nx_col *c, const span *p)
{
    duckdb_string_t *to = (duckdb_string_t *)duckdb_vector_get_data(vec) + p->out;
    for (size_t i = 0; i < p->n; i++) {
        nx_str s = nx_col_get_str(c, row_of(p, i));
        duckdb_string_t t = {0};
        if (s.n <= sizeof t.value.inlined.inlined) {
            t.value.inlined.length = (uint32_t)s.n;
            if (s.n > 0)
                memcpy(t.value.inlined.inlined, s.p, s.n);
        } else { /* points into the batch, which outlives the statement */
            t.value.pointer.length = (uint32_t)s.n;
            memcpy(t.value.pointer.prefix, s.p, sizeof t.value.pointer.prefix);
            t.value.pointer.ptr = (char *)s.p;
        }
        to[i] = t;
    }
}

static bool fill(duckdb_vector vec, const nx_col *c, const span *p);

static bool fill_list(duckdb_vector vec, const nx_col *c, const span *p)
{
    size_t base = duckdb_list_vector_get_size(vec), total = base;
    for (size_t i = 0; i < p->n; i++)
        total += c->off[row_of(p, i) + 1] - c->off[row_of(p, i)];
    if (duckdb_list_vector_reserve(vec, total) != DuckDBSuccess ||
        duckdb_list_vector_set_size(vec, total) != DuckDBSuccess)
        return false;
    duckdb_list_entry *to = duckdb_vector_get_data(vec);
    duckdb_vector child = duckdb_list_vector_get_child(vec);
    for (size_t i = 0; i < p->n; i++) {
        size_t row = row_of(p, i), len = c->off[row + 1] - c->off[row];
        to[p->out + i] = (duckdb_list_entry){base, len};
        span one = {.start = c->off[row], .n = len, .out = base};
        if (p->sel != NULL && len > 0 && !fill(child, &c->child[0], &one))
            return false;
        base += len;
    }
    if (p->sel != NULL || p->n == 0)
        return true;
    span all = {.start = c->off[p->start], .n = c->off[p->start + p->n] - c->off[p->start], .out = total};
    all.out -= all.n;
    return fill(child, &c->child[0], &all);
}

static bool fill(duckdb_vector vec, const nx_col *c, const span *p)
{
    fill_validity(vec, c, p);
    switch (c->type->kind) {
    case NX_DECIMAL:
        fill_decimal(vec, c, p);
        return true;
    case NX_STRING:
    case NX_BINARY:
        fill_strings(vec, c, p);
        return true;
    case NX_LIST:
        return fill_list(vec, c, p);
    case NX_STRUCT:
        for (size_t i = 0; i < c->n_children; i++)
            if (!fill(duckdb_struct_vector_get_child(vec, i), &c->child[i], p))
                return false;
        return true;
    default:
        fill_fixed(vec, c, p, width_of(c->type->kind));
        return true;
    }
}

static void on_rows(duckdb_function_info info, duckdb_data_chunk out)
{
    nx__source *src = duckdb_function_get_bind_data(info);
    cursor *c = duckdb_function_get_init_data(info);
    nx__source_turn(src);
    size_t n = src->n_rows - c->at;
    if (n > duckdb_vector_size())
        n = duckdb_vector_size();
    span p = {.sel = src->rows, .start = c->at, .n = n};
    for (size_t i = 0; i < src->n_fields && n > 0; i++) {
        if (!fill(duckdb_data_chunk_get_vector(out, i), &src->b->cols[src->fields[i]], &p)) {
            duckdb_function_set_error(info, "out of memory");
            return;
        }
    }
    c->at += n;
    duckdb_data_chunk_set_size(out, n);
    nx__source_turn(src);
}

nx_status nx__source_register(duckdb_connection con, nx_err *err)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_table_function_set_name(f, NX__SOURCE_FUNCTION);
    duckdb_table_function_set_bind(f, on_bind);
    duckdb_table_function_set_init(f, on_init);
    duckdb_table_function_set_function(f, on_rows);
    duckdb_state state = duckdb_register_table_function(con, f);
    duckdb_destroy_table_function(&f);
    return state == DuckDBSuccess
               ? NX_OK
               : nx_fail(err, NX_INTERNAL, "could not set up the SQL engine: a function was refused");
}
