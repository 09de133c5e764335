#include "io/secret.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/log.h"

enum { FILE_BYTES_MAX = 64 << 10 };

static nx_status from_env(nx_str name, nx_buf *out, nx_err *err)
{
    char *key = nx_str_dup(name);
    if (key == NULL)
        return nx_nomem(err);
    const char *value = getenv(key);
    free(key);
    if (value == NULL) {
        nx_fail(err, NX_NOT_FOUND, "could not resolve ${env:" NX_STR_FMT "}: the variable is not set",
                NX_STR_ARG(name));
        return nx_err_hint(err, NX_NOT_FOUND,
                           "export " NX_STR_FMT "=…, or put the value in a file and refer to it by ${file:path}",
                           NX_STR_ARG(name));
    }
    nx_log_hide(value);
    return nx_buf_adds(out, value);
}

static nx_status from_file(nx_str name, nx_buf *out, nx_err *err)
{
    char *path = nx_str_dup(name);
    if (path == NULL)
        return nx_nomem(err);
    NX_BUF_AUTO nx_buf text;
    nx_buf_init(&text, FILE_BYTES_MAX);
    nx_status st = nx_file_read(path, &text, err);
    free(path);
    if (st != NX_OK) {
        nx_err_prefix(err, "could not resolve ${file:" NX_STR_FMT "}", NX_STR_ARG(name));
        return st;
    }
    while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
        text.p[--text.n] = '\0';
    if (text.p != NULL)
        nx_log_hide(text.p);
    return nx_buf_add(out, nx_buf_str(&text));
}

static nx_status resolve_one(nx_str ref, nx_buf *out, nx_err *err)
{
    size_t colon = nx_str_find(ref, NX_STR(":"), 0);
    if (colon == SIZE_MAX || colon == 0 || colon + 1 == ref.n) {
        nx_fail(err, NX_INVALID, "could not resolve ${" NX_STR_FMT "}: not a reference", NX_STR_ARG(ref));
        return nx_err_hint(err, NX_INVALID, "write ${env:NAME} or ${file:path}");
    }
    nx_str scheme = nx_str_sub(ref, 0, colon), rest = nx_str_sub(ref, colon + 1, ref.n);
    nx_status st;
    if (nx_str_is(scheme, "env"))
        st = from_env(rest, out, err);
    else if (nx_str_is(scheme, "file"))
        st = from_file(rest, out, err);
    else {
        st = nx_fail(err, NX_UNSUPPORTED,
                     "could not resolve ${" NX_STR_FMT ":…}: secrets of this kind are not supported",
                     NX_STR_ARG(scheme));
        return nx_err_hint(err, st, "supported are ${env:NAME} and ${file:path}");
    }
    return st == NX_LIMIT ? nx_fail(err, st, "could not resolve ${" NX_STR_FMT "}: too long", NX_STR_ARG(ref)) : st;
}

nx_status nx_secret_resolve(nx_str text, nx_buf *out, nx_err *err)
{
    const size_t before = out->n;
    nx_status st = NX_OK;
    size_t at = 0;
    while (st == NX_OK && at < text.n) {
        size_t from = nx_str_find(text, NX_STR("${"), at);
        st = nx_buf_add(out, nx_str_sub(text, at, from == SIZE_MAX ? text.n : from));
        if (from == SIZE_MAX || st != NX_OK)
            break;
        size_t to = nx_str_find(text, NX_STR("}"), from);
        if (to == SIZE_MAX) {
            st = nx_fail(err, NX_INVALID, "could not resolve a secret: \"${\" without \"}\"");
            break;
        }
        st = resolve_one(nx_str_sub(text, from + 2, to), out, err);
        at = to + 1;
    }
    if (st != NX_OK) {
        out->n = before;
        if (out->p != NULL)
            out->p[before] = '\0';
    }
    return st;
}
