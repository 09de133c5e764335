/* contract/decode_int.h - the running decoder: lanes (where rows go), ways (how they are spelled), the row being read. */
#ifndef NX_CONTRACT_DECODE_INT_H
#define NX_CONTRACT_DECODE_INT_H

#include "contract/contract_int.h"
#include "contract/scan_int.h"
#include "data/msgpack.h"
#include "data/time.h"

enum {
    NX_ROWS_MAX = 65536,      /* elements of one frame */
    NX_ERRORS_MAX = 16384,    /* errors of one frame; past it a row keeps its first one only */
    NX_ROW_ERRORS_MAX = 128,  /* errors of one row */
    NX_UNKNOWN_MAX = 256,     /* unknown members of one row */
    NX_VALUE_BYTES_MAX = 256, /* of an offending value */
    NX_NEXT_NONE = 0xFFFF
};

/* The minute a timestamp was last in: most messages are in the same one. */
typedef struct nx_minute {
    char text[16]; /* 2013-10-08T08:00 */
    int64_t ns;    /* its beginning */
    int32_t days;  /* its UTC date */
    char month[8]; /* 2013-10 */
} nx_minute;

typedef struct nx_lane nx_lane;
struct nx_lane {
    const nx_contract *contract;
    nx_batch *b;      /* bound batch, else the scratch */
    nx_batch scratch; /* rows that are only checked */
    bool bound, scratch_made;
    size_t n_before;  /* rows when the frame began */
    uint64_t touched; /* number of the last frame that put something here */
    nx_lane *next_touched;
};

/* What follows a column that the object did not have. */
typedef struct nx_absent {
    int16_t col;
    int16_t constant; /* index in the variant's constants, -1 */
    bool null;        /* nothing but null is possible when the request says nothing */
} nx_absent;

typedef struct nx_way {
    const nx_variant *v;
    nx_lane *lane;
    uint16_t next[NX_SLOTS_MAX + 1]; /* slot that followed slot i - 1 last time (0: at the start) */
    size_t n_tail;
    nx_absent tail[]; /* own columns that are never on this wire */
} nx_way;

typedef struct nx_unknown {
    nx_str key; /* unescaped */
    nx_str raw_key, value;
} nx_unknown;

typedef struct nx_row {
    nx_way *way;
    nx_batch *b;
    nx_col *cols;
    const nx_colspec *specs;
    int32_t index;
    bool bad; /* has errors: will be taken back */
    size_t first_error;
    uint64_t seen[NX_SLOTS_MAX / 64];
    size_t n_unknown;
    const nx_context *context;
    size_t n_context;
} nx_row;

struct nx_decoder {
    const nx_contracts *set;
    nx_lane *lanes; /* one a contract */
    nx_way **ways;  /* the feed's, then those of single objects, made when first used */
    size_t n_ways, cap_ways, n_feed_ways;
    nx_way *by_byte[256]; /* type of one byte → way */
    nx_way *only;         /* feed without types */
    const char *when_key; /* of the feed; NULL: none */
    char head[40];        /* {"T":" */
    size_t head_n;
    nx_control_fn control;
    void *control_ctx;

    nx_scan scan;
    nx_mp_in mp; /* where a packed frame is read */
    bool packed; /* the frame is msgpack */
    nx_row row;
    nx_minute minute;
    uint64_t frame_no;
    nx_lane *first_touched; /* lanes of this frame, chained */
    const nx_row_meta *meta;
    bool declared;
    nx_str timeframe; /* last one understood, in timeframe_text */
    char timeframe_text[16];
    int timeframe_n;
    char timeframe_unit;

    nx_buf text, extra; /* unescaped value; _extra being built */
    nx_arena arena;     /* texts of the verdict; reset by every call */
    nx_unknown unknown[NX_UNKNOWN_MAX];
    nx_row_error *errors;
    size_t n_errors, cap_errors;
    nx_refused *refused; /* .errors is an offset until the verdict is closed */
    size_t *refused_first;
    size_t n_refused, cap_refused, cap_first;
};

/* verdict.c */
/* Notes an error of the row being read. Fails only with NX_NOMEM. */
NX_PRINTF(6, 7)
NX_MUST_USE nx_status nx__row_error(nx_decoder *d, const nx_row *r, const char *field, const char *rule, nx_str value,
                                    const char *fmt, ...);
/* Closes a refused row: all errors since first. */
NX_MUST_USE nx_status nx__refuse(nx_decoder *d, int32_t index, const nx_contract *c, nx_str raw, size_t first_error);
void nx__verdict_begin(nx_decoder *d);
void nx__verdict_end(nx_decoder *d, nx_verdict *ret);

/* decode.c: one object of a known type. *pp at its first byte; skip: bytes of it that are read already (the discriminator). */
NX_MUST_USE nx_status nx__read_object(nx_decoder *d, nx_way *w, int32_t index, const char **pp, size_t skip,
                                      const nx_context *context, size_t n_context, uint32_t *accepted);
NX_MUST_USE nx_status nx__refuse_one(nx_decoder *d, int32_t index, const nx_contract *c, nx_str raw, const char *field,
                                     const char *rule, nx_str value, const char *message);
/* The feed's way of a type, or NULL. */
nx_way *nx__way_of_type(const nx_decoder *d, nx_str type);
/* An object whose type is no row's: the control function takes it, or it is refused. type.p NULL: it has none. */
NX_MUST_USE nx_status nx__no_row(nx_decoder *d, int32_t index, nx_str type, nx_str raw, nx_verdict *v);
/* The variant of a contract that a single object of this type (p NULL: none) is spelled in. */
const nx_variant *nx__variant_of(const nx_contract *c, nx_str type);

/* packed.c: the same for msgpack, read from d->mp. NX_INVALID: broken (d->scan.bad). */
NX_MUST_USE nx_status nx__packed_elements(nx_decoder *d, nx_verdict *v);
NX_MUST_USE nx_status nx__packed_single(nx_decoder *d, const nx_contract *c, const nx_context *context,
                                        size_t n_context, int32_t index, nx_verdict *v);
NX_MUST_USE nx_status nx__packed_broken(nx_decoder *d);
/* A value for a message: as JSON where JSON can say it (overwritten by the next text), else its bytes. */
nx_str nx__packed_text(nx_decoder *d, nx_str raw);
/* packed_row.c: members of one map; *p at its head. packed_value.c: one value, at d->mp.p. */
NX_MUST_USE nx_status nx__packed_row(nx_decoder *d, nx_row *r, const char **p, size_t skip);
NX_MUST_USE nx_status nx__packed_value(nx_decoder *d, nx_row *r, const nx_slot *s);

/* A value on its way: what it is and its text (unescaped, or as written for numbers). */
typedef struct nx_piece {
    nx_tok tok;
    nx_str text;
    nx_str raw; /* for messages: lives as long as the frame, or in the decoder's buffer of texts */
} nx_piece;

/* value.c: what both forms end in; each notes the errors that it finds. */
NX_MUST_USE nx_status nx__convert(nx_decoder *d, nx_row *r, int16_t col, nx_conv conv, const nx_piece *p);
NX_MUST_USE nx_status nx__put_instant(nx_decoder *d, nx_row *r, int16_t col, int64_t ns, const nx_piece *p);
NX_MUST_USE nx_status nx__put_item(nx_decoder *d, nx_row *r, int16_t col, nx_str text, nx_str raw);
NX_MUST_USE nx_status nx__read_null(nx_decoder *d, nx_row *r, int16_t col);
NX_MUST_USE nx_status nx__keep_true(nx_decoder *d, nx_row *r, const nx_slot *s);
NX_MUST_USE nx_status nx__wrong(nx_decoder *d, nx_row *r, int16_t col, const char *rule, nx_str value,
                                const char *what);
NX_MUST_USE nx_status nx__wrong_type(nx_decoder *d, nx_row *r, int16_t col, const char *want, const nx_piece *p);

/* row.c */
const nx_slot *nx__find_slot(const nx_variant *v, nx_str key);
NX_MUST_USE nx_status nx__doubled(nx_decoder *d, nx_row *r, const nx_slot *s, nx_str key);

/* value.c: the general way for one value. p at the value (white space allowed). NX_INVALID: broken JSON (d->scan.bad). */
NX_MUST_USE nx_status nx__read_value(nx_decoder *d, nx_row *r, const nx_slot *s, const char **p);
/* A value that is not in the object but in the request. */
NX_MUST_USE nx_status nx__put_text(nx_decoder *d, nx_row *r, int16_t col, nx_str text);
NX_MUST_USE nx_status nx__put_null(nx_row *r, int16_t col);
/* A timestamp and the columns that derive from it. Inline: every message has one. */
NX_MUST_USE static inline nx_status nx__put_time(nx_row *r, int16_t col, int64_t ns, int32_t days, const char month[8])
{
    const nx_colspec *s = &r->specs[col];
    NX_TRY(nx_col_i64(r->b, &r->cols[col], ns >= 0 ? ns / 1000 : nx_us_of_ns(ns)));
    if (s->ns_col >= 0)
        NX_TRY(nx_col_i64(r->b, &r->cols[s->ns_col], ns));
    if (s->date_col >= 0)
        NX_TRY(nx_col_i32(r->b, &r->cols[s->date_col], days));
    if (s->month_col >= 0)
        NX_TRY(nx_col_str(r->b, &r->cols[s->month_col], (nx_str){month, 7}));
    return NX_OK;
}
/* check.c: rules on a converted value; false: an error was noted (or, with *st != NX_OK, could not be). */
bool nx__check_text(nx_decoder *d, nx_row *r, int16_t col, nx_str *text, nx_status *st);
bool nx__check_number(nx_decoder *d, nx_row *r, int16_t col, __int128 v, nx_str text, nx_status *st);
bool nx__check_count(nx_decoder *d, nx_row *r, int16_t col, size_t n, nx_str text, nx_status *st);

/* row.c: members of one object. p behind '{', or behind the discriminator when `typed`. Leaves p behind '}'. */
NX_MUST_USE nx_status nx__read_row(nx_decoder *d, nx_row *r, const char **p, bool typed);
/* finish.c: columns that were not in the object, derived and technical ones. */
NX_MUST_USE nx_status nx__finish_row(nx_decoder *d, nx_row *r);
/* known.c */
NX_MUST_USE bool nx__bar_end(nx_decoder *d, nx_str timeframe, int64_t us, int64_t *ret_us);

#endif
