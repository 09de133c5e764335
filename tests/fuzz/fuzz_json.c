/* libFuzzer target: any bytes as JSON. What is taken must survive writing and reading; its numbers and texts go through
 * the decimal and time readers, whose results must come back from their own text.
 * The corpus (tests/fuzz/corpus/json) is replayed by tests/unit/data/test_fuzz_json.c in every test run. */
#include <stdlib.h>

#include "data/decimal.h"
#include "data/json.h"
#include "data/time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void try_number(nx_str s)
{
    static const int types[][2] = {{18, 6}, {38, 18}, {38, 0}, {1, 0}, {38, 38}};
    for (size_t i = 0; i < NX_COUNT_OF(types); i++) {
        __int128 v, again;
        char text[48];
        nx_dec_result r = nx_dec_parse(s, types[i][0], types[i][1], &v);
        must(r != NX_DEC_SYNTAX);
        if (r != NX_DEC_OK)
            continue;
        size_t n = nx_dec_format(v, types[i][1], text);
        must(nx_dec_parse((nx_str){text, n}, types[i][0], types[i][1], &again) == NX_DEC_OK && again == v);
        n = nx_dec_format_short(v, types[i][1], text);
        must(nx_dec_parse((nx_str){text, n}, types[i][0], types[i][1], &again) == NX_DEC_OK && again == v);
    }
}

static void try_text(nx_str s)
{
    int64_t ns, again;
    int32_t day, day_again;
    char text[40];
    __int128 v;
    must(nx_utf8_valid(s));
    if (nx_time_parse_ns(s, &ns)) {
        size_t n = nx_time_format_ns(ns, text);
        must(nx_time_parse_ns((nx_str){text, n}, &again) && again == ns);
    }
    if (nx_date_parse(s, &day)) {
        size_t n = nx_date_format(day, text);
        must(n == s.n && memcmp(text, s.p, n) == 0 && nx_date_parse((nx_str){text, n}, &day_again) && day_again == day);
    }
    (void)nx_dec_parse(s, 18, 6, &v); /* any result, no harm */
}

static void walk(const nx_val *v)
{
    must(v->line >= 1 && v->col >= 1);
    if (v->kind == NX_VAL_NUM)
        try_number(v->s);
    if (v->kind == NX_VAL_STR)
        try_text(v->s);
    for (size_t i = 0; i < v->n; i++) {
        if (v->kind == NX_VAL_OBJ)
            must(nx_utf8_valid(v->keys[i]));
        walk(&v->items[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 16 << 20);
    nx_val *v = NULL, *again = NULL;
    nx_err err;
    nx_json_opts opts = {.allow_dup_keys = size > 0 && data[0] == ' '};
    nx_status st = nx_json_parse((nx_str){(const char *)data, size}, &opts, &a, &v, &err);
    must(st == NX_OK || st == NX_INVALID || st == NX_NOMEM);
    if (st != NX_OK)
        return 0;
    walk(v);
    NX_BUF_AUTO nx_buf once;
    nx_buf_init(&once, 0);
    NX_BUF_AUTO nx_buf twice;
    nx_buf_init(&twice, 0);
    must(nx_val_to_json(v, &once) == NX_OK);
    st = nx_json_parse(nx_buf_str(&once), &opts, &a, &again, &err);
    must(st == NX_OK || st == NX_NOMEM);
    if (st == NX_OK) {
        must(nx_val_to_json(again, &twice) == NX_OK);
        must(nx_str_eq(nx_buf_str(&once), nx_buf_str(&twice)));
    }
    return 0;
}
