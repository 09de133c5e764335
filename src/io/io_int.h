/* io/io_int.h - what the files of this module share. */
#ifndef NX_IO_INT_H
#define NX_IO_INT_H

#include <sys/types.h>

#include "base/clock.h"
#include "base/str.h"
#include "io/ws.h"

/* The close code that a message which does not inflate gets. */
static inline int nx__inflate_close(nx_status st)
{
    return st == NX_LIMIT ? NX_WS_CLOSE_TOO_BIG : st == NX_INVALID ? NX_WS_CLOSE_BAD_DATA : NX_WS_CLOSE_INTERNAL;
}

/* Milliseconds left until a monotonic deadline, never negative. NX__FOREVER stays for ever (-1 for poll). */
#define NX__FOREVER UINT64_MAX
nx_mono_ns nx__deadline(int64_t timeout_ms);
int nx__poll_ms(nx_mono_ns deadline);

/* Binds and listens on "host:port" (see nx_wsd_listen). */
NX_MUST_USE nx_status nx__net_listen(const char *listen, int *ret_fd, int *ret_port, nx_err *err);
/* Connects to host and port until the deadline: non-blocking socket, TCP_NODELAY. NX_REMOTE (retriable),
 * NX_CANCELLED. */
NX_MUST_USE nx_status nx__net_connect(const char *host, const char *port, nx_mono_ns deadline,
                                      const volatile bool *stop, int *ret_fd, nx_err *err);
/* Waits for events (poll's bits) on fd. NX_OK with *ret_events; NX_AGAIN: time over; NX_CANCELLED. */
NX_MUST_USE nx_status nx__net_wait(int fd, short events, nx_mono_ns deadline, const volatile bool *stop,
                                   short *ret_events);
NX_MUST_USE nx_status nx__net_setup(int fd, nx_err *err); /* non-blocking, close-on-exec, TCP_NODELAY */

/* A receive buffer: bytes[head, tail) are unread. Made so that a mirrored ring can take its place: users see only a
 * contiguous unread stretch that stays where it is until nx__rbuf_room(). */
typedef struct nx__rbuf {
    char *p;
    size_t head, tail, cap, max;
} nx__rbuf;
/* Room for at least one and at most want bytes behind tail, moving the unread bytes to the front. NX_LIMIT: the
 * maximum is unread. */
NX_MUST_USE nx_status nx__rbuf_room(nx__rbuf *r, size_t want, size_t *ret_room);
void nx__rbuf_drop(nx__rbuf *r);

/* Finds a header in "Name: value\r\n" lines (case does not matter); p == NULL when absent. */
nx_str nx__header_find(nx_str lines, const char *lower_name);
/* True when a comma-separated header value holds the word. */
bool nx__header_has(nx_str value, const char *word);

#endif
