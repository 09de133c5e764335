/* Every text that the original program scored: 30,000 rated snippets, posts, comments and tweets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/file.h"
#include "data/json.h"
#include "enrich/vader.h"
#include "io/lines.h"

static nx_vader *vader;
static const char *shared;

/* Returns the number of lines; fails the test at the first that differs. */
static size_t compare_file(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/data/sentiment/%s.ndjson.zst", shared, name);
    nx_lines *l = NULL;
    nx_err err = {0};
    if (nx_lines_open(path, 0, &l, &err) != NX_OK)
        fail_msg("%s", err.text);
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_str line;
    size_t n = 0;
    nx_status st;
    while ((st = nx_lines_next(l, &line, &err)) == NX_OK) {
        nx_arena_reset(&a);
        nx_val *v;
        nx_vader_score s;
        assert_int_equal(nx_json_parse(line, NULL, &a, &v, &err), NX_OK);
        assert_int_equal(nx_vader_score_text(vader, nx_val_str(nx_val_get(v, "text"), NX_STR("")), &a, &s, &err),
                         NX_OK);
        if (s.compound != nx_val_f64(nx_val_get(v, "compound"), 9) || s.neg != nx_val_f64(nx_val_get(v, "neg"), 9) ||
            s.neu != nx_val_f64(nx_val_get(v, "neu"), 9) || s.pos != nx_val_f64(nx_val_get(v, "pos"), 9))
            fail_msg("%s line %zu: %.3f %.3f %.3f %.4f for " NX_STR_FMT, name, n + 1, s.neg, s.neu, s.pos, s.compound,
                     NX_STR_ARG(line));
        n++;
    }
    nx_lines_close(l);
    assert_int_equal(st, NX_NOTHING);
    return n;
}

static void test_references(void **state)
{
    (void)state;
    static const char *const names[] = {
        "vader/reference_nytEditorialSnippets",
        "vader/reference_tweets",
        "vader/reference_reddit_StockMarket",
        "vader/reference_reddit_investing",
        "vader/reference_reddit_stocks",
        "vader/reference_reddit_wallstreetbets",
        "vader/reference_reddit_wallstreetbets_comments",
        "vader/reference_reddit_wsb_io",
        "vader/reference_stocknet_AAPL_2014",
        "wsbs/reference_vader",
    };
    if (!nx_file_exists(shared)) {
        printf("skipped: no shared data at %s\n", shared);
        skip();
    }
    size_t n = 0;
    for (size_t i = 0; i < NX_COUNT_OF(names); i++)
        n += compare_file(names[i]);
    printf("%zu texts equal\n", n);
    assert_true(n > 20000);
}

int main(void)
{
    shared = getenv("NEXUS_SHARED");
    shared = shared == NULL ? "../shared" : shared;
    if (nx_vader_new(&vader, NULL) != NX_OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_references)};
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    nx_vader_drop(vader);
    return rc;
}
