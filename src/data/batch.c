#include "data/batch.h"

#include <assert.h>
#include <stdlib.h>

#include "data/data_int.h"

enum { ROWS_FIRST = 64, HEAP_FIRST = 64 };

size_t nx__type_width(const nx_type *t)
{
    switch (t->kind) {
    case NX_BOOL:
        return 1;
    case NX_INT32:
    case NX_DATE:
        return 4;
    case NX_INT64:
    case NX_DOUBLE:
    case NX_TIMESTAMP:
        return 8;
    case NX_DECIMAL:
        return t->precision <= 18 ? 8 : 16;
    case NX_STRING:
    case NX_BINARY:
    case NX_LIST:
    case NX_STRUCT:
        break;
    }
    return 0;
}

static bool has_heap(const nx_col *c)
{
    return c->type->kind == NX_STRING || c->type->kind == NX_BINARY;
}

static bool has_off(const nx_col *c)
{
    return has_heap(c) || c->type->kind == NX_LIST;
}

/* Resizes one array; leaves it alone on failure. */
static bool resize(void *p_of_p, size_t n, size_t size)
{
    void *old;
    size_t bytes;
    memcpy(&old, p_of_p, sizeof old);
    if (__builtin_mul_overflow(n, size, &bytes))
        return false;
    void *p = realloc(old, bytes);
    if (p == NULL)
        return false;
    memcpy(p_of_p, &p, sizeof p);
    return true;
}

nx_status nx_col_grow(const nx_batch *b, nx_col *c)
{
    (void)b;
    if (c->cap >= c->cap_max)
        return NX_LIMIT;
    size_t cap = c->cap == 0 ? ROWS_FIRST : c->cap * 2;
    if (cap > c->cap_max)
        cap = c->cap_max;
    size_t width = nx__type_width(c->type), words = (cap + 63) / 64, old_words = (c->cap + 63) / 64;
    if ((width > 0 && !resize(&c->data, cap, width)) || (has_off(c) && !resize(&c->off, cap + 1, sizeof *c->off)) ||
        !resize(&c->valid, words, sizeof *c->valid))
        return NX_NOMEM;
    memset(c->valid + old_words, 0, (words - old_words) * sizeof *c->valid);
    if (has_off(c) && c->cap == 0)
        c->off[0] = 0;
    c->cap = cap;
    return NX_OK;
}

nx_status nx_col_grow_heap(const nx_batch *b, nx_col *c, size_t n)
{
    if (n > b->heap_max || c->heap_n > b->heap_max - n)
        return NX_LIMIT;
    size_t need = c->heap_n + n, cap = c->heap_cap < HEAP_FIRST ? HEAP_FIRST : c->heap_cap;
    while (cap < need)
        cap *= 2;
    if (cap > b->heap_max && need <= b->heap_max)
        cap = b->heap_max;
    if (!resize(&c->heap, cap, 1))
        return NX_NOMEM;
    c->heap_cap = cap;
    return NX_OK;
}

static nx_status init_cols(const nx_batch *b, nx_col **ret, size_t *ret_n, const nx_field *f, size_t n, size_t cap_max)
{
    nx_col *cols = calloc(n == 0 ? 1 : n, sizeof *cols);
    if (cols == NULL)
        return NX_NOMEM;
    *ret = cols; /* from here on nx_batch_drop frees what is there */
    *ret_n = n;
    for (size_t i = 0; i < n; i++) {
        nx_col *c = &cols[i];
        c->type = &f[i].type;
        c->name = f[i].name;
        size_t width = nx__type_width(c->type);
        c->cap_max = cap_max > 0 ? cap_max : b->heap_max / (width == 0 ? sizeof(uint32_t) : width);
        NX_TRY(nx_col_grow(b, c));
        if (has_heap(c))
            NX_TRY(nx_col_grow_heap(b, c, 0));
        if (c->type->n_fields > 0)
            NX_TRY(init_cols(b, &c->child, &c->n_children, c->type->fields, c->type->n_fields,
                             c->type->kind == NX_LIST ? 0 : c->cap_max));
    }
    return NX_OK;
}

nx_status nx_batch_init(nx_batch *b, const nx_schema *schema, size_t row_max, size_t heap_max)
{
    *b = (nx_batch){.schema = schema};
    b->row_max = row_max == 0 ? 1000000 : row_max;
    b->heap_max = heap_max == 0 ? (size_t)256 << 20 : heap_max < UINT32_MAX ? heap_max : UINT32_MAX;
    if (b->heap_max < HEAP_FIRST)
        b->heap_max = HEAP_FIRST;
    size_t n;
    nx_status st = init_cols(b, &b->cols, &n, schema->fields, schema->n_fields, b->row_max);
    if (st != NX_OK)
        nx_batch_drop(b);
    return st;
}

static void drop_cols(nx_col *cols, size_t n)
{
    for (size_t i = 0; cols != NULL && i < n; i++) {
        drop_cols(cols[i].child, cols[i].n_children);
        free(cols[i].valid);
        free(cols[i].data);
        free(cols[i].off);
        free(cols[i].heap);
    }
    free(cols);
}

void nx_batch_drop(nx_batch *b)
{
    if (b->schema != NULL)
        drop_cols(b->cols, b->schema->n_fields);
    *b = (nx_batch){0};
}

nx_status nx_col_null(nx_batch *b, nx_col *c)
{
    if (NX_UNLIKELY(c->n == c->cap))
        NX_TRY(nx_col_grow(b, c));
    size_t width = nx__type_width(c->type);
    if (width > 0)
        memset((char *)c->data + c->n * width, 0, width);
    if (has_off(c))
        c->off[c->n + 1] = c->off[c->n];
    if (c->type->kind == NX_STRUCT)
        for (size_t i = 0; i < c->n_children; i++)
            NX_TRY(nx_col_null(b, &c->child[i]));
    c->n_nulls++;
    c->n++; /* bits past the last row are 0 already */
    return NX_OK;
}

static nx_status end_nested(nx_batch *b, nx_col *c)
{
    if (NX_UNLIKELY(c->n == c->cap))
        NX_TRY(nx_col_grow(b, c));
    c->valid[c->n >> 6] |= UINT64_C(1) << (c->n & 63);
    c->n++;
    return NX_OK;
}

nx_status nx_col_list_end(nx_batch *b, nx_col *c)
{
    assert(c->type->kind == NX_LIST);
    NX_TRY(end_nested(b, c));
    c->off[c->n] = (uint32_t)c->child[0].n;
    return NX_OK;
}

nx_status nx_col_struct_end(nx_batch *b, nx_col *c)
{
    assert(c->type->kind == NX_STRUCT);
    return end_nested(b, c);
}

/* Back to n rows; a nested value that was begun and not closed goes too. */
static void truncate_col(nx_col *c, size_t n)
{
    if (c->n > n) {
        for (size_t i = n; n > 0 && i < c->n; i++)
            c->n_nulls -= nx_col_is_null(c, i);
        if (n == 0)
            c->n_nulls = 0; /* nx_batch_clear: no need to count */
        size_t word = n >> 6, last = (c->n - 1) >> 6;
        c->valid[word] &= (UINT64_C(1) << (n & 63)) - 1;
        for (size_t w = word + 1; w <= last; w++)
            c->valid[w] = 0;
        c->n = n;
    }
    if (has_heap(c))
        c->heap_n = c->off[n];
    for (size_t i = 0; i < c->n_children; i++)
        truncate_col(&c->child[i], c->type->kind == NX_LIST ? c->off[n] : n);
}

void nx_batch_truncate(nx_batch *b, size_t n)
{
    assert(n <= b->n);
    for (size_t i = 0; i < b->schema->n_fields; i++)
        truncate_col(&b->cols[i], n);
    b->n = n;
}

void nx_batch_clear(nx_batch *b)
{
    nx_batch_truncate(b, 0);
}

static size_t col_bytes(const nx_col *c)
{
    size_t n =
        c->n * nx__type_width(c->type) + (c->n + 7) / 8 + c->heap_n + (has_off(c) ? (c->n + 1) * sizeof *c->off : 0);
    for (size_t i = 0; i < c->n_children; i++)
        n += col_bytes(&c->child[i]);
    return n;
}

size_t nx_batch_bytes(const nx_batch *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->schema->n_fields; i++)
        n += col_bytes(&b->cols[i]);
    return n;
}
