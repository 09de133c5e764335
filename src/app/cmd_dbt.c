#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/cmds.h"
#include "app/project.h"
#include "app/report.h"
#include "app/version.h"
#include "transform/dbt.h"

const nx_opt_def nx_opts_dbt[] = {
    {"--select", "-s", "SPEC", "nodes to take: names, +x+, tag:, path:, source:, …", true},
    {"--models", "-m", "SPEC", "the same, under its old name", true},
    {"--exclude", NULL, "SPEC", "nodes to leave out", true},
    {"--resource-type", NULL, "TYPE", "model, seed, snapshot, test, source", true},
    {"--vars", NULL, "YAML", "variables, e.g. '{attention_sessions: 10}'", false},
    {"--target", "-t", "NAME", "target of profiles.yml", false},
    {"--project-dir", NULL, "DIR", "folder of dbt_project.yml (default: dbt/ of the project)", false},
    {"--profiles-dir", NULL, "DIR", "folder of profiles.yml", false},
    {"--target-path", NULL, "DIR", "where artifacts go (default: target/ in the dbt folder)", false},
    {"--full-refresh", "-f", NULL, "build incremental models and seeds anew", false},
    {"--fail-fast", "-x", NULL, "stop at the first failure", false},
    {"--warn-error", NULL, NULL, "warnings count as errors", false},
    {"--store-failures", NULL, NULL, "keep the rows of failing tests", false},
    {"--indirect-selection", NULL, "MODE", "eager", false},
    {"--output", NULL, "FORM", "ls: selector, name, path or json", false},
    {"--args", NULL, "YAML", "run-operation: arguments of the macro", false},
    {"--engine", NULL, "nexus|core", "core runs the installed dbt Core on the same project", false},
    {NULL, NULL, NULL, NULL, false},
};

static void to_stdout(void *ctx, const char *line)
{
    (void)ctx;
    printf("%s\n", line);
    fflush(stdout);
}

static void to_stderr(void *ctx, const char *line)
{
    (void)ctx;
    fprintf(stderr, "%s\n", line);
}

/* Lines of data as an array: nodes of "ls" as names, or as what --output json makes of them. */
typedef struct node_list {
    nx_report rep;
    nx_jw *w;
    bool json;
} node_list;

static void to_list(void *ctx, const char *line)
{
    node_list *l = ctx;
    if (l->json)
        nx_jw_raw(l->w, nx_str_of(line));
    else
        nx_jw_cstr(l->w, line);
}

static nx_status all_of(nx_project *p, const nx_args *a, const char *name, const char *also, const char *const **ret,
                        nx_err *err)
{
    const char **list = NX_ARENA_ARRAY(&p->arena, const char *, a->n_opts + 1);
    size_t n = 0;
    if (list == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < a->n_opts; i++)
        if (strcmp(a->defs[i]->name, name) == 0 || (also != NULL && strcmp(a->defs[i]->name, also) == 0))
            list[n++] = a->values[i];
    *ret = n == 0 ? NULL : list;
    return NX_OK;
}

/* "dbt build --select x", as it was typed. */
static const char *typed(nx_project *p, const nx_args *a, const char *command)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    nx_status st = nx_buf_addf(&b, "dbt %s", command);
    for (size_t i = 0; st == NX_OK && i < a->n_opts; i++)
        st = nx_buf_addf(&b, " %s%s%s", a->defs[i]->name, a->values[i][0] == '\0' ? "" : " ", a->values[i]);
    return st == NX_OK ? nx_arena_dup(&p->arena, nx_buf_str(&b)) : NULL;
}

nx_status nx_dbt_folders(nx_project *p, const nx_args *a, const char **ret_project, const char **ret_target,
                         nx_err *err)
{
    *ret_project = a == NULL ? NULL : nx_args_get(a, "--project-dir");
    if (*ret_project == NULL)
        NX_TRY(nx_project_find(p, "dbt", ret_project, err));
    *ret_target = a == NULL ? NULL : nx_args_get(a, "--target-path");
    if (*ret_target != NULL)
        return NX_OK;
    /* a dbt folder that came with the program is not ours to write into */
    const char *own = nx_project_path(p, "dbt");
    bool ours = own != NULL && (nx_file_exists(own) || (a != NULL && nx_args_has(a, "--project-dir")));
    *ret_target = ours ? nx_arena_printf(&p->arena, "%s/target", *ret_project)
                       : nx_arena_printf(&p->arena, "%s/dbt-target", p->state);
    return *ret_target == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status list_json(const nx_globals *g, const nx_dbt_opts *opts, nx_err *err)
{
    node_list l = {.json = opts->output != NULL && strcmp(opts->output, "json") == 0};
    nx_dbt_opts o = *opts;
    nx_report_begin(&l.rep, g, "");
    l.w = nx_report_json(&l.rep, "nodes");
    nx_jw_arr(l.w);
    o.data = to_list;
    o.ctx = &l; /* only the data lines use it here */
    nx_status st = nx_dbt_run(&o, NULL, err);
    nx_jw_arr_end(l.w);
    if (st == NX_OK)
        return nx_report_end(&l.rep, err);
    nx_buf_drop(&l.rep.b);
    return st;
}

static nx_status in_process(nx_project *p, const nx_args *a, const char *command, nx_err *err)
{
    nx_dbt_opts o = {.command = command,
                     .profiles_dir = nx_args_get(a, "--profiles-dir"),
                     .profile_target = nx_args_get(a, "--target"),
                     .state_dir = p->state,
                     .version = NX_VERSION,
                     .engine = p->engine,
                     .lake = p->lake,
                     .vars = nx_args_get(a, "--vars"),
                     .full_refresh = nx_args_has(a, "--full-refresh"),
                     .fail_fast = nx_args_has(a, "--fail-fast"),
                     .warn_error = nx_args_has(a, "--warn-error"),
                     .store_failures = nx_args_has(a, "--store-failures"),
                     .indirect_selection = nx_args_get(a, "--indirect-selection"),
                     .output = nx_args_get(a, "--output"),
                     .operation = a->n_words > 1 && strcmp(command, "run-operation") == 0 ? a->words[1] : NULL,
                     .operation_args = nx_args_get(a, "--args"),
                     .invocation = typed(p, a, command),
                     .line = p->g->json || strcmp(command, "ls") == 0 ? to_stderr : to_stdout,
                     .data = to_stdout,
                     .stop = &nx_stop_requested};
    NX_TRY(nx_dbt_folders(p, a, &o.project_dir, &o.target_path, err));
    NX_TRY(all_of(p, a, "--select", "--models", &o.select, err));
    NX_TRY(all_of(p, a, "--exclude", NULL, &o.exclude, err));
    NX_TRY(all_of(p, a, "--resource-type", NULL, &o.resource_types, err));
    nx_dbt_result r = {0};
    if (p->g->json && strcmp(command, "ls") == 0)
        return list_json(p->g, &o, err);
    nx_stop_on_signals();
    nx_status st = nx_dbt_run(&o, &r, err);
    if ((st == NX_OK || st == NX_CHECK_FAILED) && p->g->json)
        printf("{\"pass\":%zu,\"warn\":%zu,\"error\":%zu,\"skip\":%zu,\"total\":%zu,\"rows_added\":%lld,"
               "\"rows_removed\":%lld,\"seconds\":%.3f}\n",
               r.pass, r.warn, r.error, r.skip, r.total, (long long)r.rows_added, (long long)r.rows_removed, r.seconds);
    if (st == NX_CHECK_FAILED)
        nx_err_clear(err); /* the console lines told it */
    return st;
}

/* Replaces this process by dbt Core with the same words; the project's own profile target for DuckDB. */
static nx_status core(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *dir, *target, *argv[128];
    size_t n = 0;
    NX_TRY(nx_dbt_folders(p, a, &dir, &target, err));
    argv[n++] = "dbt";
    for (size_t i = 0; i < a->n_words && n < 60; i++)
        argv[n++] = a->words[i];
    for (size_t i = 0; i < a->n_opts && n < 118; i++) {
        if (strcmp(a->defs[i]->name, "--engine") == 0 || strcmp(a->defs[i]->name, "--project-dir") == 0)
            continue;
        argv[n++] = a->defs[i]->name;
        if (a->defs[i]->arg != NULL)
            argv[n++] = a->values[i];
    }
    argv[n++] = "--project-dir";
    argv[n++] = dir;
    if (!nx_args_has(a, "--profiles-dir")) {
        argv[n++] = "--profiles-dir";
        argv[n++] = dir;
    }
    if (!nx_args_has(a, "--target")) {
        argv[n++] = "--target";
        argv[n++] = "duckdb";
    }
    argv[n] = NULL;
    const char *lake = nx_project_path(p, nx_config_str(p->cfg, "lake.root"));
    if (lake == NULL)
        return nx_nomem(err);
    if (lake[0] != '/') {
        char here[4096];
        if (getcwd(here, sizeof here) == NULL)
            return nx_fail_sys(err, NX_IO, "could not name the lake's folder");
        lake = nx_arena_printf(&p->arena, "%s/%s", here, lake);
        if (lake == NULL)
            return nx_nomem(err);
    }
    setenv("NEXUS_LAKE_ROOT", lake, 1);
    execvp("dbt", (char *const *)(uintptr_t)argv);
    nx_fail_sys(err, NX_NOT_FOUND, "could not run dbt Core");
    return nx_err_hint(err, NX_NOT_FOUND, "install it beside: pip install 'dbt-core<1.12' dbt-duckdb deltalake");
}

nx_status nx_cmd_dbt(const nx_globals *g, nx_args *a, nx_err *err)
{
    const char *engine = nx_args_get(a, "--engine"), *command = a->words[0];
    if (engine != NULL && strcmp(engine, "nexus") != 0 && strcmp(engine, "core") != 0)
        return nx_fail(err, NX_INVALID, "--engine is nexus or core, not '%s'", engine);
    bool with_core = engine != NULL && strcmp(engine, "core") == 0;
    if (a->n_words == 2 && strcmp(command, "source") == 0 && strcmp(a->words[1], "freshness") == 0)
        command = "source freshness";
    else if (a->n_words > 1 && !with_core && strcmp(command, "run-operation") != 0 && strcmp(command, "docs") != 0)
        return nx_fail(err, NX_INVALID, "too many words after 'nexus dbt %s'", command);
    bool reads_only = strcmp(command, "ls") == 0 || strcmp(command, "parse") == 0 || strcmp(command, "compile") == 0;
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS | NX_NEED_LAKE | (reads_only ? 0 : NX_NEED_LOCK), &p, err));
    nx_status st = reads_only ? NX_OK : nx_project_ensure_tables(&p, err);
    if (st == NX_OK && with_core)
        st = core(&p, a, err);
    if (st == NX_OK)
        st = in_process(&p, a, command, err);
    nx_project_close(&p);
    return st;
}
