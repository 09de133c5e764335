/* Frames and single objects in msgpack: the same walk as decode.c's over the other form. What tells them apart is the first byte: JSON
 * never begins with that of an array or a map, so live frames, recovered ones and quarantined rows need no mark. */
#include "contract/decode_int.h"
#include "contract/ways_int.h"

static nx_str span(const char *from, const char *to)
{
    return (nx_str){from, (size_t)(to - from)};
}

nx_status nx__packed_broken(nx_decoder *d)
{
    nx__scan_broken(&d->scan, d->mp.bad, d->mp.what);
    d->scan.rule = d->mp.too_deep ? "limit" : "msgpack";
    return NX_INVALID;
}

nx_str nx__packed_text(nx_decoder *d, nx_str raw)
{
    nx_buf_clear(&d->text);
    return nx_mp_to_json(raw, &d->text, NULL) == NX_OK ? nx_buf_str(&d->text) : raw;
}

static nx_status broken(nx_decoder *d, const char *at, const char *rule, const char *what)
{
    nx__scan_broken(&d->scan, at, what);
    d->scan.rule = rule;
    return NX_INVALID;
}

/* Finds the discriminator in a whole map; ret->p stays NULL when it is absent or no text. */
static nx_status find_type(nx_decoder *d, nx_str map, const char *key, nx_str *ret)
{
    nx_mp_in in = nx_mp_open(map);
    nx_mp head, name, value;
    *ret = (nx_str){NULL, 0};
    if (!nx_mp_next(&in, &head))
        return broken(d, in.bad, "msgpack", in.what);
    for (uint32_t i = 0; i < head.n; i++) {
        nx_mp_in at = in;
        if (!nx_mp_skip(&in, 1) || !nx_mp_next(&at, &name))
            return broken(d, in.p, "msgpack", "a member name expected");
        bool hit = name.kind == NX_MP_STR && nx_str_is(name.s, key);
        at = in;
        if (!nx_mp_skip(&in, 1) || !nx_mp_next(&at, &value))
            return broken(d, in.p, "msgpack", "a value expected");
        if (hit && value.kind == NX_MP_STR)
            *ret = value.s;
        if (hit)
            return NX_OK;
    }
    return NX_OK;
}

/* An element whose type is not its first member. */
static nx_status read_unusual(nx_decoder *d, int32_t index, nx_mp_kind kind, nx_verdict *v)
{
    const char *from = d->mp.p;
    if (!nx_mp_skip(&d->mp, 1))
        return nx__packed_broken(d);
    nx_str raw = span(from, d->mp.p), type;
    if (kind != NX_MP_MAP)
        return nx__refuse_one(d, index, NULL, raw, "", "type", nx__packed_text(d, raw), "a message must be an object");
    NX_TRY(find_type(d, raw, d->when_key, &type));
    nx_way *w = type.p == NULL ? NULL : nx__way_of_type(d, type);
    return w == NULL ? nx__no_row(d, index, type, raw, v)
                     : nx__read_object(d, w, index, &from, 0, NULL, 0, &v->accepted);
}

/* The discriminator as first member with a text of one byte: its end, or NULL. */
static const char *typed(const nx_decoder *d, const char *p, nx_way **ret)
{
    size_t n = d->when_key == NULL ? 0 : strlen(d->when_key);
    if (n == 0 || n > 31 || (size_t)(d->mp.end - p) < n + 3 || (unsigned char)p[0] != (0xA0 | n) ||
        memcmp(p + 1, d->when_key, n) != 0 || (unsigned char)p[n + 1] != 0xA1)
        return NULL;
    *ret = d->by_byte[(unsigned char)p[n + 2]];
    return *ret == NULL ? NULL : p + n + 3;
}

static nx_status read_element(nx_decoder *d, int32_t index, nx_verdict *v)
{
    const char *from = d->mp.p;
    nx_way *w = NULL;
    nx_mp head;
    if (!nx_mp_next(&d->mp, &head))
        return nx__packed_broken(d);
    const char *behind = head.kind == NX_MP_MAP && head.n > 0 ? typed(d, d->mp.p, &w) : NULL;
    if (NX_LIKELY(behind != NULL))
        return nx__read_object(d, w, index, &from, (size_t)(behind - from), NULL, 0, &v->accepted);
    d->mp.p = from;
    if (d->only != NULL && head.kind == NX_MP_MAP)
        return nx__read_object(d, d->only, index, &from, 0, NULL, 0, &v->accepted);
    return read_unusual(d, index, head.kind, v);
}

nx_status nx__packed_elements(nx_decoder *d, nx_verdict *v)
{
    const char *from = d->mp.p;
    nx_mp head;
    if (!nx_mp_next(&d->mp, &head))
        return nx__packed_broken(d);
    if (head.kind == NX_MP_MAP) {
        d->mp.p = from;
        NX_TRY(read_element(d, 0, v));
    } else {
        if (head.n > NX_ROWS_MAX)
            return broken(d, from, "limit", "more than 65536 messages in one frame");
        for (uint32_t i = 0; i < head.n; i++)
            NX_TRY(read_element(d, (int32_t)i, v));
    }
    return d->mp.p == d->mp.end ? NX_OK : broken(d, d->mp.p, "msgpack", "nothing expected behind the end");
}

nx_status nx__packed_single(nx_decoder *d, const nx_contract *c, const nx_context *context, size_t n_context,
                            int32_t index, nx_verdict *v)
{
    const char *from = d->mp.p;
    nx_str type = {NULL, 0};
    nx_mp head;
    nx_way *w;
    nx_mp_in whole = d->mp;
    if (!nx_mp_skip(&whole, 0) || !nx_mp_next(&d->mp, &head)) {
        d->mp = whole;
        return nx__packed_broken(d);
    }
    if (head.kind != NX_MP_MAP)
        return broken(d, from, "msgpack", "an object expected");
    if (whole.p != whole.end)
        return broken(d, whole.p, "msgpack", "nothing expected behind the end");
    if (c->when_key != NULL)
        NX_TRY(find_type(d, span(from, whole.p), c->when_key, &type));
    NX_TRY(nx__way_of(d, nx__variant_of(c, type), &w));
    return nx__read_object(d, w, index, &from, 0, context, n_context, &v->accepted);
}
