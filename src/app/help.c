/* Help as text for people and as JSON for programs; both from the tables of commands, options and configuration keys. */
#include <stdio.h>

#include "app/cli.h"
#include "app/config.h"
#include "app/version.h"
#include "data/json.h"

bool nx_cmd_word_literal(nx_str word)
{
    bool ok = word.n > 0 && word.p[0] >= 'a' && word.p[0] <= 'z';
    for (size_t i = 0; ok && i < word.n; i++)
        ok = (word.p[i] >= 'a' && word.p[i] <= 'z') || (word.p[i] >= '0' && word.p[i] <= '9') || word.p[i] == '-';
    return ok;
}

static nx_str without_brackets(nx_str s)
{
    if (s.n > 0 && s.p[0] == '[')
        s = nx_str_sub(s, 1, s.n);
    if (s.n > 0 && s.p[s.n - 1] == ']')
        s.n--;
    return s;
}

/* One alternative of a usage text, "alpaca bars|trades": goes on as long as a single literal word follows another. */
static size_t alternative(nx_str text, nx_cmd_word *ret, size_t n, size_t max)
{
    nx_str rest = text, token;
    while (nx_str_split(&rest, ' ', &token)) {
        nx_str words = without_brackets(token), word;
        nx_str after = nx_str_trim(nx_str_sub(text, 0, (size_t)(token.p - text.p)));
        size_t before = n;
        while (nx_str_split(&words, '|', &word))
            if (n < max && (nx_cmd_word_literal(word) || nx_str_is(word, NX_CMD_WORD_COMMAND)))
                ret[n++] = (nx_cmd_word){after, word};
        if (n != before + 1 || !nx_str_eq(ret[before].word, token))
            break;
    }
    return n;
}

size_t nx_cmd_words(const nx_cmd *c, nx_cmd_word *ret, size_t max)
{
    size_t n = 0, from = 0;
    nx_str usage = nx_str_of(c->usage);
    for (size_t at; (at = nx_str_find(usage, NX_STR(" | "), from)) != SIZE_MAX; from = at + 3)
        n = alternative(nx_str_sub(usage, from, at), ret, n, max);
    return alternative(nx_str_sub(usage, from, usage.n), ret, n, max);
}

static void print_opts(const nx_opt_def *defs)
{
    for (const nx_opt_def *d = defs; d != NULL && d->name != NULL; d++) {
        char left[64];
        snprintf(left, sizeof left, "%s%s%s%s%s", d->brief == NULL ? "" : d->brief, d->brief == NULL ? "" : ", ",
                 d->name, d->arg == NULL ? "" : " ", d->arg == NULL ? "" : d->arg);
        int width = 28; /* on the screen; printf counts bytes */
        for (const char *p = left; *p != '\0'; p++)
            width += ((unsigned char)*p & 0xC0) == 0x80;
        printf("  %-*s %s%s\n", width, left, d->help, d->many ? " (repeatable)" : "");
    }
}

void nx_cli_help(const nx_cmd *c)
{
    if (c != NULL) {
        printf("nexus %s - %s\n\nUsage: nexus %s%s%s\n", c->name, c->summary, c->name, c->usage[0] == '\0' ? "" : " ",
               c->usage);
        if (c->help != NULL)
            printf("\n%s\n", c->help);
        if (c->opts != NULL) {
            printf("\nOptions\n");
            print_opts(c->opts);
        }
        printf("\nGlobal options: nexus --help\n");
        return;
    }
    printf("nexus - market data and Reddit talk into a lakehouse and a star schema, in one program\n\n"
           "Usage: nexus [options] COMMAND [words] [options]\n\nCommands\n");
    for (c = nx_cmds; c->name != NULL; c++)
        printf("  %-12s %s\n", c->name, c->summary);
    printf("\nOptions of every command\n");
    print_opts(nx_global_opts);
    printf("\nExamples\n"
           "  nexus demo                                       the whole pipeline, no accounts, no network\n"
           "  nexus stream & nexus replay day.ndjson.zst --speed max\n"
           "  nexus sql 'select symbol, count(*) from bronze.trades group by 1'\n\n"
           "Exit codes: 0 ok, 1 a check, test or model failed, 2 wrong usage or configuration,\n"
           "3 something outside failed (75 when a retry can help).\n");
}

static void text_key(nx_jw *w, const char *key, const char *text)
{
    nx_jw_key(w, key);
    if (text == NULL)
        nx_jw_null(w);
    else
        nx_jw_cstr(w, text);
}

static void opts_json(nx_jw *w, const nx_opt_def *defs)
{
    nx_jw_key(w, "options");
    nx_jw_arr(w);
    for (const nx_opt_def *d = defs; d != NULL && d->name != NULL; d++) {
        nx_jw_obj(w);
        text_key(w, "name", d->name);
        text_key(w, "short", d->brief);
        text_key(w, "value", d->arg);
        nx_jw_key(w, "repeatable");
        nx_jw_bool(w, d->many);
        text_key(w, "help", d->help);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
}

static void cmd_json(nx_jw *w, const nx_cmd *c)
{
    nx_jw_obj(w);
    text_key(w, "name", c->name);
    text_key(w, "usage", c->usage);
    text_key(w, "summary", c->summary);
    text_key(w, "help", c->help);
    opts_json(w, c->opts);
    nx_jw_obj_end(w);
}

static nx_status print_json(nx_jw *w, const nx_buf *b, nx_err *err)
{
    if (nx_jw_end(w) != NX_OK)
        return nx_nomem(err);
    puts(b->p);
    return NX_OK;
}

nx_status nx_cli_help_json(const nx_cmd *c, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    if (c != NULL) {
        cmd_json(&w, c);
        return print_json(&w, &b, err);
    }
    nx_jw_obj(&w);
    text_key(&w, "nexus", NX_VERSION);
    opts_json(&w, nx_global_opts);
    nx_jw_key(&w, "commands");
    nx_jw_arr(&w);
    for (c = nx_cmds; c->name != NULL; c++)
        cmd_json(&w, c);
    nx_jw_arr_end(&w);
    nx_jw_obj_end(&w);
    return print_json(&w, &b, err);
}

void nx_config_help(void)
{
    printf("nexus.yml: every key, its default and what it is. Any key: --set KEY=VALUE or environment NEXUS_A__B.\n"
           "Secrets by reference: ${env:NAME}, ${file:/path}.\n\n");
    for (const nx_conf_key *k = nx_conf_keys; k->name != NULL; k++)
        printf("  %-28s %-36s %s\n", k->name, k->dflt == NULL ? "null" : k->dflt, k->help);
}

nx_status nx_config_help_json(nx_err *err)
{
    static const char *const types[] = {"text", "whole number", "truth value", "duration", "list", "address", "tree"};
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_key(&w, "keys");
    nx_jw_arr(&w);
    for (const nx_conf_key *k = nx_conf_keys; k->name != NULL; k++) {
        nx_jw_obj(&w);
        text_key(&w, "name", k->name);
        text_key(&w, "type", types[k->type]);
        text_key(&w, "default", k->dflt);
        nx_jw_key(&w, "nullable");
        nx_jw_bool(&w, k->nullable);
        if (k->type == NX_CONF_INT || k->type == NX_CONF_DURATION) { /* durations in milliseconds */
            nx_jw_key(&w, "min");
            nx_jw_i64(&w, k->min);
            nx_jw_key(&w, "max");
            nx_jw_i64(&w, k->max);
        }
        text_key(&w, "help", k->help);
        nx_jw_obj_end(&w);
    }
    nx_jw_arr_end(&w);
    nx_jw_obj_end(&w);
    return print_json(&w, &b, err);
}
