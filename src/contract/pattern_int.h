/* contract/pattern_int.h - patterns of contracts: the part of ECMA-262 that compiles to a small automaton. One table step a byte, no
 * backtracking. Thread   Compiled patterns never change. */
#ifndef NX_CONTRACT_PATTERN_INT_H
#define NX_CONTRACT_PATTERN_INT_H

#include "base/arena.h"

typedef struct nx_pattern {
    const char *text;     /* as written */
    uint8_t classes[256]; /* byte -> class */
    uint16_t n_states, n_classes;
    const uint16_t *next;  /* [state + class] -> state; a state is the index of its first cell, the start is 0 */
    const uint8_t *accept; /* [state] */
} nx_pattern;

/* Understood: literals, . (no line terminator), [classes] with ranges and ^, \d \w \s and negations, escapes of punctuation, \t \n \r \f \v,
 * \xHH, \uHHHH, groups ( ) and (?: ), |, ? * + {n} {n,} {n,m}, ^ and $ (of the whole text). As in ECMA-262 a pattern without anchors
 * matches anywhere. NX_UNSUPPORTED: back references, look-around, lazy quantifiers, \b, \p, or more than 1,000 states; NX_INVALID: a syntax error. */
NX_MUST_USE nx_status nx__pattern_compile(nx_str text, nx_arena *a, nx_pattern **ret, nx_err *err);
/* text is valid UTF-8. Inline: symbols are checked in every message. */
static inline bool nx__pattern_match(const nx_pattern *p, nx_str text)
{
    size_t s = 0;
    for (size_t i = 0; i < text.n; i++)
        s = p->next[s + p->classes[(unsigned char)text.p[i]]];
    return p->accept[s] != 0;
}

#endif
