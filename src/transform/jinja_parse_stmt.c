/* Statements: what stands between {% and %}, and the bodies they open. */
#include "transform/jinja_int.h"

static nx_status block_end(jparser *p)
{
    char got[80];
    if (p->tok->kind != T_BLOCK_END)
        return nx__jparse_fail(p, p->tok->line, "expected '%%}', found %s", nx__jtok_text(p->tok, got, sizeof got));
    p->tok++;
    return NX_OK;
}

nx_status nx__jparse_end(jparser *p)
{
    p->tok++;
    return block_end(p);
}

nx_status nx__jparse_signature(jparser *p, jmacro_def *def)
{
    size_t cap = 0;
    NX_TRY(nx__jparse_expect(p, '('));
    while (!nx__jparse_op(p->tok, ')')) {
        if (def->n_params > 0)
            NX_TRY(nx__jparse_expect(p, ','));
        if (def->n_params == cap) {
            size_t to = cap == 0 ? 4 : cap * 2;
            nx_jparam *params = NX_ARENA_ARRAY(p->a, nx_jparam, to);
            jnode **defaults = NX_ARENA_ARRAY(p->a, jnode *, to);
            if (params == NULL || defaults == NULL)
                return nx_nomem(p->err);
            if (cap > 0) {
                memcpy(params, def->params, cap * sizeof *params);
                memcpy(defaults, def->defaults, cap * sizeof *defaults);
            }
            def->params = params;
            def->defaults = defaults;
            cap = to;
        }
        nx_jparam *param = &def->params[def->n_params];
        int line = p->tok->line;
        NX_TRY(nx__jparse_name(p, &param->name));
        for (size_t i = 0; i < def->n_params; i++)
            if (nx_str_eq(def->params[i].name, param->name))
                return nx__jparse_fail(p, line, "parameter '" NX_STR_FMT "' is named twice", NX_STR_ARG(param->name));
        param->has_default = nx__jparse_op(p->tok, '=');
        if (param->has_default) {
            p->tok++;
            NX_TRY(nx__jparse_expr(p, &def->defaults[def->n_params]));
        } else if (def->n_params > 0 && def->params[def->n_params - 1].has_default) {
            return nx__jparse_fail(p, line, "parameter '" NX_STR_FMT "' without default follows one with a default",
                                   NX_STR_ARG(param->name));
        }
        def->n_params++;
    }
    return nx__jparse_expect(p, ')');
}

nx_status nx__jparse_macro_body(jparser *p, const char *opener, const char *end, jmacro_def *def)
{
    jparser saved = *p;
    p->loops = 0;
    p->saw_varargs = p->saw_kwargs = p->saw_caller = false;
    def->tmpl = p->t;
    const char *ends[] = {end, NULL};
    NX_TRY(block_end(p));
    NX_TRY(nx__jparse_body(p, opener, def->line, ends, &def->body));
    def->varargs = p->saw_varargs;
    def->kwargs = p->saw_kwargs;
    def->caller = p->saw_caller;
    p->loops = saved.loops;
    p->saw_varargs |= saved.saw_varargs;
    p->saw_kwargs |= saved.saw_kwargs;
    p->saw_caller |= saved.saw_caller;
    return NX_OK;
}

static nx_status parse_macro(jparser *p, const jtok *begin, jnode **ret)
{
    jmacro_def *def = NX_ARENA_NEW(p->a, jmacro_def);
    if (def == NULL)
        return nx_nomem(p->err);
    def->line = p->tok->line;
    p->tok++;
    NX_TRY(nx__jparse_name(p, &def->name));
    NX_TRY(nx__jparse_signature(p, def));
    const jtok *body = p->tok;
    NX_TRY(nx__jparse_macro_body(p, "macro", "endmacro", def));
    const jtok *end = p->tok - 1;
    NX_TRY(nx__jparse_end(p));
    NX_TRY(nx__jparse_new(p, N_MACRO, def->line, ret));
    (*ret)->def = def;
    if (p->blocks > 1)
        return NX_OK;
    nx_jblock b = {.kind = NX_JB_MACRO, .name = def->name, .call_name = def->name};
    return nx__jparse_add_block(p, begin, body, end, b, def);
}

static nx_status parse_if(jparser *p, jnode **ret)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    static const char *const last[] = {"endif", NULL};
    int line = p->tok->line;
    NX_TRY(nx__jparse_new(p, N_IF, line, ret));
    jnode *n = *ret;
    size_t cap = 0, cap_bodies = 0;
    for (size_t i = 0;; i++) {
        bool is_else = nx__jparse_word(p->tok, "else");
        p->tok++;
        if (!is_else) {
            jnode *cond;
            NX_TRY(nx__jparse_tuple(p, false, false, NULL, &cond));
            NX_TRY(nx__jparse_push(p, &n->list, &cap, cond));
        }
        NX_TRY(block_end(p));
        if (i == cap_bodies) {
            size_t to = cap_bodies == 0 ? 2 : cap_bodies * 2;
            jnodes *v = NX_ARENA_ARRAY(p->a, jnodes, to);
            if (v == NULL)
                return nx_nomem(p->err);
            if (i > 0)
                memcpy(v, n->bodies, i * sizeof *v);
            n->bodies = v;
            cap_bodies = to;
        }
        NX_TRY(nx__jparse_body(p, "if", line, is_else ? last : ends, &n->bodies[i]));
        n->op = (int)i + 1; /* how many bodies */
        if (nx__jparse_word(p->tok, "endif"))
            return nx__jparse_end(p);
    }
}

static nx_status parse_for(jparser *p, jnode **ret)
{
    static const char *const ends[] = {"else", "endfor", NULL};
    static const char *const last[] = {"endfor", NULL};
    int line = p->tok->line;
    p->tok++;
    NX_TRY(nx__jparse_new(p, N_FOR, line, ret));
    jnode *n = *ret;
    NX_TRY(nx__jparse_target(p, false, "in", &n->a));
    if (!nx__jparse_word(p->tok, "in"))
        return nx__jparse_fail(p, p->tok->line, "expected 'in' in the for statement");
    p->tok++;
    NX_TRY(nx__jparse_tuple(p, false, false, "recursive", &n->b));
    if (nx__jparse_word(p->tok, "if")) {
        p->tok++;
        NX_TRY(nx__jparse_expr(p, &n->c));
    }
    if (nx__jparse_word(p->tok, "recursive"))
        return nx_fail(p->err, NX_UNSUPPORTED, "%s:%d: recursive for loops are not supported", p->t->name, line);
    NX_TRY(block_end(p));
    p->loops++;
    NX_TRY(nx__jparse_body(p, "for", line, ends, &n->body));
    p->loops--;
    if (nx__jparse_word(p->tok, "else")) {
        NX_TRY(nx__jparse_end(p));
        NX_TRY(nx__jparse_body(p, "for", line, last, &n->other));
    }
    return nx__jparse_end(p);
}

static nx_status parse_set(jparser *p, jnode **ret)
{
    static const char *const ends[] = {"endset", NULL};
    int line = p->tok->line;
    p->tok++;
    NX_TRY(nx__jparse_new(p, N_SET, line, ret));
    jnode *n = *ret;
    NX_TRY(nx__jparse_target(p, true, NULL, &n->a));
    if (nx__jparse_op(p->tok, '=')) {
        p->tok++;
        NX_TRY(nx__jparse_tuple(p, true, false, NULL, &n->b));
        return block_end(p);
    }
    n->kind = N_SET_BLOCK;
    if (nx__jparse_op(p->tok, '|')) {
        jnode *root = NULL;
        p->tok++;
        NX_TRY(nx__jparse_new(p, N_BODY, line, &root));
        NX_TRY(nx__jparse_filters(p, root, &n->b));
    }
    NX_TRY(block_end(p));
    NX_TRY(nx__jparse_body(p, "set", line, ends, &n->body));
    return nx__jparse_end(p);
}

static nx_status parse_call_block(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    p->tok++;
    jmacro_def *def = NX_ARENA_NEW(p->a, jmacro_def);
    if (def == NULL)
        return nx_nomem(p->err);
    *def = (jmacro_def){.name = NX_STR("caller"), .line = line, .is_caller = true};
    if (nx__jparse_op(p->tok, '('))
        NX_TRY(nx__jparse_signature(p, def));
    NX_TRY(nx__jparse_new(p, N_CALL_BLOCK, line, ret));
    NX_TRY(nx__jparse_unary(p, true, &(*ret)->a));
    if ((*ret)->a->kind != N_CALL)
        return nx__jparse_fail(p, line, "'call' wants a call, as in {%% call name() %%}");
    NX_TRY(nx__jparse_macro_body(p, "call", "endcall", def));
    (*ret)->def = def;
    return nx__jparse_end(p);
}

static nx_status parse_filter_block(jparser *p, jnode **ret)
{
    static const char *const ends[] = {"endfilter", NULL};
    int line = p->tok->line;
    p->tok++;
    jnode *root = NULL;
    NX_TRY(nx__jparse_new(p, N_FILTER_BLOCK, line, ret));
    NX_TRY(nx__jparse_new(p, N_BODY, line, &root));
    NX_TRY(nx__jparse_filters(p, root, &(*ret)->b));
    NX_TRY(block_end(p));
    NX_TRY(nx__jparse_body(p, "filter", line, ends, &(*ret)->body));
    return nx__jparse_end(p);
}

static nx_status parse_with(jparser *p, jnode **ret)
{
    static const char *const ends[] = {"endwith", NULL};
    int line = p->tok->line;
    p->tok++;
    NX_TRY(nx__jparse_new(p, N_WITH, line, ret));
    size_t cap = 0;
    while (p->tok->kind != T_BLOCK_END) {
        jnode *target = NULL, *value = NULL;
        if ((*ret)->list.n > 0)
            NX_TRY(nx__jparse_expect(p, ','));
        nx_str name;
        int at = p->tok->line;
        NX_TRY(nx__jparse_name(p, &name));
        NX_TRY(nx__jparse_new(p, N_NAME, at, &target));
        target->s = name;
        NX_TRY(nx__jparse_expect(p, '='));
        NX_TRY(nx__jparse_expr(p, &value));
        NX_TRY(nx__jparse_push(p, &(*ret)->list, &cap, target));
        NX_TRY(nx__jparse_push(p, &(*ret)->list, &cap, value));
    }
    NX_TRY(block_end(p));
    NX_TRY(nx__jparse_body(p, "with", line, ends, &(*ret)->body));
    return nx__jparse_end(p);
}

/* do EXPR, print EXPR, break, continue */
static nx_status parse_simple(jparser *p, jnode **ret)
{
    int line = p->tok->line;
    bool is_do = nx__jparse_word(p->tok, "do"), print = nx__jparse_word(p->tok, "print");
    bool is_break = nx__jparse_word(p->tok, "break");
    p->tok++;
    NX_TRY(nx__jparse_new(p, is_do ? N_DO : print ? N_OUTPUT : is_break ? N_BREAK : N_CONTINUE, line, ret));
    if (is_do || print)
        NX_TRY(nx__jparse_tuple(p, true, false, NULL, &(*ret)->a));
    else if (p->loops == 0)
        return nx__jparse_fail(p, line, "'%s' outside of a loop", is_break ? "break" : "continue");
    return block_end(p);
}

nx_status nx__jparse_statement(jparser *p, const jtok *begin, jnode **ret)
{
    static const struct {
        const char *word;
        nx_status (*parse)(jparser *p, jnode **ret);
    } words[] = {{"if", parse_if},
                 {"for", parse_for},
                 {"set", parse_set},
                 {"call", parse_call_block},
                 {"filter", parse_filter_block},
                 {"with", parse_with},
                 {"do", parse_simple},
                 {"print", parse_simple},
                 {"break", parse_simple},
                 {"continue", parse_simple}};
    static const char *const refused[] = {"include", "import", "from",      "extends", "block",   "autoescape",
                                          "trans",   "debug",  "pluralize", "scoped",  "required"};
    const jtok *t = p->tok;
    if (t->kind == T_NAME) {
        for (size_t i = 0; i < NX_COUNT_OF(words); i++)
            if (nx_str_is(t->s, words[i].word))
                return words[i].parse(p, ret);
        if (nx_str_is(t->s, "macro"))
            return parse_macro(p, begin, ret);
        bool taken;
        NX_TRY(nx__jparse_dbt(p, begin, &taken));
        if (taken)
            return NX_OK;
        for (size_t i = 0; i < NX_COUNT_OF(refused); i++)
            if (nx_str_is(t->s, refused[i]))
                return nx_fail(p->err, NX_UNSUPPORTED, "%s:%d: the statement '%s' is not supported", p->t->name,
                               t->line, refused[i]);
    }
    char got[80];
    return nx__jparse_fail(p, t->line, "unknown statement %s", nx__jtok_text(t, got, sizeof got));
}
