#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fuzz_deflate.c"
#include "fuzz/replay.h"

static void corpus(void **state)
{
    (void)state;
    assert_true(replay_corpus("tests/fuzz/corpus/deflate") >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
