/* Nodes: names, identities, places. */
#include "transform/dbt_int.h"

const char *nx__dbt_kind_name(dbt_kind k)
{
    static const char *const NAMES[] = {
        [DBT_MODEL] = "model",   [DBT_SEED] = "seed",         [DBT_SNAPSHOT] = "snapshot",  [DBT_TEST] = "test",
        [DBT_SOURCE] = "source", [DBT_EXPOSURE] = "exposure", [DBT_OPERATION] = "operation"};
    return NAMES[k];
}

const char *nx__dbt_status_name(const dbt_node *n)
{
    static const char *const NAMES[] = {
        [DBT_ST_NONE] = "skipped", [DBT_ST_SUCCESS] = "success", [DBT_ST_PASS] = "pass",       [DBT_ST_WARN] = "warn",
        [DBT_ST_FAIL] = "fail",    [DBT_ST_ERROR] = "error",     [DBT_ST_SKIPPED] = "skipped", [DBT_ST_NOOP] = "no-op"};
    return NAMES[n->status];
}

const char *nx__dbt_relname(nx_arena *a, const dbt_node *n)
{
    const char *s =
        nx_arena_printf(a, "%s.%s", n->schema == NULL ? "" : n->schema, n->alias == NULL ? n->name : n->alias);
    return s == NULL ? n->name : s;
}

const char *nx__dbt_materialized(const dbt_node *n)
{
    const nx_val *v = nx_val_get(&n->cfg, "materialized");
    static const char *const DFLT[] = {[DBT_MODEL] = "view", [DBT_SEED] = "seed", [DBT_SNAPSHOT] = "snapshot",
                                       [DBT_TEST] = "test",  [DBT_SOURCE] = "",   [DBT_EXPOSURE] = "",
                                       [DBT_OPERATION] = ""};
    return n->kind == DBT_MODEL && v != NULL && v->kind == NX_VAL_STR ? v->s.p : DFLT[n->kind];
}

bool nx__dbt_is_ephemeral(const dbt_node *n)
{
    return n->kind == DBT_MODEL && strcmp(nx__dbt_materialized(n), "ephemeral") == 0;
}

bool nx__dbt_has_slot(const dbt_node *n)
{
    return !nx__dbt_is_ephemeral(n);
}

/* [project, folders below the resource folder…, name] */
static nx_status set_fqn(dbt_project *p, dbt_node *n, nx_err *err)
{
    size_t parts = 2;
    for (const char *c = n->path; *c != '\0'; c++)
        parts += *c == '/';
    n->fqn = NX_ARENA_ARRAY(&p->arena, const char *, parts);
    if (n->fqn == NULL)
        return nx_nomem(err);
    n->fqn[n->n_fqn++] = p->name;
    nx_str rest = nx_str_of(n->path), part;
    while (nx_str_split(&rest, '/', &part) && rest.p != NULL)
        if ((n->fqn[n->n_fqn++] = nx__dbt_cstr(&p->arena, part)) == NULL)
            return nx_nomem(err);
    n->fqn[n->n_fqn++] = n->name;
    return NX_OK;
}

dbt_node *nx__dbt_node_new(dbt_project *p, dbt_kind k, const char *name, const char *file, const char *dir, nx_err *err)
{
    dbt_node *n = NX_ARENA_NEW(&p->arena, dbt_node);
    if (n == NULL) {
        nx_nomem(err);
        return NULL;
    }
    size_t skip = dir == NULL ? 0 : strlen(dir);
    n->kind = k;
    n->name = name;
    n->alias = name;
    n->file = file;
    n->path = dir != NULL && strncmp(file, dir, skip) == 0 && file[skip] == '/' ? file + skip + 1 : file;
    n->enabled = true;
    n->description = "";
    n->failures = -1;
    n->cfg = n->inline_cfg = (nx_val){.kind = NX_VAL_OBJ};
    n->id = nx_arena_printf(&p->arena, "%s.%s.%s", nx__dbt_kind_name(k), p->name, name);
    if (n->id == NULL || set_fqn(p, n, err) != NX_OK) {
        nx_nomem(err);
        return NULL;
    }
    return n;
}

nx_status nx__dbt_node_add(dbt_project *p, dbt_node *n, nx_err *err)
{
    const dbt_node *old = nx_map_get(&p->by_id, nx_str_of(n->id));
    if (old != NULL) {
        const char *here = nx__dbt_where(&p->arena, n->file, n->line),
                   *there = nx__dbt_where(&p->arena, old->file, old->line);
        nx_status st = nx_fail(err, NX_INVALID, "%s: %s '%s' is defined twice: also in %s", here,
                               nx__dbt_kind_name(n->kind), n->name, there);
        return nx_err_hint(err, st, "%s",
                           n->kind == DBT_TEST ? "give one of the tests a name of its own (name:)"
                                               : "rename one of the two");
    }
    if (nx_map_set(&p->by_id, nx_str_of(n->id), n) != NX_OK)
        return nx_nomem(err);
    return nx__dbt_push(&p->arena, &p->nodes, n, err);
}
