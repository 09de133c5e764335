/* contract/try.h
 *
 * A contract put to the test: messages through its decoder without a table, and the examples that its file tells.
 * Thread   A trier has one owner.
 */
#ifndef NX_CONTRACT_TRY_H
#define NX_CONTRACT_TRY_H

#include "base/arena.h"
#include "contract/contract.h"

typedef struct nx_trier nx_trier;

typedef enum nx_try_verdict {
    NX_TRY_ACCEPTED,
    NX_TRY_REFUSED,
    NX_TRY_OTHER /* a type that another contract of the set reads */
} nx_try_verdict;

typedef struct nx_try {
    nx_try_verdict verdict;
    const nx_row_error *errors; /* all of a refused message; live until the next call, and as long as the message */
    size_t n_errors;
} nx_try;

/* The set outlives the trier. NX_UNSUPPORTED: the table has no wire form. */
NX_MUST_USE nx_status nx_trier_new(const nx_contracts *s, const nx_contract *c, nx_trier **ret, nx_err *err);
void nx_trier_drop(nx_trier *t); /* NULL is fine */
/* One object. Where it names a type of a feed by the feed's discriminator, it is read as a frame of that feed (context is not looked at), else
 * as a single object with the context. What is wrong with the message is a verdict, not an error. NX_INVALID: a context field is no column. */
NX_MUST_USE nx_status nx_trier_message(nx_trier *t, nx_str message, const nx_context *context, size_t n_context,
                                       nx_try *ret, nx_err *err);

typedef struct nx_expected_error {
    const char *field, *rule;
} nx_expected_error;

/* From customProperties, examples of the object: a whole message. From examples of a property: one value. */
typedef struct nx_example {
    const char *name;
    int line;
    nx_str message;
    const nx_context *context;
    size_t n_context;
    const char *column;                /* of a single value: only errors of this column count; NULL: a whole message */
    bool refused;                      /* it should be */
    const nx_expected_error *expected; /* exactly these errors; none with refused: any */
    size_t n_expected;
} nx_example;

/* The examples of a contract's file in its order, whole messages first; in the arena. Examples of columns that no message carries
 * (derived ones) are left out. NX_INVALID with the place: an example is not written as README.md says. */
NX_MUST_USE nx_status nx_contract_examples(const nx_contract *c, nx_arena *a, const nx_example **ret, size_t *ret_n,
                                           nx_err *err);
/* Whether a verdict is what the example expects. */
bool nx_example_met(const nx_example *e, const nx_try *t);

#endif
