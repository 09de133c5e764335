/* dbt_project.yml, profiles.yml and the variables: what an invocation stands on. */
#include "transform/dbt_int.h"

#include <stdlib.h>

#include "base/rand.h"
#include "data/yaml.h"

static const char *const PROJECT_KEYS[] = {"name",
                                           "version",
                                           "config-version",
                                           "profile",
                                           "model-paths",
                                           "seed-paths",
                                           "test-paths",
                                           "snapshot-paths",
                                           "macro-paths",
                                           "analysis-paths",
                                           "docs-paths",
                                           "asset-paths",
                                           "target-path",
                                           "packages-install-path",
                                           "clean-targets",
                                           "require-dbt-version",
                                           "quoting",
                                           "query-comment",
                                           "on-run-start",
                                           "on-run-end",
                                           "dispatch",
                                           "vars",
                                           "flags",
                                           "models",
                                           "seeds",
                                           "snapshots",
                                           "sources",
                                           "data_tests",
                                           "tests",
                                           "exposures",
                                           "restrict-access",
                                           "function-paths"};
static const char *const PROJECT_REFUSED[] = {"unit_tests", "metrics",  "semantic-models", "saved-queries",
                                              "functions",  "analyses", "query-tag",       "source-paths",
                                              "data-paths", "log-path"};
static const char *const HOOK_KEYS[] = {"on-run-start", "on-run-end",    "pre-hook",    "post-hook", "+pre-hook",
                                        "+post-hook",   "query-comment", "description", NULL};
static const char *const RESERVED[] = {"config",   "model",  "ref",      "source", "var",     "target",  "this",
                                       "sql",      "schema", "database", "log",    "env_var", "adapter", "api",
                                       "builtins", "dbt",    "execute",  "flags",  "graph",   "macro"};

static nx_status read_yaml(dbt_project *p, const char *path, const char *name, nx_val **ret, nx_err *err)
{
    nx_str text;
    NX_TRY(nx__dbt_read(p, path, &text, err));
    NX_TRY(nx_yaml_parse(text, name, &p->arena, ret, err));
    if ((*ret)->kind != NX_VAL_OBJ && (*ret)->kind != NX_VAL_NULL)
        return nx_fail(err, NX_INVALID, "%s: expected a map at the top, found %s", name,
                       nx_val_kind_name((*ret)->kind));
    return NX_OK;
}

static nx_status check_keys(dbt_project *p, nx_err *err)
{
    for (size_t i = 0; i < p->yml->n; i++) {
        nx_str key = p->yml->keys[i];
        int line = p->yml->items[i].line;
        bool known = false;
        for (size_t k = 0; k < NX_COUNT_OF(PROJECT_KEYS); k++)
            known = known || nx_str_is(key, PROJECT_KEYS[k]);
        for (size_t k = 0; !known && k < NX_COUNT_OF(PROJECT_REFUSED); k++)
            if (nx_str_is(key, PROJECT_REFUSED[k]))
                return nx_fail(err, NX_UNSUPPORTED,
                               "dbt_project.yml:%d: '" NX_STR_FMT "' is not supported by this runner", line,
                               NX_STR_ARG(key));
        if (known)
            continue;
        size_t near = nx_str_nearest(key, PROJECT_KEYS, NX_COUNT_OF(PROJECT_KEYS));
        nx_status st =
            nx_fail(err, NX_INVALID, "dbt_project.yml:%d: unknown key '" NX_STR_FMT "'", line, NX_STR_ARG(key));
        return near == SIZE_MAX ? st : nx_err_hint(err, st, "did you mean '%s'?", PROJECT_KEYS[near]);
    }
    return NX_OK;
}

static bool is_word(nx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return s.n > 0;
}

static nx_status read_name(dbt_project *p, nx_err *err)
{
    nx_str name = nx_val_str(nx_val_get(p->yml, "name"), NX_STR(""));
    if (!is_word(name))
        return nx_fail(err, NX_INVALID,
                       "dbt_project.yml: 'name' must be letters, digits and underscores, found '" NX_STR_FMT "'",
                       NX_STR_ARG(name));
    for (size_t i = 0; i < NX_COUNT_OF(RESERVED); i++)
        if (nx_str_is(name, RESERVED[i]))
            return nx_fail(err, NX_INVALID,
                           "dbt_project.yml: the project cannot be named '%s', a word that dbt reserves", RESERVED[i]);
    const nx_val *version = nx_val_get(p->yml, "config-version");
    if (version != NULL && nx_val_i64(version, 2) != 2)
        return nx_fail(err, NX_UNSUPPORTED, "dbt_project.yml:%d: config-version must be 2", version->line);
    p->name = nx__dbt_cstr(&p->arena, name);
    return p->name == NULL ? nx_nomem(err) : NX_OK;
}

/* ---- rendering of YAML values ---- */

static bool has_jinja(nx_str s)
{
    return nx_str_find(s, NX_STR("{{"), 0) != SIZE_MAX || nx_str_find(s, NX_STR("{%"), 0) != SIZE_MAX;
}

static nx_status render_value(nx_jrun *run, dbt_project *p, nx_val *v, const char *file, const char *const *skip,
                              nx_err *err)
{
    if (v->kind == NX_VAL_STR && has_jinja(v->s)) {
        nx_jtmpl *t;
        nx_jval j;
        int line = v->line, col = v->col;
        NX_TRY(nx_jrun_compile(run, file, v->line, v->s, &t, err));
        NX_TRY(nx_jrun_native(run, t, &j, err));
        NX_TRY(nx__dbt_val_of_j(run, &p->arena, &j, v, err));
        v->line = line;
        v->col = col;
        return NX_OK;
    }
    for (size_t i = 0; i < v->n; i++) {
        bool skipped = false;
        for (size_t k = 0; v->kind == NX_VAL_OBJ && skip != NULL && skip[k] != NULL; k++)
            skipped = skipped || nx_str_is(v->keys[i], skip[k]);
        if (!skipped)
            NX_TRY(render_value(run, p, &v->items[i], file, skip, err));
    }
    return NX_OK;
}

nx_status nx__dbt_render_tree(dbt_project *p, nx_val *v, const char *file, const char *const *skip, nx_err *err)
{
    dbt_ctx c = {.p = p, .phase = DBT_YAML};
    nx_jrun *run;
    NX_TRY(nx__dbt_run_new(&c, &run, err));
    nx_status st = render_value(run, p, v, file, skip, err);
    nx_jrun_free(run);
    return st;
}

/* ---- profile ---- */

static nx_status target_fill(dbt_project *p, nx_val *out, const char *path, nx_err *err)
{
    NX_TRY(nx__dbt_render_tree(p, out, path, NULL, err));
    nx_str type = nx_val_str(nx_val_get(out, "type"), NX_STR(""));
    if (!nx_str_is(type, "nexus")) {
        nx_status st = nx_fail(err, NX_UNSUPPORTED,
                               "%s:%d: target '%s' has type '" NX_STR_FMT "'; this runner builds type nexus only", path,
                               out->line, p->target.name, NX_STR_ARG(type));
        return nx_err_hint(err, st,
                           "choose a target of type nexus with --target, or run the installed dbt with --engine core");
    }
    p->target.schema = nx__dbt_cstr(&p->arena, nx_val_str(nx_val_get(out, "schema"), NX_STR("main")));
    int64_t threads = nx_val_i64(nx_val_get(out, "threads"), 1);
    if (threads < 1 || threads > 1024)
        return nx_fail(err, NX_INVALID, "%s:%d: target '%s': threads must be 1 to 1024", path, out->line,
                       p->target.name);
    p->target.threads = 1; /* nodes run one after the other: one writer a table, a fixed order */
    return p->target.schema == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status read_profile(dbt_project *p, nx_err *err)
{
    const char *dir = p->o->profiles_dir == NULL ? p->root : p->o->profiles_dir;
    const char *path = nx_arena_printf(&p->arena, "%s/profiles.yml", dir);
    if (path == NULL)
        return nx_nomem(err);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    NX_TRY(nx_file_read(path, &b, err));
    nx_val *all;
    NX_TRY(nx_yaml_parse(nx_buf_str(&b), path, &p->arena, &all, err));
    nx_val *profile = (nx_val *)nx_val_get(all, p->profile);
    if (profile == NULL || profile->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_INVALID, "%s: no profile named '%s', which dbt_project.yml asks for", path, p->profile);
    nx_val *chosen = (nx_val *)nx_val_get(profile, "target");
    p->target.profile = p->profile;
    p->target.name =
        p->o->profile_target == NULL ? "default" : nx__dbt_cstr(&p->arena, nx_str_of(p->o->profile_target));
    if (p->o->profile_target == NULL && chosen != NULL) {
        NX_TRY(nx__dbt_render_tree(p, chosen, path, NULL, err));
        p->target.name = nx__dbt_cstr(&p->arena, nx_val_str(chosen, NX_STR("default")));
    }
    if (p->target.name == NULL)
        return nx_nomem(err);
    nx_val *out = (nx_val *)nx_val_get(nx_val_get(profile, "outputs"), p->target.name);
    if (out == NULL || out->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_INVALID, "%s: profile '%s' has no target named '%s'", path, p->profile, p->target.name);
    return target_fill(p, out, path, err);
}

/* ---- variables, paths, packages ---- */

static nx_status read_vars(dbt_project *p, nx_err *err)
{
    if (p->o->vars != NULL) {
        nx_val *v;
        NX_TRY(nx_yaml_parse(nx_str_of(p->o->vars), "--vars", &p->arena, &v, err));
        if (v->kind != NX_VAL_OBJ && v->kind != NX_VAL_NULL)
            return nx_fail(err, NX_INVALID, "--vars must be a map, like '{start_date: 2024-01-01}'");
        p->cli_vars = *v;
    }
    const nx_val *own = nx_val_get(p->yml, "vars");
    const char *path = nx_arena_printf(&p->arena, "%s/vars.yml", p->root);
    if (path == NULL)
        return nx_nomem(err);
    if (nx_file_exists(path)) {
        nx_val *file;
        if (own != NULL)
            return nx_fail(err, NX_INVALID, "dbt_project.yml:%d: 'vars' stands here and in vars.yml; keep one",
                           own->line);
        NX_TRY(read_yaml(p, "vars.yml", "vars.yml", &file, err));
        own = nx_val_get(file, "vars");
    }
    if (own != NULL && own->kind == NX_VAL_OBJ)
        p->vars = *own;
    return NX_OK;
}

static nx_status read_paths(dbt_project *p, const char *key, const char *dflt, dbt_list *ret, nx_err *err)
{
    const nx_val *v = nx_val_get(p->yml, key);
    if (v == NULL)
        return nx__dbt_push(&p->arena, ret, (void *)dflt, err);
    NX_TRY(nx__dbt_strings(&p->arena, v, nx_arena_printf(&p->arena, "dbt_project.yml:%d: %s", v->line, key), ret, err));
    for (size_t i = 0; i < ret->n; i++) {
        const char *path = ret->v[i];
        if (path[0] == '/' || strstr(path, "..") != NULL)
            return nx_fail(err, NX_INVALID, "dbt_project.yml:%d: %s: '%s' must be a folder inside the project", v->line,
                           key, path);
    }
    return NX_OK;
}

static nx_status read_hooks(dbt_project *p, const char *key, dbt_list *ret, nx_err *err)
{
    dbt_list texts = {0};
    const char *what = nx_arena_printf(&p->arena, "dbt_project.yml: %s", key);
    NX_TRY(what == NULL ? nx_nomem(err) : nx__dbt_strings(&p->arena, nx_val_get(p->yml, key), what, &texts, err));
    for (size_t i = 0; i < texts.n; i++) {
        const char *name = nx_arena_printf(&p->arena, "%s-%s-%zu", p->name, key, i);
        dbt_node *n = name == NULL ? NULL : nx__dbt_node_new(p, DBT_OPERATION, name, "dbt_project.yml", NULL, err);
        if (n == NULL || (n->description = nx_arena_printf(&p->arena, "%s.%s.%zu", p->name, key, i)) == NULL)
            return nx_nomem(err);
        n->raw = nx_str_of(texts.v[i]);
        NX_TRY(nx__dbt_push(&p->arena, ret, n, err));
    }
    return NX_OK;
}

static nx_status refuse_packages(dbt_project *p, nx_err *err)
{
    static const char *const FILES[] = {"packages.yml", "dependencies.yml"};
    for (size_t i = 0; i < NX_COUNT_OF(FILES); i++) {
        const char *path = nx_arena_printf(&p->arena, "%s/%s", p->root, FILES[i]);
        if (path == NULL)
            return nx_nomem(err);
        if (!nx_file_exists(path))
            continue;
        nx_val *v;
        NX_TRY(read_yaml(p, FILES[i], FILES[i], &v, err));
        static const char *const KEYS[] = {"packages", "projects"};
        for (size_t k = 0; k < NX_COUNT_OF(KEYS); k++) {
            const nx_val *list = nx_val_get(v, KEYS[k]);
            if (list == NULL || list->n == 0)
                continue;
            nx_status st =
                nx_fail(err, NX_UNSUPPORTED, "%s:%d: packages are not supported by this runner", FILES[i], list->line);
            return nx_err_hint(err, st, "copy the macros the project needs into its own macros/ folder");
        }
    }
    return NX_OK;
}

static nx_status read_rest(dbt_project *p, nx_err *err)
{
    NX_TRY(read_paths(p, "model-paths", "models", &p->model_paths, err));
    NX_TRY(read_paths(p, "seed-paths", "seeds", &p->seed_paths, err));
    NX_TRY(read_paths(p, "test-paths", "tests", &p->test_paths, err));
    NX_TRY(read_paths(p, "snapshot-paths", "snapshots", &p->snapshot_paths, err));
    NX_TRY(read_paths(p, "macro-paths", "macros", &p->macro_paths, err));
    NX_TRY(read_paths(p, "analysis-paths", "analyses", &p->analysis_paths, err));
    NX_TRY(read_hooks(p, "on-run-start", &p->on_start, err));
    NX_TRY(read_hooks(p, "on-run-end", &p->on_end, err));
    if (nx_val_get(p->yml, "tests") != NULL && nx_val_get(p->yml, "data_tests") != NULL)
        return nx_fail(err, NX_INVALID, "dbt_project.yml: 'tests' and 'data_tests' both stand there; keep data_tests");
    const nx_val *dispatch = nx_val_get(p->yml, "dispatch");
    if (dispatch != NULL && dispatch->n > 0)
        return nx_fail(err, NX_UNSUPPORTED,
                       "dbt_project.yml:%d: 'dispatch' is not supported: there are no packages to search",
                       dispatch->line);
    return refuse_packages(p, err);
}

nx_status nx__dbt_project_open(dbt_project *p, const nx_dbt_opts *o, nx_err *err)
{
    *p = (dbt_project){.o = o, .started = nx_clock_wall(), .started_mono = nx_clock_mono()};
    nx_arena_init(&p->arena, 0);
    nx_map_init(&p->by_id, NULL);
    nx_map_init(&p->patches, NULL);
    nx_map_init(&p->docs, NULL);
    nx_map_init(&p->relations, NULL);
    nx_rand_uuid(p->invocation_id);
    p->root = nx__dbt_cstr(&p->arena, nx_str_of(o->project_dir));
    const char *target =
        o->target_path != NULL ? o->target_path : nx_arena_printf(&p->arena, "%s/target", o->project_dir);
    if (p->root == NULL || target == NULL)
        return nx_nomem(err);
    p->target_path = target;
    size_t root = strlen(p->root);
    p->target_shown = strncmp(target, p->root, root) == 0 && target[root] == '/' ? target + root + 1 : target;
    NX_TRY(read_yaml(p, "dbt_project.yml", "dbt_project.yml", &p->yml, err));
    NX_TRY(check_keys(p, err));
    NX_TRY(read_name(p, err));
    p->jinja = nx_jinja_new(p->name);
    if (p->jinja == NULL)
        return nx_nomem(err);
    p->target = (dbt_target){.name = "", .schema = "", .profile = "", .threads = 1};
    NX_TRY(read_vars(p, err));
    nx_val *profile = (nx_val *)nx_val_get(p->yml, "profile");
    if (profile != NULL)
        NX_TRY(nx__dbt_render_tree(p, profile, "dbt_project.yml", NULL, err));
    p->profile = nx__dbt_cstr(&p->arena, nx_val_str(profile, nx_str_of(p->name)));
    if (p->profile == NULL)
        return nx_nomem(err);
    NX_TRY(read_profile(p, err));
    NX_TRY(nx__dbt_render_tree(p, p->yml, "dbt_project.yml", HOOK_KEYS, err));
    return read_rest(p, err);
}

void nx__dbt_project_close(dbt_project *p)
{
    nx_session_close(p->session);
    nx_jinja_free(p->jinja);
    nx_map_drop(&p->by_id);
    nx_map_drop(&p->patches);
    nx_map_drop(&p->docs);
    nx_map_drop(&p->relations);
    nx_arena_drop(&p->arena);
}
