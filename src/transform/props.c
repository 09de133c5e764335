/* Properties files: what YAML says about models, seeds, snapshots, sources, exposures and singular tests. */
#include "transform/dbt_int.h"

#include "data/yaml.h"

/* Left as text here: rendered when their node is, or with doc() once all docs are read. */
static const char *const LATE_KEYS[] = {"description", "tests",    "data_tests", "pre-hook", "post-hook", "pre_hook",
                                        "post_hook",   "relation", "depends_on", "filter",   NULL};
static const char *const TOP_KEYS[] = {"version", "models",    "seeds",  "snapshots",
                                       "sources", "exposures", "macros", "data_tests"};
static const char *const TOP_REFUSED[] = {"unit_tests", "metrics",   "semantic_models", "saved_queries",
                                          "groups",     "functions", "analyses"};
static const char *const NODE_KEYS[] = {
    "name",     "description", "config", "columns",  "data_tests",  "tests",          "docs",      "meta", "tags",
    "relation", "access",      "group",  "versions", "constraints", "latest_version", "arguments", "type", "data_type"};
static const char *const SOURCE_KEYS[] = {"name",    "description",     "config",    "schema",    "database",
                                          "loader",  "loaded_at_field", "freshness", "meta",      "tags",
                                          "quoting", "tables",          "tests",     "data_tests"};
static const char *const TABLE_KEYS[] = {
    "name", "description", "config",  "identifier", "loader", "loaded_at_field", "freshness",
    "meta", "tags",        "quoting", "columns",    "tests",  "data_tests",      "external"};
static const char *const EXPOSURE_KEYS[] = {"name",     "label",       "type",   "owner", "depends_on", "url",
                                            "maturity", "description", "config", "meta",  "tags"};

static nx_status known_key(dbt_project *p, const char *file, nx_str key, int line, const char *const *known, size_t n,
                           const char *what, nx_err *err)
{
    for (size_t i = 0; i < n; i++)
        if (nx_str_is(key, known[i]))
            return NX_OK;
    const char *where = nx__dbt_where(&p->arena, file, line);
    size_t near = nx_str_nearest(key, known, n);
    nx_status st = nx_fail(err, NX_INVALID, "%s: unknown key '" NX_STR_FMT "' in %s", where, NX_STR_ARG(key), what);
    return near == SIZE_MAX ? st : nx_err_hint(err, st, "did you mean '%s'?", known[near]);
}

static nx_status known_keys(dbt_project *p, const char *file, const nx_val *v, const char *const *known, size_t n,
                            const char *what, nx_err *err)
{
    if (v->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_INVALID, "%s: %s must be a map, found %s", nx__dbt_where(&p->arena, file, v->line), what,
                       nx_val_kind_name(v->kind));
    for (size_t i = 0; i < v->n; i++)
        NX_TRY(known_key(p, file, v->keys[i], v->items[i].line, known, n, what, err));
    nx_str name = nx_val_str(nx_val_get(v, "name"), NX_STR(""));
    if (name.n == 0)
        return nx_fail(err, NX_INVALID, "%s: %s has no name", nx__dbt_where(&p->arena, file, v->line), what);
    return NX_OK;
}

nx_status nx__dbt_props_read(dbt_project *p, const char *dir, const char *path, nx_err *err)
{
    (void)dir;
    for (size_t i = 0; i < p->yaml_files.n; i++)
        if (strcmp(((dbt_yaml *)p->yaml_files.v[i])->file, path) == 0)
            return NX_OK; /* folders of dbt_project.yml may overlap */
    nx_str text;
    dbt_yaml *y = NX_ARENA_NEW(&p->arena, dbt_yaml);
    if (y == NULL)
        return nx_nomem(err);
    y->file = path;
    NX_TRY(nx__dbt_read(p, path, &text, err));
    NX_TRY(nx_yaml_parse(text, path, &p->arena, &y->v, err));
    if (y->v->kind == NX_VAL_NULL)
        return NX_OK;
    if (y->v->kind != NX_VAL_OBJ)
        return nx_fail(err, NX_INVALID, "%s: expected a map at the top, found %s", path, nx_val_kind_name(y->v->kind));
    for (size_t i = 0; i < y->v->n; i++) {
        for (size_t k = 0; k < NX_COUNT_OF(TOP_REFUSED); k++)
            if (nx_str_is(y->v->keys[i], TOP_REFUSED[k]))
                return nx_fail(err, NX_UNSUPPORTED, "%s:%d: '%s' is not supported by this runner", path,
                               y->v->items[i].line, TOP_REFUSED[k]);
        NX_TRY(known_key(p, path, y->v->keys[i], y->v->items[i].line, TOP_KEYS, NX_COUNT_OF(TOP_KEYS),
                         "a properties file", err));
    }
    NX_TRY(nx__dbt_render_tree(p, y->v, path, LATE_KEYS, err));
    return nx__dbt_push(&p->arena, &p->yaml_files, y, err);
}

/* The folder among the project's paths that holds the file, for fqn and path. */
static const char *top_of(dbt_project *p, const char *file)
{
    const dbt_list *all[] = {&p->model_paths, &p->seed_paths, &p->snapshot_paths, &p->macro_paths, &p->test_paths};
    for (size_t i = 0; i < NX_COUNT_OF(all); i++)
        for (size_t k = 0; k < all[i]->n; k++) {
            size_t n = strlen(all[i]->v[k]);
            if (strncmp(file, all[i]->v[k], n) == 0 && file[n] == '/')
                return all[i]->v[k];
        }
    return NULL;
}

static nx_status description(dbt_project *p, const nx_val *v, const char *file, const char **ret, nx_err *err)
{
    const nx_val *d = nx_val_get(v, "description");
    *ret = "";
    if (d == NULL || d->kind == NX_VAL_NULL)
        return NX_OK;
    nx_val copy = *d;
    NX_TRY(nx__dbt_render_tree(p, &copy, file, NULL, err));
    *ret = nx__dbt_cstr(&p->arena, nx_str_trim(copy.s));
    return *ret == NULL ? nx_nomem(err) : NX_OK;
}

nx_status nx__dbt_columns(dbt_project *p, dbt_node *n, const nx_val *cols, const char *file, nx_err *err)
{
    for (size_t i = 0; cols != NULL && i < cols->n; i++) {
        const nx_val *v = &cols->items[i];
        nx_str name = nx_val_str(nx_val_get(v, "name"), NX_STR(""));
        if (name.n == 0)
            return nx_fail(err, NX_INVALID, "%s: column %zu of '%s' has no name",
                           nx__dbt_where(&p->arena, file, v->line), i + 1, n->name);
        dbt_column *c = NX_ARENA_NEW(&p->arena, dbt_column);
        if (c == NULL)
            return nx_nomem(err);
        c->v = v;
        c->name = nx__dbt_cstr(&p->arena, name);
        const nx_val *type = nx_val_get(v, "data_type");
        c->data_type = type == NULL || type->kind != NX_VAL_STR ? NULL : nx__dbt_cstr(&p->arena, type->s);
        NX_TRY(description(p, v, file, &c->description, err));
        NX_TRY(nx__dbt_push(&p->arena, &n->columns, c, err));
    }
    return NX_OK;
}

/* "config:" and the older spellings beside it. */
static nx_status merge_props(dbt_project *p, dbt_node *n, const nx_val *v, nx_err *err)
{
    static const char *const BESIDE[] = {"meta", "tags", "docs", "access", "quoting"};
    for (size_t i = 0; i < NX_COUNT_OF(BESIDE); i++) {
        const nx_val *old = nx_val_get(v, BESIDE[i]);
        if (old != NULL)
            NX_TRY(nx__dbt_cfg_merge(&p->arena, &n->cfg, nx_str_of(BESIDE[i]), old, err));
    }
    return nx__dbt_cfg_merge_all(&p->arena, &n->cfg, nx_val_get(v, "config"), err);
}

static nx_status apply_patch(dbt_project *p, dbt_node *n, dbt_patch *patch, nx_err *err)
{
    static const char *const REFUSED[] = {"versions", "latest_version", "constraints"};
    for (size_t i = 0; i < NX_COUNT_OF(REFUSED); i++) {
        const nx_val *v = nx_val_get(patch->v, REFUSED[i]);
        if (v != NULL && v->kind != NX_VAL_NULL)
            return nx_fail(err, NX_UNSUPPORTED, "%s: %s '%s': '%s' is not supported by this runner",
                           nx__dbt_where(&p->arena, patch->file, v->line), nx__dbt_kind_name(n->kind), n->name,
                           REFUSED[i]);
    }
    if (n->patch != NULL && n->patch != patch)
        return nx_fail(err, NX_INVALID, "%s: %s '%s' is described twice: also in %s",
                       nx__dbt_where(&p->arena, patch->file, patch->v->line), nx__dbt_kind_name(n->kind), n->name,
                       nx__dbt_where(&p->arena, n->patch->file, n->patch->v->line));
    n->patch = patch;
    NX_TRY(description(p, patch->v, patch->file, &n->description, err));
    NX_TRY(nx__dbt_columns(p, n, nx_val_get(patch->v, "columns"), patch->file, err));
    NX_TRY(merge_props(p, n, patch->v, err));
    return n->kind == DBT_TEST ? NX_OK : nx__dbt_tests_of(p, n, patch->v, patch->file, err);
}

static nx_status yaml_snapshot(dbt_project *p, const char *file, const nx_val *v, nx_err *err)
{
    const nx_val *relation = nx_val_get(v, "relation");
    const char *name = nx__dbt_cstr(&p->arena, nx_val_get(v, "name")->s);
    if (relation->kind != NX_VAL_STR)
        return nx_fail(err, NX_INVALID, "%s: snapshot '%s': relation must be a text like ref('model')",
                       nx__dbt_where(&p->arena, file, relation->line), name);
    dbt_node *n = nx__dbt_node_new(p, DBT_SNAPSHOT, name, file, top_of(p, file), err);
    const char *raw = nx_arena_printf(&p->arena, "select * from {{ " NX_STR_FMT " }}", NX_STR_ARG(relation->s));
    if (n == NULL || raw == NULL)
        return nx_nomem(err);
    n->line = v->line;
    n->raw = nx_str_of(raw);
    n->path = nx_arena_printf(&p->arena, "%s/%s.sql", n->path, name);
    if (n->path == NULL)
        return nx_nomem(err);
    NX_TRY(nx__dbt_cfg_tree(p, n, err));
    NX_TRY(
        nx_jinja_compile(p->jinja, nx__dbt_where(&p->arena, file, relation->line), n->raw, (nx_jtmpl **)&n->tmpl, err));
    return nx__dbt_node_add(p, n, err);
}

static nx_status resource_section(dbt_project *p, const dbt_yaml *y, const char *section, dbt_kind kind, nx_err *err)
{
    const nx_val *list = nx_val_get(y->v, section);
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        const nx_val *v = &list->items[i];
        NX_TRY(known_keys(p, y->file, v, NODE_KEYS, NX_COUNT_OF(NODE_KEYS), section, err));
        if (kind == DBT_SNAPSHOT && nx_val_get(v, "relation") != NULL)
            NX_TRY(yaml_snapshot(p, y->file, v, err));
        dbt_patch *patch = NX_ARENA_NEW(&p->arena, dbt_patch);
        if (patch == NULL)
            return nx_nomem(err);
        *patch = (dbt_patch){y->file, v};
        nx_str name = nx_val_get(v, "name")->s;
        const char *id =
            nx_arena_printf(&p->arena, "%s.%s." NX_STR_FMT, nx__dbt_kind_name(kind), p->name, NX_STR_ARG(name));
        if (id == NULL)
            return nx_nomem(err);
        dbt_node *n = nx_map_get(&p->by_id, nx_str_of(id));
        if (n != NULL)
            NX_TRY(apply_patch(p, n, patch, err));
        else
            nx__dbt_say(p,
                        "[WARNING]: Did not find matching node for patch with name '" NX_STR_FMT
                        "' in the '%s' section of file '%s'",
                        NX_STR_ARG(name), section, y->file);
    }
    return NX_OK;
}

static nx_status source_table(dbt_project *p, const char *file, const nx_val *src, const nx_val *tbl, nx_err *err)
{
    NX_TRY(known_keys(p, file, tbl, TABLE_KEYS, NX_COUNT_OF(TABLE_KEYS), "a source's table", err));
    nx_str src_name = nx_val_get(src, "name")->s, tbl_name = nx_val_get(tbl, "name")->s;
    dbt_node *n = nx__dbt_node_new(p, DBT_SOURCE, nx__dbt_cstr(&p->arena, tbl_name), file, top_of(p, file), err);
    if (n == NULL)
        return nx_nomem(err);
    n->line = tbl->line;
    n->path = file;
    n->source_v = src;
    n->table_v = tbl;
    n->source_name = nx__dbt_cstr(&p->arena, src_name);
    n->schema = nx__dbt_cstr(&p->arena, nx_val_str(nx_val_get(src, "schema"), src_name));
    n->identifier = nx__dbt_cstr(&p->arena, nx_val_str(nx_val_get(tbl, "identifier"), tbl_name));
    n->alias = n->identifier;
    n->id = nx_arena_printf(&p->arena, "source.%s.%s.%s", p->name, n->source_name, n->name);
    const char **fqn = NX_ARENA_ARRAY(&p->arena, const char *, n->n_fqn + 1);
    if (n->source_name == NULL || n->schema == NULL || n->identifier == NULL || n->id == NULL || fqn == NULL)
        return nx_nomem(err);
    memcpy(fqn, n->fqn, (n->n_fqn - 1) * sizeof *fqn);
    fqn[n->n_fqn - 1] = n->source_name;
    fqn[n->n_fqn++] = n->name;
    n->fqn = fqn;
    NX_TRY(nx__dbt_cfg_tree(p, n, err));
    NX_TRY(merge_props(p, n, src, err));
    NX_TRY(merge_props(p, n, tbl, err));
    n->enabled = nx__dbt_cfg_bool(n, "enabled", true);
    NX_TRY(description(p, tbl, file, &n->description, err));
    NX_TRY(nx__dbt_columns(p, n, nx_val_get(tbl, "columns"), file, err));
    NX_TRY(nx__dbt_node_add(p, n, err));
    return nx__dbt_tests_of(p, n, tbl, file, err);
}

static nx_status source_section(dbt_project *p, const dbt_yaml *y, nx_err *err)
{
    const nx_val *list = nx_val_get(y->v, "sources");
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        const nx_val *src = &list->items[i];
        NX_TRY(known_keys(p, y->file, src, SOURCE_KEYS, NX_COUNT_OF(SOURCE_KEYS), "sources", err));
        const nx_val *tables = nx_val_get(src, "tables");
        for (size_t k = 0; tables != NULL && k < tables->n; k++)
            NX_TRY(source_table(p, y->file, src, &tables->items[k], err));
    }
    return NX_OK;
}

static nx_status exposure_section(dbt_project *p, const dbt_yaml *y, nx_err *err)
{
    const nx_val *list = nx_val_get(y->v, "exposures");
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        const nx_val *v = &list->items[i];
        NX_TRY(known_keys(p, y->file, v, EXPOSURE_KEYS, NX_COUNT_OF(EXPOSURE_KEYS), "exposures", err));
        dbt_node *n = nx__dbt_node_new(p, DBT_EXPOSURE, nx__dbt_cstr(&p->arena, nx_val_get(v, "name")->s), y->file,
                                       top_of(p, y->file), err);
        if (n == NULL)
            return nx_nomem(err);
        n->line = v->line;
        n->exposure_v = v;
        NX_TRY(nx__dbt_cfg_tree(p, n, err));
        NX_TRY(merge_props(p, n, v, err));
        n->enabled = nx__dbt_cfg_bool(n, "enabled", true);
        NX_TRY(description(p, v, y->file, &n->description, err));
        NX_TRY(nx__dbt_node_add(p, n, err));
    }
    return NX_OK;
}

static nx_status macro_section(dbt_project *p, const dbt_yaml *y, nx_err *err)
{
    const nx_val *list = nx_val_get(y->v, "macros");
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        dbt_patch *patch = NX_ARENA_NEW(&p->arena, dbt_patch);
        if (patch == NULL)
            return nx_nomem(err);
        *patch = (dbt_patch){y->file, &list->items[i]};
        NX_TRY(nx__dbt_push(&p->arena, &p->macro_patches, patch, err));
    }
    return NX_OK;
}

nx_status nx__dbt_props_apply(dbt_project *p, nx_err *err)
{
    for (size_t i = 0; i < p->yaml_files.n; i++) {
        const dbt_yaml *y = p->yaml_files.v[i];
        NX_TRY(source_section(p, y, err));
        NX_TRY(exposure_section(p, y, err));
        NX_TRY(resource_section(p, y, "models", DBT_MODEL, err));
        NX_TRY(resource_section(p, y, "seeds", DBT_SEED, err));
        NX_TRY(resource_section(p, y, "snapshots", DBT_SNAPSHOT, err));
        NX_TRY(resource_section(p, y, "data_tests", DBT_TEST, err));
        NX_TRY(macro_section(p, y, err));
    }
    return NX_OK;
}
