#include <stdio.h>

#include "app/cmds.h"
#include "app/config.h"
#include "app/version.h"
#include "data/json.h"
#include "engine/engine.h"

nx_status nx_cmd_help(const nx_globals *g, nx_args *a, nx_err *err)
{
    (void)g;
    if (a->n_words == 0) {
        nx_cli_help(NULL);
        return NX_OK;
    }
    if (strcmp(a->words[0], "config") == 0) {
        nx_config_help();
        return NX_OK;
    }
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++)
        if (strcmp(c->name, a->words[0]) == 0) {
            nx_cli_help(c);
            return NX_OK;
        }
    nx_fail(err, NX_INVALID, "there is no command '%s'", a->words[0]);
    return nx_err_hint(err, NX_INVALID, "nexus --help lists them");
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
