/* Snapshots: slowly changing dimensions of type 2, dbt's algorithm (facts: dbt.md section 5) as ONE commit.
 *
 * The changes are staged once in a temporary table, with dbt's change types: insert (a new version, or the tombstone of a deleted row), update
 * (an open row that a new version closes), delete (an open row whose key is gone). Then all rows whose dbt_scd_id is touched are replaced:
 * the old ones with their dbt_valid_to set where they are open, the new ones beside them. */
#include "transform/snap_int.h"

#include "data/time.h"

/* ---- the config ---- */

static nx_status meta_names(dbt_snap *s, nx_err *err)
{
    const struct {
        const char *key;
        const char **to;
    } NAMES[] = {{"dbt_scd_id", &s->scd_id},
                 {"dbt_updated_at", &s->updated_at_col},
                 {"dbt_valid_from", &s->valid_from},
                 {"dbt_valid_to", &s->valid_to},
                 {"dbt_is_deleted", &s->is_deleted}};
    const nx_val *own = nx_val_get(&s->n->cfg, "snapshot_meta_column_names");
    for (size_t i = 0; i < NX_COUNT_OF(NAMES); i++)
        if ((*NAMES[i].to =
                 nx__dbt_snap_quoted(s->p, nx_val_str(nx_val_get(own, NAMES[i].key), nx_str_of(NAMES[i].key)))) == NULL)
            return nx_nomem(err);
    return NX_OK;
}

/* A column of the source, quoted; anything else is an expression, as dbt takes it. */
static const char *column_or_sql(dbt_snap *s, nx_str text)
{
    return nx__dbt_snap_has(s->src, text) ? nx__dbt_snap_quoted(s->p, text)
                                          : nx_arena_printf(&s->p->arena, "(" NX_STR_FMT ")", NX_STR_ARG(text));
}

static nx_status read_config(dbt_snap *s, nx_err *err)
{
    nx_arena *a = &s->p->arena;
    dbt_list keys = {0};
    NX_TRY(meta_names(s, err));
    NX_TRY(nx__dbt_strings(a, nx_val_get(&s->n->cfg, "unique_key"), "unique_key", &keys, err));
    for (size_t i = 0; i < keys.n; i++) {
        const char *sql = column_or_sql(s, nx_str_of(keys.v[i]));
        if (sql == NULL)
            return nx_nomem(err);
        NX_TRY(nx__dbt_push(a, &s->keys, (void *)sql, err));
    }
    nx_str deletes = nx__dbt_cfg_str(s->n, "hard_deletes", "ignore"), updated = nx__dbt_cfg_str(s->n, "updated_at", "");
    s->new_record = nx_str_is(deletes, "new_record");
    s->invalidate = nx_str_is(deletes, "invalidate") || nx__dbt_cfg_bool(s->n, "invalidate_hard_deletes", false);
    s->check = nx_str_is(nx__dbt_cfg_str(s->n, "strategy", ""), "check");
    char text[40];
    size_t len = nx_time_format_us(nx_us_of_ns(nx_clock_wall()), text);
    s->now = nx_arena_printf(a, "cast('%.*s' as timestamp)", (int)len, text);
    s->updated_at = updated.n > 0 ? column_or_sql(s, updated) : s->now;
    nx_str current = nx__dbt_cfg_str(s->n, "dbt_valid_to_current", "");
    s->current = current.n > 0 ? nx__dbt_cstr(a, current) : "null";
    s->open = current.n > 0 ? nx_arena_printf(a, "(%s = %s or %s is null)", s->valid_to, s->current, s->valid_to)
                            : nx_arena_printf(a, "%s is null", s->valid_to);
    return s->now == NULL || s->updated_at == NULL || s->current == NULL || s->open == NULL ? nx_nomem(err) : NX_OK;
}

/* ---- applying ---- */

static nx_status check_table(const dbt_snap *s, const char *name, nx_err *err)
{
    const char *need[] = {s->scd_id, s->updated_at_col, s->valid_from, s->valid_to,
                          s->new_record ? s->is_deleted : s->scd_id};
    for (size_t i = 0; i < NX_COUNT_OF(need); i++) {
        nx_str bare = {need[i] + 1, strlen(need[i]) - 2};
        if (!nx__dbt_snap_has(s->old, bare)) {
            nx_status st =
                nx_fail(err, NX_INVALID, "%s is no snapshot of this configuration: it has no column %s", name, need[i]);
            return nx_err_hint(err, st, "give the snapshot another alias, or drop the table");
        }
    }
    return NX_OK;
}

static nx_status count_changes(dbt_project *p, int64_t *ret, nx_err *err)
{
    nx_result *r;
    NX_TRY(nx_session_query(p->session, NX_STR("select count(*) from __dbt_snapshot_changes"), &r, err));
    *ret = nx_result_i64(r, 0, 0, 0);
    nx_result_drop(r);
    return NX_OK;
}

static nx_status apply(dbt_snap *s, nx_err *err)
{
    const char *name = nx__dbt_relname(&s->p->arena, s->n);
    const char *table = nx_arena_printf(&s->p->arena, "\"%s\".\"%s\"", s->n->schema, s->n->alias);
    nx_table *t;
    nx_schema *old;
    if (table == NULL)
        return nx_nomem(err);
    NX_TRY(nx_table_open(s->p->o->lake, name, &t, err));
    NX_TRY(nx_table_schema(t, &s->p->arena, &old, err));
    s->old = old;
    NX_TRY(check_table(s, name, err));
    NX_TRY(nx__dbt_snap_changed(s, err));
    NX_TRY(nx__dbt_snap_stage(s, table, err));
    int64_t changes;
    NX_TRY(count_changes(s->p, &changes, err));
    if (changes == 0)
        return NX_OK;
    dbt_list added = {0}, key = {0};
    for (size_t i = 0; i < s->src->n_fields; i++)
        if (!nx__dbt_snap_has(s->old, nx_str_of(s->src->fields[i].name)))
            NX_TRY(nx__dbt_push(&s->p->arena, &added, (void *)s->src->fields[i].name, err));
    const char *id = nx__dbt_cstr(&s->p->arena, (nx_str){s->scd_id + 1, strlen(s->scd_id) - 2});
    NX_TRY(id == NULL ? nx_nomem(err) : nx__dbt_push(&s->p->arena, &key, (void *)id, err));
    nx_write_opts o = {
        .mode = NX_WRITE_DELETE_INSERT, .key = nx__dbt_names_of(s->p, &key), .commit = {.operation = "MERGE"}};
    o.add_columns = added.n == 0 ? NULL : nx__dbt_names_of(s->p, &added);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)16 << 20);
    if (nx__dbt_snap_final(s, table, &added, &b) != NX_OK)
        return nx_nomem(err);
    return nx__dbt_write(s->p, s->n, nx_buf_str(&b), &o, err);
}

static nx_status first_build(const dbt_snap *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)16 << 20);
    if (nx__dbt_snap_versions(s, &b) != NX_OK)
        return nx_nomem(err);
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
    return nx__dbt_write(s->p, s->n, nx_buf_str(&b), &o, err);
}

static nx_status snapshot(dbt_snap *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    /* the source is read once: dbt_scd_id and the comparison must see the same rows */
    if (nx_buf_addf(&b, "create or replace temp table __dbt_snapshot_source as (\n" NX_STR_FMT "\n)",
                    NX_STR_ARG(s->n->compiled)) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_exec(s->p->session, nx_buf_str(&b), NULL, err));
    nx_schema *src;
    NX_TRY(nx_session_schema(s->p->session, NX_STR("select * from __dbt_snapshot_source"), &s->p->arena, &src, err));
    s->src = src;
    NX_TRY(read_config(s, err));
    return nx__dbt_is_built(s->p, s->n) ? apply(s, err) : first_build(s, err);
}

nx_status nx__dbt_mat_snapshot(dbt_project *p, dbt_node *n, nx_err *err)
{
    NX_TRY(nx__dbt_compile(p, n, err));
    NX_TRY(nx__dbt_write_target(p, "run", nx__dbt_target_file(p, n), n->compiled, err));
    NX_TRY(nx__dbt_hooks(p, n, "pre-hook", err));
    dbt_snap s = {.p = p, .n = n};
    nx_status st = snapshot(&s, err);
    nx_err ignored;
    nx_status dropped = nx_session_exec(
        p->session, NX_STR("drop table if exists __dbt_snapshot_source; drop table if exists __dbt_snapshot_changes"),
        NULL, &ignored);
    (void)dropped; /* the next one replaces them */
    NX_TRY(st);
    NX_TRY(nx__dbt_hooks(p, n, "post-hook", err));
    n->response = "OK";
    return NX_OK;
}
