#include "enrich/mentions.h"

#include <stdlib.h>

#include "base/map.h"
#include "enrich/mentions_int.h"

/* Shares of true mentions measured on labelled comments, by rule (README). */
static const double CONFIDENCE_CASHTAG = 0.98, CONFIDENCE_LONG = 0.95, CONFIDENCE_THREE = 0.91, CONFIDENCE_TWO = 0.83,
                    CONFIDENCE_EVIDENCE = 0.78;

enum { SYMBOL_MAX = 8 };

typedef struct interval {
    int64_t from_us, to_us;
    struct interval *next;
} interval;

typedef struct listing {
    nx_str symbol;
    interval *times;
} listing;

struct nx_symbols {
    nx_map by_name; /* symbol → listing * */
    nx_arena arena;
};

nx_status nx_symbols_new(nx_symbols **ret, nx_err *err)
{
    nx_symbols *s = calloc(1, sizeof *s);
    if (s == NULL)
        return nx_nomem(err);
    nx_map_init(&s->by_name, NULL);
    nx_arena_init(&s->arena, 64 << 20);
    *ret = s;
    return NX_OK;
}

void nx_symbols_drop(nx_symbols *s)
{
    if (s == NULL)
        return;
    nx_map_drop(&s->by_name);
    nx_arena_drop(&s->arena);
    free(s);
}

size_t nx_symbols_count(const nx_symbols *s)
{
    return nx_map_count(&s->by_name);
}

/* 1-5 capitals and an optional class. */
static bool well_formed(nx_str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] >= 'A' && s.p[n] <= 'Z')
        n++;
    if (n < 1 || n > 5)
        return false;
    return n == s.n || (s.n == n + 2 && s.p[n] == '.' && s.p[n + 1] >= 'A' && s.p[n + 1] <= 'Z');
}

nx_status nx_symbols_add(nx_symbols *s, nx_str symbol, int64_t from_us, int64_t to_us, nx_err *err)
{
    if (!well_formed(symbol) || from_us >= to_us)
        return NX_OK;
    listing *l = nx_map_get(&s->by_name, symbol);
    interval *t = NX_ARENA_NEW(&s->arena, interval);
    if (t == NULL)
        return nx_nomem(err);
    if (l == NULL) {
        l = NX_ARENA_NEW(&s->arena, listing);
        char *name = nx_arena_dup(&s->arena, symbol);
        if (l == NULL || name == NULL)
            return nx_nomem(err);
        l->symbol = (nx_str){name, symbol.n};
        if (nx_map_set(&s->by_name, symbol, l) != NX_OK)
            return nx_nomem(err);
    }
    *t = (interval){from_us, to_us, l->times};
    l->times = t;
    return NX_OK;
}

const char *nx_mention_kind_name(nx_mention_kind k)
{
    return k == NX_MENTION_CASHTAG ? "cashtag" : "bare";
}

static const listing *look_up(const nx_symbols *s, nx_str symbol, int64_t at_us)
{
    const listing *l = nx_map_get(&s->by_name, symbol);
    for (const interval *t = l == NULL ? NULL : l->times; t != NULL; t = t->next)
        if (t->from_us <= at_us && at_us < t->to_us)
            return l;
    return NULL;
}

typedef struct finder {
    const nx_symbols *symbols;
    nx_str text;
    const char *mask;
    int64_t at_us;
    nx_mention *found;
    size_t n;
} finder;

static void keep(finder *f, const listing *l, nx_mention_kind kind, size_t from, size_t to, double confidence)
{
    if (f->n < NX_MENTIONS_MAX)
        f->found[f->n++] = (nx_mention){l->symbol, kind, (int32_t)from, (int32_t)to, confidence};
}

static bool class_follows(nx_str t, size_t i)
{
    return i + 1 < t.n && t.p[i] == '.' && nx__is_letter(t.p[i + 1]) && (i + 2 == t.n || !nx__is_word(t, i + 2));
}

static nx_str upper_of(nx_str s, char out[SYMBOL_MAX])
{
    for (size_t i = 0; i < s.n; i++)
        out[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 32) : s.p[i];
    return (nx_str){out, s.n};
}

/* A '$' at i: $AAPL, $brk.b. Not $42, $5B, US$AAPL, $$$. */
static void try_cashtag(finder *f, size_t i)
{
    nx_str t = f->text;
    if (i > 0 && (nx__is_word(t, i - 1) || t.p[i - 1] == '$'))
        return;
    size_t n = i + 1;
    while (n < t.n && nx__is_letter(t.p[n]))
        n++;
    size_t letters = n - i - 1;
    if (letters < 1 || letters > 5)
        return;
    char name[SYMBOL_MAX];
    if (class_follows(t, n)) {
        const listing *l = look_up(f->symbols, upper_of(nx_str_sub(t, i + 1, n + 2), name), f->at_us);
        if (l != NULL) {
            keep(f, l, NX_MENTION_CASHTAG, i, n + 2, CONFIDENCE_CASHTAG);
            return;
        }
    }
    if (n < t.n && (nx__is_word(t, n) || t.p[n] == '$'))
        return;
    const listing *l = look_up(f->symbols, upper_of(nx_str_sub(t, i + 1, n), name), f->at_us);
    if (l != NULL)
        keep(f, l, NX_MENTION_CASHTAG, i, n, CONFIDENCE_CASHTAG);
}

/* Characters that glue letters into one word: AT&T, L.P., don't, M&A, S/R. A dot or dash at the end of a word does not. */
static bool glued_before(const finder *f, size_t i)
{
    nx_str t = f->text;
    if (i == 0)
        return false;
    char c = t.p[i - 1];
    if (nx__is_word(t, i - 1) || c == '$' || c == '@' || c == '#' || c == '&')
        return true;
    if (f->mask[i - 1])
        return i >= 5 && nx_str_eq_nocase(nx_str_sub(t, i - 5, i), NX_STR("&amp;"));
    return (c == '.' || c == '\'' || c == '-' || c == '/') && i > 1 && nx__is_word(t, i - 2);
}

static bool glued_after(nx_str t, size_t i)
{
    if (i >= t.n)
        return false;
    char c = t.p[i];
    if (nx__is_word(t, i) || c == '&' || c == '$')
        return true;
    return (c == '.' || c == '\'' || c == '-' || c == '/') && i + 1 < t.n && nx__is_word(t, i + 1);
}

/* In a sentence of capitals nothing can be told: 60 % or more of at least four words. */
static bool shouted(const finder *f, size_t from)
{
    nx_str t = f->text;
    size_t a = from, b = from, words = 0, capitals = 0;
    while (a > 0 && t.p[a - 1] != '\n' && t.p[a - 1] != '.' && t.p[a - 1] != '!' && t.p[a - 1] != '?')
        a--;
    while (b < t.n && t.p[b] != '\n' && t.p[b] != '.' && t.p[b] != '!' && t.p[b] != '?')
        b++;
    for (size_t i = a; i < b;) {
        if (!nx__is_letter(t.p[i]) || f->mask[i]) {
            i++;
            continue;
        }
        bool low = false;
        for (; i < b && nx__is_word(t, i); i++)
            low |= t.p[i] >= 'a' && t.p[i] <= 'z';
        words++;
        capitals += !low;
    }
    return words >= 4 && capitals * 10 >= words * 6;
}

/* 420c, 3.5p, 1/15: the way options are written. */
static bool option_pattern(nx_str w)
{
    size_t i = 0;
    while (i < w.n && (nx__is_digit(w.p[i]) || w.p[i] == '.'))
        i++;
    if (i == 0)
        return false;
    if (i + 1 == w.n && (w.p[i] | 32) != 'c' && (w.p[i] | 32) != 'p')
        return false;
    if (i + 1 == w.n)
        return true;
    if (i > 2 || i >= w.n || w.p[i] != '/')
        return false;
    size_t d = i + 1;
    while (d < w.n && nx__is_digit(w.p[d]))
        d++;
    return d == w.n && d - i - 1 >= 1 && d - i - 1 <= 2;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static nx_str bare_word(nx_str w)
{
    while (w.n > 0 && !nx__is_letter(w.p[0]) && !nx__is_digit(w.p[0]))
        w = nx_str_sub(w, 1, w.n);
    while (w.n > 0 && !nx__is_letter(w.p[w.n - 1]) && !nx__is_digit(w.p[w.n - 1]))
        w.n--;
    return w;
}

static bool tells(nx_str w)
{
    w = bare_word(w);
    return nx__mentions_trading_word(w) || option_pattern(w);
}

/* Within three words on either side somebody trades. */
static bool traded_nearby(nx_str t, size_t from, size_t to)
{
    size_t i = to;
    for (int k = 0; k < 3; k++) {
        while (i < t.n && is_blank(t.p[i]))
            i++;
        size_t a = i;
        while (i < t.n && !is_blank(t.p[i]))
            i++;
        if (tells(nx_str_sub(t, a, i)))
            return true;
    }
    i = from;
    for (int k = 0; k < 3; k++) {
        while (i > 0 && is_blank(t.p[i - 1]))
            i--;
        size_t b = i;
        while (i > 0 && !is_blank(t.p[i - 1]))
            i--;
        if (tells(nx_str_sub(t, i, b)))
            return true;
    }
    return false;
}

static bool has_cashtag(const finder *f, const listing *l)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->found[i].kind == NX_MENTION_CASHTAG && nx_str_eq(f->found[i].symbol, l->symbol))
            return true;
    return false;
}

/* Capitals [from, to) that stand alone. */
static void try_bare(finder *f, size_t from, size_t to)
{
    nx_str t = f->text, word = nx_str_sub(t, from, to);
    if (word.n > 5 || glued_before(f, from) || glued_after(t, to))
        return;
    const listing *l = look_up(f->symbols, word, f->at_us);
    if (l == NULL)
        return;
    bool named = has_cashtag(f, l);
    if (nx__mentions_ambiguous(word)) {
        /* a single letter is a ticker only where the text has its cashtag */
        if (named || (word.n > 1 && !shouted(f, from) && traded_nearby(t, from, to)))
            keep(f, l, NX_MENTION_BARE, from, to, CONFIDENCE_EVIDENCE);
        return;
    }
    if (!named && shouted(f, from))
        return;
    keep(f, l, NX_MENTION_BARE, from, to,
         word.n == 2   ? CONFIDENCE_TWO
         : word.n == 3 ? CONFIDENCE_THREE
                       : CONFIDENCE_LONG);
}

static int by_place(const void *a, const void *b)
{
    const nx_mention *x = a, *y = b;
    return (x->span_from > y->span_from) - (x->span_from < y->span_from);
}

nx_status nx_mentions_find(const nx_symbols *s, nx_str text, int64_t at_us, nx_arena *a, const nx_mention **ret,
                           size_t *ret_n, nx_err *err)
{
    *ret = NULL;
    *ret_n = 0;
    if (text.n > (size_t)1 << 30)
        return nx_fail(err, NX_LIMIT, "a text of %zu bytes is too long to look for symbols", text.n);
    char *mask = nx_arena_calloc(a, text.n + 1, 1);
    nx_mention *found = NX_ARENA_ARRAY(a, nx_mention, NX_MENTIONS_MAX);
    if (mask == NULL || found == NULL)
        return nx_nomem(err);
    nx__mentions_mask(text, mask);
    finder f = {s, text, mask, at_us, found, 0};
    /* cashtags first: they are evidence for bare symbols anywhere in the text */
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '$' && !mask[i])
            try_cashtag(&f, i);
    for (size_t i = 0; i < text.n;) {
        size_t from = i;
        while (i < text.n && text.p[i] >= 'A' && text.p[i] <= 'Z' && !mask[i])
            i++;
        if (i > from)
            try_bare(&f, from, i);
        else
            i++;
    }
    qsort(found, f.n, sizeof *found, by_place);
    *ret = found;
    *ret_n = f.n;
    return NX_OK;
}
