/* Values: what they are, how they compare; lists and host objects. Dicts are in jinja_dict.c. */
#include <math.h>

#include "transform/jinja_int.h"

const char *nx_jval_type(const nx_jval *v)
{
    switch (v->kind) {
    case NX_J_UNDEF:
        return "Undefined";
    case NX_J_NONE:
        return "NoneType";
    case NX_J_BOOL:
        return "bool";
    case NX_J_INT:
        return "int";
    case NX_J_FLOAT:
        return "float";
    case NX_J_STR:
        return "str";
    case NX_J_LIST:
        return "list";
    case NX_J_TUPLE:
        return "tuple";
    case NX_J_DICT:
        return "dict";
    case NX_J_FUNC:
        return "function";
    case NX_J_MACRO:
        return "Macro";
    case NX_J_METHOD:
        return "method";
    case NX_J_NS:
        return "namespace";
    case NX_J_OBJ:
        return v->obj->cls->name;
    }
    return "?";
}

bool nx_jval_truth(const nx_jval *v)
{
    switch (v->kind) {
    case NX_J_UNDEF:
    case NX_J_NONE:
        return false;
    case NX_J_BOOL:
        return v->b;
    case NX_J_INT:
        return v->i != 0;
    case NX_J_FLOAT:
        return v->f != 0;
    case NX_J_STR:
        return v->s.n > 0;
    case NX_J_LIST:
    case NX_J_TUPLE:
        return v->list->n > 0;
    case NX_J_DICT:
        return v->dict->n > 0;
    case NX_J_OBJ:
        return v->obj->cls->truth == NULL || v->obj->cls->truth(v->obj);
    case NX_J_FUNC:
    case NX_J_MACRO:
    case NX_J_METHOD:
    case NX_J_NS:
        break;
    }
    return true;
}

bool nx__jval_integer(const nx_jval *v, int64_t *ret)
{
    if (v->kind == NX_J_INT)
        *ret = v->i;
    else if (v->kind == NX_J_BOOL)
        *ret = v->b;
    else
        return false;
    return true;
}

bool nx__jval_number(const nx_jval *v, double *ret)
{
    int64_t i;
    if (v->kind == NX_J_FLOAT)
        *ret = v->f;
    else if (nx__jval_integer(v, &i))
        *ret = (double)i;
    else
        return false;
    return true;
}

/* -1, 0, 1 exactly, also where an int has no double of its own; 2 when one is NaN. */
static int compare_int_float(int64_t i, double f)
{
    if (isnan(f))
        return 2;
    if (f >= 9223372036854775808.0)
        return -1;
    if (f < -9223372036854775808.0)
        return 1;
    int64_t whole = (int64_t)f;
    if (i != whole)
        return i < whole ? -1 : 1;
    double rest = f - (double)whole;
    return rest > 0 ? -1 : rest < 0 ? 1 : 0;
}

static int compare_numbers(const nx_jval *a, const nx_jval *b)
{
    int64_t ia, ib;
    if (nx__jval_integer(a, &ia) && nx__jval_integer(b, &ib))
        return ia < ib ? -1 : ia > ib;
    if (a->kind == NX_J_FLOAT && b->kind == NX_J_FLOAT)
        return isnan(a->f) || isnan(b->f) ? 2 : a->f < b->f ? -1 : a->f > b->f;
    if (a->kind == NX_J_FLOAT) {
        (void)nx__jval_integer(b, &ib);
        int c = compare_int_float(ib, a->f);
        return c == 2 ? 2 : -c;
    }
    (void)nx__jval_integer(a, &ia);
    return compare_int_float(ia, b->f);
}

static bool equal(const nx_jval *a, const nx_jval *b, unsigned depth);

static bool equal_dicts(const nx_jdict *a, const nx_jdict *b, unsigned depth)
{
    if (a == b)
        return true;
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const nx_jval *other = nx_jdict_get(b, &a->items[i].key);
        if (other == NULL || !equal(&a->items[i].value, other, depth + 1))
            return false;
    }
    return true;
}

static bool equal_lists(const nx_jlist *a, const nx_jlist *b, unsigned depth)
{
    if (a == b)
        return true;
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!equal(&a->v[i], &b->v[i], depth + 1))
            return false;
    return true;
}

static bool equal(const nx_jval *a, const nx_jval *b, unsigned depth)
{
    double d;
    if (depth > JVALUE_DEPTH_MAX)
        return false;
    if (nx__jval_number(a, &d) && nx__jval_number(b, &d))
        return compare_numbers(a, b) == 0;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case NX_J_UNDEF:
    case NX_J_NONE:
        return true;
    case NX_J_STR:
        return nx_str_eq(a->s, b->s);
    case NX_J_LIST:
    case NX_J_TUPLE:
        return equal_lists(a->list, b->list, depth);
    case NX_J_DICT:
        return equal_dicts(a->dict, b->dict, depth);
    case NX_J_NS:
        return a->dict == b->dict;
    case NX_J_FUNC:
        return a->func == b->func;
    case NX_J_MACRO:
        return a->macro == b->macro;
    case NX_J_METHOD:
        return a->method->def == b->method->def && equal(&a->method->self, &b->method->self, depth + 1);
    case NX_J_OBJ:
        return a->obj == b->obj ||
               (a->obj->cls == b->obj->cls && a->obj->cls->equal != NULL && a->obj->cls->equal(a->obj, b->obj));
    case NX_J_BOOL:
    case NX_J_INT:
    case NX_J_FLOAT:
        break;
    }
    return false;
}

bool nx_jval_equal(const nx_jval *a, const nx_jval *b)
{
    return equal(a, b, 0);
}

static int compare(const nx_jval *a, const nx_jval *b, unsigned depth, bool *ok)
{
    double d;
    *ok = true;
    if (nx__jval_number(a, &d) && nx__jval_number(b, &d))
        return compare_numbers(a, b);
    if (a->kind == NX_J_STR && b->kind == NX_J_STR)
        return nx_str_cmp(a->s, b->s); /* UTF-8 sorts as code points do */
    if (depth > JVALUE_DEPTH_MAX || a->kind != b->kind || (a->kind != NX_J_LIST && a->kind != NX_J_TUPLE)) {
        *ok = false;
        return 0;
    }
    const nx_jlist *x = a->list, *y = b->list;
    for (size_t i = 0; i < x->n && i < y->n; i++)
        if (!equal(&x->v[i], &y->v[i], depth + 1))
            return compare(&x->v[i], &y->v[i], depth + 1, ok);
    return x->n < y->n ? -1 : x->n > y->n;
}

int nx__jval_compare(const nx_jval *a, const nx_jval *b, bool *ret_ok)
{
    return compare(a, b, 0, ret_ok);
}

/* ---- lists ---- */

bool nx__jval_grow(nx_jrun *run, void **p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t to = *cap < 4 ? 4 : *cap * 2;
    if (to < need)
        to = need;
    void *v = nx__jalloc(run, to, size);
    if (v == NULL)
        return false;
    if (*cap > 0)
        memcpy(v, *p, *cap * size);
    *p = v;
    *cap = to;
    return true;
}

nx_status nx_jrun_list(nx_jrun *run, nx_jval *ret, nx_err *err)
{
    nx_jlist *l = nx__jalloc(run, 1, sizeof *l);
    if (l == NULL)
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    *ret = (nx_jval){.kind = NX_J_LIST, .list = l};
    return NX_OK;
}

nx_status nx_jrun_tuple(nx_jrun *run, const nx_jval *v, size_t n, nx_jval *ret, nx_err *err)
{
    nx_jval t;
    NX_TRY(nx_jrun_list(run, &t, err));
    t.kind = NX_J_TUPLE;
    for (size_t i = 0; i < n; i++)
        NX_TRY(nx_jlist_add(run, &t, v[i], err));
    *ret = t;
    return NX_OK;
}

nx_status nx_jlist_add(nx_jrun *run, nx_jval *list, nx_jval v, nx_err *err)
{
    nx_jlist *l = list->list;
    void *p = l->v;
    if (!nx__jval_grow(run, &p, &l->cap, l->n + 1, sizeof(nx_jval)))
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    l->v = p;
    l->v[l->n++] = v;
    return NX_OK;
}

nx_status nx_jrun_obj(nx_jrun *run, const nx_jclass *cls, void *ctx, nx_jval *ret, nx_err *err)
{
    nx_jobj *o = nx__jalloc(run, 1, sizeof *o);
    if (o == NULL)
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    *o = (nx_jobj){cls, ctx};
    *ret = nx_jval_obj(o);
    return NX_OK;
}

nx_status nx_jval_bound(nx_jrun *run, const char *name, nx_jfn fn, void *ctx, nx_jval *ret, nx_err *err)
{
    nx_jfunc *f = nx__jalloc(run, 1, sizeof *f);
    if (f == NULL)
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    *f = (nx_jfunc){name, fn, ctx};
    *ret = nx_jval_func(f);
    return NX_OK;
}
