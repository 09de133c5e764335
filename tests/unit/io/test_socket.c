/* Server kit, client and loop together over loopback: an echo server in a thread, hostile peers over plain sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "io/loop.h"
#include "io/wsc.h"
#include "io/wsd.h"

/* ------------------------------------------------------------------ an echo server on the loop */

typedef struct server server;
typedef struct peer {
    server *s;
    nx_wsd_conn *c;
    bool up;
} peer;

struct server {
    nx_loop *loop;
    int fd, port;
    nx_wsd_opts opts;
    pthread_t thread;
    peer peers[64];
    int last_close; /* code of the last peer that closed */
    char path[64], token[64];
};

static void drop_peer(peer *p)
{
    if (nx_wsd_close_code(p->c) != 0)
        p->s->last_close = nx_wsd_close_code(p->c);
    nx_loop_remove(p->s->loop, nx_wsd_fd(p->c));
    nx_wsd_drop(p->c);
    p->c = NULL;
}

/* Upgrades; path /no is refused. */
static nx_status greet(peer *p, nx_err *err)
{
    NX_TRY(nx_wsd_request(p->c, err));
    server *s = p->s;
    nx_str token = nx_wsd_bearer(p->c);
    snprintf(s->path, sizeof s->path, NX_STR_FMT, NX_STR_ARG(nx_wsd_path(p->c)));
    snprintf(s->token, sizeof s->token, NX_STR_FMT, (int)token.n, token.p == NULL ? "" : token.p);
    if (nx_str_is(nx_wsd_path(p->c), "/no"))
        return nx_wsd_refuse(p->c, 404, "no such path", err);
    NX_TRY(nx_wsd_upgrade(p->c, err));
    p->up = true;
    return NX_OK;
}

static void on_peer(void *ctx, int fd, unsigned events)
{
    peer *p = ctx;
    nx_err err = {0};
    nx_status st = NX_OK;
    if ((events & NX_LOOP_READ) != 0) {
        nx_ws_frame f;
        st = nx_wsd_recv(p->c, NULL, &err);
        if (st == NX_OK && !p->up)
            st = greet(p, &err);
        while (st == NX_OK && p->up && (st = nx_wsd_next(p->c, &f, &err)) == NX_OK)
            if (nx_wsd_send(p->c, f.op, (nx_str){f.p, f.n}, &err) == NX_LIMIT)
                nx_loop_stop(p->s->loop); /* the tests never let it come to this */
    }
    st = nx_wsd_flush(p->c, &err);
    if (nx_wsd_done(p->c)) {
        drop_peer(p);
        return;
    }
    unsigned want = (nx_wsd_pending(p->c) < 1 << 20 ? NX_LOOP_READ : 0u) | (st == NX_AGAIN ? NX_LOOP_WRITE : 0u);
    assert_int_equal(nx_loop_set(p->s->loop, fd, want, &err), NX_OK);
}

static void on_listen(void *ctx, int fd, unsigned events)
{
    server *s = ctx;
    nx_err err = {0};
    nx_wsd_conn *c;
    (void)events;
    while (nx_wsd_accept(fd, &s->opts, &c, &err) == NX_OK) {
        size_t i = 0;
        while (s->peers[i].c != NULL)
            i++;
        s->peers[i] = (peer){s, c, false};
        assert_int_equal(nx_loop_add(s->loop, nx_wsd_fd(c), NX_LOOP_READ, on_peer, &s->peers[i], &err), NX_OK);
    }
}

static void *serve(void *arg)
{
    server *s = arg;
    nx_err err = {0};
    assert_int_equal(nx_loop_run(s->loop, &err), NX_OK);
    return NULL;
}

static server *start(const nx_wsd_opts *opts)
{
    server *s = calloc(1, sizeof *s);
    nx_err err = {0};
    if (opts != NULL)
        s->opts = *opts;
    assert_int_equal(nx_wsd_listen("127.0.0.1:0", &s->fd, &s->port, &err), NX_OK);
    assert_int_equal(nx_loop_new(&s->loop, &err), NX_OK);
    assert_int_equal(nx_loop_add(s->loop, s->fd, NX_LOOP_READ, on_listen, s, &err), NX_OK);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    return s;
}

static void stop(server *s)
{
    nx_loop_stop(s->loop);
    pthread_join(s->thread, NULL);
    for (size_t i = 0; i < NX_COUNT_OF(s->peers); i++)
        if (s->peers[i].c != NULL)
            drop_peer(&s->peers[i]);
    nx_loop_drop(s->loop);
    close(s->fd);
    free(s);
}

static nx_status dial(server *s, const char *path, nx_wsc **c, nx_err *err)
{
    static const char *const headers[] = {"Authorization: Bearer tok-1", NULL};
    char url[128];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d%s", s->port, path);
    nx_wsc_opts o = {.url = url, .headers = headers, .connect_timeout_ms = 60000};
    return nx_wsc_connect(&o, NULL, c, err);
}

/* ------------------------------------------------------------------ tests */

static void echo(void **state)
{
    (void)state;
    server *s = start(NULL);
    nx_wsc *c;
    nx_err err = {0};
    nx_ws_frame f;
    assert_int_equal(dial(s, "/ws/market-data?x=1", &c, &err), NX_OK);
    assert_int_equal(nx_wsc_recv(c, 0, NULL, &f, &err), NX_AGAIN);
    static const size_t sizes[] = {0, 5, 125, 126, 65536, 300000};
    for (size_t i = 0; i < NX_COUNT_OF(sizes); i++) {
        char *text = malloc(sizes[i] + 1);
        memset(text, 'a' + (int)i, sizes[i]);
        assert_int_equal(nx_wsc_send(c, NX_WS_BINARY, (nx_str){text, sizes[i]}, 60000, NULL, &err), NX_OK);
        assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_OK);
        assert_true(f.op == NX_WS_BINARY && f.n == sizes[i]);
        assert_memory_equal(f.p, text, sizes[i]);
        free(text);
    }
    assert_int_equal(nx_wsc_send(c, NX_WS_PING, NX_STR("are you there"), 60000, NULL, &err), NX_OK);
    assert_int_equal(nx_wsc_send(c, NX_WS_TEXT, NX_STR("after"), 60000, NULL, &err), NX_OK);
    assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_OK); /* the pong is not a message */
    assert_memory_equal(f.p, "after", 5);
    assert_int_equal(nx_wsc_close(c, NX_WS_CLOSE_NORMAL, 60000, &err), NX_OK);
    assert_int_equal(nx_wsc_close_code(c), 1000);
    nx_wsc_drop(c);
    assert_string_equal(s->path, "/ws/market-data");
    assert_string_equal(s->token, "tok-1");
    stop(s);
}

/* 50,000 frames without waiting, echoes taken in between: nothing is lost, nothing locks up. */
static void pipelined(void **state)
{
    (void)state;
    enum { FRAMES = 50000 };
    server *s = start(NULL);
    nx_wsc *c;
    nx_err err = {0};
    nx_ws_frame f;
    assert_int_equal(dial(s, "/", &c, &err), NX_OK);
    size_t got = 0;
    for (size_t i = 0; i < FRAMES; i++) {
        char text[300];
        int n = snprintf(text, sizeof text, "%zu:%*s", i, (int)(i % 250), "");
        nx_status st;
        while ((st = nx_wsc_queue(c, NX_WS_TEXT, (nx_str){text, (size_t)n}, &err)) == NX_LIMIT)
            assert_int_equal(nx_wsc_pump(c, 60000, NULL, &err), NX_OK);
        assert_int_equal(st, NX_OK);
        if (i % 1000 == 0)
            st = nx_wsc_pump(c, 0, NULL, &err);
        assert_true(st == NX_OK || st == NX_AGAIN);
        while ((i % 5000) == 0 && nx_wsc_recv(c, 0, NULL, &f, &err) == NX_OK)
            assert_int_equal(strtoul(f.p, NULL, 10), got++);
    }
    assert_int_equal(nx_wsc_pump(c, 60000, NULL, &err), NX_OK);
    while (got < FRAMES) {
        assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_OK);
        assert_int_equal(strtoul(f.p, NULL, 10), got++);
    }
    nx_wsc_drop(c);
    stop(s);
}

static void refusals(void **state)
{
    (void)state;
    nx_wsd_opts opts = {.message_bytes_max = 1000, .request_bytes_max = 2000};
    server *s = start(&opts);
    nx_wsc *c;
    nx_err err = {0};
    nx_ws_frame f;
    assert_int_equal(dial(s, "/no", &c, &err), NX_REMOTE);
    assert_non_null(strstr(err.text, "404"));
    assert_false(err.retriable);
    char big[1500];
    memset(big, 'x', sizeof big);
    assert_int_equal(dial(s, "/", &c, &err), NX_OK);
    assert_int_equal(nx_wsc_send(c, NX_WS_TEXT, (nx_str){big, sizeof big}, 60000, NULL, &err), NX_OK);
    assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_NOTHING);
    assert_int_equal(nx_wsc_close_code(c), NX_WS_CLOSE_TOO_BIG);
    nx_wsc_drop(c);
    char taken[32];
    int fd, port;
    snprintf(taken, sizeof taken, "127.0.0.1:%d", s->port);
    assert_int_equal(nx_wsd_listen(taken, &fd, &port, &err), NX_EXISTS);
    assert_true(strstr(err.text, taken) != NULL && err.hint[0] != '\0');
    static const char *const bad[] = {"", "8000", ":8000", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "[::1"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_int_equal(nx_wsd_listen(bad[i], &fd, &port, &err), NX_INVALID);
    stop(s);
}

static void bad_urls(void **state)
{
    (void)state;
    static const char *const bad[] = {"",          "http://x/",     "ws://",     "ws://:80/",
                                      "ws://h:0/", "ws://h:99999/", "ws://u@h/", "ws://h/a b"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        nx_wsc *c;
        nx_err err = {0};
        nx_wsc_opts o = {.url = bad[i]};
        assert_int_equal(nx_wsc_connect(&o, NULL, &c, &err), NX_INVALID);
    }
    nx_wsc *c;
    nx_err err = {0};
    nx_wsc_opts o = {.url = "ws://127.0.0.1:1/"};
    assert_int_equal(nx_wsc_connect(&o, NULL, &c, &err), NX_REMOTE);
    assert_true(err.retriable);
}

/* ------------------------------------------------------------------ raw peers */

static int raw_connect(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

/* Sends the bytes one by one, then reads to the end. */
static void raw_ask(int port, const char *request, char *answer, size_t cap)
{
    int fd = raw_connect(port);
    for (const char *p = request; *p != '\0'; p++)
        if (send(fd, p, 1, MSG_NOSIGNAL) != 1)
            break;
    size_t n = 0;
    ssize_t k;
    while (n < cap - 1 && (k = recv(fd, answer + n, cap - 1 - n, 0)) > 0)
        n += (size_t)k;
    answer[n] = '\0';
    close(fd);
}

#define GOOD "Host: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void bad_requests(void **state)
{
    (void)state;
    nx_wsd_opts opts = {.request_bytes_max = 400};
    server *s = start(&opts);
    char answer[1024], large[1024];
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 426 "},
        {"POST / HTTP/1.1\r\n" GOOD KEY "\r\n", "HTTP/1.1 405 "},
        {"GET / HTTP/1.0\r\n" GOOD KEY "\r\n", "HTTP/1.1 400 "},
        {"GET x HTTP/1.1\r\n" GOOD KEY "\r\n", "HTTP/1.1 400 "},
        {"nonsense\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\n" GOOD "\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\n" GOOD "Sec-WebSocket-Key: short\r\n\r\n", "HTTP/1.1 400 "},
        {"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" KEY "\r\n",
         "HTTP/1.1 426 "},
        {"GET /no HTTP/1.1\r\n" GOOD KEY "\r\n", "HTTP/1.1 404 "},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        raw_ask(s->port, cases[i].request, answer, sizeof answer);
        assert_memory_equal(answer, cases[i].answer, strlen(cases[i].answer));
        assert_non_null(strstr(answer, "{\"message\":\""));
    }
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    raw_ask(s->port, large, answer, sizeof answer);
    assert_memory_equal(answer, "HTTP/1.1 431 ", 13);
    stop(s);
}

static size_t read_until(int fd, char *p, size_t cap, const char *mark)
{
    size_t n = 0;
    while (memmem(p, n, mark, strlen(mark)) == NULL) {
        ssize_t k = recv(fd, p + n, 1, 0);
        assert_int_equal(k, 1);
        n++;
        assert_true(n < cap);
    }
    return n;
}

static void fragments_byte_by_byte(void **state)
{
    (void)state;
    server *s = start(NULL);
    int fd = raw_connect(s->port);
    static const char request[] = "GET /a HTTP/1.1\r\n" GOOD KEY "\r\n";
    char answer[512];
    for (size_t i = 0; i < sizeof request - 1; i++)
        assert_int_equal(send(fd, request + i, 1, 0), 1);
    size_t n = read_until(fd, answer, sizeof answer, "\r\n\r\n");
    answer[n] = '\0';
    assert_memory_equal(answer, "HTTP/1.1 101 ", 13);
    assert_non_null(strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    /* "Hel", ping "p", "lo", then a close with 1000; masks of zeros */
    static const char frames[] = "\x01\x83\0\0\0\0Hel\x89\x81\0\0\0\0p\x80\x82\0\0\0\0lo\x88\x82\0\0\0\0\x03\xe8";
    for (size_t i = 0; i < sizeof frames - 1; i++)
        assert_int_equal(send(fd, frames + i, 1, 0), 1);
    static const char expected[] = "\x8a\x01p\x81\x05Hello\x88\x02\x03\xe8";
    char got[64];
    size_t k = 0;
    ssize_t r;
    while (k < sizeof got && (r = recv(fd, got + k, sizeof got - k, 0)) > 0)
        k += (size_t)r;
    assert_int_equal(k, sizeof expected - 1);
    assert_memory_equal(got, expected, k);
    close(fd);
    stop(s);
}

static void protocol_errors_end_with_a_code(void **state)
{
    (void)state;
    server *s = start(NULL);
    static const struct {
        const char *bytes;
        size_t n;
        int code;
    } cases[] = {
        {"\x81\x05Hello", 7, 1002},                       /* not masked */
        {"\x80\x81\0\0\0\0x", 7, 1002},                   /* continues nothing */
        {"\x01\x81\0\0\0\0x\x81\x81\0\0\0\0y", 14, 1002}, /* a new message inside another */
        {"\x82\xff\0\0\0\0\0\x20\0\0\0\0\0\0", 14, 1009}, /* 2 MiB */
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        int fd = raw_connect(s->port);
        static const char request[] = "GET /a HTTP/1.1\r\n" GOOD KEY "\r\n";
        char answer[512];
        assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
        read_until(fd, answer, sizeof answer, "\r\n\r\n");
        assert_int_equal(send(fd, cases[i].bytes, cases[i].n, 0), cases[i].n);
        unsigned char got[200];
        assert_true(recv(fd, got, 4, MSG_WAITALL) == 4);
        assert_int_equal(got[0], 0x88);
        assert_int_equal(got[2] << 8 | got[3], cases[i].code);
        close(fd);
    }
    stop(s);
}

/* ------------------------------------------------------------------ loop */

typedef struct ticker {
    nx_loop *l;
    int ticks, once;
    uint64_t id;
} ticker;

static void tick(void *ctx)
{
    ticker *t = ctx;
    if (++t->ticks == 3) {
        nx_loop_cancel(t->l, t->id);
        nx_loop_stop(t->l);
    }
}

static void once(void *ctx)
{
    ((ticker *)ctx)->once++;
}

static void *wake_later(void *arg)
{
    nx_loop_wake(arg);
    return NULL;
}

static void timers_and_wake(void **state)
{
    (void)state;
    nx_err err = {0};
    ticker t = {0};
    pthread_t thread;
    assert_int_equal(nx_loop_new(&t.l, &err), NX_OK);
    nx_loop_on_wake(t.l, once, &t);
    assert_int_equal(pthread_create(&thread, NULL, wake_later, t.l), 0);
    while (t.once == 0)
        assert_int_equal(nx_loop_once(t.l, -1, &err), NX_OK);
    pthread_join(thread, NULL);
    assert_int_equal(nx_loop_timer(t.l, 0, 1, tick, &t, &t.id, &err), NX_OK);
    assert_int_equal(nx_loop_timer(t.l, 0, 0, once, &t, NULL, &err), NX_OK);
    assert_int_equal(nx_loop_run(t.l, &err), NX_OK);
    assert_int_equal(t.ticks, 3);
    assert_int_equal(t.once, 2);
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(nx_loop_set(t.l, p[0], NX_LOOP_READ, &err), NX_NOT_FOUND);
    assert_int_equal(nx_loop_add(t.l, p[0], NX_LOOP_READ, on_listen, NULL, &err), NX_OK);
    assert_int_equal(nx_loop_add(t.l, p[0], NX_LOOP_READ, on_listen, NULL, &err), NX_EXISTS);
    nx_loop_remove(t.l, p[0]);
    nx_loop_remove(t.l, p[0]);
    close(p[0]);
    close(p[1]);
    nx_loop_drop(t.l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(echo),
        cmocka_unit_test(pipelined),
        cmocka_unit_test(refusals),
        cmocka_unit_test(bad_urls),
        cmocka_unit_test(bad_requests),
        cmocka_unit_test(fragments_byte_by_byte),
        cmocka_unit_test(protocol_errors_end_with_a_code),
        cmocka_unit_test(timers_and_wake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
