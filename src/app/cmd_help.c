#include <stdio.h>

#include "app/cmds.h"
#include "app/config.h"
#include "app/version.h"
#include "engine/engine.h"

nx_status nx_cmd_help(const nx_globals *g, nx_args *a, nx_err *err)
{
    const nx_cmd *c = nx_cmds;
    if (a->n_words == 1 && strcmp(a->words[0], "config") == 0) {
        if (g->json)
            return nx_config_help_json(err);
        nx_config_help();
        return NX_OK;
    }
    while (a->n_words == 1 && c->name != NULL && strcmp(c->name, a->words[0]) != 0)
        c++;
    if (c->name == NULL) {
        nx_fail(err, NX_INVALID, "there is no command '%s'", a->words[0]);
        return nx_err_hint(err, NX_INVALID, "nexus --help lists them");
    }
    if (a->n_words == 0)
        c = NULL;
    if (g->json)
        return nx_cli_help_json(c, err);
    nx_cli_help(c);
    return NX_OK;
}

nx_status nx_cmd_version(const nx_globals *g, nx_args *a, nx_err *err)
{
    (void)a;
    (void)err;
    if (g->json)
        printf("{\"nexus\":\"%s\",\"engine\":\"%s\"}\n", NX_VERSION, nx_engine_version());
    else
        printf("nexus %s (DuckDB %s)\n", NX_VERSION, nx_engine_version());
    return NX_OK;
}
