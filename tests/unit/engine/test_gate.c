/* Queries that released DuckDB versions answered wrongly with default settings (1.5.5, 1.5.6). A later library must pass
 * them, under our configuration, before it may replace the pinned one. Promise 9. */
#include "engine_fixture.h"

static nx_status write_rows(fixture *f, const char *name, const char *sql)
{
    nx_schema *schema = NULL;
    nx_err err = {0};
    nx_parquet_opts o = {.row_group_rows = 20480};
    nx_file_stats fs;
    nx_status st = nx_session_schema(f->s, nx_str_of(sql), &f->a, &schema, &err);
    if (st == NX_OK)
        st = nx_session_write_parquet(f->s, nx_str_of(sql), schema, path_in(f, name), &o, &f->a, &fs, &err);
    if (st != NX_OK)
        fail_msg("%s", err.text);
    return st;
}

/* A join's filter must not slip below the LIMIT of a sub-query (upstream PR 22963). */
static void a_join_filter_stays_above_a_limit(void **state)
{
    fixture *f = *state;
    write_rows(f, "g1.parquet", "SELECT i AS id, (i * 7919) % 100003 AS o, i % 1000 AS k FROM range(200000) r(i)");
    run(f, "CREATE TABLE d AS SELECT i AS k FROM range(23) r(i)");
    char *limit =
        nx_arena_printf(&f->a, "SELECT count(*) FROM (SELECT * FROM '%s' ORDER BY o, id LIMIT 1000) JOIN d USING (k)",
                        path_in(f, "g1.parquet"));
    char *qualify = nx_arena_printf(
        &f->a,
        "SELECT count(*) FROM (SELECT * FROM '%s' QUALIFY row_number() OVER (ORDER BY o, id) <= 1000) JOIN d USING (k)",
        path_in(f, "g1.parquet"));
    const char *want = text_of(f, qualify);
    for (int i = 0; i < 10; i++)
        assert_string_equal(text_of(f, limit), want);
}

/* A narrowing cast under ORDER BY … DESC LIMIT must not lose the largest values (duckdb#25158). */
static void a_narrowing_cast_keeps_the_top(void **state)
{
    fixture *f = *state;
    write_rows(f, "g2.parquet", "SELECT ((i * 7919) % 2400007)::BIGINT AS b FROM range(240000) r(i)");
    const char *path = path_in(f, "g2.parquet");
    const char *want = text_of(f, nx_arena_printf(&f->a, "SELECT max(b) FROM '%s'", path));
    assert_string_equal(
        text_of(f, nx_arena_printf(&f->a, "SELECT b::INT AS x FROM '%s' ORDER BY x DESC LIMIT 3", path)), want);
    assert_string_equal(text_of(f, nx_arena_printf(&f->a, "SELECT b FROM '%s' ORDER BY b::INT DESC LIMIT 3", path)),
                        want);
}

/* Ordering by one member of a struct and taking another must not break the database (duckdb#23903). */
static void a_structs_members_can_be_ordered(void **state)
{
    fixture *f = *state;
    run(f, "CREATE TABLE t AS SELECT i AS id, {'b': 'text ' || i, 'n': i} AS s FROM range(122881) r(i)");
    assert_string_equal(text_of(f, "SELECT s.b FROM t WHERE id >= 0 ORDER BY s.n DESC LIMIT 1"), "text 122880");
    assert_string_equal(text_of(f, "SELECT count(*) FROM t"), "122881");
}

/* Ordered sums of doubles give the same bits at any number of threads: rebuilds lean on it. */
static void ordered_sums_have_the_same_bits(void **state)
{
    fixture *f = *state;
    const char *sql = "SELECT sum(x ORDER BY id) FROM (SELECT i AS id, sin(i) * 1e6 AS x FROM range(200000) r(i))";
    const char *want = text_of(f, sql);
    nx_err err = {0};
    for (int threads = 1; threads <= 4; threads *= 2) {
        fixture other = *f;
        nx_engine_opts o = {.threads = threads};
        assert_int_equal(nx_engine_open(&o, &other.e, &err), NX_OK);
        assert_int_equal(nx_session_open(other.e, &other.s, &err), NX_OK);
        assert_string_equal(text_of(&other, sql), want);
        f->a = other.a;
        nx_session_close(other.s);
        nx_engine_close(other.e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_join_filter_stays_above_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_narrowing_cast_keeps_the_top, setup, teardown),
        cmocka_unit_test_setup_teardown(a_structs_members_can_be_ordered, setup, teardown),
        cmocka_unit_test_setup_teardown(ordered_sums_have_the_same_bits, setup, teardown),
    };
    return cmocka_run_group_tests_name("engine gate", tests, NULL, NULL);
}
