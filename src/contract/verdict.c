/* What a frame's verdict is made of: errors row after row in one array, refused rows in another. */
#include <stdarg.h>
#include <stdio.h>

#include "contract/decode_int.h"

void nx__verdict_begin(nx_decoder *d)
{
    d->n_errors = d->n_refused = 0;
    nx_arena_reset(&d->arena);
}

/* Text in the buffer of unescaped values, which the next value overwrites. */
static bool is_passing(const nx_decoder *d, nx_str v)
{
    uintptr_t p = (uintptr_t)v.p, from = (uintptr_t)d->text.p;
    return p >= from && p < from + d->text.cap;
}

/* Valid UTF-8 of at most 256 bytes: the bytes of the frame themselves where they serve. */
static nx_status clean_value(nx_decoder *d, nx_str v, nx_str *ret)
{
    size_t n = v.n;
    if (n > NX_VALUE_BYTES_MAX) {
        n = NX_VALUE_BYTES_MAX;
        while (n > NX_VALUE_BYTES_MAX - 4 && ((unsigned char)v.p[n] & 0xC0) == 0x80)
            n--; /* not inside a character */
    }
    *ret = (nx_str){v.p, n};
    if (n == 0 || (nx_utf8_valid(*ret) && !is_passing(d, v)))
        return NX_OK;
    char *copy = nx_arena_calloc(&d->arena, n, 3);
    if (copy == NULL)
        return NX_NOMEM;
    size_t i = 0, k = 0;
    while (i < n)
        k += nx_utf8_put(nx_utf8_get(*ret, &i), copy + k);
    while (k > NX_VALUE_BYTES_MAX || (k > 0 && !nx_utf8_valid((nx_str){copy, k})))
        k--;
    *ret = (nx_str){copy, k};
    return NX_OK;
}

nx_status nx__row_error(nx_decoder *d, const nx_row *r, const char *field, const char *rule, nx_str value,
                        const char *fmt, ...)
{
    size_t of_row = r == NULL ? 0 : d->n_errors - r->first_error;
    if (of_row >= NX_ROW_ERRORS_MAX || (of_row > 0 && d->n_errors >= NX_ERRORS_MAX))
        return NX_OK;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || !nx_grow(&d->errors, &d->cap_errors, d->n_errors + 1, sizeof *d->errors))
        return NX_NOMEM;
    nx_row_error *e = &d->errors[d->n_errors];
    *e = (nx_row_error){.index = r == NULL ? -1 : r->index, .field = field, .rule = rule};
    e->message = nx_arena_dup(&d->arena, nx_str_of(text));
    if (e->message == NULL)
        return NX_NOMEM;
    NX_TRY(clean_value(d, value, &e->value));
    d->n_errors++;
    return NX_OK;
}

nx_status nx__refuse(nx_decoder *d, int32_t index, const nx_contract *c, nx_str raw, size_t first_error)
{
    if (!nx_grow(&d->refused, &d->cap_refused, d->n_refused + 1, sizeof *d->refused) ||
        !nx_grow(&d->refused_first, &d->cap_first, d->n_refused + 1, sizeof *d->refused_first))
        return NX_NOMEM;
    d->refused_first[d->n_refused] = first_error;
    d->refused[d->n_refused++] =
        (nx_refused){.index = index, .contract = c, .raw = raw, .n_errors = d->n_errors - first_error};
    return NX_OK;
}

void nx__verdict_end(nx_decoder *d, nx_verdict *ret)
{
    for (size_t i = 0; i < d->n_refused; i++)
        d->refused[i].errors = d->errors + d->refused_first[i];
    ret->rejected = (uint32_t)d->n_refused;
    ret->refused = d->n_refused == 0 ? NULL : d->refused;
}
