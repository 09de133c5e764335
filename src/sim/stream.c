#include <stdlib.h>

#include "base/log.h"
#include "sim/stream_int.h"

enum { AUTH_SECONDS = 10, PING_SECONDS = 54, CROWDED_BYTES = 256 << 10, FRAMES_A_TURN = 200, DEFLATE_BYTES_MIN = 64 };

/* A connection on its way from the HTTP server's thread to ours. */
typedef struct arrival {
    nx_wsd_conn *c;
    bool sip, packed;
    nx__header_auth auth;
} arrival;

/* What a handler knows about a request when it agrees to the upgrade: one of these, fixed at start. */
typedef struct gate {
    nx__stream *stream;
    bool sip, packed;
    nx__header_auth auth;
} gate;

struct nx__stream {
    nx_sim *sim;
    nx_loop *loop;
    pthread_t thread;
    gate gates[2][2][3];  /* sip, packed, headers */
    pthread_mutex_t lock; /* arrivals, closed */
    arrival arrivals[NX__CLIENTS];
    size_t n_arrivals;
    bool closed; /* nobody is let in any more */
    nx__client clients[NX__CLIENTS];
    nx__feed feed;
    bool started, pending, ended; /* pending: the feed holds a frame that did not go out yet */
    uint64_t timer;
    nx_mono_ns pinged;
};

static void pump(void *ctx);

/* ------------------------------------------------------------------ connections */

static void drop_client(nx__stream *t, nx__client *k)
{
    nx_loop_remove(t->loop, nx_wsd_fd(k->c));
    nx__client_drop(k);
}

/* Writes what it can and watches for the rest; drops a connection that is done. */
static void settle(nx__stream *t, nx__client *k)
{
    nx_err err = {0};
    nx_status st = nx_wsd_flush(k->c, &err);
    if (nx_wsd_done(k->c) || (st != NX_OK && st != NX_AGAIN)) {
        drop_client(t, k);
        return;
    }
    bool writing = st == NX_AGAIN;
    if (writing == k->writing)
        return;
    k->writing = writing;
    if (nx_loop_set(t->loop, nx_wsd_fd(k->c), NX_LOOP_READ | (writing ? NX_LOOP_WRITE : 0u), &err) != NX_OK)
        drop_client(t, k);
}

static void settle_all(nx__stream *t)
{
    for (size_t i = 0; i < NX__CLIENTS; i++)
        if (t->clients[i].c != NULL)
            settle(t, &t->clients[i]);
}

static void take_messages(nx__client *k)
{
    nx_err err = {0};
    nx_ws_frame f;
    nx_status st = NX_OK;
    while (st == NX_OK && (st = nx_wsd_next(k->c, &f, &err)) == NX_OK)
        st = nx__client_take(k, (nx_str){f.p, f.n}, &err);
}

static void on_client(void *ctx, int fd, unsigned events)
{
    nx__client *k = ctx;
    nx__stream *t = k->sim->stream;
    nx_err err = {0};
    (void)fd;
    if ((events & NX_LOOP_READ) != 0 && nx_wsd_recv(k->c, NULL, &err) == NX_OK)
        take_messages(k);
    settle(t, k);
    pump(t); /* somebody subscribed, or there is room again */
}

static void add_client(nx__stream *t, const arrival *a)
{
    nx_err err = {0};
    size_t i = 0;
    while (i < NX__CLIENTS && t->clients[i].c != NULL)
        i++;
    if (i == NX__CLIENTS) {
        nx_wsd_drop(a->c);
        return;
    }
    nx__client *k = &t->clients[i];
    *k = (nx__client){.sim = t->sim, .c = a->c, .sip = a->sip, .packed = a->packed, .since = nx_clock_mono()};
    nx__client_init(k);
    if (nx_loop_add(t->loop, nx_wsd_fd(a->c), NX_LOOP_READ, on_client, k, &err) != NX_OK ||
        nx__client_greet(k, a->auth, &err) != NX_OK) {
        drop_client(t, k);
        return;
    }
    take_messages(k); /* what came together with the request */
    settle(t, k);
}

static void on_wake(void *ctx)
{
    nx__stream *t = ctx;
    arrival all[NX__CLIENTS];
    pthread_mutex_lock(&t->lock);
    size_t n = t->n_arrivals;
    memcpy(all, t->arrivals, n * sizeof *all);
    t->n_arrivals = 0;
    pthread_mutex_unlock(&t->lock);
    for (size_t i = 0; i < n; i++)
        add_client(t, &all[i]);
    pump(t);
}

/* In a thread of the HTTP server. */
static void on_upgrade(void *ctx, int fd, nx_str early, const nx_deflate_params *deflate,
                       void (*closer)(void *closer_ctx), void *closer_ctx)
{
    gate *g = ctx;
    nx__stream *t = g->stream;
    nx_wsd_conn *c;
    nx_err err = {0};
    const nx_wsd_opts opts = {.deflate = true, .deflate_bytes_min = DEFLATE_BYTES_MIN};
    if (nx_wsd_adopt(fd, &opts, early, closer, closer_ctx, &c, &err) != NX_OK) {
        closer(closer_ctx);
        return;
    }
    if (nx_wsd_agree(c, deflate, &err) != NX_OK) {
        nx_wsd_drop(c);
        return;
    }
    pthread_mutex_lock(&t->lock);
    bool room = !t->closed && t->n_arrivals < NX__CLIENTS;
    if (room)
        t->arrivals[t->n_arrivals++] = (arrival){c, g->sip, g->packed, g->auth};
    pthread_mutex_unlock(&t->lock);
    if (room)
        nx_loop_wake(t->loop);
    else
        nx_wsd_drop(c);
}

nx_status nx__serve_stream(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    (void)err;
    const char *type = nx_httpd_header(req, "Content-Type"), *key = nx_httpd_header(req, "APCA-API-KEY-ID");
    const char *secret = nx_httpd_header(req, "APCA-API-SECRET-KEY");
    nx__header_auth auth = key == NULL && secret == NULL                         ? NX__NO_HEADERS
                           : nx__sim_knows(s, nx_str_of(key), nx_str_of(secret)) ? NX__GOOD_HEADERS
                                                                                 : NX__BAD_HEADERS;
    bool sip = nx_str_ends(req->path, NX_STR("/sip")),
         packed = type != NULL && strstr(type, "application/msgpack") != NULL;
    nx_httpd_upgrade(req, resp, true, on_upgrade, &s->stream->gates[sip][packed][auth]);
    return NX_OK;
}

/* Once a second: who did not authenticate in time, and the vendor's ping. */
static void on_second(void *ctx)
{
    nx__stream *t = ctx;
    nx_err err = {0};
    nx_mono_ns now = nx_clock_mono();
    bool ping = now - t->pinged >= (nx_mono_ns)PING_SECONDS * (nx_mono_ns)NX__NS_S;
    if (ping)
        t->pinged = now;
    for (size_t i = 0; i < NX__CLIENTS; i++) {
        nx__client *k = &t->clients[i];
        if (k->c == NULL)
            continue;
        nx_status st = NX_OK;
        if (!k->authed && !k->failed && now - k->since >= (nx_mono_ns)AUTH_SECONDS * (nx_mono_ns)NX__NS_S) {
            k->failed = true;
            st = nx__client_error(k, 404, &err);
            if (st == NX_OK)
                st = nx_wsd_close(k->c, NX_WS_CLOSE_POLICY, "auth timeout", &err);
        } else if (ping) {
            st = nx_wsd_send(k->c, NX_WS_PING, (nx_str){NULL, 0}, &err);
        }
        if (st != NX_OK)
            drop_client(t, k);
        else
            settle(t, k);
    }
}

/* ------------------------------------------------------------------ the feed */

static bool at_full_speed(const nx__stream *t)
{
    return t->sim->opts.speed >= NX_SIM_SPEED_MAX;
}

/* Somebody listens, and at full speed nobody is behind. */
static bool may_send(const nx__stream *t)
{
    bool any = false;
    for (size_t i = 0; i < NX__CLIENTS; i++) {
        if (t->clients[i].c == NULL)
            continue;
        any = any || t->clients[i].n_subs > 0;
        if (at_full_speed(t) && nx_wsd_pending(t->clients[i].c) > CROWDED_BYTES)
            return false;
    }
    return any || (t->started && !at_full_speed(t)); /* a running clock waits for nobody */
}

static void end_all(nx__stream *t)
{
    t->ended = true;
    for (size_t i = 0; i < NX__CLIENTS; i++) {
        nx_err err = {0};
        nx__client *k = &t->clients[i];
        if (k->c != NULL && k->n_subs > 0 && nx_wsd_close(k->c, NX_WS_CLOSE_GOING_AWAY, "end of data", &err) != NX_OK)
            drop_client(t, k);
    }
}

static void broadcast(nx__stream *t)
{
    int cut = t->sim->opts.faults.cut_stream_after;
    for (size_t i = 0; i < NX__CLIENTS; i++) {
        nx_err err = {0};
        nx__client *k = &t->clients[i];
        if (k->c == NULL)
            continue;
        nx_status st = nx__client_send(k, t->feed.items, t->feed.n_items, &err);
        if (st == NX_LIMIT)
            st = nx_wsd_close(k->c, NX_WS_CLOSE_POLICY, "slow client", &err);
        if ((st != NX_OK && st != NX_CANCELLED) ||
            (cut > 0 && k->n_frames >= cut && nx_wsd_flush(k->c, &err) != NX_AGAIN))
            drop_client(t, k);
    }
}

/* The clock starts with the first subscription. */
static void start_clock(nx__stream *t)
{
    nx_sim *s = t->sim;
    t->started = true;
    if (s->opts.n_tapes > 0)
        nx_sim_set_now(s, t->feed.ts);
    pthread_mutex_lock(&s->lock);
    s->running = !at_full_speed(t);
    s->since = nx_clock_mono();
    s->runs_until = s->opts.n_tapes > 0 ? INT64_MAX
                                        : nx__ny_ns(s->world.day[s->world.sessions], 9 * 60 + 30) +
                                              (s->opts.live_minutes + 1) * NX__NS_MIN;
    pthread_mutex_unlock(&s->lock);
}

static void wait_for(nx__stream *t, int64_t ms)
{
    nx_err err = {0};
    if (nx_loop_timer(t->loop, ms, 0, pump, t, &t->timer, &err) != NX_OK)
        nx_log_err(NX_LOG_ERROR, "sim", &err);
}

/* Queues what is due; sets a timer for what comes later. */
static void queue_due(nx__stream *t)
{
    nx_sim *s = t->sim;
    nx_err err = {0};
    for (int n = 0; may_send(t); n++) {
        if (n == FRAMES_A_TURN) { /* others want the thread too */
            wait_for(t, 0);
            return;
        }
        /* the first frame is the first one after the clock; from then on nothing is left out */
        int64_t from = t->started ? INT64_MIN : nx_sim_now(s);
        nx_status st = t->ended ? NX_NOTHING : t->pending ? NX_OK : nx__feed_next(&t->feed, from, &err);
        if (st != NX_OK) {
            if (st != NX_NOTHING)
                nx_log_err(NX_LOG_ERROR, "sim", &err);
            end_all(t);
            return;
        }
        t->pending = true;
        if (!t->started)
            start_clock(t);
        int64_t early = at_full_speed(t) ? 0 : t->feed.ts - nx_sim_now(s);
        if (early > 0) {
            double ms = (double)early / 1e6 / (s->opts.speed <= 0 ? 1 : s->opts.speed);
            wait_for(t, ms > 60000 ? 60000 : (int64_t)ms + 1);
            return;
        }
        if (at_full_speed(t) && t->feed.ts > nx_sim_now(s))
            nx_sim_set_now(s, t->feed.ts);
        t->pending = false;
        broadcast(t);
    }
}

/* Sends what is due; then waits for the clock, or for room. */
static void pump(void *ctx)
{
    nx__stream *t = ctx;
    nx_loop_cancel(t->loop, t->timer);
    t->timer = 0;
    if (t->sim->world.from_files && t->sim->opts.n_tapes == 0)
        return; /* nothing to play: subscriptions stay silent */
    queue_due(t);
    settle_all(t);
    if (t->timer == 0 && !t->ended && may_send(t)) /* the sockets took it all: no event will tell */
        wait_for(t, 0);
}

/* ------------------------------------------------------------------ start and stop */

static void *run(void *ctx)
{
    nx__stream *t = ctx;
    nx_err err = {0};
    if (nx_loop_run(t->loop, &err) != NX_OK)
        nx_log_err(NX_LOG_ERROR, "sim", &err);
    return NULL;
}

nx_status nx__stream_start(nx_sim *s, nx_err *err)
{
    nx__stream *t = calloc(1, sizeof *t);
    if (t == NULL)
        return nx_nomem(err);
    t->sim = s;
    t->pinged = nx_clock_mono();
    for (int sip = 0; sip < 2; sip++)
        for (int packed = 0; packed < 2; packed++)
            for (int a = 0; a < 3; a++)
                t->gates[sip][packed][a] = (gate){t, sip == 1, packed == 1, (nx__header_auth)a};
    pthread_mutex_init(&t->lock, NULL);
    nx__feed_open(&t->feed, s);
    nx_status st = nx_loop_new(&t->loop, err);
    if (st == NX_OK) {
        nx_loop_on_wake(t->loop, on_wake, t);
        st = nx_loop_timer(t->loop, 1000, 1000, on_second, t, NULL, err);
    }
    s->stream = t;
    if (st == NX_OK && pthread_create(&t->thread, NULL, run, t) != 0)
        st = nx_fail(err, NX_IO, "could not start the simulator's stream thread");
    if (st != NX_OK) {
        nx__feed_close(&t->feed);
        nx_loop_drop(t->loop);
        pthread_mutex_destroy(&t->lock);
        free(t);
        s->stream = NULL;
    }
    return st;
}

void nx__stream_stop(nx_sim *s)
{
    nx__stream *t = s->stream;
    if (t == NULL)
        return;
    pthread_mutex_lock(&t->lock);
    t->closed = true;
    pthread_mutex_unlock(&t->lock);
    nx_loop_stop(t->loop);
    pthread_join(t->thread, NULL);
    for (size_t i = 0; i < t->n_arrivals; i++)
        nx_wsd_drop(t->arrivals[i].c);
    for (size_t i = 0; i < NX__CLIENTS; i++)
        if (t->clients[i].c != NULL)
            drop_client(t, &t->clients[i]);
}

/* After the HTTP server ended: nobody hands connections over any more. */
void nx__stream_drop(nx_sim *s)
{
    nx__stream *t = s->stream;
    if (t == NULL)
        return;
    nx__feed_close(&t->feed);
    nx_loop_drop(t->loop);
    pthread_mutex_destroy(&t->lock);
    free(t);
    s->stream = NULL;
}
