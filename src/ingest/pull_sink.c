/* Rows of pages into a bronze table: decoded, compared with what is there, appended. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "ingest/pull_int.h"
#include "ingest/stream_int.h"

enum { HELD_ROWS = 50000, HELD_BYTES = 32 << 20, ERRORS_MAX = 160 };

static nx_status ensure(const nx_pull_opts *o, const nx_contract *c, nx_table **ret, nx_err *err)
{
    nx_table_spec spec = {.name = nx_contract_table(c),
                          .folder = nx_contract_folder(c),
                          .schema = nx_contract_schema(c),
                          .partition = nx_contract_partition(c),
                          .stats = nx_contract_stats(c),
                          .description = nx_contract_description(c)};
    return nx_table_ensure(o->lake, &spec, ret, err);
}

/* Positions of a source rise for ever: from the clock, but never at or below what the table holds. */
static nx_status first_pos(nx_sink *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 16);
    nx_result *r = NULL;
    NX_TRY(nx_lake_attach_table(s->o->lake, s->session, nx_contract_table(s->contract), err));
    if (nx_buf_addf(&sql, "select max(_ingest_pos) from %s where _source = '" NX_STR_FMT "'",
                    nx_contract_table(s->contract), NX_STR_ARG(s->meta.source)) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_query(s->session, nx_buf_str(&sql), &r, err));
    int64_t held = nx_result_i64(r, 0, 0, 0);
    nx_result_drop(r);
    s->meta.pos = held;
    return NX_OK;
}

nx_status nx__sink_open(nx_sink *s, const nx_pull_opts *o, nx_pull_result *r, const char *table, const char *source,
                        const char *const *tie_break, int64_t delay_us, nx_err *err)
{
    *s = (nx_sink){.o = o, .r = r, .contract = nx_contracts_find(o->contracts, table), .tie_break = tie_break};
    const nx_contract *q = nx_contracts_find(o->contracts, "quarantine.records");
    if (s->contract == NULL || q == NULL)
        return nx_fail(err, NX_NOT_FOUND, "there is no contract for %s",
                       s->contract == NULL ? table : "quarantine.records");
    s->meta = (nx_row_meta){.source = nx_str_of(source),
                            .known_basis = delay_us < 0 ? NX_STR("received") : NX_STR("declared"),
                            .known_delay_us = delay_us < 0 ? 0 : delay_us};
    NX_TRY(ensure(o, s->contract, &s->table, err));
    NX_TRY(ensure(o, q, &s->quarantine_t, err));
    NX_TRY(nx_session_open(o->engine, &s->session, err));
    NX_TRY(nx_decoder_new(o->contracts, NULL, &s->decoder, err));
    if (nx_batch_init(&s->rows, nx_contract_schema(s->contract), 0, 0) != NX_OK ||
        nx_batch_init(&s->refused, nx_contract_schema(q), 0, 0) != NX_OK)
        return nx_nomem(err);
    nx_decoder_bind(s->decoder, s->contract, &s->rows);
    return first_pos(s, err);
}

void nx__sink_close(nx_sink *s)
{
    nx_decoder_drop(s->decoder);
    nx_batch_drop(&s->rows);
    nx_batch_drop(&s->refused);
    nx_session_close(s->session);
    *s = (nx_sink){0};
}

void nx__sink_page(nx_sink *s)
{
    int64_t now = nx_clock_wall() / 1000;
    s->meta.received_us = now;
    s->meta.pos = now > s->meta.pos ? now : s->meta.pos + 1;
    s->index = 0;
}

/* A refused row with what the page told of it: without its symbol nobody could say what it was. */
static nx_status add_refused(nx_sink *s, const nx_verdict *v, const nx_context *context, size_t n_context)
{
    nx_row_error errors[ERRORS_MAX];
    nx_refused r = v->refused[0];
    size_t n = 0;
    for (; n < r.n_errors && n + n_context < ERRORS_MAX; n++)
        errors[n] = r.errors[n];
    for (size_t i = 0; i < n_context && n < ERRORS_MAX; i++)
        if (strcmp(context[i].field, "observed_at") != 0)
            errors[n++] = (nx_row_error){-1, context[i].field, "context", "no error: the page says so of this row",
                                         context[i].text};
    r.errors = errors;
    r.n_errors = n;
    return nx__quarantine_add(&s->refused, &(nx_verdict){.rejected = 1, .refused = &r}, s->meta.source,
                              s->meta.received_us, (uint64_t)s->meta.pos);
}

nx_status nx__sink_row(nx_sink *s, nx_str object, const nx_context *context, size_t n_context, nx_err *err)
{
    nx_verdict v;
    NX_TRY(nx_decode_object(s->decoder, s->contract, object, context, n_context, &s->meta, s->index, &v, err));
    s->index++;
    s->r->rows_seen++;
    if (v.rejected == 0)
        return NX_OK;
    nx_status st = add_refused(s, &v, context, n_context);
    return st == NX_OK ? NX_OK : nx_fail(err, st, "could not keep a refused row of %s", nx_contract_table(s->contract));
}

static bool has(const char *const *names, const char *name)
{
    for (; names != NULL && *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool nx__pull_is_value(const char *name)
{
    return (name[0] != '_' || strcmp(name, "_extra") == 0) && strcmp(name, "observed_at") != 0;
}

nx_status nx__partition_range(nx_session *session, const nx_contract *c, nx_buf *sql, nx_err *err)
{
    const char *const *p = nx_contract_partition(c);
    if (p == NULL || p[0] == NULL)
        return NX_OK;
    NX_BUF_AUTO nx_buf q;
    nx_buf_init(&q, 1 << 16);
    nx_result *r = NULL;
    if (nx_buf_addf(&q, "select min(\"%s\")::varchar, max(\"%s\")::varchar from incoming", p[0], p[0]) != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx_session_query(session, nx_buf_str(&q), &r, err));
    nx_status st = NX_OK;
    if (!nx_result_is_null(r, 0, 0)) {
        st = nx_buf_addf(sql, " and \"%s\" between '", p[0]);
        st = st == NX_OK ? nx_result_text(r, 0, 0, sql) : st;
        st = st == NX_OK ? nx_buf_adds(sql, "' and '") : st;
        st = st == NX_OK ? nx_result_text(r, 0, 1, sql) : st;
        st = st == NX_OK ? nx_buf_addc(sql, '\'') : st;
    }
    nx_result_drop(r);
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

/* The columns that tell rows apart ("by", and "on" to join), and the others ("differs"). */
static nx_status split_columns(const nx_sink *s, nx_buf *by, nx_buf *on, nx_buf *differs)
{
    const nx_schema *c = nx_contract_schema(s->contract);
    const char *const *key = nx_contract_key(s->contract);
    for (size_t i = 0; i < c->n_fields; i++) {
        const char *name = c->fields[i].name;
        if (!nx__pull_is_value(name))
            continue;
        if (has(key, name) || has(s->tie_break, name)) {
            NX_TRY(nx_buf_addf(by, "%s\"%s\"", by->n == 0 ? "" : ", ", name));
            NX_TRY(nx_buf_addf(on, "%sb.\"%s\" is not distinct from i.\"%s\"", on->n == 0 ? "" : " and ", name, name));
        } else {
            NX_TRY(nx_buf_addf(differs, " or b.\"%s\" is distinct from i.\"%s\"", name, name));
        }
    }
    return NX_OK;
}

/* Rows of "incoming" whose values differ from the newest row of the same source and key, each key once; of what bronze holds only those keys are
 * looked at, for the memory's sake. A row that replaces another one was
 * known when it came, whatever its feed declares of history. */
static nx_status new_rows_sql(nx_sink *s, nx_buf *sql, nx_err *err)
{
    const char *table = nx_contract_table(s->contract);
    NX_BUF_AUTO nx_buf by, on, differs;
    nx_buf_init(&by, 1 << 16);
    nx_buf_init(&on, 1 << 16);
    nx_buf_init(&differs, 1 << 16);
    nx_status st = split_columns(s, &by, &on, &differs);
    if (st == NX_OK)
        st = nx_buf_addf(
            sql,
            "select i.* replace (case when b._source is null then i._known_at else greatest(i._known_at, i._received_at) end as "
            "_known_at, case when b._source is null then i._known_basis else 'received' end as _known_basis) "
            "from (select * from incoming qualify row_number() over (partition by %s order by _ingest_pos desc, "
            "_ingest_idx desc) = 1) i left join (select * from %s b where _source = '" NX_STR_FMT "'",
            by.p, table, NX_STR_ARG(s->meta.source));
    if (st != NX_OK)
        return nx_nomem(err);
    NX_TRY(nx__partition_range(s->session, s->contract, sql, err));
    st = nx_buf_addf(
        sql,
        " and exists (select 1 from incoming i where %s) qualify row_number() over (partition by %s order by _ingest_pos desc, "
        "_ingest_idx desc) = 1) b on %s where b._source is null%s",
        on.p, by.p, on.p, differs.n == 0 ? "" : differs.p);
    return st == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status append(nx_sink *s, const char *table, nx_str sql, const nx_commit_opts *c, int64_t *added, nx_err *err)
{
    nx_commit_result r = {0};
    nx_table_spec spec = {.name = table};
    nx_write_opts w = {.mode = NX_WRITE_APPEND, .commit = *c};
    NX_TRY(nx_lake_write_sql(s->o->lake, s->session, &spec, sql, &w, &r, err));
    *added += r.rows_added;
    return NX_OK;
}

/* What the page told of a refused row, as add_refused() kept it. */
#define TOLD(t) "list_filter(" t ".errors, lambda e: e.rule = 'context')"

/* A page that is read again brings the same refused rows: they are in quarantine. */
static nx_status flush_refused(nx_sink *s, nx_err *err)
{
    if (s->refused.n == 0)
        return NX_OK;
    NX_TRY(nx_lake_attach_table(s->o->lake, s->session, "quarantine.records", err));
    NX_TRY(nx_session_load_batch(s->session, "incoming_refused", &s->refused, err));
    nx_batch_clear(&s->refused);
    return append(
        s, "quarantine.records",
        NX_STR(
            "select i.* from incoming_refused i where not exists (select 1 from quarantine.records q where q.source = i.source "
            "and q.contract is not distinct from i.contract and q.raw = i.raw and " TOLD("q") " = " TOLD(
                "i") ") "
                     "qualify row_number() over (partition by source, contract, raw, " TOLD(
                         "i") " order by received_at, record_id) = 1"),
        &(nx_commit_opts){.operation = "WRITE"}, &s->r->rejected, err);
}

nx_status nx__sink_flush(nx_sink *s, const char *app_id, int64_t txn_version, nx_err *err)
{
    if (app_id == NULL && s->rows.n + s->refused.n < HELD_ROWS &&
        nx_batch_bytes(&s->rows) + nx_batch_bytes(&s->refused) < HELD_BYTES)
        return NX_OK;
    NX_TRY(flush_refused(s, err));
    NX_BUF_AUTO nx_buf sql;
    nx_buf_init(&sql, 1 << 18);
    bool marked = app_id != NULL && app_id[0] != '\0';
    nx_commit_opts c = {.operation = "WRITE", .app_id = marked ? app_id : NULL, .txn_version = txn_version};
    NX_TRY(nx_lake_attach_table(s->o->lake, s->session, nx_contract_table(s->contract), err));
    NX_TRY(nx_session_load_batch(s->session, "incoming", &s->rows, err));
    nx_batch_clear(&s->rows);
    NX_TRY(new_rows_sql(s, &sql, err));
    return append(s, nx_contract_table(s->contract), nx_buf_str(&sql), &c, &s->r->rows_added, err);
}
