/* The word lists: two files embedded at build time, and the short lists of the procedure. */
#include <stdlib.h>

#include "enrich/vader_int.h"

#define EMBED(name, file)                                                                                              \
    __asm__(".section .rodata\n.global " #name "\n" #name ":\n.incbin \"" file "\"\n.global " #name "_end\n" #name     \
            "_end:\n.byte 0\n.previous\n");                                                                            \
    extern const char name[], name##_end[]

EMBED(nx__vader_lexicon_tsv, "third_party/vader/lexicon.tsv");
EMBED(nx__vader_emoji_tsv, "third_party/vader/emoji.tsv");

static const char *const boosters[] = {
    "absolutely",    "amazingly",  "awfully",   "completely", "considerable", "considerably", "decidedly",
    "deeply",        "effing",     "enormous",  "enormously", "entirely",     "especially",   "exceptional",
    "exceptionally", "extreme",    "extremely", "fabulously", "flippin",      "flipping",     "frackin",
    "fracking",      "fricking",   "frickin",   "friggin",    "frigging",     "fuckin",       "fucking",
    "fuggin",        "fugging",    "fully",     "greatly",    "hella",        "highly",       "hugely",
    "incredible",    "incredibly", "intensely", "major",      "majorly",      "more",         "most",
    "particularly",  "purely",     "quite",     "really",     "remarkably",   "so",           "substantially",
    "thoroughly",    "total",      "totally",   "tremendous", "tremendously", "uber",         "unbelievably",
    "unusually",     "utter",      "utterly",   "very",
};
static const char *const dampeners[] = {
    "almost",   "barely", "hardly",   "just enough", "kind of",    "kind-of",      "kinda",  "kindof",
    "less",     "little", "marginal", "marginally",  "occasional", "occasionally", "partly", "scarce",
    "scarcely", "slight", "slightly", "somewhat",    "sort of",    "sort-of",      "sorta",  "sortof",
};
static const char *const negations[] = {
    "aint",  "arent", "cannot", "cant",    "couldnt", "darent",  "despite", "didnt",   "doesnt", "dont",
    "hadnt", "hasnt", "havent", "isnt",    "mightnt", "mustnt",  "neednt",  "neither", "never",  "none",
    "nope",  "nor",   "not",    "nothing", "nowhere", "oughtnt", "rarely",  "seldom",  "shant",  "shouldnt",
    "uh-uh", "uhuh",  "wasnt",  "werent",  "without", "wont",    "wouldnt",
};

static bool listed(nx_str word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i][0] == (word.n > 0 ? word.p[0] : '\0') && nx_str_is(word, list[i]))
            return true;
    return false;
}

double nx__vader_booster(nx_str low)
{
    if (listed(low, boosters, NX_COUNT_OF(boosters)))
        return 0.293;
    return listed(low, dampeners, NX_COUNT_OF(dampeners)) ? -0.293 : 0;
}

bool nx__vader_negates(nx_str low)
{
    /* every form with an apostrophe holds n't */
    return listed(low, negations, NX_COUNT_OF(negations)) || nx_str_find(low, NX_STR("n't"), 0) != SIZE_MAX;
}

/* Calls add with the first two columns of every line. */
static nx_status each_line(nx_str tsv, nx_vader *v, nx_status (*add)(nx_vader *, nx_str, nx_str), nx_err *err)
{
    nx_str line, key;
    while (nx_str_split(&tsv, '\n', &line)) {
        nx_str rest = line;
        if (!nx_str_split(&rest, '\t', &key) || rest.p == NULL)
            continue;
        nx_status st = add(v, key, nx_str_trim(rest));
        if (st != NX_OK)
            return nx_fail(err, st, "could not load the sentiment word list: %s", nx_status_text(st));
    }
    return NX_OK;
}

static nx_status add_word(nx_vader *v, nx_str word, nx_str number)
{
    double *value = NX_ARENA_NEW(&v->arena, double);
    char *text = nx_arena_dup(&v->arena, number);
    if (value == NULL || text == NULL)
        return NX_NOMEM;
    *value = strtod(text, NULL);
    return nx_map_set(&v->lexicon, word, value);
}

static nx_status add_emoji(nx_vader *v, nx_str emoji, nx_str name)
{
    nx_str *value = NX_ARENA_NEW(&v->arena, nx_str);
    if (value == NULL)
        return NX_NOMEM;
    *value = name;
    return nx_map_set(&v->emoji, emoji, value);
}

nx_status nx__vader_load(nx_vader *v, nx_err *err)
{
    /* one object each for the assembler, two names for the compiler */
    // cppcheck-suppress comparePointers
    nx_str words = {nx__vader_lexicon_tsv, (size_t)(nx__vader_lexicon_tsv_end - nx__vader_lexicon_tsv)};
    // cppcheck-suppress comparePointers
    nx_str emoji = {nx__vader_emoji_tsv, (size_t)(nx__vader_emoji_tsv_end - nx__vader_emoji_tsv)};
    NX_TRY(each_line(words, v, add_word, err));
    return each_line(emoji, v, add_emoji, err);
}
