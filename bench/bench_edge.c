/* Replay -> acknowledged -> committed: a tape through the whole edge, client and listener in one process, into a lake
 * in a temporary folder. Usage: bench_edge [-s SECONDS] [TAPE...]   (default: the day tape below $NEXUS_SHARED, once;
 * with -s again and again until so much time has passed). Prints one JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "ingest/replay.h"
#include "ingest/stream.h"

static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

typedef struct load {
    const char *const *tapes;
    double seconds; /* tapes are sent again, each time by a new producer, until so much time has passed */
} load;

static nx_status replay(const load *l, const char *url, nx_replay_result *sum, nx_err *err)
{
    nx_mono_ns t0 = nx_clock_mono();
    unsigned round = 0;
    do {
        for (size_t i = 0; l->tapes[i] != NULL; i++) {
            char producer[32];
            snprintf(producer, sizeof producer, "bench-%zu-%u", i, round);
            const char *const one[] = {l->tapes[i], NULL};
            nx_replay_opts ro = {.files = one, .url = url, .producer = producer, .no_flush = true};
            nx_replay_result r;
            NX_TRY(nx_replay(&ro, &r, err));
            sum->accepted += r.accepted;
            sum->rejected += r.rejected;
            sum->frames += r.frames;
        }
        round++;
    } while ((double)(nx_clock_mono() - t0) / 1e9 < l->seconds);
    return NX_OK;
}

static nx_status measure(nx_stream *s, const load *l, nx_err *err)
{
    char url[96];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/ws/market-data", nx_stream_port(s));
    nx_replay_result r = {0};
    nx_mono_ns t0 = nx_clock_mono();
    double cpu0 = cpu_seconds();
    NX_TRY(replay(l, url, &r, err));
    double acked = (double)(nx_clock_mono() - t0) / 1e9;
    NX_TRY(nx_stream_flush(s, err));
    double committed = (double)(nx_clock_mono() - t0) / 1e9, n = (double)(r.accepted + r.rejected);
    nx_stream_stats st;
    nx_stream_stats_get(s, &st);
    if (st.committed_rows != r.accepted + r.rejected)
        return nx_fail(err, NX_INTERNAL, "%llu rows were committed, %.0f acknowledged",
                       (unsigned long long)st.committed_rows, n);
    printf(
        "{\"bench\":\"edge\",\"messages\":%.0f,\"frames\":%llu,\"rejected\":%llu,\"acked_s\":%.3f,\"committed_s\":%.3f,"
        "\"messages_per_s\":%.0f,\"cpu_ns_per_message\":%.0f,\"commits\":%llu,\"peak_mib\":%.0f}\n",
        n, (unsigned long long)r.frames, (unsigned long long)r.rejected, acked, committed, n / committed,
        (cpu_seconds() - cpu0) * 1e9 / n, (unsigned long long)st.commits, (double)peak_kib() / 1024);
    return NX_OK;
}

static nx_status run(const char *dir, const load *l, nx_err *err)
{
    char root[128], state[128];
    snprintf(root, sizeof root, "%s/lake", dir);
    snprintf(state, sizeof state, "%s/state", dir);
    nx_engine *engine = NULL;
    nx_lake *lake = NULL;
    nx_contracts *contracts = NULL;
    nx_stream *s = NULL;
    nx_engine_opts eo = {.memory_bytes = 256 << 20, .threads = 1};
    nx_status st = nx_engine_open(&eo, &engine, err);
    nx_lake_opts lo = {.root = root, .engine = engine};
    if (st == NX_OK)
        st = nx_lake_open(&lo, &lake, err);
    if (st == NX_OK)
        st = nx_contracts_load("contracts", &contracts, err);
    nx_stream_opts so = {
        .listen = "127.0.0.1:0", .state_dir = state, .lake = lake, .engine = engine, .contracts = contracts};
    if (st == NX_OK)
        st = nx_stream_start(&so, &s, err);
    if (st == NX_OK)
        st = measure(s, l, err);
    nx_status stopped = nx_stream_stop(s, st == NX_OK ? err : NULL);
    nx_contracts_drop(contracts);
    if (lake != NULL)
        nx_lake_close(lake);
    if (engine != NULL)
        nx_engine_close(engine);
    return st == NX_OK ? stopped : st;
}

int main(int argc, char **argv)
{
    char tape[512], dir[] = "/tmp/nexus-bench-XXXXXX";
    const char *shared = getenv("NEXUS_SHARED"), *one[] = {tape, NULL};
    snprintf(tape, sizeof tape, "%s/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst",
             shared == NULL ? "../shared/data" : shared);
    if (shared != NULL)
        snprintf(tape, sizeof tape, "%s/data/market/alpaca_ws/stocks_2013-10-08_aig_bac_ibm_spy.ndjson.zst", shared);
    load l = {.tapes = one};
    if (argc > 2 && strcmp(argv[1], "-s") == 0) {
        l.seconds = strtod(argv[2], NULL);
        argv += 2;
        argc -= 2;
    }
    if (argc > 1)
        l.tapes = (const char *const *)(argv + 1);
    if (!nx_file_exists(l.tapes[0])) {
        printf("skipped: no tape at %s\n", l.tapes[0]);
        return 77;
    }
    if (mkdtemp(dir) == NULL)
        return 3;
    nx_log_setup(NX_LOG_WARN, false);
    nx_err err = {0};
    nx_status st = run(dir, &l, &err);
    if (st != NX_OK)
        fprintf(stderr, "bench_edge: %s\n", err.text);
    nx_status removed = nx_dir_remove(dir, NULL);
    return st == NX_OK && removed == NX_OK ? 0 : 3;
}
