/* Changes made from SQL: base version, schema, and new files by partition value. */
#include <stdlib.h>

#include "lake/lake_int.h"

#define OUT_TABLE "__nexus_out"

nx_status nx__job_begin(nx__job *j, nx_table *t, nx_session *s, const char *operation, nx_err *err)
{
    *j = (nx__job){.t = t, .s = s};
    nx__change_init(&j->c, operation);
    j->c.reads = true;
    NX_TRY(nx__table_snap(t, &j->base, err));
    NX_TRY(nx__proto_check_write(&j->base->proto, j->base->meta, t->name, err));
    j->meta = j->base->meta;
    return nx__schema_of(t, j->meta, &j->c.arena, &j->schema, err);
}

void nx__job_end(nx__job *j, bool committed)
{
    if (!committed)
        nx__change_discard(j->t, &j->c);
    nx__change_drop(&j->c);
    nx__meta_unref(j->own_meta);
    nx__snap_unref(j->base);
    j->own_meta = NULL;
    j->base = NULL;
}

nx_status nx__job_reshape(nx__job *j, const nx_schema *schema, const char *const *partition, bool mixed, nx_err *err)
{
    nx_buf text NX_BUF_AUTO, json NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    nx_buf_init(&json, 0);
    nx_schema *own = nx_schema_copy(&j->c.arena, schema);
    if (own == NULL || nx_schema_to_delta(own, &text) != NX_OK ||
        nx__meta_evolve(j->base->meta, nx_buf_str(&text), partition, mixed, &json) != NX_OK)
        return nx_nomem(err);
    nx_val *v = NULL;
    const char *copy = nx_arena_dup(&j->c.arena, nx_buf_str(&json));
    if (copy == NULL)
        return nx_nomem(err);
    j->c.meta = (nx_str){copy, json.n};
    NX_TRY(nx_json_parse(j->c.meta, NULL, &j->c.arena, &v, err));
    NX_TRY(nx__meta_new(v, &j->own_meta, err));
    j->meta = j->own_meta;
    j->schema = own;
    return NX_OK;
}

nx_status nx__job_count(nx__job *j, nx_str sql, int64_t *ret, nx_err *err)
{
    nx_result *r = NULL;
    NX_TRY(nx_session_query(j->s, sql, &r, err));
    *ret = nx_result_i64(r, 0, 0, 0);
    nx_result_drop(r);
    return NX_OK;
}

nx_status nx__job_columns(const nx__job *j, const char *alias, nx_buf *b)
{
    for (size_t i = 0; i < j->schema->n_fields; i++) {
        NX_TRY(nx_buf_addf(b, i > 0 ? ", %s." : "%s.", alias));
        NX_TRY(nx_sql_ident(b, nx_str_of(j->schema->fields[i].name)));
    }
    return NX_OK;
}

static size_t find_nocase(const nx_schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (nx_str_eq_nocase(nx_str_of(s->fields[i].name), nx_str_of(name)))
            return i;
    return SIZE_MAX;
}

nx_status nx__job_select(nx__job *j, nx_str sql, nx_buf *ret, nx_err *err)
{
    nx_schema *have = NULL, some;
    NX_TRY(nx_session_schema(j->s, sql, &j->c.arena, &have, err));
    nx_field *fields = NX_ARENA_ARRAY(&j->c.arena, nx_field, j->schema->n_fields);
    if (fields == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < have->n_fields; i++)
        if (find_nocase(have, have->fields[i].name) != i)
            return nx_fail(err, NX_INVALID, "the query for table %s gives column \"%s\" twice", j->t->name,
                           have->fields[i].name);
    for (size_t i = 0; i < have->n_fields; i++)
        if (find_nocase(j->schema, have->fields[i].name) == SIZE_MAX) {
            nx_fail(err, NX_INVALID, "the query gives column \"%s\", which table %s does not have",
                    have->fields[i].name, j->t->name);
            return nx_err_hint(err, NX_INVALID, "leave it out, or let the table grow (on_schema_change)");
        }
    nx_buf outer NX_BUF_AUTO;
    nx_buf_init(&outer, 0);
    some = (nx_schema){fields, 0};
    for (size_t i = 0; i < j->schema->n_fields; i++) {
        const nx_field *f = &j->schema->fields[i];
        if (i > 0)
            NX_TRY(nx_buf_adds(&outer, ", "));
        if (find_nocase(have, f->name) != SIZE_MAX) {
            fields[some.n_fields++] = *f;
            NX_TRY(nx_buf_adds(&outer, "c."));
        } else if (!f->nullable) {
            return nx_fail(err, NX_INVALID, "the query lacks column \"%s\" of table %s, which must not be null",
                           f->name, j->t->name);
        } else {
            NX_TRY(nx_buf_adds(&outer, "CAST(NULL AS "));
            NX_TRY(nx_type_to_sql(&f->type, &outer));
            NX_TRY(nx_buf_adds(&outer, ") AS "));
        }
        NX_TRY(nx_sql_ident(&outer, nx_str_of(f->name)));
    }
    if (some.n_fields == j->schema->n_fields)
        return nx_session_cast_sql(j->s, sql, &some, ret, err);
    NX_TRY(nx_buf_addf(ret, "SELECT %s FROM (", outer.p));
    NX_TRY(nx_session_cast_sql(j->s, sql, &some, ret, err));
    return nx_buf_adds(ret, ") AS c");
}

/* ------------------------------------------------------------------ files by partition value */

/* The schema without partition columns: what a file holds. */
static nx_status file_schema(const nx__job *j, nx_arena *a, nx_schema *ret, nx_err *err)
{
    nx_field *fields = NX_ARENA_ARRAY(a, nx_field, j->schema->n_fields);
    if (fields == NULL)
        return nx_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < j->schema->n_fields; i++)
        if (!nx__meta_is_part(j->meta, nx_str_of(j->schema->fields[i].name)))
            fields[n++] = j->schema->fields[i];
    *ret = (nx_schema){fields, n};
    return n > 0 ? NX_OK : nx_fail(err, NX_INVALID, "table %s has only partition columns", j->t->name);
}

nx_status nx__job_write_part(nx__job *j, nx_str sql, const nx__pair *pv, size_t n_pv, int64_t *rows, nx_err *err)
{
    nx_buf path NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 64 << 20);
    nx_schema schema;
    nx_file_stats st;
    nx__add add = {.pv = pv, .n_pv = n_pv};
    NX_TRY(file_schema(j, &a, &schema, err));
    NX_TRY(nx__data_name(&j->c.arena, pv, n_pv, &add.path, err));
    NX_TRY(nx__data_stage(j->t, add.path, &path, err));
    NX_TRY(nx_session_write_parquet(j->s, sql, &schema, path.p, &(nx_parquet_opts){.keep_order = true}, &a, &st, err));
    NX_TRY(nx__data_publish(j->t, &j->c, &schema, j->meta, add, &st, err));
    *rows += st.rows;
    return NX_OK;
}

/* The text of a partition value as the log wants it. */
static nx_status value_expr(const nx_field *f, nx_buf *b)
{
    bool time = f->type.kind == NX_TIMESTAMP;
    NX_TRY(nx_buf_adds(b, time ? "strftime(" : "CAST("));
    NX_TRY(nx_sql_ident(b, nx_str_of(f->name)));
    return nx_buf_adds(b, time ? ", '%Y-%m-%dT%H:%M:%S.%fZ')" : " AS VARCHAR)");
}

static nx_status values_sql(const nx__job *j, const size_t *at, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "SELECT DISTINCT "));
    for (size_t k = 0; k < j->meta->n_part; k++) {
        if (k > 0)
            NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(value_expr(&j->schema->fields[at[k]], b));
    }
    return nx_buf_adds(b, " FROM " OUT_TABLE " ORDER BY ALL");
}

static nx_status part_sql(const nx__job *j, const size_t *at, const nx__pair *pv, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "SELECT * FROM " OUT_TABLE " WHERE "));
    for (size_t k = 0; k < j->meta->n_part; k++) {
        const nx_field *f = &j->schema->fields[at[k]];
        NX_TRY(nx_buf_adds(b, k > 0 ? " AND " : ""));
        NX_TRY(nx_sql_ident(b, nx_str_of(f->name)));
        if (pv[k].value.p == NULL) {
            NX_TRY(nx_buf_adds(b, " IS NULL"));
            continue;
        }
        NX_TRY(nx_buf_adds(b, " = CAST("));
        NX_TRY(nx_sql_literal(b, pv[k].value));
        NX_TRY(nx_buf_adds(b, " AS "));
        NX_TRY(nx_type_to_sql(&f->type, b));
        NX_TRY(nx_buf_addc(b, ')'));
    }
    return NX_OK;
}

static nx_status pair_of(nx__job *j, const nx_result *r, size_t row, size_t k, nx__pair *ret, nx_err *err)
{
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    const char *name = nx_arena_dup(&j->c.arena, j->meta->part[k]), *value;
    if (name == NULL || nx_result_text(r, row, k, &text) != NX_OK ||
        (value = nx_arena_dup(&j->c.arena, nx_buf_str(&text))) == NULL)
        return nx_nomem(err);
    bool null = nx_result_is_null(r, row, k);
    if (!null && text.n == 0)
        return nx_fail(err, NX_CHECK_FAILED,
                       "partition column \"%s\" of table %s would hold an empty text, which Delta cannot store", name,
                       j->t->name);
    *ret = (nx__pair){nx_str_of(name), null ? (nx_str){NULL, 0} : (nx_str){value, text.n}};
    return NX_OK;
}

static nx_status write_parts(nx__job *j, const size_t *at, const nx_result *r, int64_t *rows, nx_err *err)
{
    for (size_t i = 0; i < nx_result_rows(r); i++) {
        nx_buf sql NX_BUF_AUTO;
        nx_buf_init(&sql, 0);
        nx__pair *pv = NX_ARENA_ARRAY(&j->c.arena, nx__pair, j->meta->n_part);
        if (pv == NULL)
            return nx_nomem(err);
        for (size_t k = 0; k < j->meta->n_part; k++)
            NX_TRY(pair_of(j, r, i, k, &pv[k], err));
        if (part_sql(j, at, pv, &sql) != NX_OK)
            return nx_nomem(err);
        NX_TRY(nx__job_write_part(j, nx_buf_str(&sql), pv, j->meta->n_part, rows, err));
    }
    return NX_OK;
}

static nx_status write_partitioned(nx__job *j, nx_str sql, int64_t *rows, nx_err *err)
{
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    size_t *at = NX_ARENA_ARRAY(&j->c.arena, size_t, j->meta->n_part);
    if (at == NULL ||
        nx_buf_addf(&text, "CREATE OR REPLACE TEMP TABLE " OUT_TABLE " AS " NX_STR_FMT, NX_STR_ARG(sql)) != NX_OK)
        return nx_nomem(err);
    for (size_t k = 0; k < j->meta->n_part; k++)
        at[k] = nx_schema_find(j->schema, j->meta->part[k]);
    NX_TRY(nx_session_exec(j->s, nx_buf_str(&text), NULL, err));
    nx_buf_clear(&text);
    nx_result *r = NULL;
    nx_status st =
        values_sql(j, at, &text) == NX_OK ? nx_session_query(j->s, nx_buf_str(&text), &r, err) : nx_nomem(err);
    if (st == NX_OK)
        st = write_parts(j, at, r, rows, err);
    nx_result_drop(r);
    nx_status gone = nx_session_exec(j->s, NX_STR("DROP TABLE IF EXISTS " OUT_TABLE), NULL, NULL);
    return st == NX_OK ? gone : st;
}

nx_status nx__job_write(nx__job *j, nx_str sql, int64_t *ret_rows, nx_err *err)
{
    *ret_rows = 0;
    return j->meta->n_part == 0 ? nx__job_write_part(j, sql, NULL, 0, ret_rows, err)
                                : write_partitioned(j, sql, ret_rows, err);
}
