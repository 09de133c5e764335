/* io/zstd.h
 *
 * Blocks of bytes as zstd frames, for those who write files page by page. Reading lines: io/lines.h.
 * Memory   One compression context, 1 to 4 MiB at the usual levels, kept from frame to frame.
 * Thread   One owner at a time.
 */
#ifndef NX_IO_ZSTD_H
#define NX_IO_ZSTD_H

#include "base/str.h"

enum { NX_ZSTD_LEVEL_DEFAULT = 3 };

typedef struct nx_zstd nx_zstd;

/* level 0 means NX_ZSTD_LEVEL_DEFAULT. NX_NOMEM. */
NX_MUST_USE nx_status nx_zstd_new(int level, nx_zstd **ret, nx_err *err);
void nx_zstd_drop(nx_zstd *z); /* may be NULL */
/* Appends one frame that holds the bytes. NX_NOMEM; NX_LIMIT past b's maximum. */
NX_MUST_USE nx_status nx_zstd_add(nx_zstd *z, nx_str bytes, nx_buf *b, nx_err *err);

#endif
