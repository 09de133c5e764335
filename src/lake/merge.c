/* Copy on write: the files that hold touched rows are written again, everything else stays (facts: delta.md section
 * 0). Keys match by SQL's "=": a null key matches nothing. */
#include <stdlib.h>

#include "lake/lake_int.h"

/* "s.k = t.k AND ..." */
static nx_status key_match(const char *const *key, nx_buf *b)
{
    for (size_t i = 0; key[i] != NULL; i++) {
        NX_TRY(nx_buf_adds(b, i > 0 ? " AND s." : "s."));
        NX_TRY(nx_sql_ident(b, nx_str_of(key[i])));
        NX_TRY(nx_buf_adds(b, " = t."));
        NX_TRY(nx_sql_ident(b, nx_str_of(key[i])));
    }
    return NX_OK;
}

static nx_status key_list(const char *const *key, const char *suffix, nx_buf *b)
{
    for (size_t i = 0; key[i] != NULL; i++) {
        if (i > 0)
            NX_TRY(nx_buf_adds(b, suffix[0] == '\0' ? ", " : " AND "));
        NX_TRY(nx_sql_ident(b, nx_str_of(key[i])));
        NX_TRY(nx_buf_adds(b, suffix));
    }
    return NX_OK;
}

static nx_status check_key(const nx__job *j, const char *const *key, nx_err *err)
{
    if (key == NULL || key[0] == NULL)
        return nx_fail(err, NX_INVALID, "could not change table %s by key: no key column was given", j->t->name);
    for (size_t i = 0; key[i] != NULL; i++)
        if (nx_schema_find(j->schema, nx_str_of(key[i])) == SIZE_MAX)
            return nx_fail(err, NX_INVALID, "key column \"%s\" is not in table %s", key[i], j->t->name);
    return NX_OK;
}

static nx_status scan(const nx__job *j, nx__file *const *files, size_t n, bool with_file, nx_buf *b, nx_err *err)
{
    nx__scan sc = {.t = j->t, .meta = j->meta, .files = files, .n_files = n, .with_file = with_file};
    return nx__scan_sql(&sc, b, err);
}

/* ------------------------------------------------------------------ which files */

/* Runs "file, rows" and marks those files as removed; *ret_rows: the touched rows. */
static nx_status take_files(nx__job *j, nx_str sql, int64_t *ret_rows, nx_err *err)
{
    nx_map by_path;
    nx_map_init(&by_path, NULL);
    nx_result *r = NULL;
    nx_status st = NX_OK;
    nx__file *f;
    for (size_t i = 0; st == NX_OK && (f = nx__snap_file(j->base, &i)) != NULL;) {
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 0);
        st = nx__file_local(j->t, f, &path, err);
        if (st == NX_OK && nx_map_set(&by_path, nx_buf_str(&path), f) != NX_OK)
            st = nx_nomem(err);
    }
    if (st == NX_OK)
        st = nx_session_query(j->s, sql, &r, err);
    *ret_rows = 0;
    for (size_t i = 0; st == NX_OK && i < nx_result_rows(r); i++) {
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 0);
        st = nx_result_text(r, i, 0, &path);
        f = st == NX_OK ? nx_map_get(&by_path, nx_buf_str(&path)) : NULL;
        if (f == NULL)
            st = nx_fail(err, NX_INTERNAL, "rows of table %s come from %s, which is none of its files", j->t->name,
                         path.p);
        else
            st = nx__change_remove(&j->c, f, err);
        *ret_rows += nx_result_i64(r, i, 1, 0);
    }
    nx_result_drop(r);
    nx_map_drop(&by_path);
    return st;
}

/* SELECT file, count(*) FROM (all rows) t WHERE <condition>. */
static nx_status find_files(nx__job *j, nx_str condition, int64_t *ret_rows, nx_err *err)
{
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, 0);
    nx__file **files = NULL;
    size_t n = 0;
    if (nx__snap_files(j->base, &files, &n) != NX_OK)
        return nx_nomem(err);
    nx_status st = nx_buf_adds(&sql, "SELECT " NX__FILE_COLUMN ", count(*) FROM (");
    if (st == NX_OK)
        st = scan(j, files, n, true, &sql, err);
    if (st == NX_OK)
        st = nx_buf_adds(&sql, ") AS t WHERE ");
    if (st == NX_OK)
        st = nx_buf_add(&sql, condition);
    if (st == NX_OK)
        st = nx_buf_adds(&sql, " GROUP BY 1 ORDER BY 1");
    free(files);
    return st == NX_OK ? take_files(j, nx_buf_str(&sql), ret_rows, err) : st;
}

/* ------------------------------------------------------------------ delete + insert */

static nx_status delete_insert_sql(nx__job *j, const char *const *key, nx_buf *b, nx_err *err)
{
    if (j->c.n_removes > 0) {
        NX_TRY(nx_buf_adds(b, "SELECT "));
        NX_TRY(nx__job_columns(j, "t", b));
        NX_TRY(nx_buf_adds(b, " FROM ("));
        NX_TRY(scan(j, j->c.removes, j->c.n_removes, false, b, err));
        NX_TRY(nx_buf_adds(b, ") AS t WHERE NOT EXISTS (SELECT 1 FROM " NX__SOURCE_TABLE " AS s WHERE "));
        NX_TRY(key_match(key, b));
        NX_TRY(nx_buf_adds(b, ") UNION ALL "));
    }
    NX_TRY(nx_buf_adds(b, "SELECT "));
    NX_TRY(nx__job_columns(j, "s", b));
    return nx_buf_adds(b, " FROM " NX__SOURCE_TABLE " AS s");
}

nx_status nx__merge_delete_insert(nx__job *j, const char *const *key, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    int64_t written;
    NX_TRY(check_key(j, key, err));
    NX_TRY(nx_buf_adds(&b, "EXISTS (SELECT 1 FROM " NX__SOURCE_TABLE " AS s WHERE "));
    NX_TRY(key_match(key, &b));
    NX_TRY(nx_buf_addc(&b, ')'));
    NX_TRY(find_files(j, nx_buf_str(&b), &j->c.rows_removed, err));
    NX_TRY(nx__job_count(j, NX_STR("SELECT count(*) FROM " NX__SOURCE_TABLE), &j->c.rows_added, err));
    if (j->c.n_removes == 0 && j->c.rows_added == 0)
        return NX_OK;
    nx_buf_clear(&b);
    NX_TRY(delete_insert_sql(j, key, &b, err));
    return nx__job_write(j, nx_buf_str(&b), &written, err);
}

/* ------------------------------------------------------------------ merge */

static nx_status check_doubled(nx__job *j, const char *const *key, nx_err *err)
{
    nx_buf b NX_BUF_AUTO, text NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_buf_init(&text, 512);
    NX_TRY(nx_buf_adds(&b, "SELECT "));
    NX_TRY(key_list(key, "", &b));
    NX_TRY(nx_buf_adds(&b, " FROM " NX__SOURCE_TABLE " WHERE "));
    NX_TRY(key_list(key, " IS NOT NULL", &b));
    NX_TRY(nx_buf_adds(&b, " GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL LIMIT 1"));
    nx_result *r = NULL;
    NX_TRY(nx_session_query(j->s, nx_buf_str(&b), &r, err));
    nx_status st = NX_OK;
    if (nx_result_rows(r) > 0) {
        for (size_t k = 0; k < nx_result_cols(r) && st == NX_OK; k++) {
            st = nx_buf_addf(&text, k > 0 ? ", %s = " : "%s = ", key[k]);
            if (st == NX_OK)
                st = nx_result_json(r, 0, k, &text);
        }
        nx_fail(err, NX_CHECK_FAILED, "could not merge into table %s: the query has several rows with key %s",
                j->t->name, text.p == NULL ? "" : text.p);
        st = nx_err_hint(err, NX_CHECK_FAILED,
                         "make the key unique in the query, for instance by QUALIFY row_number() ... = 1");
    }
    nx_result_drop(r);
    return st;
}

static bool is_in(const char *const *list, const char *name)
{
    for (size_t i = 0; list[i] != NULL; i++)
        if (nx_str_eq_nocase(nx_str_of(list[i]), nx_str_of(name)))
            return true;
    return false;
}

static bool updates(const char *const *key, const char *const *update, const char *name)
{
    return !is_in(key, name) && (update == NULL || is_in(update, name));
}

/* A row is touched when its key matches and some column that is updated really changes. The CASE keeps IS DISTINCT
 * FROM out of the join's own conditions: there the engine (1.4 line) lets a null match nothing. */
static nx_status changed_condition(const nx__job *j, const char *const *key, const char *const *update, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "EXISTS (SELECT 1 FROM " NX__SOURCE_TABLE " AS s WHERE "));
    NX_TRY(key_match(key, b));
    NX_TRY(nx_buf_adds(b, " AND CASE WHEN false"));
    for (size_t i = 0; i < j->schema->n_fields; i++) {
        nx_str name = nx_str_of(j->schema->fields[i].name);
        if (!updates(key, update, name.p))
            continue;
        NX_TRY(nx_buf_adds(b, " OR s."));
        NX_TRY(nx_sql_ident(b, name));
        NX_TRY(nx_buf_adds(b, " IS DISTINCT FROM t."));
        NX_TRY(nx_sql_ident(b, name));
    }
    return nx_buf_adds(b, " THEN true ELSE false END)");
}

/* The rows of touched files, updated. */
static nx_status updated_sql(nx__job *j, const char *const *key, const char *const *update, nx_buf *b, nx_err *err)
{
    NX_TRY(nx_buf_adds(b, "SELECT "));
    for (size_t i = 0; i < j->schema->n_fields; i++) {
        nx_str name = nx_str_of(j->schema->fields[i].name);
        bool takes = updates(key, update, name.p);
        NX_TRY(nx_buf_adds(b, i > 0 ? ", " : ""));
        NX_TRY(nx_buf_adds(b, takes ? "CASE WHEN s.__nexus_hit THEN s." : "t."));
        NX_TRY(nx_sql_ident(b, name));
        if (takes) {
            NX_TRY(nx_buf_adds(b, " ELSE t."));
            NX_TRY(nx_sql_ident(b, name));
            NX_TRY(nx_buf_adds(b, " END AS "));
            NX_TRY(nx_sql_ident(b, name));
        }
    }
    NX_TRY(nx_buf_adds(b, " FROM ("));
    NX_TRY(scan(j, j->c.removes, j->c.n_removes, false, b, err));
    NX_TRY(nx_buf_adds(b, ") AS t LEFT JOIN (SELECT true AS __nexus_hit, * FROM " NX__SOURCE_TABLE ") AS s ON "));
    return key_match(key, b);
}

/* FROM source rows whose key is in no row of the table. */
static nx_status new_rows_sql(nx__job *j, const char *const *key, nx_buf *b, nx_err *err)
{
    nx__file **files = NULL;
    size_t n = 0;
    if (nx__snap_files(j->base, &files, &n) != NX_OK)
        return nx_nomem(err);
    nx_status st = nx_buf_adds(b, " FROM " NX__SOURCE_TABLE " AS s WHERE NOT EXISTS (SELECT 1 FROM (");
    if (st == NX_OK)
        st = scan(j, files, n, false, b, err);
    if (st == NX_OK)
        st = nx_buf_adds(b, ") AS t WHERE ");
    if (st == NX_OK)
        st = key_match(key, b);
    free(files);
    return st == NX_OK ? nx_buf_addc(b, ')') : st;
}

nx_status nx__merge_upsert(nx__job *j, const char *const *key, const char *const *update, nx_err *err)
{
    nx_buf b NX_BUF_AUTO, fresh NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_buf_init(&fresh, 0);
    int64_t inserted, written;
    NX_TRY(check_key(j, key, err));
    NX_TRY(check_doubled(j, key, err));
    NX_TRY(changed_condition(j, key, update, &b));
    NX_TRY(find_files(j, nx_buf_str(&b), &j->c.rows_removed, err));
    NX_TRY(new_rows_sql(j, key, &fresh, err));
    nx_buf_clear(&b);
    NX_TRY(nx_buf_addf(&b, "SELECT count(*)%s", fresh.p));
    NX_TRY(nx__job_count(j, nx_buf_str(&b), &inserted, err));
    j->c.rows_added = j->c.rows_removed + inserted;
    if (j->c.n_removes == 0 && inserted == 0)
        return NX_OK;
    nx_buf_clear(&b);
    if (j->c.n_removes > 0)
        NX_TRY(updated_sql(j, key, update, &b, err));
    if (inserted > 0) {
        NX_TRY(nx_buf_adds(&b, j->c.n_removes > 0 ? " UNION ALL SELECT " : "SELECT "));
        NX_TRY(nx__job_columns(j, "s", &b));
        NX_TRY(nx_buf_add(&b, nx_buf_str(&fresh)));
    }
    return nx__job_write(j, nx_buf_str(&b), &written, err);
}

/* ------------------------------------------------------------------ delete */

nx_status nx__merge_delete(nx__job *j, nx_str predicate, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    int64_t written;
    NX_TRY(nx_buf_addf(&b, "(" NX_STR_FMT "\n)", NX_STR_ARG(predicate)));
    NX_TRY(find_files(j, nx_buf_str(&b), &j->c.rows_removed, err));
    if (j->c.n_removes == 0)
        return NX_OK;
    nx_buf_clear(&b);
    NX_TRY(nx_buf_adds(&b, "SELECT "));
    NX_TRY(nx__job_columns(j, "t", &b));
    NX_TRY(nx_buf_adds(&b, " FROM ("));
    NX_TRY(scan(j, j->c.removes, j->c.n_removes, false, &b, err));
    NX_TRY(nx_buf_addf(&b, ") AS t WHERE (" NX_STR_FMT "\n) IS NOT TRUE", NX_STR_ARG(predicate)));
    return nx__job_write(j, nx_buf_str(&b), &written, err);
}
