#include "app/gold.h"

#include <stdio.h>

#include "data/json.h"

static const char *text(nx_project *p, const nx_val *v)
{
    nx_str s = nx_val_str(v, NX_STR(""));
    return s.n == 0 ? NULL : nx_arena_dup(&p->arena, s);
}

static const char *const *names(nx_project *p, const nx_val *list)
{
    size_t n = list != NULL && list->kind == NX_VAL_ARR ? list->n : 0;
    const char **out = NX_ARENA_ARRAY(&p->arena, const char *, n + 1);
    for (size_t i = 0; out != NULL && i < n; i++)
        out[i] = text(p, &list->items[i]);
    return out;
}

static nx_status columns_of(nx_project *p, const nx_val *columns, nx_publish_table *t, nx_err *err)
{
    size_t n = columns == NULL ? 0 : columns->n;
    nx_publish_column *c = NX_ARENA_ARRAY(&p->arena, nx_publish_column, n + 1);
    if (c == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++) {
        c[i].name = text(p, nx_val_get(&columns->items[i], "name"));
        c[i].comment = text(p, nx_val_get(&columns->items[i], "description"));
    }
    t->columns = c;
    t->n_columns = n;
    return NX_OK;
}

static nx_status keys_of(nx_project *p, const nx_val *meta, const char *model, nx_publish_table *t, nx_err *err)
{
    t->primary_key = names(p, nx_val_get(meta, "primary_key"));
    if (t->primary_key == NULL)
        return nx_nomem(err);
    if (t->primary_key[0] == NULL) {
        nx_fail(err, NX_INVALID, "model %s says no meta.primary_key: it cannot be published", model);
        return nx_err_hint(err, NX_INVALID, "add meta: {primary_key: [column, …]} to its properties");
    }
    const nx_val *fks = nx_val_get(meta, "foreign_keys");
    size_t n = fks != NULL && fks->kind == NX_VAL_ARR ? fks->n : 0;
    nx_publish_fkey *f = NX_ARENA_ARRAY(&p->arena, nx_publish_fkey, n + 1);
    if (f == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++) {
        f[i].columns = names(p, nx_val_get(&fks->items[i], "columns"));
        f[i].to = text(p, nx_val_get(&fks->items[i], "to"));
        if (f[i].columns == NULL || f[i].columns[0] == NULL || f[i].to == NULL)
            return nx_fail(err, NX_INVALID, "model %s: a foreign key needs columns and to", model);
    }
    t->foreign_keys = f;
    t->n_foreign_keys = n;
    return NX_OK;
}

static nx_status add_table(nx_project *p, const nx_val *node, nx_publish_table *t, nx_err *err)
{
    const char *name = text(p, nx_val_get(node, "alias"));
    if (name == NULL)
        name = text(p, nx_val_get(node, "name"));
    if (name == NULL)
        return nx_fail(err, NX_CORRUPT, "the manifest holds a model without a name");
    const nx_val *meta = nx_val_path(node, "config.meta");
    if (nx_val_get(meta, "primary_key") == NULL)
        meta = nx_val_get(node, "meta");
    *t = (nx_publish_table){.name = name,
                            .lake_table = nx_arena_printf(&p->arena, "gold.%s", name),
                            .comment = text(p, nx_val_get(node, "description"))};
    if (t->lake_table == NULL)
        return nx_nomem(err);
    NX_TRY(keys_of(p, meta, name, t, err));
    return columns_of(p, nx_val_get(node, "columns"), t, err);
}

static bool is_gold_table(const nx_val *node)
{
    return nx_str_is(nx_val_str(nx_val_get(node, "resource_type"), NX_STR("")), "model") &&
           nx_str_is(nx_val_str(nx_val_get(node, "schema"), NX_STR("")), "gold") &&
           !nx_str_is(nx_val_str(nx_val_path(node, "config.materialized"), NX_STR("")), "view") &&
           !nx_str_is(nx_val_str(nx_val_path(node, "config.materialized"), NX_STR("")), "ephemeral");
}

/* Dimensions before the facts that reference them. */
static void referenced_first(nx_publish_table *t, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++)
        if (t[i].n_foreign_keys == 0) {
            nx_publish_table dim = t[i];
            memmove(&t[at + 1], &t[at], (i - at) * sizeof *t);
            t[at++] = dim;
        }
}

nx_status nx_gold_tables(nx_project *p, const nx_publish_table **ret, size_t *ret_n, const char *const **ret_names,
                         nx_err *err)
{
    const char *dir, *target;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 64 << 20);
    NX_TRY(nx_dbt_folders(p, NULL, &dir, &target, err));
    const char *file = nx_arena_printf(&p->arena, "%s/manifest.json", target);
    nx_val *root;
    if (file == NULL)
        return nx_nomem(err);
    if (!nx_file_exists(file)) {
        nx_fail(err, NX_NOT_FOUND, "there is no %s: no models were built yet", file);
        return nx_err_hint(err, NX_NOT_FOUND, "run: nexus dbt build");
    }
    NX_TRY(nx_file_read(file, &b, err));
    if (nx_json_parse(nx_buf_str(&b), NULL, &p->arena, &root, err) != NX_OK)
        return nx_err_prefix(err, "%s", file);
    const nx_val *nodes = nx_val_get(root, "nodes");
    size_t most = nodes == NULL ? 0 : nodes->n, n = 0;
    nx_publish_table *t = NX_ARENA_ARRAY(&p->arena, nx_publish_table, most + 1);
    const char **lake_names = NX_ARENA_ARRAY(&p->arena, const char *, most + 1);
    if (t == NULL || lake_names == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < most; i++)
        if (is_gold_table(&nodes->items[i]))
            NX_TRY(add_table(p, &nodes->items[i], &t[n++], err));
    referenced_first(t, n);
    for (size_t i = 0; i < n; i++)
        lake_names[i] = t[i].lake_table;
    if (n == 0)
        return nx_fail(err, NX_NOT_FOUND, "%s holds no tables of schema gold", file);
    *ret = t;
    *ret_n = n;
    *ret_names = lake_names;
    return NX_OK;
}
