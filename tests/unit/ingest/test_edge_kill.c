/* Promises 1 and 2: the listener is killed twenty times at random moments of a replay. In the end the tables hold the
 * same rows as after an undisturbed replay, equal ones as often, and every position once. */
#include "unit/ingest/edge_kit.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/rand.h"
#include "ingest/replay.h"
#include "io/lines.h"

enum { FRAMES = 120000, KILLS = 20 };

static bool cut_tape(const char *path)
{
    const char *shared = getenv("NEXUS_SHARED");
    char tape[512];
    nx_err err = {0};
    nx_lines *l;
    snprintf(tape, sizeof tape, "%s/data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    if (!nx_file_exists(tape)) {
        print_message("skipped: no tape at %s\n", tape);
        return false;
    }
    must(nx_lines_open(tape, 0, &l, &err), &err);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    nx_str line;
    for (int i = 0; i < FRAMES; i++) {
        must(nx_lines_next(l, &line, &err), &err);
        assert_int_equal(fwrite(line.p, 1, line.n, f), line.n);
        if (i % 1000 == 7)
            fputs("\n[" BAD "]", f);
        fputc('\n', f);
    }
    fclose(f);
    nx_lines_close(l);
    return true;
}

/* What the tables hold, without what differs between two runs by its nature. Equal rows count as often as they are
 * there. */
static void fingerprint(edge *e, char out[512])
{
    snprintf(
        out, 128, "%s ",
        edge_ask(
            e, "select count(*) || '/' || sum(hash(symbol, bid_exchange, bid_price, bid_size, ask_exchange, ask_price, "
               "ask_size, conditions, tape, ts_ns, _source, _ingest_idx)::hugeint) from bronze.quotes"));
    size_t n = strlen(out);
    snprintf(
        out + n, 128, "%s ",
        edge_ask(e,
                 "select count(*) || '/' || sum(hash(symbol, trade_id, exchange, price, size, conditions, tape, ts_ns, "
                 "_source, _ingest_idx)::hugeint) from bronze.trades"));
    n += strlen(out + n);
    snprintf(out + n, 128, "%s",
             edge_ask(e, "select count(*) || '/' || sum(hash(source, raw, errors)::hugeint) from quarantine.records"));
}

static void reference(const edge *like, const char *tape, char out[512])
{
    void *state = NULL;
    assert_int_equal(edge_up(&state), 0);
    edge *e = state;
    e->o = like->o;
    e->o.state_dir = e->state;
    edge_start(e);
    const char *files[] = {tape, NULL};
    nx_replay_opts o = {.files = files, .url = e->url, .producer = "tape"};
    nx_replay_result r;
    must(nx_replay(&o, &r, &e->err), &e->err);
    fingerprint(e, out);
    assert_int_equal(edge_down(&state), 0);
}

static pid_t listen_in_child(edge *e)
{
    int fds[2], port = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (edge_try(e) != NX_OK) {
            fprintf(stderr, "child: %s\n", e->err.text);
            _exit(3);
        }
        port = nx_stream_port(e->s);
        if (write(fds[1], &port, sizeof port) != (ssize_t)sizeof port)
            _exit(4);
        for (;;)
            pause();
    }
    close(fds[1]);
    assert_int_equal(read(fds[0], &port, sizeof port), (ssize_t)sizeof port);
    close(fds[0]);
    snprintf(e->url, sizeof e->url, "ws://127.0.0.1:%d/ws/market-data", port);
    return pid;
}

typedef struct killer {
    pid_t pid;
    int64_t after_ms;
} killer;

static void *kill_later(void *p)
{
    const killer *k = p;
    nx_clock_sleep_ms(k->after_ms, NULL);
    kill(k->pid, SIGKILL);
    return NULL;
}

static void test_twenty_kills(void **state)
{
    edge *e = *state;
    char tape[160], want[512], got[512];
    snprintf(tape, sizeof tape, "%s/tape.ndjson", e->dir);
    if (!cut_tape(tape))
        skip();
    e->o.flush_max_rows = 30000; /* many commits, so that kills meet them */
    e->o.batch_rows = 10000;
    reference(e, tape, want);
    nx_rand r;
    nx_rand_seed(&r, 20260101);
    const char *files[] = {tape, NULL};
    int interrupted = 0;
    for (int i = 0; i < KILLS; i++) {
        killer k = {.pid = listen_in_child(e), .after_ms = 5 + (int64_t)nx_rand_below(&r, 120)};
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, kill_later, &k), 0);
        nx_replay_opts o = {.files = files, .url = e->url, .producer = "tape"};
        nx_replay_result res;
        nx_status st = nx_replay(&o, &res, &e->err);
        pthread_join(t, NULL);
        int status;
        waitpid(k.pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        if (st != NX_OK && st != NX_REMOTE)
            print_message("%s: %s\n", nx_status_name(st), e->err.text);
        assert_true(st == NX_OK || st == NX_REMOTE);
        interrupted += st != NX_OK;
    }
    edge_start(e);
    nx_replay_opts o = {.files = files, .url = e->url, .producer = "tape"};
    nx_replay_result res;
    must(nx_replay(&o, &res, &e->err), &e->err);
    assert_true(res.committed);
    fingerprint(e, got);
    assert_string_equal(got, want);
    assert_string_equal(edge_ask(e, "select count(*) - count(distinct (_ingest_pos, _ingest_idx)) from bronze.quotes"),
                        "0");
    assert_string_equal(edge_ask(e, "select count(*) - count(distinct record_id) from quarantine.records"), "0");
    assert_true(interrupted >= 5); /* else the kills came too late to prove anything */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_twenty_kills, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
