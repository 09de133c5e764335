/* contract/lint.h
 *
 * All that is wrong with contract files, for a person who repairs them: where nx_contracts_load() stops at a file's first error, this goes on.
 * Thread   One caller at a time on a result.
 */
#ifndef NX_CONTRACT_LINT_H
#define NX_CONTRACT_LINT_H

#include "base/arena.h"
#include "base/str.h"

typedef struct nx_contract_problem {
    const char *file;
    int line, col;     /* from 1; 0: the file as a whole */
    const char *key;   /* "schema.trades.price.logicalType"; "": the file as a whole */
    const char *cause; /* what is wrong */
    const char *hint;  /* the way out; "" when the cause says it */
} nx_contract_problem;

typedef struct nx_lint {
    nx_arena arena;                /* owns the texts */
    nx_contract_problem *problems; /* by file in the order given, then by line */
    size_t n;
    size_t n_files, n_bad; /* files looked at; those with a problem */
} nx_lint;

/* Looks at every file of paths (a folder stands for all *.odcs.yaml below it, in byte order), each by itself and then against the others (two
 * contracts for one table, one type of a feed). What is wrong with a file, a missing or unreadable one included, is a problem, not an
 * error; a file has at most 1,000 of them. A file that is no YAML has one problem: nothing behind it can be read. What only follows from
 * another problem is not told. Errors: NX_NOT_FOUND when a folder holds no contract, NX_NOMEM. ret is to be dropped in any case. */
NX_MUST_USE nx_status nx_contracts_lint(const char *const *paths, size_t n, nx_lint *ret, nx_err *err);
void nx_lint_drop(nx_lint *l);

#endif
