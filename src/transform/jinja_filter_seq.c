/* Filters over sequences. */
#include "transform/jinja_int.h"

#define FILTER(name)                                                                                                   \
    static nx_status f_##name(nx_jrun *run, const nx_jval *v, const nx_jval **p, NX_UNUSED const nx_jargs *args,       \
                              nx_jval *ret)

/* The value that decides about an item: an attribute of it, in lower case where case does not count. */
static nx_status key_of(nx_jrun *run, const nx_jval *item, const nx_jval *path, bool fold, nx_jval *ret)
{
    *ret = *item;
    if (path != NULL && path->kind != NX_J_NONE)
        NX_TRY(nx__jget_path(run, item, path, ret));
    return fold && ret->kind == NX_J_STR ? nx__jstr_case(run, ret->s, 'l', ret) : NX_OK;
}

static nx_status keys_of(nx_jrun *run, const nx_jval *items, size_t n, const nx_jval *path, bool fold, nx_jval **ret)
{
    nx_jval *keys = nx__jalloc(run, n, sizeof *keys);
    if (keys == NULL)
        return nx__jnomem(run);
    for (size_t i = 0; i < n; i++)
        NX_TRY(key_of(run, &items[i], path, fold, &keys[i]));
    *ret = keys;
    return NX_OK;
}

/* Keys for "a,b": tuples of both attributes. */
static nx_status sort_keys(nx_jrun *run, const nx_jval *items, size_t n, const nx_jval *path, bool fold, nx_jval **ret)
{
    if (path == NULL || path->kind != NX_J_STR || nx_str_find(path->s, NX_STR(","), 0) == SIZE_MAX)
        return keys_of(run, items, n, path, fold, ret);
    nx_jval *keys = nx__jalloc(run, n, sizeof *keys);
    if (keys == NULL)
        return nx__jnomem(run);
    for (size_t i = 0; i < n; i++) {
        nx_str rest = path->s, part;
        NX_TRY(nx_jrun_list(run, &keys[i], run->err));
        while (nx_str_split(&rest, ',', &part)) {
            nx_jval one = nx_jval_str(part), key;
            NX_TRY(key_of(run, &items[i], &one, fold, &key));
            NX_TRY(nx_jlist_add(run, &keys[i], key, run->err));
        }
    }
    *ret = keys;
    return NX_OK;
}

/* Merge sort of the runs [from, mid) and [mid, to) of index array a through b. */
static nx_status merge(nx_jrun *run, const nx_jval *keys, uint32_t *a, uint32_t *b, size_t from, size_t mid, size_t to,
                       bool reverse)
{
    size_t i = from, k = mid;
    for (size_t o = from; o < to; o++) {
        bool left = k >= to;
        if (!left && i < mid) {
            bool ok;
            int c = nx__jval_compare(&keys[a[i]], &keys[a[k]], &ok);
            if (!ok)
                return jfail(run, "values of type '%s' and '%s' cannot be sorted", nx_jval_type(&keys[a[i]]),
                             nx_jval_type(&keys[a[k]]));
            left = reverse ? c >= 0 : c <= 0;
        }
        b[o] = left ? a[i++] : a[k++];
    }
    memcpy(a + from, b + from, (to - from) * sizeof *a);
    return NX_OK;
}

nx_status nx__jsort(nx_jrun *run, nx_jval *items, nx_jval *keys, size_t n, bool reverse)
{
    if (n > UINT32_MAX)
        return nx__jnomem(run);
    uint32_t *a = nx__jalloc(run, n, sizeof *a), *b = nx__jalloc(run, n, sizeof *b);
    nx_jval *sorted = nx__jalloc(run, n, sizeof *sorted);
    if (a == NULL || b == NULL || sorted == NULL)
        return nx__jnomem(run);
    for (size_t i = 0; i < n; i++)
        a[i] = (uint32_t)i;
    for (size_t width = 1; width < n; width *= 2)
        for (size_t from = 0; from + width < n; from += 2 * width)
            NX_TRY(merge(run, keys, a, b, from, from + width, from + 2 * width < n ? from + 2 * width : n, reverse));
    for (size_t i = 0; i < n; i++)
        sorted[i] = items[a[i]];
    if (n > 0)
        memcpy(items, sorted, n * sizeof *items);
    return NX_OK;
}

/* A new list with the items of v. */
static nx_status list_of(nx_jrun *run, const nx_jval *v, nx_jval *ret)
{
    const nx_jval *items;
    size_t n;
    nx_jval l;
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(nx_jrun_list(run, &l, run->err));
    for (size_t i = 0; i < n; i++)
        NX_TRY(nx_jlist_add(run, &l, items[i], run->err));
    *ret = l;
    return NX_OK;
}

FILTER(length)
{
    (void)p;
    int64_t n;
    NX_TRY(nx__jval_len(run, v, &n));
    *ret = nx_jval_int(n);
    return NX_OK;
}

FILTER(list)
{
    (void)p;
    return list_of(run, v, ret);
}

static nx_status end_of(nx_jrun *run, const nx_jval *v, bool last, nx_jval *ret)
{
    const nx_jval *items;
    size_t n;
    NX_TRY(nx__jval_items(run, v, &items, &n));
    *ret = nx_jval_undef(last ? NX_STR("there is no last item: the sequence is empty")
                              : NX_STR("there is no first item: the sequence is empty"));
    ret->whole = true;
    if (n > 0)
        *ret = items[last ? n - 1 : 0];
    return NX_OK;
}

FILTER(first)
{
    (void)p;
    return end_of(run, v, false, ret);
}

FILTER(last)
{
    (void)p;
    return end_of(run, v, true, ret);
}

FILTER(join)
{
    const nx_jval *items;
    size_t n;
    nx_str sep = {"", 0};
    if (p[0] != NULL)
        NX_TRY(nx__jval_text(run, p[0], &sep));
    NX_TRY(nx__jval_items(run, v, &items, &n));
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    for (size_t i = 0; i < n; i++) {
        nx_jval key;
        NX_TRY(key_of(run, &items[i], p[1], false, &key));
        if (i > 0 && nx_buf_add(&b, sep) != NX_OK)
            return nx__jnomem(run);
        NX_TRY(nx_jval_print(run, &key, &b, run->err));
    }
    return nx__jbuf_val(run, &b, ret);
}

FILTER(sort)
{
    nx_jval *keys = NULL;
    bool reverse = p[0] != NULL && nx_jval_truth(p[0]), exact = p[1] != NULL && nx_jval_truth(p[1]);
    NX_TRY(list_of(run, v, ret));
    NX_TRY(sort_keys(run, ret->list->v, ret->list->n, p[2], !exact, &keys));
    return nx__jsort(run, ret->list->v, keys, ret->list->n, reverse);
}

FILTER(unique)
{
    nx_jval all, *keys, seen;
    bool exact = p[0] != NULL && nx_jval_truth(p[0]);
    NX_TRY(list_of(run, v, &all));
    NX_TRY(keys_of(run, all.list->v, all.list->n, p[1], !exact, &keys));
    NX_TRY(nx_jrun_dict(run, &seen, run->err));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < all.list->n; i++) {
        if (nx_jdict_get(seen.dict, &keys[i]) != NULL)
            continue;
        NX_TRY(nx_jdict_set(run, &seen, keys[i], nx_jval_none(), run->err));
        NX_TRY(nx_jlist_add(run, ret, all.list->v[i], run->err));
    }
    return NX_OK;
}

static nx_status extreme(nx_jrun *run, const nx_jval *v, const nx_jval **p, int sign, nx_jval *ret)
{
    nx_jval all, *keys;
    bool exact = p[0] != NULL && nx_jval_truth(p[0]), ok;
    NX_TRY(list_of(run, v, &all));
    if (all.list->n == 0)
        return end_of(run, v, false, ret);
    NX_TRY(keys_of(run, all.list->v, all.list->n, p[1], !exact, &keys));
    size_t best = 0;
    for (size_t i = 1; i < all.list->n; i++) {
        int c = nx__jval_compare(&keys[i], &keys[best], &ok);
        if (!ok)
            return jfail(run, "values of type '%s' and '%s' cannot be compared", nx_jval_type(&keys[i]),
                         nx_jval_type(&keys[best]));
        if (c != 2 && c * sign > 0)
            best = i;
    }
    *ret = all.list->v[best];
    return NX_OK;
}

FILTER(min)
{
    return extreme(run, v, p, -1, ret);
}

FILTER(max)
{
    return extreme(run, v, p, 1, ret);
}

FILTER(sum)
{
    nx_jval all, sum = p[1] == NULL ? nx_jval_int(0) : *p[1], key;
    NX_TRY(list_of(run, v, &all));
    for (size_t i = 0; i < all.list->n; i++) {
        NX_TRY(key_of(run, &all.list->v[i], p[0], false, &key));
        nx_jval before = sum;
        NX_TRY(nx__jop_binary(run, '+', &before, &key, &sum));
    }
    *ret = sum;
    return NX_OK;
}

FILTER(reverse)
{
    (void)p;
    const nx_jval *items;
    size_t n;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = n; i-- > 0;) {
        if (v->kind != NX_J_STR)
            NX_TRY(nx_jlist_add(run, ret, items[i], run->err));
        else if (nx_buf_add(&b, items[i].s) != NX_OK)
            return nx__jnomem(run);
    }
    return v->kind == NX_J_STR ? nx__jbuf_val(run, &b, ret) : NX_OK;
}

static nx_status pairs_of(nx_jrun *run, const nx_jdict *d, nx_jval *ret)
{
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < d->n; i++) {
        nx_jval pair, both[2] = {d->items[i].key, d->items[i].value};
        NX_TRY(nx_jrun_tuple(run, both, 2, &pair, run->err));
        NX_TRY(nx_jlist_add(run, ret, pair, run->err));
    }
    return NX_OK;
}

FILTER(items)
{
    (void)p;
    if (v->kind == NX_J_UNDEF)
        return nx_jrun_list(run, ret, run->err);
    if (v->kind != NX_J_DICT)
        return jfail(run, "filter 'items' needs a dict, not '%s'", nx_jval_type(v));
    return pairs_of(run, v->dict, ret);
}

FILTER(dictsort)
{
    bool exact = p[0] != NULL && nx_jval_truth(p[0]), reverse = p[2] != NULL && nx_jval_truth(p[2]);
    nx_str by;
    NX_TRY(nx__jarg_str(run, p[1], NX_STR("key"), "'by' of filter 'dictsort'", &by));
    if (!nx_str_is(by, "key") && !nx_str_is(by, "value"))
        return jfail(run, "filter 'dictsort' sorts by 'key' or 'value', not '" NX_STR_FMT "'", NX_STR_ARG(by));
    if (v->kind != NX_J_DICT)
        return v->kind == NX_J_UNDEF ? nx__jundef_fail(run, v)
                                     : jfail(run, "filter 'dictsort' needs a dict, not '%s'", nx_jval_type(v));
    nx_jval *keys = NULL, which = nx_jval_int(nx_str_is(by, "value"));
    NX_TRY(pairs_of(run, v->dict, ret));
    NX_TRY(keys_of(run, ret->list->v, ret->list->n, &which, !exact, &keys));
    return nx__jsort(run, ret->list->v, keys, ret->list->n, reverse);
}

FILTER(groupby)
{
    nx_jval all, *keys, group = nx_jval_none();
    bool exact = p[2] != NULL && nx_jval_truth(p[2]);
    NX_TRY(list_of(run, v, &all));
    NX_TRY(keys_of(run, all.list->v, all.list->n, p[0], !exact, &keys));
    for (size_t i = 0; i < all.list->n; i++)
        if (keys[i].kind == NX_J_UNDEF && p[1] != NULL)
            keys[i] = *p[1];
    NX_TRY(nx__jsort(run, all.list->v, keys, all.list->n, false));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    nx_jval before = nx_jval_none();
    for (size_t i = 0; i < all.list->n; i++) {
        nx_jval key, shown, both[2];
        NX_TRY(key_of(run, &all.list->v[i], p[0], !exact, &key));
        NX_TRY(key_of(run, &all.list->v[i], p[0], false, &shown));
        if (key.kind == NX_J_UNDEF && p[1] != NULL)
            key = shown = *p[1];
        if (i == 0 || !nx_jval_equal(&key, &before)) {
            nx_jval tuple;
            NX_TRY(nx_jrun_list(run, &group, run->err));
            both[0] = shown;
            both[1] = group;
            NX_TRY(nx_jrun_tuple(run, both, 2, &tuple, run->err));
            NX_TRY(nx_jlist_add(run, ret, tuple, run->err));
            before = key;
        }
        NX_TRY(nx_jlist_add(run, &group, all.list->v[i], run->err));
    }
    return NX_OK;
}

FILTER(batch)
{
    const nx_jval *items;
    size_t n;
    int64_t size;
    nx_jval row = nx_jval_none();
    NX_TRY(nx__jarg_int(run, p[0], 0, "the size for filter 'batch'", &size));
    if (size <= 0)
        return jfail(run, "the size for filter 'batch' must be above zero");
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    for (size_t i = 0; i < n; i++) {
        if (i % (size_t)size == 0) {
            NX_TRY(nx_jrun_list(run, &row, run->err));
            NX_TRY(nx_jlist_add(run, ret, row, run->err));
        }
        NX_TRY(nx_jlist_add(run, &row, items[i], run->err));
    }
    while (n > 0 && p[1] != NULL && p[1]->kind != NX_J_NONE && row.list->n < (size_t)size)
        NX_TRY(nx_jlist_add(run, &row, *p[1], run->err));
    return NX_OK;
}

FILTER(slice)
{
    const nx_jval *items;
    size_t n, at = 0;
    int64_t slices;
    NX_TRY(nx__jarg_int(run, p[0], 0, "the number for filter 'slice'", &slices));
    if (slices <= 0 || slices > 1000000)
        return jfail(run, "the number for filter 'slice' must be between 1 and a million");
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(nx_jrun_list(run, ret, run->err));
    size_t each = n / (size_t)slices, extra = n % (size_t)slices;
    for (size_t s = 0; s < (size_t)slices; s++) {
        nx_jval part;
        NX_TRY(nx_jrun_list(run, &part, run->err));
        for (size_t k = 0; k < each + (s < extra); k++)
            NX_TRY(nx_jlist_add(run, &part, items[at++], run->err));
        if (p[1] != NULL && p[1]->kind != NX_J_NONE && s >= extra && extra > 0)
            NX_TRY(nx_jlist_add(run, &part, *p[1], run->err));
        NX_TRY(nx_jlist_add(run, ret, part, run->err));
    }
    return NX_OK;
}

const jfilter nx__jfilters_seq[] = {
    {"batch", "linecount! fill_with", f_batch},
    {"count", "", f_length},
    {"dictsort", "case_sensitive by reverse", f_dictsort},
    {"first", "", f_first},
    {"groupby", "attribute! default case_sensitive", f_groupby},
    {"items", "", f_items},
    {"join", "d attribute", f_join},
    {"last", "", f_last},
    {"length", "", f_length},
    {"list", "", f_list},
    {"max", "case_sensitive attribute", f_max},
    {"min", "case_sensitive attribute", f_min},
    {"reverse", "", f_reverse},
    {"slice", "slices! fill_with", f_slice},
    {"sort", "reverse case_sensitive attribute", f_sort},
    {"sum", "attribute start", f_sum},
    {"unique", "case_sensitive attribute", f_unique},
    {NULL, NULL, NULL},
};
