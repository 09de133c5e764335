/* The two tables, the symbols that texts are searched for, and the texts. */
#include "enrich/enrich_int.h"
#include "enrich/vader.h"

static const nx_field score_fields[] = {
    {"fullname", {NX_STRING, 0, 0, NULL, 0}, false, "Reddit's id of the post or comment"},
    {"observed_at", {NX_TIMESTAMP, 0, 0, NULL, 0}, false, "observation that the text comes from"},
    {"model", {NX_STRING, 0, 0, NULL, 0}, false, "vader"},
    {"model_version", {NX_STRING, 0, 0, NULL, 0}, false, "version of word list and procedure"},
    {"neg", {NX_DOUBLE, 0, 0, NULL, 0}, false, "negative share, 3 decimals"},
    {"neu", {NX_DOUBLE, 0, 0, NULL, 0}, false, "neutral share, 3 decimals"},
    {"pos", {NX_DOUBLE, 0, 0, NULL, 0}, false, "positive share, 3 decimals"},
    {"compound", {NX_DOUBLE, 0, 0, NULL, 0}, false, "sentiment from -1 to 1, 4 decimals"},
    {"label", {NX_STRING, 0, 0, NULL, 0}, false, "positive from 0.05, negative from -0.05 down, else neutral"},
};
const nx_schema nx__enrich_scores = {score_fields, NX_COUNT_OF(score_fields)};

static const nx_field mention_fields[] = {
    {"fullname", {NX_STRING, 0, 0, NULL, 0}, false, "Reddit's id of the post or comment"},
    {"observed_at", {NX_TIMESTAMP, 0, 0, NULL, 0}, false, "observation that the text comes from"},
    {"symbol", {NX_STRING, 0, 0, NULL, 0}, false, "ticker"},
    {"kind", {NX_STRING, 0, 0, NULL, 0}, false, "cashtag, bare or name"},
    {"span_from", {NX_INT32, 0, 0, NULL, 0}, false, "first byte in the text (a post's text: title, blank, selftext)"},
    {"span_to", {NX_INT32, 0, 0, NULL, 0}, false, "byte after the last"},
    {"confidence", {NX_DOUBLE, 0, 0, NULL, 0}, false, "share of such mentions that mean the security"},
};
const nx_schema nx__enrich_mentions = {mention_fields, NX_COUNT_OF(mention_fields)};

/* No text or name of a person sits in a log: stats for ids and times only. */
static const char *const stats[] = {"fullname", "observed_at", NULL};

nx_status nx_enrich_ensure(nx_lake *l, nx_table **ret_scores, nx_table **ret_mentions, nx_err *err)
{
    nx_table_spec scores = {.name = "enrich.scores",
                            .schema = &nx__enrich_scores,
                            .stats = stats,
                            .description = "Sentiment of every observed text"};
    nx_table_spec mentions = {.name = "enrich.mentions",
                              .schema = &nx__enrich_mentions,
                              .stats = stats,
                              .description = "Symbols that observed texts name"};
    NX_TRY(nx_table_ensure(l, &scores, ret_scores, err));
    return nx_table_ensure(l, &mentions, ret_mentions, err);
}

nx_status nx__enrich_has(nx_lake *l, const char *table, bool *ret, nx_err *err)
{
    nx_table *t;
    nx_err why = {0};
    nx_status st = nx_table_open(l, table, &t, &why);
    *ret = st == NX_OK;
    if (st != NX_OK && st != NX_NOT_FOUND) {
        if (err != NULL)
            *err = why;
        return st;
    }
    return NX_OK;
}

/* An active observation of an asset lists its symbol until the next one; the first reaches back for ever, the last forward. An asset first seen
 * inactive was listed before. Symbols are used again: the same one may stand in several assets, whose times add up. */
static const char asset_sql[] = "select symbol, "
                                "case when rn = 1 then null else epoch_us(observed_at) end as from_us, "
                                "case when active then epoch_us(until) else epoch_us(observed_at) end as to_us "
                                "from (select symbol, status = 'active' as active, observed_at, "
                                "lead(observed_at) over w as until, row_number() over w as rn "
                                "from bronze.assets where symbol is not null "
                                "window w as (partition by id order by observed_at, _ingest_pos, _ingest_idx)) "
                                "where active or rn = 1";

/* only_new: without the symbols of enrich.symbols. */
static nx_status add_rows(nx_session *s, const char *sql, bool only_new, nx_symbols *to, nx_err *err)
{
    nx_result *r = NULL;
    NX_BUF_AUTO nx_buf name, wanted;
    nx_buf_init(&name, 1 << 16);
    nx_buf_init(&wanted, 1 << 16);
    if (nx_buf_addf(&wanted, "select * from (%s)%s", sql,
                    only_new ? " where symbol not in (select symbol from enrich.symbols)" : "") != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_query(s, nx_buf_str(&wanted), &r, err));
    nx_status st = NX_OK;
    for (size_t i = 0; st == NX_OK && i < nx_result_rows(r); i++) {
        nx_buf_clear(&name);
        st = nx_result_text(r, i, 0, &name);
        if (st == NX_OK)
            st = nx_symbols_add(to, nx_buf_str(&name), nx_result_i64(r, i, 1, INT64_MIN),
                                nx_result_i64(r, i, 2, INT64_MAX), err);
    }
    nx_result_drop(r);
    return st;
}

/* Without a list of assets, what has bars may be named. */
static const char bar_sql[] = "select distinct symbol, null, null from bronze.bars";
static const char bar_sql_beside_assets[] = "select distinct symbol, null, null from bronze.bars "
                                            "where symbol not in (select symbol from bronze.assets)";

nx_status nx__enrich_symbols(nx_lake *l, nx_session *s, bool only_new, nx_symbols **ret, nx_err *err)
{
    bool assets, bars;
    nx_symbols *list = NULL;
    NX_TRY(nx__enrich_has(l, "bronze.assets", &assets, err));
    NX_TRY(nx__enrich_has(l, "bronze.bars", &bars, err));
    NX_TRY(nx_symbols_new(&list, err));
    nx_status st = assets ? add_rows(s, asset_sql, only_new, list, err) : NX_OK;
    if (st == NX_OK && bars)
        st = add_rows(s, assets ? bar_sql_beside_assets : bar_sql, only_new, list, err);
    if (st != NX_OK)
        nx_symbols_drop(list);
    else
        *ret = list;
    return st;
}

nx_status nx__enrich_texts_sql(nx_lake *l, bool scored, nx_buf *sql, nx_err *err)
{
    static const struct {
        const char *table, *text;
    } sources[] = {
        {"bronze.posts", "case when coalesce(selftext, '') = '' then title else concat(title, ' ', selftext) end"},
        {"bronze.comments", "body"},
    };
    for (size_t i = 0; i < NX_COUNT_OF(sources); i++) {
        bool has;
        NX_TRY(nx__enrich_has(l, sources[i].table, &has, err));
        if (!has)
            continue;
        nx_status st = nx_buf_addf(
            sql,
            "%sselect distinct on (fullname, observed_at) fullname, observed_at, created_at, %s as text from %s b "
            "where not coalesce(is_deleted, false) and %s is not null and %sexists (select 1 from enrich.scores s "
            "where s.fullname = b.fullname and s.observed_at = b.observed_at and s.model = 'vader' "
            "and s.model_version = '" NX_VADER_VERSION "')",
            sql->n == 0 ? "" : " union all ", sources[i].text, sources[i].table, sources[i].text, scored ? "" : "not ");
        if (st != NX_OK)
            return nx_nomem(err);
    }
    return NX_OK;
}
