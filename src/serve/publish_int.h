/* serve/publish_int.h - what the files of publishing share. */
#ifndef NX_SERVE_PUBLISH_INT_H
#define NX_SERVE_PUBLISH_INT_H

#include "pg/pg.h"
#include "serve/publish.h"

typedef struct nx__pub_table {
    const nx_publish_table *d;
    nx_table_info info; /* of the version that is published */
    const char *scan;   /* SELECT of that version */
    nx_schema *schema;  /* its columns */
    const char **names; /* of the columns */
    const char **key;   /* primary key, NULL-terminated as in d */
    size_t n_key;
    const char *target; /* "nexus"."fct" */
    const char *stage;  /* pg_temp."_staging_fct" */
    char ddl_md5[33];   /* of columns, types, keys and comments as wanted */
    bool exists;        /* the target is there */
    bool same_ddl;      /* and was made by this description */
    bool left_alone;
    int64_t rows;
    const char *checksum;
    int64_t inserted, updated, deleted;
} nx__pub_table;

typedef struct nx__pub {
    const nx_publish_opts *o;
    nx_arena *a;
    nx_pg *pg;
    nx_buf *script;       /* statements go there and not to a server; NULL otherwise */
    const char *schema;   /* nexus */
    const char *schema_q; /* "nexus" */
    nx__pub_table *tables;
    size_t n;
} nx__pub;

/* Quoted, in the arena; NULL with err set when memory is out or the name has a zero byte. */
const char *nx__pub_ident(nx__pub *p, const char *name, nx_err *err);
/* prefix"a", prefix"b", …; NULL with err set. */
const char *nx__pub_list(nx__pub *p, const char *const *names, size_t n, const char *prefix, nx_err *err);
bool nx__pub_in_key(const nx__pub_table *t, const char *column);
const nx_publish_column *nx__pub_column(const nx__pub_table *t, const char *name);

/* publish_state.c: the lock, the tables about releases, what the last release held. */
NX_MUST_USE nx_status nx__pub_lock(nx__pub *p, nx_err *err);
NX_MUST_USE nx_status nx__pub_state_make(nx__pub *p, nx_err *err);
NX_MUST_USE nx_status nx__pub_state_read(nx__pub *p, nx__pub_table *t, nx_err *err);
NX_MUST_USE nx_status nx__pub_release_write(nx__pub *p, int64_t *ret_id, nx_err *err);
NX_MUST_USE nx_status nx__pub_release_last(nx__pub *p, int64_t *ret_id, nx_err *err);

/* publish_script.c: formats a statement of a table's definition and runs it, or writes it down where there is a script. */
NX_PRINTF(3, 4) NX_MUST_USE nx_status nx__pub_define(nx__pub *p, nx_err *err, const char *fmt, ...);

/* publish_ddl.c: fingerprint first; before rows: tables and columns; after rows: NOT NULL, foreign keys, comments. */
NX_MUST_USE nx_status nx__pub_fingerprint(nx__pub *p, nx__pub_table *t, nx_err *err);
NX_MUST_USE nx_status nx__pub_ddl_before(nx__pub *p, nx__pub_table *t, nx_err *err);
NX_MUST_USE nx_status nx__pub_ddl_after(nx__pub *p, nx__pub_table *t, nx_err *err);
NX_MUST_USE nx_status nx__pub_columns_sql(const nx__pub_table *t, nx_buf *b);

/* publish_rows.c: the lake's rows into staging; staging into the target. */
NX_MUST_USE nx_status nx__pub_stage(nx__pub *p, nx__pub_table *t, nx_err *err);
NX_MUST_USE nx_status nx__pub_merge(nx__pub *p, nx__pub_table *t, nx_err *err);

#endif
