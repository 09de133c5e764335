/* Node configuration: dbt's precedence (project tree, properties, in-file) and its merge rule per key. */
#include "transform/dbt_int.h"

#include <strings.h>

typedef enum merge_rule { CLOBBER, APPEND, UPDATE } merge_rule;

static merge_rule rule_of(nx_str key)
{
    static const char *const APPENDED[] = {"tags", "packages", "pre-hook", "post-hook"};
    static const char *const UPDATED[] = {"meta", "quoting", "column_types", "docs", "contract", "grants"};
    for (size_t i = 0; i < NX_COUNT_OF(APPENDED); i++)
        if (nx_str_is(key, APPENDED[i]))
            return APPEND;
    for (size_t i = 0; i < NX_COUNT_OF(UPDATED); i++)
        if (nx_str_is(key, UPDATED[i]))
            return UPDATE;
    return CLOBBER;
}

/* In-file config cannot spell a dash, and some keys have an older name. */
static nx_str canonical(nx_str key)
{
    if (nx_str_is(key, "pre_hook"))
        return NX_STR("pre-hook");
    if (nx_str_is(key, "post_hook"))
        return NX_STR("post-hook");
    if (nx_str_is(key, "predicates"))
        return NX_STR("incremental_predicates");
    return key;
}

static nx_status append(nx_arena *a, nx_val *list, const nx_val *v, bool unique, nx_err *err)
{
    if (v->kind == NX_VAL_NULL)
        return NX_OK;
    if (v->kind == NX_VAL_ARR) {
        for (size_t i = 0; i < v->n; i++)
            NX_TRY(append(a, list, &v->items[i], unique, err));
        return NX_OK;
    }
    for (size_t i = 0; unique && list->kind == NX_VAL_ARR && i < list->n; i++)
        if (nx_str_eq(list->items[i].s, v->s))
            return NX_OK;
    return nx__dbt_arr_add(a, list, v, err);
}

nx_status nx__dbt_cfg_merge(nx_arena *a, nx_val *cfg, nx_str key, const nx_val *v, nx_err *err)
{
    key = canonical(key);
    const nx_val *old = NULL;
    for (size_t i = 0; cfg->kind == NX_VAL_OBJ && i < cfg->n; i++)
        if (nx_str_eq(cfg->keys[i], key))
            old = &cfg->items[i];
    nx_val made;
    switch (rule_of(key)) {
    case APPEND:
        made = old != NULL && old->kind == NX_VAL_ARR ? *old
                                                      : (nx_val){.kind = NX_VAL_ARR, .line = v->line, .col = v->col};
        NX_TRY(append(a, &made, v, nx_str_is(key, "tags"), err));
        return nx__dbt_obj_put(a, cfg, key, &made, err);
    case UPDATE:
        if (v->kind != NX_VAL_OBJ)
            return nx__dbt_obj_put(a, cfg, key, v, err);
        made = old != NULL && old->kind == NX_VAL_OBJ ? *old
                                                      : (nx_val){.kind = NX_VAL_OBJ, .line = v->line, .col = v->col};
        for (size_t i = 0; i < v->n; i++)
            NX_TRY(nx__dbt_obj_put(a, &made, v->keys[i], &v->items[i], err));
        return nx__dbt_obj_put(a, cfg, key, &made, err);
    case CLOBBER:
        break;
    }
    return nx__dbt_obj_put(a, cfg, key, v, err);
}

nx_status nx__dbt_cfg_merge_all(nx_arena *a, nx_val *cfg, const nx_val *obj, nx_err *err)
{
    for (size_t i = 0; obj != NULL && obj->kind == NX_VAL_OBJ && i < obj->n; i++)
        NX_TRY(nx__dbt_cfg_merge(a, cfg, obj->keys[i], &obj->items[i], err));
    return NX_OK;
}

/* One level of the tree: "+key" always is a config, a plain key is one unless it holds a map (a deeper level). */
static nx_status merge_level(nx_arena *a, nx_val *cfg, const nx_val *level, nx_err *err)
{
    for (size_t i = 0; i < level->n; i++) {
        nx_str key = level->keys[i];
        const nx_val *v = &level->items[i];
        if (key.n > 1 && key.p[0] == '+')
            NX_TRY(nx__dbt_cfg_merge(a, cfg, nx_str_sub(key, 1, key.n), v, err));
        else if (v->kind != NX_VAL_OBJ)
            NX_TRY(nx__dbt_cfg_merge(a, cfg, key, v, err));
    }
    return NX_OK;
}

nx_status nx__dbt_cfg_tree(dbt_project *p, dbt_node *n, nx_err *err)
{
    static const char *const KEYS[] = {[DBT_MODEL] = "models",       [DBT_SEED] = "seeds",
                                       [DBT_SNAPSHOT] = "snapshots", [DBT_TEST] = "data_tests",
                                       [DBT_SOURCE] = "sources",     [DBT_EXPOSURE] = "exposures"};
    if (n->kind == DBT_OPERATION)
        return NX_OK;
    const nx_val *level = nx_val_get(p->yml, KEYS[n->kind]);
    if (level == NULL && n->kind == DBT_TEST)
        level = nx_val_get(p->yml, "tests");
    for (size_t i = 0; level != NULL && level->kind == NX_VAL_OBJ; i++) {
        NX_TRY(merge_level(&p->arena, &n->cfg, level, err));
        level = i < n->n_fqn ? nx_val_get(level, n->fqn[i]) : NULL;
    }
    return NX_OK;
}

nx_str nx__dbt_cfg_str(const dbt_node *n, const char *key, const char *dflt)
{
    const nx_val *v = nx_val_get(&n->cfg, key);
    return v == NULL || (v->kind != NX_VAL_STR && v->kind != NX_VAL_NUM) ? nx_str_of(dflt) : v->s;
}

bool nx__dbt_cfg_bool(const dbt_node *n, const char *key, bool dflt)
{
    const nx_val *v = nx_val_get(&n->cfg, key);
    if (v == NULL)
        return dflt;
    if (v->kind == NX_VAL_STR)
        return nx_str_eq_nocase(v->s, NX_STR("true")) || nx_str_eq_nocase(v->s, NX_STR("yes"));
    return v->kind == NX_VAL_BOOL ? v->b : dflt;
}

/* ---- what this runner does not speak ---- */

static nx_status refuse(const dbt_node *n, const char *what, nx_err *err)
{
    nx_status st = nx_fail(err, NX_UNSUPPORTED, "%s: %s '%s': %s is not supported by this runner", n->file,
                           nx__dbt_kind_name(n->kind), n->name, what);
    return nx_err_hint(err, st, "remove it from the config, or run the installed dbt with --engine core");
}

static bool is_set(const nx_val *v)
{
    if (v == NULL || v->kind == NX_VAL_NULL)
        return false;
    if (v->kind == NX_VAL_BOOL)
        return v->b;
    return v->kind == NX_VAL_NUM || (v->kind == NX_VAL_STR ? v->s.n > 0 : v->n > 0);
}

static nx_status check_refused(dbt_project *p, dbt_node *n, nx_err *err)
{
    static const char *const KEYS[] = {"incremental_predicates",
                                       "sql_header",
                                       "grants",
                                       "database",
                                       "target_database",
                                       "event_time",
                                       "batch_size",
                                       "begin",
                                       "lookback",
                                       "on_error",
                                       "location_root",
                                       "clustered_by",
                                       "store_failures_as",
                                       "store_failures",
                                       "external_location",
                                       "plugin",
                                       "merge_update_condition",
                                       "merge_insert_condition",
                                       "merge_clauses",
                                       "merge_on_using_columns",
                                       "merge_update_set_expressions"};
    for (size_t i = 0; i < NX_COUNT_OF(KEYS); i++) {
        /* sources name plugins and files for other engines, which read them there */
        if (is_set(nx_val_get(&n->cfg, KEYS[i])) && n->kind != DBT_SOURCE && n->kind != DBT_EXPOSURE) {
            const char *what = nx_arena_printf(&p->arena, "config '%s'", KEYS[i]);
            return what == NULL ? nx_nomem(err) : refuse(n, what, err);
        }
    }
    const nx_val *contract = nx_val_get(&n->cfg, "contract");
    if (nx_val_bool(nx_val_get(contract, "enforced"), false))
        return refuse(n, "an enforced contract", err);
    if (nx_str_is(nx__dbt_cfg_str(n, "access", ""), "private"))
        return refuse(n, "access: private", err);
    return NX_OK;
}

static nx_status one_of(dbt_project *p, const dbt_node *n, const char *key, nx_str value, const char *const *allowed,
                        nx_err *err)
{
    for (size_t i = 0; allowed[i] != NULL; i++)
        if (nx_str_eq_nocase(value, nx_str_of(allowed[i])))
            return NX_OK;
    const char *what = nx_arena_printf(&p->arena, "%s '" NX_STR_FMT "'", key, NX_STR_ARG(value));
    return what == NULL ? nx_nomem(err) : refuse(n, what, err);
}

static nx_status check_model(dbt_project *p, dbt_node *n, nx_err *err)
{
    static const char *const MATERIALIZED[] = {"view", "table", "incremental", "ephemeral", NULL};
    static const char *const STRATEGY[] = {"append", "delete+insert", "merge", NULL};
    NX_TRY(one_of(p, n, "materialized", nx_str_of(nx__dbt_materialized(n)), MATERIALIZED, err));
    const nx_val *strategy = nx_val_get(&n->cfg, "incremental_strategy");
    if (is_set(strategy))
        NX_TRY(one_of(p, n, "incremental_strategy", strategy->s, STRATEGY, err));
    if (is_set(nx_val_get(&n->cfg, "merge_update_columns")) && is_set(nx_val_get(&n->cfg, "merge_exclude_columns")))
        return nx_fail(err, NX_INVALID, "%s: model '%s' sets merge_update_columns and merge_exclude_columns; keep one",
                       n->file, n->name);
    static const char *const LISTS[] = {"unique_key", "merge_update_columns", "merge_exclude_columns", "partition_by"};
    for (size_t i = 0; i < NX_COUNT_OF(LISTS); i++) {
        dbt_list ignored = {0};
        const char *what = nx_arena_printf(&p->arena, "%s: config '%s'", n->file, LISTS[i]);
        if (what == NULL)
            return nx_nomem(err);
        NX_TRY(nx__dbt_strings(&p->arena, nx_val_get(&n->cfg, LISTS[i]), what, &ignored, err));
    }
    return NX_OK;
}

static nx_status bad_snapshot(const dbt_node *n, const char *why, nx_err *err)
{
    return nx_fail(err, NX_INVALID, "%s: snapshot '%s' %s", n->file, n->name, why);
}

static nx_status check_snapshot(dbt_project *p, dbt_node *n, nx_err *err)
{
    static const char *const STRATEGY[] = {"timestamp", "check", NULL};
    static const char *const DELETES[] = {"ignore", "invalidate", "new_record", NULL};
    nx_str strategy = nx__dbt_cfg_str(n, "strategy", "");
    const nx_val *check = nx_val_get(&n->cfg, "check_cols"), *updated = nx_val_get(&n->cfg, "updated_at");
    if (strategy.n == 0)
        return bad_snapshot(n, "has no strategy (timestamp or check)", err);
    NX_TRY(one_of(p, n, "strategy", strategy, STRATEGY, err));
    if (!is_set(nx_val_get(&n->cfg, "unique_key")))
        return bad_snapshot(n, "has no unique_key", err);
    if (nx_str_is(strategy, "timestamp") && !is_set(updated))
        return bad_snapshot(n, "has strategy timestamp and needs updated_at", err);
    if (nx_str_is(strategy, "timestamp") && is_set(check))
        return bad_snapshot(n, "has strategy timestamp, which takes no check_cols", err);
    if (nx_str_is(strategy, "check") && !is_set(check))
        return bad_snapshot(n, "has strategy check and needs check_cols", err);
    const nx_val *deletes = nx_val_get(&n->cfg, "hard_deletes");
    if (is_set(deletes) && is_set(nx_val_get(&n->cfg, "invalidate_hard_deletes")))
        return bad_snapshot(n, "sets hard_deletes and invalidate_hard_deletes; keep hard_deletes", err);
    return is_set(deletes) ? one_of(p, n, "hard_deletes", deletes->s, DELETES, err) : NX_OK;
}

nx_status nx__dbt_cfg_check(dbt_project *p, dbt_node *n, nx_err *err)
{
    NX_TRY(check_refused(p, n, err));
    if (n->kind == DBT_MODEL)
        return check_model(p, n, err);
    if (n->kind == DBT_SNAPSHOT)
        return check_snapshot(p, n, err);
    if (n->kind == DBT_TEST) {
        nx_str severity = nx__dbt_cfg_str(n, "severity", "error");
        if (!nx_str_eq_nocase(severity, NX_STR("error")) && !nx_str_eq_nocase(severity, NX_STR("warn")))
            return nx_fail(err, NX_INVALID, "%s: test '%s': severity must be error or warn, found '" NX_STR_FMT "'",
                           n->file, n->name, NX_STR_ARG(severity));
    }
    return NX_OK;
}
