/* Publishing: what arrives, what counts as changed, what migrates and what is refused. Promise 5. */
#include "base/fault.h"
#include "publish_fixture.h"

static void the_first_release_makes_everything(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 100);
    publish_counts(f, 1, 105, 0, 0, false);
    assert_string_equal(ask(f, "SELECT count(*) FROM $S.fct_price"), "100");
    assert_string_equal(
        ask(f,
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END, ', ' "
            "ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$S.fct_price'::regclass AND attnum > 0"),
        "symbol_key bigint not null, day date not null, price numeric(18,6), known_at timestamp with time zone, tags text[], more jsonb");
    assert_string_equal(
        ask(f, "SELECT attnotnull FROM pg_attribute WHERE attrelid = '$S.dim_symbol'::regclass AND attname = 'symbol'"),
        "t");
    assert_string_equal(
        ask(f,
            "SELECT string_agg(pg_get_constraintdef(oid), '; ' ORDER BY contype) FROM pg_constraint WHERE conrelid = '$S.fct_price'::regclass"),
        nx_arena_printf(
            &f->a,
            "FOREIGN KEY (symbol_key) REFERENCES \"%s\".dim_symbol(symbol_key) DEFERRABLE INITIALLY DEFERRED; "
            "PRIMARY KEY (symbol_key, day)",
            f->schema));
    assert_string_equal(ask(f, "SELECT obj_description('$S.fct_price'::regclass)"), "A row a symbol and day");
    assert_string_equal(ask(f, "SELECT col_description('$S.dim_symbol'::regclass, 2)"), "Ticker, it's unique");
    assert_string_equal(
        ask(f,
            "SELECT price || ' ' || known_at || ' ' || tags::text || ' ' || more::text FROM $S.fct_price WHERE symbol_key = 3 AND day = '2024-01-01'"),
        "0.375000 2024-01-02 03:04:05.123456+00 {a,NULL} {\"n\": 3}");
    assert_string_equal(
        ask(f,
            "SELECT string_agg(table_name || ' ' || lake_table || ' ' || lake_version || ' ' || rows, ', ' ORDER BY table_name) FROM $S._publications"),
        "dim_symbol gold.dim_symbol 0 5, fct_price gold.fct_price 0 100");
    assert_string_equal(ask(f, "SELECT release_id || ' ' || tables || ' ' || rows_inserted FROM $S._releases"),
                        "1 2 105");
}

static void a_second_run_changes_nothing(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 100);
    publish_counts(f, 1, 105, 0, 0, false);
    const char *before = ask(f, "SELECT string_agg(t.xmin::text || t.ctid::text, ',') FROM $S.fct_price AS t");
    publish_counts(f, 1, 0, 0, 0, true);
    put_star(f, 1, 5, 100); /* rebuilt, the same rows */
    publish_counts(f, 2, 0, 0, 0, false);
    assert_string_equal(ask(f, "SELECT string_agg(t.xmin::text || t.ctid::text, ',') FROM $S.fct_price AS t"), before);
    assert_string_equal(ask(f, "SELECT count(DISTINCT checksum) FROM $S._publications WHERE lake_version = 1"), "2");
    publish_counts(f, 2, 0, 0, 0, true);
}

static void exactly_the_changed_rows_change(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 100);
    publish_counts(f, 1, 105, 0, 0, false);
    put_table(
        f, "dim_symbol", 1,
        "SELECT i::BIGINT AS symbol_key, CASE WHEN i = 2 THEN 'NEW' ELSE 'SYM' || i END AS symbol FROM range(6) r(i)");
    put_table(f, "fct_price", 1,
              nx_arena_printf(
                  &f->a,
                  "SELECT * REPLACE (CASE WHEN symbol_key = 3 THEN price + 1 ELSE price END AS price) FROM (" FACT_SQL
                  ") WHERE day <> DATE '2024-01-02'",
                  5, 5, 105));
    /* dim: 1 new, 1 changed; fact: 5 new, 5 gone, of the 95 that stay 19 are of symbol 3 */
    publish_counts(f, 2, 6, 20, 5, false);
    assert_string_equal(ask(f, "SELECT symbol FROM $S.dim_symbol WHERE symbol_key = 2"), "NEW");
    assert_string_equal(ask(f, "SELECT count(*) FROM $S.fct_price"), "100");
    assert_string_equal(
        ask(f,
            "SELECT rows_inserted || ' ' || rows_updated || ' ' || rows_deleted FROM $S._releases WHERE release_id = 2"),
        "6 20 5");
}

static void a_null_is_a_change(void **state)
{
    fixture *f = need(state);
    const nx_publish_table one = {"t", "gold.t", NULL, NULL, 0, symbol_key, NULL, 0};
    nx_publish_result r;
    nx_err err;
    put_table(f, "t", 0, "SELECT 1::BIGINT AS symbol_key, 'x' AS v, 'nan'::DOUBLE AS d");
    assert_int_equal(publish_tables(f, &one, 1, &r, &err), NX_OK);
    nx_publish_result_drop(&r);
    put_table(f, "t", 1, "SELECT 1::BIGINT AS symbol_key, NULL::VARCHAR AS v, 'nan'::DOUBLE AS d");
    assert_int_equal(publish_tables(f, &one, 1, &r, &err), NX_OK);
    assert_int_equal(r.tables[0].updated, 1);
    nx_publish_result_drop(&r);
    put_table(f, "t", 2, "SELECT 1::BIGINT AS symbol_key, NULL::VARCHAR AS v, 'nan'::DOUBLE AS d");
    assert_int_equal(publish_tables(f, &one, 1, &r, &err), NX_OK);
    assert_int_equal(r.rows_changed, 0);
    nx_publish_result_drop(&r);
}

static void new_columns_and_words_migrate(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 10);
    publish_counts(f, 1, 15, 0, 0, false);
    put_table(f, "dim_symbol", 1,
              "SELECT i::BIGINT AS symbol_key, 'SYM' || i AS symbol, 'Nasdaq' AS exchange FROM range(5) r(i)");
    const nx_publish_column columns[] = {{"exchange", "Where it is listed", true}};
    nx_publish_table changed[2] = {descriptions[0], descriptions[1]};
    changed[1].columns = columns;
    changed[1].n_columns = 1;
    changed[0].foreign_keys = NULL;
    changed[0].n_foreign_keys = 0;
    nx_publish_result r;
    nx_err err;
    if (publish_tables(f, changed, 2, &r, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r.tables[1].updated, 5);
    assert_int_equal(r.tables[0].updated, 0);
    nx_publish_result_drop(&r);
    assert_string_equal(ask(f, "SELECT exchange FROM $S.dim_symbol WHERE symbol_key = 4"), "Nasdaq");
    assert_string_equal(
        ask(f,
            "SELECT string_agg(attname || attnotnull, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '$S.dim_symbol'::regclass AND attnum > 0"),
        "symbol_keytrue symbolfalse exchangetrue");
    assert_string_equal(
        ask(f,
            "SELECT coalesce(col_description('$S.dim_symbol'::regclass, 2), '-') || col_description('$S.dim_symbol'::regclass, 3)"),
        "-Where it is listed");
    assert_string_equal(
        ask(f, "SELECT count(*) FROM pg_constraint WHERE conrelid = '$S.fct_price'::regclass AND contype = 'f'"), "0");
}

static void other_changes_are_refused(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 10);
    publish_counts(f, 1, 15, 0, 0, false);
    put_table(f, "dim_symbol", 1, "SELECT i::BIGINT AS symbol_key, i AS symbol FROM range(5) r(i)");
    nx_err err = publish_refused(f, descriptions, 2, NX_CONFLICT);
    assert_non_null(strstr(err.text, "column symbol is text in the published table and bigint in gold.dim_symbol"));
    assert_non_null(strstr(err.hint, "DROP TABLE"));
    put_table(f, "dim_symbol", 2, "SELECT i::BIGINT AS symbol_key FROM range(5) r(i)");
    nx_publish_table bare = descriptions[1];
    bare.n_columns = 1;
    err = publish_refused(f, &bare, 1, NX_CONFLICT);
    assert_non_null(strstr(err.text, "symbol"));
    put_table(f, "dim_symbol", 3, nx_arena_printf(&f->a, DIM_SQL, 5));
    static const char *const other_key[] = {"symbol", NULL};
    nx_publish_table rekeyed = descriptions[1];
    rekeyed.primary_key = other_key;
    err = publish_refused(f, &rekeyed, 1, NX_CONFLICT);
    assert_non_null(strstr(err.text, "primary key"));
    assert_string_equal(ask(f, "SELECT max(release_id) FROM $S._releases"), "1");
    assert_string_equal(ask(f, "SELECT string_agg(symbol, ',' ORDER BY symbol_key) FROM $S.dim_symbol"),
                        "SYM0,SYM1,SYM2,SYM3,SYM4");
    /* the way out of the hint */
    nx_err drop_err = {0};
    assert_int_equal(nx_pg_execf(f->pg, NULL, &drop_err, "DROP TABLE \"%s\".dim_symbol CASCADE", f->schema), NX_OK);
    nx_publish_result r;
    assert_int_equal(publish_tables(f, &rekeyed, 1, &r, &err), NX_OK);
    assert_int_equal(r.tables[0].inserted, 5);
    nx_publish_result_drop(&r);
}

static void broken_keys_keep_the_old_release(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 10);
    publish_counts(f, 1, 15, 0, 0, false);
    put_table(f, "fct_price", 1, nx_arena_printf(&f->a, FACT_SQL, 7, 7, 14)); /* symbols 5 and 6 are in no dimension */
    nx_err err = publish_refused(f, descriptions, 2, NX_CHECK_FAILED);
    assert_non_null(strstr(err.text, "dim_symbol"));
    put_table(f, "fct_price", 2, nx_arena_printf(&f->a, FACT_SQL " UNION ALL " FACT_SQL, 5, 5, 10, 5, 5, 1));
    err = publish_refused(f, descriptions, 2, NX_CHECK_FAILED);
    assert_non_null(strstr(err.text, "fct_price"));
    assert_non_null(strstr(err.text, "2024-01-01"));
    put_table(f, "dim_symbol", 1, "SELECT NULL::BIGINT AS symbol_key, 'x' AS symbol");
    publish_refused(f, &descriptions[1], 1, NX_CHECK_FAILED);
    put_table(f, "dim_symbol", 2, "SELECT i::BIGINT AS symbol_key, NULL::VARCHAR AS symbol FROM range(5) r(i)");
    publish_refused(f, &descriptions[1], 1, NX_CHECK_FAILED);
    assert_string_equal(
        ask(f,
            "SELECT (SELECT count(*) FROM $S.fct_price) || ' ' || (SELECT count(*) FROM $S.dim_symbol) || ' ' || (SELECT max(release_id) FROM $S._releases)"),
        "10 5 1");
}

static void descriptions_are_checked(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 10);
    nx_publish_table t = descriptions[1];
    t.lake_table = "gold.dim_symbl";
    nx_err err = publish_refused(f, &t, 1, NX_NOT_FOUND);
    assert_non_null(strstr(err.text, "dim_symbl"));
    t = descriptions[1];
    t.primary_key = (const char *const[]){NULL};
    publish_refused(f, &t, 1, NX_INVALID);
    t.primary_key = (const char *const[]){"nope", NULL};
    err = publish_refused(f, &t, 1, NX_INVALID);
    assert_non_null(strstr(err.text, "nope"));
    t = descriptions[1];
    t.name = "_releases";
    publish_refused(f, &t, 1, NX_INVALID);
    t = descriptions[0]; /* a foreign key to a table that is not there */
    publish_refused(f, &t, 1, NX_NOT_FOUND);
    assert_string_equal(
        ask(f,
            "SELECT count(*) FROM pg_class WHERE relname IN ('dim_symbol', 'fct_price') AND relnamespace = '$S'::regnamespace"),
        "0");
}

static void failures_are_said_and_harm_nothing(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 10);
    publish_counts(f, 1, 15, 0, 0, false);
    put_star(f, 1, 6, 12);
    static const char *const faults[] = {"PG_COPY", "PG_COPY:1", "PG_COMMIT"};
    for (size_t i = 0; i < NX_COUNT_OF(faults); i++) {
        assert_true(nx_fault_arm(faults[i]));
        publish_refused(f, descriptions, 2, NX_REMOTE);
        assert_true(nx_fault_arm(NULL));
        assert_string_equal(
            ask(f, "SELECT (SELECT count(*) FROM $S.fct_price) || ' ' || (SELECT count(*) FROM $S.dim_symbol)"),
            "10 5");
    }
    publish_counts(f, 2, 3, 5, 0, false); /* a symbol more, and the second day moves by a row */

    nx_publish_opts o = {.lake = f->lake, .session = f->s, .tables = descriptions, .n_tables = 2};
    nx_publish_result r;
    nx_err err = {0};
    assert_int_equal(nx_publish(&o, &r, &err), NX_INVALID);
    assert_non_null(strstr(err.hint, "postgres.dsn"));
    o.dsn = "host=/nonexistent user=nexus password=topsecret";
    assert_int_equal(nx_publish(&o, &r, &err), NX_REMOTE);
    assert_true(err.retriable);
    assert_null(strstr(err.text, "topsecret"));
}

/* Tables as our own lake writes them, rebuilt by overwriting. */
static void tables_of_our_own_lake(void **state)
{
    fixture *f = need(state);
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE, .commit = {.operation = "WRITE"}};
    const nx_table_spec dim = {.name = "gold.dim_symbol"}, fact = {.name = "gold.fct_price"};
    for (int round = 0; round < 3; round++) {
        int symbols = round < 2 ? 5 : 6;
        nx_commit_result c;
        nx_err err = {0};
        const char *dim_sql = nx_arena_printf(&f->a, DIM_SQL, symbols);
        const char *fact_sql = nx_arena_printf(&f->a, FACT_SQL, symbols, symbols, 60);
        if (nx_lake_write_sql(f->lake, f->s, &dim, nx_str_of(dim_sql), &o, &c, &err) != NX_OK ||
            nx_lake_write_sql(f->lake, f->s, &fact, nx_str_of(fact_sql), &o, &c, &err) != NX_OK)
            fail_msg("%s", err.text);
        if (round == 0)
            publish_counts(f, 1, 65, 0, 0, false);
        else if (round == 1)
            publish_counts(f, 2, 0, 0, 0, false);
    }
    nx_publish_result r;
    nx_err err;
    assert_int_equal(publish_tables(f, descriptions, 2, &r, &err), NX_OK);
    assert_int_equal(r.tables[1].inserted, 1);
    assert_int_equal(r.tables[0].rows, 60);
    nx_publish_result_drop(&r);
    assert_string_equal(ask(f, "SELECT count(*) || ' ' || sum(price) FROM $S.fct_price"), "60 221.250000");
}

static void one_publisher_at_a_time(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 10);
    ask(f, nx_arena_printf(&f->a, "SELECT pg_advisory_lock(%d, hashtext('%s'))", 0x6e657875, f->schema));
    nx_err err = publish_refused(f, descriptions, 2, NX_CONFLICT);
    assert_true(err.retriable);
    assert_non_null(strstr(err.text, "another publisher"));
    ask(f, "SELECT pg_advisory_unlock_all()");
    publish_counts(f, 1, 15, 0, 0, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_release_makes_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_run_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(exactly_the_changed_rows_change, setup, teardown),
        cmocka_unit_test_setup_teardown(a_null_is_a_change, setup, teardown),
        cmocka_unit_test_setup_teardown(new_columns_and_words_migrate, setup, teardown),
        cmocka_unit_test_setup_teardown(other_changes_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(broken_keys_keep_the_old_release, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptions_are_checked, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_are_said_and_harm_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(tables_of_our_own_lake, setup, teardown),
        cmocka_unit_test_setup_teardown(one_publisher_at_a_time, setup, teardown),
    };
    return cmocka_run_group_tests_name("publish", tests, start_cluster, stop_cluster);
}
