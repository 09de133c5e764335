/* data/type.h
 *
 * Types and schemas of everything that flows: a contract yields one, a batch is filled by one, a Delta table,
 * a Parquet file and a Postgres table are made from one.
 * Memory   A schema and all it points to live in one arena; it never changes after it was built, so any number of
 *          threads may read it.
 */
#ifndef NX_DATA_TYPE_H
#define NX_DATA_TYPE_H

#include "base/arena.h"
#include "base/str.h"

typedef enum nx_kind {
    NX_BOOL,      /* uint8_t 0 or 1 */
    NX_INT32,     /* int32_t */
    NX_INT64,     /* int64_t */
    NX_DOUBLE,    /* double */
    NX_DECIMAL,   /* unscaled: int64_t when precision <= 18, else __int128 */
    NX_STRING,    /* UTF-8 bytes */
    NX_BINARY,    /* bytes */
    NX_DATE,      /* int32_t days since 1970-01-01 */
    NX_TIMESTAMP, /* int64_t microseconds since 1970 UTC */
    NX_LIST,      /* of fields[0] */
    NX_STRUCT     /* of fields */
} nx_kind;

typedef struct nx_field nx_field;

typedef struct nx_type {
    nx_kind kind;
    int precision, scale;   /* NX_DECIMAL only: 1..38, 0..precision */
    const nx_field *fields; /* NX_LIST: one, the element; NX_STRUCT: n_fields */
    size_t n_fields;
} nx_type;

struct nx_field {
    const char *name;
    nx_type type;
    bool nullable;
    const char *comment; /* may be NULL */
};

typedef struct nx_schema {
    const nx_field *fields;
    size_t n_fields;
} nx_schema;

/* Index of the field of that name (exact), or SIZE_MAX. */
size_t nx_schema_find(const nx_schema *s, nx_str name);
/* Same names in the same order, equal types and nullability. Comments do not count. */
bool nx_schema_equal(const nx_schema *a, const nx_schema *b);
bool nx_type_equal(const nx_type *a, const nx_type *b);
/* A deep copy in the arena; NULL when it is full. */
nx_schema *nx_schema_copy(nx_arena *a, const nx_schema *s);

/* "decimal(18,6)" or "decimal(18, 6)", within 38 digits; false for anything else. */
bool nx_type_parse_decimal(nx_str s, nx_type *ret);
/* Delta's spelling: "long", "decimal(18,6)", "timestamp", or the JSON object of a nested type (PROTOCOL.md, Schema
 * Serialization Format). */
NX_MUST_USE nx_status nx_type_to_delta(const nx_type *t, nx_buf *b);
/* The whole schemaString; all fields with empty metadata except {"comment":...} where one is set. */
NX_MUST_USE nx_status nx_schema_to_delta(const nx_schema *s, nx_buf *b);
/* Parses a schemaString. NX_UNSUPPORTED names a type outside nx_kind ("short", "byte" read as NX_INT32, "float" as
 * NX_DOUBLE only when lenient is set; "int", "decimal" in their old spellings always); NX_CORRUPT when it is no schema.
 * Of a field's metadata only "comment" is kept. */
NX_MUST_USE nx_status nx_schema_from_delta(nx_str json, bool lenient, nx_arena *a, nx_schema **ret, nx_err *err);
/* DuckDB's spelling: "BIGINT", "DECIMAL(18,6)", "TIMESTAMP WITH TIME ZONE", "VARCHAR[]", "STRUCT(...)". */
NX_MUST_USE nx_status nx_type_to_sql(const nx_type *t, nx_buf *b);

#endif
