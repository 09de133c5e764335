/* The protocol action: what a table asks of its readers and writers. What is not understood is refused by its name. */
#include <stdio.h>
#include <stdlib.h>

#include "lake/lake_int.h"

static const char *const read_features[] = {
    "columnMapping", "deletionVectors",      "timestampNtz",        "v2Checkpoint",
    "typeWidening",  "typeWidening-preview", "vacuumProtocolCheck", NULL};
/* Written right without doing anything more than what every commit of ours does. */
static const char *const write_features[] = {"appendOnly", "invariants", "vacuumProtocolCheck", NULL};

static nx_status join(const nx_val *list, nx_str *ret)
{
    *ret = (nx_str){NULL, 0};
    if (list == NULL || list->kind != NX_VAL_ARR)
        return NX_OK;
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 1 << 20);
    for (size_t i = 0; i < list->n; i++) {
        if (i > 0)
            NX_TRY(nx_buf_addc(&b, ','));
        NX_TRY(nx_buf_add(&b, nx_val_str(&list->items[i], NX_STR("?"))));
    }
    size_t n = b.n;
    char *p = nx_buf_take(&b);
    if (p == NULL)
        return NX_NOMEM;
    *ret = (nx_str){p, n};
    return NX_OK;
}

nx_status nx__proto_set(nx__proto *p, const nx_val *action, nx_err *err)
{
    nx__proto n = {.known = true,
                   .reader = nx_val_i64(nx_val_get(action, "minReaderVersion"), -1),
                   .writer = nx_val_i64(nx_val_get(action, "minWriterVersion"), -1)};
    if (n.reader < 1 || n.writer < 1)
        return nx_fail(err, NX_CORRUPT, "a protocol action has no minReaderVersion or minWriterVersion");
    nx_status st = join(nx_val_get(action, "readerFeatures"), &n.reader_features);
    if (st == NX_OK)
        st = join(nx_val_get(action, "writerFeatures"), &n.writer_features);
    if (st != NX_OK) {
        nx__proto_drop(&n);
        return nx_nomem(err);
    }
    nx__proto_drop(p);
    *p = n;
    return NX_OK;
}

nx_status nx__proto_copy(nx__proto *to, const nx__proto *from)
{
    nx__proto n = *from;
    n.reader_features.p = from->reader_features.p == NULL ? NULL : nx_str_dup(from->reader_features);
    n.writer_features.p = from->writer_features.p == NULL ? NULL : nx_str_dup(from->writer_features);
    if ((from->reader_features.p != NULL && n.reader_features.p == NULL) ||
        (from->writer_features.p != NULL && n.writer_features.p == NULL)) {
        nx__proto_drop(&n);
        return NX_NOMEM;
    }
    *to = n;
    return NX_OK;
}

void nx__proto_drop(nx__proto *p)
{
    free((char *)p->reader_features.p);
    free((char *)p->writer_features.p);
    *p = (nx__proto){0};
}

/* The first feature of the list that is not among the known ones; p NULL when all are. */
static nx_str unknown(nx_str features, const char *const *known)
{
    nx_str rest = features, one;
    while (nx_str_split(&rest, ',', &one)) {
        bool found = one.n == 0;
        for (size_t i = 0; known[i] != NULL && !found; i++)
            found = nx_str_is(one, known[i]);
        if (!found)
            return one;
    }
    return (nx_str){NULL, 0};
}

static nx_status refuse(const char *table, const char *verb, nx_str feature, nx_err *err)
{
    nx_fail(err, NX_UNSUPPORTED, "could not %s table %s: it uses the Delta feature \"" NX_STR_FMT "\"", verb, table,
            NX_STR_ARG(feature));
    return nx_err_hint(err, NX_UNSUPPORTED,
                       "open it with an engine that knows the feature, or rewrite the table without it");
}

nx_status nx__proto_check_read(const nx__proto *p, const char *table, nx_err *err)
{
    if (p->reader > 3) {
        nx_fail(err, NX_UNSUPPORTED, "could not read table %s: it asks for Delta reader version %lld", table,
                (long long)p->reader);
        return nx_err_hint(err, NX_UNSUPPORTED, "versions 1 to 3 are known");
    }
    nx_str f = p->reader == 3 ? unknown(p->reader_features, read_features) : (nx_str){NULL, 0};
    return f.p == NULL ? NX_OK : refuse(table, "read", f, err);
}

/* Properties and column metadata that bind a writer although no feature list names them. */
static nx_status check_meta(const nx__meta *m, const char *table, nx_err *err)
{
    if (m->mapping != NX__MAP_NONE)
        return refuse(table, "write to", NX_STR("columnMapping"), err);
    for (size_t i = 0; m->config != NULL && i < m->config->n; i++) {
        nx_str key = m->config->keys[i];
        if (nx_str_starts(key, NX_STR("delta.constraints.")))
            return refuse(table, "write to", NX_STR("checkConstraints"), err);
        if (nx_str_is(key, "delta.enableChangeDataFeed") &&
            nx_str_is(nx_val_str(&m->config->items[i], NX_STR("")), "true"))
            return refuse(table, "write to", NX_STR("changeDataFeed"), err);
    }
    static const char *const column[][2] = {{"delta.invariants", "invariants"},
                                            {"delta.generationExpression", "generatedColumns"},
                                            {"delta.identity.start", "identityColumns"},
                                            {"CURRENT_DEFAULT", "allowColumnDefaults"}};
    for (size_t i = 0; i < m->fields->n; i++)
        for (size_t k = 0; k < NX_COUNT_OF(column); k++)
            if (nx_val_get(nx_val_get(&m->fields->items[i], "metadata"), column[k][0]) != NULL)
                return refuse(table, "write to", nx_str_of(column[k][1]), err);
    return NX_OK;
}

nx_status nx__proto_check_write(const nx__proto *p, const nx__meta *m, const char *table, nx_err *err)
{
    static const char *const implied[] = {
        "", "", "", "checkConstraints", "changeDataFeed", "columnMapping", "identityColumns"};
    NX_TRY(nx__proto_check_read(p, table, err));
    if (p->writer > 7)
        return nx_fail(err, NX_UNSUPPORTED, "could not write to table %s: it asks for Delta writer version %lld", table,
                       (long long)p->writer);
    if (p->writer >= 3 && p->writer <= 6)
        return refuse(table, "write to", nx_str_of(implied[p->writer]), err);
    nx_str f = p->writer == 7 ? unknown(p->writer_features, write_features) : (nx_str){NULL, 0};
    if (f.p != NULL)
        return refuse(table, "write to", f, err);
    return check_meta(m, table, err);
}
