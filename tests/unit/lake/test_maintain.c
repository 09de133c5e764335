/* Compaction, vacuum, and commits that meet other commits. Promise 4. */
#include "lake_kit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"

static const nx_table_spec T = {.name = "bronze.t"};
static const nx_write_opts APPEND = {.mode = NX_WRITE_APPEND};

static nx_table *open_t(kit *k)
{
    nx_table *t;
    FINE(k, nx_table_open(k->l, "bronze.t", &t, &k->err));
    return t;
}

static void test_optimize(void **state)
{
    kit *k = *state;
    static const char *const part[] = {"p", NULL};
    nx_table_spec spec = {.name = "bronze.t", .partition = part};
    for (int i = 0; i < 5; i++)
        kit_write(k, &spec, &APPEND, "SELECT i AS id, i % 2 AS p FROM range(100) r(i)");
    kit_write(k, &spec, &APPEND, "SELECT 1::BIGINT AS id, 7::BIGINT AS p");
    nx_table *t = open_t(k);
    nx_commit_result r;
    nx_optimize_opts o = {.order_by = "id"};
    FINE(k, nx_table_optimize(t, k->s, &o, &r, &k->err));
    assert_true(r.committed);
    assert_int_equal(r.files_removed, 10);
    assert_int_equal(r.files_added, 2);
    assert_string_equal(kit_rows(k, "SELECT p, count(*), sum(id) FROM \"bronze.t\" GROUP BY 1 ORDER BY 1"),
                        "0|250|12250 1|250|12500 7|1|1");
    char *log = kit_file(k, "bronze/t/_delta_log/00000000000000000007.json");
    assert_non_null(strstr(log, "\"operation\":\"OPTIMIZE\""));
    assert_null(strstr(log, "\"dataChange\":true"));
    free(log);
    assert_int_equal(nx_table_optimize(t, k->s, &o, &r, &k->err), NX_NOTHING);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.t@v6\""), 501); /* the old files are still there */
    /* big enough files are left alone, and so are few */
    kit_write(k, &spec, &APPEND, "SELECT 2::BIGINT AS id, 7::BIGINT AS p");
    o.min_files = 3;
    assert_int_equal(nx_table_optimize(t, k->s, &o, &r, &k->err), NX_NOTHING);
    o = (nx_optimize_opts){.target_bytes = 1};
    assert_int_equal(nx_table_optimize(t, k->s, &o, &r, &k->err), NX_NOTHING);
}

static nx_wall_ns in_nine_days(void *ctx)
{
    (void)ctx;
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)(ts.tv_sec + 9 * 86400) * 1000000000;
}

static void test_vacuum(void **state)
{
    kit *k = *state;
    kit_write(k, &T, &APPEND, "SELECT 1 AS id");
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_OVERWRITE}, "SELECT 2 AS id");
    kit_put(k, "bronze/t/part-orphan.parquet", "left by a writer that died");
    kit_put(k, "bronze/t/_temp/x", "not ours");
    kit_put(k, "bronze/t/_delta_log/.tmp-0000.actions", "a checkpoint that was killed");
    nx_table *t = open_t(k);
    int64_t files, bytes;
    FAILS(k, NX_INVALID, "shorter than its retention of 168 hours",
          nx_table_vacuum(t, 3600000, false, &files, &bytes, &k->err));
    FINE(k, nx_table_vacuum(t, (int64_t)8 * 86400000, false, &files, &bytes, &k->err));
    assert_int_equal(files, 0);
    nx_clock_set_wall(in_nine_days, NULL);
    FINE(k, nx_table_vacuum(t, (int64_t)8 * 86400000, true, &files, &bytes, &k->err));
    assert_int_equal(files, 3);
    assert_true(bytes > 26);
    FINE(k, nx_table_vacuum(t, (int64_t)8 * 86400000, false, &files, &bytes, &k->err));
    nx_clock_set_wall(NULL, NULL);
    assert_int_equal(files, 3);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"bronze.t\""), "2");
    free(kit_file(k, "bronze/t/_temp/x"));
    nx_result *r = NULL;
    FAILS(k, NX_NOT_FOUND, "version 1 of table bronze.t has ended",
          nx_session_query(k->s, NX_STR("SELECT * FROM \"bronze.t@v1\""), &r, &k->err));
    assert_non_null(strstr(k->err.hint, "vacuum"));
}

/* A retention longer than the life of tombstones in a snapshot: the commits still know what they removed. */
static void test_vacuum_long_retention(void **state)
{
    kit *k = *state;
    char path[256];
    kit_write(k, &T, &APPEND, "SELECT 1 AS id");
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_OVERWRITE}, "SELECT 2 AS id");
    /* the data files look old, the commits do not; the checkpoint is made when tombstones have expired */
    struct timespec old[2] = {{.tv_sec = 1600000000}, {.tv_sec = 1600000000}};
    nx_result *r = NULL;
    nx_buf name;
    nx_buf_init(&name, 0);
    snprintf(path, sizeof path, "SELECT file FROM glob('%s/bronze/t/*.parquet')", k->dir);
    FINE(k, nx_session_query(k->s, nx_str_of(path), &r, &k->err));
    assert_int_equal(nx_result_rows(r), 2);
    for (size_t i = 0; i < 2; i++) {
        nx_buf_clear(&name);
        assert_int_equal(nx_result_text(r, i, 0, &name), NX_OK);
        assert_int_equal(utimensat(AT_FDCWD, name.p, old, 0), 0);
    }
    nx_result_drop(r);
    nx_buf_drop(&name);
    nx_table *t = open_t(k);
    int64_t files, bytes;
    nx_clock_set_wall(in_nine_days, NULL);
    FINE(k, nx_table_checkpoint(t, &k->err));
    nx_lake *l2;
    nx_lake_opts lo = {.root = k->dir, .engine = k->e};
    FINE(k, nx_lake_open(&lo, &l2, &k->err));
    FINE(k, nx_table_open(l2, "bronze.t", &t, &k->err));
    FINE(k, nx_table_vacuum(t, (int64_t)30 * 86400000, false, &files, &bytes, &k->err));
    nx_clock_set_wall(NULL, NULL);
    assert_int_equal(files, 0);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"bronze.t@v1\""), "1");
    nx_lake_close(l2);
}

/* ------------------------------------------------------------------ a second lake on the same folder is another
 * process to the first */

static nx_lake *second(kit *k)
{
    nx_lake *l;
    nx_lake_opts lo = {.root = k->dir, .engine = k->e};
    FINE(k, nx_lake_open(&lo, &l, &k->err));
    return l;
}

static void append_by(kit *k, nx_lake *l, const char *sql)
{
    nx_commit_result r;
    FINE(k, nx_lake_write_sql(l, k->s, &T, nx_str_of(sql), &APPEND, &r, &k->err));
    assert_true(r.committed);
}

static nx_batch batch_of(const nx_schema *schema, int64_t v)
{
    nx_batch b;
    assert_int_equal(nx_batch_init(&b, schema, 0, 0), NX_OK);
    assert_int_equal(nx_col_i64(&b, &b.cols[0], v), NX_OK);
    nx_batch_end_row(&b);
    return b;
}

/* Blind appends never conflict; a twin with the same appId does, or was there first. */
static void test_appends_meet(void **state)
{
    kit *k = *state;
    static const nx_field field = {.name = "id", .type = {.kind = NX_INT64}, .nullable = true};
    static const nx_schema schema = {&field, 1};
    nx_table_spec spec = {.name = "bronze.t", .schema = &schema};
    nx_lake *l2 = second(k);
    nx_table *a, *b;
    nx_writer *wa, *wb;
    nx_commit_result r;
    FINE(k, nx_table_ensure(k->l, &spec, &a, &k->err));
    FINE(k, nx_table_ensure(l2, &spec, &b, &k->err));
    FINE(k, nx_writer_open(a, &wa, &k->err));
    FINE(k, nx_writer_open(b, &wb, &k->err));
    for (int i = 0; i < 25; i++) {
        nx_batch one = batch_of(&schema, i);
        FINE(k, nx_writer_add(wa, &one, &k->err));
        FINE(k, nx_writer_add(wb, &one, &k->err));
        nx_batch_drop(&one);
        nx_commit_opts oa = {.app_id = "a", .txn_version = i}, ob = {.app_id = "b", .txn_version = i};
        FINE(k, nx_writer_commit(wa, &oa, &r, &k->err));
        assert_int_equal(r.version, 2 * i + 1);
        FINE(k, nx_writer_commit(wb, &ob, &r, &k->err));
        assert_int_equal(r.version, 2 * i + 2);
    }
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.t\""), 50);
    /* b commits what a has committed already */
    nx_batch one = batch_of(&schema, 99);
    FINE(k, nx_writer_add(wb, &one, &k->err));
    nx_batch_drop(&one);
    FINE(k, nx_writer_commit(wb, &(nx_commit_opts){.app_id = "a", .txn_version = 24}, &r, &k->err));
    assert_false(r.committed);
    nx_writer_drop(wa);
    nx_writer_drop(wb);
    nx_lake_close(l2);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.t\""), 50);
}

static void test_compaction_beside_writes(void **state)
{
    kit *k = *state;
    nx_lake *l2 = second(k);
    nx_commit_result r;
    for (int i = 0; i < 4; i++)
        append_by(k, k->l, "SELECT i AS id FROM range(10) r(i)");
    nx_table *t = open_t(k), *t2;
    FINE(k, nx_table_open(l2, "bronze.t", &t2, &k->err));
    FINE(k, nx_table_optimize(t2, k->s, NULL, &r, &k->err));
    assert_int_equal(r.files_removed, 4);
    /* the first lake has not seen it; a delete works on what is there now */
    FINE(k, nx_lake_delete_sql(k->l, k->s, "bronze.t", NX_STR("id = 3"), &r, &k->err));
    assert_int_equal(r.rows_removed, 4);
    append_by(k, l2, "SELECT 3::BIGINT AS id");
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.t\""), 37);
    nx_table_info info;
    FINE(k, nx_table_info_get(t, &info, &k->err));
    assert_int_equal(info.rows, 37);
    nx_lake_close(l2);
}

int main(void)
{
#define T_(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)
    const struct CMUnitTest tests[] = {
        T_(test_optimize),
        T_(test_vacuum),
        T_(test_vacuum_long_retention),
        T_(test_appends_meet),
        T_(test_compaction_beside_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
