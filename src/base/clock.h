/* base/clock.h
 *
 * Two clocks that cannot be mixed up: wall time (UTC, nanoseconds since 1970) says when something
 * happened; monotonic time measures how long. Tests and `nexus demo` may replace the wall clock.
 * Thread   Every function from any thread; nx_clock_set_wall only before threads start.
 */
#ifndef NX_BASE_CLOCK_H
#define NX_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t nx_wall_ns;  /* nanoseconds since 1970-01-01T00:00:00Z */
typedef uint64_t nx_mono_ns; /* monotonic nanoseconds, origin unspecified */

nx_wall_ns nx_clock_wall(void);
nx_mono_ns nx_clock_mono(void);
/* Replaces the wall clock for the whole process (NULL restores it). */
void nx_clock_set_wall(nx_wall_ns (*now)(void *ctx), void *ctx);
/* Sleeps; returns early with false when *stop becomes true (checked every 50 ms); stop may be NULL. */
bool nx_clock_sleep_ms(int64_t ms, const volatile bool *stop);

#endif
