/* pg/pg.h
 *
 * PostgreSQL 15 and later through libpq (the only module that touches it): connections, statements with text
 * parameters, COPY BINARY in.
 * Thread   A connection belongs to one thread at a time.
 */
#ifndef NX_PG_PG_H
#define NX_PG_PG_H

#include "base/str.h"
#include "data/batch.h"

typedef struct nx_pg nx_pg;
typedef struct nx_pg_result nx_pg_result;

/* dsn: libpq connection string or URI. The password never appears in an error. Could not connect: NX_REMOTE,
 * retriable, with a hint. */
NX_MUST_USE nx_status nx_pg_connect(const char *dsn, nx_pg **ret, nx_err *err);
void nx_pg_close(nx_pg *c);               /* NULL is fine; an open transaction is rolled back by the server */
int nx_pg_server_version(const nx_pg *c); /* 150020 */
/* One or several statements without parameters. Errors carry SQLSTATE, message and detail. Serialization failure and
 * deadlock are retriable. */
NX_MUST_USE nx_status nx_pg_exec(nx_pg *c, const char *sql, int64_t *ret_changed, nx_err *err);
/* The same, formatted first; ret_changed may be NULL. Names and texts go in through nx_pg_ident() and nx_pg_literal(). */
NX_PRINTF(4, 5)
NX_MUST_USE nx_status nx_pg_execf(nx_pg *c, int64_t *ret_changed, nx_err *err, const char *fmt, ...);
/* One statement with $1.. as text (NULL pointer = null). */
NX_MUST_USE nx_status nx_pg_query(nx_pg *c, const char *sql, const char *const *params, size_t n_params,
                                  nx_pg_result **ret, nx_err *err);
size_t nx_pg_rows(const nx_pg_result *r);
size_t nx_pg_cols(const nx_pg_result *r);
const char *nx_pg_value(const nx_pg_result *r, size_t row, size_t col); /* NULL when null */
void nx_pg_result_drop(nx_pg_result *r);
/* "name" and 'text' quoted. NX_INVALID: a 0 byte inside; else the buffer's errors. */
NX_MUST_USE nx_status nx_pg_ident(nx_buf *b, nx_str s);
NX_MUST_USE nx_status nx_pg_literal(nx_buf *b, nx_str s);
/* Our type in Postgres' spelling: bigint, numeric(18,6), timestamptz, text, text[], jsonb for structs. */
NX_MUST_USE nx_status nx_type_to_pg(const nx_type *t, nx_buf *b);

/* COPY table(cols) FROM STDIN (FORMAT binary). begin, batches, end; on any error the COPY is cancelled and the
 * transaction is failed. */
typedef struct nx_pg_copy nx_pg_copy;
NX_MUST_USE nx_status nx_pg_copy_begin(nx_pg *c, const char *quoted_table, const nx_schema *schema, nx_pg_copy **ret,
                                       nx_err *err);
NX_MUST_USE nx_status nx_pg_copy_batch(nx_pg_copy *cp, const nx_batch *b, nx_err *err);
NX_MUST_USE nx_status nx_pg_copy_end(nx_pg_copy *cp, int64_t *ret_rows, nx_err *err); /* frees cp, always */
void nx_pg_copy_cancel(nx_pg_copy *cp);                                               /* frees cp */

#endif
