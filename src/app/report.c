#include "app/report.h"

#include <stdio.h>

#include "app/print.h"

void nx_report_begin(nx_report *r, const nx_globals *g, const char *title)
{
    r->g = g;
    nx_buf_init(&r->b, 0);
    nx_jw_begin(&r->w, &r->b);
    nx_jw_obj(&r->w);
    if (!g->json && !g->quiet)
        printf("%s\n", title);
}

/* rows_added → rows added */
static void label(const char *name)
{
    int n = 0;
    printf("  ");
    for (; name[n] != '\0'; n++)
        putchar(name[n] == '_' ? ' ' : name[n]);
    printf("%*s", n < 22 ? 22 - n : 1, "");
}

void nx_report_i64(nx_report *r, const char *name, int64_t v)
{
    char text[32];
    nx_jw_key(&r->w, name);
    nx_jw_i64(&r->w, v);
    if (!r->g->json && !r->g->quiet) {
        label(name);
        printf("%16s\n", nx_print_count(v, text));
    }
}

void nx_report_f64(nx_report *r, const char *name, double v, const char *unit)
{
    nx_jw_key(&r->w, name);
    nx_jw_f64(&r->w, v);
    if (!r->g->json && !r->g->quiet) {
        label(name);
        printf("%16.2f %s\n", v, unit);
    }
}

void nx_report_str(nx_report *r, const char *name, const char *v)
{
    nx_jw_key(&r->w, name);
    nx_jw_cstr(&r->w, v);
    if (!r->g->json && !r->g->quiet && v != NULL) {
        label(name);
        printf("%16s\n", v);
    }
}

nx_jw *nx_report_json(nx_report *r, const char *name)
{
    nx_jw_key(&r->w, name);
    return &r->w;
}

nx_status nx_report_end(nx_report *r, nx_err *err)
{
    nx_jw_obj_end(&r->w);
    nx_status st = nx_jw_end(&r->w);
    if (st == NX_OK && r->g->json)
        puts(r->b.p);
    nx_buf_drop(&r->b);
    return st == NX_OK ? NX_OK : nx_fail(err, st, "could not make the report: %s", nx_status_text(st));
}
