/* app/contract_cmds.h - the verbs of nexus contract that have a file of their own; cmd_contract.c calls them. */
#ifndef NX_APP_CONTRACT_CMDS_H
#define NX_APP_CONTRACT_CMDS_H

#include "app/project.h"

/* The contract of a table, of p->contracts, which are loaded; NX_NOT_FOUND names the nearest. */
NX_MUST_USE nx_status nx_contract_named(nx_project *p, const char *table, const nx_contract **ret, nx_err *err);

NX_MUST_USE nx_status nx_contract_lint_cmd(nx_project *p, const nx_args *a, nx_err *err);
NX_MUST_USE nx_status nx_contract_diff_cmd(nx_project *p, const nx_args *a, nx_err *err);
NX_MUST_USE nx_status nx_contract_export_cmd(nx_project *p, const nx_args *a, nx_err *err);
NX_MUST_USE nx_status nx_contract_test_cmd(nx_project *p, const nx_args *a, nx_err *err);

#endif
