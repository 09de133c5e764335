/* The lake: its store, its tables by name, the walk over its folders. */
#include <stdlib.h>
#include <string.h>

#include "lake/lake_int.h"

enum { DEPTH_MAX = 8 };

static void table_drop(void *p)
{
    nx_table *t = p;
    if (t == NULL)
        return;
    nx__snap_unref(t->snap);
    if (t->own_store)
        nx_store_close(t->store);
    pthread_mutex_destroy(&t->mu);
    free(t->name);
    free(t->folder);
    free(t->root);
    free(t);
}

nx_status nx_lake_open(const nx_lake_opts *o, nx_lake **ret, nx_err *err)
{
    nx_lake *l = calloc(1, sizeof *l);
    if (l == NULL)
        return nx_nomem(err);
    nx_map_init(&l->tables, table_drop);
    pthread_mutex_init(&l->mu, NULL);
    l->engine = o->engine;
    l->root = nx_str_dup(nx_str_of(o->root));
    l->engine_info = nx_str_dup(nx_str_of(o->engine_info == NULL ? "nexus" : o->engine_info));
    nx_status st = l->root == NULL || l->engine_info == NULL ? nx_nomem(err) : nx_store_open(o->root, &l->store, err);
    if (st != NX_OK) {
        nx_lake_close(l);
        return st;
    }
    *ret = l;
    return NX_OK;
}

void nx_lake_close(nx_lake *l)
{
    if (l == NULL)
        return;
    nx_map_drop(&l->tables);
    if (l->store != NULL)
        nx_store_close(l->store);
    pthread_mutex_destroy(&l->mu);
    free(l->root);
    free(l->engine_info);
    free(l);
}

/* Takes ownership of own_store, also on failure. */
static nx_status table_new(nx_lake *l, nx_str name, nx_str folder, nx_store *own_store, nx_table **ret, nx_err *err)
{
    nx_buf root NX_BUF_AUTO;
    nx_buf_init(&root, 0);
    nx_table *t = calloc(1, sizeof *t);
    if (t == NULL) {
        nx_store_close(own_store);
        return nx_nomem(err);
    }
    pthread_mutex_init(&t->mu, NULL);
    t->lake = l;
    t->own_store = own_store != NULL;
    t->store = own_store == NULL ? l->store : own_store;
    nx_status st = NX_OK;
    if (own_store != NULL)
        st = nx_buf_adds(&root, nx_store_root(own_store));
    else
        st = nx_store_local_path(l->store, folder.p, &root, err);
    while (root.n > 1 && root.p[root.n - 1] == '/')
        root.p[--root.n] = '\0';
    t->name = nx_str_dup(name);
    t->folder = nx_str_dup(folder);
    t->root = nx_str_dup(nx_buf_str(&root));
    if (st == NX_OK &&
        (t->name == NULL || t->folder == NULL || t->root == NULL || nx_map_set(&l->tables, name, t) != NX_OK))
        st = nx_nomem(err);
    if (st != NX_OK) {
        table_drop(t);
        return st;
    }
    *ret = t;
    return NX_OK;
}

nx_status nx__lake_table(nx_lake *l, nx_str name, const char *folder, nx_table **ret, nx_err *err)
{
    pthread_mutex_lock(&l->mu);
    nx_status st = NX_OK;
    nx_table *t = nx_map_get(&l->tables, name);
    if (t == NULL)
        st = table_new(l, name, nx_str_of(folder), NULL, &t, err);
    else if (strcmp(t->folder, folder) != 0)
        st = nx_fail(err, NX_CONFLICT, "table %s is in two folders: %s and %s", t->name, t->folder, folder);
    pthread_mutex_unlock(&l->mu);
    *ret = t;
    return st;
}

nx_status nx__lake_foreign(nx_lake *l, nx_str folder, nx_table **ret, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 1 << 16);
    if (nx_buf_adds(&name, "delta:") != NX_OK || nx_buf_add(&name, folder) != NX_OK)
        return nx_nomem(err);
    pthread_mutex_lock(&l->mu);
    nx_status st = NX_OK;
    nx_store *store = NULL;
    *ret = nx_map_get(&l->tables, nx_buf_str(&name));
    if (*ret == NULL) {
        st = nx_store_open(name.p + strlen("delta:"), &store, err);
        if (st == NX_OK)
            st = table_new(l, nx_buf_str(&name), NX_STR(""), store, ret, err);
    }
    pthread_mutex_unlock(&l->mu);
    return st;
}

/* ------------------------------------------------------------------ the walk */

typedef struct found {
    char *name, *folder;
} found;

typedef struct walk {
    nx_lake *l;
    found *tables;
    size_t n, cap;
    char **subs; /* sub-folders of the one being listed */
    size_t n_subs, cap_subs;
    bool is_table;
} walk;

static nx_status on_folder(void *ctx, const nx_store_entry *e, nx_err *err)
{
    walk *w = ctx;
    if (!e->is_dir)
        return NX_OK;
    if (strcmp(e->name, "_delta_log") == 0)
        w->is_table = true;
    if (e->name[0] == '_' || e->name[0] == '.')
        return NX_OK;
    if (!nx_grow(&w->subs, &w->cap_subs, w->n_subs + 1, sizeof *w->subs))
        return nx_nomem(err);
    char *p = nx_str_dup(nx_str_of(e->name));
    if (p == NULL)
        return nx_nomem(err);
    w->subs[w->n_subs++] = p;
    return NX_OK;
}

static nx_status add_found(walk *w, const char *folder, nx_err *err)
{
    const char *first_end = strchr(folder, '/'), *last = strrchr(folder, '/');
    if (first_end == NULL)
        return NX_OK; /* a table needs a schema folder */
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (!nx_grow(&w->tables, &w->cap, w->n + 1, sizeof *w->tables) ||
        nx_buf_addf(&name, "%.*s.%s", (int)(first_end - folder), folder, last + 1) != NX_OK)
        return nx_nomem(err);
    found f = {nx_buf_take(&name), nx_str_dup(nx_str_of(folder))};
    if (f.name == NULL || f.folder == NULL) {
        free(f.name);
        free(f.folder);
        return nx_nomem(err);
    }
    w->tables[w->n++] = f;
    return NX_OK;
}

static nx_status walk_folder(walk *w, const char *folder, int depth, nx_err *err)
{
    if (depth > DEPTH_MAX)
        return NX_OK;
    w->is_table = false;
    w->subs = NULL;
    w->n_subs = w->cap_subs = 0;
    nx_status st = nx_store_list(w->l->store, folder, on_folder, w, err);
    char **subs = w->subs;
    size_t n = w->n_subs;
    bool is_table = w->is_table;
    if (st == NX_OK && is_table)
        st = add_found(w, folder, err);
    for (size_t i = 0; i < n; i++) {
        nx_buf sub NX_BUF_AUTO;
        nx_buf_init(&sub, 0);
        if (st == NX_OK && !is_table) {
            if (nx_buf_addf(&sub, "%s%s%s", folder, folder[0] == '\0' ? "" : "/", subs[i]) != NX_OK)
                st = nx_nomem(err);
            else
                st = walk_folder(w, sub.p, depth + 1, err);
        }
        free(subs[i]);
    }
    free(subs);
    return st;
}

static int by_name(const void *a, const void *b)
{
    const found *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c != 0 ? c : strcmp(x->folder, y->folder);
}

nx_status nx_lake_each(nx_lake *l, nx_status (*fn)(void *ctx, const char *name, const char *folder, nx_err *err),
                       void *ctx, nx_err *err)
{
    walk w = {.l = l};
    nx_status st = walk_folder(&w, "", 0, err);
    if (w.n > 0)
        qsort(w.tables, w.n, sizeof *w.tables, by_name);
    for (size_t i = 0; i < w.n; i++) {
        if (st == NX_OK)
            st = fn(ctx, w.tables[i].name, w.tables[i].folder, err);
        free(w.tables[i].name);
        free(w.tables[i].folder);
    }
    free(w.tables);
    return st;
}

/* ------------------------------------------------------------------ by name */

typedef struct lookup {
    const char *name;
    char *folder;
    char **names; /* all, for "did you mean" */
    size_t n, cap;
} lookup;

static nx_status on_table(void *ctx, const char *name, const char *folder, nx_err *err)
{
    lookup *k = ctx;
    if (strcmp(name, k->name) == 0) {
        if (k->folder != NULL)
            return nx_fail(err, NX_CONFLICT, "table %s is in two folders: %s and %s", name, k->folder, folder);
        k->folder = nx_str_dup(nx_str_of(folder));
        return k->folder == NULL ? nx_nomem(err) : NX_OK;
    }
    char *copy = nx_str_dup(nx_str_of(name));
    if (copy == NULL || !nx_grow(&k->names, &k->cap, k->n + 1, sizeof *k->names)) {
        free(copy);
        return nx_nomem(err);
    }
    k->names[k->n++] = copy;
    return NX_OK;
}

static nx_status not_found(const lookup *k, nx_err *err)
{
    size_t near = nx_str_nearest(nx_str_of(k->name), (const char *const *)k->names, k->n);
    nx_fail(err, NX_NOT_FOUND, "there is no table \"%s\"", k->name);
    if (near != SIZE_MAX)
        return nx_err_hint(err, NX_NOT_FOUND, "did you mean \"%s\"?", k->names[near]);
    return nx_err_hint(err, NX_NOT_FOUND, "`nexus lake ls` shows the tables");
}

nx_status nx_table_open(nx_lake *l, const char *name, nx_table **ret, nx_err *err)
{
    if (strncmp(name, "delta:", 6) == 0)
        return nx__lake_foreign(l, nx_str_of(name + 6), ret, err);
    nx__snap *snap NX__SNAP_AUTO = NULL;
    pthread_mutex_lock(&l->mu);
    nx_table *t = nx_map_get(&l->tables, nx_str_of(name));
    pthread_mutex_unlock(&l->mu);
    if (t != NULL) {
        nx_status st = nx__table_snap(t, &snap, err);
        if (st != NX_NOT_FOUND) {
            *ret = t;
            return st;
        }
    }
    lookup k = {.name = name};
    nx_status st = nx_lake_each(l, on_table, &k, err);
    if (st == NX_OK)
        st = k.folder == NULL ? not_found(&k, err) : nx__lake_table(l, nx_str_of(name), k.folder, ret, err);
    for (size_t i = 0; i < k.n; i++)
        free(k.names[i]);
    free(k.names);
    free(k.folder);
    return st;
}
