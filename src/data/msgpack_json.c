/* One msgpack value as JSON text. */
#include "data/msgpack.h"
#include "data/time.h"

typedef struct job {
    nx_mp_in in;
    nx_buf *b;
    const char *begin;
    nx_err *err;
} job;

static nx_status broken(const job *j, const char *at, const char *what)
{
    return nx_fail(j->err, NX_INVALID, "byte %zu: %s", (size_t)(at - j->begin), what);
}

static nx_status unsayable(const job *j, const char *at, const char *what)
{
    return nx_fail(j->err, NX_UNSUPPORTED, "byte %zu: %s", (size_t)(at - j->begin), what);
}

static nx_status put_text(job *j, nx_str s, const char *at)
{
    if (!nx_utf8_valid(s))
        return broken(j, at, "text that is not valid UTF-8");
    return nx_buf_quote(j->b, s);
}

static nx_status put_number(job *j, const nx_mp *v, const char *at)
{
    char out[NX_MP_NUMBER_MAX];
    size_t n = nx_mp_number(v, out);
    return n == 0 ? unsayable(j, at, "NaN and infinities are no JSON") : nx_buf_add(j->b, (nx_str){out, n});
}

static nx_status put_time(job *j, const nx_mp *v, const char *at)
{
    char out[40];
    int64_t ns;
    if (!nx_mp_time_ns(v, &ns))
        return unsayable(j, at, "a timestamp outside 1678 to 2262");
    size_t n = nx_time_format_ns(ns, out);
    return nx_buf_quote(j->b, (nx_str){out, n});
}

static nx_status put_value(job *j, unsigned depth);

static nx_status put_members(job *j, const nx_mp *v, unsigned depth, const char *at)
{
    bool map = v->kind == NX_MP_MAP;
    if (depth >= NX_MP_DEPTH_MAX)
        return broken(j, at, "nested deeper than 64");
    NX_TRY(nx_buf_addc(j->b, map ? '{' : '['));
    for (uint32_t i = 0; i < v->n; i++) {
        if (i > 0)
            NX_TRY(nx_buf_addc(j->b, ','));
        if (map) {
            nx_mp key;
            const char *key_at = j->in.p;
            if (!nx_mp_next(&j->in, &key))
                return broken(j, j->in.bad, j->in.what);
            if (key.kind != NX_MP_STR)
                return unsayable(j, key_at, "a member name that is no text");
            NX_TRY(put_text(j, key.s, key_at));
            NX_TRY(nx_buf_addc(j->b, ':'));
        }
        NX_TRY(put_value(j, depth + 1));
    }
    return nx_buf_addc(j->b, map ? '}' : ']');
}

static nx_status put_value(job *j, unsigned depth)
{
    nx_mp v;
    const char *at = j->in.p;
    if (!nx_mp_next(&j->in, &v))
        return broken(j, j->in.bad, j->in.what);
    switch (v.kind) {
    case NX_MP_NIL:
        return nx_buf_adds(j->b, "null");
    case NX_MP_BOOL:
        return nx_buf_adds(j->b, v.b ? "true" : "false");
    case NX_MP_INT:
    case NX_MP_UINT:
    case NX_MP_FLOAT:
        return put_number(j, &v, at);
    case NX_MP_STR:
        return put_text(j, v.s, at);
    case NX_MP_TIME:
        return put_time(j, &v, at);
    case NX_MP_ARR:
    case NX_MP_MAP:
        return put_members(j, &v, depth, at);
    case NX_MP_BIN:
        return unsayable(j, at, "bytes, which JSON cannot hold");
    case NX_MP_EXT:
        break;
    }
    return unsayable(j, at, "an extension, which JSON cannot hold");
}

nx_status nx_mp_to_json(nx_str value, nx_buf *b, nx_err *err)
{
    job j = {.in = nx_mp_open(value), .b = b, .begin = value.p, .err = err};
    nx_status st = put_value(&j, 0);
    if (st == NX_OK && j.in.p != j.in.end)
        st = broken(&j, j.in.p, "nothing expected behind the end");
    if (st == NX_LIMIT || st == NX_NOMEM)
        return nx_fail(err, st, "msgpack of %zu bytes could not be written as JSON: %s", value.n, nx_status_text(st));
    return st;
}
