#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "base/metrics.h"

static void assert_shows(const char *want)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_metrics_write(&b), NX_OK);
    if (nx_str_find(nx_buf_str(&b), nx_str_of(want), 0) == SIZE_MAX)
        fail_msg("not found:\n%s\nin:\n%s", want, b.p);
}

static void counters_and_gauges(void **state)
{
    (void)state;
    nx_metric *a = nx_metric_counter("nexus_rows_total", "table=\"a\"", "Rows written.");
    nx_metric *g = nx_metric_gauge("nexus_depth", "", "Depth of the queue.");
    nx_metric *b = nx_metric_counter("nexus_rows_total", "table=\"b\"", "Rows written.");
    nx_metric_add(a, 3);
    nx_metric_add(a, 4);
    nx_metric_add(b, 1);
    nx_metric_set(g, -5);
    assert_ptr_equal(a, nx_metric_counter("nexus_rows_total", "table=\"a\"", "Rows written."));
    assert_int_equal(nx_metric_value(a), 7);
    /* series of one name stand together under one heading, though another was registered in between */
    assert_shows("# HELP nexus_rows_total Rows written.\n# TYPE nexus_rows_total counter\n"
                 "nexus_rows_total{table=\"a\"} 7\nnexus_rows_total{table=\"b\"} 1\n"
                 "# HELP nexus_depth Depth of the queue.\n# TYPE nexus_depth gauge\nnexus_depth -5\n");
}

static void histograms(void **state)
{
    (void)state;
    nx_metric *h = nx_metric_histogram("nexus_sync_seconds", "", "Time of a sync.");
    nx_metric_observe(h, 0.00001); /* a bound belongs to its own bucket */
    nx_metric_observe(h, 0.0000101);
    nx_metric_observe(h, 0.4);
    nx_metric_observe(h, 1000);
    nx_metric_observe(h, -1);
    assert_int_equal(nx_metric_value(h), 5);
    assert_shows("# TYPE nexus_sync_seconds histogram\n"
                 "nexus_sync_seconds_bucket{le=\"1e-05\"} 2\nnexus_sync_seconds_bucket{le=\"2.5e-05\"} 3\n");
    assert_shows("nexus_sync_seconds_bucket{le=\"0.25\"} 3\nnexus_sync_seconds_bucket{le=\"0.5\"} 4\n");
    assert_shows("nexus_sync_seconds_bucket{le=\"100\"} 4\nnexus_sync_seconds_bucket{le=\"+Inf\"} 5\n"
                 "nexus_sync_seconds_sum 1000.400020100\nnexus_sync_seconds_count 5\n");
    nx_metric *l = nx_metric_histogram("nexus_sync_seconds", "disk=\"x\"", "Time of a sync.");
    nx_metric_observe(l, 2);
    assert_shows("nexus_sync_seconds_bucket{disk=\"x\",le=\"2.5\"} 1\n");
    assert_shows("nexus_sync_seconds_sum{disk=\"x\"} 2.000000000\nnexus_sync_seconds_count{disk=\"x\"} 1\n");
}

enum { THREADS = 4, EACH = 50000 };

static void *add_many(void *arg)
{
    (void)arg;
    nx_metric *c = nx_metric_counter("nexus_threads_total", "", "x");
    nx_metric *h = nx_metric_histogram("nexus_threads_seconds", "", "x");
    for (int i = 0; i < EACH; i++) {
        nx_metric_add(c, 1);
        nx_metric_observe(h, 0.001);
    }
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    (void)state;
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, add_many, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    assert_int_equal(nx_metric_value(nx_metric_counter("nexus_threads_total", "", "x")), THREADS * EACH);
    assert_shows("nexus_threads_seconds_sum 200.000000000\nnexus_threads_seconds_count 200000\n");
}

/* Last: it fills the registry. */
static void too_many_series_cost_nothing(void **state)
{
    (void)state;
    char labels[32];
    nx_metric *last = NULL;
    for (int i = 0; i < 600; i++) {
        snprintf(labels, sizeof labels, "i=\"%d\"", i);
        last = nx_metric_histogram("nexus_many_seconds", labels, "x");
        assert_non_null(last);
        nx_metric_observe(last, 1);
    }
    nx_metric *other = nx_metric_counter("nexus_late_total", "", "x");
    assert_ptr_equal(other, last);
    nx_metric_add(other, 1);
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 0);
    assert_int_equal(nx_metrics_write(&b), NX_OK);
    assert_true(nx_str_find(nx_buf_str(&b), NX_STR("nexus_late_total"), 0) == SIZE_MAX);
    NX_BUF_AUTO nx_buf small;
    nx_buf_init(&small, 100);
    assert_int_equal(nx_metrics_write(&small), NX_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_and_gauges),
        cmocka_unit_test(histograms),
        cmocka_unit_test(threads_lose_no_count),
        cmocka_unit_test(too_many_series_cost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
