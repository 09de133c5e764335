/* What the tests of the WAL share: a folder, frames that say what they are, a reader that checks them. */
#ifndef WAL_KIT_H
#define WAL_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "lake/wal.h"

typedef struct kit {
    char dir[64];
    nx_wal_opts opts;
    nx_wal *w;
    uint32_t producer;
    nx_err err;
    /* of the last recovery */
    uint64_t seen, first, last, last_seq;
} kit;

static inline int kit_up(void **state)
{
    kit *k = calloc(1, sizeof *k);
    snprintf(k->dir, sizeof k->dir, "/tmp/nexus-wal-XXXXXX");
    if (mkdtemp(k->dir) == NULL)
        return -1;
    k->opts =
        (nx_wal_opts){.segment_bytes = 16 << 10, .block_bytes_max = 4 << 10, .contracts = "trades@1.0.0\nquotes@1.0.0"};
    *state = k;
    return 0;
}

static inline int kit_down(void **state)
{
    kit *k = *state;
    nx_fault_arm(NULL);
    nx_wal_close(k->w);
    int rc = nx_dir_remove(k->dir, NULL) == NX_OK ? 0 : -1;
    free(k);
    return rc;
}

/* The bytes of the frame at a position: length and content follow from it. */
static inline size_t frame_of(uint64_t pos, char *out)
{
    size_t n = 20 + pos * 7919 % 400;
    for (size_t i = 0; i < n; i++)
        out[i] = (char)('a' + (pos * 31 + i) % 26);
    return n;
}

static inline nx_status kit_check(void *ctx, const nx_wal_record *r, nx_err *err)
{
    (void)err;
    kit *k = ctx;
    char want[512];
    size_t n = frame_of(r->pos, want);
    assert_int_equal(r->bytes.n, n);
    assert_memory_equal(r->bytes.p, want, n);
    assert_int_equal(r->accepted, r->pos % 5);
    assert_int_equal(r->rejected, r->pos % 3);
    assert_int_equal(r->received_ns, (int64_t)r->pos * 1000);
    assert_string_equal(nx_wal_producer_name(k->w, r->producer), "feed");
    assert_string_equal(r->contracts, k->opts.contracts);
    if (k->seen == 0)
        k->first = r->pos;
    else
        assert_int_equal(r->pos, k->last + 1);
    k->seen++;
    k->last = r->pos;
    k->last_seq = r->producer_seq;
    return NX_OK;
}

static inline nx_status kit_open(kit *k, uint64_t after)
{
    k->seen = k->first = k->last = k->last_seq = 0;
    nx_status st = nx_wal_open(k->dir, &k->opts, &k->w, &k->err);
    if (st == NX_OK)
        st = nx_wal_recover(k->w, after, kit_check, k, &k->err);
    if (st == NX_OK)
        st = nx_wal_producer(k->w, NX_STR("feed"), true, &k->producer, &k->err);
    return st;
}

static inline void kit_close(kit *k)
{
    nx_wal_close(k->w);
    k->w = NULL;
}

/* n frames in one block (or more when they do not fit), synced. */
static inline nx_status kit_put(kit *k, int n)
{
    for (int i = 0; i < n; i++) {
        uint64_t seq = nx_wal_producer_last(k->w, k->producer) + 1;
        char b[512];
        /* positions and frame numbers go together here: one producer */
        nx_wal_record r = {.received_ns = (int64_t)seq * 1000,
                           .producer_seq = seq,
                           .producer = k->producer,
                           .accepted = (uint32_t)(seq % 5),
                           .rejected = (uint32_t)(seq % 3),
                           .bytes = {b, frame_of(seq, b)}};
        nx_status st = nx_wal_append(k->w, &r, &k->err);
        if (st == NX_AGAIN) {
            st = nx_wal_sync(k->w, &k->err);
            if (st == NX_OK)
                st = nx_wal_append(k->w, &r, &k->err);
        }
        if (st != NX_OK)
            return st;
        assert_int_equal(r.pos, seq);
    }
    return nx_wal_sync(k->w, &k->err);
}

typedef struct seg_list {
    char names[64][64];
    size_t n;
} seg_list;

static inline nx_status kit_seg(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    (void)is_dir;
    (void)err;
    seg_list *l = ctx;
    if (strncmp(name, "wal-", 4) == 0 && l->n < 64)
        snprintf(l->names[l->n++], sizeof l->names[0], "%s", name);
    return NX_OK;
}

static inline seg_list kit_segs(const kit *k)
{
    seg_list l = {.n = 0};
    assert_int_equal(nx_dir_list(k->dir, kit_seg, &l, NULL), NX_OK);
    return l;
}

#endif
