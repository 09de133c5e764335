/* What was refused becomes rows of quarantine.records: the bytes and every reason. */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "ingest/stream_int.h"

/* 8 hex digits of the source's hash, 16 of the position, 8 of the index: the same frame refused again after a crash gets the same id,
 * and a replay finds the place of the row. */
static void record_id(nx_str source, uint64_t pos, int32_t index, char out[33])
{
    nx_sha256 h;
    unsigned char digest[32];
    nx_sha256_init(&h);
    nx_sha256_add(&h, source.p, source.n);
    nx_sha256_end(&h, digest);
    nx_hex(digest, 4, out);
    snprintf(out + 8, 25, "%016llx%08lx", (unsigned long long)pos, (unsigned long)(uint32_t)index);
}

bool nx__record_place(nx_str id, nx_str source, uint64_t *ret_pos, int32_t *ret_index)
{
    char text[33], again[33];
    if (id.n != 32)
        return false;
    memcpy(text, id.p, 32);
    text[32] = '\0';
    *ret_index = (int32_t)(uint32_t)strtoul(text + 24, NULL, 16);
    text[24] = '\0';
    *ret_pos = strtoull(text + 8, NULL, 16);
    record_id(source, *ret_pos, *ret_index, again);
    return memcmp(again, id.p, 32) == 0;
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
    char id[33];
    record_id(source, pos, r->index, id);
    NX_TRY(nx_col_str(b, &b->cols[NX_RECORD_ID], nx_str_of(id)));
    NX_TRY(nx_col_str(b, &b->cols[NX_RECORD_SOURCE], source));
    NX_TRY(text(b, &b->cols[NX_RECORD_CONTRACT], nx_str_of(r->contract == NULL ? NULL : nx_contract_id(r->contract))));
    NX_TRY(nx_col_str(b, &b->cols[NX_RECORD_RAW], r->raw));
    NX_TRY(add_errors(b, &b->cols[NX_RECORD_ERRORS], r));
    NX_TRY(nx_col_i64(b, &b->cols[NX_RECORD_RECEIVED_AT], received_us));
    NX_TRY(nx_col_str(b, &b->cols[NX_RECORD_STATE], NX_STR("open")));
    NX_TRY(nx_col_null(b, &b->cols[NX_RECORD_REPLAYED_AT]));
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

nx_status nx__quarantine_columns(const nx_contract *c, nx_err *err)
{
    static const char *const names[] = {"record_id", "source",      "contract", "raw",
                                        "errors",    "received_at", "state",    "replayed_at"};
    const nx_schema *q = nx_contract_schema(c);
    bool ok = q->n_fields == NX_COUNT_OF(names);
    for (size_t i = 0; ok && i < q->n_fields; i++)
        ok = strcmp(q->fields[i].name, names[i]) == 0;
    if (ok && q->fields[4].type.kind == NX_LIST && q->fields[4].type.fields[0].type.n_fields == 5)
        return NX_OK;
    (void)nx_fail(err, NX_CONTRACT, "contract %s (%s) has not the columns that the edge writes", nx_contract_id(c),
                  nx_contract_file(c));
    return nx_err_hint(err, NX_CONTRACT, "restore the file: its columns are fixed by the program");
}
