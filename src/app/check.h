/* app/check.h - scans of a project's tables, shared by `nexus check` and `nexus demo`. */
#ifndef NX_APP_CHECK_H
#define NX_APP_CHECK_H

#include "app/project.h"
#include "quality/quality.h"

/* files: SodaCL files or folders; none: all of quality/, and the outcome is noted for the gate of publication. The session of p must be
 * open. Failing checks are a result, not an error. Drop ret with nx_scan_drop(). */
NX_MUST_USE nx_status nx_check_project(nx_project *p, const char *const *files, size_t n_files, nx_scan *ret,
                                       nx_err *err);

#endif
