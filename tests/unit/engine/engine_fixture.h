/* A session and a temporary folder for the engine's tests. */
#ifndef NX_TESTS_ENGINE_FIXTURE_H
#define NX_TESTS_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "data/batch.h"
#include "engine/engine.h"

typedef struct fixture {
    nx_engine *e;
    nx_session *s;
    nx_arena a;
    char dir[64];
} fixture;

static inline int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    nx_err err = {0};
    snprintf(f->dir, sizeof f->dir, "/tmp/nexus-engine-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    nx_arena_init(&f->a, 0);
    nx_engine_opts o = {.threads = 2, .temp_dir = f->dir};
    assert_int_equal(nx_engine_open(&o, &f->e, &err), NX_OK);
    assert_int_equal(nx_session_open(f->e, &f->s, &err), NX_OK);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    nx_session_close(f->s);
    nx_engine_close(f->e);
    nx_arena_drop(&f->a);
    nx_err err = {0};
    assert_int_equal(nx_dir_remove(f->dir, &err), NX_OK);
    free(f);
    return 0;
}

static inline nx_result *query(fixture *f, const char *sql)
{
    nx_err err = {0};
    nx_result *r = NULL;
    if (nx_session_query(f->s, nx_str_of(sql), &r, &err) != NX_OK)
        fail_msg("%s: %s", sql, err.text);
    return r;
}

static inline void run(fixture *f, const char *sql)
{
    nx_result_drop(query(f, sql));
}

/* The text of the first value, in the fixture's arena. */
static inline const char *text_of(fixture *f, const char *sql)
{
    nx_result *r = query(f, sql);
    assert_true(nx_result_rows(r) > 0);
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_result_text(r, 0, 0, &b), NX_OK);
    const char *text = nx_arena_dup(&f->a, nx_buf_str(&b));
    nx_buf_drop(&b);
    nx_result_drop(r);
    return text;
}

static inline const char *path_in(fixture *f, const char *name)
{
    return nx_arena_printf(&f->a, "%s/%s", f->dir, name);
}

#endif
