/* base/fault.h
 *
 * Named points where tests can make the program fail: return an error, write short, or die at once as by
 * kill -9. Armed through the environment variable NEXUS_FAULT="point[:skip[:action]]", action one of
 * error, short, kill (default error); skip = how many passages to let through (default 0). One point at a time;
 * it fires once. A value that names no point ends the process with status 2: no test passes for want of a fault.
 * In builds without NX_FAULTS the macro is a constant and costs nothing.
 * Thread   Any.
 */
#ifndef NX_BASE_FAULT_H
#define NX_BASE_FAULT_H

#include <stdbool.h>

/* Sorted; a test walks the list. */
#define NX_FAULTS_LIST(X)                                                                                              \
    X(DELTA_COMMIT)                                                                                                    \
    X(DELTA_COMMITTED)                                                                                                 \
    X(FILE_FSYNC)                                                                                                      \
    X(FILE_LINK)                                                                                                       \
    X(FILE_RENAME)                                                                                                     \
    X(FILE_WRITE)                                                                                                      \
    X(PARQUET_WRITE)                                                                                                   \
    X(PG_COMMIT)                                                                                                       \
    X(PG_COPY)                                                                                                         \
    X(WAL_RELEASE)                                                                                                     \
    X(WAL_SYNC)                                                                                                        \
    X(WAL_WRITE)

typedef enum nx_fault {
#define X(f) NX_FAULT_##f,
    NX_FAULTS_LIST(X)
#undef X
        NX_FAULT_COUNT
} nx_fault;

typedef enum nx_fault_action { NX_FAULT_NONE, NX_FAULT_ERROR, NX_FAULT_SHORT } nx_fault_action;

const char *nx_fault_name(nx_fault f);

#ifdef NX_FAULTS
/* Counts a passage; what the caller has to pretend (kill does not return). */
nx_fault_action nx_fault_hit(nx_fault f);
/* Arms a point from inside a test, in the words of NEXUS_FAULT; NULL disarms. False when the words name no point (then
 * nothing is armed). */
bool nx_fault_arm(const char *spec);
#else
static inline nx_fault_action nx_fault_hit(nx_fault f)
{
    (void)f;
    return NX_FAULT_NONE;
}
#endif

#endif
