/* One msgpack value into a column. Most are of the kind that the column wants: those go straight in. The others become what value.c
 * takes, so that rules, errors and their texts are the same as for JSON. */
#include <math.h>

#include "contract/short_int.h"

/* ------------------------------------------------------------------ short ways: NX_AGAIN when a value needs the general one */

static bool plain_ascii(nx_str s)
{
    unsigned char all = 0;
    for (size_t i = 0; i < s.n; i++)
        all |= (unsigned char)s.p[i];
    return all < 0x80;
}

static nx_status short_text(nx_decoder *d, const nx_row *r, int16_t col, nx_str s)
{
    const nx_rules *u = &r->specs[col].rules;
    if (s.n > 64 || !plain_ascii(s))
        return NX_AGAIN;
    if (u->any &&
        (u->words || s.n < u->len_min || s.n > u->len_max || (u->pattern != NULL && !nx__pattern_match(u->pattern, s))))
        return NX_AGAIN;
    return d->mp.end - s.p >= 8 ? put_short(r->b, &r->cols[col], s.p, s.n) : nx_col_str(r->b, &r->cols[col], s);
}

/* The decimal that a float's shortest text is. Of decimals with at most 15 digits no two read as the same float: the one that divides back to
 * v is its text. */
static bool exact(double v, int scale, int64_t *ret)
{
    double power = (double)pow10_i64[scale], x = v * power; /* powers up to 10^22 are floats themselves */
    if (!(fabs(x) < 1e15))
        return false;
    int64_t n = (int64_t)(x + copysign(0.5, x));
    *ret = n;
    return (double)n / power == v && n < INT64_C(1000000000000000) && n > INT64_C(-1000000000000000);
}

static nx_status short_decimal_of(const nx_row *r, int16_t col, const nx_mp *v)
{
    const nx_type *t = r->cols[col].type;
    const nx_rules *u = &r->specs[col].rules;
    int64_t n;
    if (t->precision > 18)
        return NX_AGAIN;
    if (v->kind == NX_MP_FLOAT) {
        if (v->single || !exact(v->f, t->scale, &n))
            return NX_AGAIN;
    } else if (v->kind != NX_MP_INT || __builtin_mul_overflow(v->i, pow10_i64[t->scale], &n)) {
        return NX_AGAIN;
    }
    return n < u->lo || n > u->hi ? NX_AGAIN : nx_col_i64(r->b, &r->cols[col], n);
}

static nx_status short_whole(const nx_row *r, int16_t col, const nx_mp *v)
{
    const nx_rules *u = &r->specs[col].rules;
    if (v->kind != NX_MP_INT || r->cols[col].type->kind != NX_INT64 || v->i < u->lo || v->i > u->hi)
        return NX_AGAIN;
    return nx_col_i64(r->b, &r->cols[col], v->i);
}

static nx_status short_instant(nx_decoder *d, nx_row *r, int16_t col, const nx_mp *v)
{
    nx_minute *m = &d->minute;
    int64_t ns;
    if (v->kind != NX_MP_TIME || r->specs[col].rules.any || !nx_mp_time_ns(v, &ns) || ns < 0)
        return NX_AGAIN;
    if (ns - m->ns < 0 || ns - m->ns >= INT64_C(60000000000)) {
        char text[40];
        nx_time_format_ns(ns, text);
        if (!learn_minute(m, text))
            return NX_AGAIN;
    }
    return nx__put_time(r, col, ns, m->days, m->month);
}

static nx_status short_value(nx_decoder *d, nx_row *r, const nx_slot *s, const nx_mp *v)
{
    switch ((nx_conv)s->conv) {
    case NX_CONV_STRING:
        return v->kind == NX_MP_STR ? short_text(d, r, s->col, v->s) : NX_AGAIN;
    case NX_CONV_DECIMAL:
        return short_decimal_of(r, s->col, v);
    case NX_CONV_INT:
        return short_whole(r, s->col, v);
    case NX_CONV_TIME:
        return short_instant(d, r, s->col, v);
    default:
        return NX_AGAIN;
    }
}

/* ------------------------------------------------------------------ the general way */

static nx_status put_text(nx_decoder *d, nx_row *r, const nx_slot *s, nx_str text)
{
    if (!nx_utf8_valid(text))
        return nx__wrong(d, r, s->col, "utf8", text, "is not valid UTF-8");
    if (s->conv != NX_CONV_ONE_OR_MANY)
        return nx__convert(d, r, s->col, (nx_conv)s->conv, &(nx_piece){NX_TOK_STR, text, text});
    NX_TRY(nx_col_str(r->b, &r->cols[s->col].child[0], text));
    return nx_col_list_end(r->b, &r->cols[s->col]);
}

static nx_status put_number(nx_decoder *d, nx_row *r, const nx_slot *s, const nx_mp *v)
{
    char out[NX_MP_NUMBER_MAX];
    size_t n = nx_mp_number(v, out);
    if (n == 0)
        return nx__wrong(d, r, s->col, "type",
                         isnan(v->f) ? NX_STR("NaN")
                         : v->f > 0  ? NX_STR("Infinity")
                                     : NX_STR("-Infinity"),
                         "must be a finite number");
    nx_buf_clear(&d->text); /* texts of errors are copied from there */
    NX_TRY(nx_buf_add(&d->text, (nx_str){out, n}));
    nx_str text = nx_buf_str(&d->text);
    return nx__convert(d, r, s->col, (nx_conv)s->conv, &(nx_piece){NX_TOK_NUM, text, text});
}

static nx_status put_time(nx_decoder *d, nx_row *r, const nx_slot *s, const nx_mp *v, nx_str raw)
{
    int64_t ns;
    nx_str text = nx__packed_text(d, raw);
    const nx_piece p = {NX_TOK_TIME, text, text};
    if (s->conv != NX_CONV_TIME && s->conv != NX_CONV_EPOCH && s->conv != NX_CONV_EPOCH_OR_BOOL)
        return nx__convert(d, r, s->col, (nx_conv)s->conv, &p);
    if (!nx_mp_time_ns(v, &ns))
        return nx__wrong(d, r, s->col, "range", NX_STR(""), "is no time from 1678 to 2262");
    return nx__put_instant(d, r, s->col, ns, &p);
}

static nx_status put_item(nx_decoder *d, nx_row *r, int16_t col)
{
    const char *from = d->mp.p;
    nx_mp v;
    if (!nx_mp_next(&d->mp, &v))
        return nx__packed_broken(d);
    if (v.kind == NX_MP_STR && nx_utf8_valid(v.s))
        return nx__put_item(d, r, col, v.s, v.s);
    if (v.kind == NX_MP_STR)
        return nx__wrong(d, r, col, "utf8", v.s, "is not valid UTF-8");
    static const nx_tok toks[] = {[NX_MP_NIL] = NX_TOK_NULL,  [NX_MP_INT] = NX_TOK_NUM,   [NX_MP_UINT] = NX_TOK_NUM,
                                  [NX_MP_FLOAT] = NX_TOK_NUM, [NX_MP_ARR] = NX_TOK_ARR,   [NX_MP_MAP] = NX_TOK_OBJ,
                                  [NX_MP_BIN] = NX_TOK_BYTES, [NX_MP_TIME] = NX_TOK_TIME, [NX_MP_EXT] = NX_TOK_EXT};
    d->mp.p = from;
    if (!nx_mp_skip(&d->mp, 2))
        return nx__packed_broken(d);
    nx_tok tok = v.kind == NX_MP_BOOL ? (v.b ? NX_TOK_TRUE : NX_TOK_FALSE) : toks[v.kind];
    nx_str text = nx__packed_text(d, (nx_str){from, (size_t)(d->mp.p - from)});
    return nx__wrong_type(d, r, col, "an array of texts: an item", &(nx_piece){tok, text, text});
}

static nx_status put_list(nx_decoder *d, nx_row *r, int16_t col, uint32_t n, const char *from)
{
    const nx_rules *u = &r->specs[col].rules;
    nx_status st = NX_OK;
    for (uint32_t i = 0; i < n; i++)
        NX_TRY(put_item(d, r, col));
    nx_str none = {NULL, 0};
    if (n < u->len_min || n > u->len_max)
        none = nx__packed_text(d, (nx_str){from, (size_t)(d->mp.p - from)});
    if (!nx__check_count(d, r, col, n, none, &st) || r->bad)
        return st;
    return nx_col_list_end(r->b, &r->cols[col]);
}

static nx_status put_bool(nx_decoder *d, nx_row *r, const nx_slot *s, bool yes)
{
    if (s->conv == NX_CONV_EPOCH_OR_BOOL) {
        if (yes)
            NX_TRY(nx__keep_true(d, r, s));
        return nx__read_null(d, r, s->col);
    }
    nx_str text = yes ? NX_STR("true") : NX_STR("false");
    return nx__convert(d, r, s->col, (nx_conv)s->conv, &(nx_piece){yes ? NX_TOK_TRUE : NX_TOK_FALSE, text, text});
}

/* What no column takes: only the name of its kind is left to say. */
static nx_status put_other(nx_decoder *d, nx_row *r, const nx_slot *s, nx_mp_kind kind, nx_str raw)
{
    nx_tok tok = kind == NX_MP_ARR   ? NX_TOK_ARR
                 : kind == NX_MP_MAP ? NX_TOK_OBJ
                 : kind == NX_MP_BIN ? NX_TOK_BYTES
                                     : NX_TOK_EXT;
    nx_str text = nx__packed_text(d, raw);
    return nx__convert(d, r, s->col, (nx_conv)s->conv, &(nx_piece){tok, text, text});
}

nx_status nx__packed_value(nx_decoder *d, nx_row *r, const nx_slot *s)
{
    const char *from = d->mp.p;
    nx_mp v;
    if (!nx_mp_next(&d->mp, &v))
        return nx__packed_broken(d);
    nx_status st = NX_UNLIKELY(r->bad) ? NX_AGAIN : short_value(d, r, s, &v);
    if (NX_LIKELY(st != NX_AGAIN))
        return st;
    bool list = s->conv == NX_CONV_LIST || s->conv == NX_CONV_ONE_OR_MANY;
    if (v.kind == NX_MP_ARR && list)
        return put_list(d, r, s->col, v.n, from);
    if (v.kind == NX_MP_ARR || v.kind == NX_MP_MAP) {
        d->mp.p = from;
        if (!nx_mp_skip(&d->mp, 1))
            return nx__packed_broken(d);
    }
    if (s->conv == NX_CONV_IGNORE)
        return NX_OK;
    const nx_str raw = {from, (size_t)(d->mp.p - from)};
    switch (v.kind) {
    case NX_MP_NIL:
        return nx__read_null(d, r, s->col);
    case NX_MP_BOOL:
        return put_bool(d, r, s, v.b);
    case NX_MP_STR:
        return put_text(d, r, s, v.s);
    case NX_MP_INT:
    case NX_MP_UINT:
    case NX_MP_FLOAT:
        return put_number(d, r, s, &v);
    case NX_MP_TIME:
        return put_time(d, r, s, &v, raw);
    case NX_MP_ARR:
    case NX_MP_MAP:
    case NX_MP_BIN:
    case NX_MP_EXT:
        break;
    }
    return put_other(d, r, s, v.kind, raw);
}
