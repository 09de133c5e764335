/* permessage-deflate: RFC 7692's own examples, all parameters, contexts, bombs, broken streams; then over connections. Promise 6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rand.h"
#include "io/wsd.h"

static const nx_deflate_params plain = {true, false, false, 15, 15};

static nx_deflate *make(const nx_deflate_params *p, bool server)
{
    nx_deflate *z;
    nx_err err = {0};
    assert_int_equal(nx_deflate_new(p, server, &z, &err), NX_OK);
    return z;
}

/* ------------------------------------------------------------------ negotiation */

static void offers(void **state)
{
    (void)state;
    static const struct {
        const char *offer, *answer; /* NULL: declined */
        nx_deflate_params want;
    } v[] = {
        {"permessage-deflate", "permessage-deflate", {true, false, false, 15, 15}},
        {"permessage-deflate; client_max_window_bits", "permessage-deflate", {true, false, false, 15, 15}},
        {"permessage-deflate; client_max_window_bits=10",
         "permessage-deflate; client_max_window_bits=10",
         {true, false, false, 15, 10}},
        {"permessage-deflate; server_max_window_bits=9",
         "permessage-deflate; server_max_window_bits=9",
         {true, false, false, 9, 15}},
        {"permessage-deflate; server_max_window_bits=\"8\"",
         "permessage-deflate; server_max_window_bits=8",
         {true, false, false, 8, 15}},
        {"PerMessage-Deflate;server_no_context_takeover;client_no_context_takeover ; client_max_window_bits=15; server_max_window_bits=15",
         "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15; client_max_window_bits=15",
         {true, true, true, 15, 15}},
        /* the first that can be kept (RFC 7692 section 7.1.3) */
        {"permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate; client_max_window_bits",
         "permessage-deflate; server_max_window_bits=10",
         {true, false, false, 10, 15}},
        {"permessage-bzip2, permessage-deflate; novelty, permessage-deflate",
         "permessage-deflate",
         {true, false, false, 15, 15}},
        {"x-webkit-deflate-frame", NULL, {0}},
        {"permessage-deflate; server_max_window_bits", NULL, {0}},
        {"permessage-deflate; server_max_window_bits=7", NULL, {0}},
        {"permessage-deflate; server_max_window_bits=16", NULL, {0}},
        {"permessage-deflate; server_max_window_bits=08", NULL, {0}},
        {"permessage-deflate; client_max_window_bits=", NULL, {0}},
        {"permessage-deflate; client_max_window_bits=1x", NULL, {0}},
        {"permessage-deflate; client_max_window_bits=99999999999999999999", NULL, {0}},
        {"permessage-deflate; server_no_context_takeover=1", NULL, {0}},
        {"permessage-deflate; client_no_context_takeover; client_no_context_takeover", NULL, {0}},
        {"permessage-deflate; ", NULL, {0}},
        {"", NULL, {0}},
        {",;,=", NULL, {0}},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_deflate_params got;
        char answer[NX_DEFLATE_ANSWER_MAX] = "";
        bool ok = nx_deflate_accept(nx_str_of(v[i].offer), &got, answer);
        if (ok != (v[i].answer != NULL))
            fail_msg("'%s' was %s", v[i].offer, ok ? "taken" : "declined");
        assert_true(ok == got.on);
        if (!ok)
            continue;
        assert_string_equal(answer, v[i].answer);
        assert_true(got.server_no_context == v[i].want.server_no_context &&
                    got.client_no_context == v[i].want.client_no_context);
        assert_int_equal(got.server_bits, v[i].want.server_bits);
        assert_int_equal(got.client_bits, v[i].want.client_bits);
    }
    nx_deflate_params got;
    char answer[NX_DEFLATE_ANSWER_MAX];
    assert_true(
        nx_deflate_accept_lines(NX_STR("Host: a\r\nSec-WebSocket-Extensions: foo\r\nX: y\r\nsec-websocket-extensions: "
                                       "permessage-deflate\r\n"),
                                &got, answer));
    assert_false(nx_deflate_accept_lines(NX_STR("Host: a\r\n"), &got, answer));
}

static void answers(void **state)
{
    (void)state;
    nx_deflate_params p;
    assert_null(nx_deflate_check(NX_STR("permessage-deflate"), &p));
    assert_true(p.on && p.server_bits == 15 && p.client_bits == 15 && !p.server_no_context && !p.client_no_context);
    assert_null(nx_deflate_check(NX_STR("permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                                        "server_max_window_bits=9; client_max_window_bits=8"),
                                 &p));
    assert_true(p.server_bits == 9 && p.client_bits == 8 && p.server_no_context && p.client_no_context);
    static const char *const bad[] = {"",
                                      "permessage-bzip2",
                                      "permessage-deflate, permessage-deflate",
                                      "permessage-deflate; client_max_window_bits",
                                      "permessage-deflate; server_max_window_bits=16",
                                      "permessage-deflate; foo",
                                      "permessage-deflate; server_no_context_takeover; server_no_context_takeover"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_non_null(nx_deflate_check(nx_str_of(bad[i]), &p));
}

/* ------------------------------------------------------------------ streams */

static void take(nx_deflate *z, nx_str packed, const char *want)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 1000);
    nx_err err = {0};
    if (nx_deflate_take(z, packed, true, &b, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_string_equal(b.p, want);
}

/* RFC 7692 section 7.2.3. */
static void examples(void **state)
{
    (void)state;
    nx_deflate *z = make(&plain, true);
    take(z, NX_STR("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
    take(z, NX_STR("\xf2\x00\x11\x00\x00"), "Hello");                         /* out of the window of the first */
    take(z, NX_STR("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello"); /* not compressed */
    take(z, NX_STR("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello");             /* a block that says it is the last one */
    take(z, NX_STR("\xf2\x00\x11\x00\x00"), "Hello");                         /* its window lives on */
    take(z, NX_STR("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello"); /* two blocks */
    take(z, NX_STR("\x00"), "");
    take(z, NX_STR("\xf2\x00\x11\x00\x00"), "Hello");
    nx_deflate_drop(z);
    nx_deflate_params fresh = plain;
    fresh.client_no_context = true;
    z = make(&fresh, true);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 1000);
    nx_err err = {0};
    take(z, NX_STR("\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello");
    assert_int_equal(nx_deflate_take(z, NX_STR("\xf2\x00\x11\x00\x00"), true, &b, &err),
                     NX_INVALID); /* the window is gone */
    nx_deflate_drop(z);
}

/* Byte by byte it is the same. */
static void fragments(void **state)
{
    (void)state;
    static const char hello[] = "\xf2\x48\xcd\xc9\xc9\x07\x00";
    nx_deflate *z = make(&plain, true);
    for (int round = 0; round < 3; round++) {
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, 100);
        nx_err err = {0};
        for (size_t i = 0; i < 7; i++)
            assert_int_equal(nx_deflate_take(z, (nx_str){hello + i, 1}, false, &b, &err), NX_OK);
        assert_int_equal(nx_deflate_take(z, NX_STR(""), true, &b, &err), NX_OK);
        assert_string_equal(b.p, "Hello");
    }
    nx_deflate_drop(z);
}

static void broken_streams(void **state)
{
    (void)state;
    static const nx_str bad[] = {NX_STR("\xff\xff\xff"),
                                 NX_STR("\x06"),
                                 NX_STR("\xf2\x48"),
                                 NX_STR("\x00\x09\x00\xf6\xff\x48"),
                                 NX_STR("\x00\x05\x00\x00\x00\x48\x65\x6c\x6c\x6f\x00"),
                                 NX_STR("\xf2\x00\x11\x00\x00")};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, 1000);
        nx_err err = {0};
        nx_deflate *z = make(&plain, true);
        assert_int_equal(nx_deflate_take(z, bad[i], true, &b, &err), NX_INVALID);
        assert_non_null(strstr(err.text, "compressed message"));
        nx_deflate_drop(z);
    }
}

/* Every window and both kinds of context, in both directions, in changing sizes; what does not shrink is left as it is. */
static void round_trips(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 5);
    static char text[200000];
    for (int bits = 8; bits <= 15; bits++)
        for (int k = 0; k < 4; k++) {
            const nx_deflate_params p = {true, (k & 1) != 0, (k & 2) != 0, bits, bits};
            nx_deflate *server = make(&p, true), *client = make(&p, false);
            size_t smaller = 0;
            for (int i = 0; i < 40; i++) {
                size_t n = 1 + (size_t)nx_rand_below(&r, i % 10 == 0 ? sizeof text : 2000);
                for (size_t j = 0; j < n; j++)
                    text[j] = i % 7 == 3 ? (char)nx_rand_u64(&r) : (char)('a' + nx_rand_below(&r, 3));
                nx_deflate *from = i % 2 == 0 ? server : client, *to = i % 2 == 0 ? client : server;
                nx_str packed;
                nx_err err = {0};
                nx_buf b NX_BUF_AUTO;
                nx_buf_init(&b, n); /* it fits exactly */
                nx_status st = nx_deflate_give(from, (nx_str){text, n}, &packed, &err);
                if (st == NX_NOTHING)
                    continue;
                assert_int_equal(st, NX_OK);
                assert_true(packed.n < n);
                smaller++;
                if (i % 11 == 5) { /* could not be sent after all */
                    nx_deflate_unsent(from);
                    continue;
                }
                size_t cut = (size_t)nx_rand_below(&r, packed.n);
                assert_int_equal(nx_deflate_take(to, nx_str_sub(packed, 0, cut), false, &b, &err), NX_OK);
                assert_int_equal(nx_deflate_take(to, nx_str_sub(packed, cut, packed.n), true, &b, &err), NX_OK);
                assert_int_equal(b.n, n);
                assert_memory_equal(b.p, text, n);
            }
            assert_true(bits == 8 ? smaller == 0 : smaller > 20);
            nx_deflate_drop(server);
            nx_deflate_drop(client);
        }
}

static void bombs_stop_at_the_limit(void **state)
{
    (void)state;
    enum { SIZE = 8 << 20 };
    char *zeros = calloc(1, SIZE);
    assert_non_null(zeros);
    nx_deflate *z = make(&plain, false), *server = make(&plain, true);
    nx_str packed;
    nx_err err = {0};
    assert_int_equal(nx_deflate_give(z, (nx_str){zeros, SIZE}, &packed, &err), NX_OK);
    assert_true(packed.n < SIZE / 150);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 100000);
    assert_int_equal(nx_deflate_take(server, packed, true, &b, &err), NX_LIMIT);
    assert_non_null(strstr(err.text, "100000"));
    assert_true(b.n <= 100000 && b.cap <= 2 * 100001);
    nx_deflate_drop(server);
    nx_buf_drop(&b);
    nx_buf_init(&b, SIZE - 1); /* one byte too many is too many */
    server = make(&plain, true);
    assert_int_equal(nx_deflate_take(server, packed, true, &b, &err), NX_LIMIT);
    nx_deflate_drop(server);
    nx_deflate_drop(z);
    free(zeros);
}

/* ------------------------------------------------------------------ over a connection */

typedef struct line {
    int peer;
    nx_wsd_conn *c;
} line;

static line open_line(const nx_deflate_params *p)
{
    line l;
    int pair[2];
    nx_err err = {0};
    const nx_wsd_opts o = {.message_bytes_max = 1000, .deflate_bytes_min = 4};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(nx_wsd_adopt(pair[0], &o, (nx_str){NULL, 0}, NULL, NULL, &l.c, &err), NX_OK);
    if (p != NULL)
        assert_int_equal(nx_wsd_agree(l.c, p, &err), NX_OK);
    l.peer = pair[1];
    return l;
}

static void close_line(line *l)
{
    nx_wsd_drop(l->c);
    close(l->peer);
}

/* A masked frame whose key is zero. */
static void put(line *l, unsigned first, nx_str payload)
{
    char f[200] = {(char)first, (char)(0x80 | payload.n)};
    assert_true(payload.n <= 125);
    memcpy(f + 6, payload.p, payload.n);
    assert_int_equal(send(l->peer, f, payload.n + 6, 0), (ssize_t)payload.n + 6);
    nx_err err = {0};
    assert_int_equal(nx_wsd_recv(l->c, NULL, &err), NX_OK);
}

static int closed_with(line *l)
{
    nx_err err = {0};
    unsigned char f[200];
    assert_int_equal(nx_wsd_flush(l->c, &err), NX_OK);
    ssize_t n = recv(l->peer, f, sizeof f, 0);
    assert_true(n >= 4 && f[0] == 0x88);
    return f[2] << 8 | f[3];
}

static void refused(const nx_deflate_params *p, unsigned first, nx_str payload, nx_status want, int code)
{
    line l = open_line(p);
    nx_ws_frame f;
    nx_err err = {0};
    put(&l, first, payload);
    assert_int_equal(nx_wsd_next(l.c, &f, &err), want);
    assert_int_equal(closed_with(&l), code);
    close_line(&l);
}

static void server_frames(void **state)
{
    (void)state;
    line l = open_line(&plain);
    nx_ws_frame f;
    nx_err err = {0};
    put(&l, 0xC1, NX_STR("\xf2\x48\xcd\xc9\xc9\x07\x00"));
    assert_int_equal(nx_wsd_next(l.c, &f, &err), NX_OK);
    assert_true(f.op == NX_WS_TEXT && f.n == 5 && memcmp(f.p, "Hello", 5) == 0);
    put(&l, 0x41, NX_STR("\xf2\x48\xcd")); /* in two frames, a ping between them */
    put(&l, 0x89, NX_STR("ping"));
    assert_int_equal(nx_wsd_next(l.c, &f, &err), NX_AGAIN);
    put(&l, 0x80, NX_STR("\xc9\xc9\x07\x00"));
    assert_int_equal(nx_wsd_next(l.c, &f, &err), NX_OK);
    assert_true(f.n == 5 && memcmp(f.p, "Hello", 5) == 0);
    put(&l, 0x82, NX_STR("plain")); /* a message need not be compressed */
    assert_int_equal(nx_wsd_next(l.c, &f, &err), NX_OK);
    assert_true(f.op == NX_WS_BINARY && f.n == 5 && !f.deflated);
    put(&l, 0xC2, NX_STR("")); /* empty, by a sender that leaves off too much */
    assert_int_equal(nx_wsd_next(l.c, &f, &err), NX_OK);
    assert_true(f.op == NX_WS_BINARY && f.n == 0);
    /* what we send is compressed when that pays, with one window for all messages */
    for (int i = 0; i < 2; i++)
        assert_int_equal(nx_wsd_send(l.c, NX_WS_TEXT, NX_STR("abcabcabcabcabcabc"), &err), NX_OK);
    assert_int_equal(nx_wsd_send(l.c, NX_WS_TEXT, NX_STR("abc"), &err), NX_OK);
    assert_int_equal(nx_wsd_flush(l.c, &err), NX_OK);
    unsigned char got[200];
    ssize_t n = recv(l.peer, got, sizeof got, 0);
    assert_true(n > 10 && got[0] == 0x8A && memcmp(got + 2, "ping", 4) == 0);
    assert_true(got[6] == 0xC1 && got[7] < 18);
    size_t second = 8u + got[7];
    assert_true(got[second] == 0xC1 && got[second + 1] < got[7]);
    size_t third = second + 2 + got[second + 1];
    assert_true(got[third] == 0x81 && got[third + 1] == 3 && (size_t)n == third + 5);
    close_line(&l);
}

static void server_refusals(void **state)
{
    (void)state;
    nx_str hello = NX_STR("\xf2\x48\xcd\xc9\xc9\x07\x00");
    refused(NULL, 0xC1, hello, NX_INVALID, 1002);   /* not agreed */
    refused(&plain, 0xA1, hello, NX_INVALID, 1002); /* RSV2 */
    refused(&plain, 0x91, hello, NX_INVALID, 1002); /* RSV3 */
    refused(&plain, 0xC9, hello, NX_INVALID, 1002); /* control frames are never compressed */
    refused(&plain, 0xC0, hello, NX_INVALID, 1002); /* nor does a later frame say it */
    refused(&plain, 0xC1, NX_STR("\xff\xff\xff"), NX_INVALID, 1007);
    /* 20,000 zeros in 37 bytes: over the limit of 1,000 */
    static char zeros[20000];
    nx_deflate *z = make(&plain, false);
    nx_str bomb;
    nx_err err = {0};
    assert_int_equal(nx_deflate_give(z, (nx_str){zeros, sizeof zeros}, &bomb, &err), NX_OK);
    assert_true(bomb.n <= 125);
    refused(&plain, 0xC2, bomb, NX_LIMIT, 1009);
    nx_deflate_drop(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers),
        cmocka_unit_test(answers),
        cmocka_unit_test(examples),
        cmocka_unit_test(fragments),
        cmocka_unit_test(broken_streams),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(bombs_stop_at_the_limit),
        cmocka_unit_test(server_frames),
        cmocka_unit_test(server_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
