/* Refused rows back through mended contracts: pulled ones with what their page told, rows of a type that was unknown, ids that tell nothing.
 * The program's side (kills, two at once, silver): tests/integration/test_quarantine_replay.sh. */
#include "unit/ingest/pull_kit.h"

#include "data/msgpack.h"
#include "ingest/pull_int.h"
#include "ingest/quarantine_replay.h"
#include "ingest/stream_int.h"

#define BAR "{\"t\":\"2024-03-01T15:0%d:00Z\",\"o\":10,\"h\":12,\"l\":9,\"c\":11,\"v\":500,\"n\":7,\"vw\":10.5}"

typedef struct told {
    int n;
    char rule[64], id[64];
} told;

static void tell(void *ctx, nx_str id, nx_str contract, const nx_row_error *e)
{
    told *t = ctx;
    (void)contract;
    t->n++;
    snprintf(t->rule, sizeof t->rule, "%s", e->rule);
    snprintf(t->id, sizeof t->id, NX_STR_FMT, NX_STR_ARG(id));
}

static nx_requeue_result requeue(edge *e, told *t)
{
    nx_requeue_result r;
    *t = (told){0};
    nx_requeue_opts o = {.engine = e->engine, .lake = e->lake, .contracts = e->contracts, .refused = tell, .ctx = t};
    must(nx_quarantine_replay(&o, &r, &e->err), &e->err);
    return r;
}

/* The project's contracts with one file changed by a sed script, or without it. */
static nx_contracts *changed(edge *e, const char *file, const char *script)
{
    char cmd[600], dir[128];
    nx_contracts *c;
    snprintf(dir, sizeof dir, "%s/changed", e->dir);
    snprintf(cmd, sizeof cmd, "rm -rf %s && cp -r contracts %s && ", dir, dir);
    size_t n = strlen(cmd);
    if (script == NULL)
        snprintf(cmd + n, sizeof cmd - n, "rm %s/%s", dir, file);
    else
        snprintf(cmd + n, sizeof cmd - n, "sed -i \"%s\" %s/%s", script, dir, file);
    assert_int_equal(system(cmd), 0);
    must(nx_contracts_load(dir, &c, &e->err), &e->err);
    return c;
}

/* One page of bars of AAPL, from minute `from`, one a line. */
static void pull(edge *e, const nx_contracts *contracts, int from, int n)
{
    static const nx_context page[] = {{"symbol", {"AAPL", 4}}, {"timeframe", {"1Min", 4}}};
    nx_pull_opts o = quick(e);
    nx_pull_result r = {0};
    nx_sink s;
    o.contracts = contracts;
    must(nx__sink_open(&s, &o, &r, "bronze.bars", NX_PULL_ALPACA, NULL, 900000000, &e->err), &e->err);
    nx__sink_page(&s);
    for (int i = from; i < from + n; i++) {
        char bar[200];
        snprintf(bar, sizeof bar, BAR, i);
        must(nx__sink_row(&s, nx_str_of(bar), page, 2, &e->err), &e->err);
    }
    must(nx__sink_flush(&s, "", 0, &e->err), &e->err);
    nx__sink_close(&s);
}

static void pulled_rows_keep_what_their_page_told(void **state)
{
    edge *e = *state;
    told t;
    edge_open_lake(e);
    nx_contracts *strict = changed(e, "market/bars.odcs.yaml", "s/pattern: '[^']*'/pattern: '^B$'/");
    pull(e, strict, 1, 3);
    assert_int_equal(edge_count(e, "bronze.bars"), 0);
    assert_int_equal(edge_count(e, "quarantine.records where state = 'open'"), 3);
    pull(e, e->contracts, 2, 1); /* the mended contract took one of them from a later pull */
    nx_requeue_result r = requeue(e, &t);
    assert_int_equal(t.n, 0);
    assert_int_equal(r.records, 3);
    assert_int_equal(r.replayed, 3);
    assert_int_equal(r.rows_added, 2);
    assert_string_equal(
        edge_ask(
            e, "select string_agg(symbol || ' ' || timeframe || ' ' || minute(ts), ', ' order by ts) from bronze.bars"),
        "AAPL 1Min 1, AAPL 1Min 2, AAPL 1Min 3");
    assert_int_equal(
        edge_count(e, "bronze.bars where _ingest_idx = 2 and _source = 'alpaca.rest' and _known_basis = 'received' "
                      "and _known_at > _received_at"),
        1);
    assert_int_equal(edge_count(e, "quarantine.records where state = 'replayed' and replayed_at >= received_at"), 3);
    assert_int_equal(requeue(e, &t).records, 0);
    nx_contracts_drop(strict);
}

/* In a text frame, or the same as msgpack in a binary one. */
static void say_in(nx_wsc *w, const char *json, bool msgpack)
{
    nx_err err = {0};
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    if (msgpack)
        must(nx_mp_from_json(nx_str_of(json), NULL, &b, &err), &err);
    else
        must(nx_buf_adds(&b, json), &err);
    must(nx_wsc_send(w, msgpack ? NX_WS_BINARY : NX_WS_TEXT, nx_buf_str(&b), -1, NULL, &err), &err);
}

static void a_type_that_was_unknown_then(edge *e, bool msgpack)
{
    told t;
    edge_open_lake(e);
    nx_contracts *few = changed(e, "market/trades.odcs.yaml", NULL);
    e->o.contracts = few;
    edge_start(e);
    nx_wsc *w = dial(e);
    say_in(w, "[" Q1 "," T1 "," BAD "]", msgpack);
    assert_non_null(strstr(hear(w), "\"rejected\":2"));
    must(nx_stream_flush(e->s, &e->err), &e->err);
    nx_wsc_drop(w);
    edge_stop(e);
    e->o.contracts = e->contracts;
    edge_start(e); /* makes the table */
    nx_requeue_result r = requeue(e, &t);
    assert_int_equal(r.replayed, 1);
    assert_int_equal(r.refused, 1);
    assert_string_equal(t.rule, "type");
    assert_string_equal(
        edge_ask(
            e,
            "select _ingest_idx || ' ' || (q._ingest_pos = t._ingest_pos) || ' ' || (q._received_at = t._received_at) "
            "from bronze.trades t, (select _ingest_pos, _received_at from bronze.quotes) q"),
        "1 true true");
    edge_stop(e);
    nx_contracts_drop(few);
}

static void a_type_that_was_unknown(void **state)
{
    a_type_that_was_unknown_then(*state, false);
}

static void a_type_that_was_unknown_in_msgpack(void **state)
{
    a_type_that_was_unknown_then(*state, true);
}

static void an_id_that_tells_no_place_stays_open(void **state)
{
    edge *e = *state;
    told t;
    edge_start(e);
    nx_session *s;
    nx_commit_result c;
    nx_table_spec spec = {.name = "quarantine.records"};
    nx_write_opts w = {.mode = NX_WRITE_APPEND, .commit = {.operation = "WRITE"}};
    must(nx_session_open(e->engine, &s, &e->err), &e->err);
    must(
        nx_lake_write_sql(
            e->lake, s, &spec,
            NX_STR(
                "select '0123456789abcdef0123456789abcdef' as record_id, 'p' as source, 'quotes@1.0.0' as contract, '" Q1
                "'::blob as raw, [{'index': 0, 'field': 'x', 'rule': 'type', 'message': 'm', 'value': null}] as errors, "
                "now() as received_at, 'open' as state, null::timestamptz as replayed_at"),
            &w, &c, &e->err),
        &e->err);
    nx_session_close(s);
    nx_requeue_result r = requeue(e, &t);
    assert_int_equal(r.refused, 1);
    assert_string_equal(t.rule, "position");
    assert_int_equal(edge_count(e, "bronze.quotes"), 0);
    assert_int_equal(edge_count(e, "quarantine.records where state = 'open'"), 1);
    edge_stop(e);
}

static void ids_tell_their_place(void **state)
{
    (void)state;
    uint64_t pos;
    int32_t index;
    assert_false(nx__record_place(NX_STR(""), NX_STR("p"), &pos, &index));
    assert_false(nx__record_place(NX_STR("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"), NX_STR("p"), &pos, &index));
    assert_false(nx__record_place(NX_STR("00000000000000000000000000000001"), NX_STR("p"), &pos, &index));
    /* sha256("p") begins with 148de9c5 */
    assert_true(nx__record_place(NX_STR("148de9c5fedcba9876543210ffffffff"), NX_STR("p"), &pos, &index));
    assert_true(pos == UINT64_C(0xfedcba9876543210));
    assert_int_equal(index, -1);
    assert_false(nx__record_place(NX_STR("148de9c5fedcba9876543210fffffffg"), NX_STR("p"), &pos, &index));
    assert_false(nx__record_place(NX_STR("148de9c5fedcba9876543210ffffffff"), NX_STR("q"), &pos, &index));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pulled_rows_keep_what_their_page_told, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(a_type_that_was_unknown, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(a_type_that_was_unknown_in_msgpack, edge_up, edge_down),
        cmocka_unit_test_setup_teardown(an_id_that_tells_no_place_stays_open, edge_up, edge_down),
        cmocka_unit_test(ids_tell_their_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
