/* What a crash or a bad disk can leave: cut tails, flipped bits, kills at any moment. Promise 1. */
#include "unit/lake/wal_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/rand.h"

typedef struct image {
    char path[160];
    char *b;
    size_t n;
} image;

static image load(const kit *k, size_t which)
{
    seg_list l = kit_segs(k);
    assert_true(which < l.n);
    image m;
    snprintf(m.path, sizeof m.path, "%s/%s", k->dir, l.names[which]);
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_file_read(m.path, &b, NULL), NX_OK);
    m.n = b.n;
    m.b = nx_buf_take(&b);
    return m;
}

static void store(const image *m)
{
    int fd = open(m->path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, m->b, m->n, 0), (ssize_t)m->n);
    close(fd);
}

static size_t find_last_block(const image *m)
{
    for (size_t i = m->n - 48; i > 0; i -= 8)
        if (memcmp(m->b + i, "NXBK", 4) == 0)
            return i;
    fail();
    return 0;
}

/* Only the first `keep` bytes of the last block reached the disk, the rest is what was there before. */
static void test_torn_at_every_byte(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    assert_int_equal(kit_put(k, 3), NX_OK);
    assert_int_equal(kit_put(k, 2), NX_OK);
    kit_close(k);
    image m = load(k, 0);
    size_t at = find_last_block(&m), end = m.n;
    while (end > 0 && m.b[end - 1] == 0)
        end--;
    char *whole = malloc(m.n);
    assert_non_null(whole);
    memcpy(whole, m.b, m.n);
    for (size_t keep = 0; keep < end - at; keep++) {
        memcpy(m.b, whole, m.n);
        memset(m.b + at + keep, keep % 2 == 0 ? 0 : 0x5A, end - at - keep);
        if (memcmp(m.b, whole, m.n) == 0)
            continue;
        store(&m);
        assert_int_equal(kit_open(k, 0), NX_OK);
        assert_int_equal(k->seen, 3);
        assert_int_equal(nx_wal_producer_last(k->w, k->producer), 3);
        assert_int_equal(kit_put(k, 1), NX_OK); /* and it goes on, over the torn bytes */
        kit_close(k);
        assert_int_equal(kit_open(k, 0), NX_OK);
        assert_int_equal(k->seen, 4);
        kit_close(k);
    }
    free(whole);
    free(m.b);
}

static void test_bit_flips(void **state)
{
    kit *k = *state;
    k->opts.segment_bytes = 64 << 10;
    assert_int_equal(kit_open(k, 0), NX_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(kit_put(k, 3), NX_OK);
    kit_close(k);
    image m = load(k, 0);
    size_t last = find_last_block(&m);
    assert_int_equal(last, 4 * 4096);
    nx_rand r;
    nx_rand_seed(&r, 7);
    int refused = 0;
    for (int i = 0; i < 400; i++) {
        size_t at =
            i < 60 ? (size_t)i : 4096 * (1 + nx_rand_below(&r, 4)) + nx_rand_below(&r, 500); /* a block a page */
        char was = m.b[at];
        m.b[at] ^= (char)(1 << nx_rand_below(&r, 8));
        store(&m);
        nx_status st = kit_open(k, 0);
        if (st != NX_OK) {
            assert_int_equal(st, NX_CORRUPT); /* acknowledged frames are missing: said, not passed over */
            assert_non_null(strstr(k->err.text, "segment"));
            assert_true(at < last);
        } else if (k->seen != 12) {
            assert_true(at >= last); /* as if torn */
            assert_int_equal(k->seen, 9);
        } /* else: a byte of padding */
        refused += st != NX_OK;
        kit_close(k);
        m.b[at] = was;
    }
    assert_true(refused > 200);
    free(m.b);
}

static void test_hole_between_segments(void **state)
{
    kit *k = *state;
    assert_int_equal(kit_open(k, 0), NX_OK);
    while (kit_segs(k).n < 3)
        assert_int_equal(kit_put(k, 3), NX_OK);
    kit_close(k);
    image m = load(k, 0);
    size_t last = find_last_block(&m);
    m.b[last + 60] ^= 1;
    store(&m);
    assert_int_equal(kit_open(k, 0), NX_CORRUPT);
    assert_non_null(strstr(k->err.text, "wal-00000000000000000001.seg"));
    kit_close(k);
    m.b[last + 60] ^= 1;
    store(&m);
    assert_int_equal(kit_open(k, 0), NX_OK);
    uint64_t all = k->seen;
    assert_true(all > 0);
    kit_close(k);
    seg_list l = kit_segs(k);
    char path[160];
    snprintf(path, sizeof path, "%s/%s", k->dir, l.names[1]);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(kit_open(k, 0), NX_CORRUPT);
    free(m.b);
}

/* A child writes and tells through shared memory what was synced; it is killed at a random moment. */
static void child(kit *k, volatile uint64_t *acked, uint64_t seed)
{
    if (kit_open(k, 0) != NX_OK)
        _exit(3);
    nx_rand r;
    nx_rand_seed(&r, seed);
    for (;;) {
        if (kit_put(k, 1 + (int)nx_rand_below(&r, 12)) != NX_OK)
            _exit(4);
        *acked = nx_wal_durable_pos(k->w);
        if (nx_rand_below(&r, 8) == 0 && *acked > 40 && nx_wal_release(k->w, *acked - 40, NULL) != NX_OK)
            _exit(5);
    }
}

static void test_kill_at_random(void **state)
{
    kit *k = *state;
    volatile uint64_t *acked = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(acked != MAP_FAILED);
    nx_rand r;
    nx_rand_seed(&r, 11);
    uint64_t before = 0;
    for (int round = 0; round < 25; round++) {
        pid_t pid = fork();
        if (pid == 0)
            child(k, acked, 100 + (uint64_t)round);
        uint64_t goal = before + 1 + nx_rand_below(&r, 60);
        int status = 0;
        while (*acked < goal && waitpid(pid, &status, WNOHANG) == 0) /* ended by progress, not by time */
            usleep(50);
        usleep((useconds_t)nx_rand_below(&r, 800));
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        uint64_t promised = *acked;
        assert_int_equal(kit_open(k, promised > 40 ? promised - 40 : 0), NX_OK);
        assert_true(k->last >= promised);
        assert_true(nx_wal_producer_last(k->w, k->producer) == k->last);
        before = k->last;
        kit_close(k);
        *acked = before;
    }
    munmap((void *)(uintptr_t)acked, 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_torn_at_every_byte, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_bit_flips, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_hole_between_segments, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_kill_at_random, kit_up, kit_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
