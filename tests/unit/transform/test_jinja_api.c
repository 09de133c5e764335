/* The interpreter as a host uses it: macros by package, host functions and objects, dbt's blocks, typed values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "transform/jinja.h"

typedef struct bench {
    nx_jinja *j;
    nx_jrun *run;
    nx_buf out;
    nx_err err;
} bench;

static int set_up(void **state)
{
    static bench b;
    memset(&b, 0, sizeof b);
    b.j = nx_jinja_new("shop");
    nx_buf_init(&b.out, 0);
    *state = &b;
    return b.j == NULL;
}

static int tear_down(void **state)
{
    bench *b = *state;
    nx_jrun_free(b->run);
    nx_jinja_free(b->j);
    nx_buf_drop(&b->out);
    return 0;
}

static nx_jtmpl *compile(bench *b, const char *name, const char *source)
{
    nx_jtmpl *t;
    if (nx_jinja_compile(b->j, name, nx_str_of(source), &t, &b->err) != NX_OK)
        fail_msg("%s", b->err.text);
    return t;
}

static void add_macros(bench *b, const char *package, const char *name, const char *source)
{
    if (nx_jinja_add_macros(b->j, package, compile(b, name, source), &b->err) != NX_OK)
        fail_msg("%s", b->err.text);
}

static nx_status render(bench *b, const char *source)
{
    nx_jtmpl *t = compile(b, "models/a.sql", source);
    nx_buf_clear(&b->out);
    if (b->run == NULL)
        b->run = nx_jrun_new(b->j, NULL);
    return nx_jrun_render(b->run, t, &b->out, &b->err);
}

static void check(bench *b, const char *source, const char *want)
{
    if (render(b, source) != NX_OK)
        fail_msg("%s\n  failed: %s", source, b->err.text);
    if (!nx_str_is(nx_buf_str(&b->out), want))
        fail_msg("%s\n  gave: %s\n  want: %s", source, b->out.p, want);
}

static void test_macros_by_package(void **state)
{
    bench *b = *state;
    add_macros(b, "utils", "utils/a.sql",
               "{% macro star(x) %}utils:{{ x }}{% endmacro %}{% macro own() %}{{ star(1) }}{% endmacro %}");
    add_macros(b, "shop", "macros/a.sql", "{% macro cents(c) %}({{ c }} / 100){% endmacro %}");
    add_macros(b, "dbt", "dbt/a.sql",
               "{% macro cents(c) %}dbt{% endmacro %}{% macro type_string() %}varchar{% endmacro %}");
    check(b, "{{ cents('a') }} {{ utils.star(2) }} {{ dbt.cents() }} {{ type_string() }} {{ shop.cents('b') }}",
          "(a / 100) utils:2 dbt varchar (b / 100)");
    check(b, "{{ star is defined }}{{ utils.nothing is defined }}", "FalseFalse");
    assert_int_equal(render(b, "\n{{ utils.own() }}"), NX_INVALID); /* names are those of the run's package */
    assert_string_equal(b->err.text, "utils/a.sql:1: 'star' is undefined");
    assert_string_equal(b->err.hint, "called from models/a.sql:2");
    nx_jrun_free(b->run);
    b->run = nx_jrun_new(b->j, &(nx_jrun_opts){.package = "utils"});
    check(b, "{{ own() }}{{ cents(1) }}", "utils:1(1 / 100)");
}

static void test_macro_twice(void **state)
{
    bench *b = *state;
    add_macros(b, "shop", "macros/a.sql", "{% macro m() %}{% endmacro %}");
    nx_jtmpl *t = compile(b, "macros/b.sql", "\n\n{% macro m() %}{% endmacro %}");
    assert_int_equal(nx_jinja_add_macros(b->j, "shop", t, &b->err), NX_EXISTS);
    assert_string_equal(b->err.text, "macros/b.sql:3: macro 'm' exists already in package 'shop': macros/a.sql:1");
}

static void test_return(void **state)
{
    bench *b = *state;
    add_macros(b, "shop", "macros/a.sql",
               "{% macro cols() %}text{% for c in ['a', 'b'] %}{% if c == 'b' %}{{ return([c, 1]) }}{% endif %}{% "
               "endfor %}{% endmacro %}"
               "{% macro outer() %}{% set x = cols() %}{{ return({'n': x[1] + 1}) }}{% endmacro %}"
               "{% macro wrap() %}[{{ caller() }}]{% endmacro %}"
               "{% macro through() %}{% call wrap() %}{{ return(7) }}{% endcall %}{% endmacro %}"
               "{% macro nothing() %}{% do return() %}{% endmacro %}");
    check(b, "{{ cols()[0] }}{{ outer().n + 1 }}{{ nothing() }}", "b3None");
    check(b, "{{ through() }}", "7"); /* dbt: the innermost macro under way catches it, and its value is wrap()'s */
    nx_jval v, n = nx_jval_cstr("n");
    assert_int_equal(nx_jrun_call_macro(b->run, NULL, "outer", NULL, &v, &b->err), NX_OK);
    assert_int_equal(v.kind, NX_J_DICT);
    assert_int_equal(nx_jdict_get(v.dict, &n)->i, 2);
    assert_int_equal(nx_jrun_call_macro(b->run, "utils", "outer", NULL, &v, &b->err), NX_NOT_FOUND);
    assert_string_equal(b->err.text, "there is no macro 'utils.outer'");
}

/* ---- host functions and objects ---- */

static nx_status fn_ref(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    static const char *const names[] = {"v", "version", NULL};
    nx_str model;
    NX_TRY(nx_jargs_check(args, "ref", 2, names, err));
    NX_TRY(nx_jargs_str(args, "ref", args->n > 1, "model", &model, err));
    ++*(int *)ctx;
    if (nx_str_is(model, "gone"))
        return nx_fail(err, NX_NOT_FOUND, "model 'gone' does not exist");
    return nx_jrun_strf(run, ret, err, "main." NX_STR_FMT, NX_STR_ARG(model));
}

/* {% call statement('x') %}sql{% endcall %}: calls the body back. */
static nx_status fn_statement(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    const nx_jval *caller = nx_jargs_get(args, SIZE_MAX, "caller");
    nx_jval sql;
    if (caller == NULL)
        return nx_fail(err, NX_INVALID, "statement() wants a call block");
    NX_TRY(nx_jrun_call(run, caller, NULL, &sql, err));
    int line;
    const char *file = nx_jrun_place(run, &line);
    NX_TRY(nx_buf_addf(ctx, "%s:%d ran %.*s;", file, line, NX_STR_ARG(nx_str_trim(sql.s))));
    *ret = nx_jval_str(NX_STR(""));
    return NX_OK;
}

static nx_status relation_render(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)args;
    return nx_jrun_strf(run, ret, err, "<%s>", (const char *)ctx);
}

static nx_status relation_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    if (nx_str_is(name, "identifier"))
        *ret = nx_jval_cstr(self->ctx);
    if (nx_str_is(name, "render"))
        return nx_jval_bound(run, "render", relation_render, self->ctx, ret, err);
    return NX_OK;
}

static nx_status relation_str(nx_jrun *run, nx_jobj *self, nx_buf *out, nx_err *err)
{
    (void)run;
    (void)err;
    return nx_buf_addf(out, "\"main\".\"%s\"", (const char *)self->ctx);
}

static bool relation_equal(const nx_jobj *a, const nx_jobj *b)
{
    return strcmp(a->ctx, b->ctx) == 0;
}

static const nx_jclass relation = {
    .name = "Relation", .attr = relation_attr, .str = relation_str, .equal = relation_equal};

static void test_host(void **state)
{
    bench *b = *state;
    int calls = 0;
    nx_jval a, c;
    nx_buf log NX_BUF_AUTO;
    nx_buf_init(&log, 0);
    b->run = nx_jrun_new(b->j, &(nx_jrun_opts){.host = &calls});
    assert_ptr_equal(nx_jrun_host(b->run), &calls);
    assert_int_equal(nx_jrun_set_func(b->run, "ref", fn_ref, &calls, &b->err), NX_OK);
    assert_int_equal(nx_jrun_set_func(b->run, "statement", fn_statement, &log, &b->err), NX_OK);
    assert_int_equal(nx_jrun_obj(b->run, &relation, "trades", &a, &b->err), NX_OK);
    assert_int_equal(nx_jrun_obj(b->run, &relation, "trades", &c, &b->err), NX_OK);
    assert_int_equal(nx_jrun_set(b->run, "this", a, &b->err), NX_OK);
    assert_int_equal(nx_jrun_set(b->run, "other", c, &b->err), NX_OK);
    check(b, "select * from {{ ref('t') }} join {{ ref('pkg', 'u') }}", "select * from main.t join main.u");
    assert_int_equal(calls, 2);
    check(b,
          "{{ this }} {{ this.identifier }} {{ this['identifier'] }} {{ this.render() }} {{ this == other }} {{ this "
          "is sameas other }} {{ this.x is defined }} {{ [this]|join('-') }} {{ this ~ '' }}",
          "\"main\".\"trades\" trades trades <trades> True True False \"main\".\"trades\" \"main\".\"trades\"");
    check(b, "{% set x = 3 %}\n{% call statement('s') %} select {{ x }} {% endcall %}.", "\n.");
    assert_string_equal(log.p, "models/a.sql:2 ran select 3;");
    assert_int_equal(render(b, "\n\n{{ ref('gone') }}"), NX_NOT_FOUND);
    assert_string_equal(b->err.text, "models/a.sql:3: model 'gone' does not exist");
    assert_int_equal(render(b, "{{ ref(1) }}"), NX_INVALID);
    assert_string_equal(b->err.text, "models/a.sql:1: ref() needs a string as 'model', not 'int'");
    assert_int_equal(render(b, "{{ ref('a', w=1) }}"), NX_INVALID);
    assert_string_equal(b->err.text, "models/a.sql:1: ref() has no argument 'w'");
    assert_int_equal(render(b, "{{ this.nope.x }}"), NX_INVALID);
    assert_string_equal(b->err.text, "models/a.sql:1: 'Relation' has no attribute 'nope'");
    assert_int_equal(render(b, "{{ this() }}"), NX_INVALID);
    assert_int_equal(render(b, "{% for x in this %}{% endfor %}"), NX_INVALID);
}

static void test_error_in_macro_names_both_places(void **state)
{
    bench *b = *state;
    add_macros(b, "shop", "macros/deep.sql",
               "{% macro low(x) %}\n{{ x.y.z }}{% endmacro %}{% macro mid() %}\n\n{{ low({}) }}{% endmacro %}");
    assert_int_equal(render(b, "a\n{% if true %}{{ mid() }}{% endif %}"), NX_INVALID);
    assert_string_equal(b->err.text, "macros/deep.sql:2: 'dict object' has no attribute 'y'");
    assert_string_equal(b->err.hint, "called from macros/deep.sql:4");
}

/* ---- blocks ---- */

static void test_blocks(void **state)
{
    bench *b = *state;
    static const char source[] =
        "{% macro m(a, b=1) %}x{% endmacro %}\n"
        "{% test positive(model, column_name) %}select * from {{ model }} where {{ column_name }} < 0{% endtest %}\n"
        "{% snapshot s %}\nselect {{ 1 + 1 }}\n{% endsnapshot %}\n"
        "{% materialization table, default %}T{% endmaterialization %}\n"
        "{%- materialization view, adapter='nexus', supported_languages=['sql'] -%}V{%- endmaterialization -%}\n"
        "{% docs trades %}\nOne {{ row }} {% if %}\n{% enddocs %}";
    static const struct {
        nx_jblock_kind kind;
        const char *name, *call_name, *body;
        size_t n_params;
        int line;
    } want[] = {
        {NX_JB_MACRO, "m", "m", "x", 2, 1},
        {NX_JB_TEST, "positive", "test_positive", "select * from {{ model }} where {{ column_name }} < 0", 2, 2},
        {NX_JB_SNAPSHOT, "s", "s", "\nselect {{ 1 + 1 }}\n", 0, 3},
        {NX_JB_MATERIALIZATION, "table", "materialization_table_default", "T", 0, 6},
        {NX_JB_MATERIALIZATION, "view", "materialization_view_nexus", "V", 0, 7},
        {NX_JB_DOCS, "trades", "trades", "\nOne {{ row }} {% if %}\n", 0, 8},
    };
    nx_jtmpl *t = compile(b, "macros/all.sql", source);
    size_t n;
    const nx_jblock *blocks = nx_jtmpl_blocks(t, &n);
    assert_int_equal(n, NX_COUNT_OF(want));
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(blocks[i].kind, want[i].kind);
        assert_true(nx_str_is(blocks[i].name, want[i].name));
        assert_true(nx_str_is(blocks[i].call_name, want[i].call_name));
        assert_true(nx_str_is(blocks[i].body, want[i].body));
        assert_int_equal(blocks[i].n_params, want[i].n_params);
        assert_int_equal(blocks[i].line, want[i].line);
    }
    assert_true(nx_str_is(blocks[0].source, "{% macro m(a, b=1) %}x{% endmacro %}"));
    assert_true(blocks[0].params[1].has_default);
    assert_int_equal(nx_jinja_add_macros(b->j, "shop", t, &b->err), NX_OK);
    b->run = nx_jrun_new(b->j, NULL);
    assert_int_equal(nx_jrun_render_block(b->run, t, 2, &b->out, &b->err), NX_OK);
    assert_string_equal(b->out.p, "\nselect 2\n");
    assert_int_equal(nx_jrun_render_block(b->run, t, 5, &b->out, &b->err), NX_NOT_FOUND);
    nx_jval v, args[2] = {nx_jval_cstr("t"), nx_jval_cstr("c")};
    assert_int_equal(nx_jrun_call_macro(b->run, "shop", "test_positive", &(nx_jargs){args, 2, NULL, 0}, &v, &b->err),
                     NX_OK);
    assert_true(nx_str_is(v.s, "select * from t where c < 0"));
    assert_int_equal(nx_jrun_call_macro(b->run, NULL, "materialization_view_nexus", NULL, &v, &b->err), NX_OK);
    assert_true(nx_str_is(v.s, "V"));
    assert_true(nx_jinja_macro(b->j, NX_STR("shop"), NX_STR("test_positive"), &v));
    assert_false(nx_jinja_macro(b->j, NX_STR("shop"), NX_STR("test_negative"), &v));
}

static void test_bad_blocks(void **state)
{
    bench *b = *state;
    static const struct {
        const char *source, *text;
    } rows[] = {
        {"{% if 1 %}{% test t(m) %}{% endtest %}{% endif %}",
         "f.sql:1: 'test' must stand at the top of a file, not inside of another block"},
        {"{% snapshot s %}", "f.sql:1: 'snapshot' is not closed: 'endsnapshot' is missing"},
        {"{% docs d %} x", "f.sql:1: 'docs' is not closed: 'enddocs' is missing"},
        {"{% docs a b %} x {% enddocs %}", "f.sql:1: 'docs' wants one name"},
        {"{% materialization m, adapter=x %}{% endmaterialization %}",
         "f.sql:1: the adapter of a materialization must be a string"},
        {"{% materialization m, speed='x' %}{% endmaterialization %}",
         "f.sql:1: a materialization has no argument 'speed'"},
        {"{% test t %}{% endtest %}", "f.sql:1: expected '(', found '%}'"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(rows); i++) {
        nx_jtmpl *t;
        assert_int_equal(nx_jinja_compile(b->j, "f.sql", nx_str_of(rows[i].source), &t, &b->err), NX_INVALID);
        assert_string_equal(b->err.text, rows[i].text);
        assert_null(t);
    }
}

/* ---- typed values ---- */

static nx_jval native(bench *b, const char *source)
{
    nx_jtmpl *t;
    nx_jval v;
    if (nx_jrun_compile(b->run, "x.yml", 7, nx_str_of(source), &t, &b->err) != NX_OK ||
        nx_jrun_native(b->run, t, &v, &b->err) != NX_OK)
        fail_msg("%s: %s", source, b->err.text);
    return v;
}

static void test_native(void **state)
{
    bench *b = *state;
    b->run = nx_jrun_new(b->j, NULL);
    assert_int_equal(native(b, "{{ 1 + 1 }}").kind, NX_J_INT);
    assert_int_equal(native(b, "{{ '1' }}").kind, NX_J_STR);
    assert_int_equal(native(b, "{{ [1] }}").kind, NX_J_LIST);
    assert_int_equal(native(b, "{{ none }}").kind, NX_J_NONE);
    assert_int_equal(native(b, "{{ '12'|as_number }}").i, 12);
    assert_true(native(b, "{{ '1.5'|as_number }}").f == 1.5);
    assert_true(native(b, "{{ 'True'|as_bool }}").b);
    assert_int_equal(native(b, "{{ '[1, {\"a\": (None, -2)}]'|as_native }}").kind, NX_J_LIST);
    assert_int_equal(native(b, "{{ 'no literal'|as_native }}").kind, NX_J_STR);
    assert_int_equal(native(b, "{{ 'true'|as_native }}").kind, NX_J_STR);
    assert_int_equal(native(b, "{{ 12|as_text }}").kind, NX_J_STR);
    assert_true(nx_str_is(native(b, "a{{ 1 }}").s, "a1"));
    assert_true(nx_str_is(native(b, "plain").s, "plain"));
    check(b, "{{ '12'|as_number }}{{ 'True'|as_bool }}", "12True");
    nx_jtmpl *t;
    nx_jval v;
    assert_int_equal(nx_jrun_compile(b->run, "x.yml", 7, NX_STR("\n{{ 'x'|as_bool }}"), &t, &b->err), NX_OK);
    assert_int_equal(nx_jrun_compile(b->run, "x.yml", 7, NX_STR("{{ 'x'|as_bool }}"), &t, &b->err), NX_OK);
    assert_int_equal(nx_jrun_native(b->run, t, &v, &b->err), NX_INVALID);
    assert_string_equal(b->err.text, "x.yml:7: filter 'as_bool' cannot make a bool of this 'str'");
}

static void test_expr(void **state)
{
    bench *b = *state;
    nx_jval v;
    b->run = nx_jrun_new(b->j, NULL);
    assert_int_equal(nx_jrun_expr(b->run, "s.yml", 3, NX_STR("[1, 2][1] + 1"), &v, &b->err), NX_OK);
    assert_int_equal(v.i, 3);
    assert_int_equal(nx_jrun_expr(b->run, "s.yml", 3, NX_STR("'x' ~ {'a': 1}.a"), &v, &b->err), NX_OK);
    assert_true(nx_str_is(v.s, "x1"));
    assert_int_equal(nx_jrun_expr(b->run, "s.yml", 3, NX_STR("1 +"), &v, &b->err), NX_INVALID);
    assert_string_equal(b->err.text, "s.yml:3: expected an expression, found the end");
    assert_int_equal(nx_jrun_expr(b->run, "s.yml", 3, NX_STR("1 2"), &v, &b->err), NX_INVALID);
    assert_int_equal(nx_jrun_expr(b->run, "s.yml", 3, NX_STR(""), &v, &b->err), NX_INVALID);
}

static void test_values(void **state)
{
    bench *b = *state;
    b->run = nx_jrun_new(b->j, NULL);
    nx_jval d;
    assert_int_equal(nx_jrun_dict(b->run, &d, &b->err), NX_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(nx_jdict_set(b->run, &d, nx_jval_int(i * 7), nx_jval_int(i), &b->err), NX_OK);
    for (int i = 0; i < 1000; i++) {
        nx_jval as_float = nx_jval_float(i * 7);
        assert_int_equal(nx_jdict_get(d.dict, &as_float)->i, i); /* 7 and 7.0 are one key, as in Python */
    }
    assert_int_equal(nx_jrun_set(b->run, "d", d, &b->err), NX_OK);
    check(b, "{{ d|length }} {{ d[7] }} {{ d[8] is defined }} {{ d.pop(7) }} {{ d|length }} {{ 7 in d }} {{ d[14] }}",
          "1000 1 False 1 999 False 2");
    check(b,
          "{{ tojson({'b': [1, none, 'é'], 'a': 1.5}) }} {{ fromjson('{\"x\": [1, 2.5, null]}') }} {{ fromyaml('a: [1, "
          "b]') }} {{ fromjson('{', 'bad') }} {{ set([1, 2, 1]) }} {{ zip([1, 2], 'ab') }} {{ zip(1) }}",
          "{\"b\": [1, null, \"\\u00e9\"], \"a\": 1.5} {'x': [1, 2.5, None]} {'a': [1, 'b']} bad [1, 2] [(1, 'a'), (2, "
          "'b')] None");
    assert_int_equal(render(b, "{{ set_strict(1) }}"), NX_INVALID);
}

/* A host function may fail inside and go on; the next error must find its own place again. */
static nx_status fn_try(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)ctx;
    nx_jval v;
    nx_err ignored;
    *ret = nx_jval_bool(nx_jrun_call(run, &args->v[0], NULL, &v, &ignored) == NX_OK);
    (void)err;
    return NX_OK;
}

static void test_handled_error(void **state)
{
    bench *b = *state;
    b->run = nx_jrun_new(b->j, NULL);
    assert_int_equal(nx_jrun_set_func(b->run, "attempt", fn_try, NULL, &b->err), NX_OK);
    check(
        b,
        "{% macro bad() %}{{ u.x }}{% endmacro %}{% macro good() %}{% endmacro %}{{ attempt(bad) }}{{ attempt(good) }}",
        "FalseTrue");
    assert_int_equal(render(b, "{% macro bad() %}{{ u.x }}{% endmacro %}{{ attempt(bad) }}\n{{ w.x }}"), NX_INVALID);
    assert_string_equal(b->err.text, "models/a.sql:2: 'w' is undefined");
}

int main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(test_macros_by_package),
        ROW(test_macro_twice),
        ROW(test_return),
        ROW(test_host),
        ROW(test_error_in_macro_names_both_places),
        ROW(test_blocks),
        ROW(test_bad_blocks),
        ROW(test_native),
        ROW(test_expr),
        ROW(test_values),
        ROW(test_handled_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
