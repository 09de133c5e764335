/* MessagePack: every form of every type, its edges, what is cut off or lies about its size, JSON both ways, floats as text. Promise 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "data/float.h"
#include "data/msgpack.h"
#include "data/time.h"

/* "91 a1 54" as bytes, in a block of exactly that size so that the sanitizer sees a read past it. */
typedef struct bytes {
    char *p;
    size_t n;
} bytes;

static bytes of_hex(const char *hex)
{
    bytes b = {malloc(strlen(hex) / 2 + 1), 0};
    assert_non_null(b.p);
    for (const char *h = hex; *h != '\0'; h++) {
        unsigned v;
        if (*h == ' ')
            continue;
        assert_int_equal(sscanf(h, "%2x", &v), 1);
        b.p[b.n++] = (char)v;
        h++;
    }
    char *exact = malloc(b.n == 0 ? 1 : b.n);
    assert_non_null(exact);
    memcpy(exact, b.p, b.n);
    free(b.p);
    return (bytes){exact, b.n};
}

static nx_str str_of(bytes b)
{
    return (nx_str){b.p, b.n};
}

static void json_is(const char *hex, const char *want)
{
    bytes in = of_hex(hex);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_err err = {0};
    if (nx_mp_to_json(str_of(in), &b, &err) != NX_OK)
        fail_msg("%s: %s", hex, err.text);
    assert_string_equal(b.p, want);
    free(in.p);
}

static void json_refused(const char *hex, const char *why)
{
    bytes in = of_hex(hex);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_err err = {0};
    nx_status st = nx_mp_to_json(str_of(in), &b, &err);
    assert_true(st == NX_INVALID || st == NX_UNSUPPORTED);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s: '%s' expected, got '%s'", hex, why, err.text);
    free(in.p);
}

static void every_form(void **state)
{
    (void)state;
    static const struct {
        const char *hex, *json;
    } v[] = {
        {"c0", "null"},
        {"c2", "false"},
        {"c3", "true"},
        {"00", "0"},
        {"7f", "127"},
        {"cc 80", "128"},
        {"cc 05", "5"}, /* not the shortest form: any width is a number */
        {"cd 01 96", "406"},
        {"ce ff ff ff ff", "4294967295"},
        {"cf 7f ff ff ff ff ff ff ff", "9223372036854775807"},
        {"cf 80 00 00 00 00 00 00 00", "9223372036854775808"},
        {"cf ff ff ff ff ff ff ff ff", "18446744073709551615"},
        {"ff", "-1"},
        {"e0", "-32"},
        {"d0 80", "-128"},
        {"d0 7f", "127"},
        {"d1 80 00", "-32768"},
        {"d2 80 00 00 00", "-2147483648"},
        {"d3 80 00 00 00 00 00 00 00", "-9223372036854775808"},
        {"cb 40 64 5d 70 a3 d7 0a 3d", "162.92"},
        {"cb 3f b9 99 99 99 99 99 9a", "0.1"},
        {"cb 80 00 00 00 00 00 00 00", "-0"},
        {"ca 40 48 f5 c3", "3.14"},
        {"ca 3f 80 00 00", "1"},
        {"a0", "\"\""},
        {"a3 61 22 0a", "\"a\\\"\\n\""},
        {"d9 02 c3 bc", "\"\xc3\xbc\""},
        {"da 00 01 41", "\"A\""},
        {"db 00 00 00 01 41", "\"A\""},
        {"90", "[]"},
        {"93 01 c0 a1 78", "[1,null,\"x\"]"},
        {"dc 00 02 01 02", "[1,2]"},
        {"dd 00 00 00 01 90", "[[]]"},
        {"80", "{}"},
        {"82 a1 61 01 a1 62 91 80", "{\"a\":1,\"b\":[{}]}"},
        {"de 00 01 a1 61 01", "{\"a\":1}"},
        {"df 00 00 00 01 a1 61 01", "{\"a\":1}"},
        {"d6 ff 00 00 00 00", "\"1970-01-01T00:00:00Z\""},
        {"d6 ff ff ff ff ff", "\"2106-02-07T06:28:15Z\""},
        {"d7 ff c7 d9 a2 84 64 2e b2 f2", "\"2023-04-06T11:54:26.838232225Z\""},
        {"c7 0c ff 31 f6 68 a1 00 00 00 00 64 2e b2 f2", "\"2023-04-06T11:54:26.838232225Z\""},
        {"c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff", "\"1969-12-31T23:59:59.999999999Z\""},
        {"c7 04 ff 00 00 00 01", "\"1970-01-01T00:00:01Z\""}, /* any head of that length */
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++)
        json_is(v[i].hex, v[i].json);
}

/* The frames of the facts, byte for byte. */
static void vendor_frames(void **state)
{
    (void)state;
    json_is("91 82 a1 54 a7 73 75 63 63 65 73 73 a3 6d 73 67 a9 63 6f 6e 6e 65 63 74 65 64",
            "[{\"T\":\"success\",\"msg\":\"connected\"}]");
    json_is("91 83 a1 54 a5 65 72 72 6f 72 a4 63 6f 64 65 cd 01 96 a3 6d 73 67 b9 63 6f 6e 6e 65 63 74 69 6f 6e 20"
            "6c 69 6d 69 74 20 65 78 63 65 65 64 65 64",
            "[{\"T\":\"error\",\"code\":406,\"msg\":\"connection limit exceeded\"}]");
    json_is("91 89 a1 54 a1 74 a1 53 a4 41 41 50 4c a1 69 cd 02 74 a1 78 a1 4b a1 70 cb 40 64 5d 70 a3 d7 0a 3d"
            "a1 73 03 a1 63 94 a1 40 a1 46 a1 54 a1 49 a1 7a a1 43 a1 74 d7 ff c7 d9 a2 84 64 2e b2 f2",
            "[{\"T\":\"t\",\"S\":\"AAPL\",\"i\":628,\"x\":\"K\",\"p\":162.92,\"s\":3,\"c\":[\"@\",\"F\",\"T\",\"I\"],"
            "\"z\":\"C\",\"t\":\"2023-04-06T11:54:26.838232225Z\"}]");
}

static void refusals(void **state)
{
    (void)state;
    json_refused("c1", "0xC1 begins no value");
    json_refused("", "a value expected");
    json_refused("01 02", "byte 1: nothing expected behind the end");
    json_refused("92 01", "more members than bytes are left");
    json_refused("92 01 c1", "byte 2: the byte 0xC1");
    json_refused("81 a1 61 c1", "byte 3");
    json_refused("dd ff ff ff ff 00", "more members than bytes are left");
    json_refused("df ff ff ff ff 00 00", "more members than bytes are left");
    json_refused("df 80 00 00 01 00 00", "more members than bytes are left");
    json_refused("dc ff ff", "more members than bytes are left");
    json_refused("db ff ff ff ff 41", "length goes past the end");
    json_refused("c6 ff ff ff ff 41", "length goes past the end");
    json_refused("c9 ff ff ff ff 01 41", "length goes past the end");
    json_refused("cd 01", "cut off");
    json_refused("cb 00 00 00", "cut off");
    json_refused("c4 01 00", "bytes, which JSON cannot hold");
    json_refused("d4 01 00", "an extension");
    json_refused("d4 ff 00", "an extension");                      /* a timestamp has 4, 8 or 12 bytes */
    json_refused("d7 ff ff ff ff ff 00 00 00 00", "an extension"); /* over 999,999,999 ns */
    json_refused("c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff", "outside 1678 to 2262");
    json_refused("cb 7f f8 00 00 00 00 00 00", "NaN");
    json_refused("ca 7f 80 00 00", "NaN and infinities");
    json_refused("a1 ff", "not valid UTF-8");
    json_refused("a3 ed a0 80", "not valid UTF-8"); /* half a surrogate pair */
    json_refused("81 01 01", "a member name that is no text");
    json_refused("81 a1 ff 01", "not valid UTF-8");
}

/* All beginnings of a frame are broken, none is read past its end. */
static void cut_anywhere(void **state)
{
    (void)state;
    bytes whole = of_hex(
        "92 84 a1 54 a1 74 a1 70 cb 40 64 5d 70 a3 d7 0a 3d a1 63 92 d9 01 40 c4 01 00 a1 74 d7 ff c7 d9 a2 84 64 2e "
        "b2 f2 de 00 01 da 00 01 41 c7 03 05 01 02 03");
    for (size_t n = 0; n <= whole.n; n++) {
        char *part = malloc(n == 0 ? 1 : n);
        assert_non_null(part);
        memcpy(part, whole.p, n);
        nx_mp_in in = nx_mp_open((nx_str){part, n});
        bool ok = nx_mp_skip(&in, 0);
        assert_int_equal(ok, n == whole.n);
        assert_true(ok ? in.p == in.end : in.bad != NULL && in.what != NULL);
        free(part);
    }
    free(whole.p);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char deep[4096];
    memset(deep, 0x91, sizeof deep);
    deep[64] = 0x01;
    nx_mp_in in = nx_mp_open((nx_str){deep, 65});
    assert_true(nx_mp_skip(&in, 0));
    in = nx_mp_open((nx_str){deep, 65});
    assert_false(nx_mp_skip(&in, 1));
    assert_true(in.too_deep);
    deep[64] = (char)0x91;
    deep[sizeof deep - 1] = 0x01;
    in = nx_mp_open((nx_str){deep, sizeof deep});
    assert_false(nx_mp_skip(&in, 0));
    assert_true(in.too_deep);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_mp_to_json((nx_str){deep, sizeof deep}, &b, NULL), NX_INVALID);
    /* wide costs no more than its bytes */
    memset(deep, 0xC0, sizeof deep);
    memcpy(deep, "\xdc\x0f\xfd", 3);
    in = nx_mp_open((nx_str){deep, sizeof deep});
    assert_true(nx_mp_skip(&in, 63));
}

/* What is written is read back equal, at every width. */
static void numbers_round_trip(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 7);
    for (int i = 0; i < 200000; i++) {
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, 64);
        uint64_t u = nx_rand_u64(&r) >> nx_rand_below(&r, 64);
        int64_t s = (int64_t)(nx_rand_below(&r, 2) == 0 ? u : ~u + 1);
        double f;
        uint64_t word = nx_rand_u64(&r);
        memcpy(&f, &word, 8);
        int64_t ns = (int64_t)nx_rand_u64(&r) >> nx_rand_below(&r, 64);
        assert_int_equal(nx_mp_put_u64(&b, u), NX_OK);
        assert_int_equal(nx_mp_put_i64(&b, s), NX_OK);
        assert_int_equal(nx_mp_put_f64(&b, f), NX_OK);
        assert_int_equal(nx_mp_put_time(&b, ns), NX_OK);
        nx_mp_in in = nx_mp_open(nx_buf_str(&b));
        nx_mp v;
        int64_t t;
        assert_true(nx_mp_next(&in, &v));
        assert_true(v.kind == NX_MP_UINT ? v.u == u && u > INT64_MAX : v.kind == NX_MP_INT && v.i == (int64_t)u);
        assert_true(nx_mp_next(&in, &v));
        assert_true(v.kind == NX_MP_INT ? v.i == s : v.kind == NX_MP_UINT && v.u == (uint64_t)s);
        assert_true(nx_mp_next(&in, &v) && v.kind == NX_MP_FLOAT && memcmp(&v.f, &f, 8) == 0);
        assert_true(nx_mp_next(&in, &v) && v.kind == NX_MP_TIME && nx_mp_time_ns(&v, &t));
        assert_true(t == ns && in.p == in.end);
    }
}

static void lengths_round_trip(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 2, 3, 4, 8, 15, 16, 17, 31, 32, 255, 256, 65535, 65536};
    char *text = calloc(1, 65536);
    assert_non_null(text);
    for (size_t i = 0; i < NX_COUNT_OF(sizes); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, 0);
        nx_str s = {text, sizes[i]};
        assert_int_equal(nx_mp_put_str(&b, s), NX_OK);
        assert_int_equal(nx_mp_put_bin(&b, s), NX_OK);
        assert_int_equal(nx_mp_put_ext(&b, 5, s), NX_OK);
        assert_int_equal(nx_mp_put_arr(&b, (uint32_t)s.n), NX_OK);
        assert_int_equal(nx_buf_add(&b, s), NX_OK);
        assert_int_equal(nx_mp_put_map(&b, (uint32_t)s.n), NX_OK);
        assert_int_equal(nx_buf_add(&b, s), NX_OK);
        assert_int_equal(nx_buf_add(&b, s), NX_OK);
        nx_mp_in in = nx_mp_open(nx_buf_str(&b));
        nx_mp v;
        assert_true(nx_mp_next(&in, &v) && v.kind == NX_MP_STR && v.s.n == s.n);
        assert_true(nx_mp_next(&in, &v) && v.kind == NX_MP_BIN && v.s.n == s.n);
        assert_true(nx_mp_next(&in, &v) && v.kind == NX_MP_EXT && v.type == 5 && v.s.n == s.n);
        assert_true(nx_mp_skip(&in, 0));
        assert_true(nx_mp_skip(&in, 0));
        assert_true(in.p == in.end);
    }
    free(text);
}

static void floats_have_the_fewest_digits(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } f[] = {{0.1, "0.1"},
             {162.92, "162.92"},
             {0.1 + 0.2, "0.30000000000000004"},
             {1e23, "1e+23"},
             {5e-324, "5e-324"},
             {1.7976931348623157e308, "1.7976931348623157e+308"},
             {0x1p-44, "5.684341886080802e-14"}, /* its nearest 16 digits read back as another float */
             {9007199254740993.0, "9007199254740992"},
             {123456789.123456, "123456789.123456"},
             {0, "0"}};
    char text[NX_FLOAT_TEXT_MAX];
    for (size_t i = 0; i < NX_COUNT_OF(f); i++) {
        size_t n = nx_f64_text(f[i].v, text);
        assert_string_equal(text, f[i].text);
        assert_int_equal(n, strlen(text));
    }
    assert_int_equal(nx_f64_text((double)NAN, text), 0);
    assert_int_equal(nx_f64_text(-(double)INFINITY, text), 0);
    assert_int_equal(nx_f32_text(0.1f, text), 3);
    assert_string_equal(text, "0.1");
    /* every price in millionths that has at most 15 digits comes back as it was */
    nx_rand r;
    nx_rand_seed(&r, 3);
    for (int i = 0; i < 200000; i++) {
        char want[40];
        long long n = (long long)nx_rand_below(&r, 1000000000000000ull >> nx_rand_below(&r, 45));
        snprintf(want, sizeof want, "%lld.%06lld", n / 1000000, n % 1000000);
        size_t k = strlen(want);
        while (want[k - 1] == '0')
            want[--k] = '\0';
        if (want[k - 1] == '.')
            want[--k] = '\0';
        nx_f64_text(strtod(want, NULL), text);
        if (strchr(text, 'e') == NULL)
            assert_string_equal(text, want);
        assert_true(strtod(text, NULL) == strtod(want, NULL));
    }
}

static void from_json(void **state)
{
    (void)state;
    static const char *const times[] = {"t", NULL}, *const floats[] = {"p", NULL};
    const nx_mp_words words = {times, floats};
    static const struct {
        const char *json, *hex;
    } v[] = {{"{\"action\":\"auth\",\"key\":\"K\",\"secret\":\"S\"}",
              "83 a6 61 63 74 69 6f 6e a4 61 75 74 68 a3 6b 65 79 a1 4b a6 73 65 63 72 65 74 a1 53"},
             {"[{\"t\":\"2023-04-06T11:54:26.838232225Z\"},{\"t\":\"soon\"},{\"x\":\"2023-04-06T11:54:26Z\"}]",
              "93 81 a1 74 d7 ff c7 d9 a2 84 64 2e b2 f2 81 a1 74 a4 73 6f 6f 6e"
              "81 a1 78 b4 32 30 32 33 2d 30 34 2d 30 36 54 31 31 3a 35 34 3a 32 36 5a"},
             {"{\"p\":3,\"s\":3,\"i\":-1}", "83 a1 70 cb 40 08 00 00 00 00 00 00 a1 73 03 a1 69 ff"},
             {"[18446744073709551615,1e2,-0,null,true]",
              "95 cf ff ff ff ff ff ff ff ff cb 40 59 00 00 00 00 00 00 cb 80 00 00 00 00 00 00 00 c0 c3"}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        bytes want = of_hex(v[i].hex);
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, 0);
        nx_err err = {0};
        if (nx_mp_from_json(nx_str_of(v[i].json), &words, &b, &err) != NX_OK)
            fail_msg("%s", err.text);
        assert_int_equal(b.n, want.n);
        assert_memory_equal(b.p, want.p, want.n);
        free(want.p);
    }
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_err err = {0};
    assert_int_equal(nx_mp_put_nil(&b), NX_OK);
    assert_int_equal(nx_mp_from_json(NX_STR("[1,123456789012.123456]"), NULL, &b, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "123456789012.123456"));
    assert_int_equal(b.n, 1); /* as before */
    assert_int_equal(nx_mp_from_json(NX_STR("{"), NULL, &b, &err), NX_INVALID);
    assert_int_equal(b.n, 1);
}

static void first_byte_tells(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char one = (char)c;
        char padded[32] = {one};
        nx_mp_in in = nx_mp_open((nx_str){padded, sizeof padded});
        nx_mp v;
        bool ok = nx_mp_next(&in, &v);
        assert_int_equal(ok && (v.kind == NX_MP_ARR || v.kind == NX_MP_MAP), nx_mp_is_container(one));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form),         cmocka_unit_test(vendor_frames),
        cmocka_unit_test(refusals),           cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(nesting_is_bounded), cmocka_unit_test(numbers_round_trip),
        cmocka_unit_test(lengths_round_trip), cmocka_unit_test(floats_have_the_fewest_digits),
        cmocka_unit_test(from_json),          cmocka_unit_test(first_byte_tells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
