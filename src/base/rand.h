/* base/rand.h - a small seeded generator (xoshiro256**, public domain algorithm by Blackman and Vigna)
 * for simulations, jitter and tests; and unpredictable bytes from the kernel for tokens and ids. */
#ifndef NX_BASE_RAND_H
#define NX_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

typedef struct nx_rand {
    uint64_t s[4];
} nx_rand;

void nx_rand_seed(nx_rand *r, uint64_t seed);
uint64_t nx_rand_u64(nx_rand *r);
uint64_t nx_rand_below(nx_rand *r, uint64_t n); /* uniform in [0, n); n > 0 */
double nx_rand_unit(nx_rand *r);                /* uniform in [0, 1) */
double nx_rand_normal(nx_rand *r);              /* mean 0, deviation 1 */
/* Kernel randomness; aborts the process only if the kernel has none. Any thread. */
void nx_rand_bytes(void *p, size_t n);
/* Random UUID (version 4) as 36 characters and a final 0. Any thread. */
void nx_rand_uuid(char out[37]);

#endif
