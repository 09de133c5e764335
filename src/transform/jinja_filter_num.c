/* Filters over numbers, and dbt's as_text, as_bool, as_number, as_native. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

#define FILTER(name)                                                                                                   \
    static nx_status f_##name(nx_jrun *run, const nx_jval *v, NX_UNUSED const nx_jval **p,                             \
                              NX_UNUSED const nx_jargs *args, nx_jval *ret)

FILTER(abs)
{
    int64_t i;
    if (v->kind == NX_J_FLOAT) {
        *ret = nx_jval_float(fabs(v->f));
        return NX_OK;
    }
    if (!nx__jval_integer(v, &i))
        return v->kind == NX_J_UNDEF ? nx__jundef_fail(run, v)
                                     : jfail(run, "filter 'abs' needs a number, not '%s'", nx_jval_type(v));
    if (i < 0 && __builtin_sub_overflow((int64_t)0, i, &i))
        return jfail(run, "a whole number leaves the range of 64 bits");
    *ret = nx_jval_int(i);
    return NX_OK;
}

/* Whole part of a float, or false when it has none in 64 bits. */
static bool float_to_int(double f, int64_t *ret)
{
    if (!(f >= -9223372036854775808.0 && f < 9223372036854775808.0))
        return false;
    *ret = (int64_t)f;
    return true;
}

FILTER(int)
{
    int64_t i, base;
    double f;
    NX_TRY(nx__jarg_int(run, p[1], 10, "the base for filter 'int'", &base));
    if (base != 0 && (base < 2 || base > 36))
        return jfail(run, "the base for filter 'int' must be between 2 and 36");
    if (v->kind == NX_J_UNDEF)
        return nx__jundef_fail(run, v);
    *ret = p[0] == NULL ? nx_jval_int(0) : *p[0];
    if (v->kind == NX_J_STR) {
        nx_status st = nx__jparse_int(v->s, (int)base, &i);
        if (st == NX_LIMIT)
            return jfail(run, "a whole number leaves the range of 64 bits");
        if (st == NX_OK || (nx__jparse_float(v->s, &f) && float_to_int(f, &i)))
            *ret = nx_jval_int(i);
    } else if (nx__jval_integer(v, &i) || (v->kind == NX_J_FLOAT && float_to_int(v->f, &i))) {
        *ret = nx_jval_int(i);
    }
    return NX_OK;
}

FILTER(float)
{
    double f;
    if (v->kind == NX_J_UNDEF)
        return nx__jundef_fail(run, v);
    *ret = p[0] == NULL ? nx_jval_float(0) : *p[0];
    if (nx__jval_number(v, &f) || (v->kind == NX_J_STR && nx__jparse_float(v->s, &f)))
        *ret = nx_jval_float(f);
    return NX_OK;
}

/* Python's round(): to even on the exact decimal value, which printf knows. */
static double round_python(double f, int precision)
{
    char text[512];
    if (precision >= 0 && precision <= 60 && fabs(f) < 1e22) {
        snprintf(text, sizeof text, "%.*f", precision, f);
        return strtod(text, NULL);
    }
    double scale = pow(10, precision);
    return precision < 0 ? nearbyint(f * scale) / scale : f;
}

FILTER(round)
{
    int64_t precision;
    nx_str method;
    double f;
    NX_TRY(nx__jarg_int(run, p[0], 0, "the precision for filter 'round'", &precision));
    NX_TRY(nx__jarg_str(run, p[1], NX_STR("common"), "the method for filter 'round'", &method));
    if (!nx__jval_number(v, &f))
        return v->kind == NX_J_UNDEF ? nx__jundef_fail(run, v)
                                     : jfail(run, "filter 'round' needs a number, not '%s'", nx_jval_type(v));
    if (precision < -300 || precision > 300)
        return jfail(run, "the precision for filter 'round' must be between -300 and 300");
    double scale = pow(10, (double)precision);
    if (nx_str_is(method, "common")) {
        if (v->kind == NX_J_FLOAT)
            *ret = nx_jval_float(round_python(f, (int)precision));
        else
            *ret = precision >= 0 ? *v : nx_jval_int((int64_t)round_python(f, (int)precision));
        return NX_OK;
    }
    if (!nx_str_is(method, "ceil") && !nx_str_is(method, "floor"))
        return jfail(run, "the method for filter 'round' is common, ceil or floor, not '" NX_STR_FMT "'",
                     NX_STR_ARG(method));
    *ret = nx_jval_float((nx_str_is(method, "ceil") ? ceil(f * scale) : floor(f * scale)) / scale);
    return NX_OK;
}

FILTER(as_text)
{
    nx_str s;
    *ret = *v;
    if (!run->native)
        return NX_OK;
    NX_TRY(nx__jval_text(run, v, &s));
    *ret = nx_jval_str(s);
    return NX_OK;
}

/* The typed value behind a text, in native evaluation only. */
static nx_status literal(nx_jrun *run, const nx_jval *v, nx_jval *ret)
{
    bool ok;
    *ret = *v;
    if (!run->native || v->kind != NX_J_STR)
        return NX_OK;
    NX_TRY(nx__jnative_text(run, v->s, ret, &ok));
    if (!ok)
        *ret = *v;
    return NX_OK;
}

FILTER(as_native)
{
    return literal(run, v, ret);
}

FILTER(as_bool)
{
    NX_TRY(literal(run, v, ret));
    if (run->native && ret->kind != NX_J_BOOL)
        return jfail(run, "filter 'as_bool' cannot make a bool of this '%s'", nx_jval_type(v));
    return NX_OK;
}

FILTER(as_number)
{
    NX_TRY(literal(run, v, ret));
    if (run->native && ret->kind != NX_J_INT && ret->kind != NX_J_FLOAT)
        return jfail(run, "filter 'as_number' cannot make a number of this '%s'", nx_jval_type(v));
    return NX_OK;
}

const jfilter nx__jfilters_num[] = {
    {"abs", "", f_abs},
    {"as_bool", "", f_as_bool},
    {"as_native", "", f_as_native},
    {"as_number", "", f_as_number},
    {"as_text", "", f_as_text},
    {"float", "default", f_float},
    {"int", "default base", f_int},
    {"round", "precision method", f_round},
    {NULL, NULL, NULL},
};
