/* One lake, several threads: two append, one reads, one compacts. Every row once, and no version half seen. Promise 4. */
#include "lake_kit.h"

#include <pthread.h>
#include <stdatomic.h>

enum { COMMITS = 100, ROWS = 10 };

static const nx_field FIELDS[] = {{.name = "writer", .type = {.kind = NX_INT64}, .nullable = true},
                                  {.name = "n", .type = {.kind = NX_INT64}, .nullable = true}};
static const nx_schema SCHEMA = {FIELDS, 2};
static const nx_table_spec SPEC = {.name = "bronze.t", .schema = &SCHEMA};

typedef struct worker {
    kit *k;
    int64_t id;
    nx_err err;
    nx_status st;
    const atomic_bool *stop;
} worker;

static nx_status add(worker *w, nx_writer *out, int64_t i)
{
    nx_batch b;
    NX_TRY(nx_batch_init(&b, &SCHEMA, 0, 0));
    for (int64_t n = i * ROWS; n < (i + 1) * ROWS; n++) {
        NX_TRY(nx_col_i64(&b, &b.cols[0], w->id));
        NX_TRY(nx_col_i64(&b, &b.cols[1], n));
        nx_batch_end_row(&b);
    }
    nx_status st = nx_writer_add(out, &b, &w->err);
    nx_batch_drop(&b);
    return st;
}

static nx_status append_all(worker *w)
{
    nx_table *t;
    nx_writer *out;
    nx_commit_result r;
    char app[16];
    snprintf(app, sizeof app, "w%lld", (long long)w->id);
    NX_TRY(nx_table_open(w->k->l, "bronze.t", &t, &w->err));
    NX_TRY(nx_writer_open(t, &out, &w->err));
    nx_status st = NX_OK;
    for (int64_t i = 0; st == NX_OK && i < COMMITS; i++) {
        nx_commit_opts o = {.app_id = app, .txn_version = i};
        st = add(w, out, i);
        if (st == NX_OK)
            st = nx_writer_commit(out, &o, &r, &w->err);
        if (st == NX_OK && !r.committed)
            st = nx_fail(&w->err, NX_INTERNAL, "commit %lld was a no-op", (long long)i);
    }
    nx_writer_drop(out);
    return st;
}

static void *append_main(void *arg)
{
    worker *w = arg;
    w->st = append_all(w);
    return NULL;
}

/* Whole commits only: a count that is no multiple of ROWS would be half a version; it never falls. */
static void *read_main(void *arg)
{
    worker *w = arg;
    nx_session *s = NULL;
    int64_t before = 0;
    w->st = nx_session_open(w->k->e, &s, &w->err);
    while (w->st == NX_OK && !*w->stop) {
        nx_result *r = NULL;
        w->st = nx_session_query(s, NX_STR("SELECT count(*) FROM \"bronze.t\""), &r, &w->err);
        int64_t n = w->st == NX_OK ? nx_result_i64(r, 0, 0, -1) : before;
        nx_result_drop(r);
        if (n % ROWS != 0 || n < before)
            w->st = nx_fail(&w->err, NX_INTERNAL, "%lld rows after %lld", (long long)n, (long long)before);
        before = n;
    }
    nx_session_close(s);
    return NULL;
}

static void *compact_main(void *arg)
{
    worker *w = arg;
    nx_session *s = NULL;
    nx_table *t;
    nx_commit_result r;
    nx_optimize_opts o = {.min_files = 10};
    w->st = nx_session_open(w->k->e, &s, &w->err);
    if (w->st == NX_OK)
        w->st = nx_table_open(w->k->l, "bronze.t", &t, &w->err);
    while (w->st == NX_OK && !*w->stop) {
        w->st = nx_table_optimize(t, s, &o, &r, &w->err);
        if (w->st == NX_NOTHING)
            w->st = NX_OK;
    }
    nx_session_close(s);
    return NULL;
}

static void test_together(void **state)
{
    kit *k = *state;
    nx_table *t;
    atomic_bool stop = false;
    worker w[4] = {{.k = k, .id = 1}, {.k = k, .id = 2}, {.k = k, .stop = &stop}, {.k = k, .stop = &stop}};
    pthread_t id[4];
    void *(*const run[4])(void *) = {append_main, append_main, read_main, compact_main};
    FINE(k, nx_table_ensure(k->l, &SPEC, &t, &k->err));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&id[i], NULL, run[i], &w[i]), 0);
    for (int i = 0; i < 4; i++) {
        if (i == 2)
            stop = true;
        assert_int_equal(pthread_join(id[i], NULL), 0);
        if (w[i].st != NX_OK)
            fail_msg("thread %d: %s", i, w[i].err.text);
    }
    assert_int_equal(kit_int(k, "SELECT count(*) FROM \"bronze.t\""), 2 * COMMITS * ROWS);
    assert_int_equal(kit_int(k, "SELECT count(DISTINCT (writer, n)) FROM \"bronze.t\""), 2 * COMMITS * ROWS);
    nx_table_info info;
    FINE(k, nx_table_info_get(t, &info, &k->err));
    assert_int_equal(info.rows, 2 * COMMITS * ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_together, kit_up, kit_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
