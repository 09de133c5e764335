/* The fuzz target of check files over its corpus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fuzz_sodacl.c"
#include "fuzz/replay.h"

static void test_corpus(void **state)
{
    (void)state;
    assert_true(replay_corpus("tests/fuzz/corpus/sodacl") >= 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
