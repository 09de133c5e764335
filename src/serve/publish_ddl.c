/* serve/publish_ddl.c - definitions: what is wanted, what is there, the way from one to the other. */
#include "base/hash.h"
#include "data/type.h"
#include "serve/publish_int.h"

enum { PG_NAME_MAX = 63 };

nx_status nx__pub_columns_sql(const nx__pub_table *t, nx_buf *b)
{
    for (size_t i = 0; i < t->schema->n_fields; i++) {
        const nx_field *f = &t->schema->fields[i];
        NX_TRY(nx_buf_adds(b, i == 0 ? "" : ", "));
        NX_TRY(nx_pg_ident(b, nx_str_of(f->name)));
        NX_TRY(nx_buf_addc(b, ' '));
        NX_TRY(nx_type_to_pg(&f->type, b));
    }
    return NX_OK;
}

static bool wants_not_null(const nx__pub_table *t, const char *column)
{
    const nx_publish_column *c = nx__pub_column(t, column);
    return nx__pub_in_key(t, column) || (c != NULL && c->not_null);
}

/* ------------------------------------------------------------------ fingerprint */

static nx_status describe(const nx__pub_table *t, nx_buf *b)
{
    const nx_publish_table *d = t->d;
    NX_TRY(nx__pub_columns_sql(t, b));
    NX_TRY(nx_buf_addf(b, "\n%s\nkey", d->comment == NULL ? "" : d->comment));
    for (size_t i = 0; i < t->n_key; i++)
        NX_TRY(nx_buf_addf(b, "\n%s", t->key[i]));
    for (size_t i = 0; i < d->n_columns; i++) {
        const nx_publish_column *c = &d->columns[i];
        NX_TRY(nx_buf_addf(b, "\ncolumn %s %d %s", c->name, c->not_null, c->comment == NULL ? "" : c->comment));
    }
    for (size_t i = 0; i < d->n_foreign_keys; i++) {
        NX_TRY(nx_buf_addf(b, "\nto %s", d->foreign_keys[i].to));
        for (const char *const *c = d->foreign_keys[i].columns; *c != NULL; c++)
            NX_TRY(nx_buf_addf(b, "\n%s", *c));
    }
    return NX_OK;
}

nx_status nx__pub_fingerprint(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    (void)p;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    if (describe(t, &b) != NX_OK)
        return nx_nomem(err);
    nx_md5_hex(nx_buf_str(&b), t->ddl_md5);
    return NX_OK;
}

/* ------------------------------------------------------------------ before rows */

static nx_status create_table(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    NX_BUF_AUTO nx_buf columns;
    nx_buf_init(&columns, 0);
    if (nx__pub_columns_sql(t, &columns) != NX_OK)
        return nx_nomem(err);
    if (t->n_key == 0) /* a script alone: what is published has one */
        return nx__pub_define(p, err, "CREATE TABLE %s (%s)", t->target, columns.p);
    const char *key = nx__pub_list(p, t->key, t->n_key, "", err);
    if (key == NULL)
        return NX_NOMEM;
    return nx__pub_define(p, err, "CREATE TABLE %s (%s, PRIMARY KEY (%s))", t->target, columns.p, key);
}

static nx_status refuse(const nx__pub *p, const nx__pub_table *t, nx_err *err)
{
    (void)p;
    return nx_err_hint(err, NX_CONFLICT,
                       "no column is changed or dropped under its readers: DROP TABLE %s [CASCADE], then publish again",
                       t->target);
}

static nx_status compare_columns(nx__pub *p, nx__pub_table *t, const nx_pg_result *r, bool *have, nx_err *err)
{
    for (size_t i = 0; i < nx_pg_rows(r); i++) {
        const char *name = nx_pg_value(r, i, 0), *type = nx_pg_value(r, i, 1);
        size_t at = nx_schema_find(t->schema, nx_str_of(name));
        if (at == SIZE_MAX) {
            nx_fail(err, NX_CONFLICT, "the published table has column %s, which %s no longer has", name,
                    t->d->lake_table);
            return refuse(p, t, err);
        }
        NX_BUF_AUTO nx_buf want;
        nx_buf_init(&want, 0);
        if (nx_type_to_pg(&t->schema->fields[at].type, &want) != NX_OK)
            return nx_nomem(err);
        if (!nx_str_is(nx_buf_str(&want), type)) {
            nx_fail(err, NX_CONFLICT, "column %s is %s in the published table and %s in %s", name, type, want.p,
                    t->d->lake_table);
            return refuse(p, t, err);
        }
        have[at] = true;
    }
    return NX_OK;
}

static nx_status add_columns(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    const char *params[] = {t->target};
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_query(p->pg,
                       "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute "
                       "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                       params, 1, &r, err));
    bool *have = NX_ARENA_ARRAY(p->a, bool, t->schema->n_fields);
    nx_status st = have == NULL ? nx_nomem(err) : compare_columns(p, t, r, have, err);
    nx_pg_result_drop(r);
    NX_TRY(st);
    for (size_t i = 0; i < t->schema->n_fields; i++) {
        if (have[i])
            continue;
        NX_BUF_AUTO nx_buf type;
        nx_buf_init(&type, 0);
        const char *name = nx__pub_ident(p, t->names[i], err);
        if (name == NULL || nx_type_to_pg(&t->schema->fields[i].type, &type) != NX_OK)
            return nx_nomem(err);
        NX_TRY(nx_pg_execf(p->pg, NULL, err, "ALTER TABLE %s ADD COLUMN %s %s", t->target, name, type.p));
    }
    return NX_OK;
}

static nx_status compare_key(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    const char *params[] = {t->target};
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_query(p->pg,
                       "SELECT a.attname FROM pg_index AS i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (num, at) "
                       "JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.num "
                       "WHERE i.indrelid = $1::regclass AND i.indisprimary ORDER BY k.at",
                       params, 1, &r, err));
    bool same = nx_pg_rows(r) == t->n_key;
    for (size_t i = 0; same && i < t->n_key; i++)
        same = strcmp(nx_pg_value(r, i, 0), t->key[i]) == 0;
    nx_pg_result_drop(r);
    if (same)
        return NX_OK;
    nx_fail(err, NX_CONFLICT, "its primary key is another than that of the published table");
    return refuse(p, t, err);
}

nx_status nx__pub_ddl_before(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    if (!t->exists)
        return create_table(p, t, err);
    NX_TRY(add_columns(p, t, err));
    return compare_key(p, t, err);
}

/* ------------------------------------------------------------------ after rows */

static nx_status set_not_null(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    for (size_t i = 0; i < t->schema->n_fields; i++) {
        bool wanted = wants_not_null(t, t->names[i]);
        if (nx__pub_in_key(t, t->names[i]) || (!t->exists && !wanted)) /* a new table's columns take null */
            continue;
        const char *name = nx__pub_ident(p, t->names[i], err);
        if (name == NULL)
            return NX_NOMEM;
        NX_TRY(nx__pub_define(p, err, "ALTER TABLE %s ALTER COLUMN %s %s NOT NULL", t->target, name,
                              wanted ? "SET" : "DROP"));
    }
    return NX_OK;
}

/* table_column_fkey, within PostgreSQL's 63 bytes. */
static const char *fkey_name(nx__pub *p, const nx__pub_table *t, const nx_publish_fkey *k)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = nx_buf_adds(&b, t->d->name);
    for (const char *const *c = k->columns; *c != NULL && st == NX_OK; c++)
        st = nx_buf_addf(&b, "_%s", *c);
    if (st == NX_OK)
        st = nx_buf_adds(&b, "_fkey");
    if (st != NX_OK)
        return NULL;
    if (b.n <= PG_NAME_MAX)
        return nx_arena_dup(p->a, nx_buf_str(&b));
    char md5[33];
    nx_md5_hex(nx_buf_str(&b), md5);
    return nx_arena_printf(p->a, "fkey_%s", md5);
}

static nx_status add_fkey(nx__pub *p, nx__pub_table *t, const nx_publish_fkey *k, nx_err *err)
{
    size_t n = 0;
    while (k->columns[n] != NULL)
        n++;
    const char *name = fkey_name(p, t, k);
    name = name == NULL ? NULL : nx__pub_ident(p, name, err);
    const char *columns = nx__pub_list(p, k->columns, n, "", err), *to = nx__pub_ident(p, k->to, err);
    if (name == NULL || columns == NULL || to == NULL)
        return nx_nomem(err);
    return nx__pub_define(
        p, err, "ALTER TABLE %s ADD CONSTRAINT %s FOREIGN KEY (%s) REFERENCES %s.%s DEFERRABLE INITIALLY DEFERRED",
        t->target, name, columns, p->schema_q, to);
}

/* The foreign keys that are there go, those of the description come: this runs only when the description changed. */
static nx_status drop_fkeys(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    if (!t->exists)
        return NX_OK;
    const char *params[] = {t->target};
    nx_pg_result *r = NULL;
    NX_TRY(nx_pg_query(p->pg,
                       "SELECT quote_ident(conname) FROM pg_constraint WHERE conrelid = $1::regclass AND contype = 'f'",
                       params, 1, &r, err));
    nx_status st = NX_OK;
    for (size_t i = 0; i < nx_pg_rows(r) && st == NX_OK; i++)
        st = nx_pg_execf(p->pg, NULL, err, "ALTER TABLE %s DROP CONSTRAINT %s", t->target, nx_pg_value(r, i, 0));
    nx_pg_result_drop(r);
    return st;
}

static nx_status set_fkeys(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    NX_TRY(drop_fkeys(p, t, err));
    for (size_t i = 0; i < t->d->n_foreign_keys; i++)
        NX_TRY(add_fkey(p, t, &t->d->foreign_keys[i], err));
    return NX_OK;
}

static nx_status comment(nx__pub *p, const char *what, const char *object, const char *text, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_status st = text == NULL ? nx_buf_adds(&b, "NULL") : nx_pg_literal(&b, nx_str_of(text));
    if (st != NX_OK)
        return nx_nomem(err);
    return nx__pub_define(p, err, "COMMENT ON %s %s IS %s", what, object, b.p);
}

static nx_status set_comments(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    NX_TRY(comment(p, "TABLE", t->target, t->d->comment, err));
    for (size_t i = 0; i < t->schema->n_fields; i++) {
        const nx_publish_column *c = nx__pub_column(t, t->names[i]);
        const char *name = nx__pub_ident(p, t->names[i], err);
        const char *object = name == NULL ? NULL : nx_arena_printf(p->a, "%s.%s", t->target, name);
        if (object == NULL)
            return nx_nomem(err);
        NX_TRY(comment(p, "COLUMN", object, c == NULL ? NULL : c->comment, err));
    }
    return NX_OK;
}

nx_status nx__pub_ddl_after(nx__pub *p, nx__pub_table *t, nx_err *err)
{
    NX_TRY(set_not_null(p, t, err));
    NX_TRY(set_fkeys(p, t, err));
    return set_comments(p, t, err);
}
