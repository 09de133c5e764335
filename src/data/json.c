#include "data/json.h"

#include <stdio.h>

#include "data/data_int.h"

enum { DEPTH_DEFAULT = 64 };

typedef struct parser {
    const char *start, *p, *end;
    const char *mark; /* line and col belong to this place */
    int line, col;
    const nx_json_opts *opts;
    nx__tree tree;
    nx_err *err;
    size_t depth;
} parser;

/* Line and column (code points) of `at`. Places are asked for in rising order, so this is one pass over the text in
 * all; only an error about something earlier starts anew. */
static void locate(parser *ps, const char *at)
{
    if (at < ps->mark) {
        ps->mark = ps->start;
        ps->line = ps->col = 1;
    }
    for (const char *c = ps->mark; c < at; c++) {
        if (*c == '\n') {
            ps->line++;
            ps->col = 1;
        } else if (((unsigned char)*c & 0xC0) != 0x80)
            ps->col++;
    }
    ps->mark = at;
}

static nx_status fail_at(parser *ps, const char *at, const char *what)
{
    locate(ps, at);
    return nx_fail(ps->err, NX_INVALID, "could not read JSON at line %d, column %d: %s", ps->line, ps->col, what);
}

/* "expected X, found Y" at the current place. */
static nx_status fail_expected(parser *ps, const char *expected)
{
    char what[128];
    unsigned char c = ps->p < ps->end ? (unsigned char)*ps->p : 0;
    if (ps->p == ps->end)
        snprintf(what, sizeof what, "expected %s, found the end of the text", expected);
    else if (c > 0x20 && c < 0x7F)
        snprintf(what, sizeof what, "expected %s, found '%c'", expected, c);
    else
        snprintf(what, sizeof what, "expected %s, found byte 0x%02X", expected, c);
    return fail_at(ps, ps->p, what);
}

static void skip_space(parser *ps)
{
    while (ps->p < ps->end && (*ps->p == ' ' || *ps->p == '\n' || *ps->p == '\r' || *ps->p == '\t'))
        ps->p++;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = hex_value(p[i]);
        if (d < 0)
            return -1;
        v = v << 4 | d;
    }
    return v;
}

/* The escape at *p (behind the backslash); writes its bytes to *out. */
static nx_status read_escape(parser *ps, const char **p, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *esc = *p - 1;
    const char *hit = *p < ps->end && **p != '\0' ? strchr(from, **p) : NULL;
    if (hit != NULL) {
        *(*out)++ = to[hit - from];
        (*p)++;
        return NX_OK;
    }
    if (*p == ps->end || **p != 'u')
        return fail_at(ps, esc, "this escape does not exist (only \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX)");
    int32_t cp = hex4(*p + 1, ps->end);
    if (cp < 0)
        return fail_at(ps, esc, "\\u needs four hexadecimal digits");
    *p += 5;
    if (cp >= 0xD800 && cp <= 0xDBFF) {
        int32_t low = ps->end - *p >= 6 && (*p)[0] == '\\' && (*p)[1] == 'u' ? hex4(*p + 2, ps->end) : -1;
        if (low < 0xDC00 || low > 0xDFFF)
            return fail_at(ps, esc, "half of a surrogate pair stands alone");
        *p += 6;
        cp = 0x10000 + ((cp - 0xD800) << 10) + (low - 0xDC00);
    } else if (cp >= 0xDC00 && cp <= 0xDFFF)
        return fail_at(ps, esc, "half of a surrogate pair stands alone");
    *out += nx_utf8_put((uint32_t)cp, *out);
    return NX_OK;
}

/* The string whose opening quote is at ps->p, copied into the arena without its escapes. */
static nx_status read_string(parser *ps, nx_str *ret)
{
    const char *open = ps->p, *q = open + 1;
    while (q < ps->end && *q != '"')
        q += *q == '\\' && ps->end - q > 1 ? 2 : 1;
    if (q == ps->end)
        return fail_at(ps, open, "this string has no closing quote");
    char *text = nx_arena_calloc(ps->tree.a, (size_t)(q - open), 1), *out = text;
    if (text == NULL)
        return nx_nomem(ps->err);
    for (const char *c = open + 1; c < q;) {
        if ((unsigned char)*c < 0x20)
            return fail_at(ps, c, "control characters in a string are written as \\u00XX");
        if (*c != '\\') {
            *out++ = *c++;
            continue;
        }
        c++;
        NX_TRY(read_escape(ps, &c, &out));
    }
    *ret = (nx_str){text, (size_t)(out - text)};
    ps->p = q + 1;
    return NX_OK;
}

/* Moves the values above `base` from the stack into v. */
static nx_status close_value(parser *ps, nx_val *v, size_t base)
{
    const nx__slot *dup;
    nx_status st = nx__tree_close(&ps->tree, v, base, ps->opts != NULL && ps->opts->allow_dup_keys, &dup);
    if (st == NX_NOMEM)
        return nx_nomem(ps->err);
    if (st == NX_INVALID)
        return nx_fail(ps->err, st, "could not read JSON at line %d, column %d: the key \"%.80s\" is there twice",
                       dup->key_line, dup->key_col, dup->key.p);
    return NX_OK;
}

static nx_status read_value(parser *ps, nx_val *v);

static nx_status read_member(parser *ps, nx__slot *s)
{
    if (ps->p == ps->end || *ps->p != '"')
        return fail_expected(ps, "a key in double quotes");
    locate(ps, ps->p);
    s->key_line = ps->line;
    s->key_col = ps->col;
    NX_TRY(read_string(ps, &s->key));
    skip_space(ps);
    if (ps->p == ps->end || *ps->p != ':')
        return fail_expected(ps, "':'");
    ps->p++;
    skip_space(ps);
    return NX_OK;
}

/* From behind the opening bracket to behind the closing one. */
static nx_status read_children(parser *ps, nx_val *v, char close)
{
    size_t base = ps->tree.n;
    skip_space(ps);
    if (ps->p < ps->end && *ps->p == close) {
        ps->p++;
        return NX_OK;
    }
    for (;;) {
        nx__slot s = {0};
        if (v->kind == NX_VAL_OBJ)
            NX_TRY(read_member(ps, &s));
        NX_TRY(read_value(ps, &s.v));
        if (nx__tree_push(&ps->tree, &s) != NX_OK)
            return nx_nomem(ps->err);
        skip_space(ps);
        if (ps->p < ps->end && *ps->p == close) {
            ps->p++;
            return close_value(ps, v, base);
        }
        if (ps->p == ps->end || *ps->p != ',')
            return fail_expected(ps, close == '}' ? "',' or '}'" : "',' or ']'");
        ps->p++;
        skip_space(ps);
    }
}

static nx_status read_word(parser *ps, const char *word, nx_val *v, nx_val_kind kind, bool b)
{
    size_t n = strlen(word);
    if ((size_t)(ps->end - ps->p) < n || memcmp(ps->p, word, n) != 0)
        return fail_expected(ps, "a value");
    ps->p += n;
    v->kind = kind;
    v->b = b;
    return NX_OK;
}

static nx_status read_number(parser *ps, nx_val *v)
{
    nx_str rest = {ps->p, (size_t)(ps->end - ps->p)};
    size_t n = nx__num_scan(rest);
    if (n == 0)
        return fail_at(ps, ps->p, "this is not a number as JSON writes it (-12.5e3)");
    if (n < rest.n && strchr("0123456789.eE+-", rest.p[n]) != NULL && rest.p[n] != '\0')
        return fail_at(ps, ps->p, "this is not a number as JSON writes it (no leading zeros or signs)");
    v->kind = NX_VAL_NUM;
    v->s = (nx_str){nx_arena_dup(ps->tree.a, (nx_str){ps->p, n}), n};
    ps->p += n;
    return v->s.p == NULL ? nx_nomem(ps->err) : NX_OK;
}

static nx_status read_nested(parser *ps, nx_val *v)
{
    size_t max = ps->opts != NULL && ps->opts->depth_max > 0 ? ps->opts->depth_max : DEPTH_DEFAULT;
    if (ps->depth == max) {
        locate(ps, ps->p);
        return nx_fail(ps->err, NX_INVALID, "could not read JSON at line %d, column %d: nested deeper than %zu levels",
                       ps->line, ps->col, max);
    }
    ps->depth++;
    bool obj = *ps->p++ == '{';
    v->kind = obj ? NX_VAL_OBJ : NX_VAL_ARR;
    NX_TRY(read_children(ps, v, obj ? '}' : ']'));
    ps->depth--;
    return NX_OK;
}

static nx_status read_value(parser *ps, nx_val *v)
{
    if (ps->p == ps->end)
        return fail_expected(ps, "a value");
    locate(ps, ps->p);
    v->line = ps->line;
    v->col = ps->col;
    switch (*ps->p) {
    case '{':
    case '[':
        return read_nested(ps, v);
    case '"':
        v->kind = NX_VAL_STR;
        return read_string(ps, &v->s);
    case 't':
        return read_word(ps, "true", v, NX_VAL_BOOL, true);
    case 'f':
        return read_word(ps, "false", v, NX_VAL_BOOL, false);
    case 'n':
        return read_word(ps, "null", v, NX_VAL_NULL, false);
    default:
        if (*ps->p != '-' && (*ps->p < '0' || *ps->p > '9'))
            return fail_expected(ps, "a value");
        return read_number(ps, v);
    }
}

static nx_status fail_utf8(parser *ps)
{
    nx_str text = {ps->start, (size_t)(ps->end - ps->start)};
    size_t i = 0;
    for (;;) {
        size_t at = i;
        if (nx_utf8_get(text, &i) == 0xFFFD && i - at == 1) {
            char what[64];
            snprintf(what, sizeof what, "byte 0x%02X is not UTF-8", (unsigned char)text.p[at]);
            return fail_at(ps, text.p + at, what);
        }
    }
}

nx_status nx_json_parse(nx_str text, const nx_json_opts *opts, nx_arena *a, nx_val **ret, nx_err *err)
{
    const char *p = text.p == NULL ? "" : text.p;
    parser ps = {.start = p, .p = p, .end = p + text.n, .mark = p, .line = 1, .col = 1, .opts = opts, .err = err};
    ps.tree.a = a;
    if (!nx_utf8_valid(text))
        return fail_utf8(&ps);
    if (nx_str_starts(text, NX_STR("\xEF\xBB\xBF")))
        return fail_at(&ps, p, "the text begins with a byte order mark; JSON has none");
    nx_val *v = NX_ARENA_NEW(a, nx_val);
    if (v == NULL)
        return nx_nomem(err);
    skip_space(&ps);
    nx_status st = read_value(&ps, v);
    if (st == NX_OK) {
        skip_space(&ps);
        if (ps.p < ps.end)
            st = fail_expected(&ps, "nothing more");
    }
    nx__tree_drop(&ps.tree);
    if (st == NX_OK)
        *ret = v;
    return st;
}
