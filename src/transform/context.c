/* The names a template sees: ref, source, this, target, … Functions are in ctx_funcs.c, macros of package "dbt" in builtin_macros.c. */
#include "transform/dbt_int.h"

static dbt_ctx *ctx_of(nx_jrun *run)
{
    return nx_jrun_host(run);
}

/* ---- ref and source ---- */

static nx_status own_relation(nx_jrun *run, dbt_ctx *c, nx_jval *ret, nx_err *err)
{
    const dbt_node *n = c->node;
    return nx__dbt_relation(run, c->p, n == NULL || n->schema == NULL ? "" : n->schema, n == NULL ? "" : n->alias, NULL,
                            ret, err);
}

static nx_status record(nx_jrun *run, dbt_ctx *c, const dbt_ref *r, nx_jval *ret, nx_err *err)
{
    nx_arena *a = &c->p->arena;
    for (size_t i = 0; i < c->node->refs.n; i++) {
        const dbt_ref *old = c->node->refs.v[i];
        bool same_source =
            (old->source == NULL) == (r->source == NULL) && (r->source == NULL || strcmp(old->source, r->source) == 0);
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
        return nx_err_hint(err, st, "add a comment line '-- depends_on: {{ ref('%s') }}' outside of any condition",
                           n->name);
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
    dbt_ref r = {.package = args->n == 2 ? nx__dbt_cstr(a, first) : NULL,
                 .name = nx__dbt_cstr(a, args->n == 2 ? second : first)};
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
    const char *pairs[] = {"name", t->name, "target_name",  t->name,    "schema",   t->schema,
                           "type", "nexus", "profile_name", t->profile, "database", ""};
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
    const char *pairs[] = {"name",
                           n->name,
                           "unique_id",
                           n->id,
                           "alias",
                           n->alias,
                           "schema",
                           n->schema,
                           "resource_type",
                           nx__dbt_kind_name(n->kind),
                           "path",
                           n->path,
                           "original_file_path",
                           n->file,
                           "package_name",
                           c->p->name,
                           "description",
                           n->description};
    NX_TRY(set_dict(run, "model", pairs, NX_COUNT_OF(pairs), err));
    nx_jval cfg, d = *nx_jrun_get(run, "model"), rel;
    NX_TRY(nx_jval_from_tree(run, &n->cfg, &cfg, err));
    NX_TRY(nx_jdict_sets(run, &d, "config", cfg, err));
    NX_TRY(own_relation(run, c, &rel, err));
    return nx_jrun_set(run, "this", rel, err);
}

static nx_status set_builtins(nx_jrun *run, nx_err *err)
{
    static const char *const NAMES[] = {"ref", "source", "config", "var"};
    nx_jval d;
    NX_TRY(nx_jrun_dict(run, &d, err));
    for (size_t i = 0; i < NX_COUNT_OF(NAMES); i++)
        NX_TRY(nx_jdict_sets(run, &d, NAMES[i], *nx_jrun_get(run, NAMES[i]), err));
    return nx_jrun_set(run, "builtins", d, err);
}

static nx_status fill(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    dbt_project *p = c->p;
    NX_TRY(nx_jrun_set_func(run, "ref", fn_ref, NULL, err));
    NX_TRY(nx_jrun_set_func(run, "source", fn_source, NULL, err));
    NX_TRY(nx__dbt_ctx_funcs(run, err));
    NX_TRY(set_builtins(run, err));
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
