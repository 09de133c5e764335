#include "base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SERIES_MAX = 512, BUCKETS = 22 };

/* Upper bounds in nanoseconds and as Prometheus labels. */
static const uint64_t bound_ns[BUCKETS] = {
    10000,      25000,      50000,       100000,      250000,      500000,       1000000,   2500000,
    5000000,    10000000,   25000000,    50000000,    100000000,   250000000,    500000000, 1000000000,
    2500000000, 5000000000, 10000000000, 25000000000, 50000000000, 100000000000,
};
static const char *const bound_text[BUCKETS] = {
    "1e-05", "2.5e-05", "5e-05", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025",
    "0.05",  "0.1",     "0.25",  "0.5",    "1",       "2.5",    "5",     "10",     "25",    "50",   "100",
};

typedef enum kind { COUNTER, GAUGE, HISTOGRAM } kind;

struct nx_metric {
    const char *name, *help;
    char *labels;
    kind kind;
    _Atomic uint64_t value;   /* counter, gauge (as int64_t), number of observations */
    _Atomic uint64_t sum_ns;  /* histogram */
    _Atomic uint64_t *bucket; /* histogram: BUCKETS + 1, not cumulative */
};

/* Series are only ever added: readers take n once and walk without the lock. */
static struct {
    pthread_mutex_t lock;
    nx_metric series[SERIES_MAX];
    _Atomic size_t n;
    nx_metric unread; /* what registration past the limit returns */
    _Atomic uint64_t unread_bucket[BUCKETS + 1];
} reg = {.lock = PTHREAD_MUTEX_INITIALIZER, .unread = {.kind = HISTOGRAM, .bucket = reg.unread_bucket}};

static nx_metric *find_or_add(kind k, const char *name, const char *labels, const char *help)
{
    size_t n = atomic_load(&reg.n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(reg.series[i].name, name) == 0 && strcmp(reg.series[i].labels, labels) == 0)
            return &reg.series[i];
    if (n == SERIES_MAX)
        return &reg.unread;
    nx_metric *m = &reg.series[n];
    char *copy = strdup(labels);
    _Atomic uint64_t *bucket = k == HISTOGRAM ? calloc(BUCKETS + 1, sizeof *bucket) : NULL;
    if (copy == NULL || (k == HISTOGRAM && bucket == NULL)) {
        free(copy);
        free((void *)bucket);
        return &reg.unread;
    }
    m->name = name;
    m->help = help;
    m->labels = copy;
    m->kind = k;
    m->bucket = bucket;
    atomic_store(&reg.n, n + 1);
    return m;
}

static nx_metric *registered(kind k, const char *name, const char *labels, const char *help)
{
    pthread_mutex_lock(&reg.lock);
    nx_metric *m = find_or_add(k, name, labels, help);
    pthread_mutex_unlock(&reg.lock);
    return m;
}

nx_metric *nx_metric_counter(const char *name, const char *labels, const char *help)
{
    return registered(COUNTER, name, labels, help);
}

nx_metric *nx_metric_gauge(const char *name, const char *labels, const char *help)
{
    return registered(GAUGE, name, labels, help);
}

nx_metric *nx_metric_histogram(const char *name, const char *labels, const char *help)
{
    return registered(HISTOGRAM, name, labels, help);
}

void nx_metric_add(nx_metric *m, uint64_t n)
{
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}

void nx_metric_set(nx_metric *m, int64_t v)
{
    atomic_store_explicit(&m->value, (uint64_t)v, memory_order_relaxed);
}

void nx_metric_observe(nx_metric *m, double seconds)
{
    if (m->kind != HISTOGRAM)
        return;
    uint64_t ns = seconds > 0 ? seconds < 1e9 ? (uint64_t)(seconds * 1e9 + 0.5) : (uint64_t)1e18 : 0;
    size_t i = 0;
    while (i < BUCKETS && ns > bound_ns[i])
        i++;
    atomic_fetch_add_explicit(&m->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->sum_ns, ns, memory_order_relaxed);
    atomic_fetch_add_explicit(&m->value, 1, memory_order_relaxed);
}

uint64_t nx_metric_value(const nx_metric *m)
{
    return atomic_load_explicit(&m->value, memory_order_relaxed);
}

static nx_status write_histogram(nx_buf *b, const nx_metric *m)
{
    const char *comma = m->labels[0] == '\0' ? "" : ",";
    uint64_t total = 0;
    for (size_t i = 0; i <= BUCKETS; i++) {
        total += atomic_load_explicit(&m->bucket[i], memory_order_relaxed);
        NX_TRY(nx_buf_addf(b, "%s_bucket{%s%sle=\"%s\"} %llu\n", m->name, m->labels, comma,
                           i < BUCKETS ? bound_text[i] : "+Inf", (unsigned long long)total));
    }
    uint64_t sum = atomic_load_explicit(&m->sum_ns, memory_order_relaxed);
    const char *open = m->labels[0] == '\0' ? "" : "{", *close = m->labels[0] == '\0' ? "" : "}";
    NX_TRY(nx_buf_addf(b, "%s_sum%s%s%s %llu.%09llu\n", m->name, open, m->labels, close,
                       (unsigned long long)(sum / 1000000000), (unsigned long long)(sum % 1000000000)));
    return nx_buf_addf(b, "%s_count%s%s%s %llu\n", m->name, open, m->labels, close, (unsigned long long)total);
}

static nx_status write_series(nx_buf *b, const nx_metric *m)
{
    if (m->kind == HISTOGRAM)
        return write_histogram(b, m);
    NX_TRY(nx_buf_adds(b, m->name));
    if (m->labels[0] != '\0')
        NX_TRY(nx_buf_addf(b, "{%s}", m->labels));
    uint64_t v = nx_metric_value(m);
    if (m->kind == GAUGE)
        return nx_buf_addf(b, " %lld\n", (long long)(int64_t)v);
    return nx_buf_addf(b, " %llu\n", (unsigned long long)v);
}

nx_status nx_metrics_write(nx_buf *b)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    size_t n = atomic_load(&reg.n);
    for (size_t i = 0; i < n; i++) {
        const nx_metric *m = &reg.series[i];
        bool first = true;
        for (size_t j = 0; j < i && first; j++)
            first = strcmp(reg.series[j].name, m->name) != 0;
        if (!first)
            continue; /* written with the first of its name: the format wants them together */
        NX_TRY(nx_buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, kinds[m->kind]));
        for (size_t j = i; j < n; j++)
            if (strcmp(reg.series[j].name, m->name) == 0)
                NX_TRY(write_series(b, &reg.series[j]));
    }
    return NX_OK;
}
