/* pg/pg_value.c - values of a column in PostgreSQL's binary format (the receive functions of its types). */
#include <math.h>

#include "base/hash.h"
#include "data/decimal.h"
#include "data/json.h"
#include "data/time.h"
#include "pg/pg_int.h"

enum { DAYS_TO_2000 = 10957, NUMERIC_BASE_DIGITS = 4, NUMERIC_NEGATIVE = 0x4000, JSONB_VERSION = 1 };
static const int64_t US_TO_2000 = (int64_t)DAYS_TO_2000 * 86400 * 1000000;

static nx_status put_be(nx_buf *b, uint64_t v, int bytes)
{
    char out[8];
    for (int i = 0; i < bytes; i++)
        out[i] = (char)(v >> (8 * (bytes - 1 - i)));
    return nx_buf_add(b, (nx_str){out, (size_t)bytes});
}

static nx_status put_bytes(nx_buf *b, nx_str s)
{
    if (s.n > INT32_MAX)
        return NX_LIMIT;
    NX_TRY(put_be(b, s.n, 4));
    return nx_buf_add(b, s);
}

/* Leaves room for a length; end_sized fills it in. */
static nx_status begin_sized(nx_buf *b, size_t *ret_at)
{
    *ret_at = b->n;
    return put_be(b, 0, 4);
}

static nx_status end_sized(nx_buf *b, size_t at)
{
    size_t n = b->n - at - 4;
    if (n > INT32_MAX)
        return NX_LIMIT;
    for (int i = 0; i < 4; i++)
        b->p[at + (size_t)i] = (char)(n >> (8 * (3 - i)));
    return NX_OK;
}

static __int128 unscaled(const nx_col *c, size_t row)
{
    if (c->type->precision <= 18)
        return nx_col_get_i64(c, row);
    __int128 v;
    memcpy(&v, (const char *)c->data + row * sizeof v, sizeof v);
    return v;
}

/* ------------------------------------------------------------------ numeric */

/* numeric: digits in base 10000, the first worth 10000^weight; sign; the scale to show. */
static nx_status put_numeric(nx_buf *b, __int128 value, int scale)
{
    unsigned __int128 u = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    int pad =
        (NUMERIC_BASE_DIGITS - scale % NUMERIC_BASE_DIGITS) % NUMERIC_BASE_DIGITS; /* zeros behind the last digit */
    uint16_t groups[12] = {0};                                                     /* the lowest first */
    int n = 0, low = pad, unit = 1;
    for (int i = 0; i < pad; i++)
        unit *= 10;
    while (u != 0) { /* 39 digits and 3 zeros at most: 11 groups */
        groups[n] = (uint16_t)(groups[n] + (int)(u % 10) * unit);
        u /= 10;
        unit *= 10;
        if (++low == NUMERIC_BASE_DIGITS) {
            low = 0;
            unit = 1;
            n++;
        }
    }
    if (low != 0 && groups[n] != 0)
        n++;
    int fraction = (scale + pad) / NUMERIC_BASE_DIGITS, first = n - 1, last = 0;
    while (first >= 0 && groups[first] == 0)
        first--;
    while (last <= first && groups[last] == 0)
        last++;
    int count = first < 0 ? 0 : first - last + 1;
    NX_TRY(put_be(b, (uint64_t)(8 + 2 * count), 4));
    NX_TRY(put_be(b, (uint64_t)count, 2));
    NX_TRY(put_be(b, (uint64_t)(uint16_t)(count == 0 ? 0 : first - fraction), 2));
    NX_TRY(put_be(b, value < 0 ? NUMERIC_NEGATIVE : 0, 2));
    NX_TRY(put_be(b, (uint64_t)scale, 2));
    for (int i = first; i >= last && count > 0; i--)
        NX_TRY(put_be(b, groups[i], 2));
    return NX_OK;
}

/* ------------------------------------------------------------------ scalars */

/* The engine's infinities are ± the largest value; PostgreSQL's are the largest and the smallest. */
static nx_status put_date(nx_buf *b, int32_t days)
{
    int32_t v = days;
    if (days == -INT32_MAX)
        v = INT32_MIN;
    else if (days != INT32_MAX && __builtin_sub_overflow(days, DAYS_TO_2000, &v))
        return NX_INVALID;
    NX_TRY(put_be(b, 4, 4));
    return put_be(b, (uint32_t)v, 4);
}

static nx_status put_instant(nx_buf *b, int64_t us)
{
    int64_t v = us;
    if (us == -INT64_MAX)
        v = INT64_MIN;
    else if (us != INT64_MAX && __builtin_sub_overflow(us, US_TO_2000, &v))
        return NX_INVALID;
    NX_TRY(put_be(b, 8, 4));
    return put_be(b, (uint64_t)v, 8);
}

static nx_status put_scalar(nx_buf *b, const nx_col *c, size_t row)
{
    switch (c->type->kind) {
    case NX_BOOL:
        NX_TRY(put_be(b, 1, 4));
        return put_be(b, ((const uint8_t *)c->data)[row], 1);
    case NX_INT32:
        NX_TRY(put_be(b, 4, 4));
        return put_be(b, (uint32_t)nx_col_get_i32(c, row), 4);
    case NX_INT64:
        NX_TRY(put_be(b, 8, 4));
        return put_be(b, (uint64_t)nx_col_get_i64(c, row), 8);
    case NX_DOUBLE:
        NX_TRY(put_be(b, 8, 4));
        return put_be(b, (uint64_t)nx_col_get_i64(c, row), 8); /* its bits */
    case NX_DECIMAL:
        return put_numeric(b, unscaled(c, row), c->type->scale);
    case NX_STRING: {
        nx_str s = nx_col_get_str(c, row);
        if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
            return NX_INVALID;
        return put_bytes(b, s);
    }
    case NX_BINARY:
        return put_bytes(b, nx_col_get_str(c, row));
    case NX_DATE:
        return put_date(b, nx_col_get_i32(c, row));
    case NX_TIMESTAMP:
        return put_instant(b, nx_col_get_i64(c, row));
    default:
        return NX_INTERNAL;
    }
}

/* ------------------------------------------------------------------ arrays and JSON */

static uint32_t element_oid(nx_kind k)
{
    static const uint32_t oids[] = {
        [NX_BOOL] = 16,   [NX_INT32] = 23,  [NX_INT64] = 20,  [NX_DOUBLE] = 701,     [NX_DECIMAL] = 1700,
        [NX_STRING] = 25, [NX_BINARY] = 17, [NX_DATE] = 1082, [NX_TIMESTAMP] = 1184,
    };
    return oids[k];
}

static nx_status put_array(nx_buf *b, const nx_col *c, size_t row)
{
    const nx_col *e = &c->child[0];
    size_t from = c->off[row], to = c->off[row + 1], at;
    bool nulls = false;
    for (size_t i = from; i < to && !nulls; i++)
        nulls = nx_col_is_null(e, i);
    NX_TRY(begin_sized(b, &at));
    NX_TRY(put_be(b, to > from ? 1 : 0, 4));
    NX_TRY(put_be(b, nulls ? 1 : 0, 4));
    NX_TRY(put_be(b, element_oid(e->type->kind), 4));
    if (to > from) {
        NX_TRY(put_be(b, to - from, 4));
        NX_TRY(put_be(b, 1, 4)); /* counts from 1 */
    }
    for (size_t i = from; i < to; i++)
        NX_TRY(nx__pg_put_value(b, e, i));
    return end_sized(b, at);
}

static nx_status put_json(nx_buf *b, const nx_col *c, size_t row);

static nx_status json_double(nx_buf *b, double v)
{
    nx_jw w;
    nx_jw_begin(&w, b);
    nx_jw_f64(&w, v); /* NaN and infinities are no JSON: null */
    return nx_jw_end(&w);
}

static nx_status json_list(nx_buf *b, const nx_col *c, size_t row)
{
    NX_TRY(nx_buf_addc(b, '['));
    for (size_t i = c->off[row]; i < c->off[row + 1]; i++) {
        NX_TRY(nx_buf_adds(b, i == c->off[row] ? "" : ","));
        NX_TRY(put_json(b, &c->child[0], i));
    }
    return nx_buf_addc(b, ']');
}

static nx_status json_struct(nx_buf *b, const nx_col *c, size_t row)
{
    NX_TRY(nx_buf_addc(b, '{'));
    for (size_t i = 0; i < c->n_children; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ","));
        NX_TRY(nx_buf_quote(b, nx_str_of(c->type->fields[i].name)));
        NX_TRY(nx_buf_addc(b, ':'));
        NX_TRY(put_json(b, &c->child[i], row));
    }
    return nx_buf_addc(b, '}');
}

static nx_status json_binary(nx_buf *b, nx_str s)
{
    NX_TRY(nx_buf_addc(b, '"'));
    NX_TRY(nx_base64_encode(b, s.p, s.n));
    return nx_buf_addc(b, '"');
}

static nx_status put_json(nx_buf *b, const nx_col *c, size_t row)
{
    char text[48];
    size_t n = 0;
    if (nx_col_is_null(c, row))
        return nx_buf_adds(b, "null");
    switch (c->type->kind) {
    case NX_BOOL:
        return nx_buf_adds(b, ((const uint8_t *)c->data)[row] != 0 ? "true" : "false");
    case NX_INT32:
        return nx_buf_addf(b, "%d", (int)nx_col_get_i32(c, row));
    case NX_INT64:
        return nx_buf_addf(b, "%lld", (long long)nx_col_get_i64(c, row));
    case NX_DOUBLE:
        return json_double(b, ((const double *)c->data)[row]);
    case NX_DECIMAL:
        n = nx_dec_format(unscaled(c, row), c->type->scale, text);
        return nx_buf_add(b, (nx_str){text, n});
    case NX_STRING:
        return nx_buf_quote(b, nx_col_get_str(c, row));
    case NX_BINARY:
        return json_binary(b, nx_col_get_str(c, row));
    case NX_DATE:
        n = nx_date_format(nx_col_get_i32(c, row), text);
        return nx_buf_quote(b, (nx_str){text, n});
    case NX_TIMESTAMP:
        n = nx_time_format_us(nx_col_get_i64(c, row), text);
        return nx_buf_quote(b, (nx_str){text, n});
    case NX_LIST:
        return json_list(b, c, row);
    case NX_STRUCT:
        return json_struct(b, c, row);
    }
    return NX_INTERNAL;
}

nx_status nx__pg_put_value(nx_buf *b, const nx_col *c, size_t row)
{
    if (nx_col_is_null(c, row))
        return put_be(b, UINT32_MAX, 4);
    switch (nx__pg_form_of(c->type)) {
    case NX__PG_SCALAR:
        return put_scalar(b, c, row);
    case NX__PG_ARRAY:
        return put_array(b, c, row);
    case NX__PG_JSONB:
        break;
    }
    size_t at;
    NX_TRY(begin_sized(b, &at));
    NX_TRY(put_be(b, JSONB_VERSION, 1));
    NX_TRY(put_json(b, c, row));
    return end_sized(b, at);
}
