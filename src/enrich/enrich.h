/* enrich/enrich.h
 *
 * What SQL cannot compute: sentiment and ticker mentions of every observed text. Reads bronze only, writes enrich.scores (a row an
 * observation with a text) and enrich.mentions (a row a mention).
 *
 * Invariants
 *   1  An observation (fullname, observed_at) is scored once by a model and version; a run that was cut short is made good by the next.
 *   2  Mentions of an observation are complete before its score is visible, for the symbols known then; symbols that become known later
 *      are looked for by the next run (enrich.symbols has those that all scored texts were searched for).
 * Thread   One run at a time a lake (the caller holds the batch lock).
 * Memory   One batch of 65,536 rows a table beside the engine's own.
 */
#ifndef NX_ENRICH_ENRICH_H
#define NX_ENRICH_ENRICH_H

#include "engine/engine.h"
#include "lake/lake.h"

typedef struct nx_enrich_opts {
    nx_engine *engine;
    nx_lake *lake;
    void (*progress)(void *ctx, int64_t done, int64_t total); /* may be NULL */
    void *progress_ctx;
    const volatile bool *stop; /* may be NULL; NX_CANCELLED leaves nothing half */
} nx_enrich_opts;

typedef struct nx_enrich_result {
    int64_t texts;    /* observations scored by this run */
    int64_t mentions; /* rows added */
    int64_t symbols;  /* in the reference table */
    int64_t scores_version, mentions_version;
} nx_enrich_result;

/* Makes the two tables if they are absent. bronze.posts, comments, assets and bars are read where they exist. */
NX_MUST_USE nx_status nx_enrich_run(const nx_enrich_opts *o, nx_enrich_result *ret, nx_err *err);
/* The tables, empty if they were absent, so that models can name them. */
NX_MUST_USE nx_status nx_enrich_ensure(nx_lake *l, nx_table **ret_scores, nx_table **ret_mentions, nx_err *err);

#endif
