#include "contract/try.h"

#include <stdlib.h>

#include "base/clock.h"
#include "contract/contract_int.h"

typedef struct feed_decoder {
    nx_str feed;
    nx_decoder *d;
} feed_decoder;

struct nx_trier {
    const nx_contracts *set;
    const nx_contract *c;
    nx_decoder *plain;   /* single objects */
    feed_decoder *feeds; /* one a feed with a discriminator */
    size_t n_feeds;
};

nx_status nx_trier_new(const nx_contracts *s, const nx_contract *c, nx_trier **ret, nx_err *err)
{
    if (c->plain == NULL) {
        nx_fail(err, NX_UNSUPPORTED, "table %s has no wire form: its rows are made by the program", c->table);
        return nx_err_hint(err, NX_UNSUPPORTED, "only tables with feeds read messages");
    }
    nx_trier *t = calloc(1, sizeof *t);
    if (t == NULL)
        return nx_nomem(err);
    t->set = s;
    t->c = c;
    t->feeds = calloc(c->n_variants, sizeof *t->feeds);
    nx_status st = t->feeds == NULL ? nx_nomem(err) : nx_decoder_new(s, NULL, &t->plain, err);
    for (size_t i = 0; i < c->n_variants && st == NX_OK; i++) {
        bool known = c->variants[i].when_key.n == 0;
        for (size_t k = 0; k < t->n_feeds; k++)
            known |= nx_str_eq(t->feeds[k].feed, c->variants[i].feed);
        if (known)
            continue;
        feed_decoder *f = &t->feeds[t->n_feeds++];
        f->feed = c->variants[i].feed; /* 0-terminated: from the arena */
        st = nx_decoder_new(s, f->feed.p, &f->d, err);
    }
    if (st == NX_OK)
        *ret = t;
    else
        nx_trier_drop(t);
    return st;
}

void nx_trier_drop(nx_trier *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n_feeds; i++)
        nx_decoder_drop(t->feeds[i].d);
    nx_decoder_drop(t->plain);
    free(t->feeds);
    free(t);
}

/* ------------------------------------------------------------------ which type it is */

static nx_status take_text(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key;
    (void)err;
    *(nx_str *)ctx = value;
    return NX_OK;
}

/* The bytes of a member, quotes and all; empty when the message has none, or is no JSON. */
static nx_str member(nx_str message, nx_str key)
{
    nx_str v = NX_STR("");
    nx_err ignored;
    if (nx_page_each(message, key.p, take_text, &v, &ignored) != NX_OK)
        return NX_STR("");
    return v;
}

static bool is_text(nx_str quoted, nx_str text)
{
    return quoted.n == text.n + 2 && quoted.p[0] == '"' && memcmp(quoted.p + 1, text.p, text.n) == 0;
}

/* The feed whose type the message names: of this contract, or (other set) of another contract of the set. */
static const nx_variant *variant_of(const nx_contract *c, nx_str message)
{
    for (size_t i = 0; i < c->n_variants; i++)
        if (c->variants[i].when_key.n > 0 &&
            is_text(member(message, c->variants[i].when_key), c->variants[i].when_value))
            return &c->variants[i];
    return NULL;
}

static bool is_other(const nx_trier *t, nx_str message)
{
    for (size_t i = 0; i < t->set->n; i++)
        if (t->set->items[i] != t->c && t->set->items[i]->when_key != NULL && t->c->when_key != NULL &&
            variant_of(t->set->items[i], message) != NULL)
            return true;
    return false;
}

nx_status nx_trier_message(nx_trier *t, nx_str message, const nx_context *context, size_t n_context, nx_try *ret,
                           nx_err *err)
{
    const nx_row_meta meta = {
        .source = NX_STR("contract test"), .received_us = nx_clock_wall() / 1000, .known_basis = NX_STR("received")};
    const nx_variant *v = variant_of(t->c, message);
    nx_verdict got = {0};
    *ret = (nx_try){NX_TRY_OTHER, NULL, 0};
    if (v == NULL && is_other(t, message))
        return NX_OK;
    if (v == NULL) {
        NX_TRY(nx_decode_object(t->plain, t->c, message, context, n_context, &meta, 0, &got, err));
    } else {
        for (size_t i = 0; i < t->n_feeds; i++)
            if (nx_str_eq(t->feeds[i].feed, v->feed))
                NX_TRY(nx_decode_frame(t->feeds[i].d, message, &meta, &got, err));
    }
    ret->verdict = got.rejected > 0 ? NX_TRY_REFUSED : NX_TRY_ACCEPTED;
    if (got.rejected > 0) {
        ret->errors = got.refused[0].errors;
        ret->n_errors = got.refused[0].n_errors;
    }
    return NX_OK;
}
