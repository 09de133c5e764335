/* Files of a project become nodes, macros, docs and properties. */
#include "transform/dbt_int.h"

/* ---- macros and docs ---- */

static nx_status add_macro_file(dbt_project *p, const char *package, const char *path, nx_str text, nx_err *err)
{
    nx_jtmpl *t;
    NX_TRY(nx_jinja_compile(p->jinja, path, text, &t, err));
    size_t n;
    const nx_jblock *b = nx_jtmpl_blocks(t, &n);
    for (size_t i = 0; i < n; i++)
        if (b[i].kind == NX_JB_MATERIALIZATION)
            return nx_fail(err, NX_UNSUPPORTED,
                           "%s:%d: materialization '" NX_STR_FMT
                           "': custom materializations are not supported by this runner",
                           path, b[i].line, NX_STR_ARG(b[i].name));
    NX_TRY(nx_jinja_add_macros(p->jinja, package, t, err));
    return strcmp(package, "dbt") == 0 ? NX_OK : nx__dbt_push(&p->arena, &p->macro_files, t, err);
}

static nx_status macro_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    (void)dir;
    nx_str text;
    NX_TRY(nx__dbt_read(p, path, &text, err));
    return add_macro_file(p, p->name, path, text, err);
}

static nx_status docs_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    nx_str text;
    nx_jtmpl *t;
    NX_TRY(nx__dbt_read(p, path, &text, err));
    if (nx_str_find(text, NX_STR("{%"), 0) == SIZE_MAX)
        return NX_OK;
    NX_TRY(nx_jinja_compile(p->jinja, path, text, &t, err));
    size_t n;
    const nx_jblock *b = nx_jtmpl_blocks(t, &n);
    for (size_t i = 0; i < n; i++) {
        if (b[i].kind != NX_JB_DOCS)
            continue;
        if (nx_map_has(&p->docs, b[i].name))
            return nx_fail(err, NX_INVALID, "%s:%d: the docs block '" NX_STR_FMT "' is defined twice", path, b[i].line,
                           NX_STR_ARG(b[i].name));
        dbt_doc *d = NX_ARENA_NEW(&p->arena, dbt_doc);
        if (d == NULL)
            return nx_nomem(err);
        *d = (dbt_doc){path, dir, nx__dbt_cstr(&p->arena, nx_str_trim(b[i].body))};
        if (d->text == NULL || nx_map_set(&p->docs, b[i].name, d) != NX_OK)
            return nx_nomem(err);
    }
    return NX_OK;
}

/* ---- nodes from files ---- */

static nx_status file_node(dbt_project *p, dbt_kind kind, const char *dir, const char *path, dbt_node **ret,
                           nx_err *err)
{
    const char *name = nx__dbt_stem(&p->arena, path);
    if (name == NULL)
        return nx_nomem(err);
    if (strchr(name, ' ') != NULL || strchr(name, '.') != NULL)
        return nx_fail(err, NX_INVALID, "%s: a %s's name may hold no space and no dot", path, nx__dbt_kind_name(kind));
    dbt_node *n = nx__dbt_node_new(p, kind, name, path, dir, err);
    if (n == NULL)
        return nx_nomem(err);
    NX_TRY(nx__dbt_read(p, path, &n->raw, err));
    NX_TRY(nx__dbt_cfg_tree(p, n, err));
    *ret = n;
    return NX_OK;
}

static nx_status sql_node(dbt_project *p, dbt_kind kind, const char *dir, const char *path, nx_err *err)
{
    dbt_node *n = NULL;
    nx_jtmpl *t;
    NX_TRY(file_node(p, kind, dir, path, &n, err));
    NX_TRY(nx_jinja_compile(p->jinja, path, n->raw, &t, err));
    n->tmpl = t;

    return nx__dbt_node_add(p, n, err);
}

static nx_status model_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    return sql_node(p, DBT_MODEL, dir, path, err);
}

static nx_status test_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    const char *below = path + strlen(dir) + 1;
    return strncmp(below, "generic/", 8) == 0 ? macro_file(p, dir, path, err) : sql_node(p, DBT_TEST, dir, path, err);
}

static nx_status seed_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    dbt_node *n = NULL;
    NX_TRY(file_node(p, DBT_SEED, dir, path, &n, err));
    return nx__dbt_node_add(p, n, err);
}

static nx_status snapshot_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    nx_str text;
    nx_jtmpl *t;
    NX_TRY(nx__dbt_read(p, path, &text, err));
    NX_TRY(nx_jinja_compile(p->jinja, path, text, &t, err));
    size_t n_blocks;
    const nx_jblock *b = nx_jtmpl_blocks(t, &n_blocks);
    for (size_t i = 0; i < n_blocks; i++) {
        if (b[i].kind != NX_JB_SNAPSHOT)
            continue;
        dbt_node *n = nx__dbt_node_new(p, DBT_SNAPSHOT, nx__dbt_cstr(&p->arena, b[i].name), path, dir, err);
        if (n == NULL)
            return nx_nomem(err);
        n->raw = b[i].body;
        n->line = b[i].line;
        n->tmpl = t;
        n->block = i;
        n->is_block = true;
        NX_TRY(nx__dbt_cfg_tree(p, n, err));
        NX_TRY(nx__dbt_node_add(p, n, err));
    }
    return NX_OK;
}

static nx_status refuse_file(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    (void)p;
    (void)dir;
    return nx_fail(err, NX_UNSUPPORTED, "%s: %s not supported by this runner", path,
                   nx_str_ends(nx_str_of(path), NX_STR(".py")) ? "Python models are" : "analyses are");
}

static nx_status walk_all(dbt_project *p, const dbt_list *dirs, const char *suffix, dbt_file_fn fn, nx_err *err)
{
    for (size_t i = 0; i < dirs->n; i++)
        NX_TRY(nx__dbt_walk(p, dirs->v[i], suffix, fn, err));
    return NX_OK;
}

static nx_status add_builtins(dbt_project *p, nx_err *err)
{
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    if (nx__dbt_builtin_macros(&text) != NX_OK)
        return nx_nomem(err);
    return add_macro_file(p, "dbt", "dbt/macros.sql", nx_buf_str(&text), err);
}

nx_status nx__dbt_read_files(dbt_project *p, nx_err *err)
{
    const dbt_list *all[] = {&p->model_paths, &p->seed_paths, &p->snapshot_paths, &p->macro_paths, &p->test_paths};
    NX_TRY(add_builtins(p, err));
    NX_TRY(walk_all(p, &p->macro_paths, ".sql", macro_file, err));
    for (size_t i = 0; i < NX_COUNT_OF(all); i++)
        NX_TRY(walk_all(p, all[i], ".md", docs_file, err));
    NX_TRY(walk_all(p, &p->model_paths, ".py", refuse_file, err));
    NX_TRY(walk_all(p, &p->analysis_paths, ".sql", refuse_file, err));
    NX_TRY(walk_all(p, &p->model_paths, ".sql", model_file, err));
    NX_TRY(walk_all(p, &p->seed_paths, ".csv", seed_file, err));
    NX_TRY(walk_all(p, &p->snapshot_paths, ".sql", snapshot_file, err));
    NX_TRY(walk_all(p, &p->test_paths, ".sql", test_file, err));
    for (size_t i = 0; i < NX_COUNT_OF(all); i++) {
        NX_TRY(walk_all(p, all[i], ".yml", nx__dbt_props_read, err));
        NX_TRY(walk_all(p, all[i], ".yaml", nx__dbt_props_read, err));
    }
    return nx__dbt_props_apply(p, err);
}
