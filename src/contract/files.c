/* Contract files on disk: which there are, and one as a tree. */
#include "base/file.h"
#include "contract/contract_int.h"
#include "data/yaml.h"

enum { DEPTH_MAX = 8 };

typedef struct lister {
    nx_paths *paths;
    nx_arena *a;
    const char *dir; /* being listed */
    int depth;
} lister;

static nx_status list_dir(lister *l, const char *dir, nx_err *err);

static nx_status on_entry(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    lister *l = ctx;
    const char *dir = l->dir;
    char *path = nx_arena_printf(l->a, "%s/%s", dir, name);
    if (path == NULL)
        return nx_nomem(err);
    if (is_dir) {
        nx_status st = name[0] == '.' ? NX_OK : list_dir(l, path, err);
        l->dir = dir;
        return st;
    }
    if (!nx_str_ends(nx_str_of(name), NX_STR(".odcs.yaml")))
        return NX_OK;
    return nx__paths_add(l->paths, path, err);
}

static nx_status list_dir(lister *l, const char *dir, nx_err *err)
{
    if (l->depth == DEPTH_MAX)
        return nx_fail(err, NX_LIMIT, "contracts below %s: more than %d folders deep", dir, DEPTH_MAX);
    l->dir = dir;
    l->depth++;
    nx_status st = nx_dir_list(dir, on_entry, l, err);
    l->depth--;
    return st;
}

nx_status nx__paths_add(nx_paths *p, const char *path, nx_err *err)
{
    if (!nx_grow(&p->items, &p->cap, p->n + 1, sizeof *p->items))
        return nx_nomem(err);
    p->items[p->n++] = path;
    return NX_OK;
}

nx_status nx__paths_below(nx_paths *p, const char *dir, nx_arena *a, nx_err *err)
{
    size_t before = p->n;
    lister l = {.paths = p, .a = a};
    NX_TRY(list_dir(&l, dir, err));
    if (p->n > before)
        return NX_OK;
    return nx_err_hint(err, nx_fail(err, NX_NOT_FOUND, "no contract (*.odcs.yaml) below %s", dir),
                       "the project folder needs contracts/");
}

nx_status nx__contract_tree(const char *path, nx_buf *text, nx_arena *a, nx_val **ret, nx_err *err)
{
    NX_TRY(nx_file_read(path, text, err));
    return nx_yaml_parse(nx_buf_str(text), path, a, ret, err);
}
