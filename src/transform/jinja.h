/* transform/jinja.h
 *
 * The Jinja2 (3.1) that dbt projects are written in: compile a file once, then render it, call its macros or
 * evaluate one expression, with a context the host fills. Follows Jinja2 3.1.6 with the extensions do, loopcontrols
 * and dbt's tags (test, snapshot, materialization, docs). What it does not speak (include, import, from, extends,
 * block, recursive loops, …) is refused by name with file and line when the file is compiled.
 *
 * Objects
 *   nx_jinja   the environment: every compiled file and the macros registered by package.
 *   nx_jtmpl   one compiled file; lives as long as its environment; never changes after compilation.
 *   nx_jrun    one rendering: context, limits, memory. Values made in a run live until nx_jrun_free().
 * Names inside a run are looked up in this order: local scopes → top level of the template → macros of the run's
 *   package → macros of the root package → globals of the run (nx_jrun_set) → macros of package "dbt" → built-in
 *   functions → package names ("dbt_utils.star") → undefined.
 * Errors  NX_INVALID (syntax, or something a template may not do), NX_UNSUPPORTED (refused by name), NX_LIMIT (memory,
 *   steps, depth), or what a host function returned. The text starts with "FILE:LINE: "; the hint names the caller's place.
 * Threads Filling an environment (compile, add) is for one thread. After that any number of runs may read it at the
 *   same time; a run belongs to one thread.
 */
#ifndef NX_TRANSFORM_JINJA_H
#define NX_TRANSFORM_JINJA_H

#include "base/arena.h"
#include "base/str.h"
#include "data/value.h"

typedef struct nx_jinja nx_jinja;
typedef struct nx_jtmpl nx_jtmpl;
typedef struct nx_jrun nx_jrun;

/* ---- values ---- */

typedef enum nx_jkind {
    NX_J_UNDEF, /* carries the name that was not found */
    NX_J_NONE,
    NX_J_BOOL,
    NX_J_INT,
    NX_J_FLOAT,
    NX_J_STR,
    NX_J_LIST,
    NX_J_TUPLE,
    NX_J_DICT,
    NX_J_FUNC,   /* a host function or a built-in one */
    NX_J_MACRO,  /* a macro or a caller() block */
    NX_J_METHOD, /* a method bound to its value: "abc".upper */
    NX_J_NS,     /* namespace() */
    NX_J_OBJ     /* a host object */
} nx_jkind;

typedef struct nx_jlist nx_jlist;
typedef struct nx_jdict nx_jdict;
typedef struct nx_jfunc nx_jfunc;
typedef struct nx_jobj nx_jobj;

/* Passed by value; lists, dicts and objects are shared by reference, as in Python. Strings are UTF-8. */
typedef struct nx_jval {
    nx_jkind kind;
    bool whole; /* NX_J_UNDEF: s is the whole message, not a name */
    union {
        bool b;
        int64_t i;
        double f;
        nx_str s;       /* NX_J_STR; NX_J_UNDEF: the name */
        nx_jlist *list; /* NX_J_LIST, NX_J_TUPLE */
        nx_jdict *dict; /* NX_J_DICT, NX_J_NS */
        const nx_jfunc *func;
        const struct nx_jmacro *macro;
        const struct nx_jmethod *method;
        nx_jobj *obj;
    };
} nx_jval;

struct nx_jlist {
    nx_jval *v;
    size_t n, cap;
};

typedef struct nx_jpair {
    nx_jval key, value;
} nx_jpair;

/* Keys: all but lists, dicts and tuples that hold one. Order of insertion. Read through nx_jdict_get and items. */
struct nx_jdict {
    nx_jpair *items;
    size_t n, cap;
    uint32_t *slots; /* index + 1; NULL while small */
    size_t n_slots;
};

/* Arguments of a call, evaluated. A call block's body arrives as keyword "caller". */
typedef struct nx_jargs {
    const nx_jval *v;
    size_t n;
    const nx_jpair *kw; /* keys are NX_J_STR */
    size_t n_kw;
} nx_jargs;

/* A host function. *ret is none at the start. Errors: fill err without a place, the interpreter puts file and line. */
typedef nx_status (*nx_jfn)(nx_jrun *run, void *ctx, const nx_jargs *args, nx_jval *ret, nx_err *err);

struct nx_jfunc {
    const char *name;
    nx_jfn fn;
    void *ctx;
};

/* A kind of host object: relations, adapter, config, this, target. Callbacks may be NULL. */
typedef struct nx_jclass {
    const char *name; /* in errors: "'Relation object' has no attribute …" */
    /* obj.name and obj['name']. *ret is undefined at the start: leave it so for "no such attribute". To give a method,
     * return nx_jval_bound(). */
    nx_status (*attr)(nx_jrun *run, nx_jobj *self, nx_str name, nx_jval *ret, nx_err *err);
    /* obj[key] for keys that are not strings, and for strings when attr is NULL or found nothing. */
    nx_status (*item)(nx_jrun *run, nx_jobj *self, const nx_jval *key, nx_jval *ret, nx_err *err);
    nx_status (*call)(nx_jrun *run, nx_jobj *self, const nx_jargs *args, nx_jval *ret, nx_err *err);
    /* What {{ obj }} prints. NULL prints <name>. */
    nx_status (*str)(nx_jrun *run, nx_jobj *self, nx_buf *out, nx_err *err);
    /* The items for `for` and filters as a list; NULL: not iterable. */
    nx_status (*iter)(nx_jrun *run, nx_jobj *self, nx_jval *ret_list, nx_err *err);
    bool (*truth)(const nx_jobj *self);                       /* NULL: true */
    bool (*equal)(const nx_jobj *self, const nx_jobj *other); /* same class only; NULL: identity */
} nx_jclass;

struct nx_jobj {
    const nx_jclass *cls;
    void *ctx; /* the host's own; not freed by the interpreter */
};

static inline nx_jval nx_jval_none(void)
{
    return (nx_jval){.kind = NX_J_NONE};
}
static inline nx_jval nx_jval_undef(nx_str name)
{
    return (nx_jval){.kind = NX_J_UNDEF, .s = name};
}
static inline nx_jval nx_jval_bool(bool b)
{
    return (nx_jval){.kind = NX_J_BOOL, .b = b};
}
static inline nx_jval nx_jval_int(int64_t i)
{
    return (nx_jval){.kind = NX_J_INT, .i = i};
}
static inline nx_jval nx_jval_float(double f)
{
    return (nx_jval){.kind = NX_J_FLOAT, .f = f};
}
/* Borrows the bytes: they must outlive the run (see nx_jrun_str for a copy). */
static inline nx_jval nx_jval_str(nx_str s)
{
    return (nx_jval){.kind = NX_J_STR, .s = s};
}
static inline nx_jval nx_jval_cstr(const char *s)
{
    return s == NULL ? nx_jval_none() : nx_jval_str(nx_str_of(s));
}
static inline nx_jval nx_jval_func(const nx_jfunc *f)
{
    return (nx_jval){.kind = NX_J_FUNC, .func = f};
}
static inline nx_jval nx_jval_obj(nx_jobj *o)
{
    return (nx_jval){.kind = NX_J_OBJ, .obj = o};
}
/* "int", "str", "list", …: Python's name of the type; for host objects the class name. */
const char *nx_jval_type(const nx_jval *v);
/* Python's truth: false for undefined, none, false, 0, 0.0, "", empty containers. */
bool nx_jval_truth(const nx_jval *v);
/* Python's ==: 1 == 1.0 == true; containers by content; undefined equals undefined. */
bool nx_jval_equal(const nx_jval *a, const nx_jval *b);

/* Made in the run's memory. NX_LIMIT past its maximum. */
NX_MUST_USE nx_status nx_jrun_str(nx_jrun *run, nx_str s, nx_jval *ret, nx_err *err); /* copies */
NX_PRINTF(4, 5) NX_MUST_USE nx_status nx_jrun_strf(nx_jrun *run, nx_jval *ret, nx_err *err, const char *fmt, ...);
NX_MUST_USE nx_status nx_jrun_list(nx_jrun *run, nx_jval *ret, nx_err *err); /* empty */
NX_MUST_USE nx_status nx_jrun_tuple(nx_jrun *run, const nx_jval *v, size_t n, nx_jval *ret, nx_err *err);
NX_MUST_USE nx_status nx_jrun_dict(nx_jrun *run, nx_jval *ret, nx_err *err); /* empty */
NX_MUST_USE nx_status nx_jrun_obj(nx_jrun *run, const nx_jclass *cls, void *ctx, nx_jval *ret, nx_err *err);
/* A function value made on the spot: fn called with ctx; for methods of host objects. name must outlive the run. */
NX_MUST_USE nx_status nx_jval_bound(nx_jrun *run, const char *name, nx_jfn fn, void *ctx, nx_jval *ret, nx_err *err);
NX_MUST_USE nx_status nx_jlist_add(nx_jrun *run, nx_jval *list, nx_jval v, nx_err *err);
/* Sets or replaces. NX_INVALID for a key that cannot be hashed. */
NX_MUST_USE nx_status nx_jdict_set(nx_jrun *run, nx_jval *dict, nx_jval key, nx_jval v, nx_err *err);
NX_MUST_USE nx_status nx_jdict_sets(nx_jrun *run, nx_jval *dict, const char *key, nx_jval v,
                                    nx_err *err); /* borrows key */
/* NULL when absent. */
const nx_jval *nx_jdict_get(const nx_jdict *d, const nx_jval *key);
/* YAML or JSON tree → value; numbers become int where they fit, else float. Copies. */
NX_MUST_USE nx_status nx_jval_from_tree(nx_jrun *run, const nx_val *tree, nx_jval *ret, nx_err *err);
/* What {{ v }} prints: str(v) of Python. Runs no template code except the str callback of host objects. */
NX_MUST_USE nx_status nx_jval_print(nx_jrun *run, const nx_jval *v, nx_buf *out, nx_err *err);
/* Python's repr(v). */
NX_MUST_USE nx_status nx_jval_repr(nx_jrun *run, const nx_jval *v, nx_buf *out, nx_err *err);
/* JSON with Python's spacing (", " and ": "), non-ASCII as \u escapes. sort_keys: as the filter tojson does. */
NX_MUST_USE nx_status nx_jval_json(const nx_jval *v, bool sort_keys, nx_buf *out, nx_err *err);
/* Argument i or keyword name, or NULL when neither was given. */
const nx_jval *nx_jargs_get(const nx_jargs *a, size_t i, const char *name);
/* As above but must be there and a string; NX_INVALID names function and argument. */
NX_MUST_USE nx_status nx_jargs_str(const nx_jargs *a, const char *fn, size_t i, const char *name, nx_str *ret,
                                   nx_err *err);
/* Refuses more than n_max positional arguments, and keywords not in the NULL-ended list of names (NULL: none). */
NX_MUST_USE nx_status nx_jargs_check(const nx_jargs *a, const char *fn, size_t n_max, const char *const *names,
                                     nx_err *err);

/* ---- environment and files ---- */

/* root_package: the project's name. NULL when out of memory. */
nx_jinja *nx_jinja_new(const char *root_package);
void nx_jinja_free(nx_jinja *j);

/* Compiles source (copied); name is shown in errors ("models/a.sql"). *ret belongs to j. */
NX_MUST_USE nx_status nx_jinja_compile(nx_jinja *j, const char *name, nx_str source, nx_jtmpl **ret, nx_err *err);
/* The same for a template made while runs are under way (hooks, YAML values): memory comes from the run. first_line
 * is the line of the source's first line in its file (1 when it is the file). */
NX_MUST_USE nx_status nx_jrun_compile(nx_jrun *run, const char *name, int first_line, nx_str source, nx_jtmpl **ret,
                                      nx_err *err);

typedef enum nx_jblock_kind {
    NX_JB_MACRO,
    NX_JB_TEST,
    NX_JB_SNAPSHOT,
    NX_JB_MATERIALIZATION,
    NX_JB_DOCS
} nx_jblock_kind;

typedef struct nx_jparam {
    nx_str name;
    bool has_default;
} nx_jparam;

/* A top-level block of a file, in file order. */
typedef struct nx_jblock {
    nx_jblock_kind kind;
    nx_str name;      /* as written */
    nx_str call_name; /* macros: name; tests: test_NAME; materializations: materialization_NAME_ADAPTER */
    nx_str source;    /* from {% to the end tag's %}, as in the file */
    nx_str body;      /* between the tags, as in the file; docs: the text */
    nx_str adapter;   /* materializations: "default" when not given */
    const nx_jparam *params;
    size_t n_params;
    int line;
} nx_jblock;

const char *nx_jtmpl_name(const nx_jtmpl *t);
const nx_jblock *nx_jtmpl_blocks(const nx_jtmpl *t, size_t *ret_n);

/* Registers all macros, tests and materializations of t under package. A name that is taken in the package: NX_EXISTS
 * naming both places. */
NX_MUST_USE nx_status nx_jinja_add_macros(nx_jinja *j, const char *package, const nx_jtmpl *t, nx_err *err);
/* The macro registered as package.call_name; false when there is none. */
bool nx_jinja_macro(const nx_jinja *j, nx_str package, nx_str call_name, nx_jval *ret);

/* ---- runs ---- */

typedef struct nx_jrun_opts {
    bool permissive;     /* parse phase: undefined names swallow attributes, items and calls */
    size_t bytes_max;    /* memory of values and output; 0 means 64 MiB */
    uint64_t steps_max;  /* nodes evaluated; 0 means 20 million */
    unsigned depth_max;  /* macro calls in each other; 0 means 100 */
    const char *package; /* whose macros come first; NULL means the root package. Borrowed */
    void *host;          /* for nx_jrun_host() */
} nx_jrun_opts;

/* opts may be NULL. NULL when out of memory. The environment must outlive the run. */
nx_jrun *nx_jrun_new(const nx_jinja *j, const nx_jrun_opts *opts);
void nx_jrun_free(nx_jrun *run);
void *nx_jrun_host(const nx_jrun *run);
nx_arena *nx_jrun_arena(nx_jrun *run); /* for the host's own data; counted against bytes_max */

/* Global variable. Borrows name (must outlive the run). Replaces. */
NX_MUST_USE nx_status nx_jrun_set(nx_jrun *run, const char *name, nx_jval v, nx_err *err);
/* Global function; name must outlive the run. */
NX_MUST_USE nx_status nx_jrun_set_func(nx_jrun *run, const char *name, nx_jfn fn, void *ctx, nx_err *err);
/* The global as set before, or NULL. */
const nx_jval *nx_jrun_get(const nx_jrun *run, const char *name);
/* What the name means to a template of this run outside of local scopes; undefined when nothing. */
nx_jval nx_jrun_lookup(nx_jrun *run, nx_str name);

/* Renders the whole template to out (appended; out's own maximum holds too). */
NX_MUST_USE nx_status nx_jrun_render(nx_jrun *run, const nx_jtmpl *t, nx_buf *out, nx_err *err);
/* Renders the body of block i of t (snapshots). */
NX_MUST_USE nx_status nx_jrun_render_block(nx_jrun *run, const nx_jtmpl *t, size_t i, nx_buf *out, nx_err *err);
/* Native evaluation, as dbt does with YAML values: a lone {{ … }} keeps its type, all else is a string. The filters
 * as_bool, as_number, as_native convert here; in nx_jrun_render they change nothing. */
NX_MUST_USE nx_status nx_jrun_native(nx_jrun *run, const nx_jtmpl *t, nx_jval *ret, nx_err *err);
/* Evaluates one bare expression: "ref('a')", "source('b','c')". name and line as in nx_jrun_compile. */
NX_MUST_USE nx_status nx_jrun_expr(nx_jrun *run, const char *name, int line, nx_str expr, nx_jval *ret, nx_err *err);
/* Calls anything callable: macro, caller, function, method, object. A macro's result is its text, or what it gave to
 * return(). */
NX_MUST_USE nx_status nx_jrun_call(nx_jrun *run, const nx_jval *callee, const nx_jargs *args, nx_jval *ret,
                                   nx_err *err);
/* nx_jrun_call on a registered macro; NX_NOT_FOUND when there is none. package NULL: looked up like a name. */
NX_MUST_USE nx_status nx_jrun_call_macro(nx_jrun *run, const char *package, const char *name, const nx_jargs *args,
                                         nx_jval *ret, nx_err *err);
/* File and line being executed ("?" and 0 outside); for log lines of host functions. */
const char *nx_jrun_place(const nx_jrun *run, int *ret_line);

/* Built in besides Jinja's range, dict, namespace, cycler, joiner: dbt's return, tojson, fromjson, fromyaml, set,
 * set_strict, zip, zip_strict (sets are lists without doubles). All else of dbt's context is the host's. */

#endif
