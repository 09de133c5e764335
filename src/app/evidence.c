#include "app/evidence.h"

#include <math.h>

nx_evidence nx_evidence_of(double r, int64_t n, int64_t looks)
{
    if (n < NX_EVIDENCE_PAIRS_MIN || !(r >= -1 && r <= 1))
        return (nx_evidence){0};
    const double z95 = 1.959963984540054;
    double z = atanh(fmin(fmax(r, -1 + 1e-12), 1 - 1e-12)), deviation = 1 / sqrt((double)n - 3);
    nx_evidence v = {.enough = true,
                     .low = tanh(z - z95 * deviation),
                     .high = tanh(z + z95 * deviation),
                     .chance = erfc(fabs(z) / deviation / sqrt(2))};
    v.linked = v.chance < 0.05 / (double)(looks < 1 ? 1 : looks);
    return v;
}
