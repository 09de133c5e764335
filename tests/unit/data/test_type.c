#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "data/type.h"

static const nx_field level_fields[] = {
    {"price", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, false, NULL},
    {"size", {.kind = NX_DECIMAL, .precision = 38, .scale = 18}, true, NULL},
};
static const nx_field level = {"element", {.kind = NX_STRUCT, .fields = level_fields, .n_fields = 2}, false, NULL};
static const nx_field condition = {"element", {.kind = NX_STRING}, true, NULL};
static const nx_field fields[] = {
    {"symbol", {.kind = NX_STRING}, false, "the \"ticker\""},
    {"trade_id", {.kind = NX_INT64}, true, NULL},
    {"n", {.kind = NX_INT32}, true, NULL},
    {"price", {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, true, NULL},
    {"x", {.kind = NX_DOUBLE}, true, NULL},
    {"ok", {.kind = NX_BOOL}, true, NULL},
    {"raw", {.kind = NX_BINARY}, true, NULL},
    {"day", {.kind = NX_DATE}, true, NULL},
    {"ts", {.kind = NX_TIMESTAMP}, true, NULL},
    {"conditions", {.kind = NX_LIST, .fields = &condition, .n_fields = 1}, true, NULL},
    {"bids", {.kind = NX_LIST, .fields = &level, .n_fields = 1}, true, NULL},
};
static const nx_schema schema = {fields, NX_COUNT_OF(fields)};

static const char delta_text[] =
    "{\"type\":\"struct\",\"fields\":["
    "{\"name\":\"symbol\",\"type\":\"string\",\"nullable\":false,\"metadata\":{\"comment\":\"the \\\"ticker\\\"\"}},"
    "{\"name\":\"trade_id\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"n\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"price\",\"type\":\"decimal(18,6)\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"x\",\"type\":\"double\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"ok\",\"type\":\"boolean\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"raw\",\"type\":\"binary\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"day\",\"type\":\"date\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"ts\",\"type\":\"timestamp\",\"nullable\":true,\"metadata\":{}},"
    "{\"name\":\"conditions\",\"type\":{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true},\"nullable\":true,"
    "\"metadata\":{}},"
    "{\"name\":\"bids\",\"type\":{\"type\":\"array\",\"elementType\":{\"type\":\"struct\",\"fields\":["
    "{\"name\":\"price\",\"type\":\"decimal(38,18)\",\"nullable\":false,\"metadata\":{}},"
    "{\"name\":\"size\",\"type\":\"decimal(38,18)\",\"nullable\":true,\"metadata\":{}}]},\"containsNull\":false},\"nullable\":true,"
    "\"metadata\":{}}]}";

static void delta_both_ways(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_schema_to_delta(&schema, &b), NX_OK);
    assert_string_equal(b.p, delta_text);
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_schema *back;
    nx_err err;
    assert_int_equal(nx_schema_from_delta(nx_buf_str(&b), false, &a, &back, &err), NX_OK);
    assert_true(nx_schema_equal(&schema, back));
    assert_string_equal(back->fields[0].comment, "the \"ticker\"");
    assert_null(back->fields[1].comment);
    nx_buf_clear(&b);
    assert_int_equal(nx_schema_to_delta(back, &b), NX_OK);
    assert_string_equal(b.p, delta_text);
}

static void decimals_are_read(void **state)
{
    (void)state;
    static const char *const refused[] = {"decimal",        "decimal()",       "decimal(18)",   "decimal(0,0)",
                                          "decimal(39,1)",  "decimal(5,6)",    "decimal(5,-1)", "decimal(18,6,1)",
                                          "decimal(18,6) ", "decimal(18,six)", "Decimal(18,6)", "decimal(18,6"};
    nx_type t;
    assert_true(nx_type_parse_decimal(NX_STR("decimal(18,6)"), &t));
    assert_true(t.kind == NX_DECIMAL && t.precision == 18 && t.scale == 6);
    assert_true(nx_type_parse_decimal(NX_STR("decimal( 38 , 38 )"), &t));
    assert_true(t.precision == 38 && t.scale == 38);
    for (size_t i = 0; i < NX_COUNT_OF(refused); i++)
        assert_false(nx_type_parse_decimal(nx_str_of(refused[i]), &t));
}

static void single_types(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        const char *delta, *sql;
    } v[] = {
        {0, "string", "VARCHAR"},
        {1, "long", "BIGINT"},
        {2, "integer", "INTEGER"},
        {3, "decimal(18,6)", "DECIMAL(18,6)"},
        {4, "double", "DOUBLE"},
        {5, "boolean", "BOOLEAN"},
        {6, "binary", "BLOB"},
        {7, "date", "DATE"},
        {8, "timestamp", "TIMESTAMP WITH TIME ZONE"},
        {9, "{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true}", "VARCHAR[]"},
        {10, NULL, "STRUCT(\"price\" DECIMAL(38,18), \"size\" DECIMAL(38,18))[]"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        assert_int_equal(nx_buf_adds(&b, "x "), NX_OK); /* appends */
        if (v[i].delta != NULL) {
            assert_int_equal(nx_type_to_delta(&fields[v[i].field].type, &b), NX_OK);
            assert_string_equal(b.p + 2, v[i].delta);
        }
        b.n = 2;
        assert_int_equal(nx_type_to_sql(&fields[v[i].field].type, &b), NX_OK);
        assert_string_equal(b.p + 2, v[i].sql);
    }
    nx_field odd = {"a \"b\"", {.kind = NX_BOOL}, true, NULL};
    nx_type t = {.kind = NX_STRUCT, .fields = &odd, .n_fields = 1};
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_type_to_sql(&t, &b), NX_OK);
    assert_string_equal(b.p, "STRUCT(\"a \"\"b\"\"\" BOOLEAN)");
}

static void copies_are_deep(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    char name[] = "bids";
    nx_field mine[2] = {fields[0], fields[10]};
    mine[1].name = name;
    nx_schema s = {mine, 2};
    nx_schema *c = nx_schema_copy(&a, &s);
    assert_non_null(c);
    assert_true(nx_schema_equal(&s, c));
    memcpy(name, "zzzz", 4);
    mine[0].nullable = true;
    assert_string_equal(c->fields[1].name, "bids");
    assert_false(nx_schema_equal(&s, c));
    assert_ptr_not_equal(c->fields[1].type.fields, mine[1].type.fields);
    assert_int_equal(nx_schema_find(c, NX_STR("bids")), 1);
    assert_true(nx_schema_find(c, NX_STR("Bids")) == SIZE_MAX);
    NX_ARENA_AUTO nx_arena tiny;
    nx_arena_init(&tiny, 8);
    assert_null(nx_schema_copy(&tiny, &s));
}

static void equality_sees_every_part(void **state)
{
    (void)state;
    nx_field a = fields[3], b = fields[3];
    nx_schema x = {&a, 1}, y = {&b, 1};
    assert_true(nx_schema_equal(&x, &y));
    b.comment = "only a comment";
    assert_true(nx_schema_equal(&x, &y));
    b.type.scale = 5;
    assert_false(nx_schema_equal(&x, &y));
    b = a;
    b.nullable = false;
    assert_false(nx_schema_equal(&x, &y));
    b = a;
    b.name = "Price";
    assert_false(nx_schema_equal(&x, &y));
    b = a;
    b.type = (nx_type){.kind = NX_INT64};
    assert_false(nx_schema_equal(&x, &y));
    nx_field element = condition;
    a = b = fields[9];
    b.type.fields = &element;
    element.name = "item"; /* the name of an element is not part of a list type */
    assert_true(nx_schema_equal(&x, &y));
    element.nullable = false;
    assert_false(nx_schema_equal(&x, &y));
    nx_schema none = {NULL, 0};
    assert_false(nx_schema_equal(&x, &none));
    assert_true(nx_schema_equal(&none, &none));
}

static nx_status read_one(const char *type, bool lenient, nx_arena *a, nx_schema **s, nx_err *err)
{
    char json[300];
    snprintf(json, sizeof json,
             "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":%s,\"nullable\":true,\"metadata\":{}}]}", type);
    return nx_schema_from_delta(nx_str_of(json), lenient, a, s, err);
}

static void foreign_types(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_schema *s;
    nx_err err;
    static const char *const small[] = {"\"short\"", "\"byte\"", "\"float\""};
    for (size_t i = 0; i < NX_COUNT_OF(small); i++) {
        assert_int_equal(read_one(small[i], false, &a, &s, &err), NX_UNSUPPORTED);
        assert_int_equal(read_one(small[i], true, &a, &s, &err), NX_OK);
        assert_int_equal(s->fields[0].type.kind, i == 2 ? NX_DOUBLE : NX_INT32);
    }
    assert_int_equal(read_one("\"int\"", false, &a, &s, &err), NX_OK);
    assert_int_equal(read_one("\"decimal( 20 , 4 )\"", false, &a, &s, &err), NX_OK);
    assert_true(s->fields[0].type.precision == 20 && s->fields[0].type.scale == 4);
    assert_int_equal(read_one("\"decimal\"", false, &a, &s, &err), NX_OK);
    assert_true(s->fields[0].type.precision == 10 && s->fields[0].type.scale == 0);
    static const char *const foreign[] = {
        "\"timestamp_ntz\"",
        "\"variant\"",
        "\"void\"",
        "\"interval day to second\"",
        "\"decimal(39,0)\"",
        "\"decimal(0,0)\"",
        "\"decimal(5,6)\"",
        "\"decimal(5)\"",
        "\"decimal(5,-1)\"",
        "\"decimal(5,1\"",
        "\"String\"",
        "\"\"",
        "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":\"long\",\"valueContainsNull\":true}"};
    for (size_t i = 0; i < NX_COUNT_OF(foreign); i++) {
        assert_int_equal(read_one(foreign[i], true, &a, &s, &err), NX_UNSUPPORTED);
        assert_non_null(strstr(err.text, "field \"c\""));
    }
}

static void malformed_schemas(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "\"struct\"",
        "{}",
        "{\"type\":\"array\"}",
        "{\"type\":\"struct\"}",
        "{\"type\":\"struct\",\"fields\":{}}",
        "{\"type\":\"struct\",\"fields\":[1]}",
        "{\"type\":\"struct\",\"fields\":[{\"type\":\"long\"}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"\",\"type\":\"long\"}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\\u0000b\",\"type\":\"long\"}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\"}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":7}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"array\"}}]}",
        "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":\"struct\"}}]}"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        nx_schema *s;
        nx_err err;
        nx_status st = nx_schema_from_delta(nx_str_of(bad[i]), true, &a, &s, &err);
        if (st != NX_CORRUPT || err.status != NX_CORRUPT || strstr(err.text, "schema") == NULL)
            fail_msg("%s gave %s", bad[i], nx_status_name(st));
        assert_int_equal(nx_schema_from_delta(nx_str_of(bad[i]), true, &a, &s, NULL), NX_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals_are_read),
        cmocka_unit_test(delta_both_ways),
        cmocka_unit_test(single_types),
        cmocka_unit_test(copies_are_deep),
        cmocka_unit_test(equality_sees_every_part),
        cmocka_unit_test(foreign_types),
        cmocka_unit_test(malformed_schemas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
