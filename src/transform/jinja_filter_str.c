/* Filters over text. They take any value by its text, as Jinja's do. */
#include "transform/jinja_int.h"

#define FILTER(name)                                                                                                   \
    static nx_status f_##name(nx_jrun *run, const nx_jval *v, NX_UNUSED const nx_jval **p,                             \
                              NX_UNUSED const nx_jargs *args, nx_jval *ret)
#define CASE_FILTER(name, how)                                                                                         \
    FILTER(name)                                                                                                       \
    {                                                                                                                  \
        nx_str s;                                                                                                      \
        NX_TRY(nx__jval_text(run, v, &s));                                                                             \
        return nx__jstr_case(run, s, how, ret);                                                                        \
    }
CASE_FILTER(upper, 'u')
CASE_FILTER(lower, 'l')
CASE_FILTER(capitalize, 'c')
CASE_FILTER(title, 't')

FILTER(string)
{
    nx_str s;
    NX_TRY(nx__jval_text(run, v, &s));
    *ret = nx_jval_str(s);
    return NX_OK;
}

FILTER(trim)
{
    nx_str s, chars;
    NX_TRY(nx__jval_text(run, v, &s));
    bool given = p[0] != NULL && p[0]->kind != NX_J_NONE;
    NX_TRY(nx__jarg_str(run, given ? p[0] : NULL, NX_STR(""), "the characters for filter 'trim'", &chars));
    *ret = nx_jval_str(nx__jstr_strip(s, given ? &chars : NULL, true, true));
    return NX_OK;
}

FILTER(replace)
{
    nx_str s, from, to;
    int64_t count;
    NX_TRY(nx__jval_text(run, v, &s));
    NX_TRY(nx__jval_text(run, p[0], &from));
    NX_TRY(nx__jval_text(run, p[1], &to));
    NX_TRY(nx__jarg_int(run, p[2] != NULL && p[2]->kind == NX_J_NONE ? NULL : p[2], -1,
                        "the count for filter 'replace'", &count));
    return nx__jstr_replace(run, s, from, to, count, ret);
}

FILTER(center)
{
    nx_str s;
    int64_t width;
    NX_TRY(nx__jval_text(run, v, &s));
    NX_TRY(nx__jarg_int(run, p[0], 80, "the width for filter 'center'", &width));
    return nx__jstr_pad(run, s, width, '^', ' ', ret);
}

FILTER(format)
{
    nx_str s;
    if (args->n > 0 && args->n_kw > 0)
        return jfail(run, "filter 'format' takes positional or keyword arguments, not both");
    NX_TRY(nx__jval_text(run, v, &s));
    return nx__jformat_percent(run, s, args, ret);
}

/* Every line but the first gets the indent; blank ones only on request. */
FILTER(indent)
{
    nx_str s, indent, line;
    int64_t width = 4;
    nx_jval pad;
    bool first = p[1] != NULL && nx_jval_truth(p[1]), blank = p[2] != NULL && nx_jval_truth(p[2]);
    NX_TRY(nx__jval_text(run, v, &s));
    if (p[0] != NULL && p[0]->kind == NX_J_STR) {
        indent = p[0]->s;
    } else {
        NX_TRY(nx__jarg_int(run, p[0], 4, "the width for filter 'indent'", &width));
        NX_TRY(nx__jstr_pad(run, NX_STR(""), width, '<', ' ', &pad));
        indent = pad.s;
    }
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    bool at_first = true;
    for (nx_str rest = s; nx_str_split(&rest, '\n', &line); at_first = false) {
        nx_status st = at_first ? NX_OK : nx_buf_addc(&b, '\n');
        if (st == NX_OK && (at_first ? first : blank || line.n > 0))
            st = nx_buf_add(&b, indent);
        if (st == NX_OK)
            st = nx_buf_add(&b, line);
        if (st != NX_OK)
            return nx__jnomem(run);
    }
    return nx__jbuf_val(run, &b, ret);
}

FILTER(truncate)
{
    nx_str s, end;
    int64_t length, leeway;
    bool kill = p[1] != NULL && nx_jval_truth(p[1]);
    NX_TRY(nx__jval_text(run, v, &s));
    NX_TRY(nx__jarg_int(run, p[0], 255, "the length for filter 'truncate'", &length));
    NX_TRY(nx__jarg_str(run, p[2], NX_STR("..."), "the end for filter 'truncate'", &end));
    NX_TRY(nx__jarg_int(run, p[3] != NULL && p[3]->kind == NX_J_NONE ? NULL : p[3], 5,
                        "the leeway for filter 'truncate'", &leeway));
    int64_t end_n = (int64_t)nx_utf8_count(end), n = (int64_t)nx_utf8_count(s);
    if (length < end_n || leeway < 0)
        return jfail(run, "filter 'truncate' needs a length of at least %lld and a leeway not below zero",
                     (long long)end_n);
    *ret = nx_jval_str(s);
    if (n <= length || n - length <= leeway)
        return NX_OK;
    s.n = nx__jstr_byte(s, (size_t)(length - end_n));
    for (size_t i = s.n; !kill && i-- > 0;)
        if (s.p[i] == ' ') {
            s.n = i;
            break;
        }
    return nx_jrun_strf(run, ret, run->err, NX_STR_FMT NX_STR_FMT, NX_STR_ARG(s), NX_STR_ARG(end));
}

FILTER(wordcount)
{
    nx_str s;
    int64_t n = 0;
    bool in_word = false;
    NX_TRY(nx__jval_text(run, v, &s));
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = nx_utf8_get(s, &i);
        bool word = cp == '_' || cp >= 0x80
                        ? !nx__jstr_space(cp)
                        : (cp >= '0' && cp <= '9') || ((cp | 0x20) >= 'a' && (cp | 0x20) <= 'z') || cp == '_';
        n += word && !in_word;
        in_word = word;
    }
    *ret = nx_jval_int(n);
    return NX_OK;
}

FILTER(tojson)
{
    int64_t indent;
    NX_TRY(nx__jarg_int(run, p[0] != NULL && p[0]->kind == NX_J_NONE ? NULL : p[0], -1,
                        "the indent for filter 'tojson'", &indent));
    if (indent > 100)
        return jfail(run, "the indent for filter 'tojson' is larger than 100");
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    NX_TRY(nx__jval_json(v, &(jjson_opts){true, true, indent < 0 ? -1 : (int)indent}, &b, run->err));
    return nx__jbuf_val(run, &b, ret);
}

const jfilter nx__jfilters_str[] = {
    {"capitalize", "", f_capitalize},
    {"center", "width", f_center},
    {"format", NULL, f_format},
    {"indent", "width first blank", f_indent},
    {"lower", "", f_lower},
    {"replace", "old! new! count", f_replace},
    {"string", "", f_string},
    {"title", "", f_title},
    {"tojson", "indent", f_tojson},
    {"trim", "chars", f_trim},
    {"truncate", "length killwords end leeway", f_truncate},
    {"upper", "", f_upper},
    {"wordcount", "", f_wordcount},
    {NULL, NULL, NULL},
};
