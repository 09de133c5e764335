/* engine/engine_int.h - what the files of engine share: handles, type trees of vectors, error mapping. */
#ifndef NX_ENGINE_ENGINE_INT_H
#define NX_ENGINE_ENGINE_INT_H

#include <duckdb.h>
#include <stdatomic.h>

#include "engine/engine.h"

struct nx_engine {
    duckdb_database db;
    duckdb_connection admin; /* registers functions; runs nothing afterwards */
    nx_resolve_fn resolve;
    void *resolve_ctx;
    _Atomic uint64_t n_sessions; /* ever opened: names the next catalog */
};

typedef struct nx__source nx__source;

struct nx_session {
    nx_engine *e;
    duckdb_connection con;
    char catalog[24];   /* "s42" */
    bool busy;          /* a fetch is streaming: the connection cannot take another statement */
    nx__source *source; /* rows of nx__batch() while a statement over a batch runs */
    nx_err resolve_err; /* why the resolver refused a name during the running statement */
};

/* ------------------------------------------------------------------ statements */

/* Runs 0-terminated SQL. On success the caller destroys *ret; on failure there is nothing to destroy. */
NX_MUST_USE nx_status nx__run(nx_session *s, const char *sql, duckdb_result *ret, nx_err *err);
/* Prepares one statement; the caller destroys *ret. */
NX_MUST_USE nx_status nx__prepare(nx_session *s, const char *sql, duckdb_prepared_statement *ret, nx_err *err);
/* While it is set, names that the calling thread binds are resolved for this session. Returns the one before. */
nx_session *nx__current_set(nx_session *s);
nx_session *nx__current(void);
/* Fills err from the engine's message and error type (may be NULL / invalid). */
nx_status nx__error(nx_session *s, duckdb_error_type type, const char *message, nx_err *err);
/* Preparing yields no error type: the class by the first words of the message, DUCKDB_ERROR_BINDER for all else. */
duckdb_error_type nx__class_of(const char *message);
/* The text of one query without the blanks and semicolons behind it, so that it can stand in parentheses. */
nx_str nx__bare_query(nx_str sql);

/* ------------------------------------------------------------------ types of vectors */

typedef struct nx__vtype nx__vtype;
struct nx__vtype {
    duckdb_type id;
    duckdb_type store; /* DECIMAL and ENUM: the integer type in the vector */
    int width, scale;  /* DECIMAL */
    const char *name;  /* of a struct's member */
    nx__vtype *kids;   /* LIST, ARRAY: 1; MAP: key, value; STRUCT: members */
    size_t n_kids;
    size_t array_size;  /* ARRAY */
    const char **enums; /* ENUM: its texts */
    size_t n_enums;
};

NX_MUST_USE nx_status nx__vtype_make(duckdb_logical_type t, nx_arena *a, nx__vtype *ret, nx_err *err);
/* Vector and index of one value of a result, and its type. */
const nx__vtype *nx__result_cell(const nx_result *r, size_t row, size_t col, duckdb_vector *ret_vec, size_t *ret_at);
/* Decimals as unscaled integers, any integer width, BOOLEAN. False: of another kind or out of __int128's range. */
bool nx__cell_int(const nx__vtype *v, const void *data, size_t at, __int128 *ret);
/* DuckDB's spelling. */
NX_MUST_USE nx_status nx__vtype_text(const nx__vtype *v, nx_buf *b);
/* Our type for it; NX_UNSUPPORTED names the column. */
NX_MUST_USE nx_status nx__vtype_to_nx(const nx__vtype *v, const char *column, nx_arena *a, nx_type *ret, nx_err *err);

static inline bool nx__valid(const uint64_t *validity, size_t i)
{
    return validity == NULL || (validity[i >> 6] >> (i & 63) & 1) != 0;
}

/* ------------------------------------------------------------------ queries as schemas */

/* SELECT list over `sql` that casts every field of the schema from the query's column of that name. A value that
 * would lose digits and a null in a field that is not nullable fail the statement. */
NX_MUST_USE nx_status nx__cast_select(nx_session *s, nx_str sql, const nx_schema *schema, nx_buf *ret, nx_err *err);
/* Marks the texts of those failures. */
#define NX__ROW_CHECK "row check: "

/* ------------------------------------------------------------------ batches as tables */

struct nx__source {
    const nx_batch *b;
    const uint32_t *rows; /* NULL: all, in order */
    size_t n_rows;
    const size_t *fields; /* the fields to show, n_fields of them */
    size_t n_fields;
    unsigned turns; /* atomic; see nx__source_turn() */
};

/* Orders what the session's thread and the engine's threads do to the batch: called before and after each one's part. The
 * engine hands its tasks over by means of its own, which no tool of ours can see. */
static inline void nx__source_turn(nx__source *src)
{
    __atomic_fetch_add(&src->turns, 1, __ATOMIC_ACQ_REL);
}

/* Registers the table function nx__batch(): the rows of the current session's source. */
NX_MUST_USE nx_status nx__source_register(duckdb_connection con, nx_err *err);
#define NX__SOURCE_FUNCTION "nx__batch"

/* Runs COPY (select) TO path and reads the statistics; syncs the file, removes it on failure. */
NX_MUST_USE nx_status nx__copy_parquet(nx_session *s, nx_str select, const char *path, const nx_parquet_opts *opts,
                                       bool keep_order, nx_arena *a, nx_file_stats *ret, nx_err *err);

#endif
