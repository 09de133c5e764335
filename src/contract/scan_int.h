/* contract/scan_int.h - JSON grammar over bytes: finds where a value ends and checks it on the way, builds nothing. */
#ifndef NX_CONTRACT_SCAN_INT_H
#define NX_CONTRACT_SCAN_INT_H

#include "base/str.h"

enum { NX_NESTING_MAX = 64 };

/* What was seen inside strings. */
enum { NX_TEXT_ESCAPED = 1, NX_TEXT_BAD_UTF8 = 2, NX_TEXT_LONE = 4 /* half of a surrogate pair */ };

typedef enum nx_tok {
    NX_TOK_NULL,
    NX_TOK_TRUE,
    NX_TOK_FALSE,
    NX_TOK_NUM,
    NX_TOK_STR,
    NX_TOK_ARR,
    NX_TOK_OBJ,
    NX_TOK_TEXT, /* from context */
    NX_TOK_TIME, /* the rest is what only msgpack has */
    NX_TOK_BYTES,
    NX_TOK_EXT
} nx_tok;

typedef struct nx_scan {
    const char *end;
    const char *bad;  /* where the grammar was broken; NULL: it was not */
    const char *what; /* what was expected there */
    const char *rule; /* "json", or "limit" for nesting */
    unsigned flags;   /* NX_TEXT_*, gathered; the caller clears them */
} nx_scan;

static inline const char *nx__skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* All return the first byte behind what they read, or NULL with s->bad and s->what set. Nothing is read at or past s->end. */
const char *nx__scan_broken(nx_scan *s, const char *p, const char *what);
const char *nx__scan_string(nx_scan *s, const char *p); /* p at the opening quote */
const char *nx__scan_number(nx_scan *s, const char *p);
/* Any value, p at its first byte (white space in front is skipped); depth: how deep it stands. */
const char *nx__scan_value(nx_scan *s, const char *p, unsigned depth);
/* Behind a member's key: the colon and white space. */
const char *nx__scan_colon(nx_scan *s, const char *p);

nx_tok nx__tok_of(char first);
const char *nx__tok_name(nx_tok t); /* "a number" */

/* The bytes between the quotes with escapes resolved, appended to b; half surrogates and malformed UTF-8 become U+FFFD. The string was scanned. */
NX_MUST_USE nx_status nx__unescape(nx_buf *b, nx_str inner);

#endif
