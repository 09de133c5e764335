/* ingest/pull_int.h - parts of the pulled sources: fetching pages (pull_fetch.c) and keeping rows (pull_sink.c). */
#ifndef NX_INGEST_PULL_INT_H
#define NX_INGEST_PULL_INT_H

#include "base/clock.h"
#include "base/rand.h"
#include "data/batch.h"
#include "ingest/pull.h"
#include "io/http.h"

/* ------------------------------------------------------------------ fetch */

typedef struct nx_fetch {
    const nx_pull_opts *o;
    nx_pull_result *r;
    nx_http *http;
    const char *who; /* "Alpaca", "Reddit": for errors */
    double tokens;   /* of the bucket */
    nx_mono_ns filled_at;
    int64_t wait_ms;    /* before the next request, as the other side asked by headers */
    int refused_status; /* of the last request when it was refused for good (403, 404, …), else 0 */
} nx_fetch;

NX_MUST_USE nx_status nx__fetch_open(nx_fetch *f, const nx_pull_opts *o, nx_pull_result *r, const char *who,
                                     const char *user_agent, nx_err *err);
void nx__fetch_close(nx_fetch *f);
/* Sends until there is an answer that repeating cannot better: 2xx with a whole JSON text is NX_OK. 401 is NX_AGAIN when unauthorized_again is set (get
 * a new token). Other 4xx: NX_INVALID with the other side's message. NX_REMOTE (retriable) after tries_max, or when asked to wait over 15
 * minutes. Drop resp always (start it as {0}). */
NX_MUST_USE nx_status nx__fetch(nx_fetch *f, const nx_http_req *req, bool unauthorized_again, nx_http_resp *resp,
                                nx_err *err);
/* The first value at the path as text (strings without quotes and escapes); false when absent or null. */
NX_MUST_USE nx_status nx__page_text(nx_str page, const char *path, nx_buf *ret, bool *ret_there, nx_err *err);

/* ------------------------------------------------------------------ sink */

/* Column _source of pulled rows. */
#define NX_PULL_ALPACA "alpaca.rest"
#define NX_PULL_REDDIT "reddit.rest"

typedef struct nx_sink {
    const nx_pull_opts *o;
    nx_pull_result *r;
    const nx_contract *contract;
    const char *const *tie_break;
    nx_table *table, *quarantine_t;
    nx_session *session;
    nx_decoder *decoder;
    nx_batch rows, refused;
    nx_row_meta meta;
    int32_t index; /* in the page */
} nx_sink;

/* table: "bronze.bars". tie_break: columns that tell rows apart beside the contract's key, NULL-terminated; may be NULL. delay_us below 0: rows are
 * known when received. */
NX_MUST_USE nx_status nx__sink_open(nx_sink *s, const nx_pull_opts *o, nx_pull_result *r, const char *table,
                                    const char *source, const char *const *tie_break, int64_t delay_us, nx_err *err);
void nx__sink_close(nx_sink *s);
/* Before the rows of a page: its position and time of receipt. */
void nx__sink_page(nx_sink *s);
NX_MUST_USE nx_status nx__sink_row(nx_sink *s, nx_str object, const nx_context *context, size_t n_context, nx_err *err);
/* Columns that say the same thing each time a row is seen: not what we add, not when it was observed. */
bool nx__pull_is_value(const char *name);
/* " and "event_date" between …": the partitions that the rows of the temporary table "incoming" can be in, so that a big table is not
 * read whole. Nothing for a table without partitions. */
NX_MUST_USE nx_status nx__partition_range(nx_session *s, const nx_contract *c, nx_buf *sql, nx_err *err);
/* app_id NULL: commits only if much is held. "": commits all of it. Else: all of it, with the mark (txn). */
NX_MUST_USE nx_status nx__sink_flush(nx_sink *s, const char *app_id, int64_t txn_version, nx_err *err);

#endif
