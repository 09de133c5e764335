/* From the log to a snapshot: newest checkpoint not above the target, then every commit after it, without a hole. The
 * cached snapshot of a table only reads the commits that came since. */
#include <stdlib.h>

#include "lake/lake_int.h"

enum { PRUNE_EVERY = 100 };

static nx_status apply_line(void *ctx, const nx_val *line, nx_err *err)
{
    void **c = ctx;
    const nx_table *t = c[1];
    return nx__snap_apply(c[0], line, nx_str_of(t->root), err);
}

/* Applies one commit; NX_NOT_FOUND when there is no such file. */
static nx_status apply_commit(nx_table *t, nx__snap *s, int64_t version, int64_t modified_ms, nx_err *err)
{
    nx_buf text NX_BUF_AUTO;
    nx_buf_init(&text, 0);
    NX_TRY(nx__commit_read(t, version, &text, err));
    s->committed_ms = modified_ms;
    nx_status st = nx__ndjson_each(nx_buf_str(&text), apply_line, (void *[]){s, t}, err);
    if (st != NX_OK) {
        nx_err_prefix(err, "could not read version %lld of table %s", (long long)version, t->name);
        return st;
    }
    s->version = version;
    return NX_OK;
}

static nx_status check(const nx_table *t, const nx__snap *s, nx_err *err)
{
    if (!s->proto.known)
        return nx_fail(err, NX_CORRUPT, "could not read table %s: its log up to version %lld has no protocol action",
                       t->name, (long long)s->version);
    NX_TRY(nx__proto_check_read(&s->proto, t->name, err));
    if (s->meta == NULL)
        return nx_fail(err, NX_CORRUPT, "could not read table %s: its log up to version %lld has no metaData action",
                       t->name, (long long)s->version);
    return NX_OK;
}

/* The best complete checkpoint at or below `max` and above `min`: fills [*from, *to). False when there is none. */
static bool best_checkpoint(const nx__log_list *l, int64_t max, size_t *from, size_t *to)
{
    for (size_t end = l->n_cps; end > 0;) {
        size_t start = end;
        int64_t v = l->cps[end - 1].version;
        while (start > 0 && l->cps[start - 1].version == v)
            start--;
        for (size_t i = start; i < end && v <= max; i++) {
            int64_t parts = l->cps[i].parts;
            size_t k = i;
            while (k < end && l->cps[k].kind == l->cps[i].kind && l->cps[k].parts == parts &&
                   l->cps[k].part == (int64_t)(k - i) + 1)
                k++;
            if ((int64_t)(k - i) == parts) {
                *from = i;
                *to = k;
                return true;
            }
        }
        end = start;
    }
    return false;
}

static size_t commit_index(const nx__log_list *l, int64_t version)
{
    size_t lo = 0, hi = l->n_commits;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (l->commits[mid].version < version)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Commits (s->version, target]; each must be there. */
static nx_status apply_commits(nx_table *t, const nx__log_list *l, nx__snap *s, int64_t target, nx_err *err)
{
    size_t i = commit_index(l, s->version + 1);
    while (s->version < target) {
        int64_t want = s->version + 1;
        if (i == l->n_commits || l->commits[i].version != want) {
            nx_fail(err, NX_CORRUPT, "could not read version %lld of table %s: commit %lld is missing from its log",
                    (long long)target, t->name, (long long)want);
            return nx_err_hint(err, NX_CORRUPT, "restore %s/_delta_log/%020lld.json", t->root, (long long)want);
        }
        NX_TRY(apply_commit(t, s, want, l->commits[i].modified_ms, err));
        i++;
    }
    return NX_OK;
}

static nx_status from_checkpoint(nx_table *t, const nx__log_list *l, size_t from, size_t to, nx__snap *s, nx_err *err)
{
    NX_TRY(nx__checkpoint_apply(t, l->cps + from, to - from, s, err));
    s->version = l->cps[from].version;
    size_t at = commit_index(l, s->version);
    if (at < l->n_commits && l->commits[at].version == s->version)
        s->committed_ms = l->commits[at].modified_ms;
    return NX_OK;
}

/* Builds the snapshot of `target` from the listed log. A checkpoint that cannot be read makes room for the one
 * before. */
static nx_status build(nx_table *t, const nx__log_list *l, int64_t target, nx__snap **ret, nx_err *err)
{
    int64_t max = target;
    nx_err first = {0};
    for (;;) {
        nx__snap *s NX__SNAP_AUTO = NULL;
        size_t from, to;
        if (nx__snap_new(&s) != NX_OK)
            return nx_nomem(err);
        bool has_cp = best_checkpoint(l, max, &from, &to);
        nx_status st = NX_OK;
        if (has_cp)
            st = from_checkpoint(t, l, from, to, s, err);
        else if (first.status != NX_OK && (l->n_commits == 0 || l->commits[0].version != 0)) {
            if (err != NULL)
                *err = first; /* nothing left to start from: the unreadable checkpoint is the cause */
            return first.status;
        }
        if (st == NX_OK)
            st = apply_commits(t, l, s, target, err);
        if (st == NX_OK)
            st = check(t, s, err);
        if (st == NX_OK) {
            *ret = s;
            s = NULL;
            return NX_OK;
        }
        if (!has_cp || s->version >= 0 || st == NX_NOMEM)
            return st; /* the log itself is at fault */
        if (first.status == NX_OK && err != NULL)
            first = *err;
        first.status = st;
        max = l->cps[from].version - 1;
    }
}

static nx_status latest_of(const nx_table *t, const nx__log_list *l, int64_t *ret, nx_err *err)
{
    int64_t v = l->n_commits > 0 ? l->commits[l->n_commits - 1].version : -1;
    size_t from, to;
    if (best_checkpoint(l, INT64_MAX, &from, &to) && l->cps[from].version > v)
        v = l->cps[from].version;
    if (v < 0) {
        nx_fail(err, NX_NOT_FOUND, "there is no table %s: %s/_delta_log holds no commit", t->name, t->root);
        return nx_err_hint(err, NX_NOT_FOUND, "`nexus lake ls` shows the tables");
    }
    *ret = v;
    return NX_OK;
}

static nx_status load_latest(nx_table *t, nx__snap **ret, nx_err *err)
{
    nx__log_list l;
    NX_TRY(nx__log_scan(t, &l, err));
    int64_t v = -1;
    nx_status st = latest_of(t, &l, &v, err);
    if (st == NX_OK)
        st = build(t, &l, v, ret, err);
    nx__log_list_drop(&l);
    return st;
}

/* Brings t->snap (t->mu held) up to date. *ret_found: how many commits were read. */
static nx_status advance(nx_table *t, nx_err *err)
{
    for (bool first = true;; first = false) {
        nx_buf name NX_BUF_AUTO;
        nx_buf_init(&name, 0);
        bool there = false;
        if (nx__commit_name(t, t->snap->version + 1, &name) != NX_OK)
            return nx_nomem(err);
        NX_TRY(nx_store_exists(t->store, name.p, &there, err));
        if (!there && !first)
            return check(t, t->snap, err);
        if (!there) { /* nothing new: but is it still the table that we know? */
            nx_buf_clear(&name);
            if (nx__commit_name(t, t->snap->version, &name) != NX_OK)
                return nx_nomem(err);
            NX_TRY(nx_store_exists(t->store, name.p, &there, err));
            return there ? NX_OK : NX_AGAIN;
        }
        if (atomic_load(&t->snap->refs) > 1) {
            nx__snap *copy = NULL;
            if (nx__snap_clone(t->snap, &copy) != NX_OK)
                return nx_nomem(err);
            nx__snap_unref(t->snap);
            t->snap = copy;
        }
        NX_TRY(apply_commit(t, t->snap, t->snap->version + 1, t->snap->committed_ms, err));
        if (t->snap->version % PRUNE_EVERY == 0)
            nx__snap_prune(t->snap);
    }
}

nx_status nx__table_snap(nx_table *t, nx__snap **ret, nx_err *err)
{
    pthread_mutex_lock(&t->mu);
    nx_status st = t->snap == NULL ? NX_AGAIN : advance(t, err);
    if (st != NX_OK) {
        nx__snap_unref(t->snap);
        t->snap = NULL;
    }
    if (st == NX_AGAIN)
        st = load_latest(t, &t->snap, err);
    if (st == NX_OK) {
        atomic_fetch_add(&t->snap->refs, 1);
        *ret = t->snap;
    }
    pthread_mutex_unlock(&t->mu);
    return st;
}

void nx__table_forget(nx_table *t)
{
    pthread_mutex_lock(&t->mu);
    nx__snap_unref(t->snap);
    t->snap = NULL;
    pthread_mutex_unlock(&t->mu);
}

/* The newest version committed at or before the instant: modification times of the commit files, made rising (section
 * 10). */
static nx_status version_at(const nx_table *t, const nx__log_list *l, int64_t ms, int64_t *ret, nx_err *err)
{
    int64_t before = INT64_MIN;
    *ret = -1;
    for (size_t i = 0; i < l->n_commits; i++) {
        int64_t at = l->commits[i].modified_ms;
        if (at <= before)
            at = before + 1;
        before = at;
        if (at <= ms)
            *ret = l->commits[i].version;
    }
    if (*ret < 0)
        return nx_fail(err, NX_NOT_FOUND, "table %s has no version as old as the instant asked for", t->name);
    return NX_OK;
}

/* Where commits carry their own time, the files' times would name the wrong version. */
static nx_status check_clock(nx_table *t, nx_err *err)
{
    nx__snap *s NX__SNAP_AUTO = NULL;
    NX_TRY(nx__table_snap(t, &s, err));
    if (!nx_str_is(nx__meta_config(s->meta, "delta.enableInCommitTimestamps"), "true"))
        return NX_OK;
    nx_fail(err, NX_UNSUPPORTED,
            "could not go back in time in table %s: it uses the Delta feature \"inCommitTimestamp\"", t->name);
    return nx_err_hint(err, NX_UNSUPPORTED, "name a version instead: \"%s@v%lld\"", t->name, (long long)s->version);
}

nx_status nx__table_snap_at(nx_table *t, const nx__ref *ref, nx__snap **ret, nx_err *err)
{
    if (!ref->has_version && !ref->has_time)
        return nx__table_snap(t, ret, err);
    if (ref->has_time)
        NX_TRY(check_clock(t, err));
    nx__log_list l;
    NX_TRY(nx__log_scan(t, &l, err));
    int64_t last = -1, v = ref->version;
    nx_status st = latest_of(t, &l, &last, err);
    if (st == NX_OK && ref->has_time)
        st = version_at(t, &l, ref->time_ms, &v, err);
    if (st == NX_OK && v > last) {
        nx_fail(err, NX_NOT_FOUND, "table %s has no version %lld", t->name, (long long)v);
        st = nx_err_hint(err, NX_NOT_FOUND, "its newest version is %lld", (long long)last);
    }
    if (st == NX_OK)
        st = build(t, &l, v, ret, err);
    nx__log_list_drop(&l);
    return st;
}
