/* The published vectors of VADER and its corner cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "enrich/vader.h"

static nx_vader *vader;

static const struct {
    const char *text;
    double compound;
} vectors[] = {
    {"VADER is smart, handsome, and funny.", 0.8316},
    {"VADER is smart, handsome, and funny!", 0.8439},
    {"VADER is VERY SMART, handsome, and FUNNY!!!", 0.9342},
    {"VADER is VERY SMART, uber handsome, and FRIGGIN FUNNY!!!", 0.9469},
    {"VADER is not smart, handsome, nor funny.", -0.7424},
    {"At least it isn't a horrible book.", 0.431},
    {"The book was only kind of good.", 0.3832},
    {"The plot was good, but the characters are uncompelling and the dialog is not great.", -0.7042},
    {"Today SUX!", -0.5461},
    {"Today only kinda sux! But I'll get by, lol", 0.5249},
    {"Make sure you :) or :D today!", 0.8633},
    {"Catch utf-8 emoji such as 💘 and 💋 and 😁", 0.875},
    {"Sentiment analysis has never been this good!", 0.5672},
    {"With VADER, sentiment analysis is the shit!", 0.6476},
    {"On the other hand, VADER is quite bad ass", 0.802},
    {"Without a doubt, an excellent idea.", 0.7013},
    {"Roger Dodger is one of the least compelling variations on this theme.", -0.1695},
    {"love but growth", 0.5267},
    {"growth but love", 0.8225},
    {"no good", -0.3412},
    {"NO GOOD news", -0.5956},
    {"no problem", 0.3089},
    {"no no no good", 0.0951},
    {"they are so good", 0.5777},
    {"he is never so good at it", 0.6626},
    {"hasn't ever been really good", 0.4927},
    {"it was sort of bad", -0.5849},
    {"slightly bad", -0.4951},
    {"EXTREMELY bad", -0.6732},
    {"it was a kiss of death", -0.6124},
    {"we love to die for it", 0.0772},
    {"This is the bomb", 0.6124},
    {"the bomb", -0.4939},
    {"The food is good?", 0.4404},
    {"The food is good??", 0.504},
    {"The food is good???", 0.533},
    {"The food is good????", 0.594},
    {"good!!!!!", 0.6209},
    {"XD", 0.5859},
    {":D", 0.5106},
    {"<3", 0.4404},
    {"o.O", -0.2023},
    {"LOVE", 0.6369},
    {"I LOVE it", 0.7125},
    {"i love IT", 0.6369},
    {"good,bad", 0},
    {"$good", 0.4404},
    {"good\xE2\x80\x8B", 0},
    {"😂😂", 0.7003},
    {"😂good", -0.2263},
    {"good😂", 0.7003},
    {"\xE2\x9D\xA4", 0.6369},
    {"\xE2\x9D\xA4\xEF\xB8\x8F", 0},
    {"🚀", 0},
    {"💎🙌", 0},
    {"🔥", -0.34},
    {"😭", -0.4767},
    {"💔", 0.2732},
    {"Bought the dip, lost 90%, still bullish as hell 🚀🚀💎🙌", -0.7845},
    {"puts on SPY, we are crashing", 0},
    {"", 0},
    {"   ", 0},
    {"!!!", 0},
};

static nx_vader_score score(const char *text)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 0);
    nx_vader_score s;
    assert_int_equal(nx_vader_score_text(vader, nx_str_of(text), &a, &s, NULL), NX_OK);
    return s;
}

static void test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < NX_COUNT_OF(vectors); i++) {
        double got = score(vectors[i].text).compound;
        if (got != vectors[i].compound)
            fail_msg("\"%s\": %.4f, expected %.4f", vectors[i].text, got, vectors[i].compound);
    }
}

static void test_shares(void **state)
{
    (void)state;
    nx_vader_score s = score("VADER is smart, handsome, and funny.");
    assert_true(s.neg == 0 && s.neu == 0.254 && s.pos == 0.746);
    s = score("Bought the dip, lost 90%, still bullish as hell 🚀🚀💎🙌");
    assert_true(s.neg == 0.347 && s.neu == 0.653 && s.pos == 0);
    s = score("");
    assert_true(s.neg == 0 && s.neu == 0 && s.pos == 0);
    s = score("?");
    assert_true(s.neu == 1 && s.pos == 0);
}

static void test_hostile(void **state)
{
    (void)state;
    score("\xff\xfe\xc3(\xed\xa0\x80 good");
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    for (int i = 0; i < 20000; i++)
        assert_int_equal(nx_buf_adds(&b, "but good "), NX_OK);
    assert_true(score(b.p).compound > 0.9);
    /* too little memory is an error, not a crash */
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 32 << 10);
    nx_vader_score s;
    assert_int_equal(nx_vader_score_text(vader, nx_buf_str(&b), &a, &s, NULL), NX_NOMEM);
}

int main(void)
{
    if (nx_vader_new(&vader, NULL) != NX_OK)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_hostile),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    nx_vader_drop(vader);
    return rc;
}
