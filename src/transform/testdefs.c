/* Generic tests as YAML declares them: names, unique ids and arguments, letter for letter as dbt makes them. */
#include "transform/dbt_int.h"

#include <stdlib.h>

#include "base/hash.h"

static const char *const TEST_CONFIGS[] = {
    "severity",  "tags", "enabled",  "where",  "limit", "warn_if",        "error_if",
    "fail_calc", "meta", "database", "schema", "alias", "store_failures", "store_failures_as"};

/* Python's str() of a YAML scalar. */
static nx_str py_str(const nx_val *v)
{
    switch (v->kind) {
    case NX_VAL_NULL:
        return NX_STR("None");
    case NX_VAL_BOOL:
        return v->b ? NX_STR("True") : NX_STR("False");
    default:
        return v->s;
    }
}

static int key_order(const void *a, const void *b)
{
    return nx_str_cmp(*(const nx_str *)a, *(const nx_str *)b);
}

static nx_status sorted_keys(nx_arena *a, const nx_val *obj, nx_str **ret, nx_err *err)
{
    *ret = NX_ARENA_ARRAY(a, nx_str, obj->n + 1);
    if (*ret == NULL)
        return nx_nomem(err);
    if (obj->n > 0) {
        memcpy(*ret, obj->keys, obj->n * sizeof **ret);
        qsort(*ret, obj->n, sizeof **ret, key_order);
    }
    return NX_OK;
}

static const nx_val *get(const nx_val *obj, nx_str key)
{
    for (size_t i = 0; i < obj->n; i++)
        if (nx_str_eq(obj->keys[i], key))
            return &obj->items[i];
    return NULL;
}

/* One argument in a name: runs of anything but letters, digits and _ become one _. */
static nx_status add_clean(nx_buf *b, nx_str s, bool *first)
{
    NX_TRY(*first ? NX_OK : nx_buf_adds(b, "__"));
    *first = false;
    bool in_run = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (word || !in_run)
            NX_TRY(nx_buf_addc(b, word ? c : '_'));
        in_run = !word;
    }
    return NX_OK;
}

nx_status nx__dbt_test_name(nx_arena *a, const char *test, const char *model, const nx_val *kwargs,
                            const char **ret_full, const char **ret_short, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_str *keys;
    NX_TRY(sorted_keys(a, kwargs, &keys, err));
    nx_status st = nx_buf_addf(&b, "%s_%s_", test, model);
    size_t head = b.n - 1;
    bool first = true;
    for (size_t i = 0; st == NX_OK && i < kwargs->n; i++) {
        const nx_val *v = get(kwargs, keys[i]);
        if (nx_str_is(keys[i], "model"))
            continue;
        if (v->kind != NX_VAL_ARR && v->kind != NX_VAL_OBJ)
            st = add_clean(&b, py_str(v), &first);
        else
            for (size_t k = 0; st == NX_OK && k < v->n; k++)
                st = add_clean(&b, py_str(&v->items[k]), &first);
    }
    if (st != NX_OK)
        return nx_fail(err, st, "could not name test %s of %s: its arguments are too long", test, model);
    const char *full = nx_arena_dup(a, nx_buf_str(&b));
    *ret_full = *ret_short = full;
    if (full != NULL && b.n >= 64) {
        char md5[33];
        nx_md5_hex(nx_buf_str(&b), md5);
        *ret_short = nx_arena_printf(a, "%.*s_%s", (int)(head < 30 ? head : 30), full, md5);
    }
    return full == NULL || *ret_short == NULL ? nx_nomem(err) : NX_OK;
}

/* The tree with sorted keys and every leaf as str(): what dbt hashes. */
static nx_status hashable(nx_arena *a, const nx_val *v, nx_val *ret, nx_err *err)
{
    if (v->kind == NX_VAL_ARR) {
        *ret = (nx_val){.kind = NX_VAL_ARR};
        for (size_t i = 0; i < v->n; i++) {
            nx_val item;
            NX_TRY(hashable(a, &v->items[i], &item, err));
            NX_TRY(nx__dbt_arr_add(a, ret, &item, err));
        }
        return NX_OK;
    }
    if (v->kind != NX_VAL_OBJ) {
        *ret = nx__dbt_val_str(py_str(v));
        return NX_OK;
    }
    nx_str *keys;
    *ret = (nx_val){.kind = NX_VAL_OBJ};
    NX_TRY(sorted_keys(a, v, &keys, err));
    for (size_t i = 0; i < v->n; i++) {
        nx_val item;
        NX_TRY(hashable(a, get(v, keys[i]), &item, err));
        NX_TRY(nx__dbt_obj_put(a, ret, keys[i], &item, err));
    }
    return NX_OK;
}

nx_status nx__dbt_test_hash(dbt_project *p, const char *name, const char *test, const char *ns, const nx_val *kwargs,
                            char ret[11], nx_err *err)
{
    nx_arena *a = &p->arena;
    nx_val meta = {.kind = NX_VAL_OBJ}, sorted;
    nx_val ns_val = nx__dbt_val_str(nx_str_of(ns == NULL ? "None" : ns)), name_val = nx__dbt_val_str(nx_str_of(test));
    NX_TRY(nx__dbt_obj_put(a, &meta, NX_STR("kwargs"), kwargs, err));
    NX_TRY(nx__dbt_obj_put(a, &meta, NX_STR("name"), &name_val, err));
    NX_TRY(nx__dbt_obj_put(a, &meta, NX_STR("namespace"), &ns_val, err));
    NX_TRY(hashable(a, &meta, &sorted, err));
    nx_jrun *run = nx_jrun_new(p->jinja, NULL);
    if (run == NULL)
        return nx_nomem(err);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_jval j;
    nx_status st = nx_buf_adds(&b, name);
    if (st == NX_OK)
        st = nx_jval_from_tree(run, &sorted, &j, err);
    if (st == NX_OK)
        st = nx_jval_repr(run, &j, &b, err);
    nx_jrun_free(run);
    NX_TRY(st);
    char md5[33];
    nx_md5_hex(nx_buf_str(&b), md5);
    memcpy(ret, md5 + 22, 11);
    return NX_OK;
}

/* ---- from one entry of data_tests to a node ---- */

typedef struct entry {
    nx_str name;     /* "not_null", "pkg.test" */
    const nx_val *v; /* its map, or NULL */
    const char *column;
    int line;
} entry;

static bool is_config_key(nx_str key)
{
    for (size_t i = 0; i < NX_COUNT_OF(TEST_CONFIGS); i++)
        if (nx_str_is(key, TEST_CONFIGS[i]))
            return true;
    return false;
}

/* Splits the entry's map into kwargs and config. */
static nx_status split_entry(dbt_project *p, const entry *e, nx_val *kwargs, nx_val *cfg, nx_str *custom, nx_err *err)
{
    if (e->column != NULL) {
        nx_val column = nx__dbt_val_str(nx_str_of(e->column));
        NX_TRY(nx__dbt_obj_put(&p->arena, kwargs, NX_STR("column_name"), &column, err));
    }
    for (size_t i = 0; e->v != NULL && e->v->kind == NX_VAL_OBJ && i < e->v->n; i++) {
        nx_str key = e->v->keys[i];
        const nx_val *v = &e->v->items[i];
        if (nx_str_is(key, "name"))
            *custom = v->s;
        else if (nx_str_is(key, "config"))
            NX_TRY(nx__dbt_cfg_merge_all(&p->arena, cfg, v, err));
        else if (nx_str_is(key, "arguments") && v->kind == NX_VAL_OBJ)
            for (size_t k = 0; k < v->n; k++)
                NX_TRY(nx__dbt_obj_put(&p->arena, kwargs, v->keys[k], &v->items[k], err));
        else if (is_config_key(key))
            NX_TRY(nx__dbt_cfg_merge(&p->arena, cfg, key, v, err));
        else if (!nx_str_is(key, "description") && !nx_str_is(key, "test_name"))
            NX_TRY(nx__dbt_obj_put(&p->arena, kwargs, key, v, err));
    }
    return NX_OK;
}

static nx_status test_node(dbt_project *p, dbt_node *on, dbt_test *t, nx_val *cfg, nx_str custom, const char *file,
                           int line, nx_err *err)
{
    nx_arena *a = &p->arena;
    const char *full, *brief, *of = on->name, *test = t->short_test;
    if (on->kind == DBT_SOURCE) {
        of = nx_arena_printf(a, "%s_%s", on->source_name, on->name);
        test = nx_arena_printf(a, "source_%s",
                               t->ns == NULL ? t->short_test : nx_arena_printf(a, "%s_%s", t->ns, t->short_test));
        t->model_arg = nx_arena_printf(a, "{{ get_where_subquery(source('%s', '%s')) }}", on->source_name, on->name);
    } else {
        test = t->ns == NULL ? test : nx_arena_printf(a, "%s_%s", t->ns, test);
        t->model_arg = nx_arena_printf(a, "{{ get_where_subquery(ref('%s')) }}", on->name);
    }
    if (of == NULL || test == NULL || t->model_arg == NULL)
        return nx_nomem(err);
    NX_TRY(nx__dbt_test_name(a, test, of, &t->kwargs, &full, &brief, err));
    if (custom.n > 0 && (full = brief = nx__dbt_cstr(a, custom)) == NULL)
        return nx_nomem(err);
    nx_val all = t->kwargs, model = nx__dbt_val_str(nx_str_of(t->model_arg));
    char hash[11];
    NX_TRY(nx__dbt_obj_put(a, &all, NX_STR("model"), &model, err));
    NX_TRY(nx__dbt_test_hash(p, full, t->short_test, t->ns, &all, hash, err));
    /* its folder in fqn is that of the file which declares it */
    dbt_node *n = nx__dbt_node_new(p, DBT_TEST, full, file, NULL, err);
    if (n == NULL)
        return nx_nomem(err);
    const char *slash = strchr(file, '/');
    const char **fqn = NX_ARENA_ARRAY(a, const char *, n->n_fqn);
    n->id = nx_arena_printf(a, "test.%s.%s.%s", p->name, full, hash);
    n->path = nx_arena_printf(a, "%s.sql", brief);
    n->raw = nx_str_of(nx_arena_printf(a, "{{ %s%s%s(**_dbt_generic_test_kwargs) }}", t->ns == NULL ? "" : t->ns,
                                       t->ns == NULL ? "" : ".", t->macro));
    if (fqn == NULL || n->id == NULL || n->path == NULL || n->raw.p == NULL)
        return nx_nomem(err);
    size_t skip = slash != NULL && n->n_fqn > 2 ? 1 : 0; /* "models" itself is no part of a name */
    fqn[0] = p->name;
    memcpy(fqn + 1, n->fqn + 1 + skip, (n->n_fqn - 1 - skip) * sizeof *fqn);
    n->n_fqn -= skip;
    n->fqn = fqn;
    nx_jtmpl *tmpl;
    NX_TRY(nx_jinja_compile(p->jinja, nx__dbt_where(a, file, line), n->raw, &tmpl, err));
    n->tmpl = tmpl;
    n->line = line;
    n->alias = brief;
    n->test = t;
    NX_TRY(nx__dbt_cfg_tree(p, n, err));
    NX_TRY(nx__dbt_cfg_merge_all(a, &n->cfg, cfg, err));
    return nx__dbt_node_add(p, n, err);
}

static nx_status one_test(dbt_project *p, dbt_node *on, const nx_val *v, const char *column, const char *file,
                          nx_err *err)
{
    nx_arena *a = &p->arena;
    entry e = {.column = column, .line = v->line};
    if (v->kind == NX_VAL_STR)
        e.name = v->s;
    else if (v->kind == NX_VAL_OBJ && v->n == 1) {
        e.name = v->keys[0];
        e.v = &v->items[0];
    } else if (v->kind == NX_VAL_OBJ && nx_val_get(v, "test_name") != NULL) {
        e.name = nx_val_get(v, "test_name")->s;
        e.v = v;
    } else {
        nx_status st = nx_fail(err, NX_INVALID, "%s: a test of '%s' must be a name or a map with one key",
                               nx__dbt_where(a, file, v->line), on->name);
        return nx_err_hint(err, st, "indent the test's arguments below its name");
    }
    dbt_test *t = NX_ARENA_NEW(a, dbt_test);
    nx_val cfg = {.kind = NX_VAL_OBJ};
    nx_str custom = {0}, rest = e.name, part;
    if (t == NULL)
        return nx_nomem(err);
    t->attached = on;
    t->column = column;
    t->kwargs = (nx_val){.kind = NX_VAL_OBJ};
    if (nx_str_find(rest, NX_STR("."), 0) != SIZE_MAX && nx_str_split(&rest, '.', &part)) {
        t->ns = nx__dbt_cstr(a, part);
        e.name = rest;
    }
    NX_TRY(split_entry(p, &e, &t->kwargs, &cfg, &custom, err));
    t->short_test = nx__dbt_cstr(a, e.name);
    t->macro = nx_arena_printf(a, "test_" NX_STR_FMT, NX_STR_ARG(e.name));
    if (t->short_test == NULL || t->macro == NULL)
        return nx_nomem(err);
    nx_jval found;
    bool known = t->ns != NULL ? nx_jinja_macro(p->jinja, nx_str_of(t->ns), nx_str_of(t->macro), &found)
                               : nx_jinja_macro(p->jinja, nx_str_of(p->name), nx_str_of(t->macro), &found) ||
                                     nx_jinja_macro(p->jinja, NX_STR("dbt"), nx_str_of(t->macro), &found);
    if (!known) {
        nx_status st = nx_fail(err, NX_INVALID, "%s: '%s' has a test '%s%s" NX_STR_FMT "' that no macro defines",
                               nx__dbt_where(a, file, v->line), on->name, t->ns == NULL ? "" : t->ns,
                               t->ns == NULL ? "" : ".", NX_STR_ARG(e.name));
        return nx_err_hint(err, st,
                           "built in are unique, not_null, accepted_values and relationships; others are {%% test %%} "
                           "blocks in macros/");
    }
    return test_node(p, on, t, &cfg, custom, file, v->line, err);
}

static nx_status test_list(dbt_project *p, dbt_node *on, const nx_val *v, const char *column, const char *file,
                           nx_err *err)
{
    const nx_val *tests = nx_val_get(v, "data_tests"), *old = nx_val_get(v, "tests");
    if (tests != NULL && old != NULL)
        return nx_fail(err, NX_INVALID, "%s: '%s' has tests and data_tests; keep data_tests",
                       nx__dbt_where(&p->arena, file, old->line), on->name);
    tests = tests == NULL ? old : tests;
    if (tests != NULL && tests->kind != NX_VAL_ARR && tests->kind != NX_VAL_NULL)
        return nx_fail(err, NX_INVALID, "%s: data_tests of '%s' must be a list",
                       nx__dbt_where(&p->arena, file, tests->line), on->name);
    for (size_t i = 0; tests != NULL && i < tests->n; i++)
        NX_TRY(one_test(p, on, &tests->items[i], column, file, err));
    return NX_OK;
}

nx_status nx__dbt_tests_of(dbt_project *p, dbt_node *n, const nx_val *v, const char *file, nx_err *err)
{
    NX_TRY(test_list(p, n, v, NULL, file, err));
    const nx_val *cols = nx_val_get(v, "columns");
    for (size_t i = 0; cols != NULL && i < cols->n; i++) {
        nx_str name = nx_val_str(nx_val_get(&cols->items[i], "name"), NX_STR(""));
        const char *column = nx_val_bool(nx_val_get(&cols->items[i], "quote"), false)
                                 ? nx_arena_printf(&p->arena, "\"" NX_STR_FMT "\"", NX_STR_ARG(name))
                                 : nx__dbt_cstr(&p->arena, name);
        if (column == NULL)
            return nx_nomem(err);
        NX_TRY(test_list(p, n, &cols->items[i], column, file, err));
    }
    return NX_OK;
}
