#include "io/loop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "io/io_int.h"

typedef struct watch {
    nx_loop_fd_fn fn; /* NULL: not watched */
    void *ctx;
    uint32_t generation; /* tells events of a removed watch from those of its successor */
} watch;

typedef struct timer {
    uint64_t id; /* 0: free */
    nx_mono_ns at;
    int64_t repeat_ms;
    nx_loop_fn fn;
    void *ctx;
} timer;

struct nx_loop {
    int epoll, wake;
    watch *watches; /* by descriptor */
    size_t watches_cap;
    timer *timers; /* few: searched in line */
    size_t n_timers, timers_cap;
    uint64_t next_timer;
    nx_loop_fn on_wake;
    void *on_wake_ctx;
    atomic_bool stop; /* set by any thread */
};

enum { EVENTS_A_ROUND = 64 };

nx_status nx_loop_new(nx_loop **ret, nx_err *err)
{
    nx_loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return nx_nomem(err);
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event e = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &e) < 0) {
        nx_status st = nx_fail_sys(err, NX_IO, "could not make an event loop");
        nx_loop_drop(l);
        return st;
    }
    *ret = l;
    return NX_OK;
}

void nx_loop_drop(nx_loop *l)
{
    if (l == NULL)
        return;
    nx_fd_drop(&l->epoll);
    nx_fd_drop(&l->wake);
    free(l->watches);
    free(l->timers);
    free(l);
}

static watch *find(const nx_loop *l, int fd)
{
    return fd >= 0 && (size_t)fd < l->watches_cap && l->watches[fd].fn != NULL ? &l->watches[fd] : NULL;
}

static uint32_t epoll_bits(unsigned events)
{
    return ((events & NX_LOOP_READ) != 0 ? (uint32_t)EPOLLIN | EPOLLRDHUP : 0) |
           ((events & NX_LOOP_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static nx_status control(nx_loop *l, int op, int fd, unsigned events, nx_err *err)
{
    uint64_t tag = (uint64_t)l->watches[fd].generation << 32 | (uint32_t)fd;
    struct epoll_event e = {.events = epoll_bits(events), .data.u64 = tag};
    if (epoll_ctl(l->epoll, op, fd, &e) < 0)
        return nx_fail_sys(err, NX_IO, "could not watch descriptor %d", fd);
    return NX_OK;
}

nx_status nx_loop_add(nx_loop *l, int fd, unsigned events, nx_loop_fd_fn fn, void *ctx, nx_err *err)
{
    if (fd < 0)
        return nx_fail(err, NX_INVALID, "could not watch descriptor %d", fd);
    if (find(l, fd) != NULL)
        return nx_fail(err, NX_EXISTS, "could not watch descriptor %d: it is watched already", fd);
    size_t old = l->watches_cap;
    if (!nx_grow(&l->watches, &l->watches_cap, (size_t)fd + 1, sizeof *l->watches))
        return nx_nomem(err);
    for (size_t i = old; i < l->watches_cap; i++)
        l->watches[i] = (watch){NULL, NULL, 0};
    watch *w = &l->watches[fd];
    w->generation++;
    NX_TRY(control(l, EPOLL_CTL_ADD, fd, events, err));
    w->fn = fn;
    w->ctx = ctx;
    return NX_OK;
}

nx_status nx_loop_set(nx_loop *l, int fd, unsigned events, nx_err *err)
{
    if (find(l, fd) == NULL)
        return nx_fail(err, NX_NOT_FOUND, "could not change the events of descriptor %d: it is not watched", fd);
    return control(l, EPOLL_CTL_MOD, fd, events, err);
}

void nx_loop_remove(nx_loop *l, int fd)
{
    watch *w = find(l, fd);
    if (w == NULL)
        return;
    w->fn = NULL;
    epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
}

nx_status nx_loop_timer(nx_loop *l, int64_t delay_ms, int64_t repeat_ms, nx_loop_fn fn, void *ctx, uint64_t *ret_id,
                        nx_err *err)
{
    size_t i = 0;
    while (i < l->n_timers && l->timers[i].id != 0)
        i++;
    if (i == l->n_timers) {
        if (!nx_grow(&l->timers, &l->timers_cap, i + 1, sizeof *l->timers))
            return nx_nomem(err);
        l->n_timers++;
    }
    l->timers[i] = (timer){++l->next_timer, nx__deadline(delay_ms < 0 ? 0 : delay_ms), repeat_ms, fn, ctx};
    if (ret_id != NULL)
        *ret_id = l->next_timer;
    return NX_OK;
}

void nx_loop_cancel(nx_loop *l, uint64_t id)
{
    for (size_t i = 0; id != 0 && i < l->n_timers; i++)
        if (l->timers[i].id == id)
            l->timers[i].id = 0;
}

void nx_loop_on_wake(nx_loop *l, nx_loop_fn fn, void *ctx)
{
    l->on_wake = fn;
    l->on_wake_ctx = ctx;
}

void nx_loop_wake(nx_loop *l)
{
    int saved = errno;
    uint64_t one = 1;
    ssize_t n = write(l->wake, &one, sizeof one); /* full means a wake-up is pending already */
    (void)n;
    errno = saved;
}

void nx_loop_stop(nx_loop *l)
{
    l->stop = true;
    nx_loop_wake(l);
}

/* Time to the next timer in ms, cut to `most` (-1: no bound). */
static int wait_ms(const nx_loop *l, int64_t most)
{
    nx_mono_ns next = NX__FOREVER;
    for (size_t i = 0; i < l->n_timers; i++)
        if (l->timers[i].id != 0 && l->timers[i].at < next)
            next = l->timers[i].at;
    int ms = nx__poll_ms(next);
    if (most >= 0 && (ms < 0 || ms > most))
        ms = most > 3600000 ? 3600000 : (int)most;
    return ms;
}

static void run_timers(nx_loop *l)
{
    nx_mono_ns now = nx_clock_mono();
    size_t n = l->n_timers; /* timers that callbacks add wait for the next round */
    for (size_t i = 0; i < n && !l->stop; i++) {
        timer t = l->timers[i];
        if (t.id == 0 || t.at > now)
            continue;
        if (t.repeat_ms > 0)
            l->timers[i].at = nx__deadline(t.repeat_ms);
        else
            l->timers[i].id = 0;
        t.fn(t.ctx);
    }
}

static void run_event(nx_loop *l, const struct epoll_event *e)
{
    if (e->data.u64 == UINT64_MAX) {
        uint64_t count;
        ssize_t n = read(l->wake, &count, sizeof count);
        if (n > 0 && l->on_wake != NULL)
            l->on_wake(l->on_wake_ctx);
        return;
    }
    int fd = (int)(uint32_t)e->data.u64;
    watch *w = find(l, fd);
    if (w == NULL || w->generation != e->data.u64 >> 32)
        return; /* removed by an earlier callback of this round */
    unsigned events = ((e->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0 ? NX_LOOP_READ : 0u) |
                      ((e->events & EPOLLOUT) != 0 ? NX_LOOP_WRITE : 0u);
    w->fn(w->ctx, fd, events);
}

nx_status nx_loop_once(nx_loop *l, int64_t timeout_ms, nx_err *err)
{
    struct epoll_event events[EVENTS_A_ROUND];
    int n = epoll_wait(l->epoll, events, EVENTS_A_ROUND, l->stop ? 0 : wait_ms(l, timeout_ms));
    if (n < 0 && errno != EINTR)
        return nx_fail_sys(err, NX_IO, "could not wait for sockets");
    for (int i = 0; i < n && !l->stop; i++)
        run_event(l, &events[i]);
    run_timers(l);
    return NX_OK;
}

nx_status nx_loop_run(nx_loop *l, nx_err *err)
{
    while (!l->stop)
        NX_TRY(nx_loop_once(l, -1, err));
    return NX_OK;
}
