/* Peers that send what nobody should: it costs bounded memory, and the others go on. Promises 3 and 6. */
#include "unit/ingest/edge_kit.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static long resident_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    fclose(f);
    return kib;
}

/* A frame of nothing but refusals, each with many reasons: a megabyte would become a hundred. */
static void test_flood_of_refusals(void **state)
{
    edge *e = *state;
    edge_start(e);
    size_t n = 1000000, at = 1;
    char *frame = malloc(n + 16);
    assert_non_null(frame);
    frame[0] = '[';
    while (at + 11 < n)
        at += (size_t)sprintf(frame + at, "%s{\"T\":\"q\"}", at == 1 ? "" : ",");
    frame[at++] = ']';
    frame[at] = '\0';
    nx_wsc *w = dial(e);
    long before = resident_kib();
    for (int i = 0; i < 20; i++) {
        say(w, frame);
        const char *t = hear(w);
        assert_non_null(strstr(t, "\"accepted\":0,"));
        assert_null(strstr(t, "\"rejected\":0"));
    }
    assert_true(resident_kib() - before < 200 << 10);
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":21,\"accepted\":1"));
    say_flush(w);
    assert_true(edge_count(e, "quarantine.records") >= 20);
    assert_int_equal(edge_count(e, "bronze.quotes"), 1);
    /* every refused byte is there: whole frames, or their rows one by one */
    assert_string_equal(
        edge_ask(e, "select count(*) from quarantine.records where decode(raw) not in (select '{\"T\":\"q\"}') "
                    "and errors[1].rule <> 'limit'"),
        "0");
    nx_wsc_drop(w);
    free(frame);
}

/* Batches so small that one frame cannot fit: it is kept whole. */
static void test_frame_that_no_batch_holds(void **state)
{
    edge *e = *state;
    e->o.batch_rows = 10;
    e->o.frame_bytes_max = 4096;
    edge_start(e);
    char frame[4096] = "[";
    for (int i = 0; i < 1000; i++)
        strncat(frame, i == 0 ? "{}" : ",{}", sizeof frame - strlen(frame) - 1);
    strncat(frame, "]", sizeof frame - strlen(frame) - 1);
    nx_wsc *w = dial(e);
    say(w, Q1); /* the batch holds something already */
    hear(w);
    say(w, frame);
    assert_non_null(
        strstr(hear(w),
               "\"seq\":2,\"accepted\":0,\"rejected\":1,\"errors\":[{\"index\":-1,\"field\":\"\",\"rule\":\"limit\""));
    say(w, Q2);
    assert_non_null(strstr(hear(w), "\"seq\":3,\"accepted\":1"));
    say_flush(w);
    assert_int_equal(edge_count(e, "bronze.quotes"), 2);
    assert_string_equal(edge_ask(e, "select decode(raw) from quarantine.records"), frame);
    nx_wsc_drop(w);
}

static void test_bytes_that_are_no_text(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc *w = dial(e);
    static const char *const frames[] = {
        "\xff\xfe", "[{\"T\":\"t\",\"S\":\"\xc3\x28\"}]", "", " ", "nonsense", "{", "[[]]", "[1,2]", "null",
        "{\"T\":1}"};
    for (size_t i = 0; i < NX_COUNT_OF(frames); i++) {
        say(w, frames[i]);
        const char *t = hear(w);
        long long seq, a, r;
        assert_int_equal(sscanf(t, "[{\"T\":\"ack\",\"seq\":%lld,\"accepted\":%lld,\"rejected\":%lld", &seq, &a, &r),
                         3);
        assert_int_equal(seq, i + 1);
        assert_int_equal(a, 0);
        assert_true(r >= 1);
    }
    say_flush(w);
    assert_int_equal(edge_count(e, "quarantine.records where hex(raw) = 'FFFE'"), 1);
    assert_int_equal(edge_count(e, "quarantine.records where raw = 'nonsense'::blob"), 1);
    assert_int_equal(edge_count(e, "(select distinct _ingest_pos from bronze.quotes)"), 0);
    nx_wsc_drop(w);
}

/* Sends refusals and does not take the answers: it is not read from for ever, nothing piles up, and what it takes later
 * is all there. */
static void test_peer_that_does_not_read(void **state)
{
    edge *e = *state;
    edge_start(e);
    nx_wsc_opts o = {
        .url = e->url, .message_bytes_max = 64 << 10, .recv_bytes_max = 64 << 10, .send_bytes_max = 64 << 20};
    nx_wsc *w;
    nx_err err = {0};
    must(nx_wsc_connect(&o, NULL, &w, &err), &err);
    assert_non_null(strstr(hear(w), "connected"));
    long before = resident_kib();
    enum { N = 100000 };
    for (int i = 0; i < N; i++)
        must(nx_wsc_queue(w, NX_WS_TEXT, NX_STR("[" BAD "]"), &err), &err);
    nx_status st;
    nx_stream_stats s0, s1;
    do { /* until the edge takes no more of it */
        nx_stream_stats_get(e->s, &s0);
        st = nx_wsc_pump(w, 300, NULL, &err);
        nx_stream_stats_get(e->s, &s1);
    } while (st == NX_AGAIN && s1.frames != s0.frames);
    assert_int_equal(st, NX_AGAIN);
    assert_true(s1.frames < N);
    nx_wsc *other = dial(e); /* somebody else is served */
    say(other, Q1);
    assert_non_null(strstr(hear(other), "\"seq\":1,"));
    nx_wsc_drop(other);
    assert_true(resident_kib() - before < 300 << 10);
    for (int i = 1; i <= N; i++) {
        char want[64];
        snprintf(want, sizeof want, "[{\"T\":\"ack\",\"seq\":%d,\"accepted\":0,\"rejected\":1", i);
        const char *t = hear(w);
        if (strncmp(t, want, strlen(want)) != 0)
            print_message("%s instead of %s\n", t, want);
        assert_memory_equal(t, want, strlen(want));
        if (nx_wsc_queued(w) > 0 && i % 64 == 0) {
            st = nx_wsc_pump(w, 0, NULL, &err);
            assert_true(st == NX_OK || st == NX_AGAIN);
        }
    }
    nx_wsc_drop(w);
}

static int dial_raw(const edge *e)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)nx_stream_port(e->s))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static void test_strangers_on_the_port(void **state)
{
    edge *e = *state;
    edge_start(e);
    static const char *const words[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "SSH-2.0-x\r\n\r\n",
                                        "GET /ws/market-data HTTP/1.1\r\nHost: x\r\n\r\n"};
    for (size_t i = 0; i < NX_COUNT_OF(words); i++) {
        char answer[1024];
        int fd = dial_raw(e);
        assert_int_equal(send(fd, words[i], strlen(words[i]), MSG_NOSIGNAL), (ssize_t)strlen(words[i]));
        ssize_t n = recv(fd, answer, sizeof answer, 0);
        assert_true(n > 12);
        assert_memory_equal(answer, "HTTP/1.1 4", 10);
        close(fd);
    }
    int idle = dial_raw(e); /* says nothing */
    int gone = dial_raw(e); /* ends in the middle of a word */
    assert_int_equal(send(gone, "GET /ws", 7, MSG_NOSIGNAL), 7);
    close(gone);
    nx_wsc *w = dial(e);
    say(w, Q1);
    assert_non_null(strstr(hear(w), "\"seq\":1,"));
    nx_wsc_drop(w);
    close(idle);
}

static void test_more_connections_than_allowed(void **state)
{
    edge *e = *state;
    e->o.conn_max = 2;
    edge_start(e);
    nx_wsc *a = dial(e), *b = dial(e), *c = NULL;
    nx_wsc_opts o = {.url = e->url};
    assert_int_equal(nx_wsc_connect(&o, NULL, &c, &e->err), NX_REMOTE);
    assert_non_null(strstr(e->err.text, "503"));
    nx_wsc_drop(b);
    nx_stream_stats st;
    do { /* its place is free once the listener saw it go */
        usleep(1000);
        nx_stream_stats_get(e->s, &st);
    } while (st.connections > 1);
    c = dial(e);
    say(c, Q1);
    assert_non_null(strstr(hear(c), "\"seq\":1,"));
    nx_wsc_drop(a);
    nx_wsc_drop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flood_of_refusals, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_frame_that_no_batch_holds, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_bytes_that_are_no_text, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_peer_that_does_not_read, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_strangers_on_the_port, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(test_more_connections_than_allowed, edge_up, edge_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
