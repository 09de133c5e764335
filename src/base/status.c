#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *nx_status_text(nx_status s)
{
    switch (s) {
#define X(name, text, code)                                                                                            \
    case name:                                                                                                         \
        return text;
        NX_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

const char *nx_status_name(nx_status s)
{
    switch (s) {
#define X(name, text, code)                                                                                            \
    case name:                                                                                                         \
        return #name;
        NX_STATUS_LIST(X)
#undef X
    }
    return "NX_?";
}

int nx_status_exit_code(nx_status s, bool retriable)
{
    static const int codes[] = {
#define X(name, text, code) code,
        NX_STATUS_LIST(X)
#undef X
    };
    if ((unsigned)s >= NX_COUNT_OF(codes))
        return 3;
    return codes[s] == 3 && retriable ? 75 : codes[s];
}

static void fill(nx_err *e, nx_status st, const char *file, int line, const char *fmt, va_list ap)
{
    e->status = st;
    e->retriable = false;
    e->sys_errno = 0;
    e->retry_after_ms = 0;
    e->file = file;
    e->line = line;
    e->hint[0] = '\0';
    char text[sizeof e->text]; /* an argument may be e->text itself */
    vsnprintf(text, sizeof text, fmt, ap);
    memcpy(e->text, text, sizeof text);
}

nx_status nx_err_set(nx_err *e, nx_status st, const char *file, int line, const char *fmt, ...)
{
    if (e == NULL)
        return st;
    va_list ap;
    va_start(ap, fmt);
    fill(e, st, file, line, fmt, ap);
    va_end(ap);
    return st;
}

nx_status nx_err_set_sys(nx_err *e, nx_status st, const char *file, int line, const char *fmt, ...)
{
    int saved = errno;
    if (e == NULL)
        return st;
    va_list ap;
    va_start(ap, fmt);
    fill(e, st, file, line, fmt, ap);
    va_end(ap);
    e->sys_errno = saved;
    size_t n = strlen(e->text);
    char why[128];
    snprintf(e->text + n, sizeof e->text - n, ": %s", strerror_r(saved, why, sizeof why));
    return st;
}

nx_status nx_err_prefix(nx_err *e, const char *fmt, ...)
{
    if (e == NULL)
        return NX_INTERNAL;
    char old[sizeof e->text];
    memcpy(old, e->text, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->text, sizeof e->text, fmt, ap);
    va_end(ap);
    size_t n = strlen(e->text);
    snprintf(e->text + n, sizeof e->text - n, ": %s", old);
    return e->status;
}

nx_status nx_err_hint(nx_err *e, nx_status st, const char *fmt, ...)
{
    if (e == NULL)
        return st;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(e->hint, sizeof e->hint, fmt, ap);
    va_end(ap);
    return e->status;
}

void nx_err_clear(nx_err *e)
{
    if (e != NULL)
        memset(e, 0, sizeof *e);
}
