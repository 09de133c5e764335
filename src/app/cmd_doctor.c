/* nexus doctor: is everything there that the commands need? */
#include <stdarg.h>
#include <stdio.h>

#include "app/cmds.h"
#include "app/doctor.h"
#include "base/log.h"

static const char *const names[] = {
    [NX_FOUND_OK] = "ok", [NX_FOUND_WARN] = "warn", [NX_FOUND_FAIL] = "FAIL", [NX_FOUND_SKIP] = "-"};
static const char *const json_names[] = {
    [NX_FOUND_OK] = "ok", [NX_FOUND_WARN] = "warn", [NX_FOUND_FAIL] = "fail", [NX_FOUND_SKIP] = "skipped"};

void nx__doctor_say(nx_doctor *d, nx_finding f, const char *what, const char *text, const char *hint)
{
    d->warned += f == NX_FOUND_WARN;
    d->failed += f == NX_FOUND_FAIL;
    nx_jw_obj(d->w);
    nx_jw_key(d->w, "check");
    nx_jw_cstr(d->w, what);
    nx_jw_key(d->w, "state");
    nx_jw_cstr(d->w, json_names[f]);
    nx_jw_key(d->w, "message");
    nx_jw_cstr(d->w, text);
    if (hint != NULL && hint[0] != '\0') {
        nx_jw_key(d->w, "hint");
        nx_jw_cstr(d->w, hint);
    }
    nx_jw_obj_end(d->w);
    if (d->g->json || (d->g->quiet && (f == NX_FOUND_OK || f == NX_FOUND_SKIP)))
        return;
    printf("%-5s %-16s %s\n", names[f], what, text);
    if (hint != NULL && hint[0] != '\0')
        printf("%-5s %-16s %s\n", "", "", hint);
    fflush(stdout); /* the next one may take a while */
}

void nx__doctor_sayf(nx_doctor *d, nx_finding f, const char *what, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    nx__doctor_say(d, f, what, text, NULL);
}

void nx__doctor_say_err(nx_doctor *d, nx_finding f, const char *what, nx_err *err)
{
    nx_log_scrub(err->text, sizeof err->text);
    nx_log_scrub(err->hint, sizeof err->hint);
    nx__doctor_say(d, f, what, err->text, err->hint);
}

static void look(nx_doctor *d)
{
    nx_err err = {0};
    if (nx_project_open(d->g, NX_NEED_CONFIG, &d->p, &err) != NX_OK) {
        nx__doctor_say_err(d, NX_FOUND_FAIL, "configuration", &err);
        nx__doctor_say(d, NX_FOUND_SKIP, "all else", "needs a configuration that can be read", NULL);
        return;
    }
    const char *file = d->g->config != NULL ? d->g->config : nx_project_path(&d->p, "nexus.yml");
    if (file != NULL && nx_file_exists(file))
        nx__doctor_say(d, NX_FOUND_OK, "configuration", file, NULL);
    else
        nx__doctor_say(d, NX_FOUND_OK, "configuration", "there is no nexus.yml here: defaults", "nexus init makes one");
    nx__doctor_folders(d);
    nx__doctor_state(d);
    nx__doctor_lake(d);
    nx__doctor_postgres(d);
    nx__doctor_vendors(d);
}

nx_status nx_cmd_doctor(const nx_globals *g, nx_args *a, nx_err *err)
{
    (void)a;
    nx_doctor d = {.g = g, .p = {.lock = {.fd = -1}}};
    nx_report_begin(&d.rep, g, "Looking at the project and what it needs");
    d.w = nx_report_json(&d.rep, "checks");
    nx_jw_arr(d.w);
    look(&d);
    nx_jw_arr_end(d.w);
    nx_project_close(&d.p);
    if (!g->json && !g->quiet)
        printf("%s\n", d.failed > 0   ? "Something is wrong."
                       : d.warned > 0 ? "It works; see the warnings."
                                      : "All is well.");
    nx_jw *w = nx_report_json(&d.rep, "ok");
    nx_jw_bool(w, d.failed == 0);
    NX_TRY(nx_report_end(&d.rep, err));
    return d.failed == 0 ? NX_OK : NX_CHECK_FAILED; /* the lines told which */
}
