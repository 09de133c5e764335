/* app/evidence.h - what a sample correlation says: its range, how often chance alone would give it, and whether it counts as a link when
 * several are looked at at once. Pairs are taken as independent; sessions that follow each other are not quite.
 * Thread   No state. */
#ifndef NX_APP_EVIDENCE_H
#define NX_APP_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

enum { NX_EVIDENCE_PAIRS_MIN = 10 };

typedef struct nx_evidence {
    bool enough;      /* at least NX_EVIDENCE_PAIRS_MIN pairs and a correlation that exists; else all below is 0 */
    double low, high; /* of the true correlation, 95 % */
    double chance;    /* two-sided: of a correlation at least as far from 0 where there is none */
    bool linked;      /* chance below 0.05 / looks */
} nx_evidence;

/* r in [-1, 1] (anything else, NaN too: not enough) of n pairs; looks: how many correlations are judged together, at least 1.
 * By Fisher's z: atanh(r) is nearly normal with deviation 1 / sqrt(n - 3). */
nx_evidence nx_evidence_of(double r, int64_t n, int64_t looks);

#endif
