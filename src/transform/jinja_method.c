/* Methods of lists, tuples and dicts. They change their value in place, as in Python. */
#include "transform/jinja_int.h"

#define METHOD(name)                                                                                                   \
    static nx_status m_##name(NX_UNUSED nx_jrun *run, const nx_jval *self, NX_UNUSED const nx_jval **p,                \
                              NX_UNUSED const nx_jargs *args, nx_jval *ret)

const jmethod_def *nx__jmethod_find(nx_jkind kind, nx_str name)
{
    static const struct {
        nx_jkind kind;
        const jmethod_def *methods;
    } tables[] = {{NX_J_STR, nx__jmethods_str},
                  {NX_J_STR, nx__jmethods_split},
                  {NX_J_LIST, nx__jmethods_list},
                  {NX_J_TUPLE, nx__jmethods_tuple},
                  {NX_J_DICT, nx__jmethods_dict}};
    for (size_t i = 0; i < NX_COUNT_OF(tables); i++)
        for (const jmethod_def *m = tables[i].methods; tables[i].kind == kind && m->name != NULL; m++)
            if (nx_str_is(name, m->name))
                return m;
    return NULL;
}

METHOD(append)
{
    (void)ret;
    nx_jval list = *self;
    return nx_jlist_add(run, &list, *p[0], run->err);
}

METHOD(extend)
{
    (void)ret;
    nx_jval list = *self;
    const nx_jval *items;
    size_t n;
    NX_TRY(nx__jval_items(run, p[0], &items, &n));
    for (size_t i = 0; i < n; i++) { /* the list may be its own argument: its storage moves */
        nx_jval v = p[0]->kind == NX_J_LIST ? p[0]->list->v[i] : items[i];
        NX_TRY(nx_jlist_add(run, &list, v, run->err));
    }
    return NX_OK;
}

/* Python's index into a list of n; false when outside. */
static bool place(int64_t i, size_t n, size_t *ret)
{
    if (i < 0)
        i += (int64_t)n;
    *ret = (size_t)i;
    return i >= 0 && (size_t)i < n;
}

METHOD(insert)
{
    (void)ret;
    nx_jval list = *self;
    nx_jlist *l = self->list;
    int64_t i;
    NX_TRY(nx__jarg_int(run, p[0], 0, "the place for insert()", &i));
    size_t at, n = l->n;
    if (!place(i, n, &at))
        at = i < 0 ? 0 : n;
    NX_TRY(nx_jlist_add(run, &list, *p[1], run->err));
    nx_jval v = l->v[n];
    memmove(&l->v[at + 1], &l->v[at], (n - at) * sizeof *l->v);
    l->v[at] = v;
    return NX_OK;
}

static void cut(nx_jlist *l, size_t at)
{
    memmove(&l->v[at], &l->v[at + 1], (l->n - at - 1) * sizeof *l->v);
    l->n--;
}

METHOD(pop)
{
    int64_t i;
    size_t at;
    NX_TRY(nx__jarg_int(run, p[0], -1, "the place for pop()", &i));
    if (!place(i, self->list->n, &at))
        return jfail(run, "pop(): the list has %zu items, there is none at %lld", self->list->n, (long long)i);
    *ret = self->list->v[at];
    cut(self->list, at);
    return NX_OK;
}

static size_t find(const nx_jlist *l, const nx_jval *v)
{
    for (size_t i = 0; i < l->n; i++)
        if (nx_jval_equal(&l->v[i], v))
            return i;
    return SIZE_MAX;
}

METHOD(remove)
{
    (void)ret;
    size_t at = find(self->list, p[0]);
    if (at == SIZE_MAX)
        return jfail(run, "remove(): the value is not in the list");
    cut(self->list, at);
    return NX_OK;
}

METHOD(index)
{
    size_t at = find(self->list, p[0]);
    if (at == SIZE_MAX)
        return jfail(run, "index(): the value is not in the list");
    *ret = nx_jval_int((int64_t)at);
    return NX_OK;
}

METHOD(count)
{
    int64_t n = 0;
    for (size_t i = 0; i < self->list->n; i++)
        n += nx_jval_equal(&self->list->v[i], p[0]);
    *ret = nx_jval_int(n);
    return NX_OK;
}

METHOD(sort)
{
    (void)ret;
    nx_jlist *l = self->list;
    nx_jval *keys = nx__jalloc(run, l->n, sizeof *keys);
    if (keys == NULL)
        return nx__jnomem(run);
    if (l->n > 0)
        memcpy(keys, l->v, l->n * sizeof *keys);
    return nx__jsort(run, l->v, keys, l->n, p[0] != NULL && nx_jval_truth(p[0]));
}

METHOD(reverse)
{
    (void)run;
    (void)ret;
    nx_jlist *l = self->list;
    for (size_t i = 0; i < l->n / 2; i++) {
        nx_jval t = l->v[i];
        l->v[i] = l->v[l->n - 1 - i];
        l->v[l->n - 1 - i] = t;
    }
    return NX_OK;
}

METHOD(list_copy)
{
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < self->list->n; i++)
        NX_TRY(nx_jlist_add(run, ret, self->list->v[i], run->err));
    return NX_OK;
}

METHOD(list_clear)
{
    (void)run;
    (void)ret;
    self->list->n = 0;
    return NX_OK;
}

const jmethod_def nx__jmethods_list[] = {
    {"append", "object!", m_append},
    {"clear", "", m_list_clear},
    {"copy", "", m_list_copy},
    {"count", "value!", m_count},
    {"extend", "iterable!", m_extend},
    {"index", "value!", m_index},
    {"insert", "index! object!", m_insert},
    {"pop", "index", m_pop},
    {"remove", "value!", m_remove},
    {"reverse", "", m_reverse},
    {"sort", "reverse", m_sort},
    {NULL, NULL, NULL},
};
const jmethod_def nx__jmethods_tuple[] = {
    {"count", "value!", m_count}, {"index", "value!", m_index}, {NULL, NULL, NULL}};

/* ---- dicts ---- */

static nx_status view(nx_jrun *run, const nx_jdict *d, bool keys, bool values, nx_jval *ret)
{
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < d->n; i++) {
        nx_jval both[2] = {d->items[i].key, d->items[i].value}, item = keys ? both[0] : both[1];
        if (keys && values)
            NX_TRY(nx_jrun_tuple(run, both, 2, &item, run->err));
        NX_TRY(nx_jlist_add(run, ret, item, run->err));
    }
    return NX_OK;
}

METHOD(items)
{
    return view(run, self->dict, true, true, ret);
}

METHOD(keys)
{
    return view(run, self->dict, true, false, ret);
}

METHOD(values)
{
    return view(run, self->dict, false, true, ret);
}

METHOD(get)
{
    if (!nx__jval_hashable(p[0], 0))
        return jfail(run, "a value of type '%s' cannot be a key", nx_jval_type(p[0]));
    const nx_jval *v = nx_jdict_get(self->dict, p[0]);
    *ret = v != NULL ? *v : p[1] != NULL ? *p[1] : nx_jval_none();
    return NX_OK;
}

METHOD(setdefault)
{
    nx_jval dict = *self;
    NX_TRY(m_get(run, self, p, args, ret));
    return nx_jdict_get(self->dict, p[0]) != NULL ? NX_OK : nx_jdict_set(run, &dict, *p[0], *ret, run->err);
}

METHOD(dict_pop)
{
    if (nx__jdict_remove(self->dict, p[0], ret))
        return NX_OK;
    if (p[1] == NULL)
        return jfail(run, "pop(): the key is not in the dict");
    *ret = *p[1];
    return NX_OK;
}

static nx_status take_pairs(nx_jrun *run, nx_jval *dict, const nx_jval *from)
{
    const nx_jval *pairs, *both;
    size_t n, two;
    if (from->kind == NX_J_DICT) {
        for (size_t i = 0; i < from->dict->n; i++)
            NX_TRY(nx_jdict_set(run, dict, from->dict->items[i].key, from->dict->items[i].value, run->err));
        return NX_OK;
    }
    NX_TRY(nx__jval_items(run, from, &pairs, &n));
    for (size_t i = 0; i < n; i++) {
        NX_TRY(nx__jval_items(run, &pairs[i], &both, &two));
        if (two != 2)
            return jfail(run, "a dict takes pairs, item %zu has %zu values", i, two);
        NX_TRY(nx_jdict_set(run, dict, both[0], both[1], run->err));
    }
    return NX_OK;
}

METHOD(update)
{
    (void)ret;
    nx_jval dict = *self;
    if (args->n > 1)
        return jfail(run, "update() takes at most one dict");
    if (args->n == 1)
        NX_TRY(take_pairs(run, &dict, &args->v[0]));
    for (size_t i = 0; i < args->n_kw; i++)
        NX_TRY(nx_jdict_set(run, &dict, args->kw[i].key, args->kw[i].value, run->err));
    return NX_OK;
}

METHOD(dict_copy)
{
    NX_TRY(nx_jrun_dict(run, ret, run->err));
    return take_pairs(run, ret, self);
}

METHOD(dict_clear)
{
    (void)run;
    (void)ret;
    nx__jdict_clear(self->dict);
    return NX_OK;
}

const jmethod_def nx__jmethods_dict[] = {
    {"clear", "", m_dict_clear},
    {"copy", "", m_dict_copy},
    {"get", "key! default", m_get},
    {"items", "", m_items},
    {"keys", "", m_keys},
    {"pop", "key! default", m_dict_pop},
    {"setdefault", "key! default", m_setdefault},
    {"update", NULL, m_update},
    {"values", "", m_values},
    {NULL, NULL, NULL},
};
