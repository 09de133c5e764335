/* The command line: globals anywhere, values, repeats, suggestions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "app/cli.h"

typedef struct parsed {
    nx_arena arena;
    nx_globals g;
    nx_args a;
    const nx_cmd *cmd;
    nx_err err;
    nx_status st;
} parsed;

static void parse(parsed *p, int argc, const char *const *argv)
{
    nx_arena_init(&p->arena, 1 << 20);
    nx_err_clear(&p->err);
    p->st = nx_cli_parse(argc, (char **)(uintptr_t)argv, &p->arena, &p->g, &p->cmd, &p->a, &p->err);
}
#define PARSE(p, ...)                                                                                                  \
    do {                                                                                                               \
        const char *const argv_[] = {"nexus", __VA_ARGS__};                                                            \
        parse(&(p), (int)(sizeof argv_ / sizeof argv_[0]), argv_);                                                     \
    } while (0)

static void test_globals_anywhere(void **state)
{
    (void)state;
    parsed p;
    PARSE(p, "--project", "/x", "sql", "--json", "select 1", "--set", "a=1", "--set=b=2", "--csv");
    assert_int_equal(p.st, NX_OK);
    assert_string_equal(p.cmd->name, "sql");
    assert_string_equal(p.g.project, "/x");
    assert_true(p.g.json);
    assert_int_equal(p.g.n_sets, 2);
    assert_string_equal(p.g.sets[1], "b=2");
    assert_string_equal(p.a.words[0], "select 1");
    assert_true(nx_args_has(&p.a, "--csv"));
    nx_arena_drop(&p.arena);
}

static void test_dash_values(void **state)
{
    (void)state;
    parsed p;
    PARSE(p, "sql", "-o", "out.csv", "--", "-- a comment\nselect 1");
    assert_int_equal(p.st, NX_OK);
    assert_string_equal(nx_args_get(&p.a, "--output"), "out.csv");
    assert_string_equal(p.a.words[0], "-- a comment\nselect 1");
    nx_arena_drop(&p.arena);
}

static void expect(parsed *p, const char *text, const char *hint)
{
    assert_int_equal(p->st, NX_INVALID);
    if (strstr(p->err.text, text) == NULL || strstr(p->err.hint, hint) == NULL)
        fail_msg("got: %s / %s", p->err.text, p->err.hint);
    nx_arena_drop(&p->arena);
}

static void test_bad_usage(void **state)
{
    (void)state;
    parsed p;
    PARSE(p, "sqll", "x");
    expect(&p, "unknown command 'sqll'", "nexus sql");
    PARSE(p, "sql", "x", "--cvs");
    expect(&p, "unknown option --cvs", "--csv");
    PARSE(p, "sql", "x", "--output");
    expect(&p, "needs a value", "");
    PARSE(p, "sql", "x", "--csv=1");
    expect(&p, "takes no value", "");
    PARSE(p, "sql");
    expect(&p, "missing", "usage: nexus sql");
    PARSE(p, "sql", "a", "b");
    expect(&p, "too many", "usage");
    PARSE(p, "sql", "x", "-o", "a", "-o", "b");
    expect(&p, "given twice", "");
    PARSE(p, "--log-format", "xml", "sql", "x");
    expect(&p, "text or json", "");
    /* a mistake before --json is told as JSON all the same */
    PARSE(p, "sqll", "--bogus", "--json");
    assert_true(p.g.json);
    expect(&p, "unknown command", "nexus sql");
    PARSE(p, "sql", "--bogus", "x", "--", "--json");
    assert_false(p.g.json);
    expect(&p, "unknown option", "");
}

static void test_numbers(void **state)
{
    (void)state;
    parsed p;
    nx_err err = {0};
    int64_t v;
    PARSE(p, "sql", "x", "--max-rows", "5");
    assert_int_equal(nx_args_i64(&p.a, "--max-rows", 1, 0, 10, &v, &err), NX_OK);
    assert_int_equal(v, 5);
    assert_int_equal(nx_args_i64(&p.a, "--max-rows", 1, 0, 4, &v, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "from 0 to 4"));
    nx_arena_drop(&p.arena);
}

/* words of a usage text as "after>word" in one line */
static const char *words_of(const char *usage, char out[512])
{
    nx_cmd c = {.name = "x", .usage = usage};
    nx_cmd_word w[16];
    size_t n = nx_cmd_words(&c, w, 16), at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, 512 - at, "%s" NX_STR_FMT ">" NX_STR_FMT, i == 0 ? "" : " ",
                               NX_STR_ARG(w[i].after), NX_STR_ARG(w[i].word));
    return out;
}

static void test_usage_words(void **state)
{
    (void)state;
    char out[512];
    assert_string_equal(words_of("ls | show RECORD_ID", out), ">ls >show");
    assert_string_equal(words_of("alpaca bars|trades | reddit", out), ">alpaca alpaca>bars alpaca>trades >reddit");
    assert_string_equal(words_of("build|run | source freshness | run-operation NAME [--select …]", out),
                        ">build >run >source source>freshness >run-operation");
    assert_string_equal(words_of("[COMMAND | config]", out), ">COMMAND >config");
    assert_string_equal(words_of("FILE… [--speed N|max] [--to URL]", out), "");
    assert_string_equal(words_of("", out), "");
    nx_cmd c = {.name = "x", .usage = "a|b|c"};
    nx_cmd_word w[2];
    assert_int_equal(nx_cmd_words(&c, w, 2), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globals_anywhere), cmocka_unit_test(test_dash_values), cmocka_unit_test(test_bad_usage),
        cmocka_unit_test(test_numbers),          cmocka_unit_test(test_usage_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
