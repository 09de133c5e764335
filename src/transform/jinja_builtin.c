/* Functions that every template has: Jinja's own and those of dbt's that need no project. */
#include "data/json.h"
#include "data/yaml.h"
#include "transform/jinja_int.h"

#define BUILTIN(name)                                                                                                  \
    static nx_status b_##name(nx_jrun *run, NX_UNUSED void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)

enum { RANGE_MAX = 100000 };

BUILTIN(range)
{
    int64_t v[3] = {0, 0, 1};
    if (args->n == 0 || args->n > 3 || args->n_kw > 0)
        return nx_fail(err, NX_INVALID, "range() takes one to three whole numbers");
    for (size_t i = 0; i < args->n; i++)
        if (!nx__jval_integer(&args->v[i], &v[args->n == 1 ? 1 : i]))
            return nx_fail(err, NX_INVALID, "range() takes whole numbers, not '%s'", nx_jval_type(&args->v[i]));
    if (v[2] == 0)
        return nx_fail(err, NX_INVALID, "the step of range() cannot be zero");
    NX_TRY(nx_jrun_list(run, ret, err));
    for (int64_t i = v[0]; v[2] > 0 ? i < v[1] : i > v[1];) {
        if (ret->list->n == RANGE_MAX)
            return nx_fail(err, NX_LIMIT, "range() gives more than %d numbers", RANGE_MAX);
        NX_TRY(nx_jlist_add(run, ret, nx_jval_int(i), err));
        if (__builtin_add_overflow(i, v[2], &i))
            break;
    }
    return NX_OK;
}

/* dict(pairs or dict, key=value…) and namespace(…) */
static nx_status make_dict(nx_jrun *run, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    nx_jval none;
    NX_TRY(nx_jrun_dict(run, ret, err));
    const jmethod_def *update = nx__jmethod_find(NX_J_DICT, NX_STR("update"));
    return update->fn(run, ret, NULL, args, &none);
}

BUILTIN(dict)
{
    return make_dict(run, args, ret, err);
}

BUILTIN(namespace)
{
    NX_TRY(make_dict(run, args, ret, err));
    ret->kind = NX_J_NS;
    return NX_OK;
}

/* cycler(a, b): .next(), .reset(), .current; joiner(sep): "" the first time it is called, then sep. */
typedef struct cycle {
    const nx_jval *v;
    size_t n, i;
} cycle;

static nx_status cycler_next(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)run;
    (void)err;
    (void)args;
    cycle *c = ctx;
    *ret = c->v[c->i];
    c->i = (c->i + 1) % c->n;
    return NX_OK;
}

static nx_status cycler_reset(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)run;
    (void)err;
    (void)args;
    (void)ret;
    ((cycle *)ctx)->i = 0;
    return NX_OK;
}

static nx_status cycler_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    cycle *c = self->ctx;
    if (nx_str_is(name, "next"))
        return nx_jval_bound(run, "cycler.next", cycler_next, c, ret, err);
    if (nx_str_is(name, "reset"))
        return nx_jval_bound(run, "cycler.reset", cycler_reset, c, ret, err);
    if (nx_str_is(name, "current"))
        *ret = c->v[c->i];
    return NX_OK;
}

BUILTIN(cycler)
{
    static const nx_jclass cls = {.name = "cycler", .attr = cycler_attr};
    if (args->n == 0 || args->n_kw > 0)
        return nx_fail(err, NX_INVALID, "cycler() needs at least one value");
    cycle *c = nx__jalloc(run, 1, sizeof *c);
    if (c == NULL)
        return nx__jnomem(run);
    *c = (cycle){args->v, args->n, 0};
    return nx_jrun_obj(run, &cls, c, ret, err);
}

typedef struct joiner {
    nx_jval sep;
    bool used;
} joiner;

static nx_status joiner_call(nx_jrun *run, nx_jobj *self, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)run;
    (void)args;
    (void)err;
    joiner *j = self->ctx;
    *ret = j->used ? j->sep : nx_jval_str(NX_STR(""));
    j->used = true;
    return NX_OK;
}

BUILTIN(joiner)
{
    static const nx_jclass cls = {.name = "joiner", .call = joiner_call};
    static const char *const names[] = {"sep", NULL};
    NX_TRY(nx_jargs_check(args, "joiner", 1, names, err));
    joiner *j = nx__jalloc(run, 1, sizeof *j);
    if (j == NULL)
        return nx__jnomem(run);
    const nx_jval *sep = nx_jargs_get(args, 0, "sep");
    *j = (joiner){sep == NULL ? nx_jval_str(NX_STR(", ")) : *sep, false};
    return nx_jrun_obj(run, &cls, j, ret, err);
}

/* Unwinds to the macro around it; nx__jcall gives the value on. */
BUILTIN(return)
{
    static const char *const names[] = {"data", NULL};
    (void)ret;
    NX_TRY(nx_jargs_check(args, "return", 1, names, err));
    const nx_jval *v = nx_jargs_get(args, 0, "data");
    run->ret_val = v == NULL ? nx_jval_none() : *v;
    run->returning = true;
    return NX_CANCELLED;
}

BUILTIN(tojson)
{
    static const char *const names[] = {"value", "default", "sort_keys", NULL};
    NX_TRY(nx_jargs_check(args, "tojson", 3, names, err));
    const nx_jval *v = nx_jargs_get(args, 0, "value"), *dflt = nx_jargs_get(args, 1, "default");
    const nx_jval *sort = nx_jargs_get(args, 2, "sort_keys");
    if (v == NULL)
        return nx_fail(err, NX_INVALID, "tojson() needs a value");
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    if (nx_jval_json(v, sort != NULL && nx_jval_truth(sort), &b, err) !=
        NX_OK) { /* as dbt: the default, none without */
        nx_err_clear(err);
        *ret = dflt == NULL ? nx_jval_none() : *dflt;
        return NX_OK;
    }
    return nx__jbuf_val(run, &b, ret);
}

static nx_status from_text(nx_jrun *run, const nx_jargs *args, bool yaml, nx_jval *ret, nx_err *err)
{
    static const char *const names[] = {"value", "default", NULL};
    const char *fn = yaml ? "fromyaml" : "fromjson";
    nx_str text;
    nx_val *tree;
    NX_TRY(nx_jargs_check(args, fn, 2, names, err));
    NX_TRY(nx_jargs_str(args, fn, 0, "value", &text, err));
    const nx_jval *dflt = nx_jargs_get(args, 1, "default");
    nx_status st = yaml ? nx_yaml_parse(text, "fromyaml()", &run->arena, &tree, err)
                        : nx_json_parse(text, NULL, &run->arena, &tree, err);
    if (st == NX_OK)
        return nx_jval_from_tree(run, tree, ret, err);
    nx_err_clear(err);
    *ret = dflt == NULL ? nx_jval_none() : *dflt;
    return NX_OK;
}

BUILTIN(fromjson)
{
    return from_text(run, args, false, ret, err);
}

BUILTIN(fromyaml)
{
    return from_text(run, args, true, ret, err);
}

static nx_status make_set(nx_jrun *run, const nx_jargs *args, bool strict, nx_jval *ret, nx_err *err)
{
    static const char *const names[] = {"value", "default", NULL};
    NX_TRY(nx_jargs_check(args, "set", 2, names, err));
    const nx_jval *v = nx_jargs_get(args, 0, "value"), *dflt = nx_jargs_get(args, 1, "default");
    nx_jargs none = {NULL, 0, NULL, 0};
    nx_jval exact[2] = {nx_jval_bool(true), nx_jval_none()};
    if (v == NULL)
        return nx_fail(err, NX_INVALID, "set() needs a value");
    none.v = exact;
    none.n = 1;
    nx_status st = nx__jfilter_apply(run, nx__jfilter_find(NX_STR("unique")), v, &none, ret);
    if (st != NX_INVALID || strict)
        return st;
    nx_err_clear(err);
    *ret = dflt == NULL ? nx_jval_none() : *dflt;
    return NX_OK;
}

BUILTIN(set)
{
    return make_set(run, args, false, ret, err);
}

BUILTIN(set_strict)
{
    return make_set(run, args, true, ret, err);
}

/* Tuples of the items at the same place, as many as the shortest has. */
static nx_status make_zip(nx_jrun *run, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    NX_TRY(nx_jrun_list(run, ret, err));
    if (args->n == 0)
        return NX_OK;
    const nx_jval **items = nx__jalloc(run, args->n, sizeof *items);
    nx_jval *row = nx__jalloc(run, args->n, sizeof *row), tuple;
    if (items == NULL || row == NULL)
        return nx__jnomem(run);
    size_t shortest = SIZE_MAX, n;
    for (size_t k = 0; k < args->n; k++) {
        NX_TRY(nx__jval_items(run, &args->v[k], &items[k], &n));
        shortest = n < shortest ? n : shortest;
    }
    for (size_t i = 0; i < shortest; i++) {
        for (size_t k = 0; k < args->n; k++)
            row[k] = items[k][i];
        NX_TRY(nx_jrun_tuple(run, row, args->n, &tuple, err));
        NX_TRY(nx_jlist_add(run, ret, tuple, err));
    }
    return NX_OK;
}

BUILTIN(zip)
{
    static const char *const names[] = {"default", NULL};
    NX_TRY(nx_jargs_check(args, "zip", SIZE_MAX, names, err));
    nx_status st = make_zip(run, args, ret, err);
    if (st != NX_INVALID)
        return st;
    const nx_jval *dflt = nx_jargs_get(args, SIZE_MAX, "default");
    nx_err_clear(err);
    *ret = dflt == NULL ? nx_jval_none() : *dflt;
    return NX_OK;
}

BUILTIN(zip_strict)
{
    NX_TRY(nx_jargs_check(args, "zip_strict", SIZE_MAX, NULL, err));
    return make_zip(run, args, ret, err);
}

static const nx_jfunc builtins[] = {
    {"range", b_range, NULL},           {"dict", b_dict, NULL},
    {"namespace", b_namespace, NULL},   {"cycler", b_cycler, NULL},
    {"joiner", b_joiner, NULL},         {"return", b_return, NULL},
    {"tojson", b_tojson, NULL},         {"fromjson", b_fromjson, NULL},
    {"fromyaml", b_fromyaml, NULL},     {"set", b_set, NULL},
    {"set_strict", b_set_strict, NULL}, {"zip", b_zip, NULL},
    {"zip_strict", b_zip_strict, NULL},
};

const nx_jfunc *nx__jbuiltin_find(nx_str name)
{
    for (size_t i = 0; i < NX_COUNT_OF(builtins); i++)
        if (nx_str_is(name, builtins[i].name))
            return &builtins[i];
    return NULL;
}

/* ---- literals ---- */

static bool is_literal(const jnode *n)
{
    if (n->kind == N_NEG || n->kind == N_POS)
        return n->a->kind == N_CONST && (n->a->v.kind == NX_J_INT || n->a->v.kind == NX_J_FLOAT);
    if (n->kind == N_CONST) /* Python spells its words with a capital */
        return (n->v.kind != NX_J_BOOL && n->v.kind != NX_J_NONE) || (n->s.n > 0 && n->s.p[0] <= 'Z');
    if (n->kind != N_TUPLE && n->kind != N_LIST && n->kind != N_DICT)
        return false;
    for (size_t i = 0; i < n->list.n; i++)
        if (!is_literal(n->list.v[i]))
            return false;
    return true;
}

nx_status nx__jnative_text(nx_jrun *run, nx_str text, nx_jval *ret, bool *ret_ok)
{
    nx_jtmpl *t;
    nx_err ignored;
    *ret_ok = nx__jinja_compile(&run->arena, "literal", 1, text, true, &t, &ignored) == NX_OK && t->body.n == 1 &&
              is_literal(t->body.v[0]->a);
    return *ret_ok ? nx__jeval(run, t->body.v[0]->a, ret) : NX_OK;
}
