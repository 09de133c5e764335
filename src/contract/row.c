/* The members of one object. Most messages have their keys in the order of the last one and their values in their shortest spelling: those
 * go straight from the bytes into the columns (short_int.h). Whatever looks different takes the general way of value.c; both give the
 * same rows (tests read each message in both). */
#include "contract/short_int.h"

/* The value at *pp in its plain form, or NX_AGAIN. */
SHORT nx_status short_value(nx_decoder *d, nx_row *r, const nx_slot *s, const char **pp, const char *end)
{
    if (NX_UNLIKELY(*pp == end || r->bad))
        return NX_AGAIN;
    switch ((nx_conv)s->conv) {
    case NX_CONV_STRING:
        return short_string(r, s->col, pp, end);
    case NX_CONV_DECIMAL:
        return short_decimal(r, s->col, pp, end);
    case NX_CONV_INT:
        return short_int(r, s->col, pp, end);
    case NX_CONV_TIME:
        return short_time(d, r, s->col, pp, end);
    case NX_CONV_LIST:
    case NX_CONV_ONE_OR_MANY:
        return short_list(r, s->col, pp, end);
    default:
        return NX_AGAIN;
    }
}

/* ------------------------------------------------------------------ keys */

nx_status nx__doubled(nx_decoder *d, nx_row *r, const nx_slot *s, nx_str key)
{
    const char *name = s != NULL && s->col >= 0 ? r->b->schema->fields[s->col].name : nx_arena_dup(&d->arena, key);
    r->bad = true;
    if (name == NULL)
        return NX_NOMEM;
    return nx__row_error(d, r, name, "duplicate", key, "is given twice");
}

const nx_slot *nx__find_slot(const nx_variant *v, nx_str key)
{
    for (size_t i = 0; i < v->n_slots; i++)
        if (nx_str_eq(v->slots[i].key, key))
            return &v->slots[i];
    return NULL;
}

/* The key between the quotes with escapes resolved; the copy lives in the arena. */
static nx_status key_text(nx_decoder *d, nx_row *r, nx_str raw, nx_str *ret)
{
    *ret = raw;
    if ((d->scan.flags & (NX_TEXT_BAD_UTF8 | NX_TEXT_LONE)) != 0) {
        r->bad = true;
        NX_TRY(nx__row_error(d, r, "", (d->scan.flags & NX_TEXT_BAD_UTF8) != 0 ? "utf8" : "escape", raw,
                             "a member name is not valid text"));
    }
    if ((d->scan.flags & NX_TEXT_ESCAPED) == 0)
        return NX_OK;
    nx_buf_clear(&d->text);
    NX_TRY(nx__unescape(&d->text, raw));
    *ret = (nx_str){nx_arena_dup(&d->arena, nx_buf_str(&d->text)), d->text.n};
    return ret->p == NULL ? NX_NOMEM : NX_OK;
}

/* A member that the contract does not know: kept for _extra. */
static nx_status keep_unknown(nx_decoder *d, nx_row *r, nx_str key, nx_str raw_key, const char **pp)
{
    const char *p = nx__skip_space(*pp, d->scan.end);
    d->scan.flags = 0;
    const char *q = nx__scan_value(&d->scan, p, 1);
    if (q == NULL)
        return NX_INVALID;
    *pp = q;
    for (size_t i = 0; i < r->n_unknown; i++)
        if (nx_str_eq(d->unknown[i].key, key))
            return nx__doubled(d, r, NULL, key);
    if (r->n_unknown == NX_UNKNOWN_MAX) {
        r->bad = true;
        return nx__row_error(d, r, "", "limit", key, "more than %d unknown members", NX_UNKNOWN_MAX);
    }
    if ((d->scan.flags & NX_TEXT_BAD_UTF8) != 0) {
        const char *name = nx_arena_dup(&d->arena, key);
        r->bad = true;
        if (name == NULL)
            return NX_NOMEM;
        NX_TRY(nx__row_error(d, r, name, "utf8", (nx_str){p, (size_t)(q - p)}, "is not valid UTF-8"));
    }
    d->unknown[r->n_unknown++] = (nx_unknown){key, raw_key, {p, (size_t)(q - p)}};
    return NX_OK;
}

static nx_status broken(nx_decoder *d, const char *p, const char *what)
{
    nx__scan_broken(&d->scan, p, what);
    return NX_INVALID;
}

/* The next key in any spelling: *ret its slot, or NULL when an unknown member was kept, with *ret_end at the closing brace. */
static nx_status next_key(nx_decoder *d, nx_row *r, const char **pp, bool first, const nx_slot **ret, bool *ret_end)
{
    const char *end = d->scan.end, *p = nx__skip_space(*pp, end);
    *ret = NULL;
    *ret_end = false;
    if (p < end && *p == '}') {
        *pp = p + 1;
        *ret_end = true;
        return NX_OK;
    }
    if (!first) {
        if (p == end || *p != ',')
            return broken(d, p, "',' or '}' expected");
        p = nx__skip_space(p + 1, end);
    }
    if (p == end || *p != '"')
        return broken(d, p, "a member name in quotes expected");
    d->scan.flags = 0;
    const char *q = nx__scan_string(&d->scan, p);
    if (q == NULL)
        return NX_INVALID;
    const nx_str raw = {p + 1, (size_t)(q - p) - 2};
    nx_str key;
    NX_TRY(key_text(d, r, raw, &key));
    q = nx__scan_colon(&d->scan, q);
    if (q == NULL)
        return NX_INVALID;
    *pp = q;
    *ret = nx__find_slot(r->way->v, key);
    return *ret != NULL ? NX_OK : keep_unknown(d, r, key, raw, pp);
}

/* ,"key": as expected, at p; the length of it or 0. */
SHORT size_t expected(const nx_slot *s, const char *p, const char *end)
{
    if (NX_LIKELY(end - p >= 8)) {
        uint64_t x;
        memcpy(&x, p, 8);
        if ((x & s->mask) != s->tok)
            return 0;
        if (NX_LIKELY(s->tok_n <= 8))
            return s->tok_n;
    }
    return end - p > s->tok_n && memcmp(p, s->text, s->tok_n) == 0 ? s->tok_n : 0;
}

nx_status nx__read_row(nx_decoder *d, nx_row *r, const char **pp, bool typed)
{
    nx_way *w = r->way;
    const nx_slot *slots = w->v->slots, *s;
    const char *p = *pp, *end = d->scan.end;
    size_t at = typed ? (size_t)w->v->when_slot + 1 : 0;
    bool first = !typed;
    if (typed)
        r->seen[slots[at - 1].bit >> 6] |= UINT64_C(1) << (slots[at - 1].bit & 63);
    for (;;) {
        if (NX_LIKELY(p < end) && *p == '}' && !first) {
            *pp = p + 1;
            return NX_OK;
        }
        uint16_t guess = w->next[at];
        size_t n = guess == NX_NEXT_NONE || first ? 0 : expected(&slots[guess], p, end);
        if (NX_LIKELY(n > 0)) {
            s = &slots[guess];
            p += n;
        } else {
            const char *behind = p;
            bool done;
            NX_TRY(next_key(d, r, &behind, first, &s, &done));
            first = false;
            p = behind;
            if (done) {
                *pp = p;
                return NX_OK;
            }
            if (s == NULL)
                continue;
            if (s->tok_n > 0)
                w->next[at] = (uint16_t)(s - slots);
        }
        at = (size_t)(s - slots) + 1;
        uint64_t bit = UINT64_C(1) << (s->bit & 63), *word = &r->seen[s->bit >> 6];
        if (NX_UNLIKELY((*word & bit) != 0)) {
            NX_TRY(nx__doubled(d, r, s, s->key));
            p = nx__scan_value(&d->scan, p, 1);
            if (p == NULL)
                return NX_INVALID;
            continue;
        }
        *word |= bit;
        const char *q = p;
        nx_status st = short_value(d, r, s, &q, end);
        if (NX_UNLIKELY(st == NX_AGAIN)) {
            const char *behind = p;
            st = nx__read_value(d, r, s, &behind);
            q = behind;
        }
        if (NX_UNLIKELY(st != NX_OK))
            return st;
        p = q;
    }
}
