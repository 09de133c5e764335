/* The invariants of a batch, walked column by column. */
#include "data/batch.h"

#include "data/data_int.h"

static nx_status broken(nx_err *err, const nx_col *c, size_t row, const char *what)
{
    return nx_fail(err, NX_CORRUPT, "could not use the batch: column \"%s\", row %zu: %s", c->name, row, what);
}

static bool is_zero(const nx_col *c, size_t i)
{
    size_t width = nx__type_width(c->type);
    const char *p = (const char *)c->data + i * width;
    for (size_t k = 0; k < width; k++)
        if (p[k] != 0)
            return false;
    return true;
}

static nx_status check_offsets(const nx_col *c, nx_err *err)
{
    if (c->off[0] != 0)
        return broken(err, c, 0, "the first offset is not 0");
    for (size_t i = 0; i < c->n; i++) {
        if (c->off[i + 1] < c->off[i])
            return broken(err, c, i, "offsets fall");
        if (nx_col_is_null(c, i) && c->off[i + 1] != c->off[i])
            return broken(err, c, i, "a null has bytes or elements");
    }
    if (c->off[c->n] != (c->type->kind == NX_LIST ? c->child[0].n : c->heap_n))
        return broken(err, c, c->n, "bytes or elements beyond the last offset");
    return NX_OK;
}

static nx_status check_col(const nx_col *c, size_t n, nx_err *err);

static nx_status check_values(const nx_col *c, nx_err *err)
{
    switch (c->type->kind) {
    case NX_STRING:
    case NX_BINARY:
        NX_TRY(check_offsets(c, err));
        for (size_t i = 0; c->type->kind == NX_STRING && i < c->n; i++)
            if (!nx_utf8_valid(nx_col_get_str(c, i)))
                return broken(err, c, i, "the text is not UTF-8");
        return NX_OK;
    case NX_LIST:
        NX_TRY(check_offsets(c, err));
        return check_col(&c->child[0], c->off[c->n], err);
    case NX_STRUCT:
        for (size_t i = 0; i < c->n_children; i++)
            NX_TRY(check_col(&c->child[i], c->n, err));
        return NX_OK;
    default:
        for (size_t i = 0; i < c->n; i++)
            if (nx_col_is_null(c, i) && !is_zero(c, i))
                return broken(err, c, i, "a null has a value");
        return NX_OK;
    }
}

static nx_status check_col(const nx_col *c, size_t n, nx_err *err)
{
    if (c->n != n)
        return nx_fail(err, NX_CORRUPT, "could not use the batch: column \"%s\" has %zu rows, not %zu", c->name, c->n,
                       n);
    size_t nulls = 0;
    for (size_t i = 0; i < n; i++)
        nulls += nx_col_is_null(c, i);
    if (nulls != c->n_nulls)
        return broken(err, c, n, "the number of nulls is wrong");
    for (size_t i = n; i < c->cap; i++)
        if (!nx_col_is_null(c, i))
            return broken(err, c, i, "a bit is set beyond the last row");
    return check_values(c, err);
}

nx_status nx_batch_check(const nx_batch *b, nx_err *err)
{
    for (size_t i = 0; i < b->schema->n_fields; i++)
        NX_TRY(check_col(&b->cols[i], b->n, err));
    return NX_OK;
}
