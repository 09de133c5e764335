/* sim/stream_int.h - the stream's connections: subscriptions and what is sent to whom. */
#ifndef NX_SIM_STREAM_INT_H
#define NX_SIM_STREAM_INT_H

#include "base/map.h"
#include "sim/sim_int.h"

enum { NX__CLIENTS = 64, NX__CHANNELS = 10 };

typedef struct nx__channel {
    const char *key;
    char type;
    bool asked; /* may stand in a subscribe message */
} nx__channel;
extern const nx__channel nx__channels[NX__CHANNELS];

typedef struct nx__client {
    nx_sim *sim;
    nx_wsd_conn *c;
    bool sip, packed, authed, failed; /* packed: msgpack in binary frames; failed: no auth any more */
    bool writing;                     /* the loop watches for room */
    nx_mono_ns since;
    nx_map subs[NX__CHANNELS]; /* symbols; "*" means all */
    size_t n_subs;
    int n_frames;
} nx__client;

/* How a connection comes in: by which path, and whether its headers authenticated it. */
typedef enum nx__header_auth { NX__NO_HEADERS, NX__GOOD_HEADERS, NX__BAD_HEADERS } nx__header_auth;

NX_MUST_USE nx_status nx__client_greet(nx__client *k, nx__header_auth auth, nx_err *err);
/* A message of the client's: answers it. */
NX_MUST_USE nx_status nx__client_take(nx__client *k, nx_str message, nx_err *err);
NX_MUST_USE nx_status nx__client_error(nx__client *k, int code, nx_err *err);
void nx__client_init(nx__client *k);
void nx__client_drop(nx__client *k);
/* Sends those items of the frame that the client subscribed. */
NX_MUST_USE nx_status nx__client_send(nx__client *k, const nx__item *items, size_t n, nx_err *err);

#endif
