/* Host objects with rows and times: the table of run_query(), and run_started_at. */
#include "transform/dbt_int.h"

#include <time.h>

/* Everything is read out of the engine at once, so that the object lives as long as the run. */
typedef struct table {
    size_t n_cols, n_rows;
    nx_jval *names;  /* n_cols strings */
    nx_jval *values; /* row after row */
} table;

typedef struct table_row {
    const table *t;
    size_t row;
} table_row;

typedef struct table_col {
    const table *t;
    size_t col;
} table_col;

static nx_status index_of(const nx_jval *key, size_t n, size_t *ret, nx_err *err)
{
    if (key->kind != NX_J_INT || key->i < -(int64_t)n || key->i >= (int64_t)n)
        return nx_fail(err, NX_INVALID, "a query's result has %zu elements there, and no such one", n);
    *ret = (size_t)(key->i < 0 ? key->i + (int64_t)n : key->i);
    return NX_OK;
}

static bool named(const table *t, nx_str name, size_t *ret)
{
    for (size_t i = 0; i < t->n_cols; i++)
        if (nx_str_eq_nocase(t->names[i].s, name)) {
            *ret = i;
            return true;
        }
    return false;
}

/* ---- rows ---- */

static nx_status row_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)run;
    (void)err;
    const table_row *r = self->ctx;
    size_t col;
    if (named(r->t, name, &col))
        *ret = r->t->values[r->row * r->t->n_cols + col];
    return NX_OK;
}

static nx_status row_item(nx_jrun *run, nx_jobj *self, const nx_jval *key, nx_jval *ret, nx_err *err)
{
    (void)run;
    const table_row *r = self->ctx;
    size_t col = 0;
    if (key->kind == NX_J_STR && named(r->t, key->s, &col)) {
        *ret = r->t->values[r->row * r->t->n_cols + col];
        return NX_OK;
    }
    NX_TRY(index_of(key, r->t->n_cols, &col, err));
    *ret = r->t->values[r->row * r->t->n_cols + col];
    return NX_OK;
}

static nx_status row_iter(nx_jrun *run, nx_jobj *self, nx_jval *ret, nx_err *err)
{
    const table_row *r = self->ctx;
    NX_TRY(nx_jrun_list(run, ret, err));
    for (size_t i = 0; i < r->t->n_cols; i++)
        NX_TRY(nx_jlist_add(run, ret, r->t->values[r->row * r->t->n_cols + i], err));
    return NX_OK;
}

static nx_status row_values(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    NX_TRY(nx_jargs_check(args, "values", 0, NULL, err));
    nx_jobj self = {NULL, ctx};
    return row_iter(run, &self, ret, err);
}

static nx_status row_attr_or_values(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    if (nx_str_is(name, "values"))
        return nx_jval_bound(run, "values", row_values, self->ctx, ret, err);
    return row_attr(run, self, name, ret, err);
}

static const nx_jclass ROW = {.name = "Row", .attr = row_attr_or_values, .item = row_item, .iter = row_iter};

static nx_status make_row(nx_jrun *run, const table *t, size_t row, nx_jval *ret, nx_err *err)
{
    table_row *r = NX_ARENA_NEW(nx_jrun_arena(run), table_row);
    if (r == NULL)
        return nx_fail(err, NX_LIMIT, "a query's result needs more memory than the rendering may have");
    *r = (table_row){t, row};
    return nx_jrun_obj(run, &ROW, r, ret, err);
}

/* ---- columns ---- */

static nx_status col_iter(nx_jrun *run, nx_jobj *self, nx_jval *ret, nx_err *err)
{
    const table_col *c = self->ctx;
    NX_TRY(nx_jrun_list(run, ret, err));
    for (size_t i = 0; i < c->t->n_rows; i++)
        NX_TRY(nx_jlist_add(run, ret, c->t->values[i * c->t->n_cols + c->col], err));
    return NX_OK;
}

static nx_status col_values(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    NX_TRY(nx_jargs_check(args, "values", 0, NULL, err));
    nx_jobj self = {NULL, ctx};
    return col_iter(run, &self, ret, err);
}

static nx_status col_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    const table_col *c = self->ctx;
    if (nx_str_is(name, "name"))
        *ret = c->t->names[c->col];
    else if (nx_str_is(name, "values"))
        return nx_jval_bound(run, "values", col_values, self->ctx, ret, err);
    return NX_OK;
}

static nx_status col_item(nx_jrun *run, nx_jobj *self, const nx_jval *key, nx_jval *ret, nx_err *err)
{
    (void)run;
    const table_col *c = self->ctx;
    size_t row = 0;
    NX_TRY(index_of(key, c->t->n_rows, &row, err));
    *ret = c->t->values[row * c->t->n_cols + c->col];
    return NX_OK;
}

static const nx_jclass COLUMN = {.name = "Column", .attr = col_attr, .item = col_item, .iter = col_iter};

static nx_status make_col(nx_jrun *run, const table *t, size_t col, nx_jval *ret, nx_err *err)
{
    table_col *c = NX_ARENA_NEW(nx_jrun_arena(run), table_col);
    if (c == NULL)
        return nx_fail(err, NX_LIMIT, "a query's result needs more memory than the rendering may have");
    *c = (table_col){t, col};
    return nx_jrun_obj(run, &COLUMN, c, ret, err);
}

/* columns: by index or by name, as agate has it. */
static nx_status cols_iter(nx_jrun *run, nx_jobj *self, nx_jval *ret, nx_err *err)
{
    const table *t = self->ctx;
    NX_TRY(nx_jrun_list(run, ret, err));
    for (size_t i = 0; i < t->n_cols; i++) {
        nx_jval v;
        NX_TRY(make_col(run, t, i, &v, err));
        NX_TRY(nx_jlist_add(run, ret, v, err));
    }
    return NX_OK;
}

static nx_status cols_item(nx_jrun *run, nx_jobj *self, const nx_jval *key, nx_jval *ret, nx_err *err)
{
    const table *t = self->ctx;
    size_t col = 0;
    if (key->kind != NX_J_STR)
        NX_TRY(index_of(key, t->n_cols, &col, err));
    else if (!named(t, key->s, &col))
        return nx_fail(err, NX_INVALID, "the query's result has no column '" NX_STR_FMT "'", NX_STR_ARG(key->s));
    return make_col(run, t, col, ret, err);
}

static const nx_jclass COLUMNS = {.name = "Columns", .item = cols_item, .iter = cols_iter};

/* ---- tables ---- */

static nx_status table_rows(nx_jrun *run, nx_jobj *self, nx_jval *ret, nx_err *err)
{
    const table *t = self->ctx;
    NX_TRY(nx_jrun_list(run, ret, err));
    for (size_t i = 0; i < t->n_rows; i++) {
        nx_jval row;
        NX_TRY(make_row(run, t, i, &row, err));
        NX_TRY(nx_jlist_add(run, ret, row, err));
    }
    return NX_OK;
}

static nx_status table_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    const table *t = self->ctx;
    if (nx_str_is(name, "rows"))
        return table_rows(run, self, ret, err);
    if (nx_str_is(name, "columns"))
        return nx_jrun_obj(run, &COLUMNS, self->ctx, ret, err);
    if (nx_str_is(name, "column_names"))
        return nx_jrun_tuple(run, t->names, t->n_cols, ret, err);
    return NX_OK;
}

static const nx_jclass TABLE = {.name = "Table", .attr = table_attr, .iter = table_rows};

static bool starts(const char *type, const char *prefix)
{
    return strncmp(type, prefix, strlen(prefix)) == 0;
}

static nx_status value_of(nx_jrun *run, const nx_result *r, size_t row, size_t col, nx_jval *ret, nx_err *err)
{
    const char *type = nx_result_type(r, col);
    *ret = nx_jval_none();
    if (nx_result_is_null(r, row, col))
        return NX_OK;
    if (strcmp(type, "BOOLEAN") == 0)
        *ret = nx_jval_bool(nx_result_i64(r, row, col, 0) != 0);
    else if (starts(type, "DOUBLE") || starts(type, "FLOAT") ||
             (starts(type, "DECIMAL") && !nx_str_ends(nx_str_of(type), NX_STR(",0)"))))
        *ret = nx_jval_float(nx_result_f64(r, row, col, 0));
    else if (strstr(type, "INT") != NULL && strchr(type, '[') == NULL && !starts(type, "INTERVAL") &&
             !starts(type, "STRUCT") && !starts(type, "MAP"))
        *ret = nx_jval_int(nx_result_i64(r, row, col, 0));
    else if (starts(type, "DECIMAL"))
        *ret = nx_jval_int(nx_result_i64(r, row, col, 0));
    else {
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        if (nx_result_text(r, row, col, &b) != NX_OK)
            return nx_nomem(err);
        return nx_jrun_str(run, nx_buf_str(&b), ret, err);
    }
    return NX_OK;
}

static nx_status table_fill(nx_jrun *run, const nx_result *r, table *t, nx_err *err)
{
    size_t cells;
    t->n_cols = nx_result_cols(r);
    t->n_rows = nx_result_rows(r);
    if (__builtin_mul_overflow(t->n_cols, t->n_rows, &cells))
        return nx_fail(err, NX_LIMIT, "a query's result is too large for a template");
    t->names = NX_ARENA_ARRAY(nx_jrun_arena(run), nx_jval, t->n_cols + 1);
    t->values = NX_ARENA_ARRAY(nx_jrun_arena(run), nx_jval, cells + 1);
    if (t->names == NULL || t->values == NULL)
        return nx_fail(err, NX_LIMIT, "a query's result of %zu rows is too large for a template", t->n_rows);
    for (size_t i = 0; i < t->n_cols; i++)
        NX_TRY(nx_jrun_str(run, nx_str_of(nx_result_name(r, i)), &t->names[i], err));
    for (size_t i = 0; i < cells; i++)
        NX_TRY(value_of(run, r, i / t->n_cols, i % t->n_cols, &t->values[i], err));
    return NX_OK;
}

nx_status nx__dbt_table(nx_jrun *run, nx_session *s, nx_str sql, nx_jval *ret, nx_err *err)
{
    nx_result *r;
    table *t = NX_ARENA_NEW(nx_jrun_arena(run), table);
    if (t == NULL)
        return nx_fail(err, NX_LIMIT, "the rendering needs more memory than it may have");
    NX_TRY(nx_session_query(s, sql, &r, err));
    nx_status st = table_fill(run, r, t, err);
    nx_result_drop(r);
    return st == NX_OK ? nx_jrun_obj(run, &TABLE, t, ret, err) : st;
}

/* ---- run_started_at ---- */

static nx_status time_format(nx_jrun *run, const dbt_project *p, const char *fmt, nx_jval *ret, nx_err *err)
{
    char out[256];
    time_t sec = (time_t)(p->started / 1000000000);
    struct tm tm;
    gmtime_r(&sec, &tm);
    if (strftime(out, sizeof out, fmt, &tm) == 0 && fmt[0] != '\0')
        return nx_fail(err, NX_INVALID, "strftime('%s') gives no text or one longer than %zu characters", fmt,
                       sizeof out - 1);
    return nx_jrun_str(run, fmt[0] == '\0' ? NX_STR("") : nx_str_of(out), ret, err);
}

static nx_status fn_strftime(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    nx_str fmt;
    NX_TRY(nx_jargs_str(args, "strftime", 0, "format", &fmt, err));
    const char *c = nx__dbt_cstr(nx_jrun_arena(run), fmt);
    return c == NULL ? nx_fail(err, NX_LIMIT, "the rendering needs more memory than it may have")
                     : time_format(run, ctx, c, ret, err);
}

static nx_status fn_isoformat(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    NX_TRY(nx_jargs_check(args, "isoformat", 0, NULL, err));
    char iso[40];
    nx__dbt_iso(((const dbt_project *)ctx)->started, iso);
    return nx_jrun_strf(run, ret, err, "%.26s+00:00", iso);
}

static nx_status time_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    if (nx_str_is(name, "strftime"))
        return nx_jval_bound(run, "strftime", fn_strftime, self->ctx, ret, err);
    if (nx_str_is(name, "isoformat"))
        return nx_jval_bound(run, "isoformat", fn_isoformat, self->ctx, ret, err);
    return NX_OK;
}

static nx_status time_str(nx_jrun *run, nx_jobj *self, nx_buf *out, nx_err *err)
{
    (void)run;
    char iso[40];
    nx__dbt_iso(((const dbt_project *)self->ctx)->started, iso);
    iso[10] = ' ';
    nx_status st = nx_buf_addf(out, "%.26s+00:00", iso);
    return st == NX_OK ? NX_OK : nx_fail(err, st, "could not print run_started_at");
}

static const nx_jclass TIME = {.name = "datetime", .attr = time_attr, .str = time_str};

nx_status nx__dbt_ctx_time(nx_jrun *run, dbt_ctx *c, nx_err *err)
{
    nx_jval v;
    NX_TRY(nx_jrun_obj(run, &TIME, c->p, &v, err));
    return nx_jrun_set(run, "run_started_at", v, err);
}
