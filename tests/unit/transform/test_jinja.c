/* What templates print: vectors rendered by Jinja2 itself, and the words of our errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transform/jinja.h"
#include "unit/transform/jinja_vectors.h"

/* Renders source as file t.sql; *err holds the error. */
static nx_status render(const char *source, const nx_jrun_opts *opts, nx_buf *out, nx_err *err)
{
    nx_jinja *j = nx_jinja_new("shop");
    nx_jtmpl *t;
    nx_jrun *run = NULL;
    nx_err_clear(err);
    nx_status st = nx_jinja_compile(j, "t.sql", nx_str_of(source), &t, err);
    if (st == NX_OK) {
        run = nx_jrun_new(j, opts);
        st = nx_jrun_render(run, t, out, err);
    }
    nx_jrun_free(run);
    nx_jinja_free(j);
    return st;
}

static void check(const char *source, const char *want)
{
    nx_buf b NX_BUF_AUTO;
    nx_err err;
    nx_buf_init(&b, 0);
    nx_status st = render(source, NULL, &b, &err);
    if (st != NX_OK)
        fail_msg("%s\n  failed: %s", source, err.text);
    if (!nx_str_is(nx_buf_str(&b), want))
        fail_msg("%s\n  gave: %.*s\n  want: %s", source, NX_STR_ARG(nx_buf_str(&b)), want);
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(jinja_vectors); i++)
        check(jinja_vectors[i].source, jinja_vectors[i].want);
}

static void test_refused_by_jinja_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(jinja_errors); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_err err;
        nx_buf_init(&b, 0);
        if (render(jinja_errors[i], NULL, &b, &err) == NX_OK)
            fail_msg("accepted: %s", jinja_errors[i]);
        if (strncmp(err.text, "t.sql:", 6) != 0)
            fail_msg("%s\n  error without a place: %s", jinja_errors[i], err.text);
    }
}

static void test_line_ends(void **state)
{
    (void)state;
    check("a\r\n{{ 1 }}\r\nb\rc\r\n", "a\n1\nb\nc");
    check("", "");
    check("\n", "");
    check("\n\n", "\n");
}

static void test_error_texts(void **state)
{
    (void)state;
    static const struct {
        const char *source, *text;
        nx_status st;
    } rows[] = {
        {"a\n{{ u.x }}", "t.sql:2: 'u' is undefined", NX_INVALID},
        {"{{ {}.a.b }}", "t.sql:1: 'dict object' has no attribute 'a'", NX_INVALID},
        {"{{ [1][3].x }}", "t.sql:1: 'list' has no item 3", NX_INVALID},
        {"{% if x %}\n\n", "t.sql:1: 'if' is not closed: 'endif' is missing", NX_INVALID},
        {"{% for x in y %}{% else %}", "t.sql:1: 'for' is not closed: 'endfor' is missing", NX_INVALID},
        {"\n{% macro m(a %}", "t.sql:2: unexpected '}', expected ')'", NX_INVALID},
        {"{% endfor %}", "t.sql:1: unknown statement 'endfor'", NX_INVALID},
        {"{% include 'a' %}", "t.sql:1: the statement 'include' is not supported", NX_UNSUPPORTED},
        {"{% import 'a' as b %}", "t.sql:1: the statement 'import' is not supported", NX_UNSUPPORTED},
        {"\n{% from 'a' import b %}", "t.sql:2: the statement 'from' is not supported", NX_UNSUPPORTED},
        {"{% extends 'a' %}", "t.sql:1: the statement 'extends' is not supported", NX_UNSUPPORTED},
        {"{% for a in b recursive %}{% endfor %}", "t.sql:1: recursive for loops are not supported", NX_UNSUPPORTED},
        {"{{ x|urlize }}", "t.sql:1: there is no filter 'urlize'", NX_UNSUPPORTED},
        {"{{ x is wobbly }}", "t.sql:1: there is no test 'wobbly'", NX_UNSUPPORTED},
        {"{{ 'a }}", "t.sql:1: a string is not closed", NX_INVALID},
        {"\n\n{{ (1", "t.sql:3: this expression is not closed: '}}' is missing", NX_INVALID},
        {"{% set x = 1", "t.sql:1: this tag is not closed: '%}' is missing", NX_INVALID},
        {"{# x", "t.sql:1: this comment is not closed: '#}' is missing", NX_INVALID},
        {"{% raw %}x", "t.sql:1: 'raw' is not closed: 'endraw' is missing", NX_INVALID},
        {"{% break %}", "t.sql:1: 'break' outside of a loop", NX_INVALID},
        {"{{ 007 }}", "t.sql:1: a whole number cannot start with 0", NX_INVALID},
        {"{{ 9223372036854775808 }}", "t.sql:1: a whole number is outside of 64 bits", NX_INVALID},
        {"{{ 9223372036854775807 + 1 }}", "t.sql:1: a whole number leaves the range of 64 bits", NX_INVALID},
        {"{{ 2 ** 64 }}", "t.sql:1: a whole number leaves the range of 64 bits", NX_INVALID},
        {"{{ 'a' + 1 }}", "t.sql:1: the operator + does not take 'str' and 'int'", NX_INVALID},
        {"{{ 1 // 0 }}", "t.sql:1: division by zero", NX_INVALID},
        {"{{ range(200000) }}", "t.sql:1: range() gives more than 100000 numbers", NX_LIMIT},
        {"{{ 5() }}", "t.sql:1: a value of type 'int' cannot be called", NX_INVALID},
        {"{{ return(1) }}", "t.sql:1: return() outside of a macro", NX_INVALID},
        {"{% set loop = 1 %}", "t.sql:1: cannot assign to 'loop'", NX_INVALID},
        {"{% macro m(a, a) %}{% endmacro %}", "t.sql:1: parameter 'a' is named twice", NX_INVALID},
        {"{% macro m(a=1, b) %}{% endmacro %}", "t.sql:1: parameter 'b' without default follows one with a default",
         NX_INVALID},
        {"{{ f(a=1, a=2) }}", "t.sql:1: keyword argument 'a' is given twice", NX_INVALID},
        {"{% macro m(a) %}{{ a.b }}{% endmacro %}{{ m() }}", "t.sql:1: parameter 'a' was not provided", NX_INVALID},
        {"{{ 'abc'.encode() }}", "t.sql:1: 'str' has no attribute 'encode'", NX_INVALID},
        {"\n\xff", "t.sql: the file is not valid UTF-8", NX_INVALID},
        {"{{ {'a': 1, 2: 3}|tojson }}", "t.sql:1: the keys of a dict cannot be sorted: 'str' and 'int'", NX_INVALID},
        {"{{ {[1]: 2} }}", "t.sql:1: a value of type 'list' cannot be a key", NX_INVALID},
        {"{{ 'a'.ljust() }}", "t.sql:1: method 'ljust' needs its argument 'width'", NX_INVALID},
        {"{{ [].append() }}", "t.sql:1: method 'append' needs its argument 'object'", NX_INVALID},
        {"{{ '%c' % 2.25 }}", "t.sql:1: the format 'c' does not take a 'float'", NX_INVALID},
        {"{{ '%q' % 1 }}", "t.sql:1: a format has an unknown conversion after '%'", NX_INVALID},
        {"{{ 1 $ 2 }}", "t.sql:1: unexpected character '$'", NX_INVALID},
        {"{{ 'x'|batch(2, 3, 4) }}", "t.sql:1: filter 'batch' takes at most 2 arguments, 3 were given", NX_INVALID},
        {"{{ 'x'|round(wide=2) }}", "t.sql:1: filter 'round' has no argument 'wide'", NX_INVALID},
    };
    for (size_t i = 0; i < NX_COUNT_OF(rows); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_err err;
        nx_buf_init(&b, 0);
        nx_status st = render(rows[i].source, NULL, &b, &err);
        if (st != rows[i].st || strcmp(err.text, rows[i].text) != 0)
            fail_msg("%s\n  gave: %s %s\n  want: %s %s", rows[i].source, nx_status_name(st), err.text,
                     nx_status_name(rows[i].st), rows[i].text);
    }
}

/* Each of these would go on for ever or eat the machine. */
static void test_limits(void **state)
{
    (void)state;
    static const struct {
        const char *source, *part;
    } rows[] = {
        {"{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macros call each other more than 100 deep"},
        {"{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}", ""},
        {"{% set l = ['x'] %}{% for i in range(100) %}{% do l.extend(l) %}{% endfor %}", "more memory than its limit"},
        {"{{ 'x' * 99999999999 }}", "more memory than its limit of 1 MiB"},
        {"{{ [1] * 99999999999 }}", "more memory than its limit of 1 MiB"},
        {"{% set l = [] %}{% do l.append(l) %}{{ l }}", "nested more than 100 deep"},
        {"{{ '%999999d' % 1 }}", "larger than 100000"},
        {"{% for i in range(100000) %}{{ 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' ~ i }}{% endfor %}", "memory"},
    };
    const nx_jrun_opts opts = {.bytes_max = 1 << 20, .steps_max = 300000};
    for (size_t i = 0; i < NX_COUNT_OF(rows); i++) {
        nx_buf b NX_BUF_AUTO;
        nx_err err;
        nx_buf_init(&b, 0);
        nx_status st = render(rows[i].source, &opts, &b, &err);
        if ((st != NX_LIMIT && st != NX_INVALID) || strstr(err.text, rows[i].part) == NULL)
            fail_msg("%s\n  gave: %s %s", rows[i].source, nx_status_name(st), err.text);
    }
    nx_buf b NX_BUF_AUTO, deep NX_BUF_AUTO;
    nx_err err;
    const nx_jrun_opts deep_opts = {.depth_max = 1000000};
    nx_buf_init(&b, 0);
    assert_int_equal(render("{% macro m() %}{% if true %}{{ [{'a': m()}] }}{% endif %}{% endmacro %}{{ m() }}",
                            &deep_opts, &b, &err),
                     NX_LIMIT);
    assert_non_null(strstr(err.text, "nested too deeply"));
    nx_buf_drop(&b);
    nx_buf_init(&b, 0);
    nx_buf_init(&deep, 0);
    assert_int_equal(nx_buf_adds(&deep, "{{ "), NX_OK);
    for (int i = 0; i < 100000; i++)
        assert_int_equal(nx_buf_addc(&deep, '('), NX_OK);
    assert_int_equal(nx_buf_adds(&deep, " }}"), NX_OK);
    assert_int_equal(render(deep.p, NULL, &b, &err), NX_INVALID);
    nx_buf_clear(&deep);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(nx_buf_adds(&deep, "{% if 1 %}"), NX_OK);
    assert_int_equal(render(deep.p, NULL, &b, &err), NX_INVALID);
    assert_non_null(strstr(err.text, "nested more than"));
}

/* While dbt parses, unknown names may be called and looked into; only computing with them is an error. */
static void test_permissive(void **state)
{
    (void)state;
    const nx_jrun_opts opts = {.permissive = true};
    nx_buf b NX_BUF_AUTO;
    nx_err err;
    nx_buf_init(&b, 0);
    assert_int_equal(render("[{{ u }}{{ u.a.b }}{{ u('x').c }}{{ u['k'](1).d }}{% for x in u.rows %}x{% endfor %}]",
                            &opts, &b, &err),
                     NX_OK);
    assert_string_equal(b.p, "[]");
    assert_int_equal(render("{{ u + 1 }}", &opts, &b, &err), NX_INVALID);
    assert_string_equal(err.text, "t.sql:1: 'u' is undefined");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),   cmocka_unit_test(test_refused_by_jinja_too),
        cmocka_unit_test(test_line_ends), cmocka_unit_test(test_error_texts),
        cmocka_unit_test(test_limits),    cmocka_unit_test(test_permissive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
