/* contract/contract_int.h - what the files of this module share: the compiled form of a contract. */
#ifndef NX_CONTRACT_CONTRACT_INT_H
#define NX_CONTRACT_CONTRACT_INT_H

#include "contract/contract.h"
#include "contract/pattern_int.h"
#include "data/value.h"

enum {
    NX_WIRE_FIELDS_MAX = 64, /* columns read from the wire: one word of bits */
    NX_SLOTS_MAX = 256,      /* known wire names of a contract, ignored ones included */
    NX_CONSTS_MAX = 8,       /* constants of one feed entry */
};

/* How the text of a value becomes a column value. */
typedef enum nx_conv {
    NX_CONV_STRING,
    NX_CONV_DECIMAL,      /* JSON number */
    NX_CONV_DECIMAL_TEXT, /* JSON number, or a string that holds one */
    NX_CONV_INT,          /* NX_INT32 and NX_INT64; 1.0 and 1e3 are integers, "1" is not */
    NX_CONV_BOOL,
    NX_CONV_TIME,          /* RFC 3339 text */
    NX_CONV_EPOCH,         /* seconds since 1970 as a JSON number, exact */
    NX_CONV_EPOCH_OR_BOOL, /* the same; false is null, true is null and kept in _extra */
    NX_CONV_DATE,          /* YYYY-MM-DD */
    NX_CONV_LIST,          /* array of strings */
    NX_CONV_ONE_OR_MANY,   /* the same, or a bare string */
    NX_CONV_IGNORE         /* a known member that is not stored, or the discriminator */
} nx_conv;

typedef struct nx_range {
    bool set, exclusive;
    __int128 v;       /* at the column's scale; days for dates, microseconds for timestamps */
    const char *text; /* as written */
} nx_range;

typedef struct nx_pair {
    nx_str from, to;
} nx_pair;

/* Rules of a column; any == false: none, the hot path looks no further. */
typedef struct nx_rules {
    bool any;
    nx_range min, max;
    int64_t lo, hi;          /* the same bounds, closed and cut to 64 bits and the precision: what is inside is fine */
    bool words;              /* translate or allowed: not for the hot path */
    size_t len_min, len_max; /* code points, or list items; len_max SIZE_MAX: none */
    size_t item_len_max;     /* code points of a list's items; SIZE_MAX: none */
    const nx_pattern *pattern; /* NULL: none */
    const nx_str *allowed;     /* enum; NULL: none */
    size_t n_allowed;
    const char *allowed_text; /* "a, b or c" */
    const nx_pair *translate; /* before the rules; NULL: none */
    size_t n_translate;
} nx_rules;

/* Where a column that is not on the wire comes from. */
typedef enum nx_source {
    NX_FROM_WIRE,
    NX_FROM_CONTEXT, /* context or a constant of the feed entry */
    NX_FROM_TIME,    /* filled together with the timestamp column it derives from */
    NX_FROM_DELETED, /* is_deleted of social rows */
    NX_FROM_TECHNICAL,
    NX_FROM_CALLER /* a table without a wire form: nobody but its writer fills it */
} nx_source;

typedef struct nx_colspec {
    nx_source source;
    nx_conv conv;
    nx_rules rules;
    bool required, context, unique;
    bool broken; /* only with nx_problems: it could not be read, what refers to it is not judged */
    /* timestamp columns: derived columns, -1 none */
    int16_t ns_col, date_col, month_col;
    /* NX_FROM_DELETED: columns author, text and removed_by (or -1) */
    int16_t args[3];
    const char *derive; /* as written, for the compiler */
    const nx_val *wire; /* as written */
    int line;
} nx_colspec;

/* Where a contract is read from, and where its problems go. */
typedef struct nx_problems nx_problems;
typedef struct nx_origin {
    const char *file;
    nx_problems *problems; /* NULL: reading ends with the first one */
} nx_origin;

/* A wire name that a feed entry knows. */
typedef struct nx_slot {
    nx_str key;
    uint64_t tok, mask; /* the first 8 bytes of ,"key": as they stand in memory */
    char text[32];      /* ,"key": */
    uint8_t tok_n;      /* length of ,"key": or 0 when the key is too long for the fast compare */
    uint8_t conv;       /* nx_conv */
    int16_t col;        /* -1: ignored or discriminator */
    uint16_t bit;       /* what "seen" means: two names of one column share a bit */
} nx_slot;

typedef struct nx_const {
    int16_t col;
    nx_str text;
} nx_const;

/* One entry of `feeds`, or the union of all of them: a way in which this contract is spelled on the wire. */
typedef struct nx_variant {
    const nx_contract *contract;
    nx_str feed;                 /* empty: the union */
    nx_str when_key, when_value; /* discriminator; empty: none */
    const nx_slot *slots;        /* stored ones first, in the order of the columns; bits below 64 are stored ones */
    uint16_t n_slots;
    int16_t when_slot;         /* slot of when_key, -1 */
    uint64_t stored_mask;      /* bits of the stored slots */
    const int16_t *col_of_bit; /* 64 */
    const nx_const *consts;
    size_t n_consts;
} nx_variant;

struct nx_contract {
    const char *name, *id, *table, *folder, *description;
    nx_origin origin;
    size_t id_n;
    nx_str source;
    char hash[NX_CONTRACT_HASH_N + 1];
    nx_schema schema;
    nx_colspec *cols; /* one a field */
    size_t n_own;     /* fields of the file; the technical ones follow */
    bool technical;
    const char *const *key, *const *partition, *const *stats;
    nx_variant *variants; /* one an entry of feeds */
    size_t n_variants;
    /* for single objects: the entry without `when` or the only one, with every wire name known; NULL: no wire form */
    nx_variant *plain;
    const char *when_key; /* discriminator of the entries that have one; NULL: none */
    const nx_str *ignore;
    size_t n_ignore;
    bool lone_surrogates;              /* become U+FFFD; false: refused */
    int16_t known_col, known_plus_col; /* row's own time; -1: none */
    size_t index;                      /* in the set */
};

struct nx_contracts {
    nx_arena arena;
    const nx_contract **items;
    size_t n;
};

/* Position of the technical columns behind the own ones. */
typedef enum nx_tech {
    NX_TECH_SOURCE,
    NX_TECH_RECEIVED_AT,
    NX_TECH_KNOWN_AT,
    NX_TECH_KNOWN_BASIS,
    NX_TECH_INGEST_POS,
    NX_TECH_INGEST_IDX,
    NX_TECH_CONTRACT,
    NX_TECH_EXTRA,
    NX_TECH_COUNT
} nx_tech;
extern const nx_field nx__technical_fields[NX_TECH_COUNT];

/* problem.c: with nx_problems, writes the failure of err down and returns NX_OK, so that reading goes on; without, and for NX_NOMEM, returns
 * st. Wrapped around each step that the next one does not need. */
NX_MUST_USE nx_status nx__gather(const nx_origin *origin, nx_status st, nx_err *err);

/* odcs.c: checks a parsed file against ODCS 3.1 (keys, kinds, required ones). */
NX_MUST_USE nx_status nx__odcs_check(const nx_val *root, const nx_origin *origin, nx_err *err);
/* Whether the rest can be read at all: one schema object with properties. To be asked after problems were gathered. */
bool nx__odcs_readable(const nx_val *root);
/* Whether a property has the standard's shape. */
bool nx__odcs_sound(const nx_val *prop);
/* Value of a custom property of an object or property; NULL when absent. */
const nx_val *nx__odcs_custom(const nx_val *owner, const char *name);
/* A failure with place: file:line:col in its text, or in origin->problems. */
#define nx__fail_at(err, origin, v, ...) nx__fail_place((err), nx_fail((err), NX_INVALID, __VA_ARGS__), (origin), (v))
nx_status nx__fail_place(nx_err *err, nx_status st, const nx_origin *origin, const nx_val *v);

/* compile.c: MAJOR[.MINOR[.PATCH]] with anything behind a '-' or '+'. */
bool nx__version_parse(nx_str text, int64_t ret[3]);
/* A parsed file into c, whose origin is set. With c->origin.problems NX_OK says only that they were gathered. */
NX_MUST_USE nx_status nx__compile(nx_contract *c, const nx_val *root, nx_arena *a, nx_err *err);
/* files.c: a list of files; items is the owner's to free. */
typedef struct nx_paths {
    const char **items;
    size_t n, cap;
} nx_paths;
NX_MUST_USE nx_status nx__paths_add(nx_paths *p, const char *path, nx_err *err);
/* Adds every *.odcs.yaml below dir in byte order, texts in the arena; NX_NOT_FOUND when there is none. */
NX_MUST_USE nx_status nx__paths_below(nx_paths *p, const char *dir, nx_arena *a, nx_err *err);
/* A file's bytes, and them as a tree; text is the caller's, made for at most NX_CONTRACT_BYTES_MAX. */
enum { NX_CONTRACT_BYTES_MAX = 4 << 20 };
NX_MUST_USE nx_status nx__contract_tree(const char *path, nx_buf *text, nx_arena *a, nx_val **ret, nx_err *err);
/* set.c: what two contracts of a set may not have in common: the table, a type of a feed. One feed is told apart by one member. */
NX_MUST_USE nx_status nx__contract_pair(const nx_contract *a, const nx_contract *b, nx_err *err);
/* What one contract may not have twice. */
NX_MUST_USE nx_status nx__contract_self(const nx_contract *c, nx_err *err);
/* columns.c: the properties of the file become fields and column specs. */
NX_MUST_USE nx_status nx__compile_columns(nx_contract *c, const nx_val *object, nx_arena *a, nx_err *err);
/* rules.c: logicalTypeOptions, quality and translate of a property. */
NX_MUST_USE nx_status nx__compile_rules(nx_rules *r, const nx_val *prop, const nx_type *type, const nx_origin *origin,
                                        nx_arena *a, nx_err *err);
/* derive.c: derived columns and the row's own time; to be called after nx__compile_columns(). */
NX_MUST_USE nx_status nx__compile_derived(nx_contract *c, const nx_val *object, nx_arena *a, nx_err *err);
/* feeds.c: feed entries and the ignore list become variants. */
NX_MUST_USE nx_status nx__compile_feeds(nx_contract *c, const nx_val *object, nx_arena *a, nx_err *err);
/* Index of a column named by a text value, or -1 with an error at v. */
int16_t nx__column_named(const nx_contract *c, const nx_val *v, nx_err *err);

#endif
