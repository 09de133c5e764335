/* Schema and freshness: checks whose value is more than one number of one query. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "quality/quality_int.h"

/* Runs the check's own query; *ret NULL: r says why. */
static nx_status query(qscan *sc, const qcheck *c, nx_check_result *r, nx_result **ret)
{
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, (size_t)1 << 20);
    const char *error = "the check is too large for one query";
    *ret = NULL;
    if (nx__quality_query_sql(c, &sql) == NX_OK)
        NX_TRY(nx__quality_run(sc, c->table->name, nx_buf_str(&sql), ret, &error));
    if (*ret == NULL) {
        r->outcome = NX_OUTCOME_ERROR;
        r->detail = error;
    }
    return NX_OK;
}

/* ---- freshness ---- */

static nx_status age(qscan *sc, const qcheck *c, nx_check_result *r, const nx_result *res)
{
    nx_buf type NX_BUF_AUTO;
    nx_buf_init(&type, 256);
    if (nx_result_is_null(res, 0, 1)) {
        r->outcome = NX_OUTCOME_FAIL;
        return nx__quality_set_text(sc, &r->detail, "there are no rows with a time in %s", r->column);
    }
    if (nx_result_text(res, 0, 0, &type) != NX_OK)
        return nx_nomem(sc->err);
    bool date = nx_str_is(nx_buf_str(&type), "DATE");
    if (!date && !nx_str_starts(nx_buf_str(&type), NX_STR("TIMESTAMP"))) {
        r->outcome = NX_OUTCOME_ERROR;
        return nx__quality_set_text(sc, &r->detail, "freshness needs a timestamp or date, %s is of type %s", r->column,
                                    type.p);
    }
    int64_t us = nx_result_i64(res, 0, 1, 0);
    double newest = (double)us / 1e6 + (date ? 86400 - 1e-6 : 0), now = (double)(sc->out->now / 1000) / 1e6;
    return nx__quality_decide(sc, c, r, true, now - newest);
}

nx_status nx__quality_scan_freshness(qscan *sc, const qcheck *c, nx_check_result *r)
{
    nx_result *res;
    NX_TRY(query(sc, c, r, &res));
    if (res == NULL)
        return NX_OK;
    nx_status st = age(sc, c, r, res);
    nx_result_drop(res);
    return st;
}

/* ---- schema ---- */

typedef struct column {
    nx_str name, type;
} column;

typedef struct schema {
    qscan *sc;
    column *cols;
    size_t n;
    nx_buf why; /* what is wrong, parted by "; " */
} schema;

static nx_status lower(qscan *sc, const nx_result *res, size_t row, size_t col, bool fold, nx_str *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 65536);
    char *text;
    if (nx_result_text(res, row, col, &b) != NX_OK || (text = nx_arena_dup(&sc->out->arena, nx_buf_str(&b))) == NULL)
        return nx_nomem(sc->err);
    for (size_t i = 0; fold && i < b.n; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    *ret = (nx_str){text, b.n};
    return NX_OK;
}

static const column *find(const schema *s, nx_str name)
{
    for (size_t i = 0; i < s->n; i++)
        if (nx_str_eq_nocase(s->cols[i].name, name))
            return &s->cols[i];
    return NULL;
}

NX_PRINTF(2, 3) static nx_status blame(schema *s, const char *fmt, ...);

static nx_status blame(schema *s, const char *fmt, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    nx_status st = s->why.n > 0 ? nx_buf_adds(&s->why, "; ") : NX_OK;
    if (st == NX_OK)
        st = nx_buf_adds(&s->why, text);
    return st == NX_OK || st == NX_LIMIT ? NX_OK : nx_nomem(s->sc->err);
}

/* % and * stand for anything; the pattern holds from the start to the end. */
static bool matches(nx_str name, nx_str pattern)
{
    size_t n = 0, p = 0, star = SIZE_MAX, mark = 0;
    while (n < name.n) {
        if (p < pattern.n && (pattern.p[p] == '%' || pattern.p[p] == '*')) {
            star = p++;
            mark = n;
        } else if (p < pattern.n && tolower((unsigned char)pattern.p[p]) == tolower((unsigned char)name.p[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && (pattern.p[p] == '%' || pattern.p[p] == '*'))
        p++;
    return p == pattern.n;
}

/* Names that mean one type. Clocks of the lake are UTC instants: timestamp is both kinds of the engine's. */
static bool same_type(nx_str have, nx_str want)
{
    static const char *const families[][8] = {
        {"integer", "int", "int4", "int32", "signed", NULL},
        {"bigint", "int8", "int64", "long", NULL},
        {"smallint", "int2", "int16", "short", NULL},
        {"varchar", "string", "text", "char", "character varying", NULL},
        {"double", "float8", "double precision", NULL},
        {"float", "float4", "real", NULL},
        {"boolean", "bool", "logical", NULL},
        {"timestamp with time zone", "timestamptz", "timestamp", NULL},
        {"timestamp", "datetime", "timestamp without time zone", NULL},
        {"blob", "binary", "bytea", "varbinary", NULL},
    };
    if (nx_str_eq_nocase(have, want))
        return true;
    for (size_t i = 0; i < NX_COUNT_OF(families); i++)
        for (size_t k = 1; nx_str_is(have, families[i][0]) && families[i][k] != NULL; k++)
            if (nx_str_eq_nocase(want, nx_str_of(families[i][k])))
                return true;
    /* "decimal" and "numeric(18,6)" against "decimal(18,6)" */
    if (!nx_str_starts(have, NX_STR("decimal(")))
        return false;
    if (nx_str_eq_nocase(want, NX_STR("decimal")) || nx_str_eq_nocase(want, NX_STR("numeric")))
        return true;
    return want.n > 7 && nx_str_eq_nocase(nx_str_sub(want, 0, 7), NX_STR("numeric")) &&
           nx_str_eq(nx_str_sub(want, 7, want.n), nx_str_sub(have, 7, have.n));
}

/* Which rules of a level are broken: written to s->why. */
static nx_status examine(schema *s, const qschema *rules)
{
    nx_buf_clear(&s->why);
    for (size_t i = 0; rules->required != NULL && i < rules->required->n; i++)
        if (find(s, rules->required->items[i].s) == NULL)
            NX_TRY(blame(s, "column " NX_STR_FMT " is missing", NX_STR_ARG(rules->required->items[i].s)));
    for (size_t i = 0; rules->forbidden != NULL && i < rules->forbidden->n; i++)
        for (size_t k = 0; k < s->n; k++)
            if (matches(s->cols[k].name, rules->forbidden->items[i].s))
                NX_TRY(blame(s, "column " NX_STR_FMT " is forbidden", NX_STR_ARG(s->cols[k].name)));
    for (size_t i = 0; rules->types != NULL && i < rules->types->n; i++) {
        nx_str name = rules->types->keys[i], want = rules->types->items[i].s;
        const column *c = find(s, name);
        if (c == NULL)
            NX_TRY(blame(s, "column " NX_STR_FMT " is missing", NX_STR_ARG(name)));
        else if (!same_type(c->type, want))
            NX_TRY(blame(s, "column " NX_STR_FMT " is " NX_STR_FMT ", not " NX_STR_FMT, NX_STR_ARG(name),
                         NX_STR_ARG(c->type), NX_STR_ARG(want)));
    }
    for (size_t i = 0; rules->indexes != NULL && i < rules->indexes->n; i++) {
        nx_str name = rules->indexes->keys[i];
        const column *c = find(s, name);
        int64_t want = nx_val_i64(&rules->indexes->items[i], -1);
        if (c == NULL)
            NX_TRY(blame(s, "column " NX_STR_FMT " is missing", NX_STR_ARG(name)));
        else if (c - s->cols != want)
            NX_TRY(
                blame(s, "column " NX_STR_FMT " is at %td, not %lld", NX_STR_ARG(name), c - s->cols, (long long)want));
    }
    return NX_OK;
}

static nx_status judge(schema *s, const qcheck *c, nx_check_result *r)
{
    const qschema *levels[] = {&c->schema_fail, &c->schema_warn};
    r->outcome = NX_OUTCOME_PASS;
    for (int i = 0; i < 2; i++) {
        NX_TRY(examine(s, levels[i]));
        if (s->why.n == 0)
            continue;
        r->outcome = i == 0 ? NX_OUTCOME_FAIL : NX_OUTCOME_WARN;
        NX_TRY(nx__quality_set_text(s->sc, &r->value_text, "%s", s->why.p));
        r->detail = r->value_text;
        break;
    }
    return NX_OK;
}

nx_status nx__quality_scan_schema(qscan *sc, const qcheck *c, nx_check_result *r)
{
    nx_result *res;
    NX_TRY(query(sc, c, r, &res));
    if (res == NULL)
        return NX_OK;
    schema s = {.sc = sc, .n = nx_result_rows(res)};
    nx_buf_init(&s.why, 65536);
    s.cols = NX_ARENA_ARRAY(&sc->out->arena, column, s.n + 1);
    nx_status st = s.cols == NULL ? nx_nomem(sc->err) : NX_OK;
    for (size_t i = 0; i < s.n && st == NX_OK; i++) {
        st = lower(sc, res, i, 0, false, &s.cols[i].name);
        if (st == NX_OK)
            st = lower(sc, res, i, 1, true, &s.cols[i].type);
    }
    if (st == NX_OK)
        st = judge(&s, c, r);
    nx_buf_drop(&s.why);
    nx_result_drop(res);
    return st;
}
