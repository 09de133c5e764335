/* Finding and applying filters; those that choose: map, select, default, attr. */
#include "transform/jinja_int.h"

const jfilter *nx__jfilter_find(nx_str name)
{
    const jfilter *const tables[] = {nx__jfilters_seq, nx__jfilters_pick, nx__jfilters_str, nx__jfilters_num};
    for (size_t t = 0; t < NX_COUNT_OF(tables); t++)
        for (const jfilter *f = tables[t]; f->name != NULL; f++)
            if (nx_str_is(name, f->name))
                return f;
    return NULL;
}

nx_status nx__jfilter_apply(nx_jrun *run, const jfilter *f, const nx_jval *v, const nx_jargs *args, nx_jval *ret)
{
    const nx_jval *p[JARGS_MAX] = {NULL};
    if (f->spec != NULL)
        NX_TRY(nx__jbind(run, "filter", f->name, f->spec, args, p));
    return f->fn(run, v, p, args, ret);
}

static nx_status f_default(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)run;
    (void)args;
    bool missing = v->kind == NX_J_UNDEF || (p[1] != NULL && nx_jval_truth(p[1]) && !nx_jval_truth(v));
    *ret = !missing ? *v : p[0] != NULL ? *p[0] : nx_jval_str(NX_STR(""));
    return NX_OK;
}

static nx_status f_attr(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)args;
    nx_str name;
    NX_TRY(nx__jarg_str(run, p[0], NX_STR(""), "the name for filter 'attr'", &name));
    return nx__jget_attr(run, v, name, ret);
}

/* map('filter', args…) or map(attribute='a.b', default=x) */
static nx_status f_map(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)p;
    const nx_jval *items, *path = NULL, *dflt = NULL;
    size_t n;
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    if (args->n == 0) {
        path = nx_jargs_get(args, SIZE_MAX, "attribute");
        dflt = nx_jargs_get(args, SIZE_MAX, "default");
        if (path == NULL || args->n_kw != 1 + (size_t)(dflt != NULL))
            return jfail(run, "filter 'map' needs the name of a filter or attribute=…");
    }
    if (path == NULL && args->v[0].kind != NX_J_STR)
        return jfail(run, "filter 'map' needs the name of a filter, not '%s'", nx_jval_type(&args->v[0]));
    const jfilter *f = path != NULL ? NULL : nx__jfilter_find(args->v[0].s);
    if (path == NULL && f == NULL)
        return nx_fail(run->err, NX_UNSUPPORTED, "there is no filter '" NX_STR_FMT "'", NX_STR_ARG(args->v[0].s));
    nx_jargs rest = path != NULL ? *args : (nx_jargs){args->v + 1, args->n - 1, args->kw, args->n_kw};
    for (size_t i = 0; i < n; i++) {
        nx_jval r;
        NX_TRY(f != NULL ? nx__jfilter_apply(run, f, &items[i], &rest, &r) : nx__jget_path(run, &items[i], path, &r));
        if (f == NULL && r.kind == NX_J_UNDEF && dflt != NULL)
            r = *dflt;
        NX_TRY(nx_jlist_add(run, ret, r, run->err));
    }
    return NX_OK;
}

/* select, reject and their attr forms: keep the items whose test says `want`. */
static nx_status choose(nx_jrun *run, const nx_jval *v, const nx_jargs *args, bool attr, bool want, nx_jval *ret)
{
    const nx_jval *items;
    size_t n, skip = attr ? 1 : 0;
    if (attr && args->n == 0)
        return jfail(run, "filters 'selectattr' and 'rejectattr' need the name of an attribute");
    const jtest *t = NULL;
    if (args->n > skip) {
        t = args->v[skip].kind == NX_J_STR ? nx__jtest_find(args->v[skip].s) : NULL;
        if (t == NULL)
            return nx_fail(run->err, NX_UNSUPPORTED, "there is no test '" NX_STR_FMT "'",
                           NX_STR_ARG(args->v[skip].kind == NX_J_STR ? args->v[skip].s : NX_STR("?")));
        skip++;
    }
    nx_jargs rest = {args->v + skip, args->n - skip, args->kw, args->n_kw};
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < n; i++) {
        nx_jval subject = items[i];
        if (attr)
            NX_TRY(nx__jget_path(run, &items[i], &args->v[0], &subject));
        bool yes = nx_jval_truth(&subject);
        if (t != NULL)
            NX_TRY(nx__jtest_apply(run, t, &subject, &rest, &yes));
        if (yes == want)
            NX_TRY(nx_jlist_add(run, ret, items[i], run->err));
    }
    return NX_OK;
}

static nx_status f_select(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)p;
    return choose(run, v, args, false, true, ret);
}

static nx_status f_reject(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)p;
    return choose(run, v, args, false, false, ret);
}

static nx_status f_selectattr(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)p;
    return choose(run, v, args, true, true, ret);
}

static nx_status f_rejectattr(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret)
{
    (void)p;
    return choose(run, v, args, true, false, ret);
}

const jfilter nx__jfilters_pick[] = {
    {"attr", "name!", f_attr},
    {"d", "default_value boolean", f_default},
    {"default", "default_value boolean", f_default},
    {"map", NULL, f_map},
    {"reject", NULL, f_reject},
    {"rejectattr", NULL, f_rejectattr},
    {"select", NULL, f_select},
    {"selectattr", NULL, f_selectattr},
    {NULL, NULL, NULL},
};
