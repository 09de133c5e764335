#include <stdlib.h>

#include "transform/jinja_int.h"

nx_jinja *nx_jinja_new(const char *root_package)
{
    nx_jinja *j = calloc(1, sizeof *j);
    if (j == NULL)
        return NULL;
    nx_arena_init(&j->arena, (size_t)1 << 30);
    char *root = nx_arena_dup(&j->arena, nx_str_of(root_package));
    if (root == NULL) {
        nx_jinja_free(j);
        return NULL;
    }
    j->root = nx_str_of(root);
    j->ctype = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return j;
}

void nx_jinja_free(nx_jinja *j)
{
    if (j == NULL)
        return;
    for (size_t i = 0; i < j->n_packages; i++)
        nx_map_drop(&j->packages[i]->macros);
    free(j->packages);
    nx_arena_drop(&j->arena);
    if (j->ctype != (locale_t)0)
        freelocale(j->ctype);
    free(j);
}

nx_status nx_jinja_compile(nx_jinja *j, const char *name, nx_str source, nx_jtmpl **ret, nx_err *err)
{
    return nx__jinja_compile(&j->arena, name, 1, source, false, ret, err);
}

const char *nx_jtmpl_name(const nx_jtmpl *t)
{
    return t->name;
}

const nx_jblock *nx_jtmpl_blocks(const nx_jtmpl *t, size_t *ret_n)
{
    *ret_n = t->n_blocks;
    return t->blocks;
}

static jpackage *find_package(const nx_jinja *j, nx_str name)
{
    for (size_t i = 0; i < j->n_packages; i++)
        if (nx_str_eq(j->packages[i]->name, name))
            return j->packages[i];
    return NULL;
}

static nx_status package_of(nx_jinja *j, const char *name, jpackage **ret, nx_err *err)
{
    *ret = find_package(j, nx_str_of(name));
    if (*ret != NULL)
        return NX_OK;
    jpackage *p = NX_ARENA_NEW(&j->arena, jpackage);
    char *copy = nx_arena_dup(&j->arena, nx_str_of(name));
    if (p == NULL || copy == NULL || !nx_grow(&j->packages, &j->cap_packages, j->n_packages + 1, sizeof(jpackage *)))
        return nx_nomem(err);
    p->name = nx_str_of(copy);
    nx_map_init(&p->macros, NULL);
    j->packages[j->n_packages++] = p;
    *ret = p;
    return NX_OK;
}

nx_status nx_jinja_add_macros(nx_jinja *j, const char *package, const nx_jtmpl *t, nx_err *err)
{
    jpackage *p;
    NX_TRY(package_of(j, package, &p, err));
    for (size_t i = 0; i < t->n_blocks; i++) {
        const nx_jblock *b = &t->blocks[i];
        if (b->kind == NX_JB_SNAPSHOT || b->kind == NX_JB_DOCS)
            continue;
        const struct nx_jmacro *old = nx_map_get(&p->macros, b->call_name);
        if (old != NULL)
            return nx_fail(err, NX_EXISTS, "%s:%d: macro '" NX_STR_FMT "' exists already in package '%s': %s:%d",
                           t->name, b->line, NX_STR_ARG(b->call_name), package, old->def->tmpl->name, old->def->line);
        struct nx_jmacro *m = NX_ARENA_NEW(&j->arena, struct nx_jmacro);
        if (m == NULL)
            return nx_nomem(err);
        *m = (struct nx_jmacro){t->block_defs[i], NULL, p->name, b->call_name};
        if (nx_map_set(&p->macros, b->call_name, m) != NX_OK)
            return nx_nomem(err);
    }
    return NX_OK;
}

bool nx_jinja_macro(const nx_jinja *j, nx_str package, nx_str call_name, nx_jval *ret)
{
    const jpackage *p = find_package(j, package);
    const struct nx_jmacro *m = p == NULL ? NULL : nx_map_get(&p->macros, call_name);
    if (m == NULL)
        return false;
    *ret = (nx_jval){.kind = NX_J_MACRO, .macro = m};
    return true;
}
