#include "data/msgpack.h"

#include <math.h>
#include <stdio.h>

#include "data/float.h"

static bool broken(nx_mp_in *in, const char *at, const char *what)
{
    if (in->bad == NULL) {
        in->bad = at;
        in->what = what;
    }
    return false;
}

/* n bytes, the highest first. */
static inline uint64_t big_endian(const char *p, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static inline size_t left(const nx_mp_in *in, const char *p)
{
    return (size_t)(in->end - p);
}

/* A number of width bytes behind the first one. */
static bool fixed(nx_mp_in *in, const char **pp, unsigned width, uint64_t *ret)
{
    if (left(in, *pp) < width)
        return broken(in, in->p, "the value is cut off");
    *ret = big_endian(*pp, width);
    *pp += width;
    return true;
}

static bool bytes(nx_mp_in *in, const char **pp, uint64_t n, nx_mp *ret)
{
    if (left(in, *pp) < n)
        return broken(in, in->p, "its length goes past the end");
    ret->s = (nx_str){*pp, (size_t)n};
    *pp += n;
    return true;
}

static bool container(nx_mp_in *in, const char *p, nx_mp_kind kind, uint64_t n, nx_mp *ret)
{
    if (n > left(in, p) / (kind == NX_MP_MAP ? 2 : 1))
        return broken(in, in->p, "it claims more members than bytes are left");
    ret->kind = kind;
    ret->n = (uint32_t)n;
    return true;
}

static void take_uint(nx_mp *ret, uint64_t v)
{
    ret->kind = v > INT64_MAX ? NX_MP_UINT : NX_MP_INT;
    ret->i = (int64_t)v;
    ret->u = v;
}

static void take_int(nx_mp *ret, uint64_t v, unsigned width)
{
    ret->kind = NX_MP_INT;
    ret->i = width == 1 ? (int8_t)v : width == 2 ? (int16_t)v : width == 4 ? (int32_t)v : (int64_t)v;
}

static void take_float(nx_mp *ret, uint64_t v, unsigned width)
{
    ret->kind = NX_MP_FLOAT;
    ret->single = width == 4;
    if (width == 4) {
        uint32_t word = (uint32_t)v;
        float f;
        memcpy(&f, &word, 4);
        ret->f = (double)f;
    } else {
        memcpy(&ret->f, &v, 8);
    }
}

/* The bytes of an extension are in ret->s. */
static void take_ext(nx_mp *ret, int8_t type)
{
    ret->kind = NX_MP_EXT;
    ret->type = type;
    if (type != -1 || (ret->s.n != 4 && ret->s.n != 8 && ret->s.n != 12))
        return;
    uint64_t word = big_endian(ret->s.p, ret->s.n == 8 ? 8 : 4);
    if (ret->s.n == 4) {
        ret->i = (int64_t)word;
        ret->ns = 0;
    } else if (ret->s.n == 8) {
        ret->i = (int64_t)(word & ((UINT64_C(1) << 34) - 1));
        ret->ns = (uint32_t)(word >> 34);
    } else {
        ret->i = (int64_t)big_endian(ret->s.p + 4, 8);
        ret->ns = (uint32_t)word;
    }
    if (ret->ns < 1000000000)
        ret->kind = NX_MP_TIME;
}

static bool ext(nx_mp_in *in, const char **pp, uint64_t n, nx_mp *ret)
{
    uint64_t type;
    if (!fixed(in, pp, 1, &type) || !bytes(in, pp, n, ret))
        return false;
    take_ext(ret, (int8_t)type);
    return true;
}

/* Heads of 0xC0 to 0xDF; *pp is behind the first byte. */
static bool by_head(nx_mp_in *in, unsigned char head, const char **pp, nx_mp *ret)
{
    uint64_t v = 0;
    switch (head) {
    case 0xC0:
        ret->kind = NX_MP_NIL;
        return true;
    case 0xC2:
    case 0xC3:
        ret->kind = NX_MP_BOOL;
        ret->b = head == 0xC3;
        return true;
    case 0xC4:
    case 0xC5:
    case 0xC6:
        ret->kind = NX_MP_BIN;
        return fixed(in, pp, 1u << (head - 0xC4), &v) && bytes(in, pp, v, ret);
    case 0xC7:
    case 0xC8:
    case 0xC9:
        return fixed(in, pp, 1u << (head - 0xC7), &v) && ext(in, pp, v, ret);
    case 0xCA:
    case 0xCB:
        if (!fixed(in, pp, head == 0xCA ? 4 : 8, &v))
            return false;
        take_float(ret, v, head == 0xCA ? 4 : 8);
        return true;
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF:
        if (!fixed(in, pp, 1u << (head - 0xCC), &v))
            return false;
        take_uint(ret, v);
        return true;
    case 0xD0:
    case 0xD1:
    case 0xD2:
    case 0xD3:
        if (!fixed(in, pp, 1u << (head - 0xD0), &v))
            return false;
        take_int(ret, v, 1u << (head - 0xD0));
        return true;
    case 0xD4:
    case 0xD5:
    case 0xD6:
    case 0xD7:
    case 0xD8:
        return ext(in, pp, UINT64_C(1) << (head - 0xD4), ret);
    case 0xD9:
    case 0xDA:
    case 0xDB:
        ret->kind = NX_MP_STR;
        return fixed(in, pp, 1u << (head - 0xD9), &v) && bytes(in, pp, v, ret);
    case 0xDC:
    case 0xDD:
        return fixed(in, pp, head == 0xDC ? 2 : 4, &v) && container(in, *pp, NX_MP_ARR, v, ret);
    case 0xDE:
    case 0xDF:
        return fixed(in, pp, head == 0xDE ? 2 : 4, &v) && container(in, *pp, NX_MP_MAP, v, ret);
    default:
        return broken(in, in->p, "the byte 0xC1 begins no value");
    }
}

bool nx_mp_next(nx_mp_in *in, nx_mp *ret)
{
    if (in->p == in->end)
        return broken(in, in->p, "a value expected");
    const char *p = in->p + 1;
    unsigned char head = (unsigned char)*in->p;
    bool ok = true;
    if (head < 0x80) {
        ret->kind = NX_MP_INT;
        ret->i = head;
    } else if (head >= 0xE0) {
        ret->kind = NX_MP_INT;
        ret->i = (int8_t)head;
    } else if (head >= 0xC0) {
        ok = by_head(in, head, &p, ret);
    } else if (head >= 0xA0) {
        ret->kind = NX_MP_STR;
        ok = bytes(in, &p, head & 0x1F, ret);
    } else {
        ok = container(in, p, head >= 0x90 ? NX_MP_ARR : NX_MP_MAP, head & 0x0F, ret);
    }
    if (ok)
        in->p = p;
    return ok;
}

bool nx_mp_skip(nx_mp_in *in, unsigned depth)
{
    /* values still to come, a level; a value's own level is the last */
    uint64_t todo[NX_MP_DEPTH_MAX + 1];
    unsigned levels = 1;
    todo[0] = 1;
    while (levels > 0) {
        if (todo[levels - 1] == 0) {
            levels--;
            continue;
        }
        todo[levels - 1]--;
        nx_mp v;
        const char *at = in->p;
        if (!nx_mp_next(in, &v))
            return false;
        if (v.kind != NX_MP_ARR && v.kind != NX_MP_MAP)
            continue;
        if (depth + levels - 1 >= NX_MP_DEPTH_MAX) {
            in->p = at;
            in->too_deep = true;
            return broken(in, at, "nested deeper than 64");
        }
        todo[levels++] = v.kind == NX_MP_MAP ? 2 * (uint64_t)v.n : v.n;
    }
    return true;
}

bool nx_mp_time_ns(const nx_mp *v, int64_t *ret)
{
    /* in 128 bits: before 1970 the product alone may pass what the sum does not */
    __int128 ns = (__int128)v->i * 1000000000 + v->ns;
    *ret = (int64_t)ns;
    return ns >= INT64_MIN && ns <= INT64_MAX;
}

size_t nx_mp_number(const nx_mp *v, char out[NX_MP_NUMBER_MAX])
{
    if (v->kind == NX_MP_FLOAT)
        return v->single ? nx_f32_text((float)v->f, out) : nx_f64_text(v->f, out);
    int n = v->kind == NX_MP_UINT ? snprintf(out, NX_MP_NUMBER_MAX, "%llu", (unsigned long long)v->u)
                                  : snprintf(out, NX_MP_NUMBER_MAX, "%lld", (long long)v->i);
    return (size_t)n;
}
