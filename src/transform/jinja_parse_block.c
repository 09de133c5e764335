#include "transform/jinja_int.h"

nx_status nx__jparse_add_block(jparser *p, const jtok *begin, const jtok *body_begin, const jtok *body_end, nx_jblock b,
                               const jmacro_def *def)
{
    nx_jtmpl *t = p->t;
    if ((t->n_blocks & (t->n_blocks - 1)) == 0) { /* full at every power of two */
        size_t to = t->n_blocks == 0 ? 1 : t->n_blocks * 2;
        nx_jblock *blocks = NX_ARENA_ARRAY(p->a, nx_jblock, to);
        const jmacro_def **defs = NX_ARENA_ARRAY(p->a, const jmacro_def *, to);
        if (blocks == NULL || defs == NULL)
            return nx_nomem(p->err);
        if (t->n_blocks > 0) {
            memcpy(blocks, t->blocks, t->n_blocks * sizeof *blocks);
            memcpy(defs, t->block_defs, t->n_blocks * sizeof *defs);
        }
        t->blocks = blocks;
        t->block_defs = defs;
    }
    b.line = begin->line;
    b.source = nx_str_sub(t->source, begin->pos, p->tok[-1].end);
    b.body = nx_str_sub(t->source, body_begin->end, body_end->pos);
    if (def != NULL) {
        b.params = def->params;
        b.n_params = def->n_params;
    }
    t->blocks[t->n_blocks] = b;
    t->block_defs[t->n_blocks++] = def;
    return NX_OK;
}

static nx_status call_name(jparser *p, nx_str *ret, const char *prefix, nx_str name, nx_str adapter)
{
    char *s = adapter.n == 0 ? nx_arena_printf(p->a, "%s" NX_STR_FMT, prefix, NX_STR_ARG(name))
                             : nx_arena_printf(p->a, "%s" NX_STR_FMT "_" NX_STR_FMT, prefix, NX_STR_ARG(name),
                                               NX_STR_ARG(adapter));
    if (s == NULL)
        return nx_nomem(p->err);
    *ret = nx_str_of(s);
    return NX_OK;
}

/* materialization NAME, default | adapter='x', supported_languages=[…] */
static nx_status parse_materialization_head(jparser *p, nx_str *adapter)
{
    *adapter = NX_STR("default");
    while (nx__jparse_op(p->tok, ',')) {
        nx_str word;
        p->tok++;
        int line = p->tok->line;
        NX_TRY(nx__jparse_name(p, &word));
        if (nx_str_is(word, "default"))
            continue;
        NX_TRY(nx__jparse_expect(p, '='));
        jnode *v;
        NX_TRY(nx__jparse_expr(p, &v));
        if (nx_str_is(word, "adapter")) {
            if (v->kind != N_CONST || v->v.kind != NX_J_STR)
                return nx__jparse_fail(p, line, "the adapter of a materialization must be a string");
            *adapter = v->v.s;
        } else if (!nx_str_is(word, "supported_languages")) {
            return nx__jparse_fail(p, line, "a materialization has no argument '" NX_STR_FMT "'", NX_STR_ARG(word));
        }
    }
    return NX_OK;
}

static nx_status parse_docs(jparser *p, const jtok *begin)
{
    nx_jblock b = {.kind = NX_JB_DOCS};
    int line = p->tok->line;
    p->tok++;
    NX_TRY(nx__jparse_name(p, &b.name));
    b.call_name = b.name;
    const jtok *open = p->tok++;
    if (open->kind != T_BLOCK_END)
        return nx__jparse_fail(p, line, "'docs' wants one name");
    if (p->tok->kind == T_DATA)
        p->tok++;
    const jtok *end = p->tok++; /* the lexer made sure that enddocs follows */
    NX_TRY(nx__jparse_end(p));
    return nx__jparse_add_block(p, begin, open, end, b, NULL);
}

nx_status nx__jparse_dbt(jparser *p, const jtok *begin, bool *ret_taken)
{
    bool test = nx__jparse_word(p->tok, "test"), snapshot = nx__jparse_word(p->tok, "snapshot");
    bool mat = nx__jparse_word(p->tok, "materialization"), docs = nx__jparse_word(p->tok, "docs");
    *ret_taken = test || snapshot || mat || docs;
    if (!*ret_taken)
        return NX_OK;
    const char *word = test ? "test" : snapshot ? "snapshot" : mat ? "materialization" : "docs";
    if (p->blocks > 1)
        return nx__jparse_fail(p, p->tok->line, "'%s' must stand at the top of a file, not inside of another block",
                               word);
    if (docs)
        return parse_docs(p, begin);
    jmacro_def *def = NX_ARENA_NEW(p->a, jmacro_def);
    if (def == NULL)
        return nx_nomem(p->err);
    def->line = p->tok->line;
    p->tok++;
    nx_jblock b = {.kind = test ? NX_JB_TEST : snapshot ? NX_JB_SNAPSHOT : NX_JB_MATERIALIZATION};
    NX_TRY(nx__jparse_name(p, &b.name));
    b.call_name = b.name;
    if (test)
        NX_TRY(nx__jparse_signature(p, def));
    if (mat)
        NX_TRY(parse_materialization_head(p, &b.adapter));
    if (test || mat)
        NX_TRY(call_name(p, &b.call_name, test ? "test_" : "materialization_", b.name, b.adapter));
    def->name = b.call_name;
    const jtok *open = p->tok;
    NX_TRY(nx__jparse_macro_body(p, word, test ? "endtest" : snapshot ? "endsnapshot" : "endmaterialization", def));
    const jtok *end = p->tok - 1;
    NX_TRY(nx__jparse_end(p));
    return nx__jparse_add_block(p, begin, open, end, b, def);
}
