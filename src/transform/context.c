/* The names a template sees: ref, source, config, this, var, env_var, target, … Macros of package "dbt" are in builtin_macros.c. */
#include "transform/dbt_int.h"

#include <stdlib.h>

#include "base/hash.h"

static dbt_ctx *ctx_of(nx_jrun *run)
{
    return nx_jrun_host(run);
}

/* ---- ref and source ---- */

static nx_status own_relation(nx_jrun *run, dbt_ctx *c, nx_jval *ret, nx_err *err)
{
    const dbt_node *n = c->node;
    return nx__dbt_relation(run, c->p, n == NULL || n->schema == NULL ? "" : n->schema, n == NULL ? "" : n->alias, NULL, ret, err);
}

static nx_status record(nx_jrun *run, dbt_ctx *c, const dbt_ref *r, nx_jval *ret, nx_err *err)
{
    nx_arena *a = &c->p->arena;
    for (size_t i = 0; i < c->node->refs.n; i++) {
        const dbt_ref *old = c->node->refs.v[i];
        bool same_source = (old->source == NULL) == (r->source == NULL) && (r->source == NULL || strcmp(old->source, r->source) == 0);
        bool same_package = (old->package == NULL) == (r->package == NULL);
        if (same_source && same_package && strcmp(old->name, r->name) == 0)
            return own_relation(run, c, ret, err);
    }
    dbt_ref *copy = NX_ARENA_NEW(a, dbt_ref);
    if (copy == NULL)
        return nx_nomem(err);
    *copy = *r;
    NX_TRY(nx__dbt_push(a, &c->node->refs, copy, err));
    return own_relation(run, c, ret, err);
}

static nx_status resolved(nx_jrun *run, dbt_ctx *c, const dbt_ref *r, nx_jval *ret, nx_err *err)
{
    dbt_node *n;
    NX_TRY(nx__dbt_find_ref(c->p, c->node, r, &n, err));
    if (c->node != NULL && c->node->kind != DBT_OPERATION && !nx__dbt_list_has(&c->node->deps, n)) {
        nx_status st = nx_fail(err, NX_INVALID, "%s '%s' names '%s' only when it runs, so it may run before it",
                               nx__dbt_kind_name(c->node->kind), c->node->name, n->name);
        return nx_err_hint(err, st, "add a comment line '-- depends_on: {{ ref('%s') }}' outside of any condition", n->name);
    }
    if (!nx__dbt_is_ephemeral(n))
        return nx__dbt_relation(run, c->p, n->schema, n->alias, NULL, ret, err);
    const char *cte = nx_arena_printf(&c->p->arena, "__dbt__cte__%s", n->alias);
    if (cte == NULL)
        return nx_nomem(err);
    if (c->node != NULL && !nx__dbt_list_has(&c->node->ctes, n))
        NX_TRY(nx__dbt_push(&c->p->arena, &c->node->ctes, n, err));
    return nx__dbt_relation(run, c->p, "", "", cte, ret, err);
}

static nx_status refer(nx_jrun *run, dbt_ref *r, nx_jval *ret, nx_err *err)
{
    dbt_ctx *c = ctx_of(run);
    (void)nx_jrun_place(run, &r->line);
    if (c->phase == DBT_YAML)
        return nx_fail(err, NX_INVALID, "%s() has no meaning in this file", r->source == NULL ? "ref" : "source");
    return c->phase == DBT_PARSE && c->node != NULL ? record(run, c, r, ret, err) : resolved(run, c, r, ret, err);
}

static nx_status fn_ref(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_arena *a = &ctx_of(run)->p->arena;
    if (nx_jargs_get(args, 9, "v") != NULL || nx_jargs_get(args, 9, "version") != NULL)
        return nx_fail(err, NX_UNSUPPORTED, "ref(): model versions are not supported by this runner");
    if (args->n < 1 || args->n > 2 || args->n_kw > 0)
        return nx_fail(err, NX_INVALID, "ref() takes a model name, or a package and a model name");
    nx_str first, second = {0};
    NX_TRY(nx_jargs_str(args, "ref", 0, "model", &first, err));
    if (args->n == 2)
        NX_TRY(nx_jargs_str(args, "ref", 1, "model", &second, err));
    dbt_ref r = {.package = args->n == 2 ? nx__dbt_cstr(a, first) : NULL, .name = nx__dbt_cstr(a, args->n == 2 ? second : first)};
    return r.name == NULL ? nx_nomem(err) : refer(run, &r, ret, err);
}

static nx_status fn_source(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_arena *a = &ctx_of(run)->p->arena;
    nx_str src, tbl;
    NX_TRY(nx_jargs_check(args, "source", 2, NULL, err));
    NX_TRY(nx_jargs_str(args, "source", 0, "source", &src, err));
    NX_TRY(nx_jargs_str(args, "source", 1, "table", &tbl, err));
    dbt_ref r = {.source = nx__dbt_cstr(a, src), .name = nx__dbt_cstr(a, tbl)};
    return r.source == NULL || r.name == NULL ? nx_nomem(err) : refer(run, &r, ret, err);
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
        return nx_fail(err, NX_INVALID, "%s '%s' does not set the required config '" NX_STR_FMT "'", nx__dbt_kind_name(c->node->kind),
                       c->node->name, NX_STR_ARG(key));
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
        return nx_err_hint(err, st, "give it under vars: in dbt_project.yml, with --vars, or a default: var('%s', …)", key);
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
    const char *text = nx_map_get(&p->docs, name);
    if (text == NULL)
        return nx_fail(err, NX_INVALID, "doc('" NX_STR_FMT "'): no docs block of that name in a .md file", NX_STR_ARG(name));
    return nx_jrun_str(run, nx_str_of(text), ret, err);
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
    *ret = nx_jval_bool(c->node == NULL ? c->p->o->full_refresh : nx__dbt_cfg_bool(c->node, "full_refresh", c->p->o->full_refresh));
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

static nx_status set_dict(nx_jrun *run, const char *name, const char *const *pairs, size_t n, nx_err *err)
{
    nx_jval d;
    NX_TRY(nx_jrun_dict(run, &d, err));
    for (size_t i = 0; i + 1 < n; i += 2)
        NX_TRY(nx_jdict_sets(run, &d, pairs[i], nx_jval_cstr(pairs[i + 1]), err));
    return nx_jrun_set(run, name, d, err);
}

static nx_status set_target(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    const dbt_target *t = &c->p->target;
    const char *pairs[] = {"name", t->name, "target_name", t->name, "schema", t->schema, "type", "nexus", "profile_name", t->profile, "database", ""};
    NX_TRY(set_dict(run, "target", pairs, NX_COUNT_OF(pairs), err));
    nx_jval d = *nx_jrun_get(run, "target");
    return nx_jdict_sets(run, &d, "threads", nx_jval_int(t->threads), err);
}

static nx_status set_flags(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    const nx_dbt_opts *o = c->p->o;
    const char *which[] = {"WHICH", o->command};
    NX_TRY(set_dict(run, "flags", which, NX_COUNT_OF(which), err));
    nx_jval d = *nx_jrun_get(run, "flags");
    NX_TRY(nx_jdict_sets(run, &d, "FULL_REFRESH", nx_jval_bool(o->full_refresh), err));
    NX_TRY(nx_jdict_sets(run, &d, "STORE_FAILURES", nx_jval_bool(o->store_failures), err));
    return nx_jdict_sets(run, &d, "FAIL_FAST", nx_jval_bool(o->fail_fast), err);
}

static nx_status set_model(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    const dbt_node *n = c->node;
    if (n == NULL)
        return NX_OK;
    const char *pairs[] = {"name",   n->name,   "unique_id", n->id,  "alias",         n->alias, "schema",
                           n->schema, "resource_type", nx__dbt_kind_name(n->kind), "path", n->path,  "original_file_path",
                           n->file,  "package_name", c->p->name, "description", n->description};
    NX_TRY(set_dict(run, "model", pairs, NX_COUNT_OF(pairs), err));
    nx_jval cfg, d = *nx_jrun_get(run, "model"), rel;
    NX_TRY(nx_jval_from_tree(run, &n->cfg, &cfg, err));
    NX_TRY(nx_jdict_sets(run, &d, "config", cfg, err));
    NX_TRY(own_relation(run, c, &rel, err));
    return nx_jrun_set(run, "this", rel, err);
}

static nx_status set_funcs(nx_jrun *run, nx_err *err)
{
    static const struct {
        const char *name;
        nx_jfn fn;
        bool ctx;
    } FUNCS[] = {{"ref", fn_ref, false},
                 {"source", fn_source, false},
                 {"env_var", fn_env_var, false},
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
    NX_TRY(nx_jrun_set(run, "var", d, err));
    NX_TRY(nx_jrun_dict(run, &d, err));
    static const char *const BUILTINS[] = {"ref", "source", "config", "var"};
    for (size_t i = 0; i < NX_COUNT_OF(BUILTINS); i++)
        NX_TRY(nx_jdict_sets(run, &d, BUILTINS[i], *nx_jrun_get(run, BUILTINS[i]), err));
    return nx_jrun_set(run, "builtins", d, err);
}

static nx_status fill(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    dbt_project *p = c->p;
    NX_TRY(set_funcs(run, err));
    NX_TRY(set_target(run, c, err));
    NX_TRY(set_flags(run, c, err));
    NX_TRY(set_model(run, c, err));
    NX_TRY(nx_jrun_set(run, "execute", nx_jval_bool(c->phase == DBT_COMPILE), err));
    NX_TRY(nx_jrun_set(run, "invocation_id", nx_jval_cstr(p->invocation_id), err));
    NX_TRY(nx_jrun_set(run, "dbt_version", nx_jval_cstr(DBT_VERSION), err));
    NX_TRY(nx_jrun_set(run, "project_name", nx_jval_cstr(p->name), err));
    NX_TRY(nx_jrun_set(run, "schema", nx_jval_cstr(c->node == NULL ? p->target.schema : c->node->schema), err));
    NX_TRY(nx_jrun_set(run, "database", nx_jval_str(NX_STR("")), err));
    NX_TRY(nx__dbt_ctx_time(run, c, err));
    return nx__dbt_ctx_adapter(run, c, err);
}

nx_status nx__dbt_run_new(dbt_ctx *c, nx_jrun **ret, nx_err *err)
{
    nx_jrun_opts o = {.permissive = c->phase == DBT_PARSE, .host = c};
    nx_jrun *run = nx_jrun_new(c->p->jinja, &o);
    if (run == NULL)
        return nx_nomem(err);
    c->results = nx_jval_none();
    nx_status st = fill(run, c, err);
    if (st != NX_OK) {
        nx_jrun_free(run);
        return st;
    }
    *ret = run;
    return NX_OK;
}
