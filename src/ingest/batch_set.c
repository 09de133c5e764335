/* Batch sets: a column batch for each table, filled together and handed on together. */
#include "ingest/stream_int.h"

enum {
    HEAP_BYTES = 16 << 20
}; /* a column: some ten times what ordinary rows need, so that hostile ones cost no more */

/* A frame is decoded whole before the set is looked at: room for the rows of one more frame. */
static size_t row_max(const nx_stream *s)
{
    return s->o.batch_rows + s->o.frame_bytes_max / 8;
}

nx_status nx__edge_set_init(nx_edge_set *set, const nx_stream *s, nx_err *err)
{
    for (size_t i = 0; i < s->n_tables; i++) {
        nx_status st =
            nx_batch_init(&set->batches[i], nx_contract_schema(s->tables[i].contract), row_max(s), HEAP_BYTES);
        if (st == NX_OK)
            continue;
        while (i-- > 0)
            nx_batch_drop(&set->batches[i]);
        return nx_fail(err, st, "could not make the batches of the edge: %s", nx_status_text(st));
    }
    return NX_OK;
}

void nx__edge_set_drop(nx_edge_set *set, const nx_stream *s)
{
    for (size_t i = 0; i < s->n_tables; i++)
        nx_batch_drop(&set->batches[i]);
}

void nx__edge_set_clear(nx_edge_set *set, const nx_stream *s)
{
    for (size_t i = 0; i < s->n_tables; i++)
        nx_batch_clear(&set->batches[i]);
    set->rows = set->bytes = 0;
    set->last_pos = 0;
    set->first_at = 0;
}

void nx__edge_set_mark(const nx_edge_set *set, const nx_stream *s, nx_edge_mark *ret)
{
    for (size_t i = 0; i < s->n_tables; i++)
        ret->rows[i] = set->batches[i].n;
}

void nx__edge_set_undo(nx_edge_set *set, const nx_stream *s, const nx_edge_mark *m)
{
    for (size_t i = 0; i < s->n_tables; i++)
        nx_batch_truncate(&set->batches[i], m->rows[i]);
}
