/* base/hash.h
 *
 * Checksums and digests: CRC-32C for the WAL, MD5 and SHA-256 for names and keys that other
 * tools recompute (dbt, producers), a fast 64-bit hash for tables in memory.
 * None of these is used for secrets: signing belongs to io.
 * Thread   Pure functions.
 */
#ifndef NX_BASE_HASH_H
#define NX_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* CRC-32C (Castagnoli, reflected 0x82F63B78; RFC 3720 B.4). Start with 0, go on with the last value. */
uint32_t nx_crc32c(uint32_t crc, const void *p, size_t n);
/* 64-bit hash, good mixing, not stable across versions: never store it. */
uint64_t nx_hash64(const void *p, size_t n, uint64_t seed);

typedef struct nx_sha256 {
    uint32_t h[8];
    uint64_t bytes;
    unsigned char block[64];
} nx_sha256;
void nx_sha256_init(nx_sha256 *s);
void nx_sha256_add(nx_sha256 *s, const void *p, size_t n);
void nx_sha256_end(nx_sha256 *s, unsigned char out[32]);
/* Lower-case hexadecimal with a final 0. */
void nx_sha256_hex(nx_str data, char out[65]);
void nx_md5_hex(nx_str data, char out[33]);
/* n bytes to 2n lower-case digits and a final 0. */
void nx_hex(const void *p, size_t n, char *out);
/* Standard base64 (RFC 4648 section 4) with padding. */
NX_MUST_USE nx_status nx_base64_encode(nx_buf *b, const void *p, size_t n);
/* NX_INVALID on a foreign character or bad padding. */
NX_MUST_USE nx_status nx_base64_decode(nx_buf *b, nx_str text);

#endif
