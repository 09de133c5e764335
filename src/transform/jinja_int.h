/* transform/jinja_int.h - what the files of the Jinja interpreter share: tokens, tree, run. */
#ifndef NX_TRANSFORM_JINJA_INT_H
#define NX_TRANSFORM_JINJA_INT_H

#include <locale.h>

#include "base/map.h"
#include "transform/jinja.h"

/* ---- tokens (jinja_lex.c) ---- */

typedef enum jtok_kind {
    T_EOF,
    T_DATA,
    T_BLOCK_BEGIN,
    T_BLOCK_END,
    T_VAR_BEGIN,
    T_VAR_END,
    T_NAME,
    T_STR,
    T_INT,
    T_FLOAT,
    T_OP
} jtok_kind;

#define JOP2(a, b) ((a) << 8 | (b)) /* an operator of two characters; one character stands for itself */

typedef struct jtok {
    jtok_kind kind;
    int op; /* T_OP */
    int line;
    size_t pos, end; /* in the source */
    nx_str s;        /* T_DATA, T_NAME, T_STR (unescaped) */
    int64_t i;
    double f;
} jtok;

typedef struct jtoks {
    jtok *v; /* malloc'ed; ends with T_EOF */
    size_t n, cap;
} jtoks;

/* Cuts source (0-terminated, line feeds only) into tokens; strings go to a. *toks is the caller's to free, also on error. */
nx_status nx__jinja_lex(const char *name, int first_line, nx_str source, nx_arena *a, jtoks *toks, nx_err *err);
/* Tokens of one bare expression. */
nx_status nx__jinja_lex_expr(const char *name, int first_line, nx_str source, nx_arena *a, jtoks *toks, nx_err *err);

/* ---- tree ---- */

typedef enum jnode_kind {
    N_CONST, /* v */
    N_NAME,  /* s */
    N_TUPLE, /* list */
    N_LIST,  /* list */
    N_DICT,  /* list: key, value, key, value … */
    N_COND,  /* a if b else c (c may be NULL) */
    N_OR,    /* a, b */
    N_AND,
    N_NOT,     /* a */
    N_COMPARE, /* a, list of operands, ops */
    N_BINARY,  /* a op b */
    N_CONCAT,  /* list */
    N_NEG,     /* a */
    N_POS,
    N_ATTR,   /* a.s */
    N_ITEM,   /* a[b] */
    N_SLICE,  /* a:b:c inside of N_ITEM, each may be NULL */
    N_CALL,   /* a(args) */
    N_FILTER, /* a|filter(args) */
    N_TEST,   /* a is test(args) */
    N_NSREF,  /* s.s2 as the target of set */
    /* statements */
    N_DATA,         /* s */
    N_OUTPUT,       /* a */
    N_IF,           /* list: conditions; bodies[i]; a last body without condition is else */
    N_FOR,          /* a target, b iterable, c condition; body, other */
    N_SET,          /* a target, b value */
    N_SET_BLOCK,    /* a target, body; b: chain of filters over N_BODY or NULL */
    N_MACRO,        /* def */
    N_CALL_BLOCK,   /* a: N_CALL; def: the caller */
    N_FILTER_BLOCK, /* b: chain of filters over N_BODY; body */
    N_BODY,         /* stands for the rendered body at the root of a chain of filters */
    N_DO,           /* a */
    N_BREAK,
    N_CONTINUE,
    N_WITH /* list: target, value …; body */
} jnode_kind;

typedef struct jnode jnode;
typedef struct jnodes {
    jnode **v;
    size_t n;
} jnodes;

typedef struct jcallargs {
    jnodes pos;
    nx_str *kw_names;
    jnodes kw;
    jnode *star, *dstar;
} jcallargs;

typedef struct jfilter jfilter;
typedef struct jtest jtest;

/* The definition of a macro, a caller or one of dbt's blocks. */
typedef struct jmacro_def {
    nx_str name;
    nx_jparam *params;
    jnode **defaults; /* NULL where there is none */
    size_t n_params;
    bool varargs, kwargs, caller; /* the body speaks of them */
    bool is_caller;               /* return() passes through */
    jnodes body;
    int line;
    const nx_jtmpl *tmpl;
} jmacro_def;

struct jnode {
    uint8_t kind;
    int line;
    int op;   /* N_BINARY: JOP */
    int *ops; /* N_COMPARE: one an operand; 'i' is in, 'n' is not in */
    nx_str s, s2;
    nx_jval v;
    jnode *a, *b, *c;
    jnodes list, body, other;
    jnodes *bodies;
    const jcallargs *args;
    const jfilter *filter;
    const jtest *test;
    const jmacro_def *def;
};

struct nx_jtmpl {
    const char *name;
    nx_str source;
    jnodes body;
    nx_jblock *blocks;
    const jmacro_def **block_defs; /* beside blocks; NULL for docs */
    size_t n_blocks;
};

/* Compiles into a; *ret lives there. expr: the source is one bare expression (body holds one N_OUTPUT). */
nx_status nx__jinja_compile(nx_arena *a, const char *name, int first_line, nx_str source, bool expr, nx_jtmpl **ret,
                            nx_err *err);

/* ---- parser (jinja_parse*.c) ---- */

typedef struct jparser {
    nx_jtmpl *t;
    nx_arena *a;
    const jtok *tok; /* the current one */
    nx_err *err;
    unsigned depth;
    unsigned loops;  /* for statements around us inside of this macro */
    unsigned blocks; /* statements around us at all */
    bool saw_varargs, saw_kwargs, saw_caller;
} jparser;

nx_status nx__jparse_fail(jparser *p, int line, const char *fmt, ...) NX_PRINTF(3, 4);
nx_status nx__jparse_new(jparser *p, jnode_kind kind, int line, jnode **ret);
nx_status nx__jparse_push(jparser *p, jnodes *list, size_t *cap, jnode *n);
/* A node over two others. */
nx_status nx__jparse_pair(jparser *p, jnode_kind kind, int line, jnode *a, jnode *b, int op, jnode **ret);
nx_status nx__jparse_unexpected(jparser *p, const char *wanted);
nx_status nx__jparse_expect(jparser *p, int op);
nx_status nx__jparse_name(jparser *p, nx_str *ret); /* takes a name */
bool nx__jparse_word(const jtok *t, const char *word);
bool nx__jparse_op(const jtok *t, int op);
const char *nx__jtok_text(const jtok *t, char *buf, size_t n); /* for errors */
nx_status nx__jparse_expr(jparser *p, jnode **ret);
nx_status nx__jparse_tuple(jparser *p, bool with_cond, bool parens, const char *end_word, jnode **ret);
nx_status nx__jparse_target(jparser *p, bool with_ns, const char *end_word, jnode **ret);
nx_status nx__jparse_args(jparser *p, const jcallargs **ret);
nx_status nx__jparse_unary(jparser *p, bool with_filter, jnode **ret);
/* Filters after the body of set and filter blocks: NAME(args)|NAME … over root. */
nx_status nx__jparse_filters(jparser *p, jnode *root, jnode **ret);
nx_status nx__jparse_signature(jparser *p, jmacro_def *def);
/* Statements up to one of the end words (NULL-ended); the end word is the current token after it. */
nx_status nx__jparse_body(jparser *p, const char *opener, int line, const char *const *ends, jnodes *ret);
/* The statement whose first word is the current token. *ret NULL: it leaves nothing to execute. */
nx_status nx__jparse_statement(jparser *p, const jtok *begin, jnode **ret);
nx_status nx__jparse_end(jparser *p); /* takes the end word and the block's end */
nx_status nx__jparse_macro_body(jparser *p, const char *opener, const char *end, jmacro_def *def);
/* dbt's tags. *ret_taken false: not one of them. */
nx_status nx__jparse_dbt(jparser *p, const jtok *begin, bool *ret_taken);
nx_status nx__jparse_add_block(jparser *p, const jtok *begin, const jtok *body_begin, const jtok *body_end, nx_jblock b,
                               const jmacro_def *def);
enum { JPARSE_DEPTH_MAX = 200 };
#define JPARSE_NESTED(p)                                                                                               \
    do {                                                                                                               \
        if (++(p)->depth > JPARSE_DEPTH_MAX)                                                                           \
            return nx__jparse_fail((p), (p)->tok->line, "nested more than %d deep", JPARSE_DEPTH_MAX);                 \
    } while (0)

/* ---- run ---- */

typedef struct jscope {
    struct jscope *up;
    nx_jpair *vars; /* keys are NX_J_STR */
    size_t n, cap;
    bool captured; /* a macro or caller made here may outlive it */
} jscope;

/* What NX_J_MACRO points at. */
struct nx_jmacro {
    const jmacro_def *def;
    jscope *scope;  /* where it was defined; NULL for registered ones */
    nx_str package; /* empty for local ones */
    nx_str call_name;
};

/* What NX_J_METHOD points at. */
typedef struct jmethod_def jmethod_def;
struct nx_jmethod {
    nx_jval self;
    const jmethod_def *def;
};

typedef enum jflow { FLOW_NONE, FLOW_BREAK, FLOW_CONTINUE } jflow;

struct nx_jrun {
    const nx_jinja *j;
    nx_jrun_opts opts;
    nx_arena arena;
    nx_str package;
    nx_jpair *globals;
    size_t n_globals, cap_globals;
    const nx_jtmpl *tmpl;
    int line;
    jscope *scope;
    jflow flow;
    bool native;
    bool located;   /* err has its place */
    bool returning; /* return() was called; ret_val */
    nx_jval ret_val;
    uint64_t steps;
    unsigned depth; /* macro calls */
    unsigned nest;  /* C frames of the evaluator */
    nx_err *err;
    nx_err own_err;
};

typedef struct jpackage {
    nx_str name;
    nx_map macros; /* call name → struct nx_jmacro */
} jpackage;

struct nx_jinja {
    nx_arena arena;
    nx_str root;
    jpackage **packages;
    size_t n_packages, cap_packages;
    locale_t ctype; /* upper and lower case beyond ASCII; (locale_t)0 where the system has none */
};

enum { JNEST_MAX = 1500, JVALUE_DEPTH_MAX = 100 };

#define jfail(run, ...) nx_fail((run)->err, NX_INVALID, __VA_ARGS__)
nx_status nx__jnomem(nx_jrun *run);                    /* NX_LIMIT: the memory of the run is spent */
void *nx__jalloc(nx_jrun *run, size_t n, size_t size); /* NULL past the limit */

/* jinja_value.c */
int nx__jval_compare(const nx_jval *a, const nx_jval *b, bool *ret_ok); /* *ret_ok false: not comparable */
bool nx__jval_number(const nx_jval *v, double *ret);                    /* int, float, bool */
bool nx__jval_integer(const nx_jval *v, int64_t *ret);                  /* int, bool */
bool nx__jval_hashable(const nx_jval *v, unsigned depth);
/* Room for `need` elements of `size` bytes in the run's memory: the array may move. False: out of memory. */
bool nx__jval_grow(nx_jrun *run, void **p, size_t *cap, size_t need, size_t size);
bool nx__jdict_remove(nx_jdict *d, const nx_jval *key, nx_jval *ret);
void nx__jdict_clear(nx_jdict *d);
nx_status nx__jval_contains(nx_jrun *run, const nx_jval *seq, const nx_jval *item, bool *ret);
/* Any iterable as an array; strings give characters, dicts keys, undefined nothing. */
nx_status nx__jval_items(nx_jrun *run, const nx_jval *v, const nx_jval **ret, size_t *ret_n);
nx_status nx__jval_len(nx_jrun *run, const nx_jval *v, int64_t *ret);
nx_status nx__jundef_fail(nx_jrun *run, const nx_jval *v); /* "'x' is undefined" */
/* jinja_str.c */
size_t nx__jstr_byte(nx_str s, size_t code_point); /* offset of a code point */
/* The last place of what, or SIZE_MAX; the end for an empty one. */
size_t nx__jstr_find_last(nx_str s, nx_str what);
nx_str nx__jstr_strip(nx_str s, const nx_str *chars, bool left, bool right); /* chars NULL: white space */
nx_status nx__jstr_case(nx_jrun *run, nx_str s, char how,
                        nx_jval *ret); /* u l c(apitalize) t(itle) T(str.title) s(wap) */
bool nx__jstr_is_case(nx_jrun *run, nx_str s, bool upper);
nx_status nx__jstr_replace(nx_jrun *run, nx_str s, nx_str from, nx_str to, int64_t count, nx_jval *ret);
nx_status nx__jstr_pad(nx_jrun *run, nx_str s, int64_t width, char align, uint32_t fill, nx_jval *ret); /* < > ^ */
bool nx__jstr_space(uint32_t cp);
/* The text of v: a string's own bytes, else what print gives, in the run's memory. */
nx_status nx__jval_text(nx_jrun *run, const nx_jval *v, nx_str *ret);
nx_status nx__jbuf_val(nx_jrun *run, const nx_buf *b, nx_jval *ret); /* copies */
/* jinja_print.c */
nx_status nx__jfloat_repr(double f, nx_buf *out);
typedef struct jjson_opts {
    bool sort_keys, html;
    int indent; /* -1: one line */
} jjson_opts;
nx_status nx__jval_json(const nx_jval *v, const jjson_opts *o, nx_buf *out, nx_err *err);
/* jinja_format.c */
nx_status nx__jformat_percent(nx_jrun *run, nx_str fmt, const nx_jargs *args, nx_jval *ret);
nx_status nx__jformat_braces(nx_jrun *run, nx_str fmt, const nx_jargs *args, nx_jval *ret);
/* jinja_op.c */
nx_status nx__jop_binary(nx_jrun *run, int op, const nx_jval *a, const nx_jval *b, nx_jval *ret);
nx_status nx__jop_compare(nx_jrun *run, int op, const nx_jval *a, const nx_jval *b, bool *ret);
nx_status nx__jop_slice(nx_jrun *run, const nx_jval *v, const nx_jval part[3], nx_jval *ret);
nx_status nx__jparse_int(nx_str s, int base, int64_t *ret); /* Python's int(text, base); NX_INVALID without text */
bool nx__jparse_float(nx_str s, double *ret);
/* jinja_access.c */
nx_status nx__jget_attr(nx_jrun *run, const nx_jval *v, nx_str name, nx_jval *ret);
nx_status nx__jget_item(nx_jrun *run, const nx_jval *v, const nx_jval *key, nx_jval *ret);
/* "a.b.0" of filters' attribute arguments; an int is one index. */
nx_status nx__jget_path(nx_jrun *run, const nx_jval *v, const nx_jval *path, nx_jval *ret);
/* jinja_eval.c, jinja_exec.c, jinja_call.c */
nx_status nx__jeval(nx_jrun *run, const jnode *n, nx_jval *ret);
nx_status nx__jeval_args(nx_jrun *run, const jcallargs *args, nx_jargs *ret);
nx_status nx__jexec(nx_jrun *run, const jnodes *body, nx_buf *out);
nx_status nx__jassign(nx_jrun *run, const jnode *target, const nx_jval *v);
nx_status nx__jcall(nx_jrun *run, const nx_jval *callee, const nx_jargs *args, nx_jval *ret);
nx_status nx__jmacro_make(nx_jrun *run, const jmacro_def *def, nx_jval *ret);
nx_status nx__jscope_set(nx_jrun *run, jscope *s, nx_str name, const nx_jval *v);
nx_status nx__jscope_new(nx_jrun *run, jscope *up, jscope **ret);
nx_jval nx__jname(nx_jrun *run, nx_str name);
/* Binds arguments to the words of spec ("width! first blank", ! for must be given); p[i] NULL where none was given. */
nx_status nx__jbind(nx_jrun *run, const char *what, const char *name, const char *spec, const nx_jargs *args,
                    const nx_jval **p);
nx_status nx__jarg_int(nx_jrun *run, const nx_jval *v, int64_t dflt, const char *what, int64_t *ret);
nx_status nx__jarg_str(nx_jrun *run, const nx_jval *v, nx_str dflt, const char *what, nx_str *ret);
/* jinja_loop.c */
typedef struct jloop {
    const nx_jval *v;
    size_t n, i;
    nx_jval changed; /* arguments of the last changed(); undefined before the first */
    unsigned depth;
} jloop;
nx_status nx__jloop_make(nx_jrun *run, jloop *loop, nx_jval *ret);
/* jinja_filter*.c, jinja_test.c, jinja_method.c, jinja_builtin.c */
enum { JARGS_MAX = 8 };
struct jfilter {
    const char *name;
    const char *spec; /* NULL: takes args as they are */
    nx_status (*fn)(nx_jrun *run, const nx_jval *v, const nx_jval **p, const nx_jargs *args, nx_jval *ret);
};
struct jtest {
    const char *name;
    unsigned n_args;
    nx_status (*fn)(nx_jrun *run, const nx_jval *v, const nx_jval *arg, bool *ret);
};
struct jmethod_def {
    const char *name;
    const char *spec;
    nx_status (*fn)(nx_jrun *run, const nx_jval *self, const nx_jval **p, const nx_jargs *args, nx_jval *ret);
};
const jfilter *nx__jfilter_find(nx_str name);
/* end: name NULL */
extern const jfilter nx__jfilters_seq[], nx__jfilters_pick[], nx__jfilters_str[], nx__jfilters_num[];
nx_status nx__jfilter_apply(nx_jrun *run, const jfilter *f, const nx_jval *v, const nx_jargs *args, nx_jval *ret);
const jtest *nx__jtest_find(nx_str name);
nx_status nx__jtest_apply(nx_jrun *run, const jtest *t, const nx_jval *v, const nx_jargs *args, bool *ret);
const jmethod_def *nx__jmethod_find(nx_jkind kind, nx_str name);
/* end: name NULL */
extern const jmethod_def nx__jmethods_str[], nx__jmethods_split[], nx__jmethods_list[], nx__jmethods_dict[],
    nx__jmethods_tuple[];
/* Sorts a list in place, stable; keys beside the items (same length) decide. */
nx_status nx__jsort(nx_jrun *run, nx_jval *items, nx_jval *keys, size_t n, bool reverse);
const nx_jfunc *nx__jbuiltin_find(nx_str name);
nx_status nx__jnative_text(nx_jrun *run, nx_str text, nx_jval *ret, bool *ret_ok); /* Python's literal_eval */

#endif
