/* Replay -> acknowledged -> committed: a tape through the whole edge, client and listener in one process, into a lake
 * in a temporary folder. Usage: bench_edge [TAPE...]   (default: the day tape below $NEXUS_SHARED). Prints one JSON
 * object. */
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

static nx_status measure(nx_stream *s, const char *const *tapes, nx_err *err)
{
    char url[96];
    snprintf(url, sizeof url, "ws://127.0.0.1:%d/ws/market-data", nx_stream_port(s));
    nx_replay_opts ro = {.files = tapes, .url = url, .no_flush = true};
    nx_replay_result r;
    nx_mono_ns t0 = nx_clock_mono();
    double cpu0 = cpu_seconds();
    NX_TRY(nx_replay(&ro, &r, err));
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

static nx_status run(const char *dir, const char *const *tapes, nx_err *err)
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
        st = measure(s, tapes, err);
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
    const char *const *tapes = argc > 1 ? (const char *const *)(argv + 1) : one;
    if (!nx_file_exists(tapes[0])) {
        printf("skipped: no tape at %s\n", tapes[0]);
        return 77;
    }
    if (mkdtemp(dir) == NULL)
        return 3;
    nx_log_setup(NX_LOG_WARN, false);
    nx_err err = {0};
    nx_status st = run(dir, tapes, &err);
    if (st != NX_OK)
        fprintf(stderr, "bench_edge: %s\n", err.text);
    nx_status removed = nx_dir_remove(dir, NULL);
    return st == NX_OK && removed == NX_OK ? 0 : 3;
}
