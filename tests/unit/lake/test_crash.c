/* Promises 2 and 4 under kills, lost answers and rivals: every committed row once, no committed file missing. Each
 * writer is a process of its own with its own engine, started before this one has any thread. */
#include "lake_kit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"

enum { COMMITS = 60, ROWS = 3 };

static const nx_field FIELDS[] = {{.name = "writer", .type = {.kind = NX_STRING}, .nullable = true},
                                  {.name = "n", .type = {.kind = NX_INT64}, .nullable = true}};
static const nx_schema SCHEMA = {FIELDS, 2};
static const char *const PART[] = {"writer", NULL};
static const nx_table_spec SPEC = {.name = "bronze.t", .schema = &SCHEMA, .partition = PART};

static int fail_child(const kit *k, const char *what)
{
    fprintf(stderr, "writer: %s: %s\n", what, k->err.text);
    return 1;
}

static nx_status add_batch(kit *k, nx_writer *w, const char *who, int64_t i)
{
    nx_batch b;
    NX_TRY(nx_batch_init(&b, &SCHEMA, 0, 0));
    for (int64_t n = i * ROWS; n < (i + 1) * ROWS; n++) {
        NX_TRY(nx_col_str(&b, &b.cols[0], nx_str_of(who)));
        NX_TRY(nx_col_i64(&b, &b.cols[1], n));
        nx_batch_end_row(&b);
    }
    nx_status st = nx_writer_add(w, &b, &k->err);
    nx_batch_drop(&b);
    return st;
}

/* Appends batch after batch from the last committed one on, as the edge does after a restart. */
static int write_all(const char *dir, const char *who, const char *fault)
{
    kit k = {0};
    nx_table *t;
    nx_writer *w;
    nx_commit_result r;
    int64_t last;
    nx_engine_opts eo = {.memory_bytes = (uint64_t)64 << 20, .threads = 1};
    nx_lake_opts lo = {.root = dir};
    if (!nx_fault_arm(fault))
        return 2;
    if (nx_engine_open(&eo, &k.e, &k.err) != NX_OK || (lo.engine = k.e, nx_lake_open(&lo, &k.l, &k.err)) != NX_OK ||
        nx_session_open(k.e, &k.s, &k.err) != NX_OK || nx_table_ensure(k.l, &SPEC, &t, &k.err) != NX_OK ||
        nx_table_txn(t, who, &last, &k.err) != NX_OK || nx_writer_open(t, &w, &k.err) != NX_OK)
        return fail_child(&k, "opening");
    for (int64_t i = last + 1; i < COMMITS; i++) {
        nx_commit_opts o = {.app_id = who, .txn_version = i};
        if (add_batch(&k, w, who, i) != NX_OK)
            return fail_child(&k, "adding");
        if (nx_writer_commit(w, &o, &r, &k.err) != NX_OK)
            return fail_child(&k, "committing");
    }
    nx_writer_drop(w);
    nx_session_close(k.s);
    nx_lake_close(k.l);
    nx_engine_close(k.e);
    return 0;
}

static pid_t start(const char *dir, const char *who, const char *fault)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(write_all(dir, who, fault));
    return pid;
}

static int wait_for(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void check(const char *dir, int writers)
{
    kit k = {0};
    nx_engine_opts eo = {.memory_bytes = (uint64_t)64 << 20, .threads = 1, .resolve = kit_resolve, .resolve_ctx = &k};
    nx_lake_opts lo = {.root = dir};
    snprintf(k.dir, sizeof k.dir, "%s", dir);
    FINE(&k, nx_engine_open(&eo, &k.e, &k.err));
    lo.engine = k.e;
    FINE(&k, nx_lake_open(&lo, &k.l, &k.err));
    FINE(&k, nx_session_open(k.e, &k.s, &k.err));
    assert_int_equal(kit_int(&k, "SELECT count(*) FROM \"bronze.t\""), (int64_t)writers * COMMITS * ROWS);
    assert_int_equal(kit_int(&k, "SELECT count(DISTINCT (writer, n)) FROM \"bronze.t\""),
                     (int64_t)writers * COMMITS * ROWS);
    nx_table *t;
    nx_table_info info;
    FINE(&k, nx_table_open(k.l, "bronze.t", &t, &k.err));
    FINE(&k, nx_table_info_get(t, &info, &k.err));
    assert_int_equal(info.version, writers * COMMITS); /* one commit each, none twice */
    assert_int_equal(info.files, writers * COMMITS);
    nx_session_close(k.s);
    nx_lake_close(k.l);
    nx_engine_close(k.e);
}

static int up(void **state)
{
    static char dir[64];
    snprintf(dir, sizeof dir, "/tmp/nexus-crash-XXXXXX");
    *state = mkdtemp(dir);
    return *state == NULL ? -1 : 0;
}

static int down(void **state)
{
    return nx_dir_remove(*state, NULL) == NX_OK ? 0 : -1;
}

/* Three processes race for every version number. */
static void test_rivals(void **state)
{
    const char *dir = *state;
    pid_t a = start(dir, "a", NULL), b = start(dir, "b", NULL), c = start(dir, "c", NULL);
    assert_int_equal(wait_for(a), 0);
    assert_int_equal(wait_for(b), 0);
    assert_int_equal(wait_for(c), 0);
    check(dir, 3);
}

/* Killed before or after a commit, in the middle of a file, a link or a sync; started again until it is through. */
static void test_kills(void **state)
{
    const char *dir = *state;
    static const char *const points[] = {"DELTA_COMMIT:7:kill", "DELTA_COMMITTED:9:kill", "PARQUET_WRITE:3:kill",
                                         "FILE_LINK:5:kill",    "FILE_WRITE:6:kill",      "FILE_FSYNC:11:kill",
                                         "FILE_RENAME:4:kill"};
    for (size_t i = 0; i < NX_COUNT_OF(points); i++) {
        int status = wait_for(start(dir, "a", points[i]));
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
            fail_msg("%s: the writer was not killed (status %d)", points[i], status);
    }
    assert_int_equal(wait_for(start(dir, "a", NULL)), 0);
    check(dir, 1);
}

/* The answer to a commit that was written is lost: the writer finds its own txnId there, and goes on. */
static void test_lost_answer(void **state)
{
    const char *dir = *state;
    assert_int_equal(wait_for(start(dir, "a", "DELTA_COMMITTED:5:error")), 0);
    check(dir, 1);
}

/* A commit that fails leaves no trace; the writer started again goes on. */
static void test_failed_commit(void **state)
{
    const char *dir = *state;
    static const char *const points[] = {"DELTA_COMMIT:4:error", "PARQUET_WRITE:2:error", "FILE_LINK:3:error"};
    for (size_t i = 0; i < NX_COUNT_OF(points); i++)
        assert_int_equal(WEXITSTATUS(wait_for(start(dir, "a", points[i]))), 1);
    assert_int_equal(wait_for(start(dir, "a", NULL)), 0);
    check(dir, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_kills, up, down),
        cmocka_unit_test_setup_teardown(test_lost_answer, up, down),
        cmocka_unit_test_setup_teardown(test_failed_commit, up, down),
        cmocka_unit_test_setup_teardown(test_rivals, up, down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
