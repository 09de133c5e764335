/* Frames that were taken under other contracts than today's. Each run of segments with the same contracts is a
 * generation: a stream of its own, with the contracts of then, brings it back and commits it before the next one
 * begins. When the last one is done the log is released as a whole; only then do tables get today's columns. */
#include <stdlib.h>

#include "base/log.h"
#include "ingest/stream_int.h"

typedef struct generations {
    nx_stream *s;      /* today's: owns the log */
    nx_stream *part;   /* of the generation being read; NULL: none yet */
    nx_contracts *set; /* the part's, when it is not today's */
    char *list;        /* the part's, as the log names it */
    uint64_t first_pos;
} generations;

static nx_status choose_set(generations *g, const nx_contracts **ret, nx_err *err)
{
    nx_stream *s = g->s;
    *ret = s->o.contracts;
    if (strcmp(g->list, s->contract_list) == 0)
        return NX_OK;
    if (!nx__archive_can_tell(g->list)) {
        nx_log(NX_LOG_WARN, "wal",
               "frames from position %llu on do not say by hash which contracts they were taken under; they are read "
               "by those of now",
               (unsigned long long)g->first_pos);
        return NX_OK;
    }
    NX_TRY(nx__archive_load(s, g->list, g->first_pos, &g->set, err));
    *ret = g->set;
    return NX_OK;
}

static nx_status in_vain(const generations *g, nx_status st, nx_err *err)
{
    (void)nx_err_prefix(err, "could not bring back acknowledged frames from position %llu on",
                        (unsigned long long)g->first_pos);
    return st;
}

static nx_status begin(generations *g, const nx_wal_record *r, nx_err *err)
{
    const nx_contracts *set;
    g->first_pos = r->pos;
    g->list = nx_str_dup(nx_str_of(r->contracts));
    if (g->list == NULL)
        return nx_nomem(err);
    NX_TRY(choose_set(g, &set, err));
    nx_status st = nx__stream_part(g->s, set, &g->part, err);
    if (st == NX_CONFLICT)
        (void)nx_err_hint(
            err, st, "put the table back as it was, start once, so that it takes these frames, and then change it");
    return st == NX_OK ? st : in_vain(g, st, err);
}

static nx_status commit(generations *g, nx_err *err)
{
    nx_stream *part = g->part;
    nx_stream_stats done;
    g->part = NULL;
    pthread_mutex_lock(&part->lock);
    nx_status st = nx__edge_hand_over(part, err);
    pthread_mutex_unlock(&part->lock);
    nx_status ended = nx__stream_end(part, &done, st == NX_OK ? err : NULL); /* with the last commit */
    g->s->stats.recovered_frames += done.recovered_frames;
    g->s->stats.committed_rows += done.committed_rows;
    g->s->stats.commits += done.commits;
    return st == NX_OK ? ended : st;
}

/* Ends the part, if there is one: its rows are in committed versions when it returns NX_OK. */
static nx_status end(generations *g, nx_err *err)
{
    nx_status st = g->part == NULL ? NX_OK : commit(g, err);
    nx_contracts_drop(g->set);
    free(g->list);
    g->set = NULL;
    g->list = NULL;
    return st == NX_OK ? st : in_vain(g, st, err);
}

static nx_status take(void *ctx, const nx_wal_record *r, nx_err *err)
{
    generations *g = ctx;
    if (g->part == NULL || strcmp(r->contracts, g->list) != 0) {
        NX_TRY(end(g, err));
        NX_TRY(begin(g, r, err));
    }
    return nx__edge_bring_back(g->part, r, err);
}

static nx_status is_other(void *ctx, uint64_t first_pos, const char *contracts, nx_err *err)
{
    (void)first_pos;
    (void)err;
    const nx_stream *s = ctx;
    return strcmp(contracts, s->contract_list) == 0 ? NX_OK : NX_NOTHING;
}

nx_status nx__edge_recover_others(nx_stream *s, nx_err *err)
{
    nx_status st = nx_wal_each_segment(s->wal, is_other, s, err);
    if (st != NX_NOTHING)
        return st; /* all of it was taken under today's contracts */
    generations g = {.s = s};
    st = nx_wal_recover(s->wal, 0, take, &g, err);
    nx_status ended = end(&g, st == NX_OK ? err : NULL);
    NX_TRY(st);
    NX_TRY(ended);
    s->log_is_read = true;
    nx_log(NX_LOG_INFO, "wal",
           "the contracts changed: up to position %llu all is in the tables, by those it was taken under",
           (unsigned long long)nx_wal_durable_pos(s->wal));
    return nx_wal_release(s->wal, nx_wal_durable_pos(s->wal), err);
}
