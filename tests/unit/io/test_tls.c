/* The client over TLS: a good certificate, one for another name, one nobody knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "io/wsc.h"

typedef struct tls_server {
    SSL_CTX *ctx;
    int fd, port;
    char ca[64];
    pthread_t thread;
} tls_server;

static void make_certificate(tls_server *s)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    X509V3_CTX v3;
    X509V3_set_ctx(&v3, x, x, NULL, NULL, 0);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, &v3, NID_subject_alt_name, "DNS:localhost");
    X509_add_ext(x, san, -1);
    X509_EXTENSION_free(san);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    snprintf(s->ca, sizeof s->ca, "/tmp/nexus-ca-XXXXXX");
    int fd = mkstemp(s->ca);
    FILE *f = fdopen(fd, "w");
    assert_int_equal(PEM_write_X509(f, x), 1);
    fclose(f);
    s->ctx = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(s->ctx, x), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, key), 1);
    X509_free(x);
    EVP_PKEY_free(key);
}

/* One connection: upgrade, echo one unmasked text frame of what came (at most 125 bytes). A handshake that fails ends
 * it. */
static void tls_serve_one(tls_server *s)
{
    int fd = accept(s->fd, NULL, NULL);
    SSL *ssl = SSL_new(s->ctx);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
        char request[2048];
        int n = 0, k;
        while (memmem(request, (size_t)n, "\r\n\r\n", 4) == NULL && (k = SSL_read(ssl, request + n, 1)) == 1)
            n++;
        const char *key = memmem(request, (size_t)n, "Sec-WebSocket-Key: ", 19);
        char accept_text[29], answer[256];
        nx_ws_accept((nx_str){key + 19, 24}, accept_text);
        n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 101 ok\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: %s\r\n\r\n",
                     accept_text);
        assert_int_equal(SSL_write(ssl, answer, n), n);
        char frame[256];
        k = SSL_read(ssl, frame, sizeof frame);
        assert_true(k > 6);
        nx_ws_frame f;
        size_t at = 0, need;
        int code;
        nx_ws_limits lim = {.message_bytes_max = 1000, .expect_masked = true};
        assert_int_equal(nx_ws_next(frame, (size_t)k, &at, &lim, &f, &need, &code, NULL), NX_OK);
        answer[0] = (char)0x81;
        answer[1] = (char)f.n;
        memcpy(answer + 2, f.p, f.n);
        SSL_write(ssl, answer, (int)f.n + 2);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
}

static void *tls_serve(void *arg)
{
    for (int i = 0; i < 3; i++)
        tls_serve_one(arg);
    return NULL;
}

static void tls(void **state)
{
    (void)state;
    tls_server s = {0};
    nx_err err = {0};
    make_certificate(&s);
    s.fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t an = sizeof a;
    assert_int_equal(bind(s.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s.fd, 8), 0);
    assert_int_equal(getsockname(s.fd, (struct sockaddr *)&a, &an), 0);
    assert_int_equal(pthread_create(&s.thread, NULL, tls_serve, &s), 0);
    char url[64];
    nx_wsc *c;
    nx_ws_frame f;
    snprintf(url, sizeof url, "wss://localhost:%d/v2/sip", ntohs(a.sin_port));
    nx_wsc_opts o = {.url = url, .ca_file = s.ca, .connect_timeout_ms = 60000};
    assert_int_equal(nx_wsc_connect(&o, NULL, &c, &err), NX_OK);
    assert_int_equal(nx_wsc_send(c, NX_WS_TEXT, NX_STR("over TLS"), 60000, NULL, &err), NX_OK);
    assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_OK);
    assert_true(f.n == 8 && memcmp(f.p, "over TLS", 8) == 0);
    assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_REMOTE); /* ended without a close frame */
    assert_int_equal(nx_wsc_close_code(c), 1006);
    nx_wsc_drop(c);
    snprintf(url, sizeof url, "wss://127.0.0.1:%d/", ntohs(a.sin_port)); /* a name the certificate does not hold */
    assert_int_equal(nx_wsc_connect(&o, NULL, &c, &err), NX_REMOTE);
    assert_non_null(strstr(err.text, "certificate"));
    snprintf(url, sizeof url, "wss://localhost:%d/", ntohs(a.sin_port));
    o.ca_file = NULL; /* the system does not know this authority */
    assert_int_equal(nx_wsc_connect(&o, NULL, &c, &err), NX_REMOTE);
    assert_false(err.retriable);
    pthread_join(s.thread, NULL);
    close(s.fd);
    SSL_CTX_free(s.ctx);
    unlink(s.ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tls)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
