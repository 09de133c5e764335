/* Replays the fuzzer's corpus of Parquet files, cut short and changed, in every test run, and some hundred seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fuzz_parquet.c"
#include "fuzz/replay.h"

static void test_corpus(void **state)
{
    (void)state;
    assert_true(replay_corpus("tests/fuzz/corpus/parquet") >= 3);
}

static void test_seeds(void **state)
{
    (void)state;
    open_target();
    for (uint64_t seed = 0; seed < 400; seed++) {
        source all_random = {0};
        nx_rand_seed(&all_random.rand, seed);
        run(&all_random, 1 + seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus), cmocka_unit_test(test_seeds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
