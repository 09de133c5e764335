/* What templates ask of the engine: relations, adapter.*, api.*, run_query, statement. */
#include "transform/dbt_int.h"

typedef struct relation {
    const char *schema, *identifier, *cte;
    dbt_project *p;
} relation;

/* ---- relations ---- */

static const nx_jclass RELATION;

static nx_status rel_str(nx_jrun *run, nx_jobj *self, nx_buf *out, nx_err *err)
{
    (void)run;
    const relation *r = self->ctx;
    nx_status st;
    if (r->cte != NULL)
        st = nx_buf_adds(out, r->cte);
    else {
        st = r->schema == NULL || r->schema[0] == '\0' ? NX_OK : nx_sql_ident(out, nx_str_of(r->schema));
        if (st == NX_OK && r->schema != NULL && r->schema[0] != '\0')
            st = nx_buf_addc(out, '.');
        if (st == NX_OK)
            st = nx_sql_ident(out, nx_str_of(r->identifier));
    }
    return st == NX_OK ? NX_OK : nx_fail(err, st, "could not print the relation %s", r->identifier);
}

static nx_status rel_render(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    NX_TRY(nx_jargs_check(args, "render", 0, NULL, err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    nx_jobj self = {&RELATION, ctx};
    NX_TRY(rel_str(run, &self, &b, err));
    return nx_jrun_str(run, nx_buf_str(&b), ret, err);
}

/* include(database=…, schema=…, identifier=…): parts to show. */
static nx_status rel_include(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    static const char *const NAMES[] = {"database", "schema", "identifier", NULL};
    const relation *r = ctx;
    NX_TRY(nx_jargs_check(args, "include", 3, NAMES, err));
    const nx_jval *schema = nx_jargs_get(args, 1, "schema");
    return nx__dbt_relation(run, r->p, schema != NULL && !nx_jval_truth(schema) ? "" : r->schema, r->identifier, r->cte,
                            ret, err);
}

static nx_status rel_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    const relation *r = self->ctx;
    if (nx_str_is(name, "schema"))
        *ret = nx_jval_cstr(r->schema);
    else if (nx_str_is(name, "identifier") || nx_str_is(name, "name") || nx_str_is(name, "table"))
        *ret = nx_jval_cstr(r->identifier);
    else if (nx_str_is(name, "database"))
        *ret = nx_jval_none();
    else if (nx_str_is(name, "type"))
        *ret = nx_jval_cstr(nx__dbt_exists(r->p, r->schema, r->identifier));
    else if (nx_str_is(name, "is_table") || nx_str_is(name, "is_view")) {
        const char *type = nx__dbt_exists(r->p, r->schema, r->identifier);
        *ret = nx_jval_bool(type != NULL && strcmp(type, nx_str_is(name, "is_table") ? "table" : "view") == 0);
    } else if (nx_str_is(name, "is_cte"))
        *ret = nx_jval_bool(r->cte != NULL);
    else if (nx_str_is(name, "render"))
        return nx_jval_bound(run, "render", rel_render, self->ctx, ret, err);
    else if (nx_str_is(name, "include"))
        return nx_jval_bound(run, "include", rel_include, self->ctx, ret, err);
    return NX_OK;
}

static bool rel_equal(const nx_jobj *a, const nx_jobj *b)
{
    const relation *x = a->ctx, *y = b->ctx;
    return strcmp(x->schema, y->schema) == 0 && strcmp(x->identifier, y->identifier) == 0;
}

static const nx_jclass RELATION = {.name = "Relation", .attr = rel_attr, .str = rel_str, .equal = rel_equal};

nx_status nx__dbt_relation(nx_jrun *run, dbt_project *p, const char *schema, const char *identifier, const char *cte,
                           nx_jval *ret, nx_err *err)
{
    relation *r = NX_ARENA_NEW(nx_jrun_arena(run), relation);
    if (r == NULL)
        return nx_fail(err, NX_LIMIT, "the rendering needs more memory than it may have");
    *r = (relation){schema == NULL ? "" : schema, identifier == NULL ? "" : identifier, cte, p};
    return nx_jrun_obj(run, &RELATION, r, ret, err);
}

/* ---- adapter ---- */

static nx_status fn_dispatch(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    static const char *const PREFIX[] = {"nexus__", "duckdb__", "default__"};
    dbt_project *p = ((dbt_ctx *)ctx)->p;
    nx_str name, ns = nx_str_of(p->name);
    NX_TRY(nx_jargs_str(args, "adapter.dispatch", 0, "macro_name", &name, err));
    if (nx_jargs_get(args, 1, "macro_namespace") != NULL)
        NX_TRY(nx_jargs_str(args, "adapter.dispatch", 1, "macro_namespace", &ns, err));
    if (!nx_str_is(ns, "dbt") && !nx_str_is(ns, p->name))
        return nx_fail(err, NX_UNSUPPORTED,
                       "adapter.dispatch: there is no package '" NX_STR_FMT "' (packages are not supported)",
                       NX_STR_ARG(ns));
    nx_str packages[] = {nx_str_of(p->name), NX_STR("dbt")};
    for (size_t k = 0; k < NX_COUNT_OF(packages); k++)
        for (size_t i = 0; i < NX_COUNT_OF(PREFIX); i++) {
            const char *full = nx_arena_printf(nx_jrun_arena(run), "%s" NX_STR_FMT, PREFIX[i], NX_STR_ARG(name));
            if (full == NULL)
                return nx_fail(err, NX_LIMIT, "the rendering needs more memory than it may have");
            if (nx_jinja_macro(p->jinja, packages[k], nx_str_of(full), ret))
                return NX_OK;
        }
    nx_status st = nx_fail(err, NX_INVALID, "adapter.dispatch: no macro for '" NX_STR_FMT "'", NX_STR_ARG(name));
    return nx_err_hint(err, st, "looked for nexus__%.*s, duckdb__%.*s and default__%.*s", NX_STR_ARG(name),
                       NX_STR_ARG(name), NX_STR_ARG(name));
}

static nx_status text_arg(const nx_jargs *args, size_t i, const char *name, nx_jrun *run, const char **ret, nx_err *err)
{
    nx_str s;
    NX_TRY(nx_jargs_str(args, "adapter", i, name, &s, err));
    *ret = nx__dbt_cstr(nx_jrun_arena(run), s);
    return *ret == NULL ? nx_fail(err, NX_LIMIT, "the rendering needs more memory than it may have") : NX_OK;
}

static nx_status fn_get_relation(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    dbt_ctx *c = ctx;
    const char *schema, *identifier;
    NX_TRY(text_arg(args, 1, "schema", run, &schema, err));
    NX_TRY(text_arg(args, 2, "identifier", run, &identifier, err));
    if (c->phase != DBT_COMPILE || nx__dbt_exists(c->p, schema, identifier) == NULL)
        return NX_OK;
    return nx__dbt_relation(run, c->p, schema, identifier, NULL, ret, err);
}

static nx_status fn_create_relation(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    const char *schema, *identifier;
    NX_TRY(text_arg(args, 1, "schema", run, &schema, err));
    NX_TRY(text_arg(args, 2, "identifier", run, &identifier, err));
    return nx__dbt_relation(run, ((dbt_ctx *)ctx)->p, schema, identifier, NULL, ret, err);
}

static nx_status need_session(dbt_ctx *c, const char *what, nx_err *err)
{
    if (c->p->session != NULL)
        return NX_OK;
    return nx_fail(err, NX_INVALID, "%s needs the lake, which this command does not open", what);
}

/* A list of maps: name, column, dtype, data_type, quoted. */
static nx_status fn_columns(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    dbt_ctx *c = ctx;
    const nx_jval *rel = nx_jargs_get(args, 0, "relation");
    NX_TRY(nx_jrun_list(run, ret, err));
    if (c->phase != DBT_COMPILE)
        return NX_OK;
    NX_TRY(need_session(c, "get_columns_in_relation()", err));
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    if (nx_buf_adds(&sql, "select column_name, column_type from (describe select * from ") != NX_OK)
        return nx_nomem(err);
    NX_TRY(rel == NULL ? nx_fail(err, NX_INVALID, "get_columns_in_relation() takes a relation")
                       : nx_jval_print(run, rel, &sql, err));
    if (nx_buf_adds(&sql, ")") != NX_OK)
        return nx_nomem(err);
    nx_result *r;
    NX_TRY(nx_session_query(c->p->session, nx_buf_str(&sql), &r, err));
    nx_status st = NX_OK;
    for (size_t i = 0; st == NX_OK && i < nx_result_rows(r); i++) {
        NX_BUF_AUTO nx_buf name, type, quoted;
        nx_buf_init(&name, 0);
        nx_buf_init(&type, 0);
        nx_buf_init(&quoted, 0);
        nx_jval d, v;
        st = nx_jrun_dict(run, &d, err);
        if (st == NX_OK && (nx_result_text(r, i, 0, &name) != NX_OK || nx_result_text(r, i, 1, &type) != NX_OK ||
                            nx_sql_ident(&quoted, nx_buf_str(&name)) != NX_OK))
            st = nx_nomem(err);
        const struct {
            const char *key;
            const nx_buf *text;
        } PARTS[] = {{"name", &name}, {"column", &name}, {"quoted", &quoted}, {"dtype", &type}, {"data_type", &type}};
        for (size_t k = 0; st == NX_OK && k < NX_COUNT_OF(PARTS); k++) {
            st = nx_jrun_str(run, nx_buf_str(PARTS[k].text), &v, err);
            if (st == NX_OK)
                st = nx_jdict_sets(run, &d, PARTS[k].key, v, err);
        }
        if (st == NX_OK)
            st = nx_jlist_add(run, ret, d, err);
    }
    nx_result_drop(r);
    return st;
}

static nx_status fn_quote(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_str s;
    NX_TRY(nx_jargs_str(args, "adapter.quote", 0, "identifier", &s, err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    if (nx_sql_ident(&b, s) != NX_OK)
        return nx_nomem(err);
    return nx_jrun_str(run, nx_buf_str(&b), ret, err);
}

static nx_status fn_type(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)run;
    (void)ctx;
    NX_TRY(nx_jargs_check(args, "adapter.type", 0, NULL, err));
    *ret = nx_jval_str(NX_STR("nexus"));
    return NX_OK;
}

static nx_status fn_translate_type(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    static const char *const TYPES[][2] = {
        {"string", "varchar"},        {"text", "varchar"},        {"integer", "int"},    {"float", "float"},
        {"numeric", "numeric(28,6)"}, {"timestamp", "timestamp"}, {"boolean", "boolean"}};
    nx_str s;
    NX_TRY(nx_jargs_str(args, "translate_type", 0, "dtype", &s, err));
    for (size_t i = 0; i < NX_COUNT_OF(TYPES); i++)
        if (nx_str_eq_nocase(s, nx_str_of(TYPES[i][0]))) {
            *ret = nx_jval_cstr(TYPES[i][1]);
            return NX_OK;
        }
    return nx_jrun_str(run, s, ret, err);
}

/* ---- queries ---- */

static nx_status query_text(nx_jrun *run, const nx_jval *v, nx_buf *b, nx_err *err)
{
    if (v == NULL)
        return nx_fail(err, NX_INVALID, "a query is missing");
    return nx_jval_print(run, v, b, err);
}

static nx_status fn_run_query(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    dbt_ctx *c = ctx;
    if (c->phase != DBT_COMPILE)
        return NX_OK;
    NX_TRY(need_session(c, "run_query()", err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    NX_TRY(query_text(run, nx_jargs_get(args, 0, "sql"), &b, err));
    return nx__dbt_table(run, c->p->session, nx_buf_str(&b), ret, err);
}

/* {% call statement('name', fetch_result=true) %} sql {% endcall %} */
static nx_status fn_statement(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    dbt_ctx *c = ctx;
    *ret = nx_jval_str(NX_STR(""));
    const nx_jval *name = nx_jargs_get(args, 0, "name"), *caller = nx_jargs_get(args, 9, "caller"),
                  *fetch = nx_jargs_get(args, 1, "fetch_result");
    if (c->phase != DBT_COMPILE)
        return NX_OK;
    if (caller == NULL)
        return nx_fail(err, NX_INVALID,
                       "statement() is for call blocks: {%% call statement('name') %%} … {%% endcall %%}");
    NX_TRY(need_session(c, "statement()", err));
    nx_jval sql, table, data, result;
    nx_jargs none = {0};
    NX_TRY(nx_jrun_call(run, caller, &none, &sql, err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    NX_TRY(query_text(run, &sql, &b, err));
    if (fetch == NULL || !nx_jval_truth(fetch))
        return nx_session_exec(c->p->session, nx_buf_str(&b), NULL, err);
    NX_TRY(nx__dbt_table(run, c->p->session, nx_buf_str(&b), &table, err));
    nx_jval rows = nx_jval_undef(NX_STR("rows"));
    NX_TRY(table.obj->cls->attr(run, table.obj, NX_STR("rows"), &rows, err));
    data = rows;
    NX_TRY(nx_jrun_dict(run, &result, err));
    NX_TRY(nx_jdict_sets(run, &result, "data", data, err));
    NX_TRY(nx_jdict_sets(run, &result, "table", table, err));
    NX_TRY(nx_jdict_sets(run, &result, "response", nx_jval_cstr("OK"), err));
    if (c->results.kind != NX_J_DICT)
        NX_TRY(nx_jrun_dict(run, &c->results, err));
    return nx_jdict_set(run, &c->results, name == NULL ? nx_jval_cstr("main") : *name, result, err);
}

static nx_status fn_load_result(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)run;
    dbt_ctx *c = ctx;
    const nx_jval *name = nx_jargs_get(args, 0, "name");
    if (name == NULL)
        return nx_fail(err, NX_INVALID, "load_result() takes the name of a statement");
    const nx_jval *v = c->results.kind == NX_J_DICT ? nx_jdict_get(c->results.dict, name) : NULL;
    *ret = v == NULL ? nx_jval_none() : *v;
    return NX_OK;
}

/* ---- objects ---- */

typedef struct method {
    const char *name;
    nx_jfn fn;
} method;

static nx_status find_method(nx_jrun *run, const method *m, size_t n, nx_str name, nx_jval *ret, nx_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (nx_str_is(name, m[i].name))
            return nx_jval_bound(run, m[i].name, m[i].fn, nx_jrun_host(run), ret, err);
    return NX_OK;
}

static nx_status adapter_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)self;
    static const method M[] = {{"dispatch", fn_dispatch},
                               {"get_relation", fn_get_relation},
                               {"get_columns_in_relation", fn_columns},
                               {"quote", fn_quote},
                               {"type", fn_type}};
    return find_method(run, M, NX_COUNT_OF(M), name, ret, err);
}

static const nx_jclass ADAPTER = {.name = "adapter (of this runner)", .attr = adapter_attr};

static nx_status api_relation_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)self;
    static const method M[] = {{"create", fn_create_relation}};
    return find_method(run, M, NX_COUNT_OF(M), name, ret, err);
}

static const nx_jclass API_RELATION = {.name = "api.Relation", .attr = api_relation_attr};

static nx_status api_column_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)self;
    static const method M[] = {{"translate_type", fn_translate_type}};
    return find_method(run, M, NX_COUNT_OF(M), name, ret, err);
}

static const nx_jclass API_COLUMN = {.name = "api.Column", .attr = api_column_attr};

nx_status nx__dbt_ctx_adapter(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    nx_jval v, api;
    NX_TRY(nx_jrun_obj(run, &ADAPTER, c, &v, err));
    NX_TRY(nx_jrun_set(run, "adapter", v, err));
    NX_TRY(nx_jrun_dict(run, &api, err));
    NX_TRY(nx_jrun_obj(run, &API_RELATION, c, &v, err));
    NX_TRY(nx_jdict_sets(run, &api, "Relation", v, err));
    NX_TRY(nx_jrun_obj(run, &API_COLUMN, c, &v, err));
    NX_TRY(nx_jdict_sets(run, &api, "Column", v, err));
    NX_TRY(nx_jrun_set(run, "api", api, err));
    NX_TRY(nx_jrun_set_func(run, "run_query", fn_run_query, c, err));
    NX_TRY(nx_jrun_set_func(run, "statement", fn_statement, c, err));
    NX_TRY(nx_jrun_set_func(run, "get_columns_in_relation", fn_columns, c, err));
    return nx_jrun_set_func(run, "load_result", fn_load_result, c, err);
}
