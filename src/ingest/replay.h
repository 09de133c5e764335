/* ingest/replay.h
 *
 * `nexus replay`: recorded messages through the same edge, as a producer over the push protocol. A frame is a line of
 * the file (an object or an array), plain or zstd. The producer's name follows from the bytes of the file, so a second
 * replay continues behind the last line that is durable: it adds nothing.
 * Thread   One call a thread.
 */
#ifndef NX_INGEST_REPLAY_H
#define NX_INGEST_REPLAY_H

#include "base/str.h"

typedef struct nx_replay_progress {
    const char *file;
    uint64_t sent, acked;        /* frames of this file, the skipped ones included */
    uint64_t accepted, rejected; /* rows acknowledged in this run, all files */
    double seconds;              /* since the first frame of this run */
} nx_replay_progress;

typedef struct nx_replay_opts {
    const char *const *files; /* NULL-terminated */
    const char *url;          /* "ws://127.0.0.1:8000/ws/market-data" */
    const char *token;        /* NULL: none */
    /* NULL: "file-<first 16 hex of the SHA-256 of the file>"; a name given here needs a single file */
    const char *producer;
    bool msgpack;         /* binary frames: each line as the vendor's msgpack */
    double speed;         /* times the pace of the messages' own timestamps; 0 means as fast as it goes */
    size_t window_frames; /* sent and not acknowledged; 0 means 16,384 */
    size_t window_bytes;  /* the same in bytes; 0 means 8 MiB */
    bool no_flush;        /* do not ask for a commit at the end */
    void (*progress)(void *ctx, const nx_replay_progress *p); /* some 4 times a second; may be NULL */
    void *progress_ctx;
    const volatile bool *stop; /* may be NULL */
} nx_replay_opts;

typedef struct nx_replay_result {
    uint64_t files, frames, skipped; /* frames sent in this run; frames that were durable before */
    uint64_t accepted, rejected;     /* rows of the frames sent */
    uint64_t bytes;                  /* payload sent */
    bool committed;                  /* the listener said that all of it is in committed table versions */
    double seconds;                  /* from the first frame to the last answer */
    char first_error[512];           /* the first refused row: frame, field, what was expected; or empty */
} nx_replay_result;

/* NX_NOT_FOUND a file; NX_REMOTE (retriable) no listener, connection lost; NX_INVALID a line longer than the listener
 * takes, a refused token, with msgpack a line that is no JSON or has a number that msgpack does not carry exactly; NX_CANCELLED. Blank lines are no frames. ret is filled as far as it came, also on failure:
 * call again to go on. */
NX_MUST_USE nx_status nx_replay(const nx_replay_opts *o, nx_replay_result *ret, nx_err *err);

#endif
