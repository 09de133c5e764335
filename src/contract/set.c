/* All contracts of a project: loading, checks between them, look-up. */
#include <stdlib.h>

#include "base/file.h"
#include "base/hash.h"
#include "contract/contract_int.h"
#include "data/yaml.h"

enum { FILE_BYTES_MAX = 4 << 20, DEPTH_MAX = 8 };

typedef struct loader {
    nx_contracts *set;
    const char **paths;
    size_t n_paths, cap_paths;
    const char *dir; /* being listed */
    int depth;
} loader;

static nx_status list_dir(loader *l, const char *dir, nx_err *err);

static nx_status on_entry(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    loader *l = ctx;
    const char *dir = l->dir;
    char *path = nx_arena_printf(&l->set->arena, "%s/%s", dir, name);
    if (path == NULL)
        return nx_nomem(err);
    if (is_dir) {
        nx_status st = name[0] == '.' ? NX_OK : list_dir(l, path, err);
        l->dir = dir;
        return st;
    }
    if (!nx_str_ends(nx_str_of(name), NX_STR(".odcs.yaml")))
        return NX_OK;
    if (!nx_grow(&l->paths, &l->cap_paths, l->n_paths + 1, sizeof *l->paths))
        return nx_nomem(err);
    l->paths[l->n_paths++] = path;
    return NX_OK;
}

static nx_status list_dir(loader *l, const char *dir, nx_err *err)
{
    if (l->depth == DEPTH_MAX)
        return nx_fail(err, NX_LIMIT, "contracts below %s: more than %d folders deep", dir, DEPTH_MAX);
    l->dir = dir;
    l->depth++;
    nx_status st = nx_dir_list(dir, on_entry, l, err);
    l->depth--;
    return st;
}

/* Name and version go into column _contract, and into names of files. */
static bool is_plain(nx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' ||
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+_-", s.p[i]) == NULL)
            return false;
    return s.n > 0 && s.n <= 64 && s.p[0] != '.';
}

static nx_status check_id(const nx_contract *c, const nx_val *root, nx_err *err)
{
    static const char *const keys[] = {"name", "version"};
    for (size_t i = 0; i < NX_COUNT_OF(keys); i++) {
        const nx_val *v = nx_val_get(root, keys[i]);
        if (v == NULL || !is_plain(v->s))
            return nx__fail_at(err, c->file, v == NULL ? root : v,
                               "%s must be 1 to 64 letters, digits or any of . + _ - and not begin with a dot",
                               keys[i]);
    }
    return NX_OK;
}

static nx_status header(nx_contract *c, const nx_val *root, nx_arena *a, nx_err *err)
{
    const nx_val *object = &nx_val_get(root, "schema")->items[0];
    const nx_val *folder = nx__odcs_custom(object, "folder"), *desc = nx_val_get(object, "description");
    NX_TRY(check_id(c, root, err));
    nx_str name = nx_val_get(root, "name")->s, table = nx_val_str(nx_val_get(object, "physicalName"), NX_STR(""));
    if (!nx_str_eq(name, nx_val_get(object, "name")->s))
        return nx__fail_at(err, c->file, object, "the schema object must have the contract's name, " NX_STR_FMT,
                           NX_STR_ARG(name));
    size_t dot = nx_str_find(table, NX_STR("."), 0);
    if (dot == SIZE_MAX || dot == 0 || !nx_str_eq(nx_str_sub(table, dot + 1, table.n), name))
        return nx__fail_at(err, c->file, object, "physicalName must be SCHEMA." NX_STR_FMT ", the name of the table",
                           NX_STR_ARG(name));
    if (folder == NULL || folder->kind != NX_VAL_STR || folder->s.n == 0 || folder->s.p[0] == '/' ||
        nx_str_find(folder->s, NX_STR(".."), 0) != SIZE_MAX)
        return nx__fail_at(err, c->file, folder == NULL ? object : folder,
                           "the custom property 'folder' must be a path inside the lake");
    if (desc == NULL || desc->s.n == 0)
        return nx__fail_at(err, c->file, object, "the table needs a description");
    c->name = nx_arena_dup(a, name);
    c->id = nx_arena_printf(a, NX_STR_FMT "@" NX_STR_FMT, NX_STR_ARG(name), NX_STR_ARG(nx_val_get(root, "version")->s));
    c->table = nx_arena_dup(a, table);
    c->folder = nx_arena_dup(a, folder->s);
    c->description = nx_arena_dup(a, desc->s);
    c->id_n = c->id == NULL ? 0 : strlen(c->id);
    c->technical = nx_str_starts(table, NX_STR("bronze."));
    return c->name == NULL || c->id == NULL || c->table == NULL || c->folder == NULL || c->description == NULL
               ? nx_nomem(err)
               : NX_OK;
}

static nx_status compile(nx_contract *c, const nx_val *root, nx_arena *a, nx_err *err)
{
    NX_TRY(nx__odcs_check(root, c->file, err));
    NX_TRY(header(c, root, a, err));
    const nx_val *object = &nx_val_get(root, "schema")->items[0];
    NX_TRY(nx__compile_columns(c, object, a, err));
    NX_TRY(nx__compile_derived(c, object, a, err));
    return nx__compile_feeds(c, object, a, err);
}

static nx_status load_file(nx_contracts *set, const char *path, nx_contract **ret, nx_err *err)
{
    nx_arena trees NX_ARENA_AUTO; /* the tree goes, the compiled contract stays */
    nx_buf text NX_BUF_AUTO;
    nx_arena_init(&trees, 0);
    nx_buf_init(&text, FILE_BYTES_MAX);
    NX_TRY(nx_file_read(path, &text, err));
    nx_val *root = NULL;
    NX_TRY(nx_yaml_parse(nx_buf_str(&text), path, &trees, &root, err));
    nx_contract *c = NX_ARENA_NEW(&set->arena, nx_contract);
    if (c == NULL)
        return nx_nomem(err);
    c->file = path;
    char *source = nx_arena_dup(&set->arena, nx_buf_str(&text));
    if (source == NULL)
        return nx_nomem(err);
    c->source = (nx_str){source, text.n};
    nx_contract_hash_of(c->source, c->hash);
    NX_TRY(compile(c, root, &set->arena, err));
    for (size_t i = 0; i < c->schema.n_fields; i++)
        c->cols[i].wire = NULL; /* pointed into the tree */
    *ret = c;
    return NX_OK;
}

/* Two contracts may not claim one table or one type of a feed. */
static nx_status check_pair(const nx_contract *a, const nx_contract *b, nx_err *err)
{
    if (strcmp(a->table, b->table) == 0)
        return nx_fail(err, NX_INVALID, "contract %s: table %s has a contract already, %s", b->file, b->table, a->file);
    for (size_t i = 0; i < a->n_variants; i++)
        for (size_t k = 0; k < b->n_variants; k++) {
            const nx_variant *v = &a->variants[i], *w = &b->variants[k];
            if (!nx_str_eq(v->feed, w->feed))
                continue;
            if (!nx_str_eq(v->when_key, w->when_key) && v->when_key.n > 0 && w->when_key.n > 0)
                return nx_fail(err, NX_INVALID,
                               "contract %s: feed " NX_STR_FMT " is told apart by '" NX_STR_FMT
                               "' here and by '" NX_STR_FMT "' in %s",
                               b->file, NX_STR_ARG(v->feed), NX_STR_ARG(w->when_key), NX_STR_ARG(v->when_key), a->file);
            if (v->when_value.n > 0 && nx_str_eq(v->when_value, w->when_value))
                return nx_fail(
                    err, NX_INVALID,
                    "contract %s: " NX_STR_FMT ": " NX_STR_FMT " of feed " NX_STR_FMT " belongs to %s already", b->file,
                    NX_STR_ARG(v->when_key), NX_STR_ARG(v->when_value), NX_STR_ARG(v->feed), a->file);
        }
    return NX_OK;
}

static nx_status add_contract(nx_contracts *set, nx_contract *c, nx_err *err)
{
    for (size_t i = 0; i < set->n; i++)
        NX_TRY(check_pair(set->items[i], c, err));
    for (size_t i = 0; i < c->n_variants; i++)
        for (size_t k = 0; k < i; k++)
            if (nx_str_eq(c->variants[i].feed, c->variants[k].feed) &&
                nx_str_eq(c->variants[i].when_value, c->variants[k].when_value))
                return nx_fail(err, NX_INVALID, "contract %s: feed " NX_STR_FMT " is listed twice for one type",
                               c->file, NX_STR_ARG(c->variants[i].feed));
    c->index = set->n;
    set->items[set->n++] = c;
    return NX_OK;
}

static nx_status load_listed(loader *l, nx_err *err)
{
    l->set->items = NX_ARENA_ARRAY(&l->set->arena, const nx_contract *, l->n_paths);
    if (l->set->items == NULL)
        return nx_nomem(err);
    size_t bad = 0;
    nx_status st = NX_OK;
    for (size_t i = 0; i < l->n_paths; i++) {
        nx_err again, *e = bad == 0 ? err : &again;
        nx_contract *c = NULL;
        nx_status one = load_file(l->set, l->paths[i], &c, e);
        if (one == NX_OK)
            one = add_contract(l->set, c, e);
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

static nx_status begin(loader *l, nx_err *err)
{
    *l = (loader){.set = calloc(1, sizeof *l->set)};
    if (l->set == NULL)
        return nx_nomem(err);
    nx_arena_init(&l->set->arena, 0);
    return NX_OK;
}

static nx_status end(loader *l, nx_status st, nx_contracts **ret)
{
    free(l->paths);
    if (st == NX_OK)
        *ret = l->set;
    else
        nx_contracts_drop(l->set);
    return st;
}

nx_status nx_contracts_load(const char *dir, nx_contracts **ret, nx_err *err)
{
    loader l;
    NX_TRY(begin(&l, err));
    nx_status st = list_dir(&l, dir, err);
    if (st == NX_OK && l.n_paths == 0)
        st = nx_err_hint(err, nx_fail(err, NX_NOT_FOUND, "no contract (*.odcs.yaml) below %s", dir),
                         "the project folder needs contracts/");
    return end(&l, st == NX_OK ? load_listed(&l, err) : st, ret);
}

static nx_status take_path(loader *l, const char *path)
{
    const char *kept = nx_arena_dup(&l->set->arena, nx_str_of(path));
    if (kept == NULL || !nx_grow(&l->paths, &l->cap_paths, l->n_paths + 1, sizeof *l->paths))
        return NX_NOMEM;
    l->paths[l->n_paths++] = kept;
    return NX_OK;
}

nx_status nx_contracts_load_files(const char *const *paths, size_t n, nx_contracts **ret, nx_err *err)
{
    loader l;
    NX_TRY(begin(&l, err));
    nx_status st = NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++)
        st = take_path(&l, paths[i]);
    if (st != NX_OK)
        (void)nx_nomem(err);
    return end(&l, st == NX_OK ? load_listed(&l, err) : st, ret);
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
    return c->file;
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
