#include "ingest/alpaca_ws.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stop.h"
#include "data/json.h"
#include "data/msgpack.h"
#include "io/http.h"
#include "io/wsc.h"

enum { SYNC_MS = 250, SEND_MS = 10000, DEFLATE_BYTES_MIN = 512 };

static const char *const state_names[] = {
#define X(s) #s,
    NX_ALPACA_WS_STATES(X)
#undef X
};

struct nx_alpaca_ws {
    nx_alpaca_ws_opts o;
    char url[1024], source[64];
    char *key, *secret, *subscribe; /* texts of our own */
    pthread_t thread;
    bool started;
    volatile bool stop;
    nx_feed *feed;
    nx_wsc *conn;
    /* of the frame under way: what its control messages said */
    bool connected, signed_in, subscribed;
    bool binary; /* the vendor's last message was msgpack: we answer in kind */
    int error_code;
    char error_msg[160];
    int tries;            /* since data last came */
    pthread_mutex_t lock; /* stats, result */
    nx_alpaca_ws_stats stats;
    nx_err result;
};

static void enter(nx_alpaca_ws *w, nx_alpaca_ws_state to)
{
    pthread_mutex_lock(&w->lock);
    nx_alpaca_ws_state from = w->stats.state;
    w->stats.state = to;
    pthread_mutex_unlock(&w->lock);
    if (from != to)
        nx_log(NX_LOG_INFO, "alpaca", "%s: %s", w->source, state_names[to]);
}

/* Called by the decoder for every object that is no row. */
static bool on_control(void *ctx, nx_str type, nx_str object)
{
    nx_alpaca_ws *w = ctx;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_val *v;
    NX_BUF_AUTO nx_buf json;
    nx_buf_init(&json, 1 << 20);
    if (nx_str_is(type, "subscription")) {
        w->subscribed = true;
        return true;
    }
    if (!nx_str_is(type, "success") && !nx_str_is(type, "error"))
        return false;
    if (object.n > 0 && nx_mp_is_container(object.p[0])) {
        if (nx_mp_to_json(object, &json, NULL) != NX_OK)
            return false;
        object = nx_buf_str(&json);
    }
    if (nx_json_parse(object, NULL, &a, &v, NULL) != NX_OK)
        return false;
    nx_str msg = nx_val_str(nx_val_get(v, "msg"), NX_STR(""));
    if (nx_str_is(type, "success")) {
        w->connected |= nx_str_is(msg, "connected");
        w->signed_in |= nx_str_is(msg, "authenticated");
        return true;
    }
    w->error_code = (int)nx_val_i64(nx_val_get(v, "code"), -1);
    snprintf(w->error_msg, sizeof w->error_msg, NX_STR_FMT, NX_STR_ARG(msg));
    if (w->error_code == 403) { /* signed in by the headers already */
        w->signed_in = true;
        w->error_code = 0;
    }
    return true;
}

/* A code that no reconnect mends: bad credentials, plan, request. */
static bool fatal_code(int code)
{
    return code == 400 || code == 402 || code == 405 || code == 408 || code == 409 || code == 410 || code == 411 ||
           code == 412 || code == 413;
}

static nx_status vendor_error(nx_alpaca_ws *w, nx_err *err)
{
    bool fatal = fatal_code(w->error_code);
    nx_fail(err, fatal ? NX_INVALID : NX_REMOTE, "Alpaca ended the feed %s: %d %s", w->source, w->error_code,
            w->error_msg);
    if (err != NULL)
        err->retriable = !fatal;
    if (w->error_code == 402)
        return nx_err_hint(err, NX_INVALID, "check alpaca.key and alpaca.secret");
    if (w->error_code == 409 || w->error_code == 408)
        return nx_err_hint(err, NX_INVALID, "the plan has no such feed: set alpaca.feed to iex");
    if (w->error_code == 405)
        return nx_err_hint(err, NX_INVALID, "the plan allows fewer symbols: shorten alpaca.symbols");
    if (w->error_code == 400 || w->error_code == 410)
        return nx_err_hint(err, NX_INVALID,
                           "one name in alpaca.symbols or alpaca.channels is none of this feed: all were refused");
    if (w->error_code == 406)
        return nx_err_hint(err, NX_REMOTE, "another session of these credentials is open");
    return fatal ? NX_INVALID : NX_REMOTE;
}

/* The connection is of no more use, another one may be. */
static nx_status lost(nx_err *err)
{
    if (err != NULL) {
        err->status = NX_REMOTE;
        err->retriable = true;
    }
    return NX_REMOTE;
}

/* Takes one message into the edge. NX_AGAIN: none in that time. */
static nx_status take(nx_alpaca_ws *w, int64_t timeout_ms, nx_err *err)
{
    nx_ws_frame f;
    nx_verdict v = {0};
    nx_status st = nx_wsc_recv(w->conn, timeout_ms, &w->stop, &f, err);
    if (st == NX_INVALID || st == NX_LIMIT) /* no WebSocket any more */
        return lost(err);
    NX_TRY(st);
    w->binary = f.op == NX_WS_BINARY;
    NX_TRY(nx_feed_put(w->feed, (nx_str){f.p, f.n}, nx_clock_wall(), &v, err));
    pthread_mutex_lock(&w->lock);
    w->stats.frames++;
    w->stats.msgpack = w->binary;
    w->stats.accepted += v.accepted;
    w->stats.rejected += v.rejected;
    pthread_mutex_unlock(&w->lock);
    return w->error_code != 0 ? vendor_error(w, err) : NX_OK;
}

/* Reads until the flag is set; the vendor answers each step within seconds or not at all. */
static nx_status await(nx_alpaca_ws *w, const bool *flag, const char *what, nx_err *err)
{
    int64_t left = w->o.answer_ms == 0 ? 10000 : w->o.answer_ms;
    nx_mono_ns began = nx_clock_mono();
    while (!*flag) {
        int64_t spent = (int64_t)((nx_clock_mono() - began) / 1000000);
        nx_status st = spent >= left ? NX_AGAIN : take(w, left - spent, err);
        if (st == NX_AGAIN) {
            nx_fail(err, NX_REMOTE, "Alpaca did not answer in %lld ms: %s was expected", (long long)left, what);
            return lost(err);
        }
        if (st == NX_NOTHING) {
            nx_fail(err, NX_REMOTE, "Alpaca closed the connection with %d: %s was expected", nx_wsc_close_code(w->conn),
                    what);
            return lost(err);
        }
        NX_TRY(st);
    }
    return NX_OK;
}

static nx_status say(nx_alpaca_ws *w, nx_ws_op op, nx_str text, nx_err *err)
{
    nx_status st = nx_wsc_send(w->conn, op, text, SEND_MS, &w->stop, err);
    if (st != NX_AGAIN)
        return st;
    nx_fail(err, NX_REMOTE, "Alpaca took no byte from us for %d ms", (int)SEND_MS);
    return lost(err);
}

/* An action in the codec of the connection. The vendor takes the one that the upgrade asked for, and speaks it first; who stands in for it may
 * know JSON only. */
static nx_status say_action(nx_alpaca_ws *w, nx_str json, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    if (!w->binary)
        return say(w, NX_WS_TEXT, json, err);
    NX_TRY(nx_mp_from_json(json, NULL, &b, err));
    return say(w, NX_WS_BINARY, nx_buf_str(&b), err);
}

static nx_status sign_in(nx_alpaca_ws *w, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    nx_jw j;
    nx_jw_begin(&j, &b);
    nx_jw_obj(&j);
    nx_jw_key(&j, "action");
    nx_jw_cstr(&j, "auth");
    nx_jw_key(&j, "key");
    nx_jw_cstr(&j, w->key);
    nx_jw_key(&j, "secret");
    nx_jw_cstr(&j, w->secret);
    nx_jw_obj_end(&j);
    if (nx_jw_end(&j) != NX_OK)
        return nx_nomem(err);
    enter(w, NX_ALPACA_WS_SIGNING_IN);
    NX_TRY(await(w, &w->connected, "the greeting", err));
    NX_TRY(say_action(w, nx_buf_str(&b), err));
    NX_TRY(await(w, &w->signed_in, "the sign-in", err));
    enter(w, NX_ALPACA_WS_SUBSCRIBING);
    NX_TRY(say_action(w, nx_str_of(w->subscribe), err));
    return await(w, &w->subscribed, "the subscription", err);
}

/* Half-open connections stay "open" for hours without a byte: silence is answered with a ping, and more of it with a new connection. */
static nx_status check_alive(nx_alpaca_ws *w, nx_mono_ns *pinged_at, nx_err *err)
{
    nx_mono_ns quiet = (nx_mono_ns)(w->o.quiet_ms == 0 ? 15000 : w->o.quiet_ms) * 1000000,
               heard_at = nx_wsc_heard_at(w->conn), now = nx_clock_mono();
    if (now - heard_at < quiet)
        return NX_OK;
    if (*pinged_at <= heard_at) {
        *pinged_at = now;
        return say(w, NX_WS_PING, NX_STR("nexus"), err);
    }
    if (now - *pinged_at < quiet)
        return NX_OK;
    nx_fail(err, NX_REMOTE, "Alpaca's connection is dead: no byte for %lld ms, not even an answer to our ping",
            (long long)((now - heard_at) / 1000000));
    return lost(err);
}

/* Frames come in bursts: they are synced when one is over, or while it lasts. */
static nx_status receive(nx_alpaca_ws *w, nx_err *err)
{
    int64_t idle = w->o.quiet_ms == 0 || w->o.quiet_ms > 1000 ? 1000 : w->o.quiet_ms;
    nx_mono_ns dirty_at = nx_clock_mono(), pinged_at = 0; /* dirty_at 0: all is synced */
    for (;;) {
        nx_status st = take(w, dirty_at != 0 ? 0 : idle, err);
        nx_mono_ns now = nx_clock_mono();
        if (st == NX_OK) {
            dirty_at = dirty_at == 0 ? now : dirty_at;
            w->tries = 0;
        } else if (st != NX_AGAIN) {
            return st;
        }
        if (dirty_at != 0 && (st == NX_AGAIN || now - dirty_at >= (nx_mono_ns)SYNC_MS * 1000000)) {
            NX_TRY(nx_feed_sync(w->feed, err));
            dirty_at = 0;
        } else if (st == NX_AGAIN) {
            NX_TRY(check_alive(w, &pinged_at, err));
        }
        if (nx_stop_asked(&w->stop))
            return nx_fail(err, NX_CANCELLED, "the feed was stopped");
    }
}

static nx_status session(nx_alpaca_ws *w, nx_err *err)
{
    static const char *const headers[] = {"Content-Type: application/msgpack", NULL};
    w->connected = w->signed_in = w->subscribed = false;
    w->error_code = 0;
    enter(w, NX_ALPACA_WS_CONNECTING);
    nx_status st = nx_wsc_connect(
        &(nx_wsc_opts){.url = w->url, .headers = headers, .deflate = true, .deflate_bytes_min = DEFLATE_BYTES_MIN},
        &w->stop, &w->conn, err);
    if (st == NX_OK) {
        pthread_mutex_lock(&w->lock);
        w->stats.connects++;
        w->stats.deflate = nx_wsc_deflates(w->conn);
        pthread_mutex_unlock(&w->lock);
        st = sign_in(w, err);
    }
    if (st == NX_OK) {
        enter(w, NX_ALPACA_WS_STREAMING);
        st = receive(w, err);
    }
    nx_err bye = {0};
    if (w->conn != NULL && st == NX_CANCELLED && nx_wsc_close(w->conn, NX_WS_CLOSE_NORMAL, 1000, &bye) != NX_OK)
        nx_log_err(NX_LOG_DEBUG, "alpaca", &bye);
    nx_wsc_drop(w->conn);
    w->conn = NULL;
    return st;
}

static bool try_again(nx_alpaca_ws *w, nx_status st, const nx_err *err)
{
    if (nx_stop_asked(&w->stop) || st == NX_CANCELLED)
        return false;
    if (st == NX_NOTHING)
        return !w->o.once;
    return st == NX_REMOTE && err->retriable;
}

static void *run(void *ctx)
{
    nx_alpaca_ws *w = ctx;
    nx_err err = {0};
    int64_t base = w->o.backoff_base_ms == 0 ? 500 : w->o.backoff_base_ms,
            cap = w->o.backoff_cap_ms == 0 ? 60000 : w->o.backoff_cap_ms;
    for (;;) {
        nx_err_clear(&err);
        nx_status st = session(w, &err);
        nx_err sync = {0};
        if (nx_feed_sync(w->feed, &sync) != NX_OK && st != NX_CANCELLED) {
            err = sync;
            st = sync.status;
        }
        if (!try_again(w, st, &err)) {
            pthread_mutex_lock(&w->lock);
            if (st != NX_NOTHING && st != NX_CANCELLED && !nx_stop_asked(&w->stop))
                w->result = err;
            pthread_mutex_unlock(&w->lock);
            break;
        }
        if (st != NX_NOTHING)
            nx_log_err(NX_LOG_WARN, "alpaca", &err);
        enter(w, NX_ALPACA_WS_WAITING);
        if (!nx_clock_sleep_ms(nx_backoff_ms(w->tries++, base, cap, 0), &w->stop))
            break;
    }
    if (w->result.status != NX_OK)
        nx_log_err(NX_LOG_ERROR, "alpaca", &w->result);
    enter(w, NX_ALPACA_WS_ENDED);
    return NULL;
}

/* {"action":"subscribe","trades":["AAPL"],…}, made once. */
static nx_status make_subscribe(nx_alpaca_ws *w, nx_err *err)
{
    static const char *const known[] = {"trades",    "quotes",   "bars",  "updatedBars",
                                        "dailyBars", "statuses", "lulds", "imbalances"};
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_jw j;
    nx_jw_begin(&j, &b);
    nx_jw_obj(&j);
    nx_jw_key(&j, "action");
    nx_jw_cstr(&j, "subscribe");
    for (const char *const *c = w->o.channels; *c != NULL; c++) {
        bool ok = false;
        for (size_t i = 0; i < NX_COUNT_OF(known); i++)
            ok |= strcmp(known[i], *c) == 0;
        if (!ok) {
            nx_fail(err, NX_INVALID, "'%s' is no channel of Alpaca's stock stream", *c);
            return nx_err_hint(
                err, NX_INVALID,
                "alpaca.channels: trades, quotes, bars, updatedBars, dailyBars, statuses, lulds, imbalances");
        }
        nx_jw_key(&j, *c);
        nx_jw_arr(&j);
        for (const char *const *s = w->o.symbols; *s != NULL; s++)
            nx_jw_cstr(&j, *s);
        nx_jw_arr_end(&j);
    }
    nx_jw_obj_end(&j);
    if (nx_jw_end(&j) != NX_OK)
        return nx_fail(err, NX_LIMIT, "the subscription is too long");
    w->subscribe = nx_buf_take(&b);
    return w->subscribe == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status set_up(nx_alpaca_ws *w, nx_err *err)
{
    const nx_alpaca_ws_opts *o = &w->o;
    if (o->key == NULL || o->secret == NULL)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "the Alpaca stream needs credentials"),
                           "set alpaca.key and alpaca.secret");
    if (o->symbols == NULL || o->symbols[0] == NULL || o->channels == NULL || o->channels[0] == NULL)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "nothing to subscribe to"),
                           "set alpaca.symbols and alpaca.channels");
    NX_TRY(make_subscribe(w, err));
    w->key = nx_str_dup(nx_str_of(o->key));
    w->secret = nx_str_dup(nx_str_of(o->secret));
    if (w->key == NULL || w->secret == NULL)
        return nx_nomem(err);
    if ((size_t)snprintf(w->url, sizeof w->url, "%s/v2/%s", o->url, o->feed) >= sizeof w->url ||
        (size_t)snprintf(w->source, sizeof w->source, "alpaca/%s", o->feed) >= sizeof w->source)
        return nx_fail(err, NX_INVALID, "the address of the feed %s is too long", o->feed);
    NX_TRY(nx_feed_open(o->stream, w->source, "alpaca.stocks", on_control, w, &w->feed, err));
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return nx_fail(err, NX_NOMEM, "could not start the thread of the feed %s", w->source);
    w->started = true;
    return NX_OK;
}

nx_status nx_alpaca_ws_start(const nx_alpaca_ws_opts *o, nx_alpaca_ws **ret, nx_err *err)
{
    nx_alpaca_ws *w = calloc(1, sizeof *w);
    if (w == NULL)
        return nx_nomem(err);
    w->o = *o;
    pthread_mutex_init(&w->lock, NULL);
    nx_status st = set_up(w, err);
    if (st != NX_OK)
        nx_alpaca_ws_stop(w);
    else
        *ret = w;
    return st;
}

void nx_alpaca_ws_stop(nx_alpaca_ws *w)
{
    if (w == NULL)
        return;
    nx_stop_ask(&w->stop);
    if (w->feed != NULL)
        nx_feed_cancel(w->feed);
    if (w->started)
        pthread_join(w->thread, NULL);
    nx_feed_close(w->feed);
    pthread_mutex_destroy(&w->lock);
    free(w->key);
    free(w->secret);
    free(w->subscribe);
    free(w);
}

void nx_alpaca_ws_stats_get(nx_alpaca_ws *w, nx_alpaca_ws_stats *ret)
{
    pthread_mutex_lock(&w->lock);
    *ret = w->stats;
    pthread_mutex_unlock(&w->lock);
}

nx_status nx_alpaca_ws_result(nx_alpaca_ws *w, nx_err *err)
{
    pthread_mutex_lock(&w->lock);
    nx_status st = w->result.status;
    if (st != NX_OK && err != NULL)
        *err = w->result;
    pthread_mutex_unlock(&w->lock);
    return st;
}
