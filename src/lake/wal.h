/* lake/wal.h
 *
 * Write-ahead log of the edge: a frame is on disk (fdatasync) before it is acknowledged. Segments are preallocated with
 * zeros and reused; records are grouped: one block (header, CRC-32C) holds what one sync takes.
 *
 * Invariants
 *   1  A position is given to one frame once, rising, never reused, across restarts.
 *   2  nx_wal_sync() returned NX_OK: every record appended before is readable after power loss.
 *   3  Recovery hands over exactly the written records above the given position, in order, and stops at the first torn
 *      block of the newest segment; a bad block anywhere else, or one with good blocks behind it, is NX_CORRUPT naming
 *      segment and offset.
 *   4  A failed fdatasync poisons the log: every later call fails (the kernel may have dropped the pages). A failed
 *      write does not: the block stays in memory and the next nx_wal_sync() writes it again.
 *   5  What an earlier use of a segment left behind is never read: blocks carry their segment's random epoch.
 *   6  A segment's header names the contracts under which all its frames were taken: other contracts, another segment.
 * Files     <dir>/wal-<first position, 20 digits>.seg, free-<...>.seg (to be reused), lock; layout in wal_int.h.
 * Thread    One owner thread calls everything; nx_wal_release() and nx_wal_held_bytes() may be called from another.
 * Memory    The block being built (at most block_bytes_max), some 100 bytes a producer.
 */
#ifndef NX_LAKE_WAL_H
#define NX_LAKE_WAL_H

#include "base/str.h"

typedef struct nx_wal nx_wal;

typedef struct nx_wal_opts {
    size_t segment_bytes;   /* 0 means 64 MiB */
    size_t block_bytes_max; /* 0 means 4 MiB: largest group, and (less 128 bytes) largest record */
    size_t producers_max;   /* 0 means 65,536 names */
    const char *contracts;  /* those in force, a name a line; written into each segment header; NULL means "" */
} nx_wal_opts;

typedef struct nx_wal_record {
    uint64_t pos;                /* 1.. */
    int64_t received_ns;         /* wall clock */
    uint64_t producer_seq;       /* frame number of the producer; 0: none */
    uint32_t producer;           /* id given by nx_wal_producer() */
    uint32_t accepted, rejected; /* the verdict when it was received */
    nx_str bytes;
    const char *contracts; /* recovery only: those in force when it was written */
} nx_wal_record;

/* Opens or creates; takes the folder's lock (NX_CONFLICT names the process). Call nx_wal_recover() before anything
 * but nx_wal_each_segment(). */
NX_MUST_USE nx_status nx_wal_open(const char *dir, const nx_wal_opts *o, nx_wal **ret, nx_err *err);
/* Syncs what is appended (as far as it can) and lets the lock go; NULL is fine. */
void nx_wal_close(nx_wal *w);

/* Calls fn with the contracts of each segment, oldest first; for a look before nx_wal_recover(). */
typedef nx_status (*nx_wal_segment_fn)(void *ctx, uint64_t first_pos, const char *contracts, nx_err *err);
NX_MUST_USE nx_status nx_wal_each_segment(nx_wal *w, nx_wal_segment_fn fn, void *ctx, nx_err *err);

typedef nx_status (*nx_wal_fn)(void *ctx, const nx_wal_record *r, nx_err *err);
/* Hands every record above the position to fn (NULL: none), in order, and makes them durable again. fn may ask for
 * names of producers; its status stops the recovery. Where the newest segment names other contracts than those in force
 * it begins a new one (a full disk: NX_IO, retriable). */
NX_MUST_USE nx_status nx_wal_recover(nx_wal *w, uint64_t after_pos, nx_wal_fn fn, void *ctx, nx_err *err);
/* Positions go on above pos, if they do not anyway: for a log that was lost while tables hold rows from it. Only after
 * nx_wal_recover(), before the first append. */
NX_MUST_USE nx_status nx_wal_advance(nx_wal *w, uint64_t pos, nx_err *err);

/* Producers: a small id for a name, and its last frame number. The map is carried in every new segment header, so that
 * it outlives released segments. keep = false: a producer that never comes back under this name (a connection without
 * hello); it leaves the map after nx_wal_producer_forget() or a restart. NX_LIMIT when producers_max names are known. A
 * new one is logged with the next block; NX_AGAIN: the block is full, sync first. */
NX_MUST_USE nx_status nx_wal_producer(nx_wal *w, nx_str name, bool keep, uint32_t *ret_id, nx_err *err);
void nx_wal_producer_forget(nx_wal *w, uint32_t id);
/* NULL when the id is not known. Lives until the producer is forgotten. */
const char *nx_wal_producer_name(const nx_wal *w, uint32_t id);
/* Last appended frame number; durable after the next sync. */
uint64_t nx_wal_producer_last(const nx_wal *w, uint32_t id);

/* Appends to the block being built; sets r->pos. NX_AGAIN: the block is full, sync first. NX_LIMIT: longer than a block
 * can be. */
NX_MUST_USE nx_status nx_wal_append(nx_wal *w, nx_wal_record *r, nx_err *err);
/* Bytes in the block being built (0: a sync has nothing to do). */
size_t nx_wal_pending_bytes(const nx_wal *w);
/* Writes the block and fdatasyncs. Nothing appended: NX_OK at once. A full disk: NX_IO, retriable; nothing is lost,
 * call again. */
NX_MUST_USE nx_status nx_wal_sync(nx_wal *w, nx_err *err);
uint64_t nx_wal_durable_pos(const nx_wal *w);
/* The position that the next append gives. */
uint64_t nx_wal_next_pos(const nx_wal *w);
/* All records up to pos are in committed table versions: segments wholly at or below it are kept for reuse. While
 * nx_wal_recover() reads them nothing goes: a later call takes them all. */
NX_MUST_USE nx_status nx_wal_release(nx_wal *w, uint64_t pos, nx_err *err);
/* Bytes written in segments not yet released (for metrics and limits); 0 during nx_wal_recover(). */
uint64_t nx_wal_held_bytes(nx_wal *w);

#endif
