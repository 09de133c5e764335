/* engine/engine.h
 *
 * SQL, vectors and Parquet through libduckdb: the only module that includes its header or knows its version.
 * A database is in memory; sessions are connections with a catalog of their own. Nothing is ever fetched from the
 * network: extensions are off, the configuration is locked (facts: duckdb-c.md sections 2 and 13).
 *
 * Thread   One nx_engine a process is normal; nx_engine_* are thread-safe. A session belongs to one thread at a
 *          time; nx_session_interrupt() may be called from any.
 * Memory   Bounded by opts.memory_bytes (DuckDB's buffers) plus what a caller keeps of a result.
 */
#ifndef NX_ENGINE_ENGINE_H
#define NX_ENGINE_ENGINE_H

#include "base/str.h"
#include "data/batch.h"
#include "data/type.h"

typedef struct nx_engine nx_engine;
typedef struct nx_session nx_session;
typedef struct nx_result nx_result;

/* Turns a quoted name that holds '.', '@' or ':' ("bronze.trades@v12", "delta:/data/t") into SQL text that selects
 * its rows. NX_NOT_FOUND with an empty text: not ours, the engine says that there is no such table; any other failure
 * becomes the query's own error. Called in the thread that runs the query; must not run SQL in s (it would wait for
 * itself). */
typedef nx_status (*nx_resolve_fn)(void *ctx, nx_session *s, nx_str name, nx_buf *sql, nx_err *err);

typedef struct nx_engine_opts {
    uint64_t memory_bytes; /* 0 means 512 MiB; at least 64 MiB */
    int threads;           /* 0 means the number of cores */
    const char *temp_dir;  /* spill folder, made on demand; NULL forbids spilling */
    nx_resolve_fn resolve; /* may be NULL */
    void *resolve_ctx;
} nx_engine_opts;

NX_MUST_USE nx_status nx_engine_open(const nx_engine_opts *opts, nx_engine **ret, nx_err *err);
void nx_engine_close(nx_engine *e);
const char *nx_engine_version(void); /* "1.4.5" */

/* A session has its own schemas, views and temporary tables. Close before the engine. */
NX_MUST_USE nx_status nx_session_open(nx_engine *e, nx_session **ret, nx_err *err);
void nx_session_close(nx_session *s);
/* The running query ends with NX_CANCELLED. One that has not begun to run yet is not reached: repeat until it returns. */
void nx_session_interrupt(nx_session *s);
/* Fraction done of the running query, 0..1, or -1 when unknown: always in its first two seconds, and at times
 * to its end. Any thread. */
double nx_session_progress(nx_session *s);

/* Runs SQL (one or several statements) and drops rows. ret_changed (may be NULL): rows that the last statement
 * changed. Errors: NX_INVALID (parser, binder, catalog), NX_NOMEM (memory limit), NX_IO, NX_CANCELLED,
 * NX_CHECK_FAILED (conversion, constraint, out of range), NX_UNSUPPORTED; texts are the engine's first line without
 * its prefix. */
NX_MUST_USE nx_status nx_session_exec(nx_session *s, nx_str sql, int64_t *ret_changed, nx_err *err);
NX_MUST_USE nx_status nx_session_execf(nx_session *s, nx_err *err, const char *fmt, ...) NX_PRINTF(3, 4);

/* NX_INVALID unless the text holds exactly one statement that can be parsed. */
NX_MUST_USE nx_status nx_session_one_statement(nx_session *s, nx_str sql, nx_err *err);
/* Runs one statement and materialises its rows. */
NX_MUST_USE nx_status nx_session_query(nx_session *s, nx_str sql, nx_result **ret, nx_err *err);
void nx_result_drop(nx_result *r);
size_t nx_result_cols(const nx_result *r);
size_t nx_result_rows(const nx_result *r);
const char *nx_result_name(const nx_result *r, size_t col);
const char *nx_result_type(const nx_result *r, size_t col); /* DuckDB's spelling */
bool nx_result_is_null(const nx_result *r, size_t row, size_t col);
/* The value as text: SQL's cast to VARCHAR with all digits, but BLOB as lower-case hexadecimal, lists, structs and
 * maps as JSON. Appends to b; null appends nothing. NX_UNSUPPORTED: UNION, BIT, BIGNUM, TIME WITH TIME ZONE (cast
 * them in the query). */
NX_MUST_USE nx_status nx_result_text(const nx_result *r, size_t row, size_t col, nx_buf *b);
/* The value as JSON: numbers with all their digits (NaN and infinities are null), texts quoted, instants
 * "2024-01-02T03:04:05.123Z" (TIMESTAMP too: our clocks are UTC), BLOB as base64, maps as objects, null as null. */
NX_MUST_USE nx_status nx_result_json(const nx_result *r, size_t row, size_t col, nx_buf *b);
/* Integer columns (any width, DECIMAL with scale 0, HUGEINT in range, BOOLEAN); dflt when null or of another kind. */
int64_t nx_result_i64(const nx_result *r, size_t row, size_t col, int64_t dflt);
double nx_result_f64(const nx_result *r, size_t row, size_t col, double dflt);

/* The schema a query would give, in our types; the arena owns it. Type map (INTERFACES section 8): TINYINT..INTEGER
 * and small unsigned → NX_INT32, BIGINT, UINTEGER → NX_INT64, HUGEINT, UBIGINT → decimal(38,0), FLOAT → NX_DOUBLE,
 * TIMESTAMP and TIMESTAMPTZ (s, ms, ns too, when no digit is lost) → NX_TIMESTAMP, UUID, TIME, ENUM → NX_STRING;
 * anything else NX_UNSUPPORTED naming column and type. */
NX_MUST_USE nx_status nx_session_schema(nx_session *s, nx_str sql, nx_arena *a, nx_schema **ret, nx_err *err);

/* The query as a SELECT of exactly the schema's columns, by name, in its order and types, under the rules of
 * nx_session_fetch; a column the query lacks is NX_INVALID at once. Appends to ret. */
NX_MUST_USE nx_status nx_session_cast_sql(nx_session *s, nx_str sql, const nx_schema *schema, nx_buf *ret, nx_err *err);

/* Runs one query and hands its rows over in batches of our types (nx_session_schema gives the schema first). fn stops
 * it by a status that is not NX_OK. Streams: memory is one batch. While it runs the session takes no other statement:
 * fn needs a session of its own. Columns are taken by name (extra ones are left out) and cast; a value that the
 * field's type could only hold rounded or cut, and a null in a field that is not nullable, end it with
 * NX_CHECK_FAILED naming the column; text for a numeric field is NX_INVALID. batch_rows 0 means 65,536. */
typedef nx_status (*nx_batch_fn)(void *ctx, const nx_batch *b, nx_err *err);
NX_MUST_USE nx_status nx_session_fetch(nx_session *s, nx_str sql, const nx_schema *schema, size_t batch_rows,
                                       nx_batch_fn fn, void *ctx, nx_err *err);

/* Statistics of one column of one written file, from which Delta's are made. Bounds are there for numbers, texts
 * (over 256 bytes they are bounds, not values), dates and instants; none where a column holds NaN or nothing but
 * nulls. */
typedef struct nx_col_stats {
    const char *path; /* dotted, unquoted: "price", "bids.element.price" */
    int64_t nulls;    /* -1 unknown */
    bool has_minmax;
    const char *min, *max; /* SQL texts: "6.000000", "2024-01-02 03:04:05.123456+00" */
} nx_col_stats;

typedef struct nx_file_stats {
    int64_t rows, bytes;
    nx_col_stats *cols;
    size_t n_cols;
} nx_file_stats;

typedef struct nx_parquet_opts {
    int zstd_level;        /* 0 means 3 */
    size_t row_group_rows; /* 0 means 122,880 */
    bool keep_order;       /* write rows in the order of the query */
} nx_parquet_opts;

/* Writes the rows of a query to one new Parquet file, zstd, columns cast to the schema (NX_TIMESTAMP → UTC adjusted
 * micros) under the rules of nx_session_fetch, then syncs file and folder. On failure no file is left. A path that is
 * taken: NX_EXISTS. Stats live in the arena. */
NX_MUST_USE nx_status nx_session_write_parquet(nx_session *s, nx_str sql, const nx_schema *schema, const char *path,
                                               const nx_parquet_opts *opts, nx_arena *a, nx_file_stats *ret,
                                               nx_err *err);
/* The same for rows [from, to) picked by index (rows == NULL: all) of a batch; columns of `skip` (field indexes,
 * partition columns) are left out. Rows keep their order. Any thread may call it with its own session. */
NX_MUST_USE nx_status nx_session_write_batch(nx_session *s, const nx_batch *b, const uint32_t *rows, size_t n_rows,
                                             const size_t *skip, size_t n_skip, const char *path,
                                             const nx_parquet_opts *opts, nx_arena *a, nx_file_stats *ret, nx_err *err);

/* A batch as a temporary table `name` of the session (replaces). */
NX_MUST_USE nx_status nx_session_load_batch(nx_session *s, const char *name, const nx_batch *b, nx_err *err);

/* The view schema.name of a query, made anew; the schema too where it is absent. */
NX_MUST_USE nx_status nx_session_create_view(nx_session *s, nx_str schema, nx_str name, nx_str query, nx_err *err);

/* 'text' and "name" with quotes doubled. NX_INVALID: a 0 byte inside; else the buffer's errors. */
NX_MUST_USE nx_status nx_sql_literal(nx_buf *b, nx_str s);
NX_MUST_USE nx_status nx_sql_ident(nx_buf *b, nx_str s);

#endif
