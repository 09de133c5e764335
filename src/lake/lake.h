/* lake/lake.h
 *
 * Tables: Delta Lake on an object store. A table is a name ("bronze.trades") and a folder ("bronze/market/trades"); the
 * last folder is the table, the first the schema. Reads give SQL text for the engine; writes are new Parquet files
 * and one commit. Promises 2, 4, 5 of ARCHITECTURE.md are kept here.
 *
 * Thread   nx_lake and nx_table handles may be shared; a writer belongs to one thread. Other processes may write too:
 *          commits are put-if-absent with the conflict rules of facts/delta.md section 7.
 * Memory   A snapshot keeps about 300 bytes a live file plus the text of its add action (with statistics 1 to 2 KB).
 * Errors   NX_CONFLICT with err->retriable: somebody committed first, the same call may succeed. NX_UNSUPPORTED
 *          names the Delta feature.
 */
#ifndef NX_LAKE_LAKE_H
#define NX_LAKE_LAKE_H

#include "data/batch.h"
#include "engine/engine.h"
#include "io/store.h"

typedef struct nx_lake nx_lake;
typedef struct nx_table nx_table;

typedef struct nx_lake_opts {
    const char *root;        /* folder */
    nx_engine *engine;       /* borrowed; outlives the lake */
    const char *engine_info; /* commitInfo.engineInfo; NULL means "nexus" */
} nx_lake_opts;

NX_MUST_USE nx_status nx_lake_open(const nx_lake_opts *o, nx_lake **ret, nx_err *err);
void nx_lake_close(nx_lake *l);

typedef struct nx_table_spec {
    const char *name;   /* "bronze.trades" */
    const char *folder; /* NULL: name with '.' as '/' */
    const nx_schema *schema;
    const char *const *partition; /* NULL-terminated; NULL: none */
    const char *const *stats;     /* delta.dataSkippingStatsColumns; NULL: all */
    const char *description;
} nx_table_spec;

/* Opens the table, creates it (version 0) if absent, adds missing nullable columns. A column whose type differs:
 * NX_CONFLICT naming it. */
NX_MUST_USE nx_status nx_table_ensure(nx_lake *l, const nx_table_spec *spec, nx_table **ret, nx_err *err);
/* NX_NOT_FOUND names the table and the nearest one. Handles are cached by the lake and live as long as it. */
NX_MUST_USE nx_status nx_table_open(nx_lake *l, const char *name, nx_table **ret, nx_err *err);
/* Calls fn for each table of the lake (folders with a _delta_log, at least two deep), in order of names. */
NX_MUST_USE nx_status nx_lake_each(nx_lake *l,
                                   nx_status (*fn)(void *ctx, const char *name, const char *folder, nx_err *err),
                                   void *ctx, nx_err *err);

typedef struct nx_table_info {
    int64_t version, rows, bytes, files;
    int64_t committed_ms; /* of that version */
} nx_table_info;
/* The newest committed version. rows is -1 when a file has no numRecords. */
NX_MUST_USE nx_status nx_table_info_get(nx_table *t, nx_table_info *ret, nx_err *err);
NX_MUST_USE nx_status nx_table_schema(nx_table *t, nx_arena *a, nx_schema **ret, nx_err *err);
/* Last txn version of a writer, -1 when it never committed here. */
NX_MUST_USE nx_status nx_table_txn(nx_table *t, const char *app_id, int64_t *ret_version, nx_err *err);

/* ------------------------------------------------------------------ reading */

/* SQL text that selects all rows of a version: name, "name@v12", "name@2026-11-23T10:00:00Z", "delta:/folder[@...]".
 * This is what app registers with the engine as its resolver. */
NX_MUST_USE nx_status nx_lake_scan_sql(nx_lake *l, nx_str name, nx_buf *sql, nx_err *err);
/* Makes a schema and a view a table in the session ("bronze.trades"), at the versions of now. Again: refreshes. A
 * table that cannot be read gets a view that fails with the cause. */
NX_MUST_USE nx_status nx_lake_attach(nx_lake *l, nx_session *s, nx_err *err);
/* The same for one table (after a write to it). */
NX_MUST_USE nx_status nx_lake_attach_table(nx_lake *l, nx_session *s, const char *name, nx_err *err);

/* ------------------------------------------------------------------ writing */

typedef struct nx_commit_opts {
    const char *operation; /* "WRITE", "MERGE", ...: commitInfo */
    const char *app_id;    /* txn; NULL: none */
    int64_t txn_version;   /* with app_id: a commit at or below the table's is a no-op */
} nx_commit_opts;

typedef struct nx_commit_result {
    bool committed;  /* false: the txn was there already (or there was nothing to write); nothing changed */
    int64_t version; /* the table's version afterwards */
    int64_t rows_added, rows_removed, files_added, files_removed, bytes_added;
} nx_commit_result;

/* Appending batches, without the engine. An add writes row groups to files that stay open, one a partition value (of more than 16 values
 * the others become files at once), and keeps all of the batch or, when it fails, nothing of it; a commit makes the files durable, then
 * visible at once. The batch's columns are the table's by name and type; nullable ones may be missing. When a commit fails the rows
 * stay for another try, with more rows if there are, or nx_writer_drop(). Memory: what parquet.h says, until the commit. */
typedef struct nx_writer nx_writer;
NX_MUST_USE nx_status nx_writer_open(nx_table *t, nx_writer **ret, nx_err *err);
NX_MUST_USE nx_status nx_writer_add(nx_writer *w, const nx_batch *b, nx_err *err);
NX_MUST_USE nx_status nx_writer_commit(nx_writer *w, const nx_commit_opts *o, nx_commit_result *ret,
                                       nx_err *err); /* empties w */
void nx_writer_drop(nx_writer *w);                   /* uncommitted files are deleted */

/* Writing from SQL, one commit each. The query may read the table itself (it sees the version before). A missing
 * table is created from the query's schema (spec->schema NULL) or from spec. Columns are taken by name: one that the
 * table lacks is NX_INVALID (see add_columns), one that the query lacks becomes null. Values that would be rounded
 * are NX_CHECK_FAILED. Keys match by SQL's "=": null matches nothing. With an app_id the txn is
 * committed even when there are no rows. Somebody committed in between: the whole write is made again, five times at
 * most. rows_added and rows_removed of the result do not count rows that were only copied; a merge counts an updated row in both, and a row that stays what it was in none. */
typedef enum nx_write_mode {
    NX_WRITE_APPEND,
    NX_WRITE_OVERWRITE,     /* all rows; the schema may change */
    NX_WRITE_DELETE_INSERT, /* rows whose key is in the query's rows go, then all are inserted */
    NX_WRITE_MERGE /* by key: update (update_columns or all), insert the others; a doubled key in the query is an error */
} nx_write_mode;

typedef struct nx_write_opts {
    nx_write_mode mode;
    const char *const *key;            /* NULL-terminated column names */
    const char *const *update_columns; /* NX_WRITE_MERGE: NULL means all */
    const char *const *add_columns;    /* columns of the query to add to the table, in the same commit */
    nx_commit_opts commit;
} nx_write_opts;

NX_MUST_USE nx_status nx_lake_write_sql(nx_lake *l, nx_session *s, const nx_table_spec *spec, nx_str sql,
                                        const nx_write_opts *o, nx_commit_result *ret, nx_err *err);
NX_MUST_USE nx_status nx_lake_delete_sql(nx_lake *l, nx_session *s, const char *name, nx_str predicate,
                                         nx_commit_result *ret, nx_err *err);
/* Ends a table: removes its folder. */
NX_MUST_USE nx_status nx_lake_drop_table(nx_lake *l, const char *name, nx_err *err);

/* ------------------------------------------------------------------ maintenance */

typedef struct nx_optimize_opts {
    int64_t target_bytes; /* 0 means 128 MiB */
    int64_t min_files;    /* a partition with fewer small files is left alone; 0 means 2 */
    const char *order_by; /* SQL list or NULL */
} nx_optimize_opts;
/* Bin packing per partition: small files (under 3/4 of the target) become few big ones, dataChange false, one commit
 * a partition; conflicts with appends never. NX_NOTHING, at the cost of a look at the snapshot: no partition has
 * min_files small files. */
NX_MUST_USE nx_status nx_table_optimize(nx_table *t, nx_session *s, const nx_optimize_opts *o, nx_commit_result *ret,
                                        nx_err *err);
/* Classic single-file checkpoint of the newest version plus _last_checkpoint. Done by itself every 10 commits. */
NX_MUST_USE nx_status nx_table_checkpoint(nx_table *t, nx_err *err);
/* Deletes files that no version younger than retain_ms needs, and what dead writers left. dry_run: only counts.
 * NX_INVALID when retain_ms is below the table's retention (delta.deletedFileRetentionDuration, 7 days where it has
 * none). */
NX_MUST_USE nx_status nx_table_vacuum(nx_table *t, int64_t retain_ms, bool dry_run, int64_t *ret_files,
                                      int64_t *ret_bytes, nx_err *err);

typedef struct nx_history_entry {
    int64_t version, timestamp_ms;
    const char *operation;                          /* live during the call */
    int64_t rows_added, files_added, files_removed; /* -1 unknown */
} nx_history_entry;
/* Newest first, at most limit entries; versions whose commit file is gone are not told. */
NX_MUST_USE nx_status nx_table_history(nx_table *t, int64_t limit,
                                       nx_status (*fn)(void *ctx, const nx_history_entry *e, nx_err *err), void *ctx,
                                       nx_err *err);

#endif
