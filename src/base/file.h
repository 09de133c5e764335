/* base/file.h
 *
 * Files that survive power loss: whole-file reads with a limit, atomic replacement
 * (temporary name, fsync, rename, fsync of the folder), put-if-absent by link().
 * Faults   FILE_WRITE (short: half of the bytes get there, then "no space left"), FILE_FSYNC, FILE_RENAME, FILE_LINK.
 * Thread   No shared state; two threads must not work on the same name unless said.
 */
#ifndef NX_BASE_FILE_H
#define NX_BASE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/str.h"

/* Appends the whole file to b. NX_NOT_FOUND, NX_IO, NX_LIMIT when larger than b may grow. */
NX_MUST_USE nx_status nx_file_read(const char *path, nx_buf *b, nx_err *err);
/* Replaces path by the bytes, durable when it returns; readers see the old or the new. */
NX_MUST_USE nx_status nx_file_replace(const char *path, nx_str bytes, nx_err *err);
/* Creates path with the bytes, durable when it returns, or NX_EXISTS and nothing changed. Of many callers
 * (threads or processes) exactly one wins. Readers never see part of it. */
NX_MUST_USE nx_status nx_file_create(const char *path, nx_str bytes, nx_err *err);
NX_MUST_USE nx_status nx_file_sync(const char *path, nx_err *err);  /* fdatasync of an existing file */
NX_MUST_USE nx_status nx_dir_sync(const char *path, nx_err *err);   /* fsync of a folder */
NX_MUST_USE nx_status nx_dir_make(const char *path, nx_err *err);   /* mkdir -p; syncs created parents */
NX_MUST_USE nx_status nx_dir_remove(const char *path, nx_err *err); /* rm -r; absent is fine */
/* Calls fn for each entry except "." and ".." in byte order of names; stops at the first status that is not NX_OK. */
NX_MUST_USE nx_status nx_dir_list(const char *path,
                                  nx_status (*fn)(void *ctx, const char *name, bool is_dir, nx_err *err), void *ctx,
                                  nx_err *err);
bool nx_file_exists(const char *path);
/* All n bytes or an error (handles short writes, EINTR). */
NX_MUST_USE nx_status nx_fd_write(int fd, const void *p, size_t n, nx_err *err);

/* An exclusive lock on a file, held until nx_lock_drop or the end of the process. The file holds the owner's process
 * id; NX_CONFLICT names it. */
typedef struct nx_lock {
    int fd;
} nx_lock;
NX_MUST_USE nx_status nx_lock_take(nx_lock *l, const char *path, nx_err *err);
void nx_lock_drop(nx_lock *l);

/* Closes and sets to -1; for NX_AUTO. */
void nx_fd_drop(int *fd);

#endif
