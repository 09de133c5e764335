/* lake/lake_int.h - shared by the files of this module: snapshots, the log, commits.
 *
 * A snapshot is one version of a table: live files, tombstones, txn versions, metadata. Once handed out it never
 * changes; the table's cached one is advanced in place when nobody else holds it, else a copy is (pointers only:
 * files are counted references).
 */
#ifndef NX_LAKE_LAKE_INT_H
#define NX_LAKE_LAKE_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "data/json.h"
#include "lake/lake.h"
#include "lake/parquet.h"

/* ------------------------------------------------------------------ names and paths (path.c) */

/* "name@v12" or "name@<RFC 3339>"; version -1: the newest. */
typedef struct nx__ref {
    nx_str name;
    bool has_version, has_time;
    int64_t version, time_ms;
} nx__ref;
void nx__ref_parse(nx_str text, nx__ref *ret);

NX_MUST_USE nx_status nx__path_decode(nx_str raw, nx_buf *b);  /* percent-decoding, once */
NX_MUST_USE nx_status nx__path_encode(nx_str path, nx_buf *b); /* for add.path */
NX_MUST_USE nx_status nx__hive_escape(nx_str part, nx_buf *b); /* one name or value of a partition folder */
/* Decoded path of a log entry without "file:" and without the table's own root; NX_CORRUPT when it climbs out or
 * holds a NUL. */
NX_MUST_USE nx_status nx__path_normal(nx_str raw, nx_str root, nx_buf *b, nx_err *err);

/* ------------------------------------------------------------------ what a log holds (file.c, meta.c) */

typedef struct nx__pair {
    nx_str key, value; /* value.p == NULL: null */
} nx__pair;

typedef struct nx__dv {
    char storage; /* 'u', 'p', 'i'; 0: none */
    nx_str path;
    int64_t offset, bytes, cardinality;
} nx__dv;

/* One live file: a single allocation. */
typedef struct nx__file {
    atomic_int refs;
    nx_str key;  /* decoded path, and for a deletion vector a newline and its id */
    nx_str path; /* decoded: relative to the table, or absolute when it starts with '/' */
    nx_str json; /* the add action's object, complete */
    const nx__pair *pv;
    size_t n_pv;
    nx__dv dv;
    int64_t bytes, modified_ms;
    int64_t rows;          /* live rows; -1 unknown */
    int64_t physical_rows; /* numRecords; -1 unknown */
} nx__file;

NX_MUST_USE nx_status nx__file_new(const nx_val *add, nx_str root, nx__file **ret, nx_err *err);
nx__file *nx__file_ref(nx__file *f);
void nx__file_unref(nx__file *f);
/* The key under which an add or remove object is known. */
NX_MUST_USE nx_status nx__file_key(const nx_val *action, nx_str root, nx_buf *b, nx_err *err);
const nx__pair *nx__file_value(const nx__file *f, nx_str column); /* NULL: the log has no such key */

typedef struct nx__tomb {
    int64_t deleted_ms;
    char json[]; /* the remove action's object */
} nx__tomb;

typedef enum nx__mapping { NX__MAP_NONE, NX__MAP_NAME, NX__MAP_ID } nx__mapping;

typedef struct nx__meta {
    atomic_int refs;
    nx_arena arena;
    nx_str json; /* the metaData object */
    nx_str schema_string;
    const nx_val *fields; /* array of schema fields; may be empty */
    const nx_val *config; /* object or NULL */
    const char *id;
    nx_str *part; /* partition columns */
    size_t n_part;
    nx__mapping mapping;
    bool uniform; /* every live file was written with this very schema */
} nx__meta;

NX_MUST_USE nx_status nx__meta_new(const nx_val *action, nx__meta **ret, nx_err *err);
nx__meta *nx__meta_ref(nx__meta *m);
void nx__meta_unref(nx__meta *m);
nx_str nx__meta_config(const nx__meta *m, const char *key); /* p NULL when unset */
/* How long removed files are kept: delta.deletedFileRetentionDuration, a week where unset, -1 when it is not
 * understood. */
int64_t nx__meta_retention_ms(const nx__meta *m);
bool nx__meta_is_part(const nx__meta *m, nx_str column);
/* The name under which values and Parquet columns of a field are known. */
nx_str nx__field_physical(const nx__meta *m, const nx_val *field);
#define NX__UNIFORM_KEY "nexus.fileSchema" /* "uniform": see nx__meta.uniform */

typedef struct nx__proto {
    bool known;
    int64_t reader, writer;
    nx_str reader_features, writer_features; /* comma separated, malloc'ed text; p NULL when absent */
} nx__proto;
NX_MUST_USE nx_status nx__proto_set(nx__proto *p, const nx_val *action, nx_err *err);
NX_MUST_USE nx_status nx__proto_copy(nx__proto *to, const nx__proto *from);
void nx__proto_drop(nx__proto *p);
/* NX_UNSUPPORTED names the version or feature. */
NX_MUST_USE nx_status nx__proto_check_read(const nx__proto *p, const char *table, nx_err *err);
NX_MUST_USE nx_status nx__proto_check_write(const nx__proto *p, const nx__meta *m, const char *table, nx_err *err);

typedef struct nx__snap {
    atomic_int refs;
    int64_t version, committed_ms;
    nx_map files;   /* key -> nx__file */
    nx_map tombs;   /* key -> nx__tomb */
    nx_map txns;    /* appId -> int64_t* {version, lastUpdated or -1} */
    nx_map domains; /* domain -> char* JSON */
    nx__meta *meta;
    nx__proto proto;
} nx__snap;

NX_MUST_USE nx_status nx__snap_new(nx__snap **ret);
NX_MUST_USE nx_status nx__snap_clone(const nx__snap *s, nx__snap **ret);
void nx__snap_unref(nx__snap *s);
void nx__snap_drop(nx__snap **s); /* for NX_AUTO */
#define NX__SNAP_AUTO NX_AUTO(nx__snap_drop)
/* Applies one line: an object with one action (rows of checkpoints give all the others as null). */
NX_MUST_USE nx_status nx__snap_apply(nx__snap *s, const nx_val *line, nx_str root, nx_err *err);
/* Forgets tombstones older than the table's retention: a process that lives long must not remember every file it ever
 * compacted. */
void nx__snap_prune(nx__snap *s);
nx__file *nx__snap_file(const nx__snap *s, size_t *i); /* iteration as nx_map_next */

/* ------------------------------------------------------------------ the log (log.c, load.c, checkpoint_read.c) */

struct nx_table {
    nx_lake *lake;
    char *name;      /* for people: "bronze.trades", "delta:/data/t" */
    char *folder;    /* below the store's root; "" for a foreign table */
    nx_store *store; /* borrowed from the lake, or own */
    bool own_store;
    char *root;         /* local folder of the table, for absolute paths in the log */
    pthread_mutex_t mu; /* guards snap */
    nx__snap *snap;
};

struct nx_lake {
    char *root, *engine_info;
    nx_engine *engine;
    nx_store *store;
    pthread_mutex_t mu; /* guards tables */
    nx_map tables;      /* name -> nx_table */
};

/* Name of an object of the table in its store. */
NX_MUST_USE nx_status nx__table_object(const nx_table *t, nx_str path, nx_buf *b);
NX_MUST_USE nx_status nx__commit_name(const nx_table *t, int64_t version, nx_buf *b);
/* Appends the commit file; NX_NOT_FOUND when there is none. */
NX_MUST_USE nx_status nx__commit_read(const nx_table *t, int64_t version, nx_buf *b, nx_err *err);

/* Calls fn for each line of newline-delimited JSON, parsed into a scratch arena. */
typedef nx_status (*nx__line_fn)(void *ctx, const nx_val *line, nx_err *err);
NX_MUST_USE nx_status nx__ndjson_each(nx_str text, nx__line_fn fn, void *ctx, nx_err *err);

typedef enum nx__cp_kind { NX__CP_CLASSIC, NX__CP_PARTS, NX__CP_V2 } nx__cp_kind;
typedef struct nx__cp {
    int64_t version;
    nx__cp_kind kind;
    int64_t part, parts;
    char name[128];
} nx__cp;
typedef struct nx__commit_entry {
    int64_t version, modified_ms;
} nx__commit_entry;
typedef struct nx__log_list {
    nx__commit_entry *commits; /* ascending versions */
    size_t n_commits, cap_commits;
    nx__cp *cps; /* ascending versions */
    size_t n_cps, cap_cps;
} nx__log_list;
NX_MUST_USE nx_status nx__log_scan(const nx_table *t, nx__log_list *ret, nx_err *err);
void nx__log_list_drop(nx__log_list *l);

/* Applies the checkpoint whose files are cps[0..n). */
NX_MUST_USE nx_status nx__checkpoint_apply(const nx_table *t, const nx__cp *cps, size_t n, nx__snap *s, nx_err *err);

/* The newest version (cached), or the one asked for. The caller unrefs. NX_NOT_FOUND when there is no table or no
 * such version. */
NX_MUST_USE nx_status nx__table_snap(nx_table *t, nx__snap **ret, nx_err *err);
NX_MUST_USE nx_status nx__table_snap_at(nx_table *t, const nx__ref *ref, nx__snap **ret, nx_err *err);
void nx__table_forget(nx_table *t); /* drops the cached snapshot */

/* ------------------------------------------------------------------ commits (commit.c, conflict.c, stats.c,
 * checkpoint_write.c) */

/* A data file written and published, not yet in the log. Everything lives in the change's arena. */
typedef struct nx__add {
    nx_str path; /* decoded, relative to the table */
    const nx__pair *pv;
    size_t n_pv;
    int64_t bytes, rows;
    nx_str stats; /* JSON */
} nx__add;

/* What one commit wants. */
typedef struct nx__change {
    nx_arena arena;
    const char *operation;
    nx_str params;      /* operationParameters as a JSON object; p NULL: {} */
    const char *app_id; /* NULL: no txn */
    int64_t txn_version;
    bool reads;         /* depends on the rows of the read version (anything but a blind append) */
    bool rearranges;    /* moves rows between files only: dataChange false */
    nx_str meta, proto; /* JSON objects; p NULL: none */
    nx__add *adds;      /* malloc'ed */
    size_t n_adds, cap_adds;
    nx__file **removes; /* malloc'ed, counted references */
    size_t n_removes, cap_removes;
    int64_t rows_added, rows_removed; /* as people count: copies do not */
    bool unsure;                      /* a put failed and nobody knows whether it is there: the files must stay */
} nx__change;

void nx__change_init(nx__change *c, const char *operation);
void nx__change_drop(nx__change *c);
NX_MUST_USE nx_status nx__change_remove(nx__change *c, nx__file *f, nx_err *err);
/* Deletes the files of c->adds: they were never committed. */
void nx__change_discard(const nx_table *t, nx__change *c);
/* The same for files from index `first` on, which no commit has spoken of yet. */
void nx__change_discard_from(const nx_table *t, nx__change *c, size_t first);
/* Commits against the snapshot that was read (NULL: creates version 0). NX_CONFLICT (retriable): read again and try
 * again. A txn that is there already gives committed = false. On any failure and on committed = false the files of
 * the change stay: see nx__change_discard. */
NX_MUST_USE nx_status nx__commit(nx_table *t, const nx__snap *base, nx__change *c, nx_commit_result *ret, nx_err *err);
int64_t nx__now_ms(void);

/* How a commit by somebody else looks to ours. */
typedef enum nx__verdict { NX__PASS, NX__OURS, NX__TXN_DONE, NX__CLASH } nx__verdict;
/* cause: static text for NX__CLASH. */
NX_MUST_USE nx_status nx__conflict(const nx_table *t, const nx__change *c, const char *txn_id, int64_t version,
                                   nx__verdict *ret, const char **ret_cause, nx_err *err);

/* stats JSON of one file (facts: delta.md section 6). stats_columns: comma separated, p NULL: the first 32 leaves.
 * Partition columns are left out. */
NX_MUST_USE nx_status nx__stats_json(const nx_schema *schema, const nx__meta *m, const nx_file_stats *st, nx_arena *a,
                                     nx_str *ret, nx_err *err);
NX_MUST_USE nx_status nx__checkpoint_write(nx_table *t, const nx__snap *s, nx_err *err);

/* ------------------------------------------------------------------ metadata of our own (table.c) */

NX_MUST_USE nx_status nx__meta_create(const nx_table_spec *spec, const nx_schema *schema, nx_buf *b);
/* The same metadata (id, properties, description) with another schema, and other partition columns when partition is
 * not NULL; mixed: files of an older schema stay live. */
NX_MUST_USE nx_status nx__meta_evolve(const nx__meta *m, nx_str schema_string, const char *const *partition, bool mixed,
                                      nx_buf *b);
NX_MUST_USE nx_status nx__schema_of(const nx_table *t, const nx__meta *m, nx_arena *a, nx_schema **ret, nx_err *err);
/* `have` and, behind it, the columns of `want` that it lacks, nullable; NX_NOTHING when it lacks none; NX_CONFLICT names a
 * column of another type. */
NX_MUST_USE nx_status nx__schema_merge(const nx_table *t, const nx_schema *have, const nx_schema *want, nx_arena *a,
                                       nx_schema *ret, nx_err *err);

/* ------------------------------------------------------------------ data files (data_file.c) and writing from SQL
 * (job.c, merge.c) */

/* "event_date=2024-01-02/part-<uuid>.parquet", in the arena. */
NX_MUST_USE nx_status nx__data_name(nx_arena *a, const nx__pair *pv, size_t n_pv, nx_str *ret, nx_err *err);
/* After the staged file was written: publishes it and adds it to the change (an empty file is dropped). */
NX_MUST_USE nx_status nx__data_publish(nx_table *t, nx__change *c, const nx_schema *schema, const nx__meta *m,
                                       nx__add add, const nx_file_stats *st, nx_err *err);
/* Where the object is to be written; `path` is empty before. */
NX_MUST_USE nx_status nx__data_stage(nx_table *t, nx_str rel, nx_buf *path, nx_err *err);

/* Rows of a batch that have one partition value (split.c). */
typedef struct nx__bucket {
    nx__pair *pv;
    uint32_t *rows; /* NULL: all */
    size_t n, cap;
} nx__bucket;
/* cols: the batch's partition columns, as many as the table has. */
typedef nx_status (*nx__bucket_fn)(void *ctx, const nx__bucket *part, const size_t *cols, size_t n_cols, nx_err *err);
/* Calls fn for each partition value of the batch; values live in the arena. NX_CHECK_FAILED: a value that Delta cannot
 * store. */
NX_MUST_USE nx_status nx__split(const nx_table *t, const nx__meta *m, const nx_batch *b, nx_arena *a, nx__bucket_fn fn,
                                void *ctx, nx_err *err);

/* A file under way, and those of a writer (outfile.c). */
typedef struct nx__out {
    nx_pq_file *f;
    nx__add add;
    nx_file_stats st; /* once it has ended */
    bool fresh;       /* made since the last keep */
    bool ended;       /* complete, but not published yet */
} nx__out;
typedef struct nx__outs {
    nx_table *t;
    nx__change *c; /* takes what is published; its arena the rest */
    nx_pq_encoder *encoder;
    nx__out *list;
    size_t n, cap;
} nx__outs;
/* Writes rows to the open file of their partition value, to a new one, or, when too many are open, to one that is
 * published at once. They count after nx__outs_keep; nx__outs_rewind takes back what open files got since then, the
 * caller what was published. */
NX_MUST_USE nx_status nx__outs_add(nx__outs *o, const nx_batch *b, const nx__bucket *part, const size_t *skip,
                                   size_t n_skip, const nx__meta *m, nx_err *err);
void nx__outs_keep(nx__outs *o);
void nx__outs_rewind(nx__outs *o);
/* Ends and publishes all open files. After a failure it may be called again for the rest. */
NX_MUST_USE nx_status nx__outs_publish(nx__outs *o, const nx__meta *m, nx_err *err);
void nx__outs_drop(nx__outs *o); /* deletes what was not published; usable again */

/* One attempt at a change made from SQL. */
typedef struct nx__job {
    nx_table *t;
    nx_session *s;
    nx__snap *base;
    const nx__meta *meta; /* what the new files follow: base's, or own_meta */
    nx__meta *own_meta;   /* of a change that gives the table another shape */
    nx_schema *schema;    /* of the new files, partition columns included; in the change's arena */
    nx__change c;
} nx__job;
NX_MUST_USE nx_status nx__job_begin(nx__job *j, nx_table *t, nx_session *s, const char *operation, nx_err *err);
/* The change gives the table another schema (copied), and other partition columns when partition is not NULL. */
NX_MUST_USE nx_status nx__job_reshape(nx__job *j, const nx_schema *schema, const char *const *partition, bool mixed,
                                      nx_err *err);
void nx__job_end(nx__job *j, bool committed); /* uncommitted files are deleted */
/* Writes the rows of a query that gives every column of j->schema: one file a partition value. */
NX_MUST_USE nx_status nx__job_write(nx__job *j, nx_str sql, int64_t *ret_rows, nx_err *err);
/* The same for rows that are all of one partition value. */
NX_MUST_USE nx_status nx__job_write_part(nx__job *j, nx_str sql, const nx__pair *pv, size_t n_pv, int64_t *rows,
                                         nx_err *err);
/* SELECT that gives every column of the schema from a query by name, cast without loss; what the query lacks is NULL.
 * */
NX_MUST_USE nx_status nx__job_select(nx__job *j, nx_str sql, nx_buf *ret, nx_err *err);
/* "t.\"a\", t.\"b\"": all columns. */
NX_MUST_USE nx_status nx__job_columns(const nx__job *j, const char *alias, nx_buf *b);
NX_MUST_USE nx_status nx__job_count(nx__job *j, nx_str sql, int64_t *ret, nx_err *err);

#define NX__SOURCE_TABLE "__nexus_source"
/* Fill the job's change. The source rows are in NX__SOURCE_TABLE. */
NX_MUST_USE nx_status nx__merge_delete_insert(nx__job *j, const char *const *key, nx_err *err);
NX_MUST_USE nx_status nx__merge_upsert(nx__job *j, const char *const *key, const char *const *update, nx_err *err);
NX_MUST_USE nx_status nx__merge_delete(nx__job *j, nx_str predicate, nx_err *err);

/* ------------------------------------------------------------------ SQL text of a scan (dtype.c, scan.c, dv.c) */

/* 'path' with the engine's wildcards made harmless. */
NX_MUST_USE nx_status nx__glob_literal(nx_buf *b, nx_str path);
/* DuckDB's spelling of a Delta type (a JSON string or object); struct members by their physical names when
 * `physical`. */
NX_MUST_USE nx_status nx__dtype_sql(const nx__meta *m, const nx_val *type, bool physical, nx_buf *b, nx_err *err);
/* An expression that gives the value of `expr` (named physically inside) the logical names and type. */
NX_MUST_USE nx_status nx__dtype_cast(const nx__meta *m, const nx_val *type, nx_str expr, nx_buf *b, nx_err *err);
/* Row numbers deleted from a file, "1,5,7"; NX_CORRUPT when magic, size, checksum or count do not fit. */
NX_MUST_USE nx_status nx__dv_rows(const nx_table *t, const nx__dv *dv, nx_buf *list, nx_err *err);

#define NX__FILE_COLUMN "__nexus_file"
typedef struct nx__scan {
    const nx_table *t;
    const nx__meta *meta;
    nx__file *const *files;
    size_t n_files;
    bool with_file; /* adds column NX__FILE_COLUMN: the local path a row came from */
} nx__scan;
NX_MUST_USE nx_status nx__scan_sql(const nx__scan *sc, nx_buf *sql, nx_err *err);
/* All live files of a snapshot, malloc'ed, borrowed entries. */
NX_MUST_USE nx_status nx__snap_files(const nx__snap *s, nx__file ***ret, size_t *ret_n);
/* The local path of a file; NX_UNSUPPORTED when it lies outside of the table's folder. */
NX_MUST_USE nx_status nx__file_local(const nx_table *t, const nx__file *f, nx_buf *path, nx_err *err);

/* ------------------------------------------------------------------ lake.c */

NX_MUST_USE nx_status nx__lake_table(nx_lake *l, nx_str name, const char *folder, nx_table **ret, nx_err *err);
NX_MUST_USE nx_status nx__lake_foreign(nx_lake *l, nx_str folder, nx_table **ret, nx_err *err);

#endif
