/* ingest/stream.h
 *
 * The edge: frames come in (from producers over the push protocol, INTERFACES section 4, or from a feed of ours), each
 * gets a verdict by its contract, goes into the write-ahead log, is acknowledged when that is on disk, and ends as rows
 * of bronze tables and of quarantine.records.
 *
 *   receive thread   sockets -> decode into column batches -> WAL; sync when nothing more waits or much does; acks
 *   writer thread    full or aged batches -> Parquet; at the flush limits one commit a table with txn(writer id,
 *                    position); WAL release
 *   compactor        every compact_every_ms: bin packing of tables with many small files, with a session of its own
 *
 * Promises (ARCHITECTURE.md) kept here: 1 an acknowledged frame survives; 2 one row a (producer, frame, index); 3 what
 * was refused is in quarantine; 6 bounded memory: n_batches batch sets, 4 MiB of log, two buffers a connection. When
 * tables cannot be committed the batch sets run out and the edge stops reading: senders wait, nothing acknowledged is
 * lost.
 *
 * Thread   nx_stream_* and nx_feed_* may be called from any thread; one feed belongs to one thread.
 */
#ifndef NX_INGEST_STREAM_H
#define NX_INGEST_STREAM_H

#include "contract/contract.h"
#include "engine/engine.h"
#include "lake/lake.h"

typedef struct nx_stream nx_stream;

typedef struct nx_stream_opts {
    const char *listen;    /* "127.0.0.1:8000"; port 0 picks a free one; NULL: no listener, feeds only */
    const char *state_dir; /* the log is <state_dir>/wal, the contracts it names are in <state_dir>/contracts */
    nx_lake *lake;         /* borrowed, as the next two; outlive the stream */
    nx_engine *engine;
    const nx_contracts *contracts; /* with quarantine.records */
    const char *feed;              /* wire dialect of pushed frames; NULL means "alpaca.stocks" */
    /* NULL-terminated; NULL or empty: no tokens, and only a loopback address may be listened on */
    const char *const *tokens;
    int64_t flush_max_rows;     /* commit when so many rows wait; 0 means 1,000,000 */
    int64_t flush_max_delay_ms; /* ... or the oldest has waited so long; 0 means 10,000 */
    int64_t compact_every_ms;   /* 0 means 15 min; below 0: never */
    size_t frame_bytes_max;     /* larger frames close the connection with 1009; 0 means 1 MiB, at most 3 MiB */
    size_t conn_max;            /* 0 means 256 */
    size_t batch_rows;          /* rows of a batch set, over all tables; 0 means 100,000 */
    size_t n_batches;           /* batch sets; 0 means 3 */
} nx_stream_opts;

/* Opens the log, creates missing tables, brings back what was acknowledged but not committed (same rows, same
 * positions, by the contracts they were taken under), then listens. NX_CONFLICT: another process has the state folder, or
 * a table has a column of another type; NX_EXISTS: the port is in use; NX_INVALID: options; NX_CORRUPT: the log, or
 * a contract that it names is missing from the state folder or is not what it was. */
NX_MUST_USE nx_status nx_stream_start(const nx_stream_opts *o, nx_stream **ret, nx_err *err);
/* Acknowledges what is in hand, says goodbye (1001) to the connections, commits everything, ends the threads and frees
 * s (NULL is fine). An error means that a commit failed: what was acknowledged is in the log and will be committed by
 * the next start. */
NX_MUST_USE nx_status nx_stream_stop(nx_stream *s, nx_err *err);
int nx_stream_port(const nx_stream *s); /* 0 without a listener */
/* Waits until everything acknowledged so far is in committed table versions. NX_CANCELLED: the stream is stopping; or
 * its failure. */
NX_MUST_USE nx_status nx_stream_flush(nx_stream *s, nx_err *err);
/* NX_OK while it works; else why it cannot go on (the log was poisoned by a failed fdatasync): stop it and start again.
 */
NX_MUST_USE nx_status nx_stream_check(nx_stream *s, nx_err *err);

typedef struct nx_stream_stats {
    uint64_t frames, accepted, rejected; /* since the start; rows */
    uint64_t recovered_frames;           /* brought back from the log by this start */
    uint64_t committed_rows, commits;    /* by this process; commits of single tables */
    uint64_t durable_pos, committed_pos; /* positions */
    size_t connections;
    bool waiting; /* back-pressure: no batch is free */
} nx_stream_stats;
void nx_stream_stats_get(nx_stream *s, nx_stream_stats *ret);

/* ------------------------------------------------------------------ feeds
 * For clients of ours that receive frames elsewhere (the Alpaca WebSocket): the same path, from their own thread.
 *
 *     nx_feed_open(s, "alpaca/iex", "alpaca.stocks", &f, err)
 *     for each frame: nx_feed_put(f, bytes, received_ns, &verdict, err)
 *     when nothing more waits: nx_feed_sync(f, err)         now they are as safe as acknowledged ones
 *     nx_feed_close(f)
 */
typedef struct nx_feed nx_feed;

/* name: column _source and the producer in the log; with a '/' it can never be a pushing producer's. feed: the wire
 * dialect. The vendor's control messages ("success", "error", "subscription") are shown to fn (may be NULL) and are no
 * rows. */
NX_MUST_USE nx_status nx_feed_open(nx_stream *s, const char *name, const char *feed, nx_control_fn fn, void *ctx,
                                   nx_feed **ret, nx_err *err);
void nx_feed_close(nx_feed *f); /* before nx_stream_stop(); NULL is fine */
/* From any thread, for good: what waits for room, now or later, ends with NX_CANCELLED. */
void nx_feed_cancel(nx_feed *f);
/* One frame. Waits while no batch is free. ret (may be NULL) holds counts; its refused rows are live until the next
 * call on f. A frame of control messages only is not logged. NX_CANCELLED: the stream is stopping. */
NX_MUST_USE nx_status nx_feed_put(nx_feed *f, nx_str frame, int64_t received_ns, nx_verdict *ret, nx_err *err);
/* All frames put so far are on disk when it returns NX_OK. Waits while the disk is full. */
NX_MUST_USE nx_status nx_feed_sync(nx_feed *f, nx_err *err);

#endif
