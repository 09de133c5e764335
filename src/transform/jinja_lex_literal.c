/* Literals: strings with Python's escapes, whole numbers in four bases, floats. */
#include "transform/jinja_lex_int.h"

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* \xhh, \uhhhh, \Uhhhhhhhh and octal: *i stands on the letter or first digit, and after the escape at the end. */
static bool escape_code(nx_str s, size_t *i, uint32_t *ret)
{
    char c = s.p[*i];
    uint32_t v = 0;
    if (c >= '0' && c <= '7') {
        for (int k = 0; k < 3 && *i < s.n && s.p[*i] >= '0' && s.p[*i] <= '7'; k++)
            v = v * 8 + (uint32_t)(s.p[(*i)++] - '0');
        *ret = v;
        return true;
    }
    size_t n = c == 'x' ? 2 : c == 'u' ? 4 : 8;
    if (s.n - *i <= n)
        return false;
    for (size_t k = 1; k <= n; k++) {
        int d = hex_digit(s.p[*i + k]);
        if (d < 0)
            return false;
        v = v << 4 | (uint32_t)d;
    }
    *i += n + 1;
    *ret = v;
    return v <= 0x10FFFF && (v < 0xD800 || v > 0xDFFF);
}

/* The text of a string literal: Python's escapes. */
static nx_status unescape(jlexer *l, nx_str raw, nx_str *ret)
{
    if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL) {
        *ret = raw;
        return NX_OK;
    }
    char *o = nx_arena_calloc(l->a, raw.n + 1, 1);
    if (o == NULL)
        return nx_nomem(l->err);
    size_t n = 0;
    for (size_t i = 0; i < raw.n;) {
        if (raw.p[i] != '\\' || i + 1 == raw.n) {
            o[n++] = raw.p[i++];
            continue;
        }
        static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
        char c = raw.p[++i];
        const char *k = c == '\0' ? NULL : strchr(from, c);
        uint32_t cp;
        if (k != NULL) {
            o[n++] = to[k - from];
            i++;
        } else if (c == '\n') {
            i++;
        } else if (c == 'N') {
            return nx__jlex_fail(l, l->line, "the escape \\N{…} is not supported in strings");
        } else if (c == 'x' || c == 'u' || c == 'U' || (c >= '0' && c <= '7')) {
            if (!escape_code(raw, &i, &cp))
                return nx__jlex_fail(l, l->line, "a string holds a broken \\x, \\u or \\U escape");
            n += nx_utf8_put(cp, o + n); /* never longer than the escape, but for \7xx: 3 octal digits give 2 bytes */
        } else {
            o[n++] = '\\';
            o[n++] = c;
            i++;
        }
    }
    *ret = (nx_str){o, n};
    return NX_OK;
}

nx_status nx__jlex_string(jlexer *l)
{
    size_t pos = l->i, i = l->i + 1;
    char q = l->src.p[pos];
    while (i < l->src.n && l->src.p[i] != q)
        i += l->src.p[i] == '\\' ? 2 : 1;
    if (i >= l->src.n)
        return nx__jlex_fail(l, l->line, "a string is not closed");
    jtok t = {.kind = T_STR, .line = l->line, .pos = pos, .end = i + 1};
    NX_TRY(unescape(l, nx_str_sub(l->src, pos + 1, i), &t.s));
    nx__jlex_advance(l, i + 1);
    return nx__jlex_push(l, t);
}

/* The end of digits (with single underscores between them) from i on; i itself when there are none. */
static size_t digits(nx_str s, size_t i, int base)
{
    size_t k = i;
    while (k < s.n) {
        size_t d = s.p[k] == '_' ? k + 1 : k;
        int v = d < s.n ? hex_digit(s.p[d]) : -1;
        if (v < 0 || v >= base || (d > k && k == i && base == 10))
            break;
        k = d + 1;
    }
    return k;
}

nx_status nx__jlex_number(jlexer *l)
{
    nx_str s = l->src;
    size_t pos = l->i, i = pos;
    int base = 10;
    if (s.p[i] == '0' && i + 1 < s.n) {
        char c = (char)(s.p[i + 1] | 0x20);
        base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 10;
    }
    jtok t = {.kind = T_INT, .line = l->line, .pos = pos};
    size_t end = digits(s, base == 10 ? i : i + 2, base);
    if (base != 10 && end == i + 2) {
        base = 10;
        end = i + 1;
    }
    bool index = l->out->n > 0 && l->out->v[l->out->n - 1].kind == T_OP && l->out->v[l->out->n - 1].op == '.';
    if (base == 10 && !index) { /* a.0.1 is two indices */
        size_t frac = end < s.n && s.p[end] == '.' ? digits(s, end + 1, 10) : end;
        if (frac > end + 1) {
            t.kind = T_FLOAT;
            end = frac;
        }
        if (end < s.n && (s.p[end] | 0x20) == 'e') {
            size_t k = end + 1;
            k += k < s.n && (s.p[k] == '+' || s.p[k] == '-');
            size_t e = digits(s, k, 10);
            if (e > k) {
                t.kind = T_FLOAT;
                end = e;
            }
        }
    }
    t.end = end;
    nx_str text = nx_str_sub(s, pos, end);
    if (t.kind == T_INT && base == 10 && text.p[0] == '0' && strspn(text.p, "0_") < text.n)
        return nx__jlex_fail(l, l->line, "a whole number cannot start with 0");
    if (t.kind == T_FLOAT ? !nx__jparse_float(text, &t.f) : nx__jparse_int(text, 0, &t.i) != NX_OK)
        return nx__jlex_fail(l, l->line, "a whole number is outside of 64 bits");
    nx__jlex_advance(l, end);
    return nx__jlex_push(l, t);
}
