/* A contract's wire objects as JSON Schema 2020-12. */
#include <stdio.h>

#include "contract/contract_int.h"
#include "contract/export.h"
#include "data/json.h"

typedef struct job {
    const nx_contract *c;
    nx_jw w;
} job;

static void raw(nx_jw *w, const char *key, const char *number)
{
    nx_jw_key(w, key);
    nx_jw_raw(w, nx_str_of(number));
}

static void text(nx_jw *w, const char *key, const char *s)
{
    nx_jw_key(w, key);
    nx_jw_cstr(w, s);
}

static void count(nx_jw *w, const char *key, size_t n)
{
    nx_jw_key(w, key);
    nx_jw_i64(w, (int64_t)n);
}

/* {"type": name}, with null where the column takes it. */
static void type(nx_jw *w, const char *name, bool nullable)
{
    nx_jw_key(w, "type");
    if (!nullable) {
        nx_jw_cstr(w, name);
        return;
    }
    nx_jw_arr(w);
    nx_jw_cstr(w, name);
    nx_jw_cstr(w, "null");
    nx_jw_arr_end(w);
}

/* ------------------------------------------------------------------ rules */

static void number_rules(job *j, const nx_type *t, const nx_rules *r)
{
    nx_jw *w = &j->w;
    if (r->min.set)
        raw(w, r->min.exclusive ? "exclusiveMinimum" : "minimum", r->min.text);
    if (r->max.set)
        raw(w, r->max.exclusive ? "exclusiveMaximum" : "maximum", r->max.text);
    char end[32]; /* what the type holds, where no rule is stricter */
    if (t->kind == NX_DECIMAL) {
        nx_jw_key(w, "x-scale");
        nx_jw_i64(w, t->scale);
        snprintf(end, sizeof end, "1e%d", t->precision - t->scale);
        if (!r->max.set)
            raw(w, "exclusiveMaximum", end);
        snprintf(end, sizeof end, "-1e%d", t->precision - t->scale);
        if (!r->min.set)
            raw(w, "exclusiveMinimum", end);
        return;
    }
    bool wide = t->kind == NX_INT64;
    if (!r->min.set)
        raw(w, "minimum", wide ? "-9223372036854775808" : "-2147483648");
    if (!r->max.set)
        raw(w, "maximum", wide ? "9223372036854775807" : "2147483647");
}

static void lengths(nx_jw *w, const nx_rules *r, const char *min, const char *max)
{
    if (r->len_min > 0)
        count(w, min, r->len_min);
    if (r->len_max != SIZE_MAX)
        count(w, max, r->len_max);
}

static void words(nx_jw *w, const nx_rules *r, bool null_too)
{
    nx_jw_key(w, "enum");
    nx_jw_arr(w);
    for (size_t i = 0; i < r->n_allowed; i++)
        nx_jw_str(w, r->allowed[i]);
    for (size_t i = 0; i < r->n_translate; i++)
        nx_jw_str(w, r->translate[i].from);
    if (null_too)
        nx_jw_null(w);
    nx_jw_arr_end(w);
}

static void plain_string(nx_jw *w, const nx_rules *r, bool nullable)
{
    type(w, "string", nullable);
    lengths(w, r, "minLength", "maxLength");
    if (r->pattern != NULL)
        text(w, "pattern", r->pattern->text);
}

/* Rules hold for what a translation gives: the texts it knows are free of them. */
static void string(nx_jw *w, const nx_rules *r, bool nullable)
{
    if (r->n_allowed > 0) {
        plain_string(w, &(nx_rules){.len_max = SIZE_MAX}, nullable);
        words(w, r, nullable);
    } else if (r->n_translate > 0) {
        nx_jw_key(w, "anyOf");
        nx_jw_arr(w);
        nx_jw_obj(w);
        words(w, r, nullable);
        nx_jw_obj_end(w);
        nx_jw_obj(w);
        plain_string(w, r, nullable);
        nx_jw_obj_end(w);
        nx_jw_arr_end(w);
    } else {
        plain_string(w, r, nullable);
    }
}

static void list(nx_jw *w, const nx_rules *r, bool nullable)
{
    type(w, "array", nullable);
    lengths(w, r, "minItems", "maxItems");
    nx_jw_key(w, "items");
    nx_jw_obj(w);
    nx_jw_key(w, "type");
    nx_jw_cstr(w, "string");
    if (r->item_len_max != SIZE_MAX)
        count(w, "maxLength", r->item_len_max);
    nx_jw_obj_end(w);
}

/* One value in two spellings. */
static void either(job *j, const nx_field *f, const nx_rules *r, nx_conv conv)
{
    nx_jw *w = &j->w;
    nx_jw_key(w, "anyOf");
    nx_jw_arr(w);
    nx_jw_obj(w);
    if (conv == NX_CONV_ONE_OR_MANY) {
        list(w, r, f->nullable);
    } else {
        type(w, "number", f->nullable);
        number_rules(j, &f->type, r);
    }
    nx_jw_obj_end(w);
    nx_jw_obj(w);
    nx_jw_key(w, "type");
    nx_jw_cstr(w, "string");
    if (conv == NX_CONV_DECIMAL_TEXT)
        text(w, "pattern", "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$");
    else if (r->item_len_max != SIZE_MAX)
        count(w, "maxLength", r->item_len_max);
    nx_jw_obj_end(w);
    nx_jw_arr_end(w);
}

static void value(job *j, int16_t col)
{
    nx_jw *w = &j->w;
    const nx_field *f = &j->c->schema.fields[col];
    const nx_rules *r = &j->c->cols[col].rules;
    switch (j->c->cols[col].conv) {
    case NX_CONV_STRING:
        string(w, r, f->nullable);
        break;
    case NX_CONV_DECIMAL:
        type(w, "number", f->nullable);
        number_rules(j, &f->type, r);
        break;
    case NX_CONV_INT:
        type(w, "integer", f->nullable);
        number_rules(j, &f->type, r);
        break;
    case NX_CONV_BOOL:
        type(w, "boolean", f->nullable);
        break;
    case NX_CONV_TIME:
    case NX_CONV_DATE:
        type(w, "string", f->nullable);
        text(w, "format", j->c->cols[col].conv == NX_CONV_DATE ? "date" : "date-time");
        break;
    case NX_CONV_EPOCH:
        type(w, "number", f->nullable);
        break;
    case NX_CONV_EPOCH_OR_BOOL:
        nx_jw_key(w, "type");
        nx_jw_raw(w, f->nullable ? NX_STR("[\"number\",\"boolean\",\"null\"]") : NX_STR("[\"number\",\"boolean\"]"));
        break;
    case NX_CONV_LIST:
        list(w, r, f->nullable);
        break;
    case NX_CONV_DECIMAL_TEXT:
    case NX_CONV_ONE_OR_MANY:
        either(j, f, r, j->c->cols[col].conv);
        break;
    case NX_CONV_IGNORE:
        break;
    }
}

/* ------------------------------------------------------------------ objects */

static nx_status property(job *j, const nx_slot *s)
{
    nx_jw *w = &j->w;
    nx_buf t NX_BUF_AUTO;
    nx_buf_init(&t, 0);
    const nx_field *f = &j->c->schema.fields[s->col];
    NX_TRY(nx_type_to_sql(&f->type, &t));
    nx_jw_key_str(w, s->key);
    nx_jw_obj(w);
    text(w, "title", f->name);
    text(w, "description", f->comment);
    value(j, s->col);
    text(w, "x-type", t.p);
    nx_jw_obj_end(w);
    return NX_OK;
}

static bool has_const(const nx_variant *v, int16_t col)
{
    for (size_t i = 0; i < v->n_consts; i++)
        if (v->consts[i].col == col)
            return true;
    return false;
}

/* A single object's missing members may come with the request; of a frame nothing is known but its bytes. */
static bool is_required(const job *j, const nx_variant *v, const nx_slot *s)
{
    const nx_colspec *c = s->col < 0 ? NULL : &j->c->cols[s->col];
    return c != NULL && c->required && !has_const(v, s->col) && (v->when_key.n > 0 || !c->context);
}

static nx_status object(job *j, const nx_variant *v)
{
    nx_jw *w = &j->w;
    type(w, "object", false);
    nx_jw_key(w, "properties");
    nx_jw_obj(w);
    if (v->when_key.n > 0) {
        nx_jw_key_str(w, v->when_key);
        nx_jw_obj(w);
        nx_jw_key(w, "const");
        nx_jw_str(w, v->when_value);
        nx_jw_obj_end(w);
    }
    for (size_t i = 0; i < v->n_slots; i++)
        if (v->slots[i].col >= 0)
            NX_TRY(property(j, &v->slots[i]));
    nx_jw_obj_end(w);
    nx_jw_key(w, "required");
    nx_jw_arr(w);
    if (v->when_key.n > 0)
        nx_jw_str(w, v->when_key);
    for (size_t i = 0; i < v->n_slots; i++)
        if (is_required(j, v, &v->slots[i]))
            nx_jw_str(w, v->slots[i].key);
    nx_jw_arr_end(w);
    return NX_OK;
}

/* Letters that mean something in a JSON pointer or a URI are left out. */
static void definition_name(const nx_variant *v, char out[160])
{
    snprintf(out, 160, "%.*s%s%.*s", (int)(v->feed.n < 64 ? v->feed.n : 64), v->feed.p, v->when_value.n > 0 ? ":" : "",
             (int)(v->when_value.n < 64 ? v->when_value.n : 64), v->when_value.p);
    for (char *c = out; *c != '\0'; c++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:_-", *c) == NULL)
            *c = '_';
}

static nx_status definitions(job *j)
{
    nx_jw *w = &j->w;
    char name[160];
    nx_jw_key(w, "anyOf");
    nx_jw_arr(w);
    for (size_t i = 0; i < j->c->n_variants; i++) {
        definition_name(&j->c->variants[i], name);
        nx_jw_obj(w);
        nx_jw_key(w, "$ref");
        nx_jw_strf(w, "#/$defs/%s", name);
        nx_jw_obj_end(w);
    }
    nx_jw_arr_end(w);
    nx_jw_key(w, "$defs");
    nx_jw_obj(w);
    for (size_t i = 0; i < j->c->n_variants; i++) {
        definition_name(&j->c->variants[i], name);
        nx_jw_key(w, name);
        nx_jw_obj(w);
        NX_TRY(object(j, &j->c->variants[i]));
        nx_jw_obj_end(w);
    }
    nx_jw_obj_end(w);
    return NX_OK;
}

nx_status nx_contract_to_json_schema(const nx_contract *c, nx_buf *b, nx_err *err)
{
    if (c->n_variants == 0) {
        nx_fail(err, NX_UNSUPPORTED, "table %s has no wire form: its rows are made by the program", c->table);
        return nx_err_hint(err, NX_UNSUPPORTED, "--format delta has its columns");
    }
    job j = {.c = c};
    nx_jw *w = &j.w;
    const char *at = strchr(c->id, '@');
    nx_jw_begin(w, b);
    nx_jw_obj(w);
    text(w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    nx_jw_key(w, "$id");
    nx_jw_strf(w, "urn:nexus:contract:%s:%s", c->name, at == NULL ? "" : at + 1);
    text(w, "title", c->table);
    text(w, "description", c->description);
    if ((c->n_variants == 1 ? object(&j, &c->variants[0]) : definitions(&j)) != NX_OK)
        return nx_nomem(err);
    nx_jw_obj_end(w);
    return nx_jw_end(w) == NX_OK ? NX_OK : nx_nomem(err);
}
