/* The schema of a query, guarded casts, and fetching while things go wrong. Promise 9. */
#include "data/type.h"
#include "engine_fixture.h"

static nx_schema *schema_of(fixture *f, const char *sql)
{
    nx_err err = {0};
    nx_schema *s = NULL;
    if (nx_session_schema(f->s, nx_str_of(sql), &f->a, &s, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
    return s;
}

static void types_map(void **state)
{
    fixture *f = *state;
    static const char *const map[][2] = {
        {"BOOLEAN", "BOOLEAN"},
        {"TINYINT", "INTEGER"},
        {"USMALLINT", "INTEGER"},
        {"INTEGER", "INTEGER"},
        {"UINTEGER", "BIGINT"},
        {"BIGINT", "BIGINT"},
        {"UBIGINT", "DECIMAL(38,0)"},
        {"HUGEINT", "DECIMAL(38,0)"},
        {"DECIMAL(18,6)", "DECIMAL(18,6)"},
        {"FLOAT", "DOUBLE"},
        {"DOUBLE", "DOUBLE"},
        {"VARCHAR", "VARCHAR"},
        {"UUID", "VARCHAR"},
        {"TIME", "VARCHAR"},
        {"BLOB", "BLOB"},
        {"DATE", "DATE"},
        {"TIMESTAMP", "TIMESTAMP WITH TIME ZONE"},
        {"TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"},
        {"TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"},
        {"TIMESTAMP_S", "TIMESTAMP WITH TIME ZONE"},
        {"VARCHAR[]", "VARCHAR[]"},
        {"INTEGER[2]", "INTEGER[]"},
        {"ENUM('a')", "VARCHAR"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(map); i++) {
        nx_schema *s = schema_of(f, nx_arena_printf(&f->a, "SELECT NULL::%s AS \"a b\"; ", map[i][0]));
        assert_int_equal(s->n_fields, 1);
        assert_string_equal(s->fields[0].name, "a b");
        assert_true(s->fields[0].nullable);
        nx_buf b;
        nx_buf_init(&b, 0);
        assert_int_equal(nx_type_to_sql(&s->fields[0].type, &b), NX_OK);
        assert_string_equal(b.p, map[i][1]);
        nx_buf_drop(&b);
    }
    nx_schema *s = schema_of(f, "SELECT [{'p': 1.5::DECIMAL(38,18)}] AS l, NULL AS n");
    assert_int_equal(s->fields[0].type.kind, NX_LIST);
    assert_int_equal(s->fields[0].type.fields[0].type.kind, NX_STRUCT);
    assert_string_equal(s->fields[0].type.fields[0].type.fields[0].name, "p");
    assert_int_equal(s->fields[1].type.kind, NX_INT32);
}

static void foreign_types_are_refused_by_name(void **state)
{
    fixture *f = *state;
    nx_schema *s = NULL;
    nx_err err = {0};
    assert_int_equal(nx_session_schema(f->s, NX_STR("SELECT 1 AS ok, INTERVAL '1 day' AS gap"), &f->a, &s, &err),
                     NX_UNSUPPORTED);
    assert_non_null(strstr(err.text, "gap"));
    assert_non_null(strstr(err.text, "INTERVAL"));
    assert_int_equal(nx_session_schema(f->s, NX_STR("SELECT [MAP {'a': 1}] AS m"), &f->a, &s, &err), NX_UNSUPPORTED);
    assert_int_equal(nx_session_schema(f->s, NX_STR("SELECT 1; SELECT 2"), &f->a, &s, &err), NX_INVALID);
    assert_int_equal(nx_session_schema(f->s, NX_STR(" ; "), &f->a, &s, &err), NX_INVALID);
    assert_int_equal(nx_session_schema(f->s, NX_STR("SELECT ?"), &f->a, &s, &err), NX_INVALID);
    assert_int_equal(nx_session_schema(f->s, NX_STR("SELECT FROM WHERE"), &f->a, &s, &err), NX_INVALID);
    assert_int_equal(nx_session_schema(f->s, NX_STR("FROM '/nonexistent/x.parquet'"), &f->a, &s, &err), NX_IO);
}

static nx_status count_rows(void *ctx, const nx_batch *b, nx_err *err)
{
    (void)err;
    *(size_t *)ctx += b->n;
    return NX_OK;
}

static nx_status fetch_as(fixture *f, nx_type type, const char *value, nx_err *err)
{
    nx_field field = {"v", type, true, NULL};
    nx_schema s = {&field, 1};
    size_t n = 0;
    return nx_session_fetch(f->s, nx_str_of(nx_arena_printf(&f->a, "SELECT %s AS v", value)), &s, 0, count_rows, &n,
                            err);
}

static void casts_never_round(void **state)
{
    fixture *f = *state;
    const nx_type i32 = {.kind = NX_INT32}, i64 = {.kind = NX_INT64}, day = {.kind = NX_DATE},
                  at = {.kind = NX_TIMESTAMP};
    const nx_type dec = {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, text = {.kind = NX_STRING};
    const struct {
        nx_type type;
        const char *value;
        nx_status want;
    } cases[] = {
        {i64, "5::TINYINT", NX_OK},
        {i32, "5::BIGINT", NX_OK},
        {i32, "5000000000", NX_CHECK_FAILED},
        {i64, "1.0::DOUBLE", NX_OK},
        {i64, "1.5::DOUBLE", NX_CHECK_FAILED},
        {i64, "2.5::DECIMAL(4,1)", NX_CHECK_FAILED},
        {i64, "2.0::DECIMAL(4,1)", NX_OK},
        {dec, "1.123456789::DECIMAL(38,18)", NX_CHECK_FAILED},
        {dec, "1.123456::DECIMAL(38,18)", NX_OK},
        {dec, "0.1::DOUBLE", NX_OK},
        {dec, "0.1234567::DOUBLE", NX_CHECK_FAILED},
        {dec, "1e15::DOUBLE", NX_CHECK_FAILED},
        {dec, "'1.5'", NX_INVALID},
        {dec, "NULL", NX_OK},
        {day, "TIMESTAMP '2024-01-02'", NX_OK},
        {day, "TIMESTAMP '2024-01-02 00:00:01'", NX_CHECK_FAILED},
        {day, "'2024-01-02'", NX_OK},
        {day, "'2024-13-02'", NX_CHECK_FAILED},
        {at, "'2024-01-02 03:04:05.123456'::TIMESTAMP_NS", NX_OK},
        {at, "'2024-01-02 03:04:05.123456789'::TIMESTAMP_NS", NX_CHECK_FAILED},
        {at, "DATE '2024-01-02'", NX_OK},
        {text, "5", NX_OK},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_err err = {0};
        nx_status st = fetch_as(f, cases[i].type, cases[i].value, &err);
        if (st != cases[i].want)
            fail_msg("%s: %s %s, expected %s", cases[i].value, nx_status_name(st), err.text,
                     nx_status_name(cases[i].want));
    }
}

static void columns_go_by_name(void **state)
{
    fixture *f = *state;
    const nx_field fields[] = {{"b", {.kind = NX_INT64}, true, NULL}, {"a", {.kind = NX_INT64}, true, NULL}};
    nx_schema s = {fields, 2};
    size_t n = 0;
    nx_err err = {0};
    assert_int_equal(nx_session_fetch(f->s, NX_STR("SELECT 1 AS a, 2 AS B, 3 AS more"), &s, 0, count_rows, &n, &err),
                     NX_OK);
    assert_int_equal(n, 1);
    assert_int_equal(nx_session_fetch(f->s, NX_STR("SELECT 1 AS a"), &s, 0, count_rows, &n, &err), NX_INVALID);
    assert_string_equal(err.text, "the query gives no column b");
    assert_int_equal(
        nx_session_fetch(f->s, NX_STR("SELECT 1 AS a, 2 AS b"), &(nx_schema){fields, 0}, 0, count_rows, &n, &err),
        NX_INVALID);
}

typedef struct nested {
    fixture *f;
    nx_status inner;
    size_t calls;
} nested;

static nx_status stop_at_second(void *ctx, const nx_batch *b, nx_err *err)
{
    nested *n = ctx;
    (void)b;
    n->inner = nx_session_exec(n->f->s, NX_STR("SELECT 1"), NULL, err);
    return ++n->calls == 2 ? nx_fail(err, NX_LIMIT, "enough") : NX_OK;
}

static void a_fetch_can_be_stopped_and_owns_the_session(void **state)
{
    fixture *f = *state;
    const nx_field field = {"i", {.kind = NX_INT64}, true, NULL};
    nx_schema s = {&field, 1};
    nested n = {.f = f};
    nx_err err = {0};
    assert_int_equal(
        nx_session_fetch(f->s, NX_STR("SELECT i FROM range(1000000) r(i)"), &s, 1000, stop_at_second, &n, &err),
        NX_LIMIT);
    assert_string_equal(err.text, "enough");
    assert_int_equal(n.calls, 2);
    assert_int_equal(n.inner, NX_INVALID); /* the other statement would have cut the stream without a word */
    assert_string_equal(text_of(f, "SELECT 1"), "1");
}

static void an_error_in_the_middle_is_not_the_end(void **state)
{
    fixture *f = *state;
    const nx_field field = {"i", {.kind = NX_INT64}, true, NULL};
    nx_schema s = {&field, 1};
    size_t n = 0;
    nx_err err = {0};
    assert_int_equal(
        nx_session_fetch(f->s,
                         NX_STR("SELECT CASE WHEN i = 700000 THEN 'x' ELSE '1' END::INT AS i FROM range(1000000) r(i)"),
                         &s, 1000, count_rows, &n, &err),
        NX_CHECK_FAILED);
    assert_true(n < 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(types_map, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_types_are_refused_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(casts_never_round, setup, teardown),
        cmocka_unit_test_setup_teardown(columns_go_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(a_fetch_can_be_stopped_and_owns_the_session, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_in_the_middle_is_not_the_end, setup, teardown),
    };
    return cmocka_run_group_tests_name("engine schemas", tests, NULL, NULL);
}
