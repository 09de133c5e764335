/* Feed entries → variants: the wire names of one dialect, in tables that the decoder runs. */
#include "contract/contract_int.h"

typedef struct slot_job {
    nx_contract *c;
    nx_slot *slots;
    size_t n;
    uint16_t bits; /* next free bit of a stored slot */
    int16_t *col_of_bit;
    nx_arena *a;
    nx_err *err;
} slot_job;

static nx_status copy_str(nx_arena *a, nx_str s, nx_str *ret, nx_err *err)
{
    *ret = (nx_str){nx_arena_dup(a, s), s.n};
    return ret->p == NULL ? nx_nomem(err) : NX_OK;
}

static bool plain_key(nx_str key)
{
    for (size_t i = 0; i < key.n; i++)
        if ((unsigned char)key.p[i] < 0x20 || key.p[i] == '"' || key.p[i] == '\\')
            return false;
    return key.n > 0 && key.n <= 255;
}

static void make_token(nx_slot *s)
{
    size_t n = s->key.n + 4;
    if (n > sizeof s->text)
        return; /* found by the slow look-up */
    s->tok_n = (uint8_t)n;
    s->text[0] = ',';
    s->text[1] = '"';
    memcpy(s->text + 2, s->key.p, s->key.n);
    memcpy(s->text + 2 + s->key.n, "\":", 2);
    unsigned char mask[8];
    for (size_t i = 0; i < 8; i++)
        mask[i] = i < n ? 0xFF : 0;
    memcpy(&s->mask, mask, 8);
    memcpy(&s->tok, s->text, 8);
    s->tok &= s->mask;
}

static nx_status add_slot(slot_job *j, nx_str key, int16_t col, uint16_t bit, const nx_val *place)
{
    for (size_t i = 0; i < j->n; i++)
        if (nx_str_eq(j->slots[i].key, key)) {
            if (j->slots[i].col == col)
                return NX_OK;
            return nx__fail_at(j->err, &j->c->origin, place, "the wire name '" NX_STR_FMT "' stands for two columns",
                               NX_STR_ARG(key));
        }
    if (!plain_key(key))
        return nx__fail_at(j->err, &j->c->origin, place, "'" NX_STR_FMT "' cannot be a wire name", NX_STR_ARG(key));
    if (j->n == NX_SLOTS_MAX)
        return nx__fail_at(j->err, &j->c->origin, place, "more than %d wire names", NX_SLOTS_MAX);
    nx_slot *s = &j->slots[j->n++];
    *s = (nx_slot){.conv = col < 0 ? NX_CONV_IGNORE : (uint8_t)j->c->cols[col].conv, .col = col, .bit = bit};
    NX_TRY(copy_str(j->a, key, &s->key, j->err));
    make_token(s);
    return NX_OK;
}

/* The wire names of a column in a feed (empty: in all feeds). */
static nx_status add_column(slot_job *j, int16_t col, nx_str feed)
{
    const nx_val *w = j->c->cols[col].wire;
    size_t before = j->n;
    uint16_t bit = j->bits;
    if (w == NULL || j->c->cols[col].source != NX_FROM_WIRE)
        return NX_OK;
    if (w->kind == NX_VAL_STR)
        NX_TRY(add_slot(j, w->s, col, bit, w));
    for (size_t i = 0; w->kind == NX_VAL_OBJ && i < w->n; i++) {
        if (w->items[i].kind != NX_VAL_STR)
            return nx__fail_at(j->err, &j->c->origin, &w->items[i], "wire: a name for each feed expected");
        if (feed.n == 0 || nx_str_eq(feed, w->keys[i]))
            NX_TRY(add_slot(j, w->items[i].s, col, bit, &w->items[i]));
    }
    if (w->kind != NX_VAL_STR && w->kind != NX_VAL_OBJ)
        return nx__fail_at(j->err, &j->c->origin, w, "wire must be a name, or an object of feed: name");
    if (j->n == before)
        return NX_OK;
    if (bit == NX_WIRE_FIELDS_MAX)
        return nx__fail_at(j->err, &j->c->origin, w, "more than %d columns from the wire", NX_WIRE_FIELDS_MAX);
    j->col_of_bit[bit] = col;
    j->bits++;
    return NX_OK;
}

static nx_status build_slots(nx_variant *v, nx_contract *c, const nx_val *ignore, const nx_val *place, nx_arena *a,
                             nx_err *err)
{
    slot_job j = {.c = c, .a = a, .err = err};
    j.slots = NX_ARENA_ARRAY(a, nx_slot, NX_SLOTS_MAX);
    j.col_of_bit = NX_ARENA_ARRAY(a, int16_t, NX_WIRE_FIELDS_MAX);
    if (j.slots == NULL || j.col_of_bit == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < c->n_own; i++)
        NX_TRY(nx__gather(&c->origin, add_column(&j, (int16_t)i, v->feed), err));
    uint16_t bit = NX_WIRE_FIELDS_MAX;
    v->when_slot = -1;
    nx_str when = v->feed.n == 0 ? nx_str_of(c->when_key) : v->when_key;
    if (when.n > 0) {
        v->when_slot = (int16_t)j.n;
        NX_TRY(add_slot(&j, when, -1, bit++, place));
    }
    for (size_t i = 0; ignore != NULL && i < ignore->n; i++) {
        if (ignore->items[i].kind != NX_VAL_STR)
            return nx__fail_at(err, &c->origin, &ignore->items[i], "ignore: wire names expected");
        NX_TRY(nx__gather(&c->origin, add_slot(&j, ignore->items[i].s, -1, bit++, &ignore->items[i]), err));
    }
    if (bit >= NX_SLOTS_MAX)
        return nx__fail_at(err, &c->origin, ignore, "more than %d ignored names", NX_SLOTS_MAX - NX_WIRE_FIELDS_MAX);
    v->slots = j.slots;
    v->n_slots = (uint16_t)j.n;
    v->col_of_bit = j.col_of_bit;
    v->stored_mask = j.bits == 64 ? ~UINT64_C(0) : (UINT64_C(1) << j.bits) - 1;
    return NX_OK;
}

static nx_status build_consts(nx_variant *v, nx_contract *c, const nx_val *set, nx_arena *a, nx_err *err)
{
    if (set->kind != NX_VAL_OBJ || set->n > NX_CONSTS_MAX)
        return nx__fail_at(err, &c->origin, set, "set must be an object of at most %d columns", NX_CONSTS_MAX);
    nx_const *consts = NX_ARENA_ARRAY(a, nx_const, set->n);
    if (consts == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < set->n; i++) {
        const nx_val name = {
            .kind = NX_VAL_STR, .s = set->keys[i], .line = set->items[i].line, .col = set->items[i].col};
        consts[i].col = nx__column_named(c, &name, err);
        if (consts[i].col < 0)
            return NX_INVALID;
        if (!c->cols[consts[i].col].context || c->schema.fields[consts[i].col].type.kind != NX_STRING ||
            set->items[i].kind != NX_VAL_STR)
            return nx__fail_at(err, &c->origin, &set->items[i],
                               "set: %s must be a text column with context: true, and the value text",
                               c->schema.fields[consts[i].col].name);
        NX_TRY(copy_str(a, set->items[i].s, &consts[i].text, err));
    }
    v->consts = consts;
    v->n_consts = set->n;
    return NX_OK;
}

static nx_status parse_when(nx_variant *v, nx_contract *c, const nx_val *when, nx_arena *a, nx_err *err)
{
    if (when->kind != NX_VAL_OBJ || when->n != 1 || when->items[0].kind != NX_VAL_STR || when->items[0].s.n == 0)
        return nx__fail_at(err, &c->origin, when, "when must be {member: text}");
    NX_TRY(copy_str(a, when->keys[0], &v->when_key, err));
    NX_TRY(copy_str(a, when->items[0].s, &v->when_value, err));
    if (c->when_key != NULL && !nx_str_is(v->when_key, c->when_key))
        return nx__fail_at(err, &c->origin, when, "all feeds of a contract must tell types apart by the same member");
    c->when_key = v->when_key.p;
    return NX_OK;
}

static nx_status parse_entry(nx_variant *v, nx_contract *c, const nx_val *e, nx_arena *a, nx_err *err)
{
    static const char *const names[] = {"feed", "when", "set"};
    for (size_t i = 0; e->kind == NX_VAL_OBJ && i < e->n; i++) {
        size_t near = nx_str_nearest(e->keys[i], names, NX_COUNT_OF(names));
        if (near == SIZE_MAX || !nx_str_is(e->keys[i], names[near]))
            return nx_err_hint(err,
                               nx__fail_at(err, &c->origin, &e->items[i], "'" NX_STR_FMT "' is not a key of a feed",
                                           NX_STR_ARG(e->keys[i])),
                               "feed, when and set are");
    }
    const nx_val *feed = nx_val_get(e, "feed"), *when = nx_val_get(e, "when"), *set = nx_val_get(e, "set");
    if (feed == NULL || feed->kind != NX_VAL_STR || feed->s.n == 0)
        return nx__fail_at(err, &c->origin, e, "a feed needs the key 'feed'");
    v->contract = c;
    NX_TRY(copy_str(a, feed->s, &v->feed, err));
    if (when != NULL)
        NX_TRY(parse_when(v, c, when, a, err));
    return set == NULL ? NX_OK : build_consts(v, c, set, a, err);
}

/* The way of single objects: all names known, constants of the entry that has no `when`. */
static nx_status build_plain(nx_contract *c, const nx_val *feeds, const nx_val *ignore, nx_arena *a, nx_err *err)
{
    const nx_variant *base = c->n_variants == 1 ? &c->variants[0] : NULL;
    for (size_t i = 0; i < c->n_variants; i++)
        if (c->variants[i].when_key.n == 0) {
            if (base != NULL && base != &c->variants[i])
                return nx__fail_at(err, &c->origin, feeds,
                                   "two feeds without 'when': a single object would be ambiguous");
            base = &c->variants[i];
        }
    nx_variant *v = NX_ARENA_NEW(a, nx_variant);
    if (v == NULL)
        return nx_nomem(err);
    v->contract = c;
    v->feed = NX_STR("");
    if (base != NULL) {
        v->consts = base->consts;
        v->n_consts = base->n_consts;
    }
    c->plain = v;
    return build_slots(v, c, ignore, feeds, a, err);
}

nx_status nx__compile_feeds(nx_contract *c, const nx_val *object, nx_arena *a, nx_err *err)
{
    const nx_val *feeds = nx__odcs_custom(object, "feeds"), *ignore = nx__odcs_custom(object, "ignore");
    const nx_val *lone = nx__odcs_custom(object, "loneSurrogates");
    c->lone_surrogates = lone != NULL && nx_str_is(nx_val_str(lone, NX_STR("")), "replace");
    if (lone != NULL && !c->lone_surrogates && !nx_str_is(nx_val_str(lone, NX_STR("")), "refuse"))
        return nx__fail_at(err, &c->origin, lone, "loneSurrogates must be replace or refuse");
    if (feeds == NULL)
        return NX_OK;
    if (feeds->kind != NX_VAL_ARR || feeds->n == 0 || (ignore != NULL && ignore->kind != NX_VAL_ARR))
        return nx__fail_at(err, &c->origin, feeds, "feeds and ignore must be lists");
    for (size_t i = 0; i < c->n_own; i++)
        if (c->cols[i].source == NX_FROM_CALLER && c->cols[i].derive == NULL && !c->cols[i].broken)
            NX_TRY(nx__gather(&c->origin,
                              nx__fail_at(err, &c->origin, &nx_val_get(object, "properties")->items[i],
                                          "column %s has no source: wire, context or derive", c->schema.fields[i].name),
                              err));
    c->variants = NX_ARENA_ARRAY(a, nx_variant, feeds->n);
    if (c->variants == NULL)
        return nx_nomem(err);
    c->n_variants = feeds->n;
    for (size_t i = 0; i < feeds->n; i++)
        NX_TRY(nx__gather(&c->origin, parse_entry(&c->variants[i], c, &feeds->items[i], a, err), err));
    for (size_t i = 0; i < feeds->n; i++)
        NX_TRY(nx__gather(&c->origin, build_slots(&c->variants[i], c, ignore, &feeds->items[i], a, err), err));
    return build_plain(c, feeds, ignore, a, err);
}
