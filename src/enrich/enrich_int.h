/* enrich/enrich_int.h - what the files of the run share. */
#ifndef NX_ENRICH_ENRICH_INT_H
#define NX_ENRICH_ENRICH_INT_H

#include "enrich/enrich.h"
#include "enrich/mentions.h"

#define NX_ENRICH_APP_ID "enrich"

extern const nx_schema nx__enrich_scores, nx__enrich_mentions;

/* Symbols with their listing times: from the observations of the asset list, and those that only bars name. */
NX_MUST_USE nx_status nx__enrich_symbols(nx_lake *l, nx_session *s, nx_symbols **ret, nx_err *err);
/* True when the lake has the table. */
NX_MUST_USE nx_status nx__enrich_has(nx_lake *l, const char *table, bool *ret, nx_err *err);

#endif
