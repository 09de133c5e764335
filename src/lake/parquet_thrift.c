/* The little of Thrift's compact protocol that page headers and footers need (thrift-compact-protocol.md of Apache
 * Thrift). */
#include "base/str.h"
#include "lake/parquet_int.h"

enum { T_TRUE = 1, T_FALSE = 2, T_I16 = 4, T_I32 = 5, T_I64 = 6, T_BINARY = 8, T_LIST = 9, T_STRUCT = 12 };

static void put(nx__th *t, const void *p, size_t n)
{
    if (t->st == NX_OK)
        t->st = nx_buf_add(t->b, (nx_str){p, n});
}

static void varint(nx__th *t, uint64_t v)
{
    if (t->st == NX_OK)
        t->st = nx__pq_varint(t->b, v);
}

static void field(nx__th *t, int id, int type)
{
    int16_t *last = &t->last[t->depth];
    unsigned char head = (unsigned char)type;
    if (id > *last && id - *last <= 15) {
        head |= (unsigned char)((id - *last) << 4);
        put(t, &head, 1);
    } else {
        put(t, &head, 1);
        varint(t, nx__pq_zigzag(id));
    }
    *last = (int16_t)id;
}

static void enter(nx__th *t)
{
    if (t->depth + 1 >= (int)NX_COUNT_OF(t->last)) {
        t->st = t->st == NX_OK ? NX_LIMIT : t->st;
        return;
    }
    t->last[++t->depth] = 0;
}

void nx__th_begin(nx__th *t, nx_buf *b)
{
    *t = (nx__th){.b = b};
}

void nx__th_bool(nx__th *t, int id, bool v)
{
    field(t, id, v ? T_TRUE : T_FALSE);
}

void nx__th_i16(nx__th *t, int id, int16_t v)
{
    field(t, id, T_I16);
    varint(t, nx__pq_zigzag(v));
}

void nx__th_i32(nx__th *t, int id, int32_t v)
{
    field(t, id, T_I32);
    varint(t, nx__pq_zigzag(v));
}

void nx__th_i64(nx__th *t, int id, int64_t v)
{
    field(t, id, T_I64);
    varint(t, nx__pq_zigzag(v));
}

void nx__th_bin(nx__th *t, int id, nx_str v)
{
    field(t, id, T_BINARY);
    nx__th_elem_bin(t, v);
}

void nx__th_struct(nx__th *t, int id)
{
    field(t, id, T_STRUCT);
    enter(t);
}

void nx__th_close(nx__th *t)
{
    put(t, "", 1); /* the stop field is a zero byte */
    if (t->depth > 0)
        t->depth--;
}

void nx__th_list(nx__th *t, int id, nx__th_elem type, size_t n)
{
    field(t, id, T_LIST);
    unsigned char head = (unsigned char)(type | (n < 15 ? n << 4 : 0xF0));
    put(t, &head, 1);
    if (n >= 15)
        varint(t, n);
}

void nx__th_elem_i32(nx__th *t, int32_t v)
{
    varint(t, nx__pq_zigzag(v));
}

void nx__th_elem_bin(nx__th *t, nx_str v)
{
    varint(t, v.n);
    put(t, v.p, v.n);
}

void nx__th_elem_struct(nx__th *t)
{
    enter(t);
}

void nx__th_elem_raw(nx__th *t, nx_str s)
{
    put(t, s.p, s.n);
}

nx_status nx__th_end(nx__th *t)
{
    put(t, "", 1);
    return t->st;
}
