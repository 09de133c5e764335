/* The shape of an ODCS 3.1 file: which keys an object may have, of which kind, and which it must have. What the keys mean is the business
 * of columns.c, rules.c and feeds.c. Source: Bitol Open Data Contract Standard 3.1.0 (the text, not its JSON Schema, is normative). */
#include <stdio.h>

#include "contract/contract_int.h"

enum { STR = 1, NUM = 2, BOOL = 4, ARR = 8, OBJ = 16, ANY = 31, REQ = 64 };

typedef struct shape shape;
typedef struct key {
    const char *name;
    unsigned kinds;     /* allowed kinds, and REQ */
    const shape *inner; /* of the object, or of the array's elements */
} key;
struct shape {
    const char *what; /* for messages */
    const key *keys;  /* up to a NULL name */
};

/* clang-format off */
#define KEY(name, kinds) {name, kinds, NULL}
#define KEY_OF(name, kinds, inner) {name, kinds, &inner}
/* clang-format on */

#define DOC_KEYS                                                                                                       \
    KEY_OF("authoritativeDefinitions", ARR, definition_shape), KEY_OF("customProperties", ARR, custom_shape)
#define ID_KEYS KEY("id", STR), KEY("tags", ARR), KEY("description", STR)

static const shape custom_shape, definition_shape, quality_shape, property_shape;

static const key custom_keys[] = {
    KEY("id", STR), KEY("property", STR | REQ), KEY("value", ANY | REQ), KEY("description", STR), {0}};
static const shape custom_shape = {"a custom property", custom_keys};

static const key definition_keys[] = {
    KEY("id", STR), KEY("type", STR | REQ), KEY("url", STR | REQ), KEY("description", STR), {0}};
static const shape definition_shape = {"an authoritative definition", definition_keys};

static const key description_keys[] = {KEY("purpose", STR), KEY("limitations", STR), KEY("usage", STR), DOC_KEYS, {0}};
static const shape description_shape = {"description", description_keys};

static const key arguments_keys[] = {
    KEY("validValues", ARR), KEY("missingValues", ARR), KEY("pattern", STR), KEY("properties", ARR), {0}};
static const shape arguments_shape = {"arguments", arguments_keys};

static const key quality_keys[] = {ID_KEYS,
                                   DOC_KEYS,
                                   KEY("name", STR),
                                   KEY("type", STR),
                                   KEY("dimension", STR),
                                   KEY("severity", STR),
                                   KEY("businessImpact", STR),
                                   KEY("unit", STR),
                                   KEY("method", STR),
                                   KEY("schedule", STR),
                                   KEY("scheduler", STR),
                                   KEY("metric", STR),
                                   KEY("rule", STR),
                                   KEY("query", STR),
                                   KEY("engine", STR),
                                   KEY("implementation", STR | OBJ),
                                   KEY_OF("arguments", OBJ, arguments_shape),
                                   KEY("mustBe", ANY),
                                   KEY("mustNotBe", ANY),
                                   KEY("mustBeGreaterThan", NUM),
                                   KEY("mustBeGreaterOrEqualTo", NUM),
                                   KEY("mustBeLessThan", NUM),
                                   KEY("mustBeLessOrEqualTo", NUM),
                                   KEY("mustBeBetween", ARR),
                                   KEY("mustNotBeBetween", ARR),
                                   {0}};
static const shape quality_shape = {"a quality rule", quality_keys};

static const key relationship_keys[] = {KEY("id", STR),
                                        KEY("type", STR),
                                        KEY("from", STR | ARR),
                                        KEY("to", STR | ARR | REQ),
                                        KEY_OF("customProperties", ARR, custom_shape),
                                        {0}};
static const shape relationship_shape = {"a relationship", relationship_keys};

static const key options_keys[] = {KEY("minLength", NUM),
                                   KEY("maxLength", NUM),
                                   KEY("pattern", STR),
                                   KEY("format", STR),
                                   KEY("minimum", NUM | STR),
                                   KEY("maximum", NUM | STR),
                                   KEY("exclusiveMinimum", NUM | STR),
                                   KEY("exclusiveMaximum", NUM | STR),
                                   KEY("timezone", BOOL),
                                   KEY("defaultTimezone", STR),
                                   KEY("minItems", NUM),
                                   KEY("maxItems", NUM),
                                   KEY("uniqueItems", BOOL),
                                   KEY("multipleOf", NUM),
                                   KEY("minProperties", NUM),
                                   KEY("maxProperties", NUM),
                                   KEY("required", ARR),
                                   {0}};
static const shape options_shape = {"logicalTypeOptions", options_keys};

#define PROPERTY_KEYS                                                                                                  \
    ID_KEYS, DOC_KEYS, KEY("logicalType", STR), KEY_OF("logicalTypeOptions", OBJ, options_shape),                      \
        KEY("physicalType", STR), KEY("physicalName", STR), KEY("businessName", STR), KEY("required", BOOL),           \
        KEY("unique", BOOL), KEY("primaryKey", BOOL), KEY("primaryKeyPosition", NUM), KEY("partitioned", BOOL),        \
        KEY("partitionKeyPosition", NUM), KEY("classification", STR), KEY("encryptedName", STR),                       \
        KEY("transformSourceObjects", ARR), KEY("transformLogic", STR), KEY("transformDescription", STR),              \
        KEY("examples", ARR), KEY("criticalDataElement", BOOL), KEY_OF("relationships", ARR, relationship_shape),      \
        KEY_OF("quality", ARR, quality_shape), KEY_OF("properties", ARR, property_shape),                              \
        KEY_OF("items", OBJ, items_shape)
static const shape items_shape;

static const key items_keys[] = {PROPERTY_KEYS, KEY("name", STR), {0}};
static const shape items_shape = {"items", items_keys};

static const key property_keys[] = {KEY("name", STR | REQ), PROPERTY_KEYS, {0}};
static const shape property_shape = {"a property", property_keys};

static const key object_keys[] = {ID_KEYS,
                                  DOC_KEYS,
                                  KEY("name", STR | REQ),
                                  KEY("physicalName", STR),
                                  KEY("physicalType", STR),
                                  KEY("logicalType", STR),
                                  KEY("businessName", STR),
                                  KEY("dataGranularityDescription", STR),
                                  KEY_OF("properties", ARR | REQ, property_shape),
                                  KEY_OF("relationships", ARR, relationship_shape),
                                  KEY_OF("quality", ARR, quality_shape),
                                  {0}};
static const shape object_shape = {"a schema object", object_keys};

static const key sla_keys[] = {KEY("id", STR),
                               KEY("property", STR | REQ),
                               KEY("value", STR | NUM | BOOL | REQ),
                               KEY("valueExt", ANY),
                               KEY("unit", STR),
                               KEY("element", STR),
                               KEY("driver", STR),
                               KEY("description", STR),
                               KEY("scheduler", STR),
                               KEY("schedule", STR),
                               {0}};
static const shape sla_shape = {"an SLA property", sla_keys};

static const key root_keys[] = {KEY("apiVersion", STR | REQ),
                                KEY("kind", STR | REQ),
                                KEY("id", STR | REQ),
                                KEY("version", STR | REQ),
                                KEY("status", STR | REQ),
                                KEY("name", STR | REQ),
                                KEY("tenant", STR),
                                KEY("domain", STR),
                                KEY("dataProduct", STR),
                                KEY("tags", ARR),
                                KEY_OF("description", OBJ, description_shape),
                                KEY("servers", ARR),
                                KEY_OF("schema", ARR | REQ, object_shape),
                                KEY_OF("slaProperties", ARR, sla_shape),
                                KEY("slaDefaultElement", STR),
                                KEY("support", ARR),
                                KEY("price", OBJ),
                                KEY("team", OBJ | ARR),
                                KEY("roles", ARR),
                                DOC_KEYS,
                                KEY("contractCreatedTs", STR),
                                {0}};
static const shape root_shape = {"a contract", root_keys};

static unsigned kind_bit(nx_val_kind k)
{
    static const unsigned bits[] = {
        [NX_VAL_BOOL] = BOOL, [NX_VAL_NUM] = NUM, [NX_VAL_STR] = STR, [NX_VAL_ARR] = ARR, [NX_VAL_OBJ] = OBJ};
    return k == NX_VAL_NULL ? 0 : bits[k];
}

static void kinds_text(unsigned kinds, char out[64])
{
    static const char *const names[] = {"text", "a number", "true or false", "a list", "an object"};
    size_t n = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < 5; i++)
        if ((kinds >> i & 1) != 0)
            n += (size_t)snprintf(out + n, 64 - n, "%s%s", n == 0 ? "" : " or ", names[i]);
}

static const key *find_key(const shape *s, nx_str name)
{
    for (const key *k = s->keys; k->name != NULL; k++)
        if (nx_str_is(name, k->name))
            return k;
    return NULL;
}

static nx_status unknown_key(const shape *s, nx_str name, const nx_val *v, const nx_origin *origin, nx_err *err)
{
    const char *names[64];
    size_t n = 0;
    for (const key *k = s->keys; k->name != NULL && n < NX_COUNT_OF(names); k++)
        names[n++] = k->name;
    size_t near = nx_str_nearest(name, names, n);
    nx_status st =
        nx__fail_at(err, origin, v, "'" NX_STR_FMT "' is not a key of %s in ODCS 3.1", NX_STR_ARG(name), s->what);
    if (near != SIZE_MAX)
        (void)nx_err_hint(err, st, "did you mean '%s'? Extensions go into customProperties", names[near]);
    else
        (void)nx_err_hint(err, st, "extensions go into customProperties");
    return st;
}

static nx_status check_object(const shape *s, const nx_val *v, const nx_origin *origin, nx_err *err);

static nx_status check_member(const shape *s, nx_str name, const nx_val *m, const nx_origin *origin, nx_err *err)
{
    const key *k = find_key(s, name);
    if (k == NULL)
        return unknown_key(s, name, m, origin, err);
    if ((k->kinds & kind_bit(m->kind)) == 0) {
        char want[64];
        kinds_text(k->kinds, want);
        nx_status st = nx__fail_at(err, origin, m, "'%s' of %s must be %s", k->name, s->what, want);
        return m->kind == NX_VAL_NUM && (k->kinds & STR) != 0 ? nx_err_hint(err, st, "put it in quotes") : st;
    }
    if (k->inner != NULL && m->kind == NX_VAL_OBJ)
        NX_TRY(check_object(k->inner, m, origin, err));
    for (size_t i = 0; k->inner != NULL && m->kind == NX_VAL_ARR && i < m->n; i++)
        NX_TRY(check_object(k->inner, &m->items[i], origin, err));
    return NX_OK;
}

/* Recursion is as deep as the shapes; property inside property is limited by the YAML reader. */
static nx_status check_object(const shape *s, const nx_val *v, const nx_origin *origin, nx_err *err)
{
    if (v->kind != NX_VAL_OBJ)
        return nx__gather(origin, nx__fail_at(err, origin, v, "%s must be an object", s->what), err);
    for (size_t i = 0; i < v->n; i++)
        NX_TRY(nx__gather(origin, check_member(s, v->keys[i], &v->items[i], origin, err), err));
    for (const key *k = s->keys; k->name != NULL; k++)
        if ((k->kinds & REQ) != 0 && nx_val_get(v, k->name) == NULL)
            NX_TRY(nx__gather(origin, nx__fail_at(err, origin, v, "%s needs the key '%s'", s->what, k->name), err));
    return NX_OK;
}

nx_status nx__odcs_check(const nx_val *root, const nx_origin *origin, nx_err *err)
{
    NX_TRY(check_object(&root_shape, root, origin, err));
    const nx_val *v = nx_val_get(root, "apiVersion");
    if (v != NULL && v->kind == NX_VAL_STR && !nx_str_starts(v->s, NX_STR("v3.")))
        NX_TRY(nx__gather(
            origin,
            nx__fail_at(err, origin, v, "apiVersion '" NX_STR_FMT "' is not read; write v3.1.0", NX_STR_ARG(v->s)),
            err));
    v = nx_val_get(root, "kind");
    if (v != NULL && v->kind == NX_VAL_STR && !nx_str_is(v->s, "DataContract"))
        NX_TRY(nx__gather(origin, nx__fail_at(err, origin, v, "kind must be DataContract"), err));
    v = nx_val_get(root, "schema");
    if (v != NULL && v->kind == NX_VAL_ARR && v->n != 1)
        NX_TRY(nx__gather(
            origin, nx__fail_at(err, origin, v, "schema must have exactly one object: a contract is one table"), err));
    return NX_OK;
}

bool nx__odcs_readable(const nx_val *root)
{
    const nx_val *schema = nx_val_get(root, "schema");
    if (schema == NULL || schema->kind != NX_VAL_ARR || schema->n != 1)
        return false;
    const nx_val *props = nx_val_get(&schema->items[0], "properties");
    return props != NULL && props->kind == NX_VAL_ARR;
}

bool nx__odcs_sound(const nx_val *prop)
{
    const nx_origin alone = {.file = ""};
    return check_object(&property_shape, prop, &alone, NULL) == NX_OK;
}

const nx_val *nx__odcs_custom(const nx_val *owner, const char *name)
{
    const nx_val *list = nx_val_get(owner, "customProperties");
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_is(nx_val_str(nx_val_get(&list->items[i], "property"), NX_STR("")), name))
            return nx_val_get(&list->items[i], "value");
    return NULL;
}
