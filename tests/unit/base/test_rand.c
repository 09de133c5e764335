#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "base/mark.h"
#include "base/rand.h"

static void equal_seeds_give_equal_numbers(void **state)
{
    (void)state;
    nx_rand a, b, c;
    nx_rand_seed(&a, 0);
    nx_rand_seed(&b, 0);
    nx_rand_seed(&c, 1);
    int differ = 0;
    for (int i = 0; i < 100; i++) {
        uint64_t v = nx_rand_u64(&a);
        assert_true(v == nx_rand_u64(&b));
        differ += v != nx_rand_u64(&c);
    }
    assert_true(differ > 95);
}

/* xoshiro256** from the state 1, 2, 3, 4: the first numbers of the authors' own program. */
static void generator_follows_its_definition(void **state)
{
    (void)state;
    nx_rand r = {{1, 2, 3, 4}};
    static const uint64_t want[] = {11520u, 0u, 1509978240u, 1215971899390074240u};
    for (size_t i = 0; i < NX_COUNT_OF(want); i++)
        assert_true(nx_rand_u64(&r) == want[i]);
}

static void below_is_uniform_and_in_range(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 7);
    int seen[10] = {0};
    for (int i = 0; i < 100000; i++) {
        uint64_t v = nx_rand_below(&r, 10);
        assert_true(v < 10);
        seen[v]++;
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(seen[i], 9500, 10500);
    assert_true(nx_rand_below(&r, 1) == 0);
    for (int i = 0; i < 100; i++) /* nearly half of all draws are drawn again here */
        assert_true(nx_rand_below(&r, (UINT64_C(1) << 63) + 1) <= UINT64_C(1) << 63);
}

static void unit_and_normal_have_their_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    nx_rand r;
    nx_rand_seed(&r, 11);
    double unit = 0, sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        double u = nx_rand_unit(&r), z = nx_rand_normal(&r);
        assert_true(u >= 0 && u < 1);
        unit += u;
        sum += z;
        squares += z * z;
    }
    assert_true(unit / N > 0.495 && unit / N < 0.505);
    assert_true(sum / N > -0.01 && sum / N < 0.01);
    assert_true(squares / N > 0.98 && squares / N < 1.02);
}

static void uuids_are_version_4_and_differ(void **state)
{
    (void)state;
    char a[37], b[37];
    nx_rand_uuid(a);
    nx_rand_uuid(b);
    assert_int_equal(strlen(a), 36);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(a[i], '-');
        else
            assert_true(isxdigit((unsigned char)a[i]) && !isupper((unsigned char)a[i]));
    }
    assert_int_equal(a[14], '4');
    assert_non_null(strchr("89ab", a[19]));
    assert_string_not_equal(a, b);
}

static void bytes_fill_exactly_what_was_asked(void **state)
{
    (void)state;
    unsigned char b[1024];
    memset(b, 0xAA, sizeof b);
    nx_rand_bytes(b + 1, sizeof b - 2);
    assert_int_equal(b[0], 0xAA);
    assert_int_equal(b[sizeof b - 1], 0xAA);
    int kept = 0;
    for (size_t i = 1; i < sizeof b - 1; i++)
        kept += b[i] == 0xAA;
    assert_true(kept < 50);
    nx_rand_bytes(b, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_seeds_give_equal_numbers), cmocka_unit_test(generator_follows_its_definition),
        cmocka_unit_test(below_is_uniform_and_in_range),  cmocka_unit_test(unit_and_normal_have_their_moments),
        cmocka_unit_test(uuids_are_version_4_and_differ), cmocka_unit_test(bytes_fill_exactly_what_was_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
