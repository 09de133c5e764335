/* lake/parquet.h
 *
 * Parquet files from column batches: what appends to a table writes by itself, without the SQL engine (docs/decisions/0012).
 * A file takes one row group an add (two or more when a batch is larger than NX_PQ_GROUP_ROWS) and stays open until
 * nx_pq_end(), so that small batches do not mean small files.
 *
 * Form     Data pages of version 1, zstd; dictionaries, DELTA_BINARY_PACKED integers, PLAIN; every column OPTIONAL,
 *          lists in three levels, instants as micros adjusted to UTC, decimals as INT32, INT64 or 16 bytes by precision;
 *          bounds and null counts a column chunk (parquet.thrift of Apache Parquet 2.10; facts: delta.md section 3).
 * Memory   An encoder keeps the working space of one column of one row group, between files too: about 6 MiB at
 *          100,000 rows of numbers, and two pages of 1 MiB (more when one value is larger). An open file keeps some KiB and
 *          its footer: about 3 KiB a row group of 20 columns.
 * Thread   An encoder and the files written with it have one owner at a time.
 */
#ifndef NX_LAKE_PARQUET_H
#define NX_LAKE_PARQUET_H

#include "data/batch.h"
#include "engine/engine.h"

enum { NX_PQ_GROUP_ROWS = 131072 };

typedef struct nx_pq_encoder nx_pq_encoder;
typedef struct nx_pq_file nx_pq_file;

/* zstd_level 0: as the engine's files. NX_NOMEM. */
NX_MUST_USE nx_status nx_pq_encoder_new(int zstd_level, nx_pq_encoder **ret, nx_err *err);
void nx_pq_encoder_drop(nx_pq_encoder *e); /* may be NULL */

/* Creates the file (NX_EXISTS when the path is taken) for batches of this schema (copied). Columns of `skip` (field
 * indexes: partition columns) are left out; NX_INVALID when nothing is left. created_by: "nexus version 1.2.3". */
NX_MUST_USE nx_status nx_pq_open(const char *path, const nx_schema *schema, const size_t *skip, size_t n_skip,
                                 const char *created_by, nx_pq_file **ret, nx_err *err);
/* Whether batches of this schema may be added. */
bool nx_pq_fits(const nx_pq_file *f, const nx_schema *schema);
const nx_schema *nx_pq_schema(const nx_pq_file *f); /* as it was opened with; lives as long as f */
int64_t nx_pq_bytes(const nx_pq_file *f);           /* kept so far, without a footer */
/* Appends rows picked by index (rows == NULL: all of the batch), in their order. They count once nx_pq_keep() was called;
 * nx_pq_rewind() takes back everything since the last keep, also what a failed add left; when it fails, the next add or
 * end tries again. NX_IO, NX_NOMEM, NX_LIMIT (a
 * value or dictionary over 2 GiB). Faults: PARQUET_WRITE. */
NX_MUST_USE nx_status nx_pq_add(nx_pq_file *f, nx_pq_encoder *e, const nx_batch *b, const uint32_t *rows, size_t n_rows,
                                nx_err *err);
void nx_pq_keep(nx_pq_file *f);
NX_MUST_USE nx_status nx_pq_rewind(nx_pq_file *f, nx_err *err);
/* Writes the footer behind what was kept and tells the file's statistics (in the arena; none for lists). Not synced:
 * publishing does that. After a failure it may be called again, or the file closed. */
NX_MUST_USE nx_status nx_pq_end(nx_pq_file *f, nx_arena *a, nx_file_stats *ret, nx_err *err);
/* Frees the handle. A file that was not ended is deleted. NULL is fine. */
void nx_pq_close(nx_pq_file *f);
void nx_pq_discard(nx_pq_file *f); /* deletes the file in any case, where it was created */

#endif
