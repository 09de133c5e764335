#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stop.h"
#include "io/io_int.h"

enum { SLICE_MS = 50 }; /* how long a stop flag may go unseen */

nx_mono_ns nx__deadline(int64_t timeout_ms)
{
    if (timeout_ms < 0)
        return NX__FOREVER;
    nx_mono_ns at;
    if (__builtin_add_overflow(nx_clock_mono(), (uint64_t)timeout_ms * 1000000u, &at))
        return NX__FOREVER;
    return at;
}

int nx__poll_ms(nx_mono_ns deadline)
{
    if (deadline == NX__FOREVER)
        return -1;
    nx_mono_ns now = nx_clock_mono();
    if (now >= deadline)
        return 0;
    uint64_t ms = (deadline - now + 999999u) / 1000000u;
    return ms > 3600000u ? 3600000 : (int)ms;
}

nx_status nx__net_wait(int fd, short events, nx_mono_ns deadline, const volatile bool *stop, short *ret_events)
{
    for (;;) {
        int left = nx__poll_ms(deadline);
        int slice = stop != NULL && (left < 0 || left > SLICE_MS) ? SLICE_MS : left;
        struct pollfd p = {.fd = fd, .events = events};
        int n = poll(&p, 1, slice);
        if (n > 0) {
            *ret_events = p.revents;
            return NX_OK;
        }
        if (nx_stop_asked(stop))
            return NX_CANCELLED;
        if (n < 0 && errno != EINTR)
            return NX_IO;
        if (left == 0)
            return NX_AGAIN;
    }
}

nx_status nx__net_setup(int fd, nx_err *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return nx_fail_sys(err, NX_IO, "could not prepare a socket");
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return NX_OK;
}

/* Cuts "host:port" or "[v6]:port" into two texts. */
static bool split_address(const char *text, char host[256], char port[8])
{
    const char *colon = strrchr(text, ':');
    if (colon == NULL || colon == text)
        return false;
    nx_str h = {text, (size_t)(colon - text)};
    if (h.p[0] == '[' && h.p[h.n - 1] == ']')
        h = nx_str_sub(h, 1, h.n - 1);
    int64_t n;
    if (h.n == 0 || h.n > 255 || !nx_str_to_i64(nx_str_of(colon + 1), &n) || n < 0 || n > 65535)
        return false;
    snprintf(host, 256, NX_STR_FMT, NX_STR_ARG(h));
    snprintf(port, 8, "%d", (int)n);
    return true;
}

static nx_status bind_one(const char *listen_text, const struct addrinfo *a, int *ret_fd, nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return nx_fail_sys(err, NX_IO, "could not make a socket for %s", listen_text);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 1024) < 0) {
        if (errno != EADDRINUSE)
            return nx_fail_sys(err, errno == EADDRNOTAVAIL || errno == EACCES ? NX_INVALID : NX_IO,
                               "could not listen on %s", listen_text);
        nx_fail(err, NX_EXISTS, "could not listen on %s: the address is in use", listen_text);
        return nx_err_hint(err, NX_EXISTS,
                           "another process listens there (ss -ltnp shows which): stop it, or choose another port");
    }
    *ret_fd = fd;
    fd = -1;
    return NX_OK;
}

nx_status nx__net_listen(const char *listen_text, int *ret_fd, int *ret_port, nx_err *err)
{
    char host[256], port[8];
    if (listen_text == NULL || !split_address(listen_text, host, port)) {
        nx_fail(err, NX_INVALID, "could not listen on \"%s\": not an address", listen_text == NULL ? "" : listen_text);
        return nx_err_hint(err, NX_INVALID, "write host:port, like 127.0.0.1:8000");
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list;
    int rc = getaddrinfo(host, port, &hints, &list);
    if (rc != 0)
        return nx_fail(err, NX_INVALID, "could not listen on %s: %s", listen_text, gai_strerror(rc));
    nx_status st = bind_one(listen_text, list, ret_fd, err);
    freeaddrinfo(list);
    NX_TRY(st);
    struct sockaddr_storage at;
    socklen_t n = sizeof at;
    if (getsockname(*ret_fd, (struct sockaddr *)&at, &n) < 0) {
        st = nx_fail_sys(err, NX_IO, "could not read the port of %s", listen_text);
        nx_fd_drop(ret_fd);
        return st;
    }
    *ret_port = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                               : ((struct sockaddr_in *)&at)->sin_port);
    return NX_OK;
}

static nx_status connect_one(const struct addrinfo *a, const char *host, const char *port, nx_mono_ns deadline,
                             const volatile bool *stop, int *ret_fd, nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return nx_fail_sys(err, NX_IO, "could not make a socket for %s:%s", host, port);
    NX_TRY(nx__net_setup(fd, err));
    if (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS)
        return nx_fail_sys(err, NX_REMOTE, "could not connect to %s:%s", host, port);
    short events;
    nx_status st = nx__net_wait(fd, POLLOUT, deadline, stop, &events);
    if (st == NX_CANCELLED)
        return nx_fail(err, st, "stopped while connecting to %s:%s", host, port);
    if (st != NX_OK)
        return nx_fail(err, NX_REMOTE, "could not connect to %s:%s: time over", host, port);
    socklen_t n = sizeof errno;
    int why = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &n) < 0 || why != 0) {
        errno = why;
        return nx_fail_sys(err, NX_REMOTE, "could not connect to %s:%s", host, port);
    }
    *ret_fd = fd;
    fd = -1;
    return NX_OK;
}

nx_status nx__net_connect(const char *host, const char *port, nx_mono_ns deadline, const volatile bool *stop,
                          int *ret_fd, nx_err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list;
    int rc = getaddrinfo(host, port, &hints, &list);
    nx_status st = NX_REMOTE;
    if (rc != 0) {
        st = nx_fail(err, NX_REMOTE, "could not find the address of %s: %s", host, gai_strerror(rc));
    } else {
        for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
            st = connect_one(a, host, port, deadline, stop, ret_fd, err);
            if (st == NX_OK || st == NX_CANCELLED)
                break;
        }
        freeaddrinfo(list);
    }
    if (st == NX_REMOTE && err != NULL)
        err->retriable = true;
    return st;
}

nx_status nx__rbuf_room(nx__rbuf *r, size_t want, size_t *ret_room)
{
    size_t unread = r->tail - r->head;
    if (r->head > 0) {
        memmove(r->p, r->p + r->head, unread);
        r->head = 0;
        r->tail = unread;
    }
    if (r->cap - r->tail < want && r->cap < r->max) {
        size_t cap = r->cap == 0 ? want : r->cap;
        while (cap - r->tail < want && cap < r->max)
            cap = cap > r->max / 2 ? r->max : cap * 2;
        if (cap > r->max)
            cap = r->max;
        char *p = realloc(r->p, cap);
        if (p == NULL)
            return NX_NOMEM;
        r->p = p;
        r->cap = cap;
    }
    size_t room = r->cap - r->tail;
    *ret_room = room < want ? room : want;
    return room == 0 ? NX_LIMIT : NX_OK;
}

void nx__rbuf_drop(nx__rbuf *r)
{
    free(r->p);
    *r = (nx__rbuf){NULL, 0, 0, 0, r->max};
}

nx_str nx__header_find(nx_str lines, const char *lower_name)
{
    nx_str line, name = nx_str_of(lower_name);
    while (nx_str_split(&lines, '\n', &line)) {
        if (line.n <= name.n || line.p[name.n] != ':')
            continue;
        if (nx_str_eq_nocase(nx_str_sub(line, 0, name.n), name))
            return nx_str_trim(nx_str_sub(line, name.n + 1, line.n));
    }
    return (nx_str){NULL, 0};
}

bool nx__header_has(nx_str value, const char *word)
{
    nx_str part;
    while (nx_str_split(&value, ',', &part))
        if (nx_str_eq_nocase(nx_str_trim(part), nx_str_of(word)))
            return true;
    return false;
}
