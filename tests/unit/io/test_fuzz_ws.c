#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fuzz_ws.c"
#include "fuzz/replay.h"

static void corpus_does_no_harm(void **state)
{
    (void)state;
    assert_true(replay_corpus("tests/fuzz/corpus/ws") >= 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus_does_no_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
