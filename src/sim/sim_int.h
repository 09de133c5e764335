/* sim/sim_int.h - the simulated world and who serves it. */
#ifndef NX_SIM_INT_H
#define NX_SIM_INT_H

#include <pthread.h>

#include "base/arena.h"
#include "base/rand.h"
#include "data/json.h"
#include "data/time.h"
#include "io/httpd.h"
#include "io/lines.h"
#include "io/loop.h"
#include "io/wsd.h"
#include "sim/sim.h"

enum { NX__SYMBOLS = 8, NX__SESSION_MINUTES = 390, NX__SESSIONS_MAX = 250 };
#define NX__NS_S INT64_C(1000000000)
#define NX__NS_MIN (60 * NX__NS_S)
#define NX__PRICE INT64_C(1000000) /* prices: integers of 1e-6 dollars */

/* ------------------------------------------------------------------ calendar */

bool nx__is_session(int32_t days);           /* a weekday and no NYSE holiday */
int32_t nx__session_after(int32_t days);     /* the next session day after days */
int64_t nx__ny_ns(int32_t days, int minute); /* UTC ns of a New York minute of the day */

/* ------------------------------------------------------------------ market */

typedef struct nx__bar {
    int64_t ts;         /* ns, start */
    int64_t o, h, l, c; /* 1e-6 */
    int64_t v, n, vw;   /* n, vw: -1 when unknown */
} nx__bar;

typedef struct nx__trade {
    int64_t ts;
    int64_t id, price, size;
    char exchange, update;    /* update: 0, 'c' corrected row, 'i' incorrect (replaced), 'x' canceled */
    unsigned char conditions; /* 0 regular, 1 odd lot, 2 intermarket sweep */
} nx__trade;

/* Bars of one symbol and timeframe in order of time. */
typedef struct nx__series {
    const char *symbol;
    int64_t step; /* ns of the stored bars */
    nx__bar *bars;
    size_t n, cap;
} nx__series;

typedef struct nx__tape {
    nx__trade *trades;
    size_t n, cap;
} nx__tape;

typedef struct nx__symbol {
    const char *symbol, *name, *exchange, *cusip, *id;
    char listed; /* exchange code */
    char tape;
    double price, volatility, volume; /* start price, daily, shares a minute */
    bool reacts;
    double talk; /* messages a session */
} nx__symbol;

extern const nx__symbol nx__symbols[NX__SYMBOLS];

/* ------------------------------------------------------------------ talk */

typedef struct nx__message {
    int64_t created; /* seconds */
    uint64_t id;
    const char *subreddit, *author; /* author NULL: deleted */
    const char *title, *text;       /* title NULL: a comment */
    uint64_t parent;                /* comments: id of the post */
    const char *raw;                /* from a file: the whole "data" object as JSON; else NULL */
    size_t raw_n;
    int score, num_comments, ratio; /* ratio: percent */
    int64_t edited;                 /* seconds or 0 */
} nx__message;

typedef struct nx__talk {
    nx__message *items; /* in order of creation */
    size_t n, cap;
} nx__talk;

/* ------------------------------------------------------------------ world: made at start, then only read */

typedef struct nx__world {
    uint64_t seed;
    nx_arena arena;
    bool from_files;
    int sessions; /* past ones; day[sessions] is the live day */
    int32_t day[NX__SESSIONS_MAX + 1];
    double attention[NX__SYMBOLS][NX__SESSIONS_MAX + 1]; /* standardised talk of a session */
    nx__series *series;
    size_t n_series, series_cap;
    nx__tape tapes[NX__SYMBOLS];
    nx__talk posts, comments;
    const char *extra_symbols[256]; /* of files, for the asset list */
    size_t n_extra;
    int split_at, dividend_at; /* sessions; -1: none */
} nx__world;

NX_MUST_USE nx_status nx__world_make(nx__world *w, const nx_sim_opts *opts, nx_err *err);
void nx__world_drop(nx__world *w);
/* Streams of chance. With only 30 sessions, unrelated series often correlate by 0.3 and more; the number of the
 * volatility stream was picked among a few so that the default seed shows no such accident. Other seeds have them:
 * that is what chance looks like. */
typedef enum nx__purpose {
    NX__FOR_ATTENTION = 1,
    NX__FOR_BARS = 3,
    NX__FOR_TRADES = 4,
    NX__FOR_DRAFTS = 5,
    NX__FOR_TEXTS = 6,
    NX__FOR_QUOTES = 7,
    NX__FOR_VOLATILITY = 14
} nx__purpose;
nx_rand nx__world_rand(const nx__world *w, nx__purpose purpose, size_t symbol, int session);
NX_MUST_USE nx_status nx__market_make(nx__world *w, nx_err *err);
NX_MUST_USE nx_status nx__talk_make(nx__world *w, nx_err *err);
NX_MUST_USE nx_status nx__bars_load(nx__world *w, const char *path, nx_err *err);
NX_MUST_USE nx_status nx__listing_load(nx__world *w, const char *path, nx_err *err);
void nx__talk_sort(nx__talk *t);

/* ------------------------------------------------------------------ server */

typedef struct nx__stream nx__stream;

struct nx_sim {
    nx_sim_opts opts; /* texts owned in `arena` */
    nx_arena arena;
    nx__world world;
    nx_httpd *httpd;
    nx__stream *stream;
    pthread_mutex_t lock; /* what follows */
    int64_t now;          /* simulated ns at `since` */
    nx_mono_ns since;
    bool running; /* the clock moves */
    int64_t runs_until;
    uint64_t n_requests, n_refused, n_failed;
    nx_mono_ns window_at; /* of the rate limits: counted a minute */
    int window_n;
    uint64_t n_tokens; /* Reddit tokens given out: the newest one counts */
    int token_used;
};

/* An Alpaca credential pair that this simulator takes. */
bool nx__sim_knows(const nx_sim *s, nx_str key, nx_str secret);

/* ------------------------------------------------------------------ REST */

/* Counts the request; *ret_ok false when a fault answered it. */
NX_MUST_USE nx_status nx__rest_fault(nx_sim *s, nx_httpd_resp *resp, bool *ret_ok);
/* Every Alpaca answer begins here: faults, rate limit, credentials. *ret_ok false: answered. */
NX_MUST_USE nx_status nx__rest_enter(nx_sim *s, const nx_httpd_req *req, nx_httpd_resp *resp, bool *ret_ok);
/* {"message":...} with a status; code 0 leaves the member out. */
NX_MUST_USE nx_status nx__rest_error(nx_httpd_resp *resp, int status, int64_t code, const char *fmt, ...)
    NX_PRINTF(4, 5);

typedef struct nx__range {
    nx_str symbols[256]; /* sorted, each once; point into `text` */
    size_t n_symbols;
    int64_t start, end; /* ns, both inclusive */
    size_t limit;
    nx_str token_symbol; /* of page_token; empty without */
    int64_t token_ts;
    int64_t token_seq;
    char text[4096], token[512];
} nx__range;

/* Reads symbols, start, end, limit, sort, page_token. *ret_ok false: an error was answered. one: the symbol of the
 * path, or empty. */
NX_MUST_USE nx_status nx__range_read(nx_sim *s, const nx_httpd_req *req, nx_str one, nx__range *r, nx_httpd_resp *resp,
                                     bool *ret_ok);
/* RFC 3339 with zone, or a date (its first or last moment in New York); false: neither. */
bool nx__time_read(nx_str text, bool last, int64_t *ret_ns);
void nx__token_write(char out[512], nx_str symbol, int64_t ts, int64_t seq);

nx_status nx__serve_bars(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_trades(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_single(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp,
                           nx_err *err); /* /v2/stocks/{symbol}/... */
nx_status nx__serve_assets(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_actions(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_calendar(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_clock(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_sim_clock(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_token(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_subreddit(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_info(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);
nx_status nx__serve_stream(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err);

/* Writers shared by REST and stream. */
void nx__jw_decimal(nx_jw *w, int64_t unscaled);
void nx__jw_time(nx_jw *w, int64_t ns);
void nx__jw_bar(nx_jw *w, const nx__bar *b); /* members o h l c v t n vw into an open object */
void nx__jw_conditions(nx_jw *w, const nx__trade *t, char tape);

/* Reddit's side: ids in base 36 and things as JSON. */
typedef struct nx__out {
    nx_jw w;
    bool raw_json; /* false: &, < and > become entities, as without raw_json=1 */
} nx__out;
void nx__base36_write(uint64_t v, char out[16]);
bool nx__base36_read(nx_str s, uint64_t *ret);
void nx__id_of_name(const char *name, uint64_t most, char out[16]); /* stable; below `most` */
void nx__text_member(nx__out *o, const char *key, const char *text);
void nx__seconds_member(nx_jw *w, const char *key, int64_t s);
void nx__int_member(nx_jw *w, const char *key, int64_t v);
void nx__bool_members(nx_jw *w, const char *const *keys, size_t n, bool v);
void nx__write_thing(nx__out *o, const nx__message *m, bool post);
NX_MUST_USE nx_status nx__to_ascii(nx_buf *body);

/* ------------------------------------------------------------------ stream */

/* A message of the stream: its type, its symbol and its JSON object, all inside the frame's memory. */
typedef struct nx__item {
    char type; /* t q b u d l c x ... */
    nx_str symbol, json;
} nx__item;

/* Where the stream's messages come from: tapes, or the live day. */
typedef struct nx__feed {
    nx_sim *sim;
    nx_lines *lines; /* of tape tape_at */
    size_t tape_at;
    int minute; /* of the live day, made into `events` */
    struct nx__event *events;
    size_t n_events, events_cap, event_at;
    nx_arena arena;  /* of the minute or line */
    nx__item *items; /* of the frame */
    size_t n_items, items_cap;
    int64_t ts; /* when the frame goes out, simulated ns */
} nx__feed;

void nx__feed_open(nx__feed *f, nx_sim *s);
void nx__feed_close(nx__feed *f);
/* The next frame into f->items and f->ts, not before the simulated instant `from`. NX_NOTHING: the end. */
NX_MUST_USE nx_status nx__feed_next(nx__feed *f, int64_t from, nx_err *err);
/* Cuts an array of flat objects into items. False: it is none. */
bool nx__tape_split(nx_str line, nx__feed *f, nx_str *ret_time);

NX_MUST_USE nx_status nx__stream_start(nx_sim *s, nx_err *err);
void nx__stream_stop(nx_sim *s); /* closes every connection and lets nobody in */
void nx__stream_drop(nx_sim *s); /* after the HTTP server ended */

#endif
