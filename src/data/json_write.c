#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "data/float.h"
#include "data/json.h"

enum { LEVELS_MAX = 64 };

static void put(nx_jw *w, nx_str s)
{
    if (w->st == NX_OK)
        w->st = nx_buf_add(w->b, s);
}

/* The comma before a value or key, where one belongs. */
static void separate(nx_jw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    uint64_t bit = UINT64_C(1) << (w->depth - 1);
    if (w->has & bit)
        put(w, NX_STR(","));
    w->has |= bit;
}

static void open_level(nx_jw *w, nx_str bracket)
{
    separate(w);
    if (w->depth == LEVELS_MAX) {
        w->st = w->st == NX_OK ? NX_LIMIT : w->st;
        return;
    }
    put(w, bracket);
    w->has &= ~(UINT64_C(1) << w->depth);
    w->depth++;
}

static void close_level(nx_jw *w, nx_str bracket)
{
    if (w->st != NX_OK)
        return;
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    put(w, bracket);
}

void nx_jw_begin(nx_jw *w, nx_buf *b)
{
    *w = (nx_jw){.b = b};
}

void nx_jw_obj(nx_jw *w)
{
    open_level(w, NX_STR("{"));
}

void nx_jw_obj_end(nx_jw *w)
{
    close_level(w, NX_STR("}"));
}

void nx_jw_arr(nx_jw *w)
{
    open_level(w, NX_STR("["));
}

void nx_jw_arr_end(nx_jw *w)
{
    close_level(w, NX_STR("]"));
}

void nx_jw_key_str(nx_jw *w, nx_str key)
{
    assert(!w->after_key);
    separate(w);
    if (w->st == NX_OK)
        w->st = nx_buf_quote(w->b, key);
    put(w, NX_STR(":"));
    w->after_key = true;
}

void nx_jw_key(nx_jw *w, const char *key)
{
    nx_jw_key_str(w, nx_str_of(key));
}

void nx_jw_str(nx_jw *w, nx_str s)
{
    separate(w);
    if (w->st == NX_OK)
        w->st = nx_buf_quote(w->b, s);
}

void nx_jw_cstr(nx_jw *w, const char *s)
{
    if (s == NULL)
        nx_jw_null(w);
    else
        nx_jw_str(w, nx_str_of(s));
}

void nx_jw_raw(nx_jw *w, nx_str json)
{
    separate(w);
    put(w, json);
}

void nx_jw_i64(nx_jw *w, int64_t v)
{
    char out[24];
    int n = snprintf(out, sizeof out, "%lld", (long long)v);
    nx_jw_raw(w, (nx_str){out, (size_t)n});
}

void nx_jw_f64(nx_jw *w, double v)
{
    char out[NX_FLOAT_TEXT_MAX];
    size_t n = nx_f64_text(v, out);
    nx_jw_raw(w, n == 0 ? NX_STR("null") : (nx_str){out, n});
}

void nx_jw_bool(nx_jw *w, bool v)
{
    nx_jw_raw(w, v ? NX_STR("true") : NX_STR("false"));
}

void nx_jw_null(nx_jw *w)
{
    nx_jw_raw(w, NX_STR("null"));
}

void nx_jw_strf(nx_jw *w, const char *fmt, ...)
{
    NX_BUF_AUTO nx_buf text;
    nx_buf_init(&text, 0);
    va_list ap;
    va_start(ap, fmt);
    nx_status st = nx_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    if (st == NX_OK)
        nx_jw_str(w, nx_buf_str(&text));
    else if (w->st == NX_OK)
        w->st = st;
}

void nx_jw_put_str(nx_jw *w, const char *key, nx_str v)
{
    nx_jw_key(w, key);
    nx_jw_str(w, v);
}

void nx_jw_put_cstr(nx_jw *w, const char *key, const char *v)
{
    nx_jw_key(w, key);
    nx_jw_cstr(w, v);
}

void nx_jw_put_i64(nx_jw *w, const char *key, int64_t v)
{
    nx_jw_key(w, key);
    nx_jw_i64(w, v);
}

void nx_jw_put_f64(nx_jw *w, const char *key, double v)
{
    nx_jw_key(w, key);
    nx_jw_f64(w, v);
}

void nx_jw_put_bool(nx_jw *w, const char *key, bool v)
{
    nx_jw_key(w, key);
    nx_jw_bool(w, v);
}

void nx_jw_put_raw(nx_jw *w, const char *key, nx_str json)
{
    nx_jw_key(w, key);
    nx_jw_raw(w, json);
}

nx_status nx_jw_end(nx_jw *w)
{
    assert(w->st != NX_OK || (w->depth == 0 && !w->after_key));
    return w->st;
}
