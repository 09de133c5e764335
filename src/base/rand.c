#include "base/rand.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/hash.h"

static uint64_t rotl(uint64_t x, unsigned k)
{
    return x << k | x >> (64 - k);
}

/* splitmix64 spreads any seed, 0 included, over the whole state. */
void nx_rand_seed(nx_rand *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        r->s[i] = z ^ z >> 31;
    }
}

uint64_t nx_rand_u64(nx_rand *r)
{
    uint64_t *s = r->s;
    uint64_t out = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

/* The high half of a product is uniform once the few low halves that would favour some results are drawn again. */
uint64_t nx_rand_below(nx_rand *r, uint64_t n)
{
    uint64_t reject_below = -n % n;
    for (;;) {
        unsigned __int128 m = (unsigned __int128)nx_rand_u64(r) * n;
        if ((uint64_t)m >= reject_below)
            return (uint64_t)(m >> 64);
    }
}

double nx_rand_unit(nx_rand *r)
{
    return (double)(nx_rand_u64(r) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method; the second value of each pair is not kept, so a generator is its four words. */
double nx_rand_normal(nx_rand *r)
{
    for (;;) {
        double u = 2 * nx_rand_unit(r) - 1, v = 2 * nx_rand_unit(r) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1)
            return u * sqrt(-2 * log(s) / s);
    }
}

void nx_rand_bytes(void *p, size_t n)
{
    unsigned char *b = p;
    while (n > 0) {
        ssize_t got = getrandom(b, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            perror("could not get random bytes from the kernel");
            abort();
        }
        b += got;
        n -= (size_t)got;
    }
}

void nx_rand_uuid(char out[37])
{
    unsigned char b[16];
    char hex[33];
    nx_rand_bytes(b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    nx_hex(b, sizeof b, hex);
    snprintf(out, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}
