/* What the tests of contract/ share: the project's contracts, a decoder with a batch a table, rows as text. */
#ifndef CONTRACT_KIT_H
#define CONTRACT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "contract/contract.h"
#include "data/decimal.h"
#include "data/time.h"
#include "twin.h"

typedef struct kit {
    nx_contracts *set;
    nx_decoder *d;
    nx_batch *batches;
    nx_row_meta meta;
    nx_verdict v;
    nx_err err;
    nx_buf text;
    twin twin;
    size_t before[64]; /* rows a table when the message under way began */
} kit;

static inline void kit_open(kit *k, const char *feed)
{
    *k = (kit){
        .meta = {
            .source = NX_STR("test"), .received_us = 1700000000000000, .known_basis = NX_STR("received"), .pos = 7}};
    nx_buf_init(&k->text, 0);
    if (nx_contracts_load("contracts", &k->set, &k->err) != NX_OK)
        fail_msg("%s", k->err.text);
    assert_int_equal(nx_decoder_new(k->set, feed, &k->d, &k->err), NX_OK);
    k->batches = calloc(nx_contracts_count(k->set), sizeof *k->batches);
    assert_non_null(k->batches);
    for (size_t i = 0; i < nx_contracts_count(k->set); i++) {
        const nx_contract *c = nx_contracts_at(k->set, i);
        assert_int_equal(nx_batch_init(&k->batches[i], nx_contract_schema(c), 0, 0), NX_OK);
        nx_decoder_bind(k->d, c, &k->batches[i]);
    }
    assert_true(nx_contracts_count(k->set) <= NX_COUNT_OF(k->before));
    twin_open(&k->twin, k->set, feed);
}

static inline void kit_close(kit *k)
{
    twin_close(&k->twin, k->set);
    for (size_t i = 0; i < nx_contracts_count(k->set); i++) {
        if (nx_batch_check(&k->batches[i], &k->err) != NX_OK)
            fail_msg("%s", k->err.text);
        nx_batch_drop(&k->batches[i]);
    }
    free(k->batches);
    nx_decoder_drop(k->d);
    nx_contracts_drop(k->set);
    nx_buf_drop(&k->text);
}

static inline nx_batch *kit_batch(kit *k, const char *table)
{
    for (size_t i = 0; i < nx_contracts_count(k->set); i++)
        if (nx_contracts_at(k->set, i) == nx_contracts_find(k->set, table))
            return &k->batches[i];
    fail_msg("no table %s", table);
    return NULL;
}

static inline void kit_mark(kit *k)
{
    for (size_t i = 0; i < nx_contracts_count(k->set); i++)
        k->before[i] = k->batches[i].n;
}

/* The frame is copied to its exact size, so that reading past its end is caught by the sanitizer. */
static inline void kit_frame(kit *k, nx_str frame)
{
    static char *held;
    free(held);
    held = malloc(frame.n > 0 ? frame.n : 1);
    assert_non_null(held);
    memcpy(held, frame.p, frame.n);
    kit_mark(k);
    if (nx_decode_frame(k->d, (nx_str){held, frame.n}, &k->meta, &k->v, &k->err) != NX_OK)
        fail_msg("%s", k->err.text);
    twin_compare(&k->twin, (nx_str){held, frame.n},
                 &(twin_case){.set = k->set, .meta = &k->meta, .v = &k->v, .batches = k->batches, .before = k->before});
    if (k->v.rejected == 0) {
        free(held);
        held = NULL;
    }
}

static inline void kit_object(kit *k, const char *table, const char *json, const nx_context *context, size_t n)
{
    const nx_contract *c = nx_contracts_find(k->set, table);
    kit_mark(k);
    if (nx_decode_object(k->d, c, nx_str_of(json), context, n, &k->meta, 3, &k->v, &k->err) != NX_OK)
        fail_msg("%s", k->err.text);
    twin_compare(&k->twin, nx_str_of(json),
                 &(twin_case){k->set, c, context, n, &k->meta, &k->v, k->batches, k->before});
}

static inline void kit_value(nx_buf *b, const nx_col *c, size_t i)
{
    char text[64];
    nx_status st = NX_OK;
    if (nx_col_is_null(c, i)) {
        st = nx_buf_adds(b, "null");
    } else {
        switch (c->type->kind) {
        case NX_STRING:
        case NX_BINARY:
            st = nx_buf_add(b, nx_col_get_str(c, i));
            break;
        case NX_BOOL:
            st = nx_buf_adds(b, ((const uint8_t *)c->data)[i] ? "true" : "false");
            break;
        case NX_INT32:
            st = nx_buf_addf(b, "%d", nx_col_get_i32(c, i));
            break;
        case NX_INT64:
            st = nx_buf_addf(b, "%lld", (long long)nx_col_get_i64(c, i));
            break;
        case NX_DATE:
            nx_date_format(nx_col_get_i32(c, i), text);
            st = nx_buf_adds(b, text);
            break;
        case NX_TIMESTAMP:
            nx_time_format_us(nx_col_get_i64(c, i), text);
            st = nx_buf_adds(b, text);
            break;
        case NX_DECIMAL:
            nx_dec_format_short(c->type->precision <= 18 ? nx_col_get_i64(c, i) : ((const __int128 *)c->data)[i],
                                c->type->scale, text);
            st = nx_buf_adds(b, text);
            break;
        case NX_LIST:
            for (size_t k = c->off[i]; k < c->off[i + 1]; k++) {
                st = nx_buf_addc(b, k == c->off[i] ? '[' : ',');
                kit_value(b, &c->child[0], k);
            }
            st = nx_buf_adds(b, c->off[i] == c->off[i + 1] ? "[]" : "]");
            break;
        case NX_DOUBLE:
        case NX_STRUCT:
            break;
        }
    }
    assert_int_equal(st, NX_OK);
}

/* "symbol=AAPL trade_id=628 ..." of the last row; technical columns only when asked. Lives until the next call. */
static inline const char *kit_row(kit *k, const char *table, bool technical)
{
    nx_batch *b = kit_batch(k, table);
    assert_true(b->n > 0);
    nx_buf_clear(&k->text);
    size_t n = b->schema->n_fields - (technical ? 0 : 8);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(nx_buf_addf(&k->text, "%s%s=", i == 0 ? "" : " ", b->cols[i].name), NX_OK);
        kit_value(&k->text, &b->cols[i], b->n - 1);
    }
    return k->text.p;
}

static inline const char *kit_cell(kit *k, const char *table, const char *column)
{
    nx_batch *b = kit_batch(k, table);
    size_t i = nx_schema_find(b->schema, nx_str_of(column));
    assert_true(i != SIZE_MAX && b->n > 0);
    nx_buf_clear(&k->text);
    kit_value(&k->text, &b->cols[i], b->n - 1);
    return k->text.n == 0 ? "" : k->text.p;
}

/* All errors of refused entry i as "field:rule ...". */
static inline const char *kit_errors(kit *k, size_t i)
{
    assert_true(i < k->v.rejected);
    nx_buf_clear(&k->text);
    for (size_t j = 0; j < k->v.refused[i].n_errors; j++) {
        const nx_row_error *e = &k->v.refused[i].errors[j];
        assert_true(e->message[0] != '\0');
        assert_true(e->value.n <= 256 && nx_utf8_valid(e->value));
        assert_int_equal(nx_buf_addf(&k->text, "%s%s:%s", j == 0 ? "" : " ", e->field, e->rule), NX_OK);
    }
    return k->text.p;
}

#endif
