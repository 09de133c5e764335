#include "data/decimal.h"

#include <assert.h>

#include "data/data_int.h"

static const uint64_t pow10_u64[20] = {
    1,
    10,
    100,
    1000,
    10000,
    100000,
    1000000,
    10000000,
    100000000,
    1000000000,
    10000000000,
    100000000000,
    1000000000000,
    10000000000000,
    100000000000000,
    1000000000000000,
    10000000000000000,
    100000000000000000,
    1000000000000000000,
    10000000000000000000u,
};

static unsigned __int128 pow10_u128(int n)
{
    return n < 20 ? pow10_u64[n] : (unsigned __int128)pow10_u64[19] * pow10_u64[n - 19];
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

size_t nx__num_scan(nx_str s)
{
    const char *p = s.p, *end = s.p + s.n;
    if (p < end && *p == '-')
        p++;
    if (p == end || !is_digit(*p))
        return 0;
    if (*p++ != '0')
        while (p < end && is_digit(*p))
            p++;
    if (p < end && *p == '.') {
        if (++p == end || !is_digit(*p))
            return 0;
        while (p < end && is_digit(*p))
            p++;
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        if (p == end || !is_digit(*p))
            return 0;
        while (p < end && is_digit(*p))
            p++;
    }
    return (size_t)(p - s.p);
}

/* The exponent at p, cut at a size that no number of digits in a text can make up for. */
static int64_t read_exponent(const char *p, const char *end)
{
    const int64_t most = INT64_C(1) << 60;
    bool neg = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    int64_t e = 0;
    for (; p < end; p++)
        e = e >= most / 16 ? most : e * 10 + (*p - '0');
    return neg ? -e : e;
}

/* Any syntax and length: finds the first and last digit that is not 0 and places them against the scale. */
static nx_dec_result parse_any(nx_str text, int precision, int scale, __int128 *ret)
{
    if (text.n == 0 || nx__num_scan(text) != text.n)
        return NX_DEC_SYNTAX;
    const char *p = text.p, *end = text.p + text.n;
    bool neg = *p == '-';
    p += neg;
    const char *first = NULL, *last = NULL; /* of the significant digits */
    int64_t digits = 0, upto_last = 0;      /* digits since first; those up to last */
    int64_t behind = 0, behind_last = 0;    /* digits behind the point; those up to last */
    int64_t exponent = 0;
    bool point = false;
    for (; p < end; p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (*p == 'e' || *p == 'E') {
            exponent = read_exponent(p + 1, end);
            break;
        }
        behind += point;
        if (*p != '0' && first == NULL)
            first = p;
        digits += first != NULL;
        if (*p != '0') {
            last = p;
            upto_last = digits;
            behind_last = behind;
        }
    }
    if (first == NULL) {
        *ret = 0;
        return NX_DEC_OK;
    }
    if (behind_last == 0) /* the last significant digit is before the point: zeros lie between */
        behind_last = -(digits - upto_last - behind);
    int64_t shift = exponent - behind_last + scale; /* zeros to add behind the last significant digit */
    if (shift < 0)
        return NX_DEC_SCALE;
    if (upto_last + shift > precision)
        return NX_DEC_PRECISION;
    unsigned __int128 v = 0;
    for (p = first; p <= last; p++)
        if (*p != '.')
            v = v * 10 + (unsigned)(*p - '0');
    v *= pow10_u128((int)shift);
    *ret = neg ? -(__int128)v : (__int128)v;
    return NX_DEC_OK;
}

/* Up to 18 digits without an exponent, which is nearly every number on the wire; the rest goes to parse_any(). */
nx_dec_result nx_dec_parse(nx_str text, int precision, int scale, __int128 *ret)
{
    assert(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision);
    const char *p = text.p, *end = text.p + text.n;
    if (text.n == 0 || text.n > 20)
        return parse_any(text, precision, scale, ret);
    bool neg = *p == '-';
    p += neg;
    const char *start = p;
    uint64_t v = 0;
    unsigned d;
    while (p < end && (d = (unsigned)(unsigned char)(*p - '0')) < 10) {
        v = v * 10 + d;
        p++;
    }
    ptrdiff_t whole = p - start, behind = 0;
    if (whole == 0 || (*start == '0' && whole > 1))
        return NX_DEC_SYNTAX;
    if (p < end && *p == '.') {
        start = ++p;
        while (p < end && (d = (unsigned)(unsigned char)(*p - '0')) < 10) {
            v = v * 10 + d;
            p++;
        }
        behind = p - start;
        if (behind == 0)
            return NX_DEC_SYNTAX;
    }
    ptrdiff_t shift = scale - behind;
    if (NX_UNLIKELY(p != end || shift < 0 || whole + behind > 18 || whole + scale > 38))
        return parse_any(text, precision, scale, ret);
    if (precision > 18 || whole + scale > 18) {
        unsigned __int128 wide = v * pow10_u128((int)shift);
        if (wide >= pow10_u128(precision))
            return NX_DEC_PRECISION;
        *ret = neg ? -(__int128)wide : (__int128)wide;
        return NX_DEC_OK;
    }
    v *= pow10_u64[shift];
    if (NX_UNLIKELY(v >= pow10_u64[precision]))
        return NX_DEC_PRECISION;
    *ret = neg ? -(int64_t)v : (int64_t)v;
    return NX_DEC_OK;
}

/* Digits of v, at least `least` of them, right-aligned to end; returns the first. */
static char *put_digits(unsigned __int128 v, int least, char *end)
{
    char *p = end;
    while (v >= pow10_u64[18]) { /* 18 at a time, so that the division by 10 works on 64 bits */
        uint64_t low = (uint64_t)(v % pow10_u64[18]);
        v /= pow10_u64[18];
        for (int i = 0; i < 18; i++, low /= 10)
            *--p = (char)('0' + low % 10);
    }
    for (uint64_t w = (uint64_t)v; w > 0; w /= 10)
        *--p = (char)('0' + w % 10);
    while (end - p < least)
        *--p = '0';
    return p;
}

static size_t format(__int128 unscaled, int scale, bool shorten, char out[48])
{
    assert(scale >= 0 && scale <= 38);
    bool neg = unscaled < 0;
    unsigned __int128 v = neg ? -(unsigned __int128)unscaled : (unsigned __int128)unscaled;
    char digits[48], *end = digits + sizeof digits;
    char *p = put_digits(v, scale + 1, end);
    size_t whole = (size_t)(end - p) - (size_t)scale, behind = (size_t)scale, n = 0;
    if (shorten)
        while (behind > 0 && p[whole + behind - 1] == '0')
            behind--;
    if (neg)
        out[n++] = '-';
    memcpy(out + n, p, whole);
    n += whole;
    if (behind > 0) {
        out[n++] = '.';
        memcpy(out + n, p + whole, behind);
        n += behind;
    }
    out[n] = '\0';
    return n;
}

size_t nx_dec_format(__int128 unscaled, int scale, char out[48])
{
    return format(unscaled, scale, false, out);
}

size_t nx_dec_format_short(__int128 unscaled, int scale, char out[48])
{
    return format(unscaled, scale, true, out);
}
