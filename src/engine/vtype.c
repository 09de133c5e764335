/* engine/vtype.c - the types of DuckDB's vectors: a tree of our own, their spelling, our type for each. */
#include "data/type.h"
#include "engine/engine_int.h"

static nx_status make_kids(nx__vtype *v, size_t n, nx_arena *a, nx_err *err)
{
    v->kids = NX_ARENA_ARRAY(a, nx__vtype, n);
    if (v->kids == NULL)
        return nx_nomem(err);
    v->n_kids = n;
    return NX_OK;
}

static nx_status make_kid(nx__vtype *v, size_t i, duckdb_logical_type t, nx_arena *a, nx_err *err)
{
    nx_status st = nx__vtype_make(t, a, &v->kids[i], err);
    duckdb_destroy_logical_type(&t);
    return st;
}

static nx_status make_struct(duckdb_logical_type t, nx_arena *a, nx__vtype *v, nx_err *err)
{
    size_t n = duckdb_struct_type_child_count(t);
    NX_TRY(make_kids(v, n, a, err));
    for (size_t i = 0; i < n; i++) {
        NX_TRY(make_kid(v, i, duckdb_struct_type_child_type(t, i), a, err));
        char *name = duckdb_struct_type_child_name(t, i);
        v->kids[i].name = nx_arena_dup(a, nx_str_of(name));
        duckdb_free(name);
        if (v->kids[i].name == NULL)
            return nx_nomem(err);
    }
    return NX_OK;
}

static nx_status make_enum(duckdb_logical_type t, nx_arena *a, nx__vtype *v, nx_err *err)
{
    v->store = duckdb_enum_internal_type(t);
    v->n_enums = duckdb_enum_dictionary_size(t);
    v->enums = NX_ARENA_ARRAY(a, const char *, v->n_enums);
    for (size_t i = 0; v->enums != NULL && i < v->n_enums; i++) {
        char *text = duckdb_enum_dictionary_value(t, i);
        v->enums[i] = nx_arena_dup(a, nx_str_of(text));
        duckdb_free(text);
        if (v->enums[i] == NULL)
            return nx_nomem(err);
    }
    return v->enums == NULL ? nx_nomem(err) : NX_OK;
}

nx_status nx__vtype_make(duckdb_logical_type t, nx_arena *a, nx__vtype *ret, nx_err *err)
{
    *ret = (nx__vtype){.id = duckdb_get_type_id(t)};
    switch (ret->id) {
    case DUCKDB_TYPE_DECIMAL:
        ret->store = duckdb_decimal_internal_type(t);
        ret->width = duckdb_decimal_width(t);
        ret->scale = duckdb_decimal_scale(t);
        return NX_OK;
    case DUCKDB_TYPE_ENUM:
        return make_enum(t, a, ret, err);
    case DUCKDB_TYPE_LIST:
        NX_TRY(make_kids(ret, 1, a, err));
        return make_kid(ret, 0, duckdb_list_type_child_type(t), a, err);
    case DUCKDB_TYPE_ARRAY:
        ret->array_size = duckdb_array_type_array_size(t);
        NX_TRY(make_kids(ret, 1, a, err));
        return make_kid(ret, 0, duckdb_array_type_child_type(t), a, err);
    case DUCKDB_TYPE_MAP:
        NX_TRY(make_kids(ret, 2, a, err));
        NX_TRY(make_kid(ret, 0, duckdb_map_type_key_type(t), a, err));
        return make_kid(ret, 1, duckdb_map_type_value_type(t), a, err);
    case DUCKDB_TYPE_STRUCT:
        return make_struct(t, a, ret, err);
    default:
        return NX_OK;
    }
}

static const char *plain_name(duckdb_type id)
{
    static const char *const names[] = {
        [DUCKDB_TYPE_BOOLEAN] = "BOOLEAN",
        [DUCKDB_TYPE_TINYINT] = "TINYINT",
        [DUCKDB_TYPE_SMALLINT] = "SMALLINT",
        [DUCKDB_TYPE_INTEGER] = "INTEGER",
        [DUCKDB_TYPE_BIGINT] = "BIGINT",
        [DUCKDB_TYPE_UTINYINT] = "UTINYINT",
        [DUCKDB_TYPE_USMALLINT] = "USMALLINT",
        [DUCKDB_TYPE_UINTEGER] = "UINTEGER",
        [DUCKDB_TYPE_UBIGINT] = "UBIGINT",
        [DUCKDB_TYPE_FLOAT] = "FLOAT",
        [DUCKDB_TYPE_DOUBLE] = "DOUBLE",
        [DUCKDB_TYPE_TIMESTAMP] = "TIMESTAMP",
        [DUCKDB_TYPE_DATE] = "DATE",
        [DUCKDB_TYPE_TIME] = "TIME",
        [DUCKDB_TYPE_INTERVAL] = "INTERVAL",
        [DUCKDB_TYPE_HUGEINT] = "HUGEINT",
        [DUCKDB_TYPE_UHUGEINT] = "UHUGEINT",
        [DUCKDB_TYPE_VARCHAR] = "VARCHAR",
        [DUCKDB_TYPE_BLOB] = "BLOB",
        [DUCKDB_TYPE_TIMESTAMP_S] = "TIMESTAMP_S",
        [DUCKDB_TYPE_TIMESTAMP_MS] = "TIMESTAMP_MS",
        [DUCKDB_TYPE_TIMESTAMP_NS] = "TIMESTAMP_NS",
        [DUCKDB_TYPE_UUID] = "UUID",
        [DUCKDB_TYPE_UNION] = "UNION",
        [DUCKDB_TYPE_BIT] = "BIT",
        [DUCKDB_TYPE_TIME_TZ] = "TIME WITH TIME ZONE",
        [DUCKDB_TYPE_TIMESTAMP_TZ] = "TIMESTAMP WITH TIME ZONE",
        [DUCKDB_TYPE_BIGNUM] = "BIGNUM",
        [DUCKDB_TYPE_SQLNULL] = "\"NULL\"",
        [DUCKDB_TYPE_TIME_NS] = "TIME_NS",
    };
    const char *name = (size_t)id < NX_COUNT_OF(names) ? names[id] : NULL;
    return name == NULL ? "UNKNOWN" : name;
}

static nx_status struct_text(const nx__vtype *v, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "STRUCT("));
    for (size_t i = 0; i < v->n_kids; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ", "));
        NX_TRY(nx_sql_ident(b, nx_str_of(v->kids[i].name)));
        NX_TRY(nx_buf_addc(b, ' '));
        NX_TRY(nx__vtype_text(&v->kids[i], b));
    }
    return nx_buf_addc(b, ')');
}

static nx_status enum_text(const nx__vtype *v, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "ENUM("));
    for (size_t i = 0; i < v->n_enums; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ", "));
        NX_TRY(nx_sql_literal(b, nx_str_of(v->enums[i])));
    }
    return nx_buf_addc(b, ')');
}

nx_status nx__vtype_text(const nx__vtype *v, nx_buf *b)
{
    switch (v->id) {
    case DUCKDB_TYPE_DECIMAL:
        return nx_buf_addf(b, "DECIMAL(%d,%d)", v->width, v->scale);
    case DUCKDB_TYPE_ENUM:
        return enum_text(v, b);
    case DUCKDB_TYPE_LIST:
        NX_TRY(nx__vtype_text(&v->kids[0], b));
        return nx_buf_adds(b, "[]");
    case DUCKDB_TYPE_ARRAY:
        NX_TRY(nx__vtype_text(&v->kids[0], b));
        return nx_buf_addf(b, "[%zu]", v->array_size);
    case DUCKDB_TYPE_MAP:
        NX_TRY(nx_buf_adds(b, "MAP("));
        NX_TRY(nx__vtype_text(&v->kids[0], b));
        NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(nx__vtype_text(&v->kids[1], b));
        return nx_buf_addc(b, ')');
    case DUCKDB_TYPE_STRUCT:
        return struct_text(v, b);
    default:
        return nx_buf_adds(b, plain_name(v->id));
    }
}

static nx_status nested_to_nx(const nx__vtype *v, const char *column, nx_arena *a, nx_type *ret, nx_err *err)
{
    nx_field *f = NX_ARENA_ARRAY(a, nx_field, v->n_kids);
    if (f == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < v->n_kids; i++) {
        f[i].name = v->id == DUCKDB_TYPE_STRUCT ? nx_arena_dup(a, nx_str_of(v->kids[i].name)) : "element";
        f[i].nullable = true;
        if (f[i].name == NULL)
            return nx_nomem(err);
        NX_TRY(nx__vtype_to_nx(&v->kids[i], column, a, &f[i].type, err));
    }
    ret->kind = v->id == DUCKDB_TYPE_STRUCT ? NX_STRUCT : NX_LIST;
    ret->fields = f;
    ret->n_fields = v->n_kids;
    return NX_OK;
}

static nx_status refuse(const nx__vtype *v, const char *column, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    if (nx__vtype_text(v, &b) != NX_OK)
        return nx_nomem(err);
    nx_fail(err, NX_UNSUPPORTED, "column %s has type %s, which no table of the lake can hold", column,
            nx_buf_str(&b).p);
    return nx_err_hint(err, NX_UNSUPPORTED, "cast it in the query, for example to VARCHAR");
}

nx_status nx__vtype_to_nx(const nx__vtype *v, const char *column, nx_arena *a, nx_type *ret, nx_err *err)
{
    *ret = (nx_type){0};
    switch (v->id) {
    case DUCKDB_TYPE_BOOLEAN:
        ret->kind = NX_BOOL;
        return NX_OK;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_SQLNULL: /* a bare NULL: CREATE TABLE AS makes it INTEGER too */
        ret->kind = NX_INT32;
        return NX_OK;
    case DUCKDB_TYPE_BIGINT:
    case DUCKDB_TYPE_UINTEGER:
        ret->kind = NX_INT64;
        return NX_OK;
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UBIGINT:
        *ret = (nx_type){.kind = NX_DECIMAL, .precision = 38, .scale = 0};
        return NX_OK;
    case DUCKDB_TYPE_DECIMAL:
        *ret = (nx_type){.kind = NX_DECIMAL, .precision = v->width, .scale = v->scale};
        return NX_OK;
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        ret->kind = NX_DOUBLE;
        return NX_OK;
    case DUCKDB_TYPE_VARCHAR:
    case DUCKDB_TYPE_UUID:
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_ENUM:
        ret->kind = NX_STRING;
        return NX_OK;
    case DUCKDB_TYPE_BLOB:
        ret->kind = NX_BINARY;
        return NX_OK;
    case DUCKDB_TYPE_DATE:
        ret->kind = NX_DATE;
        return NX_OK;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        ret->kind = NX_TIMESTAMP;
        return NX_OK;
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_STRUCT:
        return nested_to_nx(v, column, a, ret, err);
    default:
        return refuse(v, column, err);
    }
}
