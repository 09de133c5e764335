/* Statistics of a data file as Delta's JSON (facts: delta.md section 6). A wrong bound loses rows in silence, a
 * missing one only costs time: what cannot be said exactly, or safely widened, is left out. */
#include <stdlib.h>

#include "data/decimal.h"
#include "data/time.h"
#include "lake/lake_int.h"

enum { INDEXED_DEFAULT = 32, PREFIX = 32, PREFIX_MAX = 64 };
#define EXACT_LIMIT ((__int128)1000000000000000) /* 15 digits */

typedef enum part { PART_MIN, PART_MAX, PART_NULLS } part;

typedef struct ctx {
    const nx__meta *meta;
    const nx_file_stats *st;
    nx_str columns;  /* delta.dataSkippingStatsColumns; p NULL: by count */
    int64_t indexed; /* how many leaves; -1 all */
    int64_t seen;
} ctx;

static const nx_col_stats *find(const ctx *c, nx_str path)
{
    for (size_t i = 0; i < c->st->n_cols; i++)
        if (nx_str_is(path, c->st->cols[i].path))
            return &c->st->cols[i];
    return NULL;
}

/* The list names the column itself or a struct around it; names may stand in back-ticks. */
static bool listed(nx_str columns, nx_str path)
{
    nx_str rest = columns, one;
    while (nx_str_split(&rest, ',', &one)) {
        one = nx_str_trim(one);
        if (one.n >= 2 && one.p[0] == '`' && one.p[one.n - 1] == '`')
            one = nx_str_sub(one, 1, one.n - 1);
        if (nx_str_eq_nocase(one, path))
            return true;
        if (one.n > 0 && path.n > one.n && path.p[one.n] == '.' && nx_str_eq_nocase(one, nx_str_sub(path, 0, one.n)))
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ one bound */

static bool is_number(nx_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (strchr("0123456789+-.eE", s.p[i]) == NULL)
            return false;
    return s.n > 0;
}

/* Others read a decimal bound as a double, exact to 15 digits only: a longer one is moved outwards, two steps of its 15th digit at most. It is
 * not left out: delta-rs takes a missing bound for a null one and skips the file. */
static nx_status decimal_bound(const nx_type *type, nx_str text, part p, nx_buf *b)
{
    __int128 v, step = 1, limit = 1;
    char out[48];
    if (nx_dec_parse(text, type->precision, type->scale, &v) != NX_DEC_OK)
        return NX_NOTHING;
    while ((v < 0 ? -v : v) / step >= EXACT_LIMIT)
        step *= 10;
    if (step == 1)
        return nx_buf_add(b, text);
    __int128 q = v / step, rest = v % step;
    if (p == PART_MIN)
        q -= rest < 0 ? 2 : 1;
    else
        q += rest > 0 ? 2 : 1;
    for (int i = 0; i < type->precision; i++)
        limit *= 10;
    __int128 most = (limit - 1) / step;
    if (q > most || q < -most)
        return NX_NOTHING; /* no decimal of the type is that far out */
    size_t n = nx_dec_format_short(q * step, type->scale, out);
    return nx_buf_add(b, (nx_str){out, n});
}

static nx_status number_bound(nx_str text, nx_buf *b)
{
    return is_number(text) ? nx_buf_add(b, text) : NX_NOTHING; /* nan, inf */
}

/* "2024-01-02 03:04:05.123456+00" to milliseconds, down for a minimum, up for a maximum. */
static nx_status time_bound(nx_str text, part p, nx_buf *b)
{
    nx_buf iso NX_BUF_AUTO;
    nx_buf_init(&iso, 128);
    int64_t ns;
    if (nx_str_ends(text, NX_STR("+00")))
        text.n -= 3;
    NX_TRY(nx_buf_add(&iso, text));
    NX_TRY(nx_buf_addc(&iso, 'Z'));
    if (!nx_time_parse_ns(nx_buf_str(&iso), &ns))
        return NX_NOTHING;
    int64_t ms = ns / 1000000, rest = ns % 1000000;
    if (rest < 0 && p == PART_MIN)
        ms--;
    if (rest > 0 && p == PART_MAX)
        ms++;
    int64_t s = ms / 1000, f = ms % 1000;
    if (f < 0) {
        s--;
        f += 1000;
    }
    if (s > INT64_MAX / 1000000000 - 1 || s < INT64_MIN / 1000000000 + 1)
        return NX_NOTHING;
    char out[40];
    size_t n = nx_time_format_ns(s * 1000000000, out); /* "...:05Z" */
    return nx_buf_addf(b, "\"%.*s.%03dZ\"", (int)(n - 1), out, (int)f);
}

/* Spark's rule: the first 32 characters (UTF-16 units); a cut maximum gets a last character not below what was cut
 * off. */
static nx_status text_bound(nx_str text, part p, nx_buf *b)
{
    size_t i = 0, units = 0;
    while (i < text.n && units < PREFIX) {
        uint32_t cp = nx_utf8_get(text, &i);
        units += cp > 0xFFFF ? 2 : 1;
    }
    if (i == text.n || p == PART_MIN)
        return nx_buf_quote(b, nx_str_sub(text, 0, i));
    size_t next = i;
    uint32_t cut = nx_utf8_get(text, &next);
    while (cut == 0x10FFFF) {
        i = next;
        if (i == text.n)
            return nx_buf_quote(b, text);
        if (++units > PREFIX_MAX)
            return NX_NOTHING;
        cut = nx_utf8_get(text, &next);
    }
    nx_buf s NX_BUF_AUTO;
    nx_buf_init(&s, 0);
    char tie[4];
    size_t n = nx_utf8_put(cut < 0x7F ? 0x7F : 0x10FFFF, tie);
    NX_TRY(nx_buf_add(&s, nx_str_sub(text, 0, i)));
    NX_TRY(nx_buf_add(&s, (nx_str){tie, n}));
    return nx_buf_quote(b, nx_buf_str(&s));
}

/* NX_NOTHING: no bound that is safe to write. */
static nx_status bound(const nx_type *type, nx_str text, part p, nx_buf *b)
{
    int32_t days;
    switch (type->kind) {
    case NX_INT32:
    case NX_INT64:
    case NX_DOUBLE:
        return number_bound(text, b);
    case NX_DECIMAL:
        return decimal_bound(type, text, p, b);
    case NX_STRING:
        return text_bound(text, p, b);
    case NX_DATE:
        return nx_date_parse(text, &days) ? nx_buf_addf(b, "\"" NX_STR_FMT "\"", NX_STR_ARG(text)) : NX_NOTHING;
    case NX_TIMESTAMP:
        return time_bound(text, p, b);
    default:
        return NX_NOTHING;
    }
}

/* ------------------------------------------------------------------ the tree */

static nx_status leaf(const ctx *c, const nx_type *type, nx_str path, part p, nx_buf *b)
{
    const nx_col_stats *s = find(c, path);
    if (s == NULL)
        return NX_NOTHING;
    if (p == PART_NULLS)
        return s->nulls < 0 ? NX_NOTHING : nx_buf_addf(b, "%lld", (long long)s->nulls);
    if (!s->has_minmax || s->min == NULL || s->max == NULL)
        return NX_NOTHING;
    /* both ends or none */
    nx_buf other NX_BUF_AUTO;
    nx_buf_init(&other, 0);
    NX_TRY(bound(type, nx_str_of(p == PART_MIN ? s->max : s->min), p == PART_MIN ? PART_MAX : PART_MIN, &other));
    return bound(type, nx_str_of(p == PART_MIN ? s->min : s->max), p, b);
}

static nx_status tree(ctx *c, const nx_field *fields, size_t n, nx_str prefix, part p, nx_buf *b);

/* NX_NOTHING: this field adds nothing. */
static nx_status member(ctx *c, const nx_field *f, nx_str prefix, part p, nx_buf *b)
{
    nx_buf path NX_BUF_AUTO;
    nx_buf_init(&path, 0);
    NX_TRY(nx_buf_add(&path, prefix));
    NX_TRY(nx_buf_adds(&path, f->name));
    if (f->type.kind == NX_STRUCT) {
        NX_TRY(nx_buf_addc(&path, '.'));
        return tree(c, f->type.fields, f->type.n_fields, nx_buf_str(&path), p, b);
    }
    int64_t at = c->seen++;
    if (c->columns.p != NULL ? !listed(c->columns, nx_buf_str(&path)) : c->indexed >= 0 && at >= c->indexed)
        return NX_NOTHING;
    return leaf(c, &f->type, nx_buf_str(&path), p, b);
}

static nx_status tree(ctx *c, const nx_field *fields, size_t n, nx_str prefix, part p, nx_buf *b)
{
    bool any = false;
    NX_TRY(nx_buf_addc(b, '{'));
    for (size_t i = 0; i < n; i++) {
        if (prefix.n == 0 && nx__meta_is_part(c->meta, nx_str_of(fields[i].name)))
            continue;
        nx_buf value NX_BUF_AUTO;
        nx_buf_init(&value, 0);
        nx_status st = member(c, &fields[i], prefix, p, &value);
        if (st == NX_NOTHING)
            continue;
        NX_TRY(st);
        if (any)
            NX_TRY(nx_buf_addc(b, ','));
        NX_TRY(nx_buf_quote(b, nx_str_of(fields[i].name)));
        NX_TRY(nx_buf_addc(b, ':'));
        NX_TRY(nx_buf_add(b, nx_buf_str(&value)));
        any = true;
    }
    NX_TRY(nx_buf_addc(b, '}'));
    return any || prefix.n == 0 ? NX_OK : NX_NOTHING;
}

static nx_status write_stats(ctx *c, const nx_schema *schema, nx_buf *b)
{
    static const char *const names[] = {"minValues", "maxValues", "nullCount"};
    NX_TRY(nx_buf_addf(b, "{\"numRecords\":%lld", (long long)c->st->rows));
    for (part p = PART_MIN; p <= PART_NULLS; p++) {
        NX_TRY(nx_buf_addf(b, ",\"%s\":", names[p]));
        c->seen = 0;
        NX_TRY(tree(c, schema->fields, schema->n_fields, NX_STR(""), p, b));
    }
    return nx_buf_addc(b, '}');
}

nx_status nx__stats_json(const nx_schema *schema, const nx__meta *m, const nx_file_stats *st, nx_arena *a, nx_str *ret,
                         nx_err *err)
{
    ctx c = {.meta = m,
             .st = st,
             .columns = nx__meta_config(m, "delta.dataSkippingStatsColumns"),
             .indexed = INDEXED_DEFAULT};
    nx_str n = nx__meta_config(m, "delta.dataSkippingNumIndexedCols");
    if (n.p != NULL && !nx_str_to_i64(n, &c.indexed))
        c.indexed = INDEXED_DEFAULT;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    if (write_stats(&c, schema, &b) != NX_OK)
        return nx_nomem(err);
    const char *p = nx_arena_dup(a, nx_buf_str(&b));
    if (p == NULL)
        return nx_nomem(err);
    *ret = (nx_str){p, b.n};
    return NX_OK;
}
