/* io/ws.h
 *
 * WebSocket framing (RFC 6455) without sockets: a bulk deframer for the server's hot path, frame writers, the upgrade
 * handshake's texts. Socket loops are in wsd.h (server) and wsc.h (client).
 * Thread   No shared state.
 */
#ifndef NX_IO_WS_H
#define NX_IO_WS_H

#include "base/str.h"

typedef enum nx_ws_op {
    NX_WS_CONT = 0,
    NX_WS_TEXT = 1,
    NX_WS_BINARY = 2,
    NX_WS_CLOSE = 8,
    NX_WS_PING = 9,
    NX_WS_PONG = 10
} nx_ws_op;

/* Close codes of RFC 6455 section 7.4.1 that we send. */
enum {
    NX_WS_CLOSE_NORMAL = 1000,
    NX_WS_CLOSE_GOING_AWAY = 1001,
    NX_WS_CLOSE_PROTOCOL = 1002,
    NX_WS_CLOSE_UNSUPPORTED = 1003,
    NX_WS_CLOSE_BAD_DATA = 1007,
    NX_WS_CLOSE_POLICY = 1008,
    NX_WS_CLOSE_TOO_BIG = 1009,
    NX_WS_CLOSE_INTERNAL = 1011,
    NX_WS_CLOSE_TRY_LATER = 1013
};

typedef struct nx_ws_frame {
    nx_ws_op op;
    bool fin;
    bool deflated; /* bit RSV1: the message that begins here is compressed */
    char *p;       /* payload, unmasked in place */
    size_t n;
} nx_ws_frame;

typedef struct nx_ws_limits {
    size_t message_bytes_max; /* of a whole message, fragments together */
    bool expect_masked;       /* server side: true */
    bool deflate;             /* permessage-deflate was agreed: RSV1 may stand at the first frame of a message */
} nx_ws_limits;

/* Takes the next whole frame from bytes[*at, n): unmasks it in place (and clears its key, so the bytes can be read
 * again), moves *at past it. NX_OK; NX_AGAIN when the frame is not whole yet (*need: bytes that must be there from
 * *at); NX_INVALID with the close code in *ret_close (1002 or 1009) and the reason in err. Control frames are checked
 * (fin, at most 125 bytes). */
NX_MUST_USE nx_status nx_ws_next(char *bytes, size_t n, size_t *at, const nx_ws_limits *lim, nx_ws_frame *ret,
                                 size_t *need, int *ret_close, nx_err *err);
/* Reads a close frame: *ret_code is the peer's (1005 without one). Returns the code to answer with: the same (0: none), or 1002 for half a code or
 * one that may not be sent, 1007 for a reason that is not UTF-8. */
int nx_ws_close_answer(const nx_ws_frame *f, int *ret_code);
/* Appends one frame; mask NULL: not masked (server), else 4 bytes (client). */
NX_MUST_USE nx_status nx_ws_write(nx_buf *b, nx_ws_op op, bool fin, nx_str payload, const unsigned char *mask);
/* The same for a whole message that was compressed (io/deflate.h): with RSV1. */
NX_MUST_USE nx_status nx_ws_write_deflated(nx_buf *b, nx_ws_op op, nx_str packed, const unsigned char *mask);
/* XORs the mask over p, starting at mask byte `phase & 3`. */
void nx_ws_mask(char *p, size_t n, const unsigned char mask[4], size_t phase);
/* Sec-WebSocket-Accept of a key (RFC 6455 section 4.2.2): 28 characters and a 0. */
void nx_ws_accept(nx_str key, char out[29]);

#endif
