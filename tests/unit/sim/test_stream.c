/* The stream: handshake, error codes, subscriptions, the live day against REST, tapes, cuts. */
#include "sim_kit.h"

#include "base/file.h"
#include "data/msgpack.h"
#include "data/time.h"
#include "io/wsc.h"

static const char *const key_headers[] = {"APCA-API-KEY-ID: K1", "APCA-API-SECRET-KEY: S1", NULL};

static nx_wsc *dial(kit *k, const char *path, const char *const *headers)
{
    char url[128];
    nx_wsc *c = NULL;
    nx_err err = {0};
    snprintf(url, sizeof url, "ws://127.0.0.1:%d%s", nx_sim_port(k->sim), path);
    nx_wsc_opts o = {.url = url, .headers = headers, .connect_timeout_ms = 60000};
    if (nx_wsc_connect(&o, NULL, &c, &err) != NX_OK)
        fail_msg("%s", err.text);
    return c;
}

static void say(nx_wsc *c, const char *text)
{
    nx_err err = {0};
    assert_int_equal(nx_wsc_send(c, NX_WS_TEXT, nx_str_of(text), 60000, NULL, &err), NX_OK);
}

static void hear(nx_wsc *c, const char *expected)
{
    nx_err err = {0};
    nx_ws_frame f;
    nx_status st = nx_wsc_recv(c, 60000, NULL, &f, &err);
    if (st != NX_OK)
        fail_msg("%s: %s", nx_status_name(st), err.text);
    if (!nx_str_is((nx_str){f.p, f.n}, expected))
        fail_msg("%.*s instead of %s", (int)f.n, f.p, expected);
}

static void hear_error(nx_wsc *c, int code, const char *msg)
{
    char text[128];
    snprintf(text, sizeof text, "[{\"T\":\"error\",\"code\":%d,\"msg\":\"%s\"}]", code, msg);
    hear(c, text);
}

#define CONNECTED "[{\"T\":\"success\",\"msg\":\"connected\"}]"
#define AUTHENTICATED "[{\"T\":\"success\",\"msg\":\"authenticated\"}]"
#define AUTH "{\"action\":\"auth\",\"key\":\"K1\",\"secret\":\"S1\"}"

static void handshake(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 1, .key = "K1", .secret = "S1", .symbol_limit = 3});
    nx_wsc *c = dial(k, "/v2/iex", NULL);
    hear(c, CONNECTED);
    say(c, "{\"action\":\"subscribe\",\"trades\":[\"AAPL\"]}");
    hear_error(c, 401, "not authenticated");
    say(c, AUTH);
    hear(c, AUTHENTICATED);
    say(c, AUTH);
    hear_error(c, 403, "already authenticated");
    static const char *const bad[] = {"nonsense",
                                      "[]",
                                      "{\"action\":\"dance\"}",
                                      "{\"action\":\"subscribe\"}",
                                      "{\"action\":\"subscribe\",\"trades\":[]}",
                                      "{\"action\":\"subscribe\",\"news\":[\"*\"]}",
                                      "{\"action\":\"subscribe\",\"trades\":\"AAPL\"}",
                                      "{\"action\":\"subscribe\",\"trades\":[\"BTC/USD\"]}",
                                      "{\"action\":\"subscribe\",\"corrections\":[\"AAPL\"]}"};
    for (size_t i = 0; i < NX_COUNT_OF(bad); i++) {
        say(c, bad[i]);
        hear_error(c, 400, "invalid syntax");
    }
    say(c, "{\"action\":\"subscribe\",\"orderbooks\":[\"AAPL\"]}");
    hear_error(c, 410, "invalid subscribe action for this feed");
    say(c, "{\"action\":\"unsubscribe\",\"bars\":[\"AAPL\"]}"); /* not held: accepted without change */
    hear(c, "[{\"T\":\"subscription\"}]");
    say(c, "{\"action\":\"subscribe\",\"trades\":[\"A\",\"B\"],\"quotes\":[\"C\",\"D\"]}");
    hear_error(c, 405, "symbol limit exceeded");
    nx_wsc_drop(c);
    c = dial(k, "/v2/sip", key_headers);
    hear(c, CONNECTED);
    hear(c, AUTHENTICATED);
    nx_wsc_drop(c);
    c = dial(k, "/v2/iex", NULL);
    hear(c, CONNECTED);
    say(c, "{\"action\":\"auth\",\"key\":\"K1\",\"secret\":\"wrong\"}");
    hear_error(c, 402, "auth failed");
    nx_wsc_drop(c);
    assert_int_equal(kit_ask(k, "GET", "/v2/iex", kit_keys, ""), 426);
    kit_stop(k);
    k = kit_start((nx_sim_opts){.sessions = 1, .free_plan = true});
    c = dial(k, "/v2/sip", key_headers);
    hear(c, CONNECTED);
    hear_error(c, 409, "insufficient subscription");
    nx_wsc_drop(c);
    c = dial(k, "/v2/iex", key_headers);
    hear(c, CONNECTED);
    hear(c, AUTHENTICATED);
    nx_wsc_drop(c);
    kit_stop(k);
}

/* ------------------------------------------------------------------ data */

typedef struct heard {
    size_t frames, types[128];
    int close_code;
    double trade_shares, bar_shares;
    nx_buf text; /* all frames, a line each */
} heard;

static void count_frame(heard *h, kit *k, nx_str text)
{
    nx_val *v = NULL;
    nx_err err = {0};
    nx_arena_reset(&k->arena);
    if (nx_json_parse(text, NULL, &k->arena, &v, &err) != NX_OK)
        fail_msg("%s in %.*s", err.text, (int)text.n, text.p);
    assert_true(v->kind == NX_VAL_ARR && v->n > 0);
    for (size_t i = 0; i < v->n; i++) {
        assert_true(nx_str_is(v->items[i].keys[0], "T")); /* always the first key */
        nx_str type = nx_val_get(&v->items[i], "T")->s;
        assert_int_equal(type.n, 1);
        h->types[(unsigned char)type.p[0]]++;
        h->trade_shares += type.p[0] == 't' ? nx_val_f64(nx_val_get(&v->items[i], "s"), 0) : 0;
        h->bar_shares += type.p[0] == 'b' ? nx_val_f64(nx_val_get(&v->items[i], "v"), 0) : 0;
        h->bar_shares += type.p[0] == 'u' ? 100 : 0; /* a better bar holds one late trade more */
    }
    h->frames++;
    assert_int_equal(nx_buf_add(&h->text, text), NX_OK);
    assert_int_equal(nx_buf_addc(&h->text, '\n'), NX_OK);
}

/* Everything until the stream ends. */
static heard listen_to_end(kit *k, nx_wsc *c)
{
    heard h = {0};
    nx_err err = {0};
    nx_ws_frame f;
    nx_status st;
    nx_buf_init(&h.text, (size_t)1 << 30);
    while ((st = nx_wsc_recv(c, 60000, NULL, &f, &err)) == NX_OK)
        count_frame(&h, k, (nx_str){f.p, f.n});
    h.close_code = nx_wsc_close_code(c);
    assert_true(st == NX_NOTHING || st == NX_REMOTE);
    nx_wsc_drop(c);
    return h;
}

static nx_wsc *subscribe(kit *k, const char *request, const char *answer)
{
    nx_wsc *c = dial(k, "/v2/iex", key_headers);
    hear(c, CONNECTED);
    hear(c, AUTHENTICATED);
    say(c, request);
    hear(c, answer);
    return c;
}

#define EVERYTHING                                                                                                     \
    "{\"action\":\"subscribe\",\"trades\":[\"*\"],\"quotes\":[\"*\"],\"bars\":[\"*\"],\"updatedBars\":[\"*\"],"        \
    "\"dailyBars\":[\"*\"],"                                                                                           \
    "\"lulds\":[\"*\"]}"
#define EVERYTHING_SET                                                                                                 \
    "[{\"T\":\"subscription\",\"trades\":[\"*\"],\"quotes\":[\"*\"],\"bars\":[\"*\"],\"updatedBars\":[\"*\"],"         \
    "\"dailyBars\":[\"*\"],"                                                                                           \
    "\"lulds\":[\"*\"],\"corrections\":[\"*\"],\"cancelErrors\":[\"*\"]}]"

static heard live(double speed, uint64_t seed, kit **ret)
{
    kit *k = kit_start((nx_sim_opts){.seed = seed, .sessions = 3, .speed = speed, .live_minutes = 20});
    heard h = listen_to_end(k, subscribe(k, EVERYTHING, EVERYTHING_SET));
    *ret = k;
    return h;
}

static void the_live_day(void **state)
{
    (void)state;
    kit *k, *again;
    heard h = live(NX_SIM_SPEED_MAX, 1, &k);
    assert_int_equal(h.close_code, 1001); /* end of data */
    assert_true(h.types['t'] > 8 * 20 * 4 * 9 / 10 && h.types['t'] <= 8 * 20 * 4);
    assert_int_equal(h.types['q'], 3 * h.types['t']);
    assert_true(h.types['b'] > 150 && h.types['b'] <= 160 && h.types['d'] == 160 && h.types['l'] == 8);
    assert_true(h.types['u'] > 0);
    /* REST says the same once the clock is there */
    char path[512], from[48], to[48];
    nx_time_format_ns(nx_sim_open(k->sim, 3), from);
    nx_time_format_ns(nx_sim_open(k->sim, 3) + INT64_C(1199) * 1000000000, to);
    snprintf(path, sizeof path,
             "/v2/stocks/bars?symbols=AAPL,AMD,GME,MSFT,NVDA,PLTR,SPY,TSLA&timeframe=1Min&limit=10000&start=%s&end=%s",
             from, to);
    const nx_val *map = nx_val_get(kit_get(k, path), "bars");
    double shares = 0;
    size_t bars = 0;
    for (size_t i = 0; i < map->n; i++)
        for (size_t j = 0; j < map->items[i].n; j++, bars++)
            shares += nx_val_f64(nx_val_get(&map->items[i].items[j], "v"), 0);
    assert_int_equal(bars, h.types['b']);
    assert_true(shares == h.bar_shares);
    snprintf(path, sizeof path,
             "/v2/stocks/trades?symbols=AAPL,AMD,GME,MSFT,NVDA,PLTR,SPY,TSLA&limit=10000&start=%s&end=%s", from, to);
    map = nx_val_get(kit_get(k, path), "trades");
    size_t trades = 0, replaced = 0, cancelled = 0;
    double traded = 0;
    for (size_t i = 0; i < map->n; i++)
        for (size_t j = 0; j < map->items[i].n; j++) {
            nx_str u = nx_val_str(nx_val_get(&map->items[i].items[j], "u"), NX_STR(""));
            replaced += nx_str_is(u, "corrected");
            cancelled += nx_str_is(u, "canceled");
            if (nx_str_is(u, "corrected"))
                continue; /* on the stream it is a correction, no trade */
            trades++;
            traded += nx_val_f64(nx_val_get(&map->items[i].items[j], "s"), 0);
        }
    assert_int_equal(trades, h.types['t']);
    assert_true(traded == h.trade_shares);
    assert_int_equal(replaced, h.types['c']);
    assert_int_equal(cancelled, h.types['x']);
    /* the same seed says the same bytes, also by the clock instead of at full speed */
    heard same = live(6000, 1, &again);
    assert_int_equal(same.text.n, h.text.n);
    assert_memory_equal(same.text.p, h.text.p, h.text.n);
    kit_stop(again);
    kit_stop(k);
    nx_buf_drop(&h.text);
    nx_buf_drop(&same.text);
}

/* ------------------------------------------------------------------ the vendor's binary form */

static void say_packed(nx_wsc *c, const char *json)
{
    nx_err err = {0};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_mp_from_json(nx_str_of(json), NULL, &b, &err), NX_OK);
    assert_int_equal(nx_wsc_send(c, NX_WS_BINARY, nx_buf_str(&b), 60000, NULL, &err), NX_OK);
}

/* A binary message as JSON. */
static void hear_packed(nx_wsc *c, const char *expected)
{
    nx_err err = {0};
    nx_ws_frame f;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_wsc_recv(c, 60000, NULL, &f, &err), NX_OK);
    assert_int_equal(f.op, NX_WS_BINARY);
    assert_int_equal(nx_mp_to_json((nx_str){f.p, f.n}, &b, &err), NX_OK);
    assert_string_equal(b.p, expected);
}

static nx_wsc *dial_packed(kit *k, bool deflate)
{
    static const char *const headers[] = {"Content-Type: application/msgpack", NULL};
    char url[128];
    nx_wsc *c = NULL;
    nx_err err = {0};
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/v2/iex", nx_sim_port(k->sim));
    nx_wsc_opts o = {
        .url = url, .headers = headers, .connect_timeout_ms = 60000, .deflate = deflate, .deflate_bytes_min = 1};
    if (nx_wsc_connect(&o, NULL, &c, &err) != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(nx_wsc_deflates(c), deflate);
    hear_packed(c, CONNECTED);
    return c;
}

static void packed_handshake(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 1, .key = "K1", .secret = "S1"});
    for (int deflate = 0; deflate < 2; deflate++) {
        nx_wsc *c = dial_packed(k, deflate == 1);
        say_packed(c, "{\"action\":\"subscribe\",\"trades\":[\"AAPL\"]}");
        hear_packed(c, "[{\"T\":\"error\",\"code\":401,\"msg\":\"not authenticated\"}]");
        say(c, AUTH); /* JSON is no msgpack */
        hear_packed(c, "[{\"T\":\"error\",\"code\":400,\"msg\":\"invalid syntax\"}]");
        say_packed(c, AUTH);
        hear_packed(c, AUTHENTICATED);
        say_packed(c, "{\"action\":\"subscribe\",\"trades\":[\"AAPL\"]}");
        hear_packed(
            c,
            "[{\"T\":\"subscription\",\"trades\":[\"AAPL\"],\"corrections\":[\"AAPL\"],\"cancelErrors\":[\"AAPL\"]}]");
        nx_wsc_drop(c);
    }
    kit_stop(k);
}

/* The number of bytes of a day's messages as they are in msgpack; *ret: the same as JSON, a line each. */
static size_t packed_day(bool deflate, nx_buf *ret)
{
    kit *k = kit_start((nx_sim_opts){.seed = 1, .sessions = 3, .speed = NX_SIM_SPEED_MAX, .live_minutes = 20});
    nx_wsc *c = dial_packed(k, deflate);
    say_packed(c, AUTH);
    hear_packed(c, AUTHENTICATED);
    say_packed(c, EVERYTHING);
    hear_packed(c, EVERYTHING_SET);
    nx_ws_frame f;
    nx_err err = {0};
    size_t bytes = 0;
    while (nx_wsc_recv(c, 60000, NULL, &f, &err) == NX_OK) {
        bytes += f.n;
        assert_int_equal(f.op, NX_WS_BINARY);
        assert_int_equal(nx_mp_to_json((nx_str){f.p, f.n}, ret, &err), NX_OK);
        assert_int_equal(nx_buf_addc(ret, '\n'), NX_OK);
    }
    assert_int_equal(nx_wsc_close_code(c), 1001);
    nx_wsc_drop(c);
    kit_stop(k);
    return bytes;
}

/* The same day in both forms, plain and compressed. */
static void the_packed_day(void **state)
{
    (void)state;
    kit *k;
    heard h = live(NX_SIM_SPEED_MAX, 1, &k);
    nx_buf plain NX_BUF_AUTO, deflated NX_BUF_AUTO, want NX_BUF_AUTO, mp NX_BUF_AUTO;
    nx_buf_init(&plain, 0);
    nx_buf_init(&deflated, 0);
    nx_buf_init(&want, 0);
    nx_buf_init(&mp, 0);
    nx_str rest = nx_buf_str(&h.text), line;
    nx_err err = {0};
    static const char *const times[] = {"t", NULL}; /* as text they come back with 3, 6 or 9 digits */
    const nx_mp_words words = {.times = times};
    while (nx_str_split(&rest, '\n', &line)) {
        if (line.n == 0)
            continue;
        nx_buf_clear(&mp);
        assert_int_equal(nx_mp_from_json(line, &words, &mp, &err), NX_OK);
        assert_int_equal(nx_mp_to_json(nx_buf_str(&mp), &want, &err), NX_OK);
        assert_int_equal(nx_buf_addc(&want, '\n'), NX_OK);
    }
    size_t bytes = packed_day(false, &plain);
    assert_int_equal(plain.n, want.n);
    assert_memory_equal(plain.p, want.p, want.n);
    assert_true(bytes < h.text.n * 7 / 10);
    assert_int_equal(packed_day(true, &deflated), bytes);
    assert_int_equal(deflated.n, want.n);
    assert_memory_equal(deflated.p, want.p, want.n);
    nx_buf_drop(&h.text);
    kit_stop(k);
}

static void only_what_was_asked(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 1, .speed = NX_SIM_SPEED_MAX, .live_minutes = 5});
    heard h = listen_to_end(k, subscribe(k, "{\"action\":\"subscribe\",\"bars\":[\"SPY\",\"NOSUCH\"]}",
                                         "[{\"T\":\"subscription\",\"bars\":[\"SPY\",\"NOSUCH\"]}]"));
    assert_int_equal(h.types['b'], 5);
    assert_int_equal(h.frames, 5);
    assert_null(memmem(h.text.p, h.text.n, "AAPL", 4));
    nx_buf_drop(&h.text);
    kit_stop(k);
}

static void cut_and_resume(void **state)
{
    (void)state;
    kit *whole = kit_start((nx_sim_opts){.sessions = 1, .speed = NX_SIM_SPEED_MAX, .live_minutes = 10});
    heard all = listen_to_end(whole, subscribe(whole, EVERYTHING, EVERYTHING_SET));
    kit_stop(whole);
    kit *k = kit_start((nx_sim_opts){
        .sessions = 1, .speed = NX_SIM_SPEED_MAX, .live_minutes = 10, .faults = {.cut_stream_after = 40}});
    size_t frames = 0;
    int code = 1006, connections = 0;
    nx_buf text;
    nx_buf_init(&text, (size_t)1 << 30);
    while (code == 1006) {
        heard h = listen_to_end(k, subscribe(k, EVERYTHING, EVERYTHING_SET));
        code = h.close_code;
        assert_true(h.frames <= 40 && (code == 1006) == (h.frames == 40));
        frames += h.frames;
        connections++;
        assert_int_equal(nx_buf_add(&text, nx_buf_str(&h.text)), NX_OK);
        nx_buf_drop(&h.text);
    }
    assert_int_equal(frames, all.frames);
    assert_int_equal(connections, frames / 40 + 1);
    assert_int_equal(text.n, all.text.n); /* at full speed the stream waits for a listener */
    assert_memory_equal(text.p, all.text.p, text.n);
    nx_buf_drop(&text);
    nx_buf_drop(&all.text);
    kit_stop(k);
}

static void write_tape(const char *path, const char *text)
{
    nx_err err = {0};
    assert_int_equal(nx_file_replace(path, nx_str_of(text), &err), NX_OK);
}

static void tapes(void **state)
{
    (void)state;
    static const char first[] =
        "[{\"T\":\"q\",\"S\":\"A\",\"bp\":1,\"c\":[\"R\",\"}\"],\"t\":\"2013-10-08T08:00:00.135Z\"},"
        "{\"T\":\"t\",\"S\":\"B\",\"x\":\"\\\"T\",\"t\":\"2013-10-08T08:00:00.135Z\"}]\n";
    static const char second[] = "[{\"T\":\"t\",\"S\":\"A\",\"i\":7,\"t\":\"2013-10-08T08:00:01Z\"}]";
    char a[] = "/tmp/nexus-tape-XXXXXX", b[] = "/tmp/nexus-tape-XXXXXX";
    int fa = mkstemp(a), fb = mkstemp(b);
    nx_fd_drop(&fa);
    nx_fd_drop(&fb);
    write_tape(a, first);
    write_tape(b, second);
    const char *files[] = {a, b};
    kit *k = kit_start((nx_sim_opts){.tapes = files, .n_tapes = 2, .speed = NX_SIM_SPEED_MAX});
    nx_wsc *c = subscribe(k, "{\"action\":\"subscribe\",\"trades\":[\"*\"],\"quotes\":[\"A\"]}",
                          "[{\"T\":\"subscription\",\"trades\":[\"*\"],\"quotes\":[\"A\"],\"corrections\":[\"*\"],"
                          "\"cancelErrors\":[\"*\"]}]");
    heard h = listen_to_end(k, c);
    assert_int_equal(h.close_code, 1001);
    char expected[sizeof first + sizeof second + 1];
    snprintf(expected, sizeof expected, "%s%s\n", first, second);
    assert_string_equal(h.text.p, expected); /* byte for byte as recorded */
    nx_buf_drop(&h.text);
    assert_int_equal(nx_sim_now(k->sim) / 1000000000, 1381219201);
    kit_stop(k);
    static const char *const broken[] = {"{}\n", "[{\"S\":\"A\"}]\n", "[{\"T\":\"t\"\n", "[1]\n"};
    for (size_t i = 0; i < NX_COUNT_OF(broken); i++) {
        nx_sim *s;
        nx_err err = {0};
        write_tape(a, broken[i]);
        nx_sim_opts o = {.listen = "127.0.0.1:0", .tapes = files, .n_tapes = 1};
        assert_int_equal(nx_sim_start(&o, &s, &err), NX_INVALID);
        assert_true(strstr(err.text, a) != NULL && strstr(err.text, "line 1") != NULL);
    }
    remove(a);
    remove(b);
}

static void a_real_tape(void **state)
{
    (void)state;
    const char *shared = getenv("NEXUS_SHARED");
    static char path[512];
    snprintf(path, sizeof path, "%s/data/market/alpaca_ws/stocks_2013-10-09_ibm.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    if (!nx_file_exists(path)) {
        print_message("shared data absent: %s\n", path);
        skip();
    }
    const char *files[] = {path};
    kit *k = kit_start((nx_sim_opts){.tapes = files, .n_tapes = 1, .speed = NX_SIM_SPEED_MAX});
    heard h = listen_to_end(
        k, subscribe(k, "{\"action\":\"subscribe\",\"trades\":[\"IBM\"],\"quotes\":[\"IBM\"],\"bars\":[\"IBM\"]}",
                     "[{\"T\":\"subscription\",\"trades\":[\"IBM\"],\"quotes\":[\"IBM\"],\"bars\":[\"IBM\"],"
                     "\"corrections\":[\"IBM\"],\"cancelErrors\":[\"IBM\"]}]"));
    assert_int_equal(h.types['q'], 67746); /* the counts in the data's README */
    assert_int_equal(h.types['t'], 27042);
    assert_int_equal(h.types['b'], 423);
    nx_buf_drop(&h.text);
    kit_stop(k);
}

/* Connections that are open, half open or just made when the simulator ends: it ends all the same. */
static void stops_with_open_connections(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 1, .speed = 1});
    nx_wsc *c[6];
    for (size_t i = 0; i < NX_COUNT_OF(c); i++)
        c[i] = dial(k, "/v2/iex", i % 2 == 0 ? key_headers : NULL);
    hear(c[0], CONNECTED);
    hear(c[0], AUTHENTICATED);
    say(c[0], EVERYTHING);
    hear(c[0], EVERYTHING_SET);
    nx_wsc_drop(c[5]);
    kit_stop(k);
    nx_ws_frame f;
    nx_err err = {0};
    nx_status st;
    while ((st = nx_wsc_recv(c[0], 60000, NULL, &f, &err)) == NX_OK)
        ;
    assert_true(st == NX_REMOTE || st == NX_NOTHING);
    for (size_t i = 0; i < 5; i++)
        nx_wsc_drop(c[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshake),
        cmocka_unit_test(packed_handshake),
        cmocka_unit_test(the_packed_day),
        cmocka_unit_test(the_live_day),
        cmocka_unit_test(only_what_was_asked),
        cmocka_unit_test(cut_and_resume),
        cmocka_unit_test(tapes),
        cmocka_unit_test(a_real_tape),
        cmocka_unit_test(stops_with_open_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
