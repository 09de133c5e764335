/* Python's two ways of formatting: "%s and %05.2f" and "{} and {name:>10}". */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

typedef struct spec {
    uint32_t fill;
    char align; /* < > ^ = or 0 */
    char sign;  /* + - space or 0 */
    bool alt, zero, comma;
    int64_t width;
    int precision; /* -1: none */
    char type;     /* 0: by the value */
} spec;

enum { WIDTH_MAX = 100000, PRECISION_MAX = 60 };

static nx_status parse_count(nx_jrun *run, nx_str f, size_t *i, int64_t max, int64_t *ret)
{
    int64_t v = 0;
    for (; *i < f.n && isdigit((unsigned char)f.p[*i]); ++*i) {
        v = v * 10 + (f.p[*i] - '0');
        if (v > max)
            return jfail(run, "a width or precision in a format is larger than %lld", (long long)max);
    }
    *ret = v;
    return NX_OK;
}

/* The digits of v in the base of the type, with thousands commas where wanted. */
static nx_status whole_digits(int64_t v, const spec *s, char *out, size_t n)
{
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    char digits[80];
    size_t k = sizeof digits;
    unsigned base = s->type == 'x' || s->type == 'X' ? 16 : s->type == 'o' ? 8 : s->type == 'b' ? 2 : 10;
    const char *set = s->type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    unsigned count = 0;
    digits[--k] = '\0';
    do {
        if (s->comma && count > 0 && count % 3 == 0)
            digits[--k] = ',';
        digits[--k] = set[u % base];
        count++;
    } while ((u /= base) > 0);
    const char *prefix = !s->alt || base == 10 ? ""
                         : base == 16          ? (s->type == 'X' ? "0X" : "0x")
                         : base == 8           ? "0o"
                                               : "0b";
    snprintf(out, n, "%s%s", prefix, digits + k);
    return NX_OK;
}

/* Thousands commas into the whole part of a number's text. */
static void add_commas(char *text, size_t n)
{
    size_t whole = strspn(text, "0123456789"), len = strlen(text), extra = whole == 0 ? 0 : (whole - 1) / 3;
    if (len + extra >= n)
        return;
    memmove(text + whole + extra, text + whole, len - whole + 1);
    for (size_t k = 1, from = whole, to = whole + extra; from > 0 && to > from; k++) {
        text[--to] = text[--from];
        if (k % 3 == 0 && to > from)
            text[--to] = ',';
    }
}

/* The magnitude of a float as text. */
static nx_status float_digits(nx_jrun *run, double f, const spec *s, char *out, size_t n)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 4096);
    f = fabs(f);
    char type = s->type;
    int prec = s->precision < 0 ? 6 : s->precision;
    if (type == 0 && s->precision < 0) {
        if (nx__jfloat_repr(f, &b) != NX_OK)
            return nx__jnomem(run);
        snprintf(out, n, "%s", b.p);
    } else if (type == '%') {
        snprintf(out, n, "%.*f%%", prec, f * 100);
    } else {
        char fmt[8] = {'%', '.', '*', type == 0 || type == 'n' ? 'g' : type, '\0'};
        snprintf(out, n, fmt, prec, f);
        if (type == 0 && strpbrk(out, ".en") == NULL && strlen(out) + 2 < n)
            memcpy(out + strlen(out), ".0", 3);
    }
    if (s->comma)
        add_commas(out, n);
    return NX_OK;
}

/* Sign, digits and padding together. */
static nx_status put_number(nx_jrun *run, bool negative, const char *digits, const spec *s, nx_buf *out)
{
    const char *sign = negative ? "-" : s->sign == '+' ? "+" : s->sign == ' ' ? " " : "";
    int64_t n = (int64_t)(strlen(sign) + strlen(digits)), gap = s->width > n ? s->width - n : 0;
    char align = s->align == 0 ? (s->zero ? '=' : '>') : s->align;
    char fill[4];
    nx_str fill_s = {fill, nx_utf8_put(s->zero && s->align == 0 ? '0' : s->fill, fill)};
    int64_t left = align == '<' ? 0 : align == '^' ? gap / 2 : gap;
    nx_status st = align == '=' ? nx_buf_adds(out, sign) : NX_OK;
    size_t prefix = align == '=' && digits[0] == '0' && digits[1] != '\0' && strchr("xXob", digits[1]) != NULL ? 2 : 0;
    if (st == NX_OK)
        st = nx_buf_add(out, (nx_str){digits, prefix});
    for (int64_t i = 0; i < left && st == NX_OK; i++)
        st = nx_buf_add(out, fill_s);
    if (st == NX_OK && align != '=')
        st = nx_buf_adds(out, sign);
    if (st == NX_OK)
        st = nx_buf_adds(out, digits + prefix);
    for (int64_t i = left; i < gap && st == NX_OK; i++)
        st = nx_buf_add(out, fill_s);
    return st == NX_OK ? NX_OK : nx__jnomem(run);
}

static nx_status put_text(nx_jrun *run, nx_str text, const spec *s, nx_buf *out)
{
    if (s->precision >= 0)
        text.n = nx__jstr_byte(text, (size_t)s->precision);
    int64_t n = (int64_t)nx_utf8_count(text), gap = s->width > n ? s->width - n : 0;
    char fill[4];
    nx_str fill_s = {fill, nx_utf8_put(s->fill, fill)};
    int64_t left = s->align == '>' ? gap : s->align == '^' ? gap / 2 : 0;
    nx_status st = NX_OK;
    for (int64_t i = 0; i < left && st == NX_OK; i++)
        st = nx_buf_add(out, fill_s);
    if (st == NX_OK)
        st = nx_buf_add(out, text);
    for (int64_t i = left; i < gap && st == NX_OK; i++)
        st = nx_buf_add(out, fill_s);
    return st == NX_OK ? NX_OK : nx__jnomem(run);
}

static nx_status put_value(nx_jrun *run, const nx_jval *v, const spec *s, nx_buf *out)
{
    char digits[512]; /* 1e308 with 60 decimals fits */
    int64_t i;
    double f;
    bool float_type = s->type != 0 && strchr("eEfFgG%n", s->type) != NULL,
         int_type = s->type != 0 && strchr("dxXob", s->type) != NULL;
    if (s->type == 'c' && nx__jval_integer(v, &i)) {
        char c[4];
        if (i < 0 || i > 0x10FFFF || (i >= 0xD800 && i <= 0xDFFF))
            return jfail(run, "%lld is no character", (long long)i);
        size_t n = nx_utf8_put((uint32_t)i, c);
        return put_text(run, (nx_str){c, n}, s, out);
    }
    if ((v->kind == NX_J_INT || (v->kind == NX_J_BOOL && int_type)) && !float_type && s->type != 's') {
        (void)nx__jval_integer(v, &i);
        NX_TRY(whole_digits(i, s, digits, sizeof digits));
        return put_number(run, i < 0, digits, s, out);
    }
    if ((float_type || (v->kind == NX_J_FLOAT && s->type == 0)) && nx__jval_number(v, &f)) {
        NX_TRY(float_digits(run, f, s, digits, sizeof digits));
        return put_number(run, signbit(f) != 0, digits, s, out);
    }
    if (s->type != 0 && s->type != 's')
        return v->kind == NX_J_UNDEF ? nx__jundef_fail(run, v)
                                     : jfail(run, "the format '%c' does not take a '%s'", s->type, nx_jval_type(v));
    nx_str text;
    NX_TRY(nx__jval_text(run, v, &text));
    return put_text(run, text, s, out);
}

/* ---- percent ---- */

static nx_status percent_value(nx_jrun *run, nx_str fmt, size_t *i, const nx_jargs *args, size_t *next, nx_jval *ret)
{
    if (*i < fmt.n && fmt.p[*i] == '(') {
        size_t close = nx_str_find(fmt, NX_STR(")"), *i);
        if (close == SIZE_MAX)
            return jfail(run, "a format has '%%(' without ')'");
        nx_jval key = nx_jval_str(nx_str_sub(fmt, *i + 1, close));
        *i = close + 1;
        const nx_jval *v = NULL;
        if (args->n == 1 && args->v[0].kind == NX_J_DICT)
            v = nx_jdict_get(args->v[0].dict, &key);
        for (size_t k = 0; k < args->n_kw && v == NULL; k++)
            if (nx_jval_equal(&args->kw[k].key, &key))
                v = &args->kw[k].value;
        if (v == NULL)
            return jfail(run, "a format names '" NX_STR_FMT "', which was not given", NX_STR_ARG(key.s));
        *ret = *v;
        *next = SIZE_MAX;
        return NX_OK;
    }
    *ret = nx_jval_none();
    return NX_OK;
}

static nx_status percent_one(nx_jrun *run, nx_str fmt, size_t *i, const nx_jargs *args, size_t *next, nx_buf *out)
{
    spec s = {.fill = ' ', .precision = -1};
    nx_jval v;
    NX_TRY(percent_value(run, fmt, i, args, next, &v));
    for (; *i < fmt.n && memchr("#0- +", fmt.p[*i], 5) != NULL; ++*i) {
        char c = fmt.p[*i];
        s.alt |= c == '#';
        s.zero |= c == '0';
        s.align = c == '-' ? '<' : s.align;
        s.sign = c == '+' || (c == ' ' && s.sign == 0) ? c : s.sign;
    }
    NX_TRY(parse_count(run, fmt, i, WIDTH_MAX, &s.width));
    if (*i < fmt.n && fmt.p[*i] == '.') {
        int64_t p = 0;
        ++*i;
        NX_TRY(parse_count(run, fmt, i, PRECISION_MAX, &p));
        s.precision = (int)p;
    }
    char c = *i < fmt.n ? fmt.p[(*i)++] : '\0';
    if (c == '%')
        return nx_buf_addc(out, '%') == NX_OK ? NX_OK : nx__jnomem(run);
    if (c == '\0' || strchr("srdiuxXoeEfFgGc", c) == NULL)
        return jfail(run, "a format has an unknown conversion after '%%'");
    if (*next != SIZE_MAX) {
        if (*next >= args->n)
            return jfail(run, "a format wants more values than the %zu given", args->n);
        v = args->v[(*next)++];
    }
    s.type = c == 'i' || c == 'u' ? 'd' : c;
    if (c == 's' || c == 'r') {
        s.type = 's';
        s.align = s.align == 0 ? '>' : s.align;
    }
    if (s.type == 'd' && v.kind == NX_J_FLOAT) {
        if (!(fabs(v.f) < 9.2e18))
            return jfail(run, "a number leaves the range of 64 bits");
        v = nx_jval_int((int64_t)v.f);
    }
    if (c != 'r')
        return put_value(run, &v, &s, out);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    NX_TRY(nx_jval_repr(run, &v, &b, run->err));
    return put_text(run, nx_buf_str(&b), &s, out);
}

nx_status nx__jformat_percent(nx_jrun *run, nx_str fmt, const nx_jargs *args, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    size_t next = 0;
    bool single_map = args->n == 1 && args->v[0].kind == NX_J_DICT;
    for (size_t i = 0; i < fmt.n;) {
        size_t hit = nx_str_find(fmt, NX_STR("%"), i);
        if (hit == SIZE_MAX)
            hit = fmt.n;
        if (nx_buf_add(&b, nx_str_sub(fmt, i, hit)) != NX_OK)
            return nx__jnomem(run);
        i = hit + 1;
        if (hit < fmt.n)
            NX_TRY(percent_one(run, fmt, &i, args, &next, &b));
    }
    if (next != SIZE_MAX && next < args->n && !single_map)
        return jfail(run, "a format takes %zu values, %zu were given", next, args->n);
    return nx__jbuf_val(run, &b, ret);
}

/* ---- braces ---- */

/* [[fill]align][sign][#][0][width][,][.precision][type] */
static nx_status parse_spec(nx_jrun *run, nx_str f, spec *s)
{
    *s = (spec){.fill = ' ', .precision = -1};
    size_t i = 0, after = 0;
    uint32_t first = f.n > 0 ? nx_utf8_get(f, &after) : 0;
    if (after < f.n && strchr("<>^=", f.p[after]) != NULL) {
        s->fill = first;
        s->align = f.p[after];
        i = after + 1;
    } else if (f.n > 0 && strchr("<>^=", f.p[0]) != NULL) {
        s->align = f.p[i++];
    }
    if (i < f.n && strchr("+- ", f.p[i]) != NULL)
        s->sign = f.p[i++];
    if (i < f.n && f.p[i] == '#')
        s->alt = f.p[i++] == '#';
    if (i < f.n && f.p[i] == '0')
        s->zero = f.p[i++] == '0';
    NX_TRY(parse_count(run, f, &i, WIDTH_MAX, &s->width));
    if (i < f.n && f.p[i] == ',')
        s->comma = f.p[i++] == ',';
    if (i < f.n && f.p[i] == '.') {
        int64_t p = 0;
        i++;
        NX_TRY(parse_count(run, f, &i, PRECISION_MAX, &p));
        s->precision = (int)p;
    }
    if (i < f.n && strchr("sdxXobceEfFgG%n", f.p[i]) != NULL)
        s->type = f.p[i++];
    if (i != f.n)
        return jfail(run, "the format '" NX_STR_FMT "' is not understood", NX_STR_ARG(f));
    return NX_OK;
}

/* name, 0, name.attr, name[key] */
static nx_status brace_value(nx_jrun *run, nx_str field, const nx_jargs *args, size_t *next, nx_jval *ret)
{
    size_t n = 0;
    while (n < field.n && field.p[n] != '.' && field.p[n] != '[')
        n++;
    nx_str name = nx_str_sub(field, 0, n);
    int64_t at = -1;
    const nx_jval *v = NULL;
    bool number = nx_str_to_i64(name, &at);
    if ((name.n == 0 && *next == SIZE_MAX) || (number && *next != SIZE_MAX && *next > 0))
        return jfail(run, "a format mixes '{}' and '{0}'");
    if (number)
        *next = SIZE_MAX;
    else
        at = name.n == 0 ? (int64_t)(*next)++ : -1;
    if (at >= 0 && (size_t)at < args->n)
        v = &args->v[at];
    for (size_t k = 0; k < args->n_kw && v == NULL && at < 0; k++)
        if (nx_str_eq(args->kw[k].key.s, name))
            v = &args->kw[k].value;
    if (v == NULL)
        return jfail(run, "a format names '{" NX_STR_FMT "}', which was not given", NX_STR_ARG(name));
    *ret = *v;
    while (n < field.n) {
        bool item = field.p[n++] == '[';
        size_t end = n;
        while (end < field.n && (item ? field.p[end] != ']' : field.p[end] != '.' && field.p[end] != '['))
            end++;
        nx_str part = nx_str_sub(field, n, end);
        nx_jval base = *ret, key = nx_jval_str(part);
        if (item && nx_str_to_i64(part, &at))
            key = nx_jval_int(at);
        NX_TRY(item ? nx__jget_item(run, &base, &key, ret) : nx__jget_attr(run, &base, part, ret));
        n = end + (item && end < field.n);
    }
    return NX_OK;
}

static nx_status brace_one(nx_jrun *run, nx_str field, const nx_jargs *args, size_t *next, nx_buf *out)
{
    nx_str fmt = {"", 0};
    size_t colon = nx_str_find(field, NX_STR(":"), 0);
    if (colon != SIZE_MAX) {
        fmt = nx_str_sub(field, colon + 1, field.n);
        field.n = colon;
    }
    bool repr = nx_str_ends(field, NX_STR("!r")), str = nx_str_ends(field, NX_STR("!s"));
    field.n -= repr || str ? 2 : 0;
    nx_jval v;
    NX_TRY(brace_value(run, field, args, next, &v));
    spec s;
    NX_TRY(parse_spec(run, fmt, &s));
    if (fmt.n > 0 && !repr && !str)
        return put_value(run, &v, &s, out);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    NX_TRY(repr ? nx_jval_repr(run, &v, &b, run->err) : nx_jval_print(run, &v, &b, run->err));
    return put_text(run, nx_buf_str(&b), &s, out);
}

nx_status nx__jformat_braces(nx_jrun *run, nx_str fmt, const nx_jargs *args, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    size_t next = 0;
    for (size_t i = 0; i < fmt.n; i++) {
        char c = fmt.p[i];
        if ((c == '{' || c == '}') && i + 1 < fmt.n && fmt.p[i + 1] == c) {
            i++;
        } else if (c == '}') {
            return jfail(run, "a format has a single '}'");
        } else if (c == '{') {
            size_t close = nx_str_find(fmt, NX_STR("}"), i);
            if (close == SIZE_MAX)
                return jfail(run, "a format has '{' without '}'");
            nx_str field = nx_str_sub(fmt, i + 1, close);
            if (nx_str_find(field, NX_STR("{"), 0) != SIZE_MAX)
                return nx_fail(run->err, NX_UNSUPPORTED, "nested fields in a format are not supported");
            NX_TRY(brace_one(run, field, args, &next, &b));
            i = close;
            continue;
        }
        if (nx_buf_addc(&b, c) != NX_OK)
            return nx__jnomem(run);
    }
    return nx__jbuf_val(run, &b, ret);
}
