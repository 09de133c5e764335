/* Snapshots: slowly changing dimensions of type 2, dbt's algorithm (facts: dbt.md section 5) as ONE commit.
 *
 * The changes are staged once in a temporary table, with dbt's change types: insert (a new version, or the tombstone of a deleted row), update
 * (an open row that a new version closes), delete (an open row whose key is gone). Then all rows whose dbt_scd_id is touched are replaced:
 * the old ones with their dbt_valid_to set where they are open, the new ones beside them. */
#include "transform/dbt_int.h"

#include "data/time.h"

typedef struct snap {
    dbt_project *p;
    dbt_node *n;
    const char *scd_id, *updated_at_col, *valid_from, *valid_to, *is_deleted; /* quoted */
    const char *updated_at;                                                   /* SQL over the source */
    const char *now;                                                          /* SQL literal */
    const char *current;                                                      /* dbt_valid_to_current or "null" */
    const char *open;                                                         /* SQL over the table: its row is open */
    dbt_list keys;                                                            /* SQL over source and table */
    bool check, invalidate, new_record;
    const nx_schema *src, *old; /* columns of the source, of the table (NULL at first) */
    const char *changed;        /* SQL: S differs from O */
} snap;

static const char *quoted(dbt_project *p, nx_str name)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 16);
    return nx_sql_ident(&b, name) == NX_OK ? nx__dbt_cstr(&p->arena, nx_buf_str(&b)) : NULL;
}

static bool has(const nx_schema *s, nx_str name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (nx_str_eq_nocase(nx_str_of(s->fields[i].name), name))
            return true;
    return false;
}

/* ---- the config ---- */

static nx_status meta_names(snap *s, nx_err *err)
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
        if ((*NAMES[i].to = quoted(s->p, nx_val_str(nx_val_get(own, NAMES[i].key), nx_str_of(NAMES[i].key)))) == NULL)
            return nx_nomem(err);
    return NX_OK;
}

/* A column of the source, quoted; anything else is an expression, as dbt takes it. */
static const char *column_or_sql(snap *s, nx_str text)
{
    return has(s->src, text) ? quoted(s->p, text) : nx_arena_printf(&s->p->arena, "(" NX_STR_FMT ")", NX_STR_ARG(text));
}

static nx_status read_config(snap *s, nx_err *err)
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

/* ---- pieces of SQL ---- */

static nx_status add_hash(const snap *s, nx_buf *b, const char *first, const char *last)
{
    NX_TRY(nx_buf_adds(b, "md5("));
    if (first != NULL)
        NX_TRY(nx_buf_addf(b, "coalesce(cast(%s as varchar), '') || '|' || ", first));
    for (size_t i = 0; first == NULL && i < s->keys.n; i++)
        NX_TRY(nx_buf_addf(b, "coalesce(cast(%s as varchar), '') || '|' || ", (const char *)s->keys.v[i]));
    return nx_buf_addf(b, "coalesce(cast(%s as varchar), ''))", last);
}

/* The rows of the source as new versions. */
static nx_status add_versions(const snap *s, nx_buf *b)
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

static nx_status add_changed(snap *s, nx_err *err)
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
        if (!has(s->src, name))
            return nx_fail(err, NX_INVALID, "check_cols names '%s', which the query does not give",
                           (const char *)names.v[i]);
        const char *q = quoted(s->p, name);
        if (q == NULL)
            return nx_nomem(err);
        if (has(s->old, name))
            st = nx_buf_addf(&b, "%ss.%s is distinct from o.%s", i == 0 ? "" : " or ", q, q);
        else
            st = nx_buf_addf(&b, "%strue",
                             i == 0 ? "" : " or "); /* a column that the table does not know yet: all rows are new */
    }
    if (st == NX_OK)
        st = nx_buf_adds(&b, " then true else false end");
    s->changed = st == NX_OK ? nx__dbt_cstr(&s->p->arena, nx_buf_str(&b)) : NULL;
    return s->changed == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status add_match(const snap *s, nx_buf *b)
{
    for (size_t i = 0; i < s->keys.n; i++)
        NX_TRY(nx_buf_addf(b, "%ss.__dbt_key_%zu = o.__dbt_key_%zu", i == 0 ? "" : " and ", i, i));
    return NX_OK;
}

static nx_status add_keys(const snap *s, nx_buf *b)
{
    for (size_t i = 0; i < s->keys.n; i++)
        NX_TRY(nx_buf_addf(b, ", %s as __dbt_key_%zu", (const char *)s->keys.v[i], i));
    return NX_OK;
}

/* Source columns of one side; what the table does not have yet is null there. */
static nx_status add_columns(const snap *s, nx_buf *b, const char *side)
{
    for (size_t i = 0; i < s->src->n_fields; i++) {
        nx_str name = nx_str_of(s->src->fields[i].name);
        if (side[0] == 'o' && !has(s->old, name))
            NX_TRY(nx_buf_adds(b, "null as "));
        else
            NX_TRY(nx_buf_addf(b, "%s.", side));
        NX_TRY(nx_sql_ident(b, name));
        NX_TRY(nx_buf_adds(b, ", "));
    }
    return NX_OK;
}

/* ---- staging ---- */

static nx_status add_inserts_and_updates(const snap *s, nx_buf *b)
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

static nx_status add_deletes(const snap *s, nx_buf *b)
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

static nx_status stage(const snap *s, const char *table, nx_buf *b, nx_err *err)
{
    nx_status st = nx_buf_adds(b, "create or replace temp table __dbt_snapshot_changes as\nwith __s as (select *");
    if (st == NX_OK)
        st = add_keys(s, b);
    if (st == NX_OK)
        st = nx_buf_adds(b, " from (");
    if (st == NX_OK)
        st = add_versions(s, b);
    if (st == NX_OK)
        st = nx_buf_adds(b, ")),\n__o as (select *");
    if (st == NX_OK)
        st = add_keys(s, b);
    if (st == NX_OK)
        st = nx_buf_addf(b, " from %s where %s)\n", table, s->open);
    if (st == NX_OK)
        st = add_inserts_and_updates(s, b);
    if (st == NX_OK)
        st = add_deletes(s, b);
    if (st != NX_OK)
        return nx_nomem(err);
    return nx_session_exec(s->p->session, nx_buf_str(b), NULL, err);
}

/* ---- applying ---- */

static bool unquoted_is(const char *q, const char *name)
{
    size_t n = strlen(name);
    return strlen(q) == n + 2 && strncmp(q + 1, name, n) == 0;
}

/* All rows that share a touched dbt_scd_id, the open ones closed; then the new versions. */
static nx_status final_query(const snap *s, const char *table, const dbt_list *added, nx_buf *b, nx_err *err)
{
    nx_status st = nx_buf_adds(b, "select ");
    for (size_t i = 0; st == NX_OK && i < s->old->n_fields; i++) {
        const nx_field *f = &s->old->fields[i];
        st = i == 0 ? NX_OK : nx_buf_adds(b, ", ");
        if (st != NX_OK)
            break;
        if (unquoted_is(s->valid_to, f->name))
            st = nx_buf_addf(b, "case when u.__to is not null and %s then cast(u.__to as ", s->open);
        else
            st = nx_buf_adds(b, "t.");
        if (st == NX_OK && unquoted_is(s->valid_to, f->name)) {
            st = nx_type_to_sql(&f->type, b);
            if (st == NX_OK)
                st = nx_buf_addf(b, ") else t.%s end as ", s->valid_to);
        }
        if (st == NX_OK)
            st = nx_sql_ident(b, nx_str_of(f->name));
    }
    for (size_t i = 0; st == NX_OK && i < added->n; i++) {
        st = nx_buf_adds(b, ", null as ");
        if (st == NX_OK)
            st = nx_sql_ident(b, nx_str_of(added->v[i]));
    }
    if (st == NX_OK)
        st = nx_buf_addf(b,
                         " from %s t left join (select %s as __id, max(%s) as __to from __dbt_snapshot_changes where "
                         "__dbt_change <> 'insert' group by 1) u"
                         " on t.%s = u.__id where t.%s in (select %s from __dbt_snapshot_changes)\nunion all\nselect ",
                         table, s->scd_id, s->valid_to, s->scd_id, s->scd_id, s->scd_id);
    for (size_t i = 0; st == NX_OK && i < s->old->n_fields; i++) {
        const nx_field *f = &s->old->fields[i];
        bool given = has(s->src, nx_str_of(f->name)) || unquoted_is(s->scd_id, f->name) ||
                     unquoted_is(s->updated_at_col, f->name) || unquoted_is(s->valid_from, f->name) ||
                     unquoted_is(s->valid_to, f->name) || (s->new_record && unquoted_is(s->is_deleted, f->name));
        st = nx_buf_adds(b, i == 0 ? "cast(" : ", cast(");
        if (st == NX_OK)
            st = given ? nx_sql_ident(b, nx_str_of(f->name)) : nx_buf_adds(b, "null"); /* the source gives it no more */
        if (st == NX_OK)
            st = nx_buf_adds(b, " as ");
        if (st == NX_OK)
            st = nx_type_to_sql(&f->type, b);
        if (st == NX_OK)
            st = nx_buf_addc(b, ')');
    }
    for (size_t i = 0; st == NX_OK && i < added->n; i++) {
        st = nx_buf_adds(b, ", ");
        if (st == NX_OK)
            st = nx_sql_ident(b, nx_str_of(added->v[i]));
    }
    if (st == NX_OK)
        st = nx_buf_adds(b, " from __dbt_snapshot_changes where __dbt_change = 'insert'");
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status check_table(const snap *s, const char *name, nx_err *err)
{
    const char *need[] = {s->scd_id, s->updated_at_col, s->valid_from, s->valid_to,
                          s->new_record ? s->is_deleted : s->scd_id};
    for (size_t i = 0; i < NX_COUNT_OF(need); i++) {
        nx_str bare = {need[i] + 1, strlen(need[i]) - 2};
        if (!has(s->old, bare)) {
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

static nx_status apply(snap *s, nx_err *err)
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
    NX_TRY(add_changed(s, err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)16 << 20);
    NX_TRY(stage(s, table, &b, err));
    int64_t changes;
    NX_TRY(count_changes(s->p, &changes, err));
    if (changes == 0)
        return NX_OK;
    dbt_list added = {0}, key = {0};
    for (size_t i = 0; i < s->src->n_fields; i++)
        if (!has(s->old, nx_str_of(s->src->fields[i].name)))
            NX_TRY(nx__dbt_push(&s->p->arena, &added, (void *)s->src->fields[i].name, err));
    const char *id = nx__dbt_cstr(&s->p->arena, (nx_str){s->scd_id + 1, strlen(s->scd_id) - 2});
    NX_TRY(id == NULL ? nx_nomem(err) : nx__dbt_push(&s->p->arena, &key, (void *)id, err));
    nx_write_opts o = {
        .mode = NX_WRITE_DELETE_INSERT, .key = nx__dbt_names_of(s->p, &key), .commit = {.operation = "MERGE"}};
    o.add_columns = added.n == 0 ? NULL : nx__dbt_names_of(s->p, &added);
    nx_buf_clear(&b);
    NX_TRY(final_query(s, table, &added, &b, err));
    return nx__dbt_write(s->p, s->n, nx_buf_str(&b), &o, err);
}

static nx_status first_build(const snap *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)16 << 20);
    if (add_versions(s, &b) != NX_OK)
        return nx_nomem(err);
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
    return nx__dbt_write(s->p, s->n, nx_buf_str(&b), &o, err);
}

static nx_status snapshot(snap *s, nx_err *err)
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
    snap s = {.p = p, .n = n};
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
