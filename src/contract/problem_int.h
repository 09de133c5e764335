/* contract/problem_int.h - problem.c for lint.c. */
#ifndef NX_CONTRACT_PROBLEM_INT_H
#define NX_CONTRACT_PROBLEM_INT_H

#include "contract/contract_int.h"
#include "contract/lint.h"

struct nx_problems {
    nx_arena *a;
    nx_contract_problem *items; /* malloc'ed */
    size_t n, cap;
    size_t n_file;      /* of the file that is being read */
    const nx_val *root; /* of that file; NULL: it could not be parsed */
    int line, col;      /* of the last failure with a place */
};

/* Writes down what->text at p->line, once. */
NX_MUST_USE nx_status nx__problem_add(nx_problems *p, const char *file, const nx_err *what, nx_err *err);

#endif
