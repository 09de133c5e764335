/* What can be walked, counted and searched; copies and conversions of values. */
#include "transform/jinja_int.h"

nx_status nx__jundef_fail(nx_jrun *run, const nx_jval *v)
{
    if (v->whole)
        return jfail(run, NX_STR_FMT, NX_STR_ARG(v->s));
    return jfail(run, "'" NX_STR_FMT "' is undefined", NX_STR_ARG(v->s));
}

static nx_status chars_of(nx_jrun *run, nx_str s, const nx_jval **ret, size_t *ret_n)
{
    size_t n = nx_utf8_count(s), i = 0;
    nx_jval *v = nx__jalloc(run, n, sizeof *v);
    if (v == NULL)
        return nx__jnomem(run);
    for (size_t k = 0; k < n; k++) {
        size_t from = i;
        (void)nx_utf8_get(s, &i);
        v[k] = nx_jval_str(nx_str_sub(s, from, i));
    }
    *ret = v;
    *ret_n = n;
    return NX_OK;
}

nx_status nx__jval_items(nx_jrun *run, const nx_jval *v, const nx_jval **ret, size_t *ret_n)
{
    *ret = NULL;
    *ret_n = 0;
    if (v->kind == NX_J_UNDEF)
        return NX_OK;
    if (v->kind == NX_J_STR)
        return chars_of(run, v->s, ret, ret_n);
    if (v->kind == NX_J_OBJ && v->obj->cls->iter != NULL) {
        nx_jval list;
        NX_TRY(v->obj->cls->iter(run, v->obj, &list, run->err));
        if (list.kind != NX_J_LIST && list.kind != NX_J_TUPLE)
            return nx_fail(run->err, NX_INTERNAL, "the iterator of '%s' gave a '%s'", nx_jval_type(v),
                           nx_jval_type(&list));
        return nx__jval_items(run, &list, ret, ret_n);
    }
    if (v->kind == NX_J_DICT) {
        nx_jval *keys = nx__jalloc(run, v->dict->n, sizeof *keys);
        if (keys == NULL)
            return nx__jnomem(run);
        for (size_t i = 0; i < v->dict->n; i++)
            keys[i] = v->dict->items[i].key;
        *ret = keys;
        *ret_n = v->dict->n;
        return NX_OK;
    }
    if (v->kind != NX_J_LIST && v->kind != NX_J_TUPLE)
        return jfail(run, "a value of type '%s' cannot be iterated over", nx_jval_type(v));
    *ret = v->list->v;
    *ret_n = v->list->n;
    return NX_OK;
}

nx_status nx__jval_len(nx_jrun *run, const nx_jval *v, int64_t *ret)
{
    const nx_jval *items;
    size_t n;
    switch (v->kind) {
    case NX_J_UNDEF:
        *ret = 0;
        return NX_OK;
    case NX_J_STR:
        *ret = (int64_t)nx_utf8_count(v->s);
        return NX_OK;
    case NX_J_LIST:
    case NX_J_TUPLE:
        *ret = (int64_t)v->list->n;
        return NX_OK;
    case NX_J_DICT:
        *ret = (int64_t)v->dict->n;
        return NX_OK;
    default:
        if (v->kind != NX_J_OBJ || v->obj->cls->iter == NULL)
            return jfail(run, "a value of type '%s' has no length", nx_jval_type(v));
        NX_TRY(nx__jval_items(run, v, &items, &n));
        *ret = (int64_t)n;
        return NX_OK;
    }
}

nx_status nx__jval_contains(nx_jrun *run, const nx_jval *seq, const nx_jval *item, bool *ret)
{
    *ret = false;
    if (seq->kind == NX_J_STR) {
        if (item->kind != NX_J_STR)
            return jfail(run, "'in <string>' requires a string on the left, not '%s'", nx_jval_type(item));
        *ret = nx_str_find(seq->s, item->s, 0) != SIZE_MAX;
        return NX_OK;
    }
    if (seq->kind == NX_J_DICT) {
        if (!nx__jval_hashable(item, 0))
            return jfail(run, "a value of type '%s' cannot be a key", nx_jval_type(item));
        *ret = nx_jdict_get(seq->dict, item) != NULL;
        return NX_OK;
    }
    const nx_jval *v;
    size_t n;
    NX_TRY(nx__jval_items(run, seq, &v, &n));
    for (size_t i = 0; i < n && !*ret; i++)
        *ret = nx_jval_equal(&v[i], item);
    return NX_OK;
}

/* ---- conversions ---- */

nx_status nx_jrun_str(nx_jrun *run, nx_str s, nx_jval *ret, nx_err *err)
{
    char *p = nx__jalloc(run, s.n + 1, 1);
    if (p == NULL)
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    *ret = nx_jval_str((nx_str){p, s.n});
    return NX_OK;
}

static nx_status from_tree(nx_jrun *run, const nx_val *t, unsigned depth, nx_jval *ret, nx_err *err)
{
    nx_jval item, key;
    if (depth > JVALUE_DEPTH_MAX)
        return nx_fail(err, NX_LIMIT, "a value is nested more than %d deep", JVALUE_DEPTH_MAX);
    switch (t == NULL ? NX_VAL_NULL : t->kind) {
    case NX_VAL_NULL:
        *ret = nx_jval_none();
        return NX_OK;
    case NX_VAL_BOOL:
        *ret = nx_jval_bool(t->b);
        return NX_OK;
    case NX_VAL_NUM:
        if (nx_str_to_i64(t->s, &item.i))
            *ret = nx_jval_int(item.i);
        else if (nx__jparse_float(t->s, &item.f))
            *ret = nx_jval_float(item.f);
        else
            return nx_fail(err, NX_INVALID, "the number '" NX_STR_FMT "' cannot be used", NX_STR_ARG(t->s));
        return NX_OK;
    case NX_VAL_STR:
        return nx_jrun_str(run, t->s, ret, err);
    case NX_VAL_ARR:
        NX_TRY(nx_jrun_list(run, ret, err));
        for (size_t i = 0; i < t->n; i++) {
            NX_TRY(from_tree(run, &t->items[i], depth + 1, &item, err));
            NX_TRY(nx_jlist_add(run, ret, item, err));
        }
        return NX_OK;
    case NX_VAL_OBJ:
        NX_TRY(nx_jrun_dict(run, ret, err));
        for (size_t i = 0; i < t->n; i++) {
            NX_TRY(nx_jrun_str(run, t->keys[i], &key, err));
            NX_TRY(from_tree(run, &t->items[i], depth + 1, &item, err));
            NX_TRY(nx_jdict_set(run, ret, key, item, err));
        }
        return NX_OK;
    }
    return NX_OK;
}

nx_status nx_jval_from_tree(nx_jrun *run, const nx_val *tree, nx_jval *ret, nx_err *err)
{
    return from_tree(run, tree, 0, ret, err);
}

/* ---- arguments of host functions ---- */

const nx_jval *nx_jargs_get(const nx_jargs *a, size_t i, const char *name)
{
    if (i < a->n)
        return &a->v[i];
    for (size_t k = 0; name != NULL && k < a->n_kw; k++)
        if (nx_str_is(a->kw[k].key.s, name))
            return &a->kw[k].value;
    return NULL;
}

nx_status nx_jargs_str(const nx_jargs *a, const char *fn, size_t i, const char *name, nx_str *ret, nx_err *err)
{
    const nx_jval *v = nx_jargs_get(a, i, name);
    if (v == NULL)
        return nx_fail(err, NX_INVALID, "%s() needs its argument '%s'", fn, name);
    if (v->kind != NX_J_STR)
        return nx_fail(err, NX_INVALID, "%s() needs a string as '%s', not '%s'", fn, name, nx_jval_type(v));
    *ret = v->s;
    return NX_OK;
}

nx_status nx_jargs_check(const nx_jargs *a, const char *fn, size_t n_max, const char *const *names, nx_err *err)
{
    if (a->n > n_max)
        return nx_fail(err, NX_INVALID, "%s() takes at most %zu arguments, %zu were given", fn, n_max, a->n);
    for (size_t k = 0; k < a->n_kw; k++) {
        bool known = false;
        for (size_t i = 0; names != NULL && names[i] != NULL && !known; i++)
            known = nx_str_is(a->kw[k].key.s, names[i]);
        if (!known)
            return nx_fail(err, NX_INVALID, "%s() has no argument '" NX_STR_FMT "'", fn, NX_STR_ARG(a->kw[k].key.s));
    }
    return NX_OK;
}

nx_status nx__jbind(nx_jrun *run, const char *what, const char *name, const char *spec, const nx_jargs *args,
                    const nx_jval **p)
{
    nx_str rest = nx_str_of(spec), words[JARGS_MAX], word;
    size_t n = 0;
    bool must[JARGS_MAX] = {false};
    while (spec[0] != '\0' && n < JARGS_MAX && nx_str_split(&rest, ' ', &word)) {
        must[n] = word.p[word.n - 1] == '!';
        words[n] = nx_str_sub(word, 0, word.n - must[n]);
        n++;
    }
    for (size_t i = 0; i < JARGS_MAX; i++)
        p[i] = i < args->n && i < n ? &args->v[i] : NULL;
    if (args->n > n)
        return jfail(run, "%s '%s' takes at most %zu arguments, %zu were given", what, name, n, args->n);
    for (size_t k = 0; k < args->n_kw; k++) {
        size_t i = 0;
        while (i < n && !nx_str_eq(words[i], args->kw[k].key.s))
            i++;
        if (i == n)
            return jfail(run, "%s '%s' has no argument '" NX_STR_FMT "'", what, name, NX_STR_ARG(args->kw[k].key.s));
        if (p[i] != NULL)
            return jfail(run, "%s '%s' got its argument '" NX_STR_FMT "' twice", what, name, NX_STR_ARG(words[i]));
        p[i] = &args->kw[k].value;
    }
    for (size_t i = 0; i < n; i++)
        if (must[i] && p[i] == NULL)
            return jfail(run, "%s '%s' needs its argument '" NX_STR_FMT "'", what, name, NX_STR_ARG(words[i]));
    return NX_OK;
}

nx_status nx__jarg_int(nx_jrun *run, const nx_jval *v, int64_t dflt, const char *what, int64_t *ret)
{
    *ret = dflt;
    if (v == NULL)
        return NX_OK;
    if (!nx__jval_integer(v, ret))
        return jfail(run, "%s must be a whole number, not '%s'", what, nx_jval_type(v));
    return NX_OK;
}

nx_status nx__jarg_str(nx_jrun *run, const nx_jval *v, nx_str dflt, const char *what, nx_str *ret)
{
    *ret = dflt;
    if (v == NULL)
        return NX_OK;
    if (v->kind != NX_J_STR)
        return jfail(run, "%s must be a string, not '%s'", what, nx_jval_type(v));
    *ret = v->s;
    return NX_OK;
}
