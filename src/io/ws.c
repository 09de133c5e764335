#include "io/ws.h"

#include <openssl/evp.h>

typedef uint64_t wide __attribute__((vector_size(64)));

void nx_ws_mask(char *p, size_t n, const unsigned char mask[4], size_t phase)
{
    unsigned char m[8];
    for (size_t i = 0; i < 8; i++)
        m[i] = mask[(phase + i) & 3];
    uint64_t k, w;
    memcpy(&k, m, 8);
    const wide kk = {k, k, k, k, k, k, k, k};
    for (; n >= 64; p += 64, n -= 64) {
        wide v;
        memcpy(&v, p, 64);
        v ^= kk;
        memcpy(p, &v, 64);
    }
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&w, p, 8);
        w ^= k;
        memcpy(p, &w, 8);
    }
    if ((n & 4) != 0) { /* the tail by halves: 4, 2, 1 */
        uint32_t half, key;
        memcpy(&half, p, 4);
        memcpy(&key, m, 4);
        half ^= key;
        memcpy(p, &half, 4);
        p += 4;
    }
    for (size_t i = 0; i < (n & 3); i++)
        p[i] = (char)(p[i] ^ (char)m[i]);
}

static nx_status refuse(int code, int *ret_close, nx_err *err, const char *why)
{
    *ret_close = code;
    return nx_fail(err, NX_INVALID, "bad WebSocket frame: %s", why);
}

/* Payload length and size of the header; false when the header is not whole (*head: what it needs). */
static bool read_length(const unsigned char *h, size_t left, size_t *head, uint64_t *ret_len)
{
    uint64_t len = h[1] & 0x7F;
    size_t extra = len == 126 ? 2 : len == 127 ? 8 : 0;
    *head = 2 + extra + ((h[1] & 0x80) != 0 ? 4 : 0);
    if (left < *head)
        return false;
    if (extra > 0) {
        len = 0;
        for (size_t i = 0; i < extra; i++)
            len = len << 8 | h[2 + i];
    }
    *ret_len = len;
    return true;
}

nx_status nx_ws_next(char *bytes, size_t n, size_t *at, const nx_ws_limits *lim, nx_ws_frame *ret, size_t *need,
                     int *ret_close, nx_err *err)
{
    const unsigned known = 1u << NX_WS_CONT | 1u << NX_WS_TEXT | 1u << NX_WS_BINARY | 1u << NX_WS_CLOSE |
                           1u << NX_WS_PING | 1u << NX_WS_PONG;
    unsigned char *h = (unsigned char *)bytes + *at;
    size_t left = n - *at, head = 2;
    uint64_t len = 0;
    if (left < 2) {
        *need = 2;
        return NX_AGAIN;
    }
    unsigned op = h[0] & 0x0F;
    bool masked = (h[1] & 0x80) != 0;
    bool deflated = (h[0] & 0x40) != 0;
    if (NX_UNLIKELY((h[0] & 0x30) != 0 || (deflated && !lim->deflate)))
        return refuse(NX_WS_CLOSE_PROTOCOL, ret_close, err, "reserved bits are set that no extension was agreed for");
    if (NX_UNLIKELY(deflated && op != NX_WS_TEXT && op != NX_WS_BINARY))
        return refuse(NX_WS_CLOSE_PROTOCOL, ret_close, err,
                      "only the first frame of a message says that it is compressed");
    if (NX_UNLIKELY((known >> op & 1) == 0))
        return refuse(NX_WS_CLOSE_PROTOCOL, ret_close, err, "unknown operation code");
    if (NX_UNLIKELY(masked != lim->expect_masked))
        return refuse(NX_WS_CLOSE_PROTOCOL, ret_close, err, masked ? "masked by a server" : "not masked by a client");
    if (NX_UNLIKELY(op >= NX_WS_CLOSE && ((h[0] & 0x80) == 0 || (h[1] & 0x7F) > 125)))
        return refuse(NX_WS_CLOSE_PROTOCOL, ret_close, err, "a control frame in fragments or over 125 bytes");
    if (!read_length(h, left, &head, &len)) {
        *need = head;
        return NX_AGAIN;
    }
    if (NX_UNLIKELY(len > lim->message_bytes_max))
        return refuse(NX_WS_CLOSE_TOO_BIG, ret_close, err, "larger than the limit for a message");
    if (left - head < len) {
        *need = head + (size_t)len;
        return NX_AGAIN;
    }
    *ret = (nx_ws_frame){(nx_ws_op)op, (h[0] & 0x80) != 0, deflated, (char *)h + head, (size_t)len};
    if (masked) {
        uint32_t key;
        memcpy(&key, h + head - 4, 4);
        if (key != 0) {
            nx_ws_mask(ret->p, ret->n, h + head - 4, 0);
            memset(h + head - 4, 0, 4); /* the bytes may be read again */
        }
    }
    *at += head + (size_t)len;
    return NX_OK;
}

int nx_ws_close_answer(const nx_ws_frame *f, int *ret_code)
{
    *ret_code = f->n < 2 ? 1005 : (int)((unsigned char)f->p[0] << 8 | (unsigned char)f->p[1]);
    int code = *ret_code;
    if (f->n == 0)
        return 0;
    bool known = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014), own = code >= 3000 && code <= 4999;
    if (f->n == 1 || (!known && !own))
        return NX_WS_CLOSE_PROTOCOL;
    return nx_utf8_valid((nx_str){f->p + 2, f->n - 2}) ? code : NX_WS_CLOSE_BAD_DATA;
}

static nx_status write_frame(nx_buf *b, unsigned first, nx_str payload, const unsigned char *mask)
{
    unsigned char h[14];
    size_t k = 2;
    h[0] = (unsigned char)first;
    if (payload.n < 126) {
        h[1] = (unsigned char)payload.n;
    } else {
        size_t extra = payload.n <= 0xFFFF ? 2 : 8;
        h[1] = extra == 2 ? 126 : 127;
        for (size_t i = 0; i < extra; i++)
            h[2 + i] = (unsigned char)((uint64_t)payload.n >> 8 * (extra - 1 - i));
        k += extra;
    }
    if (mask != NULL) {
        h[1] |= 0x80;
        memcpy(h + k, mask, 4);
        k += 4;
    }
    NX_TRY(nx_buf_reserve(b, k + payload.n));
    memcpy(b->p + b->n, h, k);
    if (payload.n > 0)
        memcpy(b->p + b->n + k, payload.p, payload.n);
    if (mask != NULL)
        nx_ws_mask(b->p + b->n + k, payload.n, mask, 0);
    b->n += k + payload.n;
    b->p[b->n] = '\0';
    return NX_OK;
}

nx_status nx_ws_write(nx_buf *b, nx_ws_op op, bool fin, nx_str payload, const unsigned char *mask)
{
    return write_frame(b, (fin ? 0x80u : 0u) | op, payload, mask);
}

nx_status nx_ws_write_deflated(nx_buf *b, nx_ws_op op, nx_str packed, const unsigned char *mask)
{
    return write_frame(b, 0xC0u | op, packed, mask);
}

void nx_ws_accept(nx_str key, char out[29])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 section 1.3 */
    char text[128];
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    size_t k = key.n < sizeof text - sizeof guid ? key.n : sizeof text - sizeof guid;
    memcpy(text, key.p, k);
    memcpy(text + k, guid, sizeof guid - 1);
    out[0] = '\0';
    if (EVP_Digest(text, k + sizeof guid - 1, digest, &n, EVP_sha1(), NULL) == 1)
        EVP_EncodeBlock((unsigned char *)out, digest, (int)n);
}
