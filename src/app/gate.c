#include "app/gate.h"

#include "base/clock.h"
#include "data/json.h"
#include "data/time.h"

static const char *gate_file(nx_project *p)
{
    return nx_arena_printf(&p->arena, "%s/gate.json", p->state);
}

typedef struct noting {
    nx_project *p;
    nx_jw *w;
} noting;

static nx_status note_table(void *ctx, const char *name, const char *folder, nx_err *err)
{
    (void)folder;
    noting *n = ctx;
    nx_table *t;
    nx_table_info i;
    NX_TRY(nx_table_open(n->p->lake, name, &t, err));
    NX_TRY(nx_table_info_get(t, &i, err));
    nx_jw_key(n->w, name);
    nx_jw_i64(n->w, i.version);
    return NX_OK;
}

nx_status nx_gate_note(nx_project *p, bool passed, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    char now[40];
    nx_time_format_us(nx_clock_wall() / 1000, now);
    nx_jw w;
    nx_jw_begin(&w, &b);
    nx_jw_obj(&w);
    nx_jw_key(&w, "passed");
    nx_jw_bool(&w, passed);
    nx_jw_key(&w, "checked_at");
    nx_jw_cstr(&w, now);
    nx_jw_key(&w, "versions");
    nx_jw_obj(&w);
    noting n = {p, &w};
    NX_TRY(nx_lake_each(p->lake, note_table, &n, err));
    nx_jw_obj_end(&w);
    nx_jw_obj_end(&w);
    const char *file = gate_file(p);
    if (nx_jw_end(&w) != NX_OK || file == NULL)
        return nx_nomem(err);
    NX_TRY(nx_dir_make(p->state, err));
    return nx_file_replace(file, nx_buf_str(&b), err);
}

static nx_status closed(nx_err *err, const char *hint)
{
    return nx_err_hint(err, NX_CHECK_FAILED, "%s", hint);
}

nx_status nx_gate_require(nx_project *p, const char *const *tables, nx_err *err)
{
    NX_BUF_AUTO nx_buf b;
    nx_buf_init(&b, 1 << 20);
    const char *file = gate_file(p);
    nx_val *v;
    if (file == NULL)
        return nx_nomem(err);
    nx_err why = {0};
    if (nx_file_read(file, &b, &why) != NX_OK || nx_json_parse(nx_buf_str(&b), NULL, &p->arena, &v, &why) != NX_OK) {
        nx_fail(err, NX_CHECK_FAILED, "gold has not been checked yet, so it is not published");
        return closed(err, "run: nexus check");
    }
    if (!nx_val_bool(nx_val_get(v, "passed"), false)) {
        nx_fail(err, NX_CHECK_FAILED, "the last checks failed (" NX_STR_FMT "), so gold is not published",
                NX_STR_ARG(nx_val_str(nx_val_get(v, "checked_at"), NX_STR("?"))));
        return closed(err, "run nexus check to see which; readers keep the release before");
    }
    for (; *tables != NULL; tables++) {
        nx_table *t;
        nx_table_info i;
        NX_TRY(nx_table_open(p->lake, *tables, &t, err));
        NX_TRY(nx_table_info_get(t, &i, err));
        int64_t checked = nx_val_i64(nx_val_get(nx_val_get(v, "versions"), *tables), -1);
        if (checked != i.version) {
            nx_fail(err, NX_CHECK_FAILED, "%s has version %lld, but the last checks saw %lld, so gold is not published",
                    *tables, (long long)i.version, (long long)checked);
            return closed(err, "run: nexus check");
        }
    }
    return NX_OK;
}
