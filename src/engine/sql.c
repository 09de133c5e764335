/* engine/sql.c - quoting, and the little that is done to SQL texts before they run. */
#include "engine/engine_int.h"

nx_status nx_sql_literal(nx_buf *b, nx_str s)
{
    return nx_buf_add_doubled(b, s, '\'');
}

nx_status nx_sql_ident(nx_buf *b, nx_str s)
{
    return nx_buf_add_doubled(b, s, '"');
}

static nx_status add_view(nx_buf *b, nx_str schema, nx_str name, nx_str query)
{
    NX_TRY(nx_buf_adds(b, "create schema if not exists "));
    NX_TRY(nx_sql_ident(b, schema));
    NX_TRY(nx_buf_adds(b, "; create or replace view "));
    NX_TRY(nx_sql_ident(b, schema));
    NX_TRY(nx_buf_addc(b, '.'));
    NX_TRY(nx_sql_ident(b, name));
    NX_TRY(nx_buf_adds(b, " as (\n"));
    NX_TRY(nx_buf_add(b, query));
    return nx_buf_adds(b, "\n)"); /* on its own line: the query may end with a comment */
}

nx_status nx_session_create_view(nx_session *s, nx_str schema, nx_str name, nx_str query, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = add_view(&b, schema, name, query);
    if (st != NX_OK)
        return nx_fail(err, st, "the SQL of view " NX_STR_FMT "." NX_STR_FMT " is too long or holds a 0 byte",
                       NX_STR_ARG(schema), NX_STR_ARG(name));
    return nx_session_exec(s, nx_buf_str(&b), NULL, err);
}

nx_str nx__bare_query(nx_str sql)
{
    sql = nx_str_trim(sql);
    while (sql.n > 0 && sql.p[sql.n - 1] == ';') {
        sql.n--;
        sql = nx_str_trim(sql);
    }
    return sql;
}
