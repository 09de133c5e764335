/* Every JSON message that the tests of contract/ decode goes through a second decoder as msgpack, twice: with texts and whole numbers as they
 * are, and as the vendor writes it (timestamps, floats). Verdicts, errors and rows must be the same. What msgpack cannot carry is left out. */
#ifndef CONTRACT_TWIN_H
#define CONTRACT_TWIN_H

#include "data/msgpack.h"

typedef struct twin {
    nx_decoder *d;
    nx_batch *batches;
    nx_buf packed, json, text[2];
    size_t compared; /* messages that went both ways */
} twin;

static inline void kit_value(nx_buf *b, const nx_col *c, size_t i);

static inline void twin_open(twin *w, const nx_contracts *set, const char *feed)
{
    nx_err err = {0};
    *w = (twin){0};
    assert_int_equal(nx_decoder_new(set, feed, &w->d, &err), NX_OK);
    w->batches = calloc(nx_contracts_count(set), sizeof *w->batches);
    assert_non_null(w->batches);
    for (size_t i = 0; i < nx_contracts_count(set); i++) {
        const nx_contract *c = nx_contracts_at(set, i);
        assert_int_equal(nx_batch_init(&w->batches[i], nx_contract_schema(c), 0, 0), NX_OK);
        nx_decoder_bind(w->d, c, &w->batches[i]);
    }
    nx_buf_init(&w->packed, 0);
    nx_buf_init(&w->json, 0);
    nx_buf_init(&w->text[0], 0);
    nx_buf_init(&w->text[1], 0);
}

static inline void twin_close(twin *w, const nx_contracts *set)
{
    nx_err err = {0};
    for (size_t i = 0; i < nx_contracts_count(set); i++) {
        if (nx_batch_check(&w->batches[i], &err) != NX_OK)
            fail_msg("%s", err.text);
        nx_batch_drop(&w->batches[i]);
    }
    free(w->batches);
    nx_decoder_drop(w->d);
    nx_buf_drop(&w->packed);
    nx_buf_drop(&w->json);
    nx_buf_drop(&w->text[0]);
    nx_buf_drop(&w->text[1]);
}

/* JSON as msgpack would say it: 1.50 is 1.5, white space is gone. Empty when it cannot. */
static inline nx_str twin_canonical(twin *w, nx_str json)
{
    nx_buf_clear(&w->packed);
    nx_buf_clear(&w->json);
    if (nx_mp_from_json(json, NULL, &w->packed, NULL) != NX_OK)
        return NX_STR("");
    assert_int_equal(nx_mp_to_json(nx_buf_str(&w->packed), &w->json, NULL), NX_OK);
    return nx_buf_str(&w->json);
}

/* The offending value may be spelled differently: escapes, white space, digits. */
static inline void twin_same_value(twin *w, nx_str json, nx_str packed, const char *rule)
{
    if (nx_str_eq(json, packed) || strcmp(rule, "utf8") == 0 || json.n >= 250 ||
        memchr(json.p == NULL ? "" : json.p, '\\', json.n) != NULL)
        return;
    if (!nx_str_eq(twin_canonical(w, json), packed))
        fail_msg("value '" NX_STR_FMT "' in JSON, '" NX_STR_FMT "' in msgpack", NX_STR_ARG(json), NX_STR_ARG(packed));
}

static inline void twin_same_verdict(twin *w, const nx_verdict *a, const nx_verdict *b)
{
    assert_int_equal(a->accepted, b->accepted);
    assert_int_equal(a->rejected, b->rejected);
    for (uint32_t i = 0; i < a->rejected; i++) {
        const nx_refused *x = &a->refused[i], *y = &b->refused[i];
        assert_int_equal(x->index, y->index);
        assert_ptr_equal(x->contract, y->contract);
        assert_int_equal(x->n_errors, y->n_errors);
        for (size_t k = 0; k < x->n_errors; k++) {
            const nx_row_error *e = &x->errors[k], *f = &y->errors[k];
            assert_string_equal(e->field, f->field);
            assert_string_equal(e->rule, f->rule);
            if (x->index >= 0)
                assert_string_equal(e->message, f->message);
            if (x->index >= 0)
                twin_same_value(w, e->value, f->value, e->rule);
        }
    }
}

/* Rows [from, n) of JSON's batch against all rows of the other. */
static inline void twin_same_rows(twin *w, const nx_batch *a, size_t from, const nx_batch *b)
{
    assert_int_equal(a->n - from, b->n);
    for (size_t i = 0; i < b->n; i++)
        for (size_t c = 0; c < a->schema->n_fields; c++) {
            for (int k = 0; k < 2; k++) {
                nx_buf_clear(&w->text[k]);
                kit_value(&w->text[k], k == 0 ? &a->cols[c] : &b->cols[c], k == 0 ? from + i : i);
            }
            nx_str x = nx_buf_str(&w->text[0]), y = nx_buf_str(&w->text[1]);
            if (!nx_str_eq(x, y) &&
                (strcmp(a->schema->fields[c].name, "_extra") != 0 || !nx_str_eq(twin_canonical(w, x), y)))
                fail_msg("%s is '" NX_STR_FMT "' from JSON, '" NX_STR_FMT "' from msgpack", a->schema->fields[c].name,
                         NX_STR_ARG(x), NX_STR_ARG(y));
        }
}

/* What JSON became: its verdict and, a table, the batch and the rows it had before. c NULL: a frame. */
typedef struct twin_case {
    const nx_contracts *set;
    const nx_contract *c;
    const nx_context *context;
    size_t n_context;
    const nx_row_meta *meta;
    const nx_verdict *v;
    const nx_batch *batches;
    const size_t *before;
} twin_case;

static inline void twin_compare(twin *w, nx_str json, const twin_case *t)
{
    static const char *const times[] = {"t", "created_at", "updated_at", NULL};
    static const char *const floats[] = {"p", "s",  "i",  "v",  "n",  "o",  "h", "l",
                                         "c", "bp", "bs", "ap", "as", "vw", NULL};
    static const nx_mp_words words[2] = {{NULL, NULL}, {times, floats}};
    for (int k = 0; k < 2; k++) {
        nx_buf mp NX_BUF_AUTO;
        nx_buf_init(&mp, 0);
        nx_err err = {0};
        nx_verdict v;
        if (t->v->control > 0 || nx_mp_from_json(json, &words[k], &mp, NULL) != NX_OK || !nx_mp_is_container(mp.p[0]))
            return;
        char *exact = malloc(mp.n); /* the sanitizer sees a read past it */
        assert_non_null(exact);
        memcpy(exact, mp.p, mp.n);
        nx_str bytes = {exact, mp.n};
        nx_status st = t->c == NULL
                           ? nx_decode_frame(w->d, bytes, t->meta, &v, &err)
                           : nx_decode_object(w->d, t->c, bytes, t->context, t->n_context, t->meta, 3, &v, &err);
        if (st != NX_OK)
            fail_msg("%s", err.text);
        twin_same_verdict(w, t->v, &v);
        for (size_t i = 0; i < nx_contracts_count(t->set); i++) {
            if (t->batches[i].n > t->before[i] || t->v->accepted == 0)
                twin_same_rows(w, &t->batches[i], t->before[i], &w->batches[i]);
            nx_batch_clear(&w->batches[i]);
        }
        free(exact);
        w->compared++;
    }
}

#endif
