/* io/wsc.h
 *
 * WebSocket client: ws:// over TCP, wss:// over TLS (OpenSSL, peer and host name verified). Blocking calls with a
 * time limit and a stop flag, or pipelined: nx_wsc_queue() without waiting, nx_wsc_pump() now and then, nx_wsc_recv()
 * with timeout 0. While a call waits to write it also reads, so that a peer whose answers nobody has taken yet cannot
 * lock both sides up (up to recv_bytes_max).
 * Thread   A client belongs to one thread.
 */
#ifndef NX_IO_WSC_H
#define NX_IO_WSC_H

#include "base/clock.h"
#include "base/str.h"
#include "io/ws.h"

typedef struct nx_wsc nx_wsc;

typedef struct nx_wsc_opts {
    const char *url;            /* "ws://host:port/path?query", "wss://..." */
    const char *const *headers; /* "Name: value", NULL-terminated; may be NULL */
    int connect_timeout_ms;     /* name, TCP, TLS and upgrade together; 0 means 10,000 */
    size_t message_bytes_max;   /* 0 means 16 MiB: NX_LIMIT */
    size_t recv_bytes_max;      /* bytes held that nobody took; 0 means message_bytes_max + 16 MiB */
    size_t send_bytes_max;      /* queue; 0 means 16 MiB */
    const char *ca_file;        /* NULL means the system's */
    bool deflate;               /* offer permessage-deflate; what inflates past message_bytes_max: NX_LIMIT */
    size_t deflate_bytes_min;   /* messages from this size on are sent compressed where it was agreed; 0: none */
} nx_wsc_opts;

/* Connects and upgrades. NX_INVALID: the URL; NX_REMOTE: not reachable, time over (retriable), TLS or upgrade refused
 * (an HTTP status of 4xx: not retriable; see nx_err text); NX_CANCELLED: *stop became true (may be NULL). Errors
 * never show headers or query. */
NX_MUST_USE nx_status nx_wsc_connect(const nx_wsc_opts *opts, const volatile bool *stop, nx_wsc **ret, nx_err *err);
void nx_wsc_drop(nx_wsc *c); /* closes without a word; may be NULL */

/* Queues a frame and writes all that is queued. NX_AGAIN: time over, the rest stays queued; NX_REMOTE; NX_CANCELLED;
 * NX_LIMIT: payload larger than the queue. */
NX_MUST_USE nx_status nx_wsc_send(nx_wsc *c, nx_ws_op op, nx_str payload, int64_t timeout_ms, const volatile bool *stop,
                                  nx_err *err);
/* Only queues. NX_LIMIT when send_bytes_max would be passed: nothing was queued, call nx_wsc_pump and try again. */
NX_MUST_USE nx_status nx_wsc_queue(nx_wsc *c, nx_ws_op op, nx_str payload, nx_err *err);
/* Writes queued bytes and reads what came, waiting at most timeout_ms (0: not at all, -1: for ever) for the queue to
 * be empty. NX_OK: queue empty; NX_AGAIN: not yet; NX_REMOTE: connection lost; NX_CANCELLED. */
NX_MUST_USE nx_status nx_wsc_pump(nx_wsc *c, int64_t timeout_ms, const volatile bool *stop, nx_err *err);
size_t nx_wsc_queued(const nx_wsc *c); /* bytes not yet taken by the socket */

/* The next whole text or binary message; ret->p stays until the next call on c. Pings are answered, pongs noted,
 * fragments joined. Waits at most timeout_ms (0: not at all). NX_AGAIN: nothing in that time. NX_NOTHING: the peer
 * closed properly (nx_wsc_close_code). NX_REMOTE (retriable): lost without a close frame. NX_INVALID, NX_LIMIT: the
 * peer broke the protocol or the limit. NX_CANCELLED. */
NX_MUST_USE nx_status nx_wsc_recv(nx_wsc *c, int64_t timeout_ms, const volatile bool *stop, nx_ws_frame *ret,
                                  nx_err *err);
/* The peer's code; 1005 when the close frame had none, 1006 when lost without one, 0 while open. */
int nx_wsc_close_code(const nx_wsc *c);
nx_mono_ns nx_wsc_heard_at(const nx_wsc *c); /* when bytes of any kind came last: a silent peer may be dead */
/* Writes a close frame, waits for the peer's (data on the way is thrown away). NX_OK also when the peer just ends. */
NX_MUST_USE nx_status nx_wsc_close(nx_wsc *c, int code, int64_t timeout_ms, nx_err *err);
bool nx_wsc_deflates(const nx_wsc *c); /* whether permessage-deflate was agreed */

#endif
