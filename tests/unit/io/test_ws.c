/* The deframer and writers against RFC 6455's own examples (section 5.7), every cut and every phase. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rand.h"
#include "io/ws.h"

static const nx_ws_limits from_client = {1 << 20, true, false}, from_server = {1 << 20, false, false};

static nx_status next(char *bytes, size_t n, size_t *at, const nx_ws_limits *lim, nx_ws_frame *f, int *code)
{
    size_t need = 0;
    nx_err err = {0};
    nx_status st = nx_ws_next(bytes, n, at, lim, f, &need, code, &err);
    if (st == NX_AGAIN)
        assert_true(need > n - *at);
    if (st == NX_INVALID)
        assert_true(err.text[0] != '\0');
    return st;
}

static void accept_key(void **state)
{
    (void)state;
    char out[29];
    nx_ws_accept(NX_STR("dGhlIHNhbXBsZSBub25jZQ=="), out); /* RFC 6455 section 1.3 */
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void examples(void **state)
{
    (void)state;
    nx_ws_frame f;
    size_t at = 0;
    int code = 0;
    char hello[] = "\x81\x05\x48\x65\x6c\x6c\x6f";
    assert_int_equal(next(hello, 7, &at, &from_server, &f, &code), NX_OK);
    assert_true(f.op == NX_WS_TEXT && f.fin && f.n == 5 && memcmp(f.p, "Hello", 5) == 0);
    assert_int_equal(at, 7);
    char masked[] = "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
    at = 0;
    assert_int_equal(next(masked, 11, &at, &from_client, &f, &code), NX_OK);
    assert_memory_equal(f.p, "Hello", 5);
    at = 0; /* the key was cleared: the same bytes read the same again */
    assert_int_equal(next(masked, 11, &at, &from_client, &f, &code), NX_OK);
    assert_memory_equal(f.p, "Hello", 5);
    char parts[] = "\x01\x03\x48\x65\x6c\x80\x02\x6c\x6f";
    at = 0;
    assert_int_equal(next(parts, 9, &at, &from_server, &f, &code), NX_OK);
    assert_true(f.op == NX_WS_TEXT && !f.fin && f.n == 3);
    assert_int_equal(next(parts, 9, &at, &from_server, &f, &code), NX_OK);
    assert_true(f.op == NX_WS_CONT && f.fin && f.n == 2 && at == 9);
}

static void round_trip_at_every_cut(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 7, 8, 63, 64, 65, 125, 126, 127, 300, 65535, 65536, 70001};
    nx_rand r;
    nx_rand_seed(&r, 7);
    for (size_t k = 0; k < NX_COUNT_OF(sizes); k++) {
        size_t n = sizes[k];
        char *text = malloc(n + 1);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)nx_rand_u64(&r);
        unsigned char mask[4] = {1, 2, 3, (unsigned char)(k * 17)};
        nx_buf b;
        nx_buf_init(&b, 0);
        assert_int_equal(nx_ws_write(&b, NX_WS_BINARY, true, (nx_str){text, n}, mask), NX_OK);
        nx_ws_frame f;
        int code = 0;
        for (size_t cut = 0; cut < b.n; cut += cut < 300 ? 1 : 997) {
            size_t at = 0;
            assert_int_equal(next(b.p, cut, &at, &from_client, &f, &code), NX_AGAIN);
            assert_int_equal(at, 0);
        }
        size_t at = 0;
        assert_int_equal(next(b.p, b.n, &at, &from_client, &f, &code), NX_OK);
        assert_true(at == b.n && f.n == n && f.op == NX_WS_BINARY && f.fin);
        assert_memory_equal(f.p, text, n);
        nx_buf_drop(&b);
        free(text);
    }
}

static void mask_by_pieces_equals_mask_at_once(void **state)
{
    (void)state;
    const unsigned char mask[4] = {0xA5, 0x01, 0xFF, 0x7C};
    char whole[300], pieces[300], plain[300];
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (char)(i * 31);
    memcpy(whole, plain, sizeof plain);
    nx_ws_mask(whole, sizeof whole, mask, 0);
    for (size_t i = 0; i < sizeof plain; i++)
        assert_int_equal((unsigned char)whole[i], (unsigned char)plain[i] ^ mask[i & 3]);
    for (size_t cut = 0; cut <= sizeof plain; cut++) {
        memcpy(pieces, plain, sizeof plain);
        nx_ws_mask(pieces, cut, mask, 0);
        nx_ws_mask(pieces + cut, sizeof plain - cut, mask, cut);
        assert_memory_equal(pieces, whole, sizeof whole);
    }
}

static void refused(const char *bytes, size_t n, const nx_ws_limits *lim, int expected)
{
    char copy[64];
    memcpy(copy, bytes, n);
    size_t at = 0;
    int code = 0;
    nx_ws_frame f;
    assert_int_equal(next(copy, n, &at, lim, &f, &code), NX_INVALID);
    assert_int_equal(code, expected);
    assert_int_equal(at, 0);
}

static void bad_frames(void **state)
{
    (void)state;
    const nx_ws_limits small = {100, true, false};
    refused("\x81\x05Hello", 7, &from_client, NX_WS_CLOSE_PROTOCOL);      /* not masked */
    refused("\x81\x80\0\0\0\0", 6, &from_server, NX_WS_CLOSE_PROTOCOL);   /* masked by a server */
    refused("\xC1\x80\0\0\0\0", 6, &from_client, NX_WS_CLOSE_PROTOCOL);   /* RSV1 */
    refused("\x83\x80\0\0\0\0", 6, &from_client, NX_WS_CLOSE_PROTOCOL);   /* operation 3 */
    refused("\x8B\x80\0\0\0\0", 6, &from_client, NX_WS_CLOSE_PROTOCOL);   /* operation 11 */
    refused("\x09\x80\0\0\0\0", 6, &from_client, NX_WS_CLOSE_PROTOCOL);   /* ping without FIN */
    refused("\x89\xFE\0\x7E\0\0", 6, &from_client, NX_WS_CLOSE_PROTOCOL); /* ping of 126 */
    refused("\x81\xE5\0\0\0\0", 6, &small, NX_WS_CLOSE_TOO_BIG);          /* 101 > 100, seen before the payload */
    refused("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0\0\0", 14, &from_client, NX_WS_CLOSE_TOO_BIG);
}

static void close_frames(void **state)
{
    (void)state;
    static const struct {
        nx_str payload;
        int code, answer;
    } v[] = {{NX_STR(""), 1005, 0},
             {NX_STR("\x03\xe8"), 1000, 1000},
             {NX_STR("\x03\xe8"
                     "bye"),
              1000, 1000},
             {NX_STR("\x03\xf6"), 1014, 1014},
             {NX_STR("\x0b\xb8"), 3000, 3000},
             {NX_STR("\x13\x87"), 4999, 4999},
             {NX_STR("\x03"), 1005, 1002}, /* half a code */
             {NX_STR("\x00\x00"), 0, 1002},
             {NX_STR("\x03\xe7"), 999, 1002},
             {NX_STR("\x03\xec"), 1004, 1002},
             {NX_STR("\x03\xed"), 1005, 1002}, /* means that there was none: is never sent */
             {NX_STR("\x03\xee"), 1006, 1002},
             {NX_STR("\x03\xf7"), 1015, 1002},
             {NX_STR("\x07\xd0"), 2000, 1002},
             {NX_STR("\x13\x88"), 5000, 1002},
             {NX_STR("\x03\xe8\xff"), 1000, 1007}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char copy[8];
        memcpy(copy, v[i].payload.p, v[i].payload.n);
        const nx_ws_frame f = {.op = NX_WS_CLOSE, .fin = true, .p = copy, .n = v[i].payload.n};
        int code = -1;
        assert_int_equal(nx_ws_close_answer(&f, &code), v[i].answer);
        assert_int_equal(code, v[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_key),
        cmocka_unit_test(examples),
        cmocka_unit_test(round_trip_at_every_cut),
        cmocka_unit_test(mask_by_pieces_equals_mask_at_once),
        cmocka_unit_test(bad_frames),
        cmocka_unit_test(close_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
