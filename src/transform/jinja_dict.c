/* Dicts: items in the order of insertion, an index by hash beside them. */
#include <math.h>

#include "base/hash.h"
#include "transform/jinja_int.h"

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
    if (d->n >= UINT32_MAX - 1 || !nx__jval_grow(run, &p, &d->cap, d->n + 1, sizeof(nx_jpair)))
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
