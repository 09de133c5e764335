/* Properties of a contract file → fields of the schema and where their values come from. */
#include "contract/contract_int.h"

typedef struct type_name {
    const char *physical, *logical;
    nx_kind kind;
} type_name;

static const type_name type_names[] = {
    {"string", "string", NX_STRING}, {"binary", "string", NX_BINARY}, {"int", "integer", NX_INT32},
    {"bigint", "integer", NX_INT64}, {"double", "number", NX_DOUBLE}, {"timestamp", "timestamp", NX_TIMESTAMP},
    {"date", "date", NX_DATE},       {"boolean", "boolean", NX_BOOL},
};

static nx_str str_of(const nx_val *v, const char *key)
{
    return nx_val_str(nx_val_get(v, key), NX_STR(""));
}

static nx_status scalar_type(const nx_val *prop, const nx_origin *origin, nx_type *ret, nx_err *err)
{
    nx_str logical = str_of(prop, "logicalType"), physical = str_of(prop, "physicalType");
    const char *names[NX_COUNT_OF(type_names)];
    const nx_val *said = nx_val_get(prop, "physicalType");
    const nx_val *place = said == NULL ? prop : said;
    if (nx_type_parse_decimal(physical, ret)) {
        if (nx_str_is(logical, "number"))
            return NX_OK;
        return nx__fail_at(err, origin, place, "a decimal column needs logicalType number, not '" NX_STR_FMT "'",
                           NX_STR_ARG(logical));
    }
    for (size_t i = 0; i < NX_COUNT_OF(type_names); i++) {
        names[i] = type_names[i].physical;
        if (!nx_str_is(physical, type_names[i].physical))
            continue;
        if (!nx_str_is(logical, type_names[i].logical))
            return nx__fail_at(err, origin, place, "physicalType %s goes with logicalType %s, not '" NX_STR_FMT "'",
                               type_names[i].physical, type_names[i].logical, NX_STR_ARG(logical));
        *ret = (nx_type){.kind = type_names[i].kind};
        return NX_OK;
    }
    size_t near = nx_str_nearest(physical, names, NX_COUNT_OF(names));
    nx_status st = nx__fail_at(err, origin, place, "physicalType '" NX_STR_FMT "' is not known", NX_STR_ARG(physical));
    return nx_err_hint(err, st,
                       near == SIZE_MAX
                           ? "one of string, binary, int, bigint, double, decimal(p,s), timestamp, date, boolean%s"
                           : "did you mean %s?",
                       near == SIZE_MAX ? "" : names[near]);
}

static nx_status field_of(const nx_val *prop, const nx_origin *origin, int depth, nx_arena *a, nx_field *ret,
                          nx_err *err);

static nx_status nested_type(const nx_val *list, bool is_list, const nx_origin *origin, int depth, nx_arena *a,
                             nx_type *ret, nx_err *err)
{
    size_t n = is_list ? 1 : list->n;
    nx_field *fields = NX_ARENA_ARRAY(a, nx_field, n);
    if (fields == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++)
        NX_TRY(field_of(is_list ? list : &list->items[i], origin, depth + 1, a, &fields[i], err));
    *ret = (nx_type){.kind = is_list ? NX_LIST : NX_STRUCT, .fields = fields, .n_fields = n};
    return NX_OK;
}

static nx_status type_of(const nx_val *prop, const nx_origin *origin, int depth, nx_arena *a, nx_type *ret, nx_err *err)
{
    nx_str logical = str_of(prop, "logicalType");
    if (depth > 8)
        return nx__fail_at(err, origin, prop, "types may be nested 8 deep");
    if (nx_str_is(logical, "array")) {
        const nx_val *items = nx_val_get(prop, "items");
        if (items == NULL)
            return nx__fail_at(err, origin, prop, "an array needs items");
        return nested_type(items, true, origin, depth, a, ret, err);
    }
    if (nx_str_is(logical, "object")) {
        const nx_val *props = nx_val_get(prop, "properties");
        if (props == NULL || props->n == 0)
            return nx__fail_at(err, origin, prop, "an object needs properties");
        return nested_type(props, false, origin, depth, a, ret, err);
    }
    return scalar_type(prop, origin, ret, err);
}

static nx_status field_of(const nx_val *prop, const nx_origin *origin, int depth, nx_arena *a, nx_field *ret,
                          nx_err *err)
{
    const nx_val *name = nx_val_get(prop, "name"), *desc = nx_val_get(prop, "description");
    ret->name = name == NULL ? "element" : nx_arena_dup(a, name->s);
    NX_TRY(type_of(prop, origin, depth, a, &ret->type, err));
    ret->nullable = !nx_val_bool(nx_val_get(prop, "required"), false);
    ret->comment = desc == NULL ? NULL : nx_arena_dup(a, desc->s);
    if (ret->name == NULL || (desc != NULL && ret->comment == NULL))
        return nx_nomem(err);
    return NX_OK;
}

static nx_status conv_of(const nx_field *f, const nx_val *prop, const nx_origin *origin, nx_conv *ret, nx_err *err)
{
    static const struct {
        const char *format;
        nx_kind kind;
        nx_conv conv;
    } formats[] = {
        {"rfc3339", NX_TIMESTAMP, NX_CONV_TIME},
        {"epoch_seconds", NX_TIMESTAMP, NX_CONV_EPOCH},
        {"epoch_seconds_or_bool", NX_TIMESTAMP, NX_CONV_EPOCH_OR_BOOL},
        {"decimal_text", NX_DECIMAL, NX_CONV_DECIMAL_TEXT},
        {"one_or_many", NX_LIST, NX_CONV_ONE_OR_MANY},
    };
    static const int defaults[] = {[NX_BOOL] = NX_CONV_BOOL,
                                   [NX_INT32] = NX_CONV_INT,
                                   [NX_INT64] = NX_CONV_INT,
                                   [NX_DOUBLE] = -1,
                                   [NX_DECIMAL] = NX_CONV_DECIMAL,
                                   [NX_STRING] = NX_CONV_STRING,
                                   [NX_BINARY] = -1,
                                   [NX_DATE] = NX_CONV_DATE,
                                   [NX_TIMESTAMP] = NX_CONV_TIME,
                                   [NX_LIST] = NX_CONV_LIST,
                                   [NX_STRUCT] = -1};
    const nx_val *v = nx__odcs_custom(prop, "wireFormat");
    for (size_t i = 0; v != NULL && i < NX_COUNT_OF(formats); i++)
        if (nx_str_is(v->s, formats[i].format) && formats[i].kind == f->type.kind) {
            *ret = formats[i].conv;
            return NX_OK;
        }
    if (v != NULL)
        return nx__fail_at(err, origin, v, "wireFormat '" NX_STR_FMT "' does not fit column %s", NX_STR_ARG(v->s),
                           f->name);
    if (defaults[f->type.kind] < 0 || (f->type.kind == NX_LIST && f->type.fields[0].type.kind != NX_STRING))
        return nx__fail_at(err, origin, prop,
                           "column %s: no wire form is known for its type (use decimal for numbers, text for the rest)",
                           f->name);
    *ret = (nx_conv)defaults[f->type.kind];
    return NX_OK;
}

static nx_status check_customs(const nx_val *prop, const nx_origin *origin, nx_err *err)
{
    static const char *const names[] = {"wire", "wireFormat", "derive", "context", "translate"};
    const nx_val *list = nx_val_get(prop, "customProperties");
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        nx_str name = nx_val_get(&list->items[i], "property")->s;
        size_t near = nx_str_nearest(name, names, NX_COUNT_OF(names));
        if (near != SIZE_MAX &&
            !nx_str_is(name, names[near])) /* foreign extensions are fine, slips of the pen are not */
            NX_TRY(
                nx__gather(origin,
                           nx_err_hint(err,
                                       nx__fail_at(err, origin, &list->items[i],
                                                   "custom property '" NX_STR_FMT "' is not known", NX_STR_ARG(name)),
                                       "did you mean '%s'?", names[near]),
                           err));
    }
    return NX_OK;
}

static nx_status check_names(const nx_contract *c, size_t i, const nx_val *prop, const nx_field *f, nx_err *err)
{
    if (f->comment == NULL || f->comment[0] == '\0')
        NX_TRY(
            nx__gather(&c->origin, nx__fail_at(err, &c->origin, prop, "column %s needs a description", f->name), err));
    if (f->name[0] == '_')
        return nx__fail_at(err, &c->origin, prop, "column %s: names that begin with _ belong to the technical columns",
                           f->name);
    for (size_t k = 0; k < i; k++)
        if (strcmp(c->schema.fields[k].name, f->name) == 0)
            return nx__fail_at(err, &c->origin, prop, "column %s is there twice", f->name);
    return NX_OK;
}

static nx_status column_of(nx_contract *c, size_t i, const nx_val *prop, nx_field *f, nx_arena *a, nx_err *err)
{
    nx_colspec *s = &c->cols[i];
    *s = (nx_colspec){.source = NX_FROM_CALLER,
                      .ns_col = -1,
                      .date_col = -1,
                      .month_col = -1,
                      .args = {-1, -1, -1},
                      .line = prop->line};
    NX_TRY(check_customs(prop, &c->origin, err));
    NX_TRY(field_of(prop, &c->origin, 0, a, f, err));
    NX_TRY(nx__gather(&c->origin, check_names(c, i, prop, f, err), err));
    s->required = !f->nullable;
    s->unique = nx_val_bool(nx_val_get(prop, "unique"), false);
    s->wire = nx__odcs_custom(prop, "wire");
    s->context = nx_val_bool(nx__odcs_custom(prop, "context"), false);
    const nx_val *derive = nx__odcs_custom(prop, "derive");
    if (derive != NULL) {
        s->derive = nx_arena_dup(a, nx_val_str(derive, NX_STR("")));
        if (s->derive == NULL)
            return nx_nomem(err);
    } else if (s->wire != NULL || s->context) {
        s->source = s->wire != NULL ? NX_FROM_WIRE : NX_FROM_CONTEXT;
        NX_TRY(nx__gather(&c->origin, conv_of(f, prop, &c->origin, &s->conv, err), err));
    }
    return nx__compile_rules(&s->rules, prop, &f->type, &c->origin, a, err);
}

/* Columns with a flag, in the order of their positions. */
static nx_status flagged(const nx_contract *c, const nx_val *props, const char *flag, const char *position, nx_arena *a,
                         const char *const **ret, nx_err *err)
{
    const char **names = NX_ARENA_ARRAY(a, const char *, props->n + 1);
    if (names == NULL)
        return nx_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < props->n; i++)
        if (nx_val_bool(nx_val_get(&props->items[i], flag), false)) {
            int64_t at = nx_val_i64(nx_val_get(&props->items[i], position), (int64_t)n + 1);
            if (at < 1 || (size_t)at > props->n || names[at - 1] != NULL)
                return nx__gather(&c->origin,
                                  nx__fail_at(err, &c->origin, &props->items[i],
                                              "%s %lld of column %s is taken or out of range", position, (long long)at,
                                              c->schema.fields[i].name),
                                  err);
            names[at - 1] = c->schema.fields[i].name;
            n++;
        }
    for (size_t i = 0; i < n; i++)
        if (names[i] == NULL)
            return nx__gather(
                &c->origin,
                nx__fail_at(err, &c->origin, props, "%s: the positions must be 1 to %zu without a hole", position, n),
                err);
    *ret = names;
    return NX_OK;
}

static nx_status add_column(nx_contract *c, size_t i, const nx_val *prop, nx_field *f, nx_arena *a, nx_err *err)
{
    f->name = "";
    bool sound = c->origin.problems == NULL || nx__odcs_sound(prop); /* else its problems are known */
    nx_status st = sound ? column_of(c, i, prop, f, a, err) : NX_OK;
    if (st == NX_OK && sound)
        return NX_OK;
    c->cols[i].broken = true;
    nx_str name = nx_val_str(nx_val_get(prop, "name"), NX_STR(""));
    f->name = nx_arena_dup(a, name);
    return f->name == NULL ? nx_nomem(err) : nx__gather(&c->origin, st, err);
}

nx_status nx__compile_columns(nx_contract *c, const nx_val *object, nx_arena *a, nx_err *err)
{
    const nx_val *props = nx_val_get(object, "properties");
    if (props->n == 0 || props->n > 1000)
        return nx__gather(&c->origin, nx__fail_at(err, &c->origin, object, "a table has 1 to 1000 columns"), err);
    c->n_own = props->n;
    size_t n = c->n_own + (c->technical ? NX_TECH_COUNT : 0);
    nx_field *fields = NX_ARENA_ARRAY(a, nx_field, n);
    c->cols = NX_ARENA_ARRAY(a, nx_colspec, n);
    if (fields == NULL || c->cols == NULL)
        return nx_nomem(err);
    c->schema = (nx_schema){fields, n};
    for (size_t i = 0; i < props->n; i++)
        NX_TRY(add_column(c, i, &props->items[i], &fields[i], a, err));
    for (size_t i = c->n_own; i < n; i++) {
        fields[i] = nx__technical_fields[i - c->n_own];
        c->cols[i] = (nx_colspec){
            .source = NX_FROM_TECHNICAL, .ns_col = -1, .date_col = -1, .month_col = -1, .args = {-1, -1, -1}};
    }
    NX_TRY(flagged(c, props, "primaryKey", "primaryKeyPosition", a, &c->key, err));
    return flagged(c, props, "partitioned", "partitionKeyPosition", a, &c->partition, err);
}
