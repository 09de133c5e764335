/* app/contract_cmds.h - the verbs of nexus contract that have a file of their own; cmd_contract.c calls them. */
#ifndef NX_APP_CONTRACT_CMDS_H
#define NX_APP_CONTRACT_CMDS_H

#include "app/project.h"

NX_MUST_USE nx_status nx_contract_lint_cmd(nx_project *p, const nx_args *a, nx_err *err);
NX_MUST_USE nx_status nx_contract_diff_cmd(nx_project *p, const nx_args *a, nx_err *err);

#endif
