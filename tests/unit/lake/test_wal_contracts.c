/* The log names in each segment the contracts under which its frames were taken. */
#include "unit/lake/wal_kit.h"

typedef struct seen {
    uint64_t first[16], frames[16];
    char lists[16][64];
    size_t n;
} seen;

static nx_status on_segment(void *ctx, uint64_t first_pos, const char *contracts, nx_err *err)
{
    (void)err;
    seen *s = ctx;
    assert_true(s->n < 16);
    s->first[s->n] = first_pos;
    snprintf(s->lists[s->n++], sizeof s->lists[0], "%s", contracts);
    return NX_OK;
}

static nx_status on_record(void *ctx, const nx_wal_record *r, nx_err *err)
{
    (void)err;
    seen *s = ctx;
    if (s->n == 0 || strcmp(s->lists[s->n - 1], r->contracts) != 0) {
        s->first[s->n] = r->pos;
        snprintf(s->lists[s->n++], sizeof s->lists[0], "%s", r->contracts);
    }
    s->frames[s->n - 1]++;
    return NX_OK;
}

static seen reopen(kit *k, const char *contracts)
{
    seen s = {0};
    k->opts.contracts = contracts;
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_recover(k->w, 0, on_record, &s, &k->err), NX_OK);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("feed"), true, &k->producer, &k->err), NX_OK);
    return s;
}

static seen segments(kit *k)
{
    seen s = {0};
    kit_close(k);
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_each_segment(k->w, on_segment, &s, &k->err), NX_OK);
    kit_close(k);
    return s;
}

/* The newest segment has room, but it names other contracts: what comes now goes into a new one. */
static void test_other_contracts_other_segment(void **state)
{
    kit *k = *state;
    reopen(k, "a@1");
    assert_int_equal(kit_put(k, 3), NX_OK);
    kit_close(k);
    reopen(k, "a@2");
    assert_int_equal(kit_put(k, 2), NX_OK);
    kit_close(k);
    reopen(k, "a@1");
    assert_int_equal(kit_put(k, 4), NX_OK);
    kit_close(k);
    seen s = reopen(k, "a@1");
    assert_int_equal(s.n, 3);
    static const struct {
        const char *list;
        uint64_t first, frames;
    } want[] = {{"a@1", 1, 3}, {"a@2", 4, 2}, {"a@1", 6, 4}};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(s.lists[i], want[i].list);
        assert_int_equal(s.first[i], want[i].first);
        assert_int_equal(s.frames[i], want[i].frames);
    }
    assert_int_equal(nx_wal_producer_last(k->w, k->producer), 9);
    s = segments(k);
    assert_int_equal(s.n, 3); /* the same contracts: no new one */
    assert_string_equal(s.lists[1], "a@2");
    assert_int_equal(s.first[1], 4);
}

/* A segment without frames gives its name to the one of other contracts; producers stay known. */
static void test_segment_without_frames(void **state)
{
    kit *k = *state;
    reopen(k, "a@1");
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK); /* the producer alone */
    kit_close(k);
    reopen(k, "a@2");
    seen s = segments(k);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.lists[0], "a@2");
    reopen(k, "a@2");
    assert_int_equal(kit_put(k, 1), NX_OK);
    kit_close(k);
    s = reopen(k, "a@2");
    assert_int_equal(s.n, 1);
    assert_int_equal(s.frames[0], 1);
}

/* Other contracts, and no room for a segment: nothing is taken under the wrong name, the next try works. */
static void test_no_room_for_other_contracts(void **state)
{
    kit *k = *state;
    reopen(k, "a@1");
    assert_int_equal(kit_put(k, 3), NX_OK);
    kit_close(k);
    k->opts.contracts = "a@2";
    char path[160]; /* in the way of the new segment */
    snprintf(path, sizeof path, "%s/new-00000000000000000004.seg", k->dir);
    assert_int_equal(nx_dir_make(path, &k->err), NX_OK);
    seen s = {0};
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_recover(k->w, 0, on_record, &s, &k->err), NX_IO);
    assert_true(k->err.retriable);
    assert_int_equal(s.frames[0], 3);
    kit_close(k);
    assert_int_equal(rmdir(path), 0);
    s = reopen(k, "a@2");
    assert_int_equal(s.frames[0], 3);
    assert_int_equal(kit_put(k, 1), NX_OK);
}

/* The writer commits, and releases, while a long log is still being read. */
static nx_status release_behind(void *ctx, const nx_wal_record *r, nx_err *err)
{
    kit *k = ctx;
    nx_status st = kit_check(ctx, r, err);
    return st == NX_OK ? nx_wal_release(k->w, r->pos, err) : st;
}

static void test_release_during_recovery(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    while (kit_segs(k).n < 4)
        assert_int_equal(kit_put(k, 3), NX_OK);
    uint64_t pos = nx_wal_durable_pos(k->w);
    kit_close(k);
    k->seen = k->last = 0;
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_recover(k->w, 0, release_behind, k, &k->err), NX_OK);
    assert_int_equal(k->seen, pos);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("feed"), true, &k->producer, &k->err), NX_OK);
    assert_int_equal(kit_put(k, 3), NX_OK); /* behind what is there, not over it */
    assert_int_equal(nx_wal_release(k->w, pos - 1, &k->err), NX_OK);
    assert_true(kit_segs(k).n <= 2);
    kit_close(k);
    assert_int_equal(kit_open(k, pos - 2), NX_OK);
    assert_int_equal(k->first, pos - 1);
    assert_int_equal(k->last, pos + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_other_contracts_other_segment, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_segment_without_frames, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_no_room_for_other_contracts, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_release_during_recovery, kit_up, kit_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
