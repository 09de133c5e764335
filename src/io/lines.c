#include "io/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/file.h"

struct nx_lines {
    int fd;
    char *path;
    ZSTD_DStream *zstd; /* NULL: plain text */
    char *raw;          /* compressed bytes */
    size_t raw_n, raw_at, raw_cap;
    size_t frame_left; /* zstd's hint: 0 between frames */
    nx_buf text;       /* [at, n) is not handed out yet */
    size_t at;
    size_t line_max, chunk;
    uint64_t number;
    bool eof;
};

enum { WINDOW_LOG_MAX = 27 };

static nx_status start(nx_lines *l, nx_err *err)
{
    unsigned char magic[4];
    ssize_t n = pread(l->fd, magic, sizeof magic, 0);
    if (n < 0)
        return nx_fail_sys(err, errno == EISDIR ? NX_INVALID : NX_IO, "could not read %s", l->path);
    l->chunk = 128 << 10;
    bool frame = n == 4 && magic[0] == 0x28 && magic[1] == 0xB5 && magic[2] == 0x2F && magic[3] == 0xFD;
    bool skippable = n == 4 && (magic[0] & 0xF0) == 0x50 && magic[1] == 0x2A && magic[2] == 0x4D && magic[3] == 0x18;
    if (!frame && !skippable)
        return NX_OK;
    l->zstd = ZSTD_createDStream();
    l->raw_cap = ZSTD_DStreamInSize();
    l->raw = malloc(l->raw_cap);
    if (l->zstd == NULL || l->raw == NULL)
        return nx_nomem(err);
    ZSTD_DCtx_setParameter(l->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    return NX_OK;
}

nx_status nx_lines_open(const char *path, size_t line_bytes_max, nx_lines **ret, nx_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return nx_fail_sys(err, errno == ENOENT ? NX_NOT_FOUND : NX_IO, "could not open %s", path);
    nx_lines *l = calloc(1, sizeof *l);
    if (l == NULL) {
        close(fd);
        return nx_nomem(err);
    }
    l->fd = fd;
    l->path = nx_str_dup(nx_str_of(path));
    l->line_max = line_bytes_max == 0 ? (size_t)64 << 20 : line_bytes_max;
    nx_buf_init(&l->text, l->line_max + (1u << 20));
    nx_status st = l->path == NULL ? nx_nomem(err) : start(l, err);
    if (st != NX_OK) {
        nx_lines_close(l);
        return st;
    }
    *ret = l;
    return NX_OK;
}

void nx_lines_close(nx_lines *l)
{
    if (l == NULL)
        return;
    nx_fd_drop(&l->fd);
    ZSTD_freeDStream(l->zstd);
    free(l->raw);
    free(l->path);
    nx_buf_drop(&l->text);
    free(l);
}

uint64_t nx_lines_number(const nx_lines *l)
{
    return l->number;
}

static nx_status read_bytes(nx_lines *l, char *p, size_t n, size_t *ret_n, nx_err *err)
{
    ssize_t k;
    do
        k = read(l->fd, p, n);
    while (k < 0 && errno == EINTR);
    if (k < 0)
        return nx_fail_sys(err, NX_IO, "could not read %s", l->path);
    *ret_n = (size_t)k;
    return NX_OK;
}

/* Adds decompressed bytes, or sets eof. */
static nx_status inflate_more(nx_lines *l, nx_err *err)
{
    if (l->raw_at == l->raw_n) {
        l->raw_at = 0;
        NX_TRY(read_bytes(l, l->raw, l->raw_cap, &l->raw_n, err));
        if (l->raw_n == 0) {
            l->eof = true;
            if (l->frame_left != 0)
                return nx_fail(err, NX_CORRUPT, "could not read %s after line %llu: the zstd data is cut short",
                               l->path, (unsigned long long)l->number);
            return NX_OK;
        }
    }
    ZSTD_inBuffer in = {l->raw, l->raw_n, l->raw_at};
    ZSTD_outBuffer out = {l->text.p + l->text.n, l->chunk, 0};
    size_t rc = ZSTD_decompressStream(l->zstd, &out, &in);
    if (ZSTD_isError(rc))
        return nx_fail(err, ZSTD_getErrorCode(rc) == ZSTD_error_frameParameter_windowTooLarge ? NX_LIMIT : NX_CORRUPT,
                       "could not read %s after line %llu: zstd: %s", l->path, (unsigned long long)l->number,
                       ZSTD_getErrorName(rc));
    l->frame_left = rc;
    l->raw_at = in.pos;
    l->text.n += out.pos;
    return NX_OK;
}

/* Adds bytes behind the unread ones, or sets eof. */
static nx_status read_more(nx_lines *l, nx_err *err)
{
    if (l->at > 0) {
        memmove(l->text.p, l->text.p + l->at, l->text.n - l->at);
        l->text.n -= l->at;
        l->at = 0;
    }
    nx_status st = nx_buf_reserve(&l->text, l->chunk);
    if (st != NX_OK)
        return nx_fail(err, st, "could not hold line %llu of %s", (unsigned long long)l->number + 1, l->path);
    if (l->zstd != NULL)
        return inflate_more(l, err);
    size_t n = 0;
    NX_TRY(read_bytes(l, l->text.p + l->text.n, l->chunk, &n, err));
    l->text.n += n;
    l->eof = n == 0;
    return NX_OK;
}

nx_status nx_lines_next(nx_lines *l, nx_str *ret, nx_err *err)
{
    size_t seen = 0; /* bytes of this line already searched */
    for (;;) {
        size_t have = l->text.n - l->at;
        const char *line = l->text.p == NULL ? "" : l->text.p + l->at;
        const char *lf = have > seen ? memchr(line + seen, '\n', have - seen) : NULL;
        size_t n = lf != NULL ? (size_t)(lf - line) : have;
        if (n > l->line_max)
            return nx_fail(err, NX_LIMIT, "line %llu of %s is longer than %zu bytes", (unsigned long long)l->number + 1,
                           l->path, l->line_max);
        if (lf != NULL || (l->eof && have > 0)) {
            l->at += n + (lf != NULL);
            l->number++;
            *ret = (nx_str){line, n > 0 && lf != NULL && line[n - 1] == '\r' ? n - 1 : n};
            return NX_OK;
        }
        if (l->eof)
            return NX_NOTHING;
        seen = have;
        NX_TRY(read_more(l, err));
    }
}
