/* Contracts change between two runs: what was acknowledged before keeps the verdict it had. Promises 1, 2 and 3. */
#include "unit/ingest/contracts_kit.h"

/* The name that trades@1.0.0 is kept under. */
static void kept_trades(project *p, char path[256])
{
    char hex[65], name[64];
    nx_sha256_hex(nx_buf_str(&p->original), hex);
    snprintf(name, sizeof name, "trades@1.0.0-%.16s", hex);
    archive_path(p, name, path);
}

/* A new optional column: frames of before had it as an unknown member, and keep it there. */
static void test_new_column(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, "[" TRADE("1", ",\"vn\":\"early\"") "," BAD "]");
    char path[256];
    kept_trades(p, path);
    assert_true(nx_file_exists(path));
    use(p, V1_1);
    edge_start(e);
    assert_string_equal(trades(p), "1 1 trades@1.0.0"); /* committed before anybody is let in */
    assert_string_equal(edge_ask(e, "select _extra || coalesce(venue_note, ' null') from bronze.trades"),
                        "{\"vn\":\"early\"} null");
    assert_string_equal(edge_ask(e, "select contract from quarantine.records"), "trades@1.0.0");
    nx_stream_stats st;
    nx_stream_stats_get(e->s, &st);
    assert_int_equal(st.recovered_frames, 1);
    assert_int_equal(st.committed_rows, 2);
    assert_int_equal(st.committed_pos, 1);
    send_one(p, TRADE("2", ",\"vn\":\"late\""));
    assert_string_equal(trades(p), "1 1 trades@1.0.0, 2 2 trades@1.1.0");
    assert_string_equal(
        edge_ask(e, "select venue_note || coalesce(_extra, ' null') from bronze.trades where trade_id = 2"),
        "late null");
    assert_false(nx_file_exists(path)); /* no segment names it any more */
    edge_stop(e);
    edge_start(e); /* nothing comes twice */
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.trades"), 2);
    assert_int_equal(edge_count(e, "quarantine.records"), 1);
}

/* What was accepted and acknowledged is not refused afterwards. */
static void test_stricter_rule(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, TRADE("1", ""));
    use(p, V2);
    edge_start(e);
    assert_string_equal(trades(p), "1 1 trades@1.0.0");
    send_one(p, TRADE("2", ""));
    assert_string_equal(trades(p), "1 1 trades@1.0.0");
    assert_string_equal(edge_ask(e, "select contract || ' ' || errors[1].field from quarantine.records"),
                        "trades@2.0.0 price");
}

/* Somebody writes bronze.trades whole again, with another type of column price. */
static void retype(edge *e, const char *type)
{
    char sql[160];
    nx_session *s;
    nx_write_opts o = {.mode = NX_WRITE_OVERWRITE};
    nx_commit_result r;
    nx_table_spec spec = {.name = "bronze.trades",
                          .folder = "bronze/market/trades",
                          .partition = (const char *const[]){"event_date", NULL}};
    snprintf(sql, sizeof sql, "select * replace (price::%s as price) from bronze.trades", type);
    must(nx_session_open(e->engine, &s, &e->err), &e->err);
    must(nx_lake_attach(e->lake, s, &e->err), &e->err);
    must(nx_lake_write_sql(e->lake, s, &spec, nx_str_of(sql), &o, &r, &e->err), &e->err);
    nx_session_close(s);
}

/* A column of another type: the table refuses today's contract, but only after it has all rows of before. */
static void test_changed_type(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, TRADE("1", ""));
    use(p, V2_TYPE);
    assert_int_equal(edge_try(e), NX_CONFLICT);
    assert_non_null(strstr(e->err.text, "price"));
    assert_string_equal(trades(p), "1 1 trades@1.0.0");
    retype(e, "decimal(18,4)");
    edge_start(e);
    send_one(p, TRADE("2", ""));
    assert_string_equal(trades(p), "1 1 trades@1.0.0, 2 2 trades@2.0.0");
    assert_string_equal(edge_ask(e, "select string_agg(price, ' ') from bronze.trades"), "13.9400 13.9400");
}

/* The same, and the table was changed before it had taken what the log holds for it. */
static void test_table_changed_too_early(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, TRADE("1", ""));
    use(p, V2_TYPE);
    edge_open_lake(e);
    retype(e, "decimal(18,4)");
    assert_int_equal(edge_try(e), NX_CONFLICT);
    assert_non_null(strstr(e->err.text, "from position 1 on: column \"price\""));
    assert_non_null(strstr(e->err.hint, "put the table back as it was"));
    retype(e, "decimal(18,6)");
    assert_int_equal(edge_try(e), NX_CONFLICT);
    retype(e, "decimal(18,4)");
    edge_start(e);
    assert_string_equal(trades(p), "1 1 trades@1.0.0");
}

/* The table was dropped between: the log, which is released, does not bring its rows again. */
static void test_dropped_after_changed_type(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, TRADE("1", ""));
    use(p, V2_TYPE);
    assert_int_equal(edge_try(e), NX_CONFLICT);
    must(nx_lake_drop_table(e->lake, "bronze.trades", &e->err), &e->err);
    edge_close_lake(e);
    edge_start(e);
    send_one(p, TRADE("2", ""));
    assert_string_equal(trades(p), "2 2 trades@2.0.0");
}

/* Four generations with two lists, more rows than all batches and several commits in each. */
static void test_many_generations(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    e->o.batch_rows = 20;
    e->o.n_batches = 2;
    e->o.flush_max_rows = 50;
    static const int order[] = {V1, V2, V1, V1_1};
    for (size_t i = 0; i < NX_COUNT_OF(order); i++) {
        use(p, order[i]);
        log_by_hand(p, TRADE("7", ",\"vn\":\"x\""), 130, true);
    }
    edge_start(e); /* today's is the last one's */
    static const char by_contract[] =
        "select string_agg(c || ' ' || n || ' ' || a || ' ' || b, ', ' order by a) from (select "
        "_contract as c, count(*) as n, min(_ingest_pos) as a, max(_ingest_pos) as b from bronze.trades "
        "group by _contract, _ingest_pos > 260)";
    assert_string_equal(edge_ask(e, by_contract),
                        "trades@1.0.0 130 1 130, trades@1.0.0 130 261 390, trades@1.1.0 130 391 520");
    assert_string_equal(edge_ask(e, "select contract || ' ' || count(*) from quarantine.records group by contract"),
                        "trades@2.0.0 130");
    assert_int_equal(edge_count(e, "bronze.trades where venue_note = 'x' and _ingest_pos > 390"), 130);
    nx_wsc *w = dial(e);
    assert_int_equal(greet(w, "p"), 520);
    nx_wsc_drop(w);
    assert_int_equal(archived(p).n, 9); /* eight of the feed, and quarantine */
    assert_non_null(strstr(archived(p).text, "trades@1.1.0-"));
    edge_stop(e);
    edge_start(e);
    must(nx_stream_flush(e->s, &e->err), &e->err);
    assert_int_equal(edge_count(e, "bronze.trades"), 390);
    assert_int_equal(edge_count(e, "quarantine.records"), 130);
}

/* Killed anywhere between the old contracts and today's: the next start ends it. */
static void test_killed_between(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    static const char *const faults[] = {
        "DELTA_COMMIT:3:kill", /* all is brought back and released: today's new column */
        "DELTA_COMMIT:0:kill",    "DELTA_COMMIT:1:kill",    "DELTA_COMMIT:2:kill", "DELTA_COMMITTED:0:kill",
        "DELTA_COMMITTED:1:kill", "DELTA_COMMITTED:2:kill", "WAL_RELEASE:0:kill",  "WAL_RELEASE:1:kill"};
    edge_start(e);
    edge_stop(e);
    for (int f = 0; f < (int)NX_COUNT_OF(faults); f++) {
        use(p, V1);
        log_by_hand(p, "[" TRADE("1", ",\"vn\":\"x\"") "," BAD "]", 2, true);
        use(p, V2);
        log_by_hand(p, TRADE("2", ""), 1, true);
        use(p, V1_1);
        pid_t pid = fork();
        if (pid == 0)
            _exit(!nx_fault_arm(faults[f]) ? 3 : edge_try(e) == NX_OK ? 0 : 4);
        int status;
        waitpid(pid, &status, 0);
        if (!WIFSIGNALED(status))
            fail_msg("%s did not kill", faults[f]);
        edge_start(e);
        edge_stop(e);
        assert_int_equal(edge_count(e, "bronze.trades"), 2 * (f + 1));
        assert_int_equal(edge_count(e, "bronze.trades where _contract = 'trades@1.0.0' and venue_note is null"),
                         2 * (f + 1));
        assert_int_equal(edge_count(e, "(select distinct _ingest_pos from bronze.trades)"), 2 * (f + 1));
        assert_int_equal(edge_count(e, "quarantine.records where contract = 'trades@1.0.0'"), 2 * (f + 1));
        assert_int_equal(edge_count(e, "quarantine.records where contract = 'trades@2.0.0'"), f + 1);
    }
}

static void test_missing_archive(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, TRADE("1", ""));
    ack_and_die(p, TRADE("2", ""));
    use(p, V2);
    char path[256];
    kept_trades(p, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(edge_try(e), NX_CORRUPT);
    assert_non_null(strstr(e->err.text, path));
    assert_non_null(strstr(e->err.text, "from position 1 on"));
    assert_non_null(strstr(e->err.hint, "put that version of the file back"));
    assert_int_equal(edge_count(e, "bronze.trades"), 0);
    /* something else under its name */
    must(nx_file_create(path, NX_STR("apiVersion: v3.1.0\n"), &e->err), &e->err);
    assert_int_equal(edge_try(e), NX_CORRUPT);
    assert_non_null(strstr(e->err.text, path));
    must(nx_file_replace(path, nx_buf_str(&p->original), &e->err), &e->err);
    edge_start(e);
    assert_string_equal(trades(p), "1 1 trades@1.0.0, 2 2 trades@1.0.0");
}

/* Today's files are whole before the log can name them; what else lies there is left alone. */
static void test_archive_is_kept_whole(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    char path[256], other[256];
    kept_trades(p, path);
    assert_true(nx_fault_arm("FILE_WRITE:3:short")); /* writer id, then contracts */
    assert_int_equal(edge_try(e), NX_IO);
    assert_non_null(strstr(e->err.text, "could not keep contract"));
    nx_fault_arm(NULL);
    edge_start(e);
    edge_stop(e);
    assert_int_equal(archived(p).n, 9);
    must(nx_file_replace(path, NX_STR("half a contr"), &e->err), &e->err);
    archive_path(p, "notes", other);
    must(nx_file_create(other, NX_STR("mine"), &e->err), &e->err);
    edge_start(e); /* the bytes are at hand: it is written again */
    edge_stop(e);
    nx_buf b;
    nx_buf_init(&b, 0);
    must(nx_file_read(path, &b, &e->err), &e->err);
    assert_true(nx_str_eq(nx_buf_str(&b), nx_buf_str(&p->original)));
    nx_buf_drop(&b);
    assert_true(nx_file_exists(other));
}

/* A table that cannot be committed to: the start says so, and the next one has everything once. */
static void test_commit_fails(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    ack_and_die(p, "[" Q1 "," TRADE("1", "") "," BAD "]");
    use(p, V2);
    nx_log_setup(NX_LOG_ERROR + 1, false);
    assert_true(nx_fault_arm("DELTA_COMMIT:1"));
    assert_int_not_equal(edge_try(e), NX_OK);
    assert_non_null(strstr(e->err.text, "could not bring back acknowledged frames from position 1 on"));
    nx_fault_arm(NULL);
    nx_log_setup(NX_LOG_ERROR, false);
    edge_start(e);
    assert_string_equal(trades(p), "1 1 trades@1.0.0");
    assert_int_equal(edge_count(e, "bronze.quotes"), 1);
    assert_int_equal(edge_count(e, "quarantine.records where contract = 'trades@1.0.0'"), 1);
}

/* A log that names contracts without hash: nothing tells which text was meant; those of now read it. */
static void test_names_without_hash(void **state)
{
    project *p = *state;
    edge *e = &p->e;
    log_by_hand(p, TRADE("1", ""), 1, false);
    use(p, V1_1);
    edge_start(e);
    assert_string_equal(trades(p), "1 1 trades@1.1.0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_new_column, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_stricter_rule, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_changed_type, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_table_changed_too_early, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_dropped_after_changed_type, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_many_generations, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_killed_between, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_missing_archive, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_archive_is_kept_whole, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_commit_fails, project_up, project_down),
        cmocka_unit_test_setup_teardown(test_names_without_hash, project_up, project_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
