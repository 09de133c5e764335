/* The write-ahead log: what is appended, synced, released and found again. Promises 1 and 6. */
#include "unit/lake/wal_kit.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>

static void test_empty_log(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(k->seen, 0);
    assert_int_equal(nx_wal_durable_pos(k->w), 0);
    kit_close(k);
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(k->seen, 0);
}

static void test_frames_come_back(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    for (int i = 1; i <= 50; i++)
        assert_int_equal(kit_put(k, i % 7 + 1), NX_OK);
    uint64_t pos = nx_wal_durable_pos(k->w);
    kit_close(k);
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(k->seen, pos);
    assert_int_equal(k->last, pos);
    assert_int_equal(nx_wal_producer_last(k->w, k->producer), pos);
    assert_int_equal(nx_wal_durable_pos(k->w), pos);
    assert_int_equal(kit_put(k, 3), NX_OK);
    kit_close(k);
    assert_int_equal(kit_open(k, pos), NX_OK);
    assert_int_equal(k->first, pos + 1);
    assert_int_equal(k->seen, 3);
}

static void test_second_process(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    nx_wal *other = NULL;
    nx_err err = {0};
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &other, &err), NX_CONFLICT);
    assert_null(other);
}

static void test_block_limits(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    char big[8192];
    memset(big, 'x', sizeof big);
    nx_wal_record r = {.producer = k->producer, .producer_seq = 1, .bytes = {big, sizeof big}};
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_LIMIT);
    r.bytes.n = 4096 - 36; /* exactly a block */
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_OK);
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_AGAIN);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_durable_pos(k->w), 1);
    r.producer = 77;
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_INTERNAL);
}

static void test_segments_are_reused(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    uint64_t released = 0;
    for (int i = 0; i < 300; i++) {
        assert_int_equal(kit_put(k, 5), NX_OK);
        if (i % 10 == 9) {
            released = nx_wal_durable_pos(k->w) - 3;
            assert_int_equal(nx_wal_release(k->w, released, &k->err), NX_OK);
        }
        assert_true(kit_segs(k).n <= 4);
    }
    assert_true(nx_wal_held_bytes(k->w) <= 3 * (20 << 10));
    uint64_t pos = nx_wal_durable_pos(k->w);
    kit_close(k);
    assert_int_equal(kit_open(k, released), NX_OK);
    assert_int_equal(k->first, released + 1);
    assert_int_equal(k->last, pos); /* nothing of an earlier use came back: kit_check saw every position once */
    assert_int_equal(nx_wal_producer_last(k->w, k->producer), pos);
}

/* The last segment is full of good blocks of its earlier use behind the new ones. */
static void test_old_blocks_stay_dead(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    while (kit_segs(k).n < 3)
        assert_int_equal(kit_put(k, 1), NX_OK);
    assert_int_equal(nx_wal_release(k->w, nx_wal_durable_pos(k->w), &k->err), NX_OK);
    while (kit_segs(k).n < 2)
        assert_int_equal(kit_put(k, 1), NX_OK);
    uint64_t pos = nx_wal_durable_pos(k->w);
    kit_close(k);
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(k->last, pos);
    assert_int_equal(kit_put(k, 1), NX_OK);
    assert_int_equal(nx_wal_durable_pos(k->w), pos + 1);
}

static void test_released_but_not_gone(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    while (kit_segs(k).n < 4)
        assert_int_equal(kit_put(k, 2), NX_OK);
    uint64_t pos = nx_wal_durable_pos(k->w);
    assert_true(nx_fault_arm("WAL_RELEASE:1"));
    assert_int_equal(nx_wal_release(k->w, pos, &k->err), NX_IO);
    assert_int_equal(kit_segs(k).n, 3);
    kit_close(k);
    assert_int_equal(kit_open(k, pos - 1), NX_OK);
    assert_int_equal(k->seen, 1);
    assert_int_equal(nx_wal_release(k->w, pos, &k->err), NX_OK);
    assert_int_equal(kit_segs(k).n, 1);
}

static nx_status names_only(void *ctx, const nx_wal_record *r, nx_err *err)
{
    (void)ctx;
    (void)r;
    (void)err;
    return NX_OK;
}

static void test_producer_map_outlives_segments(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    uint32_t a, b, c;
    assert_int_equal(nx_wal_producer(k->w, NX_STR("a"), true, &a, &k->err), NX_OK);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("b"), true, &b, &k->err), NX_OK);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("conn-1"), false, &c, &k->err), NX_OK);
    char text[] = "[]";
    nx_wal_record r = {.producer = a, .producer_seq = 41, .bytes = {text, 2}};
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_OK);
    r.producer = c;
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_OK);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    nx_wal_producer_forget(k->w, c);
    char big[3000];
    memset(big, 'x', sizeof big);
    r = (nx_wal_record){.producer = b, .bytes = {big, sizeof big}};
    while (kit_segs(k).n < 3) {
        r.producer_seq++;
        assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_OK);
        assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    }
    uint64_t pos = nx_wal_durable_pos(k->w);
    assert_int_equal(nx_wal_release(k->w, pos, &k->err), NX_OK);
    assert_int_equal(kit_segs(k).n, 1);
    kit_close(k);

    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_recover(k->w, pos, names_only, NULL, &k->err), NX_OK);
    uint32_t id;
    assert_int_equal(nx_wal_producer(k->w, NX_STR("a"), true, &id, &k->err), NX_OK);
    assert_int_equal(id, a);
    assert_int_equal(nx_wal_producer_last(k->w, a), 41);
    assert_int_equal(nx_wal_producer_last(k->w, b), r.producer_seq);
    assert_null(nx_wal_producer_name(k->w, c));
    assert_int_equal(nx_wal_producer(k->w, NX_STR("new"), true, &id, &k->err), NX_OK);
    assert_true(id > c); /* ids are not given out again */
}

static void test_producers_are_bounded(void **state)
{
    kit *k = *state;
    k->opts.producers_max = 3;
    assert_int_equal(kit_open(k, 0), NX_OK);
    uint32_t id;
    assert_int_equal(nx_wal_producer(k->w, NX_STR("a"), true, &id, &k->err), NX_OK);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("b"), true, &id, &k->err), NX_OK);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("c"), true, &id, &k->err), NX_LIMIT);
    assert_true(strlen(k->err.hint) > 0);
    assert_int_equal(nx_wal_producer(k->w, NX_STR("a"), true, &id, &k->err), NX_OK);
    assert_int_equal(nx_wal_producer(k->w, NX_STR(""), true, &id, &k->err), NX_INVALID);
}

static void test_passing_connections_leave_nothing(void **state)
{
    kit *k = *state;
    k->opts.producers_max = 4;
    assert_int_equal(kit_open(k, 0), NX_OK);
    for (int i = 0; i < 5000; i++) {
        char name[32];
        snprintf(name, sizeof name, "conn-%d", i);
        uint32_t id;
        nx_status st = nx_wal_producer(k->w, nx_str_of(name), false, &id, &k->err);
        if (st == NX_AGAIN) {
            assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
            st = nx_wal_producer(k->w, nx_str_of(name), false, &id, &k->err);
        }
        assert_int_equal(st, NX_OK);
        nx_wal_producer_forget(k->w, id);
    }
    assert_int_equal(kit_put(k, 3), NX_OK);
    kit_close(k);
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(k->seen, 3);
}

static void test_short_write_is_written_again(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(kit_put(k, 2), NX_OK);
    assert_true(nx_fault_arm("WAL_WRITE:0:short"));
    assert_int_equal(kit_put(k, 3), NX_IO);
    assert_true(k->err.retriable);
    assert_int_equal(nx_wal_durable_pos(k->w), 2);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_durable_pos(k->w), 5);
    kit_close(k);
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(k->seen, 5);
}

static void test_failed_sync_poisons(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(kit_put(k, 2), NX_OK);
    assert_true(nx_fault_arm("WAL_SYNC"));
    assert_int_equal(kit_put(k, 1), NX_IO);
    nx_fault_arm(NULL);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_IO);
    assert_true(strlen(k->err.hint) > 0);
    nx_wal_record r = {.producer = k->producer};
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_IO);
    uint32_t id;
    assert_int_equal(nx_wal_producer(k->w, NX_STR("x"), true, &id, &k->err), NX_IO);
    assert_int_equal(nx_wal_durable_pos(k->w), 2);
    kit_close(k);
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_true(k->seen >= 2);
}

static void test_lost_log_starts_above(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(nx_wal_advance(k->w, 1000, &k->err), NX_OK);
    nx_wal_record r = {.producer = k->producer, .bytes = NX_STR("x")};
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_OK);
    assert_int_equal(r.pos, 1001);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_release(k->w, 1000, &k->err), NX_OK);
    kit_close(k);
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_recover(k->w, 1000, names_only, NULL, &k->err), NX_OK);
    assert_int_equal(nx_wal_durable_pos(k->w), 1001);
    assert_int_equal(nx_wal_advance(k->w, 1001, &k->err), NX_OK); /* nothing to do: the next one is above */
    assert_int_equal(nx_wal_advance(k->w, 5000, &k->err), NX_OK);
    r.pos = 0;
    assert_int_equal(nx_wal_producer(k->w, NX_STR("feed"), true, &r.producer, &k->err), NX_OK);
    assert_int_equal(nx_wal_append(k->w, &r, &k->err), NX_OK);
    assert_int_equal(r.pos, 5001);
    assert_int_equal(nx_wal_sync(k->w, &k->err), NX_OK);
    kit_close(k);
    assert_int_equal(nx_wal_open(k->dir, &k->opts, &k->w, &k->err), NX_OK);
    assert_int_equal(nx_wal_recover(k->w, 0, names_only, NULL, &k->err), NX_OK); /* the jump is no hole */
}

/* A file system of 256 KiB of its own: a full disk stops the log, and room lets it go on. */
static void full_disk(const char *dir)
{
    kit k = {.opts = {.segment_bytes = 64 << 10, .block_bytes_max = 4 << 10, .contracts = "c"}};
    snprintf(k.dir, sizeof k.dir, "%s", dir);
    assert_int_equal(kit_open(&k, 0), NX_OK);
    nx_status st;
    int blocks = 0;
    while ((st = kit_put(&k, 5)) == NX_OK && ++blocks < 10000) {
    }
    assert_int_equal(st, NX_IO);
    assert_true(k.err.retriable);
    assert_true(strlen(k.err.hint) > 0);
    uint64_t durable = nx_wal_durable_pos(k.w);
    assert_int_equal(nx_wal_sync(k.w, &k.err), NX_IO); /* still full, still alive */
    assert_int_equal(nx_wal_release(k.w, durable, &k.err), NX_OK);
    assert_int_equal(nx_wal_sync(k.w, &k.err), NX_OK);
    assert_true(nx_wal_durable_pos(k.w) > durable);
    durable = nx_wal_durable_pos(k.w);
    kit_close(&k);
    assert_int_equal(kit_open(&k, 0), NX_OK);
    assert_int_equal(k.last, durable);
    kit_close(&k);
}

static void test_full_disk(void **state)
{
    kit *k = *state;
    if (mount("tmpfs", k->dir, "tmpfs", 0, "size=256k") != 0) {
        print_message("skipped: a small file system needs the right to mount one\n");
        skip();
    }
    full_disk(k->dir);
    assert_int_equal(umount(k->dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_empty_log, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_frames_come_back, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_second_process, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_block_limits, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_segments_are_reused, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_old_blocks_stay_dead, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_released_but_not_gone, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_producer_map_outlives_segments, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_producers_are_bounded, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_passing_connections_leave_nothing, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_short_write_is_written_again, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_failed_sync_poisons, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_lost_log_starts_above, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_full_disk, kit_up, kit_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
