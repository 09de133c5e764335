/* contract/contract.h
 *
 * Data contracts: one ODCS 3.1 file a table compiles to a schema, a reader of wire bytes, rules, keys and texts.
 * Nothing else in the program knows a wire name. Sets are immutable once loaded: any number of threads may read one; a decoder belongs to
 * one thread.
 */
#ifndef NX_CONTRACT_CONTRACT_H
#define NX_CONTRACT_CONTRACT_H

#include "base/str.h"
#include "data/batch.h"
#include "data/type.h"

typedef struct nx_contracts nx_contracts; /* all contracts of a project */
typedef struct nx_contract nx_contract;

/* Loads and compiles every *.odcs.yaml below dir, in byte order. Fails with NX_INVALID naming file, line, key, cause and way out; all
 * files are looked at, the first error is reported together with how many more files have one. A folder without any: NX_NOT_FOUND. */
NX_MUST_USE nx_status nx_contracts_load(const char *dir, nx_contracts **ret, nx_err *err);
/* The same of these files alone, in this order (contracts as they once were, kept under other names). */
NX_MUST_USE nx_status nx_contracts_load_files(const char *const *paths, size_t n, nx_contracts **ret, nx_err *err);
void nx_contracts_drop(nx_contracts *s);
size_t nx_contracts_count(const nx_contracts *s);
const nx_contract *nx_contracts_at(const nx_contracts *s, size_t i);
/* By table name "bronze.trades"; NULL when there is none. */
const nx_contract *nx_contracts_find(const nx_contracts *s, const char *table);

/* Texts live as long as the set. */
const char *nx_contract_id(const nx_contract *c); /* "trades@1.0.0": goes into column _contract; of [A-Za-z0-9.+_@-] */
const char *nx_contract_table(const nx_contract *c);  /* "bronze.trades" */
const char *nx_contract_folder(const nx_contract *c); /* "bronze/market/trades" */
const char *nx_contract_file(const nx_contract *c);   /* path it was loaded from */
const char *nx_contract_description(const nx_contract *c);
/* The bytes of its file as they were loaded, and their hash: what was in force, to the letter, where the id is only a promise. */
nx_str nx_contract_source(const nx_contract *c);
const char *nx_contract_hash(const nx_contract *c);
enum { NX_CONTRACT_HASH_N = 16 };
/* The first 16 lower-case hexadecimal digits of the SHA-256 of a file's bytes. */
void nx_contract_hash_of(nx_str source, char ret[NX_CONTRACT_HASH_N + 1]);
/* The whole row: wire, context and derived fields in the order of the file, then (tables of schema bronze) the eight technical columns of
 * technical.c; comments are the contract's descriptions. */
const nx_schema *nx_contract_schema(const nx_contract *c);
/* Column names; NULL-terminated, may be empty. Key: what identifies a row; partition: Delta partition columns; stats: columns with Delta
 * statistics, NULL for all. */
const char *const *nx_contract_key(const nx_contract *c);
const char *const *nx_contract_partition(const nx_contract *c);
const char *const *nx_contract_stats(const nx_contract *c);
/* Whether nx_decode_frame() of that feed ("alpaca.stocks") can yield rows of it. */
bool nx_contract_speaks(const nx_contract *c, const char *feed);

/* ------------------------------------------------------------------ decoding */

/* What the edge knows of a frame or page. Times in microseconds UTC. */
typedef struct nx_row_meta {
    nx_str source;       /* _source: feed or producer */
    int64_t received_us; /* _received_at */
    /* "received": _known_at is received_us; "declared": the row's own time (bar end, trade time, creation) plus the delay */
    nx_str known_basis;
    int64_t known_delay_us;
    int64_t pos; /* _ingest_pos */
} nx_row_meta;

/* A value that the page, not the object, tells: symbol of a REST page, timeframe of a request, observed_at. */
typedef struct nx_context {
    const char *field; /* column name in the contract */
    nx_str text;       /* parsed like a JSON string or number of the field's type */
} nx_context;

typedef struct nx_row_error {
    int32_t index;       /* row in the frame; -1: the frame as a whole */
    const char *field;   /* column name; for an unknown member its wire name; or "" */
    const char *rule;    /* stable id (json, msgpack, utf8, type, required, decimal, ...); README.md lists them */
    const char *message; /* for a person; says what was expected */
    nx_str value; /* the offending text, valid UTF-8, at most 256 bytes; may be empty, may point into the frame */
} nx_row_error;

typedef struct nx_refused {
    int32_t index;
    const nx_contract *contract; /* NULL: the type is unknown */
    nx_str raw;                  /* the row's bytes inside the frame (the frame itself for index -1) */
    const nx_row_error *errors;
    size_t n_errors;
} nx_refused;

typedef struct nx_verdict {
    uint32_t accepted, rejected; /* rows; a frame refused as a whole counts as one */
    uint32_t control;            /* objects that the control function took */
    /* rejected entries; they live until the next call on this decoder, and no longer than the frame's bytes */
    const nx_refused *refused;
} nx_verdict;

typedef struct nx_decoder nx_decoder;

/* feed: which wire dialect nx_decode_frame() reads ("alpaca.stocks": objects told apart by "T"). NX_NOT_FOUND when no contract of the set
 * speaks it. NULL: this decoder is for nx_decode_object() only. The set outlives the decoder. */
NX_MUST_USE nx_status nx_decoder_new(const nx_contracts *s, const char *feed, nx_decoder **ret, nx_err *err);
void nx_decoder_drop(nx_decoder *d); /* NULL is fine */
/* Objects whose type no contract has are first shown to fn: type is the text of the discriminator ("success"), object the bytes in the
 * frame's form. True:
 * it was a control message, it is neither a row nor refused. Without a function, or when it says false: refused by rule unknown_type.
 * Called during nx_decode_frame(), in the order of the frame; of a frame that turns out broken the first ones may have been shown. */
typedef bool (*nx_control_fn)(void *ctx, nx_str type, nx_str object);
void nx_decoder_on_control(nx_decoder *d, nx_control_fn fn, void *ctx);
/* Rows of contract c are appended to b from now on (schema = nx_contract_schema(c)); NULL: they are only checked. */
void nx_decoder_bind(nx_decoder *d, const nx_contract *c, nx_batch *b);
/* One frame: an object or an array of objects, JSON or msgpack (told by its first byte, data/msgpack.h). Bad rows and bad bytes are a verdict,
 * not an error; a broken frame refuses the whole
 * frame (rows before the break are taken back). Errors: NX_LIMIT, NX_NOMEM from a batch (then nothing of the frame was appended). */
NX_MUST_USE nx_status nx_decode_frame(nx_decoder *d, nx_str frame, const nx_row_meta *meta, nx_verdict *ret,
                                      nx_err *err);
/* One object of a known contract, JSON or msgpack, in any of its wire dialects, with context values (used where the object has no such member); index
 * goes into _ingest_idx and the errors. NX_INVALID: a context field is no column of c, or c has no wire form. */
NX_MUST_USE nx_status nx_decode_object(nx_decoder *d, const nx_contract *c, nx_str json, const nx_context *context,
                                       size_t n_context, const nx_row_meta *meta, int32_t index, nx_verdict *ret,
                                       nx_err *err);

/* ------------------------------------------------------------------ pages */

/* One value of a page: its bytes as they stand; key: the member name that the last '*' of the path stood for, else empty. Both live as long
 * as the page. */
typedef nx_status (*nx_page_fn)(void *ctx, nx_str key, nx_str value, nx_err *err);
/* Walks a JSON text without a tree and hands over each value at a path: names joined by '.', '*' for every member, "[]" for every element:
 * "bars.*[]", "data.children[]", "corporate_actions.*[]", "[]", "next_page_token". What is absent, null or of another kind on the way has no
 * values: fn is not called. The whole text is checked first: NX_INVALID with the byte when it is no JSON. Stops when fn fails. */
NX_MUST_USE nx_status nx_page_each(nx_str page, const char *path, nx_page_fn fn, void *ctx, nx_err *err);

#endif
