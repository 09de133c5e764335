/* serve/publish_script.c - the statements that make a new table, written down instead of run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "serve/publish_int.h"

nx_status nx__pub_define(nx__pub *p, nx_err *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *sql = NULL;
    int n = vasprintf(&sql, fmt, ap);
    va_end(ap);
    if (n < 0)
        return nx_nomem(err);
    nx_status st;
    if (p->script == NULL)
        st = nx_pg_exec(p->pg, sql, NULL, err);
    else
        st = nx_buf_addf(p->script, "%s;\n", sql) == NX_OK ? NX_OK : nx_nomem(err);
    free(sql);
    return st;
}

static nx_status name_columns(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    t->names = NX_ARENA_ARRAY(p->a, const char *, t->schema->n_fields + 1);
    if (t->names == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < t->schema->n_fields; i++)
        t->names[i] = t->schema->fields[i].name;
    t->key = (const char **)t->d->primary_key;
    while (t->key != NULL && t->key[t->n_key] != NULL)
        t->n_key++;
    return NX_OK;
}

nx_status nx_publish_script(const nx_publish_table *d, const nx_schema *columns, const char *schema, nx_buf *b,
                            nx_err *err)
{
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx__pub p = {.a = &a, .script = b, .schema = schema == NULL ? "nexus" : schema};
    nx__pub_table t = {.d = d, .schema = nx_schema_copy(&a, columns)};
    p.schema_q = nx__pub_ident(&p, p.schema, err);
    const char *name = nx__pub_ident(&p, d->name, err);
    t.target = p.schema_q == NULL || name == NULL ? NULL : nx_arena_printf(&a, "%s.%s", p.schema_q, name);
    if (t.target == NULL || t.schema == NULL)
        return nx_nomem(err);
    NX_TRY(name_columns(&p, &t, err));
    NX_TRY(nx__pub_define(&p, err, "CREATE SCHEMA IF NOT EXISTS %s", p.schema_q));
    NX_TRY(nx__pub_ddl_before(&p, &t, err));
    return nx__pub_ddl_after(&p, &t, err);
}
