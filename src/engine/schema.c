/* engine/schema.c - the columns of a query in our types, and the SELECT that casts a query to a schema. */
#include "data/type.h"
#include "engine/engine_int.h"

typedef struct columns {
    const char **names;
    nx__vtype *types;
    size_t n;
} columns;

static nx_status read_columns(duckdb_prepared_statement p, nx_arena *a, columns *ret, nx_err *err)
{
    ret->n = duckdb_prepared_statement_column_count(p);
    ret->names = NX_ARENA_ARRAY(a, const char *, ret->n);
    ret->types = NX_ARENA_ARRAY(a, nx__vtype, ret->n);
    if (ret->names == NULL || ret->types == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < ret->n; i++) {
        const char *name = duckdb_prepared_statement_column_name(p, i);
        ret->names[i] = nx_arena_dup(a, nx_str_of(name));
        duckdb_free((void *)name);
        if (ret->names[i] == NULL)
            return nx_nomem(err);
        duckdb_logical_type t = duckdb_prepared_statement_column_logical_type(p, i);
        nx_status st = nx__vtype_make(t, a, &ret->types[i], err);
        duckdb_destroy_logical_type(&t);
        NX_TRY(st);
    }
    return NX_OK;
}

static nx_status columns_of(nx_session *s, nx_str sql, nx_arena *a, columns *ret, nx_err *err)
{
    sql = nx__bare_query(sql);
    if (sql.n == 0 || memchr(sql.p, '\0', sql.n) != NULL)
        return nx_fail(err, NX_INVALID, "the query is %s", sql.n == 0 ? "empty" : "cut by a zero byte");
    char *text = nx_arena_dup(a, sql);
    if (text == NULL)
        return nx_nomem(err);
    duckdb_prepared_statement p = NULL;
    NX_TRY(nx__prepare(s, text, &p, err));
    nx_status st = NX_OK;
    if (duckdb_nparams(p) > 0)
        st = nx_fail(err, NX_INVALID, "the query has parameters, which nobody fills here");
    else
        st = read_columns(p, a, ret, err);
    duckdb_destroy_prepare(&p);
    return st;
}

nx_status nx_session_schema(nx_session *s, nx_str sql, nx_arena *a, nx_schema **ret, nx_err *err)
{
    columns c;
    NX_TRY(columns_of(s, sql, a, &c, err));
    nx_field *f = NX_ARENA_ARRAY(a, nx_field, c.n);
    *ret = NX_ARENA_NEW(a, nx_schema);
    if (f == NULL || *ret == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < c.n; i++) {
        f[i].name = c.names[i];
        f[i].nullable = true;
        NX_TRY(nx__vtype_to_nx(&c.types[i], c.names[i], a, &f[i].type, err));
    }
    **ret = (nx_schema){f, c.n};
    return NX_OK;
}

/* ------------------------------------------------------------------ casts */

static bool is_instant(duckdb_type id)
{
    return id == DUCKDB_TYPE_TIMESTAMP || id == DUCKDB_TYPE_TIMESTAMP_S || id == DUCKDB_TYPE_TIMESTAMP_MS ||
           id == DUCKDB_TYPE_TIMESTAMP_NS || id == DUCKDB_TYPE_TIMESTAMP_TZ;
}

static bool is_exact_number(const nx_type *t)
{
    return t->kind == NX_INT32 || t->kind == NX_INT64 || t->kind == NX_DECIMAL;
}

/* DuckDB rounds these in silence, so the cast has to be compared with the value. */
static bool may_round(const nx__vtype *from, const nx_type *to)
{
    if (is_exact_number(to))
        return from->id == DUCKDB_TYPE_FLOAT || from->id == DUCKDB_TYPE_DOUBLE ||
               (from->id == DUCKDB_TYPE_DECIMAL && from->scale > (to->kind == NX_DECIMAL ? to->scale : 0));
    return to->kind == NX_DATE && is_instant(from->id);
}

static nx_status add_error(nx_buf *b, const char *column, const char *what)
{
    NX_BUF_AUTO nx_buf text;
    nx_buf_init(&text, 0);
    NX_TRY(nx_buf_addf(&text, NX__ROW_CHECK "column %s %s", column, what));
    NX_TRY(nx_buf_adds(b, " THEN error("));
    NX_TRY(nx_sql_literal(b, nx_buf_str(&text)));
    return nx_buf_addc(b, ')');
}

static nx_status add_cast(nx_buf *b, const char *ref, const nx_type *to)
{
    NX_TRY(nx_buf_addf(b, "CAST(%s AS ", ref));
    NX_TRY(nx_type_to_sql(to, b));
    return nx_buf_addc(b, ')');
}

static nx_status add_field(nx_buf *b, const nx_field *f, const nx__vtype *from)
{
    NX_BUF_AUTO nx_buf ref;
    nx_buf_init(&ref, 0);
    NX_TRY(nx_buf_adds(&ref, "q."));
    NX_TRY(nx_sql_ident(&ref, nx_str_of(f->name)));
    bool rounds = may_round(from, &f->type),
         cuts = f->type.kind == NX_TIMESTAMP && from->id == DUCKDB_TYPE_TIMESTAMP_NS;
    bool guarded = rounds || cuts || !f->nullable;
    NX_TRY(nx_buf_adds(b, guarded ? "CASE" : ""));
    if (!f->nullable) {
        NX_TRY(nx_buf_addf(b, " WHEN %s IS NULL", ref.p));
        NX_TRY(add_error(b, f->name, "is null in a row, but must not be"));
    }
    if (rounds) {
        NX_TRY(nx_buf_adds(b, " WHEN "));
        NX_TRY(add_cast(b, ref.p, &f->type));
        NX_TRY(nx_buf_addf(b, " <> %s", ref.p));
        NX_TRY(add_error(b, f->name, "has a value that its type can only hold rounded"));
    }
    if (cuts) {
        NX_TRY(nx_buf_addf(b, " WHEN epoch_ns(%s) %% 1000 <> 0", ref.p));
        NX_TRY(add_error(b, f->name, "has an instant with nanoseconds, its type holds microseconds"));
    }
    NX_TRY(nx_buf_adds(b, guarded ? " ELSE " : ""));
    NX_TRY(add_cast(b, ref.p, &f->type));
    NX_TRY(nx_buf_adds(b, guarded ? " END AS " : " AS "));
    return nx_sql_ident(b, nx_str_of(f->name));
}

static nx_status check_pair(const nx_field *f, const columns *c, size_t *ret_at, nx_err *err)
{
    for (size_t i = 0; i < c->n; i++) {
        if (!nx_str_eq_nocase(nx_str_of(c->names[i]), nx_str_of(f->name)))
            continue;
        *ret_at = i;
        bool number = is_exact_number(&f->type) || f->type.kind == NX_DOUBLE;
        if (c->types[i].id != DUCKDB_TYPE_VARCHAR || !number)
            return NX_OK;
        nx_fail(err, NX_INVALID, "the query gives text for the numeric column %s", f->name);
        return nx_err_hint(err, NX_INVALID,
                           "cast it in the query: an implicit cast would round digits away in silence");
    }
    return nx_fail(err, NX_INVALID, "the query gives no column %s", f->name);
}

nx_status nx__cast_select(nx_session *s, nx_str sql, const nx_schema *schema, nx_buf *ret, nx_err *err)
{
    if (schema->n_fields == 0)
        return nx_fail(err, NX_INVALID, "the schema has no columns");
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    columns c;
    NX_TRY(columns_of(s, sql, &a, &c, err));
    nx_status st = nx_buf_adds(ret, "SELECT ");
    for (size_t i = 0; i < schema->n_fields && st == NX_OK; i++) {
        size_t at = 0;
        NX_TRY(check_pair(&schema->fields[i], &c, &at, err));
        st = i == 0 ? NX_OK : nx_buf_adds(ret, ", ");
        if (st == NX_OK)
            st = add_field(ret, &schema->fields[i], &c.types[at]);
    }
    sql = nx__bare_query(sql);
    if (st == NX_OK)
        st = nx_buf_adds(ret, " FROM (\n");
    if (st == NX_OK)
        st = nx_buf_add(ret, sql);
    if (st == NX_OK) /* the line ends a comment that may stand last */
        st = nx_buf_adds(ret, "\n) AS q");
    return st == NX_OK ? NX_OK : nx_fail(err, st, "could not write the SELECT of %zu columns", schema->n_fields);
}

nx_status nx_session_cast_sql(nx_session *s, nx_str sql, const nx_schema *schema, nx_buf *ret, nx_err *err)
{
    return nx__cast_select(s, sql, schema, ret, err);
}
