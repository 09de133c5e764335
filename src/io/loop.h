/* io/loop.h
 *
 * An event loop over epoll: sockets that became ready, timers, and a wake-up from other threads. Callbacks run in the
 * thread that runs the loop; they may add, change and remove sockets and timers, their own included.
 * Thread   One thread runs a loop and calls everything here; only nx_loop_wake and nx_loop_stop may be called from
 *          others.
 */
#ifndef NX_IO_LOOP_H
#define NX_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct nx_loop nx_loop;

enum { NX_LOOP_READ = 1, NX_LOOP_WRITE = 2 };

/* events: NX_LOOP_READ and NX_LOOP_WRITE bits that are ready. Errors and hang-ups come as NX_LOOP_READ: the read
 * tells. */
typedef void (*nx_loop_fd_fn)(void *ctx, int fd, unsigned events);
typedef void (*nx_loop_fn)(void *ctx);

NX_MUST_USE nx_status nx_loop_new(nx_loop **ret, nx_err *err);
void nx_loop_drop(nx_loop *l); /* closes no socket of the caller's; may be NULL */

/* Watches fd (level-triggered) for the events; 0 watches for errors only. NX_EXISTS when it is watched already. */
NX_MUST_USE nx_status nx_loop_add(nx_loop *l, int fd, unsigned events, nx_loop_fd_fn fn, void *ctx, nx_err *err);
/* Changes the events of a watched fd. NX_NOT_FOUND. */
NX_MUST_USE nx_status nx_loop_set(nx_loop *l, int fd, unsigned events, nx_err *err);
/* No callback for fd after this returned. Call it before close(fd). Not watched: nothing happens. */
void nx_loop_remove(nx_loop *l, int fd);

/* Calls fn after delay_ms, then every repeat_ms (0: once). *ret_id (may be NULL) cancels it. */
NX_MUST_USE nx_status nx_loop_timer(nx_loop *l, int64_t delay_ms, int64_t repeat_ms, nx_loop_fn fn, void *ctx,
                                    uint64_t *ret_id, nx_err *err);
void nx_loop_cancel(nx_loop *l, uint64_t id); /* unknown or spent: nothing happens */

/* What nx_loop_wake runs; several wake-ups before it ran are one. */
void nx_loop_on_wake(nx_loop *l, nx_loop_fn fn, void *ctx);
void nx_loop_wake(nx_loop *l); /* any thread, async-signal-safe */
/* Makes nx_loop_run return after the current callback; any thread, async-signal-safe. Sticky. */
void nx_loop_stop(nx_loop *l);

/* Runs until nx_loop_stop. NX_IO when the kernel refuses. */
NX_MUST_USE nx_status nx_loop_run(nx_loop *l, nx_err *err);
/* One round: waits up to timeout_ms (-1: until something happens) and runs what is ready. */
NX_MUST_USE nx_status nx_loop_once(nx_loop *l, int64_t timeout_ms, nx_err *err);

#endif
