#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/rand.h"

/* The status for an errno of a failed call on a file. */
static nx_status status_of(int e)
{
    switch (e) {
    case ENOENT:
    case ENOTDIR:
        return NX_NOT_FOUND;
    case EEXIST:
        return NX_EXISTS;
    case ENOMEM:
        return NX_NOMEM;
    default:
        return NX_IO;
    }
}

static nx_status fail_file(nx_err *err, const char *what, const char *path)
{
    int e = errno;
    nx_status st = nx_fail_sys(err, status_of(e), "could not %s %s", what, path);
    if (e == ENOSPC || e == EDQUOT)
        return nx_err_hint(err, st, "free space on that disk, then run the command again");
    return st;
}

void nx_fd_drop(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

nx_status nx_file_read(const char *path, nx_buf *b, nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_file(err, "open", path);
    struct stat sb;
    if (fstat(fd, &sb) != 0)
        return fail_file(err, "read", path);
    size_t step = sb.st_size > 0 ? (size_t)sb.st_size + 1 : 4096; /* + 1: the end is seen without growing */
    for (;;) {
        size_t room = b->max - b->n;
        nx_status st = nx_buf_reserve(b, step < room ? step : room);
        if (st != NX_OK)
            return nx_fail(err, st, "could not read %s: %s", path, nx_status_text(st));
        /* at the maximum one byte more tells "full" from "too large": the place of the final 0 takes it */
        size_t want = b->cap - 1 - b->n < room ? b->cap - 1 - b->n : room;
        ssize_t got = read(fd, b->p + b->n, want > 0 ? want : 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fail_file(err, "read", path);
        if (got > 0 && want == 0) {
            b->p[b->n] = '\0';
            return nx_fail(err, NX_LIMIT, "could not read %s: larger than the %zu bytes allowed here", path, b->max);
        }
        b->n += (size_t)got;
        b->p[b->n] = '\0';
        if (got == 0)
            return NX_OK;
        step = 65536;
    }
}

static nx_status write_all(int fd, const char *p, size_t n, const char *path, nx_err *err)
{
    switch (nx_fault_hit(NX_FAULT_FILE_WRITE)) {
    case NX_FAULT_NONE:
        break;
    case NX_FAULT_SHORT: /* half of it gets there, then the disk is full */
        n /= 2;
        while (n > 0) {
            ssize_t put = write(fd, p, n);
            if (put <= 0)
                break;
            p += put;
            n -= (size_t)put;
        }
        errno = ENOSPC;
        return fail_file(err, "write to", path);
    case NX_FAULT_ERROR:
        errno = ENOSPC;
        return fail_file(err, "write to", path);
    }
    while (n > 0) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail_file(err, "write to", path);
        p += put;
        n -= (size_t)put;
    }
    return NX_OK;
}

nx_status nx_fd_write(int fd, const void *p, size_t n, nx_err *err)
{
    char name[PATH_MAX], link[48];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    nx_status st = write_all(fd, p, n, link, err);
    if (st != NX_OK && err != NULL) { /* the name is worth a look-up only now */
        ssize_t len = readlink(link, name, sizeof name - 1);
        if (len > 0) {
            name[len] = '\0';
            errno = err->sys_errno;
            return fail_file(err, "write to", name);
        }
    }
    return st;
}

static nx_status sync_fd(int fd, const char *path, bool data_only, nx_err *err)
{
    if (nx_fault_hit(NX_FAULT_FILE_FSYNC) != NX_FAULT_NONE) {
        errno = EIO;
        return fail_file(err, "sync", path);
    }
    if ((data_only ? fdatasync(fd) : fsync(fd)) != 0)
        return fail_file(err, "sync", path);
    return NX_OK;
}

nx_status nx_file_sync(const char *path, nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_file(err, "open", path);
    return sync_fd(fd, path, true, err);
}

nx_status nx_dir_sync(const char *path, nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_file(err, "open folder", path);
    return sync_fd(fd, path, false, err);
}

/* The folder of path: "." when it has none. */
static nx_status parent_of(const char *path, char dir[PATH_MAX], nx_err *err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    while (n > 0 && path[n - 1] != '/')
        n--;
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n >= PATH_MAX)
        return nx_fail(err, NX_INVALID, "could not use the path %.80s…: longer than %d bytes", path, PATH_MAX - 1);
    memcpy(dir, n == 0 ? "." : path, n == 0 ? 1 : n);
    dir[n == 0 ? 1 : n] = '\0';
    return NX_OK;
}

/* Writes and syncs a new file beside path under a hidden name (readers of a folder skip names with a dot). */
static nx_status write_beside(const char *dir, nx_str bytes, char tmp[PATH_MAX], nx_err *err)
{
    unsigned char r[8];
    char id[17];
    nx_rand_bytes(r, sizeof r);
    nx_hex(r, sizeof r, id);
    if (snprintf(tmp, PATH_MAX, "%s/.tmp-%s", dir, id) >= PATH_MAX)
        return nx_fail(err, NX_INVALID, "could not write in %.80s…: the path is too long", dir);
    NX_AUTO(nx_fd_drop) int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_file(err, "create", tmp);
    nx_status st = write_all(fd, bytes.p, bytes.n, tmp, err);
    if (st == NX_OK)
        st = sync_fd(fd, tmp, false, err);
    if (st != NX_OK)
        unlink(tmp);
    return st;
}

nx_status nx_file_replace(const char *path, nx_str bytes, nx_err *err)
{
    char dir[PATH_MAX], tmp[PATH_MAX];
    NX_TRY(parent_of(path, dir, err));
    NX_TRY(write_beside(dir, bytes, tmp, err));
    bool fault = nx_fault_hit(NX_FAULT_FILE_RENAME) != NX_FAULT_NONE;
    if (fault)
        errno = EIO;
    if (fault || rename(tmp, path) != 0) {
        nx_status st = fail_file(err, "replace", path);
        unlink(tmp);
        return st;
    }
    return nx_dir_sync(dir, err);
}

nx_status nx_file_create(const char *path, nx_str bytes, nx_err *err)
{
    char dir[PATH_MAX], tmp[PATH_MAX];
    NX_TRY(parent_of(path, dir, err));
    NX_TRY(write_beside(dir, bytes, tmp, err));
    bool fault = nx_fault_hit(NX_FAULT_FILE_LINK) != NX_FAULT_NONE;
    if (fault)
        errno = EIO;
    if (fault || link(tmp, path) != 0) {
        nx_status st = fail_file(err, "create", path);
        unlink(tmp);
        return st;
    }
    unlink(tmp);
    return nx_dir_sync(dir, err);
}

bool nx_file_exists(const char *path)
{
    struct stat sb;
    return stat(path, &sb) == 0;
}

nx_status nx_lock_take(nx_lock *l, const char *path, nx_err *err)
{
    l->fd = -1;
    NX_AUTO(nx_fd_drop) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_file(err, "open the lock", path);
    char pid[32];
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return fail_file(err, "lock", path);
        ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
        pid[n < 0 ? 0 : n] = '\0';
        pid[strcspn(pid, "\n")] = '\0';
        nx_status st = nx_fail(err, NX_CONFLICT, "could not lock %s: process %s holds it", path,
                               pid[0] == '\0' ? "(unknown)" : pid);
        return nx_err_hint(err, st, "stop that process first, or give this one another folder");
    }
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n)
        return fail_file(err, "write the lock", path);
    l->fd = fd;
    fd = -1;
    return NX_OK;
}

void nx_lock_drop(nx_lock *l)
{
    nx_fd_drop(&l->fd);
}
