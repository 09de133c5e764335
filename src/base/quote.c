#include "base/str.h"

/* Bytes that need no escape are copied in runs. */
nx_status nx_buf_quote(nx_buf *b, nx_str s)
{
    static const char digits[] = "0123456789abcdef";
    NX_TRY(nx_buf_reserve(b, s.n < b->max ? s.n + 2 : s.n));
    NX_TRY(nx_buf_addc(b, '"'));
    size_t run = 0, i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t at = i;
        char esc[8] = "\\";
        size_t esc_n = 2;
        if (c >= 0x80) {
            if (nx_utf8_get(s, &i) != 0xFFFD || i - at == 3)
                continue; /* well-formed */
            esc_n = nx_utf8_put(0xFFFD, esc);
        } else {
            static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
            const char *hit = memchr(from, c, sizeof from - 1);
            i++;
            if (hit != NULL)
                esc[1] = to[hit - from];
            else {
                memcpy(esc, "\\u00", 4);
                esc[4] = digits[c >> 4];
                esc[5] = digits[c & 15];
                esc_n = 6;
            }
        }
        NX_TRY(nx_buf_add(b, nx_str_sub(s, run, at)));
        NX_TRY(nx_buf_add(b, (nx_str){esc, esc_n}));
        run = i;
    }
    NX_TRY(nx_buf_add(b, nx_str_sub(s, run, s.n)));
    return nx_buf_addc(b, '"');
}

nx_status nx_buf_add_doubled(nx_buf *b, nx_str s, char quote)
{
    NX_TRY(nx_buf_reserve(b, s.n + 2));
    NX_TRY(nx_buf_addc(b, quote));
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\0')
            return NX_INVALID;
        if (s.p[i] == quote)
            NX_TRY(nx_buf_addc(b, quote));
        NX_TRY(nx_buf_addc(b, s.p[i]));
    }
    return nx_buf_addc(b, quote);
}
