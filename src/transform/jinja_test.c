/* The tests behind `is`. */
#include "transform/jinja_int.h"

#define TEST(name, expr)                                                                                               \
    static nx_status t_##name(NX_UNUSED nx_jrun *run, NX_UNUSED const nx_jval *v, NX_UNUSED const nx_jval *arg,        \
                              bool *ret)                                                                               \
    {                                                                                                                  \
        *ret = (expr);                                                                                                 \
        return NX_OK;                                                                                                  \
    }

TEST(defined, v->kind != NX_J_UNDEF)
TEST(undefined, v->kind == NX_J_UNDEF)
TEST(none, v->kind == NX_J_NONE)
TEST(boolean, v->kind == NX_J_BOOL)
TEST(true, v->kind == NX_J_BOOL && v->b)
TEST(false, v->kind == NX_J_BOOL && !v->b)
TEST(integer, v->kind == NX_J_INT)
TEST(float, v->kind == NX_J_FLOAT)
TEST(number, v->kind == NX_J_INT || v->kind == NX_J_FLOAT || v->kind == NX_J_BOOL)
TEST(string, v->kind == NX_J_STR)
TEST(mapping, v->kind == NX_J_DICT)
TEST(sequence, v->kind == NX_J_STR || v->kind == NX_J_LIST || v->kind == NX_J_TUPLE || v->kind == NX_J_DICT)
TEST(iterable, v->kind == NX_J_STR || v->kind == NX_J_LIST || v->kind == NX_J_TUPLE || v->kind == NX_J_DICT ||
                   v->kind == NX_J_UNDEF || (v->kind == NX_J_OBJ && v->obj->cls->iter != NULL))
TEST(callable, v->kind == NX_J_FUNC || v->kind == NX_J_MACRO || v->kind == NX_J_METHOD || (v->kind == NX_J_UNDEF) ||
                   (v->kind == NX_J_OBJ && v->obj->cls->call != NULL))
TEST(escaped, false)
TEST(filter, v->kind == NX_J_STR && nx__jfilter_find(v->s) != NULL)
TEST(test, v->kind == NX_J_STR && nx__jtest_find(v->s) != NULL)

/* Same thing, not only equal: by reference where Python has references. */
static nx_status t_sameas(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)
{
    (void)run;
    if (v->kind != arg->kind)
        *ret = false;
    else if (v->kind == NX_J_LIST || v->kind == NX_J_TUPLE)
        *ret = v->list == arg->list;
    else if (v->kind == NX_J_DICT || v->kind == NX_J_NS)
        *ret = v->dict == arg->dict;
    else
        *ret = nx_jval_equal(v, arg);
    return NX_OK;
}

static nx_status modulo(nx_jrun *run, const nx_jval *v, const nx_jval *by, int64_t want, bool *ret)
{
    nx_jval rest, wanted = nx_jval_int(want);
    NX_TRY(nx__jop_binary(run, '%', v, by, &rest));
    *ret = nx_jval_equal(&rest, &wanted);
    return NX_OK;
}

static nx_status t_odd(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)
{
    (void)arg;
    nx_jval two = nx_jval_int(2);
    return modulo(run, v, &two, 1, ret);
}

static nx_status t_even(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)
{
    (void)arg;
    nx_jval two = nx_jval_int(2);
    return modulo(run, v, &two, 0, ret);
}

static nx_status t_divisibleby(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)
{
    return modulo(run, v, arg, 0, ret);
}

static nx_status is_case(nx_jrun *run, const nx_jval *v, bool upper, bool *ret)
{
    nx_str text;
    NX_TRY(nx__jval_text(run, v, &text));
    *ret = nx__jstr_is_case(run, text, upper);
    return NX_OK;
}

static nx_status t_lower(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)
{
    (void)arg;
    return is_case(run, v, false, ret);
}

static nx_status t_upper(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)
{
    (void)arg;
    return is_case(run, v, true, ret);
}

#define COMPARE(name, op)                                                                                              \
    static nx_status t_##name(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret)                           \
    {                                                                                                                  \
        return nx__jop_compare(run, op, v, arg, ret);                                                                  \
    }
COMPARE(eq, JOP2('=', '='))
COMPARE(ne, JOP2('!', '='))
COMPARE(lt, '<')
COMPARE(le, JOP2('<', '='))
COMPARE(gt, '>')
COMPARE(ge, JOP2('>', '='))
COMPARE(in, 'i')

static const jtest tests[] = {
    {"boolean", 0, t_boolean},
    {"callable", 0, t_callable},
    {"defined", 0, t_defined},
    {"divisibleby", 1, t_divisibleby},
    {"eq", 1, t_eq},
    {"==", 1, t_eq},
    {"equalto", 1, t_eq},
    {"escaped", 0, t_escaped},
    {"even", 0, t_even},
    {"false", 0, t_false},
    {"filter", 0, t_filter},
    {"float", 0, t_float},
    {"ge", 1, t_ge},
    {">=", 1, t_ge},
    {"gt", 1, t_gt},
    {">", 1, t_gt},
    {"greaterthan", 1, t_gt},
    {"in", 1, t_in},
    {"integer", 0, t_integer},
    {"iterable", 0, t_iterable},
    {"le", 1, t_le},
    {"<=", 1, t_le},
    {"lower", 0, t_lower},
    {"lt", 1, t_lt},
    {"<", 1, t_lt},
    {"lessthan", 1, t_lt},
    {"mapping", 0, t_mapping},
    {"ne", 1, t_ne},
    {"!=", 1, t_ne},
    {"none", 0, t_none},
    {"number", 0, t_number},
    {"odd", 0, t_odd},
    {"sameas", 1, t_sameas},
    {"sequence", 0, t_sequence},
    {"string", 0, t_string},
    {"test", 0, t_test},
    {"true", 0, t_true},
    {"undefined", 0, t_undefined},
    {"upper", 0, t_upper},
};

const jtest *nx__jtest_find(nx_str name)
{
    for (size_t i = 0; i < NX_COUNT_OF(tests); i++)
        if (nx_str_is(name, tests[i].name))
            return &tests[i];
    return NULL;
}

nx_status nx__jtest_apply(nx_jrun *run, const jtest *t, const nx_jval *v, const nx_jargs *args, bool *ret)
{
    if (args->n != t->n_args || args->n_kw > 0)
        return jfail(run, "test '%s' takes %u arguments, %zu were given", t->name, t->n_args, args->n + args->n_kw);
    return t->fn(run, v, args->v, ret);
}
