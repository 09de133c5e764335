/* contract/short_int.h - the short ways of row.c: values in their plainest spelling, straight from the bytes into the columns.
 * They return NX_AGAIN (or false) and have done nothing when a value looks different; value.c reads it then, and gives the same. *pp stands on the value; the
 * frame ends with a bracket, so runs of digits end inside it. */
#ifndef NX_CONTRACT_SHORT_INT_H
#define NX_CONTRACT_SHORT_INT_H

#include "contract/decode_int.h"
#include "data/time.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The short ways are wholly inside the loop over the members: the position then stays in a register. */
#define SHORT static inline __attribute__((always_inline))

static const int64_t pow10_i64[19] = {
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
};

/* 8 bytes with the first one in memory as the lowest. */
static inline uint64_t load8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    x = __builtin_bswap64(x);
#endif
    return x;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Length of the plain text (ASCII, no escape) from p to the next quote; SIZE_MAX: something else is in it, or the end is near. */
SHORT size_t plain_len(const char *p, const char *end)
{
    size_t n = 0;
#ifdef __SSE2__
    for (; end - p >= 16; p += 16, n += 16) {
        __m128i x = _mm_loadu_si128((const __m128i *)p);
        /* signed: bytes beyond ASCII are below a blank too */
        __m128i hit =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))),
                         _mm_cmplt_epi8(x, _mm_set1_epi8(' ')));
        unsigned bits = (unsigned)_mm_movemask_epi8(hit);
        if (NX_LIKELY(bits != 0)) {
            unsigned at = (unsigned)__builtin_ctz(bits);
            return p[at] == '"' ? n + at : SIZE_MAX;
        }
    }
#endif
    for (; end - p >= 8; p += 8, n += 8) {
        uint64_t x = load8(p), q = x ^ EACH('"'), b = x ^ EACH('\\');
        /* bit 7 of a byte: it is a quote, a backslash, below a blank, or beyond ASCII; exact up to the first one */
        uint64_t hit = (((q - EACH(1)) & ~q) | ((b - EACH(1)) & ~b) | ((x - EACH(0x20)) & ~x) | x) & EACH(0x80);
        if (hit != 0) {
            unsigned at = (unsigned)__builtin_ctzll(hit) >> 3;
            return p[at] == '"' ? n + at : SIZE_MAX;
        }
    }
    return SIZE_MAX;
}

/* Appends n bytes that are followed by at least 8 - n more readable ones; short texts in one store. */
SHORT nx_status put_short(nx_batch *b, nx_col *c, const char *p, size_t n)
{
    if (NX_LIKELY(n <= 8 && c->n < c->cap && c->heap_cap - c->heap_n >= 8)) {
        memcpy(c->heap + c->heap_n, p, 8);
        c->heap_n += n;
        c->off[c->n + 1] = (uint32_t)c->heap_n;
        c->valid[c->n >> 6] |= UINT64_C(1) << (c->n & 63);
        c->n++;
        return NX_OK;
    }
    return nx_col_str(b, c, (nx_str){p, n});
}

SHORT nx_status short_string(const nx_row *r, int16_t col, const char **pp, const char *end)
{
    const char *p = *pp;
    size_t n = *p == '"' ? plain_len(p + 1, end) : SIZE_MAX;
    if (NX_UNLIKELY(n == SIZE_MAX))
        return NX_AGAIN;
    const nx_rules *u = &r->specs[col].rules;
    if (u->any && (u->words || n < u->len_min || n > u->len_max ||
                   (u->pattern != NULL && !nx__pattern_match(u->pattern, (nx_str){p + 1, n}))))
        return NX_AGAIN;
    *pp = p + n + 2;
    return put_short(r->b, &r->cols[col], p + 1, n);
}

/* The value of 8 digits, one a byte (0 to 9), the first in the lowest byte. */
static inline uint32_t eight_digits(uint64_t x)
{
    x = (x * 10 + (x >> 8)) & UINT64_C(0x00FF00FF00FF00FF);
    x = (x * 100 + (x >> 16)) & UINT64_C(0x0000FFFF0000FFFF);
    return (uint32_t)(x * 10000 + (x >> 32));
}

/* High bit of each byte that is no digit; x has '0' taken off by exclusive or. */
static inline uint64_t no_digits(uint64_t x)
{
    return (((x & EACH(0x7F)) + EACH(0x76)) | x) & EACH(0x80);
}

/* A number of at most 7 bytes without sign and exponent, without a branch a digit: lengths differ from message to message, and a wrong guess
 * costs more than the digits. False: not so short, or unusual. */
SHORT bool brief_number(const char **pp, int64_t *ret, int *ret_behind)
{
    const char *p = *pp;
    uint64_t x = load8(p) ^ EACH('0'), foreign = no_digits(x);
    if (foreign == 0)
        return false;
    unsigned n = (unsigned)__builtin_ctzll(foreign) >> 3, last = n;
    if (n == 0 || (*p == '0' && n > 1))
        return false;
    if (p[n] == '.') {
        uint64_t second = foreign & (foreign - 1), low = (UINT64_C(1) << (n * 8)) - 1;
        last = (unsigned)__builtin_ctzll(second | UINT64_C(1) << 63) >> 3;
        if (second == 0 || last == n + 1)
            return false;
        x = (x & low) | (x >> 8 & ~low);
        *ret_behind = (int)(last - n) - 1;
        n = last - 1;
    } else {
        *ret_behind = 0;
    }
    if ((p[last] | 0x20) == 'e' || p[last] == '.')
        return false;
    *ret = eight_digits(x << (64 - n * 8));
    *pp = p + last;
    return true;
}

/* At most 18 digits: the number without its point, and how many digits stand behind it. False: not so. */
SHORT bool short_number(const char **pp, const char *end, int64_t *ret, int *ret_behind)
{
    const char *p = *pp, *first;
    uint64_t v = 0;
    unsigned c;
    if (NX_LIKELY(end - p >= 8) && brief_number(pp, ret, ret_behind))
        return true;
    bool neg = *p == '-';
    first = p += neg;
    while ((c = (unsigned)(unsigned char)*p - '0') < 10 && p - first < 19) {
        v = v * 10 + c;
        p++;
    }
    size_t n = (size_t)(p - first), behind = 0;
    if (n == 0 || n > 18 || (*first == '0' && n > 1))
        return false;
    if (*p == '.') {
        const char *point = ++p;
        while ((c = (unsigned)(unsigned char)*p - '0') < 10 && p - point < 19) {
            v = v * 10 + c;
            p++;
        }
        behind = (size_t)(p - point);
        if (behind == 0 || n + behind > 18)
            return false;
    }
    if (*p == 'e' || *p == 'E' || c < 10)
        return false;
    *pp = p;
    *ret = neg ? -(int64_t)v : (int64_t)v;
    *ret_behind = (int)behind;
    return true;
}

SHORT nx_status short_decimal(const nx_row *r, int16_t col, const char **pp, const char *end)
{
    const nx_type *t = r->cols[col].type;
    const nx_rules *u = &r->specs[col].rules;
    const char *p = *pp;
    int64_t v;
    int behind;
    if (t->precision > 18 || !short_number(&p, end, &v, &behind) || behind > t->scale)
        return NX_AGAIN;
    if (__builtin_mul_overflow(v, pow10_i64[t->scale - behind], &v) || v < u->lo || v > u->hi)
        return NX_AGAIN;
    *pp = p;
    return nx_col_i64(r->b, &r->cols[col], v);
}

SHORT nx_status short_int(const nx_row *r, int16_t col, const char **pp, const char *end)
{
    const nx_rules *u = &r->specs[col].rules;
    const char *p = *pp;
    int64_t v;
    int behind;
    if (r->cols[col].type->kind != NX_INT64 || !short_number(&p, end, &v, &behind) || behind > 0 || v < u->lo ||
        v > u->hi)
        return NX_AGAIN;
    *pp = p;
    return nx_col_i64(r->b, &r->cols[col], v);
}

/* Learns the minute that text (16 bytes) begins with. */
static inline bool learn_minute(nx_minute *m, const char *text)
{
    char full[20], date[16];
    int64_t ns;
    memcpy(full, text, 16);
    memcpy(full + 16, ":00Z", 4);
    if (text[10] != 'T' || !nx_time_parse_ns((nx_str){full, 20}, &ns) || ns < 0 ||
        ns > INT64_MAX - INT64_C(60000000000))
        return false; /* the general way knows the rest */
    m->ns = ns;
    m->days = nx_days_of_us(ns / 1000);
    nx_date_format(m->days, date);
    memcpy(m->month, date, 7);
    memcpy(m->text, text, 16);
    return true;
}

/* Digits behind the point at *pp as nanoseconds: at most 9 of them. */
SHORT bool short_fraction(const char **pp, const char *end, int64_t *ret)
{
    const char *p = *pp + 1, *first = p;
    uint64_t x = end - p >= 8 ? load8(p) ^ EACH('0') : 0, foreign = no_digits(x);
    if (NX_LIKELY(foreign != 0)) {
        unsigned n = (unsigned)__builtin_ctzll(foreign) >> 3;
        if (n == 0)
            return false;
        *ret = eight_digits(x << (64 - n * 8)) * pow10_i64[9 - n];
        *pp = p + n;
        return true;
    }
    unsigned c;
    int64_t v = 0;
    while ((c = (unsigned)(unsigned char)*p - '0') < 10 && p - first < 10) {
        v = v * 10 + c;
        p++;
    }
    if (p == first || p - first > 9)
        return false;
    *ret = v * pow10_i64[9 - (p - first)];
    *pp = p;
    return true;
}

SHORT nx_status short_time(nx_decoder *d, nx_row *r, int16_t col, const char **pp, const char *end)
{
    const char *p = *pp + 1;
    nx_minute *m = &d->minute;
    if (NX_UNLIKELY(end - p < 22 || p[-1] != '"' || r->specs[col].rules.any))
        return NX_AGAIN;
    if (NX_UNLIKELY(memcmp(p, m->text, 16) != 0) && !learn_minute(m, p))
        return NX_AGAIN;
    unsigned tens = (unsigned)(unsigned char)p[17] - '0', ones = (unsigned)(unsigned char)p[18] - '0';
    if (NX_UNLIKELY(p[16] != ':' || tens > 5 || ones > 9))
        return NX_AGAIN;
    int64_t fraction = 0;
    p += 19;
    if (*p == '.' && !short_fraction(&p, end, &fraction))
        return NX_AGAIN;
    if (NX_UNLIKELY(end - p < 2 || p[0] != 'Z' || p[1] != '"'))
        return NX_AGAIN;
    *pp = p + 2;
    return nx__put_time(r, col, m->ns + (int64_t)(tens * 10 + ones) * 1000000000 + fraction, m->days, m->month);
}

SHORT nx_status short_list(const nx_row *r, int16_t col, const char **pp, const char *end)
{
    const char *p = *pp;
    nx_col *c = &r->cols[col], *items = &c->child[0];
    const nx_rules *u = &r->specs[col].rules;
    size_t before = items->n, heap_before = items->heap_n, count = 0;
    if (*p != '[')
        return NX_AGAIN;
    for (;;) {
        p++;
        size_t n = *p == '"' ? plain_len(p + 1, end) : SIZE_MAX;
        if (NX_UNLIKELY(n == SIZE_MAX || n > u->item_len_max))
            break;
        NX_TRY(put_short(r->b, items, p + 1, n));
        p += n + 2;
        count++;
        if (*p == ',')
            continue;
        if (NX_UNLIKELY(*p != ']' || count < u->len_min || count > u->len_max))
            break;
        *pp = p + 1;
        return nx_col_list_end(r->b, c);
    }
    for (size_t i = before; i < items->n; i++) /* take the items back */
        items->valid[i >> 6] &= ~(UINT64_C(1) << (i & 63));
    items->n = before;
    items->heap_n = heap_before;
    return NX_AGAIN;
}

#endif
