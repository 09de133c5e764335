/* base/log.h
 *
 * One line a happening, to stderr: text for people, JSON objects for machines. Programs log, libraries return
 * errors: below `app` only long-running parts (listener, feeds) log, once, where the matter ends.
 * Thread   Any. A line is written whole. Settings only before threads start.
 * Secrets  Values registered with nx_log_hide() are replaced by "***" in every line.
 */
#ifndef NX_BASE_LOG_H
#define NX_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mark.h"
#include "base/status.h"

typedef enum nx_log_level { NX_LOG_DEBUG, NX_LOG_INFO, NX_LOG_WARN, NX_LOG_ERROR } nx_log_level;

void nx_log_setup(nx_log_level min_level, bool json);
bool nx_log_on(nx_log_level level);
/* component: "stream", "wal", ...: static text */
NX_PRINTF(3, 4) void nx_log(nx_log_level level, const char *component, const char *fmt, ...);
/* An error record with its hint. */
void nx_log_err(nx_log_level level, const char *component, const nx_err *err);
/* From now on the value (copied; 4 characters or more, 64 values at most) never appears in a line; nx_log_scrub()
 * does the same for any text, in place. */
void nx_log_hide(const char *secret);
void nx_log_scrub(char *text, size_t cap);

#endif
