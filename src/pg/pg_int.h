/* pg/pg_int.h - what the files of pg share. */
#ifndef NX_PG_PG_INT_H
#define NX_PG_PG_INT_H

#include <libpq-fe.h>

#include "pg/pg.h"

struct nx_pg {
    PGconn *conn;
};

/* Fills err from a failed result (NULL: from the connection) and clears it. */
nx_status nx__pg_error(nx_pg *c, PGresult *r, nx_err *err);

/* One value in the binary format with its length before it; a null is the length -1. NX_INVALID: a text that PostgreSQL
 * cannot hold (with a zero byte). */
NX_MUST_USE nx_status nx__pg_put_value(nx_buf *b, const nx_col *c, size_t row);

/* How a type is kept in PostgreSQL. */
typedef enum nx__pg_form { NX__PG_SCALAR, NX__PG_ARRAY, NX__PG_JSONB } nx__pg_form;
nx__pg_form nx__pg_form_of(const nx_type *t);

#endif
