/* What the simulator's tests share: a running simulator, requests with credentials, answers as trees. */
#ifndef SIM_KIT_H
#define SIM_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "data/json.h"
#include "io/http.h"
#include "sim/sim.h"

typedef struct kit {
    nx_sim *sim;
    nx_http *http;
    nx_arena arena;
    nx_http_resp resp; /* of the last request */
} kit;

static inline kit *kit_start(nx_sim_opts opts)
{
    kit *k = calloc(1, sizeof *k);
    nx_err err = {0};
    opts.listen = "127.0.0.1:0";
    nx_status st = nx_sim_start(&opts, &k->sim, &err);
    if (st != NX_OK)
        fail_msg("%s", err.text);
    assert_int_equal(nx_http_new(NULL, &k->http, &err), NX_OK);
    nx_arena_init(&k->arena, (size_t)1 << 30);
    return k;
}

static inline void kit_stop(kit *k)
{
    nx_http_resp_drop(&k->resp);
    nx_http_drop(k->http);
    nx_arena_drop(&k->arena);
    nx_sim_stop(k->sim);
    free(k);
}

/* Sends a request with the given headers; the answer's status. */
static inline int kit_ask(kit *k, const char *method, const char *path, const char *const *headers, const char *body)
{
    char url[4096];
    nx_err err = {0};
    nx_http_resp_drop(&k->resp);
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", nx_sim_port(k->sim), path);
    nx_http_req req = {method, url, headers, nx_str_of(body)};
    if (nx_http_send(k->http, &req, NULL, &k->resp, &err) != NX_OK)
        fail_msg("%s", err.text);
    return k->resp.status;
}

static const char *const kit_keys[] = {"APCA-API-KEY-ID: K1", "APCA-API-SECRET-KEY: S1", NULL};

static inline const nx_val *kit_tree(kit *k)
{
    nx_val *v = NULL;
    nx_err err = {0};
    if (nx_json_parse(nx_buf_str(&k->resp.body), NULL, &k->arena, &v, &err) != NX_OK)
        fail_msg("%s in %.300s", err.text, k->resp.body.p);
    return v;
}

/* A GET with Alpaca keys that must succeed. */
static inline const nx_val *kit_get(kit *k, const char *path)
{
    int status = kit_ask(k, "GET", path, kit_keys, "");
    if (status != 200)
        fail_msg("%s: %d %s", path, status, k->resp.body.p);
    return kit_tree(k);
}

/* The body's text of a GET with a status. */
static inline const char *kit_body(kit *k, const char *path, int status)
{
    int got = kit_ask(k, "GET", path, kit_keys, "");
    if (got != status)
        fail_msg("%s: %d instead of %d: %s", path, got, status, k->resp.body.p);
    return k->resp.body.p == NULL ? "" : k->resp.body.p;
}

#endif
