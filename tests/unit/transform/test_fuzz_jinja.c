/* The fuzz target of templates over its corpus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fuzz/fuzz_jinja.c"
#include "fuzz/replay.h"

static void test_corpus(void **state)
{
    (void)state;
    assert_true(replay_corpus("tests/fuzz/corpus/jinja") >= 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_corpus)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
