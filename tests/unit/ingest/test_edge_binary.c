/* Binary frames: msgpack over the push protocol, through the log and its recovery, and a tape sent in both forms. Promises 1 and 2. */
#include "unit/ingest/edge_kit.h"

#include "data/msgpack.h"
#include "ingest/replay.h"

static void say_packed(nx_wsc *w, const char *json)
{
    static const char *const times[] = {"t", NULL};
    const nx_mp_words words = {.times = times};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_err err = {0};
    must(nx_mp_from_json(nx_str_of(json), &words, &b, &err), &err);
    must(nx_wsc_send(w, NX_WS_BINARY, nx_buf_str(&b), -1, NULL, &err), &err);
}

static void say_bytes(nx_wsc *w, nx_ws_op op, nx_str bytes)
{
    nx_err err = {0};
    must(nx_wsc_send(w, op, bytes, -1, NULL, &err), &err);
}

static void test_rows_and_refusals(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say_packed(w, "{\"action\":\"hello\",\"producer\":\"packed\"}");
    assert_string_equal(hear(w), "[{\"T\":\"success\",\"msg\":\"hello\",\"last\":0}]");
    say_packed(w, "[" Q1 "," BAD "," T1 "]");
    const char *ack = hear(w);
    assert_non_null(strstr(ack, "\"seq\":1,\"accepted\":2,\"rejected\":1"));
    assert_non_null(strstr(ack, "{\"index\":1,\"field\":\"price\",\"rule\":\"type\""));
    say(w, "[" Q2 "]"); /* JSON on the same connection */
    assert_non_null(strstr(hear(w), "\"seq\":2,\"accepted\":1"));
    say_bytes(w, NX_WS_BINARY, NX_STR("\xdd\xff\xff\xff\xff\x01")); /* claims four billion elements */
    assert_non_null(strstr(hear(w), "\"rule\":\"msgpack\""));
    say_bytes(w, NX_WS_BINARY, NX_STR("\x01\x02")); /* neither */
    assert_non_null(strstr(hear(w), "\"rule\":\"json\""));
    say_bytes(w, NX_WS_BINARY, NX_STR(""));
    assert_non_null(strstr(hear(w), "\"seq\":5,\"accepted\":0,\"rejected\":1"));
    say_packed(w, "{\"action\":\"flush\"}");
    assert_string_equal(hear(w), "[{\"T\":\"success\",\"msg\":\"flush\",\"last\":5}]");
    say_packed(w, "{\"action\":\"dance\"}");
    assert_non_null(strstr(hear(w), "\"code\":400"));
    assert_int_equal(edge_count(e, "bronze.quotes where bid_price in (180.01, 13.84) and _source = 'packed'"), 2);
    assert_int_equal(edge_count(e, "bronze.trades where price = 13.94 and size = 500 and ts_ns = 1381132800614000000"),
                     1);
    /* the refused row's bytes are those that came */
    assert_int_equal(
        edge_count(e, "quarantine.records where hex(raw) like '89A154A174A153A3424143%' and errors[1].rule = 'type'"),
        1);
    assert_int_equal(edge_count(e, "quarantine.records where hex(raw) = 'DDFFFFFFFF01'"), 1);
    assert_int_equal(edge_count(e, "quarantine.records"), 4);
    nx_wsc_drop(w);
}

/* Killed after the acks: the log is read back in the form that each frame came in. */
static void test_recovered(void **state)
{
    edge *e = *state;
    pid_t pid = edge_fork(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 0);
    say_packed(w, "[" Q1 "," BAD "]");
    hear(w);
    say(w, "[" Q2 "," T1 "]");
    hear(w);
    say_packed(w, T1);
    hear(w);
    say_bytes(w, NX_WS_BINARY, NX_STR("\x92\xc0"));
    hear(w);
    end_child(pid);
    nx_wsc_drop(w);
    edge_start(e);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    nx_stream_stats st;
    nx_stream_stats_get(e->s, &st);
    assert_int_equal(st.recovered_frames, 4);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    assert_int_equal(edge_count(e, "bronze.trades where price = 13.94"), 2);
    assert_int_equal(edge_count(e, "quarantine.records"), 2);
    w = dial(e);
    assert_int_equal(greet(w, "p"), 4);
    nx_wsc_drop(w);
}

/* A connection that compresses: the log holds what was sent, not how. */
static void test_compressed(void **state)
{
    edge *e = *state;
    e->o.frame_bytes_max = 100000;
    pid_t pid = edge_fork(e);
    nx_wsc_opts o = {.url = e->url, .deflate = true, .deflate_bytes_min = 1};
    nx_wsc *w;
    nx_err err = {0};
    must(nx_wsc_connect(&o, NULL, &w, &err), &err);
    assert_true(nx_wsc_deflates(w));
    hear(w);
    assert_int_equal(greet(w, "p"), 0);
    for (int i = 0; i < 200; i++) {
        say(w, "[" Q1 "," Q2 "," T1 "]");
        say_packed(w, "[" Q1 "," BAD "]");
    }
    long long last = 0, seq;
    while (last < 400) {
        const char *ack = strstr(hear(w), "\"seq\":");
        assert_non_null(ack);
        assert_int_equal(sscanf(ack, "\"seq\":%lld", &seq), 1);
        last = seq;
    }
    end_child(pid);
    nx_wsc_drop(w);
    edge_start(e);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.quotes"), 600);
    assert_int_equal(edge_count(e, "bronze.trades"), 200);
    assert_int_equal(edge_count(e, "quarantine.records"), 200);
    /* a megabyte in a kilobyte: over the limit of a message */
    static char zeros[1 << 20];
    o.url = e->url;
    must(nx_wsc_connect(&o, NULL, &w, &err), &err);
    hear(w);
    say_bytes(w, NX_WS_BINARY, (nx_str){zeros, sizeof zeros});
    int close;
    assert_string_equal(hear_or_close(w, &close), "");
    assert_int_equal(close, 1009);
    nx_wsc_drop(w);
}

static void write_file(const edge *e, const char *name, const char *text, char path[160])
{
    nx_err err = {0};
    snprintf(path, 160, "%s/%s", e->dir, name);
    must(nx_file_replace(path, nx_str_of(text), &err), &err);
}

static void test_replay(void **state)
{
    edge *e = *state;
    edge_start(e);
    char path[160];
    write_file(e, "a.ndjson", "[" Q1 "," BAD "]\n" T1 "\n[" Q2 "," T1 "]\n", path);
    const char *files[] = {path, NULL};
    nx_replay_opts o = {.files = files, .url = e->url, .producer = "json"};
    nx_replay_result r;
    must(nx_replay(&o, &r, &e->err), &e->err);
    uint64_t bytes = r.bytes;
    o.producer = "msgpack";
    o.msgpack = true;
    must(nx_replay(&o, &r, &e->err), &e->err);
    assert_int_equal(r.accepted, 4);
    assert_int_equal(r.rejected, 1);
    assert_true(r.bytes < bytes * 7 / 10);
    assert_int_equal(edge_count(e, "bronze.quotes"), 4);
    assert_int_equal(
        edge_count(e, "(select * exclude (_source, _ingest_pos, _received_at, _known_at) from bronze.quotes where "
                      "_source = 'json' except select * exclude (_source, _ingest_pos, _received_at, _known_at) "
                      "from bronze.quotes where _source = 'msgpack')"),
        0);
    o.producer = "json"; /* frames are lines in both forms: they are known already */
    must(nx_replay(&o, &r, &e->err), &e->err);
    assert_int_equal(r.frames, 0);
    assert_int_equal(r.skipped, 3);
}

static void test_not_sendable(void **state)
{
    edge *e = *state;
    edge_start(e);
    char path[160];
    write_file(e, "a.ndjson", "[" Q1 "]\n[{\"T\":\"t\",\"p\":123456789012.123456}]\n", path);
    const char *files[] = {path, NULL};
    nx_replay_opts o = {.files = files, .url = e->url, .msgpack = true};
    nx_replay_result r;
    assert_int_equal(nx_replay(&o, &r, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.text, "frame 2 of "));
    assert_non_null(strstr(e->err.text, "123456789012.123456"));
    assert_non_null(strstr(e->err.hint, "--format json"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_and_refusals, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_recovered, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_compressed, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_replay, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_not_sendable, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
