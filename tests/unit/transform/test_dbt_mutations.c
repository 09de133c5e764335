/* Damaged projects: whatever a file holds, the answer is a status and a text, never a crash (run under ASan by `make test-asan`). */
#include "dbt_kit.h"

#include "base/rand.h"

enum { ROUNDS = 120 };

static const char *const FILES[] = {
    "dbt_project.yml",
    "profiles.yml",
    "macros/names.sql",
    "models/gold/daily.sql",
    "models/gold/docs.md",
    "models/gold/fct_trades.sql",
    "models/gold/gold.yml",
    "models/staging/int_latest.sql",
    "models/staging/sources.yml",
    "models/staging/stg_trades.sql",
    "seeds/symbols.csv",
    "snapshots/snapshots.yml",
    "tests/no_future_trades.sql",
    "tests/generic/positive.sql",
};

static const char *const TOKENS[] = {"{{",
                                     "}}",
                                     "{%",
                                     "%}",
                                     "'",
                                     "\"",
                                     ":",
                                     "- ",
                                     "[",
                                     "]",
                                     "\n",
                                     "  ",
                                     "ref(",
                                     "null",
                                     "~",
                                     "*",
                                     "&a",
                                     "config:",
                                     "name:",
                                     "data_tests:",
                                     "-1",
                                     "(",
                                     ")",
                                     ",",
                                     "+",
                                     "{% snapshot x %}",
                                     "{% endmacro %}",
                                     "\xC3\xA4",
                                     "\xFF"};

static void mutate(nx_rand *r, nx_buf *b)
{
    nx_buf out NX_BUF_AUTO;
    nx_buf_init(&out, 0);
    size_t at = (size_t)nx_rand_below(r, b->n + 1), to = at + (size_t)nx_rand_below(r, 16);
    to = to > b->n ? b->n : to;
    nx_str all = nx_buf_str(b);
    assert_int_equal(nx_buf_add(&out, nx_str_sub(all, 0, at)), NX_OK);
    switch (nx_rand_below(r, 3)) {
    case 0: /* something put in */
        assert_int_equal(nx_buf_adds(&out, TOKENS[nx_rand_below(r, NX_COUNT_OF(TOKENS))]), NX_OK);
        to = at;
        break;
    case 1: /* something doubled */
        assert_int_equal(nx_buf_add(&out, nx_str_sub(all, at, to)), NX_OK);
        to = at;
        break;
    default: /* something lost */
        break;
    }
    assert_int_equal(nx_buf_add(&out, nx_str_sub(all, to, b->n)), NX_OK);
    nx_buf_clear(b);
    assert_int_equal(nx_buf_add(b, nx_buf_str(&out)), NX_OK);
}

static void copy_file(kit *k, const char *path, nx_rand *r)
{
    char from[256], to[512];
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    snprintf(from, sizeof from, MARKET "/%s", path);
    snprintf(to, sizeof to, "%s/%s", k->project, path);
    assert_int_equal(nx_file_read(from, &b, &k->err), NX_OK);
    for (uint64_t n = r == NULL ? 0 : 1 + nx_rand_below(r, 3); n > 0; n--)
        mutate(r, &b);
    FILE *f = fopen(to, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
    assert_int_equal(fclose(f), 0);
}

static void damaged_projects(void **state)
{
    (void)state;
    kit k;
    nx_rand r;
    size_t refused = 0;
    nx_rand_seed(&r, 20);
    kit_open(&k, NULL);
    for (size_t i = 0; i < NX_COUNT_OF(FILES); i++)
        kit_file(&k, FILES[i], "");
    for (int round = 0; round < ROUNDS; round++) {
        size_t bad = (size_t)nx_rand_below(&r, NX_COUNT_OF(FILES));
        for (size_t i = 0; i < NX_COUNT_OF(FILES); i++)
            copy_file(&k, FILES[i], i == bad ? &r : NULL);
        nx_status st = kit_run(&k, "compile");
        if (st != NX_OK && st != NX_INVALID && st != NX_UNSUPPORTED)
            fail_msg("round %d, %s: %s: %s", round, FILES[bad], nx_status_name(st), k.err.text);
        assert_true(st == NX_OK || k.err.text[0] != '\0');
        refused += st != NX_OK;
    }
    assert_true(refused > ROUNDS / 4);
    kit_close(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(damaged_projects)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
