/* libFuzzer target: any bytes as a frame of the stock feed, JSON or msgpack, compared with the program's other readers of both: a frame is
 * refused as a whole exactly when it is broken, or no object or array; batches stay consistent and every refusal has a cause.
 * Build   clang -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/fuzz_decode.c and the sources of base, data and contract;
 * run it where contracts/ is. The corpus (tests/fuzz/corpus/decode) is replayed by tests/unit/contract/test_fuzz_decode.c in every test run. */
#include <stdio.h>
#include <stdlib.h>

#include "contract/contract.h"
#include "data/json.h"
#include "data/msgpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

typedef struct target {
    nx_contracts *set;
    nx_decoder *d;
    nx_batch *batches;
} target;

static target *open_target(void)
{
    static target t;
    nx_err err = {0};
    if (t.set != NULL)
        return &t;
    if (nx_contracts_load("contracts", &t.set, &err) != NX_OK ||
        nx_decoder_new(t.set, "alpaca.stocks", &t.d, &err) != NX_OK) {
        fprintf(stderr, "fuzz_decode: %s\n", err.text);
        exit(2);
    }
    t.batches = calloc(nx_contracts_count(t.set), sizeof *t.batches);
    for (size_t i = 0; t.batches != NULL && i < nx_contracts_count(t.set); i++) {
        const nx_contract *c = nx_contracts_at(t.set, i);
        if (nx_batch_init(&t.batches[i], nx_contract_schema(c), 0, 0) != NX_OK)
            exit(2);
        nx_decoder_bind(t.d, c, &t.batches[i]);
    }
    return &t;
}

static void need(bool ok, const char *what, nx_str frame)
{
    if (ok)
        return;
    fprintf(stderr, "fuzz_decode: %s\n", what);
    fwrite(frame.p, 1, frame.n, stderr);
    abort();
}

/* The readers agree on what JSON is; they differ by design in malformed UTF-8 and half surrogates (refused by row here). */
static bool comparable(nx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] >= 0x80 || (s.p[i] == '\\' && i + 2 < s.n && (s.p[i + 2] | 0x20) == 'd'))
            return false;
    return true;
}

static bool tree_accepts(nx_str s)
{
    nx_arena a NX_ARENA_AUTO;
    nx_val *v = NULL;
    nx_arena_init(&a, 0);
    const nx_json_opts o = {.depth_max = 1000, .allow_dup_keys = true};
    return nx_json_parse(s, &o, &a, &v, NULL) == NX_OK && (v->kind == NX_VAL_OBJ || v->kind == NX_VAL_ARR);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    target *t = open_target();
    const nx_str frame = {(const char *)data, n};
    const nx_row_meta meta = {.source = NX_STR("fuzz"), .known_basis = NX_STR("declared"), .known_delay_us = 1};
    nx_verdict v;
    nx_err err = {0};
    nx_status st = nx_decode_frame(t->d, frame, &meta, &v, &err);
    need(st == NX_OK, "the call failed", frame);
    bool whole = v.rejected == 1 && v.refused[0].index == -1,
         limit = whole && strcmp(v.refused[0].errors[0].rule, "limit") == 0;
    if (n > 0 && nx_mp_is_container(frame.p[0])) {
        nx_mp_in in = nx_mp_open(frame);
        bool ok = nx_mp_skip(&in, 0) && in.p == in.end;
        need(limit || in.too_deep || whole == !ok, "the msgpack readers do not agree", frame);
    } else if (!limit && comparable(frame))
        need(whole == !tree_accepts(frame), "the two readers do not agree", frame);
    size_t rows = 0;
    for (size_t i = 0; i < nx_contracts_count(t->set); i++) {
        need(nx_batch_check(&t->batches[i], &err) == NX_OK, err.text, frame);
        rows += t->batches[i].n;
        nx_batch_clear(&t->batches[i]);
    }
    need(rows == v.accepted, "accepted rows are not in the batches", frame);
    for (uint32_t i = 0; i < v.rejected; i++)
        need(v.refused[i].n_errors > 0 && nx_utf8_valid(v.refused[i].errors[0].value), "a refusal without a cause",
             frame);
    return 0;
}
