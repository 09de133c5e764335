/* Files that stay open from batch to batch: how many there are, what a failing write takes back, trying a commit again. */
#include "lake_kit.h"

#include "base/fault.h"

static const nx_field FIELDS[] = {
    {.name = "id", .type = {.kind = NX_INT64}, .nullable = true},
    {.name = "text", .type = {.kind = NX_STRING}, .nullable = true},
    {.name = "day", .type = {.kind = NX_DATE}, .nullable = true},
};
static const nx_schema SCHEMA = {FIELDS, NX_COUNT_OF(FIELDS)};
static const nx_schema WITHOUT_DAY = {FIELDS, 2};
static const char *const PART[] = {"day", NULL};
static const nx_table_spec SPEC = {.name = "bronze.t", .schema = &SCHEMA, .partition = PART};
static const nx_table_spec PLAIN = {.name = "bronze.plain", .schema = &SCHEMA};

static nx_writer *open_writer(kit *k, const nx_table_spec *spec)
{
    nx_table *t = NULL;
    nx_writer *w = NULL;
    FINE(k, nx_table_ensure(k->l, spec, &t, &k->err));
    FINE(k, nx_writer_open(t, &w, &k->err));
    return w;
}

/* Rows from .. from + n - 1, day = id % days. */
static nx_status add(kit *k, nx_writer *w, const nx_schema *schema, int from, int n, int days)
{
    nx_batch b;
    char text[32];
    assert_int_equal(nx_batch_init(&b, schema, 0, 0), NX_OK);
    for (int i = from; i < from + n; i++) {
        size_t len = (size_t)snprintf(text, sizeof text, "row %d", i);
        assert_int_equal(nx_col_i64(&b, &b.cols[0], i), NX_OK);
        assert_int_equal(nx_col_str(&b, &b.cols[1], (nx_str){text, len}), NX_OK);
        if (schema->n_fields > 2)
            assert_int_equal(nx_col_i32(&b, &b.cols[2], 19724 + i % days), NX_OK);
        nx_batch_end_row(&b);
    }
    nx_status st = nx_writer_add(w, &b, &k->err);
    nx_batch_drop(&b);
    return st;
}

/* Rows 0 .. n - 1 are there once, and nothing is under way any more. */
static void has_rows(kit *k, const char *table, int n)
{
    char sql[512], want[64];
    snprintf(sql, sizeof sql,
             "SELECT count(*), count(DISTINCT id), min(id), max(id), count(*) FILTER (text = 'row ' || id) FROM \"%s\"",
             table);
    snprintf(want, sizeof want, "%d|%d|0|%d|%d", n, n, n - 1, n);
    assert_string_equal(kit_rows(k, sql), want);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM glob('%s/**/*.staged')", k->dir);
    assert_int_equal(kit_int(k, sql), 0);
}

static void test_batches_share_a_file(void **state)
{
    kit *k = *state;
    nx_writer *w = open_writer(k, &SPEC);
    nx_commit_result r;
    for (int i = 0; i < 10; i++)
        FINE(k, add(k, w, &SCHEMA, i * 100, 100, 2));
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    assert_int_equal(r.files_added, 2);
    assert_int_equal(r.rows_added, 1000);
    has_rows(k, "bronze.t", 1000);
    char sql[512];
    snprintf(sql, sizeof sql,
             "SELECT DISTINCT num_row_groups || created_by FROM parquet_file_metadata('%s/bronze/t/*/*.parquet')",
             k->dir);
    assert_string_equal(kit_rows(k, sql), "10nexus version test");
    nx_writer_drop(w);
}

static void test_no_partition(void **state)
{
    kit *k = *state;
    nx_writer *w = open_writer(k, &PLAIN);
    nx_commit_result r;
    FINE(k, add(k, w, &SCHEMA, 0, 100, 2));
    FINE(k, add(k, w, &WITHOUT_DAY, 100, 50, 1)); /* other columns: a file of their own */
    FINE(k, add(k, w, &SCHEMA, 150, 100, 2));
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    assert_int_equal(r.files_added, 2);
    has_rows(k, "bronze.plain", 250);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.plain\" WHERE day IS NULL"), 50);
    nx_writer_drop(w);
}

static void test_many_partitions(void **state)
{
    kit *k = *state;
    nx_writer *w = open_writer(k, &SPEC);
    nx_commit_result r;
    FINE(k, add(k, w, &SCHEMA, 0, 400, 40));
    FINE(k, add(k, w, &SCHEMA, 400, 400, 40));
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    assert_int_equal(r.files_added, 16 + 2 * 24); /* 16 stay open, the others are a file a batch */
    has_rows(k, "bronze.t", 800);
    nx_writer_drop(w);
}

/* Writing fails at each passage of each point: of that batch nothing is there, of those before and after all. */
static void test_failing_adds(void **state)
{
    kit *k = *state;
    nx_writer *w = open_writer(k, &SPEC);
    nx_commit_result r;
    static const char *const points[] = {"PARQUET_WRITE:%d", "FILE_WRITE:%d:short", "FILE_RENAME:%d", "FILE_FSYNC:%d"};
    int rows = 0, failed = 0;
    for (size_t i = 0; i < NX_COUNT_OF(points); i++)
        for (int skip = 0; skip < 40; skip += 3) {
            char point[64];
            snprintf(point, sizeof point, points[i], skip);
            FINE(k, add(k, w, &SCHEMA, rows, 40, 20));
            rows += 40;
            assert_true(nx_fault_arm(point));
            nx_status st = add(k, w, &SCHEMA, rows, 40, 20);
            assert_true(nx_fault_arm(NULL));
            if (st == NX_OK) {
                rows += 40;
                continue;
            }
            failed++;
            assert_int_equal(st, NX_IO);
            assert_true(k->err.text[0] != '\0');
        }
    assert_true(failed > 10);
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    assert_int_equal(r.rows_added, rows);
    has_rows(k, "bronze.t", rows);
    nx_writer_drop(w);
}

static void test_failing_commits(void **state)
{
    kit *k = *state;
    nx_writer *w = open_writer(k, &SPEC);
    nx_commit_result r;
    static const char *const points[] = {"FILE_WRITE",    "FILE_WRITE:2:short", "FILE_FSYNC:1",
                                         "FILE_RENAME:2", "FILE_LINK",          "DELTA_COMMIT"};
    int rows = 0;
    for (size_t i = 0; i < NX_COUNT_OF(points); i++) {
        FINE(k, add(k, w, &SCHEMA, rows, 40, 4));
        rows += 40;
        assert_true(nx_fault_arm(points[i]));
        assert_int_not_equal(nx_writer_commit(w, NULL, &r, &k->err), NX_OK);
        assert_true(nx_fault_arm(NULL));
        FINE(k, add(k, w, &SCHEMA, rows, 40, 4)); /* more may come before the next try */
        rows += 40;
        FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
        assert_true(r.committed);
        assert_int_equal(r.rows_added, 80);
        has_rows(k, "bronze.t", rows);
    }
    FINE(k, add(k, w, &SCHEMA, rows, 40, 4));
    assert_true(nx_fault_arm("FILE_RENAME:2"));
    assert_int_not_equal(nx_writer_commit(w, NULL, &r, &k->err), NX_OK);
    assert_true(nx_fault_arm(NULL));
    nx_writer_drop(w); /* some published, one complete, some open: all go */
    has_rows(k, "bronze.t", rows);
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM glob('%s/bronze/t/*/*.parquet')", k->dir);
    nx_table *t = NULL;
    nx_table_info info;
    FINE(k, nx_table_open(k->l, "bronze.t", &t, &k->err));
    FINE(k, nx_table_info_get(t, &info, &k->err));
    assert_int_equal(kit_int(k, sql), info.files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_batches_share_a_file, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_no_partition, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_many_partitions, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_failing_adds, kit_up, kit_down),
        cmocka_unit_test_setup_teardown(test_failing_commits, kit_up, kit_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
