#include <math.h>
#include <stdlib.h>

#include "sim/sim_int.h"

enum { AUTHORS = 200, NO_SYMBOL = NX__SYMBOLS };
#define FIRST_POST UINT64_C(3900000000)
#define FIRST_COMMENT UINT64_C(53000000000)

/* How much a standard deviation of attention moves the number of messages (its logarithm). */
static const double SPREAD = 0.7;

static const char *const subreddits[] = {"wallstreetbets", "stocks"};

/* '@' stands for the symbol, with or without '$'. */
static const char *const good[] = {
    "@ looks great today, love this stock",
    "so happy with my @ calls, amazing earnings",
    "@ is the best position I own, huge gains",
    "strong quarter from @, very bullish 🚀",
    "I trust @, excellent growth and a brilliant team",
    "@ wins again, what a beautiful chart",
    "thanks @, you made my week :)",
    "good news for @: impressive guidance, I am optimistic",
};
static const char *const bad[] = {
    "@ is terrible, I hate this bag",
    "lost everything on @, what a disaster 📉",
    "worried about @, ugly chart and awful guidance",
    "@ earnings were horrible, total failure",
    "sad day for @ holders, this is painful",
    "never trusting @ again, bad management and worse numbers",
    "@ looks weak, I fear a crash",
    "@ puts printing, the panic is real :(",
};
static const char *const plain[] = {
    "anyone watching @ at the open?",        "what is your level for @ this week",
    "@ volume is above average since 10am",  "holding @ through the quarter, 40 shares",
    "@ reports on Thursday after the close", "daily thread: @ and the rest of the market",
};
static const char *const idle[] = {
    "how do you keep your trading journal",
    "what broker do you use for options",
    "daily discussion thread",
    "is the market open on Monday?",
};
static const char *const first_names[] = {"quiet",  "rusty", "early",  "lucky",  "paper", "silent", "golden",
                                          "broken", "polar", "sunny",  "amber",  "vivid", "lunar",  "humble",
                                          "stray",  "wired", "mellow", "cosmic", "sandy", "nimble"};
static const char *const last_names[] = {"heron", "badger", "otter",  "falcon", "walrus",
                                         "gecko", "marmot", "plover", "lynx",   "condor"};

typedef struct draft {
    int64_t created;
    uint32_t order; /* makes the sort total */
    unsigned char symbol, subreddit;
    bool comment;
    signed char tone;
} draft;

typedef struct drafts {
    draft *items;
    size_t n, cap;
} drafts;

static int by_time(const void *pa, const void *pb)
{
    const draft *a = pa, *b = pb;
    if (a->created != b->created)
        return a->created < b->created ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

/* A moment between 16:00 of the session before and 16:00 of this one, mostly on the day itself. */
static int64_t moment(const nx__world *w, nx_rand *r, int session)
{
    int32_t day = w->day[session], before = session == 0 ? day - 1 : w->day[session - 1];
    int64_t from = nx__ny_ns(before, 16 * 60) / NX__NS_S, morning = nx__ny_ns(day, 6 * 60) / NX__NS_S,
            end = nx__ny_ns(day, 16 * 60) / NX__NS_S;
    if (nx_rand_below(r, 100) < 65)
        return morning + (int64_t)nx_rand_below(r, (uint64_t)(end - morning));
    return from + (int64_t)nx_rand_below(r, (uint64_t)(morning - from));
}

static nx_status add_drafts(const nx__world *w, drafts *d, size_t k, int session, int n)
{
    nx_rand r = nx__world_rand(w, NX__FOR_DRAFTS, k, session);
    double mood = 0.5 + 0.22 * nx_rand_normal(&r);
    for (int i = 0; i < n; i++) {
        if (!nx_grow(&d->items, &d->cap, d->n + 1, sizeof *d->items))
            return NX_NOMEM;
        double u = nx_rand_unit(&r);
        draft x = {.created = moment(w, &r, session), .order = (uint32_t)d->n, .symbol = (unsigned char)k};
        x.subreddit = (unsigned char)(nx_rand_below(&r, 10) < 6 ? 0 : 1);
        x.comment = k != NO_SYMBOL && nx_rand_below(&r, 10) < 7;
        x.tone = u > 0.75 ? 0 : nx_rand_unit(&r) < mood ? 1 : -1;
        d->items[d->n++] = x;
    }
    return NX_OK;
}

static nx_status make_drafts(const nx__world *w, drafts *d)
{
    for (int i = 0; i <= w->sessions; i++) {
        for (size_t k = 0; k < NX__SYMBOLS; k++) {
            double n = nx__symbols[k].talk * exp(SPREAD * w->attention[k][i]);
            NX_TRY(add_drafts(w, d, k, i, (int)lround(n < 2 ? 2 : n)));
        }
        NX_TRY(add_drafts(w, d, NO_SYMBOL, i, 6));
    }
    qsort(d->items, d->n, sizeof *d->items, by_time);
    return NX_OK;
}

static const char *make_text(nx__world *w, nx_rand *r, const draft *d)
{
    if (d->symbol == NO_SYMBOL)
        return idle[nx_rand_below(r, NX_COUNT_OF(idle))];
    const char *form = d->tone > 0   ? good[nx_rand_below(r, NX_COUNT_OF(good))]
                       : d->tone < 0 ? bad[nx_rand_below(r, NX_COUNT_OF(bad))]
                                     : plain[nx_rand_below(r, NX_COUNT_OF(plain))];
    const char *at = strchr(form, '@');
    const char *cash = nx_rand_below(r, 2) == 0 ? "$" : "";
    return nx_arena_printf(&w->arena, "%.*s%s%s%s", (int)(at - form), form, cash, nx__symbols[d->symbol].symbol,
                           at + 1);
}

static const char *make_author(nx__world *w, nx_rand *r)
{
    double u = nx_rand_unit(r);
    size_t i = (size_t)(AUTHORS * u * u); /* few write much */
    if (i >= AUTHORS)
        i = AUTHORS - 1;
    return nx_arena_printf(&w->arena, "%s_%s%zu", first_names[i % 20], last_names[i / 20], 10 + i * 7 % 90);
}

static nx_status add_message(nx__talk *t, const nx__message *m)
{
    if (!nx_grow(&t->items, &t->cap, t->n + 1, sizeof *t->items))
        return NX_NOMEM;
    t->items[t->n++] = *m;
    return NX_OK;
}

static nx_status make_message(nx__world *w, const draft *d, nx_rand *r, size_t latest[2][NX__SYMBOLS + 1])
{
    size_t *post = &latest[d->subreddit][d->symbol];
    bool comment = d->comment && *post != SIZE_MAX; /* the first word about a symbol opens a thread */
    const char *text = make_text(w, r, d);
    nx__message m = {.created = d->created, .subreddit = subreddits[d->subreddit], .author = make_author(w, r)};
    if (text == NULL || m.author == NULL)
        return NX_NOMEM;
    m.score = (int)floor(exp(1.6 + 1.3 * nx_rand_normal(r))) - 3;
    m.ratio = 60 + (int)nx_rand_below(r, 40);
    if (nx_rand_below(r, 25) == 0)
        m.edited = m.created + 60 + (int64_t)nx_rand_below(r, 3000);
    uint64_t fate = nx_rand_below(r, 100);
    if (fate < 2)
        m.author = NULL; /* account deleted, the text stays */
    if (comment) {
        m.id = FIRST_COMMENT + w->comments.n * 31;
        m.text = fate == 2 ? "[removed]" : text;
        m.author = fate == 2 ? NULL : m.author;
        m.parent = w->posts.items[*post].id;
        w->posts.items[*post].num_comments++;
        return add_message(&w->comments, &m);
    }
    m.id = FIRST_POST + w->posts.n * 17;
    m.title = text;
    m.text = nx_rand_below(r, 3) == 0 ? "Long version in the comments. Positions & sizes: 10 <b>shares</b>." : "";
    *post = w->posts.n;
    return add_message(&w->posts, &m);
}

nx_status nx__talk_make(nx__world *w, nx_err *err)
{
    size_t latest[2][NX__SYMBOLS + 1];
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k <= NX__SYMBOLS; k++)
            latest[i][k] = SIZE_MAX;
    drafts d = {0};
    nx_status st = make_drafts(w, &d);
    nx_rand r = nx__world_rand(w, NX__FOR_TEXTS, 0, 0);
    for (size_t i = 0; st == NX_OK && i < d.n; i++)
        st = make_message(w, &d.items[i], &r, latest);
    free(d.items);
    return st == NX_OK ? st : nx_fail(err, st, "could not make the simulated posts");
}

static int by_creation(const void *pa, const void *pb)
{
    const nx__message *a = pa, *b = pb;
    if (a->created != b->created)
        return a->created < b->created ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

void nx__talk_sort(nx__talk *t)
{
    if (t->n > 1)
        qsort(t->items, t->n, sizeof *t->items, by_creation);
}
