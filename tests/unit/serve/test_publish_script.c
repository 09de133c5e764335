/* The definition of a new table as a script. That PostgreSQL takes it, tests/integration/test_contract_cmds.sh shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/publish.h"

static const nx_field fields[] = {{"id", {.kind = NX_INT64}, false, NULL},
                                  {"it's", {.kind = NX_STRING}, true, NULL},
                                  {"price", {.kind = NX_DECIMAL, .precision = 18, .scale = 6}, false, NULL}};
static const nx_schema schema = {fields, 3};
static const nx_publish_column columns[] = {
    {"id", "Id.", true}, {"it's", NULL, false}, {"price", "What it's worth.", true}};

static void with_a_key(void **state)
{
    (void)state;
    static const char *const key[] = {"id", NULL}, *const to[] = {"it's", NULL};
    static const nx_publish_fkey fkey = {to, "dim"};
    const nx_publish_table t = {.name = "fct",
                                .comment = "Facts.",
                                .columns = columns,
                                .n_columns = 3,
                                .primary_key = key,
                                .foreign_keys = &fkey,
                                .n_foreign_keys = 1};
    nx_err err = {0};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_publish_script(&t, &schema, NULL, &b, &err), NX_OK);
    assert_string_equal(
        b.p,
        "CREATE SCHEMA IF NOT EXISTS \"nexus\";\n"
        "CREATE TABLE \"nexus\".\"fct\" (\"id\" bigint, \"it's\" text, \"price\" numeric(18,6), PRIMARY KEY (\"id\"));\n"
        "ALTER TABLE \"nexus\".\"fct\" ALTER COLUMN \"price\" SET NOT NULL;\n"
        "ALTER TABLE \"nexus\".\"fct\" ADD CONSTRAINT \"fct_it's_fkey\" FOREIGN KEY (\"it's\") REFERENCES "
        "\"nexus\".\"dim\" DEFERRABLE INITIALLY DEFERRED;\n"
        "COMMENT ON TABLE \"nexus\".\"fct\" IS 'Facts.';\n"
        "COMMENT ON COLUMN \"nexus\".\"fct\".\"id\" IS 'Id.';\n"
        "COMMENT ON COLUMN \"nexus\".\"fct\".\"it's\" IS NULL;\n"
        "COMMENT ON COLUMN \"nexus\".\"fct\".\"price\" IS 'What it''s worth.';\n");
}

static void without_a_key(void **state)
{
    (void)state;
    const nx_publish_table t = {.name = "raw", .columns = columns, .n_columns = 3};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_publish_script(&t, &schema, "o\"ther", &b, NULL), NX_OK);
    assert_non_null(
        strstr(b.p, "CREATE TABLE \"o\"\"ther\".\"raw\" (\"id\" bigint, \"it's\" text, \"price\" numeric(18,6));\n"));
    assert_non_null(strstr(b.p, "ALTER COLUMN \"id\" SET NOT NULL;\n"));
    assert_null(strstr(b.p, "DROP"));
    nx_buf small NX_BUF_AUTO;
    nx_buf_init(&small, 64);
    assert_int_equal(nx_publish_script(&t, &schema, NULL, &small, NULL), NX_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(with_a_key), cmocka_unit_test(without_a_key)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
