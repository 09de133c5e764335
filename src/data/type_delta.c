/* Schemas as Delta writes them: PROTOCOL.md, "Schema Serialization Format". */
#include <assert.h>

#include "data/json.h"
#include "data/type.h"

static const struct {
    const char *name;
    nx_kind kind;
} primitives[] = {
    {"boolean", NX_BOOL},  {"integer", NX_INT32}, {"long", NX_INT64}, {"double", NX_DOUBLE},
    {"string", NX_STRING}, {"binary", NX_BINARY}, {"date", NX_DATE},  {"timestamp", NX_TIMESTAMP},
};

static void write_fields(nx_jw *w, const nx_field *f, size_t n);

static void write_type(nx_jw *w, const nx_type *t)
{
    if (t->kind == NX_DECIMAL) {
        nx_jw_strf(w, "decimal(%d,%d)", t->precision, t->scale);
    } else if (t->kind == NX_LIST) {
        nx_jw_obj(w);
        nx_jw_put_cstr(w, "type", "array");
        nx_jw_key(w, "elementType");
        write_type(w, &t->fields[0].type);
        nx_jw_put_bool(w, "containsNull", t->fields[0].nullable);
        nx_jw_obj_end(w);
    } else if (t->kind == NX_STRUCT) {
        write_fields(w, t->fields, t->n_fields);
    } else
        for (size_t i = 0; i < NX_COUNT_OF(primitives); i++)
            if (primitives[i].kind == t->kind)
                nx_jw_cstr(w, primitives[i].name);
}

static void write_fields(nx_jw *w, const nx_field *f, size_t n)
{
    nx_jw_obj(w);
    nx_jw_put_cstr(w, "type", "struct");
    nx_jw_key(w, "fields");
    nx_jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        nx_jw_obj(w);
        nx_jw_put_cstr(w, "name", f[i].name);
        nx_jw_key(w, "type");
        write_type(w, &f[i].type);
        nx_jw_put_bool(w, "nullable", f[i].nullable);
        nx_jw_key(w, "metadata");
        nx_jw_obj(w);
        if (f[i].comment != NULL)
            nx_jw_put_cstr(w, "comment", f[i].comment);
        nx_jw_obj_end(w);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    nx_jw_obj_end(w);
}

nx_status nx_type_to_delta(const nx_type *t, nx_buf *b)
{
    size_t start = b->n;
    nx_jw w;
    nx_jw_begin(&w, b);
    write_type(&w, t);
    NX_TRY(nx_jw_end(&w));
    if (t->kind == NX_LIST || t->kind == NX_STRUCT)
        return NX_OK;
    /* a primitive stands alone: without the quotes it has inside JSON */
    assert(b->n - start > 2);
    memmove(b->p + start, b->p + start + 1, b->n - start - 2);
    b->n -= 2;
    b->p[b->n] = '\0';
    return NX_OK;
}

nx_status nx_schema_to_delta(const nx_schema *s, nx_buf *b)
{
    nx_jw w;
    nx_jw_begin(&w, b);
    write_fields(&w, s->fields, s->n_fields);
    return nx_jw_end(&w);
}

typedef struct reader {
    bool lenient;
    nx_arena *a;
    nx_err *err;
} reader;

static nx_status corrupt(const reader *r, const char *field, const char *why)
{
    return nx_fail(r->err, NX_CORRUPT, "could not read the schema: field \"%.80s\": %s", field, why);
}

static nx_status read_primitive(const reader *r, nx_str name, const char *field, nx_type *t)
{
    for (size_t i = 0; i < NX_COUNT_OF(primitives); i++)
        if (nx_str_is(name, primitives[i].name)) {
            *t = (nx_type){.kind = primitives[i].kind};
            return NX_OK;
        }
    if (nx_type_parse_decimal(name, t))
        return NX_OK;
    if (nx_str_is(name, "decimal")) { /* old spelling of Spark's default */
        *t = (nx_type){.kind = NX_DECIMAL, .precision = 10};
        return NX_OK;
    }
    if (nx_str_is(name, "int") || (r->lenient && (nx_str_is(name, "short") || nx_str_is(name, "byte")))) {
        *t = (nx_type){.kind = NX_INT32};
        return NX_OK;
    }
    if (r->lenient && nx_str_is(name, "float")) {
        *t = (nx_type){.kind = NX_DOUBLE};
        return NX_OK;
    }
    return nx_fail(r->err, NX_UNSUPPORTED,
                   "could not read the schema: field \"%.80s\" has the unsupported type \"%.*s\"", field,
                   (int)(name.n < 80 ? name.n : 80), name.p);
}

static nx_status read_fields(const reader *r, const nx_val *v, const char *owner, const nx_field **ret, size_t *ret_n);

static nx_status read_type(const reader *r, const nx_val *v, const char *field, nx_type *t)
{
    if (v == NULL)
        return corrupt(r, field, "it has no type");
    if (v->kind == NX_VAL_STR)
        return read_primitive(r, v->s, field, t);
    nx_str kind = nx_val_str(nx_val_get(v, "type"), NX_STR(""));
    if (nx_str_is(kind, "struct")) {
        t->kind = NX_STRUCT;
        return read_fields(r, v, field, &t->fields, &t->n_fields);
    }
    if (nx_str_is(kind, "map"))
        return nx_fail(r->err, NX_UNSUPPORTED,
                       "could not read the schema: field \"%.80s\" has the unsupported type \"map\"", field);
    if (!nx_str_is(kind, "array"))
        return corrupt(r, field, "its type is neither a name nor an array or struct");
    nx_field *element = NX_ARENA_NEW(r->a, nx_field);
    if (element == NULL)
        return nx_nomem(r->err);
    element->name = "element";
    element->nullable = nx_val_bool(nx_val_get(v, "containsNull"), true);
    *t = (nx_type){.kind = NX_LIST, .fields = element, .n_fields = 1};
    return read_type(r, nx_val_get(v, "elementType"), field, &element->type);
}

static nx_status read_fields(const reader *r, const nx_val *v, const char *owner, const nx_field **ret, size_t *ret_n)
{
    const nx_val *list = nx_val_get(v, "fields");
    if (list == NULL || list->kind != NX_VAL_ARR)
        return corrupt(r, owner, "a struct without \"fields\"");
    nx_field *f = NX_ARENA_ARRAY(r->a, nx_field, list->n);
    if (f == NULL)
        return nx_nomem(r->err);
    for (size_t i = 0; i < list->n; i++) {
        const nx_val *item = &list->items[i], *name = nx_val_get(item, "name");
        if (name == NULL || name->kind != NX_VAL_STR || name->s.n == 0 || strlen(name->s.p) != name->s.n)
            return corrupt(r, owner, "a field in it has no name");
        nx_str comment = nx_val_str(nx_val_path(item, "metadata.comment"), (nx_str){NULL, 0});
        f[i].name = nx_arena_dup(r->a, name->s);
        f[i].nullable = nx_val_bool(nx_val_get(item, "nullable"), true);
        f[i].comment = comment.p == NULL ? NULL : nx_arena_dup(r->a, comment);
        if (f[i].name == NULL || (comment.p != NULL && f[i].comment == NULL))
            return nx_nomem(r->err);
        NX_TRY(read_type(r, nx_val_get(item, "type"), f[i].name, &f[i].type));
    }
    *ret = f;
    *ret_n = list->n;
    return NX_OK;
}

nx_status nx_schema_from_delta(nx_str json, bool lenient, nx_arena *a, nx_schema **ret, nx_err *err)
{
    NX_ARENA_AUTO nx_arena tree;
    nx_arena_init(&tree, 0);
    nx_val *v = NULL;
    nx_status st = nx_json_parse(json, NULL, &tree, &v, err);
    if (st == NX_INVALID) {
        nx_err_prefix(err, "could not read the schema");
        if (err != NULL)
            err->status = NX_CORRUPT;
        return NX_CORRUPT;
    }
    NX_TRY(st);
    reader r = {lenient, a, err};
    if (!nx_str_is(nx_val_str(nx_val_get(v, "type"), NX_STR("")), "struct"))
        return corrupt(&r, "(root)", "it is not a struct");
    nx_schema *s = NX_ARENA_NEW(a, nx_schema);
    if (s == NULL)
        return nx_nomem(err);
    NX_TRY(read_fields(&r, v, "(root)", &s->fields, &s->n_fields));
    *ret = s;
    return NX_OK;
}
