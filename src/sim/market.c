#include <math.h>

#include "sim/sim_int.h"

enum { TRADES_PAST = 80, TRADES_LIVE_A_MINUTE = 4 };

/* How strongly a standard deviation of talk moves the next session's volatility (its logarithm). */
static const double REACTION = 0.5;

static int64_t to_cents(double price)
{
    int64_t cents = llround(price * 100);
    return (cents < 1 ? 1 : cents) * (NX__PRICE / 100);
}

static double volatility_of(const nx__world *w, size_t k, int session)
{
    const nx__symbol *s = &nx__symbols[k];
    nx_rand r = nx__world_rand(w, NX__FOR_VOLATILITY, k, session);
    double own = nx_rand_normal(&r);
    if (!s->reacts)
        return s->volatility * exp(0.30 * own);
    return s->volatility * exp(0.18 * own + (session == 0 ? 0 : REACTION * w->attention[k][session - 1]));
}

/* One minute: a step of the walk with highs and lows around it. */
static nx__bar make_bar(nx_rand *r, int64_t ts, double *price, double step, double volume)
{
    double o = *price, c = o * exp(step * nx_rand_normal(r));
    double up = fabs(nx_rand_normal(r)) * step * 0.35, down = fabs(nx_rand_normal(r)) * step * 0.35;
    double h = (o > c ? o : c) * (1 + up), l = (o < c ? o : c) * (1 - down);
    double shares = volume * exp(0.45 * nx_rand_normal(r));
    nx__bar b = {.ts = ts, .o = to_cents(o), .h = to_cents(h), .l = to_cents(l), .c = to_cents(c)};
    b.h = b.h < b.o ? b.o : b.h;
    b.h = b.h < b.c ? b.c : b.h;
    b.l = b.l > b.o ? b.o : b.l;
    b.l = b.l > b.c ? b.c : b.l;
    b.v = llround(shares) + 1;
    b.n = b.v / 90 + 1;
    b.vw = (b.o + b.h + b.l + b.c * 3) / 6;
    *price = c;
    return b;
}

static nx_status add_trade(nx__tape *t, nx__trade trade)
{
    if (!nx_grow(&t->trades, &t->cap, t->n + 1, sizeof *t->trades))
        return NX_NOMEM;
    t->trades[t->n++] = trade;
    return NX_OK;
}

/* n trades inside a bar, in order of time; now and then one is corrected or cancelled. */
static nx_status make_trades(nx__tape *tape, nx_rand *r, const nx__bar *b, int n, int64_t *next_id)
{
    static const char venues[] = {'V', 'Q', 'N', 'K', 'D', 'P'};
    for (int i = 0; i < n; i++) {
        int64_t span = (b->h - b->l) / (NX__PRICE / 100) + 1;
        nx__trade t = {.ts = b->ts + NX__NS_MIN / n * i + (int64_t)nx_rand_below(r, (uint64_t)(NX__NS_MIN / n)),
                       .id = (*next_id)++};
        t.price = i == 0 && n > 1 ? b->o : b->l + (int64_t)nx_rand_below(r, (uint64_t)span) * (NX__PRICE / 100);
        t.exchange = venues[nx_rand_below(r, sizeof venues)];
        bool odd = nx_rand_below(r, 5) == 0;
        t.size = odd ? 1 + (int64_t)nx_rand_below(r, 99) : 100 * (1 + (int64_t)nx_rand_below(r, 5));
        t.conditions = odd ? 1 : nx_rand_below(r, 7) == 0 ? 2 : 0;
        uint64_t luck = nx_rand_below(r, 400);
        t.update = luck == 0 ? 'x' : luck == 1 ? 'i' : 0;
        NX_TRY(add_trade(tape, t));
        if (t.update == 'i') { /* its replacement: a new id, another price, a moment later in the list */
            nx__trade fixed = t;
            fixed.id = (*next_id)++;
            fixed.update = 'c';
            fixed.price = b->c;
            NX_TRY(add_trade(tape, fixed));
        }
    }
    return NX_OK;
}

static double day_shape(int minute) /* more at the open and the close */
{
    double x = (minute - 195.0) / 195.0;
    return 0.8 + 0.6 * x * x;
}

static nx_status make_session(nx__world *w, size_t k, int session, nx__series *out, double *price, nx_err *err)
{
    const nx__symbol *s = &nx__symbols[k];
    nx_rand r = nx__world_rand(w, NX__FOR_BARS, k, session), rt = nx__world_rand(w, NX__FOR_TRADES, k, session);
    double vol = volatility_of(w, k, session), step = vol / sqrt((double)NX__SESSION_MINUTES), volume = s->volume;
    bool splits = strcmp(s->symbol, "NVDA") == 0;
    if (session == w->split_at && splits)
        *price /= 4;
    if (session >= w->split_at && splits)
        volume *= 4;
    if (session == w->dividend_at && strcmp(s->symbol, "MSFT") == 0)
        *price -= 0.83;
    *price *= exp(0.25 * s->volatility * nx_rand_normal(&r)); /* overnight */
    bool live = session == w->sessions;
    int64_t open = nx__ny_ns(w->day[session], 9 * 60 + 30), next_id = 1;
    for (int m = 0; m < NX__SESSION_MINUTES; m++) {
        nx__bar b = make_bar(&r, open + m * NX__NS_MIN, price, step * sqrt(day_shape(m)),
                             volume * day_shape(m) * (vol / s->volatility));
        if (s->volume < 4000 && nx_rand_below(&r, 150) == 0)
            continue; /* a minute without a trade has no bar */
        if (!nx_grow(&out->bars, &out->cap, out->n + 1, sizeof *out->bars))
            return nx_nomem(err);
        out->bars[out->n++] = b;
        int n = live ? TRADES_LIVE_A_MINUTE : (int)(nx_rand_below(&rt, NX__SESSION_MINUTES) < TRADES_PAST);
        if (make_trades(&w->tapes[k], &rt, &b, n, &next_id) != NX_OK)
            return nx_nomem(err);
    }
    return NX_OK;
}

nx_status nx__market_make(nx__world *w, nx_err *err)
{
    if (!nx_grow(&w->series, &w->series_cap, NX__SYMBOLS, sizeof *w->series))
        return nx_nomem(err);
    for (size_t k = 0; k < NX__SYMBOLS; k++) {
        nx__series *s = &w->series[w->n_series++];
        *s = (nx__series){.symbol = nx__symbols[k].symbol, .step = NX__NS_MIN};
        double price = nx__symbols[k].price;
        for (int i = 0; i <= w->sessions; i++)
            NX_TRY(make_session(w, k, i, s, &price, err));
    }
    return NX_OK;
}
