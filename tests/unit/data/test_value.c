#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/json.h"
#include "data/value.h"

static const char text[] =
    "{\"s\":\"x\",\"n\":12,\"e\":1e3,\"f\":2.5,\"b\":true,\"z\":null,\"o\":{\"p\":{\"q\":\"deep\"}},\"a\":[1],"
    "\"big\":9223372036854775807,\"low\":-9223372036854775808,\"over\":9223372036854775808,\"\":7}";

static int set_up(void **state)
{
    static nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *v;
    if (nx_json_parse(nx_str_of(text), NULL, &a, &v, NULL) != NX_OK)
        return -1;
    static void *both[2];
    both[0] = v;
    both[1] = &a;
    *state = both;
    return 0;
}

static int tear_down(void **state)
{
    nx_arena_drop(((void **)*state)[1]);
    return 0;
}

static void looks(void **state)
{
    const nx_val *v = ((void **)*state)[0];
    assert_true(nx_str_is(nx_val_str(nx_val_get(v, "s"), NX_STR("?")), "x"));
    assert_true(nx_str_is(nx_val_str(nx_val_get(v, "n"), NX_STR("?")), "?")); /* a number is no text */
    assert_true(nx_str_is(nx_val_str(nx_val_get(v, "none"), NX_STR("?")), "?"));
    assert_true(nx_str_is(nx_val_str(nx_val_get(v, "z"), NX_STR("?")), "?"));
    assert_int_equal(nx_val_i64(nx_val_get(v, "n"), 5), 12);
    assert_int_equal(nx_val_i64(nx_val_get(v, "e"), 5), 1000);
    assert_int_equal(nx_val_i64(nx_val_get(v, "f"), 5), 5); /* not whole */
    assert_int_equal(nx_val_i64(nx_val_get(v, "s"), 5), 5);
    assert_true(nx_val_i64(nx_val_get(v, "big"), 5) == INT64_MAX);
    assert_true(nx_val_i64(nx_val_get(v, "low"), 5) == INT64_MIN);
    assert_int_equal(nx_val_i64(nx_val_get(v, "over"), 5), 5);
    assert_true(nx_val_f64(nx_val_get(v, "f"), 1) == 2.5);
    assert_true(nx_val_f64(nx_val_get(v, "b"), 1) == 1);
    assert_true(nx_val_bool(nx_val_get(v, "b"), false));
    assert_false(nx_val_bool(nx_val_get(v, "n"), false));
    assert_int_equal(nx_val_i64(nx_val_get(v, ""), 5), 7);
}

static void paths(void **state)
{
    const nx_val *v = ((void **)*state)[0];
    assert_true(nx_str_is(nx_val_path(v, "o.p.q")->s, "deep"));
    assert_ptr_equal(nx_val_path(v, "o"), nx_val_get(v, "o"));
    assert_null(nx_val_path(v, "o.x.q"));
    assert_null(nx_val_path(v, "s.q"));
    assert_null(nx_val_path(v, "a.0"));
    assert_null(nx_val_path(NULL, "a"));
    assert_null(nx_val_get(NULL, "a"));
    assert_null(nx_val_get(nx_val_get(v, "a"), "a"));
}

static void back_to_json(void **state)
{
    const nx_val *v = ((void **)*state)[0];
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_val_to_json(v, &b), NX_OK);
    assert_string_equal(b.p, text);
    NX_BUF_AUTO nx_buf small;
    nx_buf_init(&small, 20);
    assert_int_equal(nx_val_to_json(v, &small), NX_LIMIT);
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(nx_val_kind_name(NX_VAL_OBJ), "object");
    assert_string_equal(nx_val_kind_name(NX_VAL_NULL), "null");
    assert_string_equal(nx_val_kind_name((nx_val_kind)99), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks),
        cmocka_unit_test(paths),
        cmocka_unit_test(back_to_json),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
