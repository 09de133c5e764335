/* quality/quality.h
 *
 * Data checks in SodaCL (the language of Soda Core 3): compile check files once, then scan the tables of a session.
 * Spoken: row_count; missing_, invalid_, valid_ and duplicate_ count and percent; min, max, avg, sum, stddev*, var*, *_length;
 * freshness; schema; failed rows; reference (values in … must exist in …); row_count same as; thresholds with warn and
 * fail levels, names, filters, partitions. All else is refused by name with file and line when the file is compiled.
 *
 * Outcome    A value check passes NULL: presence is a check of its own. No value (avg over no rows) is "not evaluated".
 * Freshness  Age is now − max(column), UTC; a DATE counts to the end of its day; no rows is a failure. "< 1d" fails at
 *            exactly one day.
 * Percents   are rounded to two decimals before they are compared, as Soda does.
 * Threads    A compiled nx_quality may be scanned by several threads, each with its own session.
 */
#ifndef NX_QUALITY_QUALITY_H
#define NX_QUALITY_QUALITY_H

#include "base/arena.h"
#include "base/clock.h"
#include "engine/engine.h"

typedef struct nx_quality nx_quality; /* compiled checks of any number of files */

/* NULL when out of memory. */
nx_quality *nx_quality_new(void);
void nx_quality_free(nx_quality *q);
/* Compiles one file; name is shown in errors and results. NX_INVALID, NX_UNSUPPORTED: "FILE:LINE: what is wrong"; q then keeps
 * what other files gave, nothing of this one. */
NX_MUST_USE nx_status nx_quality_add(nx_quality *q, const char *name, nx_str text, nx_err *err);
/* The same from a file, or from every *.yml and *.yaml of a folder in the order of their names. */
NX_MUST_USE nx_status nx_quality_add_path(nx_quality *q, const char *path, nx_err *err);
size_t nx_quality_count(const nx_quality *q);
/* Names of the tables that checks are for, each once, in order; reference and comparison tables are not among them. */
const char *const *nx_quality_tables(const nx_quality *q, size_t *ret_n);

typedef enum nx_outcome {
    NX_OUTCOME_PASS,
    NX_OUTCOME_WARN,
    NX_OUTCOME_FAIL,
    NX_OUTCOME_ERROR,
    NX_OUTCOME_NONE
} nx_outcome;
/* "pass", "warn", "fail", "error", "not evaluated". */
const char *nx_outcome_name(nx_outcome o);

typedef struct nx_check_result {
    const char *table;      /* NULL for checks without one */
    const char *column;     /* the first column, or NULL */
    const char *name;       /* given, or the definition */
    const char *definition; /* "missing_count(price) = 0" */
    const char *metric;     /* "missing_count", "schema", "freshness", … */
    const char *file;
    int line;
    nx_outcome outcome;
    bool has_value;
    double value;            /* seconds for freshness */
    const char *value_text;  /* "3", "1d2h", "missing: trade_id"; NULL without value */
    const char *warn, *fail; /* the conditions: "> 1"; NULL where there is none */
    const char *detail;      /* why it failed in words, or the error; NULL when there is nothing to say */
    const char *attributes;  /* JSON as given, or NULL */
} nx_check_result;

typedef struct nx_scan_query {
    const char *table;
    const char *sql;
    const char *error; /* NULL: it went well */
    double seconds;
} nx_scan_query;

typedef struct nx_scan {
    nx_arena arena;          /* owns all texts */
    nx_check_result *checks; /* in the order of the files */
    size_t n;
    nx_scan_query *queries;
    size_t n_queries, cap_queries;
    size_t pass, warn, fail, error, none; /* how many of each */
    nx_wall_ns started, ended, now;
} nx_scan;

typedef struct nx_scan_opts {
    const char *const *tables; /* only these; NULL: all */
    size_t n_tables;
    nx_wall_ns now;                                                        /* for freshness; 0 means the wall clock */
    void (*progress)(void *ctx, size_t done, size_t n, const char *table); /* after every table; may be NULL */
    void *progress_ctx;
    const volatile bool *stop; /* asks to end: NX_CANCELLED; may be NULL */
} nx_scan_opts;

/* Runs all checks on the session's tables. Failing checks and broken queries are results, not errors: the status is NX_OK
 * unless memory is out or it was stopped. opts may be NULL. Drop with nx_scan_drop(). */
NX_MUST_USE nx_status nx_quality_scan(const nx_quality *q, nx_session *s, const nx_scan_opts *opts, nx_scan *ret,
                                      nx_err *err);
void nx_scan_drop(nx_scan *scan);
/* Soda's exit code: 0 all pass, 1 a warning, 2 a failure, 3 an error; the highest wins. */
int nx_scan_exit_soda(const nx_scan *scan);
/* The summary as Soda prints it; source names the lake ("trades in lake"). */
NX_MUST_USE nx_status nx_scan_print(const nx_scan *scan, const char *source, nx_buf *out);
/* One JSON object, keys as in Soda's scan results. */
NX_MUST_USE nx_status nx_scan_json(const nx_scan *scan, const char *source, nx_buf *out);

#endif
