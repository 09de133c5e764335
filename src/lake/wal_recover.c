/* Reading the log back after whatever happened. */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"
#include "lake/wal_int.h"

typedef struct cursor {
    nx_wal *w;
    nx_wal_segment *s;
    int fd;
    uint64_t off, next_pos, last_pos; /* position the next frame must have; of the last frame that is there */
    nx_buf block, contracts;
    uint64_t after_pos;
    nx_wal_fn fn;
    void *ctx;
} cursor;

static nx_status damaged(const cursor *c, uint64_t off, const char *why, nx_err *err)
{
    (void)nx_fail(err, NX_CORRUPT, "segment %s is damaged at byte %llu: %s",
                  nx__wal_path(c->w, "wal", c->s->first_pos).s, (unsigned long long)off, why);
    return nx_err_hint(err, NX_CORRUPT, "restore the segment from a copy; without it acknowledged frames are missing");
}

/* The block at off into c->block, when a whole good one of this segment is there. */
static nx_status load_block(cursor *c, uint64_t off, bool *good, nx_err *err)
{
    char h[NX_WAL_BLOCK_HEAD];
    *good = false;
    if (c->s->bytes - off < sizeof h)
        return NX_OK;
    if (pread(c->fd, h, sizeof h, (off_t)off) != (ssize_t)sizeof h)
        return nx_fail_sys(err, NX_IO, "could not read segment %s", nx__wal_path(c->w, "wal", c->s->first_pos).s);
    uint32_t n = nx__get32(h + 28);
    if (memcmp(h, "NXBK", 4) != 0 || nx__get64(h + 8) != c->s->epoch || n > c->s->bytes - off - sizeof h)
        return NX_OK;
    nx_buf_clear(&c->block);
    if (nx_buf_reserve(&c->block, sizeof h + n) != NX_OK)
        return nx_nomem(err);
    if (pread(c->fd, c->block.p, sizeof h + n, (off_t)off) != (ssize_t)(sizeof h + n))
        return nx_fail_sys(err, NX_IO, "could not read segment %s", nx__wal_path(c->w, "wal", c->s->first_pos).s);
    uint32_t crc = nx_crc32c(0, c->block.p + sizeof h, n);
    *good = nx_crc32c(crc, c->block.p + 8, sizeof h - 8) == nx__get32(c->block.p + 4);
    c->block.n = *good ? sizeof h + n : 0;
    return NX_OK;
}

static nx_status hand_over(cursor *c, nx_wal_record *r, nx_err *err)
{
    nx_wal_producer_entry *e = nx__wal_entry(c->w, r->producer);
    if (e == NULL)
        return damaged(c, c->off, "a frame names a producer that the log does not know", err);
    if (r->producer_seq > e->last)
        e->last = e->durable = r->producer_seq;
    r->pos = c->next_pos++;
    c->last_pos = r->pos;
    if (c->fn == NULL || r->pos <= c->after_pos)
        return NX_OK;
    r->contracts = c->contracts.p;
    return c->fn(c->ctx, r, err);
}

static nx_status read_records(cursor *c, nx_err *err)
{
    if (nx__get64(c->block.p + 16) != c->next_pos)
        return damaged(c, c->off, "its position is not the next one", err);
    nx_str b = {c->block.p + NX_WAL_BLOCK_HEAD, c->block.n - NX_WAL_BLOCK_HEAD};
    for (size_t at = 0; at < b.n;) {
        const char *p = b.p + at;
        if (b.n - at < NX_WAL_RECORD_HEAD || b.n - at - NX_WAL_RECORD_HEAD < nx__get32(p))
            return damaged(c, c->off, "a record ends behind its block", err);
        nx_wal_record r = {.producer = nx__get32(p + 8),
                           .accepted = nx__get32(p + 12),
                           .rejected = nx__get32(p + 16),
                           .received_ns = (int64_t)nx__get64(p + 20),
                           .producer_seq = nx__get64(p + 28),
                           .bytes = {p + NX_WAL_RECORD_HEAD, nx__get32(p)}};
        nx_wal_producer_entry *e;
        uint32_t kind = nx__get32(p + 4);
        if (kind == NX_WAL_FRAME)
            NX_TRY(hand_over(c, &r, err));
        else if (kind == NX_WAL_PRODUCER && r.bytes.n > 0 && r.producer != UINT32_MAX)
            NX_TRY(nx__wal_entry_add(c->w, r.producer, r.bytes, (r.accepted & 1) != 0, &e, err));
        else
            return damaged(c, c->off, "a record has an unknown kind", err);
        at += NX_WAL_RECORD_HEAD + r.bytes.n;
    }
    return NX_OK;
}

/* A torn block is the last thing that was written: a good one behind it means that what lies between was durable and is
 * lost. */
static nx_status nothing_behind(cursor *c, nx_err *err)
{
    char head[16];
    for (uint64_t at = c->off + NX_WAL_ALIGN; at + sizeof head <= c->s->bytes; at += NX_WAL_ALIGN) {
        bool good = false;
        if (pread(c->fd, head, sizeof head, (off_t)at) != (ssize_t)sizeof head)
            return nx_fail_sys(err, NX_IO, "could not read segment %s", nx__wal_path(c->w, "wal", c->s->first_pos).s);
        if (memcmp(head, "NXBK", 4) == 0 && nx__get64(head + 8) == c->s->epoch)
            NX_TRY(load_block(c, at, &good, err));
        if (good)
            return damaged(c, c->off, "a bad block with a good one behind it", err);
    }
    return NX_OK;
}

static nx_status read_segment(cursor *c, bool newest, nx_err *err)
{
    NX_TRY(nx__wal_read_header(c->w, c->fd, c->s, &c->contracts, err));
    c->off = c->s->used;
    c->next_pos = c->s->first_pos;
    c->last_pos = c->s->prev_pos;
    for (;;) {
        bool good;
        NX_TRY(load_block(c, c->off, &good, err));
        if (!good)
            break;
        NX_TRY(read_records(c, err));
        c->off += nx__wal_aligned(c->block.n);
    }
    c->s->used = c->off;
    return newest ? nothing_behind(c, err) : NX_OK;
}

static nx_status read_all(cursor *c, nx_err *err)
{
    nx_wal *w = c->w;
    size_t i = 0;
    while (i + 1 < w->n_segs && w->segs[i + 1].first_pos - 1 <= c->after_pos)
        i++; /* released, or about to be */
    for (bool first = true; i < w->n_segs; i++, first = false) {
        bool newest = i + 1 == w->n_segs;
        uint64_t before = c->last_pos, end = c->off;
        NX_AUTO(nx_fd_drop) int fd = -1;
        NX_TRY(nx__wal_open_to_read(w, &w->segs[i], &fd, err));
        nx_wal_segment *prev = c->s;
        c->s = &w->segs[i];
        c->fd = fd;
        nx_wal_segment probe = *c->s;
        NX_TRY(nx__wal_peek_header(w, fd, &probe, &c->contracts, err));
        if (!first && probe.prev_pos != before) {
            c->s = prev;
            return damaged(c, end, "its last blocks are missing or bad", err);
        }
        NX_TRY(read_segment(c, newest, err));
        if (newest)
            NX_TRY(nx__wal_open_segment(nx__wal_path(w, "wal", c->s->first_pos).s, &w->fd, err));
    }
    return NX_OK;
}

/* From here on the owner may append and roll, and another thread release. */
static void set_recovered(nx_wal *w)
{
    pthread_mutex_lock(&w->mutex);
    w->recovered = true;
    pthread_mutex_unlock(&w->mutex);
}

static nx_status finish(nx_wal *w, const cursor *c, nx_err *err)
{
    w->next_pos = c->next_pos;
    w->durable_pos = c->last_pos;
    for (size_t i = 0; i < w->n_entries; i++) /* their connections are gone */
        if (!w->entries[i]->keep && !w->entries[i]->gone)
            nx__wal_entry_gone(w, w->entries[i]);
    nx__wal_entries_sweep(w);
    /* what was written but not synced before a kill has been handed over: make it as durable as the rest */
    if (w->fd >= 0 && fdatasync(w->fd) != 0)
        return nx_fail_sys(err, NX_IO, "could not sync segment %s", nx__wal_path(w, "wal", c->s->first_pos).s);
    return strcmp(c->contracts.p, w->contracts) == 0 ? NX_OK : nx__wal_roll(w, err);
}

nx_status nx_wal_recover(nx_wal *w, uint64_t after_pos, nx_wal_fn fn, void *ctx, nx_err *err)
{
    assert(!w->recovered);
    if (w->n_segs == 0) {
        set_recovered(w);
        return NX_OK;
    }
    cursor c = {.w = w, .after_pos = after_pos, .fn = fn, .ctx = ctx, .fd = -1};
    nx_buf_init(&c.block, SIZE_MAX / 2);
    nx_buf_init(&c.contracts, SIZE_MAX / 2);
    nx_status st = read_all(&c, err);
    if (st == NX_OK)
        st = finish(w, &c, err);
    nx_buf_drop(&c.block);
    nx_buf_drop(&c.contracts);
    if (st == NX_OK)
        set_recovered(w);
    return st;
}

nx_status nx_wal_each_segment(nx_wal *w, nx_wal_segment_fn fn, void *ctx, nx_err *err)
{
    NX_BUF_AUTO nx_buf contracts;
    nx_buf_init(&contracts, SIZE_MAX / 2);
    for (size_t i = 0; i < w->n_segs; i++) {
        NX_AUTO(nx_fd_drop) int fd = -1;
        nx_wal_segment s = w->segs[i];
        NX_TRY(nx__wal_open_to_read(w, &s, &fd, err));
        NX_TRY(nx__wal_peek_header(w, fd, &s, &contracts, err));
        NX_TRY(fn(ctx, s.first_pos, contracts.p, err));
    }
    return NX_OK;
}

nx_status nx_wal_advance(nx_wal *w, uint64_t pos, nx_err *err)
{
    NX_TRY(nx__wal_usable(w, err));
    assert(w->block_frames == 0);
    if (pos < w->next_pos)
        return NX_OK;
    uint64_t old = w->next_pos;
    w->next_pos = pos + 1;
    nx_status st = nx__wal_roll(w, err);
    if (st != NX_OK)
        w->next_pos = old;
    return st;
}
