/* Sessions, statements, names, errors, the closed configuration. Promise 6. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "engine/engine.h"

static nx_status resolve(void *ctx, nx_session *s, nx_str name, nx_buf *sql, nx_err *err)
{
    (void)s;
    ++*(int *)ctx;
    if (nx_str_is(name, "bronze.trades@v3"))
        return nx_buf_adds(sql, "SELECT i AS id, i * 2 AS twice FROM range(10) t(i)");
    if (nx_str_starts(name, NX_STR("delta:")))
        return nx_fail(err, NX_CORRUPT, "table %.*s: commit 7 is missing", (int)name.n, name.p);
    return NX_NOT_FOUND;
}

typedef struct fixture {
    nx_engine *e;
    nx_session *s;
    int resolved;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    nx_err err = {0};
    nx_engine_opts o = {.threads = 2, .resolve = resolve, .resolve_ctx = &f->resolved};
    assert_int_equal(nx_engine_open(&o, &f->e, &err), NX_OK);
    assert_int_equal(nx_session_open(f->e, &f->s, &err), NX_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    nx_session_close(f->s);
    nx_engine_close(f->e);
    free(f);
    return 0;
}

static int64_t one(nx_session *s, const char *sql)
{
    nx_err err = {0};
    nx_result *r = NULL;
    if (nx_session_query(s, nx_str_of(sql), &r, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
    assert_int_equal(nx_result_rows(r), 1);
    int64_t v = nx_result_i64(r, 0, 0, INT64_MIN);
    nx_result_drop(r);
    return v;
}

static nx_err refused(nx_session *s, const char *sql, nx_status want)
{
    nx_err err = {0};
    nx_status st = nx_session_exec(s, nx_str_of(sql), NULL, &err);
    if (st != want)
        fail_msg("%s: %s (%s), expected %s", sql, nx_status_name(st), err.text, nx_status_name(want));
    assert_int_equal(err.status, want);
    return err;
}

static void one_statement_is_told_from_more(void **state)
{
    fixture *f = *state;
    nx_err err = {0};
    assert_int_equal(nx_session_one_statement(f->s, NX_STR("select ';' as a; -- select 2"), &err), NX_OK);
    assert_int_equal(nx_session_one_statement(f->s, NX_STR("select 1; select 2"), &err), NX_INVALID);
    assert_non_null(strstr(err.text, "the text has 2"));
    assert_int_equal(nx_session_one_statement(f->s, NX_STR("-- nothing"), &err), NX_INVALID);
    assert_int_equal(nx_session_one_statement(f->s, NX_STR("selec 1"), &err), NX_INVALID);
}

static void hints_help(void **state)
{
    fixture *f = *state;
    nx_err err = {0};
    nx_result *r = NULL;
    assert_int_equal(nx_session_query(f->s, NX_STR("select len('a'::blob)"), &r, &err), NX_INVALID);
    assert_string_equal(err.hint, ""); /* "Candidate functions:" and no candidate */
    nx_err_clear(&err);
    assert_int_equal(nx_session_query(f->s, NX_STR("from enum_"), &r, &err), NX_INVALID);
    assert_null(strstr(err.hint, "pg_catalog"));
}

static void exec_counts_changed_rows(void **state)
{
    fixture *f = *state;
    nx_err err = {0};
    int64_t n = -1;
    assert_int_equal(
        nx_session_exec(f->s, NX_STR("CREATE TABLE t AS SELECT i FROM range(100) r(i); DELETE FROM t WHERE i < 7"), &n,
                        &err),
        NX_OK);
    assert_int_equal(n, 7);
    assert_int_equal(one(f->s, "SELECT count(*) FROM t"), 93);
    assert_int_equal(nx_session_execf(f->s, &err, "INSERT INTO t VALUES (%d)", 5), NX_OK);
    assert_int_equal(one(f->s, "SELECT count(*) FROM t"), 94);
}

static void sessions_do_not_see_each_other(void **state)
{
    fixture *f = *state;
    nx_err err = {0};
    nx_session *other = NULL;
    assert_int_equal(nx_session_open(f->e, &other, &err), NX_OK);
    for (int i = 0; i < 2; i++) {
        nx_session *s = i == 0 ? f->s : other;
        assert_int_equal(
            nx_session_execf(s, &err, "CREATE SCHEMA bronze; CREATE VIEW bronze.trades AS SELECT %d AS id", i), NX_OK);
    }
    assert_int_equal(one(f->s, "SELECT id FROM bronze.trades"), 0);
    assert_int_equal(one(other, "SELECT id FROM bronze.trades"), 1);
    assert_int_equal(
        one(f->s, "SELECT count(*) FROM duckdb_databases() WHERE database_name LIKE 's%' AND NOT internal"), 2);
    nx_session_close(other);
    assert_int_equal(
        one(f->s, "SELECT count(*) FROM duckdb_databases() WHERE database_name LIKE 's%' AND NOT internal"), 1);
}

static void a_session_with_an_open_transaction_detaches(void **state)
{
    fixture *f = *state;
    nx_err err = {0};
    nx_session *other = NULL;
    assert_int_equal(nx_session_open(f->e, &other, &err), NX_OK);
    assert_int_equal(nx_session_exec(other, NX_STR("BEGIN; CREATE TABLE t (i INT)"), NULL, &err), NX_OK);
    nx_session_close(other);
    assert_int_equal(
        one(f->s, "SELECT count(*) FROM duckdb_databases() WHERE database_name LIKE 's%' AND NOT internal"), 1);
}

static void names_are_resolved(void **state)
{
    fixture *f = *state;
    assert_int_equal(one(f->s, "SELECT sum(twice) FROM \"bronze.trades@v3\" WHERE id > 7"), 34);
    assert_int_equal(f->resolved, 1);
    /* a name that is nobody's is a missing table, a refusal keeps its own words and status */
    nx_err err = refused(f->s, "SELECT * FROM \"bronze.trades@v4\"", NX_INVALID);
    assert_non_null(strstr(err.text, "bronze.trades@v4"));
    err = refused(f->s, "SELECT * FROM \"delta:/data/t\"", NX_CORRUPT);
    assert_string_equal(err.text, "table delta:/data/t: commit 7 is missing");
    /* the refusal is not remembered */
    err = refused(f->s, "SELECT * FROM no_such_table", NX_INVALID);
    assert_non_null(strstr(err.text, "no_such_table"));
}

static void bare_names_are_never_resolved(void **state)
{
    fixture *f = *state;
    refused(f->s, "SELECT * FROM nosuch.trades", NX_INVALID);
    refused(f->s, "SELECT * FROM trades", NX_INVALID);
    assert_int_equal(f->resolved, 0);
}

static void errors_have_classes(void **state)
{
    fixture *f = *state;
    nx_err err = refused(f->s, "SELEC 1", NX_INVALID);
    assert_null(strchr(err.text, '\n'));
    assert_null(strstr(err.text, "Parser Error"));
    refused(f->s, "SELECT nope FROM range(3)", NX_INVALID);
    refused(f->s, "SELECT 'x'::INT", NX_CHECK_FAILED);
    refused(f->s, "SELECT 300::TINYINT", NX_CHECK_FAILED);
    refused(f->s, "CREATE TABLE c (i INT NOT NULL); INSERT INTO c VALUES (NULL)", NX_CHECK_FAILED);
    refused(f->s, "SELECT * FROM read_parquet('/nonexistent/x.parquet')", NX_IO);
    nx_err zero = {0};
    assert_int_equal(nx_session_exec(f->s, (nx_str){"SELECT\0 1", 9}, NULL, &zero), NX_INVALID);
}

static void the_configuration_is_closed(void **state)
{
    fixture *f = *state;
    refused(f->s, "SET threads=1", NX_INVALID);
    refused(f->s, "SET autoinstall_known_extensions=true", NX_INVALID);
    refused(f->s, "SET disabled_optimizers=''", NX_INVALID);
    refused(f->s, "SELECT * FROM 'https://example.invalid/x.parquet'", NX_UNSUPPORTED);
    refused(f->s, "INSTALL httpfs", NX_IO);
    refused(f->s, "SELECT * FROM nx__batch()", NX_INVALID);
    nx_err err = {0};
    nx_result *r = NULL;
    assert_int_equal(
        nx_session_query(f->s,
                         NX_STR("SELECT current_setting('TimeZone'), current_setting('disabled_optimizers'), "
                                "current_setting('autoload_known_extensions')"),
                         &r, &err),
        NX_OK);
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_result_text(r, 0, 0, &b), NX_OK);
    assert_string_equal(b.p, "UTC");
    nx_buf_clear(&b);
    assert_int_equal(nx_result_text(r, 0, 1, &b), NX_OK);
    assert_non_null(strstr(b.p, "top_n"));
    assert_non_null(strstr(b.p, "join_filter_pushdown"));
    nx_buf_clear(&b);
    assert_int_equal(nx_result_text(r, 0, 2, &b), NX_OK);
    assert_string_equal(b.p, "false");
    nx_buf_drop(&b);
    nx_result_drop(r);
}

static void views_are_made_anew(void **state)
{
    fixture *f = *state;
    nx_err err = {0};
    nx_result *r;
    const nx_str schema = NX_STR("a \"b"), name = NX_STR("v.1");
    /* a comment at the end does not swallow what follows the query */
    assert_int_equal(nx_session_create_view(f->s, schema, name, NX_STR("select 1 as x -- one"), &err), NX_OK);
    assert_int_equal(nx_session_create_view(f->s, schema, name, NX_STR("select 2 as x"), &err), NX_OK);
    assert_int_equal(nx_session_query(f->s, NX_STR("select x from \"a \"\"b\".\"v.1\""), &r, &err), NX_OK);
    assert_int_equal(nx_result_i64(r, 0, 0, 0), 2);
    nx_result_drop(r);
    assert_int_equal(nx_session_create_view(f->s, NX_STR("a\0b"), name, NX_STR("select 1"), &err), NX_INVALID);
    assert_int_equal(nx_session_create_view(f->s, schema, name, NX_STR("select nothing from nowhere"), &err),
                     NX_INVALID);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    nx_err err = {0};
    nx_engine *e = NULL;
    nx_engine_opts o = {.memory_bytes = (uint64_t)64 << 20, .threads = 1};
    assert_int_equal(nx_engine_open(&o, &e, &err), NX_OK);
    nx_session *s = NULL;
    assert_int_equal(nx_session_open(e, &s, &err), NX_OK);
    err = refused(s, "CREATE TABLE t AS SELECT i, hash(i) h, hash(i + 1) h2 FROM range(20000000) r(i)", NX_NOMEM);
    assert_string_not_equal(err.hint, "");
    assert_int_equal(one(s, "SELECT 1"), 1);
    nx_session_close(s);
    nx_engine_close(e);

    o.memory_bytes = 1 << 20;
    assert_int_equal(nx_engine_open(&o, &e, &err), NX_INVALID);
    assert_null(e);
    o = (nx_engine_opts){.threads = -1};
    assert_int_equal(nx_engine_open(&o, &e, &err), NX_INVALID);
}

typedef struct interrupter {
    nx_session *s;
    atomic_bool done;
    double progress;
} interrupter;

/* The engine may never learn a query's progress, and loses an interrupt that comes before the query runs: neither is waited for. */
static void *interrupt_when_running(void *arg)
{
    interrupter *in = arg;
    double p = -1;
    for (int i = 0; i < 400 && p < 0; i++) {
        nx_clock_sleep_ms(10, NULL);
        p = nx_session_progress(in->s);
    }
    in->progress = p;
    while (!atomic_load(&in->done)) {
        nx_session_interrupt(in->s);
        nx_clock_sleep_ms(10, NULL);
    }
    return NULL;
}

static void progress_is_a_fraction_and_a_query_can_be_interrupted(void **state)
{
    fixture *f = *state;
    assert_true(nx_session_progress(f->s) < 0);
    interrupter in = {.s = f->s};
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, interrupt_when_running, &in), 0);
    refused(f->s, "SELECT sum(a.i * b.i) FROM range(1000000) a(i), range(1000000) b(i) WHERE a.i + b.i <> 3",
            NX_CANCELLED);
    atomic_store(&in.done, true);
    pthread_join(t, NULL);
    assert_true(in.progress == -1 || (in.progress >= 0 && in.progress <= 1));
    assert_int_equal(one(f->s, "SELECT 42"), 42);
}

typedef struct worker {
    nx_engine *e;
    int id;
    int failures;
} worker;

/* Names are resolved for the session of the thread that asks: each finds its own number. */
static void *work(void *arg)
{
    worker *w = arg;
    nx_session *s = NULL;
    for (int round = 0; round < 5; round++) {
        if (nx_session_open(w->e, &s, NULL) != NX_OK ||
            nx_session_execf(s, NULL, "CREATE SCHEMA a; CREATE VIEW a.v AS SELECT %d AS id FROM \"bronze.trades@v3\"",
                             w->id) != NX_OK) {
            w->failures++;
            continue;
        }
        for (int i = 0; i < 20; i++) {
            nx_result *r = NULL;
            if (nx_session_query(s, NX_STR("SELECT sum(v.id) FROM a.v"), &r, NULL) != NX_OK ||
                nx_result_i64(r, 0, 0, -1) != 10 * w->id)
                w->failures++;
            nx_result_drop(r);
        }
        nx_session_close(s);
    }
    return NULL;
}

static nx_status resolve_quietly(void *ctx, nx_session *s, nx_str name, nx_buf *sql, nx_err *err)
{
    (void)ctx;
    (void)s;
    (void)name;
    (void)err;
    return nx_buf_adds(sql, "SELECT i FROM range(10) t(i)");
}

static void sessions_work_in_parallel(void **state)
{
    (void)state;
    nx_err err = {0};
    nx_engine *e = NULL;
    nx_engine_opts o = {.threads = 2, .resolve = resolve_quietly};
    assert_int_equal(nx_engine_open(&o, &e, &err), NX_OK);
    worker workers[4];
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        workers[i] = (worker){e, i + 1, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    nx_engine_close(e);
}

static void quoting(void **state)
{
    (void)state;
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_sql_literal(&b, NX_STR("it's")), NX_OK);
    assert_int_equal(nx_sql_ident(&b, NX_STR("a\"b")), NX_OK);
    assert_string_equal(b.p, "'it''s'\"a\"\"b\"");
    nx_buf_drop(&b);
    assert_string_equal(nx_engine_version(), "1.4.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_statement_is_told_from_more, setup, teardown),
        cmocka_unit_test_setup_teardown(hints_help, setup, teardown),
        cmocka_unit_test_setup_teardown(exec_counts_changed_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(sessions_do_not_see_each_other, setup, teardown),
        cmocka_unit_test_setup_teardown(a_session_with_an_open_transaction_detaches, setup, teardown),
        cmocka_unit_test_setup_teardown(names_are_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(bare_names_are_never_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_have_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(the_configuration_is_closed, setup, teardown),
        cmocka_unit_test_setup_teardown(views_are_made_anew, setup, teardown),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test_setup_teardown(progress_is_a_fraction_and_a_query_can_be_interrupted, setup, teardown),
        cmocka_unit_test(sessions_work_in_parallel),
        cmocka_unit_test(quoting),
    };
    return cmocka_run_group_tests_name("engine sessions", tests, NULL, NULL);
}
