#include "transform/jinja_int.h"

static nx_status eval_items(nx_jrun *run, const jnodes *list, nx_jval *ret)
{
    nx_jval item;
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < list->n; i++) {
        NX_TRY(nx__jeval(run, list->v[i], &item));
        NX_TRY(nx_jlist_add(run, ret, item, run->err));
    }
    return NX_OK;
}

static nx_status eval_dict(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval key, value;
    NX_TRY(nx_jrun_dict(run, ret, run->err));
    for (size_t i = 0; i + 1 < n->list.n; i += 2) {
        NX_TRY(nx__jeval(run, n->list.v[i], &key));
        NX_TRY(nx__jeval(run, n->list.v[i + 1], &value));
        NX_TRY(nx_jdict_set(run, ret, key, value, run->err));
    }
    return NX_OK;
}

static nx_status eval_concat(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    nx_jval part;
    for (size_t i = 0; i < n->list.n; i++) {
        NX_TRY(nx__jeval(run, n->list.v[i], &part));
        NX_TRY(nx_jval_print(run, &part, &b, run->err));
    }
    return nx__jbuf_val(run, &b, ret);
}

static nx_status eval_compare(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval left, right;
    bool yes = true;
    NX_TRY(nx__jeval(run, n->a, &left));
    for (size_t i = 0; i < n->list.n && yes; i++) {
        NX_TRY(nx__jeval(run, n->list.v[i], &right));
        NX_TRY(nx__jop_compare(run, n->ops[i], &left, &right, &yes));
        left = right;
    }
    *ret = nx_jval_bool(yes);
    return NX_OK;
}

static nx_status eval_sign(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval v;
    int64_t i;
    NX_TRY(nx__jeval(run, n->a, &v));
    if (v.kind == NX_J_FLOAT) {
        *ret = nx_jval_float(n->kind == N_NEG ? -v.f : v.f);
        return NX_OK;
    }
    if (!nx__jval_integer(&v, &i))
        return v.kind == NX_J_UNDEF ? nx__jundef_fail(run, &v) : jfail(run, "a '%s' has no sign", nx_jval_type(&v));
    if (n->kind == N_NEG && __builtin_sub_overflow((int64_t)0, i, &i))
        return jfail(run, "a whole number leaves the range of 64 bits");
    *ret = nx_jval_int(i);
    return NX_OK;
}

static nx_status eval_item(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval base, key, part[3];
    NX_TRY(nx__jeval(run, n->a, &base));
    if (n->b->kind != N_SLICE) {
        NX_TRY(nx__jeval(run, n->b, &key));
        return nx__jget_item(run, &base, &key, ret);
    }
    const jnode *bound[3] = {n->b->a, n->b->b, n->b->c};
    for (int i = 0; i < 3; i++) {
        part[i] = nx_jval_none();
        if (bound[i] != NULL)
            NX_TRY(nx__jeval(run, bound[i], &part[i]));
    }
    return nx__jop_slice(run, &base, part, ret);
}

/* *args: all items behind the positional ones; **kwargs: a dict's pairs behind the keywords. */
static nx_status spread(nx_jrun *run, const jcallargs *a, nx_jval *pos, nx_jval *kw)
{
    nx_jval more;
    const nx_jval *items;
    size_t n;
    if (a->star != NULL) {
        NX_TRY(nx__jeval(run, a->star, &more));
        NX_TRY(nx__jval_items(run, &more, &items, &n));
        for (size_t i = 0; i < n; i++)
            NX_TRY(nx_jlist_add(run, pos, items[i], run->err));
    }
    if (a->dstar == NULL)
        return NX_OK;
    NX_TRY(nx__jeval(run, a->dstar, &more));
    if (more.kind != NX_J_DICT)
        return jfail(run, "the value after ** must be a dict, not '%s'", nx_jval_type(&more));
    for (size_t i = 0; i < more.dict->n; i++) {
        const nx_jpair *pair = &more.dict->items[i];
        if (pair->key.kind != NX_J_STR)
            return jfail(run, "the keys of the dict after ** must be strings");
        if (nx_jdict_get(kw->dict, &pair->key) != NULL)
            return jfail(run, "keyword argument '" NX_STR_FMT "' is given twice", NX_STR_ARG(pair->key.s));
        NX_TRY(nx_jdict_set(run, kw, pair->key, pair->value, run->err));
    }
    return NX_OK;
}

nx_status nx__jeval_args(nx_jrun *run, const jcallargs *a, nx_jargs *ret)
{
    *ret = (nx_jargs){NULL, 0, NULL, 0};
    if (a == NULL || (a->pos.n == 0 && a->kw.n == 0 && a->star == NULL && a->dstar == NULL))
        return NX_OK;
    nx_jval pos, kw, v;
    NX_TRY(eval_items(run, &a->pos, &pos));
    NX_TRY(nx_jrun_dict(run, &kw, run->err));
    for (size_t i = 0; i < a->kw.n; i++) {
        NX_TRY(nx__jeval(run, a->kw.v[i], &v));
        NX_TRY(nx_jdict_set(run, &kw, nx_jval_str(a->kw_names[i]), v, run->err));
    }
    NX_TRY(spread(run, a, &pos, &kw));
    *ret = (nx_jargs){pos.list->v, pos.list->n, kw.dict->items, kw.dict->n};
    return NX_OK;
}

static nx_status eval_call(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval callee;
    nx_jargs args;
    NX_TRY(nx__jeval(run, n->a, &callee));
    NX_TRY(nx__jeval_args(run, n->args, &args));
    run->line = n->line;
    nx_status st = nx__jcall(run, &callee, &args, ret);
    if (st != NX_OK && run->located && !run->returning && run->err->hint[0] == '\0')
        nx_err_hint(run->err, st, "called from %s:%d", run->tmpl->name, n->line);
    return st;
}

static nx_status eval_filter(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval v;
    nx_jargs args;
    NX_TRY(nx__jeval(run, n->a, &v));
    NX_TRY(nx__jeval_args(run, n->args, &args));
    run->line = n->line;
    return nx__jfilter_apply(run, n->filter, &v, &args, ret);
}

static nx_status eval_test(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval v;
    nx_jargs args;
    bool yes;
    NX_TRY(nx__jeval(run, n->a, &v));
    NX_TRY(nx__jeval_args(run, n->args, &args));
    NX_TRY(nx__jtest_apply(run, n->test, &v, &args, &yes));
    *ret = nx_jval_bool(yes);
    return NX_OK;
}

static nx_status eval_logic(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    NX_TRY(nx__jeval(run, n->a, ret));
    if (n->kind == N_NOT) {
        *ret = nx_jval_bool(!nx_jval_truth(ret));
        return NX_OK;
    }
    return nx_jval_truth(ret) == (n->kind == N_AND) ? nx__jeval(run, n->b, ret) : NX_OK;
}

/* a if b else c: only the chosen side may run. */
static nx_status eval_cond(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval cond;
    NX_TRY(nx__jeval(run, n->b, &cond));
    if (nx_jval_truth(&cond))
        return nx__jeval(run, n->a, ret);
    if (n->c != NULL)
        return nx__jeval(run, n->c, ret);
    *ret = nx_jval_undef(NX_STR("the condition of 'if' was false and there is no 'else'"));
    ret->whole = true;
    return NX_OK;
}

static nx_status eval_attr(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval base;
    NX_TRY(nx__jeval(run, n->a, &base));
    return nx__jget_attr(run, &base, n->s, ret);
}

static nx_status eval_binary(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    nx_jval a, b;
    NX_TRY(nx__jeval(run, n->a, &a));
    NX_TRY(nx__jeval(run, n->b, &b));
    return nx__jop_binary(run, n->op, &a, &b, ret);
}

static nx_status dispatch(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    switch ((jnode_kind)n->kind) {
    case N_CONST:
        *ret = n->v;
        return NX_OK;
    case N_NAME:
        *ret = nx__jname(run, n->s);
        return NX_OK;
    case N_BODY:
        *ret = nx__jname(run, NX_STR(" body"));
        return NX_OK;
    case N_TUPLE:
    case N_LIST:
        NX_TRY(eval_items(run, &n->list, ret));
        ret->kind = n->kind == N_TUPLE ? NX_J_TUPLE : NX_J_LIST;
        return NX_OK;
    case N_DICT:
        return eval_dict(run, n, ret);
    case N_COND:
        return eval_cond(run, n, ret);
    case N_OR:
    case N_AND:
    case N_NOT:
        return eval_logic(run, n, ret);
    case N_COMPARE:
        return eval_compare(run, n, ret);
    case N_BINARY:
        return eval_binary(run, n, ret);
    case N_CONCAT:
        return eval_concat(run, n, ret);
    case N_NEG:
    case N_POS:
        return eval_sign(run, n, ret);
    case N_ATTR:
        return eval_attr(run, n, ret);
    case N_ITEM:
        return eval_item(run, n, ret);
    case N_CALL:
        return eval_call(run, n, ret);
    case N_FILTER:
        return eval_filter(run, n, ret);
    case N_TEST:
        return eval_test(run, n, ret);
    default:
        return nx_fail(run->err, NX_INTERNAL, "a statement where an expression should be");
    }
}

nx_status nx__jeval(nx_jrun *run, const jnode *n, nx_jval *ret)
{
    run->located = run->returning = false; /* an earlier error was handled by a host function */
    nx_status st;
    nx_jval v = nx_jval_none();
    run->nest++;
    if (++run->steps > run->opts.steps_max)
        st = nx_fail(run->err, NX_LIMIT, "the template took more than %llu steps",
                     (unsigned long long)run->opts.steps_max);
    else if (run->nest > JNEST_MAX)
        st = nx_fail(run->err, NX_LIMIT, "the template is nested too deeply; does a macro call itself without end?");
    else
        st = dispatch(run, n, &v);
    run->nest--;
    if (NX_LIKELY(st == NX_OK)) {
        *ret = v;
        return NX_OK;
    }
    if (!run->located && !run->returning) {
        nx_err_prefix(run->err, "%s:%d", run->tmpl == NULL ? "?" : run->tmpl->name, n->line);
        run->located = true;
    }
    return st;
}
