/* Frames and single objects: telling types apart, row after row, and taking back what may not stay. */
#include "base/hash.h"
#include "contract/decode_int.h"
#include "contract/ways_int.h"

static nx_str span(const char *from, const char *to)
{
    return (nx_str){from, (size_t)(to - from)};
}

/* ------------------------------------------------------------------ types */

/* Finds the discriminator anywhere among the members of a well-formed object; *ret.p stays NULL when it is absent or no text. */
static nx_status find_type(nx_decoder *d, const char *p, const char *key, nx_str *ret)
{
    const char *end = d->scan.end;
    *ret = (nx_str){NULL, 0};
    p = nx__skip_space(p + 1, end);
    while (*p == '"') {
        d->scan.flags = 0;
        const char *q = nx__scan_string(&d->scan, p);
        nx_str name = span(p + 1, q - 1);
        if ((d->scan.flags & NX_TEXT_ESCAPED) != 0) {
            nx_buf_clear(&d->text);
            NX_TRY(nx__unescape(&d->text, name));
            name = nx_buf_str(&d->text);
        }
        bool hit = nx_str_is(name, key);
        p = nx__scan_colon(&d->scan, q);
        d->scan.flags = 0;
        q = nx__scan_value(&d->scan, p, 1);
        if (hit && *p == '"') {
            *ret = span(p + 1, q - 1);
            if ((d->scan.flags & NX_TEXT_ESCAPED) != 0) {
                nx_buf_clear(&d->text);
                NX_TRY(nx__unescape(&d->text, *ret));
                *ret = (nx_str){nx_arena_dup(&d->arena, nx_buf_str(&d->text)), d->text.n};
                if (ret->p == NULL)
                    return NX_NOMEM;
            }
        }
        if (hit)
            return NX_OK;
        p = nx__skip_space(q, end);
        if (*p == ',')
            p = nx__skip_space(p + 1, end);
    }
    return NX_OK;
}

nx_way *nx__way_of_type(const nx_decoder *d, nx_str type)
{
    for (size_t i = 0; i < d->n_feed_ways; i++)
        if (nx_str_eq(d->ways[i]->v->when_value, type) && type.n > 0)
            return d->ways[i];
    return NULL;
}

/* ------------------------------------------------------------------ rows */

nx_status nx__refuse_one(nx_decoder *d, int32_t index, const nx_contract *c, nx_str raw, const char *field,
                         const char *rule, nx_str value, const char *message)
{
    const nx_row row = {.index = index, .first_error = d->n_errors};
    NX_TRY(nx__row_error(d, &row, field, rule, value, "%s", message));
    return nx__refuse(d, index, c, raw, row.first_error);
}

nx_status nx__read_object(nx_decoder *d, nx_way *w, int32_t index, const char **pp, size_t skip,
                          const nx_context *context, size_t n_context, uint32_t *accepted)
{
    nx_lane *lane = w->lane;
    if (lane->touched != d->frame_no)
        NX_TRY(nx__lane_touch(d, lane));
    nx_row *r = &d->row;
    *r = (nx_row){.way = w,
                  .b = lane->b,
                  .cols = lane->b->cols,
                  .specs = lane->contract->cols,
                  .index = index,
                  .first_error = d->n_errors,
                  .context = context,
                  .n_context = n_context};
    const char *from = *pp, *p = from;
    if (NX_UNLIKELY(r->b->n == r->b->row_max))
        return NX_LIMIT;
    if (NX_UNLIKELY(d->packed)) {
        NX_TRY(nx__packed_row(d, r, &p, skip));
    } else {
        p += skip > 0 ? skip : 1;
        NX_TRY(nx__read_row(d, r, &p, skip > 0));
    }
    NX_TRY(nx__finish_row(d, r));
    *pp = p;
    if (NX_LIKELY(!r->bad)) {
        nx_batch_end_row(r->b);
        ++*accepted;
        return NX_OK;
    }
    nx_batch_truncate(r->b, r->b->n);
    return nx__refuse(d, index, lane->contract, span(from, p), r->first_error);
}

nx_status nx__no_row(nx_decoder *d, int32_t index, nx_str type, nx_str raw, nx_verdict *v)
{
    if (type.p == NULL)
        return nx__refuse_one(d, index, NULL, raw, d->when_key, "unknown_type", NX_STR(""),
                              "is missing, or no text: the type of the message is not known");
    if (d->control != NULL && d->control(d->control_ctx, type, raw)) {
        v->control++;
        return NX_OK;
    }
    return nx__refuse_one(d, index, NULL, raw, d->when_key, "unknown_type", type,
                          "no contract has this type of message");
}

/* An element whose type is not obvious from its first bytes. */
static nx_status read_unusual(nx_decoder *d, int32_t index, const char **pp, nx_verdict *v)
{
    const char *from = *pp;
    const char *to = nx__scan_value(&d->scan, from, 1);
    if (to == NULL)
        return NX_INVALID;
    if (*from != '{') {
        *pp = to;
        return nx__refuse_one(d, index, NULL, span(from, to), "", "type", span(from, to),
                              "a message must be an object");
    }
    nx_str type;
    NX_TRY(find_type(d, from, d->when_key, &type));
    nx_way *w = type.p == NULL ? NULL : nx__way_of_type(d, type);
    if (w != NULL)
        return nx__read_object(d, w, index, pp, 0, NULL, 0, &v->accepted);
    *pp = to;
    return nx__no_row(d, index, type, span(from, to), v);
}

static inline nx_status read_element(nx_decoder *d, int32_t index, const char **pp, nx_verdict *v)
{
    const char *p = *pp;
    size_t n = d->head_n;
    if (NX_LIKELY(n > 0 && (size_t)(d->scan.end - p) > n + 2 && memcmp(p, d->head, n) == 0 && p[n + 1] == '"')) {
        nx_way *w = d->by_byte[(unsigned char)p[n]];
        if (NX_LIKELY(w != NULL))
            return nx__read_object(d, w, index, pp, n + 2, NULL, 0, &v->accepted);
    }
    if (d->only != NULL && *p == '{')
        return nx__read_object(d, d->only, index, pp, 0, NULL, 0, &v->accepted);
    return read_unusual(d, index, pp, v);
}

static nx_status read_elements(nx_decoder *d, const char *p, nx_verdict *v)
{
    const char *end = d->scan.end;
    if (*p == '{') {
        NX_TRY(read_element(d, 0, &p, v));
        p = nx__skip_space(p, end);
    } else if (*p == '[') {
        p = nx__skip_space(p + 1, end);
        bool empty = p < end && *p == ']';
        for (int32_t i = 0; !empty; i++) {
            if (NX_UNLIKELY(p == end))
                return nx__scan_broken(&d->scan, p, "',' or ']' expected"), NX_INVALID;
            if (NX_UNLIKELY(i == NX_ROWS_MAX)) {
                nx__scan_broken(&d->scan, p, "more than 65536 messages in one frame");
                d->scan.rule = "limit";
                return NX_INVALID;
            }
            NX_TRY(read_element(d, i, &p, v));
            if (NX_UNLIKELY(p == end || (*p != ',' && *p != ']')))
                p = nx__skip_space(p, end);
            if (p == end || (*p != ',' && *p != ']'))
                return nx__scan_broken(&d->scan, p, "',' or ']' expected"), NX_INVALID;
            if (*p == ']')
                break;
            p = nx__skip_space(p + 1, end);
        }
        p = nx__skip_space(p + 1, end);
    } else {
        return nx__scan_broken(&d->scan, p, "a frame must be an object or an array"), NX_INVALID;
    }
    return p == end ? NX_OK : (nx__scan_broken(&d->scan, p, "nothing expected behind the end"), NX_INVALID);
}

/* ------------------------------------------------------------------ calls */

/* White space around JSON; in msgpack the same bytes are numbers. */
static nx_str trimmed(nx_str s)
{
    return s.n > 0 && nx_mp_is_container(s.p[0]) ? s : nx_str_trim(s);
}

static void begin(nx_decoder *d, nx_str json, const nx_row_meta *meta, nx_verdict *ret)
{
    *ret = (nx_verdict){0};
    d->frame_no++;
    d->meta = meta;
    d->declared = nx_str_is(meta->known_basis, "declared");
    d->scan = (nx_scan){.end = json.p + json.n};
    d->packed = json.n > 0 && nx_mp_is_container(json.p[0]);
    if (d->packed)
        d->mp = nx_mp_open(json);
    nx__verdict_begin(d);
}

/* The last byte must be a bracket: it ends every run of digits, so that the short ways need no look at the end. */
static bool bracketed(nx_str s)
{
    return s.n >= 2 && (s.p[s.n - 1] == ']' || s.p[s.n - 1] == '}');
}

/* All or nothing: the frame as a whole is refused. */
static nx_status refuse_all(nx_decoder *d, nx_str json, int32_t index, const nx_contract *c, nx_verdict *ret)
{
    size_t at = d->scan.bad == NULL ? 0 : (size_t)(d->scan.bad - json.p);
    nx_str near = nx_str_sub(json, at, json.n - at > 32 ? at + 32 : json.n);
    char hex[65];
    if (d->packed) {
        nx_hex(near.p, near.n, hex);
        nx_buf_clear(&d->text);
        NX_TRY(nx_buf_adds(&d->text, hex));
        near = nx_buf_str(&d->text);
    }
    nx_row row = {.index = index};
    nx__verdict_begin(d);
    NX_TRY(nx__row_error(d, &row, "", d->scan.rule, near, "byte %zu: %s", at, d->scan.what));
    NX_TRY(nx__refuse(d, index, c, json, 0));
    uint32_t control = ret->control;
    *ret = (nx_verdict){.control = control};
    nx__verdict_end(d, ret);
    return NX_OK;
}

static nx_status end(nx_decoder *d, nx_status st, nx_str json, int32_t index, const nx_contract *c, nx_verdict *ret,
                     nx_err *err)
{
    nx__lanes_end(d, st != NX_OK);
    if (st == NX_OK)
        nx__verdict_end(d, ret);
    else if (st == NX_INVALID && d->scan.bad != NULL)
        st = refuse_all(d, json, index, c, ret);
    if (st == NX_OK)
        return NX_OK;
    *ret = (nx_verdict){0};
    if (st == NX_LIMIT)
        return nx_fail(err, NX_LIMIT, "the rows of a frame of %zu bytes do not fit into the column batches", json.n);
    return nx_fail(err, st, "a frame of %zu bytes could not be decoded: %s", json.n, nx_status_text(st));
}

nx_status nx_decode_frame(nx_decoder *d, nx_str frame, const nx_row_meta *meta, nx_verdict *ret, nx_err *err)
{
    if (d->when_key == NULL && d->only == NULL)
        return nx_fail(err, NX_INVALID,
                       "frames of this feed cannot be decoded: nothing in a message tells its contract");
    nx_str json = trimmed(frame);
    begin(d, json, meta, ret);
    nx_status st = NX_INVALID;
    if (d->packed) {
        st = nx__packed_elements(d, ret);
    } else if (NX_LIKELY(bracketed(json))) {
        st = read_elements(d, json.p, ret);
    } else { /* broken for sure; find where */
        (void)nx__scan_value(&d->scan, json.p, 0);
        nx__scan_broken(&d->scan, json.p, "a frame must be an object or an array, and nothing else");
    }
    return end(d, st, json, -1, NULL, ret, err);
}

const nx_variant *nx__variant_of(const nx_contract *c, nx_str type)
{
    const nx_variant *v = c->plain;
    for (size_t i = 0; type.p != NULL && i < c->n_variants; i++)
        if (nx_str_eq(c->variants[i].when_value, type))
            v = &c->variants[i];
    return v;
}

/* How a single object is spelled: by its type where it has one, else every wire name of the contract. */
static nx_status way_of_object(nx_decoder *d, const nx_contract *c, nx_str json, nx_way **ret)
{
    nx_str type = {NULL, 0};
    if (c->when_key != NULL) {
        if (nx__scan_value(&d->scan, json.p, 0) == NULL)
            return NX_INVALID;
        NX_TRY(find_type(d, json.p, c->when_key, &type));
    }
    return nx__way_of(d, nx__variant_of(c, type), ret);
}

static nx_status read_single(nx_decoder *d, const nx_contract *c, nx_str json, const nx_context *context,
                             size_t n_context, int32_t index, nx_verdict *ret)
{
    nx_way *w = NULL;
    const char *p = json.p;
    if (json.n == 0 || *p != '{' || !bracketed(json))
        return nx__scan_broken(&d->scan, json.p, "an object expected"), NX_INVALID;
    NX_TRY(way_of_object(d, c, json, &w));
    NX_TRY(nx__read_object(d, w, index, &p, 0, context, n_context, &ret->accepted));
    return p == d->scan.end ? NX_OK : (nx__scan_broken(&d->scan, p, "nothing expected behind the end"), NX_INVALID);
}

nx_status nx_decode_object(nx_decoder *d, const nx_contract *c, nx_str json, const nx_context *context,
                           size_t n_context, const nx_row_meta *meta, int32_t index, nx_verdict *ret, nx_err *err)
{
    if (c->plain == NULL)
        return nx_fail(err, NX_INVALID, "rows of %s have no wire form: its contract has no feeds", c->table);
    for (size_t i = 0; i < n_context; i++) {
        size_t col = nx_schema_find(&c->schema, nx_str_of(context[i].field));
        if (col == SIZE_MAX || !c->cols[col].context)
            return nx_fail(err, NX_INVALID, "column %s of %s does not come from the request", context[i].field,
                           c->table);
    }
    nx_str text = trimmed(json);
    begin(d, text, meta, ret);
    nx_status st = d->packed ? nx__packed_single(d, c, context, n_context, index, ret)
                             : read_single(d, c, text, context, n_context, index, ret);
    return end(d, st, text, index, c, ret, err);
}
