/* The log itself: open, append, group commit, release. */
#include "lake/wal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fault.h"
#include "base/hash.h"
#include "lake/wal_int.h"

static nx_status open_in(nx_wal *w, const char *dir, const nx_wal_opts *o, nx_err *err)
{
    const char *contracts = o->contracts == NULL ? "" : o->contracts;
    w->segment_bytes = o->segment_bytes == 0 ? (size_t)64 << 20 : o->segment_bytes;
    w->block_max = o->block_bytes_max == 0 ? (size_t)4 << 20 : o->block_bytes_max;
    w->producers_max = o->producers_max == 0 ? 65536 : o->producers_max;
    if (w->block_max < 512 || w->block_max > (size_t)1 << 30 || w->segment_bytes > (size_t)1 << 40 ||
        strlen(contracts) > 1 << 20)
        return nx_fail(err, NX_INVALID, "write-ahead log %s: block of %zu or segment of %zu bytes is out of range", dir,
                       w->block_max, w->segment_bytes);
    if (strlen(dir) > sizeof(nx_wal_path) - 64)
        return nx_fail(err, NX_INVALID, "the path of the write-ahead log is too long: %s", dir);
    w->dir = nx_str_dup(nx_str_of(dir));
    w->contracts = nx_str_dup(nx_str_of(contracts));
    w->block = aligned_alloc(NX_WAL_ALIGN, nx__wal_aligned(NX_WAL_BLOCK_HEAD + w->block_max));
    if (w->dir == NULL || w->contracts == NULL || w->block == NULL)
        return nx_nomem(err);
    NX_TRY(nx_dir_make(dir, err));
    nx_wal_path lock;
    snprintf(lock.s, sizeof lock.s, "%s/lock", dir);
    NX_TRY(nx_lock_take(&w->lock, lock.s, err));
    return nx__wal_scan(w, err);
}

nx_status nx_wal_open(const char *dir, const nx_wal_opts *o, nx_wal **ret, nx_err *err)
{
    static const nx_wal_opts defaults = {0};
    nx_wal *w = calloc(1, sizeof *w);
    if (w == NULL)
        return nx_nomem(err);
    w->fd = w->lock.fd = -1;
    w->next_pos = 1;
    w->next_id = 1;
    pthread_mutex_init(&w->mutex, NULL);
    nx_map_init(&w->by_name, NULL);
    nx_status st = open_in(w, dir, o == NULL ? &defaults : o, err);
    if (st != NX_OK) {
        nx_wal_close(w);
        return st;
    }
    *ret = w;
    return NX_OK;
}

void nx_wal_close(nx_wal *w)
{
    if (w == NULL)
        return;
    nx_status st = w->recovered && !w->poisoned ? nx_wal_sync(w, NULL) : NX_OK;
    (void)st; /* nobody was promised these frames */
    nx_fd_drop(&w->fd);
    if (w->lock.fd >= 0)
        nx_lock_drop(&w->lock);
    nx__wal_entries_drop(w);
    pthread_mutex_destroy(&w->mutex);
    free(w->segs);
    free(w->block);
    free(w->contracts);
    free(w->dir);
    free(w);
}

nx_status nx__wal_usable(const nx_wal *w, nx_err *err)
{
    assert(w->recovered);
    if (!w->poisoned)
        return NX_OK;
    if (err != NULL)
        *err = w->poison;
    return NX_IO;
}

/* ------------------------------------------------------------------ append */

nx_status nx__wal_put(nx_wal *w, nx_wal_kind kind, const nx_wal_record *r, nx_err *err)
{
    size_t room = w->block_max - w->block_n, fixed = NX_WAL_RECORD_HEAD;
    if (r->bytes.n > w->block_max - fixed)
        return nx_fail(err, NX_LIMIT, "a frame of %zu bytes does not fit a block of %zu of write-ahead log %s",
                       r->bytes.n, w->block_max, w->dir);
    if (room < fixed || r->bytes.n > room - fixed)
        return nx_fail(err, NX_AGAIN, "the block of write-ahead log %s is full", w->dir);
    char *p = w->block + NX_WAL_BLOCK_HEAD + w->block_n;
    nx__put32(p, (uint32_t)r->bytes.n);
    nx__put32(p + 4, kind);
    nx__put32(p + 8, r->producer);
    nx__put32(p + 12, r->accepted);
    nx__put32(p + 16, r->rejected);
    nx__put64(p + 20, (uint64_t)r->received_ns);
    nx__put64(p + 28, r->producer_seq);
    if (r->bytes.n > 0)
        memcpy(p + fixed, r->bytes.p, r->bytes.n);
    w->block_crc = nx_crc32c(w->block_crc, p, fixed + r->bytes.n); /* while it is in the cache */
    w->block_n += fixed + r->bytes.n;
    return NX_OK;
}

nx_status nx_wal_append(nx_wal *w, nx_wal_record *r, nx_err *err)
{
    NX_TRY(nx__wal_usable(w, err));
    nx_wal_producer_entry *e = nx__wal_entry(w, r->producer);
    if (e == NULL)
        return nx_fail(err, NX_INTERNAL, "write-ahead log %s knows no producer %u", w->dir, r->producer);
    if (!e->touched && !nx_grow(&w->touched, &w->touched_cap, w->n_touched + 1, sizeof *w->touched))
        return nx_nomem(err);
    NX_TRY(nx__wal_put(w, NX_WAL_FRAME, r, err));
    if (!e->touched)
        w->touched[w->n_touched++] = e->id;
    e->touched = true;
    if (r->producer_seq > e->last)
        e->last = r->producer_seq;
    w->block_frames++;
    r->pos = w->next_pos++;
    return NX_OK;
}

size_t nx_wal_pending_bytes(const nx_wal *w)
{
    return w->block_n;
}

/* ------------------------------------------------------------------ sync */

static nx_status write_block(nx_wal *w, const nx_wal_segment *s, size_t n, nx_err *err)
{
    nx_fault_action fault = nx_fault_hit(NX_FAULT_WAL_WRITE);
    size_t limit = fault == NX_FAULT_NONE ? n : fault == NX_FAULT_SHORT ? n / 2 / NX_WAL_ALIGN * NX_WAL_ALIGN : 0;
    for (size_t at = 0; at < limit;) {
        ssize_t k = pwrite(w->fd, w->block + at, limit - at, (off_t)(s->used + at));
        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0) {
            errno = k == 0 ? ENOSPC : errno;
            goto failed;
        }
        at += (size_t)k;
    }
    if (fault == NX_FAULT_NONE)
        return NX_OK;
    errno = ENOSPC;
failed:
    (void)nx_fail_sys(err, NX_IO, "could not write %zu bytes to segment %s", n, nx__wal_path(w, "wal", s->first_pos).s);
    if (err != NULL)
        err->retriable = true;
    return nx_err_hint(err, NX_IO, "check the disk below %s; frames wait until it takes writes again", w->dir);
}

static nx_status sync_fd(nx_wal *w, const nx_wal_segment *s, nx_err *err)
{
    errno = EIO;
    if (nx_fault_hit(NX_FAULT_WAL_SYNC) == NX_FAULT_NONE && fdatasync(w->fd) == 0)
        return NX_OK;
    (void)nx_fail_sys(&w->poison, NX_IO, "could not sync segment %s", nx__wal_path(w, "wal", s->first_pos).s);
    (void)nx_err_hint(&w->poison, NX_IO,
                      "check the disk, then start again: what was acknowledged is on it, the rest will be sent again");
    w->poisoned = true;
    if (err != NULL)
        *err = w->poison;
    return NX_IO;
}

static void block_done(nx_wal *w, uint64_t used)
{
    for (size_t i = 0; i < w->n_touched; i++) {
        nx_wal_producer_entry *e = nx__wal_entry(w, w->touched[i]);
        e->durable = e->last;
        e->touched = false;
    }
    w->n_touched = 0;
    if (w->n_gone >= 1024)
        nx__wal_entries_sweep(w);
    if (w->block_frames > 0)
        w->durable_pos = w->next_pos - 1;
    w->block_n = 0;
    w->block_frames = 0;
    w->block_crc = 0;
    pthread_mutex_lock(&w->mutex);
    w->segs[w->n_segs - 1].used = used;
    pthread_mutex_unlock(&w->mutex);
}

/* The segment being written, when it has room for a block of n bytes. */
static bool last_with_room(nx_wal *w, size_t n, nx_wal_segment *ret)
{
    pthread_mutex_lock(&w->mutex);
    if (w->n_segs > 0)
        *ret = w->segs[w->n_segs - 1];
    bool room = w->n_segs > 0 && ret->bytes - ret->used >= n;
    pthread_mutex_unlock(&w->mutex);
    return room;
}

nx_status nx_wal_sync(nx_wal *w, nx_err *err)
{
    NX_TRY(nx__wal_usable(w, err));
    if (w->block_n == 0)
        return NX_OK;
    size_t n = NX_WAL_BLOCK_HEAD + w->block_n, padded = nx__wal_aligned(n);
    nx_wal_segment s;
    if (!last_with_room(w, padded, &s)) {
        NX_TRY(nx__wal_roll(w, err));
        if (!last_with_room(w, padded, &s))
            return nx_fail(err, NX_INTERNAL, "a new segment of %s has no room for a block", w->dir);
    }
    char *h = w->block;
    memset(h, 0, NX_WAL_BLOCK_HEAD);
    memset(h + n, 0, padded - n);
    memcpy(h, "NXBK", 4);
    nx__put64(h + 8, s.epoch);
    nx__put64(h + 16, w->next_pos - w->block_frames);
    nx__put32(h + 24, w->block_frames);
    nx__put32(h + 28, (uint32_t)w->block_n);
    nx__put32(h + 4, nx_crc32c(w->block_crc, h + 8, NX_WAL_BLOCK_HEAD - 8));
    NX_TRY(write_block(w, &s, padded, err));
    NX_TRY(sync_fd(w, &s, err));
    block_done(w, s.used + padded);
    return NX_OK;
}

uint64_t nx_wal_durable_pos(const nx_wal *w)
{
    return w->durable_pos;
}

uint64_t nx_wal_next_pos(const nx_wal *w)
{
    return w->next_pos;
}

/* ------------------------------------------------------------------ release */

/* The oldest segment, when all of it is at or below pos. */
static bool oldest_done(nx_wal *w, uint64_t pos, uint64_t *first_pos, bool *keep)
{
    pthread_mutex_lock(&w->mutex);
    bool done = w->recovered && w->n_segs >= 2 && w->segs[1].first_pos - 1 <= pos;
    if (done) {
        *first_pos = w->segs[0].first_pos;
        *keep = w->n_free < NX_WAL_FREE_MAX;
    }
    pthread_mutex_unlock(&w->mutex);
    return done;
}

nx_status nx_wal_release(nx_wal *w, uint64_t pos, nx_err *err)
{
    uint64_t id;
    bool keep;
    while (oldest_done(w, pos, &id, &keep)) {
        if (nx_fault_hit(NX_FAULT_WAL_RELEASE) != NX_FAULT_NONE)
            return nx_fail(err, NX_IO, "could not release segments of write-ahead log %s", w->dir);
        nx_wal_path from = nx__wal_path(w, "wal", id), to = nx__wal_path(w, "free", id);
        if (keep ? rename(from.s, to.s) != 0 : unlink(from.s) != 0)
            return nx_fail_sys(err, NX_IO, "could not release segment %s", from.s);
        NX_TRY(nx_dir_sync(w->dir, err)); /* one by one: a crash leaves no hole between segments */
        pthread_mutex_lock(&w->mutex);
        memmove(w->segs, w->segs + 1, (w->n_segs - 1) * sizeof *w->segs);
        w->n_segs--;
        if (keep)
            w->free_ids[w->n_free++] = id;
        pthread_mutex_unlock(&w->mutex);
    }
    return NX_OK;
}

uint64_t nx_wal_held_bytes(nx_wal *w)
{
    uint64_t n = 0;
    pthread_mutex_lock(&w->mutex);
    for (size_t i = 0; w->recovered && i < w->n_segs; i++)
        n += w->segs[i].used;
    pthread_mutex_unlock(&w->mutex);
    return n;
}
