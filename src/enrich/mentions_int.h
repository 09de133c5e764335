/* enrich/mentions_int.h - what the files of mentions share. */
#ifndef NX_ENRICH_MENTIONS_INT_H
#define NX_ENRICH_MENTIONS_INT_H

#include "enrich/mentions.h"

/* Writes to mask (one byte a byte of text, zeroed by the caller) 1 where the text is not to be looked at: links, code, quoted lines, u/name,
 * r/name, entities. */
void nx__mentions_mask(nx_str text, char *mask);
/* A capital word that mostly is no security: needs evidence. */
bool nx__mentions_ambiguous(nx_str symbol);
/* A word (any case) that people use beside a ticker when they mean the security. */
bool nx__mentions_trading_word(nx_str word);

static inline bool nx__is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
static inline bool nx__is_digit(char c)
{
    return c >= '0' && c <= '9';
}
/* Letters, digits, and every byte of a non-ASCII character: "é" belongs to its word. Typographic punctuation (U+2000..U+206F, E2 80/81) does not. */
bool nx__is_word(nx_str text, size_t i);

#endif
