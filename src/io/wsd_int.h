/* io/wsd_int.h - the server connection as its two files see it. */
#ifndef NX_IO_WSD_INT_H
#define NX_IO_WSD_INT_H

#include "io/io_int.h"
#include "io/wsd.h"

struct nx_wsd_conn {
    int fd;
    nx_wsd_opts opts;
    char peer[64];
    nx__rbuf in;
    nx_buf out;
    size_t out_at; /* bytes of out that the socket took */
    nx_buf joined; /* fragments of the message under way */
    nx_ws_op joined_op;
    bool joining, joined_deflated;
    nx_deflate *deflate; /* NULL: not agreed */
    bool upgraded;
    bool ending; /* our last word is queued: nothing is read or queued any more */
    bool ended;  /* the peer ended the stream or the connection is broken */
    int close_code;
    size_t request_n; /* of a parsed request: bytes, blank line included */
    nx_str path, headers, key;
    void (*closer)(void *ctx); /* closes the socket instead of close() */
    void *closer_ctx;
};

#endif
