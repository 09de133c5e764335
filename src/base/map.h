/* base/map.h
 *
 * A hash table from byte strings to pointers. Keys are copied; values are borrowed unless a drop function is
 * given. Iteration is in order of insertion, so output made from it is stable.
 * Thread   One owner at a time.
 */
#ifndef NX_BASE_MAP_H
#define NX_BASE_MAP_H

#include "base/str.h"

typedef struct nx_map_entry {
    nx_str key;
    void *value;
} nx_map_entry;

typedef struct nx_map {
    nx_map_entry *entries; /* insertion order; a removed entry has key.p == NULL */
    size_t n, cap, live;
    uint32_t *slots; /* index + 1 into entries, 0 empty */
    size_t n_slots;
    uint64_t seed; /* of the hash, random a map */
    void (*drop)(void *value);
} nx_map;

void nx_map_init(nx_map *m, void (*drop)(void *value)); /* cannot fail */
void nx_map_drop(nx_map *m);
void *nx_map_get(const nx_map *m, nx_str key); /* NULL when absent */
bool nx_map_has(const nx_map *m, nx_str key);
/* Sets or replaces (the old value is dropped). NX_NOMEM leaves the map as it was and does not take value. */
NX_MUST_USE nx_status nx_map_set(nx_map *m, nx_str key, void *value);
bool nx_map_remove(nx_map *m, nx_str key); /* drops the value; false when absent */
/* for (size_t i = 0; (e = nx_map_next(m, &i)) != NULL;) - nx_map_remove is allowed meanwhile, nx_map_set of a new key
 * is not. */
nx_map_entry *nx_map_next(const nx_map *m, size_t *i);
static inline size_t nx_map_count(const nx_map *m)
{
    return m->live;
}

#endif
