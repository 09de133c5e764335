/* The first pass: files → nodes, macros and docs; then every template is rendered once with execute = false, which records what it
 * refers to and its config. */
#include "transform/dbt_int.h"

#include <stdlib.h>

/* ---- rendering ---- */

/* "ref('x')" alone and texts with Jinja are evaluated; anything else stays what YAML made of it. */
static nx_status test_arg(nx_jrun *run, const dbt_node *n, const nx_val *v, nx_jval *ret, nx_err *err)
{
    if (v->kind == NX_VAL_ARR) {
        NX_TRY(nx_jrun_list(run, ret, err));
        for (size_t i = 0; i < v->n; i++) {
            nx_jval item;
            NX_TRY(test_arg(run, n, &v->items[i], &item, err));
            NX_TRY(nx_jlist_add(run, ret, item, err));
        }
        return NX_OK;
    }
    if (v->kind != NX_VAL_STR)
        return nx_jval_from_tree(run, v, ret, err);
    nx_str s = nx_str_trim(v->s);
    if ((nx_str_starts(s, NX_STR("ref(")) || nx_str_starts(s, NX_STR("source("))) && nx_str_ends(s, NX_STR(")")))
        return nx_jrun_expr(run, n->file, v->line, s, ret, err);
    if (nx_str_find(s, NX_STR("{{"), 0) == SIZE_MAX)
        return nx_jval_from_tree(run, v, ret, err);
    nx_jtmpl *t;
    NX_TRY(nx_jrun_compile(run, n->file, v->line, v->s, &t, err));
    return nx_jrun_native(run, t, ret, err);
}

static nx_status set_test_args(nx_jrun *run, const dbt_node *n, nx_err *err)
{
    nx_jval kwargs, v;
    NX_TRY(nx_jrun_dict(run, &kwargs, err));
    nx_val model = nx__dbt_val_str(nx_str_of(n->test->model_arg));
    NX_TRY(test_arg(run, n, &model, &v, err));
    NX_TRY(nx_jdict_sets(run, &kwargs, "model", v, err));
    for (size_t i = 0; i < n->test->kwargs.n; i++) {
        const nx_val *arg = &n->test->kwargs.items[i];
        if (nx_str_is(n->test->kwargs.keys[i], "column_name"))
            NX_TRY(nx_jval_from_tree(run, arg, &v, err));
        else
            NX_TRY(test_arg(run, n, arg, &v, err));
        NX_TRY(nx_jdict_sets(run, &kwargs, n->test->kwargs.keys[i].p, v, err));
    }
    return nx_jrun_set(run, "_dbt_generic_test_kwargs", kwargs, err);
}

nx_status nx__dbt_render_node(nx_jrun *run, const dbt_node *n, nx_buf *out, nx_err *err)
{
    if (n->test != NULL)
        NX_TRY(set_test_args(run, n, err));
    return n->is_block ? nx_jrun_render_block(run, n->tmpl, n->block, out, err)
                       : nx_jrun_render(run, n->tmpl, out, err);
}

static nx_status parse_exposure(nx_jrun *run, dbt_node *n, nx_err *err)
{
    const nx_val *deps = nx_val_get(n->exposure_v, "depends_on");
    for (size_t i = 0; deps != NULL && i < deps->n; i++) {
        nx_jval ignored;
        NX_TRY(nx_jrun_expr(run, n->file, deps->items[i].line, deps->items[i].s, &ignored, err));
    }
    return NX_OK;
}

/* Hooks refer to relations too. */
static nx_status parse_hooks(nx_jrun *run, dbt_node *n, nx_err *err)
{
    static const char *const KEYS[] = {"pre-hook", "post-hook"};
    for (size_t k = 0; k < NX_COUNT_OF(KEYS); k++) {
        const nx_val *hooks = nx_val_get(&n->cfg, KEYS[k]);
        for (size_t i = 0; hooks != NULL && i < hooks->n; i++) {
            const nx_val *h = &hooks->items[i];
            nx_str sql = h->kind == NX_VAL_OBJ ? nx_val_str(nx_val_get(h, "sql"), NX_STR("")) : h->s;
            nx_jtmpl *t;
            NX_BUF_AUTO nx_buf out;
            nx_buf_init(&out, 0);
            NX_TRY(nx_jrun_compile(run, n->file, 1, sql, &t, err));
            NX_TRY(nx_jrun_render(run, t, &out, err));
        }
    }
    return NX_OK;
}

static nx_status call_name_macro(nx_jrun *run, dbt_project *p, dbt_node *n, const char *macro, const char *key,
                                 const char **ret, nx_err *err)
{
    nx_jval args[2], text;
    const nx_val *custom = nx_val_get(&n->cfg, key);
    NX_TRY(custom == NULL ? (args[0] = nx_jval_none(), NX_OK) : nx_jval_from_tree(run, custom, &args[0], err));
    args[1] = *nx_jrun_get(run, "model");
    nx_jargs a = {.v = args, .n = 2};
    NX_TRY(nx_jrun_call_macro(run, NULL, macro, &a, &text, err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    NX_TRY(nx_jval_print(run, &text, &b, err));
    *ret = nx__dbt_cstr(&p->arena, nx_str_trim(nx_buf_str(&b)));
    return *ret == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status good_name(const dbt_node *n, const char *what, const char *name, nx_err *err)
{
    if (name[0] == '\0' || name[0] == '.' || strpbrk(name, "./@:\"\\ ") != NULL)
        return nx_fail(err, NX_INVALID, "%s: %s '%s' gets the %s '%s', which is no name for a table's folder", n->file,
                       nx__dbt_kind_name(n->kind), n->name, what, name);
    return NX_OK;
}

static nx_status name_relation(nx_jrun *run, dbt_project *p, dbt_node *n, nx_err *err)
{
    if (n->kind == DBT_TEST || n->kind == DBT_EXPOSURE || n->kind == DBT_SOURCE)
        return NX_OK;
    const nx_val *target_schema = nx_val_get(&n->cfg, "target_schema");
    if (n->kind == DBT_SNAPSHOT && target_schema != NULL && target_schema->kind == NX_VAL_STR)
        n->schema = nx__dbt_cstr(&p->arena, target_schema->s); /* the older spelling is taken as it is */
    else
        NX_TRY(call_name_macro(run, p, n, "generate_schema_name", "schema", &n->schema, err));
    NX_TRY(call_name_macro(run, p, n, "generate_alias_name", "alias", &n->alias, err));
    if (n->schema == NULL)
        return nx_nomem(err);
    if (nx__dbt_is_ephemeral(n))
        return NX_OK;
    NX_TRY(good_name(n, "schema", n->schema, err));
    return good_name(n, "alias", n->alias, err);
}

static nx_status parse_with(nx_jrun *run, dbt_project *p, dbt_node *n, nx_err *err)
{
    if (n->tmpl != NULL) {
        NX_BUF_AUTO nx_buf out;
        nx_buf_init(&out, 0);
        NX_TRY(nx__dbt_render_node(run, n, &out, err));
    }
    if (n->kind == DBT_EXPOSURE)
        NX_TRY(parse_exposure(run, n, err));
    NX_TRY(nx__dbt_cfg_merge_all(&p->arena, &n->cfg, &n->inline_cfg, err));
    n->enabled = nx__dbt_cfg_bool(n, "enabled", true);
    if (!n->enabled)
        return NX_OK;
    NX_TRY(nx__dbt_cfg_check(p, n, err));
    return parse_hooks(run, n, err);
}

static nx_status parse_node(dbt_project *p, dbt_node *n, nx_err *err)
{
    dbt_ctx c = {.p = p, .node = n, .phase = DBT_PARSE};
    nx_jrun *run;
    n->enabled = nx__dbt_cfg_bool(n, "enabled", true) && (n->test == NULL || n->test->attached->enabled);
    if (!n->enabled)
        return NX_OK;
    if (n->kind == DBT_SOURCE)
        return NX_OK;
    n->schema = p->target.schema;
    NX_TRY(nx__dbt_run_new(&c, &run, err));
    nx_status st = parse_with(run, p, n, err);
    nx_jrun_free(run);
    NX_TRY(st);
    if (!n->enabled)
        return NX_OK;
    NX_TRY(nx__dbt_run_new(&c, &run, err)); /* now that the config is whole */
    st = name_relation(run, p, n, err);
    nx_jrun_free(run);
    return st;
}

/* ---- the whole ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(const dbt_node *const *)a)->id, (*(const dbt_node *const *)b)->id);
}

static nx_status split_disabled(dbt_project *p, nx_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *n = p->nodes.v[i];
        if (n->enabled && n->test != NULL && !n->test->attached->enabled)
            n->enabled = false;
        if (n->enabled) {
            p->nodes.v[kept++] = n;
            continue;
        }
        nx_map_remove(&p->by_id, nx_str_of(n->id));
        NX_TRY(nx__dbt_push(&p->arena, &p->disabled, n, err));
    }
    p->nodes.n = kept;
    if (kept > 1)
        qsort(p->nodes.v, kept, sizeof *p->nodes.v, by_id);
    return NX_OK;
}

/* Two nodes may not write one table, nor answer to one ref(). */
static nx_status check_unique(dbt_project *p, nx_err *err)
{
    NX_AUTO(nx_map_drop) nx_map rels;
    NX_AUTO(nx_map_drop) nx_map names;
    nx_map_init(&rels, NULL);
    nx_map_init(&names, NULL);
    for (size_t i = 0; i < p->nodes.n; i++) {
        dbt_node *n = p->nodes.v[i];
        if (n->kind != DBT_MODEL && n->kind != DBT_SEED && n->kind != DBT_SNAPSHOT)
            continue;
        const char *rel = nx__dbt_relname(&p->arena, n);
        const dbt_node *old = nx_map_get(&names, nx_str_of(n->name));
        if (old != NULL)
            return nx_fail(err, NX_INVALID, "%s: the name '%s' is taken: %s is a %s of that name", n->file, n->name,
                           old->file, nx__dbt_kind_name(old->kind));
        old = nx__dbt_is_ephemeral(n) ? NULL : nx_map_get(&rels, nx_str_of(rel));
        if (old != NULL)
            return nx_fail(err, NX_INVALID, "%s: %s '%s' would write %s, which %s '%s' writes already", n->file,
                           nx__dbt_kind_name(n->kind), n->name, rel, nx__dbt_kind_name(old->kind), old->name);
        if (nx_map_set(&names, nx_str_of(n->name), n) != NX_OK ||
            (!nx__dbt_is_ephemeral(n) && nx_map_set(&rels, nx_str_of(rel), n) != NX_OK))
            return nx_nomem(err);
    }
    return NX_OK;
}

nx_status nx__dbt_parse(dbt_project *p, nx_err *err)
{
    NX_TRY(nx__dbt_read_files(p, err));
    /* what tests hang on is decided before the tests are: by kind, models first */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < p->nodes.n; i++) {
            dbt_node *n = p->nodes.v[i];
            if ((n->kind == DBT_TEST) == (pass == 1))
                NX_TRY(parse_node(p, n, err));
        }
    NX_TRY(split_disabled(p, err));
    NX_TRY(check_unique(p, err));
    NX_TRY(nx__dbt_graph_link(p, err));
    return nx__dbt_graph_check(p, err);
}
