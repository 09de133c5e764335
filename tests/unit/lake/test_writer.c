/* Appending batches: partitions, statistics, schema changes under way, txn, dropped writers; history and checkpoints
 * of what was written. */
#include "lake_kit.h"

#include "data/json.h"

static const nx_field FIELDS[] = {
    {.name = "symbol", .type = {.kind = NX_STRING}, .nullable = false},
    {.name = "price", .type = {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, .nullable = true},
    {.name = "ts", .type = {.kind = NX_TIMESTAMP}, .nullable = true},
    {.name = "event_date", .type = {.kind = NX_DATE}, .nullable = true},
};
static const nx_schema SCHEMA = {FIELDS, NX_COUNT_OF(FIELDS)};
static const char *const PART[] = {"event_date", NULL};
static const nx_table_spec SPEC = {
    .name = "bronze.trades", .folder = "bronze/market/trades", .schema = &SCHEMA, .partition = PART};

/* Rows i = from .. from + n - 1: price i.5, ts i milliseconds and 1 us after 2024-01-02, date 2024-01-02 + i % days
 * (null when days is 0). */
static void fill(nx_batch *b, int from, int n, int days)
{
    assert_int_equal(nx_batch_init(b, &SCHEMA, 0, 0), NX_OK);
    for (int i = from; i < from + n; i++) {
        assert_int_equal(nx_col_str(b, &b->cols[0], i % 2 == 0 ? NX_STR("AAPL") : NX_STR("SPY")), NX_OK);
        assert_int_equal(nx_col_i64(b, &b->cols[1], (int64_t)i * 1000000 + 500000), NX_OK);
        assert_int_equal(nx_col_i64(b, &b->cols[2], 1704153600000000 + (int64_t)i * 1000 + 1), NX_OK);
        assert_int_equal(days == 0 ? nx_col_null(b, &b->cols[3]) : nx_col_i32(b, &b->cols[3], 19724 + i % days), NX_OK);
        nx_batch_end_row(b);
    }
}

static void add_rows(kit *k, nx_writer *w, int from, int n, int days)
{
    nx_batch b;
    fill(&b, from, n, days);
    FINE(k, nx_writer_add(w, &b, &k->err));
    nx_batch_drop(&b);
}

static nx_table *make(kit *k)
{
    nx_table *t = NULL;
    FINE(k, nx_table_ensure(k->l, &SPEC, &t, &k->err));
    return t;
}

static void test_rows_and_stats(void **state)
{
    kit *k = *state;
    nx_table *t = make(k);
    nx_writer *w;
    nx_commit_result r;
    FINE(k, nx_writer_open(t, &w, &k->err));
    add_rows(k, w, 0, 10, 2);
    add_rows(k, w, 10, 5, 0);
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    assert_true(r.committed);
    assert_int_equal(r.version, 1);
    assert_int_equal(r.files_added, 3);
    assert_int_equal(r.rows_added, 15);
    assert_string_equal(
        kit_rows(k, "SELECT event_date, count(*), sum(price) FROM \"bronze.trades\" GROUP BY 1 ORDER BY 1"),
        "2024-01-02|5|22.500000 2024-01-03|5|27.500000 -|5|62.500000");
    char *log = kit_file(k, "bronze/market/trades/_delta_log/00000000000000000001.json");
    assert_non_null(strstr(
        log,
        "\\\"minValues\\\":{\\\"symbol\\\":\\\"SPY\\\",\\\"price\\\":1.500000,\\\"ts\\\":\\\"2024-01-02T00:00:00.001Z\\\"}"));
    assert_non_null(strstr(
        log,
        "\\\"maxValues\\\":{\\\"symbol\\\":\\\"SPY\\\",\\\"price\\\":9.500000,\\\"ts\\\":\\\"2024-01-02T00:00:00.010Z\\\"}"));
    assert_non_null(strstr(log, "\"isBlindAppend\":true"));
    assert_non_null(strstr(log, "\"operationMetrics\":{\"numFiles\":\"3\",\"numRemovedFiles\":\"0\","));
    assert_non_null(strstr(log, "event_date=__HIVE_DEFAULT_PARTITION__/part-"));
    free(log);
    /* nothing was added since */
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    assert_false(r.committed);
    nx_writer_drop(w);
    nx_table_info info;
    FINE(k, nx_table_info_get(t, &info, &k->err));
    assert_int_equal(info.version, 1);
    assert_int_equal(info.rows, 15);
    assert_int_equal(info.files, 3);
    assert_true(info.committed_ms > 1700000000000);
}

static int files_below(kit *k, const char *what)
{
    char sql[512];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM glob('%s/%s')", k->dir, what);
    return (int)kit_int(k, sql);
}

static void test_txn_and_drop(void **state)
{
    kit *k = *state;
    nx_table *t = make(k);
    nx_writer *w;
    nx_commit_result r;
    nx_commit_opts o = {.app_id = "wal", .txn_version = 100};
    FINE(k, nx_writer_open(t, &w, &k->err));
    add_rows(k, w, 0, 4, 1);
    FINE(k, nx_writer_commit(w, &o, &r, &k->err));
    assert_true(r.committed);
    /* the replay of the same position: no version, no file left behind */
    add_rows(k, w, 0, 4, 1);
    assert_int_equal(files_below(k, "bronze/market/trades/*/*.parquet.staged"), 1);
    FINE(k, nx_writer_commit(w, &o, &r, &k->err));
    assert_false(r.committed);
    assert_int_equal(r.version, 1);
    assert_int_equal(files_below(k, "bronze/market/trades/*/*.parquet"), 1);
    add_rows(k, w, 4, 4, 1);
    nx_writer_drop(w);
    assert_int_equal(files_below(k, "bronze/market/trades/event_date*/*"), 1);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.trades\""), 4);
}

static void test_refused_rows(void **state)
{
    kit *k = *state;
    nx_table *t = make(k);
    nx_writer *w;
    nx_batch b;
    FINE(k, nx_writer_open(t, &w, &k->err));
    assert_int_equal(nx_batch_init(&b, &SCHEMA, 0, 0), NX_OK);
    for (size_t c = 0; c < SCHEMA.n_fields; c++)
        assert_int_equal(nx_col_null(&b, &b.cols[c]), NX_OK);
    nx_batch_end_row(&b);
    FAILS(k, NX_CHECK_FAILED, "\"symbol\"", nx_writer_add(w, &b, &k->err));
    nx_batch_drop(&b);
    nx_field other = {.name = "symbol", .type = {.kind = NX_INT64}, .nullable = true};
    nx_schema schema = {&other, 1};
    assert_int_equal(nx_batch_init(&b, &schema, 0, 0), NX_OK);
    assert_int_equal(nx_col_i64(&b, &b.cols[0], 1), NX_OK);
    nx_batch_end_row(&b);
    FAILS(k, NX_CONFLICT, "another type", nx_writer_add(w, &b, &k->err));
    nx_batch_drop(&b);
    nx_writer_drop(w);
}

/* The table gets a column while an older writer is at work: what it has written is refused, what it writes next is
 * not. */
static void test_evolution(void **state)
{
    kit *k = *state;
    nx_table *t = make(k), *again;
    nx_writer *w;
    nx_commit_result r;
    nx_field more[5];
    memcpy(more, FIELDS, sizeof FIELDS);
    more[4] = (nx_field){.name = "tape", .type = {.kind = NX_STRING}, .nullable = true};
    nx_schema wide = {more, 5};
    nx_table_spec spec = SPEC;
    spec.schema = &wide;
    FINE(k, nx_writer_open(t, &w, &k->err));
    add_rows(k, w, 0, 2, 1);
    FINE(k, nx_table_ensure(k->l, &spec, &again, &k->err));
    assert_ptr_equal(t, again);
    FAILS(k, NX_CONFLICT, "schema was changed", nx_writer_commit(w, NULL, &r, &k->err));
    nx_writer_drop(w);
    FINE(k, nx_writer_open(t, &w, &k->err));
    add_rows(k, w, 0, 2, 1);
    FINE(k, nx_writer_commit(w, NULL, &r, &k->err));
    nx_writer_drop(w);
    assert_string_equal(kit_rows(k, "SELECT symbol, tape FROM \"bronze.trades\" ORDER BY ts"), "AAPL|- SPY|-");
    kit_write(
        k, &spec, &(nx_write_opts){.mode = NX_WRITE_APPEND},
        "SELECT 'X' AS symbol, 1.0::DECIMAL(18,6) AS price, now() AS ts, DATE '2024-01-02' AS event_date, 'A' AS tape");
    assert_string_equal(kit_rows(k, "SELECT symbol, tape FROM \"bronze.trades\" ORDER BY ts"), "AAPL|- SPY|- X|A");
    /* a type never changes, neither does the partition */
    more[1].type.scale = 2;
    FAILS(k, NX_CONFLICT, "\"price\" of table bronze.trades is DECIMAL(18,6), not DECIMAL(18,2)",
          nx_table_ensure(k->l, &spec, &again, &k->err));
    more[1] = FIELDS[1];
    spec.partition = NULL;
    FAILS(k, NX_CONFLICT, "partitioned by other columns", nx_table_ensure(k->l, &spec, &again, &k->err));
}

static void test_names(void **state)
{
    kit *k = *state;
    nx_table *t;
    nx_field f[] = {{.name = "a b", .type = {.kind = NX_INT64}, .nullable = true},
                    {.name = "c", .type = {.kind = NX_INT64}, .nullable = true}};
    nx_schema s = {f, 2};
    nx_table_spec spec = {.name = "x.y", .schema = &s};
    FAILS(k, NX_INVALID, "\"a b\"", nx_table_ensure(k->l, &spec, &t, &k->err));
    f[0].name = "C";
    FAILS(k, NX_INVALID, "differ only in case", nx_table_ensure(k->l, &spec, &t, &k->err));
    spec.name = "single";
    FAILS(k, NX_INVALID, "schema.table", nx_table_ensure(k->l, &spec, &t, &k->err));
}

typedef struct seen {
    int64_t n, first;
    char ops[256];
} seen;

static nx_status on_history(void *ctx, const nx_history_entry *e, nx_err *err)
{
    (void)err;
    seen *s = ctx;
    if (s->n++ == 0)
        s->first = e->version;
    size_t at = strlen(s->ops);
    snprintf(s->ops + at, sizeof s->ops - at, "%s:%lld ", e->operation, (long long)e->rows_added);
    return NX_OK;
}

/* A checkpoint after ten commits; a reader that only has it and what follows sees the same table. */
static void test_checkpoint(void **state)
{
    kit *k = *state;
    nx_table *t = make(k);
    nx_writer *w;
    nx_commit_result r;
    char path[256];
    FINE(k, nx_writer_open(t, &w, &k->err));
    for (int i = 0; i < 12; i++) {
        nx_commit_opts o = {.app_id = "wal", .txn_version = i};
        add_rows(k, w, i * 3, 3, 3);
        FINE(k, nx_writer_commit(w, &o, &r, &k->err));
    }
    nx_writer_drop(w);
    char *last = kit_file(k, "bronze/market/trades/_delta_log/_last_checkpoint");
    assert_non_null(strstr(last, "{\"version\":10,\"size\":33,"));
    free(last);
    snprintf(path, sizeof path,
             "SELECT count(*) FROM read_parquet('%s/bronze/market/trades/_delta_log/*10.checkpoint.parquet') "
             "WHERE add IS NULL AND txn IS NULL AND protocol IS NULL AND metaData IS NULL",
             k->dir);
    assert_int_equal(kit_int(k, path), 0);
    for (int i = 0; i < 10; i++) {
        snprintf(path, sizeof path, "%s/bronze/market/trades/_delta_log/%020d.json", k->dir, i);
        assert_int_equal(remove(path), 0);
    }
    nx_lake *other;
    nx_lake_opts lo = {.root = k->dir, .engine = k->e};
    FINE(k, nx_lake_open(&lo, &other, &k->err));
    nx_table *u;
    nx_table_info info;
    int64_t txn;
    FINE(k, nx_table_open(other, "bronze.trades", &u, &k->err));
    FINE(k, nx_table_info_get(u, &info, &k->err));
    FINE(k, nx_table_txn(u, "wal", &txn, &k->err));
    assert_int_equal(info.rows, 36);
    assert_int_equal(info.version, 12);
    assert_int_equal(txn, 11);
    seen s = {0};
    FINE(k, nx_table_history(u, 2, on_history, &s, &k->err));
    assert_string_equal(s.ops, "WRITE:3 WRITE:3 ");
    nx_lake_close(other);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.trades\""), 36);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.trades@v11\""), 33);
}

int main(void)
{
#define T_(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)
    const struct CMUnitTest tests[] = {
        T_(test_rows_and_stats), T_(test_txn_and_drop), T_(test_refused_rows),
        T_(test_evolution),      T_(test_names),        T_(test_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
