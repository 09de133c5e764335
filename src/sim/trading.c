#include <stdio.h>

#include "sim/sim_int.h"

/* ------------------------------------------------------------------ assets */

typedef struct asset {
    const char *id, *symbol, *name, *exchange;
    bool active, shortable;
} asset;

/* Listed, without market data here. */
static const asset others[] = {
    {"57a35cff-8c8f-4fa7-b1d7-2c4d1d3b0f41", "AMC", "AMC Entertainment Holdings, Inc.", "NYSE", true, true},
    {"1d5bd7e3-4d3e-4c31-9a1e-5e2fb4ff7a42", "BB", "BlackBerry Limited Common Stock", "NYSE", true, true},
    {"f2e9bd6a-94a5-4c0a-8c63-86f1de3e2e43", "F", "Ford Motor Company", "NYSE", true, true},
    {"24cbba8c-831b-44e2-8503-dd0c7ed57744", "INTC", "Intel Corporation Common Stock", "NASDAQ", true, true},
    {"8c1d3a55-6e0f-4b8f-9f4c-1f4d5f6d9b45", "NOK", "Nokia Corporation Sponsored ADR", "NYSE", true, true},
    {"66e99d3c-1a8c-45b0-a6f0-1a6a5c6e4d46", "QQQ", "Invesco QQQ Trust, Series 1", "NASDAQ", true, true},
};

enum { ASSETS_MAX = NX__SYMBOLS + 6 + 256 };

/* The list as of the clock. It changes twice: a name after a third of the sessions, an exchange and a status after
 * two thirds. */
static size_t assets_now(nx_sim *s, asset out[ASSETS_MAX], char ids[256][37])
{
    int64_t now = nx_sim_now(s);
    const nx__world *w = &s->world;
    bool first = now >= nx_sim_open(s, w->sessions / 3), second = now >= nx_sim_open(s, w->sessions * 2 / 3);
    size_t n = 0;
    for (size_t i = 0; i < NX__SYMBOLS; i++) {
        const nx__symbol *y = &nx__symbols[i];
        asset a = {y->id, y->symbol, y->name, y->exchange, true, true};
        if (first && strcmp(y->symbol, "AMD") == 0)
            a.name = "AMD Inc. Common Stock";
        if (second && strcmp(y->symbol, "PLTR") == 0)
            a.exchange = "NASDAQ";
        out[n++] = a;
    }
    for (size_t i = 0; i < NX_COUNT_OF(others); i++) {
        out[n] = others[i];
        out[n].active = !(second && strcmp(others[i].symbol, "NOK") == 0);
        n++;
    }
    for (size_t i = 0; i < w->n_extra; i++) {
        snprintf(ids[i], 37, "00000000-0000-4000-8000-%012x", (unsigned)i + 1);
        out[n++] = (asset){ids[i], w->extra_symbols[i], w->extra_symbols[i], "NYSE", true, true};
    }
    return n;
}

static void write_asset(nx_jw *w, const asset *a)
{
    const struct {
        const char *key, *value;
    } texts[] = {{"id", a->id},         {"class", "us_equity"}, {"exchange", a->exchange},
                 {"symbol", a->symbol}, {"name", a->name},      {"status", a->active ? "active" : "inactive"}};
    const struct {
        const char *key;
        bool value;
    } flags[] = {{"tradable", a->active},
                 {"marginable", a->active},
                 {"shortable", a->shortable && a->active},
                 {"easy_to_borrow", a->shortable && a->active},
                 {"fractionable", a->active}};
    nx_jw_obj(w);
    for (size_t i = 0; i < NX_COUNT_OF(texts); i++) {
        nx_jw_key(w, texts[i].key);
        nx_jw_cstr(w, texts[i].value);
    }
    for (size_t i = 0; i < NX_COUNT_OF(flags); i++) {
        nx_jw_key(w, flags[i].key);
        nx_jw_bool(w, flags[i].value);
    }
    nx_jw_key(w, "margin_requirement_long");
    nx_jw_cstr(w, "30");
    nx_jw_key(w, "attributes");
    nx_jw_arr(w);
    nx_jw_cstr(w, "has_options");
    nx_jw_arr_end(w);
    nx_jw_obj_end(w);
}

nx_status nx__serve_assets(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    asset list[ASSETS_MAX];
    char ids[256][37];
    bool ok;
    (void)err;
    NX_TRY(nx__rest_enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    size_t n = assets_now(s, list, ids);
    nx_str one = nx_str_sub(req->path, sizeof "/v2/assets" - 1, req->path.n);
    nx_jw w;
    nx_jw_begin(&w, &resp->body);
    if (one.n > 1) {
        one = nx_str_sub(one, 1, one.n);
        for (size_t i = 0; i < n; i++)
            if (nx_str_is(one, list[i].symbol) || nx_str_is(one, list[i].id)) {
                write_asset(&w, &list[i]);
                return nx_jw_end(&w);
            }
        return nx__rest_error(resp, 404, 40410000, "asset not found for " NX_STR_FMT, NX_STR_ARG(one));
    }
    const char *status = nx_httpd_query(req, "status"), *class = nx_httpd_query(req, "asset_class"),
               *exchange = nx_httpd_query(req, "exchange");
    if (status != NULL && strcmp(status, "active") != 0 && strcmp(status, "inactive") != 0 &&
        strcmp(status, "all") != 0)
        return nx__rest_error(resp, 422, 42210000, "invalid status: %s", status);
    nx_jw_arr(&w);
    for (size_t i = 0; i < n; i++) {
        bool fits =
            (status == NULL || strcmp(status, "all") == 0 || (strcmp(status, "active") == 0) == list[i].active) &&
            (class == NULL || strcmp(class, "us_equity") == 0) &&
            (exchange == NULL || strcmp(exchange, list[i].exchange) == 0);
        if (fits)
            write_asset(&w, &list[i]);
    }
    nx_jw_arr_end(&w);
    return nx_jw_end(&w);
}

/* ------------------------------------------------------------------ corporate actions */

static bool list_has(const char *list, const char *word)
{
    nx_str rest = nx_str_of(list), part;
    while (nx_str_split(&rest, ',', &part))
        if (nx_str_is(part, word))
            return true;
    return false;
}

static void write_texts(nx_jw *w, const char *const texts[][2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nx_jw_key(w, texts[i][0]);
        nx_jw_cstr(w, texts[i][1]);
    }
}

static void write_split(nx_jw *w, const char *date)
{
    const char *const texts[][2] = {{"id", "3f1c5a52-3c55-4a0e-8d6a-5b5a0a7d1001"},
                                    {"symbol", "NVDA"},
                                    {"cusip", "67066G104"},
                                    {"process_date", date},
                                    {"ex_date", date},
                                    {"record_date", date},
                                    {"payable_date", date}};
    nx_jw_obj(w);
    write_texts(w, texts, NX_COUNT_OF(texts));
    nx_jw_key(w, "new_rate");
    nx_jw_i64(w, 4);
    nx_jw_key(w, "old_rate");
    nx_jw_i64(w, 1);
    nx_jw_obj_end(w);
}

static void write_dividend(nx_jw *w, const char *date)
{
    const char *const texts[][2] = {{"id", "3f1c5a52-3c55-4a0e-8d6a-5b5a0a7d1002"},
                                    {"symbol", "MSFT"},
                                    {"cusip", "594918104"},
                                    {"process_date", date},
                                    {"ex_date", date},
                                    {"record_date", date}};
    nx_jw_obj(w);
    write_texts(w, texts, NX_COUNT_OF(texts));
    nx_jw_key(w, "rate");
    nx_jw_raw(w, NX_STR("0.83"));
    nx_jw_key(w, "special");
    nx_jw_bool(w, false);
    nx_jw_key(w, "foreign");
    nx_jw_bool(w, false);
    nx_jw_obj_end(w);
}

static const struct {
    const char *type, *group, *symbol;
    void (*write)(nx_jw *w, const char *date);
} actions[] = {{"cash_dividend", "cash_dividends", "MSFT", write_dividend},
               {"forward_split", "forward_splits", "NVDA", write_split}};

nx_status nx__serve_actions(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    bool ok;
    (void)err;
    NX_TRY(nx__rest_enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    int32_t today = nx_ny_date_of_us(nx_sim_now(s) / 1000), from = today, to = today;
    const char *start = nx_httpd_query(req, "start"), *end = nx_httpd_query(req, "end"),
               *types = nx_httpd_query(req, "types");
    const char *symbols = nx_httpd_query(req, "symbols"), *limit = nx_httpd_query(req, "limit"),
               *token = nx_httpd_query(req, "page_token");
    int64_t most = 100, skip = 0;
    if ((start != NULL && !nx_date_parse(nx_str_of(start), &from)) ||
        (end != NULL && !nx_date_parse(nx_str_of(end), &to)))
        return nx__rest_error(resp, 400, 0, "Invalid format for parameter start or end: not a date (2006-01-02)");
    if (limit != NULL && (!nx_str_to_i64(nx_str_of(limit), &most) || most < 1 || most > 1000))
        return nx__rest_error(resp, 400, 0, "limit must be between 1 and 1000");
    if (token != NULL && (!nx_str_to_i64(nx_str_of(token), &skip) || skip < 0))
        return nx__rest_error(resp, 400, 0, "invalid page_token");
    const int at[] = {s->world.dividend_at, s->world.split_at};
    int64_t seen = 0, written = 0;
    bool more = false;
    nx_jw w;
    nx_jw_begin(&w, &resp->body);
    nx_jw_obj(&w);
    nx_jw_key(&w, "corporate_actions");
    nx_jw_obj(&w);
    for (size_t i = 0; i < NX_COUNT_OF(actions) && !s->world.from_files; i++) {
        int32_t day = s->world.day[at[i]];
        char date[16];
        if (day < from || day > to || day > today || (types != NULL && !list_has(types, actions[i].type)) ||
            (symbols != NULL && !list_has(symbols, actions[i].symbol)) || seen++ < skip)
            continue;
        if (written == most) {
            more = true;
            break;
        }
        written++;
        nx_date_format(day, date);
        nx_jw_key(&w, actions[i].group);
        nx_jw_arr(&w);
        actions[i].write(&w, date);
        nx_jw_arr_end(&w);
    }
    nx_jw_obj_end(&w);
    nx_jw_key(&w, "next_page_token");
    if (more)
        nx_jw_strf(&w, "%lld", (long long)(skip + written));
    else
        nx_jw_null(&w);
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}

/* ------------------------------------------------------------------ calendar and clock */

nx_status nx__serve_calendar(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    bool ok;
    (void)err;
    NX_TRY(nx__rest_enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    const int32_t first = 0, last = nx_days_of((nx_civil){2029, 12, 31});
    int32_t from = first, to = last;
    const char *start = nx_httpd_query(req, "start"), *end = nx_httpd_query(req, "end");
    int64_t ns;
    if (start != NULL && !nx_date_parse(nx_str_of(start), &from)) {
        if (!nx_time_parse_ns(nx_str_of(start), &ns))
            return nx__rest_error(resp, 422, 42210000, "invalid start: %s", start);
        from = nx_ny_date_of_us(ns / 1000);
    }
    if (end != NULL && !nx_date_parse(nx_str_of(end), &to)) {
        if (!nx_time_parse_ns(nx_str_of(end), &ns))
            return nx__rest_error(resp, 422, 42210000, "invalid end: %s", end);
        to = nx_ny_date_of_us(ns / 1000);
    }
    nx_jw w;
    nx_jw_begin(&w, &resp->body);
    nx_jw_arr(&w);
    for (int32_t d = from < first ? first : from; d <= (to > last ? last : to); d++) {
        if (!nx__is_session(d))
            continue;
        char date[16], settles[16];
        nx_date_format(d, date);
        nx_date_format(nx__session_after(d), settles);
        const char *const texts[][2] = {
            {"date", date},           {"open", "09:30"},         {"close", "16:00"},
            {"session_open", "0400"}, {"session_close", "2000"}, {"settlement_date", settles}};
        nx_jw_obj(&w);
        write_texts(&w, texts, NX_COUNT_OF(texts));
        nx_jw_obj_end(&w);
    }
    nx_jw_arr_end(&w);
    return nx_jw_end(&w);
}

/* "2025-06-24T14:15:22-04:00" */
static void write_ny_time(nx_jw *w, const char *key, int64_t ns)
{
    int32_t offset = nx_ny_offset_s(ns / 1000);
    char text[40];
    size_t n = nx_time_format_ns(ns + offset * NX__NS_S, text);
    nx_jw_key(w, key);
    nx_jw_strf(w, "%.*s-%02d:00", (int)n - 1, text, -offset / 3600);
}

nx_status nx__serve_clock(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    bool ok;
    (void)err;
    NX_TRY(nx__rest_enter(s, req, resp, &ok));
    if (!ok)
        return NX_OK;
    int64_t now = nx_sim_now(s);
    int32_t day = nx_ny_date_of_us(now / 1000);
    bool session = nx__is_session(day);
    int64_t open = nx__ny_ns(day, 9 * 60 + 30), close = nx__ny_ns(day, 16 * 60);
    int32_t next = nx__session_after(day);
    nx_jw w;
    nx_jw_begin(&w, &resp->body);
    nx_jw_obj(&w);
    write_ny_time(&w, "timestamp", now);
    nx_jw_key(&w, "is_open");
    nx_jw_bool(&w, session && now >= open && now < close);
    write_ny_time(&w, "next_open", session && now < open ? open : nx__ny_ns(next, 9 * 60 + 30));
    write_ny_time(&w, "next_close", session && now < close ? close : nx__ny_ns(next, 16 * 60));
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}

nx_status nx__serve_sim_clock(void *ctx, const nx_httpd_req *req, nx_httpd_resp *resp, nx_err *err)
{
    nx_sim *s = ctx;
    (void)err;
    if (strcmp(req->method, "POST") == 0) {
        NX_AUTO(nx_arena_drop) nx_arena a;
        nx_arena_init(&a, 1 << 20);
        nx_val *v = NULL;
        nx_err why = {0};
        int64_t now;
        if (nx_json_parse(req->body, NULL, &a, &v, &why) != NX_OK)
            return nx__rest_error(resp, 400, 0, "%s", why.text);
        if (!nx__time_read(nx_val_str(nx_val_get(v, "now"), NX_STR("")), false, &now))
            return nx__rest_error(resp, 400, 0, "\"now\" must be an RFC 3339 time with a zone, or a date");
        nx_sim_set_now(s, now);
    }
    nx_jw w;
    nx_jw_begin(&w, &resp->body);
    nx_jw_obj(&w);
    nx_jw_key(&w, "now");
    nx__jw_time(&w, nx_sim_now(s));
    nx_jw_obj_end(&w);
    return nx_jw_end(&w);
}
