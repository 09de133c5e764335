/* The general way from a JSON value to a column: any spelling, any escape, every rule, all errors. short_int.h has the short ways. */
#include "contract/decode_int.h"
#include "data/decimal.h"
#include "data/time.h"

nx_status nx__wrong(nx_decoder *d, nx_row *r, int16_t col, const char *rule, nx_str value, const char *what)
{
    r->bad = true;
    return nx__row_error(d, r, r->b->schema->fields[col].name, rule, value, "%s", what);
}

nx_status nx__wrong_type(nx_decoder *d, nx_row *r, int16_t col, const char *want, const nx_piece *p)
{
    r->bad = true;
    return nx__row_error(d, r, r->b->schema->fields[col].name, "type", p->raw, "must be %s, is %s", want,
                         nx__tok_name(p->tok));
}

nx_status nx__put_null(nx_row *r, int16_t col)
{
    const nx_colspec *s = &r->specs[col];
    const int16_t derived[3] = {s->ns_col, s->date_col, s->month_col};
    NX_TRY(nx_col_null(r->b, &r->cols[col]));
    for (int i = 0; i < 3; i++)
        if (derived[i] >= 0)
            NX_TRY(nx_col_null(r->b, &r->cols[derived[i]]));
    return NX_OK;
}

nx_status nx__put_instant(nx_decoder *d, nx_row *r, int16_t col, int64_t ns, const nx_piece *p)
{
    nx_status st = NX_OK;
    int64_t us = nx_us_of_ns(ns);
    if (r->specs[col].rules.any && !nx__check_number(d, r, col, us, p->raw, &st))
        return st;
    char date[16];
    int32_t days = nx_days_of_us(us);
    nx_date_format(days, date);
    return nx__put_time(r, col, ns, days, date);
}

static nx_status put_string(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p)
{
    if (p->tok != NX_TOK_STR && p->tok != NX_TOK_TEXT)
        return nx__wrong_type(d, r, col, "text", p);
    nx_str text = p->text;
    nx_status st = NX_OK;
    if (r->specs[col].rules.any && !nx__check_text(d, r, col, &text, &st))
        return st;
    return nx_col_str(r->b, &r->cols[col], text);
}

static nx_status put_decimal(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p, bool text_too)
{
    const nx_type *t = r->cols[col].type;
    if (p->tok != NX_TOK_NUM && p->tok != NX_TOK_TEXT && !(text_too && p->tok == NX_TOK_STR))
        return nx__wrong_type(d, r, col, text_too ? "a number, or text that holds one" : "a number", p);
    __int128 v;
    nx_status st = NX_OK;
    r->bad = true;
    const char *name = r->b->schema->fields[col].name;
    switch (nx_dec_parse(p->text, t->precision, t->scale, &v)) {
    case NX_DEC_SYNTAX:
        return nx__row_error(d, r, name, "type", p->raw, "must be a decimal number");
    case NX_DEC_SCALE:
        return nx__row_error(d, r, name, "decimal", p->raw, "has more than %d digits behind the point", t->scale);
    case NX_DEC_PRECISION:
        return nx__row_error(d, r, name, "decimal", p->raw, "is too large for decimal(%d,%d)", t->precision, t->scale);
    case NX_DEC_OK:
        break;
    }
    r->bad = d->n_errors > r->first_error;
    if (r->specs[col].rules.any && !nx__check_number(d, r, col, v, p->raw, &st))
        return st;
    return t->precision <= 18 ? nx_col_i64(r->b, &r->cols[col], (int64_t)v) : nx_col_i128(r->b, &r->cols[col], v);
}

static nx_status put_int(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p)
{
    bool wide = r->cols[col].type->kind == NX_INT64;
    if (p->tok != NX_TOK_NUM && p->tok != NX_TOK_TEXT)
        return nx__wrong_type(d, r, col, "a whole number", p);
    __int128 v = 0;
    nx_status st = NX_OK;
    nx_dec_result got = nx_dec_parse(p->text, 19, 0, &v);
    if (got == NX_DEC_SYNTAX || got == NX_DEC_SCALE)
        return nx__wrong(d, r, col, "type", p->raw, "must be a whole number");
    if (got == NX_DEC_PRECISION || v < (wide ? INT64_MIN : INT32_MIN) || v > (wide ? INT64_MAX : INT32_MAX))
        return nx__wrong(d, r, col, "range", p->raw, wide ? "does not fit 64 bits" : "does not fit 32 bits");
    if (r->specs[col].rules.any && !nx__check_number(d, r, col, v, p->raw, &st))
        return st;
    return wide ? nx_col_i64(r->b, &r->cols[col], (int64_t)v) : nx_col_i32(r->b, &r->cols[col], (int32_t)v);
}

static nx_status put_bool(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p)
{
    bool yes = p->tok == NX_TOK_TRUE || (p->tok == NX_TOK_TEXT && nx_str_is(p->text, "true"));
    bool no = p->tok == NX_TOK_FALSE || (p->tok == NX_TOK_TEXT && nx_str_is(p->text, "false"));
    if (!yes && !no)
        return nx__wrong_type(d, r, col, "true or false", p);
    return nx_col_bool(r->b, &r->cols[col], yes);
}

static nx_status put_rfc3339(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p)
{
    int64_t ns;
    if (p->tok != NX_TOK_STR && p->tok != NX_TOK_TEXT)
        return nx__wrong_type(d, r, col, "an RFC 3339 time in quotes", p);
    if (!nx_time_parse_ns(p->text, &ns))
        return nx__wrong(d, r, col, "format", p->raw,
                         "must be an RFC 3339 time with zone and at most 9 digits of fraction, from 1678 to 2262");
    return nx__put_instant(d, r, col, ns, p);
}

/* Keeps a member in _extra that says more than its column can. */
nx_status nx__keep_true(nx_decoder *d, nx_row *r, const nx_slot *s)
{
    if (r->n_unknown < NX_UNKNOWN_MAX)
        d->unknown[r->n_unknown++] = (nx_unknown){s->key, s->key, NX_STR("true")};
    return NX_OK;
}

static nx_status put_epoch(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p)
{
    __int128 v = 0;
    if (p->tok != NX_TOK_NUM && p->tok != NX_TOK_TEXT)
        return nx__wrong_type(d, r, col, "seconds since 1970 as a number", p);
    nx_dec_result got = nx_dec_parse(p->text, 19, 9, &v);
    if (got == NX_DEC_SYNTAX)
        return nx__wrong(d, r, col, "type", p->raw, "must be seconds since 1970 as a number");
    if (got == NX_DEC_SCALE)
        return nx__wrong(d, r, col, "format", p->raw, "is finer than nanoseconds");
    if (got == NX_DEC_PRECISION || v < INT64_MIN || v > INT64_MAX)
        return nx__wrong(d, r, col, "range", p->raw,
                         "is no time from 1678 to 2262 (seconds expected, not milliseconds)");
    return nx__put_instant(d, r, col, (int64_t)v, p);
}

static nx_status put_date(nx_decoder *d, nx_row *r, int16_t col, const nx_piece *p)
{
    int32_t days;
    nx_status st = NX_OK;
    if (p->tok != NX_TOK_STR && p->tok != NX_TOK_TEXT)
        return nx__wrong_type(d, r, col, "a date in quotes", p);
    if (!nx_date_parse(p->text, &days))
        return nx__wrong(d, r, col, "format", p->raw, "must be a date, YYYY-MM-DD");
    if (r->specs[col].rules.any && !nx__check_number(d, r, col, days, p->raw, &st))
        return st;
    return nx_col_i32(r->b, &r->cols[col], days);
}

/* Bytes of a scanned string: unescaped where needed. *ret_bad: it is refused (an error was noted). */
static nx_status string_text(nx_decoder *d, nx_row *r, int16_t col, nx_str raw, unsigned flags, nx_str *ret,
                             bool *ret_bad)
{
    *ret = raw;
    *ret_bad = false;
    if ((flags & NX_TEXT_BAD_UTF8) != 0) {
        *ret_bad = true;
        return nx__wrong(d, r, col, "utf8", raw, "is not valid UTF-8");
    }
    if ((flags & NX_TEXT_LONE) != 0 && !r->way->v->contract->lone_surrogates) {
        *ret_bad = true;
        return nx__wrong(d, r, col, "escape", raw, "holds half of a surrogate pair");
    }
    if ((flags & NX_TEXT_ESCAPED) == 0)
        return NX_OK;
    nx_buf_clear(&d->text);
    NX_TRY(nx__unescape(&d->text, raw));
    *ret = nx_buf_str(&d->text);
    return NX_OK;
}

nx_status nx__put_item(nx_decoder *d, nx_row *r, int16_t col, nx_str text, nx_str raw)
{
    size_t max = r->specs[col].rules.item_len_max, n = 0;
    for (size_t i = 0; max != SIZE_MAX && i < text.n; i++)
        n += ((unsigned char)text.p[i] & 0xC0) != 0x80;
    if (max != SIZE_MAX && n > max) {
        r->bad = true;
        return nx__row_error(d, r, r->b->schema->fields[col].name, "length", raw,
                             "an item has %zu characters, %zu are allowed", n, max);
    }
    return nx_col_str(r->b, &r->cols[col].child[0], text);
}

static nx_status read_item(nx_decoder *d, nx_row *r, int16_t col, nx_str token, unsigned flags)
{
    const nx_piece p = {nx__tok_of(token.p[0]), token, token};
    if (p.tok != NX_TOK_STR)
        return nx__wrong_type(d, r, col, "an array of texts: an item", &p);
    nx_str text;
    bool bad;
    NX_TRY(string_text(d, r, col, nx_str_sub(token, 1, token.n - 1), flags, &text, &bad));
    if (bad)
        return NX_OK;
    return nx__put_item(d, r, col, text, token);
}

/* The array was scanned: it is well-formed. */
static nx_status put_list(nx_decoder *d, nx_row *r, int16_t col, nx_str token)
{
    const char *p = nx__skip_space(token.p + 1, d->scan.end);
    size_t n = 0;
    while (*p != ']') {
        d->scan.flags = 0;
        const char *q = nx__scan_value(&d->scan, p, 1);
        if (q == NULL)
            return NX_INVALID;
        NX_TRY(read_item(d, r, col, (nx_str){p, (size_t)(q - p)}, d->scan.flags));
        n++;
        p = nx__skip_space(q, d->scan.end);
        if (*p == ',')
            p = nx__skip_space(p + 1, d->scan.end);
    }
    nx_status st = NX_OK;
    if (!nx__check_count(d, r, col, n, token, &st) || r->bad)
        return st;
    return nx_col_list_end(r->b, &r->cols[col]);
}

nx_status nx__convert(nx_decoder *d, nx_row *r, int16_t col, nx_conv conv, const nx_piece *p)
{
    switch (conv) {
    case NX_CONV_STRING:
        return put_string(d, r, col, p);
    case NX_CONV_DECIMAL:
    case NX_CONV_DECIMAL_TEXT:
        return put_decimal(d, r, col, p, conv == NX_CONV_DECIMAL_TEXT);
    case NX_CONV_INT:
        return put_int(d, r, col, p);
    case NX_CONV_BOOL:
        return put_bool(d, r, col, p);
    case NX_CONV_TIME:
        return put_rfc3339(d, r, col, p);
    case NX_CONV_EPOCH:
    case NX_CONV_EPOCH_OR_BOOL:
        return put_epoch(d, r, col, p);
    case NX_CONV_DATE:
        return put_date(d, r, col, p);
    case NX_CONV_LIST:
    case NX_CONV_ONE_OR_MANY:
        return nx__wrong_type(d, r, col, "an array of texts", p);
    case NX_CONV_IGNORE:
        break;
    }
    return NX_OK;
}

nx_status nx__read_null(nx_decoder *d, nx_row *r, int16_t col)
{
    if (r->specs[col].required)
        return nx__wrong(d, r, col, "required", NX_STR("null"), "must not be null");
    return nx__put_null(r, col);
}

static nx_status read_string(nx_decoder *d, nx_row *r, const nx_slot *s, nx_str inner)
{
    nx_piece p = {.tok = NX_TOK_STR, .raw = inner};
    bool bad;
    NX_TRY(string_text(d, r, s->col, inner, d->scan.flags, &p.text, &bad));
    if (bad)
        return NX_OK;
    if (s->conv != NX_CONV_ONE_OR_MANY)
        return nx__convert(d, r, s->col, (nx_conv)s->conv, &p);
    NX_TRY(nx_col_str(r->b, &r->cols[s->col].child[0], p.text));
    return nx_col_list_end(r->b, &r->cols[s->col]);
}

nx_status nx__read_value(nx_decoder *d, nx_row *r, const nx_slot *s, const char **pp)
{
    const char *p = nx__skip_space(*pp, d->scan.end);
    d->scan.flags = 0;
    const char *q = nx__scan_value(&d->scan, p, 1);
    if (q == NULL)
        return NX_INVALID;
    *pp = q;
    const nx_str token = {p, (size_t)(q - p)};
    const nx_tok tok = nx__tok_of(*p);
    if (s->conv == NX_CONV_IGNORE)
        return NX_OK;
    if (tok == NX_TOK_NULL)
        return nx__read_null(d, r, s->col);
    if (tok == NX_TOK_STR)
        return read_string(d, r, s, nx_str_sub(token, 1, token.n - 1));
    if (tok == NX_TOK_ARR && (s->conv == NX_CONV_LIST || s->conv == NX_CONV_ONE_OR_MANY))
        return put_list(d, r, s->col, token);
    if (s->conv == NX_CONV_EPOCH_OR_BOOL && (tok == NX_TOK_TRUE || tok == NX_TOK_FALSE)) {
        if (tok == NX_TOK_TRUE)
            NX_TRY(nx__keep_true(d, r, s));
        return nx__read_null(d, r, s->col);
    }
    return nx__convert(d, r, s->col, (nx_conv)s->conv, &(nx_piece){tok, token, token});
}

nx_status nx__put_text(nx_decoder *d, nx_row *r, int16_t col, nx_str text)
{
    if (!nx_utf8_valid(text))
        return nx__wrong(d, r, col, "utf8", text, "is not valid UTF-8");
    return nx__convert(d, r, col, r->specs[col].conv, &(nx_piece){NX_TOK_TEXT, text, text});
}
