/* libFuzzer target: compressed WebSocket messages. The first byte chooses: any bytes as a peer's offers or answer, as a compressed message (whole and
 * byte by byte they must inflate to the same, within the limit), or as a message of ours (which must come back). The corpus
 * (tests/fuzz/corpus/deflate) is replayed by tests/unit/io/test_fuzz_deflate.c in every test run. */
#include <stdlib.h>

#include "io/deflate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 5000, INPUT_MAX = 4000 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void negotiate(nx_str text)
{
    nx_deflate_params p;
    char answer[NX_DEFLATE_ANSWER_MAX] = "";
    if (nx_deflate_accept(text, &p, answer)) {
        must(p.on && p.server_bits >= 8 && p.server_bits <= 15 && p.client_bits >= 8 && p.client_bits <= 15);
        nx_deflate_params q;
        must(nx_deflate_check(nx_str_of(answer), &q) == NULL); /* a client understands what we answer */
        must(q.server_bits == p.server_bits && q.client_bits == p.client_bits &&
             q.server_no_context == p.server_no_context && q.client_no_context == p.client_no_context);
    }
    must(nx_deflate_check(text, &p) != NULL || p.on);
    (void)nx_deflate_accept_lines(text, &p, answer);
}

static nx_status inflate_by(const nx_deflate_params *p, nx_str packed, size_t step, nx_buf *out)
{
    nx_deflate *z;
    nx_err err = {0};
    nx_status st = NX_OK;
    must(nx_deflate_new(p, true, &z, &err) == NX_OK);
    for (int message = 0; message < 2 && st == NX_OK; message++) { /* twice: the second sees the window of the first */
        nx_buf_clear(out);
        for (size_t at = 0; at < packed.n && st == NX_OK; at += step)
            st = nx_deflate_take(z, nx_str_sub(packed, at, at + step < packed.n ? at + step : packed.n), false, out,
                                 &err);
        if (st == NX_OK)
            st = nx_deflate_take(z, NX_STR(""), true, out, &err);
        must(out->n <= MESSAGE_MAX);
        must(st == NX_OK || ((st == NX_INVALID || st == NX_LIMIT) && err.text[0] != '\0'));
    }
    nx_deflate_drop(z);
    return st;
}

static void inflate_both_ways(const nx_deflate_params *p, nx_str packed)
{
    nx_buf a NX_BUF_AUTO, b NX_BUF_AUTO;
    nx_buf_init(&a, MESSAGE_MAX);
    nx_buf_init(&b, MESSAGE_MAX);
    nx_status x = inflate_by(p, packed, packed.n == 0 ? 1 : packed.n, &a), y = inflate_by(p, packed, 1, &b);
    must((x == NX_OK) == (y == NX_OK)); /* which of two faults is met first may differ */
    if (x == NX_OK)
        must(nx_str_eq(nx_buf_str(&a), nx_buf_str(&b)));
}

static void there_and_back(const nx_deflate_params *p, nx_str text)
{
    nx_deflate *from, *to;
    nx_err err = {0};
    must(nx_deflate_new(p, false, &from, &err) == NX_OK && nx_deflate_new(p, true, &to, &err) == NX_OK);
    for (int i = 0; i < 3; i++) {
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, text.n == 0 ? 1 : text.n);
        nx_str packed;
        nx_status st = nx_deflate_give(from, text, &packed, &err);
        must(st == NX_OK || st == NX_NOTHING);
        if (st == NX_OK) {
            must(packed.n < text.n && nx_deflate_take(to, packed, true, &b, &err) == NX_OK);
            must(nx_str_eq(nx_buf_str(&b), text));
        }
    }
    nx_deflate_drop(from);
    nx_deflate_drop(to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > INPUT_MAX)
        return 0;
    const nx_str rest = {(const char *)data + 1, size - 1};
    const nx_deflate_params p = {true, (data[0] & 4) != 0, (data[0] & 8) != 0, 8 + (data[0] >> 4) % 8,
                                 8 + (data[0] >> 4) % 8};
    switch (data[0] & 3) {
    case 0:
        negotiate(rest);
        break;
    case 1:
        there_and_back(&p, rest);
        break;
    default:
        inflate_both_ways(&p, rest);
    }
    return 0;
}
