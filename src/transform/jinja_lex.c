#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

typedef struct lexer {
    const char *name;
    nx_str src;
    size_t i;
    int line;
    nx_arena *a;
    jtoks *out;
    nx_err *err;
    bool trim_next; /* the last tag ended with -: white space after it goes */
} lexer;

static nx_status fail(lexer *l, int line, const char *text)
{
    return nx_fail(l->err, NX_INVALID, "%s:%d: %s", l->name, line, text);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_name(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80 ||
           (!first && c >= '0' && c <= '9');
}

static bool at(const lexer *l, size_t i, const char *lit)
{
    size_t n = strlen(lit);
    return i <= l->src.n && l->src.n - i >= n && memcmp(l->src.p + i, lit, n) == 0;
}

static nx_status push(lexer *l, jtok t)
{
    if (!nx_grow(&l->out->v, &l->out->cap, l->out->n + 1, sizeof(jtok)))
        return nx_nomem(l->err);
    l->out->v[l->out->n++] = t;
    return NX_OK;
}

/* Moves to offset `to`, counting lines. */
static void advance(lexer *l, size_t to)
{
    for (; l->i < to; l->i++)
        l->line += l->src.p[l->i] == '\n';
}

static nx_status push_data(lexer *l, size_t to, bool strip_end)
{
    size_t from = l->i, end = to;
    if (l->trim_next)
        while (from < end && is_space(l->src.p[from]))
            from++;
    if (strip_end)
        while (end > from && is_space(l->src.p[end - 1]))
            end--;
    advance(l, from);
    int line = l->line;
    advance(l, to);
    if (from == end)
        return NX_OK;
    l->trim_next = false;
    return push(l, (jtok){.kind = T_DATA, .line = line, .pos = from, .end = end, .s = nx_str_sub(l->src, from, end)});
}

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
static nx_status unescape(lexer *l, nx_str raw, nx_str *ret)
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
            return fail(l, l->line, "the escape \\N{…} is not supported in strings");
        } else if (c == 'x' || c == 'u' || c == 'U' || (c >= '0' && c <= '7')) {
            if (!escape_code(raw, &i, &cp))
                return fail(l, l->line, "a string holds a broken \\x, \\u or \\U escape");
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

static nx_status lex_string(lexer *l)
{
    size_t pos = l->i, i = l->i + 1;
    char q = l->src.p[pos];
    while (i < l->src.n && l->src.p[i] != q)
        i += l->src.p[i] == '\\' ? 2 : 1;
    if (i >= l->src.n)
        return fail(l, l->line, "a string is not closed");
    jtok t = {.kind = T_STR, .line = l->line, .pos = pos, .end = i + 1};
    NX_TRY(unescape(l, nx_str_sub(l->src, pos + 1, i), &t.s));
    advance(l, i + 1);
    return push(l, t);
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

static nx_status lex_number(lexer *l)
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
        return fail(l, l->line, "a whole number cannot start with 0");
    if (t.kind == T_FLOAT ? !nx__jparse_float(text, &t.f) : nx__jparse_int(text, 0, &t.i) != NX_OK)
        return fail(l, l->line, "a whole number is outside of 64 bits");
    advance(l, end);
    return push(l, t);
}

/* The closing brackets that are due, the innermost last. */
typedef struct brackets {
    char due[JPARSE_DEPTH_MAX];
    unsigned n;
} brackets;

static nx_status count_bracket(lexer *l, brackets *br, char c)
{
    char text[64];
    if (c == '(' || c == '[' || c == '{') {
        if (br->n == sizeof br->due)
            return fail(l, l->line, "brackets are nested too deeply");
        br->due[br->n++] = c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
        if (br->n == 0)
            snprintf(text, sizeof text, "unexpected '%c'", c);
        else
            snprintf(text, sizeof text, "unexpected '%c', expected '%c'", c, br->due[br->n - 1]);
        if (br->n == 0 || br->due[--br->n] != c)
            return fail(l, l->line, text);
    }
    return NX_OK;
}

static nx_status lex_operator(lexer *l, brackets *br)
{
    static const char two[][3] = {"//", "**", "==", "!=", ">=", "<="};
    char c = l->src.p[l->i];
    jtok t = {.kind = T_OP, .line = l->line, .pos = l->i, .end = l->i + 1, .op = (unsigned char)c};
    for (size_t k = 0; k < NX_COUNT_OF(two); k++)
        if (at(l, l->i, two[k])) {
            t.op = JOP2(two[k][0], two[k][1]);
            t.end = l->i + 2;
        }
    if (t.op == c && (c == '\0' || strchr("+-/*%~[](){}<>=.:|,;", c) == NULL)) {
        char text[64];
        if (c >= 0x20 && c < 0x7f)
            snprintf(text, sizeof text, "unexpected character '%c'", c);
        else
            snprintf(text, sizeof text, "unexpected byte 0x%02x", (unsigned char)c);
        return fail(l, l->line, text);
    }
    NX_TRY(count_bracket(l, br, c));
    advance(l, t.end);
    return push(l, t);
}

/* Tokens up to the end of the tag; end is "%}", "}}" or NULL for the end of the source. */
static nx_status lex_inside(lexer *l, const char *end, jtok_kind end_kind, int open_line)
{
    brackets br = {.n = 0};
    for (;;) {
        while (l->i < l->src.n && is_space(l->src.p[l->i]))
            advance(l, l->i + 1);
        if (l->i >= l->src.n) {
            if (end == NULL)
                return NX_OK;
            return fail(l, open_line,
                        end[0] == '%' ? "this tag is not closed: '%}' is missing"
                                      : "this expression is not closed: '}}' is missing");
        }
        char c = l->src.p[l->i];
        size_t sign =
            end != NULL && (c == '-' || c == '+') && at(l, l->i + 1, end) && (c == '-' || end[0] == '%') ? 1 : 0;
        if (end != NULL && br.n == 0 && at(l, l->i + sign, end)) {
            size_t pos = l->i;
            advance(l, l->i + sign + 2);
            l->trim_next = sign == 1 && c == '-';
            return push(l, (jtok){.kind = end_kind, .line = l->line, .pos = pos, .end = l->i});
        }
        if (is_name(c, true)) {
            size_t e = l->i + 1;
            while (e < l->src.n && is_name(l->src.p[e], false))
                e++;
            NX_TRY(push(
                l, (jtok){.kind = T_NAME, .line = l->line, .pos = l->i, .end = e, .s = nx_str_sub(l->src, l->i, e)}));
            advance(l, e);
        } else if (c >= '0' && c <= '9') {
            NX_TRY(lex_number(l));
        } else if (c == '"' || c == '\'') {
            NX_TRY(lex_string(l));
        } else {
            NX_TRY(lex_operator(l, &br));
        }
    }
}

/* True when the tag {% word %}, with optional signs, stands at i; its end and what its signs eat. */
static bool tag_at(const lexer *l, size_t i, const char *word, size_t *ret_end, bool *ret_strip, bool *ret_trim)
{
    size_t k = i + 2;
    *ret_strip = k < l->src.n && l->src.p[k] == '-';
    k += *ret_strip || (k < l->src.n && l->src.p[k] == '+');
    while (k < l->src.n && is_space(l->src.p[k]))
        k++;
    if (!at(l, k, word))
        return false;
    k += strlen(word);
    while (k < l->src.n && is_space(l->src.p[k]))
        k++;
    *ret_trim = k < l->src.n && l->src.p[k] == '-';
    k += *ret_trim || (k < l->src.n && l->src.p[k] == '+');
    *ret_end = k + 2;
    return at(l, k, "%}");
}

/* The first such tag at or after i, or SIZE_MAX. */
static size_t find_tag(const lexer *l, size_t i, const char *word, size_t *ret_end, bool *ret_strip, bool *ret_trim)
{
    for (; (i = nx_str_find(l->src, NX_STR("{%"), i)) != SIZE_MAX; i += 2)
        if (tag_at(l, i, word, ret_end, ret_strip, ret_trim))
            return i;
    return SIZE_MAX;
}

/* {% raw %} at l->i: its body becomes data. */
static nx_status lex_raw(lexer *l, size_t tag_end, bool trim)
{
    int line = l->line;
    size_t end;
    bool strip, trim_after;
    size_t close = find_tag(l, tag_end, "endraw", &end, &strip, &trim_after);
    if (close == SIZE_MAX)
        return fail(l, line, "'raw' is not closed: 'endraw' is missing");
    advance(l, tag_end);
    l->trim_next = trim;
    NX_TRY(push_data(l, close, strip));
    advance(l, end);
    l->trim_next = trim_after;
    return NX_OK;
}

/* After {% docs name %}: the text up to enddocs is no Jinja. */
static nx_status lex_docs(lexer *l, size_t first)
{
    const jtoks *o = l->out;
    if (o->n < first + 4 || o->v[first + 1].kind != T_NAME || !nx_str_is(o->v[first + 1].s, "docs"))
        return NX_OK;
    size_t end;
    bool strip, trim;
    size_t close = find_tag(l, l->i, "enddocs", &end, &strip, &trim);
    if (close == SIZE_MAX)
        return fail(l, o->v[first].line, "'docs' is not closed: 'enddocs' is missing");
    return push_data(l, close, strip);
}

static nx_status lex_comment(lexer *l)
{
    size_t end = nx_str_find(l->src, NX_STR("#}"), l->i + 2);
    if (end == SIZE_MAX)
        return fail(l, l->line, "this comment is not closed: '#}' is missing");
    l->trim_next = end > l->i + 2 && l->src.p[end - 1] == '-';
    advance(l, end + 2);
    return NX_OK;
}

/* One tag at l->i. */
static nx_status lex_tag(lexer *l)
{
    char c = l->src.p[l->i + 1];
    if (c == '#')
        return lex_comment(l);
    size_t end;
    bool strip, trim;
    if (c == '%' && tag_at(l, l->i, "raw", &end, &strip, &trim))
        return lex_raw(l, end, trim);
    size_t pos = l->i, first = l->out->n;
    int line = l->line;
    l->i += 2;
    if (l->i < l->src.n && (l->src.p[l->i] == '-' || l->src.p[l->i] == '+'))
        l->i++;
    l->trim_next = false;
    NX_TRY(push(l, (jtok){.kind = c == '%' ? T_BLOCK_BEGIN : T_VAR_BEGIN, .line = line, .pos = pos, .end = l->i}));
    NX_TRY(lex_inside(l, c == '%' ? "%}" : "}}", c == '%' ? T_BLOCK_END : T_VAR_END, line));
    return c == '%' ? lex_docs(l, first) : NX_OK;
}

static size_t next_tag(const lexer *l, size_t i)
{
    for (; i + 1 < l->src.n; i++)
        if (l->src.p[i] == '{' && (l->src.p[i + 1] == '{' || l->src.p[i + 1] == '%' || l->src.p[i + 1] == '#'))
            return i;
    return l->src.n;
}

nx_status nx__jinja_lex(const char *name, int first_line, nx_str source, nx_arena *a, jtoks *toks, nx_err *err)
{
    if (source.n > 0 && source.p[source.n - 1] == '\n')
        source.n--;
    lexer l = {.name = name, .src = source, .line = first_line, .a = a, .out = toks, .err = err};
    while (l.i < l.src.n) {
        size_t tag = next_tag(&l, l.i);
        bool strip = tag + 2 < l.src.n && l.src.p[tag + 2] == '-';
        if (tag > l.i)
            NX_TRY(push_data(&l, tag, tag < l.src.n && strip));
        if (tag < l.src.n)
            NX_TRY(lex_tag(&l));
    }
    return push(&l, (jtok){.kind = T_EOF, .line = l.line, .pos = l.src.n, .end = l.src.n});
}

nx_status nx__jinja_lex_expr(const char *name, int first_line, nx_str source, nx_arena *a, jtoks *toks, nx_err *err)
{
    lexer l = {.name = name, .src = source, .line = first_line, .a = a, .out = toks, .err = err};
    NX_TRY(push(&l, (jtok){.kind = T_VAR_BEGIN, .line = first_line}));
    NX_TRY(lex_inside(&l, NULL, T_VAR_END, first_line));
    NX_TRY(push(&l, (jtok){.kind = T_VAR_END, .line = l.line, .pos = l.src.n, .end = l.src.n}));
    return push(&l, (jtok){.kind = T_EOF, .line = l.line, .pos = l.src.n, .end = l.src.n});
}
