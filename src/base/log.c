#include "base/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum { SECRETS_MAX = 64, SECRET_BYTES_MIN = 4, MESSAGE_BYTES_MAX = 8 << 10, LINE_BYTES_MAX = 64 << 10 };

static struct {
    nx_log_level min;
    bool json;
} settings = {NX_LOG_INFO, false};

/* Longest first, so that a secret that begins with another one goes as a whole. */
static struct {
    pthread_rwlock_t lock;
    char *value[SECRETS_MAX];
    size_t bytes[SECRETS_MAX];
    size_t n;
} secrets = {.lock = PTHREAD_RWLOCK_INITIALIZER};

void nx_log_setup(nx_log_level min_level, bool json)
{
    settings.min = min_level;
    settings.json = json;
}

bool nx_log_on(nx_log_level level)
{
    return level >= settings.min;
}

void nx_log_hide(const char *secret)
{
    size_t n = secret == NULL ? 0 : strlen(secret);
    if (n < SECRET_BYTES_MIN)
        return;
    pthread_rwlock_wrlock(&secrets.lock);
    bool known = false;
    for (size_t i = 0; i < secrets.n && !known; i++)
        known = strcmp(secrets.value[i], secret) == 0;
    char *copy = known || secrets.n == SECRETS_MAX ? NULL : strdup(secret);
    if (copy != NULL) {
        size_t at = secrets.n++;
        for (; at > 0 && secrets.bytes[at - 1] < n; at--) {
            secrets.value[at] = secrets.value[at - 1];
            secrets.bytes[at] = secrets.bytes[at - 1];
        }
        secrets.value[at] = copy;
        secrets.bytes[at] = n;
    }
    pthread_rwlock_unlock(&secrets.lock);
}

void nx_log_scrub(char *text, size_t cap)
{
    size_t n = strnlen(text, cap);
    pthread_rwlock_rdlock(&secrets.lock);
    for (size_t s = 0; s < secrets.n; s++) {
        size_t from = 0;
        char *hit;
        while ((hit = memmem(text + from, n - from, secrets.value[s], secrets.bytes[s])) != NULL) {
            char *after = hit + secrets.bytes[s];
            memcpy(hit, "***", 3);
            memmove(hit + 3, after, n - (size_t)(after - text));
            n -= secrets.bytes[s] - 3;
            from = (size_t)(hit - text) + 3;
        }
    }
    pthread_rwlock_unlock(&secrets.lock);
    if (n < cap)
        text[n] = '\0';
}

static const char *const level_names[] = {"DEBUG", "INFO", "WARN", "ERROR"};

static void stamp(char out[32])
{
    int64_t ms = nx_clock_wall() / 1000000;
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&s, &tm);
    size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + n, 32 - n, ".%03dZ", (int)(ms % 1000));
}

/* Control characters would let a peer's text begin a line of its own. */
static nx_status add_text(nx_buf *b, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x20 && *c != 0x7F)
            NX_TRY(nx_buf_addc(b, *c));
        else if (*c == '\n')
            NX_TRY(nx_buf_adds(b, "\\n"));
        else
            NX_TRY(nx_buf_addf(b, "\\x%02x", (unsigned char)*c));
    }
    return NX_OK;
}

static nx_status make_line(nx_buf *b, nx_log_level level, const char *component, const char *text, const char *hint)
{
    char when[32];
    stamp(when);
    if (!settings.json) {
        NX_TRY(nx_buf_addf(b, "%s %-5s %s  ", when, level_names[level], component));
        NX_TRY(add_text(b, text));
        if (hint[0] != '\0') {
            NX_TRY(nx_buf_adds(b, " - "));
            NX_TRY(add_text(b, hint));
        }
        return nx_buf_addc(b, '\n');
    }
    static const char *const json_levels[] = {"debug", "info", "warn", "error"};
    NX_TRY(nx_buf_addf(b, "{\"ts\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"message\":", when, json_levels[level],
                       component));
    NX_TRY(nx_buf_quote(b, nx_str_of(text)));
    if (hint[0] != '\0') {
        NX_TRY(nx_buf_adds(b, ",\"hint\":"));
        NX_TRY(nx_buf_quote(b, nx_str_of(hint)));
    }
    return nx_buf_adds(b, "}\n");
}

static void put(nx_log_level level, const char *component, char *text, char *hint)
{
    nx_log_scrub(text, strlen(text) + 1);
    nx_log_scrub(hint, strlen(hint) + 1);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, LINE_BYTES_MAX);
    if (make_line(&b, level, component, text, hint) != NX_OK) /* out of memory: the bare text, still one line */
        dprintf(STDERR_FILENO, "%s %s  (no memory for the line)\n", level_names[level], component);
    else if (write(STDERR_FILENO, b.p, b.n) < 0)
        return; /* nobody to tell */
}

void nx_log(nx_log_level level, const char *component, const char *fmt, ...)
{
    if (!nx_log_on(level))
        return;
    char text[MESSAGE_BYTES_MAX], none[1] = "";
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put(level, component, text, none);
}

void nx_log_err(nx_log_level level, const char *component, const nx_err *err)
{
    if (!nx_log_on(level))
        return;
    char text[sizeof err->text], hint[sizeof err->hint];
    memcpy(text, err->text, sizeof text);
    memcpy(hint, err->hint, sizeof hint);
    if (text[0] == '\0')
        snprintf(text, sizeof text, "%s", nx_status_text(err->status));
    put(level, component, text, hint);
}
