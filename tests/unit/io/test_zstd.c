/* Frames that the reader of compressed lines takes; limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "io/lines.h"
#include "io/zstd.h"

static void test_frames_are_read_back(void **state)
{
    (void)state;
    char path[] = "/tmp/nexus-zstd-XXXXXX";
    int fd = mkstemp(path);
    nx_err err = {0};
    nx_zstd *z = NULL;
    nx_lines *l = NULL;
    nx_str line;
    nx_buf b NX_BUF_AUTO, text NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    nx_buf_init(&text, 0);
    assert_true(fd >= 0);
    assert_int_equal(nx_zstd_new(0, &z, &err), NX_OK);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(nx_buf_adds(&text, "one line like all others\n"), NX_OK);
    assert_int_equal(nx_zstd_add(z, NX_STR("first\n"), &b, &err), NX_OK);
    assert_int_equal(nx_zstd_add(z, NX_STR(""), &b, &err), NX_OK);
    assert_int_equal(nx_zstd_add(z, nx_buf_str(&text), &b, &err), NX_OK);
    assert_true(b.n < 500);
    assert_int_equal(nx_fd_write(fd, b.p, b.n, &err), NX_OK);
    assert_int_equal(nx_lines_open(path, 0, &l, &err), NX_OK);
    assert_int_equal(nx_lines_next(l, &line, &err), NX_OK);
    assert_true(nx_str_is(line, "first"));
    for (int i = 0; i < 20000; i++) {
        assert_int_equal(nx_lines_next(l, &line, &err), NX_OK);
        assert_true(nx_str_is(line, "one line like all others"));
    }
    assert_int_equal(nx_lines_next(l, &line, &err), NX_NOTHING);
    nx_lines_close(l);
    nx_zstd_drop(z);
    nx_fd_drop(&fd);
    unlink(path);
}

static void test_limit(void **state)
{
    (void)state;
    nx_err err = {0};
    nx_zstd *z = NULL;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 10);
    assert_int_equal(nx_zstd_new(3, &z, &err), NX_OK);
    assert_int_equal(nx_zstd_add(z, NX_STR("more than there is room for"), &b, &err), NX_LIMIT);
    assert_int_equal(b.n, 0);
    nx_zstd_drop(z);
    nx_zstd_drop(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_frames_are_read_back), cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
