/* New files under way: a few stay open from batch to batch, one a partition value, so that small batches do not make
 * small files; what does not find room among them becomes a file at once. */
#include <stdlib.h>

#include "lake/lake_int.h"

enum {
    OPEN_MAX = 16,       /* files and their descriptors */
    FULL_BYTES = 1 << 27 /* what compaction aims at: no more rows into such a file */
};

/* "nexus/1.2.3" as readers of Parquet want it said: "nexus version 1.2.3". */
static nx_status created_by(const nx_table *t, nx_buf *b)
{
    nx_str rest = nx_str_of(t->lake->engine_info), name;
    (void)nx_str_split(&rest, '/', &name);
    NX_TRY(nx_buf_add(b, name));
    NX_TRY(nx_buf_adds(b, " version "));
    return nx_buf_add(b, rest.p == NULL ? NX_STR("unknown") : rest);
}

static bool same_values(const nx__add *add, const nx__bucket *part, size_t n)
{
    if (add->n_pv != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        nx_str a = add->pv[i].value, b = part->pv[i].value;
        if ((a.p == NULL) != (b.p == NULL) || !nx_str_eq(a, b))
            return false;
    }
    return true;
}

static nx__out *find(nx__outs *o, const nx_batch *b, const nx__bucket *part, size_t n_pv)
{
    for (size_t i = 0; i < o->n; i++) {
        nx__out *one = &o->list[i];
        if (!one->ended && same_values(&one->add, part, n_pv) && nx_pq_fits(one->f, b->schema) &&
            nx_pq_bytes(one->f) < FULL_BYTES)
            return one;
    }
    return NULL;
}

static nx_status open_one(nx__outs *o, const nx_batch *b, const nx__bucket *part, const size_t *skip, size_t n_skip,
                          nx__out *ret, nx_err *err)
{
    nx_buf path NX_BUF_AUTO, who NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    nx_buf_init(&who, 0);
    *ret = (nx__out){.add = {.pv = part->pv, .n_pv = n_skip}, .fresh = true};
    if (created_by(o->t, &who) != NX_OK)
        return nx_nomem(err);
    if (o->encoder == NULL)
        NX_TRY(nx_pq_encoder_new(0, &o->encoder, err));
    NX_TRY(nx__data_name(&o->c->arena, part->pv, n_skip, &ret->add.path, err));
    NX_TRY(nx__data_stage(o->t, ret->add.path, &path, err));
    return nx_pq_open(path.p, b->schema, skip, n_skip, who.p, &ret->f, err);
}

/* Ends the file and hands it to the change. May be called again after a failure. */
static nx_status publish(nx__outs *o, nx__out *one, const nx__meta *m, nx_err *err)
{
    if (!one->ended)
        NX_TRY(nx_pq_end(one->f, &o->c->arena, &one->st, err));
    one->ended = true;
    NX_TRY(nx__data_publish(o->t, o->c, nx_pq_schema(one->f), m, one->add, &one->st, err));
    nx_pq_close(one->f);
    return NX_OK;
}

/* Deletes the file, staged or already renamed by a try to publish that failed behind that. */
static void discard(nx__outs *o, nx__out *one)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    nx_pq_discard(one->f);
    if (one->ended && nx__table_object(o->t, one->add.path, &name) == NX_OK)
        (void)!nx_store_delete(o->t->store, name.p, NULL); /* else vacuum takes it later */
}

static nx_status write_at_once(nx__outs *o, nx__out *one, const nx_batch *b, const nx__bucket *part, const nx__meta *m,
                               nx_err *err)
{
    nx_status st = nx_pq_add(one->f, o->encoder, b, part->rows, part->n, err);
    if (st == NX_OK) {
        nx_pq_keep(one->f);
        st = publish(o, one, m, err);
    }
    if (st != NX_OK)
        discard(o, one);
    return st;
}

nx_status nx__outs_add(nx__outs *o, const nx_batch *b, const nx__bucket *part, const size_t *skip, size_t n_skip,
                       const nx__meta *m, nx_err *err)
{
    nx__out *one = find(o, b, part, n_skip);
    if (one == NULL) {
        nx__out made;
        NX_TRY(open_one(o, b, part, skip, n_skip, &made, err));
        if (o->n == OPEN_MAX)
            return write_at_once(o, &made, b, part, m, err);
        if (!nx_grow(&o->list, &o->cap, o->n + 1, sizeof *o->list)) {
            nx_pq_discard(made.f);
            return nx_nomem(err);
        }
        one = &o->list[o->n++];
        *one = made;
    }
    return nx_pq_add(one->f, o->encoder, b, part->rows, part->n, err);
}

void nx__outs_keep(nx__outs *o)
{
    for (size_t i = 0; i < o->n; i++) {
        if (!o->list[i].ended)
            nx_pq_keep(o->list[i].f);
        o->list[i].fresh = false;
    }
}

void nx__outs_rewind(nx__outs *o)
{
    size_t n = 0;
    for (size_t i = 0; i < o->n; i++) {
        if (o->list[i].fresh) {
            discard(o, &o->list[i]);
            continue;
        }
        if (!o->list[i].ended)
            (void)!nx_pq_rewind(o->list[i].f, NULL); /* what fails here is tried again before the next write */
        o->list[n++] = o->list[i];
    }
    o->n = n;
}

nx_status nx__outs_publish(nx__outs *o, const nx__meta *m, nx_err *err)
{
    for (; o->n > 0; o->n--)
        NX_TRY(publish(o, &o->list[o->n - 1], m, err));
    return NX_OK;
}

void nx__outs_drop(nx__outs *o)
{
    for (size_t i = 0; i < o->n; i++)
        discard(o, &o->list[i]);
    free(o->list);
    nx_pq_encoder_drop(o->encoder);
    *o = (nx__outs){.t = o->t, .c = o->c};
}
