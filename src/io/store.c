#include "io/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"

struct nx_store {
    char *root;
};

nx_status nx_store_open(const char *root, nx_store **ret, nx_err *err)
{
    const char *scheme = strstr(root, "://");
    if (scheme != NULL && strncmp(root, "file://", 7) != 0) {
        nx_status st = nx_fail(err, NX_UNSUPPORTED, "could not open the store %s: scheme \"%.*s\" is not supported",
                               root, (int)(scheme - root), root);
        return nx_err_hint(err, st, "give a folder on local disk");
    }
    nx_str path = nx_str_of(scheme == NULL ? root : root + 7);
    while (path.n > 1 && path.p[path.n - 1] == '/')
        path.n--;
    if (path.n == 0)
        return nx_fail(err, NX_INVALID, "could not open the store: its root is empty");
    nx_store *s = calloc(1, sizeof *s);
    if (s == NULL || (s->root = nx_str_dup(path)) == NULL) {
        free(s);
        return nx_nomem(err);
    }
    *ret = s;
    return NX_OK;
}

void nx_store_close(nx_store *s)
{
    if (s == NULL)
        return;
    free(s->root);
    free(s);
}

const char *nx_store_root(const nx_store *s)
{
    return s->root;
}

static nx_status check_name(const char *name, bool empty_is_fine, nx_err *err)
{
    nx_str rest = nx_str_of(name), part;
    if (rest.n == 0 && empty_is_fine)
        return NX_OK;
    if (rest.n > 1024)
        return nx_fail(err, NX_INVALID, "bad object name: longer than 1024 bytes");
    while (nx_str_split(&rest, '/', &part))
        if (part.n == 0 || part.n > 255 || nx_str_is(part, ".") || nx_str_is(part, ".."))
            return nx_fail(err, NX_INVALID,
                           "bad object name \"%s\": absolute, or with an empty, overlong, \".\" or \"..\" part", name);
    return NX_OK;
}

static nx_status path_of(const nx_store *s, const char *name, const char *suffix, nx_buf *path, nx_err *err)
{
    nx_status st = nx_buf_addf(path, "%s%s%s%s", s->root, name[0] == '\0' ? "" : "/", name, suffix);
    return st == NX_OK ? st : nx_fail(err, st, "could not name the object %s", name);
}

/* The checked path of an object in a fresh buffer. */
static nx_status object_path(const nx_store *s, const char *name, nx_buf *path, nx_err *err)
{
    nx_buf_init(path, 8192);
    NX_TRY(check_name(name, false, err));
    return path_of(s, name, "", path, err);
}

static nx_status make_parent(const char *path, nx_err *err)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL || slash == path)
        return NX_OK;
    char *folder = nx_str_dup((nx_str){path, (size_t)(slash - path)});
    if (folder == NULL)
        return nx_nomem(err);
    nx_status st = nx_dir_make(folder, err);
    free(folder);
    return st;
}

static nx_status sync_parent(const char *path, nx_err *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? nx_str_dup(NX_STR("."))
                                 : nx_str_dup((nx_str){path, slash == path ? 1 : (size_t)(slash - path)});
    if (folder == NULL)
        return nx_nomem(err);
    nx_status st = nx_dir_sync(folder, err);
    free(folder);
    return st;
}

nx_status nx_store_get(nx_store *s, const char *name, nx_buf *b, nx_err *err)
{
    NX_BUF_AUTO nx_buf path;
    NX_TRY(object_path(s, name, &path, err));
    return nx_file_read(path.p, b, err);
}

nx_status nx_store_put_new(nx_store *s, const char *name, nx_str bytes, nx_err *err)
{
    NX_BUF_AUTO nx_buf path;
    NX_TRY(object_path(s, name, &path, err));
    NX_TRY(make_parent(path.p, err));
    return nx_file_create(path.p, bytes, err);
}

nx_status nx_store_put(nx_store *s, const char *name, nx_str bytes, nx_err *err)
{
    NX_BUF_AUTO nx_buf path;
    NX_TRY(object_path(s, name, &path, err));
    NX_TRY(make_parent(path.p, err));
    return nx_file_replace(path.p, bytes, err);
}

nx_status nx_store_delete(nx_store *s, const char *name, nx_err *err)
{
    NX_BUF_AUTO nx_buf path;
    NX_TRY(object_path(s, name, &path, err));
    if (unlink(path.p) < 0 && errno != ENOENT && errno != ENOTDIR)
        return nx_fail_sys(err, NX_IO, "could not delete %s", path.p);
    return NX_OK;
}

nx_status nx_store_exists(nx_store *s, const char *name, bool *ret, nx_err *err)
{
    NX_BUF_AUTO nx_buf path;
    NX_TRY(object_path(s, name, &path, err));
    struct stat st;
    int rc = stat(path.p, &st);
    if (rc < 0 && errno != ENOENT && errno != ENOTDIR)
        return nx_fail_sys(err, NX_IO, "could not look at %s", path.p);
    *ret = rc == 0 && S_ISREG(st.st_mode);
    return NX_OK;
}

typedef struct lister {
    const char *folder;
    nx_store_list_fn fn;
    void *ctx;
} lister;

static nx_status list_one(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    lister *l = ctx;
    NX_BUF_AUTO nx_buf path;
    nx_buf_init(&path, 16384);
    nx_status rc = nx_buf_addf(&path, "%s/%s", l->folder, name);
    if (rc != NX_OK)
        return nx_fail(err, rc, "could not name the object %s", name);
    struct stat st;
    if (stat(path.p, &st) < 0) {
        if (errno == ENOENT)
            return NX_OK; /* gone since the folder was read */
        return nx_fail_sys(err, NX_IO, "could not look at %s", path.p);
    }
    nx_store_entry e = {name, is_dir ? 0 : (uint64_t)st.st_size,
                        (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000, is_dir};
    return l->fn(l->ctx, &e, err);
}

nx_status nx_store_list(nx_store *s, const char *folder, nx_store_list_fn fn, void *ctx, nx_err *err)
{
    NX_BUF_AUTO nx_buf path;
    nx_buf_init(&path, 8192);
    NX_TRY(check_name(folder, true, err));
    NX_TRY(path_of(s, folder, "", &path, err));
    struct stat st;
    if (stat(path.p, &st) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return NX_OK;
        return nx_fail_sys(err, NX_IO, "could not look at %s", path.p);
    }
    lister l = {path.p, fn, ctx};
    return nx_dir_list(path.p, list_one, &l, err);
}

nx_status nx_store_local_path(nx_store *s, const char *name, nx_buf *path, nx_err *err)
{
    NX_TRY(check_name(name, false, err));
    return path_of(s, name, "", path, err);
}

nx_status nx_store_stage_path(nx_store *s, const char *name, nx_buf *path, nx_err *err)
{
    NX_TRY(check_name(name, false, err));
    size_t before = path->n;
    NX_TRY(path_of(s, name, ".staged", path, err));
    return make_parent(path->p + before, err);
}

nx_status nx_store_publish(nx_store *s, const char *name, nx_err *err)
{
    NX_BUF_AUTO nx_buf path, staged;
    nx_buf_init(&staged, 8192);
    NX_TRY(object_path(s, name, &path, err));
    NX_TRY(path_of(s, name, ".staged", &staged, err));
    if (!nx_file_exists(staged.p) && nx_file_exists(path.p))
        return sync_parent(path.p, err); /* renamed by an earlier try that failed behind that */
    if (!nx_file_exists(staged.p))
        return nx_fail(err, NX_NOT_FOUND, "could not publish %s: nothing was staged", path.p);
    NX_TRY(nx_file_sync(staged.p, err));
    bool fault = nx_fault_hit(NX_FAULT_FILE_RENAME) != NX_FAULT_NONE;
    if (fault)
        errno = EIO;
    if (fault || rename(staged.p, path.p) < 0)
        return nx_fail_sys(err, NX_IO, "could not publish %s", path.p);
    return sync_parent(path.p, err);
}
