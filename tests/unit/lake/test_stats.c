/* Statistics text: what is rounded, cut or left out so that no bound is ever wrong (facts of the Delta protocol and
 * its readers). */
#include "lake_kit.h"

#include "lake/lake_int.h"

static nx__meta *meta(nx_arena *a, const char *config)
{
    nx_val *v = NULL;
    nx__meta *m = NULL;
    nx_err err = {0};
    char *text = nx_arena_printf(
        a,
        "{\"id\":\"x\",\"schemaString\":\"{\\\"fields\\\":[{\\\"name\\\":\\\"part\\\",\\\"type\\\":\\\"long\\\"}]}\","
        "\"partitionColumns\":[\"part\"],\"configuration\":{%s}}",
        config);
    assert_int_equal(nx_json_parse(nx_str_of(text), NULL, a, &v, &err), NX_OK);
    if (nx__meta_new(v, &m, &err) != NX_OK)
        fail_msg("%s", err.text);
    return m;
}

static const char *stats(nx_arena *a, const nx_field *fields, size_t n, nx_col_stats *cols, const char *config)
{
    nx_schema s = {fields, n};
    nx_file_stats st = {.rows = 10, .bytes = 100, .cols = cols, .n_cols = n};
    nx_str out;
    nx__meta *m = meta(a, config);
    assert_int_equal(nx__stats_json(&s, m, &st, a, &out, NULL), NX_OK);
    nx__meta_unref(m);
    return out.p;
}

/* min and max of one column of the kind; expect the two values, or NULL for none. */
static void one(nx_arena *a, nx_type type, const char *min, const char *max, const char *want_min, const char *want_max)
{
    nx_field f = {.name = "c", .type = type, .nullable = true};
    nx_col_stats c = {.path = "c", .nulls = 2, .has_minmax = true, .min = min, .max = max};
    const char *got = stats(a, &f, 1, &c, "");
    const char *want =
        want_min == NULL
            ? "{\"numRecords\":10,\"minValues\":{},\"maxValues\":{},\"nullCount\":{\"c\":2}}"
            : nx_arena_printf(
                  a, "{\"numRecords\":10,\"minValues\":{\"c\":%s},\"maxValues\":{\"c\":%s},\"nullCount\":{\"c\":2}}",
                  want_min, want_max);
    assert_string_equal(got, want);
}

static void test_values(void **state)
{
    (void)state;
    nx_arena a;
    nx_arena_init(&a, 0);
    const nx_type i64 = {.kind = NX_INT64}, f64 = {.kind = NX_DOUBLE},
                  dec = {.kind = NX_DECIMAL, .precision = 38, .scale = 6},
                  dec38 = {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, date = {.kind = NX_DATE},
                  ts = {.kind = NX_TIMESTAMP}, str = {.kind = NX_STRING}, boolean = {.kind = NX_BOOL};
    one(&a, i64, "-9223372036854775808", "9223372036854775807", "-9223372036854775808", "9223372036854775807");
    one(&a, f64, "-1.5", "1e+300", "-1.5", "1e+300");
    one(&a, f64, "1.0", "inf", NULL, NULL);
    one(&a, f64, "-inf", "1.0", NULL, NULL);
    one(&a, dec, "0.000001", "123456789.123456", "0.000001", "123456789.123456");
    /* more than 15 digits: others round, so the ends move outwards */
    one(&a, dec, "1.000000", "1234567890.123456", "1.000000", "1234567890.12347");
    one(&a, dec, "-1234567890.123456", "-1234567890.123450", "-1234567890.12347", "-1234567890.12344");
    one(&a, dec38, "1.000000000000000000", "4.000000000000000000", "0.99999999999999", "4.00000000000001");
    one(&a, dec38, "0.000000000000000000", "0.000000000000000001", "0.000000000000000000", "0.000000000000000001");
    one(&a, dec38, "-99999999999999999999.999999999999999999", "1.000000000000000000", NULL,
        NULL); /* no room outwards: neither end */
    one(&a, date, "1969-12-31", "2024-02-29", "\"1969-12-31\"", "\"2024-02-29\"");
    one(&a, date, "infinity", "infinity", NULL, NULL);
    one(&a, boolean, "0", "1", NULL, NULL);
    one(&a, ts, "2024-01-02 03:04:05.123456+00", "2024-01-02 03:04:05.123456+00", "\"2024-01-02T03:04:05.123Z\"",
        "\"2024-01-02T03:04:05.124Z\"");
    one(&a, ts, "2024-01-02 03:04:05+00", "2024-01-02 03:04:05.999001+00", "\"2024-01-02T03:04:05.000Z\"",
        "\"2024-01-02T03:04:06.000Z\"");
    one(&a, ts, "1969-12-31 23:59:59.999999+00", "1969-12-31 23:59:59.999999+00", "\"1969-12-31T23:59:59.999Z\"",
        "\"1970-01-01T00:00:00.000Z\"");
    one(&a, ts, "0044-03-15 (BC) 00:00:00+00", "2024-01-02 03:04:05+00", NULL, NULL);
    one(&a, str, "a\"b", "z", "\"a\\\"b\"", "\"z\"");
#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
    one(&a, str, X32, X32, "\"" X32 "\"", "\"" X32 "\"");
    one(&a, str, X32 "a", X32 "a", "\"" X32 "\"", "\"" X32 "\x7F\"");
    one(&a, str, X32 "\xC3\xA9", X32 "\xC3\xA9", "\"" X32 "\"", "\"" X32 "\xF4\x8F\xBF\xBF\"");
    one(&a, str, "a",
        X32 "\xF4\x8F\xBF\xBF"
            "b",
        "\"a\"", "\"" X32 "\xF4\x8F\xBF\xBF\x7F\"");
    nx_arena_drop(&a);
}

static void test_columns(void **state)
{
    (void)state;
    nx_arena a;
    nx_arena_init(&a, 0);
    nx_field inner[] = {{.name = "x", .type = {.kind = NX_INT64}, .nullable = true},
                        {.name = "y", .type = {.kind = NX_INT64}, .nullable = true}};
    nx_field f[] = {{.name = "part", .type = {.kind = NX_INT64}, .nullable = true},
                    {.name = "s", .type = {.kind = NX_STRUCT, .fields = inner, .n_fields = 2}, .nullable = true},
                    {.name = "body", .type = {.kind = NX_STRING}, .nullable = true}};
    nx_col_stats c[] = {{.path = "s.x", .nulls = 1, .has_minmax = true, .min = "1", .max = "2"},
                        {.path = "s.y", .nulls = 10},
                        {.path = "body", .nulls = 0, .has_minmax = true, .min = "secret", .max = "secret"}};
    assert_string_equal(
        stats(&a, f, 3, c, ""),
        "{\"numRecords\":10,\"minValues\":{\"s\":{\"x\":1},\"body\":\"secret\"},\"maxValues\":{\"s\":{\"x\":2},\"body\":\"secret\"},"
        "\"nullCount\":{\"s\":{\"x\":1,\"y\":10},\"body\":0}}");
    assert_string_equal(
        stats(&a, f, 3, c, "\"delta.dataSkippingStatsColumns\":\"`s`\""),
        "{\"numRecords\":10,\"minValues\":{\"s\":{\"x\":1}},\"maxValues\":{\"s\":{\"x\":2}},\"nullCount\":{\"s\":{\"x\":1,\"y\":10}}}");
    assert_string_equal(
        stats(&a, f, 3, c, "\"delta.dataSkippingNumIndexedCols\":\"1\""),
        "{\"numRecords\":10,\"minValues\":{\"s\":{\"x\":1}},\"maxValues\":{\"s\":{\"x\":2}},\"nullCount\":{\"s\":{\"x\":1}}}");
    assert_string_equal(stats(&a, f, 3, c, "\"delta.dataSkippingNumIndexedCols\":\"0\""),
                        "{\"numRecords\":10,\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}");
    nx_arena_drop(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
