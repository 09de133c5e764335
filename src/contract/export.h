/* contract/export.h
 *
 * What others read of a contract: its rules in words, a JSON Schema of its wire objects, its page of reference.
 * Thread   Contracts are only read; a buffer has one owner.
 */
#ifndef NX_CONTRACT_EXPORT_H
#define NX_CONTRACT_EXPORT_H

#include "contract/contract.h"

/* Columns are counted as in nx_contract_schema(). */

/* The only values that a column may have; n 0: any. Live as long as the set. */
const nx_str *nx_contract_allowed(const nx_contract *c, size_t col, size_t *ret_n);
/* Whether the contract says that no value of the column comes twice. */
bool nx_contract_unique(const nx_contract *c, size_t col);
/* Appends the rules of a column in words: "1 to 32 characters, matches ^[A-Z]+$"; nothing when there is none. */
NX_MUST_USE nx_status nx_contract_rules_text(const nx_contract *c, size_t col, nx_buf *b);
/* Appends where its values come from: the member's name ("S", "p in alpaca.stocks, price in alpaca.rest"), "the request", "date(ts)". */
NX_MUST_USE nx_status nx_contract_source_text(const nx_contract *c, size_t col, nx_buf *b);

/* Appends a JSON Schema (2020-12) of the objects on the wire: one definition a feed entry. An object that the contract accepts is valid; the
 * digits behind a decimal's point, dates' bounds and zones of times are beyond what JSON Schema can say (the first stands in x-type).
 * NX_UNSUPPORTED: the table has no wire form. */
NX_MUST_USE nx_status nx_contract_to_json_schema(const nx_contract *c, nx_buf *b, nx_err *err);
/* Appends the reference page of n contracts in Markdown: an overview, then a section each. */
NX_MUST_USE nx_status nx_contracts_to_markdown(const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err);

#endif
