#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

nx_status nx__jnomem(nx_jrun *run)
{
    nx_fail(run->err, NX_LIMIT, "the template needs more memory than its limit of %zu MiB", run->opts.bytes_max >> 20);
    return nx_err_hint(run->err, NX_LIMIT, "look for a loop that builds ever larger values");
}

void *nx__jalloc(nx_jrun *run, size_t n, size_t size)
{
    return nx_arena_calloc(&run->arena, n, size);
}

nx_jrun *nx_jrun_new(const nx_jinja *j, const nx_jrun_opts *opts)
{
    nx_jrun *run = calloc(1, sizeof *run);
    if (run == NULL)
        return NULL;
    run->j = j;
    if (opts != NULL)
        run->opts = *opts;
    if (run->opts.bytes_max == 0)
        run->opts.bytes_max = (size_t)64 << 20;
    if (run->opts.steps_max == 0)
        run->opts.steps_max = 20000000;
    if (run->opts.depth_max == 0)
        run->opts.depth_max = 100;
    run->package = run->opts.package == NULL ? j->root : nx_str_of(run->opts.package);
    run->err = &run->own_err;
    nx_arena_init(&run->arena, run->opts.bytes_max);
    return run;
}

void nx_jrun_free(nx_jrun *run)
{
    if (run == NULL)
        return;
    nx_arena_drop(&run->arena);
    free(run->globals);
    free(run);
}

void *nx_jrun_host(const nx_jrun *run)
{
    return run->opts.host;
}

nx_arena *nx_jrun_arena(nx_jrun *run)
{
    return &run->arena;
}

const char *nx_jrun_place(const nx_jrun *run, int *ret_line)
{
    *ret_line = run->tmpl == NULL ? 0 : run->line;
    return run->tmpl == NULL ? "?" : run->tmpl->name;
}

nx_status nx_jrun_strf(nx_jrun *run, nx_jval *ret, nx_err *err, const char *fmt, ...)
{
    NX_BUF_AUTO nx_buf text;
    nx_buf_init(&text, 0);
    va_list ap;
    va_start(ap, fmt);
    nx_status st = nx_buf_vaddf(&text, fmt, ap);
    va_end(ap);
    return st == NX_OK ? nx_jrun_str(run, nx_buf_str(&text), ret, err) : nx_nomem(err);
}

/* ---- names ---- */

nx_status nx_jrun_set(nx_jrun *run, const char *name, nx_jval v, nx_err *err)
{
    nx_str key = nx_str_of(name);
    for (size_t i = 0; i < run->n_globals; i++)
        if (nx_str_eq(run->globals[i].key.s, key)) {
            run->globals[i].value = v;
            return NX_OK;
        }
    if (!nx_grow(&run->globals, &run->cap_globals, run->n_globals + 1, sizeof(nx_jpair)))
        return nx_nomem(err);
    run->globals[run->n_globals++] = (nx_jpair){nx_jval_str(key), v};
    return NX_OK;
}

nx_status nx_jrun_set_func(nx_jrun *run, const char *name, nx_jfn fn, void *ctx, nx_err *err)
{
    nx_jval v;
    NX_TRY(nx_jval_bound(run, name, fn, ctx, &v, err));
    return nx_jrun_set(run, name, v, err);
}

static const nx_jval *global(const nx_jrun *run, nx_str name)
{
    for (size_t i = 0; i < run->n_globals; i++)
        if (nx_str_eq(run->globals[i].key.s, name))
            return &run->globals[i].value;
    return NULL;
}

const nx_jval *nx_jrun_get(const nx_jrun *run, const char *name)
{
    return global(run, nx_str_of(name));
}

/* A package as a value: its macros by name. */
static nx_status package_attr(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err)
{
    (void)run;
    (void)err;
    const jpackage *p = self->ctx;
    const struct nx_jmacro *m = nx_map_get(&p->macros, name);
    if (m != NULL)
        *ret = (nx_jval){.kind = NX_J_MACRO, .macro = m};
    return NX_OK;
}

nx_jval nx_jrun_lookup(nx_jrun *run, nx_str name)
{
    static const nx_jclass package_class = {.name = "package", .attr = package_attr};
    nx_jval v;
    const nx_jval *g;
    const nx_jfunc *f;
    if (nx_jinja_macro(run->j, run->package, name, &v) || nx_jinja_macro(run->j, run->j->root, name, &v))
        return v;
    if ((g = global(run, name)) != NULL)
        return *g;
    if (nx_jinja_macro(run->j, NX_STR("dbt"), name, &v))
        return v;
    if ((f = nx__jbuiltin_find(name)) != NULL)
        return nx_jval_func(f);
    for (size_t i = 0; i < run->j->n_packages; i++)
        if (nx_str_eq(run->j->packages[i]->name, name) &&
            nx_jrun_obj(run, &package_class, run->j->packages[i], &v, NULL) == NX_OK)
            return v;
    return nx_jval_undef(name);
}

/* ---- entries ---- */

/* Where an entry found the run, to leave it so: host functions enter again in the middle of a template. */
typedef struct saved {
    nx_err *err;
    const nx_jtmpl *tmpl;
    jscope *scope;
    jflow flow;
    int line;
    bool native;
} saved;

static saved enter(nx_jrun *run, nx_err *err)
{
    saved s = {run->err, run->tmpl, run->scope, run->flow, run->line, run->native};
    run->err = err == NULL ? &run->own_err : err;
    run->flow = FLOW_NONE;
    run->located = run->returning = false;
    return s;
}

/* A return() that no macro caught is an error where nothing called a macro. */
static nx_status leave(nx_jrun *run, saved s, nx_status st)
{
    if (st != NX_OK && run->returning && run->depth == 0) {
        run->returning = false;
        st = nx_fail(run->err, NX_INVALID, "%s:%d: return() outside of a macro",
                     run->tmpl == NULL ? "?" : run->tmpl->name, run->line);
        run->located = true;
    }
    run->err = s.err;
    run->tmpl = s.tmpl;
    run->scope = s.scope;
    run->flow = s.flow;
    run->line = s.line;
    run->native = s.native;
    return st;
}

static nx_status render(nx_jrun *run, const nx_jtmpl *t, const jnodes *body, nx_buf *out)
{
    run->tmpl = t;
    NX_TRY(nx__jscope_new(run, NULL, &run->scope));
    return nx__jexec(run, body, out);
}

nx_status nx_jrun_render(nx_jrun *run, const nx_jtmpl *t, nx_buf *out, nx_err *err)
{
    saved s = enter(run, err);
    run->native = false;
    return leave(run, s, render(run, t, &t->body, out));
}

nx_status nx_jrun_render_block(nx_jrun *run, const nx_jtmpl *t, size_t i, nx_buf *out, nx_err *err)
{
    if (i >= t->n_blocks || t->block_defs[i] == NULL)
        return nx_fail(err, NX_NOT_FOUND, "%s: block %zu is no block that can be rendered", t->name, i);
    saved s = enter(run, err);
    run->native = false;
    return leave(run, s, render(run, t, &t->block_defs[i]->body, out));
}

static nx_status native(nx_jrun *run, const nx_jtmpl *t, nx_jval *ret)
{
    run->tmpl = t;
    run->native = true;
    if (t->body.n == 1 && t->body.v[0]->kind == N_OUTPUT) {
        NX_TRY(nx__jscope_new(run, NULL, &run->scope));
        return nx__jeval(run, t->body.v[0]->a, ret);
    }
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, run->opts.bytes_max);
    NX_TRY(render(run, t, &t->body, &b));
    return nx__jbuf_val(run, &b, ret);
}

nx_status nx_jrun_native(nx_jrun *run, const nx_jtmpl *t, nx_jval *ret, nx_err *err)
{
    saved s = enter(run, err);
    return leave(run, s, native(run, t, ret));
}

nx_status nx_jrun_compile(nx_jrun *run, const char *name, int first_line, nx_str source, nx_jtmpl **ret, nx_err *err)
{
    return nx__jinja_compile(&run->arena, name, first_line, source, false, ret, err);
}

nx_status nx_jrun_expr(nx_jrun *run, const char *name, int line, nx_str expr, nx_jval *ret, nx_err *err)
{
    nx_jtmpl *t;
    NX_TRY(nx__jinja_compile(&run->arena, name, line, expr, true, &t, err));
    if (t->body.n != 1)
        return nx_fail(err, NX_INVALID, "%s:%d: expected one expression", name, line);
    saved s = enter(run, err);
    return leave(run, s, native(run, t, ret));
}

nx_status nx_jrun_call(nx_jrun *run, const nx_jval *callee, const nx_jargs *args, nx_jval *ret, nx_err *err)
{
    static const nx_jargs none = {NULL, 0, NULL, 0};
    saved s = enter(run, err);
    nx_status st = nx__jcall(run, callee, args == NULL ? &none : args, ret);
    return leave(run, s, st);
}

nx_status nx_jrun_call_macro(nx_jrun *run, const char *package, const char *name, const nx_jargs *args, nx_jval *ret,
                             nx_err *err)
{
    nx_jval v = nx_jval_none();
    if (package == NULL)
        v = nx_jrun_lookup(run, nx_str_of(name));
    else
        (void)nx_jinja_macro(run->j, nx_str_of(package), nx_str_of(name), &v);
    if (v.kind != NX_J_MACRO && v.kind != NX_J_FUNC)
        return nx_fail(err, NX_NOT_FOUND, "there is no macro '%s%s%s'", package == NULL ? "" : package,
                       package == NULL ? "" : ".", name);
    return nx_jrun_call(run, &v, args, ret, err);
}
