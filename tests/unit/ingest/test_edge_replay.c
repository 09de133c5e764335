/* The replay client against the edge, on files written here and on a real tape. Promise 2. */
#include "unit/ingest/edge_kit.h"

#include "ingest/replay.h"

static void write_file(const edge *e, const char *name, const char *text, char path[160])
{
    nx_err err = {0};
    snprintf(path, 160, "%s/%s", e->dir, name);
    must(nx_file_replace(path, nx_str_of(text), &err), &err);
}

static nx_status play(edge *e, const char *path, nx_replay_result *r)
{
    const char *files[] = {path, NULL};
    nx_replay_opts o = {.files = files, .url = e->url};
    return nx_replay(&o, r, &e->err);
}

static void test_twice_adds_nothing(void **state)
{
    edge *e = *state;
    edge_start(e);
    char path[160];
    write_file(e, "a.ndjson", "[" Q1 "]\n\n" T1 "\r\n[" Q1 "," BAD "]", path);
    nx_replay_result r;
    must(play(e, path, &r), &e->err);
    assert_int_equal(r.frames, 3);
    assert_int_equal(r.accepted, 3);
    assert_int_equal(r.rejected, 1);
    assert_true(r.committed);
    assert_non_null(strstr(r.first_error, "frame 3, row 1: price"));
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    must(play(e, path, &r), &e->err);
    assert_int_equal(r.frames, 0);
    assert_int_equal(r.skipped, 3);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    assert_int_equal(edge_count(e, "bronze.trades"), 1);
    assert_int_equal(edge_count(e, "quarantine.records"), 1);
    assert_int_equal(edge_count(e, "bronze.trades where _source like 'file-________________'"), 1);
}

static void test_goes_on_after_a_part(void **state)
{
    edge *e = *state;
    edge_start(e);
    char path[160];
    write_file(e, "a.ndjson", "[" Q1 "]\n[" T1 "]\n[" Q2 "]\n", path);
    const char *files[] = {path, NULL};
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "mine"), 0);
    say(w, "[" Q1 "]");
    hear(w);
    nx_wsc_drop(w);
    nx_replay_opts o = {.files = files, .url = e->url, .producer = "mine"};
    nx_replay_result r;
    must(nx_replay(&o, &r, &e->err), &e->err);
    assert_int_equal(r.skipped, 1);
    assert_int_equal(r.frames, 2);
    write_file(e, "b.ndjson", "[" Q1 "]\n", path); /* another file under the same name */
    files[0] = path;
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_CONFLICT);
}

static void test_pace(void **state)
{
    edge *e = *state;
    edge_start(e);
    char path[160];
    /* 4.257 s of tape at 20 times its pace take 0.21 s at least */
    write_file(e, "a.ndjson", "[" Q1 "]\n[" Q2 "]\n", path);
    const char *files[] = {path, NULL};
    nx_replay_opts o = {.files = files, .url = e->url, .speed = 20};
    nx_replay_result r;
    must(nx_replay(&o, &r, &e->err), &e->err);
    assert_true(r.seconds >= 0.2);
    assert_int_equal(r.accepted, 2);
}

static void test_what_goes_wrong(void **state)
{
    edge *e = *state;
    static const char *const tokens[] = {"sesame", NULL};
    e->o.tokens = tokens;
    e->o.frame_bytes_max = 1000;
    edge_start(e);
    char path[160];
    write_file(e, "a.ndjson", "[" Q1 "]\n", path);
    const char *files[] = {path, NULL};
    nx_replay_opts o = {.files = files, .url = e->url};
    nx_replay_result r;
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.text, "401"));
    o.token = "wrong";
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_INVALID);
    o.token = "sesame";
    must(nx_replay(&o, &r, &e->err), &e->err);
    char big[3000] = "[" Q1 "]\n[\"";
    memset(big + strlen(big), 'x', 2000);
    write_file(e, "b.ndjson", big, path);
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.text, "1009"));
    assert_non_null(strstr(e->err.text, "after frame "));
    files[0] = "/nowhere/at/all";
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_NOT_FOUND);
    write_file(e, "a.ndjson", "[" Q1 "]\n", path);
    files[0] = path;
    o.url = "ws://127.0.0.1:1/ws/market-data";
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_REMOTE);
    assert_true(e->err.retriable);
    assert_non_null(strstr(e->err.hint, "nexus stream"));
}

/* The head of the day tape, written out as a plain file. */
static void test_real_tape(void **state)
{
    edge *e = *state;
    const char *shared = getenv("NEXUS_SHARED");
    char tape[512];
    snprintf(tape, sizeof tape, "%s/data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    if (!nx_file_exists(tape)) {
        print_message("skipped: no tape at %s\n", tape);
        skip();
    }
    edge_start(e);
    nx_replay_result r;
    must(play(e, tape, &r), &e->err);
    assert_int_equal(r.rejected, 0);
    assert_int_equal(edge_count(e, "bronze.quotes"), 909993);
    assert_int_equal(edge_count(e, "bronze.trades"), 654140);
    assert_int_equal(edge_count(e, "bronze.bars"), 2254);
    assert_int_equal(edge_count(e, "quarantine.records"), 0);
    must(play(e, tape, &r), &e->err);
    assert_int_equal(r.frames, 0);
    assert_int_equal(edge_count(e, "bronze.quotes"), 909993);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_twice_adds_nothing, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_goes_on_after_a_part, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_pace, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_what_goes_wrong, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_real_tape, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
