/* Thresholds: "> 5", ">= 1%", "between 1 and (2", "< 1d12h". */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "quality/quality_int.h"

static nx_str next_word(nx_str *rest)
{
    *rest = nx_str_trim(*rest);
    size_t n = 0;
    while (n < rest->n && !isspace((unsigned char)rest->p[n]))
        n++;
    nx_str w = nx_str_sub(*rest, 0, n);
    *rest = nx_str_trim(nx_str_sub(*rest, n, rest->n));
    return w;
}

static bool parse_number(nx_str s, double *ret)
{
    char text[64], *end;
    if (s.n > 0 && s.p[s.n - 1] == '%')
        s.n--;
    s = nx_str_trim(s);
    if (s.n == 0 || s.n >= sizeof text)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (strchr("0123456789.+-eE", s.p[i]) == NULL)
            return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    *ret = strtod(text, &end);
    return *end == '\0';
}

/* "1d2h30m", "90s": largest unit first, each once; in seconds. */
static bool parse_duration(nx_str s, double *ret)
{
    static const char units[] = "dhms";
    static const double seconds[] = {86400, 3600, 60, 1};
    double sum = 0;
    size_t unit = 0, i = 0;
    while (i < s.n) {
        double v = 0;
        size_t from = i;
        for (; i < s.n && isdigit((unsigned char)s.p[i]) && i - from < 9; i++)
            v = v * 10 + (s.p[i] - '0');
        while (unit < 4 && i < s.n && units[unit] != s.p[i])
            unit++;
        if (i == from || i == s.n || unit == 4)
            return false;
        sum += v * seconds[unit++];
        i++;
    }
    *ret = sum;
    return s.n > 0;
}

static nx_status parse_value(qparser *p, int line, nx_str s, bool duration, double *ret)
{
    if (duration ? parse_duration(s, ret) : parse_number(s, ret))
        return NX_OK;
    return nx__quality_fail(p, NX_INVALID, line, "'" NX_STR_FMT "' is no %s", NX_STR_ARG(s),
                            duration ? "duration such as 1d2h30m" : "number");
}

/* between [a and b) */
static nx_status parse_between(qparser *p, int line, nx_str text, bool duration, qbound *ret)
{
    size_t at = nx_str_find(text, NX_STR(" and "), 0);
    if (at == SIZE_MAX)
        return nx__quality_fail(p, NX_INVALID, line, "'between' needs two values: between 1 and 2");
    nx_str a = nx_str_trim(nx_str_sub(text, 0, at)), b = nx_str_trim(nx_str_sub(text, at + 5, text.n));
    if (a.n > 0 && (a.p[0] == '(' || a.p[0] == '[')) {
        ret->open_a = a.p[0] == '(';
        a = nx_str_trim(nx_str_sub(a, 1, a.n));
    }
    if (b.n > 0 && (b.p[b.n - 1] == ')' || b.p[b.n - 1] == ']')) {
        ret->open_b = b.p[b.n - 1] == ')';
        b = nx_str_trim(nx_str_sub(b, 0, b.n - 1));
    }
    NX_TRY(parse_value(p, line, a, duration, &ret->a));
    NX_TRY(parse_value(p, line, b, duration, &ret->b));
    if (ret->a > ret->b)
        return nx__quality_fail(p, NX_INVALID, line, "'between' needs the smaller value first");
    return NX_OK;
}

nx_status nx__quality_parse_bound(qparser *p, int line, nx_str text, bool duration, qbound *ret)
{
    static const struct {
        const char *word;
        qop op;
    } ops[] = {{"<", QOP_LT}, {"<=", QOP_LE}, {">", QOP_GT}, {">=", QOP_GE},
               {"=", QOP_EQ}, {"!=", QOP_NE}, {"<>", QOP_NE}};
    *ret = (qbound){.op = QOP_NONE};
    nx_str rest = nx_str_trim(text);
    if (rest.n == 0)
        return NX_OK;
    ret->text = nx_arena_dup(p->a, rest);
    if (ret->text == NULL)
        return nx_nomem(p->err);
    nx_str word = next_word(&rest);
    bool negated = nx_str_is(word, "not");
    if (negated)
        word = next_word(&rest);
    if (nx_str_is(word, "between")) {
        ret->op = negated ? QOP_NOT_BETWEEN : QOP_BETWEEN;
        return parse_between(p, line, rest, duration, ret);
    }
    for (size_t i = 0; i < NX_COUNT_OF(ops) && !negated; i++)
        if (nx_str_is(word, ops[i].word)) {
            ret->op = ops[i].op;
            return parse_value(p, line, rest, duration, &ret->a);
        }
    return nx__quality_fail(p, NX_INVALID, line,
                            "'" NX_STR_FMT "' is no threshold: it starts with <, <=, =, >=, >, != or between",
                            NX_STR_ARG(text));
}

bool nx__quality_holds(const qbound *b, double v)
{
    bool inside = (b->open_a ? v > b->a : v >= b->a) && (b->open_b ? v < b->b : v <= b->b);
    switch (b->op) {
    case QOP_LT:
        return v < b->a;
    case QOP_LE:
        return v <= b->a;
    case QOP_GT:
        return v > b->a;
    case QOP_GE:
        return v >= b->a;
    case QOP_EQ:
        return v == b->a;
    case QOP_NE:
        return v != b->a;
    case QOP_BETWEEN:
        return inside;
    case QOP_NOT_BETWEEN:
        return !inside;
    case QOP_NONE:
        break;
    }
    return false;
}

const char *nx__quality_duration(nx_arena *a, double seconds)
{
    bool negative = seconds < 0;
    int64_t s = (int64_t)(negative ? -seconds : seconds);
    char text[80];
    int n = snprintf(text, sizeof text, "%s", negative ? "-" : "");
    if (s >= 86400)
        n += snprintf(text + n, sizeof text - (size_t)n, "%lldd", (long long)(s / 86400));
    if (s >= 3600)
        n += snprintf(text + n, sizeof text - (size_t)n, "%lldh", (long long)(s / 3600 % 24));
    if (s >= 60)
        n += snprintf(text + n, sizeof text - (size_t)n, "%lldm", (long long)(s / 60 % 60));
    snprintf(text + n, sizeof text - (size_t)n, "%llds", (long long)(s % 60));
    return nx_arena_dup(a, nx_str_of(text));
}
