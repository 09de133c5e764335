/* data/batch.h
 *
 * A column batch: rows of one schema, a column at a time. The decoder appends into it, the lake writes it out.
 *
 *   fixed width   data[n] of the C type of its kind (data/type.h)
 *   string, bin   off[n + 1] into heap
 *   list          off[n + 1] into child[0]
 *   struct        child[0..n_children), each with n rows; valid bits of the struct itself beside
 *   valid         one bit a row, 1 = present, word i / 64, bit i % 64; rows that are null hold zero bytes in data
 *
 * Invariants (checked by nx_batch_check in tests): every column has the batch's number of rows after
 * nx_batch_end_row(); off[0] = 0, off never falls; strings are valid UTF-8 (the writer's duty).
 * Memory   Grows by doubling to row_max rows and heap_max bytes a column, then NX_LIMIT. data, valid, off and heap are
 *          never NULL where the kind has them, also with no rows.
 * Thread   One owner at a time.
 */
#ifndef NX_DATA_BATCH_H
#define NX_DATA_BATCH_H

#include "data/type.h"

typedef struct nx_col nx_col;
struct nx_col {
    const nx_type *type;
    const char *name;
    size_t n, cap;  /* rows */
    size_t cap_max; /* row_max; elements of lists: what fits heap_max bytes */
    size_t n_nulls;
    uint64_t *valid;
    void *data;    /* fixed width kinds */
    uint32_t *off; /* NX_STRING, NX_BINARY, NX_LIST */
    char *heap;    /* NX_STRING, NX_BINARY */
    size_t heap_n, heap_cap;
    nx_col *child; /* NX_LIST: 1, NX_STRUCT: n_children */
    size_t n_children;
};

typedef struct nx_batch {
    const nx_schema *schema; /* borrowed: outlives the batch */
    nx_col *cols;            /* schema->n_fields */
    size_t n;                /* finished rows */
    size_t row_max, heap_max;
} nx_batch;

/* row_max 0 means 1 million; heap_max 0 means 256 MiB, the most is 4 GiB - 1. */
NX_MUST_USE nx_status nx_batch_init(nx_batch *b, const nx_schema *schema, size_t row_max, size_t heap_max);
void nx_batch_drop(nx_batch *b);
void nx_batch_clear(nx_batch *b); /* no rows; keeps the memory */

/* Makes room for one more row in a column (what the functions below do when it is full). NX_NOMEM or NX_LIMIT. */
NX_MUST_USE nx_status nx_col_grow(const nx_batch *b, nx_col *c);
/* Makes room for n more bytes in the heap of a string or binary column. */
NX_MUST_USE nx_status nx_col_grow_heap(const nx_batch *b, nx_col *c, size_t n);

/* Append one value to a column; the caller appends exactly one to each column, then ends the row. All fail only with
 * NX_NOMEM or NX_LIMIT; nx_batch_truncate() takes the begun row back. Inline: the decoder spends its time here. */
#define NX_COL_APPEND(b, c, ctype, v)                                                                                  \
    do {                                                                                                               \
        if (NX_UNLIKELY((c)->n == (c)->cap))                                                                           \
            NX_TRY(nx_col_grow((b), (c)));                                                                             \
        ((ctype *)(c)->data)[(c)->n] = (v);                                                                            \
        (c)->valid[(c)->n >> 6] |= UINT64_C(1) << ((c)->n & 63);                                                       \
        (c)->n++;                                                                                                      \
        return NX_OK;                                                                                                  \
    } while (0)

NX_MUST_USE nx_status nx_col_null(nx_batch *b, nx_col *c);
NX_MUST_USE static inline nx_status nx_col_bool(nx_batch *b, nx_col *c, bool v)
{
    NX_COL_APPEND(b, c, uint8_t, v);
}
/* NX_INT32, NX_DATE */
NX_MUST_USE static inline nx_status nx_col_i32(nx_batch *b, nx_col *c, int32_t v)
{
    NX_COL_APPEND(b, c, int32_t, v);
}
/* NX_INT64, NX_TIMESTAMP, NX_DECIMAL up to 18 digits */
NX_MUST_USE static inline nx_status nx_col_i64(nx_batch *b, nx_col *c, int64_t v)
{
    NX_COL_APPEND(b, c, int64_t, v);
}
/* NX_DECIMAL over 18 digits */
NX_MUST_USE static inline nx_status nx_col_i128(nx_batch *b, nx_col *c, __int128 v)
{
    NX_COL_APPEND(b, c, __int128, v);
}
NX_MUST_USE static inline nx_status nx_col_f64(nx_batch *b, nx_col *c, double v)
{
    NX_COL_APPEND(b, c, double, v);
}
/* NX_STRING, NX_BINARY */
NX_MUST_USE static inline nx_status nx_col_str(nx_batch *b, nx_col *c, nx_str v)
{
    if (NX_UNLIKELY(c->n == c->cap))
        NX_TRY(nx_col_grow(b, c));
    if (NX_UNLIKELY(v.n > c->heap_cap - c->heap_n))
        NX_TRY(nx_col_grow_heap(b, c, v.n));
    if (v.n > 0)
        memcpy(c->heap + c->heap_n, v.p, v.n);
    c->heap_n += v.n;
    c->off[c->n + 1] = (uint32_t)c->heap_n;
    c->valid[c->n >> 6] |= UINT64_C(1) << (c->n & 63);
    c->n++;
    return NX_OK;
}
/* A list value: append the elements to c->child[0] first, then close the value. */
NX_MUST_USE nx_status nx_col_list_end(nx_batch *b, nx_col *c);
/* A struct value: append one value to each child first, then close it. nx_col_null on a struct appends nulls to its
 * children. */
NX_MUST_USE nx_status nx_col_struct_end(nx_batch *b, nx_col *c);
static inline void nx_batch_end_row(nx_batch *b)
{
    b->n++;
}
/* Drops everything appended after the last finished row, or back to row n (n <= b->n). */
void nx_batch_truncate(nx_batch *b, size_t n);

static inline bool nx_col_is_null(const nx_col *c, size_t i)
{
    return (c->valid[i >> 6] >> (i & 63) & 1) == 0;
}
static inline nx_str nx_col_get_str(const nx_col *c, size_t i)
{
    return (nx_str){c->heap + c->off[i], c->off[i + 1] - c->off[i]};
}
static inline int64_t nx_col_get_i64(const nx_col *c, size_t i)
{
    return ((const int64_t *)c->data)[i];
}
static inline int32_t nx_col_get_i32(const nx_col *c, size_t i)
{
    return ((const int32_t *)c->data)[i];
}
/* Bytes of the values in all columns, without what is allocated ahead (for limits and metrics). */
size_t nx_batch_bytes(const nx_batch *b);
/* NX_CORRUPT names the broken invariant. */
NX_MUST_USE nx_status nx_batch_check(const nx_batch *b, nx_err *err);

#endif
