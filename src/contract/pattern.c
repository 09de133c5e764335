/* Tree to automaton: Thompson's construction, then subsets of it (every state of the table is a set of positions). */
#include "contract/pattern_int.h"

#include <stdlib.h>

#include "contract/pattern_tree_int.h"

enum { NFA_MAX = 2048, DFA_MAX = 1000, SET_WORDS = NFA_MAX / 64 };

typedef enum step_kind { STEP_SET, STEP_SPLIT, STEP_BEGIN, STEP_END, STEP_ACCEPT } step_kind;

typedef struct step {
    step_kind kind;
    uint16_t a, b; /* where to go on; b for STEP_SPLIT */
    const uint64_t *set;
} step;

typedef struct positions {
    uint64_t bits[SET_WORDS];
} positions;

typedef struct builder {
    step nfa[NFA_MAX];
    size_t n_nfa;
    positions *sets; /* one a state of the table */
    size_t n_sets;
    uint16_t *next; /* DFA_MAX * 256, by byte; classes are made at the end */
    uint16_t start;
    nx_err *err;
} builder;

static nx_status add_step(builder *b, step s, uint16_t *ret)
{
    if (b->n_nfa == NFA_MAX)
        return nx_fail(b->err, NX_UNSUPPORTED, "the pattern needs more than %d positions", NFA_MAX);
    b->nfa[b->n_nfa] = s;
    *ret = (uint16_t)b->n_nfa++;
    return NX_OK;
}

/* Builds the steps of a tree in front of `then`. */
static nx_status emit(builder *b, const nx_node *n, uint16_t then, uint16_t *ret);

static nx_status emit_repeat(builder *b, const nx_node *n, uint16_t then, uint16_t *ret)
{
    uint16_t at = then;
    if (n->max < 0) {
        uint16_t loop = 0, body = 0;
        NX_TRY(add_step(b, (step){STEP_SPLIT, then, then, NULL}, &loop));
        NX_TRY(emit(b, n->l, loop, &body));
        b->nfa[loop].a = body;
        at = loop;
    }
    for (int i = n->min; i < n->max; i++) {
        uint16_t body = 0;
        NX_TRY(emit(b, n->l, at, &body));
        NX_TRY(add_step(b, (step){STEP_SPLIT, body, then, NULL}, &at));
    }
    for (int i = 0; i < n->min; i++)
        NX_TRY(emit(b, n->l, at, &at));
    *ret = at;
    return NX_OK;
}

static nx_status emit(builder *b, const nx_node *n, uint16_t then, uint16_t *ret)
{
    uint16_t l = then, r = then;
    switch (n->kind) {
    case NX_NODE_EMPTY:
        *ret = then;
        return NX_OK;
    case NX_NODE_SET:
        return add_step(b, (step){STEP_SET, then, 0, n->set}, ret);
    case NX_NODE_BEGIN:
        return add_step(b, (step){STEP_BEGIN, then, 0, NULL}, ret);
    case NX_NODE_END:
        return add_step(b, (step){STEP_END, then, 0, NULL}, ret);
    case NX_NODE_CAT:
        NX_TRY(emit(b, n->r, then, &r));
        return emit(b, n->l, r, ret);
    case NX_NODE_ALT:
        NX_TRY(emit(b, n->l, then, &l));
        NX_TRY(emit(b, n->r, then, &r));
        return add_step(b, (step){STEP_SPLIT, l, r, NULL}, ret);
    case NX_NODE_REPEAT:
        return emit_repeat(b, n, then, ret);
    }
    return NX_INTERNAL;
}

/* Adds a position and all that follows without a byte. */
static void add_position(const builder *b, positions *s, uint16_t first, bool at_begin, bool at_end)
{
    uint16_t stack[NFA_MAX];
    size_t n = 0;
    stack[n++] = first;
    s->bits[first >> 6] |= UINT64_C(1) << (first & 63);
    while (n > 0) {
        const step *t = &b->nfa[stack[--n]];
        uint16_t to[2] = {t->a, t->kind == STEP_SPLIT ? t->b : t->a};
        if (t->kind == STEP_SET || t->kind == STEP_ACCEPT || (t->kind == STEP_BEGIN && !at_begin) ||
            (t->kind == STEP_END && !at_end))
            continue;
        for (int i = 0; i < 2; i++) {
            uint64_t bit = UINT64_C(1) << (to[i] & 63);
            if ((s->bits[to[i] >> 6] & bit) == 0) {
                s->bits[to[i] >> 6] |= bit;
                stack[n++] = to[i];
            }
        }
    }
}

static bool has(const positions *s, size_t i)
{
    return (s->bits[i >> 6] >> (i & 63) & 1) != 0;
}

static bool accepts_here(const builder *b, const positions *s)
{
    for (size_t i = 0; i < b->n_nfa; i++)
        if (has(s, i) && b->nfa[i].kind == STEP_ACCEPT)
            return true;
    return false;
}

static bool accepts_at_end(const builder *b, const positions *s, bool at_begin)
{
    positions closed = *s;
    for (size_t i = 0; i < b->n_nfa; i++)
        if (has(s, i) && b->nfa[i].kind == STEP_END)
            add_position(b, &closed, (uint16_t)b->nfa[i].a, at_begin, true);
    return accepts_here(b, &closed);
}

static nx_status state_of(builder *b, const positions *s, uint16_t *ret)
{
    for (size_t i = 1; i < b->n_sets; i++) /* not 0: only the start is at the beginning */
        if (memcmp(&b->sets[i], s, sizeof *s) == 0) {
            *ret = (uint16_t)i;
            return NX_OK;
        }
    if (b->n_sets == DFA_MAX)
        return nx_fail(b->err, NX_UNSUPPORTED, "the pattern needs more than %d states", DFA_MAX);
    b->sets[b->n_sets] = *s;
    *ret = (uint16_t)b->n_sets++;
    return NX_OK;
}

/* All transitions of state i; done: it accepts whatever follows. */
static nx_status expand(builder *b, size_t i, bool done)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        uint16_t *to = &b->next[i * 256 + byte];
        if (done) {
            *to = (uint16_t)i;
            continue;
        }
        positions s = {{0}};
        for (size_t k = 0; k < b->n_nfa; k++)
            if (has(&b->sets[i], k) && b->nfa[k].kind == STEP_SET && (b->nfa[k].set[byte >> 6] >> (byte & 63) & 1) != 0)
                add_position(b, &s, b->nfa[k].a, false, false);
        add_position(b, &s, b->start, false, false); /* a match may begin anywhere */
        NX_TRY(state_of(b, &s, to));
    }
    return NX_OK;
}

/* Bytes that every state treats alike share a class. */
static size_t find_classes(const builder *b, uint8_t classes[256], unsigned first_of[256])
{
    size_t n = 0;
    for (unsigned byte = 0; byte < 256; byte++) {
        size_t k = 0;
        for (; k < n; k++) {
            size_t i = 0;
            while (i < b->n_sets && b->next[i * 256 + byte] == b->next[i * 256 + first_of[k]])
                i++;
            if (i == b->n_sets)
                break;
        }
        if (k == n)
            first_of[n++] = byte;
        classes[byte] = (uint8_t)k;
    }
    return n;
}

static nx_status pack(const builder *b, const uint8_t *accept, nx_pattern *p, nx_arena *a, nx_err *err)
{
    unsigned first_of[256];
    p->n_classes = (uint16_t)find_classes(b, p->classes, first_of);
    p->n_states = (uint16_t)b->n_sets;
    if (b->n_sets * p->n_classes > UINT16_MAX)
        return nx_fail(err, NX_UNSUPPORTED, "the pattern needs more than %d transitions", UINT16_MAX);
    uint16_t *next = NX_ARENA_ARRAY(a, uint16_t, (size_t)p->n_states * p->n_classes);
    uint8_t *acc = NX_ARENA_ARRAY(a, uint8_t, (size_t)p->n_states * p->n_classes);
    if (next == NULL || acc == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < p->n_states; i++) {
        acc[i * p->n_classes] = accept[i];
        for (size_t k = 0; k < p->n_classes; k++)
            next[i * p->n_classes + k] = (uint16_t)(b->next[i * 256 + first_of[k]] * p->n_classes);
    }
    p->next = next;
    p->accept = acc;
    return NX_OK;
}

static nx_status determinize(builder *b, nx_pattern *p, nx_arena *a, nx_err *err)
{
    uint8_t accept[DFA_MAX] = {0};
    positions first = {{0}};
    uint16_t start = 0;
    add_position(b, &first, b->start, true, false);
    NX_TRY(state_of(b, &first, &start));
    for (size_t i = 0; i < b->n_sets; i++) {
        bool done = accepts_here(b, &b->sets[i]);
        accept[i] = done || accepts_at_end(b, &b->sets[i], i == start);
        NX_TRY(expand(b, i, done));
    }
    return pack(b, accept, p, a, err);
}

nx_status nx__pattern_compile(nx_str text, nx_arena *a, nx_pattern **ret, nx_err *err)
{
    nx_node *tree = NULL;
    NX_TRY(nx__pattern_parse(text, a, &tree, err));
    nx_pattern *p = NX_ARENA_NEW(a, nx_pattern);
    builder *b = calloc(1, sizeof *b);
    nx_status st = p == NULL || b == NULL ? nx_nomem(err) : NX_OK;
    if (st == NX_OK) {
        b->err = err;
        b->sets = malloc(DFA_MAX * sizeof *b->sets);
        b->next = malloc((size_t)DFA_MAX * 256 * sizeof *b->next);
        p->text = nx_arena_dup(a, text);
        if (b->sets == NULL || b->next == NULL || p->text == NULL)
            st = nx_nomem(err);
    }
    uint16_t accept = 0;
    if (st == NX_OK)
        st = add_step(b, (step){STEP_ACCEPT, 0, 0, NULL}, &accept);
    if (st == NX_OK)
        st = emit(b, tree, accept, &b->start);
    if (st == NX_OK)
        st = determinize(b, p, a, err);
    if (b != NULL) {
        free(b->sets);
        free(b->next);
        free(b);
    }
    if (st == NX_OK)
        *ret = p;
    return st;
}
