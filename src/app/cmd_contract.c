#include <stdio.h>

#include "app/cmds.h"
#include "app/project.h"

static void print_names(const char *what, const char *const *names)
{
    if (names == NULL || names[0] == NULL)
        return;
    printf("%-10s", what);
    for (; *names != NULL; names++)
        printf(" %s", *names);
    printf("\n");
}

static nx_status show(const nx_contract *c)
{
    printf("%s, table %s in %s\n%s\n\n", nx_contract_id(c), nx_contract_table(c), nx_contract_folder(c), nx_contract_description(c));
    print_names("key", nx_contract_key(c));
    print_names("partition", nx_contract_partition(c));
    printf("\n");
    const nx_schema *s = nx_contract_schema(c);
    for (size_t i = 0; i < s->n_fields; i++) {
        NX_BUF_AUTO nx_buf type;
        nx_buf_init(&type, 0);
        NX_TRY(nx_type_to_sql(&s->fields[i].type, &type));
        printf("  %-22s %-28s %-9s %s\n", s->fields[i].name, type.p, s->fields[i].nullable ? "" : "required",
               s->fields[i].comment == NULL ? "" : s->fields[i].comment);
    }
    return NX_OK;
}

static nx_status run(nx_project *p, const nx_args *a, nx_err *err)
{
    const char *verb = a->words[0];
    size_t n = nx_contracts_count(p->contracts);
    if (strcmp(verb, "lint") == 0) {
        /* they were compiled on the way here: a fault would have been told */
        printf("%zu contracts are valid\n", n);
        return NX_OK;
    }
    if (strcmp(verb, "ls") == 0) {
        for (size_t i = 0; i < n; i++) {
            const nx_contract *c = nx_contracts_at(p->contracts, i);
            printf("%-28s %-28s %s\n", nx_contract_id(c), nx_contract_table(c), nx_contract_file(c));
        }
        return NX_OK;
    }
    if (strcmp(verb, "show") == 0 && a->n_words == 2) {
        const nx_contract *c = nx_contracts_find(p->contracts, a->words[1]);
        if (c == NULL)
            return nx_err_hint(err, nx_fail(err, NX_NOT_FOUND, "there is no contract for %s", a->words[1]), "nexus contract ls lists them");
        return show(c);
    }
    nx_fail(err, NX_INVALID, "unknown: nexus contract %s", verb);
    return nx_err_hint(err, NX_INVALID, "nexus contract lint, ls, or show TABLE");
}

nx_status nx_cmd_contract(const nx_globals *g, nx_args *a, nx_err *err)
{
    nx_project p;
    NX_TRY(nx_project_open(g, NX_NEED_CONTRACTS, &p, err));
    nx_status st = run(&p, a, err);
    nx_project_close(&p);
    return st;
}
