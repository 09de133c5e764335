/* ingest/alpaca_ws.h
 *
 * Client of Alpaca's market data stream, in msgpack and compressed where the other side can (JSON and plain where not): connects, signs
 * in, subscribes, hands every data frame to the edge's feed, syncs when a burst is over and four times a second within one. Reconnects with full jitter after a cut, a broken protocol, silence (no byte, not even an answer to our
 * ping) and the vendor's passing errors. A refusal that no retry can mend (credentials, plan, limits) ends the feed with the vendor's words.
 *
 *   CONNECTING -> SIGNING_IN -> SUBSCRIBING -> STREAMING -> (lost) WAITING -> CONNECTING
 *
 * Thread   One thread of its own; the functions from any thread. Lives within its stream: stop it first.
 */
#ifndef NX_INGEST_ALPACA_WS_H
#define NX_INGEST_ALPACA_WS_H

#include "ingest/stream.h"

typedef struct nx_alpaca_ws nx_alpaca_ws;

#define NX_ALPACA_WS_STATES(X) X(CONNECTING) X(SIGNING_IN) X(SUBSCRIBING) X(STREAMING) X(WAITING) X(ENDED)
typedef enum nx_alpaca_ws_state {
#define X(s) NX_ALPACA_WS_##s,
    NX_ALPACA_WS_STATES(X)
#undef X
} nx_alpaca_ws_state;

typedef struct nx_alpaca_ws_opts {
    nx_stream *stream; /* borrowed */
    const char *url;   /* "wss://stream.data.alpaca.markets" */
    const char *feed;  /* "iex": path /v2/iex; rows get _source "alpaca/iex" */
    const char *key, *secret;
    const char *const *symbols; /* NULL-terminated, as the next */
    /* "trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "imbalances" */
    const char *const *channels;
    int64_t answer_ms; /* time for each answer while signing in; 0 means 10,000 */
    /* after so long without a byte we ping, after twice as long the connection is dead; 0 means 15,000 */
    int64_t quiet_ms;
    int64_t backoff_base_ms, backoff_cap_ms; /* 0 means 500 and 60,000 */
    bool once;                               /* a proper close by the other side ends the feed instead of a reconnect */
} nx_alpaca_ws_opts;

/* Checks the options (NX_INVALID: an unknown channel, no symbols, no credentials) and starts the thread. */
NX_MUST_USE nx_status nx_alpaca_ws_start(const nx_alpaca_ws_opts *o, nx_alpaca_ws **ret, nx_err *err);
void nx_alpaca_ws_stop(nx_alpaca_ws *w); /* waits for the thread; what was received is synced; NULL is fine */

typedef struct nx_alpaca_ws_stats {
    nx_alpaca_ws_state state;
    uint64_t frames, accepted, rejected, connects;
    bool msgpack, deflate; /* how the other side speaks: its last message, its last upgrade */
} nx_alpaca_ws_stats;
void nx_alpaca_ws_stats_get(nx_alpaca_ws *w, nx_alpaca_ws_stats *ret);
/* After NX_ALPACA_WS_ENDED: NX_OK for a proper end, else why. */
nx_status nx_alpaca_ws_result(nx_alpaca_ws *w, nx_err *err);

#endif
