/* The methods of selection: what `tag:x` or `path:y` says of one node. */
#include "transform/select_int.h"

#include <fnmatch.h>

typedef struct query {
    dbt_project *p;
    const dbt_spec *s;
    const char *value; /* 0-terminated */
    const char *arg;
} query;

static bool like(const char *pattern, const char *text)
{
    return fnmatch(pattern, text, 0) == 0;
}

static bool is_resource(const dbt_node *n)
{
    return n->kind != DBT_SOURCE && n->kind != DBT_EXPOSURE;
}

/* The pattern's dotted parts against fqn from `from`; a pattern that ends sooner matches all below. */
static bool fqn_prefix(const query *q, const dbt_node *n, size_t from)
{
    nx_str rest = q->s->value, part;
    size_t i = from;
    while (nx_str_split(&rest, '.', &part)) {
        const char *c = nx__dbt_cstr(&q->p->arena, part);
        if (i == n->n_fqn || c == NULL || !like(c, n->fqn[i]))
            return false;
        i++;
    }
    return true;
}

static bool by_fqn(const query *q, const dbt_node *n)
{
    return is_resource(n) && (like(q->value, n->fqn[n->n_fqn - 1]) || fqn_prefix(q, n, 0) || fqn_prefix(q, n, 1));
}

static bool by_tag(const query *q, const dbt_node *n)
{
    const nx_val *tags = nx_val_get(&n->cfg, "tags");
    for (size_t i = 0; tags != NULL && i < tags->n; i++)
        if (tags->items[i].kind == NX_VAL_STR && like(q->value, tags->items[i].s.p))
            return true;
    return false;
}

static bool by_source(const query *q, const dbt_node *n)
{
    if (n->kind != DBT_SOURCE)
        return false;
    const char *parts[3] = {"*", "*", "*"};
    size_t n_parts = 0;
    nx_str rest = q->s->value, part;
    const char *given[3] = {NULL};
    while (nx_str_split(&rest, '.', &part)) {
        if (n_parts == 3)
            return false;
        if ((given[n_parts++] = nx__dbt_cstr(&q->p->arena, part)) == NULL)
            return false;
    }
    if (n_parts == 3)
        memcpy(parts, given, sizeof parts);
    else
        memcpy(parts + 1, given, n_parts * sizeof *parts);
    return like(parts[0], q->p->name) && like(parts[1], n->source_name) && like(parts[2], n->name);
}

static bool by_exposure(const query *q, const dbt_node *n)
{
    return n->kind == DBT_EXPOSURE && like(q->value, n->name);
}

/* A file, or any folder above it. */
static bool by_path(const query *q, const dbt_node *n)
{
    char pattern[1024], path[1024];
    size_t len = strlen(q->value), k = strlen(n->file);
    while (len > 1 && q->value[len - 1] == '/')
        len--;
    if (len >= sizeof pattern || k >= sizeof path)
        return false;
    memcpy(pattern, q->value, len);
    pattern[len] = '\0';
    memcpy(path, n->file, k + 1);
    for (;;) {
        if (fnmatch(pattern, path, FNM_PATHNAME) == 0)
            return true;
        char *slash = strrchr(path, '/');
        if (slash == NULL)
            return false;
        *slash = '\0';
    }
}

static bool by_file(const query *q, const dbt_node *n)
{
    const char *slash = strrchr(n->file, '/'), *base = slash == NULL ? n->file : slash + 1;
    const char *stem = nx__dbt_stem(&q->p->arena, base);
    return like(q->value, base) || (stem != NULL && like(q->value, stem));
}

static bool by_package(const query *q, const dbt_node *n)
{
    (void)n;
    return strcmp(q->value, "this") == 0 || like(q->value, q->p->name);
}

static bool by_resource_type(const query *q, const dbt_node *n)
{
    return strcmp(q->value, nx__dbt_kind_name(n->kind)) == 0;
}

static bool by_test_name(const query *q, const dbt_node *n)
{
    return n->kind == DBT_TEST && like(q->value, n->test == NULL ? n->name : n->test->short_test);
}

static bool by_test_type(const query *q, const dbt_node *n)
{
    bool generic = n->test != NULL;
    return n->kind == DBT_TEST &&
           (strcmp(q->value, "data") == 0 || strcmp(q->value, generic ? "generic" : "singular") == 0);
}

static bool by_group(const query *q, const dbt_node *n)
{
    const nx_val *v = nx_val_get(&n->cfg, "group");
    return v != NULL && v->kind == NX_VAL_STR && like(q->value, v->s.p);
}

static bool by_access(const query *q, const dbt_node *n)
{
    const nx_val *v = nx_val_get(&n->cfg, "access");
    return n->kind == DBT_MODEL && strcmp(q->value, v == NULL || v->kind != NX_VAL_STR ? "protected" : v->s.p) == 0;
}

static bool value_is(const nx_val *v, nx_str want, bool nocase)
{
    switch (v->kind) {
    case NX_VAL_BOOL:
        return nx_str_eq_nocase(want, v->b ? NX_STR("true") : NX_STR("false"));
    case NX_VAL_ARR:
        for (size_t i = 0; i < v->n; i++)
            if (value_is(&v->items[i], want, nocase))
                return true;
        return false;
    case NX_VAL_OBJ:
        for (size_t i = 0; i < v->n; i++)
            if (nx_str_eq(v->keys[i], want))
                return true;
        return false;
    case NX_VAL_NULL:
        return false;
    default:
        return nocase ? nx_str_eq_nocase(v->s, want) : nx_str_eq(v->s, want);
    }
}

static bool by_config(const query *q, const dbt_node *n)
{
    if (strcmp(q->arg, "materialized") == 0)
        return nx_str_is(q->s->value, nx__dbt_materialized(n));
    const nx_val *v = nx_val_path(&n->cfg, q->arg);
    if (v == NULL && strcmp(q->arg, "severity") == 0 && n->kind == DBT_TEST)
        return nx_str_eq_nocase(q->s->value, NX_STR("error"));
    return v != NULL && value_is(v, q->s->value, strcmp(q->arg, "severity") == 0);
}

static const struct {
    const char *name;
    bool (*match)(const query *q, const dbt_node *n);
} METHODS[] = {{"fqn", by_fqn},
               {"tag", by_tag},
               {"source", by_source},
               {"exposure", by_exposure},
               {"path", by_path},
               {"file", by_file},
               {"package", by_package},
               {"resource_type", by_resource_type},
               {"test_name", by_test_name},
               {"test_type", by_test_type},
               {"group", by_group},
               {"access", by_access},
               {"config", by_config}};
nx_status nx__select_matching(dbt_project *p, const dbt_spec *s, bool *set, nx_err *err)
{
    query q = {p, s, nx__dbt_cstr(&p->arena, s->value),
               nx__dbt_cstr(&p->arena, s->arg.p == NULL ? NX_STR("") : s->arg)};
    if (q.value == NULL || q.arg == NULL)
        return nx_nomem(err);
    for (size_t m = 0; m < NX_COUNT_OF(METHODS); m++) {
        if (!nx_str_is(s->method, METHODS[m].name))
            continue;
        if (METHODS[m].match == by_config && q.arg[0] == '\0')
            return nx__select_bad(s->text, "config needs a key, like config.materialized:table", err);
        for (size_t i = 0; i < p->nodes.n; i++)
            set[i] = METHODS[m].match(&q, p->nodes.v[i]);
        return NX_OK;
    }
    return nx_fail(err, NX_UNSUPPORTED, "the selection method '" NX_STR_FMT "' is not supported by this runner",
                   NX_STR_ARG(s->method));
}
