/* Dictionaries: open addressing over the entries in order of first appearance. Also the choice of an encoding, which
 * mostly asks whether a dictionary pays. */
#include <stdlib.h>

#include "base/hash.h"
#include "lake/parquet_int.h"

enum { FIRST_TABLE = 1024, LOOK_AT = 8192 };

void nx__pq_dict_drop(nx__pq_dict *d)
{
    free(d->table);
    free(d->num);
    free(d->text);
    *d = (nx__pq_dict){0};
}

static inline uint64_t mix(uint64_t v)
{
    v *= UINT64_C(0x9E3779B97F4A7C15);
    return v ^ v >> 29;
}

static bool begin(nx__pq_dict *d)
{
    d->n = d->text_bytes = 0;
    if (!nx_grow(&d->table, &d->cap_table, FIRST_TABLE, sizeof *d->table))
        return false;
    d->mask = FIRST_TABLE - 1;
    memset(d->table, 0, FIRST_TABLE * sizeof *d->table);
    return true;
}

static inline uint64_t hash_text(nx_str s, int64_t num)
{
    return s.n <= 8 ? mix((uint64_t)num ^ s.n << 56) : nx_hash64(s.p, s.n, 0);
}

/* Room for one more entry: at most half of the table is taken. */
static nx_status grow(nx__pq_dict *d, bool texts)
{
    if (d->n >= NX__PQ_DICT_MAX)
        return NX_NOTHING;
    if (!nx_grow(&d->num, &d->cap_num, d->n + 1, sizeof *d->num) ||
        (texts && !nx_grow(&d->text, &d->cap_text, d->n + 1, sizeof *d->text)))
        return NX_NOMEM;
    if ((d->n + 1) * 2 <= d->mask + 1)
        return NX_OK;
    size_t places = (d->mask + 1) * 4;
    if (!nx_grow(&d->table, &d->cap_table, places, sizeof *d->table))
        return NX_NOMEM;
    d->mask = places - 1;
    memset(d->table, 0, places * sizeof *d->table);
    for (size_t i = 0; i < d->n; i++) {
        size_t at = (texts ? hash_text(d->text[i], d->num[i]) : mix((uint64_t)d->num[i])) & d->mask;
        while (d->table[at] != 0)
            at = (at + 1) & d->mask;
        d->table[at] = (uint32_t)i + 1;
    }
    return NX_OK;
}

/* A dictionary that has half as many entries as there were values costs more than it saves. */
static inline bool pays(const nx__pq_dict *d, size_t values)
{
    return (values & (LOOK_AT - 1)) != 0 || d->n <= values / 2;
}

nx_status nx__pq_dict_numbers(nx__pq_dict *d, const int64_t *v, size_t n, uint16_t *index)
{
    if (!begin(d))
        return NX_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && v[i] == v[i - 1]) {
            index[i] = index[i - 1];
            continue;
        }
        size_t at = mix((uint64_t)v[i]) & d->mask;
        while (d->table[at] != 0 && d->num[d->table[at] - 1] != v[i])
            at = (at + 1) & d->mask;
        if (d->table[at] == 0) {
            size_t places = d->mask;
            NX_TRY(grow(d, false));
            if (d->mask != places)
                for (at = mix((uint64_t)v[i]) & d->mask; d->table[at] != 0;)
                    at = (at + 1) & d->mask;
            d->num[d->n] = v[i];
            d->table[at] = (uint32_t)++d->n;
        }
        index[i] = (uint16_t)(d->table[at] - 1);
        if (NX_UNLIKELY(i > 0 && !pays(d, i)))
            return NX_NOTHING;
    }
    return d->n <= 1 || d->n <= n / 2 ? NX_OK : NX_NOTHING;
}

static inline uint64_t load(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

/* The bytes of a short text as a number that no other text of its length has, so that comparing is one step. */
static inline int64_t short_num(nx_str s)
{
    if (s.n > 8 || s.n == 0)
        return 0;
    if (s.n == 8)
        return (int64_t)load(s.p, 8);
    if (s.n >= 4)
        return (int64_t)(load(s.p, 4) | load(s.p + s.n - 4, 4) << 32);
    return (int64_t)(load(s.p, 1) | load(s.p + s.n / 2, 1) << 8 | load(s.p + s.n - 1, 1) << 16);
}

static inline bool same_bytes(nx_str a, nx_str b)
{
    if (a.n > 16) /* both have more than 8 */
        return memcmp(a.p, b.p, a.n) == 0;
    return load(a.p, 8) == load(b.p, 8) && load(a.p + a.n - 8, 8) == load(b.p + a.n - 8, 8);
}

static inline bool same(const nx__pq_dict *d, size_t i, nx_str s, int64_t num)
{
    const nx_str *t = &d->text[i];
    return t->n == s.n && d->num[i] == num && (s.n <= 8 || same_bytes(*t, s));
}

static nx_status text_index(nx__pq_dict *d, nx_str s, uint16_t *ret)
{
    int64_t num = short_num(s);
    uint64_t h = hash_text(s, num);
    size_t at = h & d->mask;
    while (d->table[at] != 0 && !same(d, d->table[at] - 1, s, num))
        at = (at + 1) & d->mask;
    if (d->table[at] == 0) {
        NX_TRY(grow(d, true));
        for (at = h & d->mask; d->table[at] != 0;)
            at = (at + 1) & d->mask;
        if (s.n > NX__PQ_DICT_BYTES - d->text_bytes)
            return NX_NOTHING;
        d->text_bytes += s.n;
        d->num[d->n] = num;
        d->text[d->n] = s;
        d->table[at] = (uint32_t)++d->n;
    }
    *ret = (uint16_t)(d->table[at] - 1);
    return NX_OK;
}

nx_status nx__pq_dict_texts(nx__pq_dict *d, const nx_str *v, size_t n, uint16_t *index)
{
    if (!begin(d))
        return NX_NOMEM;
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && same(d, index[i - 1], v[i], short_num(v[i]))) {
            index[i] = index[i - 1];
            continue;
        }
        NX_TRY(text_index(d, v[i], &index[i]));
        if (NX_UNLIKELY(i > 0 && !pays(d, i)))
            return NX_NOTHING;
    }
    return d->n <= 1 || d->n <= n / 2 ? NX_OK : NX_NOTHING;
}

/* ------------------------------------------------------------------ the choice */

enum { STRETCHES = 4, STRETCH = 256, SAMPLE = STRETCHES * STRETCH, PART = 32 };

/* How many different values n values would have, judged by some of them. Neighbours that are equal count once: what repeats only
 * there (a clock) goes on to have new values. Else by the birthday rule: k draws from D values meet about k * k / 2D times. */
static size_t distinct(const int64_t *v, size_t n_some, size_t n)
{
    int64_t seen[SAMPLE * 2];
    uint8_t taken[SAMPLE * 2] = {0};
    size_t drawn = 0, met = 0;
    for (size_t i = 0; i < n_some; i++) {
        if (i > 0 && v[i] == v[i - 1])
            continue;
        size_t at = mix((uint64_t)v[i]) >> 20 & (SAMPLE * 2 - 1);
        while (taken[at] && seen[at] != v[i])
            at = (at + 1) & (SAMPLE * 2 - 1);
        drawn++;
        met += taken[at];
        taken[at] = 1;
        seen[at] = v[i];
    }
    size_t many = n * drawn / n_some, all = met == 0 ? many : drawn * drawn / (2 * met);
    all = all < drawn - met ? drawn - met : all;
    return drawn == 1 ? 1 : all < many ? all : many;
}

/* Bits a value that DELTA_BINARY_PACKED would take, each stretch by itself. */
static size_t delta_bits(const int64_t *v, size_t n)
{
    size_t bits = 0, parts = 0;
    for (size_t from = 1; from < n; from += PART) {
        int64_t lo = INT64_MAX, hi = INT64_MIN;
        for (size_t i = from; i < n && i < from + PART; i++) {
            if (i % STRETCH == 0)
                continue; /* the step between two stretches */
            int64_t d = (int64_t)((uint64_t)v[i] - (uint64_t)v[i - 1]);
            lo = d < lo ? d : lo;
            hi = d > hi ? d : hi;
        }
        bits += lo > hi ? 0 : (size_t)nx__pq_bits((uint64_t)hi - (uint64_t)lo);
        parts++;
    }
    return parts == 0 ? 0 : (bits + parts - 1) / parts;
}

nx__pq_encoding nx__pq_choose(const int64_t *v, size_t n, int width, bool deltas)
{
    int64_t some[SAMPLE];
    size_t n_some = n < SAMPLE ? n : SAMPLE;
    if (n <= SAMPLE)
        memcpy(some, v, n * sizeof *v);
    else
        for (size_t i = 0; i < STRETCHES; i++)
            memcpy(some + i * STRETCH, v + (n - STRETCH) / (STRETCHES - 1) * i, STRETCH * sizeof *v);
    if (n == 0)
        return NX__PQ_PLAIN;
    size_t plain = (size_t)width * 8, delta = deltas ? delta_bits(some, n_some) : plain,
           all = distinct(some, n_some, n);
    size_t dict = (size_t)nx__pq_bits(all - 1) + all * plain / n;
    if (all == 1 || (all * 2 <= n && dict < delta && dict < plain))
        return NX__PQ_DICT;
    return deltas && delta < plain - 4 ? NX__PQ_DELTA : NX__PQ_PLAIN;
}
