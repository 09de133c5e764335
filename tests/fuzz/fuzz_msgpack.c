/* libFuzzer target: any bytes as one msgpack value. The walk and the JSON writer agree on what is broken; what JSON can say is JSON to the
 * tree reader, and its text written as msgpack again says the same.
 * Build   clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_msgpack.c and the sources of base and data. The corpus
 * (tests/fuzz/corpus/msgpack) is replayed by tests/unit/data/test_fuzz_msgpack.c in every test run. */
#include <stdio.h>
#include <stdlib.h>

#include "data/json.h"
#include "data/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void need(bool ok, const char *what, nx_str bytes)
{
    if (ok)
        return;
    fprintf(stderr, "fuzz_msgpack: %s\n", what);
    for (size_t i = 0; i < bytes.n; i++)
        fprintf(stderr, "%02x ", (unsigned)(unsigned char)bytes.p[i]);
    abort();
}

/* The value of a JSON text through msgpack and back. False: it holds a number that msgpack does not carry. */
static bool again(nx_str json, nx_buf *ret, nx_str bytes)
{
    nx_buf mp NX_BUF_AUTO;
    nx_buf_init(&mp, 0);
    nx_err err = {0};
    if (nx_mp_from_json(json, NULL, &mp, &err) != NX_OK)
        return false;
    need(nx_mp_to_json(nx_buf_str(&mp), ret, &err) == NX_OK, "what we wrote is refused", bytes);
    return true;
}

static nx_val *tree_of(nx_str json, nx_arena *a, nx_str bytes)
{
    const nx_json_opts opts = {.allow_dup_keys = true};
    nx_err err = {0};
    nx_val *v = NULL;
    need(nx_json_parse(json, &opts, a, &v, &err) == NX_OK, err.text, bytes);
    return v;
}

/* Numbers by value: a single that is whole may be spelt with an exponent, and the same as a double without. */
static bool same(const nx_val *a, const nx_val *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == NX_VAL_NUM)
        return nx_str_eq(a->s, b->s) || strtod(a->s.p, NULL) == strtod(b->s.p, NULL);
    if (a->kind == NX_VAL_STR)
        return nx_str_eq(a->s, b->s);
    if (a->kind == NX_VAL_BOOL)
        return a->b == b->b;
    bool equal = a->n == b->n;
    for (size_t i = 0; equal && i < a->n; i++)
        equal = (a->kind != NX_VAL_OBJ || nx_str_eq(a->keys[i], b->keys[i])) && same(&a->items[i], &b->items[i]);
    return equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const nx_str bytes = {(const char *)data, n};
    nx_mp_in in = nx_mp_open(bytes);
    bool whole = nx_mp_skip(&in, 0) && in.p == in.end;
    need(whole || in.bad == NULL || (in.bad >= bytes.p && in.bad <= bytes.p + n && in.what != NULL), "no place", bytes);
    nx_buf json NX_BUF_AUTO, second NX_BUF_AUTO;
    nx_buf_init(&json, 0);
    nx_buf_init(&second, 0);
    nx_err err = {0};
    nx_status st = nx_mp_to_json(bytes, &json, &err);
    need(st == NX_OK || ((st == NX_INVALID || st == NX_UNSUPPORTED) && err.text[0] != '\0'),
         "neither JSON nor a reason", bytes);
    need(st != NX_OK || whole, "broken, yet JSON was made of it", bytes);
    need(json.n <= 64 + 24 * n, "the text is out of proportion", bytes);
    if (st != NX_OK)
        return 0;
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    const nx_val *v = tree_of(nx_buf_str(&json), &a, bytes);
    if (again(nx_buf_str(&json), &second, bytes))
        need(same(v, tree_of(nx_buf_str(&second), &a, bytes)), "another value came back", bytes);
    return 0;
}
