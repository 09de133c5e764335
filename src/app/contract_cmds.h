/* app/contract_cmds.h - the verbs of nexus contract that have a file of their own; cmd_contract.c calls them. */
#ifndef NX_APP_CONTRACT_CMDS_H
#define NX_APP_CONTRACT_CMDS_H

#include "app/project.h"

/* words and n: what follows the verb. */
NX_MUST_USE nx_status nx_contract_lint(nx_project *p, const char *const *words, size_t n, nx_err *err);

#endif
