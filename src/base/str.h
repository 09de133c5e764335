/* base/str.h
 *
 * nx_str   a borrowed view: pointer and length, not 0-terminated.
 * nx_buf   an owned growable buffer that knows its maximum. Its bytes are always
 *          followed by a 0 once something was added, so b.p can be read as a C string.
 * Memory   A buffer never grows past the maximum given at init: a hostile peer
 *          cannot grow us without limit.
 * Thread   No locks: one owner at a time.
 */
#ifndef NX_BASE_STR_H
#define NX_BASE_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mark.h"
#include "base/status.h"

typedef struct nx_str {
    const char *p;
    size_t n;
} nx_str;

#define NX_STR(lit) ((nx_str){"" lit, sizeof(lit) - 1})
#define NX_STR_FMT "%.*s"
#define NX_STR_ARG(s) (int)(s).n, (s).p

static inline nx_str nx_str_of(const char *c)
{
    return (nx_str){c, c == NULL ? 0 : strlen(c)};
}
static inline bool nx_str_eq(nx_str a, nx_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool nx_str_is(nx_str a, const char *lit)
{
    return nx_str_eq(a, nx_str_of(lit));
}
static inline nx_str nx_str_sub(nx_str a, size_t from, size_t to)
{
    return (nx_str){a.p + from, to - from};
}
bool nx_str_starts(nx_str a, nx_str prefix);
bool nx_str_ends(nx_str a, nx_str suffix);
bool nx_str_eq_nocase(nx_str a, nx_str b); /* ASCII letters only */
int nx_str_cmp(nx_str a, nx_str b);        /* bytes, as memcmp; shorter first */
nx_str nx_str_trim(nx_str a);              /* ASCII space, tab, CR, LF at both ends */
/* Position of needle at or after from, or SIZE_MAX. */
size_t nx_str_find(nx_str a, nx_str needle, size_t from);
/* Cuts *rest at the first sep: returns the part before it, leaves the part after. False when *rest is spent
 * (p == NULL). An empty text yields one empty part. */
bool nx_str_split(nx_str *rest, char sep, nx_str *ret_part);
/* Decimal text with optional '-' that fits: true and *ret set. Nothing else is accepted. */
bool nx_str_to_i64(nx_str a, int64_t *ret);
/* True for well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF). */
bool nx_utf8_valid(nx_str a);
/* Writes code point cp (valid scalar value) to out[0..3]; returns the bytes used. */
size_t nx_utf8_put(uint32_t cp, char out[4]);
/* Code points of well-formed UTF-8. */
size_t nx_utf8_count(nx_str a);
/* Reads one code point at *i of valid UTF-8 and moves *i past it; U+FFFD and one byte on malformed input. */
uint32_t nx_utf8_get(nx_str a, size_t *i);
/* A malloc'ed, 0-terminated copy; NULL when out of memory. */
char *nx_str_dup(nx_str a);
/* The smaller edit distance finder behind "did you mean": index of the nearest of n names within
 * distance 3, or SIZE_MAX. */
size_t nx_str_nearest(nx_str word, const char *const *names, size_t n);

typedef struct nx_buf {
    char *p;
    size_t n, cap, max;
} nx_buf;

#define NX_BUF_MAX_DEFAULT ((size_t)256 << 20)

/* Cannot fail; bytes_max 0 means NX_BUF_MAX_DEFAULT. Drop with nx_buf_drop(). */
void nx_buf_init(nx_buf *b, size_t bytes_max);
void nx_buf_drop(nx_buf *b); /* frees; usable again after nx_buf_init */
static inline void nx_buf_clear(nx_buf *b)
{
    b->n = 0;
    if (b->p != NULL)
        b->p[0] = '\0';
}
/* Room for n more bytes plus the final 0. NX_LIMIT past the maximum, NX_NOMEM. */
NX_MUST_USE nx_status nx_buf_reserve(nx_buf *b, size_t n);
NX_MUST_USE nx_status nx_buf_add(nx_buf *b, nx_str s);
NX_MUST_USE nx_status nx_buf_adds(nx_buf *b, const char *cstr);
NX_MUST_USE nx_status nx_buf_addc(nx_buf *b, char c);
NX_PRINTF(2, 3) NX_MUST_USE nx_status nx_buf_addf(nx_buf *b, const char *fmt, ...);
NX_MUST_USE nx_status nx_buf_vaddf(nx_buf *b, const char *fmt, va_list ap);
/* Appends the text between two of the quote, those inside doubled: SQL's way. NX_INVALID: it holds a 0 byte, which SQL
 * cannot spell. */
NX_MUST_USE nx_status nx_buf_add_doubled(nx_buf *b, nx_str s, char quote);
/* Appends the text as a JSON string with quotes; bytes that are not UTF-8 become U+FFFD. */
NX_MUST_USE nx_status nx_buf_quote(nx_buf *b, nx_str s);
static inline nx_str nx_buf_str(const nx_buf *b)
{
    return (nx_str){b->p == NULL ? "" : b->p, b->n};
}
/* Hands the bytes (0-terminated, malloc'ed) to the caller and empties b. NULL when out of memory. */
char *nx_buf_take(nx_buf *b);

#define NX_BUF_AUTO NX_AUTO(nx_buf_drop)

#endif
