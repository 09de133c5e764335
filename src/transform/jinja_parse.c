/* The parser: tokens become a tree. Statements are in jinja_parse_stmt.c, expressions in jinja_parse_expr.c. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

nx_status nx__jparse_fail(jparser *p, int line, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return nx_fail(p->err, NX_INVALID, "%s:%d: %s", p->t->name, line, text);
}

nx_status nx__jparse_new(jparser *p, jnode_kind kind, int line, jnode **ret)
{
    jnode *n = NX_ARENA_NEW(p->a, jnode);
    if (n == NULL)
        return nx_nomem(p->err);
    n->kind = (uint8_t)kind;
    n->line = line;
    *ret = n;
    return NX_OK;
}

nx_status nx__jparse_push(jparser *p, jnodes *list, size_t *cap, jnode *n)
{
    if (list->n == *cap) {
        size_t to = *cap == 0 ? 4 : *cap * 2;
        jnode **v = NX_ARENA_ARRAY(p->a, jnode *, to);
        if (v == NULL)
            return nx_nomem(p->err);
        if (list->n > 0)
            memcpy(v, list->v, list->n * sizeof(jnode *));
        list->v = v;
        *cap = to;
    }
    list->v[list->n++] = n;
    return NX_OK;
}

bool nx__jparse_word(const jtok *t, const char *word)
{
    return t->kind == T_NAME && nx_str_is(t->s, word);
}

bool nx__jparse_op(const jtok *t, int op)
{
    return t->kind == T_OP && t->op == op;
}

const char *nx__jtok_text(const jtok *t, char *buf, size_t n)
{
    static const char *const kinds[] = {
        [T_EOF] = "the end of the file", [T_DATA] = "text",    [T_BLOCK_BEGIN] = "'{%'", [T_BLOCK_END] = "'%}'",
        [T_VAR_BEGIN] = "'{{'",          [T_VAR_END] = "'}}'", [T_STR] = "a string",     [T_INT] = "a number",
        [T_FLOAT] = "a number"};
    if (t->kind == T_NAME)
        snprintf(buf, n, "'%.*s'", (int)(t->s.n > 60 ? 60 : t->s.n), t->s.p);
    else if (t->kind == T_OP && t->op > 0xff)
        snprintf(buf, n, "'%c%c'", t->op >> 8, t->op & 0xff);
    else if (t->kind == T_OP)
        snprintf(buf, n, "'%c'", t->op);
    else
        snprintf(buf, n, "%s", t->kind == T_VAR_END && t->pos == t->end ? "the end" : kinds[t->kind]);
    return buf;
}

nx_status nx__jparse_expect(jparser *p, int op)
{
    char want[8], got[80];
    if (nx__jparse_op(p->tok, op)) {
        p->tok++;
        return NX_OK;
    }
    jtok t = {.kind = T_OP, .op = op};
    return nx__jparse_fail(p, p->tok->line, "expected %s, found %s", nx__jtok_text(&t, want, sizeof want),
                           nx__jtok_text(p->tok, got, sizeof got));
}

nx_status nx__jparse_name(jparser *p, nx_str *ret)
{
    char got[80];
    if (p->tok->kind != T_NAME)
        return nx__jparse_fail(p, p->tok->line, "expected a name, found %s", nx__jtok_text(p->tok, got, sizeof got));
    *ret = p->tok++->s;
    return NX_OK;
}

static nx_status parse_output(jparser *p, jnode **ret)
{
    char got[80];
    int line = p->tok->line;
    p->tok++;
    NX_TRY(nx__jparse_new(p, N_OUTPUT, line, ret));
    NX_TRY(nx__jparse_tuple(p, true, false, NULL, &(*ret)->a));
    if (p->tok->kind != T_VAR_END)
        return nx__jparse_fail(p, p->tok->line, "expected '}}', found %s", nx__jtok_text(p->tok, got, sizeof got));
    p->tok++;
    return NX_OK;
}

static nx_status not_closed(jparser *p, int line, const char *opener, const char *const *ends)
{
    while (ends[1] != NULL) /* the last is what closes; the others (else, elif) may stand before it */
        ends++;
    return nx__jparse_fail(p, line, "'%s' is not closed: '%s' is missing", opener, ends[0]);
}

static bool is_end(const jtok *t, const char *const *ends)
{
    for (size_t i = 0; ends != NULL && ends[i] != NULL; i++)
        if (nx__jparse_word(t, ends[i]))
            return true;
    return false;
}

nx_status nx__jparse_body(jparser *p, const char *opener, int line, const char *const *ends, jnodes *ret)
{
    JPARSE_NESTED(p);
    p->blocks++;
    size_t cap = 0;
    for (;;) {
        const jtok *t = p->tok;
        jnode *n = NULL;
        if (t->kind == T_EOF) {
            if (ends != NULL)
                return not_closed(p, line, opener, ends);
            break;
        } else if (t->kind == T_DATA) {
            p->tok++;
            NX_TRY(nx__jparse_new(p, N_DATA, t->line, &n));
            n->s = t->s;
        } else if (t->kind == T_VAR_BEGIN) {
            NX_TRY(parse_output(p, &n));
        } else {
            p->tok++;
            if (is_end(p->tok, ends))
                break;
            NX_TRY(nx__jparse_statement(p, t, &n));
        }
        if (n != NULL)
            NX_TRY(nx__jparse_push(p, ret, &cap, n));
    }
    p->blocks--;
    p->depth--;
    return NX_OK;
}

/* A 0-terminated copy with line feeds as the only line ends. */
static bool copy_source(nx_arena *a, nx_str in, nx_str *ret)
{
    char *o = nx_arena_calloc(a, in.n + 1, 1);
    if (o == NULL)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < in.n; i++) {
        if (in.p[i] == '\r' && i + 1 < in.n && in.p[i + 1] == '\n')
            continue;
        o[n++] = in.p[i] == '\r' ? '\n' : in.p[i];
    }
    *ret = (nx_str){o, n};
    return true;
}

nx_status nx__jinja_compile(nx_arena *a, const char *name, int first_line, nx_str source, bool expr, nx_jtmpl **ret,
                            nx_err *err)
{
    nx_jtmpl *t = NX_ARENA_NEW(a, nx_jtmpl);
    if (t == NULL || (t->name = nx_arena_dup(a, nx_str_of(name))) == NULL || !copy_source(a, source, &t->source))
        return nx_fail(err, NX_LIMIT, "%s: no memory left to compile the template", name);
    if (!nx_utf8_valid(source))
        return nx_fail(err, NX_INVALID, "%s: the file is not valid UTF-8", name);
    jtoks toks = {NULL, 0, 0};
    nx_status st = expr ? nx__jinja_lex_expr(t->name, first_line, t->source, a, &toks, err)
                        : nx__jinja_lex(t->name, first_line, t->source, a, &toks, err);
    if (st == NX_OK) {
        jparser p = {.t = t, .a = a, .tok = toks.v, .err = err};
        st = nx__jparse_body(&p, "template", first_line, NULL, &t->body);
    }
    free(toks.v);
    *ret = st == NX_OK ? t : NULL;
    return st;
}
