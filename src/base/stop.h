/* base/stop.h
 *
 * A request to end: one byte that a signal handler or any thread sets once, and that long work looks at. Whoever takes a
 * `const volatile bool *stop` accepts NULL (never asked), looks at least every 50 ms while it waits, and ends whole.
 * Thread   Any; the two functions are safe in signal handlers.
 */
#ifndef NX_BASE_STOP_H
#define NX_BASE_STOP_H

#include <stdbool.h>
#include <stddef.h>

static inline bool nx_stop_asked(const volatile bool *stop)
{
    return stop != NULL && __atomic_load_n(stop, __ATOMIC_ACQUIRE);
}

static inline void nx_stop_ask(volatile bool *stop)
{
    __atomic_store_n(stop, true, __ATOMIC_RELEASE);
}

#endif
