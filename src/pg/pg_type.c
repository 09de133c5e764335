/* pg/pg_type.c - our types in PostgreSQL's spelling; quoting. */
#include "pg/pg_int.h"

nx_status nx_pg_ident(nx_buf *b, nx_str s)
{
    return nx_buf_add_doubled(b, s, '"');
}

nx_status nx_pg_literal(nx_buf *b, nx_str s)
{
    return nx_buf_add_doubled(b, s, '\''); /* standard_conforming_strings is on: a backslash means itself */
}

nx__pg_form nx__pg_form_of(const nx_type *t)
{
    if (t->kind == NX_STRUCT)
        return NX__PG_JSONB;
    if (t->kind != NX_LIST)
        return NX__PG_SCALAR;
    nx_kind element = t->fields[0].type.kind;
    return element == NX_LIST || element == NX_STRUCT ? NX__PG_JSONB : NX__PG_ARRAY;
}

nx_status nx_type_to_pg(const nx_type *t, nx_buf *b)
{
    static const char *const names[] = {
        [NX_BOOL] = "boolean", [NX_INT32] = "integer",
        [NX_INT64] = "bigint", [NX_DOUBLE] = "double precision",
        [NX_STRING] = "text",  [NX_BINARY] = "bytea",
        [NX_DATE] = "date",    [NX_TIMESTAMP] = "timestamp with time zone",
    };
    if (nx__pg_form_of(t) == NX__PG_JSONB)
        return nx_buf_adds(b, "jsonb");
    if (t->kind == NX_LIST) {
        NX_TRY(nx_type_to_pg(&t->fields[0].type, b));
        return nx_buf_adds(b, "[]");
    }
    if (t->kind == NX_DECIMAL)
        return nx_buf_addf(b, "numeric(%d,%d)", t->precision, t->scale);
    return nx_buf_adds(b, names[t->kind]);
}
