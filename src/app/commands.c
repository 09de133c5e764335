#include "app/cmds.h"

const nx_cmd nx_cmds[] = {
    {.name = "demo",
     .usage = "[--seed N]",
     .summary = "the whole pipeline on this machine: no accounts, no network",
     .help =
         "Starts the look-alike vendor, backfills from it by REST, streams live from it, enriches, builds the models, checks, publishes where\n"
         "postgres.dsn is set, and shows what came out. Everything is kept in the folder demo/; a second run adds nothing.\n\n"
         "Examples\n"
         "  nexus demo\n"
         "  nexus demo --json",
     .opts = nx_opts_demo,
     .run = nx_cmd_demo},
    {.name = "stream",
     .usage = "[--listen HOST:PORT] [--no-alpaca]",
     .summary = "listen for pushed messages and, where configured, to Alpaca's live feed",
     .help =
         "Messages are checked by their contracts, acknowledged once they are on disk, and committed to bronze tables every\n"
         "lake.flush.max_delay. What is refused is in quarantine.records. Ctrl-C commits what is held and ends.\n\n"
         "Examples\n"
         "  nexus stream\n"
         "  nexus stream --set lake.flush.max_delay=2s --no-alpaca",
     .opts = nx_opts_stream,
     .run = nx_cmd_stream},
    {.name = "replay",
     .usage = "FILE… [--speed N|max] [--format json|msgpack] [--to URL]",
     .summary = "send recorded messages through the edge",
     .help =
         "A line of the file (.ndjson, .zst) is one frame. A second replay of the same bytes goes on behind the last frame that is durable:\n"
         "it adds nothing.\n\n"
         "Examples\n"
         "  nexus replay day.ndjson.zst --speed max\n"
         "  nexus replay day.ndjson.zst --speed max --format msgpack\n"
         "  nexus replay day.ndjson --speed 10 --to ws://127.0.0.1:8000/ws/market-data",
     .opts = nx_opts_replay,
     .words_min = 1,
     .words_max = 10000,
     .run = nx_cmd_replay},
    {.name = "backfill",
     .usage = "alpaca bars|trades|assets|corporate-actions|calendar | reddit",
     .summary = "load history: resumable, quota-aware, idempotent",
     .help = "A run that was cut goes on where it stopped; a second run adds nothing.\n\n"
             "Examples\n"
             "  nexus backfill alpaca bars --timeframe 1Hour --start 2014-01-01 --end 2014-12-31\n"
             "  nexus backfill alpaca trades --symbols AAPL,SPY --start 2024-03-01 --end 2024-03-05\n"
             "  nexus backfill alpaca calendar --start 2024-01-01 --end 2024-12-31\n"
             "  nexus backfill reddit --subreddit stocks",
     .opts = nx_opts_backfill,
     .words_min = 1,
     .words_max = 2,
     .run = nx_cmd_backfill},
    {.name = "enrich",
     .usage = "",
     .summary = "sentiment and ticker mentions of new texts",
     .help = "Reads bronze, writes enrich.scores and enrich.mentions; only what no earlier run has scored.\n\n"
             "Examples\n"
             "  nexus enrich && nexus dbt build",
     .run = nx_cmd_enrich},
    {.name = "dbt",
     .usage = "build|run|test|snapshot|seed|compile|ls|parse | source freshness | run-operation NAME",
     .summary = "build the models: the dbt project, run in process",
     .help =
         "Selectors, console lines and artifacts are dbt's. What it does not speak it refuses by name; --engine core runs an installed dbt Core.\n\n"
         "Examples\n"
         "  nexus dbt build\n"
         "  nexus dbt build --select +fct_market_daily --full-refresh\n"
         "  nexus dbt ls --select 'silver.*' --output name",
     .opts = nx_opts_dbt,
     .words_min = 1,
     .words_max = 2,
     .run = nx_cmd_dbt},
    {.name = "check",
     .usage = "[FILE…] [--exit-codes soda]",
     .summary = "SodaCL checks on the tables of the lake",
     .help = "Without files: all of quality/, and the outcome opens or closes the gate of publication.\n\n"
             "Examples\n"
             "  nexus check\n"
             "  nexus check quality/gold.yml --json",
     .opts = nx_opts_check,
     .words_max = 1000,
     .run = nx_cmd_check},
    {.name = "publish",
     .usage = "[--unchecked]",
     .summary = "gold tables into Postgres, one release at a time",
     .help =
         "Readers see the old release or the new one. Tables that the checks have not passed are not published. postgres.dsn names the\n"
         "database, postgres.schema the schema; a second publish changes nothing.\n\n"
         "Examples\n"
         "  nexus publish --json\n"
         "  nexus publish --set postgres.dsn='host=/run/postgresql dbname=analytics'",
     .opts = nx_opts_publish,
     .run = nx_cmd_publish},
    {.name = "sim",
     .usage = "[--tape F]… [--bars F]… [--reddit F]… [--speed N|max]",
     .summary = "a look-alike of Alpaca and Reddit, from a seed or from files",
     .help =
         "Point alpaca.data_url, alpaca.trading_url, alpaca.stream_url, reddit.token_url and reddit.api_url at it.\n\n"
         "Examples\n"
         "  nexus sim\n"
         "  nexus sim --bars bars.ndjson.zst --reddit listing.ndjson.zst\n"
         "  nexus sim --refuse-every 10 --cut-after 500",
     .opts = nx_opts_sim,
     .run = nx_cmd_sim},
    {.name = "quarantine",
     .usage = "ls | show RECORD_ID | replay [--contract X] [--id RECORD_ID] [--dry-run]",
     .summary = "what was refused, byte for byte, with every reason",
     .help =
         "replay sends open records through their contracts again, after a fix: rows that pass get into bronze once, with the source,\n"
         "position and time they had; the others stay open.\n\n"
         "Examples\n  nexus quarantine ls --limit 10\n  nexus quarantine show 0f3c…\n  nexus quarantine replay --contract trades --dry-run",
     .opts = nx_opts_quarantine,
     .words_min = 1,
     .words_max = 2,
     .run = nx_cmd_quarantine},
    {.name = "contract",
     .usage =
         "lint [FILE…] | ls | show TABLE | diff OLD… NEW | export [TABLE…] --format FORMAT | test [TABLE…] [--sample FILE]",
     .summary = "the data contracts: check, read, compare, export, test",
     .help =
         "lint tells every problem of every file (exit 2).\n"
         "diff tells what changed between versions and whom it breaks: backward means that NEW reads what was made for\n"
         "OLD, forward that readers of OLD go on with what is made for NEW. A change that breaks the mode is refused\n"
         "(exit 1) until the major version grows. OLD and NEW are files, or tables of this project.\n"
         "export writes the Delta schema, the DDL of publish, a JSON Schema of the wire objects, dbt sources with tests,\n"
         "or the reference page; without a table all contracts, where they fit into one document.\n"
         "test runs the examples of the contracts, or a file of messages, through the decoder (exit 1 when one is not as\n"
         "it should be).\n\n"
         "Examples\n"
         "  nexus contract lint\n"
         "  nexus contract show bronze.trades\n"
         "  nexus contract diff bronze.trades new/trades.odcs.yaml\n"
         "  nexus contract diff v1.odcs.yaml v2.odcs.yaml v3.odcs.yaml --mode backward-transitive\n"
         "  nexus contract export bronze.trades --format jsonschema\n"
         "  nexus contract export --format markdown >docs/contracts.md\n"
         "  nexus contract test\n"
         "  nexus contract test bronze.trades --sample day.ndjson.zst --quiet",
     .opts = nx_opts_contract,
     .words_min = 1,
     .words_max = 1000,
     .run = nx_cmd_contract},
    {.name = "sql",
     .usage = "[--csv|--parquet] [-o FILE] 'select …'",
     .summary = "ad-hoc SQL on the lake",
     .help =
         "Every table is there by name (bronze.trades), at its newest version. Quoted names travel in time:\n"
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
     .help =
         "Examples\n  nexus lake ls\n  nexus lake history bronze.trades --limit 5\n  nexus lake vacuum bronze.trades --dry-run",
     .opts = nx_opts_lake,
     .words_min = 1,
     .words_max = 2,
     .run = nx_cmd_lake},
    {.name = "init",
     .usage = "[DIR]",
     .summary = "a new project folder: nexus.yml, contracts/, dbt/, quality/",
     .help =
         "nexus.yml holds every key with its default and a line of help; the folders are those that come with the program, to be changed.\n"
         "Nothing that is there is overwritten.\n\n"
         "Examples\n"
         "  nexus init\n"
         "  nexus init ~/markets",
     .words_max = 1,
     .run = nx_cmd_init},
    {.name = "doctor",
     .usage = "",
     .summary = "is everything there? configuration, folders, lake, disk, Postgres, vendors",
     .help =
         "Changes nothing. What is not configured is left out. Exits 0 when nothing failed (warnings do not count), else 1.\n\n"
         "Examples\n"
         "  nexus doctor\n"
         "  nexus --project ~/markets doctor --json",
     .run = nx_cmd_doctor},
    {.name = "completions",
     .usage = "bash|zsh|fish",
     .summary = "completions for a shell",
     .help = "Commands, their words and options, as this program has them.\n\n"
             "Examples\n"
             "  source <(nexus completions bash)\n"
             "  nexus completions fish >~/.config/fish/completions/nexus.fish",
     .words_min = 1,
     .words_max = 1,
     .run = nx_cmd_completions},
    {.name = "version",
     .usage = "",
     .summary = "versions of the program and its engine",
     .words_max = 0,
     .run = nx_cmd_version},
    {.name = "help",
     .usage = "[COMMAND | config]",
     .summary = "help on a command, or on every configuration key",
     .words_max = 1,
     .run = nx_cmd_help},
    {.name = NULL},
};
