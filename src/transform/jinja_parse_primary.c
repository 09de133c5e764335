/* Names, literals, and what follows them: attributes, subscripts, calls, filters, tests. */
#include "transform/jinja_int.h"

/* Expressions parted by commas up to the closing operator, which is taken. */
static nx_status parse_items(jparser *p, int close, bool pairs, jnode *n)
{
    size_t cap = 0;
    while (!nx__jparse_op(p->tok, close)) {
        if (n->list.n > 0) {
            NX_TRY(nx__jparse_expect(p, ','));
            if (nx__jparse_op(p->tok, close))
                break;
        }
        jnode *item;
        NX_TRY(nx__jparse_expr(p, &item));
        NX_TRY(nx__jparse_push(p, &n->list, &cap, item));
        if (pairs) {
            NX_TRY(nx__jparse_expect(p, ':'));
            NX_TRY(nx__jparse_expr(p, &item));
            NX_TRY(nx__jparse_push(p, &n->list, &cap, item));
        }
    }
    return nx__jparse_expect(p, close);
}

static nx_status parse_name(jparser *p, jnode **ret)
{
    nx_str s = p->tok->s;
    int line = p->tok->line;
    p->tok++;
    bool yes = nx_str_is(s, "true") || nx_str_is(s, "True"), no = nx_str_is(s, "false") || nx_str_is(s, "False");
    bool none = nx_str_is(s, "none") || nx_str_is(s, "None");
    NX_TRY(nx__jparse_new(p, yes || no || none ? N_CONST : N_NAME, line, ret));
    (*ret)->v = none ? nx_jval_none() : nx_jval_bool(yes);
    (*ret)->s = s;
    p->saw_varargs |= nx_str_is(s, "varargs");
    p->saw_kwargs |= nx_str_is(s, "kwargs");
    p->saw_caller |= nx_str_is(s, "caller");
    return NX_OK;
}

/* Neighbouring strings are one. */
static nx_status parse_string(jparser *p, jnode **ret)
{
    NX_TRY(nx__jparse_new(p, N_CONST, p->tok->line, ret));
    size_t n = 0;
    const jtok *first = p->tok;
    for (; p->tok->kind == T_STR; p->tok++)
        n += p->tok->s.n;
    char *o = nx_arena_calloc(p->a, n + 1, 1);
    if (o == NULL)
        return nx_nomem(p->err);
    (*ret)->v = nx_jval_str((nx_str){o, n});
    for (const jtok *t = first; t != p->tok; t++) {
        if (t->s.n > 0)
            memcpy(o, t->s.p, t->s.n);
        o += t->s.n;
    }
    return NX_OK;
}

static nx_status parse_primary(jparser *p, jnode **ret)
{
    const jtok *t = p->tok;
    if (t->kind == T_NAME)
        return parse_name(p, ret);
    if (t->kind == T_STR)
        return parse_string(p, ret);
    if (t->kind == T_INT || t->kind == T_FLOAT) {
        p->tok++;
        NX_TRY(nx__jparse_new(p, N_CONST, t->line, ret));
        (*ret)->v = t->kind == T_INT ? nx_jval_int(t->i) : nx_jval_float(t->f);
        return NX_OK;
    }
    if (nx__jparse_op(p->tok, '(')) {
        p->tok++;
        NX_TRY(nx__jparse_tuple(p, true, true, NULL, ret));
        return nx__jparse_expect(p, ')');
    }
    if (nx__jparse_op(p->tok, '[') || nx__jparse_op(p->tok, '{')) {
        bool dict = nx__jparse_op(p->tok, '{');
        p->tok++;
        NX_TRY(nx__jparse_new(p, dict ? N_DICT : N_LIST, t->line, ret));
        return parse_items(p, dict ? '}' : ']', dict, *ret);
    }
    return nx__jparse_unexpected(p, "an expression");
}

/* One part of what stands in []: an expression or a slice. */
static nx_status parse_subscribed(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    jnode *part[3] = {NULL, NULL, NULL};
    if (!nx__jparse_op(p->tok, ':')) {
        NX_TRY(nx__jparse_expr(p, &part[0]));
        if (!nx__jparse_op(p->tok, ':')) {
            *ret = part[0];
            return NX_OK;
        }
    }
    for (int i = 1; i < 3 && nx__jparse_op(p->tok, ':'); i++) {
        p->tok++;
        if (!nx__jparse_op(p->tok, ':') && !nx__jparse_op(p->tok, ']') && !nx__jparse_op(p->tok, ','))
            NX_TRY(nx__jparse_expr(p, &part[i]));
    }
    NX_TRY(nx__jparse_new(p, N_SLICE, line, ret));
    (*ret)->a = part[0];
    (*ret)->b = part[1];
    (*ret)->c = part[2];
    return NX_OK;
}

static nx_status parse_subscript(jparser *p, jnode *base, jnode **ret)
{
    int line = p->tok->line;
    if (nx__jparse_op(p->tok, '.')) {
        const jtok *t = ++p->tok;
        if (t->kind != T_NAME && t->kind != T_INT)
            return nx__jparse_unexpected(p, "a name or number after '.'");
        p->tok++;
        NX_TRY(nx__jparse_new(p, t->kind == T_NAME ? N_ATTR : N_ITEM, line, ret));
        (*ret)->a = base;
        (*ret)->s = t->s;
        if (t->kind == T_NAME)
            return NX_OK;
        NX_TRY(nx__jparse_new(p, N_CONST, line, &(*ret)->b));
        (*ret)->b->v = nx_jval_int(t->i);
        return NX_OK;
    }
    p->tok++;
    jnode *key;
    NX_TRY(parse_subscribed(p, &key));
    if (nx__jparse_op(p->tok, ','))
        return nx__jparse_fail(p, line, "a subscript of several parts is not supported");
    NX_TRY(nx__jparse_expect(p, ']'));
    return nx__jparse_pair(p, N_ITEM, line, base, key, 0, ret);
}

static nx_status add_keyword(jparser *p, jcallargs *a, size_t *cap)
{
    nx_str name = p->tok->s;
    p->tok += 2;
    jnode *v;
    NX_TRY(nx__jparse_expr(p, &v));
    for (size_t i = 0; i < a->kw.n; i++)
        if (nx_str_eq(a->kw_names[i], name))
            return nx__jparse_fail(p, v->line, "keyword argument '" NX_STR_FMT "' is given twice", NX_STR_ARG(name));
    if (a->kw.n == *cap) { /* the names grow with the values */
        nx_str *names = NX_ARENA_ARRAY(p->a, nx_str, *cap == 0 ? 4 : *cap * 2);
        if (names == NULL)
            return nx_nomem(p->err);
        if (a->kw.n > 0)
            memcpy(names, a->kw_names, a->kw.n * sizeof *names);
        a->kw_names = names;
    }
    a->kw_names[a->kw.n] = name;
    return nx__jparse_push(p, &a->kw, cap, v);
}

static nx_status parse_arg(jparser *p, jcallargs *a, size_t *pos_cap, size_t *kw_cap)
{
    int line = p->tok->line;
    bool star = nx__jparse_op(p->tok, '*'), dstar = nx__jparse_op(p->tok, JOP2('*', '*'));
    bool keyword = p->tok[0].kind == T_NAME && nx__jparse_op(&p->tok[1], '=');
    if (a->dstar != NULL || (star && a->star != NULL) ||
        (!keyword && !dstar && !star && (a->star != NULL || a->kw.n > 0)))
        return nx__jparse_fail(p, line, "a positional argument follows a keyword or '*' argument");
    if (keyword)
        return add_keyword(p, a, kw_cap);
    p->tok += star || dstar;
    jnode *v;
    NX_TRY(nx__jparse_expr(p, &v));
    if (star)
        a->star = v;
    else if (dstar)
        a->dstar = v;
    else
        return nx__jparse_push(p, &a->pos, pos_cap, v);
    return NX_OK;
}

nx_status nx__jparse_args(jparser *p, const jcallargs **ret)
{
    jcallargs *a = NX_ARENA_NEW(p->a, jcallargs);
    if (a == NULL)
        return nx_nomem(p->err);
    NX_TRY(nx__jparse_expect(p, '('));
    size_t pos_cap = 0, kw_cap = 0;
    for (bool first = true; !nx__jparse_op(p->tok, ')'); first = false) {
        if (!first) {
            NX_TRY(nx__jparse_expect(p, ','));
            if (nx__jparse_op(p->tok, ')'))
                break;
        }
        NX_TRY(parse_arg(p, a, &pos_cap, &kw_cap));
    }
    *ret = a;
    return nx__jparse_expect(p, ')');
}

static nx_status parse_call(jparser *p, jnode *callee, jnode **ret)
{
    NX_TRY(nx__jparse_pair(p, N_CALL, p->tok->line, callee, NULL, 0, ret));
    return nx__jparse_args(p, &(*ret)->args);
}

static nx_status parse_postfix(jparser *p, jnode **n)
{
    for (unsigned links = 0;; links++) {
        if (links > 200)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 200 attributes and calls");
        if (nx__jparse_op(p->tok, '.') || nx__jparse_op(p->tok, '['))
            NX_TRY(parse_subscript(p, *n, n));
        else if (nx__jparse_op(p->tok, '('))
            NX_TRY(parse_call(p, *n, n));
        else
            return NX_OK;
    }
}

/* NAME or NAME(args) of a filter, applied to base. */
static nx_status parse_filter(jparser *p, jnode *base, jnode **ret)
{
    int line = p->tok->line;
    nx_str name;
    NX_TRY(nx__jparse_name(p, &name));
    NX_TRY(nx__jparse_pair(p, N_FILTER, line, base, NULL, 0, ret));
    (*ret)->s = name;
    (*ret)->filter = nx__jfilter_find(name);
    if ((*ret)->filter == NULL)
        return nx_fail(p->err, NX_UNSUPPORTED, "%s:%d: there is no filter '" NX_STR_FMT "'", p->t->name, line,
                       NX_STR_ARG(name));
    return nx__jparse_op(p->tok, '(') ? nx__jparse_args(p, &(*ret)->args) : NX_OK;
}

nx_status nx__jparse_filters(jparser *p, jnode *root, jnode **ret)
{
    NX_TRY(parse_filter(p, root, ret));
    while (nx__jparse_op(p->tok, '|')) {
        p->tok++;
        NX_TRY(parse_filter(p, *ret, ret));
    }
    return NX_OK;
}

static bool starts_test_arg(const jparser *p)
{
    jtok_kind k = p->tok->kind;
    return (k == T_NAME && !nx__jparse_word(p->tok, "else") && !nx__jparse_word(p->tok, "or") &&
            !nx__jparse_word(p->tok, "and")) ||
           k == T_STR || k == T_INT || k == T_FLOAT || nx__jparse_op(p->tok, '[') || nx__jparse_op(p->tok, '{');
}

static nx_status parse_test(jparser *p, jnode *base, jnode **ret)
{
    int line = p->tok->line;
    p->tok++;
    bool negated = nx__jparse_word(p->tok, "not");
    p->tok += negated;
    nx_str name;
    NX_TRY(nx__jparse_name(p, &name));
    jnode *n;
    NX_TRY(nx__jparse_pair(p, N_TEST, line, base, NULL, 0, &n));
    n->test = nx__jtest_find(name);
    if (n->test == NULL)
        return nx_fail(p->err, NX_UNSUPPORTED, "%s:%d: there is no test '" NX_STR_FMT "'", p->t->name, line,
                       NX_STR_ARG(name));
    if (nx__jparse_op(p->tok, '(')) {
        NX_TRY(nx__jparse_args(p, &n->args));
    } else if (starts_test_arg(p)) {
        if (nx__jparse_word(p->tok, "is"))
            return nx__jparse_fail(p, line, "tests cannot be chained with 'is'");
        jcallargs *a = NX_ARENA_NEW(p->a, jcallargs);
        jnode *arg;
        size_t cap = 0;
        if (a == NULL)
            return nx_nomem(p->err);
        NX_TRY(parse_primary(p, &arg));
        NX_TRY(parse_postfix(p, &arg));
        NX_TRY(nx__jparse_push(p, &a->pos, &cap, arg));
        n->args = a;
    }
    *ret = n;
    return negated ? nx__jparse_pair(p, N_NOT, line, n, NULL, 0, ret) : NX_OK;
}

nx_status nx__jparse_unary(jparser *p, bool with_filter, jnode **ret)
{
    JPARSE_NESTED(p);
    int line = p->tok->line;
    jnode *n;
    if (nx__jparse_op(p->tok, '-') || nx__jparse_op(p->tok, '+')) {
        jnode_kind kind = nx__jparse_op(p->tok, '-') ? N_NEG : N_POS;
        p->tok++;
        NX_TRY(nx__jparse_unary(p, false, &n));
        NX_TRY(nx__jparse_pair(p, kind, line, n, NULL, 0, &n));
    } else {
        NX_TRY(parse_primary(p, &n));
    }
    NX_TRY(parse_postfix(p, &n));
    for (unsigned links = 0; with_filter; links++) {
        if (links > 200)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 200 filters");
        if (nx__jparse_op(p->tok, '|')) {
            p->tok++;
            NX_TRY(parse_filter(p, n, &n));
        } else if (nx__jparse_word(p->tok, "is")) {
            NX_TRY(parse_test(p, n, &n));
        } else if (nx__jparse_op(p->tok, '(')) {
            NX_TRY(parse_call(p, n, &n));
        } else {
            break;
        }
    }
    p->depth--;
    *ret = n;
    return NX_OK;
}
