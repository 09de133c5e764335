#include "base/hash.h"

/* 64 x 64 -> 128 bits, both halves folded: the mixing step of the wyhash family. */
static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t read64(const unsigned char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

static uint64_t read32(const unsigned char *p)
{
    uint32_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

uint64_t nx_hash64(const void *p, size_t n, uint64_t seed)
{
    const uint64_t k0 = 0xa0761d6478bd642fu, k1 = 0xe7037ed1a0b428dbu, k2 = 0x8ebc6af09c88c6e3u;
    const unsigned char *b = p;
    size_t left = n;
    uint64_t h = seed ^ k0;
    for (; left >= 16; left -= 16, b += 16)
        h = fold(read64(b) ^ k1, read64(b + 8) ^ h);
    uint64_t x = 0, y = 0; /* the last 0 to 15 bytes, by loads that overlap where they must */
    if (left >= 8) {
        x = read64(b);
        y = read64(b + left - 8);
    } else if (left >= 4) {
        x = read32(b);
        y = read32(b + left - 4);
    } else if (left > 0)
        x = (uint64_t)b[0] << 16 | (uint64_t)b[left / 2] << 8 | b[left - 1];
    h = fold(x ^ k1, y ^ h);
    return fold(h ^ k2, (uint64_t)n ^ k1);
}

void nx_hex(const void *p, size_t n, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * n] = '\0';
}

nx_status nx_base64_encode(nx_buf *b, const void *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = p;
    if (n > SIZE_MAX / 4 * 3 - 4)
        return NX_LIMIT;
    NX_TRY(nx_buf_reserve(b, (n + 2) / 3 * 4));
    char *out = b->p + b->n;
    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t v = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0u);
        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = left > 1 ? digits[v >> 6 & 63] : '=';
        *out++ = left > 2 ? digits[v & 63] : '=';
    }
    b->n = (size_t)(out - b->p);
    *out = '\0';
    return NX_OK;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

nx_status nx_base64_decode(nx_buf *b, nx_str text)
{
    if (text.n % 4 != 0)
        return NX_INVALID;
    NX_TRY(nx_buf_reserve(b, text.n / 4 * 3));
    size_t start = b->n;
    for (size_t i = 0; i < text.n; i += 4) {
        bool last = i + 4 == text.n;
        int pad = !last || text.p[i + 3] != '=' ? 0 : text.p[i + 2] == '=' ? 2 : 1;
        uint32_t v = 0;
        for (int k = 0; k < 4; k++) {
            int d = k >= 4 - pad ? 0 : base64_value(text.p[i + (size_t)k]);
            if (d < 0) {
                b->n = start;
                return NX_INVALID;
            }
            v = v << 6 | (uint32_t)d;
        }
        /* bits that no byte takes must be 0: one text for one value */
        if ((pad == 1 && (v & 0xFF) != 0) || (pad == 2 && (v & 0xFFFF) != 0)) {
            b->n = start;
            return NX_INVALID;
        }
        for (int k = 0; k < 3 - pad; k++)
            b->p[b->n++] = (char)(v >> (16 - 8 * k) & 0xFF);
    }
    b->p[b->n] = '\0';
    return NX_OK;
}
