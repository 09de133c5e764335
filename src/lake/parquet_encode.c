/* Parquet's encodings (Encodings.md of Apache Parquet). All of them write little-endian words at places that need not be
 * aligned, and reserve what the worst case takes before they begin. */
#include "lake/parquet_int.h"

enum {
    GROUP = 8,     /* values are bit-packed in groups of 8 */
    SLACK = 16,    /* a packed group is written as whole words: some bytes more than it keeps */
    RUN_BITS = 32, /* a run that saves less than these is packed with its neighbours */
    BLOCK = 128,   /* DELTA_BINARY_PACKED: values a block, */
    MINI = 32,     /* a part, */
    MINIS = BLOCK / MINI
};

static inline size_t varint(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        p[n++] = (uint8_t)(v | 0x80);
    p[n++] = (uint8_t)v;
    return n;
}

nx_status nx__pq_varint(nx_buf *b, uint64_t v)
{
    NX_TRY(nx_buf_reserve(b, 10));
    b->n += varint((uint8_t *)b->p + b->n, v);
    b->p[b->n] = '\0';
    return NX_OK;
}

static inline void put64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, 8);
}

/* ------------------------------------------------------------------ RLE and bit-packing */

/* Eight values of `width` bits at p; writes up to SLACK bytes, keeps `width`. */
static inline void pack8(uint8_t *p, const uint16_t *v, int width)
{
    uint64_t lo = 0, hi = 0;
    for (int i = 0; i < 4; i++) {
        lo |= (uint64_t)v[i] << (i * width);
        hi |= (uint64_t)v[i + 4] << (i * width);
    }
    unsigned __int128 all = (unsigned __int128)hi << (4 * width) | lo;
    memcpy(p, &all, sizeof all);
}

/* Values [0, n) as one bit-packed run, zeros behind them up to a whole group. */
static uint8_t *packed(uint8_t *p, const uint16_t *v, size_t n, int width)
{
    size_t groups = (n + GROUP - 1) / GROUP, whole = n / GROUP;
    p += varint(p, groups << 1 | 1);
    for (size_t g = 0; g < whole; g++, p += width)
        pack8(p, v + g * GROUP, width);
    if (whole < groups) {
        uint16_t last[GROUP] = {0};
        memcpy(last, v + whole * GROUP, (n - whole * GROUP) * sizeof *v);
        pack8(p, last, width);
        p += width;
    }
    return p;
}

static uint8_t *run(uint8_t *p, uint16_t v, size_t n, int width)
{
    p += varint(p, (uint64_t)n << 1);
    for (int bits = 0; bits < width; bits += 8)
        *p++ = (uint8_t)(v >> bits);
    return p;
}

static inline bool all_equal8(const uint16_t *v)
{
    uint64_t a, b, want = v[0] * UINT64_C(0x0001000100010001);
    memcpy(&a, v, 8);
    memcpy(&b, v + 4, 8);
    return a == want && b == want;
}

/* Worst case: a header a group, and each value packed. */
static nx_status hybrid_reserve(nx_buf *b, size_t n, int width)
{
    return nx_buf_reserve(b, (n / GROUP + 2) * ((size_t)width + 4) + 2 * SLACK);
}

static void written(nx_buf *b, const uint8_t *end)
{
    b->n = (size_t)(end - (const uint8_t *)b->p);
    b->p[b->n] = '\0';
}

nx_status nx__pq_run(nx_buf *b, uint16_t v, size_t n, int width)
{
    NX_TRY(nx_buf_reserve(b, SLACK));
    if (n > 0)
        written(b, run((uint8_t *)b->p + b->n, v, n, width));
    return NX_OK;
}

nx_status nx__pq_hybrid(nx_buf *b, const uint16_t *v, size_t n, int width)
{
    NX_TRY(hybrid_reserve(b, n, width));
    uint8_t *p = (uint8_t *)b->p + b->n;
    size_t from = 0, i = 0; /* [from, i) waits to be packed: always whole groups */
    size_t min_run = width == 0 ? 1 : width * GROUP >= RUN_BITS ? GROUP : (size_t)(RUN_BITS / width);
    while (i + GROUP <= n) {
        if (!all_equal8(v + i)) {
            i += GROUP;
            continue;
        }
        size_t end = i + GROUP;
        while (end < n && v[end] == v[i])
            end++;
        if (end - i < min_run) {
            i += GROUP;
            continue;
        }
        if (from < i)
            p = packed(p, v + from, i - from, width);
        p = run(p, v[i], end - i, width);
        from = i = end;
    }
    if (from < n)
        p = packed(p, v + from, n - from, width);
    written(b, p);
    return NX_OK;
}

/* ------------------------------------------------------------------ DELTA_BINARY_PACKED */

/* MINI values of `width` bits, 0 to 64; keeps MINI * width / 8 bytes. */
static uint8_t *pack32(uint8_t *p, const uint64_t *v, int width)
{
    uint64_t acc = 0;
    int bits = 0;
    if (width == 0)
        return p;
    for (int i = 0; i < MINI; i++) {
        acc |= v[i] << bits;
        bits += width;
        if (bits < 64)
            continue;
        put64(p, acc);
        p += 8;
        bits -= 64;
        acc = bits == 0 ? 0 : v[i] >> (width - bits);
    }
    put64(p, acc); /* bits is a multiple of 8: MINI is one of 8 */
    return p + bits / 8;
}

static inline int64_t difference(int64_t a, int64_t b, bool narrow)
{
    return narrow ? (int32_t)((uint32_t)a - (uint32_t)b) : (int64_t)((uint64_t)a - (uint64_t)b);
}

/* One block of n differences: the least, the widths of the parts, the parts. Parts behind the last value have width 0 and no
 * bytes. */
static uint8_t *delta_block(uint8_t *p, const int64_t *d, size_t n, bool narrow)
{
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < n; i++)
        least = d[i] < least ? d[i] : least;
    p += varint(p, nx__pq_zigzag(least));
    uint8_t *widths = p;
    memset(widths, 0, MINIS);
    p += MINIS;
    for (size_t m = 0; m * MINI < n; m++) {
        uint64_t rest[MINI] = {0}, any = 0;
        size_t have = n - m * MINI < MINI ? n - m * MINI : MINI;
        for (size_t i = 0; i < have; i++) {
            uint64_t r = (uint64_t)d[m * MINI + i] - (uint64_t)least;
            rest[i] = narrow ? (uint32_t)r : r;
            any |= rest[i];
        }
        widths[m] = (uint8_t)nx__pq_bits(any);
        p = pack32(p, rest, widths[m]);
    }
    return p;
}

nx_status nx__pq_delta(nx_buf *b, const int64_t *v, size_t n, bool narrow)
{
    size_t blocks = n / BLOCK + 1;
    NX_TRY(nx_buf_reserve(b, 64 + blocks * (10 + MINIS + BLOCK * 8) + SLACK));
    uint8_t *p = (uint8_t *)b->p + b->n;
    p += varint(p, BLOCK);
    p += varint(p, MINIS);
    p += varint(p, n);
    p += varint(p, n == 0 ? 0 : nx__pq_zigzag(v[0]));
    for (size_t i = 1; i < n; i += BLOCK) {
        int64_t d[BLOCK] = {0};
        size_t have = n - i < BLOCK ? n - i : BLOCK;
        for (size_t k = 0; k < have; k++)
            d[k] = difference(v[i + k], v[i + k - 1], narrow);
        p = delta_block(p, d, have, narrow);
    }
    written(b, p);
    return NX_OK;
}

/* ------------------------------------------------------------------ PLAIN */

nx_status nx__pq_plain(nx_buf *b, const int64_t *v, size_t n, int width)
{
    NX_TRY(nx_buf_reserve(b, n * (size_t)width));
    char *p = b->p + b->n;
    if (width == 8)
        memcpy(p, v, n * 8);
    else
        for (size_t i = 0; i < n; i++) {
            int32_t w = (int32_t)v[i];
            memcpy(p + i * 4, &w, 4);
        }
    b->n += n * (size_t)width;
    b->p[b->n] = '\0';
    return NX_OK;
}

nx_status nx__pq_bools(nx_buf *b, const int64_t *v, size_t n)
{
    NX_TRY(nx_buf_reserve(b, n / 8 + 1));
    for (size_t i = 0; i < n; i += 8) {
        uint8_t byte = 0;
        for (size_t k = i; k < n && k < i + 8; k++)
            byte |= (uint8_t)((v[k] != 0) << (k - i));
        b->p[b->n++] = (char)byte;
    }
    b->p[b->n] = '\0';
    return NX_OK;
}
