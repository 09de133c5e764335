/* transform/select_int.h - one selector, between its grammar (select.c) and its methods (select_method.c). */
#ifndef NX_TRANSFORM_SELECT_INT_H
#define NX_TRANSFORM_SELECT_INT_H

#include "transform/dbt_int.h"

/* [@][N+][method[.arg]:]value[+N] */
typedef struct dbt_spec {
    bool childrens_parents, parents, children;
    int64_t up, down; /* depth; -1: no limit */
    nx_str method, arg, value, text;
} dbt_spec;

/* NX_INVALID with the selector, why, and examples as the hint. */
nx_status nx__select_bad(nx_str text, const char *why, nx_err *err);
/* set[i] says whether node i is what the selector names, without its neighbours; room for all nodes. Errors: NX_INVALID,
 * NX_UNSUPPORTED for an unknown method, NX_NOMEM. */
NX_MUST_USE nx_status nx__select_matching(dbt_project *p, const dbt_spec *s, bool *set, nx_err *err);

#endif
