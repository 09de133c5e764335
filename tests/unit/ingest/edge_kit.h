/* What the tests of the edge share: a project in a temporary folder, a stream on a free port, a producer that talks and
 * listens. */
#ifndef EDGE_KIT_H
#define EDGE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "data/json.h"
#include "ingest/stream.h"
#include "io/wsc.h"

#define Q1                                                                                                             \
    "{\"T\":\"q\",\"S\":\"IBM\",\"bx\":\"P\",\"bp\":180.01,\"bs\":3,\"ax\":\"P\",\"ap\":181.8,\"as\":30,\"c\":[\"R\"]" \
    ",\"z\":\"A\",\"t\":\"2013-10-07T08:00:00.241Z\"}"
#define Q2                                                                                                             \
    "{\"T\":\"q\",\"S\":\"BAC\",\"bx\":\"P\",\"bp\":13.84,\"bs\":7,\"ax\":\"P\",\"ap\":13.95,\"as\":195,\"c\":[\"R\"]" \
    ",\"z\":\"A\",\"t\":\"2013-10-07T08:00:04.498Z\"}"
#define T1                                                                                                             \
    "{\"T\":\"t\",\"S\":\"BAC\",\"i\":1,\"x\":\"P\",\"p\":13.94,\"s\":500,\"c\":[\" "                                  \
    "\",\"F\",\"T\"],\"z\":\"A\",\"t\":\"2013-10-07T08:00:00.614Z\"}"
#define BAD                                                                                                            \
    "{\"T\":\"t\",\"S\":\"BAC\",\"i\":1,\"x\":\"P\",\"p\":\"dear\",\"s\":500,\"c\":[\" "                               \
    "\"],\"z\":\"A\",\"t\":\"yesterday\"}"

typedef struct edge {
    char dir[64], state[96], root[96], url[96];
    const char *contracts_dir; /* NULL: those of the project */
    nx_stream_opts o;
    nx_engine *engine;
    nx_lake *lake;
    nx_contracts *contracts;
    nx_stream *s;
    nx_err err;
} edge;

static inline void must(nx_status st, const nx_err *err)
{
    if (st != NX_OK)
        print_message("%s: %s\n", nx_status_name(st), err->text);
    assert_int_equal(st, NX_OK);
}

static inline int edge_init(edge *e)
{
    snprintf(e->dir, sizeof e->dir, "/tmp/nexus-edge-XXXXXX");
    if (mkdtemp(e->dir) == NULL)
        return -1;
    snprintf(e->state, sizeof e->state, "%s/state", e->dir);
    snprintf(e->root, sizeof e->root, "%s/lake", e->dir);
    /* commits come when a test asks for them */
    e->o = (nx_stream_opts){
        .listen = "127.0.0.1:0", .state_dir = e->state, .flush_max_delay_ms = 3600000, .compact_every_ms = -1};
    nx_log_setup(NX_LOG_ERROR, false);
    return 0;
}

static inline int edge_up(void **state)
{
    edge *e = calloc(1, sizeof *e);
    *state = e;
    return e == NULL ? -1 : edge_init(e);
}

static inline void edge_open_lake(edge *e)
{
    nx_engine_opts eo = {.memory_bytes = 256 << 20, .threads = 1};
    must(nx_engine_open(&eo, &e->engine, &e->err), &e->err);
    nx_lake_opts lo = {.root = e->root, .engine = e->engine};
    must(nx_lake_open(&lo, &e->lake, &e->err), &e->err);
    must(nx_contracts_load(e->contracts_dir == NULL ? "contracts" : e->contracts_dir, &e->contracts, &e->err), &e->err);
    e->o.lake = e->lake;
    e->o.engine = e->engine;
    e->o.contracts = e->contracts;
}

static inline void edge_close_lake(edge *e)
{
    nx_lake_close(e->lake);
    nx_engine_close(e->engine);
    nx_contracts_drop(e->contracts);
    e->lake = NULL;
    e->engine = NULL;
    e->contracts = NULL;
}

static inline nx_status edge_try(edge *e)
{
    if (e->lake == NULL)
        edge_open_lake(e);
    nx_status st = nx_stream_start(&e->o, &e->s, &e->err);
    if (st == NX_OK)
        snprintf(e->url, sizeof e->url, "ws://127.0.0.1:%d/ws/market-data", nx_stream_port(e->s));
    return st;
}

static inline void edge_start(edge *e)
{
    must(edge_try(e), &e->err);
}

static inline void edge_stop(edge *e)
{
    nx_status st = nx_stream_stop(e->s, &e->err);
    e->s = NULL;
    must(st, &e->err);
}

/* Runs a listener in a child until it is killed; its port comes through the pipe. */
static inline pid_t edge_fork(edge *e)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (edge_try(e) != NX_OK) {
            fprintf(stderr, "child: %s\n", e->err.text);
            _exit(3);
        }
        int port = nx_stream_port(e->s);
        if (write(fds[1], &port, sizeof port) != (ssize_t)sizeof port)
            _exit(4);
        for (;;)
            pause();
    }
    close(fds[1]);
    int port = 0;
    assert_int_equal(read(fds[0], &port, sizeof port), (ssize_t)sizeof port);
    close(fds[0]);
    snprintf(e->url, sizeof e->url, "ws://127.0.0.1:%d/ws/market-data", port);
    return pid;
}

static inline void end_child(pid_t pid)
{
    int status;
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
}

static inline int edge_fini(edge *e)
{
    nx_fault_arm(NULL);
    nx_status st = nx_stream_stop(e->s, NULL);
    (void)st;
    if (e->lake != NULL)
        edge_close_lake(e);
    return nx_dir_remove(e->dir, NULL) == NX_OK ? 0 : -1;
}

static inline int edge_down(void **state)
{
    int rc = edge_fini(*state);
    free(*state);
    return rc;
}

/* First value of a query over all tables, as text (static). */
static inline const char *edge_ask(edge *e, const char *sql)
{
    static char text[4096];
    nx_session *s;
    must(nx_session_open(e->engine, &s, &e->err), &e->err);
    must(nx_lake_attach(e->lake, s, &e->err), &e->err);
    nx_result *r;
    must(nx_session_query(s, nx_str_of(sql), &r, &e->err), &e->err);
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_true(nx_result_rows(r) >= 1);
    must(nx_result_text(r, 0, 0, &b), &e->err);
    snprintf(text, sizeof text, NX_STR_FMT, NX_STR_ARG(nx_buf_str(&b)));
    nx_buf_drop(&b);
    nx_result_drop(r);
    nx_session_close(s);
    return text;
}

static inline int64_t edge_count(edge *e, const char *from)
{
    char sql[2048];
    snprintf(sql, sizeof sql, "select count(*) from %s", from);
    return strtoll(edge_ask(e, sql), NULL, 10);
}

/* ------------------------------------------------------------------ a producer */

static inline nx_wsc *dial_bare(const edge *e, const char *const *headers)
{
    nx_wsc_opts o = {.url = e->url, .headers = headers};
    nx_wsc *w;
    nx_err err = {0};
    must(nx_wsc_connect(&o, NULL, &w, &err), &err);
    return w;
}

static inline void say(nx_wsc *w, const char *text)
{
    nx_err err = {0};
    must(nx_wsc_send(w, NX_WS_TEXT, nx_str_of(text), -1, NULL, &err), &err);
}

/* The next message (static); "" when the other side closed, its code is in *close. */
static inline const char *hear_or_close(nx_wsc *w, int *close)
{
    static char text[16384];
    nx_ws_frame f;
    nx_err err = {0};
    nx_status st = nx_wsc_recv(w, -1, NULL, &f, &err);
    text[0] = '\0';
    *close = 0;
    if (st == NX_NOTHING) {
        *close = nx_wsc_close_code(w);
        return text;
    }
    must(st, &err);
    snprintf(text, sizeof text, "%.*s", (int)f.n, f.p);
    return text;
}

static inline const char *hear(nx_wsc *w)
{
    int close;
    const char *t = hear_or_close(w, &close);
    if (t[0] == '\0')
        print_message("closed with %d\n", close);
    assert_true(t[0] != '\0');
    return t;
}

static inline nx_wsc *dial(const edge *e)
{
    nx_wsc *w = dial_bare(e, NULL);
    assert_string_equal(hear(w), "[{\"T\":\"success\",\"msg\":\"connected\"}]");
    return w;
}

/* hello as that producer: the answer's last. */
static inline long long greet(nx_wsc *w, const char *producer)
{
    char text[128];
    snprintf(text, sizeof text, "{\"action\":\"hello\",\"producer\":\"%s\"}", producer);
    say(w, text);
    long long last = -1;
    const char *t = hear(w);
    if (sscanf(t, "[{\"T\":\"success\",\"msg\":\"hello\",\"last\":%lld}]", &last) != 1)
        print_message("%s\n", t);
    return last;
}

static inline void say_flush(nx_wsc *w)
{
    say(w, "{\"action\":\"flush\"}");
    const char *t;
    do
        t = hear(w);
    while (strstr(t, "\"msg\":\"flush\"") == NULL);
}

#endif
