#include <stdlib.h>

#include "base/log.h"
#include "sim/sim_int.h"

/* A message of the live day and when it goes out. */
typedef struct nx__event {
    int64_t at;
    uint32_t order;
    nx__item item;
} nx__event;

enum { FRAME_NS = 250000000, QUOTES_A_TRADE = 3 };

void nx__feed_open(nx__feed *f, nx_sim *s)
{
    *f = (nx__feed){.sim = s};
    nx_arena_init(&f->arena, (size_t)64 << 20);
}

void nx__feed_close(nx__feed *f)
{
    nx_lines_close(f->lines);
    free(f->events);
    free(f->items);
    nx_arena_drop(&f->arena);
}

/* ------------------------------------------------------------------ one message each */

static void begin(nx_jw *w, nx_buf *b, const char *type, const char *symbol)
{
    nx_buf_init(b, 4096);
    nx_jw_begin(w, b);
    nx_jw_obj(w);
    nx_jw_key(w, "T");
    nx_jw_cstr(w, type);
    nx_jw_key(w, "S");
    nx_jw_cstr(w, symbol);
}

static void chars(nx_jw *w, const char *key, char ch)
{
    nx_jw_key(w, key);
    nx_jw_str(w, (nx_str){&ch, 1});
}

static void price(nx_jw *w, const char *key, int64_t v)
{
    nx_jw_key(w, key);
    nx__jw_decimal(w, v);
}

static void number(nx_jw *w, const char *key, int64_t v)
{
    nx_jw_key(w, key);
    nx_jw_i64(w, v);
}

/* Closes the object with its time and queues it. */
static nx_status end(nx__feed *f, nx_jw *w, nx_buf *b, int64_t at, int64_t ts, char type, const char *symbol)
{
    nx_jw_key(w, "t");
    nx__jw_time(w, ts);
    nx_jw_obj_end(w);
    nx_status st = nx_jw_end(w);
    char *text = st == NX_OK ? nx_arena_dup(&f->arena, nx_buf_str(b)) : NULL;
    size_t n = b->n;
    nx_buf_drop(b);
    if (text == NULL || !nx_grow(&f->events, &f->events_cap, f->n_events + 1, sizeof *f->events))
        return NX_NOMEM;
    f->events[f->n_events] = (nx__event){at, (uint32_t)f->n_events, {type, nx_str_of(symbol), {text, n}}};
    f->n_events++;
    return NX_OK;
}

static nx_status add_quote(nx__feed *f, const nx__symbol *s, nx_rand *r, const nx__trade *t, int64_t ts)
{
    nx_jw w;
    nx_buf b;
    int64_t cent = NX__PRICE / 100, spread = cent * (1 + (int64_t)nx_rand_below(r, 3));
    begin(&w, &b, "q", s->symbol);
    chars(&w, "bx", t->exchange == 'D' ? s->listed : t->exchange);
    price(&w, "bp", t->price > spread ? t->price - spread : t->price);
    number(&w, "bs", 100 * (1 + (int64_t)nx_rand_below(r, 9)));
    chars(&w, "ax", s->listed);
    price(&w, "ap", t->price + spread);
    number(&w, "as", 100 * (1 + (int64_t)nx_rand_below(r, 9)));
    nx_jw_key(&w, "c");
    nx_jw_arr(&w);
    nx_jw_cstr(&w, "R");
    nx_jw_arr_end(&w);
    chars(&w, "z", s->tape);
    return end(f, &w, &b, ts, ts, 'q', s->symbol);
}

static nx_status add_trade(nx__feed *f, const nx__symbol *s, const nx__trade *t)
{
    nx_jw w;
    nx_buf b;
    begin(&w, &b, "t", s->symbol);
    number(&w, "i", t->id);
    chars(&w, "x", t->exchange);
    price(&w, "p", t->price);
    number(&w, "s", t->size);
    nx__jw_conditions(&w, t, s->tape);
    chars(&w, "z", s->tape);
    return end(f, &w, &b, t->ts, t->ts, 't', s->symbol);
}

/* The withdrawal of a trade, three seconds later. */
static nx_status add_cancel(nx__feed *f, const nx__symbol *s, const nx__trade *t)
{
    nx_jw w;
    nx_buf b;
    int64_t at = t->ts + 3 * NX__NS_S;
    begin(&w, &b, "x", s->symbol);
    number(&w, "i", t->id);
    chars(&w, "x", t->exchange);
    price(&w, "p", t->price);
    number(&w, "s", t->size);
    chars(&w, "a", 'C');
    chars(&w, "z", s->tape);
    return end(f, &w, &b, at, at, 'x', s->symbol);
}

static void half_correction(nx_jw *w, const nx__trade *t, char tape, const char *const keys[4])
{
    number(w, keys[0], t->id);
    price(w, keys[1], t->price);
    number(w, keys[2], t->size);
    nx_jw_key(w, keys[3]);
    nx_jw_arr(w);
    nx_jw_cstr(w, tape == 'C' ? "@" : " ");
    nx_jw_arr_end(w);
}

/* What replaces a trade, two seconds later. */
static nx_status add_correction(nx__feed *f, const nx__symbol *s, const nx__trade *old, const nx__trade *new)
{
    nx_jw w;
    nx_buf b;
    int64_t at = old->ts + 2 * NX__NS_S;
    begin(&w, &b, "c", s->symbol);
    chars(&w, "x", old->exchange);
    half_correction(&w, old, s->tape, (const char *const[4]){"oi", "op", "os", "oc"});
    half_correction(&w, new, s->tape, (const char *const[4]){"ci", "cp", "cs", "cc"});
    chars(&w, "z", s->tape);
    return end(f, &w, &b, at, at, 'c', s->symbol);
}

static nx_status add_bar(nx__feed *f, const nx__symbol *s, const nx__bar *bar, char type, int64_t at)
{
    nx_jw w;
    nx_buf b;
    begin(&w, &b, (const char[]){type, '\0'}, s->symbol);
    nx__jw_bar(&w, bar);
    return end(f, &w, &b, at, bar->ts, type, s->symbol);
}

static nx_status add_luld(nx__feed *f, const nx__symbol *s, const nx__bar *bar)
{
    nx_jw w;
    nx_buf b;
    int64_t cent = NX__PRICE / 100, at = bar->ts + NX__NS_S;
    begin(&w, &b, "l", s->symbol);
    price(&w, "u", bar->o / 100 * 105 / cent * cent);
    price(&w, "d", bar->o / 100 * 95 / cent * cent);
    chars(&w, "i", 'A');
    chars(&w, "z", s->tape);
    return end(f, &w, &b, at, at, 'l', s->symbol);
}

/* ------------------------------------------------------------------ a minute of the live day */

static nx_status make_trades(nx__feed *f, size_t k, int minute, int64_t from)
{
    const nx__world *w = &f->sim->world;
    const nx__tape *tape = &w->tapes[k];
    nx_rand r = nx__world_rand(w, NX__FOR_QUOTES, k, minute);
    for (size_t i = 0; i < tape->n; i++) {
        const nx__trade *t = &tape->trades[i];
        if (t->ts < from || t->ts >= from + NX__NS_MIN || t->update == 'c')
            continue;
        for (int q = QUOTES_A_TRADE; q > 0; q--)
            NX_TRY(add_quote(f, &nx__symbols[k], &r, t, t->ts - q * 900000 - (int64_t)nx_rand_below(&r, 400) * 1000));
        NX_TRY(add_trade(f, &nx__symbols[k], t));
        if (t->update == 'x')
            NX_TRY(add_cancel(f, &nx__symbols[k], t));
        if (t->update == 'i' && i + 1 < tape->n)
            NX_TRY(add_correction(f, &nx__symbols[k], t, &tape->trades[i + 1]));
    }
    return NX_OK;
}

/* The bars of the minute before: at its end, and for some of them a better one half a minute later. */
static nx_status make_bars(nx__feed *f, size_t k, int64_t from)
{
    const nx__series *s = &f->sim->world.series[k];
    int64_t open = nx_sim_open(f->sim, f->sim->world.sessions), minute = from - NX__NS_MIN;
    nx__bar day = {0};
    for (size_t i = 0; i < s->n && s->bars[i].ts <= minute; i++) {
        const nx__bar *b = &s->bars[i];
        if (b->ts < open)
            continue;
        if (day.v == 0)
            day =
                (nx__bar){nx__ny_ns(f->sim->world.day[f->sim->world.sessions], 0), b->o, b->h, b->l, b->c, 0, 0, b->vw};
        day.h = b->h > day.h ? b->h : day.h;
        day.l = b->l < day.l ? b->l : day.l;
        day.c = b->c;
        day.vw = (int64_t)(((__int128)day.vw * day.v + (__int128)b->vw * b->v) / (day.v + b->v));
        day.v += b->v;
        day.n += b->n;
        if (b->ts != minute)
            continue;
        nx__bar early = *b;
        bool late_trade = b->v % 40 == 0 && b->v > 200 && b->n > 1;
        early.v -= late_trade ? 100 : 0;
        early.n -= late_trade ? 1 : 0;
        NX_TRY(add_bar(f, &nx__symbols[k], &early, 'b', from + 700000000 + (int64_t)k * 1000000));
        if (late_trade)
            NX_TRY(add_bar(f, &nx__symbols[k], b, 'u', from + 29 * NX__NS_S));
        if (b->ts == open)
            NX_TRY(add_luld(f, &nx__symbols[k], b));
    }
    return day.v == 0 ? NX_OK : add_bar(f, &nx__symbols[k], &day, 'd', from + 750000000 + (int64_t)k * 1000000);
}

static int by_moment(const void *pa, const void *pb)
{
    const nx__event *a = pa, *b = pb;
    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* Everything that goes out in the minute; withdrawals may reach a few seconds into the next. */
static nx_status make_minute(nx__feed *f, int minute, int last, nx_err *err)
{
    int64_t from = nx_sim_open(f->sim, f->sim->world.sessions) + minute * NX__NS_MIN;
    nx_arena_reset(&f->arena);
    f->n_events = f->event_at = 0;
    for (size_t k = 0; k < NX__SYMBOLS; k++) {
        if ((minute < last && make_trades(f, k, minute, from) != NX_OK) ||
            (minute > 0 && make_bars(f, k, from) != NX_OK))
            return nx_fail(err, NX_NOMEM, "could not make the live day");
    }
    if (f->n_events > 1)
        qsort(f->events, f->n_events, sizeof *f->events, by_moment);
    return NX_OK;
}

static nx_status next_live(nx__feed *f, int64_t from, nx_err *err)
{
    int last = f->sim->opts.live_minutes;
    while (f->event_at < f->n_events && f->events[f->event_at].at < from)
        f->event_at++;
    while (f->event_at == f->n_events) {
        if (f->minute > last)
            return NX_NOTHING;
        NX_TRY(make_minute(f, f->minute++, last, err));
        while (f->event_at < f->n_events && f->events[f->event_at].at < from)
            f->event_at++;
    }
    f->n_items = 0;
    f->ts = f->events[f->event_at].at;
    int64_t slot = f->ts / FRAME_NS;
    for (; f->event_at < f->n_events && f->events[f->event_at].at / FRAME_NS == slot; f->event_at++) {
        if (!nx_grow(&f->items, &f->items_cap, f->n_items + 1, sizeof *f->items))
            return nx_nomem(err);
        f->ts = f->events[f->event_at].at; /* a frame leaves with its last message */
        f->items[f->n_items++] = f->events[f->event_at].item;
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ tapes */

static nx_status next_line(nx__feed *f, nx_str *line, nx_err *err)
{
    const nx_sim_opts *o = &f->sim->opts;
    for (;;) {
        if (f->lines == NULL) {
            if (f->tape_at == o->n_tapes)
                return NX_NOTHING;
            NX_TRY(nx_lines_open(o->tapes[f->tape_at], 0, &f->lines, err));
        }
        nx_status st = nx_lines_next(f->lines, line, err);
        if (st != NX_NOTHING)
            return st;
        nx_lines_close(f->lines);
        f->lines = NULL;
        f->tape_at++;
    }
}

static nx_status next_of_tape(nx__feed *f, nx_err *err)
{
    nx_str line, time;
    do
        NX_TRY(next_line(f, &line, err));
    while (nx_str_trim(line).n == 0);
    if (!nx__tape_split(line, f, &time))
        return nx_fail(err, NX_INVALID, "could not play %s: line %llu is no array of messages",
                       f->sim->opts.tapes[f->tape_at], (unsigned long long)nx_lines_number(f->lines));
    int64_t ts;
    if (time.n > 0 && nx_time_parse_ns(time, &ts))
        f->ts = ts; /* one without a time leaves with its forerunner */
    return NX_OK;
}

nx_status nx__feed_next(nx__feed *f, int64_t from, nx_err *err)
{
    if (f->sim->opts.n_tapes > 0)
        return next_of_tape(f, err);
    if (f->sim->world.from_files)
        return NX_NOTHING;
    return next_live(f, from, err);
}
