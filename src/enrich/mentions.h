/* enrich/mentions.h
 *
 * Which symbols a text names: by cashtag ($AAPL) and by guarded bare symbol (AAPL). Symbols come from a reference table with the time
 * in which each was listed; words that are also symbols need evidence (a cashtag of the same symbol, or trading words nearby).
 * Links, code, quotes of others, user and subreddit names are not looked at.
 *
 * Thread   A table never changes once it is filled: any number of threads may read it.
 */
#ifndef NX_ENRICH_MENTIONS_H
#define NX_ENRICH_MENTIONS_H

#include "base/arena.h"
#include "base/str.h"

typedef struct nx_symbols nx_symbols;

NX_MUST_USE nx_status nx_symbols_new(nx_symbols **ret, nx_err *err);
void nx_symbols_drop(nx_symbols *s);
/* The symbol is listed in [from_us, to_us) (UTC microseconds; INT64_MIN and INT64_MAX are open ends). Several intervals add up. Symbols that
 * are no 1-5 capitals with an optional class (".A") can never be found and are left out. */
NX_MUST_USE nx_status nx_symbols_add(nx_symbols *s, nx_str symbol, int64_t from_us, int64_t to_us, nx_err *err);
size_t nx_symbols_count(const nx_symbols *s);

typedef enum nx_mention_kind { NX_MENTION_CASHTAG, NX_MENTION_BARE } nx_mention_kind;
const char *nx_mention_kind_name(nx_mention_kind k); /* "cashtag", "bare" */

typedef struct nx_mention {
    nx_str symbol; /* upper case, lives as long as the table */
    nx_mention_kind kind;
    int32_t span_from, span_to; /* bytes of the text, half-open; a cashtag's begins at its $ */
    double confidence;          /* share of such mentions that mean the security (facts behind the numbers: README) */
} nx_mention;

/* Every mention in order of the text, at most NX_MENTIONS_MAX. at_us: when the text was written. The array lives in the arena.
 * Fails with NX_NOMEM; texts over 1 GiB with NX_LIMIT. */
enum { NX_MENTIONS_MAX = 256 };
NX_MUST_USE nx_status nx_mentions_find(const nx_symbols *s, nx_str text, int64_t at_us, nx_arena *a,
                                       const nx_mention **ret, size_t *ret_n, nx_err *err);

#endif
