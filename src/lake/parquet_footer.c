/* FileMetaData: the schema as a flat list of nodes, the row groups, who wrote it (parquet.thrift). */
#include "lake/parquet_int.h"

enum { OPTIONAL = 1, REPEATED = 2 };
/* ConvertedType, for readers from before LogicalType */
enum { CONV_UTF8 = 0, CONV_LIST = 3, CONV_DECIMAL = 5, CONV_DATE = 6, CONV_TIMESTAMP_MICROS = 10 };
/* fields of union LogicalType */
enum { LOGICAL_STRING = 1, LOGICAL_LIST = 3, LOGICAL_DECIMAL = 5, LOGICAL_DATE = 6, LOGICAL_TIMESTAMP = 8 };

/* A group's node, repetition < 0: the root. */
static void group_node(nx__th *t, const char *name, int repetition, size_t children, bool list)
{
    nx__th_elem_struct(t);
    if (repetition >= 0)
        nx__th_i32(t, 3, repetition);
    nx__th_bin(t, 4, nx_str_of(name));
    nx__th_i32(t, 5, (int32_t)children);
    if (list) {
        nx__th_i32(t, 6, CONV_LIST);
        nx__th_struct(t, 10);
        nx__th_struct(t, LOGICAL_LIST);
        nx__th_close(t);
        nx__th_close(t);
    }
    nx__th_close(t);
}

static int converted(const nx_type *t)
{
    switch (t->kind) {
    case NX_STRING:
        return CONV_UTF8;
    case NX_DECIMAL:
        return CONV_DECIMAL;
    case NX_DATE:
        return CONV_DATE;
    case NX_TIMESTAMP:
        return CONV_TIMESTAMP_MICROS;
    default:
        return -1;
    }
}

static void logical(nx__th *t, const nx_type *type)
{
    nx__th_struct(t, 10);
    if (type->kind == NX_DECIMAL) {
        nx__th_struct(t, LOGICAL_DECIMAL);
        nx__th_i32(t, 1, type->scale);
        nx__th_i32(t, 2, type->precision);
    } else if (type->kind == NX_TIMESTAMP) {
        nx__th_struct(t, LOGICAL_TIMESTAMP);
        nx__th_bool(t, 1, true); /* isAdjustedToUTC */
        nx__th_struct(t, 2);
        nx__th_struct(t, 2); /* MICROS */
        nx__th_close(t);
        nx__th_close(t);
    } else {
        nx__th_struct(t, type->kind == NX_DATE ? LOGICAL_DATE : LOGICAL_STRING);
    }
    nx__th_close(t);
    nx__th_close(t);
}

static void leaf_node(nx__th *t, const char *name, const nx_type *type)
{
    nx__pq_leaf leaf;
    nx__pq_physical(type, &leaf);
    int conv = converted(type);
    nx__th_elem_struct(t);
    nx__th_i32(t, 1, leaf.phys);
    if (leaf.phys == NX__PQ_FIXED)
        nx__th_i32(t, 2, leaf.width);
    nx__th_i32(t, 3, OPTIONAL);
    nx__th_bin(t, 4, nx_str_of(name));
    if (conv >= 0)
        nx__th_i32(t, 6, conv);
    if (type->kind == NX_DECIMAL) {
        nx__th_i32(t, 7, type->scale);
        nx__th_i32(t, 8, type->precision);
    }
    if (conv >= 0)
        logical(t, type);
    nx__th_close(t);
}

static void node(nx__th *t, const char *name, const nx_type *type)
{
    if (type->kind == NX_LIST) {
        group_node(t, name, OPTIONAL, 1, true);
        group_node(t, "list", REPEATED, 1, false);
        node(t, "element", &type->fields[0].type);
    } else if (type->kind == NX_STRUCT) {
        group_node(t, name, OPTIONAL, type->n_fields, false);
        for (size_t i = 0; i < type->n_fields; i++)
            node(t, type->fields[i].name, &type->fields[i].type);
    } else {
        leaf_node(t, name, type);
    }
}

static size_t count_nodes(const nx_type *type)
{
    size_t n = type->kind == NX_LIST ? 2 : 1;
    for (size_t i = 0; (type->kind == NX_LIST || type->kind == NX_STRUCT) && i < type->n_fields; i++)
        n += count_nodes(&type->fields[i].type);
    return n;
}

static void schema(const nx_pq_file *f, nx__th *t)
{
    size_t nodes = 1, top = 0;
    for (size_t i = 0; i < f->schema->n_fields; i++)
        if (!f->skip[i]) {
            nodes += count_nodes(&f->schema->fields[i].type);
            top++;
        }
    nx__th_list(t, 2, NX__TH_STRUCT, nodes);
    group_node(t, "schema", -1, top, false);
    for (size_t i = 0; i < f->schema->n_fields; i++)
        if (!f->skip[i])
            node(t, f->schema->fields[i].name, &f->schema->fields[i].type);
}

nx_status nx__pq_footer(const nx_pq_file *f, nx_buf *b)
{
    size_t at = b->n;
    nx__th t;
    nx__th_begin(&t, b);
    nx__th_i32(&t, 1, 1); /* the version that readers of data page 1 know */
    schema(f, &t);
    nx__th_i64(&t, 3, f->kept.rows);
    nx__th_list(&t, 4, NX__TH_STRUCT, (size_t)f->kept.n_groups);
    nx__th_elem_raw(&t, (nx_str){f->groups.n == 0 ? "" : f->groups.p, f->kept.groups_n});
    nx__th_bin(&t, 6, nx_str_of(f->created_by));
    nx__th_list(&t, 7, NX__TH_STRUCT, f->n_leaves);
    for (size_t i = 0; i < f->n_leaves; i++) {
        nx__th_elem_struct(&t);
        nx__th_struct(&t, 1); /* TYPE_ORDER: bounds follow the type's own order */
        nx__th_close(&t);
        nx__th_close(&t);
    }
    NX_TRY(nx__th_end(&t));
    if (b->n - at > UINT32_MAX)
        return NX_LIMIT;
    uint32_t len = (uint32_t)(b->n - at);
    NX_TRY(nx_buf_add(b, (nx_str){(const char *)&len, sizeof len}));
    return nx_buf_adds(b, NX__PQ_MAGIC);
}

nx_status nx__pq_group(nx_buf *groups, size_t n, nx_str chunks, int64_t bytes, int64_t from, int64_t to, int64_t rows,
                       int32_t ordinal)
{
    nx__th t;
    nx__th_begin(&t, groups);
    nx__th_list(&t, 1, NX__TH_STRUCT, n);
    nx__th_elem_raw(&t, chunks);
    nx__th_i64(&t, 2, bytes);
    nx__th_i64(&t, 3, rows);
    nx__th_i64(&t, 5, from);
    nx__th_i64(&t, 6, to - from);
    if (ordinal <= INT16_MAX)
        nx__th_i16(&t, 7, (int16_t)ordinal);
    return nx__th_end(&t);
}
