/* The SQL text that gives the rows of a set of files: one read_parquet a partition value, constants for partition
 * columns, the schema's order and types. Files with a deletion vector are scanned one by one. */
#include <stdlib.h>

#include "lake/lake_int.h"

enum { GROUPS_MAX = 128 }; /* above: one scan joined with the partition values (cheaper to plan, not pruned) */

nx_status nx__glob_literal(nx_buf *b, nx_str path)
{
    nx_buf p NX_BUF_AUTO;
    nx_buf_init(&p, 0);
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '*' || c == '?' || c == '[')
            NX_TRY(nx_buf_addf(&p, "[%c]", c));
        else
            NX_TRY(nx_buf_addc(&p, c));
    }
    return nx_sql_literal(b, nx_buf_str(&p));
}

nx_status nx__file_local(const nx_table *t, const nx__file *f, nx_buf *path, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (f->path.p[0] == '/' || nx_str_find(f->path, NX_STR("://"), 0) != SIZE_MAX)
        return nx_fail(err, NX_UNSUPPORTED,
                       "could not read table %s: file \"" NX_STR_FMT "\" lies outside of its folder", t->name,
                       NX_STR_ARG(f->path));
    if (nx__table_object(t, f->path, &name) != NX_OK)
        return nx_nomem(err);
    return nx_store_local_path(t->store, name.p, path, err);
}

nx_status nx__snap_files(const nx__snap *s, nx__file ***ret, size_t *ret_n)
{
    size_t n = 0;
    nx__file **files = calloc(nx_map_count(&s->files) + 1, sizeof *files), *f;
    if (files == NULL)
        return NX_NOMEM;
    for (size_t i = 0; (f = nx__snap_file(s, &i)) != NULL;)
        files[n++] = f;
    *ret = files;
    *ret_n = n;
    return NX_OK;
}

static const nx_val *field_at(const nx__meta *m, size_t i, nx_str *name)
{
    *name = nx_val_str(nx_val_get(&m->fields->items[i], "name"), NX_STR(""));
    return &m->fields->items[i];
}

/* The value of a partition column of a file: value.p NULL for null. */
static nx_status part_value(const nx__scan *sc, const nx__file *f, const nx_val *field, nx_str *ret, nx_err *err)
{
    nx_str name = nx__field_physical(sc->meta, field);
    const nx__pair *p = nx__file_value(f, name);
    if (p == NULL)
        return nx_fail(err, NX_CORRUPT,
                       "could not read table %s: file \"" NX_STR_FMT
                       "\" has no value for partition column \"" NX_STR_FMT "\"",
                       sc->t->name, NX_STR_ARG(f->path), NX_STR_ARG(name));
    *ret = p->value;
    return NX_OK;
}

static nx_status constant(const nx__scan *sc, const nx_val *type, nx_str value, nx_buf *b, nx_err *err)
{
    bool binary = type != NULL && nx_str_is(type->s, "binary");
    NX_TRY(nx_buf_adds(b, "CAST("));
    if (value.p != NULL && binary)
        NX_TRY(nx_buf_adds(b, "encode("));
    NX_TRY(value.p == NULL ? nx_buf_adds(b, "NULL") : nx_sql_literal(b, value));
    if (value.p != NULL && binary)
        NX_TRY(nx_buf_addc(b, ')'));
    NX_TRY(nx_buf_adds(b, " AS "));
    NX_TRY(nx__dtype_sql(sc->meta, type, false, b, err));
    return nx_buf_addc(b, ')');
}

/* One column of the select list. f: whose partition values are constants; NULL: they are columns p.v0, p.v1, ... */
static nx_status column(const nx__scan *sc, const nx_val *field, nx_str name, const nx__file *f, nx_buf *b, nx_err *err)
{
    const nx_val *type = nx_val_get(field, "type");
    nx_buf expr NX_BUF_AUTO;
    nx_buf_init(&expr, 0);
    if (nx__meta_is_part(sc->meta, name)) {
        nx_str value;
        size_t at = 0;
        while (!nx_str_eq_nocase(sc->meta->part[at], name))
            at++;
        if (f != NULL) {
            NX_TRY(part_value(sc, f, field, &value, err));
            NX_TRY(constant(sc, type, value, b, err));
        } else {
            NX_TRY(nx_buf_addf(b, "CAST(p.v%zu AS ", at));
            NX_TRY(nx__dtype_sql(sc->meta, type, false, b, err));
            NX_TRY(nx_buf_addc(b, ')'));
        }
    } else {
        NX_TRY(nx_buf_adds(&expr, "f."));
        NX_TRY(nx_sql_ident(&expr, nx__field_physical(sc->meta, field)));
        NX_TRY(nx__dtype_cast(sc->meta, type, nx_buf_str(&expr), b, err));
    }
    NX_TRY(nx_buf_adds(b, " AS "));
    return nx_sql_ident(b, name);
}

static nx_status columns(const nx__scan *sc, const nx__file *f, nx_buf *b, nx_err *err)
{
    for (size_t i = 0; i < sc->meta->fields->n; i++) {
        nx_str name;
        const nx_val *field = field_at(sc->meta, i, &name);
        if (i > 0)
            NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(column(sc, field, name, f, b, err));
    }
    return sc->with_file ? nx_buf_adds(b, ", f." NX__FILE_COLUMN) : NX_OK;
}

/* "NULL::T AS name, ..." for all columns kept in files, in front of files that may lack some. */
static nx_status typed_nulls(const nx__scan *sc, bool logical, nx_buf *b, nx_err *err)
{
    bool any = false;
    for (size_t i = 0; i < sc->meta->fields->n; i++) {
        nx_str name;
        const nx_val *field = field_at(sc->meta, i, &name);
        if (!logical && nx__meta_is_part(sc->meta, name))
            continue;
        NX_TRY(nx_buf_adds(b, any ? ", CAST(NULL AS " : "CAST(NULL AS "));
        NX_TRY(nx__dtype_sql(sc->meta, nx_val_get(field, "type"), !logical, b, err));
        NX_TRY(nx_buf_adds(b, ") AS "));
        NX_TRY(nx_sql_ident(b, logical ? name : nx__field_physical(sc->meta, field)));
        any = true;
    }
    return any ? NX_OK : nx_buf_adds(b, "NULL AS " NX__FILE_COLUMN "_none");
}

/* ", schema=MAP {id: {name, type, default_value}, ...}": columns by Parquet field id. */
static nx_status schema_by_id(const nx__scan *sc, nx_buf *b, nx_err *err)
{
    NX_TRY(nx_buf_adds(b, ", schema=MAP {"));
    bool any = false;
    for (size_t i = 0; i < sc->meta->fields->n; i++) {
        nx_str name;
        const nx_val *field = field_at(sc->meta, i, &name);
        if (nx__meta_is_part(sc->meta, name))
            continue;
        int64_t id = nx_val_i64(nx_val_get(nx_val_get(field, "metadata"), "delta.columnMapping.id"), -1);
        if (id < 0)
            return nx_fail(err, NX_CORRUPT, "column \"" NX_STR_FMT "\" of table %s has no delta.columnMapping.id",
                           NX_STR_ARG(name), sc->t->name);
        nx_buf type NX_BUF_AUTO;
        nx_buf_init(&type, 0);
        NX_TRY(nx__dtype_sql(sc->meta, nx_val_get(field, "type"), true, &type, err));
        NX_TRY(nx_buf_addf(b, "%s%lld: {name: ", any ? ", " : "", (long long)id));
        NX_TRY(nx_sql_literal(b, nx__field_physical(sc->meta, field)));
        NX_TRY(nx_buf_adds(b, ", type: "));
        NX_TRY(nx_sql_literal(b, nx_buf_str(&type)));
        NX_TRY(nx_buf_adds(b, ", default_value: NULL}"));
        any = true;
    }
    return nx_buf_addc(b, '}');
}

static nx_status read_call(const nx__scan *sc, nx__file *const *files, size_t n, bool row_number, bool file_name,
                           nx_buf *b, nx_err *err)
{
    NX_TRY(nx_buf_adds(b, "read_parquet(["));
    for (size_t i = 0; i < n; i++) {
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 0);
        NX_TRY(nx__file_local(sc->t, files[i], &path, err));
        if (i > 0)
            NX_TRY(nx_buf_adds(b, ", "));
        NX_TRY(nx__glob_literal(b, nx_buf_str(&path)));
    }
    NX_TRY(nx_buf_adds(b, "], hive_partitioning=false"));
    if (row_number)
        NX_TRY(nx_buf_adds(b, ", file_row_number=true"));
    if (file_name)
        NX_TRY(nx_buf_adds(b, ", filename='" NX__FILE_COLUMN "'"));
    if (sc->meta->mapping == NX__MAP_ID)
        NX_TRY(schema_by_id(sc, b, err));
    else if (!sc->meta->uniform && n > 1)
        NX_TRY(nx_buf_adds(b, ", union_by_name=true"));
    return nx_buf_addc(b, ')');
}

/* FROM (...) AS f: the files' own columns, all of the schema's present. */
static nx_status source(const nx__scan *sc, nx__file *const *files, size_t n, bool row_number, bool file_name,
                        nx_buf *b, nx_err *err)
{
    bool fill = !sc->meta->uniform && sc->meta->mapping != NX__MAP_ID;
    NX_TRY(nx_buf_adds(b, " FROM "));
    if (fill) {
        NX_TRY(nx_buf_adds(b, "(SELECT "));
        NX_TRY(typed_nulls(sc, false, b, err));
        NX_TRY(nx_buf_adds(b, " WHERE false UNION ALL BY NAME SELECT * FROM "));
    }
    NX_TRY(read_call(sc, files, n, row_number, file_name, b, err));
    return nx_buf_adds(b, fill ? ") AS f" : " AS f");
}

static nx_status scan_group(const nx__scan *sc, nx__file *const *files, size_t n, nx_buf *b, nx_err *err)
{
    const nx__dv *dv = &files[0]->dv;
    NX_TRY(nx_buf_adds(b, "SELECT "));
    NX_TRY(columns(sc, files[0], b, err));
    NX_TRY(source(sc, files, n, dv->storage != 0, sc->with_file, b, err));
    if (dv->storage == 0 || dv->cardinality == 0)
        return NX_OK;
    NX_TRY(nx_buf_adds(b, " WHERE f.file_row_number NOT IN ("));
    NX_TRY(nx__dv_rows(sc->t, dv, b, err));
    return nx_buf_addc(b, ')');
}

static nx_status scan_joined(const nx__scan *sc, nx_buf *b, nx_err *err)
{
    NX_TRY(nx_buf_adds(b, "SELECT "));
    NX_TRY(columns(sc, NULL, b, err));
    NX_TRY(source(sc, sc->files, sc->n_files, false, true, b, err));
    NX_TRY(nx_buf_adds(b, " JOIN (VALUES "));
    for (size_t i = 0; i < sc->n_files; i++) {
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 0);
        NX_TRY(nx__file_local(sc->t, sc->files[i], &path, err));
        NX_TRY(nx_buf_adds(b, i > 0 ? ", (" : "("));
        NX_TRY(nx_sql_literal(b, nx_buf_str(&path)));
        for (size_t k = 0; k < sc->meta->n_part; k++) {
            nx_str name, value;
            size_t at = 0;
            while (field_at(sc->meta, at, &name), !nx_str_eq(name, sc->meta->part[k]))
                at++;
            NX_TRY(part_value(sc, sc->files[i], &sc->meta->fields->items[at], &value, err));
            NX_TRY(nx_buf_adds(b, ", CAST("));
            NX_TRY(value.p == NULL ? nx_buf_adds(b, "NULL") : nx_sql_literal(b, value));
            NX_TRY(nx_buf_adds(b, " AS VARCHAR)"));
        }
        NX_TRY(nx_buf_addc(b, ')'));
    }
    NX_TRY(nx_buf_adds(b, ") AS p(file"));
    for (size_t k = 0; k < sc->meta->n_part; k++)
        NX_TRY(nx_buf_addf(b, ", v%zu", k));
    return nx_buf_adds(b, ") ON f." NX__FILE_COLUMN " = p.file");
}

/* What files must share to be read by one call. */
static nx_status group_key(const nx__file *f, size_t i, nx_buf *b)
{
    if (f->dv.storage != 0)
        return nx_buf_addf(b, "dv %zu", i);
    for (size_t k = 0; k < f->n_pv; k++) {
        NX_TRY(nx_buf_addf(b, "%zu:", f->pv[k].key.n));
        NX_TRY(nx_buf_add(b, f->pv[k].key));
        NX_TRY(nx_buf_addf(b, "%zd:", f->pv[k].value.p == NULL ? (ssize_t)-1 : (ssize_t)f->pv[k].value.n));
        NX_TRY(nx_buf_add(b, f->pv[k].value));
    }
    return NX_OK;
}

typedef struct group {
    nx__file **files;
    size_t n, cap;
} group;

static void group_drop(void *p)
{
    group *g = p;
    free(g->files);
    free(g);
}

static nx_status make_groups(const nx__scan *sc, nx_map *groups, size_t *ret_dvs)
{
    for (size_t i = 0; i < sc->n_files; i++) {
        nx_buf key NX_BUF_AUTO;
        nx_buf_init(&key, 0);
        NX_TRY(group_key(sc->files[i], i, &key));
        *ret_dvs += sc->files[i]->dv.storage != 0;
        group *g = nx_map_get(groups, nx_buf_str(&key));
        if (g == NULL) {
            g = calloc(1, sizeof *g);
            if (g == NULL)
                return NX_NOMEM;
            nx_status st = nx_map_set(groups, nx_buf_str(&key), g);
            if (st != NX_OK) {
                free(g);
                return st;
            }
        }
        if (!nx_grow(&g->files, &g->cap, g->n + 1, sizeof(nx__file *)))
            return NX_NOMEM;
        g->files[g->n++] = sc->files[i];
    }
    return NX_OK;
}

static nx_status scan_union(const nx__scan *sc, const nx_map *groups, nx_buf *sql, nx_err *err)
{
    nx_map_entry *e;
    bool first = true;
    for (size_t i = 0; (e = nx_map_next(groups, &i)) != NULL; first = false) {
        const group *g = e->value;
        if (!first)
            NX_TRY(nx_buf_adds(sql, " UNION ALL "));
        NX_TRY(scan_group(sc, g->files, g->n, sql, err));
    }
    return NX_OK;
}

static nx_status generate(const nx__scan *sc, nx_buf *sql, nx_err *err)
{
    if (sc->n_files == 0) {
        NX_TRY(nx_buf_adds(sql, "SELECT "));
        NX_TRY(typed_nulls(sc, true, sql, err));
        return nx_buf_adds(sql, sc->with_file ? ", CAST(NULL AS VARCHAR) AS " NX__FILE_COLUMN " WHERE false"
                                              : " WHERE false");
    }
    size_t dvs = 0;
    nx_map groups;
    nx_map_init(&groups, group_drop);
    nx_status st = make_groups(sc, &groups, &dvs);
    bool joined = nx_map_count(&groups) > GROUPS_MAX && dvs == 0;
    if (st == NX_OK)
        st = joined ? scan_joined(sc, sql, err) : scan_union(sc, &groups, sql, err);
    nx_map_drop(&groups);
    return st;
}

nx_status nx__scan_sql(const nx__scan *sc, nx_buf *sql, nx_err *err)
{
    nx_err_clear(err);
    nx_status st = generate(sc, sql, err);
    if (st == NX_LIMIT || (st != NX_OK && err != NULL && err->status == NX_OK))
        return nx_fail(err, st, "could not build the scan of table %s: %s", sc->t->name, nx_status_text(st));
    return st;
}
