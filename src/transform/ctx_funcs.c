/* What templates call besides ref and source: config, var, env_var, doc, log, exceptions, … */
#include "transform/dbt_int.h"

#include <stdlib.h>

#include "base/hash.h"

static dbt_ctx *ctx_of(nx_jrun *run)
{
    return nx_jrun_host(run);
}

/* ---- config ---- */

static nx_status config_call(nx_jrun *run, nx_jobj *self, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)self;
    dbt_ctx *c = ctx_of(run);
    *ret = nx_jval_str(NX_STR(""));
    if (c->phase != DBT_PARSE || c->node == NULL)
        return NX_OK;
    nx_val v;
    for (size_t i = 0; i < args->n; i++) {
        if (args->v[i].kind != NX_J_DICT)
            return nx_fail(err, NX_INVALID, "config() takes name=value pairs or one map");
        NX_TRY(nx__dbt_val_of_j(run, &c->p->arena, &args->v[i], &v, err));
        NX_TRY(nx__dbt_cfg_merge_all(&c->p->arena, &c->node->inline_cfg, &v, err));
    }
    for (size_t i = 0; i < args->n_kw; i++) {
        NX_TRY(nx__dbt_val_of_j(run, &c->p->arena, &args->kw[i].value, &v, err));
        NX_TRY(nx__dbt_cfg_merge(&c->p->arena, &c->node->inline_cfg, args->kw[i].key.s, &v, err));
    }
    return NX_OK;
}

static nx_status config_look(nx_jrun *run, const nx_jargs *args, bool in_meta, bool required, nx_jval *ret, nx_err *err)
{
    dbt_ctx *c = ctx_of(run);
    nx_str key;
    NX_TRY(nx_jargs_str(args, "config.get", 0, "name", &key, err));
    const nx_jval *dflt = nx_jargs_get(args, 1, "default");
    if (c->phase != DBT_COMPILE || c->node == NULL) {
        *ret = nx_jval_str(NX_STR(""));
        return NX_OK;
    }
    const nx_val *from = in_meta ? nx_val_get(&c->node->cfg, "meta") : &c->node->cfg, *v = NULL;
    for (size_t i = 0; from != NULL && from->kind == NX_VAL_OBJ && i < from->n; i++)
        if (nx_str_eq(from->keys[i], key))
            v = &from->items[i];
    if (v == NULL && !in_meta && nx_str_is(key, "materialized"))
        return nx_jrun_str(run, nx_str_of(nx__dbt_materialized(c->node)), ret, err);
    if (v != NULL && v->kind != NX_VAL_NULL)
        return nx_jval_from_tree(run, v, ret, err);
    if (required)
        return nx_fail(err, NX_INVALID, "%s '%s' does not set the required config '" NX_STR_FMT "'",
                       nx__dbt_kind_name(c->node->kind), c->node->name, NX_STR_ARG(key));
    *ret = dflt == NULL ? nx_jval_none() : *dflt;
    return NX_OK;
}

static nx_status config_get(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    return config_look(run, args, false, false, ret, err);
}

static nx_status config_require(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    return config_look(run, args, false, true, ret, err);
}

static nx_status config_meta_get(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    return config_look(run, args, true, false, ret, err);
}

static nx_status config_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)self;
    if (nx_str_is(name, "get"))
        return nx_jval_bound(run, "get", config_get, NULL, ret, err);
    if (nx_str_is(name, "require"))
        return nx_jval_bound(run, "require", config_require, NULL, ret, err);
    if (nx_str_is(name, "meta_get"))
        return nx_jval_bound(run, "meta_get", config_meta_get, NULL, ret, err);
    return NX_OK;
}

static const nx_jclass CONFIG = {.name = "config", .attr = config_attr, .call = config_call};

/* ---- var, env_var, doc ---- */

static const nx_val *find_var(const dbt_project *p, const char *name)
{
    const nx_val *v = nx_val_get(&p->cli_vars, name);
    if (v == NULL)
        v = nx_val_get(nx_val_get(&p->vars, p->name), name);
    return v == NULL ? nx_val_get(&p->vars, name) : v;
}

static nx_status var_call(nx_jrun *run, nx_jobj *self, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)self;
    dbt_ctx *c = ctx_of(run);
    nx_str name;
    NX_TRY(nx_jargs_str(args, "var", 0, "name", &name, err));
    const char *key = nx__dbt_cstr(&c->p->arena, name);
    if (key == NULL)
        return nx_nomem(err);
    const nx_val *v = find_var(c->p, key);
    const nx_jval *dflt = nx_jargs_get(args, 1, "default");
    if (v == NULL && dflt == NULL && c->phase == DBT_COMPILE) {
        nx_status st = nx_fail(err, NX_INVALID, "the variable '%s' is not set", key);
        return nx_err_hint(err, st, "give it under vars: in dbt_project.yml, with --vars, or a default: var('%s', …)",
                           key);
    }
    if (v == NULL) {
        *ret = dflt == NULL ? nx_jval_none() : *dflt;
        return NX_OK;
    }
    if (v->kind == NX_VAL_STR && nx_str_find(v->s, NX_STR("{{"), 0) != SIZE_MAX) {
        nx_jtmpl *t;
        NX_TRY(nx_jrun_compile(run, "vars", v->line, v->s, &t, err));
        return nx_jrun_native(run, t, ret, err);
    }
    return nx_jval_from_tree(run, v, ret, err);
}

static nx_status var_has(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_str name;
    NX_TRY(nx_jargs_str(args, "var.has_var", 0, "name", &name, err));
    const char *key = nx__dbt_cstr(nx_jrun_arena(run), name);
    if (key == NULL)
        return nx_nomem(err);
    *ret = nx_jval_bool(find_var(ctx_of(run)->p, key) != NULL);
    return NX_OK;
}

static nx_status var_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)self;
    return nx_str_is(name, "has_var") ? nx_jval_bound(run, "has_var", var_has, NULL, ret, err) : NX_OK;
}

static const nx_jclass VAR = {.name = "var", .attr = var_attr, .call = var_call};

static nx_status fn_env_var(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_str name;
    NX_TRY(nx_jargs_str(args, "env_var", 0, "name", &name, err));
    const char *key = nx__dbt_cstr(nx_jrun_arena(run), name);
    if (key == NULL)
        return nx_nomem(err);
    if (strncmp(key, "DBT_ENV_SECRET_", 15) == 0)
        return nx_fail(err, NX_UNSUPPORTED, "env_var('%s'): secrets are only for profiles of other engines", key);
    const char *v = getenv(key);
    const nx_jval *dflt = nx_jargs_get(args, 1, "default");
    if (v != NULL)
        return nx_jrun_str(run, nx_str_of(v), ret, err);
    if (dflt == NULL)
        return nx_fail(err, NX_INVALID, "the environment variable '%s' is not set and has no default", key);
    *ret = *dflt;
    return NX_OK;
}

static nx_status fn_doc(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    dbt_project *p = ctx_of(run)->p;
    nx_str name;
    NX_TRY(nx_jargs_str(args, "doc", args->n == 2 ? 1 : 0, "name", &name, err));
    const dbt_doc *d = nx_map_get(&p->docs, name);
    if (d == NULL)
        return nx_fail(err, NX_INVALID, "doc('" NX_STR_FMT "'): no docs block of that name in a .md file",
                       NX_STR_ARG(name));
    return nx_jrun_str(run, nx_str_of(d->text), ret, err);
}

/* ---- small functions ---- */

static nx_status fn_is_incremental(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    NX_TRY(nx_jargs_check(args, "is_incremental", 0, NULL, err));
    *ret = nx_jval_bool(ctx_of(run)->incremental);
    return NX_OK;
}

static nx_status fn_should_full_refresh(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    (void)args;
    (void)err;
    dbt_ctx *c = ctx_of(run);
    *ret = nx_jval_bool(c->node == NULL ? c->p->o->full_refresh
                                        : nx__dbt_cfg_bool(c->node, "full_refresh", c->p->o->full_refresh));
    return NX_OK;
}

static nx_status fn_log(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    dbt_project *p = ctx_of(run)->p;
    bool always = ctx != NULL; /* print() */
    const nx_jval *msg = nx_jargs_get(args, 0, "msg"), *info = nx_jargs_get(args, 1, "info");
    *ret = nx_jval_str(NX_STR(""));
    if (msg == NULL)
        return nx_fail(err, NX_INVALID, "%s() takes a message", always ? "print" : "log");
    if (!p->executing || (!always && (info == NULL || !nx_jval_truth(info))))
        return NX_OK;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    NX_TRY(nx_jval_print(run, msg, &b, err));
    nx__dbt_say(p, "%s", b.p == NULL ? "" : b.p);
    return NX_OK;
}

static nx_status message(nx_jrun *run, const nx_jargs *args, nx_buf *b, nx_err *err)
{
    const nx_jval *msg = nx_jargs_get(args, 0, "msg");
    if (msg == NULL)
        return nx_fail(err, NX_INVALID, "exceptions: a message is missing");
    return nx_jval_print(run, msg, b, err);
}

static nx_status fn_raise(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    (void)ret;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    NX_TRY(message(run, args, &b, err));
    return nx_fail(err, NX_INVALID, "%s", b.p == NULL ? "" : b.p);
}

static nx_status fn_warn(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    NX_TRY(message(run, args, &b, err));
    nx__dbt_say(ctx_of(run)->p, "[WARNING]: %s", b.p == NULL ? "" : b.p);
    *ret = nx_jval_str(NX_STR(""));
    return NX_OK;
}

static nx_status fn_md5(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_str s;
    NX_TRY(nx_jargs_str(args, "local_md5", 0, "value", &s, err));
    char md5[33];
    nx_md5_hex(s, md5);
    return nx_jrun_str(run, nx_str_of(md5), ret, err);
}

/* A test's "where" narrows the relation it looks at. The text may hold Jinja and is rendered here. */
static nx_status fn_where(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    dbt_ctx *c = ctx_of(run);
    const nx_jval *rel = nx_jargs_get(args, 0, "relation");
    if (rel == NULL)
        return nx_fail(err, NX_INVALID, "get_where_subquery() takes a relation");
    *ret = *rel;
    nx_str where = c->node == NULL || c->phase != DBT_COMPILE ? NX_STR("") : nx__dbt_cfg_str(c->node, "where", "");
    if (where.n == 0)
        return NX_OK;
    nx_jtmpl *t;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    NX_TRY(nx_jrun_compile(run, c->node->file, c->node->line, where, &t, err));
    nx_status st = nx_buf_adds(&b, "(select * from ");
    if (st == NX_OK)
        st = nx_jval_print(run, rel, &b, err);
    if (st == NX_OK)
        st = nx_buf_adds(&b, " where ");
    if (st == NX_OK)
        st = nx_jrun_render(run, t, &b, err);
    if (st == NX_OK)
        st = nx_buf_adds(&b, ") dbt_subquery");
    if (st != NX_OK)
        return st == NX_LIMIT ? nx_fail(err, st, "the where of test '%s' is too long", c->node->name) : st;
    return nx_jrun_str(run, nx_buf_str(&b), ret, err);
}

/* ---- putting it together ---- */

nx_status nx__dbt_ctx_funcs(nx_jrun *run, nx_err *err)
{
    static const struct {
        const char *name;
        nx_jfn fn;
        bool ctx;
    } FUNCS[] = {{"env_var", fn_env_var, false},
                 {"doc", fn_doc, false},
                 {"is_incremental", fn_is_incremental, false},
                 {"should_full_refresh", fn_should_full_refresh, false},
                 {"log", fn_log, false},
                 {"print", fn_log, true},
                 {"local_md5", fn_md5, false},
                 {"get_where_subquery", fn_where, false}};
    for (size_t i = 0; i < NX_COUNT_OF(FUNCS); i++)
        NX_TRY(nx_jrun_set_func(run, FUNCS[i].name, FUNCS[i].fn, FUNCS[i].ctx ? run : NULL, err));
    nx_jval d, f;
    NX_TRY(nx_jrun_dict(run, &d, err));
    NX_TRY(nx_jval_bound(run, "raise_compiler_error", fn_raise, NULL, &f, err));
    NX_TRY(nx_jdict_sets(run, &d, "raise_compiler_error", f, err));
    NX_TRY(nx_jval_bound(run, "warn", fn_warn, NULL, &f, err));
    NX_TRY(nx_jdict_sets(run, &d, "warn", f, err));
    NX_TRY(nx_jrun_set(run, "exceptions", d, err));
    NX_TRY(nx_jrun_obj(run, &CONFIG, NULL, &d, err));
    NX_TRY(nx_jrun_set(run, "config", d, err));
    NX_TRY(nx_jrun_obj(run, &VAR, NULL, &d, err));
    return nx_jrun_set(run, "var", d, err);
}
