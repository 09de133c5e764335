/* io/wsc_int.h - the client connection as its files see it. */
#ifndef NX_IO_WSC_INT_H
#define NX_IO_WSC_INT_H

#include <openssl/ssl.h>

#include "base/rand.h"
#include "io/deflate.h"
#include "io/io_int.h"
#include "io/wsc.h"

struct nx_wsc {
    int fd;
    SSL_CTX *ssl_ctx; /* NULL: plain TCP */
    SSL *ssl;
    BIO_METHOD *bio_method;
    char peer[300]; /* host:port, for errors */
    nx__rbuf in;
    nx_buf out;
    size_t out_at; /* bytes of out that the socket took */
    nx_buf joined;
    nx_ws_op joined_op;
    bool joining, joined_deflated, closing, ended;
    nx_deflate *deflate; /* NULL: not agreed */
    bool offer_deflate;
    size_t deflate_bytes_min;
    int close_code;
    size_t message_bytes_max;
    nx_mono_ns heard_at;
    nx_rand rand; /* frame masks */
};

/* Bytes through TLS or not. NX_OK with *ret_n > 0; NX_AGAIN; NX_NOTHING: the stream ended (read); NX_REMOTE. */
nx_status nx__wsc_read(nx_wsc *c, void *p, size_t n, size_t *ret_n, nx_err *err);
nx_status nx__wsc_write(nx_wsc *c, const void *p, size_t n, size_t *ret_n, nx_err *err);
/* TLS handshake on the connected socket. */
nx_status nx__wsc_tls(nx_wsc *c, const char *host, const char *ca_file, nx_mono_ns deadline, const volatile bool *stop,
                      nx_err *err);
void nx__wsc_tls_drop(nx_wsc *c);

#endif
