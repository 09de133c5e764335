#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mark.h"

static void names_are_sorted_and_unique(void **state)
{
    (void)state;
    for (int f = 1; f < NX_FAULT_COUNT; f++)
        assert_true(strcmp(nx_fault_name((nx_fault)(f - 1)), nx_fault_name((nx_fault)f)) < 0);
    assert_string_equal(nx_fault_name(NX_FAULT_WAL_WRITE), "WAL_WRITE");
    assert_string_equal(nx_fault_name(NX_FAULT_COUNT), "?");
}

static void fires_once_after_the_skips(void **state)
{
    (void)state;
    assert_true(nx_fault_arm("WAL_SYNC:2"));
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_WRITE), NX_FAULT_NONE);
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_SYNC), NX_FAULT_NONE);
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_SYNC), NX_FAULT_NONE);
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_SYNC), NX_FAULT_ERROR);
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_SYNC), NX_FAULT_NONE);
    assert_true(nx_fault_arm("WAL_WRITE:0:short"));
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_WRITE), NX_FAULT_SHORT);
    assert_true(nx_fault_arm("WAL_WRITE"));
    assert_true(nx_fault_arm(NULL));
    assert_int_equal(nx_fault_hit(NX_FAULT_WAL_WRITE), NX_FAULT_NONE);
}

static void nonsense_arms_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "NOPE", "wal_sync", "WAL_SYNC:", "WAL_SYNC:-1", "WAL_SYNC:1:explode", "WAL_SYNC:1:error:x", "WAL_SYNC:1x"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        assert_false(nx_fault_arm(bad[i]));
        assert_int_equal(nx_fault_hit(NX_FAULT_WAL_SYNC), NX_FAULT_NONE);
    }
}

/* Runs itself again with NEXUS_FAULT set; the wait status. */
static int run_again(const char *spec)
{
    pid_t child = fork();
    if (child == 0) {
        setenv("NEXUS_FAULT", spec, 1);
        close(STDERR_FILENO);
        execl("/proc/self/exe", "test_fault", "--hit", (char *)NULL);
        _exit(127);
    }
    int rc = 0;
    waitpid(child, &rc, 0);
    return rc;
}

static void environment_arms(void **state)
{
    (void)state;
    int rc = run_again("PG_COPY:0:kill");
    assert_true(WIFSIGNALED(rc) && WTERMSIG(rc) == SIGKILL);
    rc = run_again("PG_COPY");
    assert_true(WIFEXITED(rc) && WEXITSTATUS(rc) == 10 + NX_FAULT_ERROR);
    rc = run_again("PG_COPY:1");
    assert_true(WIFEXITED(rc) && WEXITSTATUS(rc) == 10 + NX_FAULT_NONE);
    rc = run_again("");
    assert_true(WIFEXITED(rc) && WEXITSTATUS(rc) == 10 + NX_FAULT_NONE);
    rc = run_again("PG_COPPY");
    assert_true(WIFEXITED(rc) && WEXITSTATUS(rc) == 2);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--hit") == 0)
        return 10 + (int)nx_fault_hit(NX_FAULT_PG_COPY);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_and_unique),
        cmocka_unit_test(fires_once_after_the_skips),
        cmocka_unit_test(nonsense_arms_nothing),
        cmocka_unit_test(environment_arms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
