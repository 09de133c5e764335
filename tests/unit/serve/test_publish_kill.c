/* A publisher killed between its steps, and readers while releases come: always one whole release (promise 7). */
#include <pthread.h>

#include "base/stop.h"
#include "publish_fixture.h"

/* What the killed process runs: this program again, so that the engine is not carried over a fork. */
static int publish_as_child(char **argv)
{
    fixture f = {0};
    nx_err err;
    snprintf(cluster.dsn, sizeof cluster.dsn, "%s", argv[2]);
    snprintf(f.dir, sizeof f.dir, "%s", argv[3]);
    snprintf(f.schema, sizeof f.schema, "%s", argv[4]);
    open_lake(&f);
    nx_publish_result r;
    nx_status st = publish_tables(&f, descriptions, 2, &r, &err);
    if (st == NX_OK)
        nx_publish_result_drop(&r);
    else
        fprintf(stderr, "%s\n", err.text);
    close_lake(&f);
    return st == NX_OK ? 0 : 1;
}

/* Publishes in a process of its own under a fault; its wait status. */
static int publish_under(fixture *f, const char *fault)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        if (fault != NULL)
            setenv("NEXUS_FAULT", fault, 1);
        execl("/proc/self/exe", "publish", "publish", cluster.dsn, f->dir, f->schema, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void a_killed_publisher_leaves_the_old_release(void **state)
{
    fixture *f = need(state);
    static const char *const kills[] = {"PG_COPY:0:kill", "PG_COPY:1:kill", "PG_COMMIT:0:kill"};
    put_star(f, 0, 5, 10);
    for (size_t i = 0; i < NX_COUNT_OF(kills); i++) { /* the very first release */
        int status = publish_under(f, kills[i]);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_string_equal(
            ask(f, "SELECT to_regclass('$S.fct_price') IS NULL AND to_regclass('$S.dim_symbol') IS NULL"), "t");
    }
    assert_int_equal(publish_under(f, NULL), 0);
    assert_string_equal(ask(f, "SELECT count(*) FROM $S.fct_price"), "10");
    put_star(f, 1, 6, 18);
    for (size_t i = 0; i < NX_COUNT_OF(kills); i++) { /* a later one */
        int status = publish_under(f, kills[i]);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_string_equal(
            ask(f,
                "SELECT (SELECT count(*) FROM $S.fct_price) || ' ' || (SELECT count(*) FROM $S.dim_symbol) || ' ' || "
                "(SELECT max(lake_version) FROM $S._publications)"),
            "10 5 0");
    }
    assert_int_equal(publish_under(f, NULL), 0);
    assert_string_equal(
        ask(f, "SELECT (SELECT count(*) FROM $S.fct_price) || ' ' || (SELECT count(*) FROM $S.dim_symbol)"), "18 6");
    /* what the dead had staged goes with their connections */
    while (strcmp(ask(f, "SELECT count(*) FROM pg_class WHERE relname LIKE '\\_staging\\_%'"), "0") != 0)
        nx_clock_sleep_ms(10, NULL);
    publish_counts(f, 2, 0, 0, 0, true);
}

typedef struct reader {
    const char *sql;
    volatile bool stop;
    int reads, distinct;
    char bad[64];
} reader;

static void *read_on(void *arg)
{
    reader *rd = arg;
    nx_pg *pg = NULL;
    char last[64] = "";
    if (nx_pg_connect(cluster.dsn, &pg, NULL) != NX_OK)
        return NULL;
    do {
        nx_pg_result *r = NULL;
        if (nx_pg_query(pg, rd->sql, NULL, 0, &r, NULL) != NX_OK) {
            snprintf(rd->bad, sizeof rd->bad, "a read failed");
            break;
        }
        const char *dim = nx_pg_value(r, 0, 0), *fact = nx_pg_value(r, 0, 1), *orphans = nx_pg_value(r, 0, 2);
        if (strcmp(dim, fact) != 0 || strcmp(orphans, "0") != 0)
            snprintf(rd->bad, sizeof rd->bad, "dim %s, fact %s, orphans %s", dim, fact, orphans);
        rd->distinct += strcmp(dim, last) != 0;
        snprintf(last, sizeof last, "%s", dim);
        rd->reads++;
        nx_pg_result_drop(r);
    } while (!nx_stop_asked(&rd->stop) && rd->bad[0] == '\0');
    nx_pg_close(pg);
    return NULL;
}

static void readers_see_whole_releases(void **state)
{
    fixture *f = need(state);
    put_star(f, 0, 5, 500);
    publish_counts(f, 1, 505, 0, 0, false);
    reader rd = {
        .sql = nx_arena_printf(
            &f->a,
            "SELECT (SELECT count(*) FROM \"%1$s\".dim_symbol), (SELECT count(DISTINCT symbol_key) FROM \"%1$s\".fct_price), "
            "(SELECT count(*) FROM \"%1$s\".fct_price LEFT JOIN \"%1$s\".dim_symbol USING (symbol_key) WHERE symbol IS NULL)",
            f->schema)};
    pthread_t t;
    assert_int_equal(pthread_create(&t, NULL, read_on, &rd), 0);
    for (int version = 1; version <= 6; version++) { /* symbols come and go in both tables at once */
        put_star(f, version, version % 2 == 1 ? 9 : 4, 500);
        nx_publish_result r;
        nx_err err;
        if (publish_tables(f, descriptions, 2, &r, &err) != NX_OK)
            fail_msg("%s", err.text);
        assert_true(r.rows_changed > 0);
        nx_publish_result_drop(&r);
    }
    nx_stop_ask(&rd.stop);
    pthread_join(t, NULL);
    assert_string_equal(rd.bad, "");
    assert_true(rd.reads > 0);
    assert_true(rd.distinct > 1);
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "publish") == 0)
        return publish_as_child(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_killed_publisher_leaves_the_old_release, setup, teardown),
        cmocka_unit_test_setup_teardown(readers_see_whole_releases, setup, teardown),
    };
    return cmocka_run_group_tests_name("publish under kills", tests, start_cluster, stop_cluster);
}
