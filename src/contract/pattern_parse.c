/* Pattern text to a tree. Recursive descent; one function a level of the grammar. */
#include "contract/pattern_tree_int.h"

enum { TEXT_MAX = 1024, GROUPS_MAX = 32, REPEAT_MAX = 255 };

typedef struct parser {
    nx_str text;
    size_t at;
    int depth;
    nx_arena *a;
    nx_err *err;
    nx_status st; /* first failure */
} parser;

static nx_node *fail(parser *p, nx_status st, const char *what)
{
    if (p->st == NX_OK)
        p->st =
            nx_fail(p->err, st, "pattern '" NX_STR_FMT "' at character %zu: %s", NX_STR_ARG(p->text), p->at + 1, what);
    return NULL;
}

static nx_node *new_node(parser *p, nx_node_kind kind, nx_node *l, nx_node *r)
{
    nx_node *n = NX_ARENA_NEW(p->a, nx_node);
    if (n == NULL) {
        p->st = nx_nomem(p->err);
        return NULL;
    }
    n->kind = kind;
    n->l = l;
    n->r = r;
    return n;
}

static void set_range(nx_node *n, unsigned from, unsigned to)
{
    for (unsigned b = from; b <= to; b++)
        n->set[b >> 6] |= UINT64_C(1) << (b & 63);
}

/* Any one code point beyond ASCII: a lead byte and the continuation bytes after it (the text is valid UTF-8). */
static nx_node *beyond_ascii(parser *p)
{
    nx_node *lead = new_node(p, NX_NODE_SET, NULL, NULL), *cont = new_node(p, NX_NODE_SET, NULL, NULL);
    if (lead == NULL || cont == NULL)
        return NULL;
    set_range(lead, 0xC2, 0xF4);
    set_range(cont, 0x80, 0xBF);
    nx_node *rep = new_node(p, NX_NODE_REPEAT, cont, NULL);
    if (rep == NULL)
        return NULL;
    rep->min = 1;
    rep->max = 3;
    return new_node(p, NX_NODE_CAT, lead, rep);
}

/* The complement of an ASCII set, over all code points. */
static nx_node *complement(parser *p, nx_node *set)
{
    set->set[0] = ~set->set[0];
    set->set[1] = ~set->set[1];
    nx_node *more = beyond_ascii(p);
    return more == NULL ? NULL : new_node(p, NX_NODE_ALT, set, more);
}

/* \d \w \s into the set; false when c is none of them. */
static bool class_escape(nx_node *n, char c)
{
    switch (c) {
    case 'd':
        set_range(n, '0', '9');
        return true;
    case 'w':
        set_range(n, '0', '9');
        set_range(n, 'A', 'Z');
        set_range(n, 'a', 'z');
        set_range(n, '_', '_');
        return true;
    case 's':
        set_range(n, 9, 13);
        set_range(n, ' ', ' ');
        return true;
    default:
        return false;
    }
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code point of an escape after the backslash, or -1 with the failure set. */
static int32_t char_escape(parser *p)
{
    char c = p->text.p[p->at++];
    static const char names[] = "tnrfv", values[] = "\t\n\r\f\v";
    const char *hit = c == '\0' ? NULL : strchr(names, c);
    if (hit != NULL)
        return values[hit - names];
    if (c == 'x' || c == 'u') {
        size_t n = c == 'x' ? 2 : 4;
        int32_t v = 0;
        for (size_t i = 0; i < n; i++) {
            int h = p->at < p->text.n ? hex(p->text.p[p->at]) : -1;
            if (h < 0)
                return fail(p, NX_INVALID, "hexadecimal digits expected"), -1;
            v = v * 16 + h;
            p->at++;
        }
        if (v >= 0xD800 && v <= 0xDFFF)
            return fail(p, NX_UNSUPPORTED, "surrogates are not supported"), -1;
        return v;
    }
    bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (word || (unsigned char)c >= 0x80)
        return fail(p, NX_UNSUPPORTED, "this escape is not supported"), -1;
    return c;
}

/* One end of a class item. ret_class: it was \d, \w or \s and is in n already. */
static int32_t class_atom(parser *p, nx_node *n, bool *ret_class)
{
    *ret_class = false;
    char c = p->text.p[p->at++];
    if ((unsigned char)c >= 0x80)
        return fail(p, NX_UNSUPPORTED, "characters beyond ASCII are not supported inside []"), -1;
    if (c != '\\')
        return c;
    if (p->at == p->text.n)
        return fail(p, NX_INVALID, "the escape is not finished"), -1;
    if (class_escape(n, p->text.p[p->at])) {
        p->at++;
        *ret_class = true;
        return 0;
    }
    int32_t v = char_escape(p);
    if (v > 0x7F)
        return fail(p, NX_UNSUPPORTED, "characters beyond ASCII are not supported inside []"), -1;
    return v;
}

static nx_node *parse_class(parser *p)
{
    nx_node *n = new_node(p, NX_NODE_SET, NULL, NULL);
    if (n == NULL)
        return NULL;
    bool negated = p->at < p->text.n && p->text.p[p->at] == '^';
    p->at += negated;
    while (p->at < p->text.n && p->text.p[p->at] != ']') {
        bool cls, cls_to;
        int32_t from = class_atom(p, n, &cls), to = from;
        if (from < 0)
            return NULL;
        if (p->text.n - p->at >= 2 && p->text.p[p->at] == '-' && p->text.p[p->at + 1] != ']') {
            p->at++;
            to = class_atom(p, n, &cls_to);
            if (to < 0)
                return NULL;
            if (cls || cls_to || to < from)
                return fail(p, NX_INVALID, "the range is upside down or has no ends");
        }
        if (!cls)
            set_range(n, (unsigned)from, (unsigned)to);
    }
    if (p->at == p->text.n)
        return fail(p, NX_INVALID, "']' expected");
    p->at++;
    return negated ? complement(p, n) : n;
}

static nx_node *literal(parser *p, uint32_t cp)
{
    char bytes[4];
    size_t n = nx_utf8_put(cp, bytes);
    nx_node *all = NULL;
    for (size_t i = 0; i < n; i++) {
        nx_node *one = new_node(p, NX_NODE_SET, NULL, NULL);
        if (one == NULL)
            return NULL;
        set_range(one, (unsigned char)bytes[i], (unsigned char)bytes[i]);
        all = all == NULL ? one : new_node(p, NX_NODE_CAT, all, one);
    }
    return all;
}

static nx_node *parse_escape(parser *p)
{
    if (p->at == p->text.n)
        return fail(p, NX_INVALID, "the escape is not finished");
    char c = p->text.p[p->at];
    nx_node *n = new_node(p, NX_NODE_SET, NULL, NULL);
    if (n == NULL)
        return NULL;
    if (class_escape(n, c)) {
        p->at++;
        return n;
    }
    if ((c == 'D' || c == 'W' || c == 'S') && class_escape(n, (char)(c | 0x20))) {
        p->at++;
        return complement(p, n);
    }
    int32_t v = char_escape(p);
    return v < 0 ? NULL : literal(p, (uint32_t)v);
}

static nx_node *parse_alternatives(parser *p);

static nx_node *parse_group(parser *p)
{
    if (++p->depth > GROUPS_MAX)
        return fail(p, NX_UNSUPPORTED, "more than 32 groups inside each other");
    if (p->at < p->text.n && p->text.p[p->at] == '?') {
        if (p->at + 1 == p->text.n || p->text.p[p->at + 1] != ':')
            return fail(p, NX_UNSUPPORTED, "look-around and named groups are not supported");
        p->at += 2;
    }
    nx_node *n = parse_alternatives(p);
    if (n == NULL)
        return NULL;
    if (p->at == p->text.n)
        return fail(p, NX_INVALID, "')' expected");
    p->at++;
    p->depth--;
    return n;
}

static nx_node *parse_atom(parser *p)
{
    char c = p->text.p[p->at];
    nx_node *n;
    switch (c) {
    case '(':
        p->at++;
        return parse_group(p);
    case '[':
        p->at++;
        return parse_class(p);
    case '\\':
        p->at++;
        return parse_escape(p);
    case '.':
        p->at++;
        n = new_node(p, NX_NODE_SET, NULL, NULL);
        if (n == NULL)
            return NULL;
        set_range(n, '\n', '\n');
        set_range(n, '\r', '\r');
        return complement(p, n);
    case '^':
    case '$':
        p->at++;
        return new_node(p, c == '^' ? NX_NODE_BEGIN : NX_NODE_END, NULL, NULL);
    case '?':
    case '*':
    case '+':
    case '{':
    case '}':
    case ']':
        return fail(p, NX_INVALID, "nothing to repeat, or a bracket without its partner");
    default:
        return literal(p, nx_utf8_get(p->text, &p->at));
    }
}

static bool parse_number(parser *p, int *ret)
{
    size_t from = p->at;
    int v = 0;
    while (p->at < p->text.n && p->text.p[p->at] >= '0' && p->text.p[p->at] <= '9' && v <= REPEAT_MAX)
        v = v * 10 + (p->text.p[p->at++] - '0');
    *ret = v;
    return p->at > from && v <= REPEAT_MAX;
}

/* {n} {n,} {n,m} after the brace. */
static bool parse_bounds(parser *p, nx_node *rep)
{
    if (!parse_number(p, &rep->min))
        return false;
    rep->max = rep->min;
    if (p->at < p->text.n && p->text.p[p->at] == ',') {
        p->at++;
        rep->max = -1;
        if (p->at < p->text.n && p->text.p[p->at] != '}' && !parse_number(p, &rep->max))
            return false;
    }
    if (p->at == p->text.n || p->text.p[p->at] != '}')
        return false;
    p->at++;
    return rep->max < 0 || rep->max >= rep->min;
}

static nx_node *parse_repeat(parser *p)
{
    nx_node *n = parse_atom(p);
    if (n == NULL || p->at == p->text.n)
        return n;
    char c = p->text.p[p->at];
    if (c != '?' && c != '*' && c != '+' && c != '{')
        return n;
    if (n->kind == NX_NODE_BEGIN || n->kind == NX_NODE_END)
        return fail(p, NX_INVALID, "an anchor cannot be repeated");
    p->at++;
    nx_node *rep = new_node(p, NX_NODE_REPEAT, n, NULL);
    if (rep == NULL)
        return NULL;
    rep->min = c == '+';
    rep->max = c == '?' ? 1 : -1;
    if (c == '{' && !parse_bounds(p, rep))
        return fail(p, NX_INVALID, "{n}, {n,} or {n,m} with numbers up to 255 expected");
    if (p->at < p->text.n && p->text.p[p->at] == '?')
        return fail(p, NX_UNSUPPORTED, "lazy repetition is not supported");
    if (p->at < p->text.n && (p->text.p[p->at] == '*' || p->text.p[p->at] == '+' || p->text.p[p->at] == '{'))
        return fail(p, NX_INVALID, "a repetition cannot be repeated");
    return rep;
}

static nx_node *parse_sequence(parser *p)
{
    nx_node *all = new_node(p, NX_NODE_EMPTY, NULL, NULL);
    while (all != NULL && p->at < p->text.n && p->text.p[p->at] != '|' && p->text.p[p->at] != ')') {
        nx_node *one = parse_repeat(p);
        if (one == NULL)
            return NULL;
        all = all->kind == NX_NODE_EMPTY ? one : new_node(p, NX_NODE_CAT, all, one);
    }
    return all;
}

static nx_node *parse_alternatives(parser *p)
{
    nx_node *all = parse_sequence(p);
    while (all != NULL && p->at < p->text.n && p->text.p[p->at] == '|') {
        p->at++;
        nx_node *one = parse_sequence(p);
        if (one == NULL)
            return NULL;
        all = new_node(p, NX_NODE_ALT, all, one);
    }
    return all;
}

nx_status nx__pattern_parse(nx_str text, nx_arena *a, nx_node **ret, nx_err *err)
{
    parser p = {.text = text, .a = a, .err = err};
    if (text.n > TEXT_MAX)
        return nx_fail(err, NX_UNSUPPORTED, "pattern of %zu bytes: longer than %d", text.n, TEXT_MAX);
    if (!nx_utf8_valid(text))
        return nx_fail(err, NX_INVALID, "pattern: not valid UTF-8");
    nx_node *n = parse_alternatives(&p);
    if (n != NULL && p.at < text.n)
        n = fail(&p, NX_INVALID, "')' without '('");
    if (n == NULL)
        return p.st;
    *ret = n;
    return NX_OK;
}
