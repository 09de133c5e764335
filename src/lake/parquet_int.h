/* lake/parquet_int.h - shared by the files of the Parquet encoder.
 *
 * The way of a column: slots (which rows have a value, on which level; parquet_levels.c), values as 64-bit integers or
 * as bytes, an encoding chosen by a sample (parquet_choose.c), pages (parquet_column.c), bounds (parquet_stats.c).
 */
#ifndef NX_LAKE_PARQUET_INT_H
#define NX_LAKE_PARQUET_INT_H

#include "io/zstd.h"
#include "lake/parquet.h"

/* parquet.thrift: enum Type, Encoding */
typedef enum nx__pq_phys {
    NX__PQ_BOOLEAN = 0,
    NX__PQ_INT32 = 1,
    NX__PQ_INT64 = 2,
    NX__PQ_DOUBLE = 5,
    NX__PQ_BYTES = 6,
    NX__PQ_FIXED = 7
} nx__pq_phys;
typedef enum nx__pq_encoding {
    NX__PQ_PLAIN = 0,
    NX__PQ_RLE = 3,
    NX__PQ_DELTA = 5,
    NX__PQ_DICT = 8 /* RLE_DICTIONARY */
} nx__pq_encoding;

enum {
    NX__PQ_DICT_MAX = 65536,     /* indexes are 16 bits */
    NX__PQ_DICT_BYTES = 1 << 20, /* of texts in one dictionary */
    NX__PQ_PAGE_BYTES = 1 << 20, /* of values in one page, about */
    NX__PQ_FIXED_BYTES = 16,     /* decimals over 18 digits */
    NX__PQ_BOUND_BYTES = 256,    /* longer texts give a bound, not a value */
    NX__PQ_DEPTH_MAX = 16        /* nesting of lists and structs */
};
#define NX__PQ_NONE UINT32_MAX
#define NX__PQ_MAGIC "PAR1"

/* ------------------------------------------------------------------ Thrift's compact protocol (parquet_thrift.c) */

/* Sticky: after the first failure nothing more is written and nx__th_end() tells. */
typedef struct nx__th {
    nx_buf *b;
    nx_status st;
    int depth;
    int16_t last[8]; /* the last field id of each open struct */
} nx__th;

void nx__th_begin(nx__th *t, nx_buf *b); /* opens the outermost struct */
void nx__th_bool(nx__th *t, int id, bool v);
void nx__th_i16(nx__th *t, int id, int16_t v);
void nx__th_i32(nx__th *t, int id, int32_t v);
void nx__th_i64(nx__th *t, int id, int64_t v);
void nx__th_bin(nx__th *t, int id, nx_str v);
void nx__th_struct(nx__th *t, int id); /* a field that is a struct; closed by nx__th_close */
void nx__th_close(nx__th *t);
typedef enum nx__th_elem { NX__TH_I32 = 5, NX__TH_BIN = 8, NX__TH_STRUCT = 12 } nx__th_elem;
void nx__th_list(nx__th *t, int id, nx__th_elem type, size_t n); /* n elements follow: */
void nx__th_elem_i32(nx__th *t, int32_t v);
void nx__th_elem_bin(nx__th *t, nx_str v);
void nx__th_elem_struct(nx__th *t);        /* closed by nx__th_close */
void nx__th_elem_raw(nx__th *t, nx_str s); /* elements that were written elsewhere */
nx_status nx__th_end(nx__th *t);           /* closes the outermost struct */

/* ------------------------------------------------------------------ encodings (parquet_encode.c); all append to b */

/* Digits of v in base 2: 0 for 0, 64 at most. */
static inline int nx__pq_bits(uint64_t v)
{
    return v == 0 ? 0 : 64 - __builtin_clzll(v);
}
NX_MUST_USE nx_status nx__pq_varint(nx_buf *b, uint64_t v);
/* Small numbers of either sign to small ones without. */
static inline uint64_t nx__pq_zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (0 - ((uint64_t)v >> 63));
}
/* The RLE / bit-packing hybrid, values below 2^width, width 0..16, without a length in front. */
NX_MUST_USE nx_status nx__pq_hybrid(nx_buf *b, const uint16_t *v, size_t n, int width);
/* The same for n times one value. */
NX_MUST_USE nx_status nx__pq_run(nx_buf *b, uint16_t v, size_t n, int width);
/* DELTA_BINARY_PACKED, blocks of 128 in 4 parts; narrow: differences wrap at 32 bits (INT32 columns). */
NX_MUST_USE nx_status nx__pq_delta(nx_buf *b, const int64_t *v, size_t n, bool narrow);
/* PLAIN: width 4 or 8 bytes of each. */
NX_MUST_USE nx_status nx__pq_plain(nx_buf *b, const int64_t *v, size_t n, int width);
NX_MUST_USE nx_status nx__pq_bools(nx_buf *b, const int64_t *v, size_t n);

/* ------------------------------------------------------------------ dictionaries (parquet_dict.c) */

/* Numbers or texts in order of first appearance; grows on demand, reused from column to column. */
typedef struct nx__pq_dict {
    uint32_t *table; /* entry + 1, 0: free; `mask` + 1 places */
    size_t mask, cap_table;
    size_t n;
    int64_t *num; /* numbers; of texts up to 8 bytes their bytes */
    size_t cap_num;
    nx_str *text; /* into the batch */
    size_t cap_text;
    size_t text_bytes;
} nx__pq_dict;

void nx__pq_dict_drop(nx__pq_dict *d);
/* Index of each value into index[]. NX_NOTHING: more than NX__PQ_DICT_MAX entries, or so many that a dictionary does not
 * pay. NX_NOMEM. */
NX_MUST_USE nx_status nx__pq_dict_numbers(nx__pq_dict *d, const int64_t *v, size_t n, uint16_t *index);
NX_MUST_USE nx_status nx__pq_dict_texts(nx__pq_dict *d, const nx_str *v, size_t n, uint16_t *index);

/* What to do with n numbers, judged by a sample: NX__PQ_DICT, NX__PQ_DELTA or NX__PQ_PLAIN. deltas: whether the type has
 * DELTA_BINARY_PACKED at all; width: bytes of a PLAIN value. */
nx__pq_encoding nx__pq_choose(const int64_t *v, size_t n, int width, bool deltas);

/* ------------------------------------------------------------------ statistics (parquet_stats.c) */

typedef struct nx__pq_text_bound {
    size_t n;
    bool exact;
    char p[NX__PQ_BOUND_BYTES];
} nx__pq_text_bound;

typedef struct nx__pq_stats {
    int64_t nulls;
    bool any;     /* there was a value */
    bool no_more; /* bounds can no longer be told: NaN, a text without an upper bound */
    union {
        int64_t i;
        double d;
        __int128 w;
    } lo, hi;
    nx__pq_text_bound text_lo, text_hi;
} nx__pq_stats;

/* Big-endian two's complement. */
void nx__pq_fixed(__int128 v, unsigned char out[NX__PQ_FIXED_BYTES]);
void nx__pq_stats_i64(nx__pq_stats *s, const int64_t *v, size_t n);
void nx__pq_stats_f64(nx__pq_stats *s, const int64_t *bits, size_t n);
void nx__pq_stats_i128(nx__pq_stats *s, __int128 v);
void nx__pq_stats_text(nx__pq_stats *s, nx_str v);
void nx__pq_stats_merge(nx__pq_stats *to, const nx__pq_stats *from, const nx_type *type);
/* The Statistics struct of a column chunk, without its begin and end. */
void nx__pq_stats_thrift(const nx__pq_stats *s, const nx_type *type, nx__pq_phys phys, nx__th *t);
/* As texts for the log. NX_NOMEM. */
NX_MUST_USE nx_status nx__pq_stats_texts(const nx__pq_stats *s, const nx_type *type, nx_arena *a, nx_col_stats *ret);

/* ------------------------------------------------------------------ leaves and slots (parquet_levels.c) */

typedef struct nx__pq_leaf {
    const nx_type *type;
    const char *const *path; /* as in the Parquet schema: "bids", "list", "element", "price" */
    size_t n_path;
    nx__pq_phys phys;
    int width; /* bytes of a PLAIN value, 0: varies */
    uint16_t max_def, max_rep;
    nx__pq_stats now, kept; /* of the file: with the rows of the running add, without */
} nx__pq_leaf;

/* The leaf columns of the fields that are not skipped, in file order; all in the arena. NX_UNSUPPORTED: nested too deep,
 * a struct without fields. */
NX_MUST_USE nx_status nx__pq_leaves(const nx_schema *s, const bool *skip, nx_arena *a, nx__pq_leaf **ret, size_t *ret_n,
                                    nx_err *err);
/* Sets phys and width. */
void nx__pq_physical(const nx_type *t, nx__pq_leaf *leaf);

/* The places of a column chunk where there is a value or a null. */
typedef struct nx__pq_slots {
    size_t n, n_values, cap;
    uint32_t *at;  /* of each value, its row in the leaf's column; on the way of each slot, NX__PQ_NONE for none */
    uint16_t *def; /* of each slot */
    uint16_t *rep;
    /* What needs no arrays (a flat column all there or all null): `at` is from, from + 1, …; every def is `level`. */
    bool plain, flat; /* flat: no rep */
    uint16_t level;
    uint32_t from;
} nx__pq_slots;

typedef struct nx__pq_pick { /* rows of a batch */
    const uint32_t *rows;    /* rows[from], …; NULL: from, from + 1, … */
    size_t from, n;
} nx__pq_pick;

/* Goes through a top-level column and calls fn for each of its leaves, in file order. The slots live until fn returns. */
typedef nx_status (*nx__pq_leaf_fn)(void *ctx, const nx_col *leaf, nx__pq_slots *s, nx_err *err);
typedef struct nx__pq_walk {
    nx__pq_slots level[NX__PQ_DEPTH_MAX]; /* arrays kept from column to column */
} nx__pq_walk;
NX_MUST_USE nx_status nx__pq_walk_column(nx__pq_walk *w, const nx_col *c, const nx__pq_pick *pick, nx__pq_leaf_fn fn,
                                         void *ctx, nx_err *err);
void nx__pq_walk_drop(nx__pq_walk *w);

/* ------------------------------------------------------------------ files (parquet_column.c, parquet_footer.c) */

struct nx_pq_encoder {
    nx_zstd *zstd;
    nx__pq_walk walk;
    nx__pq_dict dict;
    int64_t *nums; /* values of the column, gathered */
    size_t cap_nums;
    nx_str *texts;
    size_t cap_texts;
    uint16_t *index;
    size_t cap_index;
    unsigned char *fixed;
    size_t cap_fixed;
    nx_buf page, packed, out; /* one page before and after compression; bytes on their way to the file */
};

typedef struct nx__pq_state {
    int64_t pos, rows; /* end of the data; rows */
    size_t groups_n;   /* bytes of `groups` */
    int32_t n_groups;
} nx__pq_state;

struct nx_pq_file {
    int fd;
    char *path;
    bool ended;
    bool torn; /* behind the kept bytes are some that do not count */
    const char *created_by;
    nx_arena arena; /* schema, leaves */
    const nx_schema *schema;
    bool *skip; /* a flag a field */
    nx__pq_leaf *leaves;
    size_t n_leaves;
    nx_buf groups; /* RowGroup structs, one behind the other */
    nx__pq_state now, kept;
};

/* Encodes one leaf column of one row group to e->out and appends its ColumnChunk to `chunks`. base: file position of
 * e->out's first byte. Adds to *bytes what the chunk would be uncompressed. */
NX_MUST_USE nx_status nx__pq_column(nx_pq_encoder *e, nx__pq_leaf *leaf, const nx_col *c, const nx__pq_slots *s,
                                    int64_t base, nx_buf *chunks, int64_t *bytes, nx_err *err);
/* Appends one RowGroup made of n ColumnChunks. */
NX_MUST_USE nx_status nx__pq_group(nx_buf *groups, size_t n, nx_str chunks, int64_t bytes, int64_t from, int64_t to,
                                   int64_t rows, int32_t ordinal);
/* FileMetaData, its length and the magic number. */
NX_MUST_USE nx_status nx__pq_footer(const nx_pq_file *f, nx_buf *b);

#endif
