/* Which commits of others stop ours: the table of the Delta protocol's optimistic concurrency, one case a row. */
#include "lake_kit.h"

#include "base/clock.h"
#include "lake/lake_int.h"

static const nx_table_spec T = {.name = "bronze.t"};

typedef enum winner { APPEND, OVERWRITE, DELETE_ONE, ADD_COLUMN, COMPACT, TXN_LESS, TXN_SAME, PROTOCOL } winner;
typedef enum loser { BLIND, READS, REMOVES_ALL, COMPACTION } loser;

static void win(kit *k, nx_lake *l, winner w)
{
    static const char *const add[] = {"b", NULL};
    nx_commit_result r;
    nx_table *t;
    nx_write_opts o = {.mode = NX_WRITE_APPEND};
    FINE(k, nx_table_open(l, "bronze.t", &t, &k->err));
    switch (w) {
    case APPEND:
        break;
    case OVERWRITE:
        o.mode = NX_WRITE_OVERWRITE;
        break;
    case DELETE_ONE:
        FINE(k, nx_lake_delete_sql(l, k->s, "bronze.t", NX_STR("a = 1"), &r, &k->err));
        return;
    case ADD_COLUMN: {
        o.add_columns = add;
        FINE(k, nx_lake_write_sql(l, k->s, &T, NX_STR("SELECT 9 AS a, 9 AS b WHERE false"), &o, &r, &k->err));
        return;
    }
    case COMPACT:
        FINE(k, nx_table_optimize(t, k->s, NULL, &r, &k->err));
        return;
    case TXN_LESS:
    case TXN_SAME:
        o.commit = (nx_commit_opts){.app_id = "us", .txn_version = w == TXN_LESS ? 4 : 5};
        break;
    case PROTOCOL: {
        nx__snap *s NX__SNAP_AUTO = NULL;
        nx__change c;
        FINE(k, nx__table_snap(t, &s, &k->err));
        nx__change_init(&c, "UPGRADE PROTOCOL");
        c.proto = NX_STR("{\"minReaderVersion\":1,\"minWriterVersion\":2}");
        FINE(k, nx__commit(t, s, &c, &r, &k->err));
        nx__change_drop(&c);
        return;
    }
    }
    FINE(k, nx_lake_write_sql(l, k->s, &T, NX_STR("SELECT 9 AS a"), &o, &r, &k->err));
}

/* Our commit, made on the version before the winner's. */
static nx_status lose(kit *k, nx_table *t, const nx__snap *base, loser how, nx_commit_result *r)
{
    nx__change c;
    nx__file *f;
    nx__change_init(&c, "TEST");
    c.app_id = "us";
    c.txn_version = 5;
    c.reads = how == READS || how == REMOVES_ALL;
    c.rearranges = how == COMPACTION;
    if (how == REMOVES_ALL || how == COMPACTION)
        for (size_t i = 0; (f = nx__snap_file(base, &i)) != NULL;)
            FINE(k, nx__change_remove(&c, f, &k->err));
    nx_status st = nx__commit(t, base, &c, r, &k->err);
    nx__change_drop(&c);
    return st;
}

static void test_matrix(void **state)
{
    kit *k = *state;
    static const struct {
        winner w;
        loser l;
        const char *says; /* NULL: passes */
    } cases[] = {
        {APPEND, BLIND, NULL},
        {APPEND, READS, "added rows that this change has not seen"},
        {APPEND, REMOVES_ALL, "added rows"},
        {APPEND, COMPACTION, NULL},
        {OVERWRITE, BLIND, NULL},
        {OVERWRITE, READS, "added rows"},
        {OVERWRITE, REMOVES_ALL, "removed a file that this change replaces"},
        {OVERWRITE, COMPACTION, "removed a file"},
        {DELETE_ONE, BLIND, NULL},
        {DELETE_ONE, COMPACTION, "removed a file"},
        {ADD_COLUMN, BLIND, "changed the table's schema"},
        {ADD_COLUMN, COMPACTION, "changed the table's schema"},
        {COMPACT, BLIND, NULL},
        {COMPACT, READS, NULL}, /* the rows are what they were */
        {COMPACT, REMOVES_ALL, "removed a file"},
        {COMPACT, COMPACTION, "removed a file"},
        {PROTOCOL, BLIND, "changed the table's protocol"},
        {TXN_LESS, BLIND, "twin of this writer"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_commit_result r;
        nx_lake *l2;
        nx_table *t;
        nx_lake_opts lo = {.root = k->dir, .engine = k->e};
        kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_APPEND}, "SELECT 1 AS a");
        kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_APPEND}, "SELECT 1 AS a");
        FINE(k, nx_lake_open(&lo, &l2, &k->err));
        FINE(k, nx_table_open(k->l, "bronze.t", &t, &k->err));
        nx__snap *base = NULL;
        FINE(k, nx__table_snap(t, &base, &k->err));
        win(k, l2, cases[i].w);
        nx_err_clear(&k->err);
        nx_status st = lose(k, t, base, cases[i].l, &r);
        if (cases[i].says == NULL
                ? st != NX_OK || !r.committed || r.version != base->version + 2
                : st != NX_CONFLICT || !k->err.retriable || strstr(k->err.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s \"%s\"", i, nx_status_name(st), k->err.text);
        nx__snap_unref(base);
        nx_lake_close(l2);
        FINE(k, nx_lake_drop_table(k->l, "bronze.t", &k->err));
    }
}

/* A twin committed the very same: ours is there already. */
static void test_same_txn(void **state)
{
    kit *k = *state;
    nx_commit_result r;
    nx_table *t;
    nx__snap *base = NULL;
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_APPEND}, "SELECT 1 AS a");
    FINE(k, nx_table_open(k->l, "bronze.t", &t, &k->err));
    FINE(k, nx__table_snap(t, &base, &k->err));
    win(k, k->l, TXN_SAME);
    FINE(k, lose(k, t, base, BLIND, &r));
    assert_false(r.committed);
    assert_int_equal(r.version, base->version + 1);
    nx__snap_unref(base);
}

/* Our snapshot stays what it was while the table moves on. */
static void test_snapshot_stays(void **state)
{
    kit *k = *state;
    nx_table *t;
    nx__snap *a = NULL, *b = NULL;
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_APPEND}, "SELECT 1 AS a");
    FINE(k, nx_table_open(k->l, "bronze.t", &t, &k->err));
    FINE(k, nx__table_snap(t, &a, &k->err));
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_OVERWRITE}, "SELECT 2 AS a");
    FINE(k, nx__table_snap(t, &b, &k->err));
    assert_ptr_not_equal(a, b);
    assert_int_equal(a->version, 1);
    assert_int_equal(nx_map_count(&a->files), 1);
    assert_int_equal(nx_map_count(&a->tombs), 0);
    assert_int_equal(b->version, 2);
    assert_int_equal(nx_map_count(&b->tombs), 1);
    nx__snap_unref(a);
    nx__snap_unref(b);
}

static nx_wall_ns in_2030(void *ctx)
{
    (void)ctx;
    return (int64_t)1900000000 * 1000000000;
}

static void test_tombstones_are_forgotten(void **state)
{
    kit *k = *state;
    nx_table *t;
    nx__snap *s = NULL;
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_APPEND}, "SELECT 1 AS a");
    kit_write(k, &T, &(nx_write_opts){.mode = NX_WRITE_OVERWRITE}, "SELECT 2 AS a");
    FINE(k, nx_table_open(k->l, "bronze.t", &t, &k->err));
    FINE(k, nx__table_snap(t, &s, &k->err));
    nx__snap_prune(s);
    assert_int_equal(nx_map_count(&s->tombs), 1);
    nx_clock_set_wall(in_2030, NULL);
    nx__snap_prune(s);
    nx_clock_set_wall(NULL, NULL);
    assert_int_equal(nx_map_count(&s->tombs), 0);
    assert_int_equal(nx_map_count(&s->files), 1);
    nx__snap_unref(s);
}

int main(void)
{
#define T_(f) cmocka_unit_test_setup_teardown(f, kit_up, kit_down)
    const struct CMUnitTest tests[] = {T_(test_matrix), T_(test_same_txn), T_(test_snapshot_stays),
                                       T_(test_tombstones_are_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
