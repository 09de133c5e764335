/* app/gold.h - what dbt's manifest says of the gold layer, in the form that publishing needs: keys from meta, comments from descriptions. */
#ifndef NX_APP_GOLD_H
#define NX_APP_GOLD_H

#include "app/project.h"
#include "serve/publish.h"

/* Tables of schema "gold" in the manifest of the last build, referenced ones first; in p's arena. ret_names: their lake names,
 * NULL-terminated. NX_NOT_FOUND: nothing was built yet. NX_INVALID: a model without meta.primary_key. */
NX_MUST_USE nx_status nx_gold_tables(nx_project *p, const nx_publish_table **ret, size_t *ret_n,
                                     const char *const **ret_names, nx_err *err);
/* Publishes gold as the project's configuration says (cmd_publish.c). unchecked: without the gate. */
NX_MUST_USE nx_status nx_publish_run(nx_project *p, bool unchecked, nx_publish_result *ret, nx_err *err);
NX_MUST_USE nx_status nx_publish_report(const nx_globals *g, const nx_publish_result *r, double seconds, nx_err *err);

#endif
