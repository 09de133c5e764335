/* Values as text: Python's str() and repr(), and JSON as Python writes it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "transform/jinja_int.h"

/* The shortest digits that read back equal, laid out as Python does: an exponent below 1e-4 and from 1e16 on. */
nx_status nx__jfloat_repr(double f, nx_buf *out)
{
    if (isnan(f))
        return nx_buf_adds(out, "nan");
    if (isinf(f))
        return nx_buf_adds(out, f < 0 ? "-inf" : "inf");
    char e[40];
    int prec = 0;
    do
        snprintf(e, sizeof e, "%.*e", prec, f);
    while (strtod(e, NULL) != f && prec++ < 17);
    int exp = (int)strtol(strchr(e, 'e') + 1, NULL, 10);
    if (exp >= -4 && exp < 16)
        return nx_buf_addf(out, "%.*f", prec > exp ? (prec - exp < 1 ? 1 : prec - exp) : 1, f);
    *strchr(e, 'e') = '\0';
    return nx_buf_addf(out, "%se%c%02d", e, exp < 0 ? '-' : '+', abs(exp));
}

static nx_status full(nx_err *err, nx_status st)
{
    return st == NX_OK ? NX_OK
                       : nx_fail(err, NX_LIMIT, "the text of a value is larger than the memory limit of the template");
}

static nx_status repr_str(nx_str s, nx_buf *out)
{
    char q = s.n > 0 && memchr(s.p, '\'', s.n) != NULL && memchr(s.p, '"', s.n) == NULL ? '"' : '\'';
    NX_TRY(nx_buf_addc(out, q));
    for (size_t i = 0; i < s.n;) {
        size_t from = i;
        uint32_t cp = nx_utf8_get(s, &i);
        if (cp == (uint32_t)q || cp == '\\')
            NX_TRY(nx_buf_addf(out, "\\%c", (char)cp));
        else if (cp == '\n' || cp == '\r' || cp == '\t')
            NX_TRY(nx_buf_adds(out, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" : "\\t"));
        else if (cp < 0x20 || (cp >= 0x7f && cp <= 0xa0) || cp == 0xad)
            NX_TRY(nx_buf_addf(out, "\\x%02x", cp));
        else
            NX_TRY(nx_buf_add(out, nx_str_sub(s, from, i)));
    }
    return nx_buf_addc(out, q);
}

static nx_status write(nx_jrun *run, const nx_jval *v, bool repr, unsigned depth, nx_buf *out, nx_err *err);

static nx_status write_list(nx_jrun *run, const nx_jval *v, unsigned depth, nx_buf *out, nx_err *err)
{
    const nx_jlist *l = v->list;
    bool tuple = v->kind == NX_J_TUPLE;
    NX_TRY(full(err, nx_buf_addc(out, tuple ? '(' : '[')));
    for (size_t i = 0; i < l->n; i++) {
        if (i > 0)
            NX_TRY(full(err, nx_buf_adds(out, ", ")));
        NX_TRY(write(run, &l->v[i], true, depth + 1, out, err));
    }
    return full(err, nx_buf_adds(out, !tuple ? "]" : l->n == 1 ? ",)" : ")"));
}

static nx_status write_dict(nx_jrun *run, const nx_jval *v, unsigned depth, nx_buf *out, nx_err *err)
{
    const nx_jdict *d = v->dict;
    NX_TRY(full(err, nx_buf_adds(out, v->kind == NX_J_NS ? "<Namespace {" : "{")));
    for (size_t i = 0; i < d->n; i++) {
        if (i > 0)
            NX_TRY(full(err, nx_buf_adds(out, ", ")));
        NX_TRY(write(run, &d->items[i].key, true, depth + 1, out, err));
        NX_TRY(full(err, nx_buf_adds(out, ": ")));
        NX_TRY(write(run, &d->items[i].value, true, depth + 1, out, err));
    }
    return full(err, nx_buf_adds(out, v->kind == NX_J_NS ? "}>" : "}"));
}

static nx_status write(nx_jrun *run, const nx_jval *v, bool repr, unsigned depth, nx_buf *out, nx_err *err)
{
    if (depth > JVALUE_DEPTH_MAX)
        return nx_fail(err, NX_LIMIT, "a value is nested more than %d deep", JVALUE_DEPTH_MAX);
    switch (v->kind) {
    case NX_J_UNDEF:
        return repr ? full(err, nx_buf_adds(out, "Undefined")) : NX_OK;
    case NX_J_NONE:
        return full(err, nx_buf_adds(out, "None"));
    case NX_J_BOOL:
        return full(err, nx_buf_adds(out, v->b ? "True" : "False"));
    case NX_J_INT:
        return full(err, nx_buf_addf(out, "%lld", (long long)v->i));
    case NX_J_FLOAT:
        return full(err, nx__jfloat_repr(v->f, out));
    case NX_J_STR:
        return full(err, repr ? repr_str(v->s, out) : nx_buf_add(out, v->s));
    case NX_J_LIST:
    case NX_J_TUPLE:
        return write_list(run, v, depth, out, err);
    case NX_J_DICT:
    case NX_J_NS:
        return write_dict(run, v, depth, out, err);
    case NX_J_FUNC:
        return full(err, nx_buf_addf(out, "<function %s>", v->func->name));
    case NX_J_MACRO:
        return full(err, nx_buf_addf(out, "<Macro '" NX_STR_FMT "'>", NX_STR_ARG(v->macro->def->name)));
    case NX_J_METHOD:
        return full(err, nx_buf_addf(out, "<method %s of %s>", v->method->def->name, nx_jval_type(&v->method->self)));
    case NX_J_OBJ:
        if (v->obj->cls->str != NULL)
            return v->obj->cls->str(run, v->obj, out, err);
        return full(err, nx_buf_addf(out, "<%s>", v->obj->cls->name));
    }
    return NX_OK;
}

nx_status nx_jval_print(nx_jrun *run, const nx_jval *v, nx_buf *out, nx_err *err)
{
    return write(run, v, false, 0, out, err);
}

nx_status nx_jval_repr(nx_jrun *run, const nx_jval *v, nx_buf *out, nx_err *err)
{
    return write(run, v, true, 0, out, err);
}

/* ---- JSON ---- */

static nx_status json_str(nx_str s, bool html, nx_buf *out)
{
    NX_TRY(nx_buf_addc(out, '"'));
    for (size_t i = 0; i < s.n;) {
        uint32_t cp = nx_utf8_get(s, &i);
        static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
        const char *k = cp > 0 && cp < 0x80 ? strchr(from, (int)cp) : NULL;
        if (k != NULL)
            NX_TRY(nx_buf_addf(out, "\\%c", to[k - from]));
        else if (cp >= 0x10000)
            NX_TRY(nx_buf_addf(out, "\\u%04x\\u%04x", 0xD7C0 + (cp >> 10), 0xDC00 + (cp & 0x3FF)));
        else if (cp < 0x20 || cp >= 0x7f || (html && (cp == '<' || cp == '>' || cp == '&' || cp == '\'')))
            NX_TRY(cp == 0x7f ? nx_buf_addc(out, 0x7f) : nx_buf_addf(out, "\\u%04x", cp));
        else
            NX_TRY(nx_buf_addc(out, (char)cp));
    }
    return nx_buf_addc(out, '"');
}

static nx_status json_break(const jjson_opts *o, bool first, unsigned depth, nx_buf *out)
{
    if (!first)
        NX_TRY(nx_buf_adds(out, o->indent < 0 ? ", " : ","));
    if (o->indent >= 0) {
        NX_TRY(nx_buf_addc(out, '\n'));
        for (unsigned i = 0; i < depth * (unsigned)o->indent; i++)
            NX_TRY(nx_buf_addc(out, ' '));
    }
    return NX_OK;
}

static nx_status json(const nx_jval *v, const jjson_opts *o, unsigned depth, nx_buf *out, nx_err *err);

static nx_status json_key(const nx_jval *key, const jjson_opts *o, nx_buf *out, nx_err *err)
{
    if (key->kind == NX_J_STR)
        return full(err, json_str(key->s, o->html, out));
    if (key->kind == NX_J_TUPLE)
        return nx_fail(err, NX_INVALID, "a tuple cannot be a key in JSON");
    NX_TRY(full(err, nx_buf_addc(out, '"')));
    NX_TRY(json(key, o, 0, out, err));
    return full(err, nx_buf_addc(out, '"'));
}

typedef struct ordering {
    const nx_jdict *d;
    size_t bad[2]; /* two pairs whose keys cannot be compared */
    bool broken;
} ordering;

static int by_key(const void *a, const void *b, void *ctx)
{
    ordering *o = ctx;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    bool ok;
    int c = nx__jval_compare(&o->d->items[i].key, &o->d->items[k].key, &ok);
    if (!ok && !o->broken)
        *o = (ordering){o->d, {i, k}, true};
    return ok ? c : 0;
}

/* Order of the pairs: as they are, or by key. */
static nx_status json_order(const nx_jdict *d, bool sort, size_t *order, nx_err *err)
{
    ordering o = {.d = d};
    for (size_t i = 0; i < d->n; i++)
        order[i] = i;
    if (sort)
        qsort_r(order, d->n, sizeof *order, by_key, &o);
    if (o.broken)
        return nx_fail(err, NX_INVALID, "the keys of a dict cannot be sorted: '%s' and '%s'",
                       nx_jval_type(&d->items[o.bad[0]].key), nx_jval_type(&d->items[o.bad[1]].key));
    return NX_OK;
}

static nx_status json_dict(const nx_jdict *d, const jjson_opts *o, unsigned depth, nx_buf *out, nx_err *err)
{
    if (d->n == 0)
        return full(err, nx_buf_adds(out, "{}"));
    size_t *order = calloc(d->n, sizeof *order);
    if (order == NULL)
        return nx_nomem(err);
    nx_status st = json_order(d, o->sort_keys, order, err);
    if (st == NX_OK)
        st = full(err, nx_buf_addc(out, '{'));
    for (size_t i = 0; i < d->n && st == NX_OK; i++) {
        const nx_jpair *pair = &d->items[order[i]];
        st = full(err, json_break(o, i == 0, depth + 1, out));
        if (st == NX_OK)
            st = json_key(&pair->key, o, out, err);
        if (st == NX_OK)
            st = full(err, nx_buf_adds(out, ": "));
        if (st == NX_OK)
            st = json(&pair->value, o, depth + 1, out, err);
    }
    free(order);
    if (st == NX_OK && o->indent >= 0)
        st = full(err, json_break(o, true, depth, out));
    return st != NX_OK ? st : full(err, nx_buf_addc(out, '}'));
}

static nx_status json(const nx_jval *v, const jjson_opts *o, unsigned depth, nx_buf *out, nx_err *err)
{
    if (depth > JVALUE_DEPTH_MAX)
        return nx_fail(err, NX_LIMIT, "a value is nested more than %d deep", JVALUE_DEPTH_MAX);
    switch (v->kind) {
    case NX_J_NONE:
        return full(err, nx_buf_adds(out, "null"));
    case NX_J_BOOL:
        return full(err, nx_buf_adds(out, v->b ? "true" : "false"));
    case NX_J_INT:
        return full(err, nx_buf_addf(out, "%lld", (long long)v->i));
    case NX_J_FLOAT:
        if (isfinite(v->f))
            return full(err, nx__jfloat_repr(v->f, out));
        return full(err, nx_buf_adds(out, isnan(v->f) ? "NaN" : v->f < 0 ? "-Infinity" : "Infinity"));
    case NX_J_STR:
        return full(err, json_str(v->s, o->html, out));
    case NX_J_DICT:
        return json_dict(v->dict, o, depth, out, err);
    case NX_J_LIST:
    case NX_J_TUPLE:
        NX_TRY(full(err, nx_buf_addc(out, '[')));
        for (size_t i = 0; i < v->list->n; i++) {
            NX_TRY(full(err, json_break(o, i == 0, depth + 1, out)));
            NX_TRY(json(&v->list->v[i], o, depth + 1, out, err));
        }
        if (v->list->n > 0 && o->indent >= 0)
            NX_TRY(full(err, json_break(o, true, depth, out)));
        return full(err, nx_buf_addc(out, ']'));
    default:
        return nx_fail(err, NX_INVALID, "a value of type '%s' cannot be written as JSON", nx_jval_type(v));
    }
}

nx_status nx__jval_json(const nx_jval *v, const jjson_opts *o, nx_buf *out, nx_err *err)
{
    return json(v, o, 0, out, err);
}

nx_status nx_jval_json(const nx_jval *v, bool sort_keys, nx_buf *out, nx_err *err)
{
    return json(v, &(jjson_opts){.sort_keys = sort_keys, .indent = -1}, 0, out, err);
}
