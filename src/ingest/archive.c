/* Contracts as they were. Frames in the log are read by the contracts they were taken under, so each contract is kept
 * beside the log, under a name that says which text it is, for as long as a segment names it. */
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "ingest/stream_int.h"

static const char suffix[] = ".odcs.yaml";

/* What decides about a frame: the contracts of the feed, and the table of what was refused. */
static bool is_used(const nx_stream *s, const nx_contract *c)
{
    return nx_contract_speaks(c, s->feed) || strcmp(nx_contract_table(c), "quarantine.records") == 0;
}

nx_status nx__archive_list(const nx_stream *s, nx_buf *b, nx_err *err)
{
    for (size_t i = 0; i < nx_contracts_count(s->o.contracts); i++) {
        const nx_contract *c = nx_contracts_at(s->o.contracts, i);
        if (is_used(s, c) &&
            nx_buf_addf(b, "%s%s-%s", b->n == 0 ? "" : "\n", nx_contract_id(c), nx_contract_hash(c)) != NX_OK)
            return nx_nomem(err);
    }
    return NX_OK;
}

static nx_status archive_dir(const nx_stream *s, nx_buf *path, nx_err *err)
{
    nx_buf_clear(path);
    return nx_buf_addf(path, "%s/contracts", s->state_dir) == NX_OK ? NX_OK : nx_nomem(err);
}

static nx_status archive_path(const nx_stream *s, nx_str name, nx_buf *path, nx_err *err)
{
    NX_TRY(archive_dir(s, path, err));
    return nx_buf_addf(path, "/" NX_STR_FMT "%s", NX_STR_ARG(name), suffix) == NX_OK ? NX_OK : nx_nomem(err);
}

/* ------------------------------------------------------------------ keeping */

static nx_status keep(const nx_stream *s, const nx_contract *c, nx_err *err)
{
    NX_BUF_AUTO nx_buf name, path, have;
    nx_buf_init(&name, 0);
    nx_buf_init(&path, 0);
    nx_buf_init(&have, 0);
    if (nx_buf_addf(&name, "%s-%s", nx_contract_id(c), nx_contract_hash(c)) != NX_OK)
        return nx_nomem(err);
    NX_TRY(archive_path(s, nx_buf_str(&name), &path, err));
    nx_status st = nx_file_read(path.p, &have, err);
    if (st == NX_OK && nx_str_eq(nx_buf_str(&have), nx_contract_source(c)))
        return NX_OK;
    if (st != NX_OK && st != NX_NOT_FOUND)
        return st;
    st = nx_file_replace(path.p, nx_contract_source(c), err);
    if (st != NX_OK)
        (void)nx_err_prefix(err, "could not keep contract %s beside the log", nx_contract_id(c));
    return st;
}

nx_status nx__archive_keep(const nx_stream *s, nx_err *err)
{
    NX_BUF_AUTO nx_buf dir;
    nx_buf_init(&dir, 0);
    NX_TRY(archive_dir(s, &dir, err));
    NX_TRY(nx_dir_make(dir.p, err));
    for (size_t i = 0; i < nx_contracts_count(s->o.contracts); i++)
        if (is_used(s, nx_contracts_at(s->o.contracts, i)))
            NX_TRY(keep(s, nx_contracts_at(s->o.contracts, i), err));
    return NX_OK;
}

/* ------------------------------------------------------------------ reading back */

static nx_str next_line(nx_str *rest)
{
    size_t end = nx_str_find(*rest, NX_STR("\n"), 0);
    nx_str line = nx_str_sub(*rest, 0, end == SIZE_MAX ? rest->n : end);
    *rest = nx_str_sub(*rest, end == SIZE_MAX ? rest->n : end + 1, rest->n);
    return line;
}

/* "trades@1.0.0-0123456789abcdef" */
static bool has_hash(nx_str name)
{
    enum { N = NX_CONTRACT_HASH_N };
    bool ok = name.n > N + 1 && name.p[name.n - N - 1] == '-' && memchr(name.p, '/', name.n) == NULL;
    for (size_t i = 0; ok && i < N; i++)
        ok = strchr("0123456789abcdef", name.p[name.n - N + i]) != NULL;
    return ok;
}

bool nx__archive_can_tell(const char *list)
{
    nx_str rest = nx_str_of(list);
    while (rest.n > 0)
        if (!has_hash(next_line(&rest)))
            return false;
    return list[0] != '\0';
}

static nx_status unreadable(const nx_stream *s, uint64_t pos, const char *path, const char *why, nx_err *err)
{
    (void)nx_fail(
        err, NX_CORRUPT,
        "could not bring back the acknowledged frames from position %llu on: contract %s, under which they were taken, %s",
        (unsigned long long)pos, path, why);
    return nx_err_hint(err, NX_CORRUPT,
                       "put that version of the file back there; or move %s/wal and %s/contracts away: then what is in "
                       "that log and in no table is lost",
                       s->state_dir, s->state_dir);
}

/* Told apart from a contract that cannot be compiled any more: the bytes must be those of then. */
static nx_status check_file(const nx_stream *s, uint64_t pos, nx_str name, const char *path, nx_err *err)
{
    NX_BUF_AUTO nx_buf have;
    char hash[NX_CONTRACT_HASH_N + 1];
    nx_buf_init(&have, 0);
    nx_status st = nx_file_read(path, &have, err);
    if (st == NX_NOT_FOUND)
        return unreadable(s, pos, path, "is missing", err);
    NX_TRY(st);
    nx_contract_hash_of(nx_buf_str(&have), hash);
    if (nx_str_ends(name, nx_str_of(hash)))
        return NX_OK;
    return unreadable(s, pos, path, "holds other bytes than its name says", err);
}

nx_status nx__archive_load(const nx_stream *s, const char *list, uint64_t pos, nx_contracts **ret, nx_err *err)
{
    NX_ARENA_AUTO nx_arena a;
    NX_BUF_AUTO nx_buf path;
    nx_arena_init(&a, 0);
    nx_buf_init(&path, 0);
    const char *paths[NX_EDGE_TABLES_MAX];
    size_t n = 0;
    for (nx_str rest = nx_str_of(list); rest.n > 0; n++) {
        nx_str name = next_line(&rest);
        if (n == NX_COUNT_OF(paths))
            return nx_fail(err, NX_CORRUPT, "the log names more than %d contracts from position %llu on",
                           NX_EDGE_TABLES_MAX, (unsigned long long)pos);
        NX_TRY(archive_path(s, name, &path, err));
        NX_TRY(check_file(s, pos, name, path.p, err));
        paths[n] = nx_arena_dup(&a, nx_buf_str(&path));
        if (paths[n] == NULL)
            return nx_nomem(err);
    }
    nx_status st = nx_contracts_load_files(paths, n, ret, err);
    if (st != NX_OK)
        (void)nx_err_prefix(err, "could not read the contracts of the frames from position %llu on",
                            (unsigned long long)pos);
    return st;
}

/* ------------------------------------------------------------------ sweeping */

static bool list_has(const char *list, nx_str name)
{
    nx_str rest = nx_str_of(list);
    while (rest.n > 0)
        if (nx_str_eq(next_line(&rest), name))
            return true;
    return false;
}

typedef struct sweep {
    const nx_stream *s;
    nx_buf path;
} sweep;

static nx_status sweep_entry(void *ctx, const char *file, bool is_dir, nx_err *err)
{
    sweep *w = ctx;
    nx_str name = nx_str_of(file);
    if (is_dir || !nx_str_ends(name, nx_str_of(suffix)))
        return NX_OK;
    name.n -= strlen(suffix);
    if (!has_hash(name) || list_has(w->s->contract_list, name))
        return NX_OK;
    NX_TRY(archive_path(w->s, name, &w->path, err));
    return unlink(w->path.p) == 0 ? NX_OK : nx_fail_sys(err, NX_IO, "could not remove %s", w->path.p);
}

void nx__archive_sweep(const nx_stream *s)
{
    nx_err err = {0};
    NX_BUF_AUTO nx_buf dir;
    nx_buf_init(&dir, 0);
    sweep w = {.s = s};
    nx_buf_init(&w.path, 0);
    nx_status st = archive_dir(s, &dir, &err);
    if (st == NX_OK)
        st = nx_dir_list(dir.p, sweep_entry, &w, &err);
    if (st != NX_OK)
        nx_log_err(NX_LOG_WARN, "wal", &err); /* only disk space: the next start tries again */
    nx_buf_drop(&w.path);
}
