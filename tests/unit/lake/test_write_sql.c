/* Writing from SQL: the four modes, deletes, partitions, schema changes, time travel, dropping. */
#include "lake_kit.h"

static const nx_table_spec T = {.name = "silver.t"};
static const nx_write_opts APPEND = {.mode = NX_WRITE_APPEND};
static const nx_write_opts OVERWRITE = {.mode = NX_WRITE_OVERWRITE};
static const char *const KEY[] = {"id", NULL};

static void test_append(void **state)
{
    kit *k = *state;
    nx_commit_result r = kit_write(k, &T, &APPEND, "SELECT 1 AS id, 'a' AS v UNION ALL SELECT 2, NULL ORDER BY 1; ");
    assert_true(r.committed);
    assert_int_equal(r.version, 1);
    assert_int_equal(r.rows_added, 2);
    assert_int_equal(r.files_added, 1);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY id"), "1|a 2|-");
    /* the query may read the table itself, columns are taken by name */
    r = kit_write(k, &T, &APPEND, "SELECT 'x' AS v, id + 10 AS id FROM \"silver.t\"");
    assert_int_equal(r.version, 2);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY id"), "1|a 2|- 11|x 12|x");
    /* nothing to write: no version */
    r = kit_write(k, &T, &APPEND, "SELECT 1 AS id, 'a' AS v WHERE false");
    assert_false(r.committed);
    assert_int_equal(r.version, 2);
    FAILS(k, NX_INVALID, "\"w\"",
          nx_lake_write_sql(k->l, k->s, &T, NX_STR("SELECT 1 AS id, 'a' AS v, 3 AS w"), &APPEND, &r, &k->err));
    r = kit_write(k, &T, &APPEND, "SELECT 5 AS id");
    assert_string_equal(kit_rows(k, "SELECT v FROM \"silver.t\" WHERE id = 5"), "-");
}

static void test_exact(void **state)
{
    kit *k = *state;
    nx_commit_result r;
    kit_write(k, &T, &APPEND, "SELECT 1.25::DECIMAL(18,6) AS price, TIMESTAMPTZ '2024-01-02 03:04:05.123456+00' AS ts");
    assert_string_equal(kit_rows(k, "SELECT price, ts FROM \"silver.t\""), "1.250000|2024-01-02 03:04:05.123456+00");
    FAILS(k, NX_CHECK_FAILED, "price",
          nx_lake_write_sql(k->l, k->s, &T, NX_STR("SELECT 1.2345678::DOUBLE AS price, now() AS ts"), &APPEND, &r,
                            &k->err));
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"silver.t\""), 1);
}

static void test_overwrite(void **state)
{
    kit *k = *state;
    kit_write(k, &T, &OVERWRITE, "SELECT i AS id FROM range(5) r(i)");
    nx_commit_result r = kit_write(k, &T, &OVERWRITE, "SELECT i + 1 AS id FROM range(3) r(i)");
    assert_int_equal(r.rows_added, 3);
    assert_int_equal(r.rows_removed, 5);
    assert_int_equal(r.files_removed, 1);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY 1"), "1 2 3");
    /* another shape: same table id, old versions keep theirs */
    kit_write(k, &T, &OVERWRITE, "SELECT 'x' AS name, 1.5::DECIMAL(10,2) AS n");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\""), "x|1.50");
    assert_string_equal(kit_rows(k, "SELECT count(*) FROM \"silver.t@v1\""), "5");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t@v2\" ORDER BY 1"), "1 2 3");
    char *first = kit_file(k, "silver/t/_delta_log/00000000000000000000.json");
    char *last = kit_file(k, "silver/t/_delta_log/00000000000000000003.json");
    char id[64] = "";
    assert_int_equal(sscanf(strstr(first, "\"metaData\":{\"id\":\""), "\"metaData\":{\"id\":\"%36s", id), 1);
    assert_non_null(strstr(last, id));
    free(first);
    free(last);
    /* to nothing */
    r = kit_write(k, &T, &OVERWRITE, "SELECT 'x' AS name, 1.5::DECIMAL(10,2) AS n WHERE false");
    assert_true(r.committed);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"silver.t\""), 0);
}

static void test_partitioned(void **state)
{
    kit *k = *state;
    static const char *const part[] = {"d", "s", NULL};
    nx_table_spec spec = {.name = "silver.p", .partition = part};
    static const char sql[] =
        "SELECT i AS id, DATE '2024-01-01' + (i % 2)::INTEGER AS d, CASE i % 3 WHEN 0 THEN NULL WHEN 1 THEN 'US/East %' "
        "ELSE 'b{c}' END AS s FROM range(12) r(i)";
    nx_commit_result r = kit_write(k, &spec, &APPEND, sql);
    assert_int_equal(r.files_added, 6);
    assert_int_equal(r.rows_added, 12);
    char check[1024];
    snprintf(
        check, sizeof check,
        "SELECT count(*) FROM ((SELECT * FROM \"silver.p\" EXCEPT ALL (%s)) UNION ALL ((%s) EXCEPT ALL SELECT * FROM \"silver.p\"))",
        sql, sql);
    assert_int_equal(kit_int(k, check), 0);
    char *log = kit_file(k, "silver/p/_delta_log/00000000000000000001.json");
    assert_non_null(strstr(log, "\"path\":\"d=2024-01-01/s=US%252FEast%20%2525/part-"));
    assert_non_null(strstr(log, "\"partitionValues\":{\"d\":\"2024-01-02\",\"s\":null}"));
    assert_null(strstr(log, "\"minValues\":{\"d\""));
    free(log);
    FAILS(k, NX_CHECK_FAILED, "empty text",
          nx_lake_write_sql(k->l, k->s, &spec, NX_STR("SELECT 1::BIGINT AS id, DATE '2024-01-01' AS d, '' AS s"),
                            &APPEND, &r, &k->err));
    /* a row that moves to another partition */
    nx_write_opts merge = {.mode = NX_WRITE_MERGE, .key = KEY};
    r = kit_write(k, &spec, &merge, "SELECT 3::BIGINT AS id, DATE '2025-05-05' AS d, 'new' AS s");
    assert_int_equal(r.rows_added, 1);
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"silver.p\""), 12);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.p\" WHERE d = DATE '2025-05-05'"), "3|2025-05-05|new");
}

static void test_delete_insert(void **state)
{
    kit *k = *state;
    nx_write_opts o = {.mode = NX_WRITE_DELETE_INSERT, .key = KEY};
    kit_write(k, &T, &APPEND, "SELECT i AS id, 'old' AS v FROM range(3) r(i)");
    kit_write(k, &T, &APPEND, "SELECT NULL::BIGINT AS id, 'null' AS v UNION ALL SELECT 7, 'old'");
    nx_commit_result r = kit_write(
        k, &T, &o, "SELECT 1::BIGINT AS id, 'new' AS v UNION ALL SELECT 1, 'new2' UNION ALL SELECT NULL, 'null2'");
    assert_int_equal(r.rows_removed, 1);
    assert_int_equal(r.rows_added, 3);
    assert_int_equal(r.files_removed, 1); /* the other file holds no such key and stays */
    assert_string_equal(kit_rows(k, "SELECT id, v FROM \"silver.t\" ORDER BY ALL"),
                        "0|old 1|new 1|new2 2|old 7|old -|null -|null2");
    FAILS(
        k, NX_INVALID, "\"nokey\"",
        nx_lake_write_sql(k->l, k->s, &T, NX_STR("SELECT 1::BIGINT AS id, 'a' AS v"),
                          &(nx_write_opts){.mode = NX_WRITE_DELETE_INSERT, .key = (const char *const[]){"nokey", NULL}},
                          &r, &k->err));
}

static void test_merge(void **state)
{
    kit *k = *state;
    static const char *const only_v[] = {"v", NULL};
    nx_write_opts o = {.mode = NX_WRITE_MERGE, .key = KEY};
    nx_commit_result r;
    kit_write(k, &T, &APPEND, "SELECT i AS id, 'old' AS v, 0 AS n FROM range(3) r(i)");
    r = kit_write(k, &T, &o, "SELECT 1::BIGINT AS id, 'new' AS v, 5 AS n UNION ALL SELECT 9, 'nine', 9");
    assert_int_equal(r.rows_added, 2);
    assert_int_equal(r.rows_removed, 1);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY id"), "0|old|0 1|new|5 2|old|0 9|nine|9");
    /* the same again changes nothing */
    r = kit_write(k, &T, &o, "SELECT 1::BIGINT AS id, 'new' AS v, 5 AS n UNION ALL SELECT 9, 'nine', 9");
    assert_false(r.committed);
    o.update_columns = only_v;
    kit_write(k, &T, &o, "SELECT 2::BIGINT AS id, 'two' AS v, 7 AS n UNION ALL SELECT 4, 'four', 4");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY id"),
                        "0|old|0 1|new|5 2|two|0 4|four|4 9|nine|9");
    FAILS(k, NX_CHECK_FAILED, "id = 4",
          nx_lake_write_sql(k->l, k->s, &T, NX_STR("SELECT 4::BIGINT AS id, 'a' AS v, 1 AS n FROM range(2)"), &o, &r,
                            &k->err));
    /* a value that becomes null is a change, a null key matches nothing */
    o.update_columns = NULL;
    r = kit_write(
        k, &T, &o,
        "SELECT 9::BIGINT AS id, NULL AS v, 9 AS n UNION ALL SELECT NULL, 'x', 0 UNION ALL SELECT NULL, 'y', 0");
    assert_int_equal(r.rows_added, 3);
    assert_string_equal(kit_rows(k, "SELECT v, n FROM \"silver.t\" WHERE id = 9"), "-|9");
}

static void test_delete(void **state)
{
    kit *k = *state;
    nx_commit_result r;
    kit_write(k, &T, &APPEND, "SELECT i AS id FROM range(10) r(i)");
    kit_write(k, &T, &APPEND, "SELECT i + 100 AS id FROM range(10) r(i)");
    FINE(k, nx_lake_delete_sql(k->l, k->s, "silver.t", NX_STR("id < 3 -- the small ones"), &r, &k->err));
    assert_int_equal(r.rows_removed, 3);
    assert_int_equal(r.files_removed, 1);
    assert_int_equal(r.files_added, 1);
    FINE(k, nx_lake_delete_sql(k->l, k->s, "silver.t", NX_STR("id >= 100"), &r, &k->err));
    assert_int_equal(r.files_added, 0);
    assert_string_equal(kit_rows(k, "SELECT id FROM \"silver.t\" ORDER BY id"), "3 4 5 6 7 8 9");
    FINE(k, nx_lake_delete_sql(k->l, k->s, "silver.t", NX_STR("id IS NULL"), &r, &k->err));
    assert_false(r.committed);
    FAILS(k, NX_INVALID, "nosuch", nx_lake_delete_sql(k->l, k->s, "silver.t", NX_STR("nosuch = 1"), &r, &k->err));
}

static void test_columns_grow(void **state)
{
    kit *k = *state;
    static const char *const add[] = {"b", NULL};
    nx_write_opts o = {.mode = NX_WRITE_APPEND, .add_columns = add};
    kit_write(k, &T, &APPEND, "SELECT 1 AS a");
    nx_commit_result r = kit_write(k, &T, &o, "SELECT 2 AS a, 'two' AS b");
    assert_int_equal(r.version, 2);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY a"), "1|- 2|two");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" WHERE b IS NULL"), "1|-");
    nx_write_opts merge = {.mode = NX_WRITE_MERGE, .key = (const char *const[]){"a", NULL}};
    kit_write(k, &T, &merge, "SELECT 1 AS a, 'one' AS b");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY a"), "1|one 2|two");
    /* the query still sees the table without the column; old rows take part in the merge that adds it */
    merge.add_columns = (const char *const[]){"c", NULL};
    r = kit_write(k, &T, &merge, "SELECT *, a * 10 AS c FROM \"silver.t\" WHERE a = 2");
    assert_int_equal(r.rows_added, 1);
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY a"), "1|one|- 2|two|20");
    nx_write_opts di = {
        .mode = NX_WRITE_DELETE_INSERT, .key = merge.key, .add_columns = (const char *const[]){"d", NULL}};
    kit_write(k, &T, &di, "SELECT 1 AS a, 'uno' AS b, 5 AS c, true AS d");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\" ORDER BY a"), "1|uno|5|true 2|two|20|-");
    FAILS(k, NX_INVALID, "twice",
          nx_lake_write_sql(k->l, k->s, &T, NX_STR("SELECT 1 AS a, 2 AS A"), &APPEND, &r, &k->err));
}

static void test_txn(void **state)
{
    kit *k = *state;
    nx_write_opts o = {.mode = NX_WRITE_APPEND, .commit = {.app_id = "feed", .txn_version = 7}};
    assert_true(kit_write(k, &T, &o, "SELECT 1 AS a").committed);
    nx_commit_result r = kit_write(k, &T, &o, "SELECT 1 AS a");
    assert_false(r.committed);
    assert_int_equal(r.version, 1);
    o.commit.txn_version = 8;
    assert_true(kit_write(k, &T, &o, "SELECT 1 AS a").committed);
    nx_table *t;
    int64_t v;
    FINE(k, nx_table_open(k->l, "silver.t", &t, &k->err));
    FINE(k, nx_table_txn(t, "feed", &v, &k->err));
    assert_int_equal(v, 8);
    FINE(k, nx_table_txn(t, "other", &v, &k->err));
    assert_int_equal(v, -1);
}

static void test_views(void **state)
{
    kit *k = *state;
    nx_table_spec deep = {.name = "bronze.trades", .folder = "bronze/market/trades"};
    kit_write(k, &deep, &APPEND, "SELECT 1 AS a");
    kit_write(k, &T, &APPEND, "SELECT 1 AS id");
    kit_put(k, "gold/broken/_delta_log/00000000000000000000.json",
            "{\"protocol\":{\"minReaderVersion\":77,\"minWriterVersion\":7}}\n");
    FINE(k, nx_lake_attach(k->l, k->s, &k->err));
    assert_int_equal(kit_int(k, "SELECT count(*) FROM bronze.trades JOIN silver.t ON a = id"), 1);
    FAILS(k, NX_INVALID, "reader version 77",
          nx_session_exec(k->s, NX_STR("SELECT * FROM gold.broken"), NULL, &k->err));
    FAILS(k, NX_INVALID, "reader version 77",
          nx_session_exec(k->s, NX_STR("SELECT count(*) FROM gold.broken"), NULL, &k->err));
    kit_write(k, &deep, &APPEND, "SELECT 2 AS a");
    assert_int_equal(kit_int(k, "SELECT count(*) FROM bronze.trades"), 1); /* a view shows the version of its making */
    FINE(k, nx_lake_attach_table(k->l, k->s, "bronze.trades", &k->err));
    assert_int_equal(kit_int(k, "SELECT count(*) FROM bronze.trades"), 2);
    nx_buf sql;
    nx_buf_init(&sql, 0);
    FAILS(k, NX_NOT_FOUND, "bronze.trade", nx_lake_scan_sql(k->l, NX_STR("bronze.trade"), &sql, &k->err));
    assert_non_null(strstr(k->err.hint, "bronze.trades"));
    FAILS(k, NX_NOT_FOUND, "no version 9", nx_lake_scan_sql(k->l, NX_STR("bronze.trades@v9"), &sql, &k->err));
    FAILS(k, NX_NOT_FOUND, "as old as",
          nx_lake_scan_sql(k->l, NX_STR("bronze.trades@2001-01-01T00:00:00Z"), &sql, &k->err));
    FINE(k, nx_lake_scan_sql(k->l, NX_STR("bronze.trades@2100-01-01T00:00:00Z"), &sql, &k->err));
    nx_buf_drop(&sql);
}

static void test_drop(void **state)
{
    kit *k = *state;
    kit_write(k, &T, &APPEND, "SELECT 1 AS id");
    FINE(k, nx_lake_drop_table(k->l, "silver.t", &k->err));
    nx_table *t;
    FAILS(k, NX_NOT_FOUND, "silver.t", nx_table_open(k->l, "silver.t", &t, &k->err));
    char path[512];
    snprintf(path, sizeof path, "%s/silver/t", k->dir);
    assert_false(nx_file_exists(path));
    /* and again, with another shape */
    kit_write(k, &T, &APPEND, "SELECT 'x' AS other");
    assert_string_equal(kit_rows(k, "SELECT * FROM \"silver.t\""), "x");
}

int main(void)
{
#define T_(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)
    const struct CMUnitTest tests[] = {
        T_(test_append),        T_(test_exact), T_(test_overwrite), T_(test_partitioned),
        T_(test_delete_insert), T_(test_merge), T_(test_delete),    T_(test_columns_grow),
        T_(test_txn),           T_(test_views), T_(test_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
