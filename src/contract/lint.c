/* Every problem of every file: the compiler of contracts, run with a list that its failures go into. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "contract/problem_int.h"

typedef struct job {
    nx_lint *l;
    nx_problems problems;
    nx_paths paths;
    nx_contract **done; /* those without a problem, for the checks between them */
    size_t n_done;
} job;

/* The YAML reader tells its place in words. */
static void place_of_syntax(nx_problems *p, nx_err *what)
{
    int line, col, behind = 0;
    const char *at = strstr(what->text, " at line ");
    if (at == NULL || sscanf(at, " at line %d, column %d: %n", &line, &col, &behind) != 2 || behind == 0)
        return;
    p->line = line;
    p->col = col;
    memmove(what->text, at + behind, strlen(at + behind) + 1);
}

static nx_status read_file(job *j, const char *path, nx_err *err)
{
    nx_arena trees NX_ARENA_AUTO;
    nx_buf text NX_BUF_AUTO;
    nx_arena_init(&trees, 0);
    nx_buf_init(&text, NX_CONTRACT_BYTES_MAX);
    nx_problems *p = &j->problems;
    nx_val *root = NULL;
    p->n_file = 0;
    p->root = NULL;
    p->line = p->col = 0;
    nx_status st = nx__contract_tree(path, &text, &trees, &root, err);
    if (st == NX_NOMEM)
        return st;
    if (st != NX_OK) {
        nx_err what = *err;
        place_of_syntax(p, &what);
        return nx__problem_add(p, path, &what, err);
    }
    nx_contract *c = NX_ARENA_NEW(&j->l->arena, nx_contract);
    if (c == NULL)
        return nx_nomem(err);
    c->origin = (nx_origin){path, p};
    p->root = root;
    st = nx__compile(c, root, &j->l->arena, err);
    if (st != NX_OK && st != NX_NOMEM)
        st = nx__gather(&c->origin, st, err);
    NX_TRY(st);
    p->line = p->col = 0; /* what follows is about the file as a whole */
    if (p->n_file == 0)
        NX_TRY(nx__gather(&c->origin, nx__contract_self(c, err), err));
    for (size_t i = 0; p->n_file == 0 && i < j->n_done; i++)
        NX_TRY(nx__gather(&c->origin, nx__contract_pair(j->done[i], c, err), err));
    c->origin.problems = NULL;
    p->root = NULL;
    if (p->n_file == 0)
        j->done[j->n_done++] = c;
    return NX_OK;
}

static int by_place(const void *a, const void *b)
{
    const nx_contract_problem *p = a, *q = b;
    if (p->line != q->line)
        return p->line < q->line ? -1 : 1;
    return p->col < q->col ? -1 : p->col > q->col;
}

static nx_status list_paths(job *j, const char *const *paths, size_t n, nx_err *err)
{
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        if (stat(paths[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            NX_TRY(nx__paths_below(&j->paths, paths[i], &j->l->arena, err));
            continue;
        }
        const char *path = nx_arena_dup(&j->l->arena, nx_str_of(paths[i]));
        if (path == NULL)
            return nx_nomem(err);
        NX_TRY(nx__paths_add(&j->paths, path, err));
    }
    return NX_OK;
}

static nx_status run(job *j, nx_err *err)
{
    j->done = NX_ARENA_ARRAY(&j->l->arena, nx_contract *, j->paths.n + 1);
    if (j->done == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < j->paths.n; i++) {
        size_t before = j->problems.n;
        NX_TRY(read_file(j, j->paths.items[i], err));
        size_t found = j->problems.n - before;
        if (found > 1)
            qsort(j->problems.items + before, found, sizeof *j->problems.items, by_place);
        j->l->n_bad += found > 0;
    }
    nx_err_clear(err);
    return NX_OK;
}

nx_status nx_contracts_lint(const char *const *paths, size_t n, nx_lint *ret, nx_err *err)
{
    *ret = (nx_lint){0};
    nx_arena_init(&ret->arena, 0);
    nx_err own; /* problems are noted from it, whether the caller wants a story or not */
    job j = {.l = ret, .problems = {.a = &ret->arena}};
    nx_err_clear(&own);
    nx_status st = list_paths(&j, paths, n, &own);
    if (st == NX_OK)
        st = run(&j, &own);
    ret->n_files = j.paths.n;
    if (st == NX_OK && j.problems.n > 0) {
        ret->problems = NX_ARENA_ARRAY(&ret->arena, nx_contract_problem, j.problems.n);
        if (ret->problems == NULL)
            st = nx_nomem(&own);
        else
            memcpy(ret->problems, j.problems.items, j.problems.n * sizeof *ret->problems);
        ret->n = st == NX_OK ? j.problems.n : 0;
    }
    free(j.paths.items);
    free(j.problems.items);
    if (st != NX_OK && err != NULL)
        *err = own;
    return st;
}

void nx_lint_drop(nx_lint *l)
{
    nx_arena_drop(&l->arena);
    *l = (nx_lint){0};
}
