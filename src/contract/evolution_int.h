/* contract/evolution_int.h - what the files of evolution share. */
#ifndef NX_CONTRACT_EVOLUTION_INT_H
#define NX_CONTRACT_EVOLUTION_INT_H

#include "contract/contract_int.h"
#include "contract/evolution.h"

enum { BACK = NX_COMPAT_BACKWARD, FORTH = NX_COMPAT_FORWARD };

/* X(kind, breaks, risks, part of the version when nothing breaks, why) */
#define NX_CHANGE_LIST(X)                                                                                              \
    X(column_added, 0, 0, MINOR, "readers do not know it, older rows have null")                                       \
    X(required_column_added, BACK, 0, MAJOR, "messages and rows made before lack it")                                  \
    X(column_removed, FORTH, 0, MAJOR, "queries that name it fail")                                                    \
    X(column_renamed, BACK | FORTH, 0, MAJOR, "queries name the old one; rows made before have the old one")           \
    X(column_order, 0, FORTH, PATCH, "only readers by position notice")                                                \
    X(type_widened, FORTH, 0, MAJOR, "readers with the narrower type overflow; older rows fit")                        \
    X(type_changed, BACK | FORTH, 0, MAJOR, "neither side can read the other's values")                                \
    X(made_required, BACK, 0, MAJOR, "rows without it are refused now")                                                \
    X(made_nullable, FORTH, 0, MAJOR, "readers meet nulls where there were none")                                      \
    X(rule_tightened, BACK, 0, MAJOR, "values that were fine are refused now")                                         \
    X(rule_loosened, 0, FORTH, MINOR, "readers may meet values that could not be there")                               \
    X(rule_changed, BACK, FORTH, MAJOR, "some values that were fine are refused now, others are new")                  \
    X(key_added, BACK, 0, MAJOR, "rows that were fine may break it")                                                   \
    X(key_removed, FORTH, 0, MAJOR, "readers that join or merge by it meet doubles")                                   \
    X(key_extended, FORTH, 0, MAJOR, "several rows may share the old key")                                             \
    X(key_shortened, BACK, 0, MAJOR, "rows that differed only in the rest collide")                                    \
    X(key_changed, BACK | FORTH, 0, MAJOR, "another thing identifies a row")                                           \
    X(key_order, 0, 0, PATCH, "the same columns identify a row")                                                       \
    X(unique_added, BACK, 0, MAJOR, "values that were fine may be doubles")                                            \
    X(unique_removed, FORTH, 0, MAJOR, "readers that count on it meet doubles")                                        \
    X(partition_changed, 0, 0, MINOR, "the table has to be rewritten, no row changes")                                 \
    X(wire_added, 0, 0, MINOR, "one more feed brings it")                                                              \
    X(wire_removed, BACK, 0, MAJOR, "the member is no longer read, it would be kept in _extra")                        \
    X(wire_renamed, BACK | FORTH, 0, MAJOR, "neither side finds the other's member")                                   \
    X(wire_form_widened, 0, FORTH, MINOR, "spellings that were refused are read")                                      \
    X(wire_form_changed, BACK | FORTH, 0, MAJOR, "neither side can read the other's spelling")                         \
    X(source_changed, BACK | FORTH, 0, MAJOR, "the value comes from another place")                                    \
    X(meaning_changed, FORTH, 0, MAJOR, "equal messages give other values; a new column would not")                    \
    X(feed_added, 0, 0, MINOR, "more messages are read")                                                               \
    X(feed_removed, BACK, 0, MAJOR, "its messages are refused as unknown")                                             \
    X(feed_changed, BACK | FORTH, 0, MAJOR, "its messages are told apart in another way")                              \
    X(ignore_added, 0, FORTH, MINOR, "the member no longer shows up in _extra")                                        \
    X(ignore_removed, 0, 0, MINOR, "the member is kept in _extra")                                                     \
    X(table_renamed, BACK | FORTH, 0, MAJOR, "it is another table")                                                    \
    X(table_moved, FORTH, 0, MAJOR, "readers of the folder find nothing new there")                                    \
    X(statistics_changed, 0, 0, PATCH, "only the speed of reading changes")                                            \
    X(server_added, 0, 0, MINOR, "one more place")                                                                     \
    X(server_removed, FORTH, 0, MAJOR, "its readers find nothing there")                                               \
    X(server_changed, FORTH, 0, MAJOR, "its readers look in the old place")                                            \
    X(service_level_added, 0, BACK, MINOR, "the producer has to keep it")                                              \
    X(service_level_removed, FORTH, 0, MAJOR, "readers may count on it")                                               \
    X(service_level_loosened, FORTH, 0, MAJOR, "readers may count on the stricter one")                                \
    X(service_level_tightened, 0, BACK, MINOR, "the producer has to keep it")                                          \
    X(service_level_changed, 0, BACK | FORTH, MINOR, "which one is stricter cannot be told")                           \
    X(check_added, 0, BACK, MINOR, "scans may find what was not looked for")                                           \
    X(check_removed, 0, FORTH, MINOR, "readers may trust what is no longer checked")                                   \
    X(relationship_added, 0, BACK, MINOR, "rows that refer to nothing break it")                                       \
    X(relationship_removed, 0, FORTH, MINOR, "joins along it may lose rows")                                           \
    X(classification_changed, 0, FORTH, MINOR, "who may read it may change: tell the readers")                         \
    X(deprecated, 0, FORTH, MINOR, "readers should look for the successor")                                            \
    X(retired, FORTH, 0, MAJOR, "nothing is promised any more")                                                        \
    X(status_changed, 0, 0, PATCH, "a notice")                                                                         \
    X(description_changed, 0, 0, PATCH, "if the meaning changed and not the words alone, make it a new column")        \
    X(documentation_changed, 0, 0, PATCH, "no row and no rule changes")

typedef enum nx_change_kind {
#define X(name, breaks, risks, bump, why) NX_CHANGE_##name,
    NX_CHANGE_LIST(X)
#undef X
} nx_change_kind;

/* A contract with the tree of its file. */
typedef struct nx__version {
    const nx_contract *c;
    const nx_val *root, *object, *props; /* props: a list */
} nx__version;

typedef struct nx__pair {
    int16_t was, now; /* column of the old and the new contract; -1: none */
} nx__pair;

typedef struct nx__evo {
    nx_arena *a;
    nx__version old, now;
    nx_contract_change *changes; /* malloc'ed */
    size_t n, cap;
    nx__pair *pairs; /* columns of the file that belong together: the new ones in their order, then the removed ones */
    size_t n_pairs;
    nx_err *err;
} nx__evo;

/* Writes a change down, once; texts are copied, NULL is "". */
NX_MUST_USE nx_status nx__evo_note(nx__evo *e, nx_change_kind kind, const char *at, const char *was, const char *now);
/* The property of the file behind a column. */
const nx_val *nx__evo_property(const nx__version *v, int16_t col);

/* evolution_columns.c: which columns belong together (fills pairs); types, nullability, keys, partitions. */
NX_MUST_USE nx_status nx__evo_columns(nx__evo *e);
/* evolution_wire.c: feeds, wire names, where values come from. */
NX_MUST_USE nx_status nx__evo_wire(nx__evo *e);
/* evolution_rules.c: the rules of a pair of columns. */
NX_MUST_USE nx_status nx__evo_rules(nx__evo *e, const nx__pair *p, const char *at);
/* evolution_terms.c: what surrounds the columns: servers, service levels, checks, relationships, texts. */
NX_MUST_USE nx_status nx__evo_terms(nx__evo *e);

/* pattern_compare.c: whether every text that a matches is matched by b. False also when it would take too long to tell. */
bool nx__pattern_within(const nx_pattern *a, const nx_pattern *b);

#endif
