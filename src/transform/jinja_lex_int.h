/* transform/jinja_lex_int.h - the state of the lexer, shared by its files. */
#ifndef NX_TRANSFORM_JINJA_LEX_INT_H
#define NX_TRANSFORM_JINJA_LEX_INT_H

#include "transform/jinja_int.h"

typedef struct jlexer {
    const char *name;
    nx_str src;
    size_t i;
    int line;
    nx_arena *a;
    jtoks *out;
    nx_err *err;
    bool trim_next; /* the last tag ended with -: white space after it goes */
} jlexer;

/* NX_INVALID with template and line. */
nx_status nx__jlex_fail(jlexer *l, int line, const char *text);
NX_MUST_USE nx_status nx__jlex_push(jlexer *l, jtok t);
/* Moves to offset `to`, counting lines. */
void nx__jlex_advance(jlexer *l, size_t to);
/* The literal that starts at l->i. */
NX_MUST_USE nx_status nx__jlex_string(jlexer *l);
NX_MUST_USE nx_status nx__jlex_number(jlexer *l);

#endif
