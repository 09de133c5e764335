/* nexus init: a project folder to begin with. Nothing that is there is overwritten; what is made appears whole. */
#include <stdio.h>
#include <unistd.h>

#include "app/cmds.h"
#include "app/config.h"
#include "app/project.h"
#include "app/report.h"

static const char *const folders[] = {"contracts", "dbt", "quality"};

/* The part of the name up to its last dot; 0: a key without a section. */
static size_t section_of(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? 0 : (size_t)(dot - name);
}

static int depth_of(nx_str section)
{
    int n = section.n > 0;
    for (size_t i = 0; i < section.n; i++)
        n += section.p[i] == '.';
    return n;
}

/* Opens the sections of name that are not open yet: "lake.flush" below "lake" is "  flush:". */
static nx_status open_section(nx_buf *b, nx_str section, nx_str open)
{
    nx_str rest = section, word;
    int depth = 0;
    while (section.n > 0 && nx_str_split(&rest, '.', &word)) {
        size_t end = (size_t)(word.p + word.n - section.p);
        bool is_open =
            open.n >= end && nx_str_starts(open, nx_str_sub(section, 0, end)) && (open.n == end || open.p[end] == '.');
        if (!is_open)
            NX_TRY(nx_buf_addf(b, "%s%*s" NX_STR_FMT ":\n", depth == 0 ? "\n" : "", 2 * depth, "", NX_STR_ARG(word)));
        depth++;
    }
    return NX_OK;
}

nx_status nx_config_template(nx_buf *b)
{
    NX_TRY(nx_buf_adds(
        b,
        "# The configuration of this project. Every key is here with its default; take the \"# \" before a key away to\n"
        "# set it. Secrets are references: ${env:NAME} or ${file:/path}. What most projects set: alpaca.symbols,\n"
        "# reddit.subreddits, reddit.user_agent and postgres.dsn. Is all well? nexus doctor\n"));
    nx_str open = {NULL, 0};
    for (const nx_conf_key *k = nx_conf_keys; k->name != NULL; k++) {
        nx_str section = {k->name, section_of(k->name)};
        NX_TRY(open_section(b, section, open));
        open = section;
        char pair[160];
        snprintf(pair, sizeof pair, "# %s: %s", k->name + section.n + (section.n > 0),
                 k->dflt == NULL ? "null" : k->dflt);
        NX_TRY(
            nx_buf_addf(b, "%s%*s%-52s # %s\n", section.n == 0 ? "\n" : "", 2 * depth_of(section), "", pair, k->help));
    }
    return NX_OK;
}

typedef struct copying {
    nx_arena *a;
    const char *from, *to;
    int64_t *files;
} copying;

static nx_status copy_folder(const copying *c, nx_err *err);

/* What dbt makes by itself stays behind: it belongs to the project that made it. */
static bool is_made(const char *name, bool is_dir)
{
    return name[0] == '.' ||
           (is_dir && (strcmp(name, "target") == 0 || strcmp(name, "logs") == 0 || strcmp(name, "dbt_packages") == 0));
}

static nx_status copy_entry(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    const copying *c = ctx;
    if (is_made(name, is_dir))
        return NX_OK;
    copying sub = {.a = c->a,
                   .from = nx_arena_printf(c->a, "%s/%s", c->from, name),
                   .to = nx_arena_printf(c->a, "%s/%s", c->to, name),
                   .files = c->files};
    if (sub.from == NULL || sub.to == NULL)
        return nx_nomem(err);
    if (is_dir)
        return copy_folder(&sub, err);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 16 << 20);
    NX_TRY(nx_file_read(sub.from, &b, err));
    ++*c->files;
    return nx_file_create(sub.to, nx_buf_str(&b), err);
}

static nx_status copy_folder(const copying *c, nx_err *err)
{
    NX_TRY(nx_dir_make(c->to, err));
    copying sub = *c;
    return nx_dir_list(c->from, copy_entry, &sub, err);
}

static nx_status refuse_if_there(nx_arena *a, const char *dir, const char *name, nx_err *err)
{
    const char *at = nx_arena_printf(a, "%s/%s", dir, name);
    if (at == NULL)
        return nx_nomem(err);
    if (!nx_file_exists(at))
        return NX_OK;
    nx_fail(err, NX_INVALID, "%s is there already: nothing was made", at);
    return nx_err_hint(err, NX_INVALID, "name another folder: nexus init DIR");
}

/* All copies lie in DIR/.nexus-init until they are whole; nexus.yml comes last. */
static nx_status make_project(nx_arena *a, const char *dir, int64_t *files, nx_err *err)
{
    const char *draft = nx_arena_printf(a, "%s/.nexus-init", dir), *config = nx_arena_printf(a, "%s/nexus.yml", dir);
    if (draft == NULL || config == NULL)
        return nx_nomem(err);
    NX_TRY(nx_dir_remove(draft, err));
    for (size_t i = 0; i < NX_COUNT_OF(folders); i++) {
        copying c = {.a = a, .files = files};
        c.from = nx_program_folder(a, folders[i]);
        c.to = nx_arena_printf(a, "%s/%s", draft, folders[i]);
        if (c.to == NULL)
            return nx_nomem(err);
        if (c.from == NULL)
            return nx_fail(err, NX_NOT_FOUND, "there is no folder %s beside the program: is the installation whole?",
                           folders[i]);
        NX_TRY(copy_folder(&c, err));
    }
    for (size_t i = 0; i < NX_COUNT_OF(folders); i++) {
        const char *from = nx_arena_printf(a, "%s/%s", draft, folders[i]);
        const char *to = nx_arena_printf(a, "%s/%s", dir, folders[i]);
        if (from == NULL || to == NULL)
            return nx_nomem(err);
        if (rename(from, to) != 0)
            return nx_fail_sys(err, NX_IO, "could not make the folder %s", to);
    }
    NX_TRY(nx_dir_remove(draft, err));
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    if (nx_config_template(&b) != NX_OK)
        return nx_nomem(err);
    ++*files;
    return nx_file_create(config, nx_buf_str(&b), err);
}

nx_status nx_cmd_init(const nx_globals *g, nx_args *a, nx_err *err)
{
    NX_ARENA_AUTO nx_arena arena;
    nx_arena_init(&arena, 1 << 20);
    const char *dir = a->n_words > 0 ? a->words[0] : g->project;
    int64_t files = 0;
    NX_TRY(nx_dir_make(dir, err));
    NX_TRY(refuse_if_there(&arena, dir, "nexus.yml", err));
    for (size_t i = 0; i < NX_COUNT_OF(folders); i++)
        NX_TRY(refuse_if_there(&arena, dir, folders[i], err));
    NX_TRY(make_project(&arena, dir, &files, err));
    nx_report rep;
    nx_report_begin(&rep, g, "Made a project");
    nx_report_str(&rep, "folder", dir);
    nx_report_i64(&rep, "files", files);
    if (!g->json && !g->quiet && strcmp(dir, ".") == 0)
        printf("Next: set what is yours in nexus.yml, then: nexus doctor\n");
    else if (!g->json && !g->quiet)
        printf("Next: set what is yours in %s/nexus.yml, then: nexus --project %s doctor\n", dir, dir);
    return nx_report_end(&rep, err);
}
