/* lake/wal_int.h - layout and parts of the WAL.
 *
 * All integers little-endian.
 *
 * Segment   header, then blocks one after the other, then zeros or what an earlier use left.
 *   0 magic "NXWAL\0\0\1"   8 u32 CRC-32C of bytes [12, bytes)   12 u32 bytes of the header used   16 u32 offset of the
 *   first block (a multiple of 4096)   20 u32 next producer id   24 u64 epoch (random)   32 u64 first position
 *   40 u64 last position before (a log that was lost starts again above what tables hold, so it need not be first - 1)
 *   48 u32 producers   52 u32 bytes of contracts   56 contracts, then a producer each: u32 id, u32 flags (bit 0
 *   keep), u64 last durable frame number, u32 length, name
 *
 * Block     48 bytes, then records, padded with zeros to a multiple of 4096: no write touches part of a page, so none
 *           has to be read first
 *   0 magic "NXBK"   4 u32 CRC-32C of the records, then of bytes [8, 48)   8 u64 epoch of the segment
 *   16 u64 position of the first frame   24 u32 frames   28 u32 bytes of records   32 16 zeros
 *
 * Record    36 bytes, then the bytes
 *   0 u32 length   4 u32 kind (1 frame, 2 producer)   8 u32 producer id   12 u32 accepted (kind 2: flags)
 *   16 u32 rejected   20 i64 received ns   28 u64 frame number of the producer
 *   A frame's position is the block's plus the number of frames before it. A producer record holds the name.
 */
#ifndef NX_LAKE_WAL_INT_H
#define NX_LAKE_WAL_INT_H

#include <pthread.h>

#include "base/file.h"
#include "base/map.h"
#include "lake/wal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the WAL is written as it lies in memory");

enum {
    NX_WAL_BLOCK_HEAD = 48,
    NX_WAL_RECORD_HEAD = 36,
    NX_WAL_SEGMENT_HEAD = 56,
    NX_WAL_PRODUCER_HEAD = 20,
    NX_WAL_ALIGN = 4096,
    NX_WAL_FREE_MAX = 4 /* segments kept for reuse */
};

typedef enum nx_wal_kind { NX_WAL_FRAME = 1, NX_WAL_PRODUCER = 2 } nx_wal_kind;

typedef struct nx_wal_producer_entry {
    uint32_t id;
    bool keep, gone, touched;
    uint64_t last, durable; /* frame numbers: appended, synced */
    char name[];
} nx_wal_producer_entry;

typedef struct nx_wal_segment {
    uint64_t first_pos; /* also its name */
    uint64_t epoch, prev_pos;
    uint64_t bytes, used; /* size of the file; end of the last block */
} nx_wal_segment;

struct nx_wal {
    char *dir, *contracts;
    nx_lock lock;
    size_t segment_bytes, block_max, producers_max;

    pthread_mutex_t mutex; /* segs, free_ids, recovered: the owner rolls, another thread releases */
    nx_wal_segment *segs;  /* oldest first; the last is written to */
    size_t n_segs, segs_cap;
    uint64_t free_ids[NX_WAL_FREE_MAX];
    size_t n_free;

    int fd;         /* of the last segment */
    char *block;    /* aligned */
    size_t block_n; /* bytes of records, behind NX_WAL_BLOCK_HEAD */
    uint32_t block_frames, block_crc;
    uint64_t next_pos, durable_pos;

    nx_map by_name;                  /* name -> entry (owned by the array) */
    nx_wal_producer_entry **entries; /* rising ids */
    size_t n_entries, entries_cap, n_gone;
    uint32_t *touched; /* ids with frames in the block */
    size_t n_touched, touched_cap;
    uint32_t next_id;

    bool recovered, poisoned;
    nx_err poison;
};

typedef struct nx_wal_path {
    char s[512];
} nx_wal_path;

/* wal_segment.c */
nx_wal_path nx__wal_path(const nx_wal *w, const char *prefix, uint64_t id);
/* A descriptor for writing whole blocks: past the page cache where the file system can (the bytes are read after a
 * crash only). */
NX_MUST_USE nx_status nx__wal_open_segment(const char *path, int *ret_fd, nx_err *err);
/* Makes the next segment (from a free one where it can) and writes to it from now on. On failure the old one stays. */
NX_MUST_USE nx_status nx__wal_roll(nx_wal *w, nx_err *err);
/* Reads the folder: w->segs in order of positions, free ones. */
NX_MUST_USE nx_status nx__wal_scan(nx_wal *w, nx_err *err);
/* Opens a segment for reading. */
NX_MUST_USE nx_status nx__wal_open_to_read(const nx_wal *w, const nx_wal_segment *s, int *ret_fd, nx_err *err);
/* Reads and checks a header; contracts (0-terminated) into *contracts. */
NX_MUST_USE nx_status nx__wal_peek_header(const nx_wal *w, int fd, nx_wal_segment *s, nx_buf *contracts, nx_err *err);
/* The same, and its producers into the map. */
NX_MUST_USE nx_status nx__wal_read_header(nx_wal *w, int fd, nx_wal_segment *s, nx_buf *contracts, nx_err *err);

/* wal_producer.c */
nx_wal_producer_entry *nx__wal_entry(const nx_wal *w, uint32_t id);
NX_MUST_USE nx_status nx__wal_entry_add(nx_wal *w, uint32_t id, nx_str name, bool keep, nx_wal_producer_entry **ret,
                                        nx_err *err);
void nx__wal_entry_gone(nx_wal *w, nx_wal_producer_entry *e);
void nx__wal_entries_sweep(nx_wal *w);
void nx__wal_entries_drop(nx_wal *w);

/* wal.c */
NX_MUST_USE nx_status nx__wal_usable(const nx_wal *w, nx_err *err);
NX_MUST_USE nx_status nx__wal_put(nx_wal *w, nx_wal_kind kind, const nx_wal_record *r, nx_err *err);

static inline uint64_t nx__wal_aligned(uint64_t n)
{
    return (n + NX_WAL_ALIGN - 1) / NX_WAL_ALIGN * NX_WAL_ALIGN;
}
static inline void nx__put32(char *p, uint32_t v)
{
    memcpy(p, &v, 4);
}
static inline void nx__put64(char *p, uint64_t v)
{
    memcpy(p, &v, 8);
}
static inline uint32_t nx__get32(const char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}
static inline uint64_t nx__get64(const char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

#endif
