/* The variable `loop` inside of for. */
#include "transform/jinja_int.h"

static nx_status loop_cycle(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    (void)run;
    const jloop *l = ctx;
    if (args->n == 0)
        return nx_fail(err, NX_INVALID, "loop.cycle() needs at least one value");
    *ret = args->v[l->i % args->n];
    return NX_OK;
}

static nx_status loop_changed(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    jloop *l = ctx;
    nx_jval now;
    NX_TRY(nx_jrun_tuple(run, args->v, args->n, &now, err));
    *ret = nx_jval_bool(l->changed.kind == NX_J_UNDEF || !nx_jval_equal(&l->changed, &now));
    l->changed = now;
    return NX_OK;
}

static nx_jval neighbour(const jloop *l, bool next)
{
    if (next ? l->i + 1 < l->n : l->i > 0)
        return next ? l->v[l->i + 1] : l->v[l->i - 1];
    nx_jval none = nx_jval_undef(next ? NX_STR("there is no next item") : NX_STR("there is no previous item"));
    none.whole = true;
    return none;
}

static nx_status loop_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    jloop *l = self->ctx;
    int64_t i = (int64_t)l->i, n = (int64_t)l->n;
    const struct {
        const char *name;
        int64_t v;
    } numbers[] = {{"index", i + 1}, {"index0", i},       {"revindex", n - i},     {"revindex0", n - i - 1},
                   {"length", n},    {"depth", l->depth}, {"depth0", l->depth - 1}};
    for (size_t k = 0; k < NX_COUNT_OF(numbers); k++)
        if (nx_str_is(name, numbers[k].name)) {
            *ret = nx_jval_int(numbers[k].v);
            return NX_OK;
        }
    if (nx_str_is(name, "first") || nx_str_is(name, "last"))
        *ret = nx_jval_bool(nx_str_is(name, "first") ? i == 0 : i + 1 == n);
    else if (nx_str_is(name, "previtem") || nx_str_is(name, "nextitem"))
        *ret = neighbour(l, nx_str_is(name, "nextitem"));
    else if (nx_str_is(name, "cycle"))
        return nx_jval_bound(run, "loop.cycle", loop_cycle, l, ret, err);
    else if (nx_str_is(name, "changed"))
        return nx_jval_bound(run, "loop.changed", loop_changed, l, ret, err);
    return NX_OK;
}

nx_status nx__jloop_make(nx_jrun *run, jloop *loop, nx_jval *ret)
{
    static const nx_jclass cls = {.name = "loop", .attr = loop_attr};
    return nx_jrun_obj(run, &cls, loop, ret, run->err);
}
