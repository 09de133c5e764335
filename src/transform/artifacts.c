/* run_results.json (schema v6), and what all artifacts have in common. */
#include "transform/dbt_int.h"

#include <stdio.h>

void nx__dbt_metadata(dbt_project *p, nx_jw *w, const char *artifact, int version)
{
    char iso[40];
    nx_jw_key(w, "metadata");
    nx_jw_obj(w);
    nx_jw_key(w, "dbt_schema_version");
    nx_jw_strf(w, "https://schemas.getdbt.com/dbt/%s/v%d.json", artifact, version);
    nx_jw_put_cstr(w, "dbt_version", DBT_VERSION);
    nx_jw_key(w, "generated_at");
    nx__dbt_iso(nx_clock_wall(), iso);
    nx_jw_cstr(w, iso);
    nx_jw_put_cstr(w, "invocation_id", p->invocation_id);
    nx_jw_key(w, "invocation_started_at");
    nx__dbt_iso(p->started, iso);
    nx_jw_cstr(w, iso);
    nx_jw_key(w, "env");
    nx_jw_obj(w);
    nx_jw_obj_end(w);
    if (strcmp(artifact, "manifest") == 0) {
        nx_jw_put_cstr(w, "project_name", p->name);
        nx_jw_key(w, "project_id");
        nx_jw_null(w);
        nx_jw_key(w, "user_id");
        nx_jw_null(w);
        nx_jw_put_bool(w, "send_anonymous_usage_stats", false);
        nx_jw_put_cstr(w, "adapter_type", "nexus");
        nx_jw_put_raw(w, "quoting", NX_STR("{\"database\":false,\"schema\":true,\"identifier\":true,\"column\":null}"));
        nx_jw_put_cstr(w, "run_started_at", iso);
    }
    nx_jw_obj_end(w);
}

static void timing(nx_jw *w, const char *name, nx_wall_ns from, nx_wall_ns to)
{
    char iso[40];
    if (from == 0)
        return;
    nx_jw_obj(w);
    nx_jw_put_cstr(w, "name", name);
    nx_jw_key(w, "started_at");
    nx__dbt_iso(from, iso);
    nx_jw_cstr(w, iso);
    nx_jw_key(w, "completed_at");
    nx__dbt_iso(to == 0 ? from : to, iso);
    nx_jw_cstr(w, iso);
    nx_jw_obj_end(w);
}

static void response(nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "adapter_response");
    nx_jw_obj(w);
    if (n->response != NULL) {
        nx_jw_put_cstr(w, "_message", n->response);
        nx_jw_put_i64(w, "rows_affected", n->rows_affected);
    }
    nx_jw_obj_end(w);
}

static void one_result(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    bool writes = n->kind == DBT_MODEL || n->kind == DBT_SEED || n->kind == DBT_SNAPSHOT;
    nx_jw_obj(w);
    nx_jw_put_cstr(w, "status", nx__dbt_status_name(n));
    nx_jw_key(w, "timing");
    nx_jw_arr(w);
    timing(w, "compile", n->compile_at, n->compiled_at);
    timing(w, "execute", n->execute_at, n->done_at);
    nx_jw_arr_end(w);
    nx_jw_put_cstr(w, "thread_id", "Thread-1 (worker)");
    nx_jw_put_f64(w, "execution_time", n->seconds);
    response(w, n);
    nx_jw_put_cstr(w, "message", n->message);
    nx_jw_key(w, "failures");
    if (n->failures < 0)
        nx_jw_null(w);
    else
        nx_jw_i64(w, n->failures);
    nx_jw_put_cstr(w, "unique_id", n->id);
    nx_jw_put_bool(w, "compiled", n->is_compiled);
    nx_jw_key(w, "compiled_code");
    if (n->is_compiled)
        nx_jw_str(w, n->compiled);
    else
        nx_jw_null(w);
    nx_jw_key(w, "relation_name");
    if (writes)
        nx_jw_strf(w, "\"%s\".\"%s\"", n->schema, n->alias);
    else
        nx_jw_null(w);
    nx_jw_key(w, "batch_results");
    nx_jw_null(w);
    nx_jw_obj_end(w);
    (void)p;
}

static void list_of(nx_jw *w, const char *key, const char *const *v)
{
    nx_jw_key(w, key);
    nx_jw_arr(w);
    for (size_t i = 0; v != NULL && v[i] != NULL; i++)
        nx_jw_cstr(w, v[i]);
    nx_jw_arr_end(w);
}

static void args(dbt_project *p, nx_jw *w)
{
    const nx_dbt_opts *o = p->o;
    nx_jw_key(w, "args");
    nx_jw_obj(w);
    nx_jw_put_cstr(w, "which", o->command);
    nx_jw_key(w, "invocation_command");
    if (o->invocation != NULL)
        nx_jw_cstr(w, o->invocation);
    else
        nx_jw_strf(w, "dbt %s", o->command);
    nx_jw_put_cstr(w, "project_dir", p->root);
    nx_jw_put_cstr(w, "profiles_dir", o->profiles_dir == NULL ? p->root : o->profiles_dir);
    nx_jw_put_cstr(w, "target", p->target.name);
    nx_jw_put_bool(w, "full_refresh", o->full_refresh);
    nx_jw_put_bool(w, "fail_fast", o->fail_fast);
    list_of(w, "select", o->select);
    list_of(w, "exclude", o->exclude);
    nx_jw_key(w, "vars");
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    if (p->cli_vars.kind == NX_VAL_OBJ && nx_val_to_json(&p->cli_vars, &b) == NX_OK)
        nx_jw_raw(w, nx_buf_str(&b));
    else
        nx_jw_raw(w, NX_STR("{}"));
    nx_jw_obj_end(w);
}

nx_status nx__dbt_write_results(dbt_project *p, const dbt_plan *plan, double elapsed, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx__dbt_metadata(p, &w, "run-results", 6);
    nx_jw_key(&w, "results");
    nx_jw_arr(&w);
    for (size_t i = 0; i < p->on_start.n; i++)
        one_result(p, &w, p->on_start.v[i]);
    for (size_t i = 0; i < plan->n; i++)
        if (nx__dbt_has_slot(plan->order[i]) && plan->order[i]->status != DBT_ST_NONE)
            one_result(p, &w, plan->order[i]);
    for (size_t i = 0; i < p->on_end.n; i++)
        one_result(p, &w, p->on_end.v[i]);
    nx_jw_arr_end(&w);
    nx_jw_put_f64(&w, "elapsed_time", elapsed);
    args(p, &w);
    nx_jw_obj_end(&w);
    nx_status st = nx_jw_end(&w);
    if (st != NX_OK)
        return nx_fail(err, st, "could not write run_results.json: it is too large");
    const char *path = nx_arena_printf(&p->arena, "%s/run_results.json", p->target_path);
    return path == NULL ? nx_nomem(err) : nx_file_replace(path, nx_buf_str(&b), err);
}
