#include "contract/scan_int.h"

const char *nx__scan_broken(nx_scan *s, const char *p, const char *what)
{
    if (s->bad == NULL) {
        s->bad = p;
        s->what = what;
        s->rule = "json";
    }
    return NULL;
}

static int hex4(const char *p, const char *end)
{
    int v = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int h = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (h < 0)
            return -1;
        v = v * 16 + h;
    }
    return v;
}

/* p behind the backslash. A pair of surrogates is taken in one go. */
static const char *scan_escape(nx_scan *s, const char *p)
{
    s->flags |= NX_TEXT_ESCAPED;
    if (p == s->end)
        return nx__scan_broken(s, p, "an escape is not finished");
    if (*p != 'u')
        return memchr("\"\\/bfnrt", *p, 8) != NULL ? p + 1 : nx__scan_broken(s, p, "no such escape");
    int v = hex4(p + 1, s->end);
    if (v < 0)
        return nx__scan_broken(s, p, "four hexadecimal digits expected after \\u");
    p += 5;
    if (v < 0xD800 || v > 0xDFFF)
        return p;
    if (v <= 0xDBFF && s->end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
        int low = hex4(p + 2, s->end);
        if (low >= 0xDC00 && low <= 0xDFFF)
            return p + 6;
    }
    s->flags |= NX_TEXT_LONE;
    return p;
}

const char *nx__scan_string(nx_scan *s, const char *p)
{
    const char *begin = ++p;
    bool high = false;
    while (p < s->end) {
        unsigned char c = (unsigned char)*p;
        if (c == '"') {
            if (high && !nx_utf8_valid((nx_str){begin, (size_t)(p - begin)}))
                s->flags |= NX_TEXT_BAD_UTF8;
            return p + 1;
        }
        if (c < 0x20)
            return nx__scan_broken(s, p, "a control character inside a string must be escaped");
        high |= c >= 0x80;
        p++;
        if (c == '\\') {
            p = scan_escape(s, p);
            if (p == NULL)
                return NULL;
        }
    }
    return nx__scan_broken(s, p, "a string is not closed");
}

static const char *scan_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

const char *nx__scan_number(nx_scan *s, const char *p)
{
    const char *q;
    if (p < s->end && *p == '-')
        p++;
    if (p == s->end || *p < '0' || *p > '9')
        return nx__scan_broken(s, p, "a value expected (NaN and Infinity are not JSON)");
    if (*p == '0') {
        p++;
        if (p < s->end && *p >= '0' && *p <= '9')
            return nx__scan_broken(s, p, "a number may not begin with 0");
    }
    p = scan_digits(p, s->end);
    if (p < s->end && *p == '.') {
        q = scan_digits(p + 1, s->end);
        if (q == p + 1)
            return nx__scan_broken(s, q, "a digit expected behind the point");
        p = q;
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < s->end && (*p == '+' || *p == '-'))
            p++;
        q = scan_digits(p, s->end);
        if (q == p)
            return nx__scan_broken(s, q, "a digit expected in the exponent");
        p = q;
    }
    return p;
}

const char *nx__scan_colon(nx_scan *s, const char *p)
{
    p = nx__skip_space(p, s->end);
    if (p == s->end || *p != ':')
        return nx__scan_broken(s, p, "':' expected");
    return nx__skip_space(p + 1, s->end);
}

static const char *scan_word(nx_scan *s, const char *p, nx_str word)
{
    if ((size_t)(s->end - p) < word.n || memcmp(p, word.p, word.n) != 0)
        return nx__scan_broken(s, p, "a value expected (true, false and null are the only words)");
    return p + word.n;
}

static const char *scan_members(nx_scan *s, const char *p, unsigned depth, bool object)
{
    char close = object ? '}' : ']';
    p = nx__skip_space(p + 1, s->end);
    if (p < s->end && *p == close)
        return p + 1;
    for (;;) {
        if (object) {
            if (p == s->end || *p != '"')
                return nx__scan_broken(s, p, "a member name in quotes expected");
            p = nx__scan_string(s, p);
            p = p == NULL ? NULL : nx__scan_colon(s, p);
            if (p == NULL)
                return NULL;
        }
        p = nx__scan_value(s, p, depth + 1);
        if (p == NULL)
            return NULL;
        p = nx__skip_space(p, s->end);
        if (p == s->end || (*p != ',' && *p != close))
            return nx__scan_broken(s, p, object ? "',' or '}' expected" : "',' or ']' expected");
        if (*p++ == close)
            return p;
        p = nx__skip_space(p, s->end);
    }
}

const char *nx__scan_value(nx_scan *s, const char *p, unsigned depth)
{
    p = nx__skip_space(p, s->end);
    if (p == s->end)
        return nx__scan_broken(s, p, "a value expected");
    switch (*p) {
    case '"':
        return nx__scan_string(s, p);
    case '{':
    case '[':
        if (depth >= NX_NESTING_MAX) {
            nx__scan_broken(s, p, "nested deeper than 64");
            s->rule = "limit";
            return NULL;
        }
        return scan_members(s, p, depth, *p == '{');
    case 't':
        return scan_word(s, p, NX_STR("true"));
    case 'f':
        return scan_word(s, p, NX_STR("false"));
    case 'n':
        return scan_word(s, p, NX_STR("null"));
    default:
        return nx__scan_number(s, p);
    }
}

nx_tok nx__tok_of(char first)
{
    switch (first) {
    case '"':
        return NX_TOK_STR;
    case '{':
        return NX_TOK_OBJ;
    case '[':
        return NX_TOK_ARR;
    case 't':
        return NX_TOK_TRUE;
    case 'f':
        return NX_TOK_FALSE;
    case 'n':
        return NX_TOK_NULL;
    default:
        return NX_TOK_NUM;
    }
}

const char *nx__tok_name(nx_tok t)
{
    static const char *const names[] = {"null",      "true", "false",       "a number", "text",        "an array",
                                        "an object", "text", "a timestamp", "bytes",    "an extension"};
    return names[t];
}

static nx_status put_cp(nx_buf *b, uint32_t cp)
{
    char out[4];
    size_t n = nx_utf8_put(cp, out);
    return nx_buf_add(b, (nx_str){out, n});
}

/* At the 'u' of an escape; returns how many bytes it took. */
static nx_status unescape_u(nx_buf *b, const char *p, const char *end, size_t *ret_n)
{
    int v = hex4(p + 1, end);
    *ret_n = 5;
    if (v >= 0xD800 && v <= 0xDFFF) {
        int low = v <= 0xDBFF && end - p >= 11 && p[5] == '\\' && p[6] == 'u' ? hex4(p + 7, end) : -1;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            *ret_n = 11;
            return put_cp(b, 0x10000 + (((uint32_t)v & 0x3FF) << 10) + ((uint32_t)low & 0x3FF));
        }
        v = 0xFFFD;
    }
    return put_cp(b, (uint32_t)v);
}

nx_status nx__unescape(nx_buf *b, nx_str inner)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    size_t i = 0;
    while (i < inner.n) {
        size_t from = i;
        while (i < inner.n && inner.p[i] != '\\' && (unsigned char)inner.p[i] < 0x80)
            i++;
        NX_TRY(nx_buf_add(b, nx_str_sub(inner, from, i)));
        if (i == inner.n)
            break;
        if (inner.p[i] != '\\') {
            NX_TRY(put_cp(b, nx_utf8_get(inner, &i)));
            continue;
        }
        const char *p = inner.p + i + 1, *name = *p == '\0' ? NULL : strchr(names, *p);
        size_t n = 1;
        if (*p == 'u')
            NX_TRY(unescape_u(b, p, inner.p + inner.n, &n));
        else
            NX_TRY(nx_buf_addc(b, name != NULL ? values[name - names] : *p));
        i += 1 + n;
    }
    return NX_OK;
}
