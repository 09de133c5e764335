/* base/metrics.h
 *
 * Counters, gauges and histograms with static names, readable as Prometheus text.
 * Thread   Updates from any thread, lock-free. Registration once per name (idempotent; takes a lock).
 * Memory   At most 512 series; past that registration returns a series that nobody reads.
 */
#ifndef NX_BASE_METRICS_H
#define NX_BASE_METRICS_H

#include <stdint.h>

#include "base/str.h"

typedef struct nx_metric nx_metric;

/* name: Prometheus style with unit ("nexus_wal_sync_seconds"); labels: "" or "k=\"v\",k2=\"v2\""; help: static. */
nx_metric *nx_metric_counter(const char *name, const char *labels, const char *help);
nx_metric *nx_metric_gauge(const char *name, const char *labels, const char *help);
/* Buckets: 1-2.5-5 steps from 10 us to 100 s. */
nx_metric *nx_metric_histogram(const char *name, const char *labels, const char *help);
void nx_metric_add(nx_metric *m, uint64_t n);
void nx_metric_set(nx_metric *m, int64_t v);
void nx_metric_observe(nx_metric *m, double seconds);
uint64_t nx_metric_value(const nx_metric *m);
/* Appends the exposition text (version 0.0.4). */
NX_MUST_USE nx_status nx_metrics_write(nx_buf *b);

#endif
