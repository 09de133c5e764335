#include "io/deflate.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    INFLATE_STEP = 16 << 10,
    LEVEL = 1,     /* market data shrinks to a fifth at once and to a sixth with ten times the work */
    MEM_LEVEL = 8, /* 128 KiB of hash tables */
    WINDOW_MIN = 9 /* of zlib's raw compressor: it makes none of 8 */
};

struct nx_deflate {
    nx_deflate_params params;
    bool server, in_up, out_up, in_message;
    size_t taken; /* bytes of the message being received */
    z_stream in, out;
    nx_buf packed; /* the message being sent */
};

nx_status nx_deflate_new(const nx_deflate_params *p, bool server, nx_deflate **ret, nx_err *err)
{
    nx_deflate *z = calloc(1, sizeof *z);
    if (z == NULL)
        return nx_nomem(err);
    z->params = *p;
    z->server = server;
    nx_buf_init(&z->packed, 0);
    *ret = z;
    return NX_OK;
}

void nx_deflate_drop(nx_deflate *z)
{
    if (z == NULL)
        return;
    if (z->in_up)
        (void)inflateEnd(&z->in);
    if (z->out_up)
        (void)deflateEnd(&z->out);
    nx_buf_drop(&z->packed);
    free(z);
}

/* ------------------------------------------------------------------ receiving */

static nx_status broken(nx_err *err, const char *why)
{
    return nx_fail(err, NX_INVALID, "a compressed message is broken: %s", why);
}

/* A block marked as the last one ends zlib's stream, not ours: the window goes on into the next (RFC 7692 section 7.2.3.4). */
static nx_status go_on(nx_deflate *z, nx_err *err)
{
    Bytef window[32768];
    uInt n = sizeof window;
    if (inflateGetDictionary(&z->in, window, &n) != Z_OK || inflateReset(&z->in) != Z_OK ||
        inflateSetDictionary(&z->in, window, n) != Z_OK)
        return nx_fail(err, NX_INTERNAL, "the window of a compressed message could not be carried on");
    return NX_OK;
}

/* Inflates all of z->in's input into out. */
static nx_status inflate_all(nx_deflate *z, nx_buf *out, nx_err *err)
{
    for (;;) {
        Bytef over = 0; /* at the maximum: does anything more come? */
        size_t room = out->max - out->n, step = room < INFLATE_STEP ? room : INFLATE_STEP;
        NX_TRY(nx_buf_reserve(out, step));
        z->in.next_out = room == 0 ? &over : (Bytef *)out->p + out->n;
        z->in.avail_out = room == 0 ? 1 : (uInt)step;
        int got = inflate(&z->in, Z_SYNC_FLUSH);
        size_t made = (room == 0 ? 1 : step) - z->in.avail_out;
        if (room == 0 && made > 0)
            return nx_fail(err, NX_LIMIT, "a compressed message inflates to more than %zu bytes", out->max);
        out->n += made;
        if (room > 0)
            out->p[out->n] = '\0';
        if (got == Z_STREAM_END)
            NX_TRY(go_on(z, err));
        else if (got == Z_MEM_ERROR)
            return nx_nomem(err);
        else if (got != Z_OK && got != Z_BUF_ERROR)
            return broken(err, z->in.msg == NULL ? "no deflate stream" : z->in.msg);
        if (z->in.avail_in == 0 && z->in.avail_out > 0)
            return NX_OK;
        if (got == Z_BUF_ERROR && z->in.avail_out > 0)
            return broken(err, "no deflate stream");
    }
}

static nx_status begin_take(nx_deflate *z, nx_err *err)
{
    bool fresh = z->server ? z->params.client_no_context : z->params.server_no_context;
    /* The whole window, whatever was agreed: with a smaller one it would hang on how the bytes were cut whether zlib sees that a peer goes past it. */
    if (!z->in_up && inflateInit2(&z->in, -MAX_WBITS) != Z_OK)
        return nx_nomem(err);
    if (z->in_up && fresh && inflateReset(&z->in) != Z_OK)
        return nx_fail(err, NX_INTERNAL, "a decompressor could not be reset");
    z->in_up = z->in_message = true;
    z->taken = 0;
    return NX_OK;
}

nx_status nx_deflate_take(nx_deflate *z, nx_str part, bool last, nx_buf *out, nx_err *err)
{
    static const unsigned char tail[4] = {0x00, 0x00, 0xFF, 0xFF}; /* of the empty block that the sender leaves off */
    if (!z->in_message)
        NX_TRY(begin_take(z, err));
    if (part.n > UINT32_MAX)
        return nx_fail(err, NX_LIMIT, "a frame of %zu bytes cannot be inflated", part.n);
    z->in.next_in = (Bytef *)(uintptr_t)part.p; /* zlib's older interface knows no const */
    z->in.avail_in = (uInt)part.n;
    z->taken += part.n;
    NX_TRY(inflate_all(z, out, err));
    if (!last)
        return NX_OK;
    z->in_message = false;
    if (z->taken == 0) /* an empty message should be the byte 0, but not every sender knows */
        return NX_OK;
    z->in.next_in = (Bytef *)(uintptr_t)tail;
    z->in.avail_in = sizeof tail;
    NX_TRY(inflate_all(z, out, err));
    /* 128: at a block's end; below: no bit of another one was read */
    return (z->in.data_type & ~64) == 128 ? NX_OK : broken(err, "it ends within a block");
}

/* ------------------------------------------------------------------ sending */

static nx_status begin_give(nx_deflate *z, nx_err *err)
{
    int bits = z->server ? z->params.server_bits : z->params.client_bits;
    bool fresh = z->server ? z->params.server_no_context : z->params.client_no_context;
    if (bits < WINDOW_MIN)
        return NX_NOTHING;
    if (!z->out_up && deflateInit2(&z->out, LEVEL, Z_DEFLATED, -bits, MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
        return nx_nomem(err);
    if (z->out_up && fresh)
        nx_deflate_unsent(z);
    z->out_up = true;
    return NX_OK;
}

void nx_deflate_unsent(nx_deflate *z)
{
    if (z->out_up)
        (void)deflateReset(&z->out); /* fails for a broken state only */
}

nx_status nx_deflate_give(nx_deflate *z, nx_str message, nx_str *ret, nx_err *err)
{
    if (message.n == 0 || message.n > UINT32_MAX / 2)
        return NX_NOTHING;
    NX_TRY(begin_give(z, err));
    nx_buf_clear(&z->packed);
    size_t most = deflateBound(&z->out, (uLong)message.n) + 16;
    nx_status st = nx_buf_reserve(&z->packed, most);
    if (st != NX_OK)
        return nx_fail(err, st, "a message of %zu bytes could not be compressed: %s", message.n, nx_status_text(st));
    z->out.next_in = (Bytef *)(uintptr_t)message.p;
    z->out.avail_in = (uInt)message.n;
    z->out.next_out = (Bytef *)z->packed.p;
    z->out.avail_out = (uInt)most;
    int got = deflate(&z->out, Z_SYNC_FLUSH);
    size_t n = most - z->out.avail_out;
    if (got != Z_OK || z->out.avail_in > 0 || z->out.avail_out == 0 || n < 5 || n - 4 >= message.n) {
        nx_deflate_unsent(z); /* the peer's window will not have seen this message */
        return NX_NOTHING;
    }
    *ret = (nx_str){z->packed.p, n - 4};
    return NX_OK;
}
