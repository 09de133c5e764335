/* app/gate.h - the quality gate between gold and its readers: `nexus check` writes down which table versions passed, `nexus publish` refuses
 * others. File: <state>/gate.json. */
#ifndef NX_APP_GATE_H
#define NX_APP_GATE_H

#include "app/project.h"

/* Notes the outcome of a scan of the whole project at the tables' versions of now. */
NX_MUST_USE nx_status nx_gate_note(nx_project *p, bool passed, nx_err *err);
/* NX_CHECK_FAILED unless the last scan passed at the newest version of every table (NULL-terminated names). */
NX_MUST_USE nx_status nx_gate_require(nx_project *p, const char *const *tables, nx_err *err);

#endif
