/* lake/wal.h
 *
 * Write-ahead log of the edge: a frame is on disk (fdatasync) before it is acknowledged. Segments are preallocated with zeros and reused;
 * records are grouped: one block (header, CRC-32C) holds what one sync takes.
 *
 * Invariants
 *   1  A position is given to one frame once, rising, never reused, across restarts.
 *   2  nx_wal_sync() returned NX_OK: every record appended before is readable after power loss.
 *   3  Recovery hands over exactly the synced records at positions above the released one, in order, and stops at the
 *      first torn block of the newest segment; a bad block anywhere else is NX_CORRUPT naming segment and offset.
 *   4  A failed fdatasync poisons the log: every later call fails (the kernel may have dropped the pages).
 * Files     <dir>/wal-<first position, 20 digits>.seg; layout at the top of wal.c. <dir>/lock: one process.
 * Thread    One owner thread appends and syncs; nx_wal_release() may be called from another.
 * Memory    The block being built (at most block_bytes_max).
 */
#ifndef NX_LAKE_WAL_H
#define NX_LAKE_WAL_H

#include "base/str.h"

typedef struct nx_wal nx_wal;

typedef struct nx_wal_opts {
    size_t segment_bytes;     /* 0 means 64 MiB */
    size_t block_bytes_max;   /* 0 means 4 MiB: largest group, and largest record */
    const char *contracts;    /* ids in force, newline separated; written into each segment header */
} nx_wal_opts;

typedef enum nx_wal_kind {
    NX_WAL_FRAME = 1,         /* a data frame as received */
    NX_WAL_VERDICTS = 2       /* reserved for verdict bytes beside a frame */
} nx_wal_kind;

typedef struct nx_wal_record {
    uint64_t pos;             /* 1.. */
    int64_t received_ns;
    uint64_t producer_seq;    /* frame number of the producer; 0: none */
    uint32_t producer;        /* id given by nx_wal_producer() */
    uint32_t accepted, rejected; /* the verdict when it was received */
    nx_str bytes;
} nx_wal_record;

/* Opens or creates; takes the folder's lock (NX_CONFLICT names the process). Call nx_wal_recover() before the first append. */
NX_MUST_USE nx_status nx_wal_open(const char *dir, const nx_wal_opts *o, nx_wal **ret, nx_err *err);
void nx_wal_close(nx_wal *w); /* syncs what is appended; NULL is fine */

typedef nx_status (*nx_wal_fn)(void *ctx, const nx_wal_record *r, nx_err *err);
/* Hands every record above the position to fn, in order. */
NX_MUST_USE nx_status nx_wal_recover(nx_wal *w, uint64_t after_pos, nx_wal_fn fn, void *ctx, nx_err *err);

/* Producers: a small id for a name, and its last frame number. The map is carried in every new segment header, so that it
 * outlives released segments. */
NX_MUST_USE nx_status nx_wal_producer(nx_wal *w, nx_str name, uint32_t *ret_id, nx_err *err);
const char *nx_wal_producer_name(nx_wal *w, uint32_t id);
uint64_t nx_wal_producer_last(nx_wal *w, uint32_t id); /* last appended frame number; durable after the next sync */

/* Appends to the block being built; gives the position. NX_AGAIN: the block is full, sync first. */
NX_MUST_USE nx_status nx_wal_append(nx_wal *w, nx_wal_record *r, nx_err *err);
/* Writes the block and fdatasyncs. Nothing appended: NX_OK at once. */
NX_MUST_USE nx_status nx_wal_sync(nx_wal *w, nx_err *err);
uint64_t nx_wal_durable_pos(const nx_wal *w);
/* All records up to pos are in committed table versions: segments wholly below it are reused. */
NX_MUST_USE nx_status nx_wal_release(nx_wal *w, uint64_t pos, nx_err *err);
/* Bytes in segments not yet released (for back-pressure and metrics). */
uint64_t nx_wal_held_bytes(const nx_wal *w);

#endif
