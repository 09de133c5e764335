/* What the mart says about each symbol, and what is true in the look-alike's world. */
#include <math.h>
#include <stdio.h>

#include "app/demo.h"
#include "app/evidence.h"

static const char pairs_sql[] =
    "select symbol, count(*), corr(realized_volatility_next, abnormal_attention) "
    "from gold.daily_sentiment_impact_on_volatility "
    "where abnormal_attention is not null and realized_volatility_next is not null group by symbol order by symbol";

typedef struct finding {
    char symbol[32];
    int64_t sessions;
    double r;
    nx_evidence v;
    bool planted; /* the look-alike makes volatility follow talk */
} finding;

enum { FINDINGS_MAX = 64 };

static bool is_planted(const char *symbol)
{
    for (size_t i = 0; nx_sim_symbol(i) != NULL; i++)
        if (strcmp(nx_sim_symbol(i), symbol) == 0)
            return nx_sim_symbol_reacts(i);
    return false;
}

static nx_status read_findings(nx_demo *d, finding *ret, size_t *ret_n, nx_err *err)
{
    nx_result *r = NULL;
    NX_TRY(nx_session_query(d->p.session, nx_str_of(pairs_sql), &r, err));
    size_t n = nx_result_rows(r) < FINDINGS_MAX ? nx_result_rows(r) : FINDINGS_MAX;
    int64_t looks = 0;
    for (size_t i = 0; i < n; i++) {
        NX_BUF_AUTO nx_buf name;
        nx_buf_init(&name, 0);
        ret[i] = (finding){.sessions = nx_result_i64(r, i, 1, 0), .r = nx_result_f64(r, i, 2, NAN)};
        if (nx_result_text(r, i, 0, &name) == NX_OK)
            snprintf(ret[i].symbol, sizeof ret[i].symbol, "%s", name.p);
        ret[i].planted = is_planted(ret[i].symbol);
        looks += nx_evidence_of(ret[i].r, ret[i].sessions, 1).enough;
    }
    for (size_t i = 0; i < n; i++)
        ret[i].v = nx_evidence_of(ret[i].r, ret[i].sessions, looks);
    nx_result_drop(r);
    *ret_n = n;
    return NX_OK;
}

static const char *words_of(const finding *f)
{
    if (!f->v.enough)
        return "too few sessions to tell";
    if (!f->v.linked)
        return "no link seen, may be chance";
    return f->r > 0 ? "link: more talk, then a more volatile session" : "link: more talk, then a calmer session";
}

static void print_finding(const finding *f)
{
    if (!f->v.enough) {
        printf("%-7s %8lld  %11s  %-13s  %-8s  %s\n", f->symbol, (long long)f->sessions, "", "", "", words_of(f));
        return;
    }
    char range[32], chance[16];
    snprintf(range, sizeof range, "%5.2f … %5.2f", f->v.low, f->v.high);
    snprintf(chance, sizeof chance, f->v.chance < 0.001 ? "< 0.1 %%" : "%.1f %%", 100 * f->v.chance);
    printf("%-7s %8lld  %11.2f  %s  %8s  %s\n", f->symbol, (long long)f->sessions, f->r, range, chance, words_of(f));
}

static void print_names(const finding *f, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++)
        if (f[i].planted) {
            printf("%s%s", any ? ", " : "", f[i].symbol);
            any = true;
        }
}

nx_status nx__demo_print_symbols(nx_demo *d, nx_err *err)
{
    finding f[FINDINGS_MAX];
    size_t n, missed = 0, wrong = 0;
    NX_TRY(read_findings(d, f, &n, err));
    printf("\nDoes what people say today move tomorrow's volatility?\n\n"
           "symbol  sessions  correlation     95 %% range     chance  verdict\n"
           "────────────────────────────────────────────────────────────────────────────────────────────────\n");
    for (size_t i = 0; i < n; i++) {
        print_finding(&f[i]);
        missed += f[i].planted && !f[i].v.linked;
        wrong += !f[i].planted && f[i].v.linked;
    }
    printf(
        "\ncorrelation  of a session's talk above the symbol's usual level with the realized volatility of the next session\n"
        "95 %% range   where the true correlation lies, by what so few sessions can tell\n"
        "chance       how often sessions without any link would show as much; a link needs less than 5 %% / %zu symbols\n"
        "A link is no cause, and sessions in a row are not quite independent: read ranges as too narrow, not too wide.\n",
        n);
    printf("In this synthetic world talk moves ");
    print_names(f, n);
    printf(" and no other; the mart missed %zu and saw %zu that are not there.\n", missed, wrong);
    return NX_OK;
}

static void number(nx_jw *w, const char *key, bool there, double v)
{
    nx_jw_key(w, key);
    if (there)
        nx_jw_f64(w, v);
    else
        nx_jw_null(w);
}

nx_status nx__demo_json_symbols(nx_demo *d, nx_jw *w, nx_err *err)
{
    finding f[FINDINGS_MAX];
    size_t n;
    NX_TRY(read_findings(d, f, &n, err));
    nx_jw_arr(w);
    for (size_t i = 0; i < n; i++) {
        nx_jw_obj(w);
        nx_jw_key(w, "symbol");
        nx_jw_cstr(w, f[i].symbol);
        nx_jw_key(w, "sessions");
        nx_jw_i64(w, f[i].sessions);
        number(w, "correlation", f[i].v.enough, f[i].r);
        number(w, "low", f[i].v.enough, f[i].v.low);
        number(w, "high", f[i].v.enough, f[i].v.high);
        number(w, "chance", f[i].v.enough, f[i].v.chance);
        nx_jw_key(w, "linked");
        nx_jw_bool(w, f[i].v.linked);
        nx_jw_key(w, "planted");
        nx_jw_bool(w, f[i].planted);
        nx_jw_key(w, "verdict");
        nx_jw_cstr(w, words_of(&f[i]));
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    return NX_OK;
}
