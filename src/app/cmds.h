/* app/cmds.h - the commands: a function each, and an option table where they have options; commands.c gathers them. */
#ifndef NX_APP_CMDS_H
#define NX_APP_CMDS_H

#include "app/cli.h"

nx_status nx_cmd_backfill(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_check(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_completions(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_contract(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_dbt(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_demo(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_doctor(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_enrich(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_help(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_init(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_lake(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_publish(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_quarantine(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_replay(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_sim(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_sql(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_stream(const nx_globals *g, nx_args *a, nx_err *err);
nx_status nx_cmd_version(const nx_globals *g, nx_args *a, nx_err *err);

extern const nx_opt_def nx_opts_backfill[];
extern const nx_opt_def nx_opts_check[];
extern const nx_opt_def nx_opts_contract[];
extern const nx_opt_def nx_opts_dbt[];
extern const nx_opt_def nx_opts_demo[];
extern const nx_opt_def nx_opts_lake[];
extern const nx_opt_def nx_opts_publish[];
extern const nx_opt_def nx_opts_quarantine[];
extern const nx_opt_def nx_opts_replay[];
extern const nx_opt_def nx_opts_sim[];
extern const nx_opt_def nx_opts_sql[];
extern const nx_opt_def nx_opts_stream[];

#endif
