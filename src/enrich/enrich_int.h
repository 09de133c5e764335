/* enrich/enrich_int.h - what the files of the run share. */
#ifndef NX_ENRICH_ENRICH_INT_H
#define NX_ENRICH_ENRICH_INT_H

#include "data/batch.h"
#include "enrich/enrich.h"
#include "enrich/mentions.h"

#define NX_ENRICH_APP_ID "enrich"

extern const nx_schema nx__enrich_scores, nx__enrich_mentions;

/* Symbols with their listing times: from the observations of the asset list, and those that only bars name. only_new: those that scored texts
 * have not been searched for (not in enrich.symbols). */
NX_MUST_USE nx_status nx__enrich_symbols(nx_lake *l, nx_session *s, bool only_new, nx_symbols **ret, nx_err *err);
/* Searches texts that have their score already for symbols that came later. Adds the mentions to *mentions. */
NX_MUST_USE nx_status nx__enrich_new_symbols(const nx_enrich_opts *o, nx_session *read, nx_session *write,
                                             nx_table *mentions_t, int64_t *mentions, nx_err *err);
/* Query of observations with a text, deleted ones have none: fullname, observed_at, created_at, text; those that this model has scored, or those
 * that it has not. Empty without bronze tables. */
NX_MUST_USE nx_status nx__enrich_texts_sql(nx_lake *l, bool scored, nx_buf *sql, nx_err *err);
NX_MUST_USE nx_status nx__enrich_put_mention(nx_batch *b, nx_str fullname, int64_t observed_us, const nx_mention *m);
/* True when the lake has the table. */
NX_MUST_USE nx_status nx__enrich_has(nx_lake *l, const char *table, bool *ret, nx_err *err);

#endif
