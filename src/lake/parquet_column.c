/* One column chunk: values are gathered, an encoding is chosen for all of them, pages follow one another. */
#include <stdlib.h>

#include "lake/parquet_int.h"

typedef struct chunk {
    nx_pq_encoder *e;
    nx__pq_leaf *leaf;
    const nx__pq_slots *s;
    nx__pq_encoding encoding;
    int index_width;
    bool texts; /* values are e->texts, else nums */
    const int64_t *nums;
    int64_t base, dict_at, data_at; /* positions in the file; -1: none yet */
    int64_t bytes;                  /* uncompressed, headers included */
    nx_err *err;
} chunk;

static int64_t position(const chunk *k)
{
    return k->base + (int64_t)k->e->out.n;
}

static nx_status no_room(nx_status st, nx_err *err)
{
    return st == NX_LIMIT ? nx_fail(err, NX_LIMIT, "could not write a Parquet page: over 2 GiB") : nx_nomem(err);
}

/* ------------------------------------------------------------------ pages */

static nx_status page_header(const chunk *k, bool dict, size_t n, size_t raw, size_t packed, nx_buf *b)
{
    nx__th t;
    nx__th_begin(&t, b);
    nx__th_i32(&t, 1, dict ? 2 : 0); /* DICTIONARY_PAGE, DATA_PAGE */
    nx__th_i32(&t, 2, (int32_t)raw);
    nx__th_i32(&t, 3, (int32_t)packed);
    nx__th_struct(&t, dict ? 7 : 5);
    nx__th_i32(&t, 1, (int32_t)n);
    nx__th_i32(&t, 2, dict ? NX__PQ_PLAIN : k->encoding);
    if (!dict) {
        nx__th_i32(&t, 3, NX__PQ_RLE);
        nx__th_i32(&t, 4, NX__PQ_RLE);
    }
    nx__th_close(&t);
    return nx__th_end(&t);
}

/* e->page, compressed, with its header, behind what is in e->out. */
static nx_status put_page(chunk *k, bool dict, size_t n)
{
    nx_pq_encoder *e = k->e;
    nx_buf head NX_BUF_AUTO;
    nx_buf_init(&head, 0);
    nx_buf_clear(&e->packed);
    NX_TRY(nx_zstd_add(e->zstd, nx_buf_str(&e->page), &e->packed, k->err));
    if (e->page.n > INT32_MAX || e->packed.n > INT32_MAX)
        return no_room(NX_LIMIT, k->err);
    nx_status st = page_header(k, dict, n, e->page.n, e->packed.n, &head);
    if (st == NX_OK) {
        if (dict)
            k->dict_at = position(k);
        else if (k->data_at < 0)
            k->data_at = position(k);
        st = nx_buf_add(&e->out, nx_buf_str(&head));
    }
    if (st == NX_OK)
        st = nx_buf_add(&e->out, nx_buf_str(&e->packed));
    k->bytes += (int64_t)(head.n + e->page.n);
    return st == NX_OK ? NX_OK : no_room(st, k->err);
}

static nx_status add_texts(const chunk *k, nx_buf *b, const nx_str *v, size_t n)
{
    bool fixed = k->leaf->phys == NX__PQ_FIXED;
    for (size_t i = 0; i < n; i++) {
        uint32_t len = (uint32_t)v[i].n;
        if (!fixed)
            NX_TRY(nx_buf_add(b, (nx_str){(const char *)&len, sizeof len}));
        NX_TRY(nx_buf_add(b, v[i]));
    }
    return NX_OK;
}

static nx_status dict_page(chunk *k)
{
    const nx__pq_dict *d = &k->e->dict;
    nx_buf_clear(&k->e->page);
    nx_status st =
        k->texts ? add_texts(k, &k->e->page, d->text, d->n) : nx__pq_plain(&k->e->page, d->num, d->n, k->leaf->width);
    return st == NX_OK ? put_page(k, true, d->n) : no_room(st, k->err);
}

/* Levels of slots [from, to) behind their length. */
static nx_status levels(nx_buf *b, const uint16_t *v, uint16_t all, size_t n, uint16_t max)
{
    size_t at = b->n;
    int width = nx__pq_bits(max);
    NX_TRY(nx_buf_add(b, (nx_str){"\0\0\0\0", 4}));
    NX_TRY(v == NULL ? nx__pq_run(b, all, n, width) : nx__pq_hybrid(b, v, n, width));
    uint32_t len = (uint32_t)(b->n - at - 4);
    memcpy(b->p + at, &len, sizeof len);
    return NX_OK;
}

static nx_status values(const chunk *k, nx_buf *b, size_t from, size_t n)
{
    switch (k->encoding) {
    case NX__PQ_DICT:
        NX_TRY(nx_buf_addc(b, (char)k->index_width));
        return nx__pq_hybrid(b, k->e->index + from, n, k->index_width);
    case NX__PQ_DELTA:
        return nx__pq_delta(b, k->nums + from, n, k->leaf->phys == NX__PQ_INT32);
    default:
        if (k->texts)
            return add_texts(k, b, k->e->texts + from, n);
        if (k->leaf->phys == NX__PQ_BOOLEAN)
            return nx__pq_bools(b, k->nums + from, n);
        return nx__pq_plain(b, k->nums + from, n, k->leaf->width);
    }
}

/* About what a value takes in its page; 0: each its own. */
static size_t value_bytes(const chunk *k)
{
    return k->encoding == NX__PQ_DICT ? 2 : (size_t)k->leaf->width;
}

typedef struct span { /* of one page: slots [slot, slot_end), values [value, value_end) */
    size_t slot, slot_end, value, value_end;
} span;

static bool has_value(const nx__pq_slots *s, size_t slot, uint16_t max_def)
{
    return s->plain ? s->level == max_def : s->def[slot] == max_def;
}

/* A page ends after about NX__PQ_PAGE_BYTES of values, where a row ends. */
static void find_end(const chunk *k, span *p)
{
    const nx__pq_slots *s = k->s;
    size_t bytes = 0, width = value_bytes(k);
    if (width > 0 && s->n - p->slot + (s->n_values - p->value) * width <= 2 * (size_t)NX__PQ_PAGE_BYTES) {
        p->slot_end = s->n;
        p->value_end = s->n_values;
        return;
    }
    p->slot_end = p->slot;
    p->value_end = p->value;
    while (p->slot_end < s->n) {
        if (bytes >= NX__PQ_PAGE_BYTES && (s->flat || s->rep[p->slot_end] == 0))
            return;
        bytes += 1;
        if (has_value(s, p->slot_end, k->leaf->max_def)) {
            bytes += width > 0 ? width : k->e->texts[p->value_end].n + 4;
            p->value_end++;
        }
        p->slot_end++;
    }
}

static nx_status data_page(chunk *k, const span *p)
{
    const nx__pq_slots *s = k->s;
    nx_buf *b = &k->e->page;
    size_t n = p->slot_end - p->slot;
    nx_buf_clear(b);
    nx_status st = NX_OK;
    if (k->leaf->max_rep > 0)
        st = levels(b, s->rep + p->slot, 0, n, k->leaf->max_rep);
    if (st == NX_OK)
        st = levels(b, s->plain ? NULL : s->def + p->slot, s->level, n, k->leaf->max_def);
    if (st == NX_OK)
        st = values(k, b, p->value, p->value_end - p->value);
    return st == NX_OK ? put_page(k, false, n) : no_room(st, k->err);
}

/* ------------------------------------------------------------------ values */

static inline size_t row_of(const nx__pq_slots *s, size_t i)
{
    return s->plain ? s->from + i : s->at[i];
}

static nx_status gather_nums(chunk *k, const nx_col *c)
{
    const nx__pq_slots *s = k->s;
    nx_pq_encoder *e = k->e;
    size_t n = s->n_values;
    bool eight = c->type->kind != NX_BOOL && c->type->kind != NX_INT32 && c->type->kind != NX_DATE;
    if (s->plain && eight && c->type->kind != NX_DOUBLE) {
        k->nums = (const int64_t *)c->data + (n == 0 ? 0 : s->from); /* as they are */
        return NX_OK;
    }
    if (!nx_grow(&e->nums, &e->cap_nums, n + 1, sizeof *e->nums))
        return nx_nomem(k->err);
    k->nums = e->nums;
    if (s->plain && eight) {
        memcpy(e->nums, (const char *)c->data + s->from * sizeof *e->nums, n * sizeof *e->nums);
        return NX_OK;
    }
    for (size_t i = 0; i < n; i++) {
        size_t row = row_of(s, i);
        if (eight)
            memcpy(&e->nums[i], (const char *)c->data + row * 8, 8); /* doubles as their bits */
        else
            e->nums[i] = c->type->kind == NX_BOOL ? ((const uint8_t *)c->data)[row] : nx_col_get_i32(c, row);
    }
    return NX_OK;
}

/* Wide decimals become 16 bytes, big-endian. */
static nx_status gather_wide(chunk *k, const nx_col *c, nx__pq_stats *st)
{
    nx_pq_encoder *e = k->e;
    size_t n = k->s->n_values;
    if (!nx_grow(&e->texts, &e->cap_texts, n + 1, sizeof *e->texts) ||
        !nx_grow(&e->fixed, &e->cap_fixed, (n + 1) * NX__PQ_FIXED_BYTES, 1))
        return nx_nomem(k->err);
    for (size_t i = 0; i < n; i++) {
        __int128 v = ((const __int128 *)c->data)[row_of(k->s, i)];
        unsigned char *p = e->fixed + i * NX__PQ_FIXED_BYTES;
        nx__pq_stats_i128(st, v);
        nx__pq_fixed(v, p);
        e->texts[i] = (nx_str){(const char *)p, NX__PQ_FIXED_BYTES};
    }
    return NX_OK;
}

static nx_status gather_texts(chunk *k, const nx_col *c)
{
    nx_pq_encoder *e = k->e;
    size_t n = k->s->n_values;
    if (!nx_grow(&e->texts, &e->cap_texts, n + 1, sizeof *e->texts))
        return nx_nomem(k->err);
    for (size_t i = 0; i < n; i++)
        e->texts[i] = nx_col_get_str(c, row_of(k->s, i));
    return NX_OK;
}

/* Tries a dictionary; NX_NOTHING: the other encoding. */
static nx_status try_dict(chunk *k)
{
    nx_pq_encoder *e = k->e;
    size_t n = k->s->n_values;
    if (!nx_grow(&e->index, &e->cap_index, n + 1, sizeof *e->index))
        return nx_nomem(k->err);
    nx_status st = k->texts ? nx__pq_dict_texts(&e->dict, e->texts, n, e->index)
                            : nx__pq_dict_numbers(&e->dict, k->nums, n, e->index);
    if (st != NX_OK)
        return st == NX_NOTHING ? st : nx_nomem(k->err);
    k->encoding = NX__PQ_DICT;
    k->index_width = e->dict.n <= 2 ? 1 : nx__pq_bits(e->dict.n - 1); /* some readers refuse a width of 0 */
    return NX_OK;
}

static nx_status prepare_nums(chunk *k, const nx_col *c, nx__pq_stats *st)
{
    NX_TRY(gather_nums(k, c));
    size_t n = k->s->n_values;
    nx__pq_phys phys = k->leaf->phys;
    k->encoding = NX__PQ_PLAIN;
    if (phys != NX__PQ_BOOLEAN && n > 0)
        k->encoding = nx__pq_choose(k->nums, n, k->leaf->width, phys != NX__PQ_DOUBLE);
    if (k->encoding == NX__PQ_DICT) {
        nx_status tried = try_dict(k);
        if (tried == NX_NOTHING)
            k->encoding = phys == NX__PQ_DOUBLE ? NX__PQ_PLAIN : NX__PQ_DELTA;
        else if (tried != NX_OK)
            return tried;
    }
    bool dict = k->encoding == NX__PQ_DICT; /* its entries are all the values there are */
    const int64_t *v = dict ? k->e->dict.num : k->nums;
    n = dict ? k->e->dict.n : n;
    if (phys == NX__PQ_DOUBLE)
        nx__pq_stats_f64(st, v, n);
    else
        nx__pq_stats_i64(st, v, n);
    return NX_OK;
}

static nx_status prepare_texts(chunk *k, const nx_col *c, nx__pq_stats *st)
{
    bool fixed = k->leaf->phys == NX__PQ_FIXED;
    k->texts = true;
    NX_TRY(fixed ? gather_wide(k, c, st) : gather_texts(k, c));
    size_t n = k->s->n_values;
    nx_status tried = n == 0 ? NX_NOTHING : try_dict(k);
    if (tried == NX_NOTHING)
        k->encoding = NX__PQ_PLAIN;
    else
        NX_TRY(tried);
    bool dict = k->encoding == NX__PQ_DICT;
    const nx_str *v = dict ? k->e->dict.text : k->e->texts;
    n = dict ? k->e->dict.n : n;
    for (size_t i = 0; i < n && !fixed; i++)
        nx__pq_stats_text(st, v[i]);
    return NX_OK;
}

/* ------------------------------------------------------------------ the chunk */

static nx_status column_meta(const chunk *k, const nx__pq_stats *stats, int64_t end, nx_buf *b)
{
    const nx__pq_leaf *l = k->leaf;
    int64_t from = k->dict_at >= 0 ? k->dict_at : k->data_at;
    nx__th t;
    nx__th_begin(&t, b);
    nx__th_i64(&t, 2, from);
    nx__th_struct(&t, 3);
    nx__th_i32(&t, 1, l->phys);
    nx__th_list(&t, 2, NX__TH_I32, k->dict_at >= 0 ? 3 : 2);
    nx__th_elem_i32(&t, NX__PQ_RLE);
    nx__th_elem_i32(&t, k->encoding);
    if (k->dict_at >= 0)
        nx__th_elem_i32(&t, NX__PQ_PLAIN);
    nx__th_list(&t, 3, NX__TH_BIN, l->n_path);
    for (size_t i = 0; i < l->n_path; i++)
        nx__th_elem_bin(&t, nx_str_of(l->path[i]));
    nx__th_i32(&t, 4, 6); /* ZSTD */
    nx__th_i64(&t, 5, (int64_t)k->s->n);
    nx__th_i64(&t, 6, k->bytes);
    nx__th_i64(&t, 7, end - from);
    nx__th_i64(&t, 9, k->data_at);
    if (k->dict_at >= 0)
        nx__th_i64(&t, 11, k->dict_at);
    nx__th_struct(&t, 12);
    nx__pq_stats_thrift(stats, l->type, l->phys, &t);
    nx__th_close(&t);
    nx__th_close(&t);
    return nx__th_end(&t);
}

nx_status nx__pq_column(nx_pq_encoder *e, nx__pq_leaf *leaf, const nx_col *c, const nx__pq_slots *s, int64_t base,
                        nx_buf *chunks, int64_t *bytes, nx_err *err)
{
    chunk k = {.e = e, .leaf = leaf, .s = s, .base = base, .dict_at = -1, .data_at = -1, .err = err};
    nx__pq_stats stats = {.nulls = (int64_t)(s->n - s->n_values)};
    bool texts = leaf->phys == NX__PQ_BYTES || leaf->phys == NX__PQ_FIXED;
    NX_TRY(texts ? prepare_texts(&k, c, &stats) : prepare_nums(&k, c, &stats));
    if (k.encoding == NX__PQ_DICT)
        NX_TRY(dict_page(&k));
    span p = {0};
    do { /* a chunk has a page even without rows */
        find_end(&k, &p);
        NX_TRY(data_page(&k, &p));
        p.slot = p.slot_end;
        p.value = p.value_end;
    } while (p.slot < s->n);
    nx_status st = column_meta(&k, &stats, position(&k), chunks);
    if (st != NX_OK)
        return no_room(st, err);
    nx__pq_stats_merge(&leaf->now, &stats, leaf->type);
    *bytes += k.bytes;
    return NX_OK;
}
