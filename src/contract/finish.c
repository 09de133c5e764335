/* The end of a row: columns that the object did not have, derived ones, technical ones. */
#include "contract/decode_int.h"

static const nx_context *find_context(const nx_row *r, const char *column)
{
    for (size_t i = 0; i < r->n_context; i++)
        if (strcmp(r->context[i].field, column) == 0)
            return &r->context[i];
    return NULL;
}

/* A column that is not in the object: from the request, from the feed entry, null, or missing. */
static nx_status put_absent(nx_decoder *d, nx_row *r, int16_t col, int16_t constant)
{
    const char *name = r->b->schema->fields[col].name;
    const nx_context *x = r->n_context == 0 ? NULL : find_context(r, name);
    if (x != NULL)
        return nx__put_text(d, r, col, x->text);
    if (constant >= 0)
        return nx__put_text(d, r, col, r->way->v->consts[constant].text);
    if (!r->specs[col].required)
        return nx__put_null(r, col);
    r->bad = true;
    return nx__row_error(d, r, name, "required", NX_STR(""), "is missing");
}

static nx_status put_missing(nx_decoder *d, nx_row *r)
{
    const nx_variant *v = r->way->v;
    uint64_t missing = v->stored_mask & ~r->seen[0];
    while (NX_UNLIKELY(missing != 0)) {
        int16_t col = v->col_of_bit[__builtin_ctzll(missing)], constant = -1;
        missing &= missing - 1;
        for (size_t i = 0; i < v->n_consts; i++)
            if (v->consts[i].col == col)
                constant = (int16_t)i;
        NX_TRY(put_absent(d, r, col, constant));
    }
    for (size_t i = 0; i < r->way->n_tail; i++) {
        int16_t col = r->way->tail[i].col;
        if (r->way->tail[i].null && r->n_context == 0)
            NX_TRY(nx_col_null(r->b, &r->cols[col]));
        else if (r->specs[col].source != NX_FROM_DELETED)
            NX_TRY(put_absent(d, r, col, r->way->tail[i].constant));
    }
    return NX_OK;
}

static bool text_is(const nx_row *r, int16_t col, const char *what)
{
    const nx_col *c = &r->cols[col];
    return !nx_col_is_null(c, r->b->n) && nx_str_is(nx_col_get_str(c, r->b->n), what);
}

/* Removed by somebody, or author and text are both gone: a live user may write "[deleted]" (facts of the Reddit API, deletion shapes). */
static bool is_deleted(const nx_row *r, const int16_t args[3])
{
    if (args[2] >= 0 && !nx_col_is_null(&r->cols[args[2]], r->b->n))
        return true;
    return text_is(r, args[0], "[deleted]") && (text_is(r, args[1], "[deleted]") || text_is(r, args[1], "[removed]"));
}

static nx_status put_deleted(nx_row *r)
{
    for (size_t i = 0; i < r->way->n_tail; i++) {
        int16_t col = r->way->tail[i].col;
        if (r->specs[col].source == NX_FROM_DELETED)
            NX_TRY(nx_col_bool(r->b, &r->cols[col], is_deleted(r, r->specs[col].args)));
    }
    return NX_OK;
}

/* By name: vendors write members in any order, and equal rows are to have equal texts. Doubled ones stay in their order. */
static void sort_unknown(nx_unknown *u, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        nx_unknown x = u[i];
        size_t k = i;
        for (; k > 0 && nx_str_cmp(x.key, u[k - 1].key) < 0; k--)
            u[k] = u[k - 1];
        u[k] = x;
    }
}

static nx_status put_extra(nx_decoder *d, nx_row *r, nx_col *c)
{
    if (NX_LIKELY(r->n_unknown == 0))
        return nx_col_null(r->b, c);
    sort_unknown(d->unknown, r->n_unknown);
    nx_buf *b = &d->extra;
    nx_buf_clear(b);
    for (size_t i = 0; i < r->n_unknown; i++) {
        NX_TRY(nx_buf_adds(b, i == 0 ? "{\"" : ",\""));
        NX_TRY(nx_buf_add(b, d->unknown[i].raw_key));
        NX_TRY(nx_buf_adds(b, "\":"));
        NX_TRY(nx_buf_add(b, d->unknown[i].value));
    }
    NX_TRY(nx_buf_addc(b, '}'));
    return nx_col_str(r->b, c, nx_buf_str(b));
}

/* The row's own time plus the declared delay. False: it passes what a timestamp holds, or the timeframe is not understood. */
static bool declared_time(nx_decoder *d, const nx_row *r, int64_t *ret_us)
{
    const nx_contract *c = r->way->v->contract;
    size_t n = r->b->n;
    int64_t us = nx_col_get_i64(&r->cols[c->known_col], n);
    if (c->known_plus_col >= 0 && !nx__bar_end(d, nx_col_get_str(&r->cols[c->known_plus_col], n), us, &us))
        return false;
    return !__builtin_add_overflow(us, d->meta->known_delay_us, ret_us);
}

static nx_status put_technical(nx_decoder *d, nx_row *r)
{
    const nx_contract *c = r->way->v->contract;
    const nx_row_meta *m = d->meta;
    nx_col *t = &r->cols[c->n_own];
    int64_t known = m->received_us;
    if (d->declared && c->known_col >= 0 && !declared_time(d, r, &known)) {
        r->bad = true;
        return nx__row_error(d, r, "_known_at", "range", NX_STR(""),
                             "the time at which the row was known cannot be calculated");
    }
    NX_TRY(nx_col_str(r->b, &t[NX_TECH_SOURCE], m->source));
    NX_TRY(nx_col_i64(r->b, &t[NX_TECH_RECEIVED_AT], m->received_us));
    NX_TRY(nx_col_i64(r->b, &t[NX_TECH_KNOWN_AT], known));
    NX_TRY(nx_col_str(r->b, &t[NX_TECH_KNOWN_BASIS], m->known_basis));
    NX_TRY(nx_col_i64(r->b, &t[NX_TECH_INGEST_POS], m->pos));
    NX_TRY(nx_col_i32(r->b, &t[NX_TECH_INGEST_IDX], r->index));
    NX_TRY(nx_col_str(r->b, &t[NX_TECH_CONTRACT], (nx_str){c->id, c->id_n}));
    return put_extra(d, r, &t[NX_TECH_EXTRA]);
}

nx_status nx__finish_row(nx_decoder *d, nx_row *r)
{
    NX_TRY(put_missing(d, r));
    if (NX_UNLIKELY(r->bad))
        return NX_OK;
    NX_TRY(put_deleted(r));
    return r->way->v->contract->technical ? put_technical(d, r) : NX_OK;
}
