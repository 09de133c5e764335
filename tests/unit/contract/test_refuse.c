/* Bad input: which rule, which field, and that nothing else is harmed (promises 3 and 6). */
#include "contract_kit.h"

#define GOOD "{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}"

static int open_stocks(void **state)
{
    *state = calloc(1, sizeof(kit));
    kit_open(*state, "alpaca.stocks");
    return 0;
}

static int close_kit(void **state)
{
    kit_close(*state);
    free(*state);
    return 0;
}

typedef struct bad_case {
    const char *json, *errors;
} bad_case;

/* Each bad row stands between two good ones. */
static void rows_are_refused_one_by_one(void **state)
{
    kit *k = *state;
    static const bad_case v[] = {
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":\"1\",\"t\":\"2024-01-01T00:00:00Z\"}", "price:type"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":true,\"t\":\"2024-01-01T00:00:00Z\"}", "price:type"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":[1],\"t\":\"2024-01-01T00:00:00Z\"}", "price:type"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":{\"a\":1},\"t\":\"2024-01-01T00:00:00Z\"}", "price:type"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":null,\"t\":\"2024-01-01T00:00:00Z\"}", "price:required"},
        {"{\"T\":\"i\",\"S\":\"A\",\"t\":\"2024-01-01T00:00:00Z\"}", "price:required"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":0.0000001,\"t\":\"2024-01-01T00:00:00Z\"}", "price:decimal"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1e-7,\"t\":\"2024-01-01T00:00:00Z\"}", "price:decimal"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1000000000000,\"t\":\"2024-01-01T00:00:00Z\"}", "price:decimal"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1e400,\"t\":\"2024-01-01T00:00:00Z\"}", "price:decimal"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1e99999999999999999999,\"t\":\"2024-01-01T00:00:00Z\"}", "price:decimal"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":-0.000001,\"t\":\"2024-01-01T00:00:00Z\"}", "price:range"},
        {"{\"T\":\"i\",\"S\":\"\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "symbol:length symbol:pattern"},
        {"{\"T\":\"i\",\"S\":\"A B\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "symbol:pattern"},
        {"{\"T\":\"i\",\"S\":\"ABCDEFGHIJABCDEFGHIJABCDEFGHIJABC\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}",
         "symbol:length"},
        {"{\"T\":\"i\",\"S\":5,\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "symbol:type"},
        {"{\"T\":\"i\",\"S\":\"A\xff\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "symbol:utf8"},
        {"{\"T\":\"i\",\"S\":\"A\",\"z\":\"\xed\xa0\x80\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "tape:utf8"},
        {"{\"T\":\"i\",\"S\":\"A\",\"z\":\"\\ud800\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "tape:escape"},
        {"{\"T\":\"i\",\"S\":\"A\",\"w\":\"\xff\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "w:utf8"},
        {"{\"T\":\"i\",\"S\":\"A\",\"\xff\":1,\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", ":utf8"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "price:duplicate"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"T\":\"t\",\"t\":\"2024-01-01T00:00:00Z\"}", "T:duplicate"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"w\":1,\"w\":1,\"t\":\"2024-01-01T00:00:00Z\"}", "w:duplicate"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"\\u0053\":\"B\",\"t\":\"2024-01-01T00:00:00Z\"}", "symbol:duplicate"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-02-30T00:00:00Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T24:00:00Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:60Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00.Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00.1234567891Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2300-01-01T00:00:00Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2262-04-11T23:47:16.854775808Z\"}", "ts:format"},
        {"{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":1700000000}", "ts:type"},
        {"{\"T\":\"x\",\"S\":\"A\",\"i\":1.5,\"x\":\"D\",\"p\":1,\"s\":1,\"a\":\"C\",\"t\":\"2024-01-01T00:00:00Z\"}",
         "trade_id:type"},
        {"{\"T\":\"x\",\"S\":\"A\",\"i\":\"1\",\"x\":\"D\",\"p\":1,\"s\":1,\"a\":\"C\",\"t\":\"2024-01-01T00:00:00Z\"}",
         "trade_id:type"},
        {"{\"T\":\"x\",\"S\":\"A\",\"i\":9223372036854775808,\"x\":\"D\",\"p\":1,\"s\":1,\"a\":\"C\",\"t\":\"2024-01-01T00:00:00Z\"}",
         "trade_id:range"},
        {"{\"T\":\"x\",\"S\":\"A\",\"i\":-1,\"x\":\"D\",\"p\":1,\"s\":1,\"a\":\"C\",\"t\":\"2024-01-01T00:00:00Z\"}",
         "trade_id:range"},
        {"{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":\"@\",\"t\":\"2024-01-01T00:00:00Z\"}",
         "conditions:type"},
        {"{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":[\"@\",1],\"t\":\"2024-01-01T00:00:00Z\"}",
         "conditions:type"},
        {"{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":[\"@\",null],\"t\":\"2024-01-01T00:00:00Z\"}",
         "conditions:type"},
        {"{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":[\"@\",\"\xc3\"],\"t\":\"2024-01-01T00:00:00Z\"}",
         "conditions:utf8"},
        {"{\"T\":\"zz\"}", "T:unknown_type"},
        {"{\"T\":5}", "T:unknown_type"},
        {"{\"S\":\"A\"}", "T:unknown_type"},
        {"{}", "T:unknown_type"},
        {"5", ":type"},
        {"[]", ":type"},
        {"null", ":type"},
        /* all errors, not the first */
        {"{\"T\":\"t\",\"S\":\"\",\"i\":\"x\",\"x\":\"\",\"p\":-1,\"s\":0.0000001,\"c\":5,\"z\":\"ABCDE\",\"t\":\"no\"}",
         "symbol:length symbol:pattern trade_id:type exchange:length price:range size:decimal conditions:type tape:length ts:format"},
        {"{\"T\":\"t\"}",
         "symbol:required trade_id:required exchange:required price:required size:required conditions:required ts:required"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char frame[2048];
        size_t before = kit_batch(k, "bronze.imbalances")->n;
        snprintf(frame, sizeof frame, "[" GOOD ",%s," GOOD "]", v[i].json);
        kit_frame(k, nx_str_of(frame));
        if (k->v.rejected != 1 || strcmp(kit_errors(k, 0), v[i].errors) != 0)
            fail_msg("%s: %u refused: %s", v[i].json, k->v.rejected, k->v.rejected > 0 ? kit_errors(k, 0) : "");
        assert_int_equal(k->v.accepted, 2);
        assert_int_equal(kit_batch(k, "bronze.imbalances")->n, before + 2);
        assert_int_equal(k->v.refused[0].index, 1);
        assert_true(nx_str_is(k->v.refused[0].raw, v[i].json)); /* byte for byte */
        assert_string_equal(kit_cell(k, "bronze.imbalances", "_ingest_idx"), "2");
    }
}

/* Broken JSON refuses the frame and takes back what came before the break. */
static void broken_frames_are_refused_whole(void **state)
{
    kit *k = *state;
    static const char *const v[] = {
        "",
        " ",
        "x",
        "5",
        "\"a\"",
        "null",
        "[",
        "]",
        "{",
        "}",
        "[]]",
        "{}{}",
        "[" GOOD,
        GOOD "]",
        "[" GOOD "} ",
        "[" GOOD ",]",
        "[," GOOD "]",
        "[" GOOD " " GOOD "]",
        "[" GOOD "],",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":NaN,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":Infinity,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":-,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":+1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":01,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":1.,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":.5,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":1e,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":1x,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":1,,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\",}]",
        "[" GOOD ",{,\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\"\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\" \"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",S:\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",'S':\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\nB\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"\\x\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"\\u12\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z]}]",
        "[" GOOD
        ",{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":[\"@\",],\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD
        ",{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":[,\"@\"],\"t\":\"2024-01-01T00:00:00Z\"}]",
        "[" GOOD ",{\"T\":\"t\",\"S\":\"A\",\"i\":1,\"x\":\"D\",\"p\":1,\"s\":1,\"c\":[\"@\"}]",
        "[" GOOD ",{\"T\":\"zz\",\"w\":tru}]",
        "[" GOOD ",// comment\n" GOOD "]",
        "\xef\xbb\xbf[" GOOD "]",
        "[" GOOD ",{\"T\":\"i\",\"w\":[[1}]]",
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        kit_frame(k, nx_str_of(v[i]));
        if (k->v.rejected != 1 || k->v.accepted != 0 || strcmp(kit_errors(k, 0), ":json") != 0)
            fail_msg("%s: %u refused, %u accepted", v[i], k->v.rejected, k->v.accepted);
        assert_int_equal(k->v.refused[0].index, -1);
        assert_null(k->v.refused[0].contract);
        assert_int_equal(kit_batch(k, "bronze.imbalances")->n, 0);
        assert_int_equal(kit_batch(k, "bronze.trades")->n, 0);
    }
    kit_frame(k, NX_STR("[]"));
    assert_int_equal(k->v.rejected + k->v.accepted, 0);
}

/* Every prefix and every single changed byte of a good frame: a verdict, never a crash, never part of a broken frame. */
static void cut_and_changed_frames(void **state)
{
    kit *k = *state;
    static const char frame[] =
        "[{\"T\":\"t\",\"S\":\"AAPL\",\"i\":628,\"x\":\"K\",\"p\":162.92,\"s\":3,\"c\":[\"@\",\"F\"],\"z\":\"C\",\"t\":\"2023-04-06T11:54:26.838232225Z\"}," GOOD
        "]";
    size_t n = sizeof frame - 1;
    for (size_t i = 0; i < n; i++) {
        kit_frame(k, (nx_str){frame, i});
        assert_int_equal(k->v.accepted, 0);
        assert_int_equal(k->v.rejected, 1);
        assert_int_equal(kit_batch(k, "bronze.trades")->n, 0);
    }
    static const char bytes[] = "\"\\{}[],:0 9.eE-+ntf/u\x01\x7f\x80\xff";
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < sizeof bytes; j++) {
            char copy[sizeof frame];
            memcpy(copy, frame, n);
            copy[i] = bytes[j];
            kit_frame(k, (nx_str){copy, n});
            nx_batch *t = kit_batch(k, "bronze.trades"), *b = kit_batch(k, "bronze.imbalances");
            assert_int_equal(t->n + b->n + kit_batch(k, "bronze.cancels")->n, k->v.accepted);
            if (k->v.rejected > 0)
                (void)kit_errors(k, 0);
            nx_batch_clear(t);
            nx_batch_clear(b);
        }
}

static void repeat(nx_buf *b, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(nx_buf_adds(b, text), NX_OK);
}

static void bytes_of_zero_are_no_time(void **state)
{
    kit *k = *state;
    static const char frame[] = "{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0:00Z\"}";
    kit_frame(k, (nx_str){frame, sizeof frame - 1});
    assert_string_equal(kit_errors(k, 0), ":json");
    kit_frame(k, NX_STR("{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"1970-01-01T00:00:07Z\"}"));
    assert_string_equal(kit_cell(k, "bronze.imbalances", "ts_ns"), "7000000000");
    assert_string_equal(kit_cell(k, "bronze.imbalances", "event_month"), "1970-01");
}

static void limits_hold(void **state)
{
    kit *k = *state;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    repeat(&b, "{\"T\":\"i\",\"w\":", 1); /* nesting */
    repeat(&b, "[", 100000);
    repeat(&b, "]", 100000);
    repeat(&b, "}", 1);
    kit_frame(k, nx_buf_str(&b));
    assert_string_equal(kit_errors(k, 0), ":limit");
    nx_buf_clear(&b);
    repeat(&b, "[", 1); /* rows */
    repeat(&b, "{},", 70000);
    repeat(&b, "{}]", 1);
    kit_frame(k, nx_buf_str(&b));
    assert_int_equal(k->v.rejected, 1);
    assert_string_equal(kit_errors(k, 0), ":limit");
    nx_buf_clear(&b);
    repeat(&b, "[", 1); /* errors: past the limit a row keeps its first */
    repeat(&b, "{\"T\":\"t\"},", 60000);
    repeat(&b, "{\"T\":\"t\"}]", 1);
    kit_frame(k, nx_buf_str(&b));
    assert_int_equal(k->v.rejected, 60001);
    assert_int_equal(k->v.refused[0].n_errors, 7);
    assert_int_equal(k->v.refused[60000].n_errors, 1);
    nx_buf_clear(&b);
    repeat(&b, "{\"T\":\"i\"", 1); /* unknown members */
    for (int i = 0; i < 300; i++)
        assert_int_equal(nx_buf_addf(&b, ",\"w%d\":1", i), NX_OK);
    repeat(&b, ",\"S\":\"A\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", 1);
    kit_frame(k, nx_buf_str(&b));
    assert_int_equal(strncmp(kit_errors(k, 0), ":limit", 6), 0);
    nx_buf_clear(&b);
    repeat(&b, "{\"T\":\"i\",\"S\":\"", 1); /* a long value is cut, between characters */
    repeat(&b, "\xc3\xbc", 500);
    repeat(&b, "\",\"p\":1,\"t\":\"2024-01-01T00:00:00Z\"}", 1);
    kit_frame(k, nx_buf_str(&b));
    assert_string_equal(kit_errors(k, 0), "symbol:length symbol:pattern");
    assert_true(k->v.refused[0].errors[0].value.n > 250);
}

static void messages_say_what_was_expected(void **state)
{
    kit *k = *state;
    kit_frame(k, NX_STR("{\"T\":\"i\",\"S\":\"A\",\"p\":\"1\",\"t\":\"x\"}"));
    assert_int_equal(k->v.refused[0].n_errors, 2);
    assert_string_equal(k->v.refused[0].errors[0].message, "must be a number, is text");
    assert_true(nx_str_is(k->v.refused[0].errors[0].value, "\"1\"") || nx_str_is(k->v.refused[0].errors[0].value, "1"));
    assert_string_equal(nx_contract_id(k->v.refused[0].contract), "imbalances@1.0.0");
    kit_frame(k, NX_STR("{\"T\":\"i\",\"S\":\"\\u0041 B\",\"p\":1,\"z\":\"\\u0043\",\"t\":\"2024-01-01T00:00:00Z\"}"));
    assert_true(nx_str_is(k->v.refused[0].errors[0].value, "A B")); /* later escaped values do not overwrite it */
    kit_frame(k, NX_STR("[1 2]"));
    assert_string_equal(k->v.refused[0].errors[0].message, "byte 3: ',' or ']' expected");
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_stocks, close_kit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(rows_are_refused_one_by_one),
        T(broken_frames_are_refused_whole),
        T(cut_and_changed_frames),
        T(bytes_of_zero_are_no_time),
        T(limits_hold),
        T(messages_say_what_was_expected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
