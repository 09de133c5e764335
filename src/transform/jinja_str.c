/* Strings are UTF-8 outside and sequences of code points to the template. */
#include <wctype.h>

#include "transform/jinja_int.h"

size_t nx__jstr_byte(nx_str s, size_t code_point)
{
    size_t i = 0;
    for (; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xC0) != 0x80 && code_point-- == 0)
            return i;
    return s.n;
}

size_t nx__jstr_find_last(nx_str s, nx_str what)
{
    size_t last = SIZE_MAX;
    if (what.n == 0)
        return s.n;
    for (size_t i = nx_str_find(s, what, 0); i != SIZE_MAX; i = nx_str_find(s, what, i + 1))
        last = i;
    return last;
}

bool nx__jstr_space(uint32_t cp)
{
    return cp == ' ' || (cp >= 0x09 && cp <= 0x0D) || (cp >= 0x1C && cp <= 0x1F) || cp == 0x85 || cp == 0xA0 ||
           cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F ||
           cp == 0x205F || cp == 0x3000;
}

static bool strips(uint32_t cp, const nx_str *chars)
{
    if (chars == NULL)
        return nx__jstr_space(cp);
    for (size_t i = 0; i < chars->n;)
        if (nx_utf8_get(*chars, &i) == cp)
            return true;
    return false;
}

nx_str nx__jstr_strip(nx_str s, const nx_str *chars, bool left, bool right)
{
    for (size_t i = 0; left && i < s.n;) {
        if (!strips(nx_utf8_get(s, &i), chars))
            break;
        s = nx_str_sub(s, i, s.n);
        i = 0;
    }
    while (right && s.n > 0) {
        size_t i = s.n - 1;
        while (i > 0 && ((unsigned char)s.p[i] & 0xC0) == 0x80)
            i--;
        size_t k = i;
        if (!strips(nx_utf8_get(s, &k), chars))
            break;
        s.n = i;
    }
    return s;
}

static uint32_t upper(const nx_jrun *run, uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'a' && cp <= 'z' ? cp - 32 : cp;
    return run->j->ctype == (locale_t)0 ? cp : (uint32_t)towupper_l((wint_t)cp, run->j->ctype);
}

static uint32_t lower(const nx_jrun *run, uint32_t cp)
{
    if (cp < 0x80)
        return cp >= 'A' && cp <= 'Z' ? cp + 32 : cp;
    return run->j->ctype == (locale_t)0 ? cp : (uint32_t)towlower_l((wint_t)cp, run->j->ctype);
}

/* The filter title starts a word after one of these; the method title() after anything that is no letter. */
static bool title_break(uint32_t before)
{
    return before == 0 || nx__jstr_space(before) || before == '-' || before == '(' || before == '{' || before == '[' ||
           before == '<';
}

nx_status nx__jstr_case(nx_jrun *run, nx_str s, char how, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    uint32_t before = 0;
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = nx_utf8_get(s, &i);
        bool letter = upper(run, before) != lower(run, before);
        bool up = how == 'u' || (how == 'c' && before == 0) || (how == 't' && title_break(before)) ||
                  (how == 'T' && !letter) || (how == 's' && cp == lower(run, cp));
        uint32_t to = up ? upper(run, cp) : lower(run, cp);
        before = cp;
        char out[4];
        size_t n = nx_utf8_put(to, out);
        if (nx_buf_add(&b, (nx_str){out, n}) != NX_OK)
            return nx__jnomem(run);
    }
    return nx__jbuf_val(run, &b, ret);
}

bool nx__jstr_is_case(nx_jrun *run, nx_str s, bool want_upper)
{
    bool seen = false;
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = nx_utf8_get(s, &i), u = upper(run, cp), l = lower(run, cp);
        if (u == l)
            continue;
        if (cp != (want_upper ? u : l))
            return false;
        seen = true;
    }
    return seen;
}

nx_status nx__jstr_replace(nx_jrun *run, nx_str s, nx_str from, nx_str to, int64_t count, nx_jval *ret)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    size_t i = 0;
    for (int64_t k = 0; count < 0 || k < count; k++) {
        size_t hit = from.n == 0 ? i : nx_str_find(s, from, i);
        if (hit == SIZE_MAX)
            break;
        if (nx_buf_add(&b, nx_str_sub(s, i, hit)) != NX_OK || nx_buf_add(&b, to) != NX_OK)
            return nx__jnomem(run);
        i = hit + from.n;
        if (from.n == 0) { /* between all characters, as Python does */
            if (i >= s.n) {
                i = s.n + 1;
                break;
            }
            size_t next = i;
            (void)nx_utf8_get(s, &next);
            if (nx_buf_add(&b, nx_str_sub(s, i, next)) != NX_OK)
                return nx__jnomem(run);
            i = next;
        }
    }
    if (i < s.n && nx_buf_add(&b, nx_str_sub(s, i, s.n)) != NX_OK)
        return nx__jnomem(run);
    return nx__jbuf_val(run, &b, ret);
}

nx_status nx__jstr_pad(nx_jrun *run, nx_str s, int64_t width, char align, uint32_t fill, nx_jval *ret)
{
    int64_t n = (int64_t)nx_utf8_count(s), gap = width > n ? width - n : 0;
    if ((uint64_t)gap > run->opts.bytes_max)
        return nx__jnomem(run);
    /* Python puts the odd blank of a centred text left when the width is odd */
    int64_t left = align == '>' ? gap : align == '<' ? 0 : gap / 2 + (gap & width & 1);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    char f[4];
    nx_str fill_s = {f, nx_utf8_put(fill, f)};
    nx_status st = NX_OK;
    for (int64_t i = 0; i < left && st == NX_OK; i++)
        st = nx_buf_add(&b, fill_s);
    if (st == NX_OK)
        st = nx_buf_add(&b, s);
    for (int64_t i = left; i < gap && st == NX_OK; i++)
        st = nx_buf_add(&b, fill_s);
    return st != NX_OK ? nx__jnomem(run) : nx__jbuf_val(run, &b, ret);
}

nx_status nx__jval_text(nx_jrun *run, const nx_jval *v, nx_str *ret)
{
    if (v->kind == NX_J_STR) {
        *ret = v->s;
        return NX_OK;
    }
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    nx_jval text;
    NX_TRY(nx_jval_print(run, v, &b, run->err));
    NX_TRY(nx__jbuf_val(run, &b, &text));
    *ret = text.s;
    return NX_OK;
}

nx_status nx__jbuf_val(nx_jrun *run, const nx_buf *b, nx_jval *ret)
{
    return nx_jrun_str(run, nx_buf_str(b), ret, run->err);
}
