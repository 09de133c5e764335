/* app/report.h - results of commands: one JSON object with --json, else aligned "name value" lines. */
#ifndef NX_APP_REPORT_H
#define NX_APP_REPORT_H

#include "app/cli.h"
#include "data/json.h"

typedef struct nx_report {
    const nx_globals *g;
    nx_buf b;
    nx_jw w;
} nx_report;

/* title: printed as a heading in text form, not at all as JSON. */
void nx_report_begin(nx_report *r, const nx_globals *g, const char *title);
void nx_report_i64(nx_report *r, const char *name, int64_t v);
void nx_report_f64(nx_report *r, const char *name, double v, const char *unit);
void nx_report_str(nx_report *r, const char *name, const char *v);
/* A value of the caller's own making, JSON only. */
nx_jw *nx_report_json(nx_report *r, const char *name);
/* Writes it to stdout. */
NX_MUST_USE nx_status nx_report_end(nx_report *r, nx_err *err);

#endif
