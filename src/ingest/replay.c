/* The replay client: lines of files as frames of a producer. */
#include "ingest/replay.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "data/json.h"
#include "data/msgpack.h"
#include "data/time.h"
#include "io/lines.h"
#include "io/wsc.h"

enum {
    BURST_BYTES = 256 << 10, /* queued before the socket is looked at */
    LINE_BYTES_MAX = 16 << 20,
    ACTION_BYTES_MAX = 64 << 10, /* the listener looks for a word in no longer object */
    ANSWER_MS = 10000,           /* for hello and auth */
    FLUSH_MS = 120000,           /* for the commit at the end */
    WAIT_MS = 100,
    TELL_NS = 250000000
};

typedef struct replay {
    const nx_replay_opts *o;
    nx_replay_result *r;
    nx_replay_progress p;
    nx_wsc *ws;
    nx_lines *lines;
    uint32_t *sizes; /* of the frames in flight: frame n at n % window */
    size_t window, window_bytes, flight_bytes;
    uint64_t sent, acked, greeted_last; /* numbers of frames of this file */
    bool greeted, authed, flushed, eof, has_line;
    nx_str line;        /* read, waits for its time or for room */
    nx_buf packed;      /* the same as msgpack */
    nx_buf wrapped;     /* what line points into when it is not the file's own text */
    int64_t tape_start; /* first timestamp of the file, INT64_MIN before */
    nx_mono_ns file_start, run_start, told_at;
    char refusal[256]; /* what the listener said last */
    int refusal_code;
} replay;

/* ------------------------------------------------------------------ what the listener says */

static void take_ack(replay *x, const nx_val *v)
{
    uint64_t seq = (uint64_t)nx_val_i64(nx_val_get(v, "seq"), 0);
    int64_t rejected = nx_val_i64(nx_val_get(v, "rejected"), 0);
    x->r->accepted += (uint64_t)nx_val_i64(nx_val_get(v, "accepted"), 0);
    x->r->rejected += (uint64_t)rejected;
    while (x->acked < seq && x->acked < x->sent)
        x->flight_bytes -= x->sizes[++x->acked % x->window];
    const nx_val *errors = nx_val_get(v, "errors");
    if (rejected == 0 || x->r->first_error[0] != '\0' || errors == NULL || errors->kind != NX_VAL_ARR || errors->n == 0)
        return;
    const nx_val *e = &errors->items[0];
    nx_str none = {"", 0}, field = nx_val_str(nx_val_get(e, "field"), none),
           rule = nx_val_str(nx_val_get(e, "rule"), none);
    nx_str msg = nx_val_str(nx_val_get(e, "message"), none);
    snprintf(x->r->first_error, sizeof x->r->first_error,
             "%s, frame %llu, row %lld: " NX_STR_FMT "%s" NX_STR_FMT " (" NX_STR_FMT ")", x->p.file,
             (unsigned long long)seq, (long long)nx_val_i64(nx_val_get(e, "index"), 0), NX_STR_ARG(field),
             field.n > 0 ? ": " : "", NX_STR_ARG(msg), NX_STR_ARG(rule));
}

static void take_object(replay *x, const nx_val *v)
{
    nx_str none = {"", 0}, type = nx_val_str(nx_val_get(v, "T"), none), msg = nx_val_str(nx_val_get(v, "msg"), none);
    if (nx_str_is(type, "ack")) {
        take_ack(x, v);
    } else if (nx_str_is(type, "error")) {
        x->refusal_code = (int)nx_val_i64(nx_val_get(v, "code"), 500);
        snprintf(x->refusal, sizeof x->refusal, NX_STR_FMT, NX_STR_ARG(msg));
    } else if (nx_str_is(type, "success") && nx_str_is(msg, "hello")) {
        x->greeted = true;
        x->greeted_last = (uint64_t)nx_val_i64(nx_val_get(v, "last"), 0);
    } else if (nx_str_is(type, "success") && nx_str_is(msg, "authenticated")) {
        x->authed = true;
    } else if (nx_str_is(type, "success") && nx_str_is(msg, "flush")) {
        x->flushed = true;
    }
}

static nx_status lost(const replay *x, nx_status st, nx_err *err)
{
    if (st == NX_NOTHING) {
        int code = nx_wsc_close_code(x->ws);
        bool later = code == NX_WS_CLOSE_GOING_AWAY || code == NX_WS_CLOSE_TRY_LATER || code == NX_WS_CLOSE_INTERNAL;
        st = later ? NX_REMOTE : NX_INVALID;
        if (x->refusal_code != 0)
            (void)nx_fail(err, st, "the listener refused with code %d: %s", x->refusal_code, x->refusal);
        else
            (void)nx_fail(err, st, "the listener closed the connection with code %d", code);
        if (err != NULL)
            err->retriable = later;
        if (code == NX_WS_CLOSE_TOO_BIG)
            (void)nx_err_hint(
                err, st,
                "line %llu or one soon after it is longer than the listener takes: split it, or raise stream.frame_bytes_max there",
                (unsigned long long)x->acked + 1);
    }
    (void)nx_err_prefix(err, "replay of %s stopped after frame %llu", x->p.file, (unsigned long long)x->acked);
    if (err != NULL && err->retriable && err->hint[0] == '\0')
        (void)nx_err_hint(err, st, "run the same command again: it goes on where this one stopped");
    return st;
}

/* Takes all answers that are there, waiting at most timeout_ms for the first. */
static nx_status take_answers(replay *x, int64_t timeout_ms, nx_err *err)
{
    for (;; timeout_ms = 0) {
        nx_ws_frame f;
        nx_status st = nx_wsc_recv(x->ws, timeout_ms, x->o->stop, &f, err);
        if (st == NX_AGAIN)
            return NX_OK;
        if (st != NX_OK)
            return lost(x, st, err);
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 1 << 20);
        nx_val *v = NULL;
        NX_TRY(nx_json_parse((nx_str){f.p, f.n}, NULL, &a, &v, err));
        for (size_t i = 0; v->kind == NX_VAL_ARR && i < v->n; i++)
            take_object(x, &v->items[i]);
    }
}

/* Sends an action and waits until *done or an error. */
static nx_status ask(replay *x, nx_str text, const bool *done, int64_t limit_ms, nx_err *err)
{
    nx_mono_ns until = nx_clock_mono() + (nx_mono_ns)limit_ms * 1000000;
    x->refusal_code = 0;
    NX_TRY(nx_wsc_send(x->ws, NX_WS_TEXT, text, ANSWER_MS, x->o->stop, err));
    while (!*done && x->refusal_code == 0) {
        if (nx_clock_mono() >= until) {
            nx_fail(err, NX_AGAIN, "the listener did not answer within %lld s", (long long)limit_ms / 1000);
            if (err != NULL)
                err->retriable = true;
            return nx_err_hint(
                err, NX_AGAIN,
                "its log says whether it waits (for room on its disk, say); then run the same command again");
        }
        NX_TRY(take_answers(x, WAIT_MS, err));
    }
    if (*done)
        return NX_OK;
    return nx_fail(err, NX_INVALID, "the listener refused with code %d: %s", x->refusal_code, x->refusal);
}

/* ------------------------------------------------------------------ opening */

static nx_status name_of(const char *path, char out[64], nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return nx_fail_sys(err, NX_NOT_FOUND, "could not open %s", path);
    char chunk[64 << 10], hex[17];
    unsigned char digest[32];
    nx_sha256 h;
    nx_sha256_init(&h);
    ssize_t n;
    while ((n = read(fd, chunk, sizeof chunk)) > 0)
        nx_sha256_add(&h, chunk, (size_t)n);
    if (n < 0)
        return nx_fail_sys(err, NX_IO, "could not read %s", path);
    nx_sha256_end(&h, digest);
    nx_hex(digest, 8, hex);
    snprintf(out, 64, "file-%s", hex);
    return NX_OK;
}

static nx_status greet(replay *x, const char *producer, nx_err *err)
{
    nx_wsc_opts o = {.url = x->o->url, .send_bytes_max = LINE_BYTES_MAX + (1 << 20)};
    nx_status st = nx_wsc_connect(&o, x->o->stop, &x->ws, err);
    if (st == NX_REMOTE && err != NULL && err->retriable && err->hint[0] == '\0')
        (void)nx_err_hint(err, st, "start the listener with `nexus stream`, or name another one with --to URL");
    NX_TRY(st);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    if (x->o->token != NULL) {
        nx_jw w;
        nx_jw_begin(&w, &b);
        nx_jw_obj(&w);
        nx_jw_key(&w, "action");
        nx_jw_cstr(&w, "auth");
        nx_jw_key(&w, "token");
        nx_jw_cstr(&w, x->o->token);
        nx_jw_obj_end(&w);
        NX_TRY(nx_jw_end(&w));
        NX_TRY(ask(x, nx_buf_str(&b), &x->authed, ANSWER_MS, err));
        nx_buf_clear(&b);
    }
    if (nx_buf_addf(&b, "{\"action\":\"hello\",\"producer\":\"%s\"}", producer) != NX_OK)
        return nx_nomem(err);
    return ask(x, nx_buf_str(&b), &x->greeted, ANSWER_MS, err);
}

/* ------------------------------------------------------------------ sending */

/* A recorded {"action":…} is data here, but the listener takes such an object for a word about us: as the one member of an
 * array it is a row like any other. The rule is the listener's own (action.c). */
static nx_status as_data(replay *x, nx_err *err)
{
    nx_str t = nx_str_trim(x->line);
    if (t.p[0] != '{' || t.n > ACTION_BYTES_MAX || nx_str_starts(t, NX_STR("{\"T\"")))
        return NX_OK;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 4 << 20);
    nx_val *v = NULL;
    if (nx_json_parse(t, NULL, &a, &v, NULL) != NX_OK || nx_val_get(v, "action") == NULL)
        return NX_OK;
    nx_buf_clear(&x->wrapped);
    if (nx_buf_addf(&x->wrapped, "[" NX_STR_FMT "]", NX_STR_ARG(t)) != NX_OK)
        return nx_nomem(err);
    x->line = nx_buf_str(&x->wrapped);
    return NX_OK;
}

static nx_status next_line(replay *x, nx_err *err)
{
    nx_status st;
    do
        st = nx_lines_next(x->lines, &x->line, err);
    while (st == NX_OK && nx_str_trim(x->line).n == 0);
    x->has_line = st == NX_OK;
    x->eof = st == NX_NOTHING;
    if (x->has_line)
        return as_data(x, err);
    return x->eof ? NX_OK : st;
}

static nx_status skip_durable(replay *x, nx_err *err)
{
    for (x->sent = 0; x->sent < x->greeted_last && !x->eof;) {
        NX_TRY(next_line(x, err));
        x->sent += x->has_line;
    }
    x->has_line = false;
    x->acked = x->sent;
    x->r->skipped += x->sent;
    if (x->sent == x->greeted_last)
        return NX_OK;
    return nx_fail(err, NX_CONFLICT,
                   "%s has %llu frames, but the listener has %llu of producer already: it is not the same file",
                   x->p.file, (unsigned long long)x->sent, (unsigned long long)x->greeted_last);
}

/* Milliseconds until the line is due: its own time against the tape's start, at the speed asked for. */
static int64_t due_in_ms(replay *x)
{
    if (x->o->speed <= 0)
        return 0;
    size_t at = nx_str_find(x->line, NX_STR("\"t\":\""), 0), end;
    if (at == SIZE_MAX || (end = nx_str_find(x->line, NX_STR("\""), at + 5)) == SIZE_MAX)
        return 0;
    int64_t t;
    if (!nx_time_parse_ns(nx_str_sub(x->line, at + 5, end), &t))
        return 0;
    if (x->tape_start == INT64_MIN) {
        x->tape_start = t;
        x->file_start = nx_clock_mono();
    }
    double due = (double)(t - x->tape_start) / x->o->speed - (double)(nx_clock_mono() - x->file_start);
    return due <= 0 ? 0 : due > 60e9 ? 60000 : (int64_t)(due / 1e6) + 1;
}

/* The line in the form that is sent. */
static nx_status payload_of(replay *x, nx_str *ret, nx_err *err)
{
    static const char *const times[] = {"t", "r", "created_at", "updated_at", NULL}; /* as the vendor's timestamps */
    static const nx_mp_words words = {.times = times};
    *ret = x->line;
    if (!x->o->msgpack)
        return NX_OK;
    nx_buf_clear(&x->packed);
    nx_status st = nx_mp_from_json(x->line, &words, &x->packed, err);
    *ret = nx_buf_str(&x->packed);
    if (st == NX_OK)
        return NX_OK;
    (void)nx_err_prefix(err, "frame %llu of %s cannot be sent as msgpack", (unsigned long long)x->sent + 1, x->p.file);
    return nx_err_hint(err, st, "--format json sends it as it is");
}

/* Queues frames while there is room and time. *wait_ms: how long nothing can be sent but for an answer. */
static nx_status fill(replay *x, int64_t *wait_ms, nx_err *err)
{
    *wait_ms = 0;
    while (nx_wsc_queued(x->ws) < BURST_BYTES) {
        if (!x->has_line)
            NX_TRY(next_line(x, err));
        bool full = x->sent - x->acked >= x->window || x->flight_bytes >= x->window_bytes;
        if (!x->has_line || full) {
            *wait_ms = WAIT_MS;
            return NX_OK;
        }
        *wait_ms = due_in_ms(x);
        if (*wait_ms > 0)
            return NX_OK;
        nx_str payload;
        NX_TRY(payload_of(x, &payload, err));
        nx_status st = nx_wsc_queue(x->ws, x->o->msgpack ? NX_WS_BINARY : NX_WS_TEXT, payload, err);
        if (st == NX_LIMIT && nx_wsc_queued(x->ws) > 0)
            return NX_OK;
        NX_TRY(st);
        x->sizes[++x->sent % x->window] = (uint32_t)payload.n;
        x->flight_bytes += payload.n;
        x->r->frames++;
        x->r->bytes += payload.n;
        x->has_line = false;
    }
    return NX_OK;
}

static void tell(replay *x, bool now)
{
    nx_mono_ns t = nx_clock_mono();
    if (x->o->progress == NULL || (!now && t - x->told_at < TELL_NS))
        return;
    x->told_at = t;
    x->p.sent = x->sent;
    x->p.acked = x->acked;
    x->p.accepted = x->r->accepted;
    x->p.rejected = x->r->rejected;
    x->p.seconds = (double)(t - x->run_start) / 1e9;
    x->o->progress(x->o->progress_ctx, &x->p);
}

static nx_status send_all(replay *x, nx_err *err)
{
    while (!x->eof || x->acked < x->sent) {
        int64_t wait_ms;
        NX_TRY(fill(x, &wait_ms, err));
        nx_status st = nx_wsc_pump(x->ws, nx_wsc_queued(x->ws) >= BURST_BYTES ? WAIT_MS : 0, x->o->stop, err);
        if (st != NX_OK && st != NX_AGAIN && st != NX_REMOTE) /* lost: first the last words of the other side */
            return st;
        NX_TRY(take_answers(x, wait_ms < WAIT_MS ? wait_ms : WAIT_MS, err));
        if (st == NX_REMOTE)
            return lost(x, st, err);
        tell(x, false);
    }
    tell(x, true);
    return NX_OK;
}

static nx_status commit(replay *x, nx_err *err)
{
    if (x->o->no_flush)
        return NX_OK;
    nx_err e = {0};
    nx_status st = ask(x, NX_STR("{\"action\":\"flush\"}"), &x->flushed, FLUSH_MS, &e);
    x->r->committed = st == NX_OK;
    if (st == NX_OK || st == NX_AGAIN || x->refusal_code == 400) /* another listener need not know the word */
        return NX_OK;
    if (err != NULL)
        *err = e;
    return st;
}

/* ------------------------------------------------------------------ files */

static nx_status one_file(replay *x, const char *path, nx_err *err)
{
    char name[64];
    x->p.file = path;
    x->eof = x->has_line = x->greeted = x->authed = x->flushed = false;
    x->sent = x->acked = x->flight_bytes = 0;
    x->tape_start = INT64_MIN;
    x->refusal_code = 0;
    if (x->o->producer == NULL)
        NX_TRY(name_of(path, name, err));
    NX_TRY(nx_lines_open(path, LINE_BYTES_MAX, &x->lines, err));
    NX_TRY(greet(x, x->o->producer == NULL ? name : x->o->producer, err));
    NX_TRY(skip_durable(x, err));
    NX_TRY(send_all(x, err));
    NX_TRY(commit(x, err));
    x->r->files++;
    nx_status st = nx_wsc_close(x->ws, NX_WS_CLOSE_NORMAL, 1000, NULL);
    (void)st; /* everything was answered */
    return NX_OK;
}

nx_status nx_replay(const nx_replay_opts *o, nx_replay_result *ret, nx_err *err)
{
    *ret = (nx_replay_result){0};
    if (o->files == NULL || o->files[0] == NULL)
        return nx_fail(err, NX_INVALID, "replay needs a file");
    if (o->producer != NULL && o->files[1] != NULL)
        return nx_fail(err, NX_INVALID, "one producer name is for one file: its frames are counted");
    replay x = {.o = o, .r = ret, .run_start = nx_clock_mono()};
    x.window = o->window_frames == 0 ? 16384 : o->window_frames;
    x.window_bytes = o->window_bytes == 0 ? 8 << 20 : o->window_bytes;
    x.sizes = calloc(x.window, sizeof *x.sizes);
    if (x.sizes == NULL)
        return nx_nomem(err);
    nx_buf_init(&x.packed, 2 * LINE_BYTES_MAX);
    nx_buf_init(&x.wrapped, 0);
    nx_status st = NX_OK;
    for (size_t i = 0; o->files[i] != NULL && st == NX_OK; i++) {
        st = one_file(&x, o->files[i], err);
        nx_wsc_drop(x.ws);
        nx_lines_close(x.lines);
        x.ws = NULL;
        x.lines = NULL;
    }
    nx_buf_drop(&x.wrapped);
    free(x.sizes);
    nx_buf_drop(&x.packed);
    ret->seconds = (double)(nx_clock_mono() - x.run_start) / 1e9;
    return st;
}
