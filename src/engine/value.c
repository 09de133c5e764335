/* engine/value.c - values of materialised results as texts, JSON and numbers. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "data/decimal.h"
#include "data/json.h"
#include "data/time.h"
#include "engine/engine_int.h"

enum { US_A_SECOND = 1000000 };

static nx_str string_at(const void *data, size_t at)
{
    duckdb_string_t *s = (duckdb_string_t *)data + at;
    return (nx_str){duckdb_string_t_data(s), duckdb_string_t_length(*s)};
}

static __int128 huge_of(duckdb_hugeint h)
{
    return (__int128)(((unsigned __int128)(uint64_t)h.upper << 64) | h.lower);
}

static bool read_int(duckdb_type id, const void *data, size_t at, __int128 *ret)
{
    switch (id) {
    case DUCKDB_TYPE_BOOLEAN:
    case DUCKDB_TYPE_UTINYINT:
        *ret = ((const uint8_t *)data)[at];
        return true;
    case DUCKDB_TYPE_TINYINT:
        *ret = ((const int8_t *)data)[at];
        return true;
    case DUCKDB_TYPE_SMALLINT:
        *ret = ((const int16_t *)data)[at];
        return true;
    case DUCKDB_TYPE_INTEGER:
        *ret = ((const int32_t *)data)[at];
        return true;
    case DUCKDB_TYPE_BIGINT:
        *ret = ((const int64_t *)data)[at];
        return true;
    case DUCKDB_TYPE_USMALLINT:
        *ret = ((const uint16_t *)data)[at];
        return true;
    case DUCKDB_TYPE_UINTEGER:
        *ret = ((const uint32_t *)data)[at];
        return true;
    case DUCKDB_TYPE_UBIGINT:
        *ret = ((const uint64_t *)data)[at];
        return true;
    case DUCKDB_TYPE_HUGEINT:
        *ret = huge_of(((const duckdb_hugeint *)data)[at]);
        return true;
    default:
        return false;
    }
}

bool nx__cell_int(const nx__vtype *v, const void *data, size_t at, __int128 *ret)
{
    return read_int(v->id == DUCKDB_TYPE_DECIMAL ? v->store : v->id, data, at, ret);
}

/* ------------------------------------------------------------------ texts of scalars */

/* "HH:MM:SS" and as many fraction digits as are not zero. unit: parts of a second. */
static nx_status put_clock(nx_buf *b, int64_t parts, int64_t unit, int digits)
{
    int64_t s = parts / unit, f = parts % unit;
    NX_TRY(nx_buf_addf(b, "%02" PRId64 ":%02" PRId64 ":%02" PRId64, s / 3600, s / 60 % 60, s % 60));
    if (f == 0)
        return NX_OK;
    while (f % 10 == 0) {
        f /= 10;
        digits--;
    }
    return nx_buf_addf(b, ".%0*" PRId64, digits, f);
}

static nx_status put_date(nx_buf *b, int32_t days)
{
    if (days == INT32_MAX || days == -INT32_MAX)
        return nx_buf_adds(b, days > 0 ? "infinity" : "-infinity");
    nx_civil c = nx_civil_of(days);
    if (c.year > 0)
        return nx_buf_addf(b, "%04d-%02d-%02d", c.year, c.month, c.day);
    return nx_buf_addf(b, "%04d-%02d-%02d (BC)", 1 - c.year, c.month, c.day);
}

static nx_status put_instant(const nx__vtype *v, const void *data, size_t at, bool json, nx_buf *b)
{
    int64_t t = ((const int64_t *)data)[at];
    if (t == INT64_MAX || t == -INT64_MAX)
        return nx_buf_adds(b, t > 0 ? "infinity" : "-infinity");
    int64_t unit = US_A_SECOND;
    int digits = 6;
    if (v->id == DUCKDB_TYPE_TIMESTAMP_S) {
        unit = 1;
        digits = 0;
    } else if (v->id == DUCKDB_TYPE_TIMESTAMP_MS) {
        unit = 1000;
        digits = 3;
    } else if (v->id == DUCKDB_TYPE_TIMESTAMP_NS) {
        unit = 1000000000;
        digits = 9;
    }
    int64_t day = unit * 86400, days = t / day, rest = t % day;
    if (rest < 0) {
        rest += day;
        days--;
    }
    if (days > INT32_MAX || days < INT32_MIN)
        return nx_buf_addf(b, "%" PRId64, t);
    NX_TRY(put_date(b, (int32_t)days));
    NX_TRY(nx_buf_addc(b, json ? 'T' : ' '));
    NX_TRY(put_clock(b, rest, unit, digits));
    if (json)
        return nx_buf_addc(b, 'Z');
    return nx_buf_adds(b, v->id == DUCKDB_TYPE_TIMESTAMP_TZ ? "+00" : "");
}

static nx_status put_interval(nx_buf *b, duckdb_interval i)
{
    const struct {
        int32_t n;
        const char *unit;
    } parts[] = {{i.months / 12, "year"}, {i.months % 12, "month"}, {i.days, "day"}};
    const char *gap = "";
    for (size_t k = 0; k < NX_COUNT_OF(parts); k++) {
        if (parts[k].n == 0)
            continue;
        NX_TRY(nx_buf_addf(b, "%s%d %s%s", gap, parts[k].n, parts[k].unit,
                           parts[k].n == 1 || parts[k].n == -1 ? "" : "s"));
        gap = " ";
    }
    if (i.micros == 0)
        return *gap == '\0' ? nx_buf_adds(b, "00:00:00") : NX_OK;
    NX_TRY(nx_buf_addf(b, "%s%s", gap, i.micros < 0 ? "-" : ""));
    return put_clock(b, i.micros < 0 ? -i.micros : i.micros, US_A_SECOND, 6);
}

static nx_status put_uuid(nx_buf *b, duckdb_hugeint h)
{
    uint64_t hi = (uint64_t)h.upper ^ (uint64_t)1 << 63; /* kept with the top bit flipped, so that it sorts as text */
    return nx_buf_addf(b, "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, hi >> 32,
                       hi >> 16 & 0xffff, hi & 0xffff, h.lower >> 48, h.lower & 0xffffffffffff);
}

static nx_status put_unsigned(nx_buf *b, duckdb_uhugeint h)
{
    unsigned __int128 u = (unsigned __int128)h.upper << 64 | h.lower;
    char text[40];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + (int)(u % 10));
        u /= 10;
    } while (u != 0);
    return nx_buf_add(b, (nx_str){text + at, sizeof text - at});
}

static nx_status put_double(nx_buf *b, double d, bool single)
{
    if (isnan(d))
        return nx_buf_adds(b, "nan");
    if (isinf(d))
        return nx_buf_adds(b, d > 0 ? "inf" : "-inf");
    char text[40];
    for (int digits = single ? 6 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        double back;
        if (sscanf(text, "%lf", &back) == 1 && (single ? (float)back == (float)d : back == d))
            break;
    }
    NX_TRY(nx_buf_adds(b, text));
    return strpbrk(text, ".e") == NULL ? nx_buf_adds(b, ".0") : NX_OK;
}

static nx_status put_hex(nx_buf *b, nx_str s)
{
    NX_TRY(nx_buf_reserve(b, s.n * 2));
    for (size_t i = 0; i < s.n; i++)
        NX_TRY(nx_buf_addf(b, "%02x", (unsigned char)s.p[i]));
    return NX_OK;
}

static const char *enum_at(const nx__vtype *v, const void *data, size_t at)
{
    size_t i = v->store == DUCKDB_TYPE_UTINYINT    ? ((const uint8_t *)data)[at]
               : v->store == DUCKDB_TYPE_USMALLINT ? ((const uint16_t *)data)[at]
                                                   : ((const uint32_t *)data)[at];
    return i < v->n_enums ? v->enums[i] : "";
}

/* Any value but nested ones. */
static nx_status put_scalar(const nx__vtype *v, const void *data, size_t at, bool json, nx_buf *b)
{
    __int128 n;
    switch (v->id) {
    case DUCKDB_TYPE_BOOLEAN:
        return nx_buf_adds(b, ((const uint8_t *)data)[at] != 0 ? "true" : "false");
    case DUCKDB_TYPE_FLOAT:
        return put_double(b, (double)((const float *)data)[at], true);
    case DUCKDB_TYPE_DOUBLE:
        return put_double(b, ((const double *)data)[at], false);
    case DUCKDB_TYPE_UHUGEINT:
        return put_unsigned(b, ((const duckdb_uhugeint *)data)[at]);
    case DUCKDB_TYPE_DATE:
        return put_date(b, ((const int32_t *)data)[at]);
    case DUCKDB_TYPE_TIME:
        return put_clock(b, ((const int64_t *)data)[at], US_A_SECOND, 6);
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return put_instant(v, data, at, json, b);
    case DUCKDB_TYPE_INTERVAL:
        return put_interval(b, ((const duckdb_interval *)data)[at]);
    case DUCKDB_TYPE_UUID:
        return put_uuid(b, ((const duckdb_hugeint *)data)[at]);
    case DUCKDB_TYPE_VARCHAR:
        return nx_buf_add(b, string_at(data, at));
    case DUCKDB_TYPE_BLOB:
        if (json)
            return nx_base64_encode(b, string_at(data, at).p, string_at(data, at).n);
        return put_hex(b, string_at(data, at));
    case DUCKDB_TYPE_ENUM:
        return nx_buf_adds(b, enum_at(v, data, at));
    default:
        if (!nx__cell_int(v, data, at, &n))
            return NX_UNSUPPORTED;
        char text[48];
        return nx_buf_add(b, (nx_str){text, nx_dec_format(n, v->scale, text)});
    }
}

/* ------------------------------------------------------------------ JSON */

static nx_status put_json(const nx__vtype *v, duckdb_vector vec, size_t at, nx_buf *b);

static nx_status json_list(const nx__vtype *v, duckdb_vector child, size_t from, size_t n, nx_buf *b)
{
    NX_TRY(nx_buf_addc(b, '['));
    for (size_t i = 0; i < n; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ","));
        NX_TRY(put_json(&v->kids[0], child, from + i, b));
    }
    return nx_buf_addc(b, ']');
}

static nx_status json_struct(const nx__vtype *v, duckdb_vector vec, size_t at, nx_buf *b)
{
    NX_TRY(nx_buf_addc(b, '{'));
    for (size_t i = 0; i < v->n_kids; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ","));
        NX_TRY(nx_buf_quote(b, nx_str_of(v->kids[i].name)));
        NX_TRY(nx_buf_addc(b, ':'));
        NX_TRY(put_json(&v->kids[i], duckdb_struct_vector_get_child(vec, i), at, b));
    }
    return nx_buf_addc(b, '}');
}

static nx_status json_map(const nx__vtype *v, duckdb_vector vec, size_t at, nx_buf *b)
{
    duckdb_list_entry e = ((const duckdb_list_entry *)duckdb_vector_get_data(vec))[at];
    duckdb_vector pairs = duckdb_list_vector_get_child(vec);
    duckdb_vector keys = duckdb_struct_vector_get_child(pairs, 0), values = duckdb_struct_vector_get_child(pairs, 1);
    NX_TRY(nx_buf_addc(b, '{'));
    for (size_t i = 0; i < e.length; i++) {
        NX_BUF_AUTO nx_buf key;
        nx_buf_init(&key, 0);
        if (v->kids[0].n_kids == 0)
            NX_TRY(put_scalar(&v->kids[0], duckdb_vector_get_data(keys), e.offset + i, true, &key));
        else
            NX_TRY(put_json(&v->kids[0], keys, e.offset + i, &key));
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ","));
        NX_TRY(nx_buf_quote(b, nx_buf_str(&key)));
        NX_TRY(nx_buf_addc(b, ':'));
        NX_TRY(put_json(&v->kids[1], values, e.offset + i, b));
    }
    return nx_buf_addc(b, '}');
}

static bool bare_in_json(const nx__vtype *v, const void *data, size_t at)
{
    __int128 n;
    if (v->id == DUCKDB_TYPE_FLOAT || v->id == DUCKDB_TYPE_DOUBLE || v->id == DUCKDB_TYPE_UHUGEINT)
        return true;
    return nx__cell_int(v, data, at, &n);
}

static nx_status put_json(const nx__vtype *v, duckdb_vector vec, size_t at, nx_buf *b)
{
    if (v->id == DUCKDB_TYPE_SQLNULL || !nx__valid(duckdb_vector_get_validity(vec), at))
        return nx_buf_adds(b, "null");
    const void *data = duckdb_vector_get_data(vec);
    switch (v->id) {
    case DUCKDB_TYPE_LIST: {
        duckdb_list_entry e = ((const duckdb_list_entry *)data)[at];
        return json_list(v, duckdb_list_vector_get_child(vec), e.offset, e.length, b);
    }
    case DUCKDB_TYPE_ARRAY:
        return json_list(v, duckdb_array_vector_get_child(vec), at * v->array_size, v->array_size, b);
    case DUCKDB_TYPE_STRUCT:
        return json_struct(v, vec, at, b);
    case DUCKDB_TYPE_MAP:
        return json_map(v, vec, at, b);
    case DUCKDB_TYPE_FLOAT:
        if (!isfinite(((const float *)data)[at]))
            return nx_buf_adds(b, "null");
        break;
    case DUCKDB_TYPE_DOUBLE:
        if (!isfinite(((const double *)data)[at]))
            return nx_buf_adds(b, "null");
        break;
    default:
        break;
    }
    if (bare_in_json(v, data, at))
        return put_scalar(v, data, at, true, b);
    NX_BUF_AUTO nx_buf text;
    nx_buf_init(&text, 0);
    NX_TRY(put_scalar(v, data, at, true, &text));
    return nx_buf_quote(b, nx_buf_str(&text));
}

/* ------------------------------------------------------------------ public */

bool nx_result_is_null(const nx_result *r, size_t row, size_t col)
{
    duckdb_vector vec;
    size_t at;
    const nx__vtype *v = nx__result_cell(r, row, col, &vec, &at);
    return v->id == DUCKDB_TYPE_SQLNULL || !nx__valid(duckdb_vector_get_validity(vec), at);
}

nx_status nx_result_text(const nx_result *r, size_t row, size_t col, nx_buf *b)
{
    if (nx_result_is_null(r, row, col))
        return NX_OK;
    duckdb_vector vec;
    size_t at;
    const nx__vtype *v = nx__result_cell(r, row, col, &vec, &at);
    if (v->n_kids > 0)
        return put_json(v, vec, at, b);
    return put_scalar(v, duckdb_vector_get_data(vec), at, false, b);
}

nx_status nx_result_json(const nx_result *r, size_t row, size_t col, nx_buf *b)
{
    duckdb_vector vec;
    size_t at;
    const nx__vtype *v = nx__result_cell(r, row, col, &vec, &at);
    return put_json(v, vec, at, b);
}

int64_t nx_result_i64(const nx_result *r, size_t row, size_t col, int64_t dflt)
{
    if (nx_result_is_null(r, row, col))
        return dflt;
    duckdb_vector vec;
    size_t at;
    const nx__vtype *v = nx__result_cell(r, row, col, &vec, &at);
    __int128 n;
    if (v->scale != 0 || !nx__cell_int(v, duckdb_vector_get_data(vec), at, &n) || n < INT64_MIN || n > INT64_MAX)
        return dflt;
    return (int64_t)n;
}

double nx_result_f64(const nx_result *r, size_t row, size_t col, double dflt)
{
    if (nx_result_is_null(r, row, col))
        return dflt;
    duckdb_vector vec;
    size_t at;
    const nx__vtype *v = nx__result_cell(r, row, col, &vec, &at);
    const void *data = duckdb_vector_get_data(vec);
    if (v->id == DUCKDB_TYPE_DOUBLE)
        return ((const double *)data)[at];
    if (v->id == DUCKDB_TYPE_FLOAT)
        return (double)((const float *)data)[at];
    __int128 n;
    if (!nx__cell_int(v, data, at, &n))
        return dflt;
    char text[48];
    text[nx_dec_format(n, v->scale, text)] = '\0'; /* through the digits: one rounding, not two */
    double d;
    return sscanf(text, "%lf", &d) == 1 ? d : dflt;
}
