/* Deletion vectors: which rows of a file are gone (facts: delta.md section 9; format: RoaringBitmapArray of the Delta
 * protocol). */
#include <stdio.h>

#include "base/hash.h"
#include "lake/lake_int.h"

enum { DV_BYTES_MAX = 256 << 20, MAGIC = 1681511377, COOKIE_PLAIN = 12346, COOKIE_RUNS = 12347 };

/* CRC-32 of zlib and PNG (reflected 0xEDB88320), four bits at a time: deletion vectors are small. */
static uint32_t crc32_of(nx_str s)
{
    static const uint32_t t[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4,
                                   0x4DB26158, 0x5005713C, 0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                   0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t c = 0xFFFFFFFF;
    for (size_t i = 0; i < s.n; i++) {
        c ^= (unsigned char)s.p[i];
        c = c >> 4 ^ t[c & 15];
        c = c >> 4 ^ t[c & 15];
    }
    return ~c;
}

static nx_status z85(nx_str s, nx_buf *b)
{
    static const char digits[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
    if (s.n % 5 != 0)
        return NX_CORRUPT;
    for (size_t i = 0; i < s.n; i += 5) {
        uint64_t v = 0;
        size_t pad =
            0; /* '#' in front of the last group: that many bytes short (as the z85 library of Rust writes it) */
        while (i + 5 == s.n && pad < 3 && s.p[i + pad] == '#')
            pad++;
        for (size_t k = pad; k < 5; k++) {
            const char *d = s.p[i + k] == '\0' ? NULL : strchr(digits, s.p[i + k]);
            if (d == NULL)
                return NX_CORRUPT;
            v = v * 85 + (uint64_t)(d - digits);
        }
        if (v > UINT32_MAX >> (8 * pad))
            return NX_CORRUPT;
        for (int shift = 24 - 8 * (int)pad; shift >= 0; shift -= 8)
            NX_TRY(nx_buf_addc(b, (char)(v >> shift & 255)));
    }
    return NX_OK;
}

typedef struct cursor {
    const unsigned char *p;
    size_t n;
    nx_buf *list;
    int64_t count;
} cursor;

static bool take(cursor *c, size_t bytes, uint64_t *ret) /* little endian */
{
    if (c->n < bytes)
        return false;
    *ret = 0;
    for (size_t i = 0; i < bytes; i++)
        *ret |= (uint64_t)c->p[i] << (8 * i);
    c->p += bytes;
    c->n -= bytes;
    return true;
}

static nx_status emit(cursor *c, uint64_t row)
{
    return nx_buf_addf(c->list, c->count++ == 0 ? "%llu" : ",%llu", (unsigned long long)row);
}

static nx_status runs(cursor *c, uint64_t base)
{
    uint64_t n, start, more;
    if (!take(c, 2, &n))
        return NX_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        if (!take(c, 2, &start) || !take(c, 2, &more) || start + more > 65535)
            return NX_CORRUPT;
        for (uint64_t v = start; v <= start + more; v++)
            NX_TRY(emit(c, base + v));
    }
    return NX_OK;
}

static nx_status container(cursor *c, uint64_t base, bool is_run, uint64_t card)
{
    if (is_run)
        return runs(c, base);
    uint64_t v;
    if (card <= 4096) {
        for (uint64_t i = 0; i < card; i++) {
            if (!take(c, 2, &v))
                return NX_CORRUPT;
            NX_TRY(emit(c, base + v));
        }
        return NX_OK;
    }
    for (uint64_t word = 0; word < 1024; word++) {
        if (!take(c, 8, &v))
            return NX_CORRUPT;
        for (; v != 0; v &= v - 1)
            NX_TRY(emit(c, base + word * 64 + (uint64_t)__builtin_ctzll(v)));
    }
    return NX_OK;
}

static nx_status roaring(cursor *c, uint64_t high)
{
    uint64_t cookie, n, skip;
    const unsigned char *run_bits = NULL;
    if (!take(c, 4, &cookie))
        return NX_CORRUPT;
    if ((cookie & 0xFFFF) == COOKIE_RUNS) {
        n = (cookie >> 16) + 1;
        size_t bytes = (size_t)(n + 7) / 8;
        if (c->n < bytes)
            return NX_CORRUPT;
        run_bits = c->p;
        c->p += bytes;
        c->n -= bytes;
    } else if (cookie != COOKIE_PLAIN || !take(c, 4, &n)) {
        return NX_CORRUPT;
    }
    const unsigned char *heads = c->p;
    if (n > 65536 || c->n < n * 4)
        return NX_CORRUPT;
    c->p += n * 4;
    c->n -= n * 4;
    if (run_bits == NULL || n >= 4)
        for (uint64_t i = 0; i < n; i++)
            if (!take(c, 4, &skip)) /* offsets: the containers follow in order anyway */
                return NX_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t key = heads[4 * i] | (uint64_t)heads[4 * i + 1] << 8;
        uint64_t card = (heads[4 * i + 2] | (uint64_t)heads[4 * i + 3] << 8) + 1;
        bool is_run = run_bits != NULL && (run_bits[i / 8] >> (i % 8) & 1) != 0;
        NX_TRY(container(c, high << 32 | key << 16, is_run, card));
    }
    return NX_OK;
}

static nx_status decode(nx_str bytes, nx_buf *list, int64_t *ret_count)
{
    cursor c = {(const unsigned char *)bytes.p, bytes.n, list, 0};
    uint64_t magic, buckets, high;
    if (!take(&c, 4, &magic) || magic != MAGIC || !take(&c, 8, &buckets))
        return NX_CORRUPT;
    for (uint64_t i = 0; i < buckets; i++) {
        if (!take(&c, 4, &high))
            return NX_CORRUPT;
        NX_TRY(roaring(&c, high));
    }
    *ret_count = c.count;
    return NX_OK;
}

static uint32_t big32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* Appends "<prefix/>deletion_vector_<uuid>.bin". */
static nx_status file_name(const nx__dv *dv, nx_buf *b)
{
    nx_buf raw NX_BUF_AUTO;
    nx_buf_init(&raw, 64);
    if (dv->path.n < 20)
        return NX_CORRUPT;
    size_t cut = dv->path.n - 20;
    char hex[33];
    NX_TRY(z85(nx_str_sub(dv->path, cut, dv->path.n), &raw));
    nx_hex(raw.p, 16, hex);
    if (cut > 0) {
        NX_TRY(nx_buf_add(b, nx_str_sub(dv->path, 0, cut)));
        NX_TRY(nx_buf_addc(b, '/'));
    }
    return nx_buf_addf(b, "deletion_vector_%.8s-%.4s-%.4s-%.4s-%.12s.bin", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

/* The bytes of the vector out of its file: size and checksum are compared. */
static nx_status from_file(const nx_table *t, const nx__dv *dv, nx_buf *bytes, nx_err *err)
{
    nx_buf rel NX_BUF_AUTO, name NX_BUF_AUTO, file NX_BUF_AUTO;
    nx_buf_init(&rel, 1 << 16);
    nx_buf_init(&name, 1 << 16);
    nx_buf_init(&file, DV_BYTES_MAX);
    if (dv->storage == 'p')
        NX_TRY(nx__path_normal(dv->path, nx_str_of(t->root), &rel, err));
    else
        NX_TRY(file_name(dv, &rel));
    if (rel.p[0] == '/' || nx_str_find(nx_buf_str(&rel), NX_STR(".."), 0) != SIZE_MAX)
        return nx_fail(err, NX_UNSUPPORTED, "deletion vector file \"%s\" lies outside of the table's folder", rel.p);
    NX_TRY(nx__table_object(t, nx_buf_str(&rel), &name));
    NX_TRY(nx_store_get(t->store, name.p, &file, err));
    size_t at = dv->offset < 0 ? 0 : (size_t)dv->offset, n = (size_t)dv->bytes;
    if (file.n < 8 || at > file.n - 8 || n > file.n - 8 - at || file.p[0] != 1 || big32(file.p + at) != n)
        return NX_CORRUPT;
    nx_str data = nx_str_sub(nx_buf_str(&file), at + 4, at + 4 + n);
    return crc32_of(data) == big32(data.p + n) ? nx_buf_add(bytes, data) : NX_CORRUPT;
}

nx_status nx__dv_rows(const nx_table *t, const nx__dv *dv, nx_buf *list, nx_err *err)
{
    nx_buf bytes NX_BUF_AUTO;
    nx_buf_init(&bytes, DV_BYTES_MAX);
    int64_t count = -1;
    nx_err why = {0};
    nx_status st;
    if (dv->storage == 'i') {
        st = z85(dv->path, &bytes);
        if (st == NX_OK && bytes.n >= (size_t)dv->bytes)
            bytes.n = (size_t)dv->bytes; /* padding */
    } else {
        st = from_file(t, dv, &bytes, &why);
    }
    if (st == NX_OK)
        st = decode(nx_buf_str(&bytes), list, &count);
    if (st == NX_OK && count != dv->cardinality)
        st = NX_CORRUPT;
    if (st == NX_OK)
        return NX_OK;
    const char *cause = why.text[0] != '\0' ? why.text
                        : st == NX_CORRUPT  ? "its magic, size, checksum or row count does not fit"
                                            : nx_status_text(st);
    return nx_fail(err, st, "could not read deletion vector " NX_STR_FMT " of table %s: %s", NX_STR_ARG(dv->path),
                   t->name, cause);
}
