/* transform/manifest_int.h - shared by the two files that write manifest.json. The writer keeps its first error; who ends it sees it. */
#ifndef NX_TRANSFORM_MANIFEST_INT_H
#define NX_TRANSFORM_MANIFEST_INT_H

#include "transform/dbt_int.h"

/* A key and a tree; dflt, as JSON, when there is none. */
void nx__manifest_tree(nx_jw *w, const char *key, const nx_val *v, const char *dflt);
/* A key and the ids of nodes. */
void nx__manifest_ids(nx_jw *w, const char *key, const dbt_list *nodes);
/* The object of one node, source, exposure or test, without its key. */
void nx__manifest_node(dbt_project *p, nx_jw *w, const dbt_node *n);

#endif
