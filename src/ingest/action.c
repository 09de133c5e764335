/* What a producer says about itself: {"action":"auth"}, {"action":"hello"}, {"action":"flush"}. Everything else is
 * data. */
#include <stdio.h>

#include "base/hash.h"
#include "base/log.h"
#include "data/json.h"
#include "data/msgpack.h"
#include "ingest/stream_int.h"

enum { ACTION_BYTES_MAX = 64 << 10 };

bool nx__token_ok(const nx_stream *s, nx_str token)
{
    nx_sha256 h;
    unsigned char digest[32];
    nx_sha256_init(&h);
    nx_sha256_add(&h, token.p, token.n);
    nx_sha256_end(&h, digest);
    unsigned found = 0;
    for (size_t i = 0; i < s->n_tokens; i++) { /* no early way out: the time says nothing about the token */
        unsigned diff = 0;
        for (size_t k = 0; k < sizeof digest; k++)
            diff |= (unsigned)(digest[k] ^ s->token_hashes[i][k]);
        found |= diff == 0;
    }
    return found != 0;
}

static nx_status auth(nx_conn *c, const nx_val *v)
{
    nx_str token = nx_val_str(nx_val_get(v, "token"), (nx_str){"", 0});
    if (c->s->n_tokens > 0 && c->authed) {
        nx__conn_say(c, "[{\"T\":\"error\",\"code\":403,\"msg\":\"already authenticated\"}]");
    } else if (c->s->n_tokens == 0 || nx__token_ok(c->s, token)) {
        c->authed = true;
        nx__conn_say(c, "[{\"T\":\"success\",\"msg\":\"authenticated\"}]");
    } else {
        nx_log(NX_LOG_WARN, "stream", "%s: wrong token", nx_wsd_peer(c->ws));
        nx__conn_refuse(c, 402, NX_WS_CLOSE_POLICY, "auth failed");
    }
    return NX_OK;
}

static bool producer_name_ok(nx_str name)
{
    if (name.n == 0 || name.n > 64)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char ch = name.p[i];
        if (!((ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || ch == '.' ||
              ch == '_' || ch == '-'))
            return false;
    }
    return true;
}

/* The same producer on another connection: that one is stale (its peer came back before we saw it go). */
static void take_over(nx_conn *c, uint32_t producer)
{
    for (nx_conn *o = c->s->conns; o != NULL; o = o->next)
        if (o != c && o->has_producer && o->named && o->producer == producer && !o->dead)
            nx__conn_refuse(o, 409, NX_WS_CLOSE_POLICY, "another connection says hello as this producer");
}

static nx_status hello(nx_conn *c, const nx_val *v)
{
    nx_stream *s = c->s;
    nx_str name = nx_val_str(nx_val_get(v, "producer"), (nx_str){"", 0});
    const nx_val *from = nx_val_get(v, "from");
    int64_t first = nx_val_i64(from, 0);
    if (!producer_name_ok(name)) {
        nx__conn_say(c,
                     "[{\"T\":\"error\",\"code\":400,\"msg\":\"hello: producer has 1 to 64 of A-Z a-z 0-9 . _ -\"}]");
        return NX_OK;
    }
    if (from != NULL && first < 1) {
        nx__conn_say(c, "[{\"T\":\"error\",\"code\":400,\"msg\":\"hello: from is the number of a frame, 1 or more\"}]");
        return NX_OK;
    }
    uint32_t id;
    nx_err err = {0};
    nx_status st = nx_wal_producer(s->wal, name, true, &id, &err);
    if (st == NX_LIMIT) {
        nx_log_err(NX_LOG_WARN, "stream", &err);
        nx__conn_refuse(c, 405, NX_WS_CLOSE_POLICY, "too many producers are known");
        return NX_OK;
    }
    if (st == NX_OK)
        st = nx__edge_sync(s, &err); /* "last" speaks of durable frames only */
    else if (st == NX_AGAIN)
        st = nx__edge_sync(s, &err) == NX_OK ? nx_wal_producer(s->wal, name, true, &id, &err) : NX_AGAIN;
    if (st != NX_OK)
        return st;
    for (nx_conn *o = s->conns; o != NULL; o = o->next)
        nx__ack_send(o); /* all of it is durable now */
    take_over(c, id);
    if (c->has_producer && !c->named)
        nx_wal_producer_forget(s->wal, c->producer);
    uint64_t last = nx_wal_producer_last(s->wal, id);
    if (first > 0 && last < (uint64_t)first - 1)
        last = (uint64_t)first - 1;
    c->producer = id;
    c->has_producer = c->named = true;
    c->seq = last;
    snprintf(c->source, sizeof c->source, NX_STR_FMT, NX_STR_ARG(name));
    nx__conn_say(c, "[{\"T\":\"success\",\"msg\":\"hello\",\"last\":%llu}]", (unsigned long long)last);
    return NX_OK;
}

/* Ours: asks for a commit of all that came so far; answered when readers see it. */
static nx_status flush(nx_conn *c)
{
    nx_stream *s = c->s;
    NX_TRY(nx__edge_sync(s, NULL));
    nx__ack_send(c);
    c->wants_flush = true;
    c->flush_pos = nx_wal_durable_pos(s->wal);
    nx__edge_ask_flush(s, c->flush_pos);
    return NX_OK;
}

static nx_status act(nx_conn *c, nx_str action, const nx_val *v)
{
    if (nx_str_is(action, "auth"))
        return auth(c, v);
    if (!c->authed) {
        nx__conn_refuse(c, 401, NX_WS_CLOSE_POLICY, "not authenticated");
        return NX_OK;
    }
    if (nx_str_is(action, "hello"))
        return hello(c, v);
    if (nx_str_is(action, "flush"))
        return flush(c);
    nx__conn_say(
        c, "[{\"T\":\"error\",\"code\":400,\"msg\":\"unknown action: this listener takes auth, hello and flush\"}]");
    return NX_OK;
}

/* What cannot be an action is seen by its first bytes: that is every data frame but a strange one. */
static bool may_be_action(nx_str s)
{
    if (s.n == 0 || s.n > ACTION_BYTES_MAX)
        return false;
    nx_mp_in in = nx_mp_open(s);
    nx_mp head;
    if (nx_mp_is_container(s.p[0]))
        return nx_mp_next(&in, &head) && head.kind == NX_MP_MAP && (in.end - in.p < 2 || memcmp(in.p, "\xa1T", 2) != 0);
    return s.p[0] == '{' && !nx_str_starts(s, NX_STR("{\"T\""));
}

bool nx__action(nx_conn *c, nx_str bytes, nx_status *ret)
{
    NX_BUF_AUTO nx_buf json;
    nx_buf_init(&json, 4 << 20);
    bool packed = bytes.n > 0 && nx_mp_is_container(bytes.p[0]);
    nx_str t = packed ? bytes : nx_str_trim(bytes);
    if (!may_be_action(t))
        return false;
    if (packed && nx_mp_to_json(t, &json, NULL) != NX_OK)
        return false; /* the decoder says what is wrong with it */
    NX_ARENA_AUTO nx_arena a;
    nx_arena_init(&a, 4 << 20);
    nx_val *v = NULL;
    if (nx_json_parse(packed ? nx_buf_str(&json) : t, NULL, &a, &v, NULL) != NX_OK)
        return false;
    const nx_val *action = nx_val_get(v, "action");
    if (action == NULL || action->kind != NX_VAL_STR || nx_val_get(v, "T") != NULL)
        return false;
    *ret = act(c, action->s, v);
    return true;
}
