/* app/project.h
 *
 * What a command works on: the project folder, its configuration, contracts, engine, lake and one SQL session, opened as far as asked
 * for and closed in the right order. Relative paths of the configuration are below the project folder.
 * contracts/, dbt/ and quality/ are taken from the project folder or, where it has none, from those that come with the program.
 * Thread   One owner.
 */
#ifndef NX_APP_PROJECT_H
#define NX_APP_PROJECT_H

#include <pthread.h>
#include <stdatomic.h>

#include "app/config.h"
#include "base/file.h"
#include "contract/contract.h"
#include "engine/engine.h"
#include "lake/lake.h"

typedef enum nx_need {
    NX_NEED_CONFIG = 0,
    NX_NEED_CONTRACTS = 1,
    NX_NEED_LAKE = 2,    /* engine and lake */
    NX_NEED_SESSION = 6, /* lake, and a session with a view a table */
    NX_NEED_LOCK = 8     /* the batch lock of the state folder: one writing command at a time beside the stream */
} nx_need;

typedef struct nx_project {
    const nx_globals *g;
    nx_arena arena;
    nx_config *cfg;
    nx_contracts *contracts;
    nx_engine *engine;
    nx_lake *lake;
    nx_session *session;
    nx_lock lock;
    const char *state; /* folder */
    pthread_t watcher; /* of nx_project_stoppable() */
    bool watched;
    atomic_bool closing;
} nx_project;

/* needs: nx_need values or-ed. On an error everything is closed again. */
NX_MUST_USE nx_status nx_project_open(const nx_globals *g, int needs, nx_project *p, nx_err *err);
void nx_project_close(nx_project *p);
/* Path below the project folder (absolute ones stay), in the arena; NULL: out of memory. */
const char *nx_project_path(nx_project *p, const char *rel);
/* A folder of the project or of the program ("contracts", "dbt", "quality"). NX_NOT_FOUND says where it was looked for. */
NX_MUST_USE nx_status nx_project_find(nx_project *p, const char *name, const char **ret, nx_err *err);
/* A folder that comes with the program: beside it in a source tree, below share/nexus where it is installed. In the arena; NULL: there is none. */
const char *nx_program_folder(nx_arena *a, const char *name);
/* Views of all tables and of the dbt views in the session, at the versions of now. */
NX_MUST_USE nx_status nx_project_attach(nx_project *p, nx_err *err);
/* Every table of the contracts and of enrich, empty where it is absent: models and checks can name them all. */
NX_MUST_USE nx_status nx_project_ensure_tables(nx_project *p, nx_err *err);
/* Where the dbt project is and where its artifacts go; a: options of the command line, may be NULL. */
NX_MUST_USE nx_status nx_dbt_folders(nx_project *p, const nx_args *a, const char **ret_project, const char **ret_target,
                                     nx_err *err);
/* From now on SIGINT and SIGTERM set nx_stop_requested, and the statement that runs in p->session then ends with NX_CANCELLED. */
NX_MUST_USE nx_status nx_project_stoppable(nx_project *p, nx_err *err);
/* Set by SIGINT and SIGTERM once nx_stop_on_signals() was called. The second such signal ends the process at once: what a kill
 * leaves behind every command can go on from. */
extern volatile bool nx_stop_requested;
void nx_stop_on_signals(void);

#endif
