/* libFuzzer target: any bytes as the commits of a Delta table, up to the SQL text of its scan. Nothing in a log may
 * lead out of the table's folder; what is taken must survive being copied. The corpus (tests/fuzz/corpus/delta_log)
 * is replayed by tests/unit/lake/test_fuzz_delta_log.c. */
#include <stdlib.h>

#include "lake/lake_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static nx_status on_line(void *ctx, const nx_val *line, nx_err *err)
{
    return nx__snap_apply(ctx, line, NX_STR("/lake/t"), err);
}

static void try_scan(nx_table *t, const nx__snap *s)
{
    nx_err err = {0};
    nx__scan sc = {.t = t, .meta = s->meta, .with_file = true};
    nx__file **files = NULL;
    nx_buf sql NX_BUF_AUTO;
    nx_buf_init(&sql, 1 << 20);
    must(nx__snap_files(s, &files, &sc.n_files) == NX_OK);
    sc.files = files;
    nx_status st = nx__scan_sql(&sc, &sql, &err);
    must(st == NX_OK || err.text[0] != '\0');
    for (size_t i = 0; st == NX_OK && i < sc.n_files; i++) {
        nx_buf path NX_BUF_AUTO;
        nx_buf_init(&path, 1 << 16);
        must(nx__file_local(t, files[i], &path, &err) == NX_OK);
        must(nx_str_starts(nx_buf_str(&path), NX_STR("/lake/t/")) &&
             nx_str_find(nx_buf_str(&path), NX_STR("/../"), 0) == SIZE_MAX);
    }
    free(files);
}

static void try_copy(const nx__snap *s)
{
    nx__snap *c NX__SNAP_AUTO = NULL;
    must(nx__snap_clone(s, &c) == NX_OK);
    must(nx_map_count(&c->files) == nx_map_count(&s->files) && nx_map_count(&c->tombs) == nx_map_count(&s->tombs) &&
         nx_map_count(&c->txns) == nx_map_count(&s->txns) && nx_map_count(&c->domains) == nx_map_count(&s->domains));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nx_err err = {0};
    nx_table t = {.name = "fuzz", .folder = "", .root = "/lake/t"};
    nx__snap *s NX__SNAP_AUTO = NULL;
    must(nx_store_open("/lake/t", &t.store, &err) == NX_OK && nx__snap_new(&s) == NX_OK);
    nx_status st = nx__ndjson_each((nx_str){(const char *)data, size}, on_line, s, &err);
    must(st == NX_OK || err.text[0] != '\0');
    if (st == NX_OK && s->proto.known && s->meta != NULL) {
        if (nx__proto_check_read(&s->proto, t.name, &err) == NX_OK)
            try_scan(&t, s);
        st = nx__proto_check_write(&s->proto, s->meta, t.name, &err);
        must(st == NX_OK || st == NX_UNSUPPORTED);
        nx__snap_prune(s);
    }
    try_copy(s);
    nx_store_close(t.store);
    return 0;
}
