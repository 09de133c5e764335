/* base/hash_int.h - what the tests of base look at besides the public functions. */
#ifndef NX_BASE_HASH_INT_H
#define NX_BASE_HASH_INT_H

#include <stddef.h>
#include <stdint.h>

/* The path without processor support; same results as nx_crc32c. */
uint32_t nx__crc32c_soft(uint32_t crc, const void *p, size_t n);

#endif
