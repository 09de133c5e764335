/* Compaction: the small files of a partition become few big ones, the rows stay what they are (facts: delta.md
 * section 7, snapshot isolation). */
#include <stdlib.h>

#include "lake/lake_int.h"

enum { MIN_FILES_DEFAULT = 2 };
#define TARGET_DEFAULT ((int64_t)128 << 20)

typedef struct bin {
    nx__file **files; /* of one partition */
    size_t n, cap;
} bin;

static void bin_drop(void *p)
{
    bin *b = p;
    free(b->files);
    free(b);
}

static nx_status part_key(const nx__file *f, nx_buf *b)
{
    for (size_t i = 0; i < f->n_pv; i++) {
        NX_TRY(nx_buf_add(b, f->pv[i].key));
        NX_TRY(nx_buf_addf(b, "=%d:", f->pv[i].value.p == NULL ? -1 : (int)f->pv[i].value.n));
        NX_TRY(nx_buf_add(b, f->pv[i].value));
    }
    return NX_OK;
}

/* Small files by partition. Three quarters of the target is big enough: a file is not rewritten for every newcomer. */
static nx_status collect(const nx__snap *s, int64_t target, nx_map *bins, nx_err *err)
{
    nx__file *f;
    for (size_t i = 0; (f = nx__snap_file(s, &i)) != NULL;) {
        nx_buf key NX_BUF_AUTO;
        nx_buf_init(&key, 0);
        if (f->bytes >= target / 4 * 3)
            continue;
        if (part_key(f, &key) != NX_OK)
            return nx_nomem(err);
        bin *b = nx_map_get(bins, nx_buf_str(&key));
        if (b == NULL) {
            b = calloc(1, sizeof *b);
            if (b == NULL || nx_map_set(bins, nx_buf_str(&key), b) != NX_OK) {
                free(b);
                return nx_nomem(err);
            }
        }
        if (!nx_grow(&b->files, &b->cap, b->n + 1, sizeof *b->files))
            return nx_nomem(err);
        b->files[b->n++] = f;
    }
    return NX_OK;
}

static nx_status check_rows(const nx__job *j, nx__file *const *files, size_t n, int64_t rows, nx_err *err)
{
    int64_t want = 0;
    for (size_t i = 0; i < n; i++) {
        if (files[i]->rows < 0)
            return NX_OK;
        want += files[i]->rows;
    }
    if (want == rows)
        return NX_OK;
    return nx_fail(err, NX_CORRUPT, "could not compact table %s: %zu files hold %lld rows, their statistics say %lld",
                   j->t->name, n, (long long)rows, (long long)want);
}

/* Rewrites files[0..n) as one file. */
static nx_status rewrite(nx__job *j, nx__file *const *files, size_t n, const char *order_by, nx_err *err)
{
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, 0);
    int64_t rows = 0;
    nx__scan sc = {.t = j->t, .meta = j->base->meta, .files = files, .n_files = n};
    NX_TRY(nx_buf_adds(&sql, "SELECT * FROM ("));
    NX_TRY(nx__scan_sql(&sc, &sql, err));
    NX_TRY(nx_buf_addc(&sql, ')'));
    if (order_by != NULL)
        NX_TRY(nx_buf_addf(&sql, " ORDER BY %s", order_by));
    NX_TRY(nx__job_write_part(j, nx_buf_str(&sql), files[0]->pv, files[0]->n_pv, &rows, err));
    NX_TRY(check_rows(j, files, n, rows, err));
    for (size_t i = 0; i < n; i++)
        NX_TRY(nx__change_remove(&j->c, files[i], err));
    return NX_OK;
}

/* First-come packing up to the target keeps neighbours in time together. */
static nx_status pack(nx__job *j, const bin *b, int64_t target, const char *order_by, nx_err *err)
{
    for (size_t from = 0; from < b->n;) {
        int64_t bytes = 0;
        size_t to = from;
        while (to < b->n && (to == from || bytes + b->files[to]->bytes <= target))
            bytes += b->files[to++]->bytes;
        if (to - from > 1)
            NX_TRY(rewrite(j, b->files + from, to - from, order_by, err));
        from = to;
    }
    return NX_OK;
}

static nx_status optimize_part(nx_table *t, nx_session *s, const nx__snap *base, const bin *b, int64_t target,
                               const char *order_by, nx_commit_result *ret, nx_err *err)
{
    nx__job j;
    nx_commit_result one = {0};
    nx_status st = nx__job_begin(&j, t, s, "OPTIMIZE", err);
    if (st == NX_OK) {
        j.c.reads = false;
        j.c.rearranges = true;
        /* the plan was made on `base`: a file that went away since is noticed by the commit */
        nx__snap_unref(j.base);
        j.base = (nx__snap *)base;
        atomic_fetch_add(&j.base->refs, 1);
        j.meta = base->meta;
        st = pack(&j, b, target, order_by, err);
    }
    if (st == NX_OK && j.c.n_removes > 0)
        st = nx__commit(t, base, &j.c, &one, err);
    nx__job_end(&j, st == NX_OK && one.committed);
    if (st == NX_CONFLICT) {
        nx_err_clear(err);
        return NX_OK; /* somebody rewrote these files: the next round sees to the rest */
    }
    if (st != NX_OK || !one.committed)
        return st;
    ret->committed = true;
    ret->version = one.version;
    ret->files_added += one.files_added;
    ret->files_removed += one.files_removed;
    ret->bytes_added += one.bytes_added;
    return NX_OK;
}

nx_status nx_table_optimize(nx_table *t, nx_session *s, const nx_optimize_opts *o, nx_commit_result *ret, nx_err *err)
{
    int64_t target = o == NULL || o->target_bytes <= 0 ? TARGET_DEFAULT : o->target_bytes;
    int64_t min_files = o == NULL || o->min_files <= 0 ? MIN_FILES_DEFAULT : o->min_files;
    nx__snap *base NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &base, err));
    *ret = (nx_commit_result){.version = base->version};
    nx_map bins;
    nx_map_init(&bins, bin_drop);
    bool any = false;
    nx_status st = collect(base, target, &bins, err);
    nx_map_entry *e;
    for (size_t i = 0; st == NX_OK && (e = nx_map_next(&bins, &i)) != NULL;) {
        const bin *b = e->value;
        if (b->n < 2 || (int64_t)b->n < min_files)
            continue;
        any = true;
        st = optimize_part(t, s, base, b, target, o == NULL ? NULL : o->order_by, ret, err);
    }
    nx_map_drop(&bins);
    if (st == NX_OK && !any)
        return NX_NOTHING;
    return st;
}
