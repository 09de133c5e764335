/* The folder _delta_log: what is in it and how a commit file is read. Only exact names count (facts: delta.md section
 * 1). */
#include <stdio.h>
#include <stdlib.h>

#include "lake/lake_int.h"

enum { COMMIT_BYTES_MAX = 512 << 20, LINE_ARENA_MAX = 256 << 20 };

nx_status nx__table_object(const nx_table *t, nx_str path, nx_buf *b)
{
    if (t->folder[0] != '\0') {
        NX_TRY(nx_buf_adds(b, t->folder));
        NX_TRY(nx_buf_addc(b, '/'));
    }
    return nx_buf_add(b, path);
}

nx_status nx__commit_name(const nx_table *t, int64_t version, nx_buf *b)
{
    char name[48];
    int n = snprintf(name, sizeof name, "_delta_log/%020lld.json", (long long)version);
    return nx__table_object(t, (nx_str){name, (size_t)n}, b);
}

nx_status nx__commit_read(const nx_table *t, int64_t version, nx_buf *b, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx__commit_name(t, version, &name) != NX_OK)
        return nx_nomem(err);
    if (b->max > COMMIT_BYTES_MAX)
        b->max = COMMIT_BYTES_MAX;
    return nx_store_get(t->store, name.p, b, err);
}

nx_status nx__ndjson_each(nx_str text, nx__line_fn fn, void *ctx, nx_err *err)
{
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, LINE_ARENA_MAX);
    nx_str rest = text, line;
    for (long n = 1; nx_str_split(&rest, '\n', &line); n++) {
        line = nx_str_trim(line);
        if (line.n == 0)
            continue;
        nx_arena_reset(&a);
        nx_val *v = NULL;
        nx_err why = {0};
        nx_status st = nx_json_parse(line, &(nx_json_opts){.allow_dup_keys = true}, &a, &v, &why);
        if (st != NX_OK)
            return st == NX_INVALID ? nx_fail(err, NX_CORRUPT, "line %ld is not JSON: %s", n, why.text) : nx_nomem(err);
        st = fn(ctx, v, err);
        if (st != NX_OK) {
            if (st == NX_CORRUPT)
                nx_err_prefix(err, "line %ld", n);
            return st;
        }
    }
    return NX_OK;
}

/* Exactly n digits at the front of *s: cuts them off. */
static bool take_digits(nx_str *s, size_t n, int64_t *ret)
{
    if (s->n < n || s->p[0] == '-' || !nx_str_to_i64(nx_str_sub(*s, 0, n), ret))
        return false;
    *s = nx_str_sub(*s, n, s->n);
    return true;
}

static bool take(nx_str *s, const char *lit)
{
    if (!nx_str_starts(*s, nx_str_of(lit)))
        return false;
    *s = nx_str_sub(*s, strlen(lit), s->n);
    return true;
}

static bool is_uuid(nx_str s)
{
    if (s.n != 36)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s.p[i] != '-' : strchr("0123456789abcdefABCDEF", s.p[i]) == NULL)
            return false;
    }
    return true;
}

/* What follows "V.checkpoint": ".parquet", ".P.N.parquet", ".UUID.json" or ".UUID.parquet". */
static bool checkpoint_of(nx_str rest, nx__cp *ret)
{
    ret->part = ret->parts = 1;
    ret->kind = NX__CP_CLASSIC;
    if (nx_str_is(rest, ".parquet"))
        return true;
    nx_str r = rest;
    ret->kind = NX__CP_PARTS;
    if (take(&r, ".") && take_digits(&r, 10, &ret->part) && take(&r, ".") && take_digits(&r, 10, &ret->parts))
        return nx_str_is(r, ".parquet") && ret->part >= 1 && ret->part <= ret->parts;
    ret->part = ret->parts = 1;
    ret->kind = NX__CP_V2;
    return rest.n > 37 && is_uuid(nx_str_sub(rest, 1, 37)) &&
           (nx_str_is(nx_str_sub(rest, 37, rest.n), ".json") || nx_str_is(nx_str_sub(rest, 37, rest.n), ".parquet"));
}

static nx_status on_entry(void *ctx, const nx_store_entry *e, nx_err *err)
{
    nx__log_list *l = ctx;
    nx_str s = nx_str_of(e->name);
    int64_t version;
    if (e->is_dir || !take_digits(&s, 20, &version))
        return NX_OK;
    if (nx_str_is(s, ".json")) {
        if (!nx_grow(&l->commits, &l->cap_commits, l->n_commits + 1, sizeof *l->commits))
            return nx_nomem(err);
        l->commits[l->n_commits++] = (nx__commit_entry){version, e->modified_ms};
        return NX_OK;
    }
    nx__cp cp = {.version = version};
    if (!take(&s, ".checkpoint") || strlen(e->name) >= sizeof cp.name || !checkpoint_of(s, &cp))
        return NX_OK;
    snprintf(cp.name, sizeof cp.name, "%s", e->name);
    if (!nx_grow(&l->cps, &l->cap_cps, l->n_cps + 1, sizeof *l->cps))
        return nx_nomem(err);
    l->cps[l->n_cps++] = cp;
    return NX_OK;
}

nx_status nx__log_scan(const nx_table *t, nx__log_list *ret, nx_err *err)
{
    *ret = (nx__log_list){0};
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx__table_object(t, NX_STR("_delta_log"), &name) != NX_OK)
        return nx_nomem(err);
    nx_status st = nx_store_list(t->store, name.p, on_entry, ret, err);
    if (st != NX_OK)
        nx__log_list_drop(ret);
    return st;
}

void nx__log_list_drop(nx__log_list *l)
{
    free(l->commits);
    free(l->cps);
    *l = (nx__log_list){0};
}
