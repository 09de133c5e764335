#include "base/clock.h"
#include "base/stop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

enum { SLEEP_STEP_MS = 50 };

/* Set before threads start, read by all of them afterwards. */
static struct {
    nx_wall_ns (*now)(void *ctx);
    void *ctx;
} wall;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

nx_wall_ns nx_clock_wall(void)
{
    return wall.now != NULL ? wall.now(wall.ctx) : read_clock(CLOCK_REALTIME);
}

nx_mono_ns nx_clock_mono(void)
{
    return (nx_mono_ns)read_clock(CLOCK_MONOTONIC);
}

void nx_clock_set_wall(nx_wall_ns (*now)(void *ctx), void *ctx)
{
    wall.now = now;
    wall.ctx = ctx;
}

bool nx_clock_sleep_ms(int64_t ms, const volatile bool *stop)
{
    int64_t end = read_clock(CLOCK_MONOTONIC);
    int64_t span;
    if (ms > 0 && (__builtin_mul_overflow(ms, 1000000, &span) || __builtin_add_overflow(end, span, &end)))
        end = INT64_MAX;
    for (;;) {
        if (nx_stop_asked(stop))
            return false;
        int64_t left = end - read_clock(CLOCK_MONOTONIC);
        if (ms <= 0 || left <= 0)
            return true;
        if (stop != NULL && left > SLEEP_STEP_MS * 1000000LL)
            left = SLEEP_STEP_MS * 1000000LL;
        struct timespec ts = {left / 1000000000, left % 1000000000};
        nanosleep(&ts, NULL); /* a signal only means another look at *stop */
    }
}
