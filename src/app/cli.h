/* app/cli.h
 *
 * The command line: commands and their options are tables; parsing, --help and suggestions come from them.
 * Grammar: nexus [global options] COMMAND [words] [options]; global options may stand anywhere.
 */
#ifndef NX_APP_CLI_H
#define NX_APP_CLI_H

#include "base/arena.h"
#include "base/str.h"

typedef struct nx_opt_def {
    const char *name;  /* "--speed" */
    const char *brief; /* "-o" or NULL */
    const char *arg;   /* "N|max"; NULL: a flag */
    const char *help;
    bool many; /* may be repeated */
} nx_opt_def;

typedef struct nx_args {
    const char **words; /* what is not an option, in order */
    size_t n_words;
    const nx_opt_def **defs; /* n_opts options found, in order, with their values (flags: "") */
    const char **values;
    size_t n_opts;
    size_t at; /* next option for nx_args_next */
} nx_args;

/* Global settings that every command sees. */
typedef struct nx_globals {
    const char *project; /* --project, default "." */
    const char *config;  /* --config; NULL: nexus.yml if it is there */
    const char **sets;   /* --set key=value */
    size_t n_sets;
    bool json, quiet, verbose, no_progress, log_json, help;
} nx_globals;

typedef struct nx_cmd nx_cmd;
struct nx_cmd {
    const char *name;
    const char *usage;      /* after "nexus NAME " */
    const char *summary;    /* one line */
    const char *help;       /* paragraphs and examples */
    const nx_opt_def *opts; /* ends with name == NULL; NULL: none */
    size_t words_min, words_max;
    nx_status (*run)(const nx_globals *g, nx_args *a, nx_err *err);
};

extern const nx_opt_def nx_global_opts[];
/* The table of commands, ends with name == NULL. */
extern const nx_cmd nx_cmds[];

/* Splits argv into globals, the command and its arguments. NX_INVALID with a suggestion. *ret_cmd stays NULL when no command was
 * named. Everything lives in the arena or in argv. */
NX_MUST_USE nx_status nx_cli_parse(int argc, char **argv, nx_arena *a, nx_globals *g, const nx_cmd **ret_cmd,
                                   nx_args *args, nx_err *err);
/* Value of the last occurrence, or NULL. A flag that is set gives "". */
const char *nx_args_get(const nx_args *a, const char *name);
bool nx_args_has(const nx_args *a, const char *name);
/* The k-th occurrence of a repeatable option, or NULL. */
const char *nx_args_nth(const nx_args *a, const char *name, size_t k);
/* Integer option within [min, max]; dflt when absent. */
NX_MUST_USE nx_status nx_args_i64(const nx_args *a, const char *name, int64_t dflt, int64_t min, int64_t max,
                                  int64_t *ret, nx_err *err);

/* "max" or a positive number; dflt when text is NULL. */
NX_MUST_USE nx_status nx_cli_speed(const char *text, double dflt, double max, double *ret, nx_err *err);

/* A word that the usage text of a command lets follow others: "alpaca bars|trades | reddit" gives alpaca and reddit after nothing, bars and
 * trades after "alpaca". The name of any command is NX_CMD_WORD_COMMAND. Views into the usage text. */
typedef struct nx_cmd_word {
    nx_str after, word;
} nx_cmd_word;
#define NX_CMD_WORD_COMMAND "COMMAND"
/* Up to max of them into ret; returns how many. */
size_t nx_cmd_words(const nx_cmd *c, nx_cmd_word *ret, size_t max);
/* Is it to be typed as it stands (small letters), not a placeholder such as TABLE? */
bool nx_cmd_word_literal(nx_str word);

void nx_cli_help(const nx_cmd *c); /* stdout; NULL: overview */
/* The same as one JSON object on stdout: a command {name, usage, summary, help, options}, or all of them. */
NX_MUST_USE nx_status nx_cli_help_json(const nx_cmd *c, nx_err *err);

#endif
