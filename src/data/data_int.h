/* data/data_int.h - shared between the files of data. */
#ifndef NX_DATA_DATA_INT_H
#define NX_DATA_DATA_INT_H

#include "data/value.h"

/* Length of the longest JSON number at the start of s, 0 when there is none. Reading stops at the first byte that
 * cannot belong to it: "1.5x" gives 3, "1." and "1e" give 0. */
size_t nx__num_scan(nx_str s);

/* How the JSON and YAML readers build trees: the values of open arrays and objects wait on one stack; when one is
 * closed, those above its base move into the arena. */
typedef struct nx__slot {
    nx_val v;
    nx_str key; /* in objects */
    int key_line, key_col;
} nx__slot;

typedef struct nx__tree {
    nx_arena *a;
    nx__slot *stack;
    size_t n, cap;
} nx__tree;

void nx__tree_drop(nx__tree *t);
/* NX_NOMEM, also when the stack alone would pass the arena's maximum. */
NX_MUST_USE nx_status nx__tree_push(nx__tree *t, const nx__slot *s);
/* Moves the slots from `base` on into v (NX_VAL_ARR or NX_VAL_OBJ). NX_NOMEM; NX_INVALID when a key is there twice and
 * dups are not allowed: then *ret_dup is the later slot, still on the stack. */
NX_MUST_USE nx_status nx__tree_close(nx__tree *t, nx_val *v, size_t base, bool allow_dups, const nx__slot **ret_dup);

#endif
