/* The lexer: a source becomes data, tags and the tokens inside them. Strings and numbers are in jinja_lex_literal.c. */
#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_lex_int.h"

nx_status nx__jlex_fail(jlexer *l, int line, const char *text)
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

static bool at(const jlexer *l, size_t i, const char *lit)
{
    size_t n = strlen(lit);
    return i <= l->src.n && l->src.n - i >= n && memcmp(l->src.p + i, lit, n) == 0;
}

nx_status nx__jlex_push(jlexer *l, jtok t)
{
    if (!nx_grow(&l->out->v, &l->out->cap, l->out->n + 1, sizeof(jtok)))
        return nx_nomem(l->err);
    l->out->v[l->out->n++] = t;
    return NX_OK;
}

void nx__jlex_advance(jlexer *l, size_t to)
{
    for (; l->i < to; l->i++)
        l->line += l->src.p[l->i] == '\n';
}

static nx_status push_data(jlexer *l, size_t to, bool strip_end)
{
    size_t from = l->i, end = to;
    if (l->trim_next)
        while (from < end && is_space(l->src.p[from]))
            from++;
    if (strip_end)
        while (end > from && is_space(l->src.p[end - 1]))
            end--;
    nx__jlex_advance(l, from);
    int line = l->line;
    nx__jlex_advance(l, to);
    if (from == end)
        return NX_OK;
    l->trim_next = false;
    return nx__jlex_push(
        l, (jtok){.kind = T_DATA, .line = line, .pos = from, .end = end, .s = nx_str_sub(l->src, from, end)});
}

/* The closing brackets that are due, the innermost last. */
typedef struct brackets {
    char due[JPARSE_DEPTH_MAX];
    unsigned n;
} brackets;

static nx_status count_bracket(jlexer *l, brackets *br, char c)
{
    char text[64];
    if (c == '(' || c == '[' || c == '{') {
        if (br->n == sizeof br->due)
            return nx__jlex_fail(l, l->line, "brackets are nested too deeply");
        br->due[br->n++] = c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
        if (br->n == 0)
            snprintf(text, sizeof text, "unexpected '%c'", c);
        else
            snprintf(text, sizeof text, "unexpected '%c', expected '%c'", c, br->due[br->n - 1]);
        if (br->n == 0 || br->due[--br->n] != c)
            return nx__jlex_fail(l, l->line, text);
    }
    return NX_OK;
}

static nx_status lex_operator(jlexer *l, brackets *br)
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
        return nx__jlex_fail(l, l->line, text);
    }
    NX_TRY(count_bracket(l, br, c));
    nx__jlex_advance(l, t.end);
    return nx__jlex_push(l, t);
}

/* Tokens up to the end of the tag; end is "%}", "}}" or NULL for the end of the source. */
static nx_status lex_inside(jlexer *l, const char *end, jtok_kind end_kind, int open_line)
{
    brackets br = {.n = 0};
    for (;;) {
        while (l->i < l->src.n && is_space(l->src.p[l->i]))
            nx__jlex_advance(l, l->i + 1);
        if (l->i >= l->src.n) {
            if (end == NULL)
                return NX_OK;
            return nx__jlex_fail(l, open_line,
                                 end[0] == '%' ? "this tag is not closed: '%}' is missing"
                                               : "this expression is not closed: '}}' is missing");
        }
        char c = l->src.p[l->i];
        size_t sign =
            end != NULL && (c == '-' || c == '+') && at(l, l->i + 1, end) && (c == '-' || end[0] == '%') ? 1 : 0;
        if (end != NULL && br.n == 0 && at(l, l->i + sign, end)) {
            size_t pos = l->i;
            nx__jlex_advance(l, l->i + sign + 2);
            l->trim_next = sign == 1 && c == '-';
            return nx__jlex_push(l, (jtok){.kind = end_kind, .line = l->line, .pos = pos, .end = l->i});
        }
        if (is_name(c, true)) {
            size_t e = l->i + 1;
            while (e < l->src.n && is_name(l->src.p[e], false))
                e++;
            NX_TRY(nx__jlex_push(
                l, (jtok){.kind = T_NAME, .line = l->line, .pos = l->i, .end = e, .s = nx_str_sub(l->src, l->i, e)}));
            nx__jlex_advance(l, e);
        } else if (c >= '0' && c <= '9') {
            NX_TRY(nx__jlex_number(l));
        } else if (c == '"' || c == '\'') {
            NX_TRY(nx__jlex_string(l));
        } else {
            NX_TRY(lex_operator(l, &br));
        }
    }
}

/* True when the tag {% word %}, with optional signs, stands at i; its end and what its signs eat. */
static bool tag_at(const jlexer *l, size_t i, const char *word, size_t *ret_end, bool *ret_strip, bool *ret_trim)
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
static size_t find_tag(const jlexer *l, size_t i, const char *word, size_t *ret_end, bool *ret_strip, bool *ret_trim)
{
    for (; (i = nx_str_find(l->src, NX_STR("{%"), i)) != SIZE_MAX; i += 2)
        if (tag_at(l, i, word, ret_end, ret_strip, ret_trim))
            return i;
    return SIZE_MAX;
}

/* {% raw %} at l->i: its body becomes data. */
static nx_status lex_raw(jlexer *l, size_t tag_end, bool trim)
{
    int line = l->line;
    size_t end;
    bool strip, trim_after;
    size_t close = find_tag(l, tag_end, "endraw", &end, &strip, &trim_after);
    if (close == SIZE_MAX)
        return nx__jlex_fail(l, line, "'raw' is not closed: 'endraw' is missing");
    nx__jlex_advance(l, tag_end);
    l->trim_next = trim;
    NX_TRY(push_data(l, close, strip));
    nx__jlex_advance(l, end);
    l->trim_next = trim_after;
    return NX_OK;
}

/* After {% docs name %}: the text up to enddocs is no Jinja. */
static nx_status lex_docs(jlexer *l, size_t first)
{
    const jtoks *o = l->out;
    if (o->n < first + 4 || o->v[first + 1].kind != T_NAME || !nx_str_is(o->v[first + 1].s, "docs"))
        return NX_OK;
    size_t end;
    bool strip, trim;
    size_t close = find_tag(l, l->i, "enddocs", &end, &strip, &trim);
    if (close == SIZE_MAX)
        return nx__jlex_fail(l, o->v[first].line, "'docs' is not closed: 'enddocs' is missing");
    return push_data(l, close, strip);
}

static nx_status lex_comment(jlexer *l)
{
    size_t end = nx_str_find(l->src, NX_STR("#}"), l->i + 2);
    if (end == SIZE_MAX)
        return nx__jlex_fail(l, l->line, "this comment is not closed: '#}' is missing");
    l->trim_next = end > l->i + 2 && l->src.p[end - 1] == '-';
    nx__jlex_advance(l, end + 2);
    return NX_OK;
}

/* One tag at l->i. */
static nx_status lex_tag(jlexer *l)
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
    NX_TRY(nx__jlex_push(
        l, (jtok){.kind = c == '%' ? T_BLOCK_BEGIN : T_VAR_BEGIN, .line = line, .pos = pos, .end = l->i}));
    NX_TRY(lex_inside(l, c == '%' ? "%}" : "}}", c == '%' ? T_BLOCK_END : T_VAR_END, line));
    return c == '%' ? lex_docs(l, first) : NX_OK;
}

static size_t next_tag(const jlexer *l, size_t i)
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
    jlexer l = {.name = name, .src = source, .line = first_line, .a = a, .out = toks, .err = err};
    while (l.i < l.src.n) {
        size_t tag = next_tag(&l, l.i);
        bool strip = tag + 2 < l.src.n && l.src.p[tag + 2] == '-';
        if (tag > l.i)
            NX_TRY(push_data(&l, tag, tag < l.src.n && strip));
        if (tag < l.src.n)
            NX_TRY(lex_tag(&l));
    }
    return nx__jlex_push(&l, (jtok){.kind = T_EOF, .line = l.line, .pos = l.src.n, .end = l.src.n});
}

nx_status nx__jinja_lex_expr(const char *name, int first_line, nx_str source, nx_arena *a, jtoks *toks, nx_err *err)
{
    jlexer l = {.name = name, .src = source, .line = first_line, .a = a, .out = toks, .err = err};
    NX_TRY(nx__jlex_push(&l, (jtok){.kind = T_VAR_BEGIN, .line = first_line}));
    NX_TRY(lex_inside(&l, NULL, T_VAR_END, first_line));
    NX_TRY(nx__jlex_push(&l, (jtok){.kind = T_VAR_END, .line = l.line, .pos = l.src.n, .end = l.src.n}));
    return nx__jlex_push(&l, (jtok){.kind = T_EOF, .line = l.line, .pos = l.src.n, .end = l.src.n});
}
