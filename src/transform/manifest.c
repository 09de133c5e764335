/* manifest.json (schema v12): the parsed project for whoever draws it, schedules it or diffs it. */
#include "transform/dbt_int.h"

#include "base/hash.h"

static void key_cstr(nx_jw *w, const char *key, const char *v)
{
    nx_jw_key(w, key);
    nx_jw_cstr(w, v);
}

static void key_raw(nx_jw *w, const char *key, const char *json)
{
    nx_jw_key(w, key);
    nx_jw_raw(w, nx_str_of(json));
}

/* A tree as JSON; dflt when there is none. */
static void key_tree(nx_jw *w, const char *key, const nx_val *v, const char *dflt)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 24);
    nx_jw_key(w, key);
    if (v == NULL || nx_val_to_json(v, &b) != NX_OK)
        nx_jw_raw(w, nx_str_of(dflt));
    else
        nx_jw_raw(w, nx_buf_str(&b));
}

static void ids(nx_jw *w, const char *key, const dbt_list *nodes)
{
    nx_jw_key(w, key);
    nx_jw_arr(w);
    for (size_t i = 0; i < nodes->n; i++)
        nx_jw_cstr(w, ((const dbt_node *)nodes->v[i])->id);
    nx_jw_arr_end(w);
}

static void depends_on(nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "depends_on");
    nx_jw_obj(w);
    key_raw(w, "macros", "[]");
    ids(w, "nodes", &n->deps);
    nx_jw_obj_end(w);
}

enum { OF_NODE = 1, OF_TEST = 2 };

/* Keys that dbt writes whether they were set or not. */
static const struct {
    const char *key, *json;
    int of; /* 0: every resource */
} CONFIG_DFLT[] = {{"enabled", "true", 0},
                   {"tags", "[]", 0},
                   {"meta", "{}", 0},
                   {"alias", "null", OF_NODE | OF_TEST},
                   {"schema", "null", OF_NODE | OF_TEST},
                   {"database", "null", OF_NODE | OF_TEST},
                   {"group", "null", OF_NODE | OF_TEST},
                   {"severity", "\"ERROR\"", OF_TEST},
                   {"fail_calc", "\"count(*)\"", OF_TEST},
                   {"warn_if", "\"!= 0\"", OF_TEST},
                   {"error_if", "\"!= 0\"", OF_TEST},
                   {"where", "null", OF_TEST},
                   {"limit", "null", OF_TEST},
                   {"store_failures", "null", OF_TEST},
                   {"incremental_strategy", "null", OF_NODE},
                   {"unique_key", "null", OF_NODE},
                   {"on_schema_change", "\"ignore\"", OF_NODE},
                   {"full_refresh", "null", OF_NODE},
                   {"persist_docs", "{}", OF_NODE},
                   {"pre-hook", "[]", OF_NODE},
                   {"post-hook", "[]", OF_NODE},
                   {"quoting", "{}", OF_NODE},
                   {"column_types", "{}", OF_NODE},
                   {"grants", "{}", OF_NODE},
                   {"packages", "[]", OF_NODE},
                   {"docs", "{\"show\":true,\"node_color\":null}", OF_NODE},
                   {"contract", "{\"enforced\":false,\"alias_types\":true}", OF_NODE}};

static void config(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    int of = n->kind == DBT_TEST ? OF_TEST : n->kind == DBT_SOURCE || n->kind == DBT_EXPOSURE ? 0 : OF_NODE;
    nx_jw_key(w, "config");
    nx_jw_obj(w);
    for (size_t i = 0; i < NX_COUNT_OF(CONFIG_DFLT); i++)
        if ((CONFIG_DFLT[i].of == 0 || (CONFIG_DFLT[i].of & of) != 0) &&
            nx_val_get(&n->cfg, CONFIG_DFLT[i].key) == NULL)
            key_raw(w, CONFIG_DFLT[i].key, CONFIG_DFLT[i].json);
    if (of != 0 && nx_val_get(&n->cfg, "materialized") == NULL)
        key_cstr(w, "materialized", nx__dbt_materialized(n));
    for (size_t i = 0; n->cfg.kind == NX_VAL_OBJ && i < n->cfg.n; i++)
        key_tree(w, n->cfg.keys[i].p, &n->cfg.items[i], "null");
    nx_jw_obj_end(w);
    (void)p;
}

static void columns(nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "columns");
    nx_jw_obj(w);
    for (size_t i = 0; i < n->columns.n; i++) {
        const dbt_column *c = n->columns.v[i];
        nx_jw_key(w, c->name);
        nx_jw_obj(w);
        key_cstr(w, "name", c->name);
        key_cstr(w, "description", c->description);
        key_cstr(w, "data_type", c->data_type);
        key_tree(w, "meta", nx_val_get(c->v, "meta"), "{}");
        key_tree(w, "constraints", nx_val_get(c->v, "constraints"), "[]");
        key_tree(w, "tags", nx_val_get(c->v, "tags"), "[]");
        key_tree(w, "quote", nx_val_get(c->v, "quote"), "null");
        nx_jw_obj_end(w);
    }
    nx_jw_obj_end(w);
}

static void refs(nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "refs");
    nx_jw_arr(w);
    for (size_t i = 0; i < n->refs.n; i++) {
        const dbt_ref *r = n->refs.v[i];
        if (r->source != NULL)
            continue;
        nx_jw_obj(w);
        key_cstr(w, "name", r->name);
        key_cstr(w, "package", r->package);
        key_raw(w, "version", "null");
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    nx_jw_key(w, "sources");
    nx_jw_arr(w);
    for (size_t i = 0; i < n->refs.n; i++) {
        const dbt_ref *r = n->refs.v[i];
        if (r->source == NULL)
            continue;
        nx_jw_arr(w);
        nx_jw_cstr(w, r->source);
        nx_jw_cstr(w, r->name);
        nx_jw_arr_end(w);
    }
    nx_jw_arr_end(w);
    key_raw(w, "metrics", "[]");
}

static void common(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    key_cstr(w, "unique_id", n->id);
    key_cstr(w, "resource_type", nx__dbt_kind_name(n->kind));
    key_cstr(w, "name", n->name);
    key_cstr(w, "package_name", p->name);
    key_cstr(w, "path", n->path);
    key_cstr(w, "original_file_path", n->file);
    nx_jw_key(w, "fqn");
    nx_jw_arr(w);
    for (size_t i = 0; i < n->n_fqn; i++)
        nx_jw_cstr(w, n->fqn[i]);
    nx_jw_arr_end(w);
    key_cstr(w, "description", n->description);
    key_tree(w, "tags", nx_val_get(&n->cfg, "tags"), "[]");
    key_tree(w, "meta", nx_val_get(&n->cfg, "meta"), "{}");
    config(p, w, n);
    key_raw(w, "unrendered_config", "{}");
    nx_jw_key(w, "created_at");
    nx_jw_f64(w, (double)p->started / 1e9);
    if (n->kind == DBT_EXPOSURE)
        return;
    nx_jw_key(w, "patch_path");
    if (n->patch == NULL)
        nx_jw_null(w);
    else
        nx_jw_strf(w, "%s://%s", p->name, n->patch->file);
}

static void checksum(nx_jw *w, const dbt_node *n)
{
    char hex[65] = "";
    if (n->test == NULL)
        nx_sha256_hex(nx_str_trim(n->raw), hex);
    nx_jw_key(w, "checksum");
    nx_jw_obj(w);
    key_cstr(w, "name", n->test == NULL ? "sha256" : "none");
    key_cstr(w, "checksum", hex);
    nx_jw_obj_end(w);
}

static void extra_ctes(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "extra_ctes");
    nx_jw_arr(w);
    for (size_t i = 0; i < n->ctes.n; i++) {
        nx_jw_obj(w);
        key_cstr(w, "id", ((const dbt_node *)n->ctes.v[i])->id);
        nx_jw_key(w, "sql");
        nx_jw_str(w, ((const dbt_node *)n->ctes.v[i])->body);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    key_raw(w, "docs", "{\"show\":true,\"node_color\":null}");
    key_cstr(w, "language", "sql");
    key_raw(w, "contract", "{\"enforced\":false,\"alias_types\":true,\"checksum\":null}");
    (void)p;
}

/* What a node that becomes SQL has. */
static void compiled_fields(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    refs(w, n);
    depends_on(w, n);
    extra_ctes(p, w, n);
    nx_jw_key(w, "compiled");
    nx_jw_bool(w, n->is_compiled);
    if (n->is_compiled) {
        const char *file = nx__dbt_target_file(p, n);
        nx_jw_key(w, "compiled_code");
        nx_jw_str(w, n->compiled);
        nx_jw_key(w, "compiled_path");
        nx_jw_strf(w, "%s/compiled/%s/%s", p->target_shown, p->name, file == NULL ? "" : file);
    }
}

static void test_fields(nx_jw *w, const dbt_node *n)
{
    if (n->test == NULL)
        return;
    const dbt_test *t = n->test;
    nx_jw_key(w, "test_metadata");
    nx_jw_obj(w);
    key_cstr(w, "name", t->short_test);
    key_cstr(w, "namespace", t->ns);
    nx_jw_key(w, "kwargs");
    nx_jw_obj(w);
    for (size_t i = 0; i < t->kwargs.n; i++)
        key_tree(w, t->kwargs.keys[i].p, &t->kwargs.items[i], "null");
    key_cstr(w, "model", t->model_arg);
    nx_jw_obj_end(w);
    nx_jw_obj_end(w);
    key_cstr(w, "column_name", t->column);
    key_cstr(w, "attached_node", t->attached->kind == DBT_SOURCE ? NULL : t->attached->id);
    nx_jw_key(w, "file_key_name");
    nx_jw_strf(w, "%ss.%s", nx__dbt_kind_name(t->attached->kind), t->attached->name);
}

static void node(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_obj(w);
    common(p, w, n);
    nx_jw_key(w, "database");
    nx_jw_null(w);
    key_cstr(w, "schema", n->schema);
    key_cstr(w, "alias", n->alias);
    nx_jw_key(w, "relation_name");
    if (n->kind == DBT_TEST || nx__dbt_is_ephemeral(n))
        nx_jw_null(w);
    else
        nx_jw_strf(w, "\"%s\".\"%s\"", n->schema, n->alias);
    checksum(w, n);
    columns(w, n);
    nx_jw_key(w, "raw_code");
    nx_jw_str(w, n->kind == DBT_SEED ? NX_STR("") : nx_str_trim(n->raw));
    if (n->kind == DBT_SEED)
        key_raw(w, "depends_on", "{\"macros\":[]}"); /* dbt's schema refuses the rest of a compiled node on a seed */
    else
        compiled_fields(p, w, n);
    key_tree(w, "group", nx_val_get(&n->cfg, "group"), "null");
    if (n->kind == DBT_MODEL) {
        const nx_val *access = nx_val_get(&n->cfg, "access");
        key_tree(w, "access", access, "\"protected\"");
        key_raw(w, "version", "null");
        key_raw(w, "latest_version", "null");
        key_raw(w, "primary_key", "[]");
        key_raw(w, "constraints", "[]"); /* models alone have them: dbt's schema refuses the key elsewhere */
    }
    test_fields(w, n);
    nx_jw_obj_end(w);
}

static void source(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    const nx_val *own = nx_val_get(n->table_v, "loaded_at_field"), *shared = nx_val_get(n->source_v, "loaded_at_field");
    const nx_val *fresh = nx_val_get(n->table_v, "freshness");
    nx_jw_obj(w);
    common(p, w, n);
    nx_jw_key(w, "database");
    nx_jw_null(w);
    key_cstr(w, "schema", n->schema);
    key_cstr(w, "source_name", n->source_name);
    key_tree(w, "source_description", nx_val_get(n->source_v, "description"), "\"\"");
    key_tree(w, "loader", nx_val_get(n->source_v, "loader"), "\"\"");
    key_cstr(w, "identifier", n->identifier);
    nx_jw_key(w, "relation_name");
    nx_jw_strf(w, "\"%s\".\"%s\"", n->schema, n->identifier);
    columns(w, n);
    key_tree(w, "loaded_at_field", own != NULL ? own : shared, "null");
    key_tree(w, "freshness", fresh != NULL ? fresh : nx_val_get(n->source_v, "freshness"), "null");
    key_tree(w, "external", nx_val_get(n->table_v, "external"), "null");
    nx_jw_obj_end(w);
}

static void exposure(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_obj(w);
    common(p, w, n);
    key_tree(w, "type", nx_val_get(n->exposure_v, "type"), "null");
    key_tree(w, "owner", nx_val_get(n->exposure_v, "owner"), "{}");
    key_tree(w, "url", nx_val_get(n->exposure_v, "url"), "null");
    key_tree(w, "label", nx_val_get(n->exposure_v, "label"), "null");
    key_tree(w, "maturity", nx_val_get(n->exposure_v, "maturity"), "null");
    refs(w, n);
    depends_on(w, n);
    nx_jw_obj_end(w);
}

static void write_node(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    if (n->kind == DBT_SOURCE)
        source(p, w, n);
    else if (n->kind == DBT_EXPOSURE)
        exposure(p, w, n);
    else
        node(p, w, n);
}

/* section 0: nodes, 1: sources, 2: exposures */
static void section(dbt_project *p, nx_jw *w, const char *key, int which)
{
    nx_jw_key(w, key);
    nx_jw_obj(w);
    for (size_t i = 0; i < p->nodes.n; i++) {
        const dbt_node *n = p->nodes.v[i];
        int of = n->kind == DBT_SOURCE ? 1 : n->kind == DBT_EXPOSURE ? 2 : 0;
        if (of != which)
            continue;
        nx_jw_key(w, n->id);
        write_node(p, w, n);
    }
    nx_jw_obj_end(w);
}

static const nx_val *macro_patch(const dbt_project *p, nx_str name)
{
    for (size_t i = 0; i < p->macro_patches.n; i++) {
        const dbt_patch *patch = p->macro_patches.v[i];
        if (nx_str_eq(nx_val_str(nx_val_get(patch->v, "name"), NX_STR("")), name))
            return patch->v;
    }
    return NULL;
}

static void macros(dbt_project *p, nx_jw *w)
{
    nx_jw_key(w, "macros");
    nx_jw_obj(w);
    for (size_t f = 0; f < p->macro_files.n; f++) {
        const nx_jtmpl *t = p->macro_files.v[f];
        size_t n;
        const nx_jblock *b = nx_jtmpl_blocks(t, &n);
        for (size_t i = 0; i < n; i++) {
            const char *id = nx_arena_printf(&p->arena, "macro.%s." NX_STR_FMT, p->name, NX_STR_ARG(b[i].call_name));
            if ((b[i].kind != NX_JB_MACRO && b[i].kind != NX_JB_TEST) || id == NULL)
                continue;
            nx_jw_key(w, id);
            nx_jw_obj(w);
            key_cstr(w, "unique_id", id);
            key_cstr(w, "resource_type", "macro");
            nx_jw_key(w, "name");
            nx_jw_str(w, b[i].call_name);
            key_cstr(w, "package_name", p->name);
            key_cstr(w, "path", nx_jtmpl_name(t));
            key_cstr(w, "original_file_path", nx_jtmpl_name(t));
            nx_jw_key(w, "macro_sql");
            nx_jw_str(w, b[i].source);
            key_raw(w, "depends_on", "{\"macros\":[]}");
            key_tree(w, "description", nx_val_get(macro_patch(p, b[i].name), "description"), "\"\"");
            key_raw(w, "meta", "{}");
            key_raw(w, "arguments", "[]");
            nx_jw_obj_end(w);
        }
    }
    nx_jw_obj_end(w);
}

static void docs(dbt_project *p, nx_jw *w)
{
    nx_map_entry *e;
    nx_jw_key(w, "docs");
    nx_jw_obj(w);
    for (size_t i = 0; (e = nx_map_next(&p->docs, &i)) != NULL;) {
        const char *id = nx_arena_printf(&p->arena, "doc.%s." NX_STR_FMT, p->name, NX_STR_ARG(e->key));
        if (id == NULL)
            continue;
        nx_jw_key(w, id);
        nx_jw_obj(w);
        key_cstr(w, "unique_id", id);
        key_cstr(w, "resource_type", "doc");
        nx_jw_key(w, "name");
        nx_jw_str(w, e->key);
        key_cstr(w, "package_name", p->name);
        const dbt_doc *d = e->value;
        key_cstr(w, "path", d->file + strlen(d->dir) + 1);
        key_cstr(w, "original_file_path", d->file);
        key_cstr(w, "block_contents", d->text);
        nx_jw_obj_end(w);
    }
    nx_jw_obj_end(w);
}

static void maps(dbt_project *p, nx_jw *w)
{
    nx_jw_key(w, "disabled");
    nx_jw_obj(w);
    for (size_t i = 0; i < p->disabled.n; i++) {
        const dbt_node *n = p->disabled.v[i];
        nx_jw_key(w, n->id);
        nx_jw_arr(w);
        write_node(p, w, n);
        nx_jw_arr_end(w);
    }
    nx_jw_obj_end(w);
    nx_jw_key(w, "parent_map");
    nx_jw_obj(w);
    for (size_t i = 0; i < p->nodes.n; i++)
        ids(w, ((const dbt_node *)p->nodes.v[i])->id, &((const dbt_node *)p->nodes.v[i])->deps);
    nx_jw_obj_end(w);
    nx_jw_key(w, "child_map");
    nx_jw_obj(w);
    for (size_t i = 0; i < p->nodes.n; i++)
        ids(w, ((const dbt_node *)p->nodes.v[i])->id, &((const dbt_node *)p->nodes.v[i])->children);
    nx_jw_obj_end(w);
}

nx_status nx__dbt_write_manifest(dbt_project *p, nx_err *err)
{
    static const char *const EMPTY[] = {"metrics",       "groups",          "selectors",  "group_map",
                                        "saved_queries", "semantic_models", "unit_tests", "functions"};
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx__dbt_metadata(p, &w, "manifest", 12);
    section(p, &w, "nodes", 0);
    section(p, &w, "sources", 1);
    section(p, &w, "exposures", 2);
    macros(p, &w);
    docs(p, &w);
    maps(p, &w);
    for (size_t i = 0; i < NX_COUNT_OF(EMPTY); i++)
        key_raw(&w, EMPTY[i], "{}");
    nx_jw_obj_end(&w);
    nx_status st = nx_jw_end(&w);
    if (st != NX_OK)
        return nx_fail(err, st, "could not write manifest.json: it is too large");
    NX_TRY(nx_dir_make(p->target_path, err));
    const char *path = nx_arena_printf(&p->arena, "%s/manifest.json", p->target_path);
    return path == NULL ? nx_nomem(err) : nx_file_replace(path, nx_buf_str(&b), err);
}
