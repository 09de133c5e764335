/* enrich/vader_int.h - what the files of VADER share. */
#ifndef NX_ENRICH_VADER_INT_H
#define NX_ENRICH_VADER_INT_H

#include <locale.h>

#include "base/map.h"
#include "enrich/vader.h"

struct nx_vader {
    nx_map lexicon; /* token → const double * */
    nx_map emoji;   /* emoji → nx_str * description */
    locale_t ctype; /* Unicode case */
    nx_arena arena;
};

typedef struct vader_token {
    nx_str text;           /* as written, punctuation stripped */
    nx_str low;            /* lower case */
    const double *valence; /* lexicon entry of low, or NULL */
    bool upper;            /* cased letters, none of them lower case */
} vader_token;

typedef struct vader_text {
    nx_str text; /* with emoji spelled out, trimmed */
    vader_token *tokens;
    size_t n;
    bool cap_diff; /* some tokens are upper case, but not all */
} vader_text;

/* Fills the lexicon and the emoji table. */
NX_MUST_USE nx_status nx__vader_load(nx_vader *v, nx_err *err);
/* Steps A and B: emoji, white space, tokens. */
NX_MUST_USE nx_status nx__vader_read(const nx_vader *v, nx_str text, nx_arena *a, vader_text *ret, nx_err *err);
/* +0.293, -0.293 or 0. */
double nx__vader_booster(nx_str low);
bool nx__vader_negates(nx_str low);

#endif
