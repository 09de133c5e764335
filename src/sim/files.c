#include <stdlib.h>

#include "data/decimal.h"
#include "sim/sim_int.h"

typedef struct place {
    const char *path;
    uint64_t line;
} place;

static nx_status bad(const place *p, nx_err *err, const char *what)
{
    nx_fail(err, NX_INVALID, "could not load %s: line %llu: %s", p->path, (unsigned long long)p->line, what);
    return nx_err_hint(err, NX_INVALID, "the file must hold one REST answer a line, as the vendor sends it");
}

/* Calls fn with the parsed tree of every line that is not empty. */
static nx_status each_page(nx__world *w, const char *path,
                           nx_status (*fn)(nx__world *w, const place *p, const nx_val *page, nx_err *err), nx_err *err)
{
    nx_lines *l;
    NX_TRY(nx_lines_open(path, 0, &l, err));
    nx_arena a;
    nx_arena_init(&a, (size_t)1 << 30);
    nx_str text;
    nx_status st;
    const nx_json_opts json = {.allow_dup_keys = true};
    while ((st = nx_lines_next(l, &text, err)) == NX_OK) {
        place p = {path, nx_lines_number(l)};
        nx_val *page;
        if (nx_str_trim(text).n == 0)
            continue;
        st = nx_json_parse(text, &json, &a, &page, err);
        if (st != NX_OK)
            nx_err_prefix(err, "could not load %s: line %llu", path, (unsigned long long)p.line);
        else
            st = fn(w, &p, page, err);
        if (st != NX_OK)
            break;
        nx_arena_reset(&a);
    }
    nx_arena_drop(&a);
    nx_lines_close(l);
    return st == NX_NOTHING ? NX_OK : st;
}

/* ------------------------------------------------------------------ bars */

static nx_status series_of(nx__world *w, nx_str symbol, nx__series **ret)
{
    for (size_t i = 0; i < w->n_series; i++)
        if (nx_str_is(symbol, w->series[i].symbol) && w->series[i].step == 0) {
            *ret = &w->series[i];
            return NX_OK;
        }
    if (!nx_grow(&w->series, &w->series_cap, w->n_series + 1, sizeof *w->series))
        return NX_NOMEM;
    nx__series *s = &w->series[w->n_series];
    *s = (nx__series){.symbol = nx_arena_dup(&w->arena, symbol)}; /* step 0: still loading */
    if (s->symbol == NULL)
        return NX_NOMEM;
    w->n_series++;
    *ret = s;
    return NX_OK;
}

/* A number as an integer of 10^-scale; dflt when the member is absent. */
static bool read_number(const nx_val *v, int scale, int64_t dflt, int64_t *ret)
{
    __int128 x;
    if (v == NULL) {
        *ret = dflt;
        return dflt < 0;
    }
    if (v->kind != NX_VAL_NUM || nx_dec_parse(v->s, 18, scale, &x) != NX_DEC_OK)
        return false;
    *ret = (int64_t)x;
    return true;
}

static nx_status add_bar(nx__series *s, const place *p, const nx_val *v, nx_err *err)
{
    nx__bar b;
    if (!nx_time_parse_ns(nx_val_str(nx_val_get(v, "t"), NX_STR("")), &b.ts))
        return bad(p, err, "a bar without a time \"t\"");
    if (!read_number(nx_val_get(v, "o"), 6, 0, &b.o) || !read_number(nx_val_get(v, "h"), 6, 0, &b.h) ||
        !read_number(nx_val_get(v, "l"), 6, 0, &b.l) || !read_number(nx_val_get(v, "c"), 6, 0, &b.c) ||
        !read_number(nx_val_get(v, "v"), 0, 0, &b.v) || !read_number(nx_val_get(v, "n"), 0, -1, &b.n) ||
        !read_number(nx_val_get(v, "vw"), 6, -1, &b.vw))
        return bad(p, err, "a bar whose o, h, l, c (6 decimals at most), v, n or vw is missing or no fitting number");
    if (!nx_grow(&s->bars, &s->cap, s->n + 1, sizeof *s->bars))
        return nx_nomem(err);
    s->bars[s->n++] = b;
    return NX_OK;
}

static nx_status take_bars_page(nx__world *w, const place *p, const nx_val *page, nx_err *err)
{
    const nx_val *map = nx_val_get(page, "bars");
    if (map == NULL || map->kind != NX_VAL_OBJ)
        return bad(p, err, "no object \"bars\" with a list a symbol");
    for (size_t i = 0; i < map->n; i++) {
        nx__series *s;
        if (series_of(w, map->keys[i], &s) != NX_OK)
            return nx_nomem(err);
        if (map->items[i].kind != NX_VAL_ARR)
            return bad(p, err, "the bars of a symbol are no list");
        for (size_t k = 0; k < map->items[i].n; k++)
            NX_TRY(add_bar(s, p, &map->items[i].items[k], err));
    }
    return NX_OK;
}

static int by_ts(const void *pa, const void *pb)
{
    const nx__bar *a = pa, *b = pb;
    return a->ts < b->ts ? -1 : a->ts > b->ts;
}

/* The smallest distance tells minutes, hours and days apart. */
static void finish_series(nx__series *s)
{
    qsort(s->bars, s->n, sizeof *s->bars, by_ts);
    int64_t least = INT64_MAX, hour = 60 * NX__NS_MIN;
    for (size_t i = 1; i < s->n; i++)
        if (s->bars[i].ts > s->bars[i - 1].ts && s->bars[i].ts - s->bars[i - 1].ts < least)
            least = s->bars[i].ts - s->bars[i - 1].ts;
    s->step = least >= 22 * hour    ? 24 * hour
              : least >= hour       ? least / hour * hour
              : least >= NX__NS_MIN ? least / NX__NS_MIN * NX__NS_MIN
                                    : NX__NS_MIN;
}

static void add_extra_symbol(nx__world *w, const char *symbol)
{
    for (size_t i = 0; i < NX__SYMBOLS; i++)
        if (strcmp(nx__symbols[i].symbol, symbol) == 0)
            return;
    for (size_t i = 0; i < w->n_extra; i++)
        if (strcmp(w->extra_symbols[i], symbol) == 0)
            return;
    if (w->n_extra < NX_COUNT_OF(w->extra_symbols))
        w->extra_symbols[w->n_extra++] = symbol;
}

nx_status nx__bars_load(nx__world *w, const char *path, nx_err *err)
{
    size_t before = w->n_series;
    NX_TRY(each_page(w, path, take_bars_page, err));
    for (size_t i = before; i < w->n_series; i++) {
        finish_series(&w->series[i]);
        add_extra_symbol(w, w->series[i].symbol);
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ listings */

static nx_status add_child(nx__world *w, const place *p, const nx_val *child, nx_err *err)
{
    nx_str kind = nx_val_str(nx_val_get(child, "kind"), NX_STR(""));
    const nx_val *data = nx_val_get(child, "data");
    bool post = nx_str_is(kind, "t3");
    if (!post && !nx_str_is(kind, "t1"))
        return bad(p, err, "a child that is neither t3 nor t1");
    nx_str id = nx_val_str(nx_val_get(data, "id"), NX_STR("")),
           sub = nx_val_str(nx_val_get(data, "subreddit"), NX_STR(""));
    double created = nx_val_f64(nx_val_get(data, "created_utc"), -1);
    nx__message m = {.created = (int64_t)created};
    if (!nx__base36_read(id, &m.id) || sub.n == 0 || created < 0)
        return bad(p, err, "a child without id, subreddit or created_utc");
    nx_buf json;
    nx_buf_init(&json, 0);
    nx_status st = nx_val_to_json(data, &json);
    m.subreddit = nx_arena_dup(&w->arena, sub);
    m.raw = st == NX_OK ? nx_arena_dup(&w->arena, nx_buf_str(&json)) : NULL;
    m.raw_n = json.n;
    nx_buf_drop(&json);
    nx__talk *t = post ? &w->posts : &w->comments;
    if (m.subreddit == NULL || m.raw == NULL || !nx_grow(&t->items, &t->cap, t->n + 1, sizeof *t->items))
        return nx_nomem(err);
    t->items[t->n++] = m;
    return NX_OK;
}

static nx_status take_listing_page(nx__world *w, const place *p, const nx_val *page, nx_err *err)
{
    const nx_val *children = nx_val_path(page, "data.children");
    if (children == NULL || children->kind != NX_VAL_ARR)
        return bad(p, err, "no list data.children");
    for (size_t i = 0; i < children->n; i++)
        NX_TRY(add_child(w, p, &children->items[i], err));
    return NX_OK;
}

nx_status nx__listing_load(nx__world *w, const char *path, nx_err *err)
{
    return each_page(w, path, take_listing_page, err);
}
