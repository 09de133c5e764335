/* The examples of a contract's file. */
#include "contract/contract_int.h"
#include "contract/try.h"
#include "data/yaml.h"

typedef struct job {
    const nx_contract *c;
    nx_arena *a;
    nx_example *items;
    size_t n;
    nx_err *err;
} job;

static nx_status add(job *j, const nx_example *e)
{
    if (e->name == NULL || e->message.p == NULL)
        return nx_nomem(j->err);
    j->items[j->n++] = *e;
    return NX_OK;
}

/* A value as JSON; text that is to be JSON already as it stands. */
static nx_str json_of(nx_arena *a, const nx_val *v, bool bare)
{
    nx_buf b NX_BUF_AUTO;
    nx_buf_init(&b, 0);
    if (bare && v->kind == NX_VAL_STR)
        return (nx_str){nx_arena_dup(a, v->s), v->s.n};
    if (nx_val_to_json(v, &b) != NX_OK)
        return (nx_str){NULL, 0};
    return (nx_str){nx_arena_dup(a, nx_buf_str(&b)), b.n};
}

static const char *text_of(nx_arena *a, const nx_val *v)
{
    return nx_arena_dup(a, v->s);
}

/* ------------------------------------------------------------------ whole messages */

static nx_status read_context(job *j, const nx_val *map, nx_example *e)
{
    nx_context *context = NX_ARENA_ARRAY(j->a, nx_context, map->n + 1);
    if (context == NULL)
        return nx_nomem(j->err);
    for (size_t i = 0; map->kind == NX_VAL_OBJ && i < map->n; i++) {
        if (map->items[i].kind != NX_VAL_STR && map->items[i].kind != NX_VAL_NUM)
            return nx__fail_at(j->err, &j->c->origin, &map->items[i], "context: text or a number for each column");
        const char *text = text_of(j->a, &map->items[i]);
        context[i] = (nx_context){nx_arena_dup(j->a, map->keys[i]), {text, map->items[i].s.n}};
        if (context[i].field == NULL || text == NULL)
            return nx_nomem(j->err);
    }
    if (map->kind != NX_VAL_OBJ)
        return nx__fail_at(j->err, &j->c->origin, map, "context must be an object of columns");
    e->context = context;
    e->n_context = map->n;
    return NX_OK;
}

/* {field: rule} or {field: [rule, rule]}. */
static nx_status read_refused(job *j, const nx_val *map, nx_example *e)
{
    size_t n = 0;
    if (map->kind == NX_VAL_BOOL) {
        e->refused = map->b;
        return NX_OK;
    }
    if (map->kind != NX_VAL_OBJ || map->n == 0)
        return nx__fail_at(j->err, &j->c->origin, map, "refused must be {field: rule}, {field: [rule, …]} or true");
    for (size_t i = 0; i < map->n; i++)
        n += map->items[i].kind == NX_VAL_ARR ? map->items[i].n : 1;
    nx_expected_error *all = NX_ARENA_ARRAY(j->a, nx_expected_error, n);
    if (all == NULL)
        return nx_nomem(j->err);
    for (size_t i = 0; i < map->n; i++) {
        const nx_val *v = &map->items[i];
        size_t rules = v->kind == NX_VAL_ARR ? v->n : 1;
        for (size_t k = 0; k < rules; k++) {
            const nx_val *rule = v->kind == NX_VAL_ARR ? &v->items[k] : v;
            if (rule->kind != NX_VAL_STR)
                return nx__fail_at(j->err, &j->c->origin, rule, "refused: the id of a rule expected");
            nx_expected_error *x = &all[e->n_expected++];
            *x = (nx_expected_error){nx_arena_dup(j->a, map->keys[i]), text_of(j->a, rule)};
            if (x->field == NULL || x->rule == NULL)
                return nx_nomem(j->err);
        }
    }
    e->refused = true;
    e->expected = all;
    return NX_OK;
}

static nx_status check_keys(const job *j, const nx_val *v)
{
    static const char *const keys[] = {"name", "message", "context", "refused"};
    if (v->kind != NX_VAL_OBJ)
        return nx__fail_at(j->err, &j->c->origin, v, "an example must be an object: message, name, context, refused");
    for (size_t i = 0; i < v->n; i++) {
        size_t near = nx_str_nearest(v->keys[i], keys, NX_COUNT_OF(keys));
        if (near == SIZE_MAX || !nx_str_is(v->keys[i], keys[near]))
            return nx_err_hint(j->err,
                               nx__fail_at(j->err, &j->c->origin, &v->items[i],
                                           "'" NX_STR_FMT "' is not a key of an example", NX_STR_ARG(v->keys[i])),
                               "message, name, context and refused are");
    }
    return NX_OK;
}

static nx_status read_message(job *j, const nx_val *v)
{
    NX_TRY(check_keys(j, v));
    const nx_val *message = nx_val_get(v, "message"), *name = nx_val_get(v, "name");
    const nx_val *context = nx_val_get(v, "context"), *refused = nx_val_get(v, "refused");
    if (message == NULL || (message->kind != NX_VAL_STR && message->kind != NX_VAL_OBJ))
        return nx__fail_at(j->err, &j->c->origin, v, "an example needs a message: an object, or its JSON as text");
    nx_example e = {.line = v->line, .message = json_of(j->a, message, true)};
    e.name = name == NULL ? e.message.p : nx_arena_dup(j->a, nx_val_str(name, NX_STR("")));
    if (context != NULL)
        NX_TRY(read_context(j, context, &e));
    if (refused != NULL)
        NX_TRY(read_refused(j, refused, &e));
    return add(j, &e);
}

/* ------------------------------------------------------------------ values of a column */

static const char *wire_name(const nx_contract *c, int16_t col)
{
    for (size_t i = 0; i < c->plain->n_slots; i++)
        if (c->plain->slots[i].col == col)
            return c->plain->slots[i].key.p;
    return NULL;
}

static nx_status read_value(job *j, int16_t col, const nx_val *v)
{
    const char *column = j->c->schema.fields[col].name, *wire = wire_name(j->c, col);
    nx_str json = json_of(j->a, v, false);
    if (json.p == NULL)
        return nx_nomem(j->err);
    nx_example e = {.line = v->line, .column = column, .name = nx_arena_printf(j->a, "%s: %s", column, json.p)};
    if (wire != NULL) {
        const char *text = nx_arena_printf(j->a, "{\"%s\":%s}", wire, json.p);
        e.message = (nx_str){text, text == NULL ? 0 : strlen(text)};
        return add(j, &e);
    }
    nx_context *context = NX_ARENA_NEW(j->a, nx_context);
    const char *text = text_of(j->a, v);
    if (context == NULL || text == NULL)
        return nx_nomem(j->err);
    *context = (nx_context){column, {text, v->s.n}};
    e.message = NX_STR("{}");
    e.context = context;
    e.n_context = 1;
    return add(j, &e);
}

static bool is_carried(const nx_contract *c, size_t col)
{
    return c->plain != NULL && (c->cols[col].source == NX_FROM_WIRE || c->cols[col].source == NX_FROM_CONTEXT);
}

static nx_status read_all(job *j, const nx_val *object)
{
    const nx_val *messages = nx__odcs_custom(object, "examples"), *props = nx_val_get(object, "properties");
    size_t n = messages == NULL ? 0 : messages->n;
    if (messages != NULL && messages->kind != NX_VAL_ARR)
        return nx__fail_at(j->err, &j->c->origin, messages, "examples must be a list");
    for (size_t i = 0; i < props->n; i++) {
        const nx_val *values = nx_val_get(&props->items[i], "examples");
        n += values == NULL ? 0 : values->n;
    }
    j->items = NX_ARENA_ARRAY(j->a, nx_example, n + 1);
    if (j->items == NULL)
        return nx_nomem(j->err);
    for (size_t i = 0; messages != NULL && i < messages->n; i++)
        NX_TRY(read_message(j, &messages->items[i]));
    for (size_t i = 0; i < props->n; i++) {
        const nx_val *values = nx_val_get(&props->items[i], "examples");
        for (size_t k = 0; values != NULL && k < values->n && is_carried(j->c, i); k++)
            NX_TRY(read_value(j, (int16_t)i, &values->items[k]));
    }
    return NX_OK;
}

nx_status nx_contract_examples(const nx_contract *c, nx_arena *a, const nx_example **ret, size_t *ret_n, nx_err *err)
{
    nx_arena trees NX_ARENA_AUTO;
    nx_arena_init(&trees, 0);
    nx_val *root = NULL;
    job j = {.c = c, .a = a, .err = err};
    NX_TRY(nx_yaml_parse(c->source, c->origin.file, &trees, &root, err));
    NX_TRY(read_all(&j, &nx_val_get(root, "schema")->items[0]));
    *ret = j.items;
    *ret_n = j.n;
    return NX_OK;
}

/* ------------------------------------------------------------------ verdicts */

static bool is_expected(const nx_example *e, const nx_row_error *r)
{
    for (size_t i = 0; i < e->n_expected; i++)
        if (strcmp(e->expected[i].field, r->field) == 0 && strcmp(e->expected[i].rule, r->rule) == 0)
            return true;
    return false;
}

static bool has_error(const nx_try *t, const nx_expected_error *x)
{
    for (size_t i = 0; i < t->n_errors; i++)
        if (strcmp(x->field, t->errors[i].field) == 0 && strcmp(x->rule, t->errors[i].rule) == 0)
            return true;
    return false;
}

bool nx_example_met(const nx_example *e, const nx_try *t)
{
    if (e->column != NULL) {
        for (size_t i = 0; i < t->n_errors; i++)
            if (strcmp(t->errors[i].field, e->column) == 0)
                return false;
        return true;
    }
    if (t->verdict != (e->refused ? NX_TRY_REFUSED : NX_TRY_ACCEPTED))
        return false;
    for (size_t i = 0; e->n_expected > 0 && i < t->n_errors; i++)
        if (!is_expected(e, &t->errors[i]))
            return false;
    for (size_t i = 0; i < e->n_expected; i++)
        if (!has_error(t, &e->expected[i]))
            return false;
    return true;
}
