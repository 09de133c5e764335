/* What survives: restarts, kills, a failing disk; and feeds, which take the same path. Promise 1. */
#include "unit/ingest/edge_kit.h"

#include <sys/mount.h>

static void test_killed_after_ack(void **state)
{
    edge *e = *state;
    pid_t pid = edge_fork(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 0);
    say(w, "[" Q1 "," T1 "," BAD "]");
    hear(w);
    say_flush(w);
    say(w, "[" Q2 "," Q1 "," BAD "]");
    assert_non_null(strstr(hear(w), "\"seq\":2,\"accepted\":2,\"rejected\":1"));
    end_child(pid);
    nx_wsc_drop(w);
    edge_start(e);
    nx_stream_stats st;
    nx_stream_stats_get(e->s, &st);
    assert_true(st.recovered_frames >= 1);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.quotes"), 3);
    assert_int_equal(edge_count(e, "bronze.trades"), 1);
    assert_int_equal(edge_count(e, "quarantine.records"), 2);
    assert_string_equal(edge_ask(e, "select string_agg(symbol || _ingest_pos || _ingest_idx, ' ' order by _ingest_pos, "
                                    "_ingest_idx) from bronze.quotes"),
                        "IBM10 BAC20 IBM21");
    w = dial(e);
    assert_int_equal(greet(w, "p"), 2);
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":3,"));
    say_flush(w);
    assert_string_equal(edge_ask(e, "select max(_ingest_pos) from bronze.quotes"), "3"); /* positions go on */
    nx_wsc_drop(w);
}

/* Killed between the commits of two tables: the one that has its rows gets them once. */
static void test_killed_between_commits(void **state)
{
    edge *e = *state;
    int killed = 0;
    static const char *const faults[] = {"DELTA_COMMIT:%d:kill", "DELTA_COMMITTED:%d:kill", "PARQUET_WRITE:%d:kill"};
    for (size_t f = 0; f < NX_COUNT_OF(faults); f++)
        for (int skip_n = 0; skip_n < 3; skip_n++) {
            /* tables exist before: the fault meets commits of rows */
            edge_start(e);
            edge_stop(e);
            int64_t quotes = edge_count(e, "bronze.quotes"), trades = edge_count(e, "bronze.trades"),
                    refused = edge_count(e, "quarantine.records");
            edge_close_lake(e);
            char spec[64];
            snprintf(spec, sizeof spec, faults[f], skip_n);
            setenv("NEXUS_FAULT", spec, 1);
            pid_t pid = fork();
            if (pid == 0) {
                if (!nx_fault_arm(spec) || edge_try(e) != NX_OK)
                    _exit(3);
                nx_wsc *w = dial(e);
                say(w, "[" Q1 "," T1 "," BAD "]");
                hear(w);
                nx_status st = nx_stream_flush(e->s, NULL);
                _exit(st == NX_OK ? 0 : 4); /* the fault did not come so far: an end without a stop will do */
            }
            unsetenv("NEXUS_FAULT");
            int status;
            waitpid(pid, &status, 0);
            killed += WIFSIGNALED(status);
            assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
            edge_start(e);
            must(nx_stream_flush(e->s, &e->err), &e->err);
            edge_stop(e);
            assert_int_equal(edge_count(e, "bronze.quotes"), quotes + 1);
            assert_int_equal(edge_count(e, "bronze.trades"), trades + 1);
            assert_int_equal(edge_count(e, "quarantine.records"), refused + 1);
        }
    assert_int_equal(killed, 9);
}

static void test_commit_fails_once(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, "[" Q1 "," T1 "]");
    hear(w);
    nx_log_setup(NX_LOG_ERROR + 1, false); /* the failure is told; not here */
    assert_true(nx_fault_arm("DELTA_COMMIT"));
    say_flush(w); /* tried again until it works */
    nx_log_setup(NX_LOG_ERROR, false);
    assert_int_equal(edge_count(e, "bronze.quotes"), 1);
    assert_int_equal(edge_count(e, "bronze.trades"), 1);
    assert_true(nx_fault_arm("PARQUET_WRITE"));
    say(w, "[" Q1 "," T1 "]");
    hear(w);
    nx_log_setup(NX_LOG_ERROR + 1, false);
    say_flush(w);
    nx_log_setup(NX_LOG_ERROR, false);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    assert_int_equal(edge_count(e, "bronze.trades"), 2);
    nx_wsc_drop(w);
}

/* One batch with rows of two days: the file of the first is written, that of the second fails. */
static void test_second_partition_fails_once(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, "[" Q1 ",{\"T\":\"q\",\"S\":\"IBM\",\"bx\":\"P\",\"bp\":1,\"bs\":3,\"ax\":\"P\",\"ap\":2,\"as\":30,\"c\":["
           "\"R\"],\"z\":\"A\",\"t\":\"2013-10-08T08:00:00Z\"}]");
    assert_non_null(strstr(hear(w), "\"accepted\":2"));
    nx_log_setup(NX_LOG_ERROR + 1, false);
    assert_true(nx_fault_arm("PARQUET_WRITE:1"));
    say_flush(w);
    nx_log_setup(NX_LOG_ERROR, false);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    assert_int_equal(edge_count(e, "bronze.quotes where bid_price = 1 and event_date = '2013-10-08'"), 1);
    nx_wsc_drop(w);
}

static void test_short_log_write(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, Q1);
    hear(w);
    assert_true(nx_fault_arm("WAL_WRITE:0:short"));
    say(w, Q2); /* its ack waits until the log takes it */
    assert_non_null(strstr(hear(w), "\"seq\":2,\"accepted\":1"));
    say_flush(w);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    nx_wsc_drop(w);
}

static void test_failed_sync_ends_it(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 0);
    say(w, Q1);
    hear(w);
    nx_log_setup(NX_LOG_ERROR + 1, false);
    assert_true(nx_fault_arm("WAL_SYNC"));
    say(w, Q2);
    int close;
    assert_string_equal(hear_or_close(w, &close), ""); /* no ack */
    assert_int_equal(close, 1011);
    assert_int_equal(nx_stream_check(e->s, &e->err), NX_IO);
    assert_int_equal(nx_stream_stop(e->s, &e->err), NX_IO);
    e->s = NULL;
    nx_log_setup(NX_LOG_ERROR, false);
    nx_wsc_drop(w);
    edge_start(e);
    w = dial(e);
    long long last = greet(w, "p");
    assert_true(last >= 1);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.quotes"), last);
    nx_wsc_drop(w);
}

/* More rows than all batches hold while nothing can be committed: the edge stops reading, then goes on. */
static void test_many_small_batches(void **state)
{
    edge *e = *state;
    e->o.batch_rows = 50;
    e->o.n_batches = 2;
    e->o.flush_max_rows = 200;
    edge_start(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 0);
    nx_err err = {0};
    for (int i = 0; i < 1000; i++)
        must(nx_wsc_queue(w, NX_WS_TEXT, NX_STR("[" Q1 "," Q2 "," T1 "]"), &err), &err);
    must(nx_wsc_pump(w, -1, NULL, &err), &err);
    say_flush(w);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2000);
    assert_int_equal(edge_count(e, "bronze.trades"), 1000);
    assert_int_equal(edge_count(e, "(select distinct _ingest_pos, _ingest_idx from bronze.quotes)"), 2000);
    nx_wsc_drop(w);
}

static void fill_disk(const char *path)
{
    static char block[4096];
    memset(block, 'x', sizeof block);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    setvbuf(f, NULL, _IONBF, 0);
    while (fwrite(block, 1, sizeof block, f) == sizeof block) {
    }
    fclose(f);
}

/* The lake's disk is full: what comes is acknowledged as long as batches are free, then the edge stops reading; with
 * room it goes on. */
static void test_full_lake(void **state)
{
    edge *e = *state;
    char filler[160];
    must(nx_dir_make(e->root, &e->err), &e->err);
    if (mount("tmpfs", e->root, "tmpfs", 0, "size=8m") != 0) {
        print_message("skipped: a small file system needs the right to mount one\n");
        skip();
    }
    e->o.batch_rows = 100;
    e->o.n_batches = 2;
    e->o.flush_max_rows = 100;
    edge_start(e);
    snprintf(filler, sizeof filler, "%s/filler", e->root);
    fill_disk(filler);
    nx_log_setup(NX_LOG_ERROR + 1, false);
    nx_wsc *w = dial(e);
    nx_err err = {0};
    for (int i = 0; i < 500; i++)
        must(nx_wsc_queue(w, NX_WS_TEXT, NX_STR("[" Q1 "," T1 "]"), &err), &err);
    must(nx_wsc_pump(w, -1, NULL, &err), &err);
    nx_stream_stats st = {0};
    while (!st.waiting) {
        usleep(1000);
        nx_stream_stats_get(e->s, &st);
    }
    assert_true(st.frames < 500);
    assert_int_equal(st.committed_rows, 0);
    assert_int_equal(unlink(filler), 0);
    say_flush(w);
    nx_log_setup(NX_LOG_ERROR, false);
    assert_int_equal(edge_count(e, "bronze.quotes"), 500);
    assert_int_equal(edge_count(e, "bronze.trades"), 500);
    nx_wsc_drop(w);
    edge_stop(e);
    edge_close_lake(e);
    assert_int_equal(umount(e->root), 0);
}

/* Small files become few while frames keep coming. */
static void test_compaction_while_streaming(void **state)
{
    edge *e = *state;
    e->o.compact_every_ms = 20;
    edge_start(e);
    nx_table *t;
    must(nx_table_open(e->lake, "bronze.quotes", &t, &e->err), &e->err);
    nx_wsc *w = dial(e);
    nx_table_info info;
    int64_t n = 0, most = 0;
    do {
        say(w, Q1);
        say_flush(w);
        n++;
        must(nx_table_info_get(t, &info, &e->err), &e->err);
        most = info.files > most ? info.files : most;
    } while (info.files >= most || most < 8);
    assert_int_equal(edge_count(e, "bronze.quotes"), n);
    assert_int_equal(edge_count(e, "(select distinct _ingest_pos from bronze.quotes)"), n);
    nx_wsc_drop(w);
}

static void test_lost_log(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, Q1);
    say(w, Q2);
    say_flush(w);
    nx_wsc_drop(w);
    edge_stop(e);
    char path[160];
    snprintf(path, sizeof path, "%s/wal", e->state);
    must(nx_dir_remove(path, &e->err), &e->err);
    edge_start(e); /* another writer id; its positions are above all that tables hold */
    w = dial(e);
    say(w, T1);
    say_flush(w);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    assert_int_equal(edge_count(e, "bronze.trades"), 1);
    assert_int_equal(edge_count(e, "bronze.trades where _ingest_pos <= (select max(_ingest_pos) from bronze.quotes)"),
                     0);
    nx_wsc_drop(w);
}

typedef struct control {
    int n;
    char last[64];
} control;

static bool on_control(void *ctx, nx_str type, nx_str object)
{
    control *c = ctx;
    c->n++;
    snprintf(c->last, sizeof c->last, NX_STR_FMT, NX_STR_ARG(object));
    return nx_str_is(type, "success") || nx_str_is(type, "subscription");
}

static void test_feed(void **state)
{
    edge *e = *state;
    e->o.listen = NULL; /* a feed needs no listener */
    edge_start(e);
    assert_int_equal(nx_stream_port(e->s), 0);
    control c = {0};
    nx_feed *f;
    must(nx_feed_open(e->s, "alpaca/iex", "alpaca.stocks", on_control, &c, &f, &e->err), &e->err);
    nx_verdict v;
    int64_t at = 1700000000123456789;
    must(nx_feed_put(f, NX_STR("[{\"T\":\"success\",\"msg\":\"connected\"}]"), at, &v, &e->err), &e->err);
    assert_int_equal(c.n, 1);
    assert_string_equal(c.last, "{\"T\":\"success\",\"msg\":\"connected\"}");
    assert_int_equal(v.accepted + v.rejected, 0);
    must(nx_feed_put(f, NX_STR("[" Q1 "," T1 "," BAD "]"), at, &v, &e->err), &e->err);
    assert_int_equal(v.accepted, 2);
    assert_int_equal(v.rejected, 1);
    must(nx_feed_sync(f, &e->err), &e->err);
    nx_feed_close(f);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_string_equal(
        edge_ask(e, "select _source || ' ' || _ingest_pos || ' ' || epoch_us(_received_at) from bronze.quotes"),
        "alpaca/iex 1 1700000000123456");
    assert_int_equal(edge_count(e, "quarantine.records"), 1);
    edge_stop(e);
    e->o.listen = "127.0.0.1:0";
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, "{\"action\":\"hello\",\"producer\":\"alpaca/iex\"}"); /* nobody can pretend to be a feed */
    assert_non_null(strstr(hear(w), "\"code\":400"));
    nx_wsc_drop(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_killed_after_ack, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_killed_between_commits, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_commit_fails_once, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_second_partition_fails_once, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_short_log_write, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_failed_sync_ends_it, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_many_small_batches, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_full_lake, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_compaction_while_streaming, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_lost_log, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_feed, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
