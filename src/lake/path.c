/* Names with versions, and the spellings of one path: in the log (URI), on disk, as a partition folder (facts:
 * delta.md section 4). */
#include "data/time.h"
#include "lake/lake_int.h"

void nx__ref_parse(nx_str text, nx__ref *ret)
{
    *ret = (nx__ref){.name = text, .version = -1};
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != '@')
        at--;
    if (at == 0)
        return;
    nx_str what = nx_str_sub(text, at, text.n);
    int64_t ns;
    if (what.n > 1 && what.p[0] == 'v' && what.p[1] != '-' &&
        nx_str_to_i64(nx_str_sub(what, 1, what.n), &ret->version)) {
        ret->has_version = true;
    } else if (nx_time_parse_ns(what, &ns)) {
        ret->has_time = true;
        ret->time_ms = ns / 1000000;
    } else {
        return; /* a folder may hold '@' */
    }
    ret->name = nx_str_sub(text, 0, at - 1);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

nx_status nx__path_decode(nx_str raw, nx_buf *b)
{
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];
        if (c == '%' && raw.n - i > 2 && hex_digit(raw.p[i + 1]) >= 0 && hex_digit(raw.p[i + 2]) >= 0) {
            c = (char)(hex_digit(raw.p[i + 1]) << 4 | hex_digit(raw.p[i + 2]));
            i += 2;
        }
        NX_TRY(nx_buf_addc(b, c));
    }
    return NX_OK;
}

static nx_status escape(nx_str s, const char *special, nx_buf *b)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7F || strchr(special, c) != NULL)
            NX_TRY(nx_buf_addf(b, "%%%02X", c));
        else
            NX_TRY(nx_buf_addc(b, (char)c));
    }
    return NX_OK;
}

nx_status nx__path_encode(nx_str path, nx_buf *b)
{
    return escape(path, "% \"#<>?[\\]^`{|}", b);
}

nx_status nx__hive_escape(nx_str part, nx_buf *b)
{
    return escape(part, "\"#%'*/:=?\\{[]^", b);
}

static bool climbs(nx_str path)
{
    nx_str rest = path, part;
    while (nx_str_split(&rest, '/', &part))
        if (nx_str_is(part, ".."))
            return true;
    return false;
}

nx_status nx__path_normal(nx_str raw, nx_str root, nx_buf *b, nx_err *err)
{
    size_t from = b->n;
    NX_TRY(nx__path_decode(raw, b));
    nx_str path = nx_str_sub(nx_buf_str(b), from, b->n);
    if (path.n == 0)
        return nx_fail(err, NX_CORRUPT, "an action has an empty path");
    if (memchr(path.p, '\0', path.n) != NULL || memchr(path.p, '\n', path.n) != NULL)
        return nx_fail(err, NX_CORRUPT, "an action's path holds a control character");
    if (climbs(path))
        return nx_fail(err, NX_CORRUPT, "path \"" NX_STR_FMT "\" leads out of the table's folder", NX_STR_ARG(path));
    size_t cut = 0;
    if (nx_str_starts(path, NX_STR("file:///")))
        cut = 7;
    else if (nx_str_starts(path, NX_STR("file:/")))
        cut = 5;
    if (path.n - cut > root.n && root.n > 0 && memcmp(path.p + cut, root.p, root.n) == 0 && path.p[cut + root.n] == '/')
        cut += root.n + 1;
    memmove(b->p + from, b->p + from + cut, path.n - cut);
    b->n -= cut;
    b->p[b->n] = '\0';
    return NX_OK;
}
