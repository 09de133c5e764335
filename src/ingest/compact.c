/* The compactor: many small files of a streaming day become few, beside the running commits. */
#include <time.h>

#include "base/log.h"
#include "ingest/stream_int.h"

enum { MIN_FILES = 8 }; /* of one partition: below that the rewrite costs more than it saves */

/* False: the stream is ending. */
static bool wait_turn(nx_stream *s)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t every = s->o.compact_every_ms;
    until.tv_sec += every / 1000;
    until.tv_nsec += every % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    int rc = 0;
    while (!s->stopping && rc == 0)
        rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    bool go = !s->stopping;
    pthread_mutex_unlock(&s->lock);
    return go;
}

static void compact(nx_session *session, const nx_edge_table *t)
{
    nx_table_info info;
    nx_optimize_opts o = {.min_files = MIN_FILES};
    nx_commit_result r = {0};
    nx_err err = {0};
    nx_status st = nx_table_info_get(t->table, &info, &err);
    if (st == NX_OK && info.files >= MIN_FILES)
        st = nx_table_optimize(t->table, session, &o, &r, &err);
    if (st == NX_OK && r.files_removed > 0)
        nx_log(NX_LOG_INFO, "stream", "%s: %lld files became %lld", nx_contract_table(t->contract),
               (long long)r.files_removed, (long long)r.files_added);
    else if (st != NX_OK && st != NX_NOTHING && st != NX_CANCELLED)
        nx_log_err(NX_LOG_WARN, "stream", &err); /* the next turn tries again */
}

void *nx__compact_thread(void *stream)
{
    nx_stream *s = stream;
    nx_session *session = NULL;
    nx_err err = {0};
    if (nx_session_open(s->o.engine, &session, &err) != NX_OK) {
        nx_log_err(NX_LOG_WARN, "stream", &err);
        return NULL;
    }
    while (wait_turn(s)) {
        bool stopping = false;
        for (size_t i = 0; i < s->n_tables && !stopping; i++) {
            compact(session, &s->tables[i]);
            pthread_mutex_lock(&s->lock);
            stopping = s->stopping;
            pthread_mutex_unlock(&s->lock);
        }
    }
    nx_session_close(session);
    return NULL;
}
