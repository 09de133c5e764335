#include <stdio.h>

#include "app/cmds.h"
#include "app/contract_cmds.h"
#include "app/project.h"
#include "app/report.h"
#include "contract/export.h"

const nx_opt_def nx_opts_contract[] = {
    {"--mode", NULL, "MODE", "diff: backward, forward or full (default), each also with -transitive: against every OLD",
     false},
    {"--strict", NULL, NULL, "diff: risks count as breaks", false},
    {"--format", NULL, "FORMAT", "export: delta, postgres, jsonschema, dbt or markdown", false},
    {"--sample", NULL, "FILE", "test: messages, a line each or an array a line, plain or .zst", false},
    {"--context", NULL, "COLUMN=VALUE", "test: what the request of these messages tells, e.g. symbol=AAPL", true},
    {NULL, NULL, NULL, NULL, false},
};

static void print_names(const char *what, const char *const *names)
{
    if (names == NULL || names[0] == NULL)
        return;
    printf("%-10s", what);
    for (; *names != NULL; names++)
        printf(" %s", *names);
    printf("\n");
}

static void names_json(nx_jw *w, const char *const *names)
{
    nx_jw_arr(w);
    for (; names != NULL && *names != NULL; names++)
        nx_jw_cstr(w, *names);
    nx_jw_arr_end(w);
}

/* Where the values of a column come from and what holds for them, each in words. */
static nx_status column_words(const nx_contract *c, size_t col, nx_buf *source, nx_buf *rules)
{
    nx_buf_clear(source);
    nx_buf_clear(rules);
    NX_TRY(nx_contract_source_text(c, col, source));
    return nx_contract_rules_text(c, col, rules);
}

static nx_status columns_json(nx_jw *w, const nx_contract *c)
{
    const nx_schema *s = nx_contract_schema(c);
    NX_BUF_AUTO nx_buf source, rules;
    nx_buf_init(&source, 0);
    nx_buf_init(&rules, 0);
    nx_jw_arr(w);
    for (size_t i = 0; i < s->n_fields; i++) {
        NX_BUF_AUTO nx_buf type;
        nx_buf_init(&type, 0);
        NX_TRY(nx_type_to_sql(&s->fields[i].type, &type));
        nx_jw_obj(w);
        nx_jw_key(w, "name");
        nx_jw_cstr(w, s->fields[i].name);
        nx_jw_key(w, "type");
        nx_jw_cstr(w, type.p);
        nx_jw_key(w, "required");
        nx_jw_bool(w, !s->fields[i].nullable);
        nx_jw_key(w, "comment");
        nx_jw_cstr(w, s->fields[i].comment);
        NX_TRY(column_words(c, i, &source, &rules));
        nx_jw_key(w, "source");
        nx_jw_str(w, nx_buf_str(&source));
        nx_jw_key(w, "rules");
        nx_jw_str(w, nx_buf_str(&rules));
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    return NX_OK;
}

static nx_status show_json(const nx_globals *g, const nx_contract *c, nx_err *err)
{
    nx_report rep;
    nx_report_begin(&rep, g, "");
    nx_report_str(&rep, "contract", nx_contract_id(c));
    nx_report_str(&rep, "table", nx_contract_table(c));
    nx_report_str(&rep, "folder", nx_contract_folder(c));
    nx_report_str(&rep, "description", nx_contract_description(c));
    names_json(nx_report_json(&rep, "key"), nx_contract_key(c));
    names_json(nx_report_json(&rep, "partition"), nx_contract_partition(c));
    if (columns_json(nx_report_json(&rep, "columns"), c) == NX_OK)
        return nx_report_end(&rep, err);
    nx_buf_drop(&rep.b);
    return nx_nomem(err);
}

static nx_status show(const nx_contract *c)
{
    printf("%s, table %s in %s\n%s\n\n", nx_contract_id(c), nx_contract_table(c), nx_contract_folder(c),
           nx_contract_description(c));
    print_names("key", nx_contract_key(c));
    print_names("partition", nx_contract_partition(c));
    printf("\n");
    const nx_schema *s = nx_contract_schema(c);
    NX_BUF_AUTO nx_buf type, source, rules;
    nx_buf_init(&type, 0);
    nx_buf_init(&source, 0);
    nx_buf_init(&rules, 0);
    for (size_t i = 0; i < s->n_fields; i++) {
        nx_buf_clear(&type);
        NX_TRY(nx_type_to_sql(&s->fields[i].type, &type));
        NX_TRY(column_words(c, i, &source, &rules));
        printf("  %-22s %-28s %-9s %s\n", s->fields[i].name, type.p, s->fields[i].nullable ? "" : "required",
               s->fields[i].comment == NULL ? "" : s->fields[i].comment);
        printf("  %-22s from %s%s%s\n", "", nx_buf_str(&source).p, rules.n > 0 ? "; " : "", nx_buf_str(&rules).p);
    }
    return NX_OK;
}

static nx_status list(nx_project *p, nx_err *err)
{
    nx_report rep;
    nx_report_begin(&rep, p->g, "contract                     table                        file");
    nx_jw *w = nx_report_json(&rep, "contracts");
    nx_jw_arr(w);
    for (size_t i = 0; i < nx_contracts_count(p->contracts); i++) {
        const nx_contract *c = nx_contracts_at(p->contracts, i);
        if (!p->g->json)
            printf("%-28s %-28s %s\n", nx_contract_id(c), nx_contract_table(c), nx_contract_file(c));
        nx_jw_obj(w);
        nx_jw_key(w, "contract");
        nx_jw_cstr(w, nx_contract_id(c));
        nx_jw_key(w, "table");
        nx_jw_cstr(w, nx_contract_table(c));
        nx_jw_key(w, "file");
        nx_jw_cstr(w, nx_contract_file(c));
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    return nx_report_end(&rep, err);
}

nx_status nx_contract_named(nx_project *p, const char *table, const nx_contract **ret, nx_err *err)
{
    const char *names[256];
    size_t n = 0;
    *ret = nx_contracts_find(p->contracts, table);
    if (*ret != NULL)
        return NX_OK;
    for (; n < nx_contracts_count(p->contracts) && n < NX_COUNT_OF(names); n++)
        names[n] = nx_contract_table(nx_contracts_at(p->contracts, n));
    size_t near = nx_str_nearest(nx_str_of(table), names, n);
    nx_fail(err, NX_NOT_FOUND, "there is no contract for %s", table);
    if (near != SIZE_MAX)
        return nx_err_hint(err, NX_NOT_FOUND, "did you mean %s?", names[near]);
    return nx_err_hint(err, NX_NOT_FOUND, "nexus contract ls lists them");
}

static nx_status with_contracts(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *dir, *verb = a->words[0];
    NX_TRY(nx_project_find(p, "contracts", &dir, err));
    NX_TRY(nx_contracts_load(dir, &p->contracts, err));
    if (strcmp(verb, "ls") == 0 && a->n_words == 1)
        return list(p, err);
    if (strcmp(verb, "export") == 0)
        return nx_contract_export_cmd(p, a, err);
    if (strcmp(verb, "test") == 0)
        return nx_contract_test_cmd(p, a, err);
    if (strcmp(verb, "show") == 0 && a->n_words == 2) {
        const nx_contract *c;
        NX_TRY(nx_contract_named(p, a->words[1], &c, err));
        return p->g->json ? show_json(p->g, c, err) : show(c);
    }
    if (strcmp(verb, "show") == 0)
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "name one table: nexus contract show TABLE"),
                           "nexus contract ls lists them");
    nx_fail(err, NX_INVALID, "unknown: nexus contract %s%s%s", verb, a->n_words > 1 ? " " : "",
            a->n_words > 1 ? a->words[1] : "");
    return nx_err_hint(err, NX_INVALID, "nexus contract lint, ls, show TABLE, diff OLD NEW, export TABLE, or test");
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    if (strcmp(a->words[0], "lint") == 0)
        return nx_contract_lint_cmd(p, a, err);
    if (strcmp(a->words[0], "diff") == 0)
        return nx_contract_diff_cmd(p, a, err);
    return with_contracts(p, a, err);
}

nx_status nx_cmd_contract(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_CONFIG, &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
