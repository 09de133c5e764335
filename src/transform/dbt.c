/* The entry: one command from options to exit status. */
#include "transform/dbt.h"

#include <stdlib.h>

#include "data/yaml.h"
#include "transform/dbt_int.h"

static const char *const COMMANDS[] = {"build",   "run", "test",  "snapshot",         "seed",
                                       "compile", "ls",  "parse", "source freshness", "run-operation"};
static const char *const REFUSED[] = {"docs", "docs generate", "docs serve", "deps",  "retry", "clone",
                                      "show", "init",          "debug",      "clean", "list"};

static nx_status check_command(const nx_dbt_opts *o, nx_err *err)
{
    for (size_t i = 0; i < NX_COUNT_OF(COMMANDS); i++)
        if (strcmp(o->command, COMMANDS[i]) == 0)
            return NX_OK;
    for (size_t i = 0; i < NX_COUNT_OF(REFUSED); i++)
        if (strcmp(o->command, REFUSED[i]) == 0) {
            nx_status st = nx_fail(err, NX_UNSUPPORTED, "dbt %s is not supported by this runner", o->command);
            return nx_err_hint(err, st, "run the installed dbt with --engine core");
        }
    size_t near = nx_str_nearest(nx_str_of(o->command), COMMANDS, NX_COUNT_OF(COMMANDS));
    nx_status st = nx_fail(err, NX_INVALID, "there is no dbt command '%s'", o->command);
    return nx_err_hint(err, st,
                       "did you mean '%s'? Known: build, run, test, snapshot, seed, compile, ls, parse, source "
                       "freshness, run-operation",
                       near == SIZE_MAX ? "build" : COMMANDS[near]);
}

static nx_status check_options(const nx_dbt_opts *o, nx_err *err)
{
    NX_TRY(check_command(o, err));
    if (o->store_failures)
        return nx_fail(err, NX_UNSUPPORTED, "--store-failures is not supported by this runner");
    bool needs_lake =
        strcmp(o->command, "parse") != 0 && strcmp(o->command, "ls") != 0 && strcmp(o->command, "compile") != 0;
    if (needs_lake && (o->lake == NULL || o->engine == NULL || o->state_dir == NULL))
        return nx_fail(err, NX_INVALID, "dbt %s needs a lake, its engine and a state folder", o->command);
    return NX_OK;
}

/* Every selected node, so that one bad file shows with its own name. */
static nx_status compile_all(dbt_project *p, nx_dbt_result *r, nx_err *err)
{
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *n = p->nodes.v[i];
        if (!n->selected || n->kind == DBT_SOURCE || n->kind == DBT_EXPOSURE || n->kind == DBT_SEED)
            continue;
        NX_TRY(nx__dbt_compile(p, n, err));
        r->total++;
        r->pass++;
    }
    return NX_OK;
}

static nx_status operation_args(nx_jrun *run, dbt_project *p, nx_jpair **ret, size_t *n, nx_err *err)
{
    nx_val *v;
    *n = 0;
    if (p->o->operation_args == NULL)
        return NX_OK;
    NX_TRY(nx_yaml_parse(nx_str_of(p->o->operation_args), "--args", &p->arena, &v, err));
    if (v->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_INVALID, "--args must be a map, like '{days: 3}'");
    if ((*ret = NX_ARENA_ARRAY(&p->arena, nx_jpair, v->n + 1)) == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < v->n; i++) {
        (*ret)[i].key = nx_jval_str(v->keys[i]);
        NX_TRY(nx_jval_from_tree(run, &v->items[i], &(*ret)[i].value, err));
    }
    *n = v->n;
    return NX_OK;
}

static nx_status run_operation(dbt_project *p, nx_err *err)
{
    if (p->o->operation == NULL)
        return nx_fail(err, NX_INVALID, "run-operation needs the name of a macro");
    dbt_ctx c = {.p = p, .phase = DBT_COMPILE};
    nx_jrun *run;
    NX_TRY(nx__dbt_run_new(&c, &run, err));
    nx_jval ignored;
    nx_jargs args = {0};
    nx_jpair *kw = NULL;
    nx_status st = operation_args(run, p, &kw, &args.n_kw, err);
    args.kw = kw;
    if (st == NX_OK)
        st = nx_jrun_call_macro(run, NULL, p->o->operation, &args, &ignored, err);
    nx_jrun_free(run);
    if (st == NX_NOT_FOUND)
        return nx_fail(err, NX_INVALID, "run-operation: the project has no macro '%s'", p->o->operation);
    return st;
}

static nx_status run_nodes(dbt_project *p, nx_dbt_result *r, nx_err *err)
{
    dbt_plan plan;
    NX_TRY(nx__dbt_graph_plan(p, strcmp(p->o->command, "build") == 0, &plan, err));
    if (plan.slots == 0) {
        nx__dbt_say(p, "Nothing to do. Try checking your model configs and model specification args");
        return NX_OK;
    }
    nx_status st = nx__dbt_run_plan(p, &plan, r, err);
    if (st != NX_OK && st != NX_CHECK_FAILED)
        return st;
    nx_err second = {0}; /* the verdict stays; the manifest now holds the compiled code */
    nx_status written = nx__dbt_write_manifest(p, &second);
    if (st == NX_OK && written != NX_OK && err != NULL)
        *err = second;
    return st == NX_OK ? written : st;
}

static nx_status dispatch(dbt_project *p, nx_dbt_result *r, nx_err *err)
{
    const char *cmd = p->o->command;
    if (strcmp(cmd, "run-operation") != 0)
        NX_TRY(nx__dbt_select(p, err));
    NX_TRY(nx__dbt_write_manifest(p, err));
    if (strcmp(cmd, "parse") == 0)
        return NX_OK;
    if (strcmp(cmd, "ls") == 0)
        return nx__dbt_ls(p, err);
    p->executing = true;
    if (p->o->lake != NULL && p->o->engine != NULL && p->o->state_dir != NULL)
        NX_TRY(nx__dbt_session_open(p, err));
    if (strcmp(cmd, "compile") == 0) {
        NX_TRY(compile_all(p, r, err));
        return nx__dbt_write_manifest(p, err);
    }
    if (strcmp(cmd, "run-operation") == 0)
        return run_operation(p, err);
    if (strcmp(cmd, "source freshness") == 0)
        return nx__dbt_freshness(p, r, err);
    return run_nodes(p, r, err);
}

nx_status nx_dbt_run(const nx_dbt_opts *o, nx_dbt_result *ret, nx_err *err)
{
    nx_dbt_result local = {0};
    nx_dbt_result *r = ret == NULL ? &local : ret;
    *r = (nx_dbt_result){0};
    NX_TRY(check_options(o, err));
    dbt_project *p = malloc(sizeof *p);
    if (p == NULL)
        return nx_nomem(err);
    nx_status st = nx__dbt_project_open(p, o, err);
    if (st == NX_OK) {
        nx__dbt_say(p, "Running with dbt=%s", DBT_VERSION);
        nx__dbt_say(p, "Registered adapter: nexus%s%s", o->version == NULL ? "" : "=",
                    o->version == NULL ? "" : o->version);
        st = nx__dbt_parse(p, err);
    }
    if (st == NX_OK) {
        nx__dbt_say_found(p);
        st = dispatch(p, r, err);
    }
    nx__dbt_project_close(p);
    free(p);
    return st;
}
