#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

/* ---- numbers in text ---- */

nx_status nx__jparse_int(nx_str s, int base, int64_t *ret)
{
    s = nx__jstr_strip(s, NULL, true, true);
    bool negative = s.n > 0 && s.p[0] == '-';
    size_t i = s.n > 0 && (s.p[0] == '-' || s.p[0] == '+') ? 1 : 0;
    if (s.n >= i + 2 && s.p[i] == '0') {
        char c = (char)(s.p[i + 1] | 0x20);
        int prefix = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;
        if (prefix != 0 && (base == 0 || base == prefix)) {
            base = prefix;
            i += 2;
        }
    }
    if (base == 0)
        base = 10;
    int64_t v = 0;
    bool digit = false;
    for (; i < s.n; i++) {
        char c = s.p[i];
        if (c == '_' && digit && i + 1 < s.n && s.p[i + 1] != '_')
            continue;
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? (c | 0x20) - 'a' + 10 : 99;
        if (d >= base)
            return NX_INVALID;
        if (__builtin_mul_overflow(v, base, &v) || __builtin_sub_overflow(v, d, &v)) /* downwards: INT64_MIN fits */
            return NX_LIMIT;
        digit = true;
    }
    if (!digit)
        return NX_INVALID;
    if (!negative && __builtin_sub_overflow((int64_t)0, v, &v))
        return NX_LIMIT;
    *ret = v;
    return NX_OK;
}

bool nx__jparse_float(nx_str s, double *ret)
{
    char text[64];
    size_t n = 0;
    s = nx__jstr_strip(s, NULL, true, true);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '_' && i > 0 && isdigit((unsigned char)s.p[i - 1]) && i + 1 < s.n &&
            isdigit((unsigned char)s.p[i + 1]))
            continue;
        if (n + 1 >= sizeof text || c == 'x' || c == 'X' || c == 'p' || c == '(')
            return false; /* no hexadecimal floats, no nan(...) */
        text[n++] = c;
    }
    text[n] = '\0';
    char *end;
    *ret = strtod(text, &end);
    return n > 0 && *end == '\0';
}

/* ---- arithmetic ---- */

static nx_status overflow(nx_jrun *run)
{
    return jfail(run, "a whole number leaves the range of 64 bits");
}

static nx_status op_fail(nx_jrun *run, const char *op, const nx_jval *a, const nx_jval *b)
{
    if (a->kind == NX_J_UNDEF || b->kind == NX_J_UNDEF)
        return nx__jundef_fail(run, a->kind == NX_J_UNDEF ? a : b);
    return jfail(run, "the operator %s does not take '%s' and '%s'", op, nx_jval_type(a), nx_jval_type(b));
}

static nx_status float_div(nx_jrun *run, int op, double x, double y, nx_jval *ret)
{
    if (y == 0)
        return jfail(run, "division by zero");
    double m = fmod(x, y);
    if (m != 0 && (m < 0) != (y < 0))
        m += y;
    *ret = nx_jval_float(op == '/' ? x / y : op == '%' ? m : floor((x - m) / y + 0.5));
    return NX_OK;
}

static nx_status int_floor(nx_jrun *run, int op, int64_t x, int64_t y, nx_jval *ret)
{
    if (y == 0)
        return jfail(run, "division by zero");
    if (y == -1) {
        int64_t neg;
        if (__builtin_sub_overflow((int64_t)0, x, &neg))
            return overflow(run);
        *ret = nx_jval_int(op == '%' ? 0 : neg);
        return NX_OK;
    }
    int64_t q = x / y, r = x % y;
    if (r != 0 && (r < 0) != (y < 0)) {
        q--;
        r += y;
    }
    *ret = nx_jval_int(op == '%' ? r : q);
    return NX_OK;
}

static nx_status int_power(nx_jrun *run, int64_t x, int64_t y, nx_jval *ret)
{
    if (y < 0) {
        if (x == 0)
            return jfail(run, "zero cannot be raised to a negative power");
        *ret = nx_jval_float(pow((double)x, (double)y));
        return NX_OK;
    }
    int64_t r = 1;
    for (; y > 0; y >>= 1) {
        if ((y & 1) != 0 && __builtin_mul_overflow(r, x, &r))
            return overflow(run);
        if (y > 1 && __builtin_mul_overflow(x, x, &x))
            return overflow(run);
    }
    *ret = nx_jval_int(r);
    return NX_OK;
}

static nx_status numbers(nx_jrun *run, int op, const nx_jval *a, const nx_jval *b, nx_jval *ret)
{
    int64_t x, y, r;
    double fx, fy;
    (void)nx__jval_number(a, &fx);
    (void)nx__jval_number(b, &fy);
    bool whole = nx__jval_integer(a, &x) && nx__jval_integer(b, &y);
    if (op == '/')
        return float_div(run, op, fx, fy, ret);
    if (whole && (op == '%' || op == JOP2('/', '/')))
        return int_floor(run, op, x, y, ret);
    if (whole && op == JOP2('*', '*'))
        return int_power(run, x, y, ret);
    if (whole) {
        bool over = op == '+'   ? __builtin_add_overflow(x, y, &r)
                    : op == '-' ? __builtin_sub_overflow(x, y, &r)
                                : __builtin_mul_overflow(x, y, &r);
        *ret = nx_jval_int(r);
        return over ? overflow(run) : NX_OK;
    }
    if (op == '%' || op == JOP2('/', '/'))
        return float_div(run, op, fx, fy, ret);
    if (op == JOP2('*', '*')) {
        if ((fx < 0 && fy != floor(fy)) || (fx == 0 && fy < 0))
            return jfail(run, "this power is no real number");
        *ret = nx_jval_float(pow(fx, fy));
        return NX_OK;
    }
    *ret = nx_jval_float(op == '+' ? fx + fy : op == '-' ? fx - fy : fx * fy);
    return NX_OK;
}

static nx_status concat_lists(nx_jrun *run, const nx_jval *a, const nx_jval *b, int64_t times, nx_jval *ret)
{
    nx_jval l;
    NX_TRY(nx_jrun_list(run, &l, run->err));
    for (int64_t k = 0; k < times; k++)
        for (size_t i = 0; i < a->list->n; i++)
            NX_TRY(nx_jlist_add(run, &l, a->list->v[i], run->err));
    for (size_t i = 0; b != NULL && i < b->list->n; i++)
        NX_TRY(nx_jlist_add(run, &l, b->list->v[i], run->err));
    l.kind = a->kind;
    *ret = l;
    return NX_OK;
}

static nx_status repeat(nx_jrun *run, const nx_jval *v, int64_t times, nx_jval *ret)
{
    size_t bytes, one = v->kind == NX_J_STR ? v->s.n : v->list->n * sizeof(nx_jval);
    if (times < 0 || one == 0)
        times = 0;
    if (__builtin_mul_overflow(one, (size_t)times, &bytes) || bytes > run->opts.bytes_max)
        return nx__jnomem(run);
    if (v->kind != NX_J_STR)
        return concat_lists(run, v, NULL, times, ret);
    char *p = nx__jalloc(run, bytes + 1, 1);
    if (p == NULL)
        return nx__jnomem(run);
    for (int64_t i = 0; i < times; i++)
        memcpy(p + (size_t)i * one, v->s.p, one);
    *ret = nx_jval_str((nx_str){p, bytes});
    return NX_OK;
}

static bool is_seq(const nx_jval *v)
{
    return v->kind == NX_J_STR || v->kind == NX_J_LIST || v->kind == NX_J_TUPLE;
}

nx_status nx__jop_binary(nx_jrun *run, int op, const nx_jval *a, const nx_jval *b, nx_jval *ret)
{
    double d;
    int64_t times;
    if (nx__jval_number(a, &d) && nx__jval_number(b, &d))
        return numbers(run, op, a, b, ret);
    if (op == '+' && a->kind == NX_J_STR && b->kind == NX_J_STR) {
        char *p = nx__jalloc(run, a->s.n + b->s.n + 1, 1);
        if (p == NULL)
            return nx__jnomem(run);
        if (a->s.n > 0)
            memcpy(p, a->s.p, a->s.n);
        if (b->s.n > 0)
            memcpy(p + a->s.n, b->s.p, b->s.n);
        *ret = nx_jval_str((nx_str){p, a->s.n + b->s.n});
        return NX_OK;
    }
    if (op == '+' && a->kind == b->kind && (a->kind == NX_J_LIST || a->kind == NX_J_TUPLE))
        return concat_lists(run, a, b, 1, ret);
    if (op == '*' && is_seq(a) && nx__jval_integer(b, &times))
        return repeat(run, a, times, ret);
    if (op == '*' && is_seq(b) && nx__jval_integer(a, &times))
        return repeat(run, b, times, ret);
    if (op == '%' && a->kind == NX_J_STR) {
        nx_jargs args = b->kind == NX_J_TUPLE ? (nx_jargs){b->list->v, b->list->n, NULL, 0} : (nx_jargs){b, 1, NULL, 0};
        return nx__jformat_percent(run, a->s, &args, ret);
    }
    char name[3] = {(char)(op > 0xff ? op >> 8 : op), (char)(op > 0xff ? op & 0xff : 0), 0};
    return op_fail(run, name, a, b);
}

nx_status nx__jop_compare(nx_jrun *run, int op, const nx_jval *a, const nx_jval *b, bool *ret)
{
    if (op == JOP2('=', '=') || op == JOP2('!', '=')) {
        *ret = nx_jval_equal(a, b) == (op == JOP2('=', '='));
        return NX_OK;
    }
    if (op == 'i' || op == 'n') {
        NX_TRY(nx__jval_contains(run, b, a, ret));
        *ret = *ret == (op == 'i');
        return NX_OK;
    }
    bool ok;
    int c = nx__jval_compare(a, b, &ok);
    char name[3] = {(char)(op > 0xff ? op >> 8 : op), (char)(op > 0xff ? '=' : 0), 0};
    if (!ok)
        return op_fail(run, name, a, b);
    *ret = c != 2 && (op == '<' ? c < 0 : op == '>' ? c > 0 : op == JOP2('<', '=') ? c <= 0 : c >= 0);
    return NX_OK;
}

/* ---- slices ---- */

/* Python's slice bounds for a sequence of n items. */
static nx_status bounds(nx_jrun *run, const nx_jval part[3], int64_t n, int64_t *from, int64_t *to, int64_t *step)
{
    int64_t v[3] = {0, 0, 1};
    for (int i = 0; i < 3; i++)
        if (part[i].kind != NX_J_NONE && !nx__jval_integer(&part[i], &v[i]))
            return jfail(run, "slice bounds must be whole numbers, not '%s'", nx_jval_type(&part[i]));
    *step = v[2];
    if (v[2] == 0)
        return jfail(run, "the step of a slice cannot be zero");
    int64_t low = v[2] < 0 ? -1 : 0, high = v[2] < 0 ? n - 1 : n;
    for (int i = 0; i < 2; i++) {
        if (v[i] < 0)
            v[i] = v[i] < -n ? low : v[i] + n;
        if (v[i] < low)
            v[i] = low;
        if (v[i] > high)
            v[i] = high;
    }
    *from = part[0].kind == NX_J_NONE ? (v[2] < 0 ? high : low) : v[0];
    *to = part[1].kind == NX_J_NONE ? (v[2] < 0 ? low : high) : v[1];
    return NX_OK;
}

nx_status nx__jop_slice(nx_jrun *run, const nx_jval *v, const nx_jval part[3], nx_jval *ret)
{
    if (!is_seq(v))
        return v->kind == NX_J_UNDEF ? nx__jundef_fail(run, v)
                                     : jfail(run, "a value of type '%s' cannot be sliced", nx_jval_type(v));
    const nx_jval *items;
    size_t n;
    int64_t from = 0, to = 0, step = 1;
    NX_TRY(nx__jval_items(run, v, &items, &n));
    NX_TRY(bounds(run, part, (int64_t)n, &from, &to, &step));
    nx_jval l;
    NX_TRY(nx_jrun_list(run, &l, run->err));
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    for (int64_t i = from; step > 0 ? i < to : i > to;) {
        if (v->kind != NX_J_STR)
            NX_TRY(nx_jlist_add(run, &l, items[i], run->err));
        else if (nx_buf_add(&b, items[i].s) != NX_OK)
            return nx__jnomem(run);
        if (__builtin_add_overflow(i, step, &i))
            break;
    }
    l.kind = v->kind;
    *ret = l;
    return v->kind == NX_J_STR ? nx__jbuf_val(run, &b, ret) : NX_OK;
}
