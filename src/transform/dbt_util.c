#include "transform/dbt_int.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/time.h"

nx_status nx__dbt_push(nx_arena *a, dbt_list *l, void *v, nx_err *err)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 8 : l->cap * 2;
        void **bigger = NX_ARENA_ARRAY(a, void *, cap);
        if (bigger == NULL)
            return nx_nomem(err);
        if (l->n > 0)
            memcpy(bigger, l->v, l->n * sizeof *bigger);
        l->v = bigger;
        l->cap = cap;
    }
    l->v[l->n++] = v;
    return NX_OK;
}

bool nx__dbt_list_has(const dbt_list *l, const void *v)
{
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i] == v)
            return true;
    return false;
}

nx_val nx__dbt_val_str(nx_str s)
{
    return (nx_val){.kind = NX_VAL_STR, .s = s};
}

nx_val nx__dbt_val_bool(bool b)
{
    return (nx_val){.kind = NX_VAL_BOOL, .b = b};
}

nx_status nx__dbt_obj_put(nx_arena *a, nx_val *obj, nx_str key, const nx_val *v, nx_err *err)
{
    size_t at = 0, n = obj->kind == NX_VAL_OBJ ? obj->n : 0;
    while (at < n && !nx_str_eq(obj->keys[at], key))
        at++;
    size_t n_new = at < n ? n : n + 1;
    nx_val *items = NX_ARENA_ARRAY(a, nx_val, n_new);
    nx_str *keys = NX_ARENA_ARRAY(a, nx_str, n_new);
    if (items == NULL || keys == NULL)
        return nx_nomem(err);
    if (n > 0) {
        memcpy(items, obj->items, n * sizeof *items);
        memcpy(keys, obj->keys, n * sizeof *keys);
    }
    if (at == n) {
        const char *copy = nx_arena_dup(a, key);
        if (copy == NULL)
            return nx_nomem(err);
        keys[at] = (nx_str){copy, key.n};
    }
    items[at] = *v;
    obj->kind = NX_VAL_OBJ;
    obj->items = items;
    obj->keys = keys;
    obj->n = n_new;
    return NX_OK;
}

nx_status nx__dbt_arr_add(nx_arena *a, nx_val *arr, const nx_val *v, nx_err *err)
{
    size_t n = arr->kind == NX_VAL_ARR ? arr->n : 0;
    nx_val *items = NX_ARENA_ARRAY(a, nx_val, n + 1);
    if (items == NULL)
        return nx_nomem(err);
    if (n > 0)
        memcpy(items, arr->items, n * sizeof *items);
    items[n] = *v;
    arr->kind = NX_VAL_ARR;
    arr->items = items;
    arr->n = n + 1;
    return NX_OK;
}

static nx_status text_of_j(nx_jrun *run, nx_arena *a, const nx_jval *j, nx_val_kind kind, nx_val *ret, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    NX_TRY(nx_jval_print(run, j, &b, err));
    const char *copy = nx_arena_dup(a, nx_buf_str(&b));
    if (copy == NULL)
        return nx_nomem(err);
    *ret = (nx_val){.kind = kind, .s = {copy, b.n}};
    return NX_OK;
}

nx_status nx__dbt_val_of_j(nx_jrun *run, nx_arena *a, const nx_jval *j, nx_val *ret, nx_err *err)
{
    *ret = (nx_val){.kind = NX_VAL_NULL};
    switch (j->kind) {
    case NX_J_UNDEF:
    case NX_J_NONE:
        return NX_OK;
    case NX_J_BOOL:
        *ret = nx__dbt_val_bool(j->b);
        return NX_OK;
    case NX_J_INT:
    case NX_J_FLOAT:
        return text_of_j(run, a, j, NX_VAL_NUM, ret, err);
    case NX_J_LIST:
    case NX_J_TUPLE:
        ret->kind = NX_VAL_ARR;
        for (size_t i = 0; i < j->list->n; i++) {
            nx_val item;
            NX_TRY(nx__dbt_val_of_j(run, a, &j->list->v[i], &item, err));
            NX_TRY(nx__dbt_arr_add(a, ret, &item, err));
        }
        return NX_OK;
    case NX_J_DICT:
        ret->kind = NX_VAL_OBJ;
        for (size_t i = 0; i < j->dict->n; i++) {
            nx_val key, item;
            NX_TRY(text_of_j(run, a, &j->dict->items[i].key, NX_VAL_STR, &key, err));
            NX_TRY(nx__dbt_val_of_j(run, a, &j->dict->items[i].value, &item, err));
            NX_TRY(nx__dbt_obj_put(a, ret, key.s, &item, err));
        }
        return NX_OK;
    default:
        return text_of_j(run, a, j, NX_VAL_STR, ret, err);
    }
}

nx_status nx__dbt_strings(nx_arena *a, const nx_val *v, const char *what, dbt_list *ret, nx_err *err)
{
    if (v == NULL || v->kind == NX_VAL_NULL)
        return NX_OK;
    if (v->kind == NX_VAL_STR) {
        const char *s = nx_arena_dup(a, v->s);
        return s == NULL ? nx_nomem(err) : nx__dbt_push(a, ret, (void *)s, err);
    }
    if (v->kind != NX_VAL_ARR)
        return nx_fail(err, NX_INVALID, "%s: expected a text or a list of texts, found %s", what,
                       nx_val_kind_name(v->kind));
    for (size_t i = 0; i < v->n; i++) {
        if (v->items[i].kind != NX_VAL_STR)
            return nx_fail(err, NX_INVALID, "%s: element %zu is %s, expected a text", what, i + 1,
                           nx_val_kind_name(v->items[i].kind));
        NX_TRY(nx__dbt_strings(a, &v->items[i], what, ret, err));
    }
    return NX_OK;
}

const char *nx__dbt_cstr(nx_arena *a, nx_str s)
{
    return nx_arena_dup(a, s);
}

const char *nx__dbt_stem(nx_arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(base, '.');
    return nx_arena_dup(a, (nx_str){base, dot == NULL ? strlen(base) : (size_t)(dot - base)});
}

const char *nx__dbt_where(nx_arena *a, const char *file, int line)
{
    const char *s = line > 0 ? nx_arena_printf(a, "%s:%d", file, line) : file;
    return s == NULL ? file : s;
}

void nx__dbt_iso(nx_wall_ns t, char out[40])
{
    int64_t us = nx_us_of_ns(t);
    nx_civil c = nx_civil_of(nx_days_of_us(us));
    int64_t rest = us - (int64_t)nx_days_of_us(us) * 86400000000;
    snprintf(out, 40, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", c.year, c.month, c.day, (int)(rest / 3600000000),
             (int)(rest / 60000000 % 60), (int)(rest / 1000000 % 60), (int)(rest % 1000000));
}

/* ---- files ---- */

typedef struct walk {
    dbt_project *p;
    const char *top, *dir, *suffix;
    dbt_file_fn fn;
} walk;

static nx_status walk_entry(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    const walk *w = ctx;
    if (name[0] == '.')
        return NX_OK;
    const char *path = nx_arena_printf(&w->p->arena, "%s/%s", w->dir, name);
    if (path == NULL)
        return nx_nomem(err);
    if (!is_dir)
        return nx_str_ends(nx_str_of(name), nx_str_of(w->suffix)) ? w->fn(w->p, w->top, path, err) : NX_OK;
    walk sub = *w;
    sub.dir = path;
    const char *abs = nx_arena_printf(&w->p->arena, "%s/%s", w->p->root, path);
    if (abs == NULL)
        return nx_nomem(err);
    return nx_dir_list(abs, walk_entry, &sub, err);
}

nx_status nx__dbt_walk(dbt_project *p, const char *dir, const char *suffix, dbt_file_fn fn, nx_err *err)
{
    const char *abs = nx_arena_printf(&p->arena, "%s/%s", p->root, dir);
    if (abs == NULL)
        return nx_nomem(err);
    if (!nx_file_exists(abs))
        return NX_OK;
    walk w = {p, dir, dir, suffix, fn};
    return nx_dir_list(abs, walk_entry, &w, err);
}

nx_status nx__dbt_read(dbt_project *p, const char *path, nx_str *ret, nx_err *err)
{
    const char *abs = path[0] == '/' ? path : nx_arena_printf(&p->arena, "%s/%s", p->root, path);
    if (abs == NULL)
        return nx_nomem(err);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)64 << 20);
    NX_TRY(nx_file_read(abs, &b, err));
    if (!nx_utf8_valid(nx_buf_str(&b)))
        return nx_fail(err, NX_INVALID, "%s: the file is not UTF-8 text", path);
    const char *copy = nx_arena_dup(&p->arena, nx_buf_str(&b));
    if (copy == NULL)
        return nx_nomem(err);
    *ret = (nx_str){copy, b.n};
    return NX_OK;
}

nx_status nx__dbt_write_target(dbt_project *p, const char *sub, const char *path, nx_str text, nx_err *err)
{
    char *full = nx_arena_printf(&p->arena, "%s/%s/%s/%s", p->target_path, sub, p->name, path);
    if (full == NULL)
        return nx_nomem(err);
    char *slash = strrchr(full, '/');
    *slash = '\0';
    NX_TRY(nx_dir_make(full, err));
    *slash = '/';
    FILE *f = fopen(full, "we");
    if (f == NULL)
        return nx_fail_sys(err, NX_IO, "could not write %s", full);
    size_t done = fwrite(text.p, 1, text.n, f);
    if (fclose(f) != 0 || done != text.n)
        return nx_fail_sys(err, NX_IO, "could not write %s", full);
    return NX_OK;
}
