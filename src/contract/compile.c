/* One parsed file → one contract: the head here, then columns, derived columns and feeds. */
#include "contract/contract_int.h"

/* Name and version go into column _contract, and into names of files. */
static bool is_plain(nx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '\0' ||
            strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.+_-", s.p[i]) == NULL)
            return false;
    return s.n > 0 && s.n <= 64 && s.p[0] != '.';
}

bool nx__version_parse(nx_str text, int64_t ret[3])
{
    size_t n = 0, parts = 0;
    while (n < text.n && text.p[n] != '-' && text.p[n] != '+')
        n++;
    nx_str rest = nx_str_sub(text, 0, n), part;
    ret[0] = ret[1] = ret[2] = 0;
    for (; nx_str_split(&rest, '.', &part); parts++)
        if (parts == 3 || !nx_str_to_i64(part, &ret[parts]) || ret[parts] < 0)
            return false;
    return parts > 0;
}

static nx_status check_version(const nx_contract *c, const nx_val *root, nx_err *err)
{
    const nx_val *v = nx_val_get(root, "version");
    int64_t parts[3];
    if (v == NULL || v->kind != NX_VAL_STR || !is_plain(v->s) || nx__version_parse(v->s, parts))
        return NX_OK;
    nx_status st =
        nx__fail_at(err, &c->origin, v, "version '" NX_STR_FMT "' is not MAJOR.MINOR.PATCH", NX_STR_ARG(v->s));
    (void)nx_err_hint(err, st, "write it like 1.2.0: a new major version tells a breaking change");
    return nx__gather(&c->origin, st, err);
}

static nx_status check_id(const nx_contract *c, const nx_val *root, nx_err *err)
{
    static const char *const keys[] = {"name", "version"};
    for (size_t i = 0; i < NX_COUNT_OF(keys); i++) {
        const nx_val *v = nx_val_get(root, keys[i]);
        if (v != NULL && v->kind == NX_VAL_STR && !is_plain(v->s))
            NX_TRY(nx__gather(
                &c->origin,
                nx__fail_at(err, &c->origin, v,
                            "%s must be 1 to 64 letters, digits or any of . + _ - and not begin with a dot", keys[i]),
                err));
    }
    return check_version(c, root, err);
}

static nx_status check_head(nx_contract *c, const nx_val *root, const nx_val *object, nx_err *err)
{
    const nx_origin *o = &c->origin;
    const nx_val *folder = nx__odcs_custom(object, "folder");
    NX_TRY(check_id(c, root, err));
    nx_str name = nx_val_str(nx_val_get(root, "name"), NX_STR(""));
    nx_str table = nx_val_str(nx_val_get(object, "physicalName"), NX_STR(""));
    if (!nx_str_eq(name, nx_val_str(nx_val_get(object, "name"), NX_STR(""))))
        NX_TRY(nx__gather(o,
                          nx__fail_at(err, o, object, "the schema object must have the contract's name, " NX_STR_FMT,
                                      NX_STR_ARG(name)),
                          err));
    size_t dot = nx_str_find(table, NX_STR("."), 0);
    if (dot == SIZE_MAX || dot == 0 || !nx_str_eq(nx_str_sub(table, dot + 1, table.n), name))
        NX_TRY(
            nx__gather(o,
                       nx__fail_at(err, o, object, "physicalName must be SCHEMA." NX_STR_FMT ", the name of the table",
                                   NX_STR_ARG(name)),
                       err));
    if (folder == NULL || folder->kind != NX_VAL_STR || folder->s.n == 0 || folder->s.p[0] == '/' ||
        nx_str_find(folder->s, NX_STR(".."), 0) != SIZE_MAX)
        NX_TRY(nx__gather(o,
                          nx__fail_at(err, o, folder == NULL ? object : folder,
                                      "the custom property 'folder' must be a path inside the lake"),
                          err));
    if (nx_val_str(nx_val_get(object, "description"), NX_STR("")).n == 0)
        NX_TRY(nx__gather(o, nx__fail_at(err, o, object, "the table needs a description"), err));
    return NX_OK;
}

static nx_status head(nx_contract *c, const nx_val *root, const nx_val *object, nx_arena *a, nx_err *err)
{
    NX_TRY(check_head(c, root, object, err));
    nx_str name = nx_val_str(nx_val_get(root, "name"), NX_STR(""));
    nx_str table = nx_val_str(nx_val_get(object, "physicalName"), NX_STR(""));
    nx_str version = nx_val_str(nx_val_get(root, "version"), NX_STR(""));
    c->name = nx_arena_dup(a, name);
    c->id = nx_arena_printf(a, NX_STR_FMT "@" NX_STR_FMT, NX_STR_ARG(name), NX_STR_ARG(version));
    c->table = nx_arena_dup(a, table);
    c->folder = nx_arena_dup(a, nx_val_str(nx__odcs_custom(object, "folder"), NX_STR("")));
    c->description = nx_arena_dup(a, nx_val_str(nx_val_get(object, "description"), NX_STR("")));
    c->id_n = c->id == NULL ? 0 : strlen(c->id);
    c->technical = nx_str_starts(table, NX_STR("bronze."));
    return c->name == NULL || c->id == NULL || c->table == NULL || c->folder == NULL || c->description == NULL
               ? nx_nomem(err)
               : NX_OK;
}

nx_status nx__compile(nx_contract *c, const nx_val *root, nx_arena *a, nx_err *err)
{
    NX_TRY(nx__odcs_check(root, &c->origin, err));
    if (c->origin.problems != NULL && !nx__odcs_readable(root))
        return NX_OK; /* gathered; there is nothing to go on with */
    const nx_val *object = &nx_val_get(root, "schema")->items[0];
    NX_TRY(head(c, root, object, a, err));
    NX_TRY(nx__compile_columns(c, object, a, err));
    NX_TRY(nx__compile_derived(c, object, a, err));
    NX_TRY(nx__compile_feeds(c, object, a, err));
    for (size_t i = 0; i < c->schema.n_fields; i++)
        c->cols[i].wire = NULL; /* pointed into the tree */
    return NX_OK;
}
