/* enrich/vader.h
 *
 * VADER sentiment, equal to the original program to its printed decimals (vaderSentiment commit 44fc044, MIT; Hutto and Gilbert 2014):
 * a word list, boosters, negations, and rules for case and punctuation. Its oddities are kept on purpose.
 *
 * Thread   An nx_vader never changes after nx_vader_new(): any number of threads may score with it.
 * Memory   About 1 MiB; scoring uses the caller's arena, about 60 bytes a byte of text.
 */
#ifndef NX_ENRICH_VADER_H
#define NX_ENRICH_VADER_H

#include "base/arena.h"
#include "base/str.h"

#define NX_VADER_VERSION "44fc044"

typedef struct nx_vader nx_vader;

typedef struct nx_vader_score {
    double neg, neu, pos; /* shares of the text, 3 decimals */
    double compound;      /* -1 .. 1, 4 decimals */
} nx_vader_score;

NX_MUST_USE nx_status nx_vader_new(nx_vader **ret, nx_err *err);
void nx_vader_drop(nx_vader *v);
/* text: UTF-8 (malformed bytes count as letters that no list knows). The arena is scratch: the caller resets it. Fails only with
 * NX_NOMEM. */
NX_MUST_USE nx_status nx_vader_score_text(const nx_vader *v, nx_str text, nx_arena *scratch, nx_vader_score *ret,
                                          nx_err *err);

#endif
