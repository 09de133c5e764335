/* a.b, a['b'], a[0]: Jinja tries the attribute first after a dot and the item first in brackets. */
#include <stdlib.h>

#include "transform/jinja_int.h"

static nx_status missing_attr(nx_jrun *run, const nx_jval *v, nx_str name, nx_jval *ret)
{
    char *text = nx_arena_printf(&run->arena, "'%s' has no attribute '" NX_STR_FMT "'",
                                 v->kind == NX_J_DICT ? "dict object" : nx_jval_type(v), NX_STR_ARG(name));
    if (text == NULL)
        return nx__jnomem(run);
    *ret = nx_jval_undef(nx_str_of(text));
    ret->whole = true;
    return NX_OK;
}

static nx_status missing_item(nx_jrun *run, const nx_jval *v, const nx_jval *key, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 4096);
    NX_TRY(nx_jval_repr(run, key, &b, run->err));
    char *text = nx_arena_printf(&run->arena, "'%s' has no item %s",
                                 v->kind == NX_J_DICT ? "dict object" : nx_jval_type(v), b.p);
    if (text == NULL)
        return nx__jnomem(run);
    *ret = nx_jval_undef(nx_str_of(text));
    ret->whole = true;
    return NX_OK;
}

/* Attributes of undefined: another undefined while parsing, an error at run time. */
static nx_status of_undefined(nx_jrun *run, const nx_jval *v, nx_jval *ret)
{
    if (!run->opts.permissive)
        return nx__jundef_fail(run, v);
    *ret = *v;
    return NX_OK;
}

static nx_status method_of(nx_jrun *run, const nx_jval *v, const jmethod_def *def, nx_jval *ret)
{
    struct nx_jmethod *m = nx__jalloc(run, 1, sizeof *m);
    if (m == NULL)
        return nx__jnomem(run);
    *m = (struct nx_jmethod){*v, def};
    *ret = (nx_jval){.kind = NX_J_METHOD, .method = m};
    return NX_OK;
}

/* Attributes of macros that templates look at. */
static bool macro_attr(const nx_jval *v, nx_str name, nx_jval *ret)
{
    const jmacro_def *d = v->macro->def;
    if (nx_str_is(name, "name"))
        *ret = nx_jval_str(d->name);
    else if (nx_str_is(name, "caller"))
        *ret = nx_jval_bool(d->caller);
    else if (nx_str_is(name, "catch_varargs"))
        *ret = nx_jval_bool(d->varargs);
    else if (nx_str_is(name, "catch_kwargs"))
        *ret = nx_jval_bool(d->kwargs);
    else
        return false;
    return true;
}

nx_status nx__jget_attr(nx_jrun *run, const nx_jval *v, nx_str name, nx_jval *ret)
{
    if (v->kind == NX_J_UNDEF)
        return of_undefined(run, v, ret);
    if (name.n > 1 && name.p[0] == '_' && name.p[1] == '_') /* the sandbox: nothing behind double underscores */
        return missing_attr(run, v, name, ret);
    nx_jval key = nx_jval_str(name);
    const nx_jval *found;
    if (v->kind == NX_J_OBJ) {
        *ret = nx_jval_undef(name);
        if (v->obj->cls->attr != NULL)
            NX_TRY(v->obj->cls->attr(run, v->obj, name, ret, run->err));
        if (ret->kind == NX_J_UNDEF && v->obj->cls->item != NULL)
            NX_TRY(v->obj->cls->item(run, v->obj, &key, ret, run->err));
        return ret->kind == NX_J_UNDEF ? missing_attr(run, v, name, ret) : NX_OK;
    }
    const jmethod_def *def = nx__jmethod_find(v->kind, name);
    if (def != NULL)
        return method_of(run, v, def, ret);
    if (v->kind == NX_J_MACRO && macro_attr(v, name, ret))
        return NX_OK;
    if ((v->kind == NX_J_DICT || v->kind == NX_J_NS) && (found = nx_jdict_get(v->dict, &key)) != NULL) {
        *ret = *found;
        return NX_OK;
    }
    return missing_attr(run, v, name, ret);
}

static nx_status index_of(nx_jrun *run, const nx_jval *v, int64_t i, nx_jval *ret)
{
    nx_jval key = nx_jval_int(i);
    int64_t n;
    NX_TRY(nx__jval_len(run, v, &n));
    if (i < 0)
        i += n;
    if (i < 0 || i >= n)
        return missing_item(run, v, &key, ret);
    if (v->kind != NX_J_STR) {
        *ret = v->list->v[i];
        return NX_OK;
    }
    size_t from = nx__jstr_byte(v->s, (size_t)i), to = from;
    (void)nx_utf8_get(v->s, &to);
    *ret = nx_jval_str(nx_str_sub(v->s, from, to));
    return NX_OK;
}

nx_status nx__jget_item(nx_jrun *run, const nx_jval *v, const nx_jval *key, nx_jval *ret)
{
    int64_t i;
    if (v->kind == NX_J_UNDEF)
        return of_undefined(run, v, ret);
    if (v->kind == NX_J_OBJ) {
        *ret = nx_jval_undef(NX_STR(""));
        if (v->obj->cls->item != NULL)
            NX_TRY(v->obj->cls->item(run, v->obj, key, ret, run->err));
        if (ret->kind == NX_J_UNDEF && key->kind == NX_J_STR)
            return nx__jget_attr(run, v, key->s, ret);
        return ret->kind == NX_J_UNDEF ? missing_item(run, v, key, ret) : NX_OK;
    }
    if (v->kind == NX_J_DICT) {
        if (!nx__jval_hashable(key, 0))
            return missing_item(run, v, key, ret);
        const nx_jval *found = nx_jdict_get(v->dict, key);
        if (found != NULL) {
            *ret = *found;
            return NX_OK;
        }
    }
    if ((v->kind == NX_J_LIST || v->kind == NX_J_TUPLE || v->kind == NX_J_STR) && nx__jval_integer(key, &i))
        return index_of(run, v, i, ret);
    if (key->kind != NX_J_STR)
        return missing_item(run, v, key, ret);
    return nx__jget_attr(run, v, key->s, ret);
}

nx_status nx__jget_path(nx_jrun *run, const nx_jval *v, const nx_jval *path, nx_jval *ret)
{
    if (path->kind != NX_J_STR)
        return nx__jget_item(run, v, path, ret);
    nx_str rest = path->s, part;
    *ret = *v;
    while (nx_str_split(&rest, '.', &part)) {
        int64_t i;
        nx_jval base = *ret, key = nx_str_to_i64(part, &i) ? nx_jval_int(i) : nx_jval_str(part);
        NX_TRY(nx__jget_item(run, &base, &key, ret));
    }
    return NX_OK;
}
