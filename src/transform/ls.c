/* `ls`: the selected resources, a line each, in the order dbt lists them (by unique id, tests among the rest). */
#include "transform/dbt_int.h"

static nx_status dotted(dbt_project *p, const dbt_node *n, nx_buf *b, nx_err *err)
{
    nx_status st = NX_OK;
    if (n->kind == DBT_SOURCE)
        st = nx_buf_addf(b, "source:%s.%s.%s", p->name, n->source_name, n->name);
    else if (n->kind == DBT_EXPOSURE)
        st = nx_buf_addf(b, "exposure:%s.%s", p->name, n->name);
    else
        for (size_t i = 0; st == NX_OK && i < n->n_fqn; i++)
            st = nx_buf_addf(b, "%s%s", i == 0 ? "" : ".", n->fqn[i]);
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status as_json(dbt_project *p, const dbt_node *n, nx_buf *b, nx_err *err)
{
    nx_jw w;
    nx_jw_begin(&w, b);
    nx_jw_obj(&w);
    nx_jw_put_cstr(&w, "name", n->name);
    nx_jw_put_cstr(&w, "resource_type", nx__dbt_kind_name(n->kind));
    nx_jw_put_cstr(&w, "package_name", p->name);
    nx_jw_put_cstr(&w, "original_file_path", n->file);
    nx_jw_put_cstr(&w, "unique_id", n->id);
    if (n->kind != DBT_SOURCE && n->kind != DBT_EXPOSURE)
        nx_jw_put_cstr(&w, "alias", n->alias);
    nx_jw_key(&w, "tags");
    nx_jw_arr(&w);
    const nx_val *tags = nx_val_get(&n->cfg, "tags");
    for (size_t i = 0; tags != NULL && i < tags->n; i++)
        nx_jw_str(&w, tags->items[i].s);
    nx_jw_arr_end(&w);
    nx_jw_key(&w, "depends_on");
    nx_jw_obj(&w);
    nx_jw_key(&w, "nodes");
    nx_jw_arr(&w);
    for (size_t i = 0; i < n->deps.n; i++)
        nx_jw_cstr(&w, ((const dbt_node *)n->deps.v[i])->id);
    nx_jw_arr_end(&w);
    nx_jw_obj_end(&w);
    nx_jw_obj_end(&w);
    return nx_jw_end(&w) == NX_OK ? NX_OK : nx_nomem(err);
}

nx_status nx__dbt_ls(dbt_project *p, nx_err *err)
{
    const char *output = p->o->output == NULL ? "selector" : p->o->output;
    size_t listed = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        const dbt_node *n = p->nodes.v[i];
        if (!n->selected)
            continue;
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        if (strcmp(output, "selector") == 0)
            NX_TRY(dotted(p, n, &b, err));
        else if (strcmp(output, "json") == 0)
            NX_TRY(as_json(p, n, &b, err));
        else if (strcmp(output, "name") != 0 && strcmp(output, "path") != 0)
            return nx_fail(err, NX_INVALID, "--output %s: expected name, path, selector or json", output);
        else if (nx_buf_adds(&b, strcmp(output, "name") == 0 ? n->name : n->file) != NX_OK)
            return nx_nomem(err);
        if (p->o->data != NULL)
            p->o->data(p->o->ctx, b.p);
        listed++;
    }
    if (listed == 0)
        nx__dbt_say(p, "[WARNING]: No nodes selected!");
    return NX_OK;
}
