/* contract/ways_int.h - ways.c for decode.c. */
#ifndef NX_CONTRACT_WAYS_INT_H
#define NX_CONTRACT_WAYS_INT_H

#include "contract/decode_int.h"

/* The way of a variant, made when it is first asked for. */
NX_MUST_USE nx_status nx__way_of(nx_decoder *d, const nx_variant *v, nx_way **ret);
/* Before the first row of a frame goes into a lane. */
NX_MUST_USE nx_status nx__lane_touch(nx_decoder *d, nx_lane *l);
/* After the frame: rows of unbound lanes go, and with take_back all of the frame's. */
void nx__lanes_end(nx_decoder *d, bool take_back);

#endif
