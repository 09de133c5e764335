/* msgpack through the contracts: what only msgpack can say, what is broken, and a recorded day in both forms. (That all other messages give the
 * same rows and verdicts as in JSON is checked by twin.h in every test of this folder.) Promises 3 and 9. */
#include "contract_kit.h"

#include "io/lines.h"

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

static void hex_frame(kit *k, const char *hex)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    for (const char *h = hex; *h != '\0'; h++) {
        unsigned v;
        if (*h == ' ')
            continue;
        assert_int_equal(sscanf(h++, "%2x", &v), 1);
        assert_int_equal(nx_buf_addc(&b, (char)v), NX_OK);
    }
    kit_frame(k, nx_buf_str(&b));
}

/* {"T":"i","S":"A","p":1,"t":2024-01-01} in parts: the head with its number of members, and members. */
#define HEAD "84"
#define T_I "a1 54 a1 69"
#define S_A "a1 53 a1 41"
#define P_1 "a1 70 01"
#define TS "a1 74 d6 ff 65 92 00 80"
#define GOOD HEAD T_I S_A P_1 TS

static void vendor_trade(void **state)
{
    kit *k = *state;
    hex_frame(k, "91 89 a1 54 a1 74 a1 53 a4 41 41 50 4c a1 69 cd 02 74 a1 78 a1 4b a1 70 cb 40 64 5d 70 a3 d7 0a 3d"
                 "a1 73 03 a1 63 94 a1 40 a1 46 a1 54 a1 49 a1 7a a1 43 a1 74 d7 ff c7 d9 a2 84 64 2e b2 f2");
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(
        kit_row(k, "bronze.trades", false),
        "symbol=AAPL trade_id=628 exchange=K price=162.92 size=3 conditions=[@,F,T,I] tape=C update_status=null "
        "ts=2023-04-06T11:54:26.838232Z ts_ns=1680782066838232225 event_date=2023-04-06");
}

static void times_of_every_width(void **state)
{
    kit *k = *state;
    static const struct {
        const char *t, *ns, *month;
    } v[] = {{"d6 ff 65 92 00 80", "1704067200000000000", "2024-01"},
             {"d6 ff 00 00 00 00", "0", "1970-01"},
             {"d7 ff ee 6b 27 fc 65 92 00 80", "1704067200999999999", "2024-01"},
             {"d7 ff 00 00 00 00 65 92 00 bb", "1704067259000000000", "2024-01"},
             {"d7 ff 00 00 00 00 65 92 00 bc", "1704067260000000000", "2024-01"},
             {"c7 0c ff 00 00 00 01 00 00 00 00 65 92 00 80", "1704067200000000001", "2024-01"},
             {"c7 0c ff 3b 9a c9 ff ff ff ff ff ff ff ff ff", "-1", "1969-12"},
             {"c7 0c ff 32 f2 d7 ff 00 00 00 02 25 c1 7d 04", "9223372036854775807", "2262-04"},
             {"b4 32 30 32 34 2d 30 31 2d 30 31 54 30 30 3a 30 30 3a 30 30 5a", "1704067200000000000", "2024-01"}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char hex[256];
        snprintf(hex, sizeof hex, HEAD T_I S_A P_1 "a1 74 %s", v[i].t);
        hex_frame(k, hex);
        if (k->v.rejected > 0)
            fail_msg("%s: %s", v[i].t, kit_errors(k, 0));
        assert_string_equal(kit_cell(k, "bronze.imbalances", "ts_ns"), v[i].ns);
        assert_string_equal(kit_cell(k, "bronze.imbalances", "event_month"), v[i].month);
    }
}

/* Prices are the decimals that their floats are the shortest texts of. */
static void floats_are_exact(void **state)
{
    kit *k = *state;
    static const struct {
        const char *p, *want;
    } v[] = {{"cb 40 64 5d 70 a3 d7 0a 3d", "162.92"},
             {"cb 3f b9 99 99 99 99 99 9a", "0.1"},
             {"cb 3e b0 c6 f7 a0 b5 ed 8d", "0.000001"},
             {"cb 80 00 00 00 00 00 00 00", "0"},
             {"ca 40 48 f5 c3", "3.14"},
             {"cb 42 6d 1a 94 a1 ff ff ff", "999999999999.9999"}, /* 16 digits: past the short way */
             {"cd ff ff", "65535"},
             {"cf 00 00 00 e8 d4 a5 0f ff", "999999999999"}};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char hex[256];
        snprintf(hex, sizeof hex, HEAD T_I S_A "a1 70 %s" TS, v[i].p);
        hex_frame(k, hex);
        if (k->v.rejected > 0)
            fail_msg("%s: %s", v[i].p, kit_errors(k, 0));
        assert_string_equal(kit_cell(k, "bronze.imbalances", "price"), v[i].want);
    }
}

static void order_and_unknown_members(void **state)
{
    kit *k = *state;
    /* time first, type last, members that no contract knows */
    hex_frame(k, "91 87" TS P_1 S_A
                 "a1 72 d7 ff c7 d9 a2 84 64 2e b2 f2 a3 6e 22 77 92 01 81 a1 61 cb 3f f8 00 00 00 00 00 00"
                 "a1 62 c0" T_I);
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(kit_cell(k, "bronze.imbalances", "_extra"),
                        "{\"b\":null,\"n\\\"w\":[1,{\"a\":1.5}],\"r\":\"2023-04-06T11:54:26.838232225Z\"}");
    hex_frame(k, GOOD);
    assert_string_equal(kit_cell(k, "bronze.imbalances", "_extra"), "null");
}

/* Each bad row stands between two good ones; its bytes are kept as they came. */
static void rows_are_refused_one_by_one(void **state)
{
    kit *k = *state;
    static const struct {
        const char *row, *errors;
    } v[] = {
        {HEAD T_I S_A "a1 70 a1 31" TS, "price:type"},
        {HEAD T_I S_A "a1 70 cb 7f f8 00 00 00 00 00 00" TS, "price:type"},
        {HEAD T_I S_A "a1 70 ca ff 80 00 00" TS, "price:type"},
        {HEAD T_I S_A "a1 70 cb 3e 7a d7 f2 9a bc af 48" TS, "price:decimal"},
        {HEAD T_I S_A "a1 70 cf ff ff ff ff ff ff ff ff" TS, "price:decimal"},
        {HEAD T_I S_A "a1 70 c4 02 01 02" TS, "price:type"},
        {HEAD T_I S_A "a1 70 c7 03 05 01 02 03" TS, "price:type"},
        {HEAD T_I S_A "a1 70 d6 ff 00 00 00 00" TS, "price:type"},
        {HEAD T_I S_A "a1 70 91 81 01 02" TS, "price:type"},
        {HEAD T_I S_A "a1 70 ff" TS, "price:range"},
        {HEAD T_I S_A "a1 70 c0" TS, "price:required"},
        {"83" T_I S_A TS, "price:required"},
        {HEAD T_I "a1 53 a2 41 ff" P_1 TS, "symbol:utf8"},
        {HEAD T_I "a1 53 c4 01 41" P_1 TS, "symbol:type"},
        {HEAD T_I "a1 53 d6 ff 00 00 00 00" P_1 TS, "symbol:type"},
        {HEAD T_I S_A P_1 "a1 74 ce 65 92 00 80", "ts:type"},
        {HEAD T_I S_A P_1 "a1 74 c7 0c ff 00 00 00 00 7f ff ff ff ff ff ff ff", "ts:range"},
        {HEAD T_I S_A P_1 "a1 74 d7 ff ff ff ff ff 65 92 00 80", "ts:type"}, /* over 999,999,999 ns */
        {"85" T_I S_A P_1 P_1 TS, "price:duplicate"},
        {"85" T_I S_A P_1 TS T_I, "T:duplicate"},
        {"86" T_I S_A P_1 TS "a1 77 01 a1 77 02", "w:duplicate"},
        {"85" T_I S_A P_1 TS "a1 77 c4 01 00", "w:type"},
        {"85" T_I S_A P_1 TS "a1 77 c1", NULL},
        {"85" T_I S_A P_1 TS "a1 77 91 a1 ff", "w:utf8"},
        {"85" T_I S_A P_1 TS "a1 77 81 01 02", "w:type"},
        {"85" T_I S_A P_1 TS "a1 77 cb 7f f0 00 00 00 00 00 00", "w:type"},
        {"85" T_I S_A P_1 TS "01 02", ":type"},
        {"85" T_I S_A P_1 TS "91 01 92 02 03", ":type"},
        {"85" T_I S_A P_1 TS "a1 ff 02", ":utf8"},
        {"81 a1 54 a2 7a 7a", "T:unknown_type"},
        {"81 a1 54 01", "T:unknown_type"},
        {"80", "T:unknown_type"},
        {"c0", ":type"},
        {"91" GOOD, ":type"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        char hex[512];
        snprintf(hex, sizeof hex, "93" GOOD "%s" GOOD, v[i].row);
        size_t before = kit_batch(k, "bronze.imbalances")->n;
        hex_frame(k, hex);
        size_t rows = kit_batch(k, "bronze.imbalances")->n - before;
        if (v[i].errors == NULL) { /* no msgpack: nothing of the frame stays */
            assert_int_equal(rows, 0);
            assert_string_equal(kit_errors(k, 0), ":msgpack");
            continue;
        }
        assert_int_equal(k->v.rejected, 1);
        if (strcmp(kit_errors(k, 0), v[i].errors) != 0)
            fail_msg("%s: %s expected, got %s", v[i].row, v[i].errors, kit_errors(k, 0));
        assert_int_equal(rows, 2);
        assert_int_equal(k->v.refused[0].index, 1);
        size_t digits = 0;
        for (const char *h = v[i].row; *h != '\0'; h++)
            digits += *h != ' ';
        assert_int_equal(k->v.refused[0].raw.n, digits / 2);
    }
}

static void broken_frames(void **state)
{
    kit *k = *state;
    static const char *const v[] = {
        "92" GOOD,
        "91" GOOD "00",
        "dd ff ff ff ff" GOOD,
        "df ff ff ff ff a1 54 a1 69",
        "91 85" T_I S_A P_1 TS,
        "91 84" T_I S_A P_1 "a1 74 d7 ff 00",
        "91 84" T_I S_A P_1 "a1 74 db ff ff ff ff",
        "92" GOOD "c1",
        "92" GOOD "84 c1",
    };
    size_t before = kit_batch(k, "bronze.imbalances")->n;
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        hex_frame(k, v[i]);
        assert_int_equal(k->v.accepted, 0);
        assert_int_equal(k->v.rejected, 1);
        assert_int_equal(k->v.refused[0].index, -1);
        if (strcmp(kit_errors(k, 0), ":msgpack") != 0)
            fail_msg("%s: %s", v[i], kit_errors(k, 0));
        assert_int_equal(kit_batch(k, "bronze.imbalances")->n, before);
    }
    hex_frame(
        k, "91 82" T_I
           "a1 77 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91"
           "91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 91 01");
    assert_string_equal(kit_errors(k, 0), ":limit");
    /* the place and the bytes there are told */
    hex_frame(k, "92" GOOD "81 c1 c1");
    assert_non_null(strstr(k->v.refused[0].errors[0].message, "byte 22"));
    assert_true(nx_str_is(k->v.refused[0].errors[0].value, "c1c1"));
}

static void too_many_messages(void **state)
{
    kit *k = *state;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_mp_put_arr(&b, 65537), NX_OK);
    for (int i = 0; i < 65537; i++)
        assert_int_equal(nx_mp_put_map(&b, 0), NX_OK);
    kit_frame(k, nx_buf_str(&b));
    assert_string_equal(kit_errors(k, 0), ":limit");
    nx_buf_clear(&b);
    assert_int_equal(nx_mp_put_arr(&b, 20000), NX_OK); /* more errors than a frame may keep: each row keeps its first */
    for (int i = 0; i < 20000; i++)
        assert_int_equal(nx_mp_put_map(&b, 0), NX_OK);
    kit_frame(k, nx_buf_str(&b));
    assert_int_equal(k->v.rejected, 20000);
    assert_string_equal(kit_errors(k, 19999), "T:unknown_type");
}

/* A first byte decides: text that is no JSON is refused as such, whatever bytes follow. */
static void the_first_byte_decides(void **state)
{
    kit *k = *state;
    static const char *const v[] = {"", "00", "a1 41", "c0", "ef bb bf 5b 5d", "cb 00 00 00 00 00 00 00 00"};
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        hex_frame(k, v[i]);
        assert_string_equal(kit_errors(k, 0), ":json");
    }
    hex_frame(k, "90");
    assert_int_equal(k->v.accepted + k->v.rejected, 0);
    hex_frame(k, "dc 00 00");
    assert_int_equal(k->v.accepted + k->v.rejected, 0);
    hex_frame(k, "91" GOOD); /* the last byte 0x20 to 0x0a are numbers, not white space */
    assert_int_equal(k->v.accepted, 1);
    hex_frame(k, "91 84" T_I S_A TS "a1 70 20");
    assert_int_equal(k->v.accepted, 1);
    assert_string_equal(kit_cell(k, "bronze.imbalances", "price"), "32");
}

static bool take_success(void *ctx, nx_str type, nx_str object)
{
    nx_err err = {0};
    assert_int_equal(nx_mp_to_json(object, ctx, &err), NX_OK);
    return nx_str_is(type, "success");
}

static void control_messages(void **state)
{
    kit *k = *state;
    nx_buf seen NX_BUF_AUTO;
    nx_buf_init(&seen, 0);
    nx_decoder_on_control(k->d, take_success, &seen);
    hex_frame(k, "92 82 a1 54 a7 73 75 63 63 65 73 73 a3 6d 73 67 a9 63 6f 6e 6e 65 63 74 65 64 81 a1 54 a2 7a 7a");
    assert_int_equal(k->v.control, 1);
    assert_int_equal(k->v.rejected, 1);
    assert_string_equal(seen.p, "{\"T\":\"success\",\"msg\":\"connected\"}{\"T\":\"zz\"}");
}

/* A recorded day's quotes, trades and bars: twin.h compares each line. */
static void recorded_day(void **state)
{
    kit *k = *state;
    const char *shared = getenv("NEXUS_SHARED");
    char path[512];
    snprintf(path, sizeof path, "%s/data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    nx_lines *lines = NULL;
    nx_str line;
    if (nx_lines_open(path, 16 << 20, &lines, &k->err) != NX_OK) {
        print_message("[  SKIP    ] no %s: set NEXUS_SHARED to the folder of test data\n", path);
        skip();
    }
    size_t rows = 0, n = 0;
    while (n < 20000 && nx_lines_next(lines, &line, &k->err) == NX_OK) {
        kit_frame(k, line);
        assert_int_equal(k->v.rejected, 0);
        rows += k->v.accepted;
        n++;
        for (size_t i = 0; n % 100 == 0 && i < nx_contracts_count(k->set); i++)
            nx_batch_clear(&k->batches[i]);
    }
    nx_lines_close(lines);
    assert_int_equal(n, 20000);
    assert_true(rows > n);
    assert_int_equal(k->twin.compared, 2 * n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(vendor_trade, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(times_of_every_width, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(floats_are_exact, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(order_and_unknown_members, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(rows_are_refused_one_by_one, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(broken_frames, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(too_many_messages, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(the_first_byte_decides, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(control_messages, open_stocks, close_kit),
        cmocka_unit_test_setup_teardown(recorded_day, open_stocks, close_kit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
