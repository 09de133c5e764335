/* data/msgpack.h
 *
 * MessagePack, strictly and bounded: a reader that hands out one value after the other without building anything, a walk over
 * whole values, JSON text from msgpack and back, and writers.
 *   - A claim is believed only as far as bytes are left: an array of n elements needs n bytes, a map of n pairs 2 n.
 *   - 0xC1, which the format never uses, and everything that ends before it is whole is broken.
 *   - Timestamps (extension type -1) of 4, 8 and 12 bytes are values of their own.
 *   - Text is NOT checked for UTF-8 by the reader: what to do about a bad text is its user's business.
 * Source   The MessagePack specification (2017: with timestamps), facts on Alpaca's binary frames.
 * Thread   No shared state.
 */
#ifndef NX_DATA_MSGPACK_H
#define NX_DATA_MSGPACK_H

#include "base/str.h"

enum { NX_MP_DEPTH_MAX = 64, NX_MP_NUMBER_MAX = 40 };

typedef enum nx_mp_kind {
    NX_MP_NIL,
    NX_MP_BOOL,
    NX_MP_INT,  /* fits int64: i */
    NX_MP_UINT, /* above INT64_MAX: u */
    NX_MP_FLOAT,
    NX_MP_STR,
    NX_MP_BIN,
    NX_MP_ARR,
    NX_MP_MAP,
    NX_MP_TIME,
    NX_MP_EXT /* of any other type, or of type -1 with a length or a nanosecond that no timestamp has */
} nx_mp_kind;

/* One value; of an array or map only its head, its members follow. */
typedef struct nx_mp {
    nx_mp_kind kind;
    bool b;
    bool single; /* NX_MP_FLOAT: came as 32 bits */
    uint32_t n;  /* NX_MP_ARR: elements; NX_MP_MAP: pairs */
    int8_t type; /* NX_MP_EXT */
    nx_str s;    /* NX_MP_STR, NX_MP_BIN, NX_MP_EXT: the bytes, inside the input */
    int64_t i;   /* NX_MP_TIME: seconds since 1970 */
    uint64_t u;
    double f;
    uint32_t ns; /* NX_MP_TIME: 0 to 999,999,999 */
} nx_mp;

typedef struct nx_mp_in {
    const char *p, *end;
    const char *bad;  /* where it broke; NULL: it did not */
    const char *what; /* what is wrong there, a constant text */
    bool too_deep;    /* it is the nesting that is refused */
} nx_mp_in;

static inline nx_mp_in nx_mp_open(nx_str bytes)
{
    return (nx_mp_in){.p = bytes.p, .end = bytes.p + bytes.n};
}

/* True when a first byte begins an array or a map. No JSON text begins so: a frame's first byte tells its form. */
static inline bool nx_mp_is_container(char first)
{
    unsigned char c = (unsigned char)first;
    return (c >= 0x80 && c <= 0x9F) || (c >= 0xDC && c <= 0xDF);
}

/* The value at in->p; moves behind it (behind the head of an array or map). False: broken, nothing was moved. */
NX_MUST_USE bool nx_mp_next(nx_mp_in *in, nx_mp *ret);
/* Moves behind the whole value at in->p, which stands at a depth of its own; containers may be NX_MP_DEPTH_MAX deep in all. */
NX_MUST_USE bool nx_mp_skip(nx_mp_in *in, unsigned depth);

/* Nanoseconds since 1970 of an NX_MP_TIME; false outside 1678 to 2262. */
bool nx_mp_time_ns(const nx_mp *v, int64_t *ret);
/* An NX_MP_INT, NX_MP_UINT or NX_MP_FLOAT as a JSON number, floats by the fewest digits (data/float.h). The length; 0 for NaN and
 * infinities. */
size_t nx_mp_number(const nx_mp *v, char out[NX_MP_NUMBER_MAX]);

/* Appends one whole value as compact JSON; timestamps become RFC 3339 texts. err says what and at which byte. NX_INVALID: broken, nested too
 * deep, or text that is not UTF-8. NX_UNSUPPORTED: something that JSON cannot say (bytes, other extensions, NaN and infinities, a timestamp
 * outside 1678 to 2262, a member name that is no text). NX_LIMIT, NX_NOMEM: the buffer. */
NX_MUST_USE nx_status nx_mp_to_json(nx_str value, nx_buf *b, nx_err *err);

/* ------------------------------------------------------------------ writing */

/* Each appends one value in its shortest form. Errors: NX_LIMIT, NX_NOMEM of the buffer. */
NX_MUST_USE nx_status nx_mp_put_nil(nx_buf *b);
NX_MUST_USE nx_status nx_mp_put_bool(nx_buf *b, bool v);
NX_MUST_USE nx_status nx_mp_put_i64(nx_buf *b, int64_t v);
NX_MUST_USE nx_status nx_mp_put_u64(nx_buf *b, uint64_t v);
NX_MUST_USE nx_status nx_mp_put_f64(nx_buf *b, double v);
NX_MUST_USE nx_status nx_mp_put_str(nx_buf *b, nx_str v); /* up to 4 GiB - 1, else NX_LIMIT; so are bytes */
NX_MUST_USE nx_status nx_mp_put_bin(nx_buf *b, nx_str v);
NX_MUST_USE nx_status nx_mp_put_arr(nx_buf *b, uint32_t n); /* n values follow */
NX_MUST_USE nx_status nx_mp_put_map(nx_buf *b, uint32_t n); /* n pairs follow */
NX_MUST_USE nx_status nx_mp_put_time(nx_buf *b, int64_t ns);
NX_MUST_USE nx_status nx_mp_put_ext(nx_buf *b, int8_t type, nx_str v);

/* Which members of JSON objects are not written as their text suggests; both NULL-terminated, may be NULL. */
typedef struct nx_mp_words {
    const char *const *times;  /* RFC 3339 texts that become timestamps; other texts stay texts */
    const char *const *floats; /* numbers that become float 64 even when they are whole */
} nx_mp_words;

/* Appends a JSON text as msgpack: whole numbers as integers, others as float 64. NX_INVALID: no JSON, or a number that float 64 does not
 * carry exactly (its shortest text would be another decimal), with its text. NX_NOMEM, NX_LIMIT. words may be NULL. On an error b is as before. */
NX_MUST_USE nx_status nx_mp_from_json(nx_str json, const nx_mp_words *words, nx_buf *b, nx_err *err);

#endif
