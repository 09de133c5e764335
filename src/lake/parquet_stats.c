/* Bounds and null counts: of a column chunk for the footer, of a file for the log. A wrong bound loses rows in silence:
 * what has no order that all readers share (NaN) or no short upper bound has none. */
#include <stdio.h>

#include "data/decimal.h"
#include "data/time.h"
#include "lake/parquet_int.h"

void nx__pq_stats_i64(nx__pq_stats *s, const int64_t *v, size_t n)
{
    if (n == 0)
        return;
    int64_t lo = s->any ? s->lo.i : v[0], hi = s->any ? s->hi.i : v[0];
    for (size_t i = 0; i < n; i++) {
        lo = v[i] < lo ? v[i] : lo;
        hi = v[i] > hi ? v[i] : hi;
    }
    s->lo.i = lo;
    s->hi.i = hi;
    s->any = true;
}

void nx__pq_stats_f64(nx__pq_stats *s, const int64_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        double v;
        memcpy(&v, &bits[i], sizeof v);
        if (v != v) {
            s->no_more = true;
            continue;
        }
        if (!s->any || v < s->lo.d)
            s->lo.d = v;
        if (!s->any || v > s->hi.d)
            s->hi.d = v;
        s->any = true;
    }
}

void nx__pq_stats_i128(nx__pq_stats *s, __int128 v)
{
    if (!s->any || v < s->lo.w)
        s->lo.w = v;
    if (!s->any || v > s->hi.w)
        s->hi.w = v;
    s->any = true;
}

/* ------------------------------------------------------------------ texts */

/* The longest beginning of at most NX__PQ_BOUND_BYTES that does not cut a character. */
static nx_str beginning(nx_str v)
{
    size_t n = NX__PQ_BOUND_BYTES;
    while (n > 0 && ((unsigned char)v.p[n] & 0xC0) == 0x80)
        n--;
    return nx_str_sub(v, 0, n);
}

/* A text above everything that begins like `b`: its last character that has a successor, raised by one. False: there is
 * none, or the bytes are no UTF-8. */
static bool raise(nx_str b, nx__pq_text_bound *to)
{
    if (!nx_utf8_valid(b))
        return false;
    for (size_t end = b.n; end > 0;) {
        size_t at = end - 1;
        while (at > 0 && ((unsigned char)b.p[at] & 0xC0) == 0x80)
            at--;
        size_t i = at;
        uint32_t cp = nx_utf8_get(b, &i);
        cp = cp == 0xD7FF ? 0xE000 : cp + 1; /* surrogates are no characters */
        char out[4];
        size_t n = cp > 0x10FFFF ? 0 : nx_utf8_put(cp, out);
        if (n > 0 && at + n <= sizeof to->p) {
            memcpy(to->p, b.p, at);
            memcpy(to->p + at, out, n);
            to->n = at + n;
            to->exact = false;
            return true;
        }
        end = at;
    }
    return false;
}

static nx_str text_of(const nx__pq_text_bound *b)
{
    return (nx_str){b->p, b->n};
}

static void set_text(nx__pq_text_bound *b, nx_str v, bool exact)
{
    if (v.n > 0)
        memcpy(b->p, v.p, v.n);
    b->n = v.n;
    b->exact = exact;
}

void nx__pq_stats_text(nx__pq_stats *s, nx_str v)
{
    bool fits = v.n <= NX__PQ_BOUND_BYTES;
    if (!s->any || nx_str_cmp(v, text_of(&s->text_lo)) < 0)
        set_text(&s->text_lo, fits ? v : beginning(v), fits);
    if (!s->any || nx_str_cmp(v, text_of(&s->text_hi)) > 0) {
        if (fits)
            set_text(&s->text_hi, v, true);
        else if (!raise(beginning(v), &s->text_hi))
            s->no_more = true;
    }
    s->any = true;
}

/* ------------------------------------------------------------------ merging */

static bool is_text(const nx_type *t)
{
    return t->kind == NX_STRING || t->kind == NX_BINARY;
}

static bool is_wide(const nx_type *t)
{
    return t->kind == NX_DECIMAL && t->precision > 18;
}

static void merge_texts(nx__pq_stats *to, const nx__pq_stats *from)
{
    if (!to->any || nx_str_cmp(text_of(&from->text_lo), text_of(&to->text_lo)) < 0)
        to->text_lo = from->text_lo;
    if (!to->any || nx_str_cmp(text_of(&from->text_hi), text_of(&to->text_hi)) > 0)
        to->text_hi = from->text_hi;
}

void nx__pq_stats_merge(nx__pq_stats *to, const nx__pq_stats *from, const nx_type *type)
{
    to->nulls += from->nulls;
    to->no_more = to->no_more || from->no_more;
    if (!from->any)
        return;
    if (is_text(type)) {
        merge_texts(to, from);
    } else if (is_wide(type)) {
        nx__pq_stats_i128(to, from->lo.w);
        nx__pq_stats_i128(to, from->hi.w);
    } else if (type->kind == NX_DOUBLE) {
        int64_t bits[2];
        memcpy(&bits[0], &from->lo.d, 8);
        memcpy(&bits[1], &from->hi.d, 8);
        nx__pq_stats_f64(to, bits, 2);
    } else {
        int64_t ends[2] = {from->lo.i, from->hi.i};
        nx__pq_stats_i64(to, ends, 2);
    }
    to->any = true;
}

/* ------------------------------------------------------------------ the footer's form */

void nx__pq_fixed(__int128 v, unsigned char out[NX__PQ_FIXED_BYTES])
{
    for (int i = NX__PQ_FIXED_BYTES; i-- > 0; v >>= 8)
        out[i] = (unsigned char)v;
}

/* One bound as PLAIN bytes. Zeros of doubles point outwards: -0 and 0 are equal, and readers may compare bits. */
static nx_str plain_bound(const nx__pq_stats *s, bool low, const nx_type *type, nx__pq_phys phys,
                          unsigned char out[NX__PQ_FIXED_BYTES])
{
    if (is_text(type))
        return text_of(low ? &s->text_lo : &s->text_hi);
    size_t n = phys == NX__PQ_FIXED ? NX__PQ_FIXED_BYTES : phys == NX__PQ_INT32 ? 4 : phys == NX__PQ_BOOLEAN ? 1 : 8;
    if (phys == NX__PQ_FIXED)
        nx__pq_fixed(low ? s->lo.w : s->hi.w, out);
    else if (phys == NX__PQ_DOUBLE) {
        double d = low ? s->lo.d : s->hi.d;
        if (d == 0)
            d = low ? -0.0 : 0.0;
        memcpy(out, &d, 8);
    } else {
        memcpy(out, low ? &s->lo.i : &s->hi.i, n); /* little-endian: the low bytes come first */
    }
    return (nx_str){(const char *)out, n};
}

void nx__pq_stats_thrift(const nx__pq_stats *s, const nx_type *type, nx__pq_phys phys, nx__th *t)
{
    unsigned char out[NX__PQ_FIXED_BYTES];
    nx__th_i64(t, 3, s->nulls);
    if (!s->any || s->no_more)
        return;
    nx__th_bin(t, 5, plain_bound(s, false, type, phys, out));
    nx__th_bin(t, 6, plain_bound(s, true, type, phys, out));
    if (is_text(type)) {
        nx__th_bool(t, 7, s->text_hi.exact);
        nx__th_bool(t, 8, s->text_lo.exact);
    }
}

/* ------------------------------------------------------------------ the log's form */

/* In the words of nx_col_stats; empty: no text that all readers understand. */
static size_t bound_text(const nx__pq_stats *s, bool low, const nx_type *type, char out[64])
{
    int64_t v = low ? s->lo.i : s->hi.i;
    size_t n = 0;
    int32_t days = type->kind == NX_TIMESTAMP ? nx_days_of_us(v) : (int32_t)v;
    bool is_time = type->kind == NX_TIMESTAMP || type->kind == NX_DATE;
    if (is_time && (days < nx_days_of((nx_civil){1, 1, 1}) || days > nx_days_of((nx_civil){9999, 12, 31})))
        return 0;
    if (type->kind == NX_DATE)
        return nx_date_format(days, out);
    if (type->kind == NX_TIMESTAMP) {
        n = nx_time_format_us(v, out);
        return n - 1 + (size_t)snprintf(out + n - 1, 64 - n, "+00"); /* over the Z */
    }
    if (type->kind == NX_DECIMAL)
        return nx_dec_format(!is_wide(type) ? v : low ? s->lo.w : s->hi.w, type->scale, out);
    if (type->kind == NX_DOUBLE)
        return (size_t)snprintf(out, 64, "%.17g", low ? s->lo.d : s->hi.d);
    return (size_t)snprintf(out, 64, "%lld", (long long)v);
}

nx_status nx__pq_stats_texts(const nx__pq_stats *s, const nx_type *type, nx_arena *a, nx_col_stats *ret)
{
    ret->nulls = s->nulls;
    ret->has_minmax = false;
    if (!s->any || s->no_more || type->kind == NX_BINARY || type->kind == NX_BOOL)
        return NX_OK;
    char lo[64], hi[64];
    nx_str low = text_of(&s->text_lo), high = text_of(&s->text_hi);
    if (type->kind != NX_STRING) {
        low = (nx_str){lo, bound_text(s, true, type, lo)};
        high = (nx_str){hi, bound_text(s, false, type, hi)};
        if (low.n == 0 || high.n == 0)
            return NX_OK;
    }
    if (memchr(high.p, '\0', high.n) != NULL)
        return NX_OK; /* as a C string it would end too early, and be too low */
    ret->min = nx_arena_dup(a, low);
    ret->max = nx_arena_dup(a, high);
    ret->has_minmax = ret->min != NULL && ret->max != NULL;
    return ret->has_minmax ? NX_OK : NX_NOMEM;
}
