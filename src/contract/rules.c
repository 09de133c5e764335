/* Rules of a column at load: logicalTypeOptions, the invalidValues rule of quality, and the translate extension. */
#include "contract/contract_int.h"
#include "data/decimal.h"
#include "data/time.h"

typedef struct rule_job {
    nx_rules *r;
    const nx_type *type;
    const nx_origin *origin;
    nx_arena *a;
    nx_err *err;
} rule_job;

static nx_status parse_bound(const rule_job *j, const nx_val *v, bool exclusive, nx_range *ret)
{
    int scale = j->type->kind == NX_DECIMAL ? j->type->scale : 0;
    bool ok = false;
    int32_t days;
    int64_t ns;
    __int128 n = 0;
    switch (j->type->kind) {
    case NX_DECIMAL:
    case NX_INT32:
    case NX_INT64:
        ok = v->kind == NX_VAL_NUM && nx_dec_parse(v->s, 38, scale, &n) == NX_DEC_OK;
        break;
    case NX_DATE:
        ok = v->kind == NX_VAL_STR && nx_date_parse(v->s, &days);
        n = ok ? days : 0;
        break;
    case NX_TIMESTAMP:
        ok = v->kind == NX_VAL_STR && nx_time_parse_ns(v->s, &ns);
        n = ok ? nx_us_of_ns(ns) : 0;
        break;
    default:
        return nx__fail_at(j->err, j->origin, v, "a bound needs a number, date or timestamp column");
    }
    if (!ok)
        return nx__fail_at(j->err, j->origin, v, "the bound '" NX_STR_FMT "' does not fit the column's type",
                           NX_STR_ARG(v->s));
    if (ret->set)
        return nx__fail_at(j->err, j->origin, v, "an inclusive and an exclusive bound at the same end");
    const char *text = nx_arena_dup(j->a, v->s);
    if (text == NULL)
        return nx_nomem(j->err);
    *ret = (nx_range){true, exclusive, n, text};
    return NX_OK;
}

static nx_status parse_count(const rule_job *j, const nx_val *v, bool fits, size_t *ret)
{
    int64_t n;
    if (!fits)
        return nx__fail_at(j->err, j->origin, v, "lengths are for text, item counts for arrays");
    if (!nx_str_to_i64(v->s, &n) || n < 0)
        return nx__fail_at(j->err, j->origin, v, "a whole number of at least 0 expected");
    *ret = (size_t)n;
    return NX_OK;
}

static nx_status parse_pattern(const rule_job *j, const nx_val *v)
{
    if (j->type->kind != NX_STRING)
        return nx__fail_at(j->err, j->origin, v, "a pattern is for text");
    if (j->r->pattern != NULL)
        return nx__fail_at(j->err, j->origin, v, "a second pattern");
    nx_pattern *p = NULL;
    nx_status st = nx__pattern_compile(v->s, j->a, &p, j->err);
    j->r->pattern = p;
    return st == NX_OK || st == NX_NOMEM ? st : nx__fail_place(j->err, st, j->origin, v);
}

static nx_status parse_option(const rule_job *j, nx_str key, const nx_val *v)
{
    nx_rules *r = j->r;
    bool text = j->type->kind == NX_STRING, list = j->type->kind == NX_LIST;
    if (nx_str_is(key, "minimum"))
        return parse_bound(j, v, false, &r->min);
    if (nx_str_is(key, "exclusiveMinimum"))
        return parse_bound(j, v, true, &r->min);
    if (nx_str_is(key, "maximum"))
        return parse_bound(j, v, false, &r->max);
    if (nx_str_is(key, "exclusiveMaximum"))
        return parse_bound(j, v, true, &r->max);
    if (nx_str_is(key, "minLength"))
        return parse_count(j, v, text, &r->len_min);
    if (nx_str_is(key, "maxLength"))
        return parse_count(j, v, text, &r->len_max);
    if (nx_str_is(key, "minItems"))
        return parse_count(j, v, list, &r->len_min);
    if (nx_str_is(key, "maxItems"))
        return parse_count(j, v, list, &r->len_max);
    if (nx_str_is(key, "pattern"))
        return parse_pattern(j, v);
    if (nx_str_is(key, "format")) {
        nx_kind k = j->type->kind;
        bool ok = (k == NX_INT64 && nx_str_is(v->s, "i64")) || (k == NX_INT32 && nx_str_is(v->s, "i32"));
        return ok ? NX_OK
                  : nx__fail_at(j->err, j->origin, v, "format '" NX_STR_FMT "' does not fit the column's type",
                                NX_STR_ARG(v->s));
    }
    if (nx_str_is(key, "timezone") || nx_str_is(key, "defaultTimezone"))
        return NX_OK; /* every timestamp is UTC */
    return nx__fail_at(j->err, j->origin, v, "'" NX_STR_FMT "' is not supported: it would not be enforced",
                       NX_STR_ARG(key));
}

static nx_status parse_allowed(const rule_job *j, const nx_val *list)
{
    if (j->type->kind != NX_STRING || list->n == 0)
        return nx__fail_at(j->err, j->origin, list, "validValues is for text columns and needs at least one value");
    nx_str *all = NX_ARENA_ARRAY(j->a, nx_str, list->n);
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    if (all == NULL)
        return nx_nomem(j->err);
    for (size_t i = 0; i < list->n; i++) {
        const nx_val *v = &list->items[i];
        if (v->kind != NX_VAL_STR)
            return nx__fail_at(j->err, j->origin, v, "a valid value must be text; put it in quotes");
        all[i] = (nx_str){nx_arena_dup(j->a, v->s), v->s.n};
        const char *between = i + 1 == list->n ? " or " : ", ";
        if (all[i].p == NULL || (i > 0 && nx_buf_adds(&text, between) != NX_OK) || nx_buf_add(&text, v->s) != NX_OK)
            return nx_nomem(j->err);
    }
    j->r->allowed_text = nx_arena_dup(j->a, nx_buf_str(&text));
    j->r->allowed = all;
    j->r->n_allowed = list->n;
    return j->r->allowed_text == NULL ? nx_nomem(j->err) : NX_OK;
}

/* A rule is enforced on the wire when it says that no invalid value may be there at all; others are for quality scans. */
static nx_status parse_quality(const rule_job *j, const nx_val *rule)
{
    nx_str metric = nx_val_str(nx_val_get(rule, "metric"), NX_STR(""));
    const nx_val *must = nx_val_get(rule, "mustBe"), *values = nx_val_path(rule, "arguments.validValues");
    if (!nx_str_is(metric, "invalidValues") || must == NULL || !nx_str_is(must->s, "0"))
        return NX_OK;
    if (values != NULL)
        NX_TRY(parse_allowed(j, values));
    const nx_val *pattern = nx_val_path(rule, "arguments.pattern");
    return pattern == NULL ? NX_OK : parse_pattern(j, pattern);
}

static nx_status parse_translate(const rule_job *j, const nx_val *map)
{
    if (map->kind != NX_VAL_OBJ || j->type->kind != NX_STRING)
        return nx__fail_at(j->err, j->origin, map, "translate must be an object of texts on a text column");
    nx_pair *pairs = NX_ARENA_ARRAY(j->a, nx_pair, map->n);
    if (pairs == NULL)
        return nx_nomem(j->err);
    for (size_t i = 0; i < map->n; i++) {
        if (map->items[i].kind != NX_VAL_STR)
            return nx__fail_at(j->err, j->origin, &map->items[i], "translate: text expected");
        pairs[i].from = (nx_str){nx_arena_dup(j->a, map->keys[i]), map->keys[i].n};
        pairs[i].to = (nx_str){nx_arena_dup(j->a, map->items[i].s), map->items[i].s.n};
        if (pairs[i].from.p == NULL || pairs[i].to.p == NULL)
            return nx_nomem(j->err);
    }
    j->r->translate = pairs;
    j->r->n_translate = map->n;
    return NX_OK;
}

/* A closed 64-bit bound; one that lies outside is cut to the end, so the exact compare stays with the general check. */
static int64_t closed(const nx_range *r, int step, int64_t none)
{
    __int128 v = r->v + (r->exclusive ? step : 0);
    if (!r->set)
        return none;
    return v < INT64_MIN ? INT64_MIN : v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

nx_status nx__compile_rules(nx_rules *r, const nx_val *prop, const nx_type *type, const nx_origin *origin, nx_arena *a,
                            nx_err *err)
{
    const rule_job j = {r, type, origin, a, err};
    *r = (nx_rules){.len_max = SIZE_MAX, .item_len_max = SIZE_MAX};
    const nx_val *options = nx_val_get(prop, "logicalTypeOptions"), *quality = nx_val_get(prop, "quality");
    for (size_t i = 0; options != NULL && i < options->n; i++)
        NX_TRY(nx__gather(origin, parse_option(&j, options->keys[i], &options->items[i]), err));
    for (size_t i = 0; quality != NULL && i < quality->n; i++)
        NX_TRY(nx__gather(origin, parse_quality(&j, &quality->items[i]), err));
    const nx_val *translate = nx__odcs_custom(prop, "translate");
    if (translate != NULL)
        NX_TRY(nx__gather(origin, parse_translate(&j, translate), err));
    const nx_val *items = type->kind == NX_LIST ? nx_val_path(prop, "items.logicalTypeOptions") : NULL;
    for (size_t i = 0; items != NULL && i < items->n; i++) {
        if (!nx_str_is(items->keys[i], "maxLength"))
            return nx__gather(
                origin, nx__fail_at(err, origin, &items->items[i], "of the options only maxLength is known for items"),
                err);
        NX_TRY(parse_count(&j, &items->items[i], true, &r->item_len_max));
    }
    int64_t widest = INT64_MAX; /* of a decimal: what its precision holds */
    if (type->kind == NX_DECIMAL && type->precision <= 18) {
        widest = 1;
        for (int i = 0; i < type->precision; i++)
            widest *= 10;
        widest--;
    }
    r->lo = closed(&r->min, 1, widest == INT64_MAX ? INT64_MIN : -widest);
    r->hi = closed(&r->max, -1, widest);
    r->lo = widest < INT64_MAX && r->lo < -widest ? -widest : r->lo;
    r->hi = r->hi > widest ? widest : r->hi;
    r->words = r->n_allowed > 0 || r->n_translate > 0;
    r->any = r->min.set || r->max.set || r->len_min > 0 || r->len_max != SIZE_MAX || r->item_len_max != SIZE_MAX ||
             r->pattern != NULL || r->n_allowed > 0 || r->n_translate > 0;
    if (r->len_min > r->len_max)
        return nx__fail_at(err, origin, prop, "the smallest length is larger than the largest");
    return NX_OK;
}
