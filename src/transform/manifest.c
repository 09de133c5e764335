/* manifest.json (schema v12): the parsed project for whoever draws it, schedules it or diffs it. */
#include "transform/manifest_int.h"

void nx__manifest_tree(nx_jw *w, const char *key, const nx_val *v, const char *dflt)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 24);
    nx_jw_key(w, key);
    if (v == NULL || nx_val_to_json(v, &b) != NX_OK)
        nx_jw_raw(w, nx_str_of(dflt));
    else
        nx_jw_raw(w, nx_buf_str(&b));
}

void nx__manifest_ids(nx_jw *w, const char *key, const dbt_list *nodes)
{
    nx_jw_key(w, key);
    nx_jw_arr(w);
    for (size_t i = 0; i < nodes->n; i++)
        nx_jw_cstr(w, ((const dbt_node *)nodes->v[i])->id);
    nx_jw_arr_end(w);
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
        nx__manifest_node(p, w, n);
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
            nx_jw_put_cstr(w, "unique_id", id);
            nx_jw_put_cstr(w, "resource_type", "macro");
            nx_jw_put_str(w, "name", b[i].call_name);
            nx_jw_put_cstr(w, "package_name", p->name);
            nx_jw_put_cstr(w, "path", nx_jtmpl_name(t));
            nx_jw_put_cstr(w, "original_file_path", nx_jtmpl_name(t));
            nx_jw_put_str(w, "macro_sql", b[i].source);
            nx_jw_put_raw(w, "depends_on", NX_STR("{\"macros\":[]}"));
            nx__manifest_tree(w, "description", nx_val_get(macro_patch(p, b[i].name), "description"), "\"\"");
            nx_jw_put_raw(w, "meta", NX_STR("{}"));
            nx_jw_put_raw(w, "arguments", NX_STR("[]"));
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
        nx_jw_put_cstr(w, "unique_id", id);
        nx_jw_put_cstr(w, "resource_type", "doc");
        nx_jw_put_str(w, "name", e->key);
        nx_jw_put_cstr(w, "package_name", p->name);
        const dbt_doc *d = e->value;
        nx_jw_put_cstr(w, "path", d->file + strlen(d->dir) + 1);
        nx_jw_put_cstr(w, "original_file_path", d->file);
        nx_jw_put_cstr(w, "block_contents", d->text);
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
        nx__manifest_node(p, w, n);
        nx_jw_arr_end(w);
    }
    nx_jw_obj_end(w);
    nx_jw_key(w, "parent_map");
    nx_jw_obj(w);
    for (size_t i = 0; i < p->nodes.n; i++)
        nx__manifest_ids(w, ((const dbt_node *)p->nodes.v[i])->id, &((const dbt_node *)p->nodes.v[i])->deps);
    nx_jw_obj_end(w);
    nx_jw_key(w, "child_map");
    nx_jw_obj(w);
    for (size_t i = 0; i < p->nodes.n; i++)
        nx__manifest_ids(w, ((const dbt_node *)p->nodes.v[i])->id, &((const dbt_node *)p->nodes.v[i])->children);
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
        nx_jw_put_raw(&w, EMPTY[i], NX_STR("{}"));
    nx_jw_obj_end(&w);
    nx_status st = nx_jw_end(&w);
    if (st != NX_OK)
        return nx_fail(err, st, "could not write manifest.json: it is too large");
    NX_TRY(nx_dir_make(p->target_path, err));
    const char *path = nx_arena_printf(&p->arena, "%s/manifest.json", p->target_path);
    return path == NULL ? nx_nomem(err) : nx_file_replace(path, nx_buf_str(&b), err);
}
