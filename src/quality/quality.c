/* Files and sections: "checks for TABLE [partition]:", "filter TABLE [partition]:", "checks:". */
#include "quality/quality.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "data/yaml.h"
#include "quality/quality_int.h"

nx_quality *nx_quality_new(void)
{
    nx_quality *q = calloc(1, sizeof *q);
    if (q != NULL)
        nx_arena_init(&q->arena, (size_t)64 << 20);
    return q;
}

void nx_quality_free(nx_quality *q)
{
    if (q == NULL)
        return;
    nx_arena_drop(&q->arena);
    free(q->checks);
    free(q->tables);
    free(q->names);
    free(q);
}

size_t nx_quality_count(const nx_quality *q)
{
    return q->n;
}

const char *const *nx_quality_tables(const nx_quality *q, size_t *ret_n)
{
    *ret_n = q->n_tables;
    return q->names;
}

nx_status nx__quality_fail(qparser *p, nx_status st, int line, const char *fmt, ...)
{
    char text[420];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return nx_fail(p->err, st, "%s:%d: %s", p->file, line, text);
}

/* "a"."b" for a.b; "a.b@v1" for a name that was quoted as a whole. */
static nx_status quote_table(nx_str name, nx_buf *b)
{
    nx_str part;
    if (name.n >= 2 && (name.p[0] == '"' || name.p[0] == '`'))
        return nx_sql_ident(b, nx_str_sub(name, 1, name.n - 1));
    for (bool first = true; nx_str_split(&name, '.', &part); first = false) {
        if (!first)
            NX_TRY(nx_buf_addc(b, '.'));
        NX_TRY(nx_sql_ident(b, part));
    }
    return NX_OK;
}

nx_status nx__quality_table(qparser *p, int line, nx_str name, bool checked, const qtable **ret)
{
    nx_quality *q = p->q;
    for (size_t i = 0; i < q->n_tables; i++)
        if (nx_str_is(name, q->tables[i]->name)) {
            *ret = q->tables[i];
            return NX_OK;
        }
    if (name.n == 0)
        return nx__quality_fail(p, NX_INVALID, line, "the name of a table is missing");
    qtable *t = NX_ARENA_NEW(p->a, qtable);
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 4096);
    if (t == NULL || quote_table(name, &b) != NX_OK || (t->sql = nx_arena_dup(p->a, nx_buf_str(&b))) == NULL ||
        (t->name = nx_arena_dup(p->a, name)) == NULL)
        return nx_nomem(p->err);
    *ret = t;
    if (!checked)
        return NX_OK;
    if (!nx_grow(&q->tables, &q->cap_tables, q->n_tables + 1, sizeof *q->tables) ||
        !nx_grow(&q->names, &q->cap_names, q->n_tables + 1, sizeof *q->names))
        return nx_nomem(p->err);
    q->names[q->n_tables] = t->name;
    q->tables[q->n_tables++] = t;
    return NX_OK;
}

/* "TABLE [partition]" → both; partition empty when there is none. */
static nx_status split_partition(qparser *p, int line, nx_str text, nx_str *table, nx_str *partition)
{
    *table = nx_str_trim(text);
    *partition = (nx_str){"", 0};
    if (table->n == 0 || table->p[table->n - 1] != ']')
        return NX_OK;
    size_t open = nx_str_find(*table, NX_STR("["), 0);
    if (open == SIZE_MAX)
        return nx__quality_fail(p, NX_INVALID, line, "']' without '[' in '" NX_STR_FMT "'", NX_STR_ARG(text));
    *partition = nx_str_trim(nx_str_sub(*table, open + 1, table->n - 1));
    *table = nx_str_trim(nx_str_sub(*table, 0, open));
    return NX_OK;
}

/* The condition of "filter TABLE [partition]:" in this file. */
static nx_status find_partition(qparser *p, int line, nx_str table, nx_str partition, const char **ret)
{
    for (size_t i = 0; i < p->root->n; i++) {
        nx_str key = p->root->keys[i], t, part;
        if (!nx_str_starts(key, NX_STR("filter ")))
            continue;
        NX_TRY(split_partition(p, p->root->items[i].line, nx_str_sub(key, 7, key.n), &t, &part));
        const nx_val *where = nx_val_get(&p->root->items[i], "where");
        if (!nx_str_eq(t, table) || !nx_str_eq(part, partition))
            continue;
        if (where == NULL || where->kind != NX_VAL_STR)
            return nx__quality_fail(p, NX_INVALID, p->root->items[i].line,
                                    "'" NX_STR_FMT "' needs 'where: SQL condition'", NX_STR_ARG(key));
        *ret = where->s.p;
        return NX_OK;
    }
    return nx__quality_fail(p, NX_INVALID, line, "there is no section 'filter " NX_STR_FMT " [" NX_STR_FMT "]'",
                            NX_STR_ARG(table), NX_STR_ARG(partition));
}

static nx_status parse_checks(qparser *p, nx_str header, const nx_val *list)
{
    const qtable *table = NULL;
    const char *where = NULL, *partition = NULL;
    if (list->kind != NX_VAL_ARR)
        return nx__quality_fail(p, NX_INVALID, list->line, "'" NX_STR_FMT "' needs a list of checks",
                                NX_STR_ARG(header));
    if (!nx_str_is(header, "checks")) {
        nx_str name, part;
        NX_TRY(split_partition(p, list->line, nx_str_sub(header, strlen("checks for "), header.n), &name, &part));
        NX_TRY(nx__quality_table(p, list->line, name, true, &table));
        if (part.n > 0) {
            NX_TRY(find_partition(p, list->line, name, part, &where));
            partition = nx_arena_dup(p->a, part);
            if (partition == NULL)
                return nx_nomem(p->err);
        }
    }
    for (size_t i = 0; i < list->n; i++)
        NX_TRY(nx__quality_parse_check(p, &list->items[i], table, partition, where));
    return NX_OK;
}

static nx_status parse_sections(qparser *p)
{
    static const char *const refused[] = {
        "for each dataset",  "for each table",  "for each column", "configurations for",   "variables",
        "discover datasets", "profile columns", "sample datasets", "automated monitoring", "discover tables",
        "sample tables",     "reconciliation",  "template",        "checks for each"};
    if (p->root->kind != NX_VAL_OBJ)
        return nx__quality_fail(p, NX_INVALID, p->root->line,
                                "a check file is a map of sections such as 'checks for TABLE:'");
    if (nx_val_get(p->root, "dataset") != NULL)
        return nx__quality_fail(p, NX_UNSUPPORTED, p->root->line,
                                "this is a contract of Soda 4; checks are written in SodaCL (Soda 3)");
    for (size_t i = 0; i < p->root->n; i++) {
        nx_str key = p->root->keys[i];
        const nx_val *v = &p->root->items[i];
        for (size_t k = 0; k < NX_COUNT_OF(refused); k++)
            if (nx_str_starts(key, nx_str_of(refused[k])))
                return nx__quality_fail(p, NX_UNSUPPORTED, v->line, "the section '%s' is not supported", refused[k]);
        if (nx_str_is(key, "checks") || nx_str_starts(key, NX_STR("checks for ")))
            NX_TRY(parse_checks(p, key, v));
        else if (!nx_str_starts(key, NX_STR("filter ")))
            return nx__quality_fail(p, NX_UNSUPPORTED, v->line, "unknown section '" NX_STR_FMT "'", NX_STR_ARG(key));
    }
    return NX_OK;
}

nx_status nx_quality_add(nx_quality *q, const char *name, nx_str text, nx_err *err)
{
    nx_val *root;
    char *file = nx_arena_dup(&q->arena, nx_str_of(name));
    if (file == NULL)
        return nx_nomem(err);
    NX_TRY(nx_yaml_parse(text, file, &q->arena, &root, err));
    size_t n = q->n, n_tables = q->n_tables;
    qparser p = {.q = q, .a = &q->arena, .file = file, .root = root, .err = err};
    nx_status st = root->kind == NX_VAL_NULL ? NX_OK : parse_sections(&p);
    if (st != NX_OK) {
        q->n = n;
        q->n_tables = n_tables;
    }
    return st;
}

static nx_status add_file(nx_quality *q, const char *path, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, (size_t)4 << 20);
    NX_TRY(nx_file_read(path, &b, err));
    return nx_quality_add(q, path, nx_buf_str(&b), err);
}

typedef struct folder {
    nx_quality *q;
    const char *path;
} folder;

static nx_status add_entry(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    folder *f = ctx;
    nx_str n = nx_str_of(name);
    if (is_dir || (!nx_str_ends(n, NX_STR(".yml")) && !nx_str_ends(n, NX_STR(".yaml"))))
        return NX_OK;
    char path[4096];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", f->path, name) >= sizeof path)
        return nx_fail(err, NX_LIMIT, "the path %s/%s is too long", f->path, name);
    return add_file(f->q, path, err);
}

nx_status nx_quality_add_path(nx_quality *q, const char *path, nx_err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return nx_fail_sys(err, NX_NOT_FOUND, "could not open the checks %s", path);
    if (!S_ISDIR(st.st_mode))
        return add_file(q, path, err);
    folder f = {q, path};
    return nx_dir_list(path, add_entry, &f, err);
}
