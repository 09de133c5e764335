/* Acknowledgements (INTERFACES section 4): made when a frame has its verdict, sent when it is durable. */
#include <stdio.h>

#include "data/json.h"
#include "ingest/stream_int.h"

enum { ERRORS_SHOWN = 16 };

static nx_status keep(nx_conn *c, nx_str text)
{
    uint32_t n = (uint32_t)text.n;
    NX_TRY(nx_buf_reserve(&c->acks, sizeof n + text.n));
    NX_TRY(nx_buf_add(&c->acks, (nx_str){(const char *)&n, sizeof n}));
    return nx_buf_add(&c->acks, text);
}

nx_status nx__ack_run(nx_conn *c)
{
    if (c->run_frames == 0)
        return NX_OK;
    char text[160];
    int n = snprintf(text, sizeof text, "[{\"T\":\"ack\",\"seq\":%llu,\"accepted\":%llu,\"rejected\":0",
                     (unsigned long long)c->run_last, (unsigned long long)c->run_accepted);
    if (c->run_frames > 1)
        n += snprintf(text + n, sizeof text - (size_t)n, ",\"frames\":%llu", (unsigned long long)c->run_frames);
    n += snprintf(text + n, sizeof text - (size_t)n, "}]");
    c->run_frames = c->run_accepted = 0;
    return keep(c, (nx_str){text, (size_t)n});
}

static void put_error(nx_jw *w, const nx_row_error *e)
{
    nx_jw_obj(w);
    nx_jw_key(w, "index");
    nx_jw_i64(w, e->index);
    nx_jw_key(w, "field");
    nx_jw_cstr(w, e->field);
    nx_jw_key(w, "rule");
    nx_jw_cstr(w, e->rule);
    nx_jw_key(w, "message");
    nx_jw_cstr(w, e->message);
    nx_jw_obj_end(w);
}

static nx_status refusal(nx_conn *c, const nx_verdict *v)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 64 << 10);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_arr(&w);
    nx_jw_obj(&w);
    nx_jw_key(&w, "T");
    nx_jw_cstr(&w, "ack");
    nx_jw_key(&w, "seq");
    nx_jw_i64(&w, (int64_t)c->seq);
    nx_jw_key(&w, "accepted");
    nx_jw_i64(&w, v->accepted);
    nx_jw_key(&w, "rejected");
    nx_jw_i64(&w, v->rejected);
    nx_jw_key(&w, "errors");
    nx_jw_arr(&w);
    int shown = 0;
    for (uint32_t i = 0; i < v->rejected && shown < ERRORS_SHOWN; i++)
        for (size_t k = 0; k < v->refused[i].n_errors && shown < ERRORS_SHOWN; k++, shown++)
            put_error(&w, &v->refused[i].errors[k]);
    nx_jw_arr_end(&w);
    nx_jw_obj_end(&w);
    nx_jw_arr_end(&w);
    NX_TRY(nx_jw_end(&w));
    return keep(c, nx_buf_str(&b));
}

nx_status nx__ack_frame(nx_conn *c, const nx_verdict *v)
{
    if (v->rejected == 0) {
        c->run_frames++;
        c->run_accepted += v->accepted;
        c->run_last = c->seq;
        return NX_OK;
    }
    NX_TRY(nx__ack_run(c));
    return refusal(c, v);
}

void nx__ack_send(nx_conn *c)
{
    nx_status st = nx__ack_run(c);
    for (size_t at = 0; st == NX_OK && at < c->acks.n;) {
        uint32_t n;
        memcpy(&n, c->acks.p + at, sizeof n);
        at += sizeof n;
        st = nx_wsd_send(c->ws, NX_WS_TEXT, (nx_str){c->acks.p + at, n}, NULL);
        at += n;
    }
    nx_buf_clear(&c->acks);
    if (st == NX_LIMIT || st == NX_NOMEM)
        nx__conn_refuse(c, 407, NX_WS_CLOSE_TRY_LATER, "slow client: acknowledgements are not read");
}
