/* The rows of a batch by partition value. */
#include <stdio.h>
#include <stdlib.h>

#include "data/decimal.h"
#include "data/time.h"
#include "lake/lake_int.h"

enum { COLUMNS_MAX = 64 };

static void bucket_drop(void *p)
{
    nx__bucket *b = p;
    free(b->rows);
    free(b);
}

/* Appends the value's text as the log wants it (facts: delta.md section 4). NX_NOTHING: null. */
static nx_status value_text(const nx_col *c, size_t i, nx_buf *b, nx_err *err)
{
    char out[64];
    size_t n = 0;
    if (nx_col_is_null(c, i))
        return NX_NOTHING;
    switch (c->type->kind) {
    case NX_STRING:
        if (nx_col_get_str(c, i).n == 0)
            return nx_fail(err, NX_CHECK_FAILED,
                           "partition column \"%s\" holds an empty text, which Delta cannot store", c->name);
        return nx_buf_add(b, nx_col_get_str(c, i));
    case NX_BOOL:
        return nx_buf_adds(b, ((const uint8_t *)c->data)[i] != 0 ? "true" : "false");
    case NX_INT32:
        return nx_buf_addf(b, "%d", nx_col_get_i32(c, i));
    case NX_INT64:
        return nx_buf_addf(b, "%lld", (long long)nx_col_get_i64(c, i));
    case NX_DATE:
        n = nx_date_format(nx_col_get_i32(c, i), out);
        break;
    case NX_TIMESTAMP: {
        int64_t us = nx_col_get_i64(c, i), s = us / 1000000, f = us % 1000000;
        if (f < 0) {
            s--;
            f += 1000000;
        }
        n = nx_time_format_us(s * 1000000, out); /* ends in Z */
        n = n - 1 + (size_t)snprintf(out + n - 1, sizeof out - n + 1, ".%06dZ", (int)f);
        break;
    }
    case NX_DECIMAL: {
        bool wide = c->type->precision > 18;
        n = nx_dec_format(wide ? ((const __int128 *)c->data)[i] : nx_col_get_i64(c, i), c->type->scale, out);
        break;
    }
    default:
        return nx_fail(err, NX_UNSUPPORTED, "column \"%s\" has a type that cannot partition a table", c->name);
    }
    return nx_buf_add(b, (nx_str){out, n});
}

static bool same_value(const nx_col *c, size_t i, size_t k)
{
    if (nx_col_is_null(c, i) || nx_col_is_null(c, k))
        return nx_col_is_null(c, i) && nx_col_is_null(c, k);
    switch (c->type->kind) {
    case NX_STRING:
        return nx_str_eq(nx_col_get_str(c, i), nx_col_get_str(c, k));
    case NX_INT32:
    case NX_DATE:
        return nx_col_get_i32(c, i) == nx_col_get_i32(c, k);
    case NX_INT64:
    case NX_TIMESTAMP:
        return nx_col_get_i64(c, i) == nx_col_get_i64(c, k);
    default:
        return false; /* found by its text */
    }
}

typedef struct splitter {
    const nx_batch *b;
    const nx__meta *meta;
    nx_arena *arena;
    size_t cols[COLUMNS_MAX]; /* batch columns of the table's partition columns */
    size_t n;
    nx_map buckets;
} splitter;

/* The bucket of row i: made when its value is new. */
static nx_status bucket_of(splitter *sp, size_t i, nx__bucket **ret, nx_err *err)
{
    nx_buf key NX_BUF_AUTO;
    nx_buf_init(&key, 0);
    size_t ends[COLUMNS_MAX];
    bool null[COLUMNS_MAX];
    for (size_t k = 0; k < sp->n; k++) {
        nx_status st = value_text(&sp->b->cols[sp->cols[k]], i, &key, err);
        null[k] = st == NX_NOTHING;
        if (st != NX_OK && st != NX_NOTHING)
            return st;
        ends[k] = key.n;
        NX_TRY(nx_buf_addc(&key, null[k] ? '\1' : '\0'));
    }
    *ret = nx_map_get(&sp->buckets, nx_buf_str(&key));
    if (*ret != NULL)
        return NX_OK;
    nx__bucket *b = calloc(1, sizeof *b);
    if (b == NULL || nx_map_set(&sp->buckets, nx_buf_str(&key), b) != NX_OK) {
        free(b);
        return nx_nomem(err);
    }
    b->pv = NX_ARENA_ARRAY(sp->arena, nx__pair, sp->n + 1);
    for (size_t k = 0; b->pv != NULL && k < sp->n; k++) {
        size_t from = k == 0 ? 0 : ends[k - 1] + 1;
        const char *name = nx_arena_dup(sp->arena, sp->meta->part[k]);
        const char *text = nx_arena_dup(sp->arena, nx_str_sub(nx_buf_str(&key), from, ends[k]));
        if (name == NULL || text == NULL)
            return nx_nomem(err);
        b->pv[k] = (nx__pair){nx_str_of(name), null[k] ? (nx_str){NULL, 0} : (nx_str){text, ends[k] - from}};
    }
    *ret = b;
    return b->pv != NULL ? NX_OK : nx_nomem(err);
}

static bool same_as_before(const splitter *sp, size_t i)
{
    for (size_t k = 0; k < sp->n; k++)
        if (!same_value(&sp->b->cols[sp->cols[k]], i, i - 1))
            return false;
    return true;
}

static nx_status split(splitter *sp, nx_err *err)
{
    size_t alike = sp->b->n > 0; /* rows from the first on that have its value: mostly all */
    nx__bucket *at = NULL;
    while (alike < sp->b->n && same_as_before(sp, alike))
        alike++;
    if (alike == sp->b->n)
        return alike == 0 ? NX_OK : bucket_of(sp, 0, &at, err);
    for (size_t i = 0; i < sp->b->n; i++) {
        if (i == 0 || (i >= alike && !same_as_before(sp, i)))
            NX_TRY(bucket_of(sp, i, &at, err));
        if (!nx_grow(&at->rows, &at->cap, at->n + 1, sizeof *at->rows))
            return nx_nomem(err);
        at->rows[at->n++] = (uint32_t)i;
    }
    return NX_OK;
}

nx_status nx__split(const nx_table *t, const nx__meta *m, const nx_batch *b, nx_arena *a, nx__bucket_fn fn, void *ctx,
                    nx_err *err)
{
    splitter sp = {.b = b, .meta = m, .arena = a, .n = m->n_part};
    if (sp.n > COLUMNS_MAX)
        return nx_fail(err, NX_UNSUPPORTED, "table %s has %zu partition columns", t->name, sp.n);
    for (size_t k = 0; k < sp.n; k++)
        sp.cols[k] = nx_schema_find(b->schema, m->part[k]);
    nx_map_init(&sp.buckets, bucket_drop);
    nx_status st = split(&sp, err);
    nx_map_entry *e;
    for (size_t i = 0; st == NX_OK && (e = nx_map_next(&sp.buckets, &i)) != NULL;)
        st = fn(ctx, e->value, sp.cols, sp.n, err);
    nx_map_drop(&sp.buckets);
    return st;
}
