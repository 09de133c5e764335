/* app/demo.h - the parts of `nexus demo`.
 *
 * The look-alike vendor runs in this process; everything else is done by the same functions as the commands, over real sockets. The demo is a project
 * folder of its own (DIR/demo). The vendor's clock goes on where the lake says that the last demo stopped, and the program's wall clock follows it, so
 * that "received" and "known" are moments of the vendor's world. */
#ifndef NX_APP_DEMO_H
#define NX_APP_DEMO_H

#include "app/project.h"
#include "data/json.h"
#include "sim/sim.h"

typedef struct nx_demo {
    const nx_globals *g; /* as given */
    nx_globals inner;    /* of the demo's project */
    nx_arena arena;
    nx_sim *sim;
    char url[64], ws_url[64];
    char vendor[64]; /* its name: the port changes from run to run, the world of a seed does not */
    const char *symbols[32];
    nx_project p;
    uint64_t began;
    double step_seconds;
    int steps_done;
    int64_t rows_before; /* in all tables */
    bool published;
    int64_t rows_changed;
} nx_demo;

/* The steps, in order; each prints a line to stderr. */
NX_MUST_USE nx_status nx__demo_load(nx_demo *d, nx_err *err);  /* backfill by REST, the live stretch by WebSocket */
NX_MUST_USE nx_status nx__demo_build(nx_demo *d, nx_err *err); /* enrich, dbt, checks, publish */
NX_MUST_USE nx_status nx__demo_show(nx_demo *d, nx_err *err);  /* mart, symbols, tables; or JSON */
/* The verdict on each symbol, as a table with its key, or as an array into w. */
NX_MUST_USE nx_status nx__demo_print_symbols(nx_demo *d, nx_err *err);
NX_MUST_USE nx_status nx__demo_json_symbols(nx_demo *d, nx_jw *w, nx_err *err);
/* "  3  models built        94 nodes           2.1 s" */
void nx__demo_step(nx_demo *d, const char *what, const char *fmt, ...) NX_PRINTF(3, 4);
/* Rows of all tables together, at their newest versions. */
NX_MUST_USE nx_status nx__demo_rows(nx_demo *d, int64_t *ret, nx_err *err);

#endif
