/* ingest/stream_int.h - the parts of the edge.
 *
 *   core      decode -> batch set -> WAL; what receive thread and feeds share, under one lock
 *             core.c, batch_set.c, quarantine.c, recover.c, feed.c
 *   history   contracts as they were, and what was taken under them: archive.c, generation.c
 *   commit    writer thread and compactor: commit.c, compact.c
 *   listener  sockets, protocol, acks; receive thread only: listener.c, conn.c, action.c, ack.c
 */
#ifndef NX_INGEST_STREAM_INT_H
#define NX_INGEST_STREAM_INT_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/queue.h"
#include "data/batch.h"
#include "ingest/stream.h"
#include "io/loop.h"
#include "io/wsd.h"
#include "lake/wal.h"

enum {
    NX_EDGE_TABLES_MAX = 32,
    NX_EDGE_FEEDS_MAX = 16,
    NX_EDGE_SETS_MAX = 16,
    NX_EDGE_BLOCK_BYTES = 4 << 20, /* of the log: what one sync takes at most */
    NX_EDGE_SET_BYTES = 32 << 20,  /* frames in a batch set */
    NX_EDGE_QUEUE_SLOW = 1 << 20   /* a peer that leaves so many bytes of answers unread is not read from */
};

typedef struct nx_edge_table {
    const nx_contract *contract;
    nx_table *table;
    int64_t txn;       /* rows at or below this position are committed; recovery leaves them out */
    nx_writer *writer; /* writer thread only, as the next two */
    int64_t rows;      /* added, not committed */
    bool committed;    /* of the flush under way */
} nx_edge_table;

/* What moves from the receiver to the writer: a batch a table; the last one is quarantine.records. */
typedef struct nx_edge_set {
    nx_batch batches[NX_EDGE_TABLES_MAX];
    size_t rows, bytes;  /* bytes: of the frames */
    uint64_t last_pos;   /* of the last frame in it, also when that had no rows; 0: empty */
    nx_mono_ns first_at; /* when its first frame came */
} nx_edge_set;

typedef struct nx_edge_metrics {
    nx_metric *frames, *accepted, *rejected, *connections, *sync_seconds, *held_bytes, *committed, *commit_seconds,
        *commit_errors, *waits;
} nx_edge_metrics;

struct nx_stream {
    nx_stream_opts o; /* with defaults filled in; pointers borrowed where the caller keeps them, else copied below */
    char *state_dir, *feed;
    char writer_id[48];
    char *contract_list; /* "trades@1.0.0-<hash>", one a line: what segments of the log name */
    unsigned char (*token_hashes)[32];
    size_t n_tokens;
    nx_edge_metrics m;

    /* core: under lock */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a batch set is free, a commit is done, the state changed */
    nx_wal *wal;
    nx_edge_table tables[NX_EDGE_TABLES_MAX];
    size_t n_tables; /* quarantine.records is the last one */
    nx_decoder *decoders[NX_EDGE_FEEDS_MAX + 1];
    size_t n_decoders;
    nx_edge_set *set;                         /* being filled; NULL: none is free */
    nx_edge_set sets[NX_EDGE_SETS_MAX], poke; /* poke: nothing, to wake the writer */
    size_t n_sets;
    bool recovering, stopping, start_failed, failed, log_waits;
    bool log_is_read;         /* by nx__edge_recover_others() */
    bool log_is_lent;         /* a part of a stream: wal belongs to the whole */
    nx_row_error limit_error; /* a frame that no batch can hold */
    nx_refused limit_refused;
    nx_mono_ns log_retry_at, log_told_at;
    nx_err failure;
    uint64_t flush_pos, committed_pos; /* asked for; reached */
    bool poked;                        /* poke is in the queue */
    nx_stream_stats stats;

    nx_queue *full, *spare;

    /* writer and compactor */
    pthread_t writer_thread, compact_thread, receive_thread;
    bool writer_runs, compact_runs, receive_runs;
    nx_err commit_failure; /* under lock: of the last try */
    bool commit_failed;

    /* listener: receive thread only */
    nx_loop *loop;
    int listen_fd, port;
    nx_decoder *decoder;
    struct nx_conn *conns;
    size_t n_conns;
    uint64_t work;  /* counts what the callbacks did, to see when the sockets are drained */
    bool want_sync; /* acks of one connection fill its buffer */
    bool accept_off;
    nx_mono_ns told_at; /* connections that are turned away are told once a second: a peer must not fill the log */
    uint64_t untold;
    atomic_bool quit;
};

struct nx_feed {
    nx_stream *s;
    nx_decoder *decoder;
    uint32_t producer;
    char *name;
    uint64_t seq, last_pos;
    nx_control_fn fn;
    void *ctx;
    uint64_t controls; /* seen in the frame under way */
    atomic_bool cancelled;
};

/* One frame on its way in. */
typedef struct nx_edge_frame {
    nx_decoder *decoder;
    uint32_t producer;
    uint64_t seq;
    nx_str source, bytes;
    int64_t received_ns;
    uint64_t pos; /* set by nx__edge_frame(); given when recovering */
} nx_edge_frame;

/* ------------------------------------------------------------------ core (all under s->lock) */

/* Verdict, rows, log. NX_AGAIN: no batch is free or the log's disk is full: nothing happened, try later. Other errors:
 * nothing of the frame was taken. v's refused rows are live until the next frame of that decoder. */
NX_MUST_USE nx_status nx__edge_frame(nx_stream *s, nx_edge_frame *f, nx_verdict *v, nx_err *err);
/* Makes all frames durable. NX_AGAIN: the log's disk is full. */
NX_MUST_USE nx_status nx__edge_sync(nx_stream *s, nx_err *err);
/* Syncs and gives the current set to the writer, if anything is in it. */
NX_MUST_USE nx_status nx__edge_hand_over(nx_stream *s, nx_err *err);
/* Asks the writer for a commit of everything up to pos, as soon as it has it. */
void nx__edge_ask_flush(nx_stream *s, uint64_t pos);
/* Hands over a set that has waited too long or that a flush asked for. */
NX_MUST_USE nx_status nx__edge_age(nx_stream *s, nx_err *err);
/* True when a frame can be taken (takes a spare set if there is none). */
bool nx__edge_ready(nx_stream *s);
NX_MUST_USE nx_status nx__edge_add_decoder(nx_stream *s, const char *feed, nx_decoder **ret, nx_err *err);
void nx__edge_remove_decoder(nx_stream *s, nx_decoder *d);
nx_status nx__edge_fail(nx_stream *s, const nx_err *err);
/* Why it cannot go on, or NX_OK. */
NX_MUST_USE nx_status nx__edge_check(const nx_stream *s, nx_err *err);
NX_MUST_USE nx_status nx__edge_open_log(nx_stream *s, nx_err *err);
NX_MUST_USE nx_status nx__edge_recover(nx_stream *s, nx_err *err);
/* A record of the log to rows; takes the lock itself. Waits for a batch. */
NX_MUST_USE nx_status nx__edge_bring_back(nx_stream *s, const nx_wal_record *r, nx_err *err);

/* generation.c: when any segment names other contracts than today's, brings back and commits all of the log, each frame
 * by the contracts it was taken under, and releases it. Before s has opened a table. */
NX_MUST_USE nx_status nx__edge_recover_others(nx_stream *s, nx_err *err);
/* stream.c: a stream without listener that brings frames of whole's log to tables as contracts `set` has them. */
NX_MUST_USE nx_status nx__stream_part(const nx_stream *whole, const nx_contracts *set, nx_stream **ret, nx_err *err);
/* As nx_stream_stop(), which commits; ret: what it has done. */
NX_MUST_USE nx_status nx__stream_end(nx_stream *s, nx_stream_stats *ret, nx_err *err);

/* archive.c: <state>/contracts/<id>-<hash>.odcs.yaml */
NX_MUST_USE nx_status nx__archive_list(const nx_stream *s, nx_buf *b, nx_err *err); /* today's contract_list */
NX_MUST_USE nx_status nx__archive_keep(const nx_stream *s, nx_err *err); /* today's files, complete and synced */
/* Whether every contract of a list is named with its hash. */
bool nx__archive_can_tell(const char *list);
/* The contracts of a list; pos is for the error: NX_CORRUPT names the file that is missing or changed. */
NX_MUST_USE nx_status nx__archive_load(const nx_stream *s, const char *list, uint64_t pos, nx_contracts **ret,
                                       nx_err *err);
void nx__archive_sweep(const nx_stream *s); /* removes all but today's: no segment names others any more */

/* batch_set.c */
NX_MUST_USE nx_status nx__edge_set_init(nx_edge_set *set, const nx_stream *s, nx_err *err);
void nx__edge_set_drop(nx_edge_set *set, const nx_stream *s);
void nx__edge_set_clear(nx_edge_set *set, const nx_stream *s);
typedef struct nx_edge_mark {
    size_t rows[NX_EDGE_TABLES_MAX];
} nx_edge_mark;
void nx__edge_set_mark(const nx_edge_set *set, const nx_stream *s, nx_edge_mark *ret);
void nx__edge_set_undo(nx_edge_set *set, const nx_stream *s, const nx_edge_mark *m);

/* quarantine.c. Columns of contracts/quarantine/records.odcs.yaml, in its order; nx__quarantine_columns() checks them by name. */
enum {
    NX_RECORD_ID,
    NX_RECORD_SOURCE,
    NX_RECORD_CONTRACT,
    NX_RECORD_RAW,
    NX_RECORD_ERRORS,
    NX_RECORD_RECEIVED_AT,
    NX_RECORD_STATE,
    NX_RECORD_REPLAYED_AT
};
NX_MUST_USE nx_status nx__quarantine_columns(const nx_contract *c, nx_err *err);
/* Position and index that the record was refused at; false when the id is not one of ours for that source. */
bool nx__record_place(nx_str id, nx_str source, uint64_t *ret_pos, int32_t *ret_index);
/* Appends the refused rows of a frame to the set. NX_LIMIT, NX_NOMEM: nothing was appended. */
NX_MUST_USE nx_status nx__quarantine_add(nx_batch *b, const nx_verdict *v, nx_str source, int64_t received_us,
                                         uint64_t pos);

/* ------------------------------------------------------------------ commit */

NX_MUST_USE nx_status nx__commit_open(nx_stream *s, nx_err *err); /* tables, txn versions, writers */
void nx__commit_close(nx_stream *s);
void *nx__commit_thread(void *stream);
void *nx__compact_thread(void *stream);

/* ------------------------------------------------------------------ listener */

typedef struct nx_conn {
    nx_stream *s;
    nx_wsd_conn *ws;
    struct nx_conn *prev, *next;
    bool open, authed, named, has_producer;
    bool closing, dead; /* our last word is queued; nothing more to do */
    uint32_t producer;
    char source[72];
    uint64_t seq;                                /* number of the last frame taken */
    uint64_t run_frames, run_accepted, run_last; /* frames without a refusal that wait for one ack together */
    nx_buf acks;                                 /* finished answers that wait for the sync: u32 length, text */
    nx_ws_frame held;                            /* taken from ws, not yet from us: no batch was free */
    bool has_held, more; /* more: messages may wait inside ws without the socket being readable */
    bool wants_flush;
    uint64_t flush_pos;
    unsigned watched;
    nx_mono_ns opened_at;
} nx_conn;

void *nx__receive_thread(void *stream);
NX_MUST_USE nx_status nx__listener_open(nx_stream *s, nx_err *err);

/* conn.c */
void nx__conn_new(nx_stream *s, nx_wsd_conn *ws);
void nx__conn_drop(nx_conn *c);
/* Takes messages as far as possible; s->lock is held. */
void nx__conn_take(nx_conn *c);
void nx__conn_watch(nx_conn *c); /* which events it waits for now */
void nx__conn_say(nx_conn *c, const char *fmt, ...) NX_PRINTF(2, 3);
/* [{"T":"error",...}] and a close frame. */
void nx__conn_refuse(nx_conn *c, int error_code, int close_code, const char *msg);

/* ack.c */
NX_MUST_USE nx_status nx__ack_frame(nx_conn *c, const nx_verdict *v); /* after c->seq moved on */
NX_MUST_USE nx_status nx__ack_run(nx_conn *c);                        /* ends the run with its one ack */
void nx__ack_send(nx_conn *c);                                        /* after a sync */

/* action.c: {"action":...} objects, JSON or msgpack. False: it is data. */
bool nx__action(nx_conn *c, nx_str bytes, nx_status *ret);
bool nx__token_ok(const nx_stream *s, nx_str token);

#endif
