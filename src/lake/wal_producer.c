/* The map of producers: who sends, and how far each has come. */
#include <stdlib.h>

#include "base/arena.h"
#include "lake/wal_int.h"

nx_wal_producer_entry *nx__wal_entry(const nx_wal *w, uint32_t id)
{
    size_t lo = 0, hi = w->n_entries;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (w->entries[mid]->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < w->n_entries && w->entries[lo]->id == id ? w->entries[lo] : NULL;
}

/* ids come rising, except while old segments are read back */
nx_status nx__wal_entry_add(nx_wal *w, uint32_t id, nx_str name, bool keep, nx_wal_producer_entry **ret, nx_err *err)
{
    nx_wal_producer_entry *e = nx__wal_entry(w, id);
    if (e != NULL) {
        *ret = e;
        if (nx_str_eq(nx_str_of(e->name), name))
            return NX_OK;
        return nx_fail(err, NX_CORRUPT, "producer %u of write-ahead log %s has two names, %s and " NX_STR_FMT, id,
                       w->dir, e->name, NX_STR_ARG(name));
    }
    if (!nx_grow(&w->entries, &w->entries_cap, w->n_entries + 1, sizeof *w->entries))
        return nx_nomem(err);
    e = calloc(1, sizeof *e + name.n + 1);
    if (e == NULL)
        return nx_nomem(err);
    memcpy(e->name, name.p, name.n);
    e->id = id;
    e->keep = keep;
    if (nx_map_set(&w->by_name, name, e) != NX_OK) {
        free(e);
        return nx_nomem(err);
    }
    size_t i = w->n_entries++;
    for (; i > 0 && w->entries[i - 1]->id > id; i--)
        w->entries[i] = w->entries[i - 1];
    w->entries[i] = e;
    if (w->next_id <= id)
        w->next_id = id + 1;
    *ret = e;
    return NX_OK;
}

nx_status nx_wal_producer(nx_wal *w, nx_str name, bool keep, uint32_t *ret_id, nx_err *err)
{
    NX_TRY(nx__wal_usable(w, err));
    nx_wal_producer_entry *e = nx_map_get(&w->by_name, name);
    if (e != NULL) {
        *ret_id = e->id;
        return NX_OK;
    }
    if (name.n == 0 || name.n > 255)
        return nx_fail(err, NX_INVALID, "a producer name has 1 to 255 bytes, not %zu", name.n);
    if (w->n_entries - w->n_gone >= w->producers_max) {
        (void)nx_fail(err, NX_LIMIT, "could not add producer " NX_STR_FMT ": the log in %s knows %zu already",
                      NX_STR_ARG(name), w->dir, w->producers_max);
        return nx_err_hint(err, NX_LIMIT, "use fewer producer names: one a source, the same in every run");
    }
    if (w->next_id == UINT32_MAX)
        return nx_fail(err, NX_LIMIT, "write-ahead log %s has given out all producer ids", w->dir);
    nx_wal_record r = {.producer = w->next_id, .accepted = keep ? 1 : 0, .bytes = name};
    NX_TRY(nx__wal_entry_add(w, w->next_id, name, keep, &e, err));
    nx_status st = nx__wal_put(w, NX_WAL_PRODUCER, &r, err);
    if (st != NX_OK) { /* not logged: as if never asked */
        (void)nx_map_remove(&w->by_name, name);
        w->n_entries--;
        w->next_id--;
        free(e);
        return st;
    }
    *ret_id = e->id;
    return NX_OK;
}

void nx_wal_producer_forget(nx_wal *w, uint32_t id)
{
    nx_wal_producer_entry *e = nx__wal_entry(w, id);
    if (e == NULL || e->keep || e->gone)
        return;
    nx__wal_entry_gone(w, e);
    if (w->n_touched == 0 && w->n_gone >= 1024) /* bounded however many connections come and go */
        nx__wal_entries_sweep(w);
}

void nx__wal_entry_gone(nx_wal *w, nx_wal_producer_entry *e)
{
    e->gone = true;
    w->n_gone++;
    (void)nx_map_remove(&w->by_name, nx_str_of(e->name));
}

/* Frees forgotten producers; the block being built must not speak of them any more. */
void nx__wal_entries_sweep(nx_wal *w)
{
    size_t k = 0;
    for (size_t i = 0; i < w->n_entries; i++) {
        nx_wal_producer_entry *e = w->entries[i];
        if (e->gone && !e->touched)
            free(e);
        else
            w->entries[k++] = e;
    }
    w->n_gone -= w->n_entries - k;
    w->n_entries = k;
}

void nx__wal_entries_drop(nx_wal *w)
{
    nx_map_drop(&w->by_name);
    for (size_t i = 0; i < w->n_entries; i++)
        free(w->entries[i]);
    free(w->entries);
    free(w->touched);
}

const char *nx_wal_producer_name(const nx_wal *w, uint32_t id)
{
    const nx_wal_producer_entry *e = nx__wal_entry(w, id);
    return e == NULL ? NULL : e->name;
}

uint64_t nx_wal_producer_last(const nx_wal *w, uint32_t id)
{
    const nx_wal_producer_entry *e = nx__wal_entry(w, id);
    return e == NULL ? 0 : e->last;
}
