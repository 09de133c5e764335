/* transform/dbt.h
 *
 * A dbt project, run in process: reads dbt_project.yml, models, properties, snapshots, seeds and tests, compiles them with
 * our Jinja and writes the results as Delta tables. Console lines, run_results.json (v6) and manifest.json (v12) are dbt's own;
 * what this runner does not speak it refuses by name with file and line (the list: src/transform/README.md).
 *
 * Layers are schemas: a model "fct_trades" with schema gold is the lake table gold.fct_trades. A table, a seed, an increment and
 * a snapshot write ONE Delta commit each; a node that fails leaves the old version, and what depends on it is skipped.
 * A model materialized as view is kept as SQL in STATE/views and made anew in every session by nx_dbt_attach_views().
 *
 * Thread   One invocation belongs to one thread; nodes run one after the other in a fixed order. Two invocations must not share a
 *          target folder.
 * Memory   Project, manifest and compiled SQL: 256 MiB at most; a rendering: 64 MiB (transform/jinja.h); queries: the engine's limit.
 */
#ifndef NX_TRANSFORM_DBT_H
#define NX_TRANSFORM_DBT_H

#include "engine/engine.h"
#include "lake/lake.h"

/* What one node did, for whoever shows progress or sums up. Texts live during the call. */
typedef struct nx_dbt_node_result {
    const char *unique_id;            /* "model.nexus.fct_trades" */
    const char *resource_type;        /* "model", "seed", "snapshot", "test", "exposure" */
    const char *relation;             /* "gold.fct_trades"; NULL for tests, exposures */
    const char *status;               /* success, pass, warn, fail, error, skipped, no-op */
    const char *message;              /* may be NULL */
    int64_t failures;                 /* tests; -1 otherwise */
    int64_t rows_added, rows_removed; /* of the Delta commit; 0 when none was made */
    double seconds;
    size_t index, count; /* "3 of 14" */
} nx_dbt_node_result;

typedef struct nx_dbt_opts {
    const char *command; /* build, run, test, snapshot, seed, compile, ls, parse, "source freshness", run-operation */
    const char *project_dir;    /* folder of dbt_project.yml */
    const char *profiles_dir;   /* NULL: project_dir */
    const char *profile_target; /* NULL: the profile's own */
    const char *target_path;    /* NULL: project_dir/target */
    const char *state_dir;      /* the program's state folder: views live in state_dir/views */
    nx_engine *engine;          /* borrowed; parse, ls and compile without queries work when engine and lake are NULL */
    nx_lake *lake;
    const char *const *select;  /* NULL-ended, each "a b,c" as on dbt's command line; NULL: everything */
    const char *const *exclude; /* the same */
    /* NULL-ended: model, seed, snapshot, test, source, exposure; NULL: all of the command */
    const char *const *resource_types;
    const char *vars; /* YAML or JSON text of a map; NULL: none */
    bool full_refresh, fail_fast, store_failures, warn_error;
    const char *indirect_selection; /* NULL or "eager"; others are refused */
    const char *output;             /* ls: name, path, selector, json; NULL: selector */
    const char *operation;          /* run-operation: name of the macro */
    const char *operation_args;     /* run-operation: YAML map; NULL: none */
    const char *invocation;         /* command line as typed, for run_results.json; NULL: "dbt <command>" */
    const char *version;            /* of the program, for "Registered adapter: nexus=…"; NULL: left out */
    /* A console line, "06:00:01  Running with dbt=…", without newline; NULL: dropped. */
    void (*line)(void *ctx, const char *text);
    void (*data)(void *ctx, const char *text);            /* a line of ls; NULL: dropped */
    void (*node)(void *ctx, const nx_dbt_node_result *r); /* after each node; NULL: not told */
    void *ctx;
    const volatile bool *stop; /* set by another: the node under way ends, the others are skipped; may be NULL */
} nx_dbt_opts;

typedef struct nx_dbt_result {
    size_t pass, warn, error, skip, no_op, total;
    int64_t rows_added, rows_removed;
    double seconds;
    char first_failure[256]; /* unique_id of the first node that failed; empty when none did */
} nx_dbt_result;

/* Runs one command. NX_OK; NX_CHECK_FAILED: nodes or tests failed or were skipped (ret is filled, artifacts are written); NX_INVALID or
 * NX_UNSUPPORTED: the project cannot be used, with file and line (nothing was run); NX_IO; NX_CANCELLED: stopped (ret is filled, artifacts
 * are written). ret may be NULL. */
NX_MUST_USE nx_status nx_dbt_run(const nx_dbt_opts *o, nx_dbt_result *ret, nx_err *err);

/* Makes the views that builds left in state_dir in a session that has the lake's tables attached. A name that is a lake table by now is
 * left alone. A view whose tables are gone is left out; ret_broken (may be NULL) counts those. */
NX_MUST_USE nx_status nx_dbt_attach_views(nx_lake *lake, nx_session *s, const char *state_dir, size_t *ret_broken,
                                          nx_err *err);

#endif
