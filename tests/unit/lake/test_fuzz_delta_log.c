/* Replays the fuzzer's corpus of logs, cut short and changed, in every test run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fuzz_delta_log.c"
#include "fuzz/replay.h"

static void test_corpus(void **state)
{
    (void)state;
    assert_true(replay_corpus("tests/fuzz/corpus/delta_log") >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
