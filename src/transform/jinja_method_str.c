/* Methods of strings, as Python has them; those that cut and join are in jinja_method_split.c. */
#include "transform/jinja_int.h"

#define METHOD(name)                                                                                                   \
    static nx_status m_##name(nx_jrun *run, const nx_jval *self, NX_UNUSED const nx_jval **p,                          \
                              NX_UNUSED const nx_jargs *args, nx_jval *ret)
#define CASE_METHOD(name, how)                                                                                         \
    METHOD(name)                                                                                                       \
    {                                                                                                                  \
        return nx__jstr_case(run, self->s, how, ret);                                                                  \
    }
CASE_METHOD(upper, 'u')
CASE_METHOD(lower, 'l')
CASE_METHOD(capitalize, 'c')
CASE_METHOD(title, 'T')
CASE_METHOD(swapcase, 's')

static nx_status strip(nx_jrun *run, const nx_jval *self, const nx_jval *chars, bool left, bool right, nx_jval *ret)
{
    nx_str c;
    bool given = chars != NULL && chars->kind != NX_J_NONE;
    NX_TRY(nx__jarg_str(run, given ? chars : NULL, NX_STR(""), "the characters to strip", &c));
    *ret = nx_jval_str(nx__jstr_strip(self->s, given ? &c : NULL, left, right));
    return NX_OK;
}

METHOD(strip)
{
    return strip(run, self, p[0], true, true, ret);
}

METHOD(lstrip)
{
    return strip(run, self, p[0], true, false, ret);
}

METHOD(rstrip)
{
    return strip(run, self, p[0], false, true, ret);
}

METHOD(replace)
{
    nx_str from, to;
    int64_t count;
    NX_TRY(nx__jarg_str(run, p[0], NX_STR(""), "what replace() replaces", &from));
    NX_TRY(nx__jarg_str(run, p[1], NX_STR(""), "what replace() puts in", &to));
    NX_TRY(nx__jarg_int(run, p[2], -1, "the count of replace()", &count));
    return nx__jstr_replace(run, self->s, from, to, count, ret);
}

static nx_status edge(nx_jrun *run, const nx_jval *self, const nx_jval *what, bool end, nx_jval *ret)
{
    const nx_jval *items = what;
    size_t n = 1;
    if (what->kind == NX_J_TUPLE)
        NX_TRY(nx__jval_items(run, what, &items, &n));
    *ret = nx_jval_bool(false);
    for (size_t i = 0; i < n; i++) {
        if (items[i].kind != NX_J_STR)
            return jfail(run, "%s() needs a string or a tuple of strings", end ? "endswith" : "startswith");
        if (end ? nx_str_ends(self->s, items[i].s) : nx_str_starts(self->s, items[i].s))
            *ret = nx_jval_bool(true);
    }
    return NX_OK;
}

METHOD(startswith)
{
    return edge(run, self, p[0], false, ret);
}

METHOD(endswith)
{
    return edge(run, self, p[0], true, ret);
}

static nx_status remove_edge(nx_jrun *run, const nx_jval *self, const nx_jval *what, bool end, nx_jval *ret)
{
    nx_str w;
    NX_TRY(nx__jarg_str(run, what, NX_STR(""), end ? "the suffix" : "the prefix", &w));
    *ret = *self;
    if (end ? nx_str_ends(self->s, w) : nx_str_starts(self->s, w))
        *ret = nx_jval_str(end ? nx_str_sub(self->s, 0, self->s.n - w.n) : nx_str_sub(self->s, w.n, self->s.n));
    return NX_OK;
}

METHOD(removeprefix)
{
    return remove_edge(run, self, p[0], false, ret);
}

METHOD(removesuffix)
{
    return remove_edge(run, self, p[0], true, ret);
}

static nx_status find(nx_jrun *run, const nx_jval *self, const nx_jval *what, bool last, bool must, nx_jval *ret)
{
    nx_str w;
    NX_TRY(nx__jarg_str(run, what, NX_STR(""), "what is looked for", &w));
    size_t hit = last ? nx__jstr_find_last(self->s, w) : nx_str_find(self->s, w, 0);
    if (hit == SIZE_MAX && must)
        return jfail(run, "index(): the text is not there");
    *ret = nx_jval_int(hit == SIZE_MAX ? -1 : (int64_t)nx_utf8_count(nx_str_sub(self->s, 0, hit)));
    return NX_OK;
}

METHOD(find)
{
    return find(run, self, p[0], false, false, ret);
}

METHOD(rfind)
{
    return find(run, self, p[0], true, false, ret);
}

METHOD(index)
{
    return find(run, self, p[0], false, true, ret);
}

METHOD(count)
{
    nx_str w;
    int64_t n = 0;
    NX_TRY(nx__jarg_str(run, p[0], NX_STR(""), "what is counted", &w));
    if (w.n == 0)
        n = (int64_t)nx_utf8_count(self->s) + 1;
    for (size_t i = 0; w.n > 0 && (i = nx_str_find(self->s, w, i)) != SIZE_MAX; i += w.n)
        n++;
    *ret = nx_jval_int(n);
    return NX_OK;
}

static nx_status pad(nx_jrun *run, const nx_jval *self, const nx_jval **p, char align, nx_jval *ret)
{
    int64_t width;
    nx_str fill;
    size_t i = 0;
    NX_TRY(nx__jarg_int(run, p[0], 0, "the width", &width));
    NX_TRY(nx__jarg_str(run, p[1], NX_STR(" "), "the fill character", &fill));
    uint32_t cp = fill.n == 0 ? 0 : nx_utf8_get(fill, &i);
    if (i != fill.n || i == 0)
        return jfail(run, "the fill character must be one character");
    return nx__jstr_pad(run, self->s, width, align, cp, ret);
}

METHOD(ljust)
{
    return pad(run, self, p, '<', ret);
}

METHOD(rjust)
{
    return pad(run, self, p, '>', ret);
}

METHOD(center)
{
    return pad(run, self, p, '^', ret);
}

METHOD(zfill)
{
    int64_t width;
    NX_TRY(nx__jarg_int(run, p[0], 0, "the width", &width));
    bool sign = self->s.n > 0 && (self->s.p[0] == '-' || self->s.p[0] == '+');
    nx_jval digits;
    NX_TRY(nx__jstr_pad(run, nx_str_sub(self->s, sign, self->s.n), width - sign, '>', '0', &digits));
    *ret = digits;
    return sign ? nx_jrun_strf(run, ret, run->err, "%c" NX_STR_FMT, self->s.p[0], NX_STR_ARG(digits.s)) : NX_OK;
}

METHOD(format)
{
    return nx__jformat_braces(run, self->s, args, ret);
}

static bool all_chars(nx_str s, bool (*is)(uint32_t cp))
{
    for (size_t i = 0; i < s.n;)
        if (!is(nx_utf8_get(s, &i)))
            return false;
    return s.n > 0;
}

static bool is_digit(uint32_t cp)
{
    return cp >= '0' && cp <= '9';
}

static bool is_alpha(uint32_t cp)
{
    return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z');
}

static bool is_alnum(uint32_t cp)
{
    return is_digit(cp) || is_alpha(cp);
}

/* ASCII classes: identifiers and numbers are what templates ask about. Other letters are refused, not guessed. */
static nx_status ascii_class(nx_jrun *run, const nx_jval *self, bool (*is)(uint32_t cp), nx_jval *ret)
{
    for (size_t i = 0; i < self->s.n; i++)
        if ((unsigned char)self->s.p[i] >= 0x80 && is != nx__jstr_space)
            return nx_fail(run->err, NX_UNSUPPORTED,
                           "isdigit(), isalpha() and isalnum() are supported for ASCII text only");
    *ret = nx_jval_bool(all_chars(self->s, is));
    return NX_OK;
}

METHOD(isdigit)
{
    return ascii_class(run, self, is_digit, ret);
}

METHOD(isalpha)
{
    return ascii_class(run, self, is_alpha, ret);
}

METHOD(isalnum)
{
    return ascii_class(run, self, is_alnum, ret);
}

METHOD(isspace)
{
    return ascii_class(run, self, nx__jstr_space, ret);
}

METHOD(isupper)
{
    *ret = nx_jval_bool(nx__jstr_is_case(run, self->s, true));
    return NX_OK;
}

METHOD(islower)
{
    *ret = nx_jval_bool(nx__jstr_is_case(run, self->s, false));
    return NX_OK;
}

const jmethod_def nx__jmethods_str[] = {
    {"capitalize", "", m_capitalize},
    {"casefold", "", m_lower},
    {"center", "width! fillchar", m_center},
    {"count", "sub!", m_count},
    {"endswith", "suffix!", m_endswith},
    {"find", "sub!", m_find},
    {"format", NULL, m_format},
    {"index", "sub!", m_index},
    {"isalnum", "", m_isalnum},
    {"isalpha", "", m_isalpha},
    {"isdecimal", "", m_isdigit},
    {"isdigit", "", m_isdigit},
    {"islower", "", m_islower},
    {"isnumeric", "", m_isdigit},
    {"isspace", "", m_isspace},
    {"isupper", "", m_isupper},
    {"ljust", "width! fillchar", m_ljust},
    {"lower", "", m_lower},
    {"lstrip", "chars", m_lstrip},
    {"removeprefix", "prefix!", m_removeprefix},
    {"removesuffix", "suffix!", m_removesuffix},
    {"replace", "old! new! count", m_replace},
    {"rfind", "sub!", m_rfind},
    {"rjust", "width! fillchar", m_rjust},
    {"rstrip", "chars", m_rstrip},
    {"startswith", "prefix!", m_startswith},
    {"strip", "chars", m_strip},
    {"swapcase", "", m_swapcase},
    {"title", "", m_title},
    {"upper", "", m_upper},
    {"zfill", "width!", m_zfill},
    {NULL, NULL, NULL},
};
