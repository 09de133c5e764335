/* Logs as strangers write them, and as enemies do: what is read, what is refused and how it is told. */
#include "lake_kit.h"

#include "lake/lake_int.h"

#define PROTOCOL "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n"
#define META                                                                                                                                           \
    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":" \
    "[{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\",\"partitionColumns\":[],\"configuration\":{}}}\n"
#define ADD(path)                                                                                                      \
    "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true}}\n"
#define REMOVE(path) "{\"remove\":{\"path\":\"" path "\",\"dataChange\":true}}\n"

static void put_commit(kit *k, int version, const char *text)
{
    char name[128];
    snprintf(name, sizeof name, "x/t/_delta_log/%020d.json", version);
    kit_put(k, name, text);
}

static nx_status look(kit *k, nx_table_info *info)
{
    nx_table *t;
    NX_TRY(nx_table_open(k->l, "x.t", &t, &k->err));
    return nx_table_info_get(t, info, &k->err);
}

static void test_replay(void **state)
{
    kit *k = *state;
    nx_table_info info;
    put_commit(k, 0, PROTOCOL META ADD("a%20b.parquet") ADD("c.parquet"));
    put_commit(k, 1,
               REMOVE("a b.parquet")
                   REMOVE("never-there") "{\"cdc\":{\"path\":\"z\"}}\n{\"unknownAction\":{\"add\":1}}\n\n");
    put_commit(k, 2,
               ADD("c.parquet") "{\"txn\":{\"appId\":\"w\",\"version\":9}}\n" ADD("a+b.parquet") "{\"add\":null}");
    kit_put(k, "x/t/_delta_log/00000000000000000003.json.tmp", "not a commit");
    kit_put(k, "x/t/_delta_log/.00000000000000000003.json", "{");
    kit_put(k, "x/t/_delta_log/00000000000000000002.crc", "{");
    FINE(k, look(k, &info));
    assert_int_equal(info.version, 2);
    assert_int_equal(info.files, 2);
    assert_int_equal(info.rows, -1); /* no numRecords */
    put_commit(k, 3, "{\"txn\":{\"appId\":\"w\",\"version\":4}}\r\n" REMOVE("c.parquet"));
    FINE(k, look(k, &info)); /* only the new commit is read */
    assert_int_equal(info.version, 3);
    assert_int_equal(info.files, 1);
    nx_table *t;
    int64_t v;
    FINE(k, nx_table_open(k->l, "x.t", &t, &k->err));
    FINE(k, nx_table_txn(t, "w", &v, &k->err));
    assert_int_equal(v, 4); /* the latest seen wins, also a smaller one */
}

static void test_broken(void **state)
{
    kit *k = *state;
    static const struct {
        const char *text, *says;
        nx_status st;
    } cases[] = {
        {"{\"add\":", "line 1 is not JSON", NX_CORRUPT},
        {PROTOCOL META "{\"add\":{}}", "line 3: an action has an empty path", NX_CORRUPT},
        {PROTOCOL META ADD("../../etc/passwd"), "leads out of the table's folder", NX_CORRUPT},
        {PROTOCOL META ADD("%2e%2e/x"), "leads out of the table's folder", NX_CORRUPT},
        {PROTOCOL META ADD("a%00b"), "control character", NX_CORRUPT},
        {PROTOCOL META "{\"add\":7}", "action add is a JSON", NX_CORRUPT},
        {PROTOCOL META "[1]", "not an object", NX_CORRUPT},
        {PROTOCOL META "{\"add\":{\"path\":\"a\",\"size\":-5}}", "impossible size", NX_CORRUPT},
        {PROTOCOL META "{\"add\":{\"path\":\"a\",\"size\":1,\"deletionVector\":{\"storageType\":\"q\"}}}",
         "deletion vector lacks", NX_CORRUPT},
        {PROTOCOL META "{\"txn\":{\"appId\":\"a\"}}", "txn action", NX_CORRUPT},
        {PROTOCOL, "no metaData action", NX_CORRUPT},
        {META, "no protocol action", NX_CORRUPT},
        {"{\"protocol\":{\"minReaderVersion\":\"1\"}}", "protocol action has no minReaderVersion", NX_CORRUPT},
        {"{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"mindReading\"],\"writerFeatures\":[]}}\n" META,
         "\"mindReading\"", NX_UNSUPPORTED},
        {PROTOCOL "{\"metaData\":{\"schemaString\":\"{oops\"}}", "schemaString is not JSON", NX_CORRUPT},
        {PROTOCOL "{\"metaData\":{\"format\":{\"provider\":\"orc\"},\"schemaString\":\"{}\"}}", "\"orc\"",
         NX_UNSUPPORTED},
        {PROTOCOL "{\"metaData\":{\"schemaString\":\"{\\\"fields\\\":[]}\",\"partitionColumns\":[\"p\"]}}",
         "\"p\" is not in the schema", NX_CORRUPT},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_table_info info;
        put_commit(k, 0, cases[i].text);
        nx_err_clear(&k->err);
        nx_status st = look(k, &info);
        if (st != cases[i].st || strstr(k->err.text, cases[i].says) == NULL || strstr(k->err.text, "x.t") == NULL)
            fail_msg("case %zu: %s \"%s\"", i, nx_status_name(st), k->err.text);
    }
}

static void test_holes(void **state)
{
    kit *k = *state;
    nx_table_info info;
    put_commit(k, 0, PROTOCOL META);
    put_commit(k, 1, ADD("a.parquet"));
    put_commit(k, 3, ADD("b.parquet"));
    FAILS(k, NX_CORRUPT, "commit 2 is missing", look(k, &info));
    put_commit(k, 2, ADD("c.parquet"));
    FINE(k, look(k, &info));
    assert_int_equal(info.version, 3);
    for (const char *file = "abc"; *file != '\0'; file++) { /* a version is there as long as its files are */
        char name[32];
        snprintf(name, sizeof name, "x/t/%c.parquet", *file);
        kit_put(k, name, "not read here");
    }
    /* a checkpoint that cannot be read: the commits tell the same */
    kit_put(k, "x/t/_delta_log/00000000000000000002.checkpoint.parquet", "PAR1 not really");
    nx_buf sql;
    nx_buf_init(&sql, 0);
    FINE(k, nx_lake_scan_sql(k->l, NX_STR("x.t@v3"), &sql, &k->err));
    /* without the commits it is the cause */
    char path[256];
    snprintf(path, sizeof path, "%s/x/t/_delta_log/00000000000000000000.json", k->dir);
    assert_int_equal(remove(path), 0);
    nx_status st = nx_lake_scan_sql(k->l, NX_STR("x.t@v3"), &sql, &k->err);
    assert_int_not_equal(st, NX_OK);
    assert_non_null(strstr(k->err.text, "00000000000000000002.checkpoint.parquet"));
    nx_buf_drop(&sql);
}

/* Foreign writers' demands that do not stop a reader stop us as writers. */
static void test_write_refused(void **state)
{
    kit *k = *state;
    static const struct {
        const char *protocol, *config, *says;
    } cases[] = {
        {"\"minReaderVersion\":1,\"minWriterVersion\":4", "", "\"changeDataFeed\""},
        {"\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"appendOnly\",\"rowTracking\"]", "",
         "\"rowTracking\""},
        {"\"minReaderVersion\":1,\"minWriterVersion\":2", "\"delta.constraints.c\":\"a > 0\"", "\"checkConstraints\""},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        char text[2048], meta[1024];
        snprintf(meta, sizeof meta, "%s", META);
        char *at = strstr(meta, "\"configuration\":{");
        snprintf(text, sizeof text, "{\"protocol\":{%s}}\n%.*s\"configuration\":{%s}}}\n", cases[i].protocol,
                 (int)(at - meta), meta, cases[i].config);
        put_commit(k, 0, text);
        nx_table *t;
        nx_writer *w;
        FINE(k, nx_table_open(k->l, "x.t", &t, &k->err));
        nx__table_forget(t);
        FAILS(k, NX_UNSUPPORTED, cases[i].says, nx_writer_open(t, &w, &k->err));
        assert_int_equal(kit_int(k, "SELECT count(*) FROM \"x.t\""), 0);
    }
}

static void test_append_only(void **state)
{
    kit *k = *state;
    nx_commit_result r;
    nx_table_spec spec = {.name = "x.t"};
    char meta[1024];
    snprintf(meta, sizeof meta, "%s", META);
    char *at = strstr(meta, "\"configuration\":{");
    char text[2048];
    snprintf(text, sizeof text, PROTOCOL "%.*s\"configuration\":{\"delta.appendOnly\":\"true\"}}}\n", (int)(at - meta),
             meta);
    put_commit(k, 0, text);
    kit_write(k, &spec, &(nx_write_opts){.mode = NX_WRITE_APPEND}, "SELECT 1::BIGINT AS a");
    FAILS(k, NX_UNSUPPORTED, "append-only", nx_lake_delete_sql(k->l, k->s, "x.t", NX_STR("a = 1"), &r, &k->err));
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"x.t\""), 1);
}

static void test_commit_clock(void **state)
{
    kit *k = *state;
    char meta[1024], text[2048];
    snprintf(meta, sizeof meta, "%s", META);
    char *at = strstr(meta, "\"configuration\":{");
    snprintf(text, sizeof text, PROTOCOL "%.*s\"configuration\":{\"delta.enableInCommitTimestamps\":\"true\"}}}\n",
             (int)(at - meta), meta);
    put_commit(k, 0, text);
    nx_buf sql;
    nx_buf_init(&sql, 0);
    FAILS(k, NX_UNSUPPORTED, "inCommitTimestamp",
          nx_lake_scan_sql(k->l, NX_STR("x.t@2100-01-01T00:00:00Z"), &sql, &k->err));
    FINE(k, nx_lake_scan_sql(k->l, NX_STR("x.t@v0"), &sql, &k->err));
    nx_buf_drop(&sql);
}

static void test_paths(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *encoded, *hive;
    } cases[] = {
        {"US/East", "US/East", "US%2FEast"},
        {"hello world", "hello%20world", "hello world"},
        {"100%", "100%25", "100%25"},
        {"a:b", "a:b", "a%3Ab"},
        {"a}b", "a%7Db", "a}b"},
        {"M\xC3\xBCnchen", "M\xC3\xBCnchen", "M\xC3\xBCnchen"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_buf b NX_BUF_AUTO, back NX_BUF_AUTO;
        nx_buf_init(&b, 0);
        nx_buf_init(&back, 0);
        assert_int_equal(nx__path_encode(nx_str_of(cases[i].raw), &b), NX_OK);
        assert_string_equal(b.p, cases[i].encoded);
        assert_int_equal(nx__path_decode(nx_buf_str(&b), &back), NX_OK);
        assert_string_equal(back.p, cases[i].raw);
        nx_buf_clear(&b);
        assert_int_equal(nx__hive_escape(nx_str_of(cases[i].raw), &b), NX_OK);
        assert_string_equal(b.p, cases[i].hive);
    }
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx__path_normal(NX_STR("file:///data/t/p=1/x%25y"), NX_STR("/data/t"), &b, NULL), NX_OK);
    assert_string_equal(b.p, "p=1/x%y");
    nx_buf_clear(&b);
    assert_int_equal(nx__path_normal(NX_STR("/data/tt/x"), NX_STR("/data/t"), &b, NULL), NX_OK);
    assert_string_equal(b.p, "/data/tt/x");
}

static void test_refs(void **state)
{
    (void)state;
    nx__ref r;
    nx__ref_parse(NX_STR("bronze.t"), &r);
    assert_true(nx_str_is(r.name, "bronze.t") && !r.has_version && !r.has_time);
    nx__ref_parse(NX_STR("bronze.t@v12"), &r);
    assert_true(nx_str_is(r.name, "bronze.t") && r.has_version && r.version == 12);
    nx__ref_parse(NX_STR("bronze.t@2026-11-23T10:00:00Z"), &r);
    assert_true(nx_str_is(r.name, "bronze.t") && r.has_time && r.time_ms == 1795428000000);
    nx__ref_parse(NX_STR("delta:/home/me@work/t"), &r);
    assert_true(nx_str_is(r.name, "delta:/home/me@work/t") && !r.has_version);
    nx__ref_parse(NX_STR("delta:/t@v-1"), &r);
    assert_false(r.has_version);
}

int main(void)
{
#define T_(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)
    const struct CMUnitTest tests[] = {
        T_(test_replay),
        T_(test_broken),
        T_(test_holes),
        T_(test_write_refused),
        T_(test_append_only),
        T_(test_commit_clock),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_refs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
