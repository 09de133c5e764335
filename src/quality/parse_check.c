/* The text of a check: "missing_percent(price) < 5", "values in (a) must exist in t (b)", … */
#include "quality/quality_int.h"

static const struct {
    const char *name;
    qmetric metric;
    bool percent;
    size_t cols_min, cols_max;
    const char *sql_fn; /* of %s, the column */
} metrics[] = {
    {"row_count", Q_ROW_COUNT, false, 0, 0, NULL},
    {"missing_count", Q_MISSING, false, 1, 1, NULL},
    {"missing_percent", Q_MISSING, true, 1, 1, NULL},
    {"invalid_count", Q_INVALID, false, 1, 1, NULL},
    {"invalid_percent", Q_INVALID, true, 1, 1, NULL},
    {"valid_count", Q_VALID, false, 1, 1, NULL},
    {"valid_percent", Q_VALID, true, 1, 1, NULL},
    {"duplicate_count", Q_DUPLICATE, false, 1, 32, NULL},
    {"duplicate_percent", Q_DUPLICATE, true, 1, 32, NULL},
    {"min", Q_AGGREGATE, false, 1, 1, "min(%s)"},
    {"max", Q_AGGREGATE, false, 1, 1, "max(%s)"},
    {"avg", Q_AGGREGATE, false, 1, 1, "avg(%s)"},
    {"sum", Q_AGGREGATE, false, 1, 1, "sum(%s)"},
    {"min_length", Q_AGGREGATE, false, 1, 1, "min(length(%s))"},
    {"max_length", Q_AGGREGATE, false, 1, 1, "max(length(%s))"},
    {"avg_length", Q_AGGREGATE, false, 1, 1, "avg(length(%s))"},
    {"stddev", Q_AGGREGATE, false, 1, 1, "stddev(%s)"},
    {"stddev_pop", Q_AGGREGATE, false, 1, 1, "stddev_pop(%s)"},
    {"stddev_samp", Q_AGGREGATE, false, 1, 1, "stddev_samp(%s)"},
    {"variance", Q_AGGREGATE, false, 1, 1, "variance(%s)"},
    {"var_pop", Q_AGGREGATE, false, 1, 1, "var_pop(%s)"},
    {"var_samp", Q_AGGREGATE, false, 1, 1, "var_samp(%s)"},
    {"freshness", Q_FRESHNESS, false, 1, 2, NULL},
};

static nx_str unquote(nx_str s)
{
    s = nx_str_trim(s);
    if (s.n >= 2 && ((s.p[0] == '"' && s.p[s.n - 1] == '"') || (s.p[0] == '`' && s.p[s.n - 1] == '`') ||
                     (s.p[0] == '[' && s.p[s.n - 1] == ']')))
        return nx_str_sub(s, 1, s.n - 1);
    return s;
}

/* "a, b" → names; each must be there. */
static nx_status parse_columns(qparser *p, int line, nx_str list, nx_str **ret, size_t *ret_n)
{
    nx_str rest = list, part;
    size_t n = 1;
    for (size_t i = 0; i < list.n; i++)
        n += list.p[i] == ',';
    *ret = NX_ARENA_ARRAY(p->a, nx_str, n);
    if (*ret == NULL)
        return nx_nomem(p->err);
    *ret_n = 0;
    while (nx_str_split(&rest, ',', &part)) {
        nx_str name = unquote(part);
        if (name.n == 0)
            return nx__quality_fail(p, NX_INVALID, line, "the name of a column is missing in '(" NX_STR_FMT ")'",
                                    NX_STR_ARG(list));
        (*ret)[(*ret_n)++] = name;
    }
    return NX_OK;
}

/* "(a, b) rest": the columns, and what follows. */
static nx_status take_columns(qparser *p, int line, nx_str *rest, nx_str **ret, size_t *ret_n)
{
    *rest = nx_str_trim(*rest);
    size_t close = nx_str_find(*rest, NX_STR(")"), 0);
    if (rest->n == 0 || rest->p[0] != '(' || close == SIZE_MAX)
        return nx__quality_fail(p, NX_INVALID, line, "expected columns in parentheses at '" NX_STR_FMT "'",
                                NX_STR_ARG(*rest));
    NX_TRY(parse_columns(p, line, nx_str_sub(*rest, 1, close), ret, ret_n));
    *rest = nx_str_trim(nx_str_sub(*rest, close + 1, rest->n));
    return NX_OK;
}

/* values in (a, b) must [not] exist in OTHER (x, y) */
static nx_status parse_reference(qparser *p, qcheck *c, nx_str text)
{
    nx_str rest = nx_str_sub(text, strlen("values in "), text.n);
    size_t n;
    c->metric = Q_REFERENCE;
    c->metric_name = "reference";
    NX_TRY(take_columns(p, c->line, &rest, &c->cols, &c->n_cols));
    c->must_not_exist = nx_str_starts(rest, NX_STR("must not exist in "));
    if (!c->must_not_exist && !nx_str_starts(rest, NX_STR("must exist in ")))
        return nx__quality_fail(p, NX_INVALID, c->line, "expected 'must exist in TABLE (columns)' at '" NX_STR_FMT "'",
                                NX_STR_ARG(rest));
    rest = nx_str_trim(nx_str_sub(rest, strlen(c->must_not_exist ? "must not exist in " : "must exist in "), rest.n));
    size_t open = nx_str_find(rest, NX_STR("("), 0);
    if (open == SIZE_MAX)
        return nx__quality_fail(p, NX_INVALID, c->line, "the columns of the other table are missing");
    NX_TRY(nx__quality_table(p, c->line, nx_str_trim(nx_str_sub(rest, 0, open)), false, &c->other));
    rest = nx_str_sub(rest, open, rest.n);
    NX_TRY(take_columns(p, c->line, &rest, &c->other_cols, &n));
    if (rest.n > 0)
        return nx__quality_fail(p, NX_INVALID, c->line, "'" NX_STR_FMT "' is too much", NX_STR_ARG(rest));
    if (n != c->n_cols)
        return nx__quality_fail(p, NX_INVALID, c->line, "%zu columns cannot be looked up in %zu", c->n_cols, n);
    return NX_OK;
}

static nx_status parse_same_count(qparser *p, qcheck *c, nx_str text)
{
    nx_str other = nx_str_trim(nx_str_sub(text, strlen("row_count same as "), text.n));
    c->metric = Q_SAME_COUNT;
    c->metric_name = "row_count same as";
    if (nx_str_find(other, NX_STR(" in "), 0) != SIZE_MAX || nx_str_find(other, NX_STR("["), 0) != SIZE_MAX)
        return nx__quality_fail(
            p, NX_UNSUPPORTED, c->line,
            "'row_count same as' is supported for a whole table of the lake, not with a data source or partition");
    return nx__quality_table(p, c->line, other, false, &c->other);
}

static nx_status refuse(qparser *p, int line, nx_str text)
{
    static const char *const refused[] = {
        "change ",         "anomaly score", "anomaly detection", "distribution_difference", "group by",
        "group evolution", "percentile",    "freshness using",   "automated monitoring"};
    for (size_t i = 0; i < NX_COUNT_OF(refused); i++)
        if (nx_str_starts(text, nx_str_of(refused[i])))
            return nx__quality_fail(p, NX_UNSUPPORTED, line, "the check '" NX_STR_FMT "' is not supported",
                                    NX_STR_ARG(nx_str_trim(nx_str_of(refused[i]))));
    return NX_OK;
}

static nx_status unknown_metric(qparser *p, int line, nx_str name)
{
    const char *names[NX_COUNT_OF(metrics)];
    for (size_t i = 0; i < NX_COUNT_OF(metrics); i++)
        names[i] = metrics[i].name;
    nx_status st =
        nx__quality_fail(p, NX_UNSUPPORTED, line, "unknown check or metric '" NX_STR_FMT "'", NX_STR_ARG(name));
    size_t near = nx_str_nearest(name, names, NX_COUNT_OF(metrics));
    return near == SIZE_MAX ? st : nx_err_hint(p->err, st, "did you mean %s?", names[near]);
}

static nx_status parse_metric(qparser *p, qcheck *c, nx_str text)
{
    size_t n = 0;
    while (n < text.n && ((text.p[n] >= 'a' && text.p[n] <= 'z') || text.p[n] == '_'))
        n++;
    nx_str name = nx_str_sub(text, 0, n), rest = nx_str_trim(nx_str_sub(text, n, text.n));
    size_t m = 0;
    while (m < NX_COUNT_OF(metrics) && !nx_str_is(name, metrics[m].name))
        m++;
    if (m == NX_COUNT_OF(metrics))
        return unknown_metric(p, c->line, n == 0 ? text : name);
    c->metric = metrics[m].metric;
    c->percent = metrics[m].percent;
    c->metric_name = metrics[m].name;
    c->sql_fn = metrics[m].sql_fn;
    if (rest.n > 0 && rest.p[0] == '(')
        NX_TRY(take_columns(p, c->line, &rest, &c->cols, &c->n_cols));
    if (c->n_cols < metrics[m].cols_min || c->n_cols > metrics[m].cols_max) {
        static const char *const takes[] = {"no column", "one column: NAME(column)", "columns: NAME(column)"};
        size_t k = metrics[m].cols_max < 2 ? metrics[m].cols_max : 2;
        return nx__quality_fail(p, NX_INVALID, c->line, "%s takes %s", c->metric_name, takes[k]);
    }
    if (c->metric == Q_FRESHNESS && c->n_cols == 2 && !nx_str_is(c->cols[1], "NOW"))
        return nx__quality_fail(p, NX_UNSUPPORTED, c->line,
                                "freshness against a variable other than NOW is not supported");
    NX_TRY(nx__quality_parse_bound(p, c->line, rest, c->metric == Q_FRESHNESS, &c->pass));
    c->has_pass = c->pass.op != QOP_NONE;
    return NX_OK;
}

static nx_status parse_text(qparser *p, qcheck *c, nx_str text, const nx_val *config)
{
    if (nx_str_is(text, "schema"))
        return nx__quality_parse_schema(p, c, config);
    if (nx_str_is(text, "failed rows"))
        return nx__quality_parse_failed_rows(p, c, config);
    NX_TRY(refuse(p, c->line, text));
    if (nx_str_starts(text, NX_STR("values in ")))
        NX_TRY(parse_reference(p, c, text));
    else if (nx_str_starts(text, NX_STR("row_count same as ")))
        NX_TRY(parse_same_count(p, c, text));
    else
        NX_TRY(parse_metric(p, c, text));
    return nx__quality_parse_config(p, c, config);
}

/* Variables are resolved by Soda before it reads a check; we have none, and SQL would not know them. */
static nx_status refuse_variables(qparser *p, const qcheck *c)
{
    const char *const texts[] = {c->definition, c->filter, c->where, c->text};
    for (size_t i = 0; i < NX_COUNT_OF(texts); i++)
        if (texts[i] != NULL && strstr(texts[i], "${") != NULL)
            return nx__quality_fail(p, NX_UNSUPPORTED, c->line, "variables (${…}) are not supported in '%s'",
                                    c->definition);
    return NX_OK;
}

nx_status nx__quality_parse_check(qparser *p, const nx_val *item, const qtable *table, const char *partition,
                                  const char *where)
{
    nx_quality *q = p->q;
    const nx_val *config = NULL;
    nx_str text = item->s;
    if (item->kind == NX_VAL_OBJ && item->n == 1) {
        text = item->keys[0];
        config = &item->items[0];
    } else if (item->kind == NX_VAL_OBJ) {
        return nx__quality_fail(p, NX_INVALID, item->line,
                                "a check has one key; indent what belongs to '" NX_STR_FMT "' below it",
                                NX_STR_ARG(item->keys[0]));
    } else if (item->kind != NX_VAL_STR) {
        return nx__quality_fail(p, NX_INVALID, item->line, "a check is a text or a map with one key");
    }
    if (config != NULL && config->kind == NX_VAL_NULL)
        config = NULL;
    qcheck c = {.table = table, .partition = partition, .where = where, .file = p->file, .line = item->line};
    text = nx_str_trim(text);
    c.definition = c.name = nx_arena_dup(p->a, text);
    if (c.definition == NULL)
        return nx_nomem(p->err);
    if (config != NULL && config->kind != NX_VAL_OBJ)
        return nx__quality_fail(p, NX_INVALID, config->line, "what stands below '%s' must be a map", c.definition);
    NX_TRY(parse_text(p, &c, text, config));
    NX_TRY(refuse_variables(p, &c));
    if (table == NULL && c.metric != Q_FAILED_QUERY)
        return nx__quality_fail(p, NX_INVALID, item->line,
                                "'%s' needs a table: only failed rows with a fail query stand below 'checks:'",
                                c.definition);
    if (!nx_grow(&q->checks, &q->cap, q->n + 1, sizeof *q->checks))
        return nx_nomem(p->err);
    q->checks[q->n++] = c;
    return NX_OK;
}
