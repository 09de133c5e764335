/* Setting a decoder up: which variants its feed has, where their rows go. */
#include <stdlib.h>

#include "contract/decode_int.h"
#include "contract/ways_int.h"

static int16_t constant_of(const nx_variant *v, int16_t col)
{
    for (size_t i = 0; i < v->n_consts; i++)
        if (v->consts[i].col == col)
            return (int16_t)i;
    return -1;
}

static bool on_wire(const nx_variant *v, int16_t col)
{
    for (size_t i = 0; i < v->n_slots; i++)
        if (v->slots[i].col == col)
            return true;
    return false;
}

static void init_way(nx_way *w, const nx_variant *v, nx_lane *lane)
{
    w->v = v;
    w->lane = lane;
    for (size_t i = 0; i <= NX_SLOTS_MAX; i++) /* at first the order of the file */
        w->next[i] = i < v->n_slots && v->slots[i].tok_n > 0 ? (uint16_t)i : NX_NEXT_NONE;
    if (v->when_slot >= 0)
        w->next[v->when_slot + 1] = v->n_slots > 0 && v->slots[0].tok_n > 0 ? 0 : NX_NEXT_NONE;
    const nx_contract *c = v->contract;
    for (size_t i = 0; i < c->n_own; i++) {
        nx_source from = c->cols[i].source;
        if (from != NX_FROM_CONTEXT && from != NX_FROM_DELETED && (from != NX_FROM_WIRE || on_wire(v, (int16_t)i)))
            continue;
        int16_t constant = constant_of(v, (int16_t)i);
        bool null = from == NX_FROM_WIRE && constant < 0 && !c->cols[i].required &&
                    c->schema.fields[i].type.kind != NX_TIMESTAMP;
        w->tail[w->n_tail++] = (nx_absent){(int16_t)i, constant, null};
    }
}

nx_status nx__way_of(nx_decoder *d, const nx_variant *v, nx_way **ret)
{
    for (size_t i = 0; i < d->n_ways; i++)
        if (d->ways[i]->v == v) {
            *ret = d->ways[i];
            return NX_OK;
        }
    if (!nx_grow(&d->ways, &d->cap_ways, d->n_ways + 1, sizeof *d->ways))
        return NX_NOMEM;
    nx_way *w = calloc(1, sizeof *w + v->contract->n_own * sizeof *w->tail);
    if (w == NULL)
        return NX_NOMEM;
    init_way(w, v, &d->lanes[v->contract->index]);
    d->ways[d->n_ways++] = w;
    *ret = w;
    return NX_OK;
}

static nx_status add_feed(nx_decoder *d, const char *feed, nx_err *err)
{
    for (size_t i = 0; i < d->set->n; i++)
        for (size_t k = 0; k < d->set->items[i]->n_variants; k++) {
            const nx_variant *v = &d->set->items[i]->variants[k];
            nx_way *w = NULL;
            if (!nx_str_is(v->feed, feed))
                continue;
            if (nx__way_of(d, v, &w) != NX_OK)
                return nx_nomem(err);
            if (v->when_key.n == 0)
                d->only = d->n_feed_ways == 0 ? w : NULL;
            else {
                d->when_key = v->when_key.p;
                if (v->when_value.n == 1)
                    d->by_byte[(unsigned char)v->when_value.p[0]] = w;
            }
            d->n_feed_ways = d->n_ways;
        }
    if (d->n_feed_ways == 0)
        return nx_fail(err, NX_NOT_FOUND, "no contract speaks the feed '%s'", feed);
    if (d->when_key != NULL) {
        size_t n = strlen(d->when_key);
        d->only = NULL;
        if (n + 5 <= sizeof d->head) {
            d->head[0] = '{';
            d->head[1] = '"';
            memcpy(d->head + 2, d->when_key, n);
            memcpy(d->head + 2 + n, "\":\"", 3);
            d->head_n = n + 5;
        }
    }
    return NX_OK;
}

nx_status nx_decoder_new(const nx_contracts *s, const char *feed, nx_decoder **ret, nx_err *err)
{
    nx_decoder *d = calloc(1, sizeof *d);
    if (d == NULL)
        return nx_nomem(err);
    d->set = s;
    d->minute = (nx_minute){.text = "1970-01-01T00:0",
                            .month = "1970-01"}; /* a true one: bytes of zero must not look like the last minute */
    d->minute.text[15] = '0';
    nx_buf_init(&d->text, 0);
    nx_buf_init(&d->extra, 0);
    nx_arena_init(&d->arena, 0);
    d->lanes = calloc(s->n, sizeof *d->lanes);
    nx_status st = d->lanes == NULL ? nx_nomem(err) : NX_OK;
    for (size_t i = 0; st == NX_OK && i < s->n; i++)
        d->lanes[i].contract = s->items[i];
    if (st == NX_OK && feed != NULL)
        st = add_feed(d, feed, err);
    if (st != NX_OK) {
        nx_decoder_drop(d);
        return st;
    }
    *ret = d;
    return NX_OK;
}

void nx_decoder_drop(nx_decoder *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->n_ways; i++)
        free(d->ways[i]);
    for (size_t i = 0; d->lanes != NULL && i < d->set->n; i++)
        if (d->lanes[i].scratch_made)
            nx_batch_drop(&d->lanes[i].scratch);
    free(d->ways);
    free(d->lanes);
    free(d->errors);
    free(d->refused);
    free(d->refused_first);
    nx_buf_drop(&d->text);
    nx_buf_drop(&d->extra);
    nx_arena_drop(&d->arena);
    free(d);
}

void nx_decoder_on_control(nx_decoder *d, nx_control_fn fn, void *ctx)
{
    d->control = fn;
    d->control_ctx = ctx;
}

void nx_decoder_bind(nx_decoder *d, const nx_contract *c, nx_batch *b)
{
    nx_lane *l = &d->lanes[c->index];
    l->bound = b != NULL;
    l->b = b;
}

/* Rows of an unbound contract go into a batch of our own, which is emptied after every call. */
static nx_status scratch(nx_lane *l)
{
    if (!l->scratch_made) {
        NX_TRY(nx_batch_init(&l->scratch, &l->contract->schema, NX_ROWS_MAX, 0));
        l->scratch_made = true;
    }
    l->b = &l->scratch;
    return NX_OK;
}

nx_status nx__lane_touch(nx_decoder *d, nx_lane *l)
{
    if (NX_UNLIKELY(l->b == NULL))
        NX_TRY(scratch(l));
    l->touched = d->frame_no;
    l->next_touched = d->first_touched;
    d->first_touched = l;
    l->n_before = l->b->n;
    return NX_OK;
}

void nx__lanes_end(nx_decoder *d, bool take_back)
{
    for (nx_lane *l = d->first_touched; l != NULL; l = l->next_touched)
        if (take_back || !l->bound)
            nx_batch_truncate(l->b, l->n_before);
    d->first_touched = NULL;
}
