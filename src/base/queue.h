/* base/queue.h
 *
 * A bounded queue of pointers between threads (mutex and condition variables): a full queue makes producers wait,
 * which is the back-pressure everything else relies on.
 * Thread   Any number of producers and consumers.
 */
#ifndef NX_BASE_QUEUE_H
#define NX_BASE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct nx_queue nx_queue;

NX_MUST_USE nx_status nx_queue_new(nx_queue **ret, size_t capacity);
void nx_queue_drop(nx_queue *q); /* items still inside are the caller's to have taken */
/* Waits up to timeout_ms (-1 for ever). NX_OK, NX_AGAIN (time over), NX_CANCELLED (closed; the item is not taken). */
NX_MUST_USE nx_status nx_queue_put(nx_queue *q, void *item, int64_t timeout_ms);
/* NX_OK, NX_AGAIN (time over), NX_CANCELLED (closed and empty). */
NX_MUST_USE nx_status nx_queue_get(nx_queue *q, void **ret_item, int64_t timeout_ms);
void nx_queue_close(nx_queue *q); /* wakes everybody; items inside can still be taken */
size_t nx_queue_count(nx_queue *q);

#endif
