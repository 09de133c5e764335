#include <math.h>

#include "base/hash.h"
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

static bool grow(nx_jrun *run, void **p, size_t *cap, size_t need, size_t size)
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
    if (!grow(run, &p, &l->cap, l->n + 1, sizeof(nx_jval)))
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    l->v = p;
    l->v[l->n++] = v;
    return NX_OK;
}

/* ---- dicts ---- */

bool nx__jval_hashable(const nx_jval *v, unsigned depth)
{
    if (v->kind == NX_J_TUPLE) {
        if (depth > JVALUE_DEPTH_MAX)
            return false;
        for (size_t i = 0; i < v->list->n; i++)
            if (!nx__jval_hashable(&v->list->v[i], depth + 1))
                return false;
        return true;
    }
    return v->kind != NX_J_LIST && v->kind != NX_J_DICT;
}

static uint64_t hash(const nx_jval *v)
{
    int64_t i;
    if (v->kind == NX_J_STR)
        return nx_hash64(v->s.p, v->s.n, 1);
    if (v->kind == NX_J_TUPLE) {
        uint64_t h = 7;
        for (size_t k = 0; k < v->list->n; k++)
            h = h * 31 + hash(&v->list->v[k]);
        return h;
    }
    if (v->kind == NX_J_FLOAT && v->f >= -9e15 && v->f <= 9e15 && v->f == floor(v->f))
        i = (int64_t)v->f; /* equal to the int of the same value */
    else if (v->kind == NX_J_FLOAT)
        return nx_hash64(&v->f, sizeof v->f, 2);
    else if (!nx__jval_integer(v, &i))
        i = -(int64_t)v->kind; /* objects decide themselves what is equal: one slot for all of a kind */
    return nx_hash64(&i, sizeof i, 3);
}

enum { DICT_SMALL = 8 };

/* Index of the key in items, or n. */
static size_t find(const nx_jdict *d, const nx_jval *key)
{
    if (d->slots == NULL) {
        for (size_t i = 0; i < d->n; i++)
            if (nx_jval_equal(&d->items[i].key, key))
                return i;
        return d->n;
    }
    for (size_t s = hash(key) & (d->n_slots - 1); d->slots[s] != 0; s = (s + 1) & (d->n_slots - 1))
        if (nx_jval_equal(&d->items[d->slots[s] - 1].key, key))
            return d->slots[s] - 1;
    return d->n;
}

static void index_all(nx_jdict *d)
{
    memset(d->slots, 0, d->n_slots * sizeof *d->slots);
    for (size_t i = 0; i < d->n; i++) {
        size_t s = hash(&d->items[i].key) & (d->n_slots - 1);
        while (d->slots[s] != 0)
            s = (s + 1) & (d->n_slots - 1);
        d->slots[s] = (uint32_t)i + 1;
    }
}

const nx_jval *nx_jdict_get(const nx_jdict *d, const nx_jval *key)
{
    if (!nx__jval_hashable(key, 0))
        return NULL;
    size_t i = find(d, key);
    return i == d->n ? NULL : &d->items[i].value;
}

const nx_jval *nx_jdict_gets(const nx_jdict *d, const char *key)
{
    nx_jval k = nx_jval_cstr(key);
    return nx_jdict_get(d, &k);
}

nx_status nx_jrun_dict(nx_jrun *run, nx_jval *ret, nx_err *err)
{
    nx_jdict *d = nx__jalloc(run, 1, sizeof *d);
    if (d == NULL)
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    *ret = (nx_jval){.kind = NX_J_DICT, .dict = d};
    return NX_OK;
}

nx_status nx_jdict_set(nx_jrun *run, nx_jval *dict, nx_jval key, nx_jval v, nx_err *err)
{
    nx_jdict *d = dict->dict;
    if (!nx__jval_hashable(&key, 0))
        return nx_fail(err, NX_INVALID, "a value of type '%s' cannot be a key", nx_jval_type(&key));
    size_t i = find(d, &key);
    if (i < d->n) {
        d->items[i].value = v;
        return NX_OK;
    }
    void *p = d->items;
    if (d->n >= UINT32_MAX - 1 || !grow(run, &p, &d->cap, d->n + 1, sizeof(nx_jpair)))
        return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
    d->items = p;
    d->items[d->n++] = (nx_jpair){key, v};
    if (d->n > DICT_SMALL && d->n * 2 > d->n_slots) {
        size_t to = d->n_slots == 0 ? 32 : d->n_slots * 2;
        uint32_t *slots = nx__jalloc(run, to, sizeof *slots);
        if (slots == NULL) {
            d->n--;
            return nx_fail(err, NX_LIMIT, "the template needs more memory than its limit");
        }
        d->slots = slots;
        d->n_slots = to;
        index_all(d);
    } else if (d->slots != NULL) {
        size_t s = hash(&key) & (d->n_slots - 1);
        while (d->slots[s] != 0)
            s = (s + 1) & (d->n_slots - 1);
        d->slots[s] = (uint32_t)d->n;
    }
    return NX_OK;
}

nx_status nx_jdict_sets(nx_jrun *run, nx_jval *dict, const char *key, nx_jval v, nx_err *err)
{
    return nx_jdict_set(run, dict, nx_jval_cstr(key), v, err);
}

bool nx__jdict_remove(nx_jdict *d, const nx_jval *key, nx_jval *ret)
{
    size_t i = nx__jval_hashable(key, 0) ? find(d, key) : d->n;
    if (i == d->n)
        return false;
    *ret = d->items[i].value;
    memmove(&d->items[i], &d->items[i + 1], (d->n - i - 1) * sizeof *d->items);
    d->n--;
    if (d->slots != NULL)
        index_all(d);
    return true;
}

void nx__jdict_clear(nx_jdict *d)
{
    d->n = 0;
    if (d->slots != NULL)
        index_all(d);
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
