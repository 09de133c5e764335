/* transform/snap_int.h - one snapshot on its way, between its steps (mat_snapshot.c) and its SQL (mat_snapshot_sql.c). */
#ifndef NX_TRANSFORM_SNAP_INT_H
#define NX_TRANSFORM_SNAP_INT_H

#include "transform/dbt_int.h"

typedef struct dbt_snap {
    dbt_project *p;
    dbt_node *n;
    const char *scd_id, *updated_at_col, *valid_from, *valid_to, *is_deleted; /* quoted */
    const char *updated_at;                                                   /* SQL over the source */
    const char *now;                                                          /* SQL literal */
    const char *current;                                                      /* dbt_valid_to_current or "null" */
    const char *open;                                                         /* SQL over the table: its row is open */
    dbt_list keys;                                                            /* SQL over source and table */
    bool check, invalidate, new_record;
    const nx_schema *src, *old; /* columns of the source, of the table (NULL at first) */
    const char *changed;        /* SQL: S differs from O */
} dbt_snap;

/* name as a quoted identifier, in the project's arena; NULL: out of memory. */
const char *nx__dbt_snap_quoted(dbt_project *p, nx_str name);
bool nx__dbt_snap_has(const nx_schema *s, nx_str name);
/* The rows of the source as new versions. The status is that of the buffer, here and below. */
NX_MUST_USE nx_status nx__dbt_snap_versions(const dbt_snap *s, nx_buf *b);
/* Fills s->changed. NX_INVALID: check_cols names what the query does not give. */
NX_MUST_USE nx_status nx__dbt_snap_changed(dbt_snap *s, nx_err *err);
/* Runs the comparison of source and table: its rows are in the temporary table __dbt_snapshot_changes. */
NX_MUST_USE nx_status nx__dbt_snap_stage(const dbt_snap *s, const char *table, nx_err *err);
/* All rows that share a touched dbt_scd_id, the open ones closed; then the new versions. added: columns new to the table. */
NX_MUST_USE nx_status nx__dbt_snap_final(const dbt_snap *s, const char *table, const dbt_list *added, nx_buf *b);

#endif
