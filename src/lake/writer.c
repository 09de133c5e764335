/* Appending batches: rows are split by partition value and written to open files; a commit makes them durable, then
 * visible all at once. */
#include <stdlib.h>

#include "lake/lake_int.h"

struct nx_writer {
    nx_table *t;
    nx__snap *base; /* when it was opened, or of the last commit */
    nx__change c;
    nx__outs outs;     /* files that are not in `c` yet */
    bool partial;      /* some file lacks columns of the table */
    nx_schema *schema; /* the table's, in `arena` */
    nx_arena arena;
};

/* ------------------------------------------------------------------ adding */

/* Every column of the batch is one of the table's, of its type; a column that must not be null is there. */
static nx_status check_batch(nx_writer *w, const nx_schema *have, nx_err *err)
{
    for (size_t i = 0; i < have->n_fields; i++) {
        size_t at = nx_schema_find(w->schema, nx_str_of(have->fields[i].name));
        if (at == SIZE_MAX)
            return nx_fail(err, NX_CONFLICT, "table %s has no column \"%s\"", w->t->name, have->fields[i].name);
        if (!nx_type_equal(&w->schema->fields[at].type, &have->fields[i].type))
            return nx_fail(err, NX_CONFLICT, "column \"%s\" has another type in table %s", have->fields[i].name,
                           w->t->name);
    }
    for (size_t i = 0; i < w->schema->n_fields; i++) {
        const nx_field *f = &w->schema->fields[i];
        if (nx_schema_find(have, nx_str_of(f->name)) != SIZE_MAX)
            continue;
        if (!f->nullable || nx__meta_is_part(w->base->meta, nx_str_of(f->name)))
            return nx_fail(err, NX_CONFLICT, "the rows lack column \"%s\" of table %s", f->name, w->t->name);
        w->partial = true;
    }
    return NX_OK;
}

static nx_status check_nulls(const nx_writer *w, const nx_batch *b, nx_err *err)
{
    for (size_t i = 0; i < w->schema->n_fields; i++) {
        const nx_field *f = &w->schema->fields[i];
        size_t at = f->nullable ? SIZE_MAX : nx_schema_find(b->schema, nx_str_of(f->name));
        if (at != SIZE_MAX && b->cols[at].n_nulls > 0)
            return nx_fail(err, NX_CHECK_FAILED, "column \"%s\" of table %s must not be null, and is in %zu rows",
                           f->name, w->t->name, b->cols[at].n_nulls);
    }
    return NX_OK;
}

static nx_status take_base(nx_writer *w, nx_err *err)
{
    nx__snap *s = NULL;
    NX_TRY(nx__table_snap(w->t, &s, err));
    nx__snap_unref(w->base);
    w->base = s;
    nx_arena_reset(&w->arena);
    return nx__schema_of(w->t, s->meta, &w->arena, &w->schema, err);
}

typedef struct adding {
    nx_writer *w;
    const nx_batch *b;
} adding;

static nx_status add_part(void *ctx, const nx__bucket *part, const size_t *cols, size_t n_cols, nx_err *err)
{
    const adding *x = ctx;
    return nx__outs_add(&x->w->outs, x->b, part, cols, n_cols, x->w->base->meta, err);
}

static bool pending(const nx_writer *w)
{
    return w->c.n_adds > 0 || w->outs.n > 0;
}

nx_status nx_writer_add(nx_writer *w, const nx_batch *b, nx_err *err)
{
    if (b->n == 0)
        return NX_OK;
    if (!pending(w))
        NX_TRY(take_base(w, err)); /* columns may have been added */
    NX_TRY(check_batch(w, b->schema, err));
    NX_TRY(check_nulls(w, b, err));
    size_t files = w->c.n_adds;
    adding x = {w, b};
    nx_status st = nx__split(w->t, w->base->meta, b, &w->c.arena, add_part, &x, err);
    if (st != NX_OK) { /* all of the batch or nothing: the caller may try again */
        nx__outs_rewind(&w->outs);
        nx__change_discard_from(w->t, &w->c, files);
        return st;
    }
    nx__outs_keep(&w->outs);
    w->c.rows_added += (int64_t)b->n;
    return NX_OK;
}

/* ------------------------------------------------------------------ opening, committing */

nx_status nx_writer_open(nx_table *t, nx_writer **ret, nx_err *err)
{
    nx_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return nx_nomem(err);
    w->t = t;
    nx__change_init(&w->c, "WRITE");
    w->outs = (nx__outs){.t = t, .c = &w->c};
    nx_arena_init(&w->arena, 64 << 20);
    nx_status st = take_base(w, err);
    if (st == NX_OK)
        st = nx__proto_check_write(&w->base->proto, w->base->meta, t->name, err);
    if (st != NX_OK) {
        nx_writer_drop(w);
        return st;
    }
    *ret = w;
    return NX_OK;
}

/* The table may have got another shape since the files were written. */
static nx_status check_shape(nx_writer *w, const nx__meta *then, nx_err *err)
{
    const nx__meta *now = w->base->meta;
    bool same = nx_str_eq(now->schema_string, then->schema_string) && now->n_part == then->n_part;
    for (size_t k = 0; same && k < now->n_part; k++)
        same = nx_str_eq(now->part[k], then->part[k]);
    if (same || !pending(w))
        return NX_OK;
    return nx_fail(err, NX_CONFLICT, "could not commit to table %s: its schema was changed since the rows were written",
                   w->t->name);
}

static nx_status commit(nx_writer *w, nx_commit_result *ret, nx_err *err)
{
    nx__meta *then = nx__meta_ref(w->base->meta);
    nx_buf meta NX_BUF_AUTO;
    nx_buf_init(&meta, 0);
    nx_status st = take_base(w, err);
    if (st == NX_OK)
        st = check_shape(w, then, err);
    nx__meta_unref(then);
    NX_TRY(st);
    w->c.meta = (nx_str){NULL, 0};
    if (w->partial && w->base->meta->uniform) {
        if (nx__meta_evolve(w->base->meta, w->base->meta->schema_string, NULL, true, &meta) != NX_OK)
            return nx_nomem(err);
        w->c.meta = nx_buf_str(&meta);
    }
    st = nx__commit(w->t, w->base, &w->c, ret, err);
    w->c.meta = (nx_str){NULL, 0};
    return st;
}

static void empty(nx_writer *w)
{
    nx__outs_drop(&w->outs); /* the encoder's memory, too, until rows come again */
    nx__change_drop(&w->c);
    nx__change_init(&w->c, "WRITE");
    w->partial = false;
}

nx_status nx_writer_commit(nx_writer *w, const nx_commit_opts *o, nx_commit_result *ret, nx_err *err)
{
    *ret = (nx_commit_result){.version = w->base->version};
    if (!pending(w))
        return NX_OK;
    NX_TRY(nx__outs_publish(&w->outs, w->base->meta, err));
    w->c.operation = o == NULL || o->operation == NULL ? "WRITE" : o->operation;
    w->c.app_id = o == NULL ? NULL : o->app_id;
    w->c.txn_version = o == NULL ? 0 : o->txn_version;
    w->c.params = NX_STR("{\"mode\":\"\\\"Append\\\"\"}");
    nx_status st = commit(w, ret, err);
    if (st != NX_OK)
        return st; /* the files stay: the caller may try again, or drop the writer */
    if (!ret->committed)
        nx__change_discard(w->t, &w->c);
    empty(w);
    return NX_OK;
}

void nx_writer_drop(nx_writer *w)
{
    if (w == NULL)
        return;
    nx__outs_drop(&w->outs);
    nx__change_discard(w->t, &w->c);
    nx__change_drop(&w->c);
    nx__snap_unref(w->base);
    nx_arena_drop(&w->arena);
    free(w);
}
