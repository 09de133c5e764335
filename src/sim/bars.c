#include <stdio.h>

#include "sim/sim_int.h"

/* ------------------------------------------------------------------ timeframes */

enum { DAY_MINUTES = 24 * 60 };

/* "5Min", "1T", "1Hour", "4H", "1Day" in minutes; false: none, or one that is not served. */
static bool read_timeframe(const char *text, int64_t *ret_minutes)
{
    size_t digits = strspn(text, "0123456789");
    int64_t n;
    if (digits == 0 || digits > 2 || !nx_str_to_i64((nx_str){text, digits}, &n) || n == 0)
        return false;
    const char *unit = text + digits;
    if ((strcmp(unit, "Min") == 0 || strcmp(unit, "T") == 0) && n <= 59)
        *ret_minutes = n;
    else if ((strcmp(unit, "Hour") == 0 || strcmp(unit, "H") == 0) && n <= 23)
        *ret_minutes = n * 60;
    else if ((strcmp(unit, "Day") == 0 || strcmp(unit, "D") == 0) && n == 1)
        *ret_minutes = DAY_MINUTES;
    else
        return false;
    return true;
}

/* Start of the interval that holds ts: days by New York's midnight, the rest from midnight UTC. */
static int64_t bucket_of(int64_t ts, int64_t minutes)
{
    if (minutes == DAY_MINUTES)
        return nx__ny_ns(nx_ny_date_of_us(ts / 1000), 0);
    int64_t day = DAY_MINUTES * NX__NS_MIN, at = ts % day;
    return ts - at + at / (minutes * NX__NS_MIN) * (minutes * NX__NS_MIN);
}

/* When the interval's bar is final. */
static int64_t final_at(int64_t bucket, int64_t minutes)
{
    return minutes == DAY_MINUTES ? bucket + 16 * 60 * NX__NS_MIN : bucket + minutes * NX__NS_MIN;
}

/* ------------------------------------------------------------------ folding */

typedef struct fold {
    const nx__series *s;
    size_t at;
    int64_t minutes;
} fold;

/* The coarsest stored series from which the timeframe can be made; NULL when there is none. */
static const nx__series *find_series(const nx__world *w, nx_str symbol, int64_t minutes)
{
    const nx__series *best = NULL;
    for (size_t i = 0; i < w->n_series; i++) {
        const nx__series *s = &w->series[i];
        if (nx_str_is(symbol, s->symbol) && minutes * NX__NS_MIN % s->step == 0 &&
            (best == NULL || s->step > best->step))
            best = s;
    }
    return best;
}

static fold fold_from(const nx__series *s, int64_t minutes, int64_t ts)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->bars[mid].ts < ts)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (fold){s, lo, minutes};
}

/* The next bar of the wanted timeframe; false at the end. */
static bool fold_next(fold *f, nx__bar *ret)
{
    if (f->at == f->s->n)
        return false;
    const nx__bar *b = &f->s->bars[f->at++];
    *ret = *b;
    if (f->s->step == f->minutes * NX__NS_MIN)
        return true;
    ret->ts = bucket_of(b->ts, f->minutes);
    __int128 money = (__int128)(b->vw < 0 ? 0 : b->vw) * b->v;
    for (; f->at < f->s->n && bucket_of(f->s->bars[f->at].ts, f->minutes) == ret->ts; f->at++) {
        b = &f->s->bars[f->at];
        ret->h = b->h > ret->h ? b->h : ret->h;
        ret->l = b->l < ret->l ? b->l : ret->l;
        ret->c = b->c;
        ret->v += b->v;
        ret->n = ret->n < 0 || b->n < 0 ? -1 : ret->n + b->n;
        ret->vw = ret->vw < 0 || b->vw < 0 ? -1 : ret->vw;
        money += (__int128)(b->vw < 0 ? 0 : b->vw) * b->v;
    }
    if (ret->vw >= 0 && ret->v > 0)
        ret->vw = (int64_t)((money + ret->v / 2) / ret->v);
    return true;
}

/* ------------------------------------------------------------------ answers */

/* A page: symbols in order, each with its rows, until the limit; then the token of the last row written. */
typedef struct page {
    nx_jw w;
    bool single, open; /* open: a symbol's list is open */
    size_t n;
    nx_str last_symbol; /* of the last row written: what the token says */
    int64_t last_ts, last_seq;
} page;

static void page_begin(page *p, nx_httpd_resp *resp, const char *key, bool single)
{
    *p = (page){.single = single};
    nx_jw_begin(&p->w, &resp->body);
    nx_jw_obj(&p->w);
    nx_jw_key(&p->w, key);
    if (single)
        nx_jw_arr(&p->w);
    else
        nx_jw_obj(&p->w);
}

static void page_row(page *p, nx_str symbol)
{
    if (!p->single && !p->open) {
        nx_jw_key_str(&p->w, symbol);
        nx_jw_arr(&p->w);
    }
    p->open = true;
    p->n++;
}

static void page_close_symbol(page *p)
{
    if (!p->single && p->open)
        nx_jw_arr_end(&p->w);
    p->open = false;
}

static nx_status page_end(page *p, nx_str symbol, bool more)
{
    char token[512];
    if (p->single) {
        nx_jw_arr_end(&p->w);
        nx_jw_key(&p->w, "symbol");
        nx_jw_str(&p->w, symbol);
    } else {
        nx_jw_obj_end(&p->w);
    }
    nx_jw_key(&p->w, "next_page_token");
    if (more)
        nx__token_write(token, p->last_symbol, p->last_ts, p->last_seq);
    nx_jw_cstr(&p->w, more ? token : NULL);
    nx_jw_obj_end(&p->w);
    return nx_jw_end(&p->w);
}

/* Rows of one symbol; false: the page is full. */
static bool write_bars(nx_sim *s, page *p, const nx__range *r, nx_str symbol, int64_t minutes)
{
    const nx__series *series = find_series(&s->world, symbol, minutes);
    if (series == NULL)
        return true;
    bool resumed = nx_str_eq(symbol, r->token_symbol);
    int64_t from = resumed && r->token_ts >= r->start ? r->token_ts + 1 : r->start, now = nx_sim_now(s);
    fold f = fold_from(series, minutes, from);
    nx__bar b;
    while (fold_next(&f, &b)) {
        if (b.ts < from)
            continue;
        if (b.ts > r->end || (!s->world.from_files && final_at(b.ts, minutes) > now))
            break;
        if (p->n == r->limit)
            return false;
        page_row(p, symbol);
        nx_jw_obj(&p->w);
        nx_jw_key(&p->w, "t");
        nx__jw_time(&p->w, b.ts);
        nx__jw_bar(&p->w, &b);
        nx_jw_obj_end(&p->w);
        p->last_symbol = symbol;
        p->last_ts = b.ts;
    }
    return true;
}

static bool trade_after(const nx__trade *t, int64_t ts, int64_t id)
{
    return t->ts != ts ? t->ts > ts : t->id > id;
}

static void write_trade(page *p, const nx__trade *t, char tape)
{
    static const char *const updates[] = {"canceled", "incorrect", "corrected"};
    nx_jw_obj(&p->w);
    nx_jw_key(&p->w, "t");
    nx__jw_time(&p->w, t->ts);
    nx_jw_key(&p->w, "x");
    nx_jw_str(&p->w, (nx_str){&t->exchange, 1});
    nx_jw_key(&p->w, "p");
    nx__jw_decimal(&p->w, t->price);
    nx_jw_key(&p->w, "s");
    nx_jw_i64(&p->w, t->size);
    nx__jw_conditions(&p->w, t, tape);
    nx_jw_key(&p->w, "i");
    nx_jw_i64(&p->w, t->id);
    nx_jw_key(&p->w, "z");
    nx_jw_str(&p->w, (nx_str){&tape, 1});
    if (t->update != 0) {
        nx_jw_key(&p->w, "u");
        nx_jw_cstr(&p->w, updates[t->update == 'x' ? 0 : t->update == 'i' ? 1 : 2]);
    }
    nx_jw_obj_end(&p->w);
}

static bool write_trades(nx_sim *s, page *p, const nx__range *r, nx_str symbol)
{
    size_t k = 0;
    while (k < NX__SYMBOLS && !nx_str_is(symbol, nx__symbols[k].symbol))
        k++;
    if (k == NX__SYMBOLS)
        return true;
    const nx__tape *tape = &s->world.tapes[k];
    bool resumed = nx_str_eq(symbol, r->token_symbol);
    int64_t now = nx_sim_now(s);
    for (size_t i = 0; i < tape->n; i++) {
        const nx__trade *t = &tape->trades[i];
        if (t->ts < r->start || (resumed && !trade_after(t, r->token_ts, r->token_seq)))
            continue;
        if (t->ts > r->end || t->ts > now)
            break;
        if (p->n == r->limit)
            return false;
        page_row(p, symbol);
        write_trade(p, t, nx__symbols[k].tape);
        p->last_symbol = symbol;
        p->last_ts = t->ts;
        p->last_seq = t->id;
    }
    return true;
}

static nx_status serve(nx_sim *s, const nx_httpd_req *req, nx_httpd_resp *resp, bool bars, nx_str one)
{
    nx__range r;
    bool ok;
    int64_t minutes = 0;
    NX_TRY(nx__rest_enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    NX_TRY(nx__range_read(s, req, one, &r, resp, &ok));
    if (!ok)
        return NX_OK;
    const char *timeframe = nx_httpd_query(req, "timeframe"), *adjustment = nx_httpd_query(req, "adjustment");
    if (bars && (timeframe == NULL || !read_timeframe(timeframe, &minutes)))
        return nx__rest_error(resp, 400, 0, "invalid timeframe: %s", timeframe == NULL ? "" : timeframe);
    if (bars && adjustment != NULL && strcmp(adjustment, "raw") != 0)
        return nx__rest_error(resp, 400, 0, "this look-alike serves adjustment=raw only");
    page p;
    page_begin(&p, resp, bars ? "bars" : "trades", one.n > 0);
    bool more = false;
    for (size_t i = 0; i < r.n_symbols && !more; i++) {
        if (r.token_symbol.n > 0 && nx_str_cmp(r.symbols[i], r.token_symbol) < 0)
            continue;
        more = bars ? !write_bars(s, &p, &r, r.symbols[i], minutes) : !write_trades(s, &p, &r, r.symbols[i]);
        page_close_symbol(&p);
    }
    return page_end(&p, one, more);
}

nx_status nx__serve_bars(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    (void)err;
    return serve(ctx, req, resp, true, (nx_str){NULL, 0});
}

nx_status nx__serve_trades(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    (void)err;
    return serve(ctx, req, resp, false, (nx_str){NULL, 0});
}

nx_status nx__serve_single(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_str rest = nx_str_sub(req->path, sizeof "/v2/stocks/" - 1, req->path.n), symbol = {NULL, 0};
    (void)err;
    if (nx_str_split(&rest, '/', &symbol) && symbol.n > 0 && nx_str_is(rest, "bars"))
        return serve(ctx, req, resp, true, symbol);
    if (symbol.n > 0 && nx_str_is(rest, "trades"))
        return serve(ctx, req, resp, false, symbol);
    return nx__rest_error(resp, 404, 0, "endpoint not found.");
}
