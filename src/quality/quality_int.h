/* quality/quality_int.h - compiled checks and what parser, SQL and scan share. */
#ifndef NX_QUALITY_QUALITY_INT_H
#define NX_QUALITY_QUALITY_INT_H

#include "data/value.h"
#include "quality/quality.h"

typedef enum qmetric {
    Q_ROW_COUNT,
    Q_MISSING, /* count or percent */
    Q_INVALID,
    Q_VALID,
    Q_DUPLICATE,
    Q_AGGREGATE, /* sql_fn over the valid rows */
    Q_FRESHNESS,
    Q_SCHEMA,
    Q_FAILED_CONDITION, /* text: SQL expression */
    Q_FAILED_QUERY,     /* text: SELECT */
    Q_REFERENCE,
    Q_SAME_COUNT
} qmetric;

typedef enum qop { QOP_NONE, QOP_LT, QOP_LE, QOP_GT, QOP_GE, QOP_EQ, QOP_NE, QOP_BETWEEN, QOP_NOT_BETWEEN } qop;

/* "> 5", "between (1 and 2]"; for freshness in seconds. */
typedef struct qbound {
    qop op;
    double a, b;
    bool open_a, open_b; /* the bound itself is outside */
    const char *text;
} qbound;

/* What makes a value missing or invalid. */
typedef struct qvalidity {
    const nx_val *missing_values, *valid_values, *invalid_values; /* lists or NULL */
    const char *missing_regex, *valid_regex, *invalid_regex;      /* NULL: none; formats are regexes too */
    const char *valid_min, *valid_max;                            /* as written */
    int64_t valid_length, min_length, max_length;                 /* -1: none */
    bool any_valid;                                               /* some rule beside missing */
} qvalidity;

/* One level (warn or fail) of a schema check. */
typedef struct qschema {
    const nx_val *required, *forbidden, *types, *indexes; /* NULL: no such rule */
} qschema;

typedef struct qtable {
    const char *name; /* as written */
    const char *sql;  /* quoted */
} qtable;

typedef struct qcheck {
    qmetric metric;
    bool percent;
    const char *metric_name;
    const char *sql_fn;
    const qtable *table; /* NULL: no table */
    const char *where;   /* of the partition; NULL: all rows */
    const char *partition;
    nx_str *cols;
    size_t n_cols;
    bool has_pass;
    qbound pass, warn, fail; /* pass: the condition in the check's own text */
    qvalidity valid;
    qschema schema_warn, schema_fail;
    const char *text;    /* SQL of failed rows */
    const qtable *other; /* reference, row_count same as */
    nx_str *other_cols;
    bool must_not_exist;
    const char *filter;
    const char *name, *definition, *attributes;
    const char *file;
    int line;
} qcheck;

struct nx_quality {
    nx_arena arena;
    qcheck *checks;
    size_t n, cap;
    qtable **tables; /* those with checks */
    size_t n_tables, cap_tables;
    const char **names; /* beside tables */
    size_t cap_names;
};

/* ---- parser ---- */

typedef struct qparser {
    nx_quality *q;
    nx_arena *a;
    const char *file;
    const nx_val *root;
    nx_err *err;
} qparser;

NX_PRINTF(4, 5) nx_status nx__quality_fail(qparser *p, nx_status st, int line, const char *fmt, ...);
/* parse_check.c: the items of a check list. */
nx_status nx__quality_parse_check(qparser *p, const nx_val *item, const qtable *table, const char *partition,
                                  const char *where);
/* parse_config.c: what stands below a check. */
nx_status nx__quality_parse_config(qparser *p, qcheck *c, const nx_val *config);
nx_status nx__quality_parse_schema(qparser *p, qcheck *c, const nx_val *config);
nx_status nx__quality_parse_failed_rows(qparser *p, qcheck *c, const nx_val *config);
/* A known table or a new one; name as written. */
nx_status nx__quality_table(qparser *p, int line, nx_str name, bool checked, const qtable **ret);
/* threshold.c: text after the metric, e.g. "between 1 and 2"; duration: values are times. Empty text: QOP_NONE. */
nx_status nx__quality_parse_bound(qparser *p, int line, nx_str text, bool duration, qbound *ret);
bool nx__quality_holds(const qbound *b, double v);
/* formats.c: regex of a named format, or NULL. */
const char *nx__quality_format_regex(nx_str name);

/* ---- SQL ---- */

/* Appends the expression that gives the check's value in one pass over its table. */
nx_status nx__quality_value_sql(const qcheck *c, nx_buf *sql);
bool nx__quality_is_aggregate(const qcheck *c); /* can share one query with others of its table */
/* A query of its own for checks that are not aggregates: one row, one column, the value. */
nx_status nx__quality_query_sql(const qcheck *c, nx_buf *sql);

/* ---- scan ---- */

typedef struct qscan {
    const nx_quality *q;
    nx_session *s;
    nx_scan *out;
    nx_err *err;
} qscan;

/* Runs sql and logs it in the scan. The engine's own error is written to *ret_error (NULL: none), the status is about memory
 * and interruption only. */
nx_status nx__quality_run(qscan *sc, const char *table, nx_str sql, nx_result **ret, const char **ret_error);
nx_status nx__quality_scan_schema(qscan *sc, const qcheck *c, nx_check_result *r);
nx_status nx__quality_scan_freshness(qscan *sc, const qcheck *c, nx_check_result *r);
/* Outcome, texts and counts from a value. */
nx_status nx__quality_decide(qscan *sc, const qcheck *c, nx_check_result *r, bool has, double value);
nx_status nx__quality_set_text(qscan *sc, const char **field, const char *fmt, ...) NX_PRINTF(3, 4);
/* "1d2h3m4s" */
const char *nx__quality_duration(nx_arena *a, double seconds);

#endif
