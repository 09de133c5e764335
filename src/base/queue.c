#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct nx_queue {
    pthread_mutex_t lock;
    pthread_cond_t not_full, not_empty;
    size_t cap, head, n;
    bool closed;
    void *ring[];
};

nx_status nx_queue_new(nx_queue **ret, size_t capacity)
{
    size_t bytes;
    if (capacity == 0)
        return NX_INVALID;
    if (__builtin_mul_overflow(capacity, sizeof(void *), &bytes) ||
        __builtin_add_overflow(bytes, sizeof(nx_queue), &bytes))
        return NX_LIMIT;
    nx_queue *q = calloc(1, bytes);
    if (q == NULL)
        return NX_NOMEM;
    q->cap = capacity;
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_full, &attr);
    pthread_cond_init(&q->not_empty, &attr);
    pthread_condattr_destroy(&attr);
    *ret = q;
    return NX_OK;
}

void nx_queue_drop(nx_queue *q)
{
    if (q == NULL)
        return;
    pthread_cond_destroy(&q->not_full);
    pthread_cond_destroy(&q->not_empty);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static struct timespec deadline(int64_t timeout_ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_sec += timeout_ms / 1000;
    ts.tv_nsec += timeout_ms % 1000 * 1000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    return ts;
}

/* One wait; false when the time is over. */
static bool wait_once(nx_queue *q, pthread_cond_t *c, int64_t timeout_ms, const struct timespec *until)
{
    if (timeout_ms < 0)
        return pthread_cond_wait(c, &q->lock) == 0;
    return timeout_ms > 0 && pthread_cond_timedwait(c, &q->lock, until) == 0;
}

nx_status nx_queue_put(nx_queue *q, void *item, int64_t timeout_ms)
{
    struct timespec until = deadline(timeout_ms < 0 ? 0 : timeout_ms);
    nx_status st = NX_OK;
    pthread_mutex_lock(&q->lock);
    while (!q->closed && q->n == q->cap && st == NX_OK)
        if (!wait_once(q, &q->not_full, timeout_ms, &until))
            st = NX_AGAIN;
    if (q->closed)
        st = NX_CANCELLED;
    else if (q->n < q->cap) {
        st = NX_OK;
        q->ring[(q->head + q->n++) % q->cap] = item;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);
    return st;
}

nx_status nx_queue_get(nx_queue *q, void **ret_item, int64_t timeout_ms)
{
    struct timespec until = deadline(timeout_ms < 0 ? 0 : timeout_ms);
    nx_status st = NX_OK;
    pthread_mutex_lock(&q->lock);
    while (!q->closed && q->n == 0 && st == NX_OK)
        if (!wait_once(q, &q->not_empty, timeout_ms, &until))
            st = NX_AGAIN;
    if (q->n > 0) {
        st = NX_OK;
        *ret_item = q->ring[q->head];
        q->head = (q->head + 1) % q->cap;
        q->n--;
        pthread_cond_signal(&q->not_full);
    } else if (q->closed)
        st = NX_CANCELLED;
    pthread_mutex_unlock(&q->lock);
    return st;
}

void nx_queue_close(nx_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->not_full);
    pthread_cond_broadcast(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}

size_t nx_queue_count(nx_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->n;
    pthread_mutex_unlock(&q->lock);
    return n;
}
