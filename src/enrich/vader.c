/* Steps C to E of the procedure: a value a token, "but", the sums. */
#include "enrich/vader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "enrich/vader_int.h"

static const double CAPS = 0.733, NEGATE = -0.74, ALPHA = 15;

static const struct {
    const char *words;
    double value;
} phrases[] = {
    {"the shit", 3},         {"the bomb", 3},   {"bad ass", 1.5},       {"bus stop", 0},        {"yeah right", -2},
    {"kiss of death", -1.5}, {"to die for", 3}, {"beating heart", 3.1}, {"broken heart", -2.9},
};

/* Tokens [from, to] joined by blanks, or an empty text when they do not all exist or are too long for any list. */
static nx_str join(const vader_text *x, size_t i, int from, int to, char out[64])
{
    size_t n = 0;
    for (int k = from; k <= to; k++) {
        if (k < 0 && (size_t)-k > i)
            return (nx_str){out, 0};
        size_t at = i + (size_t)k; /* wraps back for negative k */
        if (at >= x->n || n + x->tokens[at].low.n + 1 >= 64)
            return (nx_str){out, 0};
        if (k > from)
            out[n++] = ' ';
        memcpy(out + n, x->tokens[at].low.p, x->tokens[at].low.n);
        n += x->tokens[at].low.n;
    }
    return (nx_str){out, n};
}

static bool phrase(const vader_text *x, size_t i, int from, int to, double *v)
{
    char text[64];
    nx_str s = join(x, i, from, to, text);
    for (size_t k = 0; k < NX_COUNT_OF(phrases); k++)
        if (s.n > 0 && nx_str_is(s, phrases[k].words)) {
            *v = phrases[k].value;
            return true;
        }
    return false;
}

static bool low_is(const vader_text *x, size_t i, const char *word)
{
    return nx_str_is(x->tokens[i].low, word);
}

static bool so_or_this(const vader_text *x, size_t i)
{
    return low_is(x, i, "so") || low_is(x, i, "this");
}

/* The word k + 1 places before makes v stronger or weaker. */
static double boost(const vader_text *x, size_t p, size_t k, double v)
{
    static const double fade[] = {1, 0.95, 0.9};
    double s = nx__vader_booster(x->tokens[p].low);
    if (s == 0)
        return 0;
    if (v < 0)
        s = -s;
    if (x->tokens[p].upper && x->cap_diff)
        s += v > 0 ? CAPS : -CAPS;
    return s * fade[k];
}

static double negate(const vader_text *x, size_t i, size_t k, double v)
{
    size_t p = i - 1 - k;
    bool negates = nx__vader_negates(x->tokens[p].low);
    if (k == 0)
        return negates ? v * NEGATE : v;
    if (k == 1) {
        if (low_is(x, p, "never") && so_or_this(x, i - 1))
            return v * 1.25;
        if (low_is(x, p, "without") && low_is(x, i - 1, "doubt"))
            return v;
        return negates ? v * NEGATE : v;
    }
    if ((low_is(x, p, "never") && so_or_this(x, i - 2)) || so_or_this(x, i - 1))
        return v * 1.25;
    if (low_is(x, p, "without") && (low_is(x, i - 2, "doubt") || low_is(x, i - 1, "doubt")))
        return v;
    return negates ? v * NEGATE : v;
}

/* Set phrases around a word that has three words before it. */
static double apply_phrases(const vader_text *x, size_t i, double v)
{
    static const int before[][2] = {{-1, 0}, {-2, 0}, {-2, -1}, {-3, -1}, {-3, -2}};
    for (size_t k = 0; k < NX_COUNT_OF(before); k++)
        if (phrase(x, i, before[k][0], before[k][1], &v))
            break;
    phrase(x, i, 0, 1, &v);
    phrase(x, i, 0, 2, &v);
    static const int damp[][2] = {{-3, -1}, {-3, -2}, {-2, -1}};
    for (size_t k = 0; k < NX_COUNT_OF(damp); k++) {
        char text[64];
        nx_str s = join(x, i, damp[k][0], damp[k][1], text);
        if (s.n > 0)
            v += nx__vader_booster(s);
    }
    return v;
}

static double value_of(const vader_text *x, size_t i)
{
    const vader_token *t = &x->tokens[i];
    bool kind_of = low_is(x, i, "kind") && i + 1 < x->n && low_is(x, i + 1, "of");
    if (t->valence == NULL || kind_of || nx__vader_booster(t->low) != 0)
        return 0;
    double v = *t->valence;
    if (low_is(x, i, "no") && i + 1 < x->n && x->tokens[i + 1].valence != NULL)
        v = 0;
    if ((i > 0 && low_is(x, i - 1, "no")) || (i > 1 && low_is(x, i - 2, "no")) ||
        (i > 2 && low_is(x, i - 3, "no") && (low_is(x, i - 1, "or") || low_is(x, i - 1, "nor"))))
        v = *t->valence * NEGATE;
    if (t->upper && x->cap_diff)
        v += v > 0 ? CAPS : -CAPS;
    for (size_t k = 0; k < 3 && i > k; k++) {
        if (x->tokens[i - 1 - k].valence != NULL)
            continue;
        v += boost(x, i - 1 - k, k, v);
        v = negate(x, i, k, v);
        if (k == 2)
            v = apply_phrases(x, i, v);
    }
    if (i > 0 && low_is(x, i - 1, "least") && !(i > 1 && (low_is(x, i - 2, "at") || low_is(x, i - 2, "very"))))
        v *= NEGATE;
    return v;
}

/* What stands before "but" counts half, what follows one and a half times. The original looks values up by equality, so that equal values
 * share one fate; results must agree with it, so this does the same. */
static void weigh_but(const vader_text *x, double *s)
{
    size_t b = 0;
    while (b < x->n && !low_is(x, b, "but"))
        b++;
    if (b == x->n)
        return;
    for (size_t j = 0; j < x->n; j++) {
        size_t f = 0;
        while (s[f] != s[j])
            f++;
        if (f < b)
            s[f] *= 0.5;
        else if (f > b)
            s[f] *= 1.5;
    }
}

static double emphasis(nx_str text)
{
    size_t bangs = 0, marks = 0;
    for (size_t i = 0; i < text.n; i++) {
        bangs += text.p[i] == '!';
        marks += text.p[i] == '?';
    }
    double e = (double)(bangs > 4 ? 4 : bangs) * 0.292;
    if (marks > 1)
        e += marks <= 3 ? (double)marks * 0.18 : 0.96;
    return e;
}

/* Half-even on the exact binary value, as printf does; never -0. */
static double rounded(double v, int digits)
{
    char text[64];
    snprintf(text, sizeof text, "%.*f", digits, v);
    v = strtod(text, NULL);
    return v == 0 ? 0 : v;
}

static void sum_up(const vader_text *x, const double *s, nx_vader_score *ret)
{
    double sum = 0, pos = 0, neg = 0, e = emphasis(x->text);
    size_t zero = 0;
    for (size_t i = 0; i < x->n; i++) {
        sum += s[i];
        if (s[i] > 0)
            pos += s[i] + 1;
        else if (s[i] < 0)
            neg += s[i] - 1;
        else
            zero++;
    }
    if (sum > 0)
        sum += e;
    else if (sum < 0)
        sum -= e;
    if (pos > fabs(neg))
        pos += e;
    else if (pos < fabs(neg))
        neg -= e;
    double total = pos + fabs(neg) + (double)zero;
    double compound = sum / sqrt(sum * sum + ALPHA);
    ret->compound = rounded(compound > 1 ? 1 : compound < -1 ? -1 : compound, 4);
    ret->pos = rounded(fabs(pos / total), 3);
    ret->neg = rounded(fabs(neg / total), 3);
    ret->neu = rounded(fabs((double)zero / total), 3);
}

nx_status nx_vader_score_text(const nx_vader *v, nx_str text, nx_arena *scratch, nx_vader_score *ret, nx_err *err)
{
    vader_text x;
    *ret = (nx_vader_score){0};
    NX_TRY(nx__vader_read(v, text, scratch, &x, err));
    if (x.n == 0)
        return NX_OK;
    double *s = NX_ARENA_ARRAY(scratch, double, x.n);
    if (s == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < x.n; i++)
        s[i] = value_of(&x, i);
    weigh_but(&x, s);
    sum_up(&x, s, ret);
    return NX_OK;
}

nx_status nx_vader_new(nx_vader **ret, nx_err *err)
{
    nx_vader *v = calloc(1, sizeof *v);
    if (v == NULL)
        return nx_nomem(err);
    nx_map_init(&v->lexicon, NULL);
    nx_map_init(&v->emoji, NULL);
    nx_arena_init(&v->arena, 8 << 20);
    v->ctype = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    nx_status st = v->ctype == (locale_t)0
                       ? nx_fail_sys(err, NX_IO, "could not load the character classes of locale C.UTF-8")
                       : NX_OK;
    if (st == NX_OK)
        st = nx__vader_load(v, err);
    if (st != NX_OK) {
        nx_vader_drop(v);
        return st;
    }
    *ret = v;
    return NX_OK;
}

void nx_vader_drop(nx_vader *v)
{
    if (v == NULL)
        return;
    if (v->ctype != (locale_t)0)
        freelocale(v->ctype);
    nx_map_drop(&v->lexicon);
    nx_map_drop(&v->emoji);
    nx_arena_drop(&v->arena);
    free(v);
}
