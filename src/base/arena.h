/* base/arena.h
 *
 * Memory that goes away together: one arena a request, a file, a parse. Blocks are
 * chained, so pointers stay valid until nx_arena_reset() or nx_arena_drop().
 *
 * Memory   Bounded by bytes_max given at init; past it allocations return NULL.
 * Thread   One owner at a time.
 */
#ifndef NX_BASE_ARENA_H
#define NX_BASE_ARENA_H

#include <stddef.h>

#include "base/mark.h"
#include "base/str.h"

typedef struct nx_arena_block nx_arena_block;
typedef struct nx_arena {
    nx_arena_block *head; /* newest block */
    size_t bytes, bytes_max;
} nx_arena;

void nx_arena_init(nx_arena *a, size_t bytes_max); /* 0 means 256 MiB; cannot fail */
void nx_arena_drop(nx_arena *a);
void nx_arena_reset(nx_arena *a); /* keeps the first block for reuse */
/* Zeroed memory for n elements of the given size, aligned for any type. NULL when the product overflows, the
 * maximum is reached, or memory is out. */
NX_MUST_USE void *nx_arena_calloc(nx_arena *a, size_t n, size_t size);
/* A 0-terminated copy; NULL as above. */
NX_MUST_USE char *nx_arena_dup(nx_arena *a, nx_str s);
NX_MUST_USE char *nx_arena_vprintf(nx_arena *a, const char *fmt, va_list ap);
NX_PRINTF(2, 3) NX_MUST_USE char *nx_arena_printf(nx_arena *a, const char *fmt, ...);

#define NX_ARENA_NEW(a, type) ((type *)nx_arena_calloc((a), 1, sizeof(type)))
#define NX_ARENA_ARRAY(a, type, n) ((type *)nx_arena_calloc((a), (n), sizeof(type)))
#define NX_ARENA_AUTO NX_AUTO(nx_arena_drop)

/* Grows the malloc'ed array *p of elements of `size` bytes so that index `need - 1` exists (doubling).
 * False on overflow or lack of memory; *p and *cap stay valid. */
NX_MUST_USE bool nx_grow(void *p_of_p, size_t *cap, size_t need, size_t size);

#endif
