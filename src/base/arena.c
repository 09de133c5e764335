#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct nx_arena_block {
    nx_arena_block *next;
    size_t used, cap;
    alignas(max_align_t) unsigned char bytes[];
};

enum { BLOCK_BYTES = 16 << 10 };

void nx_arena_init(nx_arena *a, size_t bytes_max)
{
    *a = (nx_arena){NULL, 0, bytes_max == 0 ? (size_t)256 << 20 : bytes_max};
}

void nx_arena_drop(nx_arena *a)
{
    for (nx_arena_block *b = a->head, *next; b != NULL; b = next) {
        next = b->next;
        free(b);
    }
    a->head = NULL;
    a->bytes = 0;
}

void nx_arena_reset(nx_arena *a)
{
    while (a->head != NULL && a->head->next != NULL) {
        nx_arena_block *b = a->head;
        a->head = b->next;
        a->bytes -= b->cap;
        free(b);
    }
    if (a->head != NULL)
        a->head->used = 0;
}

static bool add_block(nx_arena *a, size_t bytes)
{
    size_t cap = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    if (cap > a->bytes_max || a->bytes > a->bytes_max - cap)
        return false;
    nx_arena_block *b = malloc(sizeof *b + cap);
    if (b == NULL)
        return false;
    *b = (nx_arena_block){a->head, 0, cap};
    a->head = b;
    a->bytes += cap;
    return true;
}

void *nx_arena_calloc(nx_arena *a, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    const size_t align = alignof(max_align_t);
    bytes = (bytes + align - 1) & ~(align - 1);
    if (bytes == 0)
        bytes = align;
    if (a->head == NULL || a->head->cap - a->head->used < bytes)
        if (!add_block(a, bytes))
            return NULL;
    void *p = a->head->bytes + a->head->used;
    a->head->used += bytes;
    memset(p, 0, bytes);
    return p;
}

char *nx_arena_dup(nx_arena *a, nx_str s)
{
    char *c = nx_arena_calloc(a, s.n + 1, 1);
    if (c != NULL && s.n > 0)
        memcpy(c, s.p, s.n);
    return c;
}

char *nx_arena_vprintf(nx_arena *a, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *c = n < 0 ? NULL : nx_arena_calloc(a, (size_t)n + 1, 1);
    if (c != NULL)
        vsnprintf(c, (size_t)n + 1, fmt, ap);
    return c;
}

char *nx_arena_printf(nx_arena *a, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *c = nx_arena_vprintf(a, fmt, ap);
    va_end(ap);
    return c;
}

bool nx_grow(void *p_of_p, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return true;
    size_t n = *cap < 8 ? 8 : *cap;
    while (n < need)
        if (__builtin_mul_overflow(n, 2, &n))
            return false;
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return false;
    void *old;
    memcpy(&old, p_of_p, sizeof old);
    void *p = realloc(old, bytes);
    if (p == NULL)
        return false;
    memcpy(p_of_p, &p, sizeof p);
    *cap = n;
    return true;
}
