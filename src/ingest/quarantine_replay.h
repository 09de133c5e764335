/* ingest/quarantine_replay.h
 *
 * `nexus quarantine replay`: refused rows go through their contracts again, after the contract was mended.
 *
 *   open record -> verdict by the contract of now -> rows that bronze does not hold -> commit -> state replayed
 *
 * Invariants
 *   1  A row gets the source, the time of receipt, the position and the index that it was refused with. Bronze takes it only where it has
 *      no row of that source, position and index, so a run that was killed between the two commits adds nothing when it is run again.
 *      A row of a pulled source is also left out when a later pull brought the same values.
 *   2  A reader of bronze could not know the row before: _known_at is the time of the replay, _known_basis received.
 *   3  A record is replayed whole or stays open: a frame that was refused as a whole needs all its rows accepted.
 * Memory   16 MiB of rows and one batch of records at a time.
 * Thread   One call at a time on a lake; the caller keeps others out (batch lock). A listener may run beside it.
 */
#ifndef NX_INGEST_QUARANTINE_REPLAY_H
#define NX_INGEST_QUARANTINE_REPLAY_H

#include "contract/contract.h"
#include "engine/engine.h"
#include "lake/lake.h"

typedef struct nx_requeue_opts {
    nx_engine *engine; /* borrowed, as the next two; all tables of the contracts exist */
    nx_lake *lake;
    const nx_contracts *contracts;
    const char *contract;  /* "trades" or "trades@1.0.0": only records that it refused; NULL: all */
    const char *record_id; /* only this one; NULL: all */
    bool dry_run;          /* verdicts only: nothing is written */
    /* A record that is refused again: its id, its contract as recorded ("" when unknown) and the first of its errors. May be NULL. */
    void (*refused)(void *ctx, nx_str record_id, nx_str contract, const nx_row_error *e);
    void (*progress)(void *ctx, int64_t records); /* after each batch; may be NULL */
    void *ctx;
    const volatile bool *stop; /* may be NULL */
} nx_requeue_opts;

typedef struct nx_requeue_result {
    int64_t records;    /* open ones that were tried */
    int64_t replayed;   /* that passed; with dry_run: that would */
    int64_t refused;    /* that stay open */
    int64_t rows_added; /* to bronze */
} nx_requeue_result;

/* NX_NOT_FOUND: record_id is not in quarantine, or not open. NX_CANCELLED: stopped; what was committed stays. */
NX_MUST_USE nx_status nx_quarantine_replay(const nx_requeue_opts *o, nx_requeue_result *ret, nx_err *err);

#endif
