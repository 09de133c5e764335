/* What the tests of tables share: an empty lake in a temporary folder, an engine that knows its tables, short ways to
 * ask. */
#ifndef LAKE_KIT_H
#define LAKE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "lake/lake.h"

typedef struct kit {
    char dir[64];
    nx_engine *e;
    nx_session *s;
    nx_lake *l;
    nx_err err;
} kit;

static inline nx_status kit_resolve(void *ctx, nx_session *s, nx_str name, nx_buf *sql, nx_err *err)
{
    (void)s;
    kit *k = ctx;
    return nx_lake_scan_sql(k->l, name, sql, err);
}

static inline int kit_up(void **state)
{
    kit *k = calloc(1, sizeof *k);
    snprintf(k->dir, sizeof k->dir, "/tmp/nexus-lake-XXXXXX");
    if (mkdtemp(k->dir) == NULL)
        return -1;
    nx_engine_opts eo = {.memory_bytes = (uint64_t)256 << 20, .threads = 2, .resolve = kit_resolve, .resolve_ctx = k};
    nx_lake_opts lo = {.root = k->dir, .engine_info = "nexus/test"};
    if (nx_engine_open(&eo, &k->e, &k->err) != NX_OK ||
        (lo.engine = k->e, nx_lake_open(&lo, &k->l, &k->err)) != NX_OK ||
        nx_session_open(k->e, &k->s, &k->err) != NX_OK) {
        printf("%s\n", k->err.text);
        return -1;
    }
    *state = k;
    return 0;
}

static inline int kit_down(void **state)
{
    kit *k = *state;
    nx_session_close(k->s);
    nx_lake_close(k->l);
    nx_engine_close(k->e);
    nx_status st = nx_dir_remove(k->dir, &k->err);
    free(k);
    return st == NX_OK ? 0 : -1;
}

/* The call must have gone well. */
#define FINE(k, expr)                                                                                                  \
    do {                                                                                                               \
        nx_err_clear(&(k)->err);                                                                                       \
        nx_status fine_st_ = (expr);                                                                                   \
        if (fine_st_ != NX_OK)                                                                                         \
            fail_msg("%s: %s: %s", #expr, nx_status_name(fine_st_), (k)->err.text);                                    \
    } while (0)

/* The call must fail with this status and say this. */
#define FAILS(k, status, says, expr)                                                                                   \
    do {                                                                                                               \
        nx_err_clear(&(k)->err);                                                                                       \
        nx_status fails_st_ = (expr);                                                                                  \
        if (fails_st_ != (status) || strstr((k)->err.text, says) == NULL)                                              \
            fail_msg("%s: %s, not %s: \"%s\"", #expr, nx_status_name(fails_st_), nx_status_name(status),               \
                     (k)->err.text);                                                                                   \
    } while (0)

/* One integer. */
static inline int64_t kit_int(kit *k, const char *sql)
{
    nx_result *r = NULL;
    nx_err_clear(&k->err);
    if (nx_session_query(k->s, nx_str_of(sql), &r, &k->err) != NX_OK)
        fail_msg("%s: %s", sql, k->err.text);
    assert_int_equal(nx_result_rows(r), 1);
    int64_t v = nx_result_i64(r, 0, 0, INT64_MIN);
    nx_result_drop(r);
    return v;
}

/* All rows as text: columns by '|', rows by ' '. Valid until the next call. */
static inline const char *kit_rows(kit *k, const char *sql)
{
    static char out[8192];
    nx_result *r = NULL;
    nx_buf b;
    nx_buf_init(&b, 0);
    nx_err_clear(&k->err);
    if (nx_session_query(k->s, nx_str_of(sql), &r, &k->err) != NX_OK)
        fail_msg("%s: %s", sql, k->err.text);
    for (size_t i = 0; i < nx_result_rows(r); i++)
        for (size_t c = 0; c < nx_result_cols(r); c++) {
            assert_int_equal(nx_buf_adds(&b, c > 0 ? "|" : i > 0 ? " " : ""), NX_OK);
            if (nx_result_is_null(r, i, c))
                assert_int_equal(nx_buf_adds(&b, "-"), NX_OK);
            else
                assert_int_equal(nx_result_text(r, i, c, &b), NX_OK);
        }
    snprintf(out, sizeof out, "%s", b.p == NULL ? "" : b.p);
    nx_buf_drop(&b);
    nx_result_drop(r);
    return out;
}

static inline nx_commit_result kit_write(kit *k, const nx_table_spec *spec, const nx_write_opts *o, const char *sql)
{
    nx_commit_result r;
    FINE(k, nx_lake_write_sql(k->l, k->s, spec, nx_str_of(sql), o, &r, &k->err));
    return r;
}

/* The text of a file below the lake. */
static inline char *kit_file(kit *k, const char *name)
{
    char path[512];
    nx_buf b;
    nx_buf_init(&b, 0);
    snprintf(path, sizeof path, "%s/%s", k->dir, name);
    FINE(k, nx_file_read(path, &b, &k->err));
    return nx_buf_take(&b);
}

static inline void kit_put(kit *k, const char *name, const char *text)
{
    char path[512], folder[512];
    snprintf(path, sizeof path, "%s/%s", k->dir, name);
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    FINE(k, nx_dir_make(folder, &k->err));
    FINE(k, nx_file_replace(path, nx_str_of(text), &k->err));
}

#endif
