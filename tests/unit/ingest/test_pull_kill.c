/* Promise 5: a backfill is killed at random moments and at every step of a commit; run again it ends with the rows of an undisturbed one, each once. */
#include "unit/ingest/pull_kit.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/rand.h"

static const char *const symbols[] = {"AAPL", "AMD", "GME", "SPY", NULL};
static const char *const subreddits[] = {"wallstreetbets", "stocks", NULL};
static char url[64];
static pid_t vendor;

/* The look-alike lives in a process of its own: ours forks and must have no threads. */
static int vendor_up(void **state)
{
    (void)state;
    int fds[2];
    if (pipe(fds) != 0 || (vendor = fork()) < 0)
        return -1;
    if (vendor == 0) {
        nx_err err = {0};
        nx_sim *s;
        close(fds[0]);
        if (nx_sim_start(&(nx_sim_opts){.listen = "127.0.0.1:0", .sessions = 20, .faults = {.fail_every = 9}}, &s,
                         &err) != NX_OK)
            _exit(3);
        dprintf(fds[1], "%d\n", nx_sim_port(s));
        for (;;)
            pause();
    }
    char text[16] = "";
    close(fds[1]);
    ssize_t n = read(fds[0], text, sizeof text - 1);
    close(fds[0]);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", (int)strtol(text, NULL, 10));
    return n > 0 ? 0 : -1;
}

static int vendor_down(void **state)
{
    (void)state;
    kill(vendor, SIGKILL);
    return waitpid(vendor, NULL, 0) == vendor ? 0 : -1;
}

static nx_status load_all(edge *e, nx_pull_result *sum)
{
    nx_pull_opts p = quick(e);
    nx_pull_result r;
    nx_alpaca_opts o = {.data_url = url,
                        .trading_url = url,
                        .key = KEY,
                        .secret = SECRET,
                        .symbols = symbols,
                        .timeframe = "1Min",
                        .feed = "iex",
                        .start_us = us("2026-09-08T00:00:00Z"),
                        .end_us = us("2026-10-06T00:00:00Z")};
    static const nx_alpaca_kind kinds[] = {NX_ALPACA_ASSETS, NX_ALPACA_BARS, NX_ALPACA_TRADES};
    for (size_t i = 0; i < NX_COUNT_OF(kinds); i++) {
        NX_TRY(nx_backfill_alpaca(&p, kinds[i], &o, &r, &e->err));
        sum->rows_added += r.rows_added;
        sum->windows_skipped += r.windows_skipped;
    }
    nx_reddit_opts d = {.token_url = url,
                        .api_url = url,
                        .client_id = "id",
                        .client_secret = "x",
                        .user_agent = "test",
                        .subreddits = subreddits,
                        .start_us = INT64_MIN,
                        .end_us = INT64_MAX,
                        .posts = true,
                        .comments = true};
    nx_status st = nx_backfill_reddit(&p, &d, &r, &e->err);
    sum->rows_added += r.rows_added;
    return st;
}

/* Runs a backfill in a child and kills it after that many milliseconds, or at a fault point. True: it came to its end. */
static bool load_in_child(edge *e, int64_t kill_after_ms, const char *fault)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        nx_pull_result sum = {0};
        if (!nx_fault_arm(fault))
            _exit(4);
        nx_status st = load_all(e, &sum);
        if (st != NX_OK)
            fprintf(stderr, "child: %s\n", e->err.text);
        _exit(st == NX_OK ? 0 : 3);
    }
    int status = 0;
    if (kill_after_ms >= 0) {
        nx_clock_sleep_ms(kill_after_ms, NULL);
        kill(pid, SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFEXITED(status);
}

static void fingerprint(edge *e, char out[1024])
{
    static const char *const sums[] = {
        "select count(*) || '/' || sum(hash(symbol, timeframe, ts, open, high, low, close, volume, trade_count, vwap)::hugeint) from bronze.bars",
        "select count(*) || '/' || sum(hash(symbol, trade_id, exchange, price, size, conditions, update_status, ts_ns)::hugeint) from bronze.trades",
        "select count(*) || '/' || sum(hash(id, symbol, status, name)::hugeint) from bronze.assets",
        "select count(*) || '/' || sum(hash(fullname, title, selftext, score, created_at)::hugeint) from bronze.posts",
        "select count(*) || '/' || sum(hash(fullname, body, score, created_at)::hugeint) from bronze.comments",
    };
    size_t n = 0;
    for (size_t i = 0; i < NX_COUNT_OF(sums); i++)
        n += (size_t)snprintf(out + n, 1024 - n, "%s ", edge_ask(e, sums[i]));
}

static void compare(edge *e)
{
    void *other = NULL;
    char want[1024], have[1024];
    nx_pull_result sum = {0};
    assert_int_equal(edge_up(&other), 0);
    must(load_all(other, &sum), &((edge *)other)->err);
    assert_true(sum.rows_added > 10000);
    fingerprint(other, want);
    assert_int_equal(edge_down(&other), 0);
    edge_open_lake(e); /* not before: it may start threads */
    fingerprint(e, have);
    assert_string_equal(have, want);
    sum = (nx_pull_result){0};
    must(load_all(e, &sum), &e->err);
    assert_int_equal(sum.rows_added, 0);
    assert_int_equal(sum.windows_skipped, 4 + 28);
}

static void killed_at_random(void **state)
{
    edge *e = *state;
    uint64_t r;
    int kills = 0;
    for (int i = 0; i < 10; i++) {
        nx_rand_bytes(&r, sizeof r);
        kills += !load_in_child(e, (int64_t)(r % 1000), NULL);
    }
    print_message("%d kills\n", kills);
    assert_true(load_in_child(e, -1, NULL));
    compare(e);
}

static void killed_in_commits(void **state)
{
    edge *e = *state;
    static const char *const points[] = {"DELTA_COMMIT", "DELTA_COMMITTED", "FILE_RENAME", "FILE_FSYNC",
                                         "PARQUET_WRITE"};
    int kills = 0;
    for (int skip = 0; skip < 6; skip += 5)
        for (size_t i = 0; i < NX_COUNT_OF(points); i++) {
            char fault[64];
            snprintf(fault, sizeof fault, "%s:%d:kill", points[i], skip);
            kills += !load_in_child(e, -1, fault);
        }
    print_message("%d kills\n", kills);
    assert_true(kills >= 5);
    assert_true(load_in_child(e, -1, NULL));
    compare(e);
}

int main(void)
{
    nx_clock_set_wall(late, NULL);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_at_random, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(killed_in_commits, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, vendor_up, vendor_down);
}
