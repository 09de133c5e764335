/* The reference page of contracts in Markdown. */
#include "contract/contract_int.h"
#include "contract/export.h"
#include "data/yaml.h"

/* Text inside a table's cell. */
static nx_status add_cell(nx_buf *b, nx_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '|')
            NX_TRY(nx_buf_addc(b, '\\'));
        NX_TRY(nx_buf_addc(b, s.p[i] == '\n' || s.p[i] == '\r' ? ' ' : s.p[i]));
    }
    return NX_OK;
}

static nx_status add_names(nx_buf *b, const char *what, const char *const *names)
{
    if (names == NULL || names[0] == NULL)
        return NX_OK;
    NX_TRY(nx_buf_addf(b, "%s ", what));
    for (size_t i = 0; names[i] != NULL; i++)
        NX_TRY(nx_buf_addf(b, "%s`%s`", i == 0 ? "" : ", ", names[i]));
    return nx_buf_adds(b, "  \n");
}

static nx_status add_column(const nx_contract *c, size_t col, bool source, nx_buf *b)
{
    const nx_field *f = &c->schema.fields[col];
    nx_buf t NX_BUF_AUTO;
    nx_buf_init(&t, 0);
    NX_TRY(nx_type_to_sql(&f->type, &t));
    NX_TRY(nx_buf_addf(b, "| `%s` | ", f->name));
    NX_TRY(add_cell(b, nx_buf_str(&t)));
    NX_TRY(nx_buf_addf(b, " | %s | ", f->nullable ? "null" : ""));
    if (source) {
        nx_buf_clear(&t);
        NX_TRY(nx_contract_source_text(c, col, &t));
        NX_TRY(add_cell(b, nx_buf_str(&t)));
        NX_TRY(nx_buf_adds(b, " | "));
    }
    NX_TRY(add_cell(b, nx_str_of(f->comment == NULL ? "" : f->comment)));
    nx_buf_clear(&t);
    NX_TRY(nx_contract_rules_text(c, col, &t));
    if (t.n > 0) {
        NX_TRY(nx_buf_adds(b, " *Rules:* `"));
        NX_TRY(add_cell(b, nx_buf_str(&t)));
        NX_TRY(nx_buf_addc(b, '`'));
    }
    return nx_buf_adds(b, " |\n");
}

static nx_status add_feeds(const nx_contract *c, nx_buf *b)
{
    if (c->n_variants == 0)
        return NX_OK;
    NX_TRY(nx_buf_adds(b, "Read from "));
    for (size_t i = 0; i < c->n_variants; i++) {
        const nx_variant *v = &c->variants[i];
        NX_TRY(nx_buf_addf(b, "%s`" NX_STR_FMT "`", i == 0 ? "" : ", ", NX_STR_ARG(v->feed)));
        if (v->when_key.n > 0)
            NX_TRY(nx_buf_addf(b, " where `" NX_STR_FMT "` is `" NX_STR_FMT "`", NX_STR_ARG(v->when_key),
                               NX_STR_ARG(v->when_value)));
    }
    return nx_buf_adds(b, "  \n");
}

static nx_status add_known(const nx_contract *c, nx_buf *b)
{
    if (c->known_col < 0)
        return NX_OK;
    NX_TRY(nx_buf_addf(b, "The row's own time is `%s`", c->schema.fields[c->known_col].name));
    if (c->known_plus_col >= 0)
        NX_TRY(nx_buf_addf(b, " plus `%s`", c->schema.fields[c->known_plus_col].name));
    return nx_buf_adds(b, "  \n");
}

/* Purpose, usage and limitations stand in the file alone. */
static nx_status add_words(const nx_contract *c, nx_buf *b, nx_err *err)
{
    static const char *const keys[] = {"description.purpose", "description.usage", "description.limitations"};
    nx_arena a NX_ARENA_AUTO;
    nx_val *root = NULL;
    nx_arena_init(&a, 0);
    NX_TRY(nx_yaml_parse(c->source, c->origin.file, &a, &root, err));
    for (size_t i = 0; i < NX_COUNT_OF(keys); i++) {
        nx_str s = nx_val_str(nx_val_path(root, keys[i]), NX_STR(""));
        if (s.n > 0 && (nx_buf_adds(b, " ") != NX_OK || add_cell(b, s) != NX_OK))
            return nx_nomem(err);
    }
    return NX_OK;
}

static nx_status add_section(const nx_contract *c, nx_buf *b, nx_err *err)
{
    if (nx_buf_addf(b, "\n## %s\n\n%s", c->table, c->description) != NX_OK)
        return nx_nomem(err);
    NX_TRY(add_words(c, b, err));
    nx_status st = nx_buf_addf(b, "\n\nContract `%s`, folder `%s`  \n", c->id, c->folder);
    st = st == NX_OK ? add_names(b, "Key", c->key) : st;
    st = st == NX_OK ? add_names(b, "Partitioned by", c->partition) : st;
    st = st == NX_OK ? add_feeds(c, b) : st;
    st = st == NX_OK ? add_known(c, b) : st;
    bool source = c->n_variants > 0;
    if (st == NX_OK)
        st = nx_buf_adds(b, source ? "\n| column | type | | from | meaning |\n|---|---|---|---|---|\n"
                                   : "\n| column | type | | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; st == NX_OK && i < c->n_own; i++)
        st = add_column(c, i, source, b);
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status add_overview(const nx_contract *const *c, size_t n, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "# Contracts\n\nMade by `nexus contract export --format markdown`; edit the contracts, not "
                          "this page.\n\n| table | contract | rows |\n|---|---|---|\n"));
    for (size_t i = 0; i < n; i++) {
        NX_TRY(nx_buf_addf(b, "| %s | `%s` | ", c[i]->table, c[i]->id));
        NX_TRY(add_cell(b, nx_str_of(c[i]->description)));
        NX_TRY(nx_buf_adds(b, " |\n"));
    }
    return NX_OK;
}

static nx_status add_technical(const nx_contract *c, nx_buf *b)
{
    NX_TRY(nx_buf_adds(b, "\n## In every bronze table\n\n| column | type | | meaning |\n|---|---|---|---|\n"));
    for (size_t i = c->n_own; i < c->schema.n_fields; i++)
        NX_TRY(add_column(c, i, false, b));
    return NX_OK;
}

nx_status nx_contracts_to_markdown(const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    const nx_contract *technical = NULL;
    if (add_overview(c, n, b) != NX_OK)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++) {
        NX_TRY(add_section(c[i], b, err));
        technical = c[i]->technical ? c[i] : technical;
    }
    return technical == NULL || add_technical(technical, b) == NX_OK ? NX_OK : nx_nomem(err);
}
