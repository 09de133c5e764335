/* Numbers and times at their edges, from JSON text to the stored integer: what the lake holds is what the wire said, or
 * the value is refused. Limits: decimal(18,6) for stocks, decimal(38,18) for crypto, int64 nanoseconds for event times.
 * Promise 9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/decimal.h"
#include "data/json.h"
#include "data/time.h"

static const nx_val *read_one(nx_arena *a, const char *json)
{
    nx_val *v = NULL;
    nx_err err;
    if (nx_json_parse(nx_str_of(json), NULL, a, &v, &err) != NX_OK)
        fail_msg("%s: %s", json, err.text);
    return v;
}

static void decimals(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *stock, *crypto; /* NULL: refused */
    } v[] = {
        {"126.55", "126.550000", "126.550000000000000000"},
        {"0", "0.000000", "0.000000000000000000"},
        {"-0.0", "0.000000", "0.000000000000000000"},
        {"0.1", "0.100000", "0.100000000000000000"},
        {"0.30000000000000004", NULL, "0.300000000000000040"}, /* a double that leaked into the feed */
        {"0.000001", "0.000001", "0.000001000000000000"},
        {"0.0000001", NULL, "0.000000100000000000"},
        {"1e-18", NULL, "0.000000000000000001"},
        {"1e-19", NULL, NULL},
        {"10e-19", NULL, "0.000000000000000001"},
        {"999999999999.999999", "999999999999.999999", "999999999999.999999000000000000"},
        {"999999999999.9999990", "999999999999.999999", "999999999999.999999000000000000"},
        {"999999999999.9999999", NULL, "999999999999.999999900000000000"},
        {"1000000000000", NULL, "1000000000000.000000000000000000"},
        {"99999999999999999999.999999999999999999", NULL, "99999999999999999999.999999999999999999"},
        {"100000000000000000000", NULL, NULL},
        {"9007199254740993", NULL, "9007199254740993.000000000000000000"}, /* 2^53 + 1: no double holds it */
        {"9223372036854775808", NULL, "9223372036854775808.000000000000000000"},
        {"1.26550e2", "126.550000", "126.550000000000000000"},
        {"12655E-2", "126.550000", "126.550000000000000000"},
        {"1e308", NULL, NULL},
        {"1e-400", NULL, NULL},
        {"0e400", "0.000000", "0.000000000000000000"},
        {"123456789012.1234560000000000000000000000000000000000000000", "123456789012.123456",
         "123456789012.123456000000000000"},
        {"0.00000000000000000000000000000000000000000000001e47", "1.000000", "1.000000000000000000"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        nx_str text = read_one(&a, v[i].json)->s;
        assert_true(nx_str_is(text, v[i].json)); /* the tree keeps the text */
        for (int crypto = 0; crypto <= 1; crypto++) {
            const char *want = crypto ? v[i].crypto : v[i].stock;
            int scale = crypto ? 18 : 6;
            __int128 unscaled;
            char out[48];
            nx_dec_result r = nx_dec_parse(text, crypto ? 38 : 18, scale, &unscaled);
            if ((r == NX_DEC_OK) != (want != NULL))
                fail_msg("%s with scale %d: result %d", v[i].json, scale, (int)r);
            if (want == NULL)
                continue;
            nx_dec_format(unscaled, scale, out);
            assert_string_equal(out, want);
        }
    }
}

static void integers(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        int64_t want; /* -1: not an int64 */
    } v[] = {
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"9223372036854775808", -1},
        {"-9223372036854775809", -1},
        {"1e18", 1000000000000000000},
        {"1e19", -1},
        {"1.0", 1},
        {"1.5", -1},
        {"52983525029461", 52983525029461},
        {"9007199254740993", 9007199254740993},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        assert_true(nx_val_i64(read_one(&a, v[i].json), -1) == v[i].want);
    }
}

static void times(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *want; /* as written out again; NULL: refused */
    } v[] = {
        {"\"2021-02-22T15:51:44.208Z\"", "2021-02-22T15:51:44.208Z"},
        {"\"2021-02-22T15:51:45.335689322Z\"", "2021-02-22T15:51:45.335689322Z"},
        {"\"2021-02-22T15:51:45.33568932200Z\"", "2021-02-22T15:51:45.335689322Z"},
        {"\"2021-02-22T15:51:45.3356893221Z\"", NULL},
        {"\"2021-02-22T10:51:45-05:00\"", "2021-02-22T15:51:45Z"},
        {"\"2021-02-22T15:51:45\"", NULL}, /* no zone */
        {"\"2021-02-22\"", NULL},
        {"\"1970-01-01T00:00:00Z\"", "1970-01-01T00:00:00Z"},
        {"\"1969-12-31T23:59:59.999999999Z\"", "1969-12-31T23:59:59.999999999Z"},
        {"\"2016-12-31T23:59:60Z\"", NULL}, /* a leap second */
        {"\"2000-02-29T00:00:00Z\"", "2000-02-29T00:00:00Z"},
        {"\"2100-02-29T00:00:00Z\"", NULL},
        {"\"2262-04-11T23:47:16.854775807Z\"", "2262-04-11T23:47:16.854775807Z"},
        {"\"2262-04-11T23:47:16.854775808Z\"", NULL},
        {"\"1677-09-21T00:12:43.145224192Z\"", "1677-09-21T00:12:43.145224192Z"},
        {"\"1677-09-21T00:12:43.145224191Z\"", NULL},
        {"\"0001-01-01T00:00:00Z\"", NULL},                         /* what some languages write for \"no time\" */
        {"\"2021-02-22\\u005415:51:45Z\"", "2021-02-22T15:51:45Z"}, /* escapes are the reader's business */
        {"\"2021-02-22T15:51:45Z \"", NULL},
        {"1614009105", NULL}, /* a number has no text: its unit is never guessed */
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        NX_ARENA_AUTO nx_arena a;
        nx_arena_init(&a, 0);
        int64_t ns;
        char out[40];
        bool ok = nx_time_parse_ns(nx_val_str(read_one(&a, v[i].json), NX_STR("")), &ns);
        if (ok != (v[i].want != NULL))
            fail_msg("%s was %s", v[i].json, ok ? "taken" : "refused");
        if (!ok)
            continue;
        nx_time_format_ns(ns, out);
        assert_string_equal(out, v[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decimals),
        cmocka_unit_test(integers),
        cmocka_unit_test(times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
