#include <stdlib.h>

#include "sim/sim_int.h"

const nx__symbol nx__symbols[NX__SYMBOLS] = {
    {"AAPL", "Apple Inc. Common Stock", "NASDAQ", "037833100", "b0b6dd9d-8b9b-48a9-ba46-b9d54906e415", 'Q', 'C', 231.40,
     0.011, 5200, false, 24},
    {"AMD", "Advanced Micro Devices, Inc. Common Stock", "NASDAQ", "007903107", "03fb07bb-5db1-4077-8dea-5d711b272625",
     'Q', 'C', 158.15, 0.019, 4100, false, 18},
    {"GME", "GameStop Corporation", "NYSE", "36467W109", "2140998d-7f62-46f2-a9b2-e44350bd4807", 'N', 'A', 47.85, 0.022,
     1900, true, 30},
    {"MSFT", "Microsoft Corporation Common Stock", "NASDAQ", "594918104", "b6d1aa75-5c9c-4353-a305-9e2caa1925ab", 'Q',
     'C', 418.70, 0.010, 2300, false, 14},
    {"NVDA", "NVIDIA Corporation Common Stock", "NASDAQ", "67066G104", "4ce9353c-66d1-46c2-898f-fce867ab0247", 'Q', 'C',
     132.60, 0.018, 9800, true, 26},
    {"PLTR", "Palantir Technologies Inc. Class A Common Stock", "NYSE", "69608A108",
     "aee548bd-ca83-4a6f-a4b8-6cd8c7ecd3de", 'N', 'A', 76.20, 0.021, 3600, true, 20},
    {"SPY", "SPDR S&P 500 ETF Trust", "ARCA", "78462F103", "b28f4066-5c6d-479b-a2af-85dc1a8f16fb", 'P', 'B', 571.30,
     0.007, 7600, false, 16},
    {"TSLA", "Tesla, Inc. Common Stock", "NASDAQ", "88160R101", "8ccae427-5dd0-45b3-b5fe-7ba5e422c766", 'Q', 'C',
     402.90, 0.021, 6400, true, 28},
};

const char *nx_sim_symbol(size_t i)
{
    return i < NX__SYMBOLS ? nx__symbols[i].symbol : NULL;
}

bool nx_sim_symbol_reacts(size_t i)
{
    return i < NX__SYMBOLS && nx__symbols[i].reacts;
}

/* A generator of its own for every purpose, symbol and session: nothing depends on the order in which things are
 * made. */
nx_rand nx__world_rand(const nx__world *w, nx__purpose purpose, size_t symbol, int session)
{
    uint64_t x = w->seed;
    const uint64_t parts[3] = {(uint64_t)purpose + 1, (uint64_t)symbol + 1, (uint64_t)session + 1};
    for (size_t i = 0; i < 3; i++) {
        x = (x ^ parts[i]) * UINT64_C(0x9E3779B97F4A7C15);
        x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
        x ^= x >> 27;
    }
    nx_rand r;
    nx_rand_seed(&r, x);
    return r;
}

static nx_status make_days(nx__world *w, const nx_sim_opts *opts, nx_err *err)
{
    w->sessions = opts->sessions == 0 ? 30 : opts->sessions;
    if (w->sessions < 1 || w->sessions > NX__SESSIONS_MAX)
        return nx_fail(err, NX_INVALID, "could not start the simulator: sessions must be 1 to %d, not %d",
                       NX__SESSIONS_MAX, opts->sessions);
    const char *start = opts->start_date == NULL ? "2026-09-08" : opts->start_date;
    int32_t day;
    if (!nx_date_parse(nx_str_of(start), &day) || day < 0 || day > 365 * 100)
        return nx_fail(err, NX_INVALID,
                       "could not start the simulator: start date \"%s\" is no date of 1970 to 2069 (YYYY-MM-DD)",
                       start);
    day = nx__session_after(day - 1);
    for (int i = 0; i <= w->sessions; i++) {
        w->day[i] = day;
        day = nx__session_after(day);
    }
    w->split_at = w->sessions * 2 / 5;
    w->dividend_at = w->sessions * 3 / 5;
    return NX_OK;
}

/* How much more or less than usual each session talks about each symbol: independent, in standard deviations, cut at
 * the ends. */
static void make_attention(nx__world *w)
{
    for (size_t k = 0; k < NX__SYMBOLS; k++)
        for (int i = 0; i <= w->sessions; i++) {
            nx_rand r = nx__world_rand(w, NX__FOR_ATTENTION, k, i);
            double z = nx_rand_normal(&r);
            w->attention[k][i] = z > 2.0 ? 2.0 : z < -1.8 ? -1.8 : z;
        }
}

nx_status nx__world_make(nx__world *w, const nx_sim_opts *opts, nx_err *err)
{
    w->seed = opts->seed == 0 ? 1 : opts->seed;
    nx_arena_init(&w->arena, (size_t)512 << 20);
    w->from_files = opts->n_tapes + opts->n_bars + opts->n_reddit > 0;
    NX_TRY(make_days(w, opts, err));
    for (size_t i = 0; i < opts->n_bars; i++)
        NX_TRY(nx__bars_load(w, opts->bars[i], err));
    for (size_t i = 0; i < opts->n_reddit; i++)
        NX_TRY(nx__listing_load(w, opts->reddit[i], err));
    if (!w->from_files) {
        make_attention(w);
        NX_TRY(nx__market_make(w, err));
        NX_TRY(nx__talk_make(w, err));
    }
    nx__talk_sort(&w->posts);
    nx__talk_sort(&w->comments);
    return NX_OK;
}

void nx__world_drop(nx__world *w)
{
    for (size_t i = 0; i < w->n_series; i++)
        free(w->series[i].bars);
    free(w->series);
    for (size_t i = 0; i < NX__SYMBOLS; i++)
        free(w->tapes[i].trades);
    free(w->posts.items);
    free(w->comments.items);
    nx_arena_drop(&w->arena);
}
