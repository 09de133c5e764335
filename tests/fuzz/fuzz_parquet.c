/* libFuzzer target: any bytes as a schema and batches of it, written by our Parquet encoder, read back by the engine, compared value by
 * value. Bytes decide as long as there are some, then a generator seeded by them. The corpus (tests/fuzz/corpus/parquet) is replayed by
 * tests/unit/lake/test_fuzz_parquet.c, and tests/unit/lake/test_parquet.c makes batches of its own with what is here. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/rand.h"
#include "lake/parquet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* ------------------------------------------------------------------ decisions */

typedef struct source {
    const uint8_t *p;
    size_t n;
    nx_rand rand;
} source;

static uint64_t pick(source *s, uint64_t below)
{
    if (s->n == 0)
        return nx_rand_below(&s->rand, below);
    s->n--;
    return *s->p++ % below;
}

static void must(bool ok, const char *what, const nx_err *err)
{
    if (ok)
        return;
    fprintf(stderr, "fuzz_parquet: %s: %s\n", what, err == NULL ? "" : err->text);
    abort();
}

/* ------------------------------------------------------------------ schemas */

static void make_type(source *s, nx_arena *a, int depth, nx_type *t)
{
    *t = (nx_type){.kind = (nx_kind)pick(s, depth < 3 ? NX_STRUCT + 1 : NX_LIST)};
    if (t->kind == NX_DECIMAL) {
        t->precision = 1 + (int)pick(s, 38);
        t->scale = (int)pick(s, (uint64_t)t->precision + 1);
    }
    if (t->kind != NX_LIST && t->kind != NX_STRUCT)
        return;
    static const char *const names[] = {"element", "b", "c"};
    t->n_fields = t->kind == NX_LIST ? 1 : 1 + pick(s, 3);
    nx_field *f = NX_ARENA_ARRAY(a, nx_field, t->n_fields);
    must(f != NULL, "memory", NULL);
    for (size_t i = 0; i < t->n_fields; i++) {
        f[i] = (nx_field){.name = names[i], .nullable = true};
        make_type(s, a, depth + 1, &f[i].type);
    }
    t->fields = f;
}

static nx_schema make_schema(source *s, nx_arena *a)
{
    size_t n = 1 + pick(s, 6);
    nx_field *f = NX_ARENA_ARRAY(a, nx_field, n);
    must(f != NULL, "memory", NULL);
    for (size_t i = 0; i < n; i++) {
        f[i] = (nx_field){.name = nx_arena_printf(a, "c%zu", i), .nullable = true};
        make_type(s, a, 0, &f[i].type);
    }
    return (nx_schema){f, n};
}

/* ------------------------------------------------------------------ values */

/* How the values of a column come about. */
typedef struct habit {
    unsigned nulls; /* in 256 */
    enum { ALL_EQUAL, FEW, STEPS, ANY, EXTREMES, HABITS } kind;
    int64_t last;
} habit;

static habit make_habit(source *s)
{
    static const unsigned nulls[] = {0, 0, 1, 128, 255, 256};
    return (habit){.nulls = nulls[pick(s, NX_COUNT_OF(nulls))], .kind = (int)pick(s, HABITS)};
}

static int64_t make_int(source *s, habit *h)
{
    static const int64_t ends[] = {INT64_MIN, INT64_MAX, 0, -1, 1, INT32_MIN, INT32_MAX, (int64_t)1 << 32};
    switch (h->kind) {
    case ALL_EQUAL:
        return 7777777;
    case FEW:
        return (int64_t)nx_rand_below(&s->rand, 20) * 1000003 - 5000;
    case STEPS:
        return h->last += (int64_t)nx_rand_below(&s->rand, 1000) - 10;
    case ANY:
        return (int64_t)nx_rand_u64(&s->rand);
    default:
        return ends[nx_rand_below(&s->rand, NX_COUNT_OF(ends))];
    }
}

static __int128 make_decimal(source *s, habit *h, int precision)
{
    __int128 limit = 1, v = make_int(s, h);
    for (int i = 0; i < precision; i++)
        limit *= 10;
    if (h->kind == EXTREMES && (v & 1) != 0)
        return v < 0 ? 1 - limit : limit - 1;
    if (h->kind == ANY)
        v = v * (__int128)nx_rand_u64(&s->rand);
    return v % limit;
}

static double make_double(source *s, habit *h)
{
    static const double ends[] = {0.0, -0.0, 1e308, -1e308, 5e-324, 1.0 / 3};
    double v;
    uint64_t bits = nx_rand_u64(&s->rand);
    memcpy(&v, &bits, sizeof v);
    if (h->kind == ANY)
        return v;
    if (h->kind != EXTREMES)
        return (double)make_int(s, h) / 8;
    return bits % 9 == 0 ? __builtin_nan("") : bits % 9 == 1 ? __builtin_inf() : ends[bits % NX_COUNT_OF(ends)];
}

static nx_str make_text(source *s, habit *h, bool binary, char out[4000])
{
    size_t n = h->kind == ALL_EQUAL ? 3 : nx_rand_below(&s->rand, h->kind == EXTREMES ? 700 : 14), at = 0;
    if (h->kind == STEPS)
        return (nx_str){out, (size_t)snprintf(out, 4000, "part-%06lld", (long long)make_int(s, h))};
    while (at < n) {
        uint64_t r = nx_rand_u64(&s->rand);
        if (h->kind == ALL_EQUAL)
            out[at++] = 'q';
        else if (h->kind == FEW)
            out[at++] = (char)('A' + (r & 1));
        else if (binary)
            out[at++] = (char)r;
        else
            at += nx_utf8_put((r & 7) == 0 ? 0x10FFFF - (uint32_t)(r >> 8 & 3) : (uint32_t)(r >> 8) % 0xD800, out + at);
    }
    return (nx_str){out, at};
}

static nx_status add_value(source *s, nx_batch *b, nx_col *c, habit *h);

static nx_status add_list(source *s, nx_batch *b, nx_col *c, habit *h)
{
    size_t n = h->kind == ALL_EQUAL ? 1 : nx_rand_below(&s->rand, 5);
    for (size_t i = 0; i < n; i++)
        NX_TRY(add_value(s, b, &c->child[0], h));
    return nx_col_list_end(b, c);
}

static nx_status add_value(source *s, nx_batch *b, nx_col *c, habit *h)
{
    char text[4000];
    if (h->nulls > 0 && nx_rand_below(&s->rand, 256) < h->nulls)
        return nx_col_null(b, c);
    switch (c->type->kind) {
    case NX_BOOL:
        return nx_col_bool(b, c, (make_int(s, h) & 1) != 0);
    case NX_INT32:
        return nx_col_i32(b, c, (int32_t)make_int(s, h));
    case NX_DATE:
        return nx_col_i32(b, c, (int32_t)(make_int(s, h) % 1000000)); /* the engine's dates end somewhere */
    case NX_INT64:
        return nx_col_i64(b, c, make_int(s, h));
    case NX_TIMESTAMP:
        return nx_col_i64(b, c, make_int(s, h) / 4);
    case NX_DOUBLE:
        return nx_col_f64(b, c, make_double(s, h));
    case NX_DECIMAL:
        return c->type->precision > 18 ? nx_col_i128(b, c, make_decimal(s, h, c->type->precision))
                                       : nx_col_i64(b, c, (int64_t)make_decimal(s, h, c->type->precision));
    case NX_STRING:
    case NX_BINARY:
        return nx_col_str(b, c, make_text(s, h, c->type->kind == NX_BINARY, text));
    case NX_LIST:
        return add_list(s, b, c, h);
    default:
        for (size_t i = 0; i < c->n_children; i++)
            NX_TRY(add_value(s, b, &c->child[i], h));
        return nx_col_struct_end(b, c);
    }
}

static void fill(source *s, nx_batch *b, size_t n)
{
    for (size_t i = 0; i < b->schema->n_fields; i++) {
        habit h = make_habit(s);
        for (size_t row = 0; row < n; row++)
            must(add_value(s, b, &b->cols[i], &h) == NX_OK, "making a value", NULL);
    }
    for (size_t row = 0; row < n; row++)
        nx_batch_end_row(b);
}

/* ------------------------------------------------------------------ comparing */

static bool same_value(const nx_col *a, size_t i, const nx_col *b, size_t k)
{
    if (nx_col_is_null(a, i) || nx_col_is_null(b, k))
        return nx_col_is_null(a, i) && nx_col_is_null(b, k);
    size_t n, from;
    switch (a->type->kind) {
    case NX_STRING:
    case NX_BINARY:
        return nx_str_eq(nx_col_get_str(a, i), nx_col_get_str(b, k));
    case NX_LIST:
        n = a->off[i + 1] - a->off[i];
        from = b->off[k];
        if (n != b->off[k + 1] - from)
            return false;
        for (size_t e = 0; e < n; e++)
            if (!same_value(&a->child[0], a->off[i] + e, &b->child[0], from + e))
                return false;
        return true;
    case NX_STRUCT:
        for (size_t c = 0; c < a->n_children; c++)
            if (!same_value(&a->child[c], i, &b->child[c], k))
                return false;
        return true;
    default:
        n = a->type->kind == NX_BOOL                                 ? 1
            : a->type->kind == NX_INT32 || a->type->kind == NX_DATE  ? 4
            : a->type->kind == NX_DECIMAL && a->type->precision > 18 ? 16
                                                                     : 8;
        return memcmp((const char *)a->data + i * n, (const char *)b->data + k * n, n) == 0;
    }
}

/* Rows that were added together: of a batch those picked by index, or all. */
typedef struct part {
    nx_batch b;
    uint32_t *rows;
    size_t n;
} part;

typedef struct expected {
    const part *parts;
    size_t n, at, row;
} expected;

static nx_status compare(void *ctx, const nx_batch *b, nx_err *err)
{
    expected *x = ctx;
    for (size_t row = 0; row < b->n; row++, x->row++) {
        for (; x->at < x->n && x->row == x->parts[x->at].n; x->at++)
            x->row = 0;
        if (x->at == x->n)
            return nx_fail(err, NX_CORRUPT, "more rows than were written");
        const part *p = &x->parts[x->at];
        size_t want = p->rows == NULL ? x->row : p->rows[x->row];
        for (size_t i = 0; i < b->schema->n_fields; i++)
            if (!same_value(&p->b.cols[i], want, &b->cols[i], row))
                return nx_fail(err, NX_CORRUPT, "row %zu of part %zu differs in column %s", x->row, x->at,
                               b->schema->fields[i].name);
    }
    return NX_OK;
}

/* The rows of a file, in their order, are those of the parts. */
static nx_status compare_file(nx_session *s, const char *path, const part *parts, size_t n, nx_err *err)
{
    char sql[512];
    size_t all = 0;
    expected x = {.parts = parts, .n = n};
    snprintf(sql, sizeof sql, "SELECT * FROM read_parquet('%s', file_row_number=true) ORDER BY file_row_number", path);
    for (size_t i = 0; i < n; i++)
        all += parts[i].n;
    if (all > 0)
        NX_TRY(nx_session_fetch(s, nx_str_of(sql), parts[0].b.schema, 0, compare, &x, err));
    while (x.at < n && x.row == parts[x.at].n) {
        x.at++;
        x.row = 0;
    }
    return x.at == n || all == 0 ? NX_OK : nx_fail(err, NX_CORRUPT, "rows are missing from part %zu on", x.at);
}

/* ------------------------------------------------------------------ the target */

typedef struct target {
    char dir[32], path[64]; /* a name of its own for each file: the engine remembers what it read */
    int files;
    nx_engine *engine;
    nx_session *session;
    nx_pq_encoder *encoder;
} target;

static target T = {.dir = "/tmp/nexus-pq-XXXXXX"};

static void close_target(void)
{
    nx_pq_encoder_drop(T.encoder);
    nx_session_close(T.session);
    nx_engine_close(T.engine);
    (void)!nx_dir_remove(T.dir, NULL);
}

static void open_target(void)
{
    nx_err err = {0};
    if (T.engine != NULL)
        return;
    nx_engine_opts o = {.memory_bytes = (uint64_t)256 << 20, .threads = 1};
    must(mkdtemp(T.dir) != NULL, "a temporary folder", NULL);
    must(nx_engine_open(&o, &T.engine, &err) == NX_OK && nx_session_open(T.engine, &T.session, &err) == NX_OK &&
             nx_pq_encoder_new(0, &T.encoder, &err) == NX_OK,
         "opening", &err);
    atexit(close_target);
}

/* Some rows of a new batch to the file. */
static void add_part(source *s, nx_pq_file *f, const nx_schema *schema, size_t rows_max, part *p)
{
    nx_err err = {0};
    must(nx_batch_init(&p->b, schema, 0, 0) == NX_OK, "memory", NULL);
    fill(s, &p->b, nx_rand_below(&s->rand, rows_max) + (rows_max > 1));
    if (pick(s, 4) == 0) { /* taken back */
        must(nx_pq_add(f, T.encoder, &p->b, NULL, 0, &err) == NX_OK, "adding rows", &err);
        must(nx_pq_rewind(f, &err) == NX_OK, "taking rows back", &err);
    }
    p->rows = pick(s, 2) == 0 ? NULL : calloc(p->b.n + 1, sizeof *p->rows);
    p->n = p->rows == NULL ? p->b.n : 0;
    for (size_t i = 0; i < p->b.n && p->rows != NULL; i++)
        if (nx_rand_below(&s->rand, 3) > 0)
            p->rows[p->n++] = (uint32_t)i;
    must(nx_pq_add(f, T.encoder, &p->b, p->rows, p->n, &err) == NX_OK, "adding rows", &err);
    nx_pq_keep(f);
}

static void run(source *s, size_t rows_max)
{
    nx_err err = {0};
    nx_arena a NX_ARENA_AUTO;
    nx_arena_init(&a, 0);
    nx_schema schema = make_schema(s, &a);
    part parts[3] = {0};
    nx_pq_file *f = NULL;
    nx_file_stats st;
    int64_t rows = 0;
    snprintf(T.path, sizeof T.path, "%s/%d.parquet", T.dir, T.files++);
    must(nx_pq_open(T.path, &schema, NULL, 0, "nexus version 0 (build fuzz)", &f, &err) == NX_OK, "opening", &err);
    size_t n = pick(s, NX_COUNT_OF(parts) + 1);
    for (size_t i = 0; i < n; i++) {
        add_part(s, f, &schema, rows_max, &parts[i]);
        rows += (int64_t)parts[i].n;
    }
    must(nx_pq_end(f, &a, &st, &err) == NX_OK, "ending", &err);
    must(st.rows == rows, "the number of rows", NULL);
    nx_pq_close(f);
    must(compare_file(T.session, T.path, parts, n, &err) == NX_OK, "reading back", &err);
    unlink(T.path);
    for (size_t i = 0; i < n; i++) {
        nx_batch_drop(&parts[i].b);
        free(parts[i].rows);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    source s = {.p = data, .n = n};
    open_target();
    nx_rand_seed(&s.rand, nx_hash64(data, n, 0));
    run(&s, 1 + pick(&s, 256) * (pick(&s, 8) == 0 ? 16 : 1));
    return 0;
}
