/* io/store.h
 *
 * Objects under a root: the one view that the lake has of local disk (and later of ADLS Gen2). Names are relative,
 * '/'-separated, never with "..", empty or absolute parts (NX_INVALID). An object is visible whole or not at all.
 * Thread   Any.
 */
#ifndef NX_IO_STORE_H
#define NX_IO_STORE_H

#include "base/str.h"

typedef struct nx_store nx_store;

typedef struct nx_store_entry {
    const char *name; /* relative to the listed folder */
    uint64_t bytes;
    int64_t modified_ms;
    bool is_dir;
} nx_store_entry;
typedef nx_status (*nx_store_list_fn)(void *ctx, const nx_store_entry *e, nx_err *err);

/* root: a folder path (made on first write). Other schemes: NX_UNSUPPORTED naming it. */
NX_MUST_USE nx_status nx_store_open(const char *root, nx_store **ret, nx_err *err);
void nx_store_close(nx_store *s);
const char *nx_store_root(const nx_store *s);
/* Appends the object; NX_NOT_FOUND; NX_LIMIT past b's maximum. */
NX_MUST_USE nx_status nx_store_get(nx_store *s, const char *name, nx_buf *b, nx_err *err);
/* Creates if absent, durable when it returns; NX_EXISTS: somebody else was first, nothing changed. */
NX_MUST_USE nx_status nx_store_put_new(nx_store *s, const char *name, nx_str bytes, nx_err *err);
NX_MUST_USE nx_status nx_store_put(nx_store *s, const char *name, nx_str bytes, nx_err *err); /* replaces */
NX_MUST_USE nx_status nx_store_delete(nx_store *s, const char *name, nx_err *err);            /* absent is fine */
/* Entries of one folder in byte order of names; an absent folder is empty. */
NX_MUST_USE nx_status nx_store_list(nx_store *s, const char *folder, nx_store_list_fn fn, void *ctx, nx_err *err);
NX_MUST_USE nx_status nx_store_exists(nx_store *s, const char *name, bool *ret, nx_err *err);
/* A local path from which the engine can read the object now (for local stores the file itself), and one where a new
 * object can be written by the engine; nx_store_publish() then makes it the object `name` (syncs it; no copy on local
 * disk). It may be called again after a failure. */
NX_MUST_USE nx_status nx_store_local_path(nx_store *s, const char *name, nx_buf *path, nx_err *err);
NX_MUST_USE nx_status nx_store_stage_path(nx_store *s, const char *name, nx_buf *path, nx_err *err);
NX_MUST_USE nx_status nx_store_publish(nx_store *s, const char *name, nx_err *err);

#endif
