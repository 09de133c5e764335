/* sim/sim.h
 *
 * A look-alike of the vendors for tests and the demo: Alpaca's market data REST and WebSocket stream and Reddit's
 * listings on one address, with a clock of its own. What it says follows from a seed (same seed, same bytes), or from
 * files.
 *
 *   synthetic   eight symbols, `sessions` past trading days of minute bars and some trades, one live day behind them;
 *               posts and comments that name the symbols; an asset list that changes twice; one split, one dividend.
 *               For half of the symbols talk of a session raises the volatility of the next one, for the others
 *               nothing links the two (nx_sim_symbol_reacts).
 *   files       as soon as one file is given nothing is synthetic but the asset list, the calendar and the clock.
 *
 * Nothing after the simulated clock is served, except from files. The clock stands until the first stream
 * subscription; then it runs `speed` times as fast as ours, or jumps from message to message at full speed, until the
 * live stretch ends. POST /sim/clock {"now":"..."} sets it, GET /sim/clock reads it. It is the oracle of the ingest
 * tests: written with data's writers only, sharing no code with the readers it is to test.
 * Thread   Every function from any thread; a simulator runs its own.
 */
#ifndef NX_SIM_SIM_H
#define NX_SIM_SIM_H

#include "base/clock.h"
#include "base/str.h"

typedef struct nx_sim nx_sim;

/* Speed of the live stream and of tapes: as fast as the subscribers read. */
#define NX_SIM_SPEED_MAX 1e18

typedef struct nx_sim_faults {
    int refuse_every;     /* every Nth REST request: 429, in turns with Retry-After: 1 and without; 0 never */
    int fail_every;       /* every Nth REST request: 500 with an HTML body, then 503 without one; 0 never */
    int cut_stream_after; /* a stream connection is cut without a close frame after N data frames; 0 never */
    int token_uses;       /* a Reddit token is refused (401) after N uses; 0 never */
} nx_sim_faults;

typedef struct nx_sim_opts {
    const char *listen;       /* "127.0.0.1:8010"; port 0 picks a free one */
    uint64_t seed;            /* 0 means 1 */
    int sessions;             /* past sessions; 0 means 30, at most 250 */
    const char *start_date;   /* "2026-09-08": first day on which a session may fall; NULL means that */
    const char *clock;        /* RFC 3339; NULL: the open of the live day, or the real time when files are given */
    double speed;             /* simulated seconds a second; 0 means 1 */
    int live_minutes;         /* the live stretch, at most 390; then the stream ends with close 1001. 0: all 390 */
    int listing_max;          /* Reddit listings end after so many items, as the real ones after 1000; 0 means no end */
    int symbol_limit;         /* of a stream subscription's trades and quotes: error 405; 0 means none */
    bool free_plan;           /* the sip feed is refused: stream error 409, REST 403 for the last 15 minutes */
    const char *key, *secret; /* Alpaca credentials; NULL: any that are not empty */
    const char *client_id, *client_secret; /* Reddit's; NULL: any that are not empty */
    /* Stream messages, an array a line (.ndjson, .zst): played one file after the other to the subscribers. */
    const char *const *tapes;
    size_t n_tapes;
    const char *const *bars; /* REST pages {"bars":{...}}, one a line; their timeframe follows from their distances */
    size_t n_bars;
    const char *const *reddit; /* listing pages, one a line */
    size_t n_reddit;
    nx_sim_faults faults;
} nx_sim_opts;

/* Reads the files, listens, starts its threads. NX_EXISTS: the address is in use; NX_INVALID: an option or a file
 * (named with its line). */
NX_MUST_USE nx_status nx_sim_start(const nx_sim_opts *opts, nx_sim **ret, nx_err *err);
int nx_sim_port(const nx_sim *s);
nx_wall_ns nx_sim_now(nx_sim *s); /* the simulated clock */
void nx_sim_set_now(nx_sim *s, nx_wall_ns now);
/* Open of session i (0 .. sessions; the last one is the live day). */
nx_wall_ns nx_sim_open(const nx_sim *s, int i);
/* Ends streams, waits for its threads; may be NULL. */
void nx_sim_stop(nx_sim *s);

/* The synthetic symbols in byte order; NULL past the end. */
const char *nx_sim_symbol(size_t i);
/* Whether talk about symbol i moves its volatility of the next session. */
bool nx_sim_symbol_reacts(size_t i);

#endif
