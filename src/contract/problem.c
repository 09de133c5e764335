/* Where a contract file is wrong: the place in an error's text, and the list that a lint makes of them. */
#include <stdio.h>
#include <stdlib.h>

#include "contract/problem_int.h"

enum { PROBLEMS_MAX = 1000 };

nx_status nx__fail_place(nx_err *err, nx_status st, const nx_origin *origin, const nx_val *v)
{
    if (origin->problems != NULL) {
        origin->problems->line = v == NULL ? 0 : v->line;
        origin->problems->col = v == NULL ? 0 : v->col;
    } else if (v == NULL) {
        (void)nx_err_prefix(err, "contract %s", origin->file);
    } else {
        (void)nx_err_prefix(err, "contract %s:%d:%d", origin->file, v->line, v->col);
    }
    return st;
}

/* Adds ".name", where the elements of a list are called by their name, or their property in customProperties, or "[3]". */
static nx_status add_step(nx_buf *b, const nx_val *parent, size_t i)
{
    const nx_val *v = &parent->items[i];
    nx_str name = parent->kind == NX_VAL_OBJ ? parent->keys[i] : nx_val_str(nx_val_get(v, "name"), NX_STR(""));
    if (name.n == 0)
        name = nx_val_str(nx_val_get(v, "property"), NX_STR(""));
    if (name.n == 0)
        return nx_buf_addf(b, "[%zu]", i);
    return nx_buf_addf(b, "%s" NX_STR_FMT, b->n == 0 ? "" : ".", NX_STR_ARG(name));
}

/* The way from v to the value that begins at line and col. */
static bool find_key(const nx_val *v, int line, int col, nx_buf *b)
{
    if (v->line == line && v->col == col)
        return true;
    for (size_t i = 0; i < v->n; i++) {
        size_t before = b->n;
        if (add_step(b, v, i) != NX_OK)
            return false;
        if (find_key(&v->items[i], line, col, b))
            return true;
        b->n = before;
    }
    return false;
}

static bool told_already(const nx_problems *p, const char *file, const char *cause)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->items[i].line == p->line && p->items[i].col == p->col && strcmp(p->items[i].file, file) == 0 &&
            strcmp(p->items[i].cause, cause) == 0)
            return true;
    return false;
}

nx_status nx__problem_add(nx_problems *p, const char *file, const nx_err *what, nx_err *err)
{
    if (p->n_file == PROBLEMS_MAX || told_already(p, file, what->text))
        return NX_OK;
    nx_buf key NX_BUF_AUTO;
    nx_buf_init(&key, 1 << 16);
    bool found = p->root != NULL && p->line > 0 && find_key(p->root, p->line, p->col, &key);
    if (!nx_grow(&p->items, &p->cap, p->n + 1, sizeof *p->items))
        return nx_nomem(err);
    nx_contract_problem *q = &p->items[p->n];
    *q = (nx_contract_problem){.file = file,
                               .line = p->line,
                               .col = p->col,
                               .key = nx_arena_dup(p->a, found ? nx_buf_str(&key) : NX_STR("")),
                               .cause = nx_arena_dup(p->a, nx_str_of(what->text)),
                               .hint = nx_arena_dup(p->a, nx_str_of(what->hint))};
    if (q->key == NULL || q->cause == NULL || q->hint == NULL)
        return nx_nomem(err);
    p->n++;
    p->n_file++;
    return NX_OK;
}

nx_status nx__gather(const nx_origin *origin, nx_status st, nx_err *err)
{
    if (st == NX_OK || st == NX_NOMEM || origin->problems == NULL)
        return st;
    const nx_err what = *err;
    nx_err_clear(err);
    return nx__problem_add(origin->problems, origin->file, &what, err);
}
