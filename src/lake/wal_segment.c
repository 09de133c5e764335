/* Segment files: headers, preallocation, reuse. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/rand.h"
#include "lake/wal_int.h"

static const char magic[8] = {'N', 'X', 'W', 'A', 'L', 0, 0, 1};

nx_wal_path nx__wal_path(const nx_wal *w, const char *prefix, uint64_t id)
{
    nx_wal_path p;
    snprintf(p.s, sizeof p.s, "%s/%s-%020llu.seg", w->dir, prefix, (unsigned long long)id);
    return p;
}

/* ------------------------------------------------------------------ header */

static nx_status encode_header(const nx_wal *w, const nx_wal_segment *s, nx_buf *b, nx_err *err)
{
    size_t n_contracts = strlen(w->contracts), n = 0;
    char head[NX_WAL_SEGMENT_HEAD] = {0};
    nx_status st = nx_buf_add(b, (nx_str){head, sizeof head});
    if (st == NX_OK)
        st = nx_buf_adds(b, w->contracts);
    for (size_t i = 0; i < w->n_entries && st == NX_OK; i++) {
        const nx_wal_producer_entry *e = w->entries[i];
        if (e->gone)
            continue;
        char p[NX_WAL_PRODUCER_HEAD];
        nx__put32(p, e->id);
        nx__put32(p + 4, e->keep ? 1 : 0);
        nx__put64(p + 8, e->durable);
        nx__put32(p + 16, (uint32_t)strlen(e->name));
        st = nx_buf_add(b, (nx_str){p, sizeof p});
        if (st == NX_OK)
            st = nx_buf_adds(b, e->name);
        n++;
    }
    if (st != NX_OK)
        return nx_fail(err, st, "could not write the header of a segment of %s: %zu producers need too much room",
                       w->dir, w->n_entries);
    size_t used = b->n, off = nx__wal_aligned(used);
    char *h = b->p;
    memcpy(h, magic, sizeof magic);
    nx__put32(h + 12, (uint32_t)used);
    nx__put32(h + 16, (uint32_t)off);
    nx__put32(h + 20, w->next_id);
    nx__put64(h + 24, s->epoch);
    nx__put64(h + 32, s->first_pos);
    nx__put64(h + 40, s->prev_pos);
    nx__put32(h + 48, (uint32_t)n);
    nx__put32(h + 52, (uint32_t)n_contracts);
    nx__put32(h + 8, nx_crc32c(0, h + 12, used - 12));
    return NX_OK;
}

static nx_status bad_header(const nx_wal *w, const nx_wal_segment *s, const char *why, nx_err *err)
{
    (void)nx_fail(err, NX_CORRUPT, "segment %s has a bad header: %s", nx__wal_path(w, "wal", s->first_pos).s, why);
    return nx_err_hint(err, NX_CORRUPT,
                       "restore the segment from a copy; moving it away loses the acknowledged frames in it");
}

static nx_status read_producers(nx_wal *w, const nx_wal_segment *s, nx_str b, size_t n, nx_err *err)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (b.n - at < NX_WAL_PRODUCER_HEAD)
            return bad_header(w, s, "the producer map ends early", err);
        const char *p = b.p + at;
        uint32_t id = nx__get32(p), name_n = nx__get32(p + 16);
        at += NX_WAL_PRODUCER_HEAD;
        if (name_n == 0 || name_n > 255 || b.n - at < name_n || id == UINT32_MAX)
            return bad_header(w, s, "a producer is malformed", err);
        nx_wal_producer_entry *e;
        NX_TRY(nx__wal_entry_add(w, id, (nx_str){b.p + at, name_n}, (nx__get32(p + 4) & 1) != 0, &e, err));
        uint64_t last = nx__get64(p + 8);
        if (e->last < last)
            e->last = e->durable = last;
        at += name_n;
    }
    return at == b.n ? NX_OK : bad_header(w, s, "bytes behind the producer map", err);
}

/* The whole header into b. */
static nx_status load_header(const nx_wal *w, int fd, nx_wal_segment *s, nx_buf *b, nx_err *err)
{
    char h[NX_WAL_SEGMENT_HEAD];
    struct stat sb;
    if (fstat(fd, &sb) != 0 || pread(fd, h, sizeof h, 0) != (ssize_t)sizeof h)
        return bad_header(w, s, "it could not be read", err);
    uint32_t used = nx__get32(h + 12), off = nx__get32(h + 16), n_contracts = nx__get32(h + 52);
    if (memcmp(h, magic, sizeof magic) != 0)
        return bad_header(w, s, "it is no segment of this format version", err);
    if (used < sizeof h || off < used || (uint64_t)sb.st_size < off || n_contracts > used - sizeof h)
        return bad_header(w, s, "its lengths do not fit", err);
    nx_buf_clear(b);
    if (nx_buf_reserve(b, used) != NX_OK)
        return nx_nomem(err);
    if (pread(fd, b->p, used, 0) != (ssize_t)used || nx_crc32c(0, b->p + 12, used - 12) != nx__get32(h + 8))
        return bad_header(w, s, "its checksum is wrong", err);
    if (nx__get64(h + 32) != s->first_pos)
        return bad_header(w, s, "its position is not that of its name", err);
    s->bytes = (uint64_t)sb.st_size;
    s->used = off;
    s->epoch = nx__get64(h + 24);
    s->prev_pos = nx__get64(h + 40);
    b->n = used;
    return NX_OK;
}

static void keep_contracts(nx_buf *b)
{
    uint32_t n = nx__get32(b->p + 52);
    memmove(b->p, b->p + NX_WAL_SEGMENT_HEAD, n);
    b->p[n] = '\0';
    b->n = n;
}

nx_status nx__wal_peek_header(const nx_wal *w, int fd, nx_wal_segment *s, nx_buf *contracts, nx_err *err)
{
    NX_TRY(load_header(w, fd, s, contracts, err));
    keep_contracts(contracts);
    return NX_OK;
}

nx_status nx__wal_read_header(nx_wal *w, int fd, nx_wal_segment *s, nx_buf *contracts, nx_err *err)
{
    nx_buf *b = contracts;
    NX_TRY(load_header(w, fd, s, b, err));
    if (w->next_id < nx__get32(b->p + 20))
        w->next_id = nx__get32(b->p + 20);
    size_t at = NX_WAL_SEGMENT_HEAD + nx__get32(b->p + 52);
    NX_TRY(read_producers(w, s, (nx_str){b->p + at, b->n - at}, nx__get32(b->p + 48), err));
    keep_contracts(b);
    return NX_OK;
}

/* ------------------------------------------------------------------ making the next one */

static nx_status write_zeros(const char *path, uint64_t bytes, int flags, nx_err *err)
{
    NX_AUTO(nx_fd_drop) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | flags, 0600);
    if (fd < 0)
        return nx_fail_sys(err, NX_IO, "could not create %s", path);
    const size_t chunk = 1 << 20;
    char *zeros = aligned_alloc(NX_WAL_ALIGN, chunk);
    if (zeros == NULL)
        return nx_nomem(err);
    memset(zeros, 0, chunk);
    nx_status st = NX_OK;
    for (uint64_t at = 0; at < bytes && st == NX_OK; at += chunk)
        st = nx_fd_write(fd, zeros, bytes - at < chunk ? (size_t)(bytes - at) : chunk, err);
    free(zeros);
    if (st == NX_OK && fsync(fd) != 0)
        st = nx_fail_sys(err, NX_IO, "could not sync %s", path);
    return st;
}

/* Zeros are really written: a block that grows a file, or fills unwritten extents, would drag the journal into every
 * sync. Past the page cache where the file system can: they are never read. */
static nx_status make_zeroed(const nx_wal *w, const char *path, uint64_t bytes, nx_err *err)
{
    nx_err first = {0};
    nx_status st = write_zeros(path, bytes, O_DIRECT, &first);
    if (st != NX_OK && first.sys_errno == EINVAL)
        st = write_zeros(path, bytes, 0, &first);
    if (st == NX_OK)
        return NX_OK;
    (void)unlink(path);
    first.retriable = true;
    (void)nx_err_prefix(&first, "could not make a segment of %llu bytes in %s", (unsigned long long)bytes, w->dir);
    (void)nx_err_hint(&first, st, "free some space on that disk: frames wait until then, nothing acknowledged is lost");
    if (err != NULL)
        *err = first;
    return st;
}

static bool take_free(nx_wal *w, uint64_t *id)
{
    pthread_mutex_lock(&w->mutex);
    bool ok = w->n_free > 0;
    if (ok)
        *id = w->free_ids[--w->n_free];
    pthread_mutex_unlock(&w->mutex);
    return ok;
}

/* The path of a file of at least `bytes` that nobody needs. */
static nx_status get_file(nx_wal *w, uint64_t *bytes, nx_wal_path *path, nx_err *err)
{
    uint64_t id;
    while (take_free(w, &id)) {
        struct stat sb;
        *path = nx__wal_path(w, "free", id);
        if (stat(path->s, &sb) == 0 && (uint64_t)sb.st_size >= *bytes) {
            *bytes = (uint64_t)sb.st_size;
            return NX_OK;
        }
        (void)unlink(path->s); /* made under other settings */
    }
    *path = nx__wal_path(w, "new", w->next_pos);
    return make_zeroed(w, path->s, *bytes, err);
}

nx_status nx__wal_open_to_read(const nx_wal *w, const nx_wal_segment *s, int *ret_fd, nx_err *err)
{
    nx_wal_path path = nx__wal_path(w, "wal", s->first_pos);
    *ret_fd = open(path.s, O_RDONLY | O_CLOEXEC);
    return *ret_fd >= 0 ? NX_OK : nx_fail_sys(err, NX_IO, "could not open segment %s", path.s);
}

nx_status nx__wal_open_segment(const char *path, int *ret_fd, nx_err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_DIRECT);
    if (fd < 0 && errno == EINVAL)
        fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return nx_fail_sys(err, NX_IO, "could not open segment %s", path);
    *ret_fd = fd;
    return NX_OK;
}

static nx_status install(nx_wal *w, const nx_wal_segment *s, const nx_wal_path *from, nx_str header, int *ret_fd,
                         nx_err *err)
{
    nx_wal_path to = nx__wal_path(w, "wal", s->first_pos);
    NX_AUTO(nx_fd_drop) int fd = open(from->s, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return nx_fail_sys(err, NX_IO, "could not open segment %s", from->s);
    NX_TRY(nx_fd_write(fd, header.p, header.n, err));
    if (fdatasync(fd) != 0)
        return nx_fail_sys(err, NX_IO, "could not sync segment %s", from->s);
    if (rename(from->s, to.s) != 0)
        return nx_fail_sys(err, NX_IO, "could not rename segment %s to %s", from->s, to.s);
    NX_TRY(nx_dir_sync(w->dir, err));
    return nx__wal_open_segment(to.s, ret_fd, err);
}

nx_status nx__wal_roll(nx_wal *w, nx_err *err)
{
    nx_wal_segment s = {.first_pos = w->next_pos - w->block_frames, .prev_pos = w->durable_pos};
    nx_rand_bytes(&s.epoch, sizeof s.epoch);
    NX_BUF_AUTO nx_buf h;
    nx_buf_init(&h, 64 << 20);
    NX_TRY(encode_header(w, &s, &h, err));
    s.used = nx__get32(h.p + 16);
    uint64_t need = s.used + nx__wal_aligned(NX_WAL_BLOCK_HEAD + w->block_max);
    s.bytes = nx__wal_aligned(need > w->segment_bytes ? need : w->segment_bytes);

    pthread_mutex_lock(&w->mutex);
    bool room = nx_grow(&w->segs, &w->segs_cap, w->n_segs + 1, sizeof *w->segs);
    pthread_mutex_unlock(&w->mutex);
    if (!room)
        return nx_nomem(err);
    nx_wal_path path;
    NX_TRY(get_file(w, &s.bytes, &path, err));
    int fd = -1;
    nx_status st = install(w, &s, &path, nx_buf_str(&h), &fd, err);
    if (st != NX_OK) {
        (void)unlink(path.s);
        return st;
    }
    nx_fd_drop(&w->fd);
    w->fd = fd;
    pthread_mutex_lock(&w->mutex);
    /* one that holds producers only has no position of its own: the new one took its name, and its producers */
    if (w->n_segs > 0 && w->segs[w->n_segs - 1].first_pos == s.first_pos)
        w->n_segs--;
    w->segs[w->n_segs++] = s;
    pthread_mutex_unlock(&w->mutex);
    return NX_OK;
}

/* ------------------------------------------------------------------ what is there */

static bool name_id(const char *name, const char *prefix, uint64_t *id)
{
    size_t n = strlen(prefix);
    if (strncmp(name, prefix, n) != 0 || strlen(name) != n + 20 + 4 || strcmp(name + n + 20, ".seg") != 0)
        return false;
    int64_t v;
    if (!nx_str_to_i64((nx_str){name + n, 20}, &v) || v < 0)
        return false;
    *id = (uint64_t)v;
    return true;
}

static nx_status scan_entry(void *ctx, const char *name, bool is_dir, nx_err *err)
{
    nx_wal *w = ctx;
    uint64_t id;
    if (is_dir)
        return NX_OK;
    if (name_id(name, "wal-", &id)) {
        if (!nx_grow(&w->segs, &w->segs_cap, w->n_segs + 1, sizeof *w->segs))
            return nx_nomem(err);
        w->segs[w->n_segs++] = (nx_wal_segment){.first_pos = id}; /* names sort as positions do */
    } else if (name_id(name, "free-", &id) && w->n_free < NX_WAL_FREE_MAX) {
        w->free_ids[w->n_free++] = id;
    } else if (name_id(name, "free-", &id) || name_id(name, "new-", &id)) {
        nx_wal_path p;
        snprintf(p.s, sizeof p.s, "%s/%s", w->dir, name);
        (void)unlink(p.s); /* too many, or half made when the process died */
    }
    return NX_OK;
}

nx_status nx__wal_scan(nx_wal *w, nx_err *err)
{
    return nx_dir_list(w->dir, scan_entry, w, err);
}
