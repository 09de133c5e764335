/* libFuzzer target: any bytes as what an upgraded client sends. Taken whole and taken byte by byte they must yield the
 * same messages, the same answers and the same end; a protocol error must have a close code and a text. The corpus
 * (tests/fuzz/corpus/ws) is replayed by tests/unit/io/test_fuzz_ws.c in every test run. */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/wsd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 300, INPUT_MAX = 4000 };

typedef struct outcome {
    nx_buf messages, answers; /* each message: operation, length, bytes */
    nx_status end;
    int close_code;
} outcome;

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* All whole messages of what was received; NX_AGAIN: more may come. */
static nx_status drain(nx_wsd_conn *c, outcome *o)
{
    nx_ws_frame f;
    nx_err err = {0};
    nx_status st;
    while ((st = nx_wsd_next(c, &f, &err)) == NX_OK) {
        must(f.n <= MESSAGE_MAX && (f.op == NX_WS_TEXT || f.op == NX_WS_BINARY));
        must(nx_buf_addf(&o->messages, "%d:%zu:", (int)f.op, f.n) == NX_OK);
        must(nx_buf_add(&o->messages, (nx_str){f.p, f.n}) == NX_OK);
    }
    must(st == NX_AGAIN || st == NX_NOTHING || ((st == NX_INVALID || st == NX_LIMIT) && err.text[0] != '\0'));
    return st;
}

static outcome deliver(const uint8_t *data, size_t size, size_t step)
{
    outcome o = {.end = NX_AGAIN};
    nx_buf_init(&o.messages, 0);
    nx_buf_init(&o.answers, 0);
    int pair[2];
    nx_wsd_conn *c;
    nx_err err = {0};
    const nx_wsd_opts opts = {.message_bytes_max = MESSAGE_MAX, .recv_bytes = 64};
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    must(nx_wsd_adopt(pair[0], &opts, (nx_str){NULL, 0}, NULL, NULL, &c, &err) == NX_OK);
    for (size_t at = 0; at < size && o.end == NX_AGAIN; at += step) {
        size_t n = size - at < step ? size - at : step;
        must(send(pair[1], data + at, n, MSG_NOSIGNAL) == (ssize_t)n);
        while (o.end == NX_AGAIN && nx_wsd_recv(c, NULL, &err) == NX_OK)
            o.end = drain(c, &o);
    }
    o.close_code = nx_wsd_close_code(c);
    must(nx_wsd_flush(c, &err) == NX_OK);
    must(nx_wsd_done(c) == (o.end != NX_AGAIN));
    nx_wsd_drop(c);
    char answer[4096];
    ssize_t got;
    while ((got = recv(pair[1], answer, sizeof answer, 0)) > 0)
        must(nx_buf_add(&o.answers, (nx_str){answer, (size_t)got}) == NX_OK);
    close(pair[1]);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX)
        return 0;
    outcome whole = deliver(data, size, size == 0 ? 1 : size), bytes = deliver(data, size, 1);
    must(nx_str_eq(nx_buf_str(&whole.messages), nx_buf_str(&bytes.messages)));
    must(nx_str_eq(nx_buf_str(&whole.answers), nx_buf_str(&bytes.answers)));
    must(whole.end == bytes.end && whole.close_code == bytes.close_code);
    nx_buf_drop(&whole.messages);
    nx_buf_drop(&whole.answers);
    nx_buf_drop(&bytes.messages);
    nx_buf_drop(&bytes.answers);
    return 0;
}
