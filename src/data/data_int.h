/* data/data_int.h - shared between the files of data. */
#ifndef NX_DATA_DATA_INT_H
#define NX_DATA_DATA_INT_H

#include "data/type.h"
#include "data/value.h"

/* Length of the longest JSON number at the start of s, 0 when there is none. Reading stops at the first byte that
 * cannot belong to it: "1.5x" gives 3, "1." and "1e" give 0. */
size_t nx__num_scan(nx_str s);

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "text is read as words, first character in the lowest byte");

/* Bytes of one value of the type in a column's data; 0 for kinds without (strings, lists, structs). */
size_t nx__type_width(const nx_type *t);

static inline uint64_t nx__load64(const char *p)
{
    uint64_t w;
    memcpy(&w, p, sizeof w);
    return w;
}

/* Eight characters against a form, where '0' stands for any digit and all else for itself. On success each byte of *ret
 * that begins a pair of digits holds the pair's value. A word at once does what eight comparisons would: text ^ form
 * leaves the digits' values and zeros; `slack` (0x76 for digits, 0x7F for the rest) lifts the first byte value that is
 * not allowed up to bit 7. */
static inline bool nx__read_pairs(uint64_t text, uint64_t form, uint64_t slack, uint64_t *ret)
{
    uint64_t x = text ^ form;
    *ret = x * 10 + (x >> 8);
    return (((x + slack) | x) & 0x8080808080808080u) == 0;
}

/* Eight digits, or false; the halves of ever wider pairs are added up. */
static inline bool nx__read_digits(uint64_t text, uint32_t *ret)
{
    uint64_t y;
    bool ok = nx__read_pairs(text, 0x3030303030303030u, 0x7676767676767676u, &y);
    y &= 0x00FF00FF00FF00FFu;
    y = y * 100 + (y >> 16);
    *ret = (uint32_t)y % 65536 * 10000 + (uint32_t)(y >> 32) % 65536;
    return ok;
}

/* How the JSON and YAML readers build trees: the values of open arrays and objects wait on one stack; when one is
 * closed, those above its base move into the arena. */
typedef struct nx__slot {
    nx_val v;
    nx_str key; /* in objects */
    int key_line, key_col;
} nx__slot;

typedef struct nx__tree {
    nx_arena *a;
    nx__slot *stack;
    size_t n, cap;
} nx__tree;

void nx__tree_drop(nx__tree *t);
/* NX_NOMEM, also when the stack alone would pass the arena's maximum. */
NX_MUST_USE nx_status nx__tree_push(nx__tree *t, const nx__slot *s);
/* Moves the slots from `base` on into v (NX_VAL_ARR or NX_VAL_OBJ). NX_NOMEM; NX_INVALID when a key is there twice and
 * dups are not allowed: then *ret_dup is the later slot, still on the stack. */
NX_MUST_USE nx_status nx__tree_close(nx__tree *t, nx_val *v, size_t base, bool allow_dups, const nx__slot **ret_dup);

#endif
