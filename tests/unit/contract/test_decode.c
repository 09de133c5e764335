/* Rows: every stock message, REST rows, reference data, social rows; both ways of the reader; promises 2, 8 and 9. */
#include "contract_kit.h"

static const char trade[] =
    "{\"T\":\"t\",\"S\":\"AAPL\",\"i\":628,\"x\":\"K\",\"p\":162.92,\"s\":3,\"c\":[\"@\",\"F\",\"T\",\"I\"],\"z\":\"C\","
    "\"t\":\"2023-04-06T11:54:26.838232225Z\"}";
static const char trade_row[] =
    "symbol=AAPL trade_id=628 exchange=K price=162.92 size=3 conditions=[@,F,T,I] tape=C update_status=null "
    "ts=2023-04-06T11:54:26.838232Z ts_ns=1680782066838232225 event_date=2023-04-06";

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

static void one(kit *k, const char *json)
{
    kit_frame(k, nx_str_of(json));
    if (k->v.rejected > 0)
        fail_msg("%s: %s", json, kit_errors(k, 0));
    assert_int_equal(k->v.accepted, 1);
}

static void trade_becomes_a_row(void **state)
{
    kit *k = *state;
    one(k, trade);
    assert_string_equal(kit_row(k, "bronze.trades", false), trade_row);
    assert_string_equal(
        kit_row(k, "bronze.trades", true) + strlen(trade_row),
        " _source=test _received_at=2023-11-14T22:13:20Z _known_at=2023-11-14T22:13:20Z _known_basis=received "
        "_ingest_pos=7 _ingest_idx=0 _contract=trades@1.0.0 _extra=null");
}

static void every_stock_message(void **state)
{
    kit *k = *state;
    one(k,
        "[{\"T\":\"q\",\"S\":\"AMD\",\"bx\":\"K\",\"bp\":91.95,\"bs\":2,\"ax\":\" \",\"ap\":0,\"as\":1,\"c\":[\"R\"],\"z\":\"C\",\"t\":\"2023-04-06T11:54:21.670905508Z\"}]");
    assert_string_equal(
        kit_row(k, "bronze.quotes", false),
        "symbol=AMD bid_exchange=K bid_price=91.95 bid_size=2 ask_exchange=  ask_price=0 ask_size=1 conditions=[R] tape=C "
        "ts=2023-04-06T11:54:21.670905Z ts_ns=1680782061670905508 event_date=2023-04-06");
    one(k,
        "{\"T\":\"q\",\"S\":\"AMD\",\"bx\":\"K\",\"bp\":91.95,\"bs\":2,\"ax\":\"Q\",\"ap\":91.98,\"as\":1,\"c\":\"R\",\"t\":\"2023-04-06T11:54:21Z\"}");
    assert_string_equal(kit_cell(k, "bronze.quotes", "conditions"), "[R]");
    assert_string_equal(kit_cell(k, "bronze.quotes", "tape"), "null");
    one(k,
        "{\"T\":\"b\",\"S\":\"SPY\",\"o\":388.985,\"h\":389.13,\"l\":388.975,\"c\":389.12,\"v\":49378,\"n\":461,\"vw\":389.062639,\"t\":\"2021-02-22T19:15:00Z\"}");
    assert_string_equal(
        kit_row(k, "bronze.bars", false),
        "symbol=SPY timeframe=1Min kind=bar adjustment=raw open=388.985 high=389.13 low=388.975 close=389.12 volume=49378 trade_count=461 "
        "vwap=389.062639 ts=2021-02-22T19:15:00Z event_month=2021-02");
    one(k,
        "{\"T\":\"u\",\"S\":\"AAPL\",\"o\":100,\"h\":101.2,\"l\":98.67,\"c\":101.3,\"v\":2570,\"t\":\"2021-03-05T16:00:30Z\"}");
    assert_string_equal(
        kit_row(k, "bronze.bars", false),
        "symbol=AAPL timeframe=1Min kind=updated adjustment=raw open=100 high=101.2 low=98.67 close=101.3 volume=2570 trade_count=null "
        "vwap=null ts=2021-03-05T16:00:30Z event_month=2021-03");
    one(k,
        "{\"T\":\"d\",\"S\":\"F\",\"o\":13.88,\"h\":13.885,\"l\":13.48,\"c\":13.51,\"v\":1715158,\"t\":\"2026-09-15T04:00:00Z\",\"n\":5663,\"vw\":13.581094}");
    assert_string_equal(kit_cell(k, "bronze.bars", "timeframe"), "1Day");
    assert_string_equal(kit_cell(k, "bronze.bars", "kind"), "daily");
    one(k,
        "{\"T\":\"c\",\"S\":\"EEM\",\"x\":\"M\",\"oi\":52983525033527,\"op\":39.1582,\"os\":440000,\"oc\":[\" \",\"7\"],\"ci\":52983525034326,\"cp\":39.1809,\"cs\":440000,\"cc\":[\" \",\"7\"],"
        "\"z\":\"B\",\"t\":\"2023-04-06T14:25:06.542305024Z\"}");
    assert_string_equal(
        kit_row(k, "bronze.corrections", false),
        "symbol=EEM exchange=M original_id=52983525033527 original_price=39.1582 original_size=440000 original_conditions=[ ,7] "
        "corrected_id=52983525034326 corrected_price=39.1809 corrected_size=440000 corrected_conditions=[ ,7] tape=B "
        "ts=2023-04-06T14:25:06.542305Z ts_ns=1680791106542305024 event_month=2023-04");
    one(k,
        "{\"T\":\"x\",\"S\":\"GOOGL\",\"i\":465,\"x\":\"D\",\"p\":105.31,\"s\":300,\"a\":\"C\",\"z\":\"C\",\"t\":\"2023-04-06T13:15:42.83540958Z\"}");
    assert_string_equal(
        kit_row(k, "bronze.cancels", false),
        "symbol=GOOGL trade_id=465 exchange=D price=105.31 size=300 action=C tape=C ts=2023-04-06T13:15:42.835409Z "
        "ts_ns=1680786942835409580 event_month=2023-04");
    one(k,
        "{\"T\":\"l\",\"S\":\"IONM\",\"u\":3.24,\"d\":2.65,\"i\":\"B\",\"t\":\"2023-04-06T13:34:45.565004401Z\",\"z\":\"C\"}");
    assert_string_equal(kit_cell(k, "bronze.lulds", "limit_up_price"), "3.24");
    one(k,
        "{\"T\":\"s\",\"S\":\"AAPL\",\"sc\":\"H\",\"sm\":\"Trading Halt\",\"rc\":\"T12\",\"rm\":\"Trading Halted; For information requested by NASDAQ\",\"t\":\"2021-02-22T19:15:00Z\",\"z\":\"C\"}");
    assert_string_equal(kit_cell(k, "bronze.statuses", "reason_message"),
                        "Trading Halted; For information requested by NASDAQ");
    one(k, "{\"T\":\"i\",\"S\":\"INAQU\",\"p\":9.12,\"z\":\"C\",\"t\":\"2024-12-13T19:58:09.242138635Z\"}");
    assert_string_equal(kit_cell(k, "bronze.imbalances", "price"), "9.12");
}

/* The same message in other spellings is the same row. */
static void spelling_does_not_matter(void **state)
{
    kit *k = *state;
    static const char *const spellings[] = {
        " [ { \"T\" : \"t\" , \"S\" : \"AAPL\" , \"i\" : 628 , \"x\" : \"K\" , \"p\" : 162.92 , \"s\" : 3 , \"c\" : [ \"@\" , \"F\" , \"T\" , \"I\" ] , \"z\" : \"C\" , "
        "\"t\" : \"2023-04-06T11:54:26.838232225Z\" } ] \n",
        "{\"t\":\"2023-04-06T11:54:26.838232225Z\",\"z\":\"C\",\"c\":[\"@\",\"F\",\"T\",\"I\"],\"s\":3,\"p\":162.92,\"x\":\"K\",\"i\":628,\"S\":\"AAPL\",\"T\":\"t\"}",
        "{\"\\u0054\":\"\\u0074\",\"\\u0053\":\"\\u0041\\u0041PL\",\"i\":628,\"x\":\"\\u004b\",\"p\":162.92,\"s\":3,\"c\":[\"\\u0040\",\"F\",\"T\",\"I\"],\"z\":\"C\","
        "\"t\":\"2023-04-06T11:54:26.838232225\\u005A\"}",
        "{\"T\":\"t\",\"S\":\"AAPL\",\"i\":628.0,\"x\":\"K\",\"p\":16292e-2,\"s\":0.3E1,\"c\":[\"@\",\"F\",\"T\",\"I\"],\"z\":\"C\",\"t\":\"2023-04-06t07:54:26.838232225-04:00\"}",
        "{\"T\":\"t\",\"S\":\"AAPL\",\"i\":6.28e2,\"x\":\"K\",\"p\":162.92000000000000000000000000,\"s\":3.0,\"c\":[\"@\",\"F\",\"T\",\"I\"],\"z\":\"C\",\"t\":\"2023-04-06 11:54:26.838232225z\"}",
    };
    one(k, trade);
    assert_string_equal(kit_row(k, "bronze.trades", false), trade_row);
    for (size_t i = 0; i < NX_COUNT_OF(spellings); i++) {
        one(k, spellings[i]);
        assert_string_equal(kit_row(k, "bronze.trades", false), trade_row);
    }
    one(k, trade); /* and back: what was learned from another order does no harm */
    assert_string_equal(kit_row(k, "bronze.trades", false), trade_row);
}

static void decimals_are_exact(void **state)
{
    kit *k = *state;
    static const struct {
        const char *text, *want;
    } v[] = {{"0", "0"},
             {"-0", "0"},
             {"0.000001", "0.000001"},
             {"999999999999.999999", "999999999999.999999"},
             {"1e11", "100000000000"},
             {"1e-6", "0.000001"},
             {"995", "995"},
             {"0.10", "0.1"},
             {"123456789012.3", "123456789012.3"},
             {"1.2345670", "1.234567"},
             {"0.1e1", "1"}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"T\":\"i\",\"S\":\"A\",\"p\":%s,\"t\":\"2024-01-01T00:00:00Z\"}", v[i].text);
        one(k, json);
        assert_string_equal(kit_cell(k, "bronze.imbalances", "price"), v[i].want);
    }
}

static void times_are_exact(void **state)
{
    kit *k = *state;
    static const struct {
        const char *text, *ns, *us, *month;
    } v[] = {
        {"2022-05-27T10:18:00Z", "1653646680000000000", "2022-05-27T10:18:00Z", "2022-05"},
        {"2022-05-27T10:18:00.5Z", "1653646680500000000", "2022-05-27T10:18:00.500Z", "2022-05"},
        {"2022-05-27T10:18:59.999999999Z", "1653646739999999999", "2022-05-27T10:18:59.999999Z", "2022-05"},
        {"2022-05-27T10:18:59.9999999990Z", "1653646739999999999", "2022-05-27T10:18:59.999999Z", "2022-05"},
        {"2024-02-29T23:59:59Z", "1709251199000000000", "2024-02-29T23:59:59Z", "2024-02"},
        {"2024-03-01T00:30:00+01:00", "1709249400000000000", "2024-02-29T23:30:00Z", "2024-02"},
        {"1969-12-31T23:59:59.999999999Z", "-1", "1969-12-31T23:59:59.999999Z", "1969-12"},
        {"1970-01-01T00:00:00Z", "0", "1970-01-01T00:00:00Z", "1970-01"},
        {"1678-01-01T00:00:00Z", "-9214560000000000000", "1678-01-01T00:00:00Z", "1678-01"},
        {"2262-04-11T23:47:16.854775807Z", "9223372036854775807", "2262-04-11T23:47:16.854775Z", "2262-04"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char json[256];
        snprintf(json, sizeof json, "{\"T\":\"i\",\"S\":\"A\",\"p\":1,\"t\":\"%s\"}", v[i].text);
        one(k, json);
        assert_string_equal(kit_cell(k, "bronze.imbalances", "ts_ns"), v[i].ns);
        assert_string_equal(kit_cell(k, "bronze.imbalances", "ts"), v[i].us);
        assert_string_equal(kit_cell(k, "bronze.imbalances", "event_month"), v[i].month);
    }
}

static void unknown_members_are_kept(void **state)
{
    kit *k = *state;
    one(k,
        "{\"T\":\"i\",\"S\":\"A\",\"new\":[1, {\"a\":\"\\u0041\"}],\"p\":1,\"r\":\"x\",\"\\u0062\":null,\"t\":\"2024-01-01T00:00:00Z\"}");
    assert_string_equal(kit_cell(k, "bronze.imbalances", "_extra"),
                        "{\"\\u0062\":null,\"new\":[1, {\"a\":\"\\u0041\"}],\"r\":\"x\"}");
}

static void text_beyond_ascii(void **state)
{
    kit *k = *state;
    one(k,
        "{\"T\":\"s\",\"S\":\"A\",\"sc\":\"H\",\"sm\":\"Gr\xc3\xbc\xc3\x9f \\ud83d\\ude80 \\\"\\\\\\/\\b\\f\\n\\r\\t\",\"t\":\"2024-01-01T00:00:00Z\"}");
    assert_string_equal(kit_cell(k, "bronze.statuses", "status_message"),
                        "Gr\xc3\xbc\xc3\x9f \xf0\x9f\x9a\x80 \"\\/\b\f\n\r\t");
}

static bool take_success(void *ctx, nx_str type, nx_str object)
{
    nx_buf *b = ctx;
    assert_int_equal(nx_buf_add(b, type), NX_OK);
    assert_int_equal(nx_buf_add(b, object), NX_OK);
    return nx_str_is(type, "success");
}

static void control_messages_go_to_their_function(void **state)
{
    kit *k = *state;
    nx_buf seen NX_BUF_AUTO;
    nx_buf_init(&seen, 0);
    nx_str frame = NX_STR("[{\"T\":\"success\",\"msg\":\"connected\"},{\"T\":\"zz\"}]");
    kit_frame(k, frame);
    assert_int_equal(k->v.rejected, 2);
    assert_string_equal(kit_errors(k, 0), "T:unknown_type");
    nx_decoder_on_control(k->d, take_success, &seen);
    kit_frame(k, frame);
    assert_int_equal(k->v.control, 1);
    assert_int_equal(k->v.accepted, 0);
    assert_int_equal(k->v.rejected, 1);
    assert_int_equal(k->v.refused[0].index, 1);
    assert_null(k->v.refused[0].contract);
    assert_string_equal(seen.p, "success{\"T\":\"success\",\"msg\":\"connected\"}zz{\"T\":\"zz\"}");
}

static void rest_rows_use_the_context(void **state)
{
    kit *k = *state;
    const nx_context bar[] = {
        {"symbol", NX_STR("AAPL")}, {"timeframe", NX_STR("1Day")}, {"adjustment", NX_STR("split,spin-off")}};
    k->meta.known_basis = NX_STR("declared");
    k->meta.known_delay_us = 900000000;
    kit_object(
        k, "bronze.bars",
        "{\"c\":178.21,\"h\":178.26,\"l\":178.21,\"n\":65,\"o\":178.26,\"t\":\"2021-11-07T04:00:00Z\",\"v\":1118,\"vw\":178.235733}",
        bar, 3);
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(
        kit_row(k, "bronze.bars", false),
        "symbol=AAPL timeframe=1Day kind=bar adjustment=split,spin-off open=178.26 high=178.26 low=178.21 close=178.21 volume=1118 "
        "trade_count=65 vwap=178.235733 ts=2021-11-07T04:00:00Z event_month=2021-11");
    /* the day on which the clocks went back has 25 hours */
    assert_string_equal(kit_cell(k, "bronze.bars", "_known_at"), "2021-11-08T05:15:00Z");
    assert_string_equal(kit_cell(k, "bronze.bars", "_known_basis"), "declared");
    assert_string_equal(kit_cell(k, "bronze.bars", "_ingest_idx"), "3");
    kit_object(
        k, "bronze.trades",
        "{\"t\":\"2022-10-21T20:19:03.752176Z\",\"x\":\"D\",\"p\":129.88,\"s\":5,\"c\":[\" \",\"T\",\"I\"],\"i\":71697353758036,\"z\":\"A\",\"u\":\"canceled\"}",
        bar, 1);
    assert_string_equal(kit_cell(k, "bronze.trades", "update_status"), "canceled");
    assert_string_equal(kit_cell(k, "bronze.trades", "_known_at"), "2022-10-21T20:34:03.752176Z");
    kit_object(k, "bronze.bars",
               "{\"T\":\"u\",\"S\":\"A\",\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"t\":\"2021-03-05T16:00:00Z\"}", NULL,
               0);
    assert_string_equal(kit_cell(k, "bronze.bars", "kind"), "updated"); /* a stream message handed over by itself */
    kit_object(k, "bronze.bars", "{\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"t\":\"2021-03-05T16:00:00Z\"}", bar, 1);
    assert_string_equal(kit_errors(k, 0), "timeframe:required");
    const nx_context bad[] = {{"price", NX_STR("1")}};
    assert_int_equal(nx_decode_object(k->d, nx_contracts_find(k->set, "bronze.bars"), NX_STR("{}"), bad, 1, &k->meta, 0,
                                      &k->v, &k->err),
                     NX_INVALID);
    assert_int_equal(nx_decode_object(k->d, nx_contracts_find(k->set, "bronze.gaps"), NX_STR("{}"), NULL, 0, &k->meta,
                                      0, &k->v, &k->err),
                     NX_INVALID);
}

static void bar_ends(void **state)
{
    kit *k = *state;
    static const struct {
        const char *timeframe, *ts, *end;
    } v[] = {{"1Min", "2021-03-05T16:00:00Z", "2021-03-05T16:01:00Z"},
             {"15Min", "2021-03-05T16:00:00Z", "2021-03-05T16:15:00Z"},
             {"1Hour", "2021-03-05T16:00:00Z", "2021-03-05T17:00:00Z"},
             {"1Day", "2021-03-14T05:00:00Z", "2021-03-15T04:00:00Z"},
             {"1Week", "2021-03-08T05:00:00Z", "2021-03-15T04:00:00Z"},
             {"3Month", "2021-11-01T04:00:00Z", "2022-02-01T05:00:00Z"}};
    k->meta.known_basis = NX_STR("declared");
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        const nx_context c[] = {{"symbol", NX_STR("A")}, {"timeframe", nx_str_of(v[i].timeframe)}};
        char json[256];
        snprintf(json, sizeof json, "{\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"t\":\"%s\"}", v[i].ts);
        kit_object(k, "bronze.bars", json, c, 2);
        assert_int_equal(k->v.accepted, 1);
        assert_string_equal(kit_cell(k, "bronze.bars", "_known_at"), v[i].end);
    }
}

static void reference_rows(void **state)
{
    kit *k = *state;
    const nx_context at[] = {{"observed_at", NX_STR("2024-06-01T00:00:00Z")},
                             {"action_type", NX_STR("cash_dividends")}};
    kit_object(
        k, "bronze.assets",
        "{\"id\":\"b0b6dd9d\",\"class\":\"us_equity\",\"exchange\":\"NASDAQ\",\"symbol\":\"AAPL\",\"name\":\"Apple Inc.\",\"status\":\"active\",\"tradable\":true,"
        "\"marginable\":true,\"shortable\":true,\"fractionable\":false,\"margin_requirement_long\":\"30.5\",\"maintenance_margin_requirement\":30,\"attributes\":[],\"cusip\":null}",
        at, 1);
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(kit_cell(k, "bronze.assets", "margin_requirement_long"), "30.5");
    assert_string_equal(kit_cell(k, "bronze.assets", "maintenance_margin_requirement"), "30");
    assert_string_equal(kit_cell(k, "bronze.assets", "attributes"), "[]");
    assert_string_equal(kit_cell(k, "bronze.assets", "fractionable"), "false");
    assert_string_equal(kit_cell(k, "bronze.assets", "observed_at"), "2024-06-01T00:00:00Z");
    kit_object(
        k, "bronze.corporate_actions",
        "{\"id\":\"9\",\"symbol\":\"BAC\",\"rate\":0.0869281234567891,\"special\":false,\"foreign\":true,\"process_date\":\"1998-03-04\",\"ex_date\":\"1998-03-04\",\"due_bill_on_date\":\"1998-03-01\"}",
        at, 2);
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(kit_cell(k, "bronze.corporate_actions", "action_type"), "cash_dividend");
    assert_string_equal(kit_cell(k, "bronze.corporate_actions", "rate"), "0.0869281234567891");
    assert_string_equal(kit_cell(k, "bronze.corporate_actions", "is_foreign"), "true");
    assert_string_equal(kit_cell(k, "bronze.corporate_actions", "ex_date"), "1998-03-04");
    assert_string_equal(kit_cell(k, "bronze.corporate_actions", "_extra"), "{\"due_bill_on_date\":\"1998-03-01\"}");
    kit_object(
        k, "bronze.calendar",
        "{\"date\":\"2024-07-03\",\"open\":\"09:30\",\"close\":\"13:00\",\"session_open\":\"0400\",\"session_close\":\"1700\",\"settlement_date\":\"2024-07-05\"}",
        at, 1);
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(kit_cell(k, "bronze.calendar", "close"), "13:00");
}

static const char *post(char *buf, size_t n, const char *author, const char *text, const char *edited,
                        const char *created, const char *more)
{
    snprintf(
        buf, n,
        "{\"subreddit\":\"stocks\",\"name\":\"t3_1kj0ld\",\"title\":\"$GME \\ud83d\\ude80\",\"selftext\":%s,\"author\":%s,\"created_utc\":%s,\"score\":-3,\"edited\":%s%s}",
        text, author, created, edited, more);
    return buf;
}

static void social_rows(void **state)
{
    kit *k = *state;
    char b[1024];
    const nx_context at[] = {{"observed_at", NX_STR("2024-06-01T00:00:00Z")}};
    k->meta.known_basis = NX_STR("declared");
    kit_object(k, "bronze.posts",
               post(b, sizeof b, "\"u\"", "\"x\\ud83d\"", "false", "1420065537.0",
                    ",\"upvote_ratio\":1,\"selftext_html\":\"<p>\",\"url\":\"u\""),
               at, 1);
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(
        kit_row(k, "bronze.posts", false),
        "fullname=t3_1kj0ld subreddit=stocks subreddit_id=null author=u author_fullname=null title=$GME \xf0\x9f\x9a\x80 selftext=x\xef\xbf\xbd permalink=null "
        "score=-3 upvote_ratio=1 num_comments=null edited_at=null created_at=2014-12-31T22:38:57Z observed_at=2024-06-01T00:00:00Z is_deleted=false "
        "removed_by=null event_month=2014-12");
    assert_string_equal(kit_cell(k, "bronze.posts", "_known_at"), "2014-12-31T22:38:57Z");
    assert_string_equal(kit_cell(k, "bronze.posts", "_extra"), "{\"url\":\"u\"}");
    kit_object(k, "bronze.posts", post(b, sizeof b, "\"u\"", "\"\"", "1376705900", "1376705871", ""), at, 1);
    assert_string_equal(kit_cell(k, "bronze.posts", "edited_at"), "2013-08-17T02:18:20Z");
    kit_object(k, "bronze.posts", post(b, sizeof b, "\"u\"", "\"\"", "true", "1376705871.123456789", ""), at, 1);
    assert_string_equal(kit_cell(k, "bronze.posts", "edited_at"), "null");
    assert_string_equal(kit_cell(k, "bronze.posts", "_extra"), "{\"edited\":true}");
    static const struct {
        const char *author, *text, *more, *deleted;
    } v[] = {{"\"[deleted]\"", "\"[deleted]\"", "", "true"},
             {"\"[deleted]\"", "\"[removed]\"", "", "true"},
             {"\"[deleted]\"", "\"stays\"", "", "false"},
             {"\"u\"", "\"[deleted]\"", "", "false"},
             {"\"u\"", "\"[removed]\"", ",\"removed_by_category\":\"moderator\"", "true"},
             {"\"u\"", "null", "", "false"}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        kit_object(k, "bronze.posts", post(b, sizeof b, v[i].author, v[i].text, "false", "1376705871.0", v[i].more), at,
                   1);
        assert_int_equal(k->v.accepted, 1);
        assert_string_equal(kit_cell(k, "bronze.posts", "is_deleted"), v[i].deleted);
    }
    kit_object(k, "bronze.posts", post(b, sizeof b, "\"u\"", "\"\"", "false", "1376705871000", ""), at, 1);
    assert_string_equal(kit_errors(k, 0), "created_at:range"); /* milliseconds are not guessed */
}

static void unbound_tables_are_only_checked(void **state)
{
    kit *k = *state;
    nx_decoder_bind(k->d, nx_contracts_find(k->set, "bronze.trades"), NULL);
    for (int i = 0; i < 3; i++) {
        kit_frame(k, nx_str_of(trade));
        assert_int_equal(k->v.accepted, 1);
    }
    assert_int_equal(kit_batch(k, "bronze.trades")->n, 0);
}

static void full_batch_takes_nothing_of_the_frame(void **state)
{
    kit *k = *state;
    nx_batch small;
    const nx_contract *c = nx_contracts_find(k->set, "bronze.trades");
    char frame[1024];
    assert_int_equal(nx_batch_init(&small, nx_contract_schema(c), 2, 0), NX_OK);
    nx_decoder_bind(k->d, c, &small);
    snprintf(frame, sizeof frame, "[%s,%s]", trade, trade);
    kit_frame(k, nx_str_of(trade));
    assert_int_equal(nx_decode_frame(k->d, nx_str_of(frame), &k->meta, &k->v, &k->err), NX_LIMIT);
    assert_int_equal(small.n, 1);
    assert_int_equal(nx_batch_check(&small, &k->err), NX_OK);
    kit_frame(k, nx_str_of(trade));
    assert_int_equal(small.n, 2);
    nx_decoder_bind(k->d, c, NULL);
    nx_batch_drop(&small);
}

static void feeds_must_exist(void **state)
{
    kit *k = *state;
    nx_decoder *d = NULL;
    assert_int_equal(nx_decoder_new(k->set, "nobody", &d, &k->err), NX_NOT_FOUND);
    assert_int_equal(nx_decoder_new(k->set, NULL, &d, &k->err), NX_OK);
    assert_int_equal(nx_decode_frame(d, NX_STR("{}"), &k->meta, &k->v, &k->err), NX_INVALID);
    nx_decoder_drop(d);
    assert_int_equal(nx_decoder_new(k->set, "alpaca.rest", &d, &k->err), NX_OK);
    assert_int_equal(nx_decode_frame(d, NX_STR("{}"), &k->meta, &k->v, &k->err), NX_INVALID);
    nx_decoder_drop(d);
    nx_decoder_drop(NULL);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_stocks, close_kit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(trade_becomes_a_row),
        T(every_stock_message),
        T(spelling_does_not_matter),
        T(decimals_are_exact),
        T(times_are_exact),
        T(unknown_members_are_kept),
        T(text_beyond_ascii),
        T(control_messages_go_to_their_function),
        T(rest_rows_use_the_context),
        T(bar_ends),
        T(reference_rows),
        T(social_rows),
        T(unbound_tables_are_only_checked),
        T(full_batch_takes_nothing_of_the_frame),
        T(feeds_must_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
