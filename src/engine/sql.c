/* engine/sql.c - quoting, and the little that is done to SQL texts before they run. */
#include "engine/engine_int.h"

static nx_status quote(nx_buf *b, nx_str s, char q)
{
    NX_TRY(nx_buf_reserve(b, s.n + 2));
    NX_TRY(nx_buf_addc(b, q));
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == q)
            NX_TRY(nx_buf_addc(b, q));
        NX_TRY(nx_buf_addc(b, s.p[i]));
    }
    return nx_buf_addc(b, q);
}

nx_status nx_sql_literal(nx_buf *b, nx_str s)
{
    return quote(b, s, '\'');
}

nx_status nx_sql_ident(nx_buf *b, nx_str s)
{
    return quote(b, s, '"');
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
