/* Times and calendars: texts to instants and back, New York days. Promise 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/rand.h"
#include "data/time.h"

static void calendar_agrees_with_the_system(void **state)
{
    (void)state;
    for (int32_t d = -400000; d <= 2932896; d += 37) {
        time_t t = (time_t)d * 86400;
        struct tm tm;
        assert_non_null(gmtime_r(&t, &tm));
        nx_civil c = nx_civil_of(d);
        assert_int_equal(c.year, tm.tm_year + 1900);
        assert_int_equal(c.month, tm.tm_mon + 1);
        assert_int_equal(c.day, tm.tm_mday);
        assert_int_equal(nx_weekday(d), (tm.tm_wday + 6) % 7);
        assert_int_equal(nx_days_of(c), d);
    }
    assert_int_equal(nx_days_of(nx_civil_of(INT32_MAX / 2)), INT32_MAX / 2);
    assert_int_equal(nx_days_of(nx_civil_of(INT32_MIN / 2)), INT32_MIN / 2);
}

/* Every day of years 0 to 9999 through text and back; this also checks the reader's own arithmetic against nx_days_of.
 */
static void dates_round_trip(void **state)
{
    (void)state;
    char out[16];
    int32_t first = nx_days_of((nx_civil){0, 1, 1}), last = nx_days_of((nx_civil){9999, 12, 31});
    for (int32_t d = first; d <= last; d++) {
        int32_t got;
        assert_int_equal(nx_date_format(d, out), 10);
        assert_true(nx_date_parse((nx_str){out, 10}, &got));
        assert_int_equal(got, d);
    }
    nx_date_format(first - 1, out);
    assert_string_equal(out, "-0001-12-31");
    nx_date_format(last + 1, out);
    assert_string_equal(out, "10000-01-01");
    nx_date_format(INT32_MIN, out);
    assert_string_equal(out, "-5877641-06-23");
    nx_date_format(INT32_MAX, out);
    assert_string_equal(out, "5881580-07-11");
}

static void dates_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"2023-02-29",
                                      "1900-02-29",
                                      "2024-02-30",
                                      "2024-04-31",
                                      "2024-00-01",
                                      "2024-13-01",
                                      "2024-01-00",
                                      "2024-01-32",
                                      "2024-1-01",
                                      "24-01-01",
                                      "2024/01/01",
                                      "2024-01-1 ",
                                      "2024-01-011",
                                      " 2024-01-01",
                                      "202a-01-01",
                                      "2024-01-0x",
                                      "-024-01-01",
                                      "2024-01-01T",
                                      "",
                                      "20240101",
                                      "\xFF"
                                      "024-01-01",
                                      "2024-\xB0"
                                      "1-01"};
    int32_t d = 5;
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++)
        assert_false(nx_date_parse(nx_str_of(bad[i]), &d));
    assert_int_equal(d, 5);
    assert_true(nx_date_parse(NX_STR("2000-02-29"), &d));
    assert_true(nx_date_parse(NX_STR("1970-01-01"), &d) && d == 0);
}

static void instants_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ns;
    } v[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01 00:00:00Z", 0},
        {"1970-01-01T00:00:00.000000001Z", 1},
        {"1969-12-31T23:59:59.999999999Z", -1},
        {"2024-01-02T03:04:05Z", 1704164645000000000},
        {"2024-01-02T03:04:05.1Z", 1704164645100000000},
        {"2024-01-02T03:04:05.12Z", 1704164645120000000},
        {"2024-01-02T03:04:05.123Z", 1704164645123000000},
        {"2024-01-02T03:04:05.12345678Z", 1704164645123456780},
        {"2024-01-02T03:04:05.123456789Z", 1704164645123456789},
        {"2024-01-02T03:04:05.123456789000000000Z", 1704164645123456789},
        {"2024-01-02T03:04:05.000000000000Z", 1704164645000000000},
        {"2024-01-02T03:04:05+00:00", 1704164645000000000},
        {"2024-01-02T03:04:05-00:00", 1704164645000000000},
        {"2024-01-02T03:04:05.5+05:30", 1704144845500000000},
        {"2024-01-01T22:04:05-05:00", 1704164645000000000},
        {"2024-01-02T03:04:05+23:59", 1704164645000000000 - 86340000000000},
        {"2024-02-29T23:59:59.999Z", 1709251199999000000},
        {"2262-04-11T23:47:16.854775807Z", INT64_MAX},
        {"1677-09-21T00:12:43.145224192Z", INT64_MIN},
        {"1677-09-21T00:12:43.145224193Z", INT64_MIN + 1},
        {"2262-04-12T23:46:16.854775807+23:59", INT64_MAX},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        int64_t ns = 7;
        if (!nx_time_parse_ns(nx_str_of(v[i].text), &ns) || ns != v[i].ns)
            fail_msg("%s gave %lld", v[i].text, (long long)ns);
    }
}

static void instants_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2024",
        "2024-01-02",
        "2024-01-02T03:04:05",
        "2024-01-02T03:04:05.5",
        "2024-01-02T03:04Z",
        "2024-01-02T03:04:05.Z",
        "2024-01-02T03:04:05.1234567891Z",
        "2024-01-02T03:04:05,5Z",
        "2024-01-02T24:00:00Z",
        "2024-01-02T23:60:00Z",
        "2024-01-02T23:59:60Z",
        "2024-02-30T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2024-13-01T00:00:00Z",
        "2024-01-02_03:04:05Z",
        "2024-01-02T03-04-05Z",
        "2024-01-02T03:04:05+0530",
        "2024-01-02T03:04:05+05",
        "2024-01-02T03:04:05+24:00",
        "2024-01-02T03:04:05+05:60",
        "2024-01-02T03:04:05ZZ",
        "2024-01-02T03:04:05 Z",
        " 2024-01-02T03:04:05Z",
        "2024-01-02T03:04:05.12a456789Z",
        "2024-01-02T03:04:05.1234567a9Z",
        "2024-01-02T03:04:0:Z",
        "2024-01-02T0x:04:05Z",
        "2262-04-11T23:47:16.854775808Z",
        "1677-09-21T00:12:43.145224191Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "20240102T030405Z",
        "2024-01-02T03:04:05.123456789",
        "2024-01-02T03:04:05+05:3",
        "2024-01-02T03:04:05\xDA",
        "2024-01-02T03:04:05.\xB1Z",
        "2024-01-0\xB2T03:04:05Z",
        "2024-01-02\x01"
        "03:04:05Z",
    };
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        int64_t ns = 7;
        if (nx_time_parse_ns(nx_str_of(bad[i]), &ns))
            fail_msg("%s was read as %lld", bad[i], (long long)ns);
        assert_true(ns == 7);
    }
}

/* Every prefix of a good text and every single byte changed: never read past the end (the sanitizers watch a heap
 * copy), and what is taken is what the format function would write. */
static void damaged_instants(void **state)
{
    (void)state;
    static const char good[] = "2024-01-02T03:04:05.123456789Z";
    char b[sizeof good];
    int64_t ns;
    for (size_t n = 0; n < sizeof good - 1; n++) {
        memcpy(b, good, sizeof good);
        assert_false(nx_time_parse_ns((nx_str){b, n}, &ns));
        for (int c = 0; c < 256; c++) {
            b[n] = (char)c;
            bool digit_place = good[n] >= '0' && good[n] <= '9', digit = c >= '0' && c <= '9';
            bool ok = nx_time_parse_ns((nx_str){b, sizeof good - 1}, &ns);
            if (digit_place && !digit)
                assert_false(ok);
            if (!digit_place && ok)
                assert_true(c == good[n] || (n == 10 && (c == 't' || c == ' ')) || (n == 29 && c == 'z'));
        }
    }
}

static void instants_round_trip(void **state)
{
    (void)state;
    nx_rand r;
    nx_rand_seed(&r, 5);
    static const int64_t unit[] = {1, 1000, 1000000, 1000000000};
    char out[40];
    for (int i = 0; i < 40000; i++) {
        int64_t ns = (int64_t)nx_rand_u64(&r), got = 0;
        ns -= ns % unit[i % 4];
        size_t n = nx_time_format_ns(ns, out);
        assert_int_equal(n, strlen(out));
        assert_true(nx_time_parse_ns((nx_str){out, n}, &got));
        assert_true(got == ns);
        int64_t us = nx_us_of_ns(ns);
        assert_true(us * 1000 <= ns && ns - us * 1000 < 1000);
        n = nx_time_format_us(us, out);
        if (ns > INT64_MIN + 1000) {
            assert_true(nx_time_parse_ns((nx_str){out, n}, &got));
            assert_true(got == us * 1000);
        }
    }
}

static void formats(void **state)
{
    (void)state;
    char out[40];
    nx_time_format_ns(1704164645000000000, out);
    assert_string_equal(out, "2024-01-02T03:04:05Z");
    nx_time_format_ns(1704164645120000000, out);
    assert_string_equal(out, "2024-01-02T03:04:05.120Z");
    nx_time_format_ns(-1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.999999999Z");
    nx_time_format_us(-1, out);
    assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
    nx_time_format_us(1704164645120000, out);
    assert_string_equal(out, "2024-01-02T03:04:05.120Z");
    nx_time_format_us(INT64_MAX, out);
    assert_string_equal(out, "294247-01-10T04:00:54.775807Z");
    nx_time_format_us(INT64_MIN, out);
    assert_string_equal(out, "-290308-12-21T19:59:05.224192Z");
    assert_int_equal(nx_days_of_us(-1), -1);
    assert_int_equal(nx_days_of_us(86400000000 - 1), 0);
    assert_true(nx_us_of_ns(-1) == -1 && nx_us_of_ns(-1000) == -1 && nx_us_of_ns(999) == 0);
    assert_true(nx_us_of_ns(INT64_MIN) == -9223372036854776);
}

static int64_t us_at(const char *text)
{
    int64_t ns;
    assert_true(nx_time_parse_ns(nx_str_of(text), &ns));
    return nx_us_of_ns(ns);
}

/* The last instant before each change and the change itself. Dates: 15 U.S.C. 260a and its amendments. */
static void new_york_changes(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *end;
    } years[] = {
        {"1967-04-30", "1967-10-29"}, {"1973-04-29", "1973-10-28"}, {"1974-01-06", "1974-10-27"},
        {"1975-02-23", "1975-10-26"}, {"1976-04-25", "1976-10-31"}, {"1986-04-27", "1986-10-26"},
        {"1987-04-05", "1987-10-25"}, {"1999-04-04", "1999-10-31"}, {"2000-04-02", "2000-10-29"},
        {"2006-04-02", "2006-10-29"}, {"2007-03-11", "2007-11-04"}, {"2013-03-10", "2013-11-03"},
        {"2015-03-08", "2015-11-01"}, {"2020-03-08", "2020-11-01"}, {"2024-03-10", "2024-11-03"},
        {"2026-03-08", "2026-11-01"},
    };
    const int64_t hour = 3600000000;
    for (size_t i = 0; i < NX_COUNT_OF(years); i++) {
        int32_t from, to;
        assert_true(nx_date_parse(nx_str_of(years[i].begin), &from) && nx_date_parse(nx_str_of(years[i].end), &to));
        int64_t begin = from * 24 * hour + 7 * hour, end = to * 24 * hour + 6 * hour;
        assert_int_equal(nx_ny_offset_s(begin - 1), -18000);
        assert_int_equal(nx_ny_offset_s(begin), -14400);
        assert_int_equal(nx_ny_offset_s(end - 1), -14400);
        assert_int_equal(nx_ny_offset_s(end), -18000);
        assert_true(nx_ny_to_us(from, 1, 59) == begin - 60000000);
        assert_true(nx_ny_to_us(from, 3, 0) == begin);
        assert_true(nx_ny_to_us(from, 2, 30) == begin + hour / 2); /* left out by the clock */
        assert_true(nx_ny_to_us(to, 1, 30) == end - hour / 2);     /* comes twice: the first */
        assert_true(nx_ny_to_us(to, 2, 0) == end + hour);
    }
}

static void new_york_dates(void **state)
{
    (void)state;
    char out[16];
    nx_date_format(nx_ny_date_of_us(us_at("2024-01-02T04:59:59.999999Z")), out);
    assert_string_equal(out, "2024-01-01");
    nx_date_format(nx_ny_date_of_us(us_at("2024-01-02T05:00:00Z")), out);
    assert_string_equal(out, "2024-01-02");
    nx_date_format(nx_ny_date_of_us(us_at("2024-07-02T03:59:59Z")), out);
    assert_string_equal(out, "2024-07-01");
    nx_date_format(nx_ny_date_of_us(us_at("2024-07-02T04:00:00Z")), out);
    assert_string_equal(out, "2024-07-02");
    nx_date_format(nx_ny_date_of_us(us_at("2024-01-01T00:00:00Z")), out);
    assert_string_equal(out, "2023-12-31");
    int32_t day;
    assert_true(nx_date_parse(NX_STR("2013-10-08"), &day));
    assert_true(nx_ny_to_us(day, 9, 30) == us_at("2013-10-08T13:30:00Z"));
    assert_true(nx_ny_to_us(day, 16, 0) == us_at("2013-10-08T20:00:00Z"));
    assert_int_equal(nx_ny_offset_s(INT64_MAX), -18000); /* nothing overflows at the ends */
    assert_int_equal(nx_ny_offset_s(INT64_MIN), -18000);
}

/* Against the zone file of this machine, each hour for 60 years, where there is one. */
static void new_york_agrees_with_the_zone_file(void **state)
{
    (void)state;
    char path[] = "/usr/share/zoneinfo/America/New_York";
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        print_message("no zone file at %s: not compared\n", path);
        skip();
    }
    fclose(f);
    char *old = getenv("TZ");
    old = old == NULL ? NULL : strdup(old);
    setenv("TZ", "America/New_York", 1);
    tzset();
    for (int64_t t = -86400 * 365 * 2; t < INT64_C(86400) * 365 * 62; t += 3600) { /* 1968 to 2031 */
        time_t s = (time_t)t;
        struct tm tm;
        localtime_r(&s, &tm);
        assert_int_equal(nx_ny_offset_s(t * 1000000), tm.tm_gmtoff);
    }
    if (old == NULL)
        unsetenv("TZ");
    else
        setenv("TZ", old, 1);
    tzset();
    free(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calendar_agrees_with_the_system),
        cmocka_unit_test(dates_round_trip),
        cmocka_unit_test(dates_refused),
        cmocka_unit_test(instants_are_read),
        cmocka_unit_test(instants_refused),
        cmocka_unit_test(damaged_instants),
        cmocka_unit_test(instants_round_trip),
        cmocka_unit_test(formats),
        cmocka_unit_test(new_york_changes),
        cmocka_unit_test(new_york_dates),
        cmocka_unit_test(new_york_agrees_with_the_zone_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
