#include "io/zstd.h"

#include <stdlib.h>
#include <zstd.h>

struct nx_zstd {
    ZSTD_CCtx *ctx;
};

nx_status nx_zstd_new(int level, nx_zstd **ret, nx_err *err)
{
    nx_zstd *z = calloc(1, sizeof *z);
    if (z == NULL)
        return nx_nomem(err);
    z->ctx = ZSTD_createCCtx();
    if (z->ctx == NULL) {
        free(z);
        return nx_nomem(err);
    }
    size_t rc =
        ZSTD_CCtx_setParameter(z->ctx, ZSTD_c_compressionLevel, level == 0 ? (int)NX_ZSTD_LEVEL_DEFAULT : level);
    if (ZSTD_isError(rc)) {
        nx_zstd_drop(z);
        return nx_fail(err, NX_INVALID, "could not set zstd level %d: %s", level, ZSTD_getErrorName(rc));
    }
    *ret = z;
    return NX_OK;
}

void nx_zstd_drop(nx_zstd *z)
{
    if (z == NULL)
        return;
    ZSTD_freeCCtx(z->ctx);
    free(z);
}

nx_status nx_zstd_add(nx_zstd *z, nx_str bytes, nx_buf *b, nx_err *err)
{
    nx_status st = nx_buf_reserve(b, ZSTD_compressBound(bytes.n));
    if (st != NX_OK)
        return nx_fail(err, st, "could not compress %zu bytes: no room for the frame", bytes.n);
    size_t n = ZSTD_compress2(z->ctx, b->p + b->n, b->cap - b->n - 1, bytes.p, bytes.n);
    if (ZSTD_isError(n))
        return nx_fail(err, NX_NOMEM, "could not compress %zu bytes: %s", bytes.n, ZSTD_getErrorName(n));
    b->n += n;
    b->p[b->n] = '\0';
    return NX_OK;
}
