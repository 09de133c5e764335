/* The tree is built from libfyaml's events, not from its documents: an alias then costs one copied nx_val that shares
 * the children of its anchor, so aliases of aliases cannot blow up memory, and an alias inside its own anchor is
 * unknown yet. */
#include "data/yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "data/data_int.h"

enum { DEPTH_MAX = 64 };

typedef struct reader {
    struct fy_parser *fyp;
    struct fy_diag *diag;
    const char *name;
    nx__tree tree;
    nx_map anchors; /* name -> nx_val in the arena */
    int line, col;  /* of the node read last */
    size_t depth;
    nx_err *err;
} reader;

static nx_status fail_at(const reader *r, int line, int col, const char *what)
{
    return nx_fail(r->err, NX_INVALID, "could not read %s at line %d, column %d: %s", r->name, line, col, what);
}

/* What libfyaml itself did not like. */
static nx_status fail_parser(const reader *r)
{
    void *iter = NULL;
    const struct fy_diag_error *e = fy_diag_errors_iterate(r->diag, &iter);
    if (e == NULL) /* some errors come without words, such as a block indentation of 0 */
        return fail_at(r, r->line, r->col, "what follows is not YAML");
    char what[256];
    snprintf(what, sizeof what, "%s", e->msg == NULL ? "not YAML" : e->msg);
    what[strcspn(what, "\n")] = '\0';
    return fail_at(r, e->line, e->column, what);
}

/* The next event; NULL at the end of the text too. */
static nx_status next(reader *r, struct fy_event **ret)
{
    *ret = fy_parser_parse(r->fyp);
    return *ret == NULL && fy_parser_get_stream_error(r->fyp) ? fail_parser(r) : NX_OK;
}

static nx_str token_text(struct fy_token *t)
{
    size_t n = 0;
    const char *p = t == NULL ? NULL : fy_token_get_text(t, &n);
    return (nx_str){p == NULL ? "" : p, n};
}

static bool is_any(nx_str s, const char *const *words)
{
    for (; *words != NULL; words++)
        if (nx_str_is(s, *words))
            return true;
    return false;
}

static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const true_words[] = {"true", "True", "TRUE", NULL};
static const char *const false_words[] = {"false", "False", "FALSE", NULL};

static nx_status copy_text(reader *r, nx_str text, nx_str *ret)
{
    char *p = nx_arena_dup(r->tree.a, text);
    if (p == NULL)
        return nx_nomem(r->err);
    *ret = (nx_str){p, text.n};
    return NX_OK;
}

/* A tag decides between text and the rest; tags of other schemas have no meaning here. */
static nx_status read_tag(reader *r, struct fy_event *e, const nx_val *v, bool *ret_text)
{
    static const char *const core[] = {"null", "bool", "int", "float", "map", "seq", NULL};
    struct fy_token *t = fy_event_get_tag_token(e);
    *ret_text = false;
    if (t == NULL)
        return NX_OK;
    size_t n = 0;
    const char *suffix = fy_tag_token_suffix(t, &n);
    nx_str name = {suffix == NULL ? "" : suffix, n};
    nx_str prefix = NX_STR("tag:yaml.org,2002:");
    if (nx_str_starts(name, prefix))
        name = nx_str_sub(name, prefix.n, name.n);
    *ret_text = nx_str_is(name, "str") || name.n == 0; /* "!" alone means text too */
    if (*ret_text || is_any(name, core))
        return NX_OK;
    return fail_at(r, v->line, v->col,
                   "only the tags !!str, !!int, !!float, !!bool, !!null, !!map, !!seq are supported");
}

static nx_status read_scalar(reader *r, struct fy_event *e, nx_val *v)
{
    bool as_text;
    NX_TRY(read_tag(r, e, v, &as_text));
    nx_str text = token_text(e->scalar.value);
    v->quoted = e->scalar.value != NULL && fy_token_scalar_style(e->scalar.value) != FYSS_PLAIN;
    v->kind = NX_VAL_STR;
    if (!v->quoted && !as_text) {
        if (is_any(text, null_words)) {
            v->kind = NX_VAL_NULL;
            return NX_OK;
        }
        bool yes = is_any(text, true_words);
        if (yes || is_any(text, false_words)) {
            v->kind = NX_VAL_BOOL;
            v->b = yes;
            return NX_OK;
        }
        if (nx__num_scan(text) == text.n)
            v->kind = NX_VAL_NUM;
    }
    return copy_text(r, text, &v->s);
}

static nx_status read_node(reader *r, struct fy_event *e, nx_val *v);

static nx_status read_alias(reader *r, struct fy_event *e, nx_val *v)
{
    nx_str name = token_text(e->alias.anchor);
    const nx_val *from = nx_map_get(&r->anchors, name);
    if (from == NULL) {
        char what[128];
        snprintf(what, sizeof what, "there is no anchor \"%.*s\" above", (int)(name.n < 80 ? name.n : 80), name.p);
        return fail_at(r, v->line, v->col, what);
    }
    int line = v->line, col = v->col;
    *v = *from;
    v->line = line;
    v->col = col;
    return NX_OK;
}

static nx_status close_value(reader *r, nx_val *v, size_t base)
{
    const nx__slot *dup;
    nx_status st = nx__tree_close(&r->tree, v, base, false, &dup);
    if (st == NX_NOMEM)
        return nx_nomem(r->err);
    if (st == NX_OK)
        return NX_OK;
    char what[128];
    snprintf(what, sizeof what, "the key \"%.80s\" is there twice", dup->key.p);
    return fail_at(r, dup->key_line, dup->key_col, what);
}

static nx_status push(reader *r, const nx__slot *s)
{
    return nx__tree_push(&r->tree, s) == NX_OK ? NX_OK : nx_nomem(r->err);
}

/* Adds the members of a merged mapping that are not there yet. */
static nx_status merge_one(reader *r, const nx_val *from, const nx_val *at, size_t base)
{
    if (from->kind != NX_VAL_OBJ)
        return fail_at(r, at->line, at->col, "\"<<\" merges mappings only");
    for (size_t i = 0; i < from->n; i++) {
        bool there = false;
        for (size_t k = base; k < r->tree.n && !there; k++)
            there = nx_str_eq(r->tree.stack[k].key, from->keys[i]);
        if (!there)
            NX_TRY(push(r, &(nx__slot){from->items[i], from->keys[i], at->line, at->col}));
    }
    return NX_OK;
}

static nx_status merge(reader *r, const nx_val *from, size_t base)
{
    if (from->kind != NX_VAL_ARR)
        return merge_one(r, from, from, base);
    for (size_t i = 0; i < from->n; i++)
        NX_TRY(merge_one(r, &from->items[i], from, base));
    return NX_OK;
}

static nx_status read_child(reader *r, struct fy_event *e, nx_val *v)
{
    nx_status st = read_node(r, e, v);
    fy_parser_event_free(r->fyp, e);
    return st;
}

static nx_status read_sequence(reader *r, nx_val *v)
{
    size_t base = r->tree.n;
    for (;;) {
        struct fy_event *e;
        NX_TRY(next(r, &e));
        if (e == NULL || e->type == FYET_SEQUENCE_END) {
            fy_parser_event_free(r->fyp, e);
            return close_value(r, v, base);
        }
        nx__slot s = {0};
        NX_TRY(read_child(r, e, &s.v));
        NX_TRY(push(r, &s));
    }
}

/* The key's text; *ret_merge when it is a plain "<<". */
static nx_status read_key(reader *r, struct fy_event *e, nx__slot *s, bool *ret_merge)
{
    nx_val key = {0};
    NX_TRY(read_child(r, e, &key));
    s->key_line = key.line;
    s->key_col = key.col;
    if (key.kind == NX_VAL_ARR || key.kind == NX_VAL_OBJ || (key.kind == NX_VAL_NULL && key.s.n == 0 && !key.quoted))
        return fail_at(r, key.line, key.col, "a key must be text");
    *ret_merge = key.kind == NX_VAL_STR && !key.quoted && nx_str_is(key.s, "<<");
    s->key = key.kind == NX_VAL_BOOL ? (key.b ? NX_STR("true") : NX_STR("false")) : key.s;
    return NX_OK;
}

static nx_status read_mapping(reader *r, nx_val *v)
{
    size_t base = r->tree.n;
    nx_val merged = {0};
    bool have_merged = false;
    for (;;) {
        struct fy_event *e;
        NX_TRY(next(r, &e));
        if (e == NULL || e->type == FYET_MAPPING_END) {
            fy_parser_event_free(r->fyp, e);
            break;
        }
        nx__slot s = {0};
        bool is_merge = false;
        NX_TRY(read_key(r, e, &s, &is_merge));
        NX_TRY(next(r, &e));
        if (e == NULL)
            return fail_at(r, s.key_line, s.key_col, "a key without a value");
        NX_TRY(read_child(r, e, &s.v));
        if (!is_merge) {
            NX_TRY(push(r, &s));
            continue;
        }
        if (have_merged)
            return fail_at(r, s.key_line, s.key_col, "the key \"<<\" is there twice");
        merged = s.v;
        have_merged = true;
    }
    if (have_merged) /* last: what the mapping says itself comes first, wherever "<<" stands */
        NX_TRY(merge(r, &merged, base));
    return close_value(r, v, base);
}

static nx_status keep_anchor(reader *r, struct fy_event *e, const nx_val *v)
{
    struct fy_token *t = fy_event_get_anchor_token(e);
    if (t == NULL || e->type == FYET_ALIAS)
        return NX_OK;
    nx_val *copy = NX_ARENA_NEW(r->tree.a, nx_val);
    if (copy == NULL || nx_map_set(&r->anchors, token_text(t), copy) != NX_OK)
        return nx_nomem(r->err);
    *copy = *v;
    return NX_OK;
}

/* libfyaml's mark stands behind the quote of a quoted scalar and the star of an alias. */
static bool mark_is_inside(struct fy_event *e)
{
    if (e->type != FYET_SCALAR || e->scalar.value == NULL)
        return e->type == FYET_ALIAS;
    enum fy_scalar_style style = fy_token_scalar_style(e->scalar.value);
    return style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED;
}

/* e belongs to the caller. */
static nx_status read_node(reader *r, struct fy_event *e, nx_val *v)
{
    const struct fy_mark *mark = fy_event_start_mark(e);
    v->line = mark == NULL ? 1 : mark->line + 1;
    v->col = mark == NULL ? 1 : mark->column + 1 - mark_is_inside(e);
    r->line = v->line;
    r->col = v->col;
    nx_status st = NX_OK;
    bool unused;
    switch (e->type) {
    case FYET_ALIAS:
        return read_alias(r, e, v);
    case FYET_SCALAR:
        st = read_scalar(r, e, v);
        break;
    case FYET_SEQUENCE_START:
    case FYET_MAPPING_START:
        if (r->depth == DEPTH_MAX)
            return fail_at(r, v->line, v->col, "nested deeper than 64 levels");
        NX_TRY(read_tag(r, e, v, &unused));
        r->depth++;
        v->kind = e->type == FYET_SEQUENCE_START ? NX_VAL_ARR : NX_VAL_OBJ;
        st = v->kind == NX_VAL_ARR ? read_sequence(r, v) : read_mapping(r, v);
        r->depth--;
        break;
    default:
        return fail_at(r, v->line, v->col, "not YAML");
    }
    NX_TRY(st);
    return keep_anchor(r, e, v);
}

static nx_status read_stream(reader *r, nx_val *v)
{
    bool seen = false;
    for (;;) {
        struct fy_event *e;
        NX_TRY(next(r, &e));
        if (e == NULL)
            return NX_OK;
        nx_status st = NX_OK;
        bool frame = e->type == FYET_STREAM_START || e->type == FYET_STREAM_END || e->type == FYET_DOCUMENT_END;
        if (e->type == FYET_DOCUMENT_START) {
            const struct fy_mark *mark = fy_event_start_mark(e);
            if (seen)
                st = fail_at(r, mark == NULL ? 1 : mark->line + 1, 1, "a second document; one file holds one");
            seen = true;
        } else if (!frame)
            st = read_node(r, e, v);
        fy_parser_event_free(r->fyp, e);
        NX_TRY(st);
    }
}

/* libfyaml takes bytes that are no text; say so before it does. */
static nx_status check_text(const reader *r, nx_str text)
{
    int line = 1;
    for (size_t i = 0; i < text.n;) {
        size_t at = i;
        uint32_t cp = nx_utf8_get(text, &i);
        line += cp == '\n';
        if (cp == 0 || (cp == 0xFFFD && i - at == 1)) {
            char what[64];
            snprintf(what, sizeof what, "byte 0x%02X is not UTF-8 text", (unsigned char)text.p[at]);
            return nx_fail(r->err, NX_INVALID, "could not read %s at line %d: %s", r->name, line, what);
        }
    }
    return NX_OK;
}

static void reader_drop(reader *r)
{
    if (r->fyp != NULL)
        fy_parser_destroy(r->fyp);
    if (r->diag != NULL)
        fy_diag_destroy(r->diag);
    nx_map_drop(&r->anchors);
    nx__tree_drop(&r->tree);
}

static void swallow(struct fy_diag *diag, void *user, const char *text, size_t n)
{
    (void)diag;
    (void)user;
    (void)text;
    (void)n;
}

nx_status nx_yaml_parse(nx_str text, const char *name, nx_arena *a, nx_val **ret, nx_err *err)
{
    NX_AUTO(reader_drop) reader r = {.name = name, .line = 1, .col = 1, .err = err};
    r.tree.a = a;
    nx_map_init(&r.anchors, NULL);
    NX_TRY(check_text(&r, text));
    nx_val *v = NX_ARENA_NEW(a, nx_val);
    if (v == NULL)
        return nx_nomem(err);
    v->line = v->col = 1; /* no document at all is null */
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.output_fn = swallow;
    r.diag = fy_diag_create(&diag_cfg);
    if (r.diag == NULL)
        return nx_nomem(err);
    fy_diag_set_collect_errors(r.diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_JSON_NONE | FYPCF_DEFAULT_VERSION_1_2, .diag = r.diag};
    r.fyp = fy_parser_create(&cfg);
    if (r.fyp == NULL || fy_parser_set_string(r.fyp, text.n == 0 ? "\n" : text.p, text.n == 0 ? 1 : text.n) != 0)
        return nx_nomem(err);
    NX_TRY(read_stream(&r, v));
    *ret = v;
    return NX_OK;
}
