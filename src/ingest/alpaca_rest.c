/* Alpaca's REST API: bars and trades in windows of time; assets, corporate actions and the calendar as whole lists. */
#include <stdio.h>

#include "base/hash.h"
#include "base/stop.h"
#include "data/time.h"
#include "ingest/pull_int.h"

/* A window holds at most so many pages: what a vendor that never ends may cost. */
enum { PAGES_MAX = 1000000 };

typedef struct alpaca {
    const nx_alpaca_opts *o;
    nx_alpaca_kind kind;
    nx_fetch fetch;
    nx_sink sink;
    char key_header[256], secret_header[256];
    const char *headers[4];
    char symbols[8192]; /* percent-encoded list */
    char app_id[96];
    char observed[40]; /* observed_at of a list */
} alpaca;

static const int64_t DAY_US = (int64_t)86400 * 1000000;

static const int64_t SETTLED_US = (int64_t)86400 * 1000000;

/* Feeds and exchanges repeat ids: the vendor's own tie break, and a corrected trade stands beside the one that it replaces. */
static const char *const trade_tie_break[] = {"price", "size", "update_status", NULL};

static nx_status put_header(char *to, size_t cap, const char *name, const char *value, nx_err *err)
{
    bool plain = true;
    for (const char *p = value; *p != '\0'; p++)
        plain &= (unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f;
    if (!plain || value[0] == '\0')
        return nx_err_hint(err,
                           nx_fail(err, NX_INVALID,
                                   "the Alpaca credential for %s is empty or holds blanks or control characters", name),
                           "check alpaca.key and alpaca.secret");
    if ((size_t)snprintf(to, cap, "%s: %s", name, value) >= cap)
        return nx_fail(err, NX_INVALID, "the Alpaca credential for %s is too long", name);
    return NX_OK;
}

static nx_status set_up(alpaca *a, nx_err *err)
{
    if (a->o->key != NULL && a->o->secret != NULL) {
        NX_TRY(put_header(a->key_header, sizeof a->key_header, "APCA-API-KEY-ID", a->o->key, err));
        NX_TRY(put_header(a->secret_header, sizeof a->secret_header, "APCA-API-SECRET-KEY", a->o->secret, err));
        a->headers[0] = a->key_header;
        a->headers[1] = a->secret_header;
    }
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, sizeof a->symbols - 1);
    for (const char *const *s = a->o->symbols; s != NULL && *s != NULL; s++) {
        nx_status st = b.n == 0 ? NX_OK : nx_buf_adds(&b, "%2C");
        if (st != NX_OK || nx_url_encode(&b, nx_str_of(*s)) != NX_OK)
            return nx_err_hint(
                err, nx_fail(err, NX_LIMIT, "the list of symbols is longer than %zu bytes", sizeof a->symbols),
                "load them in parts");
    }
    if (b.n > 0)
        memcpy(a->symbols, b.p, b.n + 1);
    return NX_OK;
}

/* The request's identity: the same one continues, another starts anew. */
static void name_request(alpaca *a, const char *what)
{
    NX_BUF_AUTO nx_buf b;
    char hex[65];
    nx_buf_init(&b, 1 << 16);
    const char *vendor = a->o->name == NULL ? a->o->data_url : a->o->name;
    nx_status st = nx_buf_addf(&b, "%s|%s|%s|%s|%s|%lld|%lld", what, vendor, a->symbols,
                               a->o->timeframe == NULL ? "" : a->o->timeframe, a->o->feed == NULL ? "" : a->o->feed,
                               (long long)a->o->start_us, (long long)a->o->end_us);
    nx_sha256_hex(st == NX_OK ? nx_buf_str(&b) : NX_STR(""), hex);
    snprintf(a->app_id, sizeof a->app_id, "alpaca.rest/%s/%.16s", what, hex);
}

typedef struct page_rows {
    alpaca *a;
    const nx_context *context; /* without the symbol */
    size_t n_context;
    const char *key_field; /* column that the member name gives; NULL: none */
} page_rows;

static nx_status take_row(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    page_rows *p = ctx;
    nx_context c[4];
    size_t n = 0;
    for (; n < p->n_context; n++)
        c[n] = p->context[n];
    if (p->key_field != NULL)
        c[n++] = (nx_context){p->key_field, key};
    return nx__sink_row(&p->a->sink, value, c, n, err);
}

/* Brent's way to see that tokens go in a circle, whatever its length, with one token in memory. */
typedef struct circle {
    nx_buf seen;
    int64_t pages, renew_at;
} circle;

static nx_status next_token(circle *c, nx_str token, nx_err *err)
{
    if (token.n > 0 && c->pages > 0 && nx_str_eq(token, nx_buf_str(&c->seen)))
        return nx_fail(err, NX_REMOTE, "Alpaca's pages go in a circle: after %lld pages the same page token came again",
                       (long long)c->pages);
    if (++c->pages > PAGES_MAX)
        return nx_fail(err, NX_LIMIT, "Alpaca's answer has no end: %d pages of one request were read", (int)PAGES_MAX);
    if (c->pages < c->renew_at)
        return NX_OK;
    c->renew_at = 2 * c->pages;
    nx_buf_clear(&c->seen);
    return nx_buf_add(&c->seen, token) == NX_OK ? NX_OK : nx_nomem(err);
}

/* One page: its rows go to the sink, the token of the next one to *token (empty: there is none). */
static nx_status read_page(alpaca *a, const char *url, const char *path, page_rows *rows, nx_buf *token, nx_err *err)
{
    NX_BUF_AUTO nx_buf at;
    nx_buf_init(&at, 1 << 16);
    nx_status st = nx_buf_adds(&at, url);
    if (st == NX_OK && token->n > 0) {
        st = nx_buf_adds(&at, "&page_token=");
        st = st == NX_OK ? nx_url_encode(&at, nx_buf_str(token)) : st;
    }
    if (st != NX_OK)
        return nx_fail(err, st, "a request to Alpaca does not fit: %s", nx_status_text(st));
    nx_http_resp resp = {0};
    nx_http_req req = {.method = "GET", .url = at.p, .headers = a->headers};
    bool more;
    st = nx__fetch(&a->fetch, &req, false, &resp, err);
    if (st == NX_OK) {
        nx__sink_page(&a->sink);
        st = nx_page_each(nx_buf_str(&resp.body), path, take_row, rows, err);
    }
    if (st == NX_OK)
        st = nx__page_text(nx_buf_str(&resp.body), "next_page_token", token, &more, err);
    nx_http_resp_drop(&resp);
    return st;
}

/* All pages of one request. url: everything up to the page token, with a '?'. */
static nx_status read_pages(alpaca *a, const char *url, const char *path, page_rows *rows, nx_err *err)
{
    NX_BUF_AUTO nx_buf token;
    circle c = {.renew_at = 1};
    nx_buf_init(&token, 1 << 14);
    nx_buf_init(&c.seen, 1 << 14);
    nx_status st;
    do {
        st = read_page(a, url, path, rows, &token, err);
        if (st == NX_OK)
            st = next_token(&c, nx_buf_str(&token), err);
        if (st == NX_OK)
            st = nx__sink_flush(&a->sink, NULL, 0, err);
    } while (st == NX_OK && token.n > 0);
    nx_buf_drop(&c.seen);
    return st;
}

/* Minutes of many symbols make big windows; a window is also what a cut run repeats. */
static int64_t window_us(const alpaca *a)
{
    if (a->kind == NX_ALPACA_TRADES)
        return DAY_US;
    nx_str t = nx_str_of(a->o->timeframe);
    return nx_str_ends(t, NX_STR("Min")) ? 7 * DAY_US : nx_str_ends(t, NX_STR("Hour")) ? 366 * DAY_US : 3660 * DAY_US;
}

static nx_status read_window(alpaca *a, int64_t from_us, int64_t to_us, nx_err *err)
{
    bool bars = a->kind == NX_ALPACA_BARS;
    char from[40], to[40], url[12000];
    nx_time_format_us(from_us, from);
    nx_time_format_ns(to_us * 1000 - 1, to); /* the vendor's end is inclusive */
    int n = snprintf(url, sizeof url, "%s/v2/stocks/%s?symbols=%s&start=%s&end=%s&limit=10000&feed=%s%s%s",
                     a->o->data_url, bars ? "bars" : "trades", a->symbols, from, to, a->o->feed,
                     bars ? "&adjustment=raw&timeframe=" : "", bars ? a->o->timeframe : "");
    if (n < 0 || (size_t)n >= sizeof url)
        return nx_fail(err, NX_LIMIT, "a request to Alpaca is longer than %zu bytes", sizeof url);
    nx_context context = {"timeframe", nx_str_of(a->o->timeframe)};
    page_rows rows = {a, &context, bars ? 1 : 0, "symbol"};
    return read_pages(a, url, bars ? "bars.*[]" : "trades.*[]", &rows, err);
}

static nx_status read_history(alpaca *a, nx_err *err)
{
    const char *what = a->kind == NX_ALPACA_BARS ? "bars" : "trades";
    int64_t step = window_us(a), done;
    int64_t span = a->o->end_us - a->o->start_us, total = (span + step - 1) / step;
    name_request(a, what);
    NX_TRY(nx_table_txn(a->sink.table, a->app_id, &done, err));
    int64_t skip = a->fetch.o->refresh || done < 0 ? 0 : done;
    for (int64_t i = 0; i < total; i++) {
        if (nx_stop_asked(a->fetch.o->stop))
            return nx_fail(err, NX_CANCELLED, "the backfill was stopped after %lld of %lld windows", (long long)i,
                           (long long)total);
        a->fetch.r->windows++;
        if (i < skip) {
            a->fetch.r->windows_skipped++;
            continue;
        }
        int64_t from = a->o->start_us + i * step, to = from + step < a->o->end_us ? from + step : a->o->end_us;
        NX_TRY(read_window(a, from, to, err));
        /* late reports and corrections come within the day: until then the next run reads the window again. One that is marked already (this is
         * a refresh) must not be marked again: its rows would be left out. */
        bool mark = i >= done && to + SETTLED_US <= nx_clock_wall() / 1000;
        NX_TRY(nx__sink_flush(&a->sink, mark ? a->app_id : "", i + 1, err));
        if (a->fetch.o->progress != NULL)
            a->fetch.o->progress(a->fetch.o->progress_ctx, a->fetch.r, total);
    }
    return NX_OK;
}

static nx_status read_list(alpaca *a, const char *url, const char *path, const char *key_field, nx_err *err)
{
    nx_time_format_us(nx_clock_wall() / 1000, a->observed);
    nx_context context = {"observed_at", nx_str_of(a->observed)};
    page_rows rows = {a, &context, 1, key_field};
    a->fetch.r->windows++;
    NX_TRY(read_pages(a, url, path, &rows, err));
    return nx__sink_flush(&a->sink, "", 0, err);
}

static nx_status read_assets(alpaca *a, nx_err *err)
{
    char url[1024];
    if ((size_t)snprintf(url, sizeof url, "%s/v2/assets?asset_class=us_equity", a->o->trading_url) >= sizeof url)
        return nx_fail(err, NX_LIMIT, "the address of Alpaca's trading API is too long");
    return read_list(a, url, "[]", NULL, err);
}

static nx_status read_actions(alpaca *a, nx_err *err)
{
    char url[12000], from[16], to[16];
    nx_date_format(nx_days_of_us(a->o->start_us), from);
    nx_date_format(nx_days_of_us(a->o->end_us - 1), to);
    int n = snprintf(url, sizeof url, "%s/v1/corporate-actions?start=%s&end=%s&limit=1000%s%s", a->o->data_url, from,
                     to, a->symbols[0] == '\0' ? "" : "&symbols=", a->symbols);
    if (n < 0 || (size_t)n >= sizeof url)
        return nx_fail(err, NX_LIMIT, "a request to Alpaca is longer than %zu bytes", sizeof url);
    return read_list(a, url, "corporate_actions.*[]", "action_type", err);
}

/* The trading days from start to end, which may lie ahead. */
static nx_status read_calendar(alpaca *a, nx_err *err)
{
    char url[1024], from[16], to[16];
    nx_date_format(nx_days_of_us(a->o->start_us), from);
    nx_date_format(nx_days_of_us(a->o->end_us - 1), to);
    if ((size_t)snprintf(url, sizeof url, "%s/v2/calendar?start=%s&end=%s", a->o->trading_url, from, to) >= sizeof url)
        return nx_fail(err, NX_LIMIT, "the address of Alpaca's trading API is too long");
    return read_list(a, url, "[]", NULL, err);
}

static bool of_trading_api(nx_alpaca_kind kind)
{
    return kind == NX_ALPACA_ASSETS || kind == NX_ALPACA_CALENDAR;
}

static nx_status check_options(nx_alpaca_kind kind, const nx_alpaca_opts *o, nx_err *err)
{
    bool history = kind == NX_ALPACA_BARS || kind == NX_ALPACA_TRADES;
    if (history && (o->symbols == NULL || o->symbols[0] == NULL))
        return nx_err_hint(err, nx_fail(err, NX_INVALID, "no symbols to load"),
                           "alpaca.symbols in nexus.yml, or --symbols");
    if (kind != NX_ALPACA_ASSETS && o->start_us >= o->end_us)
        return nx_fail(err, NX_INVALID, "the start of the range is not before its end");
    if (kind != NX_ALPACA_ASSETS && (o->start_us < INT64_MIN / 2000 || o->end_us > INT64_MAX / 2000))
        return nx_fail(err, NX_INVALID, "the range is outside of the years 1824 to 2116");
    if ((of_trading_api(kind) ? o->trading_url : o->data_url) == NULL)
        return nx_fail(err, NX_INVALID, "no address of Alpaca to load from");
    if ((history && o->feed == NULL) || (kind == NX_ALPACA_BARS && o->timeframe == NULL))
        return nx_fail(err, NX_INVALID, "no feed or timeframe to load");
    return NX_OK;
}

nx_status nx_backfill_alpaca(const nx_pull_opts *p, nx_alpaca_kind kind, const nx_alpaca_opts *o, nx_pull_result *ret,
                             nx_err *err)
{
    static const struct {
        const char *table;
        nx_status (*read)(alpaca *a, nx_err *err);
    } kinds[] = {[NX_ALPACA_BARS] = {"bronze.bars", read_history},
                 [NX_ALPACA_TRADES] = {"bronze.trades", read_history},
                 [NX_ALPACA_ASSETS] = {"bronze.assets", read_assets},
                 [NX_ALPACA_ACTIONS] = {"bronze.corporate_actions", read_actions},
                 [NX_ALPACA_CALENDAR] = {"bronze.calendar", read_calendar}};
    bool history = kinds[kind].read == read_history;
    *ret = (nx_pull_result){0};
    NX_TRY(check_options(kind, o, err));
    alpaca a = {.o = o, .kind = kind};
    nx_status st = set_up(&a, err);
    if (st == NX_OK)
        st = nx__fetch_open(&a.fetch, p, ret, "Alpaca", NULL, err);
    if (st == NX_OK)
        st = nx__sink_open(&a.sink, p, ret, kinds[kind].table, NX_PULL_ALPACA,
                           kind == NX_ALPACA_TRADES ? trade_tie_break : NULL, history ? o->delay_us : -1, err);
    if (st == NX_OK)
        st = kinds[kind].read(&a, err);
    nx__sink_close(&a.sink);
    nx__fetch_close(&a.fetch);
    return st;
}

nx_status nx_alpaca_ping(const nx_alpaca_opts *o, nx_err *err)
{
    alpaca a = {.o = o};
    nx_pull_opts once = {.tries_max = 1};
    nx_pull_result r = {0};
    char urls[2][1024];
    bool fit = (size_t)snprintf(urls[0], sizeof urls[0], "%s/v2/stocks/bars?symbols=SPY&timeframe=1Day&limit=1",
                                o->data_url) < sizeof urls[0];
    fit &= (size_t)snprintf(urls[1], sizeof urls[1], "%s/v2/clock", o->trading_url) < sizeof urls[1];
    if (!fit)
        return nx_fail(err, NX_LIMIT, "the address alpaca.data_url or alpaca.trading_url is too long");
    NX_TRY(set_up(&a, err));
    nx_status st = nx__fetch_open(&a.fetch, &once, &r, "Alpaca", NULL, err);
    for (size_t i = 0; i < NX_COUNT_OF(urls) && st == NX_OK; i++) {
        nx_http_resp resp = {0};
        st = nx__fetch(&a.fetch, &(nx_http_req){.method = "GET", .url = urls[i], .headers = a.headers}, false, &resp,
                       err);
        nx_http_resp_drop(&resp);
    }
    nx__fetch_close(&a.fetch);
    return st;
}
