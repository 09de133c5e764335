/* Cashtags, guarded bare symbols, and everything that only looks like one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "enrich/mentions.h"

static nx_symbols *table;

/* "AAPL:cashtag@0-5 …", in a static buffer. */
static const char *found(const char *text, int64_t at_us)
{
    static char out[4096];
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    const nx_mention *m;
    size_t n, len = 0;
    assert_int_equal(nx_mentions_find(table, nx_str_of(text), at_us, &a, &m, &n, NULL), NX_OK);
    out[0] = '\0';
    for (size_t i = 0; i < n && len < sizeof out; i++)
        len += (size_t)snprintf(out + len, sizeof out - len, "%s" NX_STR_FMT ":%s@%d-%d", i == 0 ? "" : " ",
                                NX_STR_ARG(m[i].symbol), nx_mention_kind_name(m[i].kind), m[i].span_from, m[i].span_to);
    return out;
}

static void expect(const char *text, const char *want)
{
    const char *got = found(text, 0);
    if (strcmp(got, want) != 0)
        fail_msg("\"%s\": got \"%s\", expected \"%s\"", text, got, want);
}

static void test_cashtags(void **state)
{
    (void)state;
    expect("$AAPL", "AAPL:cashtag@0-5");
    expect("long $aapl, short ($GME).", "AAPL:cashtag@5-10 GME:cashtag@19-23");
    expect("$BRK.B and $brk.b!", "BRK.B:cashtag@0-6 BRK.B:cashtag@11-17");
    expect("$AAPL.", "AAPL:cashtag@0-5");
    expect("$AAPL.X", "AAPL:cashtag@0-5");
    expect("$42.36 $100k $5B $$$ US$AAPL $$AAPL $AAPLX $AAPL1 $ZZZZ", "");
    expect("#$AAPL", "AAPL:cashtag@1-6");
    expect("$F", "F:cashtag@0-2");
    expect("$AAPL\xE2\x80\x99s quarter", "AAPL:cashtag@0-5");
}

static void test_bare(void **state)
{
    (void)state;
    expect("I think AAPL goes up", "AAPL:bare@8-12");
    expect("AAPL", "AAPL:bare@0-4");
    expect("aapl is Aapl", "");
    expect("AAPL, GME. AMD!", "AAPL:bare@0-4 GME:bare@6-9 AMD:bare@11-14");
    expect("xAAPL AAPLx AAPL5 _AAPL @AAPL #AAPL", "");
    expect("AMD-like, post-AMD, AMD's, AMD.com, R&AMD, AMD&co, n/AMD", "");
    expect("R&amp;AMD", "");
    expect("\xC3\x89"
           "AMD",
           "");
    expect("\xE2\x80\x9C"
           "AMD\xE2\x80\x9D",
           "AMD:bare@3-6");
    expect("\xF0\x9F\x9A\x80"
           "AMD\xF0\x9F\x9A\x80",
           "AMD:bare@4-7");
}

static void test_ambiguous_words_need_evidence(void **state)
{
    (void)state;
    expect("this is ALL I have", "");
    expect("the DD on this", "");
    expect("bought ALL shares at 30", "ALL:bare@7-10");
    expect("ALL 1/15 120c", "ALL:bare@0-3");
    expect("my $ALL and ALL of it", "ALL:cashtag@3-7 ALL:bare@12-15");
    expect("F is a letter, buy F calls", "");
    expect("$F is cheap, F it", "F:cashtag@0-2 F:bare@13-14");
}

static void test_shouting(void **state)
{
    (void)state;
    expect("EVERYBODY LOOK AT AMD NOW", "");
    expect("EVERYBODY LOOK AT $AMD NOW", "AMD:cashtag@18-22");
    expect("SHOUTING MAKES NO SENSE. But AMD does", "AMD:bare@29-32");
}

static void test_places_not_looked_at(void **state)
{
    (void)state;
    expect("https://x.com/AMD?q=$AAPL www.AMD.com", "");
    expect("[AMD](http://site/GME) yes", "AMD:bare@1-4");
    expect("`AMD` and ```\nGME\n``` but AAPL", "AAPL:bare@26-30");
    expect("> AMD said\nGME said", "GME:bare@11-14");
    expect("&gt; AMD said\nGME said", "GME:bare@14-17");
    expect("u/AMD /r/GME r/AMD_Stock", "");
    expect("an unclosed ` AMD", "AMD:bare@14-17");
}

static void test_listing_times(void **state)
{
    (void)state;
    assert_string_equal(found("OLDC", 50), "OLDC:bare@0-4");
    assert_string_equal(found("OLDC", 100), "");
    assert_string_equal(found("OLDC", 200), "OLDC:bare@0-4");
    size_t n = nx_symbols_count(table);
    assert_int_equal(nx_symbols_add(table, NX_STR("BTC/USD"), INT64_MIN, INT64_MAX, NULL), NX_OK);
    assert_int_equal(nx_symbols_add(table, NX_STR("toolong"), INT64_MIN, INT64_MAX, NULL), NX_OK);
    assert_int_equal(nx_symbols_count(table), n);
}

static void test_limits(void **state)
{
    (void)state;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(nx_buf_adds(&b, "$AAPL "), NX_OK);
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    const nx_mention *m;
    size_t n;
    assert_int_equal(nx_mentions_find(table, nx_buf_str(&b), 0, &a, &m, &n, NULL), NX_OK);
    assert_int_equal(n, NX_MENTIONS_MAX);
    expect("", "");
    expect("$", "");
    expect("\xff\xfe $AAPL \xc3", "AAPL:cashtag@3-8");
}

int main(void)
{
    static const char *const symbols[] = {"AAPL", "GME", "AMD", "ALL", "DD", "F", "BRK.B", "NOW"};
    if (nx_symbols_new(&table, NULL) != NX_OK)
        return 1;
    for (size_t i = 0; i < NX_COUNT_OF(symbols); i++)
        if (nx_symbols_add(table, nx_str_of(symbols[i]), INT64_MIN, INT64_MAX, NULL) != NX_OK)
            return 1;
    if (nx_symbols_add(table, NX_STR("OLDC"), INT64_MIN, 100, NULL) != NX_OK ||
        nx_symbols_add(table, NX_STR("OLDC"), 200, 300, NULL) != NX_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cashtags),
        cmocka_unit_test(test_bare),
        cmocka_unit_test(test_ambiguous_words_need_evidence),
        cmocka_unit_test(test_shouting),
        cmocka_unit_test(test_places_not_looked_at),
        cmocka_unit_test(test_listing_times),
        cmocka_unit_test(test_limits),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    nx_symbols_drop(table);
    return rc;
}
