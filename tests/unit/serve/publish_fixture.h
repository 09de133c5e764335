/* A lake of hand-written Delta tables, a PostgreSQL server, and a description of three tables for the publishing tests. */
#ifndef NX_TESTS_PUBLISH_FIXTURE_H
#define NX_TESTS_PUBLISH_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/json.h"
#include "data/type.h"
#include "pg_cluster.h"
#include "serve/publish.h"

typedef struct fixture {
    char dir[64];
    nx_engine *e;
    nx_session *s;
    nx_lake *lake;
    nx_pg *pg; /* a reader's connection */
    nx_arena a;
    char schema[32];
    int files;
} fixture;

static pg_cluster cluster;

static inline int start_cluster(void **state)
{
    (void)state;
    pg_cluster_start(&cluster);
    return 0;
}

static inline int stop_cluster(void **state)
{
    (void)state;
    pg_cluster_stop(&cluster);
    return 0;
}

static inline void open_lake(fixture *f)
{
    nx_err err = {0};
    nx_engine_opts eo = {.threads = 2, .memory_bytes = (uint64_t)256 << 20};
    if (nx_engine_open(&eo, &f->e, &err) != NX_OK || nx_session_open(f->e, &f->s, &err) != NX_OK)
        fail_msg("%s", err.text);
    nx_lake_opts lo = {.root = f->dir, .engine = f->e};
    if (nx_lake_open(&lo, &f->lake, &err) != NX_OK)
        fail_msg("%s", err.text);
}

static inline void close_lake(fixture *f)
{
    nx_lake_close(f->lake);
    nx_session_close(f->s);
    nx_engine_close(f->e);
}

static inline int setup(void **state)
{
    static int n;
    *state = NULL;
    if (cluster.server == 0)
        return 0;
    fixture *f = calloc(1, sizeof *f);
    nx_err err = {0};
    snprintf(f->dir, sizeof f->dir, "/tmp/nexus-publish-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->schema, sizeof f->schema, "nexus %d", ++n); /* a name that has to be quoted */
    nx_arena_init(&f->a, 0);
    open_lake(f);
    if (nx_pg_connect(cluster.dsn, &f->pg, &err) != NX_OK)
        fail_msg("%s", err.text);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    if (f == NULL)
        return 0;
    close_lake(f);
    nx_pg_close(f->pg);
    nx_arena_drop(&f->a);
    nx_err err = {0};
    assert_int_equal(nx_dir_remove(f->dir, &err), NX_OK);
    free(f);
    return 0;
}

static inline fixture *need(void **state)
{
    if (*state == NULL)
        skip();
    return *state;
}

/* ------------------------------------------------------------------ the lake */

static inline void put_commit(fixture *f, const char *folder, int version, const char *schema, const char *file,
                              int64_t bytes, const char *old)
{
    nx_buf b;
    nx_buf_init(&b, 0);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_key(&w, "metaData");
    nx_jw_obj(&w);
    nx_jw_key(&w, "id");
    nx_jw_cstr(&w, "11111111-2222-3333-4444-555555555555");
    nx_jw_key(&w, "format");
    nx_jw_raw(&w, NX_STR("{\"provider\":\"parquet\",\"options\":{}}"));
    nx_jw_key(&w, "schemaString");
    nx_jw_cstr(&w, schema);
    nx_jw_key(&w, "partitionColumns");
    nx_jw_raw(&w, NX_STR("[]"));
    nx_jw_key(&w, "configuration");
    nx_jw_raw(&w, NX_STR("{}"));
    nx_jw_obj_end(&w);
    nx_jw_obj_end(&w);
    assert_int_equal(nx_jw_end(&w), NX_OK);
    if (version == 0)
        assert_int_equal(nx_buf_adds(&b, "\n{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}"), NX_OK);
    if (old != NULL)
        assert_int_equal(
            nx_buf_addf(&b, "\n{\"remove\":{\"path\":\"%s\",\"deletionTimestamp\":1700000000000,\"dataChange\":true}}",
                        old),
            NX_OK);
    assert_int_equal(
        nx_buf_addf(
            &b,
            "\n{\"add\":{\"path\":\"%s\",\"partitionValues\":{},\"size\":%lld,\"modificationTime\":1700000000000,"
            "\"dataChange\":true}}\n",
            file, (long long)bytes),
        NX_OK);
    nx_err err = {0};
    const char *path = nx_arena_printf(&f->a, "%s/_delta_log/%020d.json", folder, version);
    if (nx_file_create(path, nx_buf_str(&b), &err) != NX_OK)
        fail_msg("%s", err.text);
    nx_buf_drop(&b);
}

static inline const char *data_file(fixture *f, int n)
{
    return nx_arena_printf(&f->a, "part-%d.parquet", n);
}

/* The table gold.NAME becomes the rows of the query, as its version `version`. */
static inline void put_table(fixture *f, const char *name, int version, const char *sql)
{
    nx_err err = {0};
    const char *folder = nx_arena_printf(&f->a, "%s/gold/%s", f->dir, name);
    assert_int_equal(nx_dir_make(nx_arena_printf(&f->a, "%s/_delta_log", folder), &err), NX_OK);
    nx_schema *schema = NULL;
    nx_file_stats fs;
    const char *file = data_file(f, version);
    if (nx_session_schema(f->s, nx_str_of(sql), &f->a, &schema, &err) != NX_OK ||
        nx_session_write_parquet(f->s, nx_str_of(sql), schema, nx_arena_printf(&f->a, "%s/%s", folder, file), NULL,
                                 &f->a, &fs, &err) != NX_OK)
        fail_msg("%s", err.text);
    nx_buf delta;
    nx_buf_init(&delta, 0);
    assert_int_equal(nx_schema_to_delta(schema, &delta), NX_OK);
    put_commit(f, folder, version, delta.p, file, fs.bytes, version == 0 ? NULL : data_file(f, version - 1));
    nx_buf_drop(&delta);
}

/* ------------------------------------------------------------------ the description */

static const char *const symbol_key[] = {"symbol_key", NULL}, *const fact_key[] = {"symbol_key", "day", NULL};
static const nx_publish_column symbol_columns[] = {{"symbol_key", "Hash of symbol and valid_from", false},
                                                   {"symbol", "Ticker, it's unique", true}};
static const nx_publish_column fact_columns[] = {{"price", "Last price", false}};
static const nx_publish_fkey to_symbol = {symbol_key, "dim_symbol"};
static const nx_publish_table descriptions[] = {
    /* the fact first: the order must not matter */
    {"fct_price", "gold.fct_price", "A row a symbol and day", fact_columns, 1, fact_key, &to_symbol, 1},
    {"dim_symbol", "gold.dim_symbol", "Symbols", symbol_columns, 2, symbol_key, NULL, 0},
};

#define DIM_SQL "SELECT i::BIGINT AS symbol_key, 'SYM' || i AS symbol FROM range(%d) r(i)"
#define FACT_SQL                                                                                                                    \
    "SELECT (i %% %d)::BIGINT AS symbol_key, DATE '2024-01-01' + (i // %d)::INT AS day, (i / 8)::DECIMAL(18,6) AS price, "          \
    "TIMESTAMPTZ '2024-01-02 03:04:05.123456+00' AS known_at, CASE WHEN i %% 3 = 0 THEN ['a', NULL] END AS tags, {'n': i} AS more " \
    "FROM range(%d) r(i)"

static inline void put_star(fixture *f, int version, int symbols, int rows)
{
    put_table(f, "dim_symbol", version, nx_arena_printf(&f->a, DIM_SQL, symbols));
    put_table(f, "fct_price", version, nx_arena_printf(&f->a, FACT_SQL, symbols, symbols, rows));
}

static inline nx_status publish_tables(fixture *f, const nx_publish_table *tables, size_t n, nx_publish_result *r,
                                       nx_err *err)
{
    nx_publish_opts o = {
        .lake = f->lake, .session = f->s, .dsn = cluster.dsn, .schema = f->schema, .tables = tables, .n_tables = n};
    *err = (nx_err){0};
    return nx_publish(&o, r, err);
}

/* Publishes the star and expects the counts. */
static inline void publish_counts(fixture *f, int64_t release, int64_t inserted, int64_t updated, int64_t deleted,
                                  bool left_alone)
{
    nx_publish_result r;
    nx_err err;
    if (publish_tables(f, descriptions, 2, &r, &err) != NX_OK)
        fail_msg("%s", err.text);
    int64_t i = 0, u = 0, d = 0;
    for (size_t k = 0; k < r.n_tables; k++) {
        i += r.tables[k].inserted;
        u += r.tables[k].updated;
        d += r.tables[k].deleted;
        assert_int_equal(r.tables[k].left_alone, left_alone);
    }
    assert_int_equal(i, inserted);
    assert_int_equal(u, updated);
    assert_int_equal(d, deleted);
    assert_int_equal(r.rows_changed, i + u + d);
    assert_int_equal(r.release_id, release);
    nx_publish_result_drop(&r);
}

static inline nx_err publish_refused(fixture *f, const nx_publish_table *tables, size_t n, nx_status want)
{
    nx_publish_result r;
    nx_err err;
    nx_status st = publish_tables(f, tables, n, &r, &err);
    if (st != want)
        fail_msg("%s (%s), expected %s", nx_status_name(st), err.text, nx_status_name(want));
    assert_int_equal(r.n_tables, 0);
    return err;
}

/* ------------------------------------------------------------------ the reader */

/* %s in the query is the schema. */
static inline const char *ask(fixture *f, const char *fmt)
{
    nx_err err = {0};
    nx_pg_result *r = NULL;
    nx_buf b;
    nx_buf_init(&b, 0);
    nx_str rest = nx_str_of(fmt);
    for (size_t at; (at = nx_str_find(rest, NX_STR("$S"), 0)) != SIZE_MAX; rest = nx_str_sub(rest, at + 2, rest.n))
        assert_int_equal(nx_buf_addf(&b, "%.*s\"%s\"", (int)at, rest.p, f->schema), NX_OK);
    assert_int_equal(nx_buf_add(&b, rest), NX_OK);
    if (nx_pg_query(f->pg, b.p, NULL, 0, &r, &err) != NX_OK)
        fail_msg("%s: %s", b.p, err.text);
    nx_buf_drop(&b);
    const char *value = nx_pg_rows(r) == 0 ? "(none)" : nx_pg_value(r, 0, 0);
    value = nx_arena_dup(&f->a, nx_str_of(value == NULL ? "(null)" : value));
    nx_pg_result_drop(r);
    return value;
}

#endif
