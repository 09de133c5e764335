#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/status.h"

static void texts_names_and_codes(void **state)
{
    (void)state;
    assert_string_equal(nx_status_text(NX_OK), "ok");
    assert_string_equal(nx_status_name(NX_IO), "NX_IO");
    assert_string_equal(nx_status_text((nx_status)999), "unknown status");
    assert_string_equal(nx_status_name((nx_status)999), "NX_?");
    assert_int_equal(nx_status_exit_code(NX_OK, false), 0);
    assert_int_equal(nx_status_exit_code(NX_CHECK_FAILED, true), 1);
    assert_int_equal(nx_status_exit_code(NX_INVALID, true), 2);
    assert_int_equal(nx_status_exit_code(NX_REMOTE, false), 3);
    assert_int_equal(nx_status_exit_code(NX_REMOTE, true), 75);
    assert_int_equal(nx_status_exit_code((nx_status)999, false), 3);
}

static void records_tell_the_story(void **state)
{
    (void)state;
    nx_err e;
    memset(&e, 0xFF, sizeof e);
    assert_int_equal(nx_fail(&e, NX_INVALID, "could not read %s", "a.yml"), NX_INVALID);
    assert_string_equal(e.text, "could not read a.yml");
    assert_string_equal(e.hint, "");
    assert_false(e.retriable);
    assert_int_equal(e.sys_errno, 0);
    assert_non_null(strstr(e.file, "test_status.c"));
    assert_int_equal(nx_err_hint(&e, NX_INVALID, "see %d", 4), NX_INVALID);
    assert_string_equal(e.hint, "see 4");
    assert_int_equal(nx_err_prefix(&e, "project %s", "x"), NX_INVALID);
    assert_string_equal(e.text, "project x: could not read a.yml");
    assert_string_equal(e.hint, "see 4");
    errno = ENOSPC;
    assert_int_equal(nx_fail_sys(&e, NX_IO, "could not write"), NX_IO);
    assert_string_equal(e.text, "could not write: No space left on device");
    assert_int_equal(e.sys_errno, ENOSPC);
    nx_fail(&e, NX_IO, "again: %s", e.text); /* the old text as an argument */
    assert_string_equal(e.text, "again: could not write: No space left on device");
    nx_err_clear(&e);
    assert_int_equal(e.status, NX_OK);
}

static void no_record_is_fine(void **state)
{
    (void)state;
    assert_int_equal(nx_fail(NULL, NX_IO, "x"), NX_IO);
    assert_int_equal(nx_fail_sys(NULL, NX_IO, "x"), NX_IO);
    assert_int_equal(nx_err_hint(NULL, NX_IO, "x"), NX_IO);
    assert_int_equal(nx_err_prefix(NULL, "x"), NX_INTERNAL);
    nx_err_clear(NULL);
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    nx_err e;
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    errno = EIO;
    nx_fail_sys(&e, NX_IO, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    nx_err_prefix(&e, "%s", text);
    nx_err_hint(&e, NX_IO, "%s", text);
    assert_int_equal(strlen(e.text), sizeof e.text - 1);
    assert_int_equal(strlen(e.hint), sizeof e.hint - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_names_and_codes),
        cmocka_unit_test(records_tell_the_story),
        cmocka_unit_test(no_record_is_fine),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
