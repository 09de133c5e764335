#include "data/msgpack.h"
#include "sim/stream_int.h"

const nx__channel nx__channels[NX__CHANNELS] = {
    {"trades", 't', true},       {"quotes", 'q', true},        {"bars", 'b', true},  {"updatedBars", 'u', true},
    {"dailyBars", 'd', true},    {"statuses", 's', true},      {"lulds", 'l', true}, {"imbalances", 'i', true},
    {"corrections", 'c', false}, {"cancelErrors", 'x', false},
};
enum { TRADES = 0, QUOTES = 1, CORRECTIONS = 8, CANCELS = 9 };

static const struct {
    int code;
    const char *msg;
} errors[] = {
    {400, "invalid syntax"},
    {401, "not authenticated"},
    {402, "auth failed"},
    {403, "already authenticated"},
    {404, "auth timeout"},
    {405, "symbol limit exceeded"},
    {406, "connection limit exceeded"},
    {407, "slow client"},
    {409, "insufficient subscription"},
    {410, "invalid subscribe action for this feed"},
};

/* A message in the client's form. As the vendor's: prices are floats and times are timestamps, whatever their digits. */
static nx_status send_message(nx__client *k, nx_str json, nx_err *err)
{
    static const char *const times[] = {"t", "r", NULL};
    static const char *const floats[] = {"p", "bp", "ap", "o", "h", "l", "c", "vw", "u", "d", "op", "cp", NULL};
    static const nx_mp_words words = {times, floats};
    if (!k->packed)
        return nx_wsd_send(k->c, NX_WS_TEXT, json, err);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)8 << 20);
    NX_TRY(nx_mp_from_json(json, &words, &b, err));
    return nx_wsd_send(k->c, NX_WS_BINARY, nx_buf_str(&b), err);
}

static nx_status send_text(nx__client *k, nx_str text, nx_err *err)
{
    nx_status st = send_message(k, text, err);
    return st == NX_CANCELLED ? NX_OK : st;
}

nx_status nx__client_error(nx__client *k, int code, nx_err *err)
{
    char text[128];
    size_t i = 0;
    while (errors[i].code != code)
        i++;
    nx_buf b;
    nx_buf_init(&b, sizeof text);
    nx_status st = nx_buf_addf(&b, "[{\"T\":\"error\",\"code\":%d,\"msg\":\"%s\"}]", code, errors[i].msg);
    if (st == NX_OK)
        st = send_text(k, nx_buf_str(&b), err);
    nx_buf_drop(&b);
    return st;
}

void nx__client_init(nx__client *k)
{
    for (size_t i = 0; i < NX__CHANNELS; i++)
        nx_map_init(&k->subs[i], NULL);
}

void nx__client_drop(nx__client *k)
{
    for (size_t i = 0; i < NX__CHANNELS; i++)
        nx_map_drop(&k->subs[i]);
    nx_wsd_drop(k->c);
    k->c = NULL;
}

/* ------------------------------------------------------------------ authentication */

static nx_status authenticate(nx__client *k, bool good, nx_err *err)
{
    if (!good) {
        k->failed = true;
        NX_TRY(nx__client_error(k, 402, err));
        return nx_wsd_close(k->c, NX_WS_CLOSE_POLICY, "auth failed", err);
    }
    if (k->sip && k->sim->opts.free_plan) {
        k->failed = true; /* the vendor leaves this socket open and silent */
        return nx__client_error(k, 409, err);
    }
    k->authed = true;
    return send_text(k, NX_STR("[{\"T\":\"success\",\"msg\":\"authenticated\"}]"), err);
}

nx_status nx__client_greet(nx__client *k, nx__header_auth auth, nx_err *err)
{
    NX_TRY(send_text(k, NX_STR("[{\"T\":\"success\",\"msg\":\"connected\"}]"), err));
    return auth == NX__NO_HEADERS ? NX_OK : authenticate(k, auth == NX__GOOD_HEADERS, err);
}

/* ------------------------------------------------------------------ subscriptions */

static bool symbol_ok(nx_str s)
{
    if (nx_str_is(s, "*"))
        return true;
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '.'))
            return false;
    return s.n > 0 && s.n <= 12;
}

/* What is wrong with the request: 0, 400 or 410. *ret_n: how many names it holds. */
static int check_request(const nx_val *v, size_t *ret_n)
{
    static const char *const elsewhere[] = {"orderbooks", "pricing"};
    *ret_n = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (nx_str_is(v->keys[i], "action"))
            continue;
        for (size_t e = 0; e < NX_COUNT_OF(elsewhere); e++)
            if (nx_str_is(v->keys[i], elsewhere[e]))
                return 410;
        size_t ch = 0;
        while (ch < NX__CHANNELS && !(nx__channels[ch].asked && nx_str_is(v->keys[i], nx__channels[ch].key)))
            ch++;
        const nx_val *list = &v->items[i];
        if (ch == NX__CHANNELS || list->kind != NX_VAL_ARR)
            return 400;
        for (size_t j = 0; j < list->n; j++)
            if (list->items[j].kind != NX_VAL_STR || !symbol_ok(list->items[j].s))
                return 400;
        *ret_n += list->n;
    }
    return *ret_n == 0 ? 400 : 0;
}

/* Trades and quotes together after the request, names doubled in it counted once. */
static size_t count_after(const nx__client *k, const nx_val *v)
{
    size_t n = nx_map_count(&k->subs[TRADES]) + nx_map_count(&k->subs[QUOTES]);
    for (size_t ch = TRADES; ch <= QUOTES; ch++) {
        const nx_val *list = nx_val_get(v, nx__channels[ch].key);
        for (size_t j = 0; list != NULL && j < list->n; j++) {
            bool seen = nx_map_has(&k->subs[ch], list->items[j].s);
            for (size_t e = 0; e < j && !seen; e++)
                seen = nx_str_eq(list->items[e].s, list->items[j].s);
            n += !seen;
        }
    }
    return n;
}

static nx_status change(nx__client *k, size_t ch, nx_str symbol, bool add)
{
    if (!add) {
        nx_map_remove(&k->subs[ch], symbol);
        return NX_OK;
    }
    return nx_map_has(&k->subs[ch], symbol) ? NX_OK : nx_map_set(&k->subs[ch], symbol, k);
}

/* The whole set; channels without names are left out, as the vendor does. */
static nx_status send_set(nx__client *k, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)4 << 20);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_arr(&w);
    nx_jw_obj(&w);
    nx_jw_key(&w, "T");
    nx_jw_cstr(&w, "subscription");
    k->n_subs = 0;
    for (size_t ch = 0; ch < NX__CHANNELS; ch++) {
        size_t n = nx_map_count(&k->subs[ch]);
        k->n_subs += n;
        if (n == 0)
            continue;
        nx_jw_key(&w, nx__channels[ch].key);
        nx_jw_arr(&w);
        nx_map_entry *e;
        for (size_t i = 0; (e = nx_map_next(&k->subs[ch], &i)) != NULL;)
            nx_jw_str(&w, e->key);
        nx_jw_arr_end(&w);
    }
    nx_jw_obj_end(&w);
    nx_jw_arr_end(&w);
    nx_status st = nx_jw_end(&w);
    return st == NX_OK ? send_text(k, nx_buf_str(&b), err) : nx_fail(err, st, "could not write a subscription");
}

static nx_status subscribe(nx__client *k, const nx_val *v, bool add, nx_err *err)
{
    size_t n;
    int wrong = check_request(v, &n);
    if (wrong != 0)
        return nx__client_error(k, wrong, err);
    if (add && k->sim->opts.symbol_limit > 0 && count_after(k, v) > (size_t)k->sim->opts.symbol_limit)
        return nx__client_error(k, 405, err);
    for (size_t ch = 0; ch < CORRECTIONS; ch++) {
        const nx_val *list = nx_val_get(v, nx__channels[ch].key);
        for (size_t j = 0; list != NULL && j < list->n; j++) {
            nx_status st = change(k, ch, list->items[j].s, add);
            if (st == NX_OK && ch == TRADES) {
                st = change(k, CORRECTIONS, list->items[j].s, add);
                if (st == NX_OK)
                    st = change(k, CANCELS, list->items[j].s, add);
            }
            if (st != NX_OK)
                return nx_fail(err, st, "could not keep a subscription");
        }
    }
    return send_set(k, err);
}

nx_status nx__client_take(nx__client *k, nx_str message, nx_err *err)
{
    NX_AUTO(nx_arena_drop) nx_arena a;
    nx_arena_init(&a, (size_t)16 << 20);
    nx_val *v = NULL;
    nx_err why = {0};
    NX_BUF_AUTO nx_buf json;
    nx_buf_init(&json, (size_t)16 << 20);
    if (k->packed && nx_mp_to_json(message, &json, &why) != NX_OK)
        return nx__client_error(k, 400, err);
    nx_str text = k->packed ? nx_buf_str(&json) : message;
    if (nx_json_parse(text, NULL, &a, &v, &why) != NX_OK || v->kind != NX_VAL_OBJ)
        return nx__client_error(k, 400, err);
    nx_str action = nx_val_str(nx_val_get(v, "action"), NX_STR(""));
    if (nx_str_is(action, "auth")) {
        if (k->authed)
            return nx__client_error(k, 403, err);
        if (k->failed)
            return nx__client_error(k, 409, err);
        return authenticate(k,
                            nx__sim_knows(k->sim, nx_val_str(nx_val_get(v, "key"), NX_STR("")),
                                          nx_val_str(nx_val_get(v, "secret"), NX_STR(""))),
                            err);
    }
    bool add = nx_str_is(action, "subscribe");
    if (!add && !nx_str_is(action, "unsubscribe"))
        return nx__client_error(k, 400, err);
    return k->authed ? subscribe(k, v, add, err) : nx__client_error(k, 401, err);
}

/* ------------------------------------------------------------------ data */

static bool wants(const nx__client *k, const nx__item *item)
{
    for (size_t ch = 0; ch < NX__CHANNELS; ch++)
        if (nx__channels[ch].type == item->type)
            return nx_map_has(&k->subs[ch], item->symbol) || nx_map_has(&k->subs[ch], NX_STR("*"));
    return false;
}

nx_status nx__client_send(nx__client *k, const nx__item *items, size_t n, nx_err *err)
{
    if (k->n_subs == 0)
        return NX_OK;
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, (size_t)4 << 20);
    nx_status st = NX_OK;
    for (size_t i = 0; i < n && st == NX_OK; i++) {
        if (!wants(k, &items[i]))
            continue;
        st = nx_buf_addc(&b, b.n == 0 ? '[' : ',');
        if (st == NX_OK)
            st = nx_buf_add(&b, items[i].json);
    }
    if (b.n == 0)
        return NX_OK;
    if (st == NX_OK)
        st = nx_buf_addc(&b, ']');
    if (st != NX_OK)
        return nx_fail(err, st, "could not build a frame");
    k->n_frames++;
    return send_message(k, nx_buf_str(&b), err);
}
