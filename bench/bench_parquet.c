/* What a row costs as Parquet: the trades and quotes of a recorded day in batches of 100,000 rows, written by our encoder (one file a
 * table, a row group a batch) and by the engine's COPY (a file a batch), in turn. One core, files synced by both; CPU of the process.
 * Usage: bench_parquet TAPE.ndjson[.zst] [LAPS [CONTRACTS_DIR]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "contract/contract.h"
#include "io/lines.h"
#include "lake/parquet.h"

enum { BATCH_ROWS = 100000, TABLES = 2 };

typedef struct cost {
    double cpu_s;
    uint64_t rows, bytes;
} cost;

typedef struct table {
    const char *name;
    nx_batch b;
    size_t skip[1]; /* the partition column */
    nx_pq_file *file;
    char path[96]; /* of `file` */
    cost ours, copy;
} table;

typedef struct bench {
    char dir[32];
    nx_contracts *set;
    nx_decoder *d;
    nx_engine *engine;
    nx_session *session;
    nx_pq_encoder *encoder;
    table tables[TABLES];
    nx_batch *others;
    int files;
    nx_err err;
} bench;

static void need(bool ok, const bench *b)
{
    if (ok)
        return;
    fprintf(stderr, "bench_parquet: %s\n", b->err.text);
    exit(1);
}

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void next_path(bench *b, char path[96])
{
    snprintf(path, 96, "%s/%d.parquet", b->dir, b->files++);
}

static void by_copy(bench *b, table *t)
{
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_file_stats st;
    char path[96];
    next_path(b, path);
    double from = cpu_now();
    need(nx_session_write_batch(b->session, &t->b, NULL, 0, t->skip, 1, path, NULL, &a, &st, &b->err) == NX_OK, b);
    t->copy.cpu_s += cpu_now() - from;
    t->copy.rows += (uint64_t)st.rows;
    t->copy.bytes += (uint64_t)st.bytes;
    unlink(path);
}

static void by_ours(bench *b, table *t)
{
    double from = cpu_now();
    if (t->file == NULL) {
        next_path(b, t->path);
        need(nx_pq_open(t->path, t->b.schema, t->skip, 1, "nexus version bench", &t->file, &b->err) == NX_OK, b);
    }
    need(nx_pq_add(t->file, b->encoder, &t->b, NULL, 0, &b->err) == NX_OK, b);
    nx_pq_keep(t->file);
    t->ours.cpu_s += cpu_now() - from;
}

static void end_ours(bench *b, table *t)
{
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_file_stats st = {0};
    double from = cpu_now();
    if (t->file == NULL)
        return;
    need(nx_pq_end(t->file, &a, &st, &b->err) == NX_OK && nx_file_sync(t->path, &b->err) == NX_OK, b);
    t->ours.cpu_s += cpu_now() - from;
    t->ours.rows += (uint64_t)st.rows;
    t->ours.bytes += (uint64_t)st.bytes;
    nx_pq_close(t->file);
    t->file = NULL;
    unlink(t->path);
}

static void write_table(bench *b, table *t)
{
    if (t->b.n == 0)
        return;
    by_ours(b, t);
    by_copy(b, t);
    nx_batch_clear(&t->b);
}

static void lap(bench *b, const char *tape)
{
    nx_lines *l = NULL;
    nx_str line;
    nx_row_meta meta = {.source = NX_STR("edge-bench"), .known_basis = NX_STR("received")};
    need(nx_lines_open(tape, 0, &l, &b->err) == NX_OK, b);
    nx_status st;
    while ((st = nx_lines_next(l, &line, &b->err)) == NX_OK) {
        nx_verdict v;
        meta.pos++;
        meta.received_us = nx_clock_wall() / 1000;
        need(nx_decode_frame(b->d, line, &meta, &v, &b->err) == NX_OK, b);
        size_t rows = 0;
        for (size_t i = 0; i < TABLES; i++)
            rows += b->tables[i].b.n;
        for (size_t i = 0; rows >= BATCH_ROWS && i < TABLES; i++)
            write_table(b, &b->tables[i]);
        for (size_t i = 0; rows >= BATCH_ROWS && i < nx_contracts_count(b->set); i++)
            nx_batch_clear(&b->others[i]);
    }
    need(st == NX_NOTHING, b);
    nx_lines_close(l);
    for (size_t i = 0; i < TABLES; i++) {
        write_table(b, &b->tables[i]);
        end_ours(b, &b->tables[i]);
    }
}

static void bind(bench *b)
{
    static const char *const names[TABLES] = {"bronze.trades", "bronze.quotes"};
    size_t n = nx_contracts_count(b->set);
    b->others = calloc(n, sizeof *b->others);
    for (size_t i = 0; b->others != NULL && i < n; i++) {
        const nx_contract *c = nx_contracts_at(b->set, i);
        need(nx_batch_init(&b->others[i], nx_contract_schema(c), 0, 0) == NX_OK, b);
        nx_decoder_bind(b->d, c, &b->others[i]);
    }
    for (size_t i = 0; i < TABLES; i++) {
        const nx_contract *c = nx_contracts_find(b->set, names[i]);
        table *t = &b->tables[i];
        t->name = names[i];
        need(c != NULL && nx_batch_init(&t->b, nx_contract_schema(c), 0, 0) == NX_OK, b);
        t->skip[0] = nx_schema_find(t->b.schema, nx_str_of(nx_contract_partition(c)[0]));
        nx_decoder_bind(b->d, c, &t->b);
    }
}

static void tell(const char *name, const cost *ours, const cost *copy)
{
    double a = ours->cpu_s * 1e9 / (double)ours->rows, b = copy->cpu_s * 1e9 / (double)copy->rows;
    double x = (double)ours->bytes / (double)ours->rows, y = (double)copy->bytes / (double)copy->rows;
    printf(
        "%-14s %8llu rows: ours %4.0f ns, %5.2f bytes a row; COPY %4.0f ns, %5.2f bytes; ratio %.2f of the CPU, %.2f of the bytes\n",
        name, (unsigned long long)ours->rows, a, x, b, y, a / b, x / y);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: bench_parquet TAPE.ndjson[.zst] [LAPS [CONTRACTS_DIR]]\n", stderr);
        return 2;
    }
    bench b = {.dir = "/tmp/nexus-bench-XXXXXX"};
    nx_engine_opts o = {.memory_bytes = (uint64_t)256 << 20, .threads = 1};
    int laps = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1;
    need(mkdtemp(b.dir) != NULL && nx_contracts_load(argc > 3 ? argv[3] : "contracts", &b.set, &b.err) == NX_OK &&
             nx_decoder_new(b.set, "alpaca.stocks", &b.d, &b.err) == NX_OK &&
             nx_engine_open(&o, &b.engine, &b.err) == NX_OK && nx_session_open(b.engine, &b.session, &b.err) == NX_OK &&
             nx_pq_encoder_new(0, &b.encoder, &b.err) == NX_OK,
         &b);
    bind(&b);
    cost ours = {0}, copy = {0};
    for (int i = 0; i < laps; i++)
        lap(&b, argv[1]);
    for (size_t i = 0; i < TABLES; i++) {
        table *t = &b.tables[i];
        tell(t->name, &t->ours, &t->copy);
        ours = (cost){ours.cpu_s + t->ours.cpu_s, ours.rows + t->ours.rows, ours.bytes + t->ours.bytes};
        copy = (cost){copy.cpu_s + t->copy.cpu_s, copy.rows + t->copy.rows, copy.bytes + t->copy.bytes};
        nx_batch_drop(&t->b);
    }
    tell("both", &ours, &copy);
    for (size_t i = 0; i < nx_contracts_count(b.set); i++)
        nx_batch_drop(&b.others[i]);
    free(b.others);
    nx_pq_encoder_drop(b.encoder);
    nx_decoder_drop(b.d);
    nx_contracts_drop(b.set);
    nx_session_close(b.session);
    nx_engine_close(b.engine);
    return nx_dir_remove(b.dir, &b.err) == NX_OK ? 0 : 1;
}
