/* What the doctor sees on this machine: folders of the project, state and its locks, the lake, the disk. */
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "app/doctor.h"
#include "app/print.h"

/* Below the first a listener's log segments and the engine's spill soon have no room. */
static const uint64_t ROOM_FAIL = (uint64_t)256 << 20, ROOM_WARN = (uint64_t)2 << 30;

void nx__doctor_folders(nx_doctor *d)
{
    nx_err err = {0};
    const char *dir, *dbt, *quality;
    if (nx_project_find(&d->p, "contracts", &dir, &err) != NX_OK ||
        nx_contracts_load(dir, &d->p.contracts, &err) != NX_OK)
        nx__doctor_say_err(d, NX_FOUND_FAIL, "contracts", &err);
    else
        nx__doctor_sayf(d, NX_FOUND_OK, "contracts", "%zu in %s", nx_contracts_count(d->p.contracts), dir);
    if (nx_project_find(&d->p, "dbt", &dbt, &err) != NX_OK ||
        nx_project_find(&d->p, "quality", &quality, &err) != NX_OK)
        nx__doctor_say_err(d, NX_FOUND_FAIL, "models, checks", &err);
    else
        nx__doctor_sayf(d, NX_FOUND_OK, "models, checks", "%s, %s", dbt, quality);
}

/* The folder itself or the nearest one above it that is there. */
static const char *nearest(nx_project *p, const char *path)
{
    char *at = nx_arena_dup(&p->arena, nx_str_of(path));
    while (at != NULL && at[0] != '\0' && !nx_file_exists(at)) {
        char *slash = strrchr(at, '/');
        if (slash == NULL)
            return ".";
        slash[slash == at] = '\0';
    }
    return at;
}

/* Writes, syncs and removes a file where the folder is; where it is not, asks whether it could be made. */
static nx_status can_write(nx_project *p, const char *dir, nx_err *err)
{
    const char *at = nearest(p, dir);
    const char *probe = nx_arena_printf(&p->arena, "%s/.nexus-probe-%ld", dir, (long)getpid());
    if (at == NULL || probe == NULL)
        return nx_nomem(err);
    if (strcmp(at, dir) != 0)
        return access(at, W_OK | X_OK) == 0
                   ? NX_OK
                   : nx_fail_sys(err, NX_IO, "%s could not be made: in %s nothing can be written", dir, at);
    NX_TRY(nx_file_create(probe, NX_STR("probe\n"), err));
    if (unlink(probe) != 0)
        return nx_fail_sys(err, NX_IO, "could not remove %s", probe);
    return NX_OK;
}

/* Is the lock held? A free one is let go at once. */
static bool is_held(const char *file, nx_err *err)
{
    nx_lock l = {.fd = -1};
    if (!nx_file_exists(file) || nx_lock_take(&l, file, err) != NX_OK)
        return err->status == NX_CONFLICT;
    nx_lock_drop(&l);
    return false;
}

static void room(nx_doctor *d, const char *dir)
{
    struct statvfs v;
    char left[32];
    const char *at = nearest(&d->p, dir);
    if (at == NULL || statvfs(at, &v) != 0)
        return;
    uint64_t bytes = (uint64_t)v.f_bavail * v.f_frsize;
    char text[512];
    snprintf(text, sizeof text, "%s free for %s",
             nx_print_bytes((int64_t)(bytes > INT64_MAX ? INT64_MAX : bytes), left), dir);
    if (bytes < ROOM_WARN)
        nx__doctor_say(d, bytes < ROOM_FAIL ? NX_FOUND_FAIL : NX_FOUND_WARN, "disk space", text,
                       "make room, or let nexus lake vacuum remove what old versions keep");
    else
        nx__doctor_say(d, NX_FOUND_OK, "disk space", text, NULL);
}

void nx__doctor_state(nx_doctor *d)
{
    nx_err err = {0};
    const char *batch = nx_arena_printf(&d->p.arena, "%s/batch.lock", d->p.state);
    const char *log = nx_arena_printf(&d->p.arena, "%s/wal/lock", d->p.state);
    if (batch == NULL || log == NULL || can_write(&d->p, d->p.state, &err) != NX_OK) {
        nx__doctor_say_err(d, NX_FOUND_FAIL, "state folder", &err);
        return;
    }
    if (nx_file_exists(d->p.state))
        nx__doctor_sayf(d, NX_FOUND_OK, "state folder", "%s can be written", d->p.state);
    else
        nx__doctor_sayf(d, NX_FOUND_OK, "state folder", "%s is made by the first command that needs it", d->p.state);
    if (is_held(batch, &err))
        nx__doctor_say(d, NX_FOUND_WARN, "state lock", err.text,
                       "a command is at work; the next one that writes has to wait for it");
    else
        nx__doctor_say(d, NX_FOUND_OK, "state lock", "free", NULL);
    if (is_held(log, &err))
        nx__doctor_sayf(d, NX_FOUND_OK, "listener", "runs: %s", err.text);
    else
        nx__doctor_say(d, NX_FOUND_SKIP, "listener", "does not run", NULL);
}

typedef struct reading {
    nx_doctor *d;
    nx_project p; /* one with engine, lake and session */
    int64_t tables, rows, broken;
} reading;

/* Through the engine, as a query would: log, files and their schema. */
static nx_status read_table(void *ctx, const char *name, const char *folder, nx_err *err)
{
    (void)folder, (void)err;
    reading *r = ctx;
    nx_err why = {0};
    nx_table *t;
    nx_table_info i;
    char sql[512];
    nx_result *rows = NULL;
    nx_status st = nx_table_open(r->p.lake, name, &t, &why);
    if (st == NX_OK)
        st = nx_table_info_get(t, &i, &why);
    if (st == NX_OK) {
        snprintf(sql, sizeof sql, "select * from %s limit 1", name);
        st = nx_session_query(r->p.session, nx_str_of(sql), &rows, &why);
        nx_result_drop(rows);
    }
    if (st != NX_OK) {
        r->broken++;
        nx__doctor_say_err(r->d, NX_FOUND_FAIL, name, &why);
        return NX_OK;
    }
    r->tables++;
    r->rows += i.rows > 0 ? i.rows : 0;
    return NX_OK;
}

void nx__doctor_lake(nx_doctor *d)
{
    nx_err err = {0};
    const char *root = nx_config_str(d->p.cfg, "lake.root");
    if (strstr(root, "://") == NULL)
        root = nx_project_path(&d->p, root);
    if (root == NULL || can_write(&d->p, root, &err) != NX_OK) {
        nx__doctor_say_err(d, NX_FOUND_FAIL, "lake", &err);
        return;
    }
    room(d, root);
    if (!nx_file_exists(root)) {
        nx__doctor_sayf(d, NX_FOUND_OK, "lake", "%s holds no tables yet", root);
        return;
    }
    reading r = {.d = d};
    char rows[32];
    if (nx_project_open(d->g, NX_NEED_SESSION, &r.p, &err) != NX_OK) {
        nx__doctor_say_err(d, NX_FOUND_FAIL, "lake", &err);
        return;
    }
    if (nx_lake_each(r.p.lake, read_table, &r, &err) != NX_OK)
        nx__doctor_say_err(d, NX_FOUND_FAIL, "lake", &err);
    else if (r.broken == 0)
        nx__doctor_sayf(d, NX_FOUND_OK, "lake", "%lld tables with %s rows can be read, %s can be written",
                        (long long)r.tables, nx_print_count(r.rows, rows), root);
    nx_project_close(&r.p);
}
