/* Columns of two versions: which belong together, what became of their types, nulls and keys. */
#include "contract/evolution_int.h"

/* ------------------------------------------------------------------ which belong together */

static const char *name_of(const nx__version *v, int16_t col)
{
    return v->c->schema.fields[col].name;
}

static nx_status json_of(const nx_val *v, nx_buf *b)
{
    nx_buf_clear(b);
    return v == NULL ? NX_OK : nx_val_to_json(v, b);
}

/* Both have it and it is the same. */
static nx_status same_custom(const nx_val *p, const nx_val *q, const char *name, bool *ret)
{
    const nx_val *v = nx__odcs_custom(p, name), *w = nx__odcs_custom(q, name);
    nx_buf x NX_BUF_AUTO, y NX_BUF_AUTO;
    nx_buf_init(&x, 0);
    nx_buf_init(&y, 0);
    NX_TRY(json_of(v, &x));
    NX_TRY(json_of(w, &y));
    *ret = v != NULL && w != NULL && nx_str_eq(nx_buf_str(&x), nx_buf_str(&y));
    return NX_OK;
}

/* A column of another name that is still the same: by the standard's id, by its wire name, or because it is derived in the same way. */
static nx_status is_renamed(const nx__evo *e, int16_t was, int16_t now, bool *ret)
{
    const nx_val *p = nx__evo_property(&e->old, was), *q = nx__evo_property(&e->now, now);
    nx_str id = nx_val_str(nx_val_get(p, "id"), NX_STR(""));
    *ret = id.n > 0 && nx_str_eq(id, nx_val_str(nx_val_get(q, "id"), NX_STR("")));
    if (!*ret)
        NX_TRY(same_custom(p, q, "wire", ret));
    return *ret ? NX_OK : same_custom(p, q, "derive", ret);
}

static nx_status pair_columns(nx__evo *e)
{
    size_t n_old = e->old.c->n_own, n_now = e->now.c->n_own;
    bool *taken = NX_ARENA_ARRAY(e->a, bool, n_old);
    e->pairs = NX_ARENA_ARRAY(e->a, nx__pair, n_old + n_now);
    if (taken == NULL || e->pairs == NULL)
        return nx_nomem(e->err);
    for (size_t i = 0; i < n_now; i++) {
        size_t at = nx_schema_find(&e->old.c->schema, nx_str_of(name_of(&e->now, (int16_t)i)));
        bool found = at < n_old;
        e->pairs[e->n_pairs++] = (nx__pair){found ? (int16_t)at : -1, (int16_t)i};
        if (found)
            taken[at] = true;
    }
    for (size_t i = 0; i < n_old; i++) {
        bool same = false;
        for (size_t k = 0; k < n_now && !taken[i] && !same; k++) {
            if (e->pairs[k].was >= 0)
                continue;
            if (is_renamed(e, (int16_t)i, (int16_t)k, &same) != NX_OK)
                return nx_nomem(e->err);
            if (same)
                e->pairs[k].was = (int16_t)i;
        }
        if (!taken[i] && !same)
            e->pairs[e->n_pairs++] = (nx__pair){(int16_t)i, -1};
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ types */

/* Digits before the point that a whole number's type may have; 0: it is none. */
static int whole_digits(const nx_type *t)
{
    return t->kind == NX_INT32 ? 10 : t->kind == NX_INT64 ? 19 : 0;
}

static bool widens(const nx_type *a, const nx_type *b)
{
    if (a->kind == NX_INT32 && (b->kind == NX_INT64 || b->kind == NX_DOUBLE))
        return true;
    if (b->kind != NX_DECIMAL)
        return false;
    if (a->kind == NX_DECIMAL)
        return b->scale >= a->scale && b->precision - b->scale >= a->precision - a->scale;
    return whole_digits(a) > 0 && b->precision - b->scale >= whole_digits(a);
}

static nx_status note_types(nx__evo *e, nx_change_kind kind, const char *at, const nx_type *was, const nx_type *now)
{
    nx_buf x NX_BUF_AUTO, y NX_BUF_AUTO;
    nx_buf_init(&x, 0);
    nx_buf_init(&y, 0);
    if (nx_type_to_sql(was, &x) != NX_OK || nx_type_to_sql(now, &y) != NX_OK)
        return nx_nomem(e->err);
    return nx__evo_note(e, kind, at, x.p, y.p);
}

static nx_status compare_field(nx__evo *e, const char *at, const nx_field *was, const nx_field *now);

static nx_status compare_struct(nx__evo *e, const char *at, const nx_type *was, const nx_type *now)
{
    const nx_schema before = {was->fields, was->n_fields}, after = {now->fields, now->n_fields};
    for (size_t i = 0; i < after.n_fields; i++) {
        const nx_field *f = &after.fields[i];
        size_t k = nx_schema_find(&before, nx_str_of(f->name));
        const char *inner = nx_arena_printf(e->a, "%s.%s", at, f->name);
        if (inner == NULL)
            return nx_nomem(e->err);
        if (k != SIZE_MAX)
            NX_TRY(compare_field(e, inner, &before.fields[k], f));
        else
            NX_TRY(nx__evo_note(e, f->nullable ? NX_CHANGE_column_added : NX_CHANGE_required_column_added, inner, "",
                                f->name));
    }
    for (size_t i = 0; i < before.n_fields; i++) {
        if (nx_schema_find(&after, nx_str_of(before.fields[i].name)) != SIZE_MAX)
            continue;
        const char *inner = nx_arena_printf(e->a, "%s.%s", at, before.fields[i].name);
        if (inner == NULL)
            return nx_nomem(e->err);
        NX_TRY(nx__evo_note(e, NX_CHANGE_column_removed, inner, before.fields[i].name, ""));
    }
    return NX_OK;
}

static nx_status compare_field(nx__evo *e, const char *at, const nx_field *was, const nx_field *now)
{
    const nx_type *a = &was->type, *b = &now->type;
    if (was->nullable && !now->nullable)
        NX_TRY(nx__evo_note(e, NX_CHANGE_made_required, at, "nullable", "required"));
    if (!was->nullable && now->nullable)
        NX_TRY(nx__evo_note(e, NX_CHANGE_made_nullable, at, "required", "nullable"));
    if (nx_type_equal(a, b))
        return NX_OK;
    if (a->kind == NX_LIST && b->kind == NX_LIST) {
        const char *inner = nx_arena_printf(e->a, "%s[]", at);
        return inner == NULL ? nx_nomem(e->err) : compare_field(e, inner, &a->fields[0], &b->fields[0]);
    }
    if (a->kind == NX_STRUCT && b->kind == NX_STRUCT)
        return compare_struct(e, at, a, b);
    return note_types(e, widens(a, b) ? NX_CHANGE_type_widened : NX_CHANGE_type_changed, at, a, b);
}

/* ------------------------------------------------------------------ keys */

/* The name that a column of the old contract has now, or had. */
static const char *renamed(const nx__evo *e, const char *old)
{
    for (size_t i = 0; i < e->n_pairs; i++)
        if (e->pairs[i].was >= 0 && e->pairs[i].now >= 0 && strcmp(name_of(&e->old, e->pairs[i].was), old) == 0)
            return name_of(&e->now, e->pairs[i].now);
    return old;
}

static size_t count(const char *const *names)
{
    size_t n = 0;
    while (names != NULL && names[n] != NULL)
        n++;
    return n;
}

static bool holds(const char *const *names, const char *name)
{
    for (size_t i = 0; i < count(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static const char *joined(nx_arena *a, const char *const *names)
{
    const char *text = "";
    for (size_t i = 0; text != NULL && i < count(names); i++)
        text = nx_arena_printf(a, "%s%s%s", text, i == 0 ? "" : ", ", names[i]);
    return text;
}

typedef struct lists {
    size_t was, now, common;
    bool same_order;
} lists;

static lists compare_lists(const nx__evo *e, const char *const *was, const char *const *now)
{
    lists l = {.was = count(was), .now = count(now), .same_order = true};
    for (size_t i = 0; i < l.was; i++) {
        const char *name = renamed(e, was[i]);
        l.common += holds(now, name);
        l.same_order &= i < l.now && strcmp(now[i], name) == 0;
    }
    return l;
}

static nx_status compare_key(nx__evo *e)
{
    const char *const *was = e->old.c->key, *const *now = e->now.c->key;
    const lists l = compare_lists(e, was, now);
    nx_change_kind kind = NX_CHANGE_key_changed;
    if (l.was == l.now && l.same_order)
        return NX_OK;
    if (l.was == l.common && l.now == l.common)
        kind = NX_CHANGE_key_order;
    else if (l.was == 0)
        kind = NX_CHANGE_key_added;
    else if (l.now == 0)
        kind = NX_CHANGE_key_removed;
    else if (l.was == l.common)
        kind = NX_CHANGE_key_extended;
    else if (l.now == l.common)
        kind = NX_CHANGE_key_shortened;
    return nx__evo_note(e, kind, "key", joined(e->a, was), joined(e->a, now));
}

static nx_status compare_partition(nx__evo *e)
{
    const char *const *was = e->old.c->partition, *const *now = e->now.c->partition;
    const lists l = compare_lists(e, was, now);
    if (l.was == l.now && l.same_order)
        return NX_OK;
    return nx__evo_note(e, NX_CHANGE_partition_changed, "partition", joined(e->a, was), joined(e->a, now));
}

/* ------------------------------------------------------------------ all of them */

static nx_status compare_flags(nx__evo *e, const nx__pair *p, const char *at)
{
    const nx_val *was = nx__evo_property(&e->old, p->was), *now = nx__evo_property(&e->now, p->now);
    bool before = nx_val_bool(nx_val_get(was, "unique"), false), after = nx_val_bool(nx_val_get(now, "unique"), false);
    if (before != after)
        NX_TRY(nx__evo_note(e, after ? NX_CHANGE_unique_added : NX_CHANGE_unique_removed, at, before ? "unique" : "",
                            after ? "unique" : ""));
    return NX_OK;
}

static nx_status compare_pair(nx__evo *e, const nx__pair *p)
{
    if (p->now < 0)
        return nx__evo_note(e, NX_CHANGE_column_removed, name_of(&e->old, p->was), name_of(&e->old, p->was), "");
    const char *at = name_of(&e->now, p->now);
    const nx_field *now = &e->now.c->schema.fields[p->now];
    if (p->was < 0)
        return nx__evo_note(e, now->nullable ? NX_CHANGE_column_added : NX_CHANGE_required_column_added, at, "", at);
    const nx_field *was = &e->old.c->schema.fields[p->was];
    if (strcmp(was->name, now->name) != 0)
        NX_TRY(nx__evo_note(e, NX_CHANGE_column_renamed, at, was->name, now->name));
    NX_TRY(compare_field(e, at, was, now));
    NX_TRY(compare_flags(e, p, at));
    return nx__evo_rules(e, p, at);
}

nx_status nx__evo_columns(nx__evo *e)
{
    NX_TRY(pair_columns(e));
    int16_t last = -1;
    bool moved = false;
    for (size_t i = 0; i < e->n_pairs; i++) {
        NX_TRY(compare_pair(e, &e->pairs[i]));
        if (e->pairs[i].was >= 0 && e->pairs[i].now >= 0) {
            moved |= e->pairs[i].was < last;
            last = e->pairs[i].was;
        }
    }
    if (moved)
        NX_TRY(nx__evo_note(e, NX_CHANGE_column_order, "columns", "", ""));
    NX_TRY(compare_key(e));
    return compare_partition(e);
}
