/* Models: a view is SQL kept in the state folder; a table and an increment are one Delta commit. */
#include "transform/dbt_int.h"

/* ---- writing through the lake ---- */

bool nx__dbt_is_built(dbt_project *p, const dbt_node *n)
{
    const char *there = nx__dbt_exists(p, n->schema, n->alias);
    nx_err ignored;
    nx_table *t;
    nx_table_info info;
    if (there == NULL || strcmp(there, "table") != 0 ||
        nx_table_open(p->o->lake, nx__dbt_relname(&p->arena, n), &t, &ignored) != NX_OK)
        return false;
    return nx_table_info_get(t, &info, &ignored) == NX_OK &&
           info.version > 0; /* version 0 is the empty table before its first write */
}

/* Descriptions of the model's columns become comments of the table's. */
static nx_status with_comments(dbt_project *p, const dbt_node *n, nx_schema *s, nx_err *err)
{
    nx_field *f = NX_ARENA_ARRAY(&p->arena, nx_field, s->n_fields + 1);
    if (f == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < s->n_fields; i++) {
        f[i] = s->fields[i];
        for (size_t k = 0; k < n->columns.n; k++) {
            const dbt_column *c = n->columns.v[k];
            if (c->description[0] != '\0' && nx_str_eq_nocase(nx_str_of(c->name), nx_str_of(f[i].name)))
                f[i].comment = c->description;
        }
    }
    s->fields = f;
    return NX_OK;
}

const char *const *nx__dbt_names_of(dbt_project *p, const dbt_list *l)
{
    const char **v = NX_ARENA_ARRAY(&p->arena, const char *, l->n + 1);
    for (size_t i = 0; v != NULL && i < l->n; i++)
        v[i] = l->v[i];
    return v;
}

nx_status nx__dbt_write(dbt_project *p, dbt_node *n, nx_str sql, nx_write_opts *o, nx_err *err)
{
    const char *name = nx__dbt_relname(&p->arena, n);
    nx_schema *schema;
    NX_TRY(nx_session_schema(p->session, sql, &p->arena, &schema, err));
    NX_TRY(with_comments(p, n, schema, err));
    dbt_list parts = {0};
    NX_TRY(nx__dbt_strings(&p->arena, nx_val_get(&n->cfg, "partition_by"), "partition_by", &parts, err));
    nx_table_spec spec = {
        .name = name, .schema = schema, .description = n->description[0] == '\0' ? NULL : n->description};
    if (parts.n > 0 && (spec.partition = nx__dbt_names_of(p, &parts)) == NULL)
        return nx_nomem(err);
    if (o->commit.operation == NULL)
        o->commit.operation = "WRITE";
    nx_commit_result r = {0};
    bool is_new = nx__dbt_exists(p, n->schema, n->alias) == NULL;
    nx_status st = nx_lake_write_sql(p->o->lake, p->session, &spec, sql, o, &r, err);
    if (st != NX_OK && is_new) {
        nx_err ignored; /* a table made for a write that failed would count as built */
        nx_status dropped = nx_lake_drop_table(p->o->lake, name, &ignored);
        (void)dropped;
    }
    NX_TRY(st);
    n->rows_added = r.rows_added;
    n->rows_removed = r.rows_removed;
    n->rows_affected = r.rows_added;
    NX_TRY(nx__dbt_view_forget(p, n->schema, n->alias, err));
    NX_TRY(nx_lake_attach_table(p->o->lake, p->session, name, err));
    if (nx_map_set(&p->relations, nx_str_of(name), "table") != NX_OK)
        return nx_nomem(err);
    /* the engine binds views once: those over a table whose columns changed are made again */
    return o->mode == NX_WRITE_OVERWRITE || o->add_columns != NULL ? nx__dbt_reattach(p, err) : NX_OK;
}

static nx_status make_view(dbt_project *p, dbt_node *n, nx_err *err)
{
    const char *there = nx__dbt_exists(p, n->schema, n->alias);
    if (there != NULL && strcmp(there, "table") == 0) {
        const char *name = nx__dbt_relname(&p->arena, n);
        if (!nx__dbt_cfg_bool(n, "full_refresh", p->o->full_refresh)) {
            nx_status st =
                nx_fail(err, NX_CONFLICT, "%s is a table with a history, and the model is a view by now", name);
            return nx_err_hint(err, st, "--full-refresh drops the table; or give the view another alias");
        }
        nx_schema *ignored; /* a view that cannot work must not cost the table */
        NX_TRY(nx_session_schema(p->session, n->compiled, &p->arena, &ignored, err));
        NX_TRY(nx_lake_drop_table(p->o->lake, name, err));
        NX_TRY(nx_session_execf(p->session, err, "drop view if exists \"%s\".\"%s\"", n->schema, n->alias));
    }
    return nx__dbt_view_make(p, n->schema, n->alias, n->compiled, err);
}

/* ---- increments ---- */

typedef struct increment {
    const nx_schema *old, *now; /* columns of the table and of the query */
    dbt_list added;             /* const char *: in the query, not in the table */
    size_t missing, changed;
    const char *strategy;
    dbt_list key;
} increment;

static size_t find(const nx_schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (nx_str_eq_nocase(nx_str_of(s->fields[i].name), nx_str_of(name)))
            return i;
    return SIZE_MAX;
}

static nx_status compare_schemas(dbt_project *p, increment *x, nx_err *err)
{
    for (size_t i = 0; i < x->now->n_fields; i++) {
        size_t at = find(x->old, x->now->fields[i].name);
        if (at == SIZE_MAX)
            NX_TRY(nx__dbt_push(&p->arena, &x->added, (void *)x->now->fields[i].name, err));
        else
            x->changed += !nx_type_equal(&x->old->fields[at].type, &x->now->fields[i].type);
    }
    for (size_t i = 0; i < x->old->n_fields; i++)
        x->missing += find(x->now, x->old->fields[i].name) == SIZE_MAX;
    return NX_OK;
}

static nx_status list_differences(const increment *x, nx_buf *b, nx_err *err)
{
    nx_status st = NX_OK;
    for (size_t i = 0; st == NX_OK && i < x->added.n; i++)
        st = nx_buf_addf(b, "%snew %s", b->n == 0 ? "" : ", ", (const char *)x->added.v[i]);
    for (size_t i = 0; st == NX_OK && i < x->old->n_fields; i++) {
        size_t at = find(x->now, x->old->fields[i].name);
        if (at == SIZE_MAX)
            st = nx_buf_addf(b, "%smissing %s", b->n == 0 ? "" : ", ", x->old->fields[i].name);
        else if (!nx_type_equal(&x->old->fields[i].type, &x->now->fields[at].type))
            st = nx_buf_addf(b, "%stype of %s", b->n == 0 ? "" : ", ", x->old->fields[i].name);
    }
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

/* on_schema_change. Whatever dbt does not know counts as ignore there, and here. */
static nx_status schema_change(const dbt_node *n, increment *x, nx_err *err)
{
    nx_str rule = nx__dbt_cfg_str(n, "on_schema_change", "ignore");
    bool differs = x->added.n > 0 || x->missing > 0 || x->changed > 0;
    bool sync = nx_str_is(rule, "sync_all_columns"), add = sync || nx_str_is(rule, "append_new_columns");
    if (!add)
        x->added.n = nx_str_is(rule, "fail") ? x->added.n : 0;
    if (!differs || (!nx_str_is(rule, "fail") && !(sync && (x->missing > 0 || x->changed > 0))))
        return NX_OK;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    NX_TRY(list_differences(x, &b, err));
    nx_status st =
        sync ? nx_fail(err, NX_UNSUPPORTED,
                       "the columns of %s.%s and of its query differ (%s); sync_all_columns can add columns here, "
                       "not drop or change them",
                       n->schema, n->alias, b.p)
             : nx_fail(err, NX_CHECK_FAILED,
                       "the columns of %s.%s and of its query differ (%s), and on_schema_change is fail", n->schema,
                       n->alias, b.p);
    return nx_err_hint(err, st, "--full-refresh builds the table anew");
}

static nx_status add_column(nx_buf *b, const nx_field *f, bool present, bool first)
{
    NX_TRY(first ? NX_OK : nx_buf_adds(b, ", "));
    if (!present) {
        NX_TRY(nx_buf_adds(b, "cast(null as "));
        NX_TRY(nx_type_to_sql(&f->type, b));
        NX_TRY(nx_buf_adds(b, ") as "));
    }
    return nx_sql_ident(b, nx_str_of(f->name));
}

/* The query with exactly the table's columns, new ones behind them. */
static nx_status shape_query(const dbt_node *n, const increment *x, nx_buf *b, nx_err *err)
{
    bool ignore = nx_str_is(nx__dbt_cfg_str(n, "on_schema_change", "ignore"), "ignore");
    nx_status st = nx_buf_adds(b, "select ");
    for (size_t i = 0; st == NX_OK && i < x->old->n_fields; i++) {
        bool present = find(x->now, x->old->fields[i].name) != SIZE_MAX;
        if (!present && ignore) {
            st =
                nx_fail(err, NX_CHECK_FAILED, "the query of %s.%s no longer gives the column '%s', which the table has",
                        n->schema, n->alias, x->old->fields[i].name);
            return nx_err_hint(err, st,
                               "set on_schema_change: append_new_columns to fill it with nulls, or use --full-refresh");
        }
        st = add_column(b, &x->old->fields[i], present, i == 0);
    }
    for (size_t i = 0; st == NX_OK && i < x->added.n; i++) {
        st = nx_buf_adds(b, ", ");
        if (st == NX_OK)
            st = nx_sql_ident(b, nx_str_of(x->added.v[i]));
    }
    if (st == NX_OK)
        st = nx_buf_addf(b, " from (\n" NX_STR_FMT "\n)", NX_STR_ARG(n->compiled));
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

/* Columns that a merge updates; *ret NULL: all. */
static nx_status merge_columns(dbt_project *p, const dbt_node *n, const increment *x, const char *const **ret,
                               nx_err *err)
{
    dbt_list only = {0}, except = {0}, set = {0};
    NX_TRY(nx__dbt_strings(&p->arena, nx_val_get(&n->cfg, "merge_update_columns"), "merge_update_columns", &only, err));
    NX_TRY(nx__dbt_strings(&p->arena, nx_val_get(&n->cfg, "merge_exclude_columns"), "merge_exclude_columns", &except,
                           err));
    *ret = NULL;
    if (only.n == 0 && except.n == 0 && x->missing == 0)
        return NX_OK;
    for (size_t i = 0; i < x->now->n_fields; i++) {
        const char *name = x->now->fields[i].name;
        bool in_only = only.n == 0, in_except = false, known = find(x->old, name) != SIZE_MAX;
        for (size_t k = 0; k < only.n; k++)
            in_only = in_only || nx_str_eq_nocase(nx_str_of(only.v[k]), nx_str_of(name));
        for (size_t k = 0; k < except.n; k++)
            in_except = in_except || nx_str_eq_nocase(nx_str_of(except.v[k]), nx_str_of(name));
        for (size_t k = 0; k < x->added.n; k++)
            known = known || strcmp(x->added.v[k], name) == 0;
        if (in_only && !in_except && known)
            NX_TRY(nx__dbt_push(&p->arena, &set, (void *)name, err));
    }
    *ret = nx__dbt_names_of(p, &set);
    return *ret == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status plan_increment(dbt_project *p, dbt_node *n, increment *x, nx_write_opts *o, nx_err *err)
{
    nx_str given = nx__dbt_cfg_str(n, "incremental_strategy", "");
    NX_TRY(nx__dbt_strings(&p->arena, nx_val_get(&n->cfg, "unique_key"), "unique_key", &x->key, err));
    if (given.n == 0)
        given = x->key.n > 0 ? NX_STR("delete+insert") : NX_STR("append");
    /* without a key there is nothing to match: dbt inserts all */
    if (nx_str_is(given, "append") || x->key.n == 0)
        o->mode = NX_WRITE_APPEND;
    else
        o->mode = nx_str_is(given, "merge") ? NX_WRITE_MERGE : NX_WRITE_DELETE_INSERT;
    o->commit.operation = o->mode == NX_WRITE_APPEND ? "WRITE" : "MERGE";
    NX_TRY(compare_schemas(p, x, err));
    NX_TRY(schema_change(n, x, err));
    if (o->mode != NX_WRITE_APPEND && (o->key = nx__dbt_names_of(p, &x->key)) == NULL)
        return nx_nomem(err);
    for (size_t i = 0; o->mode != NX_WRITE_APPEND && i < x->key.n; i++)
        if (find(x->old, x->key.v[i]) == SIZE_MAX || find(x->now, x->key.v[i]) == SIZE_MAX)
            return nx_fail(err, NX_INVALID, "unique_key '%s' is no column of %s.%s and of its query",
                           (const char *)x->key.v[i], n->schema, n->alias);
    if (o->mode == NX_WRITE_MERGE)
        NX_TRY(merge_columns(p, n, x, &o->update_columns, err));
    if (x->added.n > 0 && (o->add_columns = nx__dbt_names_of(p, &x->added)) == NULL)
        return nx_nomem(err);
    return NX_OK;
}

static nx_status increase(dbt_project *p, dbt_node *n, nx_err *err)
{
    nx_table *t;
    nx_schema *old, *now;
    increment x = {0};
    nx_write_opts o = {0};
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    NX_TRY(nx_table_open(p->o->lake, nx__dbt_relname(&p->arena, n), &t, err));
    NX_TRY(nx_table_schema(t, &p->arena, &old, err));
    NX_TRY(nx_session_schema(p->session, n->compiled, &p->arena, &now, err));
    x.old = old;
    x.now = now;
    NX_TRY(plan_increment(p, n, &x, &o, err));
    NX_TRY(shape_query(n, &x, &b, err));
    return nx__dbt_write(p, n, nx_buf_str(&b), &o, err);
}

static nx_status make_incremental(dbt_project *p, dbt_node *n, nx_err *err)
{
    if (nx__dbt_is_built(p, n) && !nx__dbt_cfg_bool(n, "full_refresh", p->o->full_refresh))
        return increase(p, n, err);
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
    return nx__dbt_write(p, n, n->compiled, &o, err);
}

/* ---- hooks ---- */

nx_status nx__dbt_hooks(dbt_project *p, dbt_node *n, const char *key, nx_err *err)
{
    const nx_val *hooks = nx_val_get(&n->cfg, key);
    for (size_t i = 0; hooks != NULL && i < hooks->n; i++) {
        const nx_val *h = &hooks->items[i];
        nx_str text = h->kind == NX_VAL_OBJ ? nx_val_str(nx_val_get(h, "sql"), NX_STR("")) : h->s;
        NX_BUF_AUTO nx_buf sql;
        nx_buf_init(&sql, 0);
        NX_TRY(nx__dbt_render_text(p, n, n->file, text, &sql, err));
        if (nx_str_trim(nx_buf_str(&sql)).n == 0)
            continue;
        nx_status st = nx_session_exec(p->session, nx_buf_str(&sql), NULL, err);
        if (st != NX_OK) {
            nx_err_prefix(err, "%s %zu", key, i + 1);
            return st;
        }
    }
    return NX_OK;
}

nx_status nx__dbt_mat_model(dbt_project *p, dbt_node *n, nx_err *err)
{
    const char *m = nx__dbt_materialized(n);
    NX_TRY(nx__dbt_compile(p, n, err));
    NX_TRY(nx__dbt_write_target(p, "run", nx__dbt_target_file(p, n), n->compiled, err));
    NX_TRY(nx__dbt_hooks(p, n, "pre-hook", err));
    if (strcmp(m, "view") == 0)
        NX_TRY(make_view(p, n, err));
    else if (strcmp(m, "incremental") == 0)
        NX_TRY(make_incremental(p, n, err));
    else {
        nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
        NX_TRY(nx__dbt_write(p, n, n->compiled, &o, err));
    }
    NX_TRY(nx__dbt_hooks(p, n, "post-hook", err));
    n->response = "OK";
    return NX_OK;
}
