/* The open Delta conformance set: every table reads with the rows that its origin, or an independent reader, found in
 * it, or is refused by the name of what it uses. Needs the shared data folder (NEXUS_SHARED). Promise 11. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/json.h"
#include "lake/lake.h"

typedef struct world {
    nx_arena arena;
    char *root; /* of the tables */
    nx_val *manifest;
    nx_engine *engine;
    nx_lake *lake;
    nx_session *s;
} world;

static nx_status resolve(void *ctx, nx_session *s, nx_str name, nx_buf *sql, nx_err *err)
{
    (void)s;
    world *w = ctx;
    return nx_lake_scan_sql(w->lake, name, sql, err);
}

static int setup(void **state)
{
    static world w;
    nx_err err = {0};
    const char *shared = getenv("NEXUS_SHARED");
    nx_arena_init(&w.arena, 0);
    w.root = nx_arena_printf(&w.arena, "%s/data/delta-tables", shared == NULL ? "../shared" : shared);
    *state = &w;
    nx_buf b;
    nx_buf_init(&b, 0);
    char *path = nx_arena_printf(&w.arena, "%s/manifest.json", w.root);
    if (!nx_file_exists(path)) {
        printf("skipped: %s is not there (NEXUS_SHARED)\n", path);
        return 0;
    }
    nx_engine_opts eo = {.memory_bytes = (uint64_t)512 << 20, .threads = 2, .resolve = resolve, .resolve_ctx = &w};
    nx_status st = nx_file_read(path, &b, &err);
    if (st == NX_OK)
        st = nx_json_parse(nx_buf_str(&b), NULL, &w.arena, &w.manifest, &err);
    if (st == NX_OK)
        st = nx_engine_open(&eo, &w.engine, &err);
    if (st == NX_OK)
        st = nx_lake_open(&(nx_lake_opts){.root = "/tmp", .engine = w.engine}, &w.lake, &err);
    if (st == NX_OK)
        st = nx_session_open(w.engine, &w.s, &err);
    nx_buf_drop(&b);
    if (st != NX_OK)
        printf("setup: %s\n", err.text);
    return st == NX_OK ? 0 : -1;
}

static int teardown(void **state)
{
    world *w = *state;
    nx_session_close(w->s);
    nx_lake_close(w->lake);
    nx_engine_close(w->engine);
    nx_arena_drop(&w->arena);
    return 0;
}

static nx_status count_of(world *w, const char *sql, int64_t *ret, nx_err *err)
{
    nx_result *r = NULL;
    NX_TRY(nx_session_query(w->s, nx_str_of(sql), &r, err));
    *ret = nx_result_i64(r, 0, 0, -1);
    nx_result_drop(r);
    return NX_OK;
}

static bool readable(const nx_val *e)
{
    const nx_val *c = nx_val_get(e, "computed");
    return nx_val_str(nx_val_get(e, "flag"), NX_STR("")).n == 0 &&
           nx_val_i64(nx_val_get(c, "rows_at_latest"), -1) >= 0 &&
           nx_val_i64(nx_val_get(c, "active_files_missing_on_disk"), 0) == 0;
}

static const char *name_of(const nx_val *e)
{
    return nx_val_str(nx_val_get(e, "name"), NX_STR("")).p;
}

/* "CAST(a AS T), ...": all columns of the table with its types. */
static nx_status column_list(world *w, const char *table, nx_buf *cols, nx_err *err)
{
    nx_result *r = NULL;
    NX_TRY(nx_session_query(w->s, nx_str_of(nx_arena_printf(&w->arena, "DESCRIBE SELECT * FROM %s", table)), &r, err));
    for (size_t i = 0; i < nx_result_rows(r); i++) {
        nx_buf one NX_AUTO(nx_buf_drop), type NX_AUTO(nx_buf_drop);
        nx_buf_init(&one, 0);
        nx_buf_init(&type, 0);
        assert_int_equal(nx_result_text(r, i, 0, &one), NX_OK);
        assert_int_equal(nx_result_text(r, i, 1, &type), NX_OK);
        assert_int_equal(nx_buf_adds(cols, i > 0 ? ", CAST(" : "CAST("), NX_OK);
        assert_int_equal(nx_sql_ident(cols, nx_buf_str(&one)), NX_OK);
        assert_int_equal(nx_buf_addf(cols, " AS %s)", type.p), NX_OK);
    }
    nx_result_drop(r);
    return NX_OK;
}

/* Rows of one side only. */
static nx_status differences(world *w, const char *table, const char *expected, int64_t *ret, nx_err *err)
{
    nx_buf cols NX_AUTO(nx_buf_drop);
    nx_buf_init(&cols, 0);
    NX_TRY(column_list(w, table, &cols, err));
    const char *c = cols.p;
    return count_of(w,
                    nx_arena_printf(&w->arena,
                                    "SELECT count(*) FROM ((SELECT %s FROM %s EXCEPT ALL SELECT %s FROM %s) UNION ALL "
                                    "(SELECT %s FROM %s EXCEPT ALL SELECT %s FROM %s))",
                                    c, table, c, expected, c, expected, c, table),
                    ret, err);
}

/* NULL: fine; else what is wrong. */
static const char *check_contents(world *w, const nx_val *e)
{
    nx_err err = {0};
    const char *name = name_of(e);
    const char *table = nx_arena_printf(&w->arena, "\"delta:%s/%s/delta\"", w->root, name);
    int64_t rows = -1, want = nx_val_i64(nx_val_path(e, "computed.rows_at_latest"), -1), diff = -1;
    if (count_of(w, nx_arena_printf(&w->arena, "SELECT count(*) FROM %s", table), &rows, &err) != NX_OK)
        return nx_arena_printf(&w->arena, "%s", err.text);
    if (rows != want)
        return nx_arena_printf(&w->arena, "%lld rows instead of %lld", (long long)rows, (long long)want);
    const char *file = nx_arena_printf(&w->arena, "%s/%s/computed/latest.parquet", w->root, name);
    const char *expected = nx_arena_printf(&w->arena, "read_parquet('%s')", file);
    if (nx_val_bool(nx_val_get(e, "expected_dir"), false))
        expected =
            nx_arena_printf(&w->arena, "read_parquet('%s/%s/expected/*.parquet', union_by_name=true)", w->root, name);
    else if (!nx_file_exists(file))
        return NULL; /* no second opinion about the rows themselves */
    if (want == 0)
        return NULL;
    if (differences(w, table, expected, &diff, &err) != NX_OK)
        return nx_arena_printf(&w->arena, "%s", err.text);
    return diff == 0 ? NULL : nx_arena_printf(&w->arena, "%lld rows differ", (long long)diff);
}

static void test_contents(void **state)
{
    world *w = *state;
    if (w->manifest == NULL)
        skip();
    int bad = 0, good = 0;
    for (size_t i = 0; i < w->manifest->n; i++) {
        const nx_val *e = &w->manifest->items[i];
        if (!readable(e))
            continue;
        const char *wrong = check_contents(w, e);
        good += wrong == NULL;
        bad += wrong != NULL;
        if (wrong != NULL)
            printf("%s: %s\n", name_of(e), wrong);
    }
    printf("%d tables read right\n", good);
    assert_int_equal(bad, 0);
    assert_true(good >= 90);
}

/* Row counts of every version that the independent reader could build. */
static void test_versions(void **state)
{
    world *w = *state;
    if (w->manifest == NULL)
        skip();
    int bad = 0, seen = 0;
    for (size_t i = 0; i < w->manifest->n; i++) {
        const nx_val *e = &w->manifest->items[i], *v = nx_val_path(e, "computed.rows_by_version");
        for (size_t k = 0; readable(e) && v != NULL && k < v->n; k++) {
            int64_t rows = -1, want = nx_val_i64(&v->items[k], -1);
            nx_err err = {0};
            if (want < 0)
                continue;
            const char *sql = nx_arena_printf(&w->arena, "SELECT count(*) FROM \"delta:%s/%s/delta@v%s\"", w->root,
                                              name_of(e), v->keys[k].p);
            nx_status st = count_of(w, sql, &rows, &err);
            seen++;
            if (st != NX_OK || rows != want) {
                printf("%s@v%s: %lld rows instead of %lld %s\n", name_of(e), v->keys[k].p, (long long)rows,
                       (long long)want, err.text);
                bad++;
            }
        }
    }
    printf("%d versions counted\n", seen);
    assert_int_equal(bad, 0);
    assert_true(seen > 200);
}

/* Tables whose data files are not here: the snapshot alone. */
static void test_log_only(void **state)
{
    world *w = *state;
    if (w->manifest == NULL)
        skip();
    static const struct {
        const char *name;
        int64_t version, files;
    } cases[] = {{"checkpoint", 14, 1},
                 {"rs-table-with-domain-metadata", 108, 109},
                 {"with_checkpoint_no_last_checkpoint", 3, 1},
                 {"delete-re-add-same-file-different-transactions", 3, 2},
                 {"app-txn-with-last-updated", 3, 4},
                 {"deltalog-commit-info", 0, 1},
                 /* the same file, spelt as a path and as a URI: the remove cancels the add */
                 {"canonicalized-paths-normal-a", 1, 0}};
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_err err = {0};
        nx_table *t = NULL;
        nx_table_info info;
        const char *name = nx_arena_printf(&w->arena, "delta:%s/%s/delta", w->root, cases[i].name);
        nx_status st = nx_table_open(w->lake, name, &t, &err);
        if (st == NX_OK)
            st = nx_table_info_get(t, &info, &err);
        if (st != NX_OK)
            fail_msg("%s: %s", cases[i].name, err.text);
        if (info.version != cases[i].version || info.files != cases[i].files)
            fail_msg("%s: version %lld, %lld files", cases[i].name, (long long)info.version, (long long)info.files);
    }
    int64_t txn = -1;
    nx_err err = {0};
    nx_table *t = NULL;
    assert_int_equal(
        nx_table_open(w->lake, nx_arena_printf(&w->arena, "delta:%s/app-txn-checkpoint/delta", w->root), &t, &err),
        NX_OK);
    assert_int_equal(nx_table_txn(t, "my-app", &txn, &err), NX_OK);
    assert_true(txn >= 0);
}

static void test_refused(void **state)
{
    world *w = *state;
    if (w->manifest == NULL)
        skip();
    static const struct {
        const char *name, *says;
        nx_status st;
    } cases[] = {{"no-delta-log-folder", "there is no table", NX_NOT_FOUND},
                 {"deltalog-invalid-protocol-version", "reader version 99", NX_UNSUPPORTED},
                 {"deltalog-state-reconstruction-without-metadata", "metaData", NX_CORRUPT},
                 {"deltalog-state-reconstruction-from-checkpoint-missing-metadata", "metaData", NX_CORRUPT},
                 {"data-reader-absolute-paths-escaped-chars", "out of the table's folder", NX_CORRUPT},
                 {"rs-simple_table_features", "reader version 5", NX_UNSUPPORTED},
                 {"table-with-geo", "geospatial", NX_UNSUPPORTED},
                 {"jk-spark-variant-checkpoint", "variantType-preview", NX_UNSUPPORTED}};
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_err err = {0};
        int64_t n;
        const char *table = nx_arena_printf(&w->arena, "delta:%s/%s/delta", w->root, cases[i].name);
        nx_buf sql NX_AUTO(nx_buf_drop);
        nx_buf_init(&sql, 0);
        nx_status st = nx_lake_scan_sql(w->lake, nx_str_of(table), &sql, &err);
        if (st != cases[i].st || strstr(err.text, cases[i].says) == NULL)
            fail_msg("%s: status %s, \"%s\"", cases[i].name, nx_status_name(st), err.text);
        const char *query = nx_arena_printf(&w->arena, "SELECT count(*) FROM \"%s\"", table);
        assert_int_not_equal(count_of(w, query, &n, &err), NX_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contents),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_log_only),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
