/* Every message of the recorded and converted tapes is a row: the counts are those of the data's own manifest
 * (promises 2, 9). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "contract/contract.h"
#include "data/json.h"
#include "data/time.h"
#include "io/lines.h"

static const char *shared(void)
{
    const char *dir = getenv("NEXUS_SHARED");
    return dir == NULL ? "../shared" : dir;
}

typedef struct tape {
    nx_contracts *set;
    nx_decoder *d;
    nx_batch *batches;
    uint64_t rows[64]; /* a contract */
    uint64_t frames, accepted, rejected;
    uint64_t without_id; /* refused only because they have no id */
    char first_error[512];
} tape;

static void open_tape(tape *t, const char *feed)
{
    nx_err err = {0};
    *t = (tape){0};
    if (nx_contracts_load("contracts", &t->set, &err) != NX_OK || nx_decoder_new(t->set, feed, &t->d, &err) != NX_OK)
        fail_msg("%s", err.text);
    t->batches = calloc(nx_contracts_count(t->set), sizeof *t->batches);
    for (size_t i = 0; i < nx_contracts_count(t->set); i++) {
        const nx_contract *c = nx_contracts_at(t->set, i);
        assert_int_equal(nx_batch_init(&t->batches[i], nx_contract_schema(c), 0, 0), NX_OK);
        nx_decoder_bind(t->d, c, &t->batches[i]);
    }
}

static void close_tape(tape *t)
{
    for (size_t i = 0; i < nx_contracts_count(t->set); i++)
        nx_batch_drop(&t->batches[i]);
    free(t->batches);
    nx_decoder_drop(t->d);
    nx_contracts_drop(t->set);
}

static uint64_t rows_of(const tape *t, const char *table)
{
    for (size_t i = 0; i < nx_contracts_count(t->set); i++)
        if (nx_contracts_at(t->set, i) == nx_contracts_find(t->set, table))
            return t->rows[i];
    return 0;
}

static void count(tape *t, const nx_verdict *v)
{
    nx_err err = {0};
    t->accepted += v->accepted;
    t->rejected += v->rejected;
    const nx_row_error *e = v->rejected > 0 ? &v->refused[0].errors[0] : NULL;
    if (e != NULL && strcmp(e->field, "id") == 0 && strcmp(e->rule, "required") == 0 && v->refused[0].n_errors == 1) {
        t->without_id++;
    } else if (e != NULL && t->first_error[0] == '\0') {
        snprintf(t->first_error, sizeof t->first_error, "%s %s %s in %.*s", e->field, e->rule, e->message,
                 (int)(v->refused[0].raw.n < 300 ? v->refused[0].raw.n : 300), v->refused[0].raw.p);
    }
    if ((++t->frames & 4095) != 0)
        return;
    for (size_t i = 0; i < nx_contracts_count(t->set); i++) {
        assert_int_equal(nx_batch_check(&t->batches[i], &err), NX_OK);
        t->rows[i] += t->batches[i].n;
        nx_batch_clear(&t->batches[i]);
    }
}

static void finish(tape *t)
{
    t->frames |= 4095;
    t->frames--;
    count(t, &(nx_verdict){0});
}

static void read_lines(tape *t, const char *name, void (*fn)(tape *t, nx_str line))
{
    char path[1024];
    nx_err err = {0};
    nx_lines *l = NULL;
    nx_str line;
    snprintf(path, sizeof path, "%s/data/%s", shared(), name);
    if (nx_lines_open(path, 0, &l, &err) == NX_NOT_FOUND) {
        print_message("skipped: %s is not there (set NEXUS_SHARED)\n", path);
        close_tape(t);
        skip();
    }
    while (nx_lines_next(l, &line, &err) == NX_OK)
        fn(t, line);
    nx_lines_close(l);
    assert_int_equal(err.status == NX_OK || err.status == NX_NOTHING, 1);
    for (size_t i = 0; i < nx_contracts_count(t->set); i++) {
        t->rows[i] += t->batches[i].n;
        nx_batch_clear(&t->batches[i]);
    }
    if (t->rejected > t->without_id)
        fail_msg("%s: %llu refused, first: %s", name, (unsigned long long)t->rejected, t->first_error);
}

static const nx_row_meta meta = {
    .source = {"tape", 4}, .received_us = 1700000000000000, .known_basis = {"received", 8}, .pos = 1};

static void decode_frame(tape *t, nx_str line)
{
    nx_verdict v;
    nx_err err = {0};
    if (nx_decode_frame(t->d, line, &meta, &v, &err) != NX_OK)
        fail_msg("%s", err.text);
    count(t, &v);
}

static void stock_tapes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t quotes, trades, bars;
    } v[] = {
        {"stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst", 909993, 654140, 2254},
        {"stocks_2013-10-07_bac_ibm.ndjson.zst", 292962, 112465, 1048},
        {"stocks_2013-10-09_ibm.ndjson.zst", 67746, 27042, 423},
        {"stock_bars_2008-03-07_shy.ndjson", 0, 0, 336},
        {"stock_bars_2008-03-10_shy.ndjson", 0, 0, 316},
        {"stock_bars_2013-06-27_nwsa.ndjson", 0, 0, 401},
        {"stock_bars_2013-06-28_nwsa.ndjson", 0, 0, 417},
        {"stock_bars_2013-07-01_foxa.ndjson", 0, 0, 408},
        {"stock_bars_2013-07-02_foxa.ndjson", 0, 0, 404},
        {"stock_bars_2013-10-04_aig_bac_ibm_spy.ndjson.zst", 0, 0, 2055},
        {"stock_bars_2014-06-05_aapl_twx.ndjson", 0, 0, 1084},
        {"stock_bars_2014-06-06_aapl_twx.ndjson", 0, 0, 1180},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        tape t;
        char name[256];
        open_tape(&t, "alpaca.stocks");
        snprintf(name, sizeof name, "market/alpaca_ws/%s", v[i].name);
        read_lines(&t, name, decode_frame);
        assert_true(rows_of(&t, "bronze.quotes") == v[i].quotes);
        assert_true(rows_of(&t, "bronze.trades") == v[i].trades);
        assert_true(rows_of(&t, "bronze.bars") == v[i].bars);
        close_tape(&t);
    }
}

typedef struct page_row {
    tape *t;
    const char *table;
    const nx_context *context;
    size_t n_context;
    int32_t index;
} page_row;

/* The key of the page goes into the first context value. */
static nx_status decode_row(void *ctx, nx_str key, nx_str value, nx_err *err)
{
    page_row *p = ctx;
    nx_context c[4];
    nx_verdict v;
    const nx_row_meta declared = {
        .source = NX_STR("page"), .received_us = 1700000000000000, .known_basis = NX_STR("declared"), .pos = 1};
    memcpy(c, p->context, p->n_context * sizeof *c);
    if (key.n > 0)
        c[0].text = key;
    NX_TRY(nx_decode_object(p->t->d, nx_contracts_find(p->t->set, p->table), value, c, p->n_context, &declared,
                            p->index++, &v, err));
    count(p->t, &v);
    return NX_OK;
}

static void each_row(tape *t, nx_str page, const char *path, const char *table, const nx_context *c, size_t n)
{
    nx_err err = {0};
    page_row p = {t, table, c, n, 0};
    if (nx_page_each(page, path, decode_row, &p, &err) != NX_OK)
        fail_msg("%s", err.text);
}

static void decode_hour_bars(tape *t, nx_str line)
{
    each_row(t, line, "bars.*[]", "bronze.bars",
             (const nx_context[]){{"symbol", NX_STR("")}, {"timeframe", NX_STR("1Hour")}}, 2);
}

static void decode_day_bars(tape *t, nx_str line)
{
    each_row(t, line, "bars.*[]", "bronze.bars",
             (const nx_context[]){{"symbol", NX_STR("")}, {"timeframe", NX_STR("1Day")}}, 2);
}

/* The vendor's clients' own payloads: {"source", "line", "body"}. */
static void decode_payload(tape *t, nx_str line)
{
    nx_arena a NX_ARENA_AUTO;
    nx_buf body NX_BUF_AUTO;
    nx_val *root = NULL;
    nx_arena_init(&a, 0);
    nx_buf_init(&body, 0);
    assert_int_equal(nx_json_parse(line, NULL, &a, &root, NULL), NX_OK);
    nx_str source = nx_val_str(nx_val_get(root, "source"), NX_STR(""));
    const nx_val *v = nx_val_get(root, "body"), *bars = nx_val_get(v, "bars");
    if (v == NULL || nx_str_find(source, NX_STR("crypto"), 0) != SIZE_MAX ||
        nx_str_find(source, NX_STR("option"), 0) != SIZE_MAX)
        return;
    for (size_t i = 0; bars != NULL && bars->kind == NX_VAL_OBJ && i < bars->n; i++)
        if (memchr(bars->keys[i].p, '/', bars->keys[i].n) != NULL ||
            memchr(bars->keys[i].p, '-', bars->keys[i].n) != NULL)
            return; /* crypto bars have tables of their own */
    assert_int_equal(nx_val_to_json(v, &body), NX_OK);
    const nx_context bar[] = {{"symbol", NX_STR("A")}, {"timeframe", NX_STR("1Min")}};
    const nx_context action[] = {{"action_type", NX_STR("")}, {"observed_at", NX_STR("2024-01-01T00:00:00Z")}};
    each_row(t, nx_buf_str(&body), "bars.*[]", "bronze.bars", bar, 2);
    each_row(t, nx_buf_str(&body), "corporate_actions.*[]", "bronze.corporate_actions", action, 2);
}

static void rest_pages(void **state)
{
    (void)state;
    static const struct {
        const char *name, *table;
        void (*fn)(tape *t, nx_str line);
        uint64_t rows, without_id;
    } v[] = {
        {"market/alpaca_rest/bars_1Hour_AAPL.ndjson.zst", "bronze.bars", decode_hour_bars, 0, 0},
        {"market/alpaca_rest/bars_1Day_SPY.ndjson.zst", "bronze.bars", decode_day_bars, 0, 0},
        {"market/alpaca_rest/bars_1Day_wsb_30_symbols.ndjson.zst", "bronze.bars", decode_day_bars, 6248, 0},
        {"market/alpaca_rest/payloads_alpaca-py.ndjson", "bronze.bars", decode_payload, 0, 0},
        {"market/alpaca_rest/payloads_alpaca-trade-api-go.ndjson", "bronze.bars", decode_payload, 0,
         15}, /* actions of the time before they had ids */
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        tape t;
        open_tape(&t, NULL);
        read_lines(&t, v[i].name, v[i].fn);
        assert_true(rows_of(&t, v[i].table) > 0);
        assert_true(t.without_id == v[i].without_id);
        assert_true(v[i].rows == 0 || rows_of(&t, v[i].table) == v[i].rows);
        close_tape(&t);
    }
}

static nx_buf whole; /* the file of one page, gathered from its lines */

static void gather(tape *t, nx_str line)
{
    (void)t;
    assert_int_equal(nx_buf_add(&whole, line), NX_OK);
}

static void corporate_actions(void **state)
{
    (void)state;
    tape t;
    open_tape(&t, NULL);
    nx_buf_init(&whole, 0);
    read_lines(&t, "market/alpaca_rest/corporate_actions.json", gather);
    each_row(&t, nx_buf_str(&whole), "corporate_actions.*[]", "bronze.corporate_actions",
             (const nx_context[]){{"action_type", NX_STR("")}, {"observed_at", NX_STR("2024-01-01T00:00:00Z")}}, 2);
    nx_buf_drop(&whole);
    if (t.rejected > 0)
        fail_msg("%s", t.first_error);
    assert_true(t.accepted == 467 + 9 + 3 + 10);
    close_tape(&t);
}

static void decode_listing(tape *t, nx_str line)
{
    nx_err err = {0};
    const nx_context at[] = {{"observed_at", NX_STR("2024-01-01T00:00:00Z")}};
    const char *table = nx_str_find(line, NX_STR("\"kind\": \"t1\""), 0) != SIZE_MAX ||
                                nx_str_find(line, NX_STR("\"kind\":\"t1\""), 0) != SIZE_MAX
                            ? "bronze.comments"
                            : "bronze.posts";
    page_row p = {t, table, at, 1, 0};
    if (nx_page_each(line, "data.children[].data", decode_row, &p, &err) != NX_OK)
        fail_msg("%s", err.text);
}

static void reddit_listings(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t posts, comments;
    } v[] = {
        {"reddit/stocknet_tweets/listing_AAPL_2014-01-01_2014-12-31.ndjson.zst", 8632, 0},
        {"reddit/stocknet_tweets/listing_BAC_2014-01-01_2014-12-31.ndjson.zst", 1144, 0},
        {"reddit/top2013/listing_stocks.ndjson.zst", 999, 0},
        {"reddit/top2013/listing_investing.ndjson.zst", 1000, 0},
        {"reddit/wsb/listing_wallstreetbets.ndjson.zst", 1300, 0},
        {"reddit/wsb/listing_wallstreetbets_comments.ndjson.zst", 0, 1200},
        {"reddit/wsb/listing_wsb_io.ndjson.zst", 0, 2100},
    };
    for (size_t i = 0; i < NX_COUNT_OF(v); i++) {
        tape t;
        open_tape(&t, NULL);
        read_lines(&t, v[i].name, decode_listing);
        finish(&t);
        assert_true(rows_of(&t, "bronze.posts") == v[i].posts);
        assert_true(rows_of(&t, "bronze.comments") == v[i].comments);
        close_tape(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(stock_tapes), cmocka_unit_test(rest_pages),
                                       cmocka_unit_test(corporate_actions), cmocka_unit_test(reddit_listings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
