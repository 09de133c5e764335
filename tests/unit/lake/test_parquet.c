/* Parquet files of our encoder: what the engine reads in them, their statistics, row groups and pages, failing writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fault.h"
#include "fuzz/fuzz_parquet.c"
#include "lake/parquet_int.h"

typedef struct file_kit {
    nx_arena a;
    nx_err err;
    nx_pq_file *f;
    nx_batch b;
    nx_file_stats st;
} file_kit;

#define OK_(k, expr)                                                                                                   \
    do {                                                                                                               \
        if ((expr) != NX_OK)                                                                                           \
            fail_msg("%s: %s", #expr, (k)->err.text);                                                                  \
    } while (0)

static void kit_open(file_kit *k, const nx_schema *schema)
{
    *k = (file_kit){0};
    open_target();
    nx_arena_init(&k->a, 0);
    snprintf(T.path, sizeof T.path, "%s/%d.parquet", T.dir, T.files++);
    OK_(k, nx_pq_open(T.path, schema, NULL, 0, "nexus version 1.2.3", &k->f, &k->err));
    assert_int_equal(nx_batch_init(&k->b, schema, 2000000, 0), NX_OK);
}

static void kit_close(file_kit *k)
{
    nx_pq_close(k->f);
    nx_batch_drop(&k->b);
    nx_arena_drop(&k->a);
}

static void kit_add(file_kit *k)
{
    OK_(k, nx_pq_add(k->f, T.encoder, &k->b, NULL, 0, &k->err));
    nx_pq_keep(k->f);
}

static void kit_end(file_kit *k)
{
    OK_(k, nx_pq_end(k->f, &k->a, &k->st, &k->err));
}

static void reads_back(file_kit *k)
{
    const part all = {k->b, NULL, k->b.n};
    OK_(k, compare_file(T.session, T.path, &all, 1, &k->err));
}

/* One text from the file; %s stands for its name. */
static const char *ask(const char *sql_with_path)
{
    static char out[1024];
    char sql[1024];
    nx_err err = {0};
    nx_result *r = NULL;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    snprintf(sql, sizeof sql, sql_with_path, T.path);
    if (nx_session_query(T.session, nx_str_of(sql), &r, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
    assert_int_equal(nx_result_text(r, 0, 0, &b), NX_OK);
    nx_result_drop(r);
    snprintf(out, sizeof out, "%s", b.n == 0 ? "" : b.p);
    return out;
}

static const nx_col_stats *stats_of(const file_kit *k, const char *path)
{
    for (size_t i = 0; i < k->st.n_cols; i++)
        if (strcmp(k->st.cols[i].path, path) == 0)
            return &k->st.cols[i];
    fail_msg("no statistics of %s", path);
    return NULL;
}

static void bounds_are(const file_kit *k, const char *path, int64_t nulls, const char *min, const char *max)
{
    const nx_col_stats *s = stats_of(k, path);
    assert_int_equal(s->nulls, nulls);
    assert_int_equal(s->has_minmax, min != NULL);
    if (min != NULL) {
        assert_string_equal(s->min, min);
        assert_string_equal(s->max, max);
    }
}

/* ------------------------------------------------------------------ statistics */

static const nx_field WIDE_IN[] = {
    {.name = "w", .type = {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, .nullable = true}};
static const nx_field ELEMENT[] = {{.name = "element", .type = {.kind = NX_STRING}, .nullable = true}};
static const nx_field ALL[] = {
    {.name = "i", .type = {.kind = NX_INT32}, .nullable = true},
    {.name = "l", .type = {.kind = NX_INT64}, .nullable = true},
    {.name = "d", .type = {.kind = NX_DOUBLE}, .nullable = true},
    {.name = "m", .type = {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, .nullable = true},
    {.name = "s", .type = {.kind = NX_STRING}, .nullable = true},
    {.name = "day", .type = {.kind = NX_DATE}, .nullable = true},
    {.name = "ts", .type = {.kind = NX_TIMESTAMP}, .nullable = true},
    {.name = "yes", .type = {.kind = NX_BOOL}, .nullable = true},
    {.name = "st", .type = {.kind = NX_STRUCT, .fields = WIDE_IN, .n_fields = 1}, .nullable = true},
    {.name = "list", .type = {.kind = NX_LIST, .fields = ELEMENT, .n_fields = 1}, .nullable = true},
};
static const nx_schema ALL_SCHEMA = {ALL, NX_COUNT_OF(ALL)};

static void add_row(nx_batch *b, int64_t v, double d, nx_str s)
{
    nx_col *c = b->cols;
    bool ok = nx_col_i32(b, &c[0], (int32_t)v) == NX_OK && nx_col_i64(b, &c[1], v * 10000000000) == NX_OK &&
              nx_col_f64(b, &c[2], d) == NX_OK && nx_col_i64(b, &c[3], v * 500000) == NX_OK &&
              nx_col_str(b, &c[4], s) == NX_OK && nx_col_i32(b, &c[5], (int32_t)v) == NX_OK &&
              nx_col_i64(b, &c[6], v * 1000001) == NX_OK && nx_col_bool(b, &c[7], v > 0) == NX_OK &&
              nx_col_i128(b, &c[8].child[0], (__int128)v * 1000000000000000000) == NX_OK &&
              nx_col_struct_end(b, &c[8]) == NX_OK && nx_col_str(b, &c[9].child[0], s) == NX_OK &&
              nx_col_list_end(b, &c[9]) == NX_OK;
    assert_true(ok);
    nx_batch_end_row(b);
}

static void add_nulls(nx_batch *b)
{
    for (size_t i = 0; i < b->schema->n_fields; i++)
        assert_int_equal(nx_col_null(b, &b->cols[i]), NX_OK);
    nx_batch_end_row(b);
}

static void test_bounds(void **state)
{
    (void)state;
    file_kit k;
    kit_open(&k, &ALL_SCHEMA);
    add_row(&k.b, -3, 1.5, NX_STR("beta"));
    add_nulls(&k.b);
    kit_add(&k);
    nx_batch_clear(&k.b);
    add_row(&k.b, 7, -0.25, NX_STR("alpha"));
    add_row(&k.b, 2, 0, NX_STR(""));
    kit_add(&k);
    nx_batch_clear(&k.b);
    add_nulls(&k.b); /* a row group without values takes no bound away */
    kit_add(&k);
    kit_end(&k);
    assert_int_equal(k.st.rows, 5);
    bounds_are(&k, "i", 2, "-3", "7");
    bounds_are(&k, "l", 2, "-30000000000", "70000000000");
    bounds_are(&k, "d", 2, "-0.25", "1.5");
    bounds_are(&k, "m", 2, "-1.500000", "3.500000");
    bounds_are(&k, "s", 2, "", "beta");
    bounds_are(&k, "day", 2, "1969-12-29", "1970-01-08");
    bounds_are(&k, "ts", 2, "1969-12-31T23:59:56.999997+00", "1970-01-01T00:00:07.000007+00");
    bounds_are(&k, "yes", 2, NULL, NULL);
    bounds_are(&k, "st.w", 2, "-3.000000000000000000", "7.000000000000000000");
    assert_int_equal(k.st.n_cols, 9); /* none for the list */
    nx_buf bytes NX_BUF_AUTO;
    nx_buf_init(&bytes, 0);
    OK_(&k, nx_file_read(T.path, &bytes, &k.err));
    assert_int_equal(k.st.bytes, bytes.n);
    assert_string_equal(
        ask("SELECT string_agg(stats_min_value || ' ' || stats_max_value || ' ' || stats_null_count, ' / ' ORDER BY column_id) "
            "FROM parquet_metadata('%s') WHERE row_group_id = 1 AND column_id IN (0, 1, 2, 3, 4, 8)"),
        "2 7 0 / 20000000000 70000000000 0 / -0.25 0.0 0 / 1.000000 3.500000 0 /  alpha 0 / "
        "2.000000000000000000 7.000000000000000000 0");
    assert_string_equal(
        ask("SELECT created_by || ' ' || num_row_groups || ' ' || num_rows FROM parquet_file_metadata('%s')"),
        "nexus version 1.2.3 3 5");
    kit_close(&k);
}

static void test_bounds_that_cannot_be_said(void **state)
{
    (void)state;
    static char big[600], top[600];
    memset(big, 'k', sizeof big);
    for (size_t i = 0; i < sizeof top; i += 4)
        memcpy(top + i, "\xF4\x8F\xBF\xBF", 4);
    file_kit k;
    kit_open(&k, &ALL_SCHEMA);
    add_row(&k.b, 1, __builtin_nan(""), (nx_str){big, sizeof big});
    add_row(&k.b, 1, 5, (nx_str){big, sizeof big - 1});
    add_row(&k.b, INT64_MAX / 10000000000, 5, NX_STR("a"));
    kit_add(&k);
    kit_end(&k);
    bounds_are(&k, "d", 0, NULL, NULL);
    char want[NX__PQ_BOUND_BYTES + 1];
    memset(want, 'k', sizeof want); /* the beginning, its last character raised */
    want[NX__PQ_BOUND_BYTES] = '\0';
    want[NX__PQ_BOUND_BYTES - 1] = 'l';
    bounds_are(&k, "s", 0, "a", want);
    kit_close(&k);
    kit_open(&k, &ALL_SCHEMA);
    add_row(&k.b, 1, 5, (nx_str){top, sizeof top});
    add_row(&k.b, 1, 5, NX_STR("a"));
    kit_add(&k);
    kit_end(&k);
    bounds_are(&k, "s", 0, NULL, NULL); /* nothing is above the last character of all */
    kit_close(&k);
    kit_open(&k, &ALL_SCHEMA);
    add_row(&k.b, 1, __builtin_inf(), NX_STR("z\0z"));
    add_row(&k.b, 1, -0.0, NX_STR("y"));
    kit_add(&k);
    kit_end(&k);
    bounds_are(&k, "s", 0, NULL, NULL); /* "z" would be below a value */
    bounds_are(&k, "d", 0, "-0", "inf");
    kit_close(&k);
}

static void test_years_that_nobody_reads(void **state)
{
    (void)state;
    static const nx_field f[] = {{.name = "day", .type = {.kind = NX_DATE}, .nullable = true},
                                 {.name = "ts", .type = {.kind = NX_TIMESTAMP}, .nullable = true}};
    const nx_schema schema = {f, 2};
    file_kit k;
    kit_open(&k, &schema);
    assert_true(nx_col_i32(&k.b, &k.b.cols[0], 3000000) == NX_OK); /* after 9999 */
    assert_true(nx_col_i64(&k.b, &k.b.cols[1], INT64_MIN / 4) == NX_OK);
    nx_batch_end_row(&k.b);
    kit_add(&k);
    kit_end(&k);
    bounds_are(&k, "day", 0, NULL, NULL);
    bounds_are(&k, "ts", 0, NULL, NULL);
    kit_close(&k);
}

/* ------------------------------------------------------------------ shapes */

static void test_schema(void **state)
{
    (void)state;
    file_kit k;
    kit_open(&k, &ALL_SCHEMA);
    kit_end(&k); /* a file without rows is a file */
    assert_string_equal(ask("SELECT count(*) FROM '%s'"), "0");
    assert_string_equal(
        ask("SELECT string_agg(column_name || ' ' || column_type, ', ') FROM (DESCRIBE SELECT * FROM '%s')"),
        "i INTEGER, l BIGINT, d DOUBLE, m DECIMAL(18,6), s VARCHAR, day DATE, ts TIMESTAMP WITH TIME ZONE, yes BOOLEAN, "
        "st STRUCT(w DECIMAL(38,18)), list VARCHAR[]");
    assert_string_equal(
        ask("SELECT string_agg(name || ' ' || coalesce(type, '-') || ' ' || coalesce(repetition_type, '-'), ', ') FROM "
            "parquet_schema('%s') WHERE name IN ('schema', 'm', 'st', 'w', 'list', 'element')"),
        "schema - -, m INT64 OPTIONAL, st - OPTIONAL, w FIXED_LEN_BYTE_ARRAY OPTIONAL, "
        "list - OPTIONAL, list - REPEATED, element BYTE_ARRAY OPTIONAL");
    kit_close(&k);
}

static const nx_field NUM[] = {{.name = "v", .type = {.kind = NX_INT64}, .nullable = true}};
static const nx_schema NUM_SCHEMA = {NUM, 1};

static void add_nums(file_kit *k, int64_t from, int64_t n)
{
    for (int64_t i = from; i < from + n; i++) {
        assert_int_equal(nx_col_i64(&k->b, &k->b.cols[0], i * i), NX_OK);
        nx_batch_end_row(&k->b);
    }
}

static void test_row_groups(void **state)
{
    (void)state;
    file_kit k;
    kit_open(&k, &NUM_SCHEMA);
    add_nums(&k, 0, 300000); /* more than one row group takes: even parts */
    kit_add(&k);
    part parts[2] = {{k.b, NULL, k.b.n}};
    assert_int_equal(nx_batch_init(&k.b, &NUM_SCHEMA, 0, 0), NX_OK);
    add_nums(&k, 300000, 1);
    kit_add(&k);
    parts[1] = (part){k.b, NULL, 1};
    kit_end(&k);
    assert_string_equal(
        ask("SELECT string_agg(row_group_num_rows, ' ' ORDER BY row_group_id) FROM parquet_metadata('%s')"),
        "100000 100000 100000 1");
    assert_string_equal(ask("SELECT max(v) FROM '%s' WHERE v < 90000000000"), "89999400001");
    bounds_are(&k, "v", 0, "0", "90000000000");
    OK_(&k, compare_file(T.session, T.path, parts, 2, &k.err));
    nx_batch_drop(&parts[0].b);
    kit_close(&k);
}

static const nx_field LISTS[] = {
    {.name = "texts", .type = {.kind = NX_LIST, .fields = ELEMENT, .n_fields = 1}, .nullable = true},
    {.name = "text", .type = {.kind = NX_STRING}, .nullable = true}};
static const nx_schema LISTS_SCHEMA = {LISTS, 2};

/* Texts of many sizes, one of 3 MiB, in lists and outside: pages end between rows. */
static void test_pages(void **state)
{
    (void)state;
    enum { BIG = 3 << 20 };
    char *text = malloc(BIG);
    file_kit k;
    kit_open(&k, &LISTS_SCHEMA);
    nx_rand r;
    nx_rand_seed(&r, 21);
    for (size_t i = 0; i < BIG; i++)
        text[i] = (char)('a' + nx_rand_below(&r, 26));
    for (int i = 0; i < 3000; i++) {
        bool ok = true;
        for (uint64_t n = nx_rand_below(&r, 5); n > 0; n--)
            ok = ok && nx_col_str(&k.b, &k.b.cols[0].child[0], (nx_str){text + nx_rand_below(&r, 1000), 700}) == NX_OK;
        ok = ok && nx_col_list_end(&k.b, &k.b.cols[0]) == NX_OK;
        nx_str one = i == 1500 ? (nx_str){text, BIG} : (nx_str){text + i, 1 + nx_rand_below(&r, 1500)};
        assert_true(ok && nx_col_str(&k.b, &k.b.cols[1], one) == NX_OK);
        nx_batch_end_row(&k.b);
    }
    kit_add(&k);
    kit_end(&k);
    reads_back(&k);
    kit_close(&k);
    free(text);
}

/* More values in one column chunk than a dictionary takes; each comes three times. */
static void test_too_many_for_a_dictionary(void **state)
{
    (void)state;
    static const nx_field num[] = {{.name = "element", .type = {.kind = NX_INT64}, .nullable = true}};
    static const nx_field list[] = {
        {.name = "v", .type = {.kind = NX_LIST, .fields = num, .n_fields = 1}, .nullable = true}};
    const nx_schema schema = {list, 1};
    file_kit k;
    kit_open(&k, &schema);
    for (uint64_t i = 0; i < 210000; i++) {
        int64_t v = (int64_t)(i * 48611 % 70000 * UINT64_C(0x9E3779B97F4A7C15)); /* 70,000 values that hop about */
        assert_int_equal(nx_col_i64(&k.b, &k.b.cols[0].child[0], v), NX_OK);
        if (i % 3 == 2) {
            assert_int_equal(nx_col_list_end(&k.b, &k.b.cols[0]), NX_OK);
            nx_batch_end_row(&k.b);
        }
    }
    kit_add(&k);
    kit_end(&k);
    reads_back(&k);
    kit_close(&k);
}

static void test_skipped_columns(void **state)
{
    (void)state;
    file_kit k;
    kit_open(&k, &ALL_SCHEMA);
    nx_pq_close(k.f);
    const size_t most[] = {0, 2, 3, 4, 5, 6, 7, 8, 9}, all[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    assert_int_equal(nx_pq_open(T.path, &ALL_SCHEMA, all, 10, "x", &k.f, &k.err), NX_INVALID);
    OK_(&k, nx_pq_open(T.path, &ALL_SCHEMA, most, 9, "x", &k.f, &k.err));
    add_row(&k.b, 4, 4, NX_STR("s"));
    kit_add(&k);
    kit_end(&k);
    assert_int_equal(k.st.n_cols, 1);
    assert_string_equal(ask("SELECT COLUMNS(*) FROM '%s'"), "40000000000");
    kit_close(&k);
}

/* ------------------------------------------------------------------ what fails */

static void test_wrong_use(void **state)
{
    (void)state;
    file_kit k;
    kit_open(&k, &NUM_SCHEMA);
    nx_pq_file *other = NULL;
    assert_int_equal(nx_pq_open(T.path, &NUM_SCHEMA, NULL, 0, "x", &other, &k.err), NX_EXISTS);
    assert_non_null(strstr(k.err.text, T.path));
    assert_true(nx_file_exists(T.path));
    assert_int_equal(nx_pq_open("/nowhere/t.parquet", &NUM_SCHEMA, NULL, 0, "x", &other, &k.err), NX_IO);
    assert_non_null(strstr(k.err.text, "/nowhere/t.parquet"));
    nx_batch lists;
    assert_int_equal(nx_batch_init(&lists, &LISTS_SCHEMA, 0, 0), NX_OK);
    assert_int_equal(nx_pq_add(k.f, T.encoder, &lists, NULL, 0, &k.err), NX_INVALID);
    nx_batch_drop(&lists);
    nx_pq_encoder *e = NULL;
    assert_int_equal(nx_pq_encoder_new(1000, &e, &k.err), NX_OK); /* zstd takes its highest level */
    nx_pq_encoder_drop(e);
    kit_close(&k);
    assert_false(nx_file_exists(T.path)); /* not ended */
}

/* Each write fails once; what was kept before and what comes after is there, and nothing else. */
static void test_failing_writes(void **state)
{
    (void)state;
    static const char *const faults[] = {"PARQUET_WRITE", "FILE_WRITE", "FILE_WRITE:0:short"};
    for (size_t i = 0; i < NX_COUNT_OF(faults); i++) {
        file_kit k;
        kit_open(&k, &NUM_SCHEMA);
        add_nums(&k, 0, 1000);
        kit_add(&k);
        assert_true(nx_fault_arm(faults[i]));
        assert_int_equal(nx_pq_add(k.f, T.encoder, &k.b, NULL, 0, &k.err), NX_IO);
        assert_non_null(strstr(k.err.text, T.path));
        OK_(&k, nx_pq_rewind(k.f, &k.err));
        nx_batch_clear(&k.b);
        add_nums(&k, 1000, 500);
        kit_add(&k);
        if (i > 0) { /* the footer too: said again, it is whole */
            assert_true(nx_fault_arm(faults[i]));
            assert_int_equal(nx_pq_end(k.f, &k.a, &k.st, &k.err), NX_IO);
        }
        kit_end(&k);
        assert_int_equal(k.st.rows, 1500);
        bounds_are(&k, "v", 0, "0", "2247001");
        assert_string_equal(ask("SELECT count(*) || ' ' || sum(v) FROM '%s'"), "1500 1123875250");
        kit_close(&k);
    }
}

static void test_seeded_columns(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) { /* longer columns than the fuzzer's: pages and dictionaries fill up */
        source s = {0};
        nx_rand_seed(&s.rand, seed * 7919);
        run(&s, 20000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_bounds_that_cannot_be_said),
        cmocka_unit_test(test_years_that_nobody_reads),
        cmocka_unit_test(test_schema),
        cmocka_unit_test(test_row_groups),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_too_many_for_a_dictionary),
        cmocka_unit_test(test_skipped_columns),
        cmocka_unit_test(test_wrong_use),
        cmocka_unit_test(test_failing_writes),
        cmocka_unit_test(test_seeded_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
