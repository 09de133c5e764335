/* A column's rules and source in words. */
#include "contract/contract_int.h"
#include "contract/export.h"

const nx_str *nx_contract_allowed(const nx_contract *c, size_t col, size_t *ret_n)
{
    *ret_n = c->cols[col].rules.n_allowed;
    return c->cols[col].rules.allowed;
}

bool nx_contract_unique(const nx_contract *c, size_t col)
{
    return c->cols[col].unique;
}

/* ", " before all but the first. */
static nx_status next(nx_buf *b, size_t start)
{
    return b->n == start ? NX_OK : nx_buf_adds(b, ", ");
}

static nx_status add_bounds(const nx_rules *r, nx_buf *b, size_t start)
{
    if (r->min.set) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, "%s %s", r->min.exclusive ? "greater than" : "at least", r->min.text));
    }
    if (r->max.set) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, "%s %s", r->max.exclusive ? "less than" : "at most", r->max.text));
    }
    return NX_OK;
}

static nx_status add_lengths(const nx_rules *r, const char *what, nx_buf *b, size_t start)
{
    if (r->len_min == 0 && r->len_max == SIZE_MAX)
        return NX_OK;
    NX_TRY(next(b, start));
    if (r->len_max == SIZE_MAX)
        return nx_buf_addf(b, "at least %zu %s", r->len_min, what);
    return r->len_min == 0 ? nx_buf_addf(b, "at most %zu %s", r->len_max, what)
                           : nx_buf_addf(b, "%zu to %zu %s", r->len_min, r->len_max, what);
}

nx_status nx_contract_rules_text(const nx_contract *c, size_t col, nx_buf *b)
{
    const nx_rules *r = &c->cols[col].rules;
    bool list = c->schema.fields[col].type.kind == NX_LIST;
    size_t start = b->n;
    if (c->cols[col].source == NX_FROM_TECHNICAL)
        return NX_OK;
    NX_TRY(add_bounds(r, b, start));
    NX_TRY(add_lengths(r, list ? "items" : "characters", b, start));
    if (r->item_len_max != SIZE_MAX) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, "items of at most %zu characters", r->item_len_max));
    }
    if (r->pattern != NULL) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, "matches %s", r->pattern->text));
    }
    if (r->n_allowed > 0) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, "%s%s", r->n_allowed > 1 ? "one of " : "", r->allowed_text));
    }
    for (size_t i = 0; i < r->n_translate; i++) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, "%s" NX_STR_FMT " becomes " NX_STR_FMT, i == 0 ? "on the wire " : "",
                           NX_STR_ARG(r->translate[i].from), NX_STR_ARG(r->translate[i].to)));
    }
    if (c->cols[col].unique) {
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_adds(b, "unique"));
    }
    return NX_OK;
}

static const nx_slot *slot_of(const nx_variant *v, size_t col)
{
    for (size_t i = 0; i < v->n_slots; i++)
        if (v->slots[i].col == (int16_t)col)
            return &v->slots[i];
    return NULL;
}

/* True when every feed has the same name for it. */
static bool one_name(const nx_contract *c, size_t col)
{
    const nx_slot *first = c->n_variants == 0 ? NULL : slot_of(&c->variants[0], col);
    for (size_t i = 0; i < c->n_variants; i++) {
        const nx_slot *s = slot_of(&c->variants[i], col);
        if (first == NULL || s == NULL || !nx_str_eq(first->key, s->key))
            return false;
    }
    return first != NULL;
}

static nx_status add_names(const nx_contract *c, size_t col, nx_buf *b, size_t start)
{
    if (one_name(c, col))
        return nx_buf_add(b, slot_of(&c->variants[0], col)->key);
    for (size_t i = 0; i < c->n_variants; i++) {
        const nx_slot *s = slot_of(&c->variants[i], col);
        bool again = false; /* several types of one feed share a name */
        for (size_t k = 0; k < i; k++)
            again |= nx_str_eq(c->variants[k].feed, c->variants[i].feed);
        if (s == NULL || again)
            continue;
        NX_TRY(next(b, start));
        NX_TRY(nx_buf_addf(b, NX_STR_FMT " in " NX_STR_FMT, NX_STR_ARG(s->key), NX_STR_ARG(c->variants[i].feed)));
    }
    return NX_OK;
}

nx_status nx_contract_source_text(const nx_contract *c, size_t col, nx_buf *b)
{
    const nx_colspec *s = &c->cols[col];
    size_t start = b->n;
    if (s->derive != NULL)
        return nx_buf_adds(b, s->derive);
    if (s->source == NX_FROM_TECHNICAL)
        return nx_buf_adds(b, "the edge");
    if (s->source == NX_FROM_CALLER)
        return nx_buf_adds(b, "the program");
    NX_TRY(add_names(c, col, b, start));
    for (size_t i = 0; i < c->n_variants; i++)
        for (size_t k = 0; k < c->variants[i].n_consts; k++)
            if (c->variants[i].consts[k].col == (int16_t)col) {
                if (b->n == start || !nx_str_ends(nx_buf_str(b), NX_STR("the feed"))) {
                    NX_TRY(next(b, start));
                    NX_TRY(nx_buf_adds(b, "the feed"));
                }
            }
    if (!s->context)
        return NX_OK;
    NX_TRY(next(b, start));
    return nx_buf_adds(b, "the request");
}
