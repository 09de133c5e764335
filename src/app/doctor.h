/* app/doctor.h - parts of nexus doctor: what it looked at, one line each. cmd_doctor.c shows and counts, doctor_local.c looks at this
 * machine, doctor_remote.c at Postgres and the vendors. Nothing is changed; probes that are written are removed.
 * Thread   One. */
#ifndef NX_APP_DOCTOR_H
#define NX_APP_DOCTOR_H

#include "app/project.h"
#include "app/report.h"

typedef enum nx_finding { NX_FOUND_OK, NX_FOUND_WARN, NX_FOUND_FAIL, NX_FOUND_SKIP } nx_finding;

typedef struct nx_doctor {
    const nx_globals *g;
    nx_project p; /* open as far as what was found well allows */
    nx_report rep;
    nx_jw *w; /* the array of findings */
    int warned, failed;
} nx_doctor;

/* One line; hint may be NULL. */
void nx__doctor_say(nx_doctor *d, nx_finding f, const char *what, const char *text, const char *hint);
NX_PRINTF(4, 5) void nx__doctor_sayf(nx_doctor *d, nx_finding f, const char *what, const char *fmt, ...);
/* What an error says, as a finding. */
void nx__doctor_say_err(nx_doctor *d, nx_finding f, const char *what, nx_err *err);

void nx__doctor_folders(nx_doctor *d); /* contracts, dbt, quality */
void nx__doctor_state(nx_doctor *d);   /* state folder and its locks */
void nx__doctor_lake(nx_doctor *d);    /* tables that can be read, a folder that can be written, room on the disk */
void nx__doctor_postgres(nx_doctor *d);
void nx__doctor_vendors(nx_doctor *d);

#endif
