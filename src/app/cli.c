#include "app/cli.h"

#include <stdlib.h>

const nx_opt_def nx_global_opts[] = {
    {"--project", NULL, "DIR", "project folder: nexus.yml, contracts/, dbt/, quality/ (default .)", false},
    {"--config", NULL, "FILE", "configuration file (default nexus.yml in the project folder)", false},
    {"--set", NULL, "KEY=VALUE", "one configuration key, e.g. --set lake.root=/data/lake", true},
    {"--json", NULL, NULL, "one JSON object on stdout instead of text", false},
    {"--log-format", NULL, "text|json", "form of log lines on stderr", false},
    {"--no-progress", NULL, NULL, "no progress display", false},
    {"--verbose", "-v", NULL, "more log lines", false},
    {"--quiet", "-q", NULL, "warnings and errors only", false},
    {"--help", "-h", NULL, "this text, or the text of a command", false},
    {NULL, NULL, NULL, NULL, false},
};

static const nx_opt_def *find_opt(const nx_opt_def *defs, nx_str name)
{
    for (const nx_opt_def *d = defs; d != NULL && d->name != NULL; d++)
        if (nx_str_is(name, d->name) || (d->brief != NULL && nx_str_is(name, d->brief)))
            return d;
    return NULL;
}

/* Names the nearest option in the hint. */
static nx_status unknown_opt(const nx_cmd *c, nx_str name, nx_err *err)
{
    const char *names[128];
    size_t n = 0;
    for (const nx_opt_def *d = c == NULL ? NULL : c->opts; d != NULL && d->name != NULL && n < 64; d++)
        names[n++] = d->name;
    for (const nx_opt_def *d = nx_global_opts; d->name != NULL && n < 128; d++)
        names[n++] = d->name;
    nx_fail(err, NX_INVALID, "unknown option " NX_STR_FMT, NX_STR_ARG(name));
    size_t near = nx_str_nearest(name, names, n);
    if (near != SIZE_MAX)
        return nx_err_hint(err, NX_INVALID, "did you mean %s?", names[near]);
    return nx_err_hint(err, NX_INVALID, "see: nexus %s --help", c == NULL ? "" : c->name);
}

static nx_status unknown_cmd(const char *word, nx_err *err)
{
    const char *names[64];
    size_t n = 0;
    for (const nx_cmd *c = nx_cmds; c->name != NULL && n < 64; c++)
        names[n++] = c->name;
    nx_fail(err, NX_INVALID, "unknown command '%s'", word);
    size_t near = nx_str_nearest(nx_str_of(word), names, n);
    if (near != SIZE_MAX)
        return nx_err_hint(err, NX_INVALID, "did you mean: nexus %s?", names[near]);
    return nx_err_hint(err, NX_INVALID, "see: nexus --help");
}

static nx_status take_global(nx_globals *g, const nx_opt_def *d, const char *value, nx_err *err)
{
    nx_str n = nx_str_of(d->name);
    if (nx_str_is(n, "--project"))
        g->project = value;
    else if (nx_str_is(n, "--config"))
        g->config = value;
    else if (nx_str_is(n, "--set"))
        g->sets[g->n_sets++] = value;
    else if (nx_str_is(n, "--json"))
        g->json = true;
    else if (nx_str_is(n, "--no-progress"))
        g->no_progress = true;
    else if (nx_str_is(n, "--verbose"))
        g->verbose = true;
    else if (nx_str_is(n, "--quiet"))
        g->quiet = true;
    else if (nx_str_is(n, "--help"))
        g->help = true;
    else if (strcmp(value, "json") == 0 || strcmp(value, "text") == 0)
        g->log_json = value[0] == 'j';
    else
        return nx_fail(err, NX_INVALID, "--log-format is text or json, not '%s'", value);
    return NX_OK;
}

/* One word that starts with '-': *i stands on it and moves to its value if it has one. */
static nx_status take_opt(int argc, char **argv, int *i, const nx_cmd *cmd, nx_globals *g, nx_args *args, nx_err *err)
{
    nx_str word = nx_str_of(argv[*i]), name = word;
    const char *value = NULL;
    size_t eq = word.n > 2 && word.p[1] == '-' ? nx_str_find(word, NX_STR("="), 0) : SIZE_MAX;
    if (eq != SIZE_MAX) {
        name = nx_str_sub(word, 0, eq);
        value = word.p + eq + 1;
    }
    const nx_opt_def *d = cmd == NULL ? NULL : find_opt(cmd->opts, name);
    bool global = d == NULL;
    if (global)
        d = find_opt(nx_global_opts, name);
    if (d == NULL)
        return unknown_opt(cmd, name, err);
    if (d->arg == NULL && value != NULL)
        return nx_fail(err, NX_INVALID, "%s takes no value", d->name);
    if (d->arg != NULL && value == NULL) {
        if (*i + 1 >= argc)
            return nx_fail(err, NX_INVALID, "%s needs a value: %s %s", d->name, d->name, d->arg);
        value = argv[++*i];
    }
    if (global)
        return take_global(g, d, value == NULL ? "" : value, err);
    if (!d->many && nx_args_has(args, d->name))
        return nx_fail(err, NX_INVALID, "%s is given twice", d->name);
    args->defs[args->n_opts] = d;
    args->values[args->n_opts++] = value == NULL ? "" : value;
    return NX_OK;
}

/* The command is the first word that is neither an option nor the value of a global one. */
static nx_status find_cmd(int argc, char **argv, const nx_cmd **ret, nx_err *err)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-') {
            for (const nx_cmd *c = nx_cmds; c->name != NULL; c++)
                if (strcmp(c->name, argv[i]) == 0) {
                    *ret = c;
                    return NX_OK;
                }
            return unknown_cmd(argv[i], err);
        }
        const nx_opt_def *d = find_opt(nx_global_opts, nx_str_of(argv[i]));
        if (d != NULL && d->arg != NULL)
            i++;
    }
    return NX_OK;
}

nx_status nx_cli_parse(int argc, char **argv, nx_arena *a, nx_globals *g, const nx_cmd **ret_cmd, nx_args *args,
                       nx_err *err)
{
    *ret_cmd = NULL;
    *g = (nx_globals){.project = "."};
    *args = (nx_args){0};
    g->sets = NX_ARENA_ARRAY(a, const char *, (size_t)argc + 1);
    args->words = NX_ARENA_ARRAY(a, const char *, (size_t)argc + 1);
    args->values = NX_ARENA_ARRAY(a, const char *, (size_t)argc + 1);
    args->defs = NX_ARENA_ARRAY(a, const nx_opt_def *, (size_t)argc + 1);
    if (g->sets == NULL || args->words == NULL || args->values == NULL || args->defs == NULL)
        return nx_nomem(err);
    /* the form of the answer holds for a mistake before it, too */
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        g->json = g->json || strcmp(argv[i], "--json") == 0;
    NX_TRY(find_cmd(argc, argv, ret_cmd, err));
    bool named = false, only_words = false;
    for (int i = 1; i < argc; i++) {
        if (!only_words && strcmp(argv[i], "--") == 0) {
            only_words = true;
        } else if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {
            NX_TRY(take_opt(argc, argv, &i, *ret_cmd, g, args, err));
        } else if (!named) {
            named = true;
        } else {
            args->words[args->n_words++] = argv[i];
        }
    }
    const nx_cmd *c = *ret_cmd;
    if (c == NULL || g->help)
        return NX_OK;
    if (args->n_words < c->words_min || args->n_words > c->words_max) {
        nx_fail(err, NX_INVALID,
                args->n_words < c->words_min ? "something is missing after 'nexus %s'"
                                             : "too many words after 'nexus %s'",
                c->name);
        return nx_err_hint(err, NX_INVALID, "usage: nexus %s %s", c->name, c->usage);
    }
    return NX_OK;
}

const char *nx_args_get(const nx_args *a, const char *name)
{
    for (size_t i = a->n_opts; i-- > 0;)
        if (strcmp(a->defs[i]->name, name) == 0)
            return a->values[i];
    return NULL;
}

bool nx_args_has(const nx_args *a, const char *name)
{
    return nx_args_get(a, name) != NULL;
}

const char *nx_args_nth(const nx_args *a, const char *name, size_t k)
{
    for (size_t i = 0; i < a->n_opts; i++)
        if (strcmp(a->defs[i]->name, name) == 0 && k-- == 0)
            return a->values[i];
    return NULL;
}

nx_status nx_args_i64(const nx_args *a, const char *name, int64_t dflt, int64_t min, int64_t max, int64_t *ret,
                      nx_err *err)
{
    const char *v = nx_args_get(a, name);
    *ret = dflt;
    if (v == NULL)
        return NX_OK;
    if (!nx_str_to_i64(nx_str_of(v), ret) || *ret < min || *ret > max)
        return nx_fail(err, NX_INVALID, "%s is a whole number from %lld to %lld, not '%s'", name, (long long)min,
                       (long long)max, v);
    return NX_OK;
}

nx_status nx_cli_speed(const char *text, double dflt, double max, double *ret, nx_err *err)
{
    *ret = dflt;
    if (text == NULL)
        return NX_OK;
    if (strcmp(text, "max") == 0) {
        *ret = max;
        return NX_OK;
    }
    char *end;
    *ret = strtod(text, &end);
    if (*end != '\0' || !(*ret > 0) || *ret > 1e9)
        return nx_fail(err, NX_INVALID, "--speed is a positive number or max, not '%s'", text);
    return NX_OK;
}
