/* New data files: their names, and the way from the engine's staged file into a change. */
#include <stdlib.h>

#include "base/rand.h"
#include "lake/lake_int.h"

nx_status nx__data_name(nx_arena *a, const nx__pair *pv, size_t n_pv, nx_str *ret, nx_err *err)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    char id[37];
    nx_rand_uuid(id);
    for (size_t i = 0; i < n_pv; i++) {
        nx_status st = nx__hive_escape(pv[i].key, &b);
        if (st == NX_OK)
            st = nx_buf_addc(&b, '=');
        if (st == NX_OK)
            st = pv[i].value.p == NULL ? nx_buf_adds(&b, "__HIVE_DEFAULT_PARTITION__")
                                       : nx__hive_escape(pv[i].value, &b);
        if (st == NX_OK)
            st = nx_buf_addc(&b, '/');
        if (st != NX_OK)
            return nx_nomem(err);
    }
    if (nx_buf_addf(&b, "part-%s.zstd.parquet", id) != NX_OK)
        return nx_nomem(err);
    const char *p = nx_arena_dup(a, nx_buf_str(&b));
    if (p == NULL)
        return nx_nomem(err);
    *ret = (nx_str){p, b.n};
    return NX_OK;
}

nx_status nx__data_stage(nx_table *t, nx_str rel, nx_buf *path, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx__table_object(t, rel, &name) != NX_OK)
        return nx_nomem(err);
    return nx_store_stage_path(t->store, name.p, path, err);
}

nx_status nx__data_publish(nx_table *t, nx__change *c, const nx_schema *schema, const nx__meta *m, nx__add add,
                           const nx_file_stats *st, nx_err *err)
{
    nx_buf name NX_BUF_AUTO;
    nx_buf_init(&name, 0);
    if (nx__table_object(t, add.path, &name) != NX_OK ||
        !nx_grow(&c->adds, &c->cap_adds, c->n_adds + 1, sizeof *c->adds))
        return nx_nomem(err);
    add.rows = st->rows;
    add.bytes = st->bytes;
    NX_TRY(nx__stats_json(schema, m, st, &c->arena, &add.stats, err));
    NX_TRY(nx_store_publish(t->store, name.p, err));
    if (add.rows == 0)
        return nx_store_delete(t->store, name.p, err);
    c->adds[c->n_adds++] = add;
    return NX_OK;
}
