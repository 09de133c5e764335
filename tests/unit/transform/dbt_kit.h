/* What the dbt tests share: a project in a folder of its own, a lake beside it, and what a command said. */
#ifndef TESTS_DBT_KIT_H
#define TESTS_DBT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "transform/dbt.h"

#define MARKET "tests/unit/transform/projects/market"

typedef struct kit {
    char dir[64];
    char project[96], lake_dir[96], state[96], target[96];
    nx_engine *engine;
    nx_lake *lake;
    nx_buf out, data; /* console lines without their time; lines of ls */
    nx_dbt_opts o;
    nx_dbt_result r;
    nx_err err;
} kit;

static void kit_line(void *ctx, const char *text)
{
    kit *k = ctx;
    assert_true(strlen(text) >= 10 && text[2] == ':' && text[8] == ' ');
    assert_int_equal(nx_buf_addf(&k->out, "%s\n", text + 10), NX_OK);
}

static void kit_data(void *ctx, const char *text)
{
    kit *k = ctx;
    assert_int_equal(nx_buf_addf(&k->data, "%s\n", text), NX_OK);
}

/* project NULL: an empty one below the kit's folder. */
NX_UNUSED static void kit_open(kit *k, const char *project)
{
    memset(k, 0, sizeof *k);
    snprintf(k->dir, sizeof k->dir, "/tmp/nexus-dbt-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    snprintf(k->project, sizeof k->project, project == NULL ? "%s/project" : "%s", project == NULL ? k->dir : project);
    snprintf(k->lake_dir, sizeof k->lake_dir, "%s/lake", k->dir);
    snprintf(k->state, sizeof k->state, "%s/state", k->dir);
    snprintf(k->target, sizeof k->target, "%s/target", k->dir);
    nx_buf_init(&k->out, 0);
    nx_buf_init(&k->data, 0);
    nx_engine_opts eo = {.memory_bytes = (uint64_t)256 << 20, .threads = 1};
    assert_int_equal(nx_engine_open(&eo, &k->engine, &k->err), NX_OK);
    nx_lake_opts lo = {.root = k->lake_dir, .engine = k->engine};
    assert_int_equal(nx_lake_open(&lo, &k->lake, &k->err), NX_OK);
}

NX_UNUSED static void kit_close(kit *k)
{
    nx_lake_close(k->lake);
    nx_engine_close(k->engine);
    nx_buf_drop(&k->out);
    nx_buf_drop(&k->data);
    assert_int_equal(nx_dir_remove(k->dir, &k->err), NX_OK);
}

NX_UNUSED static void kit_file(kit *k, const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s/%s", k->project, path);
    char *slash = strrchr(full, '/');
    *slash = '\0';
    assert_int_equal(nx_dir_make(full, &k->err), NX_OK);
    *slash = '/';
    assert_int_equal(nx_file_replace(full, nx_str_of(text), &k->err), NX_OK);
}

/* A project with nothing in it but its name, a target and schemas that are taken as they are. */
NX_UNUSED static void kit_bare(kit *k)
{
    kit_open(k, NULL);
    kit_file(k, "dbt_project.yml", "name: bare\nversion: '1'\nprofile: bare\n");
    kit_file(k, "profiles.yml", "bare:\n  target: dev\n  outputs:\n    dev: {type: nexus, schema: main}\n");
    kit_file(k, "macros/names.sql",
             "{% macro generate_schema_name(custom, node) %}{{ custom if custom is not none else target.schema }}{% "
             "endmacro %}");
}

NX_UNUSED static nx_status kit_run(kit *k, const char *command)
{
    nx_buf_clear(&k->out);
    nx_buf_clear(&k->data);
    k->err = (nx_err){0};
    k->o.command = command;
    k->o.project_dir = k->project;
    k->o.target_path = k->target;
    k->o.state_dir = k->state;
    k->o.engine = k->engine;
    k->o.lake = k->lake;
    k->o.line = kit_line;
    k->o.data = kit_data;
    k->o.ctx = k;
    return nx_dbt_run(&k->o, &k->r, &k->err);
}

NX_UNUSED static void kit_ok(kit *k, const char *command)
{
    nx_status st = kit_run(k, command);
    if (st != NX_OK)
        fail_msg("dbt %s: %s: %s\n%s", command, nx_status_name(st), k->err.text, k->out.p == NULL ? "" : k->out.p);
}

NX_UNUSED static void kit_select(kit *k, const char *select, const char *command)
{
    const char *list[] = {select, NULL};
    k->o.select = list;
    kit_ok(k, command);
    k->o.select = NULL;
}

NX_UNUSED static bool kit_says(const kit *k, const char *what)
{
    return k->out.p != NULL && strstr(k->out.p, what) != NULL;
}

NX_UNUSED static void kit_expect(const kit *k, const char *what)
{
    if (!kit_says(k, what))
        fail_msg("the console does not say '%s':\n%s", what, k->out.p == NULL ? "" : k->out.p);
}

/* The table as the query gives it: values joined by '|', rows by newline. */
NX_UNUSED static void kit_rows(kit *k, const char *sql, const char *want)
{
    nx_session *s;
    nx_result *r;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_session_open(k->engine, &s, &k->err), NX_OK);
    assert_int_equal(nx_lake_attach(k->lake, s, &k->err), NX_OK);
    assert_int_equal(nx_dbt_attach_views(k->lake, s, k->state, NULL, &k->err), NX_OK);
    if (nx_session_query(s, nx_str_of(sql), &r, &k->err) != NX_OK)
        fail_msg("%s: %s", sql, k->err.text);
    for (size_t i = 0; i < nx_result_rows(r); i++)
        for (size_t c = 0; c < nx_result_cols(r); c++) {
            assert_int_equal(nx_buf_adds(&b, c == 0 ? i == 0 ? "" : "\n" : "|"), NX_OK);
            assert_int_equal(nx_result_is_null(r, i, c) ? nx_buf_adds(&b, "-") : nx_result_text(r, i, c, &b), NX_OK);
        }
    nx_result_drop(r);
    nx_session_close(s);
    assert_string_equal(b.p == NULL ? "" : b.p, want);
}

/* Makes or replaces a lake table. */
NX_UNUSED static void kit_table(kit *k, const char *name, const char *sql)
{
    nx_session *s;
    nx_table_spec spec = {.name = name};
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
    nx_commit_result r;
    assert_int_equal(nx_session_open(k->engine, &s, &k->err), NX_OK);
    if (nx_lake_write_sql(k->lake, s, &spec, nx_str_of(sql), &o, &r, &k->err) != NX_OK)
        fail_msg("%s: %s", name, k->err.text);
    nx_session_close(s);
}

NX_UNUSED static int64_t kit_version(kit *k, const char *name)
{
    nx_table *t;
    nx_table_info info;
    assert_int_equal(nx_table_open(k->lake, name, &t, &k->err), NX_OK);
    assert_int_equal(nx_table_info_get(t, &info, &k->err), NX_OK);
    return info.version;
}

NX_UNUSED static void kit_read(const kit *k, const char *path, nx_buf *b)
{
    char full[512];
    nx_err err;
    snprintf(full, sizeof full, "%s/%s", k->dir, path);
    assert_int_equal(nx_file_read(full, b, &err), NX_OK);
}

#endif
