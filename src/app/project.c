#include "app/project.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "enrich/enrich.h"
#include "transform/dbt.h"

#include "base/stop.h"

volatile bool nx_stop_requested;

static void on_signal(int sig)
{
    (void)sig;
    nx_stop_ask(&nx_stop_requested);
}

void nx_stop_on_signals(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

/* Interrupts again and again: a statement that had not begun yet is not reached by the first. */
static void *watch(void *project)
{
    nx_project *p = project;
    while (!atomic_load(&p->closing)) {
        nx_clock_sleep_ms(20, NULL);
        if (nx_stop_requested && !atomic_load(&p->closing))
            nx_session_interrupt(p->session);
    }
    return NULL;
}

nx_status nx_project_stoppable(nx_project *p, nx_err *err)
{
    nx_stop_on_signals();
    int rc = pthread_create(&p->watcher, NULL, watch, p);
    p->watched = rc == 0;
    return rc == 0 ? NX_OK : nx_fail(err, NX_NOMEM, "could not start a thread: %s", strerror(rc));
}

const char *nx_project_path(nx_project *p, const char *rel)
{
    if (rel[0] == '/')
        return rel;
    if (strcmp(p->g->project, ".") == 0)
        return nx_arena_dup(&p->arena, nx_str_of(rel));
    return nx_arena_printf(&p->arena, "%s/%s", p->g->project, rel);
}

/* In the folders above the program's own: a source tree has build/nexus, an installation bin/nexus beside share/nexus. */
const char *nx_program_folder(nx_arena *a, const char *name)
{
    char exe[4096];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    for (int up = 0; n > 0 && up < 4; up++) {
        while (n > 0 && exe[n - 1] != '/')
            n--;
        if (n > 0)
            n--;
        exe[n] = '\0';
        const char *at = nx_arena_printf(a, "%s/%s", exe, name);
        if (at != NULL && nx_file_exists(at))
            return at;
        at = nx_arena_printf(a, "%s/share/nexus/%s", exe, name);
        if (at != NULL && nx_file_exists(at))
            return at;
    }
    return NULL;
}

nx_status nx_project_find(nx_project *p, const char *name, const char **ret, nx_err *err)
{
    const char *own = nx_project_path(p, name);
    if (own == NULL)
        return nx_nomem(err);
    *ret = nx_file_exists(own) ? own : nx_program_folder(&p->arena, name);
    if (*ret == NULL) {
        nx_fail(err, NX_NOT_FOUND, "there is no folder %s: neither in the project (%s) nor beside the program", name,
                p->g->project);
        return nx_err_hint(err, NX_NOT_FOUND, "run in a project folder, or name it with --project DIR");
    }
    return NX_OK;
}

static nx_status load_config(nx_project *p, nx_err *err)
{
    const char *file = p->g->config;
    if (file == NULL) {
        file = nx_project_path(p, "nexus.yml");
        if (file == NULL)
            return nx_nomem(err);
        if (!nx_file_exists(file))
            file = NULL;
    }
    NX_TRY(nx_config_load(file, p->g->sets, p->g->n_sets, &p->cfg, err));
    p->state = nx_project_path(p, nx_config_str(p->cfg, "state"));
    return p->state == NULL ? nx_nomem(err) : NX_OK;
}

static nx_status resolve(void *ctx, nx_session *s, nx_str name, nx_buf *sql, nx_err *err)
{
    (void)s;
    return nx_lake_scan_sql(((nx_project *)ctx)->lake, name, sql, err);
}

static nx_status open_lake(nx_project *p, nx_err *err)
{
    const char *root = nx_config_str(p->cfg, "lake.root");
    if (strstr(root, "://") == NULL)
        root = nx_project_path(p, root);
    const char *spill = nx_arena_printf(&p->arena, "%s/spill", p->state);
    if (root == NULL || spill == NULL)
        return nx_nomem(err);
    nx_engine_opts eo = {.memory_bytes = (uint64_t)nx_config_i64(p->cfg, "engine.memory") << 20,
                         .threads = (int)nx_config_i64(p->cfg, "engine.threads"),
                         .temp_dir = spill,
                         .resolve = resolve,
                         .resolve_ctx = p};
    NX_TRY(nx_engine_open(&eo, &p->engine, err));
    return nx_lake_open(&(nx_lake_opts){.root = root, .engine = p->engine}, &p->lake, err);
}

static nx_status take_lock(nx_project *p, nx_err *err)
{
    NX_TRY(nx_dir_make(p->state, err));
    const char *file = nx_arena_printf(&p->arena, "%s/batch.lock", p->state);
    if (file == NULL)
        return nx_nomem(err);
    nx_status st = nx_lock_take(&p->lock, file, err);
    if (st == NX_CONFLICT)
        nx_err_hint(err, st, "one writing command at a time on the state folder %s: wait for it or stop it", p->state);
    return st;
}

static nx_status open_all(nx_project *p, int needs, nx_err *err)
{
    struct stat s;
    if (stat(p->g->project, &s) == 0 && !S_ISDIR(s.st_mode)) {
        nx_fail(err, NX_INVALID, "the project %s is a file, not a folder", p->g->project);
        return nx_err_hint(err, NX_INVALID, "name its folder: --project DIR; a configuration file is --config FILE");
    }
    if (!nx_file_exists(p->g->project)) { /* a misspelt name would start an empty project */
        nx_fail(err, NX_NOT_FOUND, "there is no project folder %s", p->g->project);
        return nx_err_hint(err, NX_NOT_FOUND, "name another with --project, or make it: mkdir %s", p->g->project);
    }
    NX_TRY(load_config(p, err));
    if (needs & NX_NEED_LOCK)
        NX_TRY(take_lock(p, err));
    if (needs & NX_NEED_CONTRACTS) {
        const char *dir;
        NX_TRY(nx_project_find(p, "contracts", &dir, err));
        NX_TRY(nx_contracts_load(dir, &p->contracts, err));
    }
    if (needs & NX_NEED_LAKE)
        NX_TRY(open_lake(p, err));
    if ((needs & NX_NEED_SESSION) == NX_NEED_SESSION) {
        NX_TRY(nx_session_open(p->engine, &p->session, err));
        NX_TRY(nx_project_attach(p, err));
    }
    return NX_OK;
}

nx_status nx_project_open(const nx_globals *g, int needs, nx_project *p, nx_err *err)
{
    *p = (nx_project){.g = g, .lock = {.fd = -1}};
    nx_arena_init(&p->arena, 64 << 20);
    nx_status st = open_all(p, needs, err);
    if (st != NX_OK)
        nx_project_close(p);
    return st;
}

void nx_project_close(nx_project *p)
{
    atomic_store(&p->closing, true);
    if (p->watched)
        pthread_join(p->watcher, NULL);
    nx_session_close(p->session);
    nx_lake_close(p->lake);
    nx_engine_close(p->engine);
    nx_contracts_drop(p->contracts);
    nx_config_drop(p->cfg);
    nx_lock_drop(&p->lock);
    nx_arena_drop(&p->arena);
    *p = (nx_project){.lock = {.fd = -1}};
}

nx_status nx_project_attach(nx_project *p, nx_err *err)
{
    NX_TRY(nx_lake_attach(p->lake, p->session, err));
    return nx_dbt_attach_views(p->lake, p->session, p->state, NULL, err);
}

nx_status nx_project_ensure_tables(nx_project *p, nx_err *err)
{
    nx_table *t, *u;
    for (size_t i = 0; i < nx_contracts_count(p->contracts); i++) {
        const nx_contract *c = nx_contracts_at(p->contracts, i);
        nx_table_spec spec = {.name = nx_contract_table(c),
                              .folder = nx_contract_folder(c),
                              .schema = nx_contract_schema(c),
                              .partition = nx_contract_partition(c),
                              .stats = nx_contract_stats(c),
                              .description = nx_contract_description(c)};
        NX_TRY(nx_table_ensure(p->lake, &spec, &t, err));
    }
    return nx_enrich_ensure(p->lake, &t, &u, err);
}
