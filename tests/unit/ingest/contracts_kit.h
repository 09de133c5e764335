/* What tests about changing contracts share: a project with contracts of its own, in several versions, and a log
 * written by hand as if under any of them. */
#ifndef CONTRACTS_KIT_H
#define CONTRACTS_KIT_H

#include "unit/ingest/edge_kit.h"

#include "base/hash.h"
#include "lake/wal.h"

#define TRADE(id, more)                                                                                                \
    "{\"T\":\"t\",\"S\":\"BAC\",\"i\":" id ",\"x\":\"P\",\"p\":13.94,\"s\":500,\"c\":[\" \"],\"z\":\"A\",\"t\":"       \
    "\"2013-10-07T08:00:00.614Z\"" more "}"

enum { V1, V1_1, V2, V2_TYPE };

typedef struct project {
    edge e;
    char contracts[96], trades[160];
    nx_buf original; /* bytes of contract trades@1.0.0 */
} project;

/* ------------------------------------------------------------------ contracts of our own */

typedef struct copy {
    const char *from, *to;
} copy;

static inline nx_status copy_one(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    const copy *c = ctx;
    char from[256], to[256];
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    snprintf(from, sizeof from, "%s/%s", c->from, name);
    snprintf(to, sizeof to, "%s/%s", c->to, name);
    if (is_dir)
        return NX_OK;
    NX_TRY(nx_file_read(from, &b, err));
    return nx_file_replace(to, nx_buf_str(&b), err);
}

static inline void copy_dir(project *p, const char *name)
{
    char from[160], to[160];
    snprintf(from, sizeof from, "contracts/%s", name);
    snprintf(to, sizeof to, "%s/%s", p->contracts, name);
    must(nx_dir_make(to, &p->e.err), &p->e.err);
    must(nx_dir_list(from, copy_one, &(copy){from, to}, &p->e.err), &p->e.err);
}

static inline int project_up(void **state)
{
    project *p = calloc(1, sizeof *p);
    if (p == NULL || edge_init(&p->e) != 0)
        return -1;
    snprintf(p->contracts, sizeof p->contracts, "%s/contracts", p->e.dir);
    snprintf(p->trades, sizeof p->trades, "%s/market/trades.odcs.yaml", p->contracts);
    copy_dir(p, "market");
    copy_dir(p, "quarantine");
    p->e.contracts_dir = p->contracts;
    nx_buf_init(&p->original, 0);
    must(nx_file_read(p->trades, &p->original, &p->e.err), &p->e.err);
    *state = p;
    return 0;
}

static inline int project_down(void **state)
{
    project *p = *state;
    nx_buf_drop(&p->original);
    int rc = edge_fini(&p->e);
    free(p);
    return rc;
}

/* The first `from` behind the first `anchor`. */
static inline void replace_behind(nx_buf *b, const char *anchor, const char *from, const char *to)
{
    size_t at = nx_str_find(nx_buf_str(b), nx_str_of(anchor), 0);
    assert_true(at != SIZE_MAX);
    at = nx_str_find(nx_buf_str(b), nx_str_of(from), at);
    assert_true(at != SIZE_MAX);
    nx_buf out;
    nx_buf_init(&out, 0);
    assert_int_equal(nx_buf_add(&out, nx_str_sub(nx_buf_str(b), 0, at)), NX_OK);
    assert_int_equal(nx_buf_adds(&out, to), NX_OK);
    assert_int_equal(nx_buf_add(&out, nx_str_sub(nx_buf_str(b), at + strlen(from), b->n)), NX_OK);
    nx_buf_drop(b);
    *b = out;
}

static inline void replace(nx_buf *b, const char *from, const char *to)
{
    replace_behind(b, "", from, to);
}

/* Writes the contract of bronze.trades in one of its versions; the next start loads it. */
static inline void use(project *p, int version)
{
    nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_buf_add(&b, nx_buf_str(&p->original)), NX_OK);
    if (version == V1_1) {
        replace(&b, "version: 1.0.0", "version: 1.1.0");
        replace(&b, "      - name: ts\n",
                "      - {name: venue_note, logicalType: string, physicalType: string, description: 'Of the venue.', "
                "customProperties: [{property: wire, value: vn}]}\n      - name: ts\n");
    } else if (version == V2) {
        replace(&b, "version: 1.0.0", "version: 2.0.0");
        replace_behind(&b, "      - name: price\n", "logicalTypeOptions: {minimum: 0}",
                       "logicalTypeOptions: {minimum: 100}");
    } else if (version == V2_TYPE) {
        replace(&b, "version: 1.0.0", "version: 2.0.0");
        replace(&b, "      - name: price\n        logicalType: number\n        physicalType: 'decimal(18,6)'",
                "      - name: price\n        logicalType: number\n        physicalType: 'decimal(18,4)'");
    }
    must(nx_file_replace(p->trades, nx_buf_str(&b), &p->e.err), &p->e.err);
    nx_buf_drop(&b);
    if (p->e.lake != NULL)
        edge_close_lake(&p->e);
}

/* Acknowledges the frame under the contracts on disk, and dies. */
static inline void ack_and_die(project *p, const char *frame)
{
    if (p->e.lake != NULL)
        edge_close_lake(&p->e);
    pid_t pid = edge_fork(&p->e);
    nx_wsc *w = dial(&p->e);
    assert_true(greet(w, "p") >= 0);
    say(w, frame);
    assert_non_null(strstr(hear(w), "\"T\":\"ack\""));
    end_child(pid);
    nx_wsc_drop(w);
}

static inline void send_one(project *p, const char *frame)
{
    nx_wsc *w = dial(&p->e);
    assert_true(greet(w, "p") >= 0);
    say(w, frame);
    hear(w);
    say_flush(w);
    nx_wsc_drop(w);
}

static const char *trades(project *p)
{
    return edge_ask(&p->e, "select string_agg(trade_id || ' ' || _ingest_pos || ' ' || _contract, ', ' order by "
                           "_ingest_pos, _ingest_idx) from bronze.trades");
}

/* ------------------------------------------------------------------ the log and the archive, by hand */

static inline void archive_path(const project *p, const char *name, char path[256])
{
    snprintf(path, 256, "%s/contracts/%s.odcs.yaml", p->e.state, name);
}

/* The list that a log taken now would name; the files are kept beside it. */
static inline void list_by_hand(project *p, nx_buf *list, bool with_hash)
{
    nx_contracts *set;
    nx_err *err = &p->e.err;
    char dir[160];
    snprintf(dir, sizeof dir, "%s/contracts", p->e.state);
    must(nx_dir_make(dir, err), err);
    must(nx_contracts_load(p->contracts, &set, err), err);
    for (size_t i = 0; i < nx_contracts_count(set); i++) {
        const nx_contract *c = nx_contracts_at(set, i);
        char name[128], hex[65], path[256];
        nx_buf bytes;
        nx_buf_init(&bytes, 0);
        must(nx_file_read(nx_contract_file(c), &bytes, err), err);
        nx_sha256_hex(nx_buf_str(&bytes), hex);
        snprintf(name, sizeof name, with_hash ? "%s-%.16s" : "%s", nx_contract_id(c), hex);
        archive_path(p, name, path);
        if (with_hash)
            must(nx_file_replace(path, nx_buf_str(&bytes), err), err);
        assert_int_equal(nx_buf_addf(list, "%s%s", i == 0 ? "" : "\n", name), NX_OK);
        nx_buf_drop(&bytes);
    }
    nx_contracts_drop(set);
}

/* n frames more in the log, as if taken under the contracts on disk. */
static inline void log_by_hand(project *p, const char *frame, int n, bool with_hash)
{
    nx_err *err = &p->e.err;
    nx_buf list;
    nx_buf_init(&list, 0);
    list_by_hand(p, &list, with_hash);
    char dir[160];
    nx_wal *w;
    nx_wal_opts o = {.segment_bytes = 1, .block_bytes_max = 64 << 10, .contracts = list.p};
    snprintf(dir, sizeof dir, "%s/wal", p->e.state);
    must(nx_wal_open(dir, &o, &w, err), err);
    must(nx_wal_recover(w, 0, NULL, NULL, err), err);
    uint32_t producer;
    must(nx_wal_producer(w, NX_STR("p"), true, &producer, err), err);
    for (int i = 0; i < n; i++) {
        nx_wal_record r = {.received_ns = 1700000000000000000,
                           .producer = producer,
                           .producer_seq = nx_wal_producer_last(w, producer) + 1,
                           .accepted = 1,
                           .bytes = nx_str_of(frame)};
        must(nx_wal_append(w, &r, err), err);
    }
    must(nx_wal_sync(w, err), err);
    nx_wal_close(w);
    nx_buf_drop(&list);
}

typedef struct names {
    char text[4096];
    size_t n;
} names;

static inline nx_status add_name(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    (void)is_dir;
    (void)err;
    names *l = ctx;
    l->n++;
    strncat(l->text, name, sizeof l->text - strlen(l->text) - 2);
    strncat(l->text, "\n", 2);
    return NX_OK;
}

static inline names archived(project *p)
{
    names l = {.n = 0};
    char dir[160];
    snprintf(dir, sizeof dir, "%s/contracts", p->e.state);
    must(nx_dir_list(dir, add_name, &l, &p->e.err), &p->e.err);
    return l;
}

#endif
