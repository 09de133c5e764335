/* ingest/pull.h
 *
 * Pulled sources: history and reference data by REST, page by page into bronze. Pages skip the write-ahead log: what a page
 * brought is one commit, and the cursor of a backfill is the txn of that commit.
 *
 *   page -> verdicts (contract) -> batch -> rows that bronze does not hold yet -> commit
 *
 * Invariants
 *   1  A row equal in all its values to the newest row of the same source and key is not added again: a second run, a resumed run and
 *      overlapping ranges add nothing. A changed row is a new observation, known when it was received. (Values: all columns but the technical ones and
 *      observed_at; key: the contract's without observed_at, for trades with price, size and update_status beside it.)
 *   2  A window of a backfill is marked done (txn) by the commit that completes it, a day after its end at the earliest; the next run of the
 *      same request (address, symbols, timeframe, feed, range) skips it.
 *   3  _ingest_pos rises with every page of a source, across runs.
 *   4  A refused row is in quarantine once, however often its page is read, with what the page said of it (rule "context" among its errors).
 * Limits     Requests go through a token bucket. Failures, 429 and pages that are no whole JSON are tried again with full jitter, or after as long as
 *            was asked (up to 15 minutes), tries_max times. Pages that never end or go in a circle end with an error. Memory: one page (64 MiB)
 *            beside 32 MiB of rows.
 * Thread     One call a thread.
 */
#ifndef NX_INGEST_PULL_H
#define NX_INGEST_PULL_H

#include "contract/contract.h"
#include "engine/engine.h"
#include "lake/lake.h"

typedef struct nx_pull_result {
    int64_t requests, retries; /* requests sent, the repeated ones among them */
    int64_t rows_seen;         /* objects in the pages */
    int64_t rows_added;        /* to bronze */
    int64_t rejected;          /* to quarantine, new ones */
    int64_t windows, windows_skipped;
} nx_pull_result;

typedef struct nx_pull_opts {
    nx_engine *engine; /* borrowed, as the next two */
    nx_lake *lake;
    const nx_contracts *contracts;
    int requests_per_minute;                 /* 0 means 200 */
    int tries_max;                           /* of one request; 0 means 8 */
    int64_t backoff_base_ms, backoff_cap_ms; /* 0 means 300 and 30,000 */
    bool refresh;                            /* fetch windows again that are marked done */
    void (*progress)(void *ctx, const nx_pull_result *so_far, int64_t windows_total); /* may be NULL */
    void *progress_ctx;
    const volatile bool *stop; /* may be NULL */
} nx_pull_opts;

typedef enum nx_alpaca_kind {
    NX_ALPACA_BARS,
    NX_ALPACA_TRADES,
    NX_ALPACA_ASSETS,
    NX_ALPACA_ACTIONS,
    NX_ALPACA_CALENDAR
} nx_alpaca_kind;

typedef struct nx_alpaca_opts {
    const char *data_url, *trading_url;
    const char *name; /* of the vendor in the marks of done windows; NULL: data_url. For one whose address changes. */
    const char *key, *secret; /* NULL: not sent */
    /* NULL-terminated; bars and trades: at least one; actions: none means all; assets, calendar: not looked at */
    const char *const *symbols;
    const char *timeframe;    /* bars: "1Min", "1Hour", "1Day" */
    const char *feed;         /* bars, trades */
    int64_t start_us, end_us; /* [start, end); actions and calendar: the days that it touches; assets: not looked at */
    int64_t delay_us;         /* stated delay of the feed: _known_at = event + delay */
} nx_alpaca_opts;

/* Bars and trades: every page of every window; rows get _source "alpaca.rest", _known_basis declared. Assets, corporate actions, calendar: one observation of the
 * whole list, _known_basis received. Errors: NX_REMOTE (retriable where a later run can help), NX_INVALID (refused credentials or
 * parameters: the vendor's words), NX_CANCELLED. What was committed stays; call again to go on. */
NX_MUST_USE nx_status nx_backfill_alpaca(const nx_pull_opts *p, nx_alpaca_kind kind, const nx_alpaca_opts *o,
                                         nx_pull_result *ret, nx_err *err);

typedef struct nx_reddit_opts {
    const char *token_url, *api_url;
    const char *client_id, *client_secret, *user_agent;
    const char *const *subreddits; /* NULL-terminated */
    int64_t start_us, end_us;      /* of created_at, [start, end); INT64_MIN and INT64_MAX: open */
    bool posts, comments;
} nx_reddit_opts;

/* The newest listings of each subreddit, back to start or to their end (Reddit's end after about 1,000 items; older ones cannot be
 * listed). Rows get _source "reddit.rest"; _known_basis received for what is younger than a day, else declared: a post was public when it was created or last
 * edited. A subreddit that may not be read is left out; the others are read first, then it is told (NX_INVALID). */
NX_MUST_USE nx_status nx_backfill_reddit(const nx_pull_opts *p, const nx_reddit_opts *o, nx_pull_result *ret,
                                         nx_err *err);

/* Asks once, for little, and keeps nothing: are the addresses right and the credentials taken? Alpaca: a bar from data_url, the clock of
 * trading_url. Reddit: a token. Errors as above, after one try. */
NX_MUST_USE nx_status nx_alpaca_ping(const nx_alpaca_opts *o, nx_err *err);
NX_MUST_USE nx_status nx_reddit_ping(const nx_reddit_opts *o, nx_err *err);

#endif
