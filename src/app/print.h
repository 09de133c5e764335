/* app/print.h - what people see: tables, progress, sizes. Tables go to stdout, progress to stderr.
 * Thread   One at a time. */
#ifndef NX_APP_PRINT_H
#define NX_APP_PRINT_H

#include <stdio.h>

#include "app/cli.h"
#include "engine/engine.h"

typedef enum nx_out_form { NX_OUT_TABLE, NX_OUT_CSV, NX_OUT_JSON } nx_out_form;

/* The whole result. NX_OUT_TABLE: box with at most rows_max rows (0: all), numbers to the right; NX_OUT_CSV: RFC 4180 with header, null
 * empty; NX_OUT_JSON: {"columns":[...],"rows":[[...]]}. */
NX_MUST_USE nx_status nx_print_result(FILE *f, const nx_result *r, nx_out_form form, size_t rows_max, nx_err *err);

/* "12,345,678" and "1.5 MB"; out is returned. */
const char *nx_print_count(int64_t n, char out[32]);
const char *nx_print_bytes(int64_t n, char out[32]);

/* A progress line: on a terminal redrawn at most ten times a second, elsewhere one plain line every ten seconds. */
typedef struct nx_progress {
    bool on, tty;
    const char *what;       /* static */
    uint64_t started, last; /* monotonic ns */
} nx_progress;
void nx_progress_begin(nx_progress *p, const nx_globals *g, const char *what);
/* total 0: unknown. unit: "rows", "frames". */
void nx_progress_set(nx_progress *p, int64_t done, int64_t total, const char *unit);
void nx_progress_end(nx_progress *p); /* clears the line */

#endif
