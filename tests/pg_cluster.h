/* A PostgreSQL server of the test's own: data and socket in a temporary folder, no network port, gone with the test
 * (by a signal at the parent's death too). As root it runs as the user postgres. pg_cluster c;  if
 * (!pg_cluster_start(&c)) skip();  … c.dsn …  pg_cluster_stop(&c); */
#ifndef NX_TESTS_PG_CLUSTER_H
#define NX_TESTS_PG_CLUSTER_H

#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "pg/pg.h"

typedef struct pg_cluster {
    char dir[64];
    char bin[128];
    char dsn[128];
    pid_t server;
} pg_cluster;

static inline bool pg_cluster_find(pg_cluster *c)
{
    glob_t g;
    bool found = glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &g) == 0;
    if (found) /* sorted: the last is the newest */
        snprintf(c->bin, sizeof c->bin, "%.*s", (int)(strlen(g.gl_pathv[g.gl_pathc - 1]) - strlen("/initdb")),
                 g.gl_pathv[g.gl_pathc - 1]);
    globfree(&g);
    return found;
}

/* Starts a program of the cluster in a child, output into a log file of the folder. */
static inline pid_t pg_cluster_spawn(const pg_cluster *c, const char *program, const char *const *args)
{
    char path[256], log[128];
    snprintf(path, sizeof path, "%s/%s", c->bin, program);
    snprintf(log, sizeof log, "%s/%s.log", c->dir, program);
    fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    const struct passwd *pw = getuid() == 0 ? getpwnam("postgres") : NULL;
    if (freopen(log, "w", stdout) == NULL || dup2(1, 2) < 0 || freopen("/dev/null", "r", stdin) == NULL ||
        chdir(c->dir) != 0 || (getuid() == 0 && (pw == NULL || setgid(pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)) ||
        prctl(PR_SET_PDEATHSIG, SIGQUIT) != 0 || getppid() != parent)
        _exit(127);
    const char *argv[32] = {path};
    for (size_t i = 0; args[i] != NULL && i < 30; i++)
        argv[i + 1] = args[i];
    execv(path, (char *const *)argv);
    _exit(127);
}

static inline void pg_cluster_stop(pg_cluster *c)
{
    if (c->server > 0) {
        kill(c->server, SIGQUIT); /* at once: nobody reads this data again */
        waitpid(c->server, NULL, 0);
    }
    nx_err err;
    if (c->dir[0] != '\0' && nx_dir_remove(c->dir, &err) != NX_OK)
        fprintf(stderr, "%s\n", err.text);
    *c = (pg_cluster){0};
}

static inline void pg_cluster_show_log(const pg_cluster *c, const char *program)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s.log", c->dir, program);
    nx_buf b;
    nx_buf_init(&b, 0);
    if (nx_file_read(path, &b, NULL) == NX_OK)
        fprintf(stderr, "%s", nx_buf_str(&b).p);
    nx_buf_drop(&b);
}

/* False with a printed line when there is no PostgreSQL here; ends the test program when there is one that does not
 * start. */
static inline bool pg_cluster_start(pg_cluster *c)
{
    *c = (pg_cluster){0};
    if (!pg_cluster_find(c)) {
        printf("no PostgreSQL server is installed (postgresql-15): skipped\n");
        return false;
    }
    snprintf(c->dir, sizeof c->dir, "/tmp/nexus-pg-XXXXXX");
    const struct passwd *pw = getuid() == 0 ? getpwnam("postgres") : NULL;
    if (mkdtemp(c->dir) == NULL || (pw != NULL && chown(c->dir, pw->pw_uid, pw->pw_gid) != 0))
        exit(2);
    char data[80];
    snprintf(data, sizeof data, "%s/data", c->dir);
    const char *init[] = {"-D", data, "-A", "trust", "-U", "nexus", "-E", "UTF8", "--locale=C", "--no-sync", NULL};
    int status = 1;
    waitpid(pg_cluster_spawn(c, "initdb", init), &status, 0);
    if (status != 0) {
        pg_cluster_show_log(c, "initdb");
        exit(2);
    }
    const char *serve[] = {
        "-D", data, "-k", c->dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "shared_buffers=16MB", NULL};
    c->server = pg_cluster_spawn(c, "postgres", serve);
    snprintf(c->dsn, sizeof c->dsn, "host=%s dbname=postgres user=nexus", c->dir);
    for (;;) {
        nx_pg *pg = NULL;
        if (nx_pg_connect(c->dsn, &pg, NULL) == NX_OK) {
            nx_pg_close(pg);
            return true;
        }
        if (waitpid(c->server, &status, WNOHANG) == c->server) {
            pg_cluster_show_log(c, "postgres");
            exit(2);
        }
        nx_clock_sleep_ms(20, NULL);
    }
}

#endif
