/* contract/pattern_tree_int.h - the tree between pattern_parse.c and pattern.c. */
#ifndef NX_CONTRACT_PATTERN_TREE_INT_H
#define NX_CONTRACT_PATTERN_TREE_INT_H

#include "contract/pattern_int.h"

typedef enum nx_node_kind {
    NX_NODE_EMPTY,
    NX_NODE_SET, /* one byte of the set */
    NX_NODE_CAT,
    NX_NODE_ALT,
    NX_NODE_REPEAT, /* l, min to max times; max -1: no end */
    NX_NODE_BEGIN,
    NX_NODE_END
} nx_node_kind;

typedef struct nx_node nx_node;
struct nx_node {
    nx_node_kind kind;
    nx_node *l, *r;
    int min, max;
    uint64_t set[4];
};

NX_MUST_USE nx_status nx__pattern_parse(nx_str text, nx_arena *a, nx_node **ret, nx_err *err);

#endif
