#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool nx_str_starts(nx_str a, nx_str prefix)
{
    return a.n >= prefix.n && memcmp(a.p, prefix.p, prefix.n) == 0;
}

bool nx_str_ends(nx_str a, nx_str suffix)
{
    return a.n >= suffix.n && memcmp(a.p + a.n - suffix.n, suffix.p, suffix.n) == 0;
}

static unsigned char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : (unsigned char)c;
}

bool nx_str_eq_nocase(nx_str a, nx_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

int nx_str_cmp(nx_str a, nx_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n == 0 ? 0 : memcmp(a.p, b.p, n);
    return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

nx_str nx_str_trim(nx_str a)
{
    while (a.n > 0 && is_space(a.p[0])) {
        a.p++;
        a.n--;
    }
    while (a.n > 0 && is_space(a.p[a.n - 1]))
        a.n--;
    return a;
}

size_t nx_str_find(nx_str a, nx_str needle, size_t from)
{
    if (from > a.n || needle.n > a.n - from)
        return SIZE_MAX;
    if (needle.n == 0)
        return from;
    const char *hit = memmem(a.p + from, a.n - from, needle.p, needle.n);
    return hit == NULL ? SIZE_MAX : (size_t)(hit - a.p);
}

bool nx_str_split(nx_str *rest, char sep, nx_str *ret_part)
{
    if (rest->p == NULL)
        return false;
    const char *hit = rest->n == 0 ? NULL : memchr(rest->p, sep, rest->n);
    if (hit == NULL) {
        *ret_part = *rest;
        *rest = (nx_str){NULL, 0};
        return true;
    }
    size_t at = (size_t)(hit - rest->p);
    *ret_part = (nx_str){rest->p, at};
    *rest = (nx_str){hit + 1, rest->n - at - 1};
    return true;
}

bool nx_str_to_i64(nx_str a, int64_t *ret)
{
    bool neg = a.n > 0 && a.p[0] == '-';
    size_t i = neg ? 1 : 0;
    if (i == a.n)
        return false;
    int64_t v = 0;
    for (; i < a.n; i++) {
        if (a.p[i] < '0' || a.p[i] > '9')
            return false;
        int d = a.p[i] - '0';
        if (__builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, d, &v))
            return false; /* counted downwards, so that INT64_MIN fits */
    }
    if (!neg && v == INT64_MIN)
        return false;
    *ret = neg ? v : -v;
    return true;
}

/* The length of the well-formed sequence at p (1 to 4), or 0. RFC 3629 section 4. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xC2 && p[0] <= 0xDF)
        return n >= 2 && (p[1] & 0xC0) == 0x80 ? 2 : 0;
    if ((p[0] & 0xF0) == 0xE0) {
        if (n < 3 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))
            return 0;
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4) {
        if (n < 4 || (p[1] & 0xC0) != 0x80 || (p[2] & 0xC0) != 0x80 || (p[3] & 0xC0) != 0x80)
            return 0;
        if ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))
            return 0;
        return 4;
    }
    return 0;
}

bool nx_utf8_valid(nx_str a)
{
    const unsigned char *p = (const unsigned char *)a.p;
    size_t i = 0;
    while (i < a.n) {
        uint64_t w;
        while (a.n - i >= 8 && (memcpy(&w, p + i, 8), (w & 0x8080808080808080u) == 0))
            i += 8;
        if (i == a.n)
            break;
        size_t k = utf8_len(p + i, a.n - i);
        if (k == 0)
            return false;
        i += k;
    }
    return true;
}

size_t nx_utf8_put(uint32_t cp, char out[4])
{
    if (cp < 0x80) {
        out[0] = (char)cp;
        return 1;
    }
    if (cp < 0x800) {
        out[0] = (char)(0xC0 | cp >> 6);
        out[1] = (char)(0x80 | (cp & 0x3F));
        return 2;
    }
    if (cp < 0x10000) {
        out[0] = (char)(0xE0 | cp >> 12);
        out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
        out[2] = (char)(0x80 | (cp & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | cp >> 18);
    out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
    out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
    out[3] = (char)(0x80 | (cp & 0x3F));
    return 4;
}

size_t nx_utf8_count(nx_str a)
{
    size_t n = 0;
    for (size_t i = 0; i < a.n; i++)
        n += ((unsigned char)a.p[i] & 0xC0) != 0x80; /* all but continuation bytes */
    return n;
}

uint32_t nx_utf8_get(nx_str a, size_t *i)
{
    const unsigned char *p = (const unsigned char *)a.p + *i;
    size_t k = utf8_len(p, a.n - *i);
    *i += k == 0 ? 1 : k;
    switch (k) {
    case 1:
        return p[0];
    case 2:
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3:
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
               (p[3] & 0x3F);
    default:
        return 0xFFFD;
    }
}

char *nx_str_dup(nx_str a)
{
    char *c = malloc(a.n + 1);
    if (c == NULL)
        return NULL;
    if (a.n > 0)
        memcpy(c, a.p, a.n);
    c[a.n] = '\0';
    return c;
}

/* Levenshtein distance; words over 63 bytes count as far apart. */
static size_t edit_distance(nx_str a, nx_str b)
{
    size_t row[64];
    if (a.n > 63 || b.n > 63)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diag = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t best = diag + (lower(a.p[i - 1]) != lower(b.p[j - 1]));
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diag = row[j];
            row[j] = best;
        }
    }
    return row[b.n];
}

size_t nx_str_nearest(nx_str word, const char *const *names, size_t n)
{
    size_t best = SIZE_MAX, best_at = SIZE_MAX;
    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(word, nx_str_of(names[i]));
        if (d < best) {
            best = d;
            best_at = i;
        }
    }
    return best <= 3 && best < word.n ? best_at : SIZE_MAX;
}

void nx_buf_init(nx_buf *b, size_t bytes_max)
{
    *b = (nx_buf){NULL, 0, 0, bytes_max == 0 ? NX_BUF_MAX_DEFAULT : bytes_max};
}

void nx_buf_drop(nx_buf *b)
{
    free(b->p);
    b->p = NULL;
    b->n = b->cap = 0;
}

nx_status nx_buf_reserve(nx_buf *b, size_t n)
{
    if (n > b->max || b->n > b->max - n)
        return NX_LIMIT;
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return NX_OK;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    char *p = realloc(b->p, cap);
    if (p == NULL)
        return NX_NOMEM;
    b->p = p;
    b->cap = cap;
    return NX_OK;
}

nx_status nx_buf_add(nx_buf *b, nx_str s)
{
    NX_TRY(nx_buf_reserve(b, s.n));
    if (s.n > 0)
        memcpy(b->p + b->n, s.p, s.n);
    b->n += s.n;
    b->p[b->n] = '\0';
    return NX_OK;
}

nx_status nx_buf_adds(nx_buf *b, const char *cstr)
{
    return nx_buf_add(b, nx_str_of(cstr));
}

nx_status nx_buf_addc(nx_buf *b, char c)
{
    return nx_buf_add(b, (nx_str){&c, 1});
}

nx_status nx_buf_vaddf(nx_buf *b, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (n < 0)
        return NX_INTERNAL;
    NX_TRY(nx_buf_reserve(b, (size_t)n));
    vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
    b->n += (size_t)n;
    return NX_OK;
}

nx_status nx_buf_addf(nx_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    nx_status st = nx_buf_vaddf(b, fmt, ap);
    va_end(ap);
    return st;
}

char *nx_buf_take(nx_buf *b)
{
    if (b->p == NULL && nx_buf_reserve(b, 0) != NX_OK)
        return NULL;
    char *p = b->p;
    p[b->n] = '\0';
    b->p = NULL;
    b->n = b->cap = 0;
    return p;
}
