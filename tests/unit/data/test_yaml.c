#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "data/yaml.h"

static void assert_reads(const char *yaml, const char *json)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_val *v;
    nx_err err;
    if (nx_yaml_parse(nx_str_of(yaml), "t.yml", &a, &v, &err) != NX_OK)
        fail_msg("%s: %s", yaml, err.text);
    assert_int_equal(nx_val_to_json(v, &b), NX_OK);
    assert_string_equal(b.p, json);
}

static void reads(void **state)
{
    (void)state;
    assert_reads("", "null");
    assert_reads("# only a comment\n", "null");
    assert_reads("---\n...\n", "null");
    assert_reads("plain words", "\"plain words\"");
    assert_reads("a: 1\nb:\n  - x\n  - y: 2\n    z: [1, {k: v}]\n",
                 "{\"a\":1,\"b\":[\"x\",{\"y\":2,\"z\":[1,{\"k\":\"v\"}]}]}");
    assert_reads("a: |\n  one\n  two\nb: >-\n  one\n  two\nc: \"x\\ty\"\nd: 'it''s'\n",
                 "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\",\"c\":\"x\\ty\",\"d\":\"it's\"}");
    assert_reads("{a: 1, \"b\": [2,], c}", "{\"a\":1,\"b\":[2],\"c\":null}");
    assert_reads("{\"json\": [true, null, 1.5e3, \"\\u00e9\"]}", "{\"json\":[true,null,1.5e3,\"\xC3\xA9\"]}");
    assert_reads("\xEF\xBB\xBF"
                 "a: 1\n",
                 "{\"a\":1}");
    assert_reads("a: 1\r\nb: 2\r\n", "{\"a\":1,\"b\":2}");
}

static void plain_scalars(void **state)
{
    (void)state;
    assert_reads("[null, ~, Null, NULL, true, True, TRUE, false, False, FALSE]",
                 "[null,null,null,null,true,true,true,false,false,false]");
    assert_reads("[0, -1, 1.50, 1e3, -0.0, 1E+2]", "[0,-1,1.50,1e3,-0.0,1E+2]");
    /* only JSON's numbers are numbers: nothing changes its value because of how it is spelt */
    assert_reads(
        "[01, +1, .5, 1., 0x1F, 0o7, 1_000, .inf, .nan, 1:30, 2024-01-02, yes, no, on, off, y, n]",
        "[\"01\",\"+1\",\".5\",\"1.\",\"0x1F\",\"0o7\",\"1_000\",\".inf\",\".nan\",\"1:30\",\"2024-01-02\",\"yes\","
        "\"no\",\"on\",\"off\",\"y\",\"n\"]");
    assert_reads("['1', \"true\", 'null', '', \"~\"]", "[\"1\",\"true\",\"null\",\"\",\"~\"]");
    assert_reads("[!!str 1, !!str true, !!int 5, !!float 1.5, !!bool true, !!null ~, ! 7]",
                 "[\"1\",\"true\",5,1.5,true,null,\"7\"]");
    assert_reads("1: a\ntrue: b\n'x y': c\n", "{\"1\":\"a\",\"true\":\"b\",\"x y\":\"c\"}");
}

static void quoted_and_places(void **state)
{
    (void)state;
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *v;
    assert_int_equal(nx_yaml_parse(NX_STR("a: x\nb:\n  c: 'x'\n  d: |\n    x\n"), "t.yml", &a, &v, NULL), NX_OK);
    assert_false(nx_val_get(v, "a")->quoted);
    assert_true(nx_val_path(v, "b.c")->quoted);
    assert_true(nx_val_path(v, "b.d")->quoted);
    assert_true(nx_val_get(v, "a")->line == 1 && nx_val_get(v, "a")->col == 4);
    assert_true(nx_val_path(v, "b.c")->line == 3 && nx_val_path(v, "b.c")->col == 6);
    assert_int_equal(nx_val_get(v, "b")->line, 3); /* a block mapping begins at its first key */
}

static void anchors_and_merges(void **state)
{
    (void)state;
    assert_reads("a: &x {p: 1, q: [2]}\nb: *x\nc: *x\n",
                 "{\"a\":{\"p\":1,\"q\":[2]},\"b\":{\"p\":1,\"q\":[2]},\"c\":{\"p\":1,\"q\":[2]}}");
    assert_reads("a: &x 1\nb: &x 2\nc: *x\n", "{\"a\":1,\"b\":2,\"c\":2}");
    assert_reads("base: &b {p: 1, q: 2}\nd:\n  q: 9\n  <<: *b\n  r: 3\n",
                 "{\"base\":{\"p\":1,\"q\":2},\"d\":{\"q\":9,\"r\":3,\"p\":1}}");
    assert_reads("a: &a {p: 1}\nb: &b {p: 2, q: 3}\nc:\n  <<: [*a, *b]\n",
                 "{\"a\":{\"p\":1},\"b\":{\"p\":2,\"q\":3},\"c\":{\"p\":1,\"q\":3}}");
    assert_reads("'<<': 1\n", "{\"<<\":1}"); /* quoted: a key like any other */
    assert_reads("? &k key\n: *k\n", "{\"key\":\"key\"}");
}

static void refuses(void **state)
{
    (void)state;
    static const char *const v[][2] = {
        {"a: 1\nb: 2\na: 3\n", "t.yml at line 3, column 1: the key \"a\" is there twice"},
        {"{a: 1, 'a': 2}", "the key \"a\" is there twice"},
        {"a: [1, 2\nb: 3\n", "t.yml at line "},
        {"a: *nope\n", "line 1, column 4: there is no anchor \"nope\" above"},
        {"&a [*a]\n", "there is no anchor \"a\" above"},
        {"a: &x 1\nb: {<<: *x}\n", "\"<<\" merges mappings only"},
        {"a: &x {p: 1}\nb:\n  <<: *x\n  <<: *x\n", "line 4, column 3: the key \"<<\" is there twice"},
        {"--- 1\n--- 2\n", "a second document"},
        {"a: !foo x\n", "line 1, column "},
        {"? [a, b]\n: 1\n", "a key must be text"},
        {"? {a: b}\n: 1\n", "a key must be text"},
        {": 1\n", "a key must be text"},
        {"\ta: 1\n", "t.yml at line 1"},
        {"a: b: c\n", "t.yml at line 1"},
        {"a: 'x\n", "t.yml at line "},
        {"a: \"\\q\"\n", "t.yml at line 1"},
        {"a: @x\n", "t.yml at line 1"},
        {"a: 1\n b: 2\n", "t.yml at line "},
        {"a: \xFF\n", "t.yml at line 1: byte 0xFF is not UTF-8 text"},
        {"[a, b]]\n", "t.yml at line 1"},
        {"a: |0  one\n", "t.yml at line 1, column 1: what follows is not YAML"}, /* the library has no words for it */
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_val *tree = NULL;
        nx_err err;
        if (nx_yaml_parse(nx_str_of(v[i][0]), "t.yml", &a, &tree, &err) != NX_INVALID)
            fail_msg("taken: %s", v[i][0]);
        assert_null(tree);
        if (strstr(err.text, v[i][1]) == NULL)
            fail_msg("\"%s\" is not in \"%s\"", v[i][1], err.text);
    }
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_val *tree;
    assert_int_equal(nx_yaml_parse((nx_str){"a\0b", 3}, "t.yml", &a, &tree, NULL), NX_INVALID);
}

/* Ten aliases of ten aliases of ...: 10^9 nodes when written out, a few hundred values here. */
static void laughs_cost_nothing(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_buf_adds(&b, "l0: &l0 [lol]\n"), NX_OK);
    for (int i = 1; i <= 9; i++) {
        assert_int_equal(nx_buf_addf(&b, "l%d: &l%d [", i, i), NX_OK);
        for (int k = 0; k < 10; k++)
            assert_int_equal(nx_buf_addf(&b, "%s*l%d", k == 0 ? "" : ",", i - 1), NX_OK);
        assert_int_equal(nx_buf_adds(&b, "]\n"), NX_OK);
    }
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_val *v;
    assert_int_equal(nx_yaml_parse(nx_buf_str(&b), "t.yml", &a, &v, NULL), NX_OK);
    assert_int_equal(nx_val_get(v, "l9")->n, 10);
    NX_BUF_AUTO nx_buf out;
    nx_buf_init(&out, 1 << 20);
    assert_int_equal(nx_val_to_json(v, &out), NX_LIMIT); /* written out it meets the buffer's maximum */
}

static void limits(void **state)
{
    (void)state;
    char text[300];
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 64 << 10);
    nx_val *v;
    nx_err err;
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    assert_int_equal(nx_yaml_parse((nx_str){text, 200}, "deep.yml", &a, &v, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "deep.yml"));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(nx_buf_addf(&b, "- item %d\n", i), NX_OK);
    assert_int_equal(nx_yaml_parse(nx_buf_str(&b), "long.yml", &a, &v, &err), NX_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads),
        cmocka_unit_test(plain_scalars),
        cmocka_unit_test(quoted_and_places),
        cmocka_unit_test(anchors_and_merges),
        cmocka_unit_test(refuses),
        cmocka_unit_test(laughs_cost_nothing),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
