/* Leaf columns and their levels: Dremel's record shredding for our lists and structs, every node OPTIONAL. */
#include <stdlib.h>

#include "lake/parquet_int.h"

/* ------------------------------------------------------------------ leaves of a schema */

typedef struct leaves {
    nx_arena *arena;
    nx__pq_leaf *list;
    size_t n, cap;
    const char *path[NX__PQ_DEPTH_MAX * 3];
    nx_err *err;
} leaves;

void nx__pq_physical(const nx_type *t, nx__pq_leaf *leaf)
{
    leaf->phys = NX__PQ_INT64;
    leaf->width = 8;
    switch (t->kind) {
    case NX_BOOL:
        leaf->phys = NX__PQ_BOOLEAN;
        leaf->width = 1;
        break;
    case NX_INT32:
    case NX_DATE:
        leaf->phys = NX__PQ_INT32;
        leaf->width = 4;
        break;
    case NX_DOUBLE:
        leaf->phys = NX__PQ_DOUBLE;
        break;
    case NX_DECIMAL:
        if (t->precision <= 9) {
            leaf->phys = NX__PQ_INT32;
            leaf->width = 4;
        } else if (t->precision > 18) {
            leaf->phys = NX__PQ_FIXED;
            leaf->width = NX__PQ_FIXED_BYTES;
        }
        break;
    case NX_STRING:
    case NX_BINARY:
        leaf->phys = NX__PQ_BYTES;
        leaf->width = 0;
        break;
    default:
        break;
    }
}

static nx_status add_leaf(leaves *l, const nx_type *type, size_t n_path, uint16_t def, uint16_t rep)
{
    if (l->n == l->cap) {
        size_t cap = l->cap == 0 ? 32 : l->cap * 2;
        nx__pq_leaf *more = NX_ARENA_ARRAY(l->arena, nx__pq_leaf, cap);
        if (more == NULL)
            return nx_nomem(l->err);
        if (l->n > 0)
            memcpy(more, l->list, l->n * sizeof *more);
        l->list = more;
        l->cap = cap;
    }
    const char **path = NX_ARENA_ARRAY(l->arena, const char *, n_path);
    if (path == NULL)
        return nx_nomem(l->err);
    memcpy(path, l->path, n_path * sizeof *path);
    nx__pq_leaf *leaf = &l->list[l->n++];
    *leaf = (nx__pq_leaf){.type = type, .path = path, .n_path = n_path, .max_def = def, .max_rep = rep};
    nx__pq_physical(type, leaf);
    return NX_OK;
}

static nx_status node(leaves *l, const nx_field *f, size_t depth, size_t n_path, uint16_t def, uint16_t rep)
{
    if (depth >= NX__PQ_DEPTH_MAX)
        return nx_fail(l->err, NX_UNSUPPORTED, "column %s is nested more than %d deep", l->path[0], NX__PQ_DEPTH_MAX);
    l->path[n_path++] = f->name;
    def++;
    if (f->type.kind == NX_LIST) {
        nx_field element = f->type.fields[0];
        element.name = "element";
        l->path[n_path++] = "list";
        return node(l, &element, depth + 1, n_path, (uint16_t)(def + 1), (uint16_t)(rep + 1));
    }
    if (f->type.kind != NX_STRUCT)
        return add_leaf(l, &f->type, n_path, def, rep);
    if (f->type.n_fields == 0)
        return nx_fail(l->err, NX_UNSUPPORTED, "column %s holds a struct without fields", l->path[0]);
    for (size_t i = 0; i < f->type.n_fields; i++)
        NX_TRY(node(l, &f->type.fields[i], depth + 1, n_path, def, rep));
    return NX_OK;
}

nx_status nx__pq_leaves(const nx_schema *s, const bool *skip, nx_arena *a, nx__pq_leaf **ret, size_t *ret_n,
                        nx_err *err)
{
    leaves l = {.arena = a, .err = err};
    for (size_t i = 0; i < s->n_fields; i++)
        if (!skip[i])
            NX_TRY(node(&l, &s->fields[i], 0, 0, 0, 0));
    *ret = l.list;
    *ret_n = l.n;
    return l.n > 0 ? NX_OK : nx_fail(err, NX_INVALID, "there is no column to write beside the partition's");
}

/* ------------------------------------------------------------------ slots of a column */

typedef struct walk {
    nx__pq_walk *w;
    nx__pq_leaf_fn fn;
    void *ctx;
    nx_err *err;
} walk;

static nx_status room(nx__pq_slots *s, size_t n, nx_err *err)
{
    size_t cap = s->cap;
    if (n >= NX__PQ_NONE)
        return nx_fail(err, NX_LIMIT, "a row group would hold more than %u list elements", NX__PQ_NONE);
    if (n <= cap)
        return NX_OK;
    if (!nx_grow(&s->at, &cap, n, sizeof *s->at))
        return nx_nomem(err);
    void *def = realloc(s->def, cap * sizeof *s->def);
    if (def == NULL)
        return nx_nomem(err);
    s->def = def;
    void *rep = realloc(s->rep, cap * sizeof *s->rep);
    if (rep == NULL)
        return nx_nomem(err);
    s->rep = rep;
    s->cap = cap;
    return NX_OK;
}

/* Nulls of this node end here; others are one level deeper. */
static void go_optional(nx__pq_slots *s, const nx_col *c)
{
    for (size_t i = 0; i < s->n; i++) {
        if (s->at[i] == NX__PQ_NONE)
            continue;
        if (nx_col_is_null(c, s->at[i]))
            s->at[i] = NX__PQ_NONE;
        else
            s->def[i]++;
    }
}

/* A slot a list becomes a slot an element; empty lists stay one without. */
static nx_status go_list(const nx__pq_slots *s, const nx_col *c, uint16_t rep, nx__pq_slots *to, nx_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t len = s->at[i] == NX__PQ_NONE ? 0 : c->off[s->at[i] + 1] - c->off[s->at[i]];
        n += len == 0 ? 1 : len;
    }
    NX_TRY(room(to, n, err));
    to->n = 0;
    for (size_t i = 0; i < s->n; i++) {
        uint32_t from = s->at[i] == NX__PQ_NONE ? 0 : c->off[s->at[i]];
        uint32_t end = s->at[i] == NX__PQ_NONE ? 0 : c->off[s->at[i] + 1];
        size_t k = to->n;
        to->at[k] = from < end ? from : NX__PQ_NONE;
        to->def[k] = (uint16_t)(s->def[i] + (from < end));
        to->rep[k++] = s->rep[i];
        for (uint32_t e = from + 1; e < end; e++, k++) {
            to->at[k] = e;
            to->def[k] = (uint16_t)(s->def[i] + 1);
            to->rep[k] = rep;
        }
        to->n = k;
    }
    return NX_OK;
}

static nx_status copy_slots(const nx__pq_slots *s, nx__pq_slots *to, nx_err *err)
{
    NX_TRY(room(to, s->n, err));
    memcpy(to->at, s->at, s->n * sizeof *s->at);
    memcpy(to->def, s->def, s->n * sizeof *s->def);
    memcpy(to->rep, s->rep, s->n * sizeof *s->rep);
    to->n = s->n;
    return NX_OK;
}

/* A leaf needs the rows of its values only, one behind the other. */
static void only_values(nx__pq_slots *s)
{
    s->n_values = 0;
    for (size_t i = 0; i < s->n; i++) {
        s->at[s->n_values] = s->at[i];
        s->n_values += s->at[i] != NX__PQ_NONE;
    }
}

/* level[depth] holds the slots of the node around c. */
static nx_status descend(walk *w, const nx_col *c, size_t depth, uint16_t rep)
{
    nx__pq_slots *s = &w->w->level[depth];
    go_optional(s, c);
    if (c->type->kind == NX_LIST) {
        NX_TRY(go_list(s, c, (uint16_t)(rep + 1), &w->w->level[depth + 1], w->err));
        return descend(w, &c->child[0], depth + 1, (uint16_t)(rep + 1));
    }
    if (c->type->kind == NX_STRUCT) {
        for (size_t i = 0; i < c->n_children; i++) {
            NX_TRY(copy_slots(s, &w->w->level[depth + 1], w->err));
            NX_TRY(descend(w, &c->child[i], depth + 1, rep));
        }
        return NX_OK;
    }
    only_values(s);
    s->plain = false;
    s->flat = rep == 0;
    return w->fn(w->ctx, c, s, w->err);
}

/* A column without lists and structs of which all rows, or none, have a value. */
static nx_status flat(walk *w, const nx_col *c, const nx__pq_pick *pick)
{
    nx__pq_slots *s = &w->w->level[0];
    bool none = c->n_nulls > 0;
    s->n = pick->n;
    s->n_values = none ? 0 : pick->n;
    s->plain = s->flat = true;
    s->level = none ? 0 : 1;
    s->from = (uint32_t)pick->from;
    if (pick->rows != NULL && !none) {
        NX_TRY(room(s, pick->n, w->err));
        memcpy(s->at, pick->rows + pick->from, pick->n * sizeof *s->at);
        s->plain = false;
        for (size_t i = 0; i < s->n; i++)
            s->def[i] = 1;
    }
    return w->fn(w->ctx, c, s, w->err);
}

nx_status nx__pq_walk_column(nx__pq_walk *w, const nx_col *c, const nx__pq_pick *pick, nx__pq_leaf_fn fn, void *ctx,
                             nx_err *err)
{
    walk k = {w, fn, ctx, err};
    nx__pq_slots *s = &w->level[0];
    bool nested = c->type->kind == NX_LIST || c->type->kind == NX_STRUCT;
    if (!nested && (c->n_nulls == 0 || c->n_nulls == c->n))
        return flat(&k, c, pick);
    NX_TRY(room(s, pick->n, err));
    s->n = pick->n;
    for (size_t i = 0; i < pick->n; i++)
        s->at[i] = pick->rows == NULL ? (uint32_t)(pick->from + i) : pick->rows[pick->from + i];
    memset(s->def, 0, pick->n * sizeof *s->def);
    memset(s->rep, 0, pick->n * sizeof *s->rep);
    return descend(&k, c, 0, 0);
}

void nx__pq_walk_drop(nx__pq_walk *w)
{
    for (size_t i = 0; i < NX_COUNT_OF(w->level); i++) {
        free(w->level[i].at);
        free(w->level[i].def);
        free(w->level[i].rep);
    }
    *w = (nx__pq_walk){0};
}
