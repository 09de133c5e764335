/* A file under way: row groups one behind the other, what a failed add left is cut off, the footer at the end. */
#include "lake/parquet.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/file.h"
#include "lake/parquet_int.h"

enum { OUT_BYTES = 1 << 20 }; /* written to the file at a time */

/* ------------------------------------------------------------------ the encoder */

nx_status nx_pq_encoder_new(int zstd_level, nx_pq_encoder **ret, nx_err *err)
{
    nx_pq_encoder *e = calloc(1, sizeof *e);
    if (e == NULL)
        return nx_nomem(err);
    nx_status st = nx_zstd_new(zstd_level, &e->zstd, err);
    if (st != NX_OK) {
        free(e);
        return st;
    }
    nx_buf_init(&e->page, (size_t)INT32_MAX + 1);
    nx_buf_init(&e->packed, (size_t)INT32_MAX + 1);
    nx_buf_init(&e->out, (size_t)INT32_MAX * 2);
    *ret = e;
    return NX_OK;
}

void nx_pq_encoder_drop(nx_pq_encoder *e)
{
    if (e == NULL)
        return;
    nx_zstd_drop(e->zstd);
    nx__pq_walk_drop(&e->walk);
    nx__pq_dict_drop(&e->dict);
    free(e->nums);
    free(e->texts);
    free(e->index);
    free(e->fixed);
    nx_buf_drop(&e->page);
    nx_buf_drop(&e->packed);
    nx_buf_drop(&e->out);
    free(e);
}

/* ------------------------------------------------------------------ opening */

static nx_status describe(nx_pq_file *f, const nx_schema *schema, const size_t *skip, size_t n_skip,
                          const char *created_by, nx_err *err)
{
    f->schema = nx_schema_copy(&f->arena, schema);
    f->skip = NX_ARENA_ARRAY(&f->arena, bool, schema->n_fields + 1);
    f->created_by = nx_arena_dup(&f->arena, nx_str_of(created_by));
    if (f->schema == NULL || f->skip == NULL || f->created_by == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < n_skip; i++)
        if (skip[i] < schema->n_fields)
            f->skip[skip[i]] = true;
    return nx__pq_leaves(f->schema, f->skip, &f->arena, &f->leaves, &f->n_leaves, err);
}

static nx_status create(nx_pq_file *f, const char *path, nx_err *err)
{
    f->path = nx_str_dup(nx_str_of(path));
    if (f->path == NULL)
        return nx_nomem(err);
    f->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (f->fd < 0) {
        free(f->path); /* not ours: closing must not delete it */
        f->path = NULL;
        return nx_fail_sys(err, errno == EEXIST ? NX_EXISTS : NX_IO, "could not create %s", path);
    }
    NX_TRY(nx_fd_write(f->fd, NX__PQ_MAGIC, 4, err));
    f->now.pos = f->kept.pos = 4;
    return NX_OK;
}

nx_status nx_pq_open(const char *path, const nx_schema *schema, const size_t *skip, size_t n_skip,
                     const char *created_by, nx_pq_file **ret, nx_err *err)
{
    nx_pq_file *f = calloc(1, sizeof *f);
    if (f == NULL)
        return nx_nomem(err);
    f->fd = -1;
    nx_arena_init(&f->arena, 0);
    nx_buf_init(&f->groups, 0);
    nx_status st = describe(f, schema, skip, n_skip, created_by, err);
    if (st == NX_OK)
        st = create(f, path, err);
    if (st != NX_OK) {
        nx_pq_close(f);
        return st;
    }
    *ret = f;
    return NX_OK;
}

bool nx_pq_fits(const nx_pq_file *f, const nx_schema *schema)
{
    return nx_schema_equal(f->schema, schema);
}

const nx_schema *nx_pq_schema(const nx_pq_file *f)
{
    return f->schema;
}

int64_t nx_pq_bytes(const nx_pq_file *f)
{
    return f->kept.pos;
}

void nx_pq_discard(nx_pq_file *f)
{
    if (f != NULL)
        f->ended = false;
    nx_pq_close(f);
}

void nx_pq_close(nx_pq_file *f)
{
    if (f == NULL)
        return;
    nx_fd_drop(&f->fd);
    if (f->path != NULL && !f->ended)
        unlink(f->path);
    free(f->path);
    nx_buf_drop(&f->groups);
    nx_arena_drop(&f->arena);
    free(f);
}

/* ------------------------------------------------------------------ row groups */

typedef struct group {
    nx_pq_file *f;
    nx_pq_encoder *e;
    size_t leaf;
    nx_buf chunks;
    int64_t pos, bytes;
} group;

static nx_status flush(group *g, size_t more_than, nx_err *err)
{
    nx_buf *out = &g->e->out;
    if (out->n <= more_than)
        return NX_OK;
    NX_TRY(nx_fd_write(g->f->fd, out->p, out->n, err));
    g->pos += (int64_t)out->n;
    nx_buf_clear(out);
    return NX_OK;
}

static nx_status leaf_column(void *ctx, const nx_col *c, nx__pq_slots *s, nx_err *err)
{
    group *g = ctx;
    nx__pq_leaf *leaf = &g->f->leaves[g->leaf++];
    nx_status st = nx__pq_column(g->e, leaf, c, s, g->pos, &g->chunks, &g->bytes, err);
    if (st != NX_OK) {
        nx_err_prefix(err, "column %s", leaf->path[0]);
        return st;
    }
    return flush(g, OUT_BYTES, err);
}

static nx_status write_columns(group *g, const nx_batch *b, const nx__pq_pick *pick, nx_err *err)
{
    nx_pq_file *f = g->f;
    for (size_t i = 0; i < b->schema->n_fields; i++)
        if (!f->skip[i])
            NX_TRY(nx__pq_walk_column(&g->e->walk, &b->cols[i], pick, leaf_column, g, err));
    NX_TRY(flush(g, 0, err));
    nx_status st = nx__pq_group(&f->groups, f->n_leaves, nx_buf_str(&g->chunks), g->bytes, f->now.pos, g->pos,
                                (int64_t)pick->n, f->now.n_groups);
    if (st != NX_OK)
        return nx_fail(err, st, "could not describe the row group: %s", nx_status_text(st));
    f->now.pos = g->pos;
    f->now.rows += (int64_t)pick->n;
    f->now.n_groups++;
    f->now.groups_n = f->groups.n;
    return NX_OK;
}

static nx_status write_group(nx_pq_file *f, nx_pq_encoder *e, const nx_batch *b, const nx__pq_pick *pick, nx_err *err)
{
    group g = {.f = f, .e = e, .pos = f->now.pos};
    nx_buf_init(&g.chunks, 0);
    nx_buf_clear(&e->out);
    nx_status st = write_columns(&g, b, pick, err);
    nx_buf_drop(&g.chunks);
    return st;
}

nx_status nx_pq_add(nx_pq_file *f, nx_pq_encoder *e, const nx_batch *b, const uint32_t *rows, size_t n_rows,
                    nx_err *err)
{
    size_t n = rows == NULL ? b->n : n_rows;
    if (!nx_pq_fits(f, b->schema))
        return nx_fail(err, NX_INVALID, "could not write to %s: the rows have another schema", f->path);
    if (f->torn)
        NX_TRY(nx_pq_rewind(f, err));
    size_t n_groups = (n + NX_PQ_GROUP_ROWS - 1) / NX_PQ_GROUP_ROWS;
    for (size_t i = 0, from = 0; i < n_groups; i++) {
        nx__pq_pick pick = {rows, from, (n - from) / (n_groups - i)}; /* even parts */
        nx_status st = nx_fault_hit(NX_FAULT_PARQUET_WRITE) != NX_FAULT_NONE
                           ? nx_fail(err, NX_IO, "no space left on device")
                           : write_group(f, e, b, &pick, err);
        if (st != NX_OK) {
            f->torn = true;
            nx_err_prefix(err, "could not write %s", f->path);
            return st;
        }
        from += pick.n;
    }
    return NX_OK;
}

void nx_pq_keep(nx_pq_file *f)
{
    f->kept = f->now;
    for (size_t i = 0; i < f->n_leaves; i++)
        f->leaves[i].kept = f->leaves[i].now;
}

nx_status nx_pq_rewind(nx_pq_file *f, nx_err *err)
{
    f->torn = true;
    f->now = f->kept;
    f->groups.n = f->kept.groups_n;
    for (size_t i = 0; i < f->n_leaves; i++)
        f->leaves[i].now = f->leaves[i].kept;
    if (ftruncate(f->fd, f->kept.pos) < 0 || lseek(f->fd, f->kept.pos, SEEK_SET) < 0)
        return nx_fail_sys(err, NX_IO, "could not cut %s back to %lld bytes", f->path, (long long)f->kept.pos);
    f->torn = false;
    return NX_OK;
}

/* ------------------------------------------------------------------ the end */

/* "bids.list.element.price" is known to the log without lists; a leaf in a list has no statistics there. */
static nx_status tell(const nx_pq_file *f, nx_arena *a, nx_file_stats *ret, nx_err *err)
{
    ret->cols = NX_ARENA_ARRAY(a, nx_col_stats, f->n_leaves);
    ret->n_cols = 0;
    if (ret->cols == NULL)
        return nx_nomem(err);
    for (size_t i = 0; i < f->n_leaves; i++) {
        const nx__pq_leaf *l = &f->leaves[i];
        if (l->max_rep > 0)
            continue;
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 0);
        nx_status st = NX_OK;
        for (size_t k = 0; k < l->n_path && st == NX_OK; k++)
            st = nx_buf_addf(&path, "%s%s", k == 0 ? "" : ".", l->path[k]);
        nx_col_stats *c = &ret->cols[ret->n_cols++];
        if (st == NX_OK)
            st = nx__pq_stats_texts(&l->kept, l->type, a, c);
        if (st != NX_OK || (c->path = nx_arena_dup(a, nx_buf_str(&path))) == NULL)
            return nx_nomem(err);
    }
    return NX_OK;
}

nx_status nx_pq_end(nx_pq_file *f, nx_arena *a, nx_file_stats *ret, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    NX_TRY(nx_pq_rewind(f, err)); /* also what an earlier try left */
    nx_status st = nx__pq_footer(f, &b);
    if (st != NX_OK)
        return nx_fail(err, st, "could not describe %s: %s", f->path, nx_status_text(st));
    f->torn = true; /* should the footer not get there whole, and more rows come */
    NX_TRY(nx_fd_write(f->fd, b.p, b.n, err));
    ret->rows = f->kept.rows;
    ret->bytes = f->kept.pos + (int64_t)b.n;
    NX_TRY(tell(f, a, ret, err));
    f->ended = true;
    return NX_OK;
}
