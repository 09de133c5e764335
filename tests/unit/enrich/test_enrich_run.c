/* The run over bronze tables: scores and mentions, again, new observations, kills between the commits, what is not scored, when symbols count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "contract/contract.h"
#include "data/time.h"
#include "enrich/enrich.h"
#include "enrich/vader.h"

typedef struct world {
    char dir[64], root[96];
    nx_engine *engine;
    nx_lake *lake;
    nx_contracts *contracts;
    int64_t pos;
    nx_err err;
} world;

static void must(nx_status st, const nx_err *err)
{
    if (st != NX_OK)
        fail_msg("%s: %s", nx_status_name(st), err->text);
}

static void open_lake(world *w)
{
    must(nx_engine_open(&(nx_engine_opts){.memory_bytes = 256 << 20, .threads = 1}, &w->engine, &w->err), &w->err);
    must(nx_lake_open(&(nx_lake_opts){.root = w->root, .engine = w->engine}, &w->lake, &w->err), &w->err);
    must(nx_contracts_load("contracts", &w->contracts, &w->err), &w->err);
}

static void close_lake(world *w)
{
    nx_lake_close(w->lake);
    nx_engine_close(w->engine);
    nx_contracts_drop(w->contracts);
    w->lake = NULL;
}

static int up(void **state)
{
    world *w = calloc(1, sizeof *w);
    snprintf(w->dir, sizeof w->dir, "/tmp/nexus-enrich-XXXXXX");
    if (w == NULL || mkdtemp(w->dir) == NULL)
        return -1;
    snprintf(w->root, sizeof w->root, "%s/lake", w->dir);
    open_lake(w);
    *state = w;
    return 0;
}

static int down(void **state)
{
    world *w = *state;
    nx_fault_arm(NULL);
    if (w->lake != NULL)
        close_lake(w);
    int rc = nx_dir_remove(w->dir, NULL) == NX_OK ? 0 : -1;
    free(w);
    return rc;
}

static const char *ask(world *w, const char *sql)
{
    static char text[4096];
    nx_session *s;
    nx_result *r;
    nx_buf b;
    nx_buf_init(&b, 0);
    must(nx_session_open(w->engine, &s, &w->err), &w->err);
    must(nx_lake_attach(w->lake, s, &w->err), &w->err);
    must(nx_session_query(s, nx_str_of(sql), &r, &w->err), &w->err);
    must(nx_result_text(r, 0, 0, &b), &w->err);
    snprintf(text, sizeof text, NX_STR_FMT, NX_STR_ARG(nx_buf_str(&b)));
    nx_buf_drop(&b);
    nx_result_drop(r);
    nx_session_close(s);
    return text;
}

/* ------------------------------------------------------------------ rows through their contracts */

typedef struct table {
    world *w;
    const nx_contract *c;
    nx_table *t;
    nx_session *s;
    nx_writer *writer;
    nx_decoder *d;
    nx_batch b;
    int32_t index;
} table;

static table table_begin(world *w, const char *name)
{
    table t = {.w = w, .c = nx_contracts_find(w->contracts, name)};
    nx_table_spec spec = {.name = name,
                          .folder = nx_contract_folder(t.c),
                          .schema = nx_contract_schema(t.c),
                          .partition = nx_contract_partition(t.c),
                          .stats = nx_contract_stats(t.c)};
    must(nx_table_ensure(w->lake, &spec, &t.t, &w->err), &w->err);
    must(nx_session_open(w->engine, &t.s, &w->err), &w->err);
    must(nx_writer_open(t.t, &t.writer, &w->err), &w->err);
    must(nx_decoder_new(w->contracts, NULL, &t.d, &w->err), &w->err);
    assert_int_equal(nx_batch_init(&t.b, spec.schema, 0, 0), NX_OK);
    w->pos++;
    return t;
}

static void put(table *t, const char *json, const char *field, const char *value)
{
    int64_t ns;
    assert_true(nx_time_parse_ns(NX_STR("2026-10-20T00:00:00Z"), &ns));
    nx_decoder_bind(t->d, t->c, &t->b);
    nx_row_meta m = {
        .source = NX_STR("test"), .received_us = ns / 1000, .known_basis = NX_STR("received"), .pos = t->w->pos};
    nx_context c = {field, nx_str_of(value)};
    nx_verdict v;
    must(nx_decode_object(t->d, t->c, nx_str_of(json), &c, 1, &m, t->index++, &v, &t->w->err), &t->w->err);
    if (v.rejected != 0)
        fail_msg("%s: %s: %s", json, v.refused[0].errors[0].field, v.refused[0].errors[0].message);
}

static void table_end(table *t)
{
    nx_commit_result r;
    must(nx_writer_add(t->writer, &t->b, &t->w->err), &t->w->err);
    must(nx_writer_commit(t->writer, NULL, &r, &t->w->err), &t->w->err);
    nx_writer_drop(t->writer);
    nx_decoder_drop(t->d);
    nx_batch_drop(&t->b);
    nx_session_close(t->s);
}

#define CREATED "1790000000.0" /* 2026-09-21 */
#define OBSERVED "2026-09-22T00:00:00Z"
#define POST(name, author, title, text, more)                                                                          \
    "{\"name\":\"t3_" name "\",\"subreddit\":\"stocks\",\"author\":\"" author "\",\"title\":\"" title                  \
    "\",\"selftext\":" text ",\"score\":1,\"edited\":false,\"created_utc\":" CREATED more "}"
#define COMMENT(name, author, body)                                                                                    \
    "{\"name\":\"t1_" name "\",\"subreddit\":\"stocks\",\"author\":\"" author "\",\"body\":" body                      \
    ",\"link_id\":\"t3_a\",\"score\":1,\"edited\":false,\"created_utc\":" CREATED "}"

static void put_posts(world *w)
{
    table t = table_begin(w, "bronze.posts");
    put(&t, POST("a", "x", "$AAPL to the moon", "\"I love it, GME too\"", ""), "observed_at", OBSERVED);
    put(&t, POST("b", "x", "GME is terrible, selling all", "\"\"", ""), "observed_at", OBSERVED);
    put(&t, POST("c", "x", "$AAPL is great", "\"[removed]\"", ",\"removed_by_category\":\"moderator\""), "observed_at",
        OBSERVED);
    put(&t, POST("d", "[deleted]", "$AAPL is great", "\"[deleted]\"", ""), "observed_at", OBSERVED);
    table_end(&t);
}

static void put_comments(world *w)
{
    table t = table_begin(w, "bronze.comments");
    put(&t, COMMENT("a", "x", "\"it opens at nine\""), "observed_at", OBSERVED);
    put(&t, COMMENT("b", "[deleted]", "\"[deleted]\""), "observed_at", OBSERVED);
    put(&t, COMMENT("c", "[deleted]", "\"[removed]\""), "observed_at", OBSERVED);
    put(&t, COMMENT("d", "x", "null"), "observed_at", OBSERVED);
    put(&t, COMMENT("e", "[deleted]", "\"account gone, $GME stays\""), "observed_at", OBSERVED);
    put(&t, COMMENT("f", "x", "\"[deleted]\""), "observed_at", OBSERVED); /* a live user wrote that */
    table_end(&t);
}

static void put_asset(table *t, const char *id, const char *symbol, bool active, const char *observed)
{
    char json[512];
    snprintf(
        json, sizeof json,
        "{\"id\":\"%s\",\"class\":\"us_equity\",\"exchange\":\"NASDAQ\",\"symbol\":\"%s\",\"name\":\"N\",\"status\":\"%s\",\"tradable\":true,"
        "\"marginable\":true,\"shortable\":true,\"fractionable\":true}",
        id, symbol, active ? "active" : "inactive");
    put(t, json, "observed_at", observed);
}

static void put_assets(world *w)
{
    table t = table_begin(w, "bronze.assets");
    put_asset(&t, "1", "AAPL", true, OBSERVED);
    put_asset(&t, "2", "GME", true, OBSERVED);
    table_end(&t);
}

static nx_enrich_result run(world *w)
{
    nx_enrich_result r;
    nx_enrich_opts o = {.engine = w->engine, .lake = w->lake};
    must(nx_enrich_run(&o, &r, &w->err), &w->err);
    return r;
}

static const char mentions_sql[] =
    "select coalesce(string_agg(fullname || ' ' || symbol || ' ' || kind || ' ' || span_from || '-' || span_to, ', ' order by fullname, span_from), '') "
    "from enrich.mentions";

/* ------------------------------------------------------------------ the rows */

static void scores_and_mentions(void **state)
{
    world *w = *state;
    put_posts(w);
    put_comments(w);
    put_assets(w);
    nx_enrich_result r = run(w);
    assert_int_equal(r.texts, 5); /* a, b; comments a, e, f: no deleted, removed or missing text */
    assert_int_equal(r.mentions, 4);
    assert_int_equal(r.symbols, 2);
    assert_string_equal(ask(w, mentions_sql),
                        "t1_e GME cashtag 14-18, t3_a AAPL cashtag 0-5, t3_a GME bare 29-32, t3_b GME bare 0-3");
    assert_string_equal(
        ask(w, "select string_agg(fullname || ' ' || label, ', ' order by fullname) from enrich.scores"),
        "t1_a neutral, t1_e neutral, t1_f neutral, t3_a positive, t3_b negative");
    assert_string_equal(
        ask(w,
            "select count(*) from enrich.scores where observed_at <> '2026-09-22' or model <> 'vader' or model_version is null"),
        "0");
    assert_string_equal(
        ask(w,
            "select count(*) from enrich.mentions where observed_at <> '2026-09-22' or confidence not between 0.5 and 1"),
        "0");
    nx_vader *v;
    nx_vader_score s;
    nx_arena a;
    char want[32];
    nx_arena_init(&a, 0);
    must(nx_vader_new(&v, &w->err), &w->err);
    must(nx_vader_score_text(v, NX_STR("$AAPL to the moon I love it, GME too"), &a, &s, &w->err), &w->err);
    snprintf(want, sizeof want, "%.4f %.3f", s.compound, s.pos);
    assert_string_equal(ask(w, "select printf('%.4f %.3f', compound, pos) from enrich.scores where fullname = 't3_a'"),
                        want);
    nx_vader_drop(v);
    nx_arena_drop(&a);
}

static void a_second_run_adds_nothing(void **state)
{
    world *w = *state;
    put_posts(w);
    put_assets(w);
    nx_enrich_result first = run(w), second = run(w);
    assert_int_equal(first.texts, 2);
    assert_int_equal(second.texts, 0);
    assert_int_equal(second.mentions, 0);
    assert_int_equal(second.scores_version, first.scores_version);
    assert_int_equal(second.mentions_version, first.mentions_version);
    /* the same post, observed again: one text more; the old observation keeps its rows */
    table t = table_begin(w, "bronze.posts");
    put(&t, POST("a", "x", "$AAPL crashed", "\"awful\"", ""), "observed_at", "2026-09-23T00:00:00Z");
    put(&t, POST("a", "x", "$AAPL crashed", "\"awful\"", ""), "observed_at",
        "2026-09-23T00:00:00Z"); /* the same observation twice */
    put(&t, POST("b", "[deleted]", "GME is terrible, selling all", "\"[deleted]\"", ""), "observed_at",
        "2026-09-23T00:00:00Z");
    table_end(&t);
    nx_enrich_result third = run(w);
    assert_int_equal(third.texts, 1);
    assert_int_equal(third.mentions, 1);
    assert_string_equal(
        ask(w, "select string_agg(label, ', ' order by observed_at) from enrich.scores where fullname = 't3_a'"),
        "positive, negative");
    assert_string_equal(ask(w, "select count(*) from enrich.scores"), "3");
}

static void nothing_to_read(void **state)
{
    world *w = *state;
    nx_enrich_result r = run(w);
    assert_int_equal(r.texts, 0);
    assert_int_equal(r.symbols, 0);
    assert_string_equal(ask(w, "select count(*) from enrich.scores"), "0");
    assert_string_equal(ask(w, "select count(*) from enrich.mentions"), "0");
    put_posts(w); /* no list of symbols: scores without mentions */
    assert_int_equal(run(w).texts, 2);
    assert_string_equal(ask(w, "select count(*) from enrich.mentions"), "0");
    assert_int_equal(run(w).texts, 0);
}

/* ------------------------------------------------------------------ symbols that come later */

static void put_later_asset(world *w, const char *id, const char *symbol)
{
    table t = table_begin(w, "bronze.assets");
    put_asset(&t, id, symbol, true, OBSERVED);
    table_end(&t);
}

static void texts_are_searched_for_later_symbols(void **state)
{
    world *w = *state;
    put_posts(w);
    put_comments(w);
    assert_int_equal(run(w).mentions, 0);
    put_later_asset(w, "1", "AAPL");
    nx_enrich_result r = run(w);
    assert_int_equal(r.texts, 0);
    assert_int_equal(r.mentions, 1);
    put_later_asset(w, "2", "GME");
    put_later_asset(w, "3", "BTC/USD"); /* no text can name it */
    assert_int_equal(run(w).mentions, 3);
    assert_string_equal(ask(w, mentions_sql),
                        "t1_e GME cashtag 14-18, t3_a AAPL cashtag 0-5, t3_a GME bare 29-32, t3_b GME bare 0-3");
    nx_enrich_result again = run(w);
    assert_int_equal(again.mentions, 0);
    assert_int_equal(again.mentions_version, run(w).mentions_version);
}

/* ------------------------------------------------------------------ symbols in time */

static void put_text(world *w, const char *created, const char *name)
{
    char json[512];
    table t = table_begin(w, "bronze.comments");
    int64_t ns;
    assert_true(nx_time_parse_ns(nx_str_of(created), &ns));
    snprintf(
        json, sizeof json,
        "{\"name\":\"t1_%s\",\"subreddit\":\"stocks\",\"author\":\"x\",\"body\":\"$GONE $BACK $TWICE $BARS $NONE $NEWER $OLDER\",\"link_id\":\"t3_a\",\"score\":1,"
        "\"edited\":false,\"created_utc\":%lld.0}",
        name, (long long)(ns / 1000000000));
    put(&t, json, "observed_at", "2026-10-01T00:00:00Z");
    table_end(&t);
}

static void symbols_have_their_time(void **state)
{
    world *w = *state;
    table t = table_begin(w, "bronze.assets");
    put_asset(&t, "1", "GONE", true, "2026-09-01T00:00:00Z");
    put_asset(&t, "2", "BACK", false, "2026-09-01T00:00:00Z");  /* was listed before, is not, will be */
    put_asset(&t, "3", "TWICE", false, "2026-09-01T00:00:00Z"); /* the name of a dead company and of a living one */
    put_asset(&t, "4", "TWICE", true, "2026-09-01T00:00:00Z");
    put_asset(&t, "5", "OLDER", true, "2026-09-01T00:00:00Z");
    table_end(&t);
    t = table_begin(w, "bronze.assets");
    put_asset(&t, "1", "GONE", false, "2026-09-10T00:00:00Z");
    put_asset(&t, "2", "BACK", true, "2026-09-20T00:00:00Z");
    put_asset(&t, "5", "NEWER", true, "2026-09-10T00:00:00Z"); /* renamed */
    put_asset(&t, "5", "NEWER", true, "2026-09-15T00:00:00Z");
    table_end(&t);
    t = table_begin(w, "bronze.bars");
    put(&t, "{\"S\":\"BARS\",\"t\":\"2026-09-05T14:30:00Z\",\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"n\":1,\"vw\":1}",
        "timeframe", "1Min");
    put(&t, "{\"S\":\"GONE\",\"t\":\"2026-09-05T14:30:00Z\",\"o\":1,\"h\":1,\"l\":1,\"c\":1,\"v\":1,\"n\":1,\"vw\":1}",
        "timeframe", "1Min");
    table_end(&t);
    put_text(w, "2026-08-31T00:00:00Z", "a");
    put_text(w, "2026-09-05T00:00:00Z", "b");
    put_text(w, "2026-09-12T00:00:00Z", "c");
    put_text(w, "2026-09-25T00:00:00Z", "d");
    assert_int_equal(run(w).symbols, 6);
    static const char *const want[] = {"GONE BACK TWICE BARS OLDER", "GONE TWICE BARS OLDER", "TWICE BARS NEWER",
                                       "BACK TWICE BARS NEWER"};
    for (int i = 0; i < 4; i++) {
        char sql[256];
        snprintf(sql, sizeof sql,
                 "select string_agg(symbol, ' ' order by span_from) from enrich.mentions where fullname = 't1_%c'",
                 'a' + i);
        assert_string_equal(ask(w, sql), want[i]);
    }
}

/* ------------------------------------------------------------------ many, stop, kills */

static void put_many(world *w, int n)
{
    table t = table_begin(w, "bronze.comments");
    for (int i = 0; i < n; i++) {
        char json[512];
        snprintf(json, sizeof json, COMMENT("%x", "x", "\"%s $AAPL and $GME, item x%d\""), i,
                 i % 3 == 0 ? "good" : "bad", i);
        put(&t, json, "observed_at", OBSERVED);
    }
    table_end(&t);
}

static void more_than_a_batch(void **state)
{
    world *w = *state;
    put_assets(w);
    put_many(w, 70000);
    nx_enrich_result r = run(w);
    assert_int_equal(r.texts, 70000);
    assert_int_equal(r.mentions, 140000);
    assert_string_equal(ask(w, "select count(distinct fullname) || ' ' || count(*) from enrich.scores"), "70000 70000");
    assert_string_equal(ask(w, "select count(*) from (select distinct fullname, symbol from enrich.mentions)"),
                        "140000");
    assert_string_equal(
        ask(w,
            "select string_agg(label || ' ' || n, ', ' order by label) from (select label, count(*) as n from enrich.scores group by 1)"),
        "negative 46666, positive 23334");
    assert_int_equal(run(w).texts, 0);
}

typedef struct halt {
    volatile bool stop;
    int64_t seen;
} halt;

static void stop_at_first(void *ctx, int64_t done, int64_t total)
{
    halt *h = ctx;
    (void)total;
    h->seen = done;
    h->stop = true;
}

static void stopped_runs_leave_nothing(void **state)
{
    world *w = *state;
    put_assets(w);
    put_many(w, 9000);
    halt h = {false, 0};
    nx_enrich_opts o = {
        .engine = w->engine, .lake = w->lake, .progress = stop_at_first, .progress_ctx = &h, .stop = &h.stop};
    nx_enrich_result r;
    assert_int_equal(nx_enrich_run(&o, &r, &w->err), NX_CANCELLED);
    assert_true(h.seen > 0 && h.seen < 9000);
    assert_string_equal(ask(w, "select (select count(*) from enrich.scores) + (select count(*) from enrich.mentions)"),
                        "0");
    assert_int_equal(run(w).texts, 9000);
}

/* A child runs with an armed fault. True: it lived. */
static bool run_in_child(world *w, const char *fault)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        open_lake(w);
        nx_enrich_result r;
        nx_enrich_opts o = {.engine = w->engine, .lake = w->lake};
        nx_status st = nx_fault_arm(fault) ? nx_enrich_run(&o, &r, &w->err) : NX_INTERNAL;
        _exit(st == NX_OK ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFEXITED(status);
}

static void killed_between_commits(void **state)
{
    world *w = *state;
    put_posts(w);
    put_comments(w);
    put_assets(w);
    static const char *const points[] = {"DELTA_COMMIT", "DELTA_COMMITTED"};
    int kills = 0, between = 0;
    for (size_t p = 0; p < NX_COUNT_OF(points); p++)
        for (int skip = 0;; skip++) {
            char fault[64];
            snprintf(fault, sizeof fault, "%s:%d:kill", points[p], skip);
            close_lake(w);
            bool lived = run_in_child(w, fault);
            open_lake(w);
            kills += !lived;
            if (!lived && skip >= 2) {
                bool cut =
                    strcmp(
                        ask(w,
                            "select (select count(*) from enrich.mentions) > 0 and (select count(*) from enrich.scores) = 0"),
                        "true") == 0;
                between += cut;
            }
            run(w);
            assert_string_equal(
                ask(w, "select (select count(*) from enrich.scores) || ' ' || (select count(*) from enrich.mentions)"),
                "5 4");
            assert_int_equal(run(w).texts, 0);
            assert_int_equal(nx_dir_remove(w->root, NULL), NX_OK); /* all over again */
            close_lake(w);
            open_lake(w);
            put_posts(w);
            put_comments(w);
            put_assets(w);
            if (lived)
                break;
        }
    assert_true(kills >= 6);
    assert_true(between >= 1);
}

/* Killed at every commit of a search for a later symbol: the next run has each mention once. */
static void a_cut_search_is_made_again(void **state)
{
    world *w = *state;
    static const char *const points[] = {"DELTA_COMMIT", "DELTA_COMMITTED"};
    int kills = 0;
    for (size_t p = 0; p < NX_COUNT_OF(points); p++)
        for (int skip = 0;; skip++) {
            char fault[64];
            snprintf(fault, sizeof fault, "%s:%d:kill", points[p], skip);
            put_posts(w);
            put_comments(w);
            put_later_asset(w, "1", "AAPL");
            run(w);
            put_later_asset(w, "2", "GME");
            close_lake(w);
            bool lived = run_in_child(w, fault);
            open_lake(w);
            kills += !lived;
            run(w);
            assert_string_equal(
                ask(w, mentions_sql),
                "t1_e GME cashtag 14-18, t3_a AAPL cashtag 0-5, t3_a GME bare 29-32, t3_b GME bare 0-3");
            assert_int_equal(nx_dir_remove(w->root, NULL), NX_OK);
            close_lake(w);
            open_lake(w);
            if (lived)
                break;
        }
    assert_true(kills >= 4); /* before and after the mentions' commit and the names' */
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(scores_and_mentions),
        CASE(a_second_run_adds_nothing),
        CASE(nothing_to_read),
        CASE(symbols_have_their_time),
        CASE(more_than_a_batch),
        CASE(stopped_runs_leave_nothing),
        CASE(killed_between_commits),
        CASE(texts_are_searched_for_later_symbols),
        CASE(a_cut_search_is_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
