/* Snapshots: the vector and the behaviours of dbt's algorithm, its warts included. */
#include "dbt_kit.h"

/* config: what stands below "config:" after the key; rows: VALUES of (id, v, ts). */
static void begin(kit *k, const char *config)
{
    char text[1024];
    kit_bare(k);
    kit_file(k, "models/src.sql", "select id, v, cast(ts as timestamp) as ts from raw.src");
    snprintf(text, sizeof text,
             "snapshots:\n  - name: snap\n    relation: ref('src')\n    config: {unique_key: id, schema: gold, %s}\n",
             config);
    kit_file(k, "snapshots/s.yml", text);
}

static void rows(kit *k, const char *values)
{
    char sql[1024];
    snprintf(sql, sizeof sql,
             "select id::int as id, v::varchar as v, ts::timestamp as ts from (values %s) t(id, v, ts)", values);
    kit_table(k, "raw.src", sql);
}

static void take(kit *k, const char *values)
{
    rows(k, values);
    kit_ok(k, "build");
}

#define SHOW                                                                                                           \
    "select id, v, cast(dbt_valid_from as timestamp), cast(dbt_valid_to as timestamp) from gold.snap order by 1, 3, 4"
#define T1 "2024-01-01 00:00:00"
#define T2 "2024-02-01 00:00:00"
#define T3 "2024-03-01 00:00:00"

static void timestamp_strategy(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: timestamp, updated_at: ts");
    take(&k, "(1, 'a', '" T1 "'), (2, 'b', '" T1 "')");
    kit_expect(&k, "OK snapshotted gold.snap ");
    kit_rows(&k, "select column_name from (describe gold.snap)",
             "id\nv\nts\ndbt_scd_id\ndbt_updated_at\ndbt_valid_from\ndbt_valid_to");
    kit_rows(&k, "select dbt_scd_id from gold.snap where id = 1", "8bd6037542377309505ab720e545f24e");
    int64_t version = kit_version(&k, "gold.snap");
    kit_ok(&k, "snapshot");
    assert_int_equal(kit_version(&k, "gold.snap"), version); /* nothing changed, nothing written */
    take(&k, "(1, 'a2', '" T2 "'), (2, 'b', '" T1 "'), (3, 'c', '" T2 "')");
    assert_int_equal(kit_version(&k, "gold.snap"), version + 1);
    kit_rows(&k, SHOW, "1|a|" T1 "|" T2 "\n1|a2|" T2 "|-\n2|b|" T1 "|-\n3|c|" T2 "|-");
    take(&k, "(1, 'late', '" T1 "'), (2, 'same time', '" T1 "'), (3, 'c', '" T2 "')"); /* late data changes nothing */
    kit_rows(&k, SHOW, "1|a|" T1 "|" T2 "\n1|a2|" T2 "|-\n2|b|" T1 "|-\n3|c|" T2 "|-");
    take(&k, "(1, 'a3', '" T3 "')"); /* keys that are gone stay open */
    kit_rows(&k, SHOW, "1|a|" T1 "|" T2 "\n1|a2|" T2 "|" T3 "\n1|a3|" T3 "|-\n2|b|" T1 "|-\n3|c|" T2 "|-");
    kit_close(&k);
}

static void null_keys_and_times(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: timestamp, updated_at: ts");
    take(&k, "(null, 'n', '" T1 "'), (1, 'a', null)");
    kit_rows(&k, SHOW, "1|a|-|-\n-|n|" T1 "|-");
    take(&k, "(null, 'n', '" T1 "'), (1, 'b', '" T2 "')"); /* a null key is new each time; a null time is never older */
    kit_rows(&k, SHOW, "1|a|-|-\n-|n|" T1 "|-\n-|n|" T1 "|-");
    kit_close(&k);
}

static void invalidate(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: timestamp, updated_at: ts, hard_deletes: invalidate");
    take(&k, "(1, 'a', '" T1 "'), (2, 'b', '" T1 "')");
    take(&k, "(2, 'b', '" T1 "')");
    kit_rows(&k, "select id, dbt_valid_to is null, dbt_valid_to > now() - interval 1 hour from gold.snap order by 1",
             "1|false|true\n2|true|-");
    take(&k, "(1, 'a', '" T1 "'), (2, 'b', '" T1 "')"); /* back with the old time: the same id twice, as dbt has it */
    kit_rows(&k,
             "select id, count(*), count(distinct dbt_scd_id), count(*) filter (where dbt_valid_to is null) from "
             "gold.snap group by 1 order by 1",
             "1|2|1|1\n2|1|1|1");
    take(&k, "(1, 'a2', '" T2 "'), (2, 'b', '" T1 "')"); /* only the open one of the twins is closed */
    kit_rows(&k,
             "select v, count(*), count(*) filter (where dbt_valid_to = timestamptz '" T2
             "+00') from gold.snap where id = 1 group by 1 order by 1",
             "a|2|1\na2|1|0");
    kit_close(&k);
}

static void new_record(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: timestamp, updated_at: ts, hard_deletes: new_record");
    take(&k, "(1, 'a', '" T1 "'), (2, 'b', '" T1 "')");
    take(&k, "(2, 'b', '" T1 "')");
    kit_rows(&k, "select id, v, dbt_is_deleted, dbt_valid_to is null from gold.snap order by id, dbt_is_deleted",
             "1|a|False|false\n1|a|True|true\n2|b|False|true");
    kit_rows(&k,
             "select count(*) from gold.snap t join gold.snap o using (id) where t.dbt_is_deleted = 'True' and "
             "o.dbt_is_deleted = 'False' and "
             "t.dbt_scd_id = md5(o.dbt_scd_id || '|' || cast(cast(t.dbt_valid_from as timestamp) as varchar)) and "
             "o.dbt_valid_to = t.dbt_valid_from",
             "1");
    int64_t version = kit_version(&k, "gold.snap");
    kit_ok(&k, "snapshot"); /* one tombstone is enough */
    assert_int_equal(kit_version(&k, "gold.snap"), version);
    take(&k, "(1, 'a', '" T1 "'), (2, 'b', '" T1 "')"); /* back: the tombstone is closed */
    kit_rows(&k,
             "select dbt_is_deleted, count(*), count(*) filter (where dbt_valid_to is null) from gold.snap where id = "
             "1 group by 1 order by 1",
             "False|2|1\nTrue|1|0");
    kit_close(&k);
}

static void check_strategy(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: check, check_cols: [v]");
    take(&k, "(1, 'a', '" T1 "'), (2, null, '" T1 "'), (3, 'c', '" T1 "')");
    take(&k, "(1, 'a', '" T2 "'), (2, null, '" T2 "'), (3, 'c', '" T2 "')"); /* ts is not watched; null equals null */
    kit_rows(&k, "select count(*) from gold.snap", "3");
    take(&k, "(1, 'x', '" T2 "'), (2, 'y', '" T2 "'), (3, null, '" T2 "')");
    kit_rows(&k, "select id, v, dbt_valid_to is null from gold.snap order by 1, dbt_valid_from",
             "1|a|false\n1|x|true\n2|-|false\n2|y|true\n3|c|false\n3|-|true");
    kit_rows(&k,
             "select count(*) from gold.snap o join gold.snap n on o.id = n.id and o.dbt_valid_to = n.dbt_valid_from",
             "3");
    kit_close(&k);
}

static void check_all_with_a_new_column(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: check, check_cols: all");
    take(&k, "(1, 'a', '" T1 "')");
    kit_file(&k, "models/src.sql", "select id, v, cast(ts as timestamp) as ts, id * 10 as extra from raw.src");
    kit_ok(&k, "build");
    kit_rows(&k, "select id, extra, dbt_valid_to is null from gold.snap order by dbt_valid_from",
             "1|-|false\n1|10|true");
    kit_file(&k, "models/src.sql", "select id, cast(ts as timestamp) as ts, id * 10 as extra from raw.src");
    kit_ok(&k, "build"); /* a column that is gone stays, its new values are null */
    kit_rows(&k, "select count(*) from gold.snap", "2");
    kit_close(&k);
}

/* An updated_at that did not move: the new version has the old one's id and no length. Both rows are kept, as in dbt. */
static void check_with_a_still_clock(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: check, check_cols: [v], updated_at: ts");
    take(&k, "(1, 'a', '" T1 "')");
    take(&k, "(1, 'b', '" T1 "')");
    kit_rows(&k,
             "select v, cast(dbt_valid_from as timestamp), cast(dbt_valid_to as timestamp) from gold.snap order by 1",
             "a|" T1 "|" T1 "\nb|" T1 "|-");
    kit_rows(&k, "select count(distinct dbt_scd_id) from gold.snap", "1");
    kit_close(&k);
}

static void names_and_open_end(void **state)
{
    (void)state;
    kit k;
    begin(&k,
          "strategy: timestamp, updated_at: ts, dbt_valid_to_current: \"timestamp '9999-12-31'\", "
          "snapshot_meta_column_names: {dbt_valid_from: valid_from, dbt_valid_to: valid_to, dbt_scd_id: version_id}");
    take(&k, "(1, 'a', '" T1 "')");
    take(&k, "(1, 'b', '" T2 "')");
    kit_rows(&k,
             "select v, cast(valid_from as timestamp), cast(valid_to as timestamp), length(version_id) from gold.snap "
             "order by 1",
             "a|" T1 "|" T2 "|32\nb|" T2 "|9999-12-31 00:00:00|32");
    kit_close(&k);
}

/* The older block form, two keys, a schema of its own. */
static void block_form(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: timestamp, updated_at: ts");
    kit_file(&k, "snapshots/b.sql",
             "{% snapshot old_way %}\n{{ config(target_schema='hist', unique_key=['id', 'v'], strategy='timestamp', "
             "updated_at='ts') }}\n"
             "select * from {{ ref('src') }}\n{% endsnapshot %}\n");
    take(&k, "(1, 'a', '" T1 "')");
    kit_rows(&k, "select dbt_scd_id = md5('1|a|" T1 "') from hist.old_way", "true");
    take(&k, "(1, 'a', '" T2 "'), (1, 'b', '" T1 "')");
    kit_rows(&k, "select v, dbt_valid_to is null from hist.old_way order by 1, dbt_valid_from",
             "a|false\na|true\nb|true");
    kit_close(&k);
}

static void not_a_snapshot(void **state)
{
    (void)state;
    kit k;
    begin(&k, "strategy: timestamp, updated_at: ts");
    kit_table(&k, "gold.snap", "select 1 as id");
    rows(&k, "(1, 'a', '" T1 "')");
    assert_int_equal(kit_run(&k, "build"), NX_CHECK_FAILED);
    kit_expect(&k, "gold.snap is no snapshot of this configuration: it has no column \"dbt_scd_id\"");
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamp_strategy),
        cmocka_unit_test(null_keys_and_times),
        cmocka_unit_test(invalidate),
        cmocka_unit_test(new_record),
        cmocka_unit_test(check_strategy),
        cmocka_unit_test(check_all_with_a_new_column),
        cmocka_unit_test(check_with_a_still_clock),
        cmocka_unit_test(names_and_open_end),
        cmocka_unit_test(block_form),
        cmocka_unit_test(not_a_snapshot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
