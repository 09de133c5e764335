/* Open addressing with linear probing over indexes into `entries`. A removed entry keeps its slot (its key is NULL), so
 * probing walks past it; the next rebuild forgets it. */
#include "base/map.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/rand.h"

void nx_map_init(nx_map *m, void (*drop)(void *value))
{
    *m = (nx_map){.drop = drop};
}

void nx_map_drop(nx_map *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].key.p != NULL) {
            free((void *)m->entries[i].key.p);
            if (m->drop != NULL)
                m->drop(m->entries[i].value);
        }
    free(m->entries);
    free(m->slots);
    nx_map_init(m, m->drop);
}

/* The slot that holds the key, or the empty one where it belongs. Needs n_slots > 0 and one empty slot. */
static size_t find_slot(const nx_map *m, nx_str key)
{
    size_t mask = m->n_slots - 1;
    for (size_t s = nx_hash64(key.p, key.n, m->seed) & mask;; s = (s + 1) & mask) {
        if (m->slots[s] == 0)
            return s;
        const nx_map_entry *e = &m->entries[m->slots[s] - 1];
        if (e->key.p != NULL && nx_str_eq(e->key, key))
            return s;
    }
}

static nx_map_entry *find(const nx_map *m, nx_str key)
{
    if (m->live == 0)
        return NULL;
    uint32_t at = m->slots[find_slot(m, key)];
    return at == 0 ? NULL : &m->entries[at - 1];
}

void *nx_map_get(const nx_map *m, nx_str key)
{
    const nx_map_entry *e = find(m, key);
    return e == NULL ? NULL : e->value;
}

bool nx_map_has(const nx_map *m, nx_str key)
{
    return find(m, key) != NULL;
}

/* Closes the gaps in entries and lays out slots anew, at most half full. */
static nx_status rebuild(nx_map *m)
{
    size_t n_slots = 16;
    while (n_slots < (m->live + 1) * 4)
        n_slots *= 2;
    if (m->live >= UINT32_MAX / 8)
        return NX_LIMIT;
    uint32_t *slots = calloc(n_slots, sizeof *slots);
    if (slots == NULL)
        return NX_NOMEM;
    if (m->n_slots == 0)
        nx_rand_bytes(&m->seed, sizeof m->seed); /* keys chosen by a peer must not meet in one slot */
    free(m->slots);
    m->slots = slots;
    m->n_slots = n_slots;
    size_t to = 0;
    for (size_t i = 0; i < m->n; i++)
        if (m->entries[i].key.p != NULL)
            m->entries[to++] = m->entries[i];
    m->n = to;
    for (size_t i = 0; i < m->n; i++)
        slots[find_slot(m, m->entries[i].key)] = (uint32_t)i + 1;
    return NX_OK;
}

nx_status nx_map_set(nx_map *m, nx_str key, void *value)
{
    nx_map_entry *e = find(m, key);
    if (e != NULL) {
        void *old = e->value;
        e->value = value;
        if (m->drop != NULL && old != value)
            m->drop(old);
        return NX_OK;
    }
    if ((m->n + 1) * 2 > m->n_slots)
        NX_TRY(rebuild(m));
    if (!nx_grow(&m->entries, &m->cap, m->n + 1, sizeof *m->entries))
        return NX_NOMEM;
    char *copy = nx_str_dup(key);
    if (copy == NULL)
        return NX_NOMEM;
    m->entries[m->n] = (nx_map_entry){{copy, key.n}, value};
    m->slots[find_slot(m, key)] = (uint32_t)++m->n;
    m->live++;
    return NX_OK;
}

bool nx_map_remove(nx_map *m, nx_str key)
{
    nx_map_entry *e = find(m, key);
    if (e == NULL)
        return false;
    free((void *)e->key.p);
    e->key = (nx_str){NULL, 0};
    if (m->drop != NULL)
        m->drop(e->value);
    e->value = NULL;
    m->live--;
    return true;
}

nx_map_entry *nx_map_next(const nx_map *m, size_t *i)
{
    while (*i < m->n) {
        nx_map_entry *e = &m->entries[(*i)++];
        if (e->key.p != NULL)
            return e;
    }
    return NULL;
}
