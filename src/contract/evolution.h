/* contract/evolution.h
 *
 * What changed between two versions of a contract, whom it breaks, and whether a new version may come out. Registries' words are used:
 *   backward   NEW reads what was made for OLD: producers that still send OLD's messages are not refused, rows of OLD fit
 *   forward    OLD reads what is made for NEW: queries and programs written for OLD's table go on
 * A removed column breaks forward even when it was optional: readers of a table name their columns (unlike a registry's schemas, whose readers
 * fill in a default). What loosens a rule does not break, but is a risk for readers that count on the old one.
 * Thread   One caller at a time on a result; contracts are only read.
 */
#ifndef NX_CONTRACT_EVOLUTION_H
#define NX_CONTRACT_EVOLUTION_H

#include "contract/contract.h"

/* Directions are bits. */
enum { NX_COMPAT_BACKWARD = 1, NX_COMPAT_FORWARD = 2, NX_COMPAT_FULL = 3 };

typedef enum nx_bump { NX_BUMP_NONE, NX_BUMP_PATCH, NX_BUMP_MINOR, NX_BUMP_MAJOR } nx_bump;

typedef struct nx_contract_change {
    const char *kind;      /* stable: "column_removed"; the list is in README.md */
    const char *at;        /* column, path into a nested one, or key of the contract */
    const char *was, *now; /* as a person would write it; "" where there was or is nothing */
    unsigned breaks;       /* directions that it breaks */
    unsigned risks;        /* directions in which somebody may have to look, although nothing is refused */
    nx_bump bump;          /* part of the version that has to move at least */
    const char *why;       /* static */
} nx_contract_change;

typedef struct nx_contract_diff {
    const nx_contract *old, *now;
    nx_contract_change *changes; /* columns in the order of the files, then the rest */
    size_t n;
    unsigned breaks, risks; /* of all changes */
    nx_bump bump;           /* the largest that a change asks for */
    nx_bump moved;          /* what the versions did */
    bool older;             /* the new version is smaller than the old one */
    bool refused;           /* a direction of the mode is broken and the major version did not grow */
} nx_contract_diff;

typedef struct nx_compat {
    unsigned directions; /* NX_COMPAT_* */
    bool transitive;     /* against every old version, not the one before alone */
    bool strict;         /* risks count as breaks */
} nx_compat;

typedef struct nx_evolution {
    nx_arena arena;          /* owns the texts */
    nx_contract_diff *diffs; /* one an old version, in the order given */
    size_t n;
    bool refused; /* any of them */
} nx_evolution;

/* "backward", "forward", "full", each also with "-transitive". NX_INVALID lists them. */
NX_MUST_USE nx_status nx_compat_parse(const char *text, nx_compat *ret, nx_err *err);
/* Compares now with each old contract. NX_INVALID: versions that are not MAJOR[.MINOR[.PATCH]], or more than one old contract in a mode that
 * is not transitive. The contracts outlive the result, which is to be dropped in any case. */
NX_MUST_USE nx_status nx_contract_evolve(const nx_contract *const *old, size_t n, const nx_contract *now,
                                         nx_compat mode, nx_evolution *ret, nx_err *err);
void nx_evolution_drop(nx_evolution *e);

#endif
