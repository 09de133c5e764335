/* Completions for shells. What may follow what comes from the table of commands: words from the usage texts, options from the option
 * tables. bash and zsh share four lookup functions and differ in how they ask; fish takes one line a fact. */
#include <stdio.h>

#include "app/cmds.h"

enum { WORDS_MAX = 64 };

static void print_names(void)
{
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++)
        printf("%s%s", c == nx_cmds ? "" : " ", c->name);
}

/* The words that may follow the same ones as words[at], separated by spaces. */
static void print_group(const nx_cmd_word *words, size_t n, size_t at)
{
    for (size_t i = at; i < n; i++) {
        if (!nx_str_eq(words[i].after, words[at].after))
            continue;
        fputs(i == at ? "" : " ", stdout);
        if (nx_str_is(words[i].word, NX_CMD_WORD_COMMAND))
            print_names();
        else
            printf(NX_STR_FMT, NX_STR_ARG(words[i].word));
    }
}

static bool is_first_of_group(const nx_cmd_word *words, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (nx_str_eq(words[i].after, words[at].after))
            return false;
    return true;
}

/* The literal values among "N|max" or "text|json", separated by spaces; false: there is none. */
static bool print_values(const nx_opt_def *d, const char *before)
{
    nx_str rest = nx_str_of(d->arg), part;
    bool any = false;
    while (d->arg != NULL && nx_str_split(&rest, '|', &part)) {
        if (!nx_cmd_word_literal(part))
            continue;
        printf("%s" NX_STR_FMT, any ? " " : before, NX_STR_ARG(part));
        any = true;
    }
    return any;
}

/* ---------------------------------------------------------------- bash and zsh */

static void sh_words(void)
{
    printf("# words that may follow the words so far\n__nexus_words()\n{\n    case \"$1\" in\n    '') echo '");
    print_names();
    printf("' ;;\n");
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++) {
        nx_cmd_word words[WORDS_MAX];
        size_t n = nx_cmd_words(c, words, WORDS_MAX);
        for (size_t i = 0; i < n; i++) {
            if (!is_first_of_group(words, i))
                continue;
            nx_str after = words[i].after;
            printf("    '%s%s" NX_STR_FMT "') echo '", c->name, after.n == 0 ? "" : " ", NX_STR_ARG(after));
            print_group(words, n, i);
            printf("' ;;\n");
        }
    }
    printf("    esac\n}\n");
}

static void sh_opts(const nx_opt_def *defs, bool with_value)
{
    for (const nx_opt_def *d = defs; d != NULL && d->name != NULL; d++)
        if (!with_value || d->arg != NULL)
            printf(" %s%s%s", d->name, d->brief == NULL ? "" : " ", d->brief == NULL ? "" : d->brief);
}

/* A function that echoes the options of command $1 and the global ones. */
static void sh_options(const char *name, bool with_value)
{
    printf("%s()\n{\n    case \"$1\" in\n", name);
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++) {
        if (c->opts == NULL)
            continue;
        printf("    %s) echo '", c->name);
        sh_opts(c->opts, with_value);
        printf("' ;;\n");
    }
    printf("    esac\n    echo '");
    sh_opts(nx_global_opts, with_value);
    printf("'\n}\n");
}

static void sh_value_case(const char *cmd, const nx_opt_def *defs)
{
    for (const nx_opt_def *d = defs; d != NULL && d->name != NULL; d++) {
        char before[192];
        if (d->brief == NULL)
            snprintf(before, sizeof before, "    %s' %s') echo '", cmd, d->name);
        else
            snprintf(before, sizeof before, "    %s' %s' | %s' %s') echo '", cmd, d->name, cmd, d->brief);
        if (print_values(d, before))
            printf("' ;;\n");
    }
}

static void sh_values(void)
{
    printf("# values of option $2 of command $1\n__nexus_values()\n{\n    case \"$1 $2\" in\n");
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++)
        sh_value_case(c->name, c->opts);
    sh_value_case("*", nx_global_opts);
    printf("    esac\n}\n");
}

static void sh_tables(void)
{
    sh_words();
    printf("# options of command $1\n");
    sh_options("__nexus_options", false);
    printf("# those of them that take a value\n");
    sh_options("__nexus_takes", true);
    sh_values();
}

static void bash(void)
{
    printf("# bash completion for nexus. Now: source <(nexus completions bash)\n"
           "# For good: nexus completions bash >~/.local/share/bash-completion/completions/nexus\n");
    sh_tables();
    fputs("_nexus()\n"
          "{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev='' said='' cmd='' found i w\n"
          "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
          "        w=${COMP_WORDS[i]}\n"
          "        if [[ \" $(__nexus_takes \"$cmd\" | tr '\\n' ' ') \" == *\" $w \"* ]]; then\n"
          "            if ((i + 1 < COMP_CWORD)) && [[ ${COMP_WORDS[i + 1]} == '=' ]]; then i=$((i + 1)); fi\n"
          "            if ((i + 1 == COMP_CWORD)); then prev=$w; fi\n"
          "            i=$((i + 1))\n"
          "        elif [[ $w != -* ]]; then\n"
          "            said=${said:+$said }$w\n"
          "            cmd=${cmd:-$w}\n"
          "        fi\n"
          "    done\n"
          "    if [[ $cur == '=' ]]; then cur=''; fi\n"
          "    if [[ -n $prev ]]; then found=$(__nexus_values \"$cmd\" \"$prev\")\n"
          "    elif [[ $cur == -* ]]; then found=$(__nexus_options \"$cmd\")\n"
          "    else found=$(__nexus_words \"$said\"); fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$found\" -- \"$cur\")\n"
          "}\n"
          "complete -o default -F _nexus nexus\n",
          stdout);
}

static void zsh(void)
{
    printf("#compdef nexus\n"
           "# zsh completion for nexus. Now: source <(nexus completions zsh), after compinit\n"
           "# For good: nexus completions zsh >DIR/_nexus, where DIR is in $fpath\n");
    sh_tables();
    fputs("_nexus()\n"
          "{\n"
          "    local cur=${words[CURRENT]} prev='' said='' cmd='' w\n"
          "    local -i i\n"
          "    local -a found\n"
          "    for ((i = 2; i < CURRENT; i++)); do\n"
          "        w=${words[i]}\n"
          "        if [[ \" $(__nexus_takes \"$cmd\" | tr '\\n' ' ') \" == *\" $w \"* ]]; then\n"
          "            if ((i + 1 == CURRENT)); then prev=$w; fi\n"
          "            i=$((i + 1))\n"
          "        elif [[ $w != -* ]]; then\n"
          "            said=${said:+$said }$w\n"
          "            cmd=${cmd:-$w}\n"
          "        fi\n"
          "    done\n"
          "    if [[ -n $prev ]]; then found=($(__nexus_values \"$cmd\" \"$prev\"))\n"
          "    elif [[ $cur == -* ]]; then found=($(__nexus_options \"$cmd\"))\n"
          "    else found=($(__nexus_words \"$said\")); fi\n"
          "    if ((${#found})); then compadd -- \"${found[@]}\"; else _files; fi\n"
          "}\n"
          "if [[ ${funcstack[1]} == _nexus ]]; then _nexus \"$@\"; else compdef _nexus nexus; fi\n",
          stdout);
}

/* ---------------------------------------------------------------- fish */

static void fish_quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('\'');
}

static void fish_opts(const char *cmd, const nx_opt_def *defs)
{
    for (const nx_opt_def *d = defs; d != NULL && d->name != NULL; d++) {
        printf("complete -c nexus");
        if (cmd != NULL)
            printf(" -n '__fish_seen_subcommand_from %s'", cmd);
        printf(" -l %s", d->name + 2);
        if (d->brief != NULL)
            printf(" -s %s", d->brief + 1);
        if (d->arg != NULL)
            printf(" -r");
        if (print_values(d, " -f -a '"))
            putchar('\'');
        printf(" -d ");
        fish_quoted(d->help);
        putchar('\n');
    }
}

static void fish_words(const nx_cmd *c)
{
    nx_cmd_word words[WORDS_MAX];
    size_t n = nx_cmd_words(c, words, WORDS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!is_first_of_group(words, i))
            continue;
        printf("complete -c nexus -f -n '__fish_seen_subcommand_from %s", c->name);
        if (words[i].after.n > 0)
            printf("; and __fish_seen_subcommand_from " NX_STR_FMT, NX_STR_ARG(words[i].after));
        if (!nx_str_is(words[i].word, NX_CMD_WORD_COMMAND)) {
            printf("; and not __fish_seen_subcommand_from ");
            print_group(words, n, i);
        }
        printf("' -a '");
        print_group(words, n, i);
        printf("'\n");
    }
}

static void fish(void)
{
    printf("# fish completion for nexus. Now: nexus completions fish | source\n"
           "# For good: nexus completions fish >~/.config/fish/completions/nexus.fish\n");
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++) {
        printf("complete -c nexus -f -n __fish_use_subcommand -a %s -d ", c->name);
        fish_quoted(c->summary);
        putchar('\n');
    }
    for (const nx_cmd *c = nx_cmds; c->name != NULL; c++) {
        fish_words(c);
        fish_opts(c->name, c->opts);
    }
    fish_opts(NULL, nx_global_opts);
}

nx_status nx_cmd_completions(const nx_globals *g, nx_args *a, nx_err *err)
{
    static const struct {
        const char *name;
        void (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    (void)g;
    for (size_t i = 0; i < NX_COUNT_OF(shells); i++)
        if (strcmp(a->words[0], shells[i].name) == 0) {
            shells[i].print();
            return NX_OK;
        }
    nx_fail(err, NX_INVALID, "there are no completions for '%s'", a->words[0]);
    return nx_err_hint(err, NX_INVALID, "usage: nexus completions bash|zsh|fish");
}
