/* nexus contract export: a contract in the words of others. */
#include "contract/export.h"

#include <stdio.h>

#include "app/contract_cmds.h"
#include "app/report.h"
#include "serve/publish.h"
#include "transform/contract_sources.h"

/* ------------------------------------------------------------------ formats */

static nx_status to_delta(nx_project *p, const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    (void)p;
    (void)n;
    return nx_schema_to_delta(nx_contract_schema(c[0]), b) == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status to_json_schema(nx_project *p, const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    (void)p;
    (void)n;
    return nx_contract_to_json_schema(c[0], b, err);
}

static nx_status to_dbt(nx_project *p, const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    (void)p;
    return nx_dbt_contract_sources(c, n, b, err);
}

static nx_status to_markdown(nx_project *p, const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    (void)p;
    return nx_contracts_to_markdown(c, n, b, err);
}

/* A key with a nullable column cannot be PostgreSQL's primary key, which takes no null. */
static bool key_fits(const nx_contract *c)
{
    const nx_schema *s = nx_contract_schema(c);
    for (const char *const *k = nx_contract_key(c); *k != NULL; k++)
        if (s->fields[nx_schema_find(s, nx_str_of(*k))].nullable)
            return false;
    return nx_contract_key(c)[0] != NULL;
}

static nx_status table_to_postgres(nx_project *p, const nx_contract *c, nx_buf *b, nx_err *err)
{
    const nx_schema *s = nx_contract_schema(c);
    nx_publish_column *columns = NX_ARENA_ARRAY(&p->arena, nx_publish_column, s->n_fields);
    if (columns == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < s->n_fields; i++)
        columns[i] = (nx_publish_column){s->fields[i].name, s->fields[i].comment, !s->fields[i].nullable};
    bool key = key_fits(c);
    const nx_publish_table t = {.name = strchr(nx_contract_table(c), '.') + 1,
                                .lake_table = nx_contract_table(c),
                                .comment = nx_contract_description(c),
                                .columns = columns,
                                .n_columns = s->n_fields,
                                .primary_key = key ? nx_contract_key(c) : NULL};
    nx_status st = nx_buf_addf(b, "%s-- %s, %s\n", b->n == 0 ? "" : "\n", nx_contract_table(c), nx_contract_id(c));
    if (st == NX_OK && !key)
        st = nx_buf_adds(b, nx_contract_key(c)[0] == NULL ? "-- it has no key\n"
                                                          : "-- no primary key: a column of its key may be null\n");
    if (st != NX_OK)
        return nx_nomem(err);
    return nx_publish_script(&t, s, nx_config_str(p->cfg, "postgres.schema"), b, err);
}

static nx_status to_postgres(nx_project *p, const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err)
{
    for (size_t i = 0; i < n; i++)
        NX_TRY(table_to_postgres(p, c[i], b, err));
    return NX_OK;
}

static const struct format {
    const char *name;
    nx_status (*make)(nx_project *p, const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err);
    bool one;  /* a document a table */
    bool json; /* it is JSON itself */
} formats[] = {
    {"delta", to_delta, true, true},
    {"postgres", to_postgres, false, false},
    {"jsonschema", to_json_schema, true, true},
    {"dbt", to_dbt, false, false},
    {"markdown", to_markdown, false, false},
};

/* ------------------------------------------------------------------ the command */

static nx_status find_format(const char *name, const struct format **ret, nx_err *err)
{
    for (size_t i = 0; i < NX_COUNT_OF(formats); i++)
        if (name != NULL && strcmp(name, formats[i].name) == 0) {
            *ret = &formats[i];
            return NX_OK;
        }
    if (name == NULL)
        nx_fail(err, NX_INVALID, "a format is needed: --format FORMAT");
    else
        nx_fail(err, NX_INVALID, "'%s' is no format", name);
    return nx_err_hint(err, NX_INVALID, "delta, postgres, jsonschema, dbt or markdown");
}

static nx_status choose(nx_project *p, const nx_args *a, const nx_contract ***ret, size_t *ret_n, nx_err *err)
{
    size_t n = a->n_words - 1, all = nx_contracts_count(p->contracts);
    const nx_contract **c = NX_ARENA_ARRAY(&p->arena, const nx_contract *, n > all ? n : all);
    if (c == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n; i++)
        NX_TRY(nx_contract_named(p, a->words[i + 1], &c[i], err));
    for (size_t i = 0; n == 0 && i < all; i++)
        c[i] = nx_contracts_at(p->contracts, i);
    *ret = c;
    *ret_n = n == 0 ? all : n;
    return NX_OK;
}

static nx_status tell(nx_project *p, const struct format *f, const nx_buf *b, nx_err *err)
{
    if (!p->g->json) {
        printf("%s%s", b->p, f->json ? "\n" : "");
        return NX_OK;
    }
    nx_report rep;
    nx_report_begin(&rep, p->g, "");
    nx_report_str(&rep, "format", f->name);
    nx_jw *w = nx_report_json(&rep, "document");
    if (f->json)
        nx_jw_raw(w, nx_buf_str(b));
    else
        nx_jw_str(w, nx_buf_str(b));
    return nx_report_end(&rep, err);
}

nx_status nx_contract_export_cmd(nx_project *p, const nx_args *a, nx_err *err)
{
    const struct format *f = NULL;
    const nx_contract **c = NULL;
    size_t n = 0;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    NX_TRY(find_format(nx_args_get(a, "--format"), &f, err));
    NX_TRY(choose(p, a, &c, &n, err));
    if (f->one && n != 1)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "%s is one document a table: name one", f->name),
                           "nexus contract export TABLE --format %s", f->name);
    NX_TRY(f->make(p, c, n, &b, err));
    return tell(p, f, &b, err);
}
