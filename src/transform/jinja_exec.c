#include "transform/jinja_int.h"

static nx_status put(nx_jrun *run, nx_buf *out, nx_str s)
{
    nx_status st = nx_buf_add(out, s);
    if (st == NX_OK)
        return NX_OK;
    return st == NX_NOMEM ? nx_nomem(run->err) : nx__jnomem(run);
}

/* Renders a body into a string value; scope: the names set inside stay there. */
static nx_status render(nx_jrun *run, const jnodes *body, nx_jval *ret)
{
    jscope *outer = run->scope;
    NX_TRY(nx__jscope_new(run, outer, &run->scope));
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    nx_status st = nx__jexec(run, body, &b);
    run->scope = outer;
    NX_TRY(st);
    return nx__jbuf_val(run, &b, ret);
}

/* body|filters…, where filters is a chain over N_BODY, or the body itself. */
static nx_status render_filtered(nx_jrun *run, const jnodes *body, const jnode *filters, nx_jval *ret)
{
    nx_jval text;
    NX_TRY(render(run, body, &text));
    *ret = text;
    if (filters == NULL)
        return NX_OK;
    jscope *outer = run->scope;
    NX_TRY(nx__jscope_new(run, outer, &run->scope));
    nx_status st = nx__jscope_set(run, run->scope, NX_STR(" body"), &text);
    if (st == NX_OK)
        st = nx__jeval(run, filters, ret);
    run->scope = outer;
    return st;
}

static nx_status assign_tuple(nx_jrun *run, const jnode *target, const nx_jval *v)
{
    const nx_jval *items;
    size_t n;
    NX_TRY(nx__jval_items(run, v, &items, &n));
    if (n != target->list.n)
        return jfail(run, "%zu names cannot take %zu values", target->list.n, n);
    for (size_t i = 0; i < n; i++)
        NX_TRY(nx__jassign(run, target->list.v[i], &items[i]));
    return NX_OK;
}

nx_status nx__jassign(nx_jrun *run, const jnode *target, const nx_jval *v)
{
    if (target->kind == N_TUPLE)
        return assign_tuple(run, target, v);
    if (target->kind == N_NAME)
        return nx__jscope_set(run, run->scope, target->s, v);
    nx_jval ns = nx__jname(run, target->s);
    if (ns.kind != NX_J_NS)
        return jfail(run, "cannot set '" NX_STR_FMT "' of a '%s': only a namespace() takes attributes",
                     NX_STR_ARG(target->s2), nx_jval_type(&ns));
    return nx_jdict_set(run, &ns, nx_jval_str(target->s2), *v, run->err);
}

static nx_status exec_if(nx_jrun *run, const jnode *n, nx_buf *out)
{
    for (size_t i = 0; i < (size_t)n->op; i++) {
        if (i < n->list.n) {
            nx_jval cond;
            NX_TRY(nx__jeval(run, n->list.v[i], &cond));
            if (!nx_jval_truth(&cond))
                continue;
        }
        return nx__jexec(run, &n->bodies[i], out);
    }
    return NX_OK;
}

/* The items that pass the condition of a for statement. */
static nx_status filter_items(nx_jrun *run, const jnode *n, const nx_jval **items, size_t *count)
{
    if (n->c == NULL)
        return NX_OK;
    nx_jval *kept = nx__jalloc(run, *count, sizeof *kept), cond;
    if (kept == NULL)
        return nx__jnomem(run);
    size_t k = 0;
    for (size_t i = 0; i < *count; i++) {
        NX_TRY(nx__jassign(run, n->a, &(*items)[i]));
        NX_TRY(nx__jeval(run, n->c, &cond));
        if (nx_jval_truth(&cond))
            kept[k++] = (*items)[i];
    }
    *items = kept;
    *count = k;
    return NX_OK;
}

static nx_status exec_items(nx_jrun *run, const jnode *n, jscope *outer, const nx_jval *items, size_t count,
                            nx_buf *out)
{
    jloop *loop = NULL;
    nx_jval loop_v = nx_jval_none();
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || run->scope->captured)
            NX_TRY(nx__jscope_new(run, outer, &run->scope));
        run->scope->n = 0;
        if (loop == NULL) {
            loop = nx__jalloc(run, 1, sizeof *loop);
            if (loop == NULL)
                return nx__jnomem(run);
            *loop = (jloop){.v = items, .n = count, .changed = nx_jval_undef(NX_STR("")), .depth = 1};
            NX_TRY(nx__jloop_make(run, loop, &loop_v));
        }
        loop->i = i;
        NX_TRY(nx__jscope_set(run, run->scope, NX_STR("loop"), &loop_v));
        NX_TRY(nx__jassign(run, n->a, &items[i]));
        NX_TRY(nx__jexec(run, &n->body, out));
        if (run->flow == FLOW_BREAK) {
            run->flow = FLOW_NONE;
            break;
        }
        run->flow = FLOW_NONE;
    }
    return NX_OK;
}

static nx_status exec_for(nx_jrun *run, const jnode *n, nx_buf *out)
{
    nx_jval seq;
    const nx_jval *items;
    size_t count;
    NX_TRY(nx__jeval(run, n->b, &seq));
    NX_TRY(nx__jval_items(run, &seq, &items, &count));
    if (seq.kind == NX_J_LIST && count > 0) { /* the body may grow the list it walks: walk what it is now */
        nx_jval *own = nx__jalloc(run, count, sizeof *own);
        if (own == NULL)
            return nx__jnomem(run);
        memcpy(own, items, count * sizeof *own);
        items = own;
    }
    jscope *outer = run->scope;
    NX_TRY(nx__jscope_new(run, outer, &run->scope));
    nx_status st = filter_items(run, n, &items, &count);
    if (st == NX_OK && count == 0) {
        run->scope->n = 0;
        st = nx__jexec(run, &n->other, out);
    } else if (st == NX_OK) {
        st = exec_items(run, n, outer, items, count, out);
    }
    run->scope = outer;
    return st;
}

static nx_status exec_with(nx_jrun *run, const jnode *n, nx_buf *out)
{
    jscope *outer = run->scope, *inner;
    NX_TRY(nx__jscope_new(run, outer, &inner));
    for (size_t i = 0; i + 1 < n->list.n; i += 2) {
        nx_jval v;
        NX_TRY(nx__jeval(run, n->list.v[i + 1], &v));
        NX_TRY(nx__jscope_set(run, inner, n->list.v[i]->s, &v));
    }
    run->scope = inner;
    nx_status st = nx__jexec(run, &n->body, out);
    run->scope = outer;
    return st;
}

/* {% call name(args) %}body{% endcall %}: the body becomes the keyword "caller". */
static nx_status exec_call_block(nx_jrun *run, const jnode *n, nx_buf *out)
{
    nx_jval callee, caller, kw, ret;
    nx_jargs args;
    NX_TRY(nx__jeval(run, n->a->a, &callee));
    NX_TRY(nx__jeval_args(run, n->a->args, &args));
    NX_TRY(nx__jmacro_make(run, n->def, &caller));
    NX_TRY(nx_jrun_dict(run, &kw, run->err));
    for (size_t i = 0; i < args.n_kw; i++)
        NX_TRY(nx_jdict_set(run, &kw, args.kw[i].key, args.kw[i].value, run->err));
    NX_TRY(nx_jdict_sets(run, &kw, "caller", caller, run->err));
    args.kw = kw.dict->items;
    args.n_kw = kw.dict->n;
    run->line = n->line;
    NX_TRY(nx__jcall(run, &callee, &args, &ret));
    return nx_jval_print(run, &ret, out, run->err);
}

static nx_status exec_output(nx_jrun *run, const jnode *n, nx_buf *out)
{
    nx_jval v;
    NX_TRY(nx__jeval(run, n->a, &v));
    return nx_jval_print(run, &v, out, run->err);
}

static nx_status exec_set(nx_jrun *run, const jnode *n)
{
    nx_jval v;
    if (n->kind == N_SET)
        NX_TRY(nx__jeval(run, n->b, &v));
    else
        NX_TRY(render_filtered(run, &n->body, n->b, &v));
    return nx__jassign(run, n->a, &v);
}

static nx_status exec_one(nx_jrun *run, const jnode *n, nx_buf *out)
{
    nx_jval v;
    switch ((jnode_kind)n->kind) {
    case N_DATA:
        return put(run, out, n->s);
    case N_OUTPUT:
        return exec_output(run, n, out);
    case N_IF:
        return exec_if(run, n, out);
    case N_FOR:
        return exec_for(run, n, out);
    case N_SET:
    case N_SET_BLOCK:
        return exec_set(run, n);
    case N_MACRO:
        NX_TRY(nx__jmacro_make(run, n->def, &v));
        return nx__jscope_set(run, run->scope, n->def->name, &v);
    case N_CALL_BLOCK:
        return exec_call_block(run, n, out);
    case N_FILTER_BLOCK:
        NX_TRY(render_filtered(run, &n->body, n->b, &v));
        return nx_jval_print(run, &v, out, run->err);
    case N_DO:
        return nx__jeval(run, n->a, &v);
    case N_BREAK:
        run->flow = FLOW_BREAK;
        return NX_OK;
    case N_CONTINUE:
        run->flow = FLOW_CONTINUE;
        return NX_OK;
    case N_WITH:
        return exec_with(run, n, out);
    default:
        return nx_fail(run->err, NX_INTERNAL, "an expression where a statement should be");
    }
}

nx_status nx__jexec(nx_jrun *run, const jnodes *body, nx_buf *out)
{
    nx_status st = NX_OK;
    run->nest++;
    for (size_t i = 0; i < body->n && st == NX_OK && run->flow == FLOW_NONE; i++) {
        const jnode *n = body->v[i];
        run->line = n->line;
        run->located = run->returning = false;
        if (++run->steps > run->opts.steps_max)
            st = nx_fail(run->err, NX_LIMIT, "the template took more than %llu steps",
                         (unsigned long long)run->opts.steps_max);
        else if (run->nest > JNEST_MAX)
            st =
                nx_fail(run->err, NX_LIMIT, "the template is nested too deeply; does a macro call itself without end?");
        else
            st = exec_one(run, n, out);
        if (st != NX_OK && !run->located && !run->returning) {
            nx_err_prefix(run->err, "%s:%d", run->tmpl == NULL ? "?" : run->tmpl->name, n->line);
            run->located = true;
        }
    }
    run->nest--;
    return st;
}
