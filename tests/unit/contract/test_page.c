/* Pages: which values stand at a path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "contract/contract.h"

static nx_status note(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)err;
    NX_TRY(nx_buf_add(ctx, key));
    NX_TRY(nx_buf_addc(ctx, '='));
    NX_TRY(nx_buf_add(ctx, value));
    return nx_buf_addc(ctx, ';');
}

static void values_at_paths(void **state)
{
    (void)state;
    static const struct {
        const char *page, *path, *want;
    } v[] = {
        {"{\"bars\":{\"AAPL\":[{\"c\":1},{\"c\":2}],\"SPY\":[ {\"c\":3} ]},\"next_page_token\":\"x\"}", "bars.*[]",
         "AAPL={\"c\":1};AAPL={\"c\":2};SPY={\"c\":3};"},
        {"{\"bars\":{\"AAPL\":[]},\"next_page_token\":\"x\"}", "next_page_token", "=\"x\";"},
        {" {\"bars\" : {\"AAPL\" : {\"c\":1}}} ", "bars.*", "AAPL={\"c\":1};"},
        {"{\"bars\":{},\"next_page_token\":null}", "bars.*[]", ""},
        {"{\"bars\":null}", "bars.*[]", ""},
        {"{}", "bars.*[]", ""},
        {"[{\"id\":1}, {\"id\":2}]", "[]", "={\"id\":1};={\"id\":2};"},
        {"[{\"id\":1}, {\"id\":2}]", "[].id", "=1;=2;"},
        {"[[1,2],[3]]", "[].[]", "=1;=2;=3;"},
        {"{\"kind\":\"Listing\",\"data\":{\"children\":[{\"kind\":\"t3\",\"data\":{\"id\":\"a\"}}]}}",
         "data.children[].data", "={\"id\":\"a\"};"},
        {"{\"d\\u0061ta\":1}", "data", "=1;"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_err err = {0};
        nx_buf_init(&b, 0);
        assert_int_equal(nx_page_each(nx_str_of(v[i].page), v[i].path, note, &b, &err), NX_OK);
        assert_string_equal(nx_buf_str(&b).p, v[i].want);
    }
}

static nx_status stop(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    (void)key, (void)value;
    ++*(int *)ctx;
    return nx_fail(err, NX_CANCELLED, "enough");
}

static void failures(void **state)
{
    (void)state;
    nx_err err = {0};
    int calls = 0;
    assert_int_equal(nx_page_each(NX_STR("[1,2]"), "[]", stop, &calls, &err), NX_CANCELLED);
    assert_int_equal(calls, 1);
    static const char *const broken[] = {"", "{", "[1,2", "[1,2]]", "<html>", "{\"a\":tru}", "{\"a\":1,}"};
    for (size_t i = 0; i < NX_COUNT_OF(broken); i++)
        assert_int_equal(nx_page_each(nx_str_of(broken[i]), "[]", stop, &calls, &err), NX_INVALID);
    assert_int_equal(calls, 1); /* nothing of a broken page is handed over */
    static const char *const paths[] = {"", "a..b", ".", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r"};
    for (size_t i = 0; i < NX_COUNT_OF(paths); i++)
        assert_int_equal(nx_page_each(NX_STR("{}"), paths[i], stop, &calls, &err), NX_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(values_at_paths), cmocka_unit_test(failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
