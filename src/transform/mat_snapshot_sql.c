/* The SQL of a snapshot: what changed, staged, and the rows that replace the touched ones. */
#include "transform/snap_int.h"

const char *nx__dbt_snap_quoted(dbt_project *p, nx_str name)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    return nx_sql_ident(&b, name) == NX_OK ? nx__dbt_cstr(&p->arena, nx_buf_str(&b)) : NULL;
}

bool nx__dbt_snap_has(const nx_schema *s, nx_str name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (nx_str_eq_nocase(nx_str_of(s->fields[i].name), name))
            return true;
    return false;
}

static nx_status add_hash(const dbt_snap *s, nx_buf *b, const char *first, const char *last)
{
    NX_TRY(nx_buf_adds(b, "md5("));
    if (first != NULL)
        NX_TRY(nx_buf_addf(b, "coalesce(cast(%s as varchar), '') || '|' || ", first));
    for (size_t i = 0; first == NULL && i < s->keys.n; i++)
        NX_TRY(nx_buf_addf(b, "coalesce(cast(%s as varchar), '') || '|' || ", (const char *)s->keys.v[i]));
    return nx_buf_addf(b, "coalesce(cast(%s as varchar), ''))", last);
}

nx_status nx__dbt_snap_versions(const dbt_snap *s, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "select *, "));
    NX_TRY(add_hash(s, b, NULL, s->updated_at));
    NX_TRY(nx_buf_addf(b, " as %s, %s as %s, %s as %s, coalesce(nullif(%s, %s), %s) as %s", s->scd_id, s->updated_at,
                       s->updated_at_col, s->updated_at, s->valid_from, s->updated_at, s->updated_at, s->current,
                       s->valid_to));
    if (s->new_record)
        NX_TRY(nx_buf_addf(b, ", 'False' as %s", s->is_deleted));
    return nx_buf_adds(b, " from __dbt_snapshot_source");
}

nx_status nx__dbt_snap_changed(dbt_snap *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    if (!s->check) {
        s->changed = nx_arena_printf(&s->p->arena, "o.%s < s.%s", s->valid_from, s->updated_at_col);
        return s->changed == NULL ? nx_nomem(err) : NX_OK;
    }
    const nx_val *cols = nx_val_get(&s->n->cfg, "check_cols");
    dbt_list names = {0};
    if (cols->kind == NX_VAL_STR && nx_str_is(cols->s, "all")) {
        for (size_t i = 0; i < s->src->n_fields; i++)
            NX_TRY(nx__dbt_push(&s->p->arena, &names, (void *)s->src->fields[i].name, err));
    } else
        NX_TRY(nx__dbt_strings(&s->p->arena, cols, "check_cols", &names, err));
    /* CASE keeps the comparison out of the join's own conditions: there the engine (1.4 line) lets a null match nothing */
    nx_status st = nx_buf_adds(&b, "case when ");
    for (size_t i = 0; st == NX_OK && i < names.n; i++) {
        nx_str name = nx_str_of(names.v[i]);
        if (!nx__dbt_snap_has(s->src, name))
            return nx_fail(err, NX_INVALID, "check_cols names '%s', which the query does not give",
                           (const char *)names.v[i]);
        const char *q = nx__dbt_snap_quoted(s->p, name);
        if (q == NULL)
            return nx_nomem(err);
        if (nx__dbt_snap_has(s->old, name))
            st = nx_buf_addf(&b, "%ss.%s is distinct from o.%s", i == 0 ? "" : " or ", q, q);
        else
            st = nx_buf_addf(&b, "%strue", i == 0 ? "" : " or "); /* new to the table: all rows changed */
    }
    if (st == NX_OK)
        st = nx_buf_adds(&b, " then true else false end");
    s->changed = st == NX_OK ? nx__dbt_cstr(&s->p->arena, nx_buf_str(&b)) : NULL;
    return s->changed == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status add_match(const dbt_snap *s, nx_buf *b)
{
    for (size_t i = 0; i < s->keys.n; i++)
        NX_TRY(nx_buf_addf(b, "%ss.__dbt_key_%zu = o.__dbt_key_%zu", i == 0 ? "" : " and ", i, i));
    return NX_OK;
}

static nx_status add_keys(const dbt_snap *s, nx_buf *b)
{
    for (size_t i = 0; i < s->keys.n; i++)
        NX_TRY(nx_buf_addf(b, ", %s as __dbt_key_%zu", (const char *)s->keys.v[i], i));
    return NX_OK;
}

/* Source columns of one side; what the table does not have yet is null there. */
static nx_status add_columns(const dbt_snap *s, nx_buf *b, const char *side)
{
    for (size_t i = 0; i < s->src->n_fields; i++) {
        nx_str name = nx_str_of(s->src->fields[i].name);
        if (side[0] == 'o' && !nx__dbt_snap_has(s->old, name))
            NX_TRY(nx_buf_adds(b, "null as "));
        else
            NX_TRY(nx_buf_addf(b, "%s.", side));
        NX_TRY(nx_sql_ident(b, name));
        NX_TRY(nx_buf_adds(b, ", "));
    }
    return NX_OK;
}

/* ---- staging ---- */

static nx_status add_inserts_and_updates(const dbt_snap *s, nx_buf *b)
{
    const char *tomb = s->new_record ? nx_arena_printf(&s->p->arena, " or o.%s = 'True'", s->is_deleted) : "";
    if (tomb == NULL)
        return NX_NOMEM;
    NX_TRY(nx_buf_adds(b, "select 'insert' as __dbt_change, "));
    NX_TRY(add_columns(s, b, "s"));
    NX_TRY(nx_buf_addf(b, "s.%s, s.%s, s.%s, s.%s%s%s from __s s left join __o o on ", s->scd_id, s->updated_at_col,
                       s->valid_from, s->valid_to, s->new_record ? ", s." : "", s->new_record ? s->is_deleted : ""));
    NX_TRY(add_match(s, b));
    NX_TRY(nx_buf_addf(b, " where o.__dbt_key_0 is null or (%s%s)\nunion all by name\n", s->changed, tomb));
    NX_TRY(nx_buf_addf(b, "select 'update' as __dbt_change, o.%s, s.%s as %s from __s s join __o o on ", s->scd_id,
                       s->updated_at_col, s->valid_to));
    NX_TRY(add_match(s, b));
    return nx_buf_addf(b, " where %s%s", s->changed, tomb);
}

static nx_status add_deletes(const dbt_snap *s, nx_buf *b)
{
    if (!s->invalidate && !s->new_record)
        return NX_OK;
    const char *live =
        s->new_record ? nx_arena_printf(&s->p->arena, " and o.%s is distinct from 'True'", s->is_deleted) : "";
    if (live == NULL)
        return NX_NOMEM;
    NX_TRY(nx_buf_addf(
        b, "\nunion all by name\nselect 'delete' as __dbt_change, o.%s, %s as %s from __o o left join __s s on ",
        s->scd_id, s->now, s->valid_to));
    NX_TRY(add_match(s, b));
    NX_TRY(nx_buf_addf(b, " where s.__dbt_key_0 is null%s", live));
    if (!s->new_record)
        return NX_OK;
    NX_TRY(nx_buf_adds(b, "\nunion all by name\nselect 'insert' as __dbt_change, "));
    NX_TRY(add_columns(s, b, "o"));
    const char *old_id = nx_arena_printf(&s->p->arena, "o.%s", s->scd_id);
    if (old_id == NULL)
        return NX_NOMEM;
    NX_TRY(add_hash(s, b, old_id, s->now));
    NX_TRY(nx_buf_addf(b, " as %s, %s as %s, %s as %s, o.%s, 'True' as %s from __o o left join __s s on ", s->scd_id,
                       s->now, s->updated_at_col, s->now, s->valid_from, s->valid_to, s->is_deleted));
    NX_TRY(add_match(s, b));
    return nx_buf_addf(b, " where s.__dbt_key_0 is null%s", live);
}

static nx_status add_stage(const dbt_snap *s, const char *table, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "create or replace temp table __dbt_snapshot_changes as\nwith __s as (select *"));
    NX_TRY(add_keys(s, b));
    NX_TRY(nx_buf_adds(b, " from ("));
    NX_TRY(nx__dbt_snap_versions(s, b));
    NX_TRY(nx_buf_adds(b, ")),\n__o as (select *"));
    NX_TRY(add_keys(s, b));
    NX_TRY(nx_buf_addf(b, " from %s where %s)\n", table, s->open));
    NX_TRY(add_inserts_and_updates(s, b));
    return add_deletes(s, b);
}

nx_status nx__dbt_snap_stage(const dbt_snap *s, const char *table, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)16 << 20);
    if (add_stage(s, table, &b) != NX_OK)
        return nx_nomem(err);
    return nx_session_exec(s->p->session, nx_buf_str(&b), NULL, err);
}

/* ---- applying ---- */

static bool unquoted_is(const char *q, const char *name)
{
    size_t n = strlen(name);
    return strlen(q) == n + 2 && strncmp(q + 1, name, n) == 0;
}

/* All rows that share a touched dbt_scd_id, the open ones closed. */
static nx_status add_old_rows(const dbt_snap *s, const char *table, const dbt_list *added, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "select "));
    for (size_t i = 0; i < s->old->n_fields; i++) {
        const nx_field *f = &s->old->fields[i];
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ", "));
        if (unquoted_is(s->valid_to, f->name)) {
            NX_TRY(nx_buf_addf(b, "case when u.__to is not null and %s then cast(u.__to as ", s->open));
            NX_TRY(nx_type_to_sql(&f->type, b));
            NX_TRY(nx_buf_addf(b, ") else t.%s end as ", s->valid_to));
        } else
            NX_TRY(nx_buf_adds(b, "t."));
        NX_TRY(nx_sql_ident(b, nx_str_of(f->name)));
    }
    for (size_t i = 0; i < added->n; i++) {
        NX_TRY(nx_buf_adds(b, ", null as "));
        NX_TRY(nx_sql_ident(b, nx_str_of(added->v[i])));
    }
    return nx_buf_addf(b,
                       " from %s t left join (select %s as __id, max(%s) as __to from __dbt_snapshot_changes where "
                       "__dbt_change <> 'insert' group by 1) u"
                       " on t.%s = u.__id where t.%s in (select %s from __dbt_snapshot_changes)",
                       table, s->scd_id, s->valid_to, s->scd_id, s->scd_id, s->scd_id);
}

/* Whether the staged versions have the table's column: the source's own, and those that a snapshot adds. */
static bool is_staged(const dbt_snap *s, const char *name)
{
    return nx__dbt_snap_has(s->src, nx_str_of(name)) || unquoted_is(s->scd_id, name) ||
           unquoted_is(s->updated_at_col, name) || unquoted_is(s->valid_from, name) || unquoted_is(s->valid_to, name) ||
           (s->new_record && unquoted_is(s->is_deleted, name));
}

static nx_status add_new_rows(const dbt_snap *s, const dbt_list *added, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "select "));
    for (size_t i = 0; i < s->old->n_fields; i++) {
        const nx_field *f = &s->old->fields[i];
        NX_TRY(nx_buf_adds(b, i == 0 ? "cast(" : ", cast("));
        if (is_staged(s, f->name))
            NX_TRY(nx_sql_ident(b, nx_str_of(f->name)));
        else
            NX_TRY(nx_buf_adds(b, "null")); /* the source gives it no more */
        NX_TRY(nx_buf_adds(b, " as "));
        NX_TRY(nx_type_to_sql(&f->type, b));
        NX_TRY(nx_buf_addc(b, ')'));
    }
    for (size_t i = 0; i < added->n; i++) {
        NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(nx_sql_ident(b, nx_str_of(added->v[i])));
    }
    return nx_buf_adds(b, " from __dbt_snapshot_changes where __dbt_change = 'insert'");
}

nx_status nx__dbt_snap_final(const dbt_snap *s, const char *table, const dbt_list *added, nx_buf *b)
{
    NX_TRY(add_old_rows(s, table, added, b));
    NX_TRY(nx_buf_adds(b, "\nunion all\n"));
    return add_new_rows(s, added, b);
}
