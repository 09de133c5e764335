/* Symbols that became known after texts were scored: those texts are searched once more, for the new symbols alone. enrich.symbols holds the names
 * that all scored texts have been searched for; it is written last, so that a run cut short is made again. */
#include "enrich/enrich_int.h"

enum { FETCH_ROWS = 4096, OUT_ROWS = 65536 };

static const nx_field symbol_fields[] = {
    {"symbol", {NX_STRING, 0, 0, NULL, 0}, false, "ticker that every scored text has been searched for"},
};
static const nx_schema symbol_schema = {symbol_fields, NX_COUNT_OF(symbol_fields)};

typedef struct again {
    const nx_enrich_opts *o;
    nx_symbols *symbols;
    nx_writer *writer;
    nx_batch mentions;
    nx_arena scratch;
    int64_t found;
} again;

static nx_status search_row(again *g, const nx_batch *in, size_t i, nx_err *err)
{
    nx_str fullname = nx_col_get_str(&in->cols[0], i), text = nx_col_get_str(&in->cols[3], i);
    int64_t observed_us = nx_col_get_i64(&in->cols[1], i);
    int64_t created_us = nx_col_is_null(&in->cols[2], i) ? observed_us : nx_col_get_i64(&in->cols[2], i);
    const nx_mention *m;
    size_t n;
    nx_arena_reset(&g->scratch);
    NX_TRY(nx_mentions_find(g->symbols, text, created_us, &g->scratch, &m, &n, err));
    for (size_t k = 0; k < n; k++)
        if (nx__enrich_put_mention(&g->mentions, fullname, observed_us, &m[k]) != NX_OK)
            return nx_nomem(err);
    g->found += (int64_t)n;
    return NX_OK;
}

static nx_status flush(again *g, nx_err *err)
{
    if (g->mentions.n == 0)
        return NX_OK;
    nx_status st = nx_writer_add(g->writer, &g->mentions, err);
    nx_batch_clear(&g->mentions);
    return st;
}

static nx_status take_batch(void *ctx, const nx_batch *in, nx_err *err)
{
    again *g = ctx;
    if (g->o->stop != NULL && *g->o->stop)
        return nx_fail(err, NX_CANCELLED, "enrichment was stopped; nothing of this run was kept");
    for (size_t i = 0; i < in->n; i++)
        NX_TRY(search_row(g, in, i, err));
    return g->mentions.n >= OUT_ROWS ? flush(g, err) : NX_OK;
}

static nx_status search_texts(again *g, nx_session *read, nx_str sql, nx_err *err)
{
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 1 << 20);
    nx_schema *schema;
    nx_commit_result r;
    NX_TRY(nx_session_schema(read, sql, &a, &schema, err));
    NX_TRY(nx_session_fetch(read, sql, schema, FETCH_ROWS, take_batch, g, err));
    NX_TRY(flush(g, err));
    return nx_writer_commit(g->writer, &(nx_commit_opts){.operation = "WRITE"}, &r, err);
}

/* Query of the names that are not in enrich.symbols. */
static nx_status new_names(nx_lake *l, nx_buf *sql, nx_err *err)
{
    static const char *const tables[] = {"bronze.assets", "bronze.bars"};
    nx_status st = nx_buf_addf(sql, "select distinct symbol from (select null::varchar as symbol");
    for (size_t i = 0; st == NX_OK && i < NX_COUNT_OF(tables); i++) {
        bool has;
        NX_TRY(nx__enrich_has(l, tables[i], &has, err));
        if (has)
            st = nx_buf_addf(sql, " union all select symbol from %s", tables[i]);
    }
    if (st == NX_OK)
        st = nx_buf_addf(sql, ") where symbol is not null and symbol not in (select symbol from enrich.symbols)");
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

/* What a run cut short found of the new symbols goes first: it is found again. */
static nx_status search(again *g, nx_session *read, nx_session *write, nx_table *mentions_t, nx_str names, nx_err *err)
{
    NX_BUF_AUTO nx_buf sql, of_new;
    nx_buf_init(&sql, 1 << 16);
    nx_buf_init(&of_new, 1 << 16);
    nx_commit_result r;
    NX_TRY(nx__enrich_texts_sql(g->o->lake, true, &sql, err));
    if (sql.n == 0)
        return NX_OK;
    if (nx_buf_addf(&of_new, "symbol in (" NX_STR_FMT ")", NX_STR_ARG(names)) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_lake_delete_sql(g->o->lake, write, "enrich.mentions", nx_buf_str(&of_new), &r, err));
    if (nx_batch_init(&g->mentions, &nx__enrich_mentions, OUT_ROWS + FETCH_ROWS * NX_MENTIONS_MAX, 0) != NX_OK)
        return nx_nomem(err);
    nx_arena_init(&g->scratch, 512 << 20);
    nx_status st = nx_writer_open(mentions_t, &g->writer, err);
    if (st == NX_OK)
        st = search_texts(g, read, nx_buf_str(&sql), err);
    nx_writer_drop(g->writer);
    nx_batch_drop(&g->mentions);
    nx_arena_drop(&g->scratch);
    return st;
}

nx_status nx__enrich_new_symbols(const nx_enrich_opts *o, nx_session *read, nx_session *write, nx_table *mentions_t,
                                 int64_t *mentions, nx_err *err)
{
    static const nx_table_spec spec = {.name = "enrich.symbols",
                                       .schema = &symbol_schema,
                                       .description = "Symbols that every scored text has been searched for"};
    again g = {.o = o};
    nx_table *t;
    NX_BUF_AUTO nx_buf names;
    nx_buf_init(&names, 1 << 16);
    NX_TRY(nx_table_ensure(o->lake, &spec, &t, err));
    NX_TRY(nx_lake_attach_table(o->lake, read, "enrich.symbols", err));
    NX_TRY(nx_lake_attach_table(o->lake, write, "enrich.symbols", err));
    NX_TRY(new_names(o->lake, &names, err));
    NX_TRY(nx__enrich_symbols(o->lake, read, true, &g.symbols, err));
    nx_status st = NX_OK;
    if (nx_symbols_count(g.symbols) > 0) {
        nx_commit_result r;
        st = search(&g, read, write, mentions_t, nx_buf_str(&names), err);
        if (st == NX_OK)
            st =
                nx_lake_write_sql(o->lake, write, &spec, nx_buf_str(&names),
                                  &(nx_write_opts){.mode = NX_WRITE_APPEND, .commit = {.operation = "WRITE"}}, &r, err);
    }
    nx_symbols_drop(g.symbols);
    *mentions += g.found;
    return st;
}
