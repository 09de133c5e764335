/* Steps A and B of the procedure: emoji become words, the text becomes tokens. */
#include <wctype.h>

#include "enrich/vader_int.h"

/* White space as Python's str.split() sees it. */
static bool is_space(uint32_t cp)
{
    return (cp >= 0x09 && cp <= 0x0D) || (cp >= 0x1C && cp <= 0x20) || cp == 0x85 || cp == 0xA0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}

static bool is_punct(char c)
{
    return (c >= 0x21 && c <= 0x2F) || (c >= 0x3A && c <= 0x40) || (c >= 0x5B && c <= 0x60) || (c >= 0x7B && c <= 0x7E);
}

static nx_str trim(nx_str s)
{
    size_t from = 0, to = 0;
    bool seen = false;
    for (size_t i = 0; i < s.n;) {
        size_t at = i;
        if (is_space(nx_utf8_get(s, &i)))
            continue;
        if (!seen)
            from = at;
        seen = true;
        to = i;
    }
    return seen ? nx_str_sub(s, from, to) : (nx_str){s.p, 0};
}

/* Only single code points are looked up: sequences (flags, skin tones) never match as a unit. */
static nx_status spell_emoji(const nx_vader *v, nx_str text, nx_buf *out)
{
    bool prev_space = true;
    for (size_t i = 0; i < text.n;) {
        size_t at = i;
        uint32_t cp = nx_utf8_get(text, &i);
        nx_str raw = nx_str_sub(text, at, i);
        const nx_str *name = cp < 0x80 ? NULL : nx_map_get(&v->emoji, raw);
        if (name == NULL) {
            NX_TRY(nx_buf_add(out, raw));
            prev_space = cp == ' ';
            continue;
        }
        if (!prev_space)
            NX_TRY(nx_buf_addc(out, ' '));
        NX_TRY(nx_buf_add(out, *name));
        prev_space = false;
    }
    return NX_OK;
}

static nx_str strip_punct(nx_str word)
{
    nx_str s = word;
    while (s.n > 0 && is_punct(s.p[0]))
        s = nx_str_sub(s, 1, s.n);
    while (s.n > 0 && is_punct(s.p[s.n - 1]))
        s.n--;
    return nx_utf8_count(s) <= 2 ? word : s;
}

static nx_status make_token(const nx_vader *v, nx_str word, nx_arena *a, vader_token *t)
{
    t->text = strip_punct(word);
    /* a letter may take one byte more in the other case */
    char *low = nx_arena_calloc(a, 2 * t->text.n + 4, 1);
    if (low == NULL)
        return NX_NOMEM;
    size_t n = 0;
    bool has_upper = false, has_lower = false;
    for (size_t i = 0; i < t->text.n;) {
        size_t at = i;
        uint32_t cp = nx_utf8_get(t->text, &i);
        if (cp == 0xFFFD) { /* malformed bytes stay what they are */
            memcpy(low + n, t->text.p + at, i - at);
            n += i - at;
            continue;
        }
        has_upper |= iswupper_l((wint_t)cp, v->ctype) != 0;
        has_lower |= iswlower_l((wint_t)cp, v->ctype) != 0;
        n += nx_utf8_put((uint32_t)towlower_l((wint_t)cp, v->ctype), low + n);
    }
    t->low = (nx_str){low, n};
    t->upper = has_upper && !has_lower;
    t->valence = nx_map_get(&v->lexicon, t->low);
    return NX_OK;
}

nx_status nx__vader_read(const nx_vader *v, nx_str text, nx_arena *a, vader_text *ret, nx_err *err)
{
    NX_BUF_AUTO nx_buf spelled;
    nx_buf_init(&spelled, 0);
    *ret = (vader_text){0};
    if (spell_emoji(v, text, &spelled) != NX_OK)
        return nx_nomem(err);
    nx_str s = trim(nx_buf_str(&spelled));
    char *copy = nx_arena_dup(a, s);
    ret->tokens = NX_ARENA_ARRAY(a, vader_token, s.n / 2 + 1);
    if (copy == NULL || ret->tokens == NULL)
        return nx_nomem(err);
    ret->text = (nx_str){copy, s.n};
    size_t uppers = 0;
    for (size_t i = 0, from = SIZE_MAX; i <= s.n;) {
        size_t at = i;
        bool space = at == s.n || is_space(nx_utf8_get(ret->text, &i));
        if (!space && from == SIZE_MAX)
            from = at;
        if (space && from != SIZE_MAX) {
            vader_token *t = &ret->tokens[ret->n++];
            if (make_token(v, nx_str_sub(ret->text, from, at), a, t) != NX_OK)
                return nx_nomem(err);
            uppers += t->upper;
            from = SIZE_MAX;
        }
        if (at == s.n)
            break;
    }
    ret->cap_diff = uppers > 0 && uppers < ret->n;
    return NX_OK;
}
