/* The JSON reader and writer. Promise 6. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "data/json.h"

static const nx_val *parse(nx_arena *a, const char *text)
{
    nx_err err;
    nx_val *v = NULL;
    if (nx_json_parse(nx_str_of(text), NULL, a, &v, &err) != NX_OK)
        fail_msg("%s: %s", text, err.text);
    return v;
}

static void trees_and_places(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    const nx_val *v =
        parse(&a, "{\"a\": [1, -2.50e3, true],\n \"\xC3\xA9\": {\"b\": null}, \"s\": \"x\\n\\u20ac\\ud83d\\ude00\"}");
    assert_int_equal(v->kind, NX_VAL_OBJ);
    assert_int_equal(v->n, 3);
    assert_true(v->line == 1 && v->col == 1);
    const nx_val *list = nx_val_get(v, "a");
    assert_int_equal(list->kind, NX_VAL_ARR);
    assert_int_equal(list->n, 3);
    assert_true(list->line == 1 && list->col == 7);
    assert_true(nx_str_is(list->items[1].s, "-2.50e3"));
    assert_string_equal(list->items[1].s.p, "-2.50e3"); /* 0-terminated */
    assert_true(list->items[1].col == 11);
    assert_true(list->items[2].kind == NX_VAL_BOOL && list->items[2].b);
    assert_string_equal(v->keys[1].p, "\xC3\xA9");
    const nx_val *inner = nx_val_path(v, "\xC3\xA9.b");
    assert_int_equal(inner->kind, NX_VAL_NULL);
    assert_true(inner->line == 2 && inner->col == 13); /* columns count characters, not bytes */
    assert_string_equal(nx_val_get(v, "s")->s.p, "x\n\xE2\x82\xAC\xF0\x9F\x98\x80");
}

static void errors_name_place_and_cause(void **state)
{
    (void)state;
    static const char *const v[][2] = {
        {"", "line 1, column 1: expected a value, found the end of the text"},
        {"[1,]", "line 1, column 4: expected a value, found ']'"},
        {"{\n  \"a\" 1}", "line 2, column 7: expected ':', found '1'"},
        {"[1 2]", "line 1, column 4: expected ',' or ']', found '2'"},
        {"{\"a\":1 \"b\"", "line 1, column 8: expected ',' or '}', found '\"'"},
        {"{a:1}", "line 1, column 2: expected a key in double quotes, found 'a'"},
        {"[\xC3\xA9]", "line 1, column 2: expected a value, found byte 0xC3"},
        {"{\"k\":1,\n\"k\":2}", "line 2, column 1: the key \"k\" is there twice"},
        {"\"ab\ncd\"", "line 1, column 4: control characters in a string"},
        {"[\"a\\qb\"]", "line 1, column 4: this escape does not exist"},
        {"\"\\u12g4\"", "line 1, column 2: \\u needs four hexadecimal digits"},
        {"\"\\ud800x\"", "line 1, column 2: half of a surrogate pair stands alone"},
        {"\"\\udc00\"", "line 1, column 2: half of a surrogate pair stands alone"},
        {"[\"abc", "line 1, column 2: this string has no closing quote"},
        {"[01]", "line 1, column 2: this is not a number as JSON writes it"},
        {"[1.]", "line 1, column 2: this is not a number as JSON writes it"},
        {"true false", "line 1, column 6: expected nothing more, found 'f'"},
        {"[\n\n \xFF]", "line 3, column 2: byte 0xFF is not UTF-8"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: the text begins with a byte order mark"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_err err;
        nx_val *tree = NULL;
        assert_int_equal(nx_json_parse(nx_str_of(v[i][0]), NULL, &a, &tree, &err), NX_INVALID);
        assert_null(tree);
        if (strstr(err.text, v[i][1]) == NULL)
            fail_msg("%s: \"%s\" is not in \"%s\"", v[i][0], v[i][1], err.text);
        assert_int_equal(nx_json_parse(nx_str_of(v[i][0]), NULL, &a, &tree, NULL), NX_INVALID);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[400];
    for (size_t depth = 1; depth <= 65; depth++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_val *v;
        nx_err err;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        nx_status st = nx_json_parse((nx_str){text, 2 * depth}, NULL, &a, &v, &err);
        assert_int_equal(st, depth <= 64 ? NX_OK : NX_INVALID);
        if (depth == 65)
            assert_non_null(strstr(err.text, "column 65: nested deeper than 64 levels"));
    }
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *v;
    nx_json_opts opts = {.depth_max = 2};
    assert_int_equal(nx_json_parse(NX_STR("[{}]"), &opts, &a, &v, NULL), NX_OK);
    assert_int_equal(nx_json_parse(NX_STR("[{\"a\":[]}]"), &opts, &a, &v, NULL), NX_INVALID);
    opts.depth_max = 100;
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    assert_int_equal(nx_json_parse((nx_str){text, 200}, &opts, &a, &v, NULL), NX_OK);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_val_to_json(v, &b), NX_LIMIT); /* the writer stops at 64 */
}

static void doubled_keys(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *v;
    nx_err err;
    nx_json_opts opts = {.allow_dup_keys = true};
    assert_int_equal(nx_json_parse(NX_STR("{\"a\":1,\"a\":2}"), &opts, &a, &v, NULL), NX_OK);
    assert_int_equal(v->n, 2);
    assert_int_equal(nx_val_i64(nx_val_get(v, "a"), 0), 2); /* the last one wins */
    assert_int_equal(nx_json_parse(NX_STR("{\"a\":1,\"\\u0061\":2}"), NULL, &a, &v, NULL), NX_INVALID);
    assert_int_equal(nx_json_parse(NX_STR("[{\"a\":1},{\"a\":2}]"), NULL, &a, &v, NULL), NX_OK);
    NX_BUF_AUTO nx_buf b; /* many keys take the other way through the code */
    nx_buf_init(&b, 0);
    assert_int_equal(nx_buf_adds(&b, "{"), NX_OK);
    for (int i = 0; i < 500; i++)
        assert_int_equal(nx_buf_addf(&b, "\"k%d\":%d,\n", i, i), NX_OK);
    size_t n = b.n;
    assert_int_equal(nx_buf_adds(&b, "\"k500\":1}"), NX_OK);
    assert_int_equal(nx_json_parse(nx_buf_str(&b), NULL, &a, &v, NULL), NX_OK);
    b.n = n;
    assert_int_equal(nx_buf_adds(&b, "\"k77\":1}"), NX_OK);
    assert_int_equal(nx_json_parse(nx_buf_str(&b), NULL, &a, &v, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "line 501, column 1: the key \"k77\" is there twice"));
}

static void memory_is_bounded(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_buf_adds(&b, "[0"), NX_OK);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(nx_buf_adds(&b, ",0"), NX_OK);
    assert_int_equal(nx_buf_adds(&b, "]"), NX_OK);
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_val *v;
    nx_err err;
    assert_int_equal(nx_json_parse(nx_buf_str(&b), NULL, &a, &v, &err), NX_NOMEM);
    assert_true(a.bytes <= 1 << 20);
}

static void random_text_is_never_harmful(void **state)
{
    (void)state;
    static const char alphabet[] = "{}[]:,\"\\u0123dDc8 \n-+.eEtrufalsn\x01\xC3\xA9\xFF";
    nx_rand r;
    nx_rand_seed(&r, 9);
    for (int i = 0; i < 50000; i++) {
        char text[40];
        size_t n = (size_t)nx_rand_below(&r, sizeof text);
        for (size_t k = 0; k < n; k++)
            text[k] = alphabet[nx_rand_below(&r, sizeof alphabet - 1)];
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_val *v;
        nx_err err;
        nx_status st = nx_json_parse((nx_str){text, n}, NULL, &a, &v, &err);
        assert_true(st == NX_OK || (st == NX_INVALID && strstr(err.text, "line ") != NULL));
    }
}

static void writes(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_key(&w, "a");
    nx_jw_arr(&w);
    nx_jw_i64(&w, INT64_MIN);
    nx_jw_bool(&w, true);
    nx_jw_null(&w);
    nx_jw_obj(&w);
    nx_jw_obj_end(&w);
    nx_jw_arr(&w);
    nx_jw_arr_end(&w);
    nx_jw_arr_end(&w);
    nx_jw_key_str(&w, NX_STR("k\"ey"));
    nx_jw_strf(&w, "%d%%", 5);
    nx_jw_key(&w, "c");
    nx_jw_cstr(&w, NULL);
    nx_jw_key(&w, "d");
    nx_jw_raw(&w, NX_STR("1.50"));
    nx_jw_key(&w, "e");
    nx_jw_cstr(&w, "\xFF");
    nx_jw_put_str(&w, "f", (nx_str){"x\"y", 2});
    nx_jw_put_cstr(&w, "g", NULL);
    nx_jw_put_i64(&w, "h", -1);
    nx_jw_put_f64(&w, "i", 0.1);
    nx_jw_put_bool(&w, "j", false);
    nx_jw_put_raw(&w, "k", NX_STR("[]"));
    nx_jw_obj_end(&w);
    assert_int_equal(nx_jw_end(&w), NX_OK);
    assert_string_equal(b.p,
                        "{\"a\":[-9223372036854775808,true,null,{},[]],\"k\\\"ey\":\"5%\",\"c\":null,\"d\":1.50,"
                        "\"e\":\"\xEF\xBF\xBD\",\"f\":\"x\\\"\",\"g\":null,\"h\":-1,\"i\":0.1,\"j\":false,\"k\":[]}");
}

static void a_failed_writer_stays_quiet(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 8);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_arr(&w);
    nx_jw_i64(&w, 123456);
    nx_jw_i64(&w, 789);
    nx_jw_cstr(&w, "x");
    nx_jw_arr_end(&w);
    assert_int_equal(nx_jw_end(&w), NX_LIMIT);
    assert_true(b.n <= 8);
    nx_buf_drop(&b);
    nx_buf_init(&b, 0);
    nx_jw_begin(&w, &b);
    for (int i = 0; i < 64; i++)
        nx_jw_arr(&w);
    for (int i = 0; i < 64; i++)
        nx_jw_arr_end(&w);
    assert_int_equal(nx_jw_end(&w), NX_OK);
    assert_int_equal(b.n, 128);
    nx_jw_begin(&w, &b);
    for (int i = 0; i < 65; i++)
        nx_jw_arr(&w);
    for (int i = 0; i < 65; i++)
        nx_jw_arr_end(&w);
    assert_int_equal(nx_jw_end(&w), NX_LIMIT);
}

static void doubles_read_back_equal(void **state)
{
    (void)state;
    static const struct {
        double v;
        const char *text;
    } known[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {100, "100"},
                 {1e21, "1e+21"},
                 {1.0 / 3, "0.3333333333333333"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {NAN, "null"},
                 {INFINITY, "null"},
                 {-INFINITY, "null"}};
    for (size_t i = 0; i < NX_COUNT_OF(known); i++) {
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        nx_jw w;
        nx_jw_begin(&w, &b);
        nx_jw_f64(&w, known[i].v);
        assert_int_equal(nx_jw_end(&w), NX_OK);
        assert_string_equal(b.p, known[i].text);
    }
    nx_rand r;
    nx_rand_seed(&r, 4);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = nx_rand_u64(&r);
        double v;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        NX_BUF_AUTO nx_buf b;
        nx_buf_init(&b, 0);
        nx_jw w;
        nx_jw_begin(&w, &b);
        nx_jw_f64(&w, v);
        assert_int_equal(nx_jw_end(&w), NX_OK);
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        double got = nx_val_f64(parse(&a, b.p), 0);
        assert_memory_equal(&got, &v, sizeof v);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_and_places),
        cmocka_unit_test(errors_name_place_and_cause),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(doubled_keys),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(random_text_is_never_harmful),
        cmocka_unit_test(writes),
        cmocka_unit_test(a_failed_writer_stays_quiet),
        cmocka_unit_test(doubles_read_back_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
