/* Who reads whom: edges from refs, cycles, and the order of one thread. */
#include "transform/dbt_int.h"

#include <stdlib.h>

static dbt_node *named(dbt_project *p, const char *kind, const char *name)
{
    const char *id = nx_arena_printf(&p->arena, "%s.%s.%s", kind, p->name, name);
    return id == NULL ? NULL : nx_map_get(&p->by_id, nx_str_of(id));
}

static bool is_disabled(const dbt_project *p, const dbt_ref *r)
{
    for (size_t i = 0; i < p->disabled.n; i++) {
        const dbt_node *n = p->disabled.v[i];
        bool same = strcmp(n->name, r->name) == 0;
        if (r->source == NULL ? same && (n->kind == DBT_MODEL || n->kind == DBT_SEED || n->kind == DBT_SNAPSHOT)
                              : same && n->kind == DBT_SOURCE && strcmp(n->source_name, r->source) == 0)
            return true;
    }
    return false;
}

static nx_status not_found(dbt_project *p, const dbt_node *from, const dbt_ref *r, nx_err *err)
{
    const char *file = from == NULL ? "hook" : from->file;
    int line = from == NULL ? 0 : from->test == NULL ? r->line : from->line;
    const char *where = nx__dbt_where(&p->arena, file, line);
    const char *who =
        from == NULL ? "a hook" : nx_arena_printf(&p->arena, "%s '%s'", nx__dbt_kind_name(from->kind), from->name);
    const char *why = is_disabled(p, r) ? "is disabled" : "was not found";
    const char **names = NX_ARENA_ARRAY(&p->arena, const char *, p->nodes.n + 1);
    if (names == NULL || who == NULL)
        return nx_nomem(err);
    if (r->package != NULL && strcmp(r->package, p->name) != 0)
        return nx_fail(err, NX_UNSUPPORTED,
                       "%s: %s refers to package '%s', and packages are not supported by this runner", where, who,
                       r->package);
    size_t n = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        const dbt_node *node = p->nodes.v[i];
        if ((node->kind == DBT_SOURCE) == (r->source != NULL) && node->kind != DBT_TEST && node->kind != DBT_EXPOSURE)
            names[n++] = node->name;
    }
    size_t near = nx_str_nearest(nx_str_of(r->name), names, n);
    nx_status st = r->source != NULL ? nx_fail(err, NX_INVALID, "%s: %s depends on a source named '%s.%s' which %s",
                                               where, who, r->source, r->name, why)
                                     : nx_fail(err, NX_INVALID, "%s: %s depends on a node named '%s' which %s", where,
                                               who, r->name, why);
    return near == SIZE_MAX || strcmp(names[near], r->name) == 0
               ? st
               : nx_err_hint(err, st, "did you mean '%s'?", names[near]);
}

nx_status nx__dbt_find_ref(dbt_project *p, const dbt_node *from, const dbt_ref *r, dbt_node **ret, nx_err *err)
{
    static const char *const KINDS[] = {"model", "seed", "snapshot"};
    *ret = NULL;
    if (r->source != NULL) {
        const char *id = nx_arena_printf(&p->arena, "source.%s.%s.%s", p->name, r->source, r->name);
        *ret = id == NULL ? NULL : nx_map_get(&p->by_id, nx_str_of(id));
    } else if (r->package == NULL || strcmp(r->package, p->name) == 0) {
        for (size_t i = 0; i < NX_COUNT_OF(KINDS) && *ret == NULL; i++)
            *ret = named(p, KINDS[i], r->name);
    }
    return *ret != NULL ? NX_OK : not_found(p, from, r, err);
}

nx_status nx__dbt_graph_link(dbt_project *p, nx_err *err)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *n = p->nodes.v[i];
        n->idx = i;
        for (size_t k = 0; k < n->refs.n; k++) {
            dbt_node *to;
            NX_TRY(nx__dbt_find_ref(p, n, n->refs.v[k], &to, err));
            if (nx__dbt_list_has(&n->deps, to))
                continue;
            NX_TRY(nx__dbt_push(&p->arena, &n->deps, to, err));
            NX_TRY(nx__dbt_push(&p->arena, &to->children, n, err));
        }
    }
    return NX_OK;
}

/* ---- cycles ---- */

enum { UNSEEN, OPEN, DONE };

typedef struct frame {
    dbt_node *n;
    size_t next;
} frame;

static nx_status tell_cycle(dbt_project *p, const frame *stack, size_t depth, const dbt_node *again, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    size_t from = 0;
    while (stack[from].n != again)
        from++;
    nx_status st = NX_OK;
    for (size_t i = depth; st == NX_OK && i > from; i--) /* the stack goes from a node to what it reads */
        st = nx_buf_addf(&b, "%s --> ", stack[i - 1].n->id);
    if (st == NX_OK)
        st = nx_buf_adds(&b, stack[depth - 1].n->id);
    (void)p;
    return nx_fail(err, NX_INVALID, "Found a cycle: %s", st == NX_OK ? b.p : again->id);
}

nx_status nx__dbt_graph_check(dbt_project *p, nx_err *err)
{
    frame *stack = NX_ARENA_ARRAY(&p->arena, frame, p->nodes.n + 1);
    if (stack == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < p->nodes.n; i++)
        ((dbt_node *)p->nodes.v[i])->mark = UNSEEN;
    for (size_t i = 0; i < p->nodes.n; i++) {
        size_t depth = 0;
        dbt_node *root = p->nodes.v[i];
        if (root->mark != UNSEEN)
            continue;
        root->mark = OPEN;
        stack[depth++] = (frame){root, 0};
        while (depth > 0) {
            frame *f = &stack[depth - 1];
            if (f->next == f->n->deps.n) {
                f->n->mark = DONE;
                depth--;
                continue;
            }
            dbt_node *to = f->n->deps.v[f->next++];
            if (to->mark == OPEN)
                return tell_cycle(p, stack, depth, to, err);
            if (to->mark == UNSEEN) {
                to->mark = OPEN;
                stack[depth++] = (frame){to, 0};
            }
        }
    }
    return NX_OK;
}

/* ---- the plan ---- */

static bool runs(const dbt_node *n)
{
    return n->selected && n->kind != DBT_OPERATION && n->kind != DBT_SOURCE;
}

/* Nearest planned ancestors: edges through nodes that are not part of the plan are kept. seen: a bit a node. */
static nx_status planned_parents(dbt_project *p, dbt_node *n, bool *seen, dbt_list *ret, nx_err *err)
{
    for (size_t i = 0; i < n->deps.n; i++) {
        dbt_node *d = n->deps.v[i];
        if (seen[d->idx])
            continue;
        seen[d->idx] = true;
        if (runs(d))
            NX_TRY(nx__dbt_push(&p->arena, ret, d, err));
        else
            NX_TRY(planned_parents(p, d, seen, ret, err));
    }
    return NX_OK;
}

static void mark_ancestors(const dbt_node *n, bool *seen)
{
    for (size_t i = 0; i < n->deps.n; i++) {
        const dbt_node *d = n->deps.v[i];
        if (!seen[d->idx]) {
            seen[d->idx] = true;
            mark_ancestors(d, seen);
        }
    }
}

/* Tests all of whose parents are upstream of n come before n. */
static nx_status upstream_tests(dbt_project *p, dbt_node *n, bool *seen, dbt_list *ret, nx_err *err)
{
    if (n->kind == DBT_TEST || n->kind == DBT_EXPOSURE)
        return NX_OK;
    memset(seen, 0, p->nodes.n * sizeof *seen);
    mark_ancestors(n, seen);
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *t = p->nodes.v[i];
        bool all = t->kind == DBT_TEST && runs(t) && t->deps.n > 0;
        for (size_t k = 0; all && k < t->deps.n; k++)
            all = seen[((dbt_node *)t->deps.v[k])->idx];
        if (all)
            NX_TRY(nx__dbt_push(&p->arena, ret, t, err));
    }
    return NX_OK;
}

static int by_level(const void *a, const void *b)
{
    const dbt_node *x = *(const dbt_node *const *)a, *y = *(const dbt_node *const *)b;
    return x->level != y->level ? (x->level > y->level) - (x->level < y->level) : strcmp(x->id, y->id);
}

/* Longest path from a node without parents: dbt's score. The graph has no cycle (test edges cannot make one: a test's parents are all upstream). */
static size_t level_of(dbt_node *n, const dbt_list *parents)
{
    if (n->mark == DONE)
        return n->level;
    n->level = 0;
    n->mark = DONE;
    for (size_t i = 0; i < parents[n->idx].n; i++) {
        size_t l = level_of(parents[n->idx].v[i], parents) + 1;
        n->level = l > n->level ? l : n->level;
    }
    return n->level;
}

/* dbt hands every ready node to its one worker at once: those that become ready together by level and id, otherwise first come, first
 * served. waits[idx]: parents that are not done. */
static void put_in_order(dbt_plan *plan, dbt_node **all, size_t n, const dbt_list *parents)
{
    size_t *waits = plan->waits;
    for (size_t i = 0; i < n; i++)
        if ((waits[all[i]->idx] = parents[all[i]->idx].n) == 0)
            plan->order[plan->n++] = all[i];
    if (plan->n > 1)
        qsort(plan->order, plan->n, sizeof(dbt_node *), by_level);
    for (size_t done = 0; done < plan->n; done++) {
        const dbt_list *next = &plan->next[plan->order[done]->idx];
        size_t from = plan->n;
        for (size_t k = 0; k < next->n; k++) {
            dbt_node *w = next->v[k];
            if (--waits[w->idx] == 0)
                plan->order[plan->n++] = w;
        }
        if (plan->n - from > 1)
            qsort(&plan->order[from], plan->n - from, sizeof(dbt_node *), by_level);
    }
}

nx_status nx__dbt_graph_plan(dbt_project *p, bool test_edges, dbt_plan *ret, nx_err *err)
{
    nx_arena *a = &p->arena;
    bool *seen = NX_ARENA_ARRAY(a, bool, p->nodes.n + 1);
    dbt_list *parents = NX_ARENA_ARRAY(a, dbt_list, p->nodes.n + 1);
    dbt_node **all = NX_ARENA_ARRAY(a, dbt_node *, p->nodes.n + 1);
    *ret = (dbt_plan){.order = NX_ARENA_ARRAY(a, dbt_node *, p->nodes.n + 1),
                      .next = NX_ARENA_ARRAY(a, dbt_list, p->nodes.n + 1),
                      .waits = NX_ARENA_ARRAY(a, size_t, p->nodes.n + 1)};
    if (seen == NULL || parents == NULL || all == NULL || ret->order == NULL || ret->next == NULL || ret->waits == NULL)
        return nx_nomem(err);
    size_t n_all = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *n = p->nodes.v[i];
        n->mark = UNSEEN;
        if (!runs(n))
            continue;
        all[n_all++] = n;
        ret->slots += nx__dbt_has_slot(n);
        memset(seen, 0, p->nodes.n * sizeof *seen);
        NX_TRY(planned_parents(p, n, seen, &parents[i], err));
        if (test_edges)
            NX_TRY(upstream_tests(p, n, seen, &parents[i], err));
    }
    for (size_t i = 0; i < n_all; i++) {
        const dbt_list *up = &parents[all[i]->idx];
        (void)level_of(all[i], parents);
        for (size_t k = 0; k < up->n; k++)
            NX_TRY(nx__dbt_push(a, &ret->next[((const dbt_node *)up->v[k])->idx], all[i], err));
    }
    put_in_order(ret, all, n_all, parents);
    return NX_OK;
}
