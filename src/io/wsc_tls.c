#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include "io/wsc_int.h"

/* A socket BIO that writes with MSG_NOSIGNAL: OpenSSL's own would raise SIGPIPE. */
static int bio_write(BIO *b, const char *p, int n)
{
    nx_wsc *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t k = send(c->fd, p, (size_t)n, MSG_NOSIGNAL);
    if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_write(b);
    return (int)k;
}

static int bio_read(BIO *b, char *p, int n)
{
    nx_wsc *c = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    ssize_t k = recv(c->fd, p, (size_t)n, 0);
    if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        BIO_set_retry_read(b);
    return (int)k;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
    (void)b;
    (void)num;
    (void)ptr;
    return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static nx_status fail_tls(nx_wsc *c, nx_err *err, const char *what)
{
    char why[160] = "connection lost";
    unsigned long e = ERR_get_error();
    long verified = c->ssl == NULL ? X509_V_OK : SSL_get_verify_result(c->ssl);
    if (verified != X509_V_OK)
        return nx_fail(err, NX_REMOTE, "could not %s %s: certificate refused: %s", what, c->peer,
                       X509_verify_cert_error_string(verified));
    if (e != 0)
        ERR_error_string_n(e, why, sizeof why);
    nx_fail(err, NX_REMOTE, "could not %s %s: %s", what, c->peer, why);
    if (err != NULL)
        err->retriable = e == 0;
    return NX_REMOTE;
}

static nx_status make_session(nx_wsc *c, const char *host, const char *ca_file, nx_err *err)
{
    c->ssl_ctx = SSL_CTX_new(TLS_client_method());
    c->bio_method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "nexus socket");
    if (c->ssl_ctx == NULL || c->bio_method == NULL)
        return nx_nomem(err);
    BIO_meth_set_write(c->bio_method, bio_write);
    BIO_meth_set_read(c->bio_method, bio_read);
    BIO_meth_set_ctrl(c->bio_method, bio_ctrl);
    SSL_CTX_set_min_proto_version(c->ssl_ctx, TLS1_2_VERSION);
    SSL_CTX_set_verify(c->ssl_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(c->ssl_ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int ok = ca_file != NULL ? SSL_CTX_load_verify_locations(c->ssl_ctx, ca_file, NULL)
                             : SSL_CTX_set_default_verify_paths(c->ssl_ctx);
    if (ok != 1)
        return nx_fail(err, NX_INVALID, "could not load the certificates of %s",
                       ca_file == NULL ? "the system" : ca_file);
    c->ssl = SSL_new(c->ssl_ctx);
    BIO *bio = BIO_new(c->bio_method);
    if (c->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        return nx_nomem(err);
    }
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(c->ssl, bio, bio);
    X509_VERIFY_PARAM *param = SSL_get0_param(c->ssl);
    bool is_ip = X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
    if (!is_ip && (SSL_set1_host(c->ssl, host) != 1 || SSL_set_tlsext_host_name(c->ssl, host) != 1))
        return nx_nomem(err);
    return NX_OK;
}

nx_status nx__wsc_tls(nx_wsc *c, const char *host, const char *ca_file, nx_mono_ns deadline, const volatile bool *stop,
                      nx_err *err)
{
    NX_TRY(make_session(c, host, ca_file, err));
    for (;;) {
        ERR_clear_error();
        int rc = SSL_connect(c->ssl);
        if (rc == 1)
            return NX_OK;
        int why = SSL_get_error(c->ssl, rc);
        if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
            return fail_tls(c, err, "agree on TLS with");
        short events;
        nx_status st = nx__net_wait(c->fd, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline, stop, &events);
        if (st == NX_CANCELLED)
            return nx_fail(err, st, "stopped while connecting to %s", c->peer);
        if (st != NX_OK) {
            nx_fail(err, NX_REMOTE, "could not agree on TLS with %s: time over", c->peer);
            if (err != NULL)
                err->retriable = true;
            return NX_REMOTE;
        }
    }
}

void nx__wsc_tls_drop(nx_wsc *c)
{
    SSL_free(c->ssl); /* frees the BIO too */
    SSL_CTX_free(c->ssl_ctx);
    BIO_meth_free(c->bio_method);
    c->ssl = NULL;
    c->ssl_ctx = NULL;
    c->bio_method = NULL;
}

static nx_status lost(nx_wsc *c, nx_err *err)
{
    nx_status st = nx_fail_sys(err, NX_REMOTE, "connection to %s lost", c->peer);
    if (err != NULL)
        err->retriable = true;
    return st;
}

/* What a TLS call that did not succeed means. */
static nx_status after_tls(nx_wsc *c, int rc, bool reading, nx_err *err)
{
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return NX_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return NX_NOTHING;
    default:
        if (reading && ERR_peek_error() == 0 && errno == 0)
            return NX_NOTHING; /* ended without TLS's farewell: WebSocket's close frame is what counts */
        return fail_tls(c, err, reading ? "read from" : "write to");
    }
}

nx_status nx__wsc_read(nx_wsc *c, void *p, size_t n, size_t *ret_n, nx_err *err)
{
    if (c->ssl != NULL) {
        ERR_clear_error();
        errno = 0;
        int rc = SSL_read_ex(c->ssl, p, n, ret_n);
        return rc == 1 ? NX_OK : after_tls(c, rc, true, err);
    }
    ssize_t k = recv(c->fd, p, n, 0);
    if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return NX_AGAIN;
    if (k < 0)
        return lost(c, err);
    *ret_n = (size_t)k;
    return k == 0 ? NX_NOTHING : NX_OK;
}

nx_status nx__wsc_write(nx_wsc *c, const void *p, size_t n, size_t *ret_n, nx_err *err)
{
    if (c->ssl != NULL) {
        ERR_clear_error();
        int rc = SSL_write_ex(c->ssl, p, n, ret_n);
        return rc == 1 ? NX_OK : after_tls(c, rc, false, err);
    }
    ssize_t k = send(c->fd, p, n, MSG_NOSIGNAL);
    if (k < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return NX_AGAIN;
    if (k < 0)
        return lost(c, err);
    *ret_n = (size_t)k;
    return NX_OK;
}
