/* transform/dbt_int.h - what the files of the dbt runner share. Everything an invocation builds lives in one arena. */
#ifndef NX_TRANSFORM_DBT_INT_H
#define NX_TRANSFORM_DBT_INT_H

#include "base/clock.h"
#include "base/file.h"
#include "base/map.h"
#include "data/json.h"
#include "transform/dbt.h"
#include "transform/jinja.h"

#define DBT_VERSION "1.12.3" /* the dialect: what dbt_version and "Running with dbt=" say */

typedef struct dbt_project dbt_project;
typedef struct dbt_node dbt_node;

/* ---- small tools (dbt_util.c) ---- */

typedef struct dbt_list {
    void **v;
    size_t n, cap;
} dbt_list;

NX_MUST_USE nx_status nx__dbt_push(nx_arena *a, dbt_list *l, void *v, nx_err *err);
bool nx__dbt_list_has(const dbt_list *l, const void *v);
nx_val nx__dbt_val_str(nx_str s);
nx_val nx__dbt_val_bool(bool b);
/* Sets or replaces a key of an object; never changes arrays that other values share. */
NX_MUST_USE nx_status nx__dbt_obj_put(nx_arena *a, nx_val *obj, nx_str key, const nx_val *v, nx_err *err);
NX_MUST_USE nx_status nx__dbt_arr_add(nx_arena *a, nx_val *arr, const nx_val *v, nx_err *err);
/* A Jinja value as a tree in the arena (relations and other objects as their text). */
NX_MUST_USE nx_status nx__dbt_val_of_j(nx_jrun *run, nx_arena *a, const nx_jval *j, nx_val *ret, nx_err *err);
/* str or list of str → list of const char *; anything else NX_INVALID naming `what`. NULL and null give an empty list. */
NX_MUST_USE nx_status nx__dbt_strings(nx_arena *a, const nx_val *v, const char *what, dbt_list *ret, nx_err *err);
/* All files below root/dir whose name ends so, sorted; the callback gets the path relative to root. An absent folder is empty. */
typedef nx_status (*dbt_file_fn)(dbt_project *p, const char *dir, const char *path, nx_err *err);
NX_MUST_USE nx_status nx__dbt_walk(dbt_project *p, const char *dir, const char *suffix, dbt_file_fn fn, nx_err *err);
/* The file's text in the arena. */
NX_MUST_USE nx_status nx__dbt_read(dbt_project *p, const char *path, nx_str *ret, nx_err *err);
/* Writes target/<sub>/<project>/<path>, making folders. */
NX_MUST_USE nx_status nx__dbt_write_target(dbt_project *p, const char *sub, const char *path, nx_str text, nx_err *err);
const char *nx__dbt_cstr(nx_arena *a, nx_str s);         /* NULL when the arena is full */
const char *nx__dbt_stem(nx_arena *a, const char *path); /* "a/b.sql" → "b" */
/* "2026-11-23T10:00:00.123456Z", dbt's form in artifacts. */
void nx__dbt_iso(nx_wall_ns t, char out[40]);

/* ---- nodes ---- */

typedef enum dbt_kind { DBT_MODEL, DBT_SEED, DBT_SNAPSHOT, DBT_TEST, DBT_SOURCE, DBT_EXPOSURE, DBT_OPERATION } dbt_kind;

typedef enum dbt_status {
    DBT_ST_NONE,
    DBT_ST_SUCCESS,
    DBT_ST_PASS,
    DBT_ST_WARN,
    DBT_ST_FAIL,
    DBT_ST_ERROR,
    DBT_ST_SKIPPED,
    DBT_ST_NOOP /* exposures: they have their place in a build, and nothing to do */
} dbt_status;

typedef struct dbt_ref {
    const char *package; /* ref: may be NULL */
    const char *name;    /* ref: model; source: table */
    const char *source;  /* source name, NULL for refs */
    int line;
} dbt_ref;

/* Properties of one resource as written in a YAML file. */
typedef struct dbt_patch {
    const char *file; /* relative to the project */
    const nx_val *v;
} dbt_patch;

typedef struct dbt_column {
    const char *name, *description, *data_type; /* description "" when none, data_type NULL */
    const nx_val *v;
} dbt_column;

/* What a generic test is made of. */
typedef struct dbt_test {
    const char *macro;      /* "test_not_null" */
    const char *short_test; /* "not_null" */
    const char *ns;         /* namespace or NULL */
    const char *column;     /* NULL for tests of a whole model */
    nx_val kwargs;          /* without model */
    const char *model_arg;  /* "{{ get_where_subquery(ref('m')) }}" */
    dbt_node *attached;
} dbt_test;

struct dbt_node {
    dbt_kind kind;
    const char *id, *name;
    const char *file; /* original_file_path: relative to the project */
    const char *path; /* relative to its resource folder */
    int line;         /* of its definition when that is YAML */
    nx_str raw;
    const nx_jtmpl *tmpl;
    size_t block; /* snapshots in block form: index of the block in tmpl */
    bool is_block;
    const char **fqn;
    size_t n_fqn;
    nx_val cfg, inline_cfg;
    bool enabled;
    const char *schema, *alias;
    const char *description;
    dbt_patch *patch;
    dbt_list columns; /* dbt_column */
    dbt_list refs;    /* dbt_ref */
    dbt_list deps;    /* dbt_node: what it reads, no doubles */
    dbt_list children;
    dbt_test *test; /* generic tests only */
    /* sources */
    const char *source_name, *identifier;
    const nx_val *source_v, *table_v;
    /* exposures */
    const nx_val *exposure_v;
    /* this invocation */
    bool selected;
    nx_str body; /* rendered, before ephemeral models are put in front */
    nx_str compiled;
    bool is_compiled;
    dbt_list ctes; /* dbt_node: ephemeral models its text names */
    dbt_status status;
    const char *message;
    int64_t failures, rows_added, rows_removed, rows_affected;
    const char *response; /* adapter message */
    nx_wall_ns compile_at, compiled_at, execute_at, done_at;
    double seconds;
    size_t idx;         /* place in p->nodes once they are sorted */
    size_t mark, level; /* graph work */
};

typedef struct dbt_target {
    const char *name, *schema, *profile;
    int threads;
} dbt_target;

struct dbt_project {
    nx_arena arena;
    nx_jinja *jinja;
    const nx_dbt_opts *o;
    const char *root, *name, *profile, *target_path;
    const char *target_shown; /* as messages and the manifest name it: "target" when it lies in the project */
    dbt_target target;
    nx_val *yml; /* dbt_project.yml, rendered */
    nx_val cli_vars, vars;
    dbt_list model_paths, seed_paths, test_paths, snapshot_paths, macro_paths, analysis_paths;
    dbt_list on_start, on_end; /* dbt_node of kind DBT_OPERATION: hooks of the project */
    dbt_list nodes;            /* dbt_node, sorted by id after parsing */
    dbt_list disabled;         /* dbt_node */
    dbt_list macro_files;      /* const nx_jtmpl * of the project */
    dbt_list macro_patches;    /* dbt_patch: descriptions of macros, for the manifest */
    dbt_list yaml_files;       /* dbt_yaml */
    nx_map by_id, patches, docs;
    nx_session *session;
    nx_map relations; /* "gold.fct" → "table" or "view", what exists */
    nx_wall_ns started;
    nx_mono_ns started_mono;
    char invocation_id[37];
    bool executing; /* run phase: queries are allowed */
};

/* A docs block. */
typedef struct dbt_doc {
    const char *file, *dir; /* file relative to the project; dir: its resource folder */
    const char *text;
} dbt_doc;

typedef struct dbt_yaml {
    const char *file;
    nx_val *v;
} dbt_yaml;

const char *nx__dbt_kind_name(dbt_kind k);          /* "model" */
const char *nx__dbt_status_name(const dbt_node *n); /* "success", "pass", … */
/* "gold.fct_trades"; console and messages. */
const char *nx__dbt_relname(nx_arena *a, const dbt_node *n);
const char *nx__dbt_materialized(const dbt_node *n);
bool nx__dbt_is_ephemeral(const dbt_node *n);
/* Counted in "3 of 14": everything that runs but ephemeral models. */
bool nx__dbt_has_slot(const dbt_node *n);
dbt_node *nx__dbt_node_new(dbt_project *p, dbt_kind k, const char *name, const char *file, const char *dir,
                           nx_err *err);
/* Files it under its unique id; NX_INVALID when two resources share it. */
NX_MUST_USE nx_status nx__dbt_node_add(dbt_project *p, dbt_node *n, nx_err *err);
/* "file:line" of a YAML value, or "file" alone. */
const char *nx__dbt_where(nx_arena *a, const char *file, int line);

/* ---- project (project.c) ---- */
NX_MUST_USE nx_status nx__dbt_project_open(dbt_project *p, const nx_dbt_opts *o, nx_err *err);
void nx__dbt_project_close(dbt_project *p);
/* Renders every text of a tree that holds Jinja, natively, in place of the old values; keys named in skip (NULL-ended) stay as they are. */
NX_MUST_USE nx_status nx__dbt_render_tree(dbt_project *p, nx_val *v, const char *file, const char *const *skip,
                                          nx_err *err);

/* ---- config (config.c) ---- */
/* Merges one key by dbt's rule for it (append, update, clobber). */
NX_MUST_USE nx_status nx__dbt_cfg_merge(nx_arena *a, nx_val *cfg, nx_str key, const nx_val *v, nx_err *err);
NX_MUST_USE nx_status nx__dbt_cfg_merge_all(nx_arena *a, nx_val *cfg, const nx_val *obj, nx_err *err);
/* Configs of dbt_project.yml's tree for a node's fqn, shallow to deep. */
NX_MUST_USE nx_status nx__dbt_cfg_tree(dbt_project *p, dbt_node *n, nx_err *err);
/* Refuses by name what this runner does not speak, and wrong types. */
NX_MUST_USE nx_status nx__dbt_cfg_check(dbt_project *p, dbt_node *n, nx_err *err);
nx_str nx__dbt_cfg_str(const dbt_node *n, const char *key, const char *dflt);
bool nx__dbt_cfg_bool(const dbt_node *n, const char *key, bool dflt);

/* ---- parsing (parse.c, props.c, testdefs.c) ---- */
/* Every file below the project's paths: nodes, macros, docs, properties. */
NX_MUST_USE nx_status nx__dbt_read_files(dbt_project *p, nx_err *err);
NX_MUST_USE nx_status nx__dbt_parse(dbt_project *p, nx_err *err);
NX_MUST_USE nx_status nx__dbt_props_read(dbt_project *p, const char *dir, const char *path, nx_err *err);
/* After all YAML and SQL files are known: sources, exposures, YAML snapshots, patches, tests. */
NX_MUST_USE nx_status nx__dbt_props_apply(dbt_project *p, nx_err *err);
NX_MUST_USE nx_status nx__dbt_columns(dbt_project *p, dbt_node *n, const nx_val *cols, const char *file, nx_err *err);
/* Generic tests of one resource: its own and those of its columns. */
NX_MUST_USE nx_status nx__dbt_tests_of(dbt_project *p, dbt_node *n, const nx_val *v, const char *file, nx_err *err);
/* dbt's name of a generic test: full (unique id) and short (file, alias; below 64 characters). */
NX_MUST_USE nx_status nx__dbt_test_name(nx_arena *a, const char *test, const char *model, const nx_val *kwargs,
                                        const char **ret_full, const char **ret_short, nx_err *err);
/* The 10 hexadecimal digits at the end of a generic test's unique id. kwargs holds model too. */
NX_MUST_USE nx_status nx__dbt_test_hash(dbt_project *p, const char *name, const char *test, const char *ns,
                                        const nx_val *kwargs, char ret[11], nx_err *err);
NX_MUST_USE nx_status nx__dbt_find_ref(dbt_project *p, const dbt_node *from, const dbt_ref *r, dbt_node **ret,
                                       nx_err *err);

/* Renders a node's template, test call or snapshot block with the run's context. */
NX_MUST_USE nx_status nx__dbt_render_node(nx_jrun *run, const dbt_node *n, nx_buf *out, nx_err *err);

/* ---- context (context.c, ctx_adapter.c, ctx_table.c) ---- */

typedef enum dbt_phase { DBT_YAML, DBT_PARSE, DBT_COMPILE } dbt_phase;

typedef struct dbt_ctx {
    dbt_project *p;
    dbt_node *node; /* NULL: YAML values, hooks, operations */
    dbt_phase phase;
    bool incremental; /* what is_incremental() says */
    nx_jval results;  /* statement results: dict */
} dbt_ctx;

/* A run with the whole context of a node. *c must outlive it. */
NX_MUST_USE nx_status nx__dbt_run_new(dbt_ctx *c, nx_jrun **ret, nx_err *err);
NX_MUST_USE nx_status nx__dbt_relation(nx_jrun *run, dbt_project *p, const char *schema, const char *identifier,
                                       const char *cte, nx_jval *ret, nx_err *err);
/* config, var, env_var, doc, log, exceptions, … (ctx_funcs.c). */
NX_MUST_USE nx_status nx__dbt_ctx_funcs(nx_jrun *run, nx_err *err);
/* run_started_at (ctx_table.c). */
NX_MUST_USE nx_status nx__dbt_ctx_time(nx_jrun *run, dbt_ctx *c, nx_err *err);
/* adapter, api, run_query, statement, load_result. */
NX_MUST_USE nx_status nx__dbt_ctx_adapter(nx_jrun *run, dbt_ctx *c, nx_err *err);
/* A query's rows as the table object that run_query() returns. */
NX_MUST_USE nx_status nx__dbt_table(nx_jrun *run, nx_session *s, nx_str sql, nx_jval *ret, nx_err *err);
/* Adds package "dbt" as Jinja text. Errors: those of the buffer. */
NX_MUST_USE nx_status nx__dbt_builtin_macros(nx_buf *b);

/* ---- compiling (compile.c) ---- */
/* Renders a node's SQL with execute = true and injects ephemeral models. Idempotent. */
NX_MUST_USE nx_status nx__dbt_compile(dbt_project *p, dbt_node *n, nx_err *err);
/* Where a node's SQL is written below target/compiled/PROJECT. NULL when out of memory. */
const char *nx__dbt_target_file(dbt_project *p, const dbt_node *n);
/* Renders hook or operation text. */
NX_MUST_USE nx_status nx__dbt_render_text(dbt_project *p, dbt_node *n, const char *name, nx_str text, nx_buf *out,
                                          nx_err *err);
/* Puts "with a as (…), b as (…)" in front of sql, joining a leading with. */
NX_MUST_USE nx_status nx__dbt_inject_ctes(nx_str sql, const nx_str *names, const nx_str *bodies, size_t n, nx_buf *out,
                                          nx_err *err);

/* ---- graph and selection (graph.c, select.c) ---- */
/* Deps and children from refs; NX_INVALID with the path of a cycle. */
NX_MUST_USE nx_status nx__dbt_graph_link(dbt_project *p, nx_err *err);
NX_MUST_USE nx_status nx__dbt_graph_check(dbt_project *p, nx_err *err);
/* Sets node->selected from opts. */
NX_MUST_USE nx_status nx__dbt_select(dbt_project *p, nx_err *err);
/* The selected nodes in dbt's one-thread order; build adds edges from tests to what stands below their parents. */
typedef struct dbt_plan {
    dbt_node **order; /* ephemeral models too: they take no slot */
    size_t n, slots;
    dbt_list *next; /* next[node->idx]: what waits for it */
    size_t *waits;  /* work space of the ordering */
} dbt_plan;
NX_MUST_USE nx_status nx__dbt_graph_plan(dbt_project *p, bool test_edges, dbt_plan *ret, nx_err *err);

/* ---- running ---- */
NX_MUST_USE nx_status nx__dbt_run_plan(dbt_project *p, const dbt_plan *plan, nx_dbt_result *r, nx_err *err); /* run.c */
NX_MUST_USE nx_status nx__dbt_session_open(dbt_project *p, nx_err *err);
/* "table", "view" or NULL: what stands under the name now. */
const char *nx__dbt_exists(dbt_project *p, const char *schema, const char *identifier);
/* A table that was written at least once stands under the node's name. */
bool nx__dbt_is_built(dbt_project *p, const dbt_node *n);
NX_MUST_USE nx_status nx__dbt_mat_model(dbt_project *p, dbt_node *n, nx_err *err);        /* mat_model.c */
NX_MUST_USE nx_status nx__dbt_mat_snapshot(dbt_project *p, dbt_node *n, nx_err *err);     /* mat_snapshot.c */
NX_MUST_USE nx_status nx__dbt_mat_seed(dbt_project *p, dbt_node *n, nx_err *err);         /* mat_seed.c */
NX_MUST_USE nx_status nx__dbt_mat_test(dbt_project *p, dbt_node *n, nx_err *err);         /* mat_test.c */
NX_MUST_USE nx_status nx__dbt_freshness(dbt_project *p, nx_dbt_result *ret, nx_err *err); /* freshness.c */
/* One commit through the lake, then the session sees it. Comments and partitions come from the node. */
NX_MUST_USE nx_status nx__dbt_write(dbt_project *p, dbt_node *n, nx_str sql, nx_write_opts *o, nx_err *err);
/* const char * → NULL-ended array; NULL when out of memory. */
const char *const *nx__dbt_names_of(dbt_project *p, const dbt_list *l);
NX_MUST_USE nx_status nx__dbt_hooks(dbt_project *p, dbt_node *n, const char *key,
                                    nx_err *err); /* "pre-hook", "post-hook" */
/* views.c */
NX_MUST_USE nx_status nx__dbt_names(dbt_project *p, nx_err *err);    /* fills p->relations */
NX_MUST_USE nx_status nx__dbt_reattach(dbt_project *p, nx_err *err); /* makes all saved views again */
NX_MUST_USE nx_status nx__dbt_view_make(dbt_project *p, const char *schema, const char *identifier, nx_str sql,
                                        nx_err *err);
NX_MUST_USE nx_status nx__dbt_view_forget(dbt_project *p, const char *schema, const char *identifier, nx_err *err);

/* ---- telling (console.c, artifacts.c, manifest.c, ls.c) ---- */
NX_PRINTF(2, 3) void nx__dbt_say(dbt_project *p, const char *fmt, ...);
void nx__dbt_say_progress(dbt_project *p, size_t i, size_t n, const char *message, const char *status, double seconds);
void nx__dbt_say_found(dbt_project *p);
void nx__dbt_say_start(dbt_project *p, const dbt_node *n, size_t i, size_t count);
void nx__dbt_say_done(dbt_project *p, const dbt_node *n, size_t i, size_t count);
void nx__dbt_say_summary(dbt_project *p, const dbt_plan *plan, const nx_dbt_result *r);
NX_MUST_USE nx_status nx__dbt_write_manifest(dbt_project *p, nx_err *err);
NX_MUST_USE nx_status nx__dbt_write_results(dbt_project *p, const dbt_plan *plan, double elapsed, nx_err *err);
NX_MUST_USE nx_status nx__dbt_ls(dbt_project *p, nx_err *err);
void nx__dbt_metadata(dbt_project *p, nx_jw *w, const char *artifact, int version); /* writes the "metadata" member */

#endif
