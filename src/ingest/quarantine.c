/* What was refused becomes rows of quarantine.records: the bytes and every reason. */
#include "base/hash.h"
#include "ingest/stream_int.h"

/* Columns of contracts/quarantine/records.odcs.yaml, in its order; nx__commit_open() checks them by name. */
enum { RECORD_ID, SOURCE, CONTRACT, RAW, ERRORS, RECEIVED_AT, STATE, REPLAYED_AT };

/* The same frame refused again after a crash gets the same id: position and index do not change. */
static void record_id(nx_str source, uint64_t pos, int32_t index, char out[65])
{
    nx_sha256 h;
    unsigned char digest[32];
    nx_sha256_init(&h);
    nx_sha256_add(&h, source.p, source.n);
    nx_sha256_add(&h, "", 1);
    nx_sha256_add(&h, &pos, sizeof pos);
    nx_sha256_add(&h, &index, sizeof index);
    nx_sha256_end(&h, digest);
    nx_hex(digest, 16, out);
}

/* Null when empty. What was refused need not be UTF-8, and values are cut by bytes: columns of strings must be. */
static nx_status text(nx_batch *b, nx_col *c, nx_str v)
{
    char clean[1024];
    size_t n = 0;
    if (v.n == 0)
        return nx_col_null(b, c);
    if (nx_utf8_valid(v))
        return nx_col_str(b, c, v);
    for (size_t i = 0; i < v.n && n + 4 < sizeof clean;)
        n += nx_utf8_put(nx_utf8_get(v, &i), clean + n);
    return nx_col_str(b, c, (nx_str){clean, n});
}

static nx_status add_errors(nx_batch *b, nx_col *list, const nx_refused *r)
{
    nx_col *e = &list->child[0];
    for (size_t i = 0; i < r->n_errors; i++) {
        const nx_row_error *x = &r->errors[i];
        NX_TRY(nx_col_i32(b, &e->child[0], x->index));
        NX_TRY(text(b, &e->child[1], nx_str_of(x->field)));
        NX_TRY(nx_col_str(b, &e->child[2], nx_str_of(x->rule)));
        NX_TRY(nx_col_str(b, &e->child[3], nx_str_of(x->message)));
        NX_TRY(text(b, &e->child[4], x->value));
        NX_TRY(nx_col_struct_end(b, e));
    }
    return nx_col_list_end(b, list);
}

static nx_status add_row(nx_batch *b, const nx_refused *r, nx_str source, int64_t received_us, uint64_t pos)
{
    char id[65];
    record_id(source, pos, r->index, id);
    NX_TRY(nx_col_str(b, &b->cols[RECORD_ID], nx_str_of(id)));
    NX_TRY(nx_col_str(b, &b->cols[SOURCE], source));
    NX_TRY(text(b, &b->cols[CONTRACT], nx_str_of(r->contract == NULL ? NULL : nx_contract_id(r->contract))));
    NX_TRY(nx_col_str(b, &b->cols[RAW], r->raw));
    NX_TRY(add_errors(b, &b->cols[ERRORS], r));
    NX_TRY(nx_col_i64(b, &b->cols[RECEIVED_AT], received_us));
    NX_TRY(nx_col_str(b, &b->cols[STATE], NX_STR("open")));
    NX_TRY(nx_col_null(b, &b->cols[REPLAYED_AT]));
    nx_batch_end_row(b);
    return NX_OK;
}

nx_status nx__quarantine_add(nx_batch *b, const nx_verdict *v, nx_str source, int64_t received_us, uint64_t pos)
{
    size_t before = b->n;
    for (uint32_t i = 0; i < v->rejected; i++) {
        nx_status st = add_row(b, &v->refused[i], source, received_us, pos);
        if (st != NX_OK) {
            nx_batch_truncate(b, before);
            return st;
        }
    }
    return NX_OK;
}
