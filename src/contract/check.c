/* Rules on values that have the right type. */
#include "contract/decode_int.h"

/* Notes the error; always false. */
#define REFUSE(rule, value, ...)                                                                                       \
    do {                                                                                                               \
        r->bad = true;                                                                                                 \
        *st = nx__row_error(d, r, r->b->schema->fields[col].name, (rule), (value), __VA_ARGS__);                       \
        return false;                                                                                                  \
    } while (0)

static size_t code_points(nx_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

bool nx__check_text(nx_decoder *d, nx_row *r, int16_t col, nx_str *text, nx_status *st)
{
    const nx_rules *u = &r->specs[col].rules;
    for (size_t i = 0; i < u->n_translate; i++)
        if (nx_str_eq(*text, u->translate[i].from)) {
            *text = u->translate[i].to;
            break;
        }
    bool found = u->n_allowed == 0, ok = true;
    for (size_t i = 0; !found && i < u->n_allowed; i++)
        found = nx_str_eq(*text, u->allowed[i]);
    size_t n = u->len_min > 0 || u->len_max != SIZE_MAX ? code_points(*text) : 0;
    const char *name = r->b->schema->fields[col].name;
    if (!found) {
        ok = false;
        *st = nx__row_error(d, r, name, "enum", *text, "must be %s", u->allowed_text);
    }
    if (*st == NX_OK && n < u->len_min) {
        ok = false;
        *st = nx__row_error(d, r, name, "length", *text, "must have at least %zu characters, has %zu", u->len_min, n);
    }
    if (*st == NX_OK && u->len_max != SIZE_MAX && n > u->len_max) {
        ok = false;
        *st = nx__row_error(d, r, name, "length", *text, "must have at most %zu characters, has %zu", u->len_max, n);
    }
    if (*st == NX_OK && u->pattern != NULL && !nx__pattern_match(u->pattern, *text)) {
        ok = false;
        *st = nx__row_error(d, r, name, "pattern", *text, "must match %s", u->pattern->text);
    }
    r->bad |= !ok;
    return ok;
}

bool nx__check_number(nx_decoder *d, nx_row *r, int16_t col, __int128 v, nx_str text, nx_status *st)
{
    const nx_range *min = &r->specs[col].rules.min, *max = &r->specs[col].rules.max;
    if (min->set && (v < min->v || (min->exclusive && v == min->v)))
        REFUSE("range", text, "must be %s %s", min->exclusive ? "greater than" : "at least", min->text);
    if (max->set && (v > max->v || (max->exclusive && v == max->v)))
        REFUSE("range", text, "must be %s %s", max->exclusive ? "less than" : "at most", max->text);
    return true;
}

bool nx__check_count(nx_decoder *d, nx_row *r, int16_t col, size_t n, nx_str text, nx_status *st)
{
    const nx_rules *u = &r->specs[col].rules;
    if (n < u->len_min)
        REFUSE("length", text, "must have at least %zu items, has %zu", u->len_min, n);
    if (n > u->len_max)
        REFUSE("length", text, "must have at most %zu items, has %zu", u->len_max, n);
    return true;
}
