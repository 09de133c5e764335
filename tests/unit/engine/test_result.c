/* Values of results: texts equal to SQL's own cast, JSON, numbers. */
#include "engine_fixture.h"

static void texts_are_sqls_casts(void **state)
{
    fixture *f = *state;
    static const char *const values[] = {
        "true",
        "false",
        "(-128)::TINYINT",
        "255::UTINYINT",
        "(-32768)::SMALLINT",
        "65535::USMALLINT",
        "(-2147483648)::INT",
        "4294967295::UINTEGER",
        "(-9223372036854775807 - 1)::BIGINT",
        "18446744073709551615::UBIGINT",
        "170141183460469231731687303715884105727::HUGEINT",
        "(-170141183460469231731687303715884105727)::HUGEINT",
        "340282366920938463463374607431768211455::UHUGEINT",
        "0::UHUGEINT",
        "1.5::DECIMAL(4,1)",
        "(-0.05)::DECIMAL(4,2)",
        "12345.6789::DECIMAL(9,4)",
        "(-999999999999.999999)::DECIMAL(18,6)",
        "12345678901234567890.123456789012345678::DECIMAL(38,18)",
        "0::DECIMAL(38,18)",
        "7::DECIMAL(18,0)",
        "0.1::DOUBLE",
        "(-1.5e300)::DOUBLE",
        "1::DOUBLE",
        "0.3::DOUBLE + 0.1::DOUBLE",
        "'nan'::DOUBLE",
        "'inf'::DOUBLE",
        "'-inf'::DOUBLE",
        "1e-7::DOUBLE",
        "123456.789::DOUBLE",
        "0.1::FLOAT",
        "3.25::FLOAT",
        "DATE '2024-02-29'",
        "DATE '0001-01-01'",
        "DATE '9999-12-31'",
        "DATE '0044-03-15 (BC)'",
        "'infinity'::DATE",
        "DATE '12024-01-01'",
        "TIME '03:04:05'",
        "TIME '23:59:59.999999'",
        "TIME '00:00:00.5'",
        "TIMESTAMP '2024-01-02 03:04:05.123456'",
        "TIMESTAMP '2024-01-02 03:04:05'",
        "TIMESTAMP '1969-12-31 23:59:59.9'",
        "'infinity'::TIMESTAMP",
        "TIMESTAMPTZ '2024-01-02 03:04:05.1+02'",
        "TIMESTAMP '1900-01-01'",
        "'2024-01-02 03:04:05'::TIMESTAMP_S",
        "'2024-01-02 03:04:05.12'::TIMESTAMP_MS",
        "'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS",
        "INTERVAL '14 months 3 days 4 seconds'",
        "INTERVAL '0 seconds'",
        "INTERVAL '-1 day -2 hours'",
        "INTERVAL '1 month'",
        "'c0ffee00-1234-5678-9abc-def012345678'::UUID",
        "'00000000-0000-0000-0000-000000000001'::UUID",
        "'ffffffff-ffff-4fff-bfff-ffffffffffff'::UUID",
        "'größe \"q\"'",
        "''",
        "'a text that is longer than twelve bytes'",
        "'b'::ENUM('a', 'b', 'c')",
    };
    for (size_t i = 0; i < NX_COUNT_OF(values); i++) {
        char *sql = nx_arena_printf(&f->a, "SELECT %s AS x, CAST(x AS VARCHAR)", values[i]);
        nx_result *r = query(f, sql);
        nx_buf ours, theirs;
        nx_buf_init(&ours, 0);
        nx_buf_init(&theirs, 0);
        assert_int_equal(nx_result_text(r, 0, 0, &ours), NX_OK);
        assert_int_equal(nx_result_text(r, 0, 1, &theirs), NX_OK);
        if (!nx_str_eq(nx_buf_str(&ours), nx_buf_str(&theirs)))
            fail_msg("%s: we say '%s', SQL says '%s'", values[i], nx_buf_str(&ours).p, nx_buf_str(&theirs).p);
        nx_buf_drop(&ours);
        nx_buf_drop(&theirs);
        nx_result_drop(r);
    }
}

static void json_keeps_digits_and_shapes(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"NULL", "null"},
        {"1.500000::DECIMAL(18,6)", "1.500000"},
        {"12345678901234567890.123456789012345678::DECIMAL(38,18)", "12345678901234567890.123456789012345678"},
        {"170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727"},
        {"'nan'::DOUBLE", "null"},
        {"0.1::DOUBLE", "0.1"},
        {"true", "true"},
        {"'a\"b'", "\"a\\\"b\""},
        {"TIMESTAMP '2024-01-02 03:04:05.123'", "\"2024-01-02T03:04:05.123Z\""},
        {"TIMESTAMPTZ '2024-01-02 03:04:05+00'", "\"2024-01-02T03:04:05Z\""},
        {"DATE '2024-01-02'", "\"2024-01-02\""},
        {"'\\x00\\xFF'::BLOB", "\"AP8=\""},
        {"[1, NULL, 3]", "[1,null,3]"},
        {"[]::INT[]", "[]"},
        {"[['a'], []]", "[[\"a\"],[]]"},
        {"{'p': 1.50::DECIMAL(18,6), 's': [DATE '2024-01-02']}", "{\"p\":1.500000,\"s\":[\"2024-01-02\"]}"},
        {"MAP {'k': 1, 'l': NULL}", "{\"k\":1,\"l\":null}"},
        {"MAP {3: [1]}", "{\"3\":[1]}"},
        {"[1.5, 2]::FLOAT[2]", "[1.5,2.0]"},
        {"INTERVAL '1 day'", "\"1 day\""},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_result *r = query(f, nx_arena_printf(&f->a, "SELECT %s", cases[i][0]));
        nx_buf b;
        nx_buf_init(&b, 0);
        assert_int_equal(nx_result_json(r, 0, 0, &b), NX_OK);
        assert_string_equal(b.p, cases[i][1]);
        nx_buf_drop(&b);
        nx_result_drop(r);
    }
    assert_string_equal(text_of(f, "SELECT [1, 2]"), "[1,2]");
    assert_string_equal(text_of(f, "SELECT '\\x00\\xFF'::BLOB"), "00ff");
}

static void numbers_and_nulls(void **state)
{
    fixture *f = *state;
    nx_result *r = query(f, "SELECT NULL, 7::TINYINT, 8::DECIMAL(38,0), 2.5::DECIMAL(4,1), 1e3::DOUBLE, 'x', "
                            "170141183460469231731687303715884105727::HUGEINT, true, 0.1::DECIMAL(38,18)");
    assert_int_equal(nx_result_cols(r), 9);
    assert_true(nx_result_is_null(r, 0, 0));
    assert_int_equal(nx_result_i64(r, 0, 0, -5), -5);
    assert_int_equal(nx_result_i64(r, 0, 1, -5), 7);
    assert_int_equal(nx_result_i64(r, 0, 2, -5), 8);
    assert_int_equal(nx_result_i64(r, 0, 3, -5), -5);
    assert_true(nx_result_f64(r, 0, 3, -5) == 2.5);
    assert_true(nx_result_f64(r, 0, 4, -5) == 1000);
    assert_true(nx_result_f64(r, 0, 5, -5) == -5);
    assert_int_equal(nx_result_i64(r, 0, 6, -5), -5);
    assert_int_equal(nx_result_i64(r, 0, 7, -5), 1);
    assert_true(nx_result_f64(r, 0, 8, -5) == 0.1);
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_result_text(r, 0, 0, &b), NX_OK);
    assert_int_equal(b.n, 0);
    nx_buf_drop(&b);
    nx_result_drop(r);
}

static void many_chunks(void **state)
{
    fixture *f = *state;
    nx_result *r = query(f, "SELECT i AS n, 'row ' || i AS t, [i, i + 1] AS l FROM range(10000) r(i)");
    assert_int_equal(nx_result_rows(r), 10000);
    assert_string_equal(nx_result_name(r, 1), "t");
    assert_string_equal(nx_result_type(r, 0), "BIGINT");
    assert_string_equal(nx_result_type(r, 2), "BIGINT[]");
    nx_buf b;
    nx_buf_init(&b, 0);
    for (size_t i = 0; i < 10000; i += 997) {
        assert_int_equal(nx_result_i64(r, i, 0, -1), i);
        nx_buf_clear(&b);
        assert_int_equal(nx_result_text(r, i, 2, &b), NX_OK);
        assert_string_equal(b.p, nx_arena_printf(&f->a, "[%zu,%zu]", i, i + 1));
    }
    nx_buf_drop(&b);
    nx_result_drop(r);
    r = query(f, "SELECT 1 WHERE false");
    assert_int_equal(nx_result_rows(r), 0);
    nx_result_drop(r);
}

static void types_are_spelled(void **state)
{
    fixture *f = *state;
    static const char *const types[] = {
        "DECIMAL(18,6)",
        "TIMESTAMP WITH TIME ZONE",
        "STRUCT(\"a\" INTEGER, \"b c\" VARCHAR[])",
        "MAP(VARCHAR, DOUBLE)",
        "INTEGER[3]",
        "ENUM('x', 'y''z')",
        "UBIGINT",
        "TIMESTAMP_NS",
    };
    for (size_t i = 0; i < NX_COUNT_OF(types); i++) {
        nx_result *r = query(f, nx_arena_printf(&f->a, "SELECT NULL::%s", types[i]));
        assert_string_equal(nx_result_type(r, 0), types[i]);
        nx_result_drop(r);
    }
    nx_result *r = query(f, "SELECT '101'::BIT");
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_result_text(r, 0, 0, &b), NX_UNSUPPORTED);
    nx_buf_drop(&b);
    nx_result_drop(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(texts_are_sqls_casts, setup, teardown),
        cmocka_unit_test_setup_teardown(json_keeps_digits_and_shapes, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_and_nulls, setup, teardown),
        cmocka_unit_test_setup_teardown(many_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(types_are_spelled, setup, teardown),
    };
    return cmocka_run_group_tests_name("engine results", tests, NULL, NULL);
}
