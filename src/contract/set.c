/* All contracts of a project: loading, checks between them, look-up. */
#include <stdlib.h>

#include "base/hash.h"
#include "contract/contract_int.h"

static nx_status load_file(nx_contracts *set, const char *path, nx_contract **ret, nx_err *err)
{
    nx_arena trees NX_ARENA_AUTO; /* the tree goes, the compiled contract stays */
    nx_buf text NX_BUF_AUTO;
    nx_arena_init(&trees, 0);
    nx_buf_init(&text, NX_CONTRACT_BYTES_MAX);
    nx_val *root = NULL;
    NX_TRY(nx__contract_tree(path, &text, &trees, &root, err));
    nx_contract *c = NX_ARENA_NEW(&set->arena, nx_contract);
    char *source = nx_arena_dup(&set->arena, nx_buf_str(&text));
    if (c == NULL || source == NULL)
        return nx_nomem(err);
    c->origin.file = path;
    c->source = (nx_str){source, text.n};
    nx_contract_hash_of(c->source, c->hash);
    NX_TRY(nx__compile(c, root, &set->arena, err));
    *ret = c;
    return NX_OK;
}

/* Two contracts may not claim one table or one type of a feed. */
nx_status nx__contract_pair(const nx_contract *a, const nx_contract *b, nx_err *err)
{
    if (strcmp(a->table, b->table) == 0)
        return nx_fail(err, NX_INVALID, "contract %s: table %s has a contract already, %s", b->origin.file, b->table,
                       a->origin.file);
    for (size_t i = 0; i < a->n_variants; i++)
        for (size_t k = 0; k < b->n_variants; k++) {
            const nx_variant *v = &a->variants[i], *w = &b->variants[k];
            if (!nx_str_eq(v->feed, w->feed))
                continue;
            if (!nx_str_eq(v->when_key, w->when_key) && v->when_key.n > 0 && w->when_key.n > 0)
                return nx_fail(err, NX_INVALID,
                               "contract %s: feed " NX_STR_FMT " is told apart by '" NX_STR_FMT
                               "' here and by '" NX_STR_FMT "' in %s",
                               b->origin.file, NX_STR_ARG(v->feed), NX_STR_ARG(w->when_key), NX_STR_ARG(v->when_key),
                               a->origin.file);
            if (v->when_value.n > 0 && nx_str_eq(v->when_value, w->when_value))
                return nx_fail(err, NX_INVALID,
                               "contract %s: " NX_STR_FMT ": " NX_STR_FMT " of feed " NX_STR_FMT
                               " belongs to %s already",
                               b->origin.file, NX_STR_ARG(v->when_key), NX_STR_ARG(v->when_value), NX_STR_ARG(v->feed),
                               a->origin.file);
        }
    return NX_OK;
}

nx_status nx__contract_self(const nx_contract *c, nx_err *err)
{
    for (size_t i = 0; i < c->n_variants; i++)
        for (size_t k = 0; k < i; k++)
            if (nx_str_eq(c->variants[i].feed, c->variants[k].feed) &&
                nx_str_eq(c->variants[i].when_value, c->variants[k].when_value))
                return nx_fail(err, NX_INVALID, "contract %s: feed " NX_STR_FMT " is listed twice for one type",
                               c->origin.file, NX_STR_ARG(c->variants[i].feed));
    return NX_OK;
}

static nx_status add_contract(nx_contracts *set, nx_contract *c, nx_err *err)
{
    for (size_t i = 0; i < set->n; i++)
        NX_TRY(nx__contract_pair(set->items[i], c, err));
    NX_TRY(nx__contract_self(c, err));
    c->index = set->n;
    set->items[set->n++] = c;
    return NX_OK;
}

static nx_status load_all(nx_contracts *set, const nx_paths *paths, nx_err *err)
{
    set->items = NX_ARENA_ARRAY(&set->arena, const nx_contract *, paths->n);
    if (set->items == NULL)
        return nx_nomem(err);
    size_t bad = 0;
    nx_status st = NX_OK;
    for (size_t i = 0; i < paths->n; i++) {
        nx_err again, *e = bad == 0 ? err : &again;
        nx_contract *c = NULL;
        nx_status one = load_file(set, paths->items[i], &c, e);
        if (one == NX_OK)
            one = add_contract(set, c, e);
        if (one != NX_OK && bad++ == 0)
            st = one;
    }
    if (bad > 1 && err != NULL) {
        char first[sizeof err->text];
        memcpy(first, err->text, sizeof first);
        char hint[sizeof err->hint];
        memcpy(hint, err->hint, sizeof hint);
        st = nx_fail(err, st, "%s (and %zu more file%s with errors)", first, bad - 1, bad == 2 ? "" : "s");
        if (hint[0] != '\0')
            st = nx_err_hint(err, st, "%s", hint);
    }
    return st;
}

static nx_status load_paths(nx_contracts *set, nx_paths *paths, nx_status st, nx_contracts **ret, nx_err *err)
{
    if (st == NX_OK)
        st = load_all(set, paths, err);
    free(paths->items);
    if (st == NX_OK)
        *ret = set;
    else
        nx_contracts_drop(set);
    return st;
}

static nx_contracts *new_set(void)
{
    nx_contracts *set = calloc(1, sizeof *set);
    if (set != NULL)
        nx_arena_init(&set->arena, 0);
    return set;
}

nx_status nx_contracts_load(const char *dir, nx_contracts **ret, nx_err *err)
{
    nx_contracts *set = new_set();
    nx_paths paths = {0};
    if (set == NULL)
        return nx_nomem(err);
    return load_paths(set, &paths, nx__paths_below(&paths, dir, &set->arena, err), ret, err);
}

nx_status nx_contracts_load_files(const char *const *files, size_t n, nx_contracts **ret, nx_err *err)
{
    nx_contracts *set = new_set();
    nx_paths paths = {0};
    if (set == NULL)
        return nx_nomem(err);
    nx_status st = NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        const char *kept = nx_arena_dup(&set->arena, nx_str_of(files[i]));
        st = kept == NULL ? nx_nomem(err) : nx__paths_add(&paths, kept, err);
    }
    return load_paths(set, &paths, st, ret, err);
}

void nx_contracts_drop(nx_contracts *s)
{
    if (s == NULL)
        return;
    nx_arena_drop(&s->arena);
    free(s);
}

size_t nx_contracts_count(const nx_contracts *s)
{
    return s->n;
}

const nx_contract *nx_contracts_at(const nx_contracts *s, size_t i)
{
    return s->items[i];
}

const nx_contract *nx_contracts_find(const nx_contracts *s, const char *table)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->items[i]->table, table) == 0)
            return s->items[i];
    return NULL;
}

const char *nx_contract_id(const nx_contract *c)
{
    return c->id;
}

const char *nx_contract_table(const nx_contract *c)
{
    return c->table;
}

const char *nx_contract_folder(const nx_contract *c)
{
    return c->folder;
}

const char *nx_contract_file(const nx_contract *c)
{
    return c->origin.file;
}

const char *nx_contract_description(const nx_contract *c)
{
    return c->description;
}

nx_str nx_contract_source(const nx_contract *c)
{
    return c->source;
}

const char *nx_contract_hash(const nx_contract *c)
{
    return c->hash;
}

void nx_contract_hash_of(nx_str source, char ret[NX_CONTRACT_HASH_N + 1])
{
    char hex[65];
    nx_sha256_hex(source, hex);
    memcpy(ret, hex, NX_CONTRACT_HASH_N);
    ret[NX_CONTRACT_HASH_N] = '\0';
}

const nx_schema *nx_contract_schema(const nx_contract *c)
{
    return &c->schema;
}

const char *const *nx_contract_key(const nx_contract *c)
{
    return c->key;
}

const char *const *nx_contract_partition(const nx_contract *c)
{
    return c->partition;
}

const char *const *nx_contract_stats(const nx_contract *c)
{
    return c->stats;
}

bool nx_contract_speaks(const nx_contract *c, const char *feed)
{
    for (size_t i = 0; i < c->n_variants; i++)
        if (c->variants[i].when_key.n > 0 && nx_str_is(c->variants[i].feed, feed))
            return true;
    return false;
}
