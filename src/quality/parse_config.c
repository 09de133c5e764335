/* What stands below a check: name, levels, filter, rules of validity, schema rules. */
#include "quality/quality_int.h"

static nx_status need_text(qparser *p, nx_str key, const nx_val *v, const char **ret)
{
    if (v->kind != NX_VAL_STR && v->kind != NX_VAL_NUM)
        return nx__quality_fail(p, NX_INVALID, v->line, "'" NX_STR_FMT "' must be a text", NX_STR_ARG(key));
    *ret = v->s.p;
    return NX_OK;
}

static nx_status need_list(qparser *p, nx_str key, const nx_val *v, const nx_val **ret)
{
    if (v->kind != NX_VAL_ARR || v->n == 0)
        return nx__quality_fail(p, NX_INVALID, v->line, "'" NX_STR_FMT "' must be a list", NX_STR_ARG(key));
    for (size_t i = 0; i < v->n; i++)
        if (v->items[i].kind != NX_VAL_STR && v->items[i].kind != NX_VAL_NUM)
            return nx__quality_fail(p, NX_INVALID, v->items[i].line, "'" NX_STR_FMT "' holds texts and numbers only",
                                    NX_STR_ARG(key));
    *ret = v;
    return NX_OK;
}

/* "when > 5" */
static nx_status parse_level(qparser *p, const qcheck *c, nx_str key, const nx_val *v, qbound *ret)
{
    if (v->kind != NX_VAL_STR || !nx_str_starts(v->s, NX_STR("when ")))
        return nx__quality_fail(p, NX_INVALID, v->line, "'" NX_STR_FMT "' is written '" NX_STR_FMT ": when > 5'",
                                NX_STR_ARG(key), NX_STR_ARG(key));
    return nx__quality_parse_bound(p, v->line, nx_str_sub(v->s, 5, v->s.n), c->metric == Q_FRESHNESS, ret);
}

/* The keys that every check takes. */
static nx_status parse_common(qparser *p, qcheck *c, nx_str key, const nx_val *v, bool *taken)
{
    *taken = true;
    if (nx_str_is(key, "name"))
        return need_text(p, key, v, &c->name);
    if (nx_str_is(key, "attributes")) {
        nx_buf b NX_BUF_AUTO;
        nx_buf_init(&b, 65536);
        if (nx_val_to_json(v, &b) != NX_OK || (c->attributes = nx_arena_dup(p->a, nx_buf_str(&b))) == NULL)
            return nx_nomem(p->err);
        return NX_OK;
    }
    *taken = false;
    return NX_OK;
}

static nx_status parse_length(qparser *p, nx_str key, const nx_val *v, int64_t *ret)
{
    *ret = nx_val_i64(v, -1);
    if (v->kind != NX_VAL_NUM || *ret < 0)
        return nx__quality_fail(p, NX_INVALID, v->line, "'" NX_STR_FMT "' must be a whole number, not below zero",
                                NX_STR_ARG(key));
    return NX_OK;
}

static nx_status parse_limit(qparser *p, nx_str key, const nx_val *v, const char **ret)
{
    if (v->kind != NX_VAL_NUM)
        return nx__quality_fail(p, NX_INVALID, v->line, "'" NX_STR_FMT "' must be a number", NX_STR_ARG(key));
    *ret = v->s.p;
    return NX_OK;
}

static nx_status parse_format(qparser *p, nx_str key, const nx_val *v, const char **ret)
{
    if (v->kind == NX_VAL_STR)
        *ret = nx__quality_format_regex(v->s);
    if (v->kind != NX_VAL_STR || *ret == NULL)
        return nx__quality_fail(p, NX_UNSUPPORTED, v->line, "'" NX_STR_FMT ": " NX_STR_FMT "' is no supported format",
                                NX_STR_ARG(key), NX_STR_ARG(nx_val_str(v, NX_STR("…"))));
    return NX_OK;
}

/* Rules of what is missing or valid. */
static nx_status parse_validity(qparser *p, qcheck *c, nx_str key, const nx_val *v, bool *taken)
{
    qvalidity *r = &c->valid;
    *taken = true;
    if (nx_str_is(key, "missing values"))
        return need_list(p, key, v, &r->missing_values);
    if (nx_str_is(key, "missing regex"))
        return need_text(p, key, v, &r->missing_regex);
    if (c->metric == Q_MISSING) {
        *taken = false;
        return NX_OK;
    }
    r->any_valid = true;
    if (nx_str_is(key, "valid values"))
        return need_list(p, key, v, &r->valid_values);
    if (nx_str_is(key, "invalid values"))
        return need_list(p, key, v, &r->invalid_values);
    if (nx_str_is(key, "valid regex"))
        return need_text(p, key, v, &r->valid_regex);
    if (nx_str_is(key, "invalid regex"))
        return need_text(p, key, v, &r->invalid_regex);
    if (nx_str_is(key, "valid format"))
        return parse_format(p, key, v, &r->valid_regex);
    if (nx_str_is(key, "invalid format"))
        return parse_format(p, key, v, &r->invalid_regex);
    if (nx_str_is(key, "valid min"))
        return parse_limit(p, key, v, &r->valid_min);
    if (nx_str_is(key, "valid max"))
        return parse_limit(p, key, v, &r->valid_max);
    if (nx_str_is(key, "valid length"))
        return parse_length(p, key, v, &r->valid_length);
    if (nx_str_is(key, "valid min length"))
        return parse_length(p, key, v, &r->min_length);
    if (nx_str_is(key, "valid max length"))
        return parse_length(p, key, v, &r->max_length);
    *taken = false;
    return NX_OK;
}

static nx_status unknown_key(qparser *p, const qcheck *c, nx_str key, const nx_val *v)
{
    return nx__quality_fail(p, NX_UNSUPPORTED, v->line, "'" NX_STR_FMT "' is not supported below '%s'", NX_STR_ARG(key),
                            c->definition);
}

static nx_status parse_key(qparser *p, qcheck *c, nx_str key, const nx_val *v)
{
    bool taken, rows = c->metric != Q_REFERENCE && c->metric != Q_SAME_COUNT;
    NX_TRY(parse_common(p, c, key, v, &taken));
    if (taken)
        return NX_OK;
    if (rows && nx_str_is(key, "warn"))
        return parse_level(p, c, key, v, &c->warn);
    if (rows && nx_str_is(key, "fail"))
        return parse_level(p, c, key, v, &c->fail);
    if (nx_str_is(key, "filter") && c->metric != Q_SAME_COUNT)
        return need_text(p, key, v, &c->filter);
    if (c->metric == Q_MISSING || c->metric == Q_INVALID || c->metric == Q_VALID || c->metric == Q_AGGREGATE) {
        bool before = c->valid.any_valid;
        NX_TRY(parse_validity(p, c, key, v, &taken));
        if (taken && nx_str_starts(key, NX_STR("missing ")))
            c->valid.any_valid = before;
    }
    return taken ? NX_OK : unknown_key(p, c, key, v);
}

nx_status nx__quality_parse_config(qparser *p, qcheck *c, const nx_val *config)
{
    c->valid.valid_length = c->valid.min_length = c->valid.max_length = -1;
    for (size_t i = 0; config != NULL && i < config->n; i++)
        NX_TRY(parse_key(p, c, config->keys[i], &config->items[i]));
    if (c->metric == Q_REFERENCE || c->metric == Q_SAME_COUNT)
        return NX_OK;
    bool levels = c->warn.op != QOP_NONE || c->fail.op != QOP_NONE;
    if (c->has_pass && levels)
        return nx__quality_fail(p, NX_INVALID, c->line, "'%s' has its threshold twice: in its text and as warn or fail",
                                c->definition);
    if (!c->has_pass && !levels)
        return nx__quality_fail(p, NX_INVALID, c->line, "'%s' needs a threshold such as '= 0', or warn and fail",
                                c->definition);
    if ((c->metric == Q_INVALID || c->metric == Q_VALID) && !c->valid.any_valid)
        return nx__quality_fail(p, NX_INVALID, c->line,
                                "'%s' does not say what is valid: add valid values, valid regex, valid min, …",
                                c->definition);
    return NX_OK;
}

static nx_status without_semicolon(qparser *p, const char **text)
{
    nx_str s = nx_str_trim(nx_str_of(*text));
    while (s.n > 0 && s.p[s.n - 1] == ';')
        s = nx_str_trim(nx_str_sub(s, 0, s.n - 1));
    *text = nx_arena_dup(p->a, s);
    return *text == NULL ? nx_nomem(p->err) : NX_OK;
}

nx_status nx__quality_parse_failed_rows(qparser *p, qcheck *c, const nx_val *config)
{
    bool condition = false;
    c->metric = Q_FAILED_QUERY;
    c->metric_name = "failed rows";
    for (size_t i = 0; config != NULL && i < config->n; i++) {
        nx_str key = config->keys[i];
        const nx_val *v = &config->items[i];
        bool taken, is_condition = nx_str_is(key, "fail condition");
        NX_TRY(parse_common(p, c, key, v, &taken));
        if (taken)
            continue;
        if (is_condition || nx_str_is(key, "fail query")) {
            if (c->text != NULL)
                return nx__quality_fail(p, NX_INVALID, v->line,
                                        "failed rows take a fail condition or a fail query, not both");
            NX_TRY(need_text(p, key, v, &c->text));
            NX_TRY(without_semicolon(p, &c->text));
            condition = is_condition;
        } else if (nx_str_is(key, "warn") || nx_str_is(key, "fail")) {
            NX_TRY(parse_level(p, c, key, v, nx_str_is(key, "warn") ? &c->warn : &c->fail));
        } else {
            return unknown_key(p, c, key, v);
        }
    }
    if (c->text == NULL)
        return nx__quality_fail(p, NX_INVALID, c->line,
                                "failed rows need 'fail condition: SQL' or 'fail query: SELECT …'");
    c->metric = condition ? Q_FAILED_CONDITION : Q_FAILED_QUERY;
    if (c->warn.op == QOP_NONE && c->fail.op == QOP_NONE)
        c->fail = (qbound){.op = QOP_GT, .a = 0, .text = "> 0"};
    return NX_OK;
}

/* ---- schema ---- */

static nx_status need_map(qparser *p, nx_str key, const nx_val *v, bool numbers, const nx_val **ret)
{
    bool fits = v->kind == NX_VAL_OBJ;
    for (size_t i = 0; fits && i < v->n; i++)
        fits = v->items[i].kind == (numbers ? NX_VAL_NUM : NX_VAL_STR);
    if (!fits)
        return nx__quality_fail(p, NX_INVALID, v->line, "'" NX_STR_FMT "' must be a map from columns to %s",
                                NX_STR_ARG(key), numbers ? "numbers" : "types");
    *ret = v;
    return NX_OK;
}

static nx_status parse_schema_level(qparser *p, const qcheck *c, const nx_val *v, qschema *s)
{
    if (v->kind != NX_VAL_OBJ || v->n == 0)
        return nx__quality_fail(p, NX_INVALID, v->line,
                                "a level of a schema check is a map of rules such as 'when required column missing'");
    for (size_t i = 0; i < v->n; i++) {
        nx_str key = v->keys[i];
        const nx_val *rule = &v->items[i];
        if (nx_str_is(key, "when required column missing"))
            NX_TRY(need_list(p, key, rule, &s->required));
        else if (nx_str_is(key, "when forbidden column present"))
            NX_TRY(need_list(p, key, rule, &s->forbidden));
        else if (nx_str_is(key, "when wrong column type"))
            NX_TRY(need_map(p, key, rule, false, &s->types));
        else if (nx_str_is(key, "when wrong column index"))
            NX_TRY(need_map(p, key, rule, true, &s->indexes));
        else
            return unknown_key(p, c, key, rule);
    }
    return NX_OK;
}

nx_status nx__quality_parse_schema(qparser *p, qcheck *c, const nx_val *config)
{
    c->metric = Q_SCHEMA;
    c->metric_name = "schema";
    bool level = false;
    for (size_t i = 0; config != NULL && i < config->n; i++) {
        nx_str key = config->keys[i];
        const nx_val *v = &config->items[i];
        bool taken, warn = nx_str_is(key, "warn");
        NX_TRY(parse_common(p, c, key, v, &taken));
        if (taken)
            continue;
        if (!warn && !nx_str_is(key, "fail"))
            return unknown_key(p, c, key, v);
        NX_TRY(parse_schema_level(p, c, v, warn ? &c->schema_warn : &c->schema_fail));
        level = true;
    }
    return level ? NX_OK : nx__quality_fail(p, NX_INVALID, c->line, "a schema check needs warn or fail with its rules");
}
