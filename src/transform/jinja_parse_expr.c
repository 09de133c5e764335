/* Operators by their binding, conditions, tuples and the targets of assignments. */
#include "transform/jinja_int.h"

static nx_status parse_cond(jparser *p, jnode **ret);

nx_status nx__jparse_pair(jparser *p, jnode_kind kind, int line, jnode *a, jnode *b, int op, jnode **ret)
{
    NX_TRY(nx__jparse_new(p, kind, line, ret));
    (*ret)->a = a;
    (*ret)->b = b;
    (*ret)->op = op;
    return NX_OK;
}

nx_status nx__jparse_unexpected(jparser *p, const char *wanted)
{
    char buf[80];
    return nx__jparse_fail(p, p->tok->line, "expected %s, found %s", wanted, nx__jtok_text(p->tok, buf, sizeof buf));
}

/* The four levels of operators that go from left to right, the loosest first. Concatenation stands between them. */
static nx_status parse_math(jparser *p, int level, jnode **ret);

static nx_status parse_concat(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    jnode *first;
    NX_TRY(parse_math(p, 1, &first));
    *ret = first;
    if (!nx__jparse_op(p->tok, '~'))
        return NX_OK;
    size_t cap = 0;
    NX_TRY(nx__jparse_new(p, N_CONCAT, line, ret));
    NX_TRY(nx__jparse_push(p, &(*ret)->list, &cap, first));
    while (nx__jparse_op(p->tok, '~')) {
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
            if (ops[level][i] != 0 && nx__jparse_op(p->tok, ops[level][i]))
                op = ops[level][i];
        if (op == 0)
            return NX_OK;
        if (links > 400)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 400 operators");
        int line = p->tok->line;
        p->tok++;
        jnode *right;
        NX_TRY(parse_math_part(p, level, &right));
        NX_TRY(nx__jparse_pair(p, N_BINARY, line, *ret, right, op, ret));
    }
}

static int compare_op(jparser *p)
{
    static const int ops[] = {JOP2('=', '='), JOP2('!', '='), '<', '>', JOP2('<', '='), JOP2('>', '=')};
    for (size_t i = 0; i < NX_COUNT_OF(ops); i++)
        if (nx__jparse_op(p->tok, ops[i])) {
            p->tok++;
            return ops[i];
        }
    if (nx__jparse_word(p->tok, "in")) {
        p->tok++;
        return 'i';
    }
    if (nx__jparse_word(p->tok, "not") && nx__jparse_word(p->tok + 1, "in")) {
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
            NX_TRY(nx__jparse_pair(p, N_COMPARE, line, first, NULL, 0, &n));
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
    if (!nx__jparse_word(p->tok, "not"))
        return parse_compare(p, ret);
    JPARSE_NESTED(p);
    int line = p->tok->line;
    p->tok++;
    NX_TRY(parse_not(p, ret));
    p->depth--;
    return nx__jparse_pair(p, N_NOT, line, *ret, NULL, 0, ret);
}

static nx_status parse_and(jparser *p, jnode **ret)
{
    NX_TRY(parse_not(p, ret));
    for (unsigned links = 0; nx__jparse_word(p->tok, "and"); links++) {
        if (links > 400)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 400 operators");
        jnode *right;
        int line = p->tok->line;
        p->tok++;
        NX_TRY(parse_not(p, &right));
        NX_TRY(nx__jparse_pair(p, N_AND, line, *ret, right, 0, ret));
    }
    return NX_OK;
}

static nx_status parse_or(jparser *p, jnode **ret)
{
    NX_TRY(parse_and(p, ret));
    for (unsigned links = 0; nx__jparse_word(p->tok, "or"); links++) {
        if (links > 400)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 400 operators");
        jnode *right;
        int line = p->tok->line;
        p->tok++;
        NX_TRY(parse_and(p, &right));
        NX_TRY(nx__jparse_pair(p, N_OR, line, *ret, right, 0, ret));
    }
    return NX_OK;
}

static nx_status parse_cond(jparser *p, jnode **ret)
{
    JPARSE_NESTED(p);
    NX_TRY(parse_or(p, ret));
    for (unsigned links = 0; nx__jparse_word(p->tok, "if"); links++) {
        if (links > 200)
            return nx__jparse_fail(p, p->tok->line, "a chain of more than 200 conditions");
        int line = p->tok->line;
        p->tok++;
        jnode *test, *other = NULL;
        NX_TRY(parse_or(p, &test));
        if (nx__jparse_word(p->tok, "else")) {
            p->tok++;
            NX_TRY(parse_cond(p, &other));
        }
        NX_TRY(nx__jparse_pair(p, N_COND, line, *ret, test, 0, ret));
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
    return p->tok->kind == T_VAR_END || p->tok->kind == T_BLOCK_END || p->tok->kind == T_EOF ||
           nx__jparse_op(p->tok, ')') || (end_word != NULL && nx__jparse_word(p->tok, end_word));
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
        if (!nx__jparse_op(p->tok, ','))
            break;
        is_tuple = true;
        p->tok++;
    }
    if (!is_tuple && tuple->list.n == 0 && !parens)
        return nx__jparse_unexpected(p, "an expression");
    *ret = is_tuple || tuple->list.n == 0 ? tuple : first;
    return NX_OK;
}

static nx_status parse_target_part(jparser *p, bool with_ns, jnode **ret)
{
    if (nx__jparse_op(p->tok, '(')) {
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
    bool ns = with_ns && nx__jparse_op(p->tok, '.');
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
    if (!nx__jparse_op(p->tok, ','))
        return NX_OK;
    NX_TRY(nx__jparse_new(p, N_TUPLE, item->line, &tuple));
    NX_TRY(nx__jparse_push(p, &tuple->list, &cap, item));
    while (nx__jparse_op(p->tok, ',')) {
        p->tok++;
        if (tuple_ends(p, end_word) || nx__jparse_op(p->tok, '='))
            break;
        NX_TRY(parse_target_part(p, with_ns, &item));
        NX_TRY(nx__jparse_push(p, &tuple->list, &cap, item));
    }
    *ret = tuple;
    return NX_OK;
}
