/* io/lines.h
 *
 * Reads a text file line by line, plain or zstd-compressed (recognised by its first bytes, not by its name; several
 * zstd frames one after the other are one file).
 * Memory   One line, at most line_bytes_max, beside fixed buffers of about 0.5 MiB (zstd's window: at most 128 MiB,
 *          then NX_LIMIT).
 * Thread   One owner at a time.
 */
#ifndef NX_IO_LINES_H
#define NX_IO_LINES_H

#include "base/str.h"

typedef struct nx_lines nx_lines;

/* NX_NOT_FOUND, NX_IO. line_bytes_max 0 means 64 MiB. */
NX_MUST_USE nx_status nx_lines_open(const char *path, size_t line_bytes_max, nx_lines **ret, nx_err *err);
void nx_lines_close(nx_lines *l); /* may be NULL */
/* The next line without its LF (or CR LF); valid until the next call. The last line needs no LF. NX_NOTHING: end of
 * file. NX_LIMIT: longer than line_bytes_max; NX_CORRUPT: zstd data broken or cut; both name file and line. */
NX_MUST_USE nx_status nx_lines_next(nx_lines *l, nx_str *ret, nx_err *err);
uint64_t nx_lines_number(const nx_lines *l); /* of the line handed out last, from 1; 0 before the first */

#endif
