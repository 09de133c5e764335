#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/clock.h"
#include "base/stop.h"

static nx_wall_ns fixed(void *ctx)
{
    return *(nx_wall_ns *)ctx;
}

static void wall_can_be_replaced(void **state)
{
    (void)state;
    nx_wall_ns at = INT64_C(1700000000000000000);
    nx_clock_set_wall(fixed, &at);
    assert_true(nx_clock_wall() == at);
    at++;
    assert_true(nx_clock_wall() == at);
    nx_clock_set_wall(NULL, NULL);
    assert_true(nx_clock_wall() != at);
}

static void mono_never_falls(void **state)
{
    (void)state;
    nx_mono_ns last = nx_clock_mono();
    for (int i = 0; i < 10000; i++) {
        nx_mono_ns now = nx_clock_mono();
        assert_true(now >= last);
        last = now;
    }
}

static void sleep_lasts_as_long_as_asked(void **state)
{
    (void)state;
    volatile bool stop = false;
    nx_mono_ns t = nx_clock_mono();
    assert_true(nx_clock_sleep_ms(20, NULL));
    assert_true(nx_clock_mono() - t >= 20000000);
    t = nx_clock_mono();
    assert_true(nx_clock_sleep_ms(60, &stop));
    assert_true(nx_clock_mono() - t >= 60000000);
    assert_true(nx_clock_sleep_ms(0, &stop));
    assert_true(nx_clock_sleep_ms(-5, NULL));
}

static void *sleeper(void *arg)
{
    /* far longer than any test: only *stop ends it */
    return nx_clock_sleep_ms(INT64_MAX, arg) ? arg : NULL;
}

static void sleep_ends_when_told(void **state)
{
    (void)state;
    volatile bool stop = true;
    assert_false(nx_clock_sleep_ms(1000000, &stop));
    stop = false;
    pthread_t t;
    void *ret;
    assert_int_equal(pthread_create(&t, NULL, sleeper, (void *)&stop), 0);
    nx_stop_ask(&stop);
    assert_int_equal(pthread_join(t, &ret), 0);
    assert_null(ret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall_can_be_replaced),
        cmocka_unit_test(mono_never_falls),
        cmocka_unit_test(sleep_lasts_as_long_as_asked),
        cmocka_unit_test(sleep_ends_when_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
