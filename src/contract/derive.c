/* Columns that follow from other columns of the same row: nanoseconds(ts), date(ts), month(ts), deleted(author, text[, removed_by]); and
 * which column is the row's own time. */
#include <stdio.h>

#include "contract/contract_int.h"

int16_t nx__column_named(const nx_contract *c, const nx_val *v, nx_err *err)
{
    const char *names[1000];
    nx_str want = nx_val_str(v, NX_STR(""));
    for (size_t i = 0; i < c->schema.n_fields; i++) {
        if (nx_str_is(want, c->schema.fields[i].name))
            return (int16_t)i;
        if (i < NX_COUNT_OF(names))
            names[i] = c->schema.fields[i].name;
    }
    nx_status st = nx__fail_at(err, &c->origin, v, "'" NX_STR_FMT "' is no column of %s", NX_STR_ARG(want), c->table);
    size_t near =
        nx_str_nearest(want, names, c->schema.n_fields < NX_COUNT_OF(names) ? c->schema.n_fields : NX_COUNT_OF(names));
    if (near != SIZE_MAX)
        (void)nx_err_hint(err, st, "did you mean '%s'?", names[near]);
    return -1;
}

typedef struct call {
    nx_str fn, args[3];
    size_t n;
} call;

static bool parse_call(nx_str s, call *ret)
{
    size_t open = nx_str_find(s, NX_STR("("), 0);
    if (open == SIZE_MAX || !nx_str_ends(s, NX_STR(")")))
        return false;
    *ret = (call){.fn = nx_str_sub(s, 0, open)};
    nx_str rest = nx_str_sub(s, open + 1, s.n - 1), part;
    while (nx_str_split(&rest, ',', &part)) {
        if (ret->n == NX_COUNT_OF(ret->args))
            return false;
        ret->args[ret->n++] = nx_str_trim(part);
    }
    return ret->n > 0;
}

/* The three functions of a timestamp hang on the timestamp's column: they are filled in the same step. */
static nx_status link_time(nx_contract *c, int16_t col, nx_str fn, int16_t from, const nx_val *place, nx_err *err)
{
    nx_kind kind = c->schema.fields[col].type.kind;
    nx_colspec *src = &c->cols[from];
    int16_t *slot = NULL;
    if (nx_str_is(fn, "nanoseconds") && kind == NX_INT64)
        slot = &src->ns_col;
    else if (nx_str_is(fn, "date") && kind == NX_DATE)
        slot = &src->date_col;
    else if (nx_str_is(fn, "month") && kind == NX_STRING)
        slot = &src->month_col;
    bool time = c->schema.fields[from].type.kind == NX_TIMESTAMP &&
                (src->source == NX_FROM_WIRE || src->source == NX_FROM_CONTEXT);
    if (slot == NULL || !time)
        return nx__fail_at(err, &c->origin, place, "column %s: '%s' does not fit the types", c->schema.fields[col].name,
                           c->cols[col].derive);
    if (*slot >= 0)
        return nx__fail_at(err, &c->origin, place, "column %s: derived twice", c->schema.fields[col].name);
    *slot = col;
    c->cols[col].source = NX_FROM_TIME;
    return NX_OK;
}

static nx_status link_deleted(nx_contract *c, int16_t col, const int16_t *from, size_t n, const nx_val *place,
                              nx_err *err)
{
    bool ok = c->schema.fields[col].type.kind == NX_BOOL && n >= 2;
    for (size_t i = 0; i < n; i++)
        ok = ok && c->schema.fields[from[i]].type.kind == NX_STRING && c->cols[from[i]].source == NX_FROM_WIRE;
    if (!ok)
        return nx__fail_at(err, &c->origin, place,
                           "column %s: deleted(author, text[, removed_by]) takes text columns of the wire",
                           c->schema.fields[col].name);
    memcpy(c->cols[col].args, from, n * sizeof *from);
    c->cols[col].source = NX_FROM_DELETED;
    return NX_OK;
}

static nx_status link_column(nx_contract *c, int16_t col, const nx_val *prop, nx_err *err)
{
    const nx_val *place = nx__odcs_custom(prop, "derive");
    call k;
    int16_t from[3];
    if (!parse_call(nx_val_str(place, NX_STR("")), &k))
        return nx__fail_at(err, &c->origin, place, "derive must be function(column, ...)");
    for (size_t i = 0; i < k.n; i++) {
        const nx_val arg = {.kind = NX_VAL_STR, .s = k.args[i], .line = place->line, .col = place->col};
        from[i] = nx__column_named(c, &arg, err);
        if (from[i] < 0)
            return NX_INVALID;
        if (c->cols[from[i]].broken)
            return NX_OK;
    }
    if (nx_str_is(k.fn, "deleted"))
        return link_deleted(c, col, from, k.n, place, err);
    if (k.n == 1 && (nx_str_is(k.fn, "nanoseconds") || nx_str_is(k.fn, "date") || nx_str_is(k.fn, "month")))
        return link_time(c, col, k.fn, from[0], place, err);
    return nx_err_hint(err,
                       nx__fail_at(err, &c->origin, place, "derive: '" NX_STR_FMT "' is not known", NX_STR_ARG(k.fn)),
                       "nanoseconds(ts), date(ts), month(ts) or deleted(author, text, removed_by)");
}

static nx_status known_time(nx_contract *c, const nx_val *object, nx_err *err)
{
    const nx_val *v = nx__odcs_custom(object, "knownAt");
    c->known_col = c->known_plus_col = -1;
    if (v == NULL)
        return NX_OK;
    const nx_val *column = nx_val_get(v, "column"), *plus = nx_val_get(v, "plus");
    if (column == NULL || v->n != (plus == NULL ? 1u : 2u))
        return nx__fail_at(err, &c->origin, v, "knownAt must be {column: C} or {column: C, plus: TIMEFRAME_COLUMN}");
    c->known_col = nx__column_named(c, column, err);
    c->known_plus_col = plus == NULL ? -1 : nx__column_named(c, plus, err);
    if (c->known_col < 0 || (plus != NULL && c->known_plus_col < 0))
        return NX_INVALID;
    if (c->cols[c->known_col].broken || (plus != NULL && c->cols[c->known_plus_col].broken))
        return NX_OK;
    if (c->schema.fields[c->known_col].type.kind != NX_TIMESTAMP || !c->cols[c->known_col].required)
        return nx__fail_at(err, &c->origin, column, "knownAt: %s must be a required timestamp",
                           c->schema.fields[c->known_col].name);
    if (plus != NULL &&
        (c->schema.fields[c->known_plus_col].type.kind != NX_STRING || !c->cols[c->known_plus_col].required))
        return nx__fail_at(err, &c->origin, plus, "knownAt: %s must be a required text column",
                           c->schema.fields[c->known_plus_col].name);
    return NX_OK;
}

nx_status nx__compile_derived(nx_contract *c, const nx_val *object, nx_arena *a, nx_err *err)
{
    const nx_val *props = nx_val_get(object, "properties"), *stats = nx__odcs_custom(object, "stats");
    for (size_t i = 0; i < c->n_own; i++)
        if (c->cols[i].derive != NULL && !c->cols[i].broken)
            NX_TRY(nx__gather(&c->origin, link_column(c, (int16_t)i, &props->items[i], err), err));
    NX_TRY(nx__gather(&c->origin, known_time(c, object, err), err));
    if (stats == NULL)
        return NX_OK;
    if (stats->kind != NX_VAL_ARR)
        return nx__fail_at(err, &c->origin, stats, "stats must be a list of columns");
    const char **names = NX_ARENA_ARRAY(a, const char *, stats->n + 1);
    if (names == NULL)
        return nx_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < stats->n; i++) {
        int16_t col = nx__column_named(c, &stats->items[i], err);
        if (col < 0) {
            NX_TRY(nx__gather(&c->origin, NX_INVALID, err));
            continue;
        }
        names[n++] = c->schema.fields[col].name;
    }
    c->stats = names;
    return NX_OK;
}
