#include <assert.h>
#include <stdlib.h>

#include "data/decimal.h"
#include "data/float.h"
#include "data/json.h"
#include "data/msgpack.h"
#include "data/time.h"

/* A first byte and width bytes of a number, the highest first. */
static nx_status put_head(nx_buf *b, unsigned char head, uint64_t v, unsigned width)
{
    char out[9];
    out[0] = (char)head;
    for (unsigned i = 0; i < width; i++)
        out[1 + i] = (char)(v >> 8 * (width - 1 - i));
    return nx_buf_add(b, (nx_str){out, 1 + width});
}

nx_status nx_mp_put_nil(nx_buf *b)
{
    return put_head(b, 0xC0, 0, 0);
}

nx_status nx_mp_put_bool(nx_buf *b, bool v)
{
    return put_head(b, v ? 0xC3 : 0xC2, 0, 0);
}

nx_status nx_mp_put_u64(nx_buf *b, uint64_t v)
{
    if (v < 0x80)
        return put_head(b, (unsigned char)v, 0, 0);
    unsigned power = v <= 0xFF ? 0 : v <= 0xFFFF ? 1 : v <= 0xFFFFFFFF ? 2 : 3;
    return put_head(b, (unsigned char)(0xCC + power), v, 1u << power);
}

nx_status nx_mp_put_i64(nx_buf *b, int64_t v)
{
    if (v >= 0)
        return nx_mp_put_u64(b, (uint64_t)v);
    if (v >= -32)
        return put_head(b, (unsigned char)v, 0, 0);
    unsigned power = v >= INT8_MIN ? 0 : v >= INT16_MIN ? 1 : v >= INT32_MIN ? 2 : 3;
    return put_head(b, (unsigned char)(0xD0 + power), (uint64_t)v, 1u << power);
}

nx_status nx_mp_put_f64(nx_buf *b, double v)
{
    uint64_t word;
    memcpy(&word, &v, 8);
    return put_head(b, 0xCB, word, 8);
}

/* Head of something with a length: first is its form with one byte of length, or with two where there is no such. */
static nx_status put_length(nx_buf *b, unsigned char first, bool has_one_byte, uint64_t n)
{
    unsigned width = n <= 0xFF && has_one_byte ? 1 : n <= 0xFFFF ? 2 : 4;
    unsigned step = width == 1 ? 0 : width == 2 ? has_one_byte : 1u + has_one_byte;
    return n > UINT32_MAX ? NX_LIMIT : put_head(b, (unsigned char)(first + step), n, width);
}

nx_status nx_mp_put_str(nx_buf *b, nx_str v)
{
    NX_TRY(v.n < 32 ? put_head(b, (unsigned char)(0xA0 | v.n), 0, 0) : put_length(b, 0xD9, true, v.n));
    return nx_buf_add(b, v);
}

nx_status nx_mp_put_bin(nx_buf *b, nx_str v)
{
    NX_TRY(put_length(b, 0xC4, true, v.n));
    return nx_buf_add(b, v);
}

nx_status nx_mp_put_arr(nx_buf *b, uint32_t n)
{
    return n < 16 ? put_head(b, (unsigned char)(0x90 | n), 0, 0) : put_length(b, 0xDC, false, n);
}

nx_status nx_mp_put_map(nx_buf *b, uint32_t n)
{
    return n < 16 ? put_head(b, (unsigned char)(0x80 | n), 0, 0) : put_length(b, 0xDE, false, n);
}

nx_status nx_mp_put_ext(nx_buf *b, int8_t type, nx_str v)
{
    char t = (char)type;
    bool fix = v.n == 1 || v.n == 2 || v.n == 4 || v.n == 8 || v.n == 16;
    NX_TRY(fix ? put_head(b, (unsigned char)(0xD4 + __builtin_ctzll(v.n)), 0, 0) : put_length(b, 0xC7, true, v.n));
    NX_TRY(nx_buf_add(b, (nx_str){&t, 1}));
    return nx_buf_add(b, v);
}

nx_status nx_mp_put_time(nx_buf *b, int64_t ns)
{
    int64_t sec = ns / 1000000000, rest = ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        sec--;
    }
    if (rest == 0 && sec >= 0 && sec <= UINT32_MAX) {
        NX_TRY(put_head(b, 0xD6, 0xFF, 1));
        for (int i = 3; i >= 0; i--)
            NX_TRY(nx_buf_addc(b, (char)(sec >> 8 * i)));
        return NX_OK;
    }
    if (sec >= 0 && sec < INT64_C(1) << 34) {
        NX_TRY(put_head(b, 0xD7, 0xFF, 1));
        uint64_t word = (uint64_t)rest << 34 | (uint64_t)sec;
        return put_head(b, (unsigned char)(word >> 56), word, 7);
    }
    NX_TRY(put_head(b, 0xC7, 0x0CFF, 2));
    NX_TRY(put_head(b, (unsigned char)(rest >> 24), (uint64_t)rest, 3));
    return put_head(b, (unsigned char)((uint64_t)sec >> 56), (uint64_t)sec, 7);
}

/* ------------------------------------------------------------------ from JSON */

typedef struct job {
    const nx_mp_words *words;
    nx_buf *b;
    nx_err *err;
} job;

static bool in_list(const char *const *list, nx_str key)
{
    for (; list != NULL && *list != NULL; list++)
        if (nx_str_is(key, *list))
            return true;
    return false;
}

static bool same_number(nx_str a, nx_str b)
{
    static const int scales[] = {19, 38, 0};
    for (size_t i = 0; i < NX_COUNT_OF(scales); i++) {
        __int128 x, y;
        if (nx_dec_parse(a, 38, scales[i], &x) == NX_DEC_OK && nx_dec_parse(b, 38, scales[i], &y) == NX_DEC_OK)
            return x == y;
    }
    return false;
}

static nx_status put_number(job *j, const nx_val *v, bool as_float)
{
    __int128 whole;
    char text[NX_FLOAT_TEXT_MAX];
    bool plain = memchr(v->s.p, '.', v->s.n) == NULL && memchr(v->s.p, 'e', v->s.n) == NULL &&
                 memchr(v->s.p, 'E', v->s.n) == NULL && !nx_str_is(v->s, "-0");
    if (plain && !as_float && nx_dec_parse(v->s, 20, 0, &whole) == NX_DEC_OK && whole >= INT64_MIN &&
        whole <= UINT64_MAX)
        return whole < 0 ? nx_mp_put_i64(j->b, (int64_t)whole) : nx_mp_put_u64(j->b, (uint64_t)whole);
    double f = strtod(v->s.p, NULL); /* 0-terminated, a JSON number */
    size_t n = nx_f64_text(f, text);
    if (n == 0 || !same_number(v->s, (nx_str){text, n}))
        return nx_fail(j->err, NX_INVALID,
                       "the number " NX_STR_FMT
                       " is not carried exactly by msgpack, whose only fractions are 64-bit floats",
                       NX_STR_ARG(v->s));
    return nx_mp_put_f64(j->b, f);
}

static nx_status put(job *j, const nx_val *v, nx_str key)
{
    int64_t ns;
    switch (v->kind) {
    case NX_VAL_NULL:
        return nx_mp_put_nil(j->b);
    case NX_VAL_BOOL:
        return nx_mp_put_bool(j->b, v->b);
    case NX_VAL_NUM:
        return put_number(j, v, j->words != NULL && in_list(j->words->floats, key));
    case NX_VAL_STR:
        if (j->words != NULL && in_list(j->words->times, key) && nx_time_parse_ns(v->s, &ns))
            return nx_mp_put_time(j->b, ns);
        return nx_mp_put_str(j->b, v->s);
    case NX_VAL_ARR:
    case NX_VAL_OBJ:
        break;
    }
    bool map = v->kind == NX_VAL_OBJ;
    NX_TRY(map ? nx_mp_put_map(j->b, (uint32_t)v->n) : nx_mp_put_arr(j->b, (uint32_t)v->n));
    for (size_t i = 0; i < v->n; i++) {
        if (map)
            NX_TRY(nx_mp_put_str(j->b, v->keys[i]));
        NX_TRY(put(j, &v->items[i], map ? v->keys[i] : NX_STR("")));
    }
    return NX_OK;
}

nx_status nx_mp_from_json(nx_str json, const nx_mp_words *words, nx_buf *b, nx_err *err)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *v = NULL;
    const nx_json_opts opts = {.allow_dup_keys = true};
    NX_TRY(nx_json_parse(json, &opts, &a, &v, err));
    size_t before = b->n;
    job j = {words, b, err};
    nx_status st = put(&j, v, NX_STR(""));
    if (st == NX_OK)
        return st;
    b->n = before;
    if (b->p != NULL)
        b->p[before] = '\0';
    return st == NX_INVALID ? st
                            : nx_fail(err, st, "a JSON text of %zu bytes could not be written as msgpack: %s", json.n,
                                      nx_status_text(st));
}
