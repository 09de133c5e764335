#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>

#include "base/queue.h"

static void queue_drop(nx_queue **q)
{
    nx_queue_drop(*q);
}

static void first_in_first_out_and_bounded(void **state)
{
    (void)state;
    NX_AUTO(queue_drop) nx_queue *q = NULL;
    int items[5];
    void *got;
    assert_int_equal(nx_queue_new(&q, 3), NX_OK);
    assert_int_equal(nx_queue_get(q, &got, 0), NX_AGAIN);
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(nx_queue_put(q, &items[i], 0), NX_OK);
        assert_int_equal(nx_queue_put(q, &items[3], 0), NX_AGAIN);
        assert_int_equal(nx_queue_put(q, &items[3], 5), NX_AGAIN);
        assert_int_equal(nx_queue_count(q), 3);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(nx_queue_get(q, &got, -1), NX_OK);
            assert_ptr_equal(got, &items[i]);
        }
        assert_int_equal(nx_queue_get(q, &got, 5), NX_AGAIN);
    }
}

static void close_lets_the_rest_out(void **state)
{
    (void)state;
    NX_AUTO(queue_drop) nx_queue *q = NULL;
    int a, b;
    void *got;
    assert_int_equal(nx_queue_new(&q, 2), NX_OK);
    assert_int_equal(nx_queue_put(q, &a, -1), NX_OK);
    nx_queue_close(q);
    assert_int_equal(nx_queue_put(q, &b, -1), NX_CANCELLED);
    assert_int_equal(nx_queue_get(q, &got, -1), NX_OK);
    assert_ptr_equal(got, &a);
    assert_int_equal(nx_queue_get(q, &got, -1), NX_CANCELLED);
}

static void absurd_capacities_are_refused(void **state)
{
    (void)state;
    nx_queue *q;
    assert_int_equal(nx_queue_new(&q, 0), NX_INVALID);
    assert_int_equal(nx_queue_new(&q, SIZE_MAX / 4), NX_LIMIT);
    nx_queue_drop(NULL);
}

enum { PRODUCERS = 3, CONSUMERS = 2, EACH = 20000 };

static uint64_t numbers[PRODUCERS * EACH];

typedef struct worker {
    nx_queue *q;
    size_t from;
    uint64_t sum, n;
    bool in_order;
} worker;

static void *produce(void *arg)
{
    worker *w = arg;
    for (size_t i = 0; i < EACH; i++)
        if (nx_queue_put(w->q, &numbers[w->from + i], -1) == NX_OK)
            w->n++;
    return NULL;
}

static void *consume(void *arg)
{
    worker *w = arg;
    void *got;
    uint64_t last[PRODUCERS] = {0};
    w->in_order = true;
    while (nx_queue_get(w->q, &got, -1) == NX_OK) {
        uint64_t v = *(uint64_t *)got;
        w->in_order &= v > last[(v - 1) / EACH];
        last[(v - 1) / EACH] = v;
        w->sum += v;
        w->n++;
    }
    return NULL;
}

/* Every item arrives once, those of one producer in their order; a small ring makes all threads wait often. */
static void threads_lose_and_double_nothing(void **state)
{
    (void)state;
    NX_AUTO(queue_drop) nx_queue *q = NULL;
    assert_int_equal(nx_queue_new(&q, 7), NX_OK);
    worker w[PRODUCERS + CONSUMERS];
    pthread_t t[PRODUCERS + CONSUMERS];
    for (size_t i = 0; i < PRODUCERS * EACH; i++)
        numbers[i] = i + 1;
    for (size_t i = 0; i < PRODUCERS + CONSUMERS; i++) {
        w[i] = (worker){.q = q, .from = i * EACH};
        assert_int_equal(pthread_create(&t[i], NULL, i < PRODUCERS ? produce : consume, &w[i]), 0);
    }
    uint64_t sum = 0, n = 0;
    for (size_t i = 0; i < PRODUCERS; i++) {
        pthread_join(t[i], NULL);
        assert_int_equal(w[i].n, EACH);
    }
    nx_queue_close(q);
    for (size_t i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++) {
        pthread_join(t[i], NULL);
        assert_true(w[i].in_order);
        sum += w[i].sum;
        n += w[i].n;
    }
    const uint64_t all = PRODUCERS * EACH;
    assert_true(n == all && sum == all * (all + 1) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out_and_bounded),
        cmocka_unit_test(close_lets_the_rest_out),
        cmocka_unit_test(absurd_capacities_are_refused),
        cmocka_unit_test(threads_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
