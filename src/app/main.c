#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/cli.h"
#include "app/project.h"
#include "base/log.h"
#include "data/json.h"

/* stderr: what, and the way out. With --json the object goes to stdout as well. */
static void report(const nx_globals *g, nx_status st, nx_err *err)
{
    if (err->status == NX_OK)
        nx_fail(err, st, "%s", nx_status_text(st));
    nx_log_scrub(err->text, sizeof err->text);
    nx_log_scrub(err->hint, sizeof err->hint);
    fprintf(stderr, "nexus: %s\n", err->text);
    if (err->hint[0] != '\0')
        fprintf(stderr, "       %s\n", err->hint);
    if (g->verbose && err->file != NULL)
        fprintf(stderr, "       (%s, %s:%d)\n", nx_status_name(st), err->file, err->line);
    if (!g->json)
        return;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_key(&w, "error");
    nx_jw_obj(&w);
    nx_jw_key(&w, "status");
    nx_jw_cstr(&w, nx_status_name(st));
    nx_jw_key(&w, "message");
    nx_jw_cstr(&w, err->text);
    nx_jw_key(&w, "hint");
    nx_jw_cstr(&w, err->hint);
    nx_jw_key(&w, "retriable");
    nx_jw_bool(&w, err->retriable);
    nx_jw_obj_end(&w);
    nx_jw_obj_end(&w);
    if (nx_jw_end(&w) == NX_OK)
        puts(b.p);
}

static int run(int argc, char **argv)
{
    NX_ARENA_AUTO nx_arena arena;
    nx_arena_init(&arena, 16 << 20);
    nx_globals g;
    nx_args args;
    const nx_cmd *cmd = NULL;
    nx_err err = {0};
    nx_status st = nx_cli_parse(argc, argv, &arena, &g, &cmd, &args, &err);
    if (st == NX_OK && cmd == NULL && !g.help) {
        if (!g.json)
            nx_cli_help(NULL);
        st = nx_fail(&err, NX_INVALID, "no command is given");
        nx_err_hint(&err, st, "nexus --help lists them");
    } else if (st == NX_OK && g.help && g.json) {
        st = nx_cli_help_json(cmd, &err);
    } else if (st == NX_OK && g.help) {
        nx_cli_help(cmd);
    } else if (st == NX_OK) {
        nx_log_setup(g.quiet ? NX_LOG_WARN : g.verbose ? NX_LOG_DEBUG : NX_LOG_INFO, g.log_json);
        st = cmd->run(&g, &args, &err);
    }
    if (st == NX_OK && fflush(stdout) != 0)
        st = nx_fail_sys(&err, NX_IO, "could not write the answer");
    if (st == NX_CANCELLED && nx_stop_requested) {
        err.retriable = true;
        if (err.hint[0] == '\0')
            nx_err_hint(&err, st, "what was committed stays; the same command again goes on from there");
    }
    /* a command that has told its failures already leaves the record empty */
    bool told = (st == NX_CHECK_FAILED || st == NX_INVALID) && err.status == NX_OK;
    if (st != NX_OK && st != NX_NOTHING && !told)
        report(&g, st, &err);
    return nx_status_exit_code(st, err.retriable);
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    return run(argc, argv);
}
