/* The rules of one column in two versions: tighter, looser, or neither. */
#include "contract/evolution_int.h"

/* What became of one rule. */
typedef enum move { SAME, TIGHTER, LOOSER, OTHER } move;

static nx_status note_move(nx__evo *e, move m, const char *at, const char *was, const char *now)
{
    static const nx_change_kind kinds[] = {
        [TIGHTER] = NX_CHANGE_rule_tightened, [LOOSER] = NX_CHANGE_rule_loosened, [OTHER] = NX_CHANGE_rule_changed};
    if (was == NULL || now == NULL)
        return nx_nomem(e->err);
    return m == SAME ? NX_OK : nx__evo_note(e, kinds[m], at, was, now);
}

/* ------------------------------------------------------------------ bounds */

/* Bounds of two scales on one: false when that overflows. */
static bool to_scale(__int128 *v, int from, int to)
{
    for (; from < to; from++)
        if (__builtin_mul_overflow(*v, (__int128)10, v))
            return false;
    return true;
}

/* r: +1 for lower bounds (a larger one is tighter), -1 for upper ones. */
static move bound_move(const nx_range *was, const nx_range *now, int scale_was, int scale_now, int way)
{
    if (!was->set || !now->set)
        return was->set == now->set ? SAME : now->set ? TIGHTER : LOOSER;
    int scale = scale_was > scale_now ? scale_was : scale_now;
    __int128 a = was->v, b = now->v;
    /* of one scale values are steps: greater than 0 is at least 1 */
    bool steps = scale_was == scale_now && was->exclusive != now->exclusive;
    if (steps) {
        a += was->exclusive ? way : 0;
        b += now->exclusive ? way : 0;
    }
    if (!to_scale(&a, scale_was, scale) || !to_scale(&b, scale_now, scale))
        return OTHER;
    if (a != b)
        return (b > a) == (way > 0) ? TIGHTER : LOOSER;
    if (steps || was->exclusive == now->exclusive)
        return SAME;
    return now->exclusive ? TIGHTER : LOOSER;
}

static const char *bound_text(nx_arena *a, const nx_range *r, const char *inclusive, const char *exclusive)
{
    return r->set ? nx_arena_printf(a, "%s %s", r->exclusive ? exclusive : inclusive, r->text) : "";
}

static nx_status compare_bounds(nx__evo *e, const nx_type *s, const nx_type *t, const nx_rules *was,
                                const nx_rules *now, const char *at)
{
    if (s->kind != t->kind && (s->kind == NX_DATE || s->kind == NX_TIMESTAMP || t->kind == NX_DATE ||
                               t->kind == NX_TIMESTAMP || s->kind == NX_STRING || t->kind == NX_STRING))
        return NX_OK; /* another unit: the type's change says all */
    NX_TRY(note_move(e, bound_move(&was->min, &now->min, s->scale, t->scale, 1), at,
                     bound_text(e->a, &was->min, "minimum", "exclusiveMinimum"),
                     bound_text(e->a, &now->min, "minimum", "exclusiveMinimum")));
    return note_move(e, bound_move(&was->max, &now->max, s->scale, t->scale, -1), at,
                     bound_text(e->a, &was->max, "maximum", "exclusiveMaximum"),
                     bound_text(e->a, &now->max, "maximum", "exclusiveMaximum"));
}

/* ------------------------------------------------------------------ lengths */

static const char *length_text(nx_arena *a, const char *name, size_t n, size_t none)
{
    return n == none ? "" : nx_arena_printf(a, "%s %zu", name, n);
}

static nx_status compare_lengths(nx__evo *e, bool list, const nx_rules *was, const nx_rules *now, const char *at)
{
    const struct {
        const char *name;
        size_t was, now, none;
        bool lower;
    } v[] = {
        {list ? "minItems" : "minLength", was->len_min, now->len_min, 0, true},
        {list ? "maxItems" : "maxLength", was->len_max, now->len_max, SIZE_MAX, false},
        {"items.maxLength", was->item_len_max, now->item_len_max, SIZE_MAX, false},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        move m = v[i].was == v[i].now ? SAME : (v[i].now > v[i].was) == v[i].lower ? TIGHTER : LOOSER;
        NX_TRY(note_move(e, m, at, length_text(e->a, v[i].name, v[i].was, v[i].none),
                         length_text(e->a, v[i].name, v[i].now, v[i].none)));
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ words */

static nx_status compare_patterns(nx__evo *e, const nx_pattern *was, const nx_pattern *now, const char *at)
{
    move m = SAME;
    if (was == NULL || now == NULL)
        m = was == now ? SAME : now == NULL ? LOOSER : TIGHTER;
    else if (strcmp(was->text, now->text) != 0) {
        bool fewer = nx__pattern_within(now, was), more = nx__pattern_within(was, now);
        m = fewer && more ? SAME : fewer ? TIGHTER : more ? LOOSER : OTHER;
    }
    return note_move(e, m, at, was == NULL ? "" : nx_arena_printf(e->a, "pattern %s", was->text),
                     now == NULL ? "" : nx_arena_printf(e->a, "pattern %s", now->text));
}

static size_t missing(const nx_rules *from, const nx_rules *in)
{
    size_t n = 0;
    for (size_t i = 0; i < from->n_allowed; i++) {
        size_t k = 0;
        while (k < in->n_allowed && !nx_str_eq(from->allowed[i], in->allowed[k]))
            k++;
        n += k == in->n_allowed;
    }
    return n;
}

static nx_status compare_allowed(nx__evo *e, const nx_rules *was, const nx_rules *now, const char *at)
{
    move m = SAME;
    if (was->n_allowed == 0 || now->n_allowed == 0) {
        m = was->n_allowed == now->n_allowed ? SAME : now->n_allowed == 0 ? LOOSER : TIGHTER;
    } else {
        size_t gone = missing(was, now), come = missing(now, was);
        m = gone > 0 && come > 0 ? OTHER : gone > 0 ? TIGHTER : come > 0 ? LOOSER : SAME;
    }
    return note_move(e, m, at, was->n_allowed == 0 ? "" : was->allowed_text,
                     now->n_allowed == 0 ? "" : now->allowed_text);
}

static bool same_translation(const nx_rules *was, const nx_rules *now)
{
    if (was->n_translate != now->n_translate)
        return false;
    for (size_t i = 0; i < was->n_translate; i++) {
        size_t k = 0;
        while (k < now->n_translate && !(nx_str_eq(was->translate[i].from, now->translate[k].from) &&
                                         nx_str_eq(was->translate[i].to, now->translate[k].to)))
            k++;
        if (k == now->n_translate)
            return false;
    }
    return true;
}

nx_status nx__evo_rules(nx__evo *e, const nx__pair *p, const char *at)
{
    const nx_rules *was = &e->old.c->cols[p->was].rules, *now = &e->now.c->cols[p->now].rules;
    const nx_type *s = &e->old.c->schema.fields[p->was].type, *t = &e->now.c->schema.fields[p->now].type;
    NX_TRY(compare_bounds(e, s, t, was, now, at));
    NX_TRY(compare_lengths(e, t->kind == NX_LIST, was, now, at));
    NX_TRY(compare_patterns(e, was->pattern, now->pattern, at));
    NX_TRY(compare_allowed(e, was, now, at));
    if (!same_translation(was, now))
        NX_TRY(nx__evo_note(e, NX_CHANGE_meaning_changed, at, "translate", "translate"));
    return NX_OK;
}
