/* base/status.h
 *
 * What a function can say went wrong: a small enum as the return value and, for
 * whoever wants the whole story, an error record that the caller passes in.
 *
 * Grammar of an error text: what could not be done, on which object, why. The way
 * out goes into the hint. No function names, no trailing full stop.
 * Thread     An nx_err belongs to the thread that passes it in.
 */
#ifndef NX_BASE_STATUS_H
#define NX_BASE_STATUS_H

#include <stdbool.h>

#include "base/mark.h"

/* X(status, text, process exit code). Exit codes: 1 a check failed, 2 usage or
 * configuration, 3 something outside failed. A retriable error of class 3 exits 75. */
#define NX_STATUS_LIST(X)                                                                                              \
    X(NX_OK, "ok", 0)                                                                                                  \
    X(NX_NOMEM, "out of memory", 3)                                                                                    \
    X(NX_IO, "input or output failed", 3)                                                                              \
    X(NX_REMOTE, "the other side failed", 3)                                                                           \
    X(NX_CORRUPT, "stored bytes fail their checks", 3)                                                                 \
    X(NX_INVALID, "input is not valid", 2)                                                                             \
    X(NX_CONTRACT, "a row breaks its contract", 1)                                                                     \
    X(NX_CHECK_FAILED, "a check, test or model failed", 1)                                                             \
    X(NX_CONFLICT, "another writer committed first", 3)                                                                \
    X(NX_NOT_FOUND, "no such object", 2)                                                                               \
    X(NX_EXISTS, "the object exists already", 3)                                                                       \
    X(NX_UNSUPPORTED, "not supported", 2)                                                                              \
    X(NX_LIMIT, "a configured limit was reached", 3)                                                                   \
    X(NX_AGAIN, "nothing ready yet", 3)                                                                                \
    X(NX_CANCELLED, "stopped by request", 3)                                                                           \
    X(NX_NOTHING, "nothing to do", 0)                                                                                  \
    X(NX_INTERNAL, "a defect in this program", 3)

typedef enum nx_status {
#define X(name, text, code) name,
    NX_STATUS_LIST(X)
#undef X
} nx_status;

typedef struct nx_err {
    nx_status status;
    bool retriable;     /* the same call may succeed later */
    int sys_errno;      /* 0 if no system call was involved */
    int retry_after_ms; /* what the other side asked for; 0 = nothing said */
    const char *file;   /* static */
    int line;
    char text[512]; /* what, on which object, why */
    char hint[256]; /* what an operator can do; may be empty */
} nx_err;

/* A constant text; never NULL. Any thread. */
const char *nx_status_text(nx_status s);
/* The name of the enumerator, "NX_IO"; never NULL. Any thread. */
const char *nx_status_name(nx_status s);
/* Process exit code for a status (INTERFACES section 3). */
int nx_status_exit_code(nx_status s, bool retriable);

/* Fills *e (may be NULL) with status and text, clears hint and flags; returns st.
 * Use through nx_fail(). Long texts are cut, never overflow. */
NX_PRINTF(5, 6)
nx_status nx_err_set(nx_err *e, nx_status st, const char *file, int line, const char *fmt, ...);
/* The same, then adds ": " and the text of errno, and stores errno. */
NX_PRINTF(5, 6)
nx_status nx_err_set_sys(nx_err *e, nx_status st, const char *file, int line, const char *fmt, ...);
/* Puts words in front of the text: "reading FILE: " + old text. Keeps all else. Returns e's status (NX_INTERNAL if e is
 * NULL). */
NX_PRINTF(2, 3)
nx_status nx_err_prefix(nx_err *e, const char *fmt, ...);
/* Sets the hint; e may be NULL. Returns e's status, or st when e is NULL. */
NX_PRINTF(3, 4)
nx_status nx_err_hint(nx_err *e, nx_status st, const char *fmt, ...);
/* Empties the record. */
void nx_err_clear(nx_err *e);

#define nx_fail(e, st, ...) nx_err_set((e), (st), __FILE__, __LINE__, __VA_ARGS__)
#define nx_fail_sys(e, st, ...) nx_err_set_sys((e), (st), __FILE__, __LINE__, __VA_ARGS__)
#define nx_nomem(e) nx_err_set((e), NX_NOMEM, __FILE__, __LINE__, "out of memory")

/* Returns from the calling function when the expression is not NX_OK. */
#define NX_TRY(expr)                                                                                                   \
    do {                                                                                                               \
        nx_status nx_try_st_ = (expr);                                                                                 \
        if (NX_UNLIKELY(nx_try_st_ != NX_OK))                                                                          \
            return nx_try_st_;                                                                                         \
    } while (0)

#endif
