#include "app/cmds.h"

const nx_cmd nx_cmds[] = {
    {.name = "sql",
     .usage = "[--csv|--parquet] [-o FILE] 'select …'",
     .summary = "ad-hoc SQL on the lake",
     .help = "Every table is there by name (bronze.trades), at its newest version. Quoted names travel in time:\n"
             "\"bronze.trades@v12\", \"bronze.trades@2026-11-23T10:00:00Z\"; any other Delta table: \"delta:/folder\".\n\n"
             "Examples\n"
             "  nexus sql 'select symbol, count(*) from bronze.trades group by 1'\n"
             "  nexus sql --parquet -o bars.parquet 'from bronze.bars'",
     .opts = nx_opts_sql,
     .words_min = 1,
     .words_max = 1,
     .run = nx_cmd_sql},
    {.name = "lake",
     .usage = "ls | show TABLE | history TABLE | optimize TABLE | vacuum TABLE | checkpoint TABLE",
     .summary = "look at and maintain tables",
     .help = "Examples\n  nexus lake ls\n  nexus lake history bronze.trades --limit 5\n  nexus lake vacuum bronze.trades --dry-run",
     .opts = nx_opts_lake,
     .words_min = 1,
     .words_max = 2,
     .run = nx_cmd_lake},
    {.name = "version", .usage = "", .summary = "versions of the program and its engine", .words_max = 0, .run = nx_cmd_version},
    {.name = "help",
     .usage = "[COMMAND | config]",
     .summary = "help on a command, or on every configuration key",
     .words_max = 1,
     .run = nx_cmd_help},
    {.name = NULL},
};
