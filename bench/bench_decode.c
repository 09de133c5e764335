/* How fast frames become columns: decodes a tape (one frame a line, uncompressed) into bound batches, several laps, one core.
 * Usage: bench_decode TAPE.ndjson [LAPS [CONTRACTS_DIR]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "contract/contract.h"

enum { BATCH_ROWS = 100000 };

typedef struct bench {
    nx_contracts *set;
    nx_decoder *d;
    nx_batch *batches;
    nx_str tape;
    uint64_t messages, rejected, frames;
    int64_t pos;
} bench;

static void fail(const nx_err *err)
{
    fprintf(stderr, "bench_decode: %s\n", err->text);
    exit(1);
}

static void lap(bench *b)
{
    nx_err err = {0};
    nx_str rest = b->tape, line;
    nx_row_meta meta = {.source = NX_STR("bench"), .received_us = 1700000000000000, .known_basis = NX_STR("received")};
    while (nx_str_split(&rest, '\n', &line)) {
        nx_verdict v;
        if (line.n == 0)
            continue;
        meta.pos = ++b->pos;
        if (nx_decode_frame(b->d, line, &meta, &v, &err) != NX_OK)
            fail(&err);
        b->messages += v.accepted;
        b->rejected += v.rejected;
        b->frames++;
        if ((b->frames & 255) != 0)
            continue;
        size_t rows = 0;
        for (size_t i = 0; i < nx_contracts_count(b->set); i++)
            rows += b->batches[i].n;
        for (size_t i = 0; rows >= BATCH_ROWS && i < nx_contracts_count(b->set); i++)
            nx_batch_clear(&b->batches[i]);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: bench_decode TAPE.ndjson [LAPS [CONTRACTS_DIR]]\n", stderr);
        return 2;
    }
    int laps = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
    nx_err err = {0};
    bench b = {0};
    nx_buf tape NX_BUF_AUTO;
    nx_buf_init(&tape, (size_t)2 << 30);
    if (nx_file_read(argv[1], &tape, &err) != NX_OK ||
        nx_contracts_load(argc > 3 ? argv[3] : "contracts", &b.set, &err) != NX_OK ||
        nx_decoder_new(b.set, "alpaca.stocks", &b.d, &err) != NX_OK)
        fail(&err);
    b.tape = nx_buf_str(&tape);
    b.batches = calloc(nx_contracts_count(b.set), sizeof *b.batches);
    for (size_t i = 0; b.batches != NULL && i < nx_contracts_count(b.set); i++) {
        const nx_contract *c = nx_contracts_at(b.set, i);
        if (nx_batch_init(&b.batches[i], nx_contract_schema(c), 0, 0) != NX_OK)
            return 1;
        nx_decoder_bind(b.d, c, &b.batches[i]);
    }
    for (int i = 0; i < laps; i++) {
        uint64_t before = b.messages;
        nx_mono_ns from = nx_clock_mono();
        clock_t cpu = clock();
        lap(&b);
        double s = (double)(nx_clock_mono() - from) / 1e9, cpu_s = (double)(clock() - cpu) / CLOCKS_PER_SEC;
        uint64_t n = b.messages - before;
        printf(
            "lap %d: %llu messages in %.3f s, %.2f million/s, %.0f MB/s; %.0f ns of CPU each, %.2f million/s of CPU\n",
            i + 1, (unsigned long long)n, s, (double)n / s / 1e6, (double)b.tape.n / s / 1e6, cpu_s * 1e9 / (double)n,
            (double)n / cpu_s / 1e6);
    }
    printf("frames %llu, accepted %llu, rejected %llu\n", (unsigned long long)b.frames, (unsigned long long)b.messages,
           (unsigned long long)b.rejected);
    for (size_t i = 0; i < nx_contracts_count(b.set); i++)
        nx_batch_drop(&b.batches[i]);
    free(b.batches);
    nx_decoder_drop(b.d);
    nx_contracts_drop(b.set);
    return 0;
}
