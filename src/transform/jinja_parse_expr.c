#include <stdio.h>

#include "transform/jinja_int.h"

static nx_status parse_cond(jparser *p, jnode **ret);
static nx_status parse_or(jparser *p, jnode **ret);

static bool op_is(const jparser *p, int op)
{
    return nx__jparse_op(p->tok, op);
}

static bool word_is(const jparser *p, const char *word)
{
    return nx__jparse_word(p->tok, word);
}

static nx_status binary(jparser *p, jnode_kind kind, int line, jnode *a, jnode *b, int op, jnode **ret)
{
    NX_TRY(nx__jparse_new(p, kind, line, ret));
    (*ret)->a = a;
    (*ret)->b = b;
    (*ret)->op = op;
    return NX_OK;
}

static nx_status unexpected(jparser *p, const char *wanted)
{
    char buf[80];
    return nx__jparse_fail(p, p->tok->line, "expected %s, found %s", wanted, nx__jtok_text(p->tok, buf, sizeof buf));
}

/* Expressions parted by commas up to the closing operator, which is taken. */
static nx_status parse_items(jparser *p, int close, bool pairs, jnode *n)
{
    size_t cap = 0;
    while (!op_is(p, close)) {
        if (n->list.n > 0) {
            NX_TRY(nx__jparse_expect(p, ','));
            if (op_is(p, close))
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
    if (op_is(p, '(')) {
        p->tok++;
        NX_TRY(nx__jparse_tuple(p, true, true, NULL, ret));
        return nx__jparse_expect(p, ')');
    }
    if (op_is(p, '[') || op_is(p, '{')) {
        bool dict = op_is(p, '{');
        p->tok++;
        NX_TRY(nx__jparse_new(p, dict ? N_DICT : N_LIST, t->line, ret));
        return parse_items(p, dict ? '}' : ']', dict, *ret);
    }
    return unexpected(p, "an expression");
}

/* One part of what stands in []: an expression or a slice. */
static nx_status parse_subscribed(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    jnode *part[3] = {NULL, NULL, NULL};
    if (!op_is(p, ':')) {
        NX_TRY(nx__jparse_expr(p, &part[0]));
        if (!op_is(p, ':')) {
            *ret = part[0];
            return NX_OK;
        }
    }
    for (int i = 1; i < 3 && op_is(p, ':'); i++) {
        p->tok++;
        if (!op_is(p, ':') && !op_is(p, ']') && !op_is(p, ','))
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
    if (op_is(p, '.')) {
        const jtok *t = ++p->tok;
        if (t->kind != T_NAME && t->kind != T_INT)
            return unexpected(p, "a name or number after '.'");
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
    if (op_is(p, ','))
        return nx__jparse_fail(p, line, "a subscript of several parts is not supported");
    NX_TRY(nx__jparse_expect(p, ']'));
    return binary(p, N_ITEM, line, base, key, 0, ret);
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
    bool star = op_is(p, '*'), dstar = op_is(p, JOP2('*', '*'));
    bool keyword = p->tok[0].kind == T_NAME && nx__jparse_op(&p->tok[1], '=');
    if (a->dstar != NULL || (star && a->star != NULL) || (!keyword && !dstar && !star && (a->star != NULL || a->kw.n > 0)))
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
    for (bool first = true; !op_is(p, ')'); first = false) {
        if (!first) {
            NX_TRY(nx__jparse_expect(p, ','));
            if (op_is(p, ')'))
                break;
        }
        NX_TRY(parse_arg(p, a, &pos_cap, &kw_cap));
    }
    *ret = a;
    return nx__jparse_expect(p, ')');
}

static nx_status parse_call(jparser *p, jnode *callee, jnode **ret)
{
    NX_TRY(binary(p, N_CALL, p->tok->line, callee, NULL, 0, ret));
    return nx__jparse_args(p, &(*ret)->args);
}

static nx_status parse_postfix(jparser *p, jnode **n)
{
    for (unsigned links = 0;; links++) {
        if (links > 200)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 200 attributes and calls");
        if (op_is(p, '.') || op_is(p, '['))
            NX_TRY(parse_subscript(p, *n, n));
        else if (op_is(p, '('))
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
    NX_TRY(binary(p, N_FILTER, line, base, NULL, 0, ret));
    (*ret)->s = name;
    (*ret)->filter = nx__jfilter_find(name);
    if ((*ret)->filter == NULL)
        return nx_fail(p->err, NX_UNSUPPORTED, "%s:%d: there is no filter '" NX_STR_FMT "'", p->t->name, line, NX_STR_ARG(name));
    return op_is(p, '(') ? nx__jparse_args(p, &(*ret)->args) : NX_OK;
}

nx_status nx__jparse_filters(jparser *p, jnode *root, jnode **ret)
{
    NX_TRY(parse_filter(p, root, ret));
    while (op_is(p, '|')) {
        p->tok++;
        NX_TRY(parse_filter(p, *ret, ret));
    }
    return NX_OK;
}

static bool starts_test_arg(const jparser *p)
{
    jtok_kind k = p->tok->kind;
    return (k == T_NAME && !word_is(p, "else") && !word_is(p, "or") && !word_is(p, "and")) || k == T_STR || k == T_INT ||
           k == T_FLOAT || op_is(p, '[') || op_is(p, '{');
}

static nx_status parse_test(jparser *p, jnode *base, jnode **ret)
{
    int line = p->tok->line;
    p->tok++;
    bool negated = word_is(p, "not");
    p->tok += negated;
    nx_str name;
    NX_TRY(nx__jparse_name(p, &name));
    jnode *n;
    NX_TRY(binary(p, N_TEST, line, base, NULL, 0, &n));
    n->test = nx__jtest_find(name);
    if (n->test == NULL)
        return nx_fail(p->err, NX_UNSUPPORTED, "%s:%d: there is no test '" NX_STR_FMT "'", p->t->name, line, NX_STR_ARG(name));
    if (op_is(p, '(')) {
        NX_TRY(nx__jparse_args(p, &n->args));
    } else if (starts_test_arg(p)) {
        if (word_is(p, "is"))
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
    return negated ? binary(p, N_NOT, line, n, NULL, 0, ret) : NX_OK;
}

nx_status nx__jparse_unary(jparser *p, bool with_filter, jnode **ret)
{
    JPARSE_NESTED(p);
    int line = p->tok->line;
    jnode *n;
    if (op_is(p, '-') || op_is(p, '+')) {
        jnode_kind kind = op_is(p, '-') ? N_NEG : N_POS;
        p->tok++;
        NX_TRY(nx__jparse_unary(p, false, &n));
        NX_TRY(binary(p, kind, line, n, NULL, 0, &n));
    } else {
        NX_TRY(parse_primary(p, &n));
    }
    NX_TRY(parse_postfix(p, &n));
    for (unsigned links = 0; with_filter; links++) {
        if (links > 200)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 200 filters");
        if (op_is(p, '|')) {
            p->tok++;
            NX_TRY(parse_filter(p, n, &n));
        } else if (word_is(p, "is")) {
            NX_TRY(parse_test(p, n, &n));
        } else if (op_is(p, '(')) {
            NX_TRY(parse_call(p, n, &n));
        } else {
            break;
        }
    }
    p->depth--;
    *ret = n;
    return NX_OK;
}

/* The four levels of operators that go from left to right, the loosest first. Concatenation stands between them. */
static nx_status parse_math(jparser *p, int level, jnode **ret);

static nx_status parse_concat(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    jnode *first;
    NX_TRY(parse_math(p, 1, &first));
    *ret = first;
    if (!op_is(p, '~'))
        return NX_OK;
    size_t cap = 0;
    NX_TRY(nx__jparse_new(p, N_CONCAT, line, ret));
    NX_TRY(nx__jparse_push(p, &(*ret)->list, &cap, first));
    while (op_is(p, '~')) {
        p->tok++;
        NX_TRY(parse_math(p, 1, &first));
        NX_TRY(nx__jparse_push(p, &(*ret)->list, &cap, first));
    }
    return NX_OK;
}

static nx_status parse_math_part(jparser *p, int level, jnode **ret)
{
    return level == 0 ? parse_concat(p, ret) : level == 1 ? parse_math(p, 2, ret) : nx__jparse_unary(p, true, ret);
}

static nx_status parse_math(jparser *p, int level, jnode **ret)
{
    static const int ops[3][4] = {{'+', '-'}, {'*', '/', JOP2('/', '/'), '%'}, {JOP2('*', '*')}};
    NX_TRY(parse_math_part(p, level, ret));
    for (unsigned links = 0;; links++) {
        int op = 0;
        for (int i = 0; i < 4 && op == 0; i++)
            if (ops[level][i] != 0 && op_is(p, ops[level][i]))
                op = ops[level][i];
        if (op == 0)
            return NX_OK;
        if (links > 400)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 400 operators");
        int line = p->tok->line;
        p->tok++;
        jnode *right;
        NX_TRY(parse_math_part(p, level, &right));
        NX_TRY(binary(p, N_BINARY, line, *ret, right, op, ret));
    }
}

static int compare_op(jparser *p)
{
    static const int ops[] = {JOP2('=', '='), JOP2('!', '='), '<', '>', JOP2('<', '='), JOP2('>', '=')};
    for (size_t i = 0; i < NX_COUNT_OF(ops); i++)
        if (op_is(p, ops[i])) {
            p->tok++;
            return ops[i];
        }
    if (word_is(p, "in")) {
        p->tok++;
        return 'i';
    }
    if (word_is(p, "not") && nx__jparse_word(p->tok + 1, "in")) {
        p->tok += 2;
        return 'n';
    }
    return 0;
}

static nx_status parse_compare(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    jnode *first, *n = NULL, *part;
    NX_TRY(parse_math(p, 0, &first));
    *ret = first;
    size_t cap = 0;
    for (int op; (op = compare_op(p)) != 0;) {
        if (n == NULL) {
            NX_TRY(binary(p, N_COMPARE, line, first, NULL, 0, &n));
            n->ops = NX_ARENA_ARRAY(p->a, int, 16);
            if (n->ops == NULL)
                return nx_nomem(p->err);
        }
        if (n->list.n == 16)
            return nx__jparse_fail(p, line, "a chain of more than 16 comparisons");
        n->ops[n->list.n] = op;
        NX_TRY(parse_math(p, 0, &part));
        NX_TRY(nx__jparse_push(p, &n->list, &cap, part));
        *ret = n;
    }
    return NX_OK;
}

static nx_status parse_not(jparser *p, jnode **ret)
{
    if (!word_is(p, "not"))
        return parse_compare(p, ret);
    JPARSE_NESTED(p);
    int line = p->tok->line;
    p->tok++;
    NX_TRY(parse_not(p, ret));
    p->depth--;
    return binary(p, N_NOT, line, *ret, NULL, 0, ret);
}

static nx_status parse_and(jparser *p, jnode **ret)
{
    NX_TRY(parse_not(p, ret));
    for (unsigned links = 0; word_is(p, "and"); links++) {
        if (links > 400)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 400 operators");
        jnode *right;
        int line = p->tok->line;
        p->tok++;
        NX_TRY(parse_not(p, &right));
        NX_TRY(binary(p, N_AND, line, *ret, right, 0, ret));
    }
    return NX_OK;
}

static nx_status parse_or(jparser *p, jnode **ret)
{
    NX_TRY(parse_and(p, ret));
    for (unsigned links = 0; word_is(p, "or"); links++) {
        if (links > 400)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 400 operators");
        jnode *right;
        int line = p->tok->line;
        p->tok++;
        NX_TRY(parse_and(p, &right));
        NX_TRY(binary(p, N_OR, line, *ret, right, 0, ret));
    }
    return NX_OK;
}

static nx_status parse_cond(jparser *p, jnode **ret)
{
    JPARSE_NESTED(p);
    NX_TRY(parse_or(p, ret));
    for (unsigned links = 0; word_is(p, "if"); links++) {
        if (links > 200)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 200 conditions");
        int line = p->tok->line;
        p->tok++;
        jnode *test, *other = NULL;
        NX_TRY(parse_or(p, &test));
        if (word_is(p, "else")) {
            p->tok++;
            NX_TRY(parse_cond(p, &other));
        }
        NX_TRY(binary(p, N_COND, line, *ret, test, 0, ret));
        (*ret)->c = other;
    }
    p->depth--;
    return NX_OK;
}

nx_status nx__jparse_expr(jparser *p, jnode **ret)
{
    return parse_cond(p, ret);
}

static bool tuple_ends(const jparser *p, const char *end_word)
{
    return p->tok->kind == T_VAR_END || p->tok->kind == T_BLOCK_END || p->tok->kind == T_EOF || op_is(p, ')') ||
           (end_word != NULL && word_is(p, end_word));
}

nx_status nx__jparse_tuple(jparser *p, bool with_cond, bool parens, const char *end_word, jnode **ret)
{
    int line = p->tok->line;
    jnode *tuple = NULL, *first = NULL, *item;
    size_t cap = 0;
    NX_TRY(nx__jparse_new(p, N_TUPLE, line, &tuple));
    bool is_tuple = false;
    for (;;) {
        if (tuple_ends(p, end_word))
            break;
        NX_TRY(with_cond ? parse_cond(p, &item) : parse_or(p, &item));
        first = item;
        NX_TRY(nx__jparse_push(p, &tuple->list, &cap, item));
        if (!op_is(p, ','))
            break;
        is_tuple = true;
        p->tok++;
    }
    if (!is_tuple && tuple->list.n == 0 && !parens)
        return unexpected(p, "an expression");
    *ret = is_tuple || tuple->list.n == 0 ? tuple : first;
    return NX_OK;
}

static nx_status parse_target_part(jparser *p, bool with_ns, jnode **ret)
{
    if (op_is(p, '(')) {
        p->tok++;
        JPARSE_NESTED(p);
        NX_TRY(nx__jparse_target(p, with_ns, NULL, ret));
        p->depth--;
        return nx__jparse_expect(p, ')');
    }
    int line = p->tok->line;
    nx_str name;
    NX_TRY(nx__jparse_name(p, &name));
    static const char *const fixed[] = {"true", "True", "false", "False", "none", "None", "loop"};
    for (size_t i = 0; i < NX_COUNT_OF(fixed); i++)
        if (nx_str_is(name, fixed[i]))
            return nx__jparse_fail(p, line, "cannot assign to '%s'", fixed[i]);
    bool ns = with_ns && op_is(p, '.');
    NX_TRY(nx__jparse_new(p, ns ? N_NSREF : N_NAME, line, ret));
    (*ret)->s = name;
    if (!ns)
        return NX_OK;
    p->tok++;
    return nx__jparse_name(p, &(*ret)->s2);
}

nx_status nx__jparse_target(jparser *p, bool with_ns, const char *end_word, jnode **ret)
{
    jnode *tuple, *item;
    size_t cap = 0;
    NX_TRY(parse_target_part(p, with_ns, &item));
    *ret = item;
    if (!op_is(p, ','))
        return NX_OK;
    NX_TRY(nx__jparse_new(p, N_TUPLE, item->line, &tuple));
    NX_TRY(nx__jparse_push(p, &tuple->list, &cap, item));
    while (op_is(p, ',')) {
        p->tok++;
        if (tuple_ends(p, end_word) || op_is(p, '='))
            break;
        NX_TRY(parse_target_part(p, with_ns, &item));
        NX_TRY(nx__jparse_push(p, &tuple->list, &cap, item));
    }
    *ret = tuple;
    return NX_OK;
}
