/* io/wsd.h
 *
 * A kit for WebSocket servers on non-blocking sockets: listen, accept, the HTTP/1.1 upgrade with limits, then whole
 * messages in and queued frames out. It owns no thread and no loop: the caller watches nx_wsd_fd() (io/loop.h, or
 * poll) and calls in.
 *
 *   readable   nx_wsd_recv(); then, until upgraded: nx_wsd_request() -> nx_wsd_upgrade() or nx_wsd_refuse();
 *              afterwards: nx_wsd_next() until it is not NX_OK
 *   writable   nx_wsd_flush()
 *   always     watch for writing while nx_wsd_pending() > 0; drop the connection once nx_wsd_done()
 *
 * Bytes    A message that came as one frame is handed out in place, inside the receive buffer: its bytes stay where
 *          they are until the next nx_wsd_recv() (which moves the unread tail to the front when it needs the room,
 *          and may move the buffer). Nobody may rely on more, so that a mirrored ring can take the buffer's place.
 * Memory   Receive buffer at most message_bytes_max + recv_bytes, a message of fragments at most message_bytes_max,
 *          queue at most send_bytes_max a connection; compression as io/deflate.h says.
 * Thread   A connection belongs to one thread at a time.
 */
#ifndef NX_IO_WSD_H
#define NX_IO_WSD_H

#include "base/str.h"
#include "io/deflate.h"
#include "io/ws.h"

typedef struct nx_wsd_conn nx_wsd_conn;

typedef struct nx_wsd_opts {
    size_t request_bytes_max; /* upgrade request with its headers; 0 means 16 KiB: 431 */
    size_t message_bytes_max; /* 0 means 1 MiB: close 1009 */
    size_t recv_bytes;        /* what one recv may take; 0 means 256 KiB */
    size_t send_bytes_max;    /* queued and not yet taken by the socket; 0 means 4 MiB: NX_LIMIT */
    bool deflate;             /* take offers of permessage-deflate; what inflates past message_bytes_max: close 1009 */
    size_t deflate_bytes_min; /* messages from this size on are sent compressed where it was agreed; 0: none */
} nx_wsd_opts;

/* Binds "host:port" (a name or an IPv4 or [IPv6] address; port 0 picks a free one), listens, non-blocking. NX_EXISTS
 * when the address is in use (hint), NX_INVALID when it is none. The caller closes *ret_fd. */
NX_MUST_USE nx_status nx_wsd_listen(const char *listen, int *ret_fd, int *ret_port, nx_err *err);
/* The next waiting connection: non-blocking, TCP_NODELAY. NX_AGAIN: nobody waits. NX_IO: out of descriptors or memory
 * (retriable: the connection stays in the backlog). opts are copied; NULL means all defaults. */
NX_MUST_USE nx_status nx_wsd_accept(int listen_fd, const nx_wsd_opts *opts, nx_wsd_conn **ret, nx_err *err);
/* A connection that an HTTP server upgraded (io/httpd.h): fd, the bytes that came behind the request, and what closes
 * it instead of close() (may be NULL; called by nx_wsd_drop). On an error fd stays the caller's. */
NX_MUST_USE nx_status nx_wsd_adopt(int fd, const nx_wsd_opts *opts, nx_str early, void (*closer)(void *ctx),
                                   void *closer_ctx, nx_wsd_conn **ret, nx_err *err);
void nx_wsd_drop(nx_wsd_conn *c); /* closes the socket; may be NULL */
int nx_wsd_fd(const nx_wsd_conn *c);
const char *nx_wsd_peer(const nx_wsd_conn *c); /* "127.0.0.1:40112" */

/* Takes what the socket has, at most recv_bytes; bytes of messages handed out before may move. *ret_n (may be NULL):
 * bytes taken. NX_AGAIN: nothing there now. NX_NOTHING: the peer ended the stream. NX_REMOTE: reset. */
NX_MUST_USE nx_status nx_wsd_recv(nx_wsd_conn *c, size_t *ret_n, nx_err *err);

/* Parses the upgrade request. NX_OK: whole and valid, the look-ups below work. NX_AGAIN: more bytes are needed.
 * NX_INVALID, NX_LIMIT: no WebSocket request or too large; the fitting answer (400, 405, 426, 431) is queued and the
 * connection ends when it is flushed. */
NX_MUST_USE nx_status nx_wsd_request(nx_wsd_conn *c, nx_err *err);
nx_str nx_wsd_path(const nx_wsd_conn *c);                           /* as sent, without the query */
nx_str nx_wsd_header(const nx_wsd_conn *c, const char *lower_name); /* trimmed; p == NULL when absent */
nx_str nx_wsd_bearer(const nx_wsd_conn *c); /* token of "Authorization: Bearer ..."; p == NULL when absent */
/* What an HTTP server negotiated for an adopted connection: must come before the first nx_wsd_next() or nx_wsd_send(). */
NX_MUST_USE nx_status nx_wsd_agree(nx_wsd_conn *c, const nx_deflate_params *p, nx_err *err);
/* Queues the 101 answer; the look-ups end here (copy what you need). */
NX_MUST_USE nx_status nx_wsd_upgrade(nx_wsd_conn *c, nx_err *err);
/* Queues an HTTP answer with a JSON body {"message":...}; the connection ends when it is flushed. */
NX_MUST_USE nx_status nx_wsd_refuse(nx_wsd_conn *c, int http_status, const char *message, nx_err *err);

/* The next whole text or binary message (ret->op; ret->p is writable until the next nx_wsd_recv or nx_wsd_next of a
 * fragmented one). Pings are answered and fragments joined on the way; text is NOT checked for UTF-8 (its decoder
 * does). NX_AGAIN: no whole message left. NX_NOTHING: the peer closed (its code: nx_wsd_close_code); the answer is
 * queued. NX_INVALID, NX_LIMIT: protocol error, broken compression or too large; the close frame with its code is queued and nothing more
 * is read. */
NX_MUST_USE nx_status nx_wsd_next(nx_wsd_conn *c, nx_ws_frame *ret, nx_err *err);
int nx_wsd_close_code(const nx_wsd_conn *c); /* the peer's code; 1005 without one, 0 before */

/* Queues a frame. NX_LIMIT: the peer reads too slowly, nothing was queued; NX_CANCELLED after a close frame or
 * refusal was queued. */
NX_MUST_USE nx_status nx_wsd_send(nx_wsd_conn *c, nx_ws_op op, nx_str payload, nx_err *err);
/* Queues a close frame (reason cut to 123 bytes) once; afterwards nothing else is sent. */
NX_MUST_USE nx_status nx_wsd_close(nx_wsd_conn *c, int code, const char *reason, nx_err *err);
/* Writes what the socket takes. NX_OK: all gone; NX_AGAIN: some is left, wait until writable; NX_REMOTE: reset. */
NX_MUST_USE nx_status nx_wsd_flush(nx_wsd_conn *c, nx_err *err);
size_t nx_wsd_pending(const nx_wsd_conn *c); /* bytes queued */
/* True when the connection has nothing more to do: ended by the peer, or our last word (refusal, close) is flushed. */
bool nx_wsd_done(const nx_wsd_conn *c);

#endif
