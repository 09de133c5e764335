/* The columns that every bronze table has beside its own (INTERFACES section 6). They are declared here once, not in each file: what they
 * hold is decided by the edge, not by a source. */
#include "contract/contract_int.h"

const nx_field nx__technical_fields[NX_TECH_COUNT] = {
    [NX_TECH_SOURCE] = {"_source", {.kind = NX_STRING}, false, "Feed or producer the row came from."},
    [NX_TECH_RECEIVED_AT] = {"_received_at", {.kind = NX_TIMESTAMP}, false, "When the row was received, UTC."},
    [NX_TECH_KNOWN_AT] = {"_known_at",
                          {.kind = NX_TIMESTAMP},
                          false,
                          "Earliest moment at which a reader could have known the row, UTC."},
    [NX_TECH_KNOWN_BASIS] = {"_known_basis",
                             {.kind = NX_STRING},
                             false,
                             "received, or declared for history: the row's own time plus the feed's stated delay."},
    [NX_TECH_INGEST_POS] = {"_ingest_pos",
                            {.kind = NX_INT64},
                            false,
                            "Position of the frame or page in its source's log."},
    [NX_TECH_INGEST_IDX] = {"_ingest_idx", {.kind = NX_INT32}, false, "Index of the row in its frame or page."},
    [NX_TECH_CONTRACT] = {"_contract",
                          {.kind = NX_STRING},
                          false,
                          "Contract and version that read the row, trades@1.0.0."},
    [NX_TECH_EXTRA] =
        {"_extra",
         {.kind = NX_STRING},
         true,
         "Members that the contract does not know, as a JSON object in order of their names; null when there are none."},
};
