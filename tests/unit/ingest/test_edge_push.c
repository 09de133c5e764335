/* The push protocol over real sockets into a real lake. Promises 3 and 6. */
#include "unit/ingest/edge_kit.h"

static void test_rows_arrive(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "tape-1"), 0);
    say(w, "[" Q1 "," T1 "," Q2 "]");
    assert_string_equal(hear(w), "[{\"T\":\"ack\",\"seq\":1,\"accepted\":3,\"rejected\":0}]");
    say(w, Q1); /* one object without an array */
    assert_string_equal(hear(w), "[{\"T\":\"ack\",\"seq\":2,\"accepted\":1,\"rejected\":0}]");
    say(w, "[]");
    assert_string_equal(hear(w), "[{\"T\":\"ack\",\"seq\":3,\"accepted\":0,\"rejected\":0}]");
    say_flush(w);
    assert_int_equal(edge_count(e, "bronze.quotes"), 3);
    assert_int_equal(edge_count(e, "bronze.trades"), 1);
    assert_int_equal(edge_count(e, "quarantine.records"), 0);
    assert_string_equal(edge_ask(e, "select string_agg(symbol || ' ' || bid_price || ' ' || _ingest_pos || ' ' || "
                                    "_ingest_idx || ' ' || _source || ' ' || "
                                    "_known_basis || ' ' || _contract || ' ' || ts_ns, ';' order by _ingest_pos, "
                                    "_ingest_idx) from bronze.quotes"),
                        "IBM 180.010000 1 0 tape-1 received quotes@1.0.0 1381132800241000000;"
                        "BAC 13.840000 1 2 tape-1 received quotes@1.0.0 1381132804498000000;"
                        "IBM 180.010000 2 0 tape-1 received quotes@1.0.0 1381132800241000000");
    assert_string_equal(
        edge_ask(e,
                 "select count(*) from bronze.quotes where _received_at = _known_at and _received_at > '2020-01-01'"),
        "3");
    nx_stream_stats st;
    nx_stream_stats_get(e->s, &st);
    assert_int_equal(st.frames, 3);
    assert_int_equal(st.accepted, 4);
    assert_int_equal(st.committed_pos, 3);
    assert_int_equal(st.connections, 1);
    nx_wsc_drop(w);
}

static void test_refusals(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 0);
    say(w, "[" Q1 "," BAD "," T1 "]");
    const char *t = hear(w);
    assert_non_null(
        strstr(t, "\"seq\":1,\"accepted\":2,\"rejected\":1,\"errors\":[{\"index\":1,\"field\":\"price\",\"rule\":"));
    assert_non_null(strstr(t, "\"field\":\"ts\""));
    say(w, "[{\"T\":\"q\",");
    t = hear(w);
    assert_non_null(strstr(t, "\"seq\":2,\"accepted\":0,\"rejected\":1,\"errors\":[{\"index\":-1,"));
    assert_non_null(strstr(t, "\"rule\":\"json\""));
    say(w, "[{\"T\":\"?\",\"a\":1}]");
    assert_non_null(strstr(hear(w), "\"rule\":\"unknown_type\""));
    say_flush(w);
    assert_int_equal(edge_count(e, "bronze.trades"), 1);
    assert_int_equal(edge_count(e, "bronze.quotes"), 1);
    assert_int_equal(edge_count(e, "quarantine.records where state = 'open' and source = 'p' and replayed_at is null"),
                     3);
    assert_string_equal(edge_ask(e, "select decode(raw) from quarantine.records where contract = 'trades@1.0.0'"), BAD);
    assert_string_equal(edge_ask(e, "select decode(raw) from quarantine.records where errors[1].rule = 'json'"),
                        "[{\"T\":\"q\",");
    assert_string_equal(edge_ask(e, "select len(errors) from quarantine.records where contract = 'trades@1.0.0'"), "2");
    assert_int_equal(edge_count(e, "(select distinct record_id from quarantine.records where length(record_id) = 32)"),
                     3);
    nx_wsc_drop(w);
}

static void test_many_errors_show_sixteen(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    char frame[4096] = "[";
    for (int i = 0; i < 30; i++)
        snprintf(frame + strlen(frame), sizeof frame - strlen(frame), "%s{\"T\":\"nope\"}", i == 0 ? "" : ",");
    snprintf(frame + strlen(frame), sizeof frame - strlen(frame), "]");
    say(w, frame);
    const char *t = hear(w);
    assert_non_null(strstr(t, "\"rejected\":30"));
    int shown = 0;
    for (const char *p = t; (p = strstr(p, "\"index\":")) != NULL; p++)
        shown++;
    assert_int_equal(shown, 16);
    say_flush(w);
    assert_int_equal(edge_count(e, "quarantine.records"), 30);
    nx_wsc_drop(w);
}

static void test_acks_add_up(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 0);
    nx_err err = {0};
    for (int i = 1; i <= 500; i++)
        must(nx_wsc_queue(w, NX_WS_TEXT, i % 100 == 0 ? NX_STR("[" Q1 "," BAD "]") : NX_STR("[" Q1 "," Q2 "]"), &err),
             &err);
    must(nx_wsc_pump(w, -1, NULL, &err), &err);
    long long seq = 0, frames = 0, accepted = 0, rejected = 0;
    while (seq < 500) {
        const char *t = hear(w), *f = strstr(t, "\"frames\":");
        long long n, a, r;
        assert_int_equal(sscanf(t, "[{\"T\":\"ack\",\"seq\":%lld,\"accepted\":%lld,\"rejected\":%lld", &n, &a, &r), 3);
        long long k = f == NULL ? 1 : strtoll(f + 9, NULL, 10);
        assert_int_equal(n, seq + k); /* no frame is passed over */
        assert_true(r == 0 || (k == 1 && n % 100 == 0));
        seq = n;
        frames += k;
        accepted += a;
        rejected += r;
    }
    assert_int_equal(frames, 500);
    assert_int_equal(accepted, 995);
    assert_int_equal(rejected, 5);
    nx_wsc_drop(w);
}

static void test_hello_continues(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "a"), 0);
    say(w, Q1);
    hear(w);
    say(w, Q2);
    hear(w);
    assert_int_equal(greet(w, "b"), 0); /* another name on the same connection */
    say(w, T1);
    assert_non_null(strstr(hear(w), "\"seq\":1,"));
    nx_wsc_drop(w);
    w = dial(e);
    assert_int_equal(greet(w, "a"), 2);
    say(w, T1);
    assert_non_null(strstr(hear(w), "\"seq\":3,"));
    nx_wsc_drop(w);
    edge_stop(e); /* over a restart */
    edge_start(e);
    w = dial(e);
    assert_int_equal(greet(w, "a"), 3);
    assert_int_equal(greet(w, "b"), 1);
    say(w, "{\"action\":\"hello\",\"producer\":\"b\",\"from\":10}"); /* it no longer holds 2 to 9 */
    assert_string_equal(hear(w), "[{\"T\":\"success\",\"msg\":\"hello\",\"last\":9}]");
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":10,"));
    say(w, "{\"action\":\"hello\",\"producer\":\"b\",\"from\":4}");
    assert_string_equal(hear(w), "[{\"T\":\"success\",\"msg\":\"hello\",\"last\":10}]");
    nx_wsc_drop(w);
}

static void test_without_hello(void **state)
{
    edge *e = *state;
    edge_start(e);
    for (int i = 0; i < 2; i++) {
        nx_wsc *w = dial(e);
        say(w, Q1);
        assert_string_equal(hear(w), "[{\"T\":\"ack\",\"seq\":1,\"accepted\":1,\"rejected\":0}]");
        say(w, Q1);
        assert_string_equal(hear(w), "[{\"T\":\"ack\",\"seq\":2,\"accepted\":1,\"rejected\":0}]");
        nx_wsc_drop(w);
    }
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.quotes"), 4);
    assert_int_equal(edge_count(e, "(select distinct _source from bronze.quotes where _source like 'push/%')"), 2);
}

static void test_newer_connection_takes_over(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *old = dial(e), *w = dial(e);
    assert_int_equal(greet(old, "p"), 0);
    say(old, Q1);
    assert_non_null(strstr(hear(old), "\"seq\":1,"));
    assert_int_equal(greet(w, "p"), 1);
    assert_non_null(strstr(hear(old), "\"code\":409"));
    int close;
    assert_string_equal(hear_or_close(old, &close), "");
    assert_int_equal(close, 1008);
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":2,"));
    nx_wsc_drop(old);
    nx_wsc_drop(w);
}

static void test_wrong_words(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, "{\"action\":\"dance\"}");
    assert_non_null(strstr(hear(w), "\"code\":400"));
    say(w, "{\"producer\":\"a/b\",\"action\":\"hello\"}");
    assert_non_null(strstr(hear(w), "\"code\":400"));
    say(w, "{\"action\":\"hello\",\"producer\":\"p\",\"from\":0}");
    assert_non_null(strstr(hear(w), "\"code\":400"));
    say(w, Q1); /* still alive */
    assert_non_null(strstr(hear(w), "\"seq\":1,"));
    nx_wsc_drop(w);
}

static void test_frame_too_large(void **state)
{
    edge *e = *state;
    e->o.frame_bytes_max = 2000;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, Q1);
    hear(w);
    static char big[4000];
    memset(big, ' ', sizeof big - 1);
    say(w, big);
    int close;
    assert_string_equal(hear_or_close(w, &close), "");
    assert_int_equal(close, 1009);
    nx_wsc_drop(w);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.quotes"), 1); /* what came before is kept */
}

static void test_tokens(void **state)
{
    edge *e = *state;
    static const char *const tokens[] = {"open sesame", "second", NULL};
    e->o.tokens = tokens;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"code\":401"));
    int close;
    hear_or_close(w, &close);
    assert_int_equal(close, 1008);
    nx_wsc_drop(w);
    w = dial(e);
    say(w, "{\"action\":\"auth\",\"token\":\"open\"}");
    assert_non_null(strstr(hear(w), "\"code\":402"));
    hear_or_close(w, &close);
    assert_int_equal(close, 1008);
    nx_wsc_drop(w);
    w = dial(e);
    say(w, "{\"action\":\"auth\",\"token\":\"second\"}");
    assert_string_equal(hear(w), "[{\"T\":\"success\",\"msg\":\"authenticated\"}]");
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":1,"));
    nx_wsc_drop(w);
    static const char *const good[] = {"Authorization: Bearer open sesame", NULL}, *const bad[] = {
                                                                                       "Authorization: Bearer x", NULL};
    w = dial_bare(e, good);
    assert_non_null(strstr(hear(w), "connected"));
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":1,"));
    nx_wsc_drop(w);
    nx_wsc_opts o = {.url = e->url, .headers = bad};
    assert_int_equal(nx_wsc_connect(&o, NULL, &w, &e->err), NX_REMOTE);
    assert_false(e->err.retriable);
}

static void test_where_it_listens(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_stream_opts o = e->o;
    char listen[64], other[128];
    nx_stream *s2 = NULL;
    snprintf(other, sizeof other, "%s/state2", e->dir);
    o.state_dir = other;
    o.listen = "0.0.0.0:0";
    assert_int_equal(nx_stream_start(&o, &s2, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.hint, "stream.tokens"));
    snprintf(listen, sizeof listen, "127.0.0.1:%d", nx_stream_port(e->s));
    o.listen = listen;
    assert_int_equal(nx_stream_start(&o, &s2, &e->err), NX_EXISTS);
    o.listen = "127.0.0.1:0"; /* the same state folder twice */
    o.state_dir = e->state;
    assert_int_equal(nx_stream_start(&o, &s2, &e->err), NX_CONFLICT);
    nx_wsc_opts wo = {.url = e->url};
    char url[96];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/elsewhere", nx_stream_port(e->s));
    wo.url = url;
    nx_wsc *w;
    assert_int_equal(nx_wsc_connect(&wo, NULL, &w, &e->err), NX_REMOTE);
}

static void test_stop_says_goodbye_and_commits(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    say(w, Q1);
    hear(w);
    edge_stop(e);
    int close;
    assert_string_equal(hear_or_close(w, &close), "");
    assert_int_equal(close, 1001);
    nx_wsc_drop(w);
    assert_int_equal(edge_count(e, "bronze.quotes"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_arrive, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_refusals, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_many_errors_show_sixteen, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_acks_add_up, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_hello_continues, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_without_hello, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_newer_connection_takes_over, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_wrong_words, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_frame_too_large, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_tokens, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_where_it_listens, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_stop_says_goodbye_and_commits, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
