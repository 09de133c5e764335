/* The second pass: SQL with execute = true, and ephemeral models as CTEs in front of it. */
#include "transform/dbt_int.h"

/* ---- CTE injection ---- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blank(nx_str s, size_t i)
{
    while (i < s.n) {
        if (is_space(s.p[i]))
            i++;
        else if (i + 1 < s.n && s.p[i] == '-' && s.p[i + 1] == '-')
            while (i < s.n && s.p[i] != '\n')
                i++;
        else if (i + 1 < s.n && s.p[i] == '/' && s.p[i + 1] == '*') {
            size_t end = nx_str_find(s, NX_STR("*/"), i + 2);
            i = end == SIZE_MAX ? s.n : end + 2;
        } else
            return i;
    }
    return i;
}

static bool word_at(nx_str s, size_t i, nx_str word)
{
    if (word.n > s.n - i || !nx_str_eq_nocase(nx_str_sub(s, i, i + word.n), word))
        return false;
    return i + word.n == s.n || !(s.p[i + word.n] == '_' || (s.p[i + word.n] >= '0' && s.p[i + word.n] <= '9') ||
                                  ((s.p[i + word.n] | 0x20) >= 'a' && (s.p[i + word.n] | 0x20) <= 'z'));
}

nx_status nx__dbt_inject_ctes(nx_str sql, const nx_str *names, const nx_str *bodies, size_t n, nx_buf *out, nx_err *err)
{
    size_t at = skip_blank(sql, 0);
    bool has_with = word_at(sql, at, NX_STR("with"));
    if (has_with) {
        at += 4;
        size_t next = skip_blank(sql, at);
        if (word_at(sql, next, NX_STR("recursive")))
            at = next + 9;
    } else
        at = 0;
    nx_status st = nx_buf_add(out, nx_str_sub(sql, 0, at));
    if (st == NX_OK)
        st = nx_buf_adds(out, has_with ? " " : "with ");
    for (size_t i = 0; st == NX_OK && i < n; i++)
        st = nx_buf_addf(out, "%s" NX_STR_FMT " as (\n" NX_STR_FMT "\n)", i == 0 ? "" : ", ", NX_STR_ARG(names[i]),
                         NX_STR_ARG(bodies[i]));
    if (st == NX_OK && n > 0)
        st = nx_buf_adds(out, has_with ? "," : "\n");
    if (st == NX_OK)
        st = nx_buf_add(out, nx_str_sub(sql, at, sql.n));
    return st == NX_OK ? NX_OK : nx_fail(err, st, "compiled SQL with its %zu ephemeral models is too long", n);
}

/* ---- rendering ---- */

static bool is_incremental(dbt_project *p, const dbt_node *n)
{
    if (n->kind != DBT_MODEL || strcmp(nx__dbt_materialized(n), "incremental") != 0)
        return false;
    return !nx__dbt_cfg_bool(n, "full_refresh", p->o->full_refresh) && nx__dbt_is_built(p, n);
}

static nx_status keep(dbt_project *p, const nx_buf *b, nx_str *ret, nx_err *err)
{
    const char *copy = nx_arena_dup(&p->arena, nx_buf_str(b));
    if (copy == NULL)
        return nx_nomem(err);
    *ret = (nx_str){copy, b->n};
    return NX_OK;
}

static nx_status render(dbt_project *p, dbt_node *n, nx_err *err)
{
    dbt_ctx c = {.p = p, .node = n, .phase = DBT_COMPILE, .incremental = is_incremental(p, n)};
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)16 << 20);
    nx_jrun *run;
    NX_TRY(nx__dbt_run_new(&c, &run, err));
    nx_status st = nx__dbt_render_node(run, n, &b, err);
    nx_jrun_free(run);
    NX_TRY(st);
    return keep(p, &b, &n->body, err);
}

/* Every ephemeral model that n's text needs, once, what is read before what reads it. */
static nx_status collect(dbt_project *p, dbt_node *n, dbt_list *ret, nx_err *err)
{
    for (size_t i = 0; i < n->ctes.n; i++) {
        dbt_node *e = n->ctes.v[i];
        nx_status st = nx__dbt_compile(p, e, err);
        if (st != NX_OK) {
            nx_err_prefix(err, "ephemeral model '%s'", e->name);
            return st;
        }
        NX_TRY(collect(p, e, ret, err));
        if (!nx__dbt_list_has(ret, e))
            NX_TRY(nx__dbt_push(&p->arena, ret, e, err));
    }
    return NX_OK;
}

static nx_status inject(dbt_project *p, dbt_node *n, nx_err *err)
{
    dbt_list all = {0};
    NX_TRY(collect(p, n, &all, err));
    n->compiled = n->body;
    if (all.n == 0)
        return NX_OK;
    nx_str *names = NX_ARENA_ARRAY(&p->arena, nx_str, all.n), *bodies = NX_ARENA_ARRAY(&p->arena, nx_str, all.n);
    if (names == NULL || bodies == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < all.n; i++) {
        const dbt_node *e = all.v[i];
        const char *name = nx_arena_printf(&p->arena, "__dbt__cte__%s", e->alias);
        if (name == NULL)
            return nx_nomem(err);
        names[i] = nx_str_of(name);
        bodies[i] = e->body;
    }
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)64 << 20);
    NX_TRY(nx__dbt_inject_ctes(n->body, names, bodies, all.n, &b, err));
    return keep(p, &b, &n->compiled, err);
}

/* models/a.sql → models/a.sql; a test or snapshot in YAML → models/schema.yml/NAME.sql, as dbt lays it out. */
const char *nx__dbt_target_file(dbt_project *p, const dbt_node *n)
{
    if (n->test != NULL)
        return nx_arena_printf(&p->arena, "%s/%s", n->file, n->path);
    return nx_str_ends(nx_str_of(n->file), NX_STR(".sql")) && !n->is_block
               ? n->file
               : nx_arena_printf(&p->arena, "%s/%s.sql", n->file, n->name);
}

nx_status nx__dbt_compile(dbt_project *p, dbt_node *n, nx_err *err)
{
    if (n->is_compiled)
        return NX_OK;
    n->compile_at = nx_clock_wall();
    NX_TRY(render(p, n, err));
    NX_TRY(inject(p, n, err));
    n->is_compiled = true;
    n->compiled_at = nx_clock_wall();
    const char *path = nx__dbt_target_file(p, n);
    return path == NULL ? nx_nomem(err) : nx__dbt_write_target(p, "compiled", path, n->compiled, err);
}

nx_status nx__dbt_render_text(dbt_project *p, dbt_node *n, const char *name, nx_str text, nx_buf *out, nx_err *err)
{
    dbt_ctx c = {.p = p, .node = n, .phase = DBT_COMPILE, .incremental = n != NULL && is_incremental(p, n)};
    nx_jrun *run;
    nx_jtmpl *t;
    NX_TRY(nx__dbt_run_new(&c, &run, err));
    nx_status st = nx_jrun_compile(run, name, 1, text, &t, err);
    if (st == NX_OK)
        st = nx_jrun_render(run, t, out, err);
    nx_jrun_free(run);
    return st;
}
