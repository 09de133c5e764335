/* Appending batches: rows are split by partition value, every value becomes a durable file, one commit shows them
 * all. */
#include <stdio.h>
#include <stdlib.h>

#include "data/decimal.h"
#include "data/time.h"
#include "lake/lake_int.h"

struct nx_writer {
    nx_table *t;
    nx_session *s;
    nx__snap *base; /* when it was opened, or of the last commit */
    nx__change c;
    bool partial;      /* some file lacks columns of the table */
    nx_schema *schema; /* the table's, in `arena` */
    nx_arena arena;
};

/* ------------------------------------------------------------------ partition values of a batch */

typedef struct bucket {
    nx__pair *pv;
    uint32_t *rows;
    size_t n, cap;
} bucket;

static void bucket_drop(void *p)
{
    bucket *b = p;
    free(b->rows);
    free(b);
}

/* Appends the value's text as the log wants it (facts: delta.md section 4). NX_NOTHING: null. */
static nx_status value_text(const nx_col *c, size_t i, nx_buf *b, nx_err *err)
{
    char out[64];
    size_t n = 0;
    if (nx_col_is_null(c, i))
        return NX_NOTHING;
    switch (c->type->kind) {
    case NX_STRING:
        if (nx_col_get_str(c, i).n == 0)
            return nx_fail(err, NX_CHECK_FAILED,
                           "partition column \"%s\" holds an empty text, which Delta cannot store", c->name);
        return nx_buf_add(b, nx_col_get_str(c, i));
    case NX_BOOL:
        return nx_buf_adds(b, ((const uint8_t *)c->data)[i] != 0 ? "true" : "false");
    case NX_INT32:
        return nx_buf_addf(b, "%d", nx_col_get_i32(c, i));
    case NX_INT64:
        return nx_buf_addf(b, "%lld", (long long)nx_col_get_i64(c, i));
    case NX_DATE:
        n = nx_date_format(nx_col_get_i32(c, i), out);
        break;
    case NX_TIMESTAMP: {
        int64_t us = nx_col_get_i64(c, i), s = us / 1000000, f = us % 1000000;
        if (f < 0) {
            s--;
            f += 1000000;
        }
        n = nx_time_format_us(s * 1000000, out); /* ends in Z */
        n = n - 1 + (size_t)snprintf(out + n - 1, sizeof out - n + 1, ".%06dZ", (int)f);
        break;
    }
    case NX_DECIMAL: {
        bool wide = c->type->precision > 18;
        n = nx_dec_format(wide ? ((const __int128 *)c->data)[i] : nx_col_get_i64(c, i), c->type->scale, out);
        break;
    }
    default:
        return nx_fail(err, NX_UNSUPPORTED, "column \"%s\" has a type that cannot partition a table", c->name);
    }
    return nx_buf_add(b, (nx_str){out, n});
}

static bool same_value(const nx_col *c, size_t i, size_t k)
{
    if (nx_col_is_null(c, i) || nx_col_is_null(c, k))
        return nx_col_is_null(c, i) && nx_col_is_null(c, k);
    switch (c->type->kind) {
    case NX_STRING:
        return nx_str_eq(nx_col_get_str(c, i), nx_col_get_str(c, k));
    case NX_INT32:
    case NX_DATE:
        return nx_col_get_i32(c, i) == nx_col_get_i32(c, k);
    case NX_INT64:
    case NX_TIMESTAMP:
        return nx_col_get_i64(c, i) == nx_col_get_i64(c, k);
    default:
        return false; /* found by its text */
    }
}

typedef struct splitter {
    nx_writer *w;
    const nx_batch *b;
    const size_t *cols; /* batch columns of the table's partition columns */
    size_t n;
    nx_map buckets;
} splitter;

/* The bucket of row i: made when its value is new. */
static nx_status bucket_of(splitter *sp, size_t i, bucket **ret, nx_err *err)
{
    nx_buf key NX_BUF_AUTO;
    nx_buf_init(&key, 0);
    size_t ends[64];
    bool null[64];
    for (size_t k = 0; k < sp->n; k++) {
        nx_status st = value_text(&sp->b->cols[sp->cols[k]], i, &key, err);
        null[k] = st == NX_NOTHING;
        if (st != NX_OK && st != NX_NOTHING)
            return st;
        ends[k] = key.n;
        NX_TRY(nx_buf_addc(&key, null[k] ? '\1' : '\0'));
    }
    *ret = nx_map_get(&sp->buckets, nx_buf_str(&key));
    if (*ret != NULL)
        return NX_OK;
    bucket *b = calloc(1, sizeof *b);
    if (b == NULL || nx_map_set(&sp->buckets, nx_buf_str(&key), b) != NX_OK) {
        free(b);
        return nx_nomem(err);
    }
    b->pv = NX_ARENA_ARRAY(&sp->w->c.arena, nx__pair, sp->n);
    for (size_t k = 0; b->pv != NULL && k < sp->n; k++) {
        size_t from = k == 0 ? 0 : ends[k - 1] + 1;
        const char *name = nx_arena_dup(&sp->w->c.arena, sp->w->base->meta->part[k]);
        const char *text = nx_arena_dup(&sp->w->c.arena, nx_str_sub(nx_buf_str(&key), from, ends[k]));
        if (name == NULL || text == NULL)
            return nx_nomem(err);
        b->pv[k] = (nx__pair){nx_str_of(name), null[k] ? (nx_str){NULL, 0} : (nx_str){text, ends[k] - from}};
    }
    *ret = b;
    return b->pv != NULL ? NX_OK : nx_nomem(err);
}

static nx_status split(splitter *sp, nx_err *err)
{
    bucket *at = NULL;
    for (size_t i = 0; i < sp->b->n; i++) {
        bool same = at != NULL;
        for (size_t k = 0; k < sp->n && same; k++)
            same = same_value(&sp->b->cols[sp->cols[k]], i, i - 1);
        if (!same)
            NX_TRY(bucket_of(sp, i, &at, err));
        if (!nx_grow(&at->rows, &at->cap, at->n + 1, sizeof *at->rows))
            return nx_nomem(err);
        at->rows[at->n++] = (uint32_t)i;
    }
    return NX_OK;
}

/* ------------------------------------------------------------------ files */

static nx_status write_file(nx_writer *w, const nx_batch *b, const bucket *part, const size_t *skip, size_t n_skip,
                            nx_err *err)
{
    nx_buf path NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 64 << 20);
    nx_file_stats st;
    nx__add add = {.pv = part == NULL ? NULL : part->pv, .n_pv = n_skip};
    NX_TRY(nx__data_name(&w->c.arena, add.pv, add.n_pv, &add.path, err));
    NX_TRY(nx__data_stage(w->t, add.path, &path, err));
    NX_TRY(nx_session_write_batch(w->s, b, part == NULL ? NULL : part->rows, part == NULL ? 0 : part->n, skip, n_skip,
                                  path.p, NULL, &a, &st, err));
    NX_TRY(nx__data_publish(w->t, &w->c, b->schema, w->base->meta, add, &st, err));
    w->c.rows_added += st.rows;
    return NX_OK;
}

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

static nx_status write_split(nx_writer *w, const nx_batch *b, nx_err *err)
{
    size_t cols[64], n = w->base->meta->n_part;
    if (n > NX_COUNT_OF(cols))
        return nx_fail(err, NX_UNSUPPORTED, "table %s has %zu partition columns", w->t->name, n);
    for (size_t k = 0; k < n; k++)
        cols[k] = nx_schema_find(b->schema, w->base->meta->part[k]);
    splitter sp = {w, b, cols, n, {0}};
    nx_map_init(&sp.buckets, bucket_drop);
    nx_status st = split(&sp, err);
    nx_map_entry *e;
    for (size_t i = 0; st == NX_OK && (e = nx_map_next(&sp.buckets, &i)) != NULL;)
        st = write_file(w, b, e->value, cols, n, err);
    nx_map_drop(&sp.buckets);
    return st;
}

nx_status nx_writer_add(nx_writer *w, const nx_batch *b, nx_err *err)
{
    if (b->n == 0)
        return NX_OK;
    if (w->c.n_adds == 0)
        NX_TRY(take_base(w, err)); /* columns may have been added */
    NX_TRY(check_batch(w, b->schema, err));
    NX_TRY(check_nulls(w, b, err));
    size_t files = w->c.n_adds;
    int64_t rows = w->c.rows_added;
    nx_status st = w->base->meta->n_part == 0 ? write_file(w, b, NULL, NULL, 0, err) : write_split(w, b, err);
    if (st != NX_OK) { /* all of the batch or nothing: the caller may try again */
        nx__change_discard_from(w->t, &w->c, files);
        w->c.rows_added = rows;
    }
    return st;
}

/* ------------------------------------------------------------------ opening, committing */

nx_status nx_writer_open(nx_table *t, nx_session *s, nx_writer **ret, nx_err *err)
{
    nx_writer *w = calloc(1, sizeof *w);
    if (w == NULL)
        return nx_nomem(err);
    w->t = t;
    w->s = s;
    nx__change_init(&w->c, "WRITE");
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
    if (same || w->c.n_adds == 0)
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
    nx__change_drop(&w->c);
    nx__change_init(&w->c, "WRITE");
    w->partial = false;
}

nx_status nx_writer_commit(nx_writer *w, const nx_commit_opts *o, nx_commit_result *ret, nx_err *err)
{
    *ret = (nx_commit_result){.version = w->base->version};
    if (w->c.n_adds == 0)
        return NX_OK;
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
    nx__change_discard(w->t, &w->c);
    nx__change_drop(&w->c);
    nx__snap_unref(w->base);
    nx_arena_drop(&w->arena);
    free(w);
}
