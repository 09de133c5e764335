/* Checks as SQL. Everything that one pass over a table can measure becomes one column of one query. Conditions that people
 * wrote end with a line feed, so that a comment at their end stays theirs. */
#include <stdio.h>

#include "quality/quality_int.h"

/* 'text' or the number as written, in parentheses after IN. */
static nx_status add_list(nx_buf *sql, const nx_val *list)
{
    NX_TRY(nx_buf_addc(sql, '('));
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            NX_TRY(nx_buf_adds(sql, ", "));
        NX_TRY(list->items[i].kind == NX_VAL_NUM ? nx_buf_add(sql, list->items[i].s)
                                                 : nx_sql_literal(sql, list->items[i].s));
    }
    return nx_buf_addc(sql, ')');
}

static nx_status add_regex(nx_buf *sql, nx_str col, const char *regex)
{
    NX_TRY(nx_buf_adds(sql, "regexp_matches("));
    NX_TRY(nx_sql_ident(sql, col));
    NX_TRY(nx_buf_adds(sql, ", "));
    NX_TRY(nx_sql_literal(sql, nx_str_of(regex)));
    return nx_buf_addc(sql, ')');
}

static nx_status add_missing(nx_buf *sql, const qcheck *c)
{
    nx_str col = c->cols[0];
    NX_TRY(nx_buf_addc(sql, '('));
    NX_TRY(nx_sql_ident(sql, col));
    NX_TRY(nx_buf_adds(sql, " IS NULL"));
    if (c->valid.missing_values != NULL) {
        NX_TRY(nx_buf_adds(sql, " OR "));
        NX_TRY(nx_sql_ident(sql, col));
        NX_TRY(nx_buf_adds(sql, " IN "));
        NX_TRY(add_list(sql, c->valid.missing_values));
    }
    if (c->valid.missing_regex != NULL) {
        NX_TRY(nx_buf_adds(sql, " OR "));
        NX_TRY(add_regex(sql, col, c->valid.missing_regex));
    }
    return nx_buf_addc(sql, ')');
}

static nx_status add_compare(nx_buf *sql, const char *fn, nx_str col, const char *op, const char *value)
{
    NX_TRY(nx_buf_addf(sql, " AND %s(", fn));
    NX_TRY(nx_sql_ident(sql, col));
    return nx_buf_addf(sql, ") %s %s", op, value);
}

static nx_status add_length(nx_buf *sql, nx_str col, const char *op, int64_t n)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)n);
    return n < 0 ? NX_OK : add_compare(sql, "length", col, op, text);
}

/* Of a value that is not missing. */
static nx_status add_valid(nx_buf *sql, const qcheck *c)
{
    const qvalidity *r = &c->valid;
    nx_str col = c->cols[0];
    NX_TRY(nx_buf_adds(sql, "(true"));
    if (r->valid_values != NULL || r->invalid_values != NULL) {
        const nx_val *lists[2] = {r->valid_values, r->invalid_values};
        for (int i = 0; i < 2; i++) {
            if (lists[i] == NULL)
                continue;
            NX_TRY(nx_buf_adds(sql, " AND "));
            NX_TRY(nx_sql_ident(sql, col));
            NX_TRY(nx_buf_adds(sql, i == 0 ? " IN " : " NOT IN "));
            NX_TRY(add_list(sql, lists[i]));
        }
    }
    if (r->valid_regex != NULL) {
        NX_TRY(nx_buf_adds(sql, " AND "));
        NX_TRY(add_regex(sql, col, r->valid_regex));
    }
    if (r->invalid_regex != NULL) {
        NX_TRY(nx_buf_adds(sql, " AND NOT "));
        NX_TRY(add_regex(sql, col, r->invalid_regex));
    }
    if (r->valid_min != NULL)
        NX_TRY(add_compare(sql, "", col, ">=", r->valid_min));
    if (r->valid_max != NULL)
        NX_TRY(add_compare(sql, "", col, "<=", r->valid_max));
    NX_TRY(add_length(sql, col, "=", r->valid_length));
    NX_TRY(add_length(sql, col, ">=", r->min_length));
    NX_TRY(add_length(sql, col, "<=", r->max_length));
    return nx_buf_addc(sql, ')');
}

bool nx__quality_is_aggregate(const qcheck *c)
{
    return c->metric == Q_ROW_COUNT || c->metric == Q_MISSING || c->metric == Q_INVALID || c->metric == Q_VALID ||
           c->metric == Q_AGGREGATE || c->metric == Q_FAILED_CONDITION;
}

/* FILTER (WHERE …) with the check's own filter and what the metric adds. */
static nx_status add_where(const qcheck *c, bool filter_only, nx_buf *sql)
{
    NX_TRY(nx_buf_adds(sql, " FILTER (WHERE true"));
    if (c->filter != NULL)
        NX_TRY(nx_buf_addf(sql, " AND (%s\n)", c->filter));
    if (!filter_only && c->metric == Q_FAILED_CONDITION)
        NX_TRY(nx_buf_addf(sql, " AND (%s\n)", c->text));
    if (!filter_only && c->metric == Q_MISSING) {
        NX_TRY(nx_buf_adds(sql, " AND "));
        NX_TRY(add_missing(sql, c));
    }
    if (!filter_only && (c->metric == Q_INVALID || c->metric == Q_VALID || c->metric == Q_AGGREGATE)) {
        NX_TRY(nx_buf_adds(sql, " AND NOT "));
        NX_TRY(add_missing(sql, c));
        NX_TRY(nx_buf_adds(sql, c->metric == Q_INVALID ? " AND NOT " : " AND "));
        NX_TRY(add_valid(sql, c));
    }
    return nx_buf_addc(sql, ')');
}

nx_status nx__quality_value_sql(const qcheck *c, nx_buf *sql)
{
    if (c->metric == Q_AGGREGATE) {
        nx_buf col NX_BUF_AUTO;
        nx_buf_init(&col, 4096);
        NX_TRY(nx_sql_ident(&col, c->cols[0]));
        NX_TRY(nx_buf_adds(sql, "CAST("));
        NX_TRY(nx_buf_addf(sql, c->sql_fn, col.p));
        NX_TRY(add_where(c, false, sql));
        return nx_buf_adds(sql, " AS DOUBLE)");
    }
    NX_TRY(nx_buf_adds(sql, c->percent ? "100.0 * count(*)" : "count(*)"));
    NX_TRY(add_where(c, false, sql));
    if (!c->percent)
        return NX_OK;
    NX_TRY(nx_buf_adds(sql, " / nullif(count(*)"));
    NX_TRY(add_where(c, true, sql));
    return nx_buf_adds(sql, ", 0)");
}

/* The table's rows within partition and filter. */
static nx_status add_from(const qcheck *c, nx_buf *sql)
{
    NX_TRY(nx_buf_addf(sql, " FROM %s WHERE true", c->table->sql));
    if (c->where != NULL)
        NX_TRY(nx_buf_addf(sql, " AND (%s\n)", c->where));
    return c->filter == NULL ? NX_OK : nx_buf_addf(sql, " AND (%s\n)", c->filter);
}

/* Values (or combinations) that come more than once, nulls left out. */
static nx_status duplicate_sql(const qcheck *c, nx_buf *sql)
{
    NX_TRY(nx_buf_adds(sql, c->percent ? "SELECT 100.0 * count(*) / nullif((SELECT count(*)" : "SELECT count(*)"));
    if (c->percent) {
        NX_TRY(add_from(c, sql));
        NX_TRY(nx_buf_adds(sql, "), 0)"));
    }
    NX_TRY(nx_buf_adds(sql, " FROM (SELECT 1"));
    NX_TRY(add_from(c, sql));
    for (size_t i = 0; i < c->n_cols; i++) {
        NX_TRY(nx_buf_adds(sql, " AND "));
        NX_TRY(nx_sql_ident(sql, c->cols[i]));
        NX_TRY(nx_buf_adds(sql, " IS NOT NULL"));
    }
    NX_TRY(nx_buf_adds(sql, " GROUP BY "));
    for (size_t i = 0; i < c->n_cols; i++) {
        if (i > 0)
            NX_TRY(nx_buf_adds(sql, ", "));
        NX_TRY(nx_sql_ident(sql, c->cols[i]));
    }
    return nx_buf_adds(sql, " HAVING count(*) > 1)");
}

/* Rows whose values have no partner (or have one, where they must not). */
static nx_status reference_sql(const qcheck *c, nx_buf *sql)
{
    NX_TRY(nx_buf_adds(sql, "SELECT count(*) FROM (SELECT *"));
    NX_TRY(add_from(c, sql));
    NX_TRY(nx_buf_adds(sql, ") AS src WHERE ("));
    for (size_t i = 0; i < c->n_cols; i++) {
        NX_TRY(nx_buf_adds(sql, i > 0 ? " OR src." : "src."));
        NX_TRY(nx_sql_ident(sql, c->cols[i]));
        NX_TRY(nx_buf_adds(sql, " IS NOT NULL"));
    }
    NX_TRY(nx_buf_addf(sql, ") AND %s (SELECT 1 FROM %s AS ref WHERE true", c->must_not_exist ? "EXISTS" : "NOT EXISTS",
                       c->other->sql));
    for (size_t i = 0; i < c->n_cols; i++) {
        NX_TRY(nx_buf_adds(sql, " AND ref."));
        NX_TRY(nx_sql_ident(sql, c->other_cols[i]));
        NX_TRY(nx_buf_adds(sql, " = src."));
        NX_TRY(nx_sql_ident(sql, c->cols[i]));
    }
    return nx_buf_addc(sql, ')');
}

nx_status nx__quality_query_sql(const qcheck *c, nx_buf *sql)
{
    switch (c->metric) {
    case Q_DUPLICATE:
        return duplicate_sql(c, sql);
    case Q_REFERENCE:
        return reference_sql(c, sql);
    case Q_SAME_COUNT:
        NX_TRY(nx_buf_adds(sql, "SELECT (SELECT count(*)"));
        NX_TRY(add_from(c, sql));
        return nx_buf_addf(sql, ") - (SELECT count(*) FROM %s)", c->other->sql);
    case Q_FAILED_QUERY:
        return nx_buf_addf(sql, "SELECT count(*) FROM (%s\n)", c->text);
    case Q_FRESHNESS:
        NX_TRY(nx_buf_adds(sql, "SELECT any_value(typeof(v)), CAST(epoch_us(max(v)) AS BIGINT) FROM (SELECT "));
        NX_TRY(nx_sql_ident(sql, c->cols[0]));
        NX_TRY(nx_buf_adds(sql, " AS v"));
        NX_TRY(add_from(c, sql));
        return nx_buf_addc(sql, ')');
    case Q_SCHEMA:
        return nx_buf_addf(sql, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM %s)", c->table->sql);
    default: /* an aggregate by itself */
        NX_TRY(nx_buf_adds(sql, "SELECT "));
        NX_TRY(nx__quality_value_sql(c, sql));
        NX_TRY(nx_buf_addf(sql, " FROM %s", c->table->sql));
        return c->where == NULL ? NX_OK : nx_buf_addf(sql, " WHERE (%s\n)", c->where);
    }
}
