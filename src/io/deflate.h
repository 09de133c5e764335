/* io/deflate.h
 *
 * permessage-deflate (RFC 7692) without sockets: negotiation, and one connection's two directions. Frames are in ws.h, connections in wsd.h
 * and wsc.h.
 * Memory   A direction is set up when its first message comes: receiving takes 40 KiB, sending some 260 KiB. What inflates stops at the
 *          maximum of the buffer it goes into.
 * Thread   One owner at a time.
 */
#ifndef NX_IO_DEFLATE_H
#define NX_IO_DEFLATE_H

#include "base/str.h"

/* What the two sides agreed on. */
typedef struct nx_deflate_params {
    bool on;                                   /* false: nothing else counts */
    bool server_no_context, client_no_context; /* that side begins each message with an empty window */
    int server_bits, client_bits;              /* that side's window: 8 to 15 */
} nx_deflate_params;

enum { NX_DEFLATE_ANSWER_MAX = 192 };
/* What a client of ours offers: any window, context kept in both directions. */
#define NX_DEFLATE_OFFER "permessage-deflate; client_max_window_bits"

/* Server: takes the first offer that can be kept in the value of a request's Sec-WebSocket-Extensions. True: *ret, and answer is what the same
 * header of the response says. False: there is none; the connection goes on without. */
bool nx_deflate_accept(nx_str value, nx_deflate_params *ret, char answer[NX_DEFLATE_ANSWER_MAX]);
/* The same for all header lines of a request ("Name: value\r\n"), where the header may be there more than once. */
bool nx_deflate_accept_lines(nx_str lines, nx_deflate_params *ret, char answer[NX_DEFLATE_ANSWER_MAX]);
/* Client: checks what the server says to NX_DEFLATE_OFFER. NULL: fine, *ret; else why the connection cannot go on, a constant text. */
const char *nx_deflate_check(nx_str answer, nx_deflate_params *ret);

typedef struct nx_deflate nx_deflate;
NX_MUST_USE nx_status nx_deflate_new(const nx_deflate_params *p, bool server, nx_deflate **ret, nx_err *err);
void nx_deflate_drop(nx_deflate *z); /* NULL is fine */

/* Appends what the next part of a message inflates to; last: the message ends with it. NX_LIMIT: out would pass its maximum; NX_INVALID: it is
 * no deflate stream, or ends within a block. After an error no more can be received. */
NX_MUST_USE nx_status nx_deflate_take(nx_deflate *z, nx_str part, bool last, nx_buf *out, nx_err *err);
/* A whole message compressed: *ret lives until the next call. NX_NOTHING: it would not be smaller, or the agreed window is none that
 * can be made here (8): send it as it is. When *ret cannot be sent after all, nx_deflate_unsent() must follow. */
NX_MUST_USE nx_status nx_deflate_give(nx_deflate *z, nx_str message, nx_str *ret, nx_err *err);
void nx_deflate_unsent(nx_deflate *z);

#endif
