#include <stdlib.h>

#include "data/data_int.h"

enum { PAIRWISE_MAX = 16 };

void nx__tree_drop(nx__tree *t)
{
    free(t->stack);
    t->stack = NULL;
    t->n = t->cap = 0;
}

nx_status nx__tree_push(nx__tree *t, const nx__slot *s)
{
    /* what waits here will be asked of the arena: the same maximum bounds it */
    if (t->n + 1 > t->a->bytes_max / sizeof *s || !nx_grow(&t->stack, &t->cap, t->n + 1, sizeof *s))
        return NX_NOMEM;
    t->stack[t->n++] = *s;
    return NX_OK;
}

static int by_key(const void *a, const void *b)
{
    const nx__slot *x = *(const nx__slot *const *)a, *y = *(const nx__slot *const *)b;
    int c = nx_str_cmp(x->key, y->key);
    return c != 0 ? c : (x > y) - (x < y);
}

/* Sets *ret to the later of two equal keys; few keys are compared in pairs, many are sorted. */
static nx_status find_dup(const nx__slot *s, size_t n, const nx__slot **ret)
{
    *ret = NULL;
    if (n <= PAIRWISE_MAX) {
        for (size_t i = 1; i < n; i++)
            for (size_t j = 0; j < i; j++)
                if (nx_str_eq(s[i].key, s[j].key)) {
                    *ret = &s[i];
                    return NX_OK;
                }
        return NX_OK;
    }
    const nx__slot **order = calloc(n, sizeof *order);
    if (order == NULL)
        return NX_NOMEM;
    for (size_t i = 0; i < n; i++)
        order[i] = &s[i];
    qsort(order, n, sizeof *order, by_key);
    for (size_t i = 1; i < n; i++)
        if (nx_str_eq(order[i - 1]->key, order[i]->key) && (*ret == NULL || order[i] < *ret))
            *ret = order[i];
    free(order);
    return NX_OK;
}

nx_status nx__tree_close(nx__tree *t, nx_val *v, size_t base, bool allow_dups, const nx__slot **ret_dup)
{
    bool obj = v->kind == NX_VAL_OBJ;
    size_t n = t->n - base;
    v->n = n;
    if (n == 0)
        return NX_OK;
    const nx__slot *s = t->stack + base;
    if (obj && !allow_dups) {
        NX_TRY(find_dup(s, n, ret_dup));
        if (*ret_dup != NULL)
            return NX_INVALID;
    }
    v->items = NX_ARENA_ARRAY(t->a, nx_val, n);
    v->keys = obj ? NX_ARENA_ARRAY(t->a, nx_str, n) : NULL;
    if (v->items == NULL || (obj && v->keys == NULL))
        return NX_NOMEM;
    for (size_t i = 0; i < n; i++) {
        v->items[i] = s[i].v;
        if (obj)
            v->keys[i] = s[i].key;
    }
    t->n = base;
    return NX_OK;
}
