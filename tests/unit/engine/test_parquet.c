/* Batches and queries to Parquet and back: equal rows, order, statistics, failures that leave nothing. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "engine_fixture.h"

static const nx_field level_fields[] = {
    {"price", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
    {"size", {.kind = NX_INT64}, true, NULL},
};
static const nx_field level = {"element", {.kind = NX_STRUCT, .fields = level_fields, .n_fields = 2}, true, NULL};
static const nx_field text_element = {"element", {.kind = NX_STRING}, true, NULL};
static const nx_field all_fields[] = {
    {"id", {.kind = NX_INT64}, false, NULL},
    {"flag", {.kind = NX_BOOL}, true, NULL},
    {"small", {.kind = NX_INT32}, true, NULL},
    {"ratio", {.kind = NX_DOUBLE}, true, NULL},
    {"d4", {.kind = NX_DECIMAL, .precision = 4, .scale = 2}, true, NULL},
    {"d9", {.kind = NX_DECIMAL, .precision = 9, .scale = 3}, true, NULL},
    {"price", {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, true, NULL},
    {"amount", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
    {"text", {.kind = NX_STRING}, true, NULL},
    {"raw", {.kind = NX_BINARY}, true, NULL},
    {"day", {.kind = NX_DATE}, true, NULL},
    {"at", {.kind = NX_TIMESTAMP}, true, NULL},
    {"tags", {.kind = NX_LIST, .fields = &text_element, .n_fields = 1}, true, NULL},
    {"bids", {.kind = NX_LIST, .fields = &level, .n_fields = 1}, true, NULL},
    {"top", {.kind = NX_STRUCT, .fields = level_fields, .n_fields = 2}, true, NULL},
};
static const nx_schema all = {all_fields, NX_COUNT_OF(all_fields)};

static void ok(nx_status st)
{
    assert_int_equal(st, NX_OK);
}

static void put_level(nx_batch *b, nx_col *c, int64_t i)
{
    ok(nx_col_i128(b, &c->child[0], (__int128)i * 1000000000000000000 + 7));
    ok(i % 3 == 0 ? nx_col_null(b, &c->child[1]) : nx_col_i64(b, &c->child[1], i));
    ok(nx_col_struct_end(b, c));
}

/* Row i; every seventh is null but for the key. */
static void put_row(nx_batch *b, int64_t i)
{
    nx_col *c = b->cols;
    char text[64];
    ok(nx_col_i64(b, &c[0], i));
    if (i % 7 == 6) {
        for (size_t k = 1; k < all.n_fields; k++)
            ok(nx_col_null(b, &c[k]));
        nx_batch_end_row(b);
        return;
    }
    ok(nx_col_bool(b, &c[1], i % 2 == 0));
    ok(nx_col_i32(b, &c[2], (int32_t)(-i)));
    ok(nx_col_f64(b, &c[3], (double)i / 4));
    ok(nx_col_i64(b, &c[4], i % 10000 - 5000));
    ok(nx_col_i64(b, &c[5], i * 1001 % 1000000000));
    ok(nx_col_i64(b, &c[6], i * 1000001));
    ok(nx_col_i128(b, &c[7], -(__int128)i * 1000000000000000001));
    int n = snprintf(text, sizeof text, i % 2 == 0 ? "r%ld" : "a longer text of row %ld, not kept inline", (long)i);
    ok(nx_col_str(b, &c[8], (nx_str){text, (size_t)n}));
    ok(nx_col_str(b, &c[9], (nx_str){"\0\xff\x80", (size_t)(i % 4)}));
    ok(nx_col_i32(b, &c[10], (int32_t)(19000 + i)));
    ok(nx_col_i64(b, &c[11], 1700000000123456 + i));
    for (int64_t k = 0; k < i % 4; k++)
        ok(k == 2 ? nx_col_null(b, &c[12].child[0]) : nx_col_str(b, &c[12].child[0], (nx_str){text, (size_t)n}));
    ok(nx_col_list_end(b, &c[12]));
    for (int64_t k = 0; k < i % 3; k++)
        put_level(b, &c[13].child[0], i + k);
    ok(nx_col_list_end(b, &c[13]));
    put_level(b, &c[14], i);
    nx_batch_end_row(b);
}

static void make_batch(nx_batch *b, int64_t rows)
{
    ok(nx_batch_init(b, &all, 0, 0));
    for (int64_t i = 0; i < rows; i++)
        put_row(b, i);
    nx_err err = {0};
    if (nx_batch_check(b, &err) != NX_OK)
        fail_msg("%s", err.text);
}

static bool equal_values(const nx_col *a, size_t i, const nx_col *b, size_t k);

static bool equal_lists(const nx_col *a, size_t i, const nx_col *b, size_t k)
{
    size_t n = a->off[i + 1] - a->off[i];
    if (n != b->off[k + 1] - b->off[k])
        return false;
    for (size_t e = 0; e < n; e++)
        if (!equal_values(&a->child[0], a->off[i] + e, &b->child[0], b->off[k] + e))
            return false;
    return true;
}

static bool equal_values(const nx_col *a, size_t i, const nx_col *b, size_t k)
{
    if (nx_col_is_null(a, i) || nx_col_is_null(b, k))
        return nx_col_is_null(a, i) == nx_col_is_null(b, k);
    size_t w = 8;
    switch (a->type->kind) {
    case NX_STRING:
    case NX_BINARY:
        return nx_str_eq(nx_col_get_str(a, i), nx_col_get_str(b, k));
    case NX_LIST:
        return equal_lists(a, i, b, k);
    case NX_STRUCT:
        for (size_t c = 0; c < a->n_children; c++)
            if (!equal_values(&a->child[c], i, &b->child[c], k))
                return false;
        return true;
    case NX_BOOL:
        w = 1;
        break;
    case NX_INT32:
    case NX_DATE:
        w = 4;
        break;
    case NX_DECIMAL:
        w = a->type->precision > 18 ? 16 : 8;
        break;
    default:
        break;
    }
    return memcmp((char *)a->data + i * w, (char *)b->data + k * w, w) == 0;
}

/* Batches of a fetch must equal the rows of the expectation, picked by `rows` or in order. */
typedef struct expectation {
    const nx_batch *want;
    const uint32_t *rows;
    size_t at, batches, largest;
} expectation;

static nx_status compare(void *ctx, const nx_batch *b, nx_err *err)
{
    expectation *x = ctx;
    ok(nx_batch_check(b, err));
    for (size_t i = 0; i < b->n; i++, x->at++) {
        size_t row = x->rows == NULL ? x->at : x->rows[x->at];
        for (size_t c = 0; c < b->schema->n_fields; c++)
            if (!equal_values(&b->cols[c], i, &x->want->cols[c], row))
                fail_msg("row %zu, column %s differs", x->at, b->schema->fields[c].name);
    }
    x->batches++;
    x->largest = b->n > x->largest ? b->n : x->largest;
    return NX_OK;
}

static void fetch_equals(fixture *f, const char *sql, expectation *x, size_t batch_rows)
{
    nx_err err = {0};
    if (nx_session_fetch(f->s, nx_str_of(sql), &all, batch_rows, compare, x, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
}

static void a_batch_survives_the_round_trip(void **state)
{
    fixture *f = *state;
    nx_batch b;
    make_batch(&b, 10000);
    nx_err err = {0};
    nx_file_stats fs;
    const char *path = path_in(f, "all.parquet");
    if (nx_session_write_batch(f->s, &b, NULL, 0, NULL, 0, path, NULL, &f->a, &fs, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(fs.rows, 10000);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(fs.bytes, st.st_size);
    expectation x = {.want = &b};
    fetch_equals(f, nx_arena_printf(&f->a, "FROM '%s';", path), &x, 3000);
    assert_int_equal(x.at, 10000);
    assert_int_equal(x.batches, 4);
    assert_int_equal(x.largest, 3000);
    assert_string_equal(
        text_of(f, nx_arena_printf(&f->a, "SELECT string_agg(DISTINCT compression) FROM parquet_metadata('%s')", path)),
        "ZSTD");
    assert_string_equal(text_of(f, nx_arena_printf(&f->a, "SELECT typeof(\"at\") FROM '%s'", path)),
                        "TIMESTAMP WITH TIME ZONE");
    assert_string_equal(text_of(f, nx_arena_printf(&f->a, "SELECT typeof(amount) FROM '%s'", path)), "DECIMAL(38,18)");
    nx_batch_drop(&b);
}

static void picked_rows_keep_their_order(void **state)
{
    fixture *f = *state;
    nx_batch b;
    make_batch(&b, 9000);
    uint32_t rows[6000];
    for (uint32_t i = 0; i < 6000; i++)
        rows[i] = (i * 7919) % 9000;
    const size_t skip[] = {1};
    nx_file_stats fs;
    nx_err err = {0};
    const char *path = path_in(f, "picked.parquet");
    ok(nx_session_write_batch(f->s, &b, rows, 6000, skip, 1, path, NULL, &f->a, &fs, &err));
    assert_int_equal(fs.rows, 6000);
    assert_string_equal(
        text_of(f, nx_arena_printf(&f->a, "SELECT count(*) FROM parquet_schema('%s') WHERE name = 'flag'", path)), "0");
    expectation x = {.want = &b, .rows = rows};
    fetch_equals(
        f, nx_arena_printf(&f->a, "SELECT *, CASE WHEN id %% 7 <> 6 THEN id %% 2 = 0 END AS flag FROM '%s'", path), &x,
        0);
    assert_int_equal(x.at, 6000);
    nx_batch_drop(&b);
}

/* Over many row groups, in order and picked backwards. */
static void a_large_batch_keeps_its_order(void **state)
{
    fixture *f = *state;
    const nx_schema key = {all_fields, 1};
    enum { ROWS = 400000 };
    nx_batch b;
    ok(nx_batch_init(&b, &key, 0, 0));
    uint32_t *rows = calloc(ROWS, sizeof *rows);
    assert_non_null(rows);
    for (int64_t i = 0; i < ROWS; i++) {
        ok(nx_col_i64(&b, &b.cols[0], i * 3));
        nx_batch_end_row(&b);
        rows[i] = (uint32_t)(ROWS - 1 - i);
    }
    nx_file_stats fs;
    nx_err err = {0};
    nx_parquet_opts o = {.row_group_rows = 20480};
    static const char *const names[] = {"forth.parquet", "back.parquet"}, *const expressions[] = {
                                                                              "file_row_number",
                                                                              "399999 - file_row_number"};
    for (int back = 0; back < 2; back++) {
        const char *path = path_in(f, names[back]);
        ok(nx_session_write_batch(f->s, &b, back ? rows : NULL, ROWS, NULL, 0, path, &o, &f->a, &fs, &err));
        assert_int_equal(fs.rows, ROWS);
        assert_string_equal(
            text_of(f,
                    nx_arena_printf(
                        &f->a, "SELECT count(*) FROM read_parquet('%s', file_row_number = true) WHERE id <> 3 * (%s)",
                        path, expressions[back])),
            "0");
        assert_true(atoi(text_of(f, nx_arena_printf(&f->a, "SELECT count(*) FROM parquet_metadata('%s')", path))) >=
                    19);
    }
    free(rows);
    nx_batch_drop(&b);
}

static void a_batch_becomes_a_temporary_table(void **state)
{
    fixture *f = *state;
    nx_batch b;
    make_batch(&b, 5000);
    nx_err err = {0};
    ok(nx_session_load_batch(f->s, "new rows", &b, &err));
    expectation x = {.want = &b};
    fetch_equals(f, "SELECT * FROM \"new rows\"", &x, 0);
    assert_int_equal(x.at, 5000);
    nx_batch_clear(&b);
    put_row(&b, 3);
    ok(nx_session_load_batch(f->s, "new rows", &b, &err)); /* replaces */
    assert_string_equal(text_of(f, "SELECT count(*) FROM \"new rows\""), "1");
    nx_batch_clear(&b);
    ok(nx_session_load_batch(f->s, "new rows", &b, &err));
    assert_string_equal(text_of(f, "SELECT count(*) FROM \"new rows\""), "0");
    nx_batch_drop(&b);
}

static void nulls_are_refused_where_they_must_not_be(void **state)
{
    fixture *f = *state;
    nx_batch b;
    ok(nx_batch_init(&b, &all, 0, 0));
    for (size_t i = 0; i < all.n_fields; i++)
        ok(nx_col_null(&b, &b.cols[i]));
    nx_batch_end_row(&b);
    nx_err err = {0};
    nx_file_stats fs;
    const char *path = path_in(f, "null.parquet");
    assert_int_equal(nx_session_write_batch(f->s, &b, NULL, 0, NULL, 0, path, NULL, &f->a, &fs, &err), NX_CHECK_FAILED);
    assert_non_null(strstr(err.text, "id"));
    assert_false(nx_file_exists(path));
    nx_batch_drop(&b);

    nx_schema key = {all_fields, 1};
    assert_int_equal(nx_session_write_parquet(f->s,
                                              NX_STR("SELECT CASE WHEN i <> 5 THEN i END AS id FROM range(9) r(i)"),
                                              &key, path, NULL, &f->a, &fs, &err),
                     NX_CHECK_FAILED);
    assert_string_equal(err.text, "column id is null in a row, but must not be");
    assert_false(nx_file_exists(path));
}

static const nx_col_stats *stats_of(const nx_file_stats *fs, const char *path)
{
    for (size_t i = 0; i < fs->n_cols; i++)
        if (strcmp(fs->cols[i].path, path) == 0)
            return &fs->cols[i];
    fail_msg("no statistics of %s", path);
    return NULL;
}

static void statistics_are_read(void **state)
{
    fixture *f = *state;
    const char *sql =
        "SELECT i::BIGINT AS n, (i / 2)::DECIMAL(18,6) AS p, 'v' || i AS \"odd \"\"name\", NULL::INT AS nothing, "
        "TIMESTAMP '2024-01-02 03:04:05.123456' + INTERVAL (i) SECOND AS \"at\", DATE '2024-01-01' + i::INT AS day, "
        "CASE WHEN i = 3 THEN 'nan'::DOUBLE ELSE i END AS maybe, i::DOUBLE AS d, {'a': i} AS st, [i] AS l "
        "FROM range(10) r(i)";
    nx_schema *schema = NULL;
    nx_err err = {0};
    ok(nx_session_schema(f->s, nx_str_of(sql), &f->a, &schema, &err));
    nx_file_stats fs;
    ok(nx_session_write_parquet(f->s, nx_str_of(sql), schema, path_in(f, "s.parquet"), NULL, &f->a, &fs, &err));
    assert_int_equal(fs.rows, 10);
    const nx_col_stats *c = stats_of(&fs, "n");
    assert_true(c->has_minmax && c->nulls == 0);
    assert_string_equal(c->min, "0");
    assert_string_equal(c->max, "9");
    assert_string_equal(stats_of(&fs, "p")->max, "4.500000");
    assert_string_equal(stats_of(&fs, "odd \"name")->max, "v9");
    assert_int_equal(stats_of(&fs, "nothing")->nulls, 10);
    assert_false(stats_of(&fs, "nothing")->has_minmax);
    assert_string_equal(stats_of(&fs, "at")->min, "2024-01-02 03:04:05.123456+00");
    assert_string_equal(stats_of(&fs, "day")->max, "2024-01-10");
    assert_false(stats_of(&fs, "maybe")->has_minmax);
    assert_true(stats_of(&fs, "d")->has_minmax);
    assert_string_equal(stats_of(&fs, "st.a")->max, "9");
    assert_string_equal(stats_of(&fs, "l.element")->max, "9");

    ok(nx_session_write_parquet(f->s, NX_STR("SELECT 1::BIGINT AS id WHERE false"), &(nx_schema){all_fields, 1},
                                path_in(f, "empty.parquet"), NULL, &f->a, &fs, &err));
    assert_int_equal(fs.rows, 0);
    assert_true(nx_file_exists(path_in(f, "empty.parquet")));
}

static void order_is_kept_when_asked(void **state)
{
    fixture *f = *state;
    nx_schema key = {all_fields, 1};
    nx_parquet_opts o = {.keep_order = true, .row_group_rows = 20480, .zstd_level = 1};
    nx_file_stats fs;
    nx_err err = {0};
    const char *path = path_in(f, "o.parquet");
    ok(nx_session_write_parquet(f->s, NX_STR("SELECT i AS id FROM range(300000) r(i) ORDER BY hash(i) -- last;"), &key,
                                path, &o, &f->a, &fs, &err));
    assert_string_equal(
        text_of(f, nx_arena_printf(
                       &f->a,
                       "SELECT count(*) FROM (SELECT hash(id) AS h, lag(hash(id)) OVER (ORDER BY file_row_number) AS p "
                       "FROM read_parquet('%s', file_row_number = true)) WHERE h < p",
                       path)),
        "0");
    assert_true(
        atoi(text_of(
            f, nx_arena_printf(&f->a, "SELECT count(DISTINCT row_group_id) FROM parquet_metadata('%s')", path))) > 10);
}

static void failures_leave_no_file(void **state)
{
    fixture *f = *state;
    nx_schema key = {all_fields, 1};
    nx_file_stats fs;
    nx_err err = {0};
    const char *path = path_in(f, "f.parquet");
    /* fails late, when rows are already on their way into the file */
    nx_status st = nx_session_write_parquet(
        f->s, NX_STR("SELECT CASE WHEN i = 999999 THEN error('late') ELSE i END AS id FROM range(1000000) r(i)"), &key,
        path, NULL, &f->a, &fs, &err);
    assert_int_equal(st, NX_INVALID);
    assert_false(nx_file_exists(path));

    assert_true(nx_fault_arm("PARQUET_WRITE"));
    st = nx_session_write_parquet(f->s, NX_STR("SELECT 1 AS id"), &key, path, NULL, &f->a, &fs, &err);
    assert_true(nx_fault_arm(NULL));
    assert_int_equal(st, NX_IO);
    assert_non_null(strstr(err.text, path));
    assert_false(nx_file_exists(path));

    ok(nx_session_write_parquet(f->s, NX_STR("SELECT 1 AS id"), &key, path, NULL, &f->a, &fs, &err));
    assert_int_equal(nx_session_write_parquet(f->s, NX_STR("SELECT 2 AS id"), &key, path, NULL, &f->a, &fs, &err),
                     NX_EXISTS);
    assert_string_equal(text_of(f, nx_arena_printf(&f->a, "SELECT id FROM '%s'", path)), "1");
    assert_int_equal(nx_session_write_parquet(f->s, NX_STR("SELECT 1 AS id"), &key, path_in(f, "no/such/f.parquet"),
                                              NULL, &f->a, &fs, &err),
                     NX_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_survives_the_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(picked_rows_keep_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_large_batch_keeps_its_order, setup, teardown),
        cmocka_unit_test_setup_teardown(a_batch_becomes_a_temporary_table, setup, teardown),
        cmocka_unit_test_setup_teardown(nulls_are_refused_where_they_must_not_be, setup, teardown),
        cmocka_unit_test_setup_teardown(statistics_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(order_is_kept_when_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_leave_no_file, setup, teardown),
    };
    return cmocka_run_group_tests_name("engine parquet", tests, NULL, NULL);
}
