#include "data/type.h"

bool nx_type_equal(const nx_type *a, const nx_type *b)
{
    if (a->kind != b->kind || a->n_fields != b->n_fields)
        return false;
    if (a->kind == NX_DECIMAL && (a->precision != b->precision || a->scale != b->scale))
        return false;
    for (size_t i = 0; i < a->n_fields; i++) {
        const nx_field *x = &a->fields[i], *y = &b->fields[i];
        /* the element of a list has no name of its own */
        if (a->kind == NX_STRUCT && strcmp(x->name, y->name) != 0)
            return false;
        if (x->nullable != y->nullable || !nx_type_equal(&x->type, &y->type))
            return false;
    }
    return true;
}

bool nx_schema_equal(const nx_schema *a, const nx_schema *b)
{
    nx_type x = {.kind = NX_STRUCT, .fields = a->fields, .n_fields = a->n_fields};
    nx_type y = {.kind = NX_STRUCT, .fields = b->fields, .n_fields = b->n_fields};
    return nx_type_equal(&x, &y);
}

size_t nx_schema_find(const nx_schema *s, nx_str name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (nx_str_is(name, s->fields[i].name))
            return i;
    return SIZE_MAX;
}

static nx_field *copy_fields(nx_arena *a, const nx_field *from, size_t n)
{
    nx_field *to = NX_ARENA_ARRAY(a, nx_field, n);
    if (to == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].name = nx_arena_dup(a, nx_str_of(from[i].name));
        if (to[i].name == NULL)
            return NULL;
        if (from[i].comment != NULL && (to[i].comment = nx_arena_dup(a, nx_str_of(from[i].comment))) == NULL)
            return NULL;
        if (from[i].type.n_fields > 0 &&
            (to[i].type.fields = copy_fields(a, from[i].type.fields, from[i].type.n_fields)) == NULL)
            return NULL;
    }
    return to;
}

nx_schema *nx_schema_copy(nx_arena *a, const nx_schema *s)
{
    nx_schema *c = NX_ARENA_NEW(a, nx_schema);
    if (c == NULL)
        return NULL;
    c->n_fields = s->n_fields;
    c->fields = copy_fields(a, s->fields, s->n_fields);
    return c->fields == NULL ? NULL : c;
}

nx_status nx_type_to_sql(const nx_type *t, nx_buf *b)
{
    static const char *const names[] = {
        [NX_BOOL] = "BOOLEAN",   [NX_INT32] = "INTEGER",
        [NX_INT64] = "BIGINT",   [NX_DOUBLE] = "DOUBLE",
        [NX_STRING] = "VARCHAR", [NX_BINARY] = "BLOB",
        [NX_DATE] = "DATE",      [NX_TIMESTAMP] = "TIMESTAMP WITH TIME ZONE",
    };
    if (t->kind == NX_DECIMAL)
        return nx_buf_addf(b, "DECIMAL(%d,%d)", t->precision, t->scale);
    if (t->kind == NX_LIST) {
        NX_TRY(nx_type_to_sql(&t->fields[0].type, b));
        return nx_buf_adds(b, "[]");
    }
    if (t->kind != NX_STRUCT)
        return nx_buf_adds(b, names[t->kind]);
    NX_TRY(nx_buf_adds(b, "STRUCT("));
    for (size_t i = 0; i < t->n_fields; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "\"" : ", \""));
        for (const char *c = t->fields[i].name; *c != '\0'; c++) {
            if (*c == '"')
                NX_TRY(nx_buf_addc(b, '"'));
            NX_TRY(nx_buf_addc(b, *c));
        }
        NX_TRY(nx_buf_adds(b, "\" "));
        NX_TRY(nx_type_to_sql(&t->fields[i].type, b));
    }
    return nx_buf_adds(b, ")");
}

bool nx_type_parse_decimal(nx_str s, nx_type *ret)
{
    if (!nx_str_starts(s, NX_STR("decimal(")) || !nx_str_ends(s, NX_STR(")")))
        return false;
    nx_str rest = nx_str_sub(s, sizeof "decimal(" - 1, s.n - 1), p, q;
    int64_t precision, scale;
    if (!nx_str_split(&rest, ',', &p) || !nx_str_split(&rest, ',', &q) || rest.p != NULL)
        return false;
    if (!nx_str_to_i64(nx_str_trim(p), &precision) || !nx_str_to_i64(nx_str_trim(q), &scale))
        return false;
    if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
        return false;
    *ret = (nx_type){.kind = NX_DECIMAL, .precision = (int)precision, .scale = (int)scale};
    return true;
}
