#include "data/float.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool reads_back(const char *text, double v, bool single)
{
    return single ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v;
}

/* The text with `digits` digits next to v's, away from zero. At a power of two the gap between floats above is twice the gap below: there
 * the nearest text may read back as another float, and its neighbour as this one. */
static bool neighbour(double v, int digits, bool single, char out[NX_FLOAT_TEXT_MAX])
{
    snprintf(out, NX_FLOAT_TEXT_MAX, "%.*e", digits - 1, v);
    for (size_t i = strcspn(out, "e"); i > 0; i--) { /* adds one to the last digit */
        char *p = &out[i - 1];
        if (*p == '.' || *p == '-')
            continue;
        if (*p != '9') {
            ++*p;
            return reads_back(out, v, single);
        }
        *p = '0';
    }
    return false; /* 9.99...: the neighbour has fewer digits and was tried */
}

static size_t text_of(double v, bool single, char out[NX_FLOAT_TEXT_MAX])
{
    bool normal = single ? isnormal((float)v) : isnormal(v);
    /* so many digits come back as they were, but for the smallest numbers; so many always suffice */
    const int sure = !normal ? 1 : single ? 6 : 15, most = single ? 9 : 17;
    out[0] = '\0';
    if (!isfinite(v))
        return 0;
    for (int digits = sure; digits <= most; digits++) {
        int n = snprintf(out, NX_FLOAT_TEXT_MAX, "%.*g", digits, v);
        if (digits == most || reads_back(out, v, single))
            return (size_t)n;
        if (digits > sure && neighbour(v, digits, single, out))
            return strlen(out);
    }
    return 0;
}

size_t nx_f64_text(double v, char out[NX_FLOAT_TEXT_MAX])
{
    return text_of(v, false, out);
}

size_t nx_f32_text(float v, char out[NX_FLOAT_TEXT_MAX])
{
    return text_of((double)v, true, out);
}
