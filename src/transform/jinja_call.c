/* Calling macros, functions, methods and objects; scopes and names. */
#include "transform/jinja_int.h"

nx_status nx__jscope_new(nx_jrun *run, jscope *up, jscope **ret)
{
    jscope *s = nx__jalloc(run, 1, sizeof *s);
    if (s == NULL)
        return nx__jnomem(run);
    s->up = up;
    *ret = s;
    return NX_OK;
}

nx_status nx__jscope_set(nx_jrun *run, jscope *s, nx_str name, const nx_jval *v)
{
    for (size_t i = 0; i < s->n; i++)
        if (nx_str_eq(s->vars[i].key.s, name)) {
            s->vars[i].value = *v;
            return NX_OK;
        }
    if (s->n == s->cap) {
        size_t to = s->cap == 0 ? 4 : s->cap * 2;
        nx_jpair *vars = nx__jalloc(run, to, sizeof *vars);
        if (vars == NULL)
            return nx__jnomem(run);
        if (s->n > 0)
            memcpy(vars, s->vars, s->n * sizeof *vars);
        s->vars = vars;
        s->cap = to;
    }
    s->vars[s->n++] = (nx_jpair){nx_jval_str(name), *v};
    return NX_OK;
}

nx_jval nx__jname(nx_jrun *run, nx_str name)
{
    for (const jscope *s = run->scope; s != NULL; s = s->up)
        for (size_t i = 0; i < s->n; i++)
            if (nx_str_eq(s->vars[i].key.s, name))
                return s->vars[i].value;
    return nx_jrun_lookup(run, name);
}

nx_status nx__jmacro_make(nx_jrun *run, const jmacro_def *def, nx_jval *ret)
{
    struct nx_jmacro *m = nx__jalloc(run, 1, sizeof *m);
    if (m == NULL)
        return nx__jnomem(run);
    *m = (struct nx_jmacro){def, run->scope, {"", 0}, def->name};
    for (jscope *s = run->scope; s != NULL && !s->captured; s = s->up)
        s->captured = true;
    *ret = (nx_jval){.kind = NX_J_MACRO, .macro = m};
    return NX_OK;
}

static const nx_jpair *keyword(const nx_jargs *args, nx_str name)
{
    for (size_t i = 0; i < args->n_kw; i++)
        if (nx_str_eq(args->kw[i].key.s, name))
            return &args->kw[i];
    return NULL;
}

static bool is_param(const jmacro_def *d, nx_str name, size_t from)
{
    for (size_t i = from; i < d->n_params; i++)
        if (nx_str_eq(d->params[i].name, name))
            return true;
    return false;
}

/* What is left over goes to varargs, kwargs and caller where the body speaks of them, else it is an error. */
static nx_status bind_rest(nx_jrun *run, const jmacro_def *d, const nx_jargs *args)
{
    nx_jval rest;
    size_t taken = args->n < d->n_params ? args->n : d->n_params;
    if (args->n > taken && !d->varargs)
        return jfail(run, "macro '" NX_STR_FMT "' takes at most %zu arguments, %zu were given", NX_STR_ARG(d->name),
                     d->n_params, args->n);
    if (d->varargs && !is_param(d, NX_STR("varargs"), 0)) {
        NX_TRY(nx_jrun_tuple(run, args->v + taken, args->n - taken, &rest, run->err));
        NX_TRY(nx__jscope_set(run, run->scope, NX_STR("varargs"), &rest));
    }
    NX_TRY(nx_jrun_dict(run, &rest, run->err));
    for (size_t i = 0; i < args->n_kw; i++) {
        const nx_jpair *kw = &args->kw[i];
        if (is_param(d, kw->key.s, taken))
            continue;
        if (d->caller && nx_str_is(kw->key.s, "caller"))
            NX_TRY(nx__jscope_set(run, run->scope, kw->key.s, &kw->value));
        else if (d->kwargs)
            NX_TRY(nx_jdict_set(run, &rest, kw->key, kw->value, run->err));
        else
            return jfail(run, "macro '" NX_STR_FMT "' takes no argument '" NX_STR_FMT "'", NX_STR_ARG(d->name),
                         NX_STR_ARG(kw->key.s));
    }
    if (d->caller && keyword(args, NX_STR("caller")) == NULL && !is_param(d, NX_STR("caller"), 0)) {
        nx_jval none = nx_jval_undef(NX_STR("no caller is given: the macro was not called by a call block"));
        none.whole = true;
        NX_TRY(nx__jscope_set(run, run->scope, NX_STR("caller"), &none));
    }
    if (!d->kwargs || is_param(d, NX_STR("kwargs"), 0))
        return NX_OK;
    return nx__jscope_set(run, run->scope, NX_STR("kwargs"), &rest);
}

/* Puts the arguments into the macro's new scope; defaults see the parameters before them. */
static nx_status bind(nx_jrun *run, const jmacro_def *d, const nx_jargs *args)
{
    for (size_t i = 0; i < d->n_params; i++) {
        const nx_jpair *kw;
        nx_jval v;
        if (i < args->n) {
            v = args->v[i];
        } else if ((kw = keyword(args, d->params[i].name)) != NULL) {
            v = kw->value;
        } else if (d->defaults[i] != NULL) {
            const nx_jtmpl *caller = run->tmpl;
            run->tmpl = d->tmpl;
            nx_status st = nx__jeval(run, d->defaults[i], &v);
            run->tmpl = caller;
            NX_TRY(st);
        } else {
            char *text = nx_arena_printf(&run->arena, "parameter '" NX_STR_FMT "' was not provided",
                                         NX_STR_ARG(d->params[i].name));
            if (text == NULL)
                return nx__jnomem(run);
            v = nx_jval_undef(nx_str_of(text));
            v.whole = true;
        }
        NX_TRY(nx__jscope_set(run, run->scope, d->params[i].name, &v));
    }
    return bind_rest(run, d, args);
}

static nx_status run_macro(nx_jrun *run, const struct nx_jmacro *m, const nx_jargs *args, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    NX_TRY(nx__jscope_new(run, m->scope, &run->scope));
    NX_TRY(bind(run, m->def, args));
    run->tmpl = m->def->tmpl;
    nx_status st = nx__jexec(run, &m->def->body, &b);
    if (st == NX_OK)
        return nx__jbuf_val(run, &b, ret);
    if (!run->returning || m->def->is_caller)
        return st;
    run->returning = false;
    *ret = run->ret_val;
    return NX_OK;
}

static nx_status call_macro(nx_jrun *run, const struct nx_jmacro *m, const nx_jargs *args, nx_jval *ret)
{
    if (run->depth >= run->opts.depth_max)
        return nx_fail(run->err, NX_LIMIT, "macros call each other more than %u deep", run->opts.depth_max);
    const nx_jtmpl *tmpl = run->tmpl;
    jscope *scope = run->scope;
    jflow flow = run->flow;
    run->depth++;
    run->flow = FLOW_NONE;
    nx_status st = run_macro(run, m, args, ret);
    run->depth--;
    run->tmpl = tmpl;
    run->scope = scope;
    run->flow = flow;
    return st;
}

static nx_status call_method(nx_jrun *run, const struct nx_jmethod *m, const nx_jargs *args, nx_jval *ret)
{
    const nx_jval *p[JARGS_MAX];
    if (m->def->spec != NULL)
        NX_TRY(nx__jbind(run, "method", m->def->name, m->def->spec, args, p));
    return m->def->fn(run, &m->self, p, args, ret);
}

nx_status nx__jcall(nx_jrun *run, const nx_jval *callee, const nx_jargs *args, nx_jval *ret)
{
    *ret = nx_jval_none();
    switch (callee->kind) {
    case NX_J_MACRO:
        return call_macro(run, callee->macro, args, ret);
    case NX_J_FUNC:
        return callee->func->fn(run, callee->func->ctx, args, ret, run->err);
    case NX_J_METHOD:
        return call_method(run, callee->method, args, ret);
    case NX_J_UNDEF:
        if (!run->opts.permissive)
            return nx__jundef_fail(run, callee);
        *ret = *callee;
        return NX_OK;
    case NX_J_OBJ:
        if (callee->obj->cls->call != NULL)
            return callee->obj->cls->call(run, callee->obj, args, ret, run->err);
        break;
    default:
        break;
    }
    return jfail(run, "a value of type '%s' cannot be called", nx_jval_type(callee));
}
