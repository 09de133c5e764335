#include "data/value.h"

#include <stdlib.h>

#include "data/decimal.h"
#include "data/json.h"

static const nx_val *member(const nx_val *v, nx_str key)
{
    if (v == NULL || v->kind != NX_VAL_OBJ)
        return NULL;
    for (size_t i = v->n; i-- > 0;)
        if (nx_str_eq(v->keys[i], key))
            return &v->items[i];
    return NULL;
}

const nx_val *nx_val_get(const nx_val *v, const char *key)
{
    return member(v, nx_str_of(key));
}

const nx_val *nx_val_path(const nx_val *v, const char *path)
{
    nx_str rest = nx_str_of(path), part;
    while (v != NULL && nx_str_split(&rest, '.', &part))
        v = member(v, part);
    return v;
}

nx_str nx_val_str(const nx_val *v, nx_str dflt)
{
    return v != NULL && v->kind == NX_VAL_STR ? v->s : dflt;
}

bool nx_val_bool(const nx_val *v, bool dflt)
{
    return v != NULL && v->kind == NX_VAL_BOOL ? v->b : dflt;
}

int64_t nx_val_i64(const nx_val *v, int64_t dflt)
{
    __int128 w;
    if (v == NULL || v->kind != NX_VAL_NUM || nx_dec_parse(v->s, 19, 0, &w) != NX_DEC_OK || w < INT64_MIN ||
        w > INT64_MAX)
        return dflt;
    return (int64_t)w;
}

double nx_val_f64(const nx_val *v, double dflt)
{
    return v != NULL && v->kind == NX_VAL_NUM ? strtod(v->s.p, NULL) : dflt;
}

const char *nx_val_kind_name(nx_val_kind k)
{
    static const char *const names[] = {"null", "boolean", "number", "string", "array", "object"};
    return (unsigned)k < NX_COUNT_OF(names) ? names[k] : "?";
}

static void write_tree(nx_jw *w, const nx_val *v)
{
    switch (v->kind) {
    case NX_VAL_NULL:
        nx_jw_null(w);
        break;
    case NX_VAL_BOOL:
        nx_jw_bool(w, v->b);
        break;
    case NX_VAL_NUM:
        nx_jw_raw(w, v->s);
        break;
    case NX_VAL_STR:
        nx_jw_str(w, v->s);
        break;
    case NX_VAL_ARR:
        nx_jw_arr(w);
        for (size_t i = 0; i < v->n && w->st == NX_OK; i++)
            write_tree(w, &v->items[i]);
        nx_jw_arr_end(w);
        break;
    case NX_VAL_OBJ:
        nx_jw_obj(w);
        for (size_t i = 0; i < v->n && w->st == NX_OK; i++) {
            nx_jw_key_str(w, v->keys[i]);
            write_tree(w, &v->items[i]);
        }
        nx_jw_obj_end(w);
        break;
    }
}

nx_status nx_val_to_json(const nx_val *v, nx_buf *b)
{
    nx_jw w;
    nx_jw_begin(&w, b);
    write_tree(&w, v);
    return nx_jw_end(&w);
}
