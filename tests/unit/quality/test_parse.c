/* What check files say, and what is refused with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "quality/quality.h"

static nx_status add(nx_quality *q, const char *text, nx_err *err)
{
    nx_err_clear(err);
    return nx_quality_add(q, "c.yml", nx_str_of(text), err);
}

static void test_accepted(void **state)
{
    (void)state;
    static const char *const files[] = {
        "checks for bronze.trades:\n  - row_count > 0\n",
        "checks for t:\n  - missing_count(price) = 0\n  - missing_percent(price) < 5%\n  - duplicate_count(a, b) = 0\n",
        "checks for t:\n  - row_count between 1 and 10\n  - row_count not between (1 and 10)\n  - avg(x) between [1 "
        "and 2.5)\n",
        "checks for t:\n  - invalid_count(venue) = 0:\n      valid values: [N, Q, 1]\n      name: Known venues\n      "
        "attributes: {team: md}\n",
        "checks for t:\n  - invalid_percent(s) < 1:\n      valid regex: '^[A-Z]+$'\n      valid min length: 1\n      "
        "missing values: ['', N/A]\n",
        "checks for t:\n  - missing_percent(p):\n      warn: when > 1\n      fail: when > 5\n      filter: venue = "
        "'N'\n",
        "checks for t:\n  - freshness(ts) < 1d2h\n  - freshness(ts):\n      warn: when > 30m\n      fail: when > 2h\n",
        "checks for t:\n  - schema:\n      fail:\n        when required column missing: [a]\n        when wrong column "
        "type: {a: int}\n      warn:\n        when forbidden column present: [tmp%]\n        when wrong column index: "
        "{a: 0}\n",
        "checks for t:\n  - failed rows:\n      name: Negative\n      fail condition: price < 0\n  - failed rows:\n    "
        "  fail query: select * from t where x = 1;\n      warn: when > 1\n      fail: when > 10\n",
        "checks for t:\n  - values in (a, b) must exist in other (x, y)\n  - values in (a) must not exist in other "
        "(x)\n  - row_count same as other\n",
        "filter t [day]:\n  where: d = '2024-01-01'\nchecks for t [day]:\n  - row_count > 0\n",
        "checks:\n  - failed rows:\n      fail query: select 1 where false\n",
        "# nothing\n",
    };
    for (size_t i = 0; i < NX_COUNT_OF(files); i++) {
        nx_quality *q = nx_quality_new();
        nx_err err;
        if (add(q, files[i], &err) != NX_OK)
            fail_msg("%s\n%s", files[i], err.text);
        nx_quality_free(q);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *file, *text;
        nx_status st;
    } rows[] = {
        {"for each dataset T:\n  datasets: [a]\n", "c.yml:2: the section 'for each dataset' is not supported",
         NX_UNSUPPORTED},
        {"variables:\n  a: 1\n", "c.yml:2: the section 'variables' is not supported", NX_UNSUPPORTED},
        {"discover datasets:\n  datasets: [a]\n", "c.yml:2: the section 'discover datasets' is not supported",
         NX_UNSUPPORTED},
        {"check for t:\n  - row_count > 0\n", "c.yml:2: unknown section 'check for t'", NX_UNSUPPORTED},
        {"dataset: a/b\ncolumns: []\n", "c.yml:1: this is a contract of Soda 4; checks are written in SodaCL (Soda 3)",
         NX_UNSUPPORTED},
        {"- a\n", "c.yml:1: a check file is a map of sections such as 'checks for TABLE:'", NX_INVALID},
        {"checks for t:\n  - change for row_count < 5\n", "c.yml:2: the check 'change' is not supported",
         NX_UNSUPPORTED},
        {"checks for t:\n  - anomaly detection for row_count\n",
         "c.yml:2: the check 'anomaly detection' is not supported", NX_UNSUPPORTED},
        {"checks for t:\n  - group by:\n      query: x\n", "c.yml:2: the check 'group by' is not supported",
         NX_UNSUPPORTED},
        {"checks for t:\n  - freshness using ts < 1d\n", "c.yml:2: the check 'freshness using' is not supported",
         NX_UNSUPPORTED},
        {"checks for t:\n  - row_cont > 0\n", "c.yml:2: unknown check or metric 'row_cont'", NX_UNSUPPORTED},
        {"checks for t:\n  - row_count\n", "c.yml:2: 'row_count' needs a threshold such as '= 0', or warn and fail",
         NX_INVALID},
        {"checks for t:\n  - row_count > many\n", "c.yml:2: 'many' is no number", NX_INVALID},
        {"checks for t:\n  - row_count about 5\n",
         "c.yml:2: 'about 5' is no threshold: it starts with <, <=, =, >=, >, != or between", NX_INVALID},
        {"checks for t:\n  - row_count between 5 and 1\n", "c.yml:2: 'between' needs the smaller value first",
         NX_INVALID},
        {"checks for t:\n  - row_count between 5\n", "c.yml:2: 'between' needs two values: between 1 and 2",
         NX_INVALID},
        {"checks for t:\n  - freshness(ts) < 1 day\n", "c.yml:2: '1 day' is no duration such as 1d2h30m", NX_INVALID},
        {"checks for t:\n  - missing_count = 0\n", "c.yml:2: missing_count takes one column: NAME(column)", NX_INVALID},
        {"checks for t:\n  - row_count(a) > 0\n", "c.yml:2: row_count takes no column", NX_INVALID},
        {"checks for t:\n  - invalid_count(a) = 0\n",
         "c.yml:2: 'invalid_count(a) = 0' does not say what is valid: add valid values, valid regex, valid min, …",
         NX_INVALID},
        {"checks for t:\n  - invalid_count(a) = 0:\n      valid format: phone number\n",
         "c.yml:3: 'valid format: phone number' is no supported format", NX_UNSUPPORTED},
        {"checks for t:\n  - missing_count(a) = 0:\n      samples limit: 5\n",
         "c.yml:3: 'samples limit' is not supported below 'missing_count(a) = 0'", NX_UNSUPPORTED},
        {"checks for t:\n  - missing_count(a) = 0:\n      valid min: 5\n",
         "c.yml:3: 'valid min' is not supported below 'missing_count(a) = 0'", NX_UNSUPPORTED},
        {"checks for t:\n  - row_count > 0:\n      fail: when > 5\n",
         "c.yml:2: 'row_count > 0' has its threshold twice: in its text and as warn or fail", NX_INVALID},
        {"checks for t:\n  - row_count:\n      fail: 5\n", "c.yml:3: 'fail' is written 'fail: when > 5'", NX_INVALID},
        {"checks for t:\n  - row_count > 0:\n    name: x\n",
         "c.yml:2: a check has one key; indent what belongs to 'row_count > 0' below it", NX_INVALID},
        {"checks for t:\n  - values in (a, b) must exist in o (x)\n", "c.yml:2: 2 columns cannot be looked up in 1",
         NX_INVALID},
        {"checks for t:\n  - values in (a) should exist in o (x)\n",
         "c.yml:2: expected 'must exist in TABLE (columns)' at 'should exist in o (x)'", NX_INVALID},
        {"checks for t:\n  - row_count same as o in other_source\n",
         "c.yml:2: 'row_count same as' is supported for a whole table of the lake, not with a data source or partition",
         NX_UNSUPPORTED},
        {"checks for t:\n  - schema:\n      fail:\n        when schema changes: any\n",
         "c.yml:4: 'when schema changes' is not supported below 'schema'", NX_UNSUPPORTED},
        {"checks for t:\n  - schema\n", "c.yml:2: a schema check needs warn or fail with its rules", NX_INVALID},
        {"checks for t:\n  - failed rows:\n      name: x\n",
         "c.yml:2: failed rows need 'fail condition: SQL' or 'fail query: SELECT …'", NX_INVALID},
        {"checks for t [day]:\n  - row_count > 0\n", "c.yml:2: there is no section 'filter t [day]'", NX_INVALID},
        {"checks:\n  - row_count > 0\n",
         "c.yml:2: 'row_count > 0' needs a table: only failed rows with a fail query stand below 'checks:'",
         NX_INVALID},
        {"checks for t:\n  - row_count > 0:\n      filter: d = '${DAY}'\n",
         "c.yml:2: variables (${…}) are not supported in 'row_count > 0'", NX_UNSUPPORTED},
        {"checks for t: row_count > 0\n", "c.yml:1: 'checks for t' needs a list of checks", NX_INVALID},
    };
    for (size_t i = 0; i < NX_COUNT_OF(rows); i++) {
        nx_quality *q = nx_quality_new();
        nx_err err;
        nx_status st = add(q, rows[i].file, &err);
        if (st != rows[i].st || strcmp(err.text, rows[i].text) != 0)
            fail_msg("%s  gave: %s %s\n  want: %s %s", rows[i].file, nx_status_name(st), err.text,
                     nx_status_name(rows[i].st), rows[i].text);
        assert_int_equal(nx_quality_count(q), 0);
        nx_quality_free(q);
    }
}

static void test_near_metric_is_suggested(void **state)
{
    (void)state;
    nx_quality *q = nx_quality_new();
    nx_err err;
    assert_int_equal(add(q, "checks for t:\n  - mising_count(a) = 0\n", &err), NX_UNSUPPORTED);
    assert_string_equal(err.hint, "did you mean missing_count?");
    nx_quality_free(q);
}

static void test_broken_yaml(void **state)
{
    (void)state;
    nx_quality *q = nx_quality_new();
    nx_err err;
    assert_int_equal(add(q, "checks for t: [\n", &err), NX_INVALID);
    assert_non_null(strstr(err.text, "c.yml"));
    nx_quality_free(q);
}

/* A folder is read in the order of its names; a bad file leaves nothing of itself behind. */
static void test_folder(void **state)
{
    (void)state;
    char dir[] = "/tmp/nx_quality_XXXXXX", path[128];
    nx_err err;
    assert_non_null(mkdtemp(dir));
    static const char *const files[][2] = {{"b.yml", "checks for two:\n  - row_count > 0\n"},
                                           {"a.yaml", "checks for one:\n  - row_count > 0\n  - row_count < 9\n"},
                                           {"notes.txt", "no yaml: ["}};
    for (size_t i = 0; i < NX_COUNT_OF(files); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i][0]);
        assert_int_equal(nx_file_replace(path, nx_str_of(files[i][1]), &err), NX_OK);
    }
    nx_quality *q = nx_quality_new();
    assert_int_equal(nx_quality_add_path(q, dir, &err), NX_OK);
    size_t n;
    const char *const *tables = nx_quality_tables(q, &n);
    assert_int_equal(n, 2);
    assert_string_equal(tables[0], "one");
    assert_string_equal(tables[1], "two");
    assert_int_equal(nx_quality_count(q), 3);
    assert_int_equal(add(q, "checks for three:\n  - row_count > 0\n  - nonsense > 1\n", &err), NX_UNSUPPORTED);
    assert_int_equal(nx_quality_count(q), 3);
    (void)nx_quality_tables(q, &n);
    assert_int_equal(n, 2);
    assert_int_equal(nx_quality_add_path(q, "/nowhere/at/all", &err), NX_NOT_FOUND);
    nx_quality_free(q);
    assert_int_equal(nx_dir_remove(dir, &err), NX_OK);
}

/* The files that come with the product compile, and gold has checks for each of its tables. */
static void test_shipped_files(void **state)
{
    (void)state;
    static const char *const gold[] = {"gold.dim_date",
                                       "gold.dim_symbol",
                                       "gold.dim_subreddit",
                                       "gold.fct_market_daily",
                                       "gold.fct_market_intraday",
                                       "gold.fct_mentions",
                                       "gold.fct_sentiment_daily",
                                       "gold.daily_sentiment_impact_on_volatility"};
    nx_quality *q = nx_quality_new();
    nx_err err;
    if (nx_quality_add_path(q, "quality", &err) != NX_OK)
        fail_msg("%s", err.text);
    size_t n;
    const char *const *tables = nx_quality_tables(q, &n);
    for (size_t i = 0; i < NX_COUNT_OF(gold); i++) {
        bool found = false;
        for (size_t k = 0; k < n; k++)
            found |= strcmp(tables[k], gold[i]) == 0;
        if (!found)
            fail_msg("no checks for %s", gold[i]);
    }
    nx_quality_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_near_metric_is_suggested),
        cmocka_unit_test(test_broken_yaml),
        cmocka_unit_test(test_folder),
        cmocka_unit_test(test_shipped_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
