/* Decimals: text to scaled integer and back, without a rounding. Promise 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "data/decimal.h"

static void assert_reads(const char *text, int precision, int scale, const char *want)
{
    __int128 v;
    char out[48];
    nx_dec_result r = nx_dec_parse(nx_str_of(text), precision, scale, &v);
    if (r != NX_DEC_OK)
        fail_msg("%s as decimal(%d,%d): result %d", text, precision, scale, (int)r);
    size_t n = nx_dec_format(v, scale, out);
    assert_string_equal(out, want);
    assert_int_equal(strlen(out), n);
}

static void assert_refuses(const char *text, int precision, int scale, nx_dec_result want)
{
    __int128 v = 77;
    nx_dec_result r = nx_dec_parse(nx_str_of(text), precision, scale, &v);
    if (r != want)
        fail_msg("%s as decimal(%d,%d): result %d, not %d", text, precision, scale, (int)r, (int)want);
    assert_true(v == 77);
}

static void reads_what_json_writes(void **state)
{
    (void)state;
    static const char *const v[][2] = {
        {"0", "0.000000"},
        {"-0", "0.000000"},
        {"-0.0", "0.000000"},
        {"1", "1.000000"},
        {"-12.50", "-12.500000"},
        {"1e3", "1000.000000"},
        {"1.5E-2", "0.015000"},
        {"1E+2", "100.000000"},
        {"0.000001", "0.000001"},
        {"1e-6", "0.000001"},
        {"10e-7", "0.000001"},
        {"187.4375", "187.437500"},
        {"0.10000000000", "0.100000"},
        {"999999999999.999999", "999999999999.999999"},
        {"0e99999999999999999999", "0.000000"},
        {"0.0000001e1", "0.000001"},
        {"123456789012e-6", "123456.789012"},
        {"-0.000001e6", "-1.000000"},
        {"1000000000000000000000e-10", "100000000000.000000"},
        {"0.00000000000000000000000001e26", "1.000000"},
        {"100e0", "100.000000"},
        {"12.0e00001", "120.000000"},
        {"1e-0", "1.000000"},
        {"0.000000000000000000000000000000000000000000000", "0.000000"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++)
        assert_reads(v[i][0], 18, 6, v[i][1]);
    assert_reads("67234.123", 38, 18, "67234.123000000000000000");
    assert_reads("12345678901234567890.123456789012345678", 38, 18, "12345678901234567890.123456789012345678");
    assert_reads("99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999");
    assert_reads("-0.99999999999999999999999999999999999999", 38, 38, "-0.99999999999999999999999999999999999999");
    assert_reads("1e-38", 38, 38, "0.00000000000000000000000000000000000001");
    assert_reads("9", 1, 0, "9");
    assert_reads("0.9", 1, 1, "0.9");
}

static void refuses_what_does_not_fit(void **state)
{
    (void)state;
    assert_refuses("0.0000001", 18, 6, NX_DEC_SCALE);
    assert_refuses("1.23456789", 18, 6, NX_DEC_SCALE);
    assert_refuses("1e-7", 18, 6, NX_DEC_SCALE);
    assert_refuses("1e-99999999999999999999", 18, 6, NX_DEC_SCALE);
    assert_refuses("123456789012345678901234567890.1234567", 18, 6, NX_DEC_SCALE); /* both; the scale is told */
    assert_refuses("1000000000000", 18, 6, NX_DEC_PRECISION);
    assert_refuses("-1000000000000", 18, 6, NX_DEC_PRECISION);
    assert_refuses("1e12", 18, 6, NX_DEC_PRECISION);
    assert_refuses("1e99999999999999999999", 18, 6, NX_DEC_PRECISION);
    assert_refuses("100000000000000000000000000000000000000", 38, 0, NX_DEC_PRECISION);
    assert_refuses("100000000000000000000", 38, 18, NX_DEC_PRECISION);
    assert_refuses("10", 1, 0, NX_DEC_PRECISION);
    assert_refuses("1", 1, 1, NX_DEC_PRECISION);
    assert_refuses("99999999999999999999", 18, 0, NX_DEC_PRECISION); /* 20 digits */
    assert_refuses("18446744073709551617", 18, 0, NX_DEC_PRECISION); /* 2^64 + 1 */
}

static void refuses_what_is_no_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"",      "-",     "+1",       ".5",        "1.",   "-.5",     "00",  "01",
                                      "-01",   "1e",    "1e+",      "1e1.5",     "1.e1", " 1",      "1 ",  "0x1F",
                                      "NaN",   "nan",   "Infinity", "-Infinity", "1,5",  "1_000",   "--1", "1-",
                                      "1e--1", "\"1\"", "1.5.2",    "e5",        "1ee5", "\xD9\xA1"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_refuses(bad[i], 18, 6, NX_DEC_SYNTAX);
    __int128 v;
    assert_int_equal(nx_dec_parse((nx_str){"1\0", 2}, 18, 6, &v), NX_DEC_SYNTAX);
    assert_int_equal(nx_dec_parse((nx_str){NULL, 0}, 18, 6, &v), NX_DEC_SYNTAX);
}

/* Reads nothing past its slice. */
static void stays_inside_its_slice(void **state)
{
    (void)state;
    __int128 v;
    assert_int_equal(nx_dec_parse((nx_str){"12.345", 4}, 18, 6, &v), NX_DEC_OK);
    assert_true(v == 12300000);
    assert_int_equal(nx_dec_parse((nx_str){"12.345", 3}, 18, 6, &v), NX_DEC_SYNTAX);
    assert_int_equal(nx_dec_parse((nx_str){"1e55", 3}, 18, 6, &v), NX_DEC_OK);
    assert_true(v == 100000000000);
}

static void long_texts_cost_their_length(void **state)
{
    (void)state;
    enum { N = 200000 };
    char *t = malloc(N + 16);
    memset(t, '0', N);
    __int128 v;
    t[0] = '1';
    assert_int_equal(nx_dec_parse((nx_str){t, N}, 38, 18, &v), NX_DEC_PRECISION);
    memcpy(t + N, "e-199999", 8); /* 10^(N-1) * 10^-(N-1) */
    assert_int_equal(nx_dec_parse((nx_str){t, N + 8}, 18, 6, &v), NX_DEC_OK);
    assert_true(v == 1000000);
    memcpy(t, "0.", 2);
    memcpy(t + N, "1", 1);
    assert_int_equal(nx_dec_parse((nx_str){t, N + 1}, 18, 6, &v), NX_DEC_SCALE);
    memset(t, '9', N);
    t[N] = 'e';
    memset(t + N + 1, '9', 10);
    assert_int_equal(nx_dec_parse((nx_str){t, N + 11}, 18, 6, &v), NX_DEC_PRECISION);
    t[N + 1] = '-';
    assert_int_equal(nx_dec_parse((nx_str){t, N + 11}, 18, 6, &v), NX_DEC_SCALE);
    free(t);
    char thousand[1001]; /* all significant: refused at once, nothing wraps round */
    memset(thousand, '7', sizeof thousand - 1);
    thousand[1000] = '\0';
    assert_refuses(thousand, 38, 0, NX_DEC_PRECISION);
}

static void formats(void **state)
{
    (void)state;
    char out[48];
    const __int128 most = ((__int128)INT64_MAX << 64) | UINT64_MAX;
    assert_int_equal(nx_dec_format(0, 0, out), 1);
    assert_string_equal(out, "0");
    nx_dec_format(-5, 6, out);
    assert_string_equal(out, "-0.000005");
    nx_dec_format_short(-12500000, 6, out);
    assert_string_equal(out, "-12.5");
    nx_dec_format_short(3000000, 6, out);
    assert_string_equal(out, "3");
    nx_dec_format_short(100, 0, out);
    assert_string_equal(out, "100");
    nx_dec_format_short(0, 18, out);
    assert_string_equal(out, "0");
    nx_dec_format(most, 38, out);
    assert_string_equal(out, "1.70141183460469231731687303715884105727");
    nx_dec_format(-most - 1, 38, out);
    assert_string_equal(out, "-1.70141183460469231731687303715884105728");
    nx_dec_format(-most - 1, 0, out);
    assert_string_equal(out, "-170141183460469231731687303715884105728");
    nx_dec_format((__int128)1000000000000000000, 0, out);
    assert_string_equal(out, "1000000000000000000");
    nx_dec_format((__int128)1000000000000000000 * 1000000000000000000, 0, out);
    assert_string_equal(out, "1000000000000000000000000000000000000");
}

/* The same value in many spellings - digits moved over the point, exponents that move it back, zeros at both ends - is
 * the same integer, at every precision and scale. */
static void spellings_agree(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 20261123);
    for (int round = 0; round < 30000; round++) {
        int precision = 1 + (int)nx_rand_below(&r, 38), scale = (int)nx_rand_below(&r, (uint64_t)precision + 1);
        int digits = 1 + (int)nx_rand_below(&r, (uint64_t)precision);
        unsigned __int128 v = 0;
        for (int i = 0; i < digits; i++)
            v = v * 10 + nx_rand_below(&r, 10);
        __int128 want = nx_rand_below(&r, 2) == 0 ? (__int128)v : -(__int128)v;
        char text[48], other[160];
        nx_dec_format(want, scale, text);
        __int128 got = 1;
        assert_int_equal(nx_dec_parse(nx_str_of(text), precision, scale, &got), NX_DEC_OK);
        assert_true(got == want);
        nx_dec_format_short(want, scale, text);
        assert_int_equal(nx_dec_parse(nx_str_of(text), precision, scale, &got), NX_DEC_OK);
        assert_true(got == want);
        nx_dec_format(want, 0, text);
        int zeros = (int)nx_rand_below(&r, 40);
        snprintf(other, sizeof other, "%s%.*s%se%d", text, v == 0 ? 0 : zeros,
                 "0000000000000000000000000000000000000000", nx_rand_below(&r, 2) == 0 ? ".000" : "", -scale - zeros);
        assert_int_equal(nx_dec_parse(nx_str_of(other), precision, scale, &got), NX_DEC_OK);
        assert_true(got == want);
        const char *bare = text[0] == '-' ? text + 1 : text;
        snprintf(other, sizeof other, "%s0.%.*s%sE+%d", want < 0 ? "-" : "", zeros,
                 "0000000000000000000000000000000000000000", bare, zeros + (int)strlen(bare));
        /* that is the integer itself: compare at scale 0 of the widest type */
        assert_int_equal(nx_dec_parse(nx_str_of(other), 38, 0, &got), NX_DEC_OK);
        assert_true(got == want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_json_writes),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(refuses_what_is_no_number),
        cmocka_unit_test(stays_inside_its_slice),
        cmocka_unit_test(long_texts_cost_their_length),
        cmocka_unit_test(formats),
        cmocka_unit_test(spellings_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
