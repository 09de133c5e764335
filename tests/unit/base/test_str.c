#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/str.h"

static void slices(void **state)
{
    (void)state;
    assert_true(nx_str_starts(NX_STR("abc"), NX_STR("ab")) && nx_str_starts(NX_STR("abc"), NX_STR("")));
    assert_false(nx_str_starts(NX_STR("a"), NX_STR("ab")));
    assert_true(nx_str_ends(NX_STR("abc"), NX_STR("bc")));
    assert_false(nx_str_ends(NX_STR("c"), NX_STR("bc")));
    assert_true(nx_str_eq_nocase(NX_STR("AbZ[@"), NX_STR("aBz[@")));
    assert_false(nx_str_eq_nocase(NX_STR("["), NX_STR("{"))); /* 32 apart, no letters */
    assert_true(nx_str_cmp(NX_STR("a"), NX_STR("ab")) < 0 && nx_str_cmp(NX_STR("b"), NX_STR("ab")) > 0);
    assert_true(nx_str_cmp(NX_STR(""), (nx_str){NULL, 0}) == 0);
    assert_true(nx_str_is(nx_str_trim(NX_STR(" \t\r\n x y \n")), "x y"));
    assert_true(nx_str_is(nx_str_trim(NX_STR(" \t ")), ""));
    assert_int_equal(nx_str_find(NX_STR("abcabc"), NX_STR("bc"), 2), 4);
    assert_true(nx_str_find(NX_STR("abc"), NX_STR("bc"), 2) == SIZE_MAX);
    assert_int_equal(nx_str_find(NX_STR("abc"), NX_STR(""), 3), 3);
    assert_true(nx_str_find(NX_STR("abc"), NX_STR(""), 4) == SIZE_MAX);
}

static void split(void **state)
{
    (void)state;
    nx_str rest = NX_STR("a,,b,"), part;
    static const char *const want[] = {"a", "", "b", ""};
    for (size_t i = 0; i < NX_COUNT_OF(want); i++) {
        assert_true(nx_str_split(&rest, ',', &part));
        assert_true(nx_str_is(part, want[i]));
    }
    assert_false(nx_str_split(&rest, ',', &part));
    rest = NX_STR("");
    assert_true(nx_str_split(&rest, ',', &part) && part.n == 0);
    assert_false(nx_str_split(&rest, ',', &part));
}

static void integers(void **state)
{
    (void)state;
    int64_t v = 77;
    assert_true(nx_str_to_i64(NX_STR("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(nx_str_to_i64(NX_STR("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(nx_str_to_i64(NX_STR("-0"), &v) && v == 0);
    assert_true(nx_str_to_i64(NX_STR("007"), &v) && v == 7);
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_false(nx_str_to_i64(nx_str_of(bad[i]), &v));
}

static void utf8_is_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "plain ascii, long enough for a word",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "12345678\xC3\xA9"};
    for (size_t i = 0; i < NX_COUNT_OF(good); i++)
        assert_true(nx_utf8_valid(nx_str_of(good[i])));
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2\x41",
                                      "\xE0\x9F\xBF",
                                      "\xE0\xA0",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xEF\xBF",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF0\x90\x80",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFE",
                                      "\xFF",
                                      "1234567\xFF",
                                      "12345678\xE2\x82"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_false(nx_utf8_valid(nx_str_of(bad[i])));
}

static void utf8_round_trip(void **state)
{
    (void)state;
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp += cp < 0x3000 ? 1 : 61) {
        if (cp >= 0xD800 && cp <= 0xDFFF)
            continue;
        char b[4];
        size_t n = nx_utf8_put(cp, b), i = 0;
        assert_true(nx_utf8_valid((nx_str){b, n}));
        assert_true(nx_utf8_get((nx_str){b, n}, &i) == cp);
        assert_int_equal(i, n);
        assert_int_equal(nx_utf8_count((nx_str){b, n}), 1);
    }
    assert_int_equal(nx_utf8_count(NX_STR("aé€😀")), 4);
    size_t i = 0;
    assert_int_equal(nx_utf8_get(NX_STR("\xE2\x82"), &i), 0xFFFD);
    assert_int_equal(i, 1);
}

static void nearest_name(void **state)
{
    (void)state;
    static const char *const names[] = {"symbols", "feed", "stream_url"};
    assert_int_equal(nx_str_nearest(NX_STR("symbls"), names, 3), 0);
    assert_int_equal(nx_str_nearest(NX_STR("FEED"), names, 3), 1);
    assert_true(nx_str_nearest(NX_STR("zzzzzzzz"), names, 3) == SIZE_MAX);
    assert_true(nx_str_nearest(NX_STR("x"), names, 3) == SIZE_MAX);
}

static void buffers_respect_their_maximum(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 10);
    assert_true(nx_str_is(nx_buf_str(&b), ""));
    assert_int_equal(nx_buf_adds(&b, "12345"), NX_OK);
    assert_int_equal(nx_buf_addf(&b, "%d", 678901), NX_LIMIT);
    assert_int_equal(nx_buf_addf(&b, "%d", 67890), NX_OK);
    assert_string_equal(b.p, "1234567890");
    assert_int_equal(nx_buf_addc(&b, 'x'), NX_LIMIT);
    assert_int_equal(nx_buf_reserve(&b, SIZE_MAX), NX_LIMIT);
    assert_string_equal(b.p, "1234567890");
    nx_buf_clear(&b);
    assert_int_equal(nx_buf_add(&b, (nx_str){"a\0b", 3}), NX_OK);
    char *p = nx_buf_take(&b);
    assert_memory_equal(p, "a\0b", 4);
    free(p);
    p = nx_buf_take(&b); /* an empty one gives an empty text */
    assert_string_equal(p, "");
    free(p);
}

static void quoting(void **state)
{
    (void)state;
    static const char *const v[][2] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\""},
        {"caf\xC3\xA9 \xF0\x9F\x98\x80", "\"caf\xC3\xA9 \xF0\x9F\x98\x80\""},
        {"\xEF\xBF\xBD", "\"\xEF\xBF\xBD\""}, /* U+FFFD itself */
        {"a\xFFz\xE2\x82", "\"a\xEF\xBF\xBDz\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        assert_int_equal(nx_buf_quote(&b, nx_str_of(v[i][0])), NX_OK);
        assert_string_equal(b.p, v[i][1]);
    }
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_buf_quote(&b, (nx_str){"\0", 1}), NX_OK);
    assert_string_equal(b.p, "\"\\u0000\"");
    NX_BUF_AUTO nx_buf small;
    nx_buf_init(&small, 3);
    assert_int_equal(nx_buf_quote(&small, NX_STR("ab")), NX_LIMIT);
}

static void arenas(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 64 << 10);
    char *first = nx_arena_dup(&a, NX_STR("first"));
    for (int i = 0; i < 20; i++) {
        unsigned char *p = nx_arena_calloc(&a, 100, 10);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % 16, 0);
        for (int k = 0; k < 1000; k++)
            assert_int_equal(p[k], 0);
        memset(p, 0xFF, 1000);
    }
    assert_string_equal(first, "first");
    assert_string_equal(nx_arena_printf(&a, "%s-%d", "x", 5), "x-5");
    assert_null(nx_arena_calloc(&a, 1, 65 << 10));
    assert_null(nx_arena_calloc(&a, SIZE_MAX / 2, 3));
    assert_non_null(nx_arena_calloc(&a, 0, 8));
    nx_arena_reset(&a);
    unsigned char *again = nx_arena_calloc(&a, 16, 1); /* zero again although the block was used */
    for (int k = 0; k < 16; k++)
        assert_int_equal(again[k], 0);
    size_t n = 0;
    while (nx_arena_calloc(&a, 1, 1000) != NULL)
        n++;
    assert_in_range(n, 40, 65);
}

static void growing(void **state)
{
    (void)state;
    int *p = NULL;
    size_t cap = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_true(nx_grow(&p, &cap, i + 1, sizeof *p));
        p[i] = (int)i;
    }
    assert_int_equal(cap, 1024);
    assert_false(nx_grow(&p, &cap, SIZE_MAX / 2, sizeof *p));
    assert_int_equal(p[999], 999);
    assert_int_equal(cap, 1024);
    free(p);
}

static void doubling(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 16);
    assert_int_equal(nx_buf_add_doubled(&b, NX_STR("it's"), '\''), NX_OK);
    assert_string_equal(b.p, "'it''s'");
    assert_int_equal(nx_buf_add_doubled(&b, NX_STR(""), '"'), NX_OK);
    assert_string_equal(b.p, "'it''s'\"\"");
    assert_int_equal(nx_buf_add_doubled(&b, NX_STR("quoted"), '\''), NX_LIMIT);
    nx_buf_clear(&b);
    assert_int_equal(nx_buf_add_doubled(&b, NX_STR("a\0b"), '\''), NX_INVALID);
}

static void formatting(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 8);
    assert_int_equal(nx_buf_addf(&b, "%d", -12), NX_OK);
    assert_int_equal(nx_buf_addf(&b, "%s%c", "34", '5'), NX_OK);
    assert_string_equal(b.p, "-12345");
    assert_int_equal(nx_buf_addf(&b, "%s", "678"), NX_LIMIT);
    assert_string_equal(b.p, "-12345");
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    assert_string_equal(nx_arena_printf(&a, "%s-%s", "x", "y"), "x-y");
    assert_string_equal(nx_arena_printf(&a, "%s", ""), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices),
        cmocka_unit_test(split),
        cmocka_unit_test(integers),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(utf8_round_trip),
        cmocka_unit_test(nearest_name),
        cmocka_unit_test(buffers_respect_their_maximum),
        cmocka_unit_test(quoting),
        cmocka_unit_test(doubling),
        cmocka_unit_test(formatting),
        cmocka_unit_test(arenas),
        cmocka_unit_test(growing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
