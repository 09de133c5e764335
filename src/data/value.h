/* data/value.h
 *
 * A parsed tree, from JSON or YAML alike, for configuration, REST pages, logs and manifests (the live stream
 * does not build trees: contract/ compiles its own readers). Numbers keep their text: nothing is rounded.
 * Objects keep the order of their keys. Every value knows its line and column (from 1).
 * Memory   Everything lives in the arena given to the parser; unescaped strings are copied there.
 */
#ifndef NX_DATA_VALUE_H
#define NX_DATA_VALUE_H

#include "base/arena.h"
#include "base/str.h"

typedef enum nx_val_kind { NX_VAL_NULL, NX_VAL_BOOL, NX_VAL_NUM, NX_VAL_STR, NX_VAL_ARR, NX_VAL_OBJ } nx_val_kind;

typedef struct nx_val nx_val;
struct nx_val {
    nx_val_kind kind;
    bool b;
    bool quoted;   /* YAML: the scalar was quoted */
    nx_str s;      /* NX_VAL_STR: text, 0-terminated; NX_VAL_NUM: as written, 0-terminated; others: empty */
    size_t n;      /* NX_VAL_ARR, NX_VAL_OBJ */
    nx_val *items; /* n values */
    nx_str *keys;  /* NX_VAL_OBJ: n keys, 0-terminated */
    int line, col;
};

/* Member by name, or NULL (also when v is NULL or no object). The last one wins where a key is doubled. */
const nx_val *nx_val_get(const nx_val *v, const char *key);
/* Member by dotted path, "a.b.c". */
const nx_val *nx_val_path(const nx_val *v, const char *path);
/* Typed looks with a default when v is NULL, null or of another kind. */
nx_str nx_val_str(const nx_val *v, nx_str dflt);
bool nx_val_bool(const nx_val *v, bool dflt);
int64_t nx_val_i64(const nx_val *v, int64_t dflt);
double nx_val_f64(const nx_val *v, double dflt);
const char *nx_val_kind_name(nx_val_kind k);
/* Writes the tree as JSON (compact), keys in their order. */
NX_MUST_USE nx_status nx_val_to_json(const nx_val *v, nx_buf *b);

#endif
