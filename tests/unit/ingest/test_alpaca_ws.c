/* The client of Alpaca's stream against a vendor of our own: the sequence, every error code, cuts, silence, stop at any time. */
#include "unit/ingest/vendor_kit.h"

#include <sys/socket.h>

#define TRADE                                                                                                          \
    "[{\"T\":\"t\",\"S\":\"AAPL\",\"i\":%d,\"x\":\"V\",\"p\":10.25,\"s\":100,\"c\":[\"@\"],\"z\":\"C\",\"t\":\"2026-10-20T13:30:00.%09dZ\"}]"

static bool say_trade(vendor *v, nx_wsd_conn *c, int id)
{
    char text[256];
    snprintf(text, sizeof text, TRADE, id, id);
    return vendor_say(v, c, text);
}

/* ------------------------------------------------------------------ the sequence */

static const char *heard[2];

static void by_the_book(vendor *v, int k, nx_wsd_conn *c)
{
    static char auth[512], subscribe[512];
    (void)k;
    if (!vendor_say(v, c, GREETING))
        return;
    const char *t = vendor_hear(v, c);
    snprintf(auth, sizeof auth, "%s", t == NULL ? "" : t);
    if (!vendor_say(v, c, SIGNED_IN))
        return;
    t = vendor_hear(v, c);
    snprintf(subscribe, sizeof subscribe, "%s", t == NULL ? "" : t);
    heard[0] = auth;
    heard[1] = subscribe;
    vendor_say(v, c, SUBSCRIBED);
    for (int i = 1; i <= 100; i++)
        say_trade(v, c, i);
    vendor_say(v, c, "[{\"T\":\"t\",\"S\":\"AAPL\",\"p\":\"dear\"},{\"T\":\"new\",\"S\":\"AAPL\"}]");
    vendor_say(v, c, "[{\"T\":\"t\","); /* broken JSON is refused, the connection goes on */
    say_trade(v, c, 101);
    vendor_close(v, c, 1001);
}

static void the_whole_sequence(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, by_the_book, 0);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    o.once = true;
    nx_alpaca_ws *w = ws_start(e, &o);
    nx_alpaca_ws_stats s = await_end(w);
    must(nx_alpaca_ws_result(w, &e->err), &e->err);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
    assert_string_equal(heard[0],
                        "{\"action\":\"auth\",\"key\":\"KEY-stay-hidden\",\"secret\":\"SECRET-stay-hidden\"}");
    assert_string_equal(heard[1],
                        "{\"action\":\"subscribe\",\"trades\":[\"AAPL\",\"SPY\"],\"bars\":[\"AAPL\",\"SPY\"]}");
    assert_int_equal(s.connects, 1);
    assert_int_equal(s.accepted, 101);
    assert_int_equal(s.rejected, 3);
    edge_stop(e);
    assert_int_equal(edge_count(e, "bronze.trades where _source = 'alpaca/iex' and _known_basis = 'received'"), 101);
    assert_int_equal(edge_count(e, "quarantine.records where source = 'alpaca/iex'"), 3);
}

/* ------------------------------------------------------------------ errors */

static const struct code {
    int code;
    const char *msg;
    char at; /* sent instead of: a the sign-in, s the subscription, d data */
    bool fatal;
} codes[] = {
    {402, "auth failed", 'a', true},
    {409, "insufficient subscription", 'a', true},
    {408, "v2 not enabled", 'a', true},
    {411, "insufficient scope", 'a', true},
    {400, "invalid syntax", 's', true},
    {405, "symbol limit exceeded", 's', true},
    {410, "invalid subscribe action for this feed", 's', true},
    {404, "auth timeout", 'a', false},
    {406, "connection limit exceeded", 'a', false},
    {500, "internal error", 'a', false},
    {401, "not authenticated", 's', false},
    {407, "slow client", 'd', false},
    {500, "internal error", 'd', false},
    {999, "nobody knows this one", 'd', false},
};

/* The first connection gets the error and then silence, as the vendor does; the others are good. */
static void one_error(vendor *v, int k, nx_wsd_conn *c)
{
    const struct code *e = &codes[v->mode];
    char text[256];
    snprintf(text, sizeof text, "[{\"T\":\"error\",\"code\":%d,\"msg\":\"%s\"}]", e->code, e->msg);
    if (k > 0) {
        if (vendor_sign_in(v, c) && say_trade(v, c, k))
            vendor_close(v, c, 1000);
        return;
    }
    vendor_say(v, c, GREETING);
    vendor_hear(v, c);
    if (e->at == 'a') {
        vendor_say(v, c, text);
    } else {
        vendor_say(v, c, SIGNED_IN);
        vendor_hear(v, c);
        if (e->at == 'd')
            vendor_say(v, c, SUBSCRIBED);
        vendor_say(v, c, text);
    }
    vendor_listen(v, c);
}

static void every_error_code(void **state)
{
    edge *e = *state;
    for (size_t i = 0; i < NX_COUNT_OF(codes); i++) {
        vendor v;
        char number[8];
        vendor_up(&v, one_error, (int)i);
        nx_alpaca_ws_opts o = impatient(e, v.url);
        o.once = true;
        nx_alpaca_ws *w = ws_start(e, &o);
        nx_alpaca_ws_stats s = await_end(w);
        nx_err err = {0};
        nx_status st = nx_alpaca_ws_result(w, &err);
        nx_alpaca_ws_stop(w);
        vendor_down(&v);
        snprintf(number, sizeof number, "%d", codes[i].code);
        if (!codes[i].fatal) {
            must(st, &err);
            assert_int_equal(s.connects, 2);
            assert_int_equal(s.accepted, 1);
            continue;
        }
        if (st != NX_INVALID || s.connects != 1 || strstr(err.text, number) == NULL ||
            strstr(err.text, codes[i].msg) == NULL || (codes[i].code != 411 && err.hint[0] == '\0') ||
            strstr(err.text, "hidden") != NULL)
            fail_msg("%d: %s after %d connections: %s (%s)", codes[i].code, nx_status_name(st), (int)s.connects,
                     err.text, err.hint);
    }
}

static void signed_in_already(vendor *v, int k, nx_wsd_conn *c)
{
    (void)k;
    vendor_say(v, c, GREETING);
    vendor_hear(v, c);
    vendor_say(v, c, "[{\"T\":\"error\",\"code\":403,\"msg\":\"already authenticated\"}]");
    vendor_hear(v, c);
    vendor_say(v, c, "[{\"T\":\"subscription\"}]");
    say_trade(v, c, 1);
    vendor_close(v, c, 1000);
}

static void an_old_sign_in_is_good(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, signed_in_already, 0);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    o.once = true;
    nx_alpaca_ws *w = ws_start(e, &o);
    assert_int_equal(await_end(w).accepted, 1);
    must(nx_alpaca_ws_result(w, &e->err), &e->err);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
}

/* ------------------------------------------------------------------ connections that do not last */

/* Bad ends one after the other, then a good connection. */
static void bad_ends(vendor *v, int k, nx_wsd_conn *c)
{
    static const unsigned char garbage[] = {0xff, 0xff, 0xff, 0xff};
    switch (k) {
    case 0: /* no greeting */
        vendor_listen(v, c);
        return;
    case 1: /* cut behind the greeting */
        vendor_say(v, c, GREETING);
        return;
    case 2: /* closed while signing in: no end of the feed */
        vendor_say(v, c, GREETING);
        vendor_hear(v, c);
        vendor_close(v, c, 1001);
        return;
    case 3: /* no answer to the subscription */
        vendor_say(v, c, GREETING);
        vendor_hear(v, c);
        vendor_say(v, c, SIGNED_IN);
        vendor_listen(v, c);
        return;
    case 4: /* cut while streaming */
        vendor_sign_in(v, c);
        say_trade(v, c, k);
        return;
    case 5: /* no WebSocket frame */
        vendor_sign_in(v, c);
        say_trade(v, c, k);
        if (send(nx_wsd_fd(c), garbage, sizeof garbage, MSG_NOSIGNAL) == sizeof garbage)
            vendor_listen(v, c);
        return;
    default:
        vendor_sign_in(v, c);
        say_trade(v, c, k);
        vendor_close(v, c, 1000);
    }
}

static void it_comes_back(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, bad_ends, 0);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    o.once = true;
    o.answer_ms = 300;
    nx_alpaca_ws *w = ws_start(e, &o);
    nx_alpaca_ws_stats s = await_end(w);
    must(nx_alpaca_ws_result(w, &e->err), &e->err);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
    assert_true(s.connects >= 7); /* more when the machine is slow: an answer in 300 ms */
    edge_stop(e);
    assert_int_equal(edge_count(e, "bronze.trades where trade_id in (4, 5)"), 2);
}

static void proper_closes(vendor *v, int k, nx_wsd_conn *c)
{
    if (vendor_sign_in(v, c) && say_trade(v, c, k))
        vendor_close(v, c, 1000);
}

static void a_close_is_no_end_without_once(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, proper_closes, 0);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    nx_alpaca_ws *w = ws_start(e, &o);
    while (stats_of(w).accepted < 4)
        nx_clock_sleep_ms(2, NULL);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
}

/* mode 0: the first connection is mute, its process as good as dead. mode 1: nothing to say, but pings are answered. */
static void silence(vendor *v, int k, nx_wsd_conn *c)
{
    if (!vendor_sign_in(v, c))
        return;
    if (v->mode == 1 || k > 0)
        vendor_listen(v, c);
    else
        while (!atomic_load(&v->quit) && atomic_load(&v->connections) == 1) {
            struct pollfd p = {v->fd, POLLIN, 0};
            if (poll(&p, 1, 20) > 0)
                return; /* the next one is here */
        }
}

static void silence_is_noticed(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, silence, 0);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    o.quiet_ms = 40;
    nx_alpaca_ws *w = ws_start(e, &o);
    while (stats_of(w).connects < 2)
        nx_clock_sleep_ms(2, NULL);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
    vendor_up(&v, silence, 1);
    o = impatient(e, v.url);
    o.quiet_ms = 400;
    w = ws_start(e, &o);
    while (stats_of(w).state != NX_ALPACA_WS_STREAMING)
        nx_clock_sleep_ms(2, NULL);
    nx_clock_sleep_ms(1500, NULL); /* pinged, answered, still the same */
    assert_int_equal(stats_of(w).connects, 1);
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
}

static void a_wrong_path_ends_it(void **state)
{
    edge *e = *state;
    vendor v;
    vendor_up(&v, silence, 1);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    o.feed = "nosuch";
    nx_alpaca_ws *w = ws_start(e, &o);
    await_end(w);
    assert_int_equal(nx_alpaca_ws_result(w, &e->err), NX_REMOTE);
    assert_non_null(strstr(e->err.text, "404"));
    nx_alpaca_ws_stop(w);
    vendor_down(&v);
}

/* ------------------------------------------------------------------ stop */

static void stop_at_any_time(void **state)
{
    edge *e = *state;
    /* a socket that nobody serves: the upgrade is never answered */
    vendor v;
    vendor_bind(&v, silence);
    nx_alpaca_ws_opts o = impatient(e, v.url);
    o.backoff_base_ms = o.backoff_cap_ms = 3600000;
    o.answer_ms = 3600000;
    nx_alpaca_ws *w = ws_start(e, &o);
    nx_clock_sleep_ms(50, NULL);
    nx_alpaca_ws_stop(w);
    close(v.fd);
    /* nobody listens: it waits for an hour */
    w = ws_start(e, &o);
    while (stats_of(w).state != NX_ALPACA_WS_WAITING)
        nx_clock_sleep_ms(2, NULL);
    nx_alpaca_ws_stop(w);
    /* signing in, streaming */
    static const nx_alpaca_ws_state states[] = {NX_ALPACA_WS_SIGNING_IN, NX_ALPACA_WS_STREAMING};
    for (size_t i = 0; i < NX_COUNT_OF(states); i++) {
        vendor_up(&v, i == 0 ? bad_ends : silence, 1);
        o.url = v.url;
        w = ws_start(e, &o);
        while (stats_of(w).state != states[i])
            nx_clock_sleep_ms(2, NULL);
        nx_alpaca_ws_stop(w);
        vendor_down(&v);
    }
    nx_alpaca_ws_stop(NULL);
}

static void options_are_checked(void **state)
{
    edge *e = *state;
    static const char *const none[] = {NULL}, *const odd[] = {"trades", "gossip", NULL};
    nx_alpaca_ws_opts good = impatient(e, "ws://127.0.0.1:1"), o = good;
    nx_alpaca_ws *w;
    char long_name[2000];
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    o.key = NULL;
    assert_int_equal(nx_alpaca_ws_start(&o, &w, &e->err), NX_INVALID);
    o = good;
    o.symbols = none;
    assert_int_equal(nx_alpaca_ws_start(&o, &w, &e->err), NX_INVALID);
    o = good;
    o.channels = odd;
    assert_int_equal(nx_alpaca_ws_start(&o, &w, &e->err), NX_INVALID);
    assert_non_null(strstr(e->err.text, "gossip"));
    o = good;
    o.feed = long_name;
    assert_int_equal(nx_alpaca_ws_start(&o, &w, &e->err), NX_INVALID);
    o = good;
    o.url = "http://not-a-stream";
    w = ws_start(e, &o);
    await_end(w);
    assert_int_equal(nx_alpaca_ws_result(w, &e->err), NX_INVALID);
    nx_alpaca_ws_stop(w);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, edge_up, edge_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_whole_sequence),
        CASE(every_error_code),
        CASE(an_old_sign_in_is_good),
        CASE(it_comes_back),
        CASE(a_close_is_no_end_without_once),
        CASE(silence_is_noticed),
        CASE(a_wrong_path_ends_it),
        CASE(stop_at_any_time),
        CASE(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
