/* Two versions of a contract: all changes, what they ask of the version, whether a mode lets them pass. */
#include "contract/evolution.h"

#include <stdlib.h>

#include "contract/evolution_int.h"
#include "data/yaml.h"

typedef struct kind_info {
    const char *name;
    unsigned breaks, risks;
    nx_bump bump;
    const char *why;
} kind_info;

static const kind_info kinds[] = {
#define X(name, breaks, risks, bump, why) {#name, (breaks), (risks), NX_BUMP_##bump, (why)},
    NX_CHANGE_LIST(X)
#undef X
};

static const char *copy(nx_arena *a, const char *text)
{
    return text == NULL || text[0] == '\0' ? "" : nx_arena_dup(a, nx_str_of(text));
}

nx_status nx__evo_note(nx__evo *e, nx_change_kind kind, const char *at, const char *was, const char *now)
{
    const kind_info *k = &kinds[kind];
    nx_contract_change c = {.kind = k->name,
                            .at = copy(e->a, at),
                            .was = copy(e->a, was),
                            .now = copy(e->a, now),
                            .breaks = k->breaks,
                            .risks = k->risks,
                            .bump = k->bump,
                            .why = k->why};
    if (c.at == NULL || c.was == NULL || c.now == NULL)
        return nx_nomem(e->err);
    for (size_t i = 0; i < e->n; i++) /* the same of every feed is told once */
        if (e->changes[i].kind == c.kind && strcmp(e->changes[i].at, c.at) == 0 &&
            strcmp(e->changes[i].was, c.was) == 0 && strcmp(e->changes[i].now, c.now) == 0)
            return NX_OK;
    if (!nx_grow(&e->changes, &e->cap, e->n + 1, sizeof *e->changes))
        return nx_nomem(e->err);
    e->changes[e->n++] = c;
    return NX_OK;
}

const nx_val *nx__evo_property(const nx__version *v, int16_t col)
{
    return col < 0 ? NULL : &v->props->items[col]; /* columns of a file are compiled in its order */
}

/* ------------------------------------------------------------------ versions */

static void compare_versions(const nx__evo *e, nx_contract_diff *d)
{
    static const nx_bump part[] = {NX_BUMP_MAJOR, NX_BUMP_MINOR, NX_BUMP_PATCH};
    int64_t was[3], now[3];
    bool told = nx__version_parse(nx_val_str(nx_val_get(e->old.root, "version"), NX_STR("")), was) &&
                nx__version_parse(nx_val_str(nx_val_get(e->now.root, "version"), NX_STR("")), now);
    d->moved = NX_BUMP_NONE;
    for (int i = 0; i < 3 && told; i++) /* both were loaded: it is told */
        if (was[i] != now[i]) {
            d->older = now[i] < was[i];
            d->moved = d->older ? NX_BUMP_NONE : part[i];
            return;
        }
}

/* ------------------------------------------------------------------ one pair */

static nx_status open_version(nx__version *v, const nx_contract *c, nx_arena *a, nx_err *err)
{
    nx_val *root = NULL;
    NX_TRY(nx_yaml_parse(nx_contract_source(c), nx_contract_file(c), a, &root, err));
    v->c = c;
    v->root = root;
    v->object = &nx_val_get(root, "schema")->items[0]; /* it was loaded: it has the shape */
    v->props = nx_val_get(v->object, "properties");
    return NX_OK;
}

static nx_status fill(nx__evo *e, nx_compat mode, nx_contract_diff *d)
{
    d->changes = NX_ARENA_ARRAY(e->a, nx_contract_change, e->n + 1);
    if (d->changes == NULL)
        return nx_nomem(e->err);
    for (size_t i = 0; i < e->n; i++) {
        d->changes[i] = e->changes[i];
        d->breaks |= e->changes[i].breaks;
        d->risks |= e->changes[i].risks;
        d->bump = e->changes[i].bump > d->bump ? e->changes[i].bump : d->bump;
    }
    d->n = e->n;
    unsigned counted = d->breaks | (mode.strict ? d->risks : 0);
    d->refused = (counted & mode.directions) != 0 && d->moved != NX_BUMP_MAJOR;
    return NX_OK;
}

static nx_status compare(const nx_contract *old, const nx_contract *now, nx_compat mode, nx_arena *a,
                         nx_contract_diff *d, nx_err *err)
{
    nx_arena trees NX_ARENA_AUTO;
    nx_arena_init(&trees, 0);
    nx__evo e = {.a = a, .err = err};
    *d = (nx_contract_diff){.old = old, .now = now};
    NX_TRY(open_version(&e.old, old, &trees, err));
    NX_TRY(open_version(&e.now, now, &trees, err));
    compare_versions(&e, d);
    nx_status st = nx__evo_columns(&e);
    if (st == NX_OK)
        st = nx__evo_wire(&e);
    if (st == NX_OK)
        st = nx__evo_terms(&e);
    if (st == NX_OK)
        st = fill(&e, mode, d);
    free(e.changes);
    return st;
}

/* ------------------------------------------------------------------ modes */

nx_status nx_compat_parse(const char *text, nx_compat *ret, nx_err *err)
{
    static const struct {
        const char *name;
        unsigned directions;
    } modes[] = {{"backward", BACK}, {"forward", FORTH}, {"full", BACK | FORTH}};
    nx_str s = nx_str_of(text), tail = NX_STR("-transitive");
    *ret = (nx_compat){.transitive = nx_str_ends(s, tail)};
    if (ret->transitive)
        s = nx_str_sub(s, 0, s.n - tail.n);
    for (size_t i = 0; i < NX_COUNT_OF(modes); i++)
        if (nx_str_is(s, modes[i].name)) {
            ret->directions = modes[i].directions;
            return NX_OK;
        }
    nx_fail(err, NX_INVALID, "'%s' is no mode of compatibility", text);
    return nx_err_hint(err, NX_INVALID,
                       "backward, forward, full, backward-transitive, forward-transitive or full-transitive");
}

nx_status nx_contract_evolve(const nx_contract *const *old, size_t n, const nx_contract *now, nx_compat mode,
                             nx_evolution *ret, nx_err *err)
{
    *ret = (nx_evolution){0};
    nx_arena_init(&ret->arena, 0);
    if (n > 1 && !mode.transitive)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "%zu old versions are given, and the mode looks at one", n),
                           "a mode that ends with -transitive looks at all of them");
    ret->diffs = NX_ARENA_ARRAY(&ret->arena, nx_contract_diff, n + 1);
    if (ret->diffs == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++) {
        NX_TRY(compare(old[i], now, mode, &ret->arena, &ret->diffs[i], err));
        ret->refused |= ret->diffs[i].refused;
        ret->n++;
    }
    return NX_OK;
}

void nx_evolution_drop(nx_evolution *e)
{
    nx_arena_drop(&e->arena);
    *e = (nx_evolution){0};
}
