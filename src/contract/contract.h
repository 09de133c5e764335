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
 * files are looked at, the first error is reported together with how many more there are. */
NX_MUST_USE nx_status nx_contracts_load(const char *dir, nx_contracts **ret, nx_err *err);
void nx_contracts_drop(nx_contracts *s);
size_t nx_contracts_count(const nx_contracts *s);
const nx_contract *nx_contracts_at(const nx_contracts *s, size_t i);
/* By table name "bronze.trades"; NULL when there is none. */
const nx_contract *nx_contracts_find(const nx_contracts *s, const char *table);

const char *nx_contract_id(const nx_contract *c);    /* "trades@1.0.0": goes into column _contract */
const char *nx_contract_table(const nx_contract *c); /* "bronze.trades" */
const char *nx_contract_folder(const nx_contract *c);/* "bronze/market/trades" */
const char *nx_contract_description(const nx_contract *c);
/* The whole row: wire, context and derived fields, then the eight technical columns of INTERFACES section 6; comments are the
 * contract's descriptions. */
const nx_schema *nx_contract_schema(const nx_contract *c);
/* Names; NULL-terminated. Key: what identifies a row; partition: Delta partition columns; stats: columns with Delta stats or NULL for all. */
const char *const *nx_contract_key(const nx_contract *c);
const char *const *nx_contract_partition(const nx_contract *c);
const char *const *nx_contract_stats(const nx_contract *c);

/* ------------------------------------------------------------------ decoding */

/* What the edge knows of a frame or page. Times in microseconds UTC. */
typedef struct nx_row_meta {
    nx_str source;        /* _source: feed or producer */
    int64_t received_us;  /* _received_at */
    nx_str known_basis;   /* "received" or "declared" */
    int64_t known_delay_us; /* declared: added to the row's own time (bar end, trade time, creation) */
    int64_t pos;          /* _ingest_pos */
} nx_row_meta;

/* A value that the page, not the object, tells: symbol of a REST page, timeframe of a request, observed_at. */
typedef struct nx_context {
    const char *field;    /* column name in the contract */
    nx_str text;          /* parsed like a JSON string or number of the field's type */
} nx_context;

typedef struct nx_row_error {
    int32_t index;        /* row in the frame; -1: the frame as a whole */
    const char *field;    /* column name, or "" */
    const char *rule;     /* stable id: json, type, required, decimal, enum, pattern, range, length, format, unknown_type, ... */
    const char *message;  /* for a person; says what was expected */
    nx_str value;         /* the offending text, at most 256 bytes; may be empty */
} nx_row_error;

typedef struct nx_refused {
    int32_t index;
    const nx_contract *contract; /* NULL: the type is unknown */
    nx_str raw;                  /* the row's bytes inside the frame (the frame itself for index -1) */
    const nx_row_error *errors;
    size_t n_errors;
} nx_refused;

typedef struct nx_verdict {
    uint32_t accepted, rejected; /* rows */
    const nx_refused *refused;   /* rejected entries; live until the next call on this decoder */
} nx_verdict;

typedef struct nx_decoder nx_decoder;

/* feed: which wire dialect ("alpaca.stocks": objects told apart by "T"). Fails when no contract of the set speaks it. */
NX_MUST_USE nx_status nx_decoder_new(const nx_contracts *s, const char *feed, nx_decoder **ret, nx_err *err);
void nx_decoder_drop(nx_decoder *d);
/* Rows of contract c are appended to b from now on (schema = nx_contract_schema(c)); NULL: they are only checked. */
void nx_decoder_bind(nx_decoder *d, const nx_contract *c, nx_batch *b);
/* One frame: an object or an array of objects. Bad rows and bad JSON are a verdict, not an error; broken JSON refuses the whole
 * frame (rows before the break are taken back). Errors: NX_LIMIT, NX_NOMEM from a batch (then nothing of the frame was appended). */
NX_MUST_USE nx_status nx_decode_frame(nx_decoder *d, nx_str frame, const nx_row_meta *meta, nx_verdict *ret, nx_err *err);
/* One object of a known contract, in any wire dialect, with context values; index goes into _ingest_idx and the errors. */
NX_MUST_USE nx_status nx_decode_object(nx_decoder *d, const nx_contract *c, nx_str json, const nx_context *context, size_t n_context,
                                       const nx_row_meta *meta, int32_t index, nx_verdict *ret, nx_err *err);

#endif
