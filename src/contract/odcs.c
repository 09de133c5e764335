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

#define DOC_KEYS                                                                                                       \
    {"authoritativeDefinitions", ARR, &definition_shape},                                                              \
    {                                                                                                                  \
        "customProperties", ARR, &custom_shape                                                                         \
    }
#define ID_KEYS                                                                                                        \
    {"id", STR, NULL}, {"tags", ARR, NULL},                                                                            \
    {                                                                                                                  \
        "description", STR, NULL                                                                                       \
    }

static const shape custom_shape, definition_shape, quality_shape, property_shape;

static const shape custom_shape = {
    "a custom property",
    (const key[]){
        {"id", STR, NULL}, {"property", STR | REQ, NULL}, {"value", ANY | REQ, NULL}, {"description", STR, NULL}, {0}}};
static const shape definition_shape = {
    "an authoritative definition",
    (const key[]){
        {"id", STR, NULL}, {"type", STR | REQ, NULL}, {"url", STR | REQ, NULL}, {"description", STR, NULL}, {0}}};
static const shape description_shape = {
    "description",
    (const key[]){{"purpose", STR, NULL}, {"limitations", STR, NULL}, {"usage", STR, NULL}, DOC_KEYS, {0}}};
static const shape arguments_shape = {"arguments", (const key[]){{"validValues", ARR, NULL},
                                                                 {"missingValues", ARR, NULL},
                                                                 {"pattern", STR, NULL},
                                                                 {"properties", ARR, NULL},
                                                                 {0}}};
static const shape quality_shape = {"a quality rule", (const key[]){ID_KEYS,
                                                                    DOC_KEYS,
                                                                    {"name", STR, NULL},
                                                                    {"type", STR, NULL},
                                                                    {"dimension", STR, NULL},
                                                                    {"severity", STR, NULL},
                                                                    {"businessImpact", STR, NULL},
                                                                    {"unit", STR, NULL},
                                                                    {"method", STR, NULL},
                                                                    {"schedule", STR, NULL},
                                                                    {"scheduler", STR, NULL},
                                                                    {"metric", STR, NULL},
                                                                    {"rule", STR, NULL},
                                                                    {"query", STR, NULL},
                                                                    {"engine", STR, NULL},
                                                                    {"implementation", STR | OBJ, NULL},
                                                                    {"arguments", OBJ, &arguments_shape},
                                                                    {"mustBe", ANY, NULL},
                                                                    {"mustNotBe", ANY, NULL},
                                                                    {"mustBeGreaterThan", NUM, NULL},
                                                                    {"mustBeGreaterOrEqualTo", NUM, NULL},
                                                                    {"mustBeLessThan", NUM, NULL},
                                                                    {"mustBeLessOrEqualTo", NUM, NULL},
                                                                    {"mustBeBetween", ARR, NULL},
                                                                    {"mustNotBeBetween", ARR, NULL},
                                                                    {0}}};
static const shape relationship_shape = {"a relationship", (const key[]){{"id", STR, NULL},
                                                                         {"type", STR, NULL},
                                                                         {"from", STR | ARR, NULL},
                                                                         {"to", STR | ARR | REQ, NULL},
                                                                         {"customProperties", ARR, &custom_shape},
                                                                         {0}}};
static const shape options_shape = {"logicalTypeOptions", (const key[]){{"minLength", NUM, NULL},
                                                                        {"maxLength", NUM, NULL},
                                                                        {"pattern", STR, NULL},
                                                                        {"format", STR, NULL},
                                                                        {"minimum", NUM | STR, NULL},
                                                                        {"maximum", NUM | STR, NULL},
                                                                        {"exclusiveMinimum", NUM | STR, NULL},
                                                                        {"exclusiveMaximum", NUM | STR, NULL},
                                                                        {"timezone", BOOL, NULL},
                                                                        {"defaultTimezone", STR, NULL},
                                                                        {"minItems", NUM, NULL},
                                                                        {"maxItems", NUM, NULL},
                                                                        {"uniqueItems", BOOL, NULL},
                                                                        {"multipleOf", NUM, NULL},
                                                                        {"minProperties", NUM, NULL},
                                                                        {"maxProperties", NUM, NULL},
                                                                        {"required", ARR, NULL},
                                                                        {0}}};
#define PROPERTY_KEYS                                                                                                  \
    ID_KEYS, DOC_KEYS, {"logicalType", STR, NULL}, {"logicalTypeOptions", OBJ, &options_shape},                        \
        {"physicalType", STR, NULL}, {"physicalName", STR, NULL}, {"businessName", STR, NULL},                         \
        {"required", BOOL, NULL}, {"unique", BOOL, NULL}, {"primaryKey", BOOL, NULL},                                  \
        {"primaryKeyPosition", NUM, NULL}, {"partitioned", BOOL, NULL}, {"partitionKeyPosition", NUM, NULL},           \
        {"classification", STR, NULL}, {"encryptedName", STR, NULL}, {"transformSourceObjects", ARR, NULL},            \
        {"transformLogic", STR, NULL}, {"transformDescription", STR, NULL}, {"examples", ARR, NULL},                   \
        {"criticalDataElement", BOOL, NULL}, {"relationships", ARR, &relationship_shape},                              \
        {"quality", ARR, &quality_shape}, {"properties", ARR, &property_shape},                                        \
    {                                                                                                                  \
        "items", OBJ, &items_shape                                                                                     \
    }
static const shape items_shape = {"items", (const key[]){PROPERTY_KEYS, {"name", STR, NULL}, {0}}};
static const shape property_shape = {"a property", (const key[]){{"name", STR | REQ, NULL}, PROPERTY_KEYS, {0}}};
static const shape object_shape = {"a schema object", (const key[]){ID_KEYS,
                                                                    DOC_KEYS,
                                                                    {"name", STR | REQ, NULL},
                                                                    {"physicalName", STR, NULL},
                                                                    {"physicalType", STR, NULL},
                                                                    {"logicalType", STR, NULL},
                                                                    {"businessName", STR, NULL},
                                                                    {"dataGranularityDescription", STR, NULL},
                                                                    {"properties", ARR | REQ, &property_shape},
                                                                    {"relationships", ARR, &relationship_shape},
                                                                    {"quality", ARR, &quality_shape},
                                                                    {0}}};
static const shape sla_shape = {"an SLA property", (const key[]){{"id", STR, NULL},
                                                                 {"property", STR | REQ, NULL},
                                                                 {"value", STR | NUM | BOOL | REQ, NULL},
                                                                 {"valueExt", ANY, NULL},
                                                                 {"unit", STR, NULL},
                                                                 {"element", STR, NULL},
                                                                 {"driver", STR, NULL},
                                                                 {"description", STR, NULL},
                                                                 {"scheduler", STR, NULL},
                                                                 {"schedule", STR, NULL},
                                                                 {0}}};
static const shape root_shape = {"a contract", (const key[]){{"apiVersion", STR | REQ, NULL},
                                                             {"kind", STR | REQ, NULL},
                                                             {"id", STR | REQ, NULL},
                                                             {"version", STR | REQ, NULL},
                                                             {"status", STR | REQ, NULL},
                                                             {"name", STR | REQ, NULL},
                                                             {"tenant", STR, NULL},
                                                             {"domain", STR, NULL},
                                                             {"dataProduct", STR, NULL},
                                                             {"tags", ARR, NULL},
                                                             {"description", OBJ, &description_shape},
                                                             {"servers", ARR, NULL},
                                                             {"schema", ARR | REQ, &object_shape},
                                                             {"slaProperties", ARR, &sla_shape},
                                                             {"slaDefaultElement", STR, NULL},
                                                             {"support", ARR, NULL},
                                                             {"price", OBJ, NULL},
                                                             {"team", OBJ | ARR, NULL},
                                                             {"roles", ARR, NULL},
                                                             DOC_KEYS,
                                                             {"contractCreatedTs", STR, NULL},
                                                             {0}}};

nx_status nx__fail_place(nx_err *err, nx_status st, const char *file, const nx_val *v)
{
    if (v == NULL)
        (void)nx_err_prefix(err, "contract %s", file);
    else
        (void)nx_err_prefix(err, "contract %s:%d:%d", file, v->line, v->col);
    return st;
}

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

static nx_status unknown_key(const shape *s, nx_str name, const nx_val *v, const char *file, nx_err *err)
{
    const char *names[64];
    size_t n = 0;
    for (const key *k = s->keys; k->name != NULL && n < NX_COUNT_OF(names); k++)
        names[n++] = k->name;
    size_t near = nx_str_nearest(name, names, n);
    nx_status st =
        nx__fail_at(err, file, v, "'" NX_STR_FMT "' is not a key of %s in ODCS 3.1", NX_STR_ARG(name), s->what);
    if (near != SIZE_MAX)
        (void)nx_err_hint(err, st, "did you mean '%s'? Extensions go into customProperties", names[near]);
    else
        (void)nx_err_hint(err, st, "extensions go into customProperties");
    return st;
}

/* Recursion is as deep as the shapes; property inside property is limited by the YAML reader. */
static nx_status check_object(const shape *s, const nx_val *v, const char *file, nx_err *err)
{
    if (v->kind != NX_VAL_OBJ)
        return nx__fail_at(err, file, v, "%s must be an object", s->what);
    for (size_t i = 0; i < v->n; i++) {
        const nx_val *m = &v->items[i];
        const key *k = find_key(s, v->keys[i]);
        if (k == NULL)
            return unknown_key(s, v->keys[i], m, file, err);
        if ((k->kinds & kind_bit(m->kind)) == 0) {
            char want[64];
            kinds_text(k->kinds, want);
            nx_status st = nx__fail_at(err, file, m, "'%s' of %s must be %s", k->name, s->what, want);
            return m->kind == NX_VAL_NUM && (k->kinds & STR) != 0 ? nx_err_hint(err, st, "put it in quotes") : st;
        }
        if (k->inner == NULL)
            continue;
        if (m->kind == NX_VAL_OBJ)
            NX_TRY(check_object(k->inner, m, file, err));
        for (size_t j = 0; m->kind == NX_VAL_ARR && j < m->n; j++)
            NX_TRY(check_object(k->inner, &m->items[j], file, err));
    }
    for (const key *k = s->keys; k->name != NULL; k++)
        if ((k->kinds & REQ) != 0 && nx_val_get(v, k->name) == NULL)
            return nx__fail_at(err, file, v, "%s needs the key '%s'", s->what, k->name);
    return NX_OK;
}

nx_status nx__odcs_check(const nx_val *root, const char *file, nx_err *err)
{
    NX_TRY(check_object(&root_shape, root, file, err));
    const nx_val *v = nx_val_get(root, "apiVersion");
    if (!nx_str_starts(v->s, NX_STR("v3.")))
        return nx__fail_at(err, file, v, "apiVersion '" NX_STR_FMT "' is not read; write v3.1.0", NX_STR_ARG(v->s));
    v = nx_val_get(root, "kind");
    if (!nx_str_is(v->s, "DataContract"))
        return nx__fail_at(err, file, v, "kind must be DataContract");
    v = nx_val_get(root, "schema");
    if (v->n != 1)
        return nx__fail_at(err, file, v, "schema must have exactly one object: a contract is one table");
    return NX_OK;
}

const nx_val *nx__odcs_custom(const nx_val *owner, const char *name)
{
    const nx_val *list = nx_val_get(owner, "customProperties");
    for (size_t i = 0; list != NULL && i < list->n; i++)
        if (nx_str_is(nx_val_get(&list->items[i], "property")->s, name))
            return nx_val_get(&list->items[i], "value");
    return NULL;
}
