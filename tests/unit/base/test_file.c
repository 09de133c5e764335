#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"

typedef struct place {
    char dir[64], file[96];
} place;

static int set_up(void **state)
{
    place *p = calloc(1, sizeof *p);
    snprintf(p->dir, sizeof p->dir, "/tmp/nexus-file-XXXXXX");
    if (mkdtemp(p->dir) == NULL)
        return -1;
    snprintf(p->file, sizeof p->file, "%s/a", p->dir);
    *state = p;
    return 0;
}

static int tear_down(void **state)
{
    place *p = *state;
    nx_fault_arm(NULL);
    int rc = nx_dir_remove(p->dir, NULL) == NX_OK ? 0 : -1;
    free(p);
    return rc;
}

static void assert_holds(const char *path, const char *want)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_file_read(path, &b, NULL), NX_OK);
    assert_true(nx_str_is(nx_buf_str(&b), want));
}

static nx_status count(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    (void)name;
    (void)is_dir;
    (void)err;
    ++*(int *)ctx;
    return NX_OK;
}

static int entries(const char *dir)
{
    int n = 0;
    assert_int_equal(nx_dir_list(dir, count, &n, NULL), NX_OK);
    return n;
}

static void replace_and_read(void **state)
{
    place *p = *state;
    nx_err err;
    assert_int_equal(nx_file_replace(p->file, NX_STR("one"), &err), NX_OK);
    assert_holds(p->file, "one");
    assert_int_equal(nx_file_replace(p->file, NX_STR("second"), &err), NX_OK);
    assert_holds(p->file, "second");
    assert_int_equal(nx_file_sync(p->file, &err), NX_OK);
    assert_int_equal(entries(p->dir), 1);
    assert_int_equal(nx_file_replace(p->file, NX_STR(""), &err), NX_OK);
    assert_holds(p->file, "");
}

static void read_says_what_is_wrong(void **state)
{
    place *p = *state;
    nx_err err;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 4);
    assert_int_equal(nx_file_read(p->file, &b, &err), NX_NOT_FOUND);
    assert_non_null(strstr(err.text, p->file));
    assert_int_equal(nx_file_read(p->dir, &b, &err), NX_IO);
    assert_int_equal(nx_file_replace(p->file, NX_STR("1234"), &err), NX_OK);
    assert_int_equal(nx_file_read(p->file, &b, &err), NX_OK);
    nx_buf_clear(&b);
    assert_int_equal(nx_file_replace(p->file, NX_STR("12345"), &err), NX_OK);
    assert_int_equal(nx_file_read(p->file, &b, &err), NX_LIMIT);
    assert_non_null(strstr(err.text, p->file));
}

static void create_refuses_a_second_time(void **state)
{
    place *p = *state;
    nx_err err;
    assert_int_equal(nx_file_create(p->file, NX_STR("first"), &err), NX_OK);
    assert_int_equal(nx_file_create(p->file, NX_STR("late"), &err), NX_EXISTS);
    assert_holds(p->file, "first");
    assert_int_equal(entries(p->dir), 1);
}

typedef struct racer {
    const char *path;
    nx_status st;
} racer;

static void *race(void *arg)
{
    racer *r = arg;
    r->st = nx_file_create(r->path, NX_STR("won"), NULL);
    return NULL;
}

static void create_has_one_winner(void **state)
{
    place *p = *state;
    enum { N = 8 };
    pthread_t t[N];
    racer r[N];
    for (int i = 0; i < N; i++) {
        r[i] = (racer){p->file, NX_INTERNAL};
        assert_int_equal(pthread_create(&t[i], NULL, race, &r[i]), 0);
    }
    int won = 0;
    for (int i = 0; i < N; i++) {
        pthread_join(t[i], NULL);
        won += r[i].st == NX_OK;
        assert_true(r[i].st == NX_OK || r[i].st == NX_EXISTS);
    }
    assert_int_equal(won, 1);
    assert_int_equal(entries(p->dir), 1);
}

/* Whatever step fails: the old content stands, nothing else is left in the folder, the error names the file. */
static void faults_leave_the_old_file(void **state)
{
    place *p = *state;
    static const char *const specs[] = {"FILE_WRITE", "FILE_WRITE:0:short", "FILE_FSYNC", "FILE_RENAME"};
    assert_int_equal(nx_file_replace(p->file, NX_STR("old"), NULL), NX_OK);
    for (size_t i = 0; i < NX_COUNT_OF(specs); i++) {
        nx_err err;
        assert_true(nx_fault_arm(specs[i]));
        assert_int_equal(nx_file_replace(p->file, NX_STR("new content"), &err), NX_IO);
        assert_non_null(strstr(err.text, p->dir));
        assert_holds(p->file, "old");
        assert_int_equal(entries(p->dir), 1);
    }
    assert_true(nx_fault_arm("FILE_LINK"));
    char other[128];
    snprintf(other, sizeof other, "%s/b", p->dir);
    assert_int_equal(nx_file_create(other, NX_STR("x"), NULL), NX_IO);
    assert_false(nx_file_exists(other));
    assert_int_equal(entries(p->dir), 1);
}

static void kill_leaves_the_old_file(void **state)
{
    place *p = *state;
    static const char *const specs[] = {"FILE_WRITE:0:kill", "FILE_FSYNC:0:kill", "FILE_RENAME:0:kill"};
    assert_int_equal(nx_file_replace(p->file, NX_STR("old"), NULL), NX_OK);
    for (size_t i = 0; i < NX_COUNT_OF(specs); i++) {
        pid_t child = fork();
        if (child == 0) {
            nx_fault_arm(specs[i]);
            _exit(nx_file_replace(p->file, NX_STR("new"), NULL) == NX_OK ? 0 : 1);
        }
        int rc;
        assert_int_equal(waitpid(child, &rc, 0), child);
        assert_true(WIFSIGNALED(rc));
        assert_holds(p->file, "old");
    }
}

static void fd_write_names_the_file(void **state)
{
    place *p = *state;
    nx_err err;
    NX_AUTO(nx_fd_drop) int fd = open(p->file, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(nx_fd_write(fd, "abc", 3, &err), NX_OK);
    assert_true(nx_fault_arm("FILE_WRITE:0:short"));
    assert_int_equal(nx_fd_write(fd, "defg", 4, &err), NX_IO);
    assert_non_null(strstr(err.text, p->file));
    assert_true(err.hint[0] != '\0');
    assert_holds(p->file, "abcde");
}

static nx_status join(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    (void)err;
    return nx_buf_addf(ctx, "%s%s ", name, is_dir ? "/" : "");
}

static void folders(void **state)
{
    place *p = *state;
    nx_err err;
    char deep[128], path[160];
    snprintf(deep, sizeof deep, "%s/x//y/z/", p->dir);
    assert_int_equal(nx_dir_make(deep, &err), NX_OK);
    assert_int_equal(nx_dir_make(deep, &err), NX_OK);
    snprintf(path, sizeof path, "%s/x/b", p->dir);
    assert_int_equal(nx_file_create(path, NX_STR(""), &err), NX_OK);
    snprintf(path, sizeof path, "%s/x/a", p->dir);
    assert_int_equal(nx_file_create(path, NX_STR(""), &err), NX_OK);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    snprintf(path, sizeof path, "%s/x", p->dir);
    assert_int_equal(nx_dir_list(path, join, &b, &err), NX_OK);
    assert_true(nx_str_is(nx_buf_str(&b), "a b y/ "));
    snprintf(deep, sizeof deep, "%s/x/a/under", p->dir);
    assert_int_equal(nx_dir_make(deep, &err), NX_IO);
    assert_non_null(strstr(err.text, "/x/a"));
    assert_int_equal(nx_dir_remove(path, &err), NX_OK);
    assert_int_equal(nx_dir_remove(path, &err), NX_OK);
    assert_int_equal(nx_dir_list(path, join, &b, &err), NX_NOT_FOUND);
    assert_int_equal(nx_dir_make("", &err), NX_INVALID);
}

static void removal_does_not_follow_links(void **state)
{
    place *p = *state;
    char keep[128], tree[128], link_path[160], inside[160];
    snprintf(keep, sizeof keep, "%s/keep", p->dir);
    snprintf(tree, sizeof tree, "%s/tree", p->dir);
    snprintf(link_path, sizeof link_path, "%s/link", tree);
    snprintf(inside, sizeof inside, "%s/precious", keep);
    assert_int_equal(nx_dir_make(keep, NULL), NX_OK);
    assert_int_equal(nx_dir_make(tree, NULL), NX_OK);
    assert_int_equal(nx_file_create(inside, NX_STR("x"), NULL), NX_OK);
    assert_int_equal(symlink(keep, link_path), 0);
    assert_int_equal(nx_dir_remove(tree, NULL), NX_OK);
    assert_true(nx_file_exists(inside));
}

static void lock_names_its_holder(void **state)
{
    place *p = *state;
    nx_err err;
    nx_lock a, b;
    char pid[32];
    assert_int_equal(nx_lock_take(&a, p->file, &err), NX_OK);
    assert_int_equal(nx_lock_take(&b, p->file, &err), NX_CONFLICT);
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    assert_non_null(strstr(err.text, pid));
    assert_true(err.hint[0] != '\0');
    nx_lock_drop(&a);
    assert_int_equal(nx_lock_take(&b, p->file, &err), NX_OK);
    nx_lock_drop(&b);
    nx_lock_drop(&b);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(replace_and_read),
        TEST(read_says_what_is_wrong),
        TEST(create_refuses_a_second_time),
        TEST(create_has_one_winner),
        TEST(faults_leave_the_old_file),
        TEST(kill_leaves_the_old_file),
        TEST(fd_write_names_the_file),
        TEST(folders),
        TEST(removal_does_not_follow_links),
        TEST(lock_names_its_holder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
