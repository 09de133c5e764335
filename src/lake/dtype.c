/* Delta types as the engine spells them, straight from the schema's JSON: wider than data/type.h, because tables of
 * others are read too (facts: delta.md section 3). */
#include <stdio.h>

#include "lake/lake_int.h"

static const struct {
    const char *delta, *sql;
} primitives[] = {
    {"binary", "BLOB"},    {"boolean", "BOOLEAN"},         {"byte", "TINYINT"},
    {"date", "DATE"},      {"double", "DOUBLE"},           {"float", "FLOAT"},
    {"int", "INTEGER"},    {"integer", "INTEGER"},         {"long", "BIGINT"},
    {"short", "SMALLINT"}, {"string", "VARCHAR"},          {"timestamp", "TIMESTAMP WITH TIME ZONE"},
    {"void", "INTEGER"},   {"timestamp_ntz", "TIMESTAMP"},
};

static nx_status unknown(nx_str name, nx_err *err)
{
    return nx_fail(err, NX_UNSUPPORTED, "Delta type \"" NX_STR_FMT "\" is not supported", NX_STR_ARG(name));
}

/* "decimal(18,6)", blanks allowed. */
static nx_status decimal_sql(nx_str name, nx_buf *b, nx_err *err)
{
    int64_t p, s;
    nx_str rest = nx_str_sub(name, strlen("decimal"), name.n), first;
    if (rest.n < 5 || rest.p[0] != '(' || rest.p[rest.n - 1] != ')')
        return unknown(name, err);
    rest = nx_str_sub(rest, 1, rest.n - 1);
    if (!nx_str_split(&rest, ',', &first) || !nx_str_to_i64(nx_str_trim(first), &p) || rest.p == NULL ||
        !nx_str_to_i64(nx_str_trim(rest), &s) || p < 1 || p > 38 || s < 0 || s > p)
        return unknown(name, err);
    return nx_buf_addf(b, "DECIMAL(%lld,%lld)", (long long)p, (long long)s) == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status primitive_sql(nx_str name, nx_buf *b, nx_err *err)
{
    for (size_t i = 0; i < NX_COUNT_OF(primitives); i++)
        if (nx_str_is(name, primitives[i].delta))
            return nx_buf_adds(b, primitives[i].sql) == NX_OK ? NX_OK : nx_nomem(err);
    return nx_str_starts(name, NX_STR("decimal")) ? decimal_sql(name, b, err) : unknown(name, err);
}

static nx_str kind_of(const nx_val *type)
{
    return nx_val_str(nx_val_get(type, "type"), NX_STR(""));
}

static nx_status struct_sql(const nx__meta *m, const nx_val *type, bool physical, nx_buf *b, nx_err *err)
{
    const nx_val *fields = nx_val_get(type, "fields");
    if (fields == NULL || fields->kind != NX_VAL_ARR || fields->n == 0)
        return unknown(NX_STR("struct without fields"), err);
    NX_TRY(nx_buf_adds(b, "STRUCT("));
    for (size_t i = 0; i < fields->n; i++) {
        const nx_val *f = &fields->items[i];
        nx_str name = physical ? nx__field_physical(m, f) : nx_val_str(nx_val_get(f, "name"), NX_STR(""));
        if (i > 0)
            NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(nx_sql_ident(b, name));
        NX_TRY(nx_buf_addc(b, ' '));
        NX_TRY(nx__dtype_sql(m, nx_val_get(f, "type"), physical, b, err));
    }
    return nx_buf_addc(b, ')');
}

nx_status nx__dtype_sql(const nx__meta *m, const nx_val *type, bool physical, nx_buf *b, nx_err *err)
{
    if (type == NULL || (type->kind != NX_VAL_STR && type->kind != NX_VAL_OBJ))
        return nx_fail(err, NX_CORRUPT, "a field of the schema has no type");
    if (type->kind == NX_VAL_STR)
        return primitive_sql(type->s, b, err);
    nx_str kind = kind_of(type);
    if (nx_str_is(kind, "struct"))
        return struct_sql(m, type, physical, b, err);
    if (nx_str_is(kind, "array")) {
        NX_TRY(nx__dtype_sql(m, nx_val_get(type, "elementType"), physical, b, err));
        return nx_buf_adds(b, "[]");
    }
    if (!nx_str_is(kind, "map"))
        return unknown(kind, err);
    NX_TRY(nx_buf_adds(b, "MAP("));
    NX_TRY(nx__dtype_sql(m, nx_val_get(type, "keyType"), physical, b, err));
    NX_TRY(nx_buf_adds(b, ", "));
    NX_TRY(nx__dtype_sql(m, nx_val_get(type, "valueType"), physical, b, err));
    return nx_buf_addc(b, ')');
}

/* Some struct below has a member whose physical name differs. */
static bool renames(const nx__meta *m, const nx_val *type)
{
    if (m->mapping == NX__MAP_NONE || type == NULL || type->kind != NX_VAL_OBJ)
        return false;
    const nx_val *fields = nx_val_get(type, "fields");
    for (size_t i = 0; fields != NULL && i < fields->n; i++) {
        const nx_val *f = &fields->items[i];
        if (!nx_str_eq(nx__field_physical(m, f), nx_val_str(nx_val_get(f, "name"), NX_STR(""))) ||
            renames(m, nx_val_get(f, "type")))
            return true;
    }
    return renames(m, nx_val_get(type, "elementType")) || renames(m, nx_val_get(type, "keyType")) ||
           renames(m, nx_val_get(type, "valueType"));
}

static nx_status rename_expr(const nx__meta *m, const nx_val *type, nx_str expr, int depth, nx_buf *b, nx_err *err);

static nx_status rename_struct(const nx__meta *m, const nx_val *fields, nx_str expr, int depth, nx_buf *b, nx_err *err)
{
    NX_TRY(nx_buf_addf(b, "CASE WHEN (" NX_STR_FMT ") IS NULL THEN NULL ELSE struct_pack(", NX_STR_ARG(expr)));
    for (size_t i = 0; i < fields->n; i++) {
        const nx_val *f = &fields->items[i];
        nx_buf member NX_BUF_AUTO;
        nx_buf_init(&member, 0);
        NX_TRY(nx_buf_addf(&member, "struct_extract(" NX_STR_FMT ", ", NX_STR_ARG(expr)));
        NX_TRY(nx_sql_literal(&member, nx__field_physical(m, f)));
        NX_TRY(nx_buf_addc(&member, ')'));
        if (i > 0)
            NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(nx_sql_ident(b, nx_val_str(nx_val_get(f, "name"), NX_STR(""))));
        NX_TRY(nx_buf_adds(b, " := "));
        NX_TRY(rename_expr(m, nx_val_get(f, "type"), nx_buf_str(&member), depth, b, err));
    }
    return nx_buf_adds(b, ") END");
}

static nx_status rename_map(const nx__meta *m, const nx_val *type, nx_str expr, int depth, nx_buf *b, nx_err *err)
{
    char key[32], value[32];
    int nk = snprintf(key, sizeof key, "e%d.key", depth), nv = snprintf(value, sizeof value, "e%d.value", depth);
    NX_TRY(nx_buf_addf(b,
                       "CASE WHEN (" NX_STR_FMT
                       ") IS NULL THEN NULL ELSE map_from_entries(list_transform(map_entries(" NX_STR_FMT
                       "), lambda e%d: struct_pack(k := ",
                       NX_STR_ARG(expr), NX_STR_ARG(expr), depth));
    NX_TRY(rename_expr(m, nx_val_get(type, "keyType"), (nx_str){key, (size_t)nk}, depth + 1, b, err));
    NX_TRY(nx_buf_adds(b, ", v := "));
    NX_TRY(rename_expr(m, nx_val_get(type, "valueType"), (nx_str){value, (size_t)nv}, depth + 1, b, err));
    return nx_buf_adds(b, "))) END");
}

static nx_status rename_expr(const nx__meta *m, const nx_val *type, nx_str expr, int depth, nx_buf *b, nx_err *err)
{
    if (!renames(m, type))
        return nx_buf_add(b, expr);
    nx_str kind = kind_of(type);
    if (nx_str_is(kind, "struct"))
        return rename_struct(m, nx_val_get(type, "fields"), expr, depth, b, err);
    if (nx_str_is(kind, "map"))
        return rename_map(m, type, expr, depth, b, err);
    char element[32];
    int n = snprintf(element, sizeof element, "e%d", depth);
    NX_TRY(nx_buf_addf(b, "list_transform(" NX_STR_FMT ", lambda e%d: ", NX_STR_ARG(expr), depth));
    NX_TRY(rename_expr(m, nx_val_get(type, "elementType"), (nx_str){element, (size_t)n}, depth + 1, b, err));
    return nx_buf_addc(b, ')');
}

nx_status nx__dtype_cast(const nx__meta *m, const nx_val *type, nx_str expr, nx_buf *b, nx_err *err)
{
    NX_TRY(nx_buf_adds(b, "CAST("));
    NX_TRY(rename_expr(m, type, expr, 0, b, err));
    NX_TRY(nx_buf_adds(b, " AS "));
    NX_TRY(nx__dtype_sql(m, type, false, b, err));
    return nx_buf_addc(b, ')');
}
