/* The manifest's nodes, sources, exposures and tests: what dbt Core writes of each. */
#include "transform/manifest_int.h"

#include "base/hash.h"

static void depends_on(nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "depends_on");
    nx_jw_obj(w);
    nx_jw_put_raw(w, "macros", NX_STR("[]"));
    nx__manifest_ids(w, "nodes", &n->deps);
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
            nx_jw_put_raw(w, CONFIG_DFLT[i].key, nx_str_of(CONFIG_DFLT[i].json));
    if (of != 0 && nx_val_get(&n->cfg, "materialized") == NULL)
        nx_jw_put_cstr(w, "materialized", nx__dbt_materialized(n));
    for (size_t i = 0; n->cfg.kind == NX_VAL_OBJ && i < n->cfg.n; i++)
        nx__manifest_tree(w, n->cfg.keys[i].p, &n->cfg.items[i], "null");
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
        nx_jw_put_cstr(w, "name", c->name);
        nx_jw_put_cstr(w, "description", c->description);
        nx_jw_put_cstr(w, "data_type", c->data_type);
        nx__manifest_tree(w, "meta", nx_val_get(c->v, "meta"), "{}");
        nx__manifest_tree(w, "constraints", nx_val_get(c->v, "constraints"), "[]");
        nx__manifest_tree(w, "tags", nx_val_get(c->v, "tags"), "[]");
        nx__manifest_tree(w, "quote", nx_val_get(c->v, "quote"), "null");
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
        nx_jw_put_cstr(w, "name", r->name);
        nx_jw_put_cstr(w, "package", r->package);
        nx_jw_put_raw(w, "version", NX_STR("null"));
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
    nx_jw_put_raw(w, "metrics", NX_STR("[]"));
}

static void common(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_put_cstr(w, "unique_id", n->id);
    nx_jw_put_cstr(w, "resource_type", nx__dbt_kind_name(n->kind));
    nx_jw_put_cstr(w, "name", n->name);
    nx_jw_put_cstr(w, "package_name", p->name);
    nx_jw_put_cstr(w, "path", n->path);
    nx_jw_put_cstr(w, "original_file_path", n->file);
    nx_jw_key(w, "fqn");
    nx_jw_arr(w);
    for (size_t i = 0; i < n->n_fqn; i++)
        nx_jw_cstr(w, n->fqn[i]);
    nx_jw_arr_end(w);
    nx_jw_put_cstr(w, "description", n->description);
    nx__manifest_tree(w, "tags", nx_val_get(&n->cfg, "tags"), "[]");
    nx__manifest_tree(w, "meta", nx_val_get(&n->cfg, "meta"), "{}");
    config(p, w, n);
    nx_jw_put_raw(w, "unrendered_config", NX_STR("{}"));
    nx_jw_put_f64(w, "created_at", (double)p->started / 1e9);
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
    nx_jw_put_cstr(w, "name", n->test == NULL ? "sha256" : "none");
    nx_jw_put_cstr(w, "checksum", hex);
    nx_jw_obj_end(w);
}

static void extra_ctes(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_key(w, "extra_ctes");
    nx_jw_arr(w);
    for (size_t i = 0; i < n->ctes.n; i++) {
        nx_jw_obj(w);
        nx_jw_put_cstr(w, "id", ((const dbt_node *)n->ctes.v[i])->id);
        nx_jw_put_str(w, "sql", ((const dbt_node *)n->ctes.v[i])->body);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    nx_jw_put_raw(w, "docs", NX_STR("{\"show\":true,\"node_color\":null}"));
    nx_jw_put_cstr(w, "language", "sql");
    nx_jw_put_raw(w, "contract", NX_STR("{\"enforced\":false,\"alias_types\":true,\"checksum\":null}"));
    (void)p;
}

/* What a node that becomes SQL has. */
static void compiled_fields(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    refs(w, n);
    depends_on(w, n);
    extra_ctes(p, w, n);
    nx_jw_put_bool(w, "compiled", n->is_compiled);
    if (n->is_compiled) {
        const char *file = nx__dbt_target_file(p, n);
        nx_jw_put_str(w, "compiled_code", n->compiled);
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
    nx_jw_put_cstr(w, "name", t->short_test);
    nx_jw_put_cstr(w, "namespace", t->ns);
    nx_jw_key(w, "kwargs");
    nx_jw_obj(w);
    for (size_t i = 0; i < t->kwargs.n; i++)
        nx__manifest_tree(w, t->kwargs.keys[i].p, &t->kwargs.items[i], "null");
    nx_jw_put_cstr(w, "model", t->model_arg);
    nx_jw_obj_end(w);
    nx_jw_obj_end(w);
    nx_jw_put_cstr(w, "column_name", t->column);
    nx_jw_put_cstr(w, "attached_node", t->attached->kind == DBT_SOURCE ? NULL : t->attached->id);
    nx_jw_key(w, "file_key_name");
    nx_jw_strf(w, "%ss.%s", nx__dbt_kind_name(t->attached->kind), t->attached->name);
}

static void node(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_obj(w);
    common(p, w, n);
    nx_jw_key(w, "database");
    nx_jw_null(w);
    nx_jw_put_cstr(w, "schema", n->schema);
    nx_jw_put_cstr(w, "alias", n->alias);
    nx_jw_key(w, "relation_name");
    if (n->kind == DBT_TEST || nx__dbt_is_ephemeral(n))
        nx_jw_null(w);
    else
        nx_jw_strf(w, "\"%s\".\"%s\"", n->schema, n->alias);
    checksum(w, n);
    columns(w, n);
    nx_jw_put_str(w, "raw_code", n->kind == DBT_SEED ? NX_STR("") : nx_str_trim(n->raw));
    if (n->kind == DBT_SEED) /* dbt's schema refuses the rest of a compiled node there */
        nx_jw_put_raw(w, "depends_on", NX_STR("{\"macros\":[]}"));
    else
        compiled_fields(p, w, n);
    nx__manifest_tree(w, "group", nx_val_get(&n->cfg, "group"), "null");
    if (n->kind == DBT_MODEL) {
        const nx_val *access = nx_val_get(&n->cfg, "access");
        nx__manifest_tree(w, "access", access, "\"protected\"");
        nx_jw_put_raw(w, "version", NX_STR("null"));
        nx_jw_put_raw(w, "latest_version", NX_STR("null"));
        nx_jw_put_raw(w, "primary_key", NX_STR("[]"));
        nx_jw_put_raw(w, "constraints",
                      NX_STR("[]")); /* models alone have them: dbt's schema refuses the key elsewhere */
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
    nx_jw_put_cstr(w, "schema", n->schema);
    nx_jw_put_cstr(w, "source_name", n->source_name);
    nx__manifest_tree(w, "source_description", nx_val_get(n->source_v, "description"), "\"\"");
    nx__manifest_tree(w, "loader", nx_val_get(n->source_v, "loader"), "\"\"");
    nx_jw_put_cstr(w, "identifier", n->identifier);
    nx_jw_key(w, "relation_name");
    nx_jw_strf(w, "\"%s\".\"%s\"", n->schema, n->identifier);
    columns(w, n);
    nx__manifest_tree(w, "loaded_at_field", own != NULL ? own : shared, "null");
    nx__manifest_tree(w, "freshness", fresh != NULL ? fresh : nx_val_get(n->source_v, "freshness"), "null");
    nx__manifest_tree(w, "external", nx_val_get(n->table_v, "external"), "null");
    nx_jw_obj_end(w);
}

static void exposure(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    nx_jw_obj(w);
    common(p, w, n);
    nx__manifest_tree(w, "type", nx_val_get(n->exposure_v, "type"), "null");
    nx__manifest_tree(w, "owner", nx_val_get(n->exposure_v, "owner"), "{}");
    nx__manifest_tree(w, "url", nx_val_get(n->exposure_v, "url"), "null");
    nx__manifest_tree(w, "label", nx_val_get(n->exposure_v, "label"), "null");
    nx__manifest_tree(w, "maturity", nx_val_get(n->exposure_v, "maturity"), "null");
    refs(w, n);
    depends_on(w, n);
    nx_jw_obj_end(w);
}

void nx__manifest_node(dbt_project *p, nx_jw *w, const dbt_node *n)
{
    if (n->kind == DBT_SOURCE)
        source(p, w, n);
    else if (n->kind == DBT_EXPOSURE)
        exposure(p, w, n);
    else
        node(p, w, n);
}
