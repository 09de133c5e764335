/* The Reddit side: tokens, listings with after and before, /api/info, what files give; and the effect of talk that
 * the world promises. */
#include "sim_kit.h"

#include <math.h>

#include "base/file.h"
#include "base/hash.h"
#include "data/time.h"

static char bearer[96];
static const char *const with_token[] = {bearer, "User-Agent: linux:test:v1 (by /u/test)", NULL};

static int grant(kit *k, const char *credentials, const char *form)
{
    char basic[128];
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_base64_encode(&b, credentials, strlen(credentials)), NX_OK);
    snprintf(basic, sizeof basic, "Authorization: Basic %s", b.p == NULL ? "" : b.p);
    nx_buf_drop(&b);
    const char *const headers[] = {basic, NULL};
    int status = kit_ask(k, "POST", "/api/v1/access_token", headers, form);
    if (status == 200) {
        nx_str token = nx_val_str(nx_val_get(kit_tree(k), "access_token"), NX_STR(""));
        snprintf(bearer, sizeof bearer, "Authorization: bearer " NX_STR_FMT, NX_STR_ARG(token));
    }
    return status;
}

static const nx_val *get(kit *k, const char *path)
{
    int status = kit_ask(k, "GET", path, with_token, "");
    if (status != 200)
        fail_msg("%s: %d %s", path, status, k->resp.body.p);
    return kit_tree(k);
}

static void tokens(void **state)
{
    (void)state;
    kit *k =
        kit_start((nx_sim_opts){.sessions = 1, .client_id = "id", .client_secret = "sec", .faults = {.token_uses = 2}});
    assert_int_equal(kit_ask(k, "GET", "/r/stocks/new", NULL, ""), 401);
    assert_string_equal(k->resp.body.p, "{\"message\": \"Unauthorized\", \"error\": 401}");
    assert_non_null(strstr(nx_http_resp_header(&k->resp, "www-authenticate"), "invalid_token"));
    assert_int_equal(grant(k, "id:wrong", "grant_type=client_credentials"), 401);
    assert_int_equal(grant(k, "id:sec", "grant_type=magic"), 200);
    assert_string_equal(k->resp.body.p, "{\"error\": \"unsupported_grant_type\"}");
    assert_int_equal(
        grant(k, "id:sec", "grant_type=https%3A%2F%2Foauth.reddit.com%2Fgrants%2Finstalled_client&device_id=short"),
        200);
    assert_non_null(strstr(k->resp.body.p, "bad device_id"));
    assert_int_equal(grant(k, "id:sec", "grant_type=client_credentials&scope=read"), 200);
    assert_int_equal(nx_val_i64(nx_val_get(kit_tree(k), "expires_in"), 0), 86400);
    get(k, "/r/stocks/new");
    assert_non_null(nx_http_resp_header(&k->resp, "x-ratelimit-remaining"));
    get(k, "/r/stocks/new");
    assert_int_equal(kit_ask(k, "GET", "/r/stocks/new", with_token, ""), 401); /* used up */
    assert_int_equal(grant(k, "id:sec", "grant_type=client_credentials"), 200);
    get(k, "/r/stocks/new");
    assert_int_equal(kit_ask(k, "GET", "/r/nosuchplace/new", with_token, ""), 404);
    kit_stop(k);
}

/* Walks a listing to its end; every name once, newest first. Returns how many. */
static size_t walk(kit *k, const char *listing, const char *limit, char names[][16], size_t cap)
{
    char path[256], after[32] = "";
    size_t n = 0;
    double last = 1e18;
    do {
        snprintf(path, sizeof path, "%s?raw_json=1&limit=%s%s%s", listing, limit,
                 after[0] == '\0' ? "" : "&after=", after);
        nx_arena_reset(&k->arena);
        const nx_val *data = nx_val_get(get(k, path), "data"), *children = nx_val_get(data, "children");
        assert_int_equal(nx_val_i64(nx_val_get(data, "dist"), -1), children->n);
        for (size_t i = 0; i < children->n; i++) {
            const nx_val *d = nx_val_get(&children->items[i], "data");
            double at = nx_val_f64(nx_val_get(d, "created_utc"), 0);
            assert_true(at <= last && n < cap);
            last = at;
            snprintf(names[n++], 16, NX_STR_FMT, NX_STR_ARG(nx_val_get(d, "name")->s));
        }
        nx_str next = nx_val_str(nx_val_get(data, "after"), NX_STR(""));
        snprintf(after, sizeof after, NX_STR_FMT, NX_STR_ARG(next));
    } while (after[0] != '\0');
    return n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void listings(void **state)
{
    (void)state;
    static char names[8000][16], single[2][4000][16];
    kit *k = kit_start((nx_sim_opts){.sessions = 5});
    grant(k, "a:b", "grant_type=client_credentials");
    size_t n = walk(k, "/r/wallstreetbets+stocks/comments", "100", names, 8000);
    size_t a = walk(k, "/r/wallstreetbets/comments", "7", single[0], 4000),
           b = walk(k, "/r/stocks/comments", "1000", single[1], 4000);
    assert_true(n > 300 && n == a + b);
    qsort(names, n, sizeof names[0], by_name);
    for (size_t i = 1; i < n; i++)
        assert_true(strcmp(names[i - 1], names[i]) != 0);
    /* before: what is newer than an item */
    char path[256];
    snprintf(path, sizeof path, "/r/wallstreetbets/comments?limit=2&before=%s", single[0][5]);
    const nx_val *children = nx_val_path(get(k, path), "data.children");
    assert_int_equal(children->n, 2);
    assert_true(nx_str_is(nx_val_path(&children->items[1], "data.name")->s, single[0][4]));
    snprintf(path, sizeof path, "/r/wallstreetbets/comments?before=%s", single[0][0]);
    assert_int_equal(nx_val_path(get(k, path), "data.children")->n, 0);
    /* a clock in the past hides what came later */
    nx_sim_set_now(k->sim, nx_sim_open(k->sim, 2));
    size_t earlier = walk(k, "/r/wallstreetbets+stocks/comments", "100", names, 8000);
    assert_true(earlier > 0 && earlier < n * 3 / 4);
    kit_stop(k);
    k = kit_start((nx_sim_opts){.sessions = 5, .listing_max = 150});
    grant(k, "a:b", "grant_type=client_credentials");
    assert_int_equal(walk(k, "/r/wallstreetbets+stocks/comments", "100", names, 8000), 150);
    kit_stop(k);
}

static void things(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 20});
    grant(k, "a:b", "grant_type=client_credentials");
    size_t no_author = 0, edited = 0, total = 0;
    char after[32] = "", path[256], post[16] = "", comment[16] = "";
    bool ascii = true, emoji = false;
    do {
        snprintf(path, sizeof path, "/r/wallstreetbets+stocks/comments?raw_json=1&limit=100&after=%s", after);
        const nx_val *data = nx_val_get(get(k, path), "data"), *children = nx_val_get(data, "children");
        for (size_t i = 0; i < k->resp.body.n; i++)
            ascii = ascii && (unsigned char)k->resp.body.p[i] < 0x80 && k->resp.body.p[i] != '<' &&
                    k->resp.body.p[i] != '&';
        emoji = emoji || strstr(k->resp.body.p, "\\ud83d\\ude80") != NULL;
        for (size_t i = 0; i < children->n; i++) {
            const nx_val *d = nx_val_get(&children->items[i], "data");
            bool deleted = nx_str_is(nx_val_get(d, "author")->s, "[deleted]");
            assert_int_equal(nx_val_get(d, "author_fullname") == NULL, deleted);
            no_author += deleted;
            edited += nx_val_get(d, "edited")->kind == NX_VAL_NUM;
            assert_true(nx_val_get(d, "body")->s.n > 0 && nx_val_get(d, "link_id")->s.n > 3);
            snprintf(comment, sizeof comment, NX_STR_FMT, NX_STR_ARG(nx_val_get(d, "name")->s));
            snprintf(post, sizeof post, NX_STR_FMT, NX_STR_ARG(nx_val_get(d, "link_id")->s));
            total++;
        }
        snprintf(after, sizeof after, NX_STR_FMT, NX_STR_ARG(nx_val_str(nx_val_get(data, "after"), NX_STR(""))));
    } while (after[0] != '\0');
    assert_true(ascii && emoji);
    assert_true(no_author > 0 && no_author < total / 10 && edited > 0 && edited < total / 10);
    snprintf(path, sizeof path, "/api/info?raw_json=1&id=%s,t3_zzzzzz,%s", comment, post);
    const nx_val *children = nx_val_path(get(k, path), "data.children");
    assert_int_equal(children->n, 2); /* order kept, the unknown one left out */
    assert_true(nx_str_is(nx_val_path(&children->items[0], "data.name")->s, comment));
    assert_true(nx_str_is(nx_val_path(&children->items[1], "data.name")->s, post));
    assert_true(nx_val_path(&children->items[1], "data.title")->s.n > 0);
    const nx_val *about = get(k, "/r/stocks/about");
    assert_true(nx_str_is(nx_val_get(about, "kind")->s, "t5"));
    kit_stop(k);
}

static void entities_without_raw_json(void **state)
{
    (void)state;
    kit *k = kit_start((nx_sim_opts){.sessions = 5});
    grant(k, "a:b", "grant_type=client_credentials");
    get(k, "/r/wallstreetbets+stocks/new?limit=100&raw_json=1");
    assert_non_null(strstr(k->resp.body.p, "Positions \\u0026 sizes: 10 \\u003Cb\\u003E"));
    get(k, "/r/wallstreetbets+stocks/new?limit=100");
    assert_non_null(strstr(k->resp.body.p, "Positions \\u0026amp; sizes: 10 \\u0026lt;b\\u0026gt;"));
    kit_stop(k);
}

/* ------------------------------------------------------------------ the effect */

enum { SESSIONS = 30 };

static double correlation(const double *x, const double *y, size_t n)
{
    double mx = 0, my = 0, sxy = 0, sxx = 0, syy = 0;
    for (size_t i = 0; i < n; i++) {
        mx += x[i] / (double)n;
        my += y[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        sxy += (x[i] - mx) * (y[i] - my);
        sxx += (x[i] - mx) * (x[i] - mx);
        syy += (y[i] - my) * (y[i] - my);
    }
    return sxy / sqrt(sxx * syy);
}

/* The session whose talk a moment belongs to: from 16:00 New York on, the next one. */
static int session_of(kit *k, int64_t seconds)
{
    for (int i = 0; i <= SESSIONS; i++)
        if (seconds < nx_sim_open(k->sim, i) / 1000000000 + 6 * 3600 + 1800)
            return i;
    return SESSIONS;
}

static void count_mentions(kit *k, const char *listing, double counts[8][SESSIONS + 1])
{
    char path[256], after[32] = "";
    do {
        snprintf(path, sizeof path, "%s?raw_json=1&limit=100&after=%s", listing, after);
        nx_arena_reset(&k->arena);
        const nx_val *data = nx_val_get(get(k, path), "data"), *children = nx_val_get(data, "children");
        for (size_t i = 0; i < children->n; i++) {
            const nx_val *d = nx_val_get(&children->items[i], "data"), *text = nx_val_get(d, "title");
            int at = session_of(k, (int64_t)nx_val_f64(nx_val_get(d, "created_utc"), 0));
            text = text == NULL ? nx_val_get(d, "body") : text;
            for (size_t s = 0; s < 8; s++)
                counts[s][at] += nx_str_find(text->s, nx_str_of(nx_sim_symbol(s)), 0) != SIZE_MAX;
        }
        snprintf(after, sizeof after, NX_STR_FMT, NX_STR_ARG(nx_val_str(nx_val_get(data, "after"), NX_STR(""))));
    } while (after[0] != '\0');
}

/* Root of the sum of squared minute returns of every session. */
static void realized(kit *k, const char *symbol, double out[SESSIONS])
{
    for (int i = 0; i < SESSIONS; i++) {
        char path[256], from[48], to[48];
        nx_time_format_ns(nx_sim_open(k->sim, i), from);
        nx_time_format_ns(nx_sim_open(k->sim, i) + INT64_C(23400000000000), to);
        snprintf(path, sizeof path, "/v2/stocks/%s/bars?timeframe=1Min&limit=1000&start=%s&end=%s", symbol, from, to);
        nx_arena_reset(&k->arena);
        const nx_val *rows = nx_val_get(kit_get(k, path), "bars");
        assert_true(rows->n > 380);
        double sum = 0, last = 0;
        for (size_t m = 0; m < rows->n; m++) {
            double c = nx_val_f64(nx_val_get(&rows->items[m], "c"), 0);
            sum += m == 0 ? 0 : log(c / last) * log(c / last);
            last = c;
        }
        out[i] = sqrt(sum);
    }
}

/* Measured as a user would, from the answers alone. Returns the mean over the symbols that do not react. */
static double measure(uint64_t seed)
{
    kit *k = kit_start((nx_sim_opts){.seed = seed});
    grant(k, "a:b", "grant_type=client_credentials");
    static double counts[8][SESSIONS + 1];
    memset(counts, 0, sizeof counts);
    count_mentions(k, "/r/wallstreetbets+stocks/comments", counts);
    count_mentions(k, "/r/wallstreetbets+stocks/new", counts);
    double others = 0, total = 0;
    for (size_t s = 0; s < 8; s++) {
        double rv[SESSIONS];
        realized(k, nx_sim_symbol(s), rv);
        double r = correlation(counts[s], rv + 1, SESSIONS - 1);
        print_message("seed %d %-5s %s %+.2f\n", (int)seed, nx_sim_symbol(s),
                      nx_sim_symbol_reacts(s) ? "reacts" : "      ", r);
        if (nx_sim_symbol_reacts(s))
            assert_true(r > 0.7);
        else
            others += r / 4;
        for (int i = 0; i <= SESSIONS; i++)
            total += counts[s][i];
    }
    assert_true(total > 4500 && total < 8000);
    kit_stop(k);
    return others;
}

/* What the demo shows has to be in the data, whatever the seed. */
static void talk_moves_some_and_not_others(void **state)
{
    (void)state;
    double sum = 0;
    for (uint64_t seed = 1; seed <= 4; seed++)
        sum += measure(seed);
    assert_true(fabs(sum / 4) < 0.2); /* 16 unrelated pairs: a deviation of 0.05 */
}

/* ------------------------------------------------------------------ files */

static void files(void **state)
{
    (void)state;
    const char *shared = getenv("NEXUS_SHARED");
    static char bars[512], listing[512], names[9000][16];
    snprintf(bars, sizeof bars, "%s/data/market/alpaca_rest/bars_1Hour_AAPL.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    snprintf(listing, sizeof listing, "%s/data/reddit/stocknet_tweets/listing_AAPL_2014-01-01_2014-12-31.ndjson.zst",
             shared == NULL ? "../shared" : shared);
    if (!nx_file_exists(bars) || !nx_file_exists(listing)) {
        print_message("shared data absent: %s\n", bars);
        skip();
    }
    const char *bars_files[] = {bars}, *reddit_files[] = {listing};
    kit *k = kit_start((nx_sim_opts){.bars = bars_files, .n_bars = 1, .reddit = reddit_files, .n_reddit = 1});
    grant(k, "a:b", "grant_type=client_credentials");
    assert_int_equal(walk(k, "/r/stocknet_aapl/new", "100", names, 9000), 8632); /* the count in the data's README */
    const nx_val *rows =
        nx_val_get(kit_get(k, "/v2/stocks/AAPL/bars?timeframe=1Hour&start=1998-01-02&end=1998-01-02"), "bars");
    assert_int_equal(rows->n, 7);
    assert_true(nx_str_is(nx_val_get(&rows->items[1], "h")->s, "14.81"));
    assert_null(nx_val_get(&rows->items[1], "n"));
    rows = nx_val_get(kit_get(k, "/v2/stocks/AAPL/bars?timeframe=1Day&start=1998-01-02&end=1998-01-02"), "bars");
    assert_int_equal(nx_val_i64(nx_val_get(&rows->items[0], "v"), 0), 6315000);
    assert_string_equal(kit_body(k, "/v2/stocks/bars?symbols=AAPL&timeframe=1Min&start=2014-01-01&end=2014-02-01", 200),
                        "{\"bars\":{},\"next_page_token\":null}"); /* minutes cannot be made from hours */
    kit_stop(k);
}

static void broken_files(void **state)
{
    (void)state;
    char path[] = "/tmp/nexus-sim-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    nx_fd_drop(&fd);
    static const struct {
        const char *text, *names;
        bool listing;
    } cases[] = {
        {"{\"bars\":{}}\n{\"bars\":{\"A\":[{\"t\":\"x\"}]}}\n", "line 2", false},
        {"not json\n", "line 1", false},
        {"{\"bars\":[]}\n", "\"bars\"", false},
        {"{\"bars\":{\"A\":[{\"t\":\"2014-01-01T00:00:00Z\",\"o\":1.1234567,\"h\":1,\"l\":1,\"c\":1,\"v\":1}]}}\n",
         "6 decimals", false},
        {"{\"data\":{}}\n", "data.children", true},
        {"{\"data\":{\"children\":[{\"kind\":\"t3\",\"data\":{\"id\":\"a!\"}}]}}\n", "without id", true},
    };
    for (size_t i = 0; i < NX_COUNT_OF(cases); i++) {
        nx_err err = {0};
        nx_sim *s;
        const char *list[] = {path};
        assert_int_equal(nx_file_replace(path, nx_str_of(cases[i].text), &err), NX_OK);
        nx_sim_opts o = {.listen = "127.0.0.1:0"};
        if (cases[i].listing) {
            o.reddit = list;
            o.n_reddit = 1;
        } else {
            o.bars = list;
            o.n_bars = 1;
        }
        assert_int_equal(nx_sim_start(&o, &s, &err), NX_INVALID);
        assert_non_null(strstr(err.text, path));
        assert_non_null(strstr(err.text, cases[i].names));
    }
    remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(listings),
        cmocka_unit_test(things),
        cmocka_unit_test(entities_without_raw_json),
        cmocka_unit_test(talk_moves_some_and_not_others),
        cmocka_unit_test(files),
        cmocka_unit_test(broken_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
