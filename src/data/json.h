/* data/json.h
 *
 * JSON by RFC 8259, strictly: UTF-8 only, no comments, no trailing commas, lone surrogate escapes refused.
 * Duplicate keys are refused unless allowed. Errors carry line, column and what was expected.
 * Thread   No shared state.
 */
#ifndef NX_DATA_JSON_H
#define NX_DATA_JSON_H

#include "data/value.h"

typedef struct nx_json_opts {
    size_t depth_max;    /* 0 means 64 */
    bool allow_dup_keys; /* false: NX_INVALID */
} nx_json_opts;

/* Parses exactly one value (white space around it allowed). NX_INVALID with place and cause; NX_NOMEM when the arena is
 * full. opts may be NULL. */
NX_MUST_USE nx_status nx_json_parse(nx_str text, const nx_json_opts *opts, nx_arena *a, nx_val **ret, nx_err *err);

/* The writer: commas and nesting are its business. Values after nx_jw_key() in objects, bare in arrays. After the first
 * failure (NX_LIMIT: the buffer is full or nesting is deeper than 64; NX_NOMEM) it does nothing more and nx_jw_end()
 * tells. */
typedef struct nx_jw {
    nx_buf *b;
    nx_status st;
    unsigned depth;
    uint64_t has; /* bit a level: something was written there */
    bool after_key;
} nx_jw;

void nx_jw_begin(nx_jw *w, nx_buf *b);
void nx_jw_obj(nx_jw *w);
void nx_jw_obj_end(nx_jw *w);
void nx_jw_arr(nx_jw *w);
void nx_jw_arr_end(nx_jw *w);
void nx_jw_key(nx_jw *w, const char *key);
void nx_jw_key_str(nx_jw *w, nx_str key);
void nx_jw_str(nx_jw *w, nx_str s);       /* invalid UTF-8 bytes become U+FFFD */
void nx_jw_cstr(nx_jw *w, const char *s); /* NULL writes null */
void nx_jw_i64(nx_jw *w, int64_t v);
/* The fewest digits that read back equal (data/float.h); NaN and infinities write null. */
void nx_jw_f64(nx_jw *w, double v);
void nx_jw_bool(nx_jw *w, bool v);
void nx_jw_null(nx_jw *w);
void nx_jw_raw(nx_jw *w, nx_str json); /* text that is JSON already: numbers, sub-trees */
NX_PRINTF(2, 3) void nx_jw_strf(nx_jw *w, const char *fmt, ...);
/* A key and its value. */
void nx_jw_put_str(nx_jw *w, const char *key, nx_str v);
void nx_jw_put_cstr(nx_jw *w, const char *key, const char *v); /* NULL writes null */
void nx_jw_put_i64(nx_jw *w, const char *key, int64_t v);
void nx_jw_put_f64(nx_jw *w, const char *key, double v);
void nx_jw_put_bool(nx_jw *w, const char *key, bool v);
void nx_jw_put_raw(nx_jw *w, const char *key, nx_str json);
NX_MUST_USE nx_status nx_jw_end(nx_jw *w); /* asserts that all is closed */

#endif
