/* The two sides of io's WebSockets as Autobahn's cases want them: everything is echoed. A case runner (docs/conformance.md) is the peer.
 *
 *   ws_echo server 127.0.0.1:9101         until it is killed
 *   ws_echo client ws://127.0.0.1:9122    runs all cases of a fuzzing server, then asks it for its report
 *
 * Text is checked for UTF-8 here: io leaves that to whoever reads the text. */
#include <stdio.h>
#include <stdlib.h>

#include "io/loop.h"
#include "io/wsc.h"
#include "io/wsd.h"

enum { MESSAGE_MAX = 64 << 20, CASE_MS = 20000, DEFLATE_FROM = 1 };

static int fail(const nx_err *err)
{
    fprintf(stderr, "ws_echo: %s\n", err->text);
    return 1;
}

/* ------------------------------------------------------------------ server */

typedef struct server {
    nx_loop *loop;
    int fd;
} server;

typedef struct peer {
    server *s;
    nx_wsd_conn *c;
    bool up;
} peer;

static nx_status greet(peer *p, nx_err *err)
{
    NX_TRY(nx_wsd_request(p->c, err));
    p->up = true;
    return nx_wsd_upgrade(p->c, err);
}

static nx_status echo(peer *p, nx_err *err)
{
    nx_ws_frame f;
    NX_TRY(nx_wsd_next(p->c, &f, err));
    if (f.op == NX_WS_TEXT && !nx_utf8_valid((nx_str){f.p, f.n}))
        return nx_wsd_close(p->c, NX_WS_CLOSE_BAD_DATA, "text that is not UTF-8", err);
    return nx_wsd_send(p->c, f.op, (nx_str){f.p, f.n}, err);
}

static void on_peer(void *ctx, int fd, unsigned events)
{
    peer *p = ctx;
    nx_err err = {0};
    nx_status st = NX_OK;
    if ((events & NX_LOOP_READ) != 0) {
        st = nx_wsd_recv(p->c, NULL, &err);
        if (st == NX_OK && !p->up)
            st = greet(p, &err);
        while (st == NX_OK && p->up)
            st = echo(p, &err);
    }
    st = nx_wsd_flush(p->c, &err);
    if (nx_wsd_done(p->c)) {
        nx_loop_remove(p->s->loop, fd);
        nx_wsd_drop(p->c);
        free(p);
        return;
    }
    unsigned want = NX_LOOP_READ | (st == NX_AGAIN ? NX_LOOP_WRITE : 0u);
    if (nx_loop_set(p->s->loop, fd, want, &err) != NX_OK)
        exit(fail(&err));
}

static void on_listen(void *ctx, int fd, unsigned events)
{
    server *s = ctx;
    nx_err err = {0};
    nx_wsd_conn *c;
    const nx_wsd_opts o = {.message_bytes_max = MESSAGE_MAX,
                           .send_bytes_max = 2 * (size_t)MESSAGE_MAX,
                           .deflate = true,
                           .deflate_bytes_min = DEFLATE_FROM};
    (void)events;
    while (nx_wsd_accept(fd, &o, &c, &err) == NX_OK) {
        peer *p = calloc(1, sizeof *p);
        if (p == NULL)
            exit(1);
        *p = (peer){s, c, false};
        if (nx_loop_add(s->loop, nx_wsd_fd(c), NX_LOOP_READ, on_peer, p, &err) != NX_OK)
            exit(fail(&err));
    }
}

static int serve(const char *listen)
{
    server s;
    nx_err err = {0};
    int port;
    if (nx_loop_new(&s.loop, &err) != NX_OK || nx_wsd_listen(listen, &s.fd, &port, &err) != NX_OK ||
        nx_loop_add(s.loop, s.fd, NX_LOOP_READ, on_listen, &s, &err) != NX_OK)
        return fail(&err);
    fprintf(stderr, "ws_echo: listening on port %d\n", port);
    return nx_loop_run(s.loop, &err) == NX_OK ? 0 : fail(&err);
}

/* ------------------------------------------------------------------ client */

static nx_status dial(const char *url, nx_wsc **ret, nx_err *err)
{
    const nx_wsc_opts o = {.url = url,
                           .message_bytes_max = MESSAGE_MAX,
                           .send_bytes_max = 2 * (size_t)MESSAGE_MAX,
                           .deflate = true,
                           .deflate_bytes_min = DEFLATE_FROM};
    return nx_wsc_connect(&o, NULL, ret, err);
}

/* Echoes until the other side closes. What goes wrong on the way is the case's business. */
static void run_case(const char *base, long number)
{
    char url[512];
    nx_wsc *c = NULL;
    nx_err err = {0};
    nx_ws_frame f;
    snprintf(url, sizeof url, "%s/runCase?case=%ld&agent=nexus", base, number);
    if (dial(url, &c, &err) != NX_OK) {
        (void)fail(&err);
        return;
    }
    while (nx_wsc_recv(c, CASE_MS, NULL, &f, &err) == NX_OK) {
        if (f.op == NX_WS_TEXT && !nx_utf8_valid((nx_str){f.p, f.n})) {
            if (nx_wsc_close(c, NX_WS_CLOSE_BAD_DATA, 1000, &err) != NX_OK)
                (void)fail(&err);
            break;
        }
        if (nx_wsc_send(c, f.op, (nx_str){f.p, f.n}, CASE_MS, NULL, &err) != NX_OK)
            break;
    }
    nx_wsc_drop(c);
}

static int run_cases(const char *base)
{
    char url[512];
    nx_wsc *c = NULL;
    nx_err err = {0};
    nx_ws_frame f;
    snprintf(url, sizeof url, "%s/getCaseCount", base);
    if (dial(url, &c, &err) != NX_OK || nx_wsc_recv(c, CASE_MS, NULL, &f, &err) != NX_OK)
        return fail(&err);
    char text[32];
    snprintf(text, sizeof text, "%.*s", (int)f.n, f.p);
    long n = strtol(text, NULL, 10);
    nx_wsc_drop(c);
    for (long i = 1; i <= n; i++)
        run_case(base, i);
    snprintf(url, sizeof url, "%s/updateReports?agent=nexus", base);
    c = NULL;
    if (dial(url, &c, &err) == NX_OK)
        while (nx_wsc_recv(c, CASE_MS, NULL, &f, &err) == NX_OK)
            continue;
    nx_wsc_drop(c);
    printf("%ld cases were run\n", n);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "server") == 0)
        return serve(argv[2]);
    if (argc == 3 && strcmp(argv[1], "client") == 0)
        return run_cases(argv[2]);
    fprintf(stderr, "usage: ws_echo server HOST:PORT | ws_echo client ws://HOST:PORT\n");
    return 2;
}
