/* The members of one map. Keys come in the order of the last message mostly: then one comparison finds each. */
#include "contract/decode_int.h"

/* A member name that is text but not as it should be, or no text at all. */
static nx_status bad_key(nx_decoder *d, nx_row *r, nx_str raw, bool text)
{
    r->bad = true;
    return nx__row_error(d, r, "", text ? "utf8" : "type", text ? raw : nx__packed_text(d, raw), "%s",
                         text ? "a member name is not valid text" : "a member name must be text");
}

/* The value as JSON for _extra, in the arena; ret->p NULL: JSON cannot say it, an error was noted. */
static nx_status json_of(nx_decoder *d, nx_row *r, nx_str key, nx_str value, nx_str *ret)
{
    nx_err why = {0};
    nx_buf_clear(&d->text);
    *ret = (nx_str){NULL, 0};
    nx_status st = nx_mp_to_json(value, &d->text, &why);
    if (st == NX_INVALID || st == NX_UNSUPPORTED) {
        const char *name = nx_arena_dup(&d->arena, key);
        r->bad = true;
        if (name == NULL)
            return NX_NOMEM;
        return st == NX_INVALID ? nx__row_error(d, r, name, "utf8", value, "is not valid UTF-8")
                                : nx__row_error(d, r, name, "type", value, "cannot be kept as JSON: %s", why.text);
    }
    NX_TRY(st);
    *ret = (nx_str){nx_arena_dup(&d->arena, nx_buf_str(&d->text)), d->text.n};
    return ret->p == NULL ? NX_NOMEM : NX_OK;
}

/* A member that the contract does not know: kept for _extra. */
static nx_status keep_unknown(nx_decoder *d, nx_row *r, nx_str key)
{
    const char *from = d->mp.p;
    if (!nx_mp_skip(&d->mp, 1))
        return nx__packed_broken(d);
    nx_str value = {from, (size_t)(d->mp.p - from)}, json;
    for (size_t i = 0; i < r->n_unknown; i++)
        if (nx_str_eq(d->unknown[i].key, key))
            return nx__doubled(d, r, NULL, key);
    if (r->n_unknown == NX_UNKNOWN_MAX) {
        r->bad = true;
        return nx__row_error(d, r, "", "limit", key, "more than %d unknown members", NX_UNKNOWN_MAX);
    }
    NX_TRY(json_of(d, r, key, value, &json));
    if (json.p == NULL)
        return NX_OK;
    nx_buf_clear(&d->text);
    NX_TRY(nx_buf_quote(&d->text, key));
    nx_str quoted = {nx_arena_dup(&d->arena, nx_buf_str(&d->text)), d->text.n};
    if (quoted.p == NULL)
        return NX_NOMEM;
    d->unknown[r->n_unknown++] = (nx_unknown){key, nx_str_sub(quoted, 1, quoted.n - 1), json};
    return NX_OK;
}

/* The next name in any form: *ret its slot, or NULL when the member was dealt with. */
static nx_status next_key(nx_decoder *d, nx_row *r, const nx_slot **ret)
{
    const char *from = d->mp.p;
    nx_mp key;
    *ret = NULL;
    if (!nx_mp_next(&d->mp, &key))
        return nx__packed_broken(d);
    if (key.kind != NX_MP_STR) {
        d->mp.p = from;
        if (!nx_mp_skip(&d->mp, 1))
            return nx__packed_broken(d);
        NX_TRY(bad_key(d, r, (nx_str){from, (size_t)(d->mp.p - from)}, false));
        return nx_mp_skip(&d->mp, 1) ? NX_OK : nx__packed_broken(d);
    }
    if (!nx_utf8_valid(key.s))
        NX_TRY(bad_key(d, r, key.s, true));
    *ret = nx__find_slot(r->way->v, key.s);
    return *ret != NULL ? NX_OK : keep_unknown(d, r, key.s);
}

static inline bool expected(const nx_slot *s, const nx_mp_in *in)
{
    size_t n = s->key.n;
    return n < 32 && (size_t)(in->end - in->p) > n && (unsigned char)in->p[0] == (0xA0 | n) &&
           memcmp(in->p + 1, s->key.p, n) == 0;
}

static nx_status read_member(nx_decoder *d, nx_row *r, size_t *at)
{
    nx_way *w = r->way;
    const nx_slot *slots = w->v->slots, *s;
    uint16_t guess = w->next[*at];
    if (NX_LIKELY(guess != NX_NEXT_NONE && expected(&slots[guess], &d->mp))) {
        s = &slots[guess];
        d->mp.p += s->key.n + 1;
    } else {
        NX_TRY(next_key(d, r, &s));
        if (s == NULL)
            return NX_OK;
        if (s->tok_n > 0)
            w->next[*at] = (uint16_t)(s - slots);
    }
    *at = (size_t)(s - slots) + 1;
    uint64_t bit = UINT64_C(1) << (s->bit & 63), *word = &r->seen[s->bit >> 6];
    if (NX_UNLIKELY((*word & bit) != 0)) {
        NX_TRY(nx__doubled(d, r, s, s->key));
        return nx_mp_skip(&d->mp, 1) ? NX_OK : nx__packed_broken(d);
    }
    *word |= bit;
    return nx__packed_value(d, r, s);
}

nx_status nx__packed_row(nx_decoder *d, nx_row *r, const char **pp, size_t skip)
{
    const nx_variant *v = r->way->v;
    nx_mp head;
    d->mp.p = *pp;
    if (!nx_mp_next(&d->mp, &head))
        return nx__packed_broken(d);
    size_t at = 0;
    if (skip > 0) { /* the discriminator was the first member */
        const nx_slot *s = &v->slots[v->when_slot];
        at = (size_t)v->when_slot + 1;
        r->seen[s->bit >> 6] |= UINT64_C(1) << (s->bit & 63);
        d->mp.p = *pp + skip;
    }
    for (uint32_t left = head.n - (skip > 0); left > 0; left--)
        NX_TRY(read_member(d, r, &at));
    *pp = d->mp.p;
    return NX_OK;
}
