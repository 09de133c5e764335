#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

/* Makes one folder; its parent is there. */
static nx_status make_one(const char *path, nx_err *err)
{
    if (mkdir(path, 0777) != 0) {
        int e = errno;
        struct stat sb;
        if (e == EEXIST && stat(path, &sb) == 0 && S_ISDIR(sb.st_mode))
            return NX_OK;
        errno = e == EEXIST ? ENOTDIR : e;
        return nx_fail_sys(err, NX_IO, "could not make the folder %s", path);
    }
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (slash == NULL)
        return nx_dir_sync(".", err);
    slash[slash == parent ? 1 : 0] = '\0';
    return nx_dir_sync(parent, err);
}

nx_status nx_dir_make(const char *path, nx_err *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof part)
        return nx_fail(err, NX_INVALID, "could not make the folder \"%.80s\": the path is %s", path,
                       n == 0 ? "empty" : "too long");
    memcpy(part, path, n);
    part[n] = '\0';
    for (size_t i = 1; i < n; i++) {
        if (part[i] != '/' || part[i - 1] == '/')
            continue;
        part[i] = '\0';
        NX_TRY(make_one(part, err));
        part[i] = '/';
    }
    return make_one(part, err);
}

static nx_status remove_children(const char *path, nx_err *err);

static nx_status remove_entry(const char *path, bool is_dir, nx_err *err)
{
    if (is_dir) {
        NX_TRY(remove_children(path, err));
        if (rmdir(path) == 0 || errno == ENOENT)
            return NX_OK;
    } else if (unlink(path) == 0 || errno == ENOENT)
        return NX_OK;
    return nx_fail_sys(err, NX_IO, "could not remove %s", path);
}

static nx_status remove_child(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    const char *dir = ctx;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return nx_nomem(err);
    nx_status st = remove_entry(path, is_dir, err);
    free(path);
    return st;
}

static nx_status remove_children(const char *path, nx_err *err)
{
    nx_status st = nx_dir_list(path, remove_child, (void *)path, err);
    return st == NX_NOT_FOUND ? NX_OK : st;
}

nx_status nx_dir_remove(const char *path, nx_err *err)
{
    struct stat sb;
    if (lstat(path, &sb) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return NX_OK;
        return nx_fail_sys(err, NX_IO, "could not remove %s", path);
    }
    return remove_entry(path, S_ISDIR(sb.st_mode), err);
}

typedef struct entry {
    char *name;
    bool is_dir;
} entry;

typedef struct listing {
    entry *e;
    size_t n, cap;
} listing;

static void listing_drop(listing *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->e[i].name);
    free(l->e);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static void dir_drop(DIR **d)
{
    if (*d != NULL)
        closedir(*d);
}

/* A link to a folder counts as a file, so that removal never leaves the tree. */
static bool entry_is_dir(DIR *d, const struct dirent *e)
{
    struct stat sb;
    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    return fstatat(dirfd(d), e->d_name, &sb, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(sb.st_mode);
}

static nx_status read_names(const char *path, listing *l, nx_err *err)
{
    NX_AUTO(dir_drop) DIR *d = opendir(path);
    if (d == NULL)
        return nx_fail_sys(err, errno == ENOENT || errno == ENOTDIR ? NX_NOT_FOUND : NX_IO,
                           "could not list the folder %s", path);
    for (;;) {
        errno = 0;
        const struct dirent *e = readdir(d);
        if (e == NULL && errno != 0)
            return nx_fail_sys(err, NX_IO, "could not list the folder %s", path);
        if (e == NULL)
            return NX_OK;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (!nx_grow(&l->e, &l->cap, l->n + 1, sizeof *l->e))
            return nx_nomem(err);
        char *name = strdup(e->d_name);
        if (name == NULL)
            return nx_nomem(err);
        l->e[l->n++] = (entry){name, entry_is_dir(d, e)};
    }
}

nx_status nx_dir_list(const char *path, nx_status (*fn)(void *ctx, const char *name, bool is_dir, nx_err *err),
                      void *ctx, nx_err *err)
{
    NX_AUTO(listing_drop) listing l = {0};
    NX_TRY(read_names(path, &l, err));
    if (l.n > 0)
        qsort(l.e, l.n, sizeof *l.e, by_name);
    for (size_t i = 0; i < l.n; i++)
        NX_TRY(fn(ctx, l.e[i].name, l.e[i].is_dir, err));
    return NX_OK;
}
