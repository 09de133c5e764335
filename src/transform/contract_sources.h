/* transform/contract_sources.h - contracts as dbt sources with their generic tests.
 * Thread   Contracts are only read. */
#ifndef NX_TRANSFORM_CONTRACT_SOURCES_H
#define NX_TRANSFORM_CONTRACT_SOURCES_H

#include "contract/contract.h"

/* Appends a properties file of dbt (version 2): a source a schema, a table a contract, with descriptions, types of columns and the tests
 * not_null, accepted_values and unique. A key of a bronze table is not tested: these tables hold every observation, silver decides. The
 * config of a table is what dbt-duckdb's delta plugin needs; folders are below NEXUS_LAKE_ROOT. */
NX_MUST_USE nx_status nx_dbt_contract_sources(const nx_contract *const *c, size_t n, nx_buf *b, nx_err *err);

#endif
