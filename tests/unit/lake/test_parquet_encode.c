/* The encodings alone, against bytes worked out by hand from Encodings.md and the compact protocol of Thrift, and against
 * a reader of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/rand.h"
#include "lake/parquet_int.h"

static void is_hex(nx_buf *b, const char *want)
{
    char *got = calloc(b->n + 1, 2);
    nx_hex(b->p, b->n, got);
    assert_string_equal(got, want);
    free(got);
    nx_buf_drop(b);
}

static nx_buf fresh(void)
{
    nx_buf b;
    nx_buf_init(&b, 0);
    return b;
}

/* ------------------------------------------------------------------ the hybrid */

static void test_bit_packing(void **state)
{
    (void)state;
    /* Encodings.md: 0 to 7 at width 3 are 10001000 11000110 11111010; in front one group, bit-packed */
    const uint16_t v[] = {0, 1, 2, 3, 4, 5, 6, 7};
    nx_buf b = fresh();
    assert_int_equal(nx__pq_hybrid(&b, v, 8, 3), NX_OK);
    is_hex(&b, "0388c6fa");
    b = fresh(); /* five values: zeros behind them */
    assert_int_equal(nx__pq_hybrid(&b, v, 5, 3), NX_OK);
    is_hex(&b, "03884600");
}

static void test_runs(void **state)
{
    (void)state;
    uint16_t v[300];
    for (size_t i = 0; i < NX_COUNT_OF(v); i++)
        v[i] = 4;
    nx_buf b = fresh();
    assert_int_equal(nx__pq_hybrid(&b, v, 100, 3), NX_OK);
    is_hex(&b, "c80104"); /* 100 << 1, then the value in one byte */
    b = fresh();
    assert_int_equal(nx__pq_run(&b, 0x1234, 100, 13), NX_OK);
    is_hex(&b, "c8013412"); /* 13 bits take two */
    b = fresh();
    assert_int_equal(nx__pq_run(&b, 1, 0, 1), NX_OK);
    assert_int_equal(b.n, 0);
    nx_buf_drop(&b);
    v[0] = 5; /* the group with the odd one is packed, the rest is a run */
    b = fresh();
    assert_int_equal(nx__pq_hybrid(&b, v, 108, 8), NX_OK);
    is_hex(&b, "030504040404040404c80104");
    b = fresh(); /* at width 1 a short run saves nothing */
    const uint16_t bits[16] = {1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    assert_int_equal(nx__pq_hybrid(&b, bits, 16, 1), NX_OK);
    is_hex(&b, "05ffaa");
}

static uint64_t read_varint(const uint8_t **p)
{
    uint64_t v = 0;
    for (int shift = 0;; shift += 7) {
        uint8_t c = *(*p)++;
        v |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80)
            return v;
    }
}

static uint64_t read_bits(const uint8_t *p, size_t at, int width)
{
    uint64_t v = 0;
    for (int i = 0; i < width; i++)
        v |= (uint64_t)(p[(at + (size_t)i) / 8] >> ((at + (size_t)i) % 8) & 1) << i;
    return v;
}

/* A plain reader of the hybrid; the bytes must end where the values do. */
static void check_hybrid(const uint16_t *want, size_t n, int width)
{
    nx_buf b = fresh();
    assert_int_equal(nx__pq_hybrid(&b, want, n, width), NX_OK);
    const uint8_t *p = (const uint8_t *)b.p, *end = p + b.n;
    size_t at = 0;
    while (at < n) {
        assert_true(p < end);
        uint64_t head = read_varint(&p);
        size_t count = (head & 1) != 0 ? (head >> 1) * 8 : head >> 1;
        for (size_t i = 0; i < count && at < n; i++, at++)
            assert_int_equal(want[at], read_bits(p, (head & 1) != 0 ? i * (size_t)width : 0, width));
        p += (head & 1) != 0 ? (head >> 1) * (size_t)width : (size_t)(width + 7) / 8;
    }
    assert_ptr_equal(p, end);
    nx_buf_drop(&b);
}

static void test_hybrid_at_random(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 11);
    uint16_t v[3000];
    for (int round = 0; round < 2000; round++) {
        int width = 1 + (int)nx_rand_below(&r, 16);
        size_t n = 1 + nx_rand_below(&r, round < 50 ? 20 : NX_COUNT_OF(v));
        size_t run = 1 + nx_rand_below(&r, 40);
        for (size_t i = 0; i < n; i++)
            v[i] = i > 0 && nx_rand_below(&r, run) > 0 ? v[i - 1] : (uint16_t)nx_rand_below(&r, (uint64_t)1 << width);
        check_hybrid(v, n, width);
    }
}

/* ------------------------------------------------------------------ DELTA_BINARY_PACKED */

static void test_delta_examples(void **state)
{
    (void)state;
    /* Encodings.md, example 1: 1 to 5. Block of 128 in 4 parts, 5 values, the first is 1; least difference 1, no bits. */
    const int64_t steady[] = {1, 2, 3, 4, 5};
    nx_buf b = fresh();
    assert_int_equal(nx__pq_delta(&b, steady, 5, false), NX_OK);
    is_hex(&b, "8001040502"
               "0200000000");
    /* example 2: 7, 5, 3, 1, 2, 3, 4, 5. Least difference -2, then 0,0,0,3,3,3,3 in 2 bits, up to a part of 32. */
    const int64_t turning[] = {7, 5, 3, 1, 2, 3, 4, 5};
    b = fresh();
    assert_int_equal(nx__pq_delta(&b, turning, 8, false), NX_OK);
    is_hex(&b, "800104080e"
               "0302000000"
               "c03f000000000000");
    b = fresh();
    assert_int_equal(nx__pq_delta(&b, steady, 1, false), NX_OK);
    is_hex(&b, "8001040102");
    b = fresh();
    assert_int_equal(nx__pq_delta(&b, steady, 0, false), NX_OK);
    is_hex(&b, "8001040000");
    /* INT32 wraps at 32 bits: from the least to the greatest is a step of -1 */
    const int64_t ends[] = {INT32_MIN, INT32_MAX};
    b = fresh();
    assert_int_equal(nx__pq_delta(&b, ends, 2, true), NX_OK);
    is_hex(&b, "80010402ffffffff0f"
               "0100000000");
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

static void check_delta(const int64_t *want, size_t n, bool narrow)
{
    nx_buf b = fresh();
    assert_int_equal(nx__pq_delta(&b, want, n, narrow), NX_OK);
    const uint8_t *p = (const uint8_t *)b.p, *end = p + b.n;
    assert_int_equal(read_varint(&p), 128);
    assert_int_equal(read_varint(&p), 4);
    assert_int_equal(read_varint(&p), n);
    uint64_t v = (uint64_t)unzigzag(read_varint(&p));
    size_t at = 0;
    assert_true(n == 0 || want[at++] == (int64_t)v);
    while (at < n) {
        uint64_t least = (uint64_t)unzigzag(read_varint(&p));
        const uint8_t *widths = p;
        p += 4;
        for (int m = 0; m < 4; m++) {
            assert_true(widths[m] <= (narrow ? 32 : 64));
            for (size_t i = 0; i < 32 && at < n; i++, at++) {
                v += least + read_bits(p, i * widths[m], widths[m]);
                assert_true(want[at] == (narrow ? (int32_t)(uint32_t)v : (int64_t)v));
            }
            p += widths[m] * 4;
        }
    }
    assert_ptr_equal(p, end);
    nx_buf_drop(&b);
}

static void test_delta_at_random(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 12);
    int64_t v[700];
    for (int round = 0; round < 2000; round++) {
        size_t n = nx_rand_below(&r, NX_COUNT_OF(v));
        bool narrow = nx_rand_below(&r, 2) == 0;
        int bits = (int)nx_rand_below(&r, narrow ? 33 : 65);
        for (size_t i = 0; i < n; i++) {
            uint64_t step = bits == 0 ? 0 : nx_rand_u64(&r) >> (64 - bits);
            uint64_t next = (i == 0 ? nx_rand_u64(&r) : (uint64_t)v[i - 1]) + step;
            v[i] = narrow ? (int32_t)(uint32_t)next : (int64_t)next;
        }
        check_delta(v, n, narrow);
    }
    const int64_t ends[] = {INT64_MIN, INT64_MAX, INT64_MIN, 0, INT64_MAX, -1};
    check_delta(ends, NX_COUNT_OF(ends), false);
}

/* ------------------------------------------------------------------ PLAIN, fixed bytes, dictionaries, Thrift */

static void test_plain(void **state)
{
    (void)state;
    const int64_t v[] = {1, -2, 1, 0, 0, 0, 0, 0, 5};
    nx_buf b = fresh();
    assert_int_equal(nx__pq_plain(&b, v, 2, 4), NX_OK);
    is_hex(&b, "01000000feffffff");
    b = fresh();
    assert_int_equal(nx__pq_plain(&b, v, 2, 8), NX_OK);
    is_hex(&b, "0100000000000000feffffffffffffff");
    b = fresh();
    assert_int_equal(nx__pq_bools(&b, v, 9), NX_OK);
    is_hex(&b, "0701"); /* least bit first */
    unsigned char fixed[NX__PQ_FIXED_BYTES];
    char hex[2 * NX__PQ_FIXED_BYTES + 1];
    nx__pq_fixed(-2, fixed);
    nx_hex(fixed, sizeof fixed, hex);
    assert_string_equal(hex, "fffffffffffffffffffffffffffffffe");
    nx__pq_fixed((__int128)1 << 64, fixed);
    nx_hex(fixed, sizeof fixed, hex);
    assert_string_equal(hex, "00000000000000010000000000000000");
}

static void test_dictionaries(void **state)
{
    (void)state;
    enum { N = 210000 };
    nx__pq_dict d = {0};
    int64_t *v = calloc(N, sizeof *v);
    uint16_t *index = calloc(N, sizeof *index);
    for (int i = 0; i < N; i++)
        v[i] = i % 1000 * INT64_C(1) << 40;
    assert_int_equal(nx__pq_dict_numbers(&d, v, N, index), NX_OK);
    assert_int_equal(d.n, 1000);
    for (int i = 0; i < N; i++)
        assert_true(d.num[index[i]] == v[i]);
    for (int i = 0; i < N; i++)
        v[i] = i / 3; /* 70,000 different ones: more than indexes of 16 bits */
    assert_int_equal(nx__pq_dict_numbers(&d, v, N, index), NX_NOTHING);
    assert_int_equal(nx__pq_dict_numbers(&d, v, 3 * 65536, index), NX_OK);
    assert_int_equal(d.n, 65536);
    assert_int_equal(index[3 * 65536 - 1], 65535);
    for (int i = 0; i < N; i++)
        v[i] = i;
    assert_int_equal(nx__pq_dict_numbers(&d, v, N, index), NX_NOTHING);
    free(v);
    const nx_str texts[] = {NX_STR("abc"),      NX_STR("abc\0"),    NX_STR(""),          NX_STR("abc"),
                            NX_STR("12345678"), NX_STR(""),         NX_STR("123456789"), NX_STR("12345678"),
                            NX_STR("abc\0"),    NX_STR("123456789")};
    const uint16_t want[] = {0, 1, 2, 0, 3, 2, 4, 3, 1, 4};
    assert_int_equal(nx__pq_dict_texts(&d, texts, NX_COUNT_OF(texts), index), NX_OK);
    assert_int_equal(d.n, 5);
    assert_memory_equal(index, want, sizeof want);
    static char big[NX__PQ_DICT_BYTES]; /* two of them are too much for one dictionary */
    const nx_str huge[] = {{big, sizeof big}, {big, sizeof big - 1}, {big, sizeof big}, {big, sizeof big}};
    assert_int_equal(nx__pq_dict_texts(&d, huge, 4, index), NX_NOTHING);
    assert_int_equal(nx__pq_dict_texts(&d, huge + 2, 2, index), NX_OK);
    free(index);
    nx__pq_dict_drop(&d);
}

static void test_choice(void **state)
{
    (void)state;
    enum { N = 5000 };
    static int64_t v[N];
    nx_rand r;
    nx_rand_seed(&r, 3);
    for (int i = 0; i < N; i++)
        v[i] = 42;
    assert_int_equal(nx__pq_choose(v, N, 8, true), NX__PQ_DICT);
    for (int i = 0; i < N; i++)
        v[i] = (int64_t)nx_rand_below(&r, 50) * 1234567891;
    assert_int_equal(nx__pq_choose(v, N, 8, true), NX__PQ_DICT);
    for (int i = 0; i < N; i++)
        v[i] = 1700000000000000000 + (int64_t)i * 1000000 + (int64_t)nx_rand_below(&r, 999);
    assert_int_equal(nx__pq_choose(v, N, 8, true), NX__PQ_DELTA);
    assert_int_equal(nx__pq_choose(v, N, 8, false), NX__PQ_PLAIN);
    for (int i = 0; i < N; i++)
        v[i] = (int64_t)nx_rand_u64(&r);
    assert_int_equal(nx__pq_choose(v, N, 8, true), NX__PQ_PLAIN);
    assert_int_equal(nx__pq_choose(v, 1, 8, true), NX__PQ_DICT);
}

static void test_thrift(void **state)
{
    (void)state;
    nx_buf b = fresh();
    nx__th t;
    nx__th_begin(&t, &b);
    nx__th_i32(&t, 1, -1);           /* 15 01: one on, type 5; zigzag */
    nx__th_i64(&t, 3, 150);          /* 26 ac02 */
    nx__th_bool(&t, 4, true);        /* 11 */
    nx__th_bool(&t, 5, false);       /* 12 */
    nx__th_bin(&t, 20, NX_STR("x")); /* f8 01 78: fifteen on */
    nx__th_i16(&t, 40, 2);           /* too far for a step: 04, id as zigzag 50, 04 */
    nx__th_struct(&t, 41);           /* 1c */
    nx__th_i32(&t, 1, 0);            /* ids begin anew: 15 00 */
    nx__th_close(&t);                /* 00 */
    nx__th_list(&t, 42, NX__TH_I32, 2);
    nx__th_elem_i32(&t, 1);
    nx__th_elem_i32(&t, 2); /* 19 25 02 04 */
    assert_int_equal(nx__th_end(&t), NX_OK);
    is_hex(&b, "150126ac021112f8017804500"
               "41c1500001925020400");
    b = fresh();
    nx__th_begin(&t, &b);
    nx__th_list(&t, 1, NX__TH_STRUCT, 15); /* 15 elements and more: their number behind */
    assert_int_equal(nx__th_end(&t), NX_OK);
    is_hex(&b, "19fc0f00");
    nx_buf_init(&b, 3); /* a full buffer is told at the end */
    nx__th_begin(&t, &b);
    nx__th_bin(&t, 1, NX_STR("more than three"));
    assert_int_equal(nx__th_end(&t), NX_LIMIT);
    nx_buf_drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bit_packing),    cmocka_unit_test(test_runs),   cmocka_unit_test(test_hybrid_at_random),
        cmocka_unit_test(test_delta_examples), cmocka_unit_test(test_plain),  cmocka_unit_test(test_delta_at_random),
        cmocka_unit_test(test_dictionaries),   cmocka_unit_test(test_choice), cmocka_unit_test(test_thrift),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
