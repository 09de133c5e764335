/* serve/publish.h
 *
 * Gold tables of the lake into PostgreSQL: rows copied into staging, then compared by primary key and brought over in one
 * transaction for all tables, so that readers see the old release or the new one, never a mix (promise 7).
 *
 * A table that was not committed anew since the last release is left alone; one that was rebuilt with equal rows changes
 * no row. A publisher killed at any moment leaves the old release; its staging tables are temporary and go with its
 * connection, as does the advisory lock that lets one publisher work on a schema at a time.
 *
 * Thread   One call at a time on a session; any number of schemas at once.
 * Memory   One batch of 16,384 rows plus what the engine holds.
 */
#ifndef NX_SERVE_PUBLISH_H
#define NX_SERVE_PUBLISH_H

#include "engine/engine.h"
#include "lake/lake.h"

typedef struct nx_publish_column {
    const char *name;
    const char *comment; /* may be NULL */
    bool not_null;       /* columns of the primary key are NOT NULL without it */
} nx_publish_column;

typedef struct nx_publish_fkey {
    const char *const *columns; /* NULL-terminated */
    const char *to;             /* a table of the same schema, referenced by its primary key */
} nx_publish_fkey;

/* What PostgreSQL shall know about a table beside its types, which come from the lake. All borrowed for the call. */
typedef struct nx_publish_table {
    const char *name;                 /* "fct_market_daily"; must not begin with '_' */
    const char *lake_table;           /* "gold.fct_market_daily" */
    const char *comment;              /* may be NULL */
    const nx_publish_column *columns; /* those that there is something to say about; may be fewer than the table has */
    size_t n_columns;
    const char *const *primary_key; /* NULL-terminated, at least one */
    const nx_publish_fkey *foreign_keys;
    size_t n_foreign_keys;
} nx_publish_table;

typedef struct nx_publish_opts {
    nx_lake *lake;
    nx_session *session; /* reads the lake */
    const char *dsn;     /* libpq connection string or URI */
    const char *schema;  /* NULL means "nexus"; made when it is missing */
    const nx_publish_table *tables;
    size_t n_tables;
    /* Called as rows are copied, and once when a table is done; may be NULL. */
    void (*progress)(void *ctx, const char *table, int64_t rows, bool done);
    void *progress_ctx;
} nx_publish_opts;

typedef struct nx_publish_table_result {
    const char *name;
    int64_t lake_version;
    int64_t rows; /* in the release; -1 where the table was left alone and the lake does not know */
    int64_t inserted, updated, deleted;
    bool left_alone; /* nothing was committed to it since the last release */
} nx_publish_table_result;

typedef struct nx_publish_result {
    int64_t release_id;   /* of this release, or of the last one when every table was left alone (0: there is none) */
    int64_t rows_changed; /* inserted + updated + deleted over all tables */
    nx_publish_table_result *tables; /* in the order of opts */
    size_t n_tables;
    nx_arena arena; /* owns the above */
} nx_publish_result;

/* Publishes one release. On failure the release before stays as it was and *ret is empty. New columns of the lake are
 * added to existing tables. A column that changed its type or vanished, or another primary key: NX_CONFLICT naming
 * it, with the way out in the hint. No connection: NX_REMOTE, retriable. Another publisher at work, or a lock that
 * readers hold for 30 s: NX_CONFLICT, retriable. Rows that break a key: NX_CHECK_FAILED. A missing lake table:
 * NX_NOT_FOUND. */
NX_MUST_USE nx_status nx_publish(const nx_publish_opts *opts, nx_publish_result *ret, nx_err *err);
/* Appends the SQL that would make the table in an empty database, a statement a line: columns, keys, NOT NULL, foreign keys, comments. What
 * nx_publish() runs comes from the same functions. d->lake_table is not looked at, and d->primary_key may be NULL. schema NULL means "nexus". */
NX_MUST_USE nx_status nx_publish_script(const nx_publish_table *d, const nx_schema *columns, const char *schema,
                                        nx_buf *b, nx_err *err);
void nx_publish_result_drop(nx_publish_result *r);

#endif
